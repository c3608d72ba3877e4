/* host/device.c: a device's signature, its event, its fallback. [loop] */
#include "host/device.h"

#include <stdio.h>

#include "base/text.h"
#include "data/put.h"
#include "host/directory.h"
#include "host/task.h"
#include "host/work.h"

/* What a signed call has besides. */
struct ll_device {
    linli_str id, nonce, signature; /* of the header */
    int64_t ts;
    struct ll_doc *nonce_doc; /* a reference; owned while in hand */
    struct ll_doc *work;      /* the event that is kept; a reference */
    uint64_t kept_number;     /* of its commit */
    struct ll_timer *timer;
    bool known; /* the device was found and believed */
};

/* -- the header -- */

static bool
read_part(linli_str header, const char *name, linli_str *out)
{
    linli_str part;
    while (ll_str_split(&header, ',', &part)) {
        linli_str key, value = part;
        while (value.len > 0 && value.ptr[0] == ' ')
            value = (linli_str){value.ptr + 1, value.len - 1};
        if (!ll_str_split(&value, '=', &key) || !ll_str_is(key, name))
            continue;
        *out = value;
        return value.ptr != NULL && value.len > 0;
    }
    return false;
}

static bool
read_header(linli_str header, struct ll_device *device)
{
    linli_str ts;
    if (!read_part(header, "device", &device->id) ||
        !read_part(header, "ts", &ts) ||
        !read_part(header, "nonce", &device->nonce) ||
        !read_part(header, "sig", &device->signature))
        return false;
    return device->id.len <= LL_DEVICE_ID_BYTES_MAX &&
           ll_utf8_valid(device->id) &&
           device->nonce.len <= LL_DEVICE_NONCE_BYTES_MAX &&
           ll_utf8_valid(device->nonce) &&
           device->signature.len == 2 * LL_SHA256_BYTES &&
           ll_str_int(ts, 0, INT64_MAX / 1000, &device->ts);
}

/* -- who it is -- */

static enum ll_step
refuse(struct ll_call *call, const char *code)
{
    return ll_call_refuse(call, code, NULL);
}

static bool
hex_value(char c, unsigned *out)
{
    if (c >= '0' && c <= '9')
        *out = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *out = (unsigned)(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
        *out = (unsigned)(c - 'A' + 10);
    else
        return false;
    return true;
}

/* The key's bytes; 0: it is none. */
static size_t
read_key(linli_str hex, char key[64])
{
    if (hex.len < 32 || hex.len > 128 || hex.len % 2 != 0)
        return 0;
    for (size_t i = 0; i < hex.len / 2; i++) {
        unsigned high, low;
        if (!hex_value(hex.ptr[2 * i], &high) ||
            !hex_value(hex.ptr[2 * i + 1], &low))
            return 0;
        key[i] = (char)(high << 4 | low);
    }
    return hex.len / 2;
}

/* What is signed, into call->scratch. */
static linli_str
signed_text(struct ll_call *call)
{
    const struct ll_request *request = call->request;
    const struct ll_device *device = call->device;
    struct ll_buf *text = &call->scratch;
    unsigned char hash[LL_SHA256_BYTES];
    char hex[2 * LL_SHA256_BYTES + 1];
    ll_sha256(request->body.ptr, request->body.len, hash);
    ll_hex(hash, sizeof hash, hex);
    ll_buf_clear(text);
    ll_buf_str(text, request->method);
    ll_buf_char(text, '\n');
    ll_buf_str(text, request->path);
    if (request->query.len > 0) {
        ll_buf_char(text, '?');
        ll_buf_str(text, request->query);
    }
    ll_buf_printf(text, "\n%lld\n", (long long)device->ts);
    ll_buf_str(text, device->nonce);
    ll_buf_char(text, '\n');
    ll_buf_cstr(text, hex);
    return ll_buf_view(text);
}

static bool
signature_holds(struct ll_call *call, struct ll_jv record)
{
    char key[64], hex[2 * LL_SHA256_BYTES + 1];
    unsigned char mac[LL_SHA256_BYTES];
    linli_str signature = call->device->signature;
    size_t n = read_key(ll_jv_str(ll_jv_get(record, "key_hex")), key);
    if (n == 0)
        return false;
    ll_hmac_sha256((linli_str){key, n}, signed_text(call), mac);
    ll_hex(mac, sizeof mac, hex);
    return !call->scratch.failed && ll_secret_is(signature, ll_cstr(hex));
}

/* Judges the record in call->asked; "" if all is well. */
static const char *
judge(struct ll_call *call)
{
    struct ll_json *json = &call->host->docs.json;
    const struct ll_content *content = call->asked->content;
    if (call->asked->state == LL_DOC_LOST)
        return "store/failed";
    if (content == NULL ||
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return "auth/device";
    struct ll_jv record = ll_json_root(json);
    if (!signature_holds(call, record))
        return "auth/device";
    int64_t off_s = call->now_ms / 1000 - call->device->ts;
    if (off_s > LL_DEVICE_SKEW_S_MAX || off_s < -LL_DEVICE_SKEW_S_MAX)
        return "auth/skewed";
    if (!ll_str_eq(ll_jv_str(ll_jv_get(record, "plugin")), call->instance->id))
        return "request/not-found";
    call->bound_to =
        ll_arena_str(&call->arena, ll_jv_str(ll_jv_get(record, "bound_to")));
    call->device_kind =
        ll_arena_str(&call->arena, ll_jv_str(ll_jv_get(record, "kind")));
    int bound = call->match.route->bound_param;
    if (bound >= 0 && !ll_str_eq(call->match.params[bound], call->bound_to))
        return "request/not-found";
    return call->arena.failed ? "runtime/memory" : "";
}

/* The nonce's document, which must not be there. */
static enum ll_step
look_nonce(struct ll_call *call)
{
    struct ll_device *device = call->device;
    struct ll_coll *coll = ll_directory(call->community, "~nonce");
    if (device->nonce_doc == NULL && coll != NULL) {
        ll_buf_clear(&call->scratch);
        ll_buf_printf(&call->scratch, "%zu:", device->id.len);
        ll_buf_str(&call->scratch, device->id);
        ll_buf_str(&call->scratch, device->nonce);
        device->nonce_doc = ll_docs_get(coll, ll_buf_view(&call->scratch));
    }
    if (device->nonce_doc == NULL)
        return refuse(call, "runtime/memory");
    if (!ll_doc_ready(device->nonce_doc, &call->hold))
        return LL_STEP_WAIT;
    if (device->nonce_doc->state == LL_DOC_LOST)
        return refuse(call, "store/failed");
    if (device->nonce_doc->content != NULL || device->nonce_doc->owner != NULL)
        return refuse(call, "auth/replayed");
    device->nonce_doc->owner = call;
    call->identity =
        ll_identity_device(&call->host->mem, device->id, call->community->id);
    return call->identity == NULL ? refuse(call, "runtime/memory")
                                  : LL_STEP_MORE;
}

enum ll_step
ll_device_identify(struct ll_call *call)
{
    struct ll_coll *coll = ll_directory(call->community, "~device");
    if (call->device == NULL) {
        call->device = ll_arena_alloc(&call->arena, sizeof *call->device);
        if (call->device == NULL || coll == NULL)
            return refuse(call, "runtime/memory");
        if (!read_header(ll_request_field(call->request, "linli-signature"),
                call->device))
            return refuse(call, "auth/device");
        call->asked = ll_docs_get(coll, call->device->id);
    }
    if (!call->device->known) {
        if (call->asked == NULL)
            return refuse(call, "runtime/memory");
        if (!ll_doc_ready(call->asked, &call->hold))
            return LL_STEP_WAIT;
        const char *code = judge(call);
        ll_doc_unref(&call->asked);
        if (code[0] != '\0')
            return refuse(call, code);
        call->device->known = true;
    }
    return look_nonce(call);
}

/* -- the event is kept before anything of it is done -- */

static linli_status
put_nonce(struct ll_call *call, struct ll_txn *txn, struct ll_err *err)
{
    struct ll_doc *doc = call->device->nonce_doc;
    struct ll_buf *text = &call->scratch;
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, doc->id);
    ll_jw_close(&w, '}');
    struct ll_plain plain = {.due_ms = call->now_ms + LL_DEVICE_NONCE_KEPT_MS};
    return ll_txn_put_plain(txn, doc, text, &plain, err);
}

static void
write_work(struct ll_call *call, linli_str id, struct ll_buf *text)
{
    const struct ll_request *request = call->request;
    int64_t due_ms = call->now_ms + LL_DEVICE_LATER_MS;
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, id);
    ll_jw_key(&w, "kind");
    ll_jw_cstr(&w, "device");
    ll_jw_key(&w, "due");
    ll_jw_int(&w, due_ms);
    ll_jw_key(&w, "seq");
    ll_jw_int(&w, (int64_t)++call->host->work_seq);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, call->now_ms);
    ll_jw_key(&w, "method");
    ll_jw_str(&w, request->method);
    ll_jw_key(&w, "path");
    ll_jw_str(&w, call->path);
    ll_jw_key(&w, "query");
    ll_jw_str(&w, request->query);
    if (request->has_body) {
        ll_jw_key(&w, "body");
        ll_jw_str(&w, request->body);
    }
    ll_jw_key(&w, "device");
    ll_jw_str(&w, call->identity->id);
    ll_jw_key(&w, "bound_to");
    ll_jw_str(&w, call->bound_to);
    ll_jw_key(&w, "device_kind");
    ll_jw_str(&w, call->device_kind);
    ll_jw_close(&w, '}');
}

static linli_status
put_work(struct ll_call *call, struct ll_txn *txn, struct ll_err *err)
{
    struct ll_doc *doc = call->device->work;
    write_work(call, doc->id, &call->scratch);
    return ll_txn_put(txn, doc, &call->scratch, call->now_ms, err);
}

/* Nonce, and on a route with a fallback the event, in one commit. */
static linli_status
keep(struct ll_call *call, struct ll_err *err)
{
    struct ll_docs *docs = &call->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_txn txn;
    ll_txn_init(&txn, docs);
    linli_status status = commit == NULL ? ll_fail(err, LINLI_E_NOMEM,
                                               "runtime/memory", "an event")
                                         : put_nonce(call, &txn, err);
    if (status == LINLI_OK && call->device->work != NULL)
        status = put_work(call, &txn, err);
    if (status == LINLI_OK) {
        ll_docs_commit_unwatched(docs, commit);
        call->device->kept_number = ll_txn_commit(&txn, commit);
        if (call->device->kept_number == 0)
            status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an event");
    }
    if (status != LINLI_OK && commit != NULL)
        ll_docs_commit_free(docs, commit);
    ll_txn_fini(&txn);
    return status;
}

static void
on_no_answer(void *user)
{
    struct ll_call *call = user;
    ll_timer_stop(call->device->timer);
    if (call->sequenced || call->state == LL_CALL_RESPOND)
        return; /* it has been done: what is missing is the disk */
    ll_pool_cancel(&call->run);
    ll_wait_cancel(&call->hold);
    if (ll_device_fall_back(call))
        ll_call_advance(call);
}

static bool
make_work(struct ll_call *call)
{
    char id[33];
    unsigned char random[16];
    ll_world_random(call->host->world, random, sizeof random);
    ll_hex(random, sizeof random, id);
    /* Nobody has this id: it is known to be absent. */
    call->device->work =
        ll_docs_make(ll_work_coll(call->instance), ll_cstr(id));
    if (call->device->work == NULL)
        return false;
    call->device->work->owner = call;
    call->device->timer = ll_timer_new(call->host->world, on_no_answer, call);
    return call->device->timer != NULL;
}

bool
ll_device_begin(struct ll_call *call)
{
    struct ll_device *device = call->device;
    struct ll_err err;
    if (device == NULL || device->kept_number != 0)
        return true;
    bool answered = call->match.route->fallback_status != 0;
    if (answered && !make_work(call)) {
        (void)refuse(call, "runtime/memory");
        return false;
    }
    if (keep(call, &err) != LINLI_OK) {
        (void)refuse(call, err.code);
        return false;
    }
    if (answered)
        ll_timer_set(device->timer, LL_DEVICE_FALLBACK_MS, 0);
    return true;
}

/* -- how it ends -- */

bool
ll_device_fall_back(struct ll_call *call)
{
    struct ll_device *device = call->device;
    struct ll_response *response = &call->response;
    if (device == NULL || device->work == NULL || call->sequenced)
        return false;
    const struct ll_route *route = call->match.route;
    ll_call_services_end(call);
    ll_lock_give(call);
    ll_doc_turn_give(call);
    ll_txn_reset(&call->txn);
    call->effects = call->effects_last = NULL;
    call->word = LL_WORD_NONE;
    call->problem = (linli_str){NULL, 0};
    response->header_count = 0;
    response->status = route->fallback_status;
    response->body = route->fallback_body;
    response->content_type = route->fallback_body.len == 0
                                 ? LINLI_STR("")
                                 : LINLI_STR("application/json");
    ll_call_log(call, LL_WARN, "device.fallback",
        LINLI_STR("the plugin did not answer in time: the device got the "
                  "route's fallback, the event is done later"));
    call->sequenced = true; /* nothing of it commits */
    call->release = device->kept_number;
    call->state = LL_CALL_COMMIT;
    return true;
}

linli_status
ll_device_settle(struct ll_call *call, struct ll_err *err)
{
    if (call->device == NULL || call->device->work == NULL)
        return LINLI_OK;
    return ll_txn_write(&call->txn, call->device->work, NULL, err);
}

void
ll_device_refused(struct ll_call *call)
{
    if (call->device != NULL && call->device->work != NULL)
        (void)ll_docs_put_now(
            &call->host->docs, call->device->work, NULL, call->now_ms);
}

void
ll_device_end(struct ll_call *call)
{
    struct ll_device *device = call->device;
    if (device == NULL)
        return;
    ll_timer_free(&device->timer);
    if (device->work != NULL) {
        device->work->owner = NULL;
        ll_work_again(call->instance);
    }
    ll_doc_unref(&device->work);
    if (device->nonce_doc != NULL && device->nonce_doc->owner == call)
        device->nonce_doc->owner = NULL;
    ll_doc_unref(&device->nonce_doc);
    call->device = NULL;
}

bool
ll_device_read_work(struct ll_task *task, struct ll_arena *arena,
    struct ll_instance *instance, struct ll_jv root)
{
    struct ll_host *host = instance->host;
    struct ll_request *request = &task->request;
    struct ll_jv body = ll_jv_get(root, "body");
    task->kind = LL_TASK_DEVICE;
    request->method = ll_arena_str(arena, ll_jv_str(ll_jv_get(root, "method")));
    request->path = ll_arena_str(arena, ll_jv_str(ll_jv_get(root, "path")));
    request->query = ll_arena_str(arena, ll_jv_str(ll_jv_get(root, "query")));
    request->has_body = ll_jv_there(body);
    request->body = ll_arena_str(arena, ll_jv_str(body));
    task->name = request->path;
    task->bound_to =
        ll_arena_str(arena, ll_jv_str(ll_jv_get(root, "bound_to")));
    task->device_kind =
        ll_arena_str(arena, ll_jv_str(ll_jv_get(root, "device_kind")));
    (void)ll_jv_int(ll_jv_get(root, "at"), &task->now_ms);
    task->device = ll_identity_device(&host->mem,
        ll_jv_str(ll_jv_get(root, "device")), instance->community->id);
    return task->device != NULL;
}
