/* billing/books.c: balances, and posting to them. [loop] */
#include "billing/books.h"

#include "base/hash.h"
#include "base/text.h"
#include "billing/billing.h"
#include "domain/pricing_number.h"

#define CHAINS_MIN 64
#define LOW_BITS 32

struct account {
    struct account *next; /* of the chain */
    int64_t id;
    int64_t fen; /* its balance */
    linli_str community, name;
    size_t bytes; /* of this block, which has both */
};

struct ll_books {
    struct account **chains;
    uint32_t chain_count, count;
    int64_t last_account, last_entry;
};

/* What an act has changed: a balance, or something like one. */
struct ll_book_change {
    struct ll_book_change *next;
    int64_t *number;
    int64_t fen;
};

/* -- accounts -- */

static uint64_t
hash_of(linli_str community, linli_str name)
{
    return ll_fnv(name) * 31 + ll_fnv(community);
}

static struct account *
find(const struct ll_books *books, linli_str community, linli_str name)
{
    if (books == NULL || books->chain_count == 0)
        return NULL;
    struct account *a =
        books->chains[hash_of(community, name) & (books->chain_count - 1)];
    while (a != NULL &&
           !(ll_str_eq(a->name, name) && ll_str_eq(a->community, community)))
        a = a->next;
    return a;
}

static bool
grow(struct ll_books *books, struct ll_mem *mem)
{
    uint32_t old = books->chain_count, count = old == 0 ? CHAINS_MIN : old * 2;
    struct account **chains = ll_alloc(mem, count * sizeof *chains);
    if (chains == NULL)
        return false;
    for (uint32_t i = 0; i < old; i++)
        for (struct account *a = books->chains[i], *next; a != NULL; a = next) {
            next = a->next;
            uint64_t at = hash_of(a->community, a->name) & (count - 1);
            a->next = chains[at];
            chains[at] = a;
        }
    ll_release(mem, books->chains, old * sizeof *books->chains);
    books->chains = chains;
    books->chain_count = count;
    return true;
}

/* Makes one in memory; NULL without memory or past the bound. */
static struct account *
account_new(
    struct ll_billing *billing, int64_t id, linli_str community, linli_str name)
{
    struct ll_books *books = billing->books;
    struct ll_mem *mem = billing->mem;
    if (books->count == LL_LEDGER_ACCOUNTS_MAX ||
        (books->count == books->chain_count && !grow(books, mem)))
        return NULL;
    size_t bytes = sizeof(struct account) + community.len + name.len;
    struct account *a = ll_alloc(mem, bytes);
    if (a == NULL)
        return NULL;
    char *text = (char *)(a + 1);
    *a = (struct account){.id = id, .bytes = bytes};
    memcpy(text, community.ptr, community.len);
    memcpy(text + community.len, name.ptr, name.len);
    a->community = (linli_str){text, community.len};
    a->name = (linli_str){text + community.len, name.len};
    uint64_t at = hash_of(community, name) & (books->chain_count - 1);
    a->next = books->chains[at];
    books->chains[at] = a;
    books->count++;
    if (id > books->last_account)
        books->last_account = id;
    return a;
}

int64_t
ll_books_balance(
    const struct ll_billing *billing, linli_str community, linli_str account)
{
    const struct account *a = find(billing->books, community, account);
    return a == NULL ? 0 : a->fen;
}

/* -- posting -- */

static linli_status
no_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a ledger's entry");
}

void
ll_books_keep(struct ll_bill_act *act)
{
    struct ll_mem *mem = act->billing->mem;
    for (struct ll_book_change *c = act->posted, *next; c != NULL; c = next) {
        next = c->next;
        ll_release(mem, c, sizeof *c);
    }
    act->posted = NULL;
}

void
ll_books_undo(struct ll_bill_act *act)
{
    for (struct ll_book_change *c = act->posted; c != NULL; c = c->next)
        *c->number -= c->fen;
    ll_books_keep(act);
}

/* The account of a posting; a new one is made in the same commit. What is not
 * sent after all is an account without postings, in memory alone, and is
 * made in the store by the next that uses it. */
static struct account *
need(struct ll_bill_act *act, linli_str community, linli_str name)
{
    struct ll_books *books = act->billing->books;
    struct account *a = find(books, community, name);
    if (a == NULL)
        a = account_new(act->billing, books->last_account + 1, community, name);
    if (a == NULL)
        return NULL;
    ll_commit_op(act->commit, LL_ST_ledger_account_put);
    ll_put_int(&act->commit->ops, a->id);
    ll_put_bytes(&act->commit->ops, community);
    ll_put_bytes(&act->commit->ops, name);
    return a;
}

linli_status
ll_books_change(
    struct ll_bill_act *act, int64_t *number, int64_t fen, struct ll_err *err)
{
    struct ll_book_change *change = ll_alloc(act->billing->mem, sizeof *change);
    if (change == NULL)
        return no_memory(err);
    if (!ll_fen_add(number, fen)) {
        ll_release(act->billing->mem, change, sizeof *change);
        return ll_fail(err, LINLI_E_LIMIT, "ledger/overflow", "a balance");
    }
    *change = (struct ll_book_change){
        .next = act->posted, .number = number, .fen = fen};
    act->posted = change;
    return LINLI_OK;
}

static linli_status
post_one(struct ll_bill_act *act, const struct ll_entry *entry, uint32_t i,
    struct ll_err *err)
{
    struct ll_books *books = act->billing->books;
    struct ll_buf *ops = &act->commit->ops;
    const struct ll_posting *posting = &entry->postings[i];
    if (posting->fen == 0)
        return LINLI_OK;
    struct account *a = need(act, entry->community, posting->account);
    if (a == NULL)
        return no_memory(err);
    linli_status status = ll_books_change(act, &a->fen, posting->fen, err);
    if (status != LINLI_OK) {
        ll_err_where(err, "%.*s: ", LL_FMT(posting->account));
        return status;
    }
    ll_commit_op(act->commit, LL_ST_ledger_posting_put);
    ll_put_int(ops, books->last_entry);
    ll_put_int(ops, i);
    ll_put_int(ops, a->id);
    ll_put_int(ops, posting->fen);
    return LINLI_OK;
}

/* Takes back what the act has posted since `kept`, from memory and from its
 * commit. */
static void
back_to(struct ll_bill_act *act, struct ll_book_change *kept, size_t ops_bytes)
{
    while (act->posted != kept) {
        struct ll_book_change *c = act->posted;
        act->posted = c->next;
        *c->number -= c->fen;
        ll_release(act->billing->mem, c, sizeof *c);
    }
    if (!act->commit->ops.failed)
        act->commit->ops.len = ops_bytes;
}

linli_status
ll_books_post(
    struct ll_bill_act *act, const struct ll_entry *entry, struct ll_err *err)
{
    struct ll_books *books = act->billing->books;
    struct ll_buf *ops = &act->commit->ops;
    struct ll_book_change *kept = act->posted;
    size_t bytes = ops->len;
    bool moves = false;
    linli_status status = ll_entry_check(entry, err);
    for (uint32_t i = 0; status == LINLI_OK && i < entry->count; i++)
        moves = moves || entry->postings[i].fen != 0;
    if (status != LINLI_OK || !moves)
        return status;
    books->last_entry++;
    ll_commit_op(act->commit, LL_ST_ledger_entry_put);
    ll_put_int(ops, books->last_entry);
    ll_put_bytes(ops, entry->community);
    ll_put_bytes(ops, entry->kind);
    ll_put_bytes(ops, entry->ref);
    ll_put_int(ops, entry->at_ms);
    ll_put_bytes(ops, act->by);
    ll_put_bytes(ops, act->reason);
    for (uint32_t i = 0; status == LINLI_OK && i < entry->count; i++)
        status = post_one(act, entry, i, err);
    if (status == LINLI_OK && ops->failed)
        status = no_memory(err);
    if (status != LINLI_OK)
        back_to(act, kept, bytes);
    return status;
}

/* -- opening -- */

/* A sum that came in two parts: h * 2^32 + l. */
static bool
sum_of(int64_t high, int64_t low, int64_t *out)
{
    ll_wide sum = (ll_wide)high * ((int64_t)1 << LOW_BITS) + low;
    return ll_wide_divide(sum, 1, LL_ROUND_HALF_AWAY, out);
}

static linli_status
take_account(struct ll_billing *billing, struct ll_rd *rd, int64_t *last,
    struct ll_err *err)
{
    (void)ll_rd_list(rd);
    int64_t id = ll_rd_int(rd), fen = 0;
    linli_str community = ll_rd_bytes(rd), name = ll_rd_bytes(rd);
    int64_t high = ll_rd_int(rd), low = ll_rd_int(rd);
    if (rd->bad)
        return ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
            "an account is not of its table's types");
    if (!sum_of(high, low, &fen))
        return ll_fail(err, LINLI_E_LIMIT, "ledger/overflow",
            "the balance of `%.*s`", LL_FMT(name));
    struct account *a = account_new(billing, id, community, name);
    if (a == NULL)
        return no_memory(err);
    a->fen = fen;
    *last = id;
    return LINLI_OK;
}

static linli_status
load_page(struct ll_billing *billing, int64_t *last, uint32_t *rows,
    struct ll_err *err)
{
    struct ll_query query;
    ll_query_init(&query, billing->mem, LL_ST_ledger_balances);
    ll_put_int(&query.params, *last);
    ll_put_int(&query.params, LL_LEDGER_PAGE_ROWS);
    linli_status status = query.params.failed
                              ? no_memory(err)
                              : ll_store_ask(billing->store, &query);
    if (status != LINLI_OK && !query.params.failed)
        *err = query.err;
    struct ll_rd rd = ll_rd(ll_buf_view(&query.rows));
    for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++)
        status = take_account(billing, &rd, last, err);
    *rows = query.row_count;
    ll_query_fini(&query);
    return status;
}

static linli_status
load_last_entry(struct ll_billing *billing, struct ll_err *err)
{
    struct ll_query query;
    ll_query_init(&query, billing->mem, LL_ST_ledger_last);
    linli_status status = ll_store_ask(billing->store, &query);
    if (status != LINLI_OK) {
        *err = query.err;
    } else {
        struct ll_rd rd = ll_rd(ll_buf_view(&query.rows));
        (void)ll_rd_list(&rd);
        billing->books->last_entry = ll_rd_int(&rd);
        if (rd.bad)
            status = ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
                "the ledger's last entry");
    }
    ll_query_fini(&query);
    return status;
}

linli_status
ll_books_open(struct ll_billing *billing, struct ll_err *err)
{
    int64_t last = 0;
    uint32_t rows = 1;
    billing->books = ll_alloc(billing->mem, sizeof *billing->books);
    if (billing->books == NULL)
        return no_memory(err);
    linli_status status = load_last_entry(billing, err);
    while (status == LINLI_OK && rows > 0)
        status = load_page(billing, &last, &rows, err);
    return status;
}

void
ll_books_close(struct ll_billing *billing)
{
    struct ll_books *books = billing->books;
    struct ll_mem *mem = billing->mem;
    if (books == NULL)
        return;
    for (uint32_t i = 0; i < books->chain_count; i++)
        for (struct account *a = books->chains[i], *next; a != NULL; a = next) {
            next = a->next;
            ll_release(mem, a, a->bytes);
        }
    ll_release(mem, books->chains, books->chain_count * sizeof *books->chains);
    ll_release(mem, books, sizeof *books);
    billing->books = NULL;
}
