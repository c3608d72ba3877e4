/* host/meter_int.h: what the files of call:meter share. [loop] */
#ifndef LL_HOST_METER_INT_H
#define LL_HOST_METER_INT_H

#include "host/effect.h"
#include "host/meter.h"
#include "host/plan_call.h"

/* What is metered, as the plugin says it. */
struct ll_metered {
    linli_str meter, event_id, reverses; /* meter: the manifest's, if there */
    const struct ll_meter_decl *decl;    /* NULL: it is not declared */
    int64_t units, at_ms;
    bool at_given;
    bool taken_back; /* a correction: of what was counted for these */
    uint32_t sub, version;
};

/* The arguments of the host call; the second, from the op that keeps them. */
linli_status ll_metered_read(struct ll_call *call, struct ll_rd *args,
    struct ll_metered *m, struct ll_err *err) LL_USE_RESULT;
linli_status ll_metered_again(struct ll_call *call, struct ll_op *op,
    struct ll_metered *m, struct ll_err *err) LL_USE_RESULT;
/* Whether the plan can be asked for it in this turn; else the op waits. */
bool ll_metered_ready(
    struct ll_call *call, struct ll_op *op, const struct ll_metered *m);
/* Its record, which is none of the call's yet; NULL, with err. */
struct ll_effect *ll_metered_record(struct ll_call *call,
    const struct ll_metered *m, linli_str id, struct ll_err *err);
void ll_metered_answer(
    struct ll_call *call, struct ll_op *op, const char *word);

/* A record as ~meter has it: the claim is the row. Of a meter that is no sum,
 * what it has come to. */
struct ll_claim {
    int64_t units, at_ms;
    int64_t sub, version; /* that it was counted for */
    bool at_given, reversed;
};
/* False, and all 0, if there is none. */
bool ll_claim_read(struct ll_call *call, const struct ll_content *content,
    struct ll_claim *claim);
/* The claim, and what it claims: both or none. A record of 0 is none. */
linli_status ll_claim_both(struct ll_call *call, struct ll_op *op,
    struct ll_claim *claim, struct ll_effect *effect,
    struct ll_err *err) LL_USE_RESULT;

/* -- meter_span.c: max, unique, last -- */

/* Appends what names the span that it is of. */
void ll_span_name(
    struct ll_call *call, const struct ll_metered *m, struct ll_buf *out);
bool ll_step_span(struct ll_call *call, struct ll_op *op);

#endif
