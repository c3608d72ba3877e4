/* plugin/manifest.h: plugin.json, read and checked. [any]
 *
 * The file is judged by spec/manifest.schema.json (compiled in), then by the
 * rules a schema cannot say: reserved ids, routes that collide, files that
 * must exist, schemas that must compile, promises that contradict each other.
 * What a plugin does not declare here does not exist for it. Every linli_str
 * below points into the manifest's own memory.
 */
#ifndef LL_PLUGIN_MANIFEST_H
#define LL_PLUGIN_MANIFEST_H

#include "base/index.h"
#include "base/json.h"
#include "base/limits.h"
#include "domain/notify.h"
#include "domain/url.h"

struct ll_datum;
struct ll_route_datum;
struct ll_scope;

enum ll_runtime_kind { LL_RUNTIME_LUA, LL_RUNTIME_NATIVE };

/* Who may call a route; bits of ll_route.callers. */
enum ll_caller_kind {
    LL_CALLER_RESIDENT = 0,
    LL_CALLER_STAFF = 1,
    LL_CALLER_OPERATOR = 2,
    LL_CALLER_APP = 3,
    LL_CALLER_DEVICE = 4,
    LL_CALLER_COUNT
};
/* "resident", "staff" ...; NULL past the end. */
const char *ll_caller_name(unsigned kind);

struct ll_call_limits {
    int64_t wall_ms;
    int64_t burst_ms;
    int64_t cpu_ms;
    int64_t memory_bytes;
    int64_t body_bytes; /* of a request */
};

/* A path segment: literal text, or a parameter's name. */
struct ll_segment {
    linli_str text;
    bool is_param;
};

struct ll_route {
    linli_str method; /* "GET" ... "DELETE" */
    linli_str path;   /* as declared: "/tariffs/:lot/simulate" */
    struct ll_segment segments[LL_PATH_PARAMS_MAX * 2];
    uint32_t segment_count;
    uint32_t callers;             /* bit per ll_caller_kind */
    bool safe;                    /* changes nothing: no Idempotency-Key;
                                     every GET is */
    struct ll_jv request_schema;  /* not there: any body */
    struct ll_jv response_schema; /* documentation only */
    struct ll_jv declared;        /* the route's object in the tape */
    struct ll_call_limits limits;
    bool relaxed; /* the answer does not wait for the commit */
    bool billed;  /* each call is one of the meter of calls */
    bool safety;  /* passes caps, rate limits, unpaid bills */
    /* What a device gets when the plugin does not answer in time. */
    struct ll_jv fallback;   /* {status, body}; not there: none */
    int fallback_status;     /* 200..299; 0: none */
    linli_str fallback_body; /* compact JSON; empty: no body */
    int bound_param;         /* of match.params: what the calling device must be
                                bound to; -1: none */
    bool feed;               /* answered by the host, there is no handler */
    linli_str feed_event;
    struct {
        linli_str member; /* of the event's data, */
        uint32_t param;   /* equal to match.params[param] */
    } feed_where[LL_FEED_WHERE_MAX];
    uint32_t feed_where_count;
    struct ll_route_datum *data; /* manifest_consent.h: what travels */
    uint32_t datum_count;
};

struct ll_plugin_problem {
    linli_str code; /* "parking/slot-taken" */
    int http_status;
    linli_str title_en, title_zh;
};

struct ll_index_decl {
    linli_str name;
    linli_str text; /* its declaration as compact JSON, the same bytes for the
                       same index: what the store keeps and compares */
    struct ll_index_spec spec;
};

struct ll_collection_decl {
    linli_str name;
    struct ll_jv declared;
    struct ll_index_decl *indexes;
    uint32_t index_count;
    linli_str subject;        /* the member with a pid; empty: none */
    int64_t retention_ms;     /* 0: kept */
    linli_str retention_from; /* the member it runs from; empty: last write */
    int64_t doc_bytes;
    linli_str statutory_law; /* what asks for it to be kept, or empty, */
    int64_t statutory_ms;    /* and for how long after an erasure */
};

/* X(name, word): what a meter comes to in a period. */
#define LL_AGGREGATES(X)                                   \
    X(SUM, "sum")                                          \
    X(MAX, "max")       /* the greatest that was said */   \
    X(UNIQUE, "unique") /* how many different event ids */ \
    X(LAST, "last")     /* what was said last */
enum ll_aggregate {
#define X(name, word) LL_AGGREGATE_##name,
    LL_AGGREGATES(X)
#undef X
};

struct ll_meter_decl {
    linli_str name;               /* "parking.session_closed" */
    linli_str title_zh, title_en; /* what residents read; empty: nothing */
    bool sum;                     /* kind "sum"; else "count" */
    enum ll_aggregate aggregate;
    linli_str unit;
    int64_t max_per_call; /* units, 1..LL_METER_CALL_MAX */
};

struct ll_notification_decl {
    linli_str name;                     /* "pass_expires" */
    enum ll_way channels[LL_WAY_COUNT]; /* in order of preference */
    uint32_t channel_count;
    struct ll_template zh, en; /* with the same places */
};

struct ll_manifest {
    struct ll_arena arena; /* owns everything below */
    struct ll_json json;
    linli_str text; /* the file's bytes */
    linli_str id, version, main;
    linli_str name_en, name_zh; /* the id where not given */
    int64_t abi;
    enum ll_runtime_kind runtime;
    struct ll_route *routes;
    uint32_t route_count;
    struct ll_plugin_problem *problems;
    uint32_t problem_count;
    struct ll_jv config_schema; /* not there: no configuration */
    struct ll_jv native;        /* typed library, or not there */
    struct ll_call_limits limits;
    struct ll_collection_decl *collections;
    uint32_t collection_count;
    struct ll_meter_decl *meters;
    uint32_t meter_count;
    linli_str *timers; /* names */
    uint32_t timer_count;
    linli_str *jobs; /* names */
    uint32_t job_count;
    linli_str *compliance; /* calls of the host that it handles: a resident's
                              data, its own end (spec/consent.md, 7) */
    uint32_t compliance_count;
    linli_str *answers; /* names of what goes on when one has come */
    uint32_t answer_count;
    linli_str *publishes; /* event types, "parking.gate_command" */
    uint32_t publish_count;
    linli_str *handles; /* event types, of any plugin */
    uint32_t handle_count;
    linli_str *alerts; /* kinds, "parking.anomaly" */
    uint32_t alert_count;
    struct ll_notification_decl *notifications;
    uint32_t notification_count;
    linli_str *secrets; /* names */
    uint32_t secret_count;
    struct ll_url *egress; /* origins it may send requests to; target "/" */
    uint32_t egress_count;
    bool payments;            /* it asks residents for money */
    bool directory_household; /* call.resident has the household */
    struct ll_datum *data;    /* manifest_consent.h: uses of resident data, */
    struct ll_scope *scopes;  /* and their scopes, */
    uint32_t datum_count;     /* so many */
    bool provides;            /* it is a controller of its own, */
    struct ll_jv recipient;   /* {name, address, contact}; or not there */
};

/* Reads a manifest from `text` (copied). On failure the code is
 * "manifest/...", "plugin/reserved-id" or "package/too-large", and `where` is
 * "plugin.json: POINTER" or line and column. On success ll_manifest_free. */
linli_status ll_manifest_read(struct ll_mem *mem, linli_str text,
    struct ll_manifest **out, struct ll_err *err) LL_USE_RESULT;
void ll_manifest_free(struct ll_manifest **manifest);

/* The problem a plugin declared under this code, or NULL. */
const struct ll_plugin_problem *ll_manifest_problem(
    const struct ll_manifest *manifest, linli_str code);

/* What was declared under a name, or NULL. */
const struct ll_collection_decl *ll_manifest_collection(
    const struct ll_manifest *manifest, linli_str name);
const struct ll_index_decl *ll_manifest_index(
    const struct ll_collection_decl *collection, linli_str name);
const struct ll_meter_decl *ll_manifest_meter(
    const struct ll_manifest *manifest, linli_str name);
const struct ll_notification_decl *ll_manifest_notification(
    const struct ll_manifest *manifest, linli_str name);
/* Index into timers[], jobs[], answers[], or -1. */
int ll_manifest_timer(const struct ll_manifest *manifest, linli_str name);
int ll_manifest_job(const struct ll_manifest *manifest, linli_str name);
/* Whether it handles a compliance call, "resident.redact". */
bool ll_manifest_complies(const struct ll_manifest *manifest, linli_str name);
int ll_manifest_answer(const struct ll_manifest *manifest, linli_str name);
/* The index in `handles` of an event that the plugin handles, or -1. */
int ll_manifest_handles(const struct ll_manifest *manifest, linli_str type);
/* Whether the plugin may publish this event, may raise this kind of alert. */
bool ll_manifest_publishes(const struct ll_manifest *manifest, linli_str type);
bool ll_manifest_alert(const struct ll_manifest *manifest, linli_str kind);
/* Whether it may use a secret of this name. */
bool ll_manifest_secret(const struct ll_manifest *manifest, linli_str name);
/* Whether the plugin may send requests to the origin of this URL. */
bool ll_manifest_egress(
    const struct ll_manifest *manifest, const struct ll_url *url);

/* Finds the route for a method and a path below the plugin ("/tariffs/p1").
 * Literal segments win over parameters, left to right. Parameters are
 * percent-decoded into `scratch`. NULL with *allow 0: no such path; NULL
 * with bits set: the path exists with those other methods (bit per
 * ll_method_bit). */
struct ll_match {
    const struct ll_route *route;
    uint32_t route_index;
    linli_str params[LL_PATH_PARAMS_MAX]; /* in the order of the path */
    uint32_t param_count;
    uint32_t allow; /* methods the path knows, when route is NULL */
};
/* False if a segment holds bad percent-encoding, an encoded '/' or NUL, or
 * bytes that are no UTF-8; or if `scratch` failed. */
bool ll_manifest_match(const struct ll_manifest *manifest, linli_str method,
    linli_str path, struct ll_arena *scratch, struct ll_match *match);

/* GET 1, POST 2, PUT 4, PATCH 8, DELETE 16; 0 for any other. */
uint32_t ll_method_bit(linli_str method);

#endif
