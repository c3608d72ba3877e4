/* store/verify_log.c: hashes every leaf again and compares with the tiles. */
#include <openssl/crypto.h>

#include "base/text.h"
#include "domain/checkpoint.h"
#include "store/head.h"
#include "store/log.h"
#include "store/verify.h"

/* The tiles as the leaves make them. */
struct rehash {
    struct ll_db *db;
    struct ll_tiles *tiles;
    struct ll_merkle merkle;
    uint64_t counts[LL_TILE_LEVELS]; /* hashes of each level so far */
    struct ll_vkey key;              /* of the first leaf */
    bool has_key;
};

static linli_status
fail_log(struct ll_err *err, uint64_t at, const char *what)
{
    return ll_fail(err, LINLI_E_INVALID, "store/corrupt",
        "the log: %s (at %llu)", what, (unsigned long long)at);
}

/* The last tile of a level, full or not, is what is kept. */
static linli_status
compare_tile(struct rehash *r, unsigned level, struct ll_err *err)
{
    bool row;
    uint64_t tile = (r->counts[level] - 1) / LL_TILE_HASHES;
    size_t bytes =
        (size_t)(r->counts[level] - tile * LL_TILE_HASHES) * LL_SHA256_BYTES;
    sqlite3_stmt *get = ll_db_statement(r->db, LL_SI_log_tile, err);
    if (get == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(get, 1, level);
    (void)sqlite3_bind_int64(get, 2, (int64_t)tile);
    linli_status status = ll_db_step(r->db, get, &row, err);
    if (status != LINLI_OK)
        return status;
    if (!row)
        return fail_log(err, tile, "a tile is not there");
    linli_str kept = ll_db_bytes(get, 0);
    if (kept.len != bytes ||
        memcmp(kept.ptr, r->tiles->hashes[level], bytes) != 0)
        status = fail_log(
            err, tile, "leaves and hashes of a tile are not of one tree");
    (void)sqlite3_reset(get);
    return status;
}

static linli_status
add(struct rehash *r, const struct ll_hash *leaf, struct ll_err *err)
{
    struct ll_hash hash = *leaf;
    linli_status status = LINLI_OK;
    ll_merkle_add(&r->merkle, leaf);
    for (unsigned level = 0; level < LL_TILE_LEVELS; level++) {
        r->tiles->hashes[level][r->counts[level]++ % LL_TILE_HASHES] = hash;
        if (r->counts[level] % LL_TILE_HASHES != 0)
            break;
        status = compare_tile(r, level, err);
        if (status != LINLI_OK)
            break;
        ll_tile_fold(r->tiles->hashes[level], LL_TILE_HASHES, &hash);
    }
    return status;
}

static linli_status
rehash_all(struct rehash *r, struct ll_mem *mem, struct ll_err *err)
{
    bool row = true;
    struct ll_hash hash;
    sqlite3_stmt *leaves = ll_db_statement(r->db, LL_SI_log_leaves, err);
    if (leaves == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(leaves, 1, 0);
    linli_status status = LINLI_OK;
    while (status == LINLI_OK && row) {
        status = ll_db_step(r->db, leaves, &row, err);
        if (!row)
            break;
        uint64_t at = r->merkle.size;
        linli_str leaf = ll_db_bytes(leaves, 1);
        if (at == 0)
            r->has_key = ll_origin_leaf_read(mem, leaf, &r->key);
        ll_merkle_leaf(leaf, &hash);
        status = (uint64_t)sqlite3_column_int64(leaves, 0) != at
                     ? fail_log(err, at, "a leaf is missing")
                     : add(r, &hash, err);
    }
    if (row)
        (void)sqlite3_reset(leaves);
    for (unsigned level = 0; status == LINLI_OK && level < LL_TILE_LEVELS;
         level++)
        if (r->counts[level] % LL_TILE_HASHES != 0)
            status = compare_tile(r, level, err);
    return status;
}

/* -- the head -- */

static linli_status
read_note(struct ll_db *db, struct ll_buf *note, struct ll_err *err)
{
    bool row;
    sqlite3_stmt *head = ll_db_statement(db, LL_SI_log_head, err);
    if (head == NULL)
        return LINLI_E_IO;
    linli_status status = ll_db_step(db, head, &row, err);
    if (!row)
        return status;
    linli_str text = ll_db_bytes(head, 2);
    ll_buf_add(note, text.ptr, text.len);
    (void)sqlite3_reset(head);
    return note->failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
                              "no memory for the log's head")
                        : LINLI_OK;
}

/* What was signed last is what the leaves still say. */
static linli_status
check_note(const struct rehash *r, struct ll_logtree *tree, linli_str note,
    const unsigned char root[LL_SEAL_KEY_BYTES], struct ll_err *err)
{
    struct ll_checkpoint read;
    struct ll_hash at;
    struct ll_vkey key;
    unsigned char seed[LL_ED25519_BYTES];
    if (!r->has_key || ll_checkpoint_read(note, &read, NULL) != LINLI_OK)
        return fail_log(err, r->merkle.size, "its checkpoint is none");
    ll_head_seed(root, seed);
    ll_vkey_of(seed, ll_cstr(r->key.origin), &key);
    OPENSSL_cleanse(seed, sizeof seed);
    if (!ll_vkey_eq(&key, &r->key) || !ll_checkpoint_signed(&read, &key))
        return fail_log(
            err, read.size, "its checkpoint is not signed with this key file");
    if (read.size > r->merkle.size)
        return fail_log(err, read.size, "its checkpoint has more leaves");
    linli_status status = ll_logtree_root_at(tree, read.size, &at, err);
    return status == LINLI_OK && !ll_hash_eq(&at, &read.root)
               ? fail_log(err, read.size, "its leaves are not those signed")
               : status;
}

linli_status
ll_verify_log(struct ll_db *db, struct ll_mem *mem,
    const unsigned char key[LL_SEAL_KEY_BYTES], struct ll_err *err)
{
    struct rehash r = {.db = db};
    struct ll_logtree tree;
    struct ll_buf note;
    ll_buf_init(&note, mem, LL_NOTE_BYTES_MAX);
    linli_status status = ll_logtree_load(&tree, mem, db, err);
    if (status == LINLI_OK) {
        r.tiles = ll_alloc(mem, sizeof *r.tiles);
        status = r.tiles == NULL ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
                                       "no memory for the log's tiles")
                                 : rehash_all(&r, mem, err);
    }
    if (status == LINLI_OK && r.merkle.size != tree.merkle.size)
        status = fail_log(
            err, r.merkle.size, "leaves are not as many as its head says");
    if (status == LINLI_OK)
        status = read_note(db, &note, err);
    if (status == LINLI_OK && note.len > 0)
        status = check_note(&r, &tree, ll_buf_view(&note), key, err);
    if (r.tiles != NULL)
        ll_release(mem, r.tiles, sizeof *r.tiles);
    ll_buf_fini(&note);
    ll_logtree_fini(&tree);
    return status;
}
