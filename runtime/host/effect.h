/* host/effect.h: what a call does besides documents. [loop]
 *
 * Events, alerts and usage are noted while it runs and become part of its
 * commit; a call that begins again, or fails, leaves none.
 */
#ifndef LL_HOST_EFFECT_H
#define LL_HOST_EFFECT_H

#include "data/series.h"
#include "host/call.h"

enum ll_effect_kind {
    LL_EFFECT_EVENT,
    LL_EFFECT_ALERT,
    LL_EFFECT_USAGE,
    LL_EFFECT_BURIED /* a dead job is set anew or cancelled: its alert ends */
};

struct ll_effect {
    struct ll_effect *next;
    enum ll_effect_kind kind;
    linli_str name;    /* type of the event, kind of the alert, id of the job */
    linli_str data;    /* JSON */
    linli_str subject; /* a pid, or empty */
    struct ll_usage usage;
    struct ll_counted counted; /* as which */
    bool used;                 /* host/plan_call.h has counted it */
};

/* A new one, in the transaction's arena, where its strings must be too; NULL
 * without memory. It is none of the call's until it is whole and added. */
struct ll_effect *ll_effect_new(struct ll_call *call, enum ll_effect_kind kind);
void ll_effect_add(struct ll_call *call, struct ll_effect *effect);

/* All of them into the commit; tells whether there were events. */
bool ll_effects_put(struct ll_call *call, struct ll_commit *commit);

/* A task that has failed too often and is left. */
struct ll_dead {
    const char *kind;  /* of the alert */
    uint64_t seq;      /* of an event; others: 0, */
    linli_str id, run; /* and these: the document of ~work, the handler */
    linli_str code;    /* of the last failure */
    int64_t attempts;
    linli_str subject;  /* a pid, or empty */
    linli_str trace_id; /* of the last attempt, or empty */
    const char *named;  /* by what its alert is named; NULL: "job" */
};
/* An alert of it into the commit that leaves it; false without memory. */
bool ll_dead_put(struct ll_host *host, const struct ll_space *space,
    const struct ll_dead *dead, struct ll_commit *commit) LL_USE_RESULT;

#endif
