/* billing/credit.h: credit notes: what was billed is taken back. [loop]
 *
 * A credit note mirrors lines of a final invoice, with their tax, and never
 * more than earlier ones have left of them. It is numbered without gaps in its
 * own series, frozen, hashed and posted in one commit. One at a time, in the
 * line that payments wait in (billing/till.h).
 */
#ifndef LL_BILLING_CREDIT_H
#define LL_BILLING_CREDIT_H

#include "billing/invoices.h"
#include "billing/money.h"

/* One line, or a part of it. */
struct ll_credit_want {
    linli_str key;
    int64_t fen; /* of its net and tax together, more than 0; 0: all of it */
};
/* Fill the first part and job.act's billing, by, reason and now_ms, set
 * job.done, and start it; texts are borrowed until it is done. */
struct ll_crediting {
    struct ll_till_job job;
    linli_str community;
    int64_t invoice;
    const struct ll_credit_want *wants; /* count 0: all that is left */
    uint32_t want_count;
    /* the answer */
    int64_t id, number;
    int64_t net_fen, tax_fen, total_fen; /* less than 0 */
    int64_t due_fen;                     /* of the invoice, now */
    /* its own */
    struct ll_arena arena;
    struct ll_credit_line *lines; /* of the invoice */
    uint32_t line_count, sub;
    linli_str invoice_number, plugin;
    struct ll_buf body;
};
/* Done with "request/not-found", "invoice/line", "invoice/remainder",
 * "invoice/closed" (a draft, or nothing is left), "ledger/...". */
linli_status ll_credit_start(
    struct ll_crediting *crediting, struct ll_err *err) LL_USE_RESULT;
/* When it is done. */
void ll_credit_end(struct ll_crediting *crediting);

#endif
