/* cmd/linli_replay.h: one recorded run, run again and compared.
 *
 * The worker is started as linlid starts it; it is told what the trace says
 * and answered what the trace says. What it does is compared as it comes.
 */
#ifndef LL_CMD_LINLI_REPLAY_H
#define LL_CMD_LINLI_REPLAY_H

#include "cmd/linli_trace.h"
#include "plugin/pool.h"

/* What replays share: the loop and who starts workers. */
struct ll_replayer {
    struct ll_mem *mem;
    struct ll_world *world;
    struct ll_spawner *spawner;
};

/* One difference, or none. */
struct ll_difference {
    char what[96];             /* "host call 3, db_put"; empty: none */
    struct ll_buf before, now; /* JSON of many lines, or the log's lines */
};

struct ll_replay {
    const struct ll_replayer *by;
    const struct ll_trace_file *trace;
    struct ll_package *package; /* a reference */
    struct ll_supervisor supervisor;
    struct ll_pool *pool;
    struct ll_run run;
    struct ll_run_tap tap;
    size_t at;           /* the recorded frame that must come next */
    uint32_t host_calls; /* answered, of this run */
    uint32_t log_lines;  /* heard */
    bool refused;        /* the plugin could not be loaded: `err` */
    bool started, stopped, over, closed;
    bool cut;                  /* nothing was recorded of what came next */
    struct ll_difference call; /* a host call or the word */
    struct ll_difference log;
    struct ll_err err;
};

/* Runs a trace with a package, whose reference it takes. LINLI_OK: it ran,
 * and what differed stands in `call` and `log`. Free it in any case. */
linli_status ll_replay_run(struct ll_replay *replay,
    const struct ll_replayer *by, const struct ll_trace_file *trace,
    struct ll_package *package, struct ll_err *err) LL_USE_RESULT;
void ll_replay_free(struct ll_replay *replay);

#endif
