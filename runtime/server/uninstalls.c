/* server/uninstalls.c: plugins that leave a community. [loop]
 *
 * POST .../admin/plugins/{id}/uninstall {reason}   202; under one key the same
 * GET  .../admin/uninstalls?cursor=
 * GET  .../admin/uninstalls/{id}                   its certificate, when done
 */
#include <stdio.h>

#include "base/text.h"
#include "host/kept.h"
#include "host/rights.h"
#include "host/uninstall.h"
#include "server/act.h"
#include "server/rights.h"

static linli_str
text_of(struct ll_jv root, const char *name)
{
    return ll_jv_str(ll_jv_get(root, name));
}

static void
write_counts(struct ll_view *view, struct ll_jv root)
{
    static const char *const counts[] = {
        "documents", "kept", "keys", "grants", NULL};
    ll_jw_key(&view->w, "gone");
    ll_jw_open(&view->w, '{');
    for (const char *const *name = counts; *name != NULL; name++) {
        int64_t count = 0;
        (void)ll_jv_int(ll_jv_get(root, *name), &count);
        ll_jw_key(&view->w, *name);
        ll_jw_int(&view->w, count);
    }
    ll_jw_close(&view->w, '}');
}

static void
write_one(struct ll_view *view, struct ll_jv root)
{
    static const char *const texts[] = {
        "id", "plugin", "by", "reason", "state", "told", NULL};
    static const char *const instants[] = {"at", "deadline", "done_at", NULL};
    int64_t value = 0;
    ll_jw_open(&view->w, '{');
    for (const char *const *name = texts; *name != NULL; name++) {
        linli_str text = text_of(root, *name);
        ll_view_text(view, *name, text.len > 0 ? text : (linli_str){NULL, 0});
    }
    for (const char *const *name = instants; *name != NULL; name++)
        if (ll_jv_int(ll_jv_get(root, *name), &value))
            ll_view_instant(view, *name, value);
        else
            ll_view_text(view, *name, (linli_str){NULL, 0});
    write_counts(view, root);
    ll_jw_key(&view->w, "leaf");
    if (ll_jv_int(ll_jv_get(root, "leaf"), &value))
        ll_jw_int(&view->w, value);
    else
        ll_jw_null(&view->w);
    ll_jw_close(&view->w, '}');
}

/* -- reading -- */

struct reading {
    struct ll_view view;
    struct ll_params params;
    bool one;
    char after[LL_REQUEST_ID_BYTES];
};

static void
end_reading(struct ll_view *view)
{
    struct reading *reading = LL_CONTAINER(view, struct reading, view);
    ll_release(&view->face->host->mem, reading, sizeof *reading);
}

static void
step(struct ll_view *view)
{
    struct reading *reading = LL_CONTAINER(view, struct reading, view);
    struct ll_json *json = &view->face->host->docs.json;
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    uint32_t shown = 0;
    bool there;
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        (void)ll_rd_list(&rd);
        if (!reading->one) {
            linli_str id = ll_rd_bytes(&rd);
            (void)snprintf(
                reading->after, sizeof reading->after, "%.*s", LL_FMT(id));
        }
        for (int k = 0; k < 3; k++) /* version, due, subject */
            (void)ll_rd_value(&rd);
        linli_str body = ll_rd_bytes_or_nil(&rd, &there);
        if (!there ||
            ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
            continue;
        write_one(view, ll_json_root(json));
        shown++;
    }
    struct ll_err err;
    if (reading->one && shown == 0) {
        (void)ll_fail(
            &err, LINLI_E_NOT_FOUND, "request/not-found", "no such uninstall");
        ll_view_refuse(view, &err);
        return;
    }
    if (!reading->one) {
        ll_jw_close(&view->w, ']');
        ll_view_text(view, "next",
            view->query.more ? ll_cstr(reading->after) : (linli_str){NULL, 0});
        ll_jw_close(&view->w, '}');
    }
    ll_view_answer(view);
}

static linli_status
begin_all(struct reading *reading, struct ll_err *err)
{
    static const char *const names[] = {"cursor", NULL};
    linli_status status = ll_params_read(
        &reading->params, names, reading->view.request->query, err);
    if (status != LINLI_OK)
        return status;
    linli_str cursor = ll_param(&reading->params, "cursor");
    if (cursor.len != 0 && cursor.len != LL_REQUEST_ID_DIGITS)
        return ll_fail(
            err, LINLI_E_INVALID, "request/cursor", "it is no `next`");
    (void)snprintf(
        reading->after, sizeof reading->after, "%.*s", LL_FMT(cursor));
    return LINLI_OK;
}

static void
ask(struct reading *reading, const struct ll_coll *coll, linli_str id)
{
    struct ll_query *query = ll_view_query(
        &reading->view, reading->one ? LL_ST_doc_get : LL_ST_doc_up);
    ll_put_int(&query->params, coll->id);
    ll_put_bytes(&query->params, reading->one ? id : ll_cstr(reading->after));
    if (!reading->one)
        ll_put_int(&query->params, LL_ADMIN_LIST_MAX + 1);
    query->rows_max = reading->one ? 1 : LL_ADMIN_LIST_MAX;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&reading->view);
}

/* `id` empty: all. */
static void
read_them(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str id)
{
    struct ll_err err;
    struct reading *reading = ll_alloc(&face->host->mem, sizeof *reading);
    if (reading == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    reading->view.step = step;
    reading->view.end = end_reading;
    reading->one = id.len > 0;
    ll_view_begin(&reading->view, face, request);
    linli_status status = LINLI_OK;
    if (!reading->one)
        status = begin_all(reading, &err);
    /* A host that has none has a place for them from now on. */
    if (status == LINLI_OK)
        status = ll_uninstalls_open(community, true, &err);
    if (status != LINLI_OK) {
        ll_view_refuse(&reading->view, &err);
        return;
    }
    if (!reading->one) {
        ll_jw_open(&reading->view.w, '{');
        ll_jw_key(&reading->view.w, "items");
        ll_jw_open(&reading->view.w, '[');
    }
    ask(reading, community->uninstalls->queue->coll, id);
}

/* -- asking -- */

struct making {
    struct ll_desk desk;
    struct ll_community *community;
    struct ll_actor actor;
    struct ll_uninstall *one; /* to be given away with the commit */
    char plugin[LL_DOC_ID_BYTES_MAX + 1];
    char id[LL_REQUEST_ID_BYTES];
};

static void
end_making(struct ll_desk *desk)
{
    struct making *making = LL_CONTAINER(desk, struct making, desk);
    struct ll_mem *mem = desk->docs->mem;
    if (making->one != NULL)
        ll_release(mem, making->one, sizeof *making->one);
    ll_release(mem, making, sizeof *making);
}

static void
put_with(struct ll_desk *desk, struct ll_commit *commit)
{
    struct making *making = LL_CONTAINER(desk, struct making, desk);
    LL_UNUSED(commit);
    if (ll_uninstall_of(making->community, ll_cstr(making->plugin)) != NULL)
        return; /* it was begun, and could not be written */
    ll_uninstall_begin(making->community, making->one);
    making->one = NULL;
}

static linli_status
check_new(struct making *making, struct ll_err *err)
{
    linli_str plugin = ll_cstr(making->plugin);
    const struct ll_instance *instance =
        ll_community_instance(making->community, plugin);
    const struct ll_uninstall *other =
        ll_uninstall_of(making->community, plugin);
    if (other != NULL && !ll_str_is(ll_cstr(making->id), other->id))
        return ll_fail(err, LINLI_E_CONFLICT, "plugin/uninstalling",
            "uninstall %s is not done", other->id);
    if (instance == NULL || instance->state == LL_INSTANCE_GONE)
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "%.*s is not installed", LL_FMT(plugin));
    if (instance->loading != NULL)
        return ll_fail(err, LINLI_E_CONFLICT, "plugin/loading",
            "a version is being loaded");
    return LINLI_OK;
}

static linli_status
decide(struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct making *making = LL_CONTAINER(desk, struct making, desk);
    const struct ll_content *content = desk->doc->content;
    linli_str body = content == NULL ? (linli_str){NULL, 0} : content->body;
    desk->view.status = 202;
    if (content == NULL) {
        struct ll_uninstall_wish wish = {.plugin = ll_cstr(making->plugin),
            .by = ll_cstr(making->actor.by),
            .reason = ll_cstr(making->actor.reason),
            .now_ms = ll_world_wall(making->community->host->world).ms};
        linli_status status = check_new(making, err);
        if (status != LINLI_OK)
            return status;
        ll_uninstall_make(
            making->community, &wish, ll_cstr(making->id), &desk->text);
        *verdict = LL_DESK_PUT;
        body = ll_buf_view(&desk->text);
    }
    if (desk->text.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an uninstall");
    struct ll_json *json = &desk->docs->json;
    linli_status status = ll_json_parse(json, body, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        write_one(&desk->view, ll_json_root(json));
    return status;
}

static linli_status
begin_making(struct making *making, struct ll_request *request,
    linli_str plugin, struct ll_err *err)
{
    linli_str key = ll_request_field(request, "idempotency-key");
    if (!ll_kept_key_valid(key))
        return ll_fail(err, LINLI_E_INVALID, "request/idempotency-key",
            "1 to %d visible ASCII characters", LL_IDEMPOTENCY_KEY_BYTES_MAX);
    linli_status status =
        ll_actor_read(&making->actor, &making->desk.view, true, err);
    if (status == LINLI_OK)
        status = ll_uninstalls_open(making->community, true, err);
    if (status != LINLI_OK)
        return status;
    making->one = ll_alloc(making->desk.docs->mem, sizeof *making->one);
    if (making->one == NULL || plugin.len > LL_DOC_ID_BYTES_MAX)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an uninstall");
    struct ll_requesting wanted = {.kind = LINLI_STR("uninstall"),
        .resident = plugin,
        .by = ll_cstr(making->actor.by),
        .key = key};
    ll_request_id(making->community, &wanted, making->id);
    (void)snprintf(
        making->plugin, sizeof making->plugin, "%.*s", LL_FMT(plugin));
    (void)snprintf(making->one->id, sizeof making->one->id, "%s", making->id);
    (void)snprintf(
        making->one->plugin, sizeof making->one->plugin, "%s", making->plugin);
    return LINLI_OK;
}

static void
make(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str plugin)
{
    struct ll_err err;
    struct making *making = ll_alloc(&face->host->mem, sizeof *making);
    if (making == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    making->community = community;
    making->desk.decide = decide;
    making->desk.with = put_with;
    making->desk.end = end_making;
    ll_desk_begin(&making->desk, face, request);
    if (begin_making(making, request, plugin, &err) == LINLI_OK)
        ll_desk_ask(&making->desk, community->uninstalls->queue->coll,
            ll_cstr(making->id));
    else
        ll_view_refuse(&making->desk.view, &err);
}

/* "/plugins/ID/uninstall" to ID. */
static bool
split_uninstall(linli_str rest, linli_str *plugin)
{
    if (!ll_str_starts(rest, "/plugins/"))
        return false;
    linli_str left = {rest.ptr + 9, rest.len - 9};
    return ll_str_split(&left, '/', plugin) && plugin->len > 0 &&
           ll_str_is(left, "uninstall");
}

bool
ll_uninstalls_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    linli_str plugin = {NULL, 0}, id = {NULL, 0};
    bool post = split_uninstall(rest, &plugin);
    bool one = ll_str_starts(rest, "/uninstalls/");
    if (!post && !one && !ll_str_is(rest, "/uninstalls"))
        return false;
    if (one)
        id = (linli_str){rest.ptr + 12, rest.len - 12};
    if (!ll_str_is(request->method, post ? "POST" : "GET"))
        ll_face_method(face, request, post ? "POST" : "GET");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (one && id.len != LL_REQUEST_ID_DIGITS)
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (post)
        make(face, request, community, plugin);
    else
        read_them(face, request, community, id);
    return true;
}
