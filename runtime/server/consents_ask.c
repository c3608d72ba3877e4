/* server/consents_ask.c: what a plugin asks a resident for. [loop]
 *
 * GET /v1/c/{c}/me/asks?plugin=&field=&purpose=  or  item=FIELD:PURPOSE ...
 * GET /v1/c/{c}/me/explain?plugin=&field=&purpose=
 */
#include "server/consents.h"

#include "base/text.h"
#include "consent/texts.h"

#define ELDER_YEARS 60
#define RECIPIENT_BYTES_MAX 16384

/* -- what is asked for -- */

struct asked {
    linli_str plugin, field, purpose, ward;
    linli_str items[LL_DATA_USES_MAX]; /* "field:purpose" */
    uint32_t item_count;
    char room[LL_HTTP_TARGET_BYTES_MAX];
    size_t used;
};

static linli_status
bad(struct ll_err *err, linli_str name)
{
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`%.*s`: there are plugin, field, purpose, item, for and lang",
        name.len > 64 ? 64 : LL_FMT(name));
}

static linli_status
take_param(struct asked *a, linli_str name, linli_str value, struct ll_err *err)
{
    const struct {
        const char *name;
        linli_str *to;
    } known[] = {{"plugin", &a->plugin}, {"field", &a->field},
        {"purpose", &a->purpose}, {"for", &a->ward}};
    if (ll_str_is(name, "lang"))
        return LINLI_OK; /* both languages are told */
    if (ll_str_is(name, "item")) {
        if (a->item_count == LL_COUNT(a->items))
            return bad(err, name);
        a->items[a->item_count++] = value;
        return LINLI_OK;
    }
    for (size_t i = 0; i < LL_COUNT(known); i++)
        if (ll_str_is(name, known[i].name) && known[i].to->ptr == NULL) {
            *known[i].to = value;
            return LINLI_OK;
        }
    return bad(err, name);
}

/* `item` may stand several times, so the query is read by hand. */
static linli_status
read_asked(struct asked *a, linli_str query, struct ll_err *err)
{
    linli_str part, name;
    linli_status status = LINLI_OK;
    *a = (struct asked){.item_count = 0};
    while (status == LINLI_OK && query.len > 0 &&
           ll_str_split(&query, '&', &part)) {
        linli_str value = part;
        size_t len;
        (void)ll_str_split(&value, '=', &name);
        if (value.ptr == NULL)
            value = (linli_str){"", 0};
        if (value.len > sizeof a->room - a->used ||
            !ll_percent_decode(value, a->room + a->used, &len))
            return bad(err, name);
        value = (linli_str){a->room + a->used, len};
        a->used += len;
        status = take_param(a, name, value, err);
    }
    return status;
}

static bool
is_asked(const struct asked *a, linli_str field, linli_str purpose)
{
    if ((a->field.len > 0 && !ll_str_eq(a->field, field)) ||
        (a->purpose.len > 0 && !ll_str_eq(a->purpose, purpose)))
        return false;
    for (uint32_t i = 0; i < a->item_count; i++) {
        linli_str rest = a->items[i], first;
        (void)ll_str_split(&rest, ':', &first);
        if (ll_str_eq(first, field) && ll_str_eq(rest, purpose))
            return true;
    }
    return a->item_count == 0;
}

/* -- one item -- */

static void
put_both(struct ll_jw *w, const char *name, linli_str zh, linli_str en)
{
    ll_jw_key(w, name);
    ll_jw_open(w, '{');
    ll_jw_key(w, "zh-CN");
    ll_jw_str(w, zh);
    ll_jw_key(w, "en");
    ll_jw_str(w, en);
    ll_jw_close(w, '}');
}

/* A live grant that holds it, for its number; else LL_NO_GRANT. */
static uint32_t
find_grant(const struct ll_consent *consent, const struct ll_ask *ask)
{
    uint32_t at = LL_NO_GRANT;
    while ((at = ll_consent_next_grant(consent, ask->subject, at)) !=
           LL_NO_GRANT) {
        const struct ll_grant *g = ll_consent_grant(consent, at);
        if (g->status == LL_GRANT_LIVE && g->party == ask->party &&
            g->purpose == ask->purpose && (g->fields >> ask->field & 1) != 0)
            return at;
    }
    return LL_NO_GRANT;
}

static const char *
state_of(enum ll_reason reason, bool may_ask)
{
    switch (reason) {
    case LL_REASON_ALLOW:
        return "granted";
    case LL_REASON_REVOKED:
        return "withdrawn";
    case LL_REASON_EXPIRED:
    case LL_REASON_USES_EXHAUSTED:
        return "expired";
    default:
        return may_ask ? "none" : "refused";
    }
}

static void
put_state(struct ll_face *face, const struct ll_ask *ask, struct ll_jw *w)
{
    const struct ll_consent *consent = face->host->arbiter.consent;
    struct ll_verdict verdict = ll_consent_decide(consent, ask);
    int64_t until_ms = 0;
    bool may_ask = ll_consent_may_ask(
        consent, ask, face->host->config.consent.cooldown_ms, &until_ms);
    uint32_t grant = find_grant(consent, ask);
    char text[2 * LL_TAG_BYTES + 1];
    ll_jw_key(w, "state");
    ll_jw_cstr(w, state_of(verdict.reason, may_ask));
    ll_jw_key(w, "reason");
    ll_jw_cstr(w, ll_reason_name(verdict.reason));
    ll_jw_key(w, "grant");
    if (grant == LL_NO_GRANT) {
        ll_jw_null(w);
    } else {
        ll_hex(ll_consent_grant(consent, grant)->id, LL_TAG_BYTES, text);
        ll_jw_cstr(w, text);
    }
    ll_jw_key(w, "may_ask");
    ll_jw_bool(w, may_ask);
    ll_jw_key(w, "ask_again_at");
    if (may_ask || until_ms == INT64_MAX) {
        ll_jw_null(w);
    } else {
        char at[LL_RFC3339_BYTES];
        ll_rfc3339(until_ms, at);
        ll_jw_cstr(w, at);
    }
}

static struct ll_ask
ask_of(const struct ll_standing *s, uint32_t party,
    const struct ll_notice_item *item)
{
    return (struct ll_ask){.subject = s->who.subject,
        .party = party,
        .purpose = item->purpose,
        .field = item->field,
        .own = true,
        .now_ms = s->who.now_ms,
        .today = s->who.today};
}

static const char *
level_of(const struct ll_field_def *field, const struct ll_notice_item *item,
    bool provides)
{
    if (item->basis != LL_BASIS_CONSENT && item->basis != LL_BASIS_SEPARATE)
        return NULL;
    return item->basis == LL_BASIS_SEPARATE || provides || field->class == LL_C3
               ? "separate"
               : "general";
}

static void
put_item(struct ll_face *face, const struct ll_notice *notice,
    const struct ll_notice_item *item, const struct ll_ask *ask,
    struct ll_jw *w)
{
    const struct ll_dictionary *d = notice->dictionary;
    const struct ll_field_def *field = &d->fields[item->field];
    const struct ll_purpose_def *purpose = &d->purposes[item->purpose];
    const char *level = level_of(field, item, notice->provides);
    ll_jw_open(w, '{');
    ll_jw_key(w, "field");
    ll_jw_str(w, field->id);
    put_both(w, "field_name", field->name_zh, field->name_en);
    ll_jw_key(w, "class");
    ll_jw_cstr(w, ll_class_name(field->class));
    ll_jw_key(w, "purpose");
    ll_jw_str(w, purpose->id);
    put_both(w, "purpose_text", purpose->text_zh, purpose->text_en);
    ll_jw_key(w, "basis");
    ll_jw_cstr(w, ll_basis_name(item->basis));
    ll_jw_key(w, "level");
    if (level == NULL)
        ll_jw_null(w);
    else
        ll_jw_cstr(w, level);
    ll_jw_key(w, "required");
    ll_jw_bool(w, item->required);
    put_both(w, "why", item->why_zh, item->why_en);
    put_both(w, "without", item->without_zh, item->without_en);
    ll_jw_key(w, "days");
    ll_jw_int(w, ll_notice_days(notice, item));
    ll_jw_key(w, "once");
    ll_jw_bool(w, item->once);
    put_state(face, ask, w);
    ll_jw_close(w, '}');
}

/* -- the whole -- */

static bool
may_decide(const struct ll_face *face, const struct ll_standing *s,
    enum ll_class class)
{
    struct ll_acting acting = {.subject = s->who.subject,
        .actor = s->who.actor,
        .power = LL_POWER_CONSENT,
        .class = class,
        .now_ms = s->who.now_ms,
        .today = s->who.today};
    return ll_consent_may_act(face->host->arbiter.consent, &acting) ==
           LL_REASON_ALLOW;
}

static void
put_head(struct ll_face *face, const struct ll_standing *s,
    const struct ll_manifest *m, uint32_t party, struct ll_jw *w)
{
    const struct ll_person *person =
        ll_consent_person(face->host->arbiter.consent, s->who.subject);
    bool old = person->birth_day != LL_DAY_UNKNOWN &&
               !ll_age_under(person->birth_day, s->who.today, ELDER_YEARS);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, m->id);
    put_both(w, "plugin_name", m->name_zh, m->name_en);
    ll_jw_key(w, "vendor");
    ll_jw_null(w);
    ll_jw_key(w, "relation");
    ll_jw_cstr(w, m->provides ? "provide" : "entrust");
    ll_jw_key(w, "recipient");
    if (ll_jv_there(m->recipient))
        ll_jw_value(w, m->recipient);
    else
        ll_jw_null(w);
    ll_jw_key(w, "text_version");
    ll_jw_str(w, ll_arbiter_notice(&face->host->arbiter, party));
    ll_jw_key(w, "elder");
    ll_jw_bool(w, s->elder || old);
    ll_jw_key(w, "guardian_required");
    ll_jw_bool(w, s->ward);
    ll_jw_key(w, "may_decide");
    ll_jw_bool(w, may_decide(face, s, LL_C1));
}

static void
answer_asks(struct ll_face *face, struct ll_request *request,
    const struct ll_standing *s, const struct asked *asked)
{
    struct ll_host *host = face->host;
    const struct ll_manifest *m =
        ll_party_manifest(s->community, asked->plugin);
    uint32_t party = ll_consent_party(
        host->arbiter.consent, s->community->id, asked->plugin);
    struct ll_buf recipient;
    if (m == NULL || party == LL_NO_PARTY) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    ll_buf_init(&recipient, &host->mem, RECIPIENT_BYTES_MAX);
    struct ll_notice notice = ll_terms_notice(host, m, &recipient);
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    put_head(face, s, m, party, &w);
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    for (uint32_t i = 0; i < m->datum_count; i++) {
        struct ll_notice_item item = ll_terms_item(m, i);
        struct ll_ask ask = ask_of(s, party, &item);
        if (is_asked(asked, m->data[i].field, m->data[i].purpose))
            put_item(face, &notice, &item, &ask, &w);
    }
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    ll_buf_fini(&recipient);
    /* Without memory the list goes on pointing to it. */
    if (s->who.actor == s->who.subject || s->ward)
        (void)!ll_text_note(&host->arbiter, s->who.subject, party, true);
    ll_face_answer(face, request, 200, "application/json");
}

void
ll_asks_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    struct asked asked;
    struct ll_standing standing;
    struct ll_err err;
    if (read_asked(&asked, request->query, &err) != LINLI_OK)
        ll_face_error(face, request, &err);
    else if (ll_standing_read(face, request, community, asked.ward, &standing))
        answer_asks(face, request, &standing, &asked);
}

/* -- why, or why not -- */

static bool
wants_zh(const struct ll_request *request)
{
    linli_str said = ll_request_field(request, "accept-language");
    return !ll_str_starts(said, "en");
}

void
ll_explain_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    struct ll_host *host = face->host;
    struct asked asked;
    struct ll_standing s;
    struct ll_err err;
    if (read_asked(&asked, request->query, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    if (!ll_standing_read(face, request, community, asked.ward, &s))
        return;
    int field = ll_dictionary_field(&host->arbiter.dictionary, asked.field);
    int purpose =
        ll_dictionary_purpose(&host->arbiter.dictionary, asked.purpose);
    uint32_t party =
        ll_consent_party(host->arbiter.consent, community->id, asked.plugin);
    if (field < 0 || purpose < 0 || party == LL_NO_PARTY) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    struct ll_notice_item item = {
        .field = (uint8_t)field, .purpose = (uint8_t)purpose};
    struct ll_ask ask = ask_of(&s, party, &item);
    ll_buf_clear(&face->out);
    ll_consent_explain(host->arbiter.consent, &ask, LL_FOR_RESIDENT,
        wants_zh(request), &face->out);
    ll_face_answer(face, request, 200, "application/json");
}
