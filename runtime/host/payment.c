/* host/payment.c: a change of a payment, and what follows from it. [loop] */
#include "host/payment.h"

#include <stdio.h>

#include "base/text.h"
#include "host/alert.h"
#include "host/errand.h"
#include "host/work.h"

#define TEXT_BYTES_MAX ((size_t)LL_OVERLAY_BYTES_MAX)
#define UNTOLD "payment:" /* and the payment's id: of ~work */
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

bool
ll_pay_docs_get(
    struct ll_pay_docs *docs, struct ll_instance *instance, linli_str payment)
{
    char id[sizeof UNTOLD + LL_DOC_ID_BYTES_MAX];
    (void)snprintf(id, sizeof id, UNTOLD "%.*s", LL_FMT(payment));
    docs->payment = ll_docs_get(ll_pay_coll(instance), payment);
    docs->untold = ll_docs_get(ll_work_coll(instance), ll_cstr(id));
    if (docs->payment != NULL && docs->untold != NULL)
        return true;
    ll_pay_docs_unref(docs);
    return false;
}

bool
ll_pay_docs_ready(const struct ll_pay_docs *docs, struct ll_wait *wait)
{
    return ll_doc_ready(docs->payment, wait) &&
           ll_doc_ready(docs->untold, wait);
}

void
ll_pay_docs_unref(struct ll_pay_docs *docs)
{
    ll_doc_unref(&docs->payment);
    ll_doc_unref(&docs->untold);
}

linli_status
ll_pay_change_begin(struct ll_pay_change *change, struct ll_instance *instance,
    const struct ll_pay_docs *docs, struct ll_err *err)
{
    struct ll_host *host = instance->host;
    const struct ll_doc *doc = docs->payment;
    change->host = host;
    change->instance = instance;
    change->docs = *docs;
    change->commit = NULL;
    change->now_ms = ll_world_wall(host->world).ms;
    change->refund = 0;
    ll_pay_doc_init(&change->pay, &host->mem);
    if (doc->state == LL_DOC_LOST || docs->untold->state == LL_DOC_LOST)
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

/* What the plugin has not heard yet is one document of ~work: `with` is what
 * its handler is called with, `then` what comes after that, so that it hears
 * of a payment in the order in which things happened. */
static bool
is_rewritten(linli_str name)
{
    static const char *const names[] = {
        "due", "seq", "attempts", "code", "dead_at", "with", "then"};
    for (size_t i = 0; i < LL_COUNT(names); i++)
        if (ll_str_is(name, names[i]))
            return true;
    return false;
}

static void
write_first(struct ll_pay_change *change, struct ll_jw *w)
{
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_str(w, change->docs.untold->id);
    ll_jw_key(w, "kind");
    ll_jw_cstr(w, "payment");
    ll_queue_write_due(change->host, w, change->now_ms);
    ll_jw_key(w, "at");
    ll_jw_int(w, change->now_ms);
    ll_jw_key(w, "run");
    ll_jw_cstr(w, "payments");
    if (change->pay.subject.len > 0) {
        ll_jw_key(w, "subject");
        ll_jw_str(w, change->pay.subject);
    }
    ll_jw_key(w, "with");
    ll_pay_doc_tell(&change->pay, change->refund, w);
    ll_jw_close(w, '}');
}

static void
copy_member(struct ll_jw *w, struct ll_jv root, const char *name)
{
    struct ll_jv value = ll_jv_get(root, name);
    if (!ll_jv_there(value))
        return;
    ll_jw_key(w, name);
    ll_jw_value(w, value);
}

/* The alert of one that was given up, and is not any more. */
static void
settle_dead(struct ll_pay_change *change)
{
    char ref[LL_ALERT_JOB_BYTES];
    const struct ll_closing closing = {.by = LINLI_STR("linli"),
        .reason = LINLI_STR("there is something new, and it is tried again"),
        .at_ms = change->now_ms};
    ll_check(change->commit != NULL);
    ll_alert_job_ref(change->docs.untold->id, ref);
    ll_alert_settle(
        change->instance->space, ll_cstr(ref), &closing, change->commit);
}

/* Behind what is there. One that was given up is tried again: there is
 * something new to it. */
static void
write_next(struct ll_pay_change *change, struct ll_jv root, struct ll_jw *w)
{
    bool dead = !ll_jv_there(ll_jv_get(root, "due"));
    ll_jw_open(w, '{');
    LL_JSON_MEMBERS (name, value, root) {
        if (is_rewritten(ll_jv_str(name)))
            continue;
        ll_jw_key_str(w, ll_jv_str(name));
        ll_jw_value(w, value);
    }
    if (dead) {
        settle_dead(change);
        ll_queue_write_due(change->host, w, change->now_ms);
    } else {
        copy_member(w, root, "due");
        copy_member(w, root, "seq");
        copy_member(w, root, "attempts");
    }
    copy_member(w, root, "with");
    ll_jw_key(w, "then");
    ll_jw_open(w, '[');
    LL_JSON_EACH (item, ll_jv_get(root, "then"))
        ll_jw_value(w, item);
    ll_pay_doc_tell(&change->pay, change->refund, w);
    ll_jw_close(w, ']');
    ll_jw_close(w, '}');
}

/* The order to call the plugin's handler: with the payment as it is now. */
static linli_status
put_work(struct ll_pay_change *change, struct ll_txn *txn, struct ll_buf *text,
    struct ll_err *err)
{
    struct ll_json json;
    const struct ll_content *before = change->docs.untold->content;
    linli_status status = LINLI_OK;
    ll_json_init(&json, &change->host->mem);
    ll_buf_clear(text);
    struct ll_jw w = ll_jw(text);
    if (before == NULL)
        write_first(change, &w);
    else if (ll_json_parse(&json, before->body, LL_JSON_DEPTH_MAX, NULL) ==
             LINLI_OK)
        write_next(change, ll_json_root(&json), &w);
    else
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a payment");
    if (status == LINLI_OK)
        status =
            ll_txn_put(txn, change->docs.untold, text, change->now_ms, err);
    ll_json_fini(&json);
    return status;
}

static void
write_rest(
    struct ll_coll *work, struct ll_jv root, int64_t now_ms, struct ll_jw *w)
{
    struct ll_host *host = ((struct ll_queue *)work->user)->host;
    struct ll_jv then = ll_jv_get(root, "then"), first = ll_jv_first(then);
    ll_jw_open(w, '{');
    LL_JSON_MEMBERS (name, value, root) {
        if (is_rewritten(ll_jv_str(name)))
            continue;
        ll_jw_key_str(w, ll_jv_str(name));
        ll_jw_value(w, value);
    }
    ll_queue_write_due(host, w, now_ms);
    ll_jw_key(w, "with");
    ll_jw_value(w, first);
    ll_jw_key(w, "then");
    ll_jw_open(w, '[');
    LL_JSON_EACH (item, then)
        if (item.at != first.at)
            ll_jw_value(w, item);
    ll_jw_close(w, ']');
    ll_jw_close(w, '}');
}

bool
ll_pay_work_after(struct ll_coll *work, struct ll_jv root, int64_t now_ms,
    struct ll_content **after)
{
    struct ll_json json;
    struct ll_buf text;
    struct ll_mem *mem = work->space->docs->mem;
    *after = NULL;
    if (ll_jv_count(ll_jv_get(root, "then")) == 0)
        return true;
    ll_json_init(&json, mem);
    ll_buf_init(&text, mem, TEXT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    write_rest(work, root, now_ms, &w);
    bool good = !text.failed &&
                ll_json_parse(&json, ll_buf_view(&text), LL_JSON_DEPTH_MAX,
                    NULL) == LINLI_OK &&
                ll_content_new(work, ll_json_root(&json), ll_buf_view(&text),
                    now_ms, after, NULL) == LINLI_OK;
    ll_buf_fini(&text);
    ll_json_fini(&json);
    return good;
}

linli_status
ll_pay_change_put(
    struct ll_pay_change *change, struct ll_txn *txn, struct ll_err *err)
{
    struct ll_buf text;
    ll_buf_init(&text, &change->host->mem, TEXT_BYTES_MAX);
    ll_pay_doc_write(&change->pay, &text);
    linli_status status =
        ll_txn_put(txn, change->docs.payment, &text, change->now_ms, err);
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
