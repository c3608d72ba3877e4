/* tests/unit/enter_player.h: the worker that test_enter.c starts.
 *
 * It enters the sandbox as the real one does and then tries one attack, or
 * checks from within what must hold.
 */
#ifndef ENTER_PLAYER_H
#define ENTER_PLAYER_H

#include "enter_checks.h"

struct order {
    int attack;
    int stage; /* 0: no filter yet; 1, 2: after it */
    bool private_root, filter_errno, native;
};

struct entered {
    linli_status status;
    char msg[200];
    struct ll_sandbox_level level;
};

#if defined(__x86_64__)
static long
int80(long call)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(call) : "memory");
    return result;
}
#endif

static volatile int *volatile nowhere;

static void
special(int which)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    switch (which) {
#if defined(__x86_64__)
    case SPECIAL_INT80:
        answer.result = int80(20); /* getpid for i386, writev for us */
        break;
    case SPECIAL_X32:
        answer.result = syscall(0x40000000L + SYS_getpid);
        break;
#endif
    case SPECIAL_FACTS:
        check_facts();
        break;
    case SPECIAL_OUTSIDE:
        check_outside();
        break;
    case SPECIAL_LIBC:
        check_libc();
        break;
    case SPECIAL_MEMORY:
        check_memory();
        break;
    case SPECIAL_TIMER:
        check_timer();
        break;
    case SPECIAL_OBJECT:
        check_object();
        break;
    case SPECIAL_HIDE:
        hide();
        break;
    case SPECIAL_SIGACTION:
        answer.result = sigaction(SIGUSR1, &action, NULL);
        answer.error = errno;
        break;
    case SPECIAL_SEGV:
        *nowhere = 1;
        break;
    case SPECIAL_ABORT:
        abort();
    case SPECIAL_EXIT:
        _exit(42);
    default:
        break;
    }
}

static void
attack(int which)
{
    size_t n;
    const struct attack *list = attacks(&n);
    errno = 0;
    if (which >= FAMILY_FIRST) {
        answer.result = syscall(SYS_socket, which - FAMILY_FIRST, 1, 0);
        answer.error = errno;
    } else if (which >= SPECIAL_INT80) {
        special(which);
    } else {
        const struct attack *a = &list[which];
        answer.result = syscall(a->call, a->args[0], a->args[1], a->args[2],
            a->args[3], a->args[4], a->args[5]);
        answer.error = errno;
    }
}

static bool
all_of(int fd, void *bytes, size_t n)
{
    return read(fd, bytes, n) == (ssize_t)n;
}

/* The package as hello.c leaves it: private copies. */
static void
prepare(const struct order *order)
{
    static struct ll_worker_file files[3];
    struct stat st;
    ll_mem_init(&worker.mem, 0);
    ll_arena_init(&worker.arena, &worker.mem, 1 << 20);
    worker.config = (struct ll_worker_config){.memory_bytes = MEMORY_BYTES,
        .filter_errno = order->filter_errno,
        .private_root = order->private_root,
        .native = order->native};
    fstat(LL_FD_PACKAGE, &st);
    char *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
        MAP_PRIVATE, LL_FD_PACKAGE, 0);
    linli_str whole = {bytes, (size_t)st.st_size};
    files[0] = (struct ll_worker_file){LINLI_STR("main.lua"), whole};
    files[1] = (struct ll_worker_file){LINLI_STR("lib/attack.so"), whole};
    files[2] = (struct ll_worker_file){LINLI_STR("lib/other.so"), whole};
    worker.files = files;
    worker.file_count = 3;
}

static int
play(void)
{
    struct order order;
    struct entered entered = {0};
    struct ll_err err = {0};
    if (!all_of(LL_FD_CONTROL, &order, sizeof order))
        return 1;
    if (order.attack == SPECIAL_SHUT)
        while (read(LL_FD_CONTROL, scratch, 1) > 0)
            ; /* the host hangs up before we enter */
    prepare(&order);
    entered.status = ll_worker_enter(&worker, &entered.level, &err);
    has_landlock = entered.level.landlock;
    if (entered.status == LINLI_OK && order.stage > 0 && order.native)
        entered.status = ll_worker_stage1(&worker, &err);
    if (entered.status == LINLI_OK && order.attack == SPECIAL_OBJECT)
        map_object();
    if (entered.status == LINLI_OK && order.attack == SPECIAL_TIMER)
        arm_timer();
    if (entered.status == LINLI_OK && order.stage > 1)
        entered.status = ll_worker_stage2(&worker, &err);
    memcpy(entered.msg, err.msg, sizeof entered.msg);
    if (write(LL_FD_CONTROL, &entered, sizeof entered) < 0)
        return 1;
    if (entered.status != LINLI_OK)
        return 2;
    if (answer.failed_line == 0)
        attack(order.attack);
    (void)!write(LL_FD_CONTROL, &answer, sizeof answer);
    (void)!read(LL_FD_CONTROL, scratch, 1); /* until the host is done */
    return 0;
}

#endif
