/* world/spawn_impl.h: what the files of the spawner share.
 *
 * spawn.c owns the thread, the queue and the children; spawn_clone.c makes
 * one process; spawn_probe.c finds out which plan this machine allows.
 */
#ifndef LL_WORLD_SPAWN_IMPL_H
#define LL_WORLD_SPAWN_IMPL_H

#include "world/spawn.h"

/* How a process is made; the probe picks the first plan that works. */
struct ll_spawn_plan {
    uint64_t flags; /* CLONE_NEW*; 0: no namespaces */
    bool own_uid;   /* the host is root: leave its uid */
    uint32_t uid;   /* of the host's user namespace; if own_uid */
};

/* Steps of the child before exec; a table in spawn_clone.c names them. */
enum ll_spawn_step {
    LL_STEP_NONE,
    LL_STEP_HOST,
    LL_STEP_SIGNALS,
    LL_STEP_UID,
    LL_STEP_DESCRIPTORS,
    LL_STEP_EXEC,
};

/* What a probe found, bits of ll_spawn_report.found. */
enum {
    LL_FOUND_NO_NEW_PRIVS = 1,
    LL_FOUND_PRIVATE_ROOT = 2,
    LL_FOUND_SECCOMP = 4,
    LL_FOUND_LANDLOCK = 8,
};

/* The one message a child may send before it execs or exits. */
struct ll_spawn_report {
    uint32_t step;  /* enum ll_spawn_step that failed, or NONE */
    int32_t error;  /* its errno */
    uint32_t found; /* a probe's findings */
    int32_t landlock_abi;
};

struct ll_spawn_result {
    int pid;
    int pidfd;
    struct ll_spawn_report report;
};

/* Runs in the new process; only async-signal-safe work, never returns. */
typedef void ll_spawn_body(void *arg, int report_fd);

/* Makes a process after `plan`, which runs `body`, and waits until it has
 * execed, reported or died. On LINLI_OK the process is the caller's to reap
 * and to close; on failure there is none. [spawner thread] */
linli_status ll_spawn_clone(const struct ll_spawn_plan *plan,
    ll_spawn_body *body, void *arg, struct ll_spawn_result *out,
    struct ll_err *err) LL_USE_RESULT;

/* Says why the child stopped and ends it. [child] */
LL_NORETURN void ll_spawn_die(int report_fd, enum ll_spawn_step step);

/* Kills and reaps; for processes nobody has been told of. */
void ll_spawn_discard(struct ll_spawn_result *result);

/* Signals through the pidfd, so never a process that got the number later. */
void ll_spawn_signal(int pidfd, int signal);

/* What an exec needs; the arrays are the spawner's. */
struct ll_spawn_exec {
    int worker_fd, null_fd;
    const int *fds; /* six, for 3..8; -1: none */
};
/* Places the descriptors and becomes the worker: an ll_spawn_body. */
void ll_spawn_exec_body(void *arg, int report_fd);

/* Tries the plans in order on throw-away children, fills `caps` and leaves
 * the plan to use in `plan`. Never fails: a machine that can nothing gets
 * caps that say so. [spawner thread] */
void ll_spawn_probe(bool root, uint32_t uid, struct ll_spawn_plan *plan,
    struct ll_sandbox_caps *caps);

#endif
