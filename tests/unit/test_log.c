/* tests/unit/test_log.c: lines of the log, whatever stands in them. */
#include "host/log.h"

#include "base/json.h"
#include "base/limits.h"
#include "t.h"

static struct ll_mem mem;
static int lines;
static size_t msg_bytes;

static void
on_line(void *user, linli_str line)
{
    struct ll_json json;
    (void)user;
    lines++;
    ll_json_init(&json, &mem);
    T_INT(ll_json_parse(&json, line, LL_JSON_DEPTH_MAX, NULL), LINLI_OK);
    msg_bytes = ll_jv_str(ll_jv_get(ll_json_root(&json), "msg")).len;
    ll_json_fini(&json);
}

/* The longest line a plugin may write, of bytes that need the most room. */
T_CASE(no_line_of_a_plugin_is_lost)
{
    static const char bytes[] = {'x', '"', '\n', '\x01', '\x7f', '\xff'};
    static char text[LL_LOG_LINE_BYTES_MAX];
    struct ll_world *world;
    struct ll_log log;
    struct ll_err err;
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &world, &err), LINLI_OK);
    ll_log_init(&log, &mem, world);
    log.sink = on_line;
    for (size_t i = 0; i < sizeof bytes; i++) {
        memset(text, bytes[i], sizeof text);
        struct ll_log_line line = {.level = LL_INFO,
            .code = "plugin.log",
            .plugin = LINLI_STR("probe"),
            .msg = {text, sizeof text}};
        lines = 0;
        ll_log_write(&log, &line);
        T_INT(lines, 1);
        T_OK(msg_bytes >= sizeof text);
    }
    ll_log_fini(&log);
    ll_world_free(&world);
    T_INT(mem.used_bytes, 0);
}

T_MAIN(T_RUN(no_line_of_a_plugin_is_lost))
