/* billing/act.c: the commit of an act. [loop] */
#include "billing/act.h"

#include "billing/billing.h"
#include "billing/books.h"

linli_status
ll_bill_begin(struct ll_bill_act *act, struct ll_err *err)
{
    act->posted = NULL;
    act->commit = ll_docs_commit_new(act->billing->docs);
    if (act->commit == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
    act->billing->acts++;
    return LINLI_OK;
}

linli_status
ll_bill_room(struct ll_bill_act *act, struct ll_err *err)
{
    if (!act->commit->ops.failed)
        return LINLI_OK;
    ll_bill_drop(act);
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
}

static void
on_done(struct ll_commit *commit, bool durable)
{
    struct ll_bill_act *act = commit->user;
    ll_docs_commit_free(act->billing->docs, commit);
    act->commit = NULL;
    act->done(act, durable);
}

uint64_t
ll_bill_send(struct ll_bill_act *act)
{
    struct ll_commit *commit = act->commit;
    ll_books_keep(act);
    act->billing->acts--;
    if (act->done == NULL) {
        act->commit = NULL;
        return ll_docs_commit_send(act->billing->docs, commit);
    }
    commit->done = on_done;
    commit->user = act;
    return ll_store_commit(act->billing->store, commit);
}

void
ll_bill_drop(struct ll_bill_act *act)
{
    ll_books_undo(act);
    act->billing->acts--;
    ll_docs_commit_free(act->billing->docs, act->commit);
    act->commit = NULL;
}
