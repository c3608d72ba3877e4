/* host/plan_text.c: problems and alerts of plans, in words. [loop] */
#include "host/plan_text.h"

#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "domain/usage.h"

#define QUANTITY_BYTES 32
#define DAY_BYTES 16
#define TEXT_BYTES_MAX 2048

static void
write_sub(struct ll_jw *w, const struct ll_sub *sub)
{
    char text[QUANTITY_BYTES];
    (void)snprintf(text, sizeof text, "sub_%u", sub->id);
    ll_jw_key(w, "subscription");
    ll_jw_cstr(w, text);
}

static void
write_plan(struct ll_jw *w, const struct ll_plan_version *plan)
{
    char version[QUANTITY_BYTES];
    struct ll_buf *out = w->buf;
    (void)snprintf(version, sizeof version, "@%u\"", plan->version);
    ll_jw_key(w, "plan");
    ll_jw_raw(w, LINLI_STR("\""));
    ll_json_escape(out, plan->name);
    ll_buf_cstr(out, version);
}

static void
write_quantity(struct ll_jw *w, const char *name, int64_t micro)
{
    char text[QUANTITY_BYTES];
    (void)ll_usage_text(micro, text);
    ll_jw_key(w, name);
    ll_jw_cstr(w, text);
}

/* The local day with which the period ends, which is no day of it. */
static void
period_end(const struct ll_window *window, const struct ll_sub *sub,
    char out[DAY_BYTES])
{
    struct ll_period period = ll_sub_period_at(sub, window->span.from_ms);
    ll_day_text(period.to, out);
}

linli_str
ll_plan_state_json(struct ll_call *call, const struct ll_sub *sub)
{
    struct ll_buf text;
    ll_buf_init(&text, &call->host->mem, TEXT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '{');
    write_sub(&w, sub);
    ll_jw_key(&w, "state");
    ll_jw_cstr(&w, ll_sub_state_name(ll_sub_state_at(sub, call->now_ms)));
    ll_jw_close(&w, '}');
    linli_str json = text.failed
                         ? (linli_str){NULL, 0}
                         : ll_arena_str(&call->arena, ll_buf_view(&text));
    ll_buf_fini(&text);
    return json;
}

/* -- a limit -- */

static void
write_limit(struct ll_jw *w, const struct ll_quota_meter *meter)
{
    ll_jw_key(w, "meter");
    ll_jw_str(w, meter->name);
    write_quantity(w, "used", meter->is.used_micro);
    write_quantity(w, "reserved", meter->is.reserved_micro);
    if (meter->is.max_micro != INT64_MAX)
        write_quantity(w, "limit", meter->is.max_micro);
}

static void
say_limit(
    struct ll_call *call, const struct ll_quota_meter *meter, const char *end)
{
    char used[QUANTITY_BYTES], limit[QUANTITY_BYTES];
    (void)ll_usage_text(meter->is.used_micro + meter->is.reserved_micro, used);
    (void)ll_usage_text(meter->is.max_micro, limit);
    (void)snprintf(call->plan_detail, sizeof call->plan_detail,
        call->locale == LL_LOCALE_ZH
            ? "%.*s: 本期限额 %s, 已用 %s; %s 起重新计算"
            : "%.*s: %s in a period, %s are used; it begins anew on %s",
        meter->name.len > 64 ? 64 : LL_FMT(meter->name), limit, used, end);
}

/* -- a cap -- */

struct cost {
    int64_t is_fen, most_fen;
    bool prepaid; /* most_fen is a balance; else the payer's cap */
};

static void
write_cost(struct ll_jw *w, const struct cost *cost)
{
    ll_jw_key(w, "cost_fen");
    ll_jw_int(w, cost->is_fen);
    ll_jw_key(w, cost->prepaid ? "available_fen" : "cap_fen");
    ll_jw_int(w, cost->most_fen);
}

static void
say_cap(struct ll_call *call, const struct cost *cost, const char *end)
{
    static const char *const words[2][2] = {
        {"%lld.%02d yuan so far, of %lld.%02d; it begins anew on %s",
            "本期费用 %lld.%02d 元, 上限 %lld.%02d 元; %s 起重新计算"},
        {"%lld.%02d yuan are used, of %lld.%02d prepaid; the next period is "
         "from %s",
            "已用 %lld.%02d 元, 预付余额 %lld.%02d 元; 下一周期自 %s 起"}};
    const char *format =
        words[cost->prepaid ? 1 : 0][call->locale == LL_LOCALE_ZH ? 1 : 0];
    (void)snprintf(call->plan_detail, sizeof call->plan_detail, format,
        (long long)(cost->is_fen / 100), (int)(cost->is_fen % 100),
        (long long)(cost->most_fen / 100), (int)(cost->most_fen % 100), end);
}

void
ll_plan_refuse_text(struct ll_call *call, struct ll_window *window,
    linli_str name, enum ll_quota_word word)
{
    const struct ll_sub *sub = ll_sub_by_id(window->billing, window->sub);
    const struct ll_quota_meter *meter = ll_window_meter(window, name);
    struct ll_buf text;
    char end[DAY_BYTES] = "";
    struct cost cost = {0, 0, false};
    ll_check(sub != NULL && meter != NULL);
    period_end(window, sub, end);
    ll_buf_init(&text, &call->host->mem, TEXT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '{');
    write_sub(&w, sub);
    write_plan(&w, window->plan);
    write_limit(&w, meter);
    if (word == LL_QUOTA_CAP) {
        (void)ll_quota_cost(window, &cost.is_fen, &cost.most_fen);
        cost.prepaid = cost.most_fen != sub->cap_fen;
        write_cost(&w, &cost);
    }
    ll_jw_key(&w, "period_ends");
    ll_jw_cstr(&w, end);
    ll_jw_close(&w, '}');
    call->plan_json = text.failed
                          ? (linli_str){NULL, 0}
                          : ll_arena_str(&call->arena, ll_buf_view(&text));
    ll_buf_fini(&text);
    call->plan_no =
        word == LL_QUOTA_CAP ? "plan/cap-reached" : "plan/limit-reached";
    if (word == LL_QUOTA_CAP)
        say_cap(call, &cost, end);
    else
        say_limit(call, meter, end);
}

/* -- alerts -- */

void
ll_plan_alert_text(
    const struct ll_quota_alert *alert, struct ll_buf *ref, struct ll_buf *data)
{
    const struct ll_window *window = alert->window;
    const struct ll_sub *sub = ll_sub_by_id(window->billing, window->sub);
    char at[QUANTITY_BYTES], end[DAY_BYTES] = "";
    struct ll_jw w = ll_jw(data);
    (void)ll_usage_text(alert->at_micro, at);
    ll_buf_clear(ref);
    ll_buf_clear(data);
    ll_check(sub != NULL);
    period_end(window, sub, end);
    ll_buf_printf(ref, "quota/sub_%u/%u/%s/%.*s/%s", sub->id, window->plan->id,
        end, LL_FMT(alert->meter->name), at);
    ll_jw_open(&w, '{');
    write_sub(&w, sub);
    write_plan(&w, window->plan);
    write_limit(&w, alert->meter);
    ll_jw_key(&w, "threshold");
    ll_jw_cstr(&w, at);
    ll_jw_key(&w, "period_ends");
    ll_jw_cstr(&w, end);
    ll_jw_close(&w, '}');
}
