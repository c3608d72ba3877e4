/* server/prover.c: working proofs out over the tiles of the store. [loop] */
#include "server/prover.h"

static bool
get_node(void *user, unsigned level, uint64_t index, struct ll_hash *out)
{
    struct ll_prover *p = user;
    struct ll_tile_place at = ll_tile_of(level, index);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct ll_prover_tile *tile = &p->tiles[i];
        if (tile->level != at.level || tile->n != at.tile ||
            tile->hashes < at.first + at.count)
            continue;
        ll_tile_fold(&tile->hash[at.first], at.count, out);
        return true;
    }
    if (!p->missed)
        p->want = at;
    p->missed = true;
    return false;
}

static enum ll_proof_state
state_of(const struct ll_prover *prover, bool made)
{
    if (made)
        return LL_PROOF_MADE;
    return prover->missed && prover->count < LL_PROVER_TILES_MAX
               ? LL_PROOF_ASKS
               : LL_PROOF_TORN;
}

enum ll_proof_state
ll_prover_leaf(struct ll_prover *prover, uint64_t seq, uint64_t size,
    struct ll_proof *proof)
{
    struct ll_merkle_nodes nodes = {get_node, prover};
    prover->missed = false;
    return state_of(prover, ll_merkle_prove(&nodes, seq, size, proof));
}

enum ll_proof_state
ll_prover_grown(struct ll_prover *prover, uint64_t from, uint64_t to,
    struct ll_proof *proof)
{
    struct ll_merkle_nodes nodes = {get_node, prover};
    prover->missed = false;
    return state_of(prover, ll_merkle_prove_grown(&nodes, from, to, proof));
}

void
ll_prover_ask(struct ll_prover *prover, struct ll_view *view)
{
    struct ll_query *query = ll_view_query(view, LL_ST_log_tile_get);
    ll_put_int(&query->params, (int64_t)prover->want.level);
    ll_put_int(&query->params, (int64_t)prover->want.tile);
    query->rows_max = 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(view);
}

uint32_t
ll_tile_take(struct ll_query *query, struct ll_hash hashes[LL_TILE_HASHES])
{
    struct ll_rd rd = ll_rd(ll_buf_view(&query->rows));
    if (query->row_count != 1 || ll_rd_list(&rd) != 1)
        return 0;
    linli_str bytes = ll_rd_bytes(&rd);
    if (rd.bad || bytes.len > LL_TILE_BYTES || bytes.len % LL_SHA256_BYTES != 0)
        return 0;
    if (bytes.len > 0)
        memcpy(hashes, bytes.ptr, bytes.len);
    return (uint32_t)(bytes.len / LL_SHA256_BYTES);
}

bool
ll_prover_take(struct ll_prover *prover, struct ll_query *query)
{
    struct ll_prover_tile *tile = &prover->tiles[prover->count];
    tile->level = prover->want.level;
    tile->n = prover->want.tile;
    tile->hashes = ll_tile_take(query, tile->hash);
    if (tile->hashes < prover->want.first + prover->want.count)
        return false;
    prover->count++;
    return true;
}
