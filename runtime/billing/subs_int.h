/* billing/subs_int.h: subscriptions in memory and in the store. [loop]
 *
 * They are numbered without gaps from LL_SUB_FIRST and none ever goes, so an
 * array finds them by number. Who uses one, and the key it was made under,
 * are found by a table of hashes; what it leads to is compared, so that a
 * place of somebody who was forgotten leads nowhere.
 */
#ifndef LL_BILLING_SUBS_INT_H
#define LL_BILLING_SUBS_INT_H

#include "billing/plans_int.h"
#include "billing/subs.h"
#include "consent/subject.h"

struct ll_sub_place {
    uint64_t hash;
    uint32_t sub; /* 0: free */
};

struct ll_subs {
    struct ll_sub **at; /* id - LL_SUB_FIRST */
    uint32_t count, cap;
    struct ll_sub_place *places;
    uint32_t place_count, place_cap; /* the latter a power of two, or 0 */
    unsigned char hash_key[16];
    struct ll_buf text; /* scratch: a body */
};

/* The same; the plans are there by then. */
linli_status ll_subs_open(
    struct ll_billing *billing, struct ll_err *err) LL_USE_RESULT;
void ll_subs_close(struct ll_billing *billing);
/* When the last of a market's subscriptions ends, anew. */
void ll_subs_refresh(
    const struct ll_billing *billing, struct ll_market *market);

/* -- billing/subs_index.c -- */

/* Room for one more, of so many who pay and use. */
bool ll_subs_room(struct ll_billing *billing, uint32_t parties) LL_USE_RESULT;
/* Takes one in, for which there is room. */
void ll_subs_add(struct ll_billing *billing, struct ll_sub *take_sub);
/* By the key it was made under; NULL. */
struct ll_sub *ll_sub_by_key(
    const struct ll_billing *billing, linli_str community, linli_str key);
/* Calls `look` with each that somebody uses, or used. */
struct ll_sub_user {
    linli_str community, plugin;
    enum ll_party_kind kind;
    linli_str who;
};
void ll_subs_of(const struct ll_billing *billing, const struct ll_sub_user *who,
    void (*look)(void *user, struct ll_sub *sub), void *user);

/* -- billing/subs_load.c: a subscription as bytes -- */

/* *out is *from with all that it points to in a block of its own, and the life
 * that `life` says. Its community and plugin stay the market's. */
linli_status ll_sub_pack(struct ll_billing *billing, const struct ll_sub *from,
    const struct ll_subscription *life, struct ll_sub *out,
    struct ll_err *err) LL_USE_RESULT;
/* Puts the row of it into a commit. */
void ll_sub_put_row(struct ll_billing *billing, const struct ll_sub *sub,
    struct ll_commit *commit);
/* The rows of who pays (role 0) and who uses (1). */
void ll_sub_put_parties(struct ll_billing *billing, const struct ll_sub *sub,
    struct ll_commit *commit);
/* Whose key seals a party: a pid; empty for who is nobody's. */
void ll_sub_party_subject(const struct ll_billing *billing, linli_str community,
    const struct ll_sub_party *party, char out[LL_PID_BYTES]);
/* A line of its history. `by` never names a resident. */
struct ll_sub_line {
    const char *what;
    const struct ll_plan_version *plan; /* or NULL */
    const int64_t *fen;                 /* or NULL; LL_CAP_NONE: null */
    int64_t from_ms;                    /* 0: not said */
};
void ll_sub_put_line(struct ll_bill_act *act, const struct ll_sub *sub,
    const struct ll_sub_line *line);

#endif
