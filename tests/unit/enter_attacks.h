/* tests/unit/enter_attacks.h: what native code of an attacker tries, and how
 * it must end; the calls themselves stand in enter_attacks.def.
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
#include "enter_attacks.def"
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
