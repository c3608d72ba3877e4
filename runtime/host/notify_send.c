/* host/notify_send.c: call:notify. [loop]
 *
 * From the pid to the resident, from them to their language, from there to
 * the message: a document of ~message, and the errand that brings it, both in
 * the call's own transaction.
 */
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "data/put.h"
#include "host/call.h"
#include "host/directory.h"
#include "host/notify.h"
#include "host/pid.h"
#include "host/plan_call.h"

#define ID_BYTES 16
#define DIGITS_MAX 24 /* of an integer */

struct wanted {
    linli_str to, template, with, key, locale;
};

/* What goes in the places of a text. */
struct filled {
    struct ll_notify_value values[LL_NOTIFY_PLACEHOLDERS_MAX];
    uint32_t count;
};

static linli_status
read_wanted(struct ll_rd *args, struct wanted *wanted, struct ll_err *err)
{
    *wanted = (struct wanted){.with = LINLI_STR("{}")};
    uint32_t count = ll_rd_map(args);
    for (uint32_t i = 0; i < count && !args->bad; i++) {
        linli_str name = ll_rd_bytes(args);
        linli_str *to = ll_str_is(name, "to")         ? &wanted->to
                        : ll_str_is(name, "template") ? &wanted->template
                        : ll_str_is(name, "with")     ? &wanted->with
                        : ll_str_is(name, "key")      ? &wanted->key
                        : ll_str_is(name, "locale")   ? &wanted->locale
                                                      : NULL;
        if (to == NULL)
            return ll_fail(err, LINLI_E_INVALID, "db/query",
                "`%.*s` is not known: there are to, template, with, key, "
                "locale",
                name.len > 64 ? 64 : LL_FMT(name));
        *to = ll_rd_bytes(args);
    }
    return ll_rd_end(args) ? LINLI_OK
                           : ll_fail(err, LINLI_E_INVALID, "db/query",
                                 "a message has `to`, a resident's pid, and "
                                 "`template`, a name");
}

static linli_status
read_value(struct ll_call *call, linli_str name, struct ll_jv value,
    struct ll_notify_value *out, struct ll_err *err)
{
    struct ll_arena *arena = &call->txn.arena;
    char digits[DIGITS_MAX];
    int64_t number;
    linli_str text = ll_jv_str(value);
    if (ll_jv_int(value, &number)) {
        int n = snprintf(digits, sizeof digits, "%lld", (long long)number);
        text = (linli_str){digits, (size_t)n};
    } else if (!ll_jv_is(value, LL_JSON_STRING) ||
               !ll_notify_value_valid(text)) {
        return ll_fail(err, LINLI_E_INVALID, "notify/with",
            "`%.*s` is a text of at most %d bytes without control characters, "
            "or an integer",
            LL_FMT(name), LL_NOTIFY_VALUE_BYTES_MAX);
    }
    out->name = name;
    out->text = ll_arena_str(arena, text);
    return arena->failed
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a message")
               : LINLI_OK;
}

/* `with` has the places of the text, all of them and nothing else. */
static linli_status
fill_places(struct ll_call *call, const struct ll_notification_decl *decl,
    struct ll_jv with, struct filled *filled, struct ll_err *err)
{
    const struct ll_template *t = &decl->zh;
    filled->count = 0;
    LL_JSON_MEMBERS (key, value, with) {
        linli_str name = ll_jv_str(key);
        if (!ll_template_has(t, name))
            return ll_fail(err, LINLI_E_INVALID, "notify/with",
                "the text of \"%.*s\" has no place {%.*s}", LL_FMT(decl->name),
                name.len > 64 ? 64 : LL_FMT(name));
    }
    for (uint32_t i = 0; i < t->name_count; i++) {
        struct ll_jv value = ll_jv_get_str(with, t->names[i]);
        if (!ll_jv_there(value))
            return ll_fail(err, LINLI_E_INVALID, "notify/with",
                "the text of \"%.*s\" has a place {%.*s}, and `with` has no "
                "such value",
                LL_FMT(decl->name), LL_FMT(t->names[i]));
        linli_status status = read_value(
            call, t->names[i], value, &filled->values[filled->count++], err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

/* The text in one language into op->text. */
static linli_status
render(struct ll_op *op, const struct ll_template *t,
    const struct filled *filled, struct ll_err *err)
{
    ll_buf_clear(&op->text);
    return ll_template_render(t, filled->values, filled->count, &op->text, err);
}

static linli_status
judge_members(struct ll_call *call, const struct wanted *wanted,
    const struct ll_notification_decl **decl, struct ll_err *err)
{
    bool locale = wanted->locale.ptr == NULL ||
                  ll_str_is(wanted->locale, "zh-CN") ||
                  ll_str_is(wanted->locale, "en");
    *decl = ll_manifest_notification(call->package->manifest, wanted->template);
    if (*decl == NULL)
        return ll_fail(err, LINLI_E_DENIED, "db/undeclared",
            "plugin.json declares no notification \"%.*s\"",
            wanted->template.len > 64 ? 64 : LL_FMT(wanted->template));
    if (!ll_pid_valid(wanted->to))
        return ll_fail(
            err, LINLI_E_INVALID, "db/document", "`to` is a resident's pid");
    if (!locale)
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "`locale` is \"zh-CN\" or \"en\"");
    if (wanted->key.len > LL_NOTIFY_KEY_BYTES_MAX ||
        !ll_utf8_valid(wanted->key))
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "a key is a text of at most %d bytes", LL_NOTIFY_KEY_BYTES_MAX);
    return LINLI_OK;
}

/* All but what must be looked up. Whether a text is too long does not depend
 * on who reads it: both are made. */
static linli_status
judge(struct ll_call *call, struct ll_op *op, const struct wanted *wanted,
    const struct ll_notification_decl **decl, struct filled *filled,
    struct ll_err *err)
{
    linli_status status = judge_members(call, wanted, decl, err);
    if (status != LINLI_OK)
        return status;
    status = ll_json_parse(&op->json, wanted->with, LL_BODY_DEPTH_MAX, NULL);
    if (status == LINLI_E_NOMEM)
        return ll_fail(err, status, "runtime/memory", "a message");
    if (status != LINLI_OK ||
        !ll_jv_is(ll_json_root(&op->json), LL_JSON_OBJECT))
        return ll_fail(err, LINLI_E_INVALID, "notify/with",
            "`with` is an object with a value for each place");
    status = fill_places(call, *decl, ll_json_root(&op->json), filled, err);
    if (status == LINLI_OK)
        status = render(op, &(*decl)->zh, filled, err);
    if (status == LINLI_OK)
        status = render(op, &(*decl)->en, filled, err);
    return status;
}

/* -- the message -- */

/* Under a key it has a name of its own, so that a repetition finds it. */
static linli_str
name_message(struct ll_call *call, linli_str key)
{
    unsigned char bytes[LL_SHA256_BYTES];
    char id[2 * LL_SHA256_BYTES + 1];
    if (key.len > 0)
        ll_sha256(key.ptr, key.len, bytes);
    else
        ll_world_random(call->host->world, bytes, ID_BYTES);
    /* Longer with a key: no key is the name of another message. */
    ll_hex(bytes, key.len > 0 ? ID_BYTES + 4 : ID_BYTES, id);
    return ll_arena_str(&call->txn.arena, ll_cstr(id));
}

static void
write_message(struct ll_call *call, struct ll_jw *w,
    const struct wanted *wanted, const struct ll_notification_decl *decl,
    linli_str text)
{
    const struct ll_op *op = &call->op;
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_str(w, op->id);
    ll_jw_key(w, "subject");
    ll_jw_str(w, wanted->to);
    ll_jw_key(w, "seq");
    ll_jw_int(w, (int64_t)++call->host->work_seq);
    ll_jw_key(w, "at");
    ll_jw_int(w, call->now_ms);
    ll_jw_key(w, "template");
    ll_jw_str(w, decl->name);
    ll_jw_key(w, "locale");
    ll_jw_str(w, wanted->locale);
    ll_jw_key(w, "text");
    ll_jw_str(w, text);
    ll_jw_key(w, "channels");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < decl->channel_count; i++)
        ll_jw_cstr(w, ll_way_name(decl->channels[i]));
    ll_jw_close(w, ']');
    ll_jw_key(w, "trace_id");
    ll_jw_cstr(w, call->trace.trace_id);
    ll_jw_key(w, "call_high");
    ll_jw_int(w, (int64_t)call->id_high);
    ll_jw_key(w, "call_low");
    ll_jw_int(w, (int64_t)call->id_low);
    ll_jw_key(w, "sub");
    ll_jw_int(w, ll_plan_call_sub(call));
    ll_jw_key(w, "state");
    ll_jw_cstr(w, "queued");
    ll_jw_close(w, '}');
}

static linli_status
put_message(struct ll_call *call, struct ll_op *op, const struct wanted *wanted,
    struct ll_err *err)
{
    const struct ll_notification_decl *decl;
    struct filled filled;
    struct ll_buf body, with;
    linli_status status = judge(call, op, wanted, &decl, &filled, err);
    if (status == LINLI_OK)
        status =
            render(op, ll_str_is(wanted->locale, "en") ? &decl->en : &decl->zh,
                &filled, err);
    if (status != LINLI_OK)
        return status;
    ll_buf_init(&body, &call->host->mem, LL_DOC_BYTES_MAX);
    ll_buf_init(&with, &call->host->mem, LL_DOC_BYTES_MAX);
    struct ll_jw w = ll_jw(&body);
    write_message(call, &w, wanted, decl, ll_buf_view(&op->text));
    w = ll_jw(&with);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "message");
    ll_jw_str(&w, op->id);
    ll_jw_close(&w, '}');
    struct ll_errand_want want = {.kind = ll_errand_notify.name,
        .with = ll_buf_view(&with),
        .subject = wanted->to};
    status = ll_txn_put(&call->txn, op->doc, &body, call->now_ms, err);
    if (status == LINLI_OK && with.failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a message");
    if (status == LINLI_OK)
        status = ll_errand_put(call->instance->errands, &call->txn, &want,
            call->now_ms, NULL, err);
    ll_buf_fini(&body);
    ll_buf_fini(&with);
    return status;
}

/* The same message again is none; another under its key is a slip. */
static linli_status
judge_repeat(struct ll_op *op, const struct wanted *wanted,
    const struct ll_content *content, struct ll_err *err)
{
    if (ll_json_parse(&op->json, content->body, LL_JSON_DEPTH_MAX, err) !=
        LINLI_OK)
        return LINLI_E_INTERNAL;
    struct ll_jv root = ll_json_root(&op->json);
    if (ll_str_eq(ll_jv_str(ll_jv_get(root, "subject")), wanted->to) &&
        ll_str_eq(ll_jv_str(ll_jv_get(root, "template")), wanted->template))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_CONFLICT, "notify/key-reused",
        "the key was used for \"%.*s\", or for another resident",
        LL_FMT(ll_jv_str(ll_jv_get(root, "template"))));
}

static linli_status
take_args(struct ll_op *op, struct wanted *wanted, struct ll_err *err)
{
    struct ll_rd args = ll_rd(ll_buf_view(&op->args));
    (void)ll_rd_list(&args);
    linli_status status = read_wanted(&args, wanted, err);
    if (wanted->locale.ptr == NULL)
        wanted->locale = op->extra; /* as it was looked up */
    return status;
}

static bool
step_message(struct ll_call *call, struct ll_op *op)
{
    const struct ll_content *content = NULL;
    struct wanted wanted;
    struct ll_err err;
    if (!ll_op_wait_doc(call, op))
        return false;
    linli_status status = take_args(op, &wanted, &err);
    if (status == LINLI_OK)
        status = ll_txn_read(&call->txn, op->doc, &content, &err);
    if (status == LINLI_OK)
        status = content != NULL ? judge_repeat(op, &wanted, content, &err)
                                 : put_message(call, op, &wanted, &err);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    ll_buf_clear(&op->text);
    ll_put_bytes(&op->text, op->doc->id);
    ll_op_answer_text(call);
    return true;
}

/* Goes on with the message, under the name that its key gives. */
static bool
go_on_message(struct ll_call *call, struct ll_op *op)
{
    struct wanted wanted;
    struct ll_err err;
    linli_status status = take_args(op, &wanted, &err);
    if (status == LINLI_OK) {
        op->id = name_message(call, wanted.key);
        op->coll = ll_space_coll(call->instance->space, LINLI_STR("~message"));
        if (op->id.ptr == NULL || op->coll == NULL)
            status =
                ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a message");
    }
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    op->step = step_message;
    return true;
}

/* -- the resident -- */

/* What is said of them is not the plugin's to see, so it is not part of what
 * its call has read (spec/db.md, D23). */
static bool
step_resident(struct ll_call *call, struct ll_op *op)
{
    struct ll_json *json = &call->host->docs.json;
    struct ll_err err;
    if (!ll_op_wait_doc(call, op))
        return false;
    if (op->doc->state == LL_DOC_LOST) {
        (void)ll_fail(&err, LINLI_E_IO, "store/failed", "a resident");
        ll_op_refuse(call, &err);
        return true;
    }
    const struct ll_content *content = op->doc->content;
    op->extra = (linli_str)LINLI_STR("zh-CN");
    if (content != NULL &&
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) ==
            LINLI_OK &&
        ll_str_is(ll_jv_str(ll_jv_get(ll_json_root(json), "locale")), "en"))
        op->extra = (linli_str)LINLI_STR("en");
    ll_doc_unref(&op->doc);
    return go_on_message(call, op);
}

static bool
step_found(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err = op->scan.err;
    linli_str resident = ll_pid_resident(&op->scan);
    linli_status status = op->scan.status;
    if (status == LINLI_OK && resident.ptr == NULL)
        status = ll_fail(&err, LINLI_E_INVALID, "notify/unknown-resident",
            "`to` is no pid of a resident here");
    if (status == LINLI_OK) {
        op->id = ll_arena_str(&call->txn.arena, resident);
        op->coll = ll_directory(call->community, LL_DIR_RESIDENT);
        if (op->id.ptr == NULL || op->coll == NULL)
            status =
                ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a message");
    }
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    op->step = step_resident;
    return true;
}

bool
ll_serve_notify_send(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    const struct ll_notification_decl *decl;
    struct filled filled;
    struct wanted wanted;
    struct ll_err err;
    linli_status status = read_wanted(args, &wanted, &err);
    if (status == LINLI_OK)
        status = judge(call, op, &wanted, &decl, &filled, &err);
    if (status == LINLI_OK)
        status = ll_pid_scan(
            &op->scan, &call->txn, call->instance->space, wanted.to, &err);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    op->step = step_found;
    ll_op_scan(call, op);
    return false;
}
