/* host/release.h: what a call has been given of residents. [loop]
 *
 * A release is one value of one resident for one purpose that a call has, or
 * is about to have. It has one leaf of the log, however often the call runs:
 * the leaf's commit is sent before the value is, and nothing of the call
 * leaves before that commit is durable. What ends a consent takes the calls
 * back that hold a release under it: their run is over at once, and they begin
 * again and are told no (spec/consent.md, section 4).
 */
#ifndef LL_HOST_RELEASE_H
#define LL_HOST_RELEASE_H

#include "host/call.h"

enum ll_release_state {
    LL_RELEASE_PENDING, /* its leaf is written; the value is here still */
    LL_RELEASE_PUSHED,  /* the value is on its way to the plugin */
    LL_RELEASE_ABORTED  /* a second leaf says that it reached nobody */
};

/* In the call's arena: as long as the call. */
struct ll_release {
    struct ll_release *next;
    struct ll_access access; /* as it was logged */
    uint8_t field;
    bool own, auto_decision; /* as it was decided */
    bool travels;            /* with the CALL frame: pushed when that is */
    bool given;              /* in the run that the call is in now */
    enum ll_release_state state;
    uint64_t number; /* of its leaf's commit */
};

/* What is asked of the decision for a call. `own`: whether it is the subject's
 * own business. */
struct ll_ask ll_release_ask(const struct ll_call *call, uint32_t subject,
    uint8_t field, uint8_t purpose, bool own);
/* Decides. The one release of a one-time grant that this very call has used is
 * allowed to it again. */
struct ll_verdict ll_release_decide(
    const struct ll_call *call, const struct ll_ask *ask);
/* Whether it must be durable before the value leaves the host: class C3, a
 * minor's, or the use of a grant that counts. */
bool ll_release_is_hard(const struct ll_call *call, const struct ll_ask *ask,
    const struct ll_verdict *verdict);

/* The call's release of that; one is made, with its leaf, unless there is one
 * under the same grant. NULL: "runtime/memory" or too many, in *err. */
struct ll_release *ll_release_take(struct ll_call *call,
    const struct ll_ask *ask, const struct ll_verdict *verdict,
    struct ll_err *err);
/* It reached nobody; nothing if it did. */
void ll_release_abort(struct ll_call *call, struct ll_release *release);
/* The CALL frame is about to be given to a worker. False: something in it may
 * not be given any more; the run is the call's again, and it begins anew. */
bool ll_releases_due(struct ll_call *call);
/* The call runs anew: nothing has been given in that run yet. */
void ll_releases_anew(struct ll_call *call);
/* The call is over. */
void ll_releases_end(struct ll_call *call);

/* From arbiter.risen: what was released of the subject (LL_NOBODY: of all) to
 * the party (LL_NO_PARTY: to any) may not be used any more. */
void ll_releases_risen(void *user, uint32_t subject, uint32_t party);
/* "runtime/memory". */
linli_status ll_releases_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
void ll_releases_close(struct ll_host *host);

/* -- what is kept under a key -- */

/* The releases of the call's last run as members of the object under `w`:
 * nothing if the call never had one. */
void ll_releases_write(const struct ll_call *call, struct ll_jw *w);
/* Whether all that `kept` says was released may be released still. False: the
 * call has been refused. */
bool ll_releases_hold(struct ll_call *call, struct ll_jv kept);
/* Refuses the call with the denial of these fields. */
struct ll_denied {
    linli_str field, purpose;
    struct ll_verdict verdict;
    struct ll_ask ask;
};
enum ll_step ll_call_deny(
    struct ll_call *call, const struct ll_denied *denied, uint32_t count);
/* As ll_releases_hold for what is asked of it without a call: the code of the
 * denial, with *denied, and ll_consent_url appended to `url`; or NULL. */
const char *ll_releases_deny(struct ll_host *host, const struct ll_space *space,
    struct ll_jv kept, struct ll_denied *denied, struct ll_buf *url);
/* Appends where a resident can be asked for them: only if that may help. */
void ll_consent_url(const struct ll_call *call, const struct ll_denied *denied,
    uint32_t count, struct ll_buf *out);
/* What a plugin is told: "no_grant"; or, where it is not to know, one word for
 * all. */
const char *ll_denied_reason(
    const struct ll_host *host, const struct ll_denied *denied);

#endif
