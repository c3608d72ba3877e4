/* tests/unit/test_enter.c: what a confined worker can still do: nothing.
 *
 * Executed as "linli-worker" this program plays a worker with native code
 * of an attacker: it enters the sandbox as the real one does and then tries
 * one attack. Each attack runs with the filter's default KILL and, since
 * that stops at the first door, with the development default EPERM.
 *
 * test-timeout-s: 180
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include <linux/capability.h>

#include "base/text.h"
#include "config.h"
#include "sandbox_users.h"
#include "t.h"
#include "world/spawn.h"
#include "worker/worker.h"

#define MEMORY_BYTES ((int64_t)32 << 20)

/* -- what is tried -- */

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

/* -- the worker's side -- */

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

struct answer {
    long result; /* of the call, or a special's own */
    int error;
    int failed_line; /* of a special: the first check that failed */
};

static struct ll_worker worker;
static struct answer answer;

#define HOLDS(condition)                   \
    do {                                   \
        if (!(condition)) {                \
            answer.failed_line = __LINE__; \
            answer.error = errno;          \
            return;                        \
        }                                  \
    } while (0)

static void
check_facts(void)
{
    static const struct {
        int resource;
        rlim_t most;
    } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_FSIZE, 0}, {RLIMIT_NOFILE, 16},
        {RLIMIT_NPROC, 1}, {RLIMIT_MEMLOCK, 0}, {RLIMIT_MSGQUEUE, 0},
        {RLIMIT_SIGPENDING, 64}, {RLIMIT_RTPRIO, 0}, {RLIMIT_NICE, 0}};
    struct rlimit limit;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[2];
    int sig = 0;
    for (size_t i = 0; i < LL_COUNT(limits); i++) {
        HOLDS(getrlimit((__rlimit_resource_t)limits[i].resource, &limit) == 0);
        HOLDS(limit.rlim_cur <= limits[i].most);
        HOLDS(limit.rlim_max <= limits[i].most);
    }
    HOLDS(syscall(SYS_capget, &header, caps) == 0);
    for (int i = 0; i < 2; i++)
        HOLDS(
            (caps[i].effective | caps[i].permitted | caps[i].inheritable) == 0);
    HOLDS(prctl(PR_GET_DUMPABLE) == 0);
    HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    HOLDS(prctl(PR_GET_PDEATHSIG, &sig) == 0 && sig == SIGKILL);
    HOLDS(umask(0) == 077);
    HOLDS(getpriority(PRIO_PROCESS, 0) >= 5);
    HOLDS(getsid(0) == getpid());
    for (int fd = 0; fd < 1024; fd++) {
        bool open = fd < 4 || fd == 6 || fd == 7;
        bool object = worker.config.native && !worker.config.private_root &&
                      fd >= 32 && fd < 34;
        HOLDS((fcntl(fd, F_GETFD) >= 0) == (open || object));
    }
}

static bool has_landlock;

/* Without any filter: what the other layers hold by themselves. */
static void
check_outside(void)
{
    HOLDS(open("/etc/passwd", O_RDONLY) < 0);
    HOLDS(open("/", O_RDONLY | O_DIRECTORY) < 0 || !has_landlock);
    HOLDS(open("/tmp/linli-enter", O_WRONLY | O_CREAT, 0600) < 0);
    HOLDS(mkdir("/linli-enter", 0700) < 0);
    HOLDS(open("/proc/self/mem", O_RDWR) < 0);
    HOLDS(setrlimit(RLIMIT_CORE, &raised) < 0);
    HOLDS(setpriority(PRIO_PROCESS, 0, 0) < 0);
    HOLDS(syscall(SYS_setuid, 12345) < 0);
    HOLDS(mount("t", "/", "tmpfs", 0, "") < 0);
    HOLDS(sethostname("x", 1) < 0);
    HOLDS(ptrace(PTRACE_ATTACH, getppid(), 0, 0) < 0);
    if (has_landlock) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        HOLDS(bind(fd, (struct sockaddr *)&port, sizeof port) < 0);
    }
}

static int
by_value(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return x < y ? -1 : x > y;
}

/* What a sound plugin uses of libc must not meet the filter. */
static void
check_libc(void)
{
    enum { N = 200000 };
    char text[256];
    struct timespec pause = {0, 1000};
    struct tm tm;
    int *numbers = malloc(N * sizeof *numbers);
    HOLDS(numbers != NULL);
    for (int i = 0; i < N; i++)
        numbers[i] = (i * 7919) % N;
    qsort(numbers, N, sizeof *numbers, by_value);
    HOLDS(numbers[0] == 0 && numbers[N - 1] == N - 1);
    numbers = realloc(numbers, 4 * N * sizeof *numbers);
    HOLDS(numbers != NULL);
    free(numbers);
    for (size_t n = 1; n < (size_t)8 << 20; n *= 3)
        free(memset(malloc(n), 1, n));
    time_t now = time(NULL);
    HOLDS(now > 1000000000);
    HOLDS(localtime_r(&now, &tm) != NULL && gmtime_r(&now, &tm) != NULL);
    HOLDS(strftime(text, sizeof text, "%F %T %Z", &tm) > 0);
    HOLDS(snprintf(text, sizeof text, "%a %.17g %s", 0.1, 1e300,
              strerror(ENOENT)) > 0);
    HOLDS(strtod("2.5e3", NULL) == 2500.0);
    HOLDS(printf("hello\n") == 6 && fflush(stdout) == 0);
    HOLDS(nanosleep(&pause, NULL) == 0);
    HOLDS(clock_gettime(CLOCK_MONOTONIC, &pause) == 0);
    HOLDS(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &pause) == 0);
    HOLDS(getenv("HOME") == NULL);
    HOLDS(raise(0) == 0);
}

static void
check_memory(void)
{
    const size_t cap = (size_t)MEMORY_BYTES;
    void *p = mmap(NULL, cap, PROT_READ | PROT_WRITE, ANON, -1, 0);
    HOLDS(p != MAP_FAILED);
    HOLDS(munmap(p, cap) == 0);
    p = mmap(NULL, cap + (80u << 20), PROT_READ | PROT_WRITE, ANON, -1, 0);
    HOLDS(p == MAP_FAILED || LL_SANITIZED);
}

static volatile sig_atomic_t ticks;

static void
on_tick(int sig)
{
    (void)sig;
    ticks++;
}

/* As the Lua engine does it, before stage 2. */
static void
arm_timer(void)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    struct itimerval tick = {{0, 10000}, {0, 10000}};
    sigaction(SIGVTALRM, &action, NULL);
    setitimer(ITIMER_VIRTUAL, &tick, NULL);
}

static void
check_timer(void)
{
    struct timespec used;
    do
        HOLDS(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
    while (ticks < 3 && used.tv_sec < 2);
    HOLDS(ticks >= 3);
}

static void *object;

/* Stage 1: the object is found, mapped, and its constructor got nothing. */
static void
map_object(void)
{
    const char *path =
        ll_worker_object_path(&worker, LINLI_STR("lib/attack.so"));
    HOLDS(path != NULL);
    HOLDS(ll_worker_object_path(&worker, LINLI_STR("lib/none.so")) == NULL);
    HOLDS(ll_worker_object_path(&worker, LINLI_STR("main.lua")) == NULL);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    HOLDS(object != NULL);
    int *opened = dlsym(object, "enter_object_opened");
    HOLDS(opened != NULL && *opened == 0);
}

static void
check_object(void)
{
    HOLDS(object != NULL);
    union {
        void *address;
        int (*call)(int);
    } found = {dlsym(object, "enter_object_answer")};
    HOLDS(found.address != NULL && found.call(20) == 41);
    const char *path =
        ll_worker_object_path(&worker, LINLI_STR("lib/attack.so"));
    HOLDS(open(path, O_RDONLY) < 0);
}

static void
hide(void)
{
    sigset_t all;
    sigfillset(&all);
    HOLDS(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
}

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

/* -- the host's side -- */

static struct ll_mem mem;
static struct ll_world *world;
static struct ll_spawner *spawner;
static linli_str object_file; /* enter_object.so */

struct run {
    struct ll_child child;
    int control;
    int started, ended, exit_status, signal;
    struct entered entered;
    bool answered;
    struct answer answer;
};

static void
on_started(struct ll_child *child, linli_status status)
{
    struct run *run = child->user;
    T_INT(status, LINLI_OK);
    run->started++;
    if (status != LINLI_OK)
        run->ended++;
}

static void
on_ended(struct ll_child *child, int exit_status, int sig)
{
    struct run *run = child->user;
    run->ended++;
    run->exit_status = exit_status;
    run->signal = sig;
}

static void
up(void)
{
    struct ll_err err = {0};
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &world, NULL), LINLI_OK);
    struct ll_spawner_options options = {.worker_path = "/proc/self/exe",
        .uid_first = UID_FIRST,
        .uid_count = UID_COUNT};
    T_INT(ll_spawner_new(&mem, world, &options, &spawner, &err), LINLI_OK);
}

static void
down(void)
{
    ll_spawner_free(&spawner);
    ll_world_free(&world);
    T_INT(mem.used_bytes, 0);
}

/* Starts a worker with all six descriptors, as the supervisor does. */
static void
begin(struct run *run, const struct order *order)
{
    int ends[2];
    *run = (struct run){
        .child = {.uid_slot = 2, .started = on_started, .ended = on_ended}};
    run->child.user = run;
    T_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    run->control = ends[0];
    run->child.fds[0] = ends[1];
    for (int i = 1; i < 3; i++)
        run->child.fds[i] = memfd_create("ring", MFD_CLOEXEC);
    for (int i = 3; i < 5; i++)
        run->child.fds[i] = eventfd(0, EFD_CLOEXEC);
    run->child.fds[5] = memfd_create("package", MFD_CLOEXEC);
    T_INT(write(run->child.fds[5], object_file.ptr, object_file.len),
        object_file.len);
    ll_child_start(spawner, &run->child);
    while (run->started == 0)
        ll_world_turn(world, true);
    for (int i = 0; i < 6; i++)
        close(run->child.fds[i]);
    T_INT(
        send(run->control, order, sizeof *order, MSG_NOSIGNAL), sizeof *order);
}

static bool
get(struct run *run, void *bytes, size_t n)
{
    struct pollfd fd = {.fd = run->control, .events = POLLIN};
    return poll(&fd, 1, 10000) > 0 &&
           recv(run->control, bytes, n, MSG_WAITALL) == (ssize_t)n;
}

static void
collect(struct run *run)
{
    if (!get(run, &run->entered, sizeof run->entered))
        run->entered.status = LINLI_E_CLOSED;
    else
        run->answered = get(run, &run->answer, sizeof run->answer);
}

static void
finish(struct run *run)
{
    close(run->control);
    while (run->ended == 0)
        ll_world_turn(world, true);
}

static void
go(struct run *run, const struct order *order)
{
    begin(run, order);
    collect(run);
    finish(run);
    if (run->entered.status != LINLI_OK)
        printf("# entering: %s\n", run->entered.msg);
}

static struct order
order_of(int what, int stage, bool native, bool errno_mode)
{
    return (struct order){.attack = what,
        .stage = stage,
        .native = native,
        .filter_errno = errno_mode,
        .private_root = ll_spawner_caps(spawner)->private_root};
}

/* True if the attack got nowhere in the way that is expected. */
static bool
repelled(const struct run *run, enum expect expect, const struct order *order)
{
    bool refused = run->answered && run->answer.result < 0;
    bool killed = !run->answered && run->signal == SIGSYS;
    if (run->entered.status != LINLI_OK)
        return false;
    if (expect == LATER && order->stage == 1)
        return run->answered;
    if (expect == STATUS && order->stage == 1 && !order->private_root)
        return run->answered;
    if (expect == OWN_DIR && order->stage == 1 && order->private_root)
        return run->answered && (refused || !run->entered.level.landlock);
    if (expect != KILLED && expect != LATER)
        return refused;
    if (order->filter_errno)
        return refused && run->answer.error == EPERM;
    return killed;
}

static void
try_attacks(const struct order *base)
{
    size_t n, tried = 0;
    const struct attack *list = attacks(&n);
    for (size_t i = 0; i < n + FAMILIES; i++) {
        struct order order = *base;
        struct run run;
        bool family = i >= n;
        order.attack = family ? FAMILY_FIRST + (int)(i - n) : (int)i;
        go(&run, &order);
        tried++;
        T_OK(repelled(&run, family ? KILLED : list[i].expect, &order));
        if (!repelled(&run, family ? KILLED : list[i].expect, &order))
            printf("#   %s (%d): result %ld, errno %d, signal %d, exit %d\n",
                family ? "socket of a family" : list[i].name, order.attack,
                run.answer.result, run.answer.error, run.signal,
                run.exit_status);
    }
    printf("# %zu attacks, stage %d, %s, %s\n", tried, base->stage,
        base->native ? "native" : "Lua", base->filter_errno ? "EPERM" : "KILL");
}

#define ATTACKS(name, stage, native, errno_mode)                           \
    T_CASE(name)                                                           \
    {                                                                      \
        up();                                                              \
        struct order order = order_of(0, (stage), (native), (errno_mode)); \
        try_attacks(&order);                                               \
        down();                                                            \
    }

ATTACKS(lua_attacks_are_killed, 2, false, false)
ATTACKS(lua_attacks_are_refused, 2, false, true)
ATTACKS(constructor_attacks_are_killed, 1, true, false)
ATTACKS(constructor_attacks_are_refused, 1, true, true)
ATTACKS(native_attacks_are_killed, 2, true, false)
ATTACKS(native_attacks_are_refused, 2, true, true)

/* Other architectures' numbers are other calls: killed in every mode. */
T_CASE(foreign_numbers_are_killed)
{
#if defined(__x86_64__)
    static const int which[] = {SPECIAL_INT80, SPECIAL_X32};
    up();
    for (size_t i = 0; i < LL_COUNT(which); i++)
        for (int mode = 0; mode < 4; mode++) {
            struct run run;
            struct order order =
                order_of(which[i], 1 + (mode & 1), true, mode >= 2);
            go(&run, &order);
            T_OK(!run.answered);
            /* a kernel without the 32-bit entry: a fault */
            T_OK(run.signal == SIGSYS || run.signal == SIGSEGV);
        }
    down();
#else
    T_OK(true);
#endif
}

static void
expect_holds(int what, int stage, bool native)
{
    struct run run;
    struct order order = order_of(what, stage, native, false);
    go(&run, &order);
    T_INT(run.entered.status, LINLI_OK);
    T_OK(run.answered);
    T_INT(run.answer.failed_line, 0);
    if (run.answer.failed_line != 0)
        printf("#   line %d, errno %d\n", run.answer.failed_line,
            run.answer.error);
    T_INT(run.signal, 0);
    T_INT(run.exit_status, 0);
}

T_CASE(entering_leaves_nothing)
{
    up();
    for (int native = 0; native < 2; native++) {
        expect_holds(SPECIAL_FACTS, 0, native);
        expect_holds(SPECIAL_OUTSIDE, 0, native);
    }
    down();
}

T_CASE(level_is_what_the_probe_said)
{
    struct run run;
    up();
    const struct ll_sandbox_caps *caps = ll_spawner_caps(spawner);
    struct order order = order_of(SPECIAL_LIBC, 2, false, false);
    go(&run, &order);
    const struct ll_sandbox_level *level = &run.entered.level;
    T_INT(level->landlock_abi, caps->landlock_abi);
    T_INT(level->landlock, caps->landlock_abi > 0);
    T_INT(level->private_root, caps->private_root);
    T_INT(level->own_uid, caps->own_uid);
    T_OK(level->seccomp && level->no_new_privs);
    if (caps->user_namespace)
        T_OK(level->namespaces);
    down();
}

T_CASE(sound_plugins_live)
{
    up();
    expect_holds(SPECIAL_LIBC, 2, false);
    expect_holds(SPECIAL_LIBC, 2, true);
    expect_holds(SPECIAL_MEMORY, 2, false);
    expect_holds(SPECIAL_MEMORY, 2, true);
    expect_holds(SPECIAL_TIMER, 2, false);
    expect_holds(SPECIAL_TIMER, 2, true);
    expect_holds(SPECIAL_OBJECT, 2, true);
    down();
}

T_CASE(handlers_are_set_before_lua_runs)
{
    struct run run;
    up();
    struct order order = order_of(SPECIAL_SIGACTION, 2, false, false);
    go(&run, &order);
    T_OK(LL_SANITIZED ? run.answered : run.signal == SIGSYS);
    order = order_of(SPECIAL_SIGACTION, 2, true, false);
    go(&run, &order);
    T_OK(run.answered && run.answer.result == 0);
    down();
}

/* How deaths look from outside, also as process 1 of a namespace. */
T_CASE(deaths_are_seen)
{
    struct run run;
    up();
    struct order order = order_of(SPECIAL_EXIT, 2, true, false);
    go(&run, &order);
    T_OK(!run.answered);
    T_INT(run.exit_status, 42);
    order = order_of(SPECIAL_SEGV, 2, true, false);
    go(&run, &order);
    T_OK(!run.answered);
    T_OK(LL_SANITIZED ? run.exit_status != 0 : run.signal == SIGSEGV);
    order = order_of(SPECIAL_ABORT, 2, true, false);
    go(&run, &order);
    T_OK(!run.answered);
    printf("# abort() ends with signal %d, status %d\n", run.signal,
        run.exit_status);
    T_OK(run.signal != 0 || run.exit_status != 0);
    down();
}

/* What root of the host sees of the worker's root directory. */
T_CASE(root_is_empty)
{
    struct run run;
    up();
    const struct ll_sandbox_caps *caps = ll_spawner_caps(spawner);
    for (int native = 0; native < 2; native++) {
        struct order order = order_of(SPECIAL_HIDE, 2, native, false);
        char path[64];
        struct statfs fs;
        int names = 0;
        begin(&run, &order);
        collect(&run);
        T_OK(run.answered);
        snprintf(path, sizeof path, "/proc/%d/root", run.child.pid);
        DIR *dir = opendir(path);
        if (caps->private_root && geteuid() == 0) {
            T_OK(dir != NULL);
            T_INT(statfs(path, &fs), 0);
            unsigned long want = ST_RDONLY | ST_NOSUID | ST_NODEV;
            want |= native ? 0 : ST_NOEXEC;
            T_INT((unsigned long)fs.f_flags & want, want);
        }
        for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
            names += e->d_name[0] != '.';
        if (caps->private_root)
            T_INT(names, dir == NULL ? 0 : native);
        if (dir != NULL)
            closedir(dir);
        T_OK(ll_child_cpu_ns(&run.child) > 0);
        if (caps->user_namespace || geteuid() == 0)
            T_OK(ll_child_memory_bytes(&run.child) > 0);
        finish(&run);
    }
    down();
}

T_CASE(host_that_hangs_up_is_noticed)
{
    struct run run;
    up();
    struct order order = order_of(SPECIAL_SHUT, 2, false, false);
    begin(&run, &order);
    finish(&run);
    /* It cannot even say why. */
    T_OK(run.signal == SIGPIPE || run.exit_status == 1 || run.exit_status == 2);
    down();
}

/* kill -9 of the host, the worker blocking all signals: gone in 100 ms. */
T_CASE(nobody_outlives_the_host)
{
    int ends[2], pid = 0;
    T_INT(pipe(ends), 0);
    pid_t host = fork();
    if (host == 0) {
        struct run run;
        up();
        struct order order = order_of(SPECIAL_HIDE, 2, true, false);
        begin(&run, &order);
        collect(&run);
        if (run.answered)
            (void)!write(ends[1], &run.child.pid, sizeof run.child.pid);
        for (;;)
            pause();
    }
    T_INT(read(ends[0], &pid, sizeof pid), sizeof pid);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    T_OK(pidfd >= 0);
    T_INT(poll(&end, 1, 0), 0);
    kill(host, SIGKILL);
    T_INT(poll(&end, 1, 100), 1);
    T_INT(waitpid(host, NULL, 0), host);
    close(pidfd);
    close(ends[0]);
    close(ends[1]);
}

static int
by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

T_CASE(start_is_fast)
{
    enum { ROUNDS = 101 };
    static int64_t took[ROUNDS];
    up();
    for (int native = 0; native < 2; native++) {
        for (int i = 0; i < ROUNDS; i++) {
            struct order order = order_of(SPECIAL_HIDE, 2, native, false);
            struct run run;
            int64_t from = ll_mono_now().ns;
            begin(&run, &order);
            T_OK(get(&run, &run.entered, sizeof run.entered));
            took[i] = (ll_mono_now().ns - from) / 1000;
            finish(&run);
        }
        qsort(took, ROUNDS, sizeof *took, by_size);
        printf("# %s, %s: confined after %" PRId64 " us (median), %" PRId64
               " us (p90)\n",
            ll_spawner_caps(spawner)->text, native ? "native" : "Lua",
            took[ROUNDS / 2], took[ROUNDS * 9 / 10]);
    }
    /* Generous: this shares the machine with other tests. */
    T_OK(took[ROUNDS / 2] < 100000);
    down();
}

static void
core_cases(void)
{
    T_RUN(level_is_what_the_probe_said)
    T_RUN(entering_leaves_nothing)
    T_RUN(sound_plugins_live)
    T_RUN(handlers_are_set_before_lua_runs)
    T_RUN(deaths_are_seen)
    T_RUN(root_is_empty)
    T_RUN(host_that_hangs_up_is_noticed)
    T_RUN(nobody_outlives_the_host)
    T_RUN(start_is_fast)
    T_RUN(foreign_numbers_are_killed)
    /* The filters are the same everywhere; here the other layers count. */
    T_RUN(constructor_attacks_are_killed)
}

static void
all_cases(void)
{
    core_cases();
    T_RUN(lua_attacks_are_killed)
    T_RUN(lua_attacks_are_refused)
    T_RUN(constructor_attacks_are_refused)
    T_RUN(native_attacks_are_killed)
    T_RUN(native_attacks_are_refused)
}

/* What a process that enters by itself is told. */
static linli_status
enter_alone(bool nobody, const char *part)
{
    int ends[2], status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct ll_sandbox_level level;
        struct ll_err err = {0};
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
            dup2(ends[1], LL_FD_WAKE_ME) < 0 ||
            dup2(ends[0], LL_FD_CONTROL) < 0 ||
            (nobody && geteuid() == 0 && !become_nobody()))
            _exit(9);
        ll_mem_init(&worker.mem, 0);
        ll_arena_init(&worker.arena, &worker.mem, 1 << 20);
        worker.config.memory_bytes = MEMORY_BYTES;
        status = ll_worker_enter(&worker, &level, &err);
        if (status != LINLI_OK && strstr(err.msg, part) == NULL)
            printf("# %s: %s\n", err.code, err.msg);
        fflush(stdout);
        _exit(strstr(err.msg, part) == NULL || level.seccomp ? 9 : -status);
    }
    T_INT(waitpid(pid, &status, 0), pid);
    return -WEXITSTATUS(status);
}

/* Neither Landlock nor a private root: the worker itself says no. */
T_CASE(too_weak_is_refused)
{
    T_INT(
        enter_alone(true, "neither Landlock nor private root"), LINLI_E_DENIED);
}

/* However it was started: not with the powers of the host's root. */
T_CASE(root_is_refused)
{
    if (geteuid() == 0)
        T_INT(enter_alone(false, "other than the host's root"), LINLI_E_DENIED);
    else
        T_OK(true);
}

static void
weak_cases(void)
{
    T_RUN(too_weak_is_refused)
    T_RUN(root_is_refused)
}

static void
load_object(const char *argv0)
{
    char path[512];
    const char *slash = strrchr(argv0, '/');
    snprintf(path, sizeof path, "%.*s/enter_object.so",
        slash == NULL ? 1 : (int)(slash - argv0), slash == NULL ? "." : argv0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        printf("Bail out! %s is missing\n", path);
        exit(1);
    }
    char *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    object_file = (linli_str){bytes, (size_t)st.st_size};
    close(fd);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int cage;
    } levels[] = {{"no user namespaces", CAGE_NO_USERNS},
        {"no namespaces", CAGE_NO_NS}, {"no mounts", CAGE_NO_MOUNT},
        {"no Landlock", CAGE_NO_LANDLOCK}};
    (void)argc;
    if (strcmp(argv[0], "linli-worker") == 0)
        _exit(play());
    load_object(argv[0]);
    for (int nobody = geteuid() != 0; nobody < 2; nobody++) {
        const char *user = nobody ? "an ordinary user" : "root";
        char who[80];
        run_as(user, nobody, CAGE_NONE, all_cases);
        for (size_t i = 0; i < LL_COUNT(levels); i++) {
            snprintf(who, sizeof who, "%s, %s", user, levels[i].name);
            run_as(who, nobody, levels[i].cage, core_cases);
        }
        snprintf(who, sizeof who, "%s, too weak", user);
        run_as(who, nobody, CAGE_NO_LANDLOCK, weak_cases);
    }
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
