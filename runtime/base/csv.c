/* base/csv.c: rows and cells of CSV. [any] pure */
#include "base/csv.h"

#include "base/text.h"

linli_status
ll_csv_begin(struct ll_csv *csv, linli_str text, struct ll_err *err)
{
    *csv = (struct ll_csv){.rest = text};
    if (!ll_utf8_valid(text) ||
        (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL)) {
        (void)ll_fail(err, LINLI_E_INVALID, "people/encoding",
            "the file is not UTF-8; it may be GBK or UTF-16. Save it as "
            "\"CSV UTF-8\", or run: iconv -f GB18030 -t UTF-8 FILE");
        ll_err_fix(err, "文件不是 UTF-8 编码 (可能是 GBK 或 UTF-16)。请另存为 "
                        "\"CSV UTF-8\", "
                        "或运行: iconv -f GB18030 -t UTF-8 文件");
        return LINLI_E_INVALID;
    }
    if (ll_str_starts(text, "\xef\xbb\xbf"))
        csv->rest = (linli_str){text.ptr + 3, text.len - 3};
    return LINLI_OK;
}

/* How a cell ended. */
enum end { COMMA, LINE, TEXT, TORN };

static enum end
take_end(linli_str *rest)
{
    size_t n = 1;
    enum end end = LINE;
    if (rest->len == 0)
        return TEXT;
    if (rest->ptr[0] == ',')
        end = COMMA;
    else if (ll_str_starts(*rest, "\r\n"))
        n = 2;
    else if (rest->ptr[0] != '\n')
        return TORN;
    *rest = (linli_str){rest->ptr + n, rest->len - n};
    return end;
}

/* One without quotes around it. */
static enum end
take_plain(linli_str *rest, linli_str *cell)
{
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != ',' && rest->ptr[n] != '\n' &&
           rest->ptr[n] != '"' &&
           !(rest->ptr[n] == '\r' && n + 1 < rest->len &&
               rest->ptr[n + 1] == '\n'))
        n++;
    *cell = (linli_str){rest->ptr, n};
    *rest = (linli_str){rest->ptr + n, rest->len - n};
    return take_end(rest);
}

/* One that begins with a quote: false if there is no second. */
static bool
take_quoted(linli_str *rest, struct ll_arena *arena, linli_str *cell)
{
    size_t n = 1, quotes = 0;
    for (; n < rest->len; n++) {
        if (rest->ptr[n] != '"')
            continue;
        if (n + 1 >= rest->len || rest->ptr[n + 1] != '"')
            break;
        n++;
        quotes++;
    }
    if (n >= rest->len)
        return false;
    *cell = (linli_str){rest->ptr + 1, n - 1};
    *rest = (linli_str){rest->ptr + n + 1, rest->len - n - 1};
    char *out = quotes == 0 ? NULL : ll_arena_alloc(arena, cell->len);
    if (out == NULL)
        return true;
    size_t len = 0;
    for (size_t i = 0; i < cell->len; i++) {
        out[len++] = cell->ptr[i];
        i += cell->ptr[i] == '"';
    }
    *cell = (linli_str){out, len};
    return true;
}

static enum ll_csv_found
bad(const char *why[2], const char *en, const char *zh)
{
    why[0] = en;
    why[1] = zh;
    return LL_CSV_BAD;
}

static enum ll_csv_found
take_row(struct ll_csv *csv, struct ll_arena *arena, const char *why[2])
{
    enum end end = COMMA;
    csv->row++;
    csv->cell_count = 0;
    while (end == COMMA) {
        if (csv->cell_count == LL_CSV_CELLS_MAX)
            return bad(why, "more than 128 cells", "单元格超过 128 个");
        linli_str *cell = &csv->cells[csv->cell_count++];
        if (csv->rest.len == 0 || csv->rest.ptr[0] != '"')
            end = take_plain(&csv->rest, cell);
        else if (take_quoted(&csv->rest, arena, cell))
            end = take_end(&csv->rest);
        else
            return bad(why, "a quote is never closed", "引号没有闭合");
        if (end == TORN)
            return bad(why,
                "a quote inside a cell: put the whole cell in quotes and "
                "write the quote twice",
                "单元格中含有引号: 请给整个单元格加引号, 其中的引号写两次");
    }
    return arena->failed ? LL_CSV_NO_MEMORY : LL_CSV_ROW;
}

enum ll_csv_found
ll_csv_next(struct ll_csv *csv, struct ll_arena *arena, const char *why[2])
{
    while (csv->rest.len > 0) {
        enum ll_csv_found found = take_row(csv, arena, why);
        bool empty = csv->cell_count == 1 && csv->cells[0].len == 0;
        if (found != LL_CSV_ROW || !empty)
            return found;
    }
    return LL_CSV_END;
}
