/* store/log.c: leaves, tiles and head, read once and then appended to. */
#include "store/log.h"

#include "base/limits.h"
#include "domain/checkpoint.h"
#include "domain/leaf.h"

static linli_status
fail_log(struct ll_err *err, uint64_t at, const char *what)
{
    linli_status status = ll_fail(err, LINLI_E_INVALID, "store/corrupt",
        "the log: %s (at %llu)", what, (unsigned long long)at);
    ll_err_fix(err, "`linli audit verify --data DIR` says which leaf; restore "
                    "the last backup with `linli restore`");
    return status;
}

static linli_status
make_tiles(struct ll_logtree *tree, struct ll_err *err)
{
    if (tree->tiles == NULL)
        tree->tiles = ll_alloc(tree->mem, sizeof *tree->tiles);
    return tree->tiles != NULL ? LINLI_OK
                               : ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
                                     "no memory for the log's tiles");
}

void
ll_logtree_fini(struct ll_logtree *tree)
{
    if (tree->mem == NULL)
        return;
    if (tree->tiles != NULL)
        ll_release(tree->mem, tree->tiles, sizeof *tree->tiles);
    ll_buf_fini(&tree->begin);
    ll_buf_fini(&tree->note);
    *tree = (struct ll_logtree){0};
}

/* -- reading -- */

/* log_head; size 0 without one. */
static linli_status
load_head(struct ll_logtree *tree, struct ll_hash *root, struct ll_err *err)
{
    bool row;
    sqlite3_stmt *head = ll_db_statement(tree->db, LL_SI_log_head, err);
    if (head == NULL)
        return LINLI_E_IO;
    linli_status status = ll_db_step(tree->db, head, &row, err);
    if (!row)
        return status;
    int64_t size = sqlite3_column_int64(head, 0);
    linli_str bytes = ll_db_bytes(head, 1);
    if (size < 1 || size >> LL_MERKLE_LEVELS != 0 || bytes.len != sizeof *root)
        status = fail_log(err, (uint64_t)size, "its head is none");
    else
        memcpy(root, bytes.ptr, sizeof *root);
    tree->merkle.size = (uint64_t)size;
    (void)sqlite3_reset(head);
    return status;
}

/* The leaves behind the last full tile: each is what the tile says of it. */
static linli_status
load_leaves(struct ll_logtree *tree, struct ll_err *err)
{
    uint64_t size = tree->merkle.size, at = size - size % LL_TILE_HASHES;
    struct ll_hash hash;
    bool row = true;
    sqlite3_stmt *leaves = ll_db_statement(tree->db, LL_SI_log_leaves, err);
    if (leaves == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(leaves, 1, (int64_t)at);
    linli_status status = LINLI_OK;
    while (status == LINLI_OK && row) {
        status = ll_db_step(tree->db, leaves, &row, err);
        if (!row)
            break;
        if (at >= size || (uint64_t)sqlite3_column_int64(leaves, 0) != at) {
            status =
                fail_log(err, at, "leaves are not as many as its head says");
            break;
        }
        ll_merkle_leaf(ll_db_bytes(leaves, 1), &hash);
        if (!ll_hash_eq(&hash, &tree->tiles->hashes[0][at % LL_TILE_HASHES]))
            status = fail_log(err, at, "a leaf is not what its hash says");
        at++;
    }
    if (row)
        (void)sqlite3_reset(leaves);
    if (status == LINLI_OK && at != size)
        status = fail_log(err, at, "a leaf is missing");
    return status;
}

/* The tile of `level` that grows. */
static linli_status
load_tile(struct ll_logtree *tree, unsigned level, struct ll_err *err)
{
    bool row;
    uint64_t hashes = tree->merkle.size >> (LL_TILE_LOG2 * level);
    size_t bytes = hashes % LL_TILE_HASHES * LL_SHA256_BYTES;
    if (bytes == 0)
        return LINLI_OK;
    sqlite3_stmt *get = ll_db_statement(tree->db, LL_SI_log_tile, err);
    if (get == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(get, 1, level);
    (void)sqlite3_bind_int64(get, 2, (int64_t)(hashes / LL_TILE_HASHES));
    linli_status status = ll_db_step(tree->db, get, &row, err);
    if (status != LINLI_OK)
        return status;
    if (!row || ll_db_bytes(get, 0).len != bytes)
        status =
            fail_log(err, hashes / LL_TILE_HASHES, "a tile has not its length");
    else
        memcpy(tree->tiles->hashes[level], ll_db_bytes(get, 0).ptr, bytes);
    (void)sqlite3_reset(get);
    return status;
}

/* The roots of whole subtrees on the right edge, from the tiles' hashes. */
static void
load_edge(struct ll_logtree *tree)
{
    for (unsigned level = 0; level < LL_MERKLE_LEVELS; level++) {
        uint64_t nodes = tree->merkle.size >> level;
        if ((nodes & 1) == 0)
            continue;
        struct ll_tile_place at = ll_tile_of(level, nodes - 1);
        ll_tile_fold(&tree->tiles->hashes[at.level][at.first], at.count,
            &tree->merkle.edge[level]);
    }
}

linli_status
ll_logtree_load(struct ll_logtree *tree, struct ll_mem *mem, struct ll_db *db,
    struct ll_err *err)
{
    struct ll_hash kept = {0}, root;
    *tree = (struct ll_logtree){.mem = mem, .db = db};
    ll_buf_init(&tree->begin, mem, LL_LEAF_BYTES_MAX);
    ll_buf_init(&tree->note, mem, LL_NOTE_BYTES_MAX);
    linli_status status = load_head(tree, &kept, err);
    if (status == LINLI_OK && tree->merkle.size > 0)
        status = make_tiles(tree, err);
    for (unsigned level = 0; status == LINLI_OK && level < LL_TILE_LEVELS;
         level++)
        status = load_tile(tree, level, err);
    if (status == LINLI_OK && tree->merkle.size > 0)
        status = load_leaves(tree, err);
    if (status != LINLI_OK || tree->merkle.size == 0)
        return status;
    load_edge(tree);
    ll_merkle_root(&tree->merkle, &root);
    if (!ll_hash_eq(&root, &kept))
        return fail_log(err, tree->merkle.size, "its root is not its head's");
    return LINLI_OK;
}

/* -- roots of before -- */

struct tile_reader {
    struct ll_logtree *tree;
    linli_status status;
    struct ll_err *err;
};

/* A tile that is full, from the database. */
static bool
read_tile(struct tile_reader *r, struct ll_tile_place at, struct ll_hash *out)
{
    struct ll_db *db = r->tree->db;
    bool row;
    struct ll_hash hashes[LL_TILE_HASHES];
    sqlite3_stmt *get = ll_db_statement(db, LL_SI_log_tile, r->err);
    if (get == NULL) {
        r->status = LINLI_E_IO;
        return false;
    }
    (void)sqlite3_bind_int64(get, 1, at.level);
    (void)sqlite3_bind_int64(get, 2, (int64_t)at.tile);
    r->status = ll_db_step(db, get, &row, r->err);
    if (r->status != LINLI_OK)
        return false;
    if (!row || ll_db_bytes(get, 0).len != sizeof hashes) {
        r->status = fail_log(r->err, at.tile, "a full tile is not there");
    } else {
        memcpy(hashes, ll_db_bytes(get, 0).ptr, sizeof hashes);
        ll_tile_fold(&hashes[at.first], at.count, out);
    }
    if (row)
        (void)sqlite3_reset(get);
    return r->status == LINLI_OK;
}

static bool
get_node(void *user, unsigned level, uint64_t index, struct ll_hash *out)
{
    struct tile_reader *r = user;
    struct ll_tile_place at = ll_tile_of(level, index);
    uint64_t growing = r->tree->merkle.size >> (LL_TILE_LOG2 * (at.level + 1));
    if (r->status != LINLI_OK)
        return false;
    if (at.tile != growing)
        return read_tile(r, at, out);
    ll_tile_fold(&r->tree->tiles->hashes[at.level][at.first], at.count, out);
    return true;
}

linli_status
ll_logtree_root_at(struct ll_logtree *tree, uint64_t size, struct ll_hash *out,
    struct ll_err *err)
{
    struct tile_reader reader = {.tree = tree, .err = err};
    struct ll_merkle_nodes nodes = {get_node, &reader};
    ll_check(size <= tree->merkle.size);
    bool all = ll_merkle_root_at(&nodes, size, out);
    ll_check(all == (reader.status == LINLI_OK));
    return reader.status;
}

/* -- writing -- */

static linli_status
put_leaf(struct ll_logtree *tree, linli_str leaf, struct ll_err *err)
{
    sqlite3_stmt *put = ll_db_statement(tree->db, LL_SI_log_leaf_new, err);
    if (put == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(put, 1, (int64_t)tree->merkle.size);
    (void)sqlite3_bind_blob64(put, 2, leaf.ptr, leaf.len, SQLITE_STATIC);
    return ll_db_run(tree->db, put, err);
}

static linli_status
put_tile(struct ll_logtree *tree, unsigned level, uint64_t tile, size_t count,
    struct ll_err *err)
{
    sqlite3_stmt *put = ll_db_statement(tree->db, LL_SI_log_tile_put, err);
    if (put == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(put, 1, level);
    (void)sqlite3_bind_int64(put, 2, (int64_t)tile);
    (void)sqlite3_bind_blob64(put, 3, tree->tiles->hashes[level],
        count * LL_SHA256_BYTES, SQLITE_STATIC);
    return ll_db_run(tree->db, put, err);
}

/* Of each level that the leaf fills, and the one above. */
static linli_status
grow_tiles(
    struct ll_logtree *tree, const struct ll_hash *leaf, struct ll_err *err)
{
    struct ll_hash hash = *leaf;
    linli_status status = LINLI_OK;
    for (unsigned level = 0; level < LL_TILE_LEVELS; level++) {
        uint64_t at = tree->merkle.size >> (LL_TILE_LOG2 * level);
        size_t place = at % LL_TILE_HASHES;
        bool full = place + 1 == LL_TILE_HASHES;
        tree->tiles->hashes[level][place] = hash;
        if (level > 0 || full)
            status = put_tile(tree, level, at / LL_TILE_HASHES, place + 1, err);
        if (status != LINLI_OK || !full)
            break;
        /* With it the subtrees of this tile's levels are all whole. */
        for (unsigned i = 0; i < LL_TILE_LOG2; i++)
            ll_merkle_node(
                &tree->merkle.edge[LL_TILE_LOG2 * level + i], &hash, &hash);
    }
    return status;
}

linli_status
ll_logtree_add(struct ll_logtree *tree, linli_str leaf, struct ll_err *err)
{
    struct ll_hash hash;
    linli_status status = make_tiles(tree, err);
    if (status != LINLI_OK)
        return status;
    ll_merkle_leaf(leaf, &hash);
    status = put_leaf(tree, leaf, err);
    if (status == LINLI_OK)
        status = grow_tiles(tree, &hash, err);
    if (status != LINLI_OK) {
        ll_err_where(err,
            "leaf %llu of the log: ", (unsigned long long)tree->merkle.size);
        return status;
    }
    ll_merkle_add(&tree->merkle, &hash);
    tree->grown = true;
    return LINLI_OK;
}

linli_status
ll_logtree_begin(struct ll_logtree *tree, struct ll_err *err)
{
    if (tree->merkle.size > 0 || tree->begin.len == 0)
        return LINLI_OK;
    linli_status status = ll_logtree_add(tree, ll_buf_view(&tree->begin), err);
    ll_buf_reset(&tree->begin, 0);
    return status;
}

/* Binds the note, or null; what it points to stays until the statement ran. */
static void
bind_note(struct ll_logtree *tree, sqlite3_stmt *put, int at)
{
    if (tree->note.len == 0)
        (void)sqlite3_bind_null(put, at);
    else
        (void)sqlite3_bind_text64(put, at, tree->note.ptr, tree->note.len,
            SQLITE_STATIC, SQLITE_UTF8);
}

linli_status
ll_logtree_keep_note(struct ll_logtree *tree, struct ll_err *err)
{
    sqlite3_stmt *put = ll_db_statement(tree->db, LL_SI_log_note_put, err);
    if (put == NULL)
        return LINLI_E_IO;
    bind_note(tree, put, 1);
    return ll_db_run(tree->db, put, err);
}

linli_status
ll_logtree_flush(struct ll_logtree *tree, bool *grown, struct ll_err *err)
{
    *grown = tree->grown;
    if (!tree->grown)
        return LINLI_OK;
    tree->grown = false;
    sqlite3_stmt *put = ll_db_statement(tree->db, LL_SI_log_head_put, err);
    if (put == NULL)
        return LINLI_E_IO;
    uint64_t size = tree->merkle.size;
    if (size % LL_TILE_HASHES != 0) {
        linli_status tiled = put_tile(tree, 0, size / LL_TILE_HASHES,
            (size_t)(size % LL_TILE_HASHES), err);
        if (tiled != LINLI_OK)
            return tiled;
    }
    ll_merkle_root(&tree->merkle, &tree->root);
    (void)sqlite3_bind_int64(put, 1, (int64_t)tree->merkle.size);
    (void)sqlite3_bind_blob64(
        put, 2, tree->root.bytes, sizeof tree->root.bytes, SQLITE_STATIC);
    bind_note(tree, put, 3);
    linli_status status = ll_db_run(tree->db, put, err);
    ll_buf_clear(&tree->note);
    return status;
}
