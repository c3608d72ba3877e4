/* tests/unit/test_native.c: native plugins, from the object to the answer.
 *
 * The plugins are real objects, built by tests/abi/abi.mk; the process
 * around the engine is faked.
 */
#include "worker_fake.h"

#include <dlfcn.h>
#include <glob.h>

#include "worker/native.h"

#define MANIFEST(file)                                  \
    "{\"id\":\"good\",\"version\":\"1.0.0\",\"abi\":1," \
    "\"runtime\":\"native\",\"main\":\"lib/" file "\"," \
    "\"problems\":{\"good/no\":{\"status\":409}},"      \
    "\"routes\":[{\"method\":\"GET\",\"path\":\"/a\"}," \
    "{\"method\":\"POST\",\"path\":\"/tell/:lot\"}]}"

/* Prepares the plugin whose object is the first of `names`. */
static struct ll_worker *
prepared(const char *manifest, const char *const *names, linli_status want,
    struct ll_err *err)
{
    *err = (struct ll_err){.status = LINLI_OK};
    struct ll_worker *worker = fake_worker(manifest, names);
    worker->config.plugin_id = LINLI_STR("good");
    worker->config.version = LINLI_STR("1.0.0");
    worker->config.community = LINLI_STR("demo");
    T_INT(ll_native_prepare_from(worker, fake_locate, err), want);
    return worker;
}

/* Everything about an object that must not be mapped. */
static const struct {
    const char *manifest;
    const char *names[4];
    const char *code, *where, *message, *fix;
} unmappable[] = {
    {MANIFEST("absent.so"), {"good.so"}, "package/missing-file",
        "lib/absent.so", "the package has it not", ""},
    {MANIFEST("execstack.so"), {"execstack.so"}, "plugin/load",
        "lib/execstack.so", "executable stack", "noexecstack"},
    {MANIFEST("textrel.so"), {"textrel.so"}, "plugin/load", "lib/textrel.so",
        "text relocations", "-fPIC"},
    {MANIFEST("needed.so"), {"needed.so"}, "plugin/load", "lib/needed.so",
        "needs libforeign.so, which is not in the package", "statically"},
    {MANIFEST("imports.so"), {"imports.so"}, "plugin/load", "lib/imports.so",
        "imports getppid", "elf_imports.def"},
    {MANIFEST("printf.so"), {"printf.so"}, "plugin/load", "lib/printf.so",
        "imports printf", "core->log"},
    {MANIFEST("named.so"), {"named.so", "libnameless.so"}, "plugin/load",
        "lib/libnameless.so", "SONAME", "-Wl,-soname,libnameless.so"},
    {MANIFEST("libleft.so"), {"libleft.so", "libright.so"}, "plugin/load",
        "lib/libleft.so", "need each other", "one object"},
};

T_CASE(wrong_objects_are_named_and_not_mapped)
{
    for (size_t i = 0; i < LL_COUNT(unmappable); i++) {
        struct ll_err err;
        struct ll_worker *worker =
            fake_worker(unmappable[i].manifest, unmappable[i].names);
        T_OK(ll_native_prepare_from(worker, fake_locate, &err) != LINLI_OK);
        T_STR(ll_cstr(err.code), unmappable[i].code);
        T_STR(ll_cstr(err.where), unmappable[i].where);
        T_OK(strstr(err.msg, unmappable[i].message) != NULL);
        T_OK(strstr(err.fix, unmappable[i].fix) != NULL);
        printf("# %s: %s; %s\n", err.where, err.msg, err.fix);
        fake_done(worker);
    }
}

T_CASE(the_import_check_alone_can_be_off)
{
    static const char *const imports[] = {"imports.so", NULL};
    static const char *const stack[] = {"execstack.so", NULL};
    struct ll_err err;
    struct ll_worker *worker = fake_worker(MANIFEST("imports.so"), imports);
    worker->config.import_check = false;
    T_INT(ll_native_prepare_from(worker, fake_locate, &err), LINLI_OK);
    fake_done(worker);
    worker = fake_worker(MANIFEST("execstack.so"), stack);
    worker->config.import_check = false;
    T_INT(ll_native_prepare_from(worker, fake_locate, &err), LINLI_E_DENIED);
    fake_done(worker);
}

T_CASE(bundled_libraries_come_first)
{
    static const char *const names[] = {"top.so", "libdep.so", NULL};
    struct ll_err err;
    int (*answer)(void);
    void *handle = NULL;
    struct ll_worker *worker = fake_worker(MANIFEST("top.so"), names);
    T_INT(ll_objects_open(
              worker, LINLI_STR("lib/top.so"), fake_locate, &handle, &err),
        LINLI_OK);
    void *symbol = handle == NULL ? NULL : dlsym(handle, "top_answer");
    T_OK(symbol != NULL);
    memcpy(&answer, &symbol, sizeof(answer));
    T_INT(symbol == NULL ? 0 : answer(), 42);
    fake_done(worker);
}

T_CASE(constructors_run_when_it_is_mapped)
{
    static const char *const names[] = {"constructor.so", NULL};
    struct ll_err err;
    void *handle = NULL;
    struct ll_worker *worker = fake_worker(MANIFEST("constructor.so"), names);
    T_INT(ll_objects_open(worker, LINLI_STR("lib/constructor.so"), fake_locate,
              &handle, &err),
        LINLI_OK);
    int *ran = handle == NULL ? NULL : dlsym(handle, "constructor_ran");
    T_OK(ran != NULL && *ran == 1);
    fake_done(worker);
}

/* Everything about a descriptor that must not be loaded. */
static const struct {
    const char *manifest;
    const char *names[2];
    const char *code, *message;
} unloadable[] = {
    {MANIFEST("empty.so"), {"empty.so"}, "plugin/load",
        "does not export linli_plugin_v1"},
    {MANIFEST("null.so"), {"null.so"}, "plugin/load", "returned NULL"},
    {MANIFEST("level.so"), {"level.so"}, "manifest/abi", "level 2"},
    {MANIFEST("draft.so"), {"draft.so"}, "manifest/abi", "ABI level 1 draft"},
    {MANIFEST("size.so"), {"size.so"}, "manifest/abi", "64 bytes"},
    {MANIFEST("id.so"), {"id.so"}, "plugin/load",
        "says id \"other\", plugin.json says \"good\""},
    {MANIFEST("version.so"), {"version.so"}, "plugin/load",
        "says version \"1.0.1\""},
    {MANIFEST("nocreate.so"), {"nocreate.so"}, "plugin/load", "`create`"},
    {MANIFEST("required.so"), {"required.so"}, "plugin/load",
        "\"linli.teleport/1\", which this host has not"},
    {MANIFEST("drafted.so"), {"drafted.so"}, "plugin/load",
        "\"linli.probe/0\", which is a draft, and drafts are off"},
};

T_CASE(wrong_descriptors_are_named_and_not_loaded)
{
    for (size_t i = 0; i < LL_COUNT(unloadable); i++) {
        struct ll_err err;
        struct ll_worker *worker = prepared(
            unloadable[i].manifest, unloadable[i].names, LINLI_OK, &err);
        T_OK(ll_native_engine.load(worker, &err) != LINLI_OK);
        T_STR(ll_cstr(err.code), unloadable[i].code);
        T_OK(strstr(err.msg, unloadable[i].message) != NULL);
        printf("# %s: %s; %s\n", err.where, err.msg, err.fix);
        T_OK(worker->engine_state == NULL);
        fake_done(worker);
    }
}

T_CASE(a_level_other_than_the_manifests_is_refused)
{
    static const char *const names[] = {"good.so", NULL};
    struct ll_err err;
    struct ll_worker *worker =
        prepared("{\"abi\":2,\"main\":\"lib/good.so\"}", names, LINLI_OK, &err);
    T_INT(ll_native_engine.load(worker, &err), LINLI_E_INVALID);
    T_STR(ll_cstr(err.code), "manifest/abi");
    fake_done(worker);
}

T_CASE(a_failing_create_says_why)
{
    static const char *const names[] = {"good.so", NULL};
    struct ll_err err;
    struct ll_worker *worker =
        prepared(MANIFEST("good.so"), names, LINLI_OK, &err);
    worker->config.config_json = LINLI_STR("{\"a\":1}");
    T_INT(ll_native_engine.load(worker, &err), LINLI_E_INVALID);
    T_STR(ll_cstr(err.code), "plugin/load");
    T_STR(ll_cstr(err.where), "lib/good.so");
    T_STR(ll_cstr(err.msg),
        "its create returned -2 (invalid): config must be {}");
    fake_done(worker);
}

/* -- calls -- */

static struct ll_worker *
loaded(bool drafts)
{
    static const char *const names[] = {"good.so", NULL};
    static struct ll_worker_route routes[2];
    static const struct ll_zone_change zone[2] = {
        {INT64_MIN, 28800}, {1000, 32400}};
    struct ll_err err;
    struct ll_worker *worker =
        prepared(MANIFEST("good.so"), names, LINLI_OK, &err);
    worker->config.drafts = drafts;
    worker->config.zone = LINLI_STR("Asia/Shanghai");
    worker->config.zone_changes = zone;
    worker->config.zone_change_count = 2;
    routes[0].method = LINLI_STR("GET");
    routes[1].method = LINLI_STR("POST");
    routes[1].param_count = 1;
    routes[1].param_names[0] = LINLI_STR("lot");
    worker->routes = routes;
    worker->route_count = 2;
    T_INT(ll_native_engine.load(worker, &err), LINLI_OK);
    T_STR(ll_cstr(err.msg), "");
    T_STR(ll_cstr(fake.line), "demo"); /* create has logged the community */
    return worker;
}

static void
run(struct ll_worker *worker, uint32_t call, const char *path, const char *body)
{
    struct ll_call_in in = {.call = call,
        .run = 1,
        .path = ll_cstr(path),
        .has_body = body != NULL,
        .body = ll_cstr(body == NULL ? "" : body)};
    fake.replies = fake.failures = 0;
    fake.body[0] = fake.code[0] = fake.log[0] = fake.detail[0] = '\0';
    ll_native_engine.call(worker, &in, (struct ll_jv){NULL, 0});
    T_INT(fake.replies + fake.failures, 1); /* exactly one, whatever it did */
    T_INT(fake.call, call);
    T_INT(fake.running, 0);
    T_OK(ll_native_engine.idle(worker));
}

static void
unload(struct ll_worker *worker)
{
    ll_native_engine.end(worker);
    T_OK(worker->engine_state == NULL);
    fake_done(worker);
}

T_CASE(a_call_arrives_whole)
{
    struct ll_worker *worker = loaded(false);
    struct ll_call_in in = {.call = 9,
        .run = 1,
        .route = 1,
        .now_ms = 1772413200000,
        .seed = -1,
        .wall_ms = 1000,
        .cpu_ms = 500,
        .memory_bytes = 1 << 25,
        .params = {LINLI_STR("p1")},
        .param_count = 1,
        .path = LINLI_STR("/tell/p1"),
        .query = LINLI_STR("a=b"),
        .caller_kind = LINLI_STR("resident"),
        .caller_id = LINLI_STR("r-1"),
        .caller_roles = LINLI_STR("[]"),
        .locale = LINLI_STR("zh-CN"),
        .trace_id = LINLI_STR("0123")};
    ll_native_engine.call(worker, &in, (struct ll_jv){NULL, 0});
    T_INT(fake.replies, 1);
    T_STR(ll_cstr(fake.body), "\"POST /tell/p1 a=b resident r-1 zh-CN "
                              "Asia/Shanghai 0123 lot p1 \"");
    unload(worker);
}

/* What a plugin gets wrong, what the log says, and what it was told. */
static const struct {
    const char *path;
    const char *log;
    const char *told; /* NULL: it looks at no status */
} mistakes[] = {
    {"/silent", "returned without an answer", NULL},
    {"/twice", "answered the call twice", "-9"},
    {"/reply-and-fail", "answered the call twice", NULL},
    {"/made-up", "a ctx that never was", "-2"},
    {"/zero", "a ctx that never was", "-2"},
    {"/bad-json", "line 1", "-2"},
    {"/null-json", "a body at NULL", "-2"},
    {"/status-99", "status 99 is not within 200..599", "-2"},
    {"/status-600", "status 600 is not within 200..599", "-2"},
    {"/204-with-body", "status 204 takes no body", "-2"},
    {"/undeclared", "declares no problem \"good/other\"", "-2"},
    {"/negative", "status -1234 (unknown)", NULL},
    {"/positive", "status 7 (unknown)", NULL},
    {"/nothing-like-it", "status -1 (unsupported)", NULL},
};

T_CASE(mistakes_become_plugin_error_and_are_logged)
{
    struct ll_worker *worker = loaded(false);
    for (size_t i = 0; i < LL_COUNT(mistakes); i++) {
        run(worker, 10, mistakes[i].path, NULL);
        T_INT(fake.failures, 1);
        T_STR(ll_cstr(fake.code), "plugin/error");
        T_STR(ll_cstr(fake.detail), ""); /* nothing of it to the caller */
        if (strstr(fake.log, mistakes[i].log) == NULL)
            T_STR(ll_cstr(fake.log), mistakes[i].log);
        if (mistakes[i].told == NULL)
            continue;
        run(worker, 11, "/last", NULL);
        T_INT(fake.replies, 1);
        T_STR(ll_cstr(fake.body), mistakes[i].told);
    }
    unload(worker);
}

T_CASE(the_context_of_a_call_ends_with_it)
{
    struct ll_worker *worker = loaded(false);
    run(worker, 1, "/stale", NULL); /* with that of create */
    T_STR(ll_cstr(fake.code), "plugin/error");
    T_OK(strstr(fake.log, "an entry point that has returned") != NULL);
    run(worker, 2, "/last", NULL);
    T_STR(ll_cstr(fake.body), "-16");
    run(worker, 3, "/stale", NULL); /* with that of a call */
    T_STR(ll_cstr(fake.code), "plugin/error");
    unload(worker);
}

T_CASE(answers_and_problems_reach_the_host)
{
    struct ll_worker *worker = loaded(false);
    run(worker, 1, "/log", "{\"a\": [1, 2]}");
    T_INT(fake.status, 200);
    T_STR(ll_cstr(fake.body), "{\"a\": [1, 2]}");
    T_STR(ll_cstr(fake.line), "a line");
    T_INT(fake.level, LL_LOG_WARN);
    run(worker, 2, "/last", NULL); /* log level 9 was refused */
    T_STR(ll_cstr(fake.body), "-2");
    run(worker, 3, "/no-content", NULL);
    T_INT(fake.status, 204);
    T_STR(ll_cstr(fake.body), "");
    run(worker, 4, "/fail", "no more");
    T_STR(ll_cstr(fake.code), "good/no");
    T_STR(ll_cstr(fake.detail), "no more");
    T_STR(ll_cstr(fake.log), "");
    unload(worker);
}

T_CASE(a_refused_answer_can_be_followed_by_another)
{
    struct ll_worker *worker = loaded(false);
    run(worker, 1, "/large", NULL);
    T_STR(ll_cstr(fake.code), "good/no");
    T_STR(ll_cstr(fake.detail), "too large");
    run(worker, 2, "/last", NULL);
    T_STR(ll_cstr(fake.body), "-14");
    unload(worker);
}

T_CASE(a_draft_interface_is_there_only_when_switched_on)
{
    struct ll_worker *worker = loaded(false);
    run(worker, 1, "/echo", "1");
    T_OK(strstr(fake.log, "(unsupported)") != NULL);
    T_INT(fake.host_calls, 0);
    unload(worker);
    worker = loaded(true);
    run(worker, 1, "/echo", "1");
    T_STR(ll_cstr(fake.body), "1");
    T_INT(fake.host_calls, 2); /* echo, and the wait that is in range */
    unload(worker);
}

T_CASE(values_come_back_from_the_host_unchanged)
{
    static const char *const values[] = {"null", "true", "[]", "{}", "[[],{}]",
        "-9223372036854775808", "9223372036854775807", "0.1", "\"\"",
        "\"\\u0000 \xe9\x82\xbb \\\"\"",
        "{\"b\":{\"a\":[1,{\"c\":[]},2]},\"a\":null,\"\":[[[0]]]}",
        "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]"};
    struct ll_worker *worker = loaded(true);
    for (size_t i = 0; i < LL_COUNT(values); i++) {
        run(worker, 1, "/echo", values[i]);
        T_STR(ll_cstr(fake.body), values[i]);
    }
    run(worker, 2, "/echo", " { \"a\" : [ 1 , 2 ] } ");
    T_STR(ll_cstr(fake.body), "{\"a\":[1,2]}");
    run(worker, 3, "/echo", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]");
    T_STR(ll_cstr(fake.code), "plugin/error"); /* deeper than a value may */
    run(worker, 4, "/echo", "nope");
    T_OK(strstr(fake.log, "(invalid)") != NULL);
    unload(worker);
}

T_CASE(a_host_that_refuses_or_gives_up_is_heard)
{
    struct ll_worker *worker = loaded(true);
    fake.answer_status = LINLI_E_DENIED;
    run(worker, 1, "/echo", "1");
    T_OK(strstr(fake.log, "status -3 (denied)") != NULL);
    fake.answer_status = LINLI_OK;
    fake.cancel = true;
    run(worker, 2, "/echo", "1");
    T_OK(strstr(fake.log, "(cancelled)") != NULL);
    unload(worker);
}

T_CASE(a_drain_says_goodbye_once)
{
    struct ll_worker *worker = loaded(false);
    void *handle = dlopen("./" FAKE_FIXTURES "good.so", RTLD_NOW | RTLD_NOLOAD);
    int *drained = handle == NULL ? NULL : dlsym(handle, "good_drained");
    int *destroyed = handle == NULL ? NULL : dlsym(handle, "good_destroyed");
    T_OK(drained != NULL && destroyed != NULL);
    if (drained != NULL && destroyed != NULL) {
        *drained = *destroyed = 0;
        unload(worker);
        T_INT(*drained, 1);
        T_INT(*destroyed, 1);
    }
}

/* examples/hello-c, as `make` builds it. */
T_CASE(the_example_greets)
{
    static const char *const names[] = {
        "../../examples/hello-c/hello.so", NULL};
    struct ll_worker_route routes[2] = {{.method = LINLI_STR("GET")}};
    struct ll_err err;
    struct ll_worker *worker =
        prepared("{\"id\":\"hello-c\",\"abi\":1,"
                 "\"main\":\"lib/../../examples/hello-c/hello.so\"}",
            names, LINLI_OK, &err);
    worker->config.plugin_id = LINLI_STR("hello-c");
    worker->routes = routes;
    T_INT(ll_native_engine.load(worker, &err), LINLI_OK);
    run(worker, 1, "/hello", NULL);
    T_INT(fake.status, 200);
    T_STR(ll_cstr(fake.body), "{\"message\":\"你好, 邻里\"}");
    static const char *const bodies[][2] = {
        {"{\"name\":\"王阿姨\"}", "王阿姨"},
        {" { \"n\\u0061me\" : \"\\\"\\\\\" } ", "\\\"\\\\"},
        {"{\"name\":\"\"}", ""},
    };
    for (size_t i = 0; i < LL_COUNT(bodies); i++) {
        char want[128];
        struct ll_call_in in = {.call = 2,
            .run = 1,
            .route = 1,
            .path = LINLI_STR("/hello"),
            .has_body = true,
            .body = ll_cstr(bodies[i][0])};
        ll_native_engine.call(worker, &in, (struct ll_jv){NULL, 0});
        (void)snprintf(
            want, sizeof(want), "{\"message\":\"你好, %s\"}", bodies[i][1]);
        T_STR(ll_cstr(fake.body), want);
    }
    unload(worker);
}

/* Plugins built against each frozen level's headers; while level 1 is the
 * first and a draft there is none. */
T_CASE(plugins_of_frozen_levels_still_run)
{
    glob_t found;
    int none = glob("abi/frozen/*.so", 0, NULL, &found);
    T_OK(LINLI_ABI_DRAFT != 0 || LINLI_ABI_LEVEL > 1 ? true : none == 0);
    for (size_t i = 0; none == 0 && i < found.gl_pathc; i++) {
        struct ll_native native = {.worker = loaded(false)};
        struct ll_err err;
        void *handle = dlopen(found.gl_pathv[i], RTLD_NOW | RTLD_LOCAL);
        T_OK(handle != NULL);
        T_INT(ll_native_descriptor(&native, handle, &err), LINLI_OK);
        unload(native.worker);
    }
    globfree(&found);
}

// clang-format off
T_MAIN(
    T_RUN(wrong_objects_are_named_and_not_mapped)
    T_RUN(the_import_check_alone_can_be_off)
    T_RUN(bundled_libraries_come_first)
    T_RUN(constructors_run_when_it_is_mapped)
    T_RUN(wrong_descriptors_are_named_and_not_loaded)
    T_RUN(a_level_other_than_the_manifests_is_refused)
    T_RUN(a_failing_create_says_why)
    T_RUN(a_call_arrives_whole)
    T_RUN(mistakes_become_plugin_error_and_are_logged)
    T_RUN(the_context_of_a_call_ends_with_it)
    T_RUN(answers_and_problems_reach_the_host)
    T_RUN(a_refused_answer_can_be_followed_by_another)
    T_RUN(a_draft_interface_is_there_only_when_switched_on)
    T_RUN(values_come_back_from_the_host_unchanged)
    T_RUN(a_host_that_refuses_or_gives_up_is_heard)
    T_RUN(a_drain_says_goodbye_once)
    T_RUN(the_example_greets)
    T_RUN(plugins_of_frozen_levels_still_run))
