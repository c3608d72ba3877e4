/* host/problem_json.c: the members of a problem, in a fixed order. [any] */
#include "host/problem_json.h"

#include "base/json.h"
#include "base/text.h"

int
ll_problem_status(const struct ll_problem_args *args)
{
    return args->row != NULL ? args->row->http_status : args->status;
}

static void
member(struct ll_jw *w, const char *name, linli_str value)
{
    if (value.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, value);
}

static void
write_errors(struct ll_jw *w, const struct ll_problem_args *args)
{
    if (args->error_count == 0)
        return;
    ll_jw_key(w, "errors");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < args->error_count; i++) {
        const struct ll_problem_error *error = &args->errors[i];
        ll_jw_open(w, '{');
        ll_jw_key(w, "pointer");
        ll_jw_str(w, error->pointer);
        member(w, "rule", error->rule);
        member(w, "detail", error->detail);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

/* The title in the caller's language, else in the other, else the code: a
 * plugin may declare only one. */
static linli_str
pick_title(const struct ll_problem_args *args, linli_str code)
{
    bool zh = args->locale == LL_LOCALE_ZH;
    if (args->row != NULL)
        return ll_cstr(zh ? args->row->title_zh : args->row->title_en);
    linli_str first = zh ? args->title_zh : args->title_en;
    linli_str second = zh ? args->title_en : args->title_zh;
    if (first.len > 0)
        return first;
    return second.len > 0 ? second : code;
}

/* 429 and 503 say "later" whoever declared the problem. */
static bool
is_retryable(const struct ll_problem_args *args)
{
    return args->row != NULL ? args->row->retryable
                             : args->status == 429 || args->status == 503;
}

void
ll_problem_write(struct ll_buf *buf, const struct ll_problem_args *args)
{
    struct ll_jw w = ll_jw(buf);
    linli_str code = args->row != NULL ? ll_cstr(args->row->code) : args->code;
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "type");
    ll_jw_raw(&w, LINLI_STR("\"" LL_PROBLEM_TYPE_PREFIX));
    ll_json_escape(buf, code);
    ll_buf_char(buf, '"');
    member(&w, "title", pick_title(args, code));
    ll_jw_key(&w, "status");
    ll_jw_int(&w, ll_problem_status(args));
    member(&w, "detail", args->detail);
    member(&w, "instance", args->instance);
    member(&w, "code", code);
    member(&w, "trace_id", args->trace_id);
    ll_jw_key(&w, "retryable");
    ll_jw_bool(&w, is_retryable(args));
    write_errors(&w, args);
    member(&w, "consent_url", args->consent_url);
    if (args->fields_json.len > 0) {
        ll_jw_key(&w, "fields");
        ll_jw_raw(&w, args->fields_json);
    }
    if (args->plan_json.len > 0) {
        ll_jw_key(&w, "plan");
        ll_jw_raw(&w, args->plan_json);
    }
    if (args->row != NULL)
        member(&w, "fix",
            ll_cstr(args->locale == LL_LOCALE_ZH ? args->row->fix_zh
                                                 : args->row->fix_en));
    ll_jw_close(&w, '}');
}
