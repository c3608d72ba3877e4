/* host/notify.c: a message, from its errand to whoever accepts it. [loop]
 *
 * Each try is written into the message before the next: after a crash the
 * delivery goes on where it stood, and asks again, under the same id, what
 * was not answered.
 */
#include "host/notify.h"

#include "base/hash.h"
#include "base/problem.h"
#include "base/text.h"
#include "data/put.h"
#include "data/series.h"
#include "host/alert.h"
#include "host/notify_http.h"
#include "host/notify_sim.h"
#include "host/pid.h"
#include "host/plan_call.h"

#define POST_ID_BYTES 16
#define NO_PROVIDER "notify/no-provider"
#define ATTEMPTS_MAX 64 /* of the errand; those of channels are fewer */

struct delivery {
    struct ll_errand *errand;
    struct ll_host *host;
    struct ll_doc *doc; /* the message */
    struct ll_wait wait;
    struct ll_txn txn; /* of the scan; it commits nothing */
    struct ll_scan scan;
    bool scanning;
    struct ll_json json; /* of `body` */
    struct ll_buf body;  /* the message as it is written, */
    struct ll_buf next;  /* and as it shall be */
    enum ll_way ways[LL_WAY_COUNT];
    struct ll_notify_progress progress;
    struct ll_post post;
    char post_id[2 * LL_SHA256_BYTES + 1];
    const struct ll_provider *provider; /* that has the post; or NULL */
    enum ll_way way;                    /* of the last try */
    const char *code;                   /* of the last failure */
    bool tried;                         /* before the end: it was one */
};

const struct ll_provider *
ll_provider_of(const struct ll_host *host, enum ll_way way)
{
    const struct ll_notify_conf *conf = &host->config.notify[way];
    return conf->sim           ? &ll_notify_sim
           : conf->url.len > 0 ? &ll_notify_http
                               : NULL;
}

linli_status
ll_messages_open(struct ll_instance *instance, struct ll_err *err)
{
    struct ll_coll *coll =
        ll_space_coll(instance->space, LINLI_STR("~message"));
    if (coll == NULL ||
        ll_coll_index(coll, LINLI_STR("by_state"),
            LINLI_STR("{\"fields\":[\"state\",\"seq\"]}")) == NULL ||
        ll_coll_index(coll, LINLI_STR("by_seq"),
            LINLI_STR("{\"fields\":[\"seq\"]}")) == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "messages");
    coll->subject = (linli_str)LINLI_STR("subject");
    coll->retention_ms = LL_NOTIFY_KEPT_MS;
    return LINLI_OK;
}

static void
delivery_free(struct delivery *d)
{
    struct ll_host *host = d->host;
    ll_wait_cancel(&d->wait);
    ll_doc_unref(&d->doc);
    if (d->scanning)
        ll_scan_fini(&d->scan);
    ll_txn_fini(&d->txn);
    ll_json_fini(&d->json);
    ll_buf_fini(&d->body);
    ll_buf_fini(&d->next);
    ll_release(&host->mem, d, sizeof *d);
}

static void
end(struct delivery *d, const struct ll_errand_end *how)
{
    ll_errand_end(d->errand, how);
    delivery_free(d);
}

/* Something of the host's own was in the way. */
static void
end_later(struct delivery *d, const char *code)
{
    end(d, &(struct ll_errand_end){.outcome = LL_ERRAND_AGAIN, .code = code});
}

static struct ll_jv
message(const struct delivery *d)
{
    return ll_json_root(&d->json);
}

static linli_str
text_of(const struct delivery *d, const char *name)
{
    return ll_jv_str(ll_jv_get(message(d), name));
}

static int64_t
int_of(const struct delivery *d, const char *name)
{
    int64_t value = 0;
    (void)ll_jv_int(ll_jv_get(message(d), name), &value);
    return value;
}

/* -- the message -- */

static bool
is_changing(linli_str name)
{
    static const char *const names[] = {
        "state", "channel_at", "tries", "attempts", "code"};
    for (size_t i = 0; i < LL_COUNT(names); i++)
        if (ll_str_is(name, names[i]))
            return true;
    return false;
}

/* The try that has ended, behind those before; no provider was none. */
static void
write_attempts(struct ll_jw *w, const struct delivery *d, bool tried)
{
    ll_jw_key(w, "attempts");
    ll_jw_open(w, '[');
    LL_JSON_EACH (item, ll_jv_get(message(d), "attempts"))
        ll_jw_value(w, item);
    if (tried) {
        ll_jw_open(w, '{');
        ll_jw_key(w, "at");
        ll_jw_int(w, ll_world_wall(d->host->world).ms);
        ll_jw_key(w, "channel");
        ll_jw_cstr(w, ll_way_name(d->way));
        ll_jw_key(w, "attempt");
        ll_jw_int(w, d->post.attempt);
        ll_jw_key(w, "code");
        if (d->code == NULL)
            ll_jw_null(w);
        else
            ll_jw_cstr(w, d->code);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

/* Makes the message as it shall be. */
static void
write_next(struct delivery *d, const char *state, bool tried)
{
    struct ll_jw w = ll_jw(&d->next);
    ll_buf_clear(&d->next);
    ll_jw_open(&w, '{');
    LL_JSON_MEMBERS (name, value, message(d)) {
        if (is_changing(ll_jv_str(name)))
            continue;
        ll_jw_key_str(&w, ll_jv_str(name));
        ll_jw_value(&w, value);
    }
    ll_jw_key(&w, "state");
    ll_jw_cstr(&w, state);
    ll_jw_key(&w, "channel_at");
    ll_jw_int(&w, d->progress.at);
    ll_jw_key(&w, "tries");
    ll_jw_int(&w, d->progress.tries);
    if (d->code != NULL) {
        ll_jw_key(&w, "code");
        ll_jw_cstr(&w, d->code);
    }
    write_attempts(&w, d, tried);
    ll_jw_close(&w, '}');
}

/* Reads the message as it stands in the document. */
static bool
read_message(struct delivery *d)
{
    d->progress.channel_count = 0;
    ll_buf_clear(&d->body);
    ll_buf_str(&d->body, d->doc->content->body);
    if (d->body.failed || ll_json_parse(&d->json, ll_buf_view(&d->body),
                              LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    LL_JSON_EACH (item, ll_jv_get(message(d), "channels"))
        if (d->progress.channel_count < LL_WAY_COUNT &&
            ll_way_read(ll_jv_str(item), &d->ways[d->progress.channel_count]))
            d->progress.channel_count++;
    d->progress.at = (uint32_t)int_of(d, "channel_at");
    d->progress.tries = (uint32_t)int_of(d, "tries");
    return d->progress.at < d->progress.channel_count;
}

/* The try before the next, in a commit of its own. */
static bool
keep_progress(struct delivery *d)
{
    write_next(d, "queued", true);
    return !d->next.failed &&
           ll_docs_put_now(&d->host->docs, d->doc, &d->next,
               ll_world_wall(d->host->world).ms) != 0 &&
           read_message(d);
}

/* -- how it ends -- */

static linli_status
put_next(struct delivery *d, struct ll_txn *txn, struct ll_err *err)
{
    return ll_txn_put(
        txn, d->doc, &d->next, ll_world_wall(d->host->world).ms, err);
}

/* A message that was accepted is one unit, of the call that sent it. */
static linli_status
count_usage(struct delivery *d, struct ll_commit *commit, struct ll_err *err)
{
    struct ll_usage usage = {.call_high = (uint64_t)int_of(d, "call_high"),
        .call_low = (uint64_t)int_of(d, "call_low"),
        .at_ms = ll_world_wall(d->host->world).ms,
        .quantity = LL_USAGE_UNIT,
        .event_hash = ll_usage_event_hash(d->doc->id)};
    if (!d->host->config.metering)
        return LINLI_OK;
    struct ll_space *space = d->doc->coll->space;
    struct ll_counted counted =
        ll_plan_counted(d->host, (uint32_t)int_of(d, "sub"),
            LINLI_STR(LL_METER_NOTIFICATION), usage.at_ms);
    struct ll_plan_record record = {space, &counted, &usage};
    usage.series = ll_series(space, &counted);
    if (usage.series == 0 || !ll_plan_count(d->host, &record, commit))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "usage");
    ll_commit_usage(commit, &usage);
    return LINLI_OK;
}

static linli_status
write_accepted(struct ll_errand *errand, bool dead, struct ll_txn *txn,
    struct ll_commit *commit, struct ll_err *err)
{
    struct delivery *d = errand->state;
    LL_UNUSED(dead);
    linli_status status = count_usage(d, commit, err);
    return status == LINLI_OK ? put_next(d, txn, err) : status;
}

/* The last failure, but what is missing in the configuration is what the
 * operator can mend. */
static const char *
cause(const struct delivery *d)
{
    LL_JSON_EACH (item, ll_jv_get(message(d), "attempts"))
        if (ll_str_is(ll_jv_str(ll_jv_get(item, "code")), NO_PROVIDER))
            return NO_PROVIDER;
    return d->code;
}

static void
write_alert(struct ll_jw *w, const struct delivery *d)
{
    const char *code = cause(d);
    const struct ll_problem *row = ll_problem_find(ll_cstr(code));
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_str(w, d->doc->id);
    ll_jw_key(w, "template");
    ll_jw_str(w, text_of(d, "template"));
    ll_jw_key(w, "code");
    ll_jw_cstr(w, code);
    ll_jw_key(w, "fix");
    ll_jw_cstr(w, row == NULL ? "" : row->fix_en);
    write_attempts(w, d, d->tried);
    ll_jw_close(w, '}');
}

static linli_status
write_failed(struct ll_errand *errand, bool dead, struct ll_txn *txn,
    struct ll_commit *commit, struct ll_err *err)
{
    struct delivery *d = errand->state;
    struct ll_buf data;
    LL_UNUSED(dead);
    ll_buf_init(&data, &d->host->mem, LL_EFFECT_DATA_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    write_alert(&w, d);
    struct ll_alert alert = {.space = d->doc->coll->space,
        .kind = LINLI_STR("linli.unreachable"),
        .subject = text_of(d, "subject"),
        .trace_id = text_of(d, "trace_id"),
        .data = ll_buf_view(&data),
        .at_ms = ll_world_wall(d->host->world).ms};
    linli_status status =
        data.failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an alert")
                    : put_next(d, txn, err);
    if (status == LINLI_OK)
        ll_alert_put(d->host, &alert, commit);
    ll_buf_fini(&data);
    return status;
}

static void
end_accepted(struct delivery *d)
{
    d->code = NULL;
    write_next(d, "accepted", true);
    end(d, &(struct ll_errand_end){
               .outcome = LL_ERRAND_DONE, .write = write_accepted});
}

static void
log_line(const struct delivery *d, enum ll_level level, const char *msg)
{
    const struct ll_space *space = d->doc->coll->space;
    struct ll_log_line line = {.level = level,
        .code = d->code,
        .plugin = space->plugin,
        .community = space->community,
        .msg = ll_cstr(msg)};
    ll_log_write(&d->host->log, &line);
}

static void
end_failed(struct delivery *d, bool tried)
{
    d->tried = tried;
    write_next(d, "failed", tried);
    log_line(d, LL_ERROR, "a message reaches nobody: all channels have failed");
    end(d, &(struct ll_errand_end){
               .outcome = LL_ERRAND_DONE, .write = write_failed});
}

/* -- tries -- */

static void try_way(struct delivery *d);

static void
take_outcome(struct delivery *d, enum ll_notify_outcome outcome)
{
    int64_t wait_ms = 0;
    if (d->doc->content == NULL) { /* of somebody who was forgotten */
        end(d, &(struct ll_errand_end){.outcome = LL_ERRAND_DONE});
        return;
    }
    switch (ll_notify_decide(&d->progress, outcome, &wait_ms)) {
    case LL_NOTIFY_DONE:
        end_accepted(d);
        return;
    case LL_NOTIFY_LOST:
        end_failed(d, true);
        return;
    case LL_NOTIFY_WAIT:
        if (keep_progress(d))
            end(d, &(struct ll_errand_end){.outcome = LL_ERRAND_AGAIN,
                       .code = d->code,
                       .retry_ms = wait_ms});
        else
            end_later(d, "runtime/memory");
        return;
    case LL_NOTIFY_OTHER:
        log_line(d, LL_WARN, "a channel is given up, the next is tried");
        if (keep_progress(d))
            try_way(d); /* at most as deep as there are channels */
        else
            end_later(d, "runtime/memory");
        return;
    }
}

static void
on_sent(struct ll_post *post, enum ll_notify_outcome outcome)
{
    struct delivery *d = post->user;
    d->provider = NULL;
    d->code = outcome == LL_NOTIFY_ACCEPTED ? NULL
              : outcome == LL_NOTIFY_FAILED ? "notify/failed"
                                            : "notify/unreachable";
    take_outcome(d, outcome);
}

static void
try_way(struct delivery *d)
{
    d->way = d->ways[d->progress.at];
    d->post.way = d->way;
    d->post.attempt = d->progress.tries + 1;
    d->post.text = text_of(d, "text");
    d->post.locale =
        ll_str_is(text_of(d, "locale"), "en") ? LL_LOCALE_EN : LL_LOCALE_ZH;
    d->provider = ll_provider_of(d->host, d->way);
    if (d->provider != NULL) {
        d->provider->send(d->host, &d->post);
        return;
    }
    d->code = NO_PROVIDER;
    take_outcome(d, LL_NOTIFY_UNREACHABLE);
}

/* -- before the first -- */

static void
on_resident(struct ll_scan *scan)
{
    struct delivery *d = scan->user;
    linli_str resident = ll_pid_resident(scan);
    if (scan->status != LINLI_OK) {
        end_later(d, scan->err.code);
        return;
    }
    if (resident.ptr == NULL) {
        d->code = "notify/unknown-resident";
        end_failed(d, false);
        return;
    }
    d->post.to = resident; /* the scan lives as long */
    try_way(d);
}

/* An id that no other message has, of whatever plugin and community. */
static void
name_post(struct delivery *d)
{
    const struct ll_space *space = d->doc->coll->space;
    unsigned char hash[LL_SHA256_BYTES];
    struct ll_buf *text = &d->next;
    ll_buf_clear(text);
    ll_buf_str(text, space->community);
    ll_buf_char(text, '/');
    ll_buf_str(text, space->plugin);
    ll_buf_char(text, '/');
    ll_sha256_two(ll_buf_view(text), d->doc->id, hash);
    ll_hex(hash, POST_ID_BYTES, d->post_id);
    d->post = (struct ll_post){.id = ll_cstr(d->post_id),
        .community = space->community,
        .sent = on_sent,
        .user = d};
}

static void
look(struct delivery *d)
{
    struct ll_err err;
    if (!ll_doc_ready(d->doc, &d->wait))
        return;
    if (d->doc->state == LL_DOC_LOST) {
        end_later(d, "store/failed");
        return;
    }
    /* Its resident was forgotten, or it was settled before. */
    if (d->doc->content == NULL || !read_message(d) ||
        !ll_str_is(text_of(d, "state"), "queued")) {
        end(d, &(struct ll_errand_end){.outcome = LL_ERRAND_DONE});
        return;
    }
    name_post(d);
    if (d->next.failed || ll_pid_scan(&d->scan, &d->txn, d->doc->coll->space,
                              text_of(d, "subject"), &err) != LINLI_OK) {
        end_later(d, "runtime/memory");
        return;
    }
    d->scanning = true;
    d->scan.done = on_resident;
    d->scan.user = d;
    ll_scan_start(&d->scan);
}

static void
on_doc(struct ll_wait *wait)
{
    look(LL_CONTAINER(wait, struct delivery, wait));
}

static void
start(struct ll_errand *errand)
{
    struct ll_host *host = errand->host;
    linli_str id = ll_jv_str(ll_jv_get(errand->with, "message"));
    struct ll_coll *coll =
        ll_space_coll(errand->doc->coll->space, LINLI_STR("~message"));
    struct delivery *d = coll == NULL ? NULL : ll_alloc(&host->mem, sizeof *d);
    if (d == NULL) {
        ll_errand_end(
            errand, &(struct ll_errand_end){
                        .outcome = LL_ERRAND_AGAIN, .code = "runtime/memory"});
        return;
    }
    d->errand = errand;
    d->host = host;
    d->wait.ready = on_doc;
    ll_txn_init(&d->txn, &host->docs);
    ll_json_init(&d->json, &host->mem);
    ll_buf_init(&d->body, &host->mem, LL_DOC_BYTES_MAX);
    ll_buf_init(&d->next, &host->mem, LL_DOC_BYTES_MAX);
    errand->state = d;
    d->doc = ll_docs_get(coll, id);
    if (d->doc == NULL)
        end_later(d, "runtime/memory");
    else
        look(d);
}

static void
cancel(struct ll_errand *errand)
{
    struct delivery *d = errand->state;
    if (d->provider != NULL)
        d->provider->cancel(d->host, &d->post);
    delivery_free(d);
}

const struct ll_errand_kind ll_errand_notify = {
    .name = "notify",
    .attempts_max = ATTEMPTS_MAX,
    .start = start,
    .cancel = cancel,
};
