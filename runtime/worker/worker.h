/* worker/worker.h: the sandboxed process, as its parts see it. [worker]
 *
 * One process serves one (plugin version, community). It has one thread,
 * three descriptors left after entry (3 control, 6 and 7 eventfds) and two
 * mapped rings. The loop (loop.c) reads frames and gives them to the engine;
 * an engine answers with the functions below. Nothing here trusts the
 * plugin, and the host trusts nothing that comes from here.
 */
#ifndef LL_WORKER_WORKER_H
#define LL_WORKER_WORKER_H

#include "base/json.h"
#include "base/limits.h"
#include "base/schema.h"
#include "wire/frame.h"
#include "wire/ring.h"
#include "wire/value.h"
#include "worker/call_in.h"

/* Inherited descriptors, fixed (spec/wire.md). */
enum {
    LL_FD_CONTROL = 3,   /* socketpair to the host */
    LL_FD_HOST_AREA = 4, /* memfd, read-only here; closed at entry */
    LL_FD_OWN_AREA = 5,  /* memfd, ours to write; closed at entry */
    LL_FD_WAKE_ME = 6,   /* eventfd the host writes */
    LL_FD_WAKE_HOST = 7, /* eventfd we write */
    LL_FD_PACKAGE = 8,   /* memfd: value map of path to bytes; closed */
};

/* The community's zone: from `from_ms` (since 1970) on, local time is UTC
 * plus `offset_s`. Ordered; the first entry reaches back for ever. */
struct ll_zone_change {
    int64_t from_ms;
    int64_t offset_s;
};

/* What HELLO told us; strings live as long as the process. */
struct ll_worker_config {
    linli_str plugin_id, version, community;
    linli_str config_json; /* the operator's configuration, "{}" if none */
    linli_str zone;        /* IANA name, "Asia/Shanghai" */
    const struct ll_zone_change *zone_changes;
    uint32_t zone_change_count;
    int64_t memory_bytes; /* cap of the engine's heap */
    int64_t burst_ms;
    bool filter_errno; /* worker.seccomp_default: errno (development) */
    bool import_check; /* worker.import_check; off in development only */
    bool drafts;       /* draft interfaces may be asked for */
    bool private_root; /* we were given a mount namespace */
    bool native;       /* the package holds shared objects: stage 1 */
};

/* A file of the package, in memory for good. */
struct ll_worker_file {
    linli_str path; /* "main.lua", "lib/x.so" */
    linli_str bytes;
};

/* A route as the worker needs it; the same order as in the manifest. */
struct ll_worker_route {
    linli_str method, path;
    linli_str param_names[LL_PATH_PARAMS_MAX];
    uint32_t param_count;
    struct ll_schema *request_schema; /* NULL: any body */
    bool feed;                        /* the host answers it: no handler */
};

struct ll_worker;

/* An engine: Lua or native. `self` is the engine's own. */
struct ll_engine {
    /* Before the last filter: what needs system calls that it forbids.
     * Native: checks the ELF files and maps them, under stage 1. Lua: arms
     * the timer of the soft limit, and maps a typed library, if any. */
    linli_status (*prepare)(struct ll_worker *worker, struct ll_err *err);
    /* Loads the plugin from worker->files, behind the full sandbox. Fails
     * with a code of base/problem.def ("plugin/load", "manifest/abi" ...),
     * `where` naming file and line. */
    linli_status (*load)(struct ll_worker *worker, struct ll_err *err);
    /* Begins a run. It must end, now or after answers, with exactly one of
     * ll_worker_reply and ll_worker_fail. The body has passed the schema:
     * `body` is its tape (not there without a body), valid until return. Of
     * a timer or an event it is the tape of the input. */
    void (*call)(struct ll_worker *worker, const struct ll_call_in *in,
        struct ll_jv body);
    /* The answer to the run's one open host call. `answer` is a checked
     * value; borrowed until return. */
    void (*answer)(struct ll_worker *worker, uint32_t call, uint16_t run,
        linli_status status, linli_str answer);
    /* The host no longer wants the run's answer: forget the run at once and
     * reply nothing. Never called while plugin code runs: an engine that
     * blocks in ll_worker_hostcall_wait hears of it there. */
    void (*cancel)(struct ll_worker *worker, uint32_t call, uint16_t run);
    /* True if no run is open; must hold before `end`. */
    bool (*idle)(const struct ll_worker *worker);
    /* The process ends after this: no run is open and none will come. Called
     * once, by a drain; not when the host kills. May be NULL. */
    void (*end)(struct ll_worker *worker);
};
extern const struct ll_engine ll_lua_engine;
extern const struct ll_engine ll_native_engine;

/* A run the host has begun and that has not ended. */
struct ll_worker_run {
    uint32_t call;
    uint16_t run;
    bool cancelled; /* its end will be told as ENDED, whatever it replies */
};

struct ll_worker {
    struct ll_worker_config config;
    struct ll_mem mem;     /* of the trusted part; the engine has its own */
    struct ll_arena arena; /* lives as long as the process */
    struct ll_worker_file *files;
    uint32_t file_count;
    struct ll_json manifest;
    struct ll_worker_route *routes;
    uint32_t route_count;
    const struct ll_engine *engine;
    void *engine_state;
    struct ll_entry *entry; /* the sandbox's own (enter.h) */
    struct ll_ffi *ffi;     /* typed library of a Lua plugin (ffi.h), or NULL */
    struct ll_ring ring;
    struct ll_frame_reader reader;
    struct ll_buf call_bytes; /* payload of the CALL in hand */
    struct ll_json body;      /* tape of the call's body or input */
    struct ll_buf out;        /* frames waiting for ring space */
    size_t out_taken;         /* bytes of `out` already in the ring */
    struct ll_worker_run runs[LL_WORKER_CALLS_MAX]; /* open ones first */
    uint32_t run_count;
    bool draining;
};

/* A file of the package, or NULL. */
const struct ll_worker_file *ll_worker_file(
    const struct ll_worker *worker, linli_str path);

/* Ends a run with an HTTP status, a JSON body (empty: none) and an entity
 * tag that ll_etag_valid takes (empty: none). A timer or an event is answered
 * with 204. */
struct ll_worker_answer {
    int status;
    linli_str body_json, etag;
};
void ll_worker_reply(struct ll_worker *worker, uint32_t call, uint16_t run,
    const struct ll_worker_answer *answer, int64_t run_ns);

/* Ends a run with a problem code: one the manifest declares, or one of the
 * runtime's ("plugin/error", "sandbox/memory", "sandbox/timeout",
 * "request/invalid" ...). `detail` goes to the caller with a declared code
 * and to the log alone with the others; `log` goes to the log; `errors` is
 * a JSON array for problem+json's member of that name, or empty. */
struct ll_worker_problem {
    linli_str code, detail, log, errors_json;
};
void ll_worker_fail(struct ll_worker *worker, uint32_t call, uint16_t run,
    const struct ll_worker_problem *problem, int64_t run_ns);

enum ll_log_level { LL_LOG_DEBUG, LL_LOG_INFO, LL_LOG_WARN, LL_LOG_ERROR };
/* One line of the run's log; longer than LL_LOG_LINE_BYTES_MAX is cut. */
void ll_worker_log(struct ll_worker *worker, uint32_t call, uint16_t run,
    enum ll_log_level level, linli_str line);

/* Host calls, from the one table runtime/wire/hostcall.def. `args` is one
 * encoded value (wire/value.h), a list. The run then waits: the engine's
 * `answer` is called from the loop, */
void ll_worker_hostcall(struct ll_worker *worker, uint32_t call, uint16_t run,
    uint32_t op, linli_str args);
/* or, for an engine that blocks, this sleeps until the run's answer is here
 * and copies it into `answer`. LINLI_E_CANCELLED: the host gave up. */
linli_status ll_worker_hostcall_wait(struct ll_worker *worker, uint32_t call,
    uint16_t run, uint32_t op, linli_str args, struct ll_buf *answer,
    linli_status *status);

/* Names the call whose code runs now, for the host's burst limit; 0: none.
 * Set it around every entry into plugin code. */
void ll_worker_running(struct ll_worker *worker, uint32_t call);

/* Before long work of an engine's own: sends what waits and begins a burst,
 * so that no run that has ended is lost, and run again, for that work. */
void ll_worker_breathe(struct ll_worker *worker);

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t ll_worker_clock_ns(void);

/* True if the manifest declares this problem code. */
bool ll_worker_declares(const struct ll_worker *worker, linli_str code);

/* -- hello.c: the handshake -- */

/* Reads HELLO from the control socket, maps the rings, copies the package. */
linli_status ll_worker_hello(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;
/* Behind the sandbox, since the vendor wrote it: reads plugin.json; then
 * checks the configuration and compiles the schemas, patterns included. */
linli_status ll_worker_manifest(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;
linli_status ll_worker_schemas(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;
/* Sends one frame over the control socket; false if the host is gone. */
bool ll_worker_tell(enum ll_frame_type type, linli_str payload);

/* -- loop.c -- */

/* Serves frames until the host closes or drains; the exit status. */
int ll_worker_serve(struct ll_worker *worker);

/* -- enter.c: the sandbox, see the file -- */

/* Steps before anything of the plugin is looked at: descriptors, session,
 * parent-death signal, limits, private root, Landlock. Then, for native
 * plugins, `ll_worker_stage1` before the objects are mapped; last,
 * `ll_worker_stage2` for everybody. Each fails closed: the caller exits. */
struct ll_sandbox_level {
    bool seccomp, no_new_privs, landlock, private_root, namespaces, own_uid;
    int landlock_abi;
};
linli_status ll_worker_enter(struct ll_worker *worker,
    struct ll_sandbox_level *level, struct ll_err *err) LL_USE_RESULT;
linli_status ll_worker_stage1(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;
linli_status ll_worker_stage2(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;

/* Where a native plugin's shared object can be dlopened from, once
 * ll_worker_enter has placed it: absolute path, or NULL. */
const char *ll_worker_object_path(
    const struct ll_worker *worker, linli_str path);

/* The whole life of a worker process; returns its exit status. */
int ll_worker_main(void);

#endif
