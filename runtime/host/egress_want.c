/* host/egress_want.c: what may be asked for. [loop] */
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "host/egress.h"
#include "host/secret.h"

static linli_status LL_PRINTF(2, 3)
    refuse(struct ll_err *err, const char *fmt, ...)
{
    char msg[sizeof err->msg];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(msg, sizeof msg, fmt, args);
    va_end(args);
    return ll_fail(err, LINLI_E_INVALID, "egress/invalid", "%s", msg);
}

static linli_status
no_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a request");
}

/* -- reading -- */

static bool
is_method(linli_str s)
{
    static const char *const methods[] = {
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < LL_COUNT(methods); i++)
        if (ll_str_is(s, methods[i]))
            return true;
    return false;
}

static linli_status
read_headers(struct ll_jv from, struct ll_arena *arena,
    struct ll_egress_want *want, struct ll_err *err)
{
    uint32_t count = ll_jv_count(from);
    if (!ll_jv_is(from, LL_JSON_OBJECT) && count > 0)
        return refuse(err, "headers are {name = value}");
    if (count > LL_EGRESS_HEADERS_MAX)
        return refuse(err, "more than %d headers", LL_EGRESS_HEADERS_MAX);
    struct ll_egress_header *headers =
        ll_arena_alloc(arena, (count + 1) * sizeof *headers);
    if (headers == NULL)
        return no_memory(err);
    want->headers = headers;
    LL_JSON_MEMBERS (key, value, from) {
        if (!ll_jv_is(value, LL_JSON_STRING))
            return refuse(
                err, "the header %.*s is no string", LL_FMT(ll_jv_str(key)));
        headers[want->header_count++] =
            (struct ll_egress_header){ll_jv_str(key), ll_jv_str(value)};
    }
    return LINLI_OK;
}

static bool
has_type(const struct ll_egress_want *want)
{
    for (uint32_t i = 0; i < want->header_count; i++)
        if (ll_str_eq_nocase(want->headers[i].name, "content-type"))
            return true;
    return false;
}

/* What a body is unless it says so itself. */
static const struct ll_egress_header *
with_type(struct ll_egress_want *want, bool json, struct ll_arena *arena)
{
    uint32_t count = want->header_count;
    struct ll_egress_header *headers =
        ll_arena_alloc(arena, (count + 1) * sizeof *headers);
    if (headers == NULL)
        return NULL;
    if (count > 0)
        memcpy(headers, want->headers, count * sizeof *headers);
    headers[count].name = LINLI_STR("content-type");
    headers[count].value = json ? LINLI_STR("application/json")
                                : LINLI_STR("text/plain; charset=utf-8");
    want->header_count++;
    return headers;
}

/* A value as JSON text in the arena. */
static linli_status
read_json_body(struct ll_jv json, struct ll_arena *arena,
    struct ll_egress_want *want, struct ll_err *err)
{
    struct ll_buf buf;
    ll_buf_init(&buf, arena->mem, LL_EGRESS_BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&buf);
    ll_jw_value(&w, json);
    bool failed = buf.failed;
    if (!failed)
        want->body = ll_arena_str(arena, ll_buf_view(&buf));
    ll_buf_fini(&buf);
    if (failed)
        return refuse(err, "the body is larger than %d bytes as JSON",
            LL_EGRESS_BODY_BYTES_MAX);
    return want->body.ptr == NULL ? no_memory(err) : LINLI_OK;
}

static linli_status
read_body(struct ll_jv from, struct ll_arena *arena,
    struct ll_egress_want *want, struct ll_err *err)
{
    struct ll_jv json = ll_jv_get(from, "json");
    struct ll_jv body = ll_jv_get(from, "body");
    linli_status status = LINLI_OK;
    if (ll_jv_there(json) && ll_jv_there(body))
        return refuse(err, "it has both json and body");
    if (ll_jv_there(body) && !ll_jv_is(body, LL_JSON_STRING))
        return refuse(err, "body is no string; json takes a value");
    if (ll_jv_there(body))
        want->body = ll_arena_str(arena, ll_jv_str(body));
    if (ll_jv_there(body) && want->body.ptr == NULL)
        return no_memory(err);
    if (ll_jv_there(json))
        status = read_json_body(json, arena, want, err);
    return status;
}

static linli_status
read_number(
    struct ll_jv from, const char *name, int64_t *out, struct ll_err *err)
{
    struct ll_jv value = ll_jv_get(from, name);
    if (!ll_jv_there(value))
        return LINLI_OK;
    if (!ll_jv_int(value, out) || *out == 0)
        return refuse(err, "%s is no integer in its range", name);
    return LINLI_OK;
}

static linli_status
check_members(struct ll_jv from, struct ll_err *err)
{
    static const char *const known[] = {
        "method", "url", "headers", "json", "body", "timeout_ms", "max_bytes"};
    if (!ll_jv_is(from, LL_JSON_OBJECT))
        return refuse(err, "it is no object");
    LL_JSON_MEMBERS (key, value, from) {
        size_t i = 0;
        LL_UNUSED(value);
        while (i < LL_COUNT(known) && !ll_str_is(ll_jv_str(key), known[i]))
            i++;
        if (i == LL_COUNT(known))
            return refuse(
                err, "its member %.*s is not known", LL_FMT(ll_jv_str(key)));
    }
    return LINLI_OK;
}

linli_status
ll_egress_read(struct ll_jv from, struct ll_arena *arena,
    struct ll_egress_want *want, struct ll_err *err)
{
    struct ll_jv method = ll_jv_get(from, "method");
    *want = (struct ll_egress_want){.method = LINLI_STR("GET")};
    linli_status status = check_members(from, err);
    if (status != LINLI_OK)
        return status;
    if (ll_jv_there(method))
        want->method = ll_jv_str(method);
    want->url = ll_jv_str(ll_jv_get(from, "url"));
    status = read_headers(ll_jv_get(from, "headers"), arena, want, err);
    if (status == LINLI_OK)
        status = read_body(from, arena, want, err);
    if (status == LINLI_OK && want->body.ptr != NULL && !has_type(want))
        want->headers =
            with_type(want, ll_jv_there(ll_jv_get(from, "json")), arena);
    if (status == LINLI_OK && want->headers == NULL)
        status = no_memory(err);
    if (status == LINLI_OK)
        status = read_number(from, "timeout_ms", &want->timeout_ms, err);
    if (status == LINLI_OK)
        status = read_number(from, "max_bytes", &want->max_bytes, err);
    return status;
}

/* -- checking -- */

/* RFC 9110, section 5.6.2. */
static bool
is_token(linli_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c <= ' ' || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c) != NULL)
            return false;
    }
    return s.len > 0;
}

/* What says where a message ends, who speaks or what the host itself says. */
static bool
is_ours(linli_str name)
{
    static const char *const names[] = {"host", "content-length", "connection",
        "transfer-encoding", "te", "trailer", "upgrade", "http2-settings",
        "keep-alive", "expect", "accept-encoding", "cookie", "cookie2",
        "idempotency-key", "traceparent", "tracestate", "forwarded", "via"};
    static const char *const prefixes[] = {"proxy-", "sec-", "x-forwarded-"};
    for (size_t i = 0; i < LL_COUNT(names); i++)
        if (ll_str_eq_nocase(name, names[i]))
            return true;
    for (size_t i = 0; i < LL_COUNT(prefixes); i++) {
        size_t n = strlen(prefixes[i]);
        if (name.len >= n &&
            ll_str_eq_nocase((linli_str){name.ptr, n}, prefixes[i]))
            return true;
    }
    return false;
}

static linli_status
check_header(const struct ll_egress_want *want, uint32_t at, struct ll_err *err)
{
    const struct ll_egress_header *header = &want->headers[at];
    if (!is_token(header->name))
        return refuse(err, "the name of a header is none of HTTP");
    if (is_ours(header->name))
        return refuse(err, "the header %.*s is not for plugins to set",
            LL_FMT(header->name));
    for (uint32_t i = 0; i < at; i++)
        if (want->headers[i].name.len == header->name.len &&
            strncasecmp(want->headers[i].name.ptr, header->name.ptr,
                header->name.len) == 0)
            return refuse(
                err, "the header %.*s stands twice", LL_FMT(header->name));
    for (size_t i = 0; i < header->value.len; i++) {
        unsigned char c = (unsigned char)header->value.ptr[i];
        if (c < ' ' || c >= 0x7f)
            return refuse(err,
                "the header %.*s has a character that is not printable ASCII",
                LL_FMT(header->name));
    }
    return LINLI_OK;
}

static linli_status
check_headers(const struct ll_egress_want *want, struct ll_err *err)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < want->header_count; i++) {
        linli_status status = check_header(want, i, err);
        if (status != LINLI_OK)
            return status;
        bytes += want->headers[i].name.len + want->headers[i].value.len;
    }
    if (bytes > LL_EGRESS_HEADER_BYTES_MAX)
        return refuse(err, "the headers have more than %d bytes",
            LL_EGRESS_HEADER_BYTES_MAX);
    return LINLI_OK;
}

static linli_status
check_sizes(const struct ll_egress_want *want, struct ll_err *err)
{
    bool bodiless =
        ll_str_is(want->method, "GET") || ll_str_is(want->method, "HEAD");
    if (bodiless && want->body.ptr != NULL)
        return refuse(err, "a %.*s has no body", LL_FMT(want->method));
    if (want->body.len > LL_EGRESS_BODY_BYTES_MAX)
        return refuse(
            err, "the body is larger than %d bytes", LL_EGRESS_BODY_BYTES_MAX);
    if (want->timeout_ms != 0 && (want->timeout_ms < LL_EGRESS_MS_MIN ||
                                     want->timeout_ms > LL_EGRESS_MS_MAX))
        return refuse(err, "timeout_ms is from %d to %d", LL_EGRESS_MS_MIN,
            LL_EGRESS_MS_MAX);
    if (want->max_bytes != 0 &&
        (want->max_bytes < 1 || want->max_bytes > LL_EGRESS_ANSWER_BYTES_MAX))
        return refuse(
            err, "max_bytes is from 1 to %d", LL_EGRESS_ANSWER_BYTES_MAX);
    return LINLI_OK;
}

linli_status
ll_egress_check(const struct ll_instance *instance,
    const struct ll_egress_want *want, struct ll_arena *arena,
    struct ll_err *err)
{
    struct ll_url url;
    const char *why;
    if (!is_method(want->method))
        return refuse(
            err, "the method is GET, HEAD, POST, PUT, PATCH or DELETE");
    if (!ll_url_read(want->url, arena, &url, &why))
        return arena->failed ? no_memory(err) : refuse(err, "the URL: %s", why);
    linli_status status = check_headers(want, err);
    for (uint32_t i = 0; i < want->header_count && status == LINLI_OK; i++)
        status = ll_secret_check(instance, want->headers[i].value, err);
    if (status == LINLI_OK)
        status = check_sizes(want, err);
    if (status != LINLI_OK)
        return status;
    if (instance->package != NULL &&
        ll_manifest_egress(instance->package->manifest, &url))
        return LINLI_OK;
    linli_str origin = ll_url_origin(&url, arena);
    status = ll_fail(err, LINLI_E_DENIED, "egress/undeclared",
        "plugin.json does not declare %.*s", LL_FMT(origin));
    ll_err_fix(err, "Add \"%.*s\" to `egress` in plugin.json", LL_FMT(origin));
    return status;
}
