/* server/api.c: linli/host.h, over the host and its face. [loop] */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/batch.h"
#include "host/demo.h"
#include "host/dev_key.h"
#include "server/face.h"

#define DEMO_TEXT_BYTES_MAX ((size_t)256 << 10)
#define CALL_BYTES_MAX ((size_t)2 * LL_HTTP_BODY_BYTES_MAX)

struct linli_host {
    struct ll_host *host;
    bool due; /* something was begun that the next turn sends on its way */
};

static linli_status
finish(linli_status status, const struct ll_err *err, linli_error *error)
{
    if (status != LINLI_OK)
        ll_error_export(err, error);
    return status;
}

/* A struct of another size was built against another header. */
static linli_status
wrong_size(const char *what, linli_error *error)
{
    struct ll_err err;
    linli_status status = ll_fail(&err, LINLI_E_INVALID, "runtime/internal",
        "%s.size is not what this library was built with", what);
    ll_err_fix(&err, "set .size = sizeof the struct and build again");
    return finish(status, &err, error);
}

linli_status
linli_host_new(
    const linli_host_options *options, linli_host **out, linli_error *error)
{
    struct ll_err err = {0};
    struct ll_mem mem;
    *out = NULL;
    if (options->size != sizeof *options)
        return wrong_size("linli_host_options", error);
    struct ll_host *host = NULL;
    ll_mem_init(&mem, 0);
    linli_status status = ll_host_new(options, &mem, &host, &err);
    if (status != LINLI_OK)
        return finish(status, &err, error);
    struct linli_host *outer = ll_arena_alloc(&host->arena, sizeof *outer);
    if (outer == NULL) {
        ll_host_free(&host);
        status = ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a host");
        return finish(status, &err, error);
    }
    outer->host = host;
    *out = outer;
    return LINLI_OK;
}

void
linli_host_free(linli_host **outer)
{
    if (*outer == NULL)
        return;
    struct ll_host *host = (*outer)->host;
    *outer = NULL;
    ll_host_free(&host);
}

const char *
linli_host_sandbox(const linli_host *outer)
{
    return ll_spawner_caps(outer->host->spawner)->text;
}

const char *
linli_host_unsafe(const linli_host *outer)
{
    return outer->host->config.unsafe;
}

const char *
linli_host_admin_token(const linli_host *outer)
{
    return outer->host->admin_token;
}

linli_status
linli_host_failure(const linli_host *outer, linli_error *error)
{
    const struct ll_err *failure = &outer->host->failure;
    return finish(failure->status, failure, error);
}

linli_status
linli_host_listen(linli_host *outer, linli_str address, linli_error *error)
{
    struct ll_err err = {0};
    return finish(ll_face_open(outer->host, address, &err), &err, error);
}

const char *
linli_host_url(const linli_host *outer)
{
    return outer->host->url;
}

void
linli_host_run(linli_host *outer)
{
    while (!outer->host->stopped)
        ll_world_run(outer->host->world);
}

void
linli_host_turn(linli_host *outer, uint32_t wait)
{
    outer->due = false;
    ll_world_turn(outer->host->world, wait != 0);
}

int32_t
linli_host_fd(const linli_host *outer)
{
    return ll_world_fd(outer->host->world);
}

int32_t
linli_host_timeout_ms(const linli_host *outer)
{
    return outer->due ? 0 : ll_world_timeout_ms(outer->host->world);
}

void
linli_host_stop(linli_host *outer)
{
    outer->due = true;
    ll_host_stop(outer->host);
}

void
linli_host_wake(linli_host *outer)
{
    ll_wakeup_send(outer->host->wakeup);
}

linli_status
linli_host_add_community(
    linli_host *outer, linli_str id, linli_str zone, linli_error *error)
{
    struct ll_err err = {0};
    return finish(
        ll_host_add_community(outer->host, id, zone, &err), &err, error);
}

/* -- enabling -- */

/* Carries a public callback through an internal one. */
struct waiting {
    struct ll_host *host;
    linli_done done;
    void *user;
};

static struct waiting *
waiting_new(struct ll_host *host, linli_done done, void *user)
{
    struct waiting *waiting = ll_alloc(&host->mem, sizeof *waiting);
    if (waiting != NULL)
        *waiting = (struct waiting){host, done, user};
    return waiting;
}

static void
on_done(void *user, linli_status status, const struct ll_err *err)
{
    struct waiting waiting = *(struct waiting *)user;
    linli_error error = {.size = sizeof error};
    ll_release(&waiting.host->mem, user, sizeof waiting);
    if (status != LINLI_OK)
        ll_error_export(err, &error);
    if (waiting.done != NULL)
        waiting.done(waiting.user, status, status == LINLI_OK ? NULL : &error);
}

static void
on_enabled(void *user, const struct ll_instance *instance, linli_status status,
    const struct ll_err *err)
{
    LL_UNUSED(instance);
    on_done(user, status, err);
}

/* Ends a start that may have failed: the carrier goes with it. */
static linli_status
started(struct waiting *waiting, linli_status status, const struct ll_err *err,
    linli_error *error)
{
    if (status != LINLI_OK && waiting != NULL)
        ll_release(&waiting->host->mem, waiting, sizeof *waiting);
    return finish(status, err, error);
}

linli_status
linli_host_enable(linli_host *outer, const linli_plugin_options *options,
    linli_done done, void *user, linli_error *error)
{
    struct ll_err err = {0};
    outer->due = true;
    if (options->size != sizeof *options)
        return wrong_size("linli_plugin_options", error);
    struct waiting *waiting = waiting_new(outer->host, done, user);
    linli_status status =
        waiting == NULL
            ? ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room")
            : ll_host_enable(outer->host, options, on_enabled, waiting, &err);
    return started(waiting, status, &err, error);
}

linli_status
linli_host_disable(linli_host *outer, linli_str community, linli_str plugin,
    linli_error *error)
{
    struct ll_err err = {0};
    outer->due = true;
    return finish(
        ll_host_disable(outer->host, community, plugin, &err), &err, error);
}

linli_status
linli_host_enable_configured(
    linli_host *outer, linli_done done, void *user, linli_error *error)
{
    struct ll_err err = {0};
    outer->due = true;
    struct waiting *waiting = waiting_new(outer->host, done, user);
    linli_status status =
        waiting == NULL
            ? ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room")
            : ll_host_enable_configured(outer->host, on_done, waiting, &err);
    return started(waiting, status, &err, error);
}

linli_status
linli_host_demo(linli_host *outer, linli_str plugins_dir, linli_done done,
    void *user, linli_error *error)
{
    struct ll_err err = {0};
    outer->due = true;
    struct waiting *waiting = waiting_new(outer->host, done, user);
    linli_status status =
        waiting == NULL
            ? ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room")
            : ll_host_demo(outer->host, plugins_dir, on_done, waiting, &err);
    return started(waiting, status, &err, error);
}

size_t
linli_host_demo_text(linli_host *outer, char *out, size_t size)
{
    struct ll_buf text;
    if (size == 0)
        return 0;
    ll_buf_init(&text, &outer->host->mem, DEMO_TEXT_BYTES_MAX);
    ll_demo_print(outer->host, &text);
    size_t n = text.len < size - 1 ? text.len : size - 1;
    if (n > 0)
        memcpy(out, text.ptr, n);
    out[n] = '\0';
    ll_buf_fini(&text);
    return n;
}

/* -- calls without HTTP -- */

#define EMBEDDED_FIELDS 5

/* A request of the embedder's, copied, and its answer if that comes before
 * the call has returned. */
struct embedded {
    struct ll_request request;
    struct ll_host *host;
    struct ll_arena arena;
    struct ll_field fields[EMBEDDED_FIELDS];
    struct ll_timer *later;
    void (*answer)(void *user, const linli_response *response);
    void *user;
    linli_response response;
    bool begun;
};

static void
embedded_free(struct embedded *embedded)
{
    struct ll_host *host = embedded->host;
    ll_timer_free(&embedded->later);
    ll_arena_fini(&embedded->arena);
    ll_release(&host->mem, embedded, sizeof *embedded);
}

static void
on_later(void *user)
{
    struct embedded *embedded = user;
    embedded->answer(embedded->user, &embedded->response);
    embedded->host->embedded_count--;
    struct ll_host *host = embedded->host;
    embedded_free(embedded);
    ll_host_check_stopped(host);
}

static void
on_response(struct ll_request *request, const struct ll_response *response)
{
    struct embedded *embedded = LL_CONTAINER(request, struct embedded, request);
    embedded->response = (linli_response){sizeof(linli_response),
        (uint32_t)response->status, response->content_type, response->body};
    if (embedded->begun) {
        on_later(embedded);
        return;
    }
    /* linli_host_call has not returned yet: the next turn answers. */
    embedded->response.content_type =
        ll_arena_str(&embedded->arena, response->content_type);
    embedded->response.body = ll_arena_str(&embedded->arena, response->body);
    ll_timer_set(embedded->later, 0, 0);
}

static void
add_field(struct embedded *embedded, const char *name, linli_str value)
{
    if (value.len == 0)
        return;
    embedded->fields[embedded->request.field_count++] =
        (struct ll_field){ll_cstr(name), ll_arena_str(&embedded->arena, value)};
}

/* "Bearer TOKEN"; a token of any length, for the pipeline to judge. */
static void
add_token(struct embedded *embedded, linli_str token)
{
    static const linli_str scheme = {"Bearer ", 7};
    if (token.len == 0)
        return;
    char *value = ll_arena_alloc(&embedded->arena, scheme.len + token.len);
    if (value == NULL)
        return;
    memcpy(value, scheme.ptr, scheme.len);
    memcpy(value + scheme.len, token.ptr, token.len);
    embedded->fields[embedded->request.field_count++] = (struct ll_field){
        LINLI_STR("authorization"), {value, scheme.len + token.len}};
}

static void
copy_request(struct embedded *embedded, const linli_request *from)
{
    struct ll_request *to = &embedded->request;
    struct ll_arena *arena = &embedded->arena;
    to->method = ll_arena_str(arena, from->method);
    to->path = ll_arena_str(arena, from->path);
    to->query = ll_arena_str(arena, from->query);
    to->has_body = from->body.ptr != NULL;
    to->body = ll_arena_str(arena, from->body);
    to->fields = embedded->fields;
    to->respond = on_response;
    add_token(embedded, from->token);
    if (to->has_body)
        add_field(embedded, "content-type", LINLI_STR("application/json"));
    add_field(embedded, "idempotency-key", from->idempotency_key);
    add_field(embedded, "accept-language", from->accept_language);
    add_field(embedded, "traceparent", from->traceparent);
}

static size_t
request_bytes(const linli_request *request)
{
    return request->method.len + request->path.len + request->query.len +
           request->token.len + request->idempotency_key.len +
           request->accept_language.len + request->traceparent.len +
           request->body.len;
}

/* What keeps a call from being one at all. */
static linli_status
check_request(const struct ll_host *host, const linli_request *request,
    struct ll_err *err)
{
    /* An embedder that tries again at once must not keep a host alive. */
    if (host->draining)
        return ll_fail(
            err, LINLI_E_CLOSED, "runtime/draining", "this host stops");
    if (request_bytes(request) > CALL_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "request/too-large",
            "a call of more than %zu bytes", CALL_BYTES_MAX);
    return LINLI_OK;
}

linli_status
linli_host_call(linli_host *outer, const linli_request *request,
    void (*answer)(void *user, const linli_response *response), void *user,
    linli_error *error)
{
    struct ll_host *host = outer->host;
    struct ll_err err = {0};
    if (request->size != sizeof *request)
        return wrong_size("linli_request", error);
    linli_status status = check_request(host, request, &err);
    if (status != LINLI_OK)
        return finish(status, &err, error);
    struct embedded *embedded = ll_alloc(&host->mem, sizeof *embedded);
    if (embedded == NULL) {
        status = ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a call");
        return finish(status, &err, error);
    }
    embedded->host = host;
    embedded->answer = answer;
    embedded->user = user;
    ll_arena_init(&embedded->arena, &host->mem, 2 * CALL_BYTES_MAX);
    embedded->later = ll_timer_new(host->world, on_later, embedded);
    copy_request(embedded, request);
    if (embedded->later == NULL || embedded->arena.failed) {
        embedded_free(embedded);
        status = ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a call");
        return finish(status, &err, error);
    }
    host->embedded_count++;
    outer->due = true;
    ll_host_dispatch(host, &embedded->request);
    embedded->begun = true;
    return LINLI_OK;
}

linli_status
linli_host_token(linli_host *outer, const linli_token_options *options,
    char *out, size_t size, linli_error *error)
{
    struct ll_host *host = outer->host;
    struct ll_err err = {0};
    struct ll_buf claims, token;
    if (options->size != sizeof *options)
        return wrong_size("linli_token_options", error);
    ll_buf_init(&claims, &host->mem, LL_TOKEN_BYTES_MAX);
    ll_buf_init(&token, &host->mem, LL_TOKEN_BYTES_MAX);
    struct ll_dev_claims want = {.kind = options->kind,
        .id = options->id,
        .community = options->community,
        .now_ms = ll_world_wall(host->world).ms,
        .ttl_s = options->ttl_s};
    linli_status status =
        host->dev_key == NULL
            ? ll_fail(&err, LINLI_E_DENIED, "config/development-only",
                  "signing tokens")
            : ll_dev_claims_write(&host->mem, &want, &claims, &err);
    if (status == LINLI_OK)
        status = ll_jwt_sign(host->dev_key, ll_buf_view(&claims), &token, &err);
    if (status == LINLI_OK && token.len >= size)
        status = ll_fail(&err, LINLI_E_LIMIT, "runtime/internal",
            "the token has %zu bytes", token.len);
    if (status == LINLI_OK) {
        memcpy(out, token.ptr, token.len);
        out[token.len] = '\0';
    }
    ll_buf_fini(&claims);
    ll_buf_fini(&token);
    return finish(status, &err, error);
}
