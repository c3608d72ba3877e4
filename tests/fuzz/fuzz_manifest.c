/* tests/fuzz/fuzz_manifest.c: any bytes as plugin.json.
 *
 * Every refusal has a code that Linli knows and says where; what is taken
 * answers the paths of its own routes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "base/text.h"
#include "plugin/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
            r->limits.wall_ms < r->limits.cpu_ms)
            abort();
    }
    ll_arena_fini(&scratch);
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
    if (status == LINLI_OK)
        check_routes(&mem, m);
    else if (m != NULL || err.msg[0] == '\0' ||
             strncmp(err.where, "plugin.json", 11) != 0 ||
             ll_problem_find(ll_cstr(err.code)) == NULL)
        abort();
    ll_manifest_free(&m);
    if (mem.used_bytes != 0)
        abort();
    return 0;
}
