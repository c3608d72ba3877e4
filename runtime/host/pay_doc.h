/* host/pay_doc.h: a payment as it is kept and as it is told. [loop]
 *
 * A document of ~payment of the plugin's own space, sealed for the resident
 * whom it is about. Its id begins with the number of the space, so that a
 * provider's notice, which knows nothing else, finds it (spec/payments.md,
 * section 1).
 */
#ifndef LL_HOST_PAY_DOC_H
#define LL_HOST_PAY_DOC_H

#include "data/docs.h"
#include "domain/payment.h"
#include "host/host.h"

/* "p1f-" and 20 hexadecimal digits, NUL-terminated; what every provider takes
 * as a merchant's order number: at most 32 letters, digits and '-'. */
#define LL_PAY_ID_BYTES 33
/* The same, "-r" and the refund's number. */
#define LL_PAY_REFUND_ID_BYTES (LL_PAY_ID_BYTES + 12)

void ll_pay_id_new(struct ll_host *host, const struct ll_space *space,
    char out[LL_PAY_ID_BYTES]);
/* The space that an id names; false if it is no id of a payment. */
bool ll_pay_id_space(linli_str id, int64_t *space);
void ll_pay_refund_id(
    linli_str payment, uint32_t number, char out[LL_PAY_REFUND_ID_BYTES]);
/* The same apart; false if it is none. */
bool ll_pay_refund_id_split(linli_str id, linli_str *payment, uint32_t *number);

/* What is kept; strings lie in `text` and `json`, or are the caller's. */
struct ll_pay_doc {
    struct ll_payment money;
    linli_str id, title, channel, adapter;
    linli_str subject;     /* a pid, or empty */
    linli_str with_json;   /* ptr NULL: that of `json`, if there is one */
    linli_str params_json; /* what the provider answered; the same */
    struct ll_buf text;    /* the body: a write may free where it came from */
    struct ll_json json;
};
void ll_pay_doc_init(struct ll_pay_doc *doc, struct ll_mem *mem);
void ll_pay_doc_fini(struct ll_pay_doc *doc);
/* Reads a body; false without memory. */
bool ll_pay_doc_read(struct ll_pay_doc *doc, linli_str body) LL_USE_RESULT;

/* As it is kept. */
void ll_pay_doc_write(const struct ll_pay_doc *doc, struct ll_buf *out);
/* As its plugin sees it; `refund` is the number of the refund that this is
 * about, 0: none. */
void ll_pay_doc_tell(
    const struct ll_pay_doc *doc, uint32_t refund, struct ll_jw *w);
/* As an operator sees it. */
void ll_pay_doc_show(
    const struct ll_pay_doc *doc, linli_str plugin, struct ll_jw *w);

/* The collection with its indexes; NULL without memory, and nothing is
 * there. by_created: (created); by_state: (state, created); by_held: (true,
 * created) of those that hold a wrong amount. */
struct ll_coll *ll_pay_coll(struct ll_instance *instance);
/* The instance in whose space a payment would lie, or NULL. */
struct ll_instance *ll_pay_instance(const struct ll_host *host, linli_str id);

#endif
