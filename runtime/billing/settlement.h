/* billing/settlement.h: what a vendor gets for a period. [loop]
 *
 * A statement is closed once, when its period has ended, and never changes: it
 * has every move of the plugin's bills from the end of the statement before it
 * to the end of its period, so each move is in one statement. Its sums, and a
 * chain of hashes of its lines, are kept; the lines are the moves themselves.
 * spec/metering.md, section 13.
 */
#ifndef LL_BILLING_SETTLEMENT_H
#define LL_BILLING_SETTLEMENT_H

#include "base/hash.h"
#include "billing/money.h"

#define LL_PERIOD_BYTES 8 /* "2026-03", NUL-terminated */

struct ll_settled_sums {
    int64_t moves, paid_fen, base_fen, platform_fen, channel_fen, vendor_fen;
};
struct ll_settlement {
    int64_t id, number; /* "set_1", "SET-000001": of the community, gapless */
    char period[LL_PERIOD_BYTES];
    int64_t since_ms, to_ms, at_ms;
    struct ll_settled_sums sums;
    int64_t before_fen; /* what the statements before it gave the vendor */
    unsigned char hash[LL_SHA256_BYTES];
};

/* A line of it: one move. */
struct ll_settlement_line {
    int64_t id, at_ms;
    linli_str number, kind, ref; /* number: of the invoice */
    int64_t paid_fen, base_fen, platform_fen, channel_fen, vendor_fen;
};
/* Reads the next row of LL_ST_settlement_moves; false at a damaged one. */
bool ll_settlement_line(struct ll_rd *rd, struct ll_settlement_line *line);
/* As CSV, without a line's end: what the hash is of, and what is shown. */
void ll_settlement_csv(
    const struct ll_settlement_line *line, struct ll_buf *out);
#define LL_SETTLEMENT_CSV_HEAD                                               \
    "at,invoice,kind,ref,paid_fen,base_fen,platform_fen,channel_fen,vendor_" \
    "fen"
/* Adds a line to the sums, and to the hash: SHA-256(hash || line), from 32
 * zeros. "ledger/overflow", "runtime/memory". */
linli_status ll_settlement_add(struct ll_settled_sums *sums,
    unsigned char hash[LL_SHA256_BYTES], const struct ll_settlement_line *line,
    struct ll_mem *mem, struct ll_err *err) LL_USE_RESULT;

/* Closes a period; texts are borrowed until it is done. */
struct ll_settling {
    struct ll_till_job job;
    linli_str community, plugin;
    char period[LL_PERIOD_BYTES];
    int64_t to_ms; /* where the period ends */
    /* the answer */
    struct ll_settlement made;
    bool again; /* it was closed before: that one's id alone */
    /* its own */
    uint64_t known; /* the last commit when it began */
    int64_t after_ms, after_id;
    int phase;
};
/* Done with "settlement/open" (the period has not ended), "settlement/later"
 * (a later one is closed), "settlement/none" (the plugin was never paid). */
linli_status ll_settle_period(
    struct ll_settling *settling, struct ll_err *err) LL_USE_RESULT;

#endif
