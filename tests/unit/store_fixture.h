/* tests/unit/store_fixture.h: a store with a world of its own, on disk or in
 * memory, and the few steps that its tests are made of. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "store/store.h"
#include "t.h"
#include "world/file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct fixture {
    struct ll_mem mem;
    struct ll_world *world;
    struct ll_store *store;
    char dir[64]; /* empty: in memory */
    int dir_fd;
    struct ll_err err;
    uint32_t failures; /* how often `failed` was called */
    struct ll_err failure;
};

static inline void
fixture_failed(void *user, const struct ll_err *err)
{
    struct fixture *f = user;
    f->failures++;
    f->failure = *err;
}

/* Where the folders are: in memory if the system has such a place. Nothing
 * here depends on a real disk, whose syncs take long when others use it. */
static inline const char *
fixture_base(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

/* A world and, unless in memory, an empty folder. */
static inline void
fixture_init(struct fixture *f, bool memory)
{
    *f = (struct fixture){.dir_fd = -1};
    ll_mem_init(&f->mem, 0);
    T_INT(ll_world_new(&f->mem, &f->world, &f->err), LINLI_OK);
    if (memory)
        return;
    snprintf(f->dir, sizeof f->dir, "%s/test_store_XXXXXX", fixture_base());
    T_OK(mkdtemp(f->dir) != NULL);
    f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    T_OK(f->dir_fd >= 0);
}

static inline linli_status
fixture_open(struct fixture *f)
{
    struct ll_store_options options = {.mem = &f->mem,
        .world = f->world,
        .dir_fd = f->dir_fd,
        .dir = f->dir_fd < 0 ? NULL : f->dir,
        .readers = 2,
        .failed = fixture_failed,
        .user = f};
    linli_status status = ll_store_open(&options, &f->store, &f->err);
    if (status != LINLI_OK)
        T_OK(f->store == NULL);
    return status;
}

static inline void
fixture_remove(struct fixture *f)
{
    DIR *dir = opendir(f->dir);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        (void)unlinkat(f->dir_fd, e->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    (void)rmdir(f->dir);
}

static inline void
fixture_fini(struct fixture *f)
{
    ll_store_close(&f->store);
    ll_world_free(&f->world);
    if (f->dir_fd >= 0) {
        fixture_remove(f);
        close(f->dir_fd);
    }
    T_INT(f->mem.used_bytes, 0);
}

/* -- commits and queries that tell when they are done -- */

struct change {
    struct ll_commit commit;
    bool done, durable;
};

static inline void
change_done(struct ll_commit *commit, bool durable)
{
    struct change *c = commit->user;
    T_OK(!c->done);
    c->done = true;
    c->durable = durable;
}

static inline void
change_init(struct change *c, struct fixture *f)
{
    *c = (struct change){0};
    ll_commit_init(&c->commit, &f->mem);
    c->commit.done = change_done;
    c->commit.user = c;
}

/* Turns the loop until *done. */
static inline void
fixture_wait(struct fixture *f, const bool *done)
{
    while (!*done)
        ll_world_turn(f->world, true);
}

/* Commits, waits, and gives it back empty. */
static inline bool
change_make(struct change *c, struct fixture *f)
{
    c->done = false;
    ll_store_commit(f->store, &c->commit);
    T_OK(!c->done);
    fixture_wait(f, &c->done);
    ll_buf_clear(&c->commit.ops);
    return c->durable;
}

struct asked {
    struct ll_query query;
    bool done;
    struct ll_rd rows; /* to be read by the test */
};

static inline void
asked_done(struct ll_query *query)
{
    struct asked *a = query->user;
    T_OK(!a->done);
    a->done = true;
    a->rows = ll_rd(ll_buf_view(&query->rows));
}

static inline void
asked_init(struct asked *a, struct fixture *f, enum ll_statement statement)
{
    *a = (struct asked){0};
    ll_query_init(&a->query, &f->mem, statement);
    a->query.done = asked_done;
    a->query.user = a;
}

static inline linli_status
asked_run(struct asked *a, struct fixture *f)
{
    a->done = false;
    ll_store_query(f->store, &a->query);
    T_OK(!a->done);
    fixture_wait(f, &a->done);
    return a->query.status;
}

/* -- what most of them do -- */

static inline void
put_cstr(struct ll_buf *buf, const char *s)
{
    ll_put_bytes(buf, ll_cstr(s));
}

/* doc_put of a document about `subject` ("": nobody) in collection 1. */
static inline void
put_doc(struct ll_commit *commit, const char *id, int64_t version,
    const char *subject, const char *body)
{
    ll_commit_op(commit, LL_ST_doc_put);
    ll_put_int(&commit->ops, 1);
    put_cstr(&commit->ops, id);
    ll_put_int(&commit->ops, version);
    ll_put_nil(&commit->ops);
    if (subject[0] == '\0')
        ll_put_nil(&commit->ops);
    else
        put_cstr(&commit->ops, subject);
    ll_put_sealed(&commit->ops, 1, ll_cstr(subject), ll_cstr(body));
}

/* The body of a document, into `out`; "-" if it is not there, "nil" if its
 * key was taken away. */
static inline const char *
get_doc(struct fixture *f, const char *id, char out[256])
{
    struct asked a;
    bool there;
    asked_init(&a, f, LL_ST_doc_get);
    ll_put_int(&a.query.params, 1);
    put_cstr(&a.query.params, id);
    snprintf(out, 256, "-");
    T_INT(asked_run(&a, f), LINLI_OK);
    if (a.query.row_count == 1) {
        T_INT(ll_rd_list(&a.rows), 4);
        (void)ll_rd_int(&a.rows);
        (void)ll_rd_value(&a.rows);
        (void)ll_rd_value(&a.rows);
        linli_str body = ll_rd_bytes_or_nil(&a.rows, &there);
        snprintf(out, 256, "%.*s", there ? (int)body.len : 3,
            there ? body.ptr : "nil");
        T_OK(ll_rd_end(&a.rows));
    }
    ll_query_fini(&a.query);
    return out;
}

#define T_DOC(f, id, want)                                  \
    do {                                                    \
        char t_body[256];                                   \
        T_STR(ll_cstr(get_doc((f), (id), t_body)), (want)); \
    } while (0)

#endif
