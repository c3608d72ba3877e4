/* host/alert.h: what an operator is to see. [loop]
 *
 * Plugins raise alerts in their calls, the runtime in commits of its own. One
 * of the runtime's that stands for what lasts (a breaker that is open, a job
 * that is dead) has a name, its `ref`: a plugin in a community has at most one
 * open alert of a name, and what has passed closes it (spec/alerts.md).
 */
#ifndef LL_HOST_ALERT_H
#define LL_HOST_ALERT_H

#include "host/host.h"

/* Names of what lasts. */
#define LL_ALERT_BREAKER "breaker"
#define LL_ALERT_STARTS "starts"
#define LL_ALERT_PLUGIN "plugin"
/* "job/ID" of a document of a queue, NUL-terminated. */
#define LL_ALERT_JOB_BYTES (4 + LL_DOC_ID_BYTES_MAX + 1)
void ll_alert_job_ref(linli_str id, char ref[LL_ALERT_JOB_BYTES]);

struct ll_alert {
    const struct ll_space *space; /* of the plugin, or of the community */
    linli_str kind;
    linli_str ref;      /* empty: none */
    bool ever;          /* of that name once, not only one that is open */
    linli_str subject;  /* a pid, or empty */
    linli_str trace_id; /* of a call, or empty */
    linli_str data;     /* JSON */
    int64_t at_ms;
};

/* Who closes one, and why. */
struct ll_closing {
    linli_str by;     /* "operator:ID"; the runtime itself: "linli" */
    linli_str reason; /* at most LL_REASON_BYTES_MAX */
    int64_t at_ms;
};

/* Into a commit: an open alert, unless one of its name is open (`ever`: or
 * has been); */
void ll_alert_put(struct ll_host *host, const struct ll_alert *alert,
    struct ll_commit *commit);
/* one that is closed from the start, as evidence; */
void ll_alert_note(struct ll_host *host, const struct ll_alert *alert,
    const struct ll_closing *closing, struct ll_commit *commit);
/* the end of the open one of a name, if there is one. */
void ll_alert_settle(const struct ll_space *space, linli_str ref,
    const struct ll_closing *closing, struct ll_commit *commit);

/* The first, and the last for several names (then NULL), in a commit of its
 * own, by the runtime. Without memory, or when the store has failed,
 * nothing. */
void ll_host_alert(struct ll_host *host, const struct ll_alert *alert);
void ll_host_settle(struct ll_host *host, const struct ll_space *space,
    const char *const refs[], const char *reason);

#endif
