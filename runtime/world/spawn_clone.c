/* world/spawn_clone.c: one new process, from clone3 to exec.
 * [spawner thread; what is tagged [child] runs in the new process]
 *
 * The child is a copy of a threaded host, so until exec it may use raw
 * system calls only: any lock may be held by a thread that is not there,
 * libc's setresuid() would wait for threads that do not exist, and what a
 * sanitizer knows of our descriptors belongs to the host.
 *
 * exec sets the exit signal to SIGCHLD whatever clone3 was told, so an
 * embedder gets SIGCHLD for workers, and one that reaps everything it can
 * (waitpid(-1), SIGCHLD ignored) takes the exit status from us; we live
 * with that: the pidfd tells the end in any case.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "config.h"
#include "world/spawn_impl.h"

/* The kernel's own, without libc's: 8 bytes each of handler, flags,
 * restorer and mask; all zero is SIG_DFL. */
#define KERNEL_SIGACTION_BYTES 32
#define KERNEL_SIGSET_BYTES 8
#define SIGNALS 64

/* Above every descriptor we place, so that none is overwritten. */
#define FD_FIRST 3
#define FD_COUNT 6
#define FD_HIGH 16

/* Under memory pressure a worker goes before the host does. */
#define WORKER_OOM_SCORE "500"

static const char *const step_names[] = {"nothing", "the host's go",
    "signals and session", "changing the uid", "placing descriptors",
    "executing linli-worker"};

/* -- the child -- */

void
ll_spawn_die(int report_fd, enum ll_spawn_step step)
{
    struct ll_spawn_report report = {
        .step = (uint32_t)step, .error = errno == 0 ? EIO : errno};
    (void)syscall(SYS_write, report_fd, &report, sizeof report);
    _exit(127);
}

static bool
reset_signals(void)
{
    static const unsigned char deflt[KERNEL_SIGACTION_BYTES];
    static const unsigned char none[KERNEL_SIGSET_BYTES];
    for (long sig = 1; sig <= SIGNALS; sig++)
        if (sig != SIGKILL && sig != SIGSTOP &&
            syscall(SYS_rt_sigaction, sig, deflt, NULL,
                (size_t)KERNEL_SIGSET_BYTES) != 0)
            return false;
    return syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL,
               (size_t)KERNEL_SIGSET_BYTES) == 0;
}

/* Leaves the host's uid 0. With a user namespace our uid is its 0, whose
 * powers end at the namespace; without one it is a plain uid, and the
 * bounding set goes too while we may drop it (no_new_privs stands in). */
static bool
leave_root(const struct ll_spawn_plan *plan)
{
    bool userns = (plan->flags & CLONE_NEWUSER) != 0;
    long id = userns ? 0 : (long)plan->uid;
    for (unsigned long cap = 0;
         !userns && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EPERM)
            return false;
    return syscall(SYS_setgroups, 0L, NULL) == 0 &&
           syscall(SYS_setresgid, id, id, id) == 0 &&
           syscall(SYS_setresuid, id, id, id) == 0;
}

LL_NORETURN static void
child(const struct ll_spawn_plan *plan, ll_spawn_body *body, void *arg, int fd)
{
    char go;
    if (syscall(SYS_read, fd, &go, (size_t)1) != 1)
        ll_spawn_die(fd, LL_STEP_HOST);
    /* A session of its own: kill(0, sig) would reach the host's process
     * group even out of a pid namespace. */
    if (!reset_signals() || syscall(SYS_setsid) < 0)
        ll_spawn_die(fd, LL_STEP_SIGNALS);
    if (plan->own_uid && !leave_root(plan))
        ll_spawn_die(fd, LL_STEP_UID);
    body(arg, fd);
    _exit(127);
}

/* Moves a descriptor out of the way of 0..8. */
static bool
raise_fd(int *fd)
{
    if (*fd >= 0)
        *fd = (int)syscall(SYS_fcntl, *fd, F_DUPFD_CLOEXEC, FD_HIGH);
    return *fd >= 0;
}

static bool
place(const int *fds, int null_fd)
{
    for (int fd = 0; fd < FD_FIRST; fd++)
        /* A sanitizer's report is worth an open stderr. */
        if (!(LL_SANITIZED && fd == 2) && syscall(SYS_dup3, null_fd, fd, 0) < 0)
            return false;
    for (int i = 0; i < FD_COUNT; i++)
        if (fds[i] < 0)
            (void)syscall(SYS_close, FD_FIRST + i);
        else if (syscall(SYS_dup3, fds[i], FD_FIRST + i, 0) < 0)
            return false;
    /* Whatever else the host has open ends at exec. */
    return syscall(SYS_close_range, (unsigned)(FD_FIRST + FD_COUNT), ~0U,
               CLOSE_RANGE_CLOEXEC) == 0;
}

void
ll_spawn_exec_body(void *arg, int report_fd)
{
    const struct ll_spawn_exec *exec = arg;
    char name[] = "linli-worker";
    char *argv[] = {name, NULL}, *envp[] = {NULL};
    int fds[FD_COUNT], worker_fd = exec->worker_fd, null_fd = exec->null_fd;
    int high = report_fd;
    bool ok = raise_fd(&high);
    if (ok)
        report_fd = high;
    ok = ok && raise_fd(&worker_fd) && raise_fd(&null_fd);
    for (int i = 0; i < FD_COUNT; i++) {
        fds[i] = exec->fds[i];
        ok = ok && (fds[i] < 0 || raise_fd(&fds[i]));
    }
    if (!ok || !place(fds, null_fd))
        ll_spawn_die(report_fd, LL_STEP_DESCRIPTORS);
    (void)syscall(SYS_execveat, worker_fd, "", argv, envp, AT_EMPTY_PATH);
    ll_spawn_die(report_fd, LL_STEP_EXEC);
}

/* -- the host -- */

/* As fork in one thread: 0 in the child, the pid, or -1 and errno. Where
 * clone3 is filtered away (containers answer ENOSYS) clone does the same. */
static long
clone_process(uint64_t flags, int *pidfd)
{
    struct clone_args args = {
        .flags = flags | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid >= 0 || errno != ENOSYS)
        return pid;
    return syscall(SYS_clone, (unsigned long)(flags | CLONE_PIDFD), NULL, pidfd,
        NULL, NULL);
}

static bool
write_proc(int pid, const char *name, const char *text)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = write(fd, text, strlen(text));
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return n == (ssize_t)strlen(text);
}

/* One uid and one gid exist in the new user namespace: 0 within, and
 * outside the plugin's own, or for an ordinary user the host's. */
static bool
write_maps(const struct ll_spawn_plan *plan, int pid)
{
    char uids[40], gids[40];
    uint32_t uid = plan->own_uid ? plan->uid : (uint32_t)geteuid();
    uint32_t gid = plan->own_uid ? plan->uid : (uint32_t)getegid();
    (void)snprintf(uids, sizeof uids, "0 %u 1\n", uid);
    (void)snprintf(gids, sizeof gids, "0 %u 1\n", gid);
    if (!plan->own_uid && !write_proc(pid, "setgroups", "deny"))
        return false;
    return write_proc(pid, "gid_map", gids) && write_proc(pid, "uid_map", uids);
}

static linli_status
failed(struct ll_err *err, const char *what, int error)
{
    char text[128] = "";
    /* strerror() has one buffer for all threads. */
    const char *why = strerror_r(error, text, sizeof text);
    return ll_fail(err, LINLI_E_IO, "sandbox/start", "%s: %s (errno %d)", what,
        why, error);
}

/* Waits for the report or, as exec closes the child's end, its absence. */
static linli_status
read_report(int fd, struct ll_spawn_report *report, struct ll_err *err)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready;
    do
        ready = poll(&wait, 1, LL_WORKER_START_MS);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return failed(err, "the new process is stuck", ETIMEDOUT);
    ssize_t n = read(fd, report, sizeof *report);
    if (n < 0)
        return failed(err, "reading the new process's report", errno);
    if (n != 0 && n != (ssize_t)sizeof *report)
        return failed(err, "the new process's report is cut", EPROTO);
    if (report->step == LL_STEP_NONE || report->step >= LL_COUNT(step_names))
        return LINLI_OK;
    linli_status status = failed(err, step_names[report->step], report->error);
    if (report->step == LL_STEP_EXEC && report->error == EACCES)
        ll_err_fix(err, "Make linli-worker executable for every user: workers "
                        "run under uids of their own");
    return status;
}

void
ll_spawn_signal(int pidfd, int signal)
{
    (void)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0U);
}

void
ll_spawn_discard(struct ll_spawn_result *result)
{
    siginfo_t info;
    ll_spawn_signal(result->pidfd, SIGKILL);
    while (waitid(P_PIDFD, (id_t)result->pidfd, &info, WEXITED | __WALL) < 0 &&
           errno == EINTR)
        ;
    (void)close(result->pidfd);
    result->pidfd = -1;
    result->pid = 0;
}

linli_status
ll_spawn_clone(const struct ll_spawn_plan *plan, ll_spawn_body *body, void *arg,
    struct ll_spawn_result *out, struct ll_err *err)
{
    int ends[2];
    linli_status status = LINLI_OK;
    *out = (struct ll_spawn_result){.pidfd = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return failed(err, "socketpair", errno);
    long pid = clone_process(plan->flags, &out->pidfd);
    if (pid == 0) {
        (void)syscall(SYS_close, ends[0]);
        child(plan, body, arg, ends[1]);
    }
    int error = errno;
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return failed(err, "clone3", error);
    }
    out->pid = (int)pid;
    /* Best effort: a host that may not is no less safe. */
    (void)write_proc(out->pid, "oom_score_adj", WORKER_OOM_SCORE);
    if ((plan->flags & CLONE_NEWUSER) != 0 && !write_maps(plan, out->pid))
        status = failed(err, "writing the uid map", errno);
    if (status == LINLI_OK && send(ends[0], "g", 1, MSG_NOSIGNAL) != 1)
        status = failed(err, "the new process has gone", errno);
    if (status == LINLI_OK)
        status = read_report(ends[0], &out->report, err);
    (void)close(ends[0]);
    if (status != LINLI_OK)
        ll_spawn_discard(out);
    return status;
}
