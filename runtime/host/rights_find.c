/* host/rights_find.c: under which names something of a resident is kept.
 * [loop]
 *
 * In the community's own space: what is said of them, and their values by
 * class. In a plugin's: the pid by which it knows them.
 * Which household is theirs is noted in the request, as it has to be known
 * when what is said of them has gone.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "consent/values.h"
#include "host/rights_int.h"

#define TARGETS_FIRST 16

struct ll_erase_target *
ll_erase_add(struct ll_erasing *e, struct ll_space *space)
{
    if (e->target_count == e->target_cap) {
        uint32_t cap = e->target_cap == 0 ? TARGETS_FIRST : 2 * e->target_cap;
        if (cap > LL_ERASE_TARGETS_MAX)
            return NULL;
        struct ll_erase_target *more =
            ll_alloc(&e->host->mem, cap * sizeof *more);
        if (more == NULL)
            return NULL;
        if (e->target_count > 0)
            memcpy(more, e->targets, e->target_count * sizeof *more);
        ll_release(
            &e->host->mem, e->targets, e->target_cap * sizeof *e->targets);
        e->targets = more;
        e->target_cap = cap;
    }
    struct ll_erase_target *target = &e->targets[e->target_count++];
    *target = (struct ll_erase_target){.space = space};
    ll_buf_init(&target->kept, &e->host->mem, LL_GONE_WHOSE_BYTES_MAX);
    return target;
}

static bool
add_own(struct ll_erasing *e)
{
    struct ll_host *host = e->host;
    struct ll_space *space = e->rights->queue->coll->space;
    struct ll_owner owner = {.community = e->community->id,
        .coll = LL_OF_RESIDENT,
        .id = e->resident};
    struct ll_erase_target *target = ll_erase_add(e, space);
    if (target == NULL)
        return false;
    ll_directory_subject(
        host, e->community->id, LL_DIR_RESIDENT, e->resident, target->subject);
    for (enum ll_class class = LL_C1; class <= LL_C3; class ++) {
        target = ll_erase_add(e, space);
        if (target == NULL)
            return false;
        ll_values_subject(host->store, &owner, class, target->subject);
    }
    return true;
}

/* What the row of a resident says, if it is there. */
static bool
add_pid(struct ll_erasing *e)
{
    struct ll_json *json = &e->host->docs.json;
    const struct ll_content *content = e->asked->content;
    if (content == NULL) {
        ll_doc_unref(&e->asked);
        return true;
    }
    struct ll_erase_target *target = ll_erase_add(e, e->space);
    if (target == NULL ||
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    linli_str pid = ll_jv_str(ll_jv_get(ll_json_root(json), "pid"));
    if (!ll_pid_valid(pid))
        return false;
    memcpy(target->subject, pid.ptr, pid.len);
    target->subject[pid.len] = '\0';
    target->pid = e->asked;
    e->asked = NULL;
    target->instance = ll_community_instance(e->community, e->space->plugin);
    return true;
}

static bool
after_finding(struct ll_erasing *e)
{
    e->at = 0;
    if (ll_str_is(e->state, "asked"))
        e->step = ll_erase_tell;
    else if (ll_str_is(e->state, "calling"))
        e->step = ll_erase_told;
    else
        e->step = ll_erase_pages;
    return true;
}

/* One space after another; those of plugins that have known anybody. */
static bool
find_pids(struct ll_erasing *e)
{
    char id[LL_DOC_ID_BYTES_MAX + 3];
    for (; e->space != NULL; e->space = e->space->next) {
        if (!ll_str_eq(e->space->community, e->community->id) ||
            ll_str_is(e->space->plugin, "~"))
            continue;
        struct ll_coll *coll = ll_space_find(e->space, LINLI_STR("~pid"));
        if (coll == NULL)
            continue;
        coll->subject = (linli_str)LINLI_STR("pid");
        int n = snprintf(id, sizeof id, "r:%.*s", LL_FMT(e->resident));
        if (n < 0 || (size_t)n >= sizeof id)
            continue; /* nobody has such an id */
        if (!ll_erase_ask(e, coll, (linli_str){id, (size_t)n}))
            return false;
        if (!add_pid(e)) {
            ll_erase_end(e, true);
            return false;
        }
    }
    return after_finding(e);
}

static bool
find_household(struct ll_erasing *e)
{
    struct ll_json *json = &e->host->docs.json;
    if (!ll_erase_ask(
            e, ll_directory(e->community, LL_DIR_RESIDENT), e->resident))
        return false;
    const struct ll_content *content = e->asked->content;
    bool good = content == NULL || ll_json_parse(json, content->body,
                                       LL_JSON_DEPTH_MAX, NULL) == LINLI_OK;
    if (content != NULL && good)
        e->household = ll_arena_str(
            &e->arena, ll_erase_household_of(ll_json_root(json), e->now_ms));
    ll_doc_unref(&e->asked);
    if (!good || e->arena.failed) {
        ll_erase_end(e, true);
        return false;
    }
    e->step = find_pids;
    return true;
}

bool
ll_erase_find(struct ll_erasing *e)
{
    if (!add_own(e)) {
        ll_erase_end(e, true);
        return false;
    }
    e->space = e->host->docs.spaces;
    /* Of who is being erased the request knows it. */
    e->step = ll_erase_copies(e) || ll_str_is(e->state, "erasing")
                  ? find_pids
                  : find_household;
    return true;
}
