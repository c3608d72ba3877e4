/* billing/invoices.c: what is open, in memory and in the store. [loop] */
#include "billing/invoices_int.h"

#include "base/text.h"

#define CHAINS_FIRST 1024
#define HEAP_FIRST 1024
#define NUMBERS_BYTES_MAX ((size_t)16 << 20)

const char *
ll_inv_state_name(enum ll_inv_state state)
{
    static const char *const names[] = {
#define X(name, word) word,
        LL_INV_STATES(X)
#undef X
    };
    return names[state];
}

int64_t
ll_inv_due_fen(const struct ll_inv *inv)
{
    int64_t left = inv->total_fen - inv->paid_fen - inv->credited_fen;
    return left > 0 ? left : 0;
}

/* -- finding -- */

static struct ll_inv **
chain_of(const struct ll_invoices *invoices, int64_t id)
{
    uint64_t mixed = (uint64_t)id * 0x9e3779b97f4a7c15u;
    return &invoices->chains[(mixed >> 32) & (invoices->chain_count - 1)];
}

struct ll_inv *
ll_inv_by_id(const struct ll_billing *billing, int64_t id)
{
    const struct ll_invoices *invoices = billing->invoices;
    if (invoices->chain_count == 0)
        return NULL;
    struct ll_inv *inv = *chain_of(invoices, id);
    while (inv != NULL && inv->id != id)
        inv = inv->next;
    return inv;
}

struct ll_inv *
ll_inv_first(const struct ll_billing *billing, uint32_t sub)
{
    const struct ll_invoices *invoices = billing->invoices;
    uint32_t at = sub - LL_SUB_FIRST;
    return at < invoices->sub_cap ? invoices->of_sub[at] : NULL;
}

int32_t
ll_inv_final_k(const struct ll_billing *billing, const struct ll_sub *sub)
{
    struct ll_turn turn;
    for (const struct ll_inv *inv = ll_inv_first(billing, sub->id); inv != NULL;
         inv = inv->next_sub)
        if (inv->state == LL_INV_DRAFT)
            return inv->k;
    if (ll_turn_next(sub, &turn))
        return turn.k;
    int32_t end = ll_local_day_end(sub->local, sub->end_ms);
    return ll_turn_number(&sub->rhythm, end > 0 ? end - 1 : 0) + 2;
}

bool
ll_inv_looks_at(
    const struct ll_billing *billing, const struct ll_sub *sub, int32_t day)
{
    const struct ll_inv *draft = ll_inv_first_draft(billing, sub->id);
    struct ll_turn turn;
    if (draft == NULL ? !ll_turn_next(sub, &turn) : draft->last && draft->busy)
        return false;
    int32_t oldest = ll_inv_final_k(billing, sub) - 1 - LL_INVOICE_LATE_PERIODS;
    return oldest <= 0 || day >= ll_period_at(&sub->rhythm, oldest).from;
}

/* -- room -- */

static bool
grow_chains(struct ll_billing *billing)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_invoices old = *invoices;
    if (invoices->count < invoices->chain_count)
        return true;
    uint32_t count = old.chain_count == 0 ? CHAINS_FIRST : 2 * old.chain_count;
    struct ll_inv **chains = ll_alloc(billing->mem, count * sizeof *chains);
    if (chains == NULL)
        return false;
    invoices->chains = chains;
    invoices->chain_count = count;
    for (uint32_t i = 0; i < old.chain_count; i++)
        for (struct ll_inv *inv = old.chains[i], *next; inv != NULL;
             inv = next) {
            struct ll_inv **chain = chain_of(invoices, inv->id);
            next = inv->next;
            inv->next = *chain;
            *chain = inv;
        }
    ll_release(billing->mem, old.chains, old.chain_count * sizeof *old.chains);
    return true;
}

static bool
grow_subs(struct ll_billing *billing, uint32_t sub)
{
    struct ll_invoices *invoices = billing->invoices;
    uint32_t need = sub - LL_SUB_FIRST + 1, cap = invoices->sub_cap;
    if (need <= cap)
        return true;
    while (cap < need)
        cap = cap == 0 ? CHAINS_FIRST : 2 * cap;
    struct ll_inv **of_sub = ll_realloc(billing->mem, invoices->of_sub,
        invoices->sub_cap * sizeof *of_sub, cap * sizeof *of_sub);
    if (of_sub == NULL)
        return false;
    for (uint32_t i = invoices->sub_cap; i < cap; i++)
        of_sub[i] = NULL;
    invoices->of_sub = of_sub;
    invoices->sub_cap = cap;
    return true;
}

static bool
grow_heap(struct ll_billing *billing)
{
    struct ll_invoices *invoices = billing->invoices;
    uint32_t cap = invoices->heap_cap;
    if (invoices->heap_count + 2 <= cap)
        return true;
    cap = cap == 0 ? HEAP_FIRST : 2 * cap;
    struct ll_inv_due *heap = ll_realloc(billing->mem, invoices->heap,
        invoices->heap_cap * sizeof *heap, cap * sizeof *heap);
    if (heap == NULL)
        return false;
    invoices->heap = heap;
    invoices->heap_cap = cap;
    return true;
}

bool
ll_inv_room(struct ll_billing *billing, uint32_t sub)
{
    return grow_chains(billing) && grow_subs(billing, sub) &&
           grow_heap(billing);
}

void
ll_inv_add(struct ll_billing *billing, struct ll_inv *inv)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_inv **chain = chain_of(invoices, inv->id);
    struct ll_inv **at = &invoices->of_sub[inv->sub - LL_SUB_FIRST];
    inv->next = *chain;
    *chain = inv;
    while (*at != NULL && (*at)->k < inv->k)
        at = &(*at)->next_sub;
    inv->next_sub = *at;
    *at = inv;
    invoices->count++;
}

void
ll_inv_remove(struct ll_billing *billing, struct ll_inv *inv)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_inv **at = chain_of(invoices, inv->id);
    while (*at != inv)
        at = &(*at)->next;
    *at = inv->next;
    at = &invoices->of_sub[inv->sub - LL_SUB_FIRST];
    while (*at != inv)
        at = &(*at)->next_sub;
    *at = inv->next_sub;
    invoices->count--;
    ll_release(billing->mem, inv, sizeof *inv);
}

struct ll_inv_numbers *
ll_inv_numbers(struct ll_billing *billing, linli_str community)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_inv_numbers *n = invoices->numbers;
    while (n != NULL && !ll_str_eq(n->community, community))
        n = n->next;
    if (n != NULL)
        return n;
    n = ll_arena_alloc(&invoices->arena, sizeof *n);
    if (n == NULL)
        return NULL;
    n->community = ll_arena_str(&invoices->arena, community);
    if (n->community.ptr == NULL)
        return NULL;
    n->next = invoices->numbers;
    invoices->numbers = n;
    return n;
}

/* -- the heap -- */

static void
push(struct ll_billing *billing, int64_t at_ms, int64_t id)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_inv_due *heap, due = {at_ms, id};
    if (at_ms == INT64_MAX)
        return;
    bool first = invoices->heap_count == 0 || at_ms < invoices->heap[0].at_ms;
    ll_check(invoices->heap_count < invoices->heap_cap);
    heap = invoices->heap;
    uint32_t i = invoices->heap_count++;
    for (; i > 0 && due.at_ms < heap[(i - 1) / 2].at_ms; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = due;
    if (first && invoices->hooks.wake != NULL)
        invoices->hooks.wake(invoices->hooks.user);
}

bool
ll_inv_pop(struct ll_invoices *invoices, int64_t now_ms, struct ll_inv_due *out)
{
    struct ll_inv_due *heap = invoices->heap;
    if (invoices->heap_count == 0 || heap[0].at_ms > now_ms)
        return false;
    *out = heap[0];
    struct ll_inv_due last = heap[--invoices->heap_count];
    uint32_t i = 0, child;
    while ((child = 2 * i + 1) < invoices->heap_count) {
        if (child + 1 < invoices->heap_count &&
            heap[child + 1].at_ms < heap[child].at_ms)
            child++;
        if (heap[child].at_ms >= last.at_ms)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return true;
}

static bool
is_essential(const struct ll_billing *billing, const struct ll_sub *sub)
{
    LL_JSON_EACH (plugin, billing->invoices->policy.essential)
        if (ll_str_eq(ll_jv_str(plugin), sub->plugin))
            return true;
    return false;
}

enum ll_dunning
ll_inv_step_on(
    const struct ll_billing *billing, const struct ll_inv *inv, int64_t now_ms)
{
    const struct ll_sub *sub = ll_sub_by_id(billing, inv->sub);
    return ll_dunning_on(&billing->invoices->policy.dunning, inv->due_day,
        ll_local_day(sub->local, now_ms), is_essential(billing, sub));
}

int64_t
ll_inv_due_ms(const struct ll_billing *billing, const struct ll_inv *inv)
{
    const struct ll_sub *sub = ll_sub_by_id(billing, inv->sub);
    const struct ll_dunning_policy *policy = &billing->invoices->policy.dunning;
    if (inv->state == LL_INV_DRAFT)
        return inv->grace_ms;
    /* What has not been done yet stands at the next step after the last one
     * that was. */
    const int32_t days[] = {inv->state == LL_INV_OVERDUE ? 1 : 0,
        policy->notify_days, policy->restrict_days, policy->suspend_days};
    int32_t done = inv->due_day + days[0];
    if (days[inv->step] != LL_DUNNING_NEVER)
        done = inv->due_day + days[inv->step];
    int32_t day =
        ll_dunning_next(policy, inv->due_day, done, is_essential(billing, sub));
    return day == LL_DUNNING_NEVER ? INT64_MAX
                                   : ll_local_midnight(sub->local, day);
}

void
ll_inv_again(struct ll_billing *billing, int64_t id)
{
    /* Without memory it is with the next start. */
    if (grow_heap(billing))
        push(billing, ll_world_wall(billing->world).ms + LL_INVOICE_AGAIN_MS,
            id);
}

void
ll_inv_due(struct ll_billing *billing, const struct ll_inv *inv)
{
    push(billing, ll_inv_due_ms(billing, inv), inv->id);
}

void
ll_invoices_touch(struct ll_billing *billing, const struct ll_sub *sub)
{
    struct ll_turn turn;
    if (billing->invoices == NULL || !ll_turn_next(sub, &turn))
        return;
    /* Without memory it is found at the next start, or by its next act. */
    if (grow_heap(billing))
        push(billing, turn.due_ms, -(int64_t)sub->id);
}

int64_t
ll_invoices_next_ms(const struct ll_billing *billing)
{
    const struct ll_invoices *invoices = billing->invoices;
    return invoices->heap_count == 0 ? INT64_MAX : invoices->heap[0].at_ms;
}

bool
ll_invoices_idle(const struct ll_billing *billing)
{
    return billing->invoices->flight_count == 0;
}

/* -- rows -- */

void
ll_inv_deed(struct ll_bill_act *act, const struct ll_inv *inv, const char *what)
{
    struct ll_buf *ops = &act->commit->ops;
    ll_commit_op(act->commit, LL_ST_invoice_deed_put);
    ll_put_int(ops, inv->id);
    ll_put_int(ops, act->now_ms);
    ll_put_bytes(ops, act->by);
    ll_put_bytes(ops, ll_cstr(what));
    ll_put_bytes(ops, act->reason);
}

void
ll_inv_put_state(struct ll_bill_act *act, const struct ll_inv *inv)
{
    struct ll_buf *ops = &act->commit->ops;
    ll_commit_op(act->commit, LL_ST_invoice_state);
    ll_put_int(ops, inv->id);
    ll_put_int(ops, inv->state);
    ll_put_int(ops, inv->paid_fen);
    ll_put_int(ops, inv->credited_fen);
    ll_put_int(ops, inv->step);
}

/* -- opening -- */

static linli_status
fail_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "invoices");
}

static linli_status
fail_row(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
        "a row of invoices is not of its table's types");
}

static linli_status
load_one(struct ll_billing *billing, struct ll_rd *rd, struct ll_err *err)
{
    struct ll_inv *inv = ll_alloc(billing->mem, sizeof *inv);
    if (inv == NULL)
        return fail_memory(err);
    (void)ll_rd_list(rd);
    inv->id = ll_rd_int(rd);
    inv->sub = (uint32_t)ll_rd_int_in(rd, LL_SUB_FIRST, UINT32_MAX);
    inv->k = (int32_t)ll_rd_int_in(rd, 0, INT32_MAX);
    inv->last = ll_rd_int(rd) != 0;
    inv->state = (enum ll_inv_state)ll_rd_int_in(rd, 0, LL_INV_STATE_COUNT - 1);
    inv->number = ll_rd_int(rd);
    inv->made_ms = ll_rd_int(rd);
    inv->grace_ms = ll_rd_int(rd);
    inv->final_ms = ll_rd_int(rd);
    inv->due_day = (int32_t)ll_rd_int_in(rd, INT32_MIN, INT32_MAX);
    inv->total_fen = ll_rd_int(rd);
    inv->paid_fen = ll_rd_int(rd);
    inv->credited_fen = ll_rd_int(rd);
    inv->step = (enum ll_dunning)ll_rd_int_in(rd, 0, LL_DUNNING_SUSPEND);
    if (!rd->bad && ll_sub_by_id(billing, inv->sub) != NULL &&
        ll_inv_room(billing, inv->sub)) {
        ll_inv_add(billing, inv);
        return LINLI_OK;
    }
    bool torn = rd->bad || ll_sub_by_id(billing, inv->sub) == NULL;
    ll_release(billing->mem, inv, sizeof *inv);
    return torn ? fail_row(err) : fail_memory(err);
}

static linli_status
load_numbers(struct ll_billing *billing, struct ll_rd *rd, struct ll_err *err)
{
    (void)ll_rd_list(rd);
    struct ll_inv_numbers *n = ll_inv_numbers(billing, ll_rd_bytes(rd));
    int64_t invoice = ll_rd_int(rd), credit = ll_rd_int(rd);
    if (rd->bad)
        return fail_row(err);
    if (n == NULL)
        return fail_memory(err);
    n->invoice = invoice;
    n->credit = credit;
    return LINLI_OK;
}

static linli_status
load_last(struct ll_billing *billing, struct ll_rd *rd, struct ll_err *err)
{
    (void)ll_rd_list(rd);
    billing->invoices->last_id = ll_rd_int(rd);
    billing->invoices->last_credit = ll_rd_int(rd);
    return rd->bad ? fail_row(err) : LINLI_OK;
}

static linli_status
load(struct ll_billing *billing, enum ll_statement statement,
    linli_status (*one)(
        struct ll_billing *billing, struct ll_rd *rd, struct ll_err *err),
    struct ll_err *err)
{
    struct ll_query query;
    ll_query_init(&query, billing->mem, statement);
    linli_status status = ll_store_ask(billing->store, &query);
    struct ll_rd rd = ll_rd(ll_buf_view(&query.rows));
    if (status != LINLI_OK)
        *err = query.err;
    for (uint32_t i = 0; i < query.row_count && status == LINLI_OK; i++)
        status = one(billing, &rd, err);
    ll_query_fini(&query);
    return status;
}

linli_status
ll_invoices_open(struct ll_billing *billing, struct ll_err *err)
{
    struct ll_invoices *invoices = ll_alloc(billing->mem, sizeof *invoices);
    if (invoices == NULL)
        return fail_memory(err);
    billing->invoices = invoices;
    ll_arena_init(&invoices->arena, billing->mem, NUMBERS_BYTES_MAX);
    linli_status status = load(billing, LL_ST_invoices_open, load_one, err);
    if (status == LINLI_OK)
        status = load(billing, LL_ST_invoice_numbers, load_numbers, err);
    if (status == LINLI_OK)
        status = load(billing, LL_ST_invoice_last, load_last, err);
    return status;
}

/* All that will be due, anew. */
void
ll_invoices_set(struct ll_billing *billing,
    const struct ll_invoice_policy *policy,
    const struct ll_invoice_hooks *hooks)
{
    struct ll_invoices *invoices = billing->invoices;
    invoices->policy = *policy;
    invoices->heap_count = 0;
    for (const struct ll_sub *sub = ll_sub_next(billing, 0); sub != NULL;
         sub = ll_sub_next(billing, sub->id))
        ll_invoices_touch(billing, sub);
    for (uint32_t i = 0; i < invoices->chain_count; i++)
        for (const struct ll_inv *inv = invoices->chains[i]; inv != NULL;
             inv = inv->next)
            if (grow_heap(billing))
                ll_inv_due(billing, inv);
    invoices->hooks = *hooks;
}

void
ll_invoices_cancel(struct ll_billing *billing)
{
    if (billing->invoices == NULL)
        return;
    billing->invoices->shut = true;
    ll_inv_flights_cancel(billing);
}

void
ll_invoices_close(struct ll_billing *billing)
{
    struct ll_invoices *invoices = billing->invoices;
    if (invoices == NULL)
        return;
    struct ll_mem *mem = billing->mem;
    for (uint32_t i = 0; i < invoices->chain_count; i++)
        for (struct ll_inv *inv = invoices->chains[i], *next; inv != NULL;
             inv = next) {
            next = inv->next;
            ll_release(mem, inv, sizeof *inv);
        }
    ll_release(mem, invoices->chains,
        invoices->chain_count * sizeof *invoices->chains);
    ll_release(
        mem, invoices->of_sub, invoices->sub_cap * sizeof *invoices->of_sub);
    ll_release(
        mem, invoices->heap, invoices->heap_cap * sizeof *invoices->heap);
    ll_arena_fini(&invoices->arena);
    ll_release(mem, invoices, sizeof *invoices);
    billing->invoices = NULL;
}
