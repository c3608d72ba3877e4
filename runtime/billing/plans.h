/* billing/plans.h: the catalogue: plans, in versions that never change. [loop]
 *
 * A plan sells one plugin in one community. To change it is to publish another
 * version of its name; who has subscribed keeps theirs until they move.
 * spec/metering.md, section 8.
 */
#ifndef LL_BILLING_PLANS_H
#define LL_BILLING_PLANS_H

#include "billing/act.h"
#include "billing/billing.h"
#include "domain/pricing_plan.h"
#include "domain/pricing_share.h"

struct ll_plan_version {
    uint32_t id;      /* names it in usage and in ll_sub_version; from 1 */
    uint32_t version; /* of its name, from 1: "basic@2" */
    linli_str community, name, plugin;
    linli_str title_zh, title_en; /* what a resident reads */
    int64_t at_ms;                /* it was published */
    bool closed;                  /* nobody subscribes to it any more */
    struct ll_plan plan;          /* domain/pricing_plan.h */
    const struct ll_local *local; /* plan.tz */
    struct ll_share_terms share;  /* of what is paid for it */
    linli_str body;               /* as it was published: JSON */
    struct ll_arena arena;        /* all of the above */
};

/* "basic@2", NUL-terminated, cut never: a name is that short. */
#define LL_PLAN_TEXT_BYTES (LL_PLAN_ID_BYTES_MAX + 16)
void ll_plan_text(
    const struct ll_plan_version *version, char out[LL_PLAN_TEXT_BYTES]);
/* Reads "basic" (*version 0) or "basic@2". */
bool ll_plan_text_read(linli_str text, linli_str *name, uint32_t *version);

/* A version by what usage calls it; NULL if there is none. */
const struct ll_plan_version *ll_plan_by_id(
    const struct ll_billing *billing, uint32_t id);
/* The next after `id` in the order of ids; NULL at the end. */
const struct ll_plan_version *ll_plan_next(
    const struct ll_billing *billing, uint32_t id);
/* `version` 0: the newest. NULL if there is none. */
const struct ll_plan_version *ll_plan_find(const struct ll_billing *billing,
    linli_str community, linli_str name, uint32_t version);
/* Whether a plugin is sold here: some plan of it has been published and is
 * not closed, or somebody is subscribed to one still. Who has no subscription
 * is refused "plan/none" then; a plugin that is not sold is free. */
bool ll_plan_sells(
    const struct ll_billing *billing, linli_str community, linli_str plugin);

/* Reads a plan as an operator writes it:
 *   {"name","plugin","title":{"zh-CN","en"},"plan":{...},"share":{...},
 *    "words":{"fee":{"zh-CN","en"}}}
 * "pricing/..." with the place, "plan/invalid". Meters are the caller's to
 * check (`known`, NULL: none are): each of a charge or a limit has to be one
 * of the plugin's or of the runtime's, else "pricing/meter". A name sells the
 * same plugin in all its versions: "plan/plugin". */
struct ll_plan_offer {
    linli_str community;
    struct ll_jv root;
    linli_str body; /* its text, compact */
    bool (*known)(void *user, linli_str plugin, linli_str meter);
    void *user;
};
/* Publishes the next version of its name. The newest one once more, with the
 * same bytes, is that version unless it is closed: *again, and nothing is sent,
 * nobody told. "plan/full": LL_PLAN_VERSIONS_MAX. */
linli_status ll_plan_publish(struct ll_bill_act *act,
    const struct ll_plan_offer *offer, const struct ll_plan_version **out,
    bool *again, struct ll_err *err) LL_USE_RESULT;
/* Nobody subscribes to it, in any of its versions, any more; again is nothing,
 * *again. "plan/unknown". */
linli_status ll_plan_close(struct ll_bill_act *act, linli_str community,
    linli_str name, bool *again, struct ll_err *err) LL_USE_RESULT;

#endif
