/* world/zone.c: reading a TZif file (RFC 8536). */
#include "world/zone.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define ZONE_DIR "/usr/share/zoneinfo"
#define ZONE_BYTES_MAX 65536
#define HEADER_BYTES 44
#define TRANSITIONS_MAX 2000

struct header {
    uint32_t isut, isstd, leap, times, types, chars;
};

static uint32_t
be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static int64_t
be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool
name_is_safe(linli_str name)
{
    if (name.len == 0 || name.len > 64 || name.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                    c == '+' || c == '/';
        if (!word)
            return false; /* '.' too: no way up */
    }
    return true;
}

static bool
read_header(
    const unsigned char *p, const unsigned char *end, struct header *header)
{
    if (end - p < HEADER_BYTES || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *header = (struct header){be32(p + 20), be32(p + 24), be32(p + 28),
        be32(p + 32), be32(p + 36), be32(p + 40)};
    return header->times <= TRANSITIONS_MAX && header->types >= 1 &&
           header->types <= 256 && header->chars <= 4096 &&
           header->leap <= 4096 && header->isut <= 256 && header->isstd <= 256;
}

static size_t
body_bytes(const struct header *h, size_t time_bytes)
{
    return h->times * time_bytes + h->times + h->types * (size_t)6 + h->chars +
           h->leap * (time_bytes + 4) + h->isstd + h->isut;
}

/* The second, 64-bit block: times, type indices, types of 6 bytes. */
static bool
read_block(struct ll_arena *arena, const unsigned char *p,
    const unsigned char *end, struct ll_zone *out)
{
    struct header h;
    if (!read_header(p, end, &h))
        return false;
    p += HEADER_BYTES;
    if ((size_t)(end - p) < body_bytes(&h, 8))
        return false;
    const unsigned char *indices = p + (size_t)h.times * 8;
    const unsigned char *types = indices + h.times;
    int64_t *changes =
        ll_arena_alloc(arena, 2 * (h.times + 1) * sizeof *changes);
    if (changes == NULL)
        return false;
    changes[0] = INT64_MIN;
    changes[1] = (int32_t)be32(types);
    for (uint32_t i = 0; i < h.times; i++) {
        if (indices[i] >= h.types)
            return false;
        int64_t at_s = be64(p + (size_t)i * 8);
        /* tzdata's "big bang" entry lies before what ms can hold. */
        bool early = at_s < INT64_MIN / 1000;
        changes[2 * (i + 1)] = early ? INT64_MIN : at_s * 1000;
        changes[2 * (i + 1) + 1] =
            (int32_t)be32(types + (size_t)indices[i] * 6);
    }
    *out = (struct ll_zone){changes, h.times + 1};
    return true;
}

static bool
parse(struct ll_arena *arena, const unsigned char *bytes, size_t n,
    struct ll_zone *out)
{
    struct header first;
    const unsigned char *end = bytes + n;
    if (!read_header(bytes, end, &first))
        return false;
    size_t skip = HEADER_BYTES + body_bytes(&first, 4);
    return skip <= n && read_block(arena, bytes + skip, end, out);
}

linli_status
ll_zone_load(struct ll_arena *arena, linli_str name, struct ll_zone *out,
    struct ll_err *err)
{
    char path[128];
    *out = (struct ll_zone){NULL, 0};
    if (!name_is_safe(name))
        return ll_fail(err, LINLI_E_INVALID, "config/invalid",
            "'%.*s' is not an IANA zone such as Asia/Shanghai", LL_FMT(name));
    (void)snprintf(path, sizeof path, ZONE_DIR "/%.*s", LL_FMT(name));
    unsigned char bytes[ZONE_BYTES_MAX];
    FILE *file = fopen(path, "rbe");
    size_t n = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
    if (file != NULL)
        (void)fclose(file);
    if (n > 0 && parse(arena, bytes, n, out))
        return LINLI_OK;
    if (arena->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a time zone");
    linli_status status = ll_fail(err, LINLI_E_NOT_FOUND, "config/invalid",
        "the time zone %.*s cannot be read", LL_FMT(name));
    ll_err_where(err, "%s", path);
    ll_err_fix(err, "install the package tzdata, or correct the name");
    return status;
}
