/* host/sink.c: from usage records to requests, sink by sink. [loop]
 *
 * A tick looks at every sink that has nothing under way; one that has sent a
 * batch goes on at once. The place stands in the document and moves in a
 * commit that nobody waits for: what a crash takes back of it is sent again,
 * under the same ids.
 */
#include "host/sink.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "data/put.h"
#include "host/alert.h"
#include "host/directory.h"
#include "host/sink_int.h"
#include "host/work.h"

#define MS_NS 1000000
#define ARENA_BYTES_MAX ((size_t)64 << 10)
/* Three megabytes of records, and the last one above them. */
#define BODY_BYTES_MAX (LL_EXPORT_BYTES_MAX + (1u << 20))
#define ALERT_BYTES_MAX 1024

static struct ll_sinks *
sinks_of(const struct ll_community *community)
{
    struct ll_coll *coll =
        ll_directory_find(community->host, community->id, LL_SINK_COLL);
    return coll == NULL ? NULL : coll->user;
}

static struct ll_pump *
find(const struct ll_sinks *sinks, linli_str id)
{
    struct ll_pump *at = sinks == NULL ? NULL : sinks->first;
    while (at != NULL && !ll_str_eq(at->id, id))
        at = at->next;
    return at;
}

static struct ll_host *
host_of(const struct ll_pump *pump)
{
    return pump->sinks->community->host;
}

static void look(struct ll_pump *pump);

/* -- sinks in memory -- */

static void
on_doc(struct ll_wait *wait)
{
    look(LL_CONTAINER(wait, struct ll_pump, wait));
}

/* False without memory. */
static bool
add(struct ll_sinks *sinks, linli_str id)
{
    struct ll_mem *mem = &sinks->community->host->mem;
    if (find(sinks, id) != NULL)
        return true;
    struct ll_pump *pump = ll_alloc(mem, sizeof *pump);
    if (pump == NULL)
        return false;
    ll_check(id.len <= sizeof pump->id_bytes);
    memcpy(pump->id_bytes, id.ptr, id.len);
    pump->id = (linli_str){pump->id_bytes, id.len};
    pump->sinks = sinks;
    pump->wait.ready = on_doc;
    pump->alarmed = true; /* by an earlier process, for all we know */
    ll_json_init(&pump->json, mem);
    ll_buf_init(&pump->source, mem, LL_EXPORT_SOURCE_BYTES_MAX);
    ll_buf_init(&pump->body, mem, BODY_BYTES_MAX);
    ll_arena_init(&pump->arena, mem, ARENA_BYTES_MAX);
    pump->next = sinks->first;
    sinks->first = pump;
    sinks->count++;
    return true;
}

static void
drop(struct ll_pump **at)
{
    struct ll_pump *pump = *at;
    struct ll_host *host = host_of(pump);
    *at = pump->next;
    pump->sinks->count--;
    if (pump->querying) {
        ll_store_cancel(host->store, &pump->query);
        ll_query_fini(&pump->query);
    }
    ll_fetch_cancel(&pump->fetch);
    ll_wait_cancel(&pump->wait);
    ll_doc_unref(&pump->doc);
    ll_json_fini(&pump->json);
    ll_buf_fini(&pump->source);
    ll_buf_fini(&pump->body);
    ll_arena_fini(&pump->arena);
    ll_release(&host->mem, pump, sizeof *pump);
}

/* -- the document -- */

/* What it says now, into pump->sink; false if there is none. */
static bool
read_sink(struct ll_pump *pump)
{
    const struct ll_content *content = pump->doc->content;
    return content != NULL &&
           ll_json_parse(&pump->json, content->body, LL_JSON_DEPTH_MAX, NULL) ==
               LINLI_OK &&
           ll_sink_read(ll_json_root(&pump->json), &pump->sink);
}

/* What is to be written of it with what else is in `take_commit`, which may
 * be NULL: there was no memory. */
static bool
write_sink(struct ll_pump *pump, struct ll_commit *take_commit)
{
    struct ll_docs *docs = &host_of(pump)->docs;
    uint64_t number = 0;
    if (take_commit == NULL)
        return false;
    ll_docs_commit_unwatched(docs, take_commit);
    ll_buf_clear(&pump->body); /* it was sent */
    ll_sink_write(pump->sinks->community, &pump->sink, &pump->body);
    pump->writing = true;
    number = ll_docs_put_in(docs, pump->doc, &pump->body,
        ll_world_wall(host_of(pump)->world).ms, take_commit);
    pump->writing = false;
    if (number == 0)
        ll_docs_commit_free(docs, take_commit);
    return number != 0;
}

/* -- alerts -- */

static void
put_alert(struct ll_pump *pump, const char *kind, const char *code,
    struct ll_commit *commit)
{
    struct ll_host *host = host_of(pump);
    char ref[LL_SINK_REF_BYTES];
    struct ll_buf data;
    ll_sink_ref(pump->id, ref);
    ll_buf_init(&data, &host->mem, ALERT_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "sink");
    ll_jw_str(&w, pump->id);
    ll_jw_key(&w, "code");
    ll_jw_cstr(&w, code);
    ll_jw_key(&w, "status");
    ll_jw_int(&w, pump->last.status);
    ll_jw_key(&w, "after");
    ll_jw_int(&w, (int64_t)pump->sink.after);
    ll_jw_key(&w, "attempts");
    ll_jw_int(&w, pump->last.attempts);
    ll_jw_close(&w, '}');
    struct ll_alert alert = {.space = pump->sinks->community->space,
        .kind = ll_cstr(kind),
        .ref = ll_cstr(ref),
        .data = ll_buf_view(&data),
        .at_ms = ll_world_wall(host->world).ms};
    commit->ops.failed |= data.failed;
    ll_alert_put(host, &alert, commit);
    ll_buf_fini(&data);
    pump->alarmed = true;
}

static void
settle_alert(struct ll_pump *pump, struct ll_commit *commit)
{
    char ref[LL_SINK_REF_BYTES];
    struct ll_closing closing = {.by = LINLI_STR("linli"),
        .reason = LINLI_STR("records are taken again"),
        .at_ms = ll_world_wall(host_of(pump)->world).ms};
    ll_sink_ref(pump->id, ref);
    ll_alert_settle(
        pump->sinks->community->space, ll_cstr(ref), &closing, commit);
}

/* -- what a batch comes to -- */

static void
rest(struct ll_pump *pump, int64_t ms)
{
    pump->rest_ns = ll_world_mono(host_of(pump)->world).ns + ms * MS_NS;
}

static void
note(struct ll_pump *pump, const char *code)
{
    (void)snprintf(pump->last.code, sizeof pump->last.code, "%s", code);
}

void
ll_pump_again(struct ll_pump *pump, const char *code)
{
    struct ll_host *host = host_of(pump);
    note(pump, code);
    pump->last.attempts++;
    rest(pump, ll_task_pause_ms(pump->last.attempts));
    if (pump->last.attempts != LL_SINK_ALERT_AFTER)
        return;
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    if (commit == NULL)
        return;
    put_alert(pump, "linli.sink_failing", code, commit);
    (void)ll_docs_commit_send(&host->docs, commit);
}

/* Whether the sink is still what the batch was made for: there, the same,
 * where it was, and served. pump->sink is as it is now. */
static bool
is_same(struct ll_pump *pump)
{
    char made[LL_SINK_MADE_BYTES];
    uint64_t after = pump->sink.after;
    (void)snprintf(made, sizeof made, "%.*s", LL_FMT(pump->sink.made));
    return read_sink(pump) && ll_str_is(pump->sink.made, made) &&
           pump->sink.after == after && pump->sink.parked.len == 0;
}

void
ll_pump_taken(struct ll_pump *pump)
{
    struct ll_host *host = host_of(pump);
    uint64_t after = pump->rows.after;
    if (!is_same(pump)) {
        look(pump);
        return;
    }
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    pump->sink.after = after;
    if (commit != NULL && pump->alarmed)
        settle_alert(pump, commit);
    if (!write_sink(pump, commit)) {
        ll_pump_again(pump, "runtime/memory");
        return;
    }
    pump->alarmed = false;
    pump->last.attempts = 0;
    note(pump, "");
    pump->limit = pump->limit > UINT32_MAX / 2 ? 0 : 2 * pump->limit;
    memset(pump->skip, 0, sizeof pump->skip);
    look(pump);
}

void
ll_pump_smaller(struct ll_pump *pump)
{
    look(pump);
}

void
ll_pump_park(struct ll_pump *pump, const char *code)
{
    struct ll_host *host = host_of(pump);
    if (!is_same(pump)) {
        look(pump);
        return;
    }
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    note(pump, code);
    pump->last.attempts++;
    pump->sink.parked = ll_cstr(code);
    pump->sink.parked_ms = ll_world_wall(host->world).ms;
    if (commit != NULL) {
        /* One that says that it fails has become this one. */
        settle_alert(pump, commit);
        put_alert(pump, "linli.sink_parked", code, commit);
    }
    if (!write_sink(pump, commit))
        ll_pump_again(pump, "runtime/memory");
}

/* -- a batch -- */

static void ask(struct ll_pump *pump);

/* All that there is for it has been read. */
static void
finish(struct ll_pump *pump)
{
    ll_usage_doc_end(&pump->document);
    if (pump->body.failed)
        ll_pump_again(pump, "runtime/memory");
    else if (pump->document.count > 0)
        ll_pump_send(pump);
    else if (pump->rows.place > 0)
        ll_pump_taken(pump); /* the receiver has all of it already */
    else
        pump->passed = pump->rows.after;
}

static void
on_rows(struct ll_query *query)
{
    struct ll_pump *pump = query->user;
    uint64_t before = pump->rows.after;
    bool good = query->status == LINLI_OK;
    pump->querying = false;
    bool taken = good && ll_usage_rows_take(&pump->rows, query);
    ll_query_fini(query);
    if (!good)
        ll_pump_again(pump, "store/failed");
    else if (!taken)
        ll_pump_again(pump, "store/corrupt");
    else if (!pump->rows.seen && before > 0)
        ll_pump_park(pump, "sink/place");
    else if (!pump->rows.full && pump->rows.after > before)
        ask(pump);
    else
        finish(pump);
}

static void
ask(struct ll_pump *pump)
{
    struct ll_host *host = host_of(pump);
    ll_query_init(&pump->query, &host->mem, LL_ST_segment_list);
    ll_usage_rows_ask(&pump->query, pump->rows.after);
    pump->query.done = on_rows;
    pump->query.user = pump;
    if (pump->query.params.failed) {
        ll_query_fini(&pump->query);
        ll_pump_again(pump, "runtime/memory");
        return;
    }
    pump->querying = true;
    ll_store_query(host->store, &pump->query);
}

static void
begin(struct ll_pump *pump)
{
    const struct ll_host *host = host_of(pump);
    uint64_t after = pump->sink.after;
    uint32_t most = ll_usage_doc_most(pump->sink.format);
    if (most > LL_SINK_RECORDS_MAX)
        most = LL_SINK_RECORDS_MAX;
    if (pump->limit > 0 && pump->limit < most)
        most = pump->limit;
    else
        pump->limit = 0;
    ll_buf_clear(&pump->source);
    ll_usage_rows_source(host, pump->sinks->community->id, &pump->source);
    ll_buf_clear(&pump->body);
    pump->document = (struct ll_usage_doc){.out = &pump->body,
        .format = pump->sink.format,
        .source = ll_buf_view(&pump->source)};
    pump->rows = (struct ll_usage_rows){.host = host,
        .community = pump->sinks->community->id,
        .after = pump->passed > after ? pump->passed : after,
        .most = most,
        .skip = pump->sink.format == LL_EXPORT_LAGO ? pump->skip : NULL,
        .into = &pump->document};
    ll_usage_doc_begin(&pump->document);
    if (pump->source.failed)
        ll_pump_again(pump, "runtime/memory");
    else
        ask(pump);
}

/* -- looking -- */

/* Something is under way, or it waits. */
static bool
is_busy(struct ll_pump *pump)
{
    const struct ll_host *host = host_of(pump);
    if (host->draining || host->failure.status != LINLI_OK || pump->querying ||
        pump->fetch != NULL || pump->wait.head != NULL ||
        pump->held > ll_store_durable(host->store))
        return true;
    if (pump->rest_ns > ll_world_mono(host->world).ns)
        return true;
    pump->rest_ns = 0;
    return false;
}

static void
look(struct ll_pump *pump)
{
    if (is_busy(pump))
        return;
    if (pump->doc == NULL)
        pump->doc = ll_docs_get(pump->sinks->coll, pump->id);
    if (pump->doc != NULL && !ll_doc_ready(pump->doc, &pump->wait))
        return;
    if (pump->doc == NULL || pump->doc->state == LL_DOC_LOST) {
        ll_doc_unref(&pump->doc);
        return; /* the next tick */
    }
    pump->looked = ll_store_durable(host_of(pump)->store);
    if (read_sink(pump) && pump->sink.parked.len == 0)
        begin(pump);
}

/* -- all of them -- */

static void ask_which(struct ll_sinks *sinks);

static void
on_tick(void *user)
{
    struct ll_sinks *sinks = user;
    const struct ll_host *host = sinks->community->host;
    if (host->draining || host->failure.status != LINLI_OK)
        return;
    if (!sinks->known && !sinks->querying)
        ask_which(sinks);
    uint64_t durable = ll_store_durable(host->store);
    for (struct ll_pump **at = &sinks->first; *at != NULL;) {
        struct ll_pump *pump = *at;
        if (pump->doc != NULL && pump->doc->state == LL_DOC_KNOWN &&
            pump->doc->content == NULL) {
            drop(at); /* it was deleted */
            continue;
        }
        if (pump->looked != durable || pump->rest_ns != 0)
            look(pump);
        at = &pump->next;
    }
}

static void
on_which(struct ll_query *query)
{
    struct ll_sinks *sinks = query->user;
    struct ll_rd row = ll_rd(ll_buf_view(&query->rows));
    bool good = query->status == LINLI_OK;
    sinks->querying = false;
    for (uint32_t i = 0; good && i < query->row_count; i++) {
        (void)ll_rd_list(&row);
        good = add(sinks, ll_rd_bytes(&row));
    }
    sinks->known = good; /* if not, the next tick asks again */
    ll_query_fini(query);
}

static void
ask_which(struct ll_sinks *sinks)
{
    struct ll_host *host = sinks->community->host;
    struct ll_query *query = &sinks->query;
    ll_query_init(query, &host->mem, LL_ST_doc_ids);
    ll_put_int(&query->params, sinks->coll->id);
    ll_put_bytes(&query->params, LINLI_STR(""));
    ll_put_int(&query->params, LL_SINKS_MAX);
    query->rows_max = LL_SINKS_MAX;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_which;
    query->user = sinks;
    sinks->querying = true;
    ll_store_query(host->store, query);
}

/* An operator's commit has written one: it is new, goes on, or was deleted.
 * Nothing is heard of it outside before that is durable. */
static void
on_written(struct ll_coll *coll, const struct ll_doc *doc)
{
    struct ll_sinks *sinks = coll->user;
    struct ll_pump *pump = find(sinks, doc->id);
    if (pump != NULL && pump->writing)
        return;
    if (doc->content != NULL && !add(sinks, doc->id)) {
        sinks->known = false; /* they are asked for again */
        return;
    }
    pump = find(sinks, doc->id);
    if (pump == NULL)
        return;
    pump->held = doc->number;
    pump->looked = 0;
    pump->passed = 0;
    pump->rest_ns = 0;
    pump->limit = 0;
    memset(pump->skip, 0, sizeof pump->skip);
}

static struct ll_sinks *
sinks_new(struct ll_community *community)
{
    struct ll_host *host = community->host;
    struct ll_sinks *sinks = ll_alloc(&host->mem, sizeof *sinks);
    bool used = ll_directory_find(host, community->id, LL_SINK_COLL) != NULL;
    struct ll_coll *coll = ll_directory(community, LL_SINK_COLL);
    if (sinks == NULL || coll == NULL) {
        ll_release(&host->mem, sinks, sizeof *sinks);
        return NULL;
    }
    *sinks = (struct ll_sinks){.community = community,
        .coll = coll,
        .known = !used,
        .timer = ll_timer_new(host->world, on_tick, sinks)};
    if (sinks->timer == NULL) {
        ll_release(&host->mem, sinks, sizeof *sinks);
        return NULL;
    }
    coll->user = sinks;
    coll->written = on_written;
    ll_timer_set(sinks->timer, 0, LL_SINK_TICK_MS);
    return sinks;
}

linli_status
ll_sinks_open(struct ll_community *community, struct ll_err *err)
{
    if (sinks_of(community) != NULL)
        return LINLI_OK;
    return sinks_new(community) != NULL
               ? LINLI_OK
               : ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "sinks");
}

linli_status
ll_sinks_open_used(struct ll_community *community, struct ll_err *err)
{
    if (ll_directory_find(community->host, community->id, LL_SINK_COLL) == NULL)
        return LINLI_OK;
    return ll_sinks_open(community, err);
}

void
ll_sinks_close(struct ll_community *community)
{
    struct ll_sinks *sinks = sinks_of(community);
    if (sinks == NULL)
        return;
    struct ll_host *host = community->host;
    sinks->coll->written = NULL;
    sinks->coll->user = NULL;
    while (sinks->first != NULL)
        drop(&sinks->first);
    if (sinks->querying) {
        ll_store_cancel(host->store, &sinks->query);
        ll_query_fini(&sinks->query);
    }
    ll_fetch_pool_free(&sinks->pool);
    ll_timer_free(&sinks->timer);
    ll_release(&host->mem, sinks, sizeof *sinks);
}

int
ll_sinks_count(const struct ll_community *community)
{
    const struct ll_sinks *sinks = sinks_of(community);
    return sinks == NULL || !sinks->known ? -1 : (int)sinks->count;
}

const struct ll_sink_last *
ll_sinks_last(const struct ll_community *community, linli_str id)
{
    struct ll_pump *pump = find(sinks_of(community), id);
    return pump == NULL ? NULL : &pump->last;
}
