/* host/errand.h: what the host itself does towards the outside. [loop]
 *
 * A request to another server, a message, a refund: asked for in a
 * transaction, begun once that has committed, done at least once under an id
 * that stays the same, so that the other side can tell a repetition. An
 * errand is a document of the collection ~errand of the plugin's space, or of
 * the community's own; it survives the process, is tried again with pauses
 * that double (host/work.h), and is left as evidence, with an alert, when it
 * has failed too often. Errands go on while their plugin is disabled.
 */
#ifndef LL_HOST_ERRAND_H
#define LL_HOST_ERRAND_H

#include "host/queue.h"

struct ll_errand;

struct ll_errand_kind {
    const char *name; /* "fetch" */
    uint32_t attempts_max;
    bool answers; /* a call may await what it comes to: ll_errand_answer */
    /* Begins an attempt, which leads to one ll_errand_end, maybe at once. */
    void (*start)(struct ll_errand *errand);
    /* The host ends: the attempt is given up, without ll_errand_end. It is
     * made again by the next process. */
    void (*cancel)(struct ll_errand *errand);
};

/* An attempt that is under way. */
struct ll_errand {
    struct ll_errand *next, *prev; /* of the host's */
    const struct ll_errand_kind *kind;
    struct ll_host *host;
    struct ll_community *community;
    struct ll_instance *instance; /* NULL: the community's own */
    linli_str id;                 /* goes out, the same each time */
    linli_str subject;            /* a pid, or empty */
    struct ll_jv with;            /* what was asked for */
    int64_t at_ms;                /* when */
    int64_t now_ms;               /* of this attempt */
    uint32_t attempts;            /* that failed before */
    struct ll_arena arena;        /* as long as the attempt */
    void *state;                  /* the kind's own */
    struct ll_doc *await;         /* who awaits its answer, ready; its content
                                     NULL: nobody. NULL: not of this kind */
    /* errand.c's */
    struct ll_json json;
    struct ll_queue *queue;
    struct ll_doc *doc;
    uint64_t version;
    struct ll_wait wait; /* for `await` */
};

enum ll_errand_outcome {
    LL_ERRAND_DONE,  /* it is settled */
    LL_ERRAND_AGAIN, /* it failed, and is tried again: later, or never */
    LL_ERRAND_DEAD   /* it failed for good */
};

struct ll_errand_end {
    enum ll_errand_outcome outcome;
    const char *code; /* of a failure, a problem's */
    /* From AGAIN to the next attempt; 0: as often before. */
    int64_t retry_ms;
    /* What else becomes of it, in the commit that settles it (DONE) or gives
     * it up (DEAD, or AGAIN once too often: `dead`); NULL: nothing. Documents
     * that it writes must be ready. `commit` takes usage, events and alerts.
     * A failure makes the attempt one that failed. */
    linli_status (*write)(struct ll_errand *errand, bool dead,
        struct ll_txn *txn, struct ll_commit *commit, struct ll_err *err);
    bool quiet; /* no alert when it is given up: `write` tells of it */
};

/* Ends the attempt and frees it. */
void ll_errand_end(struct ll_errand *errand, const struct ll_errand_end *end);

/* errand_fetch.c: requests of plugins to the outside. */
extern const struct ll_errand_kind ll_errand_fetch;
/* Whether `with`, JSON, is a request at all: ll_egress_read, "request/json". A
 * host that is not declared, and whatever else is wrong with what is asked for,
 * is for the answer to tell. */
linli_status ll_fetch_check(
    struct ll_mem *mem, linli_str with, struct ll_err *err) LL_USE_RESULT;

/* Whether there is such a kind. */
bool ll_errand_known(linli_str kind);
/* Whether the errand of which this is the document has an answer. */
bool ll_errand_answers(struct ll_host *host, linli_str body);

struct ll_errand_want {
    const char *kind;
    linli_str with;    /* JSON */
    linli_str subject; /* a pid, or empty */
    linli_str id;      /* a new one; empty: made at random, 32 hex digits */
    int64_t due_ms;    /* 0: at once */
};
/* Asks for one in a transaction, with now_ms as its time. `id` is where its
 * id is written, NULL: nowhere. "runtime/memory", "db/limit". */
linli_status ll_errand_put(struct ll_queue *errands, struct ll_txn *txn,
    const struct ll_errand_want *want, int64_t now_ms, char id[33],
    struct ll_err *err) LL_USE_RESULT;

/* The queue of a plugin's, instance->errands, or of a community's own,
 * community->errands; LINLI_E_NOMEM. */
linli_status ll_errands_open(
    struct ll_instance *instance, struct ll_err *err) LL_USE_RESULT;
linli_status ll_errands_open_own(
    struct ll_community *community, struct ll_err *err) LL_USE_RESULT;
/* Gives up all attempts: nothing is begun any more. */
void ll_errands_stop(struct ll_host *host);

#endif
