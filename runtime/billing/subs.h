/* billing/subs.h: subscriptions: who pays for what, since when. [loop]
 *
 * A subscription is one plan's, and so one plugin's and one community's. Its
 * life is domain/subscription.h; this keeps it, finds it for a caller, and
 * lets it be acted on. Payers and beneficiaries who are residents are sealed
 * about them in the store: an erasure takes them away, and leaves what was
 * owed (spec/metering.md, section 9).
 */
#ifndef LL_BILLING_SUBS_H
#define LL_BILLING_SUBS_H

#include "billing/plans.h"
#include "domain/subscription.h"

struct ll_quota;

/* What usage is counted for that no subscription owns. */
#define LL_SUB_FREE 0     /* of a plugin that is not sold */
#define LL_SUB_SUSPENSE 1 /* of one that is: nobody's; shown, never dropped */
#define LL_SUB_FIRST 16   /* real ones; below are Linli's own */

#define LL_PARTY_KINDS(X)     \
    X(RESIDENT, "resident")   \
    X(HOUSEHOLD, "household") \
    X(COMMUNITY, "community") \
    X(OPERATOR, "operator")
enum ll_party_kind {
#define X(name, word) LL_PARTY_##name,
    LL_PARTY_KINDS(X)
#undef X
};
/* "resident". */
const char *ll_party_kind_name(enum ll_party_kind kind);

/* One who pays, or one who uses. */
struct ll_sub_party {
    enum ll_party_kind kind;
    linli_str who; /* the runtime's id; empty: of a community or operator, or
                      somebody who was erased */
    int32_t bp;    /* of payers: their part; sums to 10000 */
};

/* X(name, word): derived from the life and from dunning, never stored. */
#define LL_SUB_STATES(X)                                \
    X(COMING, "coming") /* it starts later */           \
    X(TRIAL, "trial")                                   \
    X(ACTIVE, "active")                                 \
    X(PAUSED, "paused")                                 \
    X(SUSPENDED, "suspended") /* for what is overdue */ \
    X(ENDED, "ended")
enum ll_sub_state {
#define X(name, word) LL_SUB_IS_##name,
    LL_SUB_STATES(X)
#undef X
};
/* "trial". */
const char *ll_sub_state_name(enum ll_sub_state state);

struct ll_sub {
    uint32_t id; /* "sub_16"; names it in usage; from LL_SUB_FIRST */
    linli_str community, plugin;
    linli_str key; /* the Idempotency-Key it was made under */
    struct ll_sub_party *payers, *beneficiaries;
    uint32_t payer_count, beneficiary_count;
    /* Its life; expanded by ll_sub_life. */
    struct ll_rhythm rhythm;
    int64_t start_ms, end_ms, acted_ms;
    int32_t trial_days;
    struct ll_sub_version *versions;
    struct ll_sub_pause *pauses;
    uint32_t version_count, pause_count;
    const struct ll_local *local; /* fixed at the start */
    linli_str zone;
    int64_t seats_micro;    /* of flat charges per seat or household */
    int64_t cap_fen;        /* a period may cost so much; -1: no cap */
    int64_t cap_asked_fen;  /* a higher one that its payer has not approved;
                               -1: none */
    bool suspended;         /* for what is overdue: billing/invoices.h */
    int32_t billed_to;      /* first local day that no invoice has covered */
    uint64_t row;           /* of the store */
    struct ll_quota *quota; /* billing/quota.h; NULL: not asked yet */
    size_t bytes;           /* of this allocation */
};

/* By its number; NULL if there is none. Pointers stay valid until the
 * subscription is acted on. */
struct ll_sub *ll_sub_by_id(const struct ll_billing *billing, uint32_t id);
/* All of them, in the order of their ids: the next after `id`; NULL at the
 * end. */
struct ll_sub *ll_sub_next(const struct ll_billing *billing, uint32_t id);

/* Whose subscription a call uses: the resident's own, else their household's,
 * else the community's; of several of one kind the one that is in force, else
 * the newest. `resident` and `household` may be empty. NULL: none. */
struct ll_sub_seeker {
    linli_str community, plugin, resident, household;
    int64_t at_ms;
};
struct ll_sub *ll_sub_for(
    const struct ll_billing *billing, const struct ll_sub_seeker *seeker);

/* As domain/subscription.h has it. */
void ll_sub_life(const struct ll_sub *sub, struct ll_subscription *out);
enum ll_sub_state ll_sub_state_at(const struct ll_sub *sub, int64_t at_ms);
/* The plan version in force at an instant; NULL outside of its life. */
const struct ll_plan_version *ll_sub_plan_at(
    const struct ll_billing *billing, const struct ll_sub *sub, int64_t at_ms);
/* The period that holds an instant. */
struct ll_period ll_sub_period_at(const struct ll_sub *sub, int64_t at_ms);

/* -- acts: each checks, writes its leaf of history and the row, and sends;
 * on a failure nothing has changed. "plan/..." -- */

struct ll_sub_offer {
    linli_str community, key;
    const struct ll_plan_version *plan;
    const struct ll_sub_party *payers, *beneficiaries;
    uint32_t payer_count, beneficiary_count;
    int64_t start_ms; /* now or later; at most 1 year ahead */
    int64_t seats_micro, cap_fen;
};
/* The same key with the same offer: that subscription, *again. */
linli_status ll_sub_start(struct ll_bill_act *act,
    const struct ll_sub_offer *offer, struct ll_sub **out, bool *again,
    struct ll_err *err) LL_USE_RESULT;

enum ll_sub_do {
    LL_SUB_DO_UPGRADE,   /* `plan`, now */
    LL_SUB_DO_DOWNGRADE, /* `plan`, at the period's end */
    LL_SUB_DO_PAUSE,
    LL_SUB_DO_RESUME,
    LL_SUB_DO_CANCEL,        /* now */
    LL_SUB_DO_CANCEL_AT_END, /* with the period */
    LL_SUB_DO_SUSPEND,       /* by dunning */
    LL_SUB_DO_UNSUSPEND,
    LL_SUB_DO_CAP,     /* `fen`, by the payer: in force now; -1: none */
    LL_SUB_DO_ASK_CAP, /* `fen`, by somebody else: less is in force now,
                          more when the payer says so */
    LL_SUB_DO_BILLED,  /* `day`: invoices cover it up to there */
};
struct ll_sub_deed {
    enum ll_sub_do what;
    const struct ll_plan_version *plan;
    int64_t fen;
    int32_t day;
};
/* Puts a deed into an act that has begun and is sent by the caller: memory
 * changes in this turn, so nothing after it may fail but for want of memory
 * that ll_bill_room was asked about. */
linli_status ll_sub_put(struct ll_bill_act *act, struct ll_sub *sub,
    const struct ll_sub_deed *deed, struct ll_err *err) LL_USE_RESULT;
/* Begins an act, puts one deed into it and sends it. */
linli_status ll_sub_act(struct ll_bill_act *act, struct ll_sub *sub,
    const struct ll_sub_deed *deed, struct ll_err *err) LL_USE_RESULT;

/* A resident was erased, in this act: they are forgotten as payer and as
 * beneficiary, and what nobody else pays or uses ends now. */
linli_status ll_subs_forget(struct ll_bill_act *act, linli_str community,
    linli_str resident, struct ll_err *err) LL_USE_RESULT;

#endif
