/* server/jobs.c: what a community's plugins have to do, and did not manage.
 * [loop]
 *
 * GET  /v1/c/{c}/admin/jobs?state=&plugin=&kind=&limit=&cursor=
 * GET  /v1/c/{c}/admin/jobs/{plugin}/{id}          server/job.c
 * POST /v1/c/{c}/admin/jobs/{plugin}/{id}/retry
 * POST /v1/c/{c}/admin/jobs/{plugin}/{id}/drop {reason}
 *
 * A page walks the queues of the community, plugin after plugin, in the order
 * of their indexes: the dead, in the order in which they were asked for, then
 * what waits, by the time that it waits for.
 */
#include "server/jobs.h"

#include <stdio.h>

#include "base/text.h"
#include "base/tuple.h"
#include "data/scan.h"
#include "host/queue.h"

const char *const ll_job_colls[2] = {"~work", "~errand"};

#define KEY_BYTES_MAX 64 /* of by_due: two integers */
/* Documents that are looked up at once. */
#define SCAN_ROWS 100
#define SCAN_BYTES_MAX ((size_t)1 << 20)

static const char *const names[] = {
    "state", "plugin", "kind", "limit", "cursor", NULL};

/* Where a page stands: after this document of this collection, or, without
 * one, before its first. */
struct place {
    int64_t space;
    int64_t coll; /* of ll_job_colls */
    char key[KEY_BYTES_MAX], id[LL_DOC_ID_BYTES_MAX];
    size_t key_len, id_len; /* 0, 0: before the first */
};

struct listing {
    struct ll_view view;
    struct ll_params params;
    linli_str community; /* of the request's path */
    linli_str plugin, kind;
    bool by_state;
    enum ll_job_state state;
    int64_t limit;
    struct place place;
    const struct ll_space *space; /* being walked */
    struct ll_txn txn;
    struct ll_scan scan;
    bool scanning;
    char high[KEY_BYTES_MAX]; /* of the scan */
    uint32_t count, looked;
};

/* -- shared -- */

linli_str
ll_job_plugin(const struct ll_space *space)
{
    return ll_str_is(space->plugin, "~") ? LINLI_STR("-") : space->plugin;
}

struct ll_space *
ll_job_space(const struct ll_host *host, linli_str community, linli_str plugin)
{
    struct ll_space *space = host->docs.spaces;
    while (space != NULL && !(ll_str_eq(space->community, community) &&
                                ll_str_eq(ll_job_plugin(space), plugin)))
        space = space->next;
    return space;
}

static void
write_instant(struct ll_view *view, const char *name, bool there, int64_t ms)
{
    if (there)
        ll_view_instant(view, name, ms);
    else
        ll_view_text(view, name, (linli_str){NULL, 0});
}

void
ll_job_write(struct ll_view *view, const struct ll_space *space,
    const struct ll_job *job)
{
    bool dead = job->state == LL_JOB_DEAD;
    ll_view_text(view, "id", job->id);
    ll_view_text(view, "plugin", ll_job_plugin(space));
    ll_view_text(view, "kind", job->kind);
    ll_view_text(view, "run", job->run);
    ll_view_text(view, "state", ll_cstr(ll_job_state_name(job->state)));
    ll_view_instant(view, "at", job->at_ms);
    write_instant(view, "due", !dead, job->due_ms);
    write_instant(view, "dead_at", dead && job->dead_ms != 0, job->dead_ms);
    ll_jw_key(&view->w, "attempts");
    ll_jw_int(&view->w, job->attempts);
    linli_str none = {NULL, 0};
    ll_view_text(view, "code", job->code.len > 0 ? job->code : none);
    ll_view_text(view, "subject", job->subject.len > 0 ? job->subject : none);
}

/* -- cursors: SPACE.COLLECTION.KEY.ID, the last two in hexadecimal -- */

static bool
read_hex(linli_str hex, char *out, size_t most, size_t *n)
{
    static const char digits[] = "0123456789abcdef";
    *n = hex.len / 2;
    if (hex.len % 2 != 0 || *n > most)
        return false;
    for (size_t i = 0; i < hex.len; i++) {
        const char *at = memchr(digits, hex.ptr[i], 16);
        if (at == NULL)
            return false;
        unsigned digit = (unsigned)(at - digits);
        unsigned high = i % 2 == 0 ? 0 : (unsigned char)out[i / 2];
        out[i / 2] = (char)(high << 4 | digit);
    }
    return true;
}

static linli_status
read_cursor(linli_str cursor, struct place *place, struct ll_err *err)
{
    linli_str part[4] = {{NULL, 0}};
    size_t parts = 0;
    while (parts < 4 && ll_str_split(&cursor, '.', &part[parts]))
        parts++;
    bool good =
        parts == 4 && cursor.ptr == NULL &&
        ll_str_int(part[0], 0, INT64_MAX, &place->space) &&
        ll_str_int(part[1], 0, 1, &place->coll) &&
        read_hex(part[2], place->key, sizeof place->key, &place->key_len) &&
        read_hex(part[3], place->id, sizeof place->id, &place->id_len);
    return good ? LINLI_OK
                : ll_fail(err, LINLI_E_INVALID, "request/cursor",
                      "it is none of this list");
}

static void
write_cursor(struct ll_view *view, const struct place *place)
{
    char key[2 * KEY_BYTES_MAX + 1], id[2 * LL_DOC_ID_BYTES_MAX + 1];
    char text[sizeof key + sizeof id + 32];
    ll_hex((const unsigned char *)place->key, place->key_len, key);
    ll_hex((const unsigned char *)place->id, place->id_len, id);
    (void)snprintf(text, sizeof text, "%lld.%lld.%s.%s",
        (long long)place->space, (long long)place->coll, key, id);
    ll_jw_cstr(&view->w, text);
}

/* -- walking -- */

static void walk(struct listing *list);

static void
answer(struct listing *list, bool more)
{
    struct ll_view *view = &list->view;
    ll_jw_close(&view->w, ']');
    ll_jw_key(&view->w, "next_cursor");
    if (more)
        write_cursor(view, &list->place);
    else
        ll_jw_null(&view->w);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static bool
wants(const struct listing *list, const struct ll_job *job)
{
    return (!list->by_state || job->state == list->state) &&
           (list->kind.ptr == NULL || ll_str_eq(job->kind, list->kind));
}

/* False if the page has no room for it. */
static bool
take(struct listing *list, const struct ll_scan_item *item)
{
    struct ll_view *view = &list->view;
    struct ll_json *json = &view->face->host->docs.json;
    struct ll_job job;
    if (ll_json_parse(json, item->content->body, LL_JSON_DEPTH_MAX, NULL) !=
        LINLI_OK)
        return true;
    ll_job_read(&job, ll_json_root(json), list->place.coll == 1,
        item->doc->owner != NULL);
    if (!wants(list, &job))
        return true;
    if (list->count == (uint32_t)list->limit)
        return false;
    list->count++;
    ll_jw_open(&view->w, '{');
    ll_job_write(view, list->space, &job);
    ll_jw_close(&view->w, '}');
    return true;
}

static void
stand_after(struct place *place, const struct ll_scan_item *item)
{
    ll_check(item->key.len <= sizeof place->key);
    ll_check(item->id.len <= sizeof place->id);
    memcpy(place->key, item->key.ptr, item->key.len);
    memcpy(place->id, item->id.ptr, item->id.len);
    place->key_len = item->key.len;
    place->id_len = item->id.len;
}

static void
stand_before(struct place *place, int64_t space, int64_t coll)
{
    place->space = space + (coll > 1);
    place->coll = coll > 1 ? 0 : coll;
    place->key_len = place->id_len = 0;
}

static void
on_scanned(struct ll_scan *scan)
{
    struct listing *list = scan->user;
    struct ll_err err = scan->err;
    bool good = scan->status == LINLI_OK, room = true;
    bool over = scan->exhausted;
    list->scanning = false;
    for (uint32_t i = 0; good && room && i < scan->count; i++) {
        room = take(list, &scan->items[i]);
        list->looked += room;
        if (room)
            stand_after(&list->place, &scan->items[i]);
    }
    ll_scan_fini(scan);
    ll_txn_reset(&list->txn);
    if (!good) {
        ll_view_refuse(&list->view, &err);
        return;
    }
    if (room && over)
        stand_before(&list->place, list->place.space, list->place.coll + 1);
    if (room && list->looked < LL_JOBS_LOOKED_MAX)
        walk(list);
    else
        answer(list, true);
}

/* The range of the index that can hold what is wanted. */
static void
put_range(struct listing *list, struct ll_scan *scan)
{
    struct ll_host *host = list->view.face->host;
    struct ll_buf key;
    if (!list->by_state)
        return;
    if (list->state == LL_JOB_DEAD) {
        scan->high = LL_QUEUE_FIRST_DUE;
        return;
    }
    scan->low = LL_QUEUE_FIRST_DUE;
    if (list->state != LL_JOB_RUNNING)
        return;
    /* What is in hand was due, or is a device's, in its call. */
    ll_buf_init(&key, &host->mem, KEY_BYTES_MAX);
    ll_tuple_int(&key, ll_world_wall(host->world).ms + LL_DEVICE_LATER_MS + 1);
    if (!key.failed) {
        memcpy(list->high, key.ptr, key.len);
        scan->high = (linli_str){list->high, key.len};
    }
    ll_buf_fini(&key);
}

static bool
scan_coll(struct listing *list, struct ll_coll *coll)
{
    struct ll_ix *by_due = ll_queue_index(coll);
    struct ll_scan *scan = &list->scan;
    const struct place *place = &list->place;
    if (by_due == NULL)
        return false;
    ll_scan_init(scan, &list->txn);
    scan->coll = coll;
    scan->ix = by_due;
    scan->limit = SCAN_ROWS;
    scan->bytes_max = SCAN_BYTES_MAX;
    scan->done = on_scanned;
    scan->user = list;
    put_range(list, scan);
    if (place->key_len > 0) {
        scan->after_key = (linli_str){place->key, place->key_len};
        scan->after_id = (linli_str){place->id, place->id_len};
    }
    list->scanning = true;
    ll_scan_start(scan);
    return true;
}

/* The first collection at or after where the page stands; NULL: none. */
static struct ll_coll *
find_coll(struct listing *list)
{
    const struct ll_space *space = list->view.face->host->docs.spaces;
    struct ll_coll *found = NULL;
    int64_t found_coll = 0;
    list->space = NULL;
    for (; space != NULL; space = space->next) {
        if (space->id < list->place.space ||
            (list->space != NULL && space->id > list->space->id) ||
            !ll_str_eq(space->community, list->community) ||
            (list->plugin.ptr != NULL &&
                !ll_str_eq(ll_job_plugin(space), list->plugin)))
            continue;
        int64_t at = space->id == list->place.space ? list->place.coll : 0;
        struct ll_coll *coll = NULL;
        for (; at < 2 && coll == NULL; at += coll == NULL)
            coll = ll_space_find(space, ll_cstr(ll_job_colls[at]));
        if (coll == NULL)
            continue;
        list->space = space;
        found = coll;
        found_coll = at;
    }
    if (found != NULL && (list->space->id != list->place.space ||
                             found_coll != list->place.coll))
        stand_before(&list->place, list->space->id, found_coll);
    return found;
}

static void
walk(struct listing *list)
{
    struct ll_err err;
    struct ll_coll *coll = find_coll(list);
    if (coll == NULL) {
        answer(list, false);
    } else if (!scan_coll(list, coll)) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room");
        ll_view_refuse(&list->view, &err);
    }
}

/* -- beginning and ending -- */

static void
step(struct ll_view *view)
{
    LL_UNUSED(view); /* the store is asked by scans alone */
}

static void
end(struct ll_view *view)
{
    struct listing *list = LL_CONTAINER(view, struct listing, view);
    if (list->scanning)
        ll_scan_fini(&list->scan);
    ll_txn_fini(&list->txn);
    ll_release(&view->face->host->mem, list, sizeof *list);
}

static linli_status
read_wanted(struct listing *list, struct ll_err *err)
{
    const struct ll_params *params = &list->params;
    linli_status status =
        ll_params_read(&list->params, names, list->view.request->query, err);
    if (status != LINLI_OK)
        return status;
    linli_str state = ll_param(params, "state");
    linli_str cursor = ll_param(params, "cursor");
    list->plugin = ll_param(params, "plugin");
    list->kind = ll_param(params, "kind");
    list->by_state = state.ptr != NULL;
    list->limit = LL_LIST_DEFAULT;
    if (list->by_state && !ll_job_state_read(state, &list->state))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`state` is dead, waiting or running");
    if (list->kind.ptr != NULL && !ll_job_kind_known(list->kind))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`kind` is timer, device, job, answer, payment or errand");
    if (cursor.ptr != NULL)
        status = read_cursor(cursor, &list->place, err);
    return status == LINLI_OK ? ll_param_int(params, "limit", 1, LL_LIST_MAX,
                                    &list->limit, err)
                              : status;
}

static void
list_jobs(struct ll_face *face, struct ll_request *request, linli_str community)
{
    struct ll_err err;
    struct listing *list = ll_alloc(&face->host->mem, sizeof *list);
    if (list == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    struct ll_view *view = &list->view;
    view->step = step;
    view->end = end;
    list->community = community;
    ll_txn_init(&list->txn, &face->host->docs);
    ll_view_begin(view, face, request);
    if (read_wanted(list, &err) != LINLI_OK) {
        ll_view_refuse(view, &err);
        return;
    }
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "items");
    ll_jw_open(&view->w, '[');
    walk(list);
}

/* -- paths -- */

/* "PLUGIN/ID[/retry|drop]"; false for any other. */
static bool
split_job(linli_str rest, struct ll_job_wanted *wanted)
{
    linli_str id, verb = {NULL, 0};
    if (!ll_str_split(&rest, '/', &wanted->plugin) ||
        !ll_str_split(&rest, '/', &id))
        return false;
    char decoded[3 * LL_DOC_ID_BYTES_MAX];
    if (id.len == 0 || id.len > sizeof decoded ||
        !ll_percent_decode(id, decoded, &wanted->id_len) ||
        wanted->id_len > LL_DOC_ID_BYTES_MAX)
        return false;
    memcpy(wanted->id, decoded, wanted->id_len);
    wanted->verb = LL_JOB_SHOW;
    if (rest.ptr == NULL)
        return true;
    verb = rest;
    wanted->verb = ll_str_is(verb, "retry") ? LL_JOB_RETRY : LL_JOB_DROP;
    return ll_str_is(verb, "retry") || ll_str_is(verb, "drop");
}

bool
ll_jobs_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    struct ll_job_wanted wanted = {.id_len = 0};
    bool all = ll_str_is(rest, "/jobs");
    if (!all && !ll_str_starts(rest, "/jobs/"))
        return false;
    linli_str below = {NULL, 0};
    if (!all)
        below = (linli_str){rest.ptr + 6, rest.len - 6};
    if (!all && !split_job(below, &wanted)) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return true;
    }
    const char *method = all || wanted.verb == LL_JOB_SHOW ? "GET" : "POST";
    if (!ll_str_is(request->method, method))
        ll_face_method(face, request, method);
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (all)
        list_jobs(face, request, community);
    else
        ll_job_begin(face, request, community, &wanted);
    return true;
}
