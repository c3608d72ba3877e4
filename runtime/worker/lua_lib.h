/* worker/lua_lib.h: what plugins are given, and how values cross. [worker]
 *
 * Functions that open something leave the stack as it was but for what they
 * say, and raise Lua errors: call them protected. Indices are Lua's.
 */
#ifndef LL_WORKER_LUA_LIB_H
#define LL_WORKER_LUA_LIB_H

#include "worker/lua_engine.h"

/* An operation of the host, as it is asked for and as errors name it. */
struct ll_lua_op {
    uint32_t number;      /* of wire/hostcall.def */
    const char *prefix;   /* "call.host.", "call.db.", "call" */
    linli_str collection; /* of call.db, or empty */
    const char *name;     /* "probe_echo", ":insert", ":timer" */
    const char *use;      /* "(id)": what is written after it; not of drafts */
};

/* What a message about a value begins with. */
struct ll_lua_subject {
    const struct ll_lua_op *op; /* or NULL */
    const char *what;           /* "the document" */
};

/* -- lua_base.c -- */

/* Fills the table of globals on top by copying in what plugins may have,
 * spec/lua.md section 2; nothing else of the stock libraries stays. */
void ll_lua_open_base(lua_State *L);
/* Replaces the value on top by its text: no address, ever. */
void ll_lua_to_text(lua_State *L);
/* "table.sort", of a library's function on top, or NULL; borrowed. */
const char *ll_lua_function_name(lua_State *L);

/* -- lua_random.c -- */

/* `random` into the table on top. */
void ll_lua_open_random(lua_State *L);
void ll_lua_seed(struct ll_lua_run *run, uint64_t seed);

/* -- lua_order.c -- */

/* `pairs` and `next` into the table on top. */
void ll_lua_open_order(lua_State *L);
/* table.sort: stable, and the same on every machine. */
int ll_lua_sort(lua_State *L);

/* -- lua_freeze.c -- */

/* `rawget rawset rawlen` into the table on top. */
void ll_lua_open_raw(lua_State *L);
/* What an error says: "WHAT 'name' cannot be set; FIX". Static texts. */
struct ll_lua_frozen_text {
    const char *what, *fix;
};
/* Makes the table at `index` read-only in place: its fields move to a table
 * that only its new metatable knows. */
void ll_lua_freeze(lua_State *L, int index, struct ll_lua_frozen_text text);
/* Replaces the table on top by an empty one that reads from it, which can be
 * written if `open` until ll_lua_shut. */
void ll_lua_seal(lua_State *L, struct ll_lua_frozen_text text, bool open);
void ll_lua_shut(lua_State *L, int index, struct ll_lua_frozen_text text);
/* If the table at `index` is one of these, pushes what holds its fields and
 * returns true. */
bool ll_lua_frozen(lua_State *L, int index);
/* Pushes a __newindex that refuses with the text. */
void ll_lua_push_refusal(lua_State *L, struct ll_lua_frozen_text text);

/* -- lua_shape.c -- */

/* A table as data: what it is, and its contents on the stack in the order
 * they are written. Raw access only. */
struct ll_lua_member {
    linli_str key; /* of a map */
    int at;        /* stack index of the value */
};
struct ll_lua_shape {
    bool list;
    uint32_t count;
    int first; /* a list's values start at this stack index */
    struct ll_lua_member *members; /* a map's, by key bytewise */
    struct ll_lua_member few[16];
};
/* Fills `shape` from the table at `index` (absolute) and leaves what it
 * needs on the stack. NULL, or what is wrong with the table. */
const char *ll_lua_shape(
    lua_State *L, int index, size_t max, struct ll_lua_shape *shape);

/* Where in a value a walk is, for its error. */
struct ll_lua_path {
    int depth;
    struct {
        linli_str key;  /* ptr NULL: an item of a list */
        uint32_t index; /* from 1, as the author counts */
    } step[LL_LUA_JSON_DEPTH_MAX];
};
/* Raises "main.lua:7: SUBJECT at /lines/2/fee: WHAT", with the place of
 * whoever called the C function that runs. */
LL_NORETURN void ll_lua_path_error(lua_State *L,
    const struct ll_lua_subject *subject, const struct ll_lua_path *path,
    const char *what);

/* The mark of a list, so that an empty one stays one. */
void ll_lua_mark_list(lua_State *L, int index);

/* -- lua_json.c -- */

/* Pushes a value; raises Lua errors. */
void ll_lua_push_json(lua_State *L, struct ll_jv value);
/* Appends the value at `index` as JSON; raises an error that names the place
 * where it cannot be. Calls no metamethod. `subject` opens the message. */
void ll_lua_put_json(lua_State *L, int index, struct ll_buf *out,
    const struct ll_lua_subject *subject);
/* `null`, `array`, `json_encode`, `json_decode` into the table on top. */
void ll_lua_open_json(lua_State *L);
/* Its address, as a light userdata, stands for null. */
extern char ll_lua_null;

/* -- lua_value.c -- */

/* The same for the wire's values. */
void ll_lua_put_value(lua_State *L, int index, struct ll_buf *out,
    const struct ll_lua_subject *subject);
void ll_lua_push_value(lua_State *L, struct ll_rd *rd);

/* -- lua_call.c -- */

void ll_lua_open_call(lua_State *L);
/* Pushes the object of a call that begins. */
void ll_lua_push_call(lua_State *L, struct ll_lua_run *run);
/* The run that the call object at 1 stands for; raises if that is over. */
struct ll_lua_run *ll_lua_check_call(lua_State *L);
/* What the run ends with, as LL_LUA_PROBLEM; cut to what is told. */
void ll_lua_set_problem(
    struct ll_lua_run *run, linli_str code, linli_str detail);

/* -- lua_handle.c -- */

/* The function of a call's coroutine. */
int ll_lua_handle(lua_State *L);
/* Copies what the run borrowed from its frame; raises a memory error. */
void ll_lua_keep_input(lua_State *L, struct ll_lua_run *run);

/* -- lua_op.c, lua_host.c, lua_db.c, lua_effects.c: lua_op.h -- */

/* Pushes "call.db.booking:insert". */
void ll_lua_push_op_name(lua_State *L, const struct ll_lua_op *op);
/* Pushes call.host, the drafts this plugin has. */
void ll_lua_push_host(lua_State *L);
/* Pushes call.db. */
void ll_lua_push_db(lua_State *L);
/* Pushes call.data. lua_data.c */
void ll_lua_push_data(lua_State *L);
/* `timer`, `cancel`, `event` ... into the table on top. */
void ll_lua_open_effects(lua_State *L);
/* The same for call:pay, refund, payment. lua_pay.c */
void ll_lua_open_payments(lua_State *L);

/* -- lua_time.c -- */

/* `time` and `money` primitives into the table on top. */
void ll_lua_open_time(lua_State *L);

/* -- lua_plugin.c -- */

/* Pushes the table that sdk/lua is made from. */
void ll_lua_push_core(lua_State *L);
/* Raises an error unless the value on top is the plugin and every route,
 * timer and event has a handler. */
void ll_lua_check_plugin(lua_State *L);

/* -- lua_require.c -- */

/* `require` into the table on top. */
void ll_lua_open_require(lua_State *L);
/* Pushes the compiled main file; a Lua error if it cannot be. */
void ll_lua_push_main(lua_State *L);
/* Makes the modules loaded so far read-only. */
void ll_lua_freeze_modules(lua_State *L);

#endif
