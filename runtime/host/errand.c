/* host/errand.c: an attempt, from its document to its end. [loop] */
#include "host/errand.h"

#include "base/text.h"
#include "data/put.h"
#include "host/await.h"
#include "host/effect.h"
#include "host/notify.h"
#include "host/payment.h"
#include "host/webhook.h"
#include "host/work.h"

#define ERRAND_ARENA_BYTES_MAX ((size_t)4 << 20)
/* Of one plugin and community: more than it can have requests under way and
 * waiting, so that slow answers hold up no payment. */
#define ERRANDS_OPEN_MAX (LL_EGRESS_IN_FLIGHT_MAX + LL_EGRESS_WAITING_MAX + 56)

/* Every kind there is. */
static const struct ll_errand_kind *const kinds[] = {
    &ll_errand_fetch,
    &ll_errand_notify,
    &ll_pay_create_kind,
    &ll_pay_expire_kind,
    &ll_pay_refund_kind,
    &ll_webhook_kind,
};

static const struct ll_errand_kind *
kind_of(linli_str name)
{
    for (size_t i = 0; i < LL_COUNT(kinds); i++)
        if (ll_str_is(name, kinds[i]->name))
            return kinds[i];
    return NULL;
}

bool
ll_errand_known(linli_str kind)
{
    return kind_of(kind) != NULL;
}

bool
ll_errand_answers(struct ll_host *host, linli_str body)
{
    struct ll_json *json = &host->docs.json;
    if (ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    const struct ll_errand_kind *kind =
        kind_of(ll_jv_str(ll_jv_get(ll_json_root(json), "kind")));
    return kind != NULL && kind->answers;
}

static void
errand_free(struct ll_errand *errand, bool again, bool later)
{
    struct ll_host *host = errand->host;
    struct ll_queue *queue = errand->queue;
    *(errand->prev == NULL ? &host->errands : &errand->prev->next) =
        errand->next;
    if (errand->next != NULL)
        errand->next->prev = errand->prev;
    errand->doc->owner = NULL;
    ll_wait_cancel(&errand->wait);
    ll_doc_unref(&errand->await);
    ll_doc_unref(&errand->doc);
    ll_json_fini(&errand->json);
    ll_arena_fini(&errand->arena);
    ll_release(&host->mem, errand, sizeof *errand);
    ll_queue_ended(queue, again, later);
}

/* -- ending -- */

/* Nobody has dropped it meanwhile. */
static bool
still_there(const struct ll_errand *errand)
{
    return errand->doc->content != NULL &&
           errand->doc->version == errand->version &&
           errand->host->failure.status == LINLI_OK;
}

/* A last time, with what is left of it. */
static linli_status
write_left(struct ll_errand *errand, const char *code, struct ll_txn *txn,
    struct ll_err *err)
{
    struct ll_buf text;
    ll_buf_init(&text, &errand->host->mem, LL_COMMIT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    struct ll_put_off to = {.due_ms = INT64_MAX,
        .attempts = errand->attempts + 1,
        .now_ms = errand->now_ms,
        .code = code};
    ll_queue_write_put_off(&w, ll_json_root(&errand->json), &to);
    linli_status status =
        ll_txn_put(txn, errand->doc, &text, errand->now_ms, err);
    ll_buf_fini(&text);
    return status;
}

static bool
put_alert(struct ll_errand *errand, const char *code, struct ll_commit *commit)
{
    struct ll_dead dead = {.kind = "linli.dead_errand",
        .id = errand->id,
        .run = ll_jv_str(ll_jv_get(ll_json_root(&errand->json), "kind")),
        .code = ll_cstr(code),
        .attempts = errand->attempts + 1,
        .subject = errand->subject};
    return ll_dead_put(errand->host, errand->doc->coll->space, &dead, commit);
}

static linli_status
fill(struct ll_errand *errand, const struct ll_errand_end *end, bool dead,
    struct ll_txn *txn, struct ll_commit *commit, struct ll_err *err)
{
    linli_status status = end->write == NULL
                              ? LINLI_OK
                              : end->write(errand, dead, txn, commit, err);
    if (status != LINLI_OK)
        return status;
    if (!dead)
        return ll_txn_write(txn, errand->doc, NULL, err);
    if (!end->quiet && !put_alert(errand, end->code, commit))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an alert");
    return write_left(errand, end->code, txn, err);
}

/* Settles it, or gives it up, in one commit. */
static linli_status
settle(struct ll_errand *errand, const struct ll_errand_end *end, bool dead,
    struct ll_err *err)
{
    struct ll_docs *docs = &errand->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_txn txn;
    if (commit == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
    ll_txn_init(&txn, docs);
    linli_status status = fill(errand, end, dead, &txn, commit, err);
    if (status == LINLI_OK) {
        ll_docs_commit_unwatched(docs, commit);
        if (ll_txn_commit(&txn, commit) == 0)
            status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
    }
    if (status != LINLI_OK)
        ll_docs_commit_free(docs, commit);
    ll_txn_fini(&txn);
    return status;
}

static void
log_failure(const struct ll_errand *errand, const char *code, bool dead)
{
    struct ll_log_line line = {.level = dead ? LL_ERROR : LL_WARN,
        .code = code,
        .plugin =
            errand->instance == NULL ? LINLI_STR("") : errand->instance->id,
        .community = errand->community->id,
        .msg = dead ? LINLI_STR("an errand is given up")
                    : LINLI_STR("an errand failed and is tried again")};
    ll_log_write(&errand->host->log, &line);
}

/* True if its document is as it shall be. */
static bool
put_off(struct ll_errand *errand, const char *code, int64_t retry_ms)
{
    int64_t pause_ms =
        retry_ms > 0 ? retry_ms : ll_task_pause_ms(errand->attempts + 1);
    int64_t now_ms = ll_world_wall(errand->host->world).ms;
    struct ll_put_off to = {.due_ms = now_ms + pause_ms,
        .attempts = errand->attempts + 1,
        .now_ms = errand->now_ms,
        .code = code};
    return ll_queue_put_off(errand->host, errand->doc, &to);
}

void
ll_errand_end(struct ll_errand *errand, const struct ll_errand_end *end)
{
    struct ll_err err;
    bool kept = true;
    bool dead = end->outcome == LL_ERRAND_DEAD ||
                (end->outcome == LL_ERRAND_AGAIN &&
                    errand->attempts + 1 >= errand->kind->attempts_max);
    if (still_there(errand)) {
        const char *code = end->code;
        bool over = dead || end->outcome == LL_ERRAND_DONE;
        if (end->outcome != LL_ERRAND_DONE)
            log_failure(errand, code, dead);
        if (over && settle(errand, end, dead, &err) != LINLI_OK) {
            over = false;
            code = err.code;
            log_failure(errand, code, false);
        }
        if (!over)
            kept = put_off(errand, code, end->retry_ms);
    }
    errand_free(errand, errand->doc->content != NULL, !kept);
}

/* -- starting -- */

static bool
read_errand(struct ll_errand *errand)
{
    int64_t attempts = 0;
    if (ll_json_parse(&errand->json, errand->doc->content->body,
            LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    struct ll_jv root = ll_json_root(&errand->json);
    (void)ll_jv_int(ll_jv_get(root, "attempts"), &attempts);
    (void)ll_jv_int(ll_jv_get(root, "at"), &errand->at_ms);
    errand->attempts = (uint32_t)attempts;
    errand->with = ll_jv_get(root, "with");
    errand->subject = ll_jv_str(ll_jv_get(root, "subject"));
    errand->kind = kind_of(ll_jv_str(ll_jv_get(root, "kind")));
    return true;
}

/* Who awaits it is looked up before it is begun. */
static void
load_await(struct ll_errand *errand)
{
    if (errand->kind->answers && errand->await == NULL)
        errand->await = ll_await_doc(errand->instance, errand->id);
    if (!errand->kind->answers)
        errand->kind->start(errand);
    else if (errand->await == NULL)
        errand_free(errand, true, true);
    else if (!ll_doc_ready(errand->await, &errand->wait))
        return;
    else if (errand->await->state == LL_DOC_LOST) /* or it overlooks them */
        errand_free(errand, true, true);
    else
        errand->kind->start(errand);
}

static void
on_await(struct ll_wait *wait)
{
    load_await(LL_CONTAINER(wait, struct ll_errand, wait));
}

static void
start_kind(struct ll_errand *errand)
{
    static const struct ll_errand_kind unknown = {
        .name = "unknown", .attempts_max = 1};
    struct ll_errand_end end = {
        .outcome = LL_ERRAND_DEAD, .code = "errand/unknown"};
    if (errand->kind != NULL) {
        load_await(errand);
        return;
    }
    errand->kind = &unknown; /* of a later Linli */
    ll_errand_end(errand, &end);
}

static bool
start(struct ll_queue *queue, struct ll_doc *doc)
{
    struct ll_host *host = queue->host;
    struct ll_errand *errand = ll_alloc(&host->mem, sizeof *errand);
    if (errand == NULL) {
        ll_doc_unref(&doc);
        return false;
    }
    queue->open++;
    errand->host = host;
    errand->queue = queue;
    errand->community = queue->user;
    for (struct ll_instance *i = errand->community->instances; i != NULL;
         i = i->next)
        if (i->errands == queue)
            errand->instance = i;
    errand->wait.ready = on_await;
    errand->doc = doc;
    errand->version = doc->version;
    errand->id = doc->id;
    errand->now_ms = ll_world_wall(host->world).ms;
    errand->next = host->errands;
    if (host->errands != NULL)
        host->errands->prev = errand;
    host->errands = errand;
    doc->owner = errand;
    ll_json_init(&errand->json, &host->mem);
    ll_arena_init(&errand->arena, &host->mem, ERRAND_ARENA_BYTES_MAX);
    if (read_errand(errand))
        start_kind(errand);
    else
        errand_free(errand, true, true);
    return true;
}

/* -- asking for one -- */

static void
write_errand(struct ll_jw *w, struct ll_host *host, linli_str id,
    const struct ll_errand_want *want, int64_t now_ms)
{
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_str(w, id);
    ll_jw_key(w, "kind");
    ll_jw_cstr(w, want->kind);
    ll_queue_write_due(host, w, want->due_ms != 0 ? want->due_ms : now_ms);
    ll_jw_key(w, "at");
    ll_jw_int(w, now_ms);
    ll_jw_key(w, "with");
    ll_jw_raw(w, want->with);
    if (want->subject.len > 0) {
        ll_jw_key(w, "subject");
        ll_jw_str(w, want->subject);
    }
    ll_jw_close(w, '}');
}

linli_status
ll_errand_put(struct ll_queue *errands, struct ll_txn *txn,
    const struct ll_errand_want *want, int64_t now_ms, char id[33],
    struct ll_err *err)
{
    struct ll_host *host = errands->host;
    struct ll_buf text;
    char made[33];
    linli_str name = want->id;
    ll_check(kind_of(ll_cstr(want->kind)) != NULL);
    if (name.len == 0) {
        unsigned char random[16];
        ll_world_random(host->world, random, sizeof random);
        ll_hex(random, sizeof random, made);
        name = ll_cstr(made);
        if (id != NULL)
            memcpy(id, made, sizeof made);
    }
    /* Nobody has this id: it is known to be absent. */
    struct ll_doc *doc = ll_docs_make(errands->coll, name);
    if (doc == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an errand");
    ll_buf_init(&text, &host->mem, LL_COMMIT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    write_errand(&w, host, name, want, now_ms);
    linli_status status = ll_txn_put(txn, doc, &text, now_ms, err);
    ll_buf_fini(&text);
    ll_doc_unref(&doc);
    return status;
}

/* -- opening and stopping -- */

static bool
serves(const struct ll_queue *queue)
{
    LL_UNUSED(queue);
    return true;
}

static linli_status
open_queue(struct ll_community *community, struct ll_space *space,
    struct ll_queue **queue, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    if (space == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "errands");
    if (*queue == NULL)
        status = ll_queue_open(community->host,
            ll_space_coll(space, LINLI_STR("~errand")), queue, err);
    if (status != LINLI_OK)
        return status;
    (*queue)->serves = serves;
    (*queue)->start = start;
    (*queue)->user = community;
    (*queue)->goes_out = true;
    (*queue)->open_max = ERRANDS_OPEN_MAX;
    ll_queue_again(*queue);
    return LINLI_OK;
}

linli_status
ll_errands_open(struct ll_instance *instance, struct ll_err *err)
{
    return open_queue(
        instance->community, instance->space, &instance->errands, err);
}

linli_status
ll_errands_open_own(struct ll_community *community, struct ll_err *err)
{
    if (community->space == NULL)
        community->space = ll_docs_space(
            &community->host->docs, community->id, LINLI_STR("~"));
    return open_queue(community, community->space, &community->errands, err);
}

void
ll_errands_stop(struct ll_host *host)
{
    while (host->errands != NULL) {
        struct ll_errand *errand = host->errands;
        if (errand->wait.head == NULL) /* it was begun */
            errand->kind->cancel(errand);
        errand_free(errand, false, false);
    }
}
