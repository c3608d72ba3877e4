/* billing/credit.c: what is left of each line, and taking it back. [loop] */
#include "billing/credit.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "billing/invoices_int.h"

struct ll_credit_line {
    linli_str key;
    int64_t net_fen, tax_fen;           /* as it was billed */
    int64_t left_net_fen, left_tax_fen; /* less earlier credit notes */
    int64_t back_net_fen, back_tax_fen; /* taken back now */
};

static linli_status
fail_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a credit note");
}

static linli_status
fail_closed(const struct ll_crediting *c, const char *why, struct ll_err *err)
{
    return ll_fail(err, LINLI_E_CONFLICT, "invoice/closed", "inv_%lld %s",
        (long long)c->invoice, why);
}

static int64_t
fen_of(struct ll_jv object, const char *name)
{
    int64_t fen = 0;
    (void)ll_jv_int(ll_jv_get(object, name), &fen);
    return fen;
}

static struct ll_credit_line *
line_of(struct ll_crediting *c, linli_str key)
{
    for (uint32_t i = 0; i < c->line_count; i++)
        if (ll_str_eq(c->lines[i].key, key))
            return &c->lines[i];
    return NULL;
}

/* -- the invoice -- */

static linli_status
read_lines(struct ll_crediting *c, struct ll_jv body, struct ll_err *err)
{
    struct ll_jv lines = ll_jv_get(body, "lines");
    c->lines =
        ll_arena_alloc(&c->arena, (ll_jv_count(lines) + 1) * sizeof *c->lines);
    if (c->lines == NULL)
        return fail_memory(err);
    LL_JSON_EACH (line, lines) {
        int64_t net = fen_of(line, "net_fen"), tax = fen_of(line, "tax_fen");
        c->lines[c->line_count++] = (struct ll_credit_line){
            .key = ll_arena_str(&c->arena, ll_jv_str(ll_jv_get(line, "key"))),
            .net_fen = net,
            .tax_fen = tax,
            .left_net_fen = net,
            .left_tax_fen = tax};
    }
    c->plugin = ll_arena_str(&c->arena, ll_jv_str(ll_jv_get(body, "plugin")));
    c->invoice_number =
        ll_arena_str(&c->arena, ll_jv_str(ll_jv_get(body, "number")));
    return c->arena.failed ? fail_memory(err) : LINLI_OK;
}

static linli_status
parse(struct ll_crediting *c, linli_str text,
    linli_status (*read)(
        struct ll_crediting *c, struct ll_jv body, struct ll_err *err),
    struct ll_err *err)
{
    struct ll_json json;
    ll_json_init(&json, c->job.act.billing->mem);
    linli_status status = ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = read(c, ll_json_root(&json), err);
    ll_json_fini(&json);
    return status;
}

static linli_status
take_invoice(
    struct ll_crediting *c, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&c->job.query.rows));
    bool there = false;
    if (c->job.query.row_count == 0)
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "this community has no such invoice");
    (void)ll_rd_list(&rd);
    (void)ll_rd_int(&rd); /* id */
    c->sub = (uint32_t)ll_rd_int_in(&rd, 0, UINT32_MAX);
    for (int column = 2; column < 16; column++)
        (void)ll_rd_int(&rd);
    (void)ll_rd_bytes_or_nil(&rd, &there); /* hash */
    linli_str body = ll_rd_bytes_or_nil(&rd, &there);
    if (rd.bad)
        return ll_till_torn(err);
    if (!there)
        return fail_closed(c, "is not final", err);
    linli_status status = parse(c, body, read_lines, err);
    if (status != LINLI_OK)
        return status;
    struct ll_query *query = ll_till_query(&c->job, LL_ST_credit_notes_of);
    ll_put_int(&query->params, c->invoice);
    ll_put_int(&query->params, 0);
    ll_put_int(&query->params, LL_INVOICE_CREDITS_MAX);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

/* -- earlier credit notes -- */

/* Its sums are less than 0. */
static linli_status
take_off(struct ll_crediting *c, struct ll_jv body, struct ll_err *err)
{
    LL_JSON_EACH (line, ll_jv_get(body, "lines")) {
        struct ll_credit_line *of =
            line_of(c, ll_jv_str(ll_jv_get(line, "key")));
        if (of == NULL)
            return ll_till_torn(err);
        of->left_net_fen += fen_of(line, "net_fen");
        of->left_tax_fen += fen_of(line, "tax_fen");
    }
    return LINLI_OK;
}

static linli_status
take_notes(struct ll_crediting *c, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&c->job.query.rows));
    if (c->job.query.row_count >= LL_INVOICE_CREDITS_MAX)
        return fail_closed(c, "has as many credit notes as it can", err);
    for (uint32_t i = 0; i < c->job.query.row_count; i++) {
        (void)ll_rd_list(&rd);
        for (int column = 0; column < 6; column++)
            (void)ll_rd_int(&rd);
        (void)ll_rd_bytes(&rd); /* hash */
        linli_str body = ll_rd_bytes(&rd);
        if (rd.bad)
            return ll_till_torn(err);
        linli_status status = parse(c, body, take_off, err);
        if (status != LINLI_OK)
            return status;
    }
    ll_money_ask(&c->job, c->community, c->invoice);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

/* -- what is taken back -- */

static linli_status
want_one(struct ll_crediting *c, const struct ll_credit_want *want,
    struct ll_err *err)
{
    struct ll_credit_line *line = line_of(c, want->key);
    if (line == NULL)
        return ll_fail(
            err, LINLI_E_INVALID, "invoice/line", "`%.*s`", LL_FMT(want->key));
    int64_t gross = line->net_fen + line->tax_fen;
    int64_t left = line->left_net_fen + line->left_tax_fen -
                   line->back_net_fen - line->back_tax_fen;
    int64_t fen = want->fen == 0 ? left : want->fen, tax = 0;
    if (left <= 0 || fen > left)
        return ll_fail(err, LINLI_E_CONFLICT, "invoice/remainder",
            "%lld fen are left of `%.*s`", (long long)(left > 0 ? left : 0),
            LL_FMT(want->key));
    /* Of what is left the tax that is left; of a part its part, rounded, and
     * no more than there is: many small ones are all rounded up. */
    int64_t most = line->left_tax_fen - line->back_tax_fen;
    if (fen == left)
        tax = most;
    else if (!ll_fen_share(line->tax_fen, fen, gross, &tax))
        return ll_charge_overflow(want->key, err);
    int64_t least = fen - (left - most);
    tax = tax > most ? most : tax < least ? least : tax;
    line->back_tax_fen += tax;
    line->back_net_fen += fen - tax;
    return LINLI_OK;
}

static linli_status
want_all(struct ll_crediting *c, struct ll_err *err)
{
    for (uint32_t i = 0; i < c->want_count; i++) {
        linli_status status = want_one(c, &c->wants[i], err);
        if (status != LINLI_OK)
            return status;
    }
    for (uint32_t i = 0; i < c->line_count; i++) {
        struct ll_credit_line *line = &c->lines[i];
        if (c->want_count == 0) {
            line->back_net_fen = line->left_net_fen;
            line->back_tax_fen = line->left_tax_fen;
        }
        c->net_fen -= line->back_net_fen;
        c->tax_fen -= line->back_tax_fen;
    }
    c->total_fen = c->net_fen + c->tax_fen;
    return c->total_fen < 0 ? LINLI_OK
                            : fail_closed(c, "has nothing left", err);
}

static void
put_fen(struct ll_jw *w, const char *name, int64_t fen)
{
    ll_jw_key(w, name);
    ll_jw_int(w, fen);
}

static void
put_sums(struct ll_jw *w, int64_t net, int64_t tax)
{
    put_fen(w, "net_fen", net);
    put_fen(w, "tax_fen", tax);
    put_fen(w, "total_fen", net + tax);
}

static void
put_text(struct ll_jw *w, const char *name, linli_str text)
{
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

/* Everything that is shown of it, also years later. */
static void
write_body(struct ll_crediting *c)
{
    struct ll_jw w = ll_jw(&c->body);
    char text[64];
    ll_jw_open(&w, '{');
    (void)snprintf(text, sizeof text, "cn_%lld", (long long)c->id);
    put_text(&w, "id", ll_cstr(text));
    ll_invoice_number("CN", c->number, text);
    put_text(&w, "number", ll_cstr(text));
    (void)snprintf(text, sizeof text, "inv_%lld", (long long)c->invoice);
    put_text(&w, "invoice", ll_cstr(text));
    put_text(&w, "invoice_number", c->invoice_number);
    put_text(&w, "community", c->community);
    (void)snprintf(text, sizeof text, "sub_%u", c->sub);
    put_text(&w, "subscription", ll_cstr(text));
    ll_rfc3339(c->job.act.now_ms, text);
    put_text(&w, "at", ll_cstr(text));
    put_text(&w, "reason", c->job.act.reason);
    ll_jw_key(&w, "lines");
    ll_jw_open(&w, '[');
    for (uint32_t i = 0; i < c->line_count; i++) {
        const struct ll_credit_line *line = &c->lines[i];
        if (line->back_net_fen == 0 && line->back_tax_fen == 0)
            continue;
        ll_jw_open(&w, '{');
        put_text(&w, "key", line->key);
        put_sums(&w, -line->back_net_fen, -line->back_tax_fen);
        ll_jw_close(&w, '}');
    }
    ll_jw_close(&w, ']');
    put_sums(&w, c->net_fen, c->tax_fen);
    ll_jw_close(&w, '}');
}

static void
put_row(struct ll_crediting *c)
{
    struct ll_commit *commit = c->job.act.commit;
    struct ll_buf *ops = &commit->ops;
    unsigned char hash[LL_SHA256_BYTES];
    struct ll_inv of = {.id = c->invoice};
    linli_str body = ll_buf_view(&c->body);
    ll_sha256(body.ptr, body.len, hash);
    ll_commit_op(commit, LL_ST_credit_note_put);
    ll_put_int(ops, c->id);
    ll_put_bytes(ops, c->community);
    ll_put_int(ops, c->invoice);
    ll_put_int(ops, c->number);
    ll_put_int(ops, c->job.act.now_ms);
    ll_put_int(ops, c->net_fen);
    ll_put_int(ops, c->tax_fen);
    ll_put_int(ops, c->total_fen);
    ll_put_bytes(ops, (linli_str){(const char *)hash, sizeof hash});
    ll_put_bytes(ops, body);
    ll_inv_deed(&c->job.act, &of, "credit-note");
}

/* The invoice's entry, mirrored. */
static linli_status
post(struct ll_crediting *c, struct ll_bill *bill, struct ll_err *err)
{
    struct ll_bill_act *act = &c->job.act;
    struct ll_account_text owed, revenue;
    struct ll_owed before = bill->owed;
    char number[LL_INVOICE_NUMBER_BYTES];
    ll_invoice_number("CN", c->number, number);
    const struct ll_posting postings[] = {
        {ll_account_sub(&owed, "receivable", c->sub), c->total_fen},
        {ll_account_of(&revenue, "revenue", c->plugin), -c->net_fen},
        {LINLI_STR("tax"), -c->tax_fen}};
    const struct ll_entry entry = {.community = c->community,
        .kind = LINLI_STR("credit-note"),
        .ref = ll_cstr(number),
        .postings = postings,
        .count = LL_COUNT(postings),
        .at_ms = act->now_ms};
    struct ll_money_note note = {ll_cstr(number), -c->total_fen, -c->tax_fen};
    linli_status status = ll_books_post(act, &entry, err);
    if (status == LINLI_OK)
        status = ll_money_credit(act, bill, &note, err);
    struct ll_owed_move by = {
        .credited_fen = bill->owed.credited_fen - before.credited_fen,
        .paid_fen = bill->owed.paid_fen - before.paid_fen};
    c->due_fen = ll_owed_due(&bill->owed);
    return status == LINLI_OK ? ll_invoice_moved(act, &bill->was, &by, err)
                              : status;
}

static linli_status
take_bill(struct ll_crediting *c, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_billing *billing = c->job.act.billing;
    struct ll_inv_numbers *numbers = ll_inv_numbers(billing, c->community);
    struct ll_bill bill;
    linli_status status = ll_money_read(&c->job, &bill, err);
    if (status == LINLI_OK)
        status = want_all(c, err);
    if (status == LINLI_OK && numbers == NULL)
        status = fail_memory(err);
    if (status != LINLI_OK)
        return status;
    c->id = billing->invoices->last_credit + 1;
    c->number = numbers->credit + 1;
    write_body(c);
    if (c->body.failed)
        return fail_memory(err);
    status = ll_bill_begin(&c->job.act, err);
    if (status != LINLI_OK)
        return status;
    put_row(c);
    status = post(c, &bill, err);
    if (status == LINLI_OK && c->job.act.commit->ops.failed)
        status = fail_memory(err);
    if (status != LINLI_OK)
        return status;
    /* Nothing can fail from here on: the numbers are drawn. */
    billing->invoices->last_credit = c->id;
    numbers->credit = c->number;
    *next = LL_TILL_SEND;
    return LINLI_OK;
}

/* -- the job -- */

static linli_status
step(struct ll_till_job *job, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_crediting *c = LL_CONTAINER(job, struct ll_crediting, job);
    if (job->steps == 1)
        return take_invoice(c, next, err);
    if (job->steps == 2)
        return take_notes(c, next, err);
    if (job->steps == 3)
        return take_bill(c, next, err);
    struct ll_query *query = ll_till_query(job, LL_ST_invoice_get);
    ll_put_int(&query->params, c->invoice);
    ll_put_bytes(&query->params, c->community);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

linli_status
ll_credit_start(struct ll_crediting *c, struct ll_err *err)
{
    struct ll_mem *mem = c->job.act.billing->mem;
    ll_arena_init(&c->arena, mem, LL_GATHER_BYTES_MAX);
    ll_buf_init(&c->body, mem, LL_INVOICE_BYTES_MAX);
    c->line_count = 0;
    c->net_fen = c->tax_fen = c->total_fen = 0;
    c->job.step = step;
    return ll_till_put(&c->job, err);
}

void
ll_credit_end(struct ll_crediting *c)
{
    ll_arena_fini(&c->arena);
    ll_buf_fini(&c->body);
}
