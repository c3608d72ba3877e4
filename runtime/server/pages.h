/* server/pages.h: the consent sheet, the resident's centre, their bills. [loop]
 *
 * GET /v1/c/{community}/consent/{plugin}, .../centre, .../bills and
 * /v1/pages/{file}: what residents read when they are asked for data, where
 * they take it back, and what they pay and why. The pages are the same for
 * everybody: whoever reads brings a token in the fragment, which no server
 * sees, and the script asks the API with it. So a page can be opened by anybody
 * and shows nothing of anybody.
 */
#ifndef LL_SERVER_PAGES_H
#define LL_SERVER_PAGES_H

#include "server/face.h"

/* Reads the words of the pages. "runtime/memory". */
linli_status ll_pages_open(struct ll_mem *mem, struct ll_pages **out,
    struct ll_err *err) LL_USE_RESULT;
void ll_pages_free(struct ll_pages **pages);

/* Answers a request for one of them; false: the path is no page's. */
bool ll_pages_handle(struct ll_face *face, struct ll_request *request);

#endif
