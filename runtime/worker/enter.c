/* worker/enter.c: giving up everything, before the plugin is looked at.
 * [worker]
 *
 * The worker's own door to the operating system. The order matters: what
 * needs a power comes before the step that takes it. Each step fails closed,
 * so a worker that goes on has all that its level says (spec/sandbox.md).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "worker/enter.h"

#define FD_LAST LL_FD_PACKAGE
/* Of address space beyond the engine's heap: frames, stacks, malloc's slack */
#define AS_SLACK_BYTES ((uint64_t)64 << 20)
#define STACK_BYTES ((rlim_t)1 << 20)
#define NICENESS 5

linli_status
ll_enter_refuse(struct ll_err *err, const char *step)
{
    return ll_fail(err, LINLI_E_DENIED, "sandbox/too-weak", "%s: %s (errno %d)",
        step, strerror(errno), errno);
}

/* The first number of a file of /proc/self, after skipping `skip`. */
static bool
read_number(const char *path, int skip, uint64_t *number)
{
    char text[128];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    char *at = text, *end = text;
    for (int i = 0; i <= skip; i++) {
        at = end;
        *number = strtoull(at, &end, 10);
    }
    return end != at;
}

/* -- steps -- */

static linli_status
close_inherited(struct ll_err *err)
{
    static const int mapped[] = {
        LL_FD_HOST_AREA, LL_FD_OWN_AREA, LL_FD_PACKAGE};
    for (size_t i = 0; i < LL_COUNT(mapped); i++)
        (void)close(mapped[i]);
    if (syscall(SYS_close_range, FD_LAST + 1U, ~0U, 0U) != 0)
        return ll_enter_refuse(err, "closing descriptors");
    return LINLI_OK;
}

static linli_status
die_with_host(struct ll_err *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return ll_enter_refuse(err, "parent-death signal");
    /* The host may have died before; then no signal comes any more. */
    struct pollfd control = {.fd = LL_FD_CONTROL};
    if (poll(&control, 1, 0) != 0)
        return ll_fail(
            err, LINLI_E_CLOSED, "sandbox/protocol", "the host has gone");
    return LINLI_OK;
}

/* A worker with the host's uid 0 could do too much to files and processes
 * of root's, should a kernel bug open a way to them. */
static linli_status
check_uid(struct ll_sandbox_level *level, struct ll_err *err)
{
    struct ucred host;
    socklen_t size = sizeof host;
    uint64_t outside = 0;
    if (getuid() == 0) {
        if (!read_number("/proc/self/uid_map", 1, &outside))
            return ll_enter_refuse(err, "reading the uid map");
        errno = EPERM;
        if (outside == 0)
            return ll_enter_refuse(err, "a uid other than the host's root");
    }
    /* The host's uid is not ours, or has no name in our user namespace. */
    if (getsockopt(LL_FD_CONTROL, SOL_SOCKET, SO_PEERCRED, &host, &size) != 0)
        return ll_enter_refuse(err, "the control socket");
    level->own_uid = host.uid != getuid();
    return LINLI_OK;
}

/* The powers a user namespace gave, which the private root needed. Outside
 * of one there is nothing left to drop, and no right to do it. */
static linli_status
drop_capabilities(struct ll_err *err)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}}, left[2];
    const unsigned long bits =
        SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
        SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
        SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return ll_enter_refuse(err, "ambient capabilities");
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0;
         cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EPERM)
            return ll_enter_refuse(err, "bounding set");
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0 && errno != EPERM)
        return ll_enter_refuse(err, "securebits");
    if (syscall(SYS_capset, &header, none) != 0 ||
        syscall(SYS_capget, &header, left) != 0)
        return ll_enter_refuse(err, "capabilities");
    errno = EPERM;
    for (size_t i = 0; i < LL_COUNT(left); i++)
        if ((left[i].effective | left[i].permitted | left[i].inheritable) != 0)
            return ll_enter_refuse(err, "capabilities remain");
    return LINLI_OK;
}

static linli_status
limit(int resource, rlim_t value, struct ll_err *err)
{
    struct rlimit now, want = {value, value};
    if (getrlimit((__rlimit_resource_t)resource, &now) != 0)
        return ll_enter_refuse(err, "reading a limit");
    /* A stricter operator wins. */
    if (now.rlim_max < value)
        want = (struct rlimit){now.rlim_max, now.rlim_max};
    if (setrlimit((__rlimit_resource_t)resource, &want) != 0)
        return ll_enter_refuse(err, "setting a limit");
    return LINLI_OK;
}

/* No CPU limit: it counts a process's whole life, and a worker lives as long
 * as it is well. `mapped`: bytes of address space in use. */
static linli_status
set_limits(const struct ll_worker *worker, uint64_t mapped, struct ll_err *err)
{
    const rlim_t space = mapped + worker->entry->object_bytes +
                         (uint64_t)worker->config.memory_bytes + AS_SLACK_BYTES;
    const struct {
        int resource;
        rlim_t value;
        bool sanitized; /* also under a sanitizer */
    } limits[] = {{RLIMIT_CORE, 0, true}, {RLIMIT_FSIZE, 0, true},
        {RLIMIT_NOFILE, 16, true}, {RLIMIT_NPROC, 1, true},
        {RLIMIT_MEMLOCK, 0, true}, {RLIMIT_MSGQUEUE, 0, true},
        {RLIMIT_SIGPENDING, 64, true}, {RLIMIT_RTPRIO, 0, true},
        {RLIMIT_NICE, 0, true}, {RLIMIT_STACK, STACK_BYTES, false},
        {RLIMIT_AS, space, false}};
    linli_status status = LINLI_OK;
    for (size_t i = 0; i < LL_COUNT(limits) && status == LINLI_OK; i++)
        if (limits[i].sanitized || !LL_SANITIZED)
            status = limit(limits[i].resource, limits[i].value, err);
    errno = 0;
    if (nice(NICENESS) == -1 && errno != 0)
        return ll_enter_refuse(err, "nice");
    return status;
}

/* Where a CPU offers it per process: no speculation across our stores and
 * indirect branches. */
static linli_status
limit_speculation(struct ll_err *err)
{
    static const unsigned long features[] = {
        PR_SPEC_STORE_BYPASS, PR_SPEC_INDIRECT_BRANCH};
    for (size_t i = 0; i < LL_COUNT(features); i++) {
        int got = prctl(PR_GET_SPECULATION_CTRL, features[i], 0, 0, 0);
        unsigned long state = got < 0 ? 0 : (unsigned long)got;
        if ((state & PR_SPEC_PRCTL) == 0 ||
            (state & PR_SPEC_FORCE_DISABLE) != 0)
            continue;
        if (prctl(PR_SET_SPECULATION_CTRL, features[i], PR_SPEC_FORCE_DISABLE,
                0, 0) != 0)
            return ll_enter_refuse(err, "speculation control");
    }
    return LINLI_OK;
}

/* A core pattern that is a pipe ignores RLIMIT_CORE: hence not dumpable,
 * which also keeps processes of the same uid from tracing us. */
static linli_status
close_process(struct ll_err *err)
{
    (void)umask(077);
    (void)prctl(PR_SET_NAME, "linli-worker", 0, 0, 0);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return ll_enter_refuse(err, "dumpable");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return ll_enter_refuse(err, "no_new_privs");
    return limit_speculation(err);
}

static linli_status
close_files(struct ll_worker *worker, struct ll_err *err)
{
    const struct ll_entry *entry = worker->entry;
    const bool root = worker->config.private_root;
    errno = ENOSYS;
    if (entry->landlock_abi == 0)
        return root ? LINLI_OK
                    : ll_enter_refuse(err, "neither Landlock nor private root");
    /* memfds need no rule: they are no files of a file system. */
    return ll_landlock_enter(
        root && entry->object_count > 0 ? "/so" : NULL, err);
}

/* -- the whole -- */

static linli_status
place_root(struct ll_worker *worker, struct ll_err *err)
{
    linli_status status = ll_enter_list_objects(worker, err);
    if (status != LINLI_OK)
        return status;
    return worker->config.private_root ? ll_enter_private_root(worker, err)
                                       : ll_enter_memfds(worker, err);
}

linli_status
ll_worker_enter(struct ll_worker *worker, struct ll_sandbox_level *level,
    struct ll_err *err)
{
    const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t pages = 0;
    *level = (struct ll_sandbox_level){0};
    worker->entry = ll_arena_alloc(&worker->arena, sizeof *worker->entry);
    if (worker->entry == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the sandbox");
    linli_status status = close_inherited(err);
    if (status == LINLI_OK)
        status = die_with_host(err);
    if (status == LINLI_OK)
        status = check_uid(level, err);
    if (status == LINLI_OK)
        status = ll_filter_build(worker, err);
    if (status == LINLI_OK && !read_number("/proc/self/statm", 0, &pages))
        status = ll_enter_refuse(err, "reading /proc/self/statm");
    if (status == LINLI_OK)
        status = place_root(worker, err);
    if (status == LINLI_OK)
        status = drop_capabilities(err);
    if (status == LINLI_OK)
        status = set_limits(worker, pages * page_bytes, err);
    if (status == LINLI_OK)
        status = close_process(err);
    worker->entry->landlock_abi = ll_landlock_abi();
    if (status == LINLI_OK)
        status = close_files(worker, err);
    if (status != LINLI_OK)
        return status;
    level->seccomp = level->no_new_privs = true;
    level->landlock_abi = worker->entry->landlock_abi;
    level->landlock = level->landlock_abi > 0;
    level->private_root = worker->config.private_root;
    level->namespaces = getpid() == 1;
    return LINLI_OK;
}

linli_status
ll_worker_stage1(struct ll_worker *worker, struct ll_err *err)
{
    return ll_filter_install(&worker->entry->stage1, err);
}

linli_status
ll_worker_stage2(struct ll_worker *worker, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    ll_enter_close_memfds(worker);
    /* Objects are mapped: not even they may be read any more. */
    if (worker->entry->landlock_abi > 0 && worker->config.native)
        status = ll_landlock_enter(NULL, err);
    if (status == LINLI_OK)
        status = ll_filter_install(&worker->entry->stage2, err);
    return status;
}
