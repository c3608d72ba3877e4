/* host/reconcile.c: walking segments and buckets, and comparing. [loop]
 *
 * Each step reads a page, asks for the next and returns, so that the loop
 * serves calls in between. Pages come from snapshots of different ages; what
 * makes that exact is that a bucket knows its last LSN: the records of its
 * series and slot up to there are all that it may hold.
 */
#include "host/reconcile.h"

#include "base/text.h"
#include "host/host.h"
#include "store/store.h"

/* The sum of a (series, slot): what the records say, less what its buckets
 * do. Quantities wrap: two sums are the same if their difference is 0. */
struct sum {
    int64_t slot_ms;
    uint32_t series;
    uint32_t next;            /* in its chain, by place + 1; 0: the last */
    uint64_t quantity, count; /* the differences */
    uint64_t first, last;     /* LSNs of its records; 0: none */
    uint64_t bucket_first, bucket_last, bucket; /* 0: no bucket seen */
};

#define SUMS_FIRST 1024

enum phase { SEGMENTS, BUCKETS, REST };

struct ll_reconcile {
    struct ll_host *host;
    struct ll_query query;
    bool asking;
    enum phase phase;
    uint64_t lsn;   /* the last that a walked segment holds */
    uint64_t to;    /* the last that a bucket claims */
    int64_t bucket; /* the last id of the buckets walked */
    unsigned char hash[LL_SHA256_BYTES]; /* of the last segment */
    struct sum *sums;
    uint32_t count, cap;
    uint32_t *heads; /* of chains; a power of two of them, as many as `cap` */
    struct ll_reconciled found;
    void (*done)(void *user, const struct ll_reconciled *found,
        const struct ll_err *err);
    void *user;
};

/* -- sums by series and slot -- */

static uint32_t
chain_of(const struct ll_reconcile *r, uint32_t series, int64_t slot_ms)
{
    uint64_t mixed = (uint64_t)slot_ms / LL_USAGE_SLOT_MS * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ series) * 0xff51afd7ed558ccdu;
    return (uint32_t)(mixed >> 32) & (r->cap - 1);
}

static void
link_sum(struct ll_reconcile *r, uint32_t at)
{
    uint32_t *head =
        &r->heads[chain_of(r, r->sums[at].series, r->sums[at].slot_ms)];
    r->sums[at].next = *head;
    *head = at + 1;
}

static bool
grow(struct ll_reconcile *r)
{
    struct ll_mem *mem = &r->host->mem;
    uint32_t cap = r->cap == 0 ? SUMS_FIRST : 2 * r->cap;
    if (cap > LL_RECONCILE_SUMS_MAX)
        return false;
    uint32_t *heads = ll_alloc(mem, cap * sizeof *heads);
    struct sum *sums = heads == NULL
                           ? NULL
                           : ll_realloc(mem, r->sums, r->cap * sizeof *sums,
                                 cap * sizeof *sums);
    if (sums == NULL) {
        ll_release(mem, heads, cap * sizeof *heads);
        return false;
    }
    ll_release(mem, r->heads, r->cap * sizeof *heads);
    r->sums = sums;
    r->heads = heads;
    r->cap = cap;
    for (uint32_t i = 0; i < r->count; i++)
        link_sum(r, i);
    return true;
}

/* The sum of a series and slot; NULL if there is none. */
static struct sum *
find_sum(const struct ll_reconcile *r, uint32_t series, int64_t slot_ms)
{
    uint32_t at = r->cap == 0 ? 0 : r->heads[chain_of(r, series, slot_ms)];
    for (; at != 0; at = r->sums[at - 1].next)
        if (r->sums[at - 1].series == series &&
            r->sums[at - 1].slot_ms == slot_ms)
            return &r->sums[at - 1];
    return NULL;
}

/* The same, made if there is none; NULL past the bound or without memory. */
static struct sum *
need_sum(struct ll_reconcile *r, uint32_t series, int64_t slot_ms)
{
    struct sum *sum = find_sum(r, series, slot_ms);
    if (sum != NULL)
        return sum;
    if (r->count == r->cap && !grow(r))
        return NULL;
    r->sums[r->count] = (struct sum){.series = series, .slot_ms = slot_ms};
    link_sum(r, r->count);
    return &r->sums[r->count++];
}

/* -- the end -- */

static void
finish(struct ll_reconcile *r)
{
    r->done(r->user, &r->found, NULL);
}

static void
fail(struct ll_reconcile *r, const struct ll_err *err)
{
    r->done(r->user, NULL, err);
}

static void
fail_memory(struct ll_reconcile *r)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory",
        "no room for the sums of %u buckets, at most %u", r->count,
        LL_RECONCILE_SUMS_MAX);
    fail(r, &err);
}

static void
fail_rows(struct ll_reconcile *r)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_INTERNAL, "store/corrupt",
        "a row of usage is not of its table's types");
    fail(r, &err);
}

/* False: the first thing that is wrong has been found. */
static bool
wrong_segment(struct ll_reconcile *r, uint64_t lsn, const char *what)
{
    r->found.ok = false;
    r->found.bad_lsn = lsn;
    r->found.what = what;
    return false;
}

static void
wrong_bucket(struct ll_reconcile *r, uint64_t bucket, const char *what)
{
    /* The least id of them: the same answer for the same database. */
    if (r->found.bad_bucket != 0 && r->found.bad_bucket <= bucket)
        return;
    r->found.ok = false;
    r->found.bad_bucket = bucket;
    r->found.bad_lsn = 0;
    r->found.what = what;
}

/* -- segments -- */

struct segment {
    uint64_t first, last, count;
    linli_str hash, content;
};

/* Whether a segment continues what came before it. */
static bool
check_segment(struct ll_reconcile *r, const struct segment *s)
{
    unsigned char hash[LL_SHA256_BYTES];
    if (s->first != r->lsn + 1)
        return wrong_segment(r, s->first, "LSNs are missing before it");
    if (s->last < s->first || s->last - s->first + 1 != s->count ||
        s->content.len != s->count * LL_USAGE_BYTES)
        return wrong_segment(r, s->first, "it has not as many records as LSNs");
    ll_usage_chain(r->hash, s->content, hash);
    if (!ll_str_eq(s->hash, (linli_str){(const char *)hash, sizeof hash}))
        return wrong_segment(
            r, s->first, "its hash does not continue the chain");
    memcpy(r->hash, hash, sizeof hash);
    r->lsn = s->last;
    r->found.segments++;
    r->found.records += s->count;
    return true;
}

/* Adds a record to its sum. In the second walk only what a bucket has. */
static bool
add_record(struct ll_reconcile *r, const struct ll_usage *usage, uint64_t lsn)
{
    int64_t slot_ms = ll_usage_slot(usage->at_ms);
    struct sum *sum = r->phase == SEGMENTS
                          ? need_sum(r, usage->series, slot_ms)
                          : find_sum(r, usage->series, slot_ms);
    if (r->phase == REST && (sum == NULL || lsn > sum->bucket_last))
        return true;
    if (sum == NULL)
        return false;
    sum->quantity += (uint64_t)usage->quantity;
    sum->count++;
    if (sum->first == 0)
        sum->first = lsn;
    sum->last = lsn;
    return true;
}

static void ask_segments(struct ll_reconcile *r);
static void ask_buckets(struct ll_reconcile *r);
static void balance(struct ll_reconcile *r);

/* A page of segments; an empty one is the end. */
static void
take_segments(struct ll_reconcile *r)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&r->query.rows));
    for (uint32_t i = 0; i < r->query.row_count; i++) {
        (void)ll_rd_list(&rd);
        struct segment s = {.first = (uint64_t)ll_rd_int(&rd)};
        s.last = (uint64_t)ll_rd_int(&rd);
        s.count = (uint64_t)ll_rd_int(&rd);
        s.hash = ll_rd_bytes(&rd);
        s.content = ll_rd_bytes(&rd);
        if (rd.bad) {
            fail_rows(r);
            return;
        }
        if (!check_segment(r, &s)) {
            finish(r);
            return;
        }
        struct ll_usage usage;
        for (uint32_t at = 0; ll_usage_get(s.content, at, &usage); at++)
            if (!add_record(r, &usage, s.first + at)) {
                fail_memory(r);
                return;
            }
    }
    if (r->query.row_count > 0)
        ask_segments(r);
    else if (r->phase == SEGMENTS)
        ask_buckets(r);
    else
        balance(r);
}

/* -- buckets -- */

struct bucket {
    int64_t id, slot_ms;
    uint32_t series;
    uint64_t quantity, count, first, last;
};

/* Takes a bucket off its sum. False without memory. */
static bool
take_bucket(struct ll_reconcile *r, const struct bucket *b)
{
    struct sum *sum = need_sum(r, b->series, b->slot_ms);
    if (sum == NULL)
        return false;
    sum->quantity -= b->quantity;
    sum->count -= b->count;
    /* A sum that would leave int64 is in several buckets. */
    if (sum->bucket == 0 || b->first < sum->bucket_first)
        sum->bucket_first = b->first;
    if (sum->bucket == 0 || b->last > sum->bucket_last)
        sum->bucket_last = b->last;
    if (sum->bucket == 0)
        sum->bucket = (uint64_t)b->id;
    if (b->last > r->to)
        r->to = b->last;
    r->bucket = b->id;
    r->found.buckets++;
    return true;
}

static void
take_buckets(struct ll_reconcile *r)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&r->query.rows));
    for (uint32_t i = 0; i < r->query.row_count; i++) {
        (void)ll_rd_list(&rd);
        struct bucket b = {.id = ll_rd_int(&rd)};
        b.series = (uint32_t)ll_rd_int(&rd);
        b.slot_ms = ll_rd_int(&rd);
        b.quantity = (uint64_t)ll_rd_int(&rd);
        b.count = (uint64_t)ll_rd_int(&rd);
        b.first = (uint64_t)ll_rd_int(&rd);
        b.last = (uint64_t)ll_rd_int(&rd);
        if (rd.bad) {
            fail_rows(r);
            return;
        }
        if (!take_bucket(r, &b)) {
            fail_memory(r);
            return;
        }
    }
    if (r->query.row_count > 0) {
        ask_buckets(r);
        return;
    }
    r->phase = REST;
    if (r->to > r->lsn)
        ask_segments(r);
    else
        balance(r);
}

/* Everything has been walked that a bucket could have: no difference may be
 * left. */
static void
balance(struct ll_reconcile *r)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct sum *sum = &r->sums[i];
        if (sum->bucket == 0) {
            /* Named only if no bucket is wrong, which says more. */
            if (r->found.ok)
                (void)wrong_segment(r, sum->first, "a record is in no bucket");
        } else if (sum->last != sum->bucket_last ||
                   sum->first != sum->bucket_first) {
            wrong_bucket(
                r, sum->bucket, "its LSNs are not those of its records");
        } else if (sum->count != 0) {
            wrong_bucket(
                r, sum->bucket, "its count is not that of its records");
        } else if (sum->quantity != 0) {
            wrong_bucket(
                r, sum->bucket, "its quantity is not that of its records");
        }
    }
    finish(r);
}

/* -- asking -- */

static void
on_rows(struct ll_query *query)
{
    struct ll_reconcile *r = query->user;
    r->asking = false;
    if (query->status != LINLI_OK)
        fail(r, &query->err);
    else if (r->phase == BUCKETS)
        take_buckets(r);
    else
        take_segments(r);
}

/* Empties the query for the next page. */
static struct ll_buf *
next_query(struct ll_reconcile *r, enum ll_statement statement)
{
    ll_query_fini(&r->query);
    ll_query_init(&r->query, &r->host->mem, statement);
    r->query.rows_max = LL_RECONCILE_PAGE_ROWS;
    r->query.bytes_max = LL_RECONCILE_PAGE_BYTES;
    r->query.done = on_rows;
    r->query.user = r;
    return &r->query.params;
}

static void
ask(struct ll_reconcile *r)
{
    r->asking = true;
    ll_store_query(r->host->store, &r->query);
}

static void
ask_or_fail(struct ll_reconcile *r)
{
    if (r->query.params.failed)
        fail_memory(r);
    else
        ask(r);
}

static void
write_segments(struct ll_reconcile *r)
{
    struct ll_buf *params = next_query(r, LL_ST_segment_list);
    ll_put_int(params, (int64_t)r->lsn + 1);
    ll_put_int(params, r->phase == REST ? (int64_t)r->to : INT64_MAX);
    ll_put_int(params, LL_RECONCILE_PAGE_ROWS);
}

static void
ask_segments(struct ll_reconcile *r)
{
    write_segments(r);
    ask_or_fail(r);
}

static void
ask_buckets(struct ll_reconcile *r)
{
    r->phase = BUCKETS;
    struct ll_buf *params = next_query(r, LL_ST_bucket_all);
    ll_put_int(params, r->bucket);
    ll_put_int(params, LL_RECONCILE_PAGE_ROWS);
    ask_or_fail(r);
}

linli_status
ll_reconcile_new(struct ll_host *host,
    void (*done)(void *user, const struct ll_reconciled *found,
        const struct ll_err *err),
    void *user, struct ll_reconcile **out, struct ll_err *err)
{
    *out = NULL;
    struct ll_reconcile *r = ll_alloc(&host->mem, sizeof *r);
    if (r == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room");
    r->host = host;
    r->done = done;
    r->user = user;
    r->found.ok = true;
    ll_query_init(&r->query, &host->mem, LL_ST_segment_list);
    write_segments(r);
    if (r->query.params.failed) {
        ll_reconcile_free(&r);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room");
    }
    ask(r);
    *out = r;
    return LINLI_OK;
}

void
ll_reconcile_free(struct ll_reconcile **reconcile)
{
    struct ll_reconcile *r = *reconcile;
    if (r == NULL)
        return;
    *reconcile = NULL;
    if (r->asking)
        ll_store_cancel(r->host->store, &r->query);
    struct ll_mem *mem = &r->host->mem;
    ll_query_fini(&r->query);
    ll_release(mem, r->sums, r->cap * sizeof *r->sums);
    ll_release(mem, r->heads, r->cap * sizeof *r->heads);
    ll_release(mem, r, sizeof *r);
}
