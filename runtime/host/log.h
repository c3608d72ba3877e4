/* host/log.h: the structured log, one JSON object a line. [loop]
 *
 * Members: ts, level, code, then what is known of plugin, version,
 * community, trace_id, msg. A plugin's own lines carry code "plugin.log" and
 * its id, which the host adds. No token, key or resident field is logged.
 */
#ifndef LL_HOST_LOG_H
#define LL_HOST_LOG_H

#include "base/buf.h"
#include "world/logfile.h"
#include "world/world.h"

enum ll_level { LL_DEBUG, LL_INFO, LL_WARN, LL_ERROR };

struct ll_log {
    struct ll_world *world;
    struct ll_buf line;
    struct ll_logfile *file; /* NULL: `sink`, or nowhere */
    void (*sink)(void *user, linli_str line);
    void *user;
};

/* Empty strings are left out. */
struct ll_log_line {
    enum ll_level level;
    const char *code;
    linli_str plugin, version, community, trace_id, msg;
};

/* A log that writes nowhere until `file` or `sink` is set. */
void ll_log_init(
    struct ll_log *log, struct ll_mem *mem, struct ll_world *world);
void ll_log_fini(struct ll_log *log);
void ll_log_write(struct ll_log *log, const struct ll_log_line *line);

#endif
