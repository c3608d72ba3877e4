/* server/people_me.c: what a resident asks of themself. [loop]
 *
 * GET .../me/profile                 who they are here, and what they may do
 * GET .../me/fields                  what is kept of them
 * PUT .../me/fields/{field} {value}  a correction
 * GET .../me/wards, .../me/guardians
 * POST .../me/guardians {guardian, kind, powers?, class_ceiling?, until?}
 * POST .../me/guardians/{guardian}/{kind}/end
 * POST .../me/wards/{ward}/{kind}/accept, .../end
 *
 * With ?for= a guardian asks for their ward. The last three are in
 * server/people_guard.c.
 */
#include <stdio.h>

#include "base/text.h"
#include "consent/guardians.h"
#include "domain/age.h"
#include "host/jwt.h"
#include "server/people_guard.h"
#include "server/person.h"

/* -- the profile -- */

static const char *
age_word(const struct ll_person *person, int32_t today)
{
    static const struct {
        int32_t years;
        const char *word;
    } ages[] = {{8, "under_8"}, {14, "under_14"}, {18, "under_18"}};
    if (person->birth_day == LL_DAY_UNKNOWN)
        return "unknown";
    for (size_t i = 0; i < LL_COUNT(ages); i++)
        if (ll_age_under(person->birth_day, today, ages[i].years))
            return ages[i].word;
    return "adult";
}

static void
write_may(struct ll_jw *w, const struct ll_asker *asker, struct ll_host *host)
{
    uint32_t powers = 0;
    for (uint32_t bit = 1; bit <= LL_POWER_ERASE; bit <<= 1)
        if (ll_asker_may(asker, host, bit, LL_C1))
            powers |= bit;
    ll_jw_key(w, "may");
    ll_powers_write(w, powers);
}

static void
answer_profile(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker)
{
    static const char *const states[] = {
        "active", "frozen", "deceased", "erased"};
    struct ll_consent *consent = face->host->arbiter.consent;
    const struct ll_person *person = ll_consent_person(consent, asker->subject);
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, asker->resident);
    ll_jw_key(&w, "community");
    ll_jw_str(&w, asker->community->id);
    ll_jw_key(&w, "by");
    ll_jw_cstr(&w, asker->subject == asker->self ? "self" : "guardian");
    ll_jw_key(&w, "state");
    ll_jw_cstr(&w, states[person->state]);
    ll_jw_key(&w, "age");
    ll_jw_cstr(&w, age_word(person, asker->today));
    ll_jw_key(&w, "capacity");
    ll_jw_cstr(&w, ll_capacity_name(person->capacity));
    ll_jw_key(&w, "guardian_required");
    ll_jw_bool(&w, ll_consent_is_ward(consent, asker->subject, asker->today));
    write_may(&w, asker, face->host);
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

/* -- fields -- */

static struct ll_personal *
personal_of(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker)
{
    struct ll_personal *p = ll_personal_new(face, request, asker->community);
    char tag[2 * LL_TAG_BYTES + 1];
    if (p == NULL)
        return NULL;
    const struct ll_person *self =
        ll_consent_person(face->host->arbiter.consent, asker->self);
    ll_hex(self->tag, sizeof self->tag, tag);
    p->subject = asker->subject;
    (void)snprintf(
        p->resident, sizeof p->resident, "%.*s", LL_FMT(asker->resident));
    (void)snprintf(p->actor, sizeof p->actor, "%s", tag);
    if (asker->subject == asker->self)
        (void)snprintf(p->household, sizeof p->household, "%.*s",
            LL_FMT(asker->identity->household));
    return p;
}

/* Up to which class they may see: the highest that they may. */
static enum ll_class
ceiling_of(const struct ll_asker *asker, struct ll_host *host)
{
    enum ll_class class = LL_C3;
    while (class > LL_C1 && !ll_asker_may(asker, host, LL_POWER_VIEW, class))
        class = (enum ll_class)(class - 1);
    return class;
}

static void
get_fields(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker)
{
    struct ll_personal *p = personal_of(face, request, asker);
    if (p == NULL)
        return;
    p->values = ll_asker_may(asker, face->host, LL_POWER_VIEW, LL_C1);
    p->ceiling = ceiling_of(asker, face->host);
    ll_personal_go(p);
}

static linli_status
check_correction(struct ll_personal *p, const struct ll_asker *asker,
    struct ll_host *host, linli_str id, struct ll_err *err)
{
    p->field = ll_personal_field(host, id, err);
    if (p->field == NULL)
        return err->status;
    if (!ll_asker_may(asker, host, LL_POWER_CORRECT, p->field->class))
        return ll_fail(err, LINLI_E_DENIED, "consent/forbidden",
            "you may not correct this field of theirs");
    linli_status status = ll_personal_take(p, err);
    if (status == LINLI_OK && ll_field_is_confirmed(p->field)) {
        status = ll_fail(err, LINLI_E_CONFLICT, "field/confirm",
            "`%.*s` is changed by the operator, who checks it",
            LL_FMT(p->field->id));
        ll_err_fix(err, "POST .../me/requests {\"kind\": \"correct\"}; "
                        "该字段须由物业核实后更改");
    }
    return status;
}

static void
put_field(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker, linli_str id)
{
    struct ll_err err;
    struct ll_personal *p = personal_of(face, request, asker);
    if (p == NULL)
        return;
    if (check_correction(p, asker, face->host, id, &err) != LINLI_OK)
        ll_view_refuse(&p->view, &err);
    else
        ll_personal_go(p);
}

/* -- which it is -- */

static bool
take(linli_str rest, const char *prefix, linli_str *left)
{
    size_t n = strlen(prefix);
    if (!ll_str_starts(rest, prefix))
        return false;
    *left = (linli_str){rest.ptr + n, rest.len - n};
    return true;
}

static bool
is_ours(linli_str rest)
{
    linli_str left;
    return ll_str_is(rest, "me/profile") || ll_str_is(rest, "me/fields") ||
           take(rest, "me/fields/", &left) || ll_str_is(rest, "me/wards") ||
           take(rest, "me/wards/", &left) || ll_str_is(rest, "me/guardians") ||
           take(rest, "me/guardians/", &left);
}

static void
serve(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker, linli_str rest)
{
    bool get = ll_str_is(request->method, "GET");
    linli_str left;
    if (ll_str_is(rest, "me/profile") && get)
        answer_profile(face, request, asker);
    else if (ll_str_is(rest, "me/fields") && get)
        get_fields(face, request, asker);
    else if (ll_str_is(rest, "me/profile") || ll_str_is(rest, "me/fields"))
        ll_face_method(face, request, "GET");
    else if (!take(rest, "me/fields/", &left))
        ll_guard_me_handle(face, request, asker, rest);
    else if (ll_str_is(request->method, "PUT"))
        put_field(face, request, asker, left);
    else
        ll_face_method(face, request, "PUT");
}

bool
ll_people_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    struct ll_asker asker;
    struct ll_params *params;
    if (!is_ours(rest))
        return false;
    params = ll_alloc(&face->host->mem, sizeof *params);
    if (params == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return true;
    }
    if (ll_asker_begin(&asker, face, request, community, params)) {
        serve(face, request, &asker, rest);
        ll_asker_end(&asker);
    }
    ll_release(&face->host->mem, params, sizeof *params);
    return true;
}
