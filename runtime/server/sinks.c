/* server/sinks.c: where an operator has usage records sent. [loop]
 *
 * GET    /v1/c/{c}/admin/sinks                all of them
 * POST   /v1/c/{c}/admin/sinks                {name, url, format, after?,
 *                                             header?: {name, value}}
 * DELETE /v1/c/{c}/admin/sinks/{name}
 * POST   /v1/c/{c}/admin/sinks/{name}/resume  {header?}: send again
 *
 * The value of a header is sealed and never shown.
 */
#include "host/sink.h"

#include <stdio.h>

#include "base/text.h"
#include "host/alert.h"
#include "host/directory.h"
#include "host/secret.h"
#include "host/webhook.h"
#include "server/act.h"
#include "server/desk.h"

static void
write_last(struct ll_view *view, const struct ll_sink_last *last)
{
    struct ll_jw *w = &view->w;
    ll_jw_key(w, "last");
    if (last == NULL || last->at_ms == 0) {
        ll_jw_null(w);
        return;
    }
    ll_jw_open(w, '{');
    ll_view_instant(view, "at", last->at_ms);
    ll_jw_key(w, "status");
    ll_jw_int(w, last->status);
    ll_view_text(view, "code",
        last->code[0] == '\0' ? (linli_str){NULL, 0} : ll_cstr(last->code));
    ll_jw_key(w, "attempts");
    ll_jw_int(w, last->attempts);
    ll_jw_close(w, '}');
}

static void
write_sink(struct ll_view *view, const struct ll_community *community,
    const struct ll_sink *sink)
{
    const linli_str none = {NULL, 0};
    bool parked = sink->parked.len > 0;
    ll_jw_open(&view->w, '{');
    ll_view_text(view, "name", sink->id);
    ll_view_text(view, "url", sink->url);
    ll_view_text(view, "format", ll_cstr(ll_usage_doc_word(sink->format)));
    ll_view_text(view, "header", sink->header.len > 0 ? sink->header : none);
    ll_view_text(view, "parked", parked ? sink->parked : none);
    if (parked)
        ll_view_instant(view, "parked_at", sink->parked_ms);
    ll_view_instant(view, "created_at", sink->created_ms);
    ll_jw_key(&view->w, "after");
    ll_jw_int(&view->w, (int64_t)sink->after);
    write_last(view, ll_sinks_last(community, sink->id));
    ll_jw_close(&view->w, '}');
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
        struct ll_sink sink;
        bool there;
        (void)ll_rd_list(&row);
        for (int column = 0; column < 4; column++)
            (void)ll_rd_value(&row); /* id, version, due, subject */
        linli_str body = ll_rd_bytes_or_nil(&row, &there);
        if (row.bad || !there ||
            ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK ||
            !ll_sink_read(ll_json_root(json), &sink)) {
            ll_view_torn(view);
            return;
        }
        write_sink(view, list->community, &sink);
    }
    finish_list(view);
}

static void
begin_list(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    struct ll_coll *coll =
        ll_directory_find(face->host, community->id, LL_SINK_COLL);
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
    ll_put_int(&query->params, LL_SINKS_MAX);
    query->rows_max = LL_SINKS_MAX;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(&list->view);
}

/* -- one of them -- */

struct one {
    struct ll_desk desk;
    struct ll_community *community;
    struct ll_sink sink; /* strings in `json`, or where they come from */
    struct ll_json json, body;
    struct ll_buf sealed;
    char made[LL_SINK_MADE_BYTES];
    char by[LL_TOKEN_NAME_BYTES_MAX + 16]; /* "operator:ID" */
    char ref[LL_SINK_REF_BYTES];
};

static void
end_one(struct ll_desk *desk)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    struct ll_mem *mem = &one->community->host->mem;
    ll_json_fini(&one->json);
    ll_wipe(&one->body.own);
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
           ll_sink_read(ll_json_root(&one->json), &one->sink);
}

static linli_status
not_found(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
        "there is no sink of this name");
}

static linli_status
put_it(struct one *one, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct ll_desk *desk = &one->desk;
    ll_sink_write(one->community, &one->sink, &desk->text);
    write_sink(&desk->view, one->community, &one->sink);
    *verdict = LL_DESK_PUT;
    return desk->text.failed
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a sink")
               : LINLI_OK;
}

/* {"name","value"}: seals it into the sink. */
static linli_status
take_header(struct one *one, struct ll_jv header, struct ll_err *err)
{
    linli_str name = ll_jv_str(ll_jv_get(header, "name"));
    linli_str value = ll_jv_str(ll_jv_get(header, "value"));
    if (!ll_jv_there(header))
        return LINLI_OK;
    linli_status status = ll_sink_header_check(name, err);
    if (status == LINLI_OK && ll_jv_count(header) != 2)
        status = ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`header` has `name` and `value`");
    if (status == LINLI_OK)
        status = ll_secret_value_check(value, err);
    if (status == LINLI_OK)
        status =
            ll_sink_seal(one->community, &one->sink, value, &one->sealed, err);
    one->sink.header = name;
    one->sink.value = ll_buf_view(&one->sealed);
    return status;
}

static linli_status
check_room(const struct one *one, struct ll_err *err)
{
    int count = ll_sinks_count(one->community);
    if (one->desk.doc->content != NULL)
        return ll_fail(err, LINLI_E_CONFLICT, "sink/exists", "%.*s",
            LL_FMT(one->desk.doc->id));
    if (count < 0)
        return ll_fail(err, LINLI_E_AGAIN, "runtime/busy",
            "the community's sinks are being read");
    if (count >= LL_SINKS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "request/invalid",
            "a community has %d sinks at most", LL_SINKS_MAX);
    return LINLI_OK;
}

/* The body was read before the document was asked for. */
static linli_status
decide_add(
    struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    struct ll_host *host = one->community->host;
    struct ll_jv root = ll_json_root(&one->body);
    unsigned char random[(LL_SINK_MADE_BYTES - 1) / 2];
    linli_status status = check_room(one, err);
    if (status != LINLI_OK)
        return status;
    ll_world_random(host->world, random, sizeof random);
    ll_hex(random, sizeof random, one->made);
    one->sink.id = ll_jv_str(ll_jv_get(root, "name"));
    one->sink.made = ll_cstr(one->made);
    one->sink.created_ms = ll_world_wall(host->world).ms;
    status = take_header(one, ll_jv_get(root, "header"), err);
    desk->view.status = 201;
    return status == LINLI_OK ? put_it(one, verdict, err) : status;
}

static linli_status
decide_delete(
    struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    if (!read_one(one))
        return not_found(err);
    write_sink(&desk->view, one->community, &one->sink);
    *verdict = LL_DESK_DELETE;
    return LINLI_OK;
}

static linli_status
decide_resume(
    struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    if (!read_one(one))
        return not_found(err);
    one->sink.parked = LINLI_STR("");
    one->sink.parked_ms = 0;
    linli_status status =
        take_header(one, ll_jv_get(ll_json_root(&one->body), "header"), err);
    return status == LINLI_OK ? put_it(one, verdict, err) : status;
}

/* Who deletes it, or has it go on, has seen to what was wrong. */
static void
settle(struct ll_desk *desk, struct ll_commit *commit)
{
    struct one *one = LL_CONTAINER(desk, struct one, desk);
    struct ll_closing closing = {.by = ll_cstr(one->by),
        .reason = LINLI_STR("seen to"),
        .at_ms = ll_world_wall(one->community->host->world).ms};
    ll_sink_ref(desk->doc->id, one->ref);
    ll_alert_settle(one->community->space, ll_cstr(one->ref), &closing, commit);
}

/* What a new one is to be. */
static linli_status
read_new(struct one *one, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&one->body);
    struct ll_jv after = ll_jv_get(root, "after");
    int64_t lsn = 0;
    one->sink.url = ll_jv_str(ll_jv_get(root, "url"));
    if (!ll_sink_id_valid(ll_jv_str(ll_jv_get(root, "name"))))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`name` is 1 to 48 small letters, digits, '-' and '_', and "
            "begins with a letter");
    if (!ll_usage_format_read(
            ll_jv_str(ll_jv_get(root, "format")), &one->sink.format))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`format` is cloudevents, cloudevents-batch, csv, openmeter or "
            "lago");
    if (ll_jv_there(after) && (!ll_jv_int(after, &lsn) || lsn < 0))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`after` is the LSN of a record, or 0");
    one->sink.after = (uint64_t)lsn;
    return ll_webhook_url_check(one->community->host, one->sink.url, err);
}

enum what { ADD, DELETE, RESUME };

static linli_status
read_request(struct one *one, enum what what, struct ll_err *err)
{
    static const char *const add[] = {
        "name", "url", "format", "after", "header", NULL};
    static const char *const resume[] = {"header", NULL};
    struct ll_request *request = one->desk.view.request;
    struct ll_identity *identity = NULL;
    linli_status status =
        ll_host_identify(one->community->host, request, &identity, err);
    if (status != LINLI_OK)
        return status;
    (void)snprintf(
        one->by, sizeof one->by, "operator:%.*s", LL_FMT(identity->id));
    ll_identity_unref(&identity);
    if (what != DELETE)
        status =
            ll_desk_body(request, what == ADD ? add : resume, &one->body, err);
    if (status == LINLI_OK && what == ADD)
        status = read_new(one, err);
    return status;
}

static void
begin_one(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str id, enum what what)
{
    static linli_status (*const decide[])(struct ll_desk *,
        enum ll_desk_verdict *,
        struct ll_err *) = {decide_add, decide_delete, decide_resume};
    struct ll_err err;
    if (ll_sinks_open(community, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    struct one *one = ll_alloc(&face->host->mem, sizeof *one);
    if (one == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    one->community = community;
    one->desk.decide = decide[what];
    one->desk.with = what == ADD ? NULL : settle;
    one->desk.end = end_one;
    ll_json_init(&one->json, &face->host->mem);
    ll_json_init(&one->body, &face->host->mem);
    ll_buf_init(&one->sealed, &face->host->mem, 2 * LL_SECRET_BYTES_MAX);
    ll_desk_begin(&one->desk, face, request);
    if (read_request(one, what, &err) != LINLI_OK) {
        ll_view_refuse(&one->desk.view, &err);
        return;
    }
    if (what == ADD)
        id = ll_jv_str(ll_jv_get(ll_json_root(&one->body), "name"));
    ll_desk_ask(&one->desk, ll_directory(community, LL_SINK_COLL), id);
}

/* "/sinks", "/sinks/NAME" or "/sinks/NAME/resume". */
static bool
split(linli_str rest, linli_str *id, bool *resume)
{
    *id = (linli_str){NULL, 0};
    *resume = false;
    if (ll_str_is(rest, "/sinks"))
        return true;
    if (!ll_str_starts(rest, "/sinks/"))
        return false;
    linli_str left = {rest.ptr + 7, rest.len - 7};
    if (!ll_str_split(&left, '/', id) || !ll_sink_id_valid(*id))
        return false;
    *resume = left.ptr != NULL;
    return !*resume || ll_str_is(left, "resume");
}

bool
ll_sinks_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    linli_str id;
    bool resume;
    if (!split(rest, &id, &resume))
        return false;
    bool all = id.ptr == NULL;
    bool get = ll_str_is(request->method, "GET");
    bool post = ll_str_is(request->method, "POST");
    bool remove = ll_str_is(request->method, "DELETE");
    if (all ? !get && !post : resume ? !post : !remove)
        ll_face_method(face, request,
            all      ? "GET, POST"
            : resume ? "POST"
                     : "DELETE");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (get)
        begin_list(face, request, community);
    else
        begin_one(face, request, community, id,
            all      ? ADD
            : resume ? RESUME
                     : DELETE);
    return true;
}
