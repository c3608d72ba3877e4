/* billing/invoices.h: invoices, from draft to paid. [loop]
 *
 * In memory is what is open: drafts, and final ones that are not paid. What is
 * due is found in a heap by its instant and done by ll_invoices_run, a bounded
 * number at a time: periods that turn, graces that end, steps of dunning. Each
 * is one commit, so that it is done once, whatever happens in between. A draft
 * has no content: it is what ll_rate_turn says, until it is final and frozen.
 * spec/metering.md, section 11.
 */
#ifndef LL_BILLING_INVOICES_H
#define LL_BILLING_INVOICES_H

#include "billing/act.h"
#include "billing/gather.h"
#include "domain/dunning.h"
#include "domain/owed.h"

/* X(NAME, word): kept as numbers. */
#define LL_INV_STATES(X)                              \
    X(DRAFT, "draft")                                 \
    X(FINAL, "final") /* to be paid */                \
    X(PAID, "paid")   /* or nothing was to be paid */ \
    X(OVERDUE, "overdue")                             \
    X(WRITTEN_OFF, "written-off")                     \
    X(EMPTY, "empty") /* it had no lines, and no number */
enum ll_inv_state {
#define X(name, word) LL_INV_##name,
    LL_INV_STATES(X)
#undef X
        LL_INV_STATE_COUNT
};
/* "written-off". */
const char *ll_inv_state_name(enum ll_inv_state state);

/* One that is open. */
struct ll_inv {
    struct ll_inv *next;     /* of its chain */
    struct ll_inv *next_sub; /* of its subscription, by k */
    int64_t id;              /* "inv_12" */
    uint32_t sub;
    int32_t k;
    bool last;
    enum ll_inv_state state;
    int64_t number;
    int64_t made_ms, grace_ms; /* a draft until then */
    int64_t final_ms;
    int32_t due_day; /* local; overdue from the day after it */
    int64_t total_fen, paid_fen, credited_fen;
    enum ll_dunning step;
    bool busy; /* it is being made final, or credited */
    bool held; /* its grace is over, but it could not be made final */
};
/* What is left to pay. */
int64_t ll_inv_due_fen(const struct ll_inv *inv);

struct ll_invoice_policy {
    int64_t grace_ms;
    struct ll_dunning_policy dunning;
    struct ll_jv essential; /* plugins that are never restricted */
};
/* Who is told; called in the turn in which it happens. */
struct ll_invoice_hooks {
    void (*wake)(void *user); /* something is due earlier than thought */
    void (*stepped)(void *user, const struct ll_inv *inv);
    void (*failed)(
        void *user, const struct ll_inv *inv, const struct ll_err *err);
    void *user;
};

struct ll_invoices;

/* Reads what is open; blocks. After subscriptions. */
linli_status ll_invoices_open(
    struct ll_billing *billing, struct ll_err *err) LL_USE_RESULT;
void ll_invoices_close(struct ll_billing *billing);
/* Before anything is run. */
void ll_invoices_set(struct ll_billing *billing,
    const struct ll_invoice_policy *policy,
    const struct ll_invoice_hooks *hooks);
/* What is under way is given up; a start goes on with it. */
void ll_invoices_cancel(struct ll_billing *billing);

/* By its id; NULL if it is not open. */
struct ll_inv *ll_inv_by_id(const struct ll_billing *billing, int64_t id);
/* The first of a subscription that is open, by k, or NULL. */
struct ll_inv *ll_inv_first(const struct ll_billing *billing, uint32_t sub);
struct ll_inv *ll_inv_first_draft(
    const struct ll_billing *billing, uint32_t sub);
/* Whether something is so long overdue that its plan cannot be changed. */
bool ll_inv_restricts(const struct ll_billing *billing, uint32_t sub);
/* The k up to which the invoices of a subscription are final. */
int32_t ll_inv_final_k(
    const struct ll_billing *billing, const struct ll_sub *sub);
/* Whether an invoice is still to be made final that bills what came late for
 * a local day. */
bool ll_inv_looks_at(
    const struct ll_billing *billing, const struct ll_sub *sub, int32_t day);

/* -- the calendar -- */

/* A subscription was made or acted on: when it is due next may have changed. */
void ll_invoices_touch(struct ll_billing *billing, const struct ll_sub *sub);
/* Does some of what is due by now; true: there is more, do it soon. */
bool ll_invoices_run(struct ll_billing *billing, int64_t now_ms) LL_USE_RESULT;
/* Nothing that was due waits for the store. */
bool ll_invoices_idle(const struct ll_billing *billing);
/* When the next is due; INT64_MAX: never. */
int64_t ll_invoices_next_ms(const struct ll_billing *billing);
/* Nothing becomes final while the books do not agree (reconcile). */
void ll_invoices_stop(struct ll_billing *billing, bool stop);
bool ll_invoices_stopped(const struct ll_billing *billing);

/* -- acts -- */

/* A draft becomes final now. `done` once, later, when it is durable or with
 * why not: "invoice/earlier" (an earlier one is a draft), "invoice/stopped",
 * "runtime/busy", "pricing/overflow" ... Fails at once with the same. */
struct ll_inv_finalize {
    int64_t id;
    linli_str by, reason;
    void (*done)(void *user, linli_status status, const struct ll_err *err);
    void *user;
};
linli_status ll_inv_finalize(struct ll_billing *billing,
    const struct ll_inv_finalize *how, struct ll_err *err) LL_USE_RESULT;

/* For money, the last into an act that has begun: so much more was paid or
 * credited of it. One that is paid is open no more, and what was suspended for
 * it goes on. `was`: as it was kept before, for one that is closed. One of
 * which something went back is to be paid again, with as much time as at first;
 * what comes of one that was written off is not written off any more. Posts to
 * the ledger. */
linli_status ll_invoice_moved(struct ll_bill_act *act, const struct ll_inv *was,
    const struct ll_owed_move *by, struct ll_err *err) LL_USE_RESULT;
/* What is left of it will not come, in an act that has begun:
 * "invoice/closed". Posts to the ledger. */
linli_status ll_invoice_write_off(
    struct ll_bill_act *act, int64_t id, struct ll_err *err) LL_USE_RESULT;

#endif
