/* billing/checkup_int.h: what the files of a checkup share. [loop] */
#ifndef LL_BILLING_CHECKUP_INT_H
#define LL_BILLING_CHECKUP_INT_H

#include "base/json.h"
#include "billing/checkup.h"
#include "billing/invoices.h"
#include "billing/settlement.h"

/* Use that a final invoice has billed, kept for those after it. */
struct ll_check_use {
    struct ll_check_use *next;
    struct ll_period period;
    struct ll_billed billed;
};

/* The invoice that is rated again. */
struct ll_check_invoice {
    int64_t id, number, final_ms, net_fen, tax_fen, total_fen;
    linli_str community;
    uint32_t sub;
    int32_t k, due_day;
    bool last, empty;
    uint64_t watermark;
    linli_str hash, body; /* in `arena` */
    struct ll_turn turn;
    struct ll_span spans[LL_INVOICE_LATE_PERIODS + 1];
    uint32_t span_count;
    /* What the spans' `sums.at` and `before` point to. */
    struct ll_sum *sums[LL_INVOICE_LATE_PERIODS + 1];
    struct ll_billed *billed[LL_INVOICE_LATE_PERIODS + 1];
    /* Where its amounts are asked for. */
    uint32_t span, sum;
    struct ll_amounts_of of;
    struct ll_amounts *amounts; /* NULL: nothing is asked */
};

struct ll_checkup {
    struct ll_billing *billing;
    void (*done)(void *user, const struct ll_checkup_found *found,
        const struct ll_err *err);
    void *user;
    struct ll_checkup_found found;
    struct ll_query query;
    bool asking;
    uint32_t phase, step;
    int64_t after; /* of the page before */
    struct ll_json json;
    /* invoices */
    uint32_t sub;
    int32_t k;
    struct ll_check_invoice *invoice;
    struct ll_arena arena;     /* of one invoice */
    struct ll_arena kept;      /* of one subscription: */
    struct ll_check_use *uses; /* what its invoices have billed */
    bool blind;                /* something was billed that no body says */
    /* settlements */
    char plugin[LL_ACCOUNT_BYTES_MAX + 1], community[LL_ACCOUNT_BYTES_MAX + 1];
    struct ll_settlement settlement; /* as it is kept */
    struct ll_settled_sums sums;     /* as its lines have it */
    unsigned char hash[LL_SHA256_BYTES];
    int64_t after_ms, after_id;
};

/* One thing that is looked at, question by question. */
struct ll_check_phase {
    /* Fills checkup->query with the next question; false: there is none. */
    bool (*ask)(struct ll_checkup *checkup);
    linli_status (*take)(struct ll_checkup *checkup, struct ll_err *err);
};
/* A question to fill. */
struct ll_buf *ll_checkup_query(
    struct ll_checkup *checkup, enum ll_statement statement);
/* Something is wrong. */
void ll_checkup_break(struct ll_checkup *checkup, enum ll_check_kind kind,
    const char *row, const char *fmt, ...) LL_PRINTF(4, 5);

/* billing/checkup_bills.c: SHARES and SETTLEMENTS. */
extern const struct ll_check_phase ll_check_bills, ll_check_settlements;
/* billing/checkup_invoices.c: INVOICES, and the USE of their periods. */
extern const struct ll_check_phase ll_check_invoices;

#endif
