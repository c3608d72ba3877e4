/* worker/lua_op.h: operations of the host, as Lua asks for them. [worker]
 *
 * An operation is one C function that a plugin calls: it begins the
 * operation, writes its arguments, sends it and yields; its continuation
 * takes the answer. Being C, it stands right above the plugin's own line,
 * which is what its errors name. lua_host.c, lua_db.c and lua_effects.c are
 * made of these.
 */
#ifndef LL_WORKER_LUA_OP_H
#define LL_WORKER_LUA_OP_H

#include "worker/lua_lib.h"

/* Numbers of wire/hostcall.def. */
enum ll_lua_op_number {
#define H(number, name, interface, draft, writes, args, answer) \
    LL_OP_##name = number,
#include "wire/hostcall.def"
#undef H
};

/* Begins an operation of `count` arguments and returns the buffer that they
 * are written to. Raises unless it can wait here and now. */
struct ll_buf *ll_lua_op_begin(
    lua_State *L, const struct ll_lua_op *op, uint32_t count);

/* Arguments: text that must be a string, an integer, a value, a value as JSON.
 * `what` stands in errors: "the document". */
linli_str ll_lua_op_string(lua_State *L, int index);
lua_Integer ll_lua_op_integer(
    lua_State *L, const struct ll_lua_op *op, int index, const char *what);
void ll_lua_op_put_value(
    lua_State *L, const struct ll_lua_op *op, int index, const char *what);
void ll_lua_op_put_json(
    lua_State *L, const struct ll_lua_op *op, int index, const char *what);

/* A table with named members, written as a map. */
enum ll_lua_rule_type {
    LL_LUA_TEXT,
    LL_LUA_INTEGER,
    LL_LUA_BOOLEAN,
    LL_LUA_VALUES, /* a list of values */
    LL_LUA_JSON,   /* any value, as JSON; a required one is {} if absent */
};
struct ll_lua_rule {
    const char *name;
    enum ll_lua_rule_type type;
    bool required;
};
#define LL_LUA_RULES_MAX 8
/* Writes the members of the table at `index`; none or nil is a table without
 * any. Raises an error that names a member which no rule has, is of another
 * type, or is required and absent. `rules` end with the name NULL. */
void ll_lua_op_put_members(lua_State *L, const struct ll_lua_op *op, int index,
    const struct ll_lua_rule *rules);

/* Sends what was written and yields. `again` is called with `context` when
 * the answer is there. */
int ll_lua_op_send(lua_State *L, const struct ll_lua_op *op,
    lua_KContext context, lua_KFunction again);

/* For `again`: the answer. Raises what the host refused; a refusal that
 * ends the call does not return to anybody. */
struct ll_rd ll_lua_op_answer(lua_State *L, const struct ll_lua_op *op);
/* Pushes a document, given as JSON. */
void ll_lua_op_push_json(
    lua_State *L, const struct ll_lua_op *op, linli_str text);
/* Pushes any value, nil as nil. */
void ll_lua_op_push_value(lua_State *L, struct ll_rd *rd);
/* Raises "main.lua:7: call.db.booking:insert: WHAT". */
LL_NORETURN void ll_lua_op_error(
    lua_State *L, const struct ll_lua_op *op, const char *what);
/* The same, and what to write: "WHAT; write call:cancel(key)". */
LL_NORETURN void ll_lua_op_misused(
    lua_State *L, const struct ll_lua_op *op, const char *what);

#endif
