/* host/webhook_send.c: the errand that tells an endpoint of an event. [loop]
 *
 * The message holds ids and no data: what an event says is read where who
 * reads it is checked, GET /v1/c/{c}/events. It is the same each time but for
 * its time and so its signature.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "data/put.h"
#include "host/directory.h"
#include "host/effect.h"
#include "host/egress_place.h"
#include "host/webhook.h"

#define HEADERS 5
#define TEXT_BYTES_MAX 8192

/* An attempt. */
struct sending {
    struct ll_host *host;
    struct ll_errand *errand;
    struct ll_doc *doc; /* of the endpoint; a reference */
    struct ll_wait wait;
    struct ll_webhook webhook; /* strings in `json`, while one is read */
    struct ll_json json;
    struct ll_buf body, message, signature;
    struct ll_url url;
    struct ll_fetch *fetch;
    char refused[LL_EGRESS_REFUSED_BYTES]; /* address and range */
    const struct ll_egress_fixed *fixed;   /* NULL: its name is asked for */
    bool gone; /* the endpoint wants no more, ever */
};

static void
sending_free(struct sending *sending)
{
    struct ll_mem *mem = &sending->host->mem;
    ll_wait_cancel(&sending->wait);
    ll_fetch_cancel(&sending->fetch);
    ll_doc_unref(&sending->doc);
    ll_json_fini(&sending->json);
    ll_buf_fini(&sending->body);
    ll_buf_fini(&sending->message);
    ll_buf_fini(&sending->signature);
    ll_release(mem, sending, sizeof *sending);
}

/* -- ending -- */

static linli_str
with(const struct ll_errand *errand, const char *name)
{
    return ll_jv_str(ll_jv_get(errand->with, name));
}

/* The endpoint as it is now; false if it is another by that name, or none. */
static bool
read_webhook(struct sending *sending)
{
    const struct ll_content *content = sending->doc->content;
    return content != NULL &&
           ll_json_parse(&sending->json, content->body, LL_JSON_DEPTH_MAX,
               NULL) == LINLI_OK &&
           ll_webhook_read(ll_json_root(&sending->json), &sending->webhook) &&
           ll_str_eq(sending->webhook.made, with(sending->errand, "made"));
}

static linli_status
put_gone(struct ll_errand *errand, struct ll_commit *commit, struct ll_err *err)
{
    struct ll_dead dead = {.kind = "linli.webhook_gone",
        .id = with(errand, "webhook"),
        .run = LINLI_STR("webhook"),
        .code = LINLI_STR("webhook/gone"),
        .attempts = errand->attempts + 1,
        .named = "webhook"};
    return ll_dead_put(errand->host, errand->community->space, &dead, commit)
               ? LINLI_OK
               : ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an alert");
}

/* The endpoint has one less that is not settled. */
static linli_status
settle(struct ll_errand *errand, bool dead, struct ll_txn *txn,
    struct ll_commit *commit, struct ll_err *err)
{
    struct sending *sending = errand->state;
    struct ll_webhook *webhook = &sending->webhook;
    LL_UNUSED(dead);
    if (!read_webhook(sending))
        return LINLI_OK;
    /* One that an operator sends again was settled when it was given up. */
    if (!ll_queue_revived(ll_json_root(&errand->json)))
        webhook->pending -= webhook->pending > 0;
    if (sending->gone && !webhook->disabled) {
        webhook->why = LINLI_STR("gone");
        linli_status status = put_gone(errand, commit, err);
        if (status != LINLI_OK)
            return status;
    }
    ll_buf_clear(&sending->body);
    ll_webhook_write(errand->community, webhook, &sending->body);
    return ll_txn_put(txn, sending->doc, &sending->body, errand->now_ms, err);
}

static void
end(struct sending *sending, enum ll_errand_outcome outcome, const char *code)
{
    struct ll_errand_end end = {
        .outcome = outcome, .code = code, .write = settle};
    ll_errand_end(sending->errand, &end);
    sending_free(sending);
}

/* What the operator sees of it. */
static void
note(struct sending *sending, uint32_t status, const char *code)
{
    struct ll_errand *errand = sending->errand;
    struct ll_webhook_last *last =
        ll_webhooks_last(errand->community, with(errand, "webhook"));
    if (last == NULL)
        return;
    last->at_ms = ll_world_wall(errand->host->world).ms;
    last->status = status;
    (void)snprintf(last->code, sizeof last->code, "%s", code);
}

/* -- the message -- */

/* {"type","timestamp","data"}: thin. */
static void
put_body(struct sending *sending)
{
    struct ll_errand *errand = sending->errand;
    struct ll_jw w = ll_jw(&sending->body);
    char at[LL_RFC3339_BYTES];
    int64_t at_ms = 0, seq = 0;
    (void)ll_jv_int(ll_jv_get(errand->with, "at"), &at_ms);
    (void)ll_jv_int(ll_jv_get(errand->with, "seq"), &seq);
    ll_rfc3339(at_ms, at);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "type");
    ll_jw_str(&w, with(errand, "type"));
    ll_jw_key(&w, "timestamp");
    ll_jw_cstr(&w, at);
    ll_jw_key(&w, "data");
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "seq");
    ll_jw_int(&w, seq);
    ll_jw_key(&w, "community");
    ll_jw_str(&w, errand->community->id);
    ll_jw_key(&w, "plugin");
    ll_jw_str(&w, with(errand, "plugin"));
    ll_jw_close(&w, '}');
    ll_jw_close(&w, '}');
}

/* Its body, and the headers that sign it. */
static linli_status
put_message(struct sending *sending, char stamp[24], struct ll_err *err)
{
    struct ll_errand *errand = sending->errand;
    struct ll_buf *message = &sending->message;
    (void)snprintf(stamp, 24, "%lld", (long long)(errand->now_ms / 1000));
    put_body(sending);
    ll_buf_printf(message, "%.*s.%s.", LL_FMT(errand->id), stamp);
    ll_buf_str(message, ll_buf_view(&sending->body));
    if (sending->body.failed || message->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a webhook");
    return ll_webhook_sign(errand->community, &sending->webhook,
        ll_buf_view(message), &sending->signature, err);
}

/* -- on its way -- */

static void
log_refused(const struct sending *sending)
{
    char msg[128 + LL_EGRESS_REFUSED_BYTES];
    (void)snprintf(msg, sizeof msg, "webhook %.*s: %s",
        LL_FMT(with(sending->errand, "webhook")), sending->refused);
    struct ll_log_line line = {.level = LL_WARN,
        .code = "egress/refused",
        .community = sending->errand->community->id,
        .msg = ll_cstr(msg)};
    ll_log_write(&sending->host->log, &line);
}

static void
on_answer(void *user, const struct ll_fetch_result *result)
{
    struct sending *sending = user;
    bool answered = result->end == LL_FETCH_ANSWERED;
    uint32_t status = answered ? result->status : 0;
    const char *code =
        answered ? "webhook/refused" : ll_egress_code(result->end);
    sending->fetch = NULL;
    if (status >= 200 && status < 300) {
        note(sending, status, "");
        end(sending, LL_ERRAND_DONE, "");
        return;
    }
    if (result->end == LL_FETCH_REFUSED)
        log_refused(sending);
    sending->gone = status == 410;
    note(sending, status, sending->gone ? "webhook/gone" : code);
    end(sending, sending->gone ? LL_ERRAND_DONE : LL_ERRAND_AGAIN, code);
}

static bool
judge(void *user, const struct ll_fetch_peer *peer)
{
    struct sending *sending = user;
    return ll_egress_judge(
        sending->fixed, &sending->url, peer, sending->refused);
}

static linli_status
fetch(struct sending *sending, const char *stamp, struct ll_err *err)
{
    struct ll_errand *errand = sending->errand;
    const struct ll_url *url = &sending->url;
    struct ll_arena *arena = &errand->arena;
    struct ll_fetch_pool *pool = ll_webhooks_pool(errand->community);
    struct ll_buf *text = &sending->message; /* it is signed by now */
    linli_str headers[HEADERS];
    ll_buf_clear(text);
    ll_buf_printf(text, "webhook-id: %.*s", LL_FMT(errand->id));
    headers[0] = ll_arena_str(arena, ll_buf_view(text));
    ll_buf_clear(text);
    ll_buf_printf(text, "webhook-timestamp: %s", stamp);
    headers[1] = ll_arena_str(arena, ll_buf_view(text));
    ll_buf_clear(text);
    ll_buf_printf(text, "webhook-signature: %.*s",
        LL_FMT(ll_buf_view(&sending->signature)));
    headers[2] = ll_arena_str(arena, ll_buf_view(text));
    headers[3] = (linli_str)LINLI_STR("content-type: application/json");
    headers[4] = (linli_str)LINLI_STR("user-agent: Linli");
    linli_str to = ll_egress_connect_to(sending->fixed, url, arena);
    if (pool == NULL || arena->failed || text->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a webhook");
    struct ll_fetch_want want = {.method = LINLI_STR("POST"),
        .url = ll_url_text(url, arena),
        .headers = headers,
        .header_count = HEADERS,
        .body = ll_buf_view(&sending->body),
        .connect_to = to,
        .connect_ms = LL_EGRESS_CONNECT_MS,
        .timeout_ms = LL_WEBHOOK_MS,
        .header_bytes_max = LL_EGRESS_ANSWER_HEADER_BYTES_MAX,
        .body_bytes_max = LL_WEBHOOK_ANSWER_BYTES_MAX,
        .fields_max = LL_EGRESS_ANSWER_HEADERS_MAX,
        .judge = judge,
        .done = on_answer,
        .user = sending};
    return ll_fetch_start(pool, &want, &sending->fetch, err);
}

static linli_status
post(struct sending *sending, struct ll_err *err)
{
    const char *why = "";
    char stamp[24];
    linli_status status = put_message(sending, stamp, err);
    if (status != LINLI_OK)
        return status;
    if (!ll_url_read(
            sending->webhook.url, &sending->errand->arena, &sending->url, &why))
        return ll_fail(err, LINLI_E_INVALID, "egress/invalid", "%s", why);
    sending->fixed = ll_egress_fixed_of(sending->errand->community,
        LINLI_STR(LL_EGRESS_HOST_ITSELF), &sending->url);
    return fetch(sending, stamp, err);
}

/* The endpoint's document is known. */
static void
go(struct sending *sending)
{
    struct ll_err err;
    if (sending->doc->state == LL_DOC_LOST) {
        end(sending, LL_ERRAND_AGAIN, "store/failed");
        return;
    }
    /* Deleted, made anew, or disabled: nothing is sent any more. */
    if (!read_webhook(sending) || sending->webhook.disabled) {
        end(sending, LL_ERRAND_DONE, "");
        return;
    }
    if (post(sending, &err) == LINLI_OK)
        return;
    note(sending, 0, err.code);
    end(sending, LL_ERRAND_AGAIN, err.code);
}

static void
on_doc(struct ll_wait *wait)
{
    go(LL_CONTAINER(wait, struct sending, wait));
}

static void
start(struct ll_errand *errand)
{
    struct ll_host *host = errand->host;
    struct ll_errand_end no_memory = {
        .outcome = LL_ERRAND_AGAIN, .code = "runtime/memory"};
    struct ll_coll *coll = ll_directory(errand->community, LL_WEBHOOK_COLL);
    struct sending *sending =
        coll == NULL ? NULL : ll_alloc(&host->mem, sizeof *sending);
    if (sending == NULL) {
        ll_errand_end(errand, &no_memory);
        return;
    }
    *sending = (struct sending){
        .host = host, .errand = errand, .wait = {.ready = on_doc}};
    errand->state = sending;
    ll_json_init(&sending->json, &host->mem);
    ll_buf_init(&sending->body, &host->mem, LL_DOC_BYTES_MAX);
    ll_buf_init(&sending->message, &host->mem, TEXT_BYTES_MAX);
    ll_buf_init(&sending->signature, &host->mem, TEXT_BYTES_MAX);
    sending->doc = ll_docs_get(coll, with(errand, "webhook"));
    if (sending->doc == NULL) {
        ll_errand_end(errand, &no_memory);
        sending_free(sending);
    } else if (ll_doc_ready(sending->doc, &sending->wait)) {
        go(sending);
    }
}

static void
cancel(struct ll_errand *errand)
{
    sending_free(errand->state);
}

const struct ll_errand_kind ll_webhook_kind = {
    .name = "webhook",
    .attempts_max = LL_WEBHOOK_ATTEMPTS_MAX,
    .start = start,
    .cancel = cancel,
};
