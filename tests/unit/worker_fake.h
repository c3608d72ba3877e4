/* tests/unit/worker_fake.h: a worker without a process around it.
 *
 * Stands in for loop.c and enter.c: package files come from the build
 * folder, and what an engine says to the host is kept for the test to look
 * at. Included by one test program; defines what it declares.
 */
#ifndef WORKER_FAKE_H
#define WORKER_FAKE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "t.h"
#include "worker/native.h"

#define FAKE_FIXTURES "abi/fixtures/"

/* What the engine said last. */
static struct {
    int replies, failures, logs, host_calls;
    int status; /* of the reply */
    uint32_t call;
    char body[4096], etag[LL_ETAG_BYTES_MAX + 1], code[128], detail[256],
        log[512], line[256];
    int level;
    uint32_t running;
    linli_status answer_status; /* what host calls are answered with */
    bool cancel;                /* the next host call is cancelled */
    uint32_t op;                /* of the last host call */
    char args[4096];            /* the same, as JSON */
    const char *answer_json;    /* what it is answered with; NULL: nil */
} fake;

static void
fake_keep(char *to, size_t size, linli_str s)
{
    size_t n = s.len < size - 1 ? s.len : size - 1;
    if (n > 0)
        memcpy(to, s.ptr, n);
    to[n] = '\0';
}
#define FAKE_KEEP(to, s) fake_keep(to, sizeof(to), s)

/* The bytes of the package's files; freed by fake_done. */
static char *fake_files[16];

static linli_str
fake_read(uint32_t slot, const char *path)
{
    FILE *f = fopen(path, "rb");
    T_OK(f != NULL);
    if (f == NULL)
        return (linli_str){NULL, 0};
    (void)fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    rewind(f);
    fake_files[slot] = malloc(size + 1);
    size_t n = fread(fake_files[slot], 1, size, f);
    (void)fclose(f);
    return (linli_str){fake_files[slot], n};
}

/* A worker with this manifest and these files of the build folder, their
 * paths in the package "lib/NAME". NULL ends the names. */
static struct ll_worker *
fake_worker(const char *manifest, const char *const *names)
{
    static struct ll_worker worker;
    static struct ll_worker_file files[16];
    static char paths[16][64];
    memset(&fake, 0, sizeof(fake));
    memset(&worker, 0, sizeof(worker));
    ll_mem_init(&worker.mem, (size_t)64 << 20);
    ll_arena_init(&worker.arena, &worker.mem, (size_t)4 << 20);
    ll_json_init(&worker.manifest, &worker.mem);
    worker.config.import_check = true;
    worker.config.native = true;
    worker.config.config_json = LINLI_STR("{}");
    worker.files = files;
    for (; *names != NULL && worker.file_count < 16; names++) {
        char from[128];
        struct ll_worker_file *file = &files[worker.file_count];
        (void)snprintf(from, sizeof(from), FAKE_FIXTURES "%s", *names);
        (void)snprintf(
            paths[worker.file_count], sizeof(paths[0]), "lib/%s", *names);
        file->path = ll_cstr(paths[worker.file_count]);
        file->bytes = fake_read(worker.file_count++, from);
        T_OK(file->bytes.len > 0);
    }
    struct ll_err err;
    T_INT(
        ll_json_parse(&worker.manifest, ll_cstr(manifest), 64, &err), LINLI_OK);
    return &worker;
}

static void
fake_done(struct ll_worker *worker)
{
    ll_json_fini(&worker->manifest);
    ll_arena_fini(&worker->arena);
    T_INT(worker->mem.used_bytes, 0);
    for (uint32_t i = 0; i < worker->file_count; i++)
        free(fake_files[i]);
}

/* Where objects are mapped from: the build folder itself. */
static const char *
fake_locate(const struct ll_worker *worker, linli_str path)
{
    static char place[160];
    LL_UNUSED(worker);
    T_OK(ll_str_starts(path, "lib/"));
    (void)snprintf(place, sizeof(place), "./" FAKE_FIXTURES "%.*s",
        (int)path.len - 4, path.ptr + 4);
    return place;
}

const char *
ll_worker_object_path(const struct ll_worker *worker, linli_str path)
{
    return fake_locate(worker, path);
}

const struct ll_worker_file *
ll_worker_file(const struct ll_worker *worker, linli_str path)
{
    for (uint32_t i = 0; i < worker->file_count; i++) {
        if (ll_str_eq(worker->files[i].path, path))
            return &worker->files[i];
    }
    return NULL;
}

bool
ll_worker_declares(const struct ll_worker *worker, linli_str code)
{
    struct ll_jv problems =
        ll_jv_get(ll_json_root(&worker->manifest), "problems");
    return ll_jv_there(ll_jv_get_str(problems, code));
}

void
ll_worker_reply(struct ll_worker *worker, uint32_t call, uint16_t run,
    const struct ll_worker_answer *answer, int64_t run_ns)
{
    LL_UNUSED(worker);
    T_INT(run, 1);
    T_OK(run_ns >= 0);
    fake.replies++;
    fake.call = call;
    fake.status = answer->status;
    FAKE_KEEP(fake.body, answer->body_json);
    FAKE_KEEP(fake.etag, answer->etag);
}

void
ll_worker_fail(struct ll_worker *worker, uint32_t call, uint16_t run,
    const struct ll_worker_problem *problem, int64_t run_ns)
{
    LL_UNUSED(worker);
    T_INT(run, 1);
    T_OK(run_ns >= 0);
    fake.failures++;
    fake.call = call;
    FAKE_KEEP(fake.code, problem->code);
    FAKE_KEEP(fake.detail, problem->detail);
    FAKE_KEEP(fake.log, problem->log);
}

void
ll_worker_log(struct ll_worker *worker, uint32_t call, uint16_t run,
    enum ll_log_level level, linli_str line)
{
    LL_UNUSED(worker);
    LL_UNUSED(call);
    LL_UNUSED(run);
    fake.logs++;
    fake.level = (int)level;
    FAKE_KEEP(fake.line, line);
}

/* Any other host call than the probe's: what was asked is kept as JSON, what
 * is answered is given as JSON. */
static void
fake_host(uint32_t op, linli_str args, struct ll_buf *answer)
{
    struct ll_mem mem;
    struct ll_buf text;
    struct ll_json json;
    ll_mem_init(&mem, 0);
    ll_buf_init(&text, &mem, sizeof(fake.args));
    ll_json_init(&json, &mem);
    fake.op = op;
    T_INT(ll_native_get_json(&text, args), LINLI_OK);
    FAKE_KEEP(fake.args, ll_buf_view(&text));
    if (fake.answer_json == NULL)
        ll_put_nil(answer);
    else if (ll_json_parse(&json, ll_cstr(fake.answer_json), 16, NULL) ==
                 LINLI_OK &&
             ll_native_put_json(answer, &json) != LINLI_OK)
        answer->failed = true;
    ll_json_fini(&json);
    ll_buf_fini(&text);
}

/* The host of hostcall.def's probe: echo gives its argument back. */
linli_status
ll_worker_hostcall_wait(struct ll_worker *worker, uint32_t call, uint16_t run,
    uint32_t op, linli_str args, struct ll_buf *answer, linli_status *status)
{
    LL_UNUSED(worker);
    LL_UNUSED(call);
    T_INT(run, 1);
    struct ll_rd rd = ll_rd(args);
    *status = fake.answer_status;
    fake.host_calls++;
    if (fake.cancel) {
        *status = LINLI_E_CANCELLED;
        return LINLI_E_CANCELLED;
    }
    if (op > 2) {
        fake_host(op, args, answer);
        return answer->failed ? LINLI_E_NOMEM : LINLI_OK;
    }
    T_INT(ll_rd_list(&rd), 1);
    if (op == 1)
        ll_buf_str(answer, ll_rd_value(&rd));
    else
        T_INT(ll_rd_int(&rd), 5);
    T_OK(ll_rd_end(&rd));
    if (op != 1)
        ll_put_nil(answer);
    return LINLI_OK;
}

void
ll_worker_running(struct ll_worker *worker, uint32_t call)
{
    LL_UNUSED(worker);
    fake.running = call;
}

int64_t
ll_worker_clock_ns(void)
{
    static int64_t now_ns;
    return now_ns += 1000;
}

#endif
