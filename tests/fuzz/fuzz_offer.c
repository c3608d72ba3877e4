/* tests/fuzz/fuzz_offer.c: bytes as what an operator publishes, and as what
 * they offer somebody.
 *
 * Whatever comes in, all memory comes back, and a refusal has a code that
 * Linli knows and a message. A plan that is taken has a name and a zone, is
 * read again out of the body that is kept as the same plan, and every one of
 * its words is of a line it can have. An offer that is taken keeps to its
 * bounds.
 */
#include <stdlib.h>

#include "base/problem.h"
#include "base/text.h"
#include "billing/plans_int.h"
#include "server/deal.h"

#define INPUT_BYTES_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_known(void *user, linli_str plugin, linli_str meter)
{
    LL_UNUSED(user);
    return ll_str_starts(meter, "linli.") ||
           (meter.len > plugin.len &&
               memcmp(meter.ptr, plugin.ptr, plugin.len) == 0);
}

static void
check_refusal(const struct ll_err *err)
{
    if (err->msg[0] == '\0' || ll_problem_find(ll_cstr(err->code)) == NULL)
        abort();
}

static void
check_same(
    const struct ll_plan_version *one, const struct ll_plan_version *other)
{
    if (!ll_str_eq(one->name, other->name) ||
        !ll_str_eq(one->plugin, other->plugin) ||
        !ll_str_eq(one->title_zh, other->title_zh) ||
        !ll_str_eq(one->title_en, other->title_en) ||
        one->local != other->local ||
        one->plan.charge_count != other->plan.charge_count ||
        one->plan.limit_count != other->plan.limit_count ||
        one->share.platform_bp != other->share.platform_bp)
        abort();
}

/* As publishing does, and as a start reads it again. */
static void
publish(struct ll_billing *billing, struct ll_jv root)
{
    struct ll_plan_version *version = NULL, *again = NULL;
    struct ll_err err = {0};
    struct ll_buf text;
    struct ll_json kept;
    ll_json_init(&kept, billing->mem);
    ll_buf_init(&text, billing->mem, 4 * INPUT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_value(&w, root);
    struct ll_plan_offer offer = {.community = LINLI_STR("demo"),
        .root = root,
        .body = ll_buf_view(&text),
        .known = is_known};
    if (text.failed || ll_plan_version_new(
                           billing, &offer, true, &version, &err) != LINLI_OK) {
        if (!text.failed)
            check_refusal(&err);
        goto out;
    }
    if (version->name.len == 0 || version->local == NULL ||
        version->share.platform_bp + version->share.channel_bp > 10000)
        abort();
    LL_JSON_MEMBERS (id, said, ll_jv_get(root, "words")) {
        bool there = ll_plan_charge(&version->plan, ll_jv_str(id)) != NULL;
        for (uint32_t i = 0; i < version->plan.discount_count; i++)
            there |= ll_str_eq(version->plan.discounts[i].id, ll_jv_str(id));
        if (!there || ll_jv_str(ll_jv_get(said, "en")).len == 0)
            abort();
    }
    if (ll_json_parse(&kept, version->body, LL_JSON_DEPTH_MAX, &err) !=
        LINLI_OK)
        abort();
    offer.root = ll_json_root(&kept);
    if (ll_plan_version_new(billing, &offer, false, &again, &err) != LINLI_OK)
        abort();
    check_same(version, again);
out:
    ll_plan_version_free(billing, &version);
    ll_plan_version_free(billing, &again);
    ll_buf_fini(&text);
    ll_json_fini(&kept);
}

static void
subscribe(struct ll_jv root)
{
    static struct ll_sub_offer_room room;
    struct ll_sub_offer offer = {.community = LINLI_STR("demo")};
    struct ll_err err = {0};
    if (ll_sub_offer_read(root, &room, &offer, &err) != LINLI_OK) {
        check_refusal(&err);
        return;
    }
    if (offer.payer_count > LL_SUB_PARTIES_MAX ||
        offer.beneficiary_count > LL_SUB_PARTIES_MAX ||
        (offer.cap_fen < 0 && offer.cap_fen != LL_CAP_NONE))
        abort();
    for (uint32_t i = 0; i < offer.payer_count; i++)
        if (offer.payers[i].bp < -1 || offer.payers[i].bp > 10000)
            abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ll_mem mem;
    struct ll_billing billing;
    struct ll_json json;
    struct ll_err err;
    if (size > INPUT_BYTES_MAX)
        return 0;
    ll_mem_init(&mem, 0);
    billing = (struct ll_billing){.mem = &mem};
    ll_arena_init(&billing.arena, &mem, LL_BILLING_ZONES_BYTES_MAX);
    ll_json_init(&json, &mem);
    linli_str text = {(const char *)data, size};
    if (ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, &err) == LINLI_OK) {
        publish(&billing, ll_json_root(&json));
        subscribe(ll_json_root(&json));
    }
    ll_json_fini(&json);
    ll_arena_fini(&billing.arena);
    if (mem.used_bytes != 0)
        abort();
    return 0;
}
