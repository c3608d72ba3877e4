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

#define LL_SUB_OFFER_BYTES 65 /* SHA-256 in hexadecimal, and a NUL */

struct ll_sub {
    uint32_t id; /* "sub_16"; names it in usage; from LL_SUB_FIRST */
    linli_str community, plugin;
    linli_str key;                  /* the Idempotency-Key it was made under */
    char offer[LL_SUB_OFFER_BYTES]; /* what was offered then, hashed */
    const struct ll_sub_party *payers, *beneficiaries;
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
    int64_t seats_micro;   /* of flat charges per seat or household */
    int64_t cap_fen;       /* a period may cost so much; LL_CAP_NONE */
    int64_t cap_asked_fen; /* a higher one that its payer has not approved;
                              LL_CAP_NONE: nothing was asked; LL_CAP_LIFT */
    bool suspended;        /* for what is overdue: billing/invoices.h */
    int32_t billed_to;     /* first local day that no invoice has covered */
    void *block;           /* holds what the pointers above point to */
    size_t bytes;          /* of it */
};
#define LL_CAP_NONE (-1)
#define LL_CAP_LIFT INT64_MAX /* asked: that there be no cap any more */

/* "sub_16". */
#define LL_SUB_TEXT_BYTES 16
void ll_sub_text(uint32_t id, char out[LL_SUB_TEXT_BYTES]);
bool ll_sub_text_read(linli_str text, uint32_t *id);

/* By its number; NULL if there is none. It stays where it is as long as the
 * host; what it points to is another after each act. */
struct ll_sub *ll_sub_by_id(const struct ll_billing *billing, uint32_t id);
/* All of them, in the order of their ids: the next after `id`; NULL at the
 * end. */
struct ll_sub *ll_sub_next(const struct ll_billing *billing, uint32_t id);

/* Whose subscription a call uses: of those in force the resident's own, else
 * their household's, else the community's; if none is in force the newest of
 * the first of these three that there is. `resident` and `household` may be
 * empty. NULL: none. */
struct ll_sub_seeker {
    linli_str community, plugin, resident, household;
    int64_t at_ms;
};
struct ll_sub *ll_sub_for(
    const struct ll_billing *billing, const struct ll_sub_seeker *seeker);

/* Those that somebody pays for or uses, in the order of their ids: at most
 * `max` behind `after`. Returns how many. */
struct ll_sub_person {
    linli_str community;
    enum ll_party_kind kind; /* a resident, a household */
    linli_str who;
};
uint32_t ll_subs_about(const struct ll_billing *billing,
    const struct ll_sub_person *person, uint32_t after, struct ll_sub **out,
    uint32_t max);

/* As domain/subscription.h has it. */
void ll_sub_life(const struct ll_sub *sub, struct ll_subscription *out);
enum ll_sub_state ll_sub_state_at(const struct ll_sub *sub, int64_t at_ms);
/* The plan version in force at an instant; NULL outside of its life. */
const struct ll_plan_version *ll_sub_plan_at(
    const struct ll_billing *billing, const struct ll_sub *sub, int64_t at_ms);
/* The period that holds an instant. */
struct ll_period ll_sub_period_at(const struct ll_sub *sub, int64_t at_ms);

/* -- acts: each checks, writes its line of history and the row, and sends;
 * on a failure nothing has changed, and what was begun by the callee is given
 * up. "plan/...". What is acted on later than it says (a clock that was set
 * back, a start to come) is acted on at that instant. -- */

struct ll_sub_offer {
    linli_str community, key;
    const struct ll_plan_version *plan;
    const struct ll_sub_party *payers, *beneficiaries;
    uint32_t payer_count, beneficiary_count;
    int64_t start_ms;    /* 0: now; at most LL_SUB_AHEAD_MS_MAX ahead */
    int64_t seats_micro; /* more than 0 */
    int64_t cap_fen;     /* LL_CAP_NONE */
};
/* The same key with the same offer: that subscription, *again, and nothing is
 * sent, nobody told. "plan/closed", "plan/parties", "plan/subscribed" (who
 * uses it has one that is not over by then), "request/key-reused". */
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
    LL_SUB_DO_CAP,     /* `fen` or LL_CAP_NONE, by a payer: in force now */
    LL_SUB_DO_ASK_CAP, /* the same by somebody else: less is in force now,
                          more when a payer has said so */
    LL_SUB_DO_BILLED,  /* `day`: invoices cover it up to there */
};
struct ll_sub_deed {
    enum ll_sub_do what;
    const struct ll_plan_version *plan;
    int64_t fen;
    int32_t day;
};
/* Puts a deed into an act that has begun and is sent by the caller, in this
 * turn: memory changes now, so it is the last that may fail; several of one
 * subscription may follow each other. On a failure the act is the caller's to
 * drop. What changes nothing (paused twice) puts nothing. */
linli_status ll_sub_put(struct ll_bill_act *act, struct ll_sub *sub,
    const struct ll_sub_deed *deed, struct ll_err *err) LL_USE_RESULT;
/* Begins an act, puts one deed into it and sends it. *again: nothing has
 * changed, nothing is sent, nobody told. */
linli_status ll_sub_act(struct ll_bill_act *act, struct ll_sub *sub,
    const struct ll_sub_deed *deed, bool *again,
    struct ll_err *err) LL_USE_RESULT;

/* A resident was erased: they are forgotten as payer and as beneficiary; what
 * nobody uses or pays any more ends now, and what others pay a part of ends
 * with its period, as nobody pays more than they agreed to. What is owed
 * stays. An act of its own: begun and sent here. *again: there was nothing. */
linli_status ll_subs_forget(struct ll_bill_act *act, linli_str community,
    linli_str resident, bool *again, struct ll_err *err) LL_USE_RESULT;
/* The same of everybody whose key is gone already, as in a copy from before
 * that was restored. Once, when all is open. */
linli_status ll_subs_forget_gone(
    struct ll_billing *billing, struct ll_err *err) LL_USE_RESULT;

/* A plugin leaves a community: at most `max` subscriptions of it end now, each
 * by an act of its own; *ended of them. When none is left its plans are closed.
 * `act` is who does it, and why. */
linli_status ll_subs_leave(const struct ll_bill_act *act, linli_str community,
    linli_str plugin, uint32_t max, uint32_t *ended,
    struct ll_err *err) LL_USE_RESULT;

#endif
