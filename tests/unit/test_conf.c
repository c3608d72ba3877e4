/* tests/unit/test_conf.c: linli.conf.json, read and judged. */
#include "host/conf.h"

#include "t.h"

static linli_str
cstr(const char *s)
{
    return (linli_str){s, strlen(s)};
}

/* Reads `text`; on success the caller ends the configuration. */
static linli_status
read_text(struct ll_config *config, struct ll_mem *mem, const char *text,
    bool development, struct ll_err *err)
{
    ll_mem_init(mem, 0);
    *err = (struct ll_err){0};
    return ll_config_read(config, mem, cstr(text), development, err);
}

T_CASE(nothing_is_a_configuration)
{
    static const char *const texts[] = {"", "{}", " {\n} "};
    for (size_t i = 0; i < LL_COUNT(texts); i++) {
        struct ll_config config;
        struct ll_mem mem;
        struct ll_err err;
        T_INT(read_text(&config, &mem, texts[i], false, &err), LINLI_OK);
        T_INT(config.workers_lua, 1);
        T_INT(config.workers_native, 2);
        T_INT(config.rate.per_minute, 3000);
        T_INT(config.rate.burst, 100);
        T_INT(config.uid_first, 60100);
        T_INT(config.uid_count, 1024);
        T_OK(!config.rate_off && !config.drafts);
        T_OK(!config.filter_errno && !config.no_import_check);
        T_STR(cstr(config.unsafe), "");
        ll_config_fini(&config);
        T_INT(mem.used_bytes, 0);
    }
}

/* The text stands in a header: only what can do no harm there gets through. */
T_CASE(who_may_hold_a_page)
{
    static const struct {
        const char *text, *ancestors, *phone;
    } rows[] = {
        {"{}", "'none'", ""},
        {"{\"consent.frame_ancestors\":[]}", "'none'", ""},
        {"{\"consent\":{\"frame_ancestors\":[\"self\","
         "\"https://app.example:8443\"],\"help_phone\":\"0571-8888 0000\"}}",
            "'self' https://app.example:8443", "0571-8888 0000"},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_config config;
        struct ll_mem mem;
        struct ll_err err;
        T_INT(read_text(&config, &mem, rows[i].text, false, &err), LINLI_OK);
        T_STR(config.consent.frame_ancestors, rows[i].ancestors);
        T_STR(config.consent.help_phone, rows[i].phone);
        ll_config_fini(&config);
    }
}

/* Who says nothing has the simulator where it may be, and else nobody. */
T_CASE(who_brings_messages)
{
    static const struct {
        const char *text;
        bool development;
        const char *sims; /* of push, sms, voice */
    } rows[] = {{"{}", true, "yyy"}, {"{}", false, "nnn"},
        {"{\"notify\":{\"sms\":\"none\"}}", true, "yny"},
        {"{\"notify.voice\":\"none\"}", false, "nnn"},
        {"{\"notify\":{\"push\":\"sim\",\"sms\":\"none\"}}", true, "yny"},
        {"{\"notify\":{\"push\":{\"url\":\"http://a.b/x\"},\"voice\":"
         "{\"url\":\"https://a.b\",\"key_file\":\"k\"}}}",
            false, "gng"}};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_config config;
        struct ll_mem mem;
        struct ll_err err;
        char sims[LL_WAY_COUNT + 1] = "";
        T_INT(read_text(&config, &mem, rows[i].text, rows[i].development, &err),
            LINLI_OK);
        for (uint32_t k = 0; k < LL_WAY_COUNT; k++)
            sims[k] = config.notify[k].sim           ? 'y'
                      : config.notify[k].url.len > 0 ? 'g'
                                                     : 'n';
        T_STR(cstr(sims), rows[i].sims);
        T_STR(cstr(config.unsafe), "");
        ll_config_fini(&config);
        T_INT(mem.used_bytes, 0);
    }
}

T_CASE(settings_are_read)
{
    struct ll_config config;
    struct ll_mem mem;
    struct ll_err err;
    T_INT(read_text(&config, &mem,
              "{\"worker\":{\"count_lua\":3,\"count_native\":4,"
              "\"uid_first\":70000,\"uid_count\":16,\"drafts\":true,"
              "\"seccomp_default\":\"errno\",\"import_check\":\"off\"},"
              "\"rate_limit\":\"off\"}",
              true, &err),
        LINLI_OK);
    T_INT(config.workers_lua, 3);
    T_INT(config.workers_native, 4);
    T_INT(config.uid_first, 70000);
    T_INT(config.uid_count, 16);
    T_OK(config.drafts && config.filter_errno && config.no_import_check);
    T_OK(config.rate_off);
    T_INT(config.rate.per_minute, 0);
    T_STR(cstr(config.unsafe),
        "worker.seccomp_default: errno, worker.import_check: off, "
        "rate_limit: off");
    ll_config_fini(&config);
    T_INT(read_text(&config, &mem,
              "{\"rate_limit\":{\"per_s\":5,\"burst\":7},"
              "\"worker.count_lua\":2,\"worker\":{\"count_native\":1}}",
              false, &err),
        LINLI_OK);
    T_INT(config.rate.per_minute, 300);
    T_INT(config.rate.burst, 7);
    T_INT(config.workers_lua, 2);
    T_INT(config.workers_native, 1);
    ll_config_fini(&config);
}

#define EGRESS(members) "{\"egress\":{" members "}}"
#define ALLOWED(host, address)                                      \
    EGRESS("\"allow_private\":[{\"plugin\":\"a1\",\"host\":\"" host \
           "\",\"address\":\"" address "\"}]")

/* The tests' addresses come first. */
T_CASE(egress_is_read)
{
    struct ll_config config;
    struct ll_mem mem;
    struct ll_err err;
    char text[LL_ADDRESS_TEXT_BYTES];
    T_INT(read_text(&config, &mem,
              "{\"egress.allow_private\":["
              "{\"community\":\"garden\",\"plugin\":\"a1\","
              "\"host\":\"ERP.test\",\"address\":\"10.0.0.5\"},"
              "{\"plugin\":\"a2\",\"host\":\"fd00:0::5\","
              "\"address\":\"fd00::5\"}],"
              "\"egress\":{\"ca_file\":\"ca.pem\",\"test_addresses\":{"
              "\"good.test:80\":\"127.0.0.1:9000\"}},"
              "\"log\":{\"origin\":\"maple.example/log\"}}",
              true, &err),
        LINLI_OK);
    T_STR(config.log_origin, "maple.example/log");
    T_STR(cstr(config.unsafe), "egress.test_addresses");
    T_STR(cstr(config.ca_file), "ca.pem");
    T_INT(config.egress_count, 3);
    T_STR(config.egress[0].host, "good.test");
    T_INT(config.egress[0].port, 80);
    T_INT(config.egress[0].plugin.len, 0);
    ll_address_text(&config.egress[0].address, text);
    T_STR(cstr(text), "127.0.0.1:9000");
    T_STR(config.egress[1].host, "erp.test");
    T_STR(config.egress[1].community, "garden");
    T_STR(config.egress[1].plugin, "a1");
    T_INT(config.egress[1].port, 0);
    ll_address_text(&config.egress[1].address, text);
    T_STR(cstr(text), "10.0.0.5");
    T_STR(config.egress[2].host, "fd00::5");
    T_INT(config.egress[2].community.len, 0);
    ll_config_fini(&config);
    T_INT(mem.used_bytes, 0);
}

T_CASE(every_mistake_is_named)
{
    static const struct {
        const char *text, *code, *where, *message;
    } rows[] = {
        {"{", "config/invalid", "", ""},
        {"[]", "config/invalid", "/", "object"},
        {"{\"worker\":{},\"worker\":{}}", "config/invalid", "", "worker"},
        {"{\"worker\":{\"count_lua\":1,\"count_lua\":1}}", "config/invalid", "",
            "count_lua"},
        {"{\"worker.count_lua\":1,\"worker\":{\"count_lua\":1}}",
            "config/invalid", "", "count_lua"},
        {"{\"wroker\":{}}", "config/invalid", "/wroker", "worker"},
        {"{\"worker\":{\"count\":1}}", "config/invalid", "/worker/count",
            "not known"},
        {"{\"worker\":{\"count_lua\":0}}", "config/invalid",
            "/worker/count_lua", "1"},
        {"{\"worker\":{\"count_lua\":65}}", "config/invalid",
            "/worker/count_lua", "64"},
        {"{\"worker\":{\"count_lua\":\"1\"}}", "config/invalid",
            "/worker/count_lua", "integer"},
        {"{\"worker\":{\"drafts\":1}}", "config/invalid", "/worker/drafts",
            "boolean"},
        {"{\"worker\":{\"seccomp_default\":\"log\"}}", "config/invalid",
            "/worker/seccomp_default", ""},
        {"{\"rate_limit\":\"on\"}", "config/invalid", "/rate_limit", ""},
        {"{\"rate_limit\":{\"per_s\":1}}", "config/invalid", "/rate_limit", ""},
        {"{\"communities\":[{\"id\":\"A\"}]}", "config/invalid",
            "/communities/0/id", ""},
        {"{\"communities\":[{\"zone\":\"UTC\"}]}", "config/invalid",
            "/communities/0", "id"},
        {"{\"plugins\":[{\"path\":\"x\"}]}", "config/invalid", "/plugins/0",
            "community"},
        {"{\"communities\":[{\"id\":\"a\"}],\"plugins\":["
         "{\"path\":\"x\",\"community\":\"a\"},"
         "{\"path\":\"x\",\"community\":\"b\"}]}",
            "config/invalid", "/plugins/1/community", "does not list b"},
        {"{\"auth\":{\"jwks\":[{\"file\":\"f\",\"issuer\":\"i\","
         "\"kinds\":[\"root\"]}]}}",
            "config/invalid", "/auth/jwks/0/kinds/0", ""},
        {"{\"rate_limit\":\"off\"}", "config/development-only", "rate_limit",
            ""},
        {"{\"worker\":{\"seccomp_default\":\"errno\"}}",
            "config/development-only", "worker.seccomp_default", ""},
        {"{\"worker\":{\"import_check\":\"off\"}}", "config/development-only",
            "worker.import_check", ""},
        {"{\"notify\":{\"sms\":\"sim\"}}", "config/development-only",
            "notify: sim", ""},
        {"{\"notify\":{\"sms\":\"Sim\"}}", "config/invalid", "/notify/sms", ""},
        {"{\"notify\":{\"fax\":\"sim\"}}", "config/invalid", "/notify/fax", ""},
        {"{\"notify\":{\"sms\":{\"url\":\"a.b\"}}}", "config/invalid",
            "/notify/sms/url", ""},
        {"{\"billing\":{\"notify_days\":9}}", "config/invalid", "/billing",
            "rise"},
        {"{\"billing\":{\"restrict_days\":null,\"suspend_days\":30}}",
            "config/invalid", "/billing", "never"},
        {"{\"billing\":{\"grace_hours\":745}}", "config/invalid",
            "/billing/grace_hours", "744"},
        {"{\"consent\":{\"frame_ancestors\":[\"https://a.b; script-src *\"]}}",
            "config/invalid", "/consent/frame_ancestors/0", ""},
        {"{\"consent\":{\"frame_ancestors\":[\"*\"]}}", "config/invalid",
            "/consent/frame_ancestors/0", ""},
        {"{\"consent\":{\"app_origins\":[\"https://a.b/path\"]}}",
            "config/invalid", "/consent/app_origins/0", ""},
        {"{\"consent\":{\"app_origins\":[\"https://a.b\\n\"]}}",
            "config/invalid", "/consent/app_origins/0", ""},
        {"{\"consent\":{\"app_origins\":[\"javascript:a\"]}}", "config/invalid",
            "/consent/app_origins/0", ""},
        {"{\"consent\":{\"help_phone\":\"call me\"}}", "config/invalid",
            "/consent/help_phone", ""},
        {EGRESS("\"allow_private\":[{\"plugin\":\"a1\"}]"), "config/invalid",
            "/egress/allow_private/0", "host"},
        {ALLOWED("a.b:80", "10.0.0.5"), "config/invalid",
            "/egress/allow_private/0/host", "without a port"},
        {ALLOWED("http://a.b", "10.0.0.5"), "config/invalid",
            "/egress/allow_private/0/host", ""},
        {ALLOWED("a.b/", "10.0.0.5"), "config/invalid",
            "/egress/allow_private/0/host", "without a path"},
        {ALLOWED("a b", "10.0.0.5"), "config/invalid",
            "/egress/allow_private/0/host", ""},
        {ALLOWED("a.b", "10.0.0.5:80"), "config/invalid",
            "/egress/allow_private/0/address", "no address"},
        {ALLOWED("a.b", "10.5"), "config/invalid",
            "/egress/allow_private/0/address", "no address"},
        {ALLOWED("a.b", "8.8.8.8"), "config/invalid",
            "/egress/allow_private/0/address", "no private address"},
        {ALLOWED("a.b", "169.254.169.254"), "config/invalid",
            "/egress/allow_private/0/address", "no private address"},
        {ALLOWED("a.b", "::ffff:10.0.0.5"), "config/invalid",
            "/egress/allow_private/0/address", "no private address"},
        {EGRESS("\"test_addresses\":{\"a.b\":\"127.0.0.1:80\"}"),
            "config/invalid", "/egress/test_addresses/a.b", "HOST:PORT"},
        {EGRESS("\"test_addresses\":{\"a.b:80\":\"127.0.0.1\"}"),
            "config/invalid", "/egress/test_addresses/a.b:80", "ADDRESS:PORT"},
        {EGRESS("\"test_addresses\":{\"a.b:80\":\"localhost:80\"}"),
            "config/invalid", "/egress/test_addresses/a.b:80", "ADDRESS:PORT"},
        {EGRESS("\"test_addresses\":{\"a.b:80\":\"127.0.0.1:80\"}"),
            "config/development-only", "egress.test_addresses", ""},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_config config;
        struct ll_mem mem;
        struct ll_err err;
        T_OK(read_text(&config, &mem, rows[i].text, false, &err) != LINLI_OK);
        T_STR(cstr(err.code), rows[i].code);
        T_OK(strstr(err.where, rows[i].where) != NULL);
        T_OK(strstr(err.msg, rows[i].message) != NULL);
        T_OK(err.msg[0] != '\0');
        if (strstr(err.where, rows[i].where) == NULL ||
            strstr(err.msg, rows[i].message) == NULL)
            printf("# %s: \"%s\" \"%s\"\n", rows[i].text, err.where, err.msg);
        T_INT(mem.used_bytes, 0);
    }
}

/* Safe values of settings that may be unsafe are no matter of the mode. */
T_CASE(production_takes_what_is_safe)
{
    struct ll_config config;
    struct ll_mem mem;
    struct ll_err err;
    T_INT(read_text(&config, &mem,
              "{\"worker\":{\"seccomp_default\":\"kill\","
              "\"import_check\":\"on\"}}",
              false, &err),
        LINLI_OK);
    T_STR(cstr(config.unsafe), "");
    ll_config_fini(&config);
}

T_CASE(each_allocation_may_fail)
{
    uint64_t n = 1;
    for (bool more = true; more; n++) {
        struct ll_config config;
        struct ll_mem mem;
        struct ll_err err = {0};
        ll_mem_init(&mem, 0);
        mem.fail_in = n;
        linli_status status = ll_config_read(&config, &mem,
            cstr("{\"worker.count_lua\":2,\"rate_limit\":\"off\","
                 "\"egress\":{\"ca_file\":\"f\",\"test_addresses\":"
                 "{\"a.b:80\":\"127.0.0.1:9\"},\"allow_private\":["
                 "{\"plugin\":\"a1\",\"host\":\"::1\","
                 "\"address\":\"::1\"}]}}"),
            true, &err);
        more = mem.fail_in == 0;
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        T_STR(cstr(err.code), status == LINLI_OK ? "" : "runtime/memory");
        if (status == LINLI_OK)
            ll_config_fini(&config);
        T_INT(mem.used_bytes, 0);
    }
    T_OK(n > 5);
}

T_MAIN(T_RUN(nothing_is_a_configuration) T_RUN(who_may_hold_a_page) T_RUN(
    who_brings_messages) T_RUN(settings_are_read) T_RUN(egress_is_read)
        T_RUN(every_mistake_is_named) T_RUN(production_takes_what_is_safe)
            T_RUN(each_allocation_may_fail))
