/* cmd/audit_write.c: exports and proofs. */
#include "cmd/audit_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/json.h"
#include "base/text.h"
#include "domain/leaf.h"

#define WRITE_BYTES 262144

/* -- files -- */

struct out {
    char path[LL_AUDIT_PATH_BYTES + 16], aside[LL_AUDIT_PATH_BYTES + 32];
    int fd;
    struct ll_buf text;
};

static linli_status
out_failed(struct out *out, struct ll_err *err)
{
    linli_status status =
        ll_fail(err, LINLI_E_IO, "cli/file", "%s", strerror(errno));
    ll_err_where(err, "%s", out->aside);
    return status;
}

static linli_status
out_open(struct out *out, struct ll_mem *mem, const char *file,
    const char *tail, struct ll_err *err)
{
    *out = (struct out){.fd = -1};
    (void)snprintf(out->path, sizeof out->path, "%s%s", file, tail);
    (void)snprintf(out->aside, sizeof out->aside, "%s.new", out->path);
    ll_buf_init(&out->text, mem, 2 * WRITE_BYTES);
    out->fd = open(out->aside,
        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return out->fd < 0 ? out_failed(out, err) : LINLI_OK;
}

static linli_status
out_flush(struct out *out, struct ll_err *err)
{
    if (out->text.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an export");
    for (size_t at = 0; at < out->text.len;) {
        ssize_t n = write(out->fd, out->text.ptr + at, out->text.len - at);
        if (n < 0 && errno != EINTR)
            return out_failed(out, err);
        at += n < 0 ? 0 : (size_t)n;
    }
    ll_buf_clear(&out->text);
    return LINLI_OK;
}

static linli_status
out_add(struct out *out, const void *bytes, size_t n, struct ll_err *err)
{
    ll_buf_add(&out->text, bytes, n);
    return out->text.len < WRITE_BYTES ? LINLI_OK : out_flush(out, err);
}

/* Gives it its name, if all went well. */
static linli_status
out_close(struct out *out, linli_status status, struct ll_err *err)
{
    if (status == LINLI_OK)
        status = out_flush(out, err);
    if (status == LINLI_OK && fsync(out->fd) != 0)
        status = out_failed(out, err);
    if (out->fd >= 0)
        (void)close(out->fd);
    if (status == LINLI_OK && rename(out->aside, out->path) != 0)
        status = out_failed(out, err);
    if (status != LINLI_OK && out->fd >= 0)
        (void)unlink(out->aside);
    ll_buf_fini(&out->text);
    return status;
}

/* -- export -- */

static linli_status
copy_leaves(struct ll_audit *a, struct out *leaves, struct out *tiles,
    struct ll_err *err)
{
    bool there = true;
    uint64_t seq;
    linli_str leaf;
    struct ll_hash hash;
    linli_status status = ll_source_seek(&a->source, 0, err);
    for (uint64_t i = 0; status == LINLI_OK && i < a->last->note.size; i++) {
        status = ll_source_next(&a->source, &there, &seq, &leaf, err);
        if (status == LINLI_OK && (!there || seq != i))
            status = ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
                "a leaf that was verified is not there");
        if (status != LINLI_OK)
            break;
        ll_merkle_leaf(leaf, &hash);
        status = out_add(leaves, leaf.ptr, leaf.len, err);
        if (status == LINLI_OK)
            status = out_add(leaves, "\n", 1, err);
        if (status == LINLI_OK)
            status = out_add(tiles, hash.bytes, sizeof hash.bytes, err);
    }
    return status;
}

linli_status
ll_audit_write(struct ll_audit *audit, const char *file, struct ll_err *err)
{
    struct out leaves, tiles, note;
    if (strlen(file) >= LL_AUDIT_PATH_BYTES)
        return ll_fail(err, LINLI_E_LIMIT, "cli/file", "its path is too long");
    linli_status status = out_open(&leaves, audit->mem, file, "", err);
    linli_status other = out_open(
        &tiles, audit->mem, file, ".tiles", status == LINLI_OK ? err : NULL);
    status = status == LINLI_OK ? other : status;
    other = out_open(&note, audit->mem, file, ".checkpoint",
        status == LINLI_OK ? err : NULL);
    status = status == LINLI_OK ? other : status;
    if (status == LINLI_OK)
        status = copy_leaves(audit, &leaves, &tiles, err);
    if (status == LINLI_OK)
        status =
            out_add(&note, audit->last->text.ptr, audit->last->text.len, err);
    status = out_close(&leaves, status, err);
    status = out_close(&tiles, status, err);
    return out_close(&note, status, err);
}

/* -- proofs -- */

struct reader {
    struct ll_source *source;
    linli_status status;
    struct ll_err *err;
};

/* A node from the hashes of its leaves: a proof is made once in a while. */
static bool
get_node(void *user, unsigned level, uint64_t index, struct ll_hash *out)
{
    struct reader *r = user;
    struct ll_merkle tree = {0};
    struct ll_hash hash;
    bool there = true;
    for (uint64_t i = 0; i < UINT64_C(1) << level; i++) {
        r->status = ll_source_hash(
            r->source, (index << level) + i, &there, &hash, r->err);
        if (r->status != LINLI_OK || !there)
            return false;
        ll_merkle_add(&tree, &hash);
    }
    ll_merkle_root(&tree, out);
    return true;
}

static void
put_base64(struct ll_buf *out, linli_str bytes)
{
    size_t room = (bytes.len + 2) / 3 * 4 + 1;
    if (!ll_buf_room(out, room))
        return;
    out->len += (size_t)EVP_EncodeBlock((unsigned char *)out->ptr + out->len,
        (const unsigned char *)bytes.ptr, (int)bytes.len);
}

static void
put_hash64(struct ll_buf *out, const struct ll_hash *hash)
{
    put_base64(out, (linli_str){(const char *)hash->bytes, sizeof hash->bytes});
}

static void
put_note(struct ll_buf *out, const struct ll_audit *a, uint64_t seq,
    linli_str leaf, const struct ll_proof *proof)
{
    ll_buf_cstr(out, "c2sp.org/tlog-proof@v1\nextra ");
    put_base64(out, leaf);
    ll_buf_printf(out, "\nindex %llu\n", (unsigned long long)seq);
    for (uint32_t i = 0; i < proof->count; i++) {
        put_hash64(out, &proof->hashes[i]);
        ll_buf_char(out, '\n');
    }
    ll_buf_char(out, '\n');
    ll_buf_str(out, ll_buf_view(&a->last->text));
}

static void
put_json(struct ll_buf *out, const struct ll_audit *a, uint64_t seq,
    linli_str leaf, const struct ll_proof *proof)
{
    struct ll_jw w = ll_jw(out);
    char hex[2 * LL_SHA256_BYTES + 1];
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "seq");
    ll_jw_int(&w, (int64_t)seq);
    ll_jw_key(&w, "leaf");
    ll_jw_str(&w, leaf);
    ll_jw_key(&w, "size");
    ll_jw_int(&w, (int64_t)a->last->note.size);
    ll_jw_key(&w, "hashes");
    ll_jw_open(&w, '[');
    for (uint32_t i = 0; i < proof->count; i++) {
        ll_hex(proof->hashes[i].bytes, LL_SHA256_BYTES, hex);
        ll_jw_cstr(&w, hex);
    }
    ll_jw_close(&w, ']');
    ll_jw_key(&w, "checkpoint");
    ll_jw_str(&w, ll_buf_view(&a->last->text));
    ll_jw_close(&w, '}');
    ll_buf_char(out, '\n');
}

linli_status
ll_audit_prove(struct ll_audit *audit, uint64_t seq, bool json,
    struct ll_buf *out, struct ll_err *err)
{
    struct reader reader = {.source = &audit->source, .err = err};
    struct ll_merkle_nodes nodes = {get_node, &reader};
    struct ll_proof proof;
    struct ll_hash hash;
    bool there = false;
    uint64_t at;
    linli_str leaf;
    if (audit->last == NULL || seq >= audit->last->note.size) {
        linli_status none = ll_fail(err, LINLI_E_NOT_FOUND, "audit/unproved",
            "the last checkpoint has %llu leaves",
            audit->last == NULL ? 0ull
                                : (unsigned long long)audit->last->note.size);
        ll_err_where(err, "seq %llu", (unsigned long long)seq);
        return none;
    }
    bool made = ll_merkle_prove(&nodes, seq, audit->last->note.size, &proof);
    linli_status status = reader.status;
    if (status == LINLI_OK && !made)
        status = ll_fail(err, LINLI_E_NOT_FOUND, "audit/unproved",
            "an export without FILE.tiles has no hashes to prove with");
    if (status == LINLI_OK)
        status = ll_source_seek(&audit->source, seq, err);
    if (status == LINLI_OK)
        status = ll_source_next(&audit->source, &there, &at, &leaf, err);
    if (status != LINLI_OK)
        return status;
    ll_merkle_leaf(there ? leaf : LINLI_STR(""), &hash);
    if (!ll_merkle_proves(&proof, &hash, seq, audit->last->note.size,
            &audit->last->note.root))
        return ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
            "a proof that was made does not hold");
    (json ? put_json : put_note)(out, audit, seq, leaf, &proof);
    return LINLI_OK;
}
