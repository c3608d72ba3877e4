/* base/schema.c: compiling a JSON Schema: reading its keywords. [any]
 *
 * One pass over the schema makes a node for each subschema; a table says
 * for each keyword what must stand there and where it goes. What is not in
 * the table is refused. References are connected afterwards, when every
 * place they may lead to is known (schema_ref.c).
 */
#include "base/schema_int.h"

#include <stdarg.h>
#include <stdio.h>

linli_status
ll_schema_refuse(
    struct ll_schema_compiler *c, struct ll_jv at, const char *fmt, ...)
{
    char msg[sizeof c->err->msg], where[sizeof c->err->where];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(msg, sizeof msg, fmt, args);
    va_end(args);
    ll_jv_pointer(c->root, at, where, sizeof where);
    linli_status status =
        ll_fail(c->err, LINLI_E_INVALID, "manifest/schema", "%s", msg);
    ll_err_where(c->err, "%s", where);
    return status;
}

linli_status
ll_schema_no_memory(struct ll_schema_compiler *c)
{
    struct ll_schema *schema = c->schema;
    if (schema->arena.failed &&
        schema->arena.used_bytes >
            LL_SCHEMA_BYTES_MAX - LL_SCHEMA_BYTES_MAX / 8)
        return ll_fail(c->err, LINLI_E_LIMIT, "manifest/schema",
            "the schema needs more than %u bytes when compiled",
            LL_SCHEMA_BYTES_MAX);
    return ll_fail(c->err, LINLI_E_NOMEM, "runtime/memory",
        "no memory to compile a JSON Schema");
}

/* -- what may stand under a keyword -- */

enum shape {
    NOTE_STRING, /* annotations, by the type they must have */
    NOTE_BOOL,
    NOTE_ARRAY,
    NOTE_ANY,
    COUNT,   /* a whole number from 0 on */
    NUMBER,  /* kept as the value it is */
    SCHEMA,  /* one subschema */
    SCHEMAS, /* a list of them, not empty */
    SHELF,   /* named subschemas that only references reach */
    OWN,     /* has its own reader */
};

enum group { NONE, NUMBERS, STRINGS, ARRAYS, OBJECTS, LOGIC };

typedef linli_status reader(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value);

struct keyword {
    const char *name;
    enum shape shape;
    enum group group;
    size_t offset; /* in the group's structure */
    reader *read;
};

static linli_status compile(
    struct ll_schema_compiler *c, struct ll_jv v, struct ll_schema_node **out);

/* -- keywords that need more than their shape -- */

static const struct {
    const char *name;
    uint32_t bits;
} type_names[] = {
    {"null", 1u << LL_JSON_NULL},
    {"boolean", 1u << LL_JSON_FALSE | 1u << LL_JSON_TRUE},
    {"integer", 1u << LL_JSON_INT | LL_SCHEMA_INTEGRAL},
    {"number", 1u << LL_JSON_INT | 1u << LL_JSON_DOUBLE | LL_SCHEMA_INTEGRAL},
    {"string", 1u << LL_JSON_STRING},
    {"array", 1u << LL_JSON_ARRAY},
    {"object", 1u << LL_JSON_OBJECT},
};

static linli_status
add_type(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv name)
{
    struct ll_near near = {.s = ll_jv_str(name)};
    for (size_t i = 0; i < LL_COUNT(type_names); i++) {
        if (ll_str_is(ll_jv_str(name), type_names[i].name)) {
            n->types |= type_names[i].bits;
            return LINLI_OK;
        }
        ll_near_try(&near, ll_cstr(type_names[i].name));
    }
    linli_status status = ll_schema_refuse(c, name,
        "a type is null, boolean, integer, number, string, array or object");
    if (near.best.ptr != NULL)
        ll_err_fix(c->err, "Did you mean \"%.*s\"?", LL_FMT(near.best));
    return status;
}

static linli_status
read_type(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    if (!ll_jv_is(value, LL_JSON_ARRAY))
        return add_type(c, n, value);
    if (ll_jv_count(value) == 0)
        return ll_schema_refuse(c, value, "no type at all: name one or more");
    LL_JSON_EACH (name, value) {
        linli_status status = add_type(c, n, name);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

static linli_status
read_enum(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    if (!ll_jv_is(value, LL_JSON_ARRAY))
        return ll_schema_refuse(
            c, value, "an array of allowed values is wanted");
    n->values = value;
    return LINLI_OK;
}

static linli_status
read_const(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    LL_UNUSED(c);
    n->constant = value;
    return LINLI_OK;
}

static linli_status
read_multiple(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    if (!(ll_jv_number(value) > 0))
        return ll_schema_refuse(c, value, "a number greater than 0 is wanted");
    n->number->multiple_of = value;
    return LINLI_OK;
}

static linli_status
read_pattern(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    return ll_schema_regex_new(c, value, &n->string->pattern);
}

static linli_status
read_format(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    linli_str name = ll_jv_str(value);
    n->string->format = ll_schema_format(name);
    if (n->string->format != NULL)
        return LINLI_OK;
    struct ll_near near = {.s = name};
    for (size_t i = 0; ll_schema_format_name(i) != NULL; i++)
        ll_near_try(&near, ll_cstr(ll_schema_format_name(i)));
    linli_status status = ll_schema_refuse(
        c, value, "a format that Linli does not check, and it ignores none");
    if (near.best.ptr != NULL)
        ll_err_fix(c->err, "Did you mean \"%.*s\"?", LL_FMT(near.best));
    else
        ll_err_fix(c->err,
            "Leave it out, or use one that spec/schema.md lists, or a pattern");
    return status;
}

static linli_status
read_unique(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    if (!ll_jv_is(value, LL_JSON_TRUE) && !ll_jv_is(value, LL_JSON_FALSE))
        return ll_schema_refuse(c, value, "true or false is wanted");
    n->array->unique = ll_jv_true(value);
    return LINLI_OK;
}

static linli_status
name_list(struct ll_schema_compiler *c, struct ll_jv list)
{
    if (!ll_jv_is(list, LL_JSON_ARRAY))
        return ll_schema_refuse(c, list, "an array of names is wanted");
    LL_JSON_EACH (name, list) {
        if (!ll_jv_is(name, LL_JSON_STRING))
            return ll_schema_refuse(c, name, "a name must be a string");
    }
    return LINLI_OK;
}

static linli_status
read_required(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    n->object->required = value;
    return name_list(c, value);
}

static linli_status
read_dependent(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    if (!ll_jv_is(value, LL_JSON_OBJECT))
        return ll_schema_refuse(c, value, "an object of name lists is wanted");
    LL_JSON_MEMBERS (key, names, value) {
        linli_status status = name_list(c, names);
        if (status != LINLI_OK)
            return status;
    }
    n->object->dependent = value;
    n->object->dependents = true;
    return LINLI_OK;
}

static linli_status
compile_map(struct ll_schema_compiler *c, struct ll_jv map)
{
    if (!ll_jv_is(map, LL_JSON_OBJECT))
        return ll_schema_refuse(c, map, "an object of schemas is wanted");
    LL_JSON_MEMBERS (key, value, map) {
        struct ll_schema_node *unused;
        linli_status status = compile(c, value, &unused);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

static linli_status
read_properties(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    n->object->properties = value;
    return compile_map(c, value);
}

static linli_status
read_followed(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    n->object->followed = value;
    n->object->dependents = true;
    return compile_map(c, value);
}

static linli_status
read_patterns(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    linli_status status = compile_map(c, value);
    uint32_t count = ll_jv_count(value);
    if (status != LINLI_OK || count == 0)
        return status;
    struct ll_schema_pattern *row =
        ll_arena_alloc(&c->schema->arena, count * sizeof *row);
    if (row == NULL)
        return ll_schema_no_memory(c);
    n->object->patterns = row;
    n->object->pattern_count = count;
    LL_JSON_MEMBERS (key, sub, value) {
        row->schema = ll_schema_at(c, sub);
        status = ll_schema_regex_new(c, key, &row->regex);
        if (status != LINLI_OK)
            return status;
        row++;
    }
    return LINLI_OK;
}

static linli_status
read_ref(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    if (!ll_jv_is(value, LL_JSON_STRING))
        return ll_schema_refuse(c, value, "a URI reference is wanted");
    n->ref_text = ll_jv_str(value);
    if (n->ref_text.ptr == NULL)
        n->ref_text = LINLI_STR("");
    return LINLI_OK;
}

static linli_status
read_dialect(
    struct ll_schema_compiler *c, struct ll_schema_node *n, struct ll_jv value)
{
    static const char ours[] = "https://json-schema.org/draft/2020-12/schema";
    LL_UNUSED(n);
    linli_str s = ll_jv_str(value);
    if (s.len == sizeof ours && s.ptr[s.len - 1] == '#')
        s.len--;
    if (ll_str_is(s, ours))
        return LINLI_OK;
    linli_status status =
        ll_schema_refuse(c, value, "another dialect than JSON Schema 2020-12");
    ll_err_fix(c->err, "Write \"$schema\": \"%s\", or leave it out", ours);
    return status;
}

/* -- the table -- */

#define N(field) NUMBERS, offsetof(struct ll_schema_number, field)
#define S(field) STRINGS, offsetof(struct ll_schema_string, field)
#define A(field) ARRAYS, offsetof(struct ll_schema_array, field)
#define O(field) OBJECTS, offsetof(struct ll_schema_object, field)
#define L(field) LOGIC, offsetof(struct ll_schema_logic, field)

/* clang-format off */
static const struct keyword keywords[] = {
    {"$anchor", OWN, NONE, 0, ll_schema_add_anchor},
    {"$comment", NOTE_STRING, NONE, 0, NULL},
    {"$defs", SHELF, NONE, 0, NULL},
    {"$id", OWN, NONE, 0, NULL}, /* read before all others */
    {"$ref", OWN, L(ref), read_ref},
    {"$schema", OWN, NONE, 0, read_dialect},
    {"additionalProperties", SCHEMA, O(additional), NULL},
    {"allOf", SCHEMAS, L(all), NULL},
    {"anyOf", SCHEMAS, L(any), NULL},
    {"const", OWN, NONE, 0, read_const},
    {"contains", SCHEMA, A(contains), NULL},
    {"contentEncoding", NOTE_STRING, NONE, 0, NULL},
    {"contentMediaType", NOTE_STRING, NONE, 0, NULL},
    {"default", NOTE_ANY, NONE, 0, NULL},
    {"dependentRequired", OWN, O(dependent), read_dependent},
    {"dependentSchemas", OWN, O(followed), read_followed},
    {"deprecated", NOTE_BOOL, NONE, 0, NULL},
    {"description", NOTE_STRING, NONE, 0, NULL},
    {"else", SCHEMA, L(otherwise), NULL},
    {"enum", OWN, NONE, 0, read_enum},
    {"examples", NOTE_ARRAY, NONE, 0, NULL},
    {"exclusiveMaximum", NUMBER, N(under), NULL},
    {"exclusiveMinimum", NUMBER, N(over), NULL},
    {"format", OWN, S(format), read_format},
    {"if", SCHEMA, L(when), NULL},
    {"items", SCHEMA, A(items), NULL},
    {"maxContains", COUNT, A(contains_max), NULL},
    {"maxItems", COUNT, A(items_max), NULL},
    {"maxLength", COUNT, S(length_max), NULL},
    {"maxProperties", COUNT, O(members_max), NULL},
    {"maximum", NUMBER, N(maximum), NULL},
    {"minContains", COUNT, A(contains_min), NULL},
    {"minItems", COUNT, A(items_min), NULL},
    {"minLength", COUNT, S(length_min), NULL},
    {"minProperties", COUNT, O(members_min), NULL},
    {"minimum", NUMBER, N(minimum), NULL},
    {"multipleOf", OWN, N(multiple_of), read_multiple},
    {"not", SCHEMA, L(not), NULL},
    {"oneOf", SCHEMAS, L(one), NULL},
    {"pattern", OWN, S(pattern), read_pattern},
    {"patternProperties", OWN, O(patterns), read_patterns},
    {"prefixItems", SCHEMAS, A(prefix), NULL},
    {"properties", OWN, O(properties), read_properties},
    {"propertyNames", SCHEMA, O(names), NULL},
    {"readOnly", NOTE_BOOL, NONE, 0, NULL},
    {"required", OWN, O(required), read_required},
    {"then", SCHEMA, L(then), NULL},
    {"title", NOTE_STRING, NONE, 0, NULL},
    {"type", OWN, NONE, 0, read_type},
    {"uniqueItems", OWN, A(unique), read_unique},
    {"writeOnly", NOTE_BOOL, NONE, 0, NULL},
};

/* Words of JSON Schema that Linli does not take, and what to write instead. */
static const struct {
    const char *name, *fix;
} refused[] = {
    {"$dynamicAnchor", "Use $anchor and $ref"},
    {"$dynamicRef", "Use $ref"},
    {"$recursiveRef", "Use $ref"},
    {"$vocabulary", "Leave it out: the keywords are those of spec/schema.md"},
    {"additionalItems", "Use prefixItems with items"},
    {"contentSchema", "Leave it out: it would assert nothing"},
    {"definitions", "Use $defs"},
    {"dependencies", "Use dependentRequired or dependentSchemas"},
    {"discriminator", "Use oneOf with const"},
    {"id", "Use $id"},
    {"nullable", "Use \"type\": [..., \"null\"]"},
    {"unevaluatedItems", "Use items"},
    {"unevaluatedProperties", "Use additionalProperties"},
};
/* clang-format on */

static linli_status
refuse_unknown(struct ll_schema_compiler *c, struct ll_jv key)
{
    linli_str name = ll_jv_str(key);
    struct ll_near near = {.s = name};
    int shown = name.len > 60 ? 60 : (int)name.len;
    linli_status status = ll_schema_refuse(
        c, key, "\"%.*s\" is not a keyword that Linli takes", shown, name.ptr);
    for (size_t i = 0; i < LL_COUNT(refused); i++) {
        if (ll_str_is(name, refused[i].name)) {
            ll_err_fix(c->err, "%s", refused[i].fix);
            return status;
        }
    }
    for (size_t i = 0; i < LL_COUNT(keywords); i++)
        ll_near_try(&near, ll_cstr(keywords[i].name));
    if (near.best.ptr != NULL)
        ll_err_fix(c->err, "Did you mean \"%.*s\"?", LL_FMT(near.best));
    return status;
}

/* -- reading by shape -- */

static linli_status
read_note(struct ll_schema_compiler *c, enum shape shape, struct ll_jv value)
{
    bool ok = shape == NOTE_ANY ||
              (shape == NOTE_STRING && ll_jv_is(value, LL_JSON_STRING)) ||
              (shape == NOTE_ARRAY && ll_jv_is(value, LL_JSON_ARRAY)) ||
              (shape == NOTE_BOOL && (ll_jv_is(value, LL_JSON_TRUE) ||
                                         ll_jv_is(value, LL_JSON_FALSE)));
    if (ok)
        return LINLI_OK;
    return ll_schema_refuse(c, value, "%s, wanted %s",
        ll_schema_type_text(value),
        shape == NOTE_STRING  ? "a string"
        : shape == NOTE_ARRAY ? "an array"
                              : "a boolean");
}

static linli_status
read_count(struct ll_schema_compiler *c, struct ll_jv value, uint64_t *out)
{
    int64_t i = 0;
    if (ll_jv_int(value, &i) && i >= 0) {
        *out = (uint64_t)i;
        return LINLI_OK;
    }
    double d = ll_jv_number(value);
    if (!ll_jv_is(value, LL_JSON_DOUBLE) || !ll_number_integral(value) ||
        !(d >= 0))
        return ll_schema_refuse(c, value, "a whole number from 0 on is wanted");
    *out = d < 18446744073709551616.0 ? (uint64_t)d : UINT64_MAX;
    return LINLI_OK;
}

static linli_status
read_list(struct ll_schema_compiler *c, struct ll_jv value,
    struct ll_schema_list *out)
{
    uint32_t count = ll_jv_count(value);
    if (!ll_jv_is(value, LL_JSON_ARRAY) || count == 0)
        return ll_schema_refuse(
            c, value, "an array of one schema or more is wanted");
    out->items = ll_arena_alloc(&c->schema->arena, count * sizeof *out->items);
    if (out->items == NULL)
        return ll_schema_no_memory(c);
    LL_JSON_EACH (item, value) {
        struct ll_schema_node *node;
        linli_status status = compile(c, item, &node);
        if (status != LINLI_OK)
            return status;
        out->items[out->count++] = node;
    }
    return LINLI_OK;
}

static linli_status
read_schema(struct ll_schema_compiler *c, struct ll_jv value,
    const struct ll_schema_node **out)
{
    struct ll_schema_node *node;
    linli_status status = compile(c, value, &node);
    *out = node;
    return status;
}

/* The node's structure for a group, made at first need. NULL: no memory. */
static void *
group_of(struct ll_schema_compiler *c, struct ll_schema_node *n, enum group g)
{
    struct ll_arena *arena = &c->schema->arena;
    switch (g) {
    case NUMBERS:
        if (n->number == NULL)
            n->number = ll_arena_alloc(arena, sizeof *n->number);
        return n->number;
    case STRINGS:
        if (n->string == NULL &&
            (n->string = ll_arena_alloc(arena, sizeof *n->string)) != NULL)
            n->string->length_max = UINT64_MAX;
        return n->string;
    case ARRAYS:
        if (n->array == NULL &&
            (n->array = ll_arena_alloc(arena, sizeof *n->array)) != NULL) {
            n->array->items_max = n->array->contains_max = UINT64_MAX;
            n->array->contains_min = 1;
        }
        return n->array;
    case OBJECTS:
        if (n->object == NULL &&
            (n->object = ll_arena_alloc(arena, sizeof *n->object)) != NULL)
            n->object->members_max = UINT64_MAX;
        return n->object;
    case LOGIC:
        if (n->logic == NULL)
            n->logic = ll_arena_alloc(arena, sizeof *n->logic);
        return n->logic;
    case NONE:
        break;
    }
    return n;
}

static linli_status
read_keyword(struct ll_schema_compiler *c, struct ll_schema_node *n,
    const struct keyword *k, struct ll_jv value)
{
    char *group = group_of(c, n, k->group);
    if (group == NULL)
        return ll_schema_no_memory(c);
    void *field = group + k->offset;
    switch (k->shape) {
    case COUNT:
        return read_count(c, value, field);
    case NUMBER:
        if (!ll_jv_is(value, LL_JSON_INT) && !ll_jv_is(value, LL_JSON_DOUBLE))
            return ll_schema_refuse(c, value, "a number is wanted");
        *(struct ll_jv *)field = value;
        return LINLI_OK;
    case SCHEMA:
        return read_schema(c, value, field);
    case SCHEMAS:
        return read_list(c, value, field);
    case SHELF:
        return compile_map(c, value);
    case OWN:
        return k->read == NULL ? LINLI_OK : k->read(c, n, value);
    case NOTE_STRING:
    case NOTE_BOOL:
    case NOTE_ARRAY:
    case NOTE_ANY:
        break;
    }
    return read_note(c, k->shape, value);
}

static const struct keyword *
keyword_find(linli_str name)
{
    size_t low = 0, high = LL_COUNT(keywords);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = ll_str_cmp(name, ll_cstr(keywords[middle].name));
        if (order == 0)
            return &keywords[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static linli_status
read_keywords(struct ll_schema_compiler *c, struct ll_schema_node *n)
{
    LL_JSON_MEMBERS (key, value, n->self) {
        const struct keyword *k = keyword_find(ll_jv_str(key));
        linli_status status =
            k == NULL ? refuse_unknown(c, key) : read_keyword(c, n, k, value);
        if (status != LINLI_OK)
            return status;
    }
    return n->object == NULL ? LINLI_OK : ll_schema_members(c, n->object);
}

static struct ll_schema_node *
node_new(struct ll_schema_compiler *c, struct ll_jv v)
{
    struct ll_schema_node *node =
        ll_arena_alloc(&c->schema->arena, sizeof *node);
    if (node == NULL)
        return NULL;
    if (c->node_count == c->node_cap) {
        uint32_t cap = c->node_cap == 0 ? 64 : c->node_cap * 2;
        struct ll_schema_node **moved = ll_realloc(c->schema->mem, c->nodes,
            c->node_cap * sizeof(void *), cap * sizeof(void *));
        if (moved == NULL)
            return NULL;
        c->nodes = moved;
        c->node_cap = cap;
    }
    node->self = v;
    node->index = c->node_count;
    node->resource = c->resource;
    c->nodes[c->node_count++] = node;
    c->at[v.at - c->root.at] = node;
    return node;
}

/* Recursion ends with the tape's depth, at most LL_JSON_DEPTH_MAX. */
static linli_status
compile(
    struct ll_schema_compiler *c, struct ll_jv v, struct ll_schema_node **out)
{
    struct ll_schema_resource *outer = c->resource;
    *out = NULL;
    if (c->node_count == LL_SCHEMA_NODES_MAX)
        return ll_schema_refuse(
            c, v, "more than %d subschemas", LL_SCHEMA_NODES_MAX);
    bool boolean = ll_jv_is(v, LL_JSON_TRUE) || ll_jv_is(v, LL_JSON_FALSE);
    if (!boolean && !ll_jv_is(v, LL_JSON_OBJECT))
        return ll_schema_refuse(c, v,
            "%s, where a schema must stand: an object or a boolean",
            ll_schema_type_text(v));
    struct ll_schema_node *node = node_new(c, v);
    if (node == NULL)
        return ll_schema_no_memory(c);
    node->never = ll_jv_is(v, LL_JSON_FALSE);
    *out = node;
    struct ll_jv id = ll_jv_get(v, "$id");
    linli_status status = LINLI_OK;
    if (ll_jv_there(id))
        status = ll_schema_enter_id(c, node, id);
    if (status == LINLI_OK)
        status = read_keywords(c, node);
    c->resource = outer;
    return status;
}

static linli_status
compile_all(struct ll_schema_compiler *c)
{
    struct ll_schema_node *root = NULL;
    struct ll_schema_resource unnamed = {.uri = LINLI_STR("linli:/schema")};
    c->resource = &unnamed;
    c->resources = &unnamed;
    linli_status status = compile(c, c->root, &root);
    unnamed.root = root;
    if (status == LINLI_OK)
        status = ll_schema_link(c);
    c->schema->root = root;
    return status;
}

linli_status
ll_schema_compile(struct ll_mem *mem, struct ll_jv root,
    struct ll_schema_options options, struct ll_schema **out,
    struct ll_err *err)
{
    struct ll_schema_compiler c = {.root = root, .options = options};
    struct ll_err ignored;
    *out = NULL;
    ll_check(ll_jv_there(root));
    c.err = err == NULL ? &ignored : err;
    size_t at_bytes = (ll_jv_node(root)->next - root.at) * sizeof *c.at;
    linli_status status = LINLI_OK;
    c.schema = ll_alloc(mem, sizeof *c.schema);
    c.at = ll_alloc(mem, at_bytes);
    if (c.schema != NULL) {
        c.schema->mem = mem;
        ll_arena_init(&c.schema->arena, mem, LL_SCHEMA_BYTES_MAX);
    }
    if (c.schema == NULL || c.at == NULL)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "no memory to compile a JSON Schema");
    else
        status = compile_all(&c);
    if (status != LINLI_OK)
        ll_schema_free(&c.schema);
    ll_release(mem, c.at, c.at == NULL ? 0 : at_bytes);
    ll_release(mem, c.nodes, c.node_cap * sizeof *c.nodes);
    *out = c.schema;
    return status;
}

void
ll_schema_free(struct ll_schema **schema)
{
    struct ll_schema *s = *schema;
    *schema = NULL;
    if (s == NULL)
        return;
    ll_schema_regexes_free(s);
    ll_arena_fini(&s->arena);
    ll_release(s->mem, s, sizeof *s);
}
