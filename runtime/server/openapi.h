/* server/openapi.h: the OpenAPI 3.1 description of this server. [loop]
 *
 * Made from the manifests of the enabled plugins and from openapi.base.json,
 * which holds the runtime's own routes. Per plugin, the first version in the
 * list is described below /v1/c/{community}/ID with the communities that run it
 * as the parameter's values; a community that runs another version gets paths
 * of its own, which OpenAPI prefers to templated ones.
 */
#ifndef LL_SERVER_OPENAPI_H
#define LL_SERVER_OPENAPI_H

#include "base/buf.h"
#include "base/err.h"
#include "plugin/manifest.h"

struct ll_openapi_entry {
    linli_str community;
    const struct ll_manifest *manifest;
};

/* Appends the document to `out`. Entries are borrowed; their order decides
 * the order of the document. LINLI_E_NOMEM: `out` or `mem` is full, and
 * what was appended is of no use. */
linli_status ll_openapi_write(struct ll_mem *mem,
    const struct ll_openapi_entry *entries, uint32_t count,
    struct ll_buf *out) LL_USE_RESULT;

/* Writes the schema `v` as the component `name` (openapi_schema.c): members
 * of components/schemas. A `$ref` within it still leads to the same place. */
void ll_openapi_schema(struct ll_jw *w, linli_str name, struct ll_jv v);

#endif
