/* server/act.c: who acts, and why. [loop] */
#include "server/act.h"

#include <stdio.h>

#include "base/text.h"

#define BODY_DEPTH_MAX 4

/* A reason is words that a person can read: something but spaces. */
static linli_status
take_reason(struct ll_actor *actor, struct ll_jv root, struct ll_err *err)
{
    linli_str reason = ll_jv_str(ll_jv_get(root, "reason"));
    size_t blank = 0;
    while (blank < reason.len && (unsigned char)reason.ptr[blank] <= ' ')
        blank++;
    if (reason.len == blank)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`reason` must say why, in 1 to %d bytes", LL_REASON_BYTES_MAX);
    if (reason.len > LL_REASON_BYTES_MAX)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`reason` has %zu bytes, more than %d", reason.len,
            LL_REASON_BYTES_MAX);
    if (memchr(reason.ptr, '\0', reason.len) != NULL)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`reason` has a NUL in it");
    (void)snprintf(actor->reason, sizeof actor->reason, "%.*s", LL_FMT(reason));
    return LINLI_OK;
}

static linli_status
read_body(struct ll_actor *actor, struct ll_jv root, bool with_reason,
    struct ll_err *err)
{
    if (!ll_jv_is(root, LL_JSON_OBJECT))
        return ll_fail(
            err, LINLI_E_INVALID, "request/invalid", "a body is an object");
    LL_JSON_MEMBERS (name, value, root) {
        LL_UNUSED(value);
        if (!with_reason || !ll_str_is(ll_jv_str(name), "reason"))
            return ll_fail(err, LINLI_E_INVALID, "request/invalid",
                "`%.*s` is not known%s", LL_FMT(ll_jv_str(name)),
                with_reason ? ": there is `reason`" : "");
    }
    return with_reason ? take_reason(actor, root, err) : LINLI_OK;
}

linli_status
ll_actor_read(struct ll_actor *actor, struct ll_view *view, bool with_reason,
    struct ll_err *err)
{
    struct ll_host *host = view->face->host;
    struct ll_request *request = view->request;
    struct ll_identity *identity = NULL;
    struct ll_json json;
    linli_status status = ll_host_identify(host, request, &identity, err);
    if (status != LINLI_OK)
        return status;
    /* Nobody else is admitted. */
    (void)snprintf(
        actor->by, sizeof actor->by, "operator:%.*s", LL_FMT(identity->id));
    ll_identity_unref(&identity);
    if (!request->has_body && !with_reason)
        return LINLI_OK;
    if (request->has_body && !ll_request_is_json(request))
        return ll_fail(err, LINLI_E_INVALID, "request/content-type",
            "Content-Type: application/json");
    ll_json_init(&json, &host->mem);
    status = ll_json_parse(&json, request->body, BODY_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = read_body(actor, ll_json_root(&json), with_reason, err);
    ll_json_fini(&json);
    return status;
}
