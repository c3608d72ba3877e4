/* server/people.c: who asks, and for whom. [loop] */
#include "server/people.h"

#include "base/text.h"
#include "host/jwt.h"

static const struct ll_admission residents = {.kinds = 1u << LL_CALLER_RESIDENT,
    .served = true,
    .words = "residents only"};

bool
ll_asker_may(const struct ll_asker *asker, struct ll_host *host, uint32_t power,
    enum ll_class class)
{
    struct ll_acting acting = {.subject = asker->subject,
        .actor = asker->self,
        .power = power,
        .class = class,
        .now_ms = asker->now_ms,
        .today = asker->today};
    return ll_consent_may_act(host->arbiter.consent, &acting) ==
           LL_REASON_ALLOW;
}

/* The caller, and the ward that they name. */
static linli_status
find(struct ll_asker *asker, struct ll_host *host, linli_str ward,
    struct ll_err *err)
{
    struct ll_arbiter *arbiter = &host->arbiter;
    linli_str community = asker->community->id;
    if (asker->strangers && ward.ptr == NULL &&
        ll_consent_subject(arbiter->consent, community, asker->identity->id) ==
            LL_NOBODY) {
        asker->self = asker->subject = LL_NOBODY;
        asker->resident = asker->identity->id;
        return LINLI_OK;
    }
    linli_status status = ll_arbiter_meet(arbiter, community,
        asker->identity->id, asker->now_ms, &asker->self, err);
    if (status != LINLI_OK)
        return status;
    asker->subject = ward.ptr == NULL ? asker->self
                                      : ll_consent_subject(
                                            arbiter->consent, community, ward);
    /* A ward of somebody else's is nobody to them. */
    if (asker->subject == LL_NOBODY ||
        (asker->subject != asker->self &&
            !ll_asker_may(asker, host, LL_POWER_VIEW, LL_C1)))
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "there is nobody of this name for whom you may act");
    asker->resident = ll_consent_resident(arbiter->consent, asker->subject);
    return LINLI_OK;
}

bool
ll_asker_begin(struct ll_asker *asker, struct ll_face *face,
    struct ll_request *request, linli_str community, struct ll_params *params)
{
    static const char *const names[] = {"for", NULL};
    LL_UNUSED(community);
    asker->strangers = false;
    return ll_asker_begin_with(asker, face, request, names, params);
}

/* Of "/v1/c/COMMUNITY/...", which led here. */
static linli_str
community_of(const struct ll_request *request)
{
    linli_str left = {request->path.ptr + 6, request->path.len - 6}, community;
    (void)ll_str_split(&left, '/', &community);
    return community;
}

bool
ll_asker_begin_with(struct ll_asker *asker, struct ll_face *face,
    struct ll_request *request, const char *const *names,
    struct ll_params *params)
{
    linli_str community = community_of(request);
    struct ll_host *host = face->host;
    struct ll_err err;
    *asker = (struct ll_asker){.strangers = asker->strangers};
    if (!ll_face_admit(face, request, community, &residents))
        return false;
    linli_status status = ll_params_read(params, names, request->query, &err);
    if (status == LINLI_OK)
        status = ll_host_identify(host, request, &asker->identity, &err);
    if (status == LINLI_OK && host->draining)
        status = ll_fail(&err, LINLI_E_CLOSED, "runtime/draining", "it stops");
    if (status == LINLI_OK) {
        asker->community = ll_host_community(host, community);
        asker->now_ms = ll_world_wall(host->world).ms;
        asker->today = ll_arbiter_today(&asker->community->zone, asker->now_ms);
        status = find(asker, host, ll_param(params, "for"), &err);
    }
    if (status == LINLI_OK)
        return true;
    ll_asker_end(asker);
    ll_face_error(face, request, &err);
    return false;
}

void
ll_asker_end(struct ll_asker *asker)
{
    ll_identity_unref(&asker->identity);
}
