/* domain/subscription.h: which plan version was in force when, and how many
 * days of it are owed. [any] pure
 *
 * A subscription's life as its owner's acts made it: start, upgrades now,
 * downgrades at the period's end, pauses, the end. From it, for any period,
 * the pieces that an invoice bills: each a plan version, the instants between
 * which use is its own, and the local days for which its fees are owed.
 */
#ifndef LL_DOMAIN_SUBSCRIPTION_H
#define LL_DOMAIN_SUBSCRIPTION_H

#include "base/limits.h"
#include "domain/pricing_calendar.h"

/* A plan version from an instant on, until the next one's. */
struct ll_sub_version {
    uint32_t version; /* as the catalogue numbers them */
    int64_t from_ms;
};
/* No fee is owed for days that are wholly paused. */
struct ll_sub_pause {
    int64_t from_ms, to_ms; /* LL_NO_END: it lasts */
};

/* Acts come in the order of their instants. The zone is fixed at the start:
 * the same `local` is given to all that take one. */
struct ll_subscription {
    struct ll_rhythm rhythm;
    int64_t start_ms, end_ms; /* LL_NO_END: it goes on */
    int64_t acted_ms;         /* the newest act; earlier ones are refused */
    int32_t trial_days;
    uint32_t version_count, pause_count;
    struct ll_sub_version versions[LL_SUB_VERSIONS_MAX];
    struct ll_sub_pause pauses[LL_SUB_PAUSES_MAX];
};

struct ll_sub_terms {
    enum ll_interval interval;
    enum ll_anchor anchor;
    int32_t trial_days;
    uint32_t version;
};
/* Starts at `start_ms`; the rhythm's anchor is that local day for ever. */
void ll_sub_begin(struct ll_subscription *sub, const struct ll_local *local,
    const struct ll_sub_terms *terms, int64_t start_ms);

/* Why an act changes nothing. */
enum ll_sub_no {
    LL_SUB_OK,
    LL_SUB_EARLIER, /* than the act before it, or than the start */
    LL_SUB_OVER,    /* the subscription has ended, or will have */
    LL_SUB_PAUSED,  /* it is paused; or, of resume, it is not */
    LL_SUB_FULL     /* LL_SUB_VERSIONS_MAX, LL_SUB_PAUSES_MAX */
};

/* Another plan version, at once. Use is split at the instant; the day of the
 * change owes the new version's fee. Takes the place of a downgrade that was
 * waiting. */
enum ll_sub_no ll_sub_upgrade(
    struct ll_subscription *sub, uint32_t version, int64_t at_ms);
/* Another plan version when the period that holds `at_ms` ends. */
enum ll_sub_no ll_sub_downgrade(struct ll_subscription *sub,
    const struct ll_local *local, uint32_t version, int64_t at_ms);
enum ll_sub_no ll_sub_pause(struct ll_subscription *sub, int64_t at_ms);
enum ll_sub_no ll_sub_resume(struct ll_subscription *sub, int64_t at_ms);
/* Ends at `at_ms`, or with the period that holds it. */
enum ll_sub_no ll_sub_cancel(struct ll_subscription *sub, int64_t at_ms);
enum ll_sub_no ll_sub_cancel_at_end(
    struct ll_subscription *sub, const struct ll_local *local, int64_t at_ms);

/* What one invoice bills of one plan version. */
struct ll_sub_piece {
    uint32_t version;
    int64_t from_ms, to_ms; /* use in [from, to) is rated by it */
    struct ll_days days;    /* of recurring fees and minima; billed may be 0 */
};
/* The pieces of a period, in order: at most LL_SUB_VERSIONS_MAX in `pieces`;
 * returns how many. Their instants leave no gap between the later of the
 * period's and the subscription's start and the earlier of their ends; each
 * day is owed to one piece at most. */
uint32_t ll_sub_pieces(const struct ll_subscription *sub,
    const struct ll_local *local, struct ll_period period,
    struct ll_sub_piece *pieces);
/* Of a fee that was billed in advance: the days left at a change, its own
 * among them, for ll_invoice_change. */
struct ll_days ll_sub_days_left(const struct ll_subscription *sub,
    const struct ll_local *local, int64_t at_ms);

#endif
