/* host/agree.h: does everything that is counted and owed agree? [loop]
 *
 * Usage (host/reconcile.h), then billing (billing/checkup.h). A break stops
 * invoices from becoming final, also after a restart, and raises the alert
 * `linli.reconcile` in every community; both end when a later look finds none.
 * Somebody asks, or it is night: each day at half past two in China, if
 * anything was written since the last look. spec/metering.md, section 15.
 */
#ifndef LL_HOST_AGREE_H
#define LL_HOST_AGREE_H

#include "billing/checkup.h"
#include "host/host.h"
#include "host/reconcile.h"

/* Of the store's values: 1 while something is broken. */
#define LL_AGREE_BROKEN_NAME "books_broken"

struct ll_agreed {
    struct ll_reconciled usage;
    struct ll_checkup_found billing;
    bool ok; /* both */
};
struct ll_agree;

/* Whether operators of communities are told rows and figures of a break: they
 * may be another community's, so only where there is one. With several they
 * are told what is broken, and the host's log has the rest. */
bool ll_agree_tells(const struct ll_host *host);
/* The members `row` and `what` of a break, for whom that is told. */
void ll_agree_put_row(const struct ll_host *host, struct ll_jw *w,
    const char *row, const char *what);

/* Begins; `done` is called once, later, when what was found has had its
 * consequences, or with an error and NULL. It may be freed inside. */
linli_status ll_agree_new(struct ll_host *host,
    void (*done)(
        void *user, const struct ll_agreed *found, const struct ll_err *err),
    void *user, struct ll_agree **out, struct ll_err *err) LL_USE_RESULT;
void ll_agree_free(struct ll_agree **agree);

/* At the start: what was broken is so still. After bills. */
linli_status ll_nightly_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
void ll_nightly_close(struct ll_host *host);
/* Looks if it is night; for a clock that is advanced. */
void ll_nightly_now(struct ll_host *host);
bool ll_nightly_idle(const struct ll_host *host);
int64_t ll_nightly_next_ms(const struct ll_host *host);

#endif
