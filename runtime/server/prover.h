/* server/prover.h: proofs that something is in the log. [loop]
 *
 * A proof is worked out over the tiles that are there; those that are not are
 * asked for one after the other, and it is worked out again. spec/log.md,
 * section 6.
 */
#ifndef LL_SERVER_PROVER_H
#define LL_SERVER_PROVER_H

#include "domain/merkle.h"
#include "server/view.h"

/* Two paths up the tree, and its right edge. */
#define LL_PROVER_TILES_MAX (3 * LL_TILE_LEVELS)

struct ll_prover_tile {
    unsigned level;
    uint64_t n;
    uint32_t hashes;
    struct ll_hash hash[LL_TILE_HASHES];
};

/* Begins as zeros. */
struct ll_prover {
    uint32_t count; /* tiles that are there */
    bool missed;    /* one is needed: this */
    struct ll_tile_place want;
    struct ll_prover_tile tiles[LL_PROVER_TILES_MAX];
};

/* ASKS: a tile is wanted, for ll_prover_ask; TORN: what is there makes none. */
enum ll_proof_state { LL_PROOF_MADE, LL_PROOF_ASKS, LL_PROOF_TORN };

/* That leaf `seq` is in the tree of `size` leaves, of which it is one. */
enum ll_proof_state ll_prover_leaf(struct ll_prover *prover, uint64_t seq,
    uint64_t size, struct ll_proof *proof);
/* That the tree of `from` leaves begins the one of `to`. */
enum ll_proof_state ll_prover_grown(struct ll_prover *prover, uint64_t from,
    uint64_t to, struct ll_proof *proof);

/* Asks for the tile that was missed, by the view, whose step then takes it;
 * false: the store does not have what was signed. */
void ll_prover_ask(struct ll_prover *prover, struct ll_view *view);
bool ll_prover_take(
    struct ll_prover *prover, struct ll_query *query) LL_USE_RESULT;
/* The hashes of the row of a tile; 0 if it is none. */
uint32_t ll_tile_take(
    struct ll_query *query, struct ll_hash hashes[LL_TILE_HASHES]);

#endif
