/* base/json_patch.c: RFC 7396, one walk over target and patch together. */
#include "base/json_patch.h"

#include <stdlib.h>

#include "base/text.h"

/* Members of a patch up to which its names are sorted on the stack. */
#define MEMBERS_ON_STACK 16

/* A patch's members by name. Looking each name of a large target up in a
 * large patch one by one would take seconds. */
struct member {
    uint32_t at; /* of its name */
    bool used;   /* the target has it */
};

static linli_str
name_at(struct ll_jv in, const struct member *member)
{
    return ll_jv_str((struct ll_jv){in.json, member->at});
}

static struct ll_jv
value_at(struct ll_jv in, const struct member *member)
{
    return ll_jv_after((struct ll_jv){in.json, member->at});
}

static int
by_name(const void *a, const void *b, void *in)
{
    const struct ll_jv *patch = in;
    return ll_str_cmp(name_at(*patch, a), name_at(*patch, b));
}

static int
by_place(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static struct member *
find(struct ll_jv patch, struct member *members, linli_str name)
{
    uint32_t low = 0, high = ll_jv_count(patch);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = ll_str_cmp(name, name_at(patch, &members[middle]));
        if (order == 0)
            return &members[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void
write_member(
    struct ll_jw *out, linli_str name, struct ll_jv target, struct ll_jv patch)
{
    if (ll_jv_is(patch, LL_JSON_NULL))
        return;
    ll_jw_key_str(out, name);
    ll_json_merge(out, target, patch);
}

/* The target's members, each with what the patch says of it; leaves in
 * `members` those that the target has not, and returns their number. */
static uint32_t
write_old(struct ll_jw *out, struct ll_jv target, struct ll_jv patch,
    struct member *members)
{
    uint32_t count = 0, left = 0;
    LL_JSON_MEMBERS (key, value, patch) {
        members[count++] = (struct member){key.at, false};
    }
    qsort_r(members, count, sizeof *members, by_name, &patch);
    LL_JSON_MEMBERS (key, value, target) {
        linli_str name = ll_jv_str(key);
        struct member *member = find(patch, members, name);
        if (member == NULL) {
            ll_jw_key_str(out, name);
            ll_jw_value(out, value);
            continue;
        }
        member->used = true;
        write_member(out, name, value, value_at(patch, member));
    }
    for (uint32_t i = 0; i < count; i++)
        if (!members[i].used)
            members[left++] = members[i];
    return left;
}

static void
merge_members(struct ll_jw *out, struct ll_jv target, struct ll_jv patch)
{
    struct member few[MEMBERS_ON_STACK], *members = few;
    struct ll_mem *mem = out->buf->mem;
    uint32_t count = ll_jv_count(patch);
    size_t bytes = count * sizeof *members;
    if (count > MEMBERS_ON_STACK)
        members = ll_alloc(mem, bytes);
    if (members == NULL) {
        out->buf->failed = true;
        return;
    }
    uint32_t left = write_old(out, target, patch, members);
    qsort(members, left, sizeof *members, by_place);
    for (uint32_t i = 0; i < left; i++)
        write_member(out, name_at(patch, &members[i]), (struct ll_jv){NULL, 0},
            value_at(patch, &members[i]));
    if (members != few)
        ll_release(mem, members, bytes);
}

void
ll_json_merge(struct ll_jw *out, struct ll_jv target, struct ll_jv patch)
{
    if (!ll_jv_is(patch, LL_JSON_OBJECT)) {
        ll_jw_value(out, patch);
        return;
    }
    ll_jw_open(out, '{');
    if (ll_jv_is(target, LL_JSON_OBJECT)) {
        /* The reader bounds the depth, so this recursion is bounded too. */
        merge_members(out, target, patch);
    } else {
        LL_JSON_MEMBERS (key, value, patch) {
            write_member(out, ll_jv_str(key), (struct ll_jv){NULL, 0}, value);
        }
    }
    ll_jw_close(out, '}');
}
