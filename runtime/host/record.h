/* host/record.h: runs of calls as files, for `linli replay`. [loop]
 *
 * Development only (linlid --record=DIR). Each call that a plugin ran for
 * leaves one trace: the last run that counted, frame by frame, with all that
 * its worker was told (spec/replay.md). Without a recorder nothing here is
 * called: `host->recorder` and a run's `tap` are NULL.
 */
#ifndef LL_HOST_RECORD_H
#define LL_HOST_RECORD_H

#include "host/call.h"

/* The run of one call, as its frames come. */
struct ll_recording {
    struct ll_run_tap tap;
    struct ll_buf frames; /* each: type, u32 of its length, its payload */
    bool truncated;       /* not all of them found room */
    const char *end;      /* how the run ended; spec/replay.md */
};

/* Opens the folder, made if absent, and goes on counting where the traces in
 * it end. "record/unusable". */
linli_status ll_recorder_open(
    struct ll_host *host, linli_str dir, struct ll_err *err) LL_USE_RESULT;
/* NULL inside is fine. */
void ll_recorder_free(struct ll_host *host);

/* A run is about to be submitted: it is heard from now on. Without memory it
 * is not, and the log says so. */
void ll_record_run(struct ll_call *call);
/* The run has ended without a word. */
void ll_record_ended(struct ll_call *call, enum ll_run_end end);
/* What was heard is of a run that does not count. */
void ll_record_forget(struct ll_call *call);
/* The call is about to be answered: the trace is written. */
void ll_record_end(struct ll_call *call);

/* Traces in which one of the texts stands go: somebody is forgotten. Reads all
 * of them, on the loop: development only. */
void ll_recorder_forget(
    struct ll_host *host, const linli_str *texts, uint32_t count);

/* -- record_text.c -- */

/* Appends the whole trace of the call's run. */
void ll_record_text(const struct ll_call *call, struct ll_buf *out);

#endif
