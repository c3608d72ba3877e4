/* cmd/linli_trace.h: a trace that linlid --record wrote, read and checked.
 * spec/replay.md is normative.
 */
#ifndef LL_CMD_LINLI_TRACE_H
#define LL_CMD_LINLI_TRACE_H

#include "base/json.h"
#include "plugin/manifest.h"
#include "wire/frame.h"

struct ll_trace_file {
    struct ll_arena arena; /* of what stands below */
    linli_str plugin_id, version, hash, dir;
    bool native;
    /* what its worker was told */
    linli_str community, zone, config;
    int64_t *zone_changes;
    uint32_t zone_change_count; /* pairs */
    struct ll_call_limits limits;
    bool drafts, filter_errno, no_import_check;
    /* CALL, then what followed in order; call and run are not set */
    struct ll_frame *frames;
    size_t frame_count;
    linli_str end; /* "reply", "failed", a word of LL_RUN_ENDS, "cancelled" */
};

/* Reads a file. Codes "cli/file", "replay/trace", "replay/format",
 * "replay/truncated"; `where` is the path and line. Free it in any case. */
linli_status ll_trace_read(struct ll_mem *mem, const char *path,
    struct ll_trace_file *out, struct ll_err *err) LL_USE_RESULT;
void ll_trace_free(struct ll_trace_file *trace);

#endif
