/* host/probe.c: linli.probe/0, a draft by which the way of a host call
 * there and back can be tested. [loop] */
#include "base/text.h"
#include "host/call.h"

#define PROBE_WAIT_MS_MAX 10000

/* args: [value]; the value comes back. */
bool
ll_serve_probe_echo(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    linli_str value = ll_rd_value(args);
    if (!ll_rd_end(args)) {
        ll_op_answer(call, LINLI_E_INVALID);
        return false;
    }
    ll_buf_clear(&op->text);
    ll_buf_str(&op->text, value);
    ll_op_answer_text(call);
    return false;
}

static void
on_waited(void *user)
{
    struct ll_call *call = user;
    ll_timer_free(&call->wait);
    ll_op_answer(call, LINLI_OK);
}

static bool
step_waiting(struct ll_call *call, struct ll_op *op)
{
    LL_UNUSED(call);
    LL_UNUSED(op);
    return false;
}

/* args: [ms] */
bool
ll_serve_probe_wait(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    int64_t ms = ll_rd_int_in(args, 0, PROBE_WAIT_MS_MAX);
    if (!ll_rd_end(args)) {
        ll_op_answer(call, LINLI_E_INVALID);
        return false;
    }
    ll_timer_free(&call->wait);
    call->wait = ll_timer_new(call->host->world, on_waited, call);
    if (call->wait == NULL) {
        ll_op_answer(call, LINLI_E_NOMEM);
        return false;
    }
    ll_timer_set(call->wait, ms, 0);
    op->step = step_waiting;
    return true;
}
