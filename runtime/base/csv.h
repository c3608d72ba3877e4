/* base/csv.h: CSV as spreadsheets write it (RFC 4180). [any] pure
 *
 * Cells are separated by commas; one in quotes may hold commas, quotes (twice)
 * and line ends. Lines end with LF or CRLF. A byte order mark of UTF-8 in front
 * is passed over. Text that is not UTF-8 is refused as a whole: a file in GBK
 * would become other words, not an error.
 */
#ifndef LL_BASE_CSV_H
#define LL_BASE_CSV_H

#include "base/err.h"
#include "base/mem.h"

#define LL_CSV_CELLS_MAX 128 /* of a row */

struct ll_csv {
    linli_str rest;
    uint32_t row; /* the number of the row that was read last, from 1 */
    uint32_t cell_count;
    linli_str cells[LL_CSV_CELLS_MAX]; /* borrowed from the text or `arena` */
};

/* Whether it can be read at all. Code "people/encoding". `text` is borrowed. */
linli_status ll_csv_begin(
    struct ll_csv *csv, linli_str text, struct ll_err *err) LL_USE_RESULT;

enum ll_csv_found {
    LL_CSV_ROW,
    LL_CSV_END,
    LL_CSV_BAD, /* *why says what is wrong with the row; nothing after it can
                   be trusted to be what it seems */
    LL_CSV_NO_MEMORY
};
/* The next row that is not empty. Cells with quotes in them are made in
 * `arena`. `why` has English and Chinese. */
enum ll_csv_found ll_csv_next(
    struct ll_csv *csv, struct ll_arena *arena, const char *why[2]);

#endif
