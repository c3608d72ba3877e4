/* host/notify.h: messages to residents. [loop]
 *
 * spec/notify.md. A message is a document of the space's collection ~message,
 * sealed for the resident, written by the call that sends it together with an
 * errand "notify". The errand asks the providers of its channels, one after
 * the other, until one accepts; every try is written down.
 */
#ifndef LL_HOST_NOTIFY_H
#define LL_HOST_NOTIFY_H

#include "domain/notify.h"
#include "host/errand.h"
#include "host/locale.h"

/* What a provider is asked for. */
struct ll_post {
    linli_str id; /* of the message: the same in each try and each process, so
                     that who has taken it can tell a repetition */
    enum ll_way way;
    linli_str community, to; /* the resident, as the app knows them */
    linli_str text;
    enum ll_locale locale; /* of the text */
    uint32_t attempt;      /* of this way, from 1 */
    /* Tells the outcome, once, maybe at once. */
    void (*sent)(struct ll_post *post, enum ll_notify_outcome outcome);
    void *user;
    void *state; /* the provider's own */
};

/* Who brings messages by one way. */
struct ll_provider {
    const char *name; /* in linli.conf.json */
    void (*send)(struct ll_host *host, struct ll_post *post);
    /* The host ends: `sent` does not come any more. */
    void (*cancel)(struct ll_host *host, struct ll_post *post);
};

/* The one that is configured for a way, or NULL. */
const struct ll_provider *ll_provider_of(
    const struct ll_host *host, enum ll_way way);

/* The messages of a space; LINLI_E_NOMEM. */
linli_status ll_messages_open(
    struct ll_instance *instance, struct ll_err *err) LL_USE_RESULT;

/* The errand. */
extern const struct ll_errand_kind ll_errand_notify;

#endif
