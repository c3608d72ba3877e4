/* host/lock.h: calls that want the same, one after the other. [loop]
 *
 * Calls run side by side, and one that has read what another changed runs
 * again. Where that comes to nothing they take turns: at a document that many
 * change (doc_turn.c), and, for a call that met conflicts twice, at the
 * space (lock.c). Neither decides what is right (spec/db.md, D19 to D21).
 */
#ifndef LL_HOST_LOCK_H
#define LL_HOST_LOCK_H

#include "data/docs.h"

struct ll_call;
struct ll_instance;
struct ll_timer;

/* The commit lock of a space, which is one instance's. */
struct ll_lock {
    struct ll_call *holder; /* NULL: it is free */
    struct ll_wait *waits, *commit_waits;
    struct ll_timer *timer; /* NULL: never held */
};

/* True if the call may go on; false: it is told by its `hold`. */
bool ll_lock_take(struct ll_call *call);
/* True if nobody else holds it. */
bool ll_lock_free(struct ll_call *call);
void ll_lock_give(struct ll_call *call);
/* For an instance that goes: no call of it is open. */
void ll_lock_close(struct ll_instance *instance);

/* A call's turn at a document. */
struct ll_doc_turn {
    struct ll_doc *doc;              /* NULL: none; holds it */
    struct ll_doc_turn *next, *prev; /* of the instance */
    int64_t began_ns;
};

/* All of them in an instance. */
struct ll_doc_turns {
    struct ll_doc_turn *first;
    struct ll_timer *timer; /* NULL: nobody has waited */
    bool armed;
};

/* True if the call may read the document now; false: `wait` is told when to
 * ask again. */
bool ll_doc_turn_take(
    struct ll_call *call, struct ll_doc *doc, struct ll_wait *wait);
/* Whoever waits for it is told. Nothing if it has none. */
void ll_doc_turn_give(struct ll_call *call);
/* For an instance that goes: no call of it is open. */
void ll_doc_turns_close(struct ll_instance *instance);

#endif
