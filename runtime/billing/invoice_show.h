/* billing/invoice_show.h: an invoice as CSV and as a page. [any] pure
 *
 * Out of the body of billing/invoice_body.h and of nothing else but where the
 * invoice stands now, so that all three say the same to the fen, and what
 * people read for the ids in it.
 */
#ifndef LL_BILLING_INVOICE_SHOW_H
#define LL_BILLING_INVOICE_SHOW_H

#include "base/json.h"
#include "domain/pricing_number.h"

struct ll_invoice_show {
    struct ll_jv body;
    struct ll_jv words; /* of its ids: billing/invoice_words.h; or none */
    const char *state;  /* "draft", ...; "preview" */
    linli_str hash;     /* hexadecimal; empty: it is not final */
    int64_t paid_fen, credited_fen;
    bool zh; /* else English */
};

/* One line each, then each charge with its tax, then the total: RFC 4180,
 * numbers exact. */
void ll_invoice_csv(const struct ll_invoice_show *show, struct ll_buf *out);
/* A page that prints on A4. */
void ll_invoice_html(const struct ll_invoice_show *show, struct ll_buf *out);

/* "1,234.56" of fen, and "0.005" of a unit price in 10^-6 fen: yuan, exact,
 * NUL-terminated. */
#define LL_YUAN_BYTES 48
void ll_yuan(int64_t fen, char out[LL_YUAN_BYTES]);
void ll_yuan_price(int64_t micro, char out[LL_YUAN_BYTES]);

#endif
