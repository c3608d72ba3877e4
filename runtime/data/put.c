/* data/put.c: a transaction with a single write. [loop] */
#include "data/put.h"

#include "data/txn.h"

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
