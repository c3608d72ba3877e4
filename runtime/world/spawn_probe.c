/* world/spawn_probe.c: what this machine can do to a worker, by trying it
 * on throw-away children. [spawner thread]
 *
 * Kernels, containers and distributions refuse namespaces, Landlock and
 * mounts in more ways than files under /proc tell. What is tried here is
 * what worker/enter.c does later; the worker reports what it achieved.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "world/spawn_impl.h"

#define NAMESPACES                                               \
    (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
        CLONE_NEWCGROUP)
#define LANDLOCK_ASK_VERSION 1U
#define LANDLOCK_FS_EXECUTE 1ULL /* any right will do for a trial */

/* A rule set of the first ABI: the kernel takes every shorter form. */
static bool
try_landlock(int32_t *abi)
{
    uint64_t handled = LANDLOCK_FS_EXECUTE;
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_ASK_VERSION);
    if (version <= 0)
        return false;
    long fd = syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) != 0)
        return false;
    *abi = (int32_t)version;
    return true;
}

/* On /proc, since the host has just used it to write our uid map. */
static bool
try_private_root(void)
{
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV,
               "size=4096,mode=0700") == 0 &&
           chdir("/proc") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
           umount2(".", MNT_DETACH) == 0;
}

static bool
try_seccomp(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    uint32_t kill = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static void
probe_body(void *arg, int report_fd)
{
    const struct ll_spawn_plan *plan = arg;
    struct ll_spawn_report report = {0};
    if ((plan->flags & CLONE_NEWNS) != 0 && try_private_root())
        report.found |= LL_FOUND_PRIVATE_ROOT;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        report.found |= LL_FOUND_NO_NEW_PRIVS;
    if (try_landlock(&report.landlock_abi))
        report.found |= LL_FOUND_LANDLOCK;
    if (try_seccomp())
        report.found |= LL_FOUND_SECCOMP;
    (void)syscall(SYS_write, report_fd, &report, sizeof report);
    _exit(0);
}

static void
describe(struct ll_sandbox_caps *caps, const struct ll_spawn_plan *plan,
    bool found_plan, const struct ll_err *err)
{
    char landlock[24] = "";
    if (!found_plan) {
        (void)snprintf(caps->text, sizeof caps->text, "none: %.140s", err->msg);
        return;
    }
    if (caps->landlock_abi > 0)
        (void)snprintf(
            landlock, sizeof landlock, " + Landlock %d", caps->landlock_abi);
    (void)snprintf(caps->text, sizeof caps->text, "%s%s%s%s%s%s",
        caps->seccomp ? "seccomp" : "no seccomp",
        caps->no_new_privs ? " + no_new_privs" : "", landlock,
        caps->private_root ? " + private root" : "",
        plan->flags != 0 ? " + namespaces" : "",
        caps->own_uid ? " + own uid" : "");
}

void
ll_spawn_probe(bool root, uint32_t uid, struct ll_spawn_plan *plan,
    struct ll_sandbox_caps *caps)
{
    static const uint64_t tries[] = {
        CLONE_NEWUSER | CLONE_NEWNS | NAMESPACES, NAMESPACES, 0};
    struct ll_spawn_result result = {.pidfd = -1};
    struct ll_err err = {0};
    bool found_plan = false;
    *caps = (struct ll_sandbox_caps){0};
    for (size_t i = 0; i < LL_COUNT(tries) && !found_plan; i++) {
        *plan = (struct ll_spawn_plan){
            .flags = tries[i], .own_uid = root, .uid = uid};
        found_plan =
            ll_spawn_clone(plan, probe_body, plan, &result, &err) == LINLI_OK;
    }
    if (found_plan) {
        uint32_t found = result.report.found;
        ll_spawn_discard(&result);
        caps->seccomp = (found & LL_FOUND_SECCOMP) != 0;
        caps->no_new_privs = (found & LL_FOUND_NO_NEW_PRIVS) != 0;
        caps->private_root = (found & LL_FOUND_PRIVATE_ROOT) != 0;
        caps->landlock_abi =
            (found & LL_FOUND_LANDLOCK) != 0 ? result.report.landlock_abi : 0;
        caps->user_namespace = (plan->flags & CLONE_NEWUSER) != 0;
        caps->own_uid = plan->own_uid;
    }
    caps->enough = caps->seccomp && caps->no_new_privs &&
                   (caps->landlock_abi > 0 || caps->private_root);
    describe(caps, plan, found_plan, &err);
}
