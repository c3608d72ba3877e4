/* billing/quota.h: whether a call is admitted, and what it uses. [loop]
 *
 * What a subscription uses is known by windows: a period by the plan version
 * that is in force, domain/entitlement.h for each meter of that plan. A window
 * begins with its first call: it asks the buckets what was counted already, so
 * that a restart neither refuses nor lets through what it should not; calls
 * wait for that one answer. It ends when the period or the version does.
 *
 *   reserve   before the run, and for it: of concurrent calls exactly what is
 *             left passes
 *   count     with the commit that records it: used from then on
 *   release   when the call is over, whatever became of it
 *
 * spec/metering.md, section 10.
 */
#ifndef LL_BILLING_QUOTA_H
#define LL_BILLING_QUOTA_H

#include "billing/subs.h"
#include "domain/entitlement.h"

struct ll_sums;
struct ll_window;

struct ll_quota_meter {
    linli_str name; /* the plan's */
    struct ll_window *window;
    struct ll_entitlement is;
    int64_t events; /* records of it: a price may be of each */
};

/* What was counted by a version that the window's is not. */
struct ll_quota_other {
    uint32_t version;
    linli_str meter;
    int64_t micro, events;
};

/* The span that windows and meters with a memory (max, unique, last) go by:
 * the period that holds `at_ms`; of a trial whose use is free, *free, that
 * part of it. */
struct ll_quota_span {
    int64_t from_ms, to_ms; /* [from, to) */
    bool free;
};

enum ll_window_state { LL_WINDOW_LOADING, LL_WINDOW_KNOWN, LL_WINDOW_LOST };

struct ll_window {
    struct ll_window *chain; /* of the table */
    struct ll_billing *billing;
    enum ll_window_state state;
    uint32_t sub;
    const struct ll_plan_version *plan;
    struct ll_quota_span span; /* of event time */
    uint32_t holds;            /* open promises; it stays as long */
    uint64_t used_at;          /* counts up: the least goes first */
    struct ll_wait *waits;
    struct ll_quota_meter *meters; /* of its charges and limits */
    uint32_t meter_count;
    size_t bytes; /* of this allocation */
    /* while it loads */
    struct ll_query *query;
    uint64_t since; /* the last commit when it began */
    struct ll_quota_delta *deltas;
    /* of prices: billing/quota_price.c */
    struct ll_quota_other *others;
    uint32_t other_count;
    struct ll_sub_piece *pieces; /* of the period, as long as `life` stands */
    uint32_t piece_count, piece_cap;
    uint64_t life; /* of the subscription: changes with every act */
};

/* A threshold that was reached. */
struct ll_quota_alert {
    const struct ll_window *window;
    const struct ll_quota_meter *meter;
    int64_t at_micro;
};

struct ll_quotas {
    struct ll_window **table; /* by subscription */
    uint32_t cap, count;      /* cap: a power of two */
    uint64_t ticks;
    struct ll_arena scratch; /* for one question */
};

/* Gives all windows back; after the store has closed. */
void ll_quotas_close(struct ll_billing *billing);

/* Whether there is anything to ask or to tell of a subscription: limits, a
 * cap, a balance. */
bool ll_quota_asks(
    const struct ll_sub *sub, const struct ll_plan_version *plan);
/* The span of an instant in which `plan` is in force. */
struct ll_quota_span ll_quota_span_at(const struct ll_sub *sub,
    const struct ll_plan_version *plan, int64_t at_ms);
/* The window of an instant in which `plan` is in force; begun if there is
 * none. NULL without memory. Good until the turn of the loop ends, or as long
 * as somebody waits for it or holds a promise of it. */
struct ll_window *ll_quota_window(struct ll_billing *billing,
    const struct ll_sub *sub, const struct ll_plan_version *plan,
    int64_t at_ms);
/* The one before it, if its use is not billed yet and a balance has to bear it
 * too; begun if there is none. NULL: there is nothing to ask, or, *good false,
 * no memory. */
struct ll_window *ll_quota_before(struct ll_window *window, bool *good);
/* True if its state is KNOWN or LOST; otherwise `wait` is told when. */
bool ll_window_ready(struct ll_window *window, struct ll_wait *wait);

/* -- of one that is KNOWN -- */

enum ll_quota_word {
    LL_QUOTA_YES,
    LL_QUOTA_LIMIT, /* a hard limit of the meter would be passed */
    LL_QUOTA_CAP    /* it would cost more than its cap, or its balance */
};

/* A promise; in the memory of whoever holds it, zeroed before its first use. */
struct ll_quota_hold {
    struct ll_quota_hold *next; /* the owner's */
    struct ll_quota_meter *meter;
    struct ll_reservation is;
    int64_t events;
};
/* Promises `micro` more of a meter, on top of what the hold has of it
 * already. A meter that the plan does not know is always there. */
enum ll_quota_word ll_quota_reserve(struct ll_window *window, linli_str meter,
    int64_t micro, struct ll_quota_hold *hold);
void ll_quota_release(struct ll_quota_hold *hold);
/* Whether something is left of a meter that is only known afterwards. */
enum ll_quota_word ll_quota_left(struct ll_window *window, linli_str meter);

/* -- of any -- */

/* Commit `number`, which goes in this turn, records so much; with the negative
 * of it, it does not go after all. False without memory. */
bool ll_quota_count(struct ll_window *window, linli_str meter, int64_t micro,
    uint64_t number) LL_USE_RESULT;
/* The next threshold that nobody was told of; told by this. */
bool ll_quota_alert(struct ll_window *window, struct ll_quota_alert *alert);

/* As ll_quota_window, but begins none: NULL. */
struct ll_window *ll_quota_find(const struct ll_billing *billing,
    const struct ll_sub *sub, const struct ll_plan_version *plan,
    int64_t at_ms);
/* The meter of a name; NULL: the plan has none of it. */
struct ll_quota_meter *ll_window_meter(
    const struct ll_window *window, linli_str name);

/* -- quota_price.c -- */

/* Whether the payer's cap and, prepaid, the balance bear `all_micro` of the
 * meter (`events` records) beside all that is used and promised of others. */
bool ll_quota_affords(
    const struct ll_quota_meter *meter, int64_t all_micro, int64_t events);
/* What the period costs with all that is used and promised, rounded up, and
 * what it may cost: the least of cap and balance. False: nothing limits it. */
bool ll_quota_cost(
    struct ll_window *window, int64_t *cost_fen, int64_t *most_fen);
/* Keeps what other versions have counted in the period. False without
 * memory. */
bool ll_quota_keep_others(struct ll_window *window, const struct ll_sums *sums);
void ll_quota_drop_prices(struct ll_window *window);

#endif
