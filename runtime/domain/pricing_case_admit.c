/* domain/pricing_case_admit.c: what a case's calls are let through. */
#include "base/instant.h"
#include "base/text.h"
#include "domain/pricing_case_int.h"
#include "domain/usage.h"

/* -- the wallet -- */

/* A date is good until its end; an instant until it comes. */
static int64_t
read_expiry(struct ll_case *c, struct ll_jv grant)
{
    struct ll_jv v = ll_jv_get(grant, "expires");
    int32_t day = 0;
    if (!ll_jv_there(v) || ll_jv_is(v, LL_JSON_NULL))
        return INT64_MAX;
    if (ll_day_read(ll_jv_str(v), &day))
        return ll_local_midnight(&c->local, day + 1);
    return ll_read_instant(&c->r, grant, "expires", INT64_MAX);
}

static bool
read_wallet(struct ll_case *c)
{
    struct ll_jv list = ll_jv_get(c->input, "wallet");
    uint32_t count = ll_read_list(&c->r, list, "grants", LL_RATE_GRANTS_MAX);
    c->purse.grants = ll_read_room(&c->r, count, sizeof *c->purse.grants);
    c->purse.at_ms = c->has_period ? c->from_ms : INT64_MIN;
    c->purse.credit_notes_fen =
        ll_read_count(&c->r, c->input, "credit_note_balance_fen", INT64_MAX, 0);
    LL_JSON_EACH (v, list) {
        if (!ll_read_object(
                &c->r, v, "a grant", "id! amount_fen! priority expires"))
            return false;
        c->purse.grants[c->purse.grant_count++] = (struct ll_credit){
            .id = ll_read_id(&c->r, v, "id"),
            .amount_fen = ll_read_count(&c->r, v, "amount_fen", INT64_MAX, 0),
            .priority = ll_read_count(&c->r, v, "priority", INT64_MAX, 0),
            .expires_ms = read_expiry(c, v)};
    }
    return c->r.status == LINLI_OK;
}

/* -- prepaid -- */

struct prepaid {
    struct ll_case *c;
    struct ll_case_meter *meter;
};

/* What the purse holds, saturated. */
static int64_t
balance(const struct ll_purse *purse)
{
    int64_t sum = purse->credit_notes_fen;
    for (uint32_t i = 0; i < purse->grant_count; i++)
        if (purse->grants[i].expires_ms > purse->at_ms &&
            !ll_fen_add(&sum, purse->grants[i].amount_fen))
            return INT64_MAX;
    return sum;
}

/* The whole invoice with so much used, its lines rounded up: what is admitted
 * is never more than what can be paid. */
static bool
affords(void *user, int64_t quantity_micro)
{
    struct prepaid *p = user;
    struct ll_case *c = p->c;
    struct ll_plan_rd kept = c->r;
    struct ll_invoice trial;
    int64_t before = p->meter->quantity_micro;
    struct ll_err err = {0};
    ll_arena_reset(&c->scratch);
    p->meter->quantity_micro = quantity_micro;
    c->r.err = &err;
    ll_invoice_begin(&trial, &c->scratch, &c->plan);
    bool fits = ll_case_rate_rest(c, &trial, LL_ROUND_UP) &&
                ll_invoice_close(&trial, &err) == LINLI_OK &&
                trial.total_fen <= balance(&c->purse);
    c->r = kept;
    p->meter->quantity_micro = before;
    return fits;
}

/* -- attempts -- */

struct admission {
    struct ll_case *c;
    struct prepaid prepaid;
    struct ll_entitlement entitlement;
    struct ll_case_meter *meter;
    struct ll_jw alerts; /* "800","1000" */
};

static void
tell(struct admission *a)
{
    int64_t at = 0;
    char text[32];
    while (ll_entitlement_alert(&a->entitlement, &at)) {
        (void)ll_usage_text(at, text);
        ll_jw_cstr(&a->alerts, text);
    }
}

/* Begins to admit to a meter, with what is used of it. */
static bool
begin(struct admission *a, struct ll_jv at, linli_str name)
{
    struct ll_case *c = a->c;
    a->meter = ll_case_meter(c, at, name);
    if (a->meter == NULL)
        return false;
    if (a->meter->of_amounts)
        return ll_read_fail(&c->r, at, "pricing/case",
            "`%.*s` counts amounts; admission counts units", LL_FMT(name));
    if (ll_entitlement_begin(&a->entitlement, c->r.arena, &c->plan, name) !=
        LINLI_OK)
        return ll_read_nomem(&c->r);
    if (c->plan.credit_only) {
        a->prepaid = (struct prepaid){c, a->meter};
        a->entitlement.affords = affords;
        a->entitlement.user = &a->prepaid;
    }
    bool fits = ll_entitlement_count(&a->entitlement, a->meter->quantity_micro);
    ll_check(fits); /* nothing was used before */
    tell(a);
    return true;
}

static void
end(struct admission *a)
{
    a->meter->quantity_micro = a->entitlement.used_micro;
}

struct tries {
    int64_t admitted, denied;
};

/* Calls that are all alike: once one is denied, so is each after it. */
static bool
attempt(struct admission *a, struct ll_jv v, struct tries *tries)
{
    struct ll_plan_rd *r = &a->c->r;
    if (!ll_read_object(r, v, "attempts", "workers! each! qty"))
        return false;
    int64_t workers = ll_read_count(r, v, "workers", LL_RATE_ATTEMPTS_MAX, 0);
    int64_t each = ll_read_count(r, v, "each", LL_RATE_ATTEMPTS_MAX, 0);
    int64_t qty = ll_read_micro(r, v, "qty", LL_MICRO);
    if (r->status == LINLI_OK && workers * each > LL_RATE_ATTEMPTS_MAX)
        (void)ll_read_fail(
            r, v, "pricing/range", "more than %d calls", LL_RATE_ATTEMPTS_MAX);
    if (r->status != LINLI_OK)
        return false;
    int64_t done = 0, calls = workers * each;
    for (; done < calls && ll_entitlement_use(&a->entitlement, qty); done++)
        tell(a);
    tries->admitted += done;
    tries->denied += calls - done;
    return true;
}

static bool
attempts(struct ll_case *c, struct admission *a)
{
    struct ll_jv object = ll_jv_get(c->input, "attempts");
    struct tries tries = {0, 0};
    if (!ll_jv_there(object))
        return true;
    if (!ll_jv_is(object, LL_JSON_OBJECT))
        return ll_read_fail(
            &c->r, object, "pricing/type", "`attempts` is an object of meters");
    LL_JSON_MEMBERS (key, value, object) {
        if (!begin(a, value, ll_jv_str(key)) || !attempt(a, value, &tries))
            return false;
        end(a);
    }
    ll_jw_key(c->out, "admitted");
    ll_jw_int(c->out, tries.admitted);
    ll_jw_key(c->out, "denied");
    ll_jw_int(c->out, tries.denied);
    return true;
}

/* -- reservations -- */

enum op { OP_RESERVE, OP_COMMIT, OP_RELEASE, OP_CRASH, OP_EXPIRE };
static const char *const op_words[] = {
    "reserve", "commit", "release", "crash", "expire", NULL};

struct held {
    linli_str id;
    struct ll_reservation reservation;
    bool dead; /* its owner has crashed: it can only lapse */
};

struct book {
    struct held *held;
    uint32_t count;
};

/* The newest of an id, or NULL. */
static struct held *
find(struct book *book, linli_str id)
{
    for (uint32_t i = book->count; i > 0; i--)
        if (ll_str_eq(book->held[i - 1].id, id))
            return &book->held[i - 1];
    return NULL;
}

/* The one that is named, or all: their owners die, or their time is over. */
static void
strike(struct admission *a, struct book *book, enum op op, linli_str id)
{
    for (uint32_t i = 0; i < book->count; i++) {
        struct held *h = &book->held[i];
        if (id.len > 0 && !ll_str_eq(h->id, id))
            continue;
        if (op == OP_CRASH)
            h->dead = true;
        else
            ll_entitlement_release(&a->entitlement, &h->reservation);
    }
}

static bool
reserve(struct admission *a, struct book *book, linli_str id, int64_t micro)
{
    struct held *before = find(book, id);
    if (before != NULL && before->reservation.open)
        return false; /* the id is in use */
    struct held *h = &book->held[book->count];
    *h = (struct held){.id = id};
    if (!ll_entitlement_reserve(&a->entitlement, micro, &h->reservation))
        return false;
    book->count++;
    return true;
}

static bool
step(struct admission *a, struct book *book, struct ll_jv v)
{
    struct ll_plan_rd *r = &a->c->r;
    if (!ll_read_object(r, v, "a step", "op! id qty meter"))
        return false;
    enum op op = (enum op)ll_read_word(r, v, "op", op_words, 0);
    linli_str id = ll_read_id(r, v, "id");
    int64_t micro = ll_read_micro(r, v, "qty", 0);
    bool names = op == OP_RESERVE || op == OP_COMMIT || op == OP_RELEASE;
    bool counts = op == OP_RESERVE || op == OP_COMMIT;
    if (r->status == LINLI_OK && names && id.len == 0)
        (void)ll_read_fail(r, v, "pricing/missing", "it lacks `id`");
    if (counts && !ll_jv_there(ll_jv_get(v, "qty")))
        (void)ll_read_fail(r, v, "pricing/missing", "it lacks `qty`");
    if (r->status != LINLI_OK)
        return false;
    struct held *h = find(book, id);
    bool ok = false;
    if (op == OP_RESERVE)
        ok = reserve(a, book, id, micro);
    else if (op == OP_COMMIT)
        ok = h != NULL && !h->dead &&
             ll_entitlement_commit(&a->entitlement, &h->reservation, micro);
    else
        strike(a, book, op, id);
    if (counts)
        ll_jw_cstr(a->c->out, ok ? "ok" : "denied");
    tell(a);
    return true;
}

/* Of which meter: the one that the first step names, else that of the first
 * hard limit, limit, or charge. */
static linli_str
meter_of(const struct ll_case *c, struct ll_jv list)
{
    linli_str name = ll_jv_str(ll_jv_get(ll_jv_first(list), "meter"));
    const struct ll_plan *plan = &c->plan;
    for (uint32_t i = 0; i < plan->limit_count && name.len == 0; i++)
        if (plan->limits[i].hard)
            name = plan->limits[i].meter;
    if (name.len == 0 && plan->limit_count > 0)
        name = plan->limits[0].meter;
    for (uint32_t i = 0; i < plan->charge_count && name.len == 0; i++)
        name = plan->charges[i].meter;
    return name;
}

static bool
reservations(struct ll_case *c, struct admission *a)
{
    struct ll_jv list = ll_jv_get(c->input, "reservations");
    uint32_t count =
        ll_read_list(&c->r, list, "steps", LL_RATE_RESERVATIONS_MAX);
    if (!ll_jv_there(list) || c->r.status != LINLI_OK)
        return c->r.status == LINLI_OK;
    linli_str name = meter_of(c, list);
    struct book book = {
        .held = ll_read_room(&c->r, count, sizeof(struct held))};
    if (book.held == NULL || !begin(a, list, name))
        return false;
    ll_jw_key(c->out, "results");
    ll_jw_open(c->out, '[');
    LL_JSON_EACH (v, list) {
        linli_str other = ll_jv_str(ll_jv_get(v, "meter"));
        if (other.len > 0 && !ll_str_eq(other, name))
            return ll_read_fail(&c->r, v, "pricing/case",
                "the steps of a case are of one meter");
        if (!step(a, &book, v))
            return false;
    }
    ll_jw_close(c->out, ']');
    end(a);
    return true;
}

/* Use that needed no admission reaches thresholds too. */
static bool
tell_of_use(struct ll_case *c, struct admission *a)
{
    for (uint32_t i = 0; i < c->plan.limit_count; i++) {
        linli_str name = c->plan.limits[i].meter;
        bool first = true;
        for (uint32_t j = 0; j < i; j++)
            first = first && !ll_str_eq(c->plan.limits[j].meter, name);
        const struct ll_case_meter *meter = ll_case_meter(c, c->plan_at, name);
        if (meter == NULL ||
            (first && !meter->of_amounts && !begin(a, c->plan_at, name)))
            return false;
    }
    return true;
}

bool
ll_case_admit(struct ll_case *c)
{
    struct ll_buf alerts;
    if (!read_wallet(c))
        return false;
    ll_buf_init(&alerts, c->r.arena->mem, (size_t)1 << 20);
    struct admission a = {.c = c, .alerts = ll_jw(&alerts)};
    bool tried = ll_case_has(c, "attempts") || ll_case_has(c, "reservations");
    bool ok =
        tried ? attempts(c, &a) && reservations(c, &a) : tell_of_use(c, &a);
    if (ok && c->plan.limit_count > 0) {
        ll_jw_key(c->out, "alerts_at");
        ll_jw_open(c->out, '[');
        ll_jw_raw(c->out, ll_buf_view(&alerts));
        ll_jw_close(c->out, ']');
    }
    ll_buf_fini(&alerts);
    return ok;
}
