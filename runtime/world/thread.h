/* world/thread.h: threads of ours inside a process that is not. [any]
 *
 * A thread takes no signal of the embedder's, only its own faults, so that
 * whatever handler the process has runs where it always ran.
 */
#ifndef LL_WORLD_THREAD_H
#define LL_WORLD_THREAD_H

#include <pthread.h>

#include "base/defs.h"

/* Starts a thread, to be joined by whoever started it; false if the system
 * has none to give. */
bool ll_thread_start(
    pthread_t *thread, void *(*body)(void *arg), void *arg) LL_USE_RESULT;

#endif
