/* tests/unit/test_schema.c: what the official suite does not ask: refusals,
 * messages, bounds, exactness, memory. */
#include "t.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/schema.h"
#include "base/text.h"

struct world {
    struct ll_mem mem;
    struct ll_json schema_json, doc_json;
    struct ll_schema *schema;
    struct ll_schema_report report;
    struct ll_err err;
};

static void
begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    ll_mem_init(&w->mem, 0);
    ll_json_init(&w->schema_json, &w->mem);
    ll_json_init(&w->doc_json, &w->mem);
}

static linli_status
compile(struct world *w, linli_str text, bool patterns)
{
    linli_status status =
        ll_json_parse(&w->schema_json, text, LL_JSON_DEPTH_MAX, &w->err);
    T_INT(status, LINLI_OK);
    if (status != LINLI_OK)
        return status;
    return ll_schema_compile(&w->mem, ll_json_root(&w->schema_json),
        (struct ll_schema_options){.patterns = patterns}, &w->schema, &w->err);
}

static linli_status
judge(struct world *w, linli_str text)
{
    linli_status status =
        ll_json_parse(&w->doc_json, text, LL_JSON_DEPTH_MAX, &w->err);
    T_INT(status, LINLI_OK);
    if (status != LINLI_OK)
        return status;
    struct ll_jv doc = ll_json_root(&w->doc_json);
    linli_status with = ll_schema_check(w->schema, doc, &w->report);
    T_INT(ll_schema_check(w->schema, doc, NULL), with);
    T_OK((with == LINLI_OK) == (w->report.count == 0));
    return with;
}

static void
end(struct world *w)
{
    ll_schema_free(&w->schema);
    T_OK(w->schema == NULL);
    ll_json_fini(&w->schema_json);
    ll_json_fini(&w->doc_json);
    T_INT(w->mem.used_bytes, 0);
}

/* -- schemas that are refused -- */

static const struct {
    const char *schema, *where, *says; /* in msg or fix */
} refusals[] = {
    {"1", "", "an integer, where a schema"},
    {"[]", "", "an array, where a schema"},
    {"{\"typ\":1}", "/typ", "Did you mean \"type\"?"},
    {"{\"zzz\":1}", "/zzz", "not a keyword"},
    {"{\"properties\":{\"a\":{\"minlength\":1}}}", "/properties/a/minlength",
        "\"minLength\""},
    {"{\"$dynamicRef\":\"#a\"}", "/$dynamicRef", "Use $ref"},
    {"{\"$dynamicAnchor\":\"a\"}", "/$dynamicAnchor", "Use $anchor"},
    {"{\"unevaluatedItems\":false}", "/unevaluatedItems", "Use items"},
    {"{\"unevaluatedProperties\":false}", "/unevaluatedProperties",
        "Use additionalProperties"},
    {"{\"$vocabulary\":{}}", "/$vocabulary", "Leave it out"},
    {"{\"contentSchema\":{}}", "/contentSchema", "assert nothing"},
    {"{\"definitions\":{}}", "/definitions", "Use $defs"},
    {"{\"nullable\":true}", "/nullable", "null"},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}", "/$schema",
        "another dialect"},
    /* unused places are read too */
    {"{\"$defs\":{\"a\":{\"b\":{\"c\":1}}}}", "/$defs/a/b", "keyword"},
    {"{\"then\":{\"x\":1}}", "/then/x", "keyword"},
    {"{\"$defs\":{\"a/b\":{\"~\":1}}}", "/$defs/a~1b/~0", "keyword"},
    /* shapes */
    {"{\"type\":\"strin\"}", "/type", "\"string\""},
    {"{\"type\":[]}", "/type", "no type"},
    {"{\"type\":[\"string\",1]}", "/type/1", "a type is"},
    {"{\"enum\":1}", "/enum", "an array"},
    {"{\"minimum\":\"1\"}", "/minimum", "a number"},
    {"{\"multipleOf\":0}", "/multipleOf", "greater than 0"},
    {"{\"multipleOf\":-1}", "/multipleOf", "greater than 0"},
    {"{\"multipleOf\":\"1\"}", "/multipleOf", "greater than 0"},
    {"{\"maxLength\":-1}", "/maxLength", "whole number"},
    {"{\"maxLength\":1.5}", "/maxLength", "whole number"},
    {"{\"maxLength\":null}", "/maxLength", "whole number"},
    {"{\"items\":[{}]}", "/items", "where a schema"},
    {"{\"prefixItems\":{}}", "/prefixItems", "one schema or more"},
    {"{\"allOf\":[]}", "/allOf", "one schema or more"},
    {"{\"anyOf\":[1]}", "/anyOf/0", "where a schema"},
    {"{\"uniqueItems\":1}", "/uniqueItems", "true or false"},
    {"{\"required\":\"a\"}", "/required", "an array of names"},
    {"{\"required\":[1]}", "/required/0", "a string"},
    {"{\"required\":[\"a\",\"b\",\"a\"]}", "/required/2", "twice"},
    {"{\"dependentRequired\":{\"a\":1}}", "/dependentRequired/a", "names"},
    {"{\"properties\":[]}", "/properties", "an object of schemas"},
    {"{\"title\":1}", "/title", "wanted a string"},
    {"{\"examples\":{}}", "/examples", "wanted an array"},
    {"{\"deprecated\":\"no\"}", "/deprecated", "wanted a boolean"},
    /* formats */
    {"{\"format\":\"datetime\"}", "/format", "\"date-time\""},
    {"{\"format\":\"hostname\"}", "/format", "ignores none"},
    {"{\"format\":1}", "/format", "ignores none"},
    /* references */
    {"{\"$ref\":1}", "/$ref", "URI reference"},
    {"{\"$ref\":\"#/$defs/x\"}", "/$ref", "no schema"},
    {"{\"$ref\":\"#x\"}", "/$ref", "no schema"},
    {"{\"$ref\":\"#/$defs\",\"$defs\":{}}", "/$ref", "no schema"},
    {"{\"$ref\":\"#/enum/0\",\"enum\":[{}]}", "/$ref", "no schema"},
    {"{\"$ref\":\"#/allOf/01\",\"allOf\":[true,true]}", "/$ref", "no schema"},
    {"{\"$ref\":\"#/allOf/-1\",\"allOf\":[true]}", "/$ref", "no schema"},
    {"{\"$ref\":\"#/$defs/a~2\",\"$defs\":{\"a~2\":true}}", "/$ref", "no"},
    {"{\"$ref\":\"#/%zz\"}", "/$ref", "hex digits"},
    {"{\"$ref\":\"other.json\"}", "/$ref", "remote"},
    {"{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}", "/$ref",
        "remote"},
    {"{\"$id\":\"http://a/b#c\"}", "/$id", "without a fragment"},
    {"{\"$id\":\"\"}", "/$id", "URI reference"},
    {"{\"$id\":\"a b\"}", "/$id", "URI reference"},
    {"{\"$id\":\"x\",\"items\":{\"$id\":\"x\"}}", "/items/$id", "twice"},
    {"{\"$anchor\":\"1\"}", "/$anchor", "a letter"},
    {"{\"$anchor\":\"a\",\"items\":{\"$anchor\":\"a\"}}", "/items/$anchor",
        "twice"},
    /* loops that never go deeper */
    {"{\"$ref\":\"#\"}", "", "back to here"},
    {"{\"allOf\":[{\"anyOf\":[{\"$ref\":\"#\"}]}]}", "", "back to here"},
    {"{\"not\":{\"$ref\":\"#\"}}", "", "back to here"},
    {"{\"dependentSchemas\":{\"a\":{\"$ref\":\"#\"}}}", "", "back to here"},
    {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":"
     "{\"if\":{\"$ref\":\"#/$defs/c\"}},\"c\":{\"oneOf\":[true,{\"$ref\":"
     "\"#/$defs/b\"}]}}}",
        "/$defs/", "back to here"},
    /* patterns */
    {"{\"pattern\":1}", "/pattern", "where a pattern"},
    {"{\"pattern\":\"(\"}", "/pattern", "does not compile"},
    {"{\"pattern\":\"[\"}", "/pattern", "does not compile"},
    {"{\"pattern\":\"a\\\\\"}", "/pattern", "a backslash"},
    {"{\"pattern\":\"\\\\Aa\"}", "/pattern", "an escape"},
    {"{\"pattern\":\"a\\\\Z\"}", "/pattern", "an escape"},
    {"{\"pattern\":\"\\\\Qa\\\\E\"}", "/pattern", "an escape"},
    {"{\"pattern\":\"[\\\\S]\"}", "/pattern", "inside []"},
    {"{\"pattern\":\"(?i)a\"}", "/pattern", "a group"},
    {"{\"pattern\":\"(?>a)\"}", "/pattern", "a group"},
    {"{\"pattern\":\"(?C1)a\"}", "/pattern", "a group"},
    {"{\"pattern\":\"(*NO_JIT)a\"}", "/pattern", "a group"},
    {"{\"pattern\":\"a++\"}", "/pattern", "repeated already"},
    {"{\"pattern\":\"a{2}{3}\"}", "/pattern", "repeated already"},
    {"{\"pattern\":\"a*?+\"}", "/pattern", "repeated already"},
    {"{\"pattern\":\"\\\\p\"}", "/pattern", "a property"},
    {"{\"pattern\":\"\\\\pL\"}", "/pattern", "a property"},
    {"{\"pattern\":\"\\\\p{Nothing}\"}", "/pattern", "does not compile"},
    {"{\"patternProperties\":{\"(\":{}}}", "/patternProperties/(", "compile"},
};

T_CASE(refuses_what_it_does_not_take)
{
    for (size_t i = 0; i < LL_COUNT(refusals); i++) {
        struct world w;
        begin(&w);
        linli_status status = compile(&w, ll_cstr(refusals[i].schema), true);
        const char *where = refusals[i].where;
        size_t n = strlen(where);
        bool tail = n > 0 && where[n - 1] == '/'; /* any place below */
        bool ok = status == LINLI_E_INVALID && w.schema == NULL &&
                  strcmp(w.err.code, "manifest/schema") == 0 &&
                  (tail ? strncmp(w.err.where, where, n) == 0
                        : strcmp(w.err.where, where) == 0 || n == 0) &&
                  (strstr(w.err.msg, refusals[i].says) != NULL ||
                      strstr(w.err.fix, refusals[i].says) != NULL);
        T_OK(ok);
        if (!ok)
            printf("# %s: %d %s: %s (%s)\n", refusals[i].schema, (int)status,
                w.err.where, w.err.msg, w.err.fix);
        end(&w);
    }
}

/* -- verdicts and what they say -- */

/* 192 bytes, more than a message has room for. */
#define EIGHT "\"aaaaa\","
#define LONG                                                              \
    "[" EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT \
        EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT \
            EIGHT "\"aaaa\"]"

static const struct {
    const char *schema, *doc;
    const char *at;   /* NULL: valid */
    const char *rule; /* of the first error */
    const char *message;
} verdicts[] = {
    {"{\"type\":\"integer\"}", "\"x\"", "", "type",
        "a string, wanted an integer"},
    {"{\"type\":\"integer\"}", "1.5", "", "type",
        "a number with a fraction, wanted an integer"},
    {"{\"type\":\"integer\"}", "1.0", NULL, "", ""},
    {"{\"type\":\"integer\"}", "1e300", NULL, "", ""},
    {"{\"type\":[\"integer\",\"null\"]}", "[]", "", "type",
        "an array, wanted an integer or null"},
    {"{\"type\":[\"number\",\"integer\",\"string\"]}", "{}", "", "type",
        "an object, wanted a string or a number"},
    {"{\"properties\":{\"plate\":{\"maxLength\":8}}}",
        "{\"plate\":\"\xe4\xba\xac"
        "A12345678\"}",
        "/plate", "maxLength", "10 characters, at most 8"},
    {"{\"minLength\":2}", "\"\xf0\x9f\x98\x8e\"", "", "minLength",
        "1 characters, at least 2"},
    {"{\"properties\":{\"plate\":{}},\"additionalProperties\":false}",
        "{\"plaet\":1}", "/plaet", "additionalProperties",
        "this member is not known here, did you mean \"plate\"?"},
    {"{\"properties\":{\"plate\":{}},\"additionalProperties\":false}",
        "{\"colour\":1}", "/colour", "additionalProperties",
        "this member is not known here"},
    {"{\"required\":[\"a\",\"b\"]}", "{\"b\":1}", "", "required",
        "the member \"a\" is missing"},
    {"{\"properties\":{\"a\":{\"items\":{\"minimum\":1}}}}", "{\"a\":[1,2,0]}",
        "/a/2", "minimum", "wanted at least 1"},
    {"{\"maximum\":10}", "11", "", "maximum", "wanted at most 10"},
    {"{\"exclusiveMinimum\":0}", "0", "", "exclusiveMinimum",
        "wanted more than 0"},
    {"{\"exclusiveMaximum\":0.5}", "0.5", "", "exclusiveMaximum",
        "wanted less than 0.5"},
    {"{\"multipleOf\":0.01}", "0.015", "", "multipleOf",
        "wanted a multiple of 0.01"},
    {"{\"enum\":[\"lua\",\"native\"]}", "\"js\"", "", "enum",
        "not one of the allowed values: \"lua\", \"native\""},
    {"{\"enum\":[]}", "1", "", "enum", "not one of the allowed values: "},
    {"{\"enum\":[" LONG "]}", "1", "", "enum",
        "not one of the allowed values: ..."},
    {"{\"enum\":[0," LONG "]}", "1", "", "enum",
        "not one of the allowed values: 0, ..."},
    {"{\"const\":" LONG "}", "1", "", "const",
        "wanted the one value the schema names"},
    {"{\"const\":{\"a\":1}}", "{\"a\":2}", "", "const", "wanted {\"a\":1}"},
    {"{\"pattern\":\"^a\"}", "\"b\"", "", "pattern", "does not match ^a"},
    {"{\"format\":\"date\"}", "\"2026-02-29\"", "", "format", "not a date"},
    {"{\"format\":\"date\"}", "1", NULL, "", ""},
    {"{\"minItems\":2}", "[1]", "", "minItems", "1 items, at least 2"},
    {"{\"maxItems\":0}", "[1]", "", "maxItems", "1 items, at most 0"},
    {"{\"uniqueItems\":true}", "[1,{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]",
        "/2", "uniqueItems", "an item that stands twice"},
    {"{\"contains\":{\"const\":1}}", "[2]", "", "contains",
        "0 items of the wanted kind, at least 1"},
    {"{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,1]", "",
        "maxContains", "2 items of the wanted kind, at most 1"},
    {"{\"minProperties\":1}", "{}", "", "minProperties",
        "0 members, at least 1"},
    {"{\"propertyNames\":{\"maxLength\":2}}", "{\"ab\":1,\"abc\":1}", "/abc",
        "maxLength", "3 characters, at most 2"},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "",
        "dependentRequired", "the member \"b\" is missing"},
    {"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}}", "{\"a\":1}", "",
        "required", "the member \"b\" is missing"},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"const\":1}]}", "2", "", "anyOf",
        "fits none of the 2 shapes allowed here"},
    /* the shape that was meant, where only one can be */
    {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"required\":"
     "[\"a\"]}]}",
        "{}", "", "required", "the member \"a\" is missing"},
    {"{\"oneOf\":[{\"$ref\":\"#/$defs/t\"},{\"$ref\":\"#/$defs/m\"}],"
     "\"$defs\":{\"t\":{\"properties\":{\"kind\":{\"const\":\"t\"},\"n\":"
     "{\"minimum\":1}}},\"m\":{\"properties\":{\"kind\":{\"const\":\"m\"}},"
     "\"additionalProperties\":false}}}",
        "{\"kind\":\"t\",\"n\":0}", "/n", "minimum", "wanted at least 1"},
    {"{\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"t\"}}},"
     "{\"properties\":{\"kind\":{\"const\":\"m\"}}}]}",
        "{\"kind\":\"x\"}", "", "oneOf",
        "fits none of the 2 shapes allowed here"},
    {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "3", "", "oneOf",
        "fits more than one of the 2 shapes allowed here"},
    {"{\"not\":{\"type\":\"null\"}}", "null", "", "not",
        "has the shape that is excluded here"},
    {"{\"properties\":{\"a\":false}}", "{\"a\":1}", "/a", "false",
        "nothing is allowed here"},
    {"{\"if\":{\"minimum\":5},\"then\":{\"maximum\":9},\"else\":{\"maximum\":"
     "1}}",
        "3", "", "maximum", "wanted at most 1"},
    /* one $ref in another's error */
    {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"items\":{\"$ref\":\"#b\"}},"
     "\"b\":{\"$anchor\":\"b\",\"type\":\"null\"}}}",
        "[null,1]", "/1", "type", "an integer, wanted null"},
    {"{\"$id\":\"http://x/a/b\",\"items\":{\"$ref\":\"../c?d#e\"},\"$defs\":"
     "{\"c\":{\"$id\":\"/c?d\",\"not\":{\"$anchor\":\"e\",\"type\":"
     "\"null\"}}}}",
        "[1]", "/0", "type", "an integer, wanted null"},
    /* recursion through the document */
    {"{\"properties\":{\"next\":{\"$ref\":\"#\"}},\"additionalProperties\":"
     "false}",
        "{\"next\":{\"next\":{\"nxet\":1}}}", "/next/next/nxet",
        "additionalProperties",
        "this member is not known here, did you mean \"next\"?"},
};

T_CASE(says_where_which_and_why)
{
    for (size_t i = 0; i < LL_COUNT(verdicts); i++) {
        struct world w;
        begin(&w);
        linli_status status = compile(&w, ll_cstr(verdicts[i].schema), true);
        T_INT(status, LINLI_OK);
        if (status != LINLI_OK) {
            printf("# %s: %s %s\n", verdicts[i].schema, w.err.where, w.err.msg);
            end(&w);
            continue;
        }
        status = judge(&w, ll_cstr(verdicts[i].doc));
        const struct ll_schema_error *e = &w.report.errors[0];
        bool ok = verdicts[i].at == NULL
                      ? status == LINLI_OK
                      : status == LINLI_E_INVALID &&
                            strcmp(e->at, verdicts[i].at) == 0 &&
                            strcmp(e->rule, verdicts[i].rule) == 0 &&
                            strcmp(e->message, verdicts[i].message) == 0;
        T_OK(ok);
        if (!ok)
            printf("# %s %s: %d at \"%s\" %s: %s\n", verdicts[i].schema,
                verdicts[i].doc, (int)status, e->at, e->rule, e->message);
        end(&w);
    }
}

T_CASE(reports_at_most_sixteen)
{
    struct world w;
    char doc[] = "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]";
    begin(&w);
    T_INT(compile(&w, LINLI_STR("{\"items\":{\"minimum\":1}}"), true), 0);
    T_INT(judge(&w, ll_cstr(doc)), LINLI_E_INVALID);
    T_INT(w.report.count, LL_SCHEMA_ERRORS_MAX);
    T_STR(ll_cstr(w.report.errors[15].at), "/15");
    end(&w);
    /* All of one object are told, not only the first. */
    begin(&w);
    T_INT(compile(&w,
              LINLI_STR("{\"required\":[\"a\",\"b\"],\"properties\":{\"c\":"
                        "{\"type\":\"null\"},\"d\":{\"type\":\"null\"}},"
                        "\"maxProperties\":1}"),
              true),
        0);
    T_INT(judge(&w, LINLI_STR("{\"c\":1,\"d\":2}")), LINLI_E_INVALID);
    T_INT(w.report.count, 5);
    end(&w);
}

/* -- exact numbers -- */

static const struct {
    const char *schema, *doc;
    bool valid;
} numbers[] = {
    {"{\"maximum\":9007199254740992}", "9007199254740993", false},
    {"{\"maximum\":9007199254740992.0}", "9007199254740993", false},
    {"{\"maximum\":9223372036854775807}", "9223372036854775808.0", false},
    {"{\"minimum\":-9223372036854775808}", "-9223372036854775808.0", true},
    {"{\"exclusiveMaximum\":9223372036854775808.0}", "9223372036854775807",
        true},
    {"{\"maximum\":1e300}", "9223372036854775807", true},
    {"{\"const\":9007199254740993}", "9007199254740992.0", false},
    {"{\"enum\":[1.0]}", "1", true},
    {"{\"multipleOf\":0.01}", "19.99", true},
    {"{\"multipleOf\":0.01}", "1234567.89", true},
    {"{\"multipleOf\":0.01}", "4.35", true},
    {"{\"multipleOf\":0.1}", "0.3", true},
    {"{\"multipleOf\":0.0001}", "0.0075", true},
    {"{\"multipleOf\":0.0001}", "0.00751", false},
    {"{\"multipleOf\":0.3}", "1e20", false},
    {"{\"multipleOf\":0.5}", "1e300", true},
    {"{\"multipleOf\":0.123456789}", "1e308", false},
    {"{\"multipleOf\":3}", "9223372036854775807", false},
    {"{\"multipleOf\":7}", "9223372036854775807", true},
    {"{\"multipleOf\":2}", "-9223372036854775808", true},
    {"{\"multipleOf\":9223372036854775807}", "9223372036854775806", false},
    {"{\"multipleOf\":9007199254740993}", "9007199254740993", true},
    {"{\"multipleOf\":9007199254740993}", "9007199254740992", false},
    {"{\"multipleOf\":5}", "0", true},
    {"{\"multipleOf\":5}", "-0.0", true},
    {"{\"multipleOf\":1e300}", "1", false},
    {"{\"multipleOf\":5e-324}", "1", false},
    {"{\"multipleOf\":2.5}", "-7.5", true},
    {"{\"maxLength\":2.0}", "\"abc\"", false},
    {"{\"maxLength\":1e30}", "\"abc\"", true},
};

T_CASE(never_rounds)
{
    for (size_t i = 0; i < LL_COUNT(numbers); i++) {
        struct world w;
        begin(&w);
        T_INT(compile(&w, ll_cstr(numbers[i].schema), true), LINLI_OK);
        bool valid = judge(&w, ll_cstr(numbers[i].doc)) == LINLI_OK;
        T_OK(valid == numbers[i].valid);
        if (valid != numbers[i].valid)
            printf("# %s %s\n", numbers[i].schema, numbers[i].doc);
        end(&w);
    }
}

/* -- patterns -- */

static const struct {
    const char *pattern, *text; /* inside JSON quotes */
    bool found;
} patterns[] = {
    {"^a$", "a", true},
    {"^a$", "a\\n", false},
    {"b", "abc", true},
    {"^.$", "\\ud83d\\ude0e", true},
    {"^.$", "\\n", false},
    {"^\\\\d$", "\\u0665", false},
    {"^\\\\w$", "\\u00e9", false},
    {"^\\\\s$", "\\u3000", true},
    {"^\\\\s$", "\\ufeff", true},
    {"^[\\\\s]$", "\\u2028", true},
    {"^\\\\s$", "\\u200b", false},
    {"^\\\\S$", "\\u3000", false},
    {"^\\\\S$", "a", true},
    {"^\\\\v$", "\\u000b", true},
    {"^\\\\v$", "\\n", false},
    {"^[[:alpha:]]$", ":]", true},
    {"^[[:alpha:]]$", "x", false},
    {"^\\\\u4eac$", "\\u4eac", true},
    {"^\\\\u{1F60E}$", "\\ud83d\\ude0e", true},
    {"^\\\\x41$", "A", true},
    {"^\\\\p{Letter}+$", "\\u4eac", true},
    {"^\\\\p{L}+$", "1", false},
    {"^\\\\P{Lu}$", "A", false},
    {"^[\\\\p{Lowercase_Letter}]{2}$", "ab", true},
    {"^(?<y>a)\\\\k<y>$", "aa", true},
    {"^(?:a|b)(?=c)", "bc", true},
    {"^a{2,3}?$", "aaa", true},
    {"[]", "", false},
    {"[^]", "\\n", true},
    {"^\\\\/\\\\-\\\\.$", "/-.", true},
    {"^\\\\0$", "\\u0000", true},
    {"", "", true},
};

T_CASE(reads_patterns_as_ecma_262)
{
    for (size_t i = 0; i < LL_COUNT(patterns); i++) {
        struct world w;
        char schema[256], doc[64];
        begin(&w);
        (void)snprintf(
            schema, sizeof schema, "{\"pattern\":\"%s\"}", patterns[i].pattern);
        (void)snprintf(doc, sizeof doc, "\"%s\"", patterns[i].text);
        linli_status status = compile(&w, ll_cstr(schema), true);
        T_INT(status, LINLI_OK);
        if (status == LINLI_OK) {
            bool found = judge(&w, ll_cstr(doc)) == LINLI_OK;
            T_OK(found == patterns[i].found);
            if (found != patterns[i].found)
                printf("# %s %s\n", schema, doc);
        } else {
            printf("# %s: %s\n", schema, w.err.msg);
        }
        end(&w);
    }
}

T_CASE(leaves_patterns_to_the_worker)
{
    struct world w;
    /* Not even looked at by PCRE2, which would refuse it. */
    linli_str text =
        LINLI_STR("{\"properties\":{\"a\":{\"pattern\":\"(((\"}}}");
    begin(&w);
    T_INT(compile(&w, text, false), LINLI_OK);
    T_INT(judge(&w, LINLI_STR("{}")), LINLI_E_UNSUPPORTED);
    T_STR(ll_cstr(w.report.errors[0].rule), "pattern");
    end(&w);
    begin(&w);
    T_INT(compile(&w, LINLI_STR("{\"patternProperties\":{\"(\":{}}}"), false),
        LINLI_OK);
    T_INT(judge(&w, LINLI_STR("{}")), LINLI_E_UNSUPPORTED);
    end(&w);
    begin(&w);
    T_INT(compile(&w, LINLI_STR("{\"pattern\":1}"), false), LINLI_E_INVALID);
    end(&w);
    /* Without patterns there is nothing to leave. */
    begin(&w);
    T_INT(compile(&w, LINLI_STR("{\"type\":\"null\"}"), false), LINLI_OK);
    T_INT(judge(&w, LINLI_STR("1")), LINLI_E_INVALID);
    end(&w);
}

/* -- bounds -- */

T_CASE(stops_at_the_work_bound)
{
    struct world w;
    struct ll_buf buf;
    begin(&w);
    ll_buf_init(&buf, &w.mem, 1 << 20);
    /* Each of 40 levels applies the next twice: 2^40 steps. */
    ll_buf_cstr(&buf, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < 40; i++)
        ll_buf_printf(&buf,
            "\"d%d\":{\"allOf\":[{\"$ref\":\"#/$defs/d%d\"},"
            "{\"$ref\":\"#/$defs/d%d\"}]},",
            i, i + 1, i + 1);
    ll_buf_cstr(&buf, "\"d40\":{\"type\":\"null\"}}}");
    T_INT(compile(&w, ll_buf_view(&buf), true), LINLI_OK);
    T_INT(judge(&w, LINLI_STR("null")), LINLI_E_LIMIT);
    T_STR(ll_cstr(w.report.errors[0].rule), "limit");
    T_INT(judge(&w, LINLI_STR("1")), LINLI_E_INVALID);
    ll_buf_fini(&buf);
    end(&w);
    /* A verdict that was not reached is not turned round by `not`. */
    begin(&w);
    T_INT(compile(&w, LINLI_STR("{\"not\":{\"pattern\":\"^(a+)+$\"}}"), true),
        LINLI_OK);
    T_INT(judge(&w, LINLI_STR("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"")),
        LINLI_E_LIMIT);
    end(&w);
}

T_CASE(stops_at_the_depth_bound)
{
    struct world w;
    struct ll_buf buf;
    for (int depth = LL_SCHEMA_DEPTH_MAX - 1; depth <= LL_SCHEMA_DEPTH_MAX;
         depth++) {
        begin(&w);
        ll_buf_init(&buf, &w.mem, 1 << 20);
        /* `depth` references, one behind the other, and their root. */
        ll_buf_cstr(&buf, "{\"$ref\":\"#/$defs/d1\",\"$defs\":{");
        for (int i = 1; i < depth; i++)
            ll_buf_printf(
                &buf, "\"d%d\":{\"$ref\":\"#/$defs/d%d\"},", i, i + 1);
        ll_buf_printf(&buf, "\"d%d\":{\"type\":\"null\"}}}", depth);
        T_INT(compile(&w, ll_buf_view(&buf), true), LINLI_OK);
        T_INT(judge(&w, LINLI_STR("null")),
            depth < LL_SCHEMA_DEPTH_MAX ? LINLI_OK : LINLI_E_LIMIT);
        ll_buf_fini(&buf);
        end(&w);
    }
}

T_CASE(bounds_a_schema)
{
    struct world w;
    struct ll_buf buf;
    for (int over = 0; over <= 1; over++) {
        begin(&w);
        ll_buf_init(&buf, &w.mem, 1 << 20);
        ll_buf_cstr(&buf, "{\"allOf\":[true");
        for (int i = 2; i < LL_SCHEMA_NODES_MAX + over; i++)
            ll_buf_cstr(&buf, ",true");
        ll_buf_cstr(&buf, "]}");
        T_INT(compile(&w, ll_buf_view(&buf), true),
            over ? LINLI_E_INVALID : LINLI_OK);
        ll_buf_clear(&buf);
        ll_schema_free(&w.schema);
        ll_buf_cstr(&buf, "{\"$anchor\":\"a\",\"allOf\":[true");
        for (int i = 1; i < LL_SCHEMA_IDS_MAX + over; i++)
            ll_buf_printf(&buf, ",{\"$id\":\"http://x/%d\"}", i);
        ll_buf_cstr(&buf, "]}");
        T_INT(compile(&w, ll_buf_view(&buf), true),
            over ? LINLI_E_INVALID : LINLI_OK);
        ll_buf_clear(&buf);
        ll_schema_free(&w.schema);
        ll_buf_cstr(&buf, "{\"pattern\":\"");
        for (int i = 0; i < LL_SCHEMA_PATTERN_BYTES_MAX + over; i++)
            ll_buf_char(&buf, 'a');
        ll_buf_cstr(&buf, "\"}");
        T_INT(compile(&w, ll_buf_view(&buf), true),
            over ? LINLI_E_INVALID : LINLI_OK);
        ll_buf_fini(&buf);
        end(&w);
    }
    begin(&w);
    ll_buf_init(&buf, &w.mem, 1 << 20);
    ll_buf_cstr(&buf, "{\"$id\":\"http://x/");
    for (int i = 0; i < LL_SCHEMA_URI_BYTES_MAX; i++)
        ll_buf_char(&buf, 'a');
    ll_buf_cstr(&buf, "\"}");
    T_INT(compile(&w, ll_buf_view(&buf), true), LINLI_E_INVALID);
    T_OK(strstr(w.err.msg, "2048") != NULL);
    ll_buf_fini(&buf);
    end(&w);
}

/* Big and well-behaved documents are judged in one pass. */
T_CASE(judges_large_documents)
{
    struct world w;
    struct ll_buf buf;
    begin(&w);
    ll_buf_init(&buf, &w.mem, 8 << 20);
    ll_buf_cstr(&buf, "{\"additionalProperties\":false,\"required\":[\"p1\"],"
                      "\"properties\":{\"p0\":true");
    for (int i = 1; i < 5000; i++)
        ll_buf_printf(&buf, ",\"p%d\":{\"type\":\"integer\"}", i);
    ll_buf_cstr(&buf, "}}");
    T_INT(compile(&w, ll_buf_view(&buf), true), LINLI_OK);
    struct ll_buf doc;
    ll_buf_init(&doc, &w.mem, 8 << 20);
    ll_buf_cstr(&doc, "{\"p0\":null");
    for (int i = 1; i < 5000; i++)
        ll_buf_printf(&doc, ",\"p%d\":%d", i, i);
    ll_buf_cstr(&doc, "}");
    T_INT(judge(&w, ll_buf_view(&doc)), LINLI_OK);
    ll_buf_fini(&doc);
    ll_buf_fini(&buf);
    end(&w);
    begin(&w);
    ll_buf_init(&buf, &w.mem, 8 << 20);
    T_INT(compile(&w, LINLI_STR("{\"uniqueItems\":true}"), true), LINLI_OK);
    ll_buf_char(&buf, '[');
    for (int i = 0; i < 100000; i++)
        ll_buf_printf(&buf, "%d,", i * 7);
    size_t keep = buf.len;
    ll_buf_cstr(&buf, "-1]");
    T_INT(judge(&w, ll_buf_view(&buf)), LINLI_OK);
    buf.len = keep;
    ll_buf_cstr(&buf, "49.0]");
    T_INT(judge(&w, ll_buf_view(&buf)), LINLI_E_INVALID);
    T_STR(ll_cstr(w.report.errors[0].at), "/100000");
    ll_buf_fini(&buf);
    end(&w);
}

/* Every byte comes from the account, and none is lost when one is refused. */
T_CASE(survives_every_failed_allocation)
{
    linli_str text = LINLI_STR(
        "{\"$id\":\"http://x/y\",\"$anchor\":\"a\",\"properties\":{\"p\":"
        "{\"pattern\":\"^(a|b)+\\\\s$\"},\"u\":{\"uniqueItems\":true}},"
        "\"patternProperties\":{\"^q\":{\"$ref\":\"#a\"}},\"required\":"
        "[\"p\"],\"allOf\":[{\"$ref\":\"y#/properties/p\"},{\"minimum\":1}],"
        "\"prefixItems\":[true],\"format\":\"uri\"}");
    linli_str doc = LINLI_STR(
        "{\"p\":\"ab \",\"u\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}");
    linli_status status = LINLI_E_NOMEM;
    uint64_t n = 0;
    while (status != LINLI_OK && n < 1000) {
        struct world w;
        begin(&w);
        T_INT(ll_json_parse(&w.schema_json, text, 64, &w.err), LINLI_OK);
        T_INT(ll_json_parse(&w.doc_json, doc, 64, &w.err), LINLI_OK);
        w.mem.fail_in = ++n;
        status = ll_schema_compile(&w.mem, ll_json_root(&w.schema_json),
            (struct ll_schema_options){.patterns = true}, &w.schema, &w.err);
        if (status == LINLI_OK)
            status =
                ll_schema_check(w.schema, ll_json_root(&w.doc_json), &w.report);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        T_OK(status == LINLI_OK || w.report.count <= 1);
        w.mem.fail_in = 0;
        end(&w);
    }
    T_OK(n > 15 && n < 1000);
}

T_CASE(compiles_inside_a_larger_tape)
{
    struct world w;
    begin(&w);
    linli_str text = LINLI_STR("{\"x\":[1],\"request\":{\"$ref\":\"#/$defs/a\","
                               "\"$defs\":{\"a\":{\"type\":\"null\"}}}}");
    T_INT(ll_json_parse(&w.schema_json, text, 64, &w.err), LINLI_OK);
    struct ll_jv root = ll_jv_get(ll_json_root(&w.schema_json), "request");
    T_INT(ll_schema_compile(
              &w.mem, root, (struct ll_schema_options){0}, &w.schema, &w.err),
        LINLI_OK);
    T_INT(judge(&w, LINLI_STR("null")), LINLI_OK);
    T_INT(judge(&w, LINLI_STR("1")), LINLI_E_INVALID);
    /* A part of a document is judged as a document of its own. */
    T_INT(ll_json_parse(&w.doc_json, LINLI_STR("{\"a\":[1]}"), 8, &w.err), 0);
    T_INT(ll_schema_check(
              w.schema, ll_jv_get(ll_json_root(&w.doc_json), "a"), &w.report),
        LINLI_E_INVALID);
    T_STR(ll_cstr(w.report.errors[0].at), "");
    end(&w);
}

T_MAIN(T_RUN(refuses_what_it_does_not_take) T_RUN(says_where_which_and_why)
        T_RUN(reports_at_most_sixteen) T_RUN(never_rounds) T_RUN(
            reads_patterns_as_ecma_262) T_RUN(leaves_patterns_to_the_worker)
            T_RUN(stops_at_the_work_bound) T_RUN(stops_at_the_depth_bound)
                T_RUN(bounds_a_schema) T_RUN(judges_large_documents)
                    T_RUN(survives_every_failed_allocation)
                        T_RUN(compiles_inside_a_larger_tape))
