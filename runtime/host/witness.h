/* host/witness.h: telling operators that the log is not the one that was
 * witnessed. [loop]
 *
 * store/head.h judges; here it is said, in the log of linlid and as an alert
 * of every community, while every decision about residents' data denies.
 */
#ifndef LL_HOST_WITNESS_H
#define LL_HOST_WITNESS_H

#include "host/host.h"

/* The name of the alert, of which one is open at most. */
#define LL_ALERT_LOG "log"

/* Tells it of every community there is, and from then on of each that is
 * added; nothing unless the log is sealed. Once, when the host is whole. */
void ll_witness_tell(struct ll_host *host);
/* A community was added. */
void ll_witness_added(struct ll_community *community);

#endif
