/* host/db_ops.c: get, insert, put, patch, delete, as plugins call them.
 * [loop] */
#include <string.h>

#include "base/json_patch.h"
#include "base/text.h"
#include "host/call.h"

#define ID_RANDOM_BYTES 12

bool
ll_op_collection(struct ll_call *call, struct ll_op *op, linli_str name)
{
    struct ll_err err;
    op->coll = NULL;
    if (name.len > 0 && name.ptr[0] != '~' &&
        ll_manifest_collection(call->package->manifest, name) != NULL)
        op->coll = ll_space_find(call->instance->space, name);
    if (op->coll != NULL)
        return true;
    (void)ll_fail(&err, LINLI_E_DENIED, "db/undeclared",
        "plugin.json declares no collection \"%.*s\"",
        name.len > 64 ? 64 : LL_FMT(name));
    ll_op_refuse(call, &err);
    return false;
}

static linli_status
check_id(linli_str id, struct ll_err *err)
{
    bool valid = id.len >= 1 && id.len <= LL_DOC_ID_BYTES_MAX;
    for (size_t i = 0; valid && i < id.len; i++)
        valid = (unsigned char)id.ptr[i] >= 0x20 && id.ptr[i] != 0x7f;
    if (valid && ll_utf8_valid(id))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "db/document",
        "an id is a text of 1 to %d bytes without control characters",
        LL_DOC_ID_BYTES_MAX);
}

/* What reading through the transaction gives, or a refusal. */
static bool
read_doc(
    struct ll_call *call, struct ll_op *op, const struct ll_content **content)
{
    struct ll_err err;
    if (ll_txn_read(&call->txn, op->doc, content, &err) == LINLI_OK)
        return true;
    ll_op_refuse(call, &err);
    return false;
}

/* True if what a call reads to change it can be read: it is loaded, and
 * nobody is changing it who began before. */
static bool
wait_doc(struct ll_call *call, struct ll_op *op)
{
    return ll_op_wait_doc(call, op) &&
           ll_doc_turn_take(call, op->doc, &op->wait);
}

/* -- get -- */

static bool
step_get(struct ll_call *call, struct ll_op *op)
{
    const struct ll_content *content;
    if (!wait_doc(call, op))
        return false;
    if (!read_doc(call, op, &content))
        return true;
    ll_buf_clear(&op->text);
    if (content == NULL)
        ll_put_nil(&op->text);
    else
        ll_put_bytes(&op->text, content->body);
    ll_op_answer_text(call);
    return true;
}

/* An id that none can have is one that is not there: nobody is asked. */
static bool
can_be_there(const struct ll_op *op)
{
    struct ll_err err;
    return check_id(op->id, &err) == LINLI_OK;
}

/* Collection and id from the arguments; false: it was refused. */
static bool
take_place(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    linli_str name = ll_rd_bytes(args);
    op->id = ll_rd_bytes(args);
    if (args->bad) {
        ll_op_answer(call, LINLI_E_INVALID);
        return false;
    }
    return ll_op_collection(call, op, name);
}

bool
ll_serve_db_get(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    if (!take_place(call, op, args))
        return false;
    if (!can_be_there(op)) {
        ll_buf_clear(&op->text);
        ll_put_nil(&op->text);
        ll_op_answer_text(call);
        return false;
    }
    op->step = step_get;
    return true;
}

/* -- delete -- */

static bool
step_delete(struct ll_call *call, struct ll_op *op)
{
    const struct ll_content *content;
    struct ll_err err;
    if (!wait_doc(call, op))
        return false;
    if (!read_doc(call, op, &content))
        return true;
    if (content != NULL &&
        ll_txn_write(&call->txn, op->doc, NULL, &err) != LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    ll_buf_clear(&op->text);
    ll_put_bool(&op->text, content != NULL);
    ll_op_answer_text(call);
    return true;
}

bool
ll_serve_db_delete(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    if (!take_place(call, op, args))
        return false;
    if (!can_be_there(op)) {
        ll_buf_clear(&op->text);
        ll_put_bool(&op->text, false);
        ll_op_answer_text(call);
        return false;
    }
    op->step = step_delete;
    return true;
}

/* -- writes: the document is made, then checked, then kept -- */

static void
answer_written(struct ll_call *call, struct ll_op *op)
{
    ll_buf_clear(&op->text);
    ll_put_list(&op->text, 2);
    ll_put_bool(&op->text, true);
    ll_put_bytes(&op->text, op->body);
    ll_op_answer_text(call);
}

static void
answer_no(
    struct ll_call *call, struct ll_op *op, const char *reason, linli_str index)
{
    ll_buf_clear(&op->text);
    ll_put_list(&op->text, 3);
    ll_put_bool(&op->text, false);
    ll_put_bytes(&op->text, ll_cstr(reason));
    ll_put_bytes(&op->text, index);
    ll_op_answer_text(call);
}

linli_status
ll_quota_check(struct ll_call *call, struct ll_err *err)
{
    const struct ll_space *space = call->instance->space;
    const struct ll_config *config = &call->host->config;
    int64_t rows, bytes;
    ll_txn_growth(&call->txn, space, &rows, &bytes);
    bool over = (rows > 0 && space->rows + rows > config->plugin_rows) ||
                (bytes > 0 && space->bytes + bytes > config->plugin_bytes);
    if (!over)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_QUOTA, "db/quota",
        "%lld documents of %lld, %lld bytes of %lld",
        (long long)(space->rows + rows), (long long)config->plugin_rows,
        (long long)(space->bytes + bytes), (long long)config->plugin_bytes);
}

static bool
step_keep(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err;
    struct ll_content *content = op->content;
    op->content = NULL; /* the transaction's, come what may */
    if (ll_txn_write(&call->txn, op->doc, content, &err) != LINLI_OK ||
        ll_quota_check(call, &err) != LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    answer_written(call, op);
    return true;
}

static bool step_unique(struct ll_call *call, struct ll_op *op);

/* The entries with the document's own key: another's, or none? */
static bool
step_unique_found(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err = op->scan.err;
    linli_status status = op->scan.status;
    bool taken = false;
    for (uint32_t i = 0; i < op->scan.count; i++)
        taken = taken || !ll_str_eq(op->scan.items[i].id, op->doc->id);
    ll_scan_fini(&op->scan);
    op->scanning = false;
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
    } else if (taken) {
        answer_no(call, op, "exists", op->unique->name);
    } else {
        op->unique = op->unique->next;
        op->step = step_unique;
    }
    return true;
}

/* Asks each unique index whether another document has the key already. */
static bool
step_unique(struct ll_call *call, struct ll_op *op)
{
    struct ll_buf *next = &call->host->docs.key_bytes;
    for (; op->unique != NULL; op->unique = op->unique->next) {
        linli_str key = ll_content_key(op->content, op->unique);
        if (!op->unique->spec.unique || op->unique->retired || key.ptr == NULL)
            continue;
        ll_scan_init(&op->scan, &call->txn);
        op->scan.coll = op->coll;
        op->scan.ix = op->unique;
        op->scan.limit = 2;
        op->scan.low = key;
        ll_buf_clear(next);
        ll_buf_str(next, key);
        if (ll_tuple_next(next))
            op->scan.high = ll_buf_view(next);
        op->step = step_unique_found;
        ll_op_scan(call, op);
        return false;
    }
    op->step = step_keep;
    return true;
}

/* The body stands in op->body, read into op->json. */
static void
begin_keeping(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err;
    linli_status status = LINLI_OK;
    if ((int64_t)op->body.len > op->coll->doc_bytes)
        status = ll_fail(&err, LINLI_E_LIMIT, "db/document",
            "%.*s: a document of %zu bytes, more than doc_bytes, %lld",
            LL_FMT(op->coll->name), op->body.len,
            (long long)op->coll->doc_bytes);
    if (status == LINLI_OK)
        status = ll_content_new(op->coll, ll_json_root(&op->json), op->body,
            call->now_ms, &op->content, &err);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return;
    }
    op->unique = op->coll->indexes;
    op->step = step_unique;
}

static linli_status
read_body(struct ll_op *op, linli_str text, struct ll_err *err)
{
    linli_status status =
        ll_json_parse(&op->json, text, LL_BODY_DEPTH_MAX, err);
    if (status == LINLI_OK &&
        ll_jv_is(ll_json_root(&op->json), LL_JSON_OBJECT)) {
        op->body = text;
        return LINLI_OK;
    }
    return ll_fail(err, LINLI_E_INVALID, "db/document",
        "%.*s: a document is a JSON object", LL_FMT(op->coll->name));
}

/* -- insert, put -- */

static bool
step_put(struct ll_call *call, struct ll_op *op)
{
    const struct ll_content *content = NULL;
    if (!ll_op_wait_doc(call, op))
        return false;
    if (op->doc->state == LL_DOC_LOST || op->must_be_absent) {
        if (!read_doc(call, op, &content))
            return true;
        if (content != NULL) {
            answer_no(call, op, "exists", LINLI_STR(""));
            return true;
        }
    }
    begin_keeping(call, op);
    return true;
}

/* 24 hexadecimal digits that nobody has had. */
static void
make_id(struct ll_call *call, char out[2 * ID_RANDOM_BYTES + 1])
{
    unsigned char random[ID_RANDOM_BYTES];
    ll_world_random(call->host->world, random, sizeof random);
    ll_hex(random, sizeof random, out);
}

/* {"id":"…", and the rest of `text`, an object. */
static linli_status
add_id(
    struct ll_call *call, struct ll_op *op, linli_str text, struct ll_err *err)
{
    char id[2 * ID_RANDOM_BYTES + 1];
    const char *brace = memchr(text.ptr, '{', text.len);
    size_t at = (size_t)(brace - text.ptr) + 1;
    bool empty = ll_jv_count(ll_json_root(&op->json)) == 0;
    make_id(call, id);
    ll_buf_clear(&op->text);
    ll_buf_printf(&op->text, "{\"id\":\"%s\"%s", id, empty ? "" : ",");
    ll_buf_add(&op->text, text.ptr + at, text.len - at);
    /* op->text is made again for the answer: the body moves to the args. */
    size_t from = op->args.len;
    ll_buf_str(&op->args, ll_buf_view(&op->text));
    if (op->text.failed || op->args.failed)
        return ll_fail(err, LINLI_E_LIMIT, "db/document", "it is too large");
    return read_body(
        op, (linli_str){op->args.ptr + from, op->args.len - from}, err);
}

/* An id is there and is text; an insert may leave it to us. */
static linli_status
settle_id(
    struct ll_call *call, struct ll_op *op, linli_str text, struct ll_err *err)
{
    struct ll_jv id = ll_jv_get(ll_json_root(&op->json), "id");
    if (!ll_jv_there(id) && op->must_be_absent) {
        linli_status status = add_id(call, op, text, err);
        if (status != LINLI_OK)
            return status;
        id = ll_jv_get(ll_json_root(&op->json), "id");
    }
    op->id = ll_jv_str(id);
    return check_id(op->id, err);
}

static bool
serve_write(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct ll_err err;
    linli_str name = ll_rd_bytes(args);
    linli_str text = ll_rd_bytes(args);
    if (args->bad) {
        ll_op_answer(call, LINLI_E_INVALID);
        return false;
    }
    /* Room for an id, so that the slices above do not move. */
    if (!ll_buf_room(&op->args, text.len + 64)) {
        ll_op_answer(call, LINLI_E_LIMIT);
        return false;
    }
    struct ll_rd again = ll_rd(ll_buf_view(&op->args));
    (void)ll_rd_list(&again);
    name = ll_rd_bytes(&again);
    text = ll_rd_bytes(&again);
    if (!ll_op_collection(call, op, name))
        return false;
    linli_status status = read_body(op, text, &err);
    if (status == LINLI_OK)
        status = settle_id(call, op, text, &err);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    op->step = step_put;
    return true;
}

bool
ll_serve_db_insert(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    op->must_be_absent = true;
    return serve_write(call, op, args);
}

bool
ll_serve_db_put(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    op->must_be_absent = false;
    return serve_write(call, op, args);
}

/* -- patch -- */

/* The document with the changes, as text at the end of op->args. */
static linli_status
merge(struct ll_call *call, struct ll_op *op, linli_str target,
    struct ll_err *err)
{
    struct ll_json *before = &call->host->docs.json;
    linli_status status = ll_json_parse(before, target, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = ll_json_parse(&op->json, op->extra, LL_BODY_DEPTH_MAX, err);
    if (status != LINLI_OK ||
        !ll_jv_is(ll_json_root(&op->json), LL_JSON_OBJECT))
        return ll_fail(err, LINLI_E_INVALID, "db/document",
            "%.*s: changes are a JSON object", LL_FMT(op->coll->name));
    ll_buf_clear(&op->text);
    struct ll_jw w = ll_jw(&op->text);
    ll_json_merge(&w, ll_json_root(before), ll_json_root(&op->json));
    size_t from = op->args.len;
    linli_str id = op->id;
    size_t id_at = (size_t)(id.ptr - op->args.ptr);
    ll_buf_str(&op->args, ll_buf_view(&op->text));
    if (op->text.failed || op->args.failed)
        return ll_fail(err, LINLI_E_LIMIT, "db/document", "it is too large");
    op->id.ptr = op->args.ptr + id_at;
    status = read_body(
        op, (linli_str){op->args.ptr + from, op->args.len - from}, err);
    struct ll_jv new_id = ll_jv_get(ll_json_root(&op->json), "id");
    if (status == LINLI_OK && !ll_str_eq(ll_jv_str(new_id), op->doc->id))
        status = ll_fail(err, LINLI_E_INVALID, "db/document",
            "%.*s: an id cannot be changed", LL_FMT(op->coll->name));
    return status;
}

static bool
step_patch(struct ll_call *call, struct ll_op *op)
{
    const struct ll_content *content;
    struct ll_err err;
    if (!wait_doc(call, op))
        return false;
    if (!read_doc(call, op, &content))
        return true;
    if (content == NULL) {
        answer_no(call, op, "not-found", LINLI_STR(""));
        return true;
    }
    if (merge(call, op, content->body, &err) != LINLI_OK)
        ll_op_refuse(call, &err);
    else
        begin_keeping(call, op);
    return true;
}

bool
ll_serve_db_patch(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    if (!take_place(call, op, args))
        return false;
    op->extra = ll_rd_bytes(args);
    if (args->bad) {
        ll_op_answer(call, LINLI_E_INVALID);
        return false;
    }
    if (!can_be_there(op)) {
        answer_no(call, op, "not-found", LINLI_STR(""));
        return false;
    }
    op->step = step_patch;
    return true;
}
