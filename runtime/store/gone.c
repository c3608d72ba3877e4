/* store/gone.c: the file, the set, and taking away what it names. */
#include "store/gone.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "world/file.h"

#define HEAD "linli.gone 1 "
#define NAME_DIGITS (2 * LL_GONE_NAME_BYTES)
#define SET_CAP_FIRST 64

/* -- names -- */

static int
digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static bool
read_name(const char *digits, unsigned char out[LL_GONE_NAME_BYTES])
{
    for (size_t i = 0; i < LL_GONE_NAME_BYTES; i++) {
        int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void
ll_gone_name(
    const struct ll_whose *whose, unsigned char out[LL_GONE_NAME_BYTES])
{
    /* No part but the last can hold a NUL. */
    char text[LL_GONE_WHOSE_BYTES_MAX];
    unsigned char hash[LL_SHA256_BYTES];
    const linli_str parts[] = {whose->community, whose->plugin, whose->subject};
    size_t n = 0;
    for (size_t i = 0; i < LL_COUNT(parts); i++) {
        ll_check(parts[i].len < sizeof text - n);
        if (parts[i].len > 0)
            memcpy(text + n, parts[i].ptr, parts[i].len);
        n += parts[i].len;
        text[n++] = '\0';
    }
    ll_sha256(text, n, hash);
    memcpy(out, hash, LL_GONE_NAME_BYTES);
}

void
ll_gone_line(struct ll_buf *out, const unsigned char name[LL_GONE_NAME_BYTES],
    int64_t until_ms, linli_str kept)
{
    char digits[NAME_DIGITS + 1];
    ll_hex(name, LL_GONE_NAME_BYTES, digits);
    if (until_ms == 0)
        ll_buf_printf(out, "- %s\n", digits);
    else
        ll_buf_printf(
            out, "~ %s %" PRId64 " %.*s\n", digits, until_ms, LL_FMT(kept));
}

/* -- the set -- */

void
ll_gone_set_init(struct ll_gone_set *set, struct ll_mem *mem)
{
    *set = (struct ll_gone_set){.mem = mem};
}

void
ll_gone_set_fini(struct ll_gone_set *set)
{
    if (set->names != NULL)
        ll_release(set->mem, set->names, set->cap * sizeof *set->names);
    *set = (struct ll_gone_set){0};
}

static bool
is_empty(const unsigned char name[LL_GONE_NAME_BYTES])
{
    static const unsigned char none[LL_GONE_NAME_BYTES];
    return memcmp(name, none, sizeof none) == 0;
}

/* Where a name is, or would be: a hash is a good place by itself. */
static uint32_t
place_of(
    const struct ll_gone_set *set, const unsigned char name[LL_GONE_NAME_BYTES])
{
    uint32_t at;
    memcpy(&at, name, sizeof at);
    for (at &= set->cap - 1;
         !is_empty(set->names[at]) &&
         memcmp(set->names[at], name, LL_GONE_NAME_BYTES) != 0;)
        at = (at + 1) & (set->cap - 1);
    return at;
}

static bool
grow(struct ll_gone_set *set)
{
    struct ll_gone_set more = {
        .mem = set->mem, .cap = set->cap == 0 ? SET_CAP_FIRST : 2 * set->cap};
    more.names = ll_alloc(set->mem, more.cap * sizeof *more.names);
    if (more.names == NULL)
        return false;
    for (uint32_t i = 0; i < set->cap; i++)
        if (!is_empty(set->names[i]))
            memcpy(more.names[place_of(&more, set->names[i])], set->names[i],
                LL_GONE_NAME_BYTES);
    more.count = set->count;
    ll_gone_set_fini(set);
    *set = more;
    return true;
}

bool
ll_gone_set_add(
    struct ll_gone_set *set, const unsigned char name[LL_GONE_NAME_BYTES])
{
    if (set->count + 1 > set->cap / 4 * 3 && !grow(set))
        return false;
    uint32_t at = place_of(set, name);
    if (is_empty(set->names[at]))
        set->count++;
    memcpy(set->names[at], name, LL_GONE_NAME_BYTES);
    return true;
}

bool
ll_gone_set_has(
    const struct ll_gone_set *set, const unsigned char name[LL_GONE_NAME_BYTES])
{
    return set->cap > 0 && !is_empty(set->names[place_of(set, name)]);
}

/* -- the file -- */

static void
put_head(struct ll_buf *out, const unsigned char key[LL_SEAL_KEY_BYTES])
{
    unsigned char mark[LL_SHA256_BYTES];
    char digits[NAME_DIGITS + 1];
    ll_hmac_sha256((linli_str){(const char *)key, LL_SEAL_KEY_BYTES},
        LINLI_STR(LL_GONE_FILE), mark);
    ll_hex(mark, LL_GONE_NAME_BYTES, digits);
    ll_buf_printf(out, HEAD "%s\n", digits);
}

static linli_status
fail_gone(struct ll_err *err, const char *name, const char *what)
{
    linli_status status =
        ll_fail(err, LINLI_E_DENIED, "store/gone", "%s", what);
    ll_err_where(err, "%s", name);
    return status;
}

/* Says "store/io" of what world/file.h refused. */
static linli_status
as_io(struct ll_err *err, linli_status status)
{
    if (status != LINLI_OK && err != NULL)
        (void)snprintf(err->code, sizeof err->code, "store/io");
    return status;
}

linli_status
ll_gone_write(int at, const unsigned char key[LL_SEAL_KEY_BYTES],
    linli_str lines, struct ll_err *err)
{
    struct ll_mem mem;
    struct ll_buf text;
    ll_mem_init(&mem, 0);
    ll_buf_init(&text, &mem, LL_GONE_BYTES_MAX);
    put_head(&text, key);
    ll_buf_str(&text, lines);
    linli_status status =
        text.failed
            ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", LL_GONE_FILE)
            : as_io(err, ll_file_write(
                             at, LL_GONE_FILE, ll_buf_view(&text), 0600, err));
    ll_buf_fini(&text);
    return status;
}

linli_status
ll_gone_make(
    int at, const unsigned char key[LL_SEAL_KEY_BYTES], struct ll_err *err)
{
    return ll_gone_write(at, key, (linli_str){NULL, 0}, err);
}

/* One line, without its end; false: there is none any more. */
static bool
next_line(linli_str *rest, linli_str *line)
{
    const char *end =
        rest->len == 0 ? NULL : memchr(rest->ptr, '\n', rest->len);
    if (end == NULL)
        return false;
    *line = (linli_str){rest->ptr, (size_t)(end - rest->ptr)};
    rest->len -= line->len + 1;
    rest->ptr = end + 1;
    return true;
}

struct entry {
    unsigned char name[LL_GONE_NAME_BYTES];
    int64_t until_ms; /* 0: taken away */
    linli_str kept;
};

static bool
read_entry(linli_str line, struct entry *out)
{
    *out = (struct entry){0};
    if (line.len < 2 + NAME_DIGITS || line.ptr[1] != ' ' ||
        !read_name(line.ptr + 2, out->name))
        return false;
    if (line.ptr[0] == '-')
        return line.len == 2 + NAME_DIGITS;
    if (line.ptr[0] != '~' || line.ptr[2 + NAME_DIGITS] != ' ')
        return false;
    for (size_t i = 3 + NAME_DIGITS; i < line.len; i++) {
        char c = line.ptr[i];
        if (c == ' ' && out->until_ms > 0) {
            out->kept = (linli_str){line.ptr + i + 1, line.len - i - 1};
            return true;
        }
        if (c < '0' || c > '9' || out->until_ms > LL_TIMER_AT_MS_MAX)
            return false;
        out->until_ms = out->until_ms * 10 + (c - '0');
    }
    return false;
}

/* Counts the lines and proves each. */
static bool
count_lines(linli_str *lines, uint32_t *count)
{
    struct entry entry;
    linli_str rest = *lines, line;
    *count = 0;
    while (next_line(&rest, &line)) {
        if (!read_entry(line, &entry))
            return false;
        ++*count;
    }
    lines->len -= rest.len; /* what a crash has cut */
    return true;
}

linli_status
ll_gone_read(int at, const char *name,
    const unsigned char key[LL_SEAL_KEY_BYTES], struct ll_gone_file *file,
    struct ll_err *err)
{
    struct ll_buf head;
    linli_str line;
    file->count = 0;
    file->lines = (linli_str){NULL, 0};
    ll_buf_clear(&file->text);
    linli_status status =
        ll_file_read(at, name, LL_GONE_BYTES_MAX - 1, &file->text, err);
    if (status == LINLI_E_NOT_FOUND)
        return fail_gone(err, name, "the file is missing");
    if (status != LINLI_OK)
        return as_io(err, status);
    linli_str rest = ll_buf_view(&file->text);
    if (rest.len == 0)
        return LINLI_OK;
    ll_buf_init(&head, file->text.mem, 256);
    put_head(&head, key);
    linli_str want = ll_buf_view(&head);
    bool whole = next_line(&rest, &line);
    bool same = whole && line.len + 1 == want.len &&
                memcmp(line.ptr, want.ptr, line.len) == 0;
    ll_buf_fini(&head);
    if (!same)
        return fail_gone(err, name,
            whole && ll_str_starts(line, HEAD)
                ? "the file belongs to another linli.key"
                : "the file is not what Linli writes");
    if (!count_lines(&rest, &file->count))
        return fail_gone(err, name, "the file is damaged");
    file->lines = rest;
    return LINLI_OK;
}

linli_status
ll_gone_names(linli_str lines, struct ll_gone_set *set, struct ll_err *err)
{
    struct entry entry;
    linli_str line;
    while (next_line(&lines, &line) && read_entry(line, &entry))
        if (!ll_gone_set_add(set, entry.name))
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", LL_GONE_FILE);
    return LINLI_OK;
}

linli_status
ll_gone_append(int at, linli_str lines, struct ll_err *err)
{
    return as_io(err, ll_file_append(at, LL_GONE_FILE, lines, err));
}

/* -- taking away -- */

struct taking {
    struct ll_db *db;
    struct entry *entries; /* sorted by name; one a name */
    uint32_t count;
    bool changed;
};

static int
entry_cmp(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int way = memcmp(x->name, y->name, sizeof x->name);
    /* Of one name the hardest comes first: taken away, then the longest. */
    if (way == 0 && (x->until_ms == 0) != (y->until_ms == 0))
        return x->until_ms == 0 ? -1 : 1;
    if (way == 0)
        way = (x->until_ms < y->until_ms) - (x->until_ms > y->until_ms);
    return way;
}

static void
sort_entries(struct taking *t, linli_str lines)
{
    linli_str line;
    uint32_t n = 0, kept = 0;
    while (next_line(&lines, &line) && read_entry(line, &t->entries[n]))
        n++;
    qsort(t->entries, n, sizeof *t->entries, entry_cmp);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || memcmp(t->entries[i].name, t->entries[kept - 1].name,
                             LL_GONE_NAME_BYTES) != 0)
            t->entries[kept++] = t->entries[i];
    t->count = kept;
}

static const struct entry *
find_entry(const struct taking *t, const struct ll_whose *whose)
{
    struct entry want;
    ll_gone_name(whose, want.name);
    uint32_t low = 0, high = t->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int way = memcmp(t->entries[mid].name, want.name, sizeof want.name);
        if (way == 0)
            return &t->entries[mid];
        if (way < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* Runs a statement of the store's with the key of a subject, and, where it
 * has more, until when and what is kept. */
static linli_status
run_on(struct taking *t, unsigned statement, int64_t key_id,
    const struct entry *entry, struct ll_err *err)
{
    sqlite3_stmt *run = ll_db_statement(t->db, statement, err);
    if (run == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(run, 1, key_id);
    if (sqlite3_bind_parameter_count(run) >= 2)
        (void)sqlite3_bind_text64(run, 2,
            entry->kept.ptr == NULL ? "" : entry->kept.ptr, entry->kept.len,
            SQLITE_STATIC, SQLITE_UTF8);
    if (sqlite3_bind_parameter_count(run) >= 3)
        (void)sqlite3_bind_int64(run, 3, entry->until_ms);
    return ll_db_run(t->db, run, err);
}

static linli_status
take(struct taking *t, int64_t key_id, const struct entry *entry,
    struct ll_err *err)
{
    bool frozen = entry->until_ms != 0;
    linli_status status = LINLI_OK;
    if (frozen)
        status = run_on(t, LL_SI_gone_keep, key_id, entry, err);
    else
        status = run_on(t, LL_SI_gone_unkeep, key_id, entry, err);
    if (status == LINLI_OK)
        status = run_on(t, LL_SI_gone_size, key_id, entry, err);
    if (status == LINLI_OK)
        status = run_on(t, LL_SI_gone_note, key_id, entry, err);
    if (status == LINLI_OK)
        status = run_on(t, LL_SI_gone_docs, key_id, entry, err);
    if (status == LINLI_OK)
        status = run_on(t, frozen ? LL_SI_gone_freeze : LL_SI_gone_shred,
            key_id, entry, err);
    t->changed = true;
    return status;
}

/* Every key of the database, by its number; those that are named are taken.
 * One at a time, as taking changes the table that is read. */
static linli_status
take_all(struct taking *t, struct ll_err *err)
{
    int64_t after = 0;
    for (;;) {
        bool row;
        sqlite3_stmt *next = ll_db_statement(t->db, LL_SI_gone_walk, err);
        if (next == NULL)
            return LINLI_E_IO;
        (void)sqlite3_bind_int64(next, 1, after);
        const struct entry *entry = NULL;
        linli_status status = LINLI_OK;
        while (entry == NULL) {
            status = ll_db_step(t->db, next, &row, err);
            if (!row)
                return status;
            after = sqlite3_column_int64(next, 0);
            struct ll_whose whose = {.community = ll_db_bytes(next, 1),
                .plugin = ll_db_bytes(next, 2),
                .subject = ll_db_bytes(next, 3)};
            entry = find_entry(t, &whose);
        }
        (void)sqlite3_reset(next);
        status = take(t, after, entry, err);
        if (status != LINLI_OK)
            return status;
    }
}

static linli_status
put_count(struct ll_db *db, uint32_t count, struct ll_err *err)
{
    sqlite3_stmt *put = ll_db_statement(db, LL_ST_meta_put, err);
    if (put == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_text(put, 1, LL_GONE_COUNT, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(put, 2, count);
    return ll_db_run(db, put, err);
}

static linli_status
take_in(struct taking *t, linli_str lines, uint32_t count, struct ll_err *err)
{
    linli_status status = ll_db_begin(t->db, true, err);
    if (status != LINLI_OK)
        return status;
    sort_entries(t, lines);
    /* Entries have no order by document: they are looked through once. */
    status = ll_db_exec(t->db,
        "CREATE TEMP TABLE IF NOT EXISTS gone_doc(collection INTEGER, id TEXT, "
        "PRIMARY KEY(collection, id)) WITHOUT ROWID",
        err);
    if (status == LINLI_OK)
        status = take_all(t, err);
    if (status == LINLI_OK)
        status = ll_db_exec(t->db,
            "DELETE FROM entry WHERE EXISTS(SELECT 1 FROM ix JOIN gone_doc g "
            "ON g.collection = ix.collection AND g.id = entry.id "
            "WHERE ix.id = entry.ix); DELETE FROM gone_doc",
            err);
    if (status == LINLI_OK)
        status = put_count(t->db, count, err);
    if (status == LINLI_OK)
        status = ll_db_commit(t->db, err);
    if (status != LINLI_OK)
        ll_db_rollback(t->db);
    return status;
}

linli_status
ll_gone_apply(struct ll_db *db, linli_str lines, uint32_t count, bool *changed,
    struct ll_err *err)
{
    int64_t known = 0;
    struct ll_mem mem;
    struct taking t = {.db = db};
    *changed = false;
    linli_status status = ll_db_number(
        db, "SELECT value FROM meta WHERE name = 'gone'", &known, err);
    if (status != LINLI_OK || known == (int64_t)count)
        return status;
    if (known > (int64_t)count) {
        status = ll_fail(err, LINLI_E_DENIED, "store/gone",
            "the database knows of %lld lines, the file has %u",
            (long long)known, count);
        ll_err_where(err, LL_GONE_FILE);
        return status;
    }
    ll_mem_init(&mem, 0);
    t.entries = ll_alloc(&mem, count * sizeof *t.entries);
    if (t.entries == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", LL_GONE_FILE);
    status = take_in(&t, lines, count, err);
    *changed = status == LINLI_OK && t.changed;
    ll_release(&mem, t.entries, count * sizeof *t.entries);
    return status;
}
