/* worker/worker.c: the life of a worker process, from exec to exit. [worker]
 *
 * The order is the point: nothing of the plugin is looked at before the
 * process has given up everything it does not need (spec/sandbox.md).
 */
#include "worker/worker.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

/* Of the trusted part: package, manifest, frames. The engine's heap has the
 * plugin's own cap, and RLIMIT_AS stands over both. */
#define TRUSTED_BYTES_MAX ((size_t)256 << 20)
#define ARENA_BYTES_MAX ((size_t)4 << 20)
#define EXIT_REFUSED 71

static int
refuse(struct ll_worker *worker, const struct ll_err *err)
{
    struct ll_buf out;
    ll_buf_init(&out, &worker->mem, LL_FRAME_BYTES_MAX);
    ll_put_list(&out, 5);
    ll_put_int(&out, err->status);
    ll_put_bytes(&out, ll_cstr(err->code));
    ll_put_bytes(&out, ll_cstr(err->where));
    ll_put_bytes(&out, ll_cstr(err->msg));
    ll_put_bytes(&out, ll_cstr(err->fix));
    (void)ll_worker_tell(LL_FRAME_REFUSED, ll_buf_view(&out));
    return EXIT_REFUSED;
}

/* What was achieved, told before any byte of the plugin is looked at. */
static linli_status
tell_level(struct ll_worker *worker, const struct ll_sandbox_level *level,
    struct ll_err *err)
{
    struct ll_buf out;
    ll_buf_init(&out, &worker->mem, LL_FRAME_BYTES_MAX);
    ll_put_list(&out, 8);
    ll_put_int(&out, LL_WIRE_VERSION);
    ll_put_int(&out, 1); /* ABI level */
    ll_put_bool(&out, level->no_new_privs);
    ll_put_int(&out, level->landlock_abi);
    ll_put_bool(&out, level->landlock);
    ll_put_bool(&out, level->private_root);
    ll_put_bool(&out, level->namespaces);
    ll_put_bool(&out, level->own_uid);
    bool told =
        !out.failed && ll_worker_tell(LL_FRAME_HELLO, ll_buf_view(&out));
    ll_buf_fini(&out);
    return told ? LINLI_OK
                : ll_fail(err, LINLI_E_CLOSED, "sandbox/protocol",
                      "the host has gone");
}

static linli_status
start(struct ll_worker *worker, struct ll_err *err)
{
    struct ll_sandbox_level level = {0};
    linli_status status = ll_worker_hello(worker, err);
    if (status == LINLI_OK)
        status = ll_worker_enter(worker, &level, err);
    if (status == LINLI_OK)
        status = tell_level(worker, &level, err);
    if (status == LINLI_OK)
        status = ll_worker_manifest(worker, err);
    if (status == LINLI_OK && worker->config.native)
        status = ll_worker_stage1(worker, err);
    if (status == LINLI_OK)
        status = worker->engine->prepare(worker, err);
    if (status == LINLI_OK)
        status = ll_worker_stage2(worker, err);
    if (status == LINLI_OK)
        status = ll_worker_schemas(worker, err);
    if (status == LINLI_OK)
        status = worker->engine->load(worker, err);
    return status;
}

int
ll_worker_main(void)
{
    /* One per process, and large: not for the stack of 1 MiB. */
    static struct ll_worker worker;
    struct ll_err err = {0};
    ll_mem_init(&worker.mem, TRUSTED_BYTES_MAX);
    ll_arena_init(&worker.arena, &worker.mem, ARENA_BYTES_MAX);
    ll_json_init(&worker.manifest, &worker.mem);
    ll_json_init(&worker.body, &worker.mem);
    ll_buf_init(&worker.out, &worker.mem, 8 * (size_t)LL_FRAME_BYTES_MAX);
    ll_buf_init(&worker.call_bytes, &worker.mem, LL_FRAME_BYTES_MAX);
    ll_frame_reader_init(&worker.reader, &worker.mem);
    if (start(&worker, &err) != LINLI_OK)
        return refuse(&worker, &err);
    if (!ll_worker_tell(LL_FRAME_READY, (linli_str){NULL, 0}))
        return EXIT_REFUSED;
    return ll_worker_serve(&worker);
}
