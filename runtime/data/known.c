/* data/known.c: from hashes to times, read once and kept up. [loop] */
#include "data/known.h"

#include <stdio.h>

#include "base/text.h"

#define CAP_FIRST 256
#define PAGE_ROWS 4096
/* The time that stands for none, behind all others: ids of it are read last. */
#define NO_TIME UINT64_C(0xffffffffffff)

/* bits 0: free. Two hashes with the same first 64 bits share one; the id has
 * all 128, so the store tells them apart. */
struct known_slot {
    uint64_t bits, time;
};

enum loading { WAITS, LOADS, LOADED };

struct ll_known {
    struct ll_space *space;
    struct ll_coll *coll;
    struct known_slot *slots; /* open addressing, at most 3/4 full */
    uint32_t cap, count;
    bool full; /* some that the store has, without a time, are not here */
    enum loading loading;
    struct ll_wait *waits;             /* until it is loaded */
    char last[LL_KNOWN_ID_DIGITS + 1]; /* id that has been read */
    struct ll_query query;
};

/* -- the table -- */

static uint64_t
digits(const char *at, size_t n)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)at[i];
        bits = bits << 4 | (uint64_t)((c & 0x0f) + (c > '9' ? 9 : 0));
    }
    return bits;
}

/* Of a hash. Never 0. */
static uint64_t
bits_of(const char *hash)
{
    uint64_t bits = digits(hash, 16);
    return bits == 0 ? 1 : bits;
}

static bool
find(const struct ll_known *known, uint64_t bits, uint32_t *at)
{
    uint32_t i = (uint32_t)bits & (known->cap - 1);
    while (known->slots[i].bits != 0 && known->slots[i].bits != bits)
        i = (i + 1) & (known->cap - 1);
    *at = i;
    return known->slots[i].bits == bits;
}

static bool
grow(struct ll_known *known)
{
    struct ll_mem *mem = known->space->docs->mem;
    struct known_slot *old = known->slots, *slots;
    uint32_t old_cap = known->cap, at;
    slots = ll_alloc(mem, 2 * (size_t)old_cap * sizeof *slots);
    if (slots == NULL)
        return false;
    known->slots = slots;
    known->cap = 2 * old_cap;
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].bits != 0 && !find(known, old[i].bits, &at))
            slots[at] = old[i];
    ll_release(mem, old, old_cap * sizeof *old);
    return true;
}

/* False if there is no room for it. */
static bool
add(struct ll_known *known, uint64_t bits, uint64_t time)
{
    uint32_t at;
    if (known->count >= known->cap / 4 * 3 && !grow(known))
        return false;
    if (!find(known, bits, &at))
        known->count++;
    known->slots[at] = (struct known_slot){bits, time};
    return true;
}

/* Takes one out; those behind it move up, so that they are found. */
static void
take_out(struct ll_known *known, uint32_t at)
{
    uint32_t mask = known->cap - 1, hole = at;
    for (uint32_t i = (at + 1) & mask; known->slots[i].bits != 0;
         i = (i + 1) & mask) {
        uint32_t home = (uint32_t)known->slots[i].bits & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* its home is behind the hole */
        known->slots[hole] = known->slots[i];
        hole = i;
    }
    known->slots[hole] = (struct known_slot){0, 0};
    known->count--;
}

/* -- reading what is there -- */

static void ask(struct ll_known *known);

/* False if it must be found here, and there is no memory. */
static bool
take_row(struct ll_known *known, linli_str id)
{
    (void)snprintf(known->last, sizeof known->last, "%.*s", LL_FMT(id));
    if (id.len != LL_KNOWN_ID_DIGITS)
        return true; /* no id of ours: found by nobody */
    uint64_t time = digits(id.ptr, LL_KNOWN_TIME_DIGITS);
    bool room = known->count < LL_KNOWN_KEYS_MAX || time != NO_TIME;
    if (!room || !add(known, bits_of(id.ptr + LL_KNOWN_TIME_DIGITS), time)) {
        known->full = true;
        return time == NO_TIME;
    }
    return true;
}

static void
on_rows(struct ll_query *query)
{
    struct ll_known *known = query->user;
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    bool good = query->status == LINLI_OK;
    for (uint32_t i = 0; good && i < query->row_count && !known->full; i++) {
        (void)ll_rd_list(&rows);
        good = take_row(known, ll_rd_bytes(&rows));
    }
    bool more = good && query->more && !known->full;
    ll_query_fini(query);
    known->loading = good ? LOADED : WAITS;
    if (more)
        ask(known);
    else
        ll_wait_tell(&known->waits);
}

static void
ask(struct ll_known *known)
{
    struct ll_query *query = &known->query;
    ll_query_init(query, known->space->docs->mem, LL_ST_doc_ids);
    ll_put_int(&query->params, known->coll->id);
    ll_put_bytes(&query->params, ll_cstr(known->last));
    ll_put_int(&query->params, PAGE_ROWS + 1);
    query->rows_max = PAGE_ROWS;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_rows;
    query->user = known;
    known->full = false;
    known->loading = LOADS;
    ll_store_query(known->space->docs->store, query);
}

/* What has outlived its time is gone from the store. */
static void
on_written(struct ll_coll *coll, const struct ll_doc *doc)
{
    if (doc->content == NULL)
        ll_known_drop(coll->space, doc->id);
}

bool
ll_known_open(struct ll_space *space, struct ll_coll *coll)
{
    struct ll_mem *mem = space->docs->mem;
    if (space->known != NULL)
        return true;
    struct ll_known *known = ll_alloc(mem, sizeof *known);
    if (known == NULL)
        return false;
    known->slots = ll_alloc(mem, CAP_FIRST * sizeof *known->slots);
    if (known->slots == NULL) {
        ll_release(mem, known, sizeof *known);
        return false;
    }
    known->space = space;
    known->coll = coll;
    known->cap = CAP_FIRST;
    space->known = known;
    coll->written = on_written;
    ask(known);
    return true;
}

void
ll_known_close(struct ll_space *space)
{
    struct ll_known *known = space->known;
    if (known == NULL)
        return;
    space->known = NULL;
    known->coll->written = NULL;
    if (known->loading == LOADS) {
        ll_store_cancel(space->docs->store, &known->query);
        ll_query_fini(&known->query);
    }
    while (known->waits != NULL)
        ll_wait_cancel(known->waits);
    ll_release(
        space->docs->mem, known->slots, known->cap * sizeof *known->slots);
    ll_release(space->docs->mem, known, sizeof *known);
}

/* -- asking -- */

enum ll_known_state
ll_known_find(struct ll_space *space, const char *hash, int64_t now_ms,
    char id[LL_KNOWN_ID_DIGITS + 1], struct ll_wait *wait)
{
    struct ll_known *known = space->known;
    enum ll_known_state state = LL_KNOWN_MAYBE;
    uint32_t at;
    uint64_t time = NO_TIME, bits = bits_of(hash);
    if (known == NULL) /* the store is about to be closed */
        return LL_KNOWN_LOST;
    if (known->loading == LOADS) {
        ll_wait_add(&known->waits, wait);
        return LL_KNOWN_LATER;
    }
    if (known->loading == WAITS) {
        ask(known);
        return LL_KNOWN_LOST;
    }
    if (find(known, bits, &at)) {
        time = known->slots[at].time;
    } else if (!known->full && known->count < LL_KNOWN_KEYS_MAX &&
               add(known, bits, (uint64_t)now_ms & NO_TIME)) {
        time = (uint64_t)now_ms & NO_TIME;
        state = LL_KNOWN_NEW;
    } else {
        known->full = true;
    }
    (void)snprintf(id, LL_KNOWN_ID_DIGITS + 1, "%0*llx%.*s",
        LL_KNOWN_TIME_DIGITS, (unsigned long long)time, LL_KNOWN_HASH_DIGITS,
        hash);
    return state;
}

void
ll_known_drop(struct ll_space *space, linli_str id)
{
    struct ll_known *known = space->known;
    uint32_t at;
    if (known == NULL || id.len != LL_KNOWN_ID_DIGITS)
        return;
    if (find(known, bits_of(id.ptr + LL_KNOWN_TIME_DIGITS), &at) &&
        known->slots[at].time == digits(id.ptr, LL_KNOWN_TIME_DIGITS))
        take_out(known, at);
}
