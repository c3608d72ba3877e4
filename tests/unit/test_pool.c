/* tests/unit/test_pool.c: pools and processes, with workers that the test
 * itself plays: it stands in for world/spawn.c, keeps the other end of each
 * channel and says what it likes. No process is started. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugin/pool.h"
#include "t.h"

enum { FAKES_MAX = 16, WALL_MS = 2000 };

/* -- workers -- */

struct ll_spawner {
    struct ll_sandbox_caps caps;
};

/* One worker, as the worker sees it. */
struct fake {
    struct ll_child *child;
    int control, wake_host;
    void *host_area, *own_area;
    struct ll_ring ring;
    struct ll_frame_reader reader;
    bool killed, gone;
};

static struct ll_mem mem;
static struct ll_spawner spawner;
static struct fake fakes[FAKES_MAX];
static uint32_t fake_count;

const struct ll_sandbox_caps *
ll_spawner_caps(const struct ll_spawner *s)
{
    return &s->caps;
}

void
ll_child_start(struct ll_spawner *s, struct ll_child *child)
{
    struct fake *fake = &fakes[fake_count++];
    child->spawner = s;
    child->pid = 1000 + (int)fake_count;
    *fake = (struct fake){.child = child,
        .control = fcntl(child->fds[0], F_DUPFD_CLOEXEC, 0),
        .wake_host = fcntl(child->fds[4], F_DUPFD_CLOEXEC, 0),
        .host_area = mmap(
            NULL, LL_RING_AREA_BYTES, PROT_READ, MAP_SHARED, child->fds[1], 0),
        .own_area = mmap(NULL, LL_RING_AREA_BYTES, PROT_READ | PROT_WRITE,
            MAP_SHARED, child->fds[2], 0)};
    ll_ring_init(&fake->ring, fake->own_area, fake->host_area);
    ll_frame_reader_init(&fake->reader, &mem);
}

static struct fake *
fake_of(const struct ll_child *child)
{
    struct fake *fake = fakes;
    while (fake->child != child || fake->gone)
        fake++;
    return fake;
}

void
ll_child_kill(struct ll_child *child)
{
    fake_of(child)->killed = true;
}

int64_t
ll_child_cpu_ns(const struct ll_child *child)
{
    (void)child;
    return 0;
}

int64_t
ll_child_memory_bytes(const struct ll_child *child)
{
    (void)child;
    return 0;
}

/* The worker's end of everything. */
static void
fake_close(struct fake *fake)
{
    fake->gone = true;
    (void)munmap(fake->host_area, LL_RING_AREA_BYTES);
    (void)munmap(fake->own_area, LL_RING_AREA_BYTES);
    (void)close(fake->control);
    (void)close(fake->wake_host);
    ll_frame_reader_fini(&fake->reader);
}

/* The kernel has let it go. */
static void
fake_end(struct fake *fake, int exit_status, int signal)
{
    fake_close(fake);
    fake->child->ended(fake->child, exit_status, signal);
}

/* -- what a worker says -- */

static struct ll_buf payload;

static struct ll_buf *
words(void)
{
    ll_buf_clear(&payload);
    return &payload;
}

static void
fake_tell(struct fake *fake, enum ll_frame_type type)
{
    unsigned char header[LL_FRAME_HEADER_BYTES];
    struct ll_frame frame = {.type = (uint8_t)type};
    ll_frame_header(header, &frame, payload.len);
    T_OK(send(fake->control, header, sizeof header, 0) == sizeof header);
    if (payload.len > 0)
        T_OK(send(fake->control, payload.ptr, payload.len, 0) > 0);
}

/* Says `payload` through the ring; true if the host wants to be woken, which
 * it then is. */
static bool
fake_say(
    struct fake *fake, enum ll_frame_type type, uint32_t call, uint16_t run)
{
    struct ll_buf out;
    size_t taken = 0, at = 0;
    const uint64_t one = 1;
    ll_buf_init(&out, &mem, 2 * LL_FRAME_BYTES_MAX);
    size_t mark = ll_frame_begin(&out, type, call, run);
    ll_buf_str(&out, ll_buf_view(&payload));
    ll_frame_end(&out, mark);
    do {
        T_INT(ll_ring_write(&fake->ring, out.ptr + at, out.len - at, &taken),
            LINLI_OK);
        at += taken;
    } while (taken > 0);
    ll_buf_fini(&out);
    bool asleep = ll_ring_must_wake(&fake->ring, true, false);
    if (asleep)
        T_OK(write(fake->wake_host, &one, sizeof one) == sizeof one);
    return asleep;
}

static void
fake_log(struct fake *fake, uint32_t call, uint16_t run, const char *line)
{
    ll_put_list(words(), 2);
    ll_put_int(&payload, 1);
    ll_put_bytes(&payload, (linli_str){line, strlen(line)});
    (void)fake_say(fake, LL_FRAME_LOG, call, run);
}

static void
fake_reply(struct fake *fake, uint32_t call, uint16_t run)
{
    ll_put_list(words(), 4);
    ll_put_int(&payload, 200);
    ll_put_int(&payload, 1);
    ll_put_bytes(&payload, LINLI_STR("{}"));
    ll_put_bytes(&payload, LINLI_STR("7"));
    (void)fake_say(fake, LL_FRAME_REPLY, call, run);
}

static void
fake_fail(struct fake *fake, uint32_t call, uint16_t run, size_t log_bytes)
{
    static char log[64 << 10];
    memset(log, 'x', sizeof log);
    ll_put_list(words(), 5);
    ll_put_bytes(&payload, LINLI_STR("plugin/error"));
    ll_put_int(&payload, 1);
    ll_put_bytes(&payload, LINLI_STR(""));
    ll_put_bytes(&payload, (linli_str){log, log_bytes});
    ll_put_bytes(&payload, LINLI_STR(""));
    (void)fake_say(fake, LL_FRAME_FAILED, call, run);
}

/* The next frame from the host; false if there is none. */
static bool
fake_hear(struct fake *fake, struct ll_frame *frame)
{
    char part[LL_RING_PART_BYTES];
    size_t got = 0;
    while (ll_frame_next(&fake->reader, frame) != LINLI_OK) {
        T_INT(ll_ring_read(&fake->ring, part, sizeof part, &got), LINLI_OK);
        if (got == 0 || ll_frame_feed(&fake->reader, part, got) != LINLI_OK)
            return false;
    }
    return true;
}

/* -- a pool -- */

static struct ll_world *world;
static struct ll_supervisor supervisor;
static struct ll_manifest manifest;
static struct ll_package package;
static struct ll_pool *pool;
static int opened, closed, breaker_closed, logged, starts_fail, starts_again;
static char last_log[64];

static void
on_opened(void *user, linli_status status, const struct ll_err *err)
{
    (void)user;
    (void)err;
    T_INT(status, LINLI_OK);
    opened++;
}

static void
on_closed(void *user, const struct ll_pool *of)
{
    (void)user;
    (void)of;
    closed++;
}

static void
on_event(void *user, const struct ll_pool *of, const char *code,
    const struct ll_err *err)
{
    T_OK(of == pool);
    (void)user;
    (void)err;
    breaker_closed += strcmp(code, LL_POOL_BREAKER_CLOSED) == 0;
    starts_fail += strcmp(code, LL_POOL_STARTS_FAIL) == 0;
    starts_again += strcmp(code, LL_POOL_STARTS) == 0;
}

static void
on_log(void *user, const struct ll_pool *of, unsigned level, linli_str line)
{
    T_OK(of == pool);
    (void)user;
    (void)level;
    snprintf(last_log, sizeof last_log, "%.*s", (int)line.len, line.ptr);
    logged++;
}

static void
turn(int times)
{
    for (int i = 0; i < times; i++)
        ll_world_turn(world, false);
}

/* Takes a worker that has been started to READY. */
static void
fake_ready(struct fake *fake)
{
    fake->child->started(fake->child, LINLI_OK);
    ll_put_list(words(), 8);
    ll_put_int(&payload, LL_WIRE_VERSION);
    ll_put_int(&payload, 1);
    ll_put_bool(&payload, true); /* no_new_privs */
    ll_put_int(&payload, 3);
    for (int i = 0; i < 4; i++)
        ll_put_bool(&payload, true);
    fake_tell(fake, LL_FRAME_HELLO);
    (void)words();
    fake_tell(fake, LL_FRAME_READY);
    turn(3);
}

static void
pool_begin(uint32_t workers_max)
{
    struct ll_err err;
    ll_mem_init(&mem, 0);
    ll_buf_init(&payload, &mem, LL_FRAME_BYTES_MAX);
    spawner.caps.enough = true;
    manifest = (struct ll_manifest){.id = LINLI_STR("fake"),
        .version = LINLI_STR("1.0.0"),
        .runtime = LL_RUNTIME_LUA};
    package = (struct ll_package){
        .mem = &mem, .manifest = &manifest, .image_fd = -1, .refs = 1};
    opened = closed = breaker_closed = logged = 0;
    starts_fail = starts_again = 0;
    fake_count = 0;
    T_INT(ll_world_new(&mem, &world, &err), LINLI_OK);
    T_INT(
        ll_supervisor_init(&supervisor, &mem, world, &spawner, &err), LINLI_OK);
    struct ll_pool_options options = {.package = &package,
        .community = LINLI_STR("garden"),
        .config_json = LINLI_STR("{}"),
        .workers_max = workers_max,
        .limits = {.wall_ms = WALL_MS, .burst_ms = 200},
        .opened = on_opened,
        .event = on_event,
        .log = on_log};
    T_INT(ll_pool_open(&supervisor, &options, &pool, &err), LINLI_OK);
    T_INT(fake_count, 1);
}

static void
pool_end(void)
{
    ll_pool_close(pool, on_closed, NULL);
    ll_pool_kill(pool);
    for (uint32_t i = 0; i < fake_count; i++)
        if (!fakes[i].gone && fakes[i].killed)
            fake_end(&fakes[i], -1, 9);
        else if (!fakes[i].gone) { /* it was still starting */
            fakes[i].child->started(fakes[i].child, LINLI_OK);
            fake_end(&fakes[i], -1, 9);
        }
    turn(2);
    T_INT(closed, 1);
    ll_supervisor_fini(&supervisor);
    ll_world_free(&world);
    ll_buf_fini(&payload);
    T_INT(package.refs, 1);
    T_INT(mem.used_bytes, 0);
}

/* -- runs -- */

struct job {
    struct ll_run run;
    int replies, failures, agains, ends;
    enum ll_run_end end;
    void (*then)(struct job *job); /* when it is over */
    struct job *other;
};

static void
job_over(struct job *job)
{
    if (job->then != NULL)
        job->then(job);
}

static void
on_reply(struct ll_run *run, int status, linli_str body, linli_str etag)
{
    struct job *job = LL_CONTAINER(run, struct job, run);
    (void)body;
    T_STR(etag, "7");
    T_INT(status, 200);
    job->replies++;
    job_over(job);
}

static void
on_failed(struct ll_run *run, linli_str code, linli_str detail, linli_str log,
    linli_str errors_json)
{
    struct job *job = LL_CONTAINER(run, struct job, run);
    (void)code;
    (void)detail;
    (void)errors_json;
    T_OK(log.len <= LL_LOG_LINE_BYTES_MAX);
    logged += log.len > 0;
    job->failures++;
    job_over(job);
}

static void
on_hostcall(struct ll_run *run, uint32_t op, linli_str args)
{
    (void)op;
    (void)args;
    ll_pool_answer(run, LINLI_OK, (linli_str){NULL, 0});
}

static void
on_run_log(struct ll_run *run, unsigned level, linli_str line)
{
    (void)run;
    on_log(NULL, pool, level, line);
}

static void
on_ended(struct ll_run *run, enum ll_run_end end)
{
    struct job *job = LL_CONTAINER(run, struct job, run);
    job->ends++;
    job->end = end;
    job_over(job);
}

static void
on_again(struct ll_run *run)
{
    LL_CONTAINER(run, struct job, run)->agains++;
}

static const struct ll_run_ops ops = {
    on_reply, on_failed, on_hostcall, on_run_log, on_again, on_ended, NULL};

static void
submit(struct job *job)
{
    struct job *other = job->other;
    void (*then)(struct job *) = job->then;
    *job = (struct job){.run = {.ops = &ops}, .then = then, .other = other};
    job->run.payload = LINLI_STR("call");
    job->run.deadline_ns = ll_world_mono(world).ns + (int64_t)WALL_MS * 1000000;
    ll_pool_submit(pool, &job->run);
}

static int
outcomes(const struct job *job)
{
    return job->replies + job->failures + job->ends;
}

/* The worker takes its next call; *frame says which. */
static bool
fake_call(struct fake *fake, struct ll_frame *frame)
{
    return fake_hear(fake, frame) && frame->type == LL_FRAME_CALL;
}

/* -- the cases -- */

T_CASE(a_call_comes_back)
{
    struct job job = {.then = NULL};
    struct ll_frame frame;
    pool_begin(1);
    fake_ready(&fakes[0]);
    T_INT(opened, 1);
    submit(&job);
    turn(1);
    T_OK(fake_call(&fakes[0], &frame));
    T_STR(frame.payload, "call");
    fake_reply(&fakes[0], frame.call, frame.run);
    turn(2);
    T_INT(job.replies, 1);
    T_INT(outcomes(&job), 1);
    pool_end();
}

/* What the plugin wrote while it was loaded is heard at once, and what it
 * says between calls, whatever woke the host before. */
T_CASE(lines_from_outside_every_run_are_heard)
{
    const uint64_t one = 1;
    pool_begin(1);
    fake_log(&fakes[0], 0, 0, "loading");
    fake_ready(&fakes[0]);
    T_INT(logged, 1);
    fake_log(&fakes[0], 0, 0, "idle");
    turn(2);
    T_INT(logged, 2);
    /* A wake with nothing behind it. */
    T_OK(write(fakes[0].wake_host, &one, sizeof one) == sizeof one);
    turn(2);
    fake_log(&fakes[0], 0, 0, "idle again");
    turn(2);
    T_INT(logged, 3);
    pool_end();
}

T_CASE(the_last_words_of_a_worker_are_heard)
{
    pool_begin(1);
    fake_ready(&fakes[0]);
    ll_pool_close(pool, on_closed, NULL);
    turn(1);
    fake_log(&fakes[0], 0, 0, "goodbye");
    fake_end(&fakes[0], 0, 0);
    T_INT(logged, 1);
    T_STR(((linli_str){last_log, strlen(last_log)}), "goodbye");
    pool_end();
}

/* A worker's log of a failed run is a log line like any other. */
T_CASE(the_log_of_a_failure_is_bounded)
{
    struct job job = {.then = NULL};
    struct ll_frame frame;
    pool_begin(1);
    fake_ready(&fakes[0]);
    for (int i = 0; i < 40; i++) {
        submit(&job);
        turn(1);
        T_OK(fake_call(&fakes[0], &frame));
        fake_fail(&fakes[0], frame.call, frame.run, LL_LOG_LINE_BYTES_MAX);
        turn(2);
        T_INT(job.failures, 1);
    }
    /* Not more than LL_LOG_BYTES_PER_S_MAX, unless a second has passed. */
    T_OK(logged < 40);
    submit(&job);
    turn(1);
    T_OK(fake_call(&fakes[0], &frame));
    fake_fail(&fakes[0], frame.call, frame.run, LL_LOG_LINE_BYTES_MAX + 1);
    turn(2);
    T_INT(job.failures, 0);
    T_OK(fakes[0].killed);
    pool_end();
}

/* A run that began before the breaker opened says nothing about the plugin
 * now: only the probe closes it. */
T_CASE(only_the_probe_closes_the_breaker)
{
    struct job old = {.then = NULL}, next = {.then = NULL};
    struct ll_frame frame;
    pool_begin(2);
    fake_ready(&fakes[0]);
    submit(&old);
    turn(1);
    T_OK(fake_call(&fakes[0], &frame));
    pool->breaker.open = true;
    pool->breaker.probe_after_ms = INT64_MAX;
    fake_reply(&fakes[0], frame.call, frame.run);
    turn(2);
    T_INT(old.replies, 1);
    T_INT(breaker_closed, 0);
    T_OK(pool->breaker.open);
    pool->breaker.probe_after_ms = 0;
    submit(&next);
    T_OK(next.run.probe);
    turn(1);
    T_OK(fake_call(&fakes[0], &frame));
    fake_reply(&fakes[0], frame.call, frame.run);
    turn(2);
    T_INT(breaker_closed, 1);
    T_OK(!pool->breaker.open);
    pool_end();
}

/* More than a worker's queue holds: told in the next turn, not at once. */
T_CASE(submit_never_ends_a_run_itself)
{
    static char large[LL_FRAME_BYTES_MAX];
    enum { MANY = LL_WORKER_QUEUE_BYTES_MAX / LL_FRAME_BYTES_MAX + 2 };
    static struct job jobs[MANY];
    int busy = 0;
    pool_begin(1);
    fake_ready(&fakes[0]);
    for (int i = 0; i < MANY; i++) {
        jobs[i] = (struct job){.run = {.ops = &ops}};
        jobs[i].run.payload = (linli_str){large, sizeof large};
        jobs[i].run.deadline_ns =
            ll_world_mono(world).ns + (int64_t)WALL_MS * 1000000;
        ll_pool_submit(pool, &jobs[i].run);
        T_INT(outcomes(&jobs[i]), 0);
    }
    turn(1);
    for (int i = 0; i < MANY; i++)
        busy += jobs[i].ends == 1 && jobs[i].end == LL_RUN_BUSY;
    T_OK(busy >= 1);
    pool_end();
}

static void
submit_again(struct job *job)
{
    static int tries;
    if (++tries % 100 != 0 && job->end != LL_RUN_STOPPED)
        submit(job);
}

/* Who tries again from inside the callback is told again in another turn,
 * and soon: the loop neither hangs nor sleeps over it. */
T_CASE(a_run_tried_again_at_once_waits_for_the_next_turn)
{
    struct job job = {.then = submit_again};
    pool_begin(1);
    fake_ready(&fakes[0]);
    pool->breaker.open = true;
    pool->breaker.probe_after_ms = INT64_MAX;
    submit(&job);
    turn(1);
    T_OK(job.run.pool != NULL); /* refused once, tried again, waiting */
    int64_t before = ll_mono_now().ns;
    for (int i = 0; i < 10; i++)
        ll_world_turn(world, true);
    T_OK(ll_mono_now().ns - before < 500000000);
    job.then = NULL;
    turn(3);
    pool_end();
}

/* The same when no worker can be started. */
T_CASE(a_failed_start_ends_each_run_once)
{
    struct job job = {.then = submit_again};
    pool_begin(1);
    fake_ready(&fakes[0]);
    fake_end(&fakes[0], -1, 9);
    submit(&job);
    T_INT(fake_count, 2);
    fakes[1].child->err = (struct ll_err){.status = LINLI_E_IO};
    fake_close(&fakes[1]);
    fakes[1].child->started(fakes[1].child, LINLI_E_IO);
    T_OK(job.run.pool != NULL);
    job.then = NULL;
    pool_end();
}

/* A run that finds no worker, without the pause and the breaker that starts
 * which fail bring. */
static void
ask_for_start(struct job *job)
{
    pool->breaker = (struct ll_breaker){.open = false};
    pool->restart_after_ns = 0;
    submit(job);
}

/* Told at the fifth in a row, and when one has not failed. */
T_CASE(starts_that_fail_are_told_once)
{
    struct job job = {.then = NULL};
    pool_begin(1);
    fake_ready(&fakes[0]);
    fake_end(&fakes[0], -1, 9); /* no start */
    for (uint32_t i = 1; i <= LL_STARTS_FAILED_MAX + 1; i++) {
        ask_for_start(&job);
        T_INT(fake_count, i + 1);
        fakes[i].child->err = (struct ll_err){.status = LINLI_E_IO};
        fake_close(&fakes[i]);
        fakes[i].child->started(fakes[i].child, LINLI_E_IO);
        turn(1);
        T_INT(starts_fail, i >= LL_STARTS_FAILED_MAX);
    }
    T_INT(starts_again, 0);
    ask_for_start(&job);
    fake_ready(&fakes[LL_STARTS_FAILED_MAX + 2]);
    T_INT(starts_again, 1);
    fake_end(&fakes[LL_STARTS_FAILED_MAX + 2], -1, 9);
    /* It begins anew. */
    ask_for_start(&job);
    fake_close(&fakes[LL_STARTS_FAILED_MAX + 3]);
    fakes[LL_STARTS_FAILED_MAX + 3].child->started(
        fakes[LL_STARTS_FAILED_MAX + 3].child, LINLI_E_IO);
    turn(1);
    T_INT(starts_fail, 1);
    pool_end();
}

static void
cancel_other(struct job *job)
{
    if (job->other != NULL)
        ll_pool_cancel(&job->other->run);
}

/* Whose wall limit passes in the queue may take another with it. */
T_CASE(a_queue_may_change_while_its_limits_are_looked_at)
{
    struct job first = {.then = cancel_other}, second = {.then = NULL};
    first.other = &second;
    pool_begin(1); /* its worker is still starting */
    submit(&first);
    submit(&second);
    first.run.deadline_ns = second.run.deadline_ns = 0;
    for (int i = 0; i < 20 && first.ends == 0; i++) {
        usleep(2000);
        turn(1);
    }
    T_INT(first.ends, 1);
    T_INT(first.end, LL_RUN_WALL);
    T_INT(outcomes(&second), 0); /* cancelled: no callback */
    pool_end();
}

/* Calls until there is a second worker, and both have served. */
static void
two_that_have_served(void)
{
    static struct job jobs[9]; /* one more than a worker is given alone */
    struct ll_frame frame;
    for (size_t i = 0; i < LL_COUNT(jobs); i++)
        submit(&jobs[i]);
    turn(1);
    T_INT(fake_count, 2);
    while (fake_call(&fakes[0], &frame))
        fake_reply(&fakes[0], frame.call, frame.run);
    fake_ready(&fakes[1]);
    submit(&jobs[0]);
    turn(1);
    T_OK(fake_call(&fakes[1], &frame));
    fake_reply(&fakes[1], frame.call, frame.run);
    turn(2);
    T_INT(jobs[0].replies, 1);
}

/* A call that must run alone waits for a fresh worker; the others go on. */
T_CASE(a_run_that_must_be_alone_holds_nobody_up)
{
    struct job lonely = {.then = NULL}, other = {.then = NULL};
    struct ll_frame frame;
    pool_begin(2);
    fake_ready(&fakes[0]);
    two_that_have_served();
    submit(&lonely);
    turn(1);
    T_OK(fake_call(&fakes[1], &frame));
    lonely.run.number = LL_RUNS_MAX - 1; /* as after an earlier kill */
    fake_end(&fakes[1], -1, 11);
    T_INT(outcomes(&lonely), 0);
    T_OK(lonely.run.alone);
    T_INT(lonely.agains, 1);
    T_INT(fake_count, 3);
    submit(&other);
    turn(1);
    T_OK(fake_call(&fakes[0], &frame));
    fake_reply(&fakes[0], frame.call, frame.run);
    turn(2);
    T_INT(other.replies, 1);
    fake_ready(&fakes[2]);
    submit(&other);
    turn(1);
    T_OK(fake_call(&fakes[2], &frame));
    T_INT(frame.run, LL_RUNS_MAX);
    T_OK(!fake_hear(&fakes[2], &frame)); /* alone */
    T_OK(fake_call(&fakes[0], &frame));
    pool_end();
}

T_CASE(a_refused_run_that_is_cancelled_is_not_told)
{
    struct job job = {.then = NULL}, gone = {.then = NULL};
    pool_begin(1);
    fake_ready(&fakes[0]);
    pool->breaker.open = true;
    pool->breaker.probe_after_ms = INT64_MAX;
    submit(&job);
    submit(&gone);
    ll_pool_cancel(&gone.run);
    turn(1);
    T_INT(job.ends, 1);
    T_INT(job.end, LL_RUN_BREAKER);
    T_INT(outcomes(&gone), 0);
    pool_end();
}

/* The probe that found no room leaves room for the next probe. */
T_CASE(a_probe_without_room_is_no_verdict)
{
    static char large[LL_FRAME_BYTES_MAX];
    struct job first = {.then = NULL}, probe = {.then = NULL};
    pool_begin(1);
    fake_ready(&fakes[0]);
    pool->procs->out.max_bytes = sizeof large; /* with its header too much */
    pool->breaker.open = true;
    submit(&first);
    T_OK(first.run.probe);
    ll_pool_cancel(&first.run);
    pool->breaker.probe_after_ms = 0;
    probe.run = (struct ll_run){.ops = &ops,
        .payload = {large, sizeof large},
        .deadline_ns = INT64_MAX};
    ll_pool_submit(pool, &probe.run);
    turn(1);
    T_INT(probe.ends, 1);
    T_INT(probe.end, LL_RUN_BUSY);
    T_OK(!pool->breaker.probing);
    pool_end();
}

T_MAIN(T_RUN(a_call_comes_back) T_RUN(lines_from_outside_every_run_are_heard)
        T_RUN(the_last_words_of_a_worker_are_heard) T_RUN(
            the_log_of_a_failure_is_bounded)
            T_RUN(only_the_probe_closes_the_breaker) T_RUN(
                submit_never_ends_a_run_itself)
                T_RUN(a_run_tried_again_at_once_waits_for_the_next_turn) T_RUN(
                    a_failed_start_ends_each_run_once)
                    T_RUN(starts_that_fail_are_told_once) T_RUN(
                        a_queue_may_change_while_its_limits_are_looked_at)
                        T_RUN(a_run_that_must_be_alone_holds_nobody_up)
                            T_RUN(a_refused_run_that_is_cancelled_is_not_told)
                                T_RUN(a_probe_without_room_is_no_verdict))
