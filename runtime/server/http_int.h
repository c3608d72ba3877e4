/* server/http_int.h: what http.c, http_conn.c and http_refuse.c share. [loop]
 *
 * An exchange is one request and its answer. It belongs to the connection's
 * `reading` while it arrives, then to its queue until the answer is written,
 * then to the server's pool. When the connection goes first, an exchange the
 * handler has stays alone until it is answered into nothing.
 */
#ifndef LL_SERVER_HTTP_INT_H
#define LL_SERVER_HTTP_INT_H

#include "base/buf.h"
#include "host/trace.h"
#include "server/http.h"
#include "server/http_parse.h"
#include "server/http_write.h"
#include "world/tcp.h"

enum ll_http_exchange_state {
    LL_HTTP_READING,  /* bytes still come */
    LL_HTTP_QUEUED,   /* complete; waits for those before it */
    LL_HTTP_OPEN,     /* with the handler */
    LL_HTTP_ANSWERED, /* `answer` is ready to be written */
};

struct ll_http_exchange {
    struct ll_request request;
    struct ll_http *http;
    struct ll_http_conn *conn; /* NULL: the connection has gone */
    struct ll_http_exchange *next;
    enum ll_http_exchange_state state;
    bool closes;          /* the answer says Connection: close */
    bool continued;       /* 100 Continue was sent */
    size_t counted_bytes; /* of its body, in http->buffered_bytes */
    struct ll_http_parser parser;
    struct ll_buf answer;
};

struct ll_http_conn {
    struct ll_http *http;
    struct ll_conn *tcp; /* NULL: gone, the structure waits in `dead` */
    struct ll_http_conn *prev, *next;
    struct ll_http_conn *next_dirty;
    struct ll_http_exchange *reading;
    struct ll_http_exchange *first, *last; /* owed answers, in order */
    uint32_t owed;
    struct ll_buf rest;        /* read, but not looked at while blocked */
    int64_t read_deadline_ns;  /* 0: none */
    int64_t write_deadline_ns; /* 0: nothing queued */
    size_t write_queued_bytes; /* when that deadline was set */
    bool corked; /* answers wait: their writer stands further up the stack */
    bool dirty;  /* in the list of those to pump */
    bool paused;
    bool ended;   /* the peer sends no more */
    bool closing; /* takes no further request */
};

struct ll_http {
    struct ll_world *world;
    struct ll_mem *mem;
    struct ll_listener *listener; /* NULL: draining */
    char address[64];
    struct ll_timer *sweep, *kick;
    struct ll_http_limits limits;
    void (*handle)(void *user, struct ll_request *request);
    void *user;
    void (*drained)(void *user); /* NULL: not draining */
    void *drained_user;
    bool draining;
    struct ll_http_conn *conns, *dirty, *dead;
    struct ll_http_exchange *pool;
    uint32_t pool_count;
    size_t buffered_bytes; /* of bodies that are held */
    struct ll_http_date date;
    struct ll_buf out;     /* answers on their way into one write */
    struct ll_buf scratch; /* a problem body */
    char traceparent[LL_TRACEPARENT_BYTES]; /* of that problem */
    struct ll_http_stats stats;
};

/* http.c */

/* From the pool or new, empty; NULL without memory. */
struct ll_http_exchange *ll_http_exchange_take(struct ll_http *http);
void ll_http_exchange_put(struct ll_http_exchange *exchange);
/* Pumps the connection in the next turn. */
void ll_http_mark_dirty(struct ll_http_conn *conn);
int64_t ll_http_now_ns(const struct ll_http *http);
/* Unlinks it; its structure is reclaimed in the next turn. */
void ll_http_forget(struct ll_http_conn *conn);

/* http_conn.c */

extern const struct ll_conn_ops ll_http_conn_ops;
/* Dispatches what may go, writes what is ready, reads on or closes. */
void ll_http_conn_pump(struct ll_http_conn *conn);
/* Closes without another word, or after all that is queued has left. */
void ll_http_conn_drop(struct ll_http_conn *conn);
void ll_http_conn_finish(struct ll_http_conn *conn);
/* Answers the request that is being read with this problem and closes. */
void ll_http_conn_refuse(
    struct ll_http_conn *conn, const char *code, const char *why);

/* http_refuse.c */

/* A problem response for an exchange; borrowed from http->scratch. */
void ll_http_refusal(struct ll_http_exchange *exchange, const char *code,
    linli_str why, struct ll_response *out);

#endif
