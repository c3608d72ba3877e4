/* host/metrics.c: counting, and the page that Prometheus reads. [loop] */
#include "host/metrics.h"

#include <stdio.h>

#include "base/text.h"

/* -- counting -- */

static const struct {
    const char *code;
    enum ll_outcome outcome;
} outcome_codes[] = {
    {"plugin/error", LL_OUTCOME_ERROR},
    {"runtime/busy", LL_OUTCOME_BUSY},
    {"runtime/draining", LL_OUTCOME_BUSY},
    {"sandbox/breaker-open", LL_OUTCOME_BREAKER},
    {"sandbox/crashed", LL_OUTCOME_CRASHED},
    {"sandbox/memory", LL_OUTCOME_MEMORY},
    {"sandbox/protocol", LL_OUTCOME_PROTOCOL},
    {"sandbox/timeout", LL_OUTCOME_TIMEOUT},
};

enum ll_outcome
ll_outcome_of(int status, linli_str code)
{
    if (status < 400)
        return LL_OUTCOME_OK;
    for (size_t i = 0; i < LL_COUNT(outcome_codes); i++)
        if (ll_str_is(code, outcome_codes[i].code))
            return outcome_codes[i].outcome;
    return status < 500 ? LL_OUTCOME_REFUSED : LL_OUTCOME_ERROR;
}

static const struct {
    int64_t ns;
    const char *le;
} buckets[LL_HISTOGRAM_BUCKETS] = {
    {100000, "0.0001"},
    {250000, "0.00025"},
    {500000, "0.0005"},
    {1000000, "0.001"},
    {2500000, "0.0025"},
    {5000000, "0.005"},
    {10000000, "0.01"},
    {25000000, "0.025"},
    {50000000, "0.05"},
    {100000000, "0.1"},
    {250000000, "0.25"},
    {500000000, "0.5"},
    {1000000000, "1"},
    {2500000000, "2.5"},
    {5000000000, "5"},
    {10000000000, "10"},
};

void
ll_histogram_add(struct ll_histogram *histogram, int64_t ns)
{
    size_t i = 0;
    if (ns < 0)
        ns = 0;
    while (i < LL_HISTOGRAM_BUCKETS && ns > buckets[i].ns)
        i++;
    histogram->counts[i]++;
    histogram->sum_ns += (uint64_t)ns;
}

void
ll_metrics_init(struct ll_metrics *metrics, struct ll_mem *mem)
{
    *metrics = (struct ll_metrics){
        .mem = mem, .other = {.plugin = "_other", .version = ""}};
}

void
ll_metrics_fini(struct ll_metrics *metrics)
{
    ll_release(metrics->mem, metrics->rows,
        metrics->cap * sizeof(struct ll_plugin_metrics));
    ll_metrics_init(metrics, metrics->mem);
}

/* The index that stands for plugin="_other". */
#define OTHER UINT32_MAX

static bool
make_room(struct ll_metrics *metrics)
{
    const size_t size = sizeof(struct ll_plugin_metrics);
    if (metrics->count < metrics->cap)
        return true;
    if (metrics->count >= LL_METRICS_PLUGINS_MAX)
        return false;
    uint32_t cap = metrics->cap == 0 ? 8 : metrics->cap * 2;
    struct ll_plugin_metrics *rows = ll_realloc(
        metrics->mem, metrics->rows, metrics->cap * size, cap * size);
    if (rows == NULL)
        return false;
    metrics->rows = rows;
    metrics->cap = cap;
    return true;
}

uint32_t
ll_metrics_index(
    struct ll_metrics *metrics, linli_str plugin, linli_str version)
{
    for (uint32_t i = 0; i < metrics->count; i++)
        if (ll_str_is(plugin, metrics->rows[i].plugin) &&
            ll_str_is(version, metrics->rows[i].version))
            return i;
    struct ll_plugin_metrics row = {.plugin = ""};
    /* A name that does not fit would never be found again. */
    if (plugin.len >= sizeof row.plugin || version.len >= sizeof row.version ||
        !make_room(metrics))
        return OTHER;
    memcpy(row.plugin, plugin.ptr, plugin.len);
    memcpy(row.version, version.ptr, version.len);
    metrics->rows[metrics->count] = row;
    return metrics->count++;
}

struct ll_plugin_metrics *
ll_metrics_row(struct ll_metrics *metrics, uint32_t index)
{
    if (index == OTHER)
        return &metrics->other;
    ll_check(index < metrics->count);
    return &metrics->rows[index];
}

static void
clear_living(struct ll_plugin_metrics *row)
{
    row->cpu_ns = row->restarts = row->memory_bytes = 0;
    row->workers = row->breakers_open = 0;
}

void
ll_metrics_begin(struct ll_metrics *metrics)
{
    for (uint32_t i = 0; i < metrics->count; i++)
        clear_living(&metrics->rows[i]);
    clear_living(&metrics->other);
}

/* -- the text format -- */

/* A label's value also escapes the quote; a help text does not. */
static void
put_escaped(struct ll_buf *buf, linli_str s, bool quote)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '\n') {
            ll_buf_cstr(buf, "\\n");
            continue;
        }
        if (c == '\\' || (c == '"' && quote))
            ll_buf_char(buf, '\\');
        ll_buf_char(buf, c);
    }
}

void
ll_metric_family(
    struct ll_buf *buf, const char *name, const char *type, const char *help)
{
    ll_buf_printf(buf, "# HELP %s ", name);
    put_escaped(buf, ll_cstr(help), false);
    ll_buf_printf(buf, "\n# TYPE %s %s\n", name, type);
}

void
ll_metric_labels(
    struct ll_buf *buf, const struct ll_label *labels, uint32_t count)
{
    if (count == 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        ll_buf_char(buf, i == 0 ? '{' : ',');
        ll_buf_cstr(buf, labels[i].name);
        ll_buf_cstr(buf, "=\"");
        put_escaped(buf, labels[i].value, true);
        ll_buf_char(buf, '"');
    }
    ll_buf_char(buf, '}');
}

static void
put_name(struct ll_buf *buf, const struct ll_sample *sample)
{
    ll_buf_cstr(buf, sample->name);
    ll_metric_labels(buf, sample->labels, sample->label_count);
    ll_buf_char(buf, ' ');
}

void
ll_metric_int(struct ll_buf *buf, const struct ll_sample *sample, int64_t value)
{
    put_name(buf, sample);
    ll_buf_printf(buf, "%lld\n", (long long)value);
}

void
ll_metric_seconds(
    struct ll_buf *buf, const struct ll_sample *sample, uint64_t ns)
{
    put_name(buf, sample);
    ll_buf_printf(buf, "%llu.%09llu\n", (unsigned long long)(ns / 1000000000),
        (unsigned long long)(ns % 1000000000));
}

#define LABELS_MAX 6

void
ll_metric_histogram(struct ll_buf *buf, const struct ll_sample *sample,
    const struct ll_histogram *histogram)
{
    struct ll_label labels[LABELS_MAX + 1];
    char bucket[128], sum[128], count[128];
    uint64_t total = 0;
    uint32_t n = sample->label_count;
    ll_check(n <= LABELS_MAX);
    (void)snprintf(bucket, sizeof bucket, "%s_bucket", sample->name);
    (void)snprintf(sum, sizeof sum, "%s_sum", sample->name);
    (void)snprintf(count, sizeof count, "%s_count", sample->name);
    for (uint32_t i = 0; i < n; i++)
        labels[i] = sample->labels[i];
    struct ll_sample line = {bucket, labels, n + 1};
    for (size_t i = 0; i <= LL_HISTOGRAM_BUCKETS; i++) {
        const char *le = i < LL_HISTOGRAM_BUCKETS ? buckets[i].le : "+Inf";
        total += histogram->counts[i];
        labels[n] = (struct ll_label){"le", ll_cstr(le)};
        ll_metric_int(buf, &line, (int64_t)total);
    }
    line = (struct ll_sample){sum, labels, n};
    ll_metric_seconds(buf, &line, histogram->sum_ns);
    line.name = count;
    ll_metric_int(buf, &line, (int64_t)total);
}

/* -- the families of plugins -- */

enum family_kind { CALLS, DURATION, COUNT, SECONDS };

static const struct family {
    const char *name, *type, *help;
    enum family_kind kind;
    size_t offset; /* COUNT and SECONDS: of a 64-bit field */
    size_t plus;   /* a second field added to it; 0: none */
} families[] = {
#define AT(field) offsetof(struct ll_plugin_metrics, field)
    {"linli_calls_total", "counter", "Calls that ended, by outcome.", CALLS, 0,
        0},
    {"linli_call_duration_seconds", "histogram",
        "Time from a call's receipt to its answer.", DURATION, 0, 0},
    {"linli_calls_in_flight", "gauge", "Calls that are open.", COUNT,
        AT(in_flight), 0},
    {"linli_plugin_cpu_seconds_total", "counter",
        "CPU time of the plugin's workers.", SECONDS, AT(cpu_ns),
        AT(cpu_ns_gone)},
    {"linli_plugin_memory_bytes", "gauge",
        "Memory of the plugin's living workers.", COUNT, AT(memory_bytes), 0},
    {"linli_plugin_restarts_total", "counter",
        "Workers started again after a death.", COUNT, AT(restarts),
        AT(restarts_gone)},
    {"linli_plugin_workers", "gauge", "Workers that live.", COUNT, AT(workers),
        0},
    {"linli_plugin_breakers_open", "gauge",
        "Communities in which the plugin's breaker is open.", COUNT,
        AT(breakers_open), 0},
#undef AT
};

static uint64_t
field_at(const struct ll_plugin_metrics *row, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)row + offset, sizeof value);
    return value;
}

static void
write_calls(struct ll_buf *buf, const char *name, struct ll_label labels[3],
    const struct ll_plugin_metrics *row)
{
    static const char *const names[] = {
#define X(name, text) text,
        LL_OUTCOMES(X)
#undef X
    };
    struct ll_sample sample = {name, labels, 3};
    for (unsigned i = 0; i < LL_OUTCOME_COUNT; i++) {
        labels[2] = (struct ll_label){"outcome", ll_cstr(names[i])};
        ll_metric_int(buf, &sample, (int64_t)row->calls[i]);
    }
}

static void
write_row(struct ll_buf *buf, const struct family *family,
    const struct ll_plugin_metrics *row)
{
    struct ll_label labels[3] = {{"plugin", ll_cstr(row->plugin)},
        {"version", ll_cstr(row->version)}, {NULL, {NULL, 0}}};
    struct ll_sample sample = {family->name, labels, 2};
    uint64_t value = 0;
    if (family->kind == COUNT || family->kind == SECONDS)
        value = field_at(row, family->offset);
    if (family->plus != 0)
        value += field_at(row, family->plus);
    switch (family->kind) {
    case CALLS:
        write_calls(buf, family->name, labels, row);
        return;
    case DURATION:
        ll_metric_histogram(buf, &sample, &row->duration);
        return;
    case COUNT:
        ll_metric_int(buf, &sample, (int64_t)value);
        return;
    case SECONDS:
        ll_metric_seconds(buf, &sample, value);
        return;
    }
}

static bool
is_used(const struct ll_plugin_metrics *row)
{
    for (unsigned i = 0; i < LL_OUTCOME_COUNT; i++)
        if (row->calls[i] > 0)
            return true;
    return row->in_flight != 0;
}

void
ll_metrics_write(struct ll_buf *buf, const struct ll_metrics *metrics)
{
    for (size_t f = 0; f < LL_COUNT(families); f++) {
        ll_metric_family(
            buf, families[f].name, families[f].type, families[f].help);
        for (uint32_t i = 0; i < metrics->count; i++)
            write_row(buf, &families[f], &metrics->rows[i]);
        if (is_used(&metrics->other))
            write_row(buf, &families[f], &metrics->other);
    }
}
