/* tests/unit/sandbox_users.h: the same cases as root, as an ordinary user,
 * and inside a cage that refuses what containers refuse.
 *
 * The test program plays the worker too: execed as "linli-worker" it calls
 * PLAY instead of the cases.
 */
#ifndef SANDBOX_USERS_H
#define SANDBOX_USERS_H

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

#define NOBODY 65534u
/* Also there where a container maps the lower 65536 uids only. */
#define UID_FIRST 64000u
#define UID_COUNT 64u

enum cage {
    CAGE_NONE = 0,
    CAGE_NO_CLONE3 = 1,   /* as Docker: ENOSYS */
    CAGE_NO_USERNS = 2,   /* clone with CLONE_NEWUSER: EPERM */
    CAGE_NO_NS = 4,       /* no namespace at all */
    CAGE_NO_LANDLOCK = 8, /* an old kernel: ENOSYS */
    CAGE_NO_MOUNT = 16,   /* AppArmor's user namespaces */
};

/* A filter over this process and all it starts. */
static inline bool
cage_enter(int cage)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    const uint64_t spaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                            CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    int bad = ctx == NULL;
    if (cage & (CAGE_NO_CLONE3 | CAGE_NO_USERNS | CAGE_NO_NS))
        bad |=
            seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    for (uint64_t bit = 1; bit <= CLONE_NEWNET; bit <<= 1)
        if (((cage & CAGE_NO_NS) && (bit & spaces)) ||
            ((cage & CAGE_NO_USERNS) && bit == CLONE_NEWUSER))
            bad |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone),
                1, SCMP_A0(SCMP_CMP_MASKED_EQ, bit, bit));
    if (cage & CAGE_NO_LANDLOCK)
        bad |= seccomp_rule_add(
            ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
    if (cage & CAGE_NO_MOUNT)
        bad |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mount), 0);
    bad = bad || seccomp_load(ctx) != 0;
    seccomp_release(ctx);
    return !bad;
}

static inline bool
become_nobody(void)
{
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
           /* a daemon started as an ordinary user is dumpable; so are we */
           prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

/* Runs `cases` in a process of its own under `who` and `cage`; the counts of
 * t.h go on in it and come back. */
static inline void
run_as(const char *who, bool nobody, int cage, void (*cases)(void))
{
    static int *counts;
    if (counts == NULL)
        counts = mmap(NULL, 2 * sizeof *counts, PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    printf("# as %s\n", who);
    fflush(stdout);
    counts[0] = t_cases;
    counts[1] = t_failed_cases;
    pid_t pid = fork();
    if (pid == 0) {
        /* An ordinary user who runs the tests stays what he is. */
        if ((nobody && geteuid() == 0 && !become_nobody()) ||
            (cage != CAGE_NONE && !cage_enter(cage)))
            _exit(1);
        cases();
        counts[0] = t_cases;
        counts[1] = t_failed_cases;
        fflush(stdout);
        _exit(0);
    }
    int status = 0;
    bool well = waitpid(pid, &status, 0) == pid && status == 0;
    t_cases = counts[0] + 1;
    t_failed_cases = counts[1] + !well;
    printf(
        "%s %d - cases end well as %s\n", well ? "ok" : "not ok", t_cases, who);
}

#endif
