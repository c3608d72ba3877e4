/* cmd/audit_verify.c: comparing leaves, hashes, trees and witnesses. */
#include "cmd/audit_verify.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "domain/leaf.h"
#include "store/head.h"
#include "world/file.h"

#define NOBODY UINT64_MAX

/* What one pass over the log has seen. */
struct pass {
    struct ll_audit *audit;
    struct ll_json json;
    struct ll_merkle leaves, hashes;
    /* the first seq at which the two are not the same, NOBODY: none */
    uint64_t bad;
    bool leaf_there, hash_there; /* at it */
    struct ll_hash leaf, hash;   /* at it */
    uint64_t strange;            /* the first leaf that is none, by its text */
    char why[sizeof((struct ll_err *)0)->msg];
};

static linli_status
found(struct ll_err *err, const char *code, uint64_t seq, const char *words)
{
    linli_status status = ll_fail(err, LINLI_E_INVALID, code, "%s", words);
    if (seq != NOBODY)
        ll_err_where(err, "seq %llu", (unsigned long long)seq);
    return status;
}

/* -- witnesses -- */

static linli_status
add_witness(
    struct ll_audit *a, const char *label, linli_str text, struct ll_err *err)
{
    ll_check(a->witness_count < LL_WITNESSES_MAX);
    struct ll_witness *w = &a->witnesses[a->witness_count++];
    *w = (struct ll_witness){.leaves_reach = false};
    (void)snprintf(w->label, sizeof w->label, "%s", label);
    ll_buf_init(&w->text, a->mem, LL_NOTE_BYTES_MAX + 1);
    ll_buf_str(&w->text, text);
    if (w->text.failed)
        return found(err, "audit/checkpoint", NOBODY, "it is too long");
    linli_status status =
        ll_checkpoint_read(ll_buf_view(&w->text), &w->note, err);
    if (status != LINLI_OK) {
        status = found(err, "audit/checkpoint", NOBODY,
            "it is not a checkpoint, or not any more");
        ll_err_where(err, "%s", w->label);
    }
    return status;
}

static linli_status
add_file(struct ll_audit *a, const char *path, const char *label, bool must,
    struct ll_err *err)
{
    struct ll_buf text;
    bool there = false;
    ll_buf_init(&text, a->mem, LL_NOTE_BYTES_MAX + 1);
    linli_status status = ll_source_note(path, &there, &text, err);
    if (status == LINLI_OK && there)
        status = add_witness(a, label, ll_buf_view(&text), err);
    else if (status == LINLI_OK && must) {
        status = ll_fail(err, LINLI_E_IO, "cli/file", "there is no such file");
        ll_err_where(err, "%s", path);
    }
    ll_buf_fini(&text);
    return status;
}

/* The note in log_head, and whether there is one. */
static linli_status
add_db_note(struct ll_audit *a, struct ll_err *err)
{
    struct ll_audit_head head;
    linli_status status = ll_audit_head(&a->source.db, &head, err);
    if (status != LINLI_OK || !head.there || head.note.len == 0)
        return status;
    return add_witness(a, "log_head", head.note, err);
}

/* -- keys -- */

static linli_status
read_key(struct ll_audit *a, const char *text, struct ll_err *err)
{
    a->has_key = a->key_given = true;
    if (ll_vkey_read(ll_cstr(text), &a->key))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "usage",
        "--key takes a line as `linli audit key` prints it");
}

/* The public key that a first leaf must name: by the key file beside the
 * database, whose name for it is the leaf's. */
static linli_status
key_of_dir(struct ll_audit *a, const struct ll_vkey *named, struct ll_err *err)
{
    char path[LL_AUDIT_PATH_BYTES + 16];
    struct ll_buf bytes;
    unsigned char seed[LL_ED25519_BYTES];
    (void)snprintf(path, sizeof path, "%s/" LL_STORE_KEY_FILE, a->source.dir);
    ll_buf_init(&bytes, a->mem, 4096);
    linli_status status =
        ll_file_read(LL_AT_CWD, path, LL_SEAL_KEY_BYTES, &bytes, err);
    if (status == LINLI_OK && bytes.len == LL_SEAL_KEY_BYTES) {
        ll_head_seed((const unsigned char *)bytes.ptr, seed);
        ll_vkey_of(seed, ll_cstr(named->origin), &a->key);
        a->has_key = a->key_given = true;
        memset(bytes.ptr, 0, bytes.len);
    }
    memset(seed, 0, sizeof seed);
    ll_buf_fini(&bytes);
    return status == LINLI_E_NOMEM ? status : LINLI_OK; /* it may be away */
}

/* The first leaf says whose log it is; if it cannot be read, that is what the
 * pass will find. */
static linli_status
learn_key(struct ll_audit *a, struct ll_err *err)
{
    bool there = false;
    uint64_t seq = 0;
    linli_str leaf;
    struct ll_vkey named;
    linli_status status = ll_source_seek(&a->source, 0, err);
    if (status == LINLI_OK)
        status = ll_source_next(&a->source, &there, &seq, &leaf, err);
    if (status != LINLI_OK || !there || seq != 0 ||
        !ll_origin_leaf_read(a->mem, leaf, &named))
        return status;
    if (!a->has_key && a->source.dir[0] != '\0')
        status = key_of_dir(a, &named, err);
    if (!a->has_key) {
        a->key = named;
        a->has_key = true;
    }
    return status;
}

/* -- begin and end -- */

linli_status
ll_audit_begin(struct ll_audit *audit, const struct ll_audit_options *options,
    struct ll_err *err)
{
    char path[LL_AUDIT_PATH_BYTES + 16];
    *audit = (struct ll_audit){.mem = options->mem};
    linli_status status = LINLI_OK;
    if (options->key != NULL)
        status = read_key(audit, options->key, err);
    if (status == LINLI_OK && options->data_dir) {
        (void)snprintf(
            path, sizeof path, "%s/" LL_STORE_HEAD_FILE, options->path);
        status = add_file(audit, path, LL_STORE_HEAD_FILE, false, err);
    }
    if (status == LINLI_OK && options->checkpoint != NULL)
        status = add_file(
            audit, options->checkpoint, options->checkpoint, true, err);
    if (status == LINLI_OK)
        status = ll_source_open(&audit->source, options->mem, options->path,
            options->data_dir, err);
    if (status == LINLI_OK && audit->source.is_db)
        status = add_db_note(audit, err);
    if (status == LINLI_OK && !audit->source.is_db) {
        (void)snprintf(path, sizeof path, "%s.checkpoint", options->path);
        status = add_file(audit, path, path, false, err);
    }
    if (status == LINLI_OK)
        status = learn_key(audit, err);
    return status;
}

void
ll_audit_end(struct ll_audit *audit)
{
    ll_source_close(&audit->source);
    for (uint32_t i = 0; i < audit->witness_count; i++)
        ll_buf_fini(&audit->witnesses[i].text);
    *audit = (struct ll_audit){.mem = NULL};
}

/* -- the pass -- */

/* The tree has grown to a witness's size. */
static void
look(struct ll_audit *a, const struct ll_merkle *tree, bool leaves)
{
    for (uint32_t i = 0; i < a->witness_count; i++) {
        struct ll_witness *w = &a->witnesses[i];
        if (w->note.size != tree->size)
            continue;
        ll_merkle_root(tree, leaves ? &w->by_leaves : &w->by_hashes);
        *(leaves ? &w->leaves_reach : &w->hashes_reach) = true;
    }
}

static void
note_text(struct pass *p, uint64_t seq, linli_str leaf)
{
    struct ll_leaf read;
    struct ll_err err;
    if (p->strange != NOBODY ||
        ll_leaf_read(&p->json, leaf, &read, &err) == LINLI_OK)
        return;
    p->strange = seq;
    (void)snprintf(p->why, sizeof p->why, "%s", err.msg);
}

/* What is there of a leaf and of a hash at one seq. */
struct pair {
    bool leaf_there, hash_there;
    struct ll_hash leaf, hash;
};

static void
step(struct pass *p, uint64_t seq, const struct pair *at)
{
    bool same = at->leaf_there == at->hash_there &&
                (!at->leaf_there || ll_hash_eq(&at->leaf, &at->hash));
    if (at->leaf_there && p->leaves.size == seq) {
        ll_merkle_add(&p->leaves, &at->leaf);
        look(p->audit, &p->leaves, true);
    }
    if (at->hash_there && p->hashes.size == seq) {
        ll_merkle_add(&p->hashes, &at->hash);
        look(p->audit, &p->hashes, false);
    }
    if (!p->audit->source.has_hashes || same || p->bad != NOBODY)
        return;
    p->bad = seq;
    p->leaf_there = at->leaf_there;
    p->hash_there = at->hash_there;
    p->leaf = at->leaf;
    p->hash = at->hash;
}

static linli_status
run(struct pass *p, struct ll_err *err)
{
    struct ll_source *s = &p->audit->source;
    bool more = false;
    uint64_t next = 0;
    linli_str text;
    struct pair at = {.leaf_there = false};
    look(p->audit, &p->leaves, true);
    look(p->audit, &p->hashes, false);
    linli_status status = ll_source_seek(s, 0, err);
    if (status == LINLI_OK)
        status = ll_source_next(s, &more, &next, &text, err);
    for (uint64_t seq = 0; status == LINLI_OK; seq++) {
        status = ll_source_hash(s, seq, &at.hash_there, &at.hash, err);
        at.leaf_there = more && next == seq;
        if (status != LINLI_OK || (!at.leaf_there && !at.hash_there))
            break;
        if (at.leaf_there) {
            ll_merkle_leaf(text, &at.leaf);
            note_text(p, seq, text);
        }
        step(p, seq, &at);
        if (at.leaf_there)
            status = ll_source_next(s, &more, &next, &text, err);
    }
    if (status == LINLI_OK && more && p->bad == NOBODY)
        p->bad = p->leaves.size; /* leaves behind a gap */
    return status;
}

/* -- what was found -- */

static linli_status
check_signatures(struct ll_audit *a, struct ll_err *err)
{
    for (uint32_t i = 0; a->has_key && i < a->witness_count; i++) {
        const struct ll_witness *w = &a->witnesses[i];
        if (ll_checkpoint_signed(&w->note, &a->key))
            continue;
        linli_status status = found(err, "audit/checkpoint", NOBODY,
            "the checkpoint is not signed by this key for this log, or it was "
            "changed after that");
        ll_err_where(err, "%s", w->label);
        return status;
    }
    return LINLI_OK;
}

/* Of the witnesses that have seen seq: do leaves, do hashes lead to all of
 * their roots? */
struct words {
    bool any, leaves, hashes;
};

static struct words
ask_witnesses(const struct ll_audit *a, uint64_t seq)
{
    struct words words = {false, true, true};
    for (uint32_t i = 0; i < a->witness_count; i++) {
        const struct ll_witness *w = &a->witnesses[i];
        if (w->note.size <= seq)
            continue;
        words.any = true;
        words.leaves = words.leaves && w->leaves_reach &&
                       ll_hash_eq(&w->by_leaves, &w->note.root);
        words.hashes = words.hashes && w->hashes_reach &&
                       ll_hash_eq(&w->by_hashes, &w->note.root);
    }
    return words;
}

/* Where the hash stands that the leaf at p->bad has; NOBODY: nowhere. And
 * whether the leaf there has the hash of p->bad. */
static linli_status
find_elsewhere(
    struct pass *p, uint64_t *where, bool *swapped, struct ll_err *err)
{
    struct ll_source *s = &p->audit->source;
    bool there = true;
    struct ll_hash hash;
    uint64_t seq = 0;
    linli_str text;
    linli_status status = LINLI_OK;
    *where = NOBODY;
    *swapped = false;
    for (; status == LINLI_OK && there && *where == NOBODY; seq++) {
        status = ll_source_hash(s, seq, &there, &hash, err);
        if (status == LINLI_OK && there && ll_hash_eq(&hash, &p->leaf))
            *where = seq;
    }
    if (status != LINLI_OK || *where == NOBODY)
        return status;
    status = ll_source_seek(s, *where, err);
    if (status == LINLI_OK)
        status = ll_source_next(s, &there, &seq, &text, err);
    if (status == LINLI_OK && there && seq == *where) {
        ll_merkle_leaf(text, &hash);
        *swapped = ll_hash_eq(&hash, &p->hash);
    }
    return status;
}

static linli_status
tell_leaf(struct pass *p, struct ll_err *err)
{
    char text[160];
    uint64_t where;
    bool swapped;
    if (!p->leaf_there)
        return found(err, "audit/missing", p->bad,
            "the leaf is missing; its hash is still there");
    linli_status status = find_elsewhere(p, &where, &swapped, err);
    if (status != LINLI_OK)
        return status;
    if (where == NOBODY && p->strange == p->bad) {
        (void)snprintf(text, sizeof text,
            "the leaf was changed: it is not what was hashed and signed, and "
            "no leaf at all");
        return found(err, "audit/leaf", p->bad, text);
    }
    if (where == NOBODY)
        return found(err, "audit/leaf", p->bad,
            "the leaf was changed: it is not what was hashed and signed");
    (void)snprintf(text, sizeof text,
        swapped ? "this leaf and leaf %llu stand in each other's place"
                : "the leaf is missing: leaf %llu stands in its place",
        (unsigned long long)where);
    return found(err, swapped ? "audit/order" : "audit/missing", p->bad, text);
}

/* Leaf and hash are not the same at p->bad: which is wrong? */
static linli_status
tell_difference(struct pass *p, struct ll_err *err)
{
    struct words words = ask_witnesses(p->audit, p->bad);
    if (words.any && words.leaves && p->leaf_there)
        return found(err, "audit/tile", p->bad,
            p->hash_there ? "the hash kept of this leaf was changed; the leaf "
                            "is the one that was signed"
                          : "the hash kept of this leaf is missing; the leaf "
                            "is the one that was signed");
    if (words.any && words.hashes && p->hash_there)
        return tell_leaf(p, err);
    if (words.any)
        return found(err, p->leaf_there ? "audit/leaf" : "audit/missing",
            p->bad,
            p->leaf_there ? "the leaf and its hash do not agree, and neither "
                            "leads to the root that was signed"
                          : "the leaf is missing, and the hashes do not lead "
                            "to the root that was signed");
    if (!p->hash_there)
        return found(err, "audit/tile", p->bad,
            "there is a leaf whose hash is missing; no checkpoint has "
            "witnessed it");
    return tell_leaf(p, err);
}

static bool
is_right(const struct ll_witness *w)
{
    return w->leaves_reach && ll_hash_eq(&w->by_leaves, &w->note.root);
}

/* Leaves and hashes agree, and a witness says otherwise. */
static linli_status
check_witnesses(struct pass *p, struct ll_err *err)
{
    struct ll_audit *a = p->audit;
    char text[200];
    uint64_t holds = 0;
    const struct ll_witness *worst = NULL;
    a->last = NULL;
    for (uint32_t i = 0; i < a->witness_count; i++) {
        const struct ll_witness *w = &a->witnesses[i];
        if (!is_right(w) && (worst == NULL || w->note.size < worst->note.size))
            worst = w;
        if (a->last == NULL || w->note.size > a->last->note.size)
            a->last = w;
    }
    if (worst == NULL)
        return LINLI_OK;
    for (uint32_t i = 0; i < a->witness_count; i++) {
        const struct ll_witness *w = &a->witnesses[i];
        if (is_right(w) && w->note.size < worst->note.size &&
            w->note.size > holds)
            holds = w->note.size;
    }
    if (!worst->leaves_reach) {
        (void)snprintf(text, sizeof text,
            "the log was rolled back or cut: it has %llu leaves, and %llu were "
            "witnessed",
            (unsigned long long)p->leaves.size,
            (unsigned long long)worst->note.size);
        linli_status status =
            found(err, "audit/rollback", p->leaves.size, text);
        ll_err_where(err, "%.120s: ", worst->label);
        return status;
    }
    (void)snprintf(text, sizeof text,
        a->source.has_hashes
            ? "leaves and hashes agree, and do not lead to the root that was "
              "signed: rewritten somewhere in seq %llu to %llu"
            : "the leaves do not lead to the root that was signed; without "
              "FILE.tiles the first that is wrong is only known to be in seq "
              "%llu to %llu",
        (unsigned long long)holds, (unsigned long long)worst->note.size - 1);
    linli_status status = found(err, "audit/rewritten", holds, text);
    ll_err_where(err, "%.120s: ", worst->label);
    return status;
}

/* -- what only a database has -- */

static linli_status
check_head(struct pass *p, struct ll_err *err)
{
    struct ll_audit_head head;
    struct ll_hash root;
    char text[160];
    linli_status status = ll_audit_head(&p->audit->source.db, &head, err);
    if (status != LINLI_OK)
        return status;
    if (!head.there)
        return p->leaves.size == 0
                   ? LINLI_OK
                   : found(err, "audit/head", NOBODY,
                         "log_head has no row for a log that has leaves");
    ll_merkle_root(&p->leaves, &root);
    if (head.size != (int64_t)p->leaves.size) {
        (void)snprintf(text, sizeof text,
            "log_head says %lld leaves, and there are %llu",
            (long long)head.size, (unsigned long long)p->leaves.size);
        return found(err, "audit/head",
            head.size > (int64_t)p->leaves.size ? p->leaves.size : NOBODY,
            text);
    }
    if (head.root.len != sizeof root ||
        memcmp(head.root.ptr, &root, sizeof root) != 0)
        return found(err, "audit/head", NOBODY,
            "the root in log_head is not the root of the leaves");
    return LINLI_OK;
}

static linli_status
wrong_tile(struct ll_err *err, unsigned level, uint64_t n, const char *what)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "audit/tile", "%s", what);
    ll_err_where(
        err, "log_tile level %u, n %llu", level, (unsigned long long)n);
    return status;
}

/* A tile is as long as it must be and, above level 0, made of the one below. */
static linli_status
check_tile(struct pass *p, unsigned level, uint64_t n, uint64_t hashes,
    struct ll_err *err)
{
    struct ll_audit_db *db = &p->audit->source.db;
    struct ll_hash below[LL_TILE_HASHES], want;
    linli_str tile;
    uint64_t first = n * LL_TILE_HASHES;
    size_t count = hashes - first < LL_TILE_HASHES ? (size_t)(hashes - first)
                                                   : LL_TILE_HASHES;
    linli_status status = ll_audit_tile(db, level, n, &tile, err);
    if (status == LINLI_OK && tile.len != count * sizeof want)
        return wrong_tile(err, level, n,
            tile.len == 0 ? "the tile is missing" : "the tile is cut or grown");
    for (size_t i = 0; status == LINLI_OK && level > 0 && i < count; i++) {
        status = ll_audit_tile(db, level - 1, first + i, &tile, err);
        if (status != LINLI_OK || tile.len != sizeof below)
            break; /* it was looked at before: of level - 1 */
        memcpy(below, tile.ptr, sizeof below);
        ll_tile_fold(below, LL_TILE_HASHES, &want);
        status = ll_audit_tile(db, level, n, &tile, err);
        if (status == LINLI_OK && tile.len == count * sizeof want &&
            memcmp(tile.ptr + i * sizeof want, &want, sizeof want) != 0)
            return wrong_tile(err, level, n,
                "a hash in the tile is not that of the tile below it");
    }
    return status;
}

static linli_status
check_tiles(struct pass *p, struct ll_err *err)
{
    int64_t count = 0, want = 0;
    linli_status status = LINLI_OK;
    for (unsigned level = 0; level < LL_TILE_LEVELS; level++) {
        uint64_t hashes = p->leaves.size >> (LL_TILE_LOG2 * level);
        for (uint64_t n = 0; status == LINLI_OK && n * LL_TILE_HASHES < hashes;
             n++, want++)
            status = check_tile(p, level, n, hashes, err);
    }
    if (status == LINLI_OK)
        status = ll_audit_tile_count(&p->audit->source.db, &count, err);
    if (status == LINLI_OK && count != want)
        status = found(err, "audit/tile", NOBODY,
            "log_tile has tiles that are of no leaves");
    return status;
}

/* -- all of it -- */

static linli_status
judge(struct pass *p, struct ll_err *err)
{
    struct ll_audit *a = p->audit;
    linli_status status = check_signatures(a, err);
    if (status == LINLI_OK && p->bad != NOBODY)
        return tell_difference(p, err);
    if (status == LINLI_OK)
        status = check_witnesses(p, err);
    if (status == LINLI_OK && a->source.is_db)
        status = check_head(p, err);
    if (status == LINLI_OK && a->source.is_db)
        status = check_tiles(p, err);
    if (status == LINLI_OK && p->strange != NOBODY)
        status = found(err, "audit/leaf", p->strange, p->why);
    if (status == LINLI_OK && !a->has_key && p->leaves.size > 0)
        status = found(err, "audit/leaf", 0,
            "the first leaf does not say whose log this is");
    if (status == LINLI_OK && a->witness_count == 0 && p->leaves.size > 0)
        status = found(err, "audit/checkpoint", NOBODY,
            "nothing signed is there to compare the log with");
    return status;
}

linli_status
ll_audit_verify(struct ll_audit *audit, struct ll_err *err)
{
    struct pass p = {.audit = audit, .bad = NOBODY, .strange = NOBODY};
    ll_json_init(&p.json, audit->mem);
    linli_status status = run(&p, err);
    if (status == LINLI_OK)
        status = judge(&p, err);
    audit->leaves = p.leaves.size;
    ll_merkle_root(&p.leaves, &audit->root);
    ll_json_fini(&p.json);
    return status;
}
