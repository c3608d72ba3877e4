/* data/put.c: from text to a write, and a transaction with a single one.
 * [loop] */
#include "data/put.h"

#include "base/text.h"

static linli_status
no_room(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a document");
}

linli_status
ll_txn_put(struct ll_txn *txn, struct ll_doc *doc, const struct ll_buf *text,
    int64_t now_ms, struct ll_err *err)
{
    struct ll_json *json = &txn->docs->json;
    struct ll_content *content = NULL;
    if (text->failed)
        return no_room(err);
    linli_status status =
        ll_json_parse(json, ll_buf_view(text), LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = ll_content_new(doc->coll, ll_json_root(json),
            ll_buf_view(text), now_ms, &content, err);
    if (status != LINLI_OK)
        return status;
    return ll_txn_write(txn, doc, content, err);
}

linli_status
ll_txn_put_plain(struct ll_txn *txn, struct ll_doc *doc,
    const struct ll_buf *text, const struct ll_plain *plain, struct ll_err *err)
{
    ll_check(doc->coll->indexes == NULL);
    struct ll_content *content =
        text->failed ? NULL
                     : ll_content_plain(doc->coll, ll_buf_view(text),
                           plain->subject, plain->due_ms);
    if (content == NULL)
        return no_room(err);
    return ll_txn_write(txn, doc, content, err);
}

uint64_t
ll_docs_put_in(struct ll_docs *docs, struct ll_doc *doc,
    const struct ll_buf *body, int64_t now_ms, struct ll_commit *commit)
{
    struct ll_txn txn;
    uint64_t number = 0;
    ll_txn_init(&txn, docs);
    linli_status status = body == NULL
                              ? ll_txn_write(&txn, doc, NULL, NULL)
                              : ll_txn_put(&txn, doc, body, now_ms, NULL);
    if (status == LINLI_OK)
        number = ll_txn_commit(&txn, commit);
    ll_txn_fini(&txn);
    return number;
}

uint64_t
ll_docs_put_now(struct ll_docs *docs, struct ll_doc *doc,
    const struct ll_buf *body, int64_t now_ms)
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
