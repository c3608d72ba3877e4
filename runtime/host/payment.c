/* host/payment.c: a change of a payment, and what follows from it. [loop] */
#include "host/payment.h"

#include <stdio.h>

#include "base/text.h"
#include "host/alert.h"
#include "host/errand.h"
#include "host/work.h"

#define TEXT_BYTES_MAX ((size_t)1 << 20)
#define ALARM_BYTES_MAX 8192
#define REF_BYTES 48 /* "payment/" and 32 digits */

/* -- opening -- */

linli_status
ll_payments_open(struct ll_instance *instance, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    if (ll_pay_coll(instance) == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "payments");
    if (instance->work == NULL)
        status = ll_work_open(instance, err);
    if (status == LINLI_OK && instance->errands == NULL)
        status = ll_errands_open(instance, err);
    return status;
}

/* -- a change -- */

linli_status
ll_pay_change_begin(struct ll_pay_change *change, struct ll_instance *instance,
    struct ll_doc *doc, struct ll_err *err)
{
    struct ll_host *host = instance->host;
    change->host = host;
    change->instance = instance;
    change->doc = doc;
    change->now_ms = ll_world_wall(host->world).ms;
    change->refund = 0;
    ll_pay_doc_init(&change->pay, &host->mem);
    if (doc->state == LL_DOC_LOST)
        return ll_fail(err, LINLI_E_IO, "store/failed", "a payment");
    if (doc->content == NULL)
        return ll_fail(
            err, LINLI_E_NOT_FOUND, "payments/unknown", "no such payment");
    if (!ll_pay_doc_read(&change->pay, doc->content->body))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a payment");
    change->state_before = change->pay.money.state;
    change->refunds_before = change->pay.money.refund_count;
    return LINLI_OK;
}

void
ll_pay_change_fini(struct ll_pay_change *change)
{
    ll_pay_doc_fini(&change->pay);
}

/* The provider is asked for refund `number`. */
static linli_status
put_refund(struct ll_pay_change *change, uint32_t number, struct ll_txn *txn,
    struct ll_err *err)
{
    char refund[LL_PAY_REFUND_ID_BYTES], id[LL_PAY_REFUND_ID_BYTES + 8];
    char with[LL_PAY_REFUND_ID_BYTES + 16];
    ll_pay_refund_id(change->pay.id, number, refund);
    (void)snprintf(id, sizeof id, "refund:%s", refund);
    (void)snprintf(with, sizeof with, "{\"refund\":\"%s\"}", refund);
    struct ll_errand_want want = {.kind = "pay.refund",
        .with = ll_cstr(with),
        .subject = change->pay.subject,
        .id = ll_cstr(id)};
    return ll_errand_put(
        change->instance->errands, txn, &want, change->now_ms, NULL, err);
}

/* States that a plugin is told of. */
static bool
is_settled(enum ll_pay_state state)
{
    return state == LL_PAY_PAID || state == LL_PAY_PARTIALLY_REFUNDED ||
           state == LL_PAY_REFUNDED || state == LL_PAY_EXPIRED ||
           state == LL_PAY_FAILED;
}

/* A refund that the plugin has not asked for is none of its business. */
static bool
is_told(const struct ll_pay_change *change)
{
    const struct ll_payment *money = &change->pay.money;
    if (change->refund != 0)
        return !money->refunds[change->refund - 1].automatic;
    return money->state != change->state_before && is_settled(money->state);
}

static void
write_work(struct ll_pay_change *change, linli_str id, struct ll_buf *text)
{
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, id);
    ll_jw_key(&w, "kind");
    ll_jw_cstr(&w, "payment");
    ll_queue_write_due(change->host, &w, change->now_ms);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, change->now_ms);
    ll_jw_key(&w, "run");
    ll_jw_cstr(&w, "payments");
    ll_jw_key(&w, "with");
    ll_pay_doc_tell(&change->pay, change->refund, &w);
    if (change->pay.subject.len > 0) {
        ll_jw_key(&w, "subject");
        ll_jw_str(&w, change->pay.subject);
    }
    ll_jw_close(&w, '}');
}

/* The order to call the plugin's handler: with the payment as it is now. */
static linli_status
put_work(struct ll_pay_change *change, struct ll_txn *txn, struct ll_buf *text,
    struct ll_err *err)
{
    unsigned char random[16];
    char id[2 * sizeof random + 1];
    ll_world_random(change->host->world, random, sizeof random);
    ll_hex(random, sizeof random, id);
    /* Nobody has this id: it is known to be absent. */
    struct ll_doc *doc =
        ll_docs_make(ll_work_coll(change->instance), ll_cstr(id));
    if (doc == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a payment");
    write_work(change, doc->id, text);
    linli_status status = ll_txn_put(txn, doc, text, change->now_ms, err);
    ll_doc_unref(&doc);
    return status;
}

linli_status
ll_pay_change_put(
    struct ll_pay_change *change, struct ll_txn *txn, struct ll_err *err)
{
    struct ll_buf text;
    ll_buf_init(&text, &change->host->mem, TEXT_BYTES_MAX);
    ll_pay_doc_write(&change->pay, &text);
    linli_status status =
        ll_txn_put(txn, change->doc, &text, change->now_ms, err);
    for (uint32_t n = change->refunds_before + 1;
         status == LINLI_OK && n <= change->pay.money.refund_count; n++)
        status = put_refund(change, n, txn, err);
    if (status == LINLI_OK && is_told(change))
        status = put_work(change, txn, &text, err);
    ll_buf_fini(&text);
    return status;
}

/* -- alerts -- */

static void
put_part(struct ll_jw *w, const char *name, linli_str text)
{
    if (text.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

static void
put_fen(struct ll_jw *w, const char *name, int64_t fen)
{
    if (fen == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_int(w, fen);
}

/* One thing is told once while nobody has closed it, however often a provider
 * repeats itself: its name is the hash of what it is about. */
static void
name_alarm(const struct ll_pay_alarm *alarm, char ref[REF_BYTES])
{
    const linli_str parts[] = {ll_cstr(alarm->kind), ll_cstr(alarm->reason),
        alarm->payment, alarm->refund, alarm->transaction};
    unsigned char hash[LL_SHA256_BYTES] = {0};
    char hex[2 * LL_SHA256_BYTES + 1];
    for (size_t i = 0; i < LL_COUNT(parts); i++) {
        unsigned char part[LL_SHA256_BYTES];
        ll_sha256(parts[i].ptr, parts[i].len, part);
        ll_sha256_two((linli_str){(const char *)hash, sizeof hash},
            (linli_str){(const char *)part, sizeof part}, hash);
    }
    ll_hex(hash, sizeof hash, hex);
    (void)snprintf(ref, REF_BYTES, "payment/%.32s", hex);
}

bool
ll_pay_alarm_put(struct ll_host *host, const struct ll_space *space,
    const struct ll_pay_alarm *alarm, struct ll_commit *commit)
{
    struct ll_buf data;
    char ref[REF_BYTES];
    ll_buf_init(&data, &host->mem, ALARM_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    put_part(&w, "reason", ll_cstr(alarm->reason));
    put_part(&w, "payment", alarm->payment);
    put_part(&w, "refund", alarm->refund);
    put_part(&w, "transaction", alarm->transaction);
    put_fen(&w, "amount_fen", alarm->amount_fen);
    put_fen(&w, "expected_fen", alarm->expected_fen);
    ll_jw_close(&w, '}');
    name_alarm(alarm, ref);
    struct ll_alert alert = {.space = space,
        .kind = ll_cstr(alarm->kind),
        .ref = ll_cstr(ref),
        .subject = alarm->subject,
        .trace_id = LINLI_STR(""),
        .data = ll_buf_view(&data),
        .at_ms = ll_world_wall(host->world).ms};
    bool good = !data.failed;
    if (good)
        ll_alert_put(host, &alert, commit);
    ll_buf_fini(&data);
    return good;
}
