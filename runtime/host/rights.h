/* host/rights.h: what residents may demand: a copy, correction, erasure. [loop]
 *
 * A request is a document of ~request in its community's space, sealed with a
 * key of its own, and due: the queue of that collection takes it from state to
 * state, so that it goes on after a restart wherever it was. spec/consent.md,
 * section 7.
 *
 *   erase:  asked -> calling -> erasing -> cleaning -> done
 *   export: (asked -> calling ->) done; the copy is made as it is fetched
 *           (server/export.c), with what plugins gave that were asked
 *   correct: asked, for staff
 *
 * asked: nothing was done yet. calling: the plugins that know the resident
 * were told, as jobs of theirs named "resident.redact", and have until the
 * deadline. erasing: documents go, in steps. cleaning: the keys
 * have gone; from here on the document is about nobody.
 */
#ifndef LL_HOST_RIGHTS_H
#define LL_HOST_RIGHTS_H

#include "data/put.h"
#include "host/queue.h"

#define LL_REQUESTS "~request"
#define LL_COPIES "~copy" /* of a plugin: what it gave of residents */
#define LL_REQUEST_ID_BYTES (LL_REQUEST_ID_DIGITS + 1)

struct ll_rights; /* of a community */

/* Makes the community's requests be worked on; again is nothing. `make`: also
 * if there has never been one. LINLI_E_NOMEM. */
linli_status ll_rights_open(struct ll_community *community, bool make,
    struct ll_err *err) LL_USE_RESULT;
/* What is under way is dropped; a start goes on with it. */
void ll_rights_close(struct ll_community *community);

/* A request of a resident. */
struct ll_requesting {
    linli_str kind;     /* "erase", "export", "correct" */
    linli_str resident; /* about whom */
    linli_str by;       /* "resident:ID", "guardian:ID", "operator:ID" */
    linli_str note;     /* what is to be corrected; or empty */
    linli_str key;      /* the Idempotency-Key */
    int64_t now_ms;
};
/* Its id, the same for one key; nobody else can say it. */
void ll_request_id(struct ll_community *community,
    const struct ll_requesting *requesting, char id[LL_REQUEST_ID_BYTES]);
/* Its document of LL_REQUESTS, new, into `text`. */
void ll_request_make(struct ll_community *community,
    const struct ll_requesting *requesting, linli_str id, struct ll_buf *text);
/* The index of LL_REQUESTS by (resident). */
#define LL_REQUESTS_BY "by_resident"

/* A job "resident.redact" or its like of an instance has ended, somehow: its
 * request is looked at again. `id` is the job's. */
void ll_rights_called(struct ll_instance *instance, linli_str id);

/* A call is about to commit: what a job "resident.export" of it has answered
 * is kept with it, as a document about whom it was asked about, until the
 * copy is fetched no more. */
linli_status ll_rights_keep_answer(
    struct ll_call *call, struct ll_err *err) LL_USE_RESULT;

/* What was frozen of somebody is shredded in this commit, as its day has come:
 * the log's leaf. */
void ll_rights_due_leaf(struct ll_host *host, const struct ll_whose *whose,
    struct ll_commit *commit);

/* -- for its own files -- */

struct ll_rights {
    struct ll_community *community;
    struct ll_queue *queue;
    struct ll_erasing *erasing; /* under way, or NULL */
    struct ll_looking *looking; /* at requests of which a plugin has ended */
};

/* Takes a request on: rights_erase.c. False without memory. */
bool ll_erase_start(struct ll_rights *rights, struct ll_doc *doc);
void ll_erase_drop(struct ll_erasing *erasing);

#endif
