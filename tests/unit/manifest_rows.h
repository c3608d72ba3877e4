/* tests/unit/manifest_rows.h: manifests in a table, and what is said of them.
 *
 * A text may have ' for ": it reads better in C, and no row needs one.
 */
#ifndef MANIFEST_ROWS_H
#define MANIFEST_ROWS_H

#include "base/text.h"
#include "plugin/manifest.h"
#include "t.h"

#define ROW_TEXT_BYTES 8192

static inline linli_status
read_text(struct ll_mem *mem, const char *text, struct ll_manifest **m,
    struct ll_err *err)
{
    ll_mem_init(mem, 0);
    memset(err, 0, sizeof *err);
    return ll_manifest_read(mem, ll_cstr(text), m, err);
}

struct row {
    const char *text;  /* whole, or members after HEAD when it starts ',' */
    const char *code;  /* "" is success */
    const char *where; /* after "plugin.json: " */
    const char *says;  /* within msg or fix */
};

#define HEAD                                                         \
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":" \
    "\"lua\",\"main\":\"main.lua\""
#define ROUTE(rest) \
    ",\"routes\":[{\"method\":\"POST\",\"caller\":[\"app\"]," rest "}]"

/* The manifest of a row. */
static inline void
row_text(const char *row, char text[ROW_TEXT_BYTES])
{
    bool part = row[0] == ',';
    (void)snprintf(
        text, ROW_TEXT_BYTES, "%s%s%s", part ? HEAD : "", row, part ? "}" : "");
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
}

static inline bool
row_holds(const struct row *row, linli_status status, const struct ll_err *err)
{
    char where[192];
    if (row->code[0] == '\0')
        return status == LINLI_OK;
    (void)snprintf(where, sizeof where, "plugin.json: %s", row->where);
    size_t n = strlen(where);
    return status < 0 && strcmp(err->code, row->code) == 0 &&
           strncmp(err->where, where, n) == 0 &&
           (row->where[0] != '/' || err->where[n] == '\0') &&
           (strstr(err->msg, row->says) != NULL ||
               strstr(err->fix, row->says) != NULL);
}

static inline void
check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[ROW_TEXT_BYTES];
        struct ll_mem mem;
        struct ll_manifest *m;
        struct ll_err err;
        row_text(rows[i].text, text);
        linli_status status = read_text(&mem, text, &m, &err);
        bool ok = row_holds(&rows[i], status, &err);
        T_OK(ok);
        if (!ok)
            printf("# row %zu: %s\n#   got %d %s, %s: %s (%s)\n", i, text,
                (int)status, err.code, err.where, err.msg, err.fix);
        ll_manifest_free(&m);
        T_INT(mem.used_bytes, 0);
    }
}

#endif
