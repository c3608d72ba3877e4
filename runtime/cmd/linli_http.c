/* cmd/linli_http.c: finding linlid and talking to it, over libcurl.
 *
 * Plain and predictable: http and https only, no proxy, no redirect, no
 * .netrc, a limit on time and size. A token must not end up elsewhere.
 */
#include "cmd/linli_cli.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config.h"

#define HEADER_BYTES_MAX ((size_t)64 << 10)
#define JSON_DEPTH_MAX 32 /* of what linlid writes */

struct transfer {
    struct ll_cli *cli;
    CURL *curl;
    struct curl_slist *fields;
    bool failed; /* a field could not be kept */
};

static size_t
take(char *bytes, size_t size, size_t n, void *user)
{
    struct ll_buf *buf = user;
    ll_buf_add(buf, bytes, size * n);
    return buf->failed ? 0 : size * n;
}

static void
add_field(struct transfer *t, const char *field)
{
    struct curl_slist *longer =
        field == NULL ? NULL : curl_slist_append(t->fields, field);
    if (longer == NULL)
        t->failed = true;
    else
        t->fields = longer;
}

static void
add_fields(struct transfer *t, const struct ll_ask *ask)
{
    static const char *const languages[] = {
        [LL_LANG_BOTH] = "Accept-Language: zh-CN, en;q=0.8",
        [LL_LANG_ZH] = "Accept-Language: zh-CN",
        [LL_LANG_EN] = "Accept-Language: en",
    };
    bool chosen = false;
    for (uint32_t i = 0; i < ask->header_count; i++)
        chosen |= strncasecmp(ask->headers[i], "accept-language:", 16) == 0;
    if (!chosen)
        add_field(t, languages[t->cli->lang]);
    /* libcurl would wait for "100 Continue" before it sends a long body. */
    add_field(t, "Expect:");
    if (ask->token.len > 0)
        add_field(t, ll_cli_text(t->cli, "Authorization: Bearer %.*s",
                         LL_FMT(ask->token)));
    for (uint32_t i = 0; i < ask->header_count; i++)
        add_field(t, ask->headers[i]);
}

static CURLcode
set_options(
    struct transfer *t, const struct ll_ask *ask, struct ll_answer *answer)
{
    CURL *c = t->curl;
    bool is_path = ask->url[0] == '/';
    const char *url =
        ll_cli_text(t->cli, "%s%s", is_path ? t->cli->base_url : "", ask->url);
    CURLcode bad = CURLE_OK;
    add_fields(t, ask);
    if (t->failed || url == NULL)
        return CURLE_OUT_OF_MEMORY;
#define SET(option, value) \
    bad = bad != CURLE_OK ? bad : curl_easy_setopt(c, option, value)
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)LL_CLI_CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, (long)ask->wait_ms);
    SET(CURLOPT_USERAGENT, "linli/" LL_VERSION);
    SET(CURLOPT_HTTPHEADER, t->fields);
    SET(CURLOPT_WRITEFUNCTION, take);
    SET(CURLOPT_WRITEDATA, &answer->body);
    SET(CURLOPT_HEADERFUNCTION, take);
    SET(CURLOPT_HEADERDATA, &answer->headers);
    if (ask->body.ptr != NULL) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.len);
        SET(CURLOPT_POSTFIELDS, ask->body.ptr);
    }
    SET(CURLOPT_NOBODY, strcmp(ask->method, "HEAD") == 0 ? 1L : 0L);
    SET(CURLOPT_CUSTOMREQUEST, ask->method);
#undef SET
    return bad;
}

static linli_status
transfer_failed(struct ll_cli *cli, const struct ll_ask *ask, CURLcode code,
    const struct ll_answer *answer, struct ll_err *err)
{
    linli_status status;
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        status = ll_fail(
            err, LINLI_E_INVALID, "usage", "%s", curl_easy_strerror(code));
    else if (code == CURLE_OUT_OF_MEMORY)
        status =
            ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no memory to ask");
    else if (answer->body.failed || answer->headers.failed)
        status = ll_fail(err, LINLI_E_LIMIT, "usage",
            "the answer is larger than linli takes (%u bytes)",
            LL_CLI_ANSWER_BYTES_MAX);
    else {
        cli->exit_code = LL_EXIT_NO_DAEMON;
        status = ll_fail(err, LINLI_E_CLOSED, "cli/no-daemon", "%s",
            curl_easy_strerror(code));
    }
    ll_err_where(
        err, "%s%s", ask->url[0] == '/' ? cli->base_url : "", ask->url);
    return status;
}

static void
keep_content_type(struct ll_answer *answer, const char *type)
{
    size_t n = 0;
    for (; type != NULL && type[n] != '\0' && type[n] != ';' &&
           n + 1 < sizeof answer->content_type;
         n++) {
        char c = type[n];
        answer->content_type[n] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    while (n > 0 && answer->content_type[n - 1] == ' ')
        n--;
    answer->content_type[n] = '\0';
}

linli_status
ll_cli_ask(struct ll_cli *cli, const struct ll_ask *ask,
    struct ll_answer *answer, struct ll_err *err)
{
    struct transfer t = {.cli = cli, .curl = curl_easy_init()};
    char *type = NULL;
    long code = 0;
    linli_status status = LINLI_OK;
    memset(answer, 0, sizeof *answer);
    cli->asked = ll_cli_text(cli, "%s %s%s", ask->method,
        ask->url[0] == '/' ? cli->base_url : "", ask->url);
    ll_buf_init(&answer->headers, &cli->mem, HEADER_BYTES_MAX);
    ll_buf_init(&answer->body, &cli->mem, LL_CLI_ANSWER_BYTES_MAX);
    CURLcode result =
        t.curl == NULL ? CURLE_OUT_OF_MEMORY : set_options(&t, ask, answer);
    if (result == CURLE_OK)
        result = curl_easy_perform(t.curl);
    if (result == CURLE_OK)
        result = curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &code);
    if (result == CURLE_OK)
        result = curl_easy_getinfo(t.curl, CURLINFO_CONTENT_TYPE, &type);
    if (result == CURLE_OK) {
        answer->status = (int)code;
        keep_content_type(answer, type);
    } else {
        status = transfer_failed(cli, ask, result, answer, err);
    }
    curl_slist_free_all(t.fields);
    curl_easy_cleanup(t.curl);
    return status;
}

void
ll_answer_free(struct ll_answer *answer)
{
    /* An answer that was never asked for has no account to give back to. */
    if (answer->headers.mem == NULL)
        return;
    ll_buf_fini(&answer->headers);
    ll_buf_fini(&answer->body);
}

/* -- finding linlid -- */

static linli_status
no_daemon(
    struct ll_cli *cli, struct ll_err *err, const char *where, const char *what)
{
    cli->exit_code = LL_EXIT_NO_DAEMON;
    linli_status status =
        ll_fail(err, LINLI_E_CLOSED, "cli/no-daemon", "%s", what);
    ll_err_where(err, "%s", where);
    return status;
}

/* Reads url and pid out of the file that linlid leaves in its folder. */
static linli_status
read_state(struct ll_cli *cli, const char *path, struct ll_json *json,
    int64_t *pid, struct ll_err *err)
{
    linli_str text;
    linli_status status =
        ll_cli_read(cli, path, LL_CLI_FILE_BYTES_MAX, &text, err);
    if (status == LINLI_E_IO)
        return no_daemon(cli, err, path,
            "no linlid has left its address in this data directory");
    if (status == LINLI_OK)
        status = ll_json_parse(json, text, JSON_DEPTH_MAX, err);
    if (status == LINLI_E_NOMEM)
        return status;
    struct ll_jv root = ll_json_root(json);
    linli_str url = {NULL, 0};
    if (status == LINLI_OK)
        url = ll_jv_str(ll_jv_get(root, "url"));
    if (url.len == 0 || !ll_jv_int(ll_jv_get(root, "pid"), pid))
        return no_daemon(cli, err, path, "the file does not name a linlid");
    cli->base_url = ll_cli_text(cli, "%.*s", LL_FMT(url));
    cli->admin_token = ll_cli_text(
        cli, "%.*s", LL_FMT(ll_jv_str(ll_jv_get(root, "admin_token"))));
    cli->virtual_clock =
        ll_str_is(ll_jv_str(ll_jv_get(root, "clock")), "virtual");
    if (cli->base_url == NULL || cli->admin_token == NULL)
        return no_daemon(cli, err, path, "the address is too long");
    return LINLI_OK;
}

/* The port may be another program's by now, and a token must not go there:
 * the answer must be healthy, and of the process that wrote the file. */
static bool
is_that_daemon(struct ll_cli *cli, const struct ll_answer *answer, int64_t pid)
{
    struct ll_json json;
    int64_t said = 0;
    if (answer->status != 200 || pid <= 0 || pid > INT32_MAX)
        return false;
    ll_json_init(&json, &cli->mem);
    bool named = ll_json_parse(&json, ll_buf_view(&answer->body),
                     JSON_DEPTH_MAX, NULL) == LINLI_OK &&
                 ll_jv_int(ll_jv_get(ll_json_root(&json), "pid"), &said);
    ll_json_fini(&json);
    if (named)
        return said == pid;
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

static linli_status
find_by_data(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_json json;
    struct ll_answer answer = {0};
    struct ll_ask ask = {
        .method = "GET", .url = "/healthz", .wait_ms = LL_CLI_HEALTH_MS};
    int64_t pid = 0;
    char *path = ll_cli_text(cli, "%s/%s", cli->data, LL_CLI_STATE_FILE);
    if (path == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "--data is too long");
    ll_json_init(&json, &cli->mem);
    linli_status status = read_state(cli, path, &json, &pid, err);
    if (status == LINLI_OK) {
        status = ll_cli_ask(cli, &ask, &answer, err);
        if (status == LINLI_E_CLOSED || status == LINLI_E_INVALID ||
            (status == LINLI_OK && !is_that_daemon(cli, &answer, pid)))
            status = no_daemon(cli, err, path,
                "the linlid that wrote this file no longer answers");
    }
    ll_answer_free(&answer);
    ll_json_fini(&json);
    return status;
}

linli_status
ll_cli_find(struct ll_cli *cli, struct ll_err *err)
{
    const char *url = cli->args->value[LL_OPT_URL];
    if (url == NULL)
        return find_by_data(cli, err);
    linli_str base = ll_cstr(url);
    while (base.len > 0 && base.ptr[base.len - 1] == '/')
        base.len--;
    cli->base_url = ll_cli_text(cli, "%.*s", LL_FMT(base));
    if (cli->base_url == NULL ||
        (!ll_str_starts(base, "http://") && !ll_str_starts(base, "https://")))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--url takes an address that begins with http:// or https://");
    return LINLI_OK;
}

/* -- linlid's time -- */

/* Whether DIR/linlid.json speaks of a virtual clock; nobody is asked. */
static bool
is_virtual(struct ll_cli *cli)
{
    struct ll_json json;
    struct ll_err err;
    int64_t pid = 0;
    enum ll_exit before = cli->exit_code;
    char *path = ll_cli_text(cli, "%s/%s", cli->data, LL_CLI_STATE_FILE);
    ll_json_init(&json, &cli->mem);
    bool there =
        path != NULL && read_state(cli, path, &json, &pid, &err) == LINLI_OK;
    ll_json_fini(&json);
    cli->exit_code = before;
    cli->base_url = NULL; /* read, not found */
    return there && cli->virtual_clock;
}

static linli_status
ask_now(struct ll_cli *cli, int64_t *ms, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET",
        .url = "/v1/dev/clock",
        .token = ll_cstr(cli->admin_token),
        .wait_ms = LL_CLI_ANSWER_MS};
    struct ll_answer answer;
    struct ll_json json;
    ll_json_init(&json, &cli->mem);
    linli_status status = ll_cli_ask(cli, &ask, &answer, err);
    if (status == LINLI_OK)
        status = ll_cli_judge(cli, &answer, err);
    if (status == LINLI_OK)
        status = ll_json_parse(
            &json, ll_buf_view(&answer.body), JSON_DEPTH_MAX, err);
    if (status == LINLI_OK &&
        !ll_jv_int(ll_jv_get(ll_json_root(&json), "ms"), ms))
        status = ll_fail(err, LINLI_E_PROTOCOL, "cli/refused",
            "linlid does not say what time it is");
    ll_answer_free(&answer);
    ll_json_fini(&json);
    return status;
}

linli_status
ll_cli_now(struct ll_cli *cli, int64_t *ms, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    *ms = ll_world_wall(cli->world).ms;
    if (cli->args->value[LL_OPT_URL] != NULL)
        return LINLI_OK;
    if (cli->base_url == NULL && !is_virtual(cli))
        return LINLI_OK;
    if (cli->base_url == NULL)
        status = ll_cli_find(cli, err);
    if (status == LINLI_OK && cli->virtual_clock)
        status = ask_now(cli, ms, err);
    return status;
}

/* -- judging an answer -- */

static void
copy_text(char *out, size_t size, struct ll_jv problem, const char *name)
{
    linli_str text = ll_jv_str(ll_jv_get(problem, name));
    (void)snprintf(out, size, "%.*s", LL_FMT(text));
}

/* Takes code, detail, place and fix from an RFC 9457 problem. */
static void
read_problem(struct ll_cli *cli, struct ll_jv problem, struct ll_err *err)
{
    copy_text(cli->title, sizeof cli->title, problem, "title");
    copy_text(err->code, sizeof err->code, problem, "code");
    copy_text(err->msg, sizeof err->msg, problem, "detail");
    copy_text(err->where, sizeof err->where, problem, "where");
    copy_text(err->fix, sizeof err->fix, problem, "fix");
    struct ll_jv first = ll_jv_first(ll_jv_get(problem, "errors"));
    linli_str at = ll_jv_str(ll_jv_get(first, "pointer"));
    linli_str said = ll_jv_str(ll_jv_get(first, "detail"));
    /* Of many broken rules the first is shown; --json shows all. */
    if (err->where[0] == '\0' && at.len > 0)
        (void)snprintf(err->where, sizeof err->where, "%.*s", LL_FMT(at));
    if (err->msg[0] == '\0' && said.len > 0)
        (void)snprintf(err->msg, sizeof err->msg, "%.*s", LL_FMT(said));
}

linli_status
ll_cli_judge(
    struct ll_cli *cli, const struct ll_answer *answer, struct ll_err *err)
{
    struct ll_json json;
    if (answer->status < 400)
        return LINLI_OK;
    cli->exit_code = LL_EXIT_REFUSED;
    linli_status status = ll_fail(err, LINLI_E_DENIED, "cli/refused",
        "linlid answered with status %d", answer->status);
    ll_json_init(&json, &cli->mem);
    if (strcmp(answer->content_type, "application/problem+json") == 0 &&
        ll_json_parse(&json, ll_buf_view(&answer->body), JSON_DEPTH_MAX,
            NULL) == LINLI_OK &&
        ll_jv_str(ll_jv_get(ll_json_root(&json), "code")).len > 0)
        read_problem(cli, ll_json_root(&json), err);
    if (err->where[0] == '\0' && cli->asked != NULL)
        ll_err_where(err, "%s", cli->asked);
    ll_json_fini(&json);
    return status;
}
