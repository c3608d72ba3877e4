/* host/errand_fetch.c: linli.fetch, from the errand to its answer. [loop]
 *
 * One attempt is one request with its redirects. Whatever it comes to is the
 * answer of who awaits it: an answer that is an error is for the plugin to
 * judge. So an attempt is made again only if the host could not make it, or
 * ended before it was settled; and then under the same id.
 */
#include "base/text.h"
#include "host/await.h"
#include "host/egress.h"
#include "host/errand.h"
#include "host/plan_call.h"
#include "host/work.h"

#define ATTEMPTS_MAX 10
/* With the state and what else a frame holds it fits the worker's. */
#define ANSWER_TEXT_BYTES_MAX (LL_FRAME_BYTES_MAX - (256u << 10))
/* It stands in an answer, and that beside the state. */
#define ANSWER_DEPTH_MAX (LL_BODY_DEPTH_MAX - 3)
/* A table of headers and a body, escaped. */
#define WITH_ARENA_BYTES_MAX ((size_t)4 << 20)

struct fetching {
    struct ll_host *host;
    struct ll_errand *errand;
    struct ll_egress *egress;
    struct ll_buf answer; /* JSON */
    int64_t bytes;        /* of bodies, sent and received */
};

static void
fetching_free(struct fetching *fetching)
{
    ll_egress_cancel(&fetching->egress);
    ll_buf_fini(&fetching->answer);
    ll_release(&fetching->host->mem, fetching, sizeof *fetching);
}

/* -- the answer -- */

static void
put_failure(struct ll_buf *out, const char *code, const char *detail)
{
    struct ll_jw w = ll_jw(out);
    ll_buf_clear(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "ok");
    ll_jw_bool(&w, false);
    ll_jw_key(&w, "error");
    ll_jw_cstr(&w, code);
    ll_jw_key(&w, "detail");
    ll_jw_cstr(&w, detail);
    ll_jw_close(&w, '}');
}

/* The value of all fields of a name, joined as RFC 9110 does. */
static void
put_field(struct ll_jw *w, const struct ll_egress_result *result, uint32_t at,
    struct ll_buf *scratch)
{
    linli_str name = result->fields[at].name;
    ll_buf_clear(scratch);
    for (uint32_t i = at; i < result->field_count; i++) {
        if (!ll_str_eq(result->fields[i].name, name))
            continue;
        ll_buf_cstr(scratch, i == at ? "" : ", ");
        ll_buf_str(scratch, result->fields[i].value);
    }
    ll_jw_key_str(w, name);
    ll_jw_str(w, ll_buf_view(scratch));
}

/* Each name once. Cookies are not told: there are none. */
static void
put_fields(
    struct ll_jw *w, const struct ll_egress_result *result, struct ll_mem *mem)
{
    struct ll_buf scratch;
    ll_buf_init(&scratch, mem, 2 * LL_EGRESS_ANSWER_HEADER_BYTES_MAX);
    ll_jw_key(w, "headers");
    ll_jw_open(w, '{');
    for (uint32_t i = 0; i < result->field_count; i++) {
        linli_str name = result->fields[i].name;
        bool told = ll_str_is(name, "set-cookie") || !ll_utf8_valid(name);
        for (uint32_t k = 0; k < i && !told; k++)
            told = ll_str_eq(result->fields[k].name, name);
        if (!told)
            put_field(w, result, i, &scratch);
    }
    ll_jw_close(w, '}');
    w->buf->failed |= scratch.failed;
    ll_buf_fini(&scratch);
}

/* "application/json", "application/problem+json; charset=utf-8" */
static bool
is_json(const struct ll_egress_result *result)
{
    for (uint32_t i = 0; i < result->field_count; i++) {
        linli_str rest = result->fields[i].value, type;
        if (!ll_str_is(result->fields[i].name, "content-type") ||
            !ll_str_split(&rest, ';', &type))
            continue;
        while (type.len > 0 && type.ptr[type.len - 1] == ' ')
            type.len--;
        if (type.len >= 5)
            type = (linli_str){type.ptr + type.len - 5, 5};
        return ll_str_eq_nocase(type, "/json") ||
               ll_str_eq_nocase(type, "+json");
    }
    return false;
}

static void
put_body(
    struct ll_jw *w, const struct ll_egress_result *result, struct ll_mem *mem)
{
    struct ll_json json;
    if (!ll_utf8_valid(result->body)) {
        struct ll_buf text;
        ll_buf_init(&text, mem, SIZE_MAX);
        ll_base64url_put(&text, result->body.ptr, result->body.len);
        ll_jw_key(w, "body64");
        ll_jw_str(w, ll_buf_view(&text));
        w->buf->failed |= text.failed;
        ll_buf_fini(&text);
        return;
    }
    ll_jw_key(w, "body");
    ll_jw_str(w, result->body);
    ll_json_init(&json, mem);
    if (is_json(result) && ll_json_parse(&json, result->body, ANSWER_DEPTH_MAX,
                               NULL) == LINLI_OK) {
        ll_jw_key(w, "json");
        ll_jw_value(w, ll_json_root(&json));
    }
    ll_json_fini(&json);
}

/* Without memory `out` has failed. */
static void
put_success(struct ll_buf *out, const struct ll_egress_result *result)
{
    struct ll_jw w = ll_jw(out);
    ll_buf_clear(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "ok");
    ll_jw_bool(&w, true);
    ll_jw_key(&w, "status");
    ll_jw_int(&w, result->status);
    put_fields(&w, result, out->mem);
    put_body(&w, result, out->mem);
    ll_jw_close(&w, '}');
}

/* -- the errand -- */

/* Of what went out and came in, for the call that asked for it. */
static linli_status
count_bytes(
    struct fetching *fetching, struct ll_commit *commit, struct ll_err *err)
{
    struct ll_host *host = fetching->host;
    struct ll_errand *errand = fetching->errand;
    struct ll_usage usage = {.at_ms = ll_world_wall(host->world).ms,
        .quantity = fetching->bytes * LL_USAGE_UNIT};
    struct ll_space *space = errand->instance->space;
    int64_t sub = LL_SUB_FREE, high = 0, low = 0;
    struct ll_json json;
    if (fetching->bytes == 0 || !host->config.metering ||
        errand->await == NULL || errand->await->content == NULL)
        return LINLI_OK;
    ll_json_init(&json, &host->mem);
    linli_status status = ll_json_parse(
        &json, errand->await->content->body, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK) {
        struct ll_jv asked = ll_json_root(&json);
        (void)ll_str_int(
            ll_jv_str(ll_jv_get(asked, "sub")), 0, UINT32_MAX, &sub);
        (void)ll_jv_int(ll_jv_get(asked, "call_high"), &high);
        (void)ll_jv_int(ll_jv_get(asked, "call_low"), &low);
    }
    ll_json_fini(&json);
    if (status != LINLI_OK)
        return status;
    usage.call_high = (uint64_t)high;
    usage.call_low = (uint64_t)low;
    struct ll_counted counted = ll_plan_counted(
        host, (uint32_t)sub, LINLI_STR(LL_METER_EGRESS), usage.at_ms);
    struct ll_plan_record record = {space, &counted, &usage};
    usage.series = ll_series(space, &counted);
    if (usage.series == 0 || !ll_plan_count(host, &record, commit))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "usage");
    ll_commit_usage(commit, &usage);
    return LINLI_OK;
}

static linli_status
write_answer(struct ll_errand *errand, bool dead, struct ll_txn *txn,
    struct ll_commit *commit, struct ll_err *err)
{
    struct fetching *fetching = errand->state;
    LL_UNUSED(dead);
    linli_status status = count_bytes(fetching, commit, err);
    if (status != LINLI_OK)
        return status;
    return ll_errand_answer(errand, ll_buf_view(&fetching->answer), txn, err);
}

static void
end(struct fetching *fetching, const struct ll_errand_end *end)
{
    ll_errand_end(fetching->errand, end);
    fetching_free(fetching);
}

/* The host could not make the attempt: it is made again, and if it is given
 * up, that is the answer. */
static void
end_again(struct fetching *fetching, const char *code, const char *detail,
    int64_t retry_ms)
{
    put_failure(&fetching->answer, code, detail);
    end(fetching, &(struct ll_errand_end){.outcome = LL_ERRAND_AGAIN,
                      .code = code,
                      .retry_ms = retry_ms,
                      .write = fetching->answer.failed ? NULL : write_answer});
}

static void
end_failed(struct fetching *fetching, const char *code, const char *detail)
{
    if (ll_task_not_its_fault(ll_cstr(code))) {
        end_again(fetching, code, detail, 0);
        return;
    }
    put_failure(&fetching->answer, code, detail);
    if (fetching->answer.failed)
        end_again(fetching, "runtime/memory", "an answer", 0);
    else
        end(fetching, &(struct ll_errand_end){
                          .outcome = LL_ERRAND_DONE, .write = write_answer});
}

static void
on_done(void *user, const struct ll_egress_result *result)
{
    struct fetching *fetching = user;
    fetching->egress = NULL;
    if (!result->ok) {
        end_failed(fetching, result->code, result->detail);
        return;
    }
    fetching->bytes += (int64_t)result->body.len;
    put_success(&fetching->answer, result);
    if (fetching->answer.failed)
        end_failed(fetching, "runtime/memory", "an answer");
    else if (fetching->answer.len > ANSWER_TEXT_BYTES_MAX)
        end_failed(
            fetching, "egress/too-large", "as JSON the answer is too large");
    else
        end(fetching, &(struct ll_errand_end){
                          .outcome = LL_ERRAND_DONE, .write = write_answer});
}

/* The trace of the call that asked for it. */
static void
read_trace(struct ll_errand *errand, struct ll_trace *trace)
{
    struct ll_world *world = errand->host->world;
    struct ll_json json;
    ll_json_init(&json, &errand->host->mem);
    if (errand->await != NULL && errand->await->content != NULL &&
        ll_json_parse(&json, errand->await->content->body, LL_JSON_DEPTH_MAX,
            NULL) == LINLI_OK) {
        linli_str asked = ll_jv_str(ll_jv_get(ll_json_root(&json), "trace"));
        (void)ll_trace_make(asked,
            (struct ll_trace_seed){ll_world_random_u64(world),
                ll_world_random_u64(world), ll_world_random_u64(world)},
            trace);
    }
    ll_json_fini(&json);
}

static void
start(struct ll_errand *errand)
{
    struct ll_err err = {.status = LINLI_OK};
    struct ll_egress_want want;
    struct ll_host *host = errand->host;
    struct ll_instance *instance = errand->instance;
    struct fetching *fetching = ll_alloc(&host->mem, sizeof *fetching);
    if (fetching == NULL) {
        ll_errand_end(
            errand, &(struct ll_errand_end){
                        .outcome = LL_ERRAND_AGAIN, .code = "runtime/memory"});
        return;
    }
    *fetching = (struct fetching){.host = host, .errand = errand};
    ll_buf_init(&fetching->answer, &host->mem, SIZE_MAX);
    errand->state = fetching;
    if (instance->package == NULL) { /* it is being loaded */
        end_again(fetching, "plugin/loading", "the plugin is being loaded", 0);
        return;
    }
    linli_status status =
        ll_egress_read(errand->with, &errand->arena, &want, &err);
    want.key = errand->id;
    want.done = on_done;
    want.user = fetching;
    if (status == LINLI_OK) {
        read_trace(errand, &want.trace);
        status = ll_egress_start(instance, &want, &fetching->egress, &err);
        fetching->bytes = status == LINLI_OK ? (int64_t)want.body.len : 0;
    }
    if (status != LINLI_OK)
        end_failed(fetching, err.code, err.msg);
}

static void
cancel(struct ll_errand *errand)
{
    fetching_free(errand->state);
}

const struct ll_errand_kind ll_errand_fetch = {.name = "fetch",
    .attempts_max = ATTEMPTS_MAX,
    .answers = true,
    .start = start,
    .cancel = cancel};

linli_status
ll_fetch_check(struct ll_mem *mem, linli_str with, struct ll_err *err)
{
    struct ll_arena arena;
    struct ll_json json;
    struct ll_egress_want want;
    ll_arena_init(&arena, mem, WITH_ARENA_BYTES_MAX);
    ll_json_init(&json, mem);
    linli_status status = ll_json_parse(&json, with, LL_BODY_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = ll_egress_read(ll_json_root(&json), &arena, &want, err);
    ll_json_fini(&json);
    ll_arena_fini(&arena);
    return status;
}
