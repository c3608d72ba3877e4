/* base/schema_check.c: judging a document by a compiled schema. [any]
 *
 * Run on each request, so it first runs plainly, stopping at the first
 * broken rule; only when there is one, and somebody wants to read about it,
 * it runs again and collects. Work and depth are counted; at a bound the
 * verdict is "cannot say", never "valid".
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/schema_int.h"

/* Arrays up to this size have their items compared pair by pair. */
#define PAIRWISE_ITEMS_MAX 16

struct judge {
    const struct ll_schema *schema;
    struct ll_jv doc;
    struct ll_schema_report *report; /* NULL: the first broken rule ends it */
    uint64_t work;                   /* steps left */
    unsigned depth;
    unsigned quiet;       /* inside a branch that may fail */
    linli_status stopped; /* why there is no verdict; false all the way up */
};

static bool judge_value(
    struct judge *j, const struct ll_schema_node *n, struct ll_jv v);

static inline bool
collecting(const struct judge *j)
{
    return LL_UNLIKELY(j->report != NULL) && j->quiet == 0 &&
           j->stopped == LINLI_OK && j->report->count < LL_SCHEMA_ERRORS_MAX;
}

/* Takes `steps` off the work left. */
static inline bool
spend(struct judge *j, uint64_t steps)
{
    if (LL_LIKELY(j->work >= steps) && j->stopped == LINLI_OK) {
        j->work -= steps;
        return true;
    }
    if (j->stopped == LINLI_OK)
        j->stopped = LINLI_E_LIMIT;
    return false;
}

/* Reports a broken rule; always false. */
static bool LL_PRINTF(4, 5) broken(
    struct judge *j, struct ll_jv at, const char *rule, const char *fmt, ...)
{
    if (!collecting(j))
        return false;
    struct ll_schema_error *e = &j->report->errors[j->report->count++];
    va_list args;
    ll_jv_pointer(j->doc, at, e->at, sizeof e->at);
    (void)snprintf(e->rule, sizeof e->rule, "%s", rule);
    va_start(args, fmt);
    (void)vsnprintf(e->message, sizeof e->message, fmt, args);
    va_end(args);
    return false;
}

/* A text for a message, in the message's own bounds. */
struct words {
    char bytes[160];
    struct ll_buf buf;
};

static struct ll_buf *
words_start(struct words *w)
{
    w->buf = (struct ll_buf){
        .ptr = w->bytes, .cap = sizeof w->bytes, .max_bytes = sizeof w->bytes};
    return &w->buf;
}

static bool
judge_types(struct judge *j, const struct ll_schema_node *n, struct ll_jv v)
{
    struct words w;
    uint32_t bit = 1u << ll_jv_node(v)->type;
    if (n->types & bit)
        return true;
    if (n->types & LL_SCHEMA_INTEGRAL && ll_number_integral(v))
        return true;
    if (collecting(j))
        ll_schema_types_text(words_start(&w), n->types);
    else
        words_start(&w);
    return broken(j, v, "type", "%s, wanted %.*s", ll_schema_type_text(v),
        LL_FMT(ll_buf_view(&w.buf)));
}

static bool
same(struct judge *j, struct ll_jv a, struct ll_jv b)
{
    bool equal = ll_jv_equal_within(a, b, &j->work);
    return spend(j, 1) && equal;
}

/* "one of 12 values: "a", "b" ..." as far as it fits. */
static void
values_text(struct words *w, struct ll_jv values)
{
    struct ll_buf *buf = words_start(w);
    const char *before = "";
    LL_JSON_EACH (value, values) {
        size_t mark = buf->len;
        struct ll_jw out = ll_jw(buf);
        ll_buf_cstr(buf, before);
        ll_jw_value(&out, value);
        if (buf->failed || buf->len > buf->cap - 8) {
            buf->len = mark;
            buf->failed = false;
            ll_buf_cstr(buf, mark > 0 ? ", ..." : "...");
            return;
        }
        before = ", ";
    }
}

static bool
judge_values(struct judge *j, const struct ll_schema_node *n, struct ll_jv v)
{
    struct words w;
    LL_JSON_EACH (value, n->values) {
        if (same(j, value, v))
            return true;
    }
    if (!collecting(j))
        return false;
    values_text(&w, n->values);
    return broken(j, v, "enum", "not one of the allowed values: %.*s",
        LL_FMT(ll_buf_view(&w.buf)));
}

static bool
judge_constant(struct judge *j, const struct ll_schema_node *n, struct ll_jv v)
{
    struct words w;
    if (same(j, n->constant, v))
        return true;
    if (!collecting(j))
        return false;
    struct ll_jw out = ll_jw(words_start(&w));
    ll_jw_value(&out, n->constant);
    return broken(j, v, "const", "wanted %.*s",
        LL_FMT(w.buf.failed ? LINLI_STR("the one value the schema names")
                            : ll_buf_view(&w.buf)));
}

static bool
number_broken(struct judge *j, struct ll_jv v, const char *rule,
    const char *text, struct ll_jv bound)
{
    struct words w;
    if (!collecting(j))
        return false;
    struct ll_jw out = ll_jw(words_start(&w));
    ll_jw_value(&out, bound);
    return broken(
        j, v, rule, "wanted %s %.*s", text, LL_FMT(ll_buf_view(&w.buf)));
}

static bool
judge_number(struct judge *j, const struct ll_schema_number *n, struct ll_jv v)
{
    bool ok = true;
    if (ll_jv_there(n->minimum) && ll_number_cmp(v, n->minimum) < 0)
        ok = number_broken(j, v, "minimum", "at least", n->minimum);
    if (ll_jv_there(n->maximum) && ll_number_cmp(v, n->maximum) > 0)
        ok = number_broken(j, v, "maximum", "at most", n->maximum);
    if (ll_jv_there(n->over) && ll_number_cmp(v, n->over) <= 0)
        ok = number_broken(j, v, "exclusiveMinimum", "more than", n->over);
    if (ll_jv_there(n->under) && ll_number_cmp(v, n->under) >= 0)
        ok = number_broken(j, v, "exclusiveMaximum", "less than", n->under);
    if (ll_jv_there(n->multiple_of) && !ll_number_multiple(v, n->multiple_of))
        ok = number_broken(j, v, "multipleOf", "a multiple of", n->multiple_of);
    return ok;
}

/* -1: cannot say. */
static int
matches(struct judge *j, const struct ll_schema_regex *regex, linli_str s)
{
    if (!spend(j, 16 + s.len / 8))
        return -1;
    int found = ll_schema_regex_find(j->schema, regex, s);
    if (found < 0)
        j->stopped = found;
    return found;
}

static bool
judge_string(struct judge *j, const struct ll_schema_string *s, struct ll_jv v)
{
    linli_str text = ll_jv_str(v);
    bool ok = true;
    if (s->length_min > 0 || s->length_max < UINT64_MAX) {
        uint64_t n = ll_utf8_count(text);
        if (n < s->length_min)
            ok = broken(j, v, "minLength",
                "%" PRIu64 " characters, at least %" PRIu64, n, s->length_min);
        if (n > s->length_max)
            ok = broken(j, v, "maxLength",
                "%" PRIu64 " characters, at most %" PRIu64, n, s->length_max);
    }
    if (s->pattern != NULL && matches(j, s->pattern, text) != 1)
        ok = broken(
            j, v, "pattern", "does not match %.*s", LL_FMT(s->pattern->text));
    if (s->format != NULL && !s->format->valid(text))
        ok = broken(j, v, "format", "not a %s", s->format->name);
    return ok;
}

/* -- arrays -- */

/* The same for values that are equal; objects whatever their order. */
static uint64_t
value_hash(struct ll_jv v)
{
    uint64_t hash = ll_jv_node(v)->type, part;
    double d;
    switch ((enum ll_json_type)ll_jv_node(v)->type) {
    case LL_JSON_INT:
    case LL_JSON_DOUBLE:
        d = ll_jv_number(v) + 0.0; /* -0 becomes 0 */
        memcpy(&hash, &d, sizeof hash);
        return hash * 0x9e3779b97f4a7c15u;
    case LL_JSON_STRING:
        return ll_fnv(ll_jv_str(v));
    case LL_JSON_ARRAY:
        LL_JSON_EACH (item, v) {
            hash = (hash ^ value_hash(item)) * 0x9e3779b97f4a7c15u;
        }
        return hash;
    case LL_JSON_OBJECT:
        LL_JSON_MEMBERS (key, value, v) {
            part = ll_fnv(ll_jv_str(key)) ^ value_hash(value) * 31;
            hash += part * 0x9e3779b97f4a7c15u;
        }
        return hash;
    case LL_JSON_NULL:
    case LL_JSON_FALSE:
    case LL_JSON_TRUE:
        break;
    }
    return hash;
}

struct hashed {
    uint64_t hash;
    uint32_t at;
};

static int
hashed_cmp(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The later of two equal items, among `n` sorted by hash; or none. */
static struct ll_jv
twice_in(struct judge *j, const struct hashed *items, uint32_t n,
    const struct ll_json *json)
{
    for (uint32_t i = 0; i < n; i++) {
        struct ll_jv a = {json, items[i].at};
        for (uint32_t k = i + 1; k < n && items[k].hash == items[i].hash; k++) {
            struct ll_jv b = {json, items[k].at};
            if (same(j, a, b))
                return b;
            if (j->stopped != LINLI_OK)
                return (struct ll_jv){NULL, 0};
        }
    }
    return (struct ll_jv){NULL, 0};
}

static bool
judge_unique(struct judge *j, struct ll_jv v)
{
    uint32_t n = ll_jv_count(v), i = 0;
    struct hashed few[PAIRWISE_ITEMS_MAX], *items = few;
    /* Hashing looks at every node below; sorting at n log n items. */
    if (!spend(j, (uint64_t)(ll_jv_node(v)->next - v.at) + n))
        return false;
    if (n > PAIRWISE_ITEMS_MAX)
        items = ll_alloc(j->schema->mem, n * sizeof *items);
    if (items == NULL) {
        j->stopped = LINLI_E_NOMEM;
        return false;
    }
    LL_JSON_EACH (item, v) {
        items[i++] = (struct hashed){value_hash(item), item.at};
    }
    qsort(items, n, sizeof *items, hashed_cmp);
    struct ll_jv twice = twice_in(j, items, n, v.json);
    if (items != few)
        ll_release(j->schema->mem, items, n * sizeof *items);
    if (ll_jv_there(twice))
        return broken(j, twice, "uniqueItems", "an item that stands twice");
    return j->stopped == LINLI_OK;
}

static bool
judge_contains(struct judge *j, const struct ll_schema_array *a, struct ll_jv v)
{
    uint64_t n = 0;
    j->quiet++;
    LL_JSON_EACH (item, v) {
        n += judge_value(j, a->contains, item);
    }
    j->quiet--;
    if (n < a->contains_min)
        return broken(j, v, a->contains_min == 1 ? "contains" : "minContains",
            "%" PRIu64 " items of the wanted kind, at least %" PRIu64, n,
            a->contains_min);
    if (n > a->contains_max)
        return broken(j, v, "maxContains",
            "%" PRIu64 " items of the wanted kind, at most %" PRIu64, n,
            a->contains_max);
    return true;
}

static bool
judge_items(struct judge *j, const struct ll_schema_array *a, struct ll_jv v)
{
    uint32_t i = 0;
    bool ok = true;
    LL_JSON_EACH (item, v) {
        const struct ll_schema_node *n =
            i < a->prefix.count ? a->prefix.items[i] : a->items;
        i++;
        if (n == NULL)
            break;
        ok &= judge_value(j, n, item);
        if (!ok && !collecting(j))
            return false;
    }
    return ok;
}

static bool
judge_array(struct judge *j, const struct ll_schema_array *a, struct ll_jv v)
{
    uint64_t n = ll_jv_count(v);
    bool ok = true;
    if (n < a->items_min)
        ok = broken(j, v, "minItems", "%" PRIu64 " items, at least %" PRIu64, n,
            a->items_min);
    if (n > a->items_max)
        ok = broken(j, v, "maxItems", "%" PRIu64 " items, at most %" PRIu64, n,
            a->items_max);
    if (!ok)
        return false; /* too many to look at, or none to look at */
    if (a->items != NULL || a->prefix.count > 0)
        ok = judge_items(j, a, v);
    if (a->contains != NULL && (ok || collecting(j)))
        ok = judge_contains(j, a, v) && ok;
    if (a->unique && n > 1 && (ok || collecting(j)))
        ok = judge_unique(j, v) && ok;
    return ok;
}

/* -- objects -- */

static bool
unknown_member(struct judge *j, const struct ll_schema_object *o,
    struct ll_jv key, struct ll_jv value)
{
    struct ll_near near = {.s = ll_jv_str(key)};
    if (!collecting(j))
        return false;
    for (uint32_t i = 0; i < o->member_count; i++)
        if (o->members[i].schema != NULL)
            ll_near_try(&near, o->members[i].name);
    if (near.best.ptr == NULL)
        return broken(
            j, value, "additionalProperties", "this member is not known here");
    return broken(j, value, "additionalProperties",
        "this member is not known here, did you mean \"%.*s\"?",
        LL_FMT(near.best));
}

static bool
judge_member(struct judge *j, const struct ll_schema_object *o,
    const struct ll_schema_member *m, struct ll_jv key, struct ll_jv value)
{
    bool known = m != NULL && m->schema != NULL;
    bool ok = true;
    if (o->names != NULL)
        ok = judge_value(j, o->names, key);
    if (known && (ok || collecting(j)))
        ok &= judge_value(j, m->schema, value);
    for (uint32_t i = 0; i < o->pattern_count; i++) {
        int found = matches(j, o->patterns[i].regex, ll_jv_str(key));
        if (found < 0)
            return false;
        known |= found == 1;
        if (found == 1 && (ok || collecting(j)))
            ok &= judge_value(j, o->patterns[i].schema, value);
    }
    if (known || o->additional == NULL)
        return ok;
    if (o->additional->never)
        return unknown_member(j, o, key, value);
    return judge_value(j, o->additional, value) && ok;
}

/* The names of `wanted` that the object lacks are each an error. */
static bool
judge_names(
    struct judge *j, struct ll_jv wanted, struct ll_jv v, const char *rule)
{
    bool ok = true;
    LL_JSON_EACH (name, wanted) {
        if (!spend(j, 1 + ll_jv_count(v) / 4))
            return false;
        if (ll_jv_there(ll_jv_get_str(v, ll_jv_str(name))))
            continue;
        ok = broken(j, v, rule, "the member \"%.*s\" is missing",
            LL_FMT(ll_jv_str(name)));
        if (!collecting(j))
            return false;
    }
    return ok;
}

static bool
judge_dependents(
    struct judge *j, const struct ll_schema_object *o, struct ll_jv v)
{
    bool ok = true;
    LL_JSON_MEMBERS (key, value, v) {
        const struct ll_schema_member *m = ll_schema_member(o, ll_jv_str(key));
        if (m == NULL)
            continue;
        if (ll_jv_there(m->follows))
            ok &= judge_names(j, m->follows, v, "dependentRequired");
        if (m->followed != NULL && (ok || collecting(j)))
            ok &= judge_value(j, m->followed, v);
        if (!ok && !collecting(j))
            return false;
    }
    return ok;
}

static bool
judge_object(struct judge *j, const struct ll_schema_object *o, struct ll_jv v)
{
    uint64_t n = ll_jv_count(v);
    uint32_t required = 0;
    bool ok = true;
    if (n < o->members_min)
        ok = broken(j, v, "minProperties",
            "%" PRIu64 " members, at least %" PRIu64, n, o->members_min);
    if (n > o->members_max)
        ok = broken(j, v, "maxProperties",
            "%" PRIu64 " members, at most %" PRIu64, n, o->members_max);
    LL_JSON_MEMBERS (key, value, v) {
        if ((!ok && !collecting(j)) || !spend(j, 1))
            return false;
        const struct ll_schema_member *m = ll_schema_member(o, ll_jv_str(key));
        required += m != NULL && m->required;
        ok &= judge_member(j, o, m, key, value);
    }
    /* Names stand once in a document, so counting them is enough. */
    if (required < o->required_count)
        ok = judge_names(j, o->required, v, "required") && ok;
    if (o->dependents && (ok || collecting(j)))
        ok = judge_dependents(j, o, v) && ok;
    return ok;
}

/* -- schemas that judge the same value -- */

static bool
quietly(struct judge *j, const struct ll_schema_node *n, struct ll_jv v)
{
    j->quiet++;
    bool ok = judge_value(j, n, v);
    j->quiet--;
    return ok;
}

static uint32_t
count_valid(struct judge *j, const struct ll_schema_list *list, struct ll_jv v,
    uint32_t enough)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < list->count && n < enough; i++)
        n += quietly(j, list->items[i], v);
    return n;
}

/* -- which of several shapes was meant -- */

static const struct ll_schema_node *
behind_refs(const struct ll_schema_node *n)
{
    /* References in a loop were refused when the schema was compiled. */
    while (n->logic != NULL && n->logic->ref != NULL)
        n = n->logic->ref;
    return n;
}

/* Could this shape be the one that was meant: the type is right, and no
 * member that names its kind (a `const`) has another value? */
static bool
plausible(struct judge *j, const struct ll_schema_node *n, struct ll_jv v)
{
    n = behind_refs(n);
    if (n->never || (n->types != 0 && !(n->types & 1u << ll_jv_node(v)->type)))
        return false;
    if (ll_jv_there(n->values) || ll_jv_there(n->constant))
        return false; /* a list of values is no shape to explain */
    if (n->object == NULL)
        return true;
    for (uint32_t i = 0; i < n->object->member_count; i++) {
        const struct ll_schema_member *m = &n->object->members[i];
        struct ll_jv value = ll_jv_get_str(v, m->name);
        if (m->schema == NULL || !ll_jv_there(value) ||
            !ll_jv_there(behind_refs(m->schema)->constant))
            continue;
        if (!same(j, behind_refs(m->schema)->constant, value))
            return false;
    }
    return true;
}

/* Tells why the only plausible shape does not fit, or that none does. */
static bool
no_shape(struct judge *j, const struct ll_schema_list *list, struct ll_jv v,
    const char *rule)
{
    const struct ll_schema_node *meant = NULL;
    uint32_t n = 0;
    if (!collecting(j))
        return false;
    for (uint32_t i = 0; i < list->count && n < 2; i++) {
        if (!plausible(j, list->items[i], v))
            continue;
        meant = list->items[i];
        n++;
    }
    if (n == 1)
        return judge_value(j, meant, v);
    return broken(
        j, v, rule, "fits none of the %u shapes allowed here", list->count);
}

static bool
judge_choices(struct judge *j, const struct ll_schema_logic *l, struct ll_jv v)
{
    bool ok = true;
    if (l->any.count > 0 && count_valid(j, &l->any, v, 1) == 0)
        ok = no_shape(j, &l->any, v, "anyOf");
    if (l->one.count > 0 && (ok || collecting(j))) {
        uint32_t n = count_valid(j, &l->one, v, 2);
        if (n == 0)
            ok = no_shape(j, &l->one, v, "oneOf");
        if (n == 2)
            ok = broken(j, v, "oneOf",
                "fits more than one of the %u shapes allowed here",
                l->one.count);
    }
    if (l->not != NULL && (ok || collecting(j)) && quietly(j, l->not, v))
        ok = broken(j, v, "not", "has the shape that is excluded here");
    return ok;
}

static bool
judge_logic(struct judge *j, const struct ll_schema_logic *l, struct ll_jv v)
{
    bool ok = true;
    if (l->ref != NULL)
        ok = judge_value(j, l->ref, v);
    for (uint32_t i = 0; i < l->all.count && (ok || collecting(j)); i++)
        ok &= judge_value(j, l->all.items[i], v);
    if (ok || collecting(j))
        ok = judge_choices(j, l, v) && ok;
    if (l->when == NULL || (!ok && !collecting(j)))
        return ok;
    const struct ll_schema_node *next =
        quietly(j, l->when, v) ? l->then : l->otherwise;
    return (next == NULL || judge_value(j, next, v)) && ok;
}

static bool
judge_groups(struct judge *j, const struct ll_schema_node *n, struct ll_jv v)
{
    uint32_t type = ll_jv_node(v)->type;
    switch ((enum ll_json_type)type) {
    case LL_JSON_INT:
    case LL_JSON_DOUBLE:
        return n->number == NULL || judge_number(j, n->number, v);
    case LL_JSON_STRING:
        return n->string == NULL || judge_string(j, n->string, v);
    case LL_JSON_ARRAY:
        return n->array == NULL || judge_array(j, n->array, v);
    case LL_JSON_OBJECT:
        return n->object == NULL || judge_object(j, n->object, v);
    case LL_JSON_NULL:
    case LL_JSON_FALSE:
    case LL_JSON_TRUE:
        break;
    }
    return true;
}

static bool
judge_value(struct judge *j, const struct ll_schema_node *n, struct ll_jv v)
{
    bool ok = true;
    if (!spend(j, 1))
        return false;
    if (n->never)
        return broken(j, v, "false", "nothing is allowed here");
    if (j->depth == LL_SCHEMA_DEPTH_MAX) {
        j->stopped = LINLI_E_LIMIT;
        return false;
    }
    j->depth++;
    if (n->types != 0)
        ok = judge_types(j, n, v);
    if (ll_jv_there(n->values) && (ok || collecting(j)))
        ok = judge_values(j, n, v) && ok;
    if (ll_jv_there(n->constant) && (ok || collecting(j)))
        ok = judge_constant(j, n, v) && ok;
    if (ok || collecting(j))
        ok = judge_groups(j, n, v) && ok;
    if (n->logic != NULL && (ok || collecting(j)))
        ok = judge_logic(j, n->logic, v) && ok;
    j->depth--;
    return ok;
}

static linli_status
verdict(struct judge *j)
{
    j->work = LL_SCHEMA_WORK_MAX;
    bool ok = judge_value(j, j->schema->root, j->doc);
    if (j->stopped != LINLI_OK)
        return j->stopped;
    return ok ? LINLI_OK : LINLI_E_INVALID;
}

/* The one error of a document that was not judged to the end. */
static void
report_stop(struct ll_schema_report *report, linli_status why)
{
    struct ll_schema_error *e = &report->errors[0];
    report->count = 1;
    e->at[0] = '\0';
    (void)snprintf(e->rule, sizeof e->rule, "%s",
        why == LINLI_E_UNSUPPORTED ? "pattern" : "limit");
    (void)snprintf(e->message, sizeof e->message, "%s",
        why == LINLI_E_UNSUPPORTED
            ? "this schema was compiled without its patterns"
        : why == LINLI_E_NOMEM
            ? "no memory to judge this document"
            : "too much work to judge this document by its schema");
}

linli_status
ll_schema_check(const struct ll_schema *schema, struct ll_jv doc,
    struct ll_schema_report *report)
{
    struct judge j = {.schema = schema, .doc = doc};
    linli_status status = LINLI_E_UNSUPPORTED;
    ll_check(ll_jv_there(doc));
    if (report != NULL)
        report->count = 0; /* not all of it: this runs on each request */
    if (!schema->patterns_skipped)
        status = verdict(&j);
    if (status == LINLI_OK || report == NULL)
        return status;
    if (status == LINLI_E_INVALID) {
        j = (struct judge){.schema = schema, .doc = doc, .report = report};
        (void)verdict(&j);
    }
    if (report->count == 0 || status != LINLI_E_INVALID)
        report_stop(report, status);
    return status;
}
