/* tests/unit/lua_fake.h: a worker without a process, for the Lua engine.
 *
 * The engine runs as in a worker; its frames are read back from the buffer
 * and the ring they were written to. The host's side is played by the test.
 */
#ifndef LUA_FAKE_H
#define LUA_FAKE_H

#include <stdlib.h>

#include "base/text.h"
#include "t.h"
#include "worker/worker.h"

#define FAKE_TEXT 8192

struct fake {
    struct ll_worker worker;
    struct ll_ring_area mine, theirs;
    struct ll_ring host; /* the other side of the ring */
    struct ll_frame_reader reader;
    struct ll_worker_file files[8];
    struct ll_worker_route routes[8];
    struct ll_zone_change zone[4];
    struct ll_err err;
    char main[65536];
    uint32_t next_call;
    /* Of the last frame that ended a run: */
    uint32_t call;
    int status; /* 0: it failed */
    char body[FAKE_TEXT];
    char etag[LL_ETAG_BYTES_MAX + 1];
    char code[64], detail[512], log[FAKE_TEXT], errors[1024];
    int64_t run_ns;
    int ended;             /* frames that ended a run, ever */
    char lines[FAKE_TEXT]; /* log lines, "level text\n" each */
    /* Of the last host call: */
    uint32_t host_call, host_op;
    char host_args[FAKE_TEXT];
    size_t host_args_bytes;
    int host_calls;
};

/* Room for a text that a test looks at. */
static inline void
fake_copy(char *to, size_t size, linli_str s)
{
    size_t n = s.len < size - 1 ? s.len : size - 1;
    if (n > 0)
        memcpy(to, s.ptr, n);
    to[n] = '\0';
}

static inline void
fake_frame(struct fake *f, const struct ll_frame *frame)
{
    struct ll_rd rd = ll_rd(frame->payload);
    size_t used = strlen(f->lines);
    (void)ll_rd_list(&rd);
    switch (frame->type) {
    case LL_FRAME_REPLY:
        f->ended++;
        f->call = frame->call;
        f->status = (int)ll_rd_int(&rd);
        f->run_ns = ll_rd_int(&rd);
        fake_copy(f->body, sizeof f->body, ll_rd_bytes(&rd));
        fake_copy(f->etag, sizeof f->etag, ll_rd_bytes(&rd));
        break;
    case LL_FRAME_FAILED:
        f->ended++;
        f->call = frame->call;
        f->status = 0;
        fake_copy(f->code, sizeof f->code, ll_rd_bytes(&rd));
        f->run_ns = ll_rd_int(&rd);
        fake_copy(f->detail, sizeof f->detail, ll_rd_bytes(&rd));
        fake_copy(f->log, sizeof f->log, ll_rd_bytes(&rd));
        fake_copy(f->errors, sizeof f->errors, ll_rd_bytes(&rd));
        break;
    case LL_FRAME_HOSTCALL:
        f->host_calls++;
        f->host_call = frame->call;
        f->host_op = (uint32_t)ll_rd_int(&rd);
        {
            linli_str args = ll_rd_value(&rd);
            f->host_args_bytes = args.len;
            T_OK(args.len <= sizeof f->host_args);
            if (args.len > 0 && args.len <= sizeof f->host_args)
                memcpy(f->host_args, args.ptr, args.len);
        }
        break;
    case LL_FRAME_LOG:
        (void)snprintf(f->lines + used, sizeof f->lines - used, "%d ",
            (int)ll_rd_int(&rd));
        used = strlen(f->lines);
        fake_copy(
            f->lines + used, sizeof f->lines - used - 1, ll_rd_bytes(&rd));
        strcat(f->lines, "\n");
        break;
    default:
        T_OK(frame->type == LL_FRAME_ENDED);
    }
    T_OK(ll_rd_end(&rd));
}

/* Reads what the worker has written since the last time. */
static inline void
fake_read(struct fake *f)
{
    struct ll_worker *w = &f->worker;
    struct ll_frame frame;
    char part[4096];
    size_t got = 1;
    while (got > 0) {
        T_INT(ll_ring_read(&f->host, part, sizeof part, &got), LINLI_OK);
        T_INT(ll_frame_feed(&f->reader, part, got), LINLI_OK);
    }
    if (w->out.len > w->out_taken)
        T_INT(ll_frame_feed(&f->reader, w->out.ptr + w->out_taken,
                  w->out.len - w->out_taken),
            LINLI_OK);
    w->out_taken = 0;
    ll_buf_clear(&w->out);
    while (ll_frame_next(&f->reader, &frame) == LINLI_OK)
        fake_frame(f, &frame);
}

static inline void
fake_routes(struct fake *f)
{
    struct ll_worker *w = &f->worker;
    struct ll_jv routes = ll_jv_get(ll_json_root(&w->manifest), "routes");
    LL_JSON_EACH (route, routes) {
        struct ll_worker_route *r = &f->routes[w->route_count++];
        linli_str part, rest;
        *r = (struct ll_worker_route){
            .method = ll_jv_str(ll_jv_get(route, "method")),
            .path = ll_jv_str(ll_jv_get(route, "path")),
            .feed = ll_jv_there(ll_jv_get(route, "feed"))};
        rest = r->path;
        while (ll_str_split(&rest, '/', &part))
            if (part.len > 1 && part.ptr[0] == ':')
                r->param_names[r->param_count++] =
                    (linli_str){part.ptr + 1, part.len - 1};
    }
    w->routes = f->routes;
}

#define FAKE_MANIFEST                               \
    "{\"id\":\"probe\",\"main\":\"main.lua\","      \
    "\"problems\":{\"probe/no\":{\"status\":409}}," \
    "\"routes\":[{\"method\":\"POST\",\"path\":\"/run\"}]}"

/* A worker for `manifest`, not loaded yet; files by fake_file. */
static inline struct fake *
fake_new(const char *manifest)
{
    struct fake *f = aligned_alloc(64, (sizeof *f + 63) / 64 * 64);
    memset(f, 0, sizeof *f);
    struct ll_worker *w = &f->worker;
    ll_mem_init(&w->mem, (size_t)256 << 20);
    ll_arena_init(&w->arena, &w->mem, (size_t)4 << 20);
    ll_json_init(&w->manifest, &w->mem);
    ll_json_init(&w->body, &w->mem);
    ll_buf_init(&w->out, &w->mem, 4 * LL_FRAME_BYTES_MAX);
    ll_buf_init(&w->call_bytes, &w->mem, LL_FRAME_BYTES_MAX);
    ll_frame_reader_init(&f->reader, &w->mem);
    ll_ring_init(&w->ring, &f->mine, &f->theirs);
    ll_ring_init(&f->host, &f->theirs, &f->mine);
    w->config = (struct ll_worker_config){.plugin_id = LINLI_STR("probe"),
        .version = LINLI_STR("1.0.0"),
        .community = LINLI_STR("demo"),
        .config_json = LINLI_STR("{}"),
        .zone = LINLI_STR("Asia/Shanghai"),
        .memory_bytes = LL_MEMORY_BYTES_DEFAULT,
        .burst_ms = 5000, /* a busy machine must not fail a test */
        .drafts = true};
    f->zone[0] = (struct ll_zone_change){INT64_MIN, 8 * 3600};
    w->config.zone_changes = f->zone;
    w->config.zone_change_count = 1;
    T_INT(
        ll_json_parse(&w->manifest, ll_cstr(manifest), 16, &f->err), LINLI_OK);
    w->files = f->files;
    w->engine = &ll_lua_engine;
    fake_routes(f);
    return f;
}

/* `text` must live as long as the worker. */
static inline void
fake_file(struct fake *f, const char *path, const char *text)
{
    f->files[f->worker.file_count++] =
        (struct ll_worker_file){ll_cstr(path), ll_cstr(text)};
}

static inline linli_status
fake_load(struct fake *f)
{
    linli_status status = ll_lua_engine.prepare(&f->worker, &f->err);
    if (status == LINLI_OK)
        status = ll_lua_engine.load(&f->worker, &f->err);
    fake_read(f);
    return status;
}

/* A plugin of one route, POST /run, whose handler is `code`. */
static inline struct fake *
fake_handler(const char *code)
{
    struct fake *f = fake_new(FAKE_MANIFEST);
    (void)snprintf(f->main, sizeof f->main,
        "local linli = require 'linli' local p = linli.plugin() "
        "p:post('/run', function(call) %s\nend) return p",
        code);
    fake_file(f, "main.lua", f->main);
    linli_status status = fake_load(f);
    T_INT(status, LINLI_OK);
    if (status != LINLI_OK)
        printf("#   %s: %s\n", f->err.where, f->err.msg);
    return f;
}

static inline struct ll_call_in
fake_in(struct fake *f)
{
    return (struct ll_call_in){.call = ++f->next_call,
        .run = 1,
        .now_ms = 1772413200000, /* 2026-03-02T09:00:00+08:00 */
        .seed = 42,
        .wall_ms = 1000,
        .cpu_ms = 1000,
        .memory_bytes = f->worker.config.memory_bytes,
        .path = LINLI_STR("/run"),
        .caller_kind = LINLI_STR("resident"),
        .caller_id = LINLI_STR("r-1"),
        .caller_roles = LINLI_STR("[\"owner\"]"),
        .locale = LINLI_STR("zh-CN"),
        .trace_id = LINLI_STR("0123456789abcdef0123456789abcdef")};
}

/* As the loop does: the frame's bytes are gone after the engine returns. */
static inline void
fake_begin(struct fake *f, const struct ll_call_in *in, const char *body)
{
    struct ll_worker *w = &f->worker;
    struct ll_jv value = {NULL, 0};
    char *text = body == NULL ? NULL : strdup(body);
    struct ll_call_in copy = *in;
    char *params[LL_PATH_PARAMS_MAX] = {NULL};
    if (body != NULL) {
        T_INT(ll_json_parse(&w->body, ll_cstr(text), 16, &f->err), LINLI_OK);
        value = ll_json_root(&w->body);
        copy.has_body = true;
        copy.body = ll_cstr(text);
    }
    for (uint32_t i = 0; i < in->param_count; i++) {
        params[i] = strndup(in->params[i].ptr, in->params[i].len);
        copy.params[i].ptr = params[i];
    }
    w->runs[w->run_count++] =
        (struct ll_worker_run){.call = in->call, .run = in->run};
    ll_lua_engine.call(w, &copy, value);
    for (uint32_t i = 0; i < in->param_count; i++)
        free(params[i]);
    free(text);
    memset(&copy, 0xee, sizeof copy);
    fake_read(f);
}

static inline void
fake_call(struct fake *f, const char *body)
{
    struct ll_call_in in = fake_in(f);
    fake_begin(f, &in, body);
}

/* Answers the open host call of `call` with an encoded value. */
static inline void
fake_answer_to(
    struct fake *f, uint32_t call, linli_status status, linli_str value)
{
    char *copy = malloc(value.len + 1);
    if (value.len > 0)
        memcpy(copy, value.ptr, value.len);
    ll_lua_engine.answer(
        &f->worker, call, 1, status, (linli_str){copy, value.len});
    free(copy);
    fake_read(f);
}

/* probe_echo: the value of the last host call's list of one. */
static inline linli_str
fake_echo(const struct fake *f)
{
    return (linli_str){f->host_args + 5, f->host_args_bytes - 5};
}

static inline void fake_free(struct fake *f);

/* Cases of one handler each; what they must end with. */
struct fake_case {
    const char *code; /* of the handler */
    const char *want; /* the body; or "!CODE TEXT": a problem, TEXT in the
                         log or the detail */
};

static inline bool
fake_ended_as(const struct fake *f, const char *want)
{
    if (want[0] != '!')
        return f->status >= 200 && strcmp(f->body, want) == 0;
    const char *text = strchr(want, ' ');
    size_t n = text == NULL ? strlen(want + 1) : (size_t)(text - want - 1);
    if (f->status != 0 || strlen(f->code) != n ||
        memcmp(f->code, want + 1, n) != 0)
        return false;
    return text == NULL || strstr(f->log, text + 1) != NULL ||
           strstr(f->detail, text + 1) != NULL;
}

static inline void
fake_check(const struct fake *f, const char *code, const char *want)
{
    t_checks++;
    if (fake_ended_as(f, want))
        return;
    t_fail(__FILE__, __LINE__, code);
    printf("#   want %s\n#   got  %d %s %s %s %s\n", want, f->status,
        f->status == 0 ? f->code : f->body, f->status == 0 ? f->detail : "",
        f->status == 0 ? f->log : "", f->status == 0 ? f->errors : "");
}

static inline void
fake_run_cases(const struct fake_case *cases, size_t count, const char *body)
{
    for (size_t i = 0; i < count; i++) {
        struct fake *f = fake_handler(cases[i].code);
        fake_call(f, body);
        T_INT(f->ended, 1);
        fake_check(f, cases[i].code, cases[i].want);
        fake_free(f);
    }
}
#define FAKE_CASES(cases, body) \
    fake_run_cases(cases, sizeof(cases) / sizeof((cases)[0]), body)

static inline void
fake_free(struct fake *f)
{
    struct ll_worker *w = &f->worker;
    if (w->engine_state != NULL)
        ll_lua_engine.end(w);
    ll_buf_fini(&w->out);
    ll_buf_fini(&w->call_bytes);
    ll_frame_reader_fini(&f->reader);
    ll_json_fini(&w->manifest);
    ll_json_fini(&w->body);
    ll_arena_fini(&w->arena);
    T_INT(w->mem.used_bytes, 0);
    free(f);
}

#endif
