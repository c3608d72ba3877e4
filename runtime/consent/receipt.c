/* consent/receipt.c: an act as it is told to whom it is about. [loop] */
#include "consent/receipt.h"

#include "base/limits_consent.h"
#include "base/text.h"

static void
put_str(struct ll_jw *w, const char *name, linli_str text)
{
    ll_jw_key(w, name);
    if (text.len == 0)
        ll_jw_null(w);
    else
        ll_jw_str(w, text);
}

static void
put_cstr(struct ll_jw *w, const char *name, const char *text)
{
    ll_jw_key(w, name);
    ll_jw_cstr(w, text);
}

static void
put_time(struct ll_jw *w, const char *name, int64_t ms)
{
    char at[LL_RFC3339_BYTES];
    ll_jw_key(w, name);
    if (ms == 0) {
        ll_jw_null(w);
        return;
    }
    ll_rfc3339(ms, at);
    ll_jw_cstr(w, at);
}

static void
put_both(struct ll_jw *w, const char *name, linli_str zh, linli_str en)
{
    ll_jw_key(w, name);
    ll_jw_open(w, '{');
    put_str(w, "zh-CN", zh);
    put_str(w, "en", en);
    ll_jw_close(w, '}');
}

const char *
ll_receipt_state(const struct ll_grant *grant, int64_t now_ms)
{
    int64_t idle_ms = grant->idle_days * LL_CONSENT_DAY_MS;
    if (grant->status == LL_GRANT_REVOKED)
        return "withdrawn";
    if (grant->status == LL_GRANT_REPLACED)
        return "replaced";
    return grant->status == LL_GRANT_EXPIRED || grant->until_ms <= now_ms ||
                   grant->uses == 0 ||
                   (idle_ms > 0 && grant->used_ms + idle_ms <= now_ms)
               ? "expired"
               : "live";
}

static void
put_fields(
    const struct ll_dictionary *dictionary, uint64_t fields, struct ll_jw *w)
{
    ll_jw_key(w, "pii_types");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < dictionary->field_count; i++) {
        const struct ll_field_def *field = &dictionary->fields[i];
        if ((fields >> i & 1) == 0)
            continue;
        ll_jw_open(w, '{');
        put_str(w, "id", field->id);
        put_both(w, "name", field->name_zh, field->name_en);
        put_cstr(w, "class", ll_class_name(field->class));
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

static void
put_parties(const struct ll_receipt *r, linli_str plugin, struct ll_jw *w)
{
    const struct ll_notice *n = &r->notice;
    ll_jw_key(w, "pii_controllers");
    ll_jw_open(w, '[');
    ll_jw_cstr(w, "operator");
    if (n->provides)
        ll_jw_str(w, plugin);
    ll_jw_close(w, ']');
    ll_jw_key(w, "parties");
    ll_jw_open(w, '[');
    ll_jw_open(w, '{');
    put_cstr(w, "party_id", "operator");
    put_cstr(w, "party_type", "pii_controller");
    put_str(w, "name", n->operator_name);
    ll_jw_close(w, '}');
    ll_jw_open(w, '{');
    put_str(w, "party_id", plugin);
    put_cstr(w, "party_type", n->provides ? "pii_controller" : "pii_processor");
    put_both(w, "name", n->plugin_zh, n->plugin_en);
    ll_jw_close(w, '}');
    ll_jw_close(w, ']');
    ll_jw_key(w, "recipients");
    ll_jw_open(w, '[');
    if (n->recipient_json.len > 0)
        ll_jw_raw(w, n->recipient_json);
    ll_jw_close(w, ']');
}

/* Who acted: themself, or a guardian or staff for them. */
static void
put_entity(const struct ll_receipt *r, const struct ll_grant *grant,
    const struct ll_grant_more *more, struct ll_jw *w)
{
    char tag[2 * LL_TAG_BYTES + 1];
    const struct ll_person *person = ll_consent_person(r->arbiter->consent,
        grant->guardian == LL_NOBODY ? grant->subject : grant->guardian);
    ll_jw_key(w, "entity_id");
    if (more->staff.len > 0) {
        ll_jw_str(w, more->staff);
    } else if (person == NULL) {
        ll_jw_null(w);
    } else {
        ll_hex(person->tag, sizeof person->tag, tag);
        ll_jw_cstr(w, tag);
    }
    put_cstr(w, "by",
        more->staff.len > 0            ? "staff"
        : grant->guardian != LL_NOBODY ? "guardian"
                                       : "self");
}

static void
put_events(const struct ll_receipt *r, const struct ll_grant *grant,
    const struct ll_grant_more *more, struct ll_jw *w)
{
    const char *state = ll_receipt_state(grant, r->now_ms);
    ll_jw_key(w, "events");
    ll_jw_open(w, '[');
    ll_jw_open(w, '{');
    put_time(w, "event_time", grant->given_ms);
    put_time(w, "valid_until", grant->until_ms);
    put_cstr(w, "event_type", "explicit");
    put_cstr(w, "event_state", "given");
    put_entity(r, grant, more, w);
    put_str(w, "channel", more->channel);
    ll_jw_key(w, "seq");
    ll_jw_int(w, (int64_t)more->leaf - 1);
    ll_jw_close(w, '}');
    if (more->ended_ms != 0) {
        ll_jw_open(w, '{');
        put_time(w, "event_time", more->ended_ms);
        put_cstr(w, "event_type", "explicit");
        put_cstr(w, "event_state", state);
        if (more->end_leaf != 0) {
            ll_jw_key(w, "seq");
            ll_jw_int(w, (int64_t)more->end_leaf - 1);
        }
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
    put_cstr(w, "state", state);
}

static void
put_own(const struct ll_receipt *r, const struct ll_grant *grant,
    const struct ll_grant_more *more, struct ll_jw *w)
{
    put_cstr(w, "level", ll_act_level_name((enum ll_act_level)grant->level));
    put_cstr(w, "relation", r->notice.provides ? "provide" : "entrust");
    put_cstr(w, "necessity", r->required ? "required" : "optional");
    ll_jw_key(w, "terms_version");
    ll_jw_int(w, grant->version);
    ll_jw_key(w, "uses_left");
    if (grant->uses < 0)
        ll_jw_null(w);
    else
        ll_jw_int(w, grant->uses);
    ll_jw_key(w, "seq");
    if (more->leaf == 0)
        ll_jw_null(w);
    else
        ll_jw_int(w, (int64_t)more->leaf - 1);
}

static void
put_proof(const struct ll_receipt_log *log, struct ll_jw *w)
{
    char hex[2 * LL_SHA256_BYTES + 1];
    ll_jw_key(w, "size");
    if (log->proof == NULL)
        ll_jw_null(w);
    else
        ll_jw_int(w, (int64_t)log->size);
    ll_jw_key(w, "proof");
    if (log->proof == NULL) {
        ll_jw_null(w);
    } else {
        ll_jw_open(w, '[');
        for (uint32_t i = 0; i < log->proof->count; i++) {
            ll_hex(log->proof->hashes[i].bytes, LL_SHA256_BYTES, hex);
            ll_jw_cstr(w, hex);
        }
        ll_jw_close(w, ']');
    }
    put_str(w, "checkpoint", log->checkpoint);
}

static void
put_log(const struct ll_receipt *r, const struct ll_grant_more *more,
    struct ll_jw *w)
{
    char hex[2 * LL_SHA256_BYTES + 1];
    struct ll_hash hash;
    ll_jw_key(w, "log");
    if (r->log.leaf.len == 0) {
        ll_jw_null(w);
        return;
    }
    ll_merkle_leaf(r->log.leaf, &hash);
    ll_hex(hash.bytes, sizeof hash.bytes, hex);
    ll_jw_open(w, '{');
    ll_jw_key(w, "seq");
    ll_jw_int(w, (int64_t)more->leaf - 1);
    put_str(w, "leaf", r->log.leaf);
    put_cstr(w, "leaf_hash", hex);
    put_proof(&r->log, w);
    ll_jw_close(w, '}');
}

void
ll_receipt_put(const struct ll_receipt *r, struct ll_jw *w)
{
    char id[2 * LL_TAG_BYTES + 1], tag[2 * LL_TAG_BYTES + 1] = "";
    const struct ll_dictionary *dictionary = &r->arbiter->dictionary;
    const struct ll_consent *consent = r->arbiter->consent;
    const struct ll_grant *grant = ll_consent_grant(consent, r->grant);
    struct ll_grant_more more = ll_arbiter_grant_more(r->arbiter, r->grant);
    const struct ll_purpose_def *purpose =
        &dictionary->purposes[grant->purpose];
    const struct ll_person *person = ll_consent_person(consent, grant->subject);
    ll_hex(grant->id, sizeof grant->id, id);
    if (person != NULL)
        ll_hex(person->tag, sizeof person->tag, tag);
    ll_jw_open(w, '{');
    put_cstr(w, "schema_version", "ISO/IEC TS 27560:2023");
    put_cstr(w, "id", id);
    put_cstr(w, "record_id", id);
    put_cstr(w, "receipt_id", id);
    put_str(w, "pii_principal_id", r->pid);
    put_cstr(w, "pii_principal_tag", tag);
    put_str(w, "privacy_notice_sha256", more.notice);
    ll_jw_key(w, "language");
    ll_jw_raw(w, (linli_str)LINLI_STR("[\"zh-CN\",\"en\"]"));
    put_str(w, "purpose", purpose->id);
    put_both(w, "purpose_text", purpose->text_zh, purpose->text_en);
    put_fields(dictionary, grant->fields, w);
    put_str(w, "plugin", ll_consent_plugin(consent, grant->party));
    put_parties(r, ll_consent_plugin(consent, grant->party), w);
    put_cstr(w, "jurisdiction", "CN");
    put_cstr(w, "storage_location", "CN");
    put_time(w, "retention_until", grant->until_ms);
    ll_jw_key(w, "withdrawal_method");
    ll_jw_open(w, '{');
    put_cstr(w, "method", "DELETE");
    put_str(w, "path", r->path);
    ll_jw_close(w, '}');
    put_events(r, grant, &more, w);
    put_own(r, grant, &more, w);
    put_log(r, &more, w);
    ll_jw_close(w, '}');
}
