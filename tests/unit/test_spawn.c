/* tests/unit/test_spawn.c: starting, watching, killing and reaping workers.
 *
 * Executed as "linli-worker" this program plays one: it tells what it finds
 * around itself and then obeys single letters from the control socket.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/text.h"
#include "config.h"
#include "sandbox_users.h"
#include "t.h"
#include "world/spawn.h"

/* -- the worker's side -- */

struct facts {
    uint32_t fds; /* bit n: descriptor n is open */
    int fds_more; /* open ones from 32 on */
    int null_fds; /* of 0..2 are the null device */
    int env, argc, session_leader, blocked, handled;
    int pid, uid;
    char name[16];
};

extern char **environ;

static void
look_around(struct facts *facts, int argc, char **argv)
{
    struct stat null, st;
    struct sigaction action;
    sigset_t mask;
    *facts = (struct facts){.argc = argc, .pid = getpid()};
    facts->uid = (int)getuid();
    snprintf(facts->name, sizeof facts->name, "%s", argv[0]);
    for (int fd = 0; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && fd < 32)
            facts->fds |= 1u << fd;
        else if (fcntl(fd, F_GETFD) >= 0)
            facts->fds_more++;
    (void)stat("/dev/null", &null);
    for (int fd = 0; fd < 3; fd++)
        facts->null_fds += fstat(fd, &st) == 0 && st.st_rdev == null.st_rdev;
    for (char **e = environ; e != NULL && *e != NULL; e++)
        facts->env++;
    facts->session_leader = getsid(0) == getpid();
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int sig = 1; sig < 65; sig++) {
        facts->blocked += sigismember(&mask, sig) == 1;
        facts->handled +=
            sigaction(sig, NULL, &action) == 0 && action.sa_handler != SIG_DFL;
    }
}

static void
burn(int ms)
{
    struct timespec used;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < ms);
}

static int
play(int argc, char **argv)
{
    struct facts facts;
    char order;
    if (fcntl(3, F_GETFD) < 0)
        for (;;)
            pause();
    while (read(3, &order, 1) == 1) {
        sigset_t all;
        if (order == 'f') {
            look_around(&facts, argc, argv);
            (void)!write(3, &facts, sizeof facts);
        } else if (order == 'e') {
            _exit(7);
        } else if (order == 'p') {
            /* PDEATHSIG as worker/enter.c sets it, and nothing to hear it */
            sigfillset(&all);
            sigprocmask(SIG_SETMASK, &all, NULL);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)!write(3, "p", 1);
            for (;;)
                pause();
        } else if (order == 'b') {
            burn(50);
            (void)!write(3, "b", 1);
        }
    }
    _exit(3);
}

/* -- the host's side -- */

static struct ll_mem mem;
static struct ll_world *world;
static struct ll_spawner *spawner;

struct kid {
    struct ll_child child;
    int control;
    int started, ended;
    int exit_status, signal;
    linli_status status;
};

static void
on_started(struct ll_child *child, linli_status status)
{
    struct kid *kid = child->user;
    T_INT(kid->ended, 0);
    kid->started++;
    kid->status = status;
}

static void
on_ended(struct ll_child *child, int exit_status, int sig)
{
    struct kid *kid = child->user;
    kid->ended++;
    kid->exit_status = exit_status;
    kid->signal = sig;
}

static void
world_up(const char *path)
{
    struct ll_err err = {0};
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &world, NULL), LINLI_OK);
    struct ll_spawner_options options = {
        .worker_path = path, .uid_first = UID_FIRST, .uid_count = UID_COUNT};
    if (ll_spawner_new(&mem, world, &options, &spawner, &err) != LINLI_OK)
        printf("# %s: %s\n", err.code, err.msg);
}

static void
world_down(void)
{
    ll_spawner_free(&spawner);
    ll_world_free(&world);
    T_INT(mem.used_bytes, 0);
}

static void
kid_start(struct kid *kid, uint32_t slot)
{
    int ends[2];
    *kid = (struct kid){.child = {.fds = {-1, -1, -1, -1, -1, -1},
                            .uid_slot = slot,
                            .started = on_started,
                            .ended = on_ended}};
    kid->child.user = kid;
    T_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    kid->control = ends[0];
    kid->child.fds[0] = ends[1];
    ll_child_start(spawner, &kid->child);
    T_INT(kid->started, 0);
    while (kid->started == 0)
        ll_world_turn(world, true);
    close(ends[1]);
}

static void
kid_wait(struct kid *kid)
{
    while (kid->ended == 0)
        ll_world_turn(world, true);
    T_INT(kid->ended, 1);
    close(kid->control);
}

static bool
kid_ask(struct kid *kid, char order, void *answer, size_t size)
{
    struct pollfd fd = {.fd = kid->control, .events = POLLIN};
    if (send(kid->control, &order, 1, MSG_NOSIGNAL) != 1 ||
        poll(&fd, 1, 5000) <= 0)
        return false;
    return recv(kid->control, answer, size, MSG_WAITALL) == (ssize_t)size;
}

static int
count_fds(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        closedir(dir);
    return n;
}

static bool
user_has_root(void)
{
    return geteuid() == 0;
}

/* The uid the kernel charges, not what the namespace shows. */
static int
host_uid(int pid)
{
    char path[64];
    char line[128];
    int uid = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "Uid: %d", &uid) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return uid;
}

T_CASE(child_finds_nothing_of_the_host)
{
    struct kid kid;
    struct facts facts = {0};
    int pipes[2];
    world_up("/proc/self/exe");
    /* what must not leak: open files without CLOEXEC, signal state, the
     * environment */
    T_INT(pipe(pipes), 0);
    int high = fcntl(pipes[0], F_DUPFD, 900);
    sigset_t usr1, before;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, &before);
    signal(SIGUSR2, SIG_IGN);
    kid_start(&kid, 3);
    T_INT(kid.status, LINLI_OK);
    T_OK(kid_ask(&kid, 'f', &facts, sizeof facts));
    T_INT(facts.fds, 0xf);
    T_INT(facts.fds_more, 0);
    T_INT(facts.null_fds, LL_SANITIZED ? 2 : 3);
    T_INT(facts.env, 0);
    T_INT(facts.argc, 1);
    T_STR(ll_cstr(facts.name), "linli-worker");
    T_OK(facts.session_leader);
    T_INT(facts.blocked, 0);
    if (!LL_SANITIZED)
        T_INT(facts.handled, 0);
    T_OK(kid.child.pid > 1);
    if (ll_spawner_caps(spawner)->user_namespace)
        T_INT(facts.pid, 1);
    T_INT(host_uid(kid.child.pid),
        user_has_root() ? (int)UID_FIRST + 3 : (int)geteuid());
    T_OK(kid_ask(&kid, 'b', &facts, 1));
    T_OK(ll_child_cpu_ns(&kid.child) >= 50000000);
    T_OK(ll_child_memory_bytes(&kid.child) > 4096);
    ll_child_kill(&kid.child);
    kid_wait(&kid);
    T_INT(kid.signal, SIGKILL);
    ll_child_kill(&kid.child);
    T_INT(ll_child_cpu_ns(&kid.child), 0);
    T_INT(ll_child_memory_bytes(&kid.child), 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGUSR2, SIG_DFL);
    close(pipes[0]);
    close(pipes[1]);
    close(high);
    world_down();
}

/* The six descriptors may have any numbers, also each other's targets. */
T_CASE(descriptors_land_where_they_belong)
{
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};
    for (size_t n = 0; n < LL_COUNT(orders); n++) {
        struct kid kid = {.child = {.fds = {-1, -1, -1, -1, -1, -1},
                              .started = on_started,
                              .ended = on_ended}};
        int sv[2], moved[3];
        world_up("/proc/self/exe");
        kid.child.user = &kid;
        T_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
        kid.control = sv[0];
        for (int i = 0; i < 3; i++)
            moved[i] = fcntl(sv[1], F_DUPFD_CLOEXEC, 3);
        kid.child.fds[0] = moved[orders[n][0]];
        kid.child.fds[3] = moved[orders[n][1]];
        kid.child.fds[5] = moved[orders[n][2]];
        ll_child_start(spawner, &kid.child);
        while (kid.started == 0)
            ll_world_turn(world, true);
        struct facts facts = {0};
        T_OK(kid_ask(&kid, 'f', &facts, sizeof facts));
        T_INT(facts.fds, 0x14f); /* 0 1 2, 3, 6, 8 */
        (void)!send(kid.control, "e", 1, MSG_NOSIGNAL);
        kid_wait(&kid);
        T_INT(kid.exit_status, 7);
        T_INT(kid.signal, 0);
        close(sv[1]);
        for (int i = 0; i < 3; i++)
            close(moved[i]);
        world_down();
    }
}

T_CASE(failures_reach_the_caller)
{
    struct ll_err err = {0};
    struct kid kid;
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &world, NULL), LINLI_OK);
    struct ll_spawner_options options = {.worker_path = "/no/such/worker",
        .uid_first = UID_FIRST,
        .uid_count = UID_COUNT};
    T_INT(ll_spawner_new(&mem, world, &options, &spawner, &err), LINLI_E_IO);
    T_OK(spawner == NULL);
    T_STR(ll_cstr(err.where), "/no/such/worker");
    if (user_has_root()) {
        static const uint32_t ranges[][2] = {
            {0, 10}, {1000, 0}, {UINT32_MAX, 1}, {2, UINT32_MAX - 1}};
        for (size_t i = 0; i < LL_COUNT(ranges); i++) {
            options.uid_first = ranges[i][0];
            options.uid_count = ranges[i][1];
            T_INT(ll_spawner_new(&mem, world, &options, &spawner, &err),
                LINLI_E_INVALID);
        }
    }
    ll_world_free(&world);

    world_up("/etc/passwd"); /* opens, but does not execute */
    kid_start(&kid, 0);
    T_INT(kid.status, LINLI_E_IO);
    T_STR(ll_cstr(kid.child.err.code), "sandbox/start");
    T_OK(strstr(kid.child.err.msg, "executing linli-worker: ") != NULL);
    T_OK(strstr(kid.child.err.msg, "errno 13") != NULL);
    T_OK(strstr(kid.child.err.fix, "executable") != NULL);
    close(kid.control);
    kid_start(&kid, UID_COUNT);
    T_INT(kid.status, user_has_root() ? LINLI_E_LIMIT : LINLI_E_IO);
    close(kid.control);
    world_down();
}

T_CASE(killed_before_it_has_started)
{
    struct kid kid = {.child = {.fds = {-1, -1, -1, -1, -1, -1},
                          .started = on_started,
                          .ended = on_ended}};
    world_up("/proc/self/exe");
    kid.child.user = &kid;
    kid.control = -1;
    ll_child_start(spawner, &kid.child);
    ll_child_kill(&kid.child);
    kid_wait(&kid);
    T_INT(kid.started, 1);
    T_INT(kid.signal, SIGKILL);
    world_down();
}

/* An embedder that reaps everything gets our status, not our news. */
T_CASE(survives_an_embedder_that_reaps)
{
    struct kid kid;
    world_up("/proc/self/exe");
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    kid_start(&kid, 0);
    ll_child_kill(&kid.child);
    kid_wait(&kid);
    T_INT(kid.exit_status, -1);
    T_INT(kid.signal, 0);
    signal(SIGCHLD, before);
    world_down();
}

static int64_t
now_us(void)
{
    return ll_mono_now().ns / 1000;
}

static int
by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

T_CASE(rounds_leave_nothing)
{
    enum { ROUNDS = 300 };
    static int64_t took[ROUNDS];
    world_up("/proc/self/exe");
    /* the first start may open something for good */
    struct kid kid;
    kid_start(&kid, 0);
    ll_child_kill(&kid.child);
    kid_wait(&kid);
    int fds = count_fds();
    size_t used = mem.used_bytes;
    for (int i = 0; i < ROUNDS; i++) {
        char answer[sizeof(struct facts)];
        int64_t begin = now_us();
        kid_start(&kid, (uint32_t)i % UID_COUNT);
        took[i] = now_us() - begin;
        if (i % 3 == 0)
            T_OK(kid_ask(&kid, 'f', answer, sizeof answer));
        ll_child_kill(&kid.child);
        kid_wait(&kid);
    }
    ll_world_turn(world, false);
    T_INT(count_fds(), fds);
    T_INT(mem.used_bytes, used);
    T_INT(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    T_INT(errno, ECHILD);
    qsort(took, ROUNDS, sizeof *took, by_size);
    printf("# %s: started in %" PRId64 " us (median), %" PRId64 " us (p99)\n",
        ll_spawner_caps(spawner)->text, took[ROUNDS / 2],
        took[ROUNDS * 99 / 100]);
    world_down();
}

/* Two hosts in one process do not meet. */
T_CASE(two_spawners)
{
    struct kid a, b;
    struct ll_spawner *first;
    struct ll_err err;
    world_up("/proc/self/exe");
    first = spawner;
    struct ll_spawner_options options = {.worker_path = "/proc/self/exe",
        .uid_first = UID_FIRST + 100,
        .uid_count = 1};
    T_INT(ll_spawner_new(&mem, world, &options, &spawner, &err), LINLI_OK);
    kid_start(&b, 0);
    ll_child_kill(&b.child);
    kid_wait(&b);
    ll_spawner_free(&spawner);
    spawner = first;
    kid_start(&a, 0);
    T_INT(a.status, LINLI_OK);
    ll_child_kill(&a.child);
    kid_wait(&a);
    world_down();
}

/* A host in a process of its own: kill -9 it, and its worker is gone. */
T_CASE(worker_dies_with_the_host)
{
    int ends[2], gone;
    T_INT(pipe(ends), 0);
    pid_t host = fork();
    if (host == 0) {
        struct kid kid;
        char answer;
        close(ends[0]);
        world_up("/proc/self/exe");
        kid_start(&kid, 0);
        if (!kid_ask(&kid, 'p', &answer, 1))
            _exit(1);
        (void)!write(ends[1], &kid.child.pid, sizeof kid.child.pid);
        for (;;)
            pause();
    }
    close(ends[1]);
    int worker = 0;
    T_INT(read(ends[0], &worker, sizeof worker), sizeof worker);
    int pidfd = (int)syscall(SYS_pidfd_open, worker, 0);
    T_OK(pidfd >= 0);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    T_INT(poll(&end, 1, 0), 0);
    kill(host, SIGKILL);
    gone = poll(&end, 1, 100);
    T_INT(gone, 1);
    T_INT(waitpid(host, NULL, 0), host);
    close(pidfd);
    close(ends[0]);
}

/* What this machine allows without a cage; told across processes. */
static struct ll_sandbox_caps *base;

static void
cases(void)
{
    world_up("/proc/self/exe");
    const struct ll_sandbox_caps *caps = ll_spawner_caps(spawner);
    *base = *caps;
    printf("# level: %s%s\n", caps->text, caps->enough ? "" : " (too weak)");
    world_down();
    T_RUN(child_finds_nothing_of_the_host)
    T_RUN(descriptors_land_where_they_belong)
    T_RUN(failures_reach_the_caller)
    T_RUN(killed_before_it_has_started)
    T_RUN(survives_an_embedder_that_reaps)
    T_RUN(rounds_leave_nothing)
    T_RUN(two_spawners)
    T_RUN(worker_dies_with_the_host)
}

/* -- levels -- */

static int expect;
enum { NO_USERNS = 1, NO_ROOT_FS = 2, NO_LANDLOCK = 4 };

/* Of the level at hand: a machine that is weak itself (a chroot has no
 * private root) falls below the least level sooner. */
static bool enough;

T_CASE(level_is_told)
{
    world_up("/proc/self/exe");
    const struct ll_sandbox_caps *caps = ll_spawner_caps(spawner);
    printf("# level: %s\n", caps->text);
    bool userns = base->user_namespace && !(expect & NO_USERNS);
    bool root_fs = base->private_root && !(expect & NO_ROOT_FS);
    bool landlock = base->landlock_abi > 0 && !(expect & NO_LANDLOCK);
    T_INT(caps->user_namespace, userns);
    T_INT(caps->private_root, root_fs);
    T_INT(caps->landlock_abi > 0, landlock);
    T_INT(caps->enough, landlock || root_fs);
    enough = caps->enough;
    T_OK(caps->seccomp && caps->no_new_privs);
    T_INT(caps->own_uid, user_has_root());
    T_INT(strstr(caps->text, "Landlock") != NULL, landlock);
    T_INT(strstr(caps->text, "private root") != NULL, root_fs);
    struct kid kid;
    kid_start(&kid, 1);
    if (!caps->enough) {
        T_INT(kid.status, LINLI_E_DENIED);
        T_STR(ll_cstr(kid.child.err.code), "sandbox/too-weak");
        close(kid.control);
    } else {
        T_INT(kid.status, LINLI_OK);
        T_INT(host_uid(kid.child.pid),
            user_has_root() ? (int)UID_FIRST + 1 : (int)geteuid());
        ll_child_kill(&kid.child);
        kid_wait(&kid);
    }
    world_down();
}

static void
level_cases(void)
{
    T_RUN(level_is_told)
    if (enough)
        T_RUN(rounds_leave_nothing)
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int cage, expect;
    } levels[] = {
        {"no clone3", CAGE_NO_CLONE3, 0},
        {"no user namespaces", CAGE_NO_USERNS, NO_USERNS | NO_ROOT_FS},
        {"no namespaces", CAGE_NO_NS, NO_USERNS | NO_ROOT_FS},
        {"no mounts", CAGE_NO_MOUNT, NO_ROOT_FS},
        {"no Landlock", CAGE_NO_LANDLOCK, NO_LANDLOCK},
        {"no Landlock and no mounts", CAGE_NO_LANDLOCK | CAGE_NO_MOUNT,
            NO_LANDLOCK | NO_ROOT_FS},
    };
    if (strcmp(argv[0], "linli-worker") == 0)
        return play(argc, argv);
    base = mmap(NULL, sizeof *base, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int nobody = 0; nobody < 2; nobody++) {
        if (nobody == 0 && geteuid() != 0)
            continue;
        run_as(nobody ? "an ordinary user" : "root", nobody, CAGE_NONE, cases);
        for (size_t i = 0; i < LL_COUNT(levels); i++) {
            char who[80];
            snprintf(who, sizeof who, "%s, %s",
                nobody ? "an ordinary user" : "root", levels[i].name);
            expect = levels[i].expect;
            run_as(who, nobody, levels[i].cage, level_cases);
        }
    }
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
