/* host/log.c: JSON lines to a file or to the embedder. */
#include "host/log.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

/* Six bytes for each of a plugin's line, and what the host adds. */
#define LINE_BYTES_MAX (6 * LL_LOG_LINE_BYTES_MAX + 4096)

void
ll_log_init(struct ll_log *log, struct ll_mem *mem, struct ll_world *world)
{
    *log = (struct ll_log){.world = world};
    ll_buf_init(&log->line, mem, LINE_BYTES_MAX);
}

void
ll_log_fini(struct ll_log *log)
{
    ll_buf_fini(&log->line);
    ll_logfile_close(&log->file);
}

static void
member(struct ll_jw *w, const char *name, linli_str value)
{
    if (value.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, value);
}

void
ll_log_write(struct ll_log *log, const struct ll_log_line *line)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    char ts[LL_RFC3339_BYTES];
    if (log->file == NULL && log->sink == NULL)
        return;
    ll_rfc3339(ll_world_wall(log->world).ms, ts);
    ll_buf_clear(&log->line);
    struct ll_jw w = ll_jw(&log->line);
    ll_jw_open(&w, '{');
    member(&w, "ts", ll_cstr(ts));
    member(&w, "level", ll_cstr(levels[line->level]));
    member(&w, "code", ll_cstr(line->code));
    member(&w, "plugin", line->plugin);
    member(&w, "version", line->version);
    member(&w, "community", line->community);
    member(&w, "trace_id", line->trace_id);
    member(&w, "msg", line->msg);
    ll_jw_close(&w, '}');
    if (log->line.failed)
        return;
    if (log->sink != NULL) {
        log->sink(log->user, ll_buf_view(&log->line));
        return;
    }
    ll_buf_char(&log->line, '\n');
    ll_logfile_write(log->file, ll_buf_view(&log->line));
}
