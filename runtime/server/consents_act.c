/* server/consents_act.c: giving, refusing, withdrawing, objecting. [loop]
 *
 * POST   /v1/c/{c}/me/consents
 * POST   /v1/c/{c}/me/consents/refuse
 * DELETE /v1/c/{c}/me/consents/{id}
 * POST   /v1/c/{c}/me/objections, DELETE the same
 *
 * Each is answered when it is durable and every call that was sequenced
 * before has been answered.
 */
#include "server/consents.h"

#include <stdio.h>

#include "base/instant.h"
#include "base/text.h"
#include "server/desk.h"

enum act_kind { ACT_GIVE, ACT_REFUSE, ACT_WITHDRAW, ACT_OBJECT };

struct acting {
    struct ll_view view;
    struct ll_act act;
    struct ll_host *host;
    struct ll_community *community;
    enum act_kind kind;
    uint32_t grant;
    struct ll_standing standing; /* of a withdrawal, which waits for `row` */
    struct ll_doc *row;          /* the pid that it may give up; or NULL */
    struct ll_wait wait;
    char by[LL_BY_BYTES], shown[LL_SHOWN_BYTES]; /* the standing's, of staff */
    struct ll_receipting receipt;                /* of what was given */
    bool continuity;                             /* it keeps the pid */
    bool acting, gone; /* gone: answered, and its act is not done */
};

static void
act_free(struct acting *a)
{
    ll_release(&a->host->mem, a, sizeof *a);
}

static void
on_end(struct ll_view *view)
{
    struct acting *a = LL_CONTAINER(view, struct acting, view);
    ll_receipting_end(&a->receipt);
    ll_wait_cancel(&a->wait);
    ll_doc_unref(&a->row);
    a->gone = a->acting;
    if (!a->gone)
        act_free(a);
}

/* Only a receipt asks queries. */
static void
on_step(struct ll_view *view)
{
    ll_receipting_step(&LL_CONTAINER(view, struct acting, view)->receipt);
}

/* -- the answer -- */

static void
put_seq(struct ll_jw *w, uint64_t leaf)
{
    ll_jw_key(w, "seq");
    if (leaf == 0)
        ll_jw_null(w);
    else
        ll_jw_int(w, (int64_t)leaf - 1);
}

static void
put_withdrawn(struct acting *a, uint64_t leaf)
{
    struct ll_view *view = &a->view;
    const struct ll_arbiter *arbiter = &a->host->arbiter;
    const struct ll_grant *grant = ll_consent_grant(arbiter->consent, a->grant);
    char id[2 * LL_TAG_BYTES + 1];
    ll_hex(grant->id, sizeof grant->id, id);
    ll_jw_open(&view->w, '{');
    ll_view_text(view, "id", ll_cstr(id));
    put_seq(&view->w, leaf);
    ll_view_instant(view, "withdrawn_at",
        ll_arbiter_grant_more(arbiter, a->grant).ended_ms);
    ll_jw_close(&view->w, '}');
}

static void
on_act(struct ll_act *act, bool durable, uint64_t leaf)
{
    struct acting *a = LL_CONTAINER(act, struct acting, act);
    struct ll_view *view = &a->view;
    struct ll_err err;
    a->acting = false;
    if (a->gone) {
        act_free(a);
        return;
    }
    if (!durable) {
        (void)ll_fail(&err, LINLI_E_IO, "store/failed", "it cannot be kept");
        ll_view_refuse(view, &err);
        return;
    }
    if (a->kind == ACT_GIVE) {
        view->status = 201;
        ll_receipting_begin(&a->receipt, view, a->community, a->grant, true);
        return;
    } else if (a->kind == ACT_WITHDRAW) {
        put_withdrawn(a, leaf);
    } else {
        ll_jw_open(&view->w, '{');
        put_seq(&view->w, leaf);
        ll_jw_close(&view->w, '}');
    }
    ll_view_answer(view);
}

static struct acting *
begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, enum act_kind kind)
{
    struct acting *a = ll_alloc(&face->host->mem, sizeof *a);
    if (a == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return NULL;
    }
    a->host = face->host;
    a->community = community;
    a->kind = kind;
    a->act.done = on_act;
    a->view.step = on_step;
    a->view.end = on_end;
    a->acting = true; /* done may not come before the start has returned */
    ll_view_begin(&a->view, face, request);
    return a;
}

/* False: it could not be begun, and `done` will not come. */
static bool
settle(struct acting *a, linli_status status, const struct ll_err *err)
{
    if (status == LINLI_OK)
        return true;
    a->acting = false;
    ll_view_refuse(&a->view, err);
    return false;
}

/* -- what is said -- */

struct said {
    struct ll_json json;
    struct ll_params params;
    struct ll_standing standing;
    uint32_t party;
    uint8_t purpose;
    uint64_t fields;
    uint32_t field_count;
    const struct ll_manifest *manifest;
};

static linli_status
bad(struct ll_err *err, const char *what, const char *fix)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "consent/act", "%s", what);
    ll_err_fix(err, "%s", fix);
    return status;
}

static linli_status
take_field(struct said *said, const struct ll_host *host, linli_str id,
    struct ll_err *err)
{
    int field = ll_dictionary_field(&host->arbiter.dictionary, id);
    if (field < 0)
        return bad(err, "there is no such field",
            "\"field\": one of the items of GET .../me/asks");
    said->fields |= (uint64_t)1 << field;
    said->field_count++;
    return LINLI_OK;
}

/* Who is asked for what, under which text. */
static linli_status
read_what(struct said *said, const struct ll_host *host, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&said->json);
    struct ll_jv fields = ll_jv_get(root, "fields");
    linli_str plugin = ll_jv_str(ll_jv_get(root, "plugin"));
    linli_str field = ll_jv_str(ll_jv_get(root, "field"));
    int purpose = ll_dictionary_purpose(
        &host->arbiter.dictionary, ll_jv_str(ll_jv_get(root, "purpose")));
    linli_status status = LINLI_OK;
    said->manifest = ll_party_manifest(said->standing.community, plugin);
    said->party = ll_consent_party(
        host->arbiter.consent, said->standing.community->id, plugin);
    if (said->manifest == NULL || said->party == LL_NO_PARTY)
        return bad(err, "the plugin asks for nothing here",
            "\"plugin\": one that is enabled in this community");
    if (purpose < 0)
        return bad(err, "there is no such purpose",
            "\"purpose\": one of the items of GET .../me/asks");
    said->purpose = (uint8_t)purpose;
    if ((field.len > 0) == ll_jv_is(fields, LL_JSON_ARRAY))
        return bad(err, "which item it is about is not said, or said twice",
            "\"field\": ID, or \"fields\": [ID, ...]");
    if (field.len > 0)
        return take_field(said, host, field, err);
    LL_JSON_EACH (item, fields) {
        if (status == LINLI_OK)
            status = take_field(said, host, ll_jv_str(item), err);
    }
    return status;
}

static linli_status
check_text(struct said *said, const struct ll_host *host, struct ll_err *err)
{
    linli_str is = ll_arbiter_notice(&host->arbiter, said->party);
    linli_str cited =
        ll_jv_str(ll_jv_get(ll_json_root(&said->json), "text_version"));
    if (cited.len == 0)
        return bad(err, "it cites no text",
            "\"text_version\": that of GET .../me/asks, whose text was shown");
    if (!ll_str_eq(cited, is))
        return ll_fail(err, LINLI_E_CONFLICT, "consent/text-changed",
            "the text is %.*s by now", LL_FMT(is));
    said->standing.who.notice = is;
    return LINLI_OK;
}

/* False: it has been answered. The caller frees said->json in any case. */
static bool
read_said(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, struct said *said, const char *const *names)
{
    static const char *const params[] = {"for", NULL};
    struct ll_err err;
    linli_status status =
        ll_params_read(&said->params, params, request->query, &err);
    if (status == LINLI_OK)
        status = ll_desk_body(request, names, &said->json, &err);
    if (status != LINLI_OK) {
        ll_face_error(face, request, &err);
        return false;
    }
    if (!ll_standing_read(face, request, community,
            ll_param(&said->params, "for"), &said->standing))
        return false;
    linli_str channel =
        ll_jv_str(ll_jv_get(ll_json_root(&said->json), "channel"));
    if (ll_str_is(channel, "sheet") || ll_str_is(channel, "centre"))
        said->standing.who.channel = ll_str_is(channel, "sheet")
                                         ? (linli_str)LINLI_STR("sheet")
                                         : (linli_str)LINLI_STR("centre");
    return true;
}

/* -- giving -- */

/* How long and how often, of the act and of the manifest. */
static linli_status
read_bounds(struct said *said, const struct ll_dictionary *d,
    struct ll_giving *g, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&said->json);
    struct ll_jv until = ll_jv_get(root, "expires_at");
    uint32_t days = 0;
    struct ll_jv asked = ll_jv_get(root, "once");
    bool once = ll_jv_true(asked);
    /* What is not understood is never taken for more than was meant. */
    if (ll_jv_there(asked) && !once && !ll_jv_is(asked, LL_JSON_FALSE))
        return bad(err, "\"once\" is neither true nor false",
            "\"once\": true, or leave it out");
    for (uint32_t f = 0; f < d->field_count; f++) {
        int at = (said->fields >> f & 1) == 0
                     ? -1
                     : ll_manifest_datum(said->manifest, d->fields[f].id,
                           d->purposes[said->purpose].id);
        if (at < 0)
            continue; /* the arbiter refuses what is not declared */
        uint32_t own = said->manifest->data[at].days;
        days = own != 0 && (days == 0 || own < days) ? own : days;
        once |= said->manifest->data[at].once;
    }
    g->uses = once ? 1 : -1;
    if (!ll_jv_there(until)) {
        g->until_ms =
            days == 0 ? 0
                      : said->standing.who.now_ms + days * LL_CONSENT_DAY_MS;
        return LINLI_OK;
    }
    if (ll_jv_is(until, LL_JSON_NULL))
        return bad(err, "a consent without an end",
            "leave \"expires_at\" out, or name a time within 365 days");
    if (!ll_instant_read(ll_jv_str(until), &g->until_ms))
        return bad(err, "\"expires_at\" is no time",
            "\"expires_at\": \"2026-12-31T00:00:00+08:00\"");
    return LINLI_OK;
}

static bool
give(struct ll_face *face, struct ll_request *request, struct said *said)
{
    struct ll_host *host = face->host;
    struct ll_giving g = {.uses = -1};
    struct ll_err err;
    linli_status status = read_what(said, host, &err);
    if (status == LINLI_OK)
        status = check_text(said, host, &err);
    if (status == LINLI_OK)
        status = read_bounds(said, &host->arbiter.dictionary, &g, &err);
    if (status != LINLI_OK) {
        ll_face_error(face, request, &err);
        return false;
    }
    g.party = said->party;
    g.purpose = said->purpose;
    g.fields = said->fields;
    /* One item on its own is an act of its own. */
    g.level = said->field_count == 1 ? LL_LEVEL_SEPARATE : LL_LEVEL_GENERAL;
    struct acting *a = begin(face, request, said->standing.community, ACT_GIVE);
    return a != NULL && settle(a,
                            ll_arbiter_give(&host->arbiter, &said->standing.who,
                                &g, &a->act, &a->grant, &err),
                            &err);
}

static bool
refuse(struct ll_face *face, struct ll_request *request, struct said *said)
{
    struct ll_host *host = face->host;
    struct ll_err err;
    linli_status status = read_what(said, host, &err);
    if (status == LINLI_OK)
        status = check_text(said, host, &err);
    if (status != LINLI_OK) {
        ll_face_error(face, request, &err);
        return false;
    }
    struct ll_refusing refusing = {
        .party = said->party, .purpose = said->purpose, .fields = said->fields};
    struct acting *a =
        begin(face, request, said->standing.community, ACT_REFUSE);
    return a != NULL && settle(a,
                            ll_arbiter_refuse(&host->arbiter,
                                &said->standing.who, &refusing, &a->act, &err),
                            &err);
}

static linli_status
read_objection(const struct said *said, const struct ll_host *host,
    struct ll_objecting *out, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&said->json);
    linli_str plugin = ll_jv_str(ll_jv_get(root, "plugin"));
    linli_str word = ll_jv_str(ll_jv_get(root, "objection"));
    unsigned kind = 0;
    while (kind <= LL_OBJECTION_MARKETING &&
           !ll_str_is(word, ll_objection_name((enum ll_objection)kind)))
        kind++;
    if (kind > LL_OBJECTION_MARKETING)
        return bad(err, "there is no such objection",
            "\"objection\": block, auto_decision, profiling or marketing");
    out->objection = (enum ll_objection)kind;
    out->party = plugin.len == 0 ? LL_NO_PARTY
                                 : ll_consent_party(host->arbiter.consent,
                                       said->standing.community->id, plugin);
    if (plugin.len > 0 && out->party == LL_NO_PARTY)
        return bad(err, "the plugin asks for nothing here",
            "\"plugin\": one that is enabled in this community, or none");
    return LINLI_OK;
}

static bool
object(struct ll_face *face, struct ll_request *request, struct said *said)
{
    struct ll_host *host = face->host;
    struct ll_jv on = ll_jv_get(ll_json_root(&said->json), "on");
    struct ll_objecting objecting = {
        .on = ll_str_is(request->method, "POST") &&
              (!ll_jv_there(on) || ll_jv_true(on))};
    struct ll_err err;
    if (read_objection(said, host, &objecting, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return false;
    }
    struct acting *a =
        begin(face, request, said->standing.community, ACT_OBJECT);
    return a != NULL && settle(a,
                            ll_arbiter_object(&host->arbiter,
                                &said->standing.who, &objecting, &a->act, &err),
                            &err);
}

/* Reads what is said and does it. */
static void
take(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, const char *const *names,
    bool (*act)(
        struct ll_face *face, struct ll_request *request, struct said *said))
{
    struct said said = {.party = LL_NO_PARTY};
    ll_json_init(&said.json, &face->host->mem);
    if (read_said(face, request, community, &said, names))
        (void)act(face, request, &said);
    ll_json_fini(&said.json);
}

void
ll_give_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    static const char *const names[] = {"plugin", "field", "fields", "purpose",
        "text_version", "expires_at", "once", "channel", NULL};
    take(face, request, community, names, give);
}

void
ll_refuse_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    static const char *const names[] = {"plugin", "field", "fields", "purpose",
        "text_version", "channel", NULL};
    take(face, request, community, names, refuse);
}

void
ll_object_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    static const char *const names[] = {"objection", "plugin", "channel", NULL};
    take(face, request, community, names, object);
}

/* -- withdrawing -- */

/* Nothing of a plugin's is left here: no live grant, and nothing that it reads
 * without one. */
static bool
is_full(const struct acting *a)
{
    const struct ll_consent *consent = a->host->arbiter.consent;
    const struct ll_grant *gone = ll_consent_grant(consent, a->grant);
    const struct ll_terms *terms = ll_consent_terms(consent, gone->party);
    uint32_t at = LL_NO_GRANT;
    for (uint32_t i = 0; i < terms->scope_count; i++)
        if (terms->scopes[i].basis != LL_BASIS_CONSENT &&
            terms->scopes[i].basis != LL_BASIS_SEPARATE)
            return false;
    while ((at = ll_consent_next_grant(consent, gone->subject, at)) !=
           LL_NO_GRANT) {
        const struct ll_grant *g = ll_consent_grant(consent, at);
        if (g->party == gone->party &&
            strcmp(ll_receipt_state(g, a->standing.who.now_ms), "live") == 0)
            return false;
    }
    return true;
}

/* The row is known: the grant ends, and with the last of them the name by
 * which the plugin knew them. */
static bool
withdraw(struct acting *a)
{
    struct ll_host *host = a->host;
    struct ll_err err;
    bool live = ll_consent_grant(host->arbiter.consent, a->grant)->status ==
                LL_GRANT_LIVE;
    linli_status status = LINLI_OK;
    a->acting = true;
    status = ll_arbiter_withdraw(
        &host->arbiter, &a->standing.who, a->grant, &a->act, &err);
    if (status == LINLI_OK && live && !a->continuity && a->row != NULL &&
        a->row->state == LL_DOC_KNOWN && is_full(a))
        ll_pid_give_up(&host->docs, a->row, a->standing.who.now_ms);
    return settle(a, status, &err);
}

static void
on_row(struct ll_wait *wait)
{
    (void)withdraw(LL_CONTAINER(wait, struct acting, wait));
}

static linli_str
copy_word(char *out, size_t size, linli_str from)
{
    int n = snprintf(out, size, "%.*s", LL_FMT(from));
    ll_check(n >= 0 && (size_t)n < size);
    return (linli_str){out, (size_t)n};
}

/* False: it was refused. */
static bool
begin_withdrawal(struct ll_face *face, struct ll_request *request,
    const struct ll_standing *standing, uint32_t grant, bool continuity)
{
    const struct ll_consent *consent = face->host->arbiter.consent;
    const struct ll_grant *g = ll_consent_grant(consent, grant);
    const struct ll_instance *instance = ll_community_instance(
        standing->community, ll_consent_plugin(consent, g->party));
    struct acting *a = begin(face, request, standing->community, ACT_WITHDRAW);
    if (a == NULL)
        return false;
    a->acting = false; /* not yet */
    a->grant = grant;
    a->standing = *standing;
    a->standing.who.actor_name =
        copy_word(a->by, sizeof a->by, standing->who.actor_name);
    a->standing.who.proof =
        copy_word(a->shown, sizeof a->shown, standing->who.proof);
    a->continuity = continuity;
    a->wait.ready = on_row;
    if (instance != NULL && !continuity)
        a->row = ll_pid_row(
            instance->space, ll_consent_resident(consent, g->subject));
    return (a->row != NULL && !ll_doc_ready(a->row, &a->wait)) || withdraw(a);
}

void
ll_withdraw_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str id)
{
    static const char *const names[] = {"for", "continuity", NULL};
    struct ll_params params;
    struct ll_standing standing;
    struct ll_err err;
    if (ll_params_read(&params, names, request->query, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    if (!ll_standing_read(
            face, request, community, ll_param(&params, "for"), &standing))
        return;
    uint32_t grant = ll_standing_grant(face, &standing, id);
    if (grant == LL_NO_GRANT)
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else
        (void)begin_withdrawal(face, request, &standing, grant,
            ll_str_is(ll_param(&params, "continuity"), "true"));
}

/* -- by staff -- */

static bool
withdraw_by_staff(struct ll_face *face, struct ll_request *request,
    const struct ll_standing *standing, struct ll_jv root)
{
    uint32_t grant =
        ll_standing_grant(face, standing, ll_jv_str(ll_jv_get(root, "grant")));
    if (grant != LL_NO_GRANT)
        return begin_withdrawal(face, request, standing, grant,
            ll_jv_true(ll_jv_get(root, "continuity")));
    ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    return false;
}

bool
ll_consents_assist(struct ll_face *face, struct ll_request *request,
    const struct ll_standing *standing, struct ll_jv root)
{
    static const char *const names[] = {LL_ASSIST_NAMES, NULL};
    linli_str word = ll_jv_str(ll_jv_get(root, "act"));
    struct said said = {.party = LL_NO_PARTY, .standing = *standing};
    struct ll_err err;
    bool begun = false;
    if (ll_str_is(word, "withdraw"))
        return withdraw_by_staff(face, request, standing, root);
    ll_json_init(&said.json, &face->host->mem);
    if (ll_desk_body(request, names, &said.json, &err) != LINLI_OK)
        ll_face_error(face, request, &err);
    else if (ll_str_is(word, "give"))
        begun = give(face, request, &said);
    else if (ll_str_is(word, "refuse"))
        begun = refuse(face, request, &said);
    else
        begun = object(face, request, &said);
    ll_json_fini(&said.json);
    return begun;
}
