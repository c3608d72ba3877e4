/* host/pay_doc.c: payments from and to JSON. [loop] */
#include "host/pay_doc.h"

#include <stdio.h>

#include "base/text.h"

#define ID_RANDOM_BYTES 10
#define BODY_BYTES_MAX ((size_t)1 << 20)

/* -- ids -- */

void
ll_pay_id_new(struct ll_host *host, const struct ll_space *space,
    char out[LL_PAY_ID_BYTES])
{
    unsigned char random[ID_RANDOM_BYTES];
    char hex[2 * ID_RANDOM_BYTES + 1];
    ll_world_random(host->world, random, sizeof random);
    ll_hex(random, sizeof random, hex);
    /* Spaces are counted from 1: there are no 2^32 of them. */
    ll_check(space->id > 0);
    ll_check(space->id <= UINT32_MAX);
    (void)snprintf(
        out, LL_PAY_ID_BYTES, "p%llx-%s", (unsigned long long)space->id, hex);
}

/* Lower-case hexadecimal digits. */
static bool
is_hex(linli_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.ptr[i] >= '0' && s.ptr[i] <= '9') &&
            !(s.ptr[i] >= 'a' && s.ptr[i] <= 'f'))
            return false;
    return s.len > 0;
}

bool
ll_pay_id_space(linli_str id, int64_t *space)
{
    linli_str rest, head;
    *space = 0;
    if (id.len < 2 || id.len >= LL_PAY_ID_BYTES || id.ptr[0] != 'p')
        return false;
    rest = (linli_str){id.ptr + 1, id.len - 1};
    if (!ll_str_split(&rest, '-', &head) || !is_hex(head) || head.len > 8 ||
        rest.len != (size_t)2 * ID_RANDOM_BYTES || !is_hex(rest))
        return false;
    for (size_t i = 0; i < head.len; i++) {
        char c = head.ptr[i];
        *space = *space * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return *space > 0;
}

void
ll_pay_refund_id(
    linli_str payment, uint32_t number, char out[LL_PAY_REFUND_ID_BYTES])
{
    (void)snprintf(
        out, LL_PAY_REFUND_ID_BYTES, "%.*s-r%u", LL_FMT(payment), number);
}

bool
ll_pay_refund_id_split(linli_str id, linli_str *payment, uint32_t *number)
{
    int64_t n, space;
    for (size_t i = id.len; i-- > 2;) {
        linli_str tail = {id.ptr + i, id.len - i};
        if (id.ptr[i - 1] != 'r' || id.ptr[i - 2] != '-')
            continue;
        *payment = (linli_str){id.ptr, i - 2};
        if (!ll_str_int(tail, 1, LL_PAY_REFUNDS_MAX, &n) ||
            !ll_pay_id_space(*payment, &space))
            return false;
        *number = (uint32_t)n;
        return true;
    }
    return false;
}

/* -- reading -- */

void
ll_pay_doc_init(struct ll_pay_doc *doc, struct ll_mem *mem)
{
    memset(doc, 0, sizeof *doc);
    ll_buf_init(&doc->text, mem, BODY_BYTES_MAX);
    ll_json_init(&doc->json, mem);
}

void
ll_pay_doc_fini(struct ll_pay_doc *doc)
{
    ll_json_fini(&doc->json);
    ll_buf_fini(&doc->text);
}

static linli_str
text_of(struct ll_jv v, const char *name)
{
    return ll_jv_str(ll_jv_get(v, name));
}

static int64_t
int_of(struct ll_jv v, const char *name)
{
    int64_t i = 0;
    (void)ll_jv_int(ll_jv_get(v, name), &i);
    return i;
}

static bool
read_transaction(struct ll_jv v, struct ll_pay_transaction *out)
{
    *out = (struct ll_pay_transaction){.id = text_of(v, "id"),
        .amount_fen = int_of(v, "amount_fen"),
        .received_ms = int_of(v, "received")};
    return ll_pay_outcome_read(text_of(v, "outcome"), &out->outcome);
}

static bool
read_refund(struct ll_jv v, struct ll_pay_refund *out)
{
    *out = (struct ll_pay_refund){.transaction = text_of(v, "transaction"),
        .key = text_of(v, "key"),
        .reason = text_of(v, "reason"),
        .amount_fen = int_of(v, "amount_fen"),
        .asked_ms = int_of(v, "asked"),
        .settled_ms = int_of(v, "settled"),
        .automatic = ll_jv_true(ll_jv_get(v, "automatic"))};
    return ll_pay_refund_state_read(text_of(v, "state"), &out->state);
}

bool
ll_pay_doc_read(struct ll_pay_doc *doc, linli_str body)
{
    struct ll_payment *money = &doc->money;
    ll_buf_clear(&doc->text);
    ll_buf_str(&doc->text, body);
    if (doc->text.failed || ll_json_parse(&doc->json, ll_buf_view(&doc->text),
                                LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    struct ll_jv root = ll_json_root(&doc->json);
    doc->id = text_of(root, "id");
    doc->title = text_of(root, "title");
    doc->channel = text_of(root, "channel");
    doc->adapter = text_of(root, "adapter");
    doc->subject = text_of(root, "subject");
    *money = (struct ll_payment){.amount_fen = int_of(root, "amount_fen"),
        .created_ms = int_of(root, "created"),
        .pay_by_ms = int_of(root, "pay_by"),
        .paid_ms = int_of(root, "paid"),
        .answered = ll_jv_true(ll_jv_get(root, "answered"))};
    /* We wrote it: that it is otherwise is a bug of ours. */
    ll_check(ll_pay_state_read(text_of(root, "state"), &money->state));
    LL_JSON_EACH (item, ll_jv_get(root, "transactions")) {
        ll_check(money->transaction_count < LL_PAY_TRANSACTIONS_MAX);
        ll_check(read_transaction(
            item, &money->transactions[money->transaction_count++]));
    }
    LL_JSON_EACH (item, ll_jv_get(root, "refunds")) {
        ll_check(money->refund_count < LL_PAY_REFUNDS_MAX);
        ll_check(read_refund(item, &money->refunds[money->refund_count++]));
    }
    return true;
}

/* -- writing -- */

static void
put_text(struct ll_jw *w, const char *name, linli_str text)
{
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

static void
put_text_if(struct ll_jw *w, const char *name, linli_str text)
{
    if (text.len > 0)
        put_text(w, name, text);
}

static void
put_int(struct ll_jw *w, const char *name, int64_t value)
{
    ll_jw_key(w, name);
    ll_jw_int(w, value);
}

static void
put_flag(struct ll_jw *w, const char *name, bool value)
{
    ll_jw_key(w, name);
    ll_jw_bool(w, value);
}

/* A member that is JSON: the new text, or what was read; false: neither. */
static bool
put_json(struct ll_jw *w, const struct ll_pay_doc *doc, const char *name,
    linli_str text)
{
    struct ll_jv kept = {NULL, 0};
    if (text.ptr == NULL && doc->json.count > 0)
        kept = ll_jv_get(ll_json_root(&doc->json), name);
    if (text.ptr == NULL && !ll_jv_there(kept))
        return false;
    ll_jw_key(w, name);
    if (text.ptr != NULL)
        ll_jw_raw(w, text);
    else
        ll_jw_value(w, kept);
    return true;
}

static void
write_transaction(struct ll_jw *w, const struct ll_pay_transaction *t)
{
    ll_jw_open(w, '{');
    put_text(w, "id", t->id);
    put_int(w, "amount_fen", t->amount_fen);
    put_int(w, "received", t->received_ms);
    put_text(w, "outcome", ll_cstr(ll_pay_outcome_name(t->outcome)));
    ll_jw_close(w, '}');
}

static void
write_refund(struct ll_jw *w, const struct ll_pay_refund *r)
{
    ll_jw_open(w, '{');
    put_text(w, "transaction", r->transaction);
    put_int(w, "amount_fen", r->amount_fen);
    put_text(w, "state", ll_cstr(ll_pay_refund_state_name(r->state)));
    put_text_if(w, "key", r->key);
    put_text_if(w, "reason", r->reason);
    put_int(w, "asked", r->asked_ms);
    if (r->settled_ms != 0)
        put_int(w, "settled", r->settled_ms);
    if (r->automatic)
        put_flag(w, "automatic", true);
    ll_jw_close(w, '}');
}

void
ll_pay_doc_write(const struct ll_pay_doc *doc, struct ll_buf *out)
{
    const struct ll_payment *money = &doc->money;
    struct ll_jw jw = ll_jw(out), *w = &jw;
    ll_buf_clear(out);
    ll_jw_open(w, '{');
    put_text(w, "id", doc->id);
    put_text(w, "state", ll_cstr(ll_pay_state_name(money->state)));
    put_int(w, "amount_fen", money->amount_fen);
    put_text(w, "title", doc->title);
    put_text(w, "channel", doc->channel);
    put_text(w, "adapter", doc->adapter);
    put_text_if(w, "subject", doc->subject);
    put_int(w, "created", money->created_ms);
    put_int(w, "pay_by", money->pay_by_ms);
    if (money->paid_ms != 0)
        put_int(w, "paid", money->paid_ms);
    put_flag(w, "answered", money->answered);
    if (ll_payment_held_fen(money) > 0)
        put_flag(w, "held", true);
    (void)put_json(w, doc, "with", doc->with_json);
    (void)put_json(w, doc, "pay_params", doc->params_json);
    ll_jw_key(w, "transactions");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < money->transaction_count; i++)
        write_transaction(w, &money->transactions[i]);
    ll_jw_close(w, ']');
    ll_jw_key(w, "refunds");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < money->refund_count; i++)
        write_refund(w, &money->refunds[i]);
    ll_jw_close(w, ']');
    ll_jw_close(w, '}');
}

/* -- telling -- */

static void
put_sums(struct ll_jw *w, const struct ll_payment *money)
{
    bool paid = ll_payment_accepted(money) != NULL;
    put_int(w, "paid_fen", paid ? money->amount_fen : 0);
    put_int(
        w, "refunded_fen", ll_payment_refund_fen(money, LL_PAY_REFUND_DONE));
    put_flag(w, "flagged", ll_payment_held_fen(money) > 0);
}

static void
put_refund_id(struct ll_jw *w, const char *name, const struct ll_pay_doc *doc,
    uint32_t number)
{
    char id[LL_PAY_REFUND_ID_BYTES];
    ll_pay_refund_id(doc->id, number, id);
    put_text(w, name, ll_cstr(id));
}

/* What a plugin and an operator see of a refund alike. */
static void
open_refund(struct ll_jw *w, const struct ll_pay_doc *doc, uint32_t i)
{
    const struct ll_pay_refund *r = &doc->money.refunds[i];
    ll_jw_open(w, '{');
    put_refund_id(w, "id", doc, i + 1);
    put_text(w, "state", ll_cstr(ll_pay_refund_state_name(r->state)));
    put_int(w, "amount_fen", r->amount_fen);
    put_flag(w, "automatic", r->automatic);
    put_text_if(w, "reason", r->reason);
    put_text_if(w, "key", r->key);
}

void
ll_pay_doc_tell(const struct ll_pay_doc *doc, uint32_t refund, struct ll_jw *w)
{
    const struct ll_payment *money = &doc->money;
    ll_jw_open(w, '{');
    put_text(w, "id", doc->id);
    put_text(w, "state", ll_cstr(ll_pay_state_name(money->state)));
    put_int(w, "amount_fen", money->amount_fen);
    put_sums(w, money);
    put_text(w, "title", doc->title);
    put_text(w, "channel", doc->channel);
    put_text_if(w, "subject", doc->subject);
    put_int(w, "created", money->created_ms);
    put_int(w, "pay_by", money->pay_by_ms);
    if (money->paid_ms != 0)
        put_int(w, "paid_at", money->paid_ms);
    (void)put_json(w, doc, "with", doc->with_json);
    (void)put_json(w, doc, "pay_params", doc->params_json);
    if (refund != 0)
        put_refund_id(w, "refund_id", doc, refund);
    ll_jw_key(w, "refunds");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < money->refund_count; i++) {
        open_refund(w, doc, i);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
    ll_jw_close(w, '}');
}

static void
put_instant(struct ll_jw *w, const char *name, int64_t ms)
{
    char text[LL_RFC3339_BYTES];
    ll_jw_key(w, name);
    if (ms == 0) {
        ll_jw_null(w);
        return;
    }
    ll_rfc3339(ms, text);
    ll_jw_cstr(w, text);
}

static void
show_lists(const struct ll_pay_doc *doc, struct ll_jw *w)
{
    const struct ll_payment *money = &doc->money;
    ll_jw_key(w, "transactions");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < money->transaction_count; i++) {
        const struct ll_pay_transaction *t = &money->transactions[i];
        ll_jw_open(w, '{');
        put_text(w, "id", t->id);
        put_int(w, "amount_fen", t->amount_fen);
        put_text(w, "outcome", ll_cstr(ll_pay_outcome_name(t->outcome)));
        put_instant(w, "received_at", t->received_ms);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
    ll_jw_key(w, "refunds");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < money->refund_count; i++) {
        const struct ll_pay_refund *r = &money->refunds[i];
        open_refund(w, doc, i);
        put_text(w, "transaction_id", r->transaction);
        put_instant(w, "asked_at", r->asked_ms);
        put_instant(w, "settled_at", r->settled_ms);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

void
ll_pay_doc_show(const struct ll_pay_doc *doc, linli_str plugin, struct ll_jw *w)
{
    const struct ll_payment *money = &doc->money;
    ll_jw_open(w, '{');
    put_text(w, "id", doc->id);
    put_text(w, "plugin", plugin);
    put_text(w, "state", ll_cstr(ll_pay_state_name(money->state)));
    put_int(w, "amount_fen", money->amount_fen);
    put_sums(w, money);
    put_int(w, "held_fen", ll_payment_held_fen(money));
    put_text(w, "title", doc->title);
    put_text(w, "channel", doc->channel);
    put_text(w, "adapter", doc->adapter);
    ll_jw_key(w, "subject");
    if (doc->subject.len > 0)
        ll_jw_str(w, doc->subject);
    else
        ll_jw_null(w);
    put_instant(w, "created_at", money->created_ms);
    put_instant(w, "pay_by", money->pay_by_ms);
    put_instant(w, "paid_at", money->paid_ms);
    show_lists(doc, w);
    ll_jw_close(w, '}');
}

/* -- where they lie -- */

struct ll_coll *
ll_pay_coll(struct ll_instance *instance)
{
    static const char *const indexes[][2] = {
        {"by_created", "{\"fields\":[\"created\"]}"},
        {"by_state", "{\"fields\":[\"state\",\"created\"]}"},
        {"by_held", "{\"fields\":[\"held\",\"created\"],\"sparse\":true}"}};
    struct ll_coll *coll =
        ll_space_coll(instance->space, LINLI_STR("~payment"));
    if (coll == NULL)
        return NULL;
    coll->subject = (linli_str)LINLI_STR("subject");
    for (size_t i = 0; i < LL_COUNT(indexes); i++)
        if (ll_coll_find_index(coll, ll_cstr(indexes[i][0])) == NULL &&
            ll_coll_index(
                coll, ll_cstr(indexes[i][0]), ll_cstr(indexes[i][1])) == NULL)
            return NULL;
    return coll;
}

struct ll_instance *
ll_pay_instance(const struct ll_host *host, linli_str id)
{
    int64_t space;
    if (!ll_pay_id_space(id, &space))
        return NULL;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            if (i->space->id == space)
                return i;
    return NULL;
}
