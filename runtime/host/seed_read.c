/* host/seed_read.c: the lists of a seed become documents. [loop] */
#include "host/seed_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "host/directory.h"
#include "host/own_schema.h"
#include "host/seed_people.h"
#include "seed_schema.h"

#define ZONE_ARENA_BYTES_MAX ((size_t)4 << 20)
#define ARENA_BYTES_MAX ((size_t)48 << 20)

/* The lists, and the collections that they fill; residents stand before those
 * who are found by them. */
static const struct {
    const char *list, *coll;
} lists[] = {
    {"communities", LL_DIR_COMMUNITY},
    {"households", LL_DIR_HOUSEHOLD},
    {"residents", LL_DIR_RESIDENT},
    {"staff", LL_DIR_STAFF},
    {"guardians", LL_DIR_GUARDIAN},
    {"devices", LL_DIR_DEVICE},
    {"spaces", LL_DIR_SPACE},
};

linli_status
ll_seed_fail(const struct ll_seed_text *text, struct ll_jv at,
    struct ll_err *err, const char *fmt, ...)
{
    char msg[sizeof err->msg], pointer[sizeof err->where];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(msg, sizeof msg, fmt, args);
    va_end(args);
    ll_jv_pointer(ll_json_root(&text->json), at, pointer, sizeof pointer);
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "seed/invalid", "%s", msg);
    ll_err_where(err, "%s", pointer);
    return status;
}

static linli_status
no_room(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a seed");
}

static linli_str
member(struct ll_jv object, const char *name)
{
    return ll_jv_str(ll_jv_get(object, name));
}

/* -- finding -- */

static int
compare(const struct ll_seed_item *a, const struct ll_seed_item *b)
{
    int order = strcmp(a->coll, b->coll);
    if (order == 0)
        order = ll_str_cmp(a->community, b->community);
    return order != 0 ? order : ll_str_cmp(a->id, b->id);
}

static int
by_name(const void *a, const void *b)
{
    return compare(
        *(struct ll_seed_item *const *)a, *(struct ll_seed_item *const *)b);
}

static struct ll_seed_item *
find(const struct ll_seed_text *text, const char *coll, linli_str community,
    linli_str id)
{
    struct ll_seed_item key = {.community = community, .coll = coll, .id = id};
    struct ll_seed_item *at = &key;
    struct ll_seed_item **found =
        bsearch(&at, text->sorted, text->count, sizeof *text->sorted, by_name);
    return found == NULL ? NULL : *found;
}

/* -- items -- */

static int
by_id(const void *a, const void *b)
{
    const struct ll_seed_item *first = *(struct ll_seed_item *const *)a;
    const struct ll_seed_item *second = *(struct ll_seed_item *const *)b;
    return ll_str_cmp(first->id, second->id);
}

/* Residents are read before guardians, who are looked up among them. */
static void
sort_residents(struct ll_seed_text *text)
{
    for (uint32_t i = 0; i < text->count; i++)
        if (strcmp(text->items[i].coll, LL_DIR_RESIDENT) == 0)
            text->residents[text->resident_count++] = &text->items[i];
    qsort(
        text->residents, text->resident_count, sizeof *text->residents, by_id);
}

/* A ward says no community: it is that of the one resident of its name.
 * False: there is none, or there are two. */
static bool
community_of_ward(
    const struct ll_seed_text *text, linli_str ward, linli_str *community)
{
    struct ll_seed_item key = {.id = ward};
    struct ll_seed_item *at = &key;
    struct ll_seed_item **first = text->residents;
    struct ll_seed_item **end = first + text->resident_count;
    struct ll_seed_item **found = bsearch(
        &at, first, text->resident_count, sizeof *text->residents, by_id);
    if (found == NULL || (found > first && by_id(found - 1, found) == 0) ||
        (found + 1 < end && by_id(found + 1, found) == 0))
        return false;
    *community = (*found)->community;
    return true;
}

static linli_status
read_guardian(
    struct ll_seed_text *text, struct ll_seed_item *item, struct ll_err *err)
{
    struct ll_jv ward = ll_jv_get(item->value, "ward");
    char id[LL_DOC_ID_BYTES_MAX + 1];
    if (!community_of_ward(text, ll_jv_str(ward), &item->community))
        return ll_seed_fail(
            text, ward, err, "a ward is exactly one of the seed's residents");
    int n = snprintf(id, sizeof id, "%.*s/%.*s", LL_FMT(ll_jv_str(ward)),
        LL_FMT(member(item->value, "guardian")));
    ll_check(n > 0 && (size_t)n < sizeof id);
    item->id = ll_arena_str(&text->arena, (linli_str){id, (size_t)n});
    item->about = ll_jv_str(ward);
    return LINLI_OK;
}

static linli_status
read_item(
    struct ll_seed_text *text, struct ll_seed_item *item, struct ll_err *err)
{
    if (strcmp(item->coll, LL_DIR_GUARDIAN) == 0)
        return read_guardian(text, item, err);
    item->id = item->about = member(item->value, "id");
    item->community = strcmp(item->coll, LL_DIR_COMMUNITY) == 0
                          ? LINLI_STR(LL_DIR_HOST)
                          : member(item->value, "community");
    return LINLI_OK;
}

static linli_status
read_items(struct ll_seed_text *text, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&text->json);
    uint32_t total = 0;
    for (size_t i = 0; i < LL_COUNT(lists); i++)
        total += ll_jv_count(ll_jv_get(root, lists[i].list));
    if (total > LL_SEED_DOCUMENTS_MAX)
        return ll_seed_fail(text, root, err,
            "%u documents, more than %d: use several seeds", total,
            LL_SEED_DOCUMENTS_MAX);
    size_t room = total + 1;
    text->items = ll_arena_alloc(&text->arena, room * sizeof *text->items);
    text->sorted = ll_arena_alloc(&text->arena, room * sizeof *text->sorted);
    text->residents =
        ll_arena_alloc(&text->arena, room * sizeof *text->residents);
    /* Each names one other at most. */
    text->refs = ll_arena_alloc(&text->arena, room * sizeof *text->refs);
    if (text->arena.failed)
        return no_room(err);
    for (size_t i = 0; i < LL_COUNT(lists); i++) {
        if (strcmp(lists[i].coll, LL_DIR_GUARDIAN) == 0)
            sort_residents(text);
        LL_JSON_EACH (value, ll_jv_get(root, lists[i].list)) {
            struct ll_seed_item *item = &text->items[text->count];
            *item =
                (struct ll_seed_item){.coll = lists[i].coll, .value = value};
            linli_status status = read_item(text, item, err);
            if (status != LINLI_OK)
                return status;
            text->sorted[text->count++] = item;
        }
    }
    return text->arena.failed ? no_room(err) : LINLI_OK;
}

static linli_status
check_twice(struct ll_seed_text *text, struct ll_err *err)
{
    qsort(text->sorted, text->count, sizeof *text->sorted, by_name);
    for (uint32_t i = 1; i < text->count; i++) {
        const struct ll_seed_item *a = text->sorted[i - 1];
        const struct ll_seed_item *b = text->sorted[i];
        if (compare(a, b) == 0)
            return ll_seed_fail(text,
                a->value.at > b->value.at ? a->value : b->value, err,
                "%.*s stands twice", LL_FMT(a->id));
    }
    return LINLI_OK;
}

/* -- communities -- */

static linli_status
check_zone(struct ll_host *host, const struct ll_seed_text *text,
    const struct ll_seed_item *item, struct ll_err *err)
{
    struct ll_community *there = ll_host_community(host, item->id);
    struct ll_jv zone = ll_jv_get(item->value, "zone");
    struct ll_arena arena;
    struct ll_zone read;
    struct ll_err why;
    if (!ll_jv_there(zone))
        return LINLI_OK;
    if (there != NULL)
        return ll_str_eq(there->zone_name, ll_jv_str(zone))
                   ? LINLI_OK
                   : ll_seed_fail(text, zone, err,
                         "the community is there, in the zone %.*s",
                         LL_FMT(there->zone_name));
    ll_arena_init(&arena, &host->mem, ZONE_ARENA_BYTES_MAX);
    linli_status status = ll_zone_load(&arena, ll_jv_str(zone), &read, &why);
    ll_arena_fini(&arena);
    return status == LINLI_OK ? LINLI_OK
                              : ll_seed_fail(text, zone, err, "%s", why.msg);
}

/* It is in the seed, or this host has it. */
static linli_status
check_community(struct ll_host *host, const struct ll_seed_text *text,
    struct ll_jv value, struct ll_err *err)
{
    struct ll_jv at = ll_jv_get(value, "community");
    linli_str id = ll_jv_str(at);
    if (!ll_jv_there(at) || ll_host_community(host, id) != NULL ||
        find(text, LL_DIR_COMMUNITY, LINLI_STR(LL_DIR_HOST), id) != NULL)
        return LINLI_OK;
    return ll_seed_fail(text, at, err,
        "there is no community %.*s, here or in `communities`", LL_FMT(id));
}

static linli_status
check_communities(
    struct ll_host *host, const struct ll_seed_text *text, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; status == LINLI_OK && i < text->count; i++) {
        const struct ll_seed_item *item = &text->items[i];
        status = strcmp(item->coll, LL_DIR_COMMUNITY) == 0
                     ? check_zone(host, text, item, err)
                     : check_community(host, text, item->value, err);
    }
    LL_JSON_EACH (plugin, ll_jv_get(ll_json_root(&text->json), "plugins")) {
        if (status == LINLI_OK)
            status = check_community(host, text, plugin, err);
    }
    return status;
}

/* -- references -- */

/* Which member of a list names what. */
static const struct {
    const char *coll, *member, *colls[2];
} references[] = {
    {LL_DIR_RESIDENT, "household", {LL_DIR_HOUSEHOLD, NULL}},
    {LL_DIR_GUARDIAN, "guardian", {LL_DIR_RESIDENT, NULL}},
    {LL_DIR_SPACE, "owner", {LL_DIR_RESIDENT, LL_DIR_HOUSEHOLD}},
};

static void
add_ref(struct ll_seed_text *text, const struct ll_seed_item *item, size_t kind)
{
    struct ll_jv at = ll_jv_get(item->value, references[kind].member);
    linli_str id = ll_jv_str(at);
    if (!ll_jv_there(at))
        return;
    for (size_t i = 0; i < 2 && references[kind].colls[i] != NULL; i++)
        if (find(text, references[kind].colls[i], item->community, id) != NULL)
            return;
    text->refs[text->ref_count++] = (struct ll_seed_ref){.at = at,
        .community = item->community,
        .id = id,
        .colls = {references[kind].colls[0], references[kind].colls[1]}};
}

static void
read_refs(struct ll_seed_text *text)
{
    for (uint32_t i = 0; i < text->count; i++)
        for (size_t kind = 0; kind < LL_COUNT(references); kind++)
            if (strcmp(text->items[i].coll, references[kind].coll) == 0)
                add_ref(text, &text->items[i], kind);
}

/* -- the whole -- */

linli_status
ll_seed_read(struct ll_host *host, linli_str json, struct ll_seed_text *text,
    struct ll_err *err)
{
    *text = (struct ll_seed_text){.mem = &host->mem};
    ll_arena_init(&text->arena, &host->mem, ARENA_BYTES_MAX);
    ll_json_init(&text->json, &host->mem);
    linli_status status =
        ll_json_parse(&text->json, json, LL_BODY_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = ll_own_schema_check(&host->mem,
            (linli_str){(const char *)ll_seed_schema, sizeof ll_seed_schema},
            ll_json_root(&text->json), "seed/invalid", err);
    if (status == LINLI_OK)
        status = read_items(text, err);
    if (status == LINLI_OK)
        status = check_twice(text, err);
    if (status == LINLI_OK)
        status = check_communities(host, text, err);
    if (status == LINLI_OK)
        status = ll_seed_people_read(host, text, err);
    if (status == LINLI_OK)
        read_refs(text);
    else
        ll_seed_text_fini(text);
    return status;
}

void
ll_seed_text_fini(struct ll_seed_text *text)
{
    for (uint32_t i = 0; i < text->count; i++)
        ll_doc_unref(&text->items[i].doc);
    for (uint32_t i = 0; i < text->value_count; i++)
        ll_held_end(&text->values[i].held);
    for (uint32_t i = 0; i < text->ref_count; i++)
        for (size_t k = 0; k < 2; k++)
            ll_doc_unref(&text->refs[i].docs[k]);
    ll_json_fini(&text->json);
    ll_arena_fini(&text->arena);
    text->count = text->ref_count = text->value_count = 0;
}

/* -- documents -- */

static void
write_own(
    struct ll_host *host, const struct ll_seed_item *item, struct ll_jw *w)
{
    char subject[LL_PID_BYTES];
    if (strcmp(item->coll, LL_DIR_COMMUNITY) == 0) {
        ll_jw_key(w, "zone");
        ll_jw_str(w, ll_host_community(host, item->id)->zone_name);
        return;
    }
    /* What is said of a ward goes when the ward's key does. */
    bool of_ward = strcmp(item->coll, LL_DIR_GUARDIAN) == 0;
    ll_directory_subject(host, item->community,
        of_ward ? LL_DIR_RESIDENT : item->coll, item->about, subject);
    ll_jw_key(w, "subject");
    ll_jw_cstr(w, subject);
}

void
ll_seed_body(
    struct ll_host *host, const struct ll_seed_item *item, struct ll_buf *out)
{
    static const char *const own[] = {"id", "community", "zone"};
    struct ll_jw w = ll_jw(out);
    ll_buf_clear(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, item->id);
    write_own(host, item, &w);
    LL_JSON_MEMBERS (name, value, item->value) {
        bool taken = ll_seed_is_elsewhere(item, ll_jv_str(name));
        for (size_t i = 0; i < LL_COUNT(own); i++)
            taken |= ll_str_is(ll_jv_str(name), own[i]);
        if (taken)
            continue;
        ll_jw_key_str(&w, ll_jv_str(name));
        ll_jw_value(&w, value);
    }
    ll_jw_close(&w, '}');
}
