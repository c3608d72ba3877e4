/* base/schema_object.c: one table of names for an object's keywords. [any]
 *
 * `properties`, `required` and `dependent*` are merged, so that judging an
 * object looks each member up once, by binary search: no hash that a
 * stranger could make collide.
 */
#include <stdlib.h>

#include "base/schema_int.h"

struct ll_schema_node *
ll_schema_at(const struct ll_schema_compiler *c, struct ll_jv v)
{
    return c->at[v.at - c->root.at];
}

static int
name_cmp(linli_str a, linli_str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len == 0 ? 0 : memcmp(a.ptr, b.ptr, a.len);
}

static int
member_cmp(const void *a, const void *b)
{
    const struct ll_schema_member *x = a, *y = b;
    return name_cmp(x->name, y->name);
}

static struct ll_schema_member *
find(const struct ll_schema_object *object, linli_str name)
{
    uint32_t low = 0, high = object->member_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = name_cmp(name, object->members[middle].name);
        if (order == 0)
            return &object->members[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct ll_schema_member *
ll_schema_member(const struct ll_schema_object *object, linli_str name)
{
    return find(object, name);
}

/* Adds every name the keywords know, then sorts them and drops doubles. */
static void
collect(struct ll_schema_object *object)
{
    struct ll_jv maps[] = {
        object->properties, object->dependent, object->followed};
    uint32_t n = 0;
    for (size_t i = 0; i < LL_COUNT(maps); i++)
        LL_JSON_MEMBERS (key, value, maps[i]) {
            object->members[n++].name = ll_jv_str(key);
        }
    LL_JSON_EACH (name, object->required) {
        object->members[n++].name = ll_jv_str(name);
    }
    if (n == 0)
        return;
    qsort(object->members, n, sizeof *object->members, member_cmp);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < n; i++)
        if (member_cmp(&object->members[i], &object->members[kept - 1]) != 0)
            object->members[kept++] = object->members[i];
    object->member_count = kept;
}

linli_status
ll_schema_members(struct ll_schema_compiler *c, struct ll_schema_object *object)
{
    size_t most = (size_t)ll_jv_count(object->properties) +
                  ll_jv_count(object->required) +
                  ll_jv_count(object->dependent) +
                  ll_jv_count(object->followed);
    if (most == 0)
        return LINLI_OK;
    object->members =
        ll_arena_alloc(&c->schema->arena, most * sizeof *object->members);
    if (object->members == NULL)
        return ll_schema_no_memory(c);
    collect(object);
    LL_JSON_MEMBERS (key, value, object->properties) {
        find(object, ll_jv_str(key))->schema = ll_schema_at(c, value);
    }
    LL_JSON_MEMBERS (key, value, object->followed) {
        find(object, ll_jv_str(key))->followed = ll_schema_at(c, value);
    }
    LL_JSON_MEMBERS (key, value, object->dependent) {
        find(object, ll_jv_str(key))->follows = value;
    }
    LL_JSON_EACH (name, object->required) {
        struct ll_schema_member *member = find(object, ll_jv_str(name));
        if (member->required)
            return ll_schema_refuse(c, name, "a name that stands twice");
        member->required = true;
        object->required_count++;
    }
    return LINLI_OK;
}
