/* cmd/audit_source.c: leaves and hashes, from files and from databases. */
#include "cmd/audit_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "domain/checkpoint.h"
#include "domain/leaf.h"
#include "store/place.h"
#include "world/file.h"

#define READ_BYTES 262144
/* A line that does not end within so many bytes is no leaf. */
#define TEXT_BYTES_MAX ((size_t)1 << 20)

static linli_status
file_failed(struct ll_err *err, const char *path, const char *why)
{
    linli_status status = ll_fail(err, LINLI_E_IO, "cli/file", "%s", why);
    ll_err_where(err, "%s", path);
    return status;
}

/* -- opening -- */

static bool
is_database(int fd)
{
    static const char magic[16] = "SQLite format 3";
    char head[sizeof magic];
    return pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
           memcmp(head, magic, sizeof magic) == 0;
}

static linli_status
open_export(struct ll_source *s)
{
    char tiles[LL_AUDIT_PATH_BYTES + 16];
    (void)snprintf(tiles, sizeof tiles, "%s.tiles", s->path);
    s->tiles_fd = open(tiles, O_RDONLY | O_CLOEXEC);
    s->has_hashes = s->tiles_fd >= 0;
    ll_buf_init(&s->text, s->mem, TEXT_BYTES_MAX + READ_BYTES);
    return LINLI_OK;
}

static linli_status
open_db(struct ll_source *s, struct ll_err *err)
{
    s->is_db = s->has_hashes = true;
    linli_status status = ll_audit_open(&s->db, s->path, err);
    if (status != LINLI_OK)
        ll_err_where(err, "%s", s->path);
    return status;
}

linli_status
ll_source_open(struct ll_source *source, struct ll_mem *mem, const char *path,
    bool data_dir, struct ll_err *err)
{
    *source = (struct ll_source){.mem = mem, .fd = -1, .tiles_fd = -1};
    int n = snprintf(source->path, sizeof source->path, "%s%s", path,
        data_dir ? "/" LL_STORE_FILE : "");
    if (n < 0 || (size_t)n >= sizeof source->path)
        return file_failed(err, path, "its path is too long");
    if (data_dir)
        (void)snprintf(source->dir, sizeof source->dir, "%s", path);
    source->fd = open(source->path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0)
        return file_failed(err, source->path, strerror(errno));
    if (!data_dir && !is_database(source->fd))
        return open_export(source);
    (void)close(source->fd);
    source->fd = -1;
    return open_db(source, err);
}

void
ll_source_close(struct ll_source *source)
{
    if (source->mem == NULL)
        return;
    if (source->is_db)
        ll_audit_close(&source->db);
    if (source->fd >= 0)
        (void)close(source->fd);
    if (source->tiles_fd >= 0)
        (void)close(source->tiles_fd);
    if (source->text.mem != NULL)
        ll_buf_fini(&source->text);
    *source = (struct ll_source){.fd = -1, .tiles_fd = -1};
}

/* -- an export's lines -- */

static linli_status
read_more(struct ll_source *s, struct ll_err *err)
{
    ll_buf_drop(&s->text, s->used);
    s->used = 0;
    if (!ll_buf_room(&s->text, READ_BYTES))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a line");
    ssize_t n;
    do
        n = read(s->fd, s->text.ptr + s->text.len, READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return file_failed(err, s->path, strerror(errno));
    s->text.len += (size_t)n;
    s->ended = n == 0;
    return LINLI_OK;
}

static linli_status
no_line(struct ll_source *s, const char *why, struct ll_err *err)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "audit/leaf", "%s", why);
    ll_err_where(err, "seq %llu", (unsigned long long)s->line);
    return status;
}

static linli_status
next_line(struct ll_source *s, bool *there, linli_str *leaf, struct ll_err *err)
{
    for (;;) {
        size_t left = s->text.len - s->used;
        const char *from = left == 0 ? NULL : s->text.ptr + s->used;
        const char *end = left == 0 ? NULL : memchr(from, '\n', left);
        if (end != NULL) {
            *leaf = (linli_str){from, (size_t)(end - from)};
            s->used += leaf->len + 1;
            *there = true;
            return LINLI_OK;
        }
        if (left >= TEXT_BYTES_MAX)
            return no_line(s, "the line is too long for a leaf", err);
        if (s->ended && left > 0)
            return no_line(s, "the last line does not end: it is cut", err);
        *there = false;
        if (s->ended)
            return LINLI_OK;
        linli_status status = read_more(s, err);
        if (status != LINLI_OK)
            return status;
    }
}

/* -- both -- */

linli_status
ll_source_next(struct ll_source *source, bool *there, uint64_t *seq,
    linli_str *leaf, struct ll_err *err)
{
    linli_status status;
    *there = false;
    if (source->is_db) {
        int64_t index = 0;
        status = ll_audit_next(&source->db, there, &index, leaf, err);
        *seq = (uint64_t)index;
        return status;
    }
    status = next_line(source, there, leaf, err);
    *seq = source->line;
    if (*there)
        source->line++;
    return status;
}

linli_status
ll_source_seek(struct ll_source *source, uint64_t seq, struct ll_err *err)
{
    bool there = true;
    uint64_t at;
    linli_str leaf;
    if (source->is_db)
        return ll_audit_leaves(&source->db, seq, err);
    if (lseek(source->fd, 0, SEEK_SET) < 0)
        return file_failed(err, source->path, strerror(errno));
    ll_buf_clear(&source->text);
    source->used = 0;
    source->line = 0;
    source->ended = false;
    linli_status status = LINLI_OK;
    while (status == LINLI_OK && there && source->line < seq)
        status = ll_source_next(source, &there, &at, &leaf, err);
    return status;
}

linli_status
ll_source_hash(struct ll_source *source, uint64_t seq, bool *there,
    struct ll_hash *out, struct ll_err *err)
{
    *there = false;
    if (!source->is_db) {
        ssize_t n = source->tiles_fd < 0
                        ? 0
                        : pread(source->tiles_fd, out, sizeof *out,
                              (off_t)(seq * sizeof *out));
        *there = n == (ssize_t)sizeof *out;
        return LINLI_OK;
    }
    linli_str tile;
    size_t at = (size_t)(seq % LL_TILE_HASHES) * sizeof *out;
    linli_status status =
        ll_audit_tile(&source->db, 0, seq / LL_TILE_HASHES, &tile, err);
    if (status == LINLI_OK && tile.len >= at + sizeof *out) {
        memcpy(out, tile.ptr + at, sizeof *out);
        *there = true;
    }
    return status;
}

linli_status
ll_source_note(
    const char *path, bool *there, struct ll_buf *out, struct ll_err *err)
{
    linli_status status =
        ll_file_read(LL_AT_CWD, path, LL_NOTE_BYTES_MAX, out, err);
    *there = status == LINLI_OK;
    return status == LINLI_E_NOT_FOUND ? LINLI_OK : status;
}
