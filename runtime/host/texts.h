/* host/texts.h: residents are told of other words about what they agreed to
 * (PIPL art. 17). [loop] */
#ifndef LL_HOST_TEXTS_H
#define LL_HOST_TEXTS_H

#include "host/host.h"

/* Some of those who are to be told; true: there are more. */
bool ll_texts_tell(struct ll_host *host) LL_USE_RESULT;

#endif
