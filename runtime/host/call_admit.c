/* host/call_admit.c: from the first look at the path to the plugin's run:
 * route, caller, key, rate, body. [loop] */
#include "host/call.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/device.h"
#include "host/kept.h"

#define NS_PER_MS 1000000

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

enum ll_step
ll_step_route(struct ll_call *call)
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
        call->instance->state == LL_INSTANCE_GONE ||
        call->instance->state == LL_INSTANCE_FAILED)
        return ll_call_refuse(call, "request/not-found", NULL);
    if (call->instance->state == LL_INSTANCE_UNINSTALLING)
        return ll_call_refuse(call, "plugin/uninstalling", NULL);
    bool disabled = call->instance->state == LL_INSTANCE_DISABLED;
    if (disabled && call->instance->package == NULL)
        return ll_call_refuse(call, "plugin/disabled", NULL);
    /* An upgrade may replace it while this call is open. */
    call->package = ll_package_ref(call->instance->package);
    ll_call_hold_pool(call);
    call->metrics_row = call->instance->metrics_row;
    call->counted = true;
    ll_metrics_row(&call->host->metrics, call->metrics_row)->in_flight++;
    if (!ll_manifest_match(call->package->manifest, request->method, call->path,
            &call->arena, &call->match))
        return ll_call_refuse(
            call, "request/malformed", "bad percent-encoding in the path");
    /* A gate must open all the same: its event is kept for later. */
    if (disabled &&
        (call->match.route == NULL || call->match.route->fallback_status == 0))
        return ll_call_refuse(call, "plugin/disabled", NULL);
    if (call->match.route != NULL)
        return LL_STEP_MORE;
    if (call->match.allow == 0)
        return ll_call_refuse(call, "request/not-found", NULL);
    ll_call_add_header(call, "allow", allow_header(call, call->match.allow));
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

enum ll_step
ll_step_authenticate(struct ll_call *call)
{
    struct ll_err err;
    if (ll_request_field(call->request, "linli-signature").ptr != NULL) {
        enum ll_step step = ll_device_identify(call);
        if (step == LL_STEP_WAIT || call->state != LL_CALL_AUTHENTICATE)
            return step;
    } else if (ll_host_identify(call->host, call->request, &call->identity,
                   &err) != LINLI_OK) {
        if (strncmp(err.code, "auth/", 5) == 0)
            ll_call_add_header(call, "www-authenticate", challenge(err.code));
        return ll_call_refuse(call, err.code, err.msg);
    }
    /* Another community's caller learns nothing of this one. */
    if (!ll_str_eq(call->identity->community, call->community->id))
        return ll_call_refuse(call, "request/not-found", NULL);
    if (!(call->match.route->callers & 1u << call->identity->kind))
        return refuse_kind(call);
    return LL_STEP_MORE;
}

/* -- the key -- */

enum ll_step
ll_step_idempotency(struct ll_call *call)
{
    const struct ll_route *route = call->match.route;
    linli_str key = ll_request_field(call->request, "idempotency-key");
    /* A device's event has an id of its own. */
    bool needed = !route->safe && call->identity->kind != LL_CALLER_DEVICE;
    if (call->kept == NULL && key.ptr != NULL && !ll_kept_key_valid(key))
        return ll_call_refuse(call, "request/idempotency-key",
            "the key must be 1 to 128 visible ASCII characters");
    if (key.ptr == NULL && needed)
        return ll_call_refuse(call, "request/idempotency-key", NULL);
    return needed ? ll_kept_look(call, key) : LL_STEP_MORE;
}

/* -- how often, how much -- */

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
    ll_call_add_header(call, "ratelimit-policy", ll_cstr(call->rate_policy));
    ll_call_add_header(call, "ratelimit", ll_cstr(call->rate_limit));
    ll_call_add_header(call, "retry-after", ll_cstr(call->retry_after));
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

enum ll_step
ll_step_admit(struct ll_call *call)
{
    const struct ll_request *request = call->request;
    if (!call->match.route->safety && !within_rate(call))
        return ll_call_refuse(call, "request/rate-limited", NULL);
    /* The disk does not keep up: what is taken on now would wait for long. */
    if (ll_store_busy(call->host->store))
        return ll_call_refuse(call, "runtime/busy", NULL);
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
