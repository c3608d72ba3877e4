/* tests/unit/test_books.c: the ledger: what is refused, balances before and
 * after a restart, and acts that are given up. */
#include "docs_fixture.h"

#include "base/text.h"
#include "billing/books.h"

#define A(text, fen)                 \
    {                                \
        {text, sizeof text - 1}, fen \
    }

/* -- what an entry has to be -- */

T_CASE(accounts_have_names)
{
    static const struct {
        const char *name;
        enum ll_account_kind kind;
    } rows[] = {{"tax", LL_ACCOUNT_TAX},
        {"receivable:sub_16", LL_ACCOUNT_RECEIVABLE},
        {"due:vendor:parking", LL_ACCOUNT_DUE},
        {"cash:wechat", LL_ACCOUNT_CASH}, {"tax:vat", LL_ACCOUNT_NONE},
        {"receivable", LL_ACCOUNT_NONE}, {"receivable:", LL_ACCOUNT_NONE},
        {"due:vendor:a:b", LL_ACCOUNT_NONE}, {"Tax", LL_ACCOUNT_NONE},
        {"cash:We Chat", LL_ACCOUNT_NONE}, {"", LL_ACCOUNT_NONE},
        {"bribe:x", LL_ACCOUNT_NONE}};
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        T_INT(ll_account_kind(ll_cstr(rows[i].name)), rows[i].kind);
}

static linli_status
checked(const struct ll_posting *postings, uint32_t count, struct ll_err *err)
{
    struct ll_entry entry = {.kind = LINLI_STR("invoice"),
        .ref = LINLI_STR("INV-000001"),
        .postings = postings,
        .count = count};
    return ll_entry_check(&entry, err);
}

T_CASE(entries_balance)
{
    struct ll_err err;
    const struct ll_posting good[] = {
        A("receivable:sub_16", 106), A("revenue:hello", -100), A("tax", -6)};
    const struct ll_posting off[] = {
        A("receivable:sub_16", 106), A("revenue:hello", -100), A("tax", -5)};
    const struct ll_posting wide[] = {A("tax", INT64_MAX), A("tax", INT64_MAX)};
    const struct ll_posting least[] = {A("tax", INT64_MIN), A("tax", 1)};
    T_INT(checked(good, 3, &err), LINLI_OK);
    T_OK(checked(off, 3, &err) != LINLI_OK);
    T_STR(ll_cstr(err.code), "ledger/unbalanced");
    T_OK(strstr(err.msg, "are 1 fen") != NULL);
    T_OK(checked(wide, 2, &err) != LINLI_OK);
    T_STR(ll_cstr(err.code), "ledger/unbalanced");
    T_OK(checked(least, 2, &err) != LINLI_OK);
    T_STR(ll_cstr(err.code), "ledger/overflow");
    T_OK(checked(good, 0, &err) != LINLI_OK);
    T_OK(checked(good, LL_LEDGER_POSTINGS_MAX + 1, &err) != LINLI_OK);
    T_STR(ll_cstr(err.code), "ledger/unbalanced");
}

/* -- balances -- */

struct ledger {
    struct engine e;
    struct ll_billing billing;
    struct ll_err err;
};

static void
ledger_open(struct ledger *l)
{
    T_INT(ll_billing_open(
              &l->billing, &l->e.f.mem, &l->e.docs, l->e.f.world, &l->err),
        LINLI_OK);
}

static void
ledger_again(struct ledger *l)
{
    engine_settle(&l->e);
    engine_shut(&l->e);
    ll_billing_close(&l->billing);
    engine_open(&l->e);
    ledger_open(l);
}

static void
ledger_end(struct ledger *l)
{
    engine_settle(&l->e);
    engine_shut(&l->e);
    ll_billing_close(&l->billing);
    T_INT(l->e.f.failures, 0);
    fixture_fini(&l->e.f);
}

static struct ll_bill_act
begun(struct ledger *l)
{
    struct ll_bill_act act = {.billing = &l->billing,
        .by = LINLI_STR("operator:o1"),
        .now_ms = NOW_MS};
    T_INT(ll_bill_begin(&act, &l->err), LINLI_OK);
    return act;
}

static linli_status
post(struct ledger *l, struct ll_bill_act *act, const char *ref,
    const struct ll_posting *postings, uint32_t count)
{
    struct ll_entry entry = {.community = LINLI_STR("garden"),
        .kind = LINLI_STR("invoice"),
        .ref = ll_cstr(ref),
        .postings = postings,
        .count = count,
        .at_ms = NOW_MS};
    return ll_books_post(act, &entry, &l->err);
}

static int64_t
balance(const struct ledger *l, const char *account)
{
    return ll_books_balance(&l->billing, LINLI_STR("garden"), ll_cstr(account));
}

static const struct ll_posting sale[] = {
    A("receivable:sub_16", 106), A("revenue:hello", -100), A("tax", -6)};

T_CASE(balances_are_made_of_postings)
{
    struct ledger l;
    engine_init(&l.e, false);
    ledger_open(&l);
    struct ll_bill_act act = begun(&l);
    T_INT(post(&l, &act, "1", sale, 3), LINLI_OK);
    T_INT(post(&l, &act, "2", sale, 3), LINLI_OK);
    (void)ll_bill_send(&act);
    T_INT(balance(&l, "receivable:sub_16"), 212);
    T_INT(balance(&l, "tax"), -12);
    T_INT(balance(&l, "cash:wechat"), 0);
    T_INT(
        ll_books_balance(&l.billing, LINLI_STR("other"), LINLI_STR("tax")), 0);
    ledger_again(&l);
    T_INT(balance(&l, "receivable:sub_16"), 212);
    T_INT(balance(&l, "revenue:hello"), -200);
    act = begun(&l);
    T_INT(post(&l, &act, "3", sale, 3), LINLI_OK); /* ids go on */
    (void)ll_bill_send(&act);
    ledger_again(&l);
    T_INT(balance(&l, "tax"), -18);
    ledger_end(&l);
}

T_CASE(what_is_given_up_was_never_posted)
{
    struct ledger l;
    engine_init(&l.e, false);
    ledger_open(&l);
    struct ll_bill_act act = begun(&l);
    T_INT(post(&l, &act, "1", sale, 3), LINLI_OK);
    ll_bill_drop(&act);
    T_INT(balance(&l, "receivable:sub_16"), 0);
    act = begun(&l);
    T_INT(post(&l, &act, "1", sale, 3), LINLI_OK);
    const struct ll_posting off[] = {A("tax", 1)};
    T_OK(post(&l, &act, "2", off, 1) != LINLI_OK);
    T_INT(balance(&l, "tax"), -6);
    (void)ll_bill_send(&act);
    ledger_again(&l);
    T_INT(balance(&l, "receivable:sub_16"), 106);
    T_INT(balance(&l, "tax"), -6);
    ledger_end(&l);
}

T_CASE(a_balance_stays_within_int64)
{
    struct ledger l;
    engine_init(&l.e, false);
    ledger_open(&l);
    const struct ll_posting most[] = {
        A("cash:bank", INT64_MAX), A("wallet:sub_16", -INT64_MAX)};
    const struct ll_posting more[] = {A("tax", -1), A("cash:bank", 1)};
    const struct ll_posting nothing[] = {A("tax", 0), A("cash:bank", 0)};
    struct ll_bill_act act = begun(&l);
    T_INT(post(&l, &act, "1", most, 2), LINLI_OK);
    size_t bytes = act.commit->ops.len;
    T_OK(post(&l, &act, "2", more, 2) != LINLI_OK);
    T_STR(ll_cstr(l.err.code), "ledger/overflow");
    T_INT(balance(&l, "tax"), 0);
    T_INT(act.commit->ops.len, bytes);
    T_INT(post(&l, &act, "3", nothing, 2), LINLI_OK);
    T_INT(act.commit->ops.len, bytes);
    (void)ll_bill_send(&act);
    ledger_again(&l); /* the sum of one int64 does not need two parts, */
    T_INT(balance(&l, "cash:bank"), INT64_MAX);
    act = begun(&l);
    const struct ll_posting back[] = {
        A("cash:bank", -INT64_MAX), A("wallet:sub_16", INT64_MAX)};
    T_INT(post(&l, &act, "4", back, 2), LINLI_OK);
    T_INT(post(&l, &act, "5", most, 2), LINLI_OK);
    (void)ll_bill_send(&act);
    ledger_again(&l); /* that of three would on the way */
    T_INT(balance(&l, "cash:bank"), INT64_MAX);
    T_INT(balance(&l, "wallet:sub_16"), -INT64_MAX);
    ledger_end(&l);
}

T_CASE(many_accounts)
{
    struct ledger l;
    engine_init(&l.e, false);
    ledger_open(&l);
    for (int i = 0; i < 10000; i++) {
        char name[32], ref[16];
        (void)snprintf(name, sizeof name, "wallet:sub_%d", i);
        (void)snprintf(ref, sizeof ref, "%d", i);
        struct ll_posting both[] = {A("cash:bank", 1 + i), A("", -1 - i)};
        both[1].account = ll_cstr(name);
        struct ll_bill_act act = begun(&l);
        T_INT(post(&l, &act, ref, both, 2), LINLI_OK);
        (void)ll_bill_send(&act);
    }
    ledger_again(&l);
    T_INT(balance(&l, "wallet:sub_9999"), -10000);
    T_INT(balance(&l, "wallet:sub_0"), -1);
    T_INT(balance(&l, "cash:bank"), INT64_C(10000) * 10001 / 2);
    ledger_end(&l);
}

T_CASE(posts_without_memory)
{
    struct ledger l;
    engine_init(&l.e, false);
    ledger_open(&l);
    uint32_t failed = 0;
    for (uint64_t nth = 1;; nth++) {
        struct ll_bill_act act = begun(&l);
        l.e.f.mem.fail_in = nth;
        linli_status status = post(&l, &act, "1", sale, 3);
        l.e.f.mem.fail_in = 0;
        T_INT(balance(&l, "tax"), status == LINLI_OK ? -6 : 0);
        ll_bill_drop(&act);
        T_INT(balance(&l, "tax"), 0);
        if (status == LINLI_OK)
            break;
        T_INT(status, LINLI_E_NOMEM);
        failed++;
    }
    T_OK(failed > 2);
    ledger_end(&l);
}

T_MAIN(T_RUN(accounts_have_names) T_RUN(entries_balance) T_RUN(
    balances_are_made_of_postings) T_RUN(what_is_given_up_was_never_posted)
        T_RUN(a_balance_stays_within_int64) T_RUN(many_accounts)
            T_RUN(posts_without_memory))
