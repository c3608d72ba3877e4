/* server/import.c: residents from a spreadsheet. [loop]
 *
 * POST /v1/c/{c}/admin/residents/import[?partial=1]   text/csv
 *
 * The first row names the columns; each other row is a resident, who is made
 * or changed: what a row leaves out stays as it is. Every row is judged first;
 * what is good becomes a seed of residents, which is one commit. A row that
 * is bad is named with its number, its column and what to do, in both
 * languages.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/hash.h"
#include "base/text.h"
#include "consent/guardians.h"
#include "consent/values.h"
#include "host/jwt.h"
#include "host/problem_json.h"
#include "host/seed.h"
#include "server/people.h"

#define SEED_BYTES_MAX ((size_t)8 << 20)
#define ARENA_BYTES_MAX ((size_t)4 << 20)
#define OWNER "operator:"

/* A column that is no field of the dictionary. */
enum own {
    OWN_NONE,
    OWN_ID,
    OWN_HOUSEHOLD,
    OWN_CAPACITY,
    OWN_ELDER,
    OWN_LOCALE
};

struct column {
    enum own own;
    const struct ll_field_def *field; /* OWN_NONE: of this one */
    linli_str name;                   /* as the file has it */
};

struct ll_import_row {
    linli_str id;
    uint32_t row;
};

struct importing {
    struct ll_view view;
    struct ll_community *community;
    char actor[sizeof OWNER + 128];
    bool partial, seeding, gone, again;
    struct ll_arena arena;
    struct ll_csv csv;
    struct column columns[LL_CSV_CELLS_MAX];
    uint32_t column_count;
    struct ll_buf seed, cell, value, errors;
    struct ll_jw seed_w, errors_w; /* `errors` lacks its last bracket */
    struct ll_json tape;
    uint32_t *rows; /* of the residents in the seed, in its order */
    bool *bad;      /* rows that were found to be bad, by number */
    uint32_t row_room, rows_read, good, bad_count, told;
};

static const struct {
    const char *en, *zh;
    enum own own;
} own_columns[] = {
    {"id", "编号", OWN_ID},
    {"household", "户号", OWN_HOUSEHOLD},
    {"capacity", "行为能力", OWN_CAPACITY},
    {"elder", "长辈模式", OWN_ELDER},
    {"locale", "语言", OWN_LOCALE},
};

/* -- what is wrong -- */

struct wrong {
    uint32_t row;
    linli_str column; /* empty: the whole row */
    const char *code, *en, *zh;
};

static void
tell(struct importing *import, const struct wrong *wrong)
{
    struct ll_jw *w = &import->errors_w;
    if (wrong->row < import->row_room && !import->bad[wrong->row]) {
        import->bad[wrong->row] = true;
        import->bad_count++;
    }
    if (import->told++ >= LL_IMPORT_ERRORS_MAX)
        return;
    ll_jw_open(w, '{');
    ll_jw_key(w, "row");
    ll_jw_int(w, wrong->row);
    ll_jw_key(w, "column");
    if (wrong->column.len == 0)
        ll_jw_null(w);
    else
        ll_jw_str(w, wrong->column);
    ll_jw_key(w, "code");
    ll_jw_cstr(w, wrong->code);
    ll_jw_key(w, "message");
    ll_jw_open(w, '{');
    ll_jw_key(w, "zh-CN");
    ll_jw_cstr(w, wrong->zh);
    ll_jw_key(w, "en");
    ll_jw_cstr(w, wrong->en);
    ll_jw_close(w, '}');
    ll_jw_close(w, '}');
}

static bool
wrong_cell(struct importing *import, const struct column *column,
    const char *code, const char *en, const char *zh)
{
    struct wrong wrong = {import->csv.row, column->name, code, en, zh};
    tell(import, &wrong);
    return false;
}

/* -- the first row -- */

static const struct ll_field_def *
field_of(const struct ll_dictionary *dictionary, linli_str name)
{
    int number = ll_dictionary_field(dictionary, name);
    if (number >= 0)
        return &dictionary->fields[number];
    for (uint32_t i = 0; i < dictionary->field_count; i++)
        if (ll_str_eq(dictionary->fields[i].name_zh, name) ||
            ll_str_eq(dictionary->fields[i].name_en, name))
            return &dictionary->fields[i];
    return NULL;
}

static bool
take_column(struct importing *import, struct column *column)
{
    const struct ll_dictionary *dictionary =
        &import->view.face->host->arbiter.dictionary;
    for (size_t i = 0; i < LL_COUNT(own_columns); i++)
        if (ll_str_is(column->name, own_columns[i].en) ||
            ll_str_is(column->name, own_columns[i].zh))
            column->own = own_columns[i].own;
    column->field = field_of(dictionary, column->name);
    if (column->own != OWN_NONE)
        column->field = NULL;
    else if (column->field == NULL)
        return wrong_cell(import, column, "people/column",
            "no column is called so: there are id, household, capacity, "
            "elder, locale and the fields of spec/data-dictionary.json",
            "没有此列: 可用 id(编号)、household(户号)、capacity(行为能力)、"
            "elder(长辈模式)、locale(语言) 以及数据字典中的字段");
    else if (column->field->household)
        return wrong_cell(import, column, "people/column",
            "this is a household's field: PUT .../admin/households/{id}",
            "该字段属于户: 请用 PUT .../admin/households/{id} 填写");
    for (const struct column *other = import->columns; other < column; other++)
        if (other->own == column->own && other->field == column->field)
            return wrong_cell(import, column, "people/column",
                "this column stands twice", "此列重复");
    return true;
}

static bool
take_header(struct importing *import)
{
    bool good = true, id = false;
    import->column_count = 0;
    for (uint32_t i = 0; i < import->csv.cell_count; i++) {
        struct column *column = &import->columns[import->column_count++];
        *column = (struct column){.name = import->csv.cells[i]};
        good = take_column(import, column) && good;
        id |= column->own == OWN_ID;
    }
    if (id)
        return good;
    struct wrong wrong = {import->csv.row, {NULL, 0}, "people/column",
        "the first row must name a column id: who the resident is in the "
        "app's tokens",
        "首行须有 id(编号) 列: 居民在应用令牌中的编号"};
    tell(import, &wrong);
    return false;
}

/* -- a row -- */

static bool
is_id(linli_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                      (c >= 'a' && c <= 'z');
        if (!letter && (i == 0 || strchr("._:@-", c) == NULL))
            return false;
    }
    return s.len >= 1 && s.len <= 63;
}

/* The cell as JSON, into import->cell: text where the field is a text. */
static void
write_cell(
    struct importing *import, const struct ll_field_def *field, linli_str cell)
{
    struct ll_jw w = ll_jw(&import->cell);
    ll_buf_clear(&import->cell);
    if (ll_str_is(field->type, "string"))
        ll_jw_str(&w, cell);
    else
        ll_buf_str(&import->cell, cell);
}

static bool
take_field(struct importing *import, const struct column *column,
    linli_str cell, struct ll_jw *fields)
{
    struct ll_err err;
    write_cell(import, column->field, cell);
    struct ll_value_words words = ll_value_words(column->field);
    if (import->cell.failed ||
        ll_json_parse(&import->tape, ll_buf_view(&import->cell),
            LL_FIELD_VALUE_DEPTH_MAX, &err) != LINLI_OK)
        return wrong_cell(import, column, "field/invalid", words.en, words.zh);
    if (ll_value_take(column->field, ll_json_root(&import->tape),
            &import->value, &err) != LINLI_OK)
        return wrong_cell(import, column, err.code, err.msg,
            err.fix[0] == '\0' ? err.msg : err.fix);
    ll_jw_key_str(fields, column->field->id);
    ll_jw_raw(fields, ll_buf_view(&import->value));
    return true;
}

static bool
take_elder(struct importing *import, const struct column *column,
    linli_str cell, struct ll_jw *w)
{
    bool yes = ll_str_is(cell, "true") || ll_str_is(cell, "是") ||
               ll_str_is(cell, "1");
    bool no = ll_str_is(cell, "false") || ll_str_is(cell, "否") ||
              ll_str_is(cell, "0");
    if (!yes && !no)
        return wrong_cell(
            import, column, "people/row", "true or false", "填 是 或 否");
    ll_jw_key(w, "elder");
    ll_jw_bool(w, yes);
    return true;
}

static bool
take_own(struct importing *import, const struct column *column, linli_str cell,
    struct ll_jw *w)
{
    enum ll_capacity capacity;
    const char *name = own_columns[column->own - OWN_ID].en;
    if (column->own == OWN_ELDER)
        return take_elder(import, column, cell, w);
    if ((column->own == OWN_ID || column->own == OWN_HOUSEHOLD) && !is_id(cell))
        return wrong_cell(import, column, "people/row",
            "1 to 63 letters, digits and . _ : @ -, the first a letter or "
            "digit",
            "1 至 63 个字母、数字或 . _ : @ -, 首位为字母或数字");
    if (column->own == OWN_CAPACITY && !ll_capacity_read(cell, &capacity))
        return wrong_cell(import, column, "people/row", "full, limited or none",
            "填 full、limited 或 none");
    if (column->own == OWN_LOCALE && !ll_str_is(cell, "zh-CN") &&
        !ll_str_is(cell, "en"))
        return wrong_cell(
            import, column, "people/row", "zh-CN or en", "填 zh-CN 或 en");
    ll_jw_key(w, name);
    ll_jw_str(w, cell);
    return true;
}

/* The cells of one kind: the row's own members, or those of `fields`. */
static bool
take_cells(struct importing *import, bool fields, struct ll_jw *w)
{
    bool good = true;
    for (uint32_t i = 0; i < import->column_count; i++) {
        const struct column *column = &import->columns[i];
        linli_str cell = i < import->csv.cell_count ? import->csv.cells[i]
                                                    : (linli_str){NULL, 0};
        if ((column->field != NULL) != fields)
            continue;
        if (cell.len == 0 && column->own != OWN_ID)
            continue;
        good = (fields ? take_field(import, column, cell, w)
                       : take_own(import, column, cell, w)) &&
               good;
    }
    return good;
}

/* The cell of the column id. */
static linli_str
id_of(const struct importing *import)
{
    for (uint32_t i = 0; i < import->column_count && i < import->csv.cell_count;
         i++)
        if (import->columns[i].own == OWN_ID)
            return import->csv.cells[i];
    return (linli_str){NULL, 0};
}

/* A resident in front of the seed's end, or nothing. */
static void
take_row(struct importing *import)
{
    struct ll_jw before = import->seed_w, *w = &import->seed_w;
    size_t len = import->seed.len;
    uint32_t row = import->csv.row;
    bool good = true;
    if (import->again && import->bad[row])
        return;
    if (import->csv.cell_count > import->column_count) {
        struct wrong wrong = {row, {NULL, 0}, "people/row",
            "more cells than the first row has columns",
            "单元格多于首行的列数"};
        tell(import, &wrong);
        return;
    }
    ll_jw_open(w, '{');
    ll_jw_key(w, "community");
    ll_jw_str(w, import->community->id);
    good = take_cells(import, false, w);
    ll_jw_key(w, "fields");
    ll_jw_open(w, '{');
    good = take_cells(import, true, w) && good;
    ll_jw_close(w, '}');
    ll_jw_close(w, '}');
    if (good) {
        import->rows[import->good++] = row;
        return;
    }
    import->seed.len = len;
    *w = before;
}

/* -- all of it -- */

static int
by_id(const void *a, const void *b)
{
    const struct ll_import_row *one = a, *other = b;
    int order = ll_str_cmp(one->id, other->id);
    return order != 0 ? order
                      : (one->row > other->row) - (one->row < other->row);
}

/* An id stands once in a file: the later rows are wrong. */
static void
find_twice(struct importing *import, struct ll_import_row *ids, uint32_t count)
{
    qsort(ids, count, sizeof *ids, by_id);
    for (uint32_t i = 1; i < count; i++) {
        struct wrong wrong = {ids[i].row, LINLI_STR("id"), "people/row",
            "another row has this id", "编号与其他行重复"};
        if (ll_str_eq(ids[i].id, ids[i - 1].id))
            tell(import, &wrong);
    }
}

/* Reads the file into the seed. False without memory. */
static bool
read_rows(struct importing *import, linli_str text, struct ll_err *err)
{
    const char *why[2];
    uint32_t count = 0;
    enum ll_csv_found found;
    struct ll_import_row *ids =
        ll_arena_alloc(&import->arena, (import->row_room + 1) * sizeof *ids);
    if (ids == NULL || ll_csv_begin(&import->csv, text, err) != LINLI_OK)
        return ids != NULL;
    ll_buf_clear(&import->seed);
    import->seed_w = ll_jw(&import->seed);
    import->good = import->rows_read = 0;
    ll_jw_open(&import->seed_w, '{');
    ll_jw_key(&import->seed_w, "residents");
    ll_jw_open(&import->seed_w, '[');
    found = ll_csv_next(&import->csv, &import->arena, why);
    if (found == LL_CSV_ROW && take_header(import))
        while ((found = ll_csv_next(&import->csv, &import->arena, why)) ==
               LL_CSV_ROW) {
            import->rows_read++;
            ids[count++] =
                (struct ll_import_row){id_of(import), import->csv.row};
            take_row(import);
        }
    if (found == LL_CSV_BAD) {
        struct wrong wrong = {
            import->csv.row, {NULL, 0}, "people/row", why[0], why[1]};
        tell(import, &wrong);
    }
    if (!import->again)
        find_twice(import, ids, count);
    ll_jw_close(&import->seed_w, ']');
    ll_jw_close(&import->seed_w, '}');
    return found != LL_CSV_NO_MEMORY && !import->arena.failed &&
           !import->seed.failed && !import->errors.failed;
}

static void begin_seed(struct importing *import);

/* -- answers -- */

static void
answer(struct importing *import, uint32_t written)
{
    struct ll_jw *w = &import->view.w;
    ll_jw_open(w, '{');
    ll_jw_key(w, "rows");
    ll_jw_int(w, import->rows_read);
    ll_jw_key(w, "imported");
    ll_jw_int(w, import->good);
    ll_jw_key(w, "changed");
    ll_jw_int(w, written);
    ll_jw_key(w, "error_count");
    ll_jw_int(w, import->told);
    ll_jw_key(w, "errors");
    ll_jw_raw(w, ll_buf_view(&import->errors));
    ll_buf_char(w->buf, ']');
    ll_jw_close(w, '}');
    ll_view_answer(&import->view);
}

/* A problem whose `errors` are the rows'. */
static void
refuse_rows(struct importing *import)
{
    struct ll_request *request = import->view.request;
    char detail[96];
    (void)snprintf(detail, sizeof detail,
        "%u of %u rows cannot be taken; nothing was changed", import->bad_count,
        import->rows_read);
    struct ll_problem_args args = {
        .row = ll_problem_find(LINLI_STR("people/import")),
        .locale = ll_locale_pick(ll_request_field(request, "accept-language")),
        .detail = ll_cstr(detail),
        .instance = request->path};
    struct ll_buf *out = &import->view.out;
    ll_buf_clear(out);
    ll_problem_write(out, &args);
    if (out->len > 0)
        out->len--; /* its last brace */
    ll_buf_printf(out, ",\"error_count\":%u,\"errors\":", import->told);
    ll_buf_str(out, ll_buf_view(&import->errors));
    ll_buf_cstr(out, "]}");
    ll_view_answer_problem(&import->view, ll_problem_status(&args));
}

/* -- the seed -- */

/* "/residents/12/household" names a row of the seed. */
static void
on_missing(void *user, linli_str pointer)
{
    struct importing *import = user;
    linli_str part, rest = pointer;
    int64_t number = -1;
    for (int i = 0; i < 3; i++)
        if (!ll_str_split(&rest, '/', &part))
            return;
    if (!ll_str_int(part, 0, (int64_t)import->good - 1, &number))
        return;
    struct wrong wrong = {import->rows[number], LINLI_STR("household"),
        "people/row",
        "there is no such household: PUT .../admin/households/{id} makes one",
        "没有此户: 请先用 PUT .../admin/households/{id} 建立"};
    tell(import, &wrong);
}

static void
on_seeded(void *user, linli_status status, const struct ll_err *err,
    uint32_t documents, uint32_t plugins)
{
    struct importing *import = user;
    LL_UNUSED(plugins);
    import->seeding = false;
    if (import->gone)
        import->view.end(&import->view);
    else if (status == LINLI_OK)
        answer(import, documents);
    else if (import->told == 0 || import->bad_count == 0)
        ll_view_refuse(&import->view, err);
    else if (!import->partial)
        refuse_rows(import);
    else
        begin_seed(import);
}

/* Takes the rows that are good, of what was read. */
static void
begin_seed(struct importing *import)
{
    struct ll_host *host = import->view.face->host;
    struct ll_err err;
    linli_status status = LINLI_OK;
    if (import->bad_count > 0) {
        import->again = true;
        if (!read_rows(import, import->view.request->body, &err))
            status = ll_fail(
                &err, LINLI_E_NOMEM, "runtime/memory", "a file of rows");
    }
    if (status == LINLI_OK && import->good == 0) {
        answer(import, 0);
        return;
    }
    struct ll_seeding how = {.json = ll_buf_view(&import->seed),
        .actor = ll_cstr(import->actor),
        .channel = LINLI_STR("import"),
        .merge = true,
        .missing = on_missing,
        .done = on_seeded,
        .user = import};
    if (status == LINLI_OK)
        status = ll_seed_as(host, &how, &err);
    import->seeding = status == LINLI_OK;
    if (status != LINLI_OK)
        ll_view_refuse(&import->view, &err);
}

/* -- beginning -- */

static void
end_import(struct ll_view *view)
{
    struct importing *import = LL_CONTAINER(view, struct importing, view);
    struct ll_mem *mem = &import->community->host->mem;
    import->gone = import->seeding;
    if (import->gone)
        return;
    ll_wipe(&import->seed);
    ll_buf_fini(&import->seed);
    ll_wipe(&import->cell);
    ll_buf_fini(&import->cell);
    ll_wipe(&import->value);
    ll_buf_fini(&import->value);
    ll_buf_fini(&import->errors);
    ll_json_fini(&import->tape);
    ll_arena_fini(&import->arena);
    ll_release(mem, import, sizeof *import);
}

static void
step_import(struct ll_view *view)
{
    LL_UNUSED(view);
}

/* How many rows there can be. */
static uint32_t
count_lines(linli_str text)
{
    uint32_t lines = 2;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

static linli_status
check_request(struct importing *import, struct ll_err *err)
{
    static const char *const names[] = {"partial", NULL};
    struct ll_request *request = import->view.request;
    linli_str type = ll_request_field(request, "content-type");
    struct ll_params *params = ll_arena_alloc(&import->arena, sizeof *params);
    if (params == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "rows");
    linli_status status = ll_params_read(params, names, request->query, err);
    int64_t partial = 0;
    if (status == LINLI_OK)
        status = ll_param_int(params, "partial", 0, 1, &partial, err);
    import->partial = partial != 0;
    if (status == LINLI_OK &&
        !(type.len >= 8 &&
            ll_str_eq_nocase((linli_str){type.ptr, 8}, "text/csv")))
        status = ll_fail(err, LINLI_E_INVALID, "request/content-type",
            "this path takes text/csv");
    import->row_room = count_lines(request->body);
    if (status == LINLI_OK && import->row_room > LL_SEED_DOCUMENTS_MAX)
        status = ll_fail(err, LINLI_E_LIMIT, "request/invalid",
            "more than %d rows: use several files", LL_SEED_DOCUMENTS_MAX - 2);
    size_t rows = import->row_room + 1;
    import->rows = ll_arena_alloc(&import->arena, rows * sizeof *import->rows);
    import->bad = ll_arena_alloc(&import->arena, rows * sizeof *import->bad);
    if (status == LINLI_OK && (import->rows == NULL || import->bad == NULL))
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "rows");
    return status;
}

void
ll_import_begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str operator_id)
{
    struct ll_mem *mem = &face->host->mem;
    struct importing *import = ll_alloc(mem, sizeof *import);
    struct ll_err err = {.code = ""};
    if (import == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    import->community = community;
    (void)snprintf(
        import->actor, sizeof import->actor, OWNER "%.*s", LL_FMT(operator_id));
    import->view.step = step_import;
    import->view.end = end_import;
    ll_arena_init(&import->arena, mem, ARENA_BYTES_MAX);
    ll_buf_init(&import->seed, mem, SEED_BYTES_MAX);
    ll_buf_init(&import->cell, mem, 2 * LL_FIELD_VALUE_BYTES_MAX);
    ll_buf_init(&import->value, mem, 2 * LL_FIELD_VALUE_BYTES_MAX);
    ll_buf_init(&import->errors, mem, LL_HTTP_RESPONSE_BYTES_MAX / 2);
    ll_json_init(&import->tape, mem);
    ll_view_begin(&import->view, face, request);
    import->errors_w = ll_jw(&import->errors);
    ll_jw_open(&import->errors_w, '[');
    linli_status status = check_request(import, &err);
    if (status == LINLI_OK && !read_rows(import, request->body, &err))
        status =
            ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a file of rows");
    if (status != LINLI_OK || err.code[0] != '\0')
        ll_view_refuse(&import->view, &err);
    else if (import->told > 0 && (!import->partial || import->rows_read == 0))
        refuse_rows(import);
    else
        begin_seed(import);
}
