/* host/directory.c: documents of the runtime's own. [loop] */
#include "host/directory.h"

#include "base/text.h"
#include "host/txn.h"

struct ll_coll *
ll_directory(struct ll_community *community, const char *name)
{
    if (community->space == NULL)
        community->space = ll_docs_space(
            &community->host->docs, community->id, LINLI_STR("~"));
    return community->space == NULL
               ? NULL
               : ll_space_coll(community->space, ll_cstr(name));
}

uint64_t
ll_docs_put_now(
    struct ll_docs *docs, struct ll_doc *doc, linli_str body, int64_t now_ms)
{
    struct ll_json json;
    struct ll_txn txn;
    struct ll_content *content = NULL;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    uint64_t number = 0;
    linli_status status = commit == NULL ? LINLI_E_NOMEM : LINLI_OK;
    ll_json_init(&json, docs->mem);
    ll_txn_init(&txn, docs);
    if (status == LINLI_OK && body.len > 0)
        status = ll_json_parse(&json, body, LL_JSON_DEPTH_MAX, NULL);
    if (status == LINLI_OK && body.len > 0)
        status = ll_content_new(
            doc->coll, ll_json_root(&json), body, now_ms, &content, NULL);
    if (status == LINLI_OK)
        status = ll_txn_write(&txn, doc, content, NULL);
    if (status == LINLI_OK) {
        ll_docs_commit_unwatched(docs, commit);
        number = ll_txn_commit(&txn, commit);
    }
    if (number == 0 && commit != NULL)
        ll_docs_commit_free(docs, commit);
    ll_txn_fini(&txn);
    ll_json_fini(&json);
    return number;
}
