/* worker/native.h: the native engine, as its files see it. [worker]
 *
 * native.c is the engine, native_plugin.c looks at the plugin's descriptor,
 * native_core.c is the tables that the plugin calls, native_value.c turns
 * JSON into the values of the wire and back. The functions of the tables are
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
    uint32_t call;
    uint16_t run;
    int64_t waited_ns; /* asleep in host calls */
    enum ll_native_outcome outcome;
    int http_status;
    struct ll_buf answer;    /* body of a reply, detail of a failure */
    struct ll_buf code;      /* of a failure */
    char note[200];          /* the last thing that was refused, for the log */
    struct ll_arena answers; /* of host calls; until the entry point returns */

    /* Reused by every host call. */
    struct ll_json json;
    struct ll_buf args, value, text;
};

/* Looks at the descriptor and copies it. Nothing of the plugin but
 * linli_plugin_v1 runs. Codes: "manifest/abi", "plugin/load". */
linli_status ll_native_descriptor(
    struct ll_native *native, void *handle, struct ll_err *err) LL_USE_RESULT;

/* Makes `native` the instance that the tables serve. */
void ll_native_bind(struct ll_native *native);

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
