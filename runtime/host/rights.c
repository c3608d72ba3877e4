/* host/rights.c: the requests of a community, and who works on them. [loop] */
#include "host/rights.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "host/directory.h"

static bool
serves(const struct ll_queue *queue)
{
    const struct ll_host *host = queue->host;
    return !host->draining && host->failure.status == LINLI_OK;
}

static bool
start(struct ll_queue *queue, struct ll_doc *doc)
{
    return ll_erase_start(queue->user, doc);
}

linli_status
ll_rights_open(struct ll_community *community, bool make, struct ll_err *err)
{
    struct ll_host *host = community->host;
    if (community->rights != NULL ||
        (!make && ll_directory_find(host, community->id, LL_REQUESTS) == NULL))
        return LINLI_OK;
    struct ll_rights *rights = ll_alloc(&host->mem, sizeof *rights);
    if (rights == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "requests");
    rights->community = community;
    struct ll_coll *coll = ll_directory(community, LL_REQUESTS);
    linli_status status = ll_queue_open(host, coll, &rights->queue, err);
    if (status == LINLI_OK &&
        ll_coll_index(coll, LINLI_STR(LL_REQUESTS_BY),
            LINLI_STR("{\"fields\":[\"resident\"]}")) == NULL) {
        ll_queue_close(&rights->queue);
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "requests");
    }
    if (status != LINLI_OK) {
        ll_release(&host->mem, rights, sizeof *rights);
        return status;
    }
    rights->queue->serves = serves;
    rights->queue->start = start;
    rights->queue->user = rights;
    rights->queue->open_max = LL_REQUESTS_OPEN_MAX;
    community->rights = rights;
    ll_queue_again(rights->queue);
    return LINLI_OK;
}

static void
put_text(struct ll_jw *w, const char *name, linli_str text)
{
    if (text.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

void
ll_request_id(struct ll_community *community,
    const struct ll_requesting *requesting, char id[LL_REQUEST_ID_BYTES])
{
    struct ll_store *store = community->host->store;
    unsigned char secret[LL_SHA256_BYTES], hash[LL_SHA256_BYTES];
    struct ll_buf text;
    ll_store_secret(store, "rights:request", secret, sizeof secret);
    ll_buf_init(&text, &community->host->mem, LL_HTTP_HEADER_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '[');
    ll_jw_str(&w, community->id);
    ll_jw_str(&w, requesting->kind);
    ll_jw_str(&w, requesting->resident);
    ll_jw_str(&w, requesting->by);
    ll_jw_str(&w, requesting->key);
    ll_jw_close(&w, ']');
    ll_hmac_sha256((linli_str){(const char *)secret, sizeof secret},
        ll_buf_view(&text), hash);
    ll_hex(hash, LL_REQUEST_ID_DIGITS / 2, id);
    ll_buf_fini(&text);
}

static bool
anybody_exports(const struct ll_community *community)
{
    for (const struct ll_instance *i = community->instances; i != NULL;
         i = i->next)
        if (i->package != NULL && ll_manifest_complies(i->package->manifest,
                                      LINLI_STR("resident.export")))
            return true;
    return false;
}

void
ll_request_make(struct ll_community *community,
    const struct ll_requesting *requesting, linli_str id, struct ll_buf *text)
{
    struct ll_host *host = community->host;
    char subject[LL_PID_BYTES];
    struct ll_jw w = ll_jw(text);
    ll_directory_subject(host, community->id, LL_REQUESTS, id, subject);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    put_text(&w, "id", id);
    put_text(&w, "subject", ll_cstr(subject));
    put_text(&w, "kind", requesting->kind);
    /* A copy is made as it is fetched; plugins may have something to add. */
    bool copy = ll_str_is(requesting->kind, "export");
    bool asks = copy && anybody_exports(community);
    put_text(&w, "state", ll_cstr(copy && !asks ? "done" : "asked"));
    if (copy && !asks) {
        ll_jw_key(&w, "done_at");
        ll_jw_int(&w, requesting->now_ms);
    }
    put_text(&w, "resident", requesting->resident);
    put_text(&w, "by", requesting->by);
    put_text(&w, "note", requesting->note);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, requesting->now_ms);
    if (asks || ll_str_is(requesting->kind, "erase"))
        ll_queue_write_due(host, &w, requesting->now_ms);
    ll_jw_close(&w, '}');
}

/* -- what a plugin has done -- */

/* One that waits for the request's document. */
struct ll_looking {
    struct ll_looking *next;
    struct ll_wait wait;
    struct ll_rights *rights;
    struct ll_host *host;
    struct ll_doc *doc;
};

static void
drop_looking(struct ll_looking *looking)
{
    struct ll_host *host = looking->host;
    struct ll_looking **at = &looking->rights->looking;
    while (*at != looking)
        at = &(*at)->next;
    *at = looking->next;
    ll_wait_cancel(&looking->wait);
    ll_doc_unref(&looking->doc);
    ll_release(&host->mem, looking, sizeof *looking);
}

static void
look(struct ll_looking *looking)
{
    struct ll_host *host = looking->host;
    struct ll_docs *docs = &host->docs;
    struct ll_doc *doc = looking->doc;
    struct ll_buf text;
    if (!ll_doc_ready(doc, &looking->wait))
        return;
    ll_buf_init(&text, &host->mem, LL_DOC_BYTES_MAX);
    /* In hand: whoever has it looks for itself. */
    bool waits = doc->state == LL_DOC_KNOWN && doc->content != NULL &&
                 doc->owner == NULL && !host->draining &&
                 ll_json_parse(&docs->json, doc->content->body,
                     LL_JSON_DEPTH_MAX, NULL) == LINLI_OK;
    if (waits) {
        struct ll_jw w = ll_jw(&text);
        ll_jw_open(&w, '{');
        LL_JSON_MEMBERS (key, value, ll_json_root(&docs->json)) {
            if (ll_str_is(ll_jv_str(key), "due") ||
                ll_str_is(ll_jv_str(key), "seq"))
                continue;
            ll_jw_key_str(&w, ll_jv_str(key));
            ll_jw_value(&w, value);
        }
        int64_t now_ms = ll_world_wall(host->world).ms;
        ll_queue_write_due(host, &w, now_ms);
        ll_jw_close(&w, '}');
        /* Without memory it is looked at when it is due. */
        if (!text.failed)
            (void)ll_docs_put_now(docs, doc, &text, now_ms);
    }
    ll_buf_fini(&text);
    drop_looking(looking);
}

static void
on_known(struct ll_wait *wait)
{
    look(LL_CONTAINER(wait, struct ll_looking, wait));
}

void
ll_rights_called(struct ll_instance *instance, linli_str id)
{
    struct ll_host *host = instance->host;
    struct ll_community *community = instance->community;
    linli_str rest = id, prefix;
    if (community->rights == NULL || host->draining ||
        !ll_str_split(&rest, '-', &prefix) ||
        (!ll_str_is(prefix, "redact") && !ll_str_is(prefix, "export")) ||
        rest.len != LL_REQUEST_ID_DIGITS)
        return;
    struct ll_looking *looking = ll_alloc(&host->mem, sizeof *looking);
    if (looking == NULL)
        return;
    looking->rights = community->rights;
    looking->host = host;
    looking->wait.ready = on_known;
    looking->doc = ll_docs_get(community->rights->queue->coll, rest);
    if (looking->doc == NULL)
        ll_release(&host->mem, looking, sizeof *looking);
    else {
        looking->next = community->rights->looking;
        community->rights->looking = looking;
        look(looking);
    }
}

void
ll_rights_close(struct ll_community *community)
{
    struct ll_rights *rights = community->rights;
    if (rights == NULL)
        return;
    community->rights = NULL;
    while (rights->looking != NULL)
        drop_looking(rights->looking);
    if (rights->erasing != NULL)
        ll_erase_drop(rights->erasing);
    ll_queue_close(&rights->queue);
    ll_release(&community->host->mem, rights, sizeof *rights);
}
