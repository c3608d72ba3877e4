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
    F(linli_core, meter, linli_status, (uint64_t, linli_str, int64_t))  \
    F(linli_core, etag, linli_status, (uint64_t, linli_str))
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
    D(linli_call, body, linli_str)                         \
    D(linli_call, name, linli_str)                         \
    D(linli_call, input, linli_str)                        \
    D(linli_call, due_ms, int64_t)                         \
    D(linli_call, late, uint32_t)                          \
    D(linli_call, reserved2, uint32_t)                     \
    D(linli_call, if_match, linli_str)                     \
    D(linli_call, bound_to, linli_str)                     \
    D(linli_call, device_kind, linli_str)                  \
    D(linli_call, resident, linli_str)
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
#define DB_1_MEMBERS(D, F)                                                \
    D(linli_db_1, size, uint32_t)                                         \
    D(linli_db_1, reserved, uint32_t)                                     \
    F(linli_db_1, get, linli_status,                                      \
        (uint64_t, linli_str, linli_str, linli_str *))                    \
    F(linli_db_1, insert, linli_status,                                   \
        (uint64_t, linli_str, linli_str, linli_str *))                    \
    F(linli_db_1, put, linli_status,                                      \
        (uint64_t, linli_str, linli_str, linli_str *))                    \
    F(linli_db_1, patch, linli_status,                                    \
        (uint64_t, linli_str, linli_str, linli_str, linli_str *))         \
    F(linli_db_1, remove, linli_status, (uint64_t, linli_str, linli_str)) \
    F(linli_db_1, list, linli_status,                                     \
        (uint64_t, linli_str, linli_str, linli_str *))                    \
    F(linli_db_1, count, linli_status,                                    \
        (uint64_t, linli_str, linli_str, int64_t *))                      \
    F(linli_db_1, overlaps, linli_status,                                 \
        (uint64_t, linli_str, linli_str, linli_str *))                    \
    F(linli_db_1, conflict, linli_status, (uint64_t, linli_str *))
#define TIMER_MEMBERS(D, F)            \
    D(linli_timer, size, uint32_t)     \
    D(linli_timer, reserved, uint32_t) \
    D(linli_timer, at_ms, int64_t)     \
    D(linli_timer, run, linli_str)     \
    D(linli_timer, with, linli_str)    \
    D(linli_timer, key, linli_str)     \
    D(linli_timer, subject, linli_str)
#define TIMER_1_MEMBERS(D, F)                         \
    D(linli_timer_1, size, uint32_t)                  \
    D(linli_timer_1, reserved, uint32_t)              \
    F(linli_timer_1, set, linli_status,               \
        (uint64_t, const linli_timer *, linli_str *)) \
    F(linli_timer_1, cancel, linli_status, (uint64_t, linli_str))
#define EVENT_1_MEMBERS(D, F)            \
    D(linli_event_1, size, uint32_t)     \
    D(linli_event_1, reserved, uint32_t) \
    F(linli_event_1, emit, linli_status, \
        (uint64_t, linli_str, linli_str, linli_str))
#define USAGE_MEMBERS(D, F)             \
    D(linli_usage, size, uint32_t)      \
    D(linli_usage, reserved, uint32_t)  \
    D(linli_usage, meter, linli_str)    \
    D(linli_usage, quantity, int64_t)   \
    D(linli_usage, event_id, linli_str) \
    D(linli_usage, at_ms, int64_t)      \
    D(linli_usage, reverses, linli_str)
#define METER_1_MEMBERS(D, F)            \
    D(linli_meter_1, size, uint32_t)     \
    D(linli_meter_1, reserved, uint32_t) \
    F(linli_meter_1, add, linli_status,  \
        (uint64_t, const linli_usage *, uint32_t *))
#define CODE_1_MEMBERS(D, F)                \
    D(linli_code_1, size, uint32_t)         \
    D(linli_code_1, reserved, uint32_t)     \
    F(linli_code_1, try_code, linli_status, \
        (uint64_t, linli_str, linli_str, linli_str, uint32_t *))
#define ALERT_1_MEMBERS(D, F)             \
    D(linli_alert_1, size, uint32_t)      \
    D(linli_alert_1, reserved, uint32_t)  \
    F(linli_alert_1, raise, linli_status, \
        (uint64_t, linli_str, linli_str, linli_str))

#define STRUCTS(S)                            \
    S(linli_str, STR_MEMBERS)                 \
    S(linli_core, CORE_MEMBERS)               \
    S(linli_param, PARAM_MEMBERS)             \
    S(linli_zone_change, ZONE_CHANGE_MEMBERS) \
    S(linli_call, CALL_MEMBERS)               \
    S(linli_create, CREATE_MEMBERS)           \
    S(linli_state, STATE_MEMBERS)             \
    S(linli_plugin, PLUGIN_MEMBERS)           \
    S(linli_probe_0, PROBE_0_MEMBERS)         \
    S(linli_db_1, DB_1_MEMBERS)               \
    S(linli_timer, TIMER_MEMBERS)             \
    S(linli_timer_1, TIMER_1_MEMBERS)         \
    S(linli_event_1, EVENT_1_MEMBERS)         \
    S(linli_usage, USAGE_MEMBERS)             \
    S(linli_meter_1, METER_1_MEMBERS)         \
    S(linli_code_1, CODE_1_MEMBERS)           \
    S(linli_alert_1, ALERT_1_MEMBERS)

/* I(id, table): every interface. */
#define INTERFACES(I)               \
    I(LINLI_PROBE_0, linli_probe_0) \
    I(LINLI_DB_1, linli_db_1)       \
    I(LINLI_TIMER_1, linli_timer_1) \
    I(LINLI_EVENT_1, linli_event_1) \
    I(LINLI_METER_1, linli_meter_1) \
    I(LINLI_CODE_1, linli_code_1)   \
    I(LINLI_ALERT_1, linli_alert_1)

#define NUMBERS(N)         \
    N(LINLI_ABI_LEVEL)     \
    N(LINLI_CALL_REQUEST)  \
    N(LINLI_CALL_TIMER)    \
    N(LINLI_CALL_EVENT)    \
    N(LINLI_CODE_OK)       \
    N(LINLI_CODE_WRONG)    \
    N(LINLI_CODE_LOCKED)   \
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
#define INTERFACE(id, table) printf("interface %s %s\n", id, #table);
    INTERFACES(INTERFACE)
#define H(number, name, interface, draft, writes, args, answer)              \
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
