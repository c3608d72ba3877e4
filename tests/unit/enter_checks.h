/* tests/unit/enter_checks.h: what a confined worker checks from within.
 *
 * A check that does not hold leaves its line in `answer` and returns.
 */
#ifndef ENTER_CHECKS_H
#define ENTER_CHECKS_H

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/text.h"
#include "enter_attacks.h"
#include "t.h"
#include "worker/worker.h"

#define MEMORY_BYTES ((int64_t)32 << 20)

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
    int *opened = dlsym(object, "attack_opened");
    HOLDS(opened != NULL && *opened == 0);
}

static void
check_object(void)
{
    HOLDS(object != NULL);
    union {
        void *address;
        int (*call)(int);
    } found = {dlsym(object, "attack_answer")};
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

#endif
