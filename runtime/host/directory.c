/* host/directory.c: documents of the runtime's own. [loop] */
#include "host/directory.h"

#include <stdio.h>

#include "base/text.h"
#include "host/txn.h"

#define PURPOSE_BYTES 512

static struct ll_coll *
coll_of(struct ll_space *space, const char *name)
{
    struct ll_coll *coll =
        space == NULL ? NULL : ll_space_coll(space, ll_cstr(name));
    if (coll != NULL)
        coll->subject = (linli_str)LINLI_STR("subject");
    return coll;
}

struct ll_coll *
ll_directory(struct ll_community *community, const char *name)
{
    if (community->space == NULL)
        community->space = ll_docs_space(
            &community->host->docs, community->id, LINLI_STR("~"));
    return coll_of(community->space, name);
}

struct ll_coll *
ll_directory_host(struct ll_host *host, const char *name)
{
    return coll_of(
        ll_docs_space(&host->docs, LINLI_STR(LL_DIR_HOST), LINLI_STR("~")),
        name);
}

struct ll_coll *
ll_directory_find(struct ll_host *host, linli_str community, const char *name)
{
    struct ll_space *space = host->docs.spaces;
    while (space != NULL && !(ll_str_eq(space->community, community) &&
                                ll_str_is(space->plugin, "~")))
        space = space->next;
    return space == NULL ? NULL : ll_space_find(space, ll_cstr(name));
}

void
ll_directory_subject(struct ll_host *host, linli_str community,
    const char *coll, linli_str id, char out[LL_PID_BYTES])
{
    char purpose[PURPOSE_BYTES];
    unsigned char bytes[LL_PID_BYTES / 2];
    /* No part but the last can hold a ':'. */
    int n = snprintf(purpose, sizeof purpose, "directory:%.*s:%s:%.*s",
        LL_FMT(community), coll, LL_FMT(id));
    ll_check(n > 0 && (size_t)n < sizeof purpose);
    ll_store_secret(host->store, purpose, bytes, sizeof bytes);
    ll_hex(bytes, sizeof bytes, out);
}

uint64_t
ll_docs_put_in(struct ll_docs *docs, struct ll_doc *doc, linli_str body,
    int64_t now_ms, struct ll_commit *commit)
{
    struct ll_json json;
    struct ll_txn txn;
    struct ll_content *content = NULL;
    uint64_t number = 0;
    linli_status status = LINLI_OK;
    ll_json_init(&json, docs->mem);
    ll_txn_init(&txn, docs);
    if (body.len > 0)
        status = ll_json_parse(&json, body, LL_JSON_DEPTH_MAX, NULL);
    if (status == LINLI_OK && body.len > 0)
        status = ll_content_new(
            doc->coll, ll_json_root(&json), body, now_ms, &content, NULL);
    if (status == LINLI_OK)
        status = ll_txn_write(&txn, doc, content, NULL);
    if (status == LINLI_OK)
        number = ll_txn_commit(&txn, commit);
    ll_txn_fini(&txn);
    ll_json_fini(&json);
    return number;
}

uint64_t
ll_docs_put_now(
    struct ll_docs *docs, struct ll_doc *doc, linli_str body, int64_t now_ms)
{
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return 0;
    ll_docs_commit_unwatched(docs, commit);
    uint64_t number = ll_docs_put_in(docs, doc, body, now_ms, commit);
    if (number == 0)
        ll_docs_commit_free(docs, commit);
    return number;
}
