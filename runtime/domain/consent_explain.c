/* domain/consent_explain.c: a verdict in words, for whom it is.
 *
 * It takes the steps of the decision again, so what it says is what was
 * decided. A plugin learns the code, a resident what to do, an auditor all.
 */
#include "base/json.h"
#include "base/text.h"
#include "domain/consent_step.h"

#define S(reason, zh, en) [LL_REASON_##reason] = {zh, en},
static const char *const sentences[][2] = {
#include "domain/consent_text.def"
};
#undef S

/* -- for a plugin -- */

static void
for_plugin(const struct ll_rerate *at, struct ll_jw *w)
{
    const struct ll_verdict *verdict = &at->verdict;
    bool hidden = ll_verdict_hidden(at->consent, at->ask, verdict);
    ll_jw_key(w, "code");
    ll_jw_cstr(w, ll_verdict_code(at->consent, at->ask, verdict));
    ll_jw_key(w, "reason");
    ll_jw_cstr(w, hidden ? LL_NO_DATA_REASON : ll_reason_name(verdict->reason));
}

/* -- for a resident -- */

/* The field and the purpose that were asked for, if there are such. */
static const struct ll_field_def *
field_of(const struct ll_rerate *at)
{
    const struct ll_dictionary *dictionary = at->consent->dictionary;
    return at->ask->field < dictionary->field_count
               ? &dictionary->fields[at->ask->field]
               : NULL;
}

static const struct ll_purpose_def *
purpose_of(const struct ll_rerate *at)
{
    const struct ll_dictionary *dictionary = at->consent->dictionary;
    return at->ask->purpose < dictionary->purpose_count
               ? &dictionary->purposes[at->ask->purpose]
               : NULL;
}

/* What stands in a sentence for a word in braces. */
static linli_str
filling(const struct ll_rerate *at, linli_str word, bool zh)
{
    const struct ll_field_def *field = field_of(at);
    const struct ll_purpose_def *purpose = purpose_of(at);
    if (ll_str_is(word, "plugin"))
        return ll_consent_plugin(at->consent, at->ask->party);
    if (ll_str_is(word, "field") && field != NULL)
        return zh ? field->name_zh : field->name_en;
    if (ll_str_is(word, "purpose") && purpose != NULL)
        return zh ? purpose->text_zh : purpose->text_en;
    return LINLI_STR("?");
}

static void
put_sentence(const struct ll_rerate *at, bool zh, struct ll_buf *out)
{
    linli_str rest = ll_cstr(sentences[at->verdict.reason][zh ? 0 : 1]);
    linli_str plain, word;
    while (ll_str_split(&rest, '{', &plain)) {
        ll_json_escape(out, plain);
        if (rest.ptr == NULL || !ll_str_split(&rest, '}', &word))
            break;
        ll_json_escape(out, filling(at, word, zh));
    }
}

static void
put_ids(const struct ll_rerate *at, struct ll_jw *w)
{
    const struct ll_field_def *field = field_of(at);
    const struct ll_purpose_def *purpose = purpose_of(at);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, ll_consent_plugin(at->consent, at->ask->party));
    ll_jw_key(w, "field");
    ll_jw_str(w, field == NULL ? (linli_str){NULL, 0} : field->id);
    ll_jw_key(w, "purpose");
    ll_jw_str(w, purpose == NULL ? (linli_str){NULL, 0} : purpose->id);
}

static void
for_resident(const struct ll_rerate *at, bool zh, struct ll_jw *w)
{
    ll_jw_key(w, "sentence");
    ll_buf_char(w->buf, '"');
    put_sentence(at, zh, w->buf);
    ll_buf_char(w->buf, '"');
    w->comma = true;
    ll_jw_key(w, "remedy");
    ll_jw_cstr(w, ll_remedy_name(at->verdict.remedy));
    put_ids(at, w);
}

/* -- for an auditor -- */

static void
put_hex(struct ll_jw *w, const char *key, const unsigned char *bytes)
{
    char hex[2 * LL_TAG_BYTES + 1];
    ll_hex(bytes, LL_TAG_BYTES, hex);
    ll_jw_key(w, key);
    ll_jw_cstr(w, hex);
}

static void
put_int(struct ll_jw *w, const char *key, int64_t i)
{
    ll_jw_key(w, key);
    ll_jw_int(w, i);
}

static void
put_bool(struct ll_jw *w, const char *key, bool b)
{
    ll_jw_key(w, key);
    ll_jw_bool(w, b);
}

static void
saw_log(const struct ll_rerate *at, struct ll_jw *w)
{
    put_bool(w, "takes_leaves", !at->ask->unlogged);
}

static void
saw_plugin(const struct ll_rerate *at, struct ll_jw *w)
{
    if (at->party != NULL)
        put_int(w, "version", at->party->terms.version);
    put_bool(w, "active", at->party != NULL && at->party->terms.active);
}

static void
saw_subject(const struct ll_rerate *at, struct ll_jw *w)
{
    static const char *const states[] = {
        "active", "frozen", "deceased", "shredded"};
    if (at->subject == NULL)
        return;
    put_hex(w, "tag", at->subject->person.tag);
    ll_jw_key(w, "state");
    ll_jw_cstr(w, states[at->subject->person.state]);
    put_int(w, "epoch", at->subject->epoch);
}

static void
saw_manifest(const struct ll_rerate *at, struct ll_jw *w)
{
    put_int(w, "uses", at->party->terms.scope_count);
    put_int(w, "action", at->ask->action);
    if (at->scope == NULL)
        return;
    ll_jw_key(w, "basis");
    ll_jw_cstr(w, ll_basis_name(at->scope->basis));
    put_bool(w, "required", at->scope->required);
}

static void
saw_pia(const struct ll_rerate *at, struct ll_jw *w)
{
    put_bool(w, "on_file", at->party->terms.pia);
    put_bool(w, "auto_decision", at->ask->auto_decision);
    put_bool(w, "provides", at->party->terms.relation == LL_RELATION_PROVIDE);
}

static void
saw_ceiling(const struct ll_rerate *at, struct ll_jw *w)
{
    ll_jw_key(w, "class");
    ll_jw_cstr(w, ll_class_name(at->field->class));
    ll_jw_key(w, "ceiling");
    ll_jw_cstr(w, ll_class_name(at->party->terms.ceiling));
}

static void
saw_region(const struct ll_rerate *at, struct ll_jw *w)
{
    put_bool(w, "abroad", at->party->terms.abroad);
}

static void
saw_objection(const struct ll_rerate *at, struct ll_jw *w)
{
    uint32_t bits =
        ll_objections_between(at->consent, at->subject, at->ask->party);
    ll_jw_key(w, "objections");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i <= LL_OBJECTION_MARKETING; i++)
        if ((bits >> i & 1) != 0)
            ll_jw_cstr(w, ll_objection_name((enum ll_objection)i));
    ll_jw_close(w, ']');
}

static void
saw_guardian(const struct ll_rerate *at, struct ll_jw *w)
{
    put_bool(w, "ward", at->ward);
}

/* The grant that served, or that came nearest. */
static void
saw_basis(const struct ll_rerate *at, struct ll_jw *w)
{
    const struct ll_grant *grant =
        ll_consent_grant(at->consent, at->verdict.grant);
    ll_jw_key(w, "basis");
    ll_jw_cstr(w, ll_basis_name(at->scope->basis));
    put_bool(w, "own", at->ask->own);
    if (grant == NULL)
        return;
    put_hex(w, "grant", grant->id);
    ll_jw_key(w, "status");
    ll_jw_cstr(w, ll_grant_status_name((enum ll_grant_status)grant->status));
    ll_jw_key(w, "level");
    ll_jw_cstr(w, ll_act_level_name((enum ll_act_level)grant->level));
    put_int(w, "version", grant->version);
    put_int(w, "from_ms", grant->from_ms);
    put_int(w, "until_ms", grant->until_ms);
    put_int(w, "uses", grant->uses);
    put_bool(w, "by_guardian", grant->guardian != LL_NOBODY);
}

#define X(name) saw_##name,
static void (*const saw[])(const struct ll_rerate *, struct ll_jw *) = {
    LL_STEPS(X)};
#undef X

/* Takes the steps and, with `w`, writes what each saw. */
static void
take_steps(struct ll_rerate *at, struct ll_jw *w)
{
    enum ll_reason reason = LL_REASON_ALLOW;
    for (uint32_t i = 0; ll_steps[i].name != NULL; i++) {
        reason = ll_steps[i].take(at);
        if (w != NULL) {
            ll_jw_open(w, '{');
            ll_jw_key(w, "step");
            ll_jw_cstr(w, ll_steps[i].name);
            ll_jw_key(w, "reason");
            ll_jw_cstr(w, ll_reason_name(reason));
            ll_jw_key(w, "saw");
            ll_jw_open(w, '{');
            saw[i](at, w);
            ll_jw_close(w, '}');
            ll_jw_close(w, '}');
        }
        if (reason != LL_REASON_ALLOW)
            break;
    }
    ll_step_end(at, reason);
}

static void
for_auditor(struct ll_rerate *at, struct ll_jw *w)
{
    put_ids(at, w);
    put_int(w, "at_ms", at->ask->now_ms);
    put_int(w, "today", at->ask->today);
    ll_jw_key(w, "steps");
    ll_jw_open(w, '[');
    take_steps(at, w);
    ll_jw_close(w, ']');
    ll_jw_key(w, "reason");
    ll_jw_cstr(w, ll_reason_name(at->verdict.reason));
    ll_jw_key(w, "remedy");
    ll_jw_cstr(w, ll_remedy_name(at->verdict.remedy));
    put_int(w, "epoch", at->verdict.epoch);
}

void
ll_consent_explain(const struct ll_consent *consent, const struct ll_ask *ask,
    enum ll_audience audience, bool zh, struct ll_buf *out)
{
    struct ll_jw w = ll_jw(out);
    struct ll_rerate at;
    ll_step_begin(&at, consent, ask);
    ll_jw_open(&w, '{');
    if (audience == LL_FOR_AUDITOR) {
        for_auditor(&at, &w);
    } else {
        take_steps(&at, NULL);
        if (audience == LL_FOR_PLUGIN)
            for_plugin(&at, &w);
        else
            for_resident(&at, zh, &w);
    }
    ll_jw_close(&w, '}');
}
