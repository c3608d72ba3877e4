/* host/alert.h: what an operator is to see. [loop] */
#ifndef LL_HOST_ALERT_H
#define LL_HOST_ALERT_H

#include "host/host.h"

struct ll_alert {
    const struct ll_space *space; /* of the plugin, or of the community */
    linli_str kind;
    linli_str ref;      /* empty: none */
    linli_str subject;  /* a pid, or empty */
    linli_str trace_id; /* of a call, or empty */
    linli_str data;     /* JSON */
    int64_t at_ms;
};

/* Into a commit. */
void ll_alert_put(struct ll_host *host, const struct ll_alert *alert,
    struct ll_commit *commit);

#endif
