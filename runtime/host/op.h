/* host/op.h: the one host call that a run waits for. [loop]
 *
 * A worker asks one thing at a time for each run. What it asks is copied
 * here, done in steps that may wait for the store, and answered once.
 */
#ifndef LL_HOST_OP_H
#define LL_HOST_OP_H

#include "data/scan.h"

struct ll_call;
struct ll_op;
struct ll_reading;

/* A step: true if it is over (answered), false if it waits. */
typedef bool (*ll_op_step)(struct ll_call *call, struct ll_op *op);

struct ll_op {
    bool open;
    ll_op_step step;
    struct ll_buf args; /* as the worker sent them; slices point here */
    struct ll_buf text; /* a body or an answer being made */
    struct ll_json json;
    struct ll_coll *coll;
    linli_str id;
    struct ll_doc *doc;
    struct ll_wait wait;
    struct ll_scan scan;
    bool scanning;
    /* of a write */
    bool must_be_absent;
    linli_str body;
    struct ll_content *content;
    struct ll_ix *unique; /* the next one to be looked at */
    /* of a list */
    linli_str low, high;
    /* of others */
    linli_str extra;
    struct ll_reading *reading; /* host/reading.h */
};

void ll_op_init(struct ll_op *op, struct ll_mem *mem);
/* Ends what it waits for. */
void ll_op_end(struct ll_op *op);
void ll_op_fini(struct ll_op *op);

/* Goes on with the step until it waits or is over. */
void ll_op_go(struct ll_call *call);
/* Waits for the op's document, for its scan. */
bool ll_op_wait_doc(struct ll_call *call, struct ll_op *op);
void ll_op_scan(struct ll_call *call, struct ll_op *op);

/* Answers: with a status alone, with a failure's code and words, with a
 * value that was written into op->text. */
void ll_op_answer(struct ll_call *call, linli_status status);
void ll_op_refuse(struct ll_call *call, const struct ll_err *err);
void ll_op_answer_text(struct ll_call *call);

/* Options: nil, an empty table of Lua's, or a map, whose pairs are returned
 * and come next. Anything else is bad. */
uint32_t ll_op_options(struct ll_rd *args);

/* The collection that the plugin's manifest declares; refuses otherwise. */
bool ll_op_collection(struct ll_call *call, struct ll_op *op, linli_str name);

/* The services, wire/hostcall.def. `args` stands after the list's count; the
 * slices live as long as the op. True: the op has a step that is to be
 * begun; false: it was answered. */
#define H(number, name, interface, draft, writes, args, answer) \
    bool ll_serve_##name(                                       \
        struct ll_call *call, struct ll_op *op, struct ll_rd *args_at);
#include "wire/hostcall.def"
#undef H

#endif
