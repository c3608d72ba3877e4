/* host/uninstall.h: a plugin leaves a community, and what it kept goes. [loop]
 *
 * An uninstall is a document of ~uninstall in the community's space, due until
 * it is done; spec/consent.md, section 7.
 *
 *   asked -> (calling ->) emptying -> done
 *
 * asked: no call reaches the plugin any more. calling: it was told, by a job
 * "tenant.uninstall" in its collection ~leave, and has until the deadline.
 * emptying: consents to it end, its documents go in pages, then the keys of
 * its subjects. Each step is a commit, which counts what went; what a crash
 * leaves is found again by looking.
 */
#ifndef LL_HOST_UNINSTALL_H
#define LL_HOST_UNINSTALL_H

#include "data/put.h"
#include "host/queue.h"

#define LL_UNINSTALLS "~uninstall"
#define LL_LEAVE "~leave" /* of a plugin: the call that tells it */
#define LL_UNINSTALL_CALL "tenant.uninstall"

/* One that is not done. */
struct ll_uninstall {
    struct ll_uninstall *next;
    bool emptying; /* it is told nothing any more, and never loaded again */
    char id[LL_REQUEST_ID_DIGITS + 1];
    char plugin[LL_DOC_ID_BYTES_MAX + 1];
};

struct ll_uninstalls {
    struct ll_community *community;
    struct ll_queue *queue;
    struct ll_uninstall *first;
    struct ll_leaving *leaving; /* under way, or NULL */
};

/* Makes the community's uninstalls be worked on, once the plugins that were
 * there before are; again is nothing. `make`: also if there has never been
 * one. Blocks at the start of a host. "runtime/memory". */
linli_status ll_uninstalls_open(struct ll_community *community, bool make,
    struct ll_err *err) LL_USE_RESULT;
void ll_uninstalls_close(struct ll_community *community);
/* They are looked at again: the roster is used up, or a pool has closed. */
void ll_uninstalls_again(const struct ll_community *community);

/* That of a plugin which is not done; NULL: there is none. */
struct ll_uninstall *ll_uninstall_of(
    const struct ll_community *community, linli_str plugin);

/* What an operator wants. */
struct ll_uninstall_wish {
    linli_str plugin, by, reason;
    int64_t now_ms;
};
/* Its document, new, into `text`. */
void ll_uninstall_make(struct ll_community *community,
    const struct ll_uninstall_wish *wish, linli_str id, struct ll_buf *text);
/* From this turn on it takes no calls and reads nothing of residents. */
void ll_uninstall_begin(
    struct ll_community *community, struct ll_uninstall *take_one);
/* The job of it has ended well: it is looked at now. */
void ll_uninstall_called(const struct ll_instance *instance);

/* -- of an instance; host/instance.c -- */

/* It is uninstalled (host/uninstall.h): it takes no more calls, and keeps its
 * pool to be told of it; lets its pool drain; is there no more. */
void ll_instance_leave(struct ll_instance *instance);
void ll_instance_still(struct ll_instance *instance);
void ll_instance_gone(struct ll_instance *instance);

/* -- for its own files -- */

struct ll_leaving {
    struct ll_uninstalls *uninstalls;
    struct ll_uninstall *one;
    struct ll_host *host;
    struct ll_community *community;
    struct ll_instance *instance; /* or NULL */
    struct ll_space *space;
    struct ll_doc *doc, *asked; /* references; asked may be NULL */
    struct ll_wait wait;
    struct ll_arena arena;
    linli_str id, plugin, by, reason, state, told;
    int64_t at_ms, deadline_ms, now_ms, done_ms, leaf;
    int64_t documents, kept, keys, grants; /* that went, kept by law of them */
    bool (*step)(struct ll_leaving *l);    /* true: the next at once */
    struct ll_query query;
    bool querying, again; /* again: something went in this pass */
    struct ll_doc *docs[LL_ERASE_ROWS];
    uint32_t count, ready, grant_at;
    struct ll_coll *coll;
    struct ll_buf after, text;
    struct ll_commit *commit; /* waited for */
};

/* uninstall.c */

/* The document as it is to be, due then (0: not any more), into l->text. */
void ll_leaving_text(struct ll_leaving *l, const char *state, int64_t due_ms);
/* Writes l->text with what else is in the transaction and the commit; when it
 * is durable l->step is run. False always; without memory the run has ended. */
bool ll_leaving_commit(
    struct ll_leaving *l, struct ll_txn *txn, struct ll_commit *commit);
/* A commit and a transaction, or the run has ended. */
struct ll_commit *ll_leaving_begin(struct ll_leaving *l, struct ll_txn *txn);
/* A document into l->asked, ready; as ll_erase_ask. */
bool ll_leaving_ask(struct ll_leaving *l, struct ll_coll *coll, linli_str id);
/* Ends the run; it is looked at again when its document is due or, `later`,
 * in a while. False. */
bool ll_leaving_end(struct ll_leaving *l, bool later);
void ll_leaving_go(struct ll_leaving *l);

/* uninstall_empty.c: the step from which on things go. */
bool ll_leaving_empty(struct ll_leaving *l);

#endif
