/* store/query.h: one query on one connection. [any] */
#ifndef LL_STORE_QUERY_H
#define LL_STORE_QUERY_H

#include "store/db.h"
#include "store/seal.h"

struct ll_ask {
    unsigned statement;
    linli_str params;
    uint32_t rows_max;
    size_t bytes_max;
};

struct ll_answer {
    struct ll_buf *rows; /* a ll_put_list a row, appended */
    uint32_t row_count;
    bool more;
};

/* Runs it, in a transaction. What a failed one leaves in `rows` is nothing. */
linli_status ll_query_run(struct ll_db *db, struct ll_sealer *sealer,
    const struct ll_ask *ask, struct ll_answer *answer,
    struct ll_err *err) LL_USE_RESULT;

/* The number of the last commit that the transaction sees. */
linli_status ll_query_snapshot(
    struct ll_db *db, uint64_t *number, struct ll_err *err) LL_USE_RESULT;

#endif
