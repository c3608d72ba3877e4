/* tests/unit/test_metrics.c: counting per plugin, and the text format. */
#include "base/text.h"
#include "host/metrics.h"
#include "server/metrics_http.h"
#include "t.h"

static bool
holds(const struct ll_buf *buf, const char *text)
{
    linli_str all = ll_buf_view(buf);
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= all.len; i++)
        if (memcmp(all.ptr + i, text, n) == 0)
            return true;
    printf("#   not on the page: %s\n", text);
    return false;
}

/* Each line is a comment, or NAME{LABELS} VALUE as the format has it. */
static void
check_page(const struct ll_buf *buf)
{
    linli_str rest = ll_buf_view(buf), line;
    T_OK(rest.len > 0 && rest.ptr[rest.len - 1] == '\n');
    while (ll_str_split(&rest, '\n', &line)) {
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        size_t i = 0;
        while (i < line.len && (line.ptr[i] == '_' ||
                                   (line.ptr[i] >= 'a' && line.ptr[i] <= 'z')))
            i++;
        T_OK(i > 0 && i < line.len &&
             (line.ptr[i] == ' ' || line.ptr[i] == '{'));
        size_t space = line.len;
        while (space > 0 && line.ptr[space - 1] != ' ')
            space--;
        T_OK(space > 0 && space < line.len);
        for (size_t at = space; at < line.len; at++)
            T_OK(line.ptr[at] == '.' ||
                 (line.ptr[at] >= '0' && line.ptr[at] <= '9'));
    }
}

T_CASE(counts_calls)
{
    struct ll_mem mem = {0};
    struct ll_metrics m;
    struct ll_buf page;
    ll_metrics_init(&m, &mem);
    ll_buf_init(&page, &mem, 1u << 20);
    uint32_t a = ll_metrics_index(&m, LINLI_STR("parking"), LINLI_STR("1.0.0"));
    uint32_t b = ll_metrics_index(&m, LINLI_STR("parking"), LINLI_STR("1.1.0"));
    T_OK(a != b);
    T_INT(ll_metrics_index(&m, LINLI_STR("parking"), LINLI_STR("1.0.0")), a);
    struct ll_plugin_metrics *row = ll_metrics_row(&m, a);
    row->calls[LL_OUTCOME_OK] = 7;
    row->calls[LL_OUTCOME_TIMEOUT] = 2;
    row->in_flight = 3;
    row->cpu_ns_gone = 1000000001;
    row->restarts_gone = 1;
    row->workers = 99;
    ll_metrics_begin(&m);
    row->cpu_ns = 500000000;
    row->restarts = 4;
    row->memory_bytes = 4096;
    ll_histogram_add(&row->duration, 100000);
    ll_histogram_add(&row->duration, 100001);
    ll_histogram_add(&row->duration, 60000000000);
    ll_histogram_add(&row->duration, -5);
    ll_metrics_write(&page, &m);
    check_page(&page);
    const char *labels = "{plugin=\"parking\",version=\"1.0.0\"";
    static const char *const want[] = {
        "linli_calls_total%s,outcome=\"ok\"} 7\n",
        "linli_calls_total%s,outcome=\"timeout\"} 2\n",
        "linli_calls_total%s,outcome=\"crashed\"} 0\n",
        "linli_calls_in_flight%s} 3\n",
        "linli_plugin_cpu_seconds_total%s} 1.500000001\n",
        "linli_plugin_restarts_total%s} 5\n",
        "linli_plugin_memory_bytes%s} 4096\n",
        "linli_plugin_workers%s} 0\n",
        "linli_call_duration_seconds_bucket%s,le=\"0.0001\"} 2\n",
        "linli_call_duration_seconds_bucket%s,le=\"0.00025\"} 3\n",
        "linli_call_duration_seconds_bucket%s,le=\"10\"} 3\n",
        "linli_call_duration_seconds_bucket%s,le=\"+Inf\"} 4\n",
        "linli_call_duration_seconds_count%s} 4\n",
        "linli_call_duration_seconds_sum%s} 60.000200001\n",
    };
    for (size_t i = 0; i < LL_COUNT(want); i++) {
        char line[256];
        const char *at = strstr(want[i], "%s");
        (void)snprintf(line, sizeof line, "%.*s%s%s", (int)(at - want[i]),
            want[i], labels, at + 2);
        T_OK(holds(&page, line));
    }
    T_OK(holds(&page, "# TYPE linli_calls_total counter\n"));
    T_OK(holds(&page, "# TYPE linli_call_duration_seconds histogram\n"));
    ll_buf_fini(&page);
    ll_metrics_fini(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(rows_are_bounded)
{
    struct ll_mem mem = {0};
    struct ll_metrics m;
    struct ll_buf page;
    ll_metrics_init(&m, &mem);
    ll_buf_init(&page, &mem, 8u << 20);
    for (unsigned i = 0; i < LL_METRICS_PLUGINS_MAX + 10; i++) {
        char version[16];
        (void)snprintf(version, sizeof version, "1.%u", i);
        uint32_t row = ll_metrics_index(&m, LINLI_STR("p"), ll_cstr(version));
        ll_metrics_row(&m, row)->calls[LL_OUTCOME_OK]++;
    }
    T_INT(m.count, LL_METRICS_PLUGINS_MAX);
    T_INT(m.other.calls[LL_OUTCOME_OK], 10);
    ll_metrics_write(&page, &m);
    T_OK(holds(&page,
        "linli_calls_total{plugin=\"_other\",version=\"\",outcome=\"ok\"} "
        "10\n"));
    ll_buf_fini(&page);
    ll_metrics_fini(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(without_memory_calls_are_counted_elsewhere)
{
    struct ll_mem mem = {.fail_in = 1};
    struct ll_metrics m;
    ll_metrics_init(&m, &mem);
    uint32_t row = ll_metrics_index(&m, LINLI_STR("p"), LINLI_STR("1"));
    T_OK(ll_metrics_row(&m, row) == &m.other);
    char longest[64];
    memset(longest, 'a', sizeof longest);
    row = ll_metrics_index(
        &m, (linli_str){longest, sizeof longest}, LINLI_STR("1"));
    T_OK(ll_metrics_row(&m, row) == &m.other);
    ll_metrics_fini(&m);
}

T_CASE(outcomes)
{
    static const struct {
        int status;
        const char *code;
        enum ll_outcome want;
    } table[] = {
        {200, "", LL_OUTCOME_OK},
        {304, "", LL_OUTCOME_OK},
        {404, "request/not-found", LL_OUTCOME_REFUSED},
        {409, "parking/slot-taken", LL_OUTCOME_REFUSED},
        {429, "request/rate-limited", LL_OUTCOME_REFUSED},
        {500, "plugin/error", LL_OUTCOME_ERROR},
        {500, "runtime/internal", LL_OUTCOME_ERROR},
        {502, "parking/gate-offline", LL_OUTCOME_ERROR},
        {503, "runtime/busy", LL_OUTCOME_BUSY},
        {503, "sandbox/breaker-open", LL_OUTCOME_BREAKER},
        {503, "sandbox/crashed", LL_OUTCOME_CRASHED},
        {503, "sandbox/memory", LL_OUTCOME_MEMORY},
        {503, "sandbox/protocol", LL_OUTCOME_PROTOCOL},
        {504, "sandbox/timeout", LL_OUTCOME_TIMEOUT},
    };
    for (size_t i = 0; i < LL_COUNT(table); i++)
        T_INT(ll_outcome_of(table[i].status, ll_cstr(table[i].code)),
            table[i].want);
}

T_CASE(escapes)
{
    struct ll_mem mem = {0};
    struct ll_buf page;
    ll_buf_init(&page, &mem, 4096);
    struct ll_label labels[] = {
        {"a", LINLI_STR("x\"y\\z\nw")}, {"b", LINLI_STR("")}};
    struct ll_sample sample = {"n", labels, 2};
    ll_metric_family(&page, "n", "gauge", "back\\slash \"and\"\nline");
    ll_metric_int(&page, &sample, -3);
    T_STR(ll_buf_view(&page), "# HELP n back\\\\slash \"and\"\\nline\n"
                              "# TYPE n gauge\n"
                              "n{a=\"x\\\"y\\\\z\\nw\",b=\"\"} -3\n");
    ll_buf_fini(&page);
}

T_CASE(http_families)
{
    struct ll_mem mem = {0};
    struct ll_buf page;
    struct ll_http_stats stats = {.requests = 12,
        .connections_open = 3,
        .responses = {0, 0, 10, 0, 2, 1}};
    ll_buf_init(&page, &mem, 1u << 16);
    ll_metrics_http_write(&page, &stats);
    check_page(&page);
    T_OK(holds(&page, "linli_http_requests_total 12\n"));
    T_OK(holds(&page, "linli_http_connections 3\n"));
    T_OK(holds(&page, "linli_http_responses_total{class=\"2xx\"} 10\n"));
    T_OK(holds(&page, "linli_http_responses_total{class=\"4xx\"} 2\n"));
    T_OK(holds(&page, "linli_http_responses_total{class=\"5xx\"} 1\n"));
    ll_buf_fini(&page);
    T_INT(mem.used_bytes, 0);
}

/* clang-format off */
T_MAIN(
    T_RUN(counts_calls)
    T_RUN(rows_are_bounded)
    T_RUN(without_memory_calls_are_counted_elsewhere)
    T_RUN(outcomes)
    T_RUN(escapes)
    T_RUN(http_families))
