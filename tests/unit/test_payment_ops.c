/* tests/unit/test_payment_ops.c: what a call may ask of payments, and what it
 * is answered, without a worker in between: spec/payments.md, section 1. */
#include "host_call.h"
#include "t.h"

#include "host/pay_sim.h"
#include "host/payment.h"
#include "host/work.h"

enum {
#define H(number, name, interface, draft, writes, args, answer) \
    OP_##name = number,
#include "wire/hostcall.def"
#undef H
};

static const char manifest[] =
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
    "\"main\":\"main.lua\",\"routes\":[],\"payments\":true}";

#define NOW 1700000000000
#define PID "0123456789abcdef0123456789abcdef"

static struct host_call h;
static struct ll_mem text_mem;
static struct ll_buf args;
static char paid_id[LL_PAY_ID_BYTES];

/* A payment that was paid: 500 fen. */
static void
put_paid(void)
{
    struct ll_pay_doc pay;
    struct ll_buf text;
    struct ll_doc *doc;
    const struct ll_pay_notice notice = {LINLI_STR("t1"), 500};
    ll_buf_init(&text, &h.host.mem, 65536);
    ll_pay_doc_init(&pay, &h.host.mem);
    ll_pay_id_new(&h.host, h.instance.space, paid_id);
    pay.id = ll_cstr(paid_id);
    pay.title = pay.channel = (linli_str)LINLI_STR("x");
    pay.adapter = (linli_str)LINLI_STR("sim");
    ll_payment_begin(&pay.money, 500, NOW, NOW + 1000);
    T_INT(ll_payment_notice(&pay.money, &notice, NOW), LL_PAY_ACCEPT);
    ll_pay_doc_write(&pay, &text);
    doc = ll_docs_make(ll_pay_coll(&h.instance), pay.id);
    T_OK(doc != NULL && ll_docs_put_now(&h.host.docs, doc, &text, NOW) != 0);
    ll_doc_unref(&doc);
    ll_pay_doc_fini(&pay);
    ll_buf_fini(&text);
    host_call_settle(&h);
}

static void
open_host(const char *text)
{
    struct ll_err err;
    memset(&h, 0, sizeof h);
    ll_mem_init(&text_mem, 0);
    ll_buf_init(&args, &text_mem, 1u << 20);
    host_call_open(&h, ll_cstr(text));
    h.community.host = &h.host;
    h.community.instances = &h.instance;
    h.host.communities = &h.community;
    h.host.config.development = true;
    h.host.data = LL_DATADIR_CLOSED;
    ll_arena_init(&h.host.arena, &h.host.mem, 1u << 20);
    T_INT(ll_pay_sim_open(&h.host, &err), LINLI_OK);
    T_INT(ll_payments_open(&h.instance, &err), LINLI_OK);
    host_call_settle(&h);
}

static void
close_host(void)
{
    host_call_forget(&h);
    ll_errands_stop(&h.host);
    ll_work_close(&h.instance);
    ll_queue_close(&h.instance.errands);
    ll_timer_free(&h.host.work_timer);
    ll_arena_fini(&h.host.arena);
    ll_buf_fini(&args);
    host_call_close(&h);
    T_INT(text_mem.used_bytes, 0);
}

/* -- asking -- */

/* "amount_fen=1 title='x'": a list of one map, into `args`. */
struct member {
    const char *name, *text; /* text NULL: the number */
    int64_t number;
};

static void
put_members(const struct member *members, uint32_t n)
{
    ll_buf_clear(&args);
    ll_put_list(&args, 1);
    ll_put_map(&args, n);
    for (uint32_t i = 0; i < n; i++) {
        ll_put_bytes(&args, ll_cstr(members[i].name));
        if (members[i].text != NULL)
            ll_put_bytes(&args, ll_cstr(members[i].text));
        else
            ll_put_int(&args, members[i].number);
    }
}

/* The code of a refusal, or "" and the JSON of the answer in h.value. */
static linli_str
ask(uint32_t op)
{
    if (host_call(&h, op, ll_buf_view(&args)) == LINLI_OK)
        return (linli_str)LINLI_STR("");
    T_INT(ll_rd_list(&h.value), 2);
    return ll_rd_bytes(&h.value);
}

static void
put_payment(const char *name, const char *text, int64_t number)
{
    struct member all[] = {{"amount_fen", NULL, 5}, {"title", "x", 0},
        {"channel", "wechat", 0}, {name, text, number}};
    uint32_t n = 4;
    for (uint32_t i = 0; i < 3; i++)
        if (strcmp(all[i].name, name) == 0) {
            all[i] = all[3];
            n = 3;
        }
    put_members(all, n);
}

/* A text of n bytes. */
static const char *
long_text(size_t n)
{
    static char text[70000];
    memset(text, '1', n);
    text[n] = '\0';
    return text;
}

T_CASE(payments_are_judged)
{
    static const struct {
        const char *name, *text;
        int64_t number;
        const char *code;
    } rows[] = {
        {"amount_fen", NULL, 1, ""},
        {"amount_fen", NULL, LL_PAY_FEN_MAX, ""},
        {"amount_fen", NULL, 0, "payments/invalid"},
        {"amount_fen", NULL, -1, "payments/invalid"},
        {"amount_fen", NULL, INT64_MIN, "payments/invalid"},
        {"amount_fen", NULL, LL_PAY_FEN_MAX + 1, "payments/invalid"},
        {"amount_fen", "5", 0, "db/query"},
        {"title", "停车费", 0, ""},
        {"title", "", 0, "payments/invalid"},
        {"title", "a\tb", 0, "payments/invalid"},
        {"title", "\xff", 0, "payments/invalid"},
        {"title", NULL, 1, "db/query"},
        {"channel", "a0_-", 0, ""},
        {"channel", "", 0, "payments/invalid"},
        {"channel", "0a", 0, "payments/invalid"},
        {"channel", "a b", 0, "payments/invalid"},
        {"pay_by", NULL, NOW + 1, ""},
        {"pay_by", NULL, LL_TIMER_AT_MS_MAX, ""},
        {"pay_by", NULL, NOW, "payments/invalid"},
        {"pay_by", NULL, -1, "payments/invalid"},
        {"pay_by", NULL, LL_TIMER_AT_MS_MAX + 1, "payments/invalid"},
        {"subject", PID, 0, ""},
        {"subject", "r1", 0, "db/document"},
        {"with", "{\"a\":[1]}", 0, ""},
        {"with", "7", 0, ""},
        {"with", "{", 0, "db/document"},
        {"odd", "x", 0, "db/query"},
    };
    open_host(manifest);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        int failed = t_failed_checks;
        put_payment(rows[i].name, rows[i].text, rows[i].number);
        T_STR(ask(OP_pay_create), rows[i].code);
        T_OK((h.call.txn.writes != NULL) == (rows[i].code[0] == '\0'));
        if (t_failed_checks != failed)
            printf("# in row %zu, %s\n", i, rows[i].name);
        host_call_forget(&h);
    }
    put_payment("title", long_text(LL_PAY_TITLE_BYTES_MAX), 0);
    T_STR(ask(OP_pay_create), "");
    put_payment("title", long_text(LL_PAY_TITLE_BYTES_MAX + 1), 0);
    T_STR(ask(OP_pay_create), "payments/invalid");
    put_payment("with", long_text(LL_PAY_WITH_BYTES_MAX + 1), 0);
    T_STR(ask(OP_pay_create), "db/limit");
    close_host();
}

/* A payment, its two errands: all, or none of them. */
T_CASE(a_payment_is_whole)
{
    uint32_t n = 0;
    open_host(manifest);
    put_payment("title", "x", 0);
    T_STR(ask(OP_pay_create), "");
    for (struct ll_write *w = h.call.txn.writes; w != NULL; w = w->next)
        n++;
    T_INT(n, 3);
    host_call_forget(&h);
    /* What is left of the call's room does for less than all of it. */
    for (size_t left = 0; left < 20000; left += 1000) {
        T_INT(ll_txn_hold(&h.call.txn, LL_OVERLAY_BYTES_MAX - left, &h.err),
            LINLI_OK);
        linli_str code = ask(OP_pay_create);
        if (code.len > 0)
            T_STR(code, "db/limit");
        T_OK((code.len > 0) == (h.call.txn.writes == NULL));
        host_call_forget(&h);
    }
    close_host();
}

static void
put_refund(const char *payment, int64_t fen, const char *key)
{
    const struct member all[] = {{"payment", payment, 0},
        {"amount_fen", NULL, fen}, {"key", key, 0}, {"reason", "why", 0}};
    put_members(all, 4);
}

T_CASE(refunds_are_judged)
{
    open_host(manifest);
    put_paid();
    put_refund(paid_id, 200, "k");
    T_STR(ask(OP_pay_refund), "");
    put_refund(paid_id, 200, "k");
    T_STR(ask(OP_pay_refund), "");
    put_refund(paid_id, 201, "k");
    T_STR(ask(OP_pay_refund), "payments/key-reused");
    put_refund(paid_id, 301, "l");
    T_STR(ask(OP_pay_refund), "payments/too-much");
    put_refund(paid_id, 300, "l");
    T_STR(ask(OP_pay_refund), "");
    put_refund(paid_id, 0, "m");
    T_STR(ask(OP_pay_refund), "payments/invalid");
    put_refund(paid_id, 1, "a\nb");
    T_STR(ask(OP_pay_refund), "payments/invalid");
    put_refund("", 1, "m");
    T_STR(ask(OP_pay_refund), "payments/invalid");
    put_refund("p1-00000000000000000000", 1, "m");
    T_STR(ask(OP_pay_refund), "payments/not-found");
    put_refund("nosuch", 1, "m");
    T_STR(ask(OP_pay_refund), "payments/not-found");
    close_host();
}

T_CASE(what_is_not_declared)
{
    open_host("{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,"
              "\"runtime\":\"lua\",\"main\":\"main.lua\",\"routes\":[]}");
    put_payment("title", "x", 0);
    T_STR(ask(OP_pay_create), "db/undeclared");
    put_refund("x", 1, "k");
    T_STR(ask(OP_pay_refund), "db/undeclared");
    ll_buf_clear(&args);
    ll_put_list(&args, 1);
    ll_put_bytes(&args, LINLI_STR("x"));
    T_STR(ask(OP_pay_get), "db/undeclared");
    close_host();
}

/* -- without memory -- */

/* True if there were not so many allocations. What was told a failure, and is
 * written in part, cannot commit. */
static bool
fail_one(uint32_t op, uint64_t n)
{
    h.call.unserved = LINLI_OK;
    h.host.mem.fail_in = n;
    linli_status status = host_call(&h, op, ll_buf_view(&args));
    bool good = h.host.mem.fail_in != 0;
    h.host.mem.fail_in = 0;
    T_OK(status == LINLI_OK || !good);
    T_OK(status == LINLI_OK || h.call.txn.writes == NULL ||
         h.call.unserved != LINLI_OK);
    host_call_forget(&h);
    return good;
}

T_CASE(each_allocation_may_fail)
{
    open_host(manifest);
    put_paid();
    put_payment("with", "{\"a\":1}", 0);
    for (uint64_t n = 1; !fail_one(OP_pay_create, n);)
        n++;
    put_refund(paid_id, 200, "k");
    for (uint64_t n = 1; !fail_one(OP_pay_refund, n);)
        n++;
    ll_buf_clear(&args);
    ll_put_list(&args, 1);
    ll_put_bytes(&args, ll_cstr(paid_id));
    for (uint64_t n = 1; !fail_one(OP_pay_get, n);)
        n++;
    T_STR(ask(OP_pay_get), "");
    close_host();
}

/* -- notices -- */

struct told {
    struct ll_pay_receipt receipt;
    uint32_t times;
    char code[48];
};

static void
on_told(struct ll_pay_receipt *receipt, const struct ll_err *err)
{
    struct told *told = (struct told *)receipt;
    told->times++;
    (void)snprintf(
        told->code, sizeof told->code, "%s", err == NULL ? "" : err->code);
}

static void
notify(struct told *told, const char *payment, const char *transaction,
    int64_t fen)
{
    *told = (struct told){.receipt = {.host = &h.host,
                              .done = on_told,
                              .event = {.adapter = &ll_pay_sim_adapter,
                                  .payment = ll_cstr(payment),
                                  .transaction = ll_cstr(transaction),
                                  .amount_fen = fen}}};
    ll_pay_receive(&told->receipt);
}

/* Until it is answered. */
static void
wait_told(struct told *told)
{
    for (int i = 0; told->times == 0 && i < 100000; i++) {
        ll_pay_receipts_release(&h.host);
        if (told->times == 0)
            ll_world_turn(h.host.world, true);
    }
    T_INT(told->times, 1);
}

/* It is told once, and when that is durable; whoever leaves, never. */
T_CASE(a_receipt_waits_for_the_disk)
{
    struct told told, gone, other;
    open_host(manifest);
    put_paid();
    notify(&gone, paid_id, "t2", 500);
    ll_pay_receipt_drop(&gone.receipt);
    notify(&told, paid_id, "t2", 500);
    wait_told(&told);
    T_STR(ll_cstr(told.code), "");
    T_OK(told.receipt.number > 0);
    T_OK(told.receipt.number <= ll_store_durable(h.host.store));
    /* Both are known now: a new one waits, and so does who repeats it. */
    notify(&told, paid_id, "t3", 500);
    notify(&other, paid_id, "t3", 500);
    T_INT(told.times + other.times, 0);
    T_INT(told.receipt.number, other.receipt.number);
    wait_told(&told);
    wait_told(&other);
    notify(&told, paid_id, "t3", 500); /* nothing new */
    T_INT(told.times, 1);
    notify(&told, "nosuch", "t", 1);
    wait_told(&told);
    T_STR(ll_cstr(told.code), "payments/unknown");
    T_INT(gone.times, 0);
    close_host();
}

/* Without memory a notice is not taken, and the next one is. */
T_CASE(a_notice_without_memory)
{
    struct told told;
    bool taken = false;
    open_host(manifest);
    put_paid();
    notify(&told, paid_id, "t1", 500); /* what it looks up is known now */
    wait_told(&told);
    for (uint64_t n = 1; !taken && n < 1000; n++) {
        h.host.mem.fail_in = n;
        notify(&told, paid_id, "t2", 500);
        h.host.mem.fail_in = 0;
        wait_told(&told);
        taken = told.code[0] == '\0';
        if (!taken)
            T_STR(ll_cstr(told.code), "runtime/memory");
    }
    T_OK(taken);
    close_host();
}

T_MAIN(T_RUN(payments_are_judged) T_RUN(a_payment_is_whole)
        T_RUN(refunds_are_judged) T_RUN(what_is_not_declared)
            T_RUN(each_allocation_may_fail) T_RUN(a_receipt_waits_for_the_disk)
                T_RUN(a_notice_without_memory))
