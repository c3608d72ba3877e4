/* host/call_problem.c: what a caller is told when a call fails. [loop]
 *
 * A code of the plugin's must stand in its manifest; a code of the runtime's
 * must be one that an engine may raise. Anything else a worker says becomes
 * plugin/error, and only the log knows what it was.
 */
#include "base/json.h"
#include "base/problem.h"
#include "base/schema.h"
#include "base/text.h"
#include "host/call.h"
#include "host/problem_json.h"

#define ERRORS_DEPTH_MAX 4

/* Codes of the table that an engine may end a run with. */
static bool
engine_may_raise(linli_str code)
{
    static const char *const codes[] = {"plugin/error", "sandbox/memory",
        "sandbox/timeout", "request/invalid", "request/json", "runtime/busy"};
    for (size_t i = 0; i < LL_COUNT(codes); i++)
        if (ll_str_is(code, codes[i]))
            return true;
    return ll_problem_ends_call(code);
}

/* The worker's list of broken rules, as far as it can be read. */
static uint32_t
read_errors(struct ll_json *json, linli_str text,
    struct ll_problem_error errors[LL_SCHEMA_ERRORS_MAX])
{
    uint32_t count = 0;
    if (text.len == 0 ||
        ll_json_parse(json, text, ERRORS_DEPTH_MAX, NULL) != LINLI_OK)
        return 0;
    LL_JSON_EACH (item, ll_json_root(json)) {
        if (count == LL_SCHEMA_ERRORS_MAX)
            break;
        errors[count++] = (struct ll_problem_error){
            .pointer = ll_jv_str(ll_jv_get(item, "at")),
            .rule = ll_jv_str(ll_jv_get(item, "rule")),
            .detail = ll_jv_str(ll_jv_get(item, "message")),
        };
    }
    return count;
}

/* Whose code it is: the runtime's row, the plugin's declaration, or neither
 * and then plugin/error. */
static void
name_problem(
    const struct ll_call *call, linli_str code, struct ll_problem_args *args)
{
    bool from_worker = call->word == LL_WORD_FAILED;
    if (!from_worker || engine_may_raise(code)) {
        args->row = ll_problem_find(code);
        ll_check(args->row != NULL);
        return;
    }
    const struct ll_plugin_problem *declared =
        ll_manifest_problem(call->package->manifest, code);
    if (declared == NULL) {
        args->row = ll_problem_find(LINLI_STR("plugin/error"));
        args->detail = (linli_str){NULL, 0};
        return;
    }
    args->code = declared->code;
    args->status = declared->http_status;
    args->title_en = declared->title_en;
    args->title_zh = declared->title_zh;
}

void
ll_call_problem(struct ll_call *call, linli_str code, linli_str detail)
{
    struct ll_problem_error errors[LL_SCHEMA_ERRORS_MAX];
    struct ll_json json;
    ll_json_init(&json, &call->host->mem);
    struct ll_problem_args args = {
        .locale = call->locale,
        .detail = detail,
        .instance = call->request->path,
        .trace_id = ll_cstr(call->trace.trace_id),
        .errors = errors,
    };
    if (call->word == LL_WORD_FAILED)
        args.error_count = read_errors(&json, call->errors_json, errors);
    name_problem(call, code, &args);
    if (ll_str_starts(code, "consent/")) {
        args.consent_url = call->consent_url;
        args.fields_json = call->fields_json;
    }
    if (ll_str_starts(code, "plan/"))
        args.plan_json = call->plan_json;
    ll_buf_clear(&call->scratch);
    ll_problem_write(&call->scratch, &args);
    /* Too long a detail is left out rather than the whole answer. */
    if (call->scratch.failed) {
        args.detail = args.instance = (linli_str){NULL, 0};
        args.error_count = 0;
        ll_buf_clear(&call->scratch);
        ll_problem_write(&call->scratch, &args);
    }
    ll_json_fini(&json);
    call->problem = args.row != NULL ? ll_cstr(args.row->code) : args.code;
    call->response.status = ll_problem_status(&args);
    call->response.content_type = LINLI_STR(LL_PROBLEM_CONTENT_TYPE);
    call->response.body = ll_buf_view(&call->scratch);
}
