/* tests/unit/test_host_calls.c: what a call may ask of the host, and what it
 * is answered, without a worker in between: the text of spec/db.md, at its
 * edges. */
#include <stdlib.h>

#include "host_call.h"
#include "t.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANSWER_BYTES 4096

enum {
#define H(number, name, interface, draft, writes, args, answer) \
    OP_##name = number,
#include "wire/hostcall.def"
#undef H
};

static const char manifest[] =
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
    "\"main\":\"main.lua\",\"routes\":[],\"collections\":{"
    "\"note\":{\"indexes\":{"
    "\"by_a\":{\"fields\":[\"a\",\"b\"]},"
    "\"by_c\":{\"fields\":[\"c\"],\"unique\":true,\"sparse\":true},"
    "\"long\":{\"fields\":[\"l1\",\"l2\",\"l3\",\"l4\",\"l5\",\"l6\",\"l7\","
    "\"l8\"],\"sparse\":true},"
    "\"span\":{\"fields\":[\"room\"],\"interval\":{\"from\":\"from\","
    "\"to\":\"to\",\"longest_ms\":100}}}},"
    "\"small\":{\"doc_bytes\":1024,\"subject\":\"who\"}},"
    "\"events\":{\"publishes\":[\"probe.said\"]},\"alerts\":[\"probe.odd\"],"
    "\"timers\":[\"later\"],"
    "\"meters\":{\"probe.n\":{\"kind\":\"count\",\"unit\":\"n\"}}}";

static struct host_call h;
static struct ll_mem text_mem;
static char answer[ANSWER_BYTES];

static void
open_host(void)
{
    memset(&h, 0, sizeof h);
    ll_mem_init(&text_mem, 0);
    host_call_open(&h, LINLI_STR(manifest));
}

static void
close_host(void)
{
    host_call_close(&h);
    T_INT(text_mem.used_bytes, 0);
}

/* -- what is asked, as JSON; ' in a text stands for " -- */

static void
put_value(struct ll_buf *out, struct ll_jv v)
{
    int64_t i;
    if (ll_jv_is(v, LL_JSON_NULL)) {
        ll_put_nil(out);
    } else if (ll_jv_int(v, &i)) {
        ll_put_int(out, i);
    } else if (ll_jv_is(v, LL_JSON_DOUBLE)) {
        ll_put_double(out, ll_jv_number(v));
    } else if (ll_jv_is(v, LL_JSON_STRING)) {
        size_t from = out->len;
        ll_put_bytes(out, ll_jv_str(v));
        for (size_t at = from + 5; at < out->len; at++)
            if (out->ptr[at] == '\'')
                out->ptr[at] = '"';
    } else if (ll_jv_is(v, LL_JSON_ARRAY)) {
        ll_put_list(out, ll_jv_count(v));
        LL_JSON_EACH (item, v)
            put_value(out, item);
    } else if (ll_jv_is(v, LL_JSON_OBJECT)) {
        ll_put_map(out, ll_jv_count(v));
        LL_JSON_MEMBERS (key, value, v) {
            put_value(out, key);
            put_value(out, value);
        }
    } else {
        ll_put_bool(out, ll_jv_true(v));
    }
}

/* -- what is answered, as text: bytes as they are -- */

static void
show(struct ll_rd *rd, struct ll_buf *out)
{
    uint32_t count;
    switch (ll_rd_peek(rd)) {
    case LL_VALUE_INT:
        ll_buf_printf(out, "%" PRId64, ll_rd_int(rd));
        return;
    case LL_VALUE_BYTES:
        ll_buf_str(out, ll_rd_bytes(rd));
        return;
    case LL_VALUE_FALSE:
    case LL_VALUE_TRUE:
        ll_buf_printf(out, "%s", ll_rd_bool(rd) ? "true" : "false");
        return;
    case LL_VALUE_LIST:
        count = ll_rd_list(rd);
        ll_buf_char(out, '[');
        for (uint32_t i = 0; i < count; i++) {
            if (i > 0)
                ll_buf_char(out, ' ');
            show(rd, out);
        }
        ll_buf_char(out, ']');
        return;
    default:
        (void)ll_rd_value(rd);
        ll_buf_printf(out, "nil");
    }
}

/* Asks; the answer, or the code of a refusal. */
static const char *
ask(uint32_t op, const char *json)
{
    struct ll_json read;
    struct ll_buf args, out;
    ll_json_init(&read, &text_mem);
    ll_buf_init(&args, &text_mem, 2 << 20);
    ll_buf_init(&out, &text_mem, 2 << 20);
    T_INT(ll_json_parse(&read, ll_cstr(json), 32, NULL), LINLI_OK);
    put_value(&args, ll_json_root(&read));
    linli_status status = host_call(&h, op, ll_buf_view(&args));
    if (status != LINLI_OK) {
        T_INT(ll_rd_list(&h.value), 2);
        ll_buf_str(&out, ll_rd_bytes(&h.value));
    } else {
        show(&h.value, &out);
    }
    ll_buf_char(&out, '\0');
    snprintf(answer, sizeof answer, "%s", out.ptr);
    ll_json_fini(&read);
    ll_buf_fini(&args);
    ll_buf_fini(&out);
    return answer;
}

#define T_ASK(op, json, want) T_STR(ll_cstr(ask((op), (json))), (want))

/* -- documents: D2 -- */

T_CASE(ids)
{
    open_host();
    static const char *const bad[] = {"''", "7", "null", "'\\u0000'",
        "'a\\u001f'", "'\\u007f'", "['x']", "true"};
    char json[256];
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(json, sizeof json, "[\"note\",\"{'id':%s}\"]", bad[i]);
        for (char *c = json; (c = strstr(c, "\\u")) != NULL; c += 3) {
            memmove(c + 1, c, strlen(c) + 1); /* escaped once more */
            *c = '\\';
        }
        T_ASK(OP_db_put, json, "db/document");
        T_ASK(OP_db_insert, json, "db/document");
    }
    T_ASK(OP_db_put, "[\"note\",\"{}\"]", "db/document");
    T_ASK(OP_db_put, "[\"note\",\"[]\"]", "db/document");
    T_ASK(OP_db_put, "[\"note\",\"\"]", "db/document");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'x'}x\"]", "db/document");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'x','id':'y'}\"]", "db/document");
    T_ASK(OP_db_put, "[\"nosuch\",\"{'id':'x'}\"]", "db/undeclared");
    T_ASK(OP_db_put, "[\"~work\",\"{'id':'x'}\"]", "db/undeclared");
    T_ASK(OP_db_put, "[\"\",\"{'id':'x'}\"]", "db/undeclared");
    snprintf(json, sizeof json, "[\"note\",\"{'id':'%0128d'}\"]", 0);
    (void)ask(OP_db_put, json);
    T_OK(strncmp(answer, "[true {", 7) == 0);
    snprintf(json, sizeof json, "[\"note\",\"{'id':'%0129d'}\"]", 0);
    T_ASK(OP_db_put, json, "db/document");
    (void)ask(OP_db_insert, "[\"note\",\" { 'a' : 1 }\"]");
    T_OK(strncmp(answer, "[true {\"id\":\"", 13) == 0);
    T_INT(strlen(answer), strlen("[true {\"id\":\"\", \"a\" : 1 }]") + 24);
    (void)ask(OP_db_insert, "[\"note\",\"{}\"]");
    T_INT(strlen(answer), strlen("[true {\"id\":\"\"}]") + 24);
    close_host();
}

/* An id that none can have is one that is not there. */
T_CASE(ids_that_none_can_have)
{
    static char json[80000];
    static const char *const ids[] = {
        "\"\"", "\"a\\u0000b\"", "\"\\u007f\"", NULL};
    open_host();
    for (int i = 0; i <= 3; i++) {
        char id[70000] = "";
        if (i < 3)
            snprintf(id, sizeof id, "%s", ids[i]);
        else
            snprintf(id, sizeof id, "\"%068000d\"", 0);
        snprintf(json, sizeof json, "[\"note\",%s]", id);
        T_ASK(OP_db_get, json, "nil");
        T_ASK(OP_db_delete, json, "false");
        snprintf(json, sizeof json, "[\"note\",%s,\"{'a':1}\"]", id);
        T_ASK(OP_db_patch, json, "[false not-found ]");
    }
    T_INT(h.host.docs.doc_count, 0); /* nobody was asked */
    close_host();
}

T_CASE(depth_and_size)
{
    char json[4096];
    open_host();
    /* 16 deep: the document and fifteen lists in it. */
    snprintf(json, sizeof json,
        "[\"note\",\"{'id':'x','a':null,'d':%.15s%.15s}"
        "\"]",
        "[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]");
    (void)ask(OP_db_put, json);
    T_OK(strncmp(answer, "[true", 5) == 0);
    snprintf(json, sizeof json,
        "[\"note\",\"{'id':'x','a':null,'d':%.16s%.16s}"
        "\"]",
        "[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]");
    T_ASK(OP_db_put, json, "db/document");
    /* A patch may not make it deeper either. */
    snprintf(json, sizeof json, "[\"note\",\"x\",\"{'e':%.16s%.16s}\"]",
        "[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]");
    T_ASK(OP_db_patch, json, "db/document");
    snprintf(json, sizeof json, "[\"small\",\"{'id':'x','p':'%01007d'}\"]", 0);
    T_INT(strlen(json) - strlen("[\"small\",\"\"]"), 1024);
    (void)ask(OP_db_put, json);
    T_OK(strncmp(answer, "[true", 5) == 0);
    T_ASK(OP_db_patch, "[\"small\",\"x\",\"{'q':1}\"]", "db/document");
    snprintf(json, sizeof json, "[\"small\",\"{'id':'x','p':'%01008d'}\"]", 0);
    T_ASK(OP_db_put, json, "db/document");
    T_ASK(OP_db_put, "[\"small\",\"{'id':'x','who':'wang'}\"]", "db/document");
    close_host();
}

/* -- operations: section 3 -- */

T_CASE(insert_put_patch_delete)
{
    open_host();
    T_ASK(OP_db_get, "[\"note\",\"x\"]", "nil");
    T_ASK(OP_db_delete, "[\"note\",\"x\"]", "false");
    T_ASK(OP_db_patch, "[\"note\",\"x\",\"{}\"]", "[false not-found ]");
    T_ASK(OP_db_insert, "[\"note\",\"{'id':'x','a':1}\"]",
        "[true {\"id\":\"x\",\"a\":1}]");
    T_ASK(OP_db_insert, "[\"note\",\"{'id':'x'}\"]", "[false exists ]");
    T_ASK(OP_db_patch, "[\"note\",\"x\",\"{'a':null,'e':{'c':null,'d':2}}\"]",
        "[true {\"id\":\"x\",\"e\":{\"d\":2}}]");
    T_ASK(OP_db_patch, "[\"note\",\"x\",\"{'id':'y'}\"]", "db/document");
    T_ASK(OP_db_patch, "[\"note\",\"x\",\"{'id':null}\"]", "db/document");
    T_ASK(OP_db_patch, "[\"note\",\"x\",\"7\"]", "db/document");
    T_ASK(OP_db_patch, "[\"note\",\"x\",\"{'id':'x'}\"]",
        "[true {\"id\":\"x\",\"e\":{\"d\":2}}]");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'x'}\"]", "[true {\"id\":\"x\"}]");
    T_ASK(OP_db_delete, "[\"note\",\"x\"]", "true");
    T_ASK(OP_db_delete, "[\"note\",\"x\"]", "false");
    T_ASK(OP_db_insert, "[\"note\",\"{'id':'x'}\"]", "[true {\"id\":\"x\"}]");
    T_INT(h.instance.space->rows, 0); /* it has not committed */
    T_OK(host_call_commit(&h) != 0);
    T_INT(h.instance.space->rows, 1);
    close_host();
}

T_CASE(unique_keys)
{
    open_host();
    T_ASK(OP_db_put, "[\"note\",\"{'id':'x','c':1}\"]",
        "[true {\"id\":\"x\",\"c\":1}]");
    T_OK(host_call_commit(&h) != 0);
    T_ASK(
        OP_db_insert, "[\"note\",\"{'id':'y','c':1}\"]", "[false exists by_c]");
    T_ASK(OP_db_get, "[\"note\",\"y\"]", "nil");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'x','c':1,'n':2}\"]",
        "[true {\"id\":\"x\",\"c\":1,\"n\":2}]"); /* its own */
    T_ASK(OP_db_put, "[\"note\",\"{'id':'y'}\"]", "[true {\"id\":\"y\"}]");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'z','c':null}\"]",
        "[true {\"id\":\"z\",\"c\":null}]"); /* sparse */
    T_ASK(OP_db_patch, "[\"note\",\"y\",\"{'c':1}\"]", "[false exists by_c]");
    T_ASK(OP_db_get, "[\"note\",\"y\"]", "{\"id\":\"y\"}"); /* as it was */
    T_ASK(OP_db_put, "[\"note\",\"{'id':'x','c':2}\"]",
        "[true {\"id\":\"x\",\"c\":2}]");
    T_ASK(OP_db_patch, "[\"note\",\"y\",\"{'c':1}\"]",
        "[true {\"id\":\"y\",\"c\":1}]"); /* it is free now */
    T_ASK(OP_db_delete, "[\"note\",\"y\"]", "true");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'z','c':1}\"]",
        "[true {\"id\":\"z\",\"c\":1}]");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'w','c':'1'}\"]",
        "[true {\"id\":\"w\",\"c\":\"1\"}]"); /* a text is no number */
    T_ASK(OP_db_put, "[\"note\",\"{'id':'v','c':1.0}\"]", "db/key");
    close_host();
}

/* -- queries: D10 -- */

static void
put_notes(void)
{
    T_ASK(OP_db_put, "[\"note\",\"{'id':'p','a':1,'b':1}\"]",
        "[true {\"id\":\"p\",\"a\":1,\"b\":1}]");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'q','a':1,'b':2}\"]",
        "[true {\"id\":\"q\",\"a\":1,\"b\":2}]");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'r','a':2,'b':1}\"]",
        "[true {\"id\":\"r\",\"a\":2,\"b\":1}]");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'s'}\"]", "[true {\"id\":\"s\"}]");
}

/* How many documents a query finds, or its refusal. */
#define T_COUNT(query, want) \
    T_STR(ll_cstr(ask(OP_db_count, "[\"note\"," query "]")), (want))

T_CASE(bounds_of_queries)
{
    open_host();
    put_notes();
    for (int committed = 0; committed < 2; committed++) {
        T_COUNT("{}", "4");
        T_COUNT("[]", "4"); /* an empty table of Lua's */
        T_COUNT("{\"index\":\"\"}", "4");
        T_COUNT("{\"index\":null}", "4");
        T_COUNT("{\"index\":\"by_a\"}", "4");
        T_COUNT("{\"index\":\"by_a\",\"eq\":[]}", "db/query");
        T_COUNT("{\"index\":\"by_a\",\"eq\":[1]}", "2");
        T_COUNT("{\"index\":\"by_a\",\"eq\":[1,2]}", "1");
        T_COUNT("{\"index\":\"by_a\",\"eq\":[null]}", "1");
        T_COUNT("{\"index\":\"by_a\",\"eq\":[null,null]}", "1");
        T_COUNT("{\"index\":\"by_a\",\"eq\":[\"1\"]}", "0");
        T_COUNT("{\"index\":\"by_a\",\"from\":[1]}", "3");
        T_COUNT("{\"index\":\"by_a\",\"to\":[1]}", "1");
        T_COUNT("{\"index\":\"by_a\",\"from\":[1],\"to\":[2]}", "2");
        T_COUNT("{\"index\":\"by_a\",\"from\":[1,2],\"to\":[2,1]}", "1");
        T_COUNT("{\"index\":\"by_a\",\"from\":[2],\"to\":[1]}", "0");
        T_COUNT("{\"index\":\"by_a\",\"eq\":[1],\"from\":[2]}", "1");
        T_COUNT("{\"index\":\"by_a\",\"eq\":[1],\"to\":[2]}", "1");
        T_COUNT("{\"index\":\"by_a\",\"from\":[]}", "db/query");
        T_COUNT("{\"index\":\"by_a\",\"to\":[]}", "db/query");
        T_COUNT("{\"index\":\"by_a\",\"eq\":[1],\"to\":[]}", "db/query");
        T_COUNT("{\"index\":\"by_c\"}", "0"); /* sparse */
        if (committed == 0)
            T_OK(host_call_commit(&h) != 0);
    }
    close_host();
}

T_CASE(queries_that_are_none)
{
    static const struct {
        const char *query, *code;
    } rows[] = {
        {"7", "db/query"},
        {"[1]", "db/query"},
        {"{\"nosuch\":1}", "db/query"},
        {"{\"limit\":0}", "db/query"},
        {"{\"limit\":101}", "db/query"},
        {"{\"limit\":-9223372036854775808}", "db/query"},
        {"{\"limit\":\"1\"}", "db/query"},
        {"{\"limit\":1.5}", "db/query"},
        {"{\"descending\":1}", "db/query"},
        {"{\"index\":1}", "db/query"},
        {"{\"index\":\"nosuch\"}", "db/undeclared"},
        {"{\"eq\":[1]}", "db/query"},
        {"{\"from\":[\"x\"]}", "db/query"},
        {"{\"to\":[\"x\"]}", "db/query"},
        {"{\"index\":\"by_a\",\"eq\":1}", "db/query"},
        {"{\"index\":\"by_a\",\"eq\":{}}", "db/query"},
        {"{\"index\":\"by_a\",\"from\":1}", "db/query"},
        {"{\"index\":\"by_a\",\"to\":1}", "db/query"},
        {"{\"index\":\"by_a\",\"from\":{}}", "db/query"},
        {"{\"index\":\"by_a\",\"eq\":[1,2,3]}", "db/query"},
        {"{\"index\":\"by_a\",\"eq\":[1],\"from\":[1,2]}", "db/query"},
        {"{\"index\":\"by_a\",\"eq\":[1],\"to\":[1,2]}", "db/query"},
        {"{\"index\":\"by_a\",\"eq\":[1.5]}", "db/key"},
        {"{\"index\":\"by_a\",\"eq\":[[]]}", "db/key"},
        {"{\"index\":\"by_a\",\"from\":[{}]}", "db/key"},
        {"{\"cursor\":\"AAAA\"}", "request/cursor"},
        {"{\"cursor\":\"not base64\"}", "request/cursor"},
        {"{\"cursor\":7}", "db/query"},
    };
    char json[256];
    open_host();
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(json, sizeof json, "[\"note\",%s]", rows[i].query);
        T_ASK(OP_db_list, json, rows[i].code);
        if (strcmp(answer, rows[i].code) != 0)
            printf("# %s\n", rows[i].query);
    }
    close_host();
}

/* A text of 256 bytes has its key, one of 257 has none. */
T_CASE(long_values)
{
    char json[512];
    open_host();
    for (int n = 256; n <= 257; n++) {
        bool fits = n == 256;
        snprintf(
            json, sizeof json, "[\"note\",\"{'id':'x','a':'%0*d'}\"]", n, 0);
        (void)ask(OP_db_put, json);
        T_OK(fits ? strncmp(answer, "[true", 5) == 0
                  : strcmp(answer, "db/key") == 0);
        snprintf(json, sizeof json,
            "[\"note\",{\"index\":\"by_a\",\"eq\":[\"%0*d\"]}]", n, 0);
        T_ASK(OP_db_count, json, fits ? "1" : "db/key");
    }
    close_host();
}

/* -- cursors: D11 -- */

/* A page of one; its cursor into `cursor`. */
static void
page(const char *collection, const char *more, char cursor[512])
{
    char json[1024];
    snprintf(json, sizeof json, "[\"%s\",{\"limit\":1%s}]", collection, more);
    (void)ask(OP_db_list, json);
    const char *at = strrchr(answer, ' ');
    T_OK(at != NULL && strncmp(answer, "[[", 2) == 0);
    snprintf(cursor, 512, "%s", at == NULL ? "" : at + 1);
    cursor[strcspn(cursor, "]")] = '\0';
}

T_CASE(cursors_go_on)
{
    char cursor[512], more[1024];
    open_host();
    put_notes();
    T_OK(host_call_commit(&h) != 0);
    page("note", "", cursor);
    T_OK(strncmp(answer, "[[{\"id\":\"p\"", 11) == 0);
    /* The one it ended with goes, and one comes just behind it. */
    T_ASK(OP_db_delete, "[\"note\",\"p\"]", "true");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'p0'}\"]", "[true {\"id\":\"p0\"}]");
    T_OK(host_call_commit(&h) != 0);
    snprintf(more, sizeof more, ",\"cursor\":\"%s\"", cursor);
    page("note", more, cursor);
    T_OK(strncmp(answer, "[[{\"id\":\"p0\"", 12) == 0);
    snprintf(more, sizeof more, ",\"cursor\":\"%s\"", cursor);
    page("note", more, cursor);
    T_OK(strncmp(answer, "[[{\"id\":\"q\"", 11) == 0);
    /* Down an index, among those with one key. */
    T_ASK(OP_db_put, "[\"note\",\"{'id':'t','a':1,'b':2}\"]",
        "[true {\"id\":\"t\",\"a\":1,\"b\":2}]");
    static const char down[] =
        ",\"index\":\"by_a\",\"eq\":[1],\"descending\":true";
    page("note", down, cursor);
    T_OK(strncmp(answer, "[[{\"id\":\"t\"", 11) == 0);
    snprintf(more, sizeof more, "%s,\"cursor\":\"%s\"", down, cursor);
    page("note", more, cursor);
    T_OK(strncmp(answer, "[[{\"id\":\"q\"", 11) == 0);
    T_STR(ll_cstr(cursor), "nil"); /* that was the last */
    close_host();
}

T_CASE(cursors_of_others)
{
    static const char *const lists[] = {"", ",\"descending\":true",
        ",\"index\":\"by_a\"", ",\"index\":\"by_a\",\"descending\":true",
        ",\"index\":\"by_a\",\"eq\":[1]",
        ",\"index\":\"by_a\",\"eq\":[1],\"from\":[1]",
        ",\"index\":\"by_a\",\"eq\":[1],\"to\":[9]",
        ",\"index\":\"by_a\",\"from\":[1]", ",\"index\":\"by_c\""};
    char cursor[512], json[1024];
    open_host();
    put_notes();
    T_ASK(OP_db_put, "[\"note\",\"{'id':'t','c':2}\"]",
        "[true {\"id\":\"t\",\"c\":2}]");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'u','c':3}\"]",
        "[true {\"id\":\"u\",\"c\":3}]");
    T_OK(host_call_commit(&h) != 0);
    for (size_t i = 0; i < COUNT(lists); i++) {
        page("note", lists[i], cursor);
        T_OK(strcmp(cursor, "nil") != 0);
        for (size_t k = 0; k < COUNT(lists); k++) {
            snprintf(json, sizeof json, "[\"note\",{\"cursor\":\"%s\"%s}]",
                cursor, lists[k]);
            (void)ask(OP_db_list, json);
            T_OK((strcmp(answer, "request/cursor") == 0) == (i != k));
        }
        snprintf(json, sizeof json, "[\"small\",{\"cursor\":\"%s\"}]", cursor);
        T_ASK(OP_db_list, json, "request/cursor");
        cursor[strlen(cursor) / 2] ^= 1;
        snprintf(json, sizeof json, "[\"note\",{\"cursor\":\"%s\"%s}]", cursor,
            lists[i]);
        T_ASK(OP_db_list, json, "request/cursor");
    }
    close_host();
}

/* -- many documents -- */

/* `count` documents in one commit, without a host call for each. */
static void
put_many(const char *format, int from, int count)
{
    struct ll_coll *coll = ll_space_find(h.instance.space, LINLI_STR("note"));
    struct ll_json json;
    struct ll_err err;
    ll_json_init(&json, &text_mem);
    for (int i = from; i < from + count; i++) {
        static char text[4096];
        char id[16];
        struct ll_content *content = NULL;
        snprintf(id, sizeof id, "%05d", i);
        snprintf(text, sizeof text, format, i, i, i + 10);
        struct ll_doc *doc = ll_docs_make(coll, ll_cstr(id));
        bool good = ll_json_parse(&json, ll_cstr(text), 16, &err) == LINLI_OK &&
                    ll_content_new(coll, ll_json_root(&json), ll_cstr(text), 0,
                        &content, &err) == LINLI_OK &&
                    ll_txn_write(&h.call.txn, doc, content, &err) == LINLI_OK;
        if (!good)
            T_STR(ll_cstr(err.msg), "");
        ll_doc_unref(&doc);
        if (i % 500 == 499)
            (void)host_call_commit(&h);
    }
    (void)host_call_commit(&h);
    ll_json_fini(&json);
    host_call_settle(&h);
}

T_CASE(counts_up_to_a_bound)
{
    open_host();
    put_many("{\"id\":\"%05d\",\"a\":%d,\"b\":%d}", 0, LL_COUNT_MAX);
    T_COUNT("{}", "10000");
    T_COUNT("{\"index\":\"by_a\"}", "10000");
    T_COUNT("{\"index\":\"by_a\",\"descending\":true}", "db/query");
    T_COUNT("{\"limit\":1}", "db/query");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'x'}\"]", "[true {\"id\":\"x\"}]");
    T_COUNT("{}", "db/limit");
    T_COUNT("{\"index\":\"by_a\"}", "db/limit");
    T_COUNT("{\"index\":\"by_a\",\"from\":[0]}", "10000");
    close_host();
}

/* Keys as long as there are: 2 KiB each, 20 MiB of them. */
T_CASE(counts_long_keys)
{
    static char format[4096];
    int at = snprintf(format, sizeof format, "{\"id\":\"%%05d\"");
    for (int i = 1; i <= 8; i++)
        at += snprintf(format + at, sizeof format - (size_t)at,
            ",\"l%d\":\"%0250d%s\"", i, 0, i == 8 ? "%05d" : "");
    (void)snprintf(format + at, sizeof format - (size_t)at, "}");
    open_host();
    put_many(format, 0, LL_COUNT_MAX);
    T_COUNT("{\"index\":\"long\"}", "10000");
    close_host();
}

#define ROOM "\"room\":1,\"from\":-10,\"to\":60}"
#define LEFT "\"room\":1,\"from\":0,\"to\":50}"

/* A thousand that overlap, among others that do not. */
T_CASE(overlaps_up_to_a_bound)
{
    static const char all[] =
        "[\"note\",{\"index\":\"span\",\"eq\":[1],\"from\":50,\"to\":89}]";
    open_host();
    put_many("{\"id\":\"%05d\"," LEFT, 0, 50);
    T_ASK(OP_db_overlaps, all, "[[]]");
    put_many("{\"id\":\"%05d\"," ROOM, 50, 1);
    T_ASK(OP_db_overlaps, all, "[[{\"id\":\"00050\"," ROOM "]]");
    put_many("{\"id\":\"%05d\"," ROOM, 51, LL_OVERLAPS_MAX - 1);
    (void)ask(OP_db_overlaps, all);
    T_OK(strncmp(answer, "[[{", 3) == 0);
    put_many("{\"id\":\"%05d\"," ROOM, 50 + LL_OVERLAPS_MAX, 1);
    T_ASK(OP_db_overlaps, all, "db/limit");
    T_ASK(OP_db_overlaps,
        "[\"note\",{\"index\":\"span\",\"eq\":[1],\"from\":50,"
        "\"to\":89,\"limit\":1}]",
        "[[{\"id\":\"00050\"," ROOM "]]");
    close_host();
}

T_CASE(overlaps_that_fit_no_frame)
{
    static char format[4096];
    (void)snprintf(format, sizeof format,
        "{\"id\":\"%%05d\",\"room\":1,\"from\":1,\"to\":9,\"p\":\"%03000d\"}",
        0);
    open_host();
    put_many(format, 0, 400);
    T_ASK(OP_db_overlaps,
        "[\"note\",{\"index\":\"span\",\"eq\":[1],\"from\":5,\"to\":6}]",
        "db/limit");
    linli_str said = ll_rd_bytes(&h.value);
    T_OK(said.len > 0 && memmem(said.ptr, said.len, "1000", 4) == NULL);
    close_host();
}

T_CASE(overlaps_that_are_none)
{
    static const struct {
        const char *query, *code;
    } rows[] = {
        {"{}", "db/query"},
        {"{\"index\":\"by_a\",\"from\":1,\"to\":2}", "db/query"},
        {"{\"index\":\"span\",\"from\":1,\"to\":2}", "db/query"},
        {"{\"index\":\"span\",\"eq\":[1]}", "db/query"},
        {"{\"index\":\"span\",\"eq\":[1],\"from\":1}", "db/query"},
        {"{\"index\":\"span\",\"eq\":[1],\"from\":2,\"to\":2}", "db/query"},
        {"{\"index\":\"span\",\"eq\":[1],\"from\":[1],\"to\":2}", "db/query"},
        {"{\"index\":\"span\",\"eq\":[1,2],\"from\":1,\"to\":2}", "db/query"},
        {"{\"index\":\"span\",\"eq\":[{}],\"from\":1,\"to\":2}", "db/key"},
        {"{\"index\":\"span\",\"eq\":[1],\"from\":-9223372036854775808,"
         "\"to\":9223372036854775807}",
            "[[]]"},
    };
    char json[256];
    open_host();
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(json, sizeof json, "[\"note\",%s]", rows[i].query);
        T_ASK(OP_db_overlaps, json, rows[i].code);
    }
    T_ASK(OP_db_put,
        "[\"note\",\"{'id':'x','room':1,'from':-9223372036854775808,"
        "'to':-9223372036854775800}\"]",
        "[true {\"id\":\"x\",\"room\":1,\"from\":-9223372036854775808,"
        "\"to\":-9223372036854775800}]");
    T_ASK(OP_db_overlaps,
        "[\"note\",{\"index\":\"span\",\"eq\":[1],\"from\":"
        "-9223372036854775801,\"to\":0}]",
        "[[{\"id\":\"x\",\"room\":1,\"from\":-9223372036854775808,"
        "\"to\":-9223372036854775800}]]");
    T_ASK(OP_db_overlaps,
        "[\"note\",{\"index\":\"span\",\"eq\":[1],\"from\":"
        "-9223372036854775800,\"to\":0}]",
        "[[]]");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'y','room':1,'from':5,'to':106}\"]",
        "db/key");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'y','room':1,'from':5,'to':5}\"]",
        "db/key");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'y','room':1,'from':5}\"]", "db/key");
    close_host();
}

/* -- bounds of a call: section 7 -- */

/* What goes into the commit is bounded, whatever it is. */
T_CASE(events_have_a_bound)
{
    static char json[70000];
    int told = 0;
    open_host();
    int at = snprintf(json, sizeof json, "[\"probe.said\",\"'");
    memset(json + at, 'a', 65000);
    (void)snprintf(json + at + 65000, 16, "'\",null]");
    while (told < 1000 && strcmp(ask(OP_event_emit, json), "nil") == 0)
        told++;
    T_STR(ll_cstr(answer), "db/limit");
    T_INT(told, LL_OVERLAY_BYTES_MAX / 65002);
    json[2] = 'q'; /* one that is not declared is told so, still */
    T_ASK(OP_event_emit, json, "db/undeclared");
    T_ASK(OP_db_put, "[\"note\",\"{'id':'x'}\"]", "[true {\"id\":\"x\"}]");
    T_OK(host_call_commit(&h) != 0);
    host_call_settle(&h);
    close_host();
}

T_CASE(effects_are_judged)
{
    open_host();
    T_ASK(OP_event_emit, "[\"probe.said\",\"{'n':1}\",null]", "nil");
    T_ASK(OP_event_emit, "[\"probe.said\",\"{'n':1}\",[]]", "nil");
    T_ASK(OP_event_emit, "[\"probe.said\",\"{'n':1}\",{}]", "nil");
    T_ASK(OP_event_emit, "[\"probe.said\",\"{\",{}]", "db/document");
    T_ASK(OP_event_emit, "[\"probe.said\",\"{}\",{\"nosuch\":1}]", "db/query");
    T_ASK(OP_event_emit, "[\"probe.said\",\"{}\",7]", "db/query");
    T_ASK(OP_event_emit, "[\"probe.said\",\"{}\",[7]]", "db/query");
    T_ASK(OP_event_emit, "[\"probe.said\",\"{}\",{\"subject\":7}]", "db/query");
    T_ASK(OP_event_emit, "[\"probe.said\",\"{}\",{\"subject\":\"w\"}]",
        "db/document");
    T_ASK(OP_event_emit, "[\"probe.odd\",\"{}\",{}]", "db/undeclared");
    T_ASK(OP_alert_raise, "[\"probe.odd\",\"{}\",{}]", "nil");
    T_ASK(OP_alert_raise, "[\"probe.said\",\"{}\",{}]", "db/undeclared");
    T_ASK(OP_meter_add, "[\"probe.n\",1,null]", "recorded");
    T_ASK(OP_meter_add, "[\"probe.n\",1,7]", "db/query");
    T_ASK(OP_meter_add, "[\"probe.n\",0,{}]", "db/limit");
    T_ASK(OP_meter_add, "[\"probe.n\",-9223372036854775808,{}]", "db/limit");
    T_ASK(OP_meter_add, "[\"probe.n\",9223372036854775807,{}]", "db/limit");
    T_ASK(OP_meter_add, "[\"probe.n\",1,{\"at\":-9223372036854775808}]",
        "db/limit");
    T_ASK(OP_meter_add, "[\"probe.n\",1,{\"at\":9223372036854775807}]",
        "db/limit");
    T_ASK(OP_meter_add,
        "[\"probe.n\",-9223372036854775808,{\"reverses\":\"e\"}]",
        "db/conflict");
    T_ASK(OP_timer_set, "[{\"at\":0,\"run\":\"later\",\"key\":\"k\"}]", "k");
    T_ASK(OP_timer_set, "[{\"at\":-1,\"run\":\"later\"}]", "db/query");
    T_ASK(OP_timer_set, "[{\"at\":32503680000001,\"run\":\"later\"}]",
        "db/query");
    T_ASK(OP_timer_set, "[{\"at\":1,\"run\":\"nosuch\"}]", "db/undeclared");
    T_ASK(OP_timer_set, "[{\"run\":\"later\"}]", "db/query");
    T_ASK(OP_timer_set, "[7]", "db/query");
    T_ASK(OP_timer_set, "[{\"at\":1,\"run\":\"later\",\"with\":\"{\"}]",
        "db/document");
    T_ASK(OP_timer_cancel, "[\"k\"]", "true");
    T_ASK(OP_timer_cancel, "[\"k\"]", "false");
    T_OK(host_call_commit(&h) != 0);
    host_call_settle(&h);
    close_host();
}

/* -- without memory -- */

/* Asks while the n-th allocation fails, and with so little room left in the
 * call's arena; true if there were not so many. */
static bool
fail_one(uint32_t op, linli_str args, uint64_t n, size_t room)
{
    void *taken = ll_arena_alloc(&h.call.txn.arena, 8192 - room);
    T_OK(taken != NULL);
    h.host.mem.fail_in = n;
    linli_status status = host_call(&h, op, args);
    bool good = h.host.mem.fail_in != 0;
    h.host.mem.fail_in = 0;
    T_OK(status == LINLI_OK || !good);
    T_OK(status == LINLI_OK ||
         (h.call.effects == NULL && h.call.txn.writes == NULL));
    for (struct ll_write *w = h.call.txn.writes; w != NULL; w = w->next)
        T_OK(w->doc->id.len > 0);
    host_call_forget(&h);
    return good;
}

/* Whatever fails, it is told so, and nothing was done; then the same can be
 * asked, and answered, again. */
static void
fail_each(uint32_t op, const char *json, const char *want)
{
    struct ll_buf args;
    struct ll_json read;
    ll_json_init(&read, &text_mem);
    ll_buf_init(&args, &text_mem, 65536);
    T_INT(ll_json_parse(&read, ll_cstr(json), 32, NULL), LINLI_OK);
    put_value(&args, ll_json_root(&read));
    for (size_t room = 0; room <= 512; room += 32)
        for (uint64_t n = 1; !fail_one(op, ll_buf_view(&args), n, room);)
            n++;
    ll_json_fini(&read);
    ll_buf_fini(&args);
    (void)ask(op, json);
    if (strncmp(answer, want, strlen(want)) != 0)
        T_STR(ll_cstr(answer), want);
    host_call_forget(&h);
}

T_CASE(each_allocation_may_fail)
{
    open_host();
    put_notes();
    T_OK(host_call_commit(&h) != 0);
    fail_each(OP_db_get, "[\"note\",\"p\"]", "{\"id\":\"p\"");
    fail_each(OP_db_get, "[\"note\",\"nobody\"]", "nil");
    fail_each(OP_db_insert, "[\"note\",\"{'c':1,'a':2}\"]", "[true");
    fail_each(OP_db_put, "[\"note\",\"{'id':'x','c':1}\"]", "[true");
    fail_each(OP_db_patch, "[\"note\",\"p\",\"{'c':2}\"]", "[true");
    fail_each(OP_db_delete, "[\"note\",\"p\"]", "true");
    fail_each(OP_db_list, "[\"note\",{\"limit\":1}]", "[[{");
    fail_each(OP_db_list,
        "[\"note\",{\"index\":\"by_a\",\"eq\":[1],\"from\":[1],"
        "\"descending\":true}]",
        "[[{");
    fail_each(OP_db_count, "[\"note\",{\"index\":\"by_a\"}]", "4");
    fail_each(OP_db_overlaps,
        "[\"note\",{\"index\":\"span\",\"eq\":[1],\"from\":1,\"to\":2}]",
        "[[]]");
    fail_each(OP_timer_set, "[{\"at\":1,\"run\":\"later\"}]", "");
    fail_each(OP_timer_cancel, "[\"nobody\"]", "false");
    fail_each(OP_event_emit, "[\"probe.said\",\"{}\",{}]", "nil");
    fail_each(OP_meter_add, "[\"probe.n\",1,{\"event_id\":\"e\"}]", "recorded");
    fail_each(OP_code_try, "[\"door\",\"1\",\"1\"]", "ok");
    fail_each(OP_alert_raise, "[\"probe.odd\",\"{}\",{}]", "nil");
    T_COUNT("{}", "4");
    T_INT(h.instance.space->rows, 4);
    host_call_settle(&h);
    close_host();
}

T_MAIN(T_RUN(ids) T_RUN(ids_that_none_can_have) T_RUN(depth_and_size) T_RUN(
    insert_put_patch_delete) T_RUN(unique_keys) T_RUN(bounds_of_queries)
        T_RUN(queries_that_are_none) T_RUN(long_values) T_RUN(cursors_go_on)
            T_RUN(cursors_of_others) T_RUN(counts_up_to_a_bound)
                T_RUN(counts_long_keys) T_RUN(overlaps_up_to_a_bound) T_RUN(
                    overlaps_that_fit_no_frame) T_RUN(overlaps_that_are_none)
                    T_RUN(events_have_a_bound) T_RUN(effects_are_judged)
                        T_RUN(each_allocation_may_fail))
