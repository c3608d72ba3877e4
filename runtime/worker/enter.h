/* worker/enter.h: what the files of the sandbox's entry share. [worker]
 *
 * enter.c holds the order of the steps, enter_root.c the places of shared
 * objects, enter_landlock.c and enter_filter.c the two kernel mechanisms.
 */
#ifndef LL_WORKER_ENTER_H
#define LL_WORKER_ENTER_H

#include <linux/filter.h>

#include "worker/worker.h"

struct ll_filter {
    struct sock_filter *code; /* in the worker's arena */
    uint16_t count;
};

/* A shared object of the package and where dlopen finds it. */
struct ll_placed_object {
    linli_str path; /* in the package */
    char place[32]; /* "/so/0.so" or "/proc/self/fd/32" */
    int fd;         /* its memfd, -1 in a private root */
};

struct ll_entry {
    struct ll_placed_object *objects;
    uint32_t object_count;
    size_t object_bytes; /* of all, in whole pages */
    struct ll_filter stage1, stage2;
    int landlock_abi; /* 0: none */
};

/* Fails with "sandbox/too-weak", naming the step and errno. */
linli_status ll_enter_refuse(struct ll_err *err, const char *step);

/* -- enter_root.c -- */

/* Lists the package's shared objects into worker->entry. */
linli_status ll_enter_list_objects(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;
/* An empty tmpfs becomes "/", holding the objects if there are any, and
 * turns read-only. Needs a mount namespace of our own. */
linli_status ll_enter_private_root(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;
/* A file in memory that can be sealed and never executed; -1 and errno. */
int ll_enter_memfd(const char *name);
/* Without one: each object in a sealed memfd. */
linli_status ll_enter_memfds(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;
void ll_enter_close_memfds(struct ll_worker *worker);

/* -- enter_landlock.c -- */

/* The kernel's Landlock ABI; 0 if there is none. */
int ll_landlock_abi(void);
/* Denies every right the kernel can deny, but reading files below
 * `readable` (NULL: nothing is readable). no_new_privs must be set. */
linli_status ll_landlock_enter(
    const char *readable, struct ll_err *err) LL_USE_RESULT;

/* -- enter_filter.c -- */

/* Builds both filters while libseccomp may still ask the kernel things. */
linli_status ll_filter_build(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;
linli_status ll_filter_install(
    const struct ll_filter *filter, struct ll_err *err) LL_USE_RESULT;

#endif
