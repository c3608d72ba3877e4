/* billing/wallet.c: money given beforehand, and what is left of it. [loop] */
#include <stdio.h>

#include "base/text.h"
#include "billing/money_int.h"

#define CHAINS 4096
#define REF_BYTES 32

/* What is left of one top-up; one that has nothing left goes when another is
 * made. */
struct ll_grant {
    struct ll_grant *next; /* of its chain, by id */
    int64_t id, left_fen, priority, expires_ms;
    uint32_t sub;
    linli_str community; /* in this block */
};

static struct ll_grant **
chain_of(const struct ll_billing *billing, uint32_t sub)
{
    return &billing->money->grants[sub % CHAINS];
}

static linli_status
no_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a wallet");
}

int64_t
ll_wallet_balance(const struct ll_billing *billing, uint32_t sub, int64_t at_ms)
{
    int64_t sum = 0;
    for (const struct ll_grant *g = *chain_of(billing, sub); g != NULL;
         g = g->next)
        if (g->sub == sub && g->expires_ms > at_ms)
            sum += g->left_fen; /* at most the account's balance */
    return sum;
}

/* -- making one -- */

static void
grant_free(struct ll_mem *mem, struct ll_grant *g)
{
    ll_release(mem, g, sizeof *g + g->community.len);
}

static struct ll_grant *
grant_new(struct ll_billing *billing, const struct ll_grant *from)
{
    struct ll_grant **at = chain_of(billing, from->sub), *g;
    while (*at != NULL) {
        g = *at;
        /* An act that is open might give it back. */
        if (g->left_fen == 0 && billing->acts <= 1) {
            *at = g->next;
            grant_free(billing->mem, g);
        } else {
            at = &g->next;
        }
    }
    g = ll_alloc(billing->mem, sizeof *g + from->community.len);
    if (g == NULL)
        return NULL;
    *g = *from;
    g->next = NULL;
    g->community.ptr = (char *)(g + 1);
    memcpy(g + 1, from->community.ptr, from->community.len);
    *at = g;
    return g;
}

static uint32_t
count_of(const struct ll_billing *billing, uint32_t sub)
{
    uint32_t count = 0;
    for (const struct ll_grant *g = *chain_of(billing, sub); g != NULL;
         g = g->next)
        count += g->sub == sub && g->left_fen > 0;
    return count;
}

static linli_status
post_wallet(
    struct ll_bill_act *act, const struct ll_entry *entry, struct ll_err *err)
{
    struct ll_entry made = *entry;
    made.at_ms = act->now_ms;
    return ll_books_post(act, &made, err);
}

static void
put_grant(
    struct ll_bill_act *act, const struct ll_wallet_grant *grant, int64_t id)
{
    struct ll_buf *ops = &act->commit->ops;
    ll_commit_op(act->commit, LL_ST_wallet_grant_put);
    ll_put_int(ops, id);
    ll_put_bytes(ops, grant->community);
    ll_put_int(ops, grant->sub);
    ll_put_bytes(ops, grant->channel);
    ll_put_bytes(ops, grant->ref);
    ll_put_int(ops, grant->fen);
    ll_put_int(ops, grant->priority);
    ll_put_int(ops, grant->expires_ms);
    ll_put_int(ops, act->now_ms);
    ll_put_bytes(ops, act->by);
}

linli_status
ll_wallet_put(struct ll_bill_act *act, const struct ll_wallet_grant *grant,
    int64_t *id, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    struct ll_account_text cash, wallet;
    char ref[REF_BYTES];
    ll_check(grant->fen > 0);
    if (count_of(billing, grant->sub) == LL_RATE_GRANTS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "ledger/too-much",
            "this wallet has %d top-ups that are not used up",
            LL_RATE_GRANTS_MAX);
    struct ll_grant from = {.id = billing->money->ids.grant + 1,
        .sub = grant->sub,
        .priority = grant->priority,
        .expires_ms = grant->expires_ms,
        .community = grant->community};
    struct ll_grant *made = grant_new(billing, &from);
    if (made == NULL)
        return no_memory(err);
    billing->money->ids.grant++;
    put_grant(act, grant, made->id);
    (void)snprintf(ref, sizeof ref, "top_%lld", (long long)made->id);
    const struct ll_posting postings[] = {
        {ll_account_of(&cash, "cash", grant->channel), grant->fen},
        {ll_account_sub(&wallet, "wallet", grant->sub), -grant->fen}};
    const struct ll_entry entry = {.community = grant->community,
        .kind = LINLI_STR("top-up"),
        .ref = ll_cstr(ref),
        .postings = postings,
        .count = LL_COUNT(postings)};
    *id = made->id;
    linli_status status = post_wallet(act, &entry, err);
    return status == LINLI_OK
               ? ll_books_change(act, &made->left_fen, grant->fen, err)
               : status;
}

/* -- using it -- */

static linli_status
use(struct ll_bill_act *act, struct ll_grant *g, int64_t fen, linli_str ref,
    struct ll_err *err)
{
    struct ll_buf *ops = &act->commit->ops;
    if (fen == 0)
        return LINLI_OK;
    ll_commit_op(act->commit, LL_ST_wallet_use_put);
    ll_put_int(ops, ++act->billing->money->ids.use);
    ll_put_int(ops, g->id);
    ll_put_int(ops, fen);
    ll_put_bytes(ops, ref);
    ll_put_int(ops, act->now_ms);
    return ll_books_change(act, &g->left_fen, -fen, err);
}

linli_status
ll_wallet_use(struct ll_bill_act *act, const struct ll_bill *bill,
    int64_t credit_fen, struct ll_settled *settled, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    uint32_t count = count_of(billing, bill->sub), i = 0;
    size_t bytes = count * sizeof(struct ll_credit);
    struct ll_credit *credits =
        count == 0 ? NULL : ll_alloc(billing->mem, bytes);
    linli_status status = LINLI_OK;
    if (count > 0 && credits == NULL)
        return no_memory(err);
    struct ll_purse purse = {.credit_notes_fen = credit_fen,
        .grants = credits,
        .grant_count = count,
        .at_ms = act->now_ms};
    struct ll_grant *chain = *chain_of(billing, bill->sub);
    for (struct ll_grant *g = chain; g != NULL; g = g->next)
        if (g->sub == bill->sub && g->left_fen > 0)
            credits[i++] = (struct ll_credit){.amount_fen = g->left_fen,
                .priority = g->priority,
                .expires_ms = g->expires_ms,
                .id = {(const char *)&g->id, sizeof g->id}};
    ll_settle(ll_owed_due(&bill->owed), &purse, settled);
    for (i = 0; status == LINLI_OK && i < count; i++)
        for (struct ll_grant *g = chain; g != NULL; g = g->next)
            if ((const char *)&g->id == credits[i].id.ptr && status == LINLI_OK)
                status = use(act, g, credits[i].used_fen, bill->number, err);
    ll_release(billing->mem, credits, bytes);
    return status;
}

/* -- what expires -- */

static linli_status
lapse(struct ll_bill_act *act, struct ll_grant *g, struct ll_err *err)
{
    struct ll_account_text wallet;
    char ref[REF_BYTES];
    (void)snprintf(ref, sizeof ref, "top_%lld", (long long)g->id);
    const struct ll_posting postings[] = {
        {ll_account_sub(&wallet, "wallet", g->sub), g->left_fen},
        {LINLI_STR("writeoff"), -g->left_fen}};
    const struct ll_entry entry = {.community = g->community,
        .kind = LINLI_STR("lapse"),
        .ref = ll_cstr(ref),
        .postings = postings,
        .count = LL_COUNT(postings)};
    linli_status status = post_wallet(act, &entry, err);
    return status == LINLI_OK
               ? use(act, g, g->left_fen, LINLI_STR("lapsed"), err)
               : status;
}

linli_status
ll_wallet_lapse(struct ll_bill_act *act, uint32_t *count, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    *count = 0;
    for (uint32_t i = 0; i < CHAINS; i++)
        for (struct ll_grant *g = act->billing->money->grants[i];
             g != NULL && status == LINLI_OK && *count < LL_WALLET_LAPSE_MAX;
             g = g->next)
            if (g->left_fen > 0 && g->expires_ms <= act->now_ms) {
                status = lapse(act, g, err);
                *count += 1;
            }
    return status;
}

/* -- opening -- */

static linli_status
take_grant(struct ll_billing *billing, struct ll_rd *rd, int64_t *last,
    struct ll_err *err)
{
    struct ll_grant from = {.next = NULL};
    (void)ll_rd_list(rd);
    from.id = ll_rd_int(rd);
    from.community = ll_rd_bytes(rd);
    from.sub = (uint32_t)ll_rd_int_in(rd, 0, UINT32_MAX);
    from.priority = ll_rd_int(rd);
    from.expires_ms = ll_rd_int(rd);
    from.left_fen = ll_rd_int(rd);
    if (rd->bad)
        return ll_till_torn(err);
    *last = from.id;
    if (from.left_fen == 0)
        return LINLI_OK;
    return grant_new(billing, &from) == NULL ? no_memory(err) : LINLI_OK;
}

linli_status
ll_wallets_open(struct ll_billing *billing, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    int64_t last = 0;
    uint32_t rows = 1;
    billing->money->grants =
        ll_alloc(billing->mem, CHAINS * sizeof *billing->money->grants);
    if (billing->money->grants == NULL)
        return no_memory(err);
    while (status == LINLI_OK && rows > 0) {
        struct ll_query query;
        ll_query_init(&query, billing->mem, LL_ST_wallet_left);
        ll_put_int(&query.params, last);
        ll_put_int(&query.params, LL_LEDGER_PAGE_ROWS);
        status = ll_store_ask(billing->store, &query);
        if (status != LINLI_OK)
            *err = query.err;
        struct ll_rd rd = ll_rd(ll_buf_view(&query.rows));
        for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++)
            status = take_grant(billing, &rd, &last, err);
        rows = query.row_count;
        ll_query_fini(&query);
    }
    return status;
}

void
ll_wallets_close(struct ll_billing *billing)
{
    struct ll_grant **grants = billing->money->grants;
    for (uint32_t i = 0; grants != NULL && i < CHAINS; i++)
        for (struct ll_grant *g = grants[i], *next; g != NULL; g = next) {
            next = g->next;
            grant_free(billing->mem, g);
        }
    ll_release(billing->mem, grants, CHAINS * sizeof *grants);
}
