/* host/db_list.c: list, count, overlaps, as plugins call them. [loop] */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/call.h"

#define CURSOR_MAC_BYTES 8
#define CURSOR_BYTES_MAX 8192

/* Members of a query. */
enum member { INDEX, EQ, FROM, TO, LIMIT, CURSOR, DESCENDING, MEMBERS };

static const char *const member_names[MEMBERS] = {
    "index", "eq", "from", "to", "limit", "cursor", "descending"};

/* An operation, and the first members, which mean something there. */
struct asking {
    const char *name;
    uint32_t members;
};

static const struct asking ask_list = {"list", MEMBERS};
static const struct asking ask_count = {"count", LIMIT};
static const struct asking ask_overlaps = {"overlaps", CURSOR};

/* A query as the plugin wrote it. */
struct wish {
    linli_str index, cursor;
    linli_str eq, from, to; /* encoded lists; ptr NULL: not given */
    int64_t from_ms, to_ms; /* of overlaps */
    bool has_from_ms, has_to_ms, has_limit, descending;
    int64_t limit;
};

static linli_status
bad_query(struct ll_err *err, const char *what)
{
    return ll_fail(err, LINLI_E_INVALID, "db/query", "%s", what);
}

static void
take_bound(struct ll_rd *rd, linli_str *values, int64_t *ms, bool *has_ms)
{
    if (ll_rd_peek(rd) == LL_VALUE_INT) {
        *ms = ll_rd_int(rd);
        *has_ms = true;
    } else {
        *values = ll_rd_value(rd);
    }
}

static linli_status
refuse_member(const struct asking *asking, linli_str name, struct ll_err *err)
{
    char names[96];
    size_t n = 0;
    for (uint32_t i = 0; i < asking->members; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s",
            i == 0 ? "" : ", ", member_names[i]);
    return ll_fail(err, LINLI_E_INVALID, "db/query",
        "%s takes no `%.*s`; it takes %s", asking->name,
        name.len > 64 ? 64 : LL_FMT(name), names);
}

static void
take_member(struct ll_rd *args, enum member member, struct wish *wish)
{
    switch (member) {
    case INDEX:
        wish->index = ll_rd_bytes(args);
        break;
    case EQ:
        wish->eq = ll_rd_value(args);
        break;
    case FROM:
        take_bound(args, &wish->from, &wish->from_ms, &wish->has_from_ms);
        break;
    case TO:
        take_bound(args, &wish->to, &wish->to_ms, &wish->has_to_ms);
        break;
    case LIMIT:
        wish->limit = ll_rd_int(args);
        wish->has_limit = true;
        break;
    case CURSOR:
        wish->cursor = ll_rd_bytes(args);
        break;
    case DESCENDING:
        wish->descending = ll_rd_bool(args);
        break;
    case MEMBERS:
        ll_panic(__FILE__, __LINE__, "no member");
    }
}

static linli_status
read_wish(struct ll_rd *args, const struct asking *asking, struct wish *wish,
    struct ll_err *err)
{
    *wish = (struct wish){.limit = LL_LIST_DEFAULT};
    if (ll_rd_peek(args) == LL_VALUE_LIST) /* an empty table of Lua's */
        return ll_rd_list(args) == 0 ? LINLI_OK
                                     : bad_query(err, "a query is a map");
    uint32_t members = ll_rd_map(args);
    for (uint32_t i = 0; i < members && !args->bad; i++) {
        linli_str name = ll_rd_bytes(args);
        uint32_t member = 0;
        while (
            member < asking->members && !ll_str_is(name, member_names[member]))
            member++;
        if (ll_rd_peek(args) == LL_VALUE_NIL)
            (void)ll_rd_value(args);
        else if (member < asking->members)
            take_member(args, (enum member)member, wish);
        else
            return refuse_member(asking, name, err);
    }
    if (args->bad)
        return bad_query(err, "a member of the query has another type");
    if (wish->limit < 1 || wish->limit > LL_LIST_MAX)
        return ll_fail(
            err, LINLI_E_INVALID, "db/query", "limit is 1 to %d", LL_LIST_MAX);
    return LINLI_OK;
}

/* -- keys -- */

static linli_status
put_scalar(struct ll_rd *rd, struct ll_buf *key, struct ll_err *err)
{
    linli_str s;
    switch (ll_rd_peek(rd)) {
    case LL_VALUE_NIL:
        (void)ll_rd_value(rd);
        ll_tuple_null(key);
        return LINLI_OK;
    case LL_VALUE_FALSE:
    case LL_VALUE_TRUE:
        ll_tuple_bool(key, ll_rd_bool(rd));
        return LINLI_OK;
    case LL_VALUE_INT:
        ll_tuple_int(key, ll_rd_int(rd));
        return LINLI_OK;
    case LL_VALUE_BYTES:
        s = ll_rd_bytes(rd);
        if (s.len > LL_KEY_STR_BYTES_MAX)
            break;
        ll_tuple_str(key, s);
        return LINLI_OK;
    default:
        break;
    }
    return ll_fail(err, LINLI_E_INVALID, "db/key",
        "a value in eq, from and to is null, a boolean, an integer or a text "
        "of at most %d bytes",
        LL_KEY_STR_BYTES_MAX);
}

/* Appends the values of an encoded list; returns how many. */
static linli_status
put_values(
    linli_str list, struct ll_buf *key, uint32_t *count, struct ll_err *err)
{
    if (list.ptr == NULL)
        return LINLI_OK;
    struct ll_rd rd = ll_rd(list);
    if (ll_rd_peek(&rd) != LL_VALUE_LIST)
        return bad_query(err, "eq, from and to are lists of values");
    uint32_t n = ll_rd_list(&rd);
    *count += n;
    for (uint32_t i = 0; i < n; i++) {
        linli_status status = put_scalar(&rd, key, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

/* Fields of an index's key. */
static uint32_t
arity(const struct ll_ix *ix)
{
    return ix->spec.field_count + (ix->spec.interval ? 2 : 0);
}

/* The bound `list` after the values of eq into `text`, from `at` on. */
static linli_status
put_bound(const struct ll_ix *ix, const struct wish *wish, linli_str list,
    struct ll_buf *text, struct ll_err *err)
{
    uint32_t count = 0;
    linli_status status = put_values(wish->eq, text, &count, err);
    if (status == LINLI_OK)
        status = put_values(list, text, &count, err);
    if (status == LINLI_OK && count > arity(ix))
        status = ll_fail(err, LINLI_E_INVALID, "db/query",
            "%u values for the index %.*s, which has %u", count,
            LL_FMT(ix->name), arity(ix));
    return status;
}

/* op->low and op->high from eq, from and to; they live in op->text. */
static linli_status
make_bounds(struct ll_op *op, const struct ll_ix *ix, const struct wish *wish,
    struct ll_err *err)
{
    struct ll_buf *text = &op->text;
    ll_buf_clear(text);
    linli_status status = put_bound(ix, wish, wish->from, text, err);
    size_t low_bytes = text->len;
    struct ll_buf high;
    ll_buf_init(&high, text->mem, 65536);
    bool ends = false;
    if (status == LINLI_OK)
        status = put_bound(ix, wish, wish->to, &high, err);
    if (status == LINLI_OK) {
        ends = wish->to.ptr != NULL || ll_tuple_next(&high);
        if (ends)
            ll_buf_str(text, ll_buf_view(&high));
    }
    if (status == LINLI_OK && (text->failed || high.failed))
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a query");
    ll_buf_fini(&high);
    op->low = (linli_str){text->ptr, low_bytes};
    op->high = ends ? (linli_str){text->ptr + low_bytes, text->len - low_bytes}
                    : (linli_str){NULL, 0};
    return status;
}

/* -- cursors: where the page before ended, signed -- */

static uint64_t
cursor_mac(
    const struct ll_call *call, const struct ll_scan *scan, linli_str place)
{
    const struct ll_docs *docs = &call->host->docs;
    uint64_t mac = ll_siphash(docs->cursor_key, place);
    mac = mac * 3 + ll_siphash(docs->cursor_key, scan->low);
    mac = mac * 5 + ll_siphash(docs->cursor_key, scan->high);
    mac = mac * 7 + (uint64_t)scan->coll->id;
    mac = mac * 11 + (scan->ix == NULL ? 0 : (uint64_t)scan->ix->id);
    mac = mac * 2 + scan->descending;
    return ll_siphash(docs->cursor_key, (linli_str){(char *)&mac, sizeof mac});
}

/* base64url of: mac, length of the key (2 bytes), key, id. */
static void
put_cursor(
    const struct ll_call *call, const struct ll_scan *scan, struct ll_buf *out)
{
    const struct ll_scan_item *last = &scan->items[scan->count - 1];
    struct ll_buf place, text;
    uint16_t key_bytes = (uint16_t)last->key.len;
    ll_buf_init(&place, out->mem, CURSOR_BYTES_MAX);
    ll_buf_init(&text, out->mem, 2 * CURSOR_BYTES_MAX);
    ll_buf_add(&place, "\0\0\0\0\0\0\0\0", CURSOR_MAC_BYTES);
    ll_buf_add(&place, &key_bytes, sizeof key_bytes);
    ll_buf_str(&place, last->key);
    ll_buf_str(&place, last->id);
    if (!place.failed) {
        linli_str signed_part = {
            place.ptr + CURSOR_MAC_BYTES, place.len - CURSOR_MAC_BYTES};
        uint64_t mac = cursor_mac(call, scan, signed_part);
        memcpy(place.ptr, &mac, sizeof mac);
        ll_base64url_put(&text, place.ptr, place.len);
    }
    out->failed = out->failed || place.failed || text.failed;
    ll_put_bytes(out, ll_buf_view(&text));
    ll_buf_fini(&place);
    ll_buf_fini(&text);
}

static linli_status
read_cursor(const struct ll_call *call, struct ll_scan *scan, linli_str text,
    struct ll_err *err)
{
    unsigned char bytes[CURSOR_BYTES_MAX];
    size_t n = 0;
    uint64_t mac = 0;
    uint16_t key_bytes = 0;
    bool good = ll_base64url_decode(text, bytes, sizeof bytes, &n) &&
                n > CURSOR_MAC_BYTES + sizeof key_bytes;
    if (good) {
        memcpy(&mac, bytes, sizeof mac);
        memcpy(&key_bytes, bytes + CURSOR_MAC_BYTES, sizeof key_bytes);
        linli_str place = {
            (char *)bytes + CURSOR_MAC_BYTES, n - CURSOR_MAC_BYTES};
        good = cursor_mac(call, scan, place) == mac &&
               place.len >= sizeof key_bytes + key_bytes;
    }
    if (!good)
        return ll_fail(err, LINLI_E_INVALID, "request/cursor",
            "it was not made by this list");
    char *key = (char *)bytes + CURSOR_MAC_BYTES + sizeof key_bytes;
    size_t id_bytes = n - CURSOR_MAC_BYTES - sizeof key_bytes - key_bytes;
    scan->after_key = ll_arena_str(&scan->arena, (linli_str){key, key_bytes});
    scan->after_id =
        ll_arena_str(&scan->arena, (linli_str){key + key_bytes, id_bytes});
    return LINLI_OK;
}

/* -- answers -- */

static bool
scan_failed(struct ll_call *call, struct ll_op *op)
{
    if (op->scan.status == LINLI_OK)
        return false;
    struct ll_err err = op->scan.err;
    ll_op_refuse(call, &err);
    return true;
}

static void
put_items(struct ll_op *op)
{
    ll_put_list(&op->text, op->scan.count);
    for (uint32_t i = 0; i < op->scan.count; i++)
        ll_put_bytes(&op->text, op->scan.items[i].content->body);
}

static bool
step_listed(struct ll_call *call, struct ll_op *op)
{
    if (scan_failed(call, op))
        return true;
    ll_buf_clear(&op->text);
    ll_put_list(&op->text, 2);
    put_items(op);
    if (op->scan.exhausted || op->scan.count == 0)
        ll_put_nil(&op->text);
    else
        put_cursor(call, &op->scan, &op->text);
    ll_op_answer_text(call);
    return true;
}

static bool
step_counted(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err;
    if (scan_failed(call, op))
        return true;
    if (op->scan.total > LL_COUNT_MAX) {
        (void)ll_fail(&err, LINLI_E_LIMIT, "db/limit",
            "there are more than %d to count", LL_COUNT_MAX);
        ll_op_refuse(call, &err);
        return true;
    }
    ll_buf_clear(&op->text);
    ll_put_int(&op->text, op->scan.total);
    ll_op_answer_text(call);
    return true;
}

static bool
step_overlapped(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err;
    if (scan_failed(call, op))
        return true;
    if (op->scan.total > LL_OVERLAPS_MAX) {
        (void)ll_fail(&err, LINLI_E_LIMIT, "db/limit",
            "more than %d intervals overlap: ask for less time",
            LL_OVERLAPS_MAX);
        ll_op_refuse(call, &err);
        return true;
    }
    if (!op->scan.exhausted && op->scan.limit > 1) {
        (void)ll_fail(&err, LINLI_E_LIMIT, "db/limit",
            "the documents that overlap are more than %u bytes: ask for "
            "less time, or keep what is large in another collection",
            LL_LIST_BYTES_MAX);
        ll_op_refuse(call, &err);
        return true;
    }
    ll_buf_clear(&op->text);
    ll_put_list(&op->text, 1);
    put_items(op);
    ll_op_answer_text(call);
    return true;
}

/* -- questions -- */

/* Which index; NULL with LINLI_OK: by id. */
static linli_status
find_index(const struct ll_call *call, const struct ll_op *op, linli_str name,
    struct ll_ix **ix, struct ll_err *err)
{
    *ix = NULL;
    if (name.len == 0)
        return LINLI_OK;
    const struct ll_collection_decl *decl =
        ll_manifest_collection(call->package->manifest, op->coll->name);
    /* What only another version declared is not this one's to ask. */
    if (decl != NULL && ll_manifest_index(decl, name) != NULL)
        *ix = ll_coll_find_index(op->coll, name);
    if (*ix != NULL)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_DENIED, "db/undeclared",
        "%.*s has no index \"%.*s\" in plugin.json", LL_FMT(op->coll->name),
        name.len > 64 ? 64 : LL_FMT(name));
}

static bool
is_empty(linli_str list)
{
    struct ll_rd rd = ll_rd(list);
    return list.ptr != NULL && ll_rd_peek(&rd) == LL_VALUE_LIST &&
           ll_rd_list(&rd) == 0;
}

static linli_status
make_range(struct ll_op *op, const struct ll_ix *ix, const struct wish *wish,
    struct ll_err *err)
{
    op->low = op->high = (linli_str){NULL, 0};
    if (wish->has_from_ms || wish->has_to_ms)
        return bad_query(err, "from and to are lists of values");
    /* Of a variable that is nil Lua makes an empty list: everybody's documents
     * are not what was meant. */
    if (is_empty(wish->eq) || is_empty(wish->from) || is_empty(wish->to))
        return bad_query(err,
            "eq, from and to hold a value or more; leave out what has none");
    if (ix != NULL)
        return make_bounds(op, ix, wish, err);
    if (wish->eq.ptr != NULL || wish->from.ptr != NULL || wish->to.ptr != NULL)
        return bad_query(
            err, "eq, from and to need an index; one on `id` can be declared");
    return LINLI_OK;
}

/* Collection and query; false: it was refused. */
static bool
take_query(struct ll_call *call, const struct asking *asking,
    struct ll_rd *args, struct wish *wish, struct ll_ix **ix)
{
    struct ll_err err;
    struct ll_op *op = &call->op;
    linli_str name = ll_rd_bytes(args);
    if (args->bad) {
        ll_op_answer(call, LINLI_E_INVALID);
        return false;
    }
    if (!ll_op_collection(call, op, name))
        return false;
    linli_status status = read_wish(args, asking, wish, &err);
    if (status == LINLI_OK)
        status = find_index(call, op, wish->index, ix, &err);
    if (status == LINLI_OK)
        return true;
    ll_op_refuse(call, &err);
    return false;
}

static void
prepare_scan(struct ll_call *call, struct ll_op *op, struct ll_ix *ix)
{
    ll_scan_init(&op->scan, &call->txn);
    op->scan.coll = op->coll;
    op->scan.ix = ix;
    op->scan.low = op->low;
    op->scan.high = op->high;
}

bool
ll_serve_db_list(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct ll_ix *ix;
    struct wish wish;
    struct ll_err err;
    if (!take_query(call, &ask_list, args, &wish, &ix))
        return false;
    linli_status status = make_range(op, ix, &wish, &err);
    prepare_scan(call, op, ix);
    op->scan.descending = wish.descending;
    op->scan.limit = (uint32_t)wish.limit;
    op->scan.bytes_max = LL_LIST_BYTES_MAX;
    if (status == LINLI_OK && wish.cursor.len > 0)
        status = read_cursor(call, &op->scan, wish.cursor, &err);
    if (status != LINLI_OK) {
        ll_scan_fini(&op->scan);
        ll_op_refuse(call, &err);
        return false;
    }
    op->step = step_listed;
    ll_op_scan(call, op);
    return false;
}

bool
ll_serve_db_count(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct ll_ix *ix;
    struct wish wish;
    struct ll_err err;
    if (!take_query(call, &ask_count, args, &wish, &ix))
        return false;
    if (make_range(op, ix, &wish, &err) != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    prepare_scan(call, op, ix);
    op->scan.limit = LL_COUNT_MAX + 1;
    op->scan.counting = true;
    op->step = step_counted;
    ll_op_scan(call, op);
    return false;
}

/* The interval's end is the last value of the key. */
static bool
ends_after(const struct ll_scan *scan, linli_str key)
{
    uint64_t bits = 0;
    for (size_t i = key.len - 8; i < key.len; i++)
        bits = bits << 8 | (unsigned char)key.ptr[i];
    return (int64_t)(bits ^ (uint64_t)1 << 63) > scan->than;
}

static linli_status
refuse_values(const struct ll_ix *ix, uint32_t count, struct ll_err *err)
{
    char fields[128] = "";
    size_t n = 0;
    for (uint32_t i = 0; i < ix->spec.field_count && n < sizeof fields; i++)
        n += (size_t)snprintf(fields + n, sizeof fields - n, "%s%.*s",
            i == 0 ? "" : ", ", LL_FMT(ix->spec.fields[i]));
    return ll_fail(err, LINLI_E_INVALID, "db/query",
        "%.*s wants a value for each of its fields (%s) before from and to; "
        "there are %u",
        LL_FMT(ix->name), fields, count);
}

/* [from, to) overlaps the interval [f, t) when f < to and t > from; and f is
 * more than from - longest, for none is longer. */
static linli_status
make_interval(struct ll_op *op, const struct ll_ix *ix, struct wish *wish,
    struct ll_err *err)
{
    int64_t first;
    uint32_t count = 0;
    struct ll_buf *text = &op->text;
    if (ix == NULL || !ix->spec.interval)
        return bad_query(err, "overlaps needs an index with an interval");
    if (wish->has_limit && wish->limit != 1)
        return bad_query(
            err, "the limit of overlaps is 1, or left out for all");
    if (!wish->has_from_ms || !wish->has_to_ms || wish->to_ms <= wish->from_ms)
        return bad_query(err, "from and to are instants, from before to");
    if (__builtin_sub_overflow(wish->from_ms, ix->spec.longest_ms - 1, &first))
        first = INT64_MIN;
    ll_buf_clear(text);
    linli_status status = put_values(wish->eq, text, &count, err);
    if (status != LINLI_OK)
        return status;
    if (count != ix->spec.field_count)
        return refuse_values(ix, count, err);
    ll_tuple_int(text, first);
    size_t low_bytes = text->len;
    (void)put_values(wish->eq, text, &count, err);
    ll_tuple_int(text, wish->to_ms);
    if (text->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a query");
    op->low = (linli_str){text->ptr, low_bytes};
    op->high = (linli_str){text->ptr + low_bytes, text->len - low_bytes};
    return LINLI_OK;
}

bool
ll_serve_db_overlaps(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct ll_ix *ix;
    struct wish wish;
    struct ll_err err;
    if (!take_query(call, &ask_overlaps, args, &wish, &ix))
        return false;
    if (make_interval(op, ix, &wish, &err) != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    prepare_scan(call, op, ix);
    /* One tells whether there is any; more are all of them. */
    op->scan.limit = wish.has_limit ? 1 : LL_OVERLAPS_MAX + 1;
    op->scan.bytes_max = LL_LIST_BYTES_MAX;
    op->scan.wants = ends_after;
    op->scan.than = wish.from_ms;
    op->step = step_overlapped;
    ll_op_scan(call, op);
    return false;
}
