/* host/sink_send.c: a batch to its receiver, and what that answers. [loop]
 *
 * 2xx: it is there. Too busy (408, 425, 429, 5xx), or no answer: again, the
 * same, later. Any other answer will not become another by waiting: a batch
 * that is too large is halved, Lago's "already there" leaves out what is, and
 * what remains parks the sink. A record is never left out because it was
 * refused.
 */
#include <stdio.h>

#include "base/text.h"
#include "host/sink_int.h"

#define ARENA_BYTES_MAX ((size_t)64 << 10)
#define HEADERS_MAX 3
#define ANSWER_DEPTH_MAX 8
#define LAGO_THERE "value_already_exist"

/* -- Lago -- */

/* Whether an error of Lago's says that the event is there, and nothing else:
 * {"transaction_id":["value_already_exist"]}. */
static bool
says_there(struct ll_jv error)
{
    struct ll_jv ids = ll_jv_get(error, "transaction_id");
    return ll_jv_count(error) == 1 && ll_jv_count(ids) == 1 &&
           ll_str_is(ll_jv_str(ll_jv_first(ids)), LAGO_THERE);
}

/* The n-th of those that were sent, by its place in the batch; false if so
 * many were not. */
static bool
place_of(const struct ll_pump *pump, int64_t n, uint32_t *place)
{
    for (*place = 0; *place < pump->rows.place; (*place)++)
        if (pump->skip[*place] == 0 && n-- == 0)
            return true;
    return false;
}

/* Marks what Lago says is there already; false if it says anything else. Of a
 * single event the error stands without its number. */
static bool
skip_there(struct ll_pump *pump, struct ll_jv details)
{
    uint32_t place;
    if (pump->document.count == 1 && says_there(details) &&
        place_of(pump, 0, &place)) {
        pump->skip[place] = 1;
        return true;
    }
    uint32_t marked[LL_EXPORT_LAGO_MAX], count = 0;
    LL_JSON_MEMBERS (name, error, details) {
        int64_t n;
        if (!says_there(error) || count == LL_COUNT(marked) ||
            !ll_str_int(ll_jv_str(name), 0, LL_EXPORT_LAGO_MAX - 1, &n) ||
            !place_of(pump, n, &marked[count]))
            return false;
        count++;
    }
    for (uint32_t i = 0; i < count; i++)
        pump->skip[marked[i]] = 1;
    return count > 0;
}

static bool
lago_has_some(struct ll_pump *pump, const struct ll_fetch_result *result)
{
    struct ll_json json;
    ll_json_init(&json, &pump->sinks->community->host->mem);
    bool some =
        ll_json_parse(&json, result->body, ANSWER_DEPTH_MAX, NULL) ==
            LINLI_OK &&
        skip_there(pump, ll_jv_get(ll_json_root(&json), "error_details"));
    ll_json_fini(&json);
    return some;
}

/* -- the answer -- */

static bool
is_busy(uint32_t status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static void
judge_answer(struct ll_pump *pump, const struct ll_fetch_result *result)
{
    uint32_t status = result->status;
    bool lago = pump->sink.format == LL_EXPORT_LAGO;
    if (status >= 200 && status < 300) {
        ll_pump_taken(pump);
    } else if (is_busy(status)) {
        ll_pump_again(pump, "sink/busy");
    } else if (lago && status == 422 && lago_has_some(pump, result)) {
        ll_pump_smaller(pump);
    } else if ((status == 413 || (lago && status == 422)) &&
               pump->document.count > 1) {
        pump->limit = pump->rows.place / 2;
        ll_pump_smaller(pump);
    } else {
        ll_pump_park(pump, "sink/refused");
    }
}

static void
log_refused(const struct ll_pump *pump)
{
    char msg[128 + LL_EGRESS_REFUSED_BYTES];
    struct ll_community *community = pump->sinks->community;
    (void)snprintf(
        msg, sizeof msg, "sink %.*s: %s", LL_FMT(pump->id), pump->refused);
    struct ll_log_line line = {.level = LL_WARN,
        .code = "egress/refused",
        .community = community->id,
        .msg = ll_cstr(msg)};
    ll_log_write(&community->host->log, &line);
}

static void
on_answer(void *user, const struct ll_fetch_result *result)
{
    struct ll_pump *pump = user;
    bool answered = result->end == LL_FETCH_ANSWERED;
    pump->fetch = NULL;
    pump->last.at_ms = ll_world_wall(pump->sinks->community->host->world).ms;
    pump->last.status = answered ? result->status : 0;
    if (result->end == LL_FETCH_REFUSED)
        log_refused(pump);
    if (answered)
        judge_answer(pump, result);
    else
        ll_pump_again(pump, ll_egress_code(result->end));
}

static bool
judge_peer(void *user, const struct ll_fetch_peer *peer)
{
    struct ll_pump *pump = user;
    return ll_egress_judge(pump->fixed, &pump->url, peer, pump->refused);
}

/* -- the request -- */

/* The operator's header with its value, in a buffer that is wiped. */
static linli_status
put_header(struct ll_pump *pump, struct ll_buf *out, struct ll_err *err)
{
    struct ll_opened opened;
    linli_status status =
        ll_sink_unseal(pump->sinks->community, &pump->sink, &opened, err);
    if (status != LINLI_OK)
        return status;
    /* Large enough at once: growing would leave a copy behind. */
    (void)ll_buf_room(out, pump->sink.header.len + 2 + opened.len);
    ll_buf_str(out, pump->sink.header);
    ll_buf_cstr(out, ": ");
    ll_buf_str(out, ll_opened_view(&opened));
    ll_opened_wipe(&opened);
    return out->failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a sink")
                       : LINLI_OK;
}

static struct ll_fetch_pool *
pool_of(struct ll_sinks *sinks)
{
    struct ll_host *host = sinks->community->host;
    struct ll_fetch_pool_options options = {
        .idle_connections = LL_EGRESS_IDLE_CONNECTIONS,
        .idle_ms = LL_EGRESS_IDLE_MS,
        .ca_file = host->config.ca_file};
    if (sinks->pool == NULL)
        sinks->pool = ll_fetch_pool_new(host->world, options);
    return sinks->pool;
}

static linli_status
fetch(struct ll_pump *pump, linli_str header, struct ll_err *err)
{
    char type[96];
    struct ll_fetch_pool *pool = pool_of(pump->sinks);
    linli_str headers[HEADERS_MAX];
    (void)snprintf(type, sizeof type, "content-type: %s",
        ll_usage_doc_media(pump->sink.format));
    headers[0] = ll_cstr(type);
    headers[1] = (linli_str)LINLI_STR("user-agent: Linli");
    headers[2] = header;
    linli_str to = ll_egress_connect_to(pump->fixed, &pump->url, &pump->arena);
    linli_str url = ll_url_text(&pump->url, &pump->arena);
    if (pool == NULL || pump->arena.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a sink");
    struct ll_fetch_want want = {.method = LINLI_STR("POST"),
        .url = url,
        .headers = headers,
        .header_count = header.len > 0 ? HEADERS_MAX : HEADERS_MAX - 1,
        .body = ll_buf_view(&pump->body),
        .connect_to = to,
        .connect_ms = LL_EGRESS_CONNECT_MS,
        .timeout_ms = LL_SINK_MS,
        .header_bytes_max = LL_EGRESS_ANSWER_HEADER_BYTES_MAX,
        .body_bytes_max = LL_SINK_ANSWER_BYTES_MAX,
        .fields_max = LL_EGRESS_ANSWER_HEADERS_MAX,
        .judge = judge_peer,
        .done = on_answer,
        .user = pump};
    return ll_fetch_start(pool, &want, &pump->fetch, err);
}

void
ll_pump_send(struct ll_pump *pump)
{
    const char *why = "";
    struct ll_err err;
    struct ll_buf header;
    struct ll_community *community = pump->sinks->community;
    linli_status status = LINLI_OK;
    ll_arena_reset(&pump->arena);
    ll_buf_init(
        &header, &community->host->mem, (size_t)2 * LL_SECRET_BYTES_MAX);
    pump->refused[0] = '\0';
    if (!ll_url_read(pump->sink.url, &pump->arena, &pump->url, &why))
        status = ll_fail(&err, LINLI_E_INVALID, "egress/invalid", "%s", why);
    if (status == LINLI_OK && pump->sink.header.len > 0)
        status = put_header(pump, &header, &err);
    if (status == LINLI_OK) {
        pump->fixed = ll_egress_fixed_of(
            community, LINLI_STR(LL_EGRESS_HOST_ITSELF), &pump->url);
        status = fetch(pump, ll_buf_view(&header), &err);
    }
    ll_wipe(&header);
    ll_buf_fini(&header);
    if (status != LINLI_OK) {
        pump->last.at_ms = ll_world_wall(community->host->world).ms;
        pump->last.status = 0;
        ll_pump_again(pump, err.code);
    }
}
