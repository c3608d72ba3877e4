/* domain/pricing_share.c: who gets what of what was paid. */
#include "domain/pricing_share.h"

#include "domain/pricing_number.h"

bool
ll_share(
    const struct ll_share_terms *terms, int64_t base_fen, struct ll_share *out)
{
    *out = (struct ll_share){0, 0, base_fen};
    ll_check(base_fen >= 0);
    if (base_fen == 0)
        return true;
    return ll_fen_share(
               base_fen, terms->platform_bp, LL_BP, &out->platform_fen) &&
           ll_fen_add(&out->platform_fen, terms->platform_fixed_fen) &&
           ll_fen_share(
               base_fen, terms->channel_bp, LL_BP, &out->channel_fen) &&
           ll_fen_add(&out->vendor_fen, -out->platform_fen) &&
           ll_fen_add(&out->vendor_fen, -out->channel_fen);
}

bool
ll_share_move(const struct ll_share_terms *terms, int64_t from_fen,
    int64_t to_fen, struct ll_share *out)
{
    struct ll_share from;
    return ll_share(terms, from_fen, &from) && ll_share(terms, to_fen, out) &&
           ll_fen_add(&out->platform_fen, -from.platform_fen) &&
           ll_fen_add(&out->channel_fen, -from.channel_fen) &&
           ll_fen_add(&out->vendor_fen, -from.vendor_fen);
}
