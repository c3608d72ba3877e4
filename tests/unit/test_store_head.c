/* tests/unit/test_store_head.c: the signed head of the log, the file that
 * witnesses it, and databases that are not the one it was written of. */
#include "domain/leaf.h"
#include "store/head.h"
#include "store_fixture.h"

static void
grow(struct fixture *f, uint64_t leaves, int at)
{
    struct change c;
    change_init(&c, f);
    for (uint64_t i = 0; i < leaves; i++) {
        char text[64];
        int n = snprintf(
            text, sizeof text, "{\"v\":1,\"type\":\"duty\",\"at\":%d}", at);
        ll_commit_leaf(&c.commit, (linli_str){text, (size_t)n});
    }
    T_OK(change_make(&c, f));
    ll_commit_fini(&c.commit);
}

/* A file of the folder into `out`; false if it is not there. */
static bool
read_file(struct fixture *f, const char *name, struct ll_buf *out)
{
    ll_buf_init(out, &f->mem, 16 << 20);
    return ll_file_read(f->dir_fd, name, 8 << 20, out, NULL) == LINLI_OK;
}

static void
write_file(struct fixture *f, const char *name, linli_str bytes)
{
    ll_file_remove(f->dir_fd, name);
    T_INT(ll_file_write(f->dir_fd, name, bytes, 0600, &f->err), LINLI_OK);
}

/* How many leaves linli.head has witnessed; 0 without it. */
static uint64_t
witnessed(struct fixture *f)
{
    struct ll_buf text;
    struct ll_checkpoint note = {.size = 0};
    if (read_file(f, LL_STORE_HEAD_FILE, &text))
        T_INT(ll_checkpoint_read(ll_buf_view(&text), &note, &f->err), LINLI_OK);
    ll_buf_fini(&text);
    return note.size;
}

static uint64_t
served(struct fixture *f)
{
    struct ll_buf text;
    struct ll_checkpoint note = {.size = 0};
    ll_buf_init(&text, &f->mem, LL_NOTE_BYTES_MAX);
    ll_store_checkpoint(f->store, &text);
    T_INT(ll_checkpoint_read(ll_buf_view(&text), &note, &f->err), LINLI_OK);
    ll_buf_fini(&text);
    return note.size;
}

static void
pause_ms(int ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000L};
    (void)nanosleep(&rest, NULL);
}

static void
wait_witnessed(struct fixture *f, uint64_t size)
{
    for (int i = 0; i < 1000 && witnessed(f) != size; i++)
        pause_ms(10);
    T_INT(witnessed(f), size);
    T_INT(served(f), size);
}

T_CASE(a_log_without_leaves_has_no_file)
{
    struct fixture f;
    struct change c;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    T_INT(served(&f), 0);
    change_init(&c, &f);
    put_doc(&c.commit, "a", 1, "", "{}");
    T_OK(change_make(&c, &f));
    ll_commit_fini(&c.commit);
    ll_store_close(&f.store);
    T_OK(!ll_file_there(f.dir_fd, LL_STORE_HEAD_FILE));
    fixture_fini(&f);
}

T_CASE(it_is_signed_at_once_and_at_the_end)
{
    struct fixture f;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    grow(&f, 1, 1);
    wait_witnessed(&f, 2); /* with the origin */
    grow(&f, 1, 2);
    pause_ms(200);
    T_INT(witnessed(&f), 2); /* not more often than every second */
    wait_witnessed(&f, 3);
    grow(&f, 5, 3);
    ll_store_close(&f.store);
    T_INT(witnessed(&f), 8);
    T_INT(fixture_open(&f), LINLI_OK);
    T_OK(ll_store_log_sealed(f.store) == NULL);
    T_INT(served(&f), 8);
    fixture_fini(&f);
}

/* The note is in the database too, for those who have a copy of it alone. */
T_CASE(a_copy_of_the_database_has_it)
{
    struct fixture f;
    struct ll_db db;
    struct ll_buf text;
    char path[128];
    bool row;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    grow(&f, 3, 1);
    ll_store_close(&f.store);
    T_OK(read_file(&f, LL_STORE_HEAD_FILE, &text));
    snprintf(path, sizeof path, "%s/linli.db", f.dir);
    T_INT(ll_db_open(&db, path, LL_DB_WRITER, &f.err), LINLI_OK);
    sqlite3_stmt *get = ll_db_statement(&db, LL_SI_log_head, &f.err);
    T_INT(ll_db_step(&db, get, &row, &f.err), LINLI_OK);
    T_OK(row && ll_str_eq(ll_db_bytes(get, 2), ll_buf_view(&text)));
    ll_db_close(&db);
    ll_buf_fini(&text);
    fixture_fini(&f);
}

T_CASE(in_memory_it_is_signed_too)
{
    struct fixture f;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    grow(&f, 2, 1);
    for (int i = 0; i < 1000 && served(&f) != 3; i++)
        pause_ms(10);
    T_INT(served(&f), 3);
    fixture_fini(&f);
}

/* Opens it, and it is sealed: it serves, takes leaves, signs nothing, and the
 * file stays as it is. */
static void
opens_sealed(struct fixture *f, const char *why)
{
    struct ll_buf before, after, note;
    T_OK(read_file(f, LL_STORE_HEAD_FILE, &before));
    T_INT(fixture_open(f), LINLI_OK);
    const char *sealed = ll_store_log_sealed(f->store);
    T_OK(sealed != NULL && strncmp(sealed, why, strlen(why)) == 0);
    printf("# %s\n", sealed == NULL ? "-" : sealed);
    ll_buf_init(&note, &f->mem, LL_NOTE_BYTES_MAX);
    ll_store_checkpoint(f->store, &note);
    T_INT(note.len, 0);
    grow(f, 1, 9);
    ll_store_close(&f->store);
    T_OK(read_file(f, LL_STORE_HEAD_FILE, &after));
    T_OK(ll_str_eq(ll_buf_view(&before), ll_buf_view(&after)));
    ll_buf_fini(&note);
    ll_buf_fini(&after);
    ll_buf_fini(&before);
}

T_CASE(a_database_of_before_is_sealed)
{
    struct fixture f;
    struct ll_buf db;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    grow(&f, 600, 1);
    ll_store_close(&f.store);
    T_OK(read_file(&f, "linli.db", &db));
    T_INT(fixture_open(&f), LINLI_OK);
    grow(&f, 3, 2);
    ll_store_close(&f.store);
    write_file(&f, "linli.db", ll_buf_view(&db));
    opens_sealed(&f, "the log was rolled back");
    /* Nor does it become the one that was by growing past it. */
    T_INT(fixture_open(&f), LINLI_OK);
    grow(&f, 5, 9);
    ll_store_close(&f.store);
    opens_sealed(&f, "the log is another one");
    /* Without its witness it is taken for what it is. */
    ll_file_remove(f.dir_fd, LL_STORE_HEAD_FILE);
    T_INT(fixture_open(&f), LINLI_OK);
    T_OK(ll_store_log_sealed(f.store) == NULL);
    ll_buf_fini(&db);
    fixture_fini(&f);
}

/* Every size is a beginning of what came after it: by whole tiles, too. */
T_CASE(every_older_head_is_a_beginning)
{
    struct fixture f;
    struct ll_buf heads[6];
    static const uint64_t sizes[] = {1, 254, 1, 255, 513, 3};
    fixture_init(&f, false);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        T_INT(fixture_open(&f), LINLI_OK);
        grow(&f, sizes[i], (int)i);
        ll_store_close(&f.store);
        T_OK(read_file(&f, LL_STORE_HEAD_FILE, &heads[i]));
    }
    for (size_t i = 0; i < COUNT(sizes); i++) {
        write_file(&f, LL_STORE_HEAD_FILE, ll_buf_view(&heads[i]));
        T_INT(fixture_open(&f), LINLI_OK);
        T_OK(ll_store_log_sealed(f.store) == NULL);
        T_INT(served(&f), 1028);
        ll_store_close(&f.store);
        ll_buf_fini(&heads[i]);
    }
    fixture_fini(&f);
}

T_CASE(a_changed_witness_seals)
{
    struct fixture f;
    struct ll_buf head;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    grow(&f, 3, 1);
    ll_store_close(&f.store);
    T_OK(read_file(&f, LL_STORE_HEAD_FILE, &head));
    for (size_t i = 0; i < head.len; i += 7) {
        head.ptr[i] ^= 1;
        write_file(&f, LL_STORE_HEAD_FILE, ll_buf_view(&head));
        T_INT(fixture_open(&f), LINLI_OK);
        T_OK(ll_store_log_sealed(f.store) != NULL);
        ll_store_close(&f.store);
        head.ptr[i] ^= 1;
    }
    write_file(&f, LL_STORE_HEAD_FILE, ll_buf_view(&head));
    T_INT(fixture_open(&f), LINLI_OK);
    T_OK(ll_store_log_sealed(f.store) == NULL);
    ll_buf_fini(&head);
    fixture_fini(&f);
}

static linli_status
open_as(struct fixture *f, const char *origin)
{
    struct ll_store_options options = {.mem = &f->mem,
        .world = f->world,
        .dir_fd = f->dir_fd,
        .dir = f->dir,
        .readers = 2,
        .log_origin = ll_cstr(origin),
        .failed = fixture_failed,
        .user = f};
    return ll_store_open(&options, &f->store, &f->err);
}

T_CASE(the_origin_stays)
{
    struct fixture f;
    struct ll_buf text;
    fixture_init(&f, false);
    T_INT(open_as(&f, "no such"), LINLI_E_INVALID);
    T_STR(ll_cstr(f.err.code), "config/invalid");
    T_INT(open_as(&f, "maple.example/log"), LINLI_OK);
    grow(&f, 1, 1);
    ll_store_close(&f.store);
    T_OK(read_file(&f, LL_STORE_HEAD_FILE, &text));
    T_OK(ll_str_starts(ll_buf_view(&text), "maple.example/log\n2\n"));
    ll_buf_fini(&text);
    T_INT(open_as(&f, "other.example/log"), LINLI_E_INVALID);
    T_STR(ll_cstr(f.err.code), "config/invalid");
    T_STR(ll_cstr(f.err.where), "log.origin");
    T_INT(fixture_open(&f), LINLI_OK);
    grow(&f, 1, 1);
    ll_store_close(&f.store);
    T_OK(read_file(&f, LL_STORE_HEAD_FILE, &text));
    T_OK(ll_str_starts(ll_buf_view(&text), "maple.example/log\n3\n"));
    ll_buf_fini(&text);
    fixture_fini(&f);
}

/* -- a file that cannot be written -- */

struct unwitnessed {
    struct fixture f;
    uint32_t times;
};

static void
on_unwitnessed(void *user, const struct ll_err *err)
{
    struct unwitnessed *u = user;
    T_OK(err->code[0] != '\0');
    u->times++;
}

static void
on_failed(void *user, const struct ll_err *err)
{
    (void)user;
    (void)err;
    t_fail(__FILE__, __LINE__, "the store failed");
}

T_CASE(it_is_tried_again)
{
    struct unwitnessed u = {.times = 0};
    fixture_init(&u.f, false);
    struct ll_store_options options = {.mem = &u.f.mem,
        .world = u.f.world,
        .dir_fd = u.f.dir_fd,
        .dir = u.f.dir,
        .readers = 1,
        .failed = on_failed,
        .unwitnessed = on_unwitnessed,
        .user = &u};
    T_INT(mkdirat(u.f.dir_fd, LL_STORE_HEAD_FILE ".new", 0700), 0);
    T_INT(ll_store_open(&options, &u.f.store, &u.f.err), LINLI_OK);
    grow(&u.f, 1, 1);
    while (u.times < 2) /* no further leaf is needed for that */
        ll_world_turn(u.f.world, true);
    T_INT(served(&u.f), 2);
    T_INT(unlinkat(u.f.dir_fd, LL_STORE_HEAD_FILE ".new", AT_REMOVEDIR), 0);
    wait_witnessed(&u.f, 2);
    fixture_fini(&u.f);
}

T_MAIN(T_RUN(a_log_without_leaves_has_no_file) T_RUN(
    it_is_signed_at_once_and_at_the_end) T_RUN(a_copy_of_the_database_has_it)
        T_RUN(in_memory_it_is_signed_too) T_RUN(a_database_of_before_is_sealed)
            T_RUN(every_older_head_is_a_beginning)
                T_RUN(a_changed_witness_seals) T_RUN(the_origin_stays)
                    T_RUN(it_is_tried_again))
