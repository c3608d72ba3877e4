/* host/egress.c: a request on its way, redirect by redirect. [loop]
 *
 * States of one: it waits for its turn (WAITING), a fetch is under way, or
 * it pauses before it tries to connect again. In each of them it can be
 * cancelled, and it ends by calling back once. Its deadline is one for all
 * of them.
 */
#include "host/egress.h"

#include <stdio.h>

#include "base/text.h"
#include "host/egress_place.h"
#include "host/secret.h"

#define RATE_BUCKETS 16 /* of which one is used: the least there can be */
#define HEADERS_MAX (LL_EGRESS_HEADERS_MAX + 4) /* with our own */
/* URLs and header lines of every try of every hop. */
#define ARENA_BYTES_MAX                                            \
    ((size_t)(LL_EGRESS_REDIRECTS_MAX + LL_EGRESS_TRIES_MAX + 1) * \
        (8 * LL_EGRESS_URL_BYTES_MAX + 2 * LL_EGRESS_HEADER_BYTES_MAX + 8192))

/* What one instance sends; as long as it lives. */
struct ll_egress_pool {
    struct ll_fetch_pool *fetches;
    struct ll_rate *rate;           /* NULL: rate limits are off */
    struct ll_egress *first, *last; /* in the order they came */
    uint32_t in_flight, waiting;
};

struct ll_egress {
    struct ll_instance *instance;
    struct ll_egress_pool *pool;
    struct ll_egress *next, *before;
    struct ll_arena arena;
    struct ll_egress_want want; /* borrowed, but for the method and body
                                   that a redirect changes */
    struct ll_url url;          /* of this hop */
    const struct ll_egress_fixed *fixed; /* where that is; NULL: ask DNS */
    struct ll_fetch *fetch;
    struct ll_timer *timer;
    struct ll_mono deadline;
    uint32_t redirects, tries; /* tries of this hop */
    bool waiting;
    bool secret;    /* its arena has held one */
    bool elsewhere; /* a redirect has left the origin that was asked for */
    char refused[LL_EGRESS_REFUSED_BYTES]; /* address and range */
    char traceparent[LL_TRACEPARENT_BYTES];
};

static linli_status begin(struct ll_egress *egress, struct ll_err *err);
static void on_timer(void *user);

/* -- the log -- */

/* A request that did not come to an answer: METHOD ORIGIN: why. Paths and
 * queries may hold what nobody should read there. */
static void
log_end(const struct ll_instance *instance, const struct ll_egress_want *want,
    linli_str origin, const char *code, const char *detail)
{
    char msg[LL_URL_HOST_BYTES_MAX + 512];
    (void)snprintf(msg, sizeof msg, "%.*s %.*s: %s", LL_FMT(want->method),
        LL_FMT(origin), detail);
    struct ll_log_line line = {
        .level = LL_WARN,
        .code = code,
        .plugin = instance->id,
        .version = instance->package == NULL
                       ? LINLI_STR("")
                       : instance->package->manifest->version,
        .community = instance->community->id,
        .trace_id = ll_cstr(want->trace.trace_id),
        .msg = ll_cstr(msg),
    };
    ll_log_write(&instance->host->log, &line);
}

/* -- pools -- */

static struct ll_egress_pool *
pool_of(struct ll_instance *instance)
{
    struct ll_host *host = instance->host;
    struct ll_rate_policy policy = {
        .per_minute = LL_EGRESS_PER_MINUTE_MAX, .burst = LL_EGRESS_BURST_MAX};
    if (instance->egress != NULL)
        return instance->egress;
    struct ll_egress_pool *pool = ll_alloc(&host->mem, sizeof *pool);
    if (pool == NULL)
        return NULL;
    instance->egress = pool;
    pool->fetches = ll_fetch_pool_new(
        host->world, (struct ll_fetch_pool_options){
                         .idle_connections = LL_EGRESS_IDLE_CONNECTIONS,
                         .idle_ms = LL_EGRESS_IDLE_MS,
                         .ca_file = host->config.ca_file});
    if (!host->config.rate_off)
        pool->rate = ll_rate_new(&host->mem, policy, RATE_BUCKETS);
    if (pool->fetches == NULL || (pool->rate == NULL && !host->config.rate_off))
        ll_egress_close(instance);
    return instance->egress;
}

void
ll_egress_close(struct ll_instance *instance)
{
    struct ll_egress_pool *pool = instance->egress;
    instance->egress = NULL;
    if (pool == NULL)
        return;
    ll_check(pool->first == NULL);
    ll_fetch_pool_free(&pool->fetches);
    ll_rate_free(&pool->rate);
    ll_release(&instance->host->mem, pool, sizeof *pool);
}

static void
pool_add(struct ll_egress_pool *pool, struct ll_egress *egress)
{
    egress->before = pool->last;
    if (pool->last != NULL)
        pool->last->next = egress;
    else
        pool->first = egress;
    pool->last = egress;
}

static void
pool_remove(struct ll_egress_pool *pool, struct ll_egress *egress)
{
    if (egress->next != NULL)
        egress->next->before = egress->before;
    else
        pool->last = egress->before;
    if (egress->before != NULL)
        egress->before->next = egress->next;
    else
        pool->first = egress->next;
    if (egress->waiting)
        pool->waiting--;
    else
        pool->in_flight--;
}

/* -- ending -- */

static void
egress_free(struct ll_egress *egress)
{
    struct ll_mem *mem = &egress->instance->host->mem;
    ll_fetch_cancel(&egress->fetch);
    ll_timer_free(&egress->timer);
    if (egress->secret)
        ll_arena_wipe(&egress->arena);
    ll_arena_fini(&egress->arena);
    ll_release(mem, egress, sizeof *egress);
}

static void
finish(struct ll_egress *egress, const struct ll_egress_result *result)
{
    struct ll_egress_pool *pool = egress->pool;
    if (!result->ok)
        log_end(egress->instance, &egress->want,
            ll_url_origin(&egress->url, &egress->arena), result->code,
            result->detail);
    pool_remove(pool, egress);
    egress->want.done(egress->want.user, result);
    egress_free(egress);
}

static void
fail(struct ll_egress *egress, const char *code, const char *detail)
{
    finish(egress, &(struct ll_egress_result){.code = code, .detail = detail});
}

/* Begins what waits while there is room. One that cannot begin ends, which
 * makes room for the next. */
static void
pump(struct ll_egress_pool *pool)
{
    while (pool->waiting > 0 && pool->in_flight < LL_EGRESS_IN_FLIGHT_MAX) {
        struct ll_err err;
        struct ll_egress *egress = pool->first;
        while (!egress->waiting)
            egress = egress->next;
        egress->waiting = false;
        pool->waiting--;
        pool->in_flight++;
        ll_timer_stop(egress->timer);
        if (begin(egress, &err) != LINLI_OK)
            fail(egress, err.code, err.msg);
    }
}

void
ll_egress_cancel(struct ll_egress **egress_at)
{
    struct ll_egress *egress = *egress_at;
    *egress_at = NULL;
    if (egress == NULL)
        return;
    struct ll_egress_pool *pool = egress->pool;
    pool_remove(pool, egress);
    egress_free(egress);
    pump(pool);
}

/* -- one hop -- */

static int64_t
left_ms(const struct ll_egress *egress)
{
    int64_t ns = egress->deadline.ns - ll_mono_now().ns;
    return ns <= 0 ? 0 : (ns + 999999) / 1000000;
}

static bool
judge(void *user, const struct ll_fetch_peer *peer)
{
    struct ll_egress *egress = user;
    return ll_egress_judge(egress->fixed, &egress->url, peer, egress->refused);
}

/* -- headers -- */

/* A secret stands in memory for as long as the request does: its arena is wiped
 * then. */
static linli_status
put_value(struct ll_egress *egress, linli_str value, struct ll_buf *out,
    struct ll_err *err)
{
    if (!ll_secret_named(value)) {
        ll_buf_str(out, value);
        return LINLI_OK;
    }
    egress->secret = true;
    return ll_secret_expand(egress->instance, value, out, err);
}

/* What may go to another origin than the one that was asked for. */
static bool
goes_elsewhere(linli_str name)
{
    return ll_str_eq_nocase(name, "accept") ||
           ll_str_eq_nocase(name, "accept-language") ||
           ll_str_eq_nocase(name, "user-agent");
}

static bool
goes_out(const struct ll_egress *egress, const struct ll_egress_header *header)
{
    if (egress->elsewhere &&
        (!goes_elsewhere(header->name) || ll_secret_named(header->value)))
        return false;
    return egress->want.body.ptr != NULL ||
           !ll_str_eq_nocase(header->name, "content-type");
}

/* Adds "name: value" to the lines, in the arena. */
static linli_status
put_line(struct ll_egress *egress, struct ll_egress_header header,
    linli_str *lines, uint32_t *count, struct ll_err *err)
{
    struct ll_buf buf;
    ll_buf_init(&buf, egress->arena.mem, 4 * LL_EGRESS_HEADER_BYTES_MAX);
    ll_buf_str(&buf, header.name);
    /* libcurl takes "name;" for a header without a value. */
    ll_buf_cstr(&buf, header.value.len == 0 ? ";" : ": ");
    linli_status status = put_value(egress, header.value, &buf, err);
    linli_str line = {NULL, 0};
    if (status == LINLI_OK && !buf.failed)
        line = ll_arena_str(&egress->arena, ll_buf_view(&buf));
    if (status == LINLI_OK && line.ptr == NULL)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a request");
    if (status == LINLI_OK)
        lines[(*count)++] = line;
    if (egress->secret)
        ll_wipe(&buf);
    ll_buf_fini(&buf);
    return status;
}

static linli_status
put_headers(struct ll_egress *egress, linli_str *lines, uint32_t *count,
    struct ll_err *err)
{
    const struct ll_egress_want *want = &egress->want;
    const struct ll_egress_header ours[] = {
        {LINLI_STR("Idempotency-Key"), want->key},
        {LINLI_STR("traceparent"), ll_cstr(egress->traceparent)},
        {LINLI_STR("User-Agent"), LINLI_STR("linli")},
    };
    bool agent = false;
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; i < want->header_count && status == LINLI_OK; i++) {
        linli_str name = want->headers[i].name;
        if (!goes_out(egress, &want->headers[i]))
            continue;
        agent |= ll_str_eq_nocase(name, "user-agent");
        status = put_line(egress, want->headers[i], lines, count, err);
    }
    for (size_t i = 0; i < LL_COUNT(ours) && status == LINLI_OK; i++)
        if (ours[i].value.len > 0 && (!agent || i != 2))
            status = put_line(egress, ours[i], lines, count, err);
    return status;
}

/* -- what came of a hop -- */

static linli_str
field(const struct ll_fetch_result *result, const char *name)
{
    for (uint32_t i = 0; i < result->field_count; i++)
        if (ll_str_is(result->fields[i].name, name))
            return result->fields[i].value;
    return (linli_str){NULL, 0};
}

static bool
is_redirect(const struct ll_fetch_result *result)
{
    static const uint32_t statuses[] = {301, 302, 303, 307, 308};
    if (field(result, "location").ptr == NULL)
        return false;
    for (size_t i = 0; i < LL_COUNT(statuses); i++)
        if (result->status == statuses[i])
            return true;
    return false;
}

/* Method and body of the next hop, as browsers have them. */
static void
change_method(struct ll_egress *egress, uint32_t status)
{
    struct ll_egress_want *want = &egress->want;
    bool to_get =
        (status == 303 && !ll_str_is(want->method, "HEAD")) ||
        ((status == 301 || status == 302) && ll_str_is(want->method, "POST"));
    if (!to_get)
        return;
    want->method = LINLI_STR("GET");
    want->body = (linli_str){NULL, 0};
}

/* Every hop is judged as the first was. */
static linli_status
redirect(struct ll_egress *egress, const struct ll_fetch_result *result,
    struct ll_err *err)
{
    struct ll_url to;
    const char *why;
    const struct ll_instance *instance = egress->instance;
    if (++egress->redirects > LL_EGRESS_REDIRECTS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "egress/too-many-redirects",
            "more than %d redirects", LL_EGRESS_REDIRECTS_MAX);
    if (!ll_url_follow(
            &egress->url, field(result, "location"), &egress->arena, &to, &why))
        return ll_fail(err, LINLI_E_INVALID, "egress/refused",
            "it redirects to no URL of the web: %s", why);
    linli_str origin = ll_url_origin(&to, &egress->arena);
    if (instance->package == NULL ||
        !ll_manifest_egress(instance->package->manifest, &to))
        return ll_fail(err, LINLI_E_DENIED, "egress/undeclared",
            "it redirects to %.*s, which plugin.json does not declare",
            LL_FMT(origin));
    if (egress->url.https && !to.https)
        return ll_fail(err, LINLI_E_DENIED, "egress/refused",
            "it redirects from https to %.*s", LL_FMT(origin));
    change_method(egress, result->status);
    egress->elsewhere |= !ll_url_same_origin(&egress->url, &to);
    if (egress->elsewhere && egress->want.body.ptr != NULL)
        return ll_fail(err, LINLI_E_DENIED, "egress/refused",
            "it redirects a body to %.*s", LL_FMT(origin));
    egress->url = to;
    egress->tries = 0;
    return begin(egress, err);
}

/* Nobody has heard of it yet: it may be tried again, if there is time. */
static bool
try_again(struct ll_egress *egress, const struct ll_fetch_result *result)
{
    if (result->end != LL_FETCH_UNREACHABLE || result->sent ||
        egress->tries >= LL_EGRESS_TRIES_MAX ||
        left_ms(egress) <= LL_EGRESS_TRY_MS)
        return false;
    ll_timer_set(egress->timer, LL_EGRESS_TRY_MS, 0);
    return true;
}

static void
on_fetched(void *user, const struct ll_fetch_result *result)
{
    struct ll_err err;
    struct ll_egress *egress = user;
    struct ll_egress_pool *pool = egress->pool;
    egress->fetch = NULL;
    if (try_again(egress, result))
        return;
    if (result->end == LL_FETCH_REFUSED)
        fail(egress, "egress/refused", egress->refused);
    else if (result->end != LL_FETCH_ANSWERED)
        fail(egress, ll_egress_code(result->end), result->detail);
    else if (!is_redirect(result))
        finish(egress, &(struct ll_egress_result){.ok = true,
                           .status = result->status,
                           .fields = result->fields,
                           .field_count = result->field_count,
                           .body = result->body});
    else if (redirect(egress, result, &err) != LINLI_OK)
        fail(egress, err.code, err.msg);
    pump(pool);
}

static void
on_timer(void *user)
{
    struct ll_err err;
    struct ll_egress *egress = user;
    struct ll_egress_pool *pool = egress->pool;
    if (egress->waiting)
        fail(egress, "egress/timeout", "it waited for others of the plugin");
    else if (begin(egress, &err) != LINLI_OK)
        fail(egress, err.code, err.msg);
    pump(pool);
}

/* -- starting -- */

static linli_status
begin(struct ll_egress *egress, struct ll_err *err)
{
    const struct ll_egress_want *want = &egress->want;
    linli_str lines[HEADERS_MAX];
    uint32_t count = 0;
    int64_t ms = left_ms(egress);
    if (egress->instance->state == LL_INSTANCE_DISABLED)
        return ll_fail(err, LINLI_E_DENIED, "egress/refused",
            "the plugin is disabled: nothing of it goes out");
    egress->tries++;
    egress->fixed = ll_egress_fixed_of(
        egress->instance->community, egress->instance->id, &egress->url);
    if (ms == 0)
        return ll_fail(err, LINLI_E_LIMIT, "egress/timeout",
            "no time was left for the next redirect");
    linli_status status = put_headers(egress, lines, &count, err);
    if (status != LINLI_OK)
        return status;
    struct ll_fetch_want fetch = {.method = want->method,
        .url = ll_url_text(&egress->url, &egress->arena),
        .headers = lines,
        .header_count = count,
        .body = want->body,
        .connect_to =
            ll_egress_connect_to(egress->fixed, &egress->url, &egress->arena),
        .connect_ms = ms < LL_EGRESS_CONNECT_MS ? ms : LL_EGRESS_CONNECT_MS,
        .timeout_ms = ms,
        .header_bytes_max = LL_EGRESS_ANSWER_HEADER_BYTES_MAX,
        .body_bytes_max = (size_t)want->max_bytes,
        .fields_max = LL_EGRESS_ANSWER_HEADERS_MAX,
        .judge = judge,
        .done = on_fetched,
        .user = egress};
    if (egress->arena.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a request");
    return ll_fetch_start(egress->pool->fetches, &fetch, &egress->fetch, err);
}

/* Below its quotas? */
static linli_status
admit(struct ll_egress_pool *pool, struct ll_err *err)
{
    if (pool->in_flight >= LL_EGRESS_IN_FLIGHT_MAX &&
        pool->waiting >= LL_EGRESS_WAITING_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "egress/quota",
            "%d requests are under way and %d wait", LL_EGRESS_IN_FLIGHT_MAX,
            LL_EGRESS_WAITING_MAX);
    if (pool->rate != NULL &&
        !ll_rate_take(pool->rate, 0, ll_mono_now().ns / 1000000).allowed)
        return ll_fail(err, LINLI_E_LIMIT, "egress/quota",
            "more than %d requests a minute", LL_EGRESS_PER_MINUTE_MAX);
    return LINLI_OK;
}

static void
fill_trace(struct ll_host *host, struct ll_egress *egress)
{
    struct ll_world *world = host->world;
    struct ll_trace *trace = &egress->want.trace;
    if (trace->trace_id[0] == '\0')
        (void)ll_trace_make(LINLI_STR(""),
            (struct ll_trace_seed){ll_world_random_u64(world),
                ll_world_random_u64(world), ll_world_random_u64(world)},
            trace);
    ll_trace_header(trace, egress->traceparent);
}

static linli_status
egress_new(struct ll_instance *instance, const struct ll_egress_want *want,
    struct ll_egress **out, struct ll_err *err)
{
    struct ll_host *host = instance->host;
    const char *why;
    struct ll_egress_pool *pool = pool_of(instance);
    struct ll_egress *egress =
        pool == NULL ? NULL : ll_alloc(&host->mem, sizeof *egress);
    if (egress == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a request");
    egress->instance = instance;
    egress->pool = pool;
    egress->want = *want;
    if (want->max_bytes == 0)
        egress->want.max_bytes = LL_EGRESS_ANSWER_BYTES_DEFAULT;
    if (want->timeout_ms == 0)
        egress->want.timeout_ms = LL_EGRESS_MS_DEFAULT;
    egress->deadline.ns = ll_mono_now().ns + egress->want.timeout_ms * 1000000;
    fill_trace(host, egress);
    ll_arena_init(&egress->arena, &host->mem, ARENA_BYTES_MAX);
    egress->timer = ll_timer_new(host->world, on_timer, egress);
    linli_status status =
        ll_egress_check(instance, &egress->want, &egress->arena, err);
    if (status == LINLI_OK &&
        (egress->timer == NULL ||
            !ll_url_read(want->url, &egress->arena, &egress->url, &why)))
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a request");
    if (status != LINLI_OK) {
        egress_free(egress);
        return status;
    }
    *out = egress;
    return LINLI_OK;
}

static linli_status
start(struct ll_instance *instance, const struct ll_egress_want *want,
    struct ll_egress **out, struct ll_err *err)
{
    struct ll_egress *egress;
    linli_status status = egress_new(instance, want, &egress, err);
    if (status != LINLI_OK)
        return status;
    struct ll_egress_pool *pool = egress->pool;
    status = admit(pool, err);
    egress->waiting = pool->in_flight >= LL_EGRESS_IN_FLIGHT_MAX;
    if (status == LINLI_OK && !egress->waiting)
        status = begin(egress, err);
    if (status != LINLI_OK) {
        egress_free(egress);
        return status;
    }
    if (egress->waiting)
        ll_timer_set(egress->timer, egress->want.timeout_ms, 0);
    pool->waiting += egress->waiting;
    pool->in_flight += !egress->waiting;
    pool_add(pool, egress);
    *out = egress;
    return LINLI_OK;
}

linli_status
ll_egress_start(struct ll_instance *instance, const struct ll_egress_want *want,
    struct ll_egress **out, struct ll_err *err)
{
    struct ll_err own;
    *out = NULL;
    linli_status status = start(instance, want, out, &own);
    if (status == LINLI_OK)
        return status;
    log_end(instance, want, LINLI_STR("request"), own.code, own.msg);
    if (err != NULL)
        *err = own;
    return status;
}
