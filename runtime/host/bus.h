/* host/bus.h: events of a community: to the plugins that handle them, and to
 * those who listen. [loop]
 *
 * An event is part of the commit of the call that emitted it, and goes on
 * when that is durable. Each plugin that handles some has a place in the
 * order (~cursor), which its handler's own commit moves: each event has its
 * effect once, in order. Listeners ask for what comes after a number, and
 * may wait for it.
 */
#ifndef LL_HOST_BUS_H
#define LL_HOST_BUS_H

#include "host/call.h"

/* A commit with events was sequenced. */
void ll_bus_published(struct ll_community *community, uint64_t number);
/* Commits became durable. */
void ll_bus_durable(struct ll_host *host);
/* The instance serves (again): what it has missed goes to it. */
void ll_bus_open(struct ll_instance *instance);
void ll_bus_close(struct ll_instance *instance);
/* True if nothing is on its way to a plugin. */
bool ll_bus_idle(const struct ll_host *host);
/* When the next event that failed is tried again; INT64_MAX: none is known.
 * By the wall clock, and ll_bus_pump looks whose time has come. */
int64_t ll_bus_next_ms(const struct ll_host *host);
void ll_bus_pump(struct ll_host *host);

/* An event as a row of the store has it, and as it leaves. */
struct ll_event {
    int64_t seq, at_ms;
    linli_str plugin, type, data;
};
/* The next row; false if it is none. Borrowed from the rows. */
bool ll_event_read(struct ll_rd *rows, struct ll_event *event);
/* `text_at`: `at` as RFC 3339, for feeds; else ms since 1970, for handlers. */
void ll_event_write(
    struct ll_jw *w, const struct ll_event *event, bool text_at);

/* -- feeds -- */

struct ll_feed {
    /* what is wanted */
    struct ll_host *host;
    struct ll_community *community;
    uint64_t after;
    uint32_t limit; /* items, 1..LL_LIST_MAX */
    int64_t wait_ms;
    linli_str type;               /* empty: all */
    const struct ll_route *where; /* its feed_where, or NULL */
    const linli_str *params;      /* of the route */
    /* Once, maybe at once: the body, or a failure. */
    void (*done)(
        struct ll_feed *feed, linli_status status, const struct ll_err *err);
    void *user;
    struct ll_buf out; /* {"items":[…],"next_after":n} */
    /* its own */
    struct ll_query query;
    bool querying;
    struct ll_wait wait;
    struct ll_timer *timer;
    struct ll_json json;
    uint32_t count;
    bool full; /* the next event does not fit the page */
    bool late; /* the time to wait is over */
};

void ll_feed_init(struct ll_feed *feed, struct ll_host *host);
/* Reads after, wait and limit of a query; "request/invalid". */
linli_status ll_feed_read(
    struct ll_feed *feed, linli_str query, struct ll_err *err) LL_USE_RESULT;
void ll_feed_start(struct ll_feed *feed);
/* Ends it; no `done` comes after. */
void ll_feed_fini(struct ll_feed *feed);

/* The RUN step of a route that is a feed. */
enum ll_step ll_feed_serve(struct ll_call *call);
void ll_feed_end(struct ll_call *call);

#endif
