/* worker/native_core.c: the core table, the probe, and finding interfaces.
 * [worker]
 *
 * Each function takes the number of the entry point that runs and nothing
 * that points into the host. What a plugin gets wrong comes back as a status
 * and stays in `note`, so that the log can say why a call had no answer.
 */
#include "worker/native.h"

#include "base/text.h"

/* -- the core -- */

static const void *
core_query(uint64_t ctx, linli_str id)
{
    struct ll_native *native = ll_native_bound();
    bool draft;
    if (ll_native_check_ctx(native, ctx, "query") != LINLI_OK ||
        ll_native_bad_slice(id))
        return NULL;
    return ll_native_interface(native, id, &draft);
}

/* LINLI_OK if `ctx` is that of a request: nobody waits for the answer of
 * anything else. */
static linli_status
check_request(struct ll_native *native, uint64_t ctx, const char *what)
{
    linli_status s = ll_native_check_call(native, ctx, what);
    if (s == LINLI_OK && !native->in_request)
        return ll_native_refuse(
            native, LINLI_E_CONFLICT, "%s: no request runs", what);
    return s;
}

/* An answer is taken once; a second one spoils the call. */
static linli_status
check_first_answer(struct ll_native *native, const char *what)
{
    if (native->outcome == LL_NATIVE_SILENT)
        return LINLI_OK;
    native->outcome = LL_NATIVE_TWICE;
    return ll_native_refuse(
        native, LINLI_E_CONFLICT, "%s: the call is answered already", what);
}

static linli_status
core_reply(uint64_t ctx, int32_t http_status, linli_str json)
{
    struct ll_native *native = ll_native_bound();
    linli_status s = check_request(native, ctx, "reply");
    if (s == LINLI_OK)
        s = check_first_answer(native, "reply");
    if (s != LINLI_OK)
        return s;
    if (http_status < 200 || http_status > 599)
        return ll_native_refuse(native, LINLI_E_INVALID,
            "reply: status %d is not within 200..599", http_status);
    if ((http_status == 204 || http_status == 304) && json.len > 0)
        return ll_native_refuse(native, LINLI_E_INVALID,
            "reply: status %d takes no body", http_status);
    if (json.len > 0)
        s = ll_native_parse(native, json, LL_BODY_DEPTH_MAX, "reply");
    if (s != LINLI_OK)
        return s;
    ll_buf_clear(&native->answer);
    ll_buf_str(&native->answer, json);
    if (native->answer.failed)
        return ll_native_refuse(
            native, LINLI_E_LIMIT, "reply: no memory for it");
    native->http_status = http_status;
    native->outcome = LL_NATIVE_REPLIED;
    return LINLI_OK;
}

static linli_status
core_fail(uint64_t ctx, linli_str code, linli_str detail)
{
    struct ll_native *native = ll_native_bound();
    linli_status s = ll_native_check_ctx(native, ctx, "fail");
    if (s == LINLI_OK)
        s = check_first_answer(native, "fail");
    if (s != LINLI_OK)
        return s;
    if (ll_native_bad_slice(code) || ll_native_bad_slice(detail) ||
        !ll_utf8_valid(detail))
        return ll_native_refuse(
            native, LINLI_E_INVALID, "fail: the detail is no text");
    if (detail.len > LL_LOG_LINE_BYTES_MAX)
        return ll_native_refuse(native, LINLI_E_LIMIT,
            "fail: a detail of %zu bytes, over %d", detail.len,
            LL_LOG_LINE_BYTES_MAX);
    if (native->in_call && !ll_worker_declares(native->worker, code))
        return ll_native_refuse(native, LINLI_E_INVALID,
            "fail: plugin.json declares no problem \"%.*s\"",
            code.len > 64 ? 64 : LL_FMT(code));
    ll_buf_clear(&native->code);
    if (native->in_call)
        ll_buf_str(&native->code, code);
    ll_buf_clear(&native->answer);
    ll_buf_str(&native->answer, detail);
    if (native->code.failed || native->answer.failed)
        return ll_native_refuse(
            native, LINLI_E_LIMIT, "fail: no memory for it");
    native->outcome = LL_NATIVE_FAILED;
    return LINLI_OK;
}

static linli_status
core_etag(uint64_t ctx, linli_str tag)
{
    struct ll_native *native = ll_native_bound();
    linli_status s = check_request(native, ctx, "etag");
    if (s != LINLI_OK)
        return s;
    if (ll_native_bad_slice(tag) || !ll_etag_valid(tag))
        return ll_native_refuse(native, LINLI_E_INVALID,
            "etag: 1 to %d visible ASCII characters without quotes and "
            "backslash",
            LL_ETAG_BYTES_MAX);
    memcpy(native->etag, tag.ptr, tag.len);
    native->etag[tag.len] = '\0';
    return LINLI_OK;
}

static linli_status
core_log(uint64_t ctx, uint32_t level, linli_str line)
{
    struct ll_native *native = ll_native_bound();
    static const enum ll_log_level levels[] = {
        [LINLI_LOG_DEBUG] = LL_LOG_DEBUG,
        [LINLI_LOG_INFO] = LL_LOG_INFO,
        [LINLI_LOG_WARN] = LL_LOG_WARN,
        [LINLI_LOG_ERROR] = LL_LOG_ERROR,
    };
    linli_status s = ll_native_check_ctx(native, ctx, "log");
    if (s != LINLI_OK)
        return s;
    if (level >= LL_COUNT(levels) || ll_native_bad_slice(line))
        return ll_native_refuse(
            native, LINLI_E_INVALID, "log: no such level, or line");
    ll_worker_log(
        native->worker, native->call, native->run, levels[level], line);
    return LINLI_OK;
}

static const linli_core core_table = {
    .size = sizeof(linli_core),
    .level = LINLI_ABI_LEVEL,
    .query = core_query,
    .reply = core_reply,
    .fail = core_fail,
    .log = core_log,
    .meter = ll_native_meter,
    .etag = core_etag,
};

const linli_core *
ll_native_core(void)
{
    return &core_table;
}

/* -- linli.probe/0 -- */

static linli_status
probe_echo(uint64_t ctx, linli_str json, linli_str *out)
{
    struct ll_native *native = ll_native_bound();
    *out = (linli_str){NULL, 0};
    linli_status s = ll_native_host_begin(native, ctx, 1, "echo");
    /* The list of arguments is a level of its own. */
    if (s == LINLI_OK)
        s = ll_native_parse(native, json, LL_VALUE_DEPTH_MAX - 1, "echo");
    if (s == LINLI_OK)
        s = ll_native_put_json(&native->args, &native->json);
    if (s == LINLI_OK)
        s = ll_native_host_send(native, LL_NATIVE_probe_echo, "echo");
    if (s != LINLI_OK)
        return s;
    ll_buf_clear(&native->text);
    s = ll_native_get_json(&native->text, ll_buf_view(&native->value));
    if (s != LINLI_OK)
        return s;
    return ll_native_keep(native, ll_buf_view(&native->text), "echo", out);
}

static linli_status
probe_wait(uint64_t ctx, int64_t ms)
{
    struct ll_native *native = ll_native_bound();
    linli_status s = ll_native_host_begin(native, ctx, 1, "wait");
    if (s != LINLI_OK)
        return s;
    if (ms < 0 || ms > 10000)
        return ll_native_refuse(
            native, LINLI_E_INVALID, "wait: not within 0..10000 ms");
    ll_put_int(&native->args, ms);
    return ll_native_host_send(native, LL_NATIVE_probe_wait, "wait");
}

static const linli_probe_0 probe_table = {
    .size = sizeof(linli_probe_0),
    .echo = probe_echo,
    .wait = probe_wait,
};

const void *
ll_native_interface(const struct ll_native *native, linli_str id, bool *draft)
{
    static const struct {
        const char *id;
        bool draft;
        const void *table;
    } interfaces[] = {
        {LINLI_PROBE_0, true, &probe_table},
        {LINLI_DB_1, false, &ll_native_db_1},
        {LINLI_TIMER_1, false, &ll_native_timer_1},
        {LINLI_EVENT_1, false, &ll_native_event_1},
        {LINLI_METER_1, false, &ll_native_meter_1},
        {LINLI_CODE_1, false, &ll_native_code_1},
        {LINLI_ALERT_1, false, &ll_native_alert_1},
    };
    *draft = false;
    for (size_t i = 0; i < LL_COUNT(interfaces); i++) {
        if (id.ptr == NULL || !ll_str_is(id, interfaces[i].id))
            continue;
        *draft = interfaces[i].draft;
        return !*draft || native->worker->config.drafts ? interfaces[i].table
                                                        : NULL;
    }
    return NULL;
}
