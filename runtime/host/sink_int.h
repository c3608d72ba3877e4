/* host/sink_int.h: a sink that is served: between sink.c and sink_send.c.
 * [loop] */
#ifndef LL_HOST_SINK_INT_H
#define LL_HOST_SINK_INT_H

#include "host/egress_place.h"
#include "host/sink.h"
#include "host/usage_rows.h"
#include "store/store.h"
#include "world/fetch.h"

/* One sink. At most one of `querying` and `fetch` is under way; what it leads
 * to is written in the same turn. */
struct ll_pump {
    struct ll_pump *next;
    struct ll_sinks *sinks;
    linli_str id; /* in id_bytes */
    char id_bytes[LL_DOC_ID_BYTES_MAX];
    struct ll_doc *doc; /* a reference; NULL: it is to be asked for */
    struct ll_wait wait;
    struct ll_query query;
    bool querying;
    bool writing;    /* the document, now: what it tells is our own doing */
    uint64_t held;   /* nothing is sent before this number is durable */
    uint64_t looked; /* the number up to which there was nothing to send */
    uint64_t passed; /* no record of ours up to this LSN and behind `after` */
    int64_t rest_ns; /* until then it waits; 0: it does not */
    bool alarmed;    /* an alert may be open that a success ends */
    struct ll_sink_last last;
    /* the batch: what the document said, and the records */
    struct ll_json json;
    struct ll_sink sink; /* strings in `json` */
    struct ll_buf source, body;
    struct ll_usage_doc document;
    struct ll_usage_rows rows;
    uint32_t limit; /* of its records; 0: as many as may be */
    unsigned char skip[LL_EXPORT_LAGO_MAX]; /* by place: it is there already */
    /* the request */
    struct ll_arena arena;
    struct ll_url url;
    const struct ll_egress_fixed *fixed;
    struct ll_fetch *fetch;
    char refused[LL_EGRESS_REFUSED_BYTES];
};

struct ll_sinks {
    struct ll_community *community;
    struct ll_coll *coll;
    struct ll_pump *first;
    uint32_t count;
    struct ll_query query; /* which there are */
    bool querying, known;
    struct ll_timer *timer;
    struct ll_fetch_pool *pool;
};

/* Sends the batch. What comes of it is one of the ends below, later or, if it
 * cannot be sent, at once. sink_send.c */
void ll_pump_send(struct ll_pump *pump);

/* -- ends of a batch, sink.c -- */

/* All of it is there: the place moves behind it. */
void ll_pump_taken(struct ll_pump *pump);
/* Again, later; `code` is a problem's. */
void ll_pump_again(struct ll_pump *pump, const char *code);
/* Again at once, with fewer records: `limit` or `skip` has changed. */
void ll_pump_smaller(struct ll_pump *pump);
/* It will never be taken as it is: nothing is sent until an operator says. */
void ll_pump_park(struct ll_pump *pump, const char *code);

#endif
