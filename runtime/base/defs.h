/* base/defs.h: compiler words and checks used in every layer. [any]
 *
 * ll_check stays on in release builds and guards our own invariants only.
 * Input from plugins, the network, files or embedders is never checked with
 * it: that returns a status.
 */
#ifndef LL_BASE_DEFS_H
#define LL_BASE_DEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linli/types.h>

#define LL_USE_RESULT __attribute__((warn_unused_result))
#define LL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define LL_NORETURN __attribute__((noreturn))
#define LL_LIKELY(x) __builtin_expect(!!(x), 1)
#define LL_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define LL_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LL_UNUSED(x) ((void)(x))

/* The structure that embeds `member` at `ptr`. */
#define LL_CONTAINER(ptr, type, member) \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Reports a broken invariant on stderr and aborts. */
LL_NORETURN void ll_panic(const char *file, int line, const char *what);

#define ll_check(condition)                           \
    do {                                              \
        if (LL_UNLIKELY(!(condition)))                \
            ll_panic(__FILE__, __LINE__, #condition); \
    } while (0)

#endif
