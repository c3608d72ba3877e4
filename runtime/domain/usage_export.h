/* domain/usage_export.h: usage records as others read them. [any] pure
 *
 * spec/metering.md, section 14. One record becomes one CloudEvent, one line
 * of CSV or one event of Lago; never a resident's, whoever reads it. Its `id`
 * is what the far side knows a repetition by: the same wherever, whenever and
 * how often the record is exported, and no other record's.
 */
#ifndef LL_DOMAIN_USAGE_EXPORT_H
#define LL_DOMAIN_USAGE_EXPORT_H

#include "base/limits.h"
#include "domain/usage.h"

/* X(name, word, media type, most records of one document) */
#define LL_EXPORT_FORMATS(X)                                            \
    X(CLOUDEVENTS, "cloudevents", "application/x-ndjson",               \
        LL_EXPORT_RECORDS_MAX)                                          \
    X(BATCH, "cloudevents-batch", "application/cloudevents-batch+json", \
        LL_EXPORT_RECORDS_MAX)                                          \
    X(CSV, "csv", "text/csv", LL_EXPORT_RECORDS_MAX)                    \
    X(OPENMETER, "openmeter", "application/cloudevents-batch+json",     \
        LL_EXPORT_RECORDS_MAX)                                          \
    X(LAGO, "lago", "application/json", LL_EXPORT_LAGO_MAX)

enum ll_usage_format {
#define X(name, word, media, most) LL_EXPORT_##name,
    LL_EXPORT_FORMATS(X)
#undef X
};

/* "cloudevents"; its media type; how many records one request may have. */
const char *ll_usage_doc_word(enum ll_usage_format format);
const char *ll_usage_doc_media(enum ll_usage_format format);
uint32_t ll_usage_doc_most(enum ll_usage_format format);
/* False if no format is called so. */
bool ll_usage_format_read(linli_str word, enum ll_usage_format *out);

/* "urn:linli:ORIGIN:COMMUNITY": the log of a database, and a community in it;
 * what a URN may not hold, and ':', is percent-encoded. */
void ll_usage_doc_source(
    struct ll_buf *out, linli_str origin, linli_str community);

/* "CALL-LSN": 32 hexadecimal digits, '-', the record's number; and a NUL. */
#define LL_EXPORT_ID_BYTES (32 + 1 + 20 + 1)
void ll_usage_doc_id(
    const struct ll_usage *usage, uint64_t lsn, char out[LL_EXPORT_ID_BYTES]);

/* A record with what its series says in words. Borrowed. */
struct ll_usage_line {
    struct ll_usage usage;
    uint64_t lsn;
    linli_str plugin, meter;
    uint32_t subscription; /* 0, 1: nobody's (billing/subs.h) */
    linli_str plan;        /* its name; empty: of no plan */
    uint32_t plan_version;
};

/* One document of records, written in order into a buffer. */
struct ll_usage_doc {
    struct ll_buf *out;
    enum ll_usage_format format;
    linli_str source; /* as ll_usage_doc_source makes it */
    uint32_t count;   /* of records so far */
};
void ll_usage_doc_begin(struct ll_usage_doc *e);
void ll_usage_doc_add(
    struct ll_usage_doc *e, const struct ll_usage_line *record);
/* Without a record it is whole too: an empty list, or a head alone. */
void ll_usage_doc_end(struct ll_usage_doc *e);

#endif
