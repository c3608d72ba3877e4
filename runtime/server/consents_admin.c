/* server/consents_admin.c: what operators see of consents: counts, bases,
 * and what another version of a plugin would change. [loop]
 *
 * GET    /v1/c/{c}/admin/consents
 * GET    /v1/c/{c}/admin/bases
 * DELETE /v1/c/{c}/admin/bases/{id}
 * GET    /v1/c/{c}/admin/plugins/{id}/data-diff?path=DIR
 *
 * Nobody is named: an operator sees how many, never who.
 */
#include "server/consents.h"

#include <stdio.h>

#include "base/text.h"
#include "server/act.h"

#define PATH_BYTES 4096

/* -- counts -- */

static void
put_counts(struct ll_face *face, const struct ll_community *community,
    linli_str plugin, struct ll_jw *w)
{
    const struct ll_arbiter *arbiter = &face->host->arbiter;
    uint32_t party = ll_consent_party(arbiter->consent, community->id, plugin);
    if (party == LL_NO_PARTY)
        return;
    ll_jw_open(w, '{');
    ll_jw_key(w, "plugin");
    ll_jw_str(w, plugin);
    ll_jw_key(w, "terms_version");
    ll_jw_int(w, ll_consent_terms(arbiter->consent, party)->version);
    for (unsigned s = 0; s <= LL_GRANT_REPLACED; s++) {
        ll_jw_key(w, s == LL_GRANT_REVOKED
                         ? "withdrawn"
                         : ll_grant_status_name((enum ll_grant_status)s));
        ll_jw_int(w, ll_consent_count_grants(
                         arbiter->consent, party, (enum ll_grant_status)s));
    }
    ll_jw_close(w, '}');
}

static void
list_counts(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community)
{
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    for (const struct ll_instance *i = community->instances; i != NULL;
         i = i->next)
        put_counts(face, community, i->id, &w);
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

/* -- bases -- */

static void
put_time(struct ll_jw *w, const char *name, int64_t ms)
{
    char at[LL_RFC3339_BYTES];
    ll_jw_key(w, name);
    if (ms == INT64_MAX) {
        ll_jw_null(w);
        return;
    }
    ll_rfc3339(ms, at);
    ll_jw_cstr(w, at);
}

static void
put_basis(
    struct ll_face *face, const struct ll_basis_more *basis, struct ll_jw *w)
{
    char id[2 * LL_TAG_BYTES + 1];
    const struct ll_arbiter *arbiter = &face->host->arbiter;
    const struct ll_dictionary *d = &arbiter->dictionary;
    const struct ll_basis_record *r = &basis->record;
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_basis_id(arbiter, basis, id);
    ll_jw_cstr(w, id);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, ll_consent_plugin(arbiter->consent, r->party));
    ll_jw_key(w, "purpose");
    ll_jw_str(w, d->purposes[r->purpose].id);
    ll_jw_key(w, "basis");
    ll_jw_cstr(w, ll_basis_name(r->basis));
    ll_jw_key(w, "fields");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < d->field_count; i++)
        if ((r->fields >> i & 1) != 0)
            ll_jw_str(w, d->fields[i].id);
    ll_jw_close(w, ']');
    ll_jw_key(w, "approved_by");
    ll_jw_str(w, basis->approver);
    put_time(w, "from", r->from_ms);
    put_time(w, "until", r->until_ms);
    ll_jw_close(w, '}');
}

static void
list_bases(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community)
{
    const struct ll_basis_more *basis;
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    for (uint32_t i = 0;
         (basis = ll_arbiter_basis(&face->host->arbiter, i)) != NULL; i++)
        if (ll_str_eq(basis->community, community->id))
            put_basis(face, basis, &w);
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

/* -- ending one -- */

struct ending {
    struct ll_view view;
    struct ll_act act;
    struct ll_host *host;
    uint32_t basis;
    bool acting, gone;
};

static void
on_end(struct ll_view *view)
{
    struct ending *e = LL_CONTAINER(view, struct ending, view);
    e->gone = e->acting;
    if (!e->gone)
        ll_release(&e->host->mem, e, sizeof *e);
}

static void
on_step(struct ll_view *view)
{
    LL_UNUSED(view);
}

static void
on_act(struct ll_act *act, bool durable, uint64_t leaf)
{
    struct ending *e = LL_CONTAINER(act, struct ending, act);
    struct ll_err err;
    LL_UNUSED(leaf);
    e->acting = false;
    if (e->gone) {
        ll_release(&e->host->mem, e, sizeof *e);
        return;
    }
    if (durable) {
        put_basis(e->view.face, ll_arbiter_basis(&e->host->arbiter, e->basis),
            &e->view.w);
        ll_view_answer(&e->view);
        return;
    }
    (void)ll_fail(&err, LINLI_E_IO, "store/failed", "it cannot be kept");
    ll_view_refuse(&e->view, &err);
}

/* The number of now of a basis; UINT32_MAX: there is none here. */
static uint32_t
find_basis(const struct ll_arbiter *arbiter,
    const struct ll_community *community, linli_str id)
{
    const struct ll_basis_more *basis;
    char text[2 * LL_TAG_BYTES + 1];
    for (uint32_t i = 0; (basis = ll_arbiter_basis(arbiter, i)) != NULL; i++) {
        ll_basis_id(arbiter, basis, text);
        if (ll_str_eq(basis->community, community->id) && ll_str_is(id, text))
            return i;
    }
    return UINT32_MAX;
}

static void
end_basis(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str id)
{
    struct ll_arbiter *arbiter = &face->host->arbiter;
    struct ll_actor actor;
    struct ll_err err;
    uint32_t number = find_basis(arbiter, community, id);
    if (number == UINT32_MAX) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    struct ending *e = ll_alloc(&face->host->mem, sizeof *e);
    if (e == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    e->host = face->host;
    e->basis = number;
    e->act.done = on_act;
    e->view.step = on_step;
    e->view.end = on_end;
    ll_view_begin(&e->view, face, request);
    linli_status status = ll_actor_read(&actor, &e->view, false, &err);
    struct ll_actor_of who = {.community = community->id,
        .subject = LL_NOBODY,
        .actor = LL_NOBODY,
        .actor_name = ll_cstr(status == LINLI_OK ? actor.by : ""),
        .now_ms = ll_world_wall(face->host->world).ms};
    e->acting = true;
    if (status == LINLI_OK)
        status = ll_arbiter_end_basis(arbiter, &who, e->basis, &e->act, &err);
    if (status == LINLI_OK)
        return;
    e->acting = false;
    ll_view_refuse(&e->view, &err);
}

/* -- another version -- */

static void
put_diff(
    struct ll_face *face, const struct ll_declaring *declaring, struct ll_jw *w)
{
    static const char *const words[] = {[LL_TERMS_SAME] = "same",
        [LL_TERMS_TEXT] = "text",
        [LL_TERMS_NARROW] = "narrow",
        [LL_TERMS_WIDEN] = "widen"};
    static const char *const effects[] = {
        [LL_TERMS_SAME] = "nothing changes for residents",
        [LL_TERMS_TEXT] = "residents read other words; their consents hold",
        [LL_TERMS_NARROW] = "the plugin reads less at once; consents hold",
        [LL_TERMS_WIDEN] = ("what is new needs consent of its own; until then "
                            "the old scope holds where the new one has it")};
    const struct ll_dictionary *d = &face->host->arbiter.dictionary;
    bool holds;
    enum ll_terms_change change =
        ll_arbiter_compare(&face->host->arbiter, declaring, &holds);
    ll_jw_open(w, '{');
    ll_jw_key(w, "change");
    ll_jw_cstr(w, words[change]);
    ll_jw_key(w, "effect");
    ll_jw_cstr(w, holds ? effects[change]
                        : "who gets the data, or where, is another: every "
                          "consent must be given again");
    ll_jw_key(w, "consents_hold");
    ll_jw_bool(w, holds);
    ll_jw_key(w, "scopes");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < declaring->terms.scope_count; i++) {
        const struct ll_scope *s = &declaring->terms.scopes[i];
        ll_jw_open(w, '{');
        ll_jw_key(w, "field");
        ll_jw_str(w, d->fields[s->field].id);
        ll_jw_key(w, "purpose");
        ll_jw_str(w, d->purposes[s->purpose].id);
        ll_jw_key(w, "basis");
        ll_jw_cstr(w, ll_basis_name(s->basis));
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
    ll_jw_close(w, '}');
}

/* The folder that `path` names, or the version that serves. */
static linli_status
open_version(struct ll_face *face, const struct ll_instance *instance,
    linli_str path, struct ll_package **out, struct ll_err *err)
{
    char dir[PATH_BYTES];
    if (path.len == 0) {
        if (instance->package == NULL)
            return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
                "no version of it is loaded");
        *out = ll_package_ref(instance->package);
        return LINLI_OK;
    }
    if (!face->host->config.development)
        return ll_fail(err, LINLI_E_DENIED, "package/unsigned",
            "%.*s has no signature", LL_FMT(path));
    if (path.len >= sizeof dir)
        return ll_fail(err, LINLI_E_INVALID, "package/missing-file",
            "the folder's path is too long");
    (void)snprintf(dir, sizeof dir, "%.*s", LL_FMT(path));
    linli_status status = ll_package_open(&face->host->mem, dir, out, err);
    if (status == LINLI_OK && !ll_str_eq((*out)->manifest->id, instance->id)) {
        ll_package_unref(out);
        status = ll_fail(err, LINLI_E_CONFLICT, "plugin/load",
            "the folder holds another plugin");
    }
    return status;
}

static void
show_diff(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str plugin)
{
    static const char *const names[] = {"path", NULL};
    struct ll_params params;
    struct ll_package *package = NULL;
    struct ll_declared declared;
    struct ll_err err;
    const struct ll_instance *instance =
        ll_community_instance(community, plugin);
    if (instance == NULL) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    linli_status status = ll_params_read(&params, names, request->query, &err);
    if (status == LINLI_OK)
        status = open_version(
            face, instance, ll_param(&params, "path"), &package, &err);
    if (status == LINLI_OK)
        status = ll_terms_of(
            face->host, community->id, package->manifest, &declared, &err);
    if (status == LINLI_OK) {
        ll_buf_clear(&face->out);
        struct ll_jw w = ll_jw(&face->out);
        put_diff(face, &declared.declaring, &w);
        ll_face_answer(face, request, 200, "application/json");
    } else {
        ll_face_error(face, request, &err);
    }
    ll_package_unref(&package);
}

/* -- paths -- */

bool
ll_consents_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    bool get = ll_str_is(request->method, "GET");
    linli_str plugin, below = rest;
    if (ll_str_is(rest, "/consents") || ll_str_is(rest, "/bases")) {
        if (!get)
            ll_face_method(face, request, "GET");
        else if (ll_str_is(rest, "/bases"))
            list_bases(face, request, community);
        else
            list_counts(face, request, community);
        return true;
    }
    if (ll_str_starts(rest, "/bases/")) {
        if (ll_str_is(request->method, "DELETE"))
            end_basis(face, request, community,
                (linli_str){rest.ptr + 7, rest.len - 7});
        else
            ll_face_method(face, request, "DELETE");
        return true;
    }
    if (!ll_str_starts(rest, "/plugins/"))
        return false;
    below = (linli_str){rest.ptr + 9, rest.len - 9};
    (void)ll_str_split(&below, '/', &plugin);
    if (!ll_str_is(below, "data-diff"))
        return false;
    if (get)
        show_diff(face, request, community, plugin);
    else
        ll_face_method(face, request, "GET");
    return true;
}
