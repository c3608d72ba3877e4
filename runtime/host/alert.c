/* host/alert.c: alerts into commits. [loop] */
#include "host/alert.h"

#include <stdio.h>

#include "base/text.h"

void
ll_alert_job_ref(linli_str id, char ref[LL_ALERT_JOB_BYTES])
{
    ll_check(id.len <= LL_DOC_ID_BYTES_MAX);
    (void)snprintf(ref, LL_ALERT_JOB_BYTES, "job/%.*s", LL_FMT(id));
}

/* What is a community's own has no plugin. */
static linli_str
plugin_of(const struct ll_space *space)
{
    return ll_str_is(space->plugin, "~") ? LINLI_STR("") : space->plugin;
}

/* The parameters that the three ways to write one have in common, up to the
 * trace. */
static void
put_head(struct ll_host *host, const struct ll_alert *alert, struct ll_buf *ops)
{
    ll_put_int(ops, (int64_t)++host->docs.last_alert_id);
    ll_put_bytes(ops, alert->space->community);
    ll_put_bytes(ops, alert->kind);
    ll_put_bytes(ops, plugin_of(alert->space));
    ll_put_int(ops, alert->at_ms);
    if (alert->subject.len > 0)
        ll_put_bytes(ops, alert->subject);
    else
        ll_put_nil(ops);
    ll_put_bytes(ops, alert->trace_id);
}

static void
put_data(const struct ll_alert *alert, struct ll_buf *ops)
{
    ll_put_sealed(ops, alert->space->id,
        ll_pid_valid(alert->subject) ? alert->subject : LINLI_STR(""),
        alert->data);
}

void
ll_alert_put(struct ll_host *host, const struct ll_alert *alert,
    struct ll_commit *commit)
{
    struct ll_buf *ops = &commit->ops;
    bool named = alert->ref.len > 0;
    ll_check(named || !alert->ever);
    ll_commit_op(commit, !named        ? LL_ST_alert_put
                         : alert->ever ? LL_ST_alert_ever
                                       : LL_ST_alert_once);
    put_head(host, alert, ops);
    if (!named)
        ll_put_bytes(ops, LINLI_STR("open"));
    put_data(alert, ops);
    if (named)
        ll_put_bytes(ops, alert->ref);
}

void
ll_alert_note(struct ll_host *host, const struct ll_alert *alert,
    const struct ll_closing *closing, struct ll_commit *commit)
{
    ll_commit_op(commit, LL_ST_alert_note);
    put_head(host, alert, &commit->ops);
    put_data(alert, &commit->ops);
    ll_put_bytes(&commit->ops, closing->by);
    ll_put_bytes(&commit->ops, closing->reason);
}

void
ll_alert_settle(const struct ll_space *space, linli_str ref,
    const struct ll_closing *closing, struct ll_commit *commit)
{
    struct ll_buf *ops = &commit->ops;
    ll_commit_op(commit, LL_ST_alert_settle);
    ll_put_bytes(ops, space->community);
    ll_put_bytes(ops, plugin_of(space));
    ll_put_bytes(ops, ref);
    ll_put_int(ops, closing->at_ms);
    ll_put_bytes(ops, closing->by);
    ll_put_bytes(ops, closing->reason);
}

/* -- in commits of their own -- */

static struct ll_commit *
commit_new(struct ll_host *host)
{
    return host->failure.status == LINLI_OK ? ll_docs_commit_new(&host->docs)
                                            : NULL;
}

void
ll_host_alert(struct ll_host *host, const struct ll_alert *alert)
{
    struct ll_commit *commit = commit_new(host);
    if (commit == NULL)
        return;
    ll_alert_put(host, alert, commit);
    (void)ll_docs_commit_send(&host->docs, commit);
}

void
ll_host_settle(struct ll_host *host, const struct ll_space *space,
    const char *const refs[], const char *reason)
{
    struct ll_commit *commit = commit_new(host);
    struct ll_closing closing = {.by = LINLI_STR("linli"),
        .reason = ll_cstr(reason),
        .at_ms = ll_world_wall(host->world).ms};
    if (commit == NULL)
        return;
    for (size_t i = 0; refs[i] != NULL; i++)
        ll_alert_settle(space, ll_cstr(refs[i]), &closing, commit);
    (void)ll_docs_commit_send(&host->docs, commit);
}
