/* server/desk.h: an operator's write of one document of the runtime's own.
 * [loop]
 *
 * A view (server/view.h) that waits for a document instead of a query, decides
 * what it becomes in the turn in which it is known, and answers when that is
 * durable. Whoever is asked embeds one as the first member.
 */
#ifndef LL_SERVER_DESK_H
#define LL_SERVER_DESK_H

#include "server/view.h"
#include "data/put.h"

enum ll_desk_verdict { LL_DESK_PUT, LL_DESK_DELETE, LL_DESK_NOTHING };

struct ll_desk {
    struct ll_view view;
    struct ll_doc *doc; /* a reference */
    struct ll_wait wait;
    struct ll_buf text; /* what it becomes, for LL_DESK_PUT */
    /* The document is known: says what becomes of it, with the answer in
     * view.out. */
    linli_status (*decide)(struct ll_desk *desk, enum ll_desk_verdict *verdict,
        struct ll_err *err);
    /* Adds to the commit that writes it; may be NULL. */
    void (*with)(struct ll_desk *desk, struct ll_commit *commit);
    /* Frees what it is in; what it holds has been given back. */
    void (*end)(struct ll_desk *desk);
    struct ll_docs *docs;
    bool committing, gone; /* gone: answered, and its commit is not done */
};

/* Begins one, whose decide and end are set; it leads to an answer. `coll` NULL:
 * there was no memory. */
void ll_desk_begin(
    struct ll_desk *desk, struct ll_face *face, struct ll_request *request);
void ll_desk_ask(struct ll_desk *desk, struct ll_coll *coll, linli_str id);

/* Reads a body of JSON, an object: "request/json", "request/content-type",
 * "request/invalid" for a member that is none of `names`, which end with
 * NULL. */
linli_status ll_desk_body(const struct ll_request *request,
    const char *const *names, struct ll_json *json,
    struct ll_err *err) LL_USE_RESULT;

/* -- what an operator who was admitted asks of it; false if `rest` is none of
 * theirs -- */

/* .../plugins/{id}/secrets[/{name}]. server/secrets.c */
bool ll_secrets_handle(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, linli_str rest);
/* .../sinks[/{id}[/resume]]. server/sinks.c */
bool ll_sinks_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);
/* .../webhooks[/{id}[/rotate]]. server/webhooks.c */
bool ll_webhooks_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

#endif
