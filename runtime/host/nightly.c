/* host/nightly.c: what is looked at every night. [loop] */
#include "host/agree.h"

#include "base/text.h"
#include "billing/invoices.h"
#include "billing/money.h"
#include "host/clock.h"

#define EVERY_MS 600000 /* the wall clock may be set */
#define DAY_MS INT64_C(86400000)
#define AT_MS (INT64_C(66600000)) /* of a day in UTC: 02:30 in China */

struct ll_nightly {
    struct ll_host *host;
    struct ll_timer *timer;
    struct ll_agree *agree; /* under way */
    int64_t looked_ms;      /* the last night that was looked at */
    uint64_t number;        /* the last commit then */
};

/* The night that an instant is in, or the one before it. */
static int64_t
night_of(int64_t ms)
{
    int64_t days = (ms - AT_MS) / DAY_MS;
    if ((ms - AT_MS) % DAY_MS < 0)
        days--;
    return days * DAY_MS + AT_MS;
}

static void
on_agreed(void *user, const struct ll_agreed *found, const struct ll_err *err)
{
    struct ll_nightly *nightly = user;
    struct ll_host *host = nightly->host;
    ll_agree_free(&nightly->agree);
    nightly->number = ll_store_last(host->store);
    if (found == NULL) {
        struct ll_log_line line = {.level = LL_ERROR,
            .code = err->code,
            .plugin = LINLI_STR("~"),
            .msg = ll_cstr(err->msg)};
        ll_log_write(&host->log, &line);
    }
    ll_host_clock_step(host);
}

/* What has expired in wallets is written off; what does not fit into one
 * commit, the next night. */
static void
lapse(struct ll_host *host)
{
    struct ll_err err;
    uint32_t count = 0;
    struct ll_bill_act act = {.billing = &host->billing,
        .by = LINLI_STR("linli"),
        .reason = LINLI_STR("expired"),
        .now_ms = ll_clock_now(host)};
    if (ll_bill_begin(&act, &err) != LINLI_OK)
        return;
    if (ll_wallet_lapse(&act, &count, &err) != LINLI_OK || count == 0)
        ll_bill_drop(&act);
    else if (ll_bill_room(&act, &err) == LINLI_OK)
        (void)ll_bill_send(&act);
}

/* Where nothing is sold nobody looks: every night would walk all usage. */
static bool
is_asleep(const struct ll_host *host)
{
    return host->nightly == NULL || ll_plan_by_id(&host->billing, 1) == NULL ||
           host->nightly->number == ll_store_last(host->store);
}

void
ll_nightly_now(struct ll_host *host)
{
    struct ll_nightly *nightly = host->nightly;
    struct ll_err err;
    if (nightly == NULL || nightly->agree != NULL || host->draining ||
        host->failure.status != LINLI_OK)
        return;
    int64_t night_ms = night_of(ll_clock_now(host));
    if (night_ms <= nightly->looked_ms)
        return;
    nightly->looked_ms = night_ms;
    lapse(host);
    if (is_asleep(host))
        return;
    if (ll_agree_new(host, on_agreed, nightly, &nightly->agree, &err) !=
        LINLI_OK) {
        struct ll_log_line line = {.level = LL_ERROR,
            .code = err.code,
            .plugin = LINLI_STR("~"),
            .msg = ll_cstr(err.msg)};
        ll_log_write(&host->log, &line);
    }
}

bool
ll_nightly_idle(const struct ll_host *host)
{
    return host->nightly == NULL || host->nightly->agree == NULL;
}

int64_t
ll_nightly_next_ms(const struct ll_host *host)
{
    const struct ll_nightly *nightly = host->nightly;
    return is_asleep(host) ? INT64_MAX : nightly->looked_ms + DAY_MS;
}

static void
on_time(void *user)
{
    struct ll_nightly *nightly = user;
    ll_nightly_now(nightly->host);
    ll_timer_set(nightly->timer, EVERY_MS, 0);
}

static linli_status
read_broken(struct ll_host *host, struct ll_err *err)
{
    struct ll_query query;
    ll_query_init(&query, &host->mem, LL_ST_meta_get);
    ll_put_bytes(&query.params, LINLI_STR(LL_AGREE_BROKEN_NAME));
    linli_status status = ll_store_ask(host->store, &query);
    if (status != LINLI_OK) {
        *err = query.err;
    } else if (query.row_count > 0) {
        struct ll_rd row = ll_rd(ll_buf_view(&query.rows));
        (void)ll_rd_list(&row);
        if (ll_rd_int(&row) != 0)
            ll_invoices_stop(&host->billing, true);
    }
    ll_query_fini(&query);
    return status;
}

linli_status
ll_nightly_open(struct ll_host *host, struct ll_err *err)
{
    struct ll_nightly *nightly = ll_alloc(&host->mem, sizeof *nightly);
    if (nightly == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    nightly->host = host;
    nightly->looked_ms = night_of(ll_clock_now(host));
    host->nightly = nightly;
    nightly->timer = ll_timer_new(host->world, on_time, nightly);
    if (nightly->timer == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    ll_timer_set(nightly->timer, EVERY_MS, 0);
    return read_broken(host, err);
}

void
ll_nightly_close(struct ll_host *host)
{
    if (host->nightly == NULL)
        return;
    ll_agree_free(&host->nightly->agree);
    ll_timer_free(&host->nightly->timer);
    ll_release(&host->mem, host->nightly, sizeof *host->nightly);
    host->nightly = NULL;
}
