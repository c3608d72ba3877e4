/* host/conf_notify.c: who brings messages: the member `notify`. */
#include "host/conf.h"

#include "base/text.h"
#include "domain/url.h"

/* A gateway: where it is, and what it knows us by. */
static linli_status
read_gateway(struct ll_config *config, struct ll_jv said, enum ll_way way,
    struct ll_err *err)
{
    struct ll_notify_conf *conf = &config->notify[way];
    struct ll_url url;
    const char *why = NULL;
    linli_str key = ll_jv_str(ll_jv_get(said, "key_file"));
    if (!ll_url_read(
            ll_jv_str(ll_jv_get(said, "url")), &config->arena, &url, &why)) {
        linli_status status = ll_fail(err, LINLI_E_INVALID, "config/invalid",
            "%s", why == NULL ? "it cannot be read" : why);
        ll_err_where(err, "/notify/%s/url", ll_way_name(way));
        return status;
    }
    conf->url = ll_url_text(&url, &config->arena);
    if (key.len > 0)
        conf->key_file = ll_arena_str(&config->arena, key);
    return config->arena.failed
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a gateway")
               : LINLI_OK;
}

/* A way of which nothing is said has the simulator in development, and nobody
 * in production. */
linli_status
ll_config_read_notify(struct ll_config *config, struct ll_jv notify,
    bool *sim_asked, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    *sim_asked = false;
    for (uint32_t i = 0; status == LINLI_OK && i < LL_WAY_COUNT; i++) {
        enum ll_way way = (enum ll_way)i;
        struct ll_jv said = ll_jv_get(notify, ll_way_name(way));
        bool sim = ll_str_is(ll_jv_str(said), "sim");
        config->notify[i].sim =
            sim || (!ll_jv_there(said) && config->development);
        *sim_asked |= sim;
        if (ll_jv_is(said, LL_JSON_OBJECT))
            status = read_gateway(config, said, way, err);
    }
    return status;
}
