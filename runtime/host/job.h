/* host/job.h: a document of a queue, as an operator sees it. [any]
 *
 * Pure: what a document of ~work or ~errand says, the state it is in, and
 * what may be done to it (spec/jobs.md).
 */
#ifndef LL_HOST_JOB_H
#define LL_HOST_JOB_H

#include "base/json.h"
#include "base/limits.h"

enum ll_job_state {
    LL_JOB_DEAD,    /* it has no `due`: it is not begun any more */
    LL_JOB_WAITING, /* for its time, or for its plugin */
    LL_JOB_RUNNING  /* somebody has it in hand */
};
#define LL_JOB_STATES 3
/* "dead"; and back: false for another word. */
const char *ll_job_state_name(enum ll_job_state state);
bool ll_job_state_read(linli_str word, enum ll_job_state *out);

struct ll_job {
    enum ll_job_state state;
    linli_str id, kind, run; /* borrowed from the document */
    linli_str code;          /* of the last failure; empty: none */
    linli_str subject;       /* a pid, or empty */
    int64_t at_ms;           /* what it was set for, or when it came */
    int64_t due_ms;          /* unless it is dead */
    int64_t dead_ms;         /* of a dead one; 0: not known */
    int64_t attempts;        /* that failed */
};

/* `errand`: of ~errand, where `kind` says which. */
void ll_job_read(
    struct ll_job *job, struct ll_jv document, bool errand, bool in_hand);

/* True for a word that `kind` can be. */
bool ll_job_kind_known(linli_str kind);

/* NULL if it may be tried again, or dropped, now; else the problem's code:
 * what has not failed is not an operator's to hurry or to lose. */
const char *ll_job_refuse_retry(const struct ll_job *job, int64_t now_ms);
const char *ll_job_refuse_drop(const struct ll_job *job);

#endif
