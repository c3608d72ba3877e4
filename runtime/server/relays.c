/* server/relays.c: whose number a plugin has been given. [loop]
 *
 * GET /v1/c/{c}/admin/relays/{number}
 *
 * For the operator's call centre, which connects a call to a relay's number
 * (host/relay.c). It is told as long as the plugin may have the number, and
 * not before the log says that it was.
 */
#include "base/text.h"
#include "consent/values.h"
#include "host/directory.h"
#include "host/vault.h"
#include "server/act.h"

#define PLUGIN_BYTES_MAX 63 /* an id has 32 */

struct resolving {
    struct ll_view view;
    struct ll_actor actor;
    struct ll_community *community;
    struct ll_doc *doc;
    struct ll_held held;
    struct ll_wait wait;
    struct ll_act act;
    bool logging; /* `act` has not been told */
    bool ended;   /* the view is gone, and this goes with `act` */
    struct ll_ask ask;
    struct ll_verdict verdict;
    char plugin[PLUGIN_BYTES_MAX + 1];
    char resident[LL_DOC_ID_BYTES_MAX + 1];
};

static void
step(struct ll_view *view)
{
    LL_UNUSED(view); /* the store is asked for documents alone */
}

static void
end(struct ll_view *view)
{
    struct resolving *r = LL_CONTAINER(view, struct resolving, view);
    ll_wait_cancel(&r->wait);
    ll_doc_unref(&r->doc);
    ll_held_end(&r->held);
    r->ended = true;
    if (!r->logging)
        ll_release(&view->face->host->mem, r, sizeof *r);
}

static void
refuse(
    struct resolving *r, linli_status status, const char *code, const char *msg)
{
    struct ll_err err;
    (void)ll_fail(&err, status, code, "%s", msg);
    ll_view_refuse(&r->view, &err);
}

/* Any use that the plugin declares of it, and may have now. */
static bool
decide(struct resolving *r)
{
    const struct ll_arbiter *arbiter = &r->view.face->host->arbiter;
    const struct ll_consent *consent = arbiter->consent;
    int field =
        ll_dictionary_field(&arbiter->dictionary, LINLI_STR("phone_relay"));
    const struct ll_terms *terms =
        r->ask.party == LL_NO_PARTY ? NULL
                                    : ll_consent_terms(consent, r->ask.party);
    r->verdict.reason = LL_REASON_PLUGIN_INACTIVE;
    r->ask.field = (uint8_t)field;
    for (uint32_t i = 0; terms != NULL && i < terms->scope_count; i++) {
        if (terms->scopes[i].field != field)
            continue;
        r->ask.purpose = terms->scopes[i].purpose;
        r->verdict = ll_consent_decide(consent, &r->ask);
        if (r->verdict.reason == LL_REASON_ALLOW)
            return true;
    }
    return false;
}

static void
answer(struct resolving *r)
{
    struct ll_view *view = &r->view;
    linli_str phone =
        r->held.state == LL_HELD_THERE ? r->held.value : LINLI_STR("null");
    ll_jw_open(&view->w, '{');
    ll_view_text(view, "number", r->doc->id);
    ll_view_text(view, "plugin", ll_cstr(r->plugin));
    ll_view_text(view, "resident", ll_cstr(r->resident));
    ll_jw_key(&view->w, "phone");
    ll_jw_raw(&view->w, phone);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static struct ll_access
access_of(const struct resolving *r)
{
    return (struct ll_access){.community = r->community->id,
        .subject = r->ask.subject,
        .party = r->ask.party,
        .grant = r->verdict.grant,
        .purpose = r->ask.purpose,
        .fields = (uint64_t)1 << r->ask.field,
        .basis = r->verdict.basis,
        .actor = ll_cstr(r->actor.by),
        .now_ms = r->ask.now_ms};
}

/* What it rests on may have ended while the leaf was written, and who asked
 * may have gone: then a second leaf says that nobody was told. */
static void
on_logged(struct ll_act *act, bool durable, uint64_t leaf)
{
    struct resolving *r = LL_CONTAINER(act, struct resolving, act);
    struct ll_host *host = r->view.face->host;
    struct ll_access access = access_of(r);
    LL_UNUSED(leaf);
    r->logging = false;
    bool told = !r->ended && durable && decide(r);
    if (durable && !told)
        (void)ll_arbiter_abort(&host->arbiter, &access);
    if (r->ended) {
        ll_release(&host->mem, r, sizeof *r);
    } else if (!durable) {
        refuse(r, LINLI_E_IO, "store/failed", "the log could not be written");
    } else if (!told) {
        refuse(r, LINLI_E_DENIED, ll_reason_code(r->verdict.reason),
            ll_reason_name(r->verdict.reason));
    } else {
        answer(r);
    }
}

static void
log_it(struct resolving *r)
{
    struct ll_host *host = r->view.face->host;
    struct ll_access access = access_of(r);
    r->act = (struct ll_act){.done = on_logged};
    r->logging = true;
    if (ll_arbiter_access(&host->arbiter, &access, &r->act) != 0)
        return;
    r->logging = false;
    refuse(r, LINLI_E_NOMEM, "runtime/memory", "a relay");
}

static void
look(struct resolving *r)
{
    if (!ll_held_ready(&r->held, &r->wait))
        return;
    if (r->held.state == LL_HELD_LOST)
        refuse(r, LINLI_E_IO, "store/failed", "a relay");
    else if (!decide(r))
        refuse(r, LINLI_E_DENIED, ll_reason_code(r->verdict.reason),
            ll_reason_name(r->verdict.reason));
    else
        log_it(r);
}

/* Whose it is, and for which plugin. */
static bool
read_relay(struct resolving *r)
{
    struct ll_host *host = r->view.face->host;
    struct ll_json *json = &host->docs.json;
    const struct ll_content *content = r->doc->content;
    if (content == NULL ||
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    linli_str plugin = ll_jv_str(ll_jv_get(ll_json_root(json), "plugin"));
    linli_str resident = ll_jv_str(ll_jv_get(ll_json_root(json), "resident"));
    if (plugin.len >= sizeof r->plugin || resident.len >= sizeof r->resident ||
        plugin.len == 0 || resident.len == 0)
        return false;
    memcpy(r->plugin, plugin.ptr, plugin.len);
    memcpy(r->resident, resident.ptr, resident.len);
    int64_t now_ms = ll_world_wall(host->world).ms;
    r->ask =
        (struct ll_ask){.subject = ll_consent_subject(host->arbiter.consent,
                            r->community->id, ll_cstr(r->resident)),
            .party = ll_consent_party(
                host->arbiter.consent, r->community->id, ll_cstr(r->plugin)),
            .action = LL_ACTION_READ,
            .own = true, /* as it was when it was given */
            .unlogged = host->arbiter.sealed,
            .now_ms = now_ms,
            .today = ll_arbiter_today(&r->community->zone, now_ms)};
    return true;
}

static void
on_ready(struct ll_wait *wait)
{
    struct resolving *r = LL_CONTAINER(wait, struct resolving, wait);
    struct ll_host *host = r->view.face->host;
    struct ll_owner owner = {.community = r->community->id,
        .coll = LL_OF_RESIDENT,
        .id = ll_cstr(r->resident)};
    struct ll_err err;
    if (r->held.doc != NULL) {
        look(r);
        return;
    }
    if (!ll_doc_ready(r->doc, &r->wait))
        return;
    if (r->doc->state == LL_DOC_LOST) {
        refuse(r, LINLI_E_IO, "store/failed", "a relay");
        return;
    }
    if (!read_relay(r)) {
        refuse(r, LINLI_E_NOT_FOUND, "request/not-found", "no such number");
        return;
    }
    owner.id = ll_cstr(r->resident);
    int phone =
        ll_dictionary_field(&host->arbiter.dictionary, LINLI_STR("phone"));
    if (ll_held_begin(&r->held, &host->docs, &owner,
            &host->arbiter.dictionary.fields[phone], &err) != LINLI_OK)
        ll_view_refuse(&r->view, &err);
    else
        look(r);
}

static bool
is_number(linli_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0 && s.len < LL_RELAY_BYTES_MAX;
}

static void
begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str number)
{
    struct ll_err err;
    struct ll_coll *coll = ll_directory(community, LL_DIR_RELAY);
    struct resolving *r = ll_alloc(&face->host->mem, sizeof *r);
    if (r == NULL || coll == NULL) {
        if (r != NULL)
            ll_release(&face->host->mem, r, sizeof *r);
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    r->view.step = step;
    r->view.end = end;
    r->wait.ready = on_ready;
    r->community = community;
    ll_view_begin(&r->view, face, request);
    r->doc = ll_docs_get(coll, number);
    if (r->doc == NULL)
        refuse(r, LINLI_E_NOMEM, "runtime/memory", "a relay");
    else if (ll_actor_read(&r->actor, &r->view, false, &err) != LINLI_OK)
        ll_view_refuse(&r->view, &err);
    else
        on_ready(&r->wait);
}

bool
ll_relays_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    if (!ll_str_starts(rest, "/relays/"))
        return false;
    linli_str number = {rest.ptr + 8, rest.len - 8};
    if (!is_number(number))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else
        begin(face, request, community, number);
    return true;
}
