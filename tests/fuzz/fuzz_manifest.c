/* tests/fuzz/fuzz_manifest.c: any bytes as plugin.json.
 *
 * Every refusal has a code that Linli knows and says where; what is taken
 * answers the paths of its own routes, and finds what it declares by name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "base/text.h"
#include "plugin/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a host would rely on without looking again. */
static bool
is_kept(const struct ll_manifest *m, const struct ll_route *r, uint32_t params)
{
    bool device = r->callers == 1u << LL_CALLER_DEVICE;
    for (uint32_t i = 0; i < r->feed_where_count; i++)
        if (r->feed_where[i].param >= params)
            return false;
    if (r->bound_param < -1 || r->bound_param >= (int)params)
        return false;
    if (r->feed && (!r->safe || !ll_manifest_publishes(m, r->feed_event)))
        return false;
    if (r->fallback_status != 0)
        return device && !r->safe && !r->relaxed && !r->feed &&
               r->fallback_status >= 200 && r->fallback_status < 300 &&
               r->fallback_body.len <= LL_FALLBACK_BYTES_MAX;
    return !ll_jv_there(r->fallback);
}

static void
check_routes(struct ll_mem *mem, const struct ll_manifest *m)
{
    struct ll_arena scratch;
    ll_arena_init(&scratch, mem, 1 << 20);
    for (uint32_t i = 0; i < m->route_count; i++) {
        const struct ll_route *r = &m->routes[i];
        struct ll_match match;
        /* ":lot" is a segment like any other, so a path fits itself. */
        if (!ll_manifest_match(m, r->method, r->path, &scratch, &match) ||
            match.route == NULL || match.param_count > LL_PATH_PARAMS_MAX ||
            r->callers == 0 || r->limits.wall_ms < r->limits.burst_ms ||
            r->limits.wall_ms < r->limits.cpu_ms ||
            !is_kept(m, r, match.param_count))
            abort();
    }
    ll_arena_fini(&scratch);
}

/* The text that the store keeps says what the declaration says. */
static void
check_index(struct ll_mem *mem, const struct ll_index_decl *index)
{
    struct ll_json json;
    struct ll_index_spec spec;
    ll_json_init(&json, mem);
    if (ll_json_parse(&json, index->text, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        abort();
    ll_index_spec_read(ll_json_root(&json), &spec);
    if (spec.field_count != index->spec.field_count ||
        spec.unique != index->spec.unique ||
        spec.sparse != index->spec.sparse ||
        spec.longest_ms != index->spec.longest_ms ||
        !ll_str_eq(spec.from, index->spec.from) ||
        !ll_str_eq(spec.to, index->spec.to))
        abort();
    for (uint32_t i = 0; i < spec.field_count; i++)
        if (!ll_str_eq(spec.fields[i], index->spec.fields[i]))
            abort();
    ll_json_fini(&json);
}

static void
check_data(struct ll_mem *mem, const struct ll_manifest *m)
{
    for (uint32_t i = 0; i < m->collection_count; i++) {
        const struct ll_collection_decl *c = &m->collections[i];
        if (ll_manifest_collection(m, c->name) != c || c->retention_ms < 0 ||
            c->doc_bytes < LL_DOC_BYTES_MIN || c->doc_bytes > LL_DOC_BYTES_MAX)
            abort();
        for (uint32_t k = 0; k < c->index_count; k++) {
            if (ll_manifest_index(c, c->indexes[k].name) != &c->indexes[k])
                abort();
            check_index(mem, &c->indexes[k]);
        }
    }
    for (uint32_t i = 0; i < m->meter_count; i++)
        if (ll_manifest_meter(m, m->meters[i].name) != &m->meters[i] ||
            m->meters[i].max_per_call < 1 ||
            m->meters[i].max_per_call > LL_METER_CALL_MAX)
            abort();
    for (uint32_t i = 0; i < m->timer_count; i++)
        if (ll_manifest_timer(m, m->timers[i]) != (int)i)
            abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ll_mem mem;
    struct ll_manifest *m;
    struct ll_err err = {0};
    ll_mem_init(&mem, 0);
    linli_str text = {(const char *)data, size};
    linli_status status = ll_manifest_read(&mem, text, &m, &err);
    if (status == LINLI_OK) {
        check_routes(&mem, m);
        check_data(&mem, m);
    } else if (m != NULL || err.msg[0] == '\0' ||
               strncmp(err.where, "plugin.json", 11) != 0 ||
               ll_problem_find(ll_cstr(err.code)) == NULL)
        abort();
    ll_manifest_free(&m);
    if (mem.used_bytes != 0)
        abort();
    return 0;
}
