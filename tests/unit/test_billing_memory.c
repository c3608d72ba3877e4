/* tests/unit/test_billing_memory.c: memory and store never part.
 *
 * A life of a subscription, from its plan to what follows a bill that nobody
 * pays, in which every allocation fails once. An act that fails for want of
 * memory has changed nothing; and after each that went well, and whenever the
 * calendar has run, what is in memory is what a start reads from the store.
 */
#include "t.h"

#include "base/json.h"
#include "base/text.h"
#include "billing/books.h"
#include "billing/invoices.h"
#include "billing_fixture.h"

#define TRIES_MAX 2000
#define DUMP_BYTES_MAX ((size_t)1 << 20)
#define TURNS_MAX 100000

static struct shop s;
static struct ll_buf dumps[2];
static int64_t seats;

static const struct ll_invoice_policy policy = {.grace_ms = 3 * DAY_MS,
    .dunning = {.due_days = 5,
        .notify_days = 1,
        .restrict_days = 3,
        .suspend_days = 6}};

/* -- what is in memory -- */

static void
put_parties(
    struct ll_buf *out, const struct ll_sub_party *parties, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        ll_buf_printf(out, " %d/%.*s/%d", (int)parties[i].kind,
            LL_FMT(parties[i].who), (int)parties[i].bp);
}

static void
put_balance(struct ll_buf *out, const char *account)
{
    ll_buf_printf(out, "%s %lld\n", account,
        (long long)ll_books_balance(&s.billing, HERE, ll_cstr(account)));
}

static void
put_sub(struct ll_buf *out, const struct ll_sub *sub)
{
    char account[64];
    ll_buf_printf(out, "sub %u %lld %lld %lld %d %lld %lld %d %d:", sub->id,
        (long long)sub->start_ms, (long long)sub->end_ms,
        (long long)sub->acted_ms, (int)sub->trial_days, (long long)sub->cap_fen,
        (long long)sub->cap_asked_fen, sub->suspended, (int)sub->billed_to);
    put_parties(out, sub->payers, sub->payer_count);
    put_parties(out, sub->beneficiaries, sub->beneficiary_count);
    for (uint32_t i = 0; i < sub->version_count; i++)
        ll_buf_printf(out, " v%u@%lld", sub->versions[i].version,
            (long long)sub->versions[i].from_ms);
    for (uint32_t i = 0; i < sub->pause_count; i++)
        ll_buf_printf(out, " p%lld-%lld", (long long)sub->pauses[i].from_ms,
            (long long)sub->pauses[i].to_ms);
    for (const struct ll_inv *inv = ll_inv_first(&s.billing, sub->id);
         inv != NULL; inv = inv->next_sub)
        ll_buf_printf(out, "\n  inv %lld k%d %s #%lld %lld %lld %d %lld %d",
            (long long)inv->id, (int)inv->k, ll_inv_state_name(inv->state),
            (long long)inv->number, (long long)inv->grace_ms,
            (long long)inv->final_ms, (int)inv->due_day,
            (long long)inv->total_fen, (int)inv->step);
    ll_buf_char(out, '\n');
    (void)snprintf(account, sizeof account, "receivable:sub_%u", sub->id);
    put_balance(out, account);
}

/* All of it, into the one of two. */
static linli_str
dump(int which)
{
    struct ll_buf *out = &dumps[which];
    const struct ll_plan_version *plan = NULL;
    ll_buf_clear(out);
    for (uint32_t id = 0; (plan = ll_plan_next(&s.billing, id)) != NULL;
         id = plan->id)
        ll_buf_printf(out, "plan %u %.*s %u %d\n", plan->id, LL_FMT(plan->name),
            plan->version, plan->closed);
    for (const struct ll_sub *sub = ll_sub_next(&s.billing, 0); sub != NULL;
         sub = ll_sub_next(&s.billing, sub->id))
        put_sub(out, sub);
    put_balance(out, "revenue:parking");
    put_balance(out, "tax");
    T_OK(!out->failed);
    return ll_buf_view(out);
}

static void
same(const char *when)
{
    linli_str before = ll_buf_view(&dumps[0]), after = dump(1);
    bool equal = ll_str_eq(before, after);
    T_OK(equal);
    if (!equal)
        printf("# %s: was\n#%.*s\n# is\n#%.*s\n", when, LL_FMT(before),
            LL_FMT(after));
}

static void
begin(void)
{
    static const struct ll_invoice_hooks none = {NULL, NULL, NULL, NULL};
    ll_invoices_set(&s.billing, &policy, &none);
}

/* What a start reads is what there was. */
static void
again(const char *when)
{
    engine_settle(&s.e);
    (void)dump(0);
    shop_again(&s);
    begin();
    same(when);
}

/* -- acts -- */

struct deed_of {
    const char *name;
    struct ll_sub_deed deed;
    const char *plan; /* NULL: none */
    int64_t days;     /* that go by before it */
};

static linli_status
try_deed(const struct deed_of *of, struct ll_bill_act *act, bool *nothing)
{
    struct ll_sub_deed deed = of->deed;
    if (of->plan != NULL)
        deed.plan = ll_plan_find(&s.billing, HERE, ll_cstr(of->plan), 0);
    return ll_sub_act(act, ll_sub_by_id(&s.billing, LL_SUB_FIRST), &deed,
        nothing, &s.e.f.err);
}

static linli_status
try_start(const struct deed_of *of, struct ll_bill_act *act, bool *nothing)
{
    const struct ll_sub_party payers[] = {
        {LL_PARTY_RESIDENT, LINLI_STR("r1"), 6000},
        {LL_PARTY_HOUSEHOLD, LINLI_STR("h1"), 4000}};
    struct ll_sub_offer offer = {.community = HERE,
        .key = ll_cstr(of->name),
        .plan = ll_plan_find(&s.billing, HERE, LINLI_STR("basic"), 0),
        .payers = payers,
        .beneficiaries = payers,
        .payer_count = 2,
        .beneficiary_count = 2,
        .seats_micro = seats,
        .cap_fen = 100000};
    struct ll_sub *sub;
    return ll_sub_start(act, &offer, &sub, nothing, &s.e.f.err);
}

static linli_status
try_close(const struct deed_of *of, struct ll_bill_act *act, bool *nothing)
{
    return ll_plan_close(act, HERE, ll_cstr(of->plan), nothing, &s.e.f.err);
}

/* Every allocation of it fails once; then it goes well. */
static void
sweep(const struct deed_of *of, linli_status (*try)(const struct deed_of *of,
                                    struct ll_bill_act *act, bool *nothing))
{
    uint64_t n = 1;
    bool nothing = false;
    struct ll_bill_act act;
    (void)dump(0);
    for (; n < TRIES_MAX; n++) {
        act = shop_act(&s);
        s.e.f.mem.fail_in = n;
        linli_status status = try(of, &act, &nothing);
        s.e.f.mem.fail_in = 0;
        if (status == LINLI_OK)
            break;
        T_INT(status, LINLI_E_NOMEM);
        T_OK(!s.sent);
        same(of->name);
    }
    T_OK(n > 1 && n < TRIES_MAX);
    T_OK(!nothing);
    shop_settle(&s);
    again(of->name);
}

T_CASE(acts_change_all_or_nothing)
{
    static const struct deed_of life[] = {
        {"upgrade", {.what = LL_SUB_DO_UPGRADE}, "plus", 1},
        {"downgrade", {.what = LL_SUB_DO_DOWNGRADE}, "basic", 1},
        {"pause", {.what = LL_SUB_DO_PAUSE}, NULL, 1},
        {"resume", {.what = LL_SUB_DO_RESUME}, NULL, 1},
        {"cap", {.what = LL_SUB_DO_CAP, .fen = 5000}, NULL, 0},
        {"ask for more", {.what = LL_SUB_DO_ASK_CAP, .fen = 9000}, NULL, 0},
        {"approve", {.what = LL_SUB_DO_CAP, .fen = 9000}, NULL, 0},
        {"less", {.what = LL_SUB_DO_ASK_CAP, .fen = 4000}, NULL, 0},
        {"suspend", {.what = LL_SUB_DO_SUSPEND}, NULL, 1},
        {"unsuspend", {.what = LL_SUB_DO_UNSUSPEND}, NULL, 0},
        {"cancel at the end", {.what = LL_SUB_DO_CANCEL_AT_END}, NULL, 1},
        {"cancel", {.what = LL_SUB_DO_CANCEL}, NULL, 1}};
    static const struct deed_of start = {"start", {.plan = NULL}, NULL, 0};
    static const struct deed_of close = {"close", {.plan = NULL}, "plus", 0};
    shop_init(&s, false);
    begin();
    seats = 3 * LL_MICRO;
    (void)shop_plan(&s, PLAN("basic", ",\"trial_days\":2"));
    (void)shop_plan(&s, PLAN("plus", ""));
    sweep(&start, try_start);
    for (size_t i = 0; i < LL_COUNT(life); i++) {
        s.now_ms += life[i].days * DAY_MS;
        ll_world_set_wall(s.e.f.world, (struct ll_wall){s.now_ms});
        sweep(&life[i], try_deed);
    }
    sweep(&close, try_close);
    shop_fini(&s);
}

/* -- the calendar -- */

/* Runs what is due, to its end. */
static void
run(void)
{
    bool more = true;
    int turns = 0;
    while ((more || !ll_invoices_idle(&s.billing)) && turns++ < TURNS_MAX) {
        more = ll_invoices_run(&s.billing, s.now_ms);
        if (!ll_invoices_idle(&s.billing))
            ll_world_turn(s.e.f.world, true);
        if (more && ll_invoices_idle(&s.billing))
            break; /* it lacked memory, and tries again later */
    }
    T_OK(turns < TURNS_MAX);
}

/* Days go by, and each allocation of what falls due fails once: in whatever
 * order, in the end it is done, and a start finds what there is. */
static void
go(int64_t days, const char *what)
{
    uint64_t n = 1;
    int64_t due_ms;
    s.now_ms += days * DAY_MS;
    ll_world_set_wall(s.e.f.world, (struct ll_wall){s.now_ms});
    for (; n < TRIES_MAX; n++) {
        s.e.f.mem.fail_in = n;
        run();
        bool failed = s.e.f.mem.fail_in == 0;
        s.e.f.mem.fail_in = 0;
        if (!failed)
            break;
        again(what);
    }
    T_OK(n < TRIES_MAX);
    run();
    due_ms = ll_invoices_next_ms(&s.billing);
    T_OK(due_ms > s.now_ms);
    again(what);
}

static const struct ll_inv *
invoice(int32_t k)
{
    const struct ll_inv *inv = ll_inv_first(&s.billing, LL_SUB_FIRST);
    while (inv != NULL && inv->k != k)
        inv = inv->next_sub;
    return inv;
}

T_CASE(the_calendar_does_all_or_nothing)
{
    static const struct deed_of start = {"start", {.plan = NULL}, NULL, 0};
    shop_init(&s, false);
    begin();
    seats = LL_MICRO;
    (void)shop_plan(&s, PLAN("basic", ""));
    sweep(&start, try_start);
    go(0, "the first draft");
    T_OK(invoice(0) != NULL && invoice(0)->state == LL_INV_DRAFT);
    go(4, "final");
    T_OK(invoice(0) != NULL && invoice(0)->number == 1);
    T_OK(invoice(0) != NULL && invoice(0)->state == LL_INV_FINAL);
    T_OK(
        ll_books_balance(&s.billing, HERE, LINLI_STR("receivable:sub_16")) > 0);
    go(6, "overdue");
    T_OK(invoice(0) != NULL && invoice(0)->state == LL_INV_OVERDUE);
    go(8, "suspended");
    T_OK(ll_sub_by_id(&s.billing, LL_SUB_FIRST)->suspended);
    go(31, "another month");
    T_OK(invoice(1) != NULL);
    shop_fini(&s);
}

int
main(void)
{
    struct ll_mem mem;
    ll_mem_init(&mem, 0);
    for (int i = 0; i < 2; i++)
        ll_buf_init(&dumps[i], &mem, DUMP_BYTES_MAX);
    T_RUN(acts_change_all_or_nothing)
    T_RUN(the_calendar_does_all_or_nothing)
    for (int i = 0; i < 2; i++)
        ll_buf_fini(&dumps[i]);
    printf("1..%d\n", t_cases);
    return t_failed_cases == 0 ? 0 : 1;
}
