/* host/conf_egress.c: the member `egress` of a configuration. [any] */
#include "base/text.h"
#include "domain/url.h"
#include "host/conf.h"

static linli_status
refuse(struct ll_err *err, const char *where, uint32_t at, const char *why)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "config/invalid", "%s", why);
    ll_err_where(err, where, at);
    return status;
}

/* Reads "HOST" or "HOST:PORT" as a URL has it. */
static const char *
read_host(
    struct ll_config *config, linli_str text, struct ll_egress_fixed *fixed)
{
    static const char scheme[] = "http://";
    struct ll_url url;
    const char *why;
    if (text.len > LL_ADDRESS_TEXT_BYTES + LL_URL_HOST_BYTES_MAX)
        return "it is too long";
    char *whole = ll_arena_alloc(&config->arena, sizeof scheme + text.len);
    if (whole == NULL)
        return "no memory";
    memcpy(whole, scheme, sizeof scheme - 1);
    memcpy(whole + sizeof scheme - 1, text.ptr, text.len);
    linli_str as_url = {whole, sizeof scheme - 1 + text.len};
    if (!ll_url_read(as_url, &config->arena, &url, &why))
        return why;
    if (memchr(text.ptr, '/', text.len) != NULL || url.target.len != 1 ||
        memchr(text.ptr, '#', text.len) != NULL)
        return "it is a host, without a path";
    fixed->host = url.host;
    fixed->port = url.port;
    return NULL;
}

/* An IPv6 address has its brackets in a URL only. */
static const char *
read_bare_host(
    struct ll_config *config, linli_str text, struct ll_egress_fixed *fixed)
{
    struct ll_address address;
    char canonical[LL_ADDRESS_TEXT_BYTES];
    const char *why;
    if (ll_address_read(text, &address) && address.port == 0) {
        ll_address_text(&address, canonical);
        fixed->host = ll_arena_str(&config->arena, ll_cstr(canonical));
        return fixed->host.ptr == NULL ? "no memory" : NULL;
    }
    if (memchr(text.ptr, ':', text.len) != NULL)
        return "it is a host, without a port";
    why = read_host(config, text, fixed);
    fixed->port = 0;
    return why;
}

static linli_status
read_allowed(struct ll_config *config, struct ll_jv item, struct ll_err *err)
{
    struct ll_egress_fixed *fixed = &config->egress[config->egress_count];
    uint32_t at = config->egress_count;
    fixed->community = ll_jv_str(ll_jv_get(item, "community"));
    fixed->plugin = ll_jv_str(ll_jv_get(item, "plugin"));
    const char *why =
        read_bare_host(config, ll_jv_str(ll_jv_get(item, "host")), fixed);
    if (why != NULL)
        return refuse(err, "/egress/allow_private/%u/host", at, why);
    if (!ll_address_read(
            ll_jv_str(ll_jv_get(item, "address")), &fixed->address) ||
        fixed->address.port != 0)
        why = "it is no address";
    else if (ll_address_judge(&fixed->address).kind != LL_ADDRESS_PRIVATE)
        why = "it is no private address: what is public needs no permission, "
              "and what is neither gets none";
    if (why != NULL)
        return refuse(err, "/egress/allow_private/%u/address", at, why);
    config->egress_count++;
    return LINLI_OK;
}

static linli_status
read_test_address(struct ll_config *config, linli_str key, linli_str value,
    struct ll_err *err)
{
    struct ll_egress_fixed *fixed = &config->egress[config->egress_count];
    const char *why = NULL;
    if (memchr(key.ptr, ':', key.len) == NULL)
        why = "its name is no HOST:PORT";
    if (why == NULL)
        why = read_host(config, key, fixed);
    if (why == NULL &&
        (!ll_address_read(value, &fixed->address) || fixed->address.port == 0))
        why = "it is no ADDRESS:PORT";
    if (why != NULL) {
        linli_status status =
            ll_fail(err, LINLI_E_INVALID, "config/invalid", "%s", why);
        ll_err_where(err, "/egress/test_addresses/%.*s", LL_FMT(key));
        return status;
    }
    config->egress_count++;
    return LINLI_OK;
}

linli_status
ll_config_read_egress(
    struct ll_config *config, struct ll_jv egress, struct ll_err *err)
{
    struct ll_jv allowed = ll_jv_get(egress, "allow_private");
    struct ll_jv tests = ll_jv_get(egress, "test_addresses");
    struct ll_jv ca_file = ll_jv_get(egress, "ca_file");
    uint32_t count = ll_jv_count(allowed) + ll_jv_count(tests);
    linli_status status = LINLI_OK;
    ll_check(count <= 2 * LL_EGRESS_ALLOWED_MAX);
    config->egress =
        ll_arena_alloc(&config->arena, (count + 1) * sizeof *config->egress);
    if (ll_jv_there(ca_file))
        config->ca_file = ll_arena_str(&config->arena, ll_jv_str(ca_file)).ptr;
    if (config->arena.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a configuration");
    /* The tests' first: they say what is where in a development. */
    LL_JSON_MEMBERS (key, value, tests) {
        status =
            read_test_address(config, ll_jv_str(key), ll_jv_str(value), err);
        if (status != LINLI_OK)
            break;
    }
    LL_JSON_EACH (item, allowed) {
        if (status == LINLI_OK)
            status = read_allowed(config, item, err);
    }
    if (status != LINLI_OK && config->arena.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a configuration");
    return status;
}
