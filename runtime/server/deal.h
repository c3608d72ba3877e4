/* server/deal.h: what somebody does to a plan, a subscription, money. [loop]
 *
 * A view (server/view.h) around an act (billing/act.h): its answer is written
 * when memory has changed, and leaves when that is durable. A face that goes
 * answers first; the act then frees what it is in.
 */
#ifndef LL_SERVER_DEAL_H
#define LL_SERVER_DEAL_H

#include "billing/subs.h"
#include "server/desk.h"

struct ll_deal {
    struct ll_view view;
    struct ll_bill_act act;
    struct ll_json body; /* of the request, once it was read */
    struct ll_community *community;
    char by[LL_TOKEN_NAME_BYTES_MAX + 16]; /* "operator:ID" */
    bool acting, gone; /* gone: answered, and its act is not done */
};

/* NULL: answered. `act` is ready but for its reason; who was admitted is
 * `by`. */
struct ll_deal *ll_deal_begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community);
/* The body into deal->body: an object with no members but `names`, and with a
 * `reason` if that is among them as "!reason"; the act's then. A request
 * without a body is {}. "request/...". */
linli_status ll_deal_read(struct ll_deal *deal, const char *const *names,
    struct ll_err *err) LL_USE_RESULT;
/* How it went: refused; or nothing was sent, and it is answered now; or it is
 * answered when it is durable. Call it once, last. */
void ll_deal_end(struct ll_deal *deal, linli_status status, bool again,
    const struct ll_err *err);

/* -- what an operator who was admitted asks; false if `rest` is none of
 * theirs -- */

/* For ll_plan_offer: whether Linli, or the plugin as it is enabled in the
 * community that is `user`, has a meter. server/plans.c */
bool ll_plan_meter_known(void *user, linli_str plugin, linli_str meter);
/* POST .../admin/plans/preview. server/plan_preview.c */
void ll_plan_preview_begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community);
/* .../admin/plans and what is below it. server/plans.c */
bool ll_plans_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);
/* .../admin/subscriptions and what is below it. server/subscriptions.c */
bool ll_subs_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);
/* .../me/subscriptions and what is below it, for a resident. False for any
 * other `rest`, which begins with "me/". server/subscriptions_me.c */
bool ll_subs_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);

/* -- server/subscription.c: one, written -- */

/* Without its last brace. `reader` NULL: for an operator, who sees whose it
 * is; else for that resident, who sees themself and their household. */
struct ll_sub_reader {
    linli_str resident, household;
};
void ll_sub_write(struct ll_jw *w, const struct ll_billing *billing,
    const struct ll_sub *sub, int64_t now_ms,
    const struct ll_sub_reader *reader);
/* Whether a party is the reader, or a household that they are of. */
bool ll_sub_is_readers(
    const struct ll_sub_party *party, const struct ll_sub_reader *reader);
/* What an operator offers, but for the plan and the key: payers and
 * beneficiaries, which borrow from `root` and stand in `room`, start, seats and
 * cap. server/subscriptions.c */
struct ll_sub_offer_room {
    struct ll_sub_party payers[LL_SUB_PARTIES_MAX];
    struct ll_sub_party users[LL_SUB_PARTIES_MAX];
};
linli_status ll_sub_offer_read(struct ll_jv root,
    struct ll_sub_offer_room *room, struct ll_sub_offer *offer,
    struct ll_err *err) LL_USE_RESULT;
/* {"fen": 5000 or null}: LL_CAP_NONE for null. */
linli_status ll_sub_read_cap(
    struct ll_jv root, int64_t *fen, struct ll_err *err) LL_USE_RESULT;

#endif
