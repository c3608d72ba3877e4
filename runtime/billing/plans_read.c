/* billing/plans_read.c: what an operator publishes. [loop] */
#include "billing/plans_int.h"

#include "base/text.h"
#include "domain/pricing_number.h"
#include "domain/pricing_read.h"

/* Of a body of LL_PLAN_BODY_BYTES_MAX: its text and what is read of it. */
#define ARENA_BYTES_MAX ((size_t)8 << 20)

static bool
is_name(linli_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    ((c == '-' || c == '.') && i > 0);
        if (!good)
            return false;
    }
    return name.len > 0;
}

/* A text for people in one language. */
static bool
is_title(linli_str text)
{
    return text.len > 0 && text.len <= LL_PLAN_TITLE_BYTES_MAX;
}

/* Absent: the name. */
static linli_str
read_title(struct ll_plan_rd *r, struct ll_jv titles, const char *lang,
    linli_str otherwise)
{
    struct ll_jv v = ll_jv_get(titles, lang);
    linli_str text = ll_jv_str(v);
    if (r->status != LINLI_OK || !ll_jv_there(v))
        return otherwise;
    if (!is_title(text)) {
        (void)ll_read_fail(r, v, "pricing/type",
            "a title is a string of 1 to %d bytes", LL_PLAN_TITLE_BYTES_MAX);
        return otherwise;
    }
    text = ll_arena_str(r->arena, text);
    if (text.ptr == NULL)
        (void)ll_read_nomem(r);
    return text;
}

static void
read_share(struct ll_plan_rd *r, struct ll_jv v, struct ll_share_terms *out)
{
    if (!ll_jv_there(v) || !ll_read_object(r, v, "`share`",
                               "platform_bp platform_fixed_fen channel_bp"))
        return;
    out->platform_bp = ll_read_count(r, v, "platform_bp", LL_BP, 0);
    out->channel_bp = ll_read_count(r, v, "channel_bp", LL_BP, 0);
    out->platform_fixed_fen =
        ll_read_count(r, v, "platform_fixed_fen", INT64_MAX, 0);
    if (r->status == LINLI_OK && out->platform_bp + out->channel_bp > LL_BP)
        (void)ll_read_fail(
            r, v, "pricing/range", "platform and channel take more than all");
}

static void
read_head(
    struct ll_plan_rd *r, struct ll_jv root, struct ll_plan_version *version)
{
    struct ll_jv titles = ll_jv_get(root, "title");
    if (!ll_read_object(r, root, "what is published",
            "name! plugin! title plan! share words"))
        return;
    version->name = ll_read_id(r, root, "name");
    version->plugin = ll_read_id(r, root, "plugin");
    if (r->status == LINLI_OK && !is_name(version->name))
        (void)ll_read_fail(r, ll_jv_get(root, "name"), "plan/invalid",
            "a plan's name is of a-z, 0-9, and inside of it '-' and '.'");
    if (r->status == LINLI_OK && ll_jv_there(titles))
        (void)ll_read_object(r, titles, "`title`", "zh-CN en");
    version->title_zh = read_title(r, titles, "zh-CN", version->name);
    version->title_en = read_title(r, titles, "en", version->name);
    read_share(r, ll_jv_get(root, "share"), &version->share);
}

static bool
has_line_of(const struct ll_plan *plan, linli_str id)
{
    for (uint32_t i = 0; i < plan->discount_count; i++)
        if (ll_str_eq(plan->discounts[i].id, id))
            return true;
    return ll_plan_charge(plan, id) != NULL;
}

/* What people read for a charge or a discount, by its id; looked up in the
 * body when a bill is drawn (ll_plan_words). */
static void
check_words(
    struct ll_plan_rd *r, struct ll_jv words, const struct ll_plan *plan)
{
    if (r->status != LINLI_OK || !ll_jv_there(words))
        return;
    if (!ll_jv_is(words, LL_JSON_OBJECT)) {
        (void)ll_read_fail(
            r, words, "pricing/type", "`words` are an object, by charge");
        return;
    }
    LL_JSON_MEMBERS (id, said, words) {
        if (!ll_read_object(r, said, "what is said", "zh-CN! en!"))
            return;
        if (!has_line_of(plan, ll_jv_str(id)))
            (void)ll_read_fail(r, said, "plan/invalid",
                "the plan has no charge and no discount of that id");
        else if (!is_title(ll_jv_str(ll_jv_get(said, "zh-CN"))) ||
                 !is_title(ll_jv_str(ll_jv_get(said, "en"))))
            (void)ll_read_fail(r, said, "pricing/type",
                "each is a string of 1 to %d bytes", LL_PLAN_TITLE_BYTES_MAX);
    }
}

/* Each meter is the plugin's, or the runtime's. */
static void
check_meters(struct ll_plan_rd *r, const struct ll_plan_offer *offer,
    const struct ll_plan_version *version, const char *list)
{
    struct ll_jv plan = ll_jv_get(offer->root, "plan");
    LL_JSON_EACH (one, ll_jv_get(plan, list)) {
        struct ll_jv v = ll_jv_get(one, "meter");
        linli_str meter = ll_jv_str(v);
        if (r->status != LINLI_OK)
            return;
        if (meter.len > 0 &&
            (offer->known == NULL ||
                !offer->known(offer->user, version->plugin, meter)))
            (void)ll_read_fail(r, v, "pricing/meter",
                "neither `%.*s` nor Linli has the meter `%.*s`",
                LL_FMT(version->plugin), LL_FMT(meter));
    }
}

static linli_status
read_version(struct ll_billing *billing, const struct ll_plan_offer *offer,
    bool check, struct ll_plan_version *version, struct ll_err *err)
{
    struct ll_arena *arena = &version->arena;
    struct ll_plan_rd r = {offer->root, arena, err, LINLI_OK};
    struct ll_jv plan = ll_jv_get(offer->root, "plan");
    version->community = ll_arena_str(arena, offer->community);
    version->body = ll_arena_str(arena, offer->body);
    read_head(&r, offer->root, version);
    if (r.status == LINLI_OK)
        r.status = ll_plan_read(arena, offer->root, plan, &version->plan, err);
    check_words(&r, ll_jv_get(offer->root, "words"), &version->plan);
    if (check) {
        check_meters(&r, offer, version, "charges");
        check_meters(&r, offer, version, "limits");
    }
    if (r.status != LINLI_OK)
        return r.status;
    linli_status status =
        ll_billing_zone(billing, version->plan.tz, &version->local, err);
    if (status != LINLI_OK) {
        ll_err_where(err, "/plan/tz");
        return status;
    }
    return arena->failed
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a plan")
               : LINLI_OK;
}

linli_status
ll_plan_version_new(struct ll_billing *billing,
    const struct ll_plan_offer *offer, bool check, struct ll_plan_version **out,
    struct ll_err *err)
{
    struct ll_plan_version *version = ll_alloc(billing->mem, sizeof *version);
    *out = NULL;
    if (version == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a plan");
    ll_arena_init(&version->arena, billing->mem, ARENA_BYTES_MAX);
    linli_status status =
        offer->body.len > LL_PLAN_BODY_BYTES_MAX
            ? ll_fail(err, LINLI_E_INVALID, "plan/invalid",
                  "it has more than %u bytes", LL_PLAN_BODY_BYTES_MAX)
            : read_version(billing, offer, check, version, err);
    if (status != LINLI_OK)
        ll_plan_version_free(billing, &version);
    *out = version;
    return status;
}

void
ll_plan_version_free(
    struct ll_billing *billing, struct ll_plan_version **version)
{
    if (*version == NULL)
        return;
    ll_arena_fini(&(*version)->arena);
    ll_release(billing->mem, *version, sizeof **version);
    *version = NULL;
}
