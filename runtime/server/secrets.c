/* server/secrets.c: what an operator sets for a plugin, and never reads.
 * [loop]
 *
 * GET    /v1/c/{c}/admin/plugins/{id}/secrets          names, set or not
 * PUT    /v1/c/{c}/admin/plugins/{id}/secrets/{name}   {value}
 * DELETE /v1/c/{c}/admin/plugins/{id}/secrets/{name}
 */
#include <stdio.h>

#include "base/text.h"
#include "host/secret.h"
#include "server/desk.h"

#define ROWS_MAX 1000

static const struct ll_manifest *
manifest_of(const struct ll_instance *instance)
{
    return instance->package == NULL ? NULL : instance->package->manifest;
}

static void
write_secret(struct ll_view *view, const struct ll_instance *instance,
    linli_str name, struct ll_jv document)
{
    const struct ll_manifest *manifest = manifest_of(instance);
    struct ll_jw *w = &view->w;
    int64_t set_ms = 0;
    bool set = ll_jv_there(document);
    ll_jw_open(w, '{');
    ll_view_text(view, "name", name);
    ll_jw_key(w, "declared");
    ll_jw_bool(w, manifest != NULL && ll_manifest_secret(manifest, name));
    ll_jw_key(w, "set");
    ll_jw_bool(w, set);
    if (set) {
        (void)ll_jv_int(ll_jv_get(document, "set_at"), &set_ms);
        ll_view_instant(view, "set_at", set_ms);
        ll_view_text(
            view, "fingerprint", ll_jv_str(ll_jv_get(document, "fingerprint")));
    }
    ll_jw_close(w, '}');
}

/* -- the list -- */

struct list {
    struct ll_view view;
    struct ll_instance *instance;
};

static void
end_list(struct ll_view *view)
{
    struct list *list = LL_CONTAINER(view, struct list, view);
    ll_release(&view->face->host->mem, list, sizeof *list);
}

/* Which of the manifest's names it is; -1: none. */
static int
place_of(const struct ll_manifest *manifest, linli_str name)
{
    for (uint32_t i = 0; manifest != NULL && i < manifest->secret_count; i++)
        if (ll_str_eq(manifest->secrets[i], name))
            return (int)i;
    return -1;
}

static void
finish_list(struct list *list, uint32_t found)
{
    const struct ll_manifest *manifest = manifest_of(list->instance);
    struct ll_view *view = &list->view;
    const struct ll_jv none = {NULL, 0};
    for (uint32_t i = 0; manifest != NULL && i < manifest->secret_count; i++)
        if ((found & 1u << i) == 0)
            write_secret(view, list->instance, manifest->secrets[i], none);
    ll_jw_close(&view->w, ']');
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

_Static_assert(LL_SECRETS_MAX <= 32, "a bit for each name");

static void
step_list(struct ll_view *view)
{
    struct list *list = LL_CONTAINER(view, struct list, view);
    struct ll_json *json = &view->face->host->docs.json;
    struct ll_rd row = ll_rd(ll_buf_view(&view->query.rows));
    uint32_t found = 0;
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        bool there;
        (void)ll_rd_list(&row);
        linli_str name = ll_rd_bytes(&row);
        for (int column = 0; column < 3; column++)
            (void)ll_rd_value(&row); /* version, due, subject */
        linli_str body = ll_rd_bytes_or_nil(&row, &there);
        if (row.bad || !there ||
            ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK) {
            ll_view_torn(view);
            return;
        }
        int place = place_of(manifest_of(list->instance), name);
        found |= place < 0 ? 0 : 1u << place;
        write_secret(view, list->instance, name, ll_json_root(json));
    }
    finish_list(list, found);
}

static void
begin_list(struct ll_face *face, struct ll_request *request,
    struct ll_instance *instance)
{
    struct ll_coll *coll =
        ll_space_find(instance->space, LINLI_STR(LL_SECRET_COLL));
    struct list *list = ll_alloc(&face->host->mem, sizeof *list);
    if (list == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    list->instance = instance;
    list->view.step = step_list;
    list->view.end = end_list;
    ll_view_begin(&list->view, face, request);
    ll_jw_open(&list->view.w, '{');
    ll_jw_key(&list->view.w, "items");
    ll_jw_open(&list->view.w, '[');
    if (coll == NULL) {
        finish_list(list, 0);
        return;
    }
    struct ll_query *query = ll_view_query(&list->view, LL_ST_doc_up);
    ll_put_int(&query->params, coll->id);
    ll_put_bytes(&query->params, LINLI_STR(""));
    ll_put_int(&query->params, ROWS_MAX);
    query->rows_max = ROWS_MAX;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(&list->view);
}

/* -- one of them -- */

struct one {
    struct ll_desk desk;
    struct ll_instance *instance;
    linli_str name; /* of the request's path, which stays until the answer */
};

static void
end_one(struct ll_desk *desk)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    ll_release(&one->instance->host->mem, one, sizeof *one);
}

/* The names there are, in a refusal. */
static linli_status
check_declared(const struct one *one, struct ll_err *err)
{
    const struct ll_manifest *manifest = manifest_of(one->instance);
    char names[160] = "";
    size_t n = 0;
    if (manifest == NULL || ll_manifest_secret(manifest, one->name))
        return LINLI_OK;
    for (uint32_t i = 0; i < manifest->secret_count && n < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%.*s",
            i == 0 ? "" : ", ", LL_FMT(manifest->secrets[i]));
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "plugin.json of %.*s declares %s", LL_FMT(one->instance->id),
        n == 0 ? "no secrets" : names);
}

static linli_status
decide_put(
    struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    static const char *const names[] = {"value", NULL};
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    struct ll_json body;
    ll_json_init(&body, &one->instance->host->mem);
    linli_status status = check_declared(one, err);
    if (status == LINLI_OK)
        status = ll_desk_body(desk->view.request, names, &body, err);
    if (status == LINLI_OK) {
        linli_str value = ll_jv_str(ll_jv_get(ll_json_root(&body), "value"));
        status = ll_secret_value_check(value, err);
        if (status == LINLI_OK)
            status = ll_secret_write(
                one->instance, one->name, value, &desk->text, err);
    }
    ll_wipe(&body.own);
    ll_json_fini(&body);
    if (status != LINLI_OK)
        return status;
    struct ll_json *written = &one->instance->host->docs.json;
    status = ll_json_parse(
        written, ll_buf_view(&desk->text), LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        write_secret(
            &desk->view, one->instance, one->name, ll_json_root(written));
    *verdict = LL_DESK_PUT;
    return status;
}

static linli_status
decide_delete(
    struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    const struct ll_jv none = {NULL, 0};
    if (desk->doc->content == NULL)
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "no secret of this name is set");
    write_secret(&desk->view, one->instance, one->name, none);
    *verdict = LL_DESK_DELETE;
    return LINLI_OK;
}

static void
begin_one(struct ll_face *face, struct ll_request *request,
    struct ll_instance *instance, linli_str name)
{
    struct one *one = ll_alloc(&face->host->mem, sizeof *one);
    if (one == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    one->instance = instance;
    one->name = name;
    one->desk.decide =
        ll_str_is(request->method, "PUT") ? decide_put : decide_delete;
    one->desk.end = end_one;
    ll_desk_begin(&one->desk, face, request);
    ll_desk_ask(&one->desk,
        ll_space_coll(instance->space, LINLI_STR(LL_SECRET_COLL)), name);
}

/* "/plugins/ID/secrets" or "/plugins/ID/secrets/NAME", whose `name` has ptr
 * NULL otherwise. */
static bool
split(linli_str rest, linli_str *plugin, linli_str *name)
{
    linli_str word;
    if (!ll_str_starts(rest, "/plugins/"))
        return false;
    linli_str left = {rest.ptr + 9, rest.len - 9};
    if (!ll_str_split(&left, '/', plugin) || !ll_str_split(&left, '/', &word) ||
        !ll_str_is(word, "secrets"))
        return false;
    *name = left;
    return true;
}

bool
ll_secrets_handle(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, linli_str rest)
{
    linli_str plugin, name;
    if (!split(rest, &plugin, &name))
        return false;
    struct ll_instance *instance = ll_community_instance(community, plugin);
    bool listed = name.ptr == NULL;
    bool get = ll_str_is(request->method, "GET");
    bool write = ll_str_is(request->method, "PUT") ||
                 ll_str_is(request->method, "DELETE");
    if (instance == NULL || (!listed && !ll_secret_name_valid(name)))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (listed ? !get : !write)
        ll_face_method(face, request, listed ? "GET" : "PUT, DELETE");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (listed)
        begin_list(face, request, instance);
    else
        begin_one(face, request, instance, name);
    return true;
}
