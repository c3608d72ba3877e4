/* server/messages.c: what became of the messages of a community's plugins.
 * [loop]
 *
 * GET /v1/c/{c}/admin/messages?state=&plugin=&limit=&cursor=
 *
 * A page walks the spaces of the community, plugin after plugin, each from
 * its newest message on. What a message says is the resident's, and not
 * shown.
 */
#include <stdio.h>

#include "base/text.h"
#include "base/tuple.h"
#include "data/scan.h"
#include "server/view.h"

#define KEY_BYTES_MAX 64

static const char *const names[] = {"state", "plugin", "limit", "cursor", NULL};

struct listing {
    struct ll_view view;
    struct ll_params params;
    linli_str community; /* of the request's path */
    linli_str state, plugin;
    int64_t limit;
    int64_t space; /* where the page stands: at this one, */
    int64_t seq;   /* before this message; INT64_MAX: at its newest */
    const struct ll_space *walked;
    struct ll_txn txn;
    struct ll_scan scan;
    bool scanning;
    int64_t count;
};

static void walk(struct listing *list);

static void
answer(struct listing *list, bool more)
{
    struct ll_view *view = &list->view;
    char cursor[48];
    (void)snprintf(cursor, sizeof cursor, "%lld.%lld", (long long)list->space,
        (long long)list->seq);
    ll_jw_close(&view->w, ']');
    ll_view_text(
        view, "next_cursor", more ? ll_cstr(cursor) : (linli_str){NULL, 0});
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
write_attempts(struct ll_view *view, struct ll_jv attempts)
{
    struct ll_jw *w = &view->w;
    ll_jw_key(w, "attempts");
    ll_jw_open(w, '[');
    LL_JSON_EACH (item, attempts) {
        int64_t at_ms = 0;
        (void)ll_jv_int(ll_jv_get(item, "at"), &at_ms);
        ll_jw_open(w, '{');
        ll_view_instant(view, "at", at_ms);
        ll_view_text(view, "channel", ll_jv_str(ll_jv_get(item, "channel")));
        ll_jw_key(w, "attempt");
        ll_jw_value(w, ll_jv_get(item, "attempt"));
        ll_jw_key(w, "code");
        ll_jw_value(w, ll_jv_get(item, "code"));
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

static void
write_message(struct listing *list, struct ll_jv root)
{
    struct ll_view *view = &list->view;
    int64_t at_ms = 0;
    (void)ll_jv_int(ll_jv_get(root, "at"), &at_ms);
    ll_jw_open(&view->w, '{');
    ll_view_text(view, "id", ll_jv_str(ll_jv_get(root, "id")));
    ll_view_text(view, "plugin", list->walked->plugin);
    ll_view_instant(view, "at", at_ms);
    ll_view_text(view, "subject", ll_jv_str(ll_jv_get(root, "subject")));
    ll_view_text(view, "template", ll_jv_str(ll_jv_get(root, "template")));
    ll_view_text(view, "locale", ll_jv_str(ll_jv_get(root, "locale")));
    ll_jw_key(&view->w, "channels");
    ll_jw_value(&view->w, ll_jv_get(root, "channels"));
    ll_view_text(view, "state", ll_jv_str(ll_jv_get(root, "state")));
    ll_view_text(view, "trace_id", ll_jv_str(ll_jv_get(root, "trace_id")));
    write_attempts(view, ll_jv_get(root, "attempts"));
    ll_jw_close(&view->w, '}');
}

static void
on_scanned(struct ll_scan *scan)
{
    struct listing *list = scan->user;
    struct ll_view *view = &list->view;
    struct ll_json *json = &view->face->host->docs.json;
    struct ll_err err = scan->err;
    bool good = scan->status == LINLI_OK, over = scan->exhausted;
    list->scanning = false;
    for (uint32_t i = 0; good && i < scan->count; i++) {
        if (ll_json_parse(json, scan->items[i].content->body, LL_JSON_DEPTH_MAX,
                NULL) != LINLI_OK)
            continue;
        (void)ll_jv_int(ll_jv_get(ll_json_root(json), "seq"), &list->seq);
        write_message(list, ll_json_root(json));
        list->count++;
    }
    ll_scan_fini(scan);
    ll_txn_reset(&list->txn);
    if (!good) {
        ll_view_refuse(view, &err);
        return;
    }
    if (over) {
        list->space++;
        list->seq = INT64_MAX;
    }
    if (list->count < list->limit && view->out.len < LL_ADMIN_PAGE_BYTES)
        walk(list);
    else
        answer(list, true);
}

/* The first space at or after where the page stands that has messages. */
static struct ll_coll *
find_coll(struct listing *list)
{
    struct ll_coll *found = NULL;
    list->walked = NULL;
    for (const struct ll_space *s = list->view.face->host->docs.spaces;
         s != NULL; s = s->next) {
        if (s->id < list->space || !ll_str_eq(s->community, list->community) ||
            (list->plugin.ptr != NULL && !ll_str_eq(s->plugin, list->plugin)) ||
            (list->walked != NULL && s->id > list->walked->id))
            continue;
        struct ll_coll *coll = ll_space_find(s, LINLI_STR("~message"));
        if (coll == NULL)
            continue;
        list->walked = s;
        found = coll;
    }
    if (found != NULL && list->walked->id != list->space) {
        list->space = list->walked->id;
        list->seq = INT64_MAX;
    }
    return found;
}

/* The messages of a state, or all, that come before `seq`. */
static bool
put_range(struct listing *list, struct ll_scan *scan)
{
    struct ll_arena *arena = &list->txn.arena;
    struct ll_buf key;
    bool good = true;
    ll_buf_init(&key, &list->view.face->host->mem, KEY_BYTES_MAX);
    if (list->state.ptr != NULL)
        ll_tuple_str(&key, list->state);
    scan->low = ll_arena_str(arena, ll_buf_view(&key));
    if (list->seq != INT64_MAX)
        ll_tuple_int(&key, list->seq);
    else
        good = ll_tuple_next(&key);
    scan->high = ll_arena_str(arena, ll_buf_view(&key));
    good = good && !key.failed && !arena->failed;
    ll_buf_fini(&key);
    return good;
}

static void
walk(struct listing *list)
{
    struct ll_scan *scan = &list->scan;
    struct ll_coll *coll = find_coll(list);
    struct ll_err err;
    if (coll == NULL) {
        answer(list, false);
        return;
    }
    ll_scan_init(scan, &list->txn);
    scan->coll = coll;
    scan->ix = ll_coll_find_index(coll,
        list->state.ptr != NULL ? LINLI_STR("by_state") : LINLI_STR("by_seq"));
    scan->descending = true;
    scan->limit = (uint32_t)(list->limit - list->count);
    scan->bytes_max = LL_ADMIN_PAGE_BYTES;
    scan->done = on_scanned;
    scan->user = list;
    if (scan->ix == NULL || !put_range(list, scan)) {
        ll_scan_fini(scan);
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room");
        ll_view_refuse(&list->view, &err);
        return;
    }
    list->scanning = true;
    ll_scan_start(scan);
}

/* -- beginning and ending -- */

static void
step(struct ll_view *view)
{
    ll_view_torn(view); /* the store is asked by scans alone */
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
    linli_str cursor = ll_param(params, "cursor"), space;
    list->state = ll_param(params, "state");
    list->plugin = ll_param(params, "plugin");
    list->limit = LL_ADMIN_LIST_DEFAULT;
    list->seq = INT64_MAX;
    if (list->state.ptr != NULL && !ll_str_is(list->state, "queued") &&
        !ll_str_is(list->state, "accepted") &&
        !ll_str_is(list->state, "failed"))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`state` is queued, accepted or failed");
    if (cursor.ptr != NULL &&
        !(ll_str_split(&cursor, '.', &space) &&
            ll_str_int(space, 0, INT64_MAX - 1, &list->space) &&
            ll_str_int(cursor, 0, INT64_MAX, &list->seq)))
        return ll_fail(
            err, LINLI_E_INVALID, "request/cursor", "it is none of this list");
    return ll_param_int(
        params, "limit", 1, LL_ADMIN_LIST_MAX, &list->limit, err);
}

void
ll_messages_begin(
    struct ll_face *face, struct ll_request *request, linli_str community)
{
    struct ll_err err;
    struct listing *list = ll_alloc(&face->host->mem, sizeof *list);
    if (list == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    list->view.step = step;
    list->view.end = end;
    list->community = community;
    ll_txn_init(&list->txn, &face->host->docs);
    ll_view_begin(&list->view, face, request);
    if (read_wanted(list, &err) != LINLI_OK) {
        ll_view_refuse(&list->view, &err);
        return;
    }
    ll_jw_open(&list->view.w, '{');
    ll_jw_key(&list->view.w, "items");
    ll_jw_open(&list->view.w, '[');
    walk(list);
}
