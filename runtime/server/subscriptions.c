/* server/subscriptions.c: who is subscribed, as an operator has it. [loop]
 *
 * GET  /v1/c/{c}/admin/subscriptions?plugin=&state=&resident=&household=
 * POST /v1/c/{c}/admin/subscriptions {plan, payers, beneficiaries?, start?,
 *      seats?, cap_fen?, reason?}, with an Idempotency-Key
 * GET  /v1/c/{c}/admin/subscriptions/{id}              with what was done
 * POST /v1/c/{c}/admin/subscriptions/{id}/upgrade|downgrade {plan, reason}
 * POST .../pause|resume {reason}, .../cancel {reason, now?}
 * POST .../cap {fen, reason}
 */
#include <stdio.h>

#include "base/instant.h"
#include "base/text.h"
#include "domain/pricing_number.h"
#include "host/tell.h"
#include "server/deal.h"

/* -- the list -- */

struct filter {
    linli_str plugin, state, resident, household;
    int64_t now_ms;
};

static bool
is_of(const struct ll_sub *sub, const struct filter *f)
{
    struct ll_sub_reader of = {f->resident, f->household};
    bool found = of.resident.len == 0 && of.household.len == 0;
    if (f->plugin.ptr != NULL && !ll_str_eq(sub->plugin, f->plugin))
        return false;
    if (f->state.ptr != NULL &&
        !ll_str_is(
            f->state, ll_sub_state_name(ll_sub_state_at(sub, f->now_ms))))
        return false;
    for (uint32_t i = 0; i < sub->payer_count && !found; i++)
        found = ll_sub_is_readers(&sub->payers[i], &of);
    for (uint32_t i = 0; i < sub->beneficiary_count && !found; i++)
        found = ll_sub_is_readers(&sub->beneficiaries[i], &of);
    return found;
}

static void
write_list(struct ll_face *face, const struct ll_community *community,
    const struct filter *f, int64_t limit, int64_t after)
{
    const struct ll_billing *billing = &face->host->billing;
    struct ll_jw w = ll_jw(&face->out);
    const struct ll_sub *sub = ll_sub_next(billing, (uint32_t)after);
    int64_t shown = 0;
    ll_buf_clear(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    for (; sub != NULL && shown < limit && face->out.len < LL_ADMIN_PAGE_BYTES;
         sub = ll_sub_next(billing, sub->id)) {
        after = sub->id;
        if (!ll_str_eq(sub->community, community->id) || !is_of(sub, f))
            continue;
        ll_sub_write(&w, billing, sub, f->now_ms, NULL);
        ll_jw_close(&w, '}');
        shown++;
    }
    ll_jw_close(&w, ']');
    ll_put_cursor(&w, sub != NULL, after);
    ll_jw_close(&w, '}');
}

static linli_status
check_state(linli_str state, struct ll_err *err)
{
    for (int i = 0; i <= LL_SUB_IS_ENDED; i++)
        if (state.ptr == NULL ||
            ll_str_is(state, ll_sub_state_name((enum ll_sub_state)i)))
            return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`state` is coming, trial, active, paused, suspended or ended");
}

static void
list(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community)
{
    static const char *const names[] = {
        "plugin", "state", "resident", "household", "cursor", "limit", NULL};
    struct ll_params *params = ll_alloc(&face->host->mem, sizeof *params);
    struct ll_err err;
    int64_t limit = LL_ADMIN_LIST_DEFAULT, after = 0;
    if (params == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    linli_status status = ll_params_read(params, names, request->query, &err);
    if (status == LINLI_OK)
        status = ll_view_page(params, &limit, &after, &err);
    if (status == LINLI_OK && after >= UINT32_MAX)
        status = ll_fail(&err, LINLI_E_INVALID, "request/cursor", "it is none");
    if (status == LINLI_OK)
        status = check_state(ll_param(params, "state"), &err);
    if (status == LINLI_OK) {
        struct filter f = {.plugin = ll_param(params, "plugin"),
            .state = ll_param(params, "state"),
            .resident = ll_param(params, "resident"),
            .household = ll_param(params, "household"),
            .now_ms = ll_world_wall(face->host->world).ms};
        write_list(face, community, &f, limit, after);
    }
    ll_release(&face->host->mem, params, sizeof *params);
    if (status == LINLI_OK)
        ll_face_answer(face, request, 200, "application/json");
    else
        ll_face_error(face, request, &err);
}

/* -- one, with its history -- */

struct showing {
    struct ll_view view;
    uint32_t sub;
};

static void
end_showing(struct ll_view *view)
{
    struct showing *showing = LL_CONTAINER(view, struct showing, view);
    ll_release(&view->face->host->mem, showing, sizeof *showing);
}

static void
step_showing(struct ll_view *view)
{
    struct showing *showing = LL_CONTAINER(view, struct showing, view);
    struct ll_host *host = view->face->host;
    struct ll_rd row = ll_rd(ll_buf_view(&view->query.rows));
    const struct ll_sub *sub = ll_sub_by_id(&host->billing, showing->sub);
    ll_sub_write(
        &view->w, &host->billing, sub, ll_world_wall(host->world).ms, NULL);
    ll_jw_key(&view->w, "deeds");
    ll_jw_open(&view->w, '[');
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        (void)ll_rd_list(&row);
        (void)ll_rd_int(&row);
        ll_jw_open(&view->w, '{');
        ll_view_instant(view, "at", ll_rd_int(&row));
        ll_view_text(view, "by", ll_rd_bytes(&row));
        ll_view_text(view, "what", ll_rd_bytes(&row));
        ll_jw_key(&view->w, "with");
        ll_jw_raw(&view->w, ll_rd_bytes(&row));
        ll_jw_close(&view->w, '}');
    }
    if (row.bad) {
        ll_view_torn(view);
        return;
    }
    ll_jw_close(&view->w, ']');
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
show(struct ll_face *face, struct ll_request *request, uint32_t sub)
{
    struct showing *showing = ll_alloc(&face->host->mem, sizeof *showing);
    if (showing == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    showing->sub = sub;
    showing->view.step = step_showing;
    showing->view.end = end_showing;
    ll_view_begin(&showing->view, face, request);
    struct ll_query *query = ll_view_query(&showing->view, LL_ST_sub_deeds);
    ll_put_int(&query->params, sub);
    ll_put_int(&query->params, 0);
    ll_put_int(&query->params, LL_ADMIN_LIST_MAX);
    query->rows_max = LL_ADMIN_LIST_MAX;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&showing->view);
}

/* -- making one -- */

static linli_status
invalid(struct ll_err *err, const char *where, const char *why)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "request/invalid", "%s", why);
    ll_err_where(err, "%s", where);
    return status;
}

/* The version that `plan` names: "basic" or "basic@2". */
static linli_status
read_plan(const struct ll_deal *deal, const struct ll_plan_version **out,
    struct ll_err *err)
{
    linli_str text = ll_jv_str(ll_jv_get(ll_json_root(&deal->body), "plan"));
    linli_str name;
    uint32_t number;
    *out = !ll_plan_text_read(text, &name, &number)
               ? NULL
               : ll_plan_find(
                     deal->act.billing, deal->community->id, name, number);
    if (*out != NULL)
        return LINLI_OK;
    (void)ll_fail(err, LINLI_E_INVALID, "plan/unknown",
        "`plan` is a name, or a name and a version: basic@2");
    ll_err_where(err, "/plan");
    return LINLI_E_INVALID;
}

static bool
read_kind(linli_str word, enum ll_party_kind *kind)
{
    for (int i = 0; i <= LL_PARTY_OPERATOR; i++) {
        *kind = (enum ll_party_kind)i;
        if (ll_str_is(word, ll_party_kind_name(*kind)))
            return true;
    }
    return false;
}

static linli_status
read_party(struct ll_jv v, bool pays, bool alone, struct ll_sub_party *out,
    struct ll_err *err)
{
    struct ll_jv bp = ll_jv_get(v, "bp");
    int64_t part = alone ? LL_BP : 0;
    uint32_t known = 0;
    *out = (struct ll_sub_party){.who = ll_jv_str(ll_jv_get(v, "id"))};
    LL_JSON_MEMBERS (name, value, v) {
        LL_UNUSED(value);
        known += ll_str_is(ll_jv_str(name), "kind") ||
                 ll_str_is(ll_jv_str(name), "id") ||
                 (pays && ll_str_is(ll_jv_str(name), "bp"));
    }
    if (!ll_jv_is(v, LL_JSON_OBJECT) || known != ll_jv_count(v) ||
        !read_kind(ll_jv_str(ll_jv_get(v, "kind")), &out->kind))
        return ll_fail(err, LINLI_E_INVALID, "plan/parties",
            "{\"kind\": resident, household, community or operator, "
            "\"id\"%s}",
            pays ? ", \"bp\"" : "");
    if (ll_jv_there(bp) && !ll_jv_int(bp, &part))
        part = -1;
    out->bp = !pays ? 0 : part < 0 || part > LL_BP ? -1 : (int32_t)part;
    return LINLI_OK;
}

static linli_status
read_parties(struct ll_jv list, const char *name, struct ll_sub_party *out,
    uint32_t *count, struct ll_err *err)
{
    bool pays = strcmp(name, "payers") == 0;
    *count = 0;
    if (!ll_jv_is(list, LL_JSON_ARRAY) ||
        ll_jv_count(list) > LL_SUB_PARTIES_MAX) {
        (void)ll_fail(err, LINLI_E_INVALID, "plan/parties", "a list of 1 to %d",
            LL_SUB_PARTIES_MAX);
        ll_err_where(err, "/%s", name);
        return LINLI_E_INVALID;
    }
    LL_JSON_EACH (v, list) {
        linli_status status =
            read_party(v, pays, ll_jv_count(list) == 1, &out[*count], err);
        if (status != LINLI_OK) {
            ll_err_where(err, "/%s/%u", name, *count);
            return status;
        }
        (*count)++;
    }
    return LINLI_OK;
}

/* Who uses it if nothing is said: the residents and households who pay, or
 * else everybody. */
static void
default_users(const struct ll_sub_offer *offer, struct ll_sub_party *users,
    uint32_t *count)
{
    *count = 0;
    for (uint32_t i = 0; i < offer->payer_count; i++) {
        const struct ll_sub_party *p = &offer->payers[i];
        if (p->kind == LL_PARTY_RESIDENT || p->kind == LL_PARTY_HOUSEHOLD)
            users[(*count)++] = (struct ll_sub_party){p->kind, p->who, 0};
    }
    if (*count == 0)
        users[(*count)++] = (struct ll_sub_party){.kind = LL_PARTY_COMMUNITY};
}

static linli_status
read_terms(struct ll_jv root, struct ll_sub_offer *offer, struct ll_err *err)
{
    struct ll_jv start = ll_jv_get(root, "start"),
                 seats = ll_jv_get(root, "seats"),
                 cap = ll_jv_get(root, "cap_fen");
    int64_t units = 1;
    offer->seats_micro = LL_MICRO;
    offer->cap_fen = LL_CAP_NONE;
    if (ll_jv_there(start) &&
        !ll_instant_read(ll_jv_str(start), &offer->start_ms))
        return invalid(err, "/start", "an instant of RFC 3339");
    if (ll_jv_is(seats, LL_JSON_STRING)
            ? !ll_usage_read(ll_jv_str(seats), &offer->seats_micro)
            : ll_jv_there(seats) && (!ll_jv_int(seats, &units) || units < 1 ||
                                        units > LL_SUB_SEATS_MAX))
        return invalid(err, "/seats", "a number of seats");
    if (ll_jv_there(seats) && !ll_jv_is(seats, LL_JSON_STRING))
        offer->seats_micro = units * LL_MICRO;
    if (ll_jv_there(cap) && !ll_jv_is(cap, LL_JSON_NULL) &&
        (!ll_jv_int(cap, &offer->cap_fen) || offer->cap_fen < 0))
        return invalid(err, "/cap_fen", "fen, 0 or more, or null");
    return LINLI_OK;
}

linli_status
ll_sub_offer_read(struct ll_jv root, struct ll_sub_offer_room *room,
    struct ll_sub_offer *offer, struct ll_err *err)
{
    struct ll_jv users = ll_jv_get(root, "beneficiaries");
    offer->payers = room->payers;
    offer->beneficiaries = room->users;
    linli_status status = read_parties(ll_jv_get(root, "payers"), "payers",
        room->payers, &offer->payer_count, err);
    if (status != LINLI_OK)
        return status;
    if (!ll_jv_there(users))
        default_users(offer, room->users, &offer->beneficiary_count);
    else
        status = read_parties(users, "beneficiaries", room->users,
            &offer->beneficiary_count, err);
    return status == LINLI_OK ? read_terms(root, offer, err) : status;
}

static linli_status
read_key(const struct ll_deal *deal, linli_str *key, struct ll_err *err)
{
    *key = ll_request_field(deal->view.request, "idempotency-key");
    bool good = key->len >= 1 && key->len <= LL_IDEMPOTENCY_KEY_BYTES_MAX;
    for (size_t i = 0; good && i < key->len; i++)
        good = key->ptr[i] > ' ' && key->ptr[i] < 0x7f;
    return good ? LINLI_OK
                : ll_fail(err, LINLI_E_INVALID, "request/idempotency-key",
                      "it says which subscription this is, if sent again");
}

static linli_status
start_it(struct ll_deal *deal, struct ll_sub_offer_room *room, bool *again,
    struct ll_err *err)
{
    static const char *const names[] = {"plan", "payers", "beneficiaries",
        "start", "seats", "cap_fen", "reason", NULL};
    struct ll_sub_offer offer = {.community = deal->community->id};
    struct ll_sub *sub;
    linli_status status = ll_deal_read(deal, names, err);
    if (status == LINLI_OK)
        status = read_key(deal, &offer.key, err);
    if (status == LINLI_OK)
        status = read_plan(deal, &offer.plan, err);
    if (status == LINLI_OK)
        status =
            ll_sub_offer_read(ll_json_root(&deal->body), room, &offer, err);
    if (status == LINLI_OK)
        status = ll_sub_start(&deal->act, &offer, &sub, again, err);
    if (status != LINLI_OK)
        return status;
    deal->view.status = *again ? 200 : 201;
    ll_sub_write(&deal->view.w, deal->act.billing, sub, deal->act.now_ms, NULL);
    ll_jw_close(&deal->view.w, '}');
    return LINLI_OK;
}

static void
start(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    struct ll_err err;
    bool again = false;
    struct ll_deal *deal = ll_deal_begin(face, request, community);
    struct ll_mem *mem = &face->host->mem;
    if (deal == NULL)
        return;
    struct ll_sub_offer_room *room = ll_alloc(mem, sizeof *room);
    linli_status status = room == NULL ? ll_fail(&err, LINLI_E_NOMEM,
                                             "runtime/memory", "a subscription")
                                       : start_it(deal, room, &again, &err);
    ll_release(mem, room, sizeof *room);
    ll_deal_end(deal, status, again, &err);
}

/* -- acting on one -- */

static const char *const with_plan[] = {"plan", "!reason", NULL};
static const char *const with_fen[] = {"fen", "!reason", NULL};
static const char *const with_now[] = {"now", "!reason", NULL};
static const char *const with_reason[] = {"!reason", NULL};

static const struct verb {
    const char *name;
    enum ll_sub_do what;
    const char *const *members;
} verbs[] = {
    {"upgrade", LL_SUB_DO_UPGRADE, with_plan},
    {"downgrade", LL_SUB_DO_DOWNGRADE, with_plan},
    {"pause", LL_SUB_DO_PAUSE, with_reason},
    {"resume", LL_SUB_DO_RESUME, with_reason},
    {"cancel", LL_SUB_DO_CANCEL_AT_END, with_now},
    {"cap", LL_SUB_DO_ASK_CAP, with_fen},
};

static const struct verb *
verb_of(linli_str name)
{
    for (size_t i = 0; i < LL_COUNT(verbs); i++)
        if (ll_str_is(name, verbs[i].name))
            return &verbs[i];
    return NULL;
}

/* An operator's word is the payer's if no resident and no household pays. */
static bool
pays_themself(const struct ll_sub *sub)
{
    for (uint32_t i = 0; i < sub->payer_count; i++)
        if (sub->payers[i].kind == LL_PARTY_RESIDENT ||
            sub->payers[i].kind == LL_PARTY_HOUSEHOLD)
            return false;
    return true;
}

static linli_status
read_deed(const struct ll_deal *deal, const struct ll_sub *sub,
    struct ll_sub_deed *deed, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&deal->body), now = ll_jv_get(root, "now");
    switch (deed->what) {
    case LL_SUB_DO_UPGRADE:
    case LL_SUB_DO_DOWNGRADE:
        return read_plan(deal, &deed->plan, err);
    case LL_SUB_DO_CANCEL_AT_END:
        if (ll_jv_there(now) && !ll_jv_is(now, LL_JSON_TRUE) &&
            !ll_jv_is(now, LL_JSON_FALSE))
            return invalid(err, "/now", "true or false");
        if (ll_jv_true(now))
            deed->what = LL_SUB_DO_CANCEL;
        return LINLI_OK;
    case LL_SUB_DO_ASK_CAP:
        if (pays_themself(sub))
            deed->what = LL_SUB_DO_CAP;
        return ll_sub_read_cap(root, &deed->fen, err);
    default:
        return LINLI_OK;
    }
}

/* A cap that waits: those who can approve it have to know. */
static void
tell_asked(struct ll_community *community, const struct ll_sub *sub)
{
    struct ll_telling telling = {
        .zh = LINLI_STR("物业请求调高您的服务费用上限, 未经您批准不会生效, "
                        "请在我的订阅中查看."),
        .en = LINLI_STR("The operator asks for a higher cap on what a service "
                        "may cost you. It holds only once you approve it: see "
                        "your subscriptions.")};
    struct ll_log_line line = {.level = LL_ERROR,
        .code = "runtime/memory",
        .plugin = LINLI_STR("~"),
        .community = community->id,
        .msg = LINLI_STR("a payer is not told of a cap that was asked")};
    for (uint32_t i = 0; i < sub->payer_count; i++) {
        telling.resident = sub->payers[i].who;
        if (sub->payers[i].kind == LL_PARTY_RESIDENT &&
            telling.resident.len > 0 && !ll_tell(community, &telling))
            ll_log_write(&community->host->log, &line);
    }
}

static void
act(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, uint32_t id, const struct verb *verb)
{
    struct ll_err err;
    bool again = false;
    struct ll_sub_deed deed = {.what = verb->what};
    struct ll_deal *deal = ll_deal_begin(face, request, community);
    if (deal == NULL)
        return;
    struct ll_sub *sub = ll_sub_by_id(&face->host->billing, id);
    linli_status status = ll_deal_read(deal, verb->members, &err);
    if (status == LINLI_OK)
        status = read_deed(deal, sub, &deed, &err);
    if (status == LINLI_OK)
        status = ll_sub_act(&deal->act, sub, &deed, &again, &err);
    if (status == LINLI_OK) {
        ll_sub_write(
            &deal->view.w, deal->act.billing, sub, deal->act.now_ms, NULL);
        ll_jw_close(&deal->view.w, '}');
    }
    if (status == LINLI_OK && !again && deed.what == LL_SUB_DO_ASK_CAP &&
        sub->cap_asked_fen != LL_CAP_NONE)
        tell_asked(community, sub);
    ll_deal_end(deal, status, again, &err);
}

/* -- which it is -- */

static void
handle_one(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str below)
{
    linli_str text;
    uint32_t id;
    (void)ll_str_split(&below, '/', &text);
    const struct verb *verb = below.ptr == NULL ? NULL : verb_of(below);
    const struct ll_sub *sub = !ll_sub_text_read(text, &id)
                                   ? NULL
                                   : ll_sub_by_id(&face->host->billing, id);
    if (sub == NULL || !ll_str_eq(sub->community, community->id) ||
        (below.ptr != NULL && verb == NULL))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (!ll_str_is(request->method, verb == NULL ? "GET" : "POST"))
        ll_face_method(face, request, verb == NULL ? "GET" : "POST");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (verb == NULL)
        show(face, request, id);
    else
        act(face, request, community, id, verb);
}

bool
ll_subs_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    bool all = ll_str_is(rest, "/subscriptions");
    if (!all && !ll_str_starts(rest, "/subscriptions/"))
        return false;
    if (!all)
        handle_one(face, request, community,
            (linli_str){rest.ptr + 15, rest.len - 15});
    else if (ll_str_is(request->method, "GET"))
        list(face, request, community);
    else if (!ll_str_is(request->method, "POST"))
        ll_face_method(face, request, "GET, POST");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else
        start(face, request, community);
    return true;
}
