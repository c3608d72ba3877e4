/* host/conf.h: linli.conf.json, read and checked. [any]
 *
 * Judged by spec/config.schema.json (compiled in), then by the rules it
 * cannot say: what is allowed in development mode only is refused otherwise.
 * Everything has a default; no configuration at all is one.
 */
#ifndef LL_HOST_CONF_H
#define LL_HOST_CONF_H

#include "base/json.h"
#include "base/limits.h"
#include "domain/address.h"
#include "domain/notify.h"
#include "billing/invoices.h"
#include "host/rate.h"

/* A host that is at an address which is refused otherwise. */
struct ll_egress_fixed {
    linli_str community; /* empty: every one */
    linli_str plugin;    /* "~": the host itself; empty: whoever asks */
    linli_str host;      /* as ll_url has it */
    uint16_t port;       /* 0: any, and the address has none */
    struct ll_address address;
};

/* Who brings messages by one way; neither: nobody. */
struct ll_notify_conf {
    bool sim;
    linli_str url, key_file; /* of a gateway; key_file empty: none */
};

#define LL_RELAY_PREFIX_DEFAULT "95013"

/* The pages where residents are asked: server/pages.h. */
struct ll_consent_conf {
    linli_str frame_ancestors; /* as Content-Security-Policy has it */
    struct ll_jv app_origins;  /* array of "https://app.example" */
    linli_str help_phone;      /* or empty */
    int32_t reconfirm_days;    /* that a guardian's act outlives the ward */
    linli_str operator_name;   /* who answers for it; or empty */
    int64_t cooldown_ms;       /* after a refusal */
    int64_t redact_ms;         /* in which plugins forget a resident */
    int64_t uninstall_ms;      /* in which one that leaves is heard of */
};

struct ll_config {
    struct ll_arena arena; /* owns the text and everything below */
    struct ll_json json;
    bool development;
    struct ll_jv communities;  /* array of {id, zone} */
    struct ll_jv jwks;         /* array of {file, issuer, audience, kinds} */
    struct ll_jv plugins;      /* array of {path, community, config} */
    struct ll_jv pay_adapters; /* {channel: adapter}; not there: the default */
    struct ll_rate_policy rate;
    uint32_t workers_lua, workers_native; /* per plugin and community */
    uint32_t uid_first, uid_count;
    struct ll_notify_conf notify[LL_WAY_COUNT];
    linli_str relay_prefix; /* of the numbers that stand for residents */
    bool metering;          /* calls are counted */
    struct ll_consent_conf consent;
    struct ll_invoice_policy billing;
    int64_t plugin_rows, plugin_bytes; /* of one plugin and community */
    struct ll_egress_fixed *egress;    /* the first that fits holds */
    uint32_t egress_count;
    const char *ca_file;  /* NULL: the system's */
    linli_str log_origin; /* empty: the store makes one */
    bool filter_errno;    /* development only, as the next two */
    bool no_import_check;
    bool rate_off;
    bool drafts;
    char unsafe[160]; /* the development-only settings in force, for people */
};

/* `text` may be empty. `name` stands in messages. On failure nothing is
 * kept; codes "config/invalid", "config/development-only". */
linli_status ll_config_read(struct ll_config *config, struct ll_mem *mem,
    linli_str text, bool development, struct ll_err *err) LL_USE_RESULT;
void ll_config_fini(struct ll_config *config);

/* conf_egress.c: a part of it. */
linli_status ll_config_read_egress(struct ll_config *config,
    struct ll_jv egress, struct ll_err *err) LL_USE_RESULT;

/* conf_notify.c. *sim_asked: "sim" stands there. */
linli_status ll_config_read_notify(struct ll_config *config,
    struct ll_jv notify, bool *sim_asked, struct ll_err *err) LL_USE_RESULT;

/* conf_billing.c. */
linli_status ll_config_read_billing(struct ll_config *config,
    struct ll_jv billing, struct ll_err *err) LL_USE_RESULT;

/* conf_consent.c. */
linli_status ll_config_read_consent(struct ll_config *config,
    struct ll_jv consent, struct ll_err *err) LL_USE_RESULT;

#endif
