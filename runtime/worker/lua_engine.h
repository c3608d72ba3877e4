/* worker/lua_engine.h: what the files of the Lua engine share. [worker]
 *
 *   lua_engine.c   the engine's table: load, begin, answer, cancel
 *   lua_state.c    making and dropping a lua_State
 *   lua_run.c      coroutines of calls, and their bursts
 *   lua_heap.c     memory: exact accounts, dropped as a whole
 *   lua_limit.c    the soft time limit
 *   lua_base.c     the allow-list and the wrapped base functions
 *   lua_random.c   math.random, seeded by the call
 *   lua_order.c    pairs and next in order, a stable sort
 *   lua_freeze.c   read-only tables
 *   lua_co.c       pcall, coroutines: what limits and host calls pass through
 *   lua_handle.c   a call's coroutine, and what handlers return
 *   lua_call.c     the call object and problems
 *   lua_op.c       operations of the host: there and back
 *   lua_host.c     call.host, the drafts
 *   lua_db.c       call.db, the plugin's collections
 *   lua_effects.c  call:timer, event, meter ...
 *   lua_shape.c    tables as lists and maps
 *   lua_json.c     JSON tape to Lua values, Lua values to JSON
 *   lua_value.c    the same for the wire's values
 *   lua_plugin.c   routes, log and configuration for sdk/lua
 *   lua_time.c     calendar and money for sdk/lua
 *   lua_require.c  package files and the embedded modules of sdk/lua
 *
 * One lua_State serves many calls, each in a coroutine of its own. Plugin
 * code never runs on the main thread of a state and never outside a run:
 * loading is a run too (call 0). Every thread's extra space points to a tag,
 * which leads from any C function to its state. A state is never closed: its
 * heap is dropped whole, so nothing of the plugin runs then.
 */
#ifndef LL_WORKER_LUA_ENGINE_H
#define LL_WORKER_LUA_ENGINE_H

#include <lauxlib.h>
#include <lua.h>

#include "worker/lua_heap.h"
#include "worker/worker.h"

/* Why a run must end; whatever but ALIVE passes through every pcall. */
enum ll_lua_end {
    LL_LUA_ALIVE,
    LL_LUA_TIMEOUT,   /* past a soft time limit */
    LL_LUA_MEMORY,    /* past its cap */
    LL_LUA_PROBLEM,   /* call:fail */
    LL_LUA_CANCELLED, /* the host gave its host call up */
};

/* What a thread is. The main thread and every coroutine the plugin makes
 * are INNER; a coroutine that waits, with its run, for a host call belongs
 * to nobody else meanwhile. */
enum ll_lua_tag_kind { LL_LUA_INNER, LL_LUA_WAITING, LL_LUA_RUN };
struct ll_lua_state;
struct ll_lua_tag {
    enum ll_lua_tag_kind kind;
    struct ll_lua_state *state;
};

/* The soft limit of one burst. */
struct ll_lua_allowance {
    int64_t from_ns; /* when it began, ll_worker_clock_ns; the burst sets it */
    int64_t cpu_ms;
    int64_t wall_ms;
};

struct ll_lua_run {
    struct ll_lua_tag tag; /* first: the thread's extra space points here */
    struct ll_lua_run *next_free;
    lua_State *L; /* the coroutine */
    int ref;      /* what keeps it, in the registry */
    uint32_t call;
    uint16_t run;
    bool waiting; /* for the answer to a host call */
    bool shown;   /* the plugin has seen the coroutine: no use for another */
    enum ll_lua_end end;
    const struct ll_call_in *in; /* the frame's, or `kept` after a yield */
    struct ll_call_in kept;
    struct ll_buf kept_bytes;
    struct ll_jv body; /* in the first burst */
    const void *call_table;
    uint32_t unyieldable; /* resumers that a host call cannot yield through */
    lua_State *fixed;     /* the thread of the outermost of them */
    uint32_t closing;     /* coroutine.close in coroutine.close in ... */
    uint32_t host_calls;
    int64_t used_bytes;                /* net growth of the heap while it ran */
    int64_t spent_ns;                  /* in bursts */
    struct ll_lua_allowance allowance; /* of this burst */
    uint64_t refusals;                 /* of the heap, when the burst began */
    uint64_t random[4];
    linli_status answer_status;
    linli_str answer;
    int status;                       /* of the reply */
    bool has_body;                    /* the reply's body is in engine->json */
    char etag[LL_ETAG_BYTES_MAX + 1]; /* of the reply, or "" */
    char code[64];                    /* LL_LUA_PROBLEM */
    char detail[256];                 /* of it; at most this much is told */
    const struct ll_buf *errors;      /* JSON, of a request/invalid, or NULL */
};

/* Names that plugin.json declares, in its order. */
struct ll_lua_names {
    linli_str *at;
    uint32_t count;
};

/* Handlers by name: of a timer, an event ... */
#define LL_LUA_NAMED_MAX \
    64 /* of a kind; jobs have those of compliance besides */
#define LL_LUA_HANDLERS_MAX (LL_LUA_NAMED_MAX + LL_COMPLIANCE_MAX)
struct ll_lua_named {
    const char *what;   /* "timer" */
    const char *member; /* of plugin.json; "events.handles" */
    const char *method; /* p:timer */
};
/* The one name of those that a payment is handled by, p:payment. */
#define LL_LUA_PAYMENTS "payments"
/* By kind of call; of a request and, but for `what`, a payment: NULL. */
extern const struct ll_lua_named ll_lua_named[LL_CALL_KINDS];

struct ll_lua {
    struct ll_worker *worker;
    struct ll_lua_names named[LL_CALL_KINDS], collections;
    struct ll_lua_state *states; /* the one that admits calls comes first */
    struct ll_lua_run *current;  /* whose code runs */
    struct ll_lua_run *open[LL_WORKER_CALLS_MAX];
    uint32_t open_count;
    struct ll_lua_total total;
    struct ll_buf json;    /* the body of a reply */
    struct ll_buf args;    /* of a host call */
    struct ll_buf log;     /* one line */
    struct ll_buf errors;  /* of a request/invalid */
    struct ll_buf scratch; /* bytes that live within one C function */
    struct ll_json tape;   /* configuration, roles */
};

struct ll_lua_state {
    struct ll_lua_tag inner, waiting;
    struct ll_lua_state *next;
    struct ll_lua *engine;
    lua_State *L; /* the main thread */
    struct ll_lua_heap heap;
    struct ll_lua_run *pool; /* runs with a coroutine, ready for use */
    uint32_t pooled;
    uint32_t open; /* runs in this state */
    bool retired;  /* admits no call */
    bool loaded;
    size_t loaded_bytes; /* footprint of the heap after load */
    /* Registry references, or LUA_NOREF, by place in plugin.json. */
    int handlers[LL_ROUTES_MAX];
    int named[LL_CALL_KINDS][LL_LUA_HANDLERS_MAX];
    int call_meta, list_mark; /* metatables, in the registry */
    const void *list_mark_at, *collection_at;
};

/* The place of a name; `count` if it is not there. */
uint32_t ll_lua_name_index(const struct ll_lua_names *names, linli_str name);

static inline struct ll_lua_state *
ll_lua_state(lua_State *L)
{
    return (*(struct ll_lua_tag **)lua_getextraspace(L))->state;
}

static inline struct ll_lua_run *
ll_lua_run(lua_State *L)
{
    return ll_lua_state(L)->engine->current;
}

static inline void
ll_lua_set_tag(lua_State *L, struct ll_lua_tag *tag)
{
    *(struct ll_lua_tag **)lua_getextraspace(L) = tag;
}

static inline enum ll_lua_tag_kind
ll_lua_kind(lua_State *L)
{
    return (*(struct ll_lua_tag **)lua_getextraspace(L))->kind;
}

/* -- lua_state.c -- */

/* Makes a state, runs main.lua and takes its handlers. On failure `err` is
 * filled and nothing is kept. `call` is the one that needs the state, 0 at
 * the start; `soft_ms` is the time main.lua may take. */
linli_status ll_lua_state_new(struct ll_lua *lua, uint32_t call,
    int64_t soft_ms, struct ll_lua_state **out,
    struct ll_err *err) LL_USE_RESULT;
/* Drops a state without open runs, and all its memory. */
void ll_lua_state_drop(struct ll_lua_state *state);

/* -- lua_run.c -- */

/* A run with a fresh or reused coroutine; NULL: no memory. */
struct ll_lua_run *ll_lua_run_new(struct ll_lua_state *state);
/* Takes it out of use; its coroutine is kept for another if `clean`. */
void ll_lua_run_free(struct ll_lua_run *run, bool clean);
/* One burst of plugin code, within all limits: resumes the run's coroutine
 * with the function or the answer that waits there. Returns lua_resume's
 * status. */
int ll_lua_burst(struct ll_lua_run *run, struct ll_lua_allowance allowance);
/* The error of a coroutine that failed and its traceback, for the log;
 * valid until the next. Runs no plugin code. */
linli_str ll_lua_describe(struct ll_lua_run *run, int status);

/* Room for `n` more values on the stack; raises "stack overflow (WHAT)", or
 * ends the run if it is memory that is short. `what` may be NULL. */
void ll_lua_stack(lua_State *L, int n, const char *what);

/* -- lua_limit.c -- */

/* Arms the timer, once per process, before the last filter. */
linli_status ll_lua_limit_arm(struct ll_err *err) LL_USE_RESULT;
/* Around a burst. `L` is the thread that runs first. */
void ll_lua_limit_begin(lua_State *L, struct ll_lua_allowance allowance);
void ll_lua_limit_end(void);
/* Another thread runs now; returns the one before. */
lua_State *ll_lua_limit_enter(lua_State *L);
/* True once the burst is past its time. */
bool ll_lua_limit_due(void);

/* -- lua_co.c -- */

/* `pcall xpcall` into the table on top; pushes `coroutine`. */
void ll_lua_open_protected(lua_State *L);
void ll_lua_open_coroutine(lua_State *L);
/* What coroutine.wrap gives is a closure of this. */
int ll_lua_wrap_call(lua_State *L);
/* True if the run must end, given the status of a call that failed (or
 * LUA_OK): then the error goes on, whoever catches it. */
bool ll_lua_ending(lua_State *L, int status);
/* Ends the run: no pcall, no __close handler is met on the way out. */
LL_NORETURN void ll_lua_end_run(lua_State *L, enum ll_lua_end end);
/* The same for want of time, from a hook; may return, to it. */
void ll_lua_time_out(lua_State *L);
/* Raises the end of a run that is over its time. */
static inline void
ll_lua_check_due(lua_State *L)
{
    if (LL_UNLIKELY(ll_lua_limit_due()))
        ll_lua_end_run(L, LL_LUA_TIMEOUT);
}

#endif
