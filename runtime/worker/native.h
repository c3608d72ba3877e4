/* worker/native.h: the native engine, as its files see it. [worker]
 *
 * native.c is the engine, native_plugin.c looks at the plugin's descriptor,
 * native_core.c, native_db.c and native_effects.c are the tables that the
 * plugin calls, native_host.c is what those share, native_value.c turns JSON
 * into the values of the wire and back. The functions of the tables are
 * given a number and no pointer, so the one instance of the process is found
 * through ll_native_bind.
 */
#ifndef LL_WORKER_NATIVE_H
#define LL_WORKER_NATIVE_H

#include <linli/plugin.h>

#include "worker/objects.h"

/* What the entry point that runs has said so far. */
enum ll_native_outcome {
    LL_NATIVE_SILENT,
    LL_NATIVE_REPLIED,
    LL_NATIVE_FAILED,
    LL_NATIVE_TWICE, /* answered again: no answer can be trusted */
};

struct ll_native {
    struct ll_worker *worker;
    linli_plugin plugin; /* the descriptor's members that this host knows */
    void *self;          /* the plugin's own */
    const linli_zone_change *zone_changes;

    /* The entry point that runs. */
    uint64_t ctx;      /* 0: none runs */
    uint64_t ctx_last; /* given to the latest one */
    bool in_call;      /* it is `call`, so host calls are possible */
    bool in_request;   /* and it is of a request, which is answered */
    uint32_t call;
    uint16_t run;
    int64_t waited_ns; /* asleep in host calls */
    enum ll_native_outcome outcome;
    int http_status;
    struct ll_buf answer;             /* body of a reply, detail of a failure */
    struct ll_buf code;               /* of a failure */
    char etag[LL_ETAG_BYTES_MAX + 1]; /* of a reply, or "" */
    char note[200]; /* the last thing that was refused, for the log */
    /* The problem that a host call ended the call with; code "": none. */
    struct {
        char code[64], detail[256];
    } over;
    linli_str conflict;      /* index of the last refused write */
    struct ll_arena answers; /* of host calls; until the entry point returns */

    /* Reused by every host call. */
    struct ll_json json;
    struct ll_buf args, value, text;
};

/* Looks at the descriptor and copies it. Nothing of the plugin but
 * linli_plugin_v1 runs. Codes: "manifest/abi", "plugin/load". */
linli_status ll_native_descriptor(
    struct ll_native *native, void *handle, struct ll_err *err) LL_USE_RESULT;

/* -- native_host.c: what the tables share -- */

/* Makes `native` the instance that the tables serve, and tells which it is:
 * they have no other way to it. */
void ll_native_bind(struct ll_native *native);
struct ll_native *ll_native_bound(void);

/* Returns `status` and keeps the text for the log. */
linli_status ll_native_refuse(struct ll_native *native, linli_status status,
    const char *fmt, ...) LL_PRINTF(3, 4);

/* LINLI_OK if `ctx` is the entry point that runs; and it is a call. */
linli_status ll_native_check_ctx(
    struct ll_native *native, uint64_t ctx, const char *what);
linli_status ll_native_check_call(
    struct ll_native *native, uint64_t ctx, const char *what);

/* A plugin may give a slice that is none. */
static inline bool
ll_native_bad_slice(linli_str s)
{
    return s.ptr == NULL && s.len > 0;
}

/* Parses JSON of the plugin into native->json. LINLI_E_LIMIT or
 * LINLI_E_INVALID. */
linli_status ll_native_parse(struct ll_native *native, linli_str text,
    unsigned depth_max, const char *what);

/* Begins a host call of `count` arguments: checks the ctx and empties
 * native->args. LINLI_E_CANCELLED: the call is over. */
linli_status ll_native_host_begin(
    struct ll_native *native, uint64_t ctx, uint32_t count, const char *what);
/* Sends native->args, sleeps, and leaves the answer in native->value. */
linli_status ll_native_host_send(
    struct ll_native *native, uint32_t op, const char *what);
/* Copies a text that the plugin is given until its entry point returns. */
linli_status ll_native_keep(
    struct ll_native *native, linli_str text, const char *what, linli_str *out);

/* Numbers of wire/hostcall.def. */
enum ll_native_op {
#define H(number, name, interface, draft, writes, args, answer) \
    LL_NATIVE_##name = number,
#include "wire/hostcall.def"
#undef H
};

/* -- native_core.c, native_db.c, native_effects.c: the tables -- */

extern const linli_db_1 ll_native_db_1;
extern const linli_timer_1 ll_native_timer_1;
extern const linli_event_1 ll_native_event_1;
extern const linli_meter_1 ll_native_meter_1;
extern const linli_code_1 ll_native_code_1;
extern const linli_alert_1 ll_native_alert_1;

/* The meter of the core. */
linli_status ll_native_meter(uint64_t ctx, linli_str meter, int64_t quantity);

/* The table given to create. */
const linli_core *ll_native_core(void);

/* An interface's table; NULL with *draft false: this host has none of that
 * id; NULL with *draft true: it is a draft, and drafts are off. */
const void *ll_native_interface(
    const struct ll_native *native, linli_str id, bool *draft);

/* Begins and ends an entry point of the plugin. */
uint64_t ll_native_begin(struct ll_native *native);
void ll_native_end(struct ll_native *native);

/* Appends a JSON document's root as a value. LINLI_E_LIMIT: too many nodes,
 * or no room. */
linli_status ll_native_put_json(
    struct ll_buf *buf, const struct ll_json *json) LL_USE_RESULT;

/* Appends a checked value as JSON text. LINLI_E_INTERNAL: it has no JSON
 * form (a number that is not finite). */
linli_status ll_native_get_json(
    struct ll_buf *buf, linli_str value) LL_USE_RESULT;

/* The engine's `prepare`, the objects' places told by `locate`. */
linli_status ll_native_prepare_from(struct ll_worker *worker,
    ll_object_locate *locate, struct ll_err *err) LL_USE_RESULT;

#endif
