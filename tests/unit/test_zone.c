/* tests/unit/test_zone.c: time zones of the system's tzdata, against the C
 * library's own reading of the same files. */
#include "world/zone.h"

#include <stdlib.h>
#include <time.h>

#include "t.h"

static linli_str
cstr(const char *s)
{
    return (linli_str){s, strlen(s)};
}

static int64_t
offset_s(const struct ll_zone *zone, int64_t at_ms)
{
    uint32_t i = zone->count - 1;
    while (i > 0 && zone->changes[2 * i] > at_ms)
        i--;
    return zone->changes[2 * i + 1];
}

T_CASE(offsets_are_those_of_the_c_library)
{
    static const char *const names[] = {"Asia/Shanghai", "UTC", "Europe/London",
        "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
        "Pacific/Apia", "Africa/Monrovia"};
    for (size_t z = 0; z < LL_COUNT(names); z++) {
        struct ll_mem mem;
        struct ll_arena arena;
        struct ll_zone zone;
        struct ll_err err = {0};
        ll_mem_init(&mem, 0);
        ll_arena_init(&arena, &mem, 1 << 20);
        T_INT(ll_zone_load(&arena, cstr(names[z]), &zone, &err), LINLI_OK);
        T_OK(zone.count >= 1);
        T_INT(zone.changes[0], INT64_MIN);
        for (uint32_t i = 1; i < zone.count; i++)
            T_OK(zone.changes[2 * i] >= zone.changes[2 * i - 2]);
        T_INT(setenv("TZ", names[z], 1), 0);
        tzset();
        int wrong = 0;
        /* 1900 to 2037, every eleven hours and a second. */
        for (int64_t at_s = -2208988800; at_s < 2145916800; at_s += 39601) {
            struct tm local;
            time_t at = (time_t)at_s;
            wrong += localtime_r(&at, &local) == NULL ||
                     local.tm_gmtoff != offset_s(&zone, at_s * 1000);
        }
        T_INT(wrong, 0);
        ll_arena_fini(&arena);
        T_INT(mem.used_bytes, 0);
    }
}

T_CASE(names_that_are_none)
{
    static const struct {
        const char *name;
        linli_status status;
    } rows[] = {
        {"", LINLI_E_INVALID},
        {"/etc/localtime", LINLI_E_INVALID},
        {"../zoneinfo/UTC", LINLI_E_INVALID},
        {"Asia/./Shanghai", LINLI_E_INVALID},
        {"Asia/Shang hai", LINLI_E_INVALID},
        {"Asia/Shanghai\n", LINLI_E_INVALID},
        {"Asia", LINLI_E_NOT_FOUND},   /* a folder */
        {"zone.tab", LINLI_E_INVALID}, /* not a zone */
        {"tzdata", LINLI_E_NOT_FOUND},
        {"Asia/Atlantis", LINLI_E_NOT_FOUND},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            LINLI_E_INVALID},
    };
    struct ll_mem mem;
    struct ll_arena arena;
    ll_mem_init(&mem, 0);
    ll_arena_init(&arena, &mem, 1 << 20);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_zone zone;
        struct ll_err err = {0};
        T_INT(ll_zone_load(&arena, cstr(rows[i].name), &zone, &err),
            rows[i].status);
        T_STR(cstr(err.code), "config/invalid");
        T_INT(zone.count, 0);
    }
    T_INT(arena.used_bytes, 0); /* what failed took nothing */
    ll_arena_fini(&arena);
}

T_CASE(no_memory)
{
    struct ll_mem mem;
    struct ll_arena arena;
    struct ll_zone zone;
    struct ll_err err = {0};
    ll_mem_init(&mem, 0);
    ll_arena_init(&arena, &mem, 16);
    T_INT(ll_zone_load(&arena, cstr("Asia/Shanghai"), &zone, &err),
        LINLI_E_NOMEM);
    T_STR(cstr(err.code), "runtime/memory");
    ll_arena_fini(&arena);
}

T_MAIN(T_RUN(offsets_are_those_of_the_c_library) T_RUN(names_that_are_none)
        T_RUN(no_memory))
