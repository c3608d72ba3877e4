/* host/seed_consents.c: consents of a seed, given by whoever seeds. [loop] */
#include "host/seed_consents.h"

#include "base/instant.h"
#include "base/text.h"

struct wanted {
    struct ll_community *community;
    struct ll_giving giving;
    uint32_t subject;
};

static linli_str
member(struct ll_jv object, const char *name)
{
    return ll_jv_str(ll_jv_get(object, name));
}

/* Where it is said to be, or where the seed has the resident, or the only
 * community there is. */
static struct ll_community *
community_of(
    struct ll_host *host, const struct ll_seed_text *text, struct ll_jv item)
{
    linli_str id = member(item, "community");
    for (uint32_t i = 0; id.len == 0 && i < text->resident_count; i++)
        if (ll_str_eq(text->residents[i]->id, member(item, "resident")))
            id = text->residents[i]->community;
    if (id.len == 0 && host->community_count == 1)
        return host->communities;
    return ll_host_community(host, id);
}

static linli_status
read_item(struct ll_host *host, const struct ll_seed_text *text,
    struct ll_jv item, struct wanted *out, struct ll_err *err)
{
    struct ll_arbiter *arbiter = &host->arbiter;
    linli_str until = member(item, "expires_at");
    int field =
        ll_dictionary_field(&arbiter->dictionary, member(item, "field"));
    int purpose =
        ll_dictionary_purpose(&arbiter->dictionary, member(item, "purpose"));
    *out = (struct wanted){.community = community_of(host, text, item)};
    if (out->community == NULL)
        return ll_seed_fail(text, item, err, "in which community is not said");
    if (field < 0 || purpose < 0)
        return ll_seed_fail(text, item, err,
            "`field` and `purpose` are ids of the data dictionary");
    out->giving =
        (struct ll_giving){.party = ll_consent_party(arbiter->consent,
                               out->community->id, member(item, "plugin")),
            .purpose = (uint8_t)purpose,
            .fields = (uint64_t)1 << field,
            .level = LL_LEVEL_SEPARATE,
            .uses = -1};
    if (until.len > 0 && !ll_instant_read(until, &out->giving.until_ms))
        return ll_seed_fail(text, item, err, "`expires_at` is no time");
    return ll_arbiter_meet(arbiter, out->community->id,
        member(item, "resident"), ll_world_wall(host->world).ms, &out->subject,
        err);
}

/* It was given before, whoever gave it. */
static bool
is_given(const struct ll_consent *consent, const struct wanted *w)
{
    uint32_t at = LL_NO_GRANT;
    while (
        (at = ll_consent_next_grant(consent, w->subject, at)) != LL_NO_GRANT) {
        const struct ll_grant *g = ll_consent_grant(consent, at);
        if (g->status == LL_GRANT_LIVE && g->party == w->giving.party &&
            g->purpose == w->giving.purpose &&
            (w->giving.fields & ~g->fields) == 0 &&
            (w->giving.until_ms == 0 || g->until_ms == w->giving.until_ms))
            return true;
    }
    return false;
}

static linli_status
give(struct ll_host *host, const struct ll_seeding *how, struct wanted *w,
    struct ll_act *act, struct ll_err *err)
{
    int64_t now_ms = ll_world_wall(host->world).ms;
    struct ll_actor_of who = {.community = w->community->id,
        .subject = w->subject,
        .actor = LL_NOBODY,
        .actor_name = how->actor,
        .channel = LINLI_STR("seed"),
        .notice = w->giving.party == LL_NO_PARTY
                      ? (linli_str){NULL, 0}
                      : ll_arbiter_notice(&host->arbiter, w->giving.party),
        .now_ms = now_ms,
        .today = ll_arbiter_today(&w->community->zone, now_ms)};
    uint32_t grant;
    return ll_arbiter_give(&host->arbiter, &who, &w->giving, act, &grant, err);
}

linli_status
ll_seed_consents_put(struct ll_host *host, const struct ll_seed_text *text,
    const struct ll_seeding *how, struct ll_act *last, bool *begun,
    struct ll_err *err)
{
    struct ll_jv list = ll_jv_get(ll_json_root(&text->json), "consents");
    struct wanted w = {.subject = LL_NOBODY}, next;
    linli_status status = LINLI_OK;
    uint32_t number = 0, at = 0;
    bool any = false;
    *begun = false;
    LL_JSON_EACH (item, list) {
        status = read_item(host, text, item, &next, err);
        if (status != LINLI_OK)
            return status;
        /* The one before goes when it is known that it is not the last. */
        if (!is_given(host->arbiter.consent, &next)) {
            if (any)
                status = give(host, how, &w, NULL, err);
            if (status != LINLI_OK)
                break;
            w = next;
            at = number;
            any = true;
        }
        number++;
    }
    if (any && status == LINLI_OK) {
        status = give(host, how, &w, last, err);
        *begun = status == LINLI_OK;
    }
    if (status != LINLI_OK)
        ll_err_where(err, "/consents/%u", (unsigned)at);
    return status;
}
