/* billing/subs_start.c: a subscription begins. [loop] */
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "billing/invoices.h"
#include "billing/subs_int.h"
#include "domain/pricing_number.h"

#define OFFER_BYTES_MAX 32768

/* -- what may be offered -- */

static linli_status
refuse(struct ll_err *err, const char *where, uint32_t n, const char *why)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "plan/parties", "%s", why);
    ll_err_where(err, "/%s/%u", where, n);
    return status;
}

static bool
is_twice(const struct ll_sub_party *parties, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (parties[i].kind == parties[n].kind &&
            ll_str_eq(parties[i].who, parties[n].who))
            return true;
    return false;
}

static linli_status
check_parties(const struct ll_sub_party *parties, uint32_t count, bool pay,
    struct ll_err *err)
{
    const char *where = pay ? "payers" : "beneficiaries";
    int64_t sum = 0;
    if (count == 0 || count > LL_SUB_PARTIES_MAX) {
        (void)ll_fail(err, LINLI_E_INVALID, "plan/parties",
            "1 to %d are listed", LL_SUB_PARTIES_MAX);
        ll_err_where(err, "/%s", where);
        return LINLI_E_INVALID;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct ll_sub_party *p = &parties[i];
        bool named =
            p->kind == LL_PARTY_RESIDENT || p->kind == LL_PARTY_HOUSEHOLD;
        if (named != (p->who.len > 0) || p->who.len > LL_TOKEN_NAME_BYTES_MAX)
            return refuse(err, where, i,
                "a resident and a household have an id, others none");
        if (is_twice(parties, i))
            return refuse(err, where, i, "it is listed before");
        if (!pay && p->kind == LL_PARTY_OPERATOR)
            return refuse(err, where, i, "an operator uses none");
        if (pay && (p->bp < 1 || p->bp > LL_BP))
            return refuse(err, where, i, "a part is 1 to 10000 basis points");
        sum += p->bp;
    }
    if (!pay || sum == LL_BP)
        return LINLI_OK;
    (void)ll_fail(err, LINLI_E_INVALID, "plan/parties",
        "the parts sum to %lld, not to 10000", (long long)sum);
    ll_err_where(err, "/payers");
    return LINLI_E_INVALID;
}

static linli_status
invalid(struct ll_err *err, const char *where, const char *why)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "request/invalid", "%s", why);
    ll_err_where(err, "%s", where);
    return status;
}

static linli_status
check(const struct ll_bill_act *act, const struct ll_sub_offer *offer,
    struct ll_err *err)
{
    linli_status status =
        check_parties(offer->payers, offer->payer_count, true, err);
    if (status == LINLI_OK)
        status = check_parties(
            offer->beneficiaries, offer->beneficiary_count, false, err);
    if (status != LINLI_OK)
        return status;
    if (offer->start_ms != 0 &&
        (offer->start_ms < act->now_ms ||
            offer->start_ms - act->now_ms > LL_SUB_AHEAD_MS_MAX))
        return invalid(
            err, "/start", "a start is now or later, at most a year ahead");
    if (offer->seats_micro <= 0 ||
        offer->seats_micro > (int64_t)LL_SUB_SEATS_MAX * LL_MICRO)
        return invalid(err, "/seats", "more than 0, and at most a million");
    if (offer->cap_fen < LL_CAP_NONE || offer->cap_fen == LL_CAP_LIFT)
        return invalid(err, "/cap_fen", "0 or more");
    if (offer->plan->closed)
        return ll_fail(err, LINLI_E_CONFLICT, "plan/closed",
            "`%.*s` is not sold any more", LL_FMT(offer->plan->name));
    return act->billing->subs->count >= LL_SUBS_MAX
               ? ll_fail(err, LINLI_E_LIMIT, "plan/full",
                     "a host has at most %d subscriptions", LL_SUBS_MAX)
               : LINLI_OK;
}

/* -- the same once more -- */

static void
write_parties(const struct ll_billing *billing, linli_str community,
    const struct ll_sub_party *parties, uint32_t count, struct ll_buf *text)
{
    char subject[LL_PID_BYTES];
    for (uint32_t i = 0; i < count; i++) {
        ll_sub_party_subject(billing, community, &parties[i], subject);
        ll_buf_printf(text, " %d:%d:%s", (int)parties[i].kind,
            (int)parties[i].bp, subject);
    }
}

/* What is compared under a key. Who it names stands in it by names that only
 * the key file leads to, so that the hash of somebody who was erased tells
 * nothing. Of the plan the name: a newer version makes it no other offer. */
static linli_status
hash_offer(const struct ll_billing *billing, const struct ll_sub_offer *offer,
    char out[LL_SUB_OFFER_BYTES], struct ll_err *err)
{
    struct ll_buf text;
    unsigned char hash[LL_SHA256_BYTES];
    ll_buf_init(&text, billing->mem, OFFER_BYTES_MAX);
    ll_buf_printf(&text, "%.*s %lld %lld %lld pay", LL_FMT(offer->plan->name),
        (long long)offer->start_ms, (long long)offer->seats_micro,
        (long long)offer->cap_fen);
    write_parties(
        billing, offer->community, offer->payers, offer->payer_count, &text);
    ll_buf_cstr(&text, " use");
    write_parties(billing, offer->community, offer->beneficiaries,
        offer->beneficiary_count, &text);
    bool failed = text.failed;
    if (!failed)
        ll_sha256(text.ptr, text.len, hash);
    ll_buf_fini(&text);
    if (failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an offer");
    ll_hex(hash, sizeof hash, out);
    return LINLI_OK;
}

/* -- one at a time -- */

struct clashing {
    int64_t from_ms;
    const struct ll_sub *found;
};

static void
look(void *user, struct ll_sub *sub)
{
    struct clashing *clashing = user;
    if (sub->end_ms > clashing->from_ms)
        clashing->found = sub;
}

static linli_status
check_clash(const struct ll_billing *billing, const struct ll_sub_offer *offer,
    int64_t from_ms, struct ll_err *err)
{
    struct clashing clashing = {.from_ms = from_ms};
    for (uint32_t i = 0; i < offer->beneficiary_count; i++) {
        struct ll_sub_user user = {offer->community, offer->plan->plugin,
            offer->beneficiaries[i].kind, offer->beneficiaries[i].who};
        ll_subs_of(billing, &user, look, &clashing);
        if (clashing.found == NULL)
            continue;
        (void)ll_fail(err, LINLI_E_CONFLICT, "plan/subscribed",
            "sub_%u of theirs is not over by then", clashing.found->id);
        ll_err_where(err, "/beneficiaries/%u", i);
        return LINLI_E_CONFLICT;
    }
    return LINLI_OK;
}

/* -- the beginning -- */

/* What it will be, in memory of its own. */
static linli_status
make(struct ll_billing *billing, const struct ll_sub_offer *offer,
    int64_t from_ms, const char *hash, struct ll_sub **out, struct ll_err *err)
{
    const struct ll_plan_version *plan = offer->plan;
    struct ll_subscription life;
    struct ll_sub_terms terms = {plan->plan.interval, plan->plan.anchor,
        plan->plan.trial_days, plan->id};
    struct ll_market *market =
        ll_market(billing, plan->community, plan->plugin);
    ll_check(market != NULL);
    ll_sub_begin(&life, plan->local, &terms, from_ms);
    struct ll_sub like = {.id = LL_SUB_FIRST + billing->subs->count,
        .community = market->community,
        .plugin = market->plugin,
        .key = offer->key,
        .payers = offer->payers,
        .beneficiaries = offer->beneficiaries,
        .payer_count = offer->payer_count,
        .beneficiary_count = offer->beneficiary_count,
        .local = plan->local,
        .zone = plan->plan.tz,
        .seats_micro = offer->seats_micro,
        .cap_fen = offer->cap_fen,
        .cap_asked_fen = LL_CAP_NONE,
        .billed_to = life.rhythm.start};
    (void)snprintf(like.offer, sizeof like.offer, "%s", hash);
    *out = NULL;
    struct ll_sub *sub = ll_alloc(billing->mem, sizeof *sub);
    if (sub == NULL ||
        !ll_subs_room(billing, offer->payer_count + offer->beneficiary_count)) {
        ll_release(billing->mem, sub, sizeof *sub);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a subscription");
    }
    linli_status status = ll_sub_pack(billing, &like, &life, sub, err);
    if (status != LINLI_OK) {
        ll_release(billing->mem, sub, sizeof *sub);
        return status;
    }
    *out = sub;
    return LINLI_OK;
}

static linli_status
send(struct ll_bill_act *act, const struct ll_sub_offer *offer,
    struct ll_sub *take_sub, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    struct ll_sub_line line = {.what = "start",
        .plan = offer->plan,
        .from_ms = take_sub->start_ms,
        .fen = offer->cap_fen == LL_CAP_NONE ? NULL : &offer->cap_fen};
    linli_status status = ll_bill_begin(act, err);
    if (status == LINLI_OK) {
        ll_sub_put_row(billing, take_sub, act->commit);
        ll_sub_put_parties(billing, take_sub, act->commit);
        ll_sub_put_line(act, take_sub, &line);
        status = ll_bill_room(act, err);
    }
    if (status != LINLI_OK) {
        ll_release(billing->mem, take_sub->block, take_sub->bytes);
        ll_release(billing->mem, take_sub, sizeof *take_sub);
        return status;
    }
    ll_subs_add(billing, take_sub);
    ll_invoices_touch(billing, take_sub);
    (void)ll_bill_send(act);
    return LINLI_OK;
}

linli_status
ll_sub_start(struct ll_bill_act *act, const struct ll_sub_offer *offer,
    struct ll_sub **out, bool *again, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    char hash[LL_SUB_OFFER_BYTES];
    struct ll_sub *sub = NULL;
    int64_t from_ms = offer->start_ms == 0 ? act->now_ms : offer->start_ms;
    *out = NULL;
    *again = false;
    linli_status status = hash_offer(billing, offer, hash, err);
    if (status != LINLI_OK)
        return status;
    struct ll_sub *before =
        ll_sub_by_key(billing, offer->community, offer->key);
    if (before != NULL && strcmp(before->offer, hash) != 0)
        return ll_fail(err, LINLI_E_CONFLICT, "request/key-reused",
            "sub_%u was made under this key, of another offer", before->id);
    if (before != NULL) {
        *again = true;
        *out = before;
        return LINLI_OK;
    }
    status = check(act, offer, err);
    if (status == LINLI_OK)
        status = check_clash(billing, offer, from_ms, err);
    if (status == LINLI_OK)
        status = make(billing, offer, from_ms, hash, &sub, err);
    if (status == LINLI_OK)
        status = send(act, offer, sub, err);
    if (status == LINLI_OK)
        *out = sub;
    return status;
}
