/* fee.c: what a flat owes its property manager. Plain C: nothing in here
 * knows of Linli. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))

PUBLIC int64_t fee_fen(const char *kind, int64_t area_dm2, int32_t months);
PUBLIC const char *fee_rule(const char *kind);

static const struct {
    const char *kind;
    int64_t fen_per_m2; /* a month */
    const char *rule;
} kinds[] = {
    {"walk-up", 80, "步梯: 每月每平方米 0.80 元"},
    {"lift", 180, "电梯: 每月每平方米 1.80 元"},
    {"villa", 320, "别墅: 每月每平方米 3.20 元"},
};

/* The fee of `months` months, a month rounded up to the fen; -1: no such
 * kind. area_dm2 is in square decimetres: 89.5 m² is 8950. */
int64_t
fee_fen(const char *kind, int64_t area_dm2, int32_t months)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) == 0)
            return (kinds[i].fen_per_m2 * area_dm2 + 99) / 100 * months;
    }
    return -1;
}

/* The rule in words, or NULL: no such kind. */
const char *
fee_rule(const char *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].rule;
    }
    return NULL;
}
