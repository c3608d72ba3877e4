/* host/kept.c: keys looked up, answers kept. [loop] */
#include "host/kept.h"

#include <stdio.h>

#include "base/text.h"
#include "data/known.h"
#include "data/put.h"
#include "host/release.h"

bool
ll_kept_key_valid(linli_str key)
{
    if (key.len < 1 || key.len > LL_IDEMPOTENCY_KEY_BYTES_MAX)
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] < 0x21 || key.ptr[i] > 0x7e)
            return false;
    return true;
}

static void
hash_hex(linli_str s, char out[2 * LL_SHA256_BYTES + 1])
{
    unsigned char hash[LL_SHA256_BYTES];
    ll_sha256(s.ptr, s.len, hash);
    ll_hex(hash, sizeof hash, out);
}

/* Each part with its length, so that no two requests read alike. */
static void
put_part(struct ll_buf *text, linli_str part)
{
    ll_buf_printf(text, "%zu:", part.len);
    ll_buf_str(text, part);
}

static bool
name_key(
    struct ll_call *call, linli_str key, char hash[2 * LL_SHA256_BYTES + 1])
{
    struct ll_buf *text = &call->scratch;
    ll_buf_clear(text);
    put_part(text, ll_cstr(ll_caller_name(call->identity->kind)));
    put_part(text, call->identity->id);
    put_part(text, call->request->method);
    put_part(text, call->path);
    put_part(text, key);
    hash_hex(ll_buf_view(text), hash);
    bool good = !text->failed;
    ll_buf_clear(text);
    put_part(text, call->request->query);
    put_part(text, call->request->body);
    hash_hex(ll_buf_view(text), call->kept_print);
    good = good && !text->failed;
    ll_buf_clear(text);
    return good;
}

/* Answers as the call did that had this key first. */
static enum ll_step
replay(struct ll_call *call, struct ll_jv kept)
{
    struct ll_response *response = &call->response;
    int64_t status = 500;
    (void)ll_jv_int(ll_jv_get(kept, "status"), &status);
    linli_str etag = ll_jv_str(ll_jv_get(kept, "etag"));
    response->status = (int)status;
    response->body =
        ll_arena_str(&call->arena, ll_jv_str(ll_jv_get(kept, "body")));
    response->content_type =
        response->body.len == 0 ? LINLI_STR("") : LINLI_STR("application/json");
    if (etag.len > 0)
        ll_call_add_header(call, "etag", ll_arena_str(&call->arena, etag));
    (void)snprintf(call->await_id, sizeof call->await_id, "%.*s",
        LL_FMT(ll_jv_str(ll_jv_get(kept, "await"))));
    if (call->arena.failed)
        return ll_call_refuse(call, "runtime/memory", NULL);
    ll_call_add_header(call, "idempotency-replayed", LINLI_STR("true"));
    call->replayed = true;
    call->release = call->kept->number;
    call->seen = call->kept->version; /* its place, of then */
    call->sequenced = true;
    call->state = LL_CALL_COMMIT; /* not before it is durable */
    return LL_STEP_MORE;
}

static enum ll_step
judge(struct ll_call *call)
{
    struct ll_doc *doc = call->kept;
    struct ll_json *json = &call->host->docs.json;
    if (doc->state == LL_DOC_LOST)
        return ll_call_refuse(call, "store/failed", NULL);
    if (doc->owner != NULL && doc->owner != call)
        return ll_call_refuse(call, "request/in-progress", NULL);
    doc->owner = call;
    const struct ll_content *content = doc->content;
    if (content == NULL || content->due_ms <= call->now_ms)
        return LL_STEP_MORE;
    if (ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return ll_call_refuse(call, "runtime/memory", NULL);
    struct ll_jv kept = ll_json_root(json);
    if (!ll_str_is(ll_jv_str(ll_jv_get(kept, "print")), call->kept_print))
        return ll_call_refuse(call, "request/key-reused", NULL);
    if (!ll_releases_hold(call, kept))
        return LL_STEP_MORE;
    return replay(call, kept);
}

/* The document under the key, held; NULL: *step says what to do. */
static struct ll_doc *
find(struct ll_call *call, linli_str key, enum ll_step *step)
{
    char hash[2 * LL_SHA256_BYTES + 1], id[LL_KNOWN_ID_DIGITS + 1];
    struct ll_space *space = call->instance->space;
    struct ll_coll *coll = ll_space_coll(space, LINLI_STR("~idem"));
    struct ll_doc *doc = NULL;
    *step = LL_STEP_WAIT;
    if (coll == NULL || !name_key(call, key, hash)) {
        *step = ll_call_refuse(call, "runtime/memory", NULL);
        return NULL;
    }
    switch (ll_known_find(space, hash, call->now_ms, id, &call->hold)) {
    case LL_KNOWN_NEW:
        doc = ll_docs_make(coll, ll_cstr(id));
        break;
    case LL_KNOWN_MAYBE:
        doc = ll_docs_get(coll, ll_cstr(id));
        break;
    case LL_KNOWN_LATER:
        return NULL;
    case LL_KNOWN_LOST:
        *step = ll_call_refuse(call, "store/failed", NULL);
        return NULL;
    }
    if (doc == NULL)
        *step = ll_call_refuse(call, "runtime/memory", NULL);
    return doc;
}

enum ll_step
ll_kept_look(struct ll_call *call, linli_str key)
{
    enum ll_step step;
    if (call->kept == NULL)
        call->kept = find(call, key, &step);
    if (call->kept == NULL)
        return step;
    if (!ll_doc_ready(call->kept, &call->hold))
        return LL_STEP_WAIT;
    return judge(call);
}

/* As it was sent, or empty. */
static linli_str
etag_of(const struct ll_response *response)
{
    for (uint32_t i = 0; i < response->header_count; i++)
        if (ll_str_is(response->headers[i].name, "etag"))
            return response->headers[i].value;
    return LINLI_STR("");
}

linli_status
ll_kept_write(struct ll_call *call, struct ll_err *err)
{
    const struct ll_response *response = &call->response;
    struct ll_buf *text = &call->scratch;
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "print");
    ll_jw_cstr(&w, call->kept_print);
    ll_jw_key(&w, "status");
    ll_jw_int(&w, response->status);
    ll_jw_key(&w, "etag");
    ll_jw_str(&w, etag_of(response));
    ll_jw_key(&w, "body");
    ll_jw_str(&w, response->body);
    if (call->await_id[0] != '\0') {
        ll_jw_key(&w, "await");
        ll_jw_cstr(&w, call->await_id);
    }
    if (call->pid[0] != '\0') {
        ll_jw_key(&w, "resident");
        ll_jw_cstr(&w, call->pid);
    }
    ll_releases_write(call, &w);
    ll_jw_close(&w, '}');
    int64_t kept_ms = call->package->manifest->payments
                          ? LL_IDEMPOTENCY_KEPT_PAYING_MS
                          : LL_IDEMPOTENCY_KEPT_MS;
    struct ll_plain plain = {
        .subject = ll_cstr(call->pid), .due_ms = call->now_ms + kept_ms};
    return ll_txn_put_plain(&call->txn, call->kept, text, &plain, err);
}

void
ll_kept_release(struct ll_call *call)
{
    struct ll_doc *doc = call->kept;
    if (doc != NULL && doc->owner == call) {
        doc->owner = NULL;
        if (doc->state == LL_DOC_KNOWN && doc->content == NULL)
            ll_known_drop(doc->coll->space, doc->id);
    }
    ll_doc_unref(&call->kept);
}
