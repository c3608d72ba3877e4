/* tests/abi/layout.c: prints what a compiled plugin depends on.
 *
 *   layout layout    every struct: size, offset and type of each member
 *   layout symbols   names and numbers: exports, constants, host calls
 *
 * The lists below are checked by the compiler and against each other: a
 * member of another type does not compile, a member left out leaves a gap,
 * and a gap ends the program with 1.
 */
#include <stdio.h>
#include <string.h>

#include <linli/plugin.h>

/* D(struct, member, type): data.  F(struct, member, result, arguments):
 * a pointer to a function. */
#define STR_MEMBERS(D, F)           \
    D(linli_str, ptr, const char *) \
    D(linli_str, len, size_t)
#define CORE_MEMBERS(D, F)                                              \
    D(linli_core, size, uint32_t)                                       \
    D(linli_core, level, uint32_t)                                      \
    F(linli_core, query, const void *, (uint64_t, linli_str))           \
    F(linli_core, reply, linli_status, (uint64_t, int32_t, linli_str))  \
    F(linli_core, fail, linli_status, (uint64_t, linli_str, linli_str)) \
    F(linli_core, log, linli_status, (uint64_t, uint32_t, linli_str))   \
    F(linli_core, meter, linli_status, (uint64_t, linli_str, int64_t))
#define PARAM_MEMBERS(D, F)         \
    D(linli_param, name, linli_str) \
    D(linli_param, value, linli_str)
#define ZONE_CHANGE_MEMBERS(D, F)          \
    D(linli_zone_change, from_ms, int64_t) \
    D(linli_zone_change, offset_s, int64_t)
#define CALL_MEMBERS(D, F)                                 \
    D(linli_call, size, uint32_t)                          \
    D(linli_call, kind, uint32_t)                          \
    D(linli_call, ctx, uint64_t)                           \
    D(linli_call, route, uint32_t)                         \
    D(linli_call, param_count, uint32_t)                   \
    D(linli_call, params, const linli_param *)             \
    D(linli_call, method, linli_str)                       \
    D(linli_call, path, linli_str)                         \
    D(linli_call, query, linli_str)                        \
    D(linli_call, caller_kind, linli_str)                  \
    D(linli_call, caller_id, linli_str)                    \
    D(linli_call, caller_roles, linli_str)                 \
    D(linli_call, locale, linli_str)                       \
    D(linli_call, zone, linli_str)                         \
    D(linli_call, zone_changes, const linli_zone_change *) \
    D(linli_call, zone_change_count, uint32_t)             \
    D(linli_call, reserved, uint32_t)                      \
    D(linli_call, now_ms, int64_t)                         \
    D(linli_call, seed, uint64_t)                          \
    D(linli_call, wall_ms, int64_t)                        \
    D(linli_call, cpu_ms, int64_t)                         \
    D(linli_call, memory_bytes, int64_t)                   \
    D(linli_call, trace_id, linli_str)                     \
    D(linli_call, body, linli_str)
#define CREATE_MEMBERS(D, F)                  \
    D(linli_create, size, uint32_t)           \
    D(linli_create, reserved, uint32_t)       \
    D(linli_create, ctx, uint64_t)            \
    D(linli_create, core, const linli_core *) \
    D(linli_create, config, linli_str)        \
    D(linli_create, community, linli_str)
#define STATE_MEMBERS(D, F)          \
    D(linli_state, size, uint32_t)   \
    D(linli_state, schema, uint32_t) \
    D(linli_state, bytes, linli_str)
#define PLUGIN_MEMBERS(D, F)                                               \
    D(linli_plugin, size, uint32_t)                                        \
    D(linli_plugin, level, uint32_t)                                       \
    D(linli_plugin, draft, uint32_t)                                       \
    D(linli_plugin, reserved, uint32_t)                                    \
    D(linli_plugin, id, linli_str)                                         \
    D(linli_plugin, version, linli_str)                                    \
    D(linli_plugin, required, const linli_str *)                           \
    D(linli_plugin, optional, const linli_str *)                           \
    D(linli_plugin, required_count, uint32_t)                              \
    D(linli_plugin, optional_count, uint32_t)                              \
    F(linli_plugin, create, linli_status, (const linli_create *, void **)) \
    F(linli_plugin, call, linli_status, (void *, const linli_call *))      \
    F(linli_plugin, drain, void, (void *))                                 \
    F(linli_plugin, destroy, void, (void *))                               \
    F(linli_plugin, save, linli_status, (void *, linli_state *))           \
    F(linli_plugin, restore, linli_status, (void *, const linli_state *))
#define PROBE_0_MEMBERS(D, F)                                                \
    D(linli_probe_0, size, uint32_t)                                         \
    D(linli_probe_0, reserved, uint32_t)                                     \
    F(linli_probe_0, echo, linli_status, (uint64_t, linli_str, linli_str *)) \
    F(linli_probe_0, wait, linli_status, (uint64_t, int64_t))

#define STRUCTS(S)                            \
    S(linli_str, STR_MEMBERS)                 \
    S(linli_core, CORE_MEMBERS)               \
    S(linli_param, PARAM_MEMBERS)             \
    S(linli_zone_change, ZONE_CHANGE_MEMBERS) \
    S(linli_call, CALL_MEMBERS)               \
    S(linli_create, CREATE_MEMBERS)           \
    S(linli_state, STATE_MEMBERS)             \
    S(linli_plugin, PLUGIN_MEMBERS)           \
    S(linli_probe_0, PROBE_0_MEMBERS)

#define NUMBERS(N)         \
    N(LINLI_ABI_LEVEL)     \
    N(LINLI_CALL_REQUEST)  \
    N(LINLI_LOG_DEBUG)     \
    N(LINLI_LOG_INFO)      \
    N(LINLI_LOG_WARN)      \
    N(LINLI_LOG_ERROR)     \
    N(LINLI_OK)            \
    N(LINLI_E_UNSUPPORTED) \
    N(LINLI_E_INVALID)     \
    N(LINLI_E_DENIED)      \
    N(LINLI_E_CONSENT)     \
    N(LINLI_E_QUOTA)       \
    N(LINLI_E_DEADLINE)    \
    N(LINLI_E_CANCELLED)   \
    N(LINLI_E_AGAIN)       \
    N(LINLI_E_CONFLICT)    \
    N(LINLI_E_INTERNAL)    \
    N(LINLI_E_NOMEM)       \
    N(LINLI_E_NOT_FOUND)   \
    N(LINLI_E_IO)          \
    N(LINLI_E_LIMIT)       \
    N(LINLI_E_PROTOCOL)    \
    N(LINLI_E_CLOSED)

struct member {
    const char *name, *type;
    size_t offset, size;
};

#define SAME_TYPE(type, member, want)                                        \
    _Static_assert(                                                          \
        __builtin_types_compatible_p(__typeof__(((type *)0)->member), want), \
        #type "." #member " is listed with another type");
#define ASSERT_DATA(type, member, want) SAME_TYPE(type, member, want)
#define ASSERT_FUNCTION(type, member, result, args) \
    SAME_TYPE(type, member, result(*) args)
#define ASSERT_STRUCT(type, members) members(ASSERT_DATA, ASSERT_FUNCTION)
STRUCTS(ASSERT_STRUCT)

#define ROW(type, member, text) \
    {#member, text, offsetof(type, member), sizeof(((type *)0)->member)},
#define ROW_DATA(type, member, want) ROW(type, member, #want)
#define ROW_FUNCTION(type, member, result, args) \
    ROW(type, member, #result " (*)" #args)

/* Prints one struct; 1 if its members do not cover it. */
static int
print_struct(
    const char *name, size_t size, const struct member *members, size_t count)
{
    size_t end = 0;
    printf("struct %s %zu\n", name, size);
    for (size_t i = 0; i < count; i++) {
        printf("  %zu %zu %s %s\n", members[i].offset, members[i].size,
            members[i].name, members[i].type);
        if (members[i].offset != end) {
            fprintf(
                stderr, "layout: gap before %s.%s\n", name, members[i].name);
            return 1;
        }
        end = members[i].offset + members[i].size;
    }
    if (end != size)
        fprintf(stderr, "layout: gap at the end of %s\n", name);
    return end != size;
}

static int
print_layout(void)
{
    int bad = 0;
    printf("level %d draft %d\n", LINLI_ABI_LEVEL, LINLI_ABI_DRAFT);
    printf("pointer %zu little-endian %d\n", sizeof(void *),
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
#define PRINT(type, members)                                                   \
    {                                                                          \
        static const struct member list[] = {members(ROW_DATA, ROW_FUNCTION)}; \
        bad |= print_struct(                                                   \
            #type, sizeof(type), list, sizeof(list) / sizeof(*list));          \
    }
    STRUCTS(PRINT)
    return bad;
}

static int
print_symbols(void)
{
    printf("level %d draft %d\n", LINLI_ABI_LEVEL, LINLI_ABI_DRAFT);
    printf("export linli_plugin_v1 const linli_plugin *(void)\n");
#define NUMBER(name) printf("number %s %lld\n", #name, (long long)(name));
    NUMBERS(NUMBER)
    printf("interface %s linli_probe_0\n", LINLI_PROBE_0);
#define H(number, name, interface, draft, args, answer)                      \
    printf("hostcall %d %s %s %s \"%s\" \"%s\"\n", number, #name, interface, \
        draft ? "draft" : "stable", args, answer);
#include "wire/hostcall.def"
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "layout") == 0)
        return print_layout();
    if (argc == 2 && strcmp(argv[1], "symbols") == 0)
        return print_symbols();
    fprintf(stderr, "usage: layout layout|symbols\n");
    return 2;
}
