/* domain/owed.h: what is owed of a final invoice, and who gets what was paid of
 * it. [any] pure
 *
 * An invoice's money is four sums: its total, what credit notes took off it,
 * what is paid of the rest, and the base of the shares: the part of what is
 * paid that is neither tax nor taken back. The base follows from the other
 * three and never from the way there, so that many small payments and refunds
 * end where one would.
 */
#ifndef LL_DOMAIN_OWED_H
#define LL_DOMAIN_OWED_H

#include "domain/pricing_share.h"

struct ll_owed {
    int64_t total_fen, tax_fen;             /* of the invoice; never changed */
    int64_t credited_fen, credited_tax_fen; /* by credit notes, 0 or more */
    int64_t paid_fen; /* 0 to total - credited, whatever it was paid with */
    int64_t base_fen; /* shared so far */
    struct ll_share_terms terms;
};

/* What happens to it. */
struct ll_owed_move {
    int64_t credited_fen, credited_tax_fen; /* by a credit note */
    int64_t paid_fen; /* more or less; in the end what counts of it */
    int64_t over_fen; /* set: what does not count, as all is paid: theirs */
    int64_t base_fen; /* set: the base's change, and that of the shares */
    struct ll_share share;
};

/* What is still to be paid. */
static inline int64_t
ll_owed_due(const struct ll_owed *owed)
{
    return owed->total_fen < 0
               ? 0
               : owed->total_fen - owed->credited_fen - owed->paid_fen;
}

/* Of an invoice of less than nothing, which is theirs at once: takes its part
 * back from the shares, without the fixed part, that was of another invoice.
 * Moved once; "ledger/overflow". */
linli_status ll_owed_less(struct ll_owed *owed, struct ll_owed_move *move,
    struct ll_err *err) LL_USE_RESULT;

/* Moves one of a total of 0 or more. What is paid past the rest, or was paid
 * past what a credit note leaves, is `over_fen`, and move->paid_fen becomes the
 * change of what is paid. "ledger/overflow"; "ledger/too-much" if more were
 * credited than the invoice has, or taken back than is paid. Nothing has
 * changed then. */
linli_status ll_owed_move(struct ll_owed *owed, struct ll_owed_move *move,
    struct ll_err *err) LL_USE_RESULT;

#endif
