/* data/wait.h: those who wait for a document, an index or a lock. [loop]
 *
 * A queue is a pointer to the first; who waits is embedded in its owner and
 * stands in one queue at most. It is told once, later, unless it is taken
 * back.
 */
#ifndef LL_DATA_WAIT_H
#define LL_DATA_WAIT_H

#include "base/defs.h"

struct ll_wait {
    struct ll_wait *next;
    struct ll_wait **head; /* NULL: does not wait */
    void (*ready)(struct ll_wait *wait);
};

/* Those who take turns at something. */
struct ll_crowd {
    void *whose; /* it is now; NULL: nobody's */
    struct ll_wait *waits;
    bool contended; /* it is worth it */
};

/* Behind all others; `wait` does not wait yet. */
void ll_wait_add(struct ll_wait **head, struct ll_wait *wait);
/* Takes it back, also from within another's `ready`; nothing if it does not
 * wait. */
void ll_wait_cancel(struct ll_wait *wait);
/* Tells all that wait at `head`, in order. They may wait again: that is told
 * the next time. */
void ll_wait_tell(struct ll_wait **head);
/* The first of them alone. */
void ll_wait_tell_first(struct ll_wait **head);

#endif
