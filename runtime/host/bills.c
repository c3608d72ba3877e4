/* host/bills.c: waking billing, and telling what it has decided. [loop] */
#include "host/bills.h"

#include <stdio.h>

#include "base/text.h"
#include "billing/invoice_body.h"
#include "billing/invoice_show.h"
#include "billing/invoices.h"
#include "host/alert.h"
#include "host/clock.h"
#include "host/tell.h"

#define EVERY_MS 60000 /* the wall clock may be set */
#define POLL_MS 1      /* the store is busy, or so much was enough */

struct ll_bills {
    struct ll_host *host;
    struct ll_timer *timer;
};

/* -- telling -- */

static struct ll_space *
space_of(struct ll_host *host, const struct ll_sub *sub)
{
    return ll_docs_space(&host->docs, sub->community, LINLI_STR("~"));
}

static void
alert(struct ll_host *host, const struct ll_inv *inv, const char *kind,
    const char *more)
{
    const struct ll_sub *sub = ll_sub_by_id(&host->billing, inv->sub);
    struct ll_space *space = space_of(host, sub);
    char data[256], ref[64];
    (void)snprintf(data, sizeof data,
        "{\"invoice\":\"inv_%lld\",\"subscription\":\"sub_%u\",%s}",
        (long long)inv->id, inv->sub, more);
    (void)snprintf(ref, sizeof ref, "%s/inv_%lld", kind, (long long)inv->id);
    if (space == NULL)
        return;
    struct ll_alert alert = {.space = space,
        .kind = ll_cstr(kind),
        .ref = ll_cstr(ref),
        .data = ll_cstr(data),
        .at_ms = ll_clock_now(host)};
    ll_host_alert(host, &alert);
}

/* What a step means to who pays. */
static const struct {
    const char *zh, *en;
} meanings[] = {[LL_DUNNING_NONE] = {"", ""},
    [LL_DUNNING_NOTIFY] = {"请尽快付款", "please pay it soon"},
    [LL_DUNNING_RESTRICT] = {"付清前不能更改套餐; 再逾期将暂停服务",
        "the plan cannot be changed until it is paid, and the service is "
        "suspended if it is not"},
    [LL_DUNNING_SUSPEND] = {
        "服务已暂停, 付清后自动恢复; 安全相关的服务不受影响",
        "the service is suspended until it is paid; what is for safety goes "
        "on"}};

static void
tell_one(struct ll_community *community, const struct ll_inv *inv,
    linli_str resident)
{
    char zh[LL_NOTIFY_TEXT_BYTES_MAX + 1], en[LL_NOTIFY_TEXT_BYTES_MAX + 1];
    char number[LL_INVOICE_NUMBER_BYTES], fen[LL_YUAN_BYTES];
    ll_invoice_number("INV", inv->number, number);
    ll_yuan(ll_inv_due_fen(inv), fen);
    (void)snprintf(zh, sizeof zh, "账单 %s 已逾期, 应付 %s 元: %s.", number,
        fen, meanings[inv->step].zh);
    (void)snprintf(en, sizeof en,
        "Invoice %s is overdue, %s yuan are owed: %s.", number, fen,
        meanings[inv->step].en);
    struct ll_telling telling = {
        .resident = resident, .zh = ll_cstr(zh), .en = ll_cstr(en)};
    struct ll_log_line line = {.level = LL_ERROR,
        .code = "runtime/memory",
        .plugin = LINLI_STR("~"),
        .community = community->id,
        .msg = LINLI_STR("a payer is not told of an invoice")};
    if (!ll_tell(community, &telling))
        ll_log_write(&community->host->log, &line);
}

static void
on_step(void *user, const struct ll_inv *inv)
{
    struct ll_host *host = user;
    const struct ll_sub *sub = ll_sub_by_id(&host->billing, inv->sub);
    struct ll_community *community = ll_host_community(host, sub->community);
    char more[64];
    (void)snprintf(
        more, sizeof more, "\"step\":\"%s\"", ll_dunning_name(inv->step));
    alert(host, inv, "linli.overdue", more);
    for (uint32_t i = 0; community != NULL && i < sub->payer_count; i++)
        if (sub->payers[i].kind == LL_PARTY_RESIDENT &&
            sub->payers[i].who.len > 0)
            tell_one(community, inv, sub->payers[i].who);
}

/* `inv` NULL: a period that could not turn. */
static void
on_failed(void *user, const struct ll_inv *inv, const struct ll_err *err)
{
    struct ll_host *host = user;
    struct ll_log_line line = {.level = LL_ERROR,
        .code = err->code,
        .plugin = LINLI_STR("~"),
        .msg = ll_cstr(err->msg)};
    char more[96];
    ll_log_write(&host->log, &line);
    (void)snprintf(more, sizeof more, "\"code\":\"%s\"", err->code);
    if (inv != NULL)
        alert(host, inv, "linli.invoice", more);
}

/* -- waking -- */

static void
on_wake(void *user)
{
    struct ll_host *host = user;
    if (host->bills != NULL)
        ll_timer_set(host->bills->timer, 0, 0);
}

/* How long to sleep: to the next, or for less if it is far, as the wall clock
 * may be set. A virtual clock does not move by itself. */
static int64_t
sleep_ms(struct ll_host *host)
{
    int64_t next_ms = ll_invoices_next_ms(&host->billing);
    int64_t left = next_ms - ll_clock_now(host);
    return next_ms == INT64_MAX || left > EVERY_MS ? EVERY_MS
           : left > 0                              ? left
                                                   : EVERY_MS;
}

void
ll_bills_now(struct ll_host *host)
{
    struct ll_bills *bills = host->bills;
    if (bills == NULL || host->draining || host->failure.status != LINLI_OK)
        return;
    bool more = ll_invoices_run(&host->billing, ll_clock_now(host));
    ll_timer_set(bills->timer, more ? POLL_MS : sleep_ms(host), 0);
    ll_host_clock_step(host);
}

static void
on_time(void *user)
{
    struct ll_bills *bills = user;
    ll_bills_now(bills->host);
}

bool
ll_bills_idle(const struct ll_host *host)
{
    return host->bills == NULL || ll_invoices_idle(&host->billing);
}

int64_t
ll_bills_next_ms(const struct ll_host *host)
{
    return host->bills == NULL ? INT64_MAX
                               : ll_invoices_next_ms(&host->billing);
}

linli_status
ll_bills_open(struct ll_host *host, struct ll_err *err)
{
    struct ll_invoice_hooks hooks = {
        .wake = on_wake, .stepped = on_step, .failed = on_failed, .user = host};
    struct ll_bills *bills = ll_alloc(&host->mem, sizeof *bills);
    if (bills == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    bills->host = host;
    host->bills = bills;
    bills->timer = ll_timer_new(host->world, on_time, bills);
    if (bills->timer == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    ll_invoices_set(&host->billing, &host->config.billing, &hooks);
    /* Communities come after this, in the same turn. */
    ll_timer_set(bills->timer, 0, 0);
    return LINLI_OK;
}

void
ll_bills_close(struct ll_host *host)
{
    if (host->bills == NULL)
        return;
    ll_invoices_cancel(&host->billing);
    ll_timer_free(&host->bills->timer);
    ll_release(&host->mem, host->bills, sizeof *host->bills);
    host->bills = NULL;
}
