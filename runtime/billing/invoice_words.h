/* billing/invoice_words.h: what people read for the lines of an invoice. [loop]
 *
 * A frozen body names charges by their ids; what they are called is said by the
 * plan versions that it names, which never change either.
 */
#ifndef LL_BILLING_INVOICE_WORDS_H
#define LL_BILLING_INVOICE_WORDS_H

#include "billing/billing.h"
#include "billing/subs.h"

/* Appends {"basic@1":{"fee":{"zh-CN","en"}}}: of each plan version in the
 * subscription's life the words for the lines of `body`. */
linli_status ll_invoice_words(const struct ll_billing *billing,
    const struct ll_sub *sub, struct ll_jv body, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;

#endif
