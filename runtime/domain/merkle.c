/* domain/merkle.c: roots and proofs of RFC 6962, without recursion. */
#include "domain/merkle.h"

#include <string.h>

void
ll_merkle_leaf(linli_str leaf, struct ll_hash *out)
{
    static const char mark[1] = {0};
    ll_sha256_two((linli_str){mark, 1}, leaf, out->bytes);
}

void
ll_merkle_node(const struct ll_hash *left, const struct ll_hash *right,
    struct ll_hash *out)
{
    unsigned char bytes[1 + 2 * LL_SHA256_BYTES];
    bytes[0] = 1;
    memcpy(bytes + 1, left->bytes, LL_SHA256_BYTES);
    memcpy(bytes + 1 + LL_SHA256_BYTES, right->bytes, LL_SHA256_BYTES);
    ll_sha256(bytes, sizeof bytes, out->bytes);
}

/* -- a tree that grows -- */

void
ll_merkle_add(struct ll_merkle *tree, const struct ll_hash *leaf)
{
    struct ll_hash hash = *leaf;
    unsigned level = 0;
    ll_check(tree->size < UINT64_C(1) << LL_MERKLE_LEVELS);
    for (uint64_t size = tree->size; (size & 1) != 0; size >>= 1)
        ll_merkle_node(&tree->edge[level++], &hash, &hash);
    tree->edge[level] = hash;
    tree->size++;
}

void
ll_merkle_root(const struct ll_merkle *tree, struct ll_hash *out)
{
    bool first = true;
    if (tree->size == 0)
        ll_sha256("", 0, out->bytes);
    for (unsigned level = 0; level < LL_MERKLE_LEVELS; level++) {
        if ((tree->size >> level & 1) == 0)
            continue;
        if (first)
            *out = tree->edge[level];
        else
            ll_merkle_node(&tree->edge[level], out, out);
        first = false;
    }
}

/* -- hashes of ranges -- */

/* What a walk over nodes has found; goes on after what was not there, so that
 * every node is asked for. */
struct walk {
    const struct ll_merkle_nodes *nodes;
    bool missed;
};

/* The root over the leaves [lo, lo + n), where the tree has a node of its own
 * for them: lo is a multiple of the least power of two that is >= n. */
static void
range(struct walk *w, uint64_t lo, uint64_t n, struct ll_hash *out)
{
    bool first = true;
    for (unsigned level = 0; level < LL_MERKLE_LEVELS; level++) {
        struct ll_hash node;
        if ((n >> level & 1) == 0)
            continue;
        /* The subtree of this level begins behind all greater ones. */
        uint64_t at = lo + (n >> level >> 1 << 1 << level);
        if (!w->nodes->get(w->nodes->user, level, at >> level, &node)) {
            w->missed = true;
            continue;
        }
        if (first)
            *out = node;
        else
            ll_merkle_node(&node, out, out);
        first = false;
    }
}

/* The greatest power of two below n, n > 1. */
static uint64_t
split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* Hashes come from the root down; a proof has them from the leaf up. */
static void
reverse(struct ll_proof *proof)
{
    for (uint32_t i = 0; i < proof->count / 2; i++) {
        struct ll_hash swap = proof->hashes[i];
        proof->hashes[i] = proof->hashes[proof->count - 1 - i];
        proof->hashes[proof->count - 1 - i] = swap;
    }
}

bool
ll_merkle_root_at(
    const struct ll_merkle_nodes *nodes, uint64_t size, struct ll_hash *out)
{
    struct walk w = {nodes, size >> LL_MERKLE_LEVELS != 0};
    *out = (struct ll_hash){0};
    if (size == 0)
        ll_sha256("", 0, out->bytes);
    else if (!w.missed)
        range(&w, 0, size, out);
    return !w.missed;
}

bool
ll_merkle_prove(const struct ll_merkle_nodes *nodes, uint64_t index,
    uint64_t size, struct ll_proof *out)
{
    struct walk w = {nodes, false};
    uint64_t lo = 0, n = size;
    out->count = 0;
    if (index >= size || size >> LL_MERKLE_LEVELS != 0)
        return false;
    while (n > 1) {
        uint64_t k = split(n);
        struct ll_hash *other = &out->hashes[out->count++];
        if (index - lo < k) {
            range(&w, lo + k, n - k, other);
            n = k;
        } else {
            range(&w, lo, k, other);
            lo += k;
            n -= k;
        }
    }
    reverse(out);
    return !w.missed;
}

bool
ll_merkle_prove_grown(const struct ll_merkle_nodes *nodes, uint64_t from,
    uint64_t to, struct ll_proof *out)
{
    struct walk w = {nodes, false};
    uint64_t lo = 0, n = to, m = from;
    bool whole = true; /* the old tree is this subtree, and its root known */
    out->count = 0;
    if (from > to || to >> LL_MERKLE_LEVELS != 0)
        return false;
    if (from == 0 || from == to)
        return true;
    while (m != n) {
        uint64_t k = split(n);
        struct ll_hash *other = &out->hashes[out->count++];
        if (m <= k) {
            range(&w, lo + k, n - k, other);
            n = k;
        } else {
            range(&w, lo, k, other);
            lo += k;
            n -= k;
            m -= k;
            whole = false;
        }
    }
    if (!whole)
        range(&w, lo, n, &out->hashes[out->count++]);
    reverse(out);
    return !w.missed;
}

/* -- checking them -- */

bool
ll_merkle_proves(const struct ll_proof *proof, const struct ll_hash *leaf,
    uint64_t index, uint64_t size, const struct ll_hash *root)
{
    struct ll_hash hash = *leaf;
    uint64_t fn = index, sn = size - 1;
    if (index >= size || proof->count > LL_MERKLE_PROOF_MAX)
        return false;
    for (uint32_t i = 0; i < proof->count; i++) {
        const struct ll_hash *other = &proof->hashes[i];
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            ll_merkle_node(other, &hash, &hash);
            for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
                sn >>= 1;
        } else {
            ll_merkle_node(&hash, other, &hash);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && ll_hash_eq(&hash, root);
}

bool
ll_merkle_proves_grown(const struct ll_proof *proof, uint64_t from,
    const struct ll_hash *from_root, uint64_t to, const struct ll_hash *to_root)
{
    uint32_t i = 0;
    struct ll_hash old, grown;
    if (from > to || proof->count > LL_MERKLE_PROOF_MAX)
        return false;
    if (from == to)
        return proof->count == 0 && ll_hash_eq(from_root, to_root);
    if (from == 0) {
        ll_sha256("", 0, old.bytes);
        return proof->count == 0 && ll_hash_eq(from_root, &old);
    }
    uint64_t fn = from - 1, sn = to - 1;
    for (; (fn & 1) != 0; fn >>= 1)
        sn >>= 1;
    if (fn == 0) /* the old tree is a whole subtree: its root is known */
        old = *from_root;
    else if (proof->count == 0)
        return false;
    else
        old = proof->hashes[i++];
    grown = old;
    for (; i < proof->count; i++) {
        const struct ll_hash *other = &proof->hashes[i];
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            ll_merkle_node(other, &old, &old);
            ll_merkle_node(other, &grown, &grown);
            for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
                sn >>= 1;
        } else {
            ll_merkle_node(&grown, other, &grown);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && ll_hash_eq(&old, from_root) &&
           ll_hash_eq(&grown, to_root);
}

/* -- tiles -- */

struct ll_tile_place
ll_tile_of(unsigned level, uint64_t index)
{
    unsigned within = level % LL_TILE_LOG2;
    uint64_t first = index << within;
    return (struct ll_tile_place){.level = level / LL_TILE_LOG2,
        .tile = first >> LL_TILE_LOG2,
        .first = (uint32_t)(first & (LL_TILE_HASHES - 1)),
        .count = 1u << within};
}

void
ll_tile_fold(const struct ll_hash *hashes, uint32_t count, struct ll_hash *out)
{
    struct ll_merkle tree = {0};
    ll_check(count > 0 && (count & (count - 1)) == 0);
    for (uint32_t i = 0; i < count; i++)
        ll_merkle_add(&tree, &hashes[i]);
    ll_merkle_root(&tree, out);
}
