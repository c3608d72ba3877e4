/* billing/invoices_int.h: what invoices keep in memory. [loop]
 *
 * Open ones are found by their id in a table of chains, and by their
 * subscription, whose ids are dense, in an array of lists. The heap holds
 * instants: what stands at one is looked at anew when it comes, and is nothing
 * if it was done or moved meanwhile.
 */
#ifndef LL_BILLING_INVOICES_INT_H
#define LL_BILLING_INVOICES_INT_H

#include "billing/books.h"
#include "billing/invoice_body.h"
#include "billing/invoices.h"

struct ll_inv_due {
    int64_t at_ms;
    int64_t id; /* of an invoice; or, less than 0, minus a subscription's */
};

/* The last numbers that were drawn. */
struct ll_inv_numbers {
    struct ll_inv_numbers *next;
    linli_str community;
    int64_t invoice, credit;
};

/* One that becomes final: it waits for the store. */
struct ll_inv_flight {
    struct ll_inv_flight *next, *before;
    struct ll_billing *billing;
    struct ll_gather gather;
    bool gathering, sent;
    bool empty; /* it has no lines */
    struct ll_bill_act act;
    int64_t id;
    uint32_t sub;
    char by[LL_TOKEN_NAME_BYTES_MAX + 16];
    char reason[LL_REASON_BYTES_MAX + 1];
    void (*done)(void *user, linli_status status, const struct ll_err *err);
    void *user;
};

struct ll_invoices {
    struct ll_inv **chains; /* a power of two of them, or none */
    uint32_t count, chain_count;
    struct ll_inv **of_sub; /* by id - LL_SUB_FIRST: the first of its list */
    uint32_t sub_cap;
    struct ll_inv_due *heap; /* the least first */
    uint32_t heap_count, heap_cap;
    struct ll_inv_numbers *numbers;
    struct ll_arena arena; /* numbers: as long as the host */
    int64_t last_id, last_credit;
    struct ll_inv_flight *flights;
    uint32_t flight_count;
    bool stopped, shut;
    struct ll_invoice_policy policy;
    struct ll_invoice_hooks hooks;
};

/* -- billing/invoices.c -- */

/* Room for one more of a subscription, with its place in the heap. */
bool ll_inv_room(struct ll_billing *billing, uint32_t sub) LL_USE_RESULT;
/* Takes in what has room. */
void ll_inv_add(struct ll_billing *billing, struct ll_inv *take_inv);
/* It is open no more: freed. */
void ll_inv_remove(struct ll_billing *billing, struct ll_inv *inv);
struct ll_inv_numbers *ll_inv_numbers(
    struct ll_billing *billing, linli_str community);
/* When something becomes due of it; INT64_MAX: never. */
int64_t ll_inv_due_ms(
    const struct ll_billing *billing, const struct ll_inv *inv);
/* The step of dunning that stands at an instant. */
enum ll_dunning ll_inv_step_on(
    const struct ll_billing *billing, const struct ll_inv *inv, int64_t now_ms);
/* What could not be done is looked at again, LL_INVOICE_AGAIN_MS later. */
void ll_inv_again(struct ll_billing *billing, int64_t id);
void ll_inv_due(struct ll_billing *billing, const struct ll_inv *inv);
/* The first instant, if it has come. */
bool ll_inv_pop(
    struct ll_invoices *invoices, int64_t now_ms, struct ll_inv_due *out);
void ll_inv_deed(
    struct ll_bill_act *act, const struct ll_inv *inv, const char *what);
void ll_inv_put_state(struct ll_bill_act *act, const struct ll_inv *inv);

/* -- billing/invoice_final.c -- */
void ll_inv_flights_cancel(struct ll_billing *billing);

#endif
