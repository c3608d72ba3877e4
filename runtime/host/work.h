/* host/work.h: what is to be done at a time: timers, and device events that
 * were not answered. [loop]
 *
 * Documents of a space's collection ~work, in the order of (due, sequence):
 * set and cancelled in transactions, done by tasks whose commit deletes
 * them. They survive the process; each has its effect once.
 */
#ifndef LL_HOST_WORK_H
#define LL_HOST_WORK_H

#include "host/host.h"

/* How long to wait after so many failures: 1 s, doubled, at most an hour. */
int64_t ll_task_pause_ms(uint32_t attempts);
/* Whether a failure says nothing about the handler: not counted. */
bool ll_task_not_its_fault(linli_str code);

/* The instance serves (again): its work is looked at. LINLI_E_NOMEM. */
linli_status ll_work_open(
    struct ll_instance *instance, struct ll_err *err) LL_USE_RESULT;
/* It is being uninstalled: what tells it so is done, in a queue of its own.
 * LINLI_E_NOMEM. */
linli_status ll_work_leave(
    struct ll_instance *instance, struct ll_err *err) LL_USE_RESULT;
void ll_work_close(struct ll_instance *instance);

/* What a device's call had in hand may be done by others. */
void ll_work_again(struct ll_instance *instance);

/* The collection; NULL without memory. */
struct ll_coll *ll_work_coll(struct ll_instance *instance);

#endif
