/* host/webhook.h: events of a community to servers of others, by Standard
 * Webhooks 1.0.0: spec/webhooks.md. [loop]
 *
 * An endpoint is one document of the community's own space (~webhook): where
 * to, which events, its key, and up to which event it has come. Whoever moves
 * that place queues an errand (host/errand.h) for each event that is for it,
 * in the same commit: so none is lost and none is queued twice, whatever is
 * killed. webhook.c moves places, webhook_send.c is the errand,
 * webhook_doc.c the document.
 */
#ifndef LL_HOST_WEBHOOK_H
#define LL_HOST_WEBHOOK_H

#include "host/errand.h"
#include "host/vault.h"

struct ll_fetch_pool;

#define LL_WEBHOOK_COLL "~webhook"
/* "whsec_" and base64 of the key, and a NUL. */
#define LL_WEBHOOK_SECRET_BYTES 51
#define LL_WEBHOOK_KEY_BYTES 32
/* "v1," and base64 of a hash, and a NUL. */
#define LL_WEBHOOK_SIGNATURE_BYTES 48
/* Names the endpoint in ids: hexadecimal digits and a NUL. */
#define LL_WEBHOOK_MADE_BYTES 17

/* -- webhook_doc.c: the document -- */

/* As read: strings are borrowed from the JSON. */
struct ll_webhook {
    linli_str id, url;
    struct ll_jv types;
    bool disabled;
    linli_str why; /* it is: "operator", "gone"; empty: it is not */
    linli_str made;
    int64_t created_ms, rotated_ms;
    linli_str key, old_key; /* sealed; old_key empty: none */
    int64_t old_until_ms;
    int64_t seq;     /* events up to here are queued */
    int64_t pending; /* errands that are not settled */
};

/* False if it is none. */
bool ll_webhook_read(struct ll_jv root, struct ll_webhook *out);
void ll_webhook_write(struct ll_community *community,
    const struct ll_webhook *webhook, struct ll_buf *out);

/* An errand that was to tell the endpoint is no more: it has room for another.
 * Nothing if that is gone, or was made anew; `made` says which was meant. */
linli_status ll_webhook_less(struct ll_community *community,
    struct ll_doc *endpoint, linli_str made, struct ll_txn *txn,
    struct ll_err *err) LL_USE_RESULT;

/* Lower-case letters, digits, '-' and '_', 1 to 48, the first a letter. */
bool ll_webhook_id_valid(linli_str id);
/* Whether an event of this type is for it. */
bool ll_webhook_wants(const struct ll_webhook *webhook, linli_str type);
/* "request/invalid" unless it is a list of LL_WEBHOOK_TYPES_MAX at most, of
 * "*", "PLUGIN.*" or "PLUGIN.WORD". */
linli_status ll_webhook_types_check(
    struct ll_jv types, struct ll_err *err) LL_USE_RESULT;
/* "request/invalid" unless a request can go there. */
linli_status ll_webhook_url_check(
    struct ll_host *host, linli_str url, struct ll_err *err) LL_USE_RESULT;

/* Draws a key: appended sealed, and as its operator is shown it; wipe that. */
linli_status ll_webhook_key_new(struct ll_community *community,
    const struct ll_webhook *webhook, struct ll_buf *sealed,
    char shown[LL_WEBHOOK_SECRET_BYTES], struct ll_err *err) LL_USE_RESULT;
/* What stands in webhook-signature: one signature, two while an older key
 * holds. */
linli_status ll_webhook_sign(struct ll_community *community,
    const struct ll_webhook *webhook, linli_str message, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;
/* "v1,…" of "id.timestamp.body". */
void ll_webhook_signature(
    linli_str key, linli_str message, char out[LL_WEBHOOK_SIGNATURE_BYTES]);

/* -- webhook.c: from events to errands -- */

/* The endpoints of a community, in memory. */
struct ll_webhooks;

/* What an attempt came to, for the operator; kept in memory alone. */
struct ll_webhook_last {
    int64_t at_ms; /* 0: there was none since linlid runs */
    uint32_t status;
    char code[48]; /* empty: it was taken */
};

/* Begins to look after them; if it does so already, nothing. LINLI_E_NOMEM. */
linli_status ll_webhooks_open(
    struct ll_community *community, struct ll_err *err) LL_USE_RESULT;
/* The same for a community that has used some. */
linli_status ll_webhooks_open_used(
    struct ll_community *community, struct ll_err *err) LL_USE_RESULT;
void ll_webhooks_close(struct ll_community *community);
/* How many there are; -1: not known yet. */
int ll_webhooks_count(const struct ll_community *community);
/* What messages are sent through; NULL without memory. */
struct ll_fetch_pool *ll_webhooks_pool(struct ll_community *community);
/* One may have more room: its events are looked at. */
void ll_webhooks_again(struct ll_community *community);
/* NULL: it is not there. */
struct ll_webhook_last *ll_webhooks_last(
    const struct ll_community *community, linli_str id);
/* True if no event is on its way to a queue. */
bool ll_webhooks_idle(const struct ll_host *host);

/* -- webhook_send.c -- */

extern const struct ll_errand_kind ll_webhook_kind;

#endif
