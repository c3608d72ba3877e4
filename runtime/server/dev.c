/* server/dev.c: what belongs to the host and to no community. [loop]
 *
 * GET, PUT /v1/dev/clock {now}      a virtual clock
 * POST /v1/dev/clock/advance {ms}
 * POST /v1/dev/seed                 a seed; development only
 * GET /v1/dev/sim/messages, PUT /v1/dev/sim/notify       server/sim.c
 * GET, PUT /v1/dev/sim/payment, GET /v1/dev/sim/order    server/dev_pay.c
 * POST /v1/host/backup {path}       a copy of the database
 *
 * For who has the admin token alone. Advance, seed and backup are done one at
 * a time: what is under way lies in a slot that outlives the face.
 */
#include <stdio.h>

#include "base/hash.h"
#include "base/instant.h"
#include "base/text.h"
#include "host/clock.h"
#include "host/jwt.h"
#include "host/seed.h"
#include "server/face.h"
#include "store/store.h"

#define BODY_DEPTH_MAX 4
#define PATH_BYTES_MAX 4096

/* One thing that is under way, and who waits for it. */
struct slot {
    struct ll_face *face;
    struct ll_request *request; /* NULL: nobody does any more */
    bool busy;
};

struct ll_dev {
    struct slot advance, seed, backup;
    char path[PATH_BYTES_MAX]; /* of the backup */
};

/* -- slots -- */

/* Takes a slot of the face's for a request; NULL if that is refused. */
static struct slot *
take_slot(struct ll_face *face, struct slot *slot, struct ll_request *request)
{
    if (slot->busy) {
        ll_face_problem(face, request, "runtime/busy",
            LINLI_STR("one at a time: another is under way"));
        return NULL;
    }
    *slot = (struct slot){face, request, true};
    return slot;
}

/* The request that waited, for its answer; NULL if it has been answered. */
static struct ll_request *
end_slot(struct slot *slot)
{
    struct ll_request *request = slot->request;
    slot->busy = false;
    slot->request = NULL;
    return request;
}

/* What was to be begun was refused at once. */
static void
refuse_slot(struct slot *slot, const struct ll_err *err)
{
    ll_face_error(slot->face, end_slot(slot), err);
}

static void
drop_slot(struct slot *slot)
{
    if (slot->request != NULL)
        ll_face_problem(
            slot->face, slot->request, "runtime/draining", LINLI_STR(""));
    slot->request = NULL;
}

void
ll_dev_end(struct ll_face *face)
{
    if (face->dev == NULL)
        return;
    drop_slot(&face->dev->advance);
    drop_slot(&face->dev->seed);
    drop_slot(&face->dev->backup);
}

/* -- bodies -- */

/* The one member that a body has; not there, and *err filled, otherwise. The
 * value is valid as long as `json`. */
static struct ll_jv
read_member(struct ll_json *json, const struct ll_request *request,
    const char *name, struct ll_err *err)
{
    static const struct ll_jv none = {NULL, 0};
    if (!ll_request_is_json(request)) {
        (void)ll_fail(err, LINLI_E_INVALID, "request/content-type",
            "this path takes JSON");
        return none;
    }
    if (ll_json_parse(json, request->body, BODY_DEPTH_MAX, err) != LINLI_OK)
        return none;
    struct ll_jv root = ll_json_root(json), value = ll_jv_get(root, name);
    if (ll_jv_there(value) && ll_jv_count(root) == 1)
        return value;
    (void)ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "the body is an object with `%s` and nothing else", name);
    return none;
}

/* -- the clock -- */

static void
answer_clock(struct ll_face *face, struct ll_request *request)
{
    int64_t ms = ll_clock_now(face->host);
    char now[LL_RFC3339_BYTES];
    ll_rfc3339(ms, now);
    ll_buf_clear(&face->out);
    ll_buf_printf(
        &face->out, "{\"now\":\"%s\",\"ms\":%lld}", now, (long long)ms);
    ll_face_answer(face, request, 200, "application/json");
}

static void
get_clock(struct ll_face *face, struct ll_request *request)
{
    if (face->host->virtual_clock)
        answer_clock(face, request);
    else
        ll_face_problem(face, request, "clock/real", LINLI_STR(""));
}

static linli_status
read_instant(struct ll_jv value, int64_t *ms, struct ll_err *err)
{
    if (ll_instant_read(ll_jv_str(value), ms) ||
        (ll_jv_int(value, ms) && *ms >= LL_INSTANT_MS_MIN &&
            *ms <= LL_INSTANT_MS_MAX))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`now` is a time as in \"2026-03-02T09:00:00+08:00\", or milliseconds "
        "since 1970");
}

static void
put_clock(struct ll_face *face, struct ll_request *request)
{
    struct ll_json json;
    struct ll_err err = {0};
    int64_t ms = 0;
    ll_json_init(&json, &face->host->mem);
    struct ll_jv now = read_member(&json, request, "now", &err);
    linli_status status =
        ll_jv_there(now) ? read_instant(now, &ms, &err) : err.status;
    if (status == LINLI_OK)
        status = ll_clock_set(face->host, ms, &err);
    ll_json_fini(&json);
    if (status == LINLI_OK)
        answer_clock(face, request);
    else
        ll_face_error(face, request, &err);
}

static void
on_advanced(void *user, linli_status status, const struct ll_err *err)
{
    struct slot *slot = user;
    struct ll_request *request = end_slot(slot);
    if (request == NULL)
        return;
    if (status == LINLI_OK)
        answer_clock(slot->face, request);
    else
        ll_face_error(slot->face, request, err);
}

static void
advance_clock(struct ll_face *face, struct ll_request *request)
{
    struct ll_json json;
    struct ll_err err = {0};
    int64_t ms = -1;
    ll_json_init(&json, &face->host->mem);
    struct ll_jv value = read_member(&json, request, "ms", &err);
    if (ll_jv_there(value) &&
        (!ll_jv_int(value, &ms) || ms < 0 || ms > LL_INSTANT_MS_MAX))
        (void)ll_fail(&err, LINLI_E_INVALID, "request/invalid",
            "`ms` is an integer from 0");
    ll_json_fini(&json);
    if (err.status != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    struct slot *slot = take_slot(face, &face->dev->advance, request);
    if (slot != NULL &&
        ll_clock_advance(face->host, ms, on_advanced, slot, &err) != LINLI_OK)
        refuse_slot(slot, &err);
}

/* -- the seed -- */

static void
on_seeded(void *user, linli_status status, const struct ll_err *err,
    uint32_t documents, uint32_t plugins)
{
    struct slot *slot = user;
    struct ll_face *face = slot->face;
    struct ll_request *request = end_slot(slot);
    if (request == NULL)
        return;
    if (status != LINLI_OK) {
        ll_face_error(face, request, err);
        return;
    }
    ll_buf_clear(&face->out);
    ll_buf_printf(
        &face->out, "{\"documents\":%u,\"plugins\":%u}", documents, plugins);
    ll_face_answer(face, request, 200, "application/json");
}

static void
seed(struct ll_face *face, struct ll_request *request)
{
    struct ll_err err = {0};
    if (!face->host->config.development) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    if (!ll_request_is_json(request)) {
        ll_face_problem(face, request, "request/content-type", LINLI_STR(""));
        return;
    }
    struct slot *slot = take_slot(face, &face->dev->seed, request);
    if (slot != NULL &&
        ll_seed(face->host, request->body, on_seeded, slot, &err) != LINLI_OK)
        refuse_slot(slot, &err);
}

/* -- the backup -- */

static void
on_copied(void *user, linli_status status, uint64_t number, int64_t bytes,
    const struct ll_err *err)
{
    struct slot *slot = user;
    struct ll_face *face = slot->face;
    struct ll_request *request = end_slot(slot);
    if (request == NULL)
        return;
    if (status != LINLI_OK) {
        ll_face_error(face, request, err);
        return;
    }
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "path");
    ll_jw_cstr(&w, face->dev->path);
    ll_jw_key(&w, "bytes");
    ll_jw_int(&w, bytes);
    ll_jw_key(&w, "commit");
    ll_jw_int(&w, (int64_t)number);
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

/* linlid's own folder is nobody's business: a path says where by itself. */
static linli_status
keep_path(struct ll_dev *dev, linli_str path, struct ll_err *err)
{
    if (!ll_str_starts(path, "/") || path.len >= sizeof dev->path ||
        memchr(path.ptr, '\0', path.len) != NULL)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`path` is absolute and has at most %zu bytes",
            sizeof dev->path - 1);
    memcpy(dev->path, path.ptr, path.len);
    dev->path[path.len] = '\0';
    return LINLI_OK;
}

static void
back_up(struct ll_face *face, struct ll_request *request)
{
    struct slot *slot = take_slot(face, &face->dev->backup, request);
    struct ll_json json;
    struct ll_err err = {0};
    if (slot == NULL)
        return;
    ll_json_init(&json, &face->host->mem);
    struct ll_jv path = read_member(&json, request, "path", &err);
    linli_status status = ll_jv_there(path)
                              ? keep_path(face->dev, ll_jv_str(path), &err)
                              : err.status;
    if (status == LINLI_OK)
        status = ll_store_backup(
            face->host->store, face->dev->path, on_copied, slot, &err);
    ll_json_fini(&json);
    if (status != LINLI_OK)
        refuse_slot(slot, &err);
}

/* -- who and what -- */

static const struct {
    const char *path, *method;
    void (*handle)(struct ll_face *face, struct ll_request *request);
    const char *allow;
} paths[] = {
    {"/v1/dev/clock", "GET", get_clock, "GET, PUT"},
    {"/v1/dev/clock", "PUT", put_clock, "GET, PUT"},
    {"/v1/dev/clock/advance", "POST", advance_clock, "POST"},
    {"/v1/dev/seed", "POST", seed, "POST"},
    {"/v1/dev/sim/messages", "GET", ll_sim_messages_handle, "GET"},
    {"/v1/dev/sim/notify", "PUT", ll_sim_notify_handle, "PUT"},
    {"/v1/dev/sim/payment", "GET", ll_dev_pay_settings, "GET, PUT"},
    {"/v1/dev/sim/payment", "PUT", ll_dev_pay_settings, "GET, PUT"},
    {"/v1/dev/sim/order", "GET", ll_dev_pay_order, "GET"},
    {"/v1/host/backup", "POST", back_up, "POST"},
};

/* Who has the token that this host made; others are told and sent away. */
static bool
admit(struct ll_face *face, struct ll_request *request)
{
    linli_str token;
    struct ll_err err;
    if (ll_bearer_token(ll_request_field(request, "authorization"), &token,
            &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return false;
    }
    if (ll_secret_is(token, ll_cstr(face->host->admin_token)))
        return true;
    ll_face_problem(face, request, "auth/invalid",
        LINLI_STR("this path takes the admin_token of DIR/linlid.json"));
    return false;
}

/* The slots live as long as the host: what is under way may outlive us. */
static bool
make_slots(struct ll_face *face)
{
    if (face->dev == NULL)
        face->dev =
            ll_arena_alloc(ll_host_arena(face->host), sizeof *face->dev);
    return face->dev != NULL;
}

void
ll_dev_handle(struct ll_face *face, struct ll_request *request)
{
    const char *allow = NULL;
    if (!face->host->config.development &&
        ll_str_starts(request->path, "/v1/dev/")) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    if (!admit(face, request))
        return;
    if (face->host->draining || !make_slots(face)) {
        ll_face_problem(face, request,
            face->host->draining ? "runtime/draining" : "runtime/memory",
            LINLI_STR(""));
        return;
    }
    for (size_t i = 0; i < LL_COUNT(paths); i++) {
        if (!ll_str_is(request->path, paths[i].path))
            continue;
        if (ll_str_is(request->method, paths[i].method)) {
            paths[i].handle(face, request);
            return;
        }
        allow = paths[i].allow;
    }
    if (allow != NULL)
        ll_face_method(face, request, allow);
    else
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
}
