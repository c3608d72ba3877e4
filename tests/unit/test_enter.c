/* tests/unit/test_enter.c: what a confined worker can still do: nothing.
 *
 * Executed as "linli-worker" this program plays a worker with native code
 * of an attacker: it enters the sandbox as the real one does and then tries
 * one attack. Each attack runs with the filter's default KILL and, since
 * that stops at the first door, with the development default EPERM: some
 * five thousand workers in all, which take their time.
 *
 * test-timeout-s: 180
 */
#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "enter_player.h"
#include "sandbox_users.h"
#include "world/spawn.h"

static struct ll_mem mem;
static struct ll_world *world;
static struct ll_spawner *spawner;
static linli_str object_file; /* attack.so */

struct run {
    struct ll_child child;
    int control;
    int started, ended, exit_status, signal;
    struct entered entered;
    bool answered;
    struct answer answer;
};

static void
on_started(struct ll_child *child, linli_status status)
{
    struct run *run = child->user;
    T_INT(status, LINLI_OK);
    run->started++;
    if (status != LINLI_OK)
        run->ended++;
}

static void
on_ended(struct ll_child *child, int exit_status, int sig)
{
    struct run *run = child->user;
    run->ended++;
    run->exit_status = exit_status;
    run->signal = sig;
}

static void
up(void)
{
    struct ll_err err = {0};
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &world, NULL), LINLI_OK);
    struct ll_spawner_options options = {.worker_path = "/proc/self/exe",
        .uid_first = UID_FIRST,
        .uid_count = UID_COUNT};
    T_INT(ll_spawner_new(&mem, world, &options, &spawner, &err), LINLI_OK);
}

static void
down(void)
{
    ll_spawner_free(&spawner);
    ll_world_free(&world);
    T_INT(mem.used_bytes, 0);
}

/* Starts a worker with all six descriptors, as the supervisor does. */
static void
begin(struct run *run, const struct order *order)
{
    int ends[2];
    *run = (struct run){
        .child = {.uid_slot = 2, .started = on_started, .ended = on_ended}};
    run->child.user = run;
    T_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    run->control = ends[0];
    run->child.fds[0] = ends[1];
    for (int i = 1; i < 3; i++)
        run->child.fds[i] = memfd_create("ring", MFD_CLOEXEC);
    for (int i = 3; i < 5; i++)
        run->child.fds[i] = eventfd(0, EFD_CLOEXEC);
    run->child.fds[5] = memfd_create("package", MFD_CLOEXEC);
    T_INT(write(run->child.fds[5], object_file.ptr, object_file.len),
        object_file.len);
    ll_child_start(spawner, &run->child);
    while (run->started == 0)
        ll_world_turn(world, true);
    for (int i = 0; i < 6; i++)
        close(run->child.fds[i]);
    T_INT(
        send(run->control, order, sizeof *order, MSG_NOSIGNAL), sizeof *order);
}

static bool
get(struct run *run, void *bytes, size_t n)
{
    struct pollfd fd = {.fd = run->control, .events = POLLIN};
    return poll(&fd, 1, 10000) > 0 &&
           recv(run->control, bytes, n, MSG_WAITALL) == (ssize_t)n;
}

static void
collect(struct run *run)
{
    if (!get(run, &run->entered, sizeof run->entered))
        run->entered.status = LINLI_E_CLOSED;
    else
        run->answered = get(run, &run->answer, sizeof run->answer);
}

static void
finish(struct run *run)
{
    close(run->control);
    while (run->ended == 0)
        ll_world_turn(world, true);
}

static void
go(struct run *run, const struct order *order)
{
    begin(run, order);
    collect(run);
    finish(run);
    if (run->entered.status != LINLI_OK)
        printf("# entering: %s\n", run->entered.msg);
}

static struct order
order_of(int what, int stage, bool native, bool errno_mode)
{
    return (struct order){.attack = what,
        .stage = stage,
        .native = native,
        .filter_errno = errno_mode,
        .private_root = ll_spawner_caps(spawner)->private_root};
}

/* True if the attack got nowhere in the way that is expected. */
static bool
repelled(const struct run *run, enum expect expect, const struct order *order)
{
    bool refused = run->answered && run->answer.result < 0;
    bool killed = !run->answered && run->signal == SIGSYS;
    if (run->entered.status != LINLI_OK)
        return false;
    if (expect == LATER && order->stage == 1)
        return run->answered;
    if (expect == STATUS && order->stage == 1 && !order->private_root)
        return run->answered;
    if (expect == OWN_DIR && order->stage == 1 && order->private_root)
        return run->answered && (refused || !run->entered.level.landlock);
    if (expect != KILLED && expect != LATER)
        return refused;
    if (order->filter_errno)
        return refused && run->answer.error == EPERM;
    return killed;
}

static void
try_attacks(const struct order *base)
{
    size_t n, tried = 0;
    const struct attack *list = attacks(&n);
    for (size_t i = 0; i < n + FAMILIES; i++) {
        struct order order = *base;
        struct run run;
        bool family = i >= n;
        order.attack = family ? FAMILY_FIRST + (int)(i - n) : (int)i;
        go(&run, &order);
        tried++;
        T_OK(repelled(&run, family ? KILLED : list[i].expect, &order));
        if (!repelled(&run, family ? KILLED : list[i].expect, &order))
            printf("#   %s (%d): result %ld, errno %d, signal %d, exit %d\n",
                family ? "socket of a family" : list[i].name, order.attack,
                run.answer.result, run.answer.error, run.signal,
                run.exit_status);
    }
    printf("# %zu attacks, stage %d, %s, %s\n", tried, base->stage,
        base->native ? "native" : "Lua", base->filter_errno ? "EPERM" : "KILL");
}

#define ATTACKS(name, stage, native, errno_mode)                           \
    T_CASE(name)                                                           \
    {                                                                      \
        up();                                                              \
        struct order order = order_of(0, (stage), (native), (errno_mode)); \
        try_attacks(&order);                                               \
        down();                                                            \
    }

ATTACKS(lua_attacks_are_killed, 2, false, false)
ATTACKS(lua_attacks_are_refused, 2, false, true)
ATTACKS(constructor_attacks_are_killed, 1, true, false)
ATTACKS(constructor_attacks_are_refused, 1, true, true)
ATTACKS(native_attacks_are_killed, 2, true, false)
ATTACKS(native_attacks_are_refused, 2, true, true)

/* Other architectures' numbers are other calls: killed in every mode. */
T_CASE(foreign_numbers_are_killed)
{
#if defined(__x86_64__)
    static const int which[] = {SPECIAL_INT80, SPECIAL_X32};
    up();
    for (size_t i = 0; i < LL_COUNT(which); i++)
        for (int mode = 0; mode < 4; mode++) {
            struct run run;
            struct order order =
                order_of(which[i], 1 + (mode & 1), true, mode >= 2);
            go(&run, &order);
            T_OK(!run.answered);
            /* a kernel without the 32-bit entry: a fault */
            T_OK(run.signal == SIGSYS || run.signal == SIGSEGV);
        }
    down();
#else
    T_OK(true);
#endif
}

static void
expect_holds(int what, int stage, bool native)
{
    struct run run;
    struct order order = order_of(what, stage, native, false);
    go(&run, &order);
    T_INT(run.entered.status, LINLI_OK);
    T_OK(run.answered);
    T_INT(run.answer.failed_line, 0);
    if (run.answer.failed_line != 0)
        printf("#   line %d, errno %d\n", run.answer.failed_line,
            run.answer.error);
    T_INT(run.signal, 0);
    T_INT(run.exit_status, 0);
}

T_CASE(entering_leaves_nothing)
{
    up();
    for (int native = 0; native < 2; native++) {
        expect_holds(SPECIAL_FACTS, 0, native);
        expect_holds(SPECIAL_OUTSIDE, 0, native);
    }
    down();
}

T_CASE(level_is_what_the_probe_said)
{
    struct run run;
    up();
    const struct ll_sandbox_caps *caps = ll_spawner_caps(spawner);
    struct order order = order_of(SPECIAL_LIBC, 2, false, false);
    go(&run, &order);
    const struct ll_sandbox_level *level = &run.entered.level;
    T_INT(level->landlock_abi, caps->landlock_abi);
    T_INT(level->landlock, caps->landlock_abi > 0);
    T_INT(level->private_root, caps->private_root);
    T_INT(level->own_uid, caps->own_uid);
    T_OK(level->seccomp && level->no_new_privs);
    if (caps->user_namespace)
        T_OK(level->namespaces);
    down();
}

T_CASE(sound_plugins_live)
{
    up();
    expect_holds(SPECIAL_LIBC, 2, false);
    expect_holds(SPECIAL_LIBC, 2, true);
    expect_holds(SPECIAL_MEMORY, 2, false);
    expect_holds(SPECIAL_MEMORY, 2, true);
    expect_holds(SPECIAL_TIMER, 2, false);
    expect_holds(SPECIAL_TIMER, 2, true);
    expect_holds(SPECIAL_OBJECT, 2, true);
    down();
}

T_CASE(handlers_are_set_before_lua_runs)
{
    struct run run;
    up();
    struct order order = order_of(SPECIAL_SIGACTION, 2, false, false);
    go(&run, &order);
    T_OK(LL_SANITIZED ? run.answered : run.signal == SIGSYS);
    order = order_of(SPECIAL_SIGACTION, 2, true, false);
    go(&run, &order);
    T_OK(run.answered && run.answer.result == 0);
    down();
}

/* How deaths look from outside, also as process 1 of a namespace. */
T_CASE(deaths_are_seen)
{
    struct run run;
    up();
    struct order order = order_of(SPECIAL_EXIT, 2, true, false);
    go(&run, &order);
    T_OK(!run.answered);
    T_INT(run.exit_status, 42);
    order = order_of(SPECIAL_SEGV, 2, true, false);
    go(&run, &order);
    T_OK(!run.answered);
    T_OK(LL_SANITIZED ? run.exit_status != 0 : run.signal == SIGSEGV);
    order = order_of(SPECIAL_ABORT, 2, true, false);
    go(&run, &order);
    T_OK(!run.answered);
    printf("# abort() ends with signal %d, status %d\n", run.signal,
        run.exit_status);
    T_OK(run.signal != 0 || run.exit_status != 0);
    down();
}

/* What root of the host sees of the worker's root directory. */
T_CASE(root_is_empty)
{
    struct run run;
    up();
    const struct ll_sandbox_caps *caps = ll_spawner_caps(spawner);
    for (int native = 0; native < 2; native++) {
        struct order order = order_of(SPECIAL_HIDE, 2, native, false);
        char path[64];
        struct statfs fs;
        int names = 0;
        begin(&run, &order);
        collect(&run);
        T_OK(run.answered);
        snprintf(path, sizeof path, "/proc/%d/root", run.child.pid);
        DIR *dir = opendir(path);
        if (caps->private_root && geteuid() == 0) {
            T_OK(dir != NULL);
            T_INT(statfs(path, &fs), 0);
            unsigned long want = ST_RDONLY | ST_NOSUID | ST_NODEV;
            want |= native ? 0 : ST_NOEXEC;
            T_INT((unsigned long)fs.f_flags & want, want);
        }
        for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
            names += e->d_name[0] != '.';
        if (caps->private_root)
            T_INT(names, dir == NULL ? 0 : native);
        if (dir != NULL)
            closedir(dir);
        T_OK(ll_child_cpu_ns(&run.child) > 0);
        if (caps->user_namespace || geteuid() == 0)
            T_OK(ll_child_memory_bytes(&run.child) > 0);
        finish(&run);
    }
    down();
}

T_CASE(host_that_hangs_up_is_noticed)
{
    struct run run;
    up();
    struct order order = order_of(SPECIAL_SHUT, 2, false, false);
    begin(&run, &order);
    finish(&run);
    /* It cannot even say why. */
    T_OK(run.signal == SIGPIPE || run.exit_status == 1 || run.exit_status == 2);
    down();
}

/* kill -9 of the host, the worker blocking all signals: gone in 100 ms. */
T_CASE(nobody_outlives_the_host)
{
    int ends[2], pid = 0;
    T_INT(pipe(ends), 0);
    pid_t host = fork();
    if (host == 0) {
        struct run run;
        up();
        struct order order = order_of(SPECIAL_HIDE, 2, true, false);
        begin(&run, &order);
        collect(&run);
        if (run.answered)
            (void)!write(ends[1], &run.child.pid, sizeof run.child.pid);
        for (;;)
            pause();
    }
    T_INT(read(ends[0], &pid, sizeof pid), sizeof pid);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    T_OK(pidfd >= 0);
    T_INT(poll(&end, 1, 0), 0);
    kill(host, SIGKILL);
    T_INT(poll(&end, 1, 100), 1);
    T_INT(waitpid(host, NULL, 0), host);
    close(pidfd);
    close(ends[0]);
    close(ends[1]);
}

static int
by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

T_CASE(start_is_fast)
{
    enum { ROUNDS = 101 };
    static int64_t took[ROUNDS];
    up();
    for (int native = 0; native < 2; native++) {
        for (int i = 0; i < ROUNDS; i++) {
            struct order order = order_of(SPECIAL_HIDE, 2, native, false);
            struct run run;
            int64_t from = ll_mono_now().ns;
            begin(&run, &order);
            T_OK(get(&run, &run.entered, sizeof run.entered));
            took[i] = (ll_mono_now().ns - from) / 1000;
            finish(&run);
        }
        qsort(took, ROUNDS, sizeof *took, by_size);
        printf("# %s, %s: confined after %" PRId64 " us (median), %" PRId64
               " us (p90)\n",
            ll_spawner_caps(spawner)->text, native ? "native" : "Lua",
            took[ROUNDS / 2], took[ROUNDS * 9 / 10]);
    }
    /* Generous: this shares the machine with other tests. */
    T_OK(took[ROUNDS / 2] < 100000);
    down();
}

/* False, and a case that says so, where nothing may be started. */
static bool
can_start(void)
{
    up();
    bool enough = ll_spawner_caps(spawner)->enough;
    if (!enough)
        printf("ok %d # SKIP this level is too weak: %s\n", ++t_cases,
            ll_spawner_caps(spawner)->text);
    down();
    return enough;
}

static void
core_cases(void)
{
    if (!can_start())
        return;
    T_RUN(level_is_what_the_probe_said)
    T_RUN(entering_leaves_nothing)
    T_RUN(sound_plugins_live)
    T_RUN(handlers_are_set_before_lua_runs)
    T_RUN(deaths_are_seen)
    T_RUN(root_is_empty)
    T_RUN(host_that_hangs_up_is_noticed)
    T_RUN(nobody_outlives_the_host)
    T_RUN(start_is_fast)
    T_RUN(foreign_numbers_are_killed)
    /* The filters are the same everywhere; here the other layers count. */
    T_RUN(constructor_attacks_are_killed)
}

static void
all_cases(void)
{
    core_cases();
    if (!can_start())
        return;
    T_RUN(lua_attacks_are_killed)
    T_RUN(lua_attacks_are_refused)
    T_RUN(constructor_attacks_are_refused)
    T_RUN(native_attacks_are_killed)
    T_RUN(native_attacks_are_refused)
}

/* What a process that enters by itself is told. */
static linli_status
enter_alone(bool nobody, const char *part)
{
    int ends[2], status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct ll_sandbox_level level;
        struct ll_err err = {0};
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
            dup2(ends[1], LL_FD_WAKE_ME) < 0 ||
            dup2(ends[0], LL_FD_CONTROL) < 0 ||
            (nobody && geteuid() == 0 && !become_nobody()))
            _exit(9);
        ll_mem_init(&worker.mem, 0);
        ll_arena_init(&worker.arena, &worker.mem, 1 << 20);
        worker.config.memory_bytes = MEMORY_BYTES;
        status = ll_worker_enter(&worker, &level, &err);
        if (status != LINLI_OK && strstr(err.msg, part) == NULL)
            printf("# %s: %s\n", err.code, err.msg);
        fflush(stdout);
        _exit(strstr(err.msg, part) == NULL || level.seccomp ? 9 : -status);
    }
    T_INT(waitpid(pid, &status, 0), pid);
    return -WEXITSTATUS(status);
}

/* Neither Landlock nor a private root: the worker itself says no. */
T_CASE(too_weak_is_refused)
{
    T_INT(
        enter_alone(true, "neither Landlock nor private root"), LINLI_E_DENIED);
}

/* However it was started: not with the powers of the host's root. */
T_CASE(root_is_refused)
{
    if (geteuid() == 0)
        T_INT(enter_alone(false, "other than the host's root"), LINLI_E_DENIED);
    else
        T_OK(true);
}

static void
weak_cases(void)
{
    T_RUN(too_weak_is_refused)
    T_RUN(root_is_refused)
}

static void
load_object(const char *argv0)
{
    char path[512];
    const char *slash = strrchr(argv0, '/');
    snprintf(path, sizeof path, "%.*s/../abi/fixtures/attack.so",
        slash == NULL ? 1 : (int)(slash - argv0), slash == NULL ? "." : argv0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        printf("Bail out! %s is missing\n", path);
        exit(1);
    }
    char *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    object_file = (linli_str){bytes, (size_t)st.st_size};
    close(fd);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int cage;
    } levels[] = {{"no user namespaces", CAGE_NO_USERNS},
        {"no namespaces", CAGE_NO_NS}, {"no mounts", CAGE_NO_MOUNT},
        {"no Landlock", CAGE_NO_LANDLOCK}};
    (void)argc;
    if (strcmp(argv[0], "linli-worker") == 0)
        _exit(play());
    load_object(argv[0]);
    for (int nobody = geteuid() != 0; nobody < 2; nobody++) {
        const char *user = nobody ? "an ordinary user" : "root";
        char who[80];
        run_as(user, nobody, CAGE_NONE, all_cases);
        for (size_t i = 0; i < LL_COUNT(levels); i++) {
            snprintf(who, sizeof who, "%s, %s", user, levels[i].name);
            run_as(who, nobody, levels[i].cage, core_cases);
        }
        snprintf(who, sizeof who, "%s, too weak", user);
        run_as(who, nobody, CAGE_NO_LANDLOCK, weak_cases);
    }
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
