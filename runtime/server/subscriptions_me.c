/* server/subscriptions_me.c: what a resident is subscribed to. [loop]
 *
 * GET  /v1/c/{c}/me/subscriptions           theirs, and their household's
 * POST .../me/subscriptions/{id}/cap {fen}  what a period may cost at most;
 *      {"approve": true} as it was asked: only somebody who pays
 * POST .../me/subscriptions/{id}/cancel     with its period; who pays alone
 */
#include <stdio.h>

#include "base/text.h"
#include "host/jwt.h"
#include "server/deal.h"

#define LIST_MAX 100 /* of a resident's own, and of their household's */

static const struct ll_admission residents = {.kinds = 1u << LL_CALLER_RESIDENT,
    .served = true,
    .words = "residents only"};

/* -- whose it is -- */

/* Which of those who pay the reader is, from 1; 0: none. */
static uint32_t
place_of(const struct ll_sub *sub, const struct ll_sub_reader *reader)
{
    for (uint32_t i = 0; i < sub->payer_count; i++)
        if (ll_sub_is_readers(&sub->payers[i], reader))
            return i + 1;
    return 0;
}

static bool
is_theirs(const struct ll_sub *sub, const struct ll_sub_reader *reader)
{
    for (uint32_t i = 0; i < sub->beneficiary_count; i++)
        if (ll_sub_is_readers(&sub->beneficiaries[i], reader))
            return true;
    return place_of(sub, reader) > 0;
}

static bool
is_about_resident(const struct ll_sub *sub, const struct ll_sub_reader *reader)
{
    const struct ll_sub_reader alone = {reader->resident, {NULL, 0}};
    return is_theirs(sub, &alone);
}

static void
write_own(struct ll_jw *w, const struct ll_billing *billing,
    const struct ll_sub *sub, int64_t now_ms,
    const struct ll_sub_reader *reader)
{
    ll_sub_write(w, billing, sub, now_ms, reader);
    ll_jw_key(w, "pays");
    ll_jw_bool(w, place_of(sub, reader) > 0);
    ll_jw_close(w, '}');
}

static void
list(struct ll_face *face, struct ll_request *request,
    const struct ll_identity *identity)
{
    const struct ll_billing *billing = &face->host->billing;
    struct ll_sub_reader reader = {identity->id, identity->household};
    const struct ll_sub_person people[] = {
        {identity->community, LL_PARTY_RESIDENT, identity->id},
        {identity->community, LL_PARTY_HOUSEHOLD, identity->household}};
    int64_t now_ms = ll_world_wall(face->host->world).ms;
    struct ll_sub *found[LIST_MAX];
    struct ll_jw w = ll_jw(&face->out);
    ll_buf_clear(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    for (size_t who = 0; who < LL_COUNT(people); who++) {
        uint32_t count =
            ll_subs_about(billing, &people[who], 0, found, LIST_MAX);
        for (uint32_t i = 0; i < count; i++)
            /* Of the household's, those that were not the resident's own. */
            if (who == 0 || !is_about_resident(found[i], &reader))
                write_own(&w, billing, found[i], now_ms, &reader);
    }
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

/* -- acting -- */

static linli_status
read_cap(const struct ll_deal *deal, const struct ll_sub *sub,
    struct ll_sub_deed *deed, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&deal->body);
    bool fen = ll_jv_there(ll_jv_get(root, "fen"));
    bool approve = ll_jv_true(ll_jv_get(root, "approve"));
    deed->what = LL_SUB_DO_CAP;
    if (fen == approve)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "either `fen`, or `approve`: true");
    if (fen)
        return ll_sub_read_cap(root, &deed->fen, err);
    deed->fen = sub->cap_asked_fen == LL_CAP_LIFT   ? LL_CAP_NONE
                : sub->cap_asked_fen == LL_CAP_NONE ? sub->cap_fen
                                                    : sub->cap_asked_fen;
    return LINLI_OK;
}

static linli_status
check_payer(
    const struct ll_sub *sub, uint32_t place, bool cancel, struct ll_err *err)
{
    if (place == 0)
        return ll_fail(err, LINLI_E_DENIED, "plan/payer",
            "others pay for this subscription");
    if (cancel &&
        (sub->payer_count > 1 || sub->payers[0].kind != LL_PARTY_RESIDENT))
        return ll_fail(err, LINLI_E_DENIED, "plan/payer",
            "who does not pay alone asks the operator to end it");
    return LINLI_OK;
}

static linli_status
act_on(struct ll_deal *deal, struct ll_sub *sub,
    const struct ll_sub_reader *reader, bool cancel, bool *again,
    struct ll_err *err)
{
    static const char *const cap[] = {"fen", "approve", NULL};
    static const char *const none[] = {NULL};
    struct ll_sub_deed deed = {.what = LL_SUB_DO_CANCEL_AT_END};
    uint32_t place = place_of(sub, reader);
    linli_status status = ll_deal_read(deal, cancel ? none : cap, err);
    if (status == LINLI_OK)
        status = check_payer(sub, place, cancel, err);
    if (status == LINLI_OK && !cancel)
        status = read_cap(deal, sub, &deed, err);
    if (status != LINLI_OK)
        return status;
    /* History says which payer it was, and never who that is. */
    (void)snprintf(deal->by, sizeof deal->by, "payer:%u", place);
    deal->act.by = ll_cstr(deal->by);
    status = ll_sub_act(&deal->act, sub, &deed, again, err);
    if (status == LINLI_OK)
        write_own(
            &deal->view.w, deal->act.billing, sub, deal->act.now_ms, reader);
    return status;
}

static void
act(struct ll_face *face, struct ll_request *request,
    const struct ll_identity *identity, linli_str below)
{
    struct ll_sub_reader reader = {identity->id, identity->household};
    struct ll_err err;
    linli_str text;
    uint32_t id;
    bool again = false;
    (void)ll_str_split(&below, '/', &text);
    struct ll_sub *sub = !ll_sub_text_read(text, &id)
                             ? NULL
                             : ll_sub_by_id(&face->host->billing, id);
    bool cancel = below.ptr != NULL && ll_str_is(below, "cancel");
    if (sub == NULL || !ll_str_eq(sub->community, identity->community) ||
        !is_theirs(sub, &reader) || below.ptr == NULL ||
        (!cancel && !ll_str_is(below, "cap"))) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    if (!ll_str_is(request->method, "POST")) {
        ll_face_method(face, request, "POST");
        return;
    }
    struct ll_deal *deal = ll_deal_begin(
        face, request, ll_host_community(face->host, identity->community));
    if (deal == NULL)
        return;
    linli_status status = act_on(deal, sub, &reader, cancel, &again, &err);
    ll_deal_end(deal, status, again, &err);
}

bool
ll_subs_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    bool all = ll_str_is(rest, "me/subscriptions");
    struct ll_identity *identity = NULL;
    struct ll_err err;
    if (!all && !ll_str_starts(rest, "me/subscriptions/"))
        return false;
    if (!ll_face_admit(face, request, community, &residents))
        return true;
    if (ll_host_identify(face->host, request, &identity, &err) != LINLI_OK)
        ll_face_error(face, request, &err);
    else if (all && !ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else if (all)
        list(face, request, identity);
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else
        act(face, request, identity, (linli_str){rest.ptr + 17, rest.len - 17});
    ll_identity_unref(&identity);
    return true;
}
