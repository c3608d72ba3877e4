/* tests/unit/host_call.h: a call that no worker runs, for what host calls
 * answer: a host of a store and a manifest, and an open run whose words are
 * ours. For unit tests and for fuzzing; what it needs itself is checked. */
#ifndef HOST_CALL_H
#define HOST_CALL_H

#include "base/text.h"
#include "host/effect.h"

struct host_call {
    struct ll_host host;
    struct ll_community community;
    struct ll_instance instance;
    struct ll_package package;
    struct ll_proc proc; /* hears what is answered */
    struct ll_call call;
    struct ll_mem heard; /* of what it hears */
    struct ll_err err;
    uint64_t failures;
    /* the answer */
    linli_status status;
    struct ll_rd value;
};

static inline void
host_call_durable(void *user)
{
    struct host_call *h = user;
    ll_docs_trim(&h->host.docs);
}

static inline void
host_call_failed(void *user, const struct ll_err *err)
{
    struct host_call *h = user;
    h->failures++;
    h->err = *err;
}

static inline void
host_call_store(struct host_call *h)
{
    struct ll_host *host = &h->host;
    struct ll_store_options options = {.mem = &host->mem,
        .world = host->world,
        .dir_fd = -1,
        .readers = 1,
        .durable = host_call_durable,
        .failed = host_call_failed,
        .user = h};
    ll_check(ll_store_open(&options, &host->store, &h->err) == LINLI_OK);
    ll_check(ll_docs_open(&host->docs, &host->mem, host->world, host->store,
                 &h->err) == LINLI_OK);
    ll_check(ll_billing_open(&host->billing, &host->mem, &host->docs,
                 host->world, &h->err) == LINLI_OK);
    h->instance.space =
        ll_docs_space(&host->docs, h->community.id, h->instance.id);
    ll_check(h->instance.space != NULL);
}

/* As host/instance.c does for a version that is enabled. */
static inline void
host_call_collections(struct host_call *h)
{
    const struct ll_manifest *m = h->package.manifest;
    for (uint32_t i = 0; i < m->collection_count; i++) {
        const struct ll_collection_decl *decl = &m->collections[i];
        struct ll_coll *coll = ll_space_coll(h->instance.space, decl->name);
        ll_check(coll != NULL);
        coll->subject = decl->subject;
        coll->retention_from = decl->retention_from;
        coll->retention_ms = decl->retention_ms;
        coll->doc_bytes = decl->doc_bytes;
        for (uint32_t k = 0; k < decl->index_count; k++)
            ll_check(ll_coll_index(coll, decl->indexes[k].name,
                         decl->indexes[k].text) != NULL);
    }
    ll_space_coll(h->instance.space, LINLI_STR("~work"))->subject =
        (linli_str)LINLI_STR("subject");
}

/* `h` is zero but for what its store is to be made of. */
static inline void
host_call_open(struct host_call *h, linli_str manifest)
{
    struct ll_host *host = &h->host;
    struct ll_call *call = &h->call;
    ll_mem_init(&host->mem, 0);
    ll_check(ll_world_new(&host->mem, &host->world, &h->err) == LINLI_OK);
    host->config.drafts = true;
    host->config.plugin_rows = 1000000;
    host->config.plugin_bytes = (int64_t)1 << 30;
    ll_check(ll_manifest_read(&host->mem, manifest, &h->package.manifest,
                 &h->err) == LINLI_OK);
    h->package.refs = 1;
    h->community.id = (linli_str)LINLI_STR("garden");
    h->community.host = host;
    h->instance.id = h->package.manifest->id;
    h->instance.host = host;
    h->instance.community = &h->community;
    h->instance.package = &h->package;
    host_call_store(h);
    host_call_collections(h);
    ll_mem_init(&h->heard, 0);
    ll_buf_init(&h->proc.out, &h->heard, (size_t)4 << 20);
    call->host = host;
    call->community = &h->community;
    call->instance = &h->instance;
    call->package = &h->package;
    call->now_ms = 1700000000000;
    call->run.proc = &h->proc;
    call->run.call = call->run.number = 1;
    ll_arena_init(&call->arena, &host->mem, (size_t)2 << 20);
    ll_buf_init(&call->scratch, &host->mem, (size_t)4 << 20);
    ll_txn_init(&call->txn, &host->docs);
    ll_op_init(&call->op, &host->mem);
}

/* Turns until all that was committed is durable. */
static inline void
host_call_settle(struct host_call *h)
{
    struct ll_store *store = h->host.store;
    while (ll_store_durable(store) < ll_store_last(store))
        ll_world_turn(h->host.world, true);
}

static inline void
host_call_close(struct host_call *h)
{
    struct ll_host *host = &h->host;
    ll_call_services_end(&h->call);
    ll_txn_fini(&h->call.txn);
    ll_op_fini(&h->call.op);
    ll_arena_fini(&h->call.arena);
    ll_buf_fini(&h->call.scratch);
    ll_docs_stop(&host->docs);
    ll_store_close(&host->store);
    ll_billing_close(&host->billing);
    ll_docs_close(&host->docs);
    ll_manifest_free(&h->package.manifest);
    ll_buf_fini(&h->proc.out);
    ll_world_free(&host->world);
    ll_check(h->failures == 0);
    ll_check(host->mem.used_bytes == 0);
}

/* One host call, to its answer, which is whole; `args` is one value. */
static inline linli_status
host_call(struct host_call *h, uint32_t number, linli_str args)
{
    struct ll_buf *out = &h->proc.out;
    ll_buf_reset(out, 65536);
    h->call.run.waiting = true;
    ll_call_service(&h->call, number, args);
    while (h->call.run.waiting)
        ll_world_turn(h->host.world, true);
    ll_check(!h->call.op.open && !out->failed);
    ll_check(out->len <= LL_FRAME_HEADER_BYTES + LL_FRAME_BYTES_MAX);
    linli_str payload = {
        out->ptr + LL_FRAME_HEADER_BYTES, out->len - LL_FRAME_HEADER_BYTES};
    struct ll_rd rd = ll_rd(payload);
    ll_check(ll_rd_list(&rd) == 2);
    h->status = (linli_status)ll_rd_int(&rd);
    h->value = ll_rd(ll_rd_value(&rd));
    ll_check(ll_rd_end(&rd));
    return h->status;
}

/* Commits what the call has written, and begins another. */
static inline uint64_t
host_call_commit(struct host_call *h)
{
    struct ll_docs *docs = &h->host.docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    ll_check(commit != NULL && !h->call.txn.doomed);
    ll_docs_commit_unwatched(docs, commit);
    (void)ll_effects_put(&h->call, commit);
    uint64_t number = ll_txn_commit(&h->call.txn, commit);
    ll_check(number != 0);
    h->call.effects = h->call.effects_last = NULL;
    h->call.tries = NULL;
    return number;
}

/* Lets go of it instead. */
static inline void
host_call_forget(struct host_call *h)
{
    ll_txn_reset(&h->call.txn);
    ll_arena_reset(&h->call.arena);
    h->call.effects = h->call.effects_last = NULL;
    h->call.tries = NULL;
}

#endif
