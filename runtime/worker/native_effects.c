/* worker/native_effects.c: timers, events, usage, codes and alerts of native
 * plugins. [worker]
 */
#include "worker/native.h"

#include "base/text.h"

/* Copies a struct of the plugin's, whose first member is its size; members
 * that it does not know stay zero. False if it is too short for level 1. */
static bool
take(void *to, size_t size, const void *from)
{
    uint32_t given = 0;
    if (from != NULL)
        memcpy(&given, from, sizeof(given));
    if (given < size)
        return false;
    memcpy(to, from, size);
    return true;
}

static linli_status
bad_text(struct ll_native *native, const char *what)
{
    return ll_native_refuse(
        native, LINLI_E_INVALID, "%s: a text at NULL, or a short struct", what);
}

/* Members that are left out when they are empty. */
static void
put_member(struct ll_buf *args, const char *name, linli_str text)
{
    if (text.len == 0)
        return;
    ll_put_bytes(args, ll_cstr(name));
    ll_put_bytes(args, text);
}

/* The answer is a text that goes to the plugin. */
static linli_status
keep_text(struct ll_native *native, const char *what, linli_str *out)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&native->value));
    linli_str text = ll_rd_bytes(&rd);
    if (!ll_rd_end(&rd))
        return ll_native_refuse(native, LINLI_E_INTERNAL,
            "%s: the host's answer cannot be read", what);
    return ll_native_keep(native, text, what, out);
}

/* -- linli.timer/1 -- */

static linli_status
timer_set(uint64_t ctx, const linli_timer *theirs, linli_str *key)
{
    struct ll_native *native = ll_native_bound();
    struct ll_buf *args = &native->args;
    linli_timer timer;
    linli_str made = {NULL, 0};
    if (key != NULL)
        *key = made;
    linli_status s = ll_native_host_begin(native, ctx, 1, "timer.set");
    if (s != LINLI_OK)
        return s;
    if (!take(&timer, sizeof(timer), theirs) ||
        ll_native_bad_slice(timer.run) || ll_native_bad_slice(timer.with) ||
        ll_native_bad_slice(timer.key) || ll_native_bad_slice(timer.subject))
        return bad_text(native, "timer.set");
    if (timer.with.len == 0)
        timer.with = (linli_str)LINLI_STR("{}");
    uint32_t given =
        3u + (uint32_t)(timer.key.len > 0) + (uint32_t)(timer.subject.len > 0);
    ll_put_map(args, given);
    ll_put_bytes(args, LINLI_STR("at"));
    ll_put_int(args, timer.at_ms);
    ll_put_bytes(args, LINLI_STR("run"));
    ll_put_bytes(args, timer.run);
    put_member(args, "with", timer.with);
    put_member(args, "key", timer.key);
    put_member(args, "subject", timer.subject);
    s = ll_native_host_send(native, LL_NATIVE_timer_set, "timer.set");
    if (s == LINLI_OK)
        s = keep_text(native, "timer.set", &made);
    if (key != NULL)
        *key = made;
    return s;
}

static linli_status
timer_cancel(uint64_t ctx, linli_str key)
{
    struct ll_native *native = ll_native_bound();
    linli_status s = ll_native_host_begin(native, ctx, 1, "timer.cancel");
    if (s != LINLI_OK)
        return s;
    if (ll_native_bad_slice(key))
        return bad_text(native, "timer.cancel");
    ll_put_bytes(&native->args, key);
    s = ll_native_host_send(native, LL_NATIVE_timer_cancel, "timer.cancel");
    if (s != LINLI_OK)
        return s;
    struct ll_rd rd = ll_rd(ll_buf_view(&native->value));
    return ll_rd_bool(&rd) ? LINLI_OK
                           : ll_native_refuse(native, LINLI_E_NOT_FOUND,
                                 "timer.cancel: no such timer");
}

const linli_timer_1 ll_native_timer_1 = {
    .size = sizeof(linli_timer_1),
    .set = timer_set,
    .cancel = timer_cancel,
};

/* -- linli.event/1, linli.alert/1 -- */

/* [name, data, {subject}] */
static linli_status
tell(struct ll_native *native, uint32_t op, const linli_str told[3],
    const char *what)
{
    struct ll_buf *args = &native->args;
    for (int i = 0; i < 3; i++)
        if (ll_native_bad_slice(told[i]))
            return bad_text(native, what);
    ll_put_bytes(args, told[0]);
    ll_put_bytes(args, told[1]);
    ll_put_map(args, told[2].len > 0);
    put_member(args, "subject", told[2]);
    return ll_native_host_send(native, op, what);
}

static linli_status
event_emit(uint64_t ctx, linli_str type, linli_str data, linli_str subject)
{
    struct ll_native *native = ll_native_bound();
    const linli_str told[3] = {type, data, subject};
    linli_status s = ll_native_host_begin(native, ctx, 3, "event.emit");
    return s == LINLI_OK
               ? tell(native, LL_NATIVE_event_emit, told, "event.emit")
               : s;
}

const linli_event_1 ll_native_event_1 = {
    .size = sizeof(linli_event_1),
    .emit = event_emit,
};

static linli_status
alert_raise(uint64_t ctx, linli_str kind, linli_str data, linli_str subject)
{
    struct ll_native *native = ll_native_bound();
    const linli_str told[3] = {kind, data, subject};
    linli_status s = ll_native_host_begin(native, ctx, 3, "alert.raise");
    return s == LINLI_OK
               ? tell(native, LL_NATIVE_alert_raise, told, "alert.raise")
               : s;
}

const linli_alert_1 ll_native_alert_1 = {
    .size = sizeof(linli_alert_1),
    .raise = alert_raise,
};

/* -- linli.meter/1 -- */

static linli_status
meter_add(uint64_t ctx, const linli_usage *theirs, uint32_t *duplicate)
{
    struct ll_native *native = ll_native_bound();
    struct ll_buf *args = &native->args;
    linli_usage usage;
    linli_str word;
    if (duplicate != NULL)
        *duplicate = 0;
    linli_status s = ll_native_host_begin(native, ctx, 3, "meter.add");
    if (s != LINLI_OK)
        return s;
    if (!take(&usage, sizeof(usage), theirs) ||
        ll_native_bad_slice(usage.meter) ||
        ll_native_bad_slice(usage.event_id) ||
        ll_native_bad_slice(usage.reverses))
        return bad_text(native, "meter.add");
    ll_put_bytes(args, usage.meter);
    ll_put_int(args, usage.quantity);
    uint32_t given = (uint32_t)(usage.event_id.len > 0) +
                     (uint32_t)(usage.at_ms != 0) +
                     (uint32_t)(usage.reverses.len > 0);
    ll_put_map(args, given);
    put_member(args, "event_id", usage.event_id);
    if (usage.at_ms != 0) {
        ll_put_bytes(args, LINLI_STR("at"));
        ll_put_int(args, usage.at_ms);
    }
    put_member(args, "reverses", usage.reverses);
    s = ll_native_host_send(native, LL_NATIVE_meter_add, "meter.add");
    if (s == LINLI_OK)
        s = keep_text(native, "meter.add", &word);
    if (s == LINLI_OK && duplicate != NULL)
        *duplicate = ll_str_is(word, "duplicate");
    return s;
}

const linli_meter_1 ll_native_meter_1 = {
    .size = sizeof(linli_meter_1),
    .add = meter_add,
};

linli_status
ll_native_meter(uint64_t ctx, linli_str meter, int64_t quantity)
{
    linli_usage usage = {
        .size = sizeof(usage), .meter = meter, .quantity = quantity};
    return meter_add(ctx, &usage, NULL);
}

/* -- linli.code/1 -- */

static linli_status
code_try(uint64_t ctx, linli_str name, linli_str given, linli_str expected,
    uint32_t *verdict)
{
    static const char *const words[] = {[LINLI_CODE_OK] = "ok",
        [LINLI_CODE_WRONG] = "wrong",
        [LINLI_CODE_LOCKED] = "locked"};
    struct ll_native *native = ll_native_bound();
    linli_str word;
    *verdict = LINLI_CODE_LOCKED; /* what opens nothing */
    linli_status s = ll_native_host_begin(native, ctx, 3, "code.try_code");
    if (s != LINLI_OK)
        return s;
    if (ll_native_bad_slice(name) || ll_native_bad_slice(given) ||
        ll_native_bad_slice(expected))
        return bad_text(native, "code.try_code");
    ll_put_bytes(&native->args, name);
    ll_put_bytes(&native->args, given);
    ll_put_bytes(&native->args, expected);
    s = ll_native_host_send(native, LL_NATIVE_code_try, "code.try_code");
    if (s == LINLI_OK)
        s = keep_text(native, "code.try_code", &word);
    for (uint32_t i = 0; s == LINLI_OK && i < LL_COUNT(words); i++)
        if (ll_str_is(word, words[i]))
            *verdict = i;
    return s;
}

const linli_code_1 ll_native_code_1 = {
    .size = sizeof(linli_code_1),
    .try_code = code_try,
};
