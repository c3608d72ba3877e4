/* server/http_write.h: responses as bytes. [loop]
 *
 * Head and body go into one buffer, so that an answer is one write.
 */
#ifndef LL_SERVER_HTTP_WRITE_H
#define LL_SERVER_HTTP_WRITE_H

#include "base/buf.h"
#include "host/request.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT", made anew when the second changes. */
#define LL_HTTP_DATE_BYTES 30
struct ll_http_date {
    int64_t second; /* since 1970, of `text`; 0: not made yet */
    char text[LL_HTTP_DATE_BYTES];
};
linli_str ll_http_date(struct ll_http_date *cache, int64_t wall_ms);

struct ll_http_answer {
    const struct ll_response *response;
    linli_str date;
    bool keep_alive;
    bool is_http10; /* keep-alive must be said */
    bool is_head;   /* the head of the answer to GET, without its body */
};

/* False if the response cannot be sent: a status outside 200..599, a header
 * that is no token or whose value holds a control character, a body beyond
 * LL_HTTP_RESPONSE_BYTES_MAX. */
bool ll_http_response_ok(const struct ll_response *response);

/* Appends an answer that passed ll_http_response_ok. `out->failed` tells of
 * a full buffer. */
void ll_http_write(struct ll_buf *out, const struct ll_http_answer *answer);

#endif
