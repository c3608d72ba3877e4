/* server/rights.c: requests of residents. [loop]
 *
 * POST .../me/requests {kind, note?}        201; under one key always the same
 * GET  .../me/requests                      theirs
 * GET  .../me/requests/{id}
 * GET  .../me/requests/{id}/export?cursor=  what is kept of them
 * POST .../admin/requests {resident, kind}  for who cannot ask
 * GET  .../admin/requests                   all of the community
 * GET  .../admin/requests/{id}
 *
 * When an erasure is done its request says of nobody whose it was: from then
 * on whoever has its number, which cannot be guessed, may see it.
 */
#include "server/rights.h"

#include <stdio.h>

#include "base/text.h"
#include "base/tuple.h"
#include "consent/subject.h"
#include "host/jwt.h"
#include "host/kept.h"
#include "host/rights.h"
#include "server/consents.h"
#include "server/people.h"
#include "server/prover.h"
#include "server/signed.h"

#define KEY_BYTES_MAX 512
#define NOTE_BYTES_MAX 2000

/* Who asks, for whom. */
struct who {
    bool operator;      /* of the community, of all its residents */
    bool may_erase;     /* old and able enough, or with that power */
    bool staff;         /* who says more in the body: server/consents.h */
    linli_str resident; /* whose requests they are; of an operator: empty */
    char by[LL_DOC_ID_BYTES_MAX + 32];
};

/* -- showing one -- */

static linli_str
text_of(struct ll_jv root, const char *name)
{
    return ll_jv_str(ll_jv_get(root, name));
}

/* What people see of a state: open, done or refused. */
static const char *
state_of(struct ll_jv root)
{
    linli_str state = text_of(root, "state");
    return ll_str_is(state, "done") || ll_str_is(state, "refused")
               ? (ll_str_is(state, "done") ? "done" : "refused")
               : "open";
}

static void
write_instant(struct ll_view *view, struct ll_jv root, const char *member,
    const char *name)
{
    int64_t ms = 0;
    if (ll_jv_int(ll_jv_get(root, member), &ms))
        ll_view_instant(view, name, ms);
}

/* What anyone may be shown: signed, unless the log is sealed. */
static void
write_certificate(struct ll_view *view, struct ll_jv certificate)
{
    struct ll_err err;
    ll_jw_key(&view->w, "certificate");
    size_t from = view->out.len;
    ll_jw_value(&view->w, certificate);
    linli_status status = ll_signed_close(
        view->face->host, "linli.erasure.v1", &view->out, from, &err);
    if (status == LINLI_E_NOMEM)
        view->out.failed = true;
}

/* The object stays open. */
static void
write_one(struct ll_view *view, struct ll_jv root, bool operator)
{
    static const char *const texts[] = {
        "id", "kind", "note", "by", "reason", NULL};
    struct ll_jw *w = &view->w;
    ll_jw_open(w, '{');
    for (const char *const *name = texts; *name != NULL; name++)
        if (text_of(root, *name).len > 0)
            ll_view_text(view, *name, text_of(root, *name));
    if (operator&& text_of(root, "resident").len > 0)
        ll_view_text(view, "resident", text_of(root, "resident"));
    ll_view_text(view, "state", ll_cstr(state_of(root)));
    ll_view_text(view, "step", text_of(root, "state"));
    write_instant(view, root, "at", "at");
    if (ll_str_is(ll_cstr(state_of(root)), "open"))
        write_instant(view, root, "deadline", "due_at");
    write_instant(view, root, "done_at", "done_at");
    struct ll_jv certificate = ll_jv_get(root, "certificate");
    if (ll_jv_there(certificate)) {
        write_certificate(view, certificate);
    }
    struct ll_jv leaf = ll_jv_get(root, "leaf");
    if (ll_jv_there(leaf)) {
        ll_jw_key(w, "leaf");
        ll_jw_value(w, leaf);
    }
}

/* -- reading -- */

struct reading {
    struct ll_view view;
    struct ll_params params;
    int64_t limit;
    bool one, operator;
    char resident[LL_DOC_ID_BYTES_MAX + 1]; /* who asks; of an operator: all */
    /* Of a certificate: its leaf, and the checkpoint that has it. */
    int64_t leaf, size;
    struct ll_buf line, note;
    struct ll_prover *prover;
};

static void
end_reading(struct ll_view *view)
{
    struct reading *reading = LL_CONTAINER(view, struct reading, view);
    struct ll_mem *mem = &view->face->host->mem;
    ll_buf_fini(&reading->line);
    ll_buf_fini(&reading->note);
    if (reading->prover != NULL)
        ll_release(mem, reading->prover, sizeof *reading->prover);
    ll_release(mem, reading, sizeof *reading);
}

static void
refuse_missing(struct ll_view *view)
{
    struct ll_err err;
    (void)ll_fail(
        &err, LINLI_E_NOT_FOUND, "request/not-found", "no such request");
    ll_view_refuse(view, &err);
}

/* A request is shown to whose it is; one of nobody's to who has its number. */
static bool
may_see(const struct reading *reading, struct ll_jv root)
{
    linli_str resident = text_of(root, "resident");
    return reading->operator|| ll_str_is(resident, reading->resident) ||
           (reading->one && resident.len == 0);
}

/* -- the proof of a certificate -- */

static void
end_one(struct reading *reading)
{
    ll_jw_close(&reading->view.w, '}');
    ll_view_answer(&reading->view);
}

static void
write_proof(struct reading *reading, const struct ll_proof *proof)
{
    struct ll_view *view = &reading->view;
    struct ll_jw *w = &view->w;
    char hex[2 * LL_SHA256_BYTES + 1];
    ll_jw_key(w, "proof");
    ll_jw_open(w, '{');
    ll_view_text(view, "leaf", ll_buf_view(&reading->line));
    ll_jw_key(w, "seq");
    ll_jw_int(w, reading->leaf);
    ll_jw_key(w, "size");
    ll_jw_int(w, reading->size);
    ll_jw_key(w, "hashes");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < proof->count; i++) {
        ll_hex(proof->hashes[i].bytes, LL_SHA256_BYTES, hex);
        ll_jw_cstr(w, hex);
    }
    ll_jw_close(w, ']');
    ll_view_text(view, "checkpoint", ll_buf_view(&reading->note));
    ll_jw_close(w, '}');
}

static void
prove(struct reading *reading)
{
    struct ll_proof proof;
    switch (ll_prover_leaf(reading->prover, (uint64_t)reading->leaf,
        (uint64_t)reading->size, &proof)) {
    case LL_PROOF_MADE:
        write_proof(reading, &proof);
        end_one(reading);
        break;
    case LL_PROOF_ASKS:
        ll_prover_ask(reading->prover, &reading->view);
        break;
    case LL_PROOF_TORN:
        ll_view_torn(&reading->view);
    }
}

static void
step_tile(struct ll_view *view)
{
    struct reading *reading = LL_CONTAINER(view, struct reading, view);
    if (ll_prover_take(reading->prover, &view->query))
        prove(reading);
    else
        ll_view_torn(view);
}

static void
step_leaf(struct ll_view *view)
{
    struct reading *reading = LL_CONTAINER(view, struct reading, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    if (view->query.row_count != 1 || ll_rd_list(&rd) != 1) {
        ll_view_torn(view);
        return;
    }
    ll_buf_str(&reading->line, ll_rd_bytes(&rd));
    view->step = step_tile;
    reading->prover = ll_alloc(&view->face->host->mem, sizeof *reading->prover);
    if (reading->line.failed || reading->prover == NULL) {
        view->out.failed = true;
        end_one(reading);
    } else {
        prove(reading);
    }
}

/* A log that is sealed, or has not yet signed so far, proves nothing: there is
 * the leaf's number, and no proof. */
static void
prove_one(struct reading *reading)
{
    struct ll_view *view = &reading->view;
    struct ll_store *store = view->face->host->store;
    struct ll_checkpoint note;
    ll_store_checkpoint(store, &reading->note);
    if (reading->leaf < 0 || reading->note.failed ||
        ll_checkpoint_read(ll_buf_view(&reading->note), &note, NULL) !=
            LINLI_OK ||
        note.size <= (uint64_t)reading->leaf) {
        end_one(reading);
        return;
    }
    reading->size = (int64_t)note.size;
    view->step = step_leaf;
    struct ll_query *query = ll_view_query(view, LL_ST_log_leaf_get);
    ll_put_int(&query->params, reading->leaf);
    query->rows_max = 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(view);
}

static void
step_reading(struct ll_view *view)
{
    struct reading *reading = LL_CONTAINER(view, struct reading, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct ll_json *json = &view->face->host->docs.json;
    uint32_t shown = 0, rows = view->query.row_count;
    bool there = false;
    for (uint32_t i = 0; i < rows && shown < (uint32_t)reading->limit; i++) {
        (void)ll_rd_list(&rd);
        if (!reading->one) /* and its id; of an operator the id alone */
            (void)ll_rd_value(&rd);
        if (!reading->one && !reading->operator)
            (void)ll_rd_value(&rd);
        for (int k = 0; k < 3; k++) /* version, due, subject */
            (void)ll_rd_value(&rd);
        linli_str body = ll_rd_bytes_or_nil(&rd, &there);
        if (!there ||
            ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK ||
            !may_see(reading, ll_json_root(json)))
            continue;
        write_one(view, ll_json_root(json), reading->operator);
        (void)ll_jv_int(ll_jv_get(ll_json_root(json), "leaf"), &reading->leaf);
        if (!reading->one)
            ll_jw_close(&view->w, '}');
        shown++;
    }
    if (reading->one && shown == 0) {
        refuse_missing(view);
        return;
    }
    if (reading->one) {
        prove_one(reading);
        return;
    }
    ll_jw_close(&view->w, ']');
    ll_jw_key(&view->w, "next");
    ll_jw_null(&view->w);
    end_one(reading);
}

static void
ask_one(struct reading *reading, const struct ll_coll *coll, linli_str id)
{
    struct ll_query *query = ll_view_query(&reading->view, LL_ST_doc_get);
    reading->one = true;
    reading->limit = 1;
    ll_put_int(&query->params, coll->id);
    ll_put_bytes(&query->params, id);
    query->rows_max = 1;
    ll_view_ask(&reading->view);
}

static linli_status
ask_many(
    struct reading *reading, const struct ll_coll *coll, struct ll_err *err)
{
    struct ll_view *view = &reading->view;
    struct ll_buf from, to;
    struct ll_query *query =
        ll_view_query(view, reading->operator? LL_ST_doc_up : LL_ST_entry_up);
    reading->limit = LL_ADMIN_LIST_MAX;
    ll_put_int(&query->params, coll->id);
    if (reading->operator) {
        ll_put_bytes(&query->params, LINLI_STR(""));
    } else {
        const struct ll_ix *ix =
            ll_coll_find_index(coll, LINLI_STR(LL_REQUESTS_BY));
        ll_buf_init(&from, &view->face->host->mem, KEY_BYTES_MAX);
        ll_buf_init(&to, &view->face->host->mem, KEY_BYTES_MAX);
        ll_tuple_str(&from, ll_cstr(reading->resident));
        ll_tuple_str(&to, ll_cstr(reading->resident));
        bool good =
            ix != NULL && ll_tuple_next(&to) && !from.failed && !to.failed;
        ll_put_int(&query->params, good ? ix->id : 0);
        ll_put_bytes(&query->params, ll_buf_view(&from));
        ll_put_bytes(&query->params, LINLI_STR(""));
        ll_put_bytes(&query->params, ll_buf_view(&to));
        ll_buf_fini(&from);
        ll_buf_fini(&to);
        if (!good)
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "requests");
    }
    ll_put_int(&query->params, reading->limit);
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "items");
    ll_jw_open(&view->w, '[');
    ll_view_ask(view);
    return LINLI_OK;
}

static void
answer_none(struct ll_view *view)
{
    ll_jw_raw(&view->w, LINLI_STR("{\"items\":[],\"next\":null}"));
    ll_view_answer(view);
}

/* `id` empty: all. */
static void
read_requests(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, const struct who *who, linli_str id)
{
    struct ll_err err;
    struct reading *reading = ll_alloc(&face->host->mem, sizeof *reading);
    if (reading == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    reading->leaf = -1;
    ll_buf_init(&reading->line, &face->host->mem, LL_LEAF_BYTES_MAX);
    ll_buf_init(&reading->note, &face->host->mem, LL_NOTE_BYTES_MAX);
    reading->view.step = step_reading;
    reading->view.end = end_reading;
    reading->operator= who->operator;
    (void)snprintf(reading->resident, sizeof reading->resident, "%.*s",
        LL_FMT(who->resident));
    ll_view_begin(&reading->view, face, request);
    const struct ll_coll *coll =
        community->rights == NULL ? NULL : community->rights->queue->coll;
    if (coll == NULL && id.len > 0)
        refuse_missing(&reading->view);
    else if (coll == NULL)
        answer_none(&reading->view);
    else if (id.len > 0)
        ask_one(reading, coll, id);
    else if (ask_many(reading, coll, &err) != LINLI_OK)
        ll_view_refuse(&reading->view, &err);
}

/* -- asking -- */

struct making {
    struct ll_desk desk;
    struct ll_community *community;
    struct ll_requesting wanted;
    char kind[16], resident[LL_DOC_ID_BYTES_MAX + 1];
    char by[LL_DOC_ID_BYTES_MAX + 32], note[NOTE_BYTES_MAX + 1];
    char id[LL_REQUEST_ID_BYTES];
};

static void
end_making(struct ll_desk *desk)
{
    struct making *making = LL_CONTAINER(desk, struct making, desk);
    ll_release(desk->docs->mem, making, sizeof *making);
}

static linli_status
decide_making(
    struct ll_desk *desk, enum ll_desk_verdict *verdict, struct ll_err *err)
{
    struct making *making = LL_CONTAINER(desk, struct making, desk);
    struct ll_json *json = &desk->docs->json;
    const struct ll_content *content = desk->doc->content;
    linli_str body = content == NULL ? (linli_str){NULL, 0} : content->body;
    desk->view.status = 201;
    if (content == NULL) {
        ll_request_make(making->community, &making->wanted, ll_cstr(making->id),
            &desk->text);
        *verdict = LL_DESK_PUT;
        body = ll_buf_view(&desk->text);
    }
    if (desk->text.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a request");
    linli_status status = ll_json_parse(json, body, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK) {
        write_one(&desk->view, ll_json_root(json), false);
        ll_jw_close(&desk->view.w, '}');
    }
    return status;
}

static linli_status
copy(char *out, size_t size, linli_str from, const char *name,
    struct ll_err *err)
{
    if (from.len == 0 || from.len >= size)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`%s` has 1 to %zu bytes", name, size - 1);
    (void)snprintf(out, size, "%.*s", LL_FMT(from));
    return LINLI_OK;
}

static linli_status
check_kind(const struct making *making, struct ll_err *err)
{
    linli_str kind = ll_cstr(making->kind);
    if (!ll_str_is(kind, "erase") && !ll_str_is(kind, "export") &&
        !ll_str_is(kind, "correct"))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`kind` is export, erase or correct");
    if (ll_str_is(kind, "correct") && making->note[0] == '\0')
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`note` says what is wrong, and what is right");
    return LINLI_OK;
}

static linli_status
read_wanted(struct making *making, const struct ll_request *request,
    const struct who *who, struct ll_err *err)
{
    static const char *const of_resident[] = {"kind", "note", NULL};
    static const char *const of_operator[] = {"kind", "note", "resident", NULL};
    static const char *const of_staff[] = {LL_ASSIST_NAMES, NULL};
    bool operator= who->operator;
    const char *const *names = operator? of_operator : of_resident;
    struct ll_json json;
    ll_json_init(&json, making->desk.docs->mem);
    linli_status status =
        ll_desk_body(request, who->staff ? of_staff : names, &json, err);
    struct ll_jv root = {NULL, 0};
    if (status == LINLI_OK) {
        root = ll_json_root(&json);
        status = copy(making->kind, sizeof making->kind, text_of(root, "kind"),
            "kind", err);
    }
    if (status == LINLI_OK && ll_jv_there(ll_jv_get(root, "note")))
        status = copy(making->note, sizeof making->note, text_of(root, "note"),
            "note", err);
    if (status == LINLI_OK)
        status = copy(making->resident,
            sizeof making->resident,
            operator? text_of(root, "resident") : who->resident, "resident",
            err);
    ll_json_fini(&json);
    if (status == LINLI_OK)
        status = check_kind(making, err);
    if (status == LINLI_OK && !who->may_erase &&
        ll_str_is(ll_cstr(making->kind), "erase"))
        status = ll_fail(err, LINLI_E_DENIED, "consent/forbidden",
            "a guardian has what is kept of them erased");
    (void)snprintf(making->by, sizeof making->by, "%s", who->by);
    return status;
}

static linli_status
begin_making(struct making *making, struct ll_request *request,
    const struct who *who, struct ll_err *err)
{
    linli_str key = ll_request_field(request, "idempotency-key");
    if (!ll_kept_key_valid(key))
        return ll_fail(err, LINLI_E_INVALID, "request/idempotency-key",
            "1 to %d visible ASCII characters", LL_IDEMPOTENCY_KEY_BYTES_MAX);
    linli_status status = read_wanted(making, request, who, err);
    if (status == LINLI_OK)
        status = ll_rights_open(making->community, true, err);
    if (status != LINLI_OK)
        return status;
    making->wanted = (struct ll_requesting){.kind = ll_cstr(making->kind),
        .resident = ll_cstr(making->resident),
        .by = ll_cstr(making->by),
        .note = ll_cstr(making->note),
        .key = key,
        .now_ms = ll_world_wall(making->community->host->world).ms};
    ll_request_id(making->community, &making->wanted, making->id);
    making->wanted.key = (linli_str){NULL, 0};
    return LINLI_OK;
}

static bool
make_request(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, const struct who *who)
{
    struct ll_err err;
    struct making *making = ll_alloc(&face->host->mem, sizeof *making);
    if (making == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return false;
    }
    making->community = community;
    making->desk.decide = decide_making;
    making->desk.end = end_making;
    ll_desk_begin(&making->desk, face, request);
    if (begin_making(making, request, who, &err) != LINLI_OK) {
        ll_view_refuse(&making->desk.view, &err);
        return false;
    }
    ll_desk_ask(
        &making->desk, community->rights->queue->coll, ll_cstr(making->id));
    return true;
}

/* Whether they could have it erased themself. */
static bool
may_erase(const struct ll_community *community, linli_str resident)
{
    const struct ll_host *host = community->host;
    int64_t now_ms = ll_world_wall(host->world).ms;
    uint32_t subject =
        ll_consent_subject(host->arbiter.consent, community->id, resident);
    struct ll_acting acting = {.subject = subject,
        .actor = subject,
        .power = LL_POWER_ERASE,
        .class = LL_C3,
        .now_ms = now_ms,
        .today = ll_arbiter_today(&community->zone, now_ms)};
    return subject != LL_NOBODY && ll_consent_may_act(host->arbiter.consent,
                                       &acting) == LL_REASON_ALLOW;
}

bool
ll_rights_assist(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str resident, linli_str by)
{
    struct who who = {.staff = true, .resident = resident};
    who.may_erase = may_erase(community, resident);
    (void)snprintf(who.by, sizeof who.by, "%.*s", LL_FMT(by));
    return make_request(face, request, community, &who);
}

/* -- which is whose -- */

/* `rest` is what follows "requests". */
static void
handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, const struct who *who, linli_str rest)
{
    bool get = ll_str_is(request->method, "GET");
    bool all = rest.len == 0;
    linli_str id = all ? rest : (linli_str){rest.ptr + 1, rest.len - 1};
    if (!all && (rest.ptr[0] != '/' || id.len != LL_REQUEST_ID_DIGITS))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (get)
        read_requests(face, request, community, who, id);
    else if (all && ll_str_is(request->method, "POST"))
        (void)make_request(face, request, community, who);
    else
        ll_face_method(face, request, all ? "GET, POST" : "GET");
}

/* The end of `rest` after a word, if it begins with it. */
static bool
after(linli_str rest, const char *word, linli_str *left)
{
    size_t n = strlen(word);
    *left = (linli_str){rest.ptr + n, rest.len - n};
    return ll_str_starts(rest, word) && (left->len == 0 || left->ptr[0] == '/');
}

bool
ll_rights_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    static const char *const names[] = {"for", "cursor", NULL};
    struct ll_params params;
    struct ll_asker asker = {.strangers = ll_str_is(request->method, "GET")};
    struct who who = {.operator= false };
    linli_str left;
    if (!after(rest, "me/requests", &left))
        return false;
    if (!ll_asker_begin_with(&asker, face, request, names, &params))
        return true;
    LL_UNUSED(community);
    linli_str id = {left.ptr + 1, LL_REQUEST_ID_DIGITS};
    bool self = asker.self == asker.subject;
    who.resident = asker.resident;
    (void)snprintf(who.by, sizeof who.by, "%s:%.*s",
        self ? "resident" : "guardian", LL_FMT(asker.identity->id));
    /* A guardian asks for erasure with the power to erase, and so on. */
    uint32_t power =
        ll_str_is(request->method, "GET") ? LL_POWER_VIEW : LL_POWER_ERASE;
    bool may = self || ll_asker_may(&asker, face->host, power, LL_C3);
    who.may_erase = ll_asker_may(&asker, face->host, LL_POWER_ERASE, LL_C3);
    struct ll_exporting wanted = {
        asker.community, asker.resident, id, ll_param(&params, "cursor")};
    if (may && left.len == LL_REQUEST_ID_DIGITS + 8 &&
        ll_str_is((linli_str){left.ptr + left.len - 7, 7}, "/export") &&
        ll_str_is(request->method, "GET"))
        ll_export_begin(face, request, &wanted);
    else if (may)
        handle(face, request, asker.community, &who, left);
    else
        ll_face_problem(face, request, "consent/forbidden", LINLI_STR(""));
    ll_asker_end(&asker);
    return true;
}

bool
ll_rights_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    struct ll_identity *identity = NULL;
    struct ll_err err;
    struct who who = {.operator= true, .may_erase = true};
    linli_str left;
    if (!after(rest, "/requests", &left))
        return false;
    if (ll_host_identify(face->host, request, &identity, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return true;
    }
    (void)snprintf(
        who.by, sizeof who.by, "operator:%.*s", LL_FMT(identity->id));
    linli_str id = {left.ptr + 1, LL_REQUEST_ID_DIGITS};
    bool answer = left.len == LL_REQUEST_ID_DIGITS + 8 &&
                  ll_str_is((linli_str){left.ptr + left.len - 7, 7}, "/answer");
    if (answer && !ll_str_is(request->method, "POST"))
        ll_face_method(face, request, "POST");
    else if (answer)
        ll_rights_answer(face, request, community, ll_cstr(who.by), id);
    else
        handle(face, request, community, &who, left);
    ll_identity_unref(&identity);
    return true;
}
