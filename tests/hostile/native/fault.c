/* tests/hostile/native/fault.c: ways to die, to hang, and to take much. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "hostile.h"

static volatile long sink;

/* -- dying -- */

static long
null_write(const linli_call *call)
{
    (void)call;
    *(volatile int *)(uintptr_t)8 = 1;
    return 0;
}

static long
null_call(const linli_call *call)
{
    void (*volatile nowhere)(void) = NULL;
    (void)call;
    nowhere();
    return 0;
}

static long
text_write(const linli_call *call)
{
    (void)call;
    *(volatile char *)(uintptr_t)null_call = 1;
    return 0;
}

static long
self_signal(int number)
{
    long pid = RAW0(SYS_getpid);
    return RAW3(SYS_tgkill, pid, RAW0(SYS_gettid), number);
}

/* abort() by hand; the first of a namespace survives the signal. */
static long
aborts(const linli_call *call)
{
    (void)call;
    (void)self_signal(SIGABRT);
    __builtin_trap();
    return 0;
}

static long
kills_itself(const linli_call *call)
{
    (void)call;
    (void)self_signal(SIGKILL);
    (void)RAW1(SYS_exit_group, 137);
    return 0;
}

static long
deeper(long n)
{
    volatile char room[4096];
    room[n % 4096] = (char)n;
    return n < 0 ? room[0] : deeper(n + 1) + room[n % 4096];
}

static long
stack_overflow(const linli_call *call)
{
    (void)call;
    return deeper(1);
}

static long
divides(const linli_call *call)
{
    (void)call;
#if defined(__x86_64__)
    __asm__ volatile("xorl %%ecx, %%ecx; idivl %%ecx" ::: "eax", "ecx", "edx");
#endif
    __builtin_trap();
    return 0;
}

static long
exits(const linli_call *call)
{
    (void)call;
    return RAW1(SYS_exit_group, 0);
}

static long
exits_after_reply(const linli_call *call)
{
    (void)core->reply(call->ctx, 200, LINLI_STR("{\"result\":0}"));
    return RAW1(SYS_exit_group, 0);
}

static long
exits_thread(const linli_call *call)
{
    (void)call;
    return RAW1(SYS_exit, 0);
}

static long
unmaps_everything(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_munmap, 0, ((long)1 << 47) - 4096);
}

/* -- hanging -- */

static long
spins(const linli_call *call)
{
    (void)call;
    for (;;)
        sink++;
    return 0;
}

static long
spins_deaf(const linli_call *call)
{
    static const uint64_t all = UINT64_MAX;
    (void)RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, 8);
    return spins(call);
}

/* A fault that its own handler returns to, again and again. */
static void
ignore(int number)
{
    (void)number;
}

#if defined(__x86_64__)
__asm__(".text\nhostile_restorer:\n\tmov $15, %eax\n\tsyscall\n");
extern void hostile_restorer(void);
#endif

static long
faults_for_ever(const linli_call *call)
{
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {.handler = ignore};
#if defined(__x86_64__)
    action.flags = 0x04000000;
    action.restorer = hostile_restorer;
#endif
    (void)RAW4(SYS_rt_sigaction, SIGSEGV, &action, 0, 8);
    return null_write(call);
}

static long
sleeps(const linli_call *call)
{
    static const struct timespec hour = {3600, 0};
    (void)call;
    for (;;)
        (void)RAW2(SYS_nanosleep, &hour, 0);
    return 0;
}

static long
waits_for_nothing(const linli_call *call)
{
    static uint32_t word;
    (void)call;
    for (;;)
        (void)RAW4(SYS_futex, &word, 0, 0, 0);
    return 0;
}

static long
reads_for_ever(const linli_call *call)
{
    char byte;
    (void)call;
    for (;;)
        (void)RAW3(SYS_read, 3, &byte, 1);
    return 0;
}

static long
stops(const linli_call *call)
{
    (void)call;
    (void)self_signal(SIGSTOP);
    return spins(call);
}

static long
yields_for_ever(const linli_call *call)
{
    (void)call;
    for (;;)
        (void)RAW0(SYS_sched_yield);
    return 0;
}

/* -- taking much -- */

static long
takes_memory(const linli_call *call)
{
    (void)call;
    for (;;) {
        char *more = malloc(1 << 20);
        if (more == NULL)
            __builtin_trap();
        memset(more, 1, 1 << 20);
    }
    return 0;
}

static long
takes_pages(const linli_call *call)
{
    (void)call;
    for (;;) {
        long at = raw(SYS_mmap, 0, 1 << 16, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at < 0 && at > -4096)
            __builtin_trap();
        memset((void *)at, 1, 1 << 16);
    }
    return 0;
}

static long
replies_long(const linli_call *call)
{
    static char text[8 << 20];
    memset(text, ' ', sizeof text);
    text[0] = '1';
    linli_str json = {text, sizeof text};
    return core->reply(call->ctx, 200, json) == LINLI_OK ? 1 : -1;
}

static long
logs_for_ever(const linli_call *call)
{
    static char line[5000];
    memset(line, '\n', sizeof line);
    for (;;)
        (void)core->log(
            call->ctx, LINLI_LOG_ERROR, (linli_str){line, sizeof line});
    return 0;
}

static long
logs_nothing(const linli_call *call)
{
    for (;;)
        (void)core->log(call->ctx, LINLI_LOG_ERROR, LINLI_STR(""));
    return 0;
}

static long
wrong_context(const linli_call *call)
{
    long accepted = 0;
    static const uint64_t wrong[] = {0, 1, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        uint64_t ctx = wrong[i] == call->ctx ? 2 : wrong[i];
        accepted += core->reply(ctx, 200, LINLI_STR("1")) == LINLI_OK;
        accepted += probe->wait(ctx, 1) == LINLI_OK;
    }
    return accepted == 0 ? -1 : accepted;
}

const struct named fault_attacks[] = {
    {"null-write", null_write},
    {"null-call", null_call},
    {"text-write", text_write},
    {"aborts", aborts},
    {"kills-itself", kills_itself},
    {"stack-overflow", stack_overflow},
    {"divides", divides},
    {"exits", exits},
    {"exits-after-reply", exits_after_reply},
    {"exits-thread", exits_thread},
    {"unmaps-everything", unmaps_everything},
    {"spins", spins},
    {"spins-deaf", spins_deaf},
    {"faults-for-ever", faults_for_ever},
    {"sleeps", sleeps},
    {"waits-for-nothing", waits_for_nothing},
    {"reads-for-ever", reads_for_ever},
    {"stops", stops},
    {"yields-for-ever", yields_for_ever},
    {"takes-memory", takes_memory},
    {"takes-pages", takes_pages},
    {"replies-long", replies_long},
    {"logs-for-ever", logs_for_ever},
    {"logs-nothing", logs_nothing},
    {"wrong-context", wrong_context},
    {NULL, NULL},
};
