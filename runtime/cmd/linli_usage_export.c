/* cmd/linli_usage_export.c: `linli usage export`: usage records to a file or to
 * stdout, page by page (spec/metering.md, section 14).
 *
 * Beside FILE lies FILE.cursor: how far FILE goes, in records and in bytes. It
 * is written when what it says is on the disk, and what FILE has beyond it is
 * cut off before anything is added: so each record is in FILE once, whatever
 * is killed.
 */
#include "cmd/linli_cli.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "domain/usage_export.h"
#include "world/file.h"

#define CURSOR_BYTES_MAX 4096
#define FILE_MODE 0600
#define EMPTY_BYTES_MAX 256

struct exporting {
    struct ll_cli *cli;
    enum ll_usage_format format;
    linli_str token;
    const char *out;     /* NULL: stdout */
    const char *cursor;  /* its file */
    uint64_t after;      /* all up to this LSN is there */
    int64_t bytes;       /* of `out` */
    bool begun;          /* something has been written */
    bool more;           /* there may be records behind it */
    struct ll_buf empty; /* what a document without records is */
};

/* -- the place -- */

static linli_status
bad_cursor(const struct exporting *e, const char *why, struct ll_err *err)
{
    linli_status status = ll_fail(err, LINLI_E_INVALID, "usage", "%s", why);
    ll_err_where(err, "%s", e->cursor);
    return status;
}

static linli_status
take_cursor(struct exporting *e, linli_str text, struct ll_err *err)
{
    struct ll_json json;
    int64_t after = -1, bytes = -1;
    ll_json_init(&json, &e->cli->mem);
    linli_status status = ll_json_parse(&json, text, 4, err);
    if (status == LINLI_OK) {
        struct ll_jv root = ll_json_root(&json);
        if (!ll_jv_int(ll_jv_get(root, "after"), &after) || after < 0 ||
            !ll_jv_int(ll_jv_get(root, "bytes"), &bytes) || bytes < 0)
            status = bad_cursor(e, "it is no cursor of an export", err);
        else if (!ll_str_is(ll_jv_str(ll_jv_get(root, "format")),
                     ll_usage_doc_word(e->format)) ||
                 !ll_str_is(ll_jv_str(ll_jv_get(root, "community")),
                     e->cli->community))
            status = bad_cursor(
                e, "the file is of another format or community", err);
    }
    ll_json_fini(&json);
    e->after = status == LINLI_OK ? (uint64_t)after : 0;
    e->bytes = status == LINLI_OK ? bytes : 0;
    e->begun = e->bytes > 0;
    return status;
}

static linli_status
put_cursor(const struct exporting *e, struct ll_err *err)
{
    struct ll_buf text;
    ll_buf_init(&text, &e->cli->mem, CURSOR_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "community");
    ll_jw_cstr(&w, e->cli->community);
    ll_jw_key(&w, "format");
    ll_jw_cstr(&w, ll_usage_doc_word(e->format));
    ll_jw_key(&w, "after");
    ll_jw_int(&w, (int64_t)e->after);
    ll_jw_key(&w, "bytes");
    ll_jw_int(&w, e->bytes);
    ll_jw_close(&w, '}');
    ll_buf_char(&text, '\n');
    linli_status status =
        text.failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a cursor")
                    : ll_file_write(LL_AT_CWD, e->cursor, ll_buf_view(&text),
                          FILE_MODE, err);
    ll_buf_fini(&text);
    return status;
}

/* The cursor first: a FILE without one is somebody else's. */
static linli_status
begin_out(struct exporting *e, struct ll_err *err)
{
    if (ll_file_there(LL_AT_CWD, e->out)) {
        linli_status status = ll_fail(
            err, LINLI_E_CONFLICT, "cli/file", "it is there, without a cursor");
        ll_err_where(err, "%s", e->out);
        ll_err_fix(err, "name a file that is not there yet, or one that an "
                        "export has begun, beside its .cursor");
        return status;
    }
    linli_status status = put_cursor(e, err);
    return status == LINLI_OK ? ll_file_make(LL_AT_CWD, e->out, FILE_MODE, err)
                              : status;
}

/* Goes on where FILE.cursor says, or begins a new FILE. */
static linli_status
open_out(struct exporting *e, struct ll_err *err)
{
    linli_str text;
    e->cursor = ll_cli_text(e->cli, "%s.cursor", e->out);
    if (e->cursor == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "--out is too long");
    if (!ll_file_there(LL_AT_CWD, e->cursor))
        return begin_out(e, err);
    if (e->cli->args->value[LL_OPT_AFTER] != NULL)
        return bad_cursor(e, "it says where to go on: leave --after away", err);
    linli_status status =
        ll_cli_read(e->cli, e->cursor, CURSOR_BYTES_MAX, &text, err);
    if (status == LINLI_OK)
        status = take_cursor(e, text, err);
    if (status != LINLI_OK)
        return status;
    if (e->bytes == 0 && !ll_file_there(LL_AT_CWD, e->out))
        return ll_file_make(LL_AT_CWD, e->out, FILE_MODE, err);
    return ll_file_cut(LL_AT_CWD, e->out, e->bytes, err);
}

/* -- a document -- */

/* The line of the names stands once; a document of JSON is a line. */
static linli_status
write_document(struct exporting *e, linli_str body, struct ll_err *err)
{
    linli_str empty = ll_buf_view(&e->empty), end = LINLI_STR("\n");
    if (e->begun && e->format == LL_EXPORT_CSV && body.len >= empty.len)
        body = (linli_str){body.ptr + empty.len, body.len - empty.len};
    else if (e->format != LL_EXPORT_CSV && ll_str_eq(body, empty))
        body.len = 0;
    if (body.len == 0)
        return LINLI_OK;
    if (body.ptr[body.len - 1] == '\n')
        end.len = 0;
    e->begun = true;
    if (e->out == NULL) {
        bool written = fwrite(body.ptr, 1, body.len, stdout) == body.len &&
                       fwrite(end.ptr, 1, end.len, stdout) == end.len &&
                       fflush(stdout) == 0;
        return written ? LINLI_OK
                       : ll_fail(err, LINLI_E_IO, "cli/file",
                             "stdout cannot be written");
    }
    linli_status status = ll_file_append(LL_AT_CWD, e->out, body, err);
    if (status == LINLI_OK && end.len > 0)
        status = ll_file_append(LL_AT_CWD, e->out, end, err);
    e->bytes += (int64_t)(body.len + end.len);
    return status;
}

/* A field of an answer's head; empty if there is none. */
static linli_str
field_of(const struct ll_answer *answer, const char *name)
{
    linli_str rest = ll_buf_view(&answer->headers), line;
    size_t n = strlen(name);
    while (ll_str_split(&rest, '\n', &line)) {
        if (line.len <= n || line.ptr[n] != ':' ||
            strncasecmp(line.ptr, name, n) != 0)
            continue;
        linli_str value = {line.ptr + n + 1, line.len - n - 1};
        while (value.len > 0 && value.ptr[0] == ' ')
            value = (linli_str){value.ptr + 1, value.len - 1};
        while (value.len > 0 && (value.ptr[value.len - 1] == '\r' ||
                                    value.ptr[value.len - 1] == ' '))
            value.len--;
        return value;
    }
    return (linli_str){NULL, 0};
}

static linli_status
take_page(
    struct exporting *e, const struct ll_answer *answer, struct ll_err *err)
{
    int64_t next = 0;
    linli_str more = field_of(answer, "linli-more");
    if (!ll_str_int(field_of(answer, "linli-next-after"), (int64_t)e->after,
            INT64_MAX, &next) ||
        (!ll_str_is(more, "true") && !ll_str_is(more, "false")))
        return ll_fail(err, LINLI_E_PROTOCOL, "cli/refused",
            "linlid does not say where the export goes on");
    e->more = ll_str_is(more, "true");
    linli_status status = write_document(e, ll_buf_view(&answer->body), err);
    e->after = (uint64_t)next;
    if (status == LINLI_OK && e->out != NULL)
        status = put_cursor(e, err);
    return status;
}

static linli_status
next_page(struct exporting *e, struct ll_err *err)
{
    struct ll_cli *cli = e->cli;
    struct ll_answer answer = {0};
    char *community = ll_cli_segment(cli, cli->community);
    struct ll_ask ask = {
        .method = "GET", .token = e->token, .wait_ms = LL_CLI_ANSWER_MS};
    if (community != NULL)
        ask.url = ll_cli_text(cli,
            "/v1/c/%s/admin/usage/export?format=%s&after=%llu&limit=%u",
            community, ll_usage_doc_word(e->format),
            (unsigned long long)e->after, ll_usage_doc_most(e->format));
    if (ask.url == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "a name is too long");
    linli_status status = ll_cli_ask(cli, &ask, &answer, err);
    if (status == LINLI_OK)
        status = ll_cli_judge(cli, &answer, err);
    if (status == LINLI_OK)
        status = take_page(e, &answer, err);
    ll_answer_free(&answer);
    return status;
}

/* -- the verb -- */

static linli_status
read_options(struct exporting *e, struct ll_err *err)
{
    const struct ll_args *args = e->cli->args;
    const char *format = args->value[LL_OPT_FORMAT];
    const char *after = args->value[LL_OPT_AFTER];
    int64_t lsn = 0;
    e->out = args->value[LL_OPT_OUT];
    if (format != NULL && !ll_usage_format_read(ll_cstr(format), &e->format))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--format is cloudevents, cloudevents-batch, csv, openmeter or "
            "lago");
    if (after != NULL && !ll_str_int(ll_cstr(after), 0, INT64_MAX - 1, &lsn))
        return ll_fail(
            err, LINLI_E_INVALID, "usage", "--after takes the LSN of a record");
    e->after = (uint64_t)lsn;
    return LINLI_OK;
}

static linli_status
export_all(struct exporting *e, struct ll_err *err)
{
    struct ll_cli *cli = e->cli;
    struct ll_usage_doc empty = {.out = &e->empty, .format = e->format};
    linli_status status = LINLI_OK;
    ll_usage_doc_begin(&empty);
    ll_usage_doc_end(&empty);
    if (e->empty.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an export");
    if (cli->base_url == NULL)
        status = ll_cli_find(cli, err);
    if (status == LINLI_OK)
        status = ll_cli_mint(
            cli, LL_CLI_OPERATOR, ll_cstr(cli->community), &e->token, err);
    if (status == LINLI_OK && e->out != NULL)
        status = open_out(e, err);
    do {
        if (status == LINLI_OK)
            status = next_page(e, err);
    } while (status == LINLI_OK && e->more);
    return status;
}

linli_status
ll_cli_usage_export(struct ll_cli *cli, struct ll_err *err)
{
    struct exporting e = {.cli = cli};
    ll_buf_init(&e.empty, &cli->mem, EMPTY_BYTES_MAX);
    linli_status status = read_options(&e, err);
    if (status == LINLI_OK)
        status = export_all(&e, err);
    if (status == LINLI_OK && e.out != NULL && cli->json)
        (void)printf("{\"after\":%llu,\"bytes\":%lld}\n",
            (unsigned long long)e.after, (long long)e.bytes);
    else if (status == LINLI_OK && e.out != NULL)
        (void)printf("LSN %llu, %lld bytes\n", (unsigned long long)e.after,
            (long long)e.bytes);
    ll_buf_fini(&e.empty);
    return status;
}
