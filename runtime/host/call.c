/* host/call.c: the pipeline, one request from route to response. [loop] */
#include "host/call.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/problem_json.h"

#define CALL_ARENA_BYTES_MAX ((size_t)256 << 10)
#define CALL_SCRATCH_BYTES_MAX ((size_t)256 << 10)
/* Calls kept for the next requests, so that a steady state allocates
 * nothing. */
#define SPARE_CALLS_MAX 256
#define KEEP_BYTES ((size_t)16 << 10) /* of each of a spare call's buffers */
#define NS_PER_MS 1000000

static const struct ll_run_ops run_ops;

/* -- birth and death -- */

static struct ll_call *
call_new(struct ll_host *host)
{
    struct ll_call *call = host->spare;
    if (call != NULL) {
        host->spare = call->next;
        host->spare_count--;
        return call;
    }
    call = ll_alloc(&host->mem, sizeof *call);
    if (call == NULL)
        return NULL;
    call->host = host;
    ll_arena_init(&call->arena, &host->mem, CALL_ARENA_BYTES_MAX);
    ll_buf_init(&call->payload, &host->mem, LL_FRAME_BYTES_MAX + 65536);
    ll_buf_init(&call->scratch, &host->mem, CALL_SCRATCH_BYTES_MAX);
    return call;
}

static void
call_free(struct ll_call *call)
{
    struct ll_host *host = call->host;
    ll_arena_fini(&call->arena);
    ll_buf_fini(&call->payload);
    ll_buf_fini(&call->scratch);
    ll_release(&host->mem, call, sizeof *call);
}

void
ll_call_free_spares(struct ll_host *host)
{
    while (host->spare != NULL) {
        struct ll_call *call = host->spare;
        host->spare = call->next;
        call_free(call);
    }
    host->spare_count = 0;
}

static void
call_open(struct ll_call *call, struct ll_request *request)
{
    struct ll_host *host = call->host;
    struct ll_run clean = {.ops = &run_ops};
    call->request = request;
    call->state = LL_CALL_ROUTE;
    call->run = clean;
    call->community = NULL;
    call->instance = NULL;
    call->package = NULL;
    call->identity = NULL;
    call->word = LL_WORD_NONE;
    call->response.header_count = 0;
    call->problem = (linli_str){NULL, 0};
    call->counted = false;
    call->wait = NULL;
    call->began = ll_mono_now();
    call->prev = NULL;
    call->next = host->calls;
    if (host->calls != NULL)
        host->calls->prev = call;
    host->calls = call;
    host->call_count++;
    request->call = call;
}

/* After the response: the call is put away for the next request. */
static void
call_close(struct ll_call *call)
{
    struct ll_host *host = call->host;
    ll_call_services_end(call);
    ll_identity_unref(&call->identity);
    ll_package_unref(&call->package);
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        host->calls = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    host->call_count--;
    ll_arena_reset(&call->arena);
    ll_buf_reset(&call->payload, KEEP_BYTES);
    ll_buf_reset(&call->scratch, KEEP_BYTES);
    if (host->spare_count >= SPARE_CALLS_MAX) {
        call_free(call);
    } else {
        call->next = host->spare;
        host->spare = call;
        host->spare_count++;
    }
    ll_host_check_stopped(host);
}

/* -- the steps -- */

/* "/v1/c/COMMUNITY/PLUGIN/REST" into its parts; `rest` keeps its '/'. */
static bool
split_path(
    linli_str path, linli_str *community, linli_str *plugin, linli_str *rest)
{
    if (!ll_str_starts(path, "/v1/c/"))
        return false;
    linli_str left = {path.ptr + 6, path.len - 6};
    if (!ll_str_split(&left, '/', community) || left.ptr == NULL)
        return false;
    const char *slash = left.len == 0 ? NULL : memchr(left.ptr, '/', left.len);
    size_t n = slash == NULL ? left.len : (size_t)(slash - left.ptr);
    *plugin = (linli_str){left.ptr, n};
    *rest = n == left.len ? LINLI_STR("/")
                          : (linli_str){left.ptr + n, left.len - n};
    return n > 0;
}

/* Of methods the path knows, as the Allow header writes them. */
static linli_str
allow_header(struct ll_call *call, uint32_t methods)
{
    static const char *const names[] = {
        "GET", "POST", "PUT", "PATCH", "DELETE"};
    char text[48] = "";
    size_t n = 0;
    for (size_t i = 0; i < LL_COUNT(names); i++)
        if (methods & 1u << i)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
                n == 0 ? "" : ", ", names[i]);
    return ll_arena_str(&call->arena, (linli_str){text, n});
}

static void
add_header(struct ll_call *call, const char *name, linli_str value)
{
    struct ll_response *response = &call->response;
    ll_check(response->header_count < LL_COUNT(response->headers));
    response->headers[response->header_count++] =
        (struct ll_field){ll_cstr(name), value};
}

static linli_str
quoted(struct ll_call *call, linli_str tag)
{
    char text[LL_ETAG_BYTES_MAX + 2] = "\"";
    ll_check(tag.len <= LL_ETAG_BYTES_MAX);
    memcpy(text + 1, tag.ptr, tag.len);
    text[tag.len + 1] = '"';
    return ll_arena_str(&call->arena, (linli_str){text, tag.len + 2});
}

static enum ll_step
step_route(struct ll_call *call)
{
    const struct ll_request *request = call->request;
    linli_str community, plugin;
    if (call->host->draining)
        return ll_call_refuse(call, "runtime/draining", NULL);
    if (!split_path(request->path, &community, &plugin, &call->path))
        return ll_call_refuse(call, "request/not-found", NULL);
    call->community = ll_host_community(call->host, community);
    if (call->community != NULL)
        call->instance = ll_community_instance(call->community, plugin);
    if (call->instance == NULL ||
        call->instance->state == LL_INSTANCE_LOADING ||
        call->instance->state == LL_INSTANCE_FAILED)
        return ll_call_refuse(call, "request/not-found", NULL);
    if (call->instance->state == LL_INSTANCE_DISABLED)
        return ll_call_refuse(call, "plugin/disabled", NULL);
    /* An upgrade may replace it while this call is open. */
    call->package = ll_package_ref(call->instance->package);
    call->metrics_row = call->instance->metrics_row;
    call->counted = true;
    ll_metrics_row(&call->host->metrics, call->metrics_row)->in_flight++;
    if (!ll_manifest_match(call->package->manifest, request->method, call->path,
            &call->arena, &call->match))
        return ll_call_refuse(
            call, "request/malformed", "bad percent-encoding in the path");
    if (call->match.route != NULL)
        return LL_STEP_MORE;
    if (call->match.allow == 0)
        return ll_call_refuse(call, "request/not-found", NULL);
    add_header(call, "allow", allow_header(call, call->match.allow));
    return ll_call_refuse(call, "request/method", NULL);
}

linli_status
ll_host_identify(struct ll_host *host, const struct ll_request *request,
    struct ll_identity **out, struct ll_err *err)
{
    linli_str token;
    *out = NULL;
    linli_status status = ll_bearer_token(
        ll_request_field(request, "authorization"), &token, err);
    if (status != LINLI_OK)
        return status;
    if (host->jwks == NULL)
        return ll_fail(err, LINLI_E_DENIED, "auth/invalid",
            "no key is configured that a token could be checked with");
    return ll_token_identify(host->tokens, host->jwks, token,
        ll_world_wall(host->world).ms, out, err);
}

/* RFC 6750, section 3: an error is named only if a token was sent. */
static linli_str
challenge(const char *code)
{
    return strcmp(code, "auth/missing") == 0
               ? LINLI_STR("Bearer")
               : LINLI_STR("Bearer error=\"invalid_token\"");
}

/* Says which kinds of caller the route takes. */
static enum ll_step
refuse_kind(struct ll_call *call)
{
    char detail[96];
    size_t n = (size_t)snprintf(detail, sizeof detail, "this route takes");
    const char *between = " ";
    for (unsigned kind = 0; ll_caller_name(kind) != NULL; kind++) {
        if (!(call->match.route->callers & 1u << kind))
            continue;
        n += (size_t)snprintf(detail + n, sizeof detail - n, "%s%s", between,
            ll_caller_name(kind));
        between = ", ";
    }
    return ll_call_refuse(call, "auth/forbidden", detail);
}

static enum ll_step
step_authenticate(struct ll_call *call)
{
    struct ll_err err;
    if (ll_host_identify(call->host, call->request, &call->identity, &err) !=
        LINLI_OK) {
        if (strncmp(err.code, "auth/", 5) == 0)
            add_header(call, "www-authenticate", challenge(err.code));
        return ll_call_refuse(call, err.code, err.msg);
    }
    /* Another community's caller learns nothing of this one. */
    if (!ll_str_eq(call->identity->community, call->community->id))
        return ll_call_refuse(call, "request/not-found", NULL);
    if (!(call->match.route->callers & 1u << call->identity->kind))
        return refuse_kind(call);
    return LL_STEP_MORE;
}

static bool
key_is_valid(linli_str key)
{
    if (key.len < 1 || key.len > LL_IDEMPOTENCY_KEY_BYTES_MAX)
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] < 0x21 || key.ptr[i] > 0x7e)
            return false;
    return true;
}

/* Nothing is written yet that a replay could repeat, so the key is only
 * required and checked; what is stored under it comes with the store. */
static enum ll_step
step_idempotency(struct ll_call *call)
{
    const struct ll_route *route = call->match.route;
    linli_str key = ll_request_field(call->request, "idempotency-key");
    if (key.ptr != NULL && !key_is_valid(key))
        return ll_call_refuse(call, "request/idempotency-key",
            "the key must be 1 to 128 visible ASCII characters");
    if (key.ptr == NULL && !route->safe && !ll_str_is(route->method, "GET"))
        return ll_call_refuse(call, "request/idempotency-key", NULL);
    return LL_STEP_MORE;
}

/* The one place that knows the draft: RateLimit headers of
 * draft-ietf-httpapi-ratelimit-headers-11. */
static void
add_rate_headers(struct ll_call *call, const struct ll_rate *rate,
    const struct ll_rate_verdict *verdict)
{
    struct ll_rate_policy policy = ll_rate_policy(rate);
    int64_t window_s =
        (policy.burst * 60 + policy.per_minute - 1) / policy.per_minute;
    (void)snprintf(call->rate_policy, sizeof call->rate_policy,
        "\"caller\";q=%lld;w=%lld", (long long)policy.burst,
        (long long)window_s);
    (void)snprintf(call->rate_limit, sizeof call->rate_limit,
        "\"caller\";r=%lld;t=%lld", (long long)verdict->remaining,
        (long long)verdict->retry_after_s);
    (void)snprintf(call->retry_after, sizeof call->retry_after, "%lld",
        (long long)verdict->retry_after_s);
    add_header(call, "ratelimit-policy", ll_cstr(call->rate_policy));
    add_header(call, "ratelimit", ll_cstr(call->rate_limit));
    add_header(call, "retry-after", ll_cstr(call->retry_after));
}

/* Who calls, whichever plugin: odd factors keep the parts apart. */
static uint64_t
caller_hash(const struct ll_call *call)
{
    const struct ll_identity *identity = call->identity;
    return ll_siphash(call->host->hash_key, identity->id) * 3 +
           call->community->hash * 5 + identity->kind;
}

/* A caller calls too often, or its calls to this route keep a worker from
 * everybody else until it is killed. */
static bool
within_rate(struct ll_call *call)
{
    struct ll_host *host = call->host;
    int64_t now_ms = ll_world_mono(host->world).ns / NS_PER_MS;
    uint64_t caller = caller_hash(call);
    struct ll_rate_verdict verdict = ll_rate_take(host->rate, caller, now_ms);
    if (!verdict.allowed) {
        add_rate_headers(call, host->rate, &verdict);
        return false;
    }
    /* The same caller on the same route of this plugin. */
    call->burst_hash =
        caller * 7 + call->instance->hash + call->match.route_index;
    verdict = ll_rate_look(host->burst_kills, call->burst_hash, now_ms);
    if (!verdict.allowed)
        add_rate_headers(call, host->burst_kills, &verdict);
    return verdict.allowed;
}

static enum ll_step
step_admit(struct ll_call *call)
{
    const struct ll_request *request = call->request;
    if (!within_rate(call))
        return ll_call_refuse(call, "request/rate-limited", NULL);
    int64_t body_max = call->match.route->limits.body_bytes;
    if (request->has_body && (int64_t)request->body.len > body_max) {
        char detail[64];
        (void)snprintf(detail, sizeof detail,
            "this route takes at most %lld bytes", (long long)body_max);
        return ll_call_refuse(call, "request/too-large", detail);
    }
    if (request->has_body && !ll_request_is_json(request))
        return ll_call_refuse(call, "request/content-type", NULL);
    return LL_STEP_MORE;
}

/* A manifest that declares resident fields is refused at load until the
 * arbiter exists, so no call can ask for any. */
static enum ll_step
step_consent(struct ll_call *call)
{
    LL_UNUSED(call);
    return LL_STEP_MORE;
}

/* No plan limits a call yet: rate limits and the breaker are all there is. */
static enum ll_step
step_quota(struct ll_call *call)
{
    LL_UNUSED(call);
    return LL_STEP_MORE;
}

/* Who the plugin is told calls. A resident is a pid of this plugin and this
 * community, so that two plugins cannot put their records together. */
static linli_str
caller_id(const struct ll_call *call, char out[33])
{
    const struct ll_identity *identity = call->identity;
    if (identity->kind != LL_CALLER_RESIDENT)
        return identity->id;
    uint64_t half[2] = {ll_siphash(call->instance->pid_key, identity->id),
        ll_siphash(call->instance->pid_key + 16, identity->id)};
    ll_hex((const unsigned char *)half, sizeof half, out);
    return (linli_str){out, 32};
}

/* One strong tag loses its quotes; "*", a weak tag and a list are told as
 * sent: they are equal to no tag that a plugin gives. */
static void
put_if_match(struct ll_buf *out, linli_str tag)
{
    if (tag.ptr == NULL) {
        ll_put_nil(out);
        return;
    }
    if (tag.len > 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"') {
        linli_str inner = {tag.ptr + 1, tag.len - 2};
        if (ll_etag_valid(inner))
            tag = inner;
    }
    ll_put_bytes(out, tag);
}

static void
write_payload(struct ll_call *call)
{
    const struct ll_request *request = call->request;
    const struct ll_call_limits *limits = &call->match.route->limits;
    struct ll_buf *out = &call->payload;
    char pid[33];
    ll_put_list(out, 24);
    ll_put_int(out, 0); /* kind: request */
    ll_put_int(out, call->match.route_index);
    ll_put_int(out, ll_world_wall(call->host->world).ms);
    ll_put_int(out, (int64_t)ll_world_random_u64(call->host->world));
    ll_put_int(out, limits->wall_ms);
    ll_put_int(out, limits->cpu_ms);
    ll_put_int(out, limits->memory_bytes);
    ll_put_list(out, call->match.param_count);
    for (uint32_t i = 0; i < call->match.param_count; i++)
        ll_put_bytes(out, call->match.params[i]);
    ll_put_bytes(out, call->path);
    ll_put_bytes(out, request->query);
    ll_put_bytes(out, ll_cstr(ll_caller_name(call->identity->kind)));
    ll_put_bytes(out, caller_id(call, pid));
    ll_put_bytes(out, call->identity->roles);
    ll_put_bytes(out, ll_cstr(ll_locale_tag(call->locale)));
    ll_put_bytes(out, ll_cstr(call->trace.trace_id));
    if (request->has_body)
        ll_put_bytes(out, request->body);
    else
        ll_put_nil(out);
    ll_put_bytes(out, LINLI_STR("")); /* name */
    ll_put_nil(out);                  /* input */
    ll_put_int(out, 0);               /* due */
    ll_put_bool(out, false);          /* late */
    put_if_match(out, ll_request_field(request, "if-match"));
    ll_put_bytes(out, LINLI_STR("")); /* bound_to */
    ll_put_bytes(out, LINLI_STR("")); /* device_kind */
    ll_put_bytes(out, LINLI_STR("")); /* resident */
}

static enum ll_step
step_run(struct ll_call *call)
{
    if (call->word != LL_WORD_NONE)
        return LL_STEP_MORE;
    write_payload(call);
    if (call->payload.failed || call->payload.len > LL_FRAME_BYTES_MAX)
        return ll_call_refuse(call, "request/too-large",
            "path, query and body together exceed a frame of 1 MiB");
    call->run.payload = ll_buf_view(&call->payload);
    call->run.deadline_ns =
        call->began.ns + call->match.route->limits.wall_ms * NS_PER_MS;
    ll_pool_submit(call->instance->pool, &call->run);
    return LL_STEP_WAIT;
}

static const char *
end_code(enum ll_run_end end)
{
    switch (end) {
    case LL_RUN_WALL:
    case LL_RUN_BURST:
        return "sandbox/timeout";
    case LL_RUN_CRASHED:
    case LL_RUN_REFUSED:
        return "sandbox/crashed";
    case LL_RUN_PROTOCOL:
        return "sandbox/protocol";
    case LL_RUN_BREAKER:
        return "sandbox/breaker-open";
    case LL_RUN_STOPPED:
        return "runtime/draining";
    case LL_RUN_BUSY:
        return "runtime/busy";
    }
    return "runtime/internal";
}

static void
log_word(struct ll_call *call, const char *code, linli_str msg)
{
    struct ll_log_line line = {
        .level = LL_WARN,
        .code = code,
        .plugin = call->instance->id,
        .version = call->package->manifest->version,
        .community = call->community->id,
        .trace_id = ll_cstr(call->trace.trace_id),
        .msg = msg,
    };
    ll_log_write(&call->host->log, &line);
}

/* What the plugin or its worker said is judged before anything of it
 * leaves: a code must be one that the manifest declares, or one of ours. */
static enum ll_step
step_validate(struct ll_call *call)
{
    struct ll_response *response = &call->response;
    if (call->word == LL_WORD_ENDED) {
        const char *code = end_code(call->end);
        if (call->end == LL_RUN_BURST)
            (void)ll_rate_take(call->host->burst_kills, call->burst_hash,
                ll_world_mono(call->host->world).ns / NS_PER_MS);
        log_word(call, code, LINLI_STR("the run ended without an answer"));
        return ll_call_refuse(call, code, NULL);
    }
    if (call->word == LL_WORD_FAILED) {
        if (call->log.len > 0) {
            char code[48];
            (void)snprintf(code, sizeof code, "%.*s", LL_FMT(call->code));
            log_word(call, code, call->log);
        }
        ll_call_problem(call, call->code, call->detail);
        return LL_STEP_MORE;
    }
    response->status = call->status;
    response->body = call->body;
    if (call->etag.len > 0)
        add_header(call, "etag", quoted(call, call->etag));
    response->content_type =
        call->body.len == 0 ? LINLI_STR("") : LINLI_STR("application/json");
    return LL_STEP_MORE;
}

/* Nothing is written yet; the state stands so that the order does. */
static enum ll_step
step_commit(struct ll_call *call)
{
    LL_UNUSED(call);
    return LL_STEP_MORE;
}

static void
count(const struct ll_call *call)
{
    if (!call->counted)
        return;
    struct ll_plugin_metrics *row =
        ll_metrics_row(&call->host->metrics, call->metrics_row);
    row->in_flight--;
    row->calls[ll_outcome_of(call->response.status, call->problem)]++;
    ll_histogram_add(&row->duration, ll_mono_now().ns - call->began.ns);
}

static enum ll_step
step_respond(struct ll_call *call)
{
    struct ll_request *request = call->request;
    count(call);
    if (call->problem.len > 0)
        add_header(
            call, "content-language", ll_cstr(ll_locale_tag(call->locale)));
    ll_trace_header(&call->trace, call->traceparent);
    add_header(call, "traceparent",
        (linli_str){call->traceparent, LL_TRACEPARENT_BYTES - 1});
    request->call = NULL;
    request->respond(request, &call->response);
    return LL_STEP_MORE;
}

static enum ll_step (*const steps[])(struct ll_call *call) = {
#define X(name, step, what) [LL_CALL_##name] = step_##step,
    LL_CALL_STATES(X)
#undef X
};

/* Steps until the call waits or is over. */
static void
advance(struct ll_call *call)
{
    while (call->state != LL_CALL_OVER) {
        enum ll_call_state at = call->state;
        if (steps[at](call) == LL_STEP_WAIT)
            return;
        /* A step that refused has moved the call to RESPOND itself. */
        if (call->state == at)
            call->state = (enum ll_call_state)(at + 1);
    }
    call_close(call);
}

enum ll_step
ll_call_refuse(struct ll_call *call, const char *code, const char *detail)
{
    ll_call_problem(call, ll_cstr(code),
        detail == NULL ? (linli_str){NULL, 0} : ll_cstr(detail));
    call->state = LL_CALL_RESPOND;
    return LL_STEP_MORE;
}

void
ll_call_abandon(struct ll_call *call)
{
    ll_check(call->state == LL_CALL_RUN);
    ll_pool_cancel(&call->run);
    call->word = LL_WORD_ENDED;
    call->end = LL_RUN_STOPPED;
    call->state = LL_CALL_VALIDATE;
    advance(call);
}

void
ll_host_dispatch(struct ll_host *host, struct ll_request *request)
{
    struct ll_call *call = call_new(host);
    if (call == NULL) {
        static const char body[] =
            "{\"type\":\"urn:linli:problem:runtime/memory\",\"title\":"
            "\"The runtime is out of memory\",\"status\":503,\"code\":"
            "\"runtime/memory\",\"retryable\":true}";
        struct ll_response response = {.status = 503,
            .content_type = LINLI_STR("application/problem+json"),
            .body = LINLI_STR(body)};
        request->respond(request, &response);
        return;
    }
    call_open(call, request);
    struct ll_trace_seed seed = {ll_world_random_u64(host->world),
        ll_world_random_u64(host->world), ll_world_random_u64(host->world)};
    (void)ll_trace_make(
        ll_request_field(request, "traceparent"), seed, &call->trace);
    call->locale = ll_locale_pick(ll_request_field(request, "accept-language"));
    advance(call);
}

/* -- what the pool tells -- */

static struct ll_call *
call_of(struct ll_run *run)
{
    return LL_CONTAINER(run, struct ll_call, run);
}

static void
on_reply(struct ll_run *run, int status, linli_str body, linli_str etag)
{
    struct ll_call *call = call_of(run);
    call->word = LL_WORD_REPLY;
    call->status = status;
    call->body = body;
    call->etag = etag;
    advance(call);
}

static void
on_failed(struct ll_run *run, linli_str code, linli_str detail, linli_str log,
    linli_str errors_json)
{
    struct ll_call *call = call_of(run);
    call->word = LL_WORD_FAILED;
    call->code = code;
    call->detail = detail;
    call->log = log;
    call->errors_json = errors_json;
    advance(call);
}

static void
on_hostcall(struct ll_run *run, uint32_t op, linli_str args)
{
    ll_call_service(call_of(run), op, args);
}

static void
on_log(struct ll_run *run, unsigned level, linli_str text)
{
    struct ll_call *call = call_of(run);
    struct ll_log_line line = {
        .level = (enum ll_level)level,
        .code = "plugin.log",
        .plugin = call->instance->id,
        .version = call->package->manifest->version,
        .community = call->community->id,
        .trace_id = ll_cstr(call->trace.trace_id),
        .msg = text,
    };
    ll_log_write(&call->host->log, &line);
}

static void
on_again(struct ll_run *run)
{
    ll_call_services_end(call_of(run));
}

static void
on_ended(struct ll_run *run, enum ll_run_end end)
{
    struct ll_call *call = call_of(run);
    call->word = LL_WORD_ENDED;
    call->end = end;
    advance(call);
}

static const struct ll_run_ops run_ops = {
    .reply = on_reply,
    .failed = on_failed,
    .hostcall = on_hostcall,
    .log = on_log,
    .again = on_again,
    .ended = on_ended,
};
