/* tests/unit/enter_attacks.h: what native code of an attacker tries, and how
 * it must end. A row is a new door: add one for each that is thought of.
 */
#ifndef ENTER_ATTACKS_H
#define ENTER_ATTACKS_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "base/defs.h"
#include "config.h"

/* How an attack ends, by the filter's default action KILL. */
enum expect {
    KILLED,  /* SIGSYS; EPERM in development */
    REFUSED, /* an errno rule: the process goes on */
    FILES,   /* refused, at stage 1 by Landlock or the root */
    OWN_DIR, /* the same, but an empty root may be listed at stage 1 */
    STATUS,  /* the same, but Landlock leaves stat alone */
    LATER,   /* killed at stage 2, allowed and harmless at stage 1 */
};

struct attack {
    const char *name;
    enum expect expect;
    long call;
    long args[6];
};

#define CALL(name) SYS_##name
#define P(pointer) ((long)(intptr_t)(pointer))

static char scratch[4096];
static struct rlimit raised = {RLIM_INFINITY, RLIM_INFINITY};
static struct sockaddr_in port = {.sin_family = AF_INET};
static struct msghdr message;
static struct iovec vector = {scratch, sizeof scratch};
static char *no_words[1];

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static const struct attack *
attacks(size_t *count)
{
    static const struct attack list[] = {
        /* files */
        {"read a file", FILES, CALL(openat), {AT_FDCWD, P("/etc/passwd")}},
        {"list the root", OWN_DIR, CALL(openat),
            {AT_FDCWD, P("/"), O_RDONLY | O_DIRECTORY}},
        {"make a file", FILES, CALL(openat),
            {AT_FDCWD, P("/tmp/linli-enter"), O_WRONLY | O_CREAT, 0600}},
        {"open own memory", FILES, CALL(openat),
            {AT_FDCWD, P("/proc/self/mem"), O_RDWR}},
        {"open a device", FILES, CALL(openat),
            {AT_FDCWD, P("/dev/null"), O_RDWR}},
        {"stat", STATUS, CALL(newfstatat),
            {AT_FDCWD, P("/etc/shadow"), P(scratch), 0}},
#ifdef SYS_open
        {"open", REFUSED, CALL(open), {P("/etc/passwd")}},
        {"creat", KILLED, CALL(creat), {P("/tmp/linli-enter"), 0600}},
        {"access", KILLED, CALL(access), {P("/etc/passwd")}},
        {"stat, old", KILLED, CALL(stat), {P("/etc/passwd"), P(scratch)}},
        {"unlink, old", KILLED, CALL(unlink), {P("/tmp/linli-enter")}},
#endif
        {"openat2", KILLED, CALL(openat2), {AT_FDCWD, P("/"), P(scratch), 24}},
        {"open_tree", KILLED, CALL(open_tree), {AT_FDCWD, P("/"), 0}},
        {"open by handle", KILLED, CALL(open_by_handle_at),
            {AT_FDCWD, P(scratch), O_RDONLY}},
        {"statx", KILLED, CALL(statx), {AT_FDCWD, P("/"), 0, 0, P(scratch)}},
        {"statfs", KILLED, CALL(statfs), {P("/"), P(scratch)}},
        {"readlink", KILLED, CALL(readlinkat),
            {AT_FDCWD, P("/proc/self/exe"), P(scratch), 100}},
        {"getdents", KILLED, CALL(getdents64), {3, P(scratch), 100}},
        {"unlink", KILLED, CALL(unlinkat), {AT_FDCWD, P("/etc/passwd")}},
        {"mkdir", KILLED, CALL(mkdirat), {AT_FDCWD, P("/tmp/linli-enter")}},
        {"rename", KILLED, CALL(renameat2),
            {AT_FDCWD, P("/etc/passwd"), AT_FDCWD, P("/etc/x")}},
        {"chmod", KILLED, CALL(fchmodat), {AT_FDCWD, P("/etc/passwd"), 0777}},
        {"truncate", KILLED, CALL(truncate), {P("/etc/passwd"), 0}},
        {"chdir", KILLED, CALL(chdir), {P("/")}},
        {"chroot", KILLED, CALL(chroot), {P("/")}},
        {"getcwd", KILLED, CALL(getcwd), {P(scratch), 100}},
        {"fchdir", KILLED, CALL(fchdir), {3}},
        {"mount", KILLED, CALL(mount), {P("t"), P("/"), P("tmpfs")}},
        {"umount", KILLED, CALL(umount2), {P("/"), 2}},
        {"pivot_root", KILLED, CALL(pivot_root), {P("/"), P("/")}},
        {"fsopen", KILLED, CALL(fsopen), {P("tmpfs"), 0}},
        {"setxattr", KILLED, CALL(setxattr), {P("/"), P("user.a"), P("b"), 1}},
        {"inotify", KILLED, CALL(inotify_init1), {0}},
        {"fanotify", KILLED, CALL(fanotify_init), {0, 0}},
        {"quotactl", KILLED, CALL(quotactl), {0}},
        {"sync", KILLED, CALL(sync), {0}},
        /* descriptors */
        {"dup", KILLED, CALL(dup), {3}},
        {"dup3", KILLED, CALL(dup3), {3, 9, 0}},
        {"fcntl", KILLED, CALL(fcntl), {3, F_DUPFD, 9}},
        {"close", LATER, CALL(close), {99}},
        {"seek", LATER, CALL(lseek), {3, 0, SEEK_CUR}},
        {"close_range", KILLED, CALL(close_range), {9, 99, 0}},
        {"pipe", KILLED, CALL(pipe2), {P(scratch), 0}},
        {"eventfd", KILLED, CALL(eventfd2), {0, 0}},
        {"epoll", KILLED, CALL(epoll_create1), {0}},
        {"signalfd", KILLED, CALL(signalfd4), {-1, P(scratch), 8, 0}},
        {"timerfd", KILLED, CALL(timerfd_create), {1, 0}},
        {"memfd", KILLED, CALL(memfd_create), {P("m"), 0}},
        {"sendfile", KILLED, CALL(sendfile), {3, 3, 0, 1}},
        {"splice", KILLED, CALL(splice), {3, 0, 6, 0, 1, 0}},
        {"vmsplice", KILLED, CALL(vmsplice), {3, P(&vector), 1, 0}},
        {"ioctl TIOCSTI", REFUSED, CALL(ioctl), {0, 0x5412, P("x")}},
        /* the network and other sockets: families in network_attacks() */
        {"socketpair", KILLED, CALL(socketpair), {1, 1, 0, P(scratch)}},
        {"connect", KILLED, CALL(connect), {3, P(&port), sizeof port}},
        {"bind", KILLED, CALL(bind), {3, P(&port), sizeof port}},
        {"listen", KILLED, CALL(listen), {3, 1}},
        {"accept", KILLED, CALL(accept4), {3, 0, 0, 0}},
        {"send a descriptor", KILLED, CALL(sendmsg), {3, P(&message), 0}},
        {"take a descriptor", KILLED, CALL(recvmsg), {3, P(&message), 64}},
        {"sendto", KILLED, CALL(sendto), {3, P("x"), 1, 0}},
        {"recvfrom", KILLED, CALL(recvfrom), {3, P(scratch), 1, 64}},
        {"setsockopt", KILLED, CALL(setsockopt), {3, 1, 7, P(scratch), 4}},
        {"getpeername", KILLED, CALL(getpeername), {3, P(scratch), P(&vector)}},
        {"shutdown", KILLED, CALL(shutdown), {3, 2}},
        /* processes */
        {"fork", KILLED, CALL(clone), {SIGCHLD}},
        {"vfork", KILLED, CALL(clone), {0x4100 | SIGCHLD}},
        {"a thread", KILLED, CALL(clone), {0x3d0f00, P(scratch + 4096)}},
        {"clone3", REFUSED, CALL(clone3), {P(scratch), 64}},
        {"execve", KILLED, CALL(execve),
            {P("/bin/true"), P(no_words), P(no_words)}},
        {"execveat", KILLED, CALL(execveat),
            {AT_FDCWD, P("/bin/true"), P(no_words), P(no_words), 0}},
        {"trace me", KILLED, CALL(ptrace), {PTRACE_TRACEME}},
        {"trace another", KILLED, CALL(ptrace), {PTRACE_ATTACH, 1}},
        {"read another's memory", KILLED, CALL(process_vm_readv),
            {1, P(&vector), 1, P(&vector), 1, 0}},
        {"write another's memory", KILLED, CALL(process_vm_writev),
            {1, P(&vector), 1, P(&vector), 1, 0}},
        {"process_madvise", KILLED, CALL(process_madvise),
            {3, P(&vector), 1, 20, 0}},
        {"kcmp", KILLED, CALL(kcmp), {1, 1, 0, 0, 0}},
        {"kill everybody", KILLED, CALL(kill), {-1, SIGKILL}},
        {"kill the group", KILLED, CALL(kill), {0, SIGTERM}},
        {"kill init", KILLED, CALL(kill), {1, SIGTERM}},
        {"tkill", KILLED, CALL(tkill), {1, SIGTERM}},
        {"tgkill another", KILLED, CALL(tgkill), {99999, 99999, SIGTERM}},
        {"queue a signal", KILLED, CALL(rt_sigqueueinfo),
            {1, SIGTERM, P(scratch)}},
        {"pidfd_open", KILLED, CALL(pidfd_open), {1, 0}},
        {"pidfd_getfd", KILLED, CALL(pidfd_getfd), {3, 0, 0}},
        {"pidfd_send_signal", KILLED, CALL(pidfd_send_signal), {3, 9, 0, 0}},
        {"wait", KILLED, CALL(wait4), {-1, 0, 1, 0}},
        {"setsid", KILLED, CALL(setsid), {0}},
        {"setpgid", KILLED, CALL(setpgid), {0, 0}},
        {"getppid", KILLED, CALL(getppid), {0}},
        /* memory */
        {"RWX", KILLED, CALL(mmap), {0, 4096, 7, ANON, -1, 0}},
        {"anonymous RX", KILLED, CALL(mmap), {0, 4096, 5, ANON, -1, 0}},
        {"mprotect RX", KILLED, CALL(mprotect), {P(scratch), 4096, 5}},
        {"pkey_mprotect", KILLED, CALL(pkey_mprotect),
            {P(scratch), 4096, 5, -1}},
        {"shared memory", KILLED, CALL(mmap),
            {0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0}},
        {"locked memory", KILLED, CALL(mmap),
            {0, 4096, 3, ANON | MAP_LOCKED, -1, 0}},
        {"huge pages", KILLED, CALL(mmap),
            {0, 1 << 21, 3, ANON | MAP_HUGETLB, -1, 0}},
        {"mlock", KILLED, CALL(mlock), {P(scratch), 4096}},
        {"remap_file_pages", KILLED, CALL(remap_file_pages),
            {P(scratch), 4096, 0, 0, 0}},
        {"SysV shared memory", KILLED, CALL(shmget), {0, 4096, 0600 | 01000}},
        {"SysV semaphores", KILLED, CALL(semget), {0, 1, 0600}},
        {"SysV messages", KILLED, CALL(msgget), {0, 0600}},
        {"POSIX messages", KILLED, CALL(mq_open), {P("q"), 66, 0600, 0}},
        {"READ_IMPLIES_EXEC", KILLED, CALL(personality), {0x0400000}},
        {"userfaultfd", KILLED, CALL(userfaultfd), {1}},
        {"move_pages", KILLED, CALL(move_pages), {0, 0, 0, 0, 0, 0}},
        {"futex PI", KILLED, CALL(futex), {P(scratch), FUTEX_LOCK_PI, 0, 0}},
        {"futex requeue", KILLED, CALL(futex),
            {P(scratch), FUTEX_CMP_REQUEUE, 1, 0, P(scratch + 8), 0}},
        /* the kernel */
        {"io_uring", KILLED, CALL(io_uring_setup), {8, P(scratch)}},
        {"aio", KILLED, CALL(io_setup), {1, P(scratch)}},
        {"bpf", KILLED, CALL(bpf), {0, P(scratch), 64}},
        {"perf", KILLED, CALL(perf_event_open), {P(scratch), 0, -1, -1, 0}},
        {"keyctl", KILLED, CALL(keyctl), {0, -3, 1}},
        {"add_key", KILLED, CALL(add_key), {P("user"), P("a"), P("b"), 1, -3}},
        {"new user namespace", KILLED, CALL(unshare), {CLONE_NEWUSER}},
        {"setns", KILLED, CALL(setns), {3, 0}},
        {"init_module", KILLED, CALL(init_module), {P(scratch), 1, P("")}},
        {"reboot", KILLED, CALL(reboot), {0, 0, 0, 0}},
        {"syslog", KILLED, CALL(syslog), {3, P(scratch), 100}},
        {"sethostname", KILLED, CALL(sethostname), {P("x"), 1}},
        {"uname", REFUSED, CALL(uname), {P(scratch)}},
        {"sysinfo", REFUSED, CALL(sysinfo), {P(scratch)}},
        {"acct", KILLED, CALL(acct), {0}},
        {"swapoff", KILLED, CALL(swapoff), {P("/")}},
        {"settimeofday", KILLED, CALL(settimeofday), {P(scratch), 0}},
        {"clock_settime", KILLED, CALL(clock_settime), {0, P(scratch)}},
        {"adjtimex", KILLED, CALL(adjtimex), {P(scratch)}},
        /* undoing the sandbox */
        {"clear PDEATHSIG", LL_SANITIZED ? REFUSED : KILLED, CALL(prctl),
            {PR_SET_PDEATHSIG, 0}},
        {"be dumpable", LL_SANITIZED ? REFUSED : KILLED, CALL(prctl),
            {PR_SET_DUMPABLE, 1}},
        {"raise a limit", REFUSED, CALL(prlimit64),
            {0, RLIMIT_AS, P(&raised), 0}},
        {"raise a limit, old", KILLED, CALL(setrlimit),
            {RLIMIT_NOFILE, P(&raised)}},
        {"raise priority", KILLED, CALL(setpriority), {0, 0, -5}},
        {"real-time", KILLED, CALL(sched_setscheduler), {0, 1, P(scratch)}},
        {"affinity", KILLED, CALL(sched_setaffinity), {0, 8, P(scratch)}},
        {"setuid", KILLED, CALL(setuid), {0}},
        {"setresuid", KILLED, CALL(setresuid), {0, 0, 0}},
        {"setgroups", KILLED, CALL(setgroups), {0, 0}},
        {"capset", KILLED, CALL(capset), {P(scratch), P(scratch)}},
        {"a filter that lies", KILLED, CALL(seccomp), {1, 1, P(scratch)}},
        {"a listener", KILLED, CALL(seccomp), {1, 8, P(scratch)}},
        {"Landlock rule", KILLED, CALL(landlock_add_rule), {3, 1, P(scratch)}},
        {"Landlock", LATER, CALL(landlock_restrict_self), {-1, 0}},
        {"umask", KILLED, CALL(umask), {0}},
        /* timers */
        {"setitimer", KILLED, CALL(setitimer), {ITIMER_REAL, P(scratch)}},
        {"timer_create", KILLED, CALL(timer_create), {1, 0, P(scratch)}},
        {"rseq", KILLED, CALL(rseq), {P(scratch), 32, 0, 1}},
        {"no such call", KILLED, 500, {0}},
        {"no such call, -1", KILLED, -1, {0}},
    };
    *count = LL_COUNT(list);
    return list;
}

/* Attacks beyond the list: sockets of each family, then these. */
#define FAMILIES 46
enum {
    SPECIAL_INT80 = 10000,
    SPECIAL_X32,
    SPECIAL_FACTS,
    SPECIAL_LIBC,
    SPECIAL_MEMORY,
    SPECIAL_TIMER,
    SPECIAL_OBJECT,
    SPECIAL_SIGACTION,
    SPECIAL_SEGV,
    SPECIAL_ABORT,
    SPECIAL_EXIT,
    SPECIAL_HIDE,
    SPECIAL_SHUT,
    SPECIAL_OUTSIDE, /* without any filter */
    FAMILY_FIRST = 20000,
};

#endif
