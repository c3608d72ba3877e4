/* plugin/manifest_route.c: what a route promises beside its answer. [any]
 *
 * When it is durable, whether it is billed, what a device gets without the
 * plugin, which device it is for, and routes that the host answers itself.
 * Refuses what cannot be kept together.
 */
#include "base/text.h"
#include "plugin/manifest_int.h"

#define DEVICE (1u << LL_CALLER_DEVICE)

/* Which of match.params a name is; -1: none of them. */
static int
find_param(const struct ll_route *r, linli_str name)
{
    int param = 0;
    for (uint32_t i = 0; i < r->segment_count; i++) {
        if (!r->segments[i].is_param)
            continue;
        if (ll_str_eq(r->segments[i].text, name))
            return param;
        param++;
    }
    return -1;
}

static linli_status
no_param(struct ll_manifest *m, const struct ll_route *r, struct ll_jv at,
    struct ll_err *err)
{
    linli_status status = ll_manifest_refuse(m, at, err,
        "the path %.*s has no parameter \":%.*s\"", LL_FMT(r->path),
        LL_FMT(ll_jv_str(at)));
    ll_err_fix(err, "Name a parameter of the path, without its ':'");
    return status;
}

/* -- ack -- */

static linli_status
read_ack(struct ll_manifest *m, struct ll_route *r, struct ll_err *err)
{
    struct ll_jv ack = ll_jv_get(r->declared, "ack");
    r->relaxed = ll_jv_there(ack);
    const char *with = ll_jv_there(r->fallback) ? "a fallback"
                       : r->safety              ? "safety"
                       : (r->callers & DEVICE)  ? "the caller \"device\""
                       : r->feed                ? "a feed"
                                                : NULL;
    if (!r->relaxed || with == NULL)
        return LINLI_OK;
    linli_status status = ll_manifest_refuse(m, ack, err,
        "an answer that may be lost with the machine does not go with %s",
        with);
    ll_err_fix(err, "Remove \"ack\": \"relaxed\"");
    return status;
}

/* -- fallback -- */

static linli_status
check_fallback(
    struct ll_manifest *m, const struct ll_route *r, struct ll_err *err)
{
    const char *msg = NULL, *fix = NULL;
    if (r->callers != DEVICE) {
        msg = "a fallback is for a route that only devices call";
        fix = "Declare \"caller\": [\"device\"], and another route for the "
              "others";
    } else if (ll_str_is(r->method, "GET")) {
        msg = "a GET has no fallback: nothing would run on later";
        fix = "Use POST, or remove `fallback`";
    } else if (r->safe) {
        msg = "a safe route has no fallback: nothing would run on later";
        fix = "Remove `safe` or `fallback`";
    } else if (r->fallback_status == 204 &&
               ll_jv_there(ll_jv_get(r->fallback, "body"))) {
        msg = "an answer 204 has no body";
        fix = "Remove `body`, or use status 200";
    }
    if (msg == NULL)
        return LINLI_OK;
    linli_status status = ll_manifest_refuse(m, r->fallback, err, "%s", msg);
    ll_err_fix(err, "%s", fix);
    return status;
}

static linli_status
read_body(struct ll_manifest *m, struct ll_route *r, struct ll_err *err)
{
    struct ll_jv body = ll_jv_get(r->fallback, "body");
    struct ll_buf buf;
    if (!ll_jv_there(body))
        return LINLI_OK;
    ll_buf_init(&buf, m->arena.mem, LL_FALLBACK_BYTES_MAX);
    linli_status status = LINLI_OK;
    /* Room for all of it first: what fails then is too long. */
    if (!ll_buf_grow(&buf, LL_FALLBACK_BYTES_MAX)) {
        status = ll_manifest_no_memory(err);
        goto out;
    }
    struct ll_jw w = ll_jw(&buf);
    ll_jw_value(&w, body);
    if (buf.failed) {
        status = ll_manifest_refuse(m, body, err,
            "a fallback's body of more than %d bytes", LL_FALLBACK_BYTES_MAX);
        ll_err_fix(err, "Keep what the device needs to act");
        goto out;
    }
    r->fallback_body = ll_arena_str(&m->arena, ll_buf_view(&buf));
    if (r->fallback_body.ptr == NULL)
        status = ll_manifest_no_memory(err);
out:
    ll_buf_fini(&buf);
    return status;
}

static linli_status
read_fallback(struct ll_manifest *m, struct ll_route *r, struct ll_err *err)
{
    int64_t status_code = 0;
    if (!ll_jv_there(r->fallback))
        return LINLI_OK;
    (void)ll_manifest_int(ll_jv_get(r->fallback, "status"), &status_code);
    r->fallback_status = (int)status_code;
    linli_status status = check_fallback(m, r, err);
    return status == LINLI_OK ? read_body(m, r, err) : status;
}

/* -- bound -- */

static linli_status
read_bound(struct ll_manifest *m, struct ll_route *r, struct ll_err *err)
{
    struct ll_jv bound = ll_jv_get(r->declared, "bound");
    r->bound_param = -1;
    if (!ll_jv_there(bound))
        return LINLI_OK;
    if ((r->callers & DEVICE) == 0) {
        linli_status status = ll_manifest_refuse(m, bound, err,
            "only a device is bound, and none may call this route");
        ll_err_fix(err, "Add \"device\" to `caller`, or remove `bound`");
        return status;
    }
    r->bound_param = find_param(r, ll_jv_str(bound));
    return r->bound_param < 0 ? no_param(m, r, bound, err) : LINLI_OK;
}

/* -- feed -- */

static linli_status
read_where(struct ll_manifest *m, struct ll_route *r, struct ll_jv where,
    struct ll_err *err)
{
    ll_check(ll_jv_count(where) <= LL_FEED_WHERE_MAX);
    LL_JSON_MEMBERS (key, value, where) {
        int param = find_param(r, ll_jv_str(value));
        if (param < 0)
            return no_param(m, r, value, err);
        r->feed_where[r->feed_where_count].member = ll_jv_str(key);
        r->feed_where[r->feed_where_count++].param = (uint32_t)param;
    }
    return LINLI_OK;
}

/* What says how a handler answers means nothing without one. */
static linli_status
check_no_handler(
    struct ll_manifest *m, const struct ll_route *r, struct ll_err *err)
{
    static const char *const names[] = {"limits", "response", "data"};
    for (size_t i = 0; i < LL_COUNT(names); i++) {
        struct ll_jv member = ll_jv_get(r->declared, names[i]);
        if (!ll_jv_there(member))
            continue;
        linli_status status = ll_manifest_refuse(m, member, err,
            "`%s` is for a handler, and a feed has none", names[i]);
        ll_err_fix(err, "Remove `%s`: Linli answers this route", names[i]);
        return status;
    }
    return LINLI_OK;
}

static linli_status
read_feed(struct ll_manifest *m, struct ll_route *r, struct ll_err *err)
{
    struct ll_jv feed = ll_jv_get(r->declared, "feed");
    struct ll_jv event = ll_jv_get(feed, "event");
    linli_status status;
    r->feed = ll_jv_there(feed);
    r->feed_event = ll_jv_str(event);
    if (!r->feed)
        return LINLI_OK;
    if (!ll_str_is(r->method, "GET")) {
        status = ll_manifest_refuse(
            m, feed, err, "a feed is read: its method is GET");
        ll_err_fix(err, "Use GET");
        return status;
    }
    if (!ll_manifest_publishes(m, r->feed_event)) {
        status = ll_manifest_refuse(m, event, err,
            "the plugin publishes no event \"%.*s\"", LL_FMT(r->feed_event));
        ll_err_fix(err, "Add it to /events/publishes, or use one from there");
        return status;
    }
    status = read_where(m, r, ll_jv_get(feed, "where"), err);
    return status == LINLI_OK ? check_no_handler(m, r, err) : status;
}

linli_status
ll_manifest_fill_promises(
    struct ll_manifest *m, struct ll_route *r, struct ll_err *err)
{
    r->billed = !ll_jv_is(ll_jv_get(r->declared, "billed"), LL_JSON_FALSE);
    r->safety = ll_jv_true(ll_jv_get(r->declared, "safety"));
    r->fallback = ll_jv_get(r->declared, "fallback");
    linli_status status = read_feed(m, r, err);
    if (status == LINLI_OK)
        status = read_ack(m, r, err);
    if (status == LINLI_OK)
        status = read_fallback(m, r, err);
    if (status == LINLI_OK)
        status = read_bound(m, r, err);
    return status;
}
