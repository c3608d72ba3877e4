/* server/consents.c: what a resident has said, as they see it. [loop]
 *
 * GET /v1/c/{c}/me/consents
 */
#include "server/consents.h"

#include "base/text.h"
#include "host/jwt.h"

#define PAGE_ITEMS 200 /* without `limit` */

/* -- who -- */

static bool
not_there(struct ll_face *face, struct ll_request *request)
{
    ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    return false;
}

/* A guardian of any power; whoever is none sees nobody. */
static bool
is_guardian(const struct ll_host *host, const struct ll_standing *s)
{
    static const uint32_t powers[] = {LL_POWER_CONSENT, LL_POWER_VIEW};
    struct ll_acting acting = {.subject = s->who.subject,
        .actor = s->who.actor,
        .class = LL_C1,
        .now_ms = s->who.now_ms,
        .today = s->who.today};
    for (size_t i = 0; i < LL_COUNT(powers); i++) {
        acting.power = powers[i];
        if (ll_consent_may_act(host->arbiter.consent, &acting) ==
            LL_REASON_ALLOW)
            return true;
    }
    return false;
}

bool
ll_standing_read(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str ward, struct ll_standing *out)
{
    struct ll_host *host = face->host;
    struct ll_arbiter *arbiter = &host->arbiter;
    struct ll_identity *identity = NULL;
    struct ll_err err;
    if (ll_host_identify(host, request, &identity, &err) != LINLI_OK) {
        ll_face_error(face, request, &err); /* it was admitted: no memory */
        return false;
    }
    *out = (struct ll_standing){.community = community,
        .elder = identity->elder,
        .who = {.community = community->id,
            .channel = LINLI_STR("app"),
            .key = ll_request_field(request, "idempotency-key"),
            .now_ms = ll_world_wall(host->world).ms}};
    out->who.today = ll_arbiter_today(&community->zone, out->who.now_ms);
    linli_status status = ll_arbiter_meet(arbiter, community->id, identity->id,
        out->who.now_ms, &out->who.actor, &err);
    ll_identity_unref(&identity);
    if (status != LINLI_OK) {
        ll_face_error(face, request, &err);
        return false;
    }
    out->who.subject = ward.len == 0 ? out->who.actor
                                     : ll_consent_subject(arbiter->consent,
                                           community->id, ward);
    if (out->who.subject == LL_NOBODY ||
        (out->who.subject != out->who.actor && !is_guardian(host, out)))
        return not_there(face, request);
    out->ward =
        ll_consent_is_ward(arbiter->consent, out->who.subject, out->who.today);
    return true;
}

const struct ll_manifest *
ll_party_manifest(const struct ll_community *community, linli_str plugin)
{
    const struct ll_instance *instance =
        ll_community_instance(community, plugin);
    return instance == NULL || instance->package == NULL
               ? NULL
               : instance->package->manifest;
}

uint32_t
ll_standing_grant(const struct ll_face *face,
    const struct ll_standing *standing, linli_str id)
{
    const struct ll_consent *consent = face->host->arbiter.consent;
    unsigned char bytes[LL_TAG_BYTES];
    if (!ll_pid_valid(id))
        return LL_NO_GRANT;
    for (size_t i = 0; i < LL_TAG_BYTES; i++) {
        unsigned high = (unsigned char)id.ptr[2 * i],
                 low = (unsigned char)id.ptr[2 * i + 1];
        high = high <= '9' ? high - '0' : high - 'a' + 10;
        low = low <= '9' ? low - '0' : low - 'a' + 10;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    uint32_t grant = ll_consent_find_grant(consent, bytes);
    return grant != LL_NO_GRANT && ll_consent_grant(consent, grant)->subject ==
                                       standing->who.subject
               ? grant
               : LL_NO_GRANT;
}

/* -- one grant -- */

static void
put_time(struct ll_jw *w, const char *name, int64_t ms)
{
    char at[LL_RFC3339_BYTES];
    ll_jw_key(w, name);
    if (ms == 0 || ms == INT64_MAX) {
        ll_jw_null(w);
        return;
    }
    ll_rfc3339(ms, at);
    ll_jw_cstr(w, at);
}

static void
put_both(struct ll_jw *w, const char *name, linli_str zh, linli_str en)
{
    ll_jw_key(w, name);
    ll_jw_open(w, '{');
    ll_jw_key(w, "zh-CN");
    ll_jw_str(w, zh);
    ll_jw_key(w, "en");
    ll_jw_str(w, en);
    ll_jw_close(w, '}');
}

static void
put_what(const struct ll_dictionary *dictionary, uint8_t purpose,
    uint64_t fields, struct ll_jw *w)
{
    const struct ll_purpose_def *p = &dictionary->purposes[purpose];
    ll_jw_key(w, "purpose");
    ll_jw_str(w, p->id);
    put_both(w, "purpose_text", p->text_zh, p->text_en);
    ll_jw_key(w, "fields");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < dictionary->field_count; i++) {
        const struct ll_field_def *f = &dictionary->fields[i];
        if ((fields >> i & 1) == 0)
            continue;
        ll_jw_open(w, '{');
        ll_jw_key(w, "id");
        ll_jw_str(w, f->id);
        put_both(w, "name", f->name_zh, f->name_en);
        ll_jw_key(w, "class");
        ll_jw_cstr(w, ll_class_name(f->class));
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

static void
put_plugin(
    const struct ll_community *community, linli_str plugin, struct ll_jw *w)
{
    const struct ll_manifest *m = ll_party_manifest(community, plugin);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, plugin);
    put_both(w, "plugin_name", m == NULL ? plugin : m->name_zh,
        m == NULL ? plugin : m->name_en);
}

/* What happens without it, as its plugin says; empty if that is gone. */
static void
put_effect(const struct ll_face *face, const struct ll_manifest *m,
    uint8_t purpose, uint64_t fields, struct ll_jw *w)
{
    const struct ll_dictionary *d = &face->host->arbiter.dictionary;
    linli_str zh = LINLI_STR(""), en = LINLI_STR("");
    for (uint32_t i = 0; m != NULL && zh.len == 0 && i < d->field_count; i++) {
        int at = (fields >> i & 1) == 0 ? -1
                                        : ll_manifest_datum(m, d->fields[i].id,
                                              d->purposes[purpose].id);
        if (at >= 0) {
            zh = m->data[at].without_zh;
            en = m->data[at].without_en;
        }
    }
    put_both(w, "effect", zh, en);
}

static void
put_grant(struct ll_face *face, const struct ll_standing *standing,
    uint32_t number, struct ll_jw *w)
{
    const struct ll_arbiter *arbiter = &face->host->arbiter;
    const struct ll_grant *grant = ll_consent_grant(arbiter->consent, number);
    struct ll_grant_more more = ll_arbiter_grant_more(arbiter, number);
    linli_str plugin = ll_consent_plugin(arbiter->consent, grant->party);
    const char *state = ll_receipt_state(grant, standing->who.now_ms);
    char id[2 * LL_TAG_BYTES + 1];
    ll_hex(grant->id, sizeof grant->id, id);
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_cstr(w, id);
    put_plugin(standing->community, plugin, w);
    put_what(&arbiter->dictionary, grant->purpose, grant->fields, w);
    ll_jw_key(w, "basis");
    ll_jw_cstr(
        w, ll_basis_name(grant->level >= LL_LEVEL_SEPARATE ? LL_BASIS_SEPARATE
                                                           : LL_BASIS_CONSENT));
    ll_jw_key(w, "level");
    ll_jw_cstr(w, ll_act_level_name((enum ll_act_level)grant->level));
    ll_jw_key(w, "state");
    ll_jw_cstr(w, state);
    put_time(w, "granted_at", grant->given_ms);
    put_time(w, "expires_at", grant->until_ms);
    put_time(w, "ended_at", more.ended_ms);
    put_time(w, "last_read_at", more.reads == 0 ? 0 : grant->used_ms);
    ll_jw_key(w, "reads");
    ll_jw_int(w, more.reads);
    ll_jw_key(w, "withdrawable");
    ll_jw_bool(w, strcmp(state, "live") == 0);
    put_effect(face, ll_party_manifest(standing->community, plugin),
        grant->purpose, grant->fields, w);
    ll_jw_key(w, "by");
    ll_jw_cstr(w, more.staff.len > 0             ? "staff"
                  : grant->guardian != LL_NOBODY ? "guardian"
                                                 : "self");
    ll_jw_close(w, '}');
}

/* -- a basis that is no consent -- */

static void
put_basis(struct ll_face *face, const struct ll_standing *standing,
    const struct ll_basis_more *basis, struct ll_jw *w)
{
    const struct ll_arbiter *arbiter = &face->host->arbiter;
    const struct ll_basis_record *r = &basis->record;
    linli_str plugin = ll_consent_plugin(arbiter->consent, r->party);
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_null(w);
    put_plugin(standing->community, plugin, w);
    put_what(&arbiter->dictionary, r->purpose, r->fields, w);
    ll_jw_key(w, "basis");
    ll_jw_cstr(w, ll_basis_name(r->basis));
    ll_jw_key(w, "level");
    ll_jw_null(w);
    ll_jw_key(w, "state");
    ll_jw_cstr(w, "live");
    put_time(w, "granted_at", r->from_ms);
    put_time(w, "expires_at", r->until_ms);
    put_time(w, "ended_at", 0);
    put_time(w, "last_read_at", 0);
    ll_jw_key(w, "reads");
    ll_jw_null(w);
    ll_jw_key(w, "withdrawable");
    ll_jw_bool(w, false);
    put_effect(face, ll_party_manifest(standing->community, plugin), r->purpose,
        r->fields, w);
    ll_jw_key(w, "by");
    ll_jw_cstr(w, "operator");
    ll_jw_close(w, '}');
}

/* Of a plugin that serves here now. */
static bool
is_shown(const struct ll_face *face, const struct ll_standing *standing,
    const struct ll_basis_more *basis)
{
    const struct ll_terms *terms =
        ll_consent_terms(face->host->arbiter.consent, basis->record.party);
    return ll_str_eq(basis->community, standing->community->id) &&
           basis->record.until_ms > standing->who.now_ms && terms->active;
}

/* What is shown beside the newest grants. */
static void
put_bases(
    struct ll_face *face, const struct ll_standing *standing, struct ll_jw *w)
{
    const struct ll_basis_more *basis;
    for (uint32_t i = 0;
         (basis = ll_arbiter_basis(&face->host->arbiter, i)) != NULL; i++)
        if (is_shown(face, standing, basis))
            put_basis(face, standing, basis, w);
}

/* A page of grants from the one after `at` on; returns the last that is shown,
 * LL_NO_GRANT if none is left. */
static uint32_t
put_page(struct ll_face *face, const struct ll_standing *standing, uint32_t at,
    int64_t limit, struct ll_jw *w)
{
    const struct ll_consent *consent = face->host->arbiter.consent;
    uint32_t last = at;
    for (int64_t n = 0; n < limit; n++) {
        at = ll_consent_next_grant(consent, standing->who.subject, last);
        if (at == LL_NO_GRANT)
            return LL_NO_GRANT;
        put_grant(face, standing, at, w);
        last = at;
    }
    return ll_consent_next_grant(consent, standing->who.subject, last) ==
                   LL_NO_GRANT
               ? LL_NO_GRANT
               : last;
}

/* How many, and after which: the cursor is the id of the last that was shown,
 * which only they can name. */
static linli_status
read_page(const struct ll_face *face, const struct ll_standing *standing,
    const struct ll_params *params, int64_t *limit, uint32_t *after,
    struct ll_err *err)
{
    linli_str cursor = ll_param(params, "cursor");
    *limit = PAGE_ITEMS;
    *after = cursor.len == 0 ? LL_NO_GRANT
                             : ll_standing_grant(face, standing, cursor);
    if (cursor.len > 0 && *after == LL_NO_GRANT)
        return ll_fail(
            err, LINLI_E_INVALID, "request/cursor", "it is none of this list");
    return ll_param_int(params, "limit", 1, LL_ADMIN_LIST_MAX, limit, err);
}

static void
list(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, const struct ll_params *params)
{
    struct ll_standing standing;
    struct ll_err err;
    int64_t limit;
    uint32_t after;
    char id[2 * LL_TAG_BYTES + 1];
    if (!ll_standing_read(
            face, request, community, ll_param(params, "for"), &standing))
        return;
    if (read_page(face, &standing, params, &limit, &after, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    uint32_t last = put_page(face, &standing, after, limit, &w);
    if (after == LL_NO_GRANT)
        put_bases(face, &standing, &w);
    ll_jw_close(&w, ']');
    ll_jw_key(&w, "next");
    if (last == LL_NO_GRANT) {
        ll_jw_null(&w);
    } else {
        ll_hex(ll_consent_grant(face->host->arbiter.consent, last)->id,
            LL_TAG_BYTES, id);
        ll_jw_cstr(&w, id);
    }
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

/* -- receipts -- */

static void
show_receipt(struct ll_face *face, struct ll_request *request,
    const struct ll_standing *standing, linli_str id)
{
    uint32_t grant = ll_standing_grant(face, standing, id);
    if (grant == LL_NO_GRANT) {
        (void)not_there(face, request);
        return;
    }
    ll_receipt_show(face, request, standing->community, grant);
}

/* -- paths -- */

static bool
is_method(struct ll_face *face, struct ll_request *request, const char *method)
{
    if (ll_str_is(request->method, method))
        return true;
    ll_face_method(face, request, method);
    return false;
}

/* "{id}" or "{id}/receipt". */
static void
handle_one(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    static const char *const names[] = {"for", NULL};
    struct ll_params params;
    struct ll_standing standing;
    struct ll_err err;
    linli_str id;
    (void)ll_str_split(&rest, '/', &id);
    if (rest.ptr == NULL) {
        if (is_method(face, request, "DELETE"))
            ll_withdraw_handle(face, request, community, id);
        return;
    }
    if (!ll_str_is(rest, "receipt")) {
        (void)not_there(face, request);
        return;
    }
    if (!is_method(face, request, "GET"))
        return;
    if (ll_params_read(&params, names, request->query, &err) != LINLI_OK)
        ll_face_error(face, request, &err);
    else if (ll_standing_read(
                 face, request, community, ll_param(&params, "for"), &standing))
        show_receipt(face, request, &standing, id);
}

static void
handle_list(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    static const char *const names[] = {"for", "cursor", "limit", NULL};
    struct ll_params params;
    struct ll_err err;
    if (ll_str_is(request->method, "POST"))
        ll_give_handle(face, request, community);
    else if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET, POST");
    else if (ll_params_read(&params, names, request->query, &err) != LINLI_OK)
        ll_face_error(face, request, &err);
    else
        list(face, request, community, &params);
}

static void
route(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    if (ll_str_is(rest, "me/consents"))
        handle_list(face, request, community);
    else if (ll_str_is(rest, "me/consents/refuse")) {
        if (is_method(face, request, "POST"))
            ll_refuse_handle(face, request, community);
    } else if (ll_str_starts(rest, "me/consents/"))
        handle_one(face, request, community,
            (linli_str){rest.ptr + 12, rest.len - 12});
    else if (ll_str_is(rest, "me/objections")) {
        if (ll_str_is(request->method, "POST") ||
            ll_str_is(request->method, "DELETE"))
            ll_object_handle(face, request, community);
        else if (ll_str_is(request->method, "GET"))
            ll_objections_list(face, request, community);
        else
            ll_face_method(face, request, "GET, POST, DELETE");
    } else if (is_method(face, request, "GET")) {
        if (ll_str_is(rest, "me/asks"))
            ll_asks_handle(face, request, community);
        else
            ll_explain_handle(face, request, community);
    }
}

bool
ll_consents_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    static const struct ll_admission residents = {
        .kinds = 1u << LL_CALLER_RESIDENT,
        .served = true,
        .words = "residents only, with their own token"};
    static const char *const ours[] = {
        "me/consents", "me/asks", "me/explain", "me/objections"};
    bool mine = ll_str_starts(rest, "me/consents/");
    for (size_t i = 0; !mine && i < LL_COUNT(ours); i++)
        mine = ll_str_is(rest, ours[i]);
    if (mine && ll_face_admit(face, request, community, &residents))
        route(face, request, ll_host_community(face->host, community), rest);
    return mine;
}
