/* host/alert.c: alerts into commits. [loop] */
#include "host/alert.h"

#include "base/text.h"

void
ll_alert_put(struct ll_host *host, const struct ll_alert *alert,
    struct ll_commit *commit)
{
    struct ll_buf *ops = &commit->ops;
    ll_commit_op(commit, LL_ST_alert_put);
    ll_put_int(ops, (int64_t)++host->docs.last_alert_id);
    ll_put_bytes(ops, alert->space->community);
    ll_put_bytes(ops, alert->kind);
    ll_put_bytes(ops, ll_str_is(alert->space->plugin, "~")
                          ? LINLI_STR("")
                          : alert->space->plugin);
    ll_put_int(ops, alert->at_ms);
    if (alert->subject.len > 0)
        ll_put_bytes(ops, alert->subject);
    else
        ll_put_nil(ops);
    ll_put_bytes(ops, alert->trace_id);
    ll_put_bytes(ops, LINLI_STR("open"));
    ll_put_sealed(ops, alert->space->id,
        ll_pid_valid(alert->subject) ? alert->subject : LINLI_STR(""),
        alert->data);
}
