/* host/terms.c: what a version declares of residents' data. [loop] */
#include "host/terms.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"

#define RECIPIENT_BYTES_MAX 16384

/* Who enabled it has approved its bases: the operator, or else whoever wrote
 * the configuration. */
#define APPROVER "config"

static void
hash(const struct ll_buf *text, char out[65])
{
    unsigned char digest[LL_SHA256_BYTES];
    ll_sha256(text->ptr, text->len, digest);
    ll_hex(digest, sizeof digest, out);
}

struct ll_notice
ll_terms_notice(struct ll_host *host, const struct ll_manifest *manifest,
    struct ll_buf *recipient)
{
    ll_buf_clear(recipient);
    if (ll_jv_there(manifest->recipient)) {
        struct ll_jw w = ll_jw(recipient);
        ll_jw_value(&w, manifest->recipient);
    }
    return (struct ll_notice){.dictionary = &host->arbiter.dictionary,
        .operator_name = host->config.consent.operator_name,
        .plugin_zh = manifest->name_zh,
        .plugin_en = manifest->name_en,
        .provides = manifest->provides,
        .recipient_json = ll_buf_view(recipient)};
}

struct ll_notice_item
ll_terms_item(const struct ll_manifest *manifest, uint32_t datum)
{
    const struct ll_scope *scope = &manifest->scopes[datum];
    const struct ll_datum *said = &manifest->data[datum];
    return (struct ll_notice_item){.field = scope->field,
        .purpose = scope->purpose,
        .basis = scope->basis,
        .required = scope->required,
        .once = said->once,
        .days = said->days,
        .why_zh = said->why_zh,
        .why_en = said->why_en,
        .without_zh = said->without_zh,
        .without_en = said->without_en};
}

void
ll_terms_text(struct ll_host *host, const struct ll_manifest *manifest,
    struct ll_buf *out)
{
    struct ll_buf recipient;
    ll_buf_init(&recipient, &host->mem, RECIPIENT_BYTES_MAX);
    struct ll_notice notice = ll_terms_notice(host, manifest, &recipient);
    struct ll_jw w = ll_jw(out);
    ll_jw_open(&w, '[');
    for (uint32_t i = 0; i < manifest->datum_count; i++) {
        struct ll_notice_item item = ll_terms_item(manifest, i);
        ll_notice_put(&notice, &item, &w);
    }
    ll_jw_close(&w, ']');
    if (recipient.failed)
        out->failed = true;
    ll_buf_fini(&recipient);
}

linli_status
ll_terms_of(struct ll_host *host, linli_str community,
    const struct ll_manifest *manifest, struct ll_declared *out,
    struct ll_err *err)
{
    struct ll_buf text;
    *out = (struct ll_declared){.declaring = {.community = community,
                                    .plugin = manifest->id,
                                    .approver = (linli_str)LINLI_STR(APPROVER),
                                    .now_ms = ll_world_wall(host->world).ms}};
    ll_manifest_terms(manifest, &out->declaring.terms);
    if (manifest->datum_count == 0) /* its name is no word about data */
        return LINLI_OK;
    ll_buf_init(&text, &host->mem, LL_NOTICE_BYTES_MAX);
    ll_terms_text(host, manifest, &text);
    bool failed = text.failed;
    if (!failed)
        hash(&text, out->notice);
    ll_buf_clear(&text);
    if (ll_jv_there(manifest->recipient)) {
        (void)ll_terms_notice(host, manifest, &text);
        hash(&text, out->recipient);
    }
    failed |= text.failed;
    ll_buf_fini(&text);
    out->declaring.notice = ll_cstr(out->notice);
    out->declaring.recipient = ll_cstr(out->recipient);
    return failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "terms")
                  : LINLI_OK;
}

static void
log_terms(const struct ll_instance *instance, enum ll_level level,
    const char *code, const char *msg)
{
    struct ll_log_line line = {.level = level,
        .code = code,
        .plugin = instance->id,
        .version = instance->package->manifest->version,
        .community = instance->community->id,
        .msg = ll_cstr(msg)};
    ll_log_write(&instance->host->log, &line);
}

void
ll_terms_declare(struct ll_instance *instance, linli_str approver)
{
    static const char *const words[] = {
        [LL_TERMS_TEXT] = "its words about data are others; consents hold",
        [LL_TERMS_NARROW] = "it may read less from now on; consents hold",
        [LL_TERMS_WIDEN] = "what is new needs consent of its own"};
    struct ll_host *host = instance->host;
    struct ll_declared declared;
    struct ll_err err;
    enum ll_terms_change change = LL_TERMS_SAME;
    uint32_t party = ll_consent_party(
        host->arbiter.consent, instance->community->id, instance->id);
    if (instance->package->manifest->datum_count == 0 && party == LL_NO_PARTY)
        return; /* it never declared anything */
    linli_status status = ll_terms_of(host, instance->community->id,
        instance->package->manifest, &declared, &err);
    if (approver.len > 0)
        declared.declaring.approver = approver;
    if (status == LINLI_OK)
        status = ll_arbiter_declare(
            &host->arbiter, &declared.declaring, NULL, &party, &change, &err);
    if (status != LINLI_OK)
        log_terms(instance, LL_ERROR, err.code, err.msg);
    else if (change != LL_TERMS_SAME)
        log_terms(instance, LL_INFO, "plugin.terms", words[change]);
}

void
ll_terms_suspend(struct ll_instance *instance)
{
    struct ll_arbiter *arbiter = &instance->host->arbiter;
    uint32_t party = ll_consent_party(
        arbiter->consent, instance->community->id, instance->id);
    if (party != LL_NO_PARTY)
        ll_arbiter_suspend(arbiter, party);
}
