/* world/spawn.h: starting and stopping worker processes. [loop]
 *
 * One long-lived spawner thread does every clone3, because the parent-death
 * signal of a child fires when the *thread* that made it ends. A child is
 * known by its pidfd: the loop polls it, signals go through it, and it is
 * reaped with waitid(P_PIDFD), so the embedder's own children are never
 * touched and no SIGCHLD handler is needed. (The kernel sends SIGCHLD for a
 * worker all the same: exec restores it. An embedder that reaps whatever it
 * finds takes the exit status from us, never the news of the end.)
 */
#ifndef LL_WORLD_SPAWN_H
#define LL_WORLD_SPAWN_H

#include "world/world.h"

/* What this machine can do to a worker, probed once at start. */
struct ll_sandbox_caps {
    bool seccomp, no_new_privs;
    int landlock_abi;    /* 0: none */
    bool user_namespace; /* workers get namespaces of their own */
    bool private_root;   /* and an empty root file system */
    bool own_uid;        /* a uid per plugin (host runs as root) */
    char text[160];      /* for people: "seccomp + no_new_privs + ..." */
    bool enough; /* seccomp and no_new_privs and (Landlock or private root) */
};

struct ll_spawner;

struct ll_spawner_options {
    const char *worker_path; /* linli-worker; opened once */
    uint32_t uid_first;      /* of the range for workers when root */
    uint32_t uid_count;
};

/* Opens the worker binary, probes the machine and starts the thread. */
linli_status ll_spawner_new(struct ll_mem *mem, struct ll_world *world,
    const struct ll_spawner_options *options, struct ll_spawner **out,
    struct ll_err *err) LL_USE_RESULT;
const struct ll_sandbox_caps *ll_spawner_caps(const struct ll_spawner *s);
/* Stops the thread; every child must have ended before. */
void ll_spawner_free(struct ll_spawner **spawner);

/* One child. The memory is the caller's and must stay until `ended`, or
 * until `started` reported a failure. */
struct ll_child {
    /* What the child gets as 3..8, -1: nothing. The caller's: they must stay
     * open until `started`, and it closes them. */
    int fds[6];
    uint32_t uid_slot; /* which uid of the range; one per plugin */
    void (*started)(struct ll_child *child, linli_status status);
    /* `signal` 0: it exited, with exit_status; -1 if somebody else reaped
     * it. Both callbacks may free the child. */
    void (*ended)(struct ll_child *child, int exit_status, int signal);
    void *user;
    /* set by the spawner */
    int pid;
    int pidfd;
    bool killed;       /* asked for, perhaps before it had started */
    struct ll_err err; /* why it could not start */
    struct ll_spawner *spawner;
    struct ll_watch *watch;
    struct ll_child *next;
};

/* Queues the start; `started` comes later on the loop, then `ended` once.
 * Refused with "sandbox/too-weak" if the caps are not enough. */
void ll_child_start(struct ll_spawner *spawner, struct ll_child *child);
/* SIGKILL through the pidfd; harmless if it has ended, and kept for one that
 * is still starting: it reports `started`, then `ended`. */
void ll_child_kill(struct ll_child *child);
/* CPU time of the process so far, nanoseconds; 0 if it cannot be read. */
int64_t ll_child_cpu_ns(const struct ll_child *child);
/* Proportional memory (Pss), bytes; 0 if it cannot be read, as when the host
 * is an ordinary user and there are no user namespaces. */
int64_t ll_child_memory_bytes(const struct ll_child *child);

#endif
