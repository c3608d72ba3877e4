/* tests/unit/lua_host.h: a host that plays its part line by line.
 *
 * A case is a handler, the operations it asks for and what each is answered
 * with. Arguments and answers are written as JSON: bytes are strings, nil is
 * null.
 */
#ifndef LUA_HOST_H
#define LUA_HOST_H

#include "lua_fake.h"
#include "worker/native.h"

enum {
#define H(number, name, interface, draft, writes, args, answer) \
    OP_##name = number,
#include "wire/hostcall.def"
#undef H
};

#define HOST_MANIFEST                                                    \
    "{\"id\":\"probe\",\"main\":\"main.lua\","                           \
    "\"problems\":{\"probe/no\":{\"status\":409}},"                      \
    "\"collections\":{\"booking\":{},\"pass\":{}},"                      \
    "\"timers\":[\"expire\",\"remind\"],"                                \
    "\"events\":{\"publishes\":[\"probe.done\"],\"handles\":"            \
    "[\"shop.paid\"]},"                                                  \
    "\"routes\":[{\"method\":\"POST\",\"path\":\"/run\"},"               \
    "{\"method\":\"GET\",\"path\":\"/feed\",\"feed\":{\"event\":\"x\"}}" \
    "]}"

struct host_step {
    uint32_t op;      /* 0: no more */
    const char *args; /* as JSON */
    linli_status status;
    const char *answer; /* as JSON */
};

struct host_case {
    const char *code; /* of the handler */
    struct host_step steps[3];
    const char *want; /* as in fake_case */
};

/* Handlers of all that HOST_MANIFEST declares; `code` is that of /run. */
static inline struct fake *
host_handler(const char *code)
{
    struct fake *f = fake_new(HOST_MANIFEST);
    (void)snprintf(f->main, sizeof f->main,
        "local linli = require 'linli' local p = linli.plugin() "
        "p:timer('expire', function(call, with) end) "
        "p:timer('remind', function(call, with) end) "
        "p:event('shop.paid', function(call, event) end) "
        "p:post('/run', function(call) %s\nend) return p",
        code);
    fake_file(f, "main.lua", f->main);
    linli_status status = fake_load(f);
    T_INT(status, LINLI_OK);
    if (status != LINLI_OK)
        printf("#   %s: %s\n", f->err.where, f->err.msg);
    return f;
}

/* Answers the open host call. */
static inline void
host_answer(struct fake *f, linli_status status, const char *json)
{
    struct ll_mem mem;
    struct ll_json tape;
    struct ll_buf value;
    ll_mem_init(&mem, 0);
    ll_json_init(&tape, &mem);
    ll_buf_init(&value, &mem, LL_FRAME_BYTES_MAX);
    T_INT(ll_json_parse(&tape, ll_cstr(json), 16, &f->err), LINLI_OK);
    T_INT(ll_native_put_json(&value, &tape), LINLI_OK);
    fake_answer_to(f, f->host_call, status, ll_buf_view(&value));
    ll_buf_fini(&value);
    ll_json_fini(&tape);
}

/* True if the last host call was this one. */
static inline void
host_check(const struct fake *f, uint32_t op, const char *args)
{
    struct ll_mem mem;
    struct ll_buf text;
    ll_mem_init(&mem, 0);
    ll_buf_init(&text, &mem, LL_FRAME_BYTES_MAX);
    T_INT(f->host_op, op);
    T_INT(ll_native_get_json(
              &text, (linli_str){f->host_args, f->host_args_bytes}),
        LINLI_OK);
    T_STR(ll_buf_view(&text), args);
    ll_buf_fini(&text);
}

static inline void
host_play(struct fake *f, const struct host_case *c)
{
    int asked = 0;
    fake_call(f, "{\"n\":null}");
    for (size_t i = 0; i < LL_COUNT(c->steps) && c->steps[i].op != 0; i++) {
        const struct host_step *step = &c->steps[i];
        T_INT(f->host_calls, ++asked);
        if (f->host_calls != asked)
            break;
        host_check(f, step->op, step->args);
        host_answer(f, step->status, step->answer);
    }
    T_INT(f->host_calls, asked);
    T_INT(f->ended, 1);
    fake_check(f, c->code, c->want);
    T_OK(ll_lua_engine.idle(&f->worker));
}

static inline void
host_run_cases(const struct host_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fake *f = host_handler(cases[i].code);
        host_play(f, &cases[i]);
        fake_free(f);
    }
}
#define HOST_CASES(cases) host_run_cases(cases, LL_COUNT(cases))

#endif
