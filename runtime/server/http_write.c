/* server/http_write.c: status line, headers, body. [loop] */
#include "server/http_write.h"

#include "base/text.h"

static const struct {
    int status;
    const char *line;
} reasons[] = {
#define R(status, reason)                                   \
    {                                                       \
        status, "HTTP/1.1 " #status " " reason "\r\nDate: " \
    }
    R(200, "OK"),
    R(201, "Created"),
    R(202, "Accepted"),
    R(204, "No Content"),
    R(205, "Reset Content"),
    R(301, "Moved Permanently"),
    R(302, "Found"),
    R(303, "See Other"),
    R(304, "Not Modified"),
    R(307, "Temporary Redirect"),
    R(308, "Permanent Redirect"),
    R(400, "Bad Request"),
    R(401, "Unauthorized"),
    R(402, "Payment Required"),
    R(403, "Forbidden"),
    R(404, "Not Found"),
    R(405, "Method Not Allowed"),
    R(406, "Not Acceptable"),
    R(408, "Request Timeout"),
    R(409, "Conflict"),
    R(410, "Gone"),
    R(412, "Precondition Failed"),
    R(413, "Content Too Large"),
    R(414, "URI Too Long"),
    R(415, "Unsupported Media Type"),
    R(421, "Misdirected Request"),
    R(422, "Unprocessable Content"),
    R(423, "Locked"),
    R(425, "Too Early"),
    R(428, "Precondition Required"),
    R(429, "Too Many Requests"),
    R(431, "Request Header Fields Too Large"),
    R(451, "Unavailable For Legal Reasons"),
    R(500, "Internal Server Error"),
    R(501, "Not Implemented"),
    R(502, "Bad Gateway"),
    R(503, "Service Unavailable"),
    R(504, "Gateway Timeout"),
#undef R
};

static void
put_status(struct ll_buf *out, int status)
{
    for (size_t i = 0; i < LL_COUNT(reasons); i++)
        if (reasons[i].status == status) {
            ll_buf_cstr(out, reasons[i].line);
            return;
        }
    /* The reason may be empty (RFC 9112, 4). */
    ll_buf_printf(out, "HTTP/1.1 %d \r\nDate: ", status);
}

static void
put_number(struct ll_buf *out, size_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    ll_buf_add(out, digits + at, sizeof digits - at);
}

linli_str
ll_http_date(struct ll_http_date *cache, int64_t wall_ms)
{
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01: Thu */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t second = wall_ms / 1000;
    if (second == cache->second && second != 0)
        return (linli_str){cache->text, LL_HTTP_DATE_BYTES - 1};
    char iso[LL_RFC3339_BYTES]; /* 1994-11-06T08:49:37.000Z */
    ll_rfc3339(second * 1000, iso);
    size_t month = (size_t)((iso[5] - '0') * 10 + (iso[6] - '0') - 1);
    memcpy(cache->text, "Day, DD Mon YYYY HH:MM:SS GMT", LL_HTTP_DATE_BYTES);
    memcpy(cache->text, days + (size_t)(second / 86400 % 7) * 3, 3);
    memcpy(cache->text + 5, iso + 8, 2);
    memcpy(cache->text + 8, months + month * 3, 3);
    memcpy(cache->text + 12, iso, 4);
    memcpy(cache->text + 17, iso + 11, 8);
    cache->second = second;
    return (linli_str){cache->text, LL_HTTP_DATE_BYTES - 1};
}

static bool
is_token(linli_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return name.len > 0;
}

static bool
is_one_line(linli_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool
ll_http_response_ok(const struct ll_response *response)
{
    if (response->status < 200 || response->status > 599 ||
        response->body.len > LL_HTTP_RESPONSE_BYTES_MAX ||
        response->header_count > LL_COUNT(response->headers))
        return false;
    for (uint32_t i = 0; i < response->header_count; i++)
        if (!is_token(response->headers[i].name) ||
            !is_one_line(response->headers[i].value))
            return false;
    return is_one_line(response->content_type);
}

/* These never have content (RFC 9110, 15.3.5 and 15.4.5). */
static bool
is_bodiless(int status)
{
    return status == 204 || status == 304;
}

void
ll_http_write(struct ll_buf *out, const struct ll_http_answer *answer)
{
    const struct ll_response *r = answer->response;
    put_status(out, r->status);
    ll_buf_str(out, answer->date);
    if (r->content_type.len > 0 && !is_bodiless(r->status)) {
        ll_buf_str(out, LINLI_STR("\r\nContent-Type: "));
        ll_buf_str(out, r->content_type);
    }
    if (!is_bodiless(r->status)) {
        ll_buf_str(out, LINLI_STR("\r\nContent-Length: "));
        put_number(out, r->body.len);
    }
    for (uint32_t i = 0; i < r->header_count; i++) {
        ll_buf_str(out, LINLI_STR("\r\n"));
        ll_buf_str(out, r->headers[i].name);
        ll_buf_str(out, LINLI_STR(": "));
        ll_buf_str(out, r->headers[i].value);
    }
    if (!answer->keep_alive)
        ll_buf_str(out, LINLI_STR("\r\nConnection: close"));
    else if (answer->is_http10)
        ll_buf_str(out, LINLI_STR("\r\nConnection: keep-alive"));
    ll_buf_str(out, LINLI_STR("\r\n\r\n"));
    if (!answer->is_head && !is_bodiless(r->status))
        ll_buf_str(out, r->body);
}
