/* host/rights_erase.c: a request from state to state. [loop] */
#include "base/limits.h"
#include "base/text.h"
#include "host/clock.h"
#include "host/rights_int.h"

#define ARENA_BYTES_MAX ((size_t)4 << 20)

static void
end_target(struct ll_erase_target *target)
{
    ll_doc_unref(&target->pid);
    ll_buf_fini(&target->kept);
}

static void
drop_docs(struct ll_erasing *e)
{
    for (uint32_t i = 0; i < e->count; i++)
        ll_doc_unref(&e->docs[i]);
    e->count = e->ready = 0;
}

void
ll_erase_drop(struct ll_erasing *e)
{
    struct ll_host *host = e->host;
    ll_wait_cancel(&e->wait);
    if (e->querying) {
        ll_store_cancel(host->store, &e->query);
        ll_query_fini(&e->query);
    }
    ll_erase_scanned(e);
    if (e->commit != NULL)
        ll_docs_commit_unwatched(&host->docs, e->commit);
    drop_docs(e);
    for (uint32_t i = 0; i < e->target_count; i++)
        end_target(&e->targets[i]);
    if (e->targets != NULL)
        ll_release(&host->mem, e->targets, e->target_cap * sizeof *e->targets);
    ll_doc_unref(&e->asked);
    e->doc->owner = NULL;
    ll_doc_unref(&e->doc);
    ll_buf_fini(&e->after_id);
    ll_buf_fini(&e->text);
    ll_arena_fini(&e->arena);
    e->rights->erasing = NULL;
    e->rights->queue->open--;
    ll_release(&host->mem, e, sizeof *e);
}

void
ll_erase_end(struct ll_erasing *e, bool later)
{
    struct ll_queue *queue = e->rights->queue;
    struct ll_host *host = e->host;
    e->rights->queue->open++; /* ll_queue_ended counts it down */
    ll_erase_drop(e);
    ll_queue_ended(queue, true, later);
    ll_host_clock_step(host);
}

void
ll_erase_go(struct ll_erasing *e)
{
    while (e->step(e)) {}
}

static void
on_known(struct ll_wait *wait)
{
    ll_erase_go(LL_CONTAINER(wait, struct ll_erasing, wait));
}

bool
ll_erase_ask(struct ll_erasing *e, struct ll_coll *coll, linli_str id)
{
    if (e->asked == NULL && coll != NULL)
        e->asked = ll_docs_get(coll, id);
    if (e->asked == NULL) {
        ll_erase_end(e, true);
        return false;
    }
    if (!ll_doc_ready(e->asked, &e->wait))
        return false;
    if (e->asked->state == LL_DOC_LOST) {
        ll_erase_end(e, true);
        return false;
    }
    return true;
}

/* -- writing the request -- */

static bool
is_one_of(linli_str name, const char *const *names)
{
    static const char *const always[] = {
        "state", "due", "seq", "household", NULL};
    for (const char *const *n = always; *n != NULL; n++)
        if (ll_str_is(name, *n))
            return true;
    for (; names != NULL && *names != NULL; names++)
        if (ll_str_is(name, *names))
            return true;
    return false;
}

bool
ll_erase_copies(const struct ll_erasing *e)
{
    return ll_str_is(e->kind, "export");
}

/* How the log calls them: kept until the leaf of the end is written. */
static bool
take_tag(struct ll_erasing *e)
{
    char tag[2 * LL_TAG_BYTES + 1];
    const struct ll_consent *consent = e->host->arbiter.consent;
    uint32_t subject =
        ll_consent_subject(consent, e->community->id, e->resident);
    const struct ll_person *person =
        e->resident.len == 0 ? NULL : ll_consent_person(consent, subject);
    if (person == NULL)
        return false;
    ll_hex(person->tag, sizeof person->tag, tag);
    e->tag = ll_arena_str(&e->arena, ll_cstr(tag));
    return e->tag.len > 0;
}

struct ll_jw
ll_erase_text(
    struct ll_erasing *e, const char *state, const char *const *without)
{
    struct ll_json *json = &e->host->docs.json;
    struct ll_jw w = ll_jw(&e->text);
    ll_buf_clear(&e->text);
    ll_jw_open(&w, '{');
    if (ll_json_parse(json, e->doc->content->body, LL_JSON_DEPTH_MAX, NULL) !=
        LINLI_OK)
        e->text.failed = true;
    else
        LL_JSON_MEMBERS (name, value, ll_json_root(json)) {
            if (is_one_of(ll_jv_str(name), without))
                continue;
            ll_jw_key_str(&w, ll_jv_str(name));
            ll_jw_value(&w, value);
        }
    if (!ll_erase_copies(e) && e->tag.len == 0 && take_tag(e)) {
        ll_jw_key(&w, "tag");
        ll_jw_str(&w, e->tag);
    }
    if (e->household.len > 0) {
        ll_jw_key(&w, "household");
        ll_jw_str(&w, e->household);
    }
    ll_jw_key(&w, "state");
    ll_jw_cstr(&w, state);
    return w;
}

static void
on_durable(struct ll_commit *commit, bool durable)
{
    struct ll_erasing *e = commit->user;
    e->leaf = commit->leaf_first;
    e->commit = NULL;
    ll_docs_commit_free(&e->host->docs, commit);
    if (durable)
        ll_erase_go(e);
    else
        ll_erase_end(e, true);
}

bool
ll_erase_commit(struct ll_erasing *e, struct ll_txn *txn,
    struct ll_commit *commit, bool watched)
{
    struct ll_docs *docs = &e->host->docs;
    linli_status status =
        e->text.len == 0 ? LINLI_OK
                         : ll_txn_put(txn, e->doc, &e->text, e->now_ms, NULL);
    if (watched) {
        commit->done = on_durable;
        commit->user = e;
    } else {
        ll_docs_commit_unwatched(docs, commit);
    }
    bool good = status == LINLI_OK && !commit->ops.failed &&
                ll_txn_commit(txn, commit) != 0;
    ll_txn_fini(txn);
    ll_buf_clear(&e->text);
    if (good) {
        if (watched)
            e->commit = commit;
        return true;
    }
    ll_docs_commit_free(docs, commit);
    ll_erase_end(e, true);
    return false;
}

/* -- beginning -- */

static linli_str
text_of(struct ll_erasing *e, struct ll_jv root, const char *name)
{
    return ll_arena_str(&e->arena, ll_jv_str(ll_jv_get(root, name)));
}

static bool
read_request(struct ll_erasing *e)
{
    struct ll_json *json = &e->host->docs.json;
    if (ll_json_parse(json, e->doc->content->body, LL_JSON_DEPTH_MAX, NULL) !=
        LINLI_OK)
        return false;
    struct ll_jv root = ll_json_root(json);
    e->id = text_of(e, root, "id");
    e->kind = text_of(e, root, "kind");
    ll_check(ll_erase_copies(e) || ll_str_is(e->kind, "erase"));
    e->state = text_of(e, root, "state");
    e->resident = text_of(e, root, "resident");
    e->by = text_of(e, root, "by");
    e->tag = text_of(e, root, "tag");
    e->household = text_of(e, root, "household");
    (void)ll_jv_int(ll_jv_get(root, "at"), &e->at_ms);
    (void)ll_jv_int(ll_jv_get(root, "deadline"), &e->deadline_ms);
    (void)ll_jv_int(ll_jv_get(root, "recheck"), &e->recheck_ms);
    if (e->deadline_ms == 0)
        e->deadline_ms =
            e->at_ms + (ll_erase_copies(e) ? LL_EXPORT_CALL_MS
                                           : e->host->config.consent.redact_ms);
    e->step =
        ll_str_is(e->state, "cleaning") ? ll_erase_cleaned : ll_erase_find;
    return !e->arena.failed;
}

bool
ll_erase_start(struct ll_rights *rights, struct ll_doc *doc)
{
    struct ll_host *host = rights->community->host;
    struct ll_erasing *e = ll_alloc(&host->mem, sizeof *e);
    if (e == NULL) {
        ll_doc_unref(&doc);
        return false;
    }
    rights->queue->open++;
    rights->erasing = e;
    e->rights = rights;
    e->host = host;
    e->community = rights->community;
    e->doc = doc;
    e->now_ms = ll_world_wall(host->world).ms;
    e->wait.ready = on_known;
    doc->owner = e;
    ll_arena_init(&e->arena, &host->mem, ARENA_BYTES_MAX);
    ll_buf_init(&e->after_id, &host->mem, LL_DOC_ID_BYTES_MAX + 1);
    ll_buf_init(&e->text, &host->mem, LL_DOC_BYTES_MAX);
    if (read_request(e))
        ll_erase_go(e);
    else
        ll_erase_end(e, true);
    return true;
}
