/* server/http_refuse.c: the server's own answers, as problem+json. [loop] */
#include "base/text.h"
#include "host/problem_json.h"
#include "server/http_int.h"

void
ll_http_refusal(struct ll_http_exchange *exchange, const char *code,
    linli_str why, struct ll_response *out)
{
    struct ll_http *http = exchange->http;
    const struct ll_http_parser *parser = &exchange->parser;
    struct ll_trace trace;
    struct ll_trace_seed seed = {ll_world_random_u64(http->world),
        ll_world_random_u64(http->world), ll_world_random_u64(http->world)};
    (void)ll_trace_make(
        ll_http_parser_field(parser, "traceparent"), seed, &trace);
    const struct ll_problem *row = ll_problem_find(ll_cstr(code));
    ll_check(row != NULL && row->http_status != 0);
    enum ll_locale locale =
        ll_locale_pick(ll_http_parser_field(parser, "accept-language"));
    struct ll_problem_args args = {.row = row,
        .locale = locale,
        .detail = why,
        .instance = parser->target.path,
        .trace_id = ll_cstr(trace.trace_id)};
    ll_buf_clear(&http->scratch);
    ll_problem_write(&http->scratch, &args);
    *out = (struct ll_response){.status = row->http_status,
        .content_type = LINLI_STR(LL_PROBLEM_CONTENT_TYPE),
        .body = ll_buf_view(&http->scratch)};
    out->headers[out->header_count++] = (struct ll_field){
        LINLI_STR("Content-Language"), ll_cstr(ll_locale_tag(locale))};
    ll_trace_header(&trace, http->traceparent);
    out->headers[out->header_count++] =
        (struct ll_field){LINLI_STR("traceparent"),
            {http->traceparent, LL_TRACEPARENT_BYTES - 1}};
    if (row->http_status == 405)
        out->headers[out->header_count++] =
            (struct ll_field){LINLI_STR("Allow"),
                LINLI_STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")};
    if (row->http_status == 503)
        out->headers[out->header_count++] =
            (struct ll_field){LINLI_STR("Retry-After"), LINLI_STR("1")};
}
