/* host/usage_rows.h: a community's usage records, from segments into a
 * document of others. [loop]
 *
 * Whoever exports asks for segments behind a place (an LSN), gives their rows
 * here, and asks again from where they end until the document is full or no
 * row comes. Records get their numbers in the order in which they become
 * durable and never another, so a place is the same whoever else records
 * meanwhile: nothing comes behind it later.
 */
#ifndef LL_HOST_USAGE_ROWS_H
#define LL_HOST_USAGE_ROWS_H

#include "domain/usage_export.h"
#include "host/host.h"

struct ll_usage_rows {
    const struct ll_host *host;
    linli_str community;
    uint64_t after; /* looked at so far: the LSN of the last record */
    uint32_t most;  /* records of the document, */
    uint32_t place; /* so many so far, with those that are left out: */
    const unsigned char *skip; /* by place, not 0; NULL: none */
    struct ll_usage_doc *into;
    bool seen; /* a segment, so `after` is a place of this database */
    bool full; /* it has so many, or so many bytes (LL_EXPORT_BYTES_MAX) */
};

/* Puts the parameters and the bounds of LL_ST_segment_list: the segment that
 * holds `after`, and those behind it. If that brings no row and `after` is not
 * 0, there never was such a record, or an older copy has been restored. */
void ll_usage_rows_ask(struct ll_query *query, uint64_t after);
/* Adds what the rows have of the community, and goes on to their end, or to
 * where the document was full. False if a row cannot be read, or a record
 * names no series: the database is damaged. */
bool ll_usage_rows_take(
    struct ll_usage_rows *rows, const struct ll_query *query);

/* The source of a community's records, as ll_usage_doc_source. */
void ll_usage_rows_source(
    const struct ll_host *host, linli_str community, struct ll_buf *out);

#endif
