/* host/conf_consent.c: the pages for residents: the member `consent`. */
#include "host/conf.h"

#include "base/text.h"

/* The schema has let through origins and "self" alone, so that nothing here
 * can end the header that it is to stand in. */
linli_status
ll_config_read_consent(
    struct ll_config *config, struct ll_jv consent, struct ll_err *err)
{
    struct ll_jv ancestors = ll_jv_get(consent, "frame_ancestors");
    struct ll_buf text;
    ll_buf_init(&text, config->arena.mem, LL_PAGES_POLICY_BYTES_MAX);
    LL_JSON_EACH (item, ancestors) {
        linli_str origin = ll_jv_str(item);
        if (text.len > 0)
            ll_buf_char(&text, ' ');
        if (ll_str_is(origin, "self"))
            ll_buf_cstr(&text, "'self'");
        else
            ll_buf_str(&text, origin);
    }
    if (text.len == 0)
        ll_buf_cstr(&text, "'none'");
    config->consent.frame_ancestors =
        ll_arena_str(&config->arena, ll_buf_view(&text));
    config->consent.app_origins = ll_jv_get(consent, "app_origins");
    config->consent.help_phone = ll_jv_str(ll_jv_get(consent, "help_phone"));
    int64_t grace = LL_RECONFIRM_DAYS_DEFAULT;
    (void)ll_jv_int(ll_jv_get(consent, "reconfirm_days"), &grace);
    config->consent.reconfirm_days = (int32_t)grace; /* the schema bounds it */
    config->consent.operator_name =
        ll_jv_str(ll_jv_get(consent, "operator_name"));
    int64_t days = LL_CONSENT_COOLDOWN_MS / LL_CONSENT_DAY_MS;
    (void)ll_jv_int(ll_jv_get(consent, "cooldown_days"), &days);
    config->consent.cooldown_ms = days * LL_CONSENT_DAY_MS;
    int64_t redact = LL_REDACT_DAYS_DEFAULT;
    (void)ll_jv_int(ll_jv_get(consent, "redact_days"), &redact);
    config->consent.redact_ms = redact * LL_CONSENT_DAY_MS;
    int64_t uninstall = LL_UNINSTALL_DAYS_DEFAULT;
    (void)ll_jv_int(ll_jv_get(consent, "uninstall_days"), &uninstall);
    config->consent.uninstall_ms = uninstall * LL_CONSENT_DAY_MS;
    bool failed = text.failed || config->arena.failed;
    ll_buf_fini(&text);
    return failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "`consent`")
                  : LINLI_OK;
}
