/* domain/pricing_share.h: who gets what of what was paid. [any] pure
 *
 * The vendor gets what the platform and the channel leave, so that the parts
 * always sum to the base. After a refund all is computed anew of what remains,
 * and the difference is booked: many small refunds end where one would.
 */
#ifndef LL_DOMAIN_PRICING_SHARE_H
#define LL_DOMAIN_PRICING_SHARE_H

#include "base/err.h"

struct ll_share_terms {
    int64_t platform_bp, platform_fixed_fen, channel_bp;
};
struct ll_share {
    int64_t platform_fen, channel_fen, vendor_fen;
};

/* Of `base_fen` (0 or more), paid net of tax, discounts and refunds. Of
 * nothing nobody gets anything, the fixed part neither. False if a part does
 * not fit. */
bool ll_share(
    const struct ll_share_terms *terms, int64_t base_fen, struct ll_share *out);
/* What to book when the base goes from one sum to another. */
bool ll_share_move(const struct ll_share_terms *terms, int64_t from_fen,
    int64_t to_fen, struct ll_share *out);

#endif
