/* host/uninstall_empty.c: consents and subscriptions end, documents
 * go, then keys. [loop]
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "billing/subs.h"
#include "domain/leaf.h"
#include "host/bus.h"
#include "host/directory.h"
#include "host/rights_int.h"
#include "host/secret.h"
#include "host/uninstall.h"

static bool page(struct ll_leaving *l);
static bool keys(struct ll_leaving *l);
static bool finish(struct ll_leaving *l);

/* Counts what has gone in the commit in which it goes. */
static bool
commit_on(struct ll_leaving *l, struct ll_txn *txn, struct ll_commit *commit)
{
    ll_leaving_text(l, "emptying", l->now_ms);
    return ll_leaving_commit(l, txn, commit);
}

/* Nothing of it runs, and nothing of it is on its way out. */
static bool
is_still(const struct ll_leaving *l)
{
    const struct ll_instance *i = l->instance;
    return i == NULL || (i->loading == NULL && i->pool_count == 0 &&
                            (i->work == NULL || i->work->open == 0) &&
                            (i->leave == NULL || i->leave->open == 0) &&
                            (i->errands == NULL || i->errands->open == 0));
}

/* -- subscriptions -- */

/* Nobody pays for what is not there. */
static bool
subscriptions(struct ll_leaving *l)
{
    struct ll_bill_act act = {.billing = &l->host->billing,
        .by = l->by,
        .reason = l->reason,
        .now_ms = l->now_ms};
    struct ll_txn txn;
    struct ll_err err;
    uint32_t ended = 0;
    if (ll_subs_leave(&act, l->community->id, l->plugin, LL_ERASE_ROWS, &ended,
            &err) != LINLI_OK)
        return ll_leaving_end(l, true);
    if (ended == 0) {
        l->coll = l->space->colls;
        l->step = page;
        return true;
    }
    struct ll_commit *commit = ll_leaving_begin(l, &txn);
    return commit != NULL && commit_on(l, &txn, commit);
}

/* -- consents -- */

static bool
grants(struct ll_leaving *l)
{
    struct ll_txn txn;
    struct ll_err err;
    uint32_t ended = 0;
    struct ll_ending ending = {.community = l->community->id,
        .plugin = l->plugin,
        .by = l->by,
        .now_ms = l->now_ms};
    if (ll_arbiter_end_party(&l->host->arbiter, &ending, LL_ERASE_ROWS,
            &l->grant_at, &ended, &err) != LINLI_OK)
        return ll_leaving_end(l, true);
    l->grants += ended;
    if (ended == 0) {
        l->step = subscriptions;
        return true;
    }
    struct ll_commit *commit = ll_leaving_begin(l, &txn);
    return commit != NULL && commit_on(l, &txn, commit);
}

bool
ll_leaving_empty(struct ll_leaving *l)
{
    l->one->emptying = true;
    if (l->instance != NULL) {
        ll_instance_still(l->instance);
        if (!is_still(l))
            return ll_leaving_end(l, true);
        ll_bus_close(l->instance);
        ll_secrets_close(l->instance);
    }
    l->step = grants;
    return true;
}

/* -- documents -- */

static void
drop_docs(struct ll_leaving *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        ll_doc_unref(&l->docs[i]);
    l->count = l->ready = 0;
}

/* One that cannot be read any more has no keys by which its entries are
 * found. */
static void
forget(const struct ll_doc *doc, struct ll_commit *commit)
{
    static const enum ll_statement ops[] = {LL_ST_entry_forget, LL_ST_doc_del};
    for (size_t i = 0; i < LL_COUNT(ops); i++) {
        ll_commit_op(commit, ops[i]);
        ll_put_int(&commit->ops, doc->coll->id);
        ll_put_bytes(&commit->ops, doc->id);
    }
}

/* What a law keeps of it is laid aside in the commit that deletes it. */
static void
lay_aside(
    struct ll_leaving *l, const struct ll_doc *doc, struct ll_commit *commit)
{
    linli_str law;
    if (doc->content->subject.len == 0 ||
        ll_rights_kept_ms(doc->coll, &law) == 0)
        return;
    l->kept++;
    ll_commit_op(commit, LL_ST_doc_freeze);
    ll_put_int(&commit->ops, l->space->id);
    ll_put_bytes(&commit->ops, doc->content->subject);
    ll_put_int(&commit->ops, doc->coll->id);
    ll_put_bytes(&commit->ops, doc->id);
}

static bool
delete_page(struct ll_leaving *l)
{
    struct ll_txn txn;
    for (; l->ready < l->count; l->ready++)
        if (!ll_doc_ready(l->docs[l->ready], &l->wait))
            return false;
    struct ll_commit *commit = ll_leaving_begin(l, &txn);
    if (commit == NULL)
        return false;
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; status == LINLI_OK && i < l->count; i++) {
        struct ll_doc *doc = l->docs[i];
        if (doc->state == LL_DOC_LOST) {
            status = LINLI_E_IO;
        } else if (doc->content == NULL) {
            forget(doc, commit);
        } else {
            lay_aside(l, doc, commit);
            status = ll_txn_write(&txn, doc, NULL, NULL);
        }
    }
    commit->ops.failed = commit->ops.failed || status != LINLI_OK;
    l->documents += l->count;
    l->again = true;
    drop_docs(l);
    l->step = page;
    return commit_on(l, &txn, commit);
}

static void
on_page(struct ll_query *query)
{
    struct ll_leaving *l = query->user;
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    bool good = query->status == LINLI_OK;
    uint32_t found = good ? query->row_count : 0;
    l->querying = false;
    for (uint32_t i = 0; good && i < found; i++) {
        (void)ll_rd_list(&rows);
        linli_str id = ll_rd_bytes(&rows);
        ll_buf_clear(&l->after);
        ll_buf_str(&l->after, id);
        struct ll_doc *doc = ll_docs_get(l->coll, id);
        good = doc != NULL;
        if (good)
            l->docs[l->count++] = doc;
    }
    ll_query_fini(query);
    if (!good) {
        (void)ll_leaving_end(l, true);
        return;
    }
    if (found > 0) {
        l->step = delete_page;
    } else {
        l->coll = l->coll->next;
        ll_buf_clear(&l->after);
    }
    ll_leaving_go(l);
}

static bool
ask(struct ll_leaving *l, unsigned statement, int64_t id,
    void (*done)(struct ll_query *query))
{
    struct ll_query *query = &l->query;
    ll_query_init(query, &l->host->mem, statement);
    ll_put_int(&query->params, id);
    ll_put_bytes(&query->params, ll_buf_view(&l->after));
    ll_put_int(&query->params, LL_ERASE_ROWS);
    query->rows_max = LL_ERASE_ROWS;
    query->done = done;
    query->user = l;
    l->querying = true;
    ll_store_query(l->host->store, query);
    return false;
}

/* A page of a collection; behind the last one, another pass, until one has
 * found nothing. */
static bool
page(struct ll_leaving *l)
{
    if (l->coll != NULL)
        return ask(l, LL_ST_doc_ids, l->coll->id, on_page);
    l->step = l->again ? page : keys;
    l->coll = l->again ? l->space->colls : NULL;
    l->again = false;
    return true;
}

/* -- keys -- */

/* Names and the last day of the collections, whose numbers are `ids`. */
static int64_t
kept_until(const struct ll_leaving *l, linli_str ids, struct ll_buf *names)
{
    linli_str id, law;
    int64_t until_ms = 0, number = 0;
    while (ll_str_split(&ids, ',', &id)) {
        const struct ll_coll *coll =
            ll_str_int(id, 1, INT64_MAX, &number)
                ? ll_docs_coll_by_id(&l->host->docs, number)
                : NULL;
        if (coll == NULL)
            continue;
        int64_t ms = ll_rights_kept_ms(coll, &law);
        if (ms == 0) /* its plugin has changed its mind since */
            ms = (int64_t)LL_PAYMENT_KEPT_DAYS * LL_CONSENT_DAY_MS;
        if (l->now_ms + ms > until_ms)
            until_ms = l->now_ms + ms;
        if (names->len > 0)
            ll_buf_char(names, ',');
        ll_buf_str(names, coll->name);
    }
    return until_ms;
}

static void
take_key(struct ll_leaving *l, linli_str subject, linli_str ids,
    struct ll_commit *commit)
{
    struct ll_buf names;
    struct ll_whose whose = {.space = l->space->id,
        .community = l->space->community,
        .plugin = l->space->plugin,
        .subject = subject};
    ll_buf_init(&names, &l->host->mem, LL_GONE_WHOSE_BYTES_MAX);
    int64_t until_ms = kept_until(l, ids, &names);
    if (until_ms > 0)
        ll_store_freeze(
            l->host->store, commit, &whose, until_ms, ll_buf_view(&names));
    else
        ll_store_shred(l->host->store, commit, &whose);
    commit->ops.failed = commit->ops.failed || names.failed;
    ll_buf_fini(&names);
}

static void
on_keys(struct ll_query *query)
{
    struct ll_leaving *l = query->user;
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    struct ll_txn txn;
    bool there;
    uint32_t found = query->status == LINLI_OK ? query->row_count : 0;
    l->querying = false;
    if (query->status != LINLI_OK || found == 0) {
        bool good = query->status == LINLI_OK;
        ll_query_fini(query);
        l->step = finish;
        if (good)
            ll_leaving_go(l);
        else
            (void)ll_leaving_end(l, true);
        return;
    }
    struct ll_commit *commit = ll_docs_commit_new(&l->host->docs);
    for (uint32_t i = 0; commit != NULL && i < found; i++) {
        (void)ll_rd_list(&rows);
        linli_str subject = ll_rd_bytes(&rows);
        linli_str ids = ll_rd_bytes_or_nil(&rows, &there);
        take_key(l, subject, there ? ids : (linli_str){NULL, 0}, commit);
    }
    ll_query_fini(query);
    if (commit == NULL) {
        (void)ll_leaving_end(l, true);
        return;
    }
    l->keys += found;
    ll_txn_init(&txn, &l->host->docs);
    (void)commit_on(l, &txn, commit);
}

/* Those that went are found no more. */
static bool
keys(struct ll_leaving *l)
{
    ll_buf_clear(&l->after);
    return ask(l, LL_ST_subjects_of, l->space->id, on_keys);
}

/* -- the end -- */

static void
put_leaf(struct ll_leaving *l, struct ll_commit *commit)
{
    struct ll_buf line, data;
    ll_buf_init(&line, &l->host->mem, LL_LEAF_BYTES_MAX);
    ll_buf_init(&data, &l->host->mem, 512);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "documents");
    ll_jw_int(&w, l->documents);
    ll_jw_key(&w, "keys");
    ll_jw_int(&w, l->keys);
    ll_jw_key(&w, "uninstall");
    ll_jw_str(&w, l->id);
    ll_jw_close(&w, '}');
    struct ll_leaf leaf = {.type = LL_LEAF_SHRED,
        .at_ms = l->now_ms,
        .community = l->community->id,
        .actor = l->by,
        .plugin = l->plugin,
        .result = LINLI_STR("done"),
        .data_json = ll_buf_view(&data)};
    ll_leaf_put(&line, &leaf);
    commit->ops.failed = commit->ops.failed || data.failed || line.failed;
    if (!commit->ops.failed)
        ll_commit_leaf(commit, ll_buf_view(&line));
    ll_buf_fini(&line);
    ll_buf_fini(&data);
}

static bool
stop_here(struct ll_leaving *l)
{
    return ll_leaving_end(l, false);
}

/* It is gone: its number in the log is noted, and whoever enables it again
 * begins with nothing. */
static bool
gone(struct ll_leaving *l)
{
    struct ll_txn txn;
    struct ll_uninstall **at = &l->uninstalls->first;
    while (*at != NULL && *at != l->one)
        at = &(*at)->next;
    if (*at != NULL) {
        *at = l->one->next;
        ll_release(&l->host->mem, l->one, sizeof *l->one);
        l->one = NULL;
        if (l->instance != NULL)
            ll_instance_gone(l->instance);
    }
    struct ll_commit *commit = ll_leaving_begin(l, &txn);
    if (commit == NULL)
        return false;
    ll_leaving_text(l, "done", 0);
    l->step = stop_here;
    return ll_leaving_commit(l, &txn, commit);
}

/* What it was enabled with goes in the commit that says that it is done. */
static bool
finish(struct ll_leaving *l)
{
    struct ll_txn txn;
    char id[LL_DOC_ID_BYTES_MAX + 1];
    if (!is_still(l))
        return ll_leaving_end(l, true);
    int n = snprintf(id, sizeof id, "%.*s/%.*s", LL_FMT(l->community->id),
        LL_FMT(l->plugin));
    ll_check(n > 0 && (size_t)n < sizeof id);
    if (!ll_leaving_ask(
            l, ll_directory_host(l->host, LL_DIR_PLUGIN), ll_cstr(id)))
        return false;
    struct ll_commit *commit = ll_leaving_begin(l, &txn);
    if (commit == NULL)
        return false;
    if (l->asked->content != NULL &&
        ll_txn_write(&txn, l->asked, NULL, NULL) != LINLI_OK)
        commit->ops.failed = true;
    put_leaf(l, commit);
    l->done_ms = l->now_ms;
    ll_leaving_text(l, "done", 0);
    l->step = gone;
    return ll_leaving_commit(l, &txn, commit);
}
