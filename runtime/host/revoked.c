/* host/revoked.c: telling plugins that a consent has ended. [loop]
 *
 * asked: the plugin is not told yet. told: its job is there, and is looked at
 * again until it is gone, dead, or too late.
 */
#include "host/revoked.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "data/put.h"
#include "host/alert.h"
#include "host/clock.h"
#include "host/directory.h"
#include "host/duty.h"
#include "host/pid.h"
#include "host/work.h"

#define REVOKED "~revoked"
#define CALL "resident.consent_revoked"
#define DAY_MS ((int64_t)86400000)
#define CALL_ID_BYTES (LL_REQUEST_ID_DIGITS + 16)
#define ARENA_BYTES_MAX ((size_t)64 << 10)

/* One that is told, or looked at. */
struct telling {
    struct ll_revoked *revoked;
    struct ll_doc *doc, *row, *job; /* references; the last two may be NULL */
    struct ll_wait wait;
    struct ll_arena arena;
    linli_str id, state, resident, plugin, tag, pid, with;
    int64_t at_ms, deadline_ms, now_ms;
    struct ll_instance *instance;
};

struct ll_revoked {
    struct ll_community *community;
    struct ll_queue *queue;
    struct telling *telling; /* under way, or NULL */
};

static struct ll_host *
host_of(const struct telling *t)
{
    return t->revoked->community->host;
}

static void
drop(struct telling *t)
{
    struct ll_revoked *revoked = t->revoked;
    struct ll_host *host = host_of(t);
    ll_wait_cancel(&t->wait);
    ll_doc_unref(&t->row);
    ll_doc_unref(&t->job);
    t->doc->owner = NULL;
    ll_doc_unref(&t->doc);
    ll_arena_fini(&t->arena);
    revoked->telling = NULL;
    ll_release(&host->mem, t, sizeof *t);
}

static void
end(struct telling *t, bool again, bool later)
{
    struct ll_queue *queue = t->revoked->queue;
    struct ll_host *host = host_of(t);
    drop(t);
    ll_queue_ended(queue, again, later);
    ll_host_clock_step(host);
}

/* -- writing -- */

/* Ends the run with a commit; `text` NULL: nothing is to be told any more. */
static void
finish(struct telling *t, struct ll_txn *txn, struct ll_commit *commit,
    const struct ll_buf *text, linli_status status)
{
    struct ll_docs *docs = &host_of(t)->docs;
    if (status == LINLI_OK)
        status = text == NULL ? ll_txn_write(txn, t->doc, NULL, NULL)
                              : ll_txn_put(txn, t->doc, text, t->now_ms, NULL);
    ll_docs_commit_unwatched(docs, commit);
    bool good = status == LINLI_OK && !commit->ops.failed &&
                ll_txn_commit(txn, commit) != 0;
    if (!good)
        ll_docs_commit_free(docs, commit);
    ll_txn_fini(txn);
    end(t, !good || text != NULL, !good);
}

static bool
begin_commit(struct telling *t, struct ll_txn *txn, struct ll_commit **commit)
{
    struct ll_docs *docs = &host_of(t)->docs;
    *commit = ll_docs_commit_new(docs);
    if (*commit == NULL) {
        end(t, true, true);
        return false;
    }
    ll_txn_init(txn, docs);
    return true;
}

static void
forget(struct telling *t)
{
    struct ll_commit *commit;
    struct ll_txn txn;
    if (begin_commit(t, &txn, &commit))
        finish(t, &txn, commit, NULL, LINLI_OK);
}

/* When it is looked at again: the later the longer it takes. */
static int64_t
next_look_ms(const struct telling *t)
{
    int64_t wait_ms = t->now_ms - t->at_ms;
    if (wait_ms < LL_TASK_PAUSE_MS_FIRST)
        wait_ms = LL_TASK_PAUSE_MS_FIRST;
    if (wait_ms > LL_TASK_PAUSE_MS_MAX)
        wait_ms = LL_TASK_PAUSE_MS_MAX;
    return t->now_ms + wait_ms < t->deadline_ms ? t->now_ms + wait_ms
                                                : t->deadline_ms;
}

/* The document as it is, in a state, to be looked at again. */
static void
write_state(struct telling *t, const char *state, struct ll_buf *text)
{
    struct ll_json *json = &host_of(t)->docs.json;
    struct ll_jw w = ll_jw(text);
    if (ll_json_parse(json, t->doc->content->body, LL_JSON_DEPTH_MAX, NULL) !=
        LINLI_OK) {
        text->failed = true;
        return;
    }
    ll_jw_open(&w, '{');
    LL_JSON_MEMBERS (name, value, ll_json_root(json)) {
        linli_str is = ll_jv_str(name);
        if (ll_str_is(is, "due") || ll_str_is(is, "seq") ||
            ll_str_is(is, "state"))
            continue;
        ll_jw_key_str(&w, is);
        ll_jw_value(&w, value);
    }
    ll_jw_key(&w, "state");
    ll_jw_cstr(&w, state);
    ll_queue_write_due(host_of(t), &w, next_look_ms(t));
    ll_jw_close(&w, '}');
}

static void
look_later(struct telling *t, const char *state)
{
    struct ll_commit *commit;
    struct ll_txn txn;
    struct ll_buf text;
    if (!begin_commit(t, &txn, &commit))
        return;
    ll_buf_init(&text, &host_of(t)->mem, LL_DOC_BYTES_MAX);
    write_state(t, state, &text);
    finish(t, &txn, commit, &text, LINLI_OK);
    ll_buf_fini(&text);
}

/* -- telling -- */

static linli_str
call_id(const struct telling *t, char out[CALL_ID_BYTES])
{
    int n = snprintf(out, CALL_ID_BYTES, "revoked-%.*s", LL_FMT(t->id));
    ll_check(n > 0 && n < CALL_ID_BYTES);
    return (linli_str){out, (size_t)n};
}

static void
write_job(struct telling *t, linli_str pid, struct ll_buf *text)
{
    char id[CALL_ID_BYTES];
    struct ll_jw w = ll_jw(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, call_id(t, id));
    ll_jw_key(&w, "kind");
    ll_jw_cstr(&w, "job");
    ll_queue_write_due(host_of(t), &w, t->now_ms);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, t->now_ms);
    ll_jw_key(&w, "run");
    ll_jw_cstr(&w, CALL);
    ll_jw_key(&w, "subject");
    ll_jw_str(&w, pid);
    ll_jw_key(&w, "with");
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "deadline");
    ll_jw_int(&w, t->deadline_ms);
    ll_jw_key(&w, "grant");
    ll_jw_str(&w, t->id);
    ll_jw_key(&w, "resident");
    ll_jw_str(&w, pid);
    ll_buf_str(text, t->with); /* ,"fields":[...],"purpose":...,"reason":... */
    ll_jw_close(&w, '}');
    ll_jw_close(&w, '}');
}

/* By which the plugin knows them; empty: not at all. */
static linli_str
pid_of(struct telling *t)
{
    struct ll_json *json = &host_of(t)->docs.json;
    if (t->pid.len > 0)
        return t->pid;
    if (t->row->content == NULL || ll_json_parse(json, t->row->content->body,
                                       LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return (linli_str){NULL, 0};
    linli_str pid = ll_jv_str(ll_jv_get(ll_json_root(json), "pid"));
    return ll_arena_str(&t->arena, pid);
}

static void
tell(struct telling *t, linli_str pid)
{
    struct ll_commit *commit;
    struct ll_txn txn;
    struct ll_buf text;
    if (!begin_commit(t, &txn, &commit))
        return;
    ll_buf_init(&text, &host_of(t)->mem, LL_DOC_BYTES_MAX);
    write_job(t, pid, &text);
    linli_status status = ll_txn_put(&txn, t->job, &text, t->now_ms, NULL);
    ll_buf_clear(&text);
    write_state(t, "told", &text);
    finish(t, &txn, commit, &text, status);
    ll_buf_fini(&text);
}

/* -- without an answer -- */

static void
put_alert(struct telling *t, struct ll_commit *commit)
{
    struct ll_host *host = host_of(t);
    char ref[CALL_ID_BYTES];
    struct ll_buf data;
    ll_buf_init(&data, &host->mem, 1024);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "deadline");
    ll_jw_int(&w, t->deadline_ms);
    ll_jw_key(&w, "grant");
    ll_jw_str(&w, t->id);
    ll_jw_key(&w, "plugin");
    ll_jw_str(&w, t->plugin);
    ll_jw_close(&w, '}');
    struct ll_alert alert = {.space = t->revoked->queue->coll->space,
        .kind = LINLI_STR("linli.revoked_missed"),
        .ref = call_id(t, ref),
        .data = ll_buf_view(&data),
        .at_ms = t->now_ms};
    ll_alert_put(host, &alert, commit);
    if (data.failed)
        commit->ops.failed = true;
    ll_buf_fini(&data);
}

/* The operator has it done, by the deadline; or it is done too late, and the
 * plugin is told nothing of that resident until it is. */
static void
miss(struct telling *t)
{
    struct ll_commit *commit;
    struct ll_txn txn;
    if (!begin_commit(t, &txn, &commit))
        return;
    struct ll_duty duty = {.kind = "DELETE",
        .why = "consent_revoked",
        .ref = t->id,
        .plugin = t->plugin,
        .tag = t->tag,
        .until_ms = t->now_ms + LL_DUTY_DAYS * DAY_MS,
        .now_ms = t->now_ms};
    put_alert(t, commit);
    linli_status status =
        ll_duty_put(t->revoked->community, &duty, &txn, commit);
    finish(t, &txn, commit, NULL, status);
}

/* -- a run -- */

/* The plugin's job is known. */
static void
judge(struct telling *t)
{
    bool there = t->job->content != NULL;
    linli_str pid = pid_of(t);
    if (t->job->state == LL_DOC_LOST || t->row->state == LL_DOC_LOST ||
        t->arena.failed)
        end(t, true, true);
    else if (pid.len == 0)
        forget(t); /* nobody it knows; or who has been erased */
    else if (!there && ll_str_is(t->state, "told"))
        forget(t);
    else if (!there)
        tell(t, pid);
    else if (ll_queue_dead(t->job))
        miss(t);
    else
        look_later(t, "told");
}

static void
go_on(struct telling *t)
{
    char id[CALL_ID_BYTES];
    if (!ll_doc_ready(t->row, &t->wait))
        return;
    if (t->job == NULL) {
        struct ll_coll *coll = ll_work_coll(t->instance);
        t->job = coll == NULL ? NULL : ll_docs_get(coll, call_id(t, id));
    }
    if (t->job == NULL)
        end(t, true, true);
    else if (ll_doc_ready(t->job, &t->wait))
        judge(t);
}

static void
on_known(struct ll_wait *wait)
{
    go_on(LL_CONTAINER(wait, struct telling, wait));
}

static bool
tells(const struct ll_instance *instance)
{
    return ll_manifest_complies(
        instance->package->manifest, (linli_str)LINLI_STR(CALL));
}

static bool
is_leaving(const struct ll_instance *instance)
{
    return instance != NULL && (instance->state == LL_INSTANCE_UNINSTALLING ||
                                   instance->state == LL_INSTANCE_GONE);
}

static void
run(struct telling *t)
{
    t->instance = ll_community_instance(t->revoked->community, t->plugin);
    bool known = t->instance != NULL && t->instance->package != NULL;
    if (is_leaving(t->instance) || (known && !tells(t->instance))) {
        forget(t);
    } else if (t->now_ms >= t->deadline_ms) {
        miss(t);
    } else if (!known) { /* after a start they come one after another */
        look_later(t, ll_str_is(t->state, "told") ? "told" : "asked");
    } else if (ll_space_find(t->instance->space, LINLI_STR("~pid")) == NULL) {
        forget(t);
    } else {
        t->row = ll_pid_row(t->instance->space, t->resident);
        if (t->row == NULL)
            end(t, true, true);
        else
            go_on(t);
    }
}

static linli_str
text_of(struct telling *t, struct ll_jv root, const char *name)
{
    return ll_arena_str(&t->arena, ll_jv_str(ll_jv_get(root, name)));
}

/* Members that the plugin is told as they are. */
static void
read_with(struct telling *t, struct ll_jv root)
{
    static const char *const names[] = {"fields", "purpose", "reason"};
    struct ll_buf text;
    ll_buf_init(&text, &host_of(t)->mem, LL_DOC_BYTES_MAX);
    for (size_t i = 0; i < LL_COUNT(names); i++) {
        struct ll_buf one;
        ll_buf_init(&one, &host_of(t)->mem, LL_DOC_BYTES_MAX);
        struct ll_jw w = ll_jw(&one);
        ll_jw_value(&w, ll_jv_get(root, names[i]));
        ll_buf_printf(
            &text, ",\"%s\":%.*s", names[i], LL_FMT(ll_buf_view(&one)));
        text.failed |= one.failed;
        ll_buf_fini(&one);
    }
    t->with = ll_arena_str(&t->arena, ll_buf_view(&text));
    t->arena.failed |= text.failed;
    ll_buf_fini(&text);
}

static bool
read_doc(struct telling *t)
{
    struct ll_json json;
    ll_json_init(&json, &host_of(t)->mem);
    bool good = ll_json_parse(&json, t->doc->content->body, LL_JSON_DEPTH_MAX,
                    NULL) == LINLI_OK;
    if (good) {
        struct ll_jv root = ll_json_root(&json);
        t->id = text_of(t, root, "id");
        t->state = text_of(t, root, "state");
        t->resident = text_of(t, root, "resident");
        t->plugin = text_of(t, root, "plugin");
        t->tag = text_of(t, root, "tag");
        t->pid = text_of(t, root, "pid");
        (void)ll_jv_int(ll_jv_get(root, "at"), &t->at_ms);
        t->deadline_ms = t->at_ms + LL_REVOKED_DAYS * DAY_MS;
        read_with(t, root);
    }
    ll_json_fini(&json);
    return good && !t->arena.failed;
}

static bool
start(struct ll_queue *queue, struct ll_doc *doc)
{
    struct ll_revoked *revoked = queue->user;
    struct ll_host *host = queue->host;
    struct telling *t = ll_alloc(&host->mem, sizeof *t);
    if (t == NULL) {
        ll_doc_unref(&doc);
        return false;
    }
    queue->open++;
    revoked->telling = t;
    t->revoked = revoked;
    t->doc = doc;
    t->now_ms = ll_world_wall(host->world).ms;
    t->wait.ready = on_known;
    doc->owner = t;
    ll_arena_init(&t->arena, &host->mem, ARENA_BYTES_MAX);
    if (read_doc(t))
        run(t);
    else
        end(t, true, true);
    return true;
}

/* -- opening -- */

static bool
serves(const struct ll_queue *queue)
{
    LL_UNUSED(queue);
    return true;
}

linli_status
ll_revoked_open(struct ll_community *community, bool make, struct ll_err *err)
{
    struct ll_host *host = community->host;
    if (community->revoked != NULL ||
        (!make && ll_directory_find(host, community->id, REVOKED) == NULL))
        return LINLI_OK;
    struct ll_revoked *revoked = ll_alloc(&host->mem, sizeof *revoked);
    if (revoked == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a queue");
    struct ll_coll *coll = ll_directory(community, REVOKED);
    linli_status status = ll_queue_open(host, coll, &revoked->queue, err);
    if (status != LINLI_OK) {
        ll_release(&host->mem, revoked, sizeof *revoked);
        return status;
    }
    revoked->community = community;
    revoked->queue->serves = serves;
    revoked->queue->start = start;
    revoked->queue->user = revoked;
    revoked->queue->open_max = 1;
    community->revoked = revoked;
    ll_queue_again(revoked->queue);
    return LINLI_OK;
}

void
ll_revoked_close(struct ll_community *community)
{
    struct ll_revoked *revoked = community->revoked;
    if (revoked == NULL)
        return;
    community->revoked = NULL;
    if (revoked->telling != NULL) {
        revoked->queue->open--;
        drop(revoked->telling);
    }
    ll_queue_close(&revoked->queue);
    ll_release(&community->host->mem, revoked, sizeof *revoked);
}

/* A withdrawal may give the pid up with its next commit: what it was is kept,
 * as whoever withdraws has its row at hand. */
static void
take_pid(
    struct ll_instance *instance, linli_str resident, char pid[LL_PID_BYTES])
{
    struct ll_json *json = &instance->host->docs.json;
    struct ll_doc *row =
        ll_space_find(instance->space, LINLI_STR("~pid")) == NULL
            ? NULL
            : ll_pid_row(instance->space, resident);
    if (row != NULL && row->state == LL_DOC_KNOWN && row->content != NULL &&
        ll_json_parse(json, row->content->body, LL_JSON_DEPTH_MAX, NULL) ==
            LINLI_OK) {
        linli_str is = ll_jv_str(ll_jv_get(ll_json_root(json), "pid"));
        if (ll_pid_valid(is))
            (void)snprintf(pid, LL_PID_BYTES, "%.*s", LL_FMT(is));
    }
    ll_doc_unref(&row);
}

bool
ll_revoked_tells(
    void *user, const struct ll_party_of *who, char pid[LL_PID_BYTES])
{
    struct ll_host *host = user;
    struct ll_community *community = ll_host_community(host, who->community);
    struct ll_instance *instance =
        community == NULL ? NULL
                          : ll_community_instance(community, who->plugin);
    if (instance == NULL || is_leaving(instance) ||
        (instance->package == NULL ? instance->state != LL_INSTANCE_LOADING
                                   : !tells(instance)))
        return false;
    take_pid(instance, who->resident, pid);
    return ll_revoked_open(community, true, NULL) == LINLI_OK;
}
