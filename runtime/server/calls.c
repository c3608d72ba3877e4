/* server/calls.c: what became of a call that awaits an answer. [loop]
 *
 * GET /v1/c/{c}/me/calls/{plugin}/{id}
 *
 * For its own caller alone, whoever that was; for all others it is not there
 * (spec/await.md, section 2).
 */
#include <stdio.h>

#include "base/text.h"
#include "host/jwt.h"
#include "host/release.h"
#include "server/face.h"

/* Where it is told of, in the order in which a call goes from one to the next:
 * what moves on while it is looked for is found further on. */
static const char *const places[] = {"~await", "~work", "~result"};
#define RESULT 2

struct ll_asking {
    struct ll_asking *next, **at; /* of the face */
    struct ll_face *face;
    struct ll_request *request;
    struct ll_identity *identity;
    struct ll_space *space;
    linli_str id; /* of the request's path */
    size_t place;
    struct ll_doc *doc;
    struct ll_wait wait;
    struct ll_json json;
};

static void
asking_free(struct ll_asking *asking)
{
    struct ll_host *host = asking->face->host;
    *asking->at = asking->next;
    if (asking->next != NULL)
        asking->next->at = asking->at;
    ll_wait_cancel(&asking->wait);
    ll_doc_unref(&asking->doc);
    ll_identity_unref(&asking->identity);
    ll_json_fini(&asking->json);
    ll_release(&host->mem, asking, sizeof *asking);
}

static void
refuse(struct ll_asking *asking, const char *code)
{
    ll_face_problem(asking->face, asking->request, code, LINLI_STR(""));
    asking_free(asking);
}

static void
answer_pending(struct ll_asking *asking)
{
    struct ll_face *face = asking->face;
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "state");
    ll_jw_cstr(&w, "pending");
    ll_jw_key(&w, "href");
    ll_jw_str(&w, asking->request->path);
    ll_jw_close(&w, '}');
    ll_face_answer(face, asking->request, 202, "application/json");
    asking_free(asking);
}

static void
answer_result(struct ll_asking *asking, struct ll_jv result)
{
    int64_t status = 500;
    linli_str etag = ll_jv_str(ll_jv_get(result, "etag"));
    (void)ll_jv_int(ll_jv_get(result, "status"), &status);
    struct ll_response response = {.status = (int)status,
        .content_type = ll_jv_str(ll_jv_get(result, "type")),
        .body = ll_jv_str(ll_jv_get(result, "body"))};
    if (etag.len > 0)
        response.headers[response.header_count++] =
            (struct ll_field){LINLI_STR("etag"), etag};
    asking->request->respond(asking->request, &response);
    asking_free(asking);
}

/* What it was given of residents may not be told any more, if one has taken
 * that back. */
static void
answer_kept(struct ll_asking *asking, struct ll_jv result)
{
    struct ll_host *host = asking->face->host;
    struct ll_denied denied;
    struct ll_buf url;
    char fields[LL_DOC_ID_BYTES_MAX] = "";
    ll_buf_init(&url, &host->mem, LL_HTTP_TARGET_BYTES_MAX);
    const char *code =
        ll_releases_deny(host, asking->space, result, &denied, &url);
    if (code == NULL) {
        answer_result(asking, result);
    } else {
        if (denied.field.len > 0)
            (void)snprintf(
                fields, sizeof fields, "[\"%.*s\"]", LL_FMT(denied.field));
        struct ll_denial denial = {ll_cstr(ll_denied_reason(host, &denied)),
            ll_buf_view(&url), ll_cstr(fields)};
        ll_face_denied(asking->face, asking->request, code, &denial);
        asking_free(asking);
    }
    ll_buf_fini(&url);
}

static bool
is_own(const struct ll_asking *asking, struct ll_jv told)
{
    const struct ll_identity *identity = asking->identity;
    return ll_str_is(ll_jv_str(ll_jv_get(told, "caller_kind")),
               ll_caller_name(identity->kind)) &&
           ll_str_eq(ll_jv_str(ll_jv_get(told, "who")), identity->id);
}

/* The document is ready. False: it says nothing of the call. */
static bool
look(struct ll_asking *asking)
{
    const struct ll_doc *doc = asking->doc;
    if (doc->content == NULL)
        return false;
    if (ll_json_parse(&asking->json, doc->content->body, LL_JSON_DEPTH_MAX,
            NULL) != LINLI_OK) {
        refuse(asking, "runtime/memory");
        return true;
    }
    struct ll_jv told = ll_json_root(&asking->json);
    if (!is_own(asking, told))
        refuse(asking, "request/not-found");
    else if (asking->place == RESULT &&
             doc->number <= ll_store_durable(asking->face->host->store))
        answer_kept(asking, told);
    else
        answer_pending(asking);
    return true;
}

static void
go_on(struct ll_asking *asking)
{
    for (; asking->place < LL_COUNT(places); asking->place++) {
        struct ll_coll *coll =
            ll_space_coll(asking->space, ll_cstr(places[asking->place]));
        if (asking->doc == NULL && coll != NULL)
            asking->doc = ll_docs_get(coll, asking->id);
        if (asking->doc == NULL) {
            refuse(asking, "runtime/memory");
            return;
        }
        if (!ll_doc_ready(asking->doc, &asking->wait))
            return;
        if (asking->doc->state == LL_DOC_LOST) {
            refuse(asking, "store/failed");
            return;
        }
        if (look(asking))
            return;
        ll_doc_unref(&asking->doc);
    }
    refuse(asking, "request/not-found");
}

static void
on_ready(struct ll_wait *wait)
{
    go_on(LL_CONTAINER(wait, struct ll_asking, wait));
}

/* "PLUGIN/ID" of an instance of the community; NULL if there is none. */
static const struct ll_instance *
find(const struct ll_face *face, linli_str community, linli_str *rest)
{
    linli_str plugin;
    struct ll_community *c = ll_host_community(face->host, community);
    if (c == NULL || !ll_str_split(rest, '/', &plugin) || rest->ptr == NULL)
        return NULL;
    return ll_community_instance(c, plugin);
}

static void
begin(struct ll_face *face, struct ll_request *request,
    struct ll_identity *identity, struct ll_space *space, linli_str id)
{
    struct ll_asking *asking = ll_alloc(&face->host->mem, sizeof *asking);
    if (asking == NULL) {
        ll_identity_unref(&identity);
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    asking->face = face;
    asking->request = request;
    asking->identity = identity;
    asking->space = space;
    asking->id = id;
    asking->wait.ready = on_ready;
    ll_json_init(&asking->json, &face->host->mem);
    asking->next = face->asking;
    asking->at = &face->asking;
    if (asking->next != NULL)
        asking->next->at = &asking->next;
    face->asking = asking;
    go_on(asking);
}

void
ll_calls_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    struct ll_err err;
    struct ll_identity *identity = NULL;
    if (!ll_str_is(request->method, "GET")) {
        ll_face_method(face, request, "GET");
        return;
    }
    if (ll_host_identify(face->host, request, &identity, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    const struct ll_instance *instance = find(face, community, &rest);
    if (instance != NULL && ll_str_eq(identity->community, community) &&
        rest.len > 0 && rest.len <= LL_DOC_ID_BYTES_MAX) {
        begin(face, request, identity, instance->space, rest);
        return;
    }
    ll_identity_unref(&identity);
    ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
}

void
ll_calls_end(struct ll_face *face)
{
    while (face->asking != NULL)
        refuse(face->asking, "runtime/draining");
}
