/* linli/host.h: Linli inside your own process.
 *
 * A host runs plugins in sandboxed worker processes and answers calls, with
 * or without HTTP. `linlid` is a program over this header and nothing else.
 *
 * Threads: a host belongs to the thread that made it; every function is
 * called there, except linli_host_wake. Nothing is process-global: no signal
 * handler, no default loop, no allocator hook; several hosts can live in one
 * process. Strings given are borrowed until return unless said otherwise.
 *
 * Link with liblinli; compiles as C11, C17 and C++11.
 */
#ifndef LINLI_HOST_H
#define LINLI_HOST_H

#include <linli/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LINLI_API __attribute__((visibility("default")))

typedef struct linli_host linli_host;

/* A failure, for programs and for people. Set `size` before the call. */
typedef struct linli_error {
    uint32_t size; /* sizeof(linli_error) */
    linli_status status;
    char code[48];     /* stable: "listen/failed"; see spec/problems.md */
    char where[192];   /* "linli.conf.json: /worker"; may be empty */
    char message[256]; /* what was found and what was wanted */
    char fix[256];     /* of this failure alone; may be empty */
} linli_error;

/* Writes the failure as a person reads it on a terminal: code, the sentence
 * in Chinese and English, where, what, and the fix. Returns the bytes
 * written, at most size - 1; NUL-terminated. */
LINLI_API size_t linli_error_text(
    const linli_error *error, char *out, size_t size);

/* Version of the library: "0.1.0". */
LINLI_API const char *linli_version(void);

typedef struct linli_host_options {
    uint32_t size;         /* sizeof(linli_host_options) */
    uint32_t development;  /* 1: unsigned plugins, a development key */
    linli_str data_dir;    /* made if absent, locked while the host lives;
                              empty: nothing is kept, logs go to `log` */
    linli_str config_json; /* linli.conf.json's content; may be empty */
    linli_str config_name; /* its name in messages */
    linli_str worker_path; /* linli-worker; empty: the installed one */
    /* Gets each log line (JSON, no newline); NULL: DATA_DIR/linlid.log. */
    void (*log)(void *user, linli_str line);
    void *user;
    uint32_t virtual_clock; /* 1: the wall clock stands still until it is set
                               or advanced; development only */
    uint32_t reserved;      /* 0 */
    linli_str record_dir;   /* made if absent: a trace of each call that a
                               plugin ran for (linli replay); empty: none;
                               development only */
} linli_host_options;

/* Makes a host: reads the configuration, probes the machine, starts the
 * spawner thread. LINLI_E_DENIED with code "sandbox/too-weak": the machine
 * cannot confine plugins; "config/development-only": virtual_clock or
 * record_dir without development. On failure *out is NULL. */
LINLI_API linli_status linli_host_new(
    const linli_host_options *options, linli_host **out, linli_error *error);

/* Stops at once what still runs, waits for every worker to be gone, frees.
 * Open calls are answered 503 first. NULL inside is fine. */
LINLI_API void linli_host_free(linli_host **host);

/* The sandbox that this machine allows, as one line for people. Borrowed. */
LINLI_API const char *linli_host_sandbox(const linli_host *host);

/* The development-only settings in force, "" if none. Borrowed. */
LINLI_API const char *linli_host_unsafe(const linli_host *host);

/* The bearer token of the paths that belong to no community (/v1/host/...,
 * /v1/dev/...): 43 characters, made at random with each host. A secret: who
 * has it may copy the database. Borrowed. */
LINLI_API const char *linli_host_admin_token(const linli_host *host);

/* Serves HTTP on "ADDRESS:PORT"; port 0 lets the system choose. Once. */
LINLI_API linli_status linli_host_listen(
    linli_host *host, linli_str address, linli_error *error);
/* "http://127.0.0.1:40001" once listening, else "". Borrowed. */
LINLI_API const char *linli_host_url(const linli_host *host);

/* -- the loop -- */

/* Runs until linli_host_stop has drained the host. */
LINLI_API void linli_host_run(linli_host *host);
/* One turn of the loop; waits for the first event if `wait` is not 0. To
 * live in another loop: poll linli_host_fd for reading, at most
 * linli_host_timeout_ms (-1: no limit), then turn without waiting. */
LINLI_API void linli_host_turn(linli_host *host, uint32_t wait);
LINLI_API int32_t linli_host_fd(const linli_host *host);
LINLI_API int32_t linli_host_timeout_ms(const linli_host *host);
/* Takes no new calls, lets open ones end within their limits, drains the
 * workers; then linli_host_run returns. */
LINLI_API void linli_host_stop(linli_host *host);
/* Makes linli_host_run call linli_host_stop soon. Any thread, and safe in a
 * signal handler. */
LINLI_API void linli_host_wake(linli_host *host);
/* What ended the host: LINLI_OK if nothing but linli_host_stop did. A failure
 * (the storage cannot be written any more) stops it as linli_host_stop does;
 * `error` is filled then. Ask after linli_host_run. */
LINLI_API linli_status linli_host_failure(
    const linli_host *host, linli_error *error);

/* -- communities and plugins -- */

/* Adds a community; `zone` is an IANA name ("Asia/Shanghai"). Fails with
 * LINLI_E_CONFLICT if the id is taken. */
LINLI_API linli_status linli_host_add_community(
    linli_host *host, linli_str id, linli_str zone, linli_error *error);

typedef struct linli_plugin_options {
    uint32_t size; /* sizeof(linli_plugin_options) */
    linli_str dir; /* the folder with plugin.json */
    linli_str community;
    linli_str config_json; /* the operator's configuration; may be empty */
} linli_plugin_options;

/* Loads a plugin into a community, over an earlier version or configuration
 * of it if there is one; that one serves until this one is ready. With a data
 * directory it is remembered (linli_host_enable_configured). `done` is called
 * once, on the loop, unless an error is returned. `error` is borrowed, NULL
 * with LINLI_OK. */
typedef void (*linli_done)(
    void *user, linli_status status, const linli_error *error);
LINLI_API linli_status linli_host_enable(linli_host *host,
    const linli_plugin_options *options, linli_done done, void *user,
    linli_error *error);
/* Calls are refused with 423 from now on; open ones end. */
LINLI_API linli_status linli_host_disable(linli_host *host, linli_str community,
    linli_str plugin, linli_error *error);

/* Enables what the configuration lists under `plugins`, and what was enabled
 * in this data directory before; of the latter one that cannot be loaded any
 * more is a line of the log and no failure. `done` is called once, on the
 * loop, when all of it is ready or with the first failure. */
LINLI_API linli_status linli_host_enable_configured(
    linli_host *host, linli_done done, void *user, linli_error *error);

/* Makes the community "demo" and enables in it every plugin folder below
 * `plugins_dir`, with the configuration of its demo.json where there is one.
 * Development mode only. `done` as above. */
LINLI_API linli_status linli_host_demo(linli_host *host, linli_str plugins_dir,
    linli_done done, void *user, linli_error *error);
/* After that: what to call, as lines for a shell, in English and Chinese.
 * Returns the bytes written, at most size - 1, NUL-terminated. */
LINLI_API size_t linli_host_demo_text(linli_host *host, char *out, size_t size);

/* -- calls without HTTP -- */

typedef struct linli_request {
    uint32_t size;    /* sizeof(linli_request) */
    linli_str method; /* "POST" */
    linli_str path;   /* "/v1/c/demo/parking/tariffs/p1/simulate" */
    linli_str query;  /* without '?' */
    linli_str token;  /* bearer token, without "Bearer " */
    linli_str idempotency_key;
    linli_str accept_language;
    linli_str traceparent;
    linli_str body; /* JSON; ptr NULL: none */
} linli_request;

typedef struct linli_response {
    uint32_t size;   /* sizeof(linli_response) */
    uint32_t status; /* as in HTTP */
    linli_str content_type;
    linli_str body;
} linli_response;

/* Makes a call through the whole pipeline. The request is copied. `answer`
 * is called exactly once, on the loop, never before this returns, unless an
 * error is returned (LINLI_E_CLOSED: the host stops); the response is
 * borrowed until it returns. */
LINLI_API linli_status linli_host_call(linli_host *host,
    const linli_request *request,
    void (*answer)(void *user, const linli_response *response), void *user,
    linli_error *error);

/* Signs a bearer token with the development key: `kind` is "resident",
 * "staff", "operator" or "app". Writes at most size - 1 bytes and a NUL.
 * LINLI_E_DENIED outside development mode. */
typedef struct linli_token_options {
    uint32_t size; /* sizeof(linli_token_options) */
    uint32_t ttl_s;
    linli_str kind, id, community;
} linli_token_options;
LINLI_API linli_status linli_host_token(linli_host *host,
    const linli_token_options *options, char *out, size_t size,
    linli_error *error);

#ifdef __cplusplus
}
#endif
#endif
