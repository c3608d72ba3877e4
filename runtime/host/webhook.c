/* host/webhook.c: from events to errands, endpoint by endpoint. [loop]
 *
 * An endpoint has LL_WEBHOOK_PENDING_MAX errands at most that are not settled:
 * while it does not answer, what comes after waits in the store, as events
 * do, and no more than those are ever given up together.
 */
#include "host/webhook.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "data/put.h"
#include "host/bus.h"
#include "host/directory.h"
#include "world/fetch.h"

#define ROWS 64
/* Events that are not for it, after which its place moves all the same: so
 * many are looked at again after a restart. */
#define PASSED_MAX 1000
/* Of real time: then it looks again, after a bad disk or without memory. */
#define REST_MS 1000
#define WITH_BYTES_MAX 4096

/* One endpoint. */
struct endpoint {
    struct endpoint *next;
    struct ll_webhooks *webhooks;
    linli_str id; /* in id_bytes */
    char id_bytes[LL_DOC_ID_BYTES_MAX];
    struct ll_doc *doc; /* a reference; NULL: it is to be asked for */
    struct ll_wait wait;
    struct ll_query query;
    bool querying, missed; /* missed: something came meanwhile */
    uint64_t scanned;      /* nothing up to here is for it and not queued */
    struct ll_webhook_last last;
};

struct ll_webhooks {
    struct ll_community *community;
    struct ll_coll *coll;
    struct endpoint *first;
    uint32_t count;
    struct ll_query query; /* which there are */
    bool querying, known;
    struct ll_wait events;
    struct ll_timer *timer;
    bool woken; /* the timer is about to look */
    struct ll_buf text, with;
    struct ll_fetch_pool *pool;
};

static void
wake(struct ll_webhooks *webhooks, int64_t in_ms)
{
    webhooks->woken = in_ms == 0 || webhooks->woken;
    ll_timer_set(webhooks->timer, webhooks->woken ? 0 : in_ms, 0);
}

/* -- endpoints in memory -- */

static struct endpoint *
find(const struct ll_webhooks *webhooks, linli_str id)
{
    struct endpoint *at = webhooks == NULL ? NULL : webhooks->first;
    while (at != NULL && !ll_str_eq(at->id, id))
        at = at->next;
    return at;
}

static void look(struct endpoint *endpoint);

static void
on_doc(struct ll_wait *wait)
{
    struct endpoint *endpoint = LL_CONTAINER(wait, struct endpoint, wait);
    wake(endpoint->webhooks, 0);
}

/* False without memory. */
static bool
add(struct ll_webhooks *webhooks, linli_str id)
{
    struct ll_mem *mem = &webhooks->community->host->mem;
    if (find(webhooks, id) != NULL)
        return true;
    struct endpoint *endpoint = ll_alloc(mem, sizeof *endpoint);
    if (endpoint == NULL)
        return false;
    ll_check(id.len <= sizeof endpoint->id_bytes);
    memcpy(endpoint->id_bytes, id.ptr, id.len);
    endpoint->id = (linli_str){endpoint->id_bytes, id.len};
    endpoint->webhooks = webhooks;
    endpoint->wait.ready = on_doc;
    endpoint->next = webhooks->first;
    webhooks->first = endpoint;
    webhooks->count++;
    return true;
}

static void
drop(struct endpoint **at)
{
    struct endpoint *endpoint = *at;
    struct ll_webhooks *webhooks = endpoint->webhooks;
    struct ll_host *host = webhooks->community->host;
    *at = endpoint->next;
    webhooks->count--;
    if (endpoint->querying) {
        ll_store_cancel(host->store, &endpoint->query);
        ll_query_fini(&endpoint->query);
    }
    ll_wait_cancel(&endpoint->wait);
    ll_doc_unref(&endpoint->doc);
    ll_release(&host->mem, endpoint, sizeof *endpoint);
}

/* -- into the queue -- */

/* The message's id, the same whenever it is sent. */
static void
put_id(char out[64], const struct ll_webhook *webhook, int64_t seq)
{
    (void)snprintf(
        out, 64, "msg_%.*s_%lld", LL_FMT(webhook->made), (long long)seq);
}

static linli_status
queue_event(struct endpoint *endpoint, const struct ll_webhook *webhook,
    const struct ll_event *event, struct ll_txn *txn, struct ll_err *err)
{
    struct ll_webhooks *webhooks = endpoint->webhooks;
    struct ll_community *community = webhooks->community;
    char id[64];
    ll_buf_clear(&webhooks->with);
    struct ll_jw w = ll_jw(&webhooks->with);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "webhook");
    ll_jw_str(&w, webhook->id);
    ll_jw_key(&w, "made");
    ll_jw_str(&w, webhook->made);
    ll_jw_key(&w, "seq");
    ll_jw_int(&w, event->seq);
    ll_jw_key(&w, "type");
    ll_jw_str(&w, event->type);
    ll_jw_key(&w, "plugin");
    ll_jw_str(&w, event->plugin);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, event->at_ms);
    ll_jw_close(&w, '}');
    if (webhooks->with.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a webhook");
    put_id(id, webhook, event->seq);
    struct ll_errand_want want = {.kind = ll_webhook_kind.name,
        .with = ll_buf_view(&webhooks->with),
        .id = ll_cstr(id)};
    return ll_errand_put(community->errands, txn, &want,
        ll_world_wall(community->host->world).ms, NULL, err);
}

/* Those of the rows that are for it, and its place behind them. */
static linli_status
fill(struct endpoint *endpoint, struct ll_webhook *webhook, struct ll_txn *txn,
    struct ll_err *err)
{
    struct ll_webhooks *webhooks = endpoint->webhooks;
    struct ll_rd rows = ll_rd(ll_buf_view(&endpoint->query.rows));
    struct ll_event event;
    uint64_t scanned = endpoint->scanned;
    int64_t pending = webhook->pending;
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; status == LINLI_OK && i < endpoint->query.row_count &&
                         webhook->pending < LL_WEBHOOK_PENDING_MAX;
         i++) {
        if (!ll_event_read(&rows, &event))
            break;
        if (event.seq <= webhook->seq)
            continue;
        if (ll_webhook_wants(webhook, event.type)) {
            status = queue_event(endpoint, webhook, &event, txn, err);
            webhook->pending++;
        }
        scanned = (uint64_t)event.seq;
    }
    if (status != LINLI_OK)
        return status;
    endpoint->scanned = scanned;
    if (pending == webhook->pending &&
        scanned <= (uint64_t)webhook->seq + PASSED_MAX)
        return LINLI_OK;
    webhook->seq = (int64_t)scanned;
    ll_buf_clear(&webhooks->text);
    ll_webhook_write(webhooks->community, webhook, &webhooks->text);
    return ll_txn_put(txn, endpoint->doc, &webhooks->text,
        ll_world_wall(webhooks->community->host->world).ms, err);
}

/* What it says now; false if it wants nothing: deleted, or disabled. The
 * strings stay until `json` is used again. */
static bool
read_endpoint(const struct endpoint *endpoint, struct ll_json *json,
    struct ll_webhook *webhook)
{
    const struct ll_content *content = endpoint->doc->content;
    return content != NULL &&
           ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) ==
               LINLI_OK &&
           ll_webhook_read(ll_json_root(json), webhook) && !webhook->disabled;
}

static linli_status
take_rows(struct endpoint *endpoint, struct ll_err *err)
{
    struct ll_docs *docs = &endpoint->webhooks->community->host->docs;
    struct ll_webhook webhook;
    struct ll_json json;
    struct ll_txn txn;
    linli_status status = LINLI_OK;
    struct ll_commit *commit = NULL;
    uint64_t before = endpoint->scanned;
    ll_json_init(&json, docs->mem);
    ll_txn_init(&txn, docs);
    if (read_endpoint(endpoint, &json, &webhook))
        status = fill(endpoint, &webhook, &txn, err);
    if (status == LINLI_OK && txn.writes != NULL) {
        commit = ll_docs_commit_new(docs);
        if (commit != NULL)
            ll_docs_commit_unwatched(docs, commit);
        if (commit == NULL || ll_txn_commit(&txn, commit) == 0)
            status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
    }
    if (status != LINLI_OK) {
        endpoint->scanned = before;
        if (commit != NULL)
            ll_docs_commit_free(docs, commit);
    }
    ll_txn_fini(&txn);
    ll_json_fini(&json);
    return status;
}

static void
on_rows(struct ll_query *query)
{
    struct endpoint *endpoint = query->user;
    struct ll_err err;
    uint64_t before = endpoint->scanned;
    endpoint->querying = false;
    bool failed =
        query->status != LINLI_OK || take_rows(endpoint, &err) != LINLI_OK;
    bool more = query->more && endpoint->scanned > before;
    ll_query_fini(query);
    if (failed)
        wake(endpoint->webhooks, REST_MS);
    else if (more || endpoint->missed)
        look(endpoint);
}

/* The document is known: true if there may be events for it. */
static bool
has_room(struct endpoint *endpoint)
{
    struct ll_json *json = &endpoint->webhooks->community->host->docs.json;
    struct ll_webhook webhook;
    if (!read_endpoint(endpoint, json, &webhook))
        return false;
    if ((uint64_t)webhook.seq > endpoint->scanned)
        endpoint->scanned = (uint64_t)webhook.seq;
    return webhook.pending < LL_WEBHOOK_PENDING_MAX;
}

static void
look(struct endpoint *endpoint)
{
    struct ll_webhooks *webhooks = endpoint->webhooks;
    struct ll_host *host = webhooks->community->host;
    if (endpoint->querying || endpoint->wait.head != NULL) {
        endpoint->missed = true;
        return;
    }
    endpoint->missed = false;
    if (endpoint->doc == NULL)
        endpoint->doc = ll_docs_get(webhooks->coll, endpoint->id);
    if (endpoint->doc != NULL && !ll_doc_ready(endpoint->doc, &endpoint->wait))
        return;
    if (endpoint->doc == NULL || endpoint->doc->state == LL_DOC_LOST) {
        ll_doc_unref(&endpoint->doc);
        wake(webhooks, REST_MS);
        return;
    }
    if (!has_room(endpoint))
        return;
    ll_query_init(&endpoint->query, &host->mem, LL_ST_event_after);
    ll_put_bytes(&endpoint->query.params, webhooks->community->id);
    ll_put_int(&endpoint->query.params, (int64_t)endpoint->scanned);
    ll_put_int(&endpoint->query.params, ROWS + 1);
    endpoint->query.rows_max = ROWS;
    endpoint->query.bytes_max = LL_QUERY_BYTES_MAX;
    endpoint->query.done = on_rows;
    endpoint->query.user = endpoint;
    endpoint->querying = true;
    ll_store_query(host->store, &endpoint->query);
}

/* -- all of them -- */

static void ask_which(struct ll_webhooks *webhooks);

static void
on_timer(void *user)
{
    struct ll_webhooks *webhooks = user;
    const struct ll_host *host = webhooks->community->host;
    webhooks->woken = false;
    if (host->draining || host->failure.status != LINLI_OK)
        return;
    if (!webhooks->known && !webhooks->querying)
        ask_which(webhooks);
    for (struct endpoint **at = &webhooks->first; *at != NULL;) {
        const struct ll_doc *doc = (*at)->doc;
        if (doc != NULL && doc->state == LL_DOC_KNOWN && doc->content == NULL) {
            drop(at); /* it was deleted */
            continue;
        }
        look(*at);
        at = &(*at)->next;
    }
}

static void
on_which(struct ll_query *query)
{
    struct ll_webhooks *webhooks = query->user;
    struct ll_rd row = ll_rd(ll_buf_view(&query->rows));
    bool good = query->status == LINLI_OK;
    webhooks->querying = false;
    for (uint32_t i = 0; good && i < query->row_count; i++) {
        (void)ll_rd_list(&row);
        good = add(webhooks, ll_rd_bytes(&row));
    }
    webhooks->known = good;
    ll_query_fini(query);
    wake(webhooks, good ? 0 : REST_MS);
}

static void
ask_which(struct ll_webhooks *webhooks)
{
    struct ll_host *host = webhooks->community->host;
    struct ll_query *query = &webhooks->query;
    ll_query_init(query, &host->mem, LL_ST_doc_ids);
    ll_put_int(&query->params, webhooks->coll->id);
    ll_put_bytes(&query->params, LINLI_STR(""));
    ll_put_int(&query->params, LL_WEBHOOKS_MAX);
    query->rows_max = LL_WEBHOOKS_MAX;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_which;
    query->user = webhooks;
    webhooks->querying = true;
    ll_store_query(host->store, query);
}

/* Events became durable. */
static void
on_events(struct ll_wait *wait)
{
    struct ll_webhooks *webhooks =
        LL_CONTAINER(wait, struct ll_webhooks, events);
    ll_wait_add(&webhooks->community->feed_waits, wait);
    wake(webhooks, 0);
}

/* A commit has written one: it is new, has room, or was deleted. */
static void
on_written(struct ll_coll *coll, const struct ll_doc *doc)
{
    struct ll_webhooks *webhooks = coll->user;
    if (doc->content != NULL && !add(webhooks, doc->id)) {
        webhooks->known = false; /* they are asked for again */
        wake(webhooks, REST_MS);
        return;
    }
    wake(webhooks, 0);
}

static struct ll_webhooks *
webhooks_new(struct ll_community *community)
{
    struct ll_host *host = community->host;
    struct ll_webhooks *webhooks = ll_alloc(&host->mem, sizeof *webhooks);
    bool used = ll_directory_find(host, community->id, LL_WEBHOOK_COLL) != NULL;
    struct ll_coll *coll = ll_directory(community, LL_WEBHOOK_COLL);
    if (webhooks == NULL || coll == NULL) {
        ll_release(&host->mem, webhooks, sizeof *webhooks);
        return NULL;
    }
    *webhooks = (struct ll_webhooks){.community = community,
        .coll = coll,
        .known = !used,
        .events = {.ready = on_events},
        .timer = ll_timer_new(host->world, on_timer, webhooks)};
    if (webhooks->timer == NULL) {
        ll_release(&host->mem, webhooks, sizeof *webhooks);
        return NULL;
    }
    ll_buf_init(&webhooks->text, &host->mem, LL_DOC_BYTES_MAX);
    ll_buf_init(&webhooks->with, &host->mem, WITH_BYTES_MAX);
    coll->user = webhooks;
    coll->written = on_written;
    ll_wait_add(&community->feed_waits, &webhooks->events);
    return webhooks;
}

linli_status
ll_webhooks_open(struct ll_community *community, struct ll_err *err)
{
    if (community->webhooks != NULL)
        return LINLI_OK;
    linli_status status = ll_errands_open_own(community, err);
    if (status != LINLI_OK)
        return status;
    community->webhooks = webhooks_new(community);
    if (community->webhooks == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "webhooks");
    wake(community->webhooks, 0);
    return LINLI_OK;
}

linli_status
ll_webhooks_open_used(struct ll_community *community, struct ll_err *err)
{
    if (ll_directory_find(community->host, community->id, LL_WEBHOOK_COLL) ==
        NULL)
        return LINLI_OK;
    return ll_webhooks_open(community, err);
}

void
ll_webhooks_close(struct ll_community *community)
{
    struct ll_webhooks *webhooks = community->webhooks;
    if (webhooks == NULL)
        return;
    struct ll_host *host = community->host;
    community->webhooks = NULL;
    webhooks->coll->written = NULL;
    while (webhooks->first != NULL)
        drop(&webhooks->first);
    if (webhooks->querying) {
        ll_store_cancel(host->store, &webhooks->query);
        ll_query_fini(&webhooks->query);
    }
    ll_fetch_pool_free(&webhooks->pool);
    ll_wait_cancel(&webhooks->events);
    ll_timer_free(&webhooks->timer);
    ll_buf_fini(&webhooks->text);
    ll_buf_fini(&webhooks->with);
    ll_release(&host->mem, webhooks, sizeof *webhooks);
}

int
ll_webhooks_count(const struct ll_community *community)
{
    const struct ll_webhooks *webhooks = community->webhooks;
    return webhooks == NULL || !webhooks->known ? -1 : (int)webhooks->count;
}

struct ll_fetch_pool *
ll_webhooks_pool(struct ll_community *community)
{
    struct ll_webhooks *webhooks = community->webhooks;
    struct ll_fetch_pool_options options = {
        .idle_connections = LL_EGRESS_IDLE_CONNECTIONS,
        .idle_ms = LL_EGRESS_IDLE_MS,
        .ca_file = community->host->config.ca_file};
    if (webhooks != NULL && webhooks->pool == NULL)
        webhooks->pool = ll_fetch_pool_new(community->host->world, options);
    return webhooks == NULL ? NULL : webhooks->pool;
}

void
ll_webhooks_again(struct ll_community *community)
{
    if (community->webhooks != NULL)
        wake(community->webhooks, 0);
}

struct ll_webhook_last *
ll_webhooks_last(const struct ll_community *community, linli_str id)
{
    struct endpoint *endpoint = find(community->webhooks, id);
    return endpoint == NULL ? NULL : &endpoint->last;
}

bool
ll_webhooks_idle(const struct ll_host *host)
{
    for (const struct ll_community *c = host->communities; c != NULL;
         c = c->next) {
        const struct ll_webhooks *webhooks = c->webhooks;
        if (webhooks == NULL)
            continue;
        if (webhooks->woken || webhooks->querying)
            return false;
        for (const struct endpoint *e = webhooks->first; e != NULL; e = e->next)
            if (e->querying || e->wait.head != NULL)
                return false;
    }
    return true;
}
