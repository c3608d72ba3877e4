/* domain/usage.c: records in and out of segments, and their sums. */
#include "domain/usage.h"

#include <endian.h>

#include "base/limits.h"

#define BUCKETS_FIRST 64 /* room for them at first; a power of two */
#define DECIMALS 6

/* Little-endian, whole words: every call of every plugin passes here. */
static char *
put_u64(char *p, uint64_t bits)
{
    uint64_t le = htole64(bits);
    memcpy(p, &le, sizeof le);
    return p + sizeof le;
}

static char *
put_u32(char *p, uint32_t bits)
{
    uint32_t le = htole32(bits);
    memcpy(p, &le, sizeof le);
    return p + sizeof le;
}

static uint64_t
get_u64(const char **p)
{
    uint64_t le;
    memcpy(&le, *p, sizeof le);
    *p += sizeof le;
    return le64toh(le);
}

static uint32_t
get_u32(const char **p)
{
    uint32_t le;
    memcpy(&le, *p, sizeof le);
    *p += sizeof le;
    return le32toh(le);
}

static int64_t
get_int(const char **p)
{
    uint64_t bits = get_u64(p);
    int64_t i;
    memcpy(&i, &bits, sizeof i);
    return i;
}

uint64_t
ll_usage_event_hash(linli_str event_id)
{
    unsigned char hash[LL_SHA256_BYTES];
    if (event_id.len == 0)
        return 0;
    ll_sha256(event_id.ptr, event_id.len, hash);
    const char *p = (const char *)hash;
    uint64_t bits = get_u64(&p);
    return bits == 0 ? 1 : bits;
}

void
ll_usage_put(struct ll_buf *out, const struct ll_usage *usage)
{
    char bytes[LL_USAGE_BYTES], *p = bytes;
    p = put_u64(p, usage->call_high);
    p = put_u64(p, usage->call_low);
    p = put_u64(p, (uint64_t)usage->at_ms);
    p = put_u64(p, (uint64_t)usage->quantity);
    p = put_u32(p, usage->series);
    p = put_u32(p, usage->cpu_us);
    p = put_u64(p, usage->event_hash);
    ll_check(p == bytes + sizeof bytes);
    ll_buf_add(out, bytes, sizeof bytes);
}

bool
ll_usage_get(linli_str content, uint32_t index, struct ll_usage *out)
{
    *out = (struct ll_usage){0};
    if (index >= content.len / LL_USAGE_BYTES)
        return false;
    const char *p = content.ptr + (size_t)index * LL_USAGE_BYTES;
    out->call_high = get_u64(&p);
    out->call_low = get_u64(&p);
    out->at_ms = get_int(&p);
    out->quantity = get_int(&p);
    out->series = get_u32(&p);
    out->cpu_us = get_u32(&p);
    out->event_hash = get_u64(&p);
    return true;
}

void
ll_usage_chain(const unsigned char previous[LL_SHA256_BYTES], linli_str content,
    unsigned char out[LL_SHA256_BYTES])
{
    linli_str before = {(const char *)previous, LL_SHA256_BYTES};
    ll_sha256_two(before, content, out);
}

int64_t
ll_usage_slot(int64_t at_ms)
{
    int64_t into = at_ms % LL_USAGE_SLOT_MS, slot = 0;
    if (into < 0)
        into += LL_USAGE_SLOT_MS;
    return __builtin_sub_overflow(at_ms, into, &slot) ? INT64_MIN : slot;
}

void
ll_usage_fold_init(struct ll_usage_fold *fold, struct ll_mem *mem)
{
    *fold = (struct ll_usage_fold){.mem = mem};
}

void
ll_usage_fold_fini(struct ll_usage_fold *fold)
{
    ll_release(fold->mem, fold->buckets, fold->cap * sizeof *fold->buckets);
    ll_release(fold->mem, fold->table, fold->table_cap * sizeof *fold->table);
    *fold = (struct ll_usage_fold){.mem = fold->mem};
}

void
ll_usage_fold_clear(struct ll_usage_fold *fold)
{
    fold->count = 0;
    if (fold->table_cap > 0)
        memset(fold->table, 0, fold->table_cap * sizeof *fold->table);
}

/* Series and slots are ours, so this need not withstand an attacker: slots
 * lie within the grace, series are numbered one by one. */
static uint32_t
first_place(const struct ll_usage_fold *fold, uint32_t series, int64_t slot_ms)
{
    uint64_t slot = (uint64_t)(slot_ms / LL_USAGE_SLOT_MS);
    uint64_t mixed = (slot << 32 ^ slot >> 32 ^ series) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(mixed >> 32) & (fold->table_cap - 1);
}

/* Where the bucket's place stands in the table, or would. */
static uint32_t *
find(struct ll_usage_fold *fold, uint32_t series, int64_t slot_ms)
{
    uint32_t at = first_place(fold, series, slot_ms);
    for (; fold->table[at] != 0; at = (at + 1) & (fold->table_cap - 1)) {
        const struct ll_usage_bucket *b = &fold->buckets[fold->table[at] - 1];
        if (b->series == series && b->slot_ms == slot_ms)
            break;
    }
    return &fold->table[at];
}

static bool
grow_table(struct ll_usage_fold *fold, uint32_t cap)
{
    uint32_t *table = ll_alloc(fold->mem, cap * sizeof *table);
    if (table == NULL)
        return false;
    ll_release(fold->mem, fold->table, fold->table_cap * sizeof *table);
    fold->table = table;
    fold->table_cap = cap;
    for (uint32_t i = 0; i < fold->count; i++) {
        const struct ll_usage_bucket *b = &fold->buckets[i];
        *find(fold, b->series, b->slot_ms) = i + 1;
    }
    return true;
}

/* Room for one more bucket, the table never more than half full. */
static bool
grow(struct ll_usage_fold *fold)
{
    if (fold->count < fold->cap)
        return true;
    if (fold->cap >= LL_USAGE_BUCKETS_MAX)
        return false;
    uint32_t cap = fold->cap == 0 ? BUCKETS_FIRST : fold->cap * 2;
    /* The table first: with a larger one alone the fold is still whole. */
    if (fold->table_cap < 2 * cap && !grow_table(fold, 2 * cap))
        return false;
    struct ll_usage_bucket *moved = ll_realloc(fold->mem, fold->buckets,
        fold->cap * sizeof *moved, cap * sizeof *moved);
    if (moved == NULL)
        return false;
    fold->buckets = moved;
    fold->cap = cap;
    return true;
}

linli_status
ll_usage_fold_add(
    struct ll_usage_fold *fold, const struct ll_usage *usage, uint64_t lsn)
{
    int64_t slot_ms = ll_usage_slot(usage->at_ms), quantity = 0, count = 0;
    uint32_t *place =
        fold->table_cap > 0 ? find(fold, usage->series, slot_ms) : NULL;
    if (place == NULL || *place == 0) {
        if (!grow(fold))
            return LINLI_E_NOMEM;
        fold->buckets[fold->count++] =
            (struct ll_usage_bucket){.series = usage->series,
                .slot_ms = slot_ms,
                .quantity = usage->quantity,
                .count = 1,
                .first_lsn = lsn,
                .last_lsn = lsn};
        *find(fold, usage->series, slot_ms) = fold->count;
        return LINLI_OK;
    }
    struct ll_usage_bucket *b = &fold->buckets[*place - 1];
    if (__builtin_add_overflow(b->quantity, usage->quantity, &quantity) ||
        __builtin_add_overflow(b->count, 1, &count))
        return LINLI_E_LIMIT;
    b->quantity = quantity;
    b->count = count;
    b->first_lsn = lsn < b->first_lsn ? lsn : b->first_lsn;
    b->last_lsn = lsn > b->last_lsn ? lsn : b->last_lsn;
    return LINLI_OK;
}

size_t
ll_usage_text(int64_t quantity, char out[32])
{
    uint64_t rest = quantity < 0 ? -(uint64_t)quantity : (uint64_t)quantity;
    int decimals = DECIMALS;
    char text[32], *end = text + sizeof text, *p = end;
    for (; decimals > 0 && rest % 10 == 0; decimals--)
        rest /= 10;
    bool fraction = decimals > 0;
    for (; decimals > 0; decimals--, rest /= 10)
        *--p = (char)('0' + rest % 10);
    if (fraction)
        *--p = '.';
    do
        *--p = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (quantity < 0)
        *--p = '-';
    memcpy(out, p, (size_t)(end - p));
    out[end - p] = '\0';
    return (size_t)(end - p);
}

/* Digits from text[*i] on, at most `most`, counted down into *value, which
 * reaches INT64_MIN without overflow. Their number, or -1 past int64. */
static int
read_digits(linli_str text, size_t *i, int most, int64_t *value)
{
    int n = 0;
    for (; n < most && *i < text.len; n++, ++*i) {
        int digit = text.ptr[*i] - '0';
        if (digit < 0 || digit > 9)
            break;
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_sub_overflow(*value, digit, value))
            return -1;
    }
    return n;
}

bool
ll_usage_read(linli_str text, int64_t *out)
{
    *out = 0;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    size_t i = negative, first = i;
    int64_t value = 0;
    int whole = read_digits(text, &i, 19, &value), decimals = 0;
    if (whole <= 0 || (whole > 1 && text.ptr[first] == '0'))
        return false;
    if (i < text.len && text.ptr[i] == '.') {
        i++;
        decimals = read_digits(text, &i, DECIMALS, &value);
        if (decimals <= 0)
            return false;
    }
    for (; decimals < DECIMALS; decimals++)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    if (i != text.len)
        return false;
    *out = value;
    return true;
}
