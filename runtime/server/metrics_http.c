/* server/metrics_http.c: linli_http_* families. [loop] */
#include "server/metrics_http.h"

#include "base/text.h"
#include "host/metrics.h"

static const struct {
    const char *name, *type, *help;
    size_t offset;
} families[] = {
#define AT(field) offsetof(struct ll_http_stats, field)
    {"linli_http_connections_accepted_total", "counter", "Connections taken.",
        AT(connections_accepted)},
    {"linli_http_connections_refused_total", "counter",
        "Connections closed at once, at the bound.", AT(connections_refused)},
    {"linli_http_connections", "gauge", "Connections that are open.",
        AT(connections_open)},
    {"linli_http_requests_total", "counter",
        "Requests read whole and handed on.", AT(requests)},
    {"linli_http_requests_open", "gauge", "Requests not answered yet.",
        AT(requests_open)},
    {"linli_http_refusals_total", "counter",
        "Requests malformed, too large or too slow.", AT(refusals)},
    {"linli_http_timeouts_total", "counter",
        "Connections ended by a timeout, idle ones too.", AT(timeouts)},
    {"linli_http_received_bytes_total", "counter", "Bytes read.", AT(bytes_in)},
    {"linli_http_sent_bytes_total", "counter", "Bytes written.", AT(bytes_out)},
#undef AT
};

void
ll_metrics_http_write(struct ll_buf *buf, const struct ll_http_stats *stats)
{
    static const char *const classes[] = {"2xx", "3xx", "4xx", "5xx"};
    for (size_t i = 0; i < LL_COUNT(families); i++) {
        struct ll_sample sample = {families[i].name, NULL, 0};
        uint64_t value;
        memcpy(&value, (const char *)stats + families[i].offset, sizeof value);
        ll_metric_family(
            buf, families[i].name, families[i].type, families[i].help);
        ll_metric_int(buf, &sample, (int64_t)value);
    }
    const char *name = "linli_http_responses_total";
    ll_metric_family(buf, name, "counter", "Answers, by class of status.");
    for (size_t i = 0; i < LL_COUNT(classes); i++) {
        struct ll_label label = {"class", ll_cstr(classes[i])};
        struct ll_sample sample = {name, &label, 1};
        ll_metric_int(buf, &sample, (int64_t)stats->responses[i + 2]);
    }
}
