/* host/task.h: calls that nobody waits for. [loop]
 *
 * A timer that has fired, an event for a plugin that handles it, a device's
 * event that was not answered in time: each is a call through the pipeline
 * from its run on. It stands for one document, which its commit settles, so
 * that it has its effect once however often it is tried.
 */
#ifndef LL_HOST_TASK_H
#define LL_HOST_TASK_H

#include "data/docs.h"
#include "host/request.h"

/* All but a device's, which is a request, as CALL frames have them. */
enum ll_task_kind {
    LL_TASK_TIMER = 1,
    LL_TASK_EVENT = 2,
    LL_TASK_JOB = 3,
    LL_TASK_ANSWER = 4,
    LL_TASK_PAYMENT = 5,
    LL_TASK_DEVICE = 6
};

struct ll_instance;

struct ll_task {
    struct ll_request request; /* of a device; else its method is empty */
    enum ll_task_kind kind;
    struct ll_instance *instance;
    linli_str name;             /* of its handler; type of an event */
    linli_str input;            /* JSON that the handler is given */
    int64_t due_ms;             /* of a timer, a job */
    int64_t now_ms;             /* what the call sees */
    struct ll_identity *device; /* of a device's; a reference */
    linli_str bound_to, device_kind;
    /* Of an answer: the caller of the first step, as the plugin sees it and as
     * the host does; empty: nobody. */
    linli_str caller_kind, caller, roles, resident_json, who, subject;
    bool english; /* of problems */
    /* The subscription of that caller, which it is counted for too. */
    bool sub_known;
    int64_t sub;
    /* Read first in each run: it must still be of this version. */
    struct ll_doc *doc; /* a reference */
    uint64_t version;
    bool there; /* it exists */
    /* What the commit makes of it; NULL: it goes. The commit takes it. */
    struct ll_content *after;
    bool gone;            /* another commit settled it: nothing was run */
    linli_str ended_with; /* the code of a failure, while it ends */
    char trace_id[33];    /* of the call that failed; empty: none */
    /* The end, once: 2xx settled; 410 gone; anything else failed, with the
     * problem's code. */
    void (*done)(struct ll_task *task, int status, linli_str code);
};

#endif
