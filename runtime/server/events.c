/* server/events.c: a community's events, for its app and its operator.
 * [loop]
 *
 * GET /v1/c/{c}/events?after=&wait=&limit=
 *
 * The request is held while it waits; whose connection has gone is answered
 * all the same, and nobody hears it.
 */
#include "base/text.h"
#include "host/bus.h"
#include "server/face.h"

struct ll_listening {
    struct ll_listening *next, **at; /* of the face */
    struct ll_face *face;
    struct ll_request *request;
    struct ll_feed feed;
};

static void
listening_free(struct ll_listening *listening)
{
    struct ll_host *host = listening->face->host;
    *listening->at = listening->next;
    if (listening->next != NULL)
        listening->next->at = listening->at;
    ll_feed_fini(&listening->feed);
    ll_release(&host->mem, listening, sizeof *listening);
}

static void
on_fed(struct ll_feed *feed, linli_status status, const struct ll_err *err)
{
    struct ll_listening *listening = feed->user;
    struct ll_request *request = listening->request;
    if (status != LINLI_OK) {
        ll_face_error(listening->face, request, err);
    } else {
        struct ll_response response = {.status = 200,
            .content_type = LINLI_STR("application/json"),
            .body = ll_buf_view(&feed->out)};
        request->respond(request, &response);
    }
    listening_free(listening);
}

static const struct ll_admission listeners = {
    .kinds = 1u << LL_CALLER_APP | 1u << LL_CALLER_OPERATOR,
    .served = true,
    .words = "apps and operators"};

static void
begin_listening(
    struct ll_face *face, struct ll_request *request, linli_str community)
{
    struct ll_err err;
    struct ll_listening *listening =
        ll_alloc(&face->host->mem, sizeof *listening);
    if (listening == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    struct ll_feed *feed = &listening->feed;
    ll_feed_init(feed, face->host);
    feed->community = ll_host_community(face->host, community);
    feed->done = on_fed;
    feed->user = listening;
    listening->face = face;
    listening->request = request;
    listening->next = face->listening;
    listening->at = &face->listening;
    if (listening->next != NULL)
        listening->next->at = &listening->next;
    face->listening = listening;
    if (ll_feed_read(feed, request->query, &err) == LINLI_OK)
        ll_feed_start(feed);
    else
        on_fed(feed, err.status, &err);
}

void
ll_events_handle(
    struct ll_face *face, struct ll_request *request, linli_str community)
{
    if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (ll_face_admit(face, request, community, &listeners))
        begin_listening(face, request, community);
}

void
ll_events_end(struct ll_face *face)
{
    struct ll_err err;
    linli_status status =
        ll_fail(&err, LINLI_E_CLOSED, "runtime/draining", "this host stops");
    while (face->listening != NULL)
        on_fed(&face->listening->feed, status, &err);
}
