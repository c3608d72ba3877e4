/* host/queue.c: who is next, and when. [loop] */
#include "host/queue.h"

#include "base/text.h"
#include "data/put.h"
#include "host/clock.h"
#include "host/effect.h"
#include "host/work.h"

/* Of the loop's timer: it looks again. */
#define SLEEP_MS_MAX ((int64_t)60 * 60 * 1000)

static void
drop_ahead(struct ll_queue *queue)
{
    for (uint32_t i = queue->ahead_from; i < queue->ahead_count; i++)
        ll_doc_unref(&queue->ahead[i].doc);
    queue->ahead_from = queue->ahead_count = 0;
    queue->all = false;
}

/* Not at once: it may be a bad disk, or no memory. */
static int64_t
in_a_while(const struct ll_host *host)
{
    return ll_world_wall(host->world).ms + LL_TASK_PAUSE_MS_FIRST;
}

/* What is ahead cannot be had now: all of it is looked up again. */
static void
look_later(struct ll_queue *queue)
{
    drop_ahead(queue);
    queue->all = queue->stale = true;
    queue->next_ms = in_a_while(queue->host);
}

/* -- the loop's timer -- */

static void
on_due(void *user)
{
    ll_queues_pump(user);
}

static void
set_timer(struct ll_host *host)
{
    int64_t next_ms = ll_queues_next_ms(host);
    if (host->work_timer == NULL)
        host->work_timer = ll_timer_new(host->world, on_due, host);
    if (host->work_timer == NULL)
        return;
    int64_t now_ms = ll_world_wall(host->world).ms;
    int64_t in_ms = next_ms <= now_ms ? 0 : SLEEP_MS_MAX;
    if (next_ms > now_ms && next_ms < now_ms + SLEEP_MS_MAX)
        in_ms = next_ms - now_ms;
    if (host->virtual_clock && in_ms > 0)
        return; /* it stands: who moves it looks */
    ll_timer_set(host->work_timer, in_ms, 0);
}

/* -- writing -- */

void
ll_queue_write_due(struct ll_host *host, struct ll_jw *w, int64_t due_ms)
{
    ll_jw_key(w, "due");
    ll_jw_int(w, due_ms);
    ll_jw_key(w, "seq");
    ll_jw_int(w, (int64_t)++host->work_seq);
}

static bool
is_of_attempt(linli_str name)
{
    return ll_str_is(name, "due") || ll_str_is(name, "attempts") ||
           ll_str_is(name, "code") || ll_str_is(name, "dead_at") ||
           ll_str_is(name, "revived");
}

bool
ll_queue_revived(struct ll_jv root)
{
    return ll_jv_true(ll_jv_get(root, "revived"));
}

void
ll_queue_write_put_off(
    struct ll_jw *w, struct ll_jv root, const struct ll_put_off *to)
{
    ll_jw_open(w, '{');
    bool revived = to->revived || ll_queue_revived(root);
    LL_JSON_MEMBERS (name, value, root) {
        if (is_of_attempt(ll_jv_str(name)))
            continue;
        ll_jw_key_str(w, ll_jv_str(name));
        ll_jw_value(w, value);
    }
    ll_jw_key(w, "attempts");
    ll_jw_int(w, to->attempts);
    if (to->code != NULL) {
        ll_jw_key(w, "code");
        ll_jw_cstr(w, to->code);
    }
    if (revived) {
        ll_jw_key(w, "revived");
        ll_jw_bool(w, true);
    }
    ll_jw_key(w, to->due_ms == INT64_MAX ? "dead_at" : "due");
    ll_jw_int(w, to->due_ms == INT64_MAX ? to->now_ms : to->due_ms);
    ll_jw_close(w, '}');
}

/* With the alert, if there is one: it is raised once, whatever is killed. */
static bool
write_now(struct ll_host *host, struct ll_doc *doc, const struct ll_buf *text,
    const struct ll_put_off *to)
{
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    if (commit == NULL)
        return false;
    ll_docs_commit_unwatched(&host->docs, commit);
    bool good = to->dead == NULL ||
                ll_dead_put(host, doc->coll->space, to->dead, commit);
    good =
        good && ll_docs_put_in(&host->docs, doc, text, to->now_ms, commit) != 0;
    if (!good)
        ll_docs_commit_free(&host->docs, commit);
    return good;
}

bool
ll_queue_put_off(
    struct ll_host *host, struct ll_doc *doc, const struct ll_put_off *to)
{
    bool kept = false;
    struct ll_json json;
    struct ll_buf text;
    ll_json_init(&json, &host->mem);
    ll_buf_init(&text, &host->mem, LL_COMMIT_BYTES_MAX);
    if (doc->content != NULL && ll_json_parse(&json, doc->content->body,
                                    LL_JSON_DEPTH_MAX, NULL) == LINLI_OK) {
        struct ll_jw w = ll_jw(&text);
        ll_queue_write_put_off(&w, ll_json_root(&json), to);
        kept = write_now(host, doc, &text, to);
    }
    ll_buf_fini(&text);
    ll_json_fini(&json);
    return kept;
}

/* -- who is next -- */

/* The first value of a key of by_due; INT64_MAX: there is none. */
static int64_t
due_of(linli_str key)
{
    uint64_t bits = 0;
    if (ll_str_cmp(key, LL_QUEUE_FIRST_DUE) < 0)
        return INT64_MAX;
    for (size_t i = 1; i < 9 && i < key.len; i++)
        bits = bits << 8 | (unsigned char)key.ptr[i];
    return (int64_t)(bits ^ (uint64_t)1 << 63);
}

/* Begins what was looked up. Cancelled, moved since, or in somebody's hands:
 * then it is passed over. False without memory. */
static bool
start(struct ll_queue *queue, struct ll_queue_due *due)
{
    struct ll_doc *doc = due->doc;
    due->doc = NULL;
    linli_str key = ll_content_key(doc->content, queue->by_due);
    if (due_of(key) != due->due_ms || doc->owner != NULL) {
        ll_doc_unref(&doc);
        return true;
    }
    return queue->start(queue, doc);
}

static void pump(struct ll_queue *queue);

static void
on_scanned(struct ll_scan *scan)
{
    struct ll_queue *queue = scan->user;
    drop_ahead(queue);
    queue->scanning = false;
    queue->all = scan->status == LINLI_OK && scan->exhausted;
    queue->next_ms = INT64_MAX;
    for (uint32_t i = 0; scan->status == LINLI_OK && i < scan->count; i++) {
        struct ll_scan_item *item = &scan->items[i];
        if (item->doc->owner != NULL)
            continue;
        if (queue->ahead_count == LL_QUEUE_AHEAD) {
            queue->all = false;
            break;
        }
        int64_t due_ms = due_of(item->key);
        queue->ahead[queue->ahead_count++] =
            (struct ll_queue_due){due_ms, item->doc};
        item->doc = NULL;
    }
    if (queue->ahead_count > 0)
        queue->next_ms = queue->ahead[0].due_ms;
    if (scan->status != LINLI_OK)
        look_later(queue);
    ll_scan_fini(scan);
    ll_txn_reset(&queue->txn);
    pump(queue);
    set_timer(queue->host);
}

static void
scan_queue(struct ll_queue *queue)
{
    queue->stale = false;
    queue->scanning = true;
    ll_scan_init(&queue->scan, &queue->txn);
    queue->scan.coll = queue->coll;
    queue->scan.ix = queue->by_due;
    queue->scan.low = LL_QUEUE_FIRST_DUE;
    queue->scan.limit = LL_QUEUE_AHEAD + queue->open;
    queue->scan.done = on_scanned;
    queue->scan.user = queue;
    ll_scan_start(&queue->scan);
}

static bool
serves(const struct ll_queue *queue)
{
    return !queue->host->draining && queue->host->failure.status == LINLI_OK &&
           queue->serves(queue);
}

static void
pump(struct ll_queue *queue)
{
    int64_t now_ms = ll_world_wall(queue->host->world).ms;
    if (queue->scanning || !serves(queue))
        return;
    if (queue->stale && queue->next_ms <= now_ms) {
        scan_queue(queue);
        return;
    }
    while (queue->ahead_from < queue->ahead_count &&
           queue->open < queue->open_max &&
           queue->ahead[queue->ahead_from].due_ms <= now_ms)
        if (!start(queue, &queue->ahead[queue->ahead_from++])) {
            look_later(queue);
            return;
        }
    if (queue->ahead_from < queue->ahead_count) {
        int64_t due_ms = queue->ahead[queue->ahead_from].due_ms;
        if (!queue->stale || due_ms < queue->next_ms)
            queue->next_ms = due_ms;
    } else if (!queue->all) {
        if (queue->open < queue->open_max)
            scan_queue(queue);
    } else if (!queue->stale) {
        queue->next_ms = INT64_MAX;
    }
}

/* A commit has written one: it may be the next. */
static void
on_written(struct ll_coll *coll, const struct ll_doc *doc)
{
    struct ll_queue *queue = coll->user;
    linli_str key = ll_content_key(doc->content, queue->by_due);
    int64_t due_ms = due_of(key);
    if (due_ms == INT64_MAX)
        return;
    bool behind = !queue->all && queue->ahead_count > 0 &&
                  due_ms > queue->ahead[queue->ahead_count - 1].due_ms;
    if (behind)
        return;
    queue->stale = true;
    if (due_ms < queue->next_ms)
        queue->next_ms = due_ms;
    set_timer(queue->host);
}

void
ll_queue_again(struct ll_queue *queue)
{
    queue->stale = true;
    queue->next_ms = INT64_MIN;
    set_timer(queue->host);
}

void
ll_queue_ended(struct ll_queue *queue, bool again, bool later)
{
    struct ll_host *host = queue->host;
    queue->open--;
    /* While it was in hand, no scan has looked at it. */
    if (again) {
        queue->stale = true;
        queue->next_ms = later ? in_a_while(host) : INT64_MIN;
    }
    /* Not from within: a thousand of them would lie on the stack. */
    if (host->work_timer != NULL)
        ll_timer_set(host->work_timer, 0, 0);
}

void
ll_queues_pump(struct ll_host *host)
{
    for (struct ll_queue *q = host->queues; q != NULL; q = q->next)
        pump(q);
    set_timer(host);
    ll_host_clock_step(host);
}

bool
ll_queues_idle(const struct ll_host *host)
{
    int64_t now_ms = ll_world_wall(host->world).ms;
    for (const struct ll_queue *q = host->queues; q != NULL; q = q->next)
        if (serves(q) && (q->scanning || q->open > 0 || q->next_ms <= now_ms))
            return false;
    return true;
}

int64_t
ll_queues_next_ms(const struct ll_host *host)
{
    int64_t next_ms = INT64_MAX;
    for (const struct ll_queue *q = host->queues; q != NULL; q = q->next)
        /* What a scan finds is known when it ends, which looks again. */
        if (serves(q) && !q->scanning && q->open < q->open_max &&
            q->next_ms < next_ms)
            next_ms = q->next_ms;
    return next_ms;
}

/* -- opening -- */

struct ll_ix *
ll_queue_index(struct ll_coll *coll)
{
    coll->subject = (linli_str)LINLI_STR("subject");
    return ll_coll_index(
        coll, LINLI_STR("by_due"), LINLI_STR("{\"fields\":[\"due\",\"seq\"]}"));
}

bool
ll_queue_dead(const struct ll_doc *doc)
{
    const struct ll_ix *by_due =
        ll_coll_find_index(doc->coll, LINLI_STR("by_due"));
    linli_str key = {NULL, 0};
    if (by_due != NULL)
        key = ll_content_key(doc->content, by_due);
    return key.len > 0 && ll_str_cmp(key, LL_QUEUE_FIRST_DUE) < 0;
}

linli_status
ll_queue_open(struct ll_host *host, struct ll_coll *coll, struct ll_queue **out,
    struct ll_err *err)
{
    struct ll_queue *queue = NULL;
    *out = NULL;
    struct ll_ix *by_due = coll == NULL ? NULL : ll_queue_index(coll);
    if (by_due != NULL)
        queue = ll_alloc(&host->mem, sizeof *queue);
    if (queue == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a queue");
    ll_txn_init(&queue->txn, &host->docs);
    queue->host = host;
    queue->coll = coll;
    queue->by_due = by_due;
    coll->user = queue;
    coll->written = on_written;
    queue->next = host->queues;
    host->queues = queue;
    *out = queue;
    return LINLI_OK;
}

void
ll_queue_close(struct ll_queue **queue_at)
{
    struct ll_queue *queue = *queue_at;
    if (queue == NULL)
        return;
    *queue_at = NULL;
    ll_check(queue->open == 0);
    struct ll_queue **at = &queue->host->queues;
    while (*at != queue)
        at = &(*at)->next;
    *at = queue->next;
    queue->coll->written = NULL;
    if (queue->scanning)
        ll_scan_fini(&queue->scan);
    drop_ahead(queue);
    ll_txn_fini(&queue->txn);
    ll_release(&queue->host->mem, queue, sizeof *queue);
}
