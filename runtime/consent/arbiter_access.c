/* consent/arbiter_access.c: what a release leaves behind. [loop] */
#include "consent/arbiter_int.h"

#include "base/text.h"

static struct ll_leaf
leaf_of(struct ll_arbiter *arbiter, const struct ll_access *access,
    enum ll_leaf_type type, struct ll_leaf_text *text)
{
    struct ll_actor_of who = {.community = access->community,
        .subject = access->subject,
        .actor = LL_NOBODY,
        .actor_name = access->actor,
        .now_ms = access->now_ms};
    struct ll_leaf leaf = ll_leaf_of(arbiter, &who, type, text);
    leaf.plugin = ll_consent_plugin(arbiter->consent, access->party);
    leaf.purpose = arbiter->dictionary.purposes[access->purpose].id;
    leaf.fields_json = ll_leaf_fields(arbiter, access->fields, text);
    leaf.basis = ll_cstr(ll_basis_name(access->basis));
    leaf.call = access->call;
    if (access->grant != LL_NO_GRANT) {
        const struct ll_grant *grant =
            ll_consent_grant(arbiter->consent, access->grant);
        ll_hex(grant->id, sizeof grant->id, text->grant);
        leaf.grant = ll_cstr(text->grant);
    }
    return leaf;
}

uint64_t
ll_arbiter_access(struct ll_arbiter *arbiter, const struct ll_access *access,
    struct ll_act *act)
{
    struct ll_deed deed;
    struct ll_leaf_text text;
    bool granted = access->grant != LL_NO_GRANT;
    struct ll_own_more *more =
        granted ? &arbiter->ledger->grants[access->grant] : NULL;
    ll_leaf_text_init(&text, arbiter->mem);
    ll_deed_begin(&deed, arbiter, access->community, access->now_ms);
    if (granted) {
        ll_consent_use_grant(arbiter->consent, access->grant, access->now_ms);
        more->reads++;
        ll_deed_put_grant(
            &deed, ll_consent_grant(arbiter->consent, access->grant), more);
    }
    struct ll_leaf leaf = leaf_of(arbiter, access, LL_LEAF_ACCESS, &text);
    leaf.result = (linli_str)LINLI_STR("allow");
    if (text.fields.failed)
        deed.status = LINLI_E_NOMEM;
    ll_deed_leaf(&deed, &leaf);
    ll_leaf_text_fini(&text);
    if (ll_deed_ready(&deed, NULL) != LINLI_OK) {
        if (granted) {
            ll_consent_unuse_grant(arbiter->consent, access->grant);
            more->reads--;
        }
        return 0;
    }
    deed.told->at_once = true;
    return ll_deed_commit(&deed, act);
}

uint64_t
ll_arbiter_abort(struct ll_arbiter *arbiter, const struct ll_access *access)
{
    struct ll_deed deed;
    struct ll_leaf_text text;
    ll_leaf_text_init(&text, arbiter->mem);
    ll_deed_begin(&deed, arbiter, access->community, access->now_ms);
    struct ll_leaf leaf = leaf_of(arbiter, access, LL_LEAF_ABORT, &text);
    if (text.fields.failed)
        deed.status = LINLI_E_NOMEM;
    ll_deed_leaf(&deed, &leaf);
    ll_leaf_text_fini(&text);
    return ll_deed_ready(&deed, NULL) == LINLI_OK ? ll_deed_commit(&deed, NULL)
                                                  : 0;
}

/* -- what is over by time -- */

static bool
is_over(const struct ll_grant *grant, int64_t now_ms)
{
    int64_t idle_ms = grant->idle_days * LL_CONSENT_DAY_MS;
    return grant->until_ms <= now_ms ||
           (idle_ms > 0 && grant->used_ms + idle_ms <= now_ms);
}

/* The decision has known it all along; the document says so from now on. */
static void
expire(struct ll_arbiter *arbiter, uint32_t number, int64_t now_ms)
{
    struct ll_deed deed;
    struct ll_grant after = *ll_consent_grant(arbiter->consent, number);
    linli_str community = ll_consent_community(arbiter->consent, after.subject);
    if (community.len == 0)
        return;
    after.status = LL_GRANT_EXPIRED;
    ll_deed_begin(&deed, arbiter, community, now_ms);
    ll_deed_put_grant(&deed, &after, &arbiter->ledger->grants[number]);
    ll_deed_put_revoked(&deed, &after, "expired");
    if (ll_deed_ready(&deed, NULL) != LINLI_OK)
        return; /* the next time */
    ll_consent_end_grant(arbiter->consent, number, LL_GRANT_EXPIRED);
    (void)ll_deed_commit(&deed, NULL);
}

void
ll_arbiter_tidy(struct ll_arbiter *arbiter, int64_t now_ms, uint32_t count)
{
    struct ll_ledger *ledger = arbiter->ledger;
    uint32_t all = ll_consent_grants(arbiter->consent);
    for (uint32_t i = 0; i < count && i < all; i++) {
        if (ledger->tidy_at >= all)
            ledger->tidy_at = 0;
        uint32_t number = ledger->tidy_at++;
        const struct ll_grant *grant =
            ll_consent_grant(arbiter->consent, number);
        if (grant != NULL && grant->status == LL_GRANT_LIVE &&
            is_over(grant, now_ms))
            expire(arbiter, number, now_ms);
    }
}

/* -- a plugin that leaves -- */

linli_status
ll_arbiter_end_party(struct ll_arbiter *arbiter, const struct ll_ending *ending,
    uint32_t count, uint32_t *at, uint32_t *ended, struct ll_err *err)
{
    uint32_t all = ll_consent_grants(arbiter->consent);
    uint32_t party =
        ll_consent_party(arbiter->consent, ending->community, ending->plugin);
    struct ll_actor_of who = {.community = ending->community,
        .actor = LL_NOBODY,
        .actor_name = ending->by,
        .now_ms = ending->now_ms};
    linli_status status = LINLI_OK;
    *ended = 0;
    while (status == LINLI_OK && party != LL_NO_PARTY && *at < all &&
           *ended < count) {
        const struct ll_grant *grant = ll_consent_grant(arbiter->consent, *at);
        if (grant != NULL && grant->party == party &&
            grant->status == LL_GRANT_LIVE) {
            who.subject = grant->subject;
            status = ll_arbiter_withdraw(arbiter, &who, *at, NULL, err);
            *ended += status == LINLI_OK;
        }
        *at += status == LINLI_OK;
    }
    return status;
}
