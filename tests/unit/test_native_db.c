/* tests/unit/test_native_db.c: what native plugins ask of the host, and calls
 * that are no requests. The plugin is tests/abi/fixtures/stored.c.
 */
#include "worker_fake.h"

#define MANIFEST                                         \
    "{\"id\":\"good\",\"version\":\"1.0.0\",\"abi\":1,"  \
    "\"runtime\":\"native\",\"main\":\"lib/stored.so\"," \
    "\"problems\":{\"good/no\":{\"status\":409}},"       \
    "\"routes\":[{\"method\":\"POST\",\"path\":\"/:what\"}]}"

static struct ll_worker *
loaded(void)
{
    static const char *const names[] = {"stored.so", NULL};
    static struct ll_worker_route routes[1];
    struct ll_err err = {.status = LINLI_OK};
    struct ll_worker *worker = fake_worker(MANIFEST, names);
    worker->config.plugin_id = LINLI_STR("good");
    worker->config.version = LINLI_STR("1.0.0");
    worker->config.community = LINLI_STR("demo");
    routes[0].method = LINLI_STR("POST");
    worker->routes = routes;
    worker->route_count = 1;
    T_INT(ll_native_prepare_from(worker, fake_locate, &err), LINLI_OK);
    T_INT(ll_native_engine.load(worker, &err), LINLI_OK);
    T_STR(ll_cstr(err.msg), "");
    return worker;
}

static void
run(struct ll_worker *worker, const struct ll_call_in *in)
{
    fake.replies = fake.failures = fake.host_calls = 0;
    fake.body[0] = fake.code[0] = fake.log[0] = fake.detail[0] = '\0';
    fake.args[0] = fake.line[0] = fake.etag[0] = '\0';
    ll_native_engine.call(worker, in, (struct ll_jv){NULL, 0});
    T_INT(fake.replies + fake.failures, 1);
    T_INT(fake.running, 0);
}

static struct ll_call_in
request(const char *path, const char *body)
{
    return (struct ll_call_in){.call = 1,
        .run = 1,
        .now_ms = 1000,
        .path = ll_cstr(path),
        .caller_id = LINLI_STR("s"),
        .has_body = body != NULL,
        .body = ll_cstr(body == NULL ? "" : body)};
}

static void
unload(struct ll_worker *worker)
{
    ll_native_engine.end(worker);
    fake_done(worker);
}

static const struct {
    const char *path, *body;
    uint32_t op;        /* 0: the host is not asked */
    const char *args;   /* as JSON */
    const char *answer; /* as JSON; NULL: nil */
    const char *want;   /* [status, what came out] */
} asked[] = {
    {"/get", NULL, 3, "[\"booking\",\"b1\"]", "\"{\\\"id\\\":\\\"b1\\\"}\"",
        "[0,{\"id\":\"b1\"}]"},
    {"/get", NULL, 3, "[\"booking\",\"b1\"]", NULL, "[-12,-1]"},
    {"/get", NULL, 3, "[\"booking\",\"b1\"]", "7", "[-10,-1]"},
    {"/null", NULL, 0, "", NULL, "[-2,-1]"},
    {"/stale", NULL, 0, "", NULL, "[-16,-1]"},
    {"/insert", "{ \"a\": 1.50 }", 4, "[\"booking\",\"{ \\\"a\\\": 1.50 }\"]",
        "[true,\"{\\\"a\\\":1.5}\"]", "[0,{\"a\":1.5}]"},
    {"/insert", "{}", 4, "[\"booking\",\"{}\"]", "[false,\"exists\",\"\"]",
        "[-9,-1]"},
    {"/insert", "{}", 4, "[\"booking\",\"{}\"]", "[true]", "[-10,-1]"},
    {"/put", "{}", 5, "[\"booking\",\"{}\"]", "[true,\"{}\"]", "[0,{}]"},
    {"/conflict", "{}", 5, "[\"booking\",\"{}\"]",
        "[false,\"exists\",\"by_plate\"]", "[0,\"by_plate\"]"},
    {"/conflict", "{}", 5, "[\"booking\",\"{}\"]", "[false,\"exists\",\"\"]",
        "[0,\"\"]"},
    {"/patch", "{\"a\":null}", 6, "[\"booking\",\"b1\",\"{\\\"a\\\":null}\"]",
        "[true,\"{}\"]", "[0,{}]"},
    {"/patch", "{}", 6, "[\"booking\",\"b1\",\"{}\"]", "[false,\"not-found\"]",
        "[-12,-1]"},
    {"/patch", "{}", 6, "[\"booking\",\"b1\",\"{}\"]",
        "[false,\"not-found\",null]", "[-12,-1]"},
    {"/remove", NULL, 7, "[\"booking\",\"b1\"]", "true", "[0,-1]"},
    {"/remove", NULL, 7, "[\"booking\",\"b1\"]", "false", "[-12,-1]"},
    {"/list",
        "{\"index\":\"i\",\"eq\":[1,null,true,\"x\"],\"from\":[],\"limit\":2}",
        8,
        "[\"booking\",{\"index\":\"i\",\"eq\":[1,null,true,\"x\"],\"from\":"
        "[],\"limit\":2}]",
        "[[\"{\\\"a\\\":[]}\",\"{}\"],\"c\\\"1\"]",
        "[0,{\"items\":[{\"a\":[]},{}],\"next_cursor\":\"c\\\"1\"}]"},
    {"/list", NULL, 8, "[\"booking\",{}]", "[[],null]", "[0,{\"items\":[]}]"},
    {"/list", "[]", 0, "", NULL, "[-2,-1]"},
    {"/list", "{", 0, "", NULL, "[-2,-1]"},
    {"/list", "{}", 8, "[\"booking\",{}]", "[[1],null]", "[-10,-1]"},
    {"/list", "{}", 8, "[\"booking\",{}]", "true", "[-10,-1]"},
    {"/count", "{}", 9, "[\"booking\",{}]", "12", "[0,12]"},
    {"/count", "{}", 9, "[\"booking\",{}]", "\"12\"", "[-10,0]"},
    {"/overlaps", "{\"index\":\"i\",\"from\":1,\"to\":2}", 10,
        "[\"booking\",{\"index\":\"i\",\"from\":1,\"to\":2}]",
        "[[\"{}\",\"{}\"]]", "[0,[{},{}]]"},
    {"/overlaps", "{}", 10, "[\"booking\",{}]", "[[]]", "[0,[]]"},
    {"/timer", "{\"a\":1}", 11,
        "[{\"at\":1005,\"run\":\"expire\",\"with\":\"{\\\"a\\\":1}\",\"key\":"
        "\"k\",\"subject\":\"s\"}]",
        "\"k\"", "[0,\"k\"]"},
    {"/timer-bare", NULL, 11,
        "[{\"at\":1005,\"run\":\"expire\",\"with\":\"{}\"}]", "\"made\"",
        "[0,-1]"},
    {"/timer-short", NULL, 0, "", NULL, "[-2,-1]"},
    {"/timer-null", NULL, 0, "", NULL, "[-2,-1]"},
    {"/cancel", NULL, 12, "[\"k\"]", "true", "[0,-1]"},
    {"/cancel", NULL, 12, "[\"k\"]", "false", "[-12,-1]"},
    {"/event", "{\"a\":1}", 13,
        "[\"good.done\",\"{\\\"a\\\":1}\",{\"subject\":\"s\"}]", NULL,
        "[0,-1]"},
    {"/alert", "[]", 16, "[\"good.odd\",\"[]\",{}]", NULL, "[0,-1]"},
    {"/meter", NULL, 14, "[\"good.used\",2,{}]", "\"recorded\"", "[0,-1]"},
    {"/usage", NULL, 14,
        "[\"good.used\",-3,{\"event_id\":\"e\",\"at\":7,\"reverses\":\"d\"}]",
        "\"duplicate\"", "[0,1]"},
    {"/usage", NULL, 14,
        "[\"good.used\",-3,{\"event_id\":\"e\",\"at\":7,\"reverses\":\"d\"}]",
        "\"recorded\"", "[0,0]"},
    {"/code", NULL, 15, "[\"door:b1\",\"12\",\"1234\"]", "\"ok\"", "[0,0]"},
    {"/code", NULL, 15, "[\"door:b1\",\"12\",\"1234\"]", "\"wrong\"", "[0,1]"},
    {"/code", NULL, 15, "[\"door:b1\",\"12\",\"1234\"]", "\"locked\"", "[0,2]"},
    /* what is unheard of opens nothing */
    {"/code", NULL, 15, "[\"door:b1\",\"12\",\"1234\"]", "\"fine\"", "[0,2]"},
    {"/code", NULL, 15, "[\"door:b1\",\"12\",\"1234\"]", "7", "[-10,2]"},
};

T_CASE(each_function_asks_and_answers)
{
    struct ll_worker *worker = loaded();
    for (size_t i = 0; i < LL_COUNT(asked); i++) {
        struct ll_call_in in = request(asked[i].path, asked[i].body);
        fake.answer_json = asked[i].answer;
        run(worker, &in);
        T_INT(fake.host_calls, asked[i].op != 0);
        if (asked[i].op != 0)
            T_INT(fake.op, asked[i].op);
        T_STR(ll_cstr(fake.args), asked[i].args);
        T_STR(ll_cstr(fake.body), asked[i].want);
    }
    unload(worker);
}

T_CASE(refusals_are_a_status_and_a_line_of_the_log)
{
    struct ll_worker *worker = loaded();
    struct ll_call_in in = request("/put", "{}");
    fake.answer_status = LINLI_E_INVALID;
    fake.answer_json = "[\"db/undeclared\",\"no collection booking\"]";
    run(worker, &in);
    T_STR(ll_cstr(fake.body), "[-2,-1]");
    /* Said when the plugin makes nothing of it. */
    struct ll_native *native = worker->engine_state;
    T_STR(
        ll_cstr(native->note), "db.put: db/undeclared: no collection booking");
    fake.answer_json = NULL;
    run(worker, &in);
    T_STR(ll_cstr(fake.body), "[-2,-1]");
    T_STR(ll_cstr(native->note), "db.put: invalid");
    fake.cancel = true;
    run(worker, &in);
    T_STR(ll_cstr(fake.body), "[-7,-1]");
    unload(worker);
}

/* Whatever the plugin answers then, the caller is told this. */
T_CASE(some_refusals_end_the_call)
{
    static const char *const codes[] = {"request/cursor", "db/quota",
        "runtime/conflict", "store/failed", "runtime/memory"};
    struct ll_worker *worker = loaded();
    for (size_t i = 0; i < LL_COUNT(codes); i++) {
        char answer[64];
        struct ll_call_in in = request("/twice", "{}");
        (void)snprintf(answer, sizeof answer, "[\"%s\",\"why\"]", codes[i]);
        fake.answer_status = LINLI_E_QUOTA;
        fake.answer_json = answer;
        run(worker, &in);
        T_INT(fake.host_calls, 1); /* the second was not asked any more */
        T_STR(ll_cstr(fake.code), codes[i]);
        T_STR(ll_cstr(fake.detail), "why");
        /* The next call is another one. */
        in = request("/put", "{}");
        fake.answer_status = LINLI_OK;
        fake.answer_json = "[true,\"{}\"]";
        run(worker, &in);
        T_STR(ll_cstr(fake.body), "[0,{}]");
    }
    unload(worker);
}

T_CASE(tags_are_the_answers)
{
    struct ll_worker *worker = loaded();
    struct ll_call_in in = request("/etag", "7");
    run(worker, &in);
    T_STR(ll_cstr(fake.body), "[0,-1]");
    T_STR(ll_cstr(fake.etag), "7");
    in = request("/etag", "\"7\"");
    run(worker, &in);
    T_STR(ll_cstr(fake.body), "[-2,-1]");
    T_STR(ll_cstr(fake.etag), "");
    unload(worker);
}

static const struct {
    enum ll_call_kind kind;
    const char *name, *input;
    const char *line; /* reply and etag are refused: -9 */
    const char *code, *text;
} backgrounds[] = {
    {LL_CALL_TIMER, "expire", "{\"a\":1}", "1 expire {\"a\":1} 5 0 -9 -9", "",
        ""},
    {LL_CALL_EVENT, "shop.paid", "{}", "2 shop.paid {} 5 0 -9 -9", "", ""},
    {LL_CALL_TIMER, "fail", "no", "1 fail no 5 0 -9 -9", "good/no", "no"},
    {LL_CALL_TIMER, "bad", "{}", "1 bad {} 5 0 -9 -9", "plugin/error",
        "its call returned a failure, status -13"},
};

T_CASE(timers_and_events_are_calls_without_an_answer)
{
    struct ll_worker *worker = loaded();
    for (size_t i = 0; i < LL_COUNT(backgrounds); i++) {
        struct ll_call_in in = {.call = 1,
            .run = 1,
            .kind = backgrounds[i].kind,
            .route = 0,
            .due_ms = 5,
            .name = ll_cstr(backgrounds[i].name),
            .input = ll_cstr(backgrounds[i].input)};
        run(worker, &in);
        T_STR(ll_cstr(fake.line), backgrounds[i].line);
        T_STR(ll_cstr(fake.code), backgrounds[i].code);
        if (backgrounds[i].code[0] == '\0') {
            T_INT(fake.status, 204);
            T_STR(ll_cstr(fake.body), "");
            T_STR(ll_cstr(fake.etag), "");
        } else {
            T_OK(strstr(fake.log, backgrounds[i].text) != NULL ||
                 strstr(fake.detail, backgrounds[i].text) != NULL);
        }
    }
    unload(worker);
}

T_CASE(the_new_members_arrive)
{
    struct ll_worker *worker = loaded();
    struct ll_call_in in = request("/caller", NULL);
    in.late = true;
    in.if_match = LINLI_STR("stays unseen");
    in.bound_to = LINLI_STR("g1");
    in.device_kind = LINLI_STR("gate");
    run(worker, &in);
    T_STR(ll_cstr(fake.body), "\" g1 gate 1\"");
    in.has_if_match = true;
    in.if_match = LINLI_STR("7");
    in.late = false;
    run(worker, &in);
    T_STR(ll_cstr(fake.body), "\"7 g1 gate 0\"");
    in.resident = LINLI_STR("{\"plates\":[]}");
    run(worker, &in);
    T_STR(ll_cstr(fake.body), "{\"plates\":[]}");
    unload(worker);
}

/* Memory ends at every place in turn: the plugin is told, and goes on. */
T_CASE(no_memory_at_any_place)
{
    struct ll_worker *worker = loaded();
    size_t base = worker->mem.used_bytes;
    int told = 0;
    for (size_t more = 0; more < 20000; more += 61) {
        struct ll_call_in in = request("/list", "{\"eq\":[1]}");
        fake.answer_status = LINLI_OK;
        fake.answer_json = "[[\"{\\\"a\\\":[]}\",\"{}\"],\"c\"]";
        worker->mem.max_bytes = base + more;
        run(worker, &in);
        worker->mem.max_bytes = (size_t)64 << 20;
        told += fake.replies == 1 && strncmp(fake.body, "[0,{\"items", 10) == 0;
    }
    T_OK(told > 0);
    unload(worker);
}

T_MAIN(T_RUN(each_function_asks_and_answers)
        T_RUN(refusals_are_a_status_and_a_line_of_the_log)
            T_RUN(some_refusals_end_the_call) T_RUN(tags_are_the_answers)
                T_RUN(timers_and_events_are_calls_without_an_answer)
                    T_RUN(the_new_members_arrive) T_RUN(no_memory_at_any_place))
