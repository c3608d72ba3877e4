/* server/money.h: jobs about money that a request waits for. [loop] */
#ifndef LL_SERVER_MONEY_H
#define LL_SERVER_MONEY_H

#include "billing/pay.h"
#include "server/act.h"
#include "server/form.h"

#define LL_MONEY_REF_BYTES 129
#define LL_MONEY_CHANNEL_BYTES 33

/* A view whose job stands in the till's line, which goes on to its end also if
 * nobody waits for it any more. */
struct ll_till_view {
    struct ll_view view; /* first */
    struct ll_till_job *job;
    bool lined, gone; /* gone: answered, and its job is not done */
    char by[LL_TOKEN_NAME_BYTES_MAX + 16];
    size_t bytes;       /* of the block that this is in */
    struct ll_mem *mem; /* the same; its job may outlive the face */
    /* It is done: writes the answer, or asks the store for it. */
    void (*write)(struct ll_till_view *view);
    /* Gives back what it holds besides; may be NULL. */
    void (*drop)(struct ll_till_view *view);
};
/* A block of `bytes` that begins with one, begun; NULL: it has been refused.
 * `by` is who asks. */
struct ll_till_view *ll_till_view_new(
    struct ll_face *face, struct ll_request *request, size_t bytes);
/* What its job is done as: sets the job's act and `done`. */
void ll_till_view_job(struct ll_till_view *view, struct ll_till_job *job);
/* After ll_pay_take or the like: if it has failed, refuses. */
void ll_till_view_lined(
    struct ll_till_view *view, linli_status status, const struct ll_err *err);

/* .../admin/invoices/{id}/payments, refunds; .../subscriptions/{id}/wallet;
 * .../ledger. False for any other `rest`. server/money.c */
bool ll_money_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

/* .../admin/settlements[/{id}]; the same. server/settlements.c */
bool ll_settlements_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

/* POST .../admin/usage/records/{lsn}/attribute; the same. server/attribute.c
 */
bool ll_attribute_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

#endif
