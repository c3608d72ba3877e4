/* host/kept.h: what is kept under an Idempotency-Key. [loop]
 *
 * A document of the space's collection ~idem, written in the commit of the
 * call itself, under a hash of who asked for what: kind and id of the caller,
 * method, path, key (data/known.h). It goes after a day (spec/pipeline.md,
 * 1.3).
 */
#ifndef LL_HOST_KEPT_H
#define LL_HOST_KEPT_H

#include "host/call.h"

/* 1 to LL_IDEMPOTENCY_KEY_BYTES_MAX visible ASCII characters. */
bool ll_kept_key_valid(linli_str key);

/* Looks the key up: goes on if it is new, and holds it until the call is
 * over; answers as then if the same request came before; refuses one that is
 * in progress, or that was used for something else. May wait. */
enum ll_step ll_kept_look(struct ll_call *call, linli_str key);

/* The call's answer into its transaction, to be kept. */
linli_status ll_kept_write(
    struct ll_call *call, struct ll_err *err) LL_USE_RESULT;

/* The call no longer holds its key. */
void ll_kept_release(struct ll_call *call);

#endif
