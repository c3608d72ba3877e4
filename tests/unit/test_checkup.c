/* tests/unit/test_checkup.c: whether billing agrees, looked at without memory,
 * given up in the middle, and asked twice. What it finds of a real life is
 * tests/scenario/test_reconcile.py. */
#include "docs_fixture.h"

#include "base/text.h"
#include "billing/checkup.h"
#include "billing/money.h"

struct look {
    struct engine e;
    struct ll_billing billing;
    struct ll_err err;
    struct ll_checkup *checkup;
    uint32_t told;
    linli_status status;
    struct ll_checkup_found found;
};

static void
look_begin(struct look *l)
{
    memset(l, 0, sizeof *l);
    engine_init(&l->e, false);
    T_INT(ll_billing_open(
              &l->billing, &l->e.f.mem, &l->e.docs, l->e.f.world, &l->err),
        LINLI_OK);
}

static void
look_end(struct look *l)
{
    engine_settle(&l->e);
    engine_shut(&l->e);
    ll_billing_close(&l->billing);
    T_INT(l->e.f.failures, 0);
    fixture_fini(&l->e.f);
}

/* A bill that no invoice has, and without an entry in the ledger. */
static void
put_bill(struct look *l, int64_t invoice, int64_t platform_bp)
{
    struct ll_bill_act act = {.billing = &l->billing,
        .by = LINLI_STR("operator:o1"),
        .now_ms = NOW_MS};
    char number[32];
    (void)snprintf(number, sizeof number, "INV-%06lld", (long long)invoice);
    struct ll_bill bill = {.invoice = invoice,
        .community = LINLI_STR("garden"),
        .number = ll_cstr(number),
        .plugin = LINLI_STR("hello"),
        .sub = 16,
        .owed = {.total_fen = 100, .terms = {.platform_bp = platform_bp}}};
    T_INT(ll_bill_begin(&act, &l->err), LINLI_OK);
    T_INT(ll_money_bill(&act, &bill, &l->err), LINLI_OK);
    (void)ll_bill_send(&act);
    engine_settle(&l->e);
}

static void
on_done(
    void *user, const struct ll_checkup_found *found, const struct ll_err *err)
{
    struct look *l = user;
    l->told++;
    l->status = found == NULL ? LINLI_E_NOMEM : LINLI_OK;
    if (found != NULL)
        l->found = *found;
    else
        l->err = *err;
}

/* Looks to the end. */
static linli_status
look(struct look *l)
{
    l->told = 0;
    linli_status status =
        ll_checkup_new(&l->billing, on_done, l, &l->checkup, &l->err);
    if (status != LINLI_OK)
        return status;
    while (l->told == 0)
        ll_world_turn(l->e.f.world, true);
    T_INT(l->told, 1);
    ll_checkup_free(&l->checkup);
    return l->status;
}

T_CASE(nothing_agrees_with_itself)
{
    struct look l;
    look_begin(&l);
    T_INT(look(&l), LINLI_OK);
    T_OK(l.found.ok);
    T_INT(l.found.break_count, 0);
    T_INT(l.found.bills, 0);
    look_end(&l);
}

static bool
is_found(const struct look *l, enum ll_check_kind kind, const char *row)
{
    for (uint32_t i = 0; i < l->found.break_count; i++)
        if (l->found.breaks[i].kind == kind &&
            strcmp(l->found.breaks[i].row, row) == 0)
            return true;
    return false;
}

T_CASE(what_has_no_invoice_is_named)
{
    struct look l;
    look_begin(&l);
    put_bill(&l, 7, 1000);
    T_INT(look(&l), LINLI_OK);
    T_OK(!l.found.ok);
    T_INT(l.found.bills, 1);
    T_OK(is_found(&l, LL_CHECK_BILLS, "bill inv_7"));
    T_OK(is_found(&l, LL_CHECK_RECEIVABLE, "garden receivable:sub_16"));
    T_OK(is_found(&l, LL_CHECK_REVENUE, "garden revenue:hello"));
    look_end(&l);
}

T_CASE(no_more_are_named_than_there_is_room_for)
{
    struct look l;
    look_begin(&l);
    for (int64_t i = 1; i <= 2 * LL_CHECKUP_BREAKS_MAX; i++)
        put_bill(&l, i, 1000);
    T_INT(look(&l), LINLI_OK);
    T_INT(l.found.break_count, LL_CHECKUP_BREAKS_MAX);
    look_end(&l);
}

T_CASE(it_can_be_given_up)
{
    struct look l;
    look_begin(&l);
    put_bill(&l, 7, 1000);
    for (uint32_t turns = 0; turns < 40; turns++) {
        l.told = 0;
        T_INT(ll_checkup_new(&l.billing, on_done, &l, &l.checkup, &l.err),
            LINLI_OK);
        for (uint32_t i = 0; i < turns && l.told == 0; i++)
            ll_world_turn(l.e.f.world, false);
        uint32_t told = l.told;
        ll_checkup_free(&l.checkup);
        T_OK(l.checkup == NULL);
        engine_settle(&l.e);
        T_INT(l.told, told);
    }
    look_end(&l);
}

T_CASE(each_allocation_may_fail)
{
    struct look l;
    look_begin(&l);
    put_bill(&l, 7, 1000);
    uint32_t failed = 0;
    for (uint64_t nth = 1; nth < 10000; nth++) {
        l.e.f.mem.fail_in = nth;
        linli_status status = look(&l);
        bool all = l.e.f.mem.fail_in != 0;
        l.e.f.mem.fail_in = 0;
        if (status == LINLI_OK && all)
            break;
        failed += status != LINLI_OK;
    }
    T_OK(failed > 5);
    T_INT(look(&l), LINLI_OK);
    look_end(&l);
}

T_MAIN(T_RUN(nothing_agrees_with_itself) T_RUN(what_has_no_invoice_is_named)
        T_RUN(no_more_are_named_than_there_is_room_for)
            T_RUN(it_can_be_given_up) T_RUN(each_allocation_may_fail))
