/* server/person.c: a resident's fields, from the store and into it. [loop] */
#include "server/person.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "host/directory.h"

static void
step_view(struct ll_view *view)
{
    LL_UNUSED(view);
}

static void
personal_free(struct ll_personal *p)
{
    struct ll_mem *mem = &p->community->host->mem;
    for (uint32_t i = 0; i < p->count; i++)
        ll_held_end(&p->helds[i]);
    if (p->helds != NULL)
        ll_release(mem, p->helds, LL_FIELDS_MAX * sizeof *p->helds);
    ll_txn_fini(&p->txn);
    ll_doc_unref(&p->doc);
    ll_wipe(&p->json);
    ll_buf_fini(&p->json);
    ll_release(mem, p, sizeof *p);
}

static void
end_view(struct ll_view *view)
{
    struct ll_personal *p = LL_CONTAINER(view, struct ll_personal, view);
    ll_wait_cancel(&p->wait);
    p->gone = p->committing;
    if (!p->gone)
        personal_free(p);
}

static void
refuse(struct ll_personal *p, linli_status status, const char *code,
    const char *what)
{
    struct ll_err err;
    (void)ll_fail(&err, status, code, "%s", what);
    ll_view_refuse(&p->view, &err);
}

static void
on_ready(struct ll_wait *wait)
{
    ll_personal_go(LL_CONTAINER(wait, struct ll_personal, wait));
}

struct ll_personal *
ll_personal_new(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    struct ll_mem *mem = &face->host->mem;
    struct ll_personal *p = ll_alloc(mem, sizeof *p);
    if (p != NULL)
        p->helds = ll_alloc(mem, LL_FIELDS_MAX * sizeof *p->helds);
    if (p == NULL || p->helds == NULL) {
        if (p != NULL)
            ll_release(mem, p, sizeof *p);
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return NULL;
    }
    p->community = community;
    p->ceiling = LL_C3;
    p->wait.ready = on_ready;
    p->view.step = step_view;
    p->view.end = end_view;
    ll_buf_init(&p->json, mem, 2 * LL_FIELD_VALUE_BYTES_MAX);
    ll_txn_init(&p->txn, &face->host->docs);
    ll_view_begin(&p->view, face, request);
    return p;
}

/* -- what is asked -- */

const struct ll_field_def *
ll_personal_field(struct ll_host *host, linli_str id, struct ll_err *err)
{
    const struct ll_dictionary *dictionary = &host->arbiter.dictionary;
    int number = ll_dictionary_field(dictionary, id);
    if (number < 0) {
        (void)ll_fail(err, LINLI_E_INVALID, "field/unknown",
            "spec/data-dictionary.json lists the fields there are");
        return NULL;
    }
    return &dictionary->fields[number];
}

bool
ll_field_is_confirmed(const struct ll_field_def *field)
{
    static const char *const ids[] = {
        "real_name", "birth_date", "id_card", "gender"};
    for (size_t i = 0; i < LL_COUNT(ids); i++)
        if (ll_str_is(field->id, ids[i]))
            return true;
    return field->household;
}

linli_status
ll_personal_take(struct ll_personal *p, struct ll_err *err)
{
    static const char *const names[] = {"value", NULL};
    return ll_personal_take_of(p, names, err);
}

linli_status
ll_personal_take_of(
    struct ll_personal *p, const char *const *names, struct ll_err *err)
{
    struct ll_json body;
    ll_json_init(&body, &p->community->host->mem);
    linli_status status = ll_desk_body(p->view.request, names, &body, err);
    if (status == LINLI_OK) {
        struct ll_jv value = ll_jv_get(ll_json_root(&body), "value");
        if (!ll_jv_there(value))
            status = ll_fail(err, LINLI_E_INVALID, "request/invalid",
                "the body is {\"value\": ...}; null takes it away");
        else if (!ll_jv_is(value, LL_JSON_NULL))
            status = ll_value_take(p->field, value, &p->json, err);
    }
    ll_wipe(&body.own);
    ll_json_fini(&body);
    return status;
}

/* -- reading -- */

/* The household that the directory says, or the token. False: it waits or has
 * ended. */
static bool
find_household(struct ll_personal *p)
{
    struct ll_json *json = &p->community->host->docs.json;
    struct ll_coll *coll = ll_directory(p->community, LL_DIR_RESIDENT);
    if (p->doc == NULL && coll != NULL)
        p->doc = ll_docs_get(coll, ll_cstr(p->resident));
    if (p->doc == NULL) {
        refuse(p, LINLI_E_NOMEM, "runtime/memory", "a resident");
        return false;
    }
    if (!ll_doc_ready(p->doc, &p->wait))
        return false;
    if (p->doc->state == LL_DOC_LOST) {
        refuse(p, LINLI_E_IO, "store/failed", "a resident cannot be read");
        return false;
    }
    if (p->must_exist && p->doc->content == NULL) {
        refuse(p, LINLI_E_NOT_FOUND, "request/not-found",
            "the directory has no such resident");
        return false;
    }
    if (p->doc->content != NULL && ll_json_parse(json, p->doc->content->body,
                                       LL_JSON_DEPTH_MAX, NULL) == LINLI_OK) {
        linli_str id = ll_directory_household(
            ll_json_root(json), ll_world_wall(p->community->host->world).ms);
        if (id.ptr != NULL)
            (void)snprintf(
                p->household, sizeof p->household, "%.*s", LL_FMT(id));
    }
    return true;
}

/* A field that can hold a value of this resident's or of their household. */
static bool
is_held(const struct ll_personal *p, const struct ll_field_def *field)
{
    return field->view == LL_VIEW_NONE &&
           !(field->brokered && !field->household) &&
           !(field->household && p->household[0] == '\0');
}

static linli_status
begin_held(
    struct ll_personal *p, const struct ll_field_def *field, struct ll_err *err)
{
    struct ll_owner owner = {p->community->id,
        field->household ? LL_OF_HOUSEHOLD : LL_OF_RESIDENT,
        ll_cstr(field->household ? p->household : p->resident)};
    linli_status status = ll_held_begin(
        &p->helds[p->count], &p->community->host->docs, &owner, field, err);
    p->count += status == LINLI_OK;
    return status;
}

static bool
begin_helds(struct ll_personal *p)
{
    const struct ll_dictionary *dictionary =
        &p->community->host->arbiter.dictionary;
    struct ll_err err;
    linli_status status = LINLI_OK;
    if (p->field != NULL)
        status = begin_held(p, p->field, &err);
    for (uint32_t i = 0;
         status == LINLI_OK && p->field == NULL && i < dictionary->field_count;
         i++)
        if (is_held(p, &dictionary->fields[i]))
            status = begin_held(p, &dictionary->fields[i], &err);
    p->looked = true;
    if (status != LINLI_OK)
        ll_view_refuse(&p->view, &err);
    return status == LINLI_OK;
}

static void
write_held(struct ll_personal *p, const struct ll_held *held)
{
    const struct ll_field_def *field = held->field;
    struct ll_jw *w = &p->view.w;
    bool there = held->state == LL_HELD_THERE;
    ll_jw_open(w, '{');
    ll_jw_key(w, "field");
    ll_jw_str(w, field->id);
    ll_jw_key(w, "name");
    ll_jw_open(w, '{');
    ll_jw_key(w, "zh-CN");
    ll_jw_str(w, field->name_zh);
    ll_jw_key(w, "en");
    ll_jw_str(w, field->name_en);
    ll_jw_close(w, '}');
    ll_jw_key(w, "class");
    ll_jw_cstr(w, ll_class_name(field->class));
    ll_jw_key(w, "of");
    ll_jw_cstr(w, field->household ? "household" : "resident");
    ll_jw_key(w, "state");
    ll_jw_cstr(w, there                             ? "set"
                  : held->state == LL_HELD_SHREDDED ? "erased"
                                                    : "none");
    ll_jw_key(w, "set_at");
    if (there)
        ll_jw_int(w, held->at_ms);
    else
        ll_jw_null(w);
    if (p->values && there && field->class <= p->ceiling) {
        ll_jw_key(w, "value");
        ll_jw_raw(w, held->value);
    }
    ll_jw_key(w, "correct");
    ll_jw_cstr(w, ll_field_is_confirmed(field) ? "operator" : "self");
    ll_jw_close(w, '}');
}

static void
answer_all(struct ll_personal *p)
{
    ll_jw_open(&p->view.w, '{');
    ll_jw_key(&p->view.w, "items");
    ll_jw_open(&p->view.w, '[');
    for (uint32_t i = 0; i < p->count; i++)
        write_held(p, &p->helds[i]);
    ll_jw_close(&p->view.w, ']');
    ll_jw_close(&p->view.w, '}');
    ll_view_answer(&p->view);
}

/* -- writing -- */

static void
on_committed(struct ll_commit *commit, bool durable)
{
    struct ll_personal *p = commit->user;
    ll_docs_commit_free(&p->community->host->docs, commit);
    p->committing = false;
    if (p->gone)
        personal_free(p);
    else if (durable)
        ll_view_answer(&p->view);
    else
        refuse(p, LINLI_E_IO, "store/failed", "it cannot be kept");
}

/* How old somebody is stands in two places, of which the arbiter's comes
 * first: nobody is ever thought to be older than they are. */
static linli_status
put_birth(struct ll_personal *p, struct ll_err *err)
{
    struct ll_arbiter *arbiter = &p->community->host->arbiter;
    const struct ll_person *is =
        ll_consent_person(arbiter->consent, p->subject);
    int64_t now_ms = ll_world_wall(p->community->host->world).ms;
    struct ll_actor_of who = {.community = p->community->id,
        .subject = p->subject,
        .actor = LL_NOBODY,
        .actor_name = ll_cstr(p->actor),
        .now_ms = now_ms,
        .today = ll_arbiter_today(&p->community->zone, now_ms)};
    if (is == NULL || !ll_str_is(p->field->id, "birth_date"))
        return LINLI_OK;
    struct ll_person person = *is;
    linli_str text = ll_buf_view(&p->json);
    person.birth_day = LL_DAY_UNKNOWN;
    if (text.len > 2 && !ll_date_read((linli_str){text.ptr + 1, text.len - 2},
                            &person.birth_day))
        person.birth_day = LL_DAY_UNKNOWN;
    if (person.birth_day == is->birth_day)
        return LINLI_OK;
    return ll_arbiter_put_person(
        arbiter, &who, ll_cstr(p->resident), &person, NULL, err);
}

static linli_status
put_value(struct ll_personal *p, struct ll_commit *commit, bool *changed,
    struct ll_err *err)
{
    struct ll_host *host = p->community->host;
    const struct ll_person *person =
        ll_consent_person(host->arbiter.consent, p->subject);
    char tag[2 * LL_TAG_BYTES + 1] = "";
    if (person != NULL && !p->field->household)
        ll_hex(person->tag, sizeof person->tag, tag);
    struct ll_value_change change = {.json = ll_buf_view(&p->json),
        .actor = ll_cstr(p->actor),
        .tag = ll_cstr(tag),
        .world = host->world,
        .now_ms = ll_world_wall(host->world).ms};
    linli_status status =
        ll_value_put(&p->helds[0], &change, &p->txn, commit, changed, err);
    return status == LINLI_OK ? put_birth(p, err) : status;
}

static void
write_it(struct ll_personal *p)
{
    struct ll_docs *docs = &p->community->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_err err;
    bool changed = false;
    linli_status status = commit == NULL ? ll_fail(&err, LINLI_E_NOMEM,
                                               "runtime/memory", "a value")
                                         : put_value(p, commit, &changed, &err);
    ll_jw_open(&p->view.w, '{');
    ll_jw_key(&p->view.w, "field");
    ll_jw_str(&p->view.w, p->field->id);
    ll_jw_key(&p->view.w, "state");
    ll_jw_cstr(&p->view.w, p->json.len > 0 ? "set" : "none");
    ll_jw_key(&p->view.w, "changed");
    ll_jw_bool(&p->view.w, changed);
    ll_jw_close(&p->view.w, '}');
    if (status == LINLI_OK && changed) {
        commit->done = on_committed;
        commit->user = p;
        p->committing = true;
        if (ll_txn_commit(&p->txn, commit) != 0)
            return;
        p->committing = false;
        status = ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a value");
    }
    if (commit != NULL)
        ll_docs_commit_free(docs, commit);
    if (status == LINLI_OK)
        ll_view_answer(&p->view);
    else
        ll_view_refuse(&p->view, &err);
}

void
ll_personal_go(struct ll_personal *p)
{
    if (!p->looked && (!find_household(p) || !begin_helds(p)))
        return;
    for (; p->next < p->count; p->next++) {
        if (!ll_held_ready(&p->helds[p->next], &p->wait))
            return;
        if (p->helds[p->next].state == LL_HELD_LOST) {
            refuse(p, LINLI_E_IO, "store/failed", "a value cannot be read");
            return;
        }
    }
    if (p->field != NULL)
        write_it(p);
    else
        answer_all(p);
}
