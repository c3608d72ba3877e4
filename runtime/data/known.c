/* data/known.c: a set of hashes, read once and added to. [loop] */
#include "data/known.h"

#define CAP_FIRST 1024
#define PAGE_ROWS 4096

struct ll_known {
    struct ll_space *space;
    struct ll_coll *coll;
    uint64_t *slots; /* 0: free; open addressing */
    uint32_t cap, count;
    bool complete; /* all that the store has is in it */
    struct ll_query query;
    bool querying;
};

/* The first 16 digits; ids are hashes, so they are spread. Never 0. */
static uint64_t
slot_of(linli_str id)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < 16 && i < id.len; i++) {
        unsigned char c = (unsigned char)id.ptr[i];
        bits = bits << 4 | (uint64_t)((c & 0x0f) + (c > '9' ? 9 : 0));
    }
    return bits == 0 ? 1 : bits;
}

static bool
find(const struct ll_known *known, uint64_t bits, uint32_t *at)
{
    uint32_t i = (uint32_t)bits & (known->cap - 1);
    while (known->slots[i] != 0 && known->slots[i] != bits)
        i = (i + 1) & (known->cap - 1);
    *at = i;
    return known->slots[i] == bits;
}

/* From now on the store is asked each time. */
static void
give_up(struct ll_known *known)
{
    ll_release(known->space->docs->mem, known->slots,
        known->cap * sizeof *known->slots);
    known->slots = NULL;
    known->complete = false;
}

static void
grow(struct ll_known *known)
{
    struct ll_mem *mem = known->space->docs->mem;
    uint64_t *old = known->slots;
    uint32_t old_cap = known->cap, at;
    uint64_t *slots = known->count >= LL_KNOWN_KEYS_MAX
                          ? NULL
                          : ll_alloc(mem, 2 * old_cap * sizeof *slots);
    if (slots == NULL) {
        give_up(known);
        return;
    }
    known->slots = slots;
    known->cap = 2 * old_cap;
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i] != 0 && !find(known, old[i], &at))
            known->slots[at] = old[i];
    ll_release(mem, old, old_cap * sizeof *old);
}

static void
add(struct ll_known *known, linli_str id)
{
    uint32_t at;
    uint64_t bits = slot_of(id);
    if (known->slots == NULL || find(known, bits, &at))
        return;
    known->slots[at] = bits;
    if (++known->count > known->cap / 2)
        grow(known);
}

/* -- reading what is there -- */

static void ask(struct ll_known *known, linli_str after);

static void
on_rows(struct ll_query *query)
{
    struct ll_known *known = query->user;
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    linli_str id = {NULL, 0};
    known->querying = false;
    for (uint32_t i = 0; query->status == LINLI_OK && i < query->row_count;
         i++) {
        (void)ll_rd_list(&rows);
        id = ll_rd_bytes(&rows);
        add(known, id);
    }
    bool more = query->status == LINLI_OK && query->more;
    if (known->slots != NULL)
        known->complete = query->status == LINLI_OK && !more;
    struct ll_query done = *query;
    if (more && known->slots != NULL)
        ask(known, id);
    ll_query_fini(&done);
}

static void
ask(struct ll_known *known, linli_str after)
{
    struct ll_query *query = &known->query;
    ll_query_init(query, known->space->docs->mem, LL_ST_doc_ids);
    ll_put_int(&query->params, known->coll->id);
    ll_put_bytes(&query->params, after);
    ll_put_int(&query->params, PAGE_ROWS + 1);
    query->rows_max = PAGE_ROWS;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_rows;
    query->user = known;
    known->querying = true;
    ll_store_query(known->space->docs->store, query);
}

void
ll_known_open(struct ll_space *space, struct ll_coll *coll)
{
    struct ll_mem *mem = space->docs->mem;
    if (space->known != NULL)
        return;
    struct ll_known *known = ll_alloc(mem, sizeof *known);
    if (known == NULL)
        return;
    known->slots = ll_alloc(mem, CAP_FIRST * sizeof *known->slots);
    if (known->slots == NULL) {
        ll_release(mem, known, sizeof *known);
        return;
    }
    known->space = space;
    known->coll = coll;
    known->cap = CAP_FIRST;
    space->known = known;
    ask(known, LINLI_STR(""));
}

void
ll_known_close(struct ll_space *space)
{
    struct ll_known *known = space->known;
    if (known == NULL)
        return;
    space->known = NULL;
    if (known->querying) {
        ll_store_cancel(space->docs->store, &known->query);
        ll_query_fini(&known->query);
    }
    if (known->slots != NULL)
        ll_release(
            space->docs->mem, known->slots, known->cap * sizeof *known->slots);
    ll_release(space->docs->mem, known, sizeof *known);
}

bool
ll_known_maybe(const struct ll_space *space, linli_str id)
{
    const struct ll_known *known = space->known;
    uint32_t at;
    return known == NULL || !known->complete || find(known, slot_of(id), &at);
}

void
ll_known_add(struct ll_space *space, linli_str id)
{
    if (space->known != NULL)
        add(space->known, id);
}
