/* cmd/linli_call.c: `linli call METHOD PATH`: one request, its answer. */
#include "cmd/linli_cli.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

#define METHOD_BYTES_MAX 16
#define KEY_RANDOM_BYTES 16
#define OWN_HEADERS_MAX 4                 /* type, key, If-Match, signature */
#define LOG_END_BYTES ((size_t)256 << 10) /* what is looked at of a log */

/* A call as it is put together. */
struct call {
    const char *method;
    char *path; /* on linlid, begins with '/' */
    linli_str community;
    const char *headers[LL_CLI_HEADERS_MAX + OWN_HEADERS_MAX];
    uint32_t header_count;
};

static bool
has_header(const struct call *call, const char *name)
{
    for (uint32_t i = 0; i < call->header_count; i++) {
        linli_str rest = ll_cstr(call->headers[i]), field;
        (void)ll_str_split(&rest, ':', &field);
        if (ll_str_eq_nocase(field, name))
            return true;
    }
    return false;
}

/* A path that begins with '/' is linlid's own; any other stands below the
 * community: "parking/tariffs" is /v1/c/demo/parking/tariffs. */
static linli_status
read_path(struct ll_cli *cli, struct call *call, struct ll_err *err)
{
    const char *given = cli->args->words[1];
    linli_str rest = ll_cstr(given), part;
    bool own = given[0] == '/';
    call->path = own ? ll_cli_text(cli, "%s", given)
                     : ll_cli_text(cli, "/v1/c/%s/%s", cli->community, given);
    if (call->path == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "the path is too long");
    call->community = ll_cstr(cli->community);
    if (cli->args->value[LL_OPT_COMMUNITY] != NULL ||
        !ll_str_starts(rest, "/v1/c/"))
        return LINLI_OK;
    /* The token is for the community that the path names. */
    rest.ptr += sizeof "/v1/c/" - 1;
    rest.len -= sizeof "/v1/c/" - 1;
    if (ll_str_split(&rest, '/', &part) && part.len > 0)
        call->community = part;
    return LINLI_OK;
}

static linli_status
read_method(struct ll_cli *cli, struct call *call, struct ll_err *err)
{
    size_t n = strlen(cli->args->words[0]);
    char method[METHOD_BYTES_MAX + 1] = "";
    bool ok = n > 0 && n <= METHOD_BYTES_MAX;
    for (size_t i = 0; ok && i < n; i++) {
        char c = cli->args->words[0][i];
        method[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        ok = method[i] >= 'A' && method[i] <= 'Z';
    }
    if (!ok)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "METHOD is a word such as GET or POST");
    call->method = ll_cli_text(cli, "%s", method);
    return call->method != NULL
               ? LINLI_OK
               : ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no call");
}

static linli_status
read_headers(struct ll_cli *cli, struct call *call, struct ll_err *err)
{
    for (uint32_t i = 0; i < cli->args->header_count; i++) {
        const char *header = cli->args->headers[i];
        const char *colon = strchr(header, ':');
        if (colon == NULL || colon == header || strpbrk(header, "\r\n") != NULL)
            return ll_fail(err, LINLI_E_INVALID, "usage",
                "-H takes one line 'NAME: VALUE'");
        call->headers[call->header_count++] = header;
    }
    if (cli->args->value[LL_OPT_AS] != NULL &&
        (has_header(call, "authorization") ||
            cli->args->value[LL_OPT_TOKEN_FILE] != NULL))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--as and another token are given: which is meant?");
    return LINLI_OK;
}

static linli_status
read_body(
    struct ll_cli *cli, struct call *call, linli_str *body, struct ll_err *err)
{
    const char *given = cli->args->value[LL_OPT_BODY];
    *body = (linli_str){NULL, 0};
    if (given == NULL)
        return LINLI_OK;
    if (!has_header(call, "content-type"))
        call->headers[call->header_count++] = "Content-Type: application/json";
    *body = ll_cstr(given);
    if (given[0] != '@')
        return LINLI_OK;
    return ll_cli_read(cli, given + 1, LL_CLI_BODY_BYTES_MAX, body, err);
}

/* "7" and 7 are the same tag; "*" is any. */
static linli_status
add_if_match(struct ll_cli *cli, struct call *call, struct ll_err *err)
{
    const char *tag = cli->args->value[LL_OPT_IF_MATCH];
    if (tag == NULL)
        return LINLI_OK;
    if (has_header(call, "if-match"))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--if-match and -H If-Match are both given");
    linli_str inner = ll_cstr(tag);
    bool any = strcmp(tag, "*") == 0;
    if (inner.len >= 2 && tag[0] == '"' && tag[inner.len - 1] == '"')
        inner = (linli_str){tag + 1, inner.len - 2};
    if (!any && !ll_etag_valid(inner))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--if-match takes the ETag of an answer, or *");
    char *header = any ? ll_cli_text(cli, "If-Match: *")
                       : ll_cli_text(cli, "If-Match: \"%.*s\"", LL_FMT(inner));
    if (header == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "--if-match is too long");
    call->headers[call->header_count++] = header;
    return LINLI_OK;
}

static bool
changes_something(const char *method)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < LL_COUNT(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

/* A key that was made up is told, so that the call can be repeated. */
static linli_status
add_key(struct ll_cli *cli, struct call *call, struct ll_err *err)
{
    const char *key = cli->args->value[LL_OPT_KEY];
    unsigned char bytes[KEY_RANDOM_BYTES];
    char made_up[2 * KEY_RANDOM_BYTES + 1];
    bool given = has_header(call, "idempotency-key");
    if (key != NULL && given)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--key and -H Idempotency-Key are both given");
    if (key != NULL && strpbrk(key, "\r\n") != NULL)
        return ll_fail(err, LINLI_E_INVALID, "usage", "--key is one line");
    if (given || (key == NULL && !changes_something(call->method)))
        return LINLI_OK;
    if (key == NULL) {
        ll_world_random(cli->world, bytes, sizeof bytes);
        ll_hex(bytes, sizeof bytes, made_up);
        key = made_up;
        (void)fprintf(stderr, "Idempotency-Key: %s\n", key);
    }
    char *header = ll_cli_text(cli, "Idempotency-Key: %s", key);
    if (header == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "--key is too long");
    call->headers[call->header_count++] = header;
    return LINLI_OK;
}

/* All values of a field, joined as RFC 9110 section 5.3 allows; *first tells
 * whether `field` is its first line. */
static void
put_field(struct ll_jw *w, linli_str lines, linli_str field, linli_str name)
{
    char value[4096] = "", lower[128] = "";
    size_t used = 0;
    linli_str rest = lines, line;
    while (ll_str_split(&rest, '\n', &line)) {
        linli_str after = line, its_name;
        (void)ll_str_split(&after, ':', &its_name);
        if (after.ptr == NULL || its_name.len != name.len ||
            strncasecmp(its_name.ptr, name.ptr, name.len) != 0)
            continue;
        if (line.ptr < field.ptr)
            return; /* an earlier line has said it all */
        while (after.len > 0 && isspace((unsigned char)after.ptr[0]))
            after = (linli_str){after.ptr + 1, after.len - 1};
        while (
            after.len > 0 && isspace((unsigned char)after.ptr[after.len - 1]))
            after.len--;
        int n = snprintf(value + used, sizeof value - used, "%s%.*s",
            used > 0 ? ", " : "", LL_FMT(after));
        used += (size_t)n;
        if (used >= sizeof value)
            used = sizeof value - 1;
    }
    for (size_t i = 0; i < name.len && i + 1 < sizeof lower; i++)
        lower[i] = (char)tolower((unsigned char)name.ptr[i]);
    ll_jw_key(w, lower);
    ll_jw_str(w, (linli_str){value, used});
}

static void
put_fields(struct ll_jw *w, linli_str lines)
{
    linli_str rest = lines, line;
    ll_jw_open(w, '{');
    (void)ll_str_split(&rest, '\n', &line); /* the status line */
    while (ll_str_split(&rest, '\n', &line)) {
        linli_str after = line, name;
        (void)ll_str_split(&after, ':', &name);
        if (after.ptr != NULL && name.len > 0)
            put_field(w, lines, line, name);
    }
    ll_jw_close(w, '}');
}

/* {"status","headers","body"}: a body that is JSON as such, any other as a
 * string. */
static linli_status
print_json(
    struct ll_cli *cli, const struct ll_answer *answer, struct ll_err *err)
{
    struct ll_json json;
    struct ll_buf out;
    linli_str body = ll_buf_view(&answer->body);
    ll_json_init(&json, &cli->mem);
    ll_buf_init(&out, &cli->mem, (size_t)2 * LL_CLI_ANSWER_BYTES_MAX);
    struct ll_jw w = ll_jw(&out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "status");
    ll_jw_int(&w, answer->status);
    ll_jw_key(&w, "headers");
    put_fields(&w, ll_buf_view(&answer->headers));
    ll_jw_key(&w, "body");
    if (body.len == 0)
        ll_jw_null(&w);
    else if (ll_json_parse(&json, body, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
        ll_jw_value(&w, ll_json_root(&json));
    else
        ll_jw_str(&w, body);
    ll_jw_close(&w, '}');
    ll_buf_char(&out, '\n');
    linli_status status = LINLI_OK;
    if (out.failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "no memory for an answer of %zu bytes", body.len);
    else
        (void)fwrite(out.ptr, 1, out.len, stdout);
    ll_buf_fini(&out);
    ll_json_fini(&json);
    return status;
}

static linli_status
print_answer(
    struct ll_cli *cli, const struct ll_answer *answer, struct ll_err *err)
{
    const struct ll_buf *body = &answer->body;
    if (cli->json)
        return print_json(cli, answer, err);
    if (cli->args->value[LL_OPT_INCLUDE] != NULL)
        (void)fwrite(answer->headers.ptr, 1, answer->headers.len, stdout);
    (void)fwrite(body->ptr, 1, body->len, stdout);
    /* JSON does not end its line; a shell's next prompt wants it to. */
    if (body->len > 0 && body->ptr[body->len - 1] != '\n' &&
        strstr(answer->content_type, "json") != NULL)
        (void)putchar('\n');
    return LINLI_OK;
}

/* A device signs; everybody else has a token. */
static linli_status
add_caller(struct ll_cli *cli, struct call *call, struct ll_ask *ask,
    struct ll_err *err)
{
    const char *as = cli->args->value[LL_OPT_AS];
    bool device = as != NULL && strncmp(as, "device:", 7) == 0;
    ask->token = (linli_str){NULL, 0};
    if (!device && cli->args->value[LL_OPT_DEVICE_KEY] != NULL)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--device-key is for --as device:ID");
    if (device) {
        struct ll_signed what = {as + 7, call->method, call->path, ask->body};
        linli_status status =
            ll_cli_sign(cli, &what, &call->headers[call->header_count], err);
        call->header_count += status == LINLI_OK;
        return status;
    }
    if (as == NULL && cli->args->value[LL_OPT_TOKEN_FILE] == NULL)
        return LINLI_OK;
    return ll_cli_mint(cli, as, call->community, &ask->token, err);
}

/* True if the line of a log tells how the call of that trace failed; what
 * the plugin itself logged meanwhile has the same trace. */
static bool
tells_failure(struct ll_jv line, linli_str trace)
{
    return ll_str_eq(ll_jv_str(ll_jv_get(line, "trace_id")), trace) &&
           !ll_str_is(ll_jv_str(ll_jv_get(line, "code")), "plugin.log") &&
           ll_jv_str(ll_jv_get(line, "msg")).len > 0;
}

/* Why a call failed with 500 and more stands in linlid's log alone. Whoever
 * may read DIR/linlid.log is told at once: mostly the plugin's author. */
static void
add_reason(
    struct ll_cli *cli, const struct ll_answer *answer, struct ll_err *err)
{
    struct ll_json problem, log;
    linli_str text, line, first, trace = {NULL, 0};
    char *path = ll_cli_text(cli, "%s/linlid.log", cli->data);
    if (answer->status < 500 || cli->args->value[LL_OPT_URL] != NULL ||
        path == NULL ||
        ll_cli_read_end(cli, path, LOG_END_BYTES, &text) != LINLI_OK)
        return;
    ll_json_init(&problem, &cli->mem);
    ll_json_init(&log, &cli->mem);
    if (ll_json_parse(&problem, ll_buf_view(&answer->body), LL_JSON_DEPTH_MAX,
            NULL) == LINLI_OK)
        trace = ll_jv_str(ll_jv_get(ll_json_root(&problem), "trace_id"));
    while (trace.len > 0 && ll_str_split(&text, '\n', &line)) {
        if (ll_json_parse(&log, line, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK ||
            !tells_failure(ll_json_root(&log), trace))
            continue;
        linli_str msg = ll_jv_str(ll_jv_get(ll_json_root(&log), "msg"));
        (void)ll_str_split(&msg, '\n', &first);
        (void)snprintf(err->msg, sizeof err->msg, "%.*s", LL_FMT(first));
        ll_err_fix(
            err, "See the whole of it: grep %.*s %s", LL_FMT(trace), path);
    }
    ll_json_fini(&log);
    ll_json_fini(&problem);
}

linli_status
ll_cli_call(struct ll_cli *cli, struct ll_err *err)
{
    struct call call = {0};
    struct ll_answer answer = {0};
    struct ll_ask ask = {.wait_ms = LL_CLI_ANSWER_MS};
    linli_status status = read_method(cli, &call, err);
    if (status == LINLI_OK)
        status = read_path(cli, &call, err);
    if (status == LINLI_OK)
        status = read_headers(cli, &call, err);
    if (status == LINLI_OK)
        status = read_body(cli, &call, &ask.body, err);
    if (status == LINLI_OK)
        status = add_if_match(cli, &call, err);
    if (status == LINLI_OK)
        status = ll_cli_find(cli, err);
    if (status == LINLI_OK)
        status = add_caller(cli, &call, &ask, err);
    if (status == LINLI_OK)
        status = add_key(cli, &call, err);
    if (status != LINLI_OK)
        return status;
    ask.method = call.method;
    ask.url = call.path;
    ask.headers = call.headers;
    ask.header_count = call.header_count;
    status = ll_cli_ask(cli, &ask, &answer, err);
    if (status == LINLI_OK)
        status = print_answer(cli, &answer, err);
    if (status == LINLI_OK) {
        status = ll_cli_judge(cli, &answer, err);
        if (status != LINLI_OK)
            add_reason(cli, &answer, err);
    }
    ll_answer_free(&answer);
    return status;
}
