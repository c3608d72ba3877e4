/* host/device.h: signed calls of devices. [loop]
 *
 * A gate or a band signs each request with its own key (spec/devices.md):
 *   Linli-Signature: device=ID,ts=UNIX,nonce=N,sig=HEX
 *   sig = HMAC-SHA256(key, METHOD\nPATH?QUERY\nts\nnonce\nhex(SHA-256(body)))
 * Within five minutes of now, each nonce once. On a route with a fallback
 * the event is durable first, and the device has an answer in time whatever
 * the plugin does; what the plugin did not do is done later.
 */
#ifndef LL_HOST_DEVICE_H
#define LL_HOST_DEVICE_H

#include "host/call.h"

struct ll_task;

/* The AUTHENTICATE step of a signed request; may wait, may refuse. */
enum ll_step ll_device_identify(struct ll_call *call);

/* Before the run: on a route with a fallback writes the event and starts the
 * time. False: the call was refused. */
bool ll_device_begin(struct ll_call *call);
/* Ends with the fallback instead, if the route has one and the event is
 * kept: true, and the call is on its way to RESPOND. */
bool ll_device_fall_back(struct ll_call *call);
/* The event is settled by the transaction of the call's own. */
linli_status ll_device_settle(
    struct ll_call *call, struct ll_err *err) LL_USE_RESULT;
/* The plugin refused the event: it is settled without a commit of its own. */
void ll_device_refused(struct ll_call *call);
void ll_device_end(struct ll_call *call);

/* A ~work document of a device's event, for the task that does it later. */
bool ll_device_read_work(struct ll_task *task, struct ll_arena *arena,
    struct ll_instance *instance, struct ll_jv root);

#endif
