/* host/usage_rows.c: from segments to records in words. [loop] */
#include "host/usage_rows.h"

#include "base/text.h"
#include "billing/plans.h"
#include "data/series.h"
#include "store/store.h"

void
ll_usage_rows_ask(struct ll_query *query, uint64_t after)
{
    ll_put_int(&query->params, after == 0 ? 1 : (int64_t)after);
    ll_put_int(&query->params, INT64_MAX);
    ll_put_int(&query->params, LL_RECONCILE_PAGE_ROWS);
    query->rows_max = LL_RECONCILE_PAGE_ROWS;
    query->bytes_max = LL_RECONCILE_PAGE_BYTES;
}

void
ll_usage_rows_source(
    const struct ll_host *host, linli_str community, struct ll_buf *out)
{
    ll_usage_doc_source(
        out, ll_cstr(ll_store_log_origin(host->store)), community);
}

/* False: its series is none. */
static bool
take_record(struct ll_usage_rows *rows, const struct ll_usage *usage)
{
    struct ll_usage_line record = {.usage = *usage, .lsn = rows->after};
    struct ll_counted counted;
    const struct ll_space *space =
        ll_series_of(&rows->host->docs, usage->series, &counted);
    if (space == NULL)
        return false;
    if (!ll_str_eq(space->community, rows->community))
        return true;
    record.plugin = space->plugin;
    record.meter = counted.meter;
    record.subscription = counted.subscription;
    const struct ll_plan_version *plan =
        ll_plan_by_id(&rows->host->billing, counted.version);
    if (plan != NULL) {
        record.plan = plan->name;
        record.plan_version = plan->version;
    }
    if (rows->skip == NULL || rows->skip[rows->place] == 0)
        ll_usage_doc_add(rows->into, &record);
    rows->place++;
    rows->full = rows->place >= rows->most ||
                 rows->into->out->len >= LL_EXPORT_BYTES_MAX;
    return true;
}

bool
ll_usage_rows_take(struct ll_usage_rows *rows, const struct ll_query *query)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&query->rows));
    for (uint32_t i = 0; i < query->row_count && !rows->full; i++) {
        (void)ll_rd_list(&rd);
        uint64_t first = (uint64_t)ll_rd_int(&rd);
        (void)ll_rd_int(&rd); /* last */
        (void)ll_rd_int(&rd); /* count */
        (void)ll_rd_bytes(&rd);
        linli_str content = ll_rd_bytes(&rd);
        struct ll_usage usage;
        if (rd.bad || first > rows->after + 1)
            return false;
        rows->seen = true;
        for (uint32_t at = (uint32_t)(rows->after + 1 - first);
             !rows->full && ll_usage_get(content, at, &usage); at++) {
            rows->after = first + at;
            if (!take_record(rows, &usage))
                return false;
        }
    }
    return true;
}
