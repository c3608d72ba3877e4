/* billing/invoice_body.h: an invoice as JSON: frozen once it is final. [any]
 *
 * Everything that is shown of one, also years later, is shown out of this: the
 * same bytes for the same plan, sums and days, and their SHA-256 is kept. It
 * names no resident.
 */
#ifndef LL_BILLING_INVOICE_BODY_H
#define LL_BILLING_INVOICE_BODY_H

#include "billing/rating.h"

#define LL_INVOICE_NUMBER_BYTES 24 /* "INV-000001" */
void ll_invoice_number(
    const char *prefix, int64_t number, char out[LL_INVOICE_NUMBER_BYTES]);

struct ll_body {
    const struct ll_rate *rate;
    const struct ll_rated *rated;
    int64_t id;     /* "inv_12"; 0: a preview */
    int64_t number; /* 0: it has none */
    int64_t at_ms;  /* it was made */
    int32_t due_day;
    uint64_t watermark;
};
/* Appends it, compact. */
void ll_invoice_body(const struct ll_body *body, struct ll_buf *out);

#endif
