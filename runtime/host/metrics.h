/* host/metrics.h: what is counted per plugin, as Prometheus text. [loop]
 *
 * One row per plugin and version, whatever the number of communities, and a
 * bound on rows: beyond it calls are counted under plugin="_other", so that
 * no sequence of upgrades makes the page, or the scraper's store, grow
 * without end. Resident data is never a label.
 */
#ifndef LL_HOST_METRICS_H
#define LL_HOST_METRICS_H

#include "base/buf.h"
#include "base/limits.h"

/* How a call ended. */
#define LL_OUTCOMES(X)      \
    X(OK, "ok")             \
    X(REFUSED, "refused")   \
    X(ERROR, "error")       \
    X(TIMEOUT, "timeout")   \
    X(CRASHED, "crashed")   \
    X(MEMORY, "memory")     \
    X(PROTOCOL, "protocol") \
    X(BREAKER, "breaker")   \
    X(BUSY, "busy")

enum ll_outcome {
#define X(name, text) LL_OUTCOME_##name,
    LL_OUTCOMES(X)
#undef X
        LL_OUTCOME_COUNT
};

/* From an answer: its status, and its problem code (empty: no problem).
 * Below 400 is ok; what the plugin or the pipeline refused (4xx), refused. */
enum ll_outcome ll_outcome_of(int status, linli_str code);

/* Fixed buckets, 100 us to 10 s. */
#define LL_HISTOGRAM_BUCKETS 16
struct ll_histogram {
    uint64_t counts[LL_HISTOGRAM_BUCKETS + 1]; /* the last: beyond */
    uint64_t sum_ns;
};
void ll_histogram_add(struct ll_histogram *histogram, int64_t ns);

struct ll_plugin_metrics {
    char plugin[40], version[72];
    uint64_t calls[LL_OUTCOME_COUNT];
    struct ll_histogram duration; /* of all calls, refused ones too */
    int64_t in_flight;
    /* Of pools that are gone: added once, when they go. */
    uint64_t cpu_ns_gone, restarts_gone;
    /* Of pools that live: set to 0 by ll_metrics_begin, then added up. */
    uint64_t cpu_ns, restarts, memory_bytes, workers, breakers_open;
};

struct ll_metrics {
    struct ll_mem *mem;
    struct ll_plugin_metrics *rows;
    uint32_t count, cap;
    struct ll_plugin_metrics other; /* past the bound, or without memory */
};

/* Without rows; `mem` must outlive it. */
void ll_metrics_init(struct ll_metrics *metrics, struct ll_mem *mem);
void ll_metrics_fini(struct ll_metrics *metrics);

/* The row's index of a plugin and version, made when it is new; the rows
 * move when one is added, so keep the index and not the pointer. */
uint32_t ll_metrics_index(
    struct ll_metrics *metrics, linli_str plugin, linli_str version);
/* The row; valid until the next ll_metrics_index. */
struct ll_plugin_metrics *ll_metrics_row(
    struct ll_metrics *metrics, uint32_t index);

/* Before a page: clears what is summed over living pools. */
void ll_metrics_begin(struct ll_metrics *metrics);
/* Appends all families of plugins. */
void ll_metrics_write(struct ll_buf *buf, const struct ll_metrics *metrics);

/* -- the text format, version 0.0.4, for this and other families -- */

#define LL_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct ll_label {
    const char *name;
    linli_str value;
};

/* "# HELP" and "# TYPE"; type is "counter", "gauge" or "histogram". */
void ll_metric_family(
    struct ll_buf *buf, const char *name, const char *type, const char *help);
void ll_metric_labels(
    struct ll_buf *buf, const struct ll_label *labels, uint32_t count);
/* name{labels} value */
struct ll_sample {
    const char *name;
    const struct ll_label *labels;
    uint32_t label_count;
};
void ll_metric_int(
    struct ll_buf *buf, const struct ll_sample *sample, int64_t value);
/* Nanoseconds, written as seconds. */
void ll_metric_seconds(
    struct ll_buf *buf, const struct ll_sample *sample, uint64_t ns);
/* The _bucket, _sum and _count lines; at most 6 labels besides `le`. */
void ll_metric_histogram(struct ll_buf *buf, const struct ll_sample *sample,
    const struct ll_histogram *histogram);

#endif
