/* linli/plugin.h: what a native plugin includes, and all it includes.
 *
 * A native plugin is a shared object that exports one function,
 * `linli_plugin_v1`, and imports nothing of Linli: whatever it asks of the
 * host it asks through tables of functions that it is given. It runs in a
 * process of its own, without files, network, threads or other processes;
 * spec/abi.md is normative, examples/hello-c is a whole plugin.
 *
 *     static linli_status
 *     call(void *self, const linli_call *c)
 *     {
 *         return core->reply(c->ctx, 200, LINLI_STR("{\"hello\":\"C\"}"));
 *     }
 *
 * Rules that hold for everything below, so that they need not be repeated:
 *
 * - Ownership. A slice or array that comes from the host is borrowed: it is
 *   valid until the entry point it was given to, or in, returns. A slice
 *   that the plugin gives is borrowed by the host until the function it was
 *   given to returns. Each side frees its own memory, nobody frees the
 *   other's. Tables of functions are valid until the process ends.
 * - Threads. There is one thread. The host calls one entry point at a time,
 *   and functions of the host are called from within entry points only.
 *   They block until the host has answered; the call's deadline bounds each.
 * - Context. Each function of the host takes the `ctx` of the entry point
 *   that runs. Zero or a number that was never one is LINLI_E_INVALID, the
 *   context of an entry point that has returned is LINLI_E_CLOSED.
 * - Errors. A status is LINLI_OK or negative. The set is open: take a code
 *   you do not know for a failure. On failure, outputs are zero or empty.
 * - Growth. Structs begin with `size`, the bytes that whoever filled them
 *   knows of. A later level may add members at the end, kinds of calls,
 *   interfaces and codes; it takes nothing away and changes no meaning.
 *   Before reading a member that is newer than level 1, ask LINLI_HAS.
 *   Members named `reserved` are zero.
 * - Text is UTF-8, JSON is RFC 8259 without duplicate members, times are
 *   milliseconds since 1970-01-01T00:00:00Z unless the name says otherwise.
 *
 * Compiles alone as C11, C17 and C++11 or later, on 64-bit machines.
 */
#ifndef LINLI_PLUGIN_H
#define LINLI_PLUGIN_H

#include <linli/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The level of the ABI that this header describes: 1, since 0.1.0. */
#define LINLI_ABI_LEVEL 1

/* Level 1 is a draft. Each change of its layout raises this number, and the
 * host refuses a plugin built against another draft: rebuild it. It becomes
 * 0 for good when the level is frozen. */
#define LINLI_ABI_DRAFT 5

/* In front of linli_plugin_v1 where it is defined. Build everything else
 * with -fvisibility=hidden. */
#ifdef __cplusplus
#define LINLI_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define LINLI_EXPORT __attribute__((visibility("default")))
#endif

/* Initializes a static linli_str from a literal, where LINLI_STR, being an
 * expression, cannot: `static const linli_str ids[] = {LINLI_STR_INIT("x")};`
 */
#define LINLI_STR_INIT(s)     \
    {                         \
        (s), sizeof("" s) - 1 \
    }

/* True if the struct at `ptr`, of type `type`, has the member. */
#define LINLI_HAS(ptr, type, member) \
    ((ptr)->size >= offsetof(type, member) + sizeof((ptr)->member))

/* -- What the host gives ------------------------------------------------ */

/* Levels of a log line. Since level 1. */
#define LINLI_LOG_DEBUG 0u
#define LINLI_LOG_INFO 1u
#define LINLI_LOG_WARN 2u
#define LINLI_LOG_ERROR 3u

/* The core: the only table a plugin is given unasked. Since level 1. */
typedef struct linli_core {
    uint32_t size;  /* bytes of this table */
    uint32_t level; /* highest ABI level the host speaks */

    /* Finds an interface by its versioned id, "linli.probe/0". Returns its
     * table, or NULL: unknown to this host, not granted to this plugin, or a
     * draft while the operator has drafts off. Ids given as required in the
     * descriptor are never NULL. In: any context. Since level 1. */
    const void *(*query)(uint64_t ctx, linli_str interface_id);

    /* Answers the call: an HTTP status of 200..599 and a JSON value, or an
     * empty slice for no body (204 and 304 take none). The answer leaves
     * when the entry point has returned LINLI_OK. It commits what the call
     * wrote, whatever the status; to undo it, use `fail`. Each call must be
     * answered exactly once, by `reply` or by `fail`: none, or two, is the
     * plugin's error, and the caller gets 500. A timer and an event are not
     * answered: nobody waits for them, and LINLI_OK commits.
     * In: the context of a request. Copied. Since level 1.
     * LINLI_E_INVALID: status out of range, or not JSON.
     * LINLI_E_LIMIT: the body is too large, or nested too deep.
     * LINLI_E_CONFLICT: it was answered before, or no request runs.
     * After the first two the call is still unanswered. */
    linli_status (*reply)(uint64_t ctx, int32_t http_status, linli_str json);

    /* Ends the call with a problem, and undoes what it wrote. `code` is one
     * that plugin.json declares under `problems`, with its HTTP status and
     * titles; `detail` is a sentence for the caller, or empty.
     * In: the context of a call; or of `create`, where the code is empty
     * or any and the detail tells the operator why the plugin cannot start.
     * Copied. Since level 1.
     * LINLI_E_INVALID: the code is not declared, or the detail not UTF-8.
     * LINLI_E_LIMIT: a detail over 4096 bytes.
     * LINLI_E_CONFLICT: it was answered before. */
    linli_status (*fail)(uint64_t ctx, linli_str code, linli_str detail);

    /* Writes a line to the plugin's log. Lines over 4096 bytes are cut; more
     * than 64 KiB a second are dropped. Put no resident's data in a log.
     * In: any context. Copied. Since level 1.
     * LINLI_E_INVALID: no such level. */
    linli_status (*log)(uint64_t ctx, uint32_t level, linli_str line);

    /* Counts usage: `quantity` units of a meter that plugin.json declares, if
     * the call commits. "linli.meter/1" says more than this.
     * In: the context of a call. Since level 1.
     * Errors as of every host call, see Interfaces. */
    linli_status (*meter)(uint64_t ctx, linli_str meter, int64_t quantity);

    /* Gives the answer an entity tag, 1 to 64 visible ASCII characters
     * without quotes and backslash; the last one counts. Sent as the header
     * ETag, in quotes.
     * In: the context of a request. Copied. Since level 1.
     * LINLI_E_INVALID: no such tag. LINLI_E_CONFLICT: no request runs. */
    linli_status (*etag)(uint64_t ctx, linli_str tag);
} linli_core;

/* -- What the host asks ------------------------------------------------- */

/* A parameter of the route's path. Stands in arrays, so it never grows. */
typedef struct linli_param {
    linli_str name;  /* "lot" of "/tariffs/:lot/simulate" */
    linli_str value; /* percent-decoded */
} linli_param;

/* The community's zone from a moment on: local time is UTC plus offset_s.
 * Stands in arrays, so it never grows. */
typedef struct linli_zone_change {
    int64_t from_ms;
    int64_t offset_s;
} linli_zone_change;

/* Kinds of calls. A later level adds kinds and no slot: return
 * LINLI_E_UNSUPPORTED for a kind you do not know. Since level 1. */
#define LINLI_CALL_REQUEST 0u /* an HTTP request on a route */
#define LINLI_CALL_TIMER 1u   /* a timer that the plugin set is due */
#define LINLI_CALL_EVENT 2u   /* an event that plugin.json handles */

/* One unit of work. Since level 1. */
typedef struct linli_call {
    uint32_t size; /* bytes of this struct */
    uint32_t kind; /* LINLI_CALL_... */
    uint64_t ctx;  /* names this call to the functions of the host */

    uint32_t route; /* of a request: index into `routes` of plugin.json */
    uint32_t param_count;
    const linli_param *params; /* in the order of the path */
    linli_str method;          /* "GET" ... as the route declares it */
    linli_str path;            /* below the plugin, as sent */
    linli_str query;           /* as sent, without '?' */

    linli_str caller_kind;  /* "resident" "staff" "operator" "app" "device";
                               "system" for timers and events */
    linli_str caller_id;    /* a resident's differs from plugin to plugin */
    linli_str caller_roles; /* JSON array of strings */
    linli_str locale;       /* "zh-CN" or "en" */

    linli_str zone;                        /* IANA name, "Asia/Shanghai" */
    const linli_zone_change *zone_changes; /* by time; first: ever since */
    uint32_t zone_change_count;            /* 0: UTC */
    uint32_t reserved;

    int64_t now_ms; /* when the call was received; does not move */
    uint64_t seed;  /* for random numbers: same call, same seed */

    int64_t wall_ms;      /* time for this call, waiting included */
    int64_t cpu_ms;       /* of which computing */
    int64_t memory_bytes; /* for the whole process */

    linli_str trace_id; /* 32 hex digits */
    linli_str body;     /* JSON that fits the route's schema; empty: none */

    linli_str name;  /* of the timer, type of the event; else empty */
    linli_str input; /* JSON: what the timer was set with; the event,
                        {seq, type, plugin, at, data}, `at` in ms since 1970;
                        else empty */
    int64_t due_ms;  /* of a timer: when it was due; else 0 */
    uint32_t late;   /* 1: a device sent it later than it happened */
    uint32_t reserved2;
    linli_str if_match;    /* header If-Match: one strong tag without its
                              quotes, anything else as sent; empty: none */
    linli_str bound_to;    /* what the calling device belongs to, or empty */
    linli_str device_kind; /* of the calling device, or empty */
    linli_str resident;    /* with `directory` in plugin.json: JSON object
                              {household} of a resident; or empty */
} linli_call;

/* What `create` is told. Since level 1. */
typedef struct linli_create {
    uint32_t size;
    uint32_t reserved;
    uint64_t ctx;           /* valid until create returns */
    const linli_core *core; /* keep it */
    linli_str config;       /* the operator's configuration, JSON object */
    linli_str community;    /* id of the community this process serves */
} linli_create;

/* -- What the plugin gives ---------------------------------------------- */

/* Where saved state goes. Since level 1. */
typedef struct linli_state {
    uint32_t size;
    uint32_t schema; /* the plugin's own number of the bytes' format */
    linli_str bytes; /* by save: the plugin's, valid until destroy */
} linli_state;

/* The descriptor. Constant data: linli_plugin_v1 returns the same pointer
 * each time, has no side effects, and may be called only to inspect the
 * plugin. The host checks it before it calls anything else. Since level 1. */
typedef struct linli_plugin {
    uint32_t size;  /* sizeof(linli_plugin) */
    uint32_t level; /* LINLI_ABI_LEVEL; equal to `abi` of plugin.json */
    uint32_t draft; /* LINLI_ABI_DRAFT */
    uint32_t reserved;
    linli_str id;      /* equal to plugin.json */
    linli_str version; /* equal to plugin.json */

    /* Interface ids: without a required one the plugin is not loaded; an
     * optional one may be NULL when asked for. At most 32 of each. */
    const linli_str *required;
    const linli_str *optional;
    uint32_t required_count;
    uint32_t optional_count;

    /* Makes the instance; *self is the plugin's own pointer, handed back to
     * every other entry point and never looked at. Called once, first. No
     * call runs, so interfaces may be queried but not used. Must be there.
     * On a negative status the plugin is not loaded, and nothing else is
     * called. */
    linli_status (*create)(const linli_create *create, void **self);

    /* Does one unit of work, from begin to end, and answers it by `reply` or
     * `fail`. Must be there. A negative status drops the answer, if there
     * was one, undoes what the call wrote, and gives the caller 500. */
    linli_status (*call)(void *self, const linli_call *call);

    /* No call will come any more. Called once, before destroy. Neither has
     * a context, so neither may call the host. May be NULL. */
    void (*drain)(void *self);

    /* Frees the instance. Called once, last; not called at all when the
     * process is killed. May be NULL. */
    void (*destroy)(void *self);

    /* Hand an instance's state to a newer version of the plugin: `save` in
     * the old one after drain, `restore` in the new one after create. Both
     * may be NULL: most plugins keep their state in the host's documents.
     * The hosts of this draft call neither. */
    linli_status (*save)(void *self, linli_state *state);
    linli_status (*restore)(void *self, const linli_state *state);
} linli_plugin;

/* The one function a plugin exports. */
LINLI_EXPORT const linli_plugin *linli_plugin_v1(void);

/* -- Interfaces --------------------------------------------------------- */

/* Every function below that takes a ctx is a host call: it may be called in
 * the context of a call, and blocks. Names of collections, indexes, timers,
 * events, meters and alerts are those of plugin.json. What a call writes is
 * there when it commits, and not at all if it does not.
 *
 * Besides what each says, it returns
 * LINLI_E_CONFLICT     no call runs
 * LINLI_E_LIMIT        an argument, or an answer, is too large
 * LINLI_E_CANCELLED    the call is over: the host gave it up, or told the
 *                      caller what is not the plugin's to handle (a cursor
 *                      that is none, a full storage); whatever the plugin
 *                      still does is dropped. Return.
 * or another negative status, the reason of which stands in the log: a name
 * that is not declared, a document or query that breaks a rule. */

/* "linli.db/1": the plugin's documents, JSON objects with an `id`. Texts that
 * come out are borrowed until the entry point returns. Since level 1. */
#define LINLI_DB_1 "linli.db/1"
typedef struct linli_db_1 {
    uint32_t size;
    uint32_t reserved;

    /* The document. LINLI_E_NOT_FOUND: there is none. */
    linli_status (*get)(
        uint64_t ctx, linli_str collection, linli_str id, linli_str *document);

    /* Stores a new document; an id is made if it has none. *stored is the
     * document with it. LINLI_E_CONFLICT: the id, or a unique index, has it
     * already; `conflict` says which. */
    linli_status (*insert)(uint64_t ctx, linli_str collection,
        linli_str document, linli_str *stored);

    /* The same; replaces the document of this id, or makes it. */
    linli_status (*put)(uint64_t ctx, linli_str collection, linli_str document,
        linli_str *stored);

    /* Changes members as RFC 7396 says: null takes one out.
     * LINLI_E_NOT_FOUND, LINLI_E_CONFLICT: as above. */
    linli_status (*patch)(uint64_t ctx, linli_str collection, linli_str id,
        linli_str changes, linli_str *stored);

    /* LINLI_E_NOT_FOUND: it was not there. */
    linli_status (*remove)(uint64_t ctx, linli_str collection, linli_str id);

    /* A page, {"items": [...], "next_cursor": "..."}; no next_cursor at the
     * end. The query is a JSON object; all may be left out, and an empty
     * slice is {}: "index"; "eq", values of its first fields; "from" and
     * "to", lists of bounds for the fields after those, inclusive and
     * exclusive; "descending"; "limit", 1 to 100, else 50; "cursor". */
    linli_status (*list)(
        uint64_t ctx, linli_str collection, linli_str query, linli_str *page);

    /* How many there are, at most 10 000. The same query. */
    linli_status (*count)(
        uint64_t ctx, linli_str collection, linli_str query, int64_t *count);

    /* The documents, a JSON array of at most 1000, whose interval meets the
     * one of the query: {"index": ..., "eq": [...], "from": ms, "to": ms}. */
    linli_status (*overlaps)(uint64_t ctx, linli_str collection,
        linli_str query, linli_str *documents);

    /* The index at which the last write that this call was refused with
     * LINLI_E_CONFLICT met another document; empty: the id. No host call. */
    linli_status (*conflict)(uint64_t ctx, linli_str *index);
} linli_db_1;

/* A timer that runs once. Since level 1. */
typedef struct linli_timer {
    uint32_t size;
    uint32_t reserved;
    int64_t at_ms;     /* since 1970 */
    linli_str run;     /* a timer of plugin.json: `name` of its call */
    linli_str with;    /* JSON: `input` of its call; empty: {} */
    linli_str key;     /* replaces the timer of the same key; empty: none */
    linli_str subject; /* the resident it is about, or empty */
} linli_timer;

/* "linli.timer/1". Since level 1. */
#define LINLI_TIMER_1 "linli.timer/1"
typedef struct linli_timer_1 {
    uint32_t size;
    uint32_t reserved;
    /* *key, by which it can be cancelled, is borrowed until the entry point
     * returns; `key` may be NULL. */
    linli_status (*set)(uint64_t ctx, const linli_timer *timer, linli_str *key);
    /* LINLI_E_NOT_FOUND: there is no such timer. */
    linli_status (*cancel)(uint64_t ctx, linli_str key);
} linli_timer_1;

/* "linli.event/1": publishes an event; data is JSON, `subject` the resident
 * it is about, or empty. Since level 1. */
#define LINLI_EVENT_1 "linli.event/1"
typedef struct linli_event_1 {
    uint32_t size;
    uint32_t reserved;
    linli_status (*emit)(
        uint64_t ctx, linli_str type, linli_str data, linli_str subject);
} linli_event_1;

/* One count of a meter. Since level 1. */
typedef struct linli_usage {
    uint32_t size;
    uint32_t reserved;
    linli_str meter;
    int64_t quantity;   /* units */
    linli_str event_id; /* counted once for each; empty: none */
    int64_t at_ms;      /* when it was used; 0: now */
    linli_str reverses; /* event_id of the one that this takes back */
} linli_usage;

/* "linli.meter/1". Since level 1. */
#define LINLI_METER_1 "linli.meter/1"
typedef struct linli_meter_1 {
    uint32_t size;
    uint32_t reserved;
    /* *duplicate is 1 if this event_id was counted before, and nothing is
     * counted now; `duplicate` may be NULL. */
    linli_status (*add)(
        uint64_t ctx, const linli_usage *usage, uint32_t *duplicate);
} linli_meter_1;

/* "linli.code/1": compares a code that somebody gave. `name` says what is
 * tried; the tries are counted whatever becomes of the call. Since level 1. */
#define LINLI_CODE_1 "linli.code/1"
#define LINLI_CODE_OK 0u
#define LINLI_CODE_WRONG 1u
#define LINLI_CODE_LOCKED 2u /* too many tries: not compared */
typedef struct linli_code_1 {
    uint32_t size;
    uint32_t reserved;
    linli_status (*try_code)(uint64_t ctx, linli_str name, linli_str given,
        linli_str expected, uint32_t *verdict);
} linli_code_1;

/* "linli.alert/1": tells the operator; as an event. Since level 1. */
#define LINLI_ALERT_1 "linli.alert/1"
typedef struct linli_alert_1 {
    uint32_t size;
    uint32_t reserved;
    linli_status (*raise)(
        uint64_t ctx, linli_str kind, linli_str data, linli_str subject);
} linli_alert_1;

/* "linli.probe/0", a draft: tries out what a host call is. For tests and
 * benches; it needs drafts to be switched on. */
#define LINLI_PROBE_0 "linli.probe/0"
typedef struct linli_probe_0 {
    uint32_t size;
    uint32_t reserved;

    /* The JSON value comes back, its members in order and without white
     * space. *out is borrowed until the entry point returns.
     * LINLI_E_INVALID: not JSON. LINLI_E_LIMIT: too large or too deep.
     * LINLI_E_CONFLICT: no call runs. LINLI_E_CANCELLED: the host gave up
     * on this call; return. */
    linli_status (*echo)(uint64_t ctx, linli_str json, linli_str *out);

    /* Answers after `ms` milliseconds, 0..10000.
     * LINLI_E_INVALID: out of range. LINLI_E_CONFLICT, LINLI_E_CANCELLED: as
     * above. */
    linli_status (*wait)(uint64_t ctx, int64_t ms);
} linli_probe_0;

#ifdef __cplusplus
}
#endif
#endif
