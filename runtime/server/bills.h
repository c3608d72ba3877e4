/* server/bills.h: what the page of bills asks for a resident. [loop] */
#ifndef LL_SERVER_BILLS_H
#define LL_SERVER_BILLS_H

#include "server/face.h"

/* GET .../me/subscriptions/{id}/plan, .../preview and .../days; false for any
 * other `rest`, which begins with "me/". server/bills_me.c */
bool ll_bills_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);

#endif
