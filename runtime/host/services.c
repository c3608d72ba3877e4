/* host/services.c: what plugins may ask of the host. [loop]
 *
 * Dispatch follows wire/hostcall.def. Every handler checks permission and
 * arguments: what asks is a stranger. So far there is linli.probe/0 alone,
 * a draft by which the way there and back can be tested.
 */
#include "base/text.h"
#include "host/call.h"

#define PROBE_WAIT_MS_MAX 10000

static void
answer_nil(struct ll_call *call, linli_status status)
{
    ll_pool_answer(&call->run, status, (linli_str){NULL, 0});
}

/* args: [value]; the value comes back. */
static void
serve_probe_echo(struct ll_call *call, struct ll_rd *args)
{
    linli_str value = ll_rd_value(args);
    if (!ll_rd_end(args))
        answer_nil(call, LINLI_E_INVALID);
    else
        ll_pool_answer(&call->run, LINLI_OK, value);
}

static void
on_waited(void *user)
{
    struct ll_call *call = user;
    ll_timer_free(&call->wait);
    answer_nil(call, LINLI_OK);
}

/* args: [ms] */
static void
serve_probe_wait(struct ll_call *call, struct ll_rd *args)
{
    int64_t ms = ll_rd_int_in(args, 0, PROBE_WAIT_MS_MAX);
    if (!ll_rd_end(args)) {
        answer_nil(call, LINLI_E_INVALID);
        return;
    }
    ll_timer_free(&call->wait);
    call->wait = ll_timer_new(call->host->world, on_waited, call);
    if (call->wait == NULL)
        answer_nil(call, LINLI_E_NOMEM);
    else
        ll_timer_set(call->wait, ms, 0);
}

/* Not served yet. */
#define serve_db_get NULL
#define serve_db_insert NULL
#define serve_db_put NULL
#define serve_db_patch NULL
#define serve_db_delete NULL
#define serve_db_list NULL
#define serve_db_count NULL
#define serve_db_overlaps NULL
#define serve_timer_set NULL
#define serve_timer_cancel NULL
#define serve_event_emit NULL
#define serve_meter_add NULL
#define serve_code_try NULL
#define serve_alert_raise NULL

static const struct {
    void (*serve)(struct ll_call *call, struct ll_rd *args);
    bool draft;
} services[] = {
#define H(number, name, interface, is_draft, args, answer) \
    [number] = {serve_##name, is_draft},
#include "wire/hostcall.def"
#undef H
};

void
ll_call_service(struct ll_call *call, uint32_t op, linli_str args)
{
    struct ll_rd rd = ll_rd(args);
    if (op >= LL_COUNT(services) || services[op].serve == NULL) {
        answer_nil(call, LINLI_E_UNSUPPORTED);
        return;
    }
    if (services[op].draft && !call->host->config.drafts) {
        answer_nil(call, LINLI_E_DENIED);
        return;
    }
    if (ll_rd_list(&rd) != 1) {
        answer_nil(call, LINLI_E_INVALID);
        return;
    }
    services[op].serve(call, &rd);
}

void
ll_call_services_end(struct ll_call *call)
{
    ll_timer_free(&call->wait);
}
