/* tests/fuzz/fuzz_schema.c: any schema, any document.
 *
 * The input is one JSON array: the schema, then documents to judge by it. A
 * verdict is the same whether somebody wants the reasons or not, each reason
 * is a text, and no byte is lost.
 */
#include <stdlib.h>
#include <string.h>

#include "base/schema.h"
#include "base/text.h"

/* Keeps a hostile pattern times many strings within a fuzzer's patience. */
#define INPUT_BYTES_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_report(const struct ll_schema_report *report, linli_status status)
{
    if ((report->count == 0) != (status == LINLI_OK) ||
        report->count > LL_SCHEMA_ERRORS_MAX)
        abort();
    for (uint32_t i = 0; i < report->count; i++) {
        const struct ll_schema_error *e = &report->errors[i];
        if (memchr(e->at, '\0', sizeof e->at) == NULL ||
            memchr(e->rule, '\0', sizeof e->rule) == NULL ||
            memchr(e->message, '\0', sizeof e->message) == NULL ||
            e->rule[0] == '\0' || e->message[0] == '\0' ||
            !ll_utf8_valid(ll_cstr(e->at)))
            abort();
    }
}

static void
check_documents(struct ll_mem *mem, struct ll_jv root, bool patterns)
{
    struct ll_schema *schema;
    struct ll_schema_report report;
    struct ll_err err = {0};
    struct ll_jv first = ll_jv_first(root);
    linli_status status = ll_schema_compile(mem, first,
        (struct ll_schema_options){.patterns = patterns}, &schema, &err);
    if (status != LINLI_OK) {
        if (err.msg[0] == '\0' || err.code[0] == '\0' || schema != NULL)
            abort();
        return;
    }
    LL_JSON_EACH (doc, root) {
        status = ll_schema_check(schema, doc, &report);
        check_report(&report, status);
        if (ll_schema_check(schema, doc, NULL) != status)
            abort();
    }
    ll_schema_free(&schema);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    if (size > INPUT_BYTES_MAX)
        return 0;
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    linli_str text = {(const char *)data, size};
    if (ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, &err) == LINLI_OK &&
        ll_jv_is(ll_json_root(&json), LL_JSON_ARRAY) &&
        ll_jv_count(ll_json_root(&json)) > 0) {
        check_documents(&mem, ll_json_root(&json), true);
        check_documents(&mem, ll_json_root(&json), false);
    }
    ll_json_fini(&json);
    if (mem.used_bytes != 0)
        abort();
    return 0;
}
