/* store/apply.h: the operations of commits, and running them. [any: an
 * applier belongs to the writer]
 *
 * An operation is its number, then its values in wire/value.h's encoding: a
 * statement and its parameters, or one of the negative numbers below.
 */
#ifndef LL_STORE_APPLY_H
#define LL_STORE_APPLY_H

#include "base/json.h"
#include "store/log.h"
#include "store/pack.h"
#include "store/seal.h"

enum ll_op {
    LL_OP_USAGE = -1,   /* bytes: a record */
    LL_OP_SIZE = -2,    /* space, rows, bytes */
    LL_OP_REINDEX = -3, /* collection, index, spec */
    LL_OP_LEAF = -4     /* bytes: a line */
};

struct ll_applier {
    struct ll_mem *mem;
    struct ll_db *db;
    struct ll_sealer *sealer;
    struct ll_pack pack;
    struct ll_logtree log;
    struct ll_buf sealed; /* one parameter */
    struct ll_buf sizes;  /* of the batch, to be summed up */
    struct ll_buf key;    /* of an index entry */
    struct ll_json json;  /* of a document */
    bool keys_changed;    /* readers must forget theirs */
    struct ll_buf gone;   /* lines for linli.gone, of the batch */
    uint32_t gone_count;  /* all that there are, with those */
};

/* `db` is the writer's. */
linli_status ll_applier_init(struct ll_applier *applier, struct ll_mem *mem,
    struct ll_db *db, struct ll_sealer *sealer,
    struct ll_err *err) LL_USE_RESULT;
void ll_applier_fini(struct ll_applier *applier);

/* Runs the operations of one commit, in order, in a transaction, and writes
 * into it where its leaves stand. */
linli_status ll_apply(struct ll_applier *applier, struct ll_commit *commit,
    struct ll_err *err) LL_USE_RESULT;
/* What gathered in a batch whose last commit has the number; *log_grown: with
 * leaves. */
linli_status ll_apply_end(struct ll_applier *applier, uint64_t number,
    bool *log_grown, struct ll_err *err) LL_USE_RESULT;

/* Binds the parameters of a statement from *rd, one by its letter each. */
linli_status ll_bind(struct ll_applier *applier, sqlite3_stmt *statement,
    unsigned number, struct ll_rd *rd, struct ll_err *err) LL_USE_RESULT;

/* The operation of ll_commit_reindex. A document that the index cannot hold
 * gets no entry: whoever declares an index has looked at them before. */
linli_status ll_reindex(struct ll_applier *applier, struct ll_rd *rd,
    struct ll_err *err) LL_USE_RESULT;

#endif
