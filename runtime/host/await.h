/* host/await.h: calls that go on with an answer from outside. [loop]
 *
 * `return call:await(what, next, state)` ends the first step: its commit
 * holds the errand, and in ~await who goes on with what. When the errand has
 * its answer, the commit that settles it makes a call of kind answer out of
 * both, in ~work; what that one returns is what the first caller gets, if it
 * still waits, and is kept for a day in ~result, where the link of a 202
 * leads (spec/await.md).
 */
#ifndef LL_HOST_AWAIT_H
#define LL_HOST_AWAIT_H

#include "host/call.h"

struct ll_errand;

/* What a run has asked for, in the transaction's arena. */
struct ll_await {
    linli_str errand; /* its kind, "fetch"; empty: one that the call has made */
    linli_str with;   /* JSON, for the errand; or the id of that one */
    linli_str next;   /* who goes on */
    linli_str state;  /* JSON that it is given */
};

/* Into the commit of the first step: the errand, and who goes on. The call's
 * answer becomes the 202 that it gets if the answer takes too long. */
linli_status ll_await_put(
    struct ll_call *call, struct ll_err *err) LL_USE_RESULT;
/* It waits no longer: call.c. */
void ll_await_end(struct ll_call *call);
/* Everybody who waits gets the 202: the host ends. */
void ll_await_stop(struct ll_host *host);

/* The document of ~await with the errand's id, or one that is not there; a
 * reference, NULL without memory. */
struct ll_doc *ll_await_doc(struct ll_instance *instance, linli_str id);
/* The answer (JSON) into the transaction that settles the errand; nothing if
 * nobody awaits it. */
linli_status ll_errand_answer(struct ll_errand *errand, linli_str answer,
    struct ll_txn *txn, struct ll_err *err) LL_USE_RESULT;

/* -- the second step: a task of kind answer -- */

/* A document of ~work as ll_errand_answer has made it. */
bool ll_await_read_work(
    struct ll_task *task, struct ll_arena *arena, struct ll_jv root);
/* What it answered, into its own commit, for the link. */
linli_status ll_await_keep(
    struct ll_call *call, struct ll_err *err) LL_USE_RESULT;
/* The same for a problem that is final, in a commit of its own. */
void ll_await_keep_problem(struct ll_task *task, const struct ll_response *r);
/* Whether the second step has said what it says: a status below 500, or a
 * problem of the plugin's own. Anything else is tried again. */
bool ll_await_final(const struct ll_task *task, int status, linli_str code);
/* It has answered: whoever waits gets it. */
void ll_await_deliver(struct ll_task *task, const struct ll_response *response);

#endif
