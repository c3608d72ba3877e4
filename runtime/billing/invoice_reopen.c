/* billing/invoice_reopen.c: one that was paid is owed again. [loop]
 *
 * Money went back (a bank took it): the row says so in the commit of the
 * refund, and memory, which had forgotten it, learns it from the row once that
 * is durable.
 */
#include "billing/invoices_int.h"

struct ll_inv_reopen {
    struct ll_inv_reopen *next;
    struct ll_billing *billing;
    int64_t id;
    uint64_t number; /* of the last commit that moved it */
    bool asking;
    struct ll_query query;
};

static void ask(struct ll_inv_reopen *r);

static void
forget(struct ll_inv_reopen *r)
{
    struct ll_inv_reopen **at = &r->billing->invoices->reopens;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    ll_query_fini(&r->query);
    ll_release(r->billing->mem, r, sizeof *r);
}

static void
on_row(struct ll_query *query)
{
    struct ll_inv_reopen *r = query->user;
    struct ll_billing *billing = r->billing;
    struct ll_rd rd = ll_rd(ll_buf_view(&query->rows));
    struct ll_err err;
    r->asking = false;
    if (query->status == LINLI_OK && query->snapshot < r->number)
        return; /* it was moved meanwhile: asked again */
    if (query->status == LINLI_OK && query->row_count > 0 &&
        ll_inv_by_id(billing, r->id) == NULL &&
        ll_inv_load(billing, &rd, &err) == LINLI_OK)
        ll_inv_due(billing, ll_inv_by_id(billing, r->id));
    forget(r);
}

static void
ask(struct ll_inv_reopen *r)
{
    ll_query_fini(&r->query);
    ll_query_init(&r->query, r->billing->mem, LL_ST_invoice_open_one);
    ll_put_int(&r->query.params, r->id);
    if (r->query.params.failed)
        return; /* with the next turn */
    r->query.done = on_row;
    r->query.user = r;
    r->asking = true;
    ll_store_query(r->billing->store, &r->query);
}

/* The act is sent in this turn, as the next commit. */
linli_status
ll_inv_reopen(struct ll_billing *billing, int64_t id, struct ll_err *err)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_inv_reopen *r = invoices->reopens;
    while (r != NULL && r->id != id)
        r = r->next;
    if (r == NULL) {
        r = ll_alloc(billing->mem, sizeof *r);
        if (r == NULL)
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
        ll_query_init(&r->query, billing->mem, LL_ST_invoice_open_one);
        r->billing = billing;
        r->id = id;
        r->next = invoices->reopens;
        invoices->reopens = r;
    }
    r->number = ll_store_last(billing->store) + 1;
    if (invoices->hooks.wake != NULL)
        invoices->hooks.wake(invoices->hooks.user);
    return LINLI_OK;
}

bool
ll_inv_reopens_run(struct ll_billing *billing)
{
    for (struct ll_inv_reopen *r = billing->invoices->reopens; r != NULL;
         r = r->next)
        if (!r->asking && ll_store_durable(billing->store) >= r->number)
            ask(r);
    return billing->invoices->reopens != NULL;
}

void
ll_inv_reopens_cancel(struct ll_billing *billing)
{
    struct ll_inv_reopen *r;
    while ((r = billing->invoices->reopens) != NULL) {
        if (r->asking)
            ll_store_cancel(billing->store, &r->query);
        forget(r);
    }
}

void
ll_inv_reopens_free(struct ll_billing *billing)
{
    while (billing->invoices->reopens != NULL)
        forget(billing->invoices->reopens);
}
