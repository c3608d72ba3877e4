/* worker/native_db.c: "linli.db/1" for native plugins. [worker]
 *
 * Documents and queries are JSON text on both sides. A document passes as it
 * is, since the host reads it strictly anyway; a query becomes the map that
 * the host call takes.
 */
#include "worker/native.h"

#include "base/text.h"

/* A host call of the table, while it is made. */
struct ask {
    struct ll_native *native;
    uint32_t op;
    const char *what; /* "db.insert", in the log */
    linli_status status;
};

static struct ask
begin(uint64_t ctx, uint32_t op, uint32_t count, const char *what)
{
    struct ask ask = {ll_native_bound(), op, what, LINLI_OK};
    ask.status = ll_native_host_begin(ask.native, ctx, count, what);
    return ask;
}

/* Adds an argument, unless one before it was refused. */
static void
put(struct ask *ask, linli_str text)
{
    if (ask->status != LINLI_OK)
        return;
    if (ll_native_bad_slice(text))
        ask->status = ll_native_refuse(
            ask->native, LINLI_E_INVALID, "%s: a text at NULL", ask->what);
    else
        ll_put_bytes(&ask->native->args, text);
}

static void
put_query(struct ask *ask, linli_str query)
{
    struct ll_native *native = ask->native;
    if (ask->status != LINLI_OK)
        return;
    if (query.len == 0)
        query = (linli_str)LINLI_STR("{}");
    /* The list of arguments is a level of its own. */
    ask->status =
        ll_native_parse(native, query, LL_VALUE_DEPTH_MAX - 1, ask->what);
    if (ask->status == LINLI_OK &&
        !ll_jv_is(ll_json_root(&native->json), LL_JSON_OBJECT))
        ask->status = ll_native_refuse(native, LINLI_E_INVALID,
            "%s: the query is no JSON object", ask->what);
    if (ask->status == LINLI_OK)
        ask->status = ll_native_put_json(&native->args, &native->json);
}

/* Sends it; the answer is read from what is returned. */
static struct ll_rd
answer(struct ask *ask)
{
    if (ask->status == LINLI_OK)
        ask->status = ll_native_host_send(ask->native, ask->op, ask->what);
    return ll_rd(ask->status == LINLI_OK ? ll_buf_view(&ask->native->value)
                                         : (linli_str){NULL, 0});
}

static linli_status
unreadable(const struct ask *ask)
{
    return ll_native_refuse(ask->native, LINLI_E_INTERNAL,
        "%s: the host's answer cannot be read", ask->what);
}

static linli_status
db_get(uint64_t ctx, linli_str collection, linli_str id, linli_str *document)
{
    struct ask ask = begin(ctx, LL_NATIVE_db_get, 2, "db.get");
    bool there;
    *document = (linli_str){NULL, 0};
    put(&ask, collection);
    put(&ask, id);
    struct ll_rd rd = answer(&ask);
    if (ask.status != LINLI_OK)
        return ask.status;
    linli_str text = ll_rd_bytes_or_nil(&rd, &there);
    if (!ll_rd_end(&rd))
        return unreadable(&ask);
    if (!there)
        return ll_native_refuse(
            ask.native, LINLI_E_NOT_FOUND, "db.get: no such document");
    return ll_native_keep(ask.native, text, ask.what, document);
}

/* [true, document], or [false, reason, index]. */
static linli_status
written(struct ask *ask, linli_str *stored)
{
    struct ll_native *native = ask->native;
    linli_str index = {NULL, 0};
    struct ll_rd rd = answer(ask);
    if (ask->status != LINLI_OK)
        return ask->status;
    uint32_t count = ll_rd_list(&rd);
    bool done = ll_rd_bool(&rd), there;
    linli_str text = ll_rd_bytes(&rd);
    if (count == 3)
        index = ll_rd_bytes_or_nil(&rd, &there);
    if (!ll_rd_end(&rd))
        return unreadable(ask);
    if (done)
        return ll_native_keep(native, text, ask->what, stored);
    if (ll_str_is(text, "not-found"))
        return ll_native_refuse(
            native, LINLI_E_NOT_FOUND, "%s: no such document", ask->what);
    linli_status s =
        ll_native_keep(native, index, ask->what, &native->conflict);
    if (s != LINLI_OK)
        return s;
    return ll_native_refuse(native, LINLI_E_CONFLICT,
        "%s: another document has the same %.*s", ask->what,
        index.len == 0 ? 2 : (int)index.len, index.len == 0 ? "id" : index.ptr);
}

static linli_status
db_insert(
    uint64_t ctx, linli_str collection, linli_str document, linli_str *stored)
{
    struct ask ask = begin(ctx, LL_NATIVE_db_insert, 2, "db.insert");
    *stored = (linli_str){NULL, 0};
    put(&ask, collection);
    put(&ask, document);
    return written(&ask, stored);
}

static linli_status
db_put(
    uint64_t ctx, linli_str collection, linli_str document, linli_str *stored)
{
    struct ask ask = begin(ctx, LL_NATIVE_db_put, 2, "db.put");
    *stored = (linli_str){NULL, 0};
    put(&ask, collection);
    put(&ask, document);
    return written(&ask, stored);
}

static linli_status
db_patch(uint64_t ctx, linli_str collection, linli_str id, linli_str changes,
    linli_str *stored)
{
    struct ask ask = begin(ctx, LL_NATIVE_db_patch, 3, "db.patch");
    *stored = (linli_str){NULL, 0};
    put(&ask, collection);
    put(&ask, id);
    put(&ask, changes);
    return written(&ask, stored);
}

static linli_status
db_remove(uint64_t ctx, linli_str collection, linli_str id)
{
    struct ask ask = begin(ctx, LL_NATIVE_db_delete, 2, "db.remove");
    put(&ask, collection);
    put(&ask, id);
    struct ll_rd rd = answer(&ask);
    if (ask.status != LINLI_OK)
        return ask.status;
    bool was_there = ll_rd_bool(&rd);
    if (!ll_rd_end(&rd))
        return unreadable(&ask);
    return was_there ? LINLI_OK
                     : ll_native_refuse(ask.native, LINLI_E_NOT_FOUND,
                           "db.remove: no such document");
}

/* Writes the list of documents that follows as a JSON array. */
static void
put_documents(struct ll_buf *text, struct ll_rd *rd)
{
    uint32_t count = ll_rd_list(rd);
    ll_buf_char(text, '[');
    for (uint32_t i = 0; i < count && !rd->bad; i++) {
        if (i > 0)
            ll_buf_char(text, ',');
        ll_buf_str(text, ll_rd_bytes(rd));
    }
    ll_buf_char(text, ']');
}

static linli_status
keep_text(const struct ask *ask, const struct ll_rd *rd, linli_str *out)
{
    if (!ll_rd_end(rd))
        return unreadable(ask);
    if (ask->native->text.failed)
        return ll_native_refuse(ask->native, LINLI_E_LIMIT,
            "%s: the answer is too large", ask->what);
    return ll_native_keep(
        ask->native, ll_buf_view(&ask->native->text), ask->what, out);
}

static linli_status
db_list(uint64_t ctx, linli_str collection, linli_str query, linli_str *page)
{
    struct ask ask = begin(ctx, LL_NATIVE_db_list, 2, "db.list");
    struct ll_buf *text = &ask.native->text;
    bool more;
    *page = (linli_str){NULL, 0};
    put(&ask, collection);
    put_query(&ask, query);
    struct ll_rd rd = answer(&ask);
    if (ask.status != LINLI_OK)
        return ask.status;
    if (ll_rd_list(&rd) != 2)
        return unreadable(&ask);
    ll_buf_clear(text);
    ll_buf_cstr(text, "{\"items\":");
    put_documents(text, &rd);
    linli_str cursor = ll_rd_bytes_or_nil(&rd, &more);
    if (more) {
        struct ll_jw w = ll_jw(text);
        ll_buf_cstr(text, ",\"next_cursor\":");
        ll_jw_str(&w, cursor);
    }
    ll_buf_char(text, '}');
    return keep_text(&ask, &rd, page);
}

static linli_status
db_count(uint64_t ctx, linli_str collection, linli_str query, int64_t *count)
{
    struct ask ask = begin(ctx, LL_NATIVE_db_count, 2, "db.count");
    *count = 0;
    put(&ask, collection);
    put_query(&ask, query);
    struct ll_rd rd = answer(&ask);
    if (ask.status != LINLI_OK)
        return ask.status;
    int64_t found = ll_rd_int(&rd);
    if (!ll_rd_end(&rd))
        return unreadable(&ask);
    *count = found;
    return LINLI_OK;
}

static linli_status
db_overlaps(
    uint64_t ctx, linli_str collection, linli_str query, linli_str *documents)
{
    struct ask ask = begin(ctx, LL_NATIVE_db_overlaps, 2, "db.overlaps");
    *documents = (linli_str){NULL, 0};
    put(&ask, collection);
    put_query(&ask, query);
    struct ll_rd rd = answer(&ask);
    if (ask.status != LINLI_OK)
        return ask.status;
    if (ll_rd_list(&rd) != 1)
        return unreadable(&ask);
    ll_buf_clear(&ask.native->text);
    put_documents(&ask.native->text, &rd);
    return keep_text(&ask, &rd, documents);
}

static linli_status
db_conflict(uint64_t ctx, linli_str *index)
{
    struct ll_native *native = ll_native_bound();
    *index = (linli_str){NULL, 0};
    linli_status s = ll_native_check_call(native, ctx, "db.conflict");
    if (s == LINLI_OK)
        *index = native->conflict;
    return s;
}

const linli_db_1 ll_native_db_1 = {
    .size = sizeof(linli_db_1),
    .get = db_get,
    .insert = db_insert,
    .put = db_put,
    .patch = db_patch,
    .remove = db_remove,
    .list = db_list,
    .count = db_count,
    .overlaps = db_overlaps,
    .conflict = db_conflict,
};
