/* tests/unit/test_sums.c: what was counted for a subscription, asked of a
 * store: sums by meter and plan version with their watermark, and the single
 * amounts of a meter that counts money. */
#include "billing/sums.h"
#include "store_fixture.h"

#define DAY 86400000
#define SUB 16

static void
put_series(struct ll_commit *c, int64_t id, const char *meter, int64_t version)
{
    ll_commit_op(c, LL_ST_series_put);
    ll_put_int(&c->ops, id);
    ll_put_int(&c->ops, 1);
    ll_put_bytes(&c->ops, ll_cstr(meter));
    ll_put_int(&c->ops, SUB);
    ll_put_int(&c->ops, version);
}

static void
put(struct ll_commit *c, uint32_t series, int64_t at_ms, int64_t quantity)
{
    struct ll_usage usage = {
        .series = series, .at_ms = at_ms, .quantity = quantity};
    ll_commit_usage(c, &usage);
}

/* Three meters of one subscription; of `pay` a payment that is taken back. */
static void
fill(struct fixture *f)
{
    struct change c;
    change_init(&c, f);
    put_series(&c.commit, 1, "api", 1);
    put_series(&c.commit, 2, "api", 2);
    put_series(&c.commit, 3, "pay", 1);
    put(&c.commit, 1, DAY, INT64_MAX);         /* 1 */
    put(&c.commit, 1, DAY + 1, 5);             /* 2 */
    put(&c.commit, 1, DAY - 1, 7);             /* 3: of the day before */
    put(&c.commit, 2, DAY + 900000, 11);       /* 4 */
    put(&c.commit, 3, DAY, 3 * LL_USAGE_UNIT); /* 5 */
    put(&c.commit, 3, DAY + 9, 4 * LL_USAGE_UNIT);
    put(&c.commit, 3, DAY, 3 * LL_USAGE_UNIT);
    T_OK(change_make(&c, f));
    ll_commit_fini(&c.commit);
    change_init(&c, f);
    put(&c.commit, 3, DAY, -3 * LL_USAGE_UNIT); /* 8 */
    put(&c.commit, 3, DAY - 1, 9 * LL_USAGE_UNIT);
    T_OK(change_make(&c, f));
    ll_commit_fini(&c.commit);
}

static linli_status
sums_of(struct fixture *f, struct ll_arena *arena, int64_t from, int64_t to,
    struct ll_sums *out)
{
    struct asked a;
    asked_init(&a, f, LL_ST_sub_sums);
    ll_sums_ask(&a.query, SUB, from, to);
    T_INT(asked_run(&a, f), LINLI_OK);
    linli_status status = ll_sums_read(arena, &a.query, out, &f->err);
    ll_query_fini(&a.query);
    return status;
}

T_CASE(sums_have_a_watermark)
{
    struct fixture f;
    struct ll_arena arena;
    struct ll_sums sums;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    ll_arena_init(&arena, &f.mem, 1 << 20);
    T_INT(sums_of(&f, &arena, DAY, 2 * DAY, &sums), LINLI_OK);
    T_INT(sums.count, 0);
    T_INT(sums.watermark, 0);
    fill(&f);
    T_INT(sums_of(&f, &arena, 0, DAY, &sums), LINLI_OK);
    T_INT(sums.count, 2);
    T_INT(sums.watermark, 9);
    T_INT(ll_sums_of(&sums, LINLI_STR("api"), 1)->quantity_micro, 7);
    T_INT(ll_sums_of(&sums, LINLI_STR("pay"), 1)->last_lsn, 9);
    T_OK(ll_sums_of(&sums, LINLI_STR("api"), 2) == NULL);
    /* Nothing in the span: the watermark all the same. */
    T_INT(sums_of(&f, &arena, 5 * DAY, 6 * DAY, &sums), LINLI_OK);
    T_INT(sums.count, 0);
    T_INT(sums.watermark, 9);
    /* What does not fit is said, not wrapped. */
    T_INT(sums_of(&f, &arena, DAY, 2 * DAY, &sums), LINLI_E_LIMIT);
    T_OK(strcmp(f.err.code, "pricing/overflow") == 0);
    T_INT(sums_of(&f, &arena, DAY + 900000, 2 * DAY, &sums), LINLI_OK);
    T_INT(sums.count, 1);
    T_INT(sums.at[0].version, 2);
    T_INT(sums.at[0].first_lsn, 4);
    ll_arena_fini(&arena);
    fixture_fini(&f);
}

static linli_status
amounts_of(
    struct fixture *f, struct ll_amounts *amounts, struct ll_amounts_of of)
{
    bool whole = false;
    linli_status status = LINLI_OK;
    amounts->count = 0;
    while (!whole && status == LINLI_OK) {
        struct asked a;
        asked_init(&a, f, LL_ST_sub_segments);
        ll_amounts_ask(&a.query, &of);
        T_INT(asked_run(&a, f), LINLI_OK);
        status = ll_amounts_take(amounts, &of, &a.query, &whole, &f->err);
        ll_query_fini(&a.query);
    }
    return status;
}

T_CASE(amounts_are_single)
{
    struct fixture f;
    struct ll_arena arena;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    fill(&f);
    ll_arena_init(&arena, &f.mem, 1 << 20);
    struct ll_amounts amounts = {.arena = &arena};
    struct ll_amounts_of of = {.sub = SUB,
        .version = 1,
        .meter = LINLI_STR("pay"),
        .from_ms = DAY,
        .to_ms = 2 * DAY,
        .upto = 7};
    T_INT(amounts_of(&f, &amounts, of), LINLI_OK);
    T_INT(amounts.count, 3);
    T_INT(amounts.at[1].fen, 4);
    T_INT(amounts.at[1].lsn, 6);
    /* One of the two is taken back: the newest of that instant. */
    of.upto = UINT64_MAX;
    T_INT(amounts_of(&f, &amounts, of), LINLI_OK);
    T_INT(amounts.count, 2);
    T_INT(amounts.at[0].lsn, 5);
    T_INT(amounts.at[1].lsn, 6);
    /* Later ones alone. */
    of.after = 5;
    of.upto = 7;
    T_INT(amounts_of(&f, &amounts, of), LINLI_OK);
    T_INT(amounts.count, 2);
    T_INT(amounts.at[0].lsn, 6);
    of.meter = LINLI_STR("api");
    of.after = 0;
    T_INT(amounts_of(&f, &amounts, of), LINLI_E_INVALID);
    T_OK(strcmp(f.err.code, "pricing/precision") == 0);
    ll_arena_fini(&arena);
    fixture_fini(&f);
}

T_MAIN(T_RUN(sums_have_a_watermark) T_RUN(amounts_are_single))
