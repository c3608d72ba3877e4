/* host/uninstall.c: uninstalls of a community: who is told, and whether it has
 * heard. [loop] */
#include "host/uninstall.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "host/alert.h"
#include "host/clock.h"
#include "host/directory.h"
#include "host/duty.h"
#include "host/terms.h"
#include "host/work.h"

#define ARENA_BYTES_MAX ((size_t)64 << 10)
#define CALL_ID_BYTES (LL_REQUEST_ID_DIGITS + 16)

/* -- a run -- */

static void
drop(struct ll_leaving *l)
{
    struct ll_host *host = l->host;
    ll_wait_cancel(&l->wait);
    if (l->querying) {
        ll_store_cancel(host->store, &l->query);
        ll_query_fini(&l->query);
    }
    if (l->commit != NULL)
        ll_docs_commit_unwatched(&host->docs, l->commit);
    for (uint32_t i = 0; i < l->count; i++)
        ll_doc_unref(&l->docs[i]);
    ll_doc_unref(&l->asked);
    l->doc->owner = NULL;
    ll_doc_unref(&l->doc);
    ll_buf_fini(&l->after);
    ll_buf_fini(&l->text);
    ll_arena_fini(&l->arena);
    l->uninstalls->leaving = NULL;
    l->uninstalls->queue->open--;
    ll_release(&host->mem, l, sizeof *l);
}

bool
ll_leaving_end(struct ll_leaving *l, bool later)
{
    struct ll_queue *queue = l->uninstalls->queue;
    struct ll_host *host = l->host;
    drop(l);
    queue->open++; /* ll_queue_ended counts it down */
    ll_queue_ended(queue, true, later);
    ll_host_clock_step(host);
    return false;
}

void
ll_leaving_go(struct ll_leaving *l)
{
    while (l->step(l)) {}
}

static void
on_known(struct ll_wait *wait)
{
    ll_leaving_go(LL_CONTAINER(wait, struct ll_leaving, wait));
}

bool
ll_leaving_ask(struct ll_leaving *l, struct ll_coll *coll, linli_str id)
{
    if (l->asked == NULL && coll != NULL)
        l->asked = ll_docs_get(coll, id);
    if (l->asked == NULL)
        return ll_leaving_end(l, true);
    if (!ll_doc_ready(l->asked, &l->wait))
        return false;
    return l->asked->state != LL_DOC_LOST || ll_leaving_end(l, true);
}

/* -- writing -- */

static void
put_text(struct ll_jw *w, const char *name, linli_str text)
{
    if (text.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

static void
put_count(struct ll_jw *w, const char *name, int64_t count)
{
    ll_jw_key(w, name);
    ll_jw_int(w, count);
}

void
ll_leaving_text(struct ll_leaving *l, const char *state, int64_t due_ms)
{
    struct ll_jw w = ll_jw(&l->text);
    ll_buf_clear(&l->text);
    ll_jw_open(&w, '{');
    put_text(&w, "id", l->id);
    put_text(&w, "plugin", l->plugin);
    put_text(&w, "by", l->by);
    put_text(&w, "reason", l->reason);
    put_text(&w, "told", l->told);
    put_text(&w, "state", ll_cstr(state));
    put_count(&w, "at", l->at_ms);
    put_count(&w, "deadline", l->deadline_ms);
    put_count(&w, "documents", l->documents);
    put_count(&w, "kept", l->kept);
    put_count(&w, "keys", l->keys);
    put_count(&w, "grants", l->grants);
    if (l->done_ms != 0)
        put_count(&w, "done_at", l->done_ms);
    if (l->leaf >= 0)
        put_count(&w, "leaf", l->leaf);
    if (due_ms != 0)
        ll_queue_write_due(l->host, &w, due_ms);
    ll_jw_close(&w, '}');
}

static void
on_durable(struct ll_commit *commit, bool durable)
{
    struct ll_leaving *l = commit->user;
    if (commit->leaf_count > 0)
        l->leaf = (int64_t)commit->leaf_first;
    l->commit = NULL;
    ll_docs_commit_free(&l->host->docs, commit);
    if (durable)
        ll_leaving_go(l);
    else
        (void)ll_leaving_end(l, true);
}

struct ll_commit *
ll_leaving_begin(struct ll_leaving *l, struct ll_txn *txn)
{
    struct ll_commit *commit = ll_docs_commit_new(&l->host->docs);
    if (commit == NULL)
        (void)ll_leaving_end(l, true);
    else
        ll_txn_init(txn, &l->host->docs);
    return commit;
}

bool
ll_leaving_commit(
    struct ll_leaving *l, struct ll_txn *txn, struct ll_commit *commit)
{
    linli_status status = ll_txn_put(txn, l->doc, &l->text, l->now_ms, NULL);
    commit->done = on_durable;
    commit->user = l;
    bool good = status == LINLI_OK && !commit->ops.failed &&
                ll_txn_commit(txn, commit) != 0;
    ll_txn_fini(txn);
    if (good) {
        l->commit = commit;
        return false;
    }
    ll_docs_commit_free(&l->host->docs, commit);
    return ll_leaving_end(l, true);
}

static bool
stop_here(struct ll_leaving *l)
{
    return ll_leaving_end(l, false);
}

/* -- telling it -- */

static linli_str
call_id(const struct ll_leaving *l, char out[CALL_ID_BYTES])
{
    int n = snprintf(out, CALL_ID_BYTES, "uninstall-%.*s", LL_FMT(l->id));
    ll_check(n > 0 && n < CALL_ID_BYTES);
    return (linli_str){out, (size_t)n};
}

/* It is looked at again: the later the longer it takes. */
static bool
wait_on(struct ll_leaving *l, const char *state)
{
    struct ll_txn txn;
    int64_t wait_ms = l->now_ms - l->at_ms;
    if (wait_ms < LL_TASK_PAUSE_MS_FIRST)
        wait_ms = LL_TASK_PAUSE_MS_FIRST;
    if (wait_ms > LL_TASK_PAUSE_MS_MAX)
        wait_ms = LL_TASK_PAUSE_MS_MAX;
    int64_t due_ms = l->now_ms + wait_ms;
    struct ll_commit *commit = ll_leaving_begin(l, &txn);
    if (commit == NULL)
        return false;
    ll_leaving_text(
        l, state, due_ms < l->deadline_ms ? due_ms : l->deadline_ms);
    l->step = stop_here;
    return ll_leaving_commit(l, &txn, commit);
}

/* In one commit with the alert and the duty, if it has not done it. */
static linli_status
put_missed(struct ll_leaving *l, struct ll_txn *txn, struct ll_commit *commit)
{
    char ref[CALL_ID_BYTES];
    struct ll_buf data;
    struct ll_duty duty = {.kind = "DELETE",
        .why = "uninstall",
        .ref = l->id,
        .plugin = l->plugin,
        .until_ms = l->now_ms + LL_DUTY_DAYS * LL_CONSENT_DAY_MS,
        .now_ms = l->now_ms};
    ll_buf_init(&data, &l->host->mem, 4096);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    put_count(&w, "deadline", l->deadline_ms);
    put_text(&w, "plugin", l->plugin);
    put_text(&w, "uninstall", l->id);
    ll_jw_close(&w, '}');
    struct ll_alert alert = {.space = l->space,
        .kind = LINLI_STR("linli.uninstall_missed"),
        .ref = call_id(l, ref),
        .data = ll_buf_view(&data),
        .at_ms = l->now_ms};
    ll_alert_put(l->host, &alert, commit);
    commit->ops.failed = commit->ops.failed || data.failed;
    ll_buf_fini(&data);
    return ll_duty_put(l->community, &duty, txn, commit);
}

static bool
go_on(struct ll_leaving *l, const char *told)
{
    struct ll_txn txn;
    struct ll_commit *commit = ll_leaving_begin(l, &txn);
    if (commit == NULL)
        return false;
    l->told = ll_cstr(told);
    ll_doc_unref(&l->asked);
    if (ll_str_is(l->told, "missed") && put_missed(l, &txn, commit) != LINLI_OK)
        commit->ops.failed = true;
    ll_leaving_text(l, "emptying", l->now_ms);
    l->step = ll_leaving_empty;
    return ll_leaving_commit(l, &txn, commit);
}

static void
write_call(struct ll_leaving *l, linli_str id, struct ll_buf *text)
{
    struct ll_jw w = ll_jw(text);
    ll_jw_open(&w, '{');
    put_text(&w, "id", id);
    put_text(&w, "kind", LINLI_STR("job"));
    ll_queue_write_due(l->host, &w, l->now_ms);
    put_count(&w, "at", l->now_ms);
    put_text(&w, "run", LINLI_STR(LL_UNINSTALL_CALL));
    ll_jw_key(&w, "with");
    ll_jw_open(&w, '{');
    put_count(&w, "deadline", l->deadline_ms);
    put_text(&w, "uninstall", l->id);
    ll_jw_close(&w, '}');
    ll_jw_close(&w, '}');
}

static bool
tell(struct ll_leaving *l)
{
    char id[CALL_ID_BYTES];
    struct ll_txn txn;
    struct ll_buf text;
    struct ll_err err;
    if (ll_work_leave(l->instance, &err) != LINLI_OK)
        return ll_leaving_end(l, true);
    if (!ll_leaving_ask(l, l->instance->leave->coll, call_id(l, id)))
        return false;
    struct ll_commit *commit = ll_leaving_begin(l, &txn);
    if (commit == NULL)
        return false;
    ll_buf_init(&text, &l->host->mem, LL_DOC_BYTES_MAX);
    write_call(l, call_id(l, id), &text);
    if (ll_txn_put(&txn, l->asked, &text, l->now_ms, NULL) != LINLI_OK)
        commit->ops.failed = true;
    ll_buf_fini(&text);
    ll_leaving_text(l, "calling", l->now_ms + LL_TASK_PAUSE_MS_FIRST);
    l->step = stop_here;
    return ll_leaving_commit(l, &txn, commit);
}

/* A plugin that does not run cannot be told: what it keeps elsewhere is the
 * operator's to have deleted. */
static bool
asked(struct ll_leaving *l)
{
    const struct ll_instance *instance = l->instance;
    if (instance != NULL && instance->loading != NULL)
        return l->now_ms < l->deadline_ms ? wait_on(l, "asked")
                                          : go_on(l, "missed");
    if (instance != NULL && instance->package != NULL &&
        !ll_manifest_complies(
            instance->package->manifest, LINLI_STR(LL_UNINSTALL_CALL)))
        return go_on(l, "undeclared");
    if (instance == NULL || instance->pool == NULL)
        return go_on(l, "missed");
    return tell(l);
}

static bool
calling(struct ll_leaving *l)
{
    char id[CALL_ID_BYTES];
    struct ll_coll *coll = ll_space_coll(l->space, LINLI_STR(LL_LEAVE));
    if (coll == NULL || ll_queue_index(coll) == NULL)
        return ll_leaving_end(l, true);
    if (!ll_leaving_ask(l, coll, call_id(l, id)))
        return false;
    if (l->asked->content == NULL)
        return go_on(l, "done");
    if (ll_queue_dead(l->asked) || l->now_ms >= l->deadline_ms)
        return go_on(l, "missed");
    struct ll_err err;
    if (l->instance != NULL && l->instance->pool != NULL &&
        ll_work_leave(l->instance, &err) != LINLI_OK)
        return ll_leaving_end(l, true);
    return wait_on(l, "calling");
}

/* -- beginning one -- */

static linli_str
text_of(struct ll_leaving *l, struct ll_jv root, const char *name)
{
    return ll_arena_str(&l->arena, ll_jv_str(ll_jv_get(root, name)));
}

static bool
read_doc(struct ll_leaving *l)
{
    struct ll_json *json = &l->host->docs.json;
    if (ll_json_parse(json, l->doc->content->body, LL_JSON_DEPTH_MAX, NULL) !=
        LINLI_OK)
        return false;
    struct ll_jv root = ll_json_root(json);
    l->id = text_of(l, root, "id");
    l->plugin = text_of(l, root, "plugin");
    l->by = text_of(l, root, "by");
    l->reason = text_of(l, root, "reason");
    l->state = text_of(l, root, "state");
    l->told = text_of(l, root, "told");
    (void)ll_jv_int(ll_jv_get(root, "at"), &l->at_ms);
    (void)ll_jv_int(ll_jv_get(root, "deadline"), &l->deadline_ms);
    (void)ll_jv_int(ll_jv_get(root, "documents"), &l->documents);
    (void)ll_jv_int(ll_jv_get(root, "kept"), &l->kept);
    (void)ll_jv_int(ll_jv_get(root, "keys"), &l->keys);
    (void)ll_jv_int(ll_jv_get(root, "grants"), &l->grants);
    l->one = ll_uninstall_of(l->community, l->plugin);
    l->space = ll_docs_space(&l->host->docs, l->community->id, l->plugin);
    l->instance = ll_community_instance(l->community, l->plugin);
    l->step = ll_str_is(l->state, "asked")     ? asked
              : ll_str_is(l->state, "calling") ? calling
                                               : ll_leaving_empty;
    return !l->arena.failed && l->one != NULL && l->space != NULL;
}

static bool
start(struct ll_queue *queue, struct ll_doc *doc)
{
    struct ll_uninstalls *uninstalls = queue->user;
    struct ll_host *host = queue->host;
    struct ll_leaving *l = ll_alloc(&host->mem, sizeof *l);
    if (l == NULL) {
        ll_doc_unref(&doc);
        return false;
    }
    queue->open++;
    uninstalls->leaving = l;
    l->uninstalls = uninstalls;
    l->host = host;
    l->community = uninstalls->community;
    l->doc = doc;
    l->leaf = -1;
    l->now_ms = ll_world_wall(host->world).ms;
    l->wait.ready = on_known;
    doc->owner = l;
    ll_arena_init(&l->arena, &host->mem, ARENA_BYTES_MAX);
    ll_buf_init(&l->after, &host->mem, LL_DOC_ID_BYTES_MAX + 1);
    ll_buf_init(&l->text, &host->mem, LL_DOC_BYTES_MAX);
    if (!read_doc(l)) {
        (void)ll_leaving_end(l, true);
        return true;
    }
    if (l->instance != NULL && l->instance->loading == NULL)
        ll_instance_leave(l->instance);
    ll_leaving_go(l);
    return true;
}

/* -- all of a community -- */

struct ll_uninstall *
ll_uninstall_of(const struct ll_community *community, linli_str plugin)
{
    struct ll_uninstall *one =
        community->uninstalls == NULL ? NULL : community->uninstalls->first;
    while (one != NULL && !ll_str_is(plugin, one->plugin))
        one = one->next;
    return one;
}

void
ll_uninstall_make(struct ll_community *community,
    const struct ll_uninstall_wish *wish, linli_str id, struct ll_buf *text)
{
    struct ll_host *host = community->host;
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    put_text(&w, "id", id);
    put_text(&w, "plugin", wish->plugin);
    put_text(&w, "by", wish->by);
    put_text(&w, "reason", wish->reason);
    put_text(&w, "state", LINLI_STR("asked"));
    put_count(&w, "at", wish->now_ms);
    put_count(&w, "deadline", wish->now_ms + host->config.consent.uninstall_ms);
    ll_queue_write_due(host, &w, wish->now_ms);
    ll_jw_close(&w, '}');
}

void
ll_uninstall_begin(
    struct ll_community *community, struct ll_uninstall *take_one)
{
    struct ll_instance *instance =
        ll_community_instance(community, ll_cstr(take_one->plugin));
    take_one->next = community->uninstalls->first;
    community->uninstalls->first = take_one;
    ll_check(instance != NULL);
    ll_terms_suspend(instance);
    ll_instance_leave(instance);
}

void
ll_uninstall_called(const struct ll_instance *instance)
{
    const struct ll_community *community = instance->community;
    struct ll_host *host = instance->host;
    struct ll_json *json = &host->docs.json;
    const struct ll_uninstall *one = ll_uninstall_of(community, instance->id);
    struct ll_buf text;
    struct ll_doc *doc =
        one == NULL || host->draining
            ? NULL
            : ll_docs_get(community->uninstalls->queue->coll, ll_cstr(one->id));
    /* In hand, or not in memory: it is looked at when it is due. */
    if (doc == NULL || doc->state != LL_DOC_KNOWN || doc->content == NULL ||
        doc->owner != NULL ||
        ll_json_parse(json, doc->content->body, LL_JSON_DEPTH_MAX, NULL) !=
            LINLI_OK) {
        ll_doc_unref(&doc);
        return;
    }
    ll_buf_init(&text, &host->mem, LL_DOC_BYTES_MAX);
    int64_t now_ms = ll_world_wall(host->world).ms;
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '{');
    LL_JSON_MEMBERS (name, value, ll_json_root(json)) {
        if (ll_str_is(ll_jv_str(name), "due") ||
            ll_str_is(ll_jv_str(name), "seq"))
            continue;
        ll_jw_key_str(&w, ll_jv_str(name));
        ll_jw_value(&w, value);
    }
    ll_queue_write_due(host, &w, now_ms);
    ll_jw_close(&w, '}');
    if (!text.failed)
        (void)ll_docs_put_now(&host->docs, doc, &text, now_ms);
    ll_buf_fini(&text);
    ll_doc_unref(&doc);
}

/* -- opening -- */

static bool
serves(const struct ll_queue *queue)
{
    /* Not before what an earlier process had is there. */
    return queue->host->roster == NULL;
}

static linli_status
take_row(
    struct ll_uninstalls *uninstalls, struct ll_jv root, struct ll_err *err)
{
    struct ll_host *host = uninstalls->community->host;
    linli_str state = ll_jv_str(ll_jv_get(root, "state"));
    if (ll_str_is(state, "done"))
        return LINLI_OK;
    struct ll_uninstall *one = ll_alloc(&host->mem, sizeof *one);
    if (one == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an uninstall");
    (void)snprintf(one->id, sizeof one->id, "%.*s",
        LL_FMT(ll_jv_str(ll_jv_get(root, "id"))));
    (void)snprintf(one->plugin, sizeof one->plugin, "%.*s",
        LL_FMT(ll_jv_str(ll_jv_get(root, "plugin"))));
    one->emptying = ll_str_is(state, "emptying");
    one->next = uninstalls->first;
    uninstalls->first = one;
    return LINLI_OK;
}

/* Those that are not done, before any plugin is loaded. */
static linli_status
read_all(struct ll_uninstalls *uninstalls, struct ll_err *err)
{
    struct ll_host *host = uninstalls->community->host;
    struct ll_json *json = &host->docs.json;
    char after[LL_REQUEST_ID_DIGITS + 1] = "";
    linli_status status = LINLI_OK;
    bool more = true, there;
    while (status == LINLI_OK && more) {
        struct ll_query query;
        ll_query_init(&query, &host->mem, LL_ST_doc_up);
        ll_put_int(&query.params, uninstalls->queue->coll->id);
        ll_put_bytes(&query.params, ll_cstr(after));
        ll_put_int(&query.params, LL_ERASE_ROWS + 1);
        query.rows_max = LL_ERASE_ROWS;
        query.bytes_max = LL_QUERY_BYTES_MAX;
        status = ll_store_ask(host->store, &query);
        if (status != LINLI_OK && err != NULL)
            *err = query.err;
        struct ll_rd row = ll_rd(ll_buf_view(&query.rows));
        for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++) {
            (void)ll_rd_list(&row);
            linli_str id = ll_rd_bytes(&row);
            (void)snprintf(after, sizeof after, "%.*s", LL_FMT(id));
            for (int column = 0; column < 3; column++)
                (void)ll_rd_value(&row); /* version, due, subject */
            linli_str body = ll_rd_bytes_or_nil(&row, &there);
            if (there &&
                ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
                status = take_row(uninstalls, ll_json_root(json), err);
        }
        more = query.more;
        ll_query_fini(&query);
    }
    return status;
}

linli_status
ll_uninstalls_open(
    struct ll_community *community, bool make, struct ll_err *err)
{
    struct ll_host *host = community->host;
    bool used = ll_directory_find(host, community->id, LL_UNINSTALLS) != NULL;
    if (community->uninstalls != NULL || (!make && !used))
        return LINLI_OK;
    struct ll_uninstalls *uninstalls = ll_alloc(&host->mem, sizeof *uninstalls);
    if (uninstalls == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "uninstalls");
    uninstalls->community = community;
    struct ll_coll *coll = ll_directory(community, LL_UNINSTALLS);
    linli_status status = ll_queue_open(host, coll, &uninstalls->queue, err);
    if (status != LINLI_OK) {
        ll_release(&host->mem, uninstalls, sizeof *uninstalls);
        return status;
    }
    uninstalls->queue->serves = serves;
    uninstalls->queue->start = start;
    uninstalls->queue->user = uninstalls;
    uninstalls->queue->open_max = 1;
    community->uninstalls = uninstalls;
    if (used)
        status = read_all(uninstalls, err);
    if (status == LINLI_OK)
        ll_queue_again(uninstalls->queue);
    else
        ll_uninstalls_close(community);
    return status;
}

void
ll_uninstalls_again(const struct ll_community *community)
{
    if (community->uninstalls != NULL)
        ll_queue_again(community->uninstalls->queue);
}

void
ll_uninstalls_close(struct ll_community *community)
{
    struct ll_uninstalls *uninstalls = community->uninstalls;
    struct ll_mem *mem = &community->host->mem;
    if (uninstalls == NULL)
        return;
    community->uninstalls = NULL;
    if (uninstalls->leaving != NULL)
        drop(uninstalls->leaving);
    while (uninstalls->first != NULL) {
        struct ll_uninstall *one = uninstalls->first;
        uninstalls->first = one->next;
        ll_release(mem, one, sizeof *one);
    }
    ll_queue_close(&uninstalls->queue);
    ll_release(mem, uninstalls, sizeof *uninstalls);
}
