/* host/notify_http.c: messages through a gateway of the operator's. [loop] */
#include "host/notify_http.h"

#include <stdio.h>

#include "base/text.h"
#include "world/fetch.h"
#include "world/file.h"

#define HEADER_COUNT 3
#define HEADER_BYTES_MAX 4096
#define ANSWER_FIELDS_MAX 64
#define MSG_BYTES 512

struct ll_gateways {
    struct ll_fetch_pool *pool;
    linli_str authorization[LL_WAY_COUNT]; /* header lines; empty: none */
};

/* One message under way. */
struct posting {
    struct ll_host *host;
    struct ll_post *post;
    struct ll_fetch *fetch;
};

/* -- opening -- */

static linli_status
bad_key(struct ll_err *err, linli_str file, const char *what)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "config/invalid", "%s", what);
    ll_err_where(err, "%.*s", LL_FMT(file));
    ll_err_fix(err, "put the gateway's key, one line of visible ASCII "
                    "characters, into the file that key_file names");
    return status;
}

/* The first line, without what ends it. */
static linli_str
first_line(linli_str text)
{
    linli_str rest = text, line = {NULL, 0};
    (void)ll_str_split(&rest, '\n', &line);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static linli_status
read_key(
    struct ll_host *host, linli_str file, linli_str *line, struct ll_err *err)
{
    struct ll_buf text, header;
    ll_buf_init(&text, &host->mem, HEADER_BYTES_MAX);
    ll_buf_init(&header, &host->mem, HEADER_BYTES_MAX + 64);
    linli_status status =
        ll_file_read(host->data.dir_fd < 0 ? LL_AT_CWD : host->data.dir_fd,
            file.ptr, LL_GATEWAY_KEY_BYTES_MAX, &text, NULL);
    linli_str key = first_line(ll_buf_view(&text));
    bool good = key.len > 0;
    for (size_t i = 0; good && i < key.len; i++)
        good = key.ptr[i] > 0x20 && key.ptr[i] < 0x7f;
    if (status != LINLI_OK) {
        status = bad_key(err, file, "the file cannot be read");
    } else if (!good) {
        status = bad_key(err, file, "its first line is no key");
    } else {
        ll_buf_cstr(&header, "authorization: Bearer ");
        ll_buf_str(&header, key);
        *line = ll_arena_str(ll_host_arena(host), ll_buf_view(&header));
        if (header.failed || line->ptr == NULL)
            status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a key");
    }
    ll_buf_fini(&text);
    ll_buf_fini(&header);
    return status;
}

linli_status
ll_gateways_open(struct ll_host *host, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    bool any = false;
    for (uint32_t i = 0; i < LL_WAY_COUNT; i++)
        any |= host->config.notify[i].url.len > 0;
    if (!any)
        return LINLI_OK;
    struct ll_gateways *gateways =
        ll_arena_alloc(ll_host_arena(host), sizeof *gateways);
    if (gateways != NULL)
        gateways->pool = ll_fetch_pool_new(
            host->world, (struct ll_fetch_pool_options){
                             .idle_connections = LL_EGRESS_IDLE_CONNECTIONS,
                             .idle_ms = LL_EGRESS_IDLE_MS,
                             .ca_file = host->config.ca_file});
    if (gateways == NULL || gateways->pool == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "gateways");
    host->gateways = gateways;
    for (uint32_t i = 0; status == LINLI_OK && i < LL_WAY_COUNT; i++)
        if (host->config.notify[i].key_file.len > 0)
            status = read_key(host, host->config.notify[i].key_file,
                &gateways->authorization[i], err);
    return status;
}

void
ll_gateways_close(struct ll_host *host)
{
    if (host->gateways != NULL)
        ll_fetch_pool_free(&host->gateways->pool);
    host->gateways = NULL;
}

/* -- a message -- */

static void
end(struct posting *posting, enum ll_notify_outcome outcome)
{
    struct ll_post *post = posting->post;
    post->state = NULL;
    ll_release(&posting->host->mem, posting, sizeof *posting);
    post->sent(post, outcome);
}

/* The operator's own choice: wherever it is. */
static bool
judge(void *user, const struct ll_fetch_peer *peer)
{
    LL_UNUSED(user);
    LL_UNUSED(peer);
    return true;
}

static void
log_answer(struct posting *posting, const struct ll_fetch_result *result)
{
    const struct ll_post *post = posting->post;
    char msg[MSG_BYTES];
    if (result->end == LL_FETCH_ANSWERED)
        (void)snprintf(msg, sizeof msg, "the gateway of %s answered %u",
            ll_way_name(post->way), result->status);
    else
        (void)snprintf(msg, sizeof msg, "the gateway of %s: %s",
            ll_way_name(post->way), result->detail);
    struct ll_log_line line = {.level = LL_WARN,
        .code = "notify.gateway",
        .community = post->community,
        .msg = ll_cstr(msg)};
    ll_log_write(&posting->host->log, &line);
}

static void
on_answer(void *user, const struct ll_fetch_result *result)
{
    struct posting *posting = user;
    bool answered = result->end == LL_FETCH_ANSWERED;
    uint32_t status = answered ? result->status : 0;
    posting->fetch = NULL;
    if (status < 200 || status >= 300)
        log_answer(posting, result);
    if (status >= 200 && status < 300)
        end(posting, LL_NOTIFY_ACCEPTED);
    else if (status == 404 || status == 410 || status == 422)
        end(posting, LL_NOTIFY_UNREACHABLE);
    else
        end(posting, LL_NOTIFY_FAILED);
}

static void
write_body(struct ll_jw *w, const struct ll_post *post)
{
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_str(w, post->id);
    ll_jw_key(w, "channel");
    ll_jw_cstr(w, ll_way_name(post->way));
    ll_jw_key(w, "community");
    ll_jw_str(w, post->community);
    ll_jw_key(w, "to");
    ll_jw_str(w, post->to);
    ll_jw_key(w, "locale");
    ll_jw_cstr(w, ll_locale_tag(post->locale));
    ll_jw_key(w, "text");
    ll_jw_str(w, post->text);
    ll_jw_key(w, "attempt");
    ll_jw_int(w, post->attempt);
    ll_jw_close(w, '}');
}

static linli_status
start(struct posting *posting, struct ll_buf *body)
{
    struct ll_host *host = posting->host;
    const struct ll_post *post = posting->post;
    const struct ll_notify_conf *conf = &host->config.notify[post->way];
    linli_str authorization = host->gateways->authorization[post->way];
    struct ll_jw w = ll_jw(body);
    char key[128];
    int n =
        snprintf(key, sizeof key, "idempotency-key: %.*s", LL_FMT(post->id));
    ll_check(n > 0 && (size_t)n < sizeof key);
    const linli_str headers[HEADER_COUNT] = {
        LINLI_STR("content-type: application/json"), {key, (size_t)n},
        authorization};
    write_body(&w, post);
    if (body->failed)
        return LINLI_E_NOMEM;
    struct ll_fetch_want want = {.method = LINLI_STR("POST"),
        .url = conf->url,
        .headers = headers,
        .header_count = authorization.len > 0 ? HEADER_COUNT : HEADER_COUNT - 1,
        .body = ll_buf_view(body),
        .connect_ms = LL_EGRESS_CONNECT_MS,
        .timeout_ms = LL_GATEWAY_MS,
        .header_bytes_max = HEADER_BYTES_MAX * 4,
        .body_bytes_max = LL_GATEWAY_ANSWER_BYTES_MAX,
        .fields_max = ANSWER_FIELDS_MAX,
        .judge = judge,
        .done = on_answer,
        .user = posting};
    return ll_fetch_start(host->gateways->pool, &want, &posting->fetch, NULL);
}

static void
http_send(struct ll_host *host, struct ll_post *post)
{
    struct posting *posting = ll_alloc(&host->mem, sizeof *posting);
    struct ll_buf body;
    if (posting == NULL) {
        post->sent(post, LL_NOTIFY_FAILED);
        return;
    }
    *posting = (struct posting){.host = host, .post = post};
    post->state = posting;
    ll_buf_init(&body, &host->mem, (size_t)8 * LL_NOTIFY_TEXT_BYTES_MAX);
    linli_status status = start(posting, &body);
    ll_buf_fini(&body);
    if (status != LINLI_OK)
        end(posting, LL_NOTIFY_FAILED);
}

static void
http_cancel(struct ll_host *host, struct ll_post *post)
{
    struct posting *posting = post->state;
    post->state = NULL;
    if (posting == NULL)
        return;
    ll_fetch_cancel(&posting->fetch);
    ll_release(&host->mem, posting, sizeof *posting);
}

const struct ll_provider ll_notify_http = {"http", http_send, http_cancel};
