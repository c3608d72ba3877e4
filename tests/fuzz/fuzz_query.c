/* tests/fuzz/fuzz_query.c: host calls whose arguments a hostile worker makes.
 *
 * The input is a sequence of host calls: a number, the length of its
 * arguments (two bytes, little-endian) and as many bytes, which are given on
 * if they are one value, as the wire does. Number 0 commits what was written
 * so far. Whatever is asked is answered, once: with a value of the right
 * shape, or with a status and a code that people can look up; documents that
 * are told are documents, and nothing is left of a call that is let go.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/host_call.h"
#include "base/problem.h"

#define INPUTS_PER_HOST 256 /* what was committed goes with it */
#define CALLS_MAX 64
#define NOTES 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
#define H(number, name, interface, draft, writes, args, answer) \
    OP_##name = number,
#include "wire/hostcall.def"
#undef H
};

static const char manifest[] =
    "{\"id\":\"fuzz\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
    "\"main\":\"main.lua\",\"routes\":[],\"collections\":{"
    "\"n\":{\"indexes\":{\"a\":{\"fields\":[\"a\",\"b\"]},"
    "\"u\":{\"fields\":[\"u\"],\"unique\":true,\"sparse\":true},"
    "\"s\":{\"fields\":[\"a\"],\"interval\":{\"from\":\"f\",\"to\":\"t\","
    "\"longest_ms\":9}}}},\"w\":{\"subject\":\"who\",\"doc_bytes\":1024,"
    "\"retention\":{\"days\":1,\"from\":\"f\"}}},"
    "\"events\":{\"publishes\":[\"fuzz.e\"]},\"alerts\":[\"fuzz.e\"],"
    "\"timers\":[\"r\"],"
    "\"meters\":{\"fuzz.m\":{\"kind\":\"count\",\"unit\":\"n\"}}}";

static struct host_call h;
static unsigned inputs;

static void
must(bool holds)
{
    if (!holds)
        abort();
}

/* -- what must be so of an answer -- */

static void
check_document(linli_str text)
{
    static struct ll_mem mem;
    struct ll_json json;
    ll_json_init(&json, &mem);
    must(ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK);
    must(ll_jv_str(ll_jv_get(ll_json_root(&json), "id")).len > 0);
    ll_json_fini(&json);
    must(mem.used_bytes == 0);
}

static void
check_documents(struct ll_rd *rd)
{
    uint32_t count = ll_rd_list(rd);
    for (uint32_t i = 0; i < count; i++)
        check_document(ll_rd_bytes(rd));
}

/* [true, document] or [false, reason, index] */
static void
check_written(struct ll_rd *rd)
{
    uint32_t count = ll_rd_list(rd);
    bool written = ll_rd_bool(rd);
    must(count == (written ? 2u : 3u));
    if (written)
        check_document(ll_rd_bytes(rd));
    else
        must(ll_rd_bytes(rd).len > 0 && ll_rd_bytes(rd).len <= 1);
}

static void
check_value(uint32_t op, struct ll_rd *rd)
{
    bool there;
    linli_str text;
    switch (op) {
    case OP_db_get:
        text = ll_rd_bytes_or_nil(rd, &there);
        if (there)
            check_document(text);
        break;
    case OP_db_insert:
    case OP_db_put:
    case OP_db_patch:
        check_written(rd);
        break;
    case OP_db_delete:
    case OP_timer_cancel:
        (void)ll_rd_bool(rd);
        break;
    case OP_db_list:
        must(ll_rd_list(rd) == 2);
        check_documents(rd);
        (void)ll_rd_bytes_or_nil(rd, &there);
        break;
    case OP_db_count:
        (void)ll_rd_int_in(rd, 0, LL_COUNT_MAX);
        break;
    case OP_db_overlaps:
        must(ll_rd_list(rd) == 1);
        check_documents(rd);
        break;
    case OP_timer_set:
    case OP_meter_add:
    case OP_code_try:
        must(ll_rd_bytes(rd).len > 0);
        break;
    default:
        (void)ll_rd_value(rd);
    }
    must(ll_rd_end(rd));
}

/* Nil, or a code of the table and words. */
static void
check_refusal(struct ll_rd *rd)
{
    if (ll_rd_peek(rd) == LL_VALUE_LIST) {
        must(ll_rd_list(rd) == 2);
        must(ll_problem_find(ll_rd_bytes(rd)) != NULL);
        (void)ll_rd_bytes(rd);
    } else {
        (void)ll_rd_value(rd);
    }
    must(ll_rd_end(rd));
}

static void
give(uint32_t op, linli_str args)
{
    struct ll_rd rd = ll_rd(args);
    (void)ll_rd_value(&rd);
    if (!ll_rd_end(&rd) || op == OP_probe_wait)
        return;
    if (host_call(&h, op, args) == LINLI_OK)
        check_value(op, &h.value);
    else
        check_refusal(&h.value);
}

/* -- a host, with something in it -- */

static void
put_note(int n)
{
    char text[160];
    struct ll_buf args;
    (void)snprintf(text, sizeof text,
        "{\"id\":\"%c\",\"a\":%d,\"b\":\"%c\",%s\"f\":%d,\"t\":%d}", '0' + n,
        n % 5, 'a' + n % 3, n % 7 == 0 ? "\"u\":1," : "", n, n + 1 + n % 9);
    ll_buf_init(&args, &h.host.mem, 4096);
    ll_put_list(&args, 2);
    ll_put_bytes(&args, LINLI_STR("n"));
    ll_put_bytes(&args, ll_cstr(text));
    give(OP_db_put, ll_buf_view(&args));
    ll_buf_fini(&args);
}

static void
begin(void)
{
    if (inputs > 0 && inputs % INPUTS_PER_HOST == 0) {
        host_call_settle(&h);
        host_call_close(&h);
    }
    if (inputs++ % INPUTS_PER_HOST != 0)
        return;
    memset(&h, 0, sizeof h);
    host_call_open(&h, LINLI_STR(manifest));
    for (int n = 0; n < NOTES; n++)
        put_note(n);
    (void)host_call_commit(&h);
    host_call_settle(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin();
    for (int calls = 0; size >= 3 && calls < CALLS_MAX; calls++) {
        size_t n = (size_t)data[1] | (size_t)data[2] << 8;
        n = n < size - 3 ? n : size - 3;
        if (data[0] == 0)
            (void)host_call_commit(&h);
        else
            give(data[0], (linli_str){(const char *)data + 3, n});
        data += 3 + n;
        size -= 3 + n;
    }
    host_call_forget(&h);
    must(h.host.docs.txns == &h.call.txn && h.call.txn.next == NULL);
    return 0;
}
