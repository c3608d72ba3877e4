/* server/answer.c: what an operator answers to a request for correction.
 * [loop]
 *
 * POST .../admin/requests/{id}/answer {outcome: "done" | "refused", reason}
 *
 * The value itself is changed by PUT .../admin/residents/{id}/fields/{field},
 * whose line `correct` the log has; the answer is what the resident sees of
 * it, and is told. Copies and erasures are answered by the host alone.
 */
#include <stdio.h>

#include "base/text.h"
#include "host/rights.h"
#include "host/tell.h"
#include "server/rights.h"

struct answering {
    struct ll_desk desk;
    struct ll_community *community;
    struct ll_json json; /* of the body */
    char by[LL_DOC_ID_BYTES_MAX + 32];
    char resident[LL_DOC_ID_BYTES_MAX + 1];
    bool done; /* else refused */
};

static void
end_answering(struct ll_desk *desk)
{
    struct answering *a = LL_CONTAINER(desk, struct answering, desk);
    ll_json_fini(&a->json);
    ll_release(desk->docs->mem, a, sizeof *a);
}

static linli_str
member(const struct answering *a, const char *name)
{
    return ll_jv_str(ll_jv_get(ll_json_root(&a->json), name));
}

static void
write_answered(struct answering *a, struct ll_jv root, int64_t now_ms)
{
    struct ll_jw w = ll_jw(&a->desk.text);
    ll_buf_clear(&a->desk.text);
    ll_jw_open(&w, '{');
    LL_JSON_MEMBERS (name, value, root) {
        if (ll_str_is(ll_jv_str(name), "state"))
            continue;
        ll_jw_key_str(&w, ll_jv_str(name));
        ll_jw_value(&w, value);
    }
    ll_jw_key(&w, "state");
    ll_jw_str(&w, member(a, "outcome"));
    ll_jw_key(&w, "reason");
    ll_jw_str(&w, member(a, "reason"));
    ll_jw_key(&w, "answered_by");
    ll_jw_cstr(&w, a->by);
    ll_jw_key(&w, "done_at");
    ll_jw_int(&w, now_ms);
    ll_jw_close(&w, '}');
}

static void
tell_resident(const struct answering *a)
{
    struct ll_log_line line = {.level = LL_ERROR,
        .code = "runtime/memory",
        .plugin = LINLI_STR("~"),
        .community = a->community->id,
        .msg = LINLI_STR("a resident is not told of an answer")};
    struct ll_telling telling = {.resident = ll_cstr(a->resident),
        .zh = a->done
                  ? LINLI_STR("您的更正申请已办理, 请在隐私中心查看.")
                  : LINLI_STR("您的更正申请未获同意, 理由请在隐私中心查看."),
        .en = a->done ? LINLI_STR("Your request for correction is done: see "
                                  "the privacy centre.")
                      : LINLI_STR("Your request for correction was refused: "
                                  "the privacy centre says why.")};
    if (!ll_tell(a->community, &telling))
        ll_log_write(&a->community->host->log, &line);
}

/* The same answer again is none. */
static linli_status
judge(const struct answering *a, struct ll_jv root, bool *again,
    struct ll_err *err)
{
    linli_str state = ll_jv_str(ll_jv_get(root, "state"));
    linli_str reason = ll_jv_str(ll_jv_get(root, "reason"));
    if (!ll_str_is(ll_jv_str(ll_jv_get(root, "kind")), "correct"))
        return ll_fail(err, LINLI_E_CONFLICT, "rights/answered",
            "a copy and an erasure are answered by the host");
    *again = ll_str_eq(state, member(a, "outcome")) &&
             ll_str_eq(reason, member(a, "reason"));
    if (!*again && !ll_str_is(state, "asked"))
        return ll_fail(err, LINLI_E_CONFLICT, "rights/answered",
            "it was answered: %.*s", LL_FMT(state));
    return LINLI_OK;
}

static linli_status
decide(struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct answering *a = LL_CONTAINER(desk, struct answering, desk);
    const struct ll_content *content = desk->doc->content;
    struct ll_json *json = &desk->docs->json;
    bool again = false;
    if (content == NULL)
        return ll_fail(
            err, LINLI_E_NOT_FOUND, "request/not-found", "no such request");
    linli_status status =
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = judge(a, ll_json_root(json), &again, err);
    if (status != LINLI_OK)
        return status;
    (void)snprintf(a->resident, sizeof a->resident, "%.*s",
        LL_FMT(ll_jv_str(ll_jv_get(ll_json_root(json), "resident"))));
    ll_jw_open(&desk->view.w, '{');
    ll_view_text(&desk->view, "id", desk->doc->id);
    ll_view_text(&desk->view, "state", member(a, "outcome"));
    ll_view_text(&desk->view, "reason", member(a, "reason"));
    ll_jw_close(&desk->view.w, '}');
    if (again)
        return LINLI_OK;
    write_answered(
        a, ll_json_root(json), ll_world_wall(a->community->host->world).ms);
    if (desk->text.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an answer");
    *verdict = LL_DESK_PUT;
    tell_resident(a);
    return LINLI_OK;
}

static linli_status
read_answer(struct answering *a, struct ll_request *request, struct ll_err *err)
{
    static const char *const names[] = {"outcome", "reason", NULL};
    linli_status status = ll_desk_body(request, names, &a->json, err);
    if (status != LINLI_OK)
        return status;
    linli_str outcome = member(a, "outcome"), reason = member(a, "reason");
    a->done = ll_str_is(outcome, "done");
    if (!a->done && !ll_str_is(outcome, "refused"))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`outcome` is done or refused");
    if (reason.len == 0 || reason.len > LL_REASON_BYTES_MAX)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`reason` has 1 to %d bytes", LL_REASON_BYTES_MAX);
    return a->community->rights == NULL
               ? ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
                     "no such request")
               : LINLI_OK;
}

void
ll_rights_answer(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str by, linli_str id)
{
    struct ll_err err;
    struct answering *a = ll_alloc(&face->host->mem, sizeof *a);
    if (a == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    a->community = community;
    (void)snprintf(a->by, sizeof a->by, "%.*s", LL_FMT(by));
    ll_json_init(&a->json, &face->host->mem);
    a->desk.decide = decide;
    a->desk.end = end_answering;
    ll_desk_begin(&a->desk, face, request);
    if (read_answer(a, request, &err) == LINLI_OK)
        ll_desk_ask(&a->desk, community->rights->queue->coll, id);
    else
        ll_view_refuse(&a->desk.view, &err);
}
