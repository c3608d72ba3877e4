/* host/agree.c: looking, and what a break means. [loop] */
#include "host/agree.h"

#include <stdio.h>

#include "base/text.h"
#include "billing/invoices.h"
#include "host/alert.h"
#include "host/clock.h"

#define ALERT_REF "reconcile"
#define DATA_BYTES_MAX 4096
#define TOLD_MAX 5

struct ll_agree {
    struct ll_host *host;
    void (*done)(
        void *user, const struct ll_agreed *found, const struct ll_err *err);
    void *user;
    struct ll_reconcile *reconcile;
    struct ll_checkup *checkup;
    struct ll_agreed found;
};

/* -- what it means -- */

bool
ll_agree_tells(const struct ll_host *host)
{
    return host->communities == NULL || host->communities->next == NULL;
}

void
ll_agree_put_row(const struct ll_host *host, struct ll_jw *w, const char *row,
    const char *what)
{
    bool told = ll_agree_tells(host);
    ll_jw_key(w, "row");
    if (told)
        ll_jw_cstr(w, row);
    else
        ll_jw_null(w);
    ll_jw_key(w, "what");
    ll_jw_cstr(w, told ? what : "the log of linlid names the row");
}

static void
put_break(struct ll_host *host, struct ll_jw *w, const struct ll_break *b,
    const char *check)
{
    char text[sizeof b->row + sizeof b->what + 64];
    (void)snprintf(text, sizeof text, "%s: %s: %s", check, b->row, b->what);
    struct ll_log_line line = {
        .level = LL_ERROR, .code = "reconcile.break", .msg = ll_cstr(text)};
    ll_log_write(&host->log, &line);
    if (w == NULL)
        return;
    ll_jw_open(w, '{');
    ll_jw_key(w, "check");
    ll_jw_cstr(w, check);
    ll_agree_put_row(host, w, b->row, b->what);
    ll_jw_close(w, '}');
}

static void
write_breaks(
    struct ll_host *host, const struct ll_agreed *found, struct ll_buf *out)
{
    const struct ll_reconciled *usage = &found->usage;
    struct ll_jw w = ll_jw(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "breaks");
    ll_jw_open(&w, '[');
    if (!usage->ok) {
        struct ll_break b;
        bool bucket = usage->bad_bucket != 0;
        (void)snprintf(b.row, sizeof b.row, "%s %llu",
            bucket ? "usage_bucket" : "usage_segment",
            (unsigned long long)(bucket ? usage->bad_bucket : usage->bad_lsn));
        (void)snprintf(b.what, sizeof b.what, "%s", usage->what);
        put_break(host, &w, &b, "usage");
    }
    for (uint32_t i = 0; i < found->billing.break_count; i++) {
        const struct ll_break *b = &found->billing.breaks[i];
        put_break(
            host, i < TOLD_MAX ? &w : NULL, b, ll_check_kind_name(b->kind));
    }
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
}

static void
tell(struct ll_host *host, const struct ll_agreed *found)
{
    static const char *const refs[] = {ALERT_REF, NULL};
    struct ll_buf data;
    ll_buf_init(&data, &host->mem, DATA_BYTES_MAX);
    write_breaks(host, found, &data);
    for (struct ll_community *c = host->communities; c != NULL; c = c->next) {
        struct ll_space *space =
            ll_docs_space(&host->docs, c->id, LINLI_STR("~"));
        struct ll_alert alert = {.space = space,
            .kind = LINLI_STR("linli.reconcile"),
            .ref = LINLI_STR(ALERT_REF),
            .data = data.failed ? LINLI_STR("{}") : ll_buf_view(&data),
            .at_ms = ll_clock_now(host)};
        if (space != NULL && !found->ok)
            ll_host_alert(host, &alert);
        else if (space != NULL)
            ll_host_settle(host, space, refs, "it agrees again");
    }
    ll_buf_fini(&data);
}

/* Kept, so that a restart makes nothing final either. */
static void
keep(struct ll_host *host, bool broken)
{
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    if (commit == NULL)
        return; /* it is found again */
    ll_commit_op(commit, LL_ST_meta_put);
    ll_put_bytes(&commit->ops, LINLI_STR(LL_AGREE_BROKEN_NAME));
    ll_put_int(&commit->ops, broken ? 1 : 0);
    (void)ll_docs_commit_send(&host->docs, commit);
}

static void
conclude(struct ll_agree *a)
{
    struct ll_host *host = a->host;
    bool was = ll_invoices_stopped(&host->billing);
    a->found.ok = a->found.usage.ok && a->found.billing.ok;
    if (!a->found.ok || was) {
        ll_invoices_stop(&host->billing, !a->found.ok);
        tell(host, &a->found);
    }
    if (was == a->found.ok)
        keep(host, !a->found.ok);
    a->done(a->user, &a->found, NULL);
}

/* -- looking -- */

static void
on_checked(
    void *user, const struct ll_checkup_found *found, const struct ll_err *err)
{
    struct ll_agree *a = user;
    if (found == NULL) {
        a->done(a->user, NULL, err);
        return;
    }
    a->found.billing = *found;
    conclude(a);
}

static void
on_reconciled(
    void *user, const struct ll_reconciled *found, const struct ll_err *err)
{
    struct ll_agree *a = user;
    struct ll_err failure;
    if (found == NULL) {
        a->done(a->user, NULL, err);
        return;
    }
    a->found.usage = *found;
    if (ll_checkup_new(&a->host->billing, on_checked, a, &a->checkup,
            &failure) != LINLI_OK)
        a->done(a->user, NULL, &failure);
}

linli_status
ll_agree_new(struct ll_host *host,
    void (*done)(
        void *user, const struct ll_agreed *found, const struct ll_err *err),
    void *user, struct ll_agree **out, struct ll_err *err)
{
    *out = NULL;
    struct ll_agree *a = ll_alloc(&host->mem, sizeof *a);
    if (a == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room");
    a->host = host;
    a->done = done;
    a->user = user;
    linli_status status =
        ll_reconcile_new(host, on_reconciled, a, &a->reconcile, err);
    if (status != LINLI_OK) {
        ll_release(&host->mem, a, sizeof *a);
        return status;
    }
    *out = a;
    return LINLI_OK;
}

void
ll_agree_free(struct ll_agree **agree)
{
    struct ll_agree *a = *agree;
    if (a == NULL)
        return;
    *agree = NULL;
    ll_reconcile_free(&a->reconcile);
    ll_checkup_free(&a->checkup);
    ll_release(&a->host->mem, a, sizeof *a);
}
