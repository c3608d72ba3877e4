/* host/reading.c: from a wish to a value that may be pushed. [loop] */
#include "host/reading.h"

#include "base/text.h"
#include "domain/view.h"
#include "host/directory.h"
#include "host/vault.h"

/* Steps, in order; CHECK goes back to DECIDE once. */
enum {
    READ_DECIDE,
    READ_HOUSEHOLD,
    READ_BEGIN,
    READ_VALUES,
    READ_LOG,
    READ_DURABLE,
    READ_CHECK,
    READ_OVER
};

struct ll_reading *
ll_reading_new(struct ll_call *call, struct ll_arena *arena, uint32_t count)
{
    struct ll_reading *r = ll_arena_alloc(arena, sizeof *r);
    struct ll_wanted *wanted = ll_arena_alloc(arena, count * sizeof *wanted);
    if (r == NULL || wanted == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        wanted[i] = (struct ll_wanted){.field = 0};
    *r = (struct ll_reading){.call = call,
        .arena = arena,
        .subject = LL_NOBODY,
        .wanted = wanted,
        .count = count};
    return r;
}

static void
wipe(struct ll_wanted *w)
{
    if (w->value.len > 0)
        ll_wipe_bytes((void *)(uintptr_t)w->value.ptr, w->value.len);
    w->value = (linli_str){NULL, 0};
}

void
ll_reading_end(struct ll_reading **reading)
{
    struct ll_reading *r = *reading;
    *reading = NULL;
    if (r == NULL)
        return;
    ll_doc_unref(&r->doc);
    ll_doc_unref(&r->other);
    for (uint32_t i = 0; i < r->count; i++) {
        ll_held_end(&r->wanted[i].held);
        wipe(&r->wanted[i]);
    }
}

static bool
fail(struct ll_reading *r, linli_status status)
{
    r->status = status;
    r->step = READ_OVER;
    return true;
}

static bool
fail_memory(struct ll_reading *r)
{
    return fail(r, ll_fail(&r->err, LINLI_E_NOMEM, "runtime/memory",
                       "a value of a resident"));
}

static bool
fail_store(struct ll_reading *r)
{
    return fail(r,
        ll_fail(&r->err, LINLI_E_IO, "store/failed", "a value of a resident"));
}

static bool
is_given(const struct ll_wanted *w)
{
    return w->verdict.reason == LL_REASON_ALLOW && !w->none;
}

static const struct ll_field_def *
def_of(const struct ll_reading *r, const struct ll_wanted *w)
{
    return &r->call->host->arbiter.dictionary.fields[w->field];
}

/* The field whose value is read: a view's source. */
static const struct ll_field_def *
source_of(const struct ll_reading *r, const struct ll_wanted *w)
{
    const struct ll_field_def *def = def_of(r, w);
    return def->view == LL_VIEW_NONE
               ? def
               : &r->call->host->arbiter.dictionary.fields[def->source];
}

/* -- the steps -- */

static bool
step_decide(struct ll_reading *r, struct ll_wait *wait)
{
    LL_UNUSED(wait);
    r->step = READ_BEGIN;
    for (uint32_t i = 0; i < r->count; i++) {
        struct ll_wanted *w = &r->wanted[i];
        w->none = false;
        w->ask =
            ll_release_ask(r->call, r->subject, w->field, w->purpose, w->own);
        w->verdict = ll_release_decide(r->call, &w->ask);
        if (is_given(w) && source_of(r, w)->household)
            r->step = READ_HOUSEHOLD;
    }
    return true;
}

/* The household that the directory says, or for the caller their token. */
static bool
step_household(struct ll_reading *r, struct ll_wait *wait)
{
    struct ll_call *call = r->call;
    struct ll_json *json = &call->host->docs.json;
    struct ll_coll *coll = ll_directory(call->community, LL_DIR_RESIDENT);
    if (r->doc == NULL && coll != NULL)
        r->doc = ll_docs_get(coll, r->resident);
    if (r->doc == NULL)
        return fail_memory(r);
    if (!ll_doc_ready(r->doc, wait))
        return false;
    if (r->doc->state == LL_DOC_LOST)
        return fail_store(r);
    const struct ll_content *content = r->doc->content;
    linli_str said = {NULL, 0}; /* empty: they have left, or not come yet */
    r->household = (linli_str){NULL, 0};
    if (content != NULL &&
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
        said = ll_directory_household(
            ll_json_root(json), ll_world_wall(call->host->world).ms);
    if (said.len > 0)
        r->household = ll_arena_str(r->arena, said);
    else if (said.ptr == NULL && call->identity != NULL &&
             call->identity->kind == LL_CALLER_RESIDENT &&
             ll_str_eq(call->identity->id, r->resident))
        r->household = call->identity->household;
    ll_doc_unref(&r->doc);
    r->step = READ_BEGIN;
    return true;
}

static bool
step_begin(struct ll_reading *r, struct ll_wait *wait)
{
    LL_UNUSED(wait);
    for (uint32_t i = 0; i < r->count; i++) {
        struct ll_wanted *w = &r->wanted[i];
        const struct ll_field_def *source = source_of(r, w);
        struct ll_owner owner = {.community = r->call->community->id,
            .coll = source->household ? LL_OF_HOUSEHOLD : LL_OF_RESIDENT,
            .id = source->household ? r->household : r->resident};
        ll_held_end(&w->held);
        wipe(w);
        if (!is_given(w) || source->brokered)
            continue;
        w->none = owner.id.len == 0;
        if (!w->none && ll_held_begin(&w->held, &r->call->host->docs, &owner,
                            source, &r->err) != LINLI_OK)
            return fail(r, r->err.status);
    }
    r->at = 0;
    r->step = READ_VALUES;
    return true;
}

/* Plates that were last written by a version that had them in the household's
 * document, from where whoever writes the field takes them. False: waits. */
static bool
older_plates(struct ll_reading *r, struct ll_wait *wait, linli_str *out)
{
    struct ll_json *json = &r->call->host->docs.json;
    struct ll_coll *coll = ll_directory(r->call->community, LL_DIR_HOUSEHOLD);
    struct ll_buf *text = &r->call->scratch;
    struct ll_jw w = ll_jw(text);
    *out = (linli_str){NULL, 0};
    if (r->doc == NULL && coll != NULL)
        r->doc = ll_docs_get(coll, r->household);
    if (r->doc == NULL)
        return fail_memory(r);
    if (!ll_doc_ready(r->doc, wait))
        return false;
    if (r->doc->state == LL_DOC_LOST)
        return fail_store(r);
    const struct ll_content *content = r->doc->content;
    struct ll_jv plates = {NULL, 0};
    if (content != NULL &&
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
        plates = ll_jv_get(ll_json_root(json), "plates");
    ll_buf_clear(text);
    if (ll_jv_is(plates, LL_JSON_ARRAY)) {
        ll_jw_value(&w, plates);
        *out = ll_arena_str(r->arena, ll_buf_view(text));
    }
    ll_doc_unref(&r->doc);
    return true;
}

/* What a view leaves of the value that was read; false: nothing. */
static bool
view_of(struct ll_reading *r, struct ll_wanted *w, linli_str value,
    enum ll_view_kind view)
{
    struct ll_json *json = &r->call->host->docs.json;
    struct ll_buf *text = &r->call->scratch;
    ll_buf_clear(text);
    bool good =
        ll_json_parse(json, value, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK &&
        ll_view_of(view, ll_json_root(json), w->ask.today, text);
    if (good)
        w->value = ll_arena_str(r->arena, ll_buf_view(text));
    ll_wipe_bytes(json->own.ptr, json->own.len);
    ll_wipe(text);
    return good;
}

/* A value as the plugin may see it. False: waits. */
static bool
take_value(struct ll_reading *r, struct ll_wanted *w, struct ll_wait *wait)
{
    const struct ll_field_def *def = def_of(r, w);
    linli_str value = {NULL, 0};
    if (!ll_held_ready(&w->held, wait))
        return false;
    if (w->held.state == LL_HELD_LOST)
        return fail_store(r);
    if (w->held.state == LL_HELD_THERE)
        value = w->held.value;
    else if (w->held.state == LL_HELD_ABSENT &&
             ll_str_is(source_of(r, w)->id, "plate") &&
             !older_plates(r, wait, &value))
        return false;
    if (r->step == READ_OVER)
        return true;
    w->none = value.ptr == NULL;
    if (!w->none && def->view == LL_VIEW_NONE)
        w->value = ll_arena_str(r->arena, value);
    else if (!w->none)
        w->none = !view_of(r, w, value, def->view);
    ll_held_end(&w->held);
    return !w->none && w->value.ptr == NULL ? fail_memory(r) : true;
}

/* What the host makes up for each plugin; there are no values to read. */
static bool
take_brokered(struct ll_reading *r, struct ll_wanted *w, struct ll_wait *wait)
{
    if (!ll_str_is(def_of(r, w)->id, "phone_relay")) {
        w->none = true; /* no broker of it is here */
        return true;
    }
    if (!ll_relay_go(r, wait))
        return false;
    if (r->status != LINLI_OK)
        return fail(r, r->status);
    struct ll_buf *text = &r->call->scratch;
    ll_buf_clear(text);
    struct ll_jw jw = ll_jw(text);
    ll_jw_cstr(&jw, r->number);
    w->value = ll_arena_str(r->arena, ll_buf_view(text));
    return w->value.ptr == NULL ? fail_memory(r) : true;
}

static bool
step_values(struct ll_reading *r, struct ll_wait *wait)
{
    for (; r->at < r->count; r->at++) {
        struct ll_wanted *w = &r->wanted[r->at];
        if (!is_given(w))
            continue;
        if (source_of(r, w)->brokered ? !take_brokered(r, w, wait)
                                      : !take_value(r, w, wait))
            return false;
        if (r->step == READ_OVER)
            return true;
    }
    r->step = READ_LOG;
    return true;
}

/* Reading may have taken a while: what is written is decided now. */
static bool
step_log(struct ll_reading *r, struct ll_wait *wait)
{
    LL_UNUSED(wait);
    for (uint32_t i = 0; i < r->count; i++) {
        struct ll_wanted *w = &r->wanted[i];
        if (!is_given(w))
            continue;
        w->ask =
            ll_release_ask(r->call, r->subject, w->field, w->purpose, w->own);
        w->verdict = ll_release_decide(r->call, &w->ask);
        if (!is_given(w)) {
            wipe(w);
            continue;
        }
        w->release = ll_release_take(r->call, &w->ask, &w->verdict, &r->err);
        if (w->release == NULL)
            return fail(r, r->err.status);
    }
    r->step = READ_DURABLE;
    return true;
}

static bool
step_durable(struct ll_reading *r, struct ll_wait *wait)
{
    uint64_t number = 0;
    LL_UNUSED(wait);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct ll_wanted *w = &r->wanted[i];
        if (is_given(w) && w->release->number > number &&
            ll_release_is_hard(r->call, &w->ask, &w->verdict))
            number = w->release->number;
    }
    r->step = READ_CHECK;
    if (number <= ll_store_durable(r->call->host->store))
        return true;
    r->step = READ_DURABLE;
    if (r->call->host->failure.status != LINLI_OK)
        return fail_store(r);
    ll_call_wait_durable(r->call, number);
    return false;
}

/* Whether what was decided, and read since, is so still. */
static bool
is_unchanged(struct ll_reading *r, struct ll_wanted *w)
{
    uint32_t epoch =
        ll_consent_epoch(r->call->host->arbiter.consent, r->subject);
    w->ask = ll_release_ask(r->call, r->subject, w->field, w->purpose, w->own);
    return w->verdict.epoch == epoch &&
           ll_release_decide(r->call, &w->ask).reason == LL_REASON_ALLOW;
}

/* What may not be pushed any more has a leaf that says that it was not. All
 * is decided once more; a second time, it is REVOKED_IN_FLIGHT. */
static bool
step_check(struct ll_reading *r, struct ll_wait *wait)
{
    bool good = true;
    LL_UNUSED(wait);
    for (uint32_t i = 0; i < r->count; i++) {
        struct ll_wanted *w = &r->wanted[i];
        if (!is_given(w) || is_unchanged(r, w))
            continue;
        good = false;
        ll_release_abort(r->call, w->release);
        if (!r->again)
            continue;
        w->verdict.reason = LL_REASON_REVOKED_IN_FLIGHT;
        wipe(w);
    }
    r->step = good || r->again ? READ_OVER : READ_DECIDE;
    r->again = true;
    return true;
}

bool
ll_reading_go(struct ll_reading *r, struct ll_wait *wait)
{
    static bool (*const steps[])(struct ll_reading * r,
        struct ll_wait * wait) = {[READ_DECIDE] = step_decide,
        [READ_HOUSEHOLD] = step_household,
        [READ_BEGIN] = step_begin,
        [READ_VALUES] = step_values,
        [READ_LOG] = step_log,
        [READ_DURABLE] = step_durable,
        [READ_CHECK] = step_check};
    while (r->step != READ_OVER)
        if (!steps[r->step](r, wait))
            return false;
    return true;
}
