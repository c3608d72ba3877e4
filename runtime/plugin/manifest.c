/* plugin/manifest.c: plugin.json from bytes to a checked manifest. [any]
 *
 * Order: JSON, then what deserves its own answer whatever else is wrong
 * (another ABI), then the schema, then the rules that a
 * schema cannot say. Owns nothing but the manifest it returns.
 */
#include "plugin/manifest.h"

#include <linli/plugin.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/problem.h"
#include "base/schema.h"
#include "base/text.h"
#include "plugin/manifest_int.h"

/* spec/manifest.schema.json, written into a header by the Makefile. */
static const unsigned char schema_text[] = {
#include "manifest_schema.h"
};

/* Segments that belong to Linli: spec/http.md. */
static const char *const reserved_ids[] = {"admin", "bills", "callbacks",
    "centre", "dev", "events", "me", "openapi", "payments", "staff"};

/* What the arena holds besides the text: routes, problems, short strings. */
#define ARENA_BYTES_MAX (LL_MANIFEST_BYTES_MAX + (4u << 20))

linli_status
ll_manifest_refuse(struct ll_manifest *m, struct ll_jv at, struct ll_err *err,
    const char *fmt, ...)
{
    char msg[256], where[160];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(msg, sizeof msg, fmt, args);
    va_end(args);
    ll_jv_pointer(ll_json_root(&m->json), at, where, sizeof where);
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "manifest/invalid", "%s", msg);
    ll_err_where(err, "plugin.json: %s", where);
    return status;
}

linli_status
ll_manifest_no_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
        "no memory for a plugin's manifest");
}

bool
ll_manifest_int(struct ll_jv v, int64_t *out)
{
    const double exact = 9007199254740992.0;
    if (!ll_jv_is(v, LL_JSON_DOUBLE))
        return ll_jv_int(v, out);
    double d = ll_jv_number(v);
    bool fits = d >= -exact && d <= exact;
    int64_t i = fits ? (int64_t)d : (int64_t)exact;
    if (fits && ((double)i < d || (double)i > d))
        return false;
    *out = i;
    return true;
}

/* -- the schema -- */

static const char *
fix_for(const char *rule)
{
    static const struct {
        const char *rule, *fix;
    } fixes[] = {
        {"additionalProperties",
            "Correct its name or remove it; spec/manifest.md lists them all"},
        {"required", "Add it; spec/manifest.md says what it means"},
        {"enum", "Use one of the allowed values"},
        {"type", "Write a value of the wanted type"},
        {"uniqueItems", "Remove the repeated item"},
    };
    for (size_t i = 0; i < LL_COUNT(fixes); i++)
        if (strcmp(rule, fixes[i].rule) == 0)
            return fixes[i].fix;
    return "Write it as spec/manifest.md says";
}

/* The name of a meter, an event or an alert, and not of its pattern. */
static bool
breaks_a_name(const struct ll_schema_error *error)
{
    const char *at = error->at;
    if (strcmp(error->rule, "pattern") != 0)
        return false;
    if (strncmp(at, "/meters/", 8) == 0)
        return strchr(at + 8, '/') == NULL;
    return strncmp(at, "/events/", 8) == 0 || strncmp(at, "/alerts/", 8) == 0;
}

static linli_status
refuse_name(const char *at, struct ll_jv id, struct ll_err *err)
{
    linli_str own = ll_jv_str(id);
    bool any = strncmp(at, "/events/handles/", 16) == 0;
    linli_status status = ll_fail(err, LINLI_E_INVALID, "manifest/invalid",
        "a name is %s, a dot and a word of at most 64 small letters, digits "
        "and _, that begins with a letter",
        any ? "the id of the plugin that publishes" : "the plugin's id");
    ll_err_where(err, "plugin.json: %s", at);
    if (any || own.len == 0 || own.len > 64)
        ll_err_fix(err, "Write it as \"ID.WORD\"");
    else
        ll_err_fix(err, "Write it as \"%.*s.WORD\"", LL_FMT(own));
    return status;
}

static linli_status
refuse_by_report(const struct ll_schema_report *report, struct ll_jv manifest,
    struct ll_err *err)
{
    const struct ll_schema_error *first = &report->errors[0];
    char more[40] = "";
    if (breaks_a_name(first))
        return refuse_name(first->at, ll_jv_get(manifest, "id"), err);
    if (report->count > 1)
        (void)snprintf(more, sizeof more, " (and %u more)", report->count - 1);
    linli_status status = ll_fail(
        err, LINLI_E_INVALID, "manifest/invalid", "%s%s", first->message, more);
    ll_err_where(err, "plugin.json: %s", first->at);
    ll_err_fix(err, "%s", fix_for(first->rule));
    return status;
}

static linli_status
check_by_schema(struct ll_mem *mem, struct ll_jv manifest, struct ll_err *err)
{
    struct ll_json json;
    struct ll_schema *schema = NULL;
    struct ll_schema_report report;
    linli_str text = {(const char *)schema_text, sizeof schema_text};
    ll_json_init(&json, mem);
    linli_status status = ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = ll_schema_compile(mem, ll_json_root(&json),
            (struct ll_schema_options){.patterns = true}, &schema, err);
    /* Our own schema: only memory may be missing. */
    ll_check(status == LINLI_OK || status == LINLI_E_NOMEM);
    if (status == LINLI_OK) {
        status = ll_schema_check(schema, manifest, &report);
        if (status == LINLI_E_NOMEM)
            status = ll_manifest_no_memory(err);
        else if (status != LINLI_OK)
            status = refuse_by_report(&report, manifest, err);
    }
    ll_schema_free(&schema);
    ll_json_fini(&json);
    return status;
}

/* -- answers of their own -- */

static linli_status
check_abi(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv abi = ll_jv_get(ll_json_root(&m->json), "abi");
    if (!ll_manifest_int(abi, &m->abi) || m->abi == LINLI_ABI_LEVEL)
        return LINLI_OK; /* what is no integer, the schema refuses */
    linli_status status = ll_fail(err, LINLI_E_UNSUPPORTED, "manifest/abi",
        "the plugin is built for ABI level %lld; this host supports level %d",
        (long long)m->abi, LINLI_ABI_LEVEL);
    ll_err_where(err, "plugin.json: /abi");
    ll_err_fix(err,
        "Build it against ABI level %d, or run a Linli that supports its own",
        LINLI_ABI_LEVEL);
    return status;
}

/* A plugin's problem codes start with its id, so the first words of
 * Linli's own codes are taken as well. */
static bool
reserved(linli_str id)
{
    const struct ll_problem *problem;
    for (size_t i = 0; i < LL_COUNT(reserved_ids); i++)
        if (ll_str_is(id, reserved_ids[i]))
            return true;
    for (size_t i = 0; (problem = ll_problem_at(i)) != NULL; i++)
        if (strncmp(problem->code, id.ptr, id.len) == 0 &&
            problem->code[id.len] == '/')
            return true;
    return false;
}

/* Plates are resident data: what lets them out is a decision, which needs a
 * purpose. */
static linli_status
check_directory(struct ll_manifest *m, struct ll_err *err)
{
    uint32_t i = 0;
    LL_JSON_EACH (item, ll_jv_get(ll_json_root(&m->json), "directory")) {
        if (ll_str_is(ll_jv_str(item), "plates")) {
            linli_status status =
                ll_fail(err, LINLI_E_INVALID, "manifest/invalid",
                    "plates are resident data, which no directory gives away: "
                    "the routes that need them declare them");
            ll_err_where(err, "plugin.json: /directory/%u", i);
            ll_err_fix(err,
                "Write \"directory\": [\"household\"], and in `data` of the "
                "plugin and of the route {\"field\": \"plate\", \"purpose\": "
                "\"entry\", \"basis\": \"contract\"}: call.fields.plate");
            return status;
        }
        i++;
    }
    return LINLI_OK;
}

static linli_status
check_id(struct ll_manifest *m, struct ll_err *err)
{
    m->id = ll_jv_str(ll_jv_get(ll_json_root(&m->json), "id"));
    if (!reserved(m->id))
        return LINLI_OK;
    linli_status status = ll_fail(err, LINLI_E_INVALID, "plugin/reserved-id",
        "the id \"%.*s\" belongs to Linli", LL_FMT(m->id));
    ll_err_where(err, "plugin.json: /id");
    return status;
}

/* -- reading -- */

static linli_status
read_json(struct ll_manifest *m, struct ll_err *err)
{
    linli_status status =
        ll_json_parse(&m->json, m->text, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_E_NOMEM || status == LINLI_OK || err == NULL)
        return status;
    struct ll_err cause = *err;
    (void)ll_fail(err, status, "manifest/invalid", "%s", cause.msg);
    ll_err_where(err, "plugin.json: %s", cause.where);
    ll_err_fix(err, "Correct the JSON there");
    return status;
}

static linli_status
read_all(struct ll_mem *mem, struct ll_manifest *m, struct ll_err *err)
{
    linli_status status = read_json(m, err);
    if (status == LINLI_OK)
        status = check_abi(m, err);
    if (status == LINLI_OK)
        status = check_directory(m, err);
    if (status == LINLI_OK)
        status = check_by_schema(mem, ll_json_root(&m->json), err);
    if (status == LINLI_OK)
        status = check_id(m, err);
    if (status == LINLI_OK)
        status = ll_manifest_fill(m, err);
    return status;
}

linli_status
ll_manifest_read(struct ll_mem *mem, linli_str text, struct ll_manifest **out,
    struct ll_err *err)
{
    *out = NULL;
    if (text.len > LL_MANIFEST_BYTES_MAX) {
        linli_status status = ll_fail(err, LINLI_E_LIMIT, "package/too-large",
            "a manifest of %zu bytes, at most %u", text.len,
            LL_MANIFEST_BYTES_MAX);
        ll_err_where(err, "plugin.json");
        return status;
    }
    struct ll_manifest *m = ll_alloc(mem, sizeof *m);
    if (m == NULL)
        return ll_manifest_no_memory(err);
    ll_arena_init(&m->arena, mem, ARENA_BYTES_MAX);
    ll_json_init(&m->json, mem);
    m->text = ll_arena_str(&m->arena, text);
    linli_status status = m->text.ptr == NULL ? ll_manifest_no_memory(err)
                                              : read_all(mem, m, err);
    if (status != LINLI_OK)
        ll_manifest_free(&m);
    *out = m;
    return status;
}

void
ll_manifest_free(struct ll_manifest **manifest)
{
    struct ll_manifest *m = *manifest;
    *manifest = NULL;
    if (m == NULL)
        return;
    struct ll_mem *mem = m->arena.mem;
    ll_json_fini(&m->json);
    ll_arena_fini(&m->arena);
    ll_release(mem, m, sizeof *m);
}

const struct ll_plugin_problem *
ll_manifest_problem(const struct ll_manifest *manifest, linli_str code)
{
    for (uint32_t i = 0; i < manifest->problem_count; i++)
        if (ll_str_eq(manifest->problems[i].code, code))
            return &manifest->problems[i];
    return NULL;
}
