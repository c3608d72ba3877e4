/* server/sim.c: what tests ask of the simulators. [loop]
 *
 * GET /v1/dev/sim/messages?to=                       what was sent
 * PUT /v1/dev/sim/notify {channel, to?, status}      how a channel ends
 *
 * Development mode only, for who has the admin token (server/dev.c).
 */
#include "base/params.h"
#include "base/text.h"
#include "host/notify_sim.h"
#include "server/view.h"

#define BODY_DEPTH_MAX 4

/* Something that was asked of the simulator. */
struct asked {
    struct ll_view view;
    struct ll_sim_ask *ask; /* NULL: it has ended */
};

static void
end(struct ll_view *view)
{
    struct asked *asked = LL_CONTAINER(view, struct asked, view);
    if (asked->ask != NULL)
        ll_sim_forget(asked->ask);
    ll_release(&view->face->host->mem, asked, sizeof *asked);
}

/* It asks the store nothing by itself. */
static void
step(struct ll_view *view)
{
    ll_view_torn(view);
}

/* Holds the request; NULL: it was refused. */
static struct asked *
hold(struct ll_face *face, struct ll_request *request)
{
    struct asked *asked = ll_alloc(&face->host->mem, sizeof *asked);
    if (asked == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return NULL;
    }
    asked->view.step = step;
    asked->view.end = end;
    ll_view_begin(&asked->view, face, request);
    return asked;
}

static void
refuse_memory(struct asked *asked)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room");
    ll_view_refuse(&asked->view, &err);
}

static bool
in_development(struct ll_face *face, struct ll_request *request)
{
    if (face->host->config.development)
        return true;
    ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    return false;
}

/* -- what was sent -- */

static void
on_messages(struct ll_sim_ask *ask, void *user, linli_status status,
    const struct ll_err *err)
{
    struct asked *asked = user;
    LL_UNUSED(ask);
    asked->ask = NULL;
    if (status != LINLI_OK) {
        ll_view_refuse(&asked->view, err);
        return;
    }
    ll_jw_close(&asked->view.w, '}');
    ll_view_answer(&asked->view);
}

void
ll_sim_messages_handle(struct ll_face *face, struct ll_request *request)
{
    static const char *const names[] = {"to", NULL};
    struct ll_params params;
    struct ll_err err;
    struct asked *asked =
        in_development(face, request) ? hold(face, request) : NULL;
    if (asked == NULL)
        return;
    if (ll_params_read(&params, names, request->query, &err) != LINLI_OK) {
        ll_view_refuse(&asked->view, &err);
        return;
    }
    ll_jw_open(&asked->view.w, '{');
    ll_jw_key(&asked->view.w, "items");
    asked->ask = ll_sim_messages(face->host, ll_param(&params, "to"),
        &asked->view.w, on_messages, asked);
    if (asked->ask == NULL)
        refuse_memory(asked);
}

/* -- how a channel ends -- */

static void
on_set(struct ll_sim_ask *ask, void *user, linli_status status,
    const struct ll_err *err)
{
    struct asked *asked = user;
    LL_UNUSED(ask);
    asked->ask = NULL;
    if (status == LINLI_OK)
        ll_view_answer(&asked->view);
    else
        ll_view_refuse(&asked->view, err);
}

static linli_status
wrong(struct ll_err *err, const char *what)
{
    return ll_fail(err, LINLI_E_INVALID, "request/invalid", "%s", what);
}

static linli_status
read_rule(struct ll_jv root, struct ll_sim_rule *rule, struct ll_err *err)
{
    struct ll_jv to = ll_jv_get(root, "to");
    uint32_t members = ll_jv_there(to) ? 3 : 2;
    if (!ll_jv_is(root, LL_JSON_OBJECT) || ll_jv_count(root) > members)
        return wrong(err, "the body is an object with `channel`, `status` and "
                          "perhaps `to`, and nothing else");
    if (!ll_way_read(ll_jv_str(ll_jv_get(root, "channel")), &rule->way))
        return wrong(err, "`channel` is \"push\", \"sms\" or \"voice\"");
    if (!ll_sim_outcome_read(
            ll_jv_str(ll_jv_get(root, "status")), &rule->outcome))
        return wrong(err, "`status` is \"ok\", \"fail\" or \"unreachable\"");
    rule->to = ll_jv_str(to);
    if (ll_jv_there(to) && !ll_jv_is(to, LL_JSON_NULL) &&
        (rule->to.len == 0 || rule->to.len > LL_TOKEN_NAME_BYTES_MAX))
        return wrong(err, "`to` is a resident's id; absent: all residents");
    return LINLI_OK;
}

static void
write_rule(struct ll_jw *w, const struct ll_sim_rule *rule, struct ll_jv root)
{
    ll_jw_open(w, '{');
    ll_jw_key(w, "channel");
    ll_jw_cstr(w, ll_way_name(rule->way));
    ll_jw_key(w, "to");
    if (rule->to.len > 0)
        ll_jw_str(w, rule->to);
    else
        ll_jw_null(w);
    ll_jw_key(w, "status");
    ll_jw_value(w, ll_jv_get(root, "status"));
    ll_jw_close(w, '}');
}

static void
begin_rule(struct asked *asked, struct ll_json *json)
{
    struct ll_request *request = asked->view.request;
    struct ll_host *host = asked->view.face->host;
    struct ll_sim_rule rule;
    struct ll_err err;
    linli_status status =
        ll_json_parse(json, request->body, BODY_DEPTH_MAX, &err);
    if (status == LINLI_OK)
        status = read_rule(ll_json_root(json), &rule, &err);
    if (status != LINLI_OK) {
        ll_view_refuse(&asked->view, &err);
        return;
    }
    write_rule(&asked->view.w, &rule, ll_json_root(json));
    asked->ask = ll_sim_set(host, &rule, on_set, asked);
    if (asked->ask == NULL)
        refuse_memory(asked);
}

void
ll_sim_notify_handle(struct ll_face *face, struct ll_request *request)
{
    struct ll_json json;
    if (!in_development(face, request))
        return;
    if (!ll_request_is_json(request)) {
        ll_face_problem(face, request, "request/content-type", LINLI_STR(""));
        return;
    }
    struct asked *asked = hold(face, request);
    if (asked == NULL)
        return;
    ll_json_init(&json, &face->host->mem);
    begin_rule(asked, &json);
    ll_json_fini(&json);
}
