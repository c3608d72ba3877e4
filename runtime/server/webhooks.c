/* server/webhooks.c: where an operator has events sent. [loop]
 *
 * GET    /v1/c/{c}/admin/webhooks               all of them
 * PUT    /v1/c/{c}/admin/webhooks/{id}          {url, types, disabled?}
 * DELETE /v1/c/{c}/admin/webhooks/{id}
 * POST   /v1/c/{c}/admin/webhooks/{id}/rotate   another key
 *
 * A key is shown once, in the answer that made it.
 */
#include "host/webhook.h"

#include "base/text.h"
#include "host/directory.h"
#include "server/desk.h"

/* `shown`: the key, or NULL. */
static void
write_webhook(struct ll_view *view, const struct ll_community *community,
    const struct ll_webhook *webhook, const char *shown)
{
    struct ll_jw *w = &view->w;
    const struct ll_webhook_last *last =
        ll_webhooks_last(community, webhook->id);
    ll_jw_open(w, '{');
    ll_view_text(view, "id", webhook->id);
    ll_view_text(view, "url", webhook->url);
    ll_jw_key(w, "types");
    ll_jw_value(w, webhook->types);
    ll_view_text(view, "disabled",
        webhook->disabled ? webhook->why : (linli_str){NULL, 0});
    ll_view_instant(view, "created_at", webhook->created_ms);
    ll_view_instant(view, "rotated_at", webhook->rotated_ms);
    ll_jw_key(w, "after");
    ll_jw_int(w, webhook->seq);
    ll_jw_key(w, "pending");
    ll_jw_int(w, webhook->pending);
    ll_jw_key(w, "last");
    if (last == NULL || last->at_ms == 0) {
        ll_jw_null(w);
    } else {
        ll_jw_open(w, '{');
        ll_view_instant(view, "at", last->at_ms);
        ll_jw_key(w, "status");
        ll_jw_int(w, last->status);
        ll_view_text(view, "code",
            last->code[0] == '\0' ? (linli_str){NULL, 0} : ll_cstr(last->code));
        ll_jw_close(w, '}');
    }
    if (shown != NULL)
        ll_view_text(view, "secret", ll_cstr(shown));
    ll_jw_close(w, '}');
}

/* -- the list -- */

struct list {
    struct ll_view view;
    struct ll_community *community;
};

static void
end_list(struct ll_view *view)
{
    struct list *list = LL_CONTAINER(view, struct list, view);
    ll_release(&view->face->host->mem, list, sizeof *list);
}

static void
finish_list(struct ll_view *view)
{
    ll_jw_close(&view->w, ']');
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
step_list(struct ll_view *view)
{
    struct list *list = LL_CONTAINER(view, struct list, view);
    struct ll_json *json = &view->face->host->docs.json;
    struct ll_rd row = ll_rd(ll_buf_view(&view->query.rows));
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        struct ll_webhook webhook;
        bool there;
        (void)ll_rd_list(&row);
        for (int column = 0; column < 4; column++)
            (void)ll_rd_value(&row); /* id, version, due, subject */
        linli_str body = ll_rd_bytes_or_nil(&row, &there);
        if (row.bad || !there ||
            ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK ||
            !ll_webhook_read(ll_json_root(json), &webhook)) {
            ll_view_torn(view);
            return;
        }
        write_webhook(view, list->community, &webhook, NULL);
    }
    finish_list(view);
}

static void
begin_list(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    struct ll_coll *coll =
        ll_directory_find(face->host, community->id, LL_WEBHOOK_COLL);
    struct list *list = ll_alloc(&face->host->mem, sizeof *list);
    if (list == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    list->community = community;
    list->view.step = step_list;
    list->view.end = end_list;
    ll_view_begin(&list->view, face, request);
    ll_jw_open(&list->view.w, '{');
    ll_jw_key(&list->view.w, "items");
    ll_jw_open(&list->view.w, '[');
    if (coll == NULL) {
        finish_list(&list->view);
        return;
    }
    struct ll_query *query = ll_view_query(&list->view, LL_ST_doc_up);
    ll_put_int(&query->params, coll->id);
    ll_put_bytes(&query->params, LINLI_STR(""));
    ll_put_int(&query->params, LL_WEBHOOKS_MAX);
    query->rows_max = LL_WEBHOOKS_MAX;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(&list->view);
}

/* -- one of them -- */

struct one {
    struct ll_desk desk;
    struct ll_community *community;
    linli_str id; /* of the request's path, which stays until the answer */
    struct ll_webhook webhook; /* strings in `json`, or where they come from */
    struct ll_json json, body;
    struct ll_buf sealed;
    char made[LL_WEBHOOK_MADE_BYTES];
    char shown[LL_WEBHOOK_SECRET_BYTES];
};

static void
end_one(struct ll_desk *desk)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    struct ll_mem *mem = &one->community->host->mem;
    ll_wipe_bytes(one->shown, sizeof one->shown);
    ll_json_fini(&one->json);
    ll_json_fini(&one->body);
    ll_buf_fini(&one->sealed);
    ll_release(mem, one, sizeof *one);
}

static bool
read_one(struct one *one)
{
    const struct ll_content *content = one->desk.doc->content;
    return content != NULL &&
           ll_json_parse(&one->json, content->body, LL_JSON_DEPTH_MAX, NULL) ==
               LINLI_OK &&
           ll_webhook_read(ll_json_root(&one->json), &one->webhook);
}

static linli_status
not_found(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
        "there is no webhook of this id");
}

/* Another key, into the document; the one before signs for a while. */
static linli_status
draw_key(struct one *one, struct ll_err *err)
{
    struct ll_webhook *webhook = &one->webhook;
    int64_t now_ms = ll_world_wall(one->community->host->world).ms;
    linli_status status = ll_webhook_key_new(
        one->community, webhook, &one->sealed, one->shown, err);
    webhook->old_key = webhook->key;
    webhook->old_until_ms = now_ms + LL_WEBHOOK_OLD_KEY_MS;
    webhook->rotated_ms = now_ms;
    webhook->key = ll_buf_view(&one->sealed);
    return status;
}

static linli_status
put_it(struct one *one, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct ll_desk *desk = &one->desk;
    ll_webhook_write(one->community, &one->webhook, &desk->text);
    write_webhook(&desk->view, one->community, &one->webhook,
        one->shown[0] == '\0' ? NULL : one->shown);
    *verdict = LL_DESK_PUT;
    return desk->text.failed
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a webhook")
               : LINLI_OK;
}

static linli_status
decide_rotate(
    struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    if (!read_one(one))
        return not_found(err);
    linli_status status = draw_key(one, err);
    return status == LINLI_OK ? put_it(one, verdict, err) : status;
}

static linli_status
decide_delete(
    struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    if (!read_one(one))
        return not_found(err);
    write_webhook(&desk->view, one->community, &one->webhook, NULL);
    *verdict = LL_DESK_DELETE;
    return LINLI_OK;
}

/* A new one begins with what is published from now on. */
static linli_status
make(struct one *one, struct ll_err *err)
{
    struct ll_host *host = one->community->host;
    struct ll_webhook *webhook = &one->webhook;
    int count = ll_webhooks_count(one->community);
    unsigned char random[(LL_WEBHOOK_MADE_BYTES - 1) / 2];
    if (count < 0)
        return ll_fail(err, LINLI_E_AGAIN, "runtime/busy",
            "the community's webhooks are being read");
    if (count >= LL_WEBHOOKS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "request/invalid",
            "a community has %d webhooks at most", LL_WEBHOOKS_MAX);
    ll_world_random(host->world, random, sizeof random);
    ll_hex(random, sizeof random, one->made);
    *webhook = (struct ll_webhook){.id = one->id,
        .made = ll_cstr(one->made),
        .created_ms = ll_world_wall(host->world).ms,
        .seq = (int64_t)host->docs.last_event_seq};
    linli_status status = draw_key(one, err);
    webhook->old_until_ms = 0;
    one->desk.view.status = 201;
    return status;
}

static linli_status
read_body(struct one *one, bool *disabled, struct ll_err *err)
{
    static const char *const names[] = {"url", "types", "disabled", NULL};
    linli_status status =
        ll_desk_body(one->desk.view.request, names, &one->body, err);
    if (status != LINLI_OK)
        return status;
    struct ll_jv root = ll_json_root(&one->body);
    struct ll_jv off = ll_jv_get(root, "disabled");
    *disabled = ll_jv_true(off);
    if (ll_jv_there(off) && !*disabled && !ll_jv_is(off, LL_JSON_FALSE))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`disabled` is true or false");
    status = ll_webhook_types_check(ll_jv_get(root, "types"), err);
    if (status == LINLI_OK)
        status = ll_webhook_url_check(
            one->community->host, ll_jv_str(ll_jv_get(root, "url")), err);
    return status;
}

static linli_status
decide_put(
    struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    struct ll_webhook *webhook = &one->webhook;
    bool disabled = false;
    linli_status status = read_body(one, &disabled, err);
    if (status == LINLI_OK && !read_one(one))
        status = make(one, err);
    if (status != LINLI_OK)
        return status;
    struct ll_jv root = ll_json_root(&one->body);
    webhook->url = ll_jv_str(ll_jv_get(root, "url"));
    webhook->types = ll_jv_get(root, "types");
    if (webhook->disabled && !disabled) /* what was, is read in the feed */
        webhook->seq = (int64_t)one->community->host->docs.last_event_seq;
    webhook->why = disabled ? LINLI_STR("operator") : LINLI_STR("");
    webhook->disabled = disabled;
    return put_it(one, verdict, err);
}

enum what { PUT_IT, DELETE_IT, ROTATE_IT };

static void
begin_one(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str id, enum what what)
{
    static linli_status (*const decide[])(struct ll_desk *,
        enum ll_desk_verdict *,
        struct ll_err *) = {decide_put, decide_delete, decide_rotate};
    struct ll_err err;
    linli_status status = LINLI_OK;
    if (what == PUT_IT)
        status = ll_webhooks_open(community, &err);
    else if (community->webhooks == NULL)
        status = not_found(&err);
    if (status != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    struct one *one = ll_alloc(&face->host->mem, sizeof *one);
    if (one == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    one->community = community;
    one->id = id;
    one->desk.decide = decide[what];
    one->desk.end = end_one;
    ll_json_init(&one->json, &face->host->mem);
    ll_json_init(&one->body, &face->host->mem);
    ll_buf_init(&one->sealed, &face->host->mem, LL_SECRET_BYTES_MAX);
    ll_desk_begin(&one->desk, face, request);
    ll_desk_ask(&one->desk, ll_directory(community, LL_WEBHOOK_COLL), id);
}

/* "/webhooks", "/webhooks/ID" or "/webhooks/ID/rotate". */
static bool
split(linli_str rest, linli_str *id, bool *rotate)
{
    *id = (linli_str){NULL, 0};
    *rotate = false;
    if (ll_str_is(rest, "/webhooks"))
        return true;
    if (!ll_str_starts(rest, "/webhooks/"))
        return false;
    linli_str left = {rest.ptr + 10, rest.len - 10};
    if (!ll_str_split(&left, '/', id) || !ll_webhook_id_valid(*id))
        return false;
    *rotate = left.ptr != NULL;
    return !*rotate || ll_str_is(left, "rotate");
}

bool
ll_webhooks_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    linli_str id;
    bool rotate;
    if (!split(rest, &id, &rotate))
        return false;
    bool put = ll_str_is(request->method, "PUT");
    bool remove = ll_str_is(request->method, "DELETE");
    if (id.ptr == NULL ? !ll_str_is(request->method, "GET")
        : rotate       ? !ll_str_is(request->method, "POST")
                       : !put && !remove)
        ll_face_method(face, request,
            id.ptr == NULL ? "GET"
            : rotate       ? "POST"
                           : "PUT, DELETE");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (id.ptr == NULL)
        begin_list(face, request, community);
    else
        begin_one(face, request, community, id,
            rotate ? ROTATE_IT
            : put  ? PUT_IT
                   : DELETE_IT);
    return true;
}
