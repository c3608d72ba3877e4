/* world/spawn.c: the spawner thread, and children as the loop sees them.
 *
 * Two queues cross the threads under one mutex: what to start, and what has
 * been tried. A child belongs to the spawner thread from the one to the
 * other and to the loop before and after. Owns the open worker binary and
 * /dev/null. Nothing is process-global.
 */
#include "world/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world/spawn_impl.h"
#include "world/thread.h"

struct queue {
    struct ll_child *first, **end;
};

struct ll_spawner {
    struct ll_mem *mem;
    struct ll_world *world;
    struct ll_wakeup *wakeup;
    uint32_t uid_first, uid_count;
    bool root;
    int worker_fd, null_fd;
    uint32_t children; /* queued or alive; loop only */
    /* written by the thread before `probed`, read only afterwards */
    struct ll_spawn_plan plan;
    struct ll_sandbox_caps caps;
    pthread_t thread;
    bool running; /* the thread exists */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* under the mutex */
    bool probed, stop;
    struct queue wanted, done;
};

static void
queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

static void
queue_push(struct queue *queue, struct ll_child *child)
{
    child->next = NULL;
    *queue->end = child;
    queue->end = &child->next;
}

static struct ll_child *
queue_pop(struct queue *queue)
{
    struct ll_child *child = queue->first;
    if (child == NULL)
        return NULL;
    queue->first = child->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    return child;
}

/* -- the spawner thread -- */

static void
start_one(struct ll_spawner *spawner, struct ll_child *child)
{
    struct ll_spawn_exec exec = {.worker_fd = spawner->worker_fd,
        .null_fd = spawner->null_fd,
        .fds = child->fds};
    struct ll_spawn_plan plan = spawner->plan;
    struct ll_spawn_result result;
    plan.uid = spawner->uid_first + child->uid_slot;
    if (ll_spawn_clone(
            &plan, ll_spawn_exec_body, &exec, &result, &child->err) != LINLI_OK)
        return;
    child->pid = result.pid;
    child->pidfd = result.pidfd;
}

static void *
spawner_main(void *arg)
{
    struct ll_spawner *spawner = arg;
    ll_spawn_probe(
        spawner->root, spawner->uid_first, &spawner->plan, &spawner->caps);
    (void)pthread_mutex_lock(&spawner->mutex);
    spawner->probed = true;
    (void)pthread_cond_broadcast(&spawner->changed);
    while (!spawner->stop) {
        struct ll_child *child = queue_pop(&spawner->wanted);
        if (child == NULL) {
            (void)pthread_cond_wait(&spawner->changed, &spawner->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&spawner->mutex);
        start_one(spawner, child);
        (void)pthread_mutex_lock(&spawner->mutex);
        queue_push(&spawner->done, child);
        ll_wakeup_send(spawner->wakeup);
    }
    (void)pthread_mutex_unlock(&spawner->mutex);
    return NULL;
}

/* -- the loop -- */

static void
on_child_end(void *user)
{
    struct ll_child *child = user;
    siginfo_t info = {0};
    int status = -1, signal = 0, got;
    do
        got = waitid(
            P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG | __WALL);
    while (got < 0 && errno == EINTR);
    if (got == 0 && info.si_pid == 0)
        return; /* woken too early */
    /* ECHILD: the embedder reaps everything; how it ended stays unknown. */
    if (got == 0 && info.si_code == CLD_EXITED)
        status = info.si_status;
    else if (got == 0)
        signal = info.si_status;
    ll_watch_free(&child->watch);
    (void)close(child->pidfd);
    child->pidfd = -1;
    child->pid = 0;
    ll_check(child->spawner->children > 0);
    child->spawner->children--;
    child->ended(child, status, signal);
}

static void
on_child_done(struct ll_child *child)
{
    struct ll_spawner *spawner = child->spawner;
    if (child->err.status == LINLI_OK) {
        child->watch =
            ll_watch_new(spawner->world, child->pidfd, on_child_end, child);
        if (child->watch == NULL) {
            struct ll_spawn_result result = {child->pid, child->pidfd, {0}};
            ll_spawn_discard(&result);
            child->pid = 0;
            child->pidfd = -1;
            (void)ll_fail(&child->err, LINLI_E_NOMEM, "runtime/memory",
                "no memory to watch a worker");
        }
    }
    if (child->err.status != LINLI_OK)
        spawner->children--;
    else if (child->killed)
        ll_spawn_signal(child->pidfd, SIGKILL);
    child->started(child, child->err.status);
}

static void
on_wakeup(void *user)
{
    struct ll_spawner *spawner = user;
    struct queue done;
    queue_init(&done);
    (void)pthread_mutex_lock(&spawner->mutex);
    for (struct ll_child *c; (c = queue_pop(&spawner->done)) != NULL;)
        queue_push(&done, c);
    (void)pthread_mutex_unlock(&spawner->mutex);
    for (struct ll_child *c; (c = queue_pop(&done)) != NULL;)
        on_child_done(c);
}

static linli_status
open_files(struct ll_spawner *spawner, const char *path, struct ll_err *err)
{
    spawner->worker_fd = open(path, O_PATH | O_CLOEXEC);
    if (spawner->worker_fd < 0) {
        (void)ll_fail(err, LINLI_E_IO, "sandbox/start",
            "the worker program cannot be opened: %s", strerror(errno));
        ll_err_where(err, "%s", path);
        ll_err_fix(err, "Install Linli as a whole, or name its linli-worker "
                        "(linlid --worker=FILE)");
        return LINLI_E_IO;
    }
    spawner->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (spawner->null_fd < 0)
        return ll_fail(err, LINLI_E_IO, "sandbox/start",
            "/dev/null cannot be opened (errno %d)", errno);
    return LINLI_OK;
}

static linli_status
check_uids(const struct ll_spawner *spawner, struct ll_err *err)
{
    uint32_t first = spawner->uid_first, count = spawner->uid_count;
    /* The last uid means "none" to the kernel. */
    if (spawner->root &&
        (first == 0 || count == 0 || count > UINT32_MAX - first))
        return ll_fail(err, LINLI_E_INVALID, "config/invalid",
            "workers need a range of uids from 1 on, found %u uids from %u",
            count, first);
    return LINLI_OK;
}

linli_status
ll_spawner_new(struct ll_mem *mem, struct ll_world *world,
    const struct ll_spawner_options *options, struct ll_spawner **out,
    struct ll_err *err)
{
    *out = NULL;
    struct ll_spawner *spawner = ll_alloc(mem, sizeof *spawner);
    if (spawner == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the spawner");
    *spawner = (struct ll_spawner){.mem = mem,
        .world = world,
        .uid_first = options->uid_first,
        .uid_count = options->uid_count,
        .root = geteuid() == 0,
        .worker_fd = -1,
        .null_fd = -1};
    queue_init(&spawner->wanted);
    queue_init(&spawner->done);
    (void)pthread_mutex_init(&spawner->mutex, NULL);
    (void)pthread_cond_init(&spawner->changed, NULL);
    linli_status status = check_uids(spawner, err);
    if (status == LINLI_OK)
        status = open_files(spawner, options->worker_path, err);
    if (status != LINLI_OK)
        goto out;
    spawner->wakeup = ll_wakeup_new(world, on_wakeup, spawner);
    if (spawner->wakeup != NULL)
        spawner->running =
            ll_thread_start(&spawner->thread, spawner_main, spawner);
    if (!spawner->running) {
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "no memory for the spawner's thread");
        goto out;
    }
    (void)pthread_mutex_lock(&spawner->mutex);
    while (!spawner->probed)
        (void)pthread_cond_wait(&spawner->changed, &spawner->mutex);
    (void)pthread_mutex_unlock(&spawner->mutex);
    *out = spawner;
out:
    if (status != LINLI_OK)
        ll_spawner_free(&spawner);
    return status;
}

const struct ll_sandbox_caps *
ll_spawner_caps(const struct ll_spawner *s)
{
    return &s->caps;
}

void
ll_spawner_free(struct ll_spawner **spawner)
{
    struct ll_spawner *s = *spawner;
    if (s == NULL)
        return;
    *spawner = NULL;
    ll_check(s->children == 0);
    if (s->running) {
        (void)pthread_mutex_lock(&s->mutex);
        s->stop = true;
        (void)pthread_cond_broadcast(&s->changed);
        (void)pthread_mutex_unlock(&s->mutex);
        (void)pthread_join(s->thread, NULL);
    }
    ll_wakeup_free(&s->wakeup);
    if (s->worker_fd >= 0)
        (void)close(s->worker_fd);
    if (s->null_fd >= 0)
        (void)close(s->null_fd);
    (void)pthread_cond_destroy(&s->changed);
    (void)pthread_mutex_destroy(&s->mutex);
    ll_release(s->mem, s, sizeof *s);
}

/* A start that must not be tried; reported through the loop all the same. */
static bool
refused(struct ll_spawner *spawner, struct ll_child *child)
{
    if (!spawner->caps.enough)
        (void)ll_fail(&child->err, LINLI_E_DENIED, "sandbox/too-weak",
            "found: %s", spawner->caps.text);
    else if (spawner->root && child->uid_slot >= spawner->uid_count)
        (void)ll_fail(&child->err, LINLI_E_LIMIT, "sandbox/start",
            "all %u uids for workers are taken", spawner->uid_count);
    return child->err.status != LINLI_OK;
}

void
ll_child_start(struct ll_spawner *spawner, struct ll_child *child)
{
    child->pid = 0;
    child->pidfd = -1;
    child->killed = false;
    child->err = (struct ll_err){0};
    child->spawner = spawner;
    child->watch = NULL;
    bool no = refused(spawner, child);
    spawner->children++;
    (void)pthread_mutex_lock(&spawner->mutex);
    queue_push(no ? &spawner->done : &spawner->wanted, child);
    (void)pthread_cond_signal(&spawner->changed);
    (void)pthread_mutex_unlock(&spawner->mutex);
    if (no)
        ll_wakeup_send(spawner->wakeup);
}

void
ll_child_kill(struct ll_child *child)
{
    child->killed = true;
    /* Without a watch it is still starting: killed as soon as it is known,
     * and pidfd belongs to the spawner thread until then. */
    if (child->watch != NULL)
        ll_spawn_signal(child->pidfd, SIGKILL);
}

int64_t
ll_child_cpu_ns(const struct ll_child *child)
{
    clockid_t clock;
    struct timespec used;
    if (child->watch == NULL || clock_getcpuclockid(child->pid, &clock) != 0 ||
        clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* "Pss:                 88 kB": a line's number in bytes, 0 without it. */
static int64_t
rollup_bytes(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    if (line == NULL)
        return 0;
    return (int64_t)strtoll(line + strlen(name), NULL, 10) * 1024;
}

int64_t
ll_child_memory_bytes(const struct ll_child *child)
{
    char path[64], text[2048];
    if (child->watch == NULL)
        return 0;
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", child->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    return rollup_bytes(text, "\nPss:");
}
