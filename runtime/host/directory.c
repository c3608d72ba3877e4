/* host/directory.c: documents of the runtime's own. [loop] */
#include "host/directory.h"

#include "base/instant.h"
#include "base/text.h"

static struct ll_coll *
coll_of(struct ll_space *space, const char *name)
{
    struct ll_coll *coll =
        space == NULL ? NULL : ll_space_coll(space, ll_cstr(name));
    if (coll != NULL)
        coll->subject = (linli_str)LINLI_STR("subject");
    return coll;
}

struct ll_coll *
ll_directory(struct ll_community *community, const char *name)
{
    if (community->space == NULL)
        community->space = ll_docs_space(
            &community->host->docs, community->id, LINLI_STR("~"));
    return coll_of(community->space, name);
}

struct ll_coll *
ll_directory_host(struct ll_host *host, const char *name)
{
    return coll_of(
        ll_docs_space(&host->docs, LINLI_STR(LL_DIR_HOST), LINLI_STR("~")),
        name);
}

struct ll_coll *
ll_directory_find(struct ll_host *host, linli_str community, const char *name)
{
    struct ll_space *space = host->docs.spaces;
    while (space != NULL && !(ll_str_eq(space->community, community) &&
                                ll_str_is(space->plugin, "~")))
        space = space->next;
    return space == NULL ? NULL : ll_space_find(space, ll_cstr(name));
}

void
ll_directory_subject(struct ll_host *host, linli_str community,
    const char *coll, linli_str id, char out[LL_PID_BYTES])
{
    ll_subject(host->store, community, coll, id, out);
}

linli_str
ll_directory_household(struct ll_jv resident, int64_t now_ms)
{
    linli_str household = ll_jv_str(ll_jv_get(resident, "household"));
    int64_t from_ms = INT64_MIN, to_ms = INT64_MAX;
    if (household.len == 0)
        return (linli_str){NULL, 0};
    (void)ll_instant_read(
        ll_jv_str(ll_jv_get(resident, "household_from")), &from_ms);
    (void)ll_instant_read(
        ll_jv_str(ll_jv_get(resident, "household_to")), &to_ms);
    return now_ms >= from_ms && now_ms < to_ms ? household
                                               : (linli_str)LINLI_STR("");
}
