/* domain/pricing_case_use.c: what was used, from a case's input. */
#include <stdlib.h>

#include "base/instant.h"
#include "base/text.h"
#include "domain/pricing_case_int.h"

static bool
add_amount(struct ll_case *c, struct ll_case_meter *meter, int64_t fen)
{
    if (meter->amount_count == meter->amount_cap) {
        uint32_t cap = meter->amount_cap == 0 ? 64 : meter->amount_cap * 2;
        int64_t *amounts = ll_read_room(&c->r, cap, sizeof *amounts);
        if (amounts == NULL)
            return false;
        for (uint32_t i = 0; i < meter->amount_count; i++)
            amounts[i] = meter->amounts[i];
        meter->amounts = amounts;
        meter->amount_cap = cap;
    }
    meter->amounts[meter->amount_count++] = fen;
    return true;
}

/* Counts a quantity; of a meter of amounts it is one amount. */
static bool
add_quantity(struct ll_case *c, struct ll_case_meter *meter, struct ll_jv at,
    int64_t micro)
{
    if (c->r.status != LINLI_OK)
        return false;
    if (!meter->of_amounts)
        return !__builtin_add_overflow(
                   meter->quantity_micro, micro, &meter->quantity_micro) ||
               ll_read_overflow(&c->r, at);
    if (micro % LL_MICRO != 0)
        return ll_read_fail(&c->r, at, "pricing/precision",
            "`%.*s` counts amounts, in whole fen", LL_FMT(meter->name));
    return add_amount(c, meter, micro / LL_MICRO);
}

static bool
read_object_of_meters(struct ll_case *c, struct ll_jv object, const char *what)
{
    return !ll_jv_there(object) || ll_jv_is(object, LL_JSON_OBJECT) ||
           ll_read_fail(&c->r, object, "pricing/type",
               "`%s` is an object of meters", what);
}

static bool
read_quantities(struct ll_case *c)
{
    struct ll_jv object = ll_jv_get(c->input, "quantities");
    if (!read_object_of_meters(c, object, "quantities"))
        return false;
    LL_JSON_MEMBERS (key, value, object) {
        struct ll_case_meter *meter = ll_case_meter(c, value, ll_jv_str(key));
        if (meter == NULL ||
            !add_quantity(c, meter, value, ll_read_micro_of(&c->r, value)))
            return false;
    }
    return true;
}

/* One allowance for all: what each has used is one sum. */
static bool
read_pooled(struct ll_case *c)
{
    struct ll_jv object = ll_jv_get(c->input, "pooled");
    if (!read_object_of_meters(c, object, "pooled"))
        return false;
    LL_JSON_MEMBERS (key, value, object) {
        struct ll_case_meter *meter = ll_case_meter(c, value, ll_jv_str(key));
        if (meter == NULL || !read_object_of_meters(c, value, "a pool"))
            return false;
        LL_JSON_MEMBERS (resident, quantity, value) {
            LL_UNUSED(resident);
            if (!add_quantity(
                    c, meter, quantity, ll_read_micro_of(&c->r, quantity)))
                return false;
        }
    }
    return true;
}

static bool
read_amounts_of(struct ll_case *c, struct ll_case_meter *meter, struct ll_jv v)
{
    (void)ll_read_list(&c->r, v, "amounts", LL_RATE_EVENTS_MAX);
    LL_JSON_EACH (one, v) {
        int64_t fen = ll_read_count_of(&c->r, one, INT64_MAX);
        if (c->r.status != LINLI_OK || !add_amount(c, meter, fen))
            return false;
    }
    return c->r.status == LINLI_OK;
}

static bool
read_amount_events(struct ll_case *c)
{
    struct ll_jv object = ll_jv_get(c->input, "amount_events");
    if (!read_object_of_meters(c, object, "amount_events"))
        return false;
    LL_JSON_MEMBERS (key, value, object) {
        struct ll_case_meter *meter = ll_case_meter(c, value, ll_jv_str(key));
        if (meter == NULL)
            return false;
        if (!meter->of_amounts)
            return ll_read_fail(&c->r, value, "pricing/meter",
                "`%.*s` counts units; amounts are priced by percentage and "
                "graduated_percentage",
                LL_FMT(meter->name));
        if (!read_amounts_of(c, meter, value))
            return false;
    }
    return true;
}

/* -- events: each identity counts once -- */

struct event {
    linli_str source, id;
    struct ll_case_meter *meter;
    struct ll_jv at;
    int64_t qty_micro, time_ms;
    uint32_t place;
    bool accepted;
};

static bool
read_event(struct ll_case *c, struct ll_jv v, struct event *out)
{
    struct ll_plan_rd *r = &c->r;
    if (!ll_read_object(r, v, "an event", "source id! meter! qty! time!"))
        return false;
    out->at = v;
    out->source = ll_jv_str(ll_jv_get(v, "source"));
    out->id = ll_jv_str(ll_jv_get(v, "id"));
    out->qty_micro = ll_read_micro(r, v, "qty", 0);
    out->time_ms = ll_read_instant(r, v, "time", 0);
    if (out->id.len == 0)
        (void)ll_read_fail(
            r, ll_jv_get(v, "id"), "pricing/type", "`id` is a string");
    struct ll_jv meter = ll_jv_get(v, "meter");
    out->meter = ll_case_meter(c, meter, ll_jv_str(meter));
    return r->status == LINLI_OK;
}

/* Those of one identity together, in the order in which they came. */
static int
compare(const void *left, const void *right)
{
    const struct event *a = *(struct event *const *)left;
    const struct event *b = *(struct event *const *)right;
    int order = ll_str_cmp(a->source, b->source);
    if (order == 0)
        order = ll_str_cmp(a->id, b->id);
    return order != 0 ? order : a->place < b->place ? -1 : 1;
}

static void
put_count(struct ll_case *c, const char *name, uint32_t count)
{
    ll_jw_key(c->out, name);
    ll_jw_int(c->out, count);
}

/* The first of each identity is accepted; others are duplicates, or
 * conflicts if their body is another. */
static bool
judge(struct ll_case *c, struct event *events, uint32_t count)
{
    struct event **sorted = ll_read_room(&c->r, count, sizeof(struct event *));
    uint32_t accepted = 0, duplicates = 0, conflicts = 0;
    const struct event *first = NULL;
    if (sorted == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = &events[i];
    if (count > 0)
        qsort(sorted, count, sizeof(struct event *), compare);
    for (uint32_t i = 0; i < count; i++) {
        struct event *e = sorted[i];
        if (first == NULL || !ll_str_eq(first->source, e->source) ||
            !ll_str_eq(first->id, e->id)) {
            first = e;
            e->accepted = true;
            accepted++;
        } else if (first->meter == e->meter && first->time_ms == e->time_ms &&
                   first->qty_micro == e->qty_micro) {
            duplicates++;
        } else {
            conflicts++;
        }
    }
    put_count(c, "accepted", accepted);
    put_count(c, "duplicates", duplicates);
    put_count(c, "conflicts", conflicts);
    return true;
}

/* Inside the period, and not in a trial whose usage is free. */
static bool
counts(const struct ll_case *c, const struct event *e)
{
    if (!e->accepted || e->time_ms < c->from_ms || e->time_ms >= c->to_ms)
        return false;
    if (!c->plan.trial_usage_free || c->stay.start_ms == LL_NO_START)
        return true;
    int32_t first = ll_local_day(&c->local, c->stay.start_ms);
    return e->time_ms >=
           ll_local_midnight(&c->local, first + c->plan.trial_days);
}

static bool
read_events(struct ll_case *c)
{
    struct ll_jv list = ll_jv_get(c->input, "events");
    uint32_t count = ll_read_list(&c->r, list, "events", LL_RATE_EVENTS_MAX);
    uint32_t n = 0;
    struct event *events = ll_read_room(&c->r, count, sizeof *events);
    if (events == NULL || !ll_jv_there(list))
        return c->r.status == LINLI_OK;
    LL_JSON_EACH (v, list) {
        events[n].place = n;
        if (!read_event(c, v, &events[n]))
            return false;
        n++;
    }
    if (!judge(c, events, n))
        return false;
    ll_jw_key(c->out, "counted");
    ll_jw_open(c->out, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (!counts(c, &events[i]))
            continue;
        ll_jw_str(c->out, events[i].id);
        if (!add_quantity(
                c, events[i].meter, events[i].at, events[i].qty_micro))
            return false;
    }
    ll_jw_close(c->out, ']');
    return true;
}

static bool
read_void(struct ll_case *c)
{
    struct ll_jv object = ll_jv_get(c->input, "void");
    if (!read_object_of_meters(c, object, "void"))
        return false;
    LL_JSON_MEMBERS (key, value, object) {
        struct ll_case_meter *meter = ll_case_meter(c, value, ll_jv_str(key));
        int64_t micro = ll_read_micro_of(&c->r, value);
        if (meter == NULL || c->r.status != LINLI_OK)
            return false;
        if (meter->of_amounts)
            return ll_read_fail(&c->r, value, "pricing/case",
                "amounts are voided by leaving them out");
        if (micro > meter->quantity_micro)
            return ll_read_fail(
                &c->r, value, "pricing/negative", "more is void than was used");
        meter->quantity_micro -= micro;
    }
    return true;
}

bool
ll_case_read_use(struct ll_case *c)
{
    return read_quantities(c) && read_pooled(c) && read_amount_events(c) &&
           read_events(c) && read_void(c);
}

/* -- as rating wants it -- */

bool
ll_case_used(struct ll_case *c, const struct ll_charge *charge,
    struct ll_jv quantity, struct ll_used *out)
{
    int64_t micro = charge->kind == LL_CHARGE_FLAT ? LL_MICRO : 0;
    if (ll_jv_there(quantity))
        micro = ll_read_micro_of(&c->r, quantity);
    *out = (struct ll_used){.quantity_micro = micro, .days = c->days};
    if (c->r.status != LINLI_OK || !ll_charge_of_amounts(charge))
        return c->r.status == LINLI_OK;
    struct ll_case_meter one = {.name = charge->meter, .of_amounts = true};
    if (micro > 0 && !add_quantity(c, &one, quantity, micro))
        return false;
    out->quantity_micro = 0;
    out->amounts = one.amounts;
    out->amount_count = one.amount_count;
    return true;
}

static const struct ll_case_meter *
find(const struct ll_case *c, linli_str name)
{
    for (uint32_t i = 0; i < c->meter_count && name.len > 0; i++)
        if (ll_str_eq(c->meters[i].name, name))
            return &c->meters[i];
    return NULL;
}

/* Seats: by the charge's meter, its id, or the word; else there is one. */
static int64_t
seats(const struct ll_case *c, const struct ll_charge *charge)
{
    if (charge->per == LL_PER_NONE)
        return LL_MICRO;
    linli_str word =
        charge->per == LL_PER_SEAT ? LINLI_STR("seat") : LINLI_STR("household");
    const struct ll_case_meter *meter = find(c, charge->meter);
    if (meter == NULL)
        meter = find(c, charge->id);
    if (meter == NULL)
        meter = find(c, word);
    return meter == NULL ? LL_MICRO : meter->quantity_micro;
}

struct ll_used
ll_case_used_of(const struct ll_case *c, const struct ll_charge *charge)
{
    struct ll_used used = {.days = c->days};
    const struct ll_case_meter *meter = find(c, charge->meter);
    if (charge->kind == LL_CHARGE_FLAT) {
        used.quantity_micro = seats(c, charge);
    } else if (meter != NULL) {
        used.quantity_micro = meter->quantity_micro;
        used.amounts = meter->amounts;
        used.amount_count = meter->amount_count;
    }
    return used;
}
