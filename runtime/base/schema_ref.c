/* base/schema_ref.c: $id, $anchor and $ref. [any]
 *
 * Each $id opens a resource with a URI of its own; a reference is resolved
 * against the URI of the resource it stands in and must lead to a subschema
 * of the same document. Anything else is remote, and refused. References
 * that lead back to themselves without going deeper into the document are
 * refused too: judging with them would never end.
 */
#include "base/schema_int.h"

/* Splits a reference at '#'; a fragment that is not there is empty. */
static linli_str
cut_fragment(linli_str *ref)
{
    const char *hash = ref->len == 0 ? NULL : memchr(ref->ptr, '#', ref->len);
    if (hash == NULL)
        return (linli_str){NULL, 0};
    linli_str fragment = {hash + 1, (size_t)(ref->ptr + ref->len - hash - 1)};
    ref->len = (size_t)(hash - ref->ptr);
    return fragment;
}

/* `ref` against the resource's URI, in the arena. */
static linli_status
absolute(struct ll_schema_compiler *c, const struct ll_schema_node *node,
    linli_str ref, linli_str *out)
{
    struct ll_buf buf;
    *out = node->resource->uri;
    if (ref.len == 0)
        return LINLI_OK;
    ll_buf_init(&buf, c->schema->mem, LL_SCHEMA_URI_BYTES_MAX);
    ll_uri_resolve(&buf, node->resource->uri, ref);
    linli_status status = LINLI_OK;
    if (buf.failed && ref.len > LL_SCHEMA_URI_BYTES_MAX / 2)
        status = ll_schema_refuse(c, node->self, "a URI longer than %d bytes",
            LL_SCHEMA_URI_BYTES_MAX);
    else if (buf.failed)
        status = ll_schema_no_memory(c);
    else
        *out = ll_arena_str(&c->schema->arena, ll_buf_view(&buf));
    if (status == LINLI_OK && out->ptr == NULL)
        status = ll_schema_no_memory(c);
    ll_buf_fini(&buf);
    return status;
}

static struct ll_schema_resource *
resource_find(const struct ll_schema_compiler *c, linli_str uri)
{
    struct ll_schema_resource *r = c->resources;
    while (r != NULL && !ll_str_eq(r->uri, uri))
        r = r->next;
    return r;
}

linli_status
ll_schema_enter_id(
    struct ll_schema_compiler *c, struct ll_schema_node *node, struct ll_jv id)
{
    linli_str text = ll_jv_str(id), uri;
    linli_str fragment = cut_fragment(&text);
    if (!ll_jv_is(id, LL_JSON_STRING) || fragment.len > 0 || text.len == 0 ||
        !ll_uri_valid(text, true))
        return ll_schema_refuse(
            c, id, "an $id is a URI reference without a fragment");
    linli_status status = absolute(c, node, text, &uri);
    if (status != LINLI_OK)
        return status;
    if (resource_find(c, uri) != NULL)
        return ll_schema_refuse(c, id, "this $id stands twice");
    if (c->id_count++ == LL_SCHEMA_IDS_MAX)
        return ll_schema_refuse(
            c, id, "more than %d of $id and $anchor", LL_SCHEMA_IDS_MAX);
    struct ll_schema_resource *resource =
        ll_arena_alloc(&c->schema->arena, sizeof *resource);
    if (resource == NULL)
        return ll_schema_no_memory(c);
    *resource = (struct ll_schema_resource){c->resources, uri, node};
    c->resources = resource;
    c->resource = resource;
    node->resource = resource;
    return LINLI_OK;
}

static bool
anchor_name_valid(linli_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        bool first =
            (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
        bool later = (ch >= '0' && ch <= '9') || ch == '-' || ch == '.';
        if (!first && (i == 0 || !later))
            return false;
    }
    return s.len > 0;
}

static struct ll_schema_anchor *
anchor_find(const struct ll_schema_compiler *c,
    const struct ll_schema_resource *resource, linli_str name)
{
    struct ll_schema_anchor *a = c->anchors;
    while (a != NULL && (a->resource != resource || !ll_str_eq(a->name, name)))
        a = a->next;
    return a;
}

linli_status
ll_schema_add_anchor(struct ll_schema_compiler *c, struct ll_schema_node *node,
    struct ll_jv name)
{
    linli_str text = ll_jv_str(name);
    if (!anchor_name_valid(text))
        return ll_schema_refuse(c, name,
            "an $anchor is a letter or '_', then letters, digits, '-', '_', "
            "'.'");
    if (anchor_find(c, node->resource, text) != NULL)
        return ll_schema_refuse(c, name, "this $anchor stands twice");
    if (c->id_count++ == LL_SCHEMA_IDS_MAX)
        return ll_schema_refuse(
            c, name, "more than %d of $id and $anchor", LL_SCHEMA_IDS_MAX);
    struct ll_schema_anchor *anchor =
        ll_arena_alloc(&c->schema->arena, sizeof *anchor);
    if (anchor == NULL)
        return ll_schema_no_memory(c);
    *anchor = (struct ll_schema_anchor){c->anchors, node->resource, text, node};
    c->anchors = anchor;
    return LINLI_OK;
}

/* Undoes "~1" and "~0" in place; false for another "~". */
static bool
unescape(char *token, size_t *len)
{
    size_t n = 0;
    for (size_t i = 0; i < *len; i++) {
        char ch = token[i];
        if (ch == '~') {
            i++;
            if (i == *len || (token[i] != '0' && token[i] != '1'))
                return false;
            ch = token[i] == '0' ? '~' : '/';
        }
        token[n++] = ch;
    }
    *len = n;
    return true;
}

static struct ll_jv
array_item(struct ll_jv array, linli_str token)
{
    int64_t index = 0;
    if ((token.len > 1 && token.ptr[0] == '0') ||
        !ll_str_int(token, 0, INT32_MAX, &index))
        return (struct ll_jv){NULL, 0};
    LL_JSON_EACH (item, array) {
        if (index-- == 0)
            return item;
    }
    return (struct ll_jv){NULL, 0};
}

/* The value a pointer leads to; its bytes are overwritten. */
static struct ll_jv
follow_pointer(struct ll_jv from, char *pointer, size_t len)
{
    linli_str rest = {pointer, len}, token;
    bool first = true;
    while (ll_jv_there(from) && ll_str_split(&rest, '/', &token)) {
        if (first) {
            first = false;
            continue;
        }
        char *bytes = pointer + (token.ptr - pointer);
        if (!unescape(bytes, &token.len))
            return (struct ll_jv){NULL, 0};
        from = ll_jv_is(from, LL_JSON_ARRAY) ? array_item(from, token)
                                             : ll_jv_get_str(from, token);
    }
    return from;
}

/* The node a fragment of a resource names, or NULL. */
static struct ll_schema_node *
fragment_find(const struct ll_schema_compiler *c,
    struct ll_schema_resource *resource, char *fragment, size_t len)
{
    if (len == 0)
        return resource->root;
    if (fragment[0] != '/') {
        struct ll_schema_anchor *a =
            anchor_find(c, resource, (linli_str){fragment, len});
        return a == NULL ? NULL : a->node;
    }
    struct ll_jv v = follow_pointer(resource->root->self, fragment, len);
    return ll_jv_there(v) ? ll_schema_at(c, v) : NULL;
}

static linli_status
link_ref(struct ll_schema_compiler *c, struct ll_schema_node *node)
{
    linli_str ref = node->ref_text, uri;
    linli_str fragment = cut_fragment(&ref);
    struct ll_jv at = ll_jv_get(node->self, "$ref");
    linli_status status = absolute(c, node, ref, &uri);
    if (status != LINLI_OK)
        return status;
    struct ll_schema_resource *resource = resource_find(c, uri);
    if (resource == NULL) {
        status = ll_schema_refuse(
            c, at, "a remote $ref: it leads out of this schema");
        ll_err_fix(c->err, "Copy what it names into $defs and refer to that");
        return status;
    }
    size_t len = 0;
    char *decoded = ll_arena_alloc(&c->schema->arena, fragment.len + 1);
    if (decoded == NULL)
        return ll_schema_no_memory(c);
    if (fragment.len > 0 && !ll_percent_decode(fragment, decoded, &len))
        return ll_schema_refuse(c, at, "a '%%' without two hex digits");
    node->logic->ref = fragment_find(c, resource, decoded, len);
    if (node->logic->ref == NULL)
        return ll_schema_refuse(c, at, "this $ref leads to no schema");
    return LINLI_OK;
}

/* -- loops -- */

struct loop_finder {
    uint32_t *degree; /* edges into a node that are not taken away */
    const struct ll_schema_node **ready;
    uint32_t ready_count;
    const struct ll_schema_node **from; /* a node left with an edge to it */
    enum { COUNTING, TAKING, TRACING } step;
};

static void
edge(struct loop_finder *f, const struct ll_schema_node *from,
    const struct ll_schema_node *to)
{
    if (to == NULL)
        return;
    switch (f->step) {
    case COUNTING:
        f->degree[to->index]++;
        break;
    case TAKING:
        if (--f->degree[to->index] == 0)
            f->ready[f->ready_count++] = to;
        break;
    case TRACING:
        f->from[to->index] = from;
        break;
    }
}

/* Every schema that `n` applies to the very value it judges. */
static void
edges(struct loop_finder *f, const struct ll_schema_node *n)
{
    const struct ll_schema_object *object = n->object;
    for (uint32_t i = 0; object != NULL && i < object->member_count; i++)
        edge(f, n, object->members[i].followed);
    const struct ll_schema_logic *logic = n->logic;
    if (logic == NULL)
        return;
    const struct ll_schema_list *lists[] = {
        &logic->all, &logic->any, &logic->one};
    for (size_t k = 0; k < LL_COUNT(lists); k++)
        for (uint32_t i = 0; i < lists[k]->count; i++)
            edge(f, n, lists[k]->items[i]);
    edge(f, n, logic->not );
    edge(f, n, logic->when);
    edge(f, n, logic->then);
    edge(f, n, logic->otherwise);
    edge(f, n, logic->ref);
}

/* Takes away nodes that no other leads to, until none is left or only
 * loops are (Kahn's algorithm: no recursion on a stranger's schema). */
static linli_status
refuse_loops(struct ll_schema_compiler *c, struct loop_finder *f)
{
    for (uint32_t i = 0; i < c->node_count; i++)
        edges(f, c->nodes[i]);
    for (uint32_t i = 0; i < c->node_count; i++)
        if (f->degree[i] == 0)
            f->ready[f->ready_count++] = c->nodes[i];
    f->step = TAKING;
    for (uint32_t i = 0; i < f->ready_count; i++)
        edges(f, f->ready[i]);
    if (f->ready_count == c->node_count)
        return LINLI_OK;
    const struct ll_schema_node *left = NULL;
    f->step = TRACING;
    for (uint32_t i = 0; i < c->node_count; i++) {
        if (f->degree[i] == 0)
            continue;
        left = c->nodes[i];
        edges(f, left);
    }
    /* Each node left has another before it; walking back long enough ends
     * inside the loop. */
    for (uint32_t i = 0; i < c->node_count; i++)
        left = f->from[left->index];
    return ll_schema_refuse(c, left->self,
        "references lead from here back to here without going deeper into "
        "the document");
}

static linli_status
check_loops(struct ll_schema_compiler *c)
{
    struct ll_arena *arena = &c->schema->arena;
    size_t n = c->node_count;
    struct loop_finder f = {
        .degree = ll_arena_alloc(arena, n * sizeof *f.degree),
        .from = ll_arena_alloc(arena, n * sizeof *f.from),
        .ready = ll_arena_alloc(arena, n * sizeof *f.ready)};
    if (arena->failed)
        return ll_schema_no_memory(c);
    return refuse_loops(c, &f);
}

linli_status
ll_schema_link(struct ll_schema_compiler *c)
{
    for (uint32_t i = 0; i < c->node_count; i++) {
        if (c->nodes[i]->ref_text.ptr == NULL)
            continue;
        linli_status status = link_ref(c, c->nodes[i]);
        if (status != LINLI_OK)
            return status;
    }
    return check_loops(c);
}
