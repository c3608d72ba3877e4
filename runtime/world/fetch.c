/* world/fetch.c: libcurl's multi interface on the loop. [loop]
 *
 * libcurl says which descriptors it watches and when it wants to be called;
 * libuv does both. Fetches end in collect(), outside of any function of
 * libcurl, so what a callback does there (start, cancel, free the pool) is
 * always allowed. What libcurl allocates is its own and is not counted.
 */
#include "world/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "base/text.h"
#include "world/world_uv.h"

struct ll_fetch_pool {
    struct ll_world *world;
    struct ll_fetch_pool_options options;
    CURLM *multi; /* NULL: idle for long */
    struct ll_timer *timer, *idle;
    struct ll_fetch *first; /* under way, doubly linked */
    struct sock *socks;
    unsigned collecting; /* callbacks on the stack */
    bool gone;           /* freed by one of them */
};

/* A descriptor that libcurl watches. */
struct sock {
    uv_poll_t poll;
    struct ll_fetch_pool *pool;
    struct ll_mem *mem;
    struct sock *next;
    curl_socket_t fd;
};

struct ll_fetch {
    struct ll_fetch_pool *pool;
    struct ll_fetch *next, *before;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    struct ll_buf head, body;
    size_t head_bytes, head_bytes_max;
    uint32_t fields_max;
    bool final; /* the header section of the answer itself has ended */
    bool interim, refused;
    const char *too_large; /* what was; NULL: nothing */
    bool (*judge)(void *user, const struct ll_fetch_peer *peer);
    void (*done)(void *user, const struct ll_fetch_result *result);
    void *user;
    char error[CURL_ERROR_SIZE];
};

static void collect(struct ll_fetch_pool *pool);

/* -- libuv for libcurl -- */

static void
on_sock(uv_poll_t *handle, int status, int events)
{
    struct sock *sock = handle->data;
    struct ll_fetch_pool *pool = sock->pool;
    int running, flags = 0;
    /* What is wrong with it, reading tells; then libcurl can see that a
     * connection which it had kept is gone, and takes a new one. */
    if (status < 0 || (events & UV_READABLE) != 0)
        flags |= CURL_CSELECT_IN;
    if (status < 0 || (events & UV_WRITABLE) != 0)
        flags |= CURL_CSELECT_OUT;
    (void)curl_multi_socket_action(pool->multi, sock->fd, flags, &running);
    collect(pool);
}

static void
on_sock_closed(uv_handle_t *handle)
{
    struct sock *sock = handle->data;
    ll_release(sock->mem, sock, sizeof *sock);
}

static struct sock *
sock_new(struct ll_fetch_pool *pool, curl_socket_t fd)
{
    struct ll_mem *mem = pool->world->mem;
    struct sock *sock = ll_alloc(mem, sizeof *sock);
    if (sock == NULL)
        return NULL;
    *sock = (struct sock){.pool = pool, .mem = mem, .fd = fd};
    if (uv_poll_init_socket(&pool->world->loop, &sock->poll, fd) != 0) {
        ll_release(mem, sock, sizeof *sock);
        return NULL;
    }
    sock->poll.data = sock;
    sock->next = pool->socks;
    pool->socks = sock;
    (void)curl_multi_assign(pool->multi, fd, sock);
    return sock;
}

static void
sock_free(struct sock *sock)
{
    struct sock **at = &sock->pool->socks;
    while (*at != sock)
        at = &(*at)->next;
    *at = sock->next;
    uv_close((uv_handle_t *)&sock->poll, on_sock_closed);
}

/* libcurl watches a descriptor, otherwise than before or no more. */
static int
on_watch(CURL *easy, curl_socket_t fd, int what, void *user, void *of_fd)
{
    struct ll_fetch_pool *pool = user;
    struct sock *sock = of_fd;
    LL_UNUSED(easy);
    if (what == CURL_POLL_REMOVE) {
        if (sock != NULL)
            sock_free(sock);
        return 0;
    }
    if (sock == NULL)
        sock = sock_new(pool, fd);
    if (sock == NULL)
        return -1; /* ends every fetch of the pool */
    int events = (what & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
    if ((what & CURL_POLL_OUT) != 0)
        events |= UV_WRITABLE;
    return uv_poll_start(&sock->poll, events, on_sock) == 0 ? 0 : -1;
}

static int
on_wants_time(CURLM *multi, long timeout_ms, void *user)
{
    struct ll_fetch_pool *pool = user;
    LL_UNUSED(multi);
    if (timeout_ms < 0)
        ll_timer_stop(pool->timer);
    else
        ll_timer_set(pool->timer, timeout_ms, 0);
    return 0;
}

static void
on_time(void *user)
{
    struct ll_fetch_pool *pool = user;
    int running;
    if (pool->multi == NULL)
        return;
    (void)curl_multi_socket_action(
        pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(pool);
}

/* -- pools -- */

static void
multi_free(struct ll_fetch_pool *pool)
{
    struct ll_quiet quiet;
    if (pool->multi == NULL)
        return;
    ll_quiet_begin(&quiet);
    (void)curl_multi_cleanup(pool->multi);
    ll_quiet_end(&quiet);
    pool->multi = NULL;
    ll_timer_stop(pool->timer);
    ll_check(pool->socks == NULL);
}

static void
on_idle(void *user)
{
    struct ll_fetch_pool *pool = user;
    if (pool->first == NULL)
        multi_free(pool);
}

static bool
multi_new(struct ll_fetch_pool *pool)
{
    if (pool->multi != NULL)
        return true;
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        return false;
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_wants_time);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool);
    (void)curl_multi_setopt(
        multi, CURLMOPT_MAXCONNECTS, (long)pool->options.idle_connections);
    (void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    pool->multi = multi;
    return true;
}

struct ll_fetch_pool *
ll_fetch_pool_new(struct ll_world *world, struct ll_fetch_pool_options options)
{
    struct ll_fetch_pool *pool = ll_alloc(world->mem, sizeof *pool);
    if (pool == NULL)
        return NULL;
    *pool = (struct ll_fetch_pool){.world = world, .options = options};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        ll_release(world->mem, pool, sizeof *pool);
        return NULL;
    }
    pool->timer = ll_timer_new(world, on_time, pool);
    pool->idle = ll_timer_new(world, on_idle, pool);
    if (pool->timer == NULL || pool->idle == NULL)
        ll_fetch_pool_free(&pool);
    return pool;
}

static void
pool_release(struct ll_fetch_pool *pool)
{
    ll_release(pool->world->mem, pool, sizeof *pool);
}

void
ll_fetch_pool_free(struct ll_fetch_pool **pool_at)
{
    struct ll_fetch_pool *pool = *pool_at;
    *pool_at = NULL;
    if (pool == NULL)
        return;
    for (struct ll_fetch *fetch; (fetch = pool->first) != NULL;)
        ll_fetch_cancel(&fetch);
    multi_free(pool);
    ll_timer_free(&pool->timer);
    ll_timer_free(&pool->idle);
    curl_global_cleanup();
    pool->gone = true;
    if (pool->collecting == 0)
        pool_release(pool);
}

/* -- what comes -- */

/* The only place where a socket is made, so the only one where an address
 * can be judged: whatever name, spelling or redirect led to it. */
static curl_socket_t
on_open(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct ll_fetch *fetch = user;
    struct ll_fetch_peer peer = {.v6 = to->family == AF_INET6};
    if (purpose != CURLSOCKTYPE_IPCXN ||
        (to->family != AF_INET && to->family != AF_INET6)) {
        fetch->refused = true;
        return CURL_SOCKET_BAD;
    }
    if (peer.v6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, &to->addr, sizeof in6);
        memcpy(peer.bytes, &in6.sin6_addr, 16);
        peer.port = ntohs(in6.sin6_port);
    } else {
        struct sockaddr_in in;
        memcpy(&in, &to->addr, sizeof in);
        memcpy(peer.bytes, &in.sin_addr, 4);
        peer.port = ntohs(in.sin_port);
    }
    if (!fetch->judge(fetch->user, &peer)) {
        fetch->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* A line of a header section, its end included. Of the answer's own section
 * the fields are kept; interim ones and trailers are counted only. */
static size_t
on_head(char *bytes, size_t size, size_t n, void *user)
{
    struct ll_fetch *fetch = user;
    linli_str line = {bytes, size * n};
    fetch->head_bytes += line.len;
    if (fetch->head_bytes > fetch->head_bytes_max) {
        fetch->too_large = "the header section is too large";
        return 0;
    }
    if (fetch->final)
        return line.len;
    if (ll_str_starts(line, "HTTP/")) {
        const char *space = memchr(bytes, ' ', line.len);
        fetch->interim = space != NULL && space[1] == '1';
        ll_buf_clear(&fetch->head);
        return line.len;
    }
    if (bytes[0] == '\r' || bytes[0] == '\n')
        fetch->final = !fetch->interim;
    else
        ll_buf_str(&fetch->head, line);
    return fetch->head.failed ? 0 : line.len;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *user)
{
    struct ll_fetch *fetch = user;
    if (fetch->body.max_bytes - fetch->body.len < size * n) {
        fetch->too_large = "the body is larger than was asked for";
        return 0;
    }
    ll_buf_add(&fetch->body, bytes, size * n);
    return fetch->body.failed ? 0 : size * n;
}

/* -- the end of a fetch -- */

static void
fetch_free(struct ll_fetch *fetch)
{
    struct ll_fetch_pool *pool = fetch->pool;
    struct ll_quiet quiet;
    ll_quiet_begin(&quiet);
    if (fetch->easy != NULL)
        curl_easy_cleanup(fetch->easy);
    ll_quiet_end(&quiet);
    curl_slist_free_all(fetch->headers);
    curl_slist_free_all(fetch->connect_to);
    ll_buf_fini(&fetch->head);
    ll_buf_fini(&fetch->body);
    ll_release(pool->world->mem, fetch, sizeof *fetch);
}

/* Takes it from libcurl and from the pool. */
static void
fetch_leave(struct ll_fetch *fetch)
{
    struct ll_fetch_pool *pool = fetch->pool;
    struct ll_quiet quiet;
    ll_quiet_begin(&quiet);
    (void)curl_multi_remove_handle(pool->multi, fetch->easy);
    ll_quiet_end(&quiet);
    if (fetch->next != NULL)
        fetch->next->before = fetch->before;
    if (fetch->before != NULL)
        fetch->before->next = fetch->next;
    else
        pool->first = fetch->next;
    if (pool->first == NULL)
        ll_timer_set(pool->idle, pool->options.idle_ms, 0);
}

void
ll_fetch_cancel(struct ll_fetch **fetch_at)
{
    struct ll_fetch *fetch = *fetch_at;
    *fetch_at = NULL;
    if (fetch == NULL)
        return;
    fetch_leave(fetch);
    fetch_free(fetch);
}

static enum ll_fetch_end
end_of(const struct ll_fetch *fetch, CURLcode code, bool sent)
{
    curl_off_t began = 0;
    switch (code) {
    case CURLE_OK:
        return LL_FETCH_ANSWERED;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return fetch->refused ? LL_FETCH_REFUSED : LL_FETCH_UNREACHABLE;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return LL_FETCH_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return sent ? LL_FETCH_TIMEOUT : LL_FETCH_UNREACHABLE;
    case CURLE_OUT_OF_MEMORY:
        /* Also what libcurl says of a header line without end. */
        (void)curl_easy_getinfo(
            fetch->easy, CURLINFO_STARTTRANSFER_TIME_T, &began);
        return began > 0 ? LL_FETCH_TOO_LARGE : LL_FETCH_NOMEM;
    default:
        if (fetch->too_large != NULL)
            return LL_FETCH_TOO_LARGE;
        return fetch->head.failed || fetch->body.failed ? LL_FETCH_NOMEM
                                                        : LL_FETCH_BROKEN;
    }
}

static linli_str
trimmed(linli_str s)
{
    while (s.len > 0 && strchr(" \t\r\n", s.ptr[s.len - 1]) != NULL)
        s.len--;
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = (linli_str){s.ptr + 1, s.len - 1};
    return s;
}

/* "Name: value" lines into fields; what is none of that is passed over, as
 * are continued lines, which RFC 9112 gave up. False: too many, no memory. */
static bool
read_fields(struct ll_fetch *fetch, struct ll_arena *arena,
    struct ll_fetch_result *result)
{
    linli_str rest = ll_buf_view(&fetch->head), line;
    struct ll_fetch_field *fields =
        ll_arena_alloc(arena, fetch->fields_max * sizeof *fields);
    if (fields == NULL)
        return false;
    result->fields = fields;
    while (rest.ptr != NULL && ll_str_split(&rest, '\n', &line)) {
        size_t colon = 0;
        while (colon < line.len && line.ptr[colon] != ':')
            colon++;
        if (colon == 0 || colon == line.len || line.ptr[0] == ' ' ||
            line.ptr[0] == '\t')
            continue;
        if (result->field_count == fetch->fields_max) {
            fetch->too_large = "there are too many header fields";
            return false;
        }
        char *name = fetch->head.ptr + (line.ptr - fetch->head.ptr);
        for (size_t i = 0; i < colon; i++)
            if (name[i] >= 'A' && name[i] <= 'Z')
                name[i] = (char)(name[i] - 'A' + 'a');
        fields[result->field_count++] = (struct ll_fetch_field){
            trimmed((linli_str){line.ptr, colon}),
            trimmed((linli_str){line.ptr + colon + 1, line.len - colon - 1})};
    }
    return true;
}

static void
fetch_finish(struct ll_fetch *fetch, CURLcode code)
{
    struct ll_arena arena;
    struct ll_fetch_result result = {.end = LL_FETCH_ANSWERED};
    long status = 0, request_bytes = 0;
    ll_arena_init(&arena, fetch->pool->world->mem,
        (fetch->fields_max + 1) * sizeof *result.fields);
    (void)curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(fetch->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    result.sent = request_bytes > 0;
    result.end = end_of(fetch, code, result.sent);
    if (result.end == LL_FETCH_ANSWERED && !read_fields(fetch, &arena, &result))
        result.end =
            fetch->too_large != NULL ? LL_FETCH_TOO_LARGE : LL_FETCH_NOMEM;
    if (result.end == LL_FETCH_ANSWERED) {
        result.status = (uint32_t)status;
        result.body = ll_buf_view(&fetch->body);
    } else {
        if (result.end == LL_FETCH_TOO_LARGE && fetch->too_large == NULL)
            fetch->too_large = "a line of the header section is too large";
        result.detail = fetch->too_large != NULL  ? fetch->too_large
                        : fetch->error[0] != '\0' ? fetch->error
                                                  : curl_easy_strerror(code);
        result.field_count = 0;
    }
    fetch_leave(fetch);
    fetch->done(fetch->user, &result);
    ll_arena_fini(&arena);
}

static void
collect(struct ll_fetch_pool *pool)
{
    int waiting;
    CURLMsg *msg;
    pool->collecting++;
    while (!pool->gone && pool->multi != NULL &&
           (msg = curl_multi_info_read(pool->multi, &waiting)) != NULL) {
        struct ll_fetch *fetch = NULL;
        CURLcode code = msg->data.result;
        (void)curl_easy_getinfo(
            msg->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
        fetch_finish(fetch, code);
        fetch_free(fetch);
    }
    if (--pool->collecting == 0 && pool->gone)
        pool_release(pool);
}

/* -- the start -- */

static bool
add_line(struct curl_slist **list, struct ll_buf *scratch, linli_str line)
{
    ll_buf_clear(scratch);
    ll_buf_str(scratch, line);
    ll_buf_char(scratch, '\0');
    if (scratch->failed || memchr(line.ptr, '\0', line.len) != NULL)
        return false;
    struct curl_slist *grown = curl_slist_append(*list, scratch->ptr);
    if (grown == NULL)
        return false;
    *list = grown;
    return true;
}

/* The options that are the same for every fetch. */
static CURLcode
set_rules(struct ll_fetch *fetch)
{
    CURL *easy = fetch->easy;
    const char *ca_file = fetch->pool->options.ca_file;
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1},
        /* An abandoned resolver is let go, not waited for. */
        {CURLOPT_QUICK_EXIT, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_HTTPAUTH, CURLAUTH_NONE},
        {CURLOPT_PROXYAUTH, CURLAUTH_NONE},
        {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_HTTP09_ALLOWED, 0},
        {CURLOPT_HTTP_CONTENT_DECODING, 0},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_NOPROGRESS, 1},
    };
    CURLcode code = CURLE_OK;
    for (size_t i = 0; i < LL_COUNT(numbers) && code == CURLE_OK; i++)
        code = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
    const struct {
        CURLoption option;
        const char *value;
    } texts[] = {
        {CURLOPT_PROTOCOLS_STR, "http,https"},
        {CURLOPT_REDIR_PROTOCOLS_STR, "https"},
        {CURLOPT_PROXY, ""}, /* and so none of the environment's */
        {CURLOPT_NOPROXY, "*"},
        {ca_file == NULL ? 0 : CURLOPT_CAINFO, ca_file},
        {ca_file == NULL ? 0 : CURLOPT_CAPATH, NULL},
    };
    for (size_t i = 0; i < LL_COUNT(texts) && code == CURLE_OK; i++)
        if (texts[i].option != 0)
            code = curl_easy_setopt(easy, texts[i].option, texts[i].value);
    return code;
}

static void
set_callbacks(struct ll_fetch *fetch)
{
    CURL *easy = fetch->easy;
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
}

/* A text option; libcurl copies it. */
static CURLcode
set_text(CURL *easy, CURLoption option, linli_str text, struct ll_buf *scratch)
{
    ll_buf_clear(scratch);
    ll_buf_str(scratch, text);
    ll_buf_char(scratch, '\0');
    if (scratch->failed)
        return CURLE_OUT_OF_MEMORY;
    return curl_easy_setopt(easy, option, scratch->ptr);
}

static bool
has_type(const struct ll_fetch_want *want)
{
    static const char name[] = "content-type:";
    for (uint32_t i = 0; i < want->header_count; i++) {
        linli_str line = want->headers[i];
        if (line.len >= sizeof name - 1 &&
            ll_str_eq_nocase((linli_str){line.ptr, sizeof name - 1}, name))
            return true;
    }
    return false;
}

static CURLcode
set_request(struct ll_fetch *fetch, const struct ll_fetch_want *want,
    struct ll_buf *scratch)
{
    CURL *easy = fetch->easy;
    bool lines = true;
    CURLcode code = set_text(easy, CURLOPT_URL, want->url, scratch);
    if (code == CURLE_OK && ll_str_is(want->method, "HEAD"))
        code = curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (code == CURLE_OK && want->body.ptr != NULL) {
        (void)curl_easy_setopt(
            easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)want->body.len);
        code = curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, want->body.ptr);
    }
    if (code == CURLE_OK)
        code = set_text(easy, CURLOPT_CUSTOMREQUEST, want->method, scratch);
    for (uint32_t i = 0; i < want->header_count && lines; i++)
        lines = add_line(&fetch->headers, scratch, want->headers[i]);
    /* Not of libcurl's own accord. */
    lines = lines && add_line(&fetch->headers, scratch, LINLI_STR("Expect:"));
    if (!has_type(want))
        lines = lines &&
                add_line(&fetch->headers, scratch, LINLI_STR("Content-Type:"));
    if (want->connect_to.len > 0)
        lines =
            lines && add_line(&fetch->connect_to, scratch, want->connect_to);
    if (!lines || code != CURLE_OK)
        return lines ? code : CURLE_OUT_OF_MEMORY;
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECT_TO, fetch->connect_to);
    (void)curl_easy_setopt(
        easy, CURLOPT_CONNECTTIMEOUT_MS, (long)want->connect_ms);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)want->timeout_ms);
    return CURLE_OK;
}

static CURLcode
prepare(struct ll_fetch *fetch, const struct ll_fetch_want *want)
{
    struct ll_buf scratch;
    fetch->easy = curl_easy_init();
    if (fetch->easy == NULL)
        return CURLE_OUT_OF_MEMORY;
    ll_buf_init(&scratch, fetch->pool->world->mem, SIZE_MAX);
    CURLcode code = set_rules(fetch);
    set_callbacks(fetch);
    if (code == CURLE_OK)
        code = set_request(fetch, want, &scratch);
    ll_buf_fini(&scratch);
    return code;
}

linli_status
ll_fetch_start(struct ll_fetch_pool *pool, const struct ll_fetch_want *want,
    struct ll_fetch **out, struct ll_err *err)
{
    struct ll_mem *mem = pool->world->mem;
    *out = NULL;
    ll_check(want->timeout_ms > 0 && want->connect_ms > 0);
    struct ll_fetch *fetch = ll_alloc(mem, sizeof *fetch);
    if (fetch == NULL || !multi_new(pool)) {
        ll_release(mem, fetch, sizeof *fetch);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a request");
    }
    *fetch = (struct ll_fetch){.pool = pool,
        .head_bytes_max = want->header_bytes_max,
        .fields_max = want->fields_max,
        .judge = want->judge,
        .done = want->done,
        .user = want->user};
    ll_buf_init(&fetch->head, mem, want->header_bytes_max);
    ll_buf_init(&fetch->body, mem, want->body_bytes_max);
    CURLcode code = prepare(fetch, want);
    if (code == CURLE_OK &&
        curl_multi_add_handle(pool->multi, fetch->easy) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    if (code != CURLE_OK) {
        fetch_free(fetch);
        if (code == CURLE_OUT_OF_MEMORY)
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a request");
        return ll_fail(err, LINLI_E_INVALID, "egress/invalid", "%s",
            curl_easy_strerror(code));
    }
    fetch->next = pool->first;
    if (pool->first != NULL)
        pool->first->before = fetch;
    pool->first = fetch;
    ll_timer_stop(pool->idle);
    *out = fetch;
    return LINLI_OK;
}
