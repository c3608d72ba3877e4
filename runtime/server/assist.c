/* server/assist.c: staff act for a resident who came to the counter. [loop]
 *
 * POST .../staff/assist       {resident, act, ..., proof}
 * POST .../staff/assist/code  {resident, act, ...}: a code for that act
 *
 * The proof is spent before the act is committed, in the same turn; an act
 * that is refused at once gives it back. So no proof shows two acts, also if
 * the process dies between them.
 */
#include "server/assist.h"

#include <stdio.h>

#include "base/text.h"
#include "host/directory.h"
#include "host/jwt.h"
#include "host/tell.h"
#include "server/desk.h"
#include "server/person.h"
#include "server/rights.h"

static const struct ll_admission staff_only = {
    .kinds = 1u << LL_CALLER_STAFF, .served = true, .words = "staff only"};

static const char *const names[] = {LL_ASSIST_NAMES, NULL};

/* What an act is called. */
static const struct act_word {
    const char *word, *zh, *en;
} acts[] = {{"give", "同意", "a consent"}, {"refuse", "不同意", "a refusal"},
    {"withdraw", "撤回同意", "a withdrawal"},
    {"object", "反对", "an objection"}, {"request", "权利请求", "a request"},
    {"correct", "更正", "a correction"}};

struct assist {
    struct ll_view view;
    struct ll_community *community;
    struct ll_json json; /* of the request's body */
    struct ll_wait wait;
    struct ll_doc *staff, *witness, *proof; /* references */
    struct ll_proving proving;
    struct ll_standing standing;
    const struct act_word *act;
    struct ll_buf act_text; /* all of the act but what shows it */
    struct ll_buf text;     /* what the proof's document becomes */
    struct ll_buf before;   /* what it was */
    char by[LL_BY_BYTES];
    char shown[LL_SHOWN_BYTES];
    char code[LL_ASSIST_CODE_DIGITS + 1];
    struct ll_err refusal; /* told when what it says is durable */
    bool for_code, refused, committing, gone;
};

static void
assist_free(struct assist *a)
{
    struct ll_mem *mem = &a->community->host->mem;
    ll_doc_unref(&a->staff);
    ll_doc_unref(&a->witness);
    ll_doc_unref(&a->proof);
    ll_json_fini(&a->json);
    ll_wipe(&a->act_text);
    ll_buf_fini(&a->act_text);
    ll_buf_fini(&a->text);
    ll_buf_fini(&a->before);
    ll_wipe_bytes(a->code, sizeof a->code);
    ll_release(mem, a, sizeof *a);
}

static void
on_end(struct ll_view *view)
{
    struct assist *a = LL_CONTAINER(view, struct assist, view);
    ll_wait_cancel(&a->wait);
    a->gone = a->committing;
    if (!a->gone)
        assist_free(a);
}

/* It asks no query. */
static void
on_step(struct ll_view *view)
{
    LL_UNUSED(view);
}

static linli_str
member(const struct assist *a, const char *name)
{
    return ll_jv_str(ll_jv_get(ll_json_root(&a->json), name));
}

/* -- what is kept before it is told -- */

static void
on_committed(struct ll_commit *commit, bool durable)
{
    struct assist *a = commit->user;
    ll_docs_commit_free(&a->community->host->docs, commit);
    a->committing = false;
    if (a->gone) {
        assist_free(a);
        return;
    }
    if (!durable) {
        (void)ll_fail(
            &a->refusal, LINLI_E_IO, "store/failed", "it cannot be kept");
        a->refused = true;
    }
    if (a->refused)
        ll_view_refuse(&a->view, &a->refusal);
    else
        ll_view_answer(&a->view);
}

static void
keep_then_tell(struct assist *a)
{
    struct ll_docs *docs = &a->community->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_err err;
    if (commit != NULL) {
        commit->done = on_committed;
        commit->user = a;
        a->committing = true;
        if (ll_docs_put_in(
                docs, a->proof, &a->text, a->proving.now_ms, commit) != 0)
            return;
        a->committing = false;
        ll_docs_commit_free(docs, commit);
    }
    (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a proof");
    ll_view_refuse(&a->view, &err);
}

/* -- who may -- */

static linli_status
check_staff(struct assist *a, struct ll_err *err)
{
    struct ll_consent *consent = a->community->host->arbiter.consent;
    struct ll_json *json = &a->community->host->docs.json;
    const struct ll_guardianship *g;
    uint32_t at = 0;
    if (a->staff->content == NULL)
        return ll_fail(err, LINLI_E_DENIED, "people/assist",
            "the directory has no such member of staff");
    linli_status status =
        ll_json_parse(json, a->staff->content->body, LL_JSON_DEPTH_MAX, err);
    if (status != LINLI_OK)
        return status;
    linli_str self = ll_jv_str(ll_jv_get(ll_json_root(json), "resident"));
    if (self.len == 0)
        self = a->proving.staff; /* one who lives here under the same id */
    if (ll_str_eq(self, a->proving.resident))
        return ll_fail(err, LINLI_E_DENIED, "people/assist",
            "nobody at the counter acts for themself");
    uint32_t guardian = ll_consent_subject(consent, a->community->id, self);
    while (guardian != LL_NOBODY &&
           (g = ll_consent_next_ward(consent, guardian, &at)) != NULL)
        if (g->ward == a->standing.who.subject &&
            g->status != LL_GUARDIAN_ENDED)
            return ll_fail(err, LINLI_E_DENIED, "people/assist",
                "a ward of theirs is served by somebody else");
    return LINLI_OK;
}

static linli_status
check_witness(const struct assist *a, struct ll_err *err)
{
    if (a->witness == NULL || a->witness->content != NULL)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_DENIED, "people/proof",
        "`witness` is another member of staff, whom the directory has");
}

/* -- a code -- */

/* In both languages; the digits are nowhere else. */
static bool
send_code(struct assist *a)
{
    char zh[512], en[512];
    (void)snprintf(zh, sizeof zh,
        "验证码 %s, 10 分钟内有效. 工作人员 %.*s 将代您办理: %s. "
        "如非您本人要求, 请勿告知他人.",
        a->code, LL_FMT(a->proving.staff), a->act->zh);
    (void)snprintf(en, sizeof en,
        "Code %s, good for 10 minutes. Staff %.*s will do this for you: %s. "
        "If you did not ask for it, tell it to nobody.",
        a->code, LL_FMT(a->proving.staff), a->act->en);
    struct ll_telling telling = {
        .resident = a->proving.resident, .zh = ll_cstr(zh), .en = ll_cstr(en)};
    bool sent = ll_tell_code(a->community, &telling);
    ll_wipe_bytes(zh, sizeof zh);
    ll_wipe_bytes(en, sizeof en);
    return sent;
}

static void
make_code(struct assist *a)
{
    struct ll_err err;
    linli_status status =
        ll_proof_make(&a->proving, a->proof, a->code, &a->text, &err);
    if (status == LINLI_OK && !send_code(a))
        status = ll_fail(&err, LINLI_E_DENIED, "notify/no-provider",
            "no provider brings text messages");
    if (status != LINLI_OK) {
        ll_view_refuse(&a->view, &err);
        return;
    }
    a->view.status = 202;
    ll_jw_open(&a->view.w, '{');
    ll_view_instant(
        &a->view, "expires_at", a->proving.now_ms + LL_ASSIST_CODE_MS);
    ll_jw_close(&a->view.w, '}');
    keep_then_tell(a);
}

/* -- the act -- */

static linli_status
check_correction(
    struct assist *a, const struct ll_personal *p, struct ll_err *err)
{
    struct ll_acting acting = {.subject = p->subject,
        .actor = p->subject,
        .power = LL_POWER_CORRECT,
        .class = p->field->class,
        .now_ms = a->standing.who.now_ms,
        .today = a->standing.who.today};
    if (ll_consent_may_act(a->community->host->arbiter.consent, &acting) !=
        LL_REASON_ALLOW)
        return ll_fail(err, LINLI_E_DENIED, "consent/forbidden",
            "a guardian corrects this field of theirs");
    if (ll_field_is_confirmed(p->field))
        return ll_fail(err, LINLI_E_CONFLICT, "field/confirm",
            "`%.*s` is changed by the operator, who checks it",
            LL_FMT(p->field->id));
    return LINLI_OK;
}

static bool
correct(struct assist *a)
{
    struct ll_host *host = a->community->host;
    struct ll_err err;
    struct ll_personal *p =
        ll_personal_new(a->view.face, a->view.request, a->community);
    if (p == NULL)
        return false;
    p->subject = a->standing.who.subject;
    (void)snprintf(
        p->resident, sizeof p->resident, "%.*s", LL_FMT(a->proving.resident));
    (void)snprintf(p->actor, sizeof p->actor, "%s", a->by);
    p->field = ll_personal_field(host, member(a, "field"), &err);
    linli_status status =
        p->field == NULL ? err.status : check_correction(a, p, &err);
    if (status == LINLI_OK)
        status = ll_personal_take_of(p, names, &err);
    if (status != LINLI_OK) {
        ll_view_refuse(&p->view, &err);
        return false;
    }
    ll_personal_go(p);
    return true;
}

/* The request has another owner, or an answer, afterwards. */
static bool
do_act(struct assist *a)
{
    struct ll_face *face = a->view.face;
    if (strcmp(a->act->word, "correct") == 0)
        return correct(a);
    if (strcmp(a->act->word, "request") == 0)
        return ll_rights_assist(face, a->view.request, a->community,
            a->proving.resident, ll_cstr(a->by));
    return ll_consents_assist(
        face, a->view.request, &a->standing, ll_json_root(&a->json));
}

/* The resident hears of it, and how to take it back alone. */
static void
tell_resident(const struct assist *a)
{
    char zh[640], en[640];
    linli_str plugin = member(a, "plugin");
    bool code = a->proving.kind == LL_PROOF_CODE;
    (void)snprintf(zh, sizeof zh,
        "工作人员 %.*s 凭%s代您办理了: %s%s%.*s. "
        "您可随时在隐私中心查看并一键撤回.",
        LL_FMT(a->proving.staff), code ? "短信验证码" : "纸质表单", a->act->zh,
        plugin.len > 0 ? " · " : "", LL_FMT(plugin));
    (void)snprintf(en, sizeof en,
        "Staff %.*s did this for you, shown by %s: %s%s%.*s. "
        "See it in the privacy centre, and withdraw it there with one tap.",
        LL_FMT(a->proving.staff), code ? "a code" : "a paper form", a->act->en,
        plugin.len > 0 ? ", " : "", LL_FMT(plugin));
    struct ll_telling telling = {
        .resident = a->proving.resident, .zh = ll_cstr(zh), .en = ll_cstr(en)};
    struct ll_log_line line = {.level = LL_ERROR,
        .code = "runtime/memory",
        .plugin = LINLI_STR("~"),
        .community = a->community->id,
        .msg = LINLI_STR("a resident is not told of an act of staff")};
    if (!ll_tell(a->community, &telling))
        ll_log_write(&a->community->host->log, &line);
}

/* Spends the proof, acts; gives it back if the act is refused at once. */
static void
act(struct assist *a)
{
    struct ll_docs *docs = &a->community->host->docs;
    bool was = a->proof->content != NULL;
    struct ll_err err;
    if (was)
        ll_buf_str(&a->before, a->proof->content->body);
    if (a->before.failed ||
        ll_docs_put_now(docs, a->proof, &a->text, a->proving.now_ms) == 0) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a proof");
        ll_view_refuse(&a->view, &err);
        return;
    }
    /* Without memory to give it back, it is spent: never good for two. */
    if (do_act(a))
        tell_resident(a);
    else
        (void)ll_docs_put_now(
            docs, a->proof, was ? &a->before : NULL, a->proving.now_ms);
    ll_view_drop(&a->view);
}

static void
judge(struct assist *a)
{
    struct ll_err *err = &a->refusal;
    linli_status status = check_staff(a, err);
    if (status == LINLI_OK)
        status = check_witness(a, err);
    if (status == LINLI_OK && a->for_code) {
        make_code(a);
        return;
    }
    if (status == LINLI_OK)
        status = ll_proof_judge(&a->proving, a->proof, &a->text, err);
    if (status == LINLI_OK) {
        act(a);
    } else if (a->text.len > 0 && !a->text.failed) {
        a->refused = true; /* a wrong try counts before it is told */
        keep_then_tell(a);
    } else {
        ll_view_refuse(&a->view, err);
    }
}

static void
look(struct assist *a)
{
    struct ll_doc *const docs[] = {a->staff, a->witness, a->proof};
    struct ll_err err;
    for (size_t i = 0; i < LL_COUNT(docs); i++) {
        if (docs[i] == NULL)
            continue;
        if (!ll_doc_ready(docs[i], &a->wait))
            return;
        if (docs[i]->state == LL_DOC_LOST) {
            (void)ll_fail(&err, LINLI_E_IO, "store/failed", "a document");
            ll_view_refuse(&a->view, &err);
            return;
        }
    }
    judge(a);
}

static void
on_ready(struct ll_wait *wait)
{
    look(LL_CONTAINER(wait, struct assist, wait));
}

/* -- what is asked -- */

static linli_status
bad(struct ll_err *err, const char *what)
{
    return ll_fail(err, LINLI_E_INVALID, "request/invalid", "%s", what);
}

static linli_status
read_act(struct assist *a, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&a->json);
    struct ll_jw w = ll_jw(&a->act_text);
    for (size_t i = 0; i < LL_COUNT(acts); i++)
        if (ll_str_is(member(a, "act"), acts[i].word))
            a->act = &acts[i];
    if (a->act == NULL)
        return bad(
            err, "`act` is give, refuse, withdraw, object, request or correct");
    ll_jw_open(&w, '{');
    for (size_t i = 0; names[i] != NULL; i++) {
        struct ll_jv value = ll_jv_get(root, names[i]);
        if (strcmp(names[i], "proof") == 0 || !ll_jv_there(value))
            continue;
        ll_jw_key(&w, names[i]);
        ll_jw_value(&w, value);
    }
    ll_jw_close(&w, '}');
    a->proving.act = ll_buf_view(&a->act_text);
    return a->act_text.failed
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an act")
               : LINLI_OK;
}

static linli_status
read_proof(struct assist *a, struct ll_err *err)
{
    struct ll_jv proof = ll_jv_get(ll_json_root(&a->json), "proof");
    linli_str kind = ll_jv_str(ll_jv_get(proof, "kind"));
    bool paper = ll_str_is(kind, "paper");
    if (!paper && !ll_str_is(kind, "code"))
        return bad(err,
            "`proof` is {\"kind\": \"code\", \"code\"} or {\"kind\": "
            "\"paper\", \"number\", \"witness\"}");
    a->proving.kind = paper ? LL_PROOF_PAPER : LL_PROOF_CODE;
    a->proving.said = ll_jv_str(ll_jv_get(proof, paper ? "number" : "code"));
    a->proving.witness = ll_jv_str(ll_jv_get(proof, "witness"));
    if (!paper && a->proving.said.len != LL_ASSIST_CODE_DIGITS)
        return bad(err, "`code` has 6 digits");
    if (paper && (a->proving.said.len == 0 ||
                     a->proving.said.len > LL_ASSIST_FORM_BYTES_MAX))
        return bad(err, "`number` of a form has 1 to 64 bytes");
    if (paper && (a->proving.witness.len == 0 ||
                     a->proving.witness.len > LL_RESIDENT_BYTES_MAX ||
                     ll_str_eq(a->proving.witness, a->proving.staff)))
        return ll_fail(err, LINLI_E_DENIED, "people/proof",
            "`witness` is another member of staff, whom the directory has");
    char word[LL_PROOF_WORD_BYTES];
    if (!ll_proof_word(&a->proving, word))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a proof");
    /* The log has its digest: no code, but a form that can be laid beside. */
    if (paper)
        (void)snprintf(a->shown, sizeof a->shown, "paper:%.*s/%.*s",
            LL_FMT(a->proving.said), LL_FMT(a->proving.witness));
    else
        (void)snprintf(a->shown, sizeof a->shown, "code:%s", word);
    a->standing.who.proof = ll_cstr(a->shown);
    return LINLI_OK;
}

static linli_status
find_resident(struct assist *a, struct ll_err *err)
{
    struct ll_consent *consent = a->community->host->arbiter.consent;
    struct ll_actor_of *who = &a->standing.who;
    a->proving.resident = member(a, "resident");
    who->subject =
        ll_consent_subject(consent, a->community->id, a->proving.resident);
    const struct ll_person *person =
        who->subject == LL_NOBODY ? NULL
                                  : ll_consent_person(consent, who->subject);
    if (person == NULL || person->state != LL_SUBJECT_ACTIVE)
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "there is nobody of this name for whom you may act");
    who->actor = LL_NOBODY;
    a->standing.community = a->community;
    who->community = a->community->id;
    who->actor_name = ll_cstr(a->by);
    who->channel = (linli_str)LINLI_STR("counter");
    who->key = a->proving.key;
    who->now_ms = a->proving.now_ms;
    who->today = ll_arbiter_today(&a->community->zone, who->now_ms);
    return LINLI_OK;
}

static linli_status
read_all(struct assist *a, struct ll_request *request, struct ll_err *err)
{
    linli_status status = ll_desk_body(request, names, &a->json, err);
    a->proving.key = ll_request_field(request, "idempotency-key");
    if (status == LINLI_OK)
        status = find_resident(a, err);
    if (status == LINLI_OK)
        status = read_act(a, err);
    if (status == LINLI_OK && !a->for_code)
        status = read_proof(a, err);
    if (status != LINLI_OK)
        return status;
    struct ll_coll *coll = ll_directory(a->community, LL_DIR_STAFF);
    bool paper = a->proving.kind == LL_PROOF_PAPER;
    a->proof = ll_proof_doc(&a->proving);
    if (coll != NULL) {
        a->staff = ll_docs_get(coll, a->proving.staff);
        a->witness = paper ? ll_docs_get(coll, a->proving.witness) : NULL;
    }
    return a->proof == NULL || a->staff == NULL || (paper && a->witness == NULL)
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an act")
               : LINLI_OK;
}

static void
begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str staff, bool for_code)
{
    struct ll_mem *mem = &face->host->mem;
    struct assist *a = ll_alloc(mem, sizeof *a);
    struct ll_err err;
    if (a == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    a->community = community;
    a->for_code = for_code;
    (void)snprintf(a->by, sizeof a->by, "staff:%.*s", LL_FMT(staff));
    a->proving.community = community;
    a->proving.staff = (linli_str){a->by + 6, strlen(a->by) - 6};
    a->proving.now_ms = ll_world_wall(face->host->world).ms;
    a->wait.ready = on_ready;
    a->view.step = on_step;
    a->view.end = on_end;
    ll_json_init(&a->json, mem);
    ll_buf_init(&a->act_text, mem, 2 * LL_HTTP_BODY_BYTES_MAX);
    ll_buf_init(&a->text, mem, LL_DOC_BYTES_MAX);
    ll_buf_init(&a->before, mem, LL_DOC_BYTES_MAX);
    ll_view_begin(&a->view, face, request);
    if (read_all(a, request, &err) == LINLI_OK)
        look(a);
    else
        ll_view_refuse(&a->view, &err);
}

bool
ll_assist_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    struct ll_identity *identity = NULL;
    struct ll_err err;
    bool code = ll_str_is(rest, "staff/assist/code");
    if (!code && !ll_str_is(rest, "staff/assist"))
        return false;
    if (!ll_face_admit(face, request, community, &staff_only))
        return true;
    if (!ll_str_is(request->method, "POST"))
        ll_face_method(face, request, "POST");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (ll_host_identify(face->host, request, &identity, &err) != LINLI_OK)
        ll_face_error(face, request, &err);
    else if (identity->id.len > LL_RESIDENT_BYTES_MAX)
        ll_face_problem(face, request, "people/assist", LINLI_STR(""));
    else
        begin(face, request, ll_host_community(face->host, community),
            identity->id, code);
    ll_identity_unref(&identity);
    return true;
}
