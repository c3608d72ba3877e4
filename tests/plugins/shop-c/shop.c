/* shop.c: ../shop/main.lua in C, over "linli.db/1": it reads, subtracts and
 * writes without a thought of who else is buying. The manifest is the same
 * but for runtime and main; tests/scenario/test_shop.py drives both.
 */
#include <linli/plugin.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 65536
#define FMT(s) (int)(s).len, (s).ptr

static const linli_core *core;
static const linli_db_1 *db;

/* -- text -- */

/* One of two buffers in turn: what the one before says may be part of it. */
__attribute__((format(printf, 1, 2))) static linli_str
text(const char *format, ...)
{
    static char buffers[2][TEXT_BYTES];
    static unsigned turn;
    char *buffer = buffers[turn++ % 2];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(buffer, TEXT_BYTES, format, args);
    va_end(args);
    return (linli_str){buffer, n < 0 || n >= TEXT_BYTES ? 0 : (size_t)n};
}

/* Past a JSON value of compact JSON, or to what ends it. */
static const char *
past_value(const char *p, const char *end)
{
    int depth = 0;
    for (; p < end; p++) {
        if (*p == '"') {
            for (p++; *p != '"'; p++)
                p += *p == '\\';
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if (*p == '}' || *p == ']' || *p == ',') {
            if (depth == 0)
                return p;
            depth -= *p != ',';
        }
    }
    return p;
}

/* The JSON of a member of an object; ptr NULL: there is none. */
static linli_str
member(linli_str object, const char *name)
{
    const char *p = object.ptr + 1, *end = object.ptr + object.len;
    size_t n = strlen(name);
    while (object.len > 2 && p < end) {
        while (*p == ' ' || *p == ',')
            p++;
        const char *value = p + 1;
        while (*value != '"')
            value += *value == '\\' ? 2 : 1;
        int found = (size_t)(value - p - 1) == n && memcmp(p + 1, name, n) == 0;
        for (value++; *value == ':' || *value == ' ';)
            value++;
        p = past_value(value, end);
        if (found)
            return (linli_str){value, (size_t)(p - value)};
    }
    return (linli_str){NULL, 0};
}

static long long
number(linli_str object, const char *name)
{
    linli_str value = member(object, name);
    return value.ptr == NULL ? 0 : strtoll(value.ptr, NULL, 10);
}

/* Without its quotes; the tests' texts have no escapes. */
static linli_str
string(linli_str object, const char *name)
{
    linli_str value = member(object, name);
    return value.len < 2 ? (linli_str){NULL, 0}
                         : (linli_str){value.ptr + 1, value.len - 2};
}

/* A parameter of the query; ptr NULL: it is not there. */
static linli_str
asked(const linli_call *call, const char *name)
{
    const char *p = call->query.ptr, *end = p + call->query.len;
    size_t n = strlen(name);
    while (p < end) {
        const char *stop = memchr(p, '&', (size_t)(end - p));
        if (stop == NULL)
            stop = end;
        if ((size_t)(stop - p) > n && memcmp(p, name, n) == 0 && p[n] == '=')
            return (linli_str){p + n + 1, (size_t)(stop - p) - n - 1};
        p = stop + 1;
    }
    return (linli_str){NULL, 0};
}

/* -- answers -- */

static linli_status
fail(const linli_call *call, linli_str code)
{
    return core->fail(call->ctx, code, LINLI_STR(""));
}

/* The document that a write has stored. */
static linli_status
written(const linli_call *call, int32_t http, linli_status status,
    linli_str document)
{
    return status == LINLI_OK ? core->reply(call->ctx, http, document) : status;
}

/* The document of the path, or 404. */
static linli_status
get(const linli_call *call, linli_str collection)
{
    linli_str document;
    linli_status status =
        db->get(call->ctx, collection, call->params[0].value, &document);
    if (status == LINLI_E_NOT_FOUND)
        return fail(call, LINLI_STR("shop/not-found"));
    return written(call, 200, status, document);
}

/* The body with the path's id. */
static linli_str
with_id(const linli_call *call)
{
    linli_str rest = {call->body.ptr + 1, call->body.len - 1};
    return text("{\"id\":\"%.*s\"%s%.*s", FMT(call->params[0].value),
        rest.len > 1 ? "," : "", FMT(rest));
}

static linli_status
put(const linli_call *call, linli_str collection)
{
    linli_str stored = {NULL, 0};
    linli_status status =
        db->put(call->ctx, collection, with_id(call), &stored);
    return written(call, 200, status, stored);
}

/* -- orders -- */

/* *answered: the call has been refused. */
static linli_status
take(const linli_call *call, linli_str sku, long long qty, int *answered)
{
    linli_str item;
    linli_status status = db->get(call->ctx, LINLI_STR("stock"), sku, &item);
    *answered = 1;
    if (status == LINLI_E_NOT_FOUND)
        return fail(call, LINLI_STR("shop/not-found"));
    if (status != LINLI_OK)
        return status;
    long long stock = number(item, "stock");
    if (stock < qty)
        return core->fail(call->ctx, LINLI_STR("shop/sold-out"), sku);
    *answered = 0;
    return db->put(call->ctx, LINLI_STR("stock"),
        text("{\"id\":\"%.*s\",\"stock\":%lld}", FMT(sku), stock - qty), &item);
}

static linli_status
order_line(const linli_call *call, linli_str sku, long long qty,
    linli_str *order, int *answered)
{
    linli_status status = take(call, sku, qty, answered);
    if (status != LINLI_OK || *answered)
        return status;
    return db->insert(call->ctx, LINLI_STR("order"),
        text("{\"sku\":\"%.*s\",\"qty\":%lld}", FMT(sku), qty), order);
}

static linli_status
order(const linli_call *call)
{
    int answered;
    linli_str stored = {NULL, 0};
    linli_status status = order_line(call, string(call->body, "sku"),
        number(call->body, "qty"), &stored, &answered);
    return answered ? status : written(call, 201, status, stored);
}

/* One of each: both, or neither. */
static linli_status
basket(const linli_call *call)
{
    int answered;
    linli_str stored = {NULL, 0}, second;
    linli_status status =
        order_line(call, string(call->body, "first"), 1, &stored, &answered);
    if (status == LINLI_OK && !answered)
        status = order_line(
            call, string(call->body, "second"), 1, &second, &answered);
    return answered ? status : written(call, 201, status, stored);
}

/* ?sku= ?descending= ?limit= ?cursor= */
static linli_str
query(const linli_call *call)
{
    linli_str sku = asked(call, "sku"), limit = asked(call, "limit"),
              cursor = asked(call, "cursor");
    if (limit.ptr == NULL)
        limit = LINLI_STR("50");
    if (sku.ptr == NULL)
        return text("{\"descending\":%s,\"limit\":%.*s,\"cursor\":\"%.*s\"}",
            asked(call, "descending").ptr != NULL ? "true" : "false",
            FMT(limit), FMT(cursor));
    return text("{\"index\":\"by_sku\",\"eq\":[\"%.*s\"],\"descending\":%s,"
                "\"limit\":%.*s,\"cursor\":\"%.*s\"}",
        FMT(sku), asked(call, "descending").ptr != NULL ? "true" : "false",
        FMT(limit), FMT(cursor));
}

static linli_status
orders(const linli_call *call)
{
    linli_str page = {NULL, 0};
    linli_status status =
        db->list(call->ctx, LINLI_STR("order"), query(call), &page);
    return written(call, 200, status, page);
}

static linli_status
count(const linli_call *call)
{
    int64_t n = 0;
    linli_str sku = asked(call, "sku"), range = LINLI_STR("{}");
    if (sku.ptr != NULL)
        range = text("{\"index\":\"by_sku\",\"eq\":[\"%.*s\"]}", FMT(sku));
    linli_status status = db->count(call->ctx, LINLI_STR("order"), range, &n);
    return written(call, 200, status, text("{\"count\":%lld}", (long long)n));
}

/* -- counters, notes, members -- */

/* Careless: what cannot be read it counts as an order, elsewhere. The runtime
 * does not commit what comes of that (tests/faults/test_disk.py). */
static linli_status
increment(const linli_call *call)
{
    linli_str id = call->params[0].value, stored = LINLI_STR("{}");
    linli_status status = db->get(call->ctx, LINLI_STR("counter"), id, &stored);
    if (status != LINLI_OK && status != LINLI_E_NOT_FOUND) {
        status = db->insert(call->ctx, LINLI_STR("order"),
            LINLI_STR("{\"sku\":\"unread\",\"qty\":1}"), &stored);
        return written(call, 200, status, stored);
    }
    long long value = status == LINLI_OK ? number(stored, "value") + 1 : 1;
    status = db->put(call->ctx, LINLI_STR("counter"),
        text("{\"id\":\"%.*s\",\"value\":%lld}", FMT(id), value), &stored);
    return written(call, 200, status, stored);
}

static linli_status
delete_note(const linli_call *call)
{
    linli_status status =
        db->remove(call->ctx, LINLI_STR("note"), call->params[0].value);
    if (status != LINLI_OK && status != LINLI_E_NOT_FOUND)
        return status;
    return core->reply(call->ctx, 200,
        status == LINLI_OK ? LINLI_STR("{\"deleted\":true}")
                           : LINLI_STR("{\"deleted\":false}"));
}

/* Writes a note, and says no: in one of the two ways. */
static linli_status
note_and_no(const linli_call *call, int stays)
{
    linli_str stored;
    linli_status status = db->insert(call->ctx, LINLI_STR("note"),
        text("{\"id\":\"%.*s\"}", FMT(call->params[0].value)), &stored);
    if (status != LINLI_OK)
        return status;
    if (stays)
        return core->reply(call->ctx, 409, LINLI_STR("{\"said\":\"no\"}"));
    return core->fail(call->ctx, LINLI_STR("shop/no"),
        LINLI_STR("and nothing is left of it"));
}

static linli_status
put_member(const linli_call *call)
{
    linli_str stored = {NULL, 0}, index;
    linli_status status =
        db->put(call->ctx, LINLI_STR("member"), with_id(call), &stored);
    if (status != LINLI_E_CONFLICT)
        return written(call, 200, status, stored);
    status = db->conflict(call->ctx, &index);
    if (status != LINLI_OK)
        return status;
    return core->fail(call->ctx, LINLI_STR("shop/email-taken"),
        text("exists %.*s", FMT(index)));
}

/* -- bookings -- */

static linli_status
overlapping(const linli_call *call, linli_str *found)
{
    return db->overlaps(call->ctx, LINLI_STR("booking"),
        text("{\"index\":\"by_room\",\"eq\":[\"%.*s\"],\"from\":%lld,"
             "\"to\":%lld}",
            FMT(string(call->body, "room")), number(call->body, "from"),
            number(call->body, "to")),
        found);
}

static linli_status
book(const linli_call *call)
{
    linli_str found = {NULL, 0};
    linli_status status = overlapping(call, &found);
    if (status != LINLI_OK)
        return status;
    if (found.len > 2) { /* more than [] */
        linli_str first = {found.ptr + 1, found.len - 2};
        return core->fail(
            call->ctx, LINLI_STR("shop/overlap"), string(first, "id"));
    }
    status = db->insert(call->ctx, LINLI_STR("booking"), call->body, &found);
    return written(call, 201, status, found);
}

static linli_status
search(const linli_call *call)
{
    linli_str found = {NULL, 0};
    linli_status status = overlapping(call, &found);
    return written(call, 200, status, text("{\"items\":%.*s}", FMT(found)));
}

/* -- the plugin's own mistakes, after a write -- */

static linli_status
wrong_query(const linli_call *call, linli_str wish)
{
    linli_str page;
    return db->list(call->ctx, LINLI_STR("order"), wish, &page);
}

static linli_status
wrong_write(const linli_call *call, linli_str collection, linli_str document)
{
    linli_str stored;
    return db->insert(call->ctx, collection, document, &stored);
}

static linli_status
mistake(const linli_call *call, const char *what)
{
    linli_str stored;
    if (strcmp(what, "collection") == 0)
        return db->get(
            call->ctx, LINLI_STR("nothing"), LINLI_STR("x"), &stored);
    if (strcmp(what, "index") == 0)
        return wrong_query(call, LINLI_STR("{\"index\":\"by_nothing\"}"));
    if (strcmp(what, "key") == 0)
        return wrong_write(
            call, LINLI_STR("order"), LINLI_STR("{\"sku\":1.5,\"qty\":1}"));
    if (strcmp(what, "eq") == 0)
        return wrong_query(
            call, LINLI_STR("{\"index\":\"by_sku\",\"eq\":[1.5]}"));
    if (strcmp(what, "empty") == 0)
        return wrong_query(call, LINLI_STR("{\"index\":\"by_sku\",\"eq\":[]}"));
    if (strcmp(what, "document") == 0)
        return wrong_write(call, LINLI_STR("note"),
            text("{\"id\":\"large\",\"text\":\"%01024d\"}", 0));
    if (strcmp(what, "id") == 0)
        return wrong_write(
            call, LINLI_STR("note"), LINLI_STR("{\"id\":\"line\\nbreak\"}"));
    if (strcmp(what, "interval") == 0)
        return wrong_write(call, LINLI_STR("booking"),
            LINLI_STR("{\"room\":\"r\",\"from\":0,\"to\":1001}"));
    return wrong_query(call, LINLI_STR("{\"limit\":101}"));
}

static linli_status
wrong(const linli_call *call)
{
    char what[32];
    linli_str stored, name = call->params[0].value;
    linli_status status = db->put(
        call->ctx, LINLI_STR("note"), LINLI_STR("{\"id\":\"wrong\"}"), &stored);
    if (status != LINLI_OK || name.len >= sizeof what)
        return status;
    memcpy(what, name.ptr, name.len);
    what[name.len] = '\0';
    status = mistake(call, what);
    return written(call, 200, status, LINLI_STR("{}"));
}

/* -- the plugin; routes in the order of plugin.json -- */

static linli_status
call(void *self, const linli_call *call)
{
    (void)self;
    if (call->kind != LINLI_CALL_REQUEST)
        return LINLI_E_UNSUPPORTED;
    switch (call->route) {
    case 0:
        return put(call, LINLI_STR("stock"));
    case 1:
        return get(call, LINLI_STR("stock"));
    case 2:
        return order(call);
    case 3:
        return orders(call);
    case 4:
        return count(call);
    case 5:
        return basket(call);
    case 6:
        return increment(call);
    case 7:
        return get(call, LINLI_STR("counter"));
    case 8:
        return put(call, LINLI_STR("note"));
    case 9:
        return get(call, LINLI_STR("note"));
    case 10:
        return delete_note(call);
    case 11:
        return note_and_no(call, 1);
    case 12:
        return note_and_no(call, 0);
    case 13:
        return put(call, LINLI_STR("visit"));
    case 14:
        return get(call, LINLI_STR("visit"));
    case 15:
        return put_member(call);
    case 16:
        return get(call, LINLI_STR("member"));
    case 17:
        return book(call);
    case 18:
        return search(call);
    case 19:
        return wrong(call);
    default:
        return LINLI_E_UNSUPPORTED;
    }
}

static linli_status
create(const linli_create *create, void **self)
{
    core = create->core;
    db = core->query(create->ctx, LINLI_STR(LINLI_DB_1));
    *self = NULL;
    return LINLI_OK;
}

LINLI_EXPORT const linli_plugin *
linli_plugin_v1(void)
{
    static const linli_str required[] = {LINLI_STR_INIT(LINLI_DB_1)};
    static const linli_plugin plugin = {
        .size = sizeof(plugin),
        .level = LINLI_ABI_LEVEL,
        .draft = LINLI_ABI_DRAFT,
        .id = LINLI_STR_INIT("shop"),
        .version = LINLI_STR_INIT("1.0.0"),
        .required = required,
        .required_count = 1,
        .create = create,
        .call = call,
    };
    return &plugin;
}
