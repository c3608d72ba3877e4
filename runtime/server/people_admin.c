/* server/people_admin.c: what an operator does with residents. [loop]
 *
 * GET  .../admin/residents?cursor=&limit=    ids and households
 * GET  .../admin/residents/{id}              and which fields there are of them
 * PUT  .../admin/residents/{id} {household?, name?, birth_date?, fields?, ...}
 * PUT, DELETE .../admin/residents/{id}/fields/{field}
 * POST .../admin/residents/import            server/import.c
 * GET  .../admin/households?cursor=&limit=
 * PUT  .../admin/households/{id} {unit?, area_m2?, plates?, fields?}
 * .../admin/guardians...                     server/people_guard.c
 *
 * Values are written here and never told: whoever needs one to act has a
 * plugin for it, whose reads are in the log.
 */
#include <stdio.h>

#include "base/text.h"
#include "host/directory.h"
#include "host/jwt.h"
#include "host/seed.h"
#include "server/people_guard.h"
#include "server/person.h"

#define SEED_BYTES_MAX ((size_t)LL_HTTP_BODY_BYTES_MAX + 4096)

/* A request that was admitted. */
struct asking {
    struct ll_face *face;
    struct ll_request *request;
    struct ll_community *community;
    linli_str by; /* the operator's id */
};

/* -- lists -- */

struct listing {
    struct ll_view view;
    struct ll_community *community;
    const char *coll;
    int64_t limit;
    char after[LL_DOC_ID_BYTES_MAX + 1];
};

static void
end_list(struct ll_view *view)
{
    struct listing *list = LL_CONTAINER(view, struct listing, view);
    ll_release(&list->community->host->mem, list, sizeof *list);
}

static void
write_member(struct ll_jw *w, struct ll_jv document, const char *name)
{
    struct ll_jv value = ll_jv_get(document, name);
    ll_jw_key(w, name);
    if (ll_jv_there(value))
        ll_jw_value(w, value);
    else
        ll_jw_null(w);
}

static void
write_item(struct ll_jw *w, struct ll_jv document, const char *coll)
{
    static const char *const of_residents[] = {"id", "household",
        "household_role", "household_from", "household_to", "locale", "elder"};
    static const char *const of_households[] = {"id", "unit", "area_m2"};
    bool residents = strcmp(coll, LL_DIR_RESIDENT) == 0;
    const char *const *names = residents ? of_residents : of_households;
    size_t count = residents ? LL_COUNT(of_residents) : LL_COUNT(of_households);
    ll_jw_open(w, '{');
    for (size_t i = 0; i < count; i++)
        write_member(w, document, names[i]);
    ll_jw_close(w, '}');
}

/* The rows of a page, one more than it has if there is another. */
static void
step_list(struct ll_view *view)
{
    struct listing *list = LL_CONTAINER(view, struct listing, view);
    struct ll_json *json = &view->face->host->docs.json;
    struct ll_rd row = ll_rd(ll_buf_view(&view->query.rows));
    uint32_t count = view->query.row_count;
    bool more = (int64_t)count > list->limit || view->query.more;
    linli_str last = {NULL, 0};
    for (uint32_t i = 0; i < count && (int64_t)i < list->limit; i++) {
        bool there;
        (void)ll_rd_list(&row);
        last = ll_rd_bytes(&row);
        for (int column = 0; column < 3; column++)
            (void)ll_rd_value(&row); /* version, due, subject */
        linli_str body = ll_rd_bytes_or_nil(&row, &there);
        if (row.bad || (there && ll_json_parse(json, body, LL_JSON_DEPTH_MAX,
                                     NULL) != LINLI_OK)) {
            ll_view_torn(view);
            return;
        }
        if (there)
            write_item(&view->w, ll_json_root(json), list->coll);
    }
    ll_jw_close(&view->w, ']');
    ll_view_text(view, "next_cursor", more ? last : (linli_str){NULL, 0});
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static linli_status
read_page(struct listing *list, struct ll_request *request, struct ll_err *err)
{
    static const char *const names[] = {"cursor", "limit", NULL};
    struct ll_mem *mem = &list->community->host->mem;
    struct ll_params *params = ll_alloc(mem, sizeof *params);
    if (params == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a list");
    list->limit = 100;
    linli_status status = ll_params_read(params, names, request->query, err);
    if (status == LINLI_OK)
        status = ll_param_int(
            params, "limit", 1, LL_ADMIN_LIST_MAX, &list->limit, err);
    if (status == LINLI_OK) {
        linli_str cursor = ll_param(params, "cursor");
        if (cursor.len >= sizeof list->after)
            status = ll_fail(
                err, LINLI_E_INVALID, "request/cursor", "it is too long");
        else
            (void)snprintf(
                list->after, sizeof list->after, "%.*s", LL_FMT(cursor));
    }
    ll_release(mem, params, sizeof *params);
    return status;
}

static void
begin_list(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, const char *coll)
{
    struct listing *list = ll_alloc(&face->host->mem, sizeof *list);
    struct ll_coll *at = ll_directory(community, coll);
    struct ll_err err;
    if (list == NULL || at == NULL) {
        if (list != NULL)
            ll_release(&face->host->mem, list, sizeof *list);
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    list->community = community;
    list->coll = coll;
    list->view.step = step_list;
    list->view.end = end_list;
    ll_view_begin(&list->view, face, request);
    if (read_page(list, request, &err) != LINLI_OK) {
        ll_view_refuse(&list->view, &err);
        return;
    }
    ll_jw_open(&list->view.w, '{');
    ll_jw_key(&list->view.w, "items");
    ll_jw_open(&list->view.w, '[');
    struct ll_query *query = ll_view_query(&list->view, LL_ST_doc_up);
    ll_put_int(&query->params, at->id);
    ll_put_bytes(&query->params, ll_cstr(list->after));
    ll_put_int(&query->params, list->limit + 1);
    query->rows_max = (uint32_t)list->limit + 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(&list->view);
}

/* -- one, as a seed of one -- */

struct putting {
    struct ll_view view;
    struct ll_community *community;
    char actor[LL_RESIDENT_BYTES_MAX + 16];
    struct ll_buf seed;
    bool seeding, gone;
};

static void
putting_free(struct putting *putting)
{
    ll_wipe(&putting->seed);
    ll_buf_fini(&putting->seed);
    ll_release(&putting->community->host->mem, putting, sizeof *putting);
}

static void
end_put(struct ll_view *view)
{
    struct putting *putting = LL_CONTAINER(view, struct putting, view);
    putting->gone = putting->seeding;
    if (!putting->gone)
        putting_free(putting);
}

static void
step_put(struct ll_view *view)
{
    LL_UNUSED(view);
}

/* "/residents/0/fields/phone" is `fields/phone` to whoever sent that. */
static void
on_put(void *user, linli_status status, const struct ll_err *err,
    uint32_t documents, uint32_t plugins)
{
    struct putting *putting = user;
    LL_UNUSED(plugins);
    putting->seeding = false;
    if (putting->gone) {
        putting_free(putting);
        return;
    }
    if (status != LINLI_OK) {
        ll_view_refuse(&putting->view, err);
        return;
    }
    ll_jw_open(&putting->view.w, '{');
    ll_jw_key(&putting->view.w, "changed");
    ll_jw_bool(&putting->view.w, documents > 0);
    ll_jw_close(&putting->view.w, '}');
    ll_view_answer(&putting->view);
}

/* {"residents": [{"id", "community", ...the body's members}]} */
static linli_status
make_seed(
    struct putting *putting, const char *list, linli_str id, struct ll_err *err)
{
    struct ll_request *request = putting->view.request;
    struct ll_json body;
    struct ll_jw w = ll_jw(&putting->seed);
    if (!ll_request_is_json(request))
        return ll_fail(err, LINLI_E_INVALID, "request/content-type",
            "the body is not application/json");
    ll_json_init(&body, &putting->community->host->mem);
    linli_status status =
        ll_json_parse(&body, request->body, LL_FIELD_VALUE_DEPTH_MAX + 2, err);
    if (status == LINLI_OK && !ll_jv_is(ll_json_root(&body), LL_JSON_OBJECT))
        status = ll_fail(
            err, LINLI_E_INVALID, "request/invalid", "an object is expected");
    ll_jw_open(&w, '{');
    ll_jw_key(&w, list);
    ll_jw_open(&w, '[');
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, id);
    ll_jw_key(&w, "community");
    ll_jw_str(&w, putting->community->id);
    if (status == LINLI_OK) {
        LL_JSON_MEMBERS (name, value, ll_json_root(&body)) {
            ll_jw_key_str(&w, ll_jv_str(name));
            ll_jw_value(&w, value);
        }
    }
    ll_jw_close(&w, '}');
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    ll_wipe(&body.own);
    ll_json_fini(&body);
    if (status == LINLI_OK && putting->seed.failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a resident");
    return status;
}

static void
begin_put(const struct asking *asking, const char *list, linli_str id)
{
    struct ll_face *face = asking->face;
    struct putting *putting = ll_alloc(&face->host->mem, sizeof *putting);
    struct ll_err err;
    if (putting == NULL) {
        ll_face_problem(face, asking->request, "runtime/memory", LINLI_STR(""));
        return;
    }
    putting->community = asking->community;
    (void)snprintf(putting->actor, sizeof putting->actor, "operator:%.*s",
        LL_FMT(asking->by));
    putting->view.step = step_put;
    putting->view.end = end_put;
    ll_buf_init(&putting->seed, &face->host->mem, SEED_BYTES_MAX);
    ll_view_begin(&putting->view, face, asking->request);
    linli_status status = make_seed(putting, list, id, &err);
    struct ll_seeding how = {.json = ll_buf_view(&putting->seed),
        .actor = ll_cstr(putting->actor),
        .channel = LINLI_STR("admin"),
        .done = on_put,
        .user = putting};
    if (status == LINLI_OK)
        status = ll_seed_as(face->host, &how, &err);
    putting->seeding = status == LINLI_OK;
    if (status != LINLI_OK)
        ll_view_refuse(&putting->view, &err);
}

/* -- the fields of one -- */

static void
begin_fields(const struct asking *asking, linli_str id, linli_str field)
{
    struct ll_request *request = asking->request;
    struct ll_host *host = asking->face->host;
    struct ll_err err = {.status = LINLI_OK};
    struct ll_personal *p =
        ll_personal_new(asking->face, request, asking->community);
    if (p == NULL)
        return;
    (void)snprintf(p->resident, sizeof p->resident, "%.*s", LL_FMT(id));
    (void)snprintf(
        p->actor, sizeof p->actor, "operator:%.*s", LL_FMT(asking->by));
    p->must_exist = true;
    p->subject =
        ll_consent_subject(host->arbiter.consent, asking->community->id, id);
    if (field.ptr != NULL)
        p->field = ll_personal_field(host, field, &err);
    if (p->field != NULL && p->field->household)
        (void)ll_fail(&err, LINLI_E_INVALID, "field/unknown",
            "`%.*s` is a household's: PUT .../admin/households/{id}",
            LL_FMT(p->field->id));
    if (err.status == LINLI_OK && p->field != NULL &&
        ll_str_is(request->method, "PUT"))
        err.status = ll_personal_take(p, &err);
    if (err.status != LINLI_OK)
        ll_view_refuse(&p->view, &err);
    else
        ll_personal_go(p);
}

/* -- which it is -- */

/* "/residents/ID/fields/FIELD" into its parts, which may end earlier. */
struct path {
    linli_str list, id, word, field;
    uint32_t depth;
};

static bool
split(linli_str rest, struct path *path)
{
    linli_str none;
    *path = (struct path){.depth = 0};
    linli_str *const parts[] = {
        &path->list, &path->id, &path->word, &path->field};
    (void)ll_str_split(&rest, '/', &none);
    for (; path->depth < LL_COUNT(parts); path->depth++)
        if (!ll_str_split(&rest, '/', parts[path->depth]))
            break;
    return rest.ptr == NULL && path->id.len <= LL_RESIDENT_BYTES_MAX;
}

static void
serve(const struct asking *asking, const struct path *path)
{
    struct ll_face *face = asking->face;
    struct ll_request *request = asking->request;
    bool residents = ll_str_is(path->list, "residents");
    bool get = ll_str_is(request->method, "GET");
    bool put = ll_str_is(request->method, "PUT");
    const linli_str none = {NULL, 0};
    if (path->depth == 1 && get)
        begin_list(face, request, asking->community,
            residents ? LL_DIR_RESIDENT : LL_DIR_HOUSEHOLD);
    else if (path->depth == 1)
        ll_face_method(face, request, "GET");
    else if (path->depth == 2 && residents && ll_str_is(path->id, "import") &&
             ll_str_is(request->method, "POST"))
        ll_import_begin(face, request, asking->community, asking->by);
    else if (path->depth == 2 && put)
        begin_put(asking, residents ? "residents" : "households", path->id);
    else if (path->depth == 2 && get && residents)
        begin_fields(asking, path->id, none);
    else if (path->depth == 2)
        ll_face_method(face, request, residents ? "GET, PUT, POST" : "PUT");
    else if (path->depth != 4 || !residents || !ll_str_is(path->word, "fields"))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (put || ll_str_is(request->method, "DELETE"))
        begin_fields(asking, path->id, path->field);
    else
        ll_face_method(face, request, "PUT, DELETE");
}

bool
ll_people_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    struct ll_identity *identity = NULL;
    struct path path;
    struct ll_err err;
    bool guardians =
        ll_str_is(rest, "/guardians") || ll_str_starts(rest, "/guardians/");
    bool ours = split(rest, &path) && (ll_str_is(path.list, "residents") ||
                                          ll_str_is(path.list, "households"));
    if (!guardians && !ours)
        return false;
    if (ll_host_identify(face->host, request, &identity, &err) != LINLI_OK)
        ll_face_error(face, request, &err);
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (guardians)
        ll_guard_admin_handle(face, request, community, identity->id,
            (linli_str){rest.ptr + 10, rest.len - 10});
    else
        serve(&(struct asking){face, request, community, identity->id}, &path);
    ll_identity_unref(&identity);
    return true;
}
