/* server/duties.c: what must have been done by a day. [loop]
 *
 * GET  /v1/c/{c}/admin/duties?state=          open, overdue, done; or all
 * POST /v1/c/{c}/admin/duties/{id}/done {reason}
 */
#include "server/rights.h"

#include <stdio.h>

#include "base/text.h"
#include "host/duty.h"
#include "server/act.h"

static const char *const states[] = {"open", "overdue", "done", NULL};

static linli_str
text_of(struct ll_jv root, const char *name)
{
    return ll_jv_str(ll_jv_get(root, name));
}

static void
write_instant(struct ll_view *view, struct ll_jv root, const char *member,
    const char *name)
{
    int64_t ms = 0;
    if (ll_jv_int(ll_jv_get(root, member), &ms))
        ll_view_instant(view, name, ms);
    else
        ll_view_text(view, name, (linli_str){NULL, 0});
}

static void
write_one(struct ll_view *view, struct ll_jv root)
{
    static const char *const texts[] = {
        "id", "kind", "why", "ref", "plugin", "tag", "state", NULL};
    ll_jw_open(&view->w, '{');
    for (const char *const *name = texts; *name != NULL; name++) {
        linli_str text = text_of(root, *name);
        ll_view_text(view, *name, text.len > 0 ? text : (linli_str){NULL, 0});
    }
    write_instant(view, root, "at", "at");
    write_instant(view, root, "until", "due");
    write_instant(view, root, "done_at", "done_at");
    if (text_of(root, "done_by").len > 0)
        ll_view_text(view, "done_by", text_of(root, "done_by"));
    if (text_of(root, "evidence").len > 0)
        ll_view_text(view, "evidence", text_of(root, "evidence"));
    ll_jw_key(&view->w, "suspends");
    ll_jw_bool(&view->w, ll_jv_true(ll_jv_get(root, "suspends")) &&
                             ll_str_is(text_of(root, "state"), "overdue"));
    ll_jw_close(&view->w, '}');
}

/* -- the list -- */

struct listing {
    struct ll_view view;
    struct ll_params params;
    linli_str state; /* empty: all */
    int64_t coll;
    uint32_t shown;
    char after[LL_DUTY_ID_BYTES]; /* the last that was looked at */
};

static void
end_listing(struct ll_view *view)
{
    struct listing *listing = LL_CONTAINER(view, struct listing, view);
    ll_release(&view->face->host->mem, listing, sizeof *listing);
}

static void
ask(struct listing *listing)
{
    struct ll_query *query = ll_view_query(&listing->view, LL_ST_doc_up);
    ll_put_int(&query->params, listing->coll);
    ll_put_bytes(&query->params, ll_cstr(listing->after));
    ll_put_int(&query->params, LL_ADMIN_LIST_MAX + 1);
    query->rows_max = LL_ADMIN_LIST_MAX;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&listing->view);
}

static void
answer(struct listing *listing, bool more)
{
    struct ll_view *view = &listing->view;
    ll_jw_close(&view->w, ']');
    ll_view_text(
        view, "next", more ? ll_cstr(listing->after) : (linli_str){NULL, 0});
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

/* Pages follow until so many are shown, or all were looked at. */
static void
step(struct ll_view *view)
{
    struct listing *listing = LL_CONTAINER(view, struct listing, view);
    struct ll_json *json = &view->face->host->docs.json;
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    uint32_t rows = view->query.row_count, i = 0;
    bool there = false;
    for (; i < rows && listing->shown < LL_ADMIN_LIST_MAX; i++) {
        (void)ll_rd_list(&rd);
        linli_str id = ll_rd_bytes(&rd);
        (void)snprintf(
            listing->after, sizeof listing->after, "%.*s", LL_FMT(id));
        for (int k = 0; k < 3; k++) /* version, due, subject */
            (void)ll_rd_value(&rd);
        linli_str body = ll_rd_bytes_or_nil(&rd, &there);
        if (!there ||
            ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK ||
            (listing->state.len > 0 &&
                !ll_str_eq(
                    listing->state, text_of(ll_json_root(json), "state"))))
            continue;
        write_one(view, ll_json_root(json));
        listing->shown++;
    }
    bool more = i < rows || view->query.more;
    if (more && listing->shown < LL_ADMIN_LIST_MAX)
        ask(listing);
    else
        answer(listing, more);
}

static linli_status
begin(struct listing *listing, struct ll_err *err)
{
    static const char *const names[] = {"state", "cursor", NULL};
    linli_status status = ll_params_read(
        &listing->params, names, listing->view.request->query, err);
    if (status != LINLI_OK)
        return status;
    linli_str state = ll_param(&listing->params, "state");
    linli_str cursor = ll_param(&listing->params, "cursor");
    bool known = state.len == 0;
    for (const char *const *word = states; *word != NULL; word++)
        known = known || ll_str_is(state, *word);
    if (!known)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`state` is open, overdue or done");
    if (cursor.len != 0 && cursor.len != LL_DUTY_ID_DIGITS)
        return ll_fail(
            err, LINLI_E_INVALID, "request/cursor", "it is no `next`");
    listing->state = state;
    (void)snprintf(
        listing->after, sizeof listing->after, "%.*s", LL_FMT(cursor));
    return LINLI_OK;
}

static void
list(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community)
{
    struct ll_err err;
    struct listing *listing = ll_alloc(&face->host->mem, sizeof *listing);
    if (listing == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    listing->view.step = step;
    listing->view.end = end_listing;
    ll_view_begin(&listing->view, face, request);
    if (begin(listing, &err) != LINLI_OK) {
        ll_view_refuse(&listing->view, &err);
        return;
    }
    ll_jw_open(&listing->view.w, '{');
    ll_jw_key(&listing->view.w, "items");
    ll_jw_open(&listing->view.w, '[');
    if (community->duties == NULL) {
        answer(listing, false);
        return;
    }
    listing->coll = community->duties->coll->id;
    ask(listing);
}

/* -- done -- */

struct doing {
    struct ll_desk desk;
    struct ll_community *community;
    struct ll_actor actor;
    struct ll_duty_done done;
    struct ll_json json; /* the duty as it was */
};

static void
end_doing(struct ll_desk *desk)
{
    struct doing *doing = LL_CONTAINER(desk, struct doing, desk);
    ll_json_fini(&doing->json);
    ll_release(desk->docs->mem, doing, sizeof *doing);
}

static void
put_with(struct ll_desk *desk, struct ll_commit *commit)
{
    struct doing *doing = LL_CONTAINER(desk, struct doing, desk);
    ll_duty_done_put(
        doing->community, ll_json_root(&doing->json), &doing->done, commit);
}

/* What is done stays as it was said first. */
static linli_status
decide(struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct doing *doing = LL_CONTAINER(desk, struct doing, desk);
    const struct ll_content *content = desk->doc->content;
    if (content == NULL)
        return ll_fail(
            err, LINLI_E_NOT_FOUND, "request/not-found", "no such duty");
    linli_status status =
        ll_json_parse(&doing->json, content->body, LL_JSON_DEPTH_MAX, err);
    if (status != LINLI_OK)
        return status;
    struct ll_jv root = ll_json_root(&doing->json);
    if (ll_str_is(text_of(root, "state"), "done")) {
        write_one(&desk->view, root);
        return LINLI_OK;
    }
    *verdict = LL_DESK_PUT;
    ll_duty_done_text(root, &doing->done, &desk->text);
    if (desk->text.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a duty");
    struct ll_json *json = &desk->docs->json;
    status =
        ll_json_parse(json, ll_buf_view(&desk->text), LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        write_one(&desk->view, ll_json_root(json));
    return status;
}

static void
do_it(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str id)
{
    struct ll_err err;
    struct doing *doing = ll_alloc(&face->host->mem, sizeof *doing);
    if (doing == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    doing->community = community;
    doing->desk.decide = decide;
    doing->desk.with = put_with;
    doing->desk.end = end_doing;
    ll_json_init(&doing->json, &face->host->mem);
    ll_desk_begin(&doing->desk, face, request);
    linli_status status =
        ll_actor_read(&doing->actor, &doing->desk.view, true, &err);
    if (status == LINLI_OK && community->duties == NULL)
        status = ll_fail(
            &err, LINLI_E_NOT_FOUND, "request/not-found", "no such duty");
    doing->done = (struct ll_duty_done){.by = ll_cstr(doing->actor.by),
        .reason = ll_cstr(doing->actor.reason),
        .now_ms = ll_world_wall(face->host->world).ms};
    if (status == LINLI_OK)
        ll_desk_ask(&doing->desk, community->duties->coll, id);
    else
        ll_view_refuse(&doing->desk.view, &err);
}

bool
ll_duties_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    linli_str id;
    bool all = ll_str_is(rest, "/duties");
    if (!all && !ll_str_starts(rest, "/duties/"))
        return false;
    linli_str left = {rest.ptr + (all ? 7 : 8), all ? 0 : rest.len - 8};
    if (!all && (!ll_str_split(&left, '/', &id) ||
                    id.len != LL_DUTY_ID_DIGITS || !ll_str_is(left, "done")))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (all && ll_str_is(request->method, "GET"))
        list(face, request, community);
    else if (!all && ll_str_is(request->method, "POST"))
        do_it(face, request, community, id);
    else
        ll_face_method(face, request, all ? "GET" : "POST");
    return true;
}
