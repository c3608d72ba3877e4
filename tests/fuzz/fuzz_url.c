/* tests/fuzz/fuzz_url.c: URLs from any bytes, judged by another reader.
 *
 * The first line is a URL, the second a Location. What is read is written so
 * that it reads the same again, and libcurl finds in it the host and the port
 * that we judge. An address written as a host is the one that is judged.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "domain/address.h"
#include "domain/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
    if (!holds)
        abort();
}

/* The host and port that libcurl would connect to. */
static void
check_by_curl(const struct ll_url *url, linli_str text, struct ll_arena *arena)
{
    CURLU *other = curl_url();
    char *host = NULL, *port = NULL, *user = NULL;
    char want[LL_URL_HOST_BYTES_MAX + 3], number[8];
    linli_str cstr = ll_arena_str(arena, text);
    must(other != NULL && cstr.ptr != NULL);
    must(curl_url_set(other, CURLUPART_URL, cstr.ptr, CURLU_DISALLOW_USER) ==
         CURLUE_OK);
    must(curl_url_get(other, CURLUPART_HOST, &host, 0) == CURLUE_OK);
    must(curl_url_get(other, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
         CURLUE_OK);
    must(curl_url_get(other, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
    (void)snprintf(
        want, sizeof want, url->v6 ? "[%.*s]" : "%.*s", LL_FMT(url->host));
    (void)snprintf(number, sizeof number, "%u", url->port);
    must(strcmp(host, want) == 0);
    must(strcmp(port, number) == 0);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(other);
}

static void
check(const struct ll_url *url, struct ll_arena *arena)
{
    struct ll_url again;
    struct ll_address address;
    const char *why;
    linli_str text = ll_url_text(url, arena);
    must(text.ptr != NULL);
    must(url->port != 0 && url->host.len > 0 && url->target.len > 0);
    for (size_t i = 0; i < text.len; i++)
        must(text.ptr[i] > ' ' && text.ptr[i] < 0x7f);
    /* Its own origin may make it longer than what was read. */
    if (text.len <= LL_EGRESS_URL_BYTES_MAX) {
        must(ll_url_read(text, arena, &again, &why));
        must(ll_url_same_origin(url, &again));
        must(ll_str_eq(url->target, again.target));
    }
    check_by_curl(url, text, arena);
    if (ll_address_read(url->host, &address)) {
        char back[LL_ADDRESS_TEXT_BYTES];
        ll_address_text(&address, back);
        must(ll_str_is(url->host, back));
        must(address.v6 == url->v6);
        (void)ll_address_judge(&address);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ll_mem mem;
    struct ll_arena arena;
    struct ll_url url, to;
    const char *why;
    linli_str rest = {(const char *)data, size}, first = {NULL, 0};
    ll_mem_init(&mem, 0);
    ll_arena_init(&arena, &mem, (size_t)16 << 20);
    (void)ll_str_split(&rest, '\n', &first);
    if (ll_url_read(first, &arena, &url, &why)) {
        check(&url, &arena);
        if (rest.ptr != NULL && ll_url_follow(&url, rest, &arena, &to, &why))
            check(&to, &arena);
    }
    ll_arena_fini(&arena);
    must(mem.used_bytes == 0);
    return 0;
}
