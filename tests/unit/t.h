/* tests/unit/t.h: a test program in a few macros.
 *
 *   T_CASE(parses_numbers)
 *   {
 *       T_OK(x == 1);
 *       T_INT(count, 3);
 *       T_STR(text, "abc");
 *   }
 *   T_MAIN(T_RUN(parses_numbers))
 *
 * Prints TAP ("ok N - name"); a failed check says where and what and the
 * case goes on, so that one run shows all. Exit status 1 if any failed.
 */
#ifndef T_H
#define T_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <linli/types.h>

static int t_failed_checks, t_cases, t_failed_cases, t_checks;

static inline void
t_fail(const char *file, int line, const char *what)
{
    t_failed_checks++;
    printf("# %s:%d: %s\n", file, line, what);
}

#define T_OK(condition)                             \
    do {                                            \
        t_checks++;                                 \
        if (!(condition))                           \
            t_fail(__FILE__, __LINE__, #condition); \
    } while (0)

#define T_INT(got, want)                                                      \
    do {                                                                      \
        int64_t t_got = (int64_t)(got), t_want = (int64_t)(want);             \
        t_checks++;                                                           \
        if (t_got != t_want) {                                                \
            t_fail(__FILE__, __LINE__, #got);                                 \
            printf("#   got %" PRId64 ", want %" PRId64 "\n", t_got, t_want); \
        }                                                                     \
    } while (0)

#define T_STR(got, want)                                                    \
    do {                                                                    \
        linli_str t_got = (got);                                            \
        const char *t_want = (want);                                        \
        t_checks++;                                                         \
        if (t_got.len != strlen(t_want) ||                                  \
            (t_got.len > 0 && memcmp(t_got.ptr, t_want, t_got.len) != 0)) { \
            t_fail(__FILE__, __LINE__, #got);                               \
            printf("#   got  \"%.*s\"\n#   want \"%s\"\n", (int)t_got.len,  \
                t_got.ptr == NULL ? "" : t_got.ptr, t_want);                \
        }                                                                   \
    } while (0)

#define T_CASE(name) static void name(void)

#define T_RUN(name) t_run(#name, name);

static inline void
t_run(const char *name, void (*body)(void))
{
    t_failed_checks = 0;
    t_checks = 0;
    body();
    /* A case that checked nothing proves nothing. */
    bool ok = t_failed_checks == 0 && t_checks > 0;
    t_failed_cases += !ok;
    printf("%s %d - %s\n", ok ? "ok" : "not ok", ++t_cases, name);
    fflush(stdout);
}

#define T_MAIN(runs)                     \
    int main(void)                       \
    {                                    \
        runs printf("1..%d\n", t_cases); \
        return t_failed_cases > 0;       \
    }

#endif
