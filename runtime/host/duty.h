/* host/duty.h: what somebody must have done by a day. [loop]
 *
 * A duty is a document of ~duty in its community's space: open until it is
 * done, which an operator says, with a reason; overdue from its day on, when
 * an alert is raised, once. It is made in the commit of what makes it and is
 * in the log from there on (leaves of type duty), so that `linli audit replay`
 * finds it without this host. It names nobody: whom it is about it knows by
 * the tag that the log has. spec/consent.md, section 8.
 */
#ifndef LL_HOST_DUTY_H
#define LL_HOST_DUTY_H

#include "data/put.h"
#include "host/queue.h"

#define LL_DUTIES "~duty"
#define LL_DUTY_ID_DIGITS 32
#define LL_DUTY_ID_BYTES (LL_DUTY_ID_DIGITS + 1)

/* Makes the days of a community's duties be watched; again is nothing.
 * `make`: also if there has never been one. LINLI_E_NOMEM. */
linli_status ll_duties_open(struct ll_community *community, bool make,
    struct ll_err *err) LL_USE_RESULT;
void ll_duties_close(struct ll_community *community);

struct ll_duty {
    const char *kind; /* "NOTIFY", "REVIEW", "DELETE", "REPORT", "RECONFIRM" */
    const char *why;  /* what made it: "consent_revoked", ... */
    linli_str ref;    /* what of it: an id; with it a duty is made once */
    linli_str plugin; /* whose it is; empty: the operator's own */
    linli_str tag;    /* whom it is about; may be empty */
    int64_t until_ms, now_ms;
};
/* Writes a new one, with its leaf, with what else is in a commit. */
linli_status ll_duty_put(struct ll_community *community,
    const struct ll_duty *duty, struct ll_txn *txn,
    struct ll_commit *commit) LL_USE_RESULT;

/* Somebody has done it. */
struct ll_duty_done {
    linli_str by;     /* "operator:ID" */
    linli_str reason; /* the evidence, in words */
    int64_t now_ms;
};
/* What an open or overdue duty is from then on, into `text`. */
void ll_duty_done_text(
    struct ll_jv root, const struct ll_duty_done *done, struct ll_buf *text);
/* What goes with it: its leaf, and the end of its alert. What was suspended
 * because it was overdue is so no more. */
void ll_duty_done_put(struct ll_community *community, struct ll_jv root,
    const struct ll_duty_done *done, struct ll_commit *commit);

#endif
