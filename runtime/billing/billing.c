/* billing/billing.c: opening, closing, time zones. [loop] */
#include "billing/billing.h"

#include <string.h>

#include "base/text.h"
#include "billing/invoices.h"
#include "billing/money.h"
#include "billing/plans_int.h"
#include "billing/quota.h"
#include "billing/subs_int.h"
#include "world/zone.h"

struct ll_bill_zone {
    struct ll_bill_zone *next;
    linli_str name;
    struct ll_local local;
};

linli_status
ll_billing_open(struct ll_billing *billing, struct ll_mem *mem,
    struct ll_docs *docs, struct ll_world *world, struct ll_err *err)
{
    *billing = (struct ll_billing){
        .mem = mem, .docs = docs, .store = docs->store, .world = world};
    ll_arena_init(&billing->arena, mem, LL_BILLING_ZONES_BYTES_MAX);
    linli_status status = ll_plans_open(billing, err);
    if (status == LINLI_OK)
        status = ll_subs_open(billing, err);
    if (status == LINLI_OK)
        status = ll_books_open(billing, err);
    if (status == LINLI_OK)
        status = ll_money_open(billing, err);
    if (status == LINLI_OK)
        status = ll_invoices_open(billing, err);
    if (status != LINLI_OK)
        ll_billing_close(billing);
    return status;
}

void
ll_billing_close(struct ll_billing *billing)
{
    if (billing->mem == NULL)
        return;
    ll_quotas_close(billing);
    ll_invoices_close(billing);
    ll_money_close(billing);
    ll_books_close(billing);
    ll_subs_close(billing);
    ll_plans_close(billing);
    ll_arena_fini(&billing->arena);
    *billing = (struct ll_billing){.mem = NULL};
}

/* Read aside first: a name that is none leaves nothing behind. */
static linli_status
load_zone(struct ll_billing *billing, linli_str name, struct ll_bill_zone **out,
    struct ll_err *err)
{
    struct ll_arena *arena = &billing->arena, aside;
    struct ll_zone read;
    struct ll_bill_zone *zone = NULL;
    *out = NULL;
    ll_arena_init(&aside, billing->mem, LL_BILLING_ZONES_BYTES_MAX);
    linli_status status = ll_zone_load(&aside, name, &read, err);
    if (status != LINLI_OK && !aside.failed)
        status = ll_fail(
            err, LINLI_E_INVALID, "pricing/zone", "`%.*s`", LL_FMT(name));
    if (status != LINLI_OK)
        goto out;
    size_t bytes = 2 * read.count * sizeof *read.changes;
    arena->failed = false;
    zone = ll_arena_alloc(arena, sizeof *zone);
    int64_t *changes = ll_arena_alloc(arena, bytes);
    if (zone != NULL)
        zone->name = ll_arena_str(arena, name);
    if (arena->failed) {
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a time zone");
        goto out;
    }
    memcpy(changes, read.changes, bytes);
    zone->local = (struct ll_local){changes, read.count};
    *out = zone;
out:
    ll_arena_fini(&aside);
    return status;
}

linli_status
ll_billing_zone(struct ll_billing *billing, linli_str name,
    const struct ll_local **out, struct ll_err *err)
{
    struct ll_bill_zone *zone = billing->zones;
    *out = NULL;
    while (zone != NULL && !ll_str_eq(zone->name, name))
        zone = zone->next;
    if (zone == NULL) {
        linli_status status = load_zone(billing, name, &zone, err);
        if (status != LINLI_OK)
            return status;
        zone->next = billing->zones;
        billing->zones = zone;
    }
    *out = &zone->local;
    return LINLI_OK;
}
