/* host/bus.c: events to the plugins that handle them. [loop]
 *
 * One at a time for each plugin and community, in order. An event whose
 * handler fails is tried again after a pause that doubles, and left, with an
 * alert, after LL_TASK_ATTEMPTS_MAX: one broken event must not keep all
 * others from a plugin for ever. How often it has failed stands in the
 * cursor, so that it is left also when the host goes down with it.
 */
#include "host/bus.h"

#include "base/text.h"
#include "data/put.h"
#include "host/effect.h"
#include "host/task.h"
#include "host/work.h"

#define ROWS 64
#define TEXT_BYTES_MAX ((size_t)256 << 10)
/* Events that are not for it, after which a cursor moves all the same: so many
 * are looked at again after a restart. */
#define PASSED_MAX 1000
/* Of real time: then it looks again, after a bad disk or without memory. */
#define REST_MS 1000

struct ll_subscriber {
    struct ll_task task; /* first: its request is within */
    struct ll_instance *instance;
    struct ll_coll *coll;  /* ~cursor */
    struct ll_doc *cursor; /* NULL: it could not be read, and is asked again */
    struct ll_wait wait;
    struct ll_query query;
    bool querying, running, missed; /* missed: something came meanwhile */
    uint64_t kept;                  /* where the cursor stands */
    uint64_t scanned; /* nothing up to here is for it and undone */
    bool renewed;     /* another version serves: what it begins with is kept */
    uint64_t seq;     /* of the event in hand */
    uint64_t failed;  /* the event that failed, */
    int64_t attempts; /* so often, */
    int64_t due_ms;   /* and is tried again then */
    struct ll_timer *pause;
    struct ll_buf input; /* JSON of the event in hand */
    struct ll_buf text;
};

static void look(struct ll_subscriber *sub);

static void
rest(struct ll_subscriber *sub)
{
    ll_timer_set(sub->pause, REST_MS, 0);
}

/* -- the cursor -- */

static void
read_cursor(struct ll_subscriber *sub)
{
    struct ll_json *json = &sub->instance->host->docs.json;
    const struct ll_content *content = sub->cursor->content;
    int64_t seq = 0, failed = 0;
    if (content == NULL ||
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return;
    struct ll_jv root = ll_json_root(json);
    (void)ll_jv_int(ll_jv_get(root, "seq"), &seq);
    sub->kept = (uint64_t)seq;
    if ((uint64_t)seq > sub->scanned)
        sub->scanned = (uint64_t)seq;
    if (!ll_jv_int(ll_jv_get(root, "failed"), &failed) ||
        (uint64_t)failed == sub->failed)
        return;
    sub->failed = (uint64_t)failed;
    (void)ll_jv_int(ll_jv_get(root, "attempts"), &sub->attempts);
    (void)ll_jv_int(ll_jv_get(root, "due"), &sub->due_ms);
}

static void
put_cursor(struct ll_subscriber *sub, uint64_t seq)
{
    ll_buf_clear(&sub->text);
    ll_buf_printf(&sub->text, "{\"id\":\"events\",\"seq\":%llu}",
        (unsigned long long)seq);
}

/* What stands in sub->text. */
static void
write_cursor(struct ll_subscriber *sub)
{
    struct ll_host *host = sub->instance->host;
    (void)ll_docs_put_now(
        &host->docs, sub->cursor, &sub->text, ll_world_wall(host->world).ms);
}

/* Moves it without a call: a plugin begins with what comes from now on, and
 * leaves an event that it cannot take. */
static void
move_cursor(struct ll_subscriber *sub, uint64_t seq)
{
    put_cursor(sub, seq);
    write_cursor(sub);
    sub->scanned = seq;
}

/* Notes that the event in hand has failed. The place stays: it was not done,
 * and what is before it was. */
static void
note_failure(struct ll_subscriber *sub)
{
    ll_buf_clear(&sub->text);
    ll_buf_printf(&sub->text,
        "{\"id\":\"events\",\"seq\":%llu,\"failed\":%llu,"
        "\"attempts\":%lld,\"due\":%lld}",
        (unsigned long long)sub->seq - 1, (unsigned long long)sub->failed,
        (long long)sub->attempts, (long long)sub->due_ms);
    write_cursor(sub);
}

/* -- an event in hand -- */

static void
on_pause_over(void *user)
{
    struct ll_subscriber *sub = user;
    ll_timer_stop(sub->pause);
    look(sub);
}

/* With its alert, which is raised once, whatever is killed. Without memory it
 * fails once more, later. */
static void
leave_event(struct ll_subscriber *sub, linli_str code)
{
    struct ll_host *host = sub->instance->host;
    struct ll_dead dead = {.kind = "linli.dead_event",
        .seq = sub->seq,
        .code = code,
        .attempts = sub->attempts,
        .trace_id = ll_cstr(sub->task.trace_id)};
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    if (commit == NULL)
        return;
    ll_docs_commit_unwatched(&host->docs, commit);
    put_cursor(sub, sub->seq);
    if (ll_dead_put(host, sub->instance->space, &dead, commit) &&
        ll_docs_put_in(&host->docs, sub->cursor, &sub->text,
            ll_world_wall(host->world).ms, commit) != 0) {
        sub->scanned = sub->seq;
        sub->due_ms = 0;
    } else {
        ll_docs_commit_free(&host->docs, commit);
    }
}

static void
take_failure(struct ll_subscriber *sub, linli_str code)
{
    int64_t now_ms = ll_world_wall(sub->instance->host->world).ms;
    if (ll_task_not_its_fault(code)) {
        sub->due_ms = now_ms + ll_task_pause_ms(1);
        return;
    }
    sub->attempts = sub->failed == sub->seq ? sub->attempts + 1 : 1;
    sub->failed = sub->seq;
    sub->due_ms = now_ms + ll_task_pause_ms((uint32_t)sub->attempts);
    if (sub->attempts >= LL_TASK_ATTEMPTS_MAX)
        leave_event(sub, code);
    else
        note_failure(sub);
}

static void
on_task_done(struct ll_task *task, int status, linli_str code)
{
    struct ll_subscriber *sub = LL_CONTAINER(task, struct ll_subscriber, task);
    struct ll_host *host = sub->instance->host;
    sub->running = false;
    ll_content_free(&host->mem, &task->after);
    ll_doc_unref(&task->doc);
    if (status < 300)
        sub->scanned = sub->seq;
    else if (status != 410 && !host->draining &&
             host->failure.status == LINLI_OK)
        take_failure(sub, code);
    look(sub);
}

static void
start(struct ll_subscriber *sub)
{
    struct ll_host *host = sub->instance->host;
    struct ll_task *task = &sub->task;
    *task = (struct ll_task){.kind = LL_TASK_EVENT,
        .instance = sub->instance,
        .name = sub->task.name,
        .input = ll_buf_view(&sub->input),
        .now_ms = ll_world_wall(host->world).ms,
        .done = on_task_done};
    put_cursor(sub, sub->seq);
    task->after = ll_content_plain(
        sub->cursor->coll, ll_buf_view(&sub->text), LINLI_STR(""), 0);
    if (task->after == NULL) {
        rest(sub);
        return;
    }
    task->doc = ll_docs_get(sub->cursor->coll, LINLI_STR("events"));
    task->version = sub->cursor->version;
    task->there = sub->cursor->content != NULL;
    sub->running = true;
    if (!ll_call_start_task(host, task))
        on_task_done(task, 503, LINLI_STR("runtime/memory"));
}

/* -- looking for the next -- */

/* The first row that the plugin handles; it is copied: input.failed if there is
 * no memory for that. */
static bool
take_event(struct ll_subscriber *sub)
{
    const struct ll_manifest *manifest = sub->instance->package->manifest;
    struct ll_rd rows = ll_rd(ll_buf_view(&sub->query.rows));
    struct ll_event event;
    ll_buf_clear(&sub->input);
    for (uint32_t i = 0; i < sub->query.row_count; i++) {
        if (!ll_event_read(&rows, &event))
            return false;
        int handled = ll_manifest_handles(manifest, event.type);
        if (handled < 0) {
            sub->scanned = (uint64_t)event.seq;
            continue;
        }
        struct ll_jw w = ll_jw(&sub->input);
        ll_event_write(&w, &event, false);
        sub->seq = (uint64_t)event.seq;
        sub->task.name = manifest->handles[handled];
        return !sub->input.failed;
    }
    return false;
}

static void
on_rows(struct ll_query *query)
{
    struct ll_subscriber *sub = query->user;
    sub->querying = false;
    bool found = query->status == LINLI_OK && take_event(sub);
    bool more = query->status == LINLI_OK && query->more;
    bool failed = query->status != LINLI_OK || sub->input.failed;
    ll_query_fini(query);
    if (!found && sub->scanned > sub->kept + PASSED_MAX)
        move_cursor(sub, sub->scanned);
    if (failed)
        rest(sub);
    else if (found)
        start(sub);
    else if (more || sub->missed)
        look(sub);
}

static void
on_cursor(struct ll_wait *wait)
{
    look(LL_CONTAINER(wait, struct ll_subscriber, wait));
}

/* It is not the time yet for the event that failed. */
static bool
pauses(struct ll_subscriber *sub)
{
    struct ll_host *host = sub->instance->host;
    int64_t in_ms = sub->due_ms - ll_world_wall(host->world).ms;
    if (in_ms <= 0) {
        sub->due_ms = 0;
        return false;
    }
    if (!host->virtual_clock) /* else who moves the clock looks */
        ll_timer_set(sub->pause, in_ms, 0);
    return true;
}

static void
look(struct ll_subscriber *sub)
{
    struct ll_instance *instance = sub->instance;
    struct ll_host *host = instance->host;
    if (sub->querying || sub->running || sub->wait.head != NULL) {
        sub->missed = true;
        return;
    }
    if (instance->state != LL_INSTANCE_ENABLED || host->draining ||
        host->failure.status != LINLI_OK)
        return;
    if (sub->cursor == NULL)
        sub->cursor = ll_docs_get(sub->coll, LINLI_STR("events"));
    if (sub->cursor != NULL && !ll_doc_ready(sub->cursor, &sub->wait))
        return;
    if (sub->cursor == NULL || sub->cursor->state == LL_DOC_LOST) {
        ll_doc_unref(&sub->cursor);
        rest(sub);
        return;
    }
    if (sub->cursor->content == NULL)
        move_cursor(sub, host->docs.last_event_seq);
    read_cursor(sub);
    if (pauses(sub))
        return;
    if (sub->renewed && sub->scanned > sub->kept)
        move_cursor(sub, sub->scanned);
    sub->renewed = false;
    sub->missed = false;
    ll_query_init(&sub->query, &host->mem, LL_ST_event_after);
    ll_put_bytes(&sub->query.params, instance->community->id);
    ll_put_int(&sub->query.params, (int64_t)sub->scanned);
    ll_put_int(&sub->query.params, ROWS + 1);
    sub->query.rows_max = ROWS;
    sub->query.bytes_max = LL_QUERY_BYTES_MAX;
    sub->query.done = on_rows;
    sub->query.user = sub;
    sub->querying = true;
    ll_store_query(host->store, &sub->query);
}

/* -- opening, closing, news -- */

static struct ll_subscriber *
subscriber_new(struct ll_instance *instance)
{
    struct ll_host *host = instance->host;
    struct ll_coll *coll = ll_space_coll(instance->space, LINLI_STR("~cursor"));
    struct ll_subscriber *sub =
        coll == NULL ? NULL : ll_alloc(&host->mem, sizeof *sub);
    if (sub == NULL)
        return NULL;
    sub->instance = instance;
    sub->wait.ready = on_cursor;
    ll_buf_init(&sub->input, &host->mem, TEXT_BYTES_MAX);
    ll_buf_init(&sub->text, &host->mem, 256);
    sub->coll = coll;
    sub->pause = ll_timer_new(host->world, on_pause_over, sub);
    if (sub->pause != NULL)
        return sub;
    ll_release(&host->mem, sub, sizeof *sub);
    return NULL;
}

void
ll_bus_open(struct ll_instance *instance)
{
    if (instance->package->manifest->handle_count == 0)
        return;
    if (instance->subscriber == NULL)
        instance->subscriber = subscriber_new(instance);
    if (instance->subscriber == NULL)
        return;
    instance->subscriber->renewed = true;
    look(instance->subscriber);
}

void
ll_bus_close(struct ll_instance *instance)
{
    struct ll_subscriber *sub = instance->subscriber;
    if (sub == NULL)
        return;
    ll_check(!sub->running);
    instance->subscriber = NULL;
    if (sub->querying) {
        ll_store_cancel(instance->host->store, &sub->query);
        ll_query_fini(&sub->query);
    }
    ll_wait_cancel(&sub->wait);
    ll_timer_free(&sub->pause);
    ll_doc_unref(&sub->cursor);
    ll_buf_fini(&sub->input);
    ll_buf_fini(&sub->text);
    ll_release(&instance->host->mem, sub, sizeof *sub);
}

void
ll_bus_published(struct ll_community *community, uint64_t number)
{
    community->event_number = number;
}

void
ll_bus_durable(struct ll_host *host)
{
    uint64_t durable = ll_store_durable(host->store);
    for (struct ll_community *c = host->communities; c != NULL; c = c->next) {
        if (c->event_number == 0 || c->event_number > durable)
            continue;
        c->event_number = 0;
        ll_wait_tell(&c->feed_waits);
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            if (i->subscriber != NULL)
                look(i->subscriber);
    }
}

bool
ll_bus_idle(const struct ll_host *host)
{
    for (const struct ll_community *c = host->communities; c != NULL;
         c = c->next) {
        if (c->event_number != 0)
            return false;
        for (const struct ll_instance *i = c->instances; i != NULL; i = i->next)
            if (i->subscriber != NULL &&
                (i->subscriber->querying || i->subscriber->running ||
                    i->subscriber->wait.head != NULL))
                return false;
    }
    return true;
}

int64_t
ll_bus_next_ms(const struct ll_host *host)
{
    int64_t now_ms = ll_world_wall(host->world).ms, next_ms = INT64_MAX;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            if (i->subscriber != NULL && i->state == LL_INSTANCE_ENABLED &&
                i->subscriber->due_ms > now_ms &&
                i->subscriber->due_ms < next_ms)
                next_ms = i->subscriber->due_ms;
    return next_ms;
}

void
ll_bus_pump(struct ll_host *host)
{
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            if (i->subscriber != NULL && i->subscriber->due_ms != 0)
                look(i->subscriber);
}
