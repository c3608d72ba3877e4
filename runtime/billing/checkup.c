/* billing/checkup.c: question after question. [loop] */
#include "billing/checkup_int.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static const char *const names[] = {
#define X(NAME, word) word,
    LL_CHECKS(X)
#undef X
};

const char *
ll_check_kind_name(enum ll_check_kind kind)
{
    return names[kind];
}

/* What one question answers: each row of it is wrong. */
static const struct {
    enum ll_check_kind kind;
    enum ll_statement statement;
} questions[] = {
    {LL_CHECK_ENTRIES, LL_ST_check_entries},
    {LL_CHECK_RECEIVABLE, LL_ST_check_receivable},
    {LL_CHECK_DUE, LL_ST_check_due},
    {LL_CHECK_CASH, LL_ST_check_cash},
    {LL_CHECK_WALLETS, LL_ST_check_wallets},
    {LL_CHECK_REVENUE, LL_ST_check_revenue},
    {LL_CHECK_MOVES, LL_ST_check_moves},
    {LL_CHECK_REFUNDS, LL_ST_check_refunds},
    {LL_CHECK_BILLS, LL_ST_check_bills},
    {LL_CHECK_PAID, LL_ST_check_paid},
    {LL_CHECK_TOTALS, LL_ST_check_totals},
    {LL_CHECK_CREDIT_NOTES, LL_ST_check_credit_notes},
    {LL_CHECK_NUMBERS, LL_ST_check_numbers},
};

struct ll_buf *
ll_checkup_query(struct ll_checkup *c, enum ll_statement statement)
{
    ll_query_fini(&c->query);
    ll_query_init(&c->query, c->billing->mem, statement);
    return &c->query.params;
}

void
ll_checkup_break(struct ll_checkup *c, enum ll_check_kind kind, const char *row,
    const char *fmt, ...)
{
    struct ll_checkup_found *found = &c->found;
    va_list arguments;
    found->ok = false;
    if (found->break_count == LL_CHECKUP_BREAKS_MAX)
        return;
    struct ll_break *b = &found->breaks[found->break_count++];
    b->kind = kind;
    (void)snprintf(b->row, sizeof b->row, "%s", row);
    va_start(arguments, fmt);
    (void)vsnprintf(b->what, sizeof b->what, fmt, arguments);
    va_end(arguments);
}

/* -- questions whose every row is wrong -- */

static bool
ask_rows(struct ll_checkup *c)
{
    if (c->step == LL_COUNT(questions))
        return false;
    (void)ll_checkup_query(c, questions[c->step].statement);
    c->query.rows_max = LL_CHECKUP_BREAKS_MAX;
    return true;
}

static linli_status
take_rows(struct ll_checkup *c, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&c->query.rows));
    for (uint32_t i = 0; i < c->query.row_count; i++) {
        char row[128];
        (void)ll_rd_list(&rd);
        linli_str name = ll_rd_bytes(&rd), what = ll_rd_bytes(&rd);
        if (rd.bad)
            return ll_till_torn(err);
        (void)snprintf(row, sizeof row, "%.*s", LL_FMT(name));
        ll_checkup_break(c, questions[c->step].kind, row, "%.*s", LL_FMT(what));
    }
    c->step++;
    return LINLI_OK;
}

static const struct ll_check_phase rows = {ask_rows, take_rows};

static const struct ll_check_phase *const phases[] = {
    &rows, &ll_check_bills, &ll_check_invoices, &ll_check_settlements};

/* -- one after the other -- */

static void next(struct ll_checkup *c);

static void
fail(struct ll_checkup *c, const struct ll_err *err)
{
    c->done(c->user, NULL, err);
}

static void
on_rows(struct ll_query *query)
{
    struct ll_checkup *c = query->user;
    struct ll_err err;
    c->asking = false;
    linli_status status = query->status;
    if (status != LINLI_OK)
        err = query->err;
    else
        status = phases[c->phase]->take(c, &err);
    if (status != LINLI_OK)
        fail(c, &err);
    else
        next(c);
}

static void
next(struct ll_checkup *c)
{
    struct ll_err err;
    while (c->phase < LL_COUNT(phases) && !phases[c->phase]->ask(c)) {
        c->phase++;
        c->step = 0;
        c->after = 0;
    }
    if (c->phase == LL_COUNT(phases)) {
        c->done(c->user, &c->found, NULL);
        return;
    }
    if (c->query.params.failed) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a question");
        fail(c, &err);
        return;
    }
    c->query.done = on_rows;
    c->query.user = c;
    c->asking = true;
    ll_store_query(c->billing->store, &c->query);
}

linli_status
ll_checkup_new(struct ll_billing *billing,
    void (*done)(void *user, const struct ll_checkup_found *found,
        const struct ll_err *err),
    void *user, struct ll_checkup **out, struct ll_err *err)
{
    struct ll_checkup *c = ll_alloc(billing->mem, sizeof *c);
    *out = NULL;
    if (c == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a checkup");
    c->billing = billing;
    c->done = done;
    c->user = user;
    c->found.ok = true;
    c->k = -1;
    ll_json_init(&c->json, billing->mem);
    ll_arena_init(&c->arena, billing->mem, LL_GATHER_BYTES_MAX);
    ll_arena_init(&c->kept, billing->mem, LL_GATHER_BYTES_MAX);
    ll_query_init(&c->query, billing->mem, LL_ST_check_entries);
    *out = c;
    next(c);
    return LINLI_OK;
}

void
ll_checkup_free(struct ll_checkup **checkup)
{
    struct ll_checkup *c = *checkup;
    if (c == NULL)
        return;
    *checkup = NULL;
    if (c->asking)
        ll_store_cancel(c->billing->store, &c->query);
    ll_query_fini(&c->query);
    ll_json_fini(&c->json);
    ll_arena_fini(&c->arena);
    ll_arena_fini(&c->kept);
    ll_release(c->billing->mem, c, sizeof *c);
}
