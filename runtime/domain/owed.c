/* domain/owed.c: paid, credited, shared. */
#include "domain/owed.h"

#include "domain/pricing_number.h"

/* The part of what is paid that is shared: net of tax. */
static bool
base_of(const struct ll_owed *owed, int64_t *out)
{
    int64_t left = owed->total_fen - owed->credited_fen;
    int64_t net = left - (owed->tax_fen - owed->credited_tax_fen);
    *out = 0;
    return left == 0 || ll_fen_share(net, owed->paid_fen, left, out);
}

static linli_status
too_much(const char *what, int64_t most, struct ll_err *err)
{
    return ll_fail(err, LINLI_E_CONFLICT, "ledger/too-much",
        "at most %lld fen can be %s", (long long)most, what);
}

static linli_status
credit(
    struct ll_owed *owed, const struct ll_owed_move *move, struct ll_err *err)
{
    int64_t left = owed->total_fen - owed->credited_fen;
    int64_t tax = owed->tax_fen - owed->credited_tax_fen;
    if (move->credited_fen < 0 || move->credited_fen > left)
        return too_much("credited", left, err);
    if (move->credited_tax_fen < 0 || move->credited_tax_fen > tax ||
        move->credited_fen - move->credited_tax_fen > left - tax)
        return too_much("credited of its tax", tax, err);
    owed->credited_fen += move->credited_fen;
    owed->credited_tax_fen += move->credited_tax_fen;
    return LINLI_OK;
}

linli_status
ll_owed_less(
    struct ll_owed *owed, struct ll_owed_move *move, struct ll_err *err)
{
    struct ll_share_terms terms = owed->terms;
    struct ll_share *share = &move->share;
    int64_t net = owed->tax_fen - owed->total_fen;
    *move = (struct ll_owed_move){.paid_fen = 0};
    terms.platform_fixed_fen = 0;
    if (net < 0 || !ll_share(&terms, net, share))
        return ll_fail(err, LINLI_E_LIMIT, "ledger/overflow", "a share");
    *share = (struct ll_share){
        -share->platform_fen, -share->channel_fen, -share->vendor_fen};
    move->base_fen = -net;
    owed->base_fen = -net;
    return LINLI_OK;
}

linli_status
ll_owed_move(
    struct ll_owed *owed, struct ll_owed_move *move, struct ll_err *err)
{
    struct ll_owed to = *owed;
    struct ll_owed_move made = *move;
    int64_t base = 0;
    linli_status status = credit(&to, move, err);
    if (status != LINLI_OK)
        return status;
    if (!ll_fen_add(&to.paid_fen, move->paid_fen))
        return ll_fail(err, LINLI_E_LIMIT, "ledger/overflow", "what is paid");
    if (to.paid_fen < 0)
        return too_much("taken back", owed->paid_fen, err);
    int64_t left = to.total_fen - to.credited_fen;
    made.over_fen = to.paid_fen > left ? to.paid_fen - left : 0;
    to.paid_fen -= made.over_fen;
    made.paid_fen = to.paid_fen - owed->paid_fen;
    if (!base_of(&to, &base) ||
        !ll_share_move(&to.terms, owed->base_fen, base, &made.share))
        return ll_fail(err, LINLI_E_LIMIT, "ledger/overflow", "a share");
    made.base_fen = base - owed->base_fen;
    to.base_fen = base;
    *owed = to;
    *move = made;
    return LINLI_OK;
}
