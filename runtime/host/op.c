/* host/op.c: a host call from its frame to its answer. [loop] */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/call.h"
#include "host/reading.h"

#define KEEP_BYTES ((size_t)16 << 10)

static void
on_ready(struct ll_wait *wait)
{
    struct ll_op *op = LL_CONTAINER(wait, struct ll_op, wait);
    ll_op_go(LL_CONTAINER(op, struct ll_call, op));
}

void
ll_op_init(struct ll_op *op, struct ll_mem *mem)
{
    *op = (struct ll_op){.wait = {.ready = on_ready}};
    ll_buf_init(&op->args, mem, LL_FRAME_BYTES_MAX);
    ll_buf_init(&op->text, mem, (size_t)2 * LL_FRAME_BYTES_MAX);
    ll_json_init(&op->json, mem);
}

void
ll_op_end(struct ll_op *op)
{
    if (!op->open)
        return;
    op->open = false;
    ll_wait_cancel(&op->wait);
    ll_doc_unref(&op->doc);
    if (op->scanning)
        ll_scan_fini(&op->scan);
    op->scanning = false;
    ll_reading_end(&op->reading);
    ll_content_free(op->args.mem, &op->content);
    ll_buf_reset(&op->args, KEEP_BYTES);
    ll_buf_reset(&op->text, KEEP_BYTES);
}

void
ll_op_fini(struct ll_op *op)
{
    ll_op_end(op);
    ll_buf_fini(&op->args);
    ll_buf_fini(&op->text);
    ll_json_fini(&op->json);
}

void
ll_op_go(struct ll_call *call)
{
    struct ll_op *op = &call->op;
    /* What it has seen is no state any more: it begins again. */
    if (call->txn.doomed) {
        ll_call_again(call);
        return;
    }
    while (op->open && op->step(call, op)) {
        /* A step that is over has answered, or set the next one. */
    }
}

bool
ll_op_wait_doc(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err;
    if (op->doc == NULL)
        op->doc = ll_docs_get(op->coll, op->id);
    if (op->doc == NULL) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a document");
        ll_op_refuse(call, &err);
        return false;
    }
    return ll_doc_ready(op->doc, &op->wait);
}

static void
on_scanned(struct ll_scan *scan)
{
    ll_op_go(scan->user);
}

void
ll_op_scan(struct ll_call *call, struct ll_op *op)
{
    op->scan.done = on_scanned;
    op->scan.user = call;
    op->scanning = true;
    ll_scan_start(&op->scan);
}

void
ll_op_answer(struct ll_call *call, linli_status status)
{
    ll_op_end(&call->op);
    ll_pool_answer(&call->run, status, (linli_str){NULL, 0});
}

void
ll_op_refuse(struct ll_call *call, const struct ll_err *err)
{
    struct ll_buf *text = &call->op.text;
    if (err->status == LINLI_E_IO || err->status == LINLI_E_NOMEM)
        call->unserved = err->status;
    char detail[sizeof err->where + sizeof err->msg + 4];
    (void)snprintf(detail, sizeof detail, "%s%s", err->where, err->msg);
    ll_buf_clear(text);
    ll_put_list(text, 2);
    ll_put_bytes(text, ll_cstr(err->code));
    ll_put_bytes(text, ll_cstr(detail));
    linli_str value = text->failed ? (linli_str){NULL, 0} : ll_buf_view(text);
    ll_pool_answer(&call->run, err->status, value);
    ll_op_end(&call->op);
}

void
ll_op_answer_text(struct ll_call *call)
{
    struct ll_op *op = &call->op;
    struct ll_err err;
    if (op->text.failed || op->text.len > LL_FRAME_BYTES_MAX - 64) {
        (void)ll_fail(&err, LINLI_E_LIMIT, "db/limit",
            "an answer of more than %u bytes", LL_FRAME_BYTES_MAX - 64);
        ll_op_refuse(call, &err);
        return;
    }
    ll_pool_answer(&call->run, LINLI_OK, ll_buf_view(&op->text));
    ll_op_end(op);
}

uint32_t
ll_op_options(struct ll_rd *args)
{
    int tag = ll_rd_peek(args);
    if (tag == LL_VALUE_MAP)
        return ll_rd_map(args);
    if (tag == LL_VALUE_NIL)
        (void)ll_rd_value(args);
    else if (ll_rd_list(args) > 0)
        args->bad = true;
    return 0;
}

/* -- dispatch -- */

static const struct {
    bool (*serve)(struct ll_call *call, struct ll_op *op, struct ll_rd *args);
    const char *args;
    bool draft;
    bool writes; /* not for routes that promise to change nothing */
} services[] = {
#define H(number, name, interface, is_draft, does_write, letters, answer) \
    [number] = {ll_serve_##name, letters, is_draft, does_write},
#include "wire/hostcall.def"
#undef H
};

static bool
refused_by_route(struct ll_call *call, struct ll_err *err)
{
    const struct ll_route *route = call->match.route;
    if (route == NULL) /* a timer, an event */
        return false;
    if (route->safe)
        return ll_fail(err, LINLI_E_DENIED, "db/read-only",
                   "%.*s %.*s is safe and may not write", LL_FMT(route->method),
                   LL_FMT(route->path)) != LINLI_OK;
    if (route->relaxed)
        return ll_fail(err, LINLI_E_DENIED, "db/relaxed-route",
                   "%.*s %.*s answers before its commit and may not write",
                   LL_FMT(route->method), LL_FMT(route->path)) != LINLI_OK;
    return false;
}

void
ll_call_service(struct ll_call *call, uint32_t number, linli_str args)
{
    struct ll_op *op = &call->op;
    struct ll_err err;
    ll_check(!op->open);
    if (number >= LL_COUNT(services) || services[number].serve == NULL) {
        ll_pool_answer(&call->run, LINLI_E_UNSUPPORTED, (linli_str){NULL, 0});
        return;
    }
    if (services[number].draft && !call->host->config.drafts) {
        ll_pool_answer(&call->run, LINLI_E_DENIED, (linli_str){NULL, 0});
        return;
    }
    op->open = true;
    ll_buf_clear(&op->args);
    ll_buf_str(&op->args, args);
    struct ll_rd rd = ll_rd(ll_buf_view(&op->args));
    if (op->args.failed) {
        ll_op_answer(call, LINLI_E_NOMEM);
    } else if (ll_rd_list(&rd) != strlen(services[number].args)) {
        ll_op_answer(call, LINLI_E_INVALID);
    } else if (services[number].writes && refused_by_route(call, &err)) {
        ll_op_refuse(call, &err);
    } else if (services[number].serve(call, op, &rd)) {
        ll_op_go(call);
    }
}

void
ll_call_services_end(struct ll_call *call)
{
    ll_op_end(&call->op);
    ll_reading_end(&call->reading);
    ll_call_unrelease(call);
    ll_timer_free(&call->wait);
}
