/* tests/hostile/native/system.c: system calls that must not be had.
 *
 * A result that is not negative is a way out. With the filter as shipped
 * most end the process; with errno as its default action all are refused,
 * and every one behind the first door is tried.
 */
#include <errno.h>
#include <stdio.h>

#include "enter_attacks.h"
#include "hostile.h"

static char page[8192] __attribute__((aligned(4096)));

bool
readable(const void *at)
{
    /* It reads the mask before it looks at the impossible `how`. */
    return RAW4(SYS_rt_sigprocmask, 99, at, 0, 8) != -EFAULT;
}

/* -- files -- */

static long
open_for(const char *path, int flags)
{
    return RAW4(SYS_openat, AT_FDCWD, path, flags, 0600);
}

static long
file_read(const linli_call *call)
{
    (void)call;
    return open_for("/etc/passwd", O_RDONLY);
}

static long
file_write(const linli_call *call)
{
    (void)call;
    return open_for("/tmp/linli-hostile", O_WRONLY | O_CREAT);
}

static long
file_memory(const linli_call *call)
{
    (void)call;
    return open_for("/proc/self/mem", O_RDWR);
}

static long
file_environment(const linli_call *call)
{
    (void)call;
    return open_for("/proc/self/environ", O_RDONLY);
}

static long
file_object(const linli_call *call)
{
    (void)call;
    return open_for("/so/0.so", O_RDONLY);
}

static long
file_openat2(const linli_call *call)
{
    static const uint64_t how[3] = {O_RDONLY, 0, 0};
    (void)call;
    return RAW4(SYS_openat2, AT_FDCWD, "/", how, sizeof how);
}

/* -- sockets -- */

static long
socket_of(int family, int type, int protocol)
{
    return RAW3(SYS_socket, family, type, protocol);
}

static long
socket_tcp(const linli_call *call)
{
    (void)call;
    return socket_of(AF_INET, SOCK_STREAM, 0);
}

static long
socket_mptcp(const linli_call *call)
{
    (void)call;
    return socket_of(AF_INET, SOCK_STREAM, 262);
}

static long
socket_udp(const linli_call *call)
{
    (void)call;
    return socket_of(AF_INET6, SOCK_DGRAM, 0);
}

static long
socket_unix(const linli_call *call)
{
    (void)call;
    return socket_of(AF_UNIX, SOCK_STREAM, 0);
}

static long
socket_netlink(const linli_call *call)
{
    (void)call;
    return socket_of(AF_NETLINK, SOCK_RAW, 0);
}

static long
socket_pair(const linli_call *call)
{
    (void)call;
    return RAW4(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, scratch);
}

/* -- processes -- */

static long
process_fork(const linli_call *call)
{
    (void)call;
    return RAW1(SYS_clone, SIGCHLD);
}

static long
process_thread(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_clone, 0x3d0f00, page + sizeof page);
}

static long
process_clone3(const linli_call *call)
{
    static uint64_t arguments[11];
    (void)call;
    arguments[4] = SIGCHLD;
    return RAW2(SYS_clone3, arguments, sizeof arguments);
}

static long
process_exec(const linli_call *call)
{
    static const char *const words[] = {"/bin/true", NULL};
    (void)call;
    return RAW3(SYS_execve, words[0], words, words + 1);
}

static long
process_trace(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_ptrace, PTRACE_TRACEME, 0);
}

static long
process_read(const linli_call *call)
{
    (void)call;
    return raw(SYS_process_vm_readv, 1, (long)&vector, 1, (long)&vector, 1, 0);
}

static long
process_pidfd(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_pidfd_open, 1, 0);
}

static long
signal_group(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_kill, 0, SIGTERM);
}

static long
signal_all(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_kill, -1, SIGKILL);
}

static long
signal_parent(const linli_call *call)
{
    (void)call;
    return RAW3(SYS_tgkill, 1 + RAW0(SYS_getpid), 2, SIGKILL);
}

/* -- memory that can be executed -- */

static long
memory_rwx(const linli_call *call)
{
    (void)call;
    return raw(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, ANON, -1,
               0) > 0
               ? 1
               : -EPERM;
}

static long
memory_mprotect(const linli_call *call)
{
    (void)call;
    return RAW3(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

static long
memory_pkey(const linli_call *call)
{
    (void)call;
    return RAW4(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1);
}

static long
memory_memfd(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_memfd_create, "code", 0);
}

static long
memory_shared(const linli_call *call)
{
    (void)call;
    return raw(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0) > 0
               ? 1
               : -EPERM;
}

static long
memory_personality(const linli_call *call)
{
    (void)call;
    return RAW1(SYS_personality, 0x0400000);
}

/* -- the kernel's other doors -- */

static long
kernel_uring(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_io_uring_setup, 8, scratch);
}

static long
kernel_bpf(const linli_call *call)
{
    (void)call;
    return RAW3(SYS_bpf, 0, scratch, 64);
}

static long
kernel_unshare(const linli_call *call)
{
    (void)call;
    return RAW1(SYS_unshare, CLONE_NEWUSER);
}

static long
kernel_setns(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_setns, 3, 0);
}

static long
kernel_mount(const linli_call *call)
{
    (void)call;
    return RAW4(SYS_mount, "t", "/", "tmpfs", 0);
}

static long
kernel_prctl(const linli_call *call)
{
    (void)call;
    return RAW2(SYS_prctl, PR_SET_PDEATHSIG, 0);
}

static long
kernel_limits(const linli_call *call)
{
    (void)call;
    return RAW4(SYS_prlimit64, 0, RLIMIT_AS, &raised, 0);
}

static long
kernel_shm(const linli_call *call)
{
    (void)call;
    return RAW3(SYS_shmget, 0, 4096, 01600);
}

static long
kernel_timer(const linli_call *call)
{
    static const uint64_t soon[4] = {0, 1000, 0, 1000};
    (void)call;
    return RAW3(SYS_setitimer, ITIMER_REAL, soon, 0);
}

static long
descriptor_dup(const linli_call *call)
{
    (void)call;
    return RAW1(SYS_dup, 3);
}

static long
descriptor_pass(const linli_call *call)
{
    (void)call;
    return RAW3(SYS_sendmsg, 3, &message, 0);
}

#if defined(__x86_64__)
/* getpid by the 32-bit door, whose numbers mean other calls */
static long
door_int80(const linli_call *call)
{
    long result;
    (void)call;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
    return result;
}

static long
door_x32(const linli_call *call)
{
    (void)call;
    return RAW0(0x40000000L | SYS_getpid);
}
#endif

/* -- what was left lying about: 0 is none, more is how many -- */

static long
left_descriptors(const linli_call *call)
{
    long more = 0;
    (void)call;
    for (int fd = 0; fd < 4096; fd++) {
        struct {
            int fd;
            short events, revents;
        } one = {fd, 0, 0};
        bool ours = fd <= 3 || fd == 6 || fd == 7;
        long got = RAW3(SYS_poll, &one, 1, 0);
        if (got >= 0 && !(one.revents & 0x20) && !ours)
            more++;
    }
    return more == 0 ? -ENOENT : more;
}

/* Not memcmp, which a sanitizer would watch. */
static bool
begins(const volatile char *at, const char *with)
{
    while (*with != '\0' && *at == *with) {
        at++;
        with++;
    }
    return *with == '\0';
}

/* Strings of an environment lie above the stack. */
static long
left_environment(const linli_call *call)
{
    static const char *const names[] = {"PATH=", "HOME=", "LINLI_", "PWD="};
    long more = 0;
    (void)call;
    volatile char here = 0;
    const char *at = (const char *)((uintptr_t)&here & ~(uintptr_t)4095);
    for (; readable(at); at += 4096)
        for (size_t i = 0; i < 4096 - 8; i++)
            for (size_t n = 0; n < sizeof names / sizeof *names; n++)
                more +=
                    begins(at + i, names[n]) && (i == 0 || at[i - 1] == '\0');
    return more == 0 ? -ENOENT : more;
}

const struct named system_attacks[] = {
    {"file-read", file_read},
    {"file-write", file_write},
    {"file-memory", file_memory},
    {"file-environment", file_environment},
    {"file-object", file_object},
    {"file-openat2", file_openat2},
    {"socket-tcp", socket_tcp},
    {"socket-mptcp", socket_mptcp},
    {"socket-udp", socket_udp},
    {"socket-unix", socket_unix},
    {"socket-netlink", socket_netlink},
    {"socket-pair", socket_pair},
    {"process-fork", process_fork},
    {"process-thread", process_thread},
    {"process-clone3", process_clone3},
    {"process-exec", process_exec},
    {"process-trace", process_trace},
    {"process-read", process_read},
    {"process-pidfd", process_pidfd},
    {"signal-group", signal_group},
    {"signal-all", signal_all},
    {"signal-parent", signal_parent},
    {"memory-rwx", memory_rwx},
    {"memory-mprotect", memory_mprotect},
    {"memory-pkey", memory_pkey},
    {"memory-memfd", memory_memfd},
    {"memory-shared", memory_shared},
    {"memory-personality", memory_personality},
    {"kernel-uring", kernel_uring},
    {"kernel-bpf", kernel_bpf},
    {"kernel-unshare", kernel_unshare},
    {"kernel-setns", kernel_setns},
    {"kernel-mount", kernel_mount},
    {"kernel-prctl", kernel_prctl},
    {"kernel-limits", kernel_limits},
    {"kernel-shm", kernel_shm},
    {"kernel-timer", kernel_timer},
    {"descriptor-dup", descriptor_dup},
    {"descriptor-pass", descriptor_pass},
#if defined(__x86_64__)
    {"door-int80", door_int80},
    {"door-x32", door_x32},
#endif
    {"left-descriptors", left_descriptors},
    {"left-environment", left_environment},
    {NULL, NULL},
};

/* The list of the sandbox's own test, here at the end of the whole path. */
void
all_attacks(char *out, size_t size)
{
    size_t count, used = 1, tried = 0;
    const struct attack *list = attacks(&count);
    out[0] = '[';
    for (size_t i = 0; i < count; i++) {
        const long *a = list[i].args;
        long result = raw(list[i].call, a[0], a[1], a[2], a[3], a[4], a[5]);
        tried++;
        if (result >= 0 && used + 100 < size)
            used += (size_t)snprintf(
                out + used, size - used, "\"%.80s\",", list[i].name);
    }
    (void)snprintf(out + used, size - used, "%zu]", tried);
}
