/* server/invoices.h: invoices over HTTP. [loop] */
#ifndef LL_SERVER_INVOICES_H
#define LL_SERVER_INVOICES_H

#include "billing/invoice_body.h"
#include "billing/invoices.h"
#include "server/view.h"

/* .../admin/invoices..., .../admin/subscriptions/{id}/preview; false for any
 * other `rest`. server/invoices.c */
bool ll_invoices_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);
/* .../me/invoices..., for a resident who pays; false for any other `rest`,
 * which begins with "me/". */
bool ll_invoices_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);

/* "inv_12". */
bool ll_inv_text_read(linli_str text, int64_t *id);
/* A resident, with the household that they are of, if any. */
struct ll_inv_reader {
    char resident[LL_DOC_ID_BYTES_MAX + 1]; /* empty: an operator */
    char household[LL_DOC_ID_BYTES_MAX + 1];
};
/* Whether one of both pays for a subscription. */
bool ll_inv_pays(const struct ll_sub *sub, const struct ll_inv_reader *reader);

/* What a row of invoice_list and invoice_get begins with. */
struct ll_inv_row {
    int64_t id, k, state, number, made_ms, grace_ms, final_ms, due_day;
    int64_t net_fen, tax_fen, total_fen, paid_fen, credited_fen, step;
    uint32_t sub;
};
bool ll_inv_row_read(struct ll_rd *rd, struct ll_inv_row *row) LL_USE_RESULT;
/* Its members, in an open object. */
void ll_inv_row_write(struct ll_view *view, const struct ll_inv_row *row);

/* -- server/invoice.c: one, or a preview -- */

enum ll_inv_form { LL_INV_JSON, LL_INV_CSV, LL_INV_HTML };
struct ll_inv_wanted {
    struct ll_community *community;
    int64_t id;                  /* of an invoice; 0: a preview */
    uint32_t sub;                /* of a preview */
    struct ll_inv_reader reader; /* who asks and has to pay for it */
    bool suffix;                 /* `form` stands in the path; else by Accept */
    enum ll_inv_form form;
};
void ll_invoice_begin_view(struct ll_face *face, struct ll_request *request,
    const struct ll_inv_wanted *wanted);

/* -- server/invoice_act.c -- */

/* POST .../invoices/{id}/finalize|credit|write-off; `what` is the word. False:
 * it is none of them. */
bool ll_invoice_act(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, int64_t id, linli_str what);

/* -- server/invoice_records.c -- */

/* GET .../invoices/{id}/lines/{key}/records */
void ll_invoice_records(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, int64_t id, linli_str key);

#endif
