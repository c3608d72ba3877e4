/* tests/hostile/native/hostile.h: what the files of the native hostile
 * plugin share.
 *
 * Attacks make system calls of their own, by instruction: a plugin that is
 * hostile does not ask libc, whose names the host looks at.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>

#include <linli/plugin.h>

/* A system call: its result, or a negative errno. */
static inline long
raw(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile(
        "syscall"
        : "=a"(result)
        : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
        : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#else
#error "hostile.h: name this machine"
#endif
}

#define RAW0(n) raw(n, 0, 0, 0, 0, 0, 0)
#define RAW1(n, a) raw(n, (long)(a), 0, 0, 0, 0, 0)
#define RAW2(n, a, b) raw(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define RAW3(n, a, b, c) raw(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define RAW4(n, a, b, c, d) \
    raw(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* Whether a byte can be read, without a fault if not. */
bool readable(const void *at);

/* An attack of a name. What it returns is answered as {"result": n}; an
 * attack that ends its call itself returns NO_ANSWER. */
#define NO_ANSWER ((long)1 << 40)
struct named {
    const char *name;
    long (*run)(const linli_call *call);
};

/* Ends with a row whose name is NULL. */
extern const struct named system_attacks[], fault_attacks[], wire_attacks[],
    hostcall_attacks[];

/* Runs every system call of the sandbox's own list; the names of those that
 * succeed, as JSON strings, into `out`. For the filter that refuses. */
void all_attacks(char *out, size_t size);

extern const linli_core *core;
extern const linli_probe_0 *probe;

#endif
