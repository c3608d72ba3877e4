/* host/own_schema.c: compiled for one document, then dropped. */
#include "host/own_schema.h"

#include "base/schema.h"

linli_status
ll_own_schema_check(struct ll_mem *mem, linli_str bytes, struct ll_jv root,
    const char *code, struct ll_err *err)
{
    struct ll_json text;
    struct ll_schema *schema = NULL;
    struct ll_schema_report report = {0};
    struct ll_schema_options options = {.patterns = true};
    ll_json_init(&text, mem);
    linli_status status = ll_json_parse(&text, bytes, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status =
            ll_schema_compile(mem, ll_json_root(&text), options, &schema, err);
    if (status == LINLI_OK)
        status = ll_schema_check(schema, root, &report);
    if (status == LINLI_E_NOMEM) {
        (void)ll_fail(err, status, "runtime/memory", "a document");
    } else if (report.count > 0) {
        status = ll_fail(err, LINLI_E_INVALID, code, "%s (%s)",
            report.errors[0].message, report.errors[0].rule);
        ll_err_where(err, "%s",
            report.errors[0].at[0] == '\0' ? "/" : report.errors[0].at);
    }
    ll_schema_free(&schema);
    ll_json_fini(&text);
    return status;
}
