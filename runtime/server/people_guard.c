/* server/people_guard.c: who guards whom, asked and changed over HTTP. [loop]
 *
 * GET  .../me/guardians, .../me/wards
 * POST .../me/guardians {guardian, kind, powers?, class_ceiling?, until?}
 * POST .../me/guardians/{guardian}/{kind}/end
 * POST .../me/wards/{ward}/{kind}/accept|end
 * GET  .../admin/guardians?ward=|guardian=
 * PUT  .../admin/guardians/{ward}/{guardian}/{kind} {evidence, powers?, ...}
 * POST .../admin/guardians/{ward}/{guardian}/{kind}/verify|suspend|resume|end
 */
#include "server/people_guard.h"

#include <stdio.h>

#include "base/instant.h"
#include "base/text.h"
#include "consent/guardians.h"
#include "host/jwt.h"

#define POWERS_ALL \
    (LL_POWER_CONSENT | LL_POWER_VIEW | LL_POWER_CORRECT | LL_POWER_ERASE)
#define POWERS_USUAL (LL_POWER_CONSENT | LL_POWER_VIEW | LL_POWER_CORRECT)

/* -- telling -- */

static void
write_guardianship(struct ll_jw *w, const struct ll_consent *consent,
    const struct ll_guardianship *g)
{
    char at[LL_RFC3339_BYTES];
    ll_jw_open(w, '{');
    ll_jw_key(w, "ward");
    ll_jw_str(w, ll_consent_resident(consent, g->ward));
    ll_jw_key(w, "guardian");
    ll_jw_str(w, ll_consent_resident(consent, g->guardian));
    ll_jw_key(w, "kind");
    ll_jw_cstr(w, ll_guardian_kind_name(g->kind));
    ll_jw_key(w, "powers");
    ll_powers_write(w, g->powers);
    ll_jw_key(w, "class_ceiling");
    ll_jw_cstr(w, ll_class_name(g->ceiling));
    ll_jw_key(w, "status");
    ll_jw_cstr(w, ll_guardian_status_name(g->status));
    ll_jw_key(w, "from");
    ll_rfc3339(g->from_ms, at);
    ll_jw_cstr(w, at);
    ll_jw_key(w, "until");
    if (g->until_ms > LL_INSTANT_MS_MAX) {
        ll_jw_null(w);
    } else {
        ll_rfc3339(g->until_ms, at);
        ll_jw_cstr(w, at);
    }
    ll_jw_close(w, '}');
}

/* Those of one who is a ward, or a guardian. */
static void
list(struct ll_face *face, struct ll_request *request, uint32_t subject,
    bool of_ward)
{
    const struct ll_consent *consent = face->host->arbiter.consent;
    const struct ll_guardianship *g;
    uint32_t at = 0;
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    while ((g = of_ward ? ll_consent_next_guard(consent, subject, &at)
                        : ll_consent_next_ward(consent, subject, &at)) != NULL)
        write_guardianship(&w, consent, g);
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

/* -- one change, until it is durable -- */

struct change {
    struct ll_view view;
    struct ll_act act;
    struct ll_mem *mem;
    bool acting, gone;
};

static void
step_view(struct ll_view *view)
{
    LL_UNUSED(view);
}

static void
end_view(struct ll_view *view)
{
    struct change *change = LL_CONTAINER(view, struct change, view);
    change->gone = change->acting;
    if (!change->gone)
        ll_release(change->mem, change, sizeof *change);
}

static void
on_done(struct ll_act *act, bool durable, uint64_t leaf)
{
    struct change *change = act->user;
    struct ll_err err;
    LL_UNUSED(leaf);
    change->acting = false;
    if (change->gone) {
        ll_release(change->mem, change, sizeof *change);
    } else if (durable) {
        ll_view_answer(&change->view);
    } else {
        (void)ll_fail(&err, LINLI_E_IO, "store/failed", "it cannot be kept");
        ll_view_refuse(&change->view, &err);
    }
}

/* Whose word it is, and what shows it. */
struct word {
    linli_str community;
    uint32_t actor; /* LL_NOBODY: `name` */
    linli_str name, proof;
    int64_t now_ms;
    int32_t today;
};

/* Puts it, and answers with it and `status` when that is durable. */
static void
put(struct ll_face *face, struct ll_request *request, const struct word *word,
    const struct ll_guardianship *g, int status)
{
    struct ll_arbiter *arbiter = &face->host->arbiter;
    struct change *change = ll_alloc(&face->host->mem, sizeof *change);
    struct ll_actor_of who = {.community = word->community,
        .subject = g->ward,
        .actor = word->actor,
        .actor_name = word->name,
        .proof = word->proof,
        .now_ms = word->now_ms,
        .today = word->today};
    struct ll_err err;
    if (change == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    change->mem = &face->host->mem;
    change->act = (struct ll_act){.done = on_done, .user = change};
    change->view.step = step_view;
    change->view.end = end_view;
    change->view.status = status;
    ll_view_begin(&change->view, face, request);
    write_guardianship(&change->view.w, arbiter->consent, g);
    change->acting = true;
    if (ll_arbiter_put_guardian(arbiter, &who, g, &change->act, &err) !=
        LINLI_OK) {
        change->acting = false;
        ll_view_refuse(&change->view, &err);
    }
}

/* -- what a body says -- */

struct asked {
    struct ll_json json;
    struct ll_guardianship g;
    linli_str guardian, evidence;
};

static linli_status
fail_member(struct ll_err *err, const char *name, const char *what)
{
    return ll_fail(err, LINLI_E_INVALID, "request/invalid", "`%s` is to be %s",
        name, what);
}

static linli_status
read_terms(struct asked *asked, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&asked->json);
    struct ll_jv powers = ll_jv_get(root, "powers");
    struct ll_jv from = ll_jv_get(root, "from"),
                 until = ll_jv_get(root, "until");
    linli_str ceiling = ll_jv_str(ll_jv_get(root, "class_ceiling"));
    if (ll_jv_there(powers))
        asked->g.powers = ll_powers_read(powers);
    if (asked->g.powers == 0)
        return fail_member(
            err, "powers", "a list of consent, view, correct, erase");
    if (ceiling.len > 0) {
        if (ceiling.len != 2 || ceiling.ptr[0] != 'C' || ceiling.ptr[1] < '1' ||
            ceiling.ptr[1] > '3')
            return fail_member(err, "class_ceiling", "C1, C2 or C3");
        asked->g.ceiling = (enum ll_class)(ceiling.ptr[1] - '0');
    }
    if (ll_jv_there(from) &&
        !ll_instant_read(ll_jv_str(from), &asked->g.from_ms))
        return fail_member(err, "from", "an instant of RFC 3339");
    if (ll_jv_there(until) &&
        !ll_instant_read(ll_jv_str(until), &asked->g.until_ms))
        return fail_member(err, "until", "an instant of RFC 3339");
    return LINLI_OK;
}

/* Words of an operator or a resident: at most LL_PROOF_BYTES_MAX. */
static linli_status
read_words(struct asked *asked, const char *name, struct ll_err *err)
{
    asked->evidence = ll_jv_str(ll_jv_get(ll_json_root(&asked->json), name));
    if (asked->evidence.len > 0 && asked->evidence.len <= LL_PROOF_BYTES_MAX)
        return LINLI_OK;
    return fail_member(err, name, "what shows it, in 1 to 128 bytes");
}

/* -- residents -- */

/* A ward's guardianships that have not ended. */
static uint32_t
count_open(const struct ll_consent *consent, uint32_t ward)
{
    const struct ll_guardianship *g;
    uint32_t at = 0, count = 0;
    while ((g = ll_consent_next_guard(consent, ward, &at)) != NULL)
        count += g->status != LL_GUARDIAN_ENDED;
    return count;
}

static linli_status
judge_asked(struct asked *asked, const struct ll_asker *asker,
    struct ll_host *host, struct ll_err *err)
{
    struct ll_guardianship is;
    const struct ll_consent *consent = host->arbiter.consent;
    bool there = ll_guardian_find(consent, &asked->g, &is) &&
                 is.status != LL_GUARDIAN_ENDED;
    if (asker->subject != asker->self)
        return ll_fail(err, LINLI_E_DENIED, "consent/forbidden",
            "what a guardian may do is not passed on");
    if (there &&
        (is.kind != LL_GUARDIAN_DELEGATE || is.status == LL_GUARDIAN_SUSPENDED))
        return ll_fail(err, LINLI_E_CONFLICT, "people/asked",
            "it is %s already", ll_guardian_status_name(is.status));
    if (!there && count_open(consent, asker->self) >= LL_GUARDIANS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "people/guardian",
            "nobody has more than %d", LL_GUARDIANS_MAX);
    /* Who has accepted to be a delegate need not do so again. */
    asked->g.status = there ? is.status : LL_GUARDIAN_PENDING;
    asked->g.from_ms = there ? is.from_ms : asker->now_ms;
    return ll_guardianship_check(consent, &asked->g, asker->today, err);
}

static linli_status
read_asked(struct asked *asked, struct ll_request *request,
    const struct ll_asker *asker, struct ll_host *host, struct ll_err *err)
{
    static const char *const names[] = {
        "guardian", "kind", "powers", "class_ceiling", "until", NULL};
    linli_status status = ll_desk_body(request, names, &asked->json, err);
    if (status != LINLI_OK)
        return status;
    struct ll_jv root = ll_json_root(&asked->json);
    linli_str guardian = ll_jv_str(ll_jv_get(root, "guardian"));
    if (guardian.len == 0 || guardian.len > LL_RESIDENT_BYTES_MAX)
        return fail_member(err, "guardian", "a resident's id");
    if (!ll_guardian_kind_read(
            ll_jv_str(ll_jv_get(root, "kind")), &asked->g.kind))
        return fail_member(
            err, "kind", "parent, statutory, court, agreed or delegate");
    status = read_terms(asked, err);
    /* The answer is the same whether there is such a resident or not: they
     * are met when they are named. */
    if (status == LINLI_OK)
        status = ll_arbiter_meet(&host->arbiter, asker->community->id, guardian,
            asker->now_ms, &asked->g.guardian, err);
    return status;
}

static struct word
word_of(const struct ll_asker *asker)
{
    return (struct word){.community = asker->community->id,
        .actor = asker->self,
        .now_ms = asker->now_ms,
        .today = asker->today};
}

static void
ask(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker)
{
    struct asked asked = {.g = {.ward = asker->self,
                              .powers = POWERS_USUAL,
                              .ceiling = LL_C3,
                              .until_ms = INT64_MAX}};
    struct word word = word_of(asker);
    struct ll_err err;
    ll_json_init(&asked.json, &face->host->mem);
    linli_status status = read_asked(&asked, request, asker, face->host, &err);
    if (status == LINLI_OK)
        status = judge_asked(&asked, asker, face->host, &err);
    if (status == LINLI_OK)
        put(face, request, &word, &asked.g, 201);
    else
        ll_face_error(face, request, &err);
    ll_json_fini(&asked.json);
}

/* What a step does to a guardianship; false: not in its state. */
enum step { STEP_ACCEPT, STEP_END, STEP_VERIFY, STEP_SUSPEND, STEP_RESUME };
static const char *const step_words[] = {
    "accept", "end", "verify", "suspend", "resume"};

static bool
take_step(struct ll_guardianship *g, enum step step)
{
    enum ll_guardian_status before = g->status;
    switch (step) {
    case STEP_ACCEPT:
        g->status = ll_guardian_is_verified(g->kind) ? LL_GUARDIAN_ACCEPTED
                                                     : LL_GUARDIAN_ACTIVE;
        return before == LL_GUARDIAN_PENDING;
    case STEP_END:
        g->status = LL_GUARDIAN_ENDED;
        return before != LL_GUARDIAN_ENDED;
    case STEP_VERIFY:
        g->status = LL_GUARDIAN_ACTIVE;
        return before == LL_GUARDIAN_ACCEPTED;
    case STEP_SUSPEND:
        g->status = LL_GUARDIAN_SUSPENDED;
        return before == LL_GUARDIAN_ACTIVE;
    default:
        g->status = LL_GUARDIAN_ACTIVE;
        return before == LL_GUARDIAN_SUSPENDED;
    }
}

static bool
read_step(linli_str word, enum step *step)
{
    for (size_t i = 0; i < LL_COUNT(step_words); i++)
        if (ll_str_is(word, step_words[i])) {
            *step = (enum step)i;
            return true;
        }
    return false;
}

static linli_status
not_now(const struct ll_guardianship *g, enum step step, struct ll_err *err)
{
    return ll_fail(err, LINLI_E_CONFLICT, "people/asked",
        "one that is %s cannot be: %s%s", ll_guardian_status_name(g->status),
        step_words[step],
        step == STEP_VERIFY && g->status == LL_GUARDIAN_PENDING
            ? "; the guardian has not accepted yet"
            : "");
}

/* A ward gives up only what they gave alone: not a parent. */
static linli_status
judge_own(const struct ll_guardianship *g, const struct ll_asker *asker,
    enum step step, struct ll_err *err)
{
    bool as_ward = g->ward == asker->self;
    if (!as_ward && (step == STEP_ACCEPT || step == STEP_END))
        return LINLI_OK;
    if (as_ward && step == STEP_END &&
        (g->kind == LL_GUARDIAN_DELEGATE || g->status == LL_GUARDIAN_PENDING ||
            g->status == LL_GUARDIAN_ACCEPTED))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_DENIED, "consent/forbidden",
        "the operator changes this one, who has seen what shows it");
}

/* What somebody wants of a guardianship of theirs. */
struct own {
    struct ll_guardianship g;
    enum step step;
};

/* "OTHER/KIND/STEP" of one's own; 404 as for what does not exist. */
static linli_status
find_own(const struct ll_asker *asker, linli_str rest, bool of_ward,
    struct own *own, struct ll_err *err)
{
    const struct ll_consent *consent = asker->community->host->arbiter.consent;
    linli_str other, kind, word;
    struct ll_guardianship like = {.ward = LL_NOBODY};
    bool good =
        ll_str_split(&rest, '/', &other) && ll_str_split(&rest, '/', &kind) &&
        ll_str_split(&rest, '/', &word) && rest.ptr == NULL &&
        read_step(word, &own->step) && ll_guardian_kind_read(kind, &like.kind);
    uint32_t subject =
        good ? ll_consent_subject(consent, asker->community->id, other)
             : LL_NOBODY;
    like.ward = of_ward ? asker->self : subject;
    like.guardian = of_ward ? subject : asker->self;
    if (subject != LL_NOBODY && ll_guardian_find(consent, &like, &own->g))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
        "there is no such guardianship of yours");
}

static void
step_own(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker, linli_str rest, bool of_ward)
{
    const struct ll_consent *consent = face->host->arbiter.consent;
    struct own own = {.step = STEP_ACCEPT};
    struct word word = word_of(asker);
    struct ll_err err;
    linli_status status = find_own(asker, rest, of_ward, &own, &err);
    if (status == LINLI_OK)
        status = judge_own(&own.g, asker, own.step, &err);
    struct ll_guardianship before = own.g;
    if (status == LINLI_OK && !take_step(&own.g, own.step))
        status = not_now(&before, own.step, &err);
    if (status == LINLI_OK && own.step == STEP_ACCEPT)
        status = ll_guardianship_check(consent, &own.g, asker->today, &err);
    if (status == LINLI_OK)
        put(face, request, &word, &own.g, 200);
    else
        ll_face_error(face, request, &err);
}

void
ll_guard_me_handle(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker, linli_str rest)
{
    bool get = ll_str_is(request->method, "GET");
    bool post = ll_str_is(request->method, "POST");
    bool of_ward = ll_str_starts(rest, "me/guardians");
    size_t head = strlen(of_ward ? "me/guardians" : "me/wards");
    linli_str left = {rest.ptr + head, rest.len - head};
    if (left.len == 0 && get)
        list(face, request, asker->subject, of_ward);
    else if (left.len == 0 && of_ward && post)
        ask(face, request, asker);
    else if (left.len == 0)
        ll_face_method(face, request, of_ward ? "GET, POST" : "GET");
    else if (post)
        step_own(face, request, asker, (linli_str){left.ptr + 1, left.len - 1},
            of_ward);
    else
        ll_face_method(face, request, "POST");
}

/* -- operators -- */

struct named {
    linli_str ward, guardian, kind, step; /* step.ptr NULL: none */
};

static bool
read_named(linli_str rest, struct named *named)
{
    *named = (struct named){.step = {NULL, 0}};
    if (!ll_str_split(&rest, '/', &named->ward) ||
        !ll_str_split(&rest, '/', &named->guardian) ||
        !ll_str_split(&rest, '/', &named->kind))
        return false;
    return rest.ptr == NULL ||
           (ll_str_split(&rest, '/', &named->step) && rest.ptr == NULL);
}

static linli_status
find_named(const struct named *named, const struct ll_community *community,
    struct ll_guardianship *like, struct ll_err *err)
{
    const struct ll_consent *consent = community->host->arbiter.consent;
    like->ward = ll_consent_subject(consent, community->id, named->ward);
    like->guardian =
        ll_consent_subject(consent, community->id, named->guardian);
    if (ll_guardian_kind_read(named->kind, &like->kind) &&
        like->ward != LL_NOBODY && like->guardian != LL_NOBODY)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
        "both are residents who are known, and the kind is parent, statutory, "
        "court, agreed or delegate");
}

/* An operator's record: they have seen what shows it, and both sides. */
static linli_status
read_record(struct asked *asked, struct ll_request *request,
    const struct named *named, struct ll_community *community,
    struct word *word, struct ll_err *err)
{
    static const char *const names[] = {
        "evidence", "powers", "class_ceiling", "from", "until", NULL};
    struct ll_guardianship is;
    const struct ll_consent *consent = community->host->arbiter.consent;
    linli_status status = ll_desk_body(request, names, &asked->json, err);
    if (status == LINLI_OK)
        status = find_named(named, community, &asked->g, err);
    if (status == LINLI_OK)
        status = read_words(asked, "evidence", err);
    if (status != LINLI_OK)
        return status;
    bool there = ll_guardian_find(consent, &asked->g, &is);
    if (there)
        asked->g = is;
    if (asked->g.kind == LL_GUARDIAN_DELEGATE)
        return ll_fail(err, LINLI_E_DENIED, "consent/forbidden",
            "only the resident themself delegates: .../staff/assist serves "
            "those without a phone");
    status = read_terms(asked, err);
    asked->g.status = LL_GUARDIAN_ACTIVE;
    word->proof = asked->evidence;
    return status == LINLI_OK
               ? ll_guardianship_check(consent, &asked->g, word->today, err)
               : status;
}

static linli_status
read_step_of(struct asked *asked, struct ll_request *request,
    const struct named *named, struct ll_community *community,
    struct word *word, struct ll_err *err)
{
    const struct ll_consent *consent = community->host->arbiter.consent;
    struct ll_guardianship like;
    enum step step = STEP_ACCEPT;
    linli_status status = find_named(named, community, &like, err);
    if (status == LINLI_OK &&
        (!ll_guardian_find(consent, &like, &asked->g) ||
            !read_step(named->step, &step) || step == STEP_ACCEPT))
        status = ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "there is verify, suspend, resume and end, of what was asked for");
    const char *what = step == STEP_VERIFY ? "evidence" : "reason";
    const char *const names[] = {what, NULL};
    if (status == LINLI_OK)
        status = ll_desk_body(request, names, &asked->json, err);
    if (status == LINLI_OK)
        status = read_words(asked, what, err);
    struct ll_guardianship before = asked->g;
    if (status == LINLI_OK && !take_step(&asked->g, step))
        status = not_now(&before, step, err);
    if (status == LINLI_OK && step == STEP_VERIFY)
        status = ll_guardianship_check(consent, &asked->g, word->today, err);
    word->proof = asked->evidence;
    return status;
}

static void
change_named(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str by, const struct named *named)
{
    char name[LL_RESIDENT_BYTES_MAX + 16];
    struct asked asked = {
        .g = {.powers = POWERS_USUAL, .ceiling = LL_C3, .until_ms = INT64_MAX}};
    struct word word = {.community = community->id, .actor = LL_NOBODY};
    struct ll_err err;
    (void)snprintf(name, sizeof name, "operator:%.*s", LL_FMT(by));
    word.name = ll_cstr(name);
    word.now_ms = ll_world_wall(face->host->world).ms;
    word.today = ll_arbiter_today(&community->zone, word.now_ms);
    asked.g.from_ms = word.now_ms;
    ll_json_init(&asked.json, &face->host->mem);
    linli_status status =
        named->step.ptr == NULL
            ? read_record(&asked, request, named, community, &word, &err)
            : read_step_of(&asked, request, named, community, &word, &err);
    if (status == LINLI_OK)
        put(face, request, &word, &asked.g, 200);
    else
        ll_face_error(face, request, &err);
    ll_json_fini(&asked.json);
}

static void
list_named(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    static const char *const names[] = {"ward", "guardian", NULL};
    const struct ll_consent *consent = face->host->arbiter.consent;
    struct ll_params *params = ll_alloc(&face->host->mem, sizeof *params);
    struct ll_err err;
    linli_status status =
        params == NULL
            ? ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a query")
            : ll_params_read(params, names, request->query, &err);
    linli_str ward = {NULL, 0}, guardian = {NULL, 0};
    if (status == LINLI_OK) {
        ward = ll_param(params, "ward");
        guardian = ll_param(params, "guardian");
        if ((ward.ptr == NULL) == (guardian.ptr == NULL))
            status = ll_fail(&err, LINLI_E_INVALID, "request/invalid",
                "?ward=ID or ?guardian=ID, one of them");
    }
    if (status == LINLI_OK)
        list(face, request,
            ll_consent_subject(
                consent, community->id, ward.ptr != NULL ? ward : guardian),
            ward.ptr != NULL);
    else
        ll_face_error(face, request, &err);
    if (params != NULL)
        ll_release(&face->host->mem, params, sizeof *params);
}

void
ll_guard_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str by, linli_str rest)
{
    struct named named;
    bool get = ll_str_is(request->method, "GET");
    if (rest.len == 0 && get) {
        list_named(face, request, community);
        return;
    }
    if (rest.len == 0) {
        ll_face_method(face, request, "GET");
        return;
    }
    if (!read_named((linli_str){rest.ptr + 1, rest.len - 1}, &named))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (ll_str_is(
                 request->method, named.step.ptr == NULL ? "PUT" : "POST"))
        change_named(face, request, community, by, &named);
    else
        ll_face_method(face, request, named.step.ptr == NULL ? "PUT" : "POST");
}
