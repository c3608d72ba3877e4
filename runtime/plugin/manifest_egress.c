/* plugin/manifest_egress.c: where a plugin may send requests to. [any] */
#include "plugin/manifest_int.h"

static linli_status
read_origin(struct ll_manifest *m, struct ll_jv declared, struct ll_err *err)
{
    const char *why;
    struct ll_url *url = &m->egress[m->egress_count];
    if (!ll_url_read(ll_jv_str(declared), &m->arena, url, &why)) {
        if (m->arena.failed)
            return ll_manifest_no_memory(err);
        linli_status status =
            ll_manifest_refuse(m, declared, err, "no host of the web: %s", why);
        ll_err_fix(err, "Write it as \"https://map.example.com\"");
        return status;
    }
    for (uint32_t i = 0; i < m->egress_count; i++)
        if (ll_url_same_origin(&m->egress[i], url)) {
            linli_status status = ll_manifest_refuse(
                m, declared, err, "the host of /egress/%u again", i);
            ll_err_fix(err, "Remove it");
            return status;
        }
    m->egress_count++;
    return LINLI_OK;
}

linli_status
ll_manifest_fill_egress(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv egress = ll_jv_get(ll_json_root(&m->json), "egress");
    uint32_t count = ll_jv_count(egress);
    ll_check(count <= LL_EGRESS_HOSTS_MAX);
    if (count == 0)
        return LINLI_OK;
    m->egress = ll_arena_alloc(&m->arena, count * sizeof *m->egress);
    if (m->egress == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_EACH (item, egress) {
        linli_status status = read_origin(m, item, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

bool
ll_manifest_egress(const struct ll_manifest *manifest, const struct ll_url *url)
{
    for (uint32_t i = 0; i < manifest->egress_count; i++)
        if (ll_url_same_origin(&manifest->egress[i], url))
            return true;
    return false;
}
