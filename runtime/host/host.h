/* host/host.h: a host and what hangs on it. [loop]
 *
 * Embedders see linli/host.h. A host owns a loop, a supervisor, communities
 * with their plugins, the keys that callers are known by, and open calls.
 */
#ifndef LL_HOST_HOST_H
#define LL_HOST_HOST_H

#include <linli/host.h>

#include "billing/billing.h"
#include "host/conf.h"
#include "consent/arbiter.h"
#include "host/lock.h"
#include "host/log.h"
#include "host/metrics.h"
#include "host/rate.h"
#include "host/request.h"
#include "host/token_cache.h"
#include "plugin/pool.h"
#include "world/datadir.h"
#include "world/zone.h"

struct ll_advance;
struct ll_bills;
struct ll_keeping;
struct ll_remembered;
struct ll_recorder;
struct ll_revoked;
struct ll_rights;
struct ll_roster;
struct ll_pay_receipt;
struct ll_pay_sim;
struct ll_queue;
struct ll_secrets;
struct ll_subscriber;
struct ll_uninstalls;
struct ll_webhooks;
struct ll_sweep;
struct ll_dev_key;
struct ll_egress_pool;

/* A token is base64url of them, and a NUL. */
#define LL_ADMIN_RANDOM_BYTES 32
#define LL_ADMIN_TOKEN_BYTES 44
/* Where a community is that says nothing of it. */
#define LL_ZONE_DEFAULT "Asia/Shanghai"

#define LL_INSTANCE_STATES(X)                                      \
    X(LOADING, "loading") /* the first version is not ready yet */ \
    X(ENABLED, "enabled")                                          \
    X(DISABLED, "disabled")         /* 423 */                      \
    X(FAILED, "failed")             /* could not be loaded; 404 */ \
    X(UNINSTALLING, "uninstalling") /* host/uninstall.h; 423 */    \
    X(GONE, "gone")                 /* as if it had never been there; 404 */

enum ll_instance_state {
#define X(name, word) LL_INSTANCE_##name,
    LL_INSTANCE_STATES(X)
#undef X
};
/* The word operators see: "enabled". */
const char *ll_instance_state_name(enum ll_instance_state state);

/* One plugin in one community. */
struct ll_instance {
    struct ll_host *host;
    struct ll_community *community;
    struct ll_instance *next;
    linli_str id;  /* of the plugin; the host's arena */
    uint64_t hash; /* of id and community, keyed */
    enum ll_instance_state state;
    struct ll_pool *pool;       /* serves; NULL unless ENABLED */
    struct ll_package *package; /* of `pool` */
    struct ll_loading *loading; /* a version on its way, or NULL */
    uint32_t metrics_row;       /* of the version that serves */
    struct ll_space *space;     /* what it stores */
    struct ll_lock lock;
    struct ll_doc_turns turns;
    struct ll_queue *work;            /* host/work.c; NULL: never served */
    struct ll_queue *leave;           /* the same; NULL: it stays */
    struct ll_queue *errands;         /* host/errand.c; the same */
    struct ll_subscriber *subscriber; /* host/bus.c; NULL: handles nothing */
    struct ll_secrets *secrets;       /* host/secret.c; NULL: none yet */
    struct ll_err last_error;
    int64_t last_error_ms;         /* wall clock; 0: never */
    uint64_t restarts;             /* of pools that are gone */
    uint32_t pool_count;           /* with those that drain or load */
    struct ll_keeping *keeping;    /* host/remember.c; NULL: nothing to write */
    struct ll_egress_pool *egress; /* host/egress.c; NULL: sent nothing yet */
};

struct ll_community {
    struct ll_community *next;
    linli_str id, zone_name;
    uint64_t hash; /* of the id, keyed */
    struct ll_zone zone;
    struct ll_instance *instances;
    struct ll_host *host;
    struct ll_space *space; /* its own, host/directory.h; NULL: not used yet */
    struct ll_queue *errands; /* its own, host/errand.c; NULL: none yet */
    uint64_t event_number;    /* of the last commit with events; 0: told */
    struct ll_wait *feed_waits;
    struct ll_tells *tells;           /* host/tell.h; NULL: never used */
    struct ll_rights *rights;         /* host/rights.h; NULL: never asked */
    struct ll_revoked *revoked;       /* host/revoked.h; the same */
    struct ll_queue *duties;          /* host/duty.h; the same */
    struct ll_uninstalls *uninstalls; /* host/uninstall.h; the same */
    struct ll_webhooks *webhooks;     /* host/webhook.c; NULL: it uses none */
};

struct ll_host {
    struct ll_mem mem;
    struct ll_arena arena; /* communities, instances: live as long */
    struct ll_config config;
    struct ll_world *world;
    struct ll_spawner *spawner;
    struct ll_supervisor supervisor;
    struct ll_log log;
    struct ll_metrics metrics;
    struct ll_community *communities;
    uint32_t community_count, instance_count;
    struct ll_dev_key *dev_key; /* development mode */
    struct ll_jwks *jwks;
    struct ll_token_cache *tokens;
    struct ll_rate *rate, *burst_kills; /* the latter per (route, caller) */
    unsigned char hash_key[16];
    struct ll_wakeup *wakeup;
    struct ll_call *calls; /* open ones, doubly linked */
    struct ll_call *spare; /* to be used again */
    uint32_t call_count, spare_count, pool_count, embedded_count, batch_count;
    bool draining, face_drained, pools_closed, stopped;
    struct ll_store *store; /* without a data directory, in memory */
    struct ll_docs docs;
    struct ll_arbiter arbiter; /* closed until the store is open */
    struct ll_billing billing;
    struct ll_call *release_first, *release_last; /* wait for durability */
    struct ll_timer *recall;   /* host/release.h: calls that begin again */
    struct ll_queue *queues;   /* host/queue.h; all of them */
    struct ll_call *awaiting;  /* answered later, host/await.c */
    struct ll_errand *errands; /* attempts under way, doubly linked */
    struct ll_pay_receipt *receipts; /* notices under way, the same */
    struct ll_pay_sim *pay_sim;      /* development; host/pay_sim.h */
    struct ll_gateways *gateways;    /* host/notify_http.h; NULL: none */
    struct ll_timer *work_timer;
    struct ll_sweep *sweep;
    struct ll_nightly *nightly;       /* host/agree.h */
    struct ll_birthdays *birthdays;   /* host/birthdays.h */
    struct ll_space_days *space_days; /* host/space_days.h */
    struct ll_watch *watch;           /* host/watch.h */
    struct ll_bills *bills;           /* host/bills.h */
    struct ll_recorder *recorder; /* host/record.h; NULL: nothing is recorded */
    struct ll_roster *roster;   /* host/remember.h; NULL: nothing, or used up */
    uint64_t work_seq;          /* order of timers with one due */
    struct ll_advance *advance; /* of the clock, under way (host/clock.c) */
    bool virtual_clock;         /* development: the wall clock is ours to set */
    struct ll_err failure;      /* what ended the host; status 0: nothing did */
    int64_t unread_ns;          /* when the log said that a read had failed */
    bool witnessed;             /* host/witness.h has told what there was */
    char admin_token[LL_ADMIN_TOKEN_BYTES]; /* of host-wide paths */
    struct ll_datadir data;                 /* closed: nothing is kept */
    /* The HTTP face, of the layer above: told to drain, then to go. */
    void *face;
    void (*face_drain)(void *face, void (*drained)(void *user), void *user);
    void (*face_free)(void *face);
    char url[80];
    struct ll_demo_call *demo_calls; /* host/demo.h */
};

/* As linli_host_new. `mem` is what its account begins as; copied. */
linli_status ll_host_new(const linli_host_options *options,
    const struct ll_mem *mem, struct ll_host **out,
    struct ll_err *err) LL_USE_RESULT;
void ll_host_free(struct ll_host **host);

/* For what lives as long: that it failed once is no reason to refuse. */
struct ll_arena *ll_host_arena(struct ll_host *host);

/* By id, or NULL. */
struct ll_community *ll_host_community(
    const struct ll_host *host, linli_str id);
struct ll_instance *ll_community_instance(
    const struct ll_community *community, linli_str plugin);

/* As linli_host_add_community. */
linli_status ll_host_add_community(struct ll_host *host, linli_str id,
    linli_str zone, struct ll_err *err) LL_USE_RESULT;

/* Takes one through the pipeline (host/call.c). */
void ll_host_dispatch(struct ll_host *host, struct ll_request *request);

/* Who a request's bearer token says it is; a reference of the caller's.
 * Failures are problem codes of the auth group. */
linli_status ll_host_identify(struct ll_host *host,
    const struct ll_request *request, struct ll_identity **out,
    struct ll_err *err) LL_USE_RESULT;

/* Loads `dir` into a community; `done` once, later, unless it fails now.
 * After a restart it is enabled again. */
typedef void (*ll_enabled)(void *user, const struct ll_instance *instance,
    linli_status status, const struct ll_err *err);
linli_status ll_host_enable(struct ll_host *host,
    const linli_plugin_options *options, ll_enabled done, void *user,
    struct ll_err *err) LL_USE_RESULT;
/* The same by an operator, "operator:ID", who approves what it reads. */
linli_status ll_host_enable_by(struct ll_host *host,
    const linli_plugin_options *options, linli_str approver, ll_enabled done,
    void *user, struct ll_err *err) LL_USE_RESULT;
/* The same for now: whoever asks will ask again, as the configuration does. */
linli_status ll_host_enable_listed(struct ll_host *host,
    const linli_plugin_options *options, ll_enabled done, void *user,
    struct ll_err *err) LL_USE_RESULT;
/* The same for what an earlier process had enabled. "plugin/load": the folder
 * holds another plugin by now. */
linli_status ll_host_enable_again(struct ll_host *host,
    const struct ll_remembered *remembered, ll_enabled done, void *user,
    struct ll_err *err) LL_USE_RESULT;
/* Makes an instance as it was: disabled, or, if it could not be loaded any
 * more, failed with `err`. */
linli_status ll_instance_put_disabled(struct ll_host *host,
    const struct ll_remembered *remembered, struct ll_err *err) LL_USE_RESULT;
void ll_instance_put_failed(struct ll_host *host,
    const struct ll_remembered *remembered, const struct ll_err *err);
linli_status ll_host_disable(struct ll_host *host, linli_str community,
    linli_str plugin, struct ll_err *err) LL_USE_RESULT;

/* Lets its workers drain and serves no more; a load under way is dropped. */
void ll_instance_close(struct ll_instance *instance);
/* Makes the space what a manifest says, before its version serves: collections
 * with their indexes. "runtime/memory". host/collections.c */
linli_status ll_collections_open(struct ll_instance *instance,
    const struct ll_manifest *manifest, struct ll_err *err) LL_USE_RESULT;
/* Retires the indexes that the version that serves does not declare, and drops
 * them once it is alone. Called whenever one came or went. */
void ll_collections_retire(struct ll_instance *instance);

/* For the face: nothing new is taken. */
void ll_host_stop(struct ll_host *host);
/* When a call or pool has gone: a drain may be complete. */
void ll_host_check_stopped(struct ll_host *host);

/* Copies a failure into the public shape. */
void ll_error_export(const struct ll_err *from, linli_error *to);

#endif
