/* domain/merkle.h: the tree that the log's leaves hang on. [any]
 *
 * RFC 6962, section 2: a leaf's hash is SHA-256(0x00 || leaf), a node's
 * SHA-256(0x01 || left || right), of `size` leaves the left side has the
 * greatest power of two below it. Pure; who has the hashes is asked by a
 * function. A node (level, index) is the root over the 2^level leaves from
 * index * 2^level on, all of which are there. spec/log.md.
 */
#ifndef LL_DOMAIN_MERKLE_H
#define LL_DOMAIN_MERKLE_H

#include "base/err.h"
#include "base/hash.h"

#define LL_MERKLE_LEVELS 48    /* of a tree; more leaves than any log has */
#define LL_MERKLE_PROOF_MAX 97 /* hashes of a proof: two paths and one */

struct ll_hash {
    unsigned char bytes[LL_SHA256_BYTES];
};

static inline bool
ll_hash_eq(const struct ll_hash *a, const struct ll_hash *b)
{
    return __builtin_memcmp(a, b, sizeof *a) == 0;
}

/* The hash of a leaf; of the node above two. `out` may be one of these. */
void ll_merkle_leaf(linli_str leaf, struct ll_hash *out);
void ll_merkle_node(const struct ll_hash *left, const struct ll_hash *right,
    struct ll_hash *out);

/* -- a tree that grows -- */

/* edge[k] is the root of the whole subtree of 2^k leaves that stands where
 * `size` has its bit k; the others say nothing. Empty: all zero. */
struct ll_merkle {
    uint64_t size;
    struct ll_hash edge[LL_MERKLE_LEVELS];
};
void ll_merkle_add(struct ll_merkle *tree, const struct ll_hash *leaf);
/* Of no leaves: SHA-256 of nothing. */
void ll_merkle_root(const struct ll_merkle *tree, struct ll_hash *out);

/* -- proofs -- */

/* Gives the hash of a node; false: it is not to be had, which a caller may
 * take down to look for it and ask for the whole again. */
struct ll_merkle_nodes {
    bool (*get)(
        void *user, unsigned level, uint64_t index, struct ll_hash *out);
    void *user;
};

struct ll_proof {
    uint32_t count;
    struct ll_hash hashes[LL_MERKLE_PROOF_MAX];
};

/* Each asks for all the nodes it needs, also after one was not there: then
 * false, and *out says nothing. */
bool ll_merkle_root_at(const struct ll_merkle_nodes *nodes, uint64_t size,
    struct ll_hash *out) LL_USE_RESULT;
/* That leaf `index` is in the tree of `size`, index < size. */
bool ll_merkle_prove(const struct ll_merkle_nodes *nodes, uint64_t index,
    uint64_t size, struct ll_proof *out) LL_USE_RESULT;
/* That the tree of `from` leaves begins the one of `to`, from <= to; empty
 * for 0 and for the same. */
bool ll_merkle_prove_grown(const struct ll_merkle_nodes *nodes, uint64_t from,
    uint64_t to, struct ll_proof *out) LL_USE_RESULT;

/* Whether a proof shows it. Any input; RFC 9162, sections 2.1.3.2, 2.1.4.2. */
bool ll_merkle_proves(const struct ll_proof *proof, const struct ll_hash *leaf,
    uint64_t index, uint64_t size, const struct ll_hash *root);
bool ll_merkle_proves_grown(const struct ll_proof *proof, uint64_t from,
    const struct ll_hash *from_root, uint64_t to,
    const struct ll_hash *to_root);

/* -- tiles: C2SP tlog-tiles -- */

#define LL_TILE_LOG2 8
#define LL_TILE_HASHES 256 /* of a full tile */
#define LL_TILE_BYTES (LL_TILE_HASHES * LL_SHA256_BYTES)
#define LL_TILE_LEVELS 6 /* that a tree of 2^48 leaves has */

/* Which tile knows node (level, index), and where its hash begins and how many
 * hashes it is made of, a power of two. */
struct ll_tile_place {
    unsigned level;
    uint64_t tile;
    uint32_t first, count;
};
struct ll_tile_place ll_tile_of(unsigned level, uint64_t index);
/* The root over `count` hashes, a power of two. */
void ll_tile_fold(
    const struct ll_hash *hashes, uint32_t count, struct ll_hash *out);

#endif
