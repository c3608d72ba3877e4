/* tests/bench/http_hello.c: the server of runtime/server with a trivial
 * handler, for wrk and curl.
 *
 *   unit/http_hello [ADDRESS:PORT]
 *
 * Prints its address and serves until its stdin ends. GET answers the 58
 * bytes of /hello; any other method answers its own body.
 */
#include <stdio.h>

#include "base/text.h"
#include "server/http.h"

static void
handle(void *user, struct ll_request *request)
{
    LL_UNUSED(user);
    struct ll_response r = {.status = 200,
        .content_type = LINLI_STR("application/json"),
        .body =
            LINLI_STR("{\"hello\":\"neighbour\",\"from\":\"linli\",\"lang\":"
                      "\"c\",\"n\":1}\n")};
    if (request->has_body)
        r.body = request->body;
    request->respond(request, &r);
}

static void
stop(void *user)
{
    ll_world_stop(user);
}

int
main(int argc, char **argv)
{
    struct ll_mem mem;
    struct ll_world *world;
    struct ll_http *http = NULL;
    struct ll_err err;
    ll_mem_init(&mem, 0);
    if (ll_world_new(&mem, &world, &err) != LINLI_OK) {
        (void)fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    struct ll_http_options options = {.mem = &mem,
        .address = ll_cstr(argc > 1 ? argv[1] : "127.0.0.1:0"),
        .handle = handle};
    if (ll_http_new(world, &options, &http, &err) != LINLI_OK) {
        (void)fprintf(stderr, "%s\n", err.msg);
        ll_world_free(&world);
        return 1;
    }
    char address[64];
    ll_http_address(http, address);
    printf("%s\n", address);
    (void)fflush(stdout);
    struct ll_watch *watch = ll_watch_new(world, 0, stop, world);
    ll_world_run(world);
    ll_watch_free(&watch);
    ll_http_free(&http);
    ll_world_free(&world);
    return mem.used_bytes == 0 ? 0 : 1;
}
