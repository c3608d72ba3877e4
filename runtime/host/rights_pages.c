/* host/rights_pages.c: documents go, then keys, then what came in between.
 * [loop]
 *
 * The store is asked for documents by subject, some at a time; they are
 * deleted like any others, with their entries, so that whoever has read them
 * begins again. What a law has kept is laid aside in the same commit. When
 * nothing is left one commit takes the keys and the pseudonyms, and makes the
 * request a document about nobody. What calls under way have written
 * meanwhile nobody can read any more; it goes after that.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "billing/subs.h"
#include "domain/leaf.h"
#include "host/alert.h"
#include "host/clock.h"
#include "host/record.h"
#include "host/rights_int.h"

#define MS_PER_DAY 86400000
#define LINE_BYTES_MAX (2 * LL_LEAF_BYTES_MAX)

static const char payment_law[] =
    "\xe7\x94\xb5\xe5\xad\x90\xe5\x95\x86\xe5\x8a\xa1\xe6\xb3\x95"
    "\xe7\xac\xac\xe4\xb8\x89\xe5\x8d\x81\xe4\xb8\x80\xe6\x9d\xa1";

static struct ll_erase_target *
target_at(struct ll_erasing *e)
{
    return &e->targets[e->at];
}

int64_t
ll_rights_kept_ms(const struct ll_coll *coll, linli_str *law)
{
    bool payments = ll_str_is(coll->name, "~payment");
    *law = payments ? ll_cstr(payment_law) : coll->statutory_law;
    return payments ? (int64_t)LL_PAYMENT_KEPT_DAYS * MS_PER_DAY
                    : coll->statutory_ms;
}

/* -- pages -- */

static bool
end_run(struct ll_erasing *e)
{
    ll_erase_end(e, true);
    return false;
}

static void
drop_docs(struct ll_erasing *e)
{
    for (uint32_t i = 0; i < e->count; i++)
        ll_doc_unref(&e->docs[i]);
    e->count = e->ready = 0;
}

static void
freeze(struct ll_erasing *e, const struct ll_doc *doc, struct ll_commit *commit)
{
    ll_commit_op(commit, LL_ST_doc_freeze);
    ll_put_int(&commit->ops, target_at(e)->space->id);
    ll_put_bytes(&commit->ops, ll_cstr(target_at(e)->subject));
    ll_put_int(&commit->ops, doc->coll->id);
    ll_put_bytes(&commit->ops, doc->id);
}

/* One that cannot be read any more has no keys by which its entries are
 * found. */
static void
forget(const struct ll_doc *doc, struct ll_commit *commit)
{
    ll_commit_op(commit, LL_ST_entry_forget);
    ll_put_int(&commit->ops, doc->coll->id);
    ll_put_bytes(&commit->ops, doc->id);
    ll_commit_op(commit, LL_ST_doc_del);
    ll_put_int(&commit->ops, doc->coll->id);
    ll_put_bytes(&commit->ops, doc->id);
}

static bool ask_page(struct ll_erasing *e);

static bool
delete_page(struct ll_erasing *e)
{
    struct ll_docs *docs = &e->host->docs;
    struct ll_erase_target *target = target_at(e);
    linli_str law;
    for (; e->ready < e->count; e->ready++)
        if (!ll_doc_ready(e->docs[e->ready], &e->wait))
            return false;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_txn txn;
    if (commit == NULL)
        return end_run(e);
    linli_status status = LINLI_OK;
    ll_txn_init(&txn, docs);
    for (uint32_t i = 0; status == LINLI_OK && i < e->count; i++) {
        struct ll_doc *doc = e->docs[i];
        if (doc->state == LL_DOC_LOST)
            status = LINLI_E_IO;
        else if (doc->content == NULL)
            forget(doc, commit);
        else if (ll_str_eq(doc->content->subject, ll_cstr(target->subject))) {
            if (!e->after && ll_rights_kept_ms(doc->coll, &law) > 0)
                freeze(e, doc, commit);
            status = ll_txn_write(&txn, doc, NULL, NULL);
        }
    }
    commit->ops.failed = commit->ops.failed || status != LINLI_OK;
    target->documents += e->count;
    e->again = true;
    drop_docs(e);
    e->step = ask_page;
    ll_buf_clear(&e->text);
    (void)ll_erase_commit(e, &txn, commit, true);
    return false;
}

static bool ask_kept(struct ll_erasing *e);
static bool take_keys(struct ll_erasing *e);

bool
ll_erase_go_on(struct ll_erasing *e)
{
    if (e->at < e->target_count) {
        e->step = ask_page;
        return true;
    }
    e->at = 0;
    e->step = e->after ? ll_erase_cleaned : ask_kept;
    return true;
}

/* The pass over a target found nothing, or begins anew. */
static bool
after_page(struct ll_erasing *e)
{
    if (e->again) {
        e->again = false;
        e->after_coll = 0;
        ll_buf_clear(&e->after_id);
        e->step = ask_page;
        return true;
    }
    e->after_coll = 0;
    ll_buf_clear(&e->after_id);
    e->at++;
    e->step = ll_erase_go_on;
    if (e->at == e->target_count && !e->after && !e->looked &&
        e->household.len > 0)
        e->step = ll_erase_alone;
    return true;
}

static void
on_page(struct ll_query *query)
{
    struct ll_erasing *e = query->user;
    struct ll_docs *docs = &e->host->docs;
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    bool good = query->status == LINLI_OK;
    uint32_t found = good ? query->row_count : 0;
    e->querying = false;
    for (uint32_t i = 0; good && i < found; i++) {
        (void)ll_rd_list(&rows);
        e->after_coll = ll_rd_int(&rows);
        linli_str id = ll_rd_bytes(&rows);
        ll_buf_clear(&e->after_id);
        ll_buf_str(&e->after_id, id);
        struct ll_coll *coll = ll_docs_coll_by_id(docs, e->after_coll);
        /* The row that tells whose pid it is goes with the keys. */
        if (coll == NULL || coll->space != target_at(e)->space ||
            (!e->after && ll_str_is(coll->name, "~pid")))
            continue;
        struct ll_doc *doc = ll_docs_get(coll, id);
        good = doc != NULL;
        if (good)
            e->docs[e->count++] = doc;
    }
    ll_query_fini(query);
    if (!good) {
        ll_erase_end(e, true);
        return;
    }
    e->step = e->count > 0 ? delete_page : found > 0 ? ask_page : after_page;
    ll_erase_go(e);
}

static bool
ask_page(struct ll_erasing *e)
{
    struct ll_query *query = &e->query;
    ll_query_init(query, &e->host->mem, LL_ST_doc_about);
    ll_put_bytes(&query->params, ll_cstr(target_at(e)->subject));
    ll_put_int(&query->params, e->after_coll);
    ll_put_bytes(&query->params, ll_buf_view(&e->after_id));
    ll_put_int(&query->params, LL_ERASE_ROWS);
    query->rows_max = LL_ERASE_ROWS;
    query->done = on_page;
    query->user = e;
    e->querying = true;
    ll_store_query(e->host->store, query);
    return false;
}

static bool
begin_pass(struct ll_erasing *e)
{
    e->at = 0;
    e->step = ask_page;
    return true;
}

/* Nobody is told anything of them any more, from this turn on. What they do
 * meanwhile makes them known again, so it is said twice. False without
 * memory, and the run has ended. */
static bool
forget_person(struct ll_erasing *e)
{
    struct ll_arbiter *arbiter = &e->host->arbiter;
    struct ll_person person = {
        .birth_day = LL_DAY_UNKNOWN, .state = LL_SUBJECT_SHREDDED};
    struct ll_actor_of who = {.community = e->community->id,
        .subject =
            ll_consent_subject(arbiter->consent, e->community->id, e->resident),
        .actor = LL_NOBODY,
        .actor_name = LINLI_STR("system"),
        .now_ms = e->now_ms};
    if (who.subject == LL_NOBODY ||
        ll_arbiter_put_person(
            arbiter, &who, e->resident, &person, NULL, NULL) == LINLI_OK)
        return true;
    return end_run(e);
}

bool
ll_erase_pages(struct ll_erasing *e)
{
    /* Whatever else may ever be due: nobody is erased who did not ask. */
    ll_check(ll_str_is(e->kind, "erase"));
    return forget_person(e) && begin_pass(e);
}

/* -- what was laid aside -- */

static void
on_kept(struct ll_query *query)
{
    struct ll_erasing *e = query->user;
    struct ll_erase_target *target = target_at(e);
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    bool good = query->status == LINLI_OK;
    e->querying = false;
    for (uint32_t i = 0; good && i < query->row_count; i++) {
        linli_str law;
        (void)ll_rd_list(&rows);
        const struct ll_coll *coll =
            ll_docs_coll_by_id(&e->host->docs, ll_rd_int(&rows));
        if (coll == NULL)
            continue;
        int64_t ms = ll_rights_kept_ms(coll, &law);
        if (ms == 0) /* its plugin has changed its mind since */
            ms = (int64_t)LL_PAYMENT_KEPT_DAYS * MS_PER_DAY;
        if (e->now_ms + ms > target->until_ms)
            target->until_ms = e->now_ms + ms;
        if (target->kept.len > 0)
            ll_buf_char(&target->kept, ',');
        ll_buf_str(&target->kept, coll->name);
    }
    ll_query_fini(query);
    if (!good || target->kept.failed) {
        ll_erase_end(e, true);
        return;
    }
    e->at++;
    e->step = e->at < e->target_count ? ask_kept : take_keys;
    ll_erase_go(e);
}

static bool
ask_kept(struct ll_erasing *e)
{
    struct ll_query *query = &e->query;
    ll_query_init(query, &e->host->mem, LL_ST_frozen_about);
    ll_put_int(&query->params, target_at(e)->space->id);
    ll_put_bytes(&query->params, ll_cstr(target_at(e)->subject));
    query->done = on_kept;
    query->user = e;
    e->querying = true;
    ll_store_query(e->host->store, query);
    return false;
}

/* -- the keys -- */

static struct ll_whose
whose_of(const struct ll_space *space, const char *subject)
{
    return (struct ll_whose){.space = space->id,
        .community = space->community,
        .plugin = space->plugin,
        .subject = ll_cstr(subject)};
}

/* What became of a plugin's, as the certificate has it. */
static void
write_plugin(struct ll_jw *w, const struct ll_erase_target *target)
{
    ll_jw_open(w, '{');
    ll_jw_key(w, "documents");
    ll_jw_int(w, target->documents);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, target->space->plugin);
    ll_jw_close(w, '}');
}

static void
write_frozen(struct ll_jw *w, const struct ll_erase_target *target)
{
    linli_str rest = ll_buf_view(&target->kept), name, law;
    while (ll_str_split(&rest, ',', &name)) {
        const struct ll_coll *coll = ll_space_find(target->space, name);
        ll_jw_open(w, '{');
        ll_jw_key(w, "collection");
        ll_jw_str(w, name);
        if (coll != NULL && ll_rights_kept_ms(coll, &law) > 0) {
            ll_jw_key(w, "law");
            ll_jw_str(w, law);
        }
        ll_jw_key(w, "plugin");
        ll_jw_str(w, target->space->plugin);
        ll_jw_key(w, "until");
        ll_jw_int(w, target->until_ms);
        ll_jw_close(w, '}');
    }
}

/* What was erased and what is frozen: whom it was about it does not say. */
static void
write_certificate(struct ll_erasing *e, struct ll_jw *w)
{
    int64_t own = 0;
    ll_jw_key(w, "certificate");
    ll_jw_open(w, '{');
    ll_jw_key(w, "community");
    ll_jw_str(w, e->community->id);
    ll_jw_key(w, "erased_at");
    ll_jw_int(w, e->now_ms);
    ll_jw_key(w, "frozen");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < e->target_count; i++)
        if (e->targets[i].until_ms > 0)
            write_frozen(w, &e->targets[i]);
    ll_jw_close(w, ']');
    ll_jw_key(w, "keys");
    ll_jw_int(w, (int64_t)e->target_count);
    ll_jw_key(w, "plugins");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < e->target_count; i++) {
        if (e->targets[i].pid != NULL)
            write_plugin(w, &e->targets[i]);
        else
            own += e->targets[i].documents;
    }
    ll_jw_close(w, ']');
    ll_jw_key(w, "records");
    ll_jw_int(w, own);
    ll_jw_key(w, "request");
    ll_jw_str(w, e->id);
    ll_jw_close(w, '}');
}

static void
put_leaf(struct ll_erasing *e, struct ll_commit *commit)
{
    struct ll_buf line, data;
    int64_t frozen = 0;
    ll_buf_init(&line, &e->host->mem, LINE_BYTES_MAX);
    ll_buf_init(&data, &e->host->mem, 512);
    for (uint32_t i = 0; i < e->target_count; i++)
        frozen += e->targets[i].until_ms > 0;
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "frozen");
    ll_jw_int(&w, frozen);
    ll_jw_key(&w, "keys");
    ll_jw_int(&w, (int64_t)e->target_count);
    ll_jw_key(&w, "request");
    ll_jw_str(&w, e->id);
    ll_jw_close(&w, '}');
    struct ll_leaf leaf = {.type = LL_LEAF_SHRED,
        .at_ms = e->now_ms,
        .community = e->community->id,
        .actor = LINLI_STR("system"),
        .subject = e->tag,
        .result = LINLI_STR("done"),
        .data_json = ll_buf_view(&data)};
    ll_leaf_put(&line, &leaf);
    commit->ops.failed = commit->ops.failed || data.failed || line.failed;
    if (!commit->ops.failed)
        ll_commit_leaf(commit, ll_buf_view(&line));
    ll_buf_fini(&line);
    ll_buf_fini(&data);
}

static linli_status
put_keys(struct ll_erasing *e, struct ll_txn *txn, struct ll_commit *commit)
{
    char own[LL_PID_BYTES];
    struct ll_store *store = e->host->store;
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; status == LINLI_OK && i < e->target_count; i++) {
        struct ll_erase_target *target = &e->targets[i];
        struct ll_whose whose = whose_of(target->space, target->subject);
        if (target->until_ms > 0)
            ll_store_freeze(store, commit, &whose, target->until_ms,
                ll_buf_view(&target->kept));
        else
            ll_store_shred(store, commit, &whose);
        if (target->pid != NULL)
            status = ll_txn_write(txn, target->pid, NULL, NULL);
    }
    if (e->tag.len > 0) {
        ll_commit_op(commit, LL_ST_leaf_about_drop);
        ll_put_bytes(&commit->ops, e->tag);
    }
    ll_directory_subject(e->host, e->community->id, LL_REQUESTS, e->id, own);
    struct ll_whose request = whose_of(e->rights->queue->coll->space, own);
    ll_store_shred(store, commit, &request);
    return status;
}

static void
forget_traces(struct ll_erasing *e)
{
    for (uint32_t i = 0; i < e->target_count; i++) {
        linli_str pid = ll_cstr(e->targets[i].subject);
        if (e->targets[i].pid != NULL)
            ll_recorder_forget(e->host, &pid, 1);
    }
}

static bool
cleaning(struct ll_erasing *e)
{
    e->after = true;
    forget_traces(e);
    return begin_pass(e);
}

/* Before the keys, and in the same turn: nobody subscribes them in between.
 * False without memory, and the run has ended. */
static bool
forget_subs(struct ll_erasing *e)
{
    struct ll_bill_act act = {.billing = &e->host->billing,
        .by = LINLI_STR("system"),
        .now_ms = e->now_ms};
    bool again;
    if (ll_subs_forget(&act, e->community->id, e->resident, &again, NULL) ==
        LINLI_OK)
        return true;
    return end_run(e);
}

static bool
take_keys(struct ll_erasing *e)
{
    static const char *const without[] = {
        "subject", "resident", "by", "note", "tag", "recheck", NULL};
    struct ll_docs *docs = &e->host->docs;
    if (!forget_subs(e))
        return false;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_txn txn;
    if (commit == NULL)
        return end_run(e);
    if (!forget_person(e)) {
        ll_docs_commit_free(docs, commit);
        return false;
    }
    ll_txn_init(&txn, docs);
    e->household = (linli_str){NULL, 0};
    put_leaf(e, commit);
    linli_status status = put_keys(e, &txn, commit);
    struct ll_jw w = ll_erase_text(e, "cleaning", without);
    ll_jw_key(&w, "done_at");
    ll_jw_int(&w, e->now_ms);
    write_certificate(e, &w);
    ll_queue_write_due(e->host, &w, e->now_ms);
    ll_jw_close(&w, '}');
    commit->ops.failed = commit->ops.failed || status != LINLI_OK;
    e->step = cleaning;
    (void)ll_erase_commit(e, &txn, commit, true);
    return false;
}

void
ll_rights_due_leaf(struct ll_host *host, const struct ll_whose *whose,
    struct ll_commit *commit)
{
    struct ll_buf line;
    ll_buf_init(&line, &host->mem, LINE_BYTES_MAX);
    struct ll_leaf leaf = {.type = LL_LEAF_SHRED,
        .at_ms = ll_world_wall(host->world).ms,
        .community = whose->community,
        .actor = LINLI_STR("system"),
        .plugin = whose->plugin,
        .result = LINLI_STR("due")};
    ll_leaf_put(&line, &leaf);
    if (line.failed)
        commit->ops.failed = true;
    else
        ll_commit_leaf(commit, ll_buf_view(&line));
    ll_buf_fini(&line);
}

/* -- the end -- */

/* Nothing is left. A request without `due` is kept, and begun no more. */
bool
ll_erase_cleaned(struct ll_erasing *e)
{
    struct ll_docs *docs = &e->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_txn txn;
    if (commit == NULL)
        return end_run(e);
    ll_txn_init(&txn, docs);
    struct ll_jw w = ll_erase_text(e, "done", NULL);
    if (e->after) { /* not after a restart: then the log tells */
        ll_jw_key(&w, "leaf");
        ll_jw_int(&w, (int64_t)e->leaf);
    }
    ll_jw_close(&w, '}');
    if (ll_erase_commit(e, &txn, commit, false))
        ll_erase_end(e, false);
    return false;
}
