/* billing/billing.c: opening, closing, time zones. [loop] */
#include "billing/billing.h"

#include "base/text.h"
#include "billing/money.h"
#include "world/zone.h"

struct ll_bill_zone {
    struct ll_bill_zone *next;
    linli_str name;
    struct ll_zone zone;
    struct ll_local local;
};

linli_status
ll_billing_open(struct ll_billing *billing, struct ll_mem *mem,
    struct ll_docs *docs, struct ll_world *world, struct ll_err *err)
{
    *billing = (struct ll_billing){
        .mem = mem, .docs = docs, .store = docs->store, .world = world};
    ll_arena_init(&billing->arena, mem, LL_BILLING_ZONES_BYTES_MAX);
    linli_status status = ll_books_open(billing, err);
    if (status == LINLI_OK)
        status = ll_money_open(billing, err);
    if (status != LINLI_OK)
        ll_billing_close(billing);
    return status;
}

void
ll_billing_close(struct ll_billing *billing)
{
    if (billing->mem != NULL) {
        ll_money_close(billing);
        ll_books_close(billing);
        ll_arena_fini(&billing->arena);
    }
    *billing = (struct ll_billing){.mem = NULL};
}

static linli_status
load_zone(struct ll_billing *billing, linli_str name, struct ll_bill_zone **out,
    struct ll_err *err)
{
    struct ll_arena *arena = &billing->arena;
    struct ll_bill_zone *zone = ll_arena_alloc(arena, sizeof *zone);
    *out = NULL;
    if (zone == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a time zone");
    zone->name = ll_arena_str(arena, name);
    linli_status status = ll_zone_load(arena, name, &zone->zone, err);
    if (arena->failed) {
        arena->failed = false;
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a time zone");
    }
    if (status != LINLI_OK)
        return ll_fail(
            err, LINLI_E_INVALID, "pricing/zone", "`%.*s`", LL_FMT(name));
    zone->local = (struct ll_local){zone->zone.changes, zone->zone.count};
    *out = zone;
    return LINLI_OK;
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
