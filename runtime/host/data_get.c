/* host/data_get.c: call.data:get, and the fields that travel with a call.
 * [loop]
 *
 * Both are readings (host/reading.h). A pid that is no resident's of this
 * plugin here is answered like one that never was.
 */
#include <stdio.h>

#include "base/text.h"
#include "host/pid.h"
#include "host/reading.h"
#include "host/task.h"
#include "plugin/manifest_consent.h"

/* -- the answer -- */

static bool
answer_value(struct ll_call *call, struct ll_op *op, linli_str json)
{
    ll_buf_clear(&op->text);
    ll_put_list(&op->text, 2);
    ll_put_bool(&op->text, true);
    ll_put_bytes(&op->text, json);
    ll_op_answer_text(call);
    return true;
}

static bool
answer_no(struct ll_call *call, struct ll_op *op, const char *code,
    linli_str url, const char *reason)
{
    ll_buf_clear(&op->text);
    ll_put_list(&op->text, 4);
    ll_put_bool(&op->text, false);
    ll_put_bytes(&op->text, ll_cstr(code));
    ll_put_bytes(&op->text, url);
    ll_put_bytes(&op->text, ll_cstr(reason));
    ll_op_answer_text(call);
    return true;
}

static bool
answer_denied(
    struct ll_call *call, struct ll_op *op, const struct ll_denied *denied)
{
    struct ll_buf *url = &call->scratch;
    const char *code = ll_verdict_code(
        call->host->arbiter.consent, &denied->ask, &denied->verdict);
    ll_buf_clear(url);
    ll_consent_url(call, denied, 1, url);
    return answer_no(
        call, op, code, ll_buf_view(url), ll_denied_reason(call->host, denied));
}

/* What the log says of an undeclared use is what mends it. */
static bool
answer_undeclared(struct ll_call *call, struct ll_op *op, linli_str field,
    linli_str purpose, enum ll_reason reason)
{
    char line[320];
    (void)snprintf(line, sizeof line,
        "plugin.json does not declare \"%.*s\" for \"%.*s\"; add to \"data\": "
        "{\"field\": \"%.*s\", \"purpose\": \"%.*s\", \"basis\": "
        "\"contract\"}, or with \"consent\" what residents are asked",
        field.len > 48 ? 48 : LL_FMT(field),
        purpose.len > 48 ? 48 : LL_FMT(purpose),
        field.len > 48 ? 48 : LL_FMT(field),
        purpose.len > 48 ? 48 : LL_FMT(purpose));
    ll_call_log(call, LL_WARN, ll_reason_code(reason), ll_cstr(line));
    return answer_no(call, op, ll_reason_code(reason), LINLI_STR(""),
        ll_reason_name(reason));
}

static bool
answer_reading(struct ll_call *call, struct ll_op *op)
{
    struct ll_reading *r = op->reading;
    struct ll_wanted *w = &r->wanted[0];
    const struct ll_dictionary *d = &call->host->arbiter.dictionary;
    struct ll_denied denied = {.field = d->fields[w->field].id,
        .purpose = d->purposes[w->purpose].id,
        .verdict = w->verdict,
        .ask = w->ask};
    if (r->status != LINLI_OK) {
        ll_op_refuse(call, &r->err);
        return true;
    }
    if (w->verdict.reason != LL_REASON_ALLOW)
        return answer_denied(call, op, &denied);
    if (w->none) {
        bool opaque = d->fields[w->field].deny_opaque;
        return answer_no(call, op, opaque ? LL_NO_DATA_CODE : "consent/no-data",
            LINLI_STR(""), LL_NO_DATA_REASON);
    }
    w->release->state = LL_RELEASE_PUSHED;
    w->release->given = true;
    return answer_value(call, op, w->value);
}

/* -- the steps of the host call -- */

static bool
step_read(struct ll_call *call, struct ll_op *op)
{
    if (!ll_reading_go(op->reading, &op->wait))
        return false;
    return answer_reading(call, op);
}

/* Does a document tie the resident to the plugin? */
static bool
step_tied(struct ll_call *call, struct ll_op *op)
{
    LL_UNUSED(call);
    if (op->scan.status != LINLI_OK) {
        struct ll_err err = op->scan.err;
        ll_op_refuse(call, &err);
        return true;
    }
    op->reading->wanted[0].own = op->scan.count > 0;
    op->step = step_read;
    return true;
}

static const struct ll_datum *
datum_of(const struct ll_call *call, const struct ll_wanted *w)
{
    const struct ll_dictionary *d = &call->host->arbiter.dictionary;
    const struct ll_manifest *m = call->package->manifest;
    int datum = ll_manifest_datum(
        m, d->fields[w->field].id, d->purposes[w->purpose].id);
    return datum < 0 ? NULL : &m->data[datum];
}

/* Whose it is is known: subject LL_NOBODY if nobody's. */
static bool
begin_read(struct ll_call *call, struct ll_op *op)
{
    struct ll_reading *r = op->reading;
    const struct ll_datum *datum = datum_of(call, &r->wanted[0]);
    struct ll_err err;
    if (r->resident.len > 0 &&
        ll_arbiter_meet(&call->host->arbiter, call->community->id, r->resident,
            ll_world_wall(call->host->world).ms, &r->subject,
            &err) != LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    op->step = step_read;
    if (r->wanted[0].own || r->subject == LL_NOBODY || datum == NULL ||
        datum->while_coll == NULL)
        return true;
    struct ll_coll *coll =
        ll_space_find(call->instance->space, datum->while_coll->name);
    struct ll_ix *ix = coll == NULL
                           ? NULL
                           : ll_coll_find_index(coll, datum->while_index->name);
    if (ix == NULL)
        return true; /* another version has taken it away */
    if (ll_pid_scan_index(&op->scan, &call->txn, coll, ix, r->pid, &err) !=
        LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    op->step = step_tied;
    ll_op_scan(call, op);
    return false;
}

static bool
step_found(struct ll_call *call, struct ll_op *op)
{
    struct ll_reading *r = op->reading;
    if (op->scan.status != LINLI_OK) {
        struct ll_err err = op->scan.err;
        ll_op_refuse(call, &err);
        return true;
    }
    linli_str resident = ll_pid_resident(&op->scan);
    if (resident.len > 0)
        r->resident = ll_arena_str(r->arena, resident);
    ll_scan_fini(&op->scan);
    op->scanning = false;
    return begin_read(call, op);
}

/* -- whom the call is about -- */

struct about {
    linli_str pid;
    linli_str resident; /* empty: to be looked up by the pid */
};

static struct about
about_of(const struct ll_call *call)
{
    const struct ll_task *task = call->task;
    const struct ll_identity *identity = call->identity;
    struct about about = {.pid = ll_cstr(call->pid)};
    if (identity != NULL && identity->kind == LL_CALLER_RESIDENT)
        about.resident = identity->id;
    else if (task != NULL && task->kind == LL_TASK_ANSWER && about.pid.len > 0)
        about.resident = task->who;
    else if (task != NULL && about.pid.len == 0 && identity == NULL &&
             task->kind != LL_TASK_EVENT && task->doc->content != NULL &&
             ll_pid_valid(task->doc->content->subject))
        about.pid = task->doc->content->subject;
    return about;
}

/* -- what is asked -- */

struct asked {
    linli_str field, purpose, resident; /* ptr NULL: not said */
};

static bool
read_asked(struct ll_rd *args, struct asked *asked)
{
    uint32_t count = ll_op_options(args);
    *asked = (struct asked){.field = {NULL, 0}};
    for (uint32_t i = 0; i < count && !args->bad; i++) {
        linli_str name = ll_rd_bytes(args);
        linli_str value = ll_rd_bytes(args);
        if (ll_str_is(name, "field"))
            asked->field = value;
        else if (ll_str_is(name, "purpose"))
            asked->purpose = value;
        else if (ll_str_is(name, "resident"))
            asked->resident = value;
        else
            args->bad = true;
    }
    return ll_rd_end(args) && asked->field.ptr != NULL &&
           asked->purpose.ptr != NULL;
}

static bool
declares_field(const struct ll_manifest *m, linli_str field)
{
    for (uint32_t i = 0; i < m->datum_count; i++)
        if (ll_str_eq(m->data[i].field, field))
            return true;
    return false;
}

/* Finds whose it is: at once, or by a scan. */
static bool
look_up(struct ll_call *call, struct ll_op *op, const struct asked *asked)
{
    struct ll_reading *r = op->reading;
    struct about about = about_of(call);
    struct ll_err err;
    bool own = asked->resident.ptr == NULL ||
               (about.pid.len > 0 && ll_str_eq(about.pid, asked->resident));
    r->wanted[0].own = own && about.pid.len > 0;
    r->pid = ll_arena_str(r->arena, own ? about.pid : asked->resident);
    if (r->pid.len == 0 || !ll_pid_valid(r->pid) ||
        (own && about.resident.len > 0)) {
        r->resident = own ? about.resident : (linli_str){NULL, 0};
        op->step = begin_read;
        return true;
    }
    if (ll_pid_scan(&op->scan, &call->txn, call->instance->space, r->pid,
            &err) != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    op->step = step_found;
    ll_op_scan(call, op);
    return false;
}

bool
ll_serve_data_get(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    const struct ll_dictionary *d = &call->host->arbiter.dictionary;
    struct asked asked;
    struct ll_err err;
    if (!read_asked(args, &asked)) {
        (void)ll_fail(&err, LINLI_E_INVALID, "db/query",
            "a field and a purpose are expected, and perhaps a resident");
        ll_op_refuse(call, &err);
        return false;
    }
    int field = ll_dictionary_field(d, asked.field);
    int purpose = ll_dictionary_purpose(d, asked.purpose);
    const struct ll_manifest *m = call->package->manifest;
    if (field < 0 || purpose < 0 ||
        ll_manifest_datum(m, asked.field, asked.purpose) < 0) {
        (void)answer_undeclared(call, op, asked.field, asked.purpose,
            declares_field(m, asked.field) ? LL_REASON_NOT_IN_MANIFEST_PURPOSE
                                           : LL_REASON_NOT_IN_MANIFEST_FIELD);
        return false;
    }
    op->reading = ll_reading_new(call, &call->txn.arena, 1);
    if (op->reading == NULL) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a value");
        ll_op_refuse(call, &err);
        return false;
    }
    op->reading->wanted[0].field = (uint8_t)field;
    op->reading->wanted[0].purpose = (uint8_t)purpose;
    return look_up(call, op, &asked);
}

/* -- what travels with a call -- */

static bool
asks_caller(const struct ll_call *call)
{
    return call->match.route != NULL && call->match.route->datum_count > 0 &&
           call->identity != NULL && call->identity->kind == LL_CALLER_RESIDENT;
}

/* Denies the call if a field that it cannot do without is denied. */
static bool
deny_required(struct ll_call *call, const struct ll_wanted *wanted)
{
    const struct ll_route *route = call->match.route;
    const struct ll_manifest *m = call->package->manifest;
    const struct ll_dictionary *d = &call->host->arbiter.dictionary;
    struct ll_denied denied[LL_ROUTE_FIELDS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < route->datum_count; i++) {
        const struct ll_wanted *w = &wanted[i];
        /* Who may not know why must not know by the status either. */
        bool none = w->none && d->fields[w->field].deny_opaque;
        if (!route->data[i].required ||
            (w->verdict.reason == LL_REASON_ALLOW && !none))
            continue;
        denied[count] =
            (struct ll_denied){.field = m->data[route->data[i].datum].field,
                .purpose = m->data[route->data[i].datum].purpose,
                .verdict = w->verdict,
                .ask = w->ask};
        if (none)
            denied[count].verdict.reason = LL_REASON_NO_GRANT;
        count++;
    }
    if (count > 0)
        (void)ll_call_deny(call, denied, count);
    return count > 0;
}

static linli_status
meet_caller(struct ll_call *call, uint32_t *subject, struct ll_err *err)
{
    return ll_arbiter_meet(&call->host->arbiter, call->community->id,
        call->identity->id, ll_world_wall(call->host->world).ms, subject, err);
}

enum ll_step
ll_step_consent(struct ll_call *call)
{
    struct ll_wanted wanted[LL_ROUTE_FIELDS_MAX];
    struct ll_err err;
    uint32_t subject;
    if (!asks_caller(call))
        return LL_STEP_MORE;
    if (meet_caller(call, &subject, &err) != LINLI_OK)
        return ll_call_refuse(call, err.code, err.msg);
    const struct ll_manifest *m = call->package->manifest;
    for (uint32_t i = 0; i < call->match.route->datum_count; i++) {
        const struct ll_scope *scope =
            &m->scopes[call->match.route->data[i].datum];
        wanted[i] = (struct ll_wanted){.field = scope->field,
            .ask = ll_release_ask(
                call, subject, scope->field, scope->purpose, true)};
        wanted[i].verdict = ll_release_decide(call, &wanted[i].ask);
    }
    (void)deny_required(call, wanted);
    return LL_STEP_MORE;
}

static bool
begin_fields(struct ll_call *call)
{
    const struct ll_route *route = call->match.route;
    const struct ll_manifest *m = call->package->manifest;
    struct ll_err err;
    uint32_t subject;
    struct ll_reading *r =
        ll_reading_new(call, &call->arena, route->datum_count);
    if (r == NULL || meet_caller(call, &subject, &err) != LINLI_OK)
        return false;
    r->subject = subject;
    r->resident = call->identity->id;
    r->pid = ll_cstr(call->pid);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct ll_scope *scope = &m->scopes[route->data[i].datum];
        r->wanted[i].field = scope->field;
        r->wanted[i].purpose = scope->purpose;
        r->wanted[i].own = true;
    }
    call->reading = r;
    return true;
}

bool
ll_call_fields_ready(struct ll_call *call, bool *refused)
{
    struct ll_reading *r;
    if (!asks_caller(call))
        return true;
    *refused = true; /* unless it waits, or all is well */
    if (call->reading == NULL && !begin_fields(call)) {
        (void)ll_call_refuse(call, "runtime/memory", NULL);
        return false;
    }
    r = call->reading;
    if (!ll_reading_go(r, &call->hold)) {
        *refused = false;
        return false;
    }
    if (r->status != LINLI_OK) {
        (void)ll_call_refuse(call, r->err.code, NULL);
        return false;
    }
    if (deny_required(call, r->wanted))
        return false;
    *refused = false;
    return true;
}

void
ll_call_put_fields(struct ll_call *call, struct ll_buf *out)
{
    struct ll_buf *text = &call->scratch;
    struct ll_reading *r = call->reading;
    const struct ll_dictionary *d = &call->host->arbiter.dictionary;
    /* What travelled with an earlier run is not in this one's frame. */
    for (struct ll_release *old = call->releases; old != NULL; old = old->next)
        old->travels = false;
    if (r == NULL) {
        ll_put_bytes(out, LINLI_STR(""));
        return;
    }
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->wanted[i].value.len == 0)
            continue;
        r->wanted[i].release->travels = true;
        ll_jw_key(&w, d->fields[r->wanted[i].field].id.ptr);
        ll_jw_raw(&w, r->wanted[i].value);
    }
    ll_jw_close(&w, '}');
    ll_put_bytes(out, ll_buf_view(text));
    if (text->failed)
        out->failed = true;
    ll_reading_end(&call->reading);
}
