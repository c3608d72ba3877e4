/* host/collections.c: what an instance keeps in its space, as its manifest
 * says. [loop]
 *
 * A version's indexes are there before it serves. Those that only the version
 * before declared are retired when it does: they are kept up to date for the
 * calls that still run, but refuse nothing, and go with the last of its
 * workers (spec/db.md, D9).
 */
#include "base/text.h"
#include "data/known.h"
#include "host/errand.h"
#include "host/notify.h"
#include "host/payment.h"
#include "host/work.h"
#include "plugin/manifest.h"

/* Room for the indexes of another version. */
static bool
make_room(struct ll_coll *coll, uint32_t count)
{
    bool good = true;
    struct ll_ix *next;
    for (struct ll_ix *ix = coll->indexes;
         good && ix != NULL && coll->index_count + count > LL_INDEXES_KEPT_MAX;
         ix = next) {
        next = ix->next;
        if (ix->retired)
            good = ll_coll_drop_index(ix);
    }
    return good;
}

static linli_status
open_collections(struct ll_instance *instance,
    const struct ll_manifest *manifest, struct ll_err *err)
{
    for (uint32_t i = 0; i < manifest->collection_count; i++) {
        const struct ll_collection_decl *decl = &manifest->collections[i];
        struct ll_coll *coll = ll_space_coll(instance->space, decl->name);
        struct ll_arena *arena = ll_host_arena(instance->host);
        if (coll == NULL)
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "storage");
        /* The version may go before the space does. */
        coll->subject = ll_arena_str(arena, decl->subject);
        coll->retention_from = ll_arena_str(arena, decl->retention_from);
        coll->retention_ms = decl->retention_ms;
        coll->doc_bytes = decl->doc_bytes;
        bool good = !arena->failed && make_room(coll, decl->index_count) &&
                    ll_coll_keep(coll, decl->statutory_ms, decl->statutory_law);
        for (uint32_t k = 0; good && k < decl->index_count; k++)
            good = ll_coll_index(coll, decl->indexes[k].name,
                       decl->indexes[k].text) != NULL;
        if (!good)
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "storage");
    }
    return LINLI_OK;
}

/* Linli's own collections of the space. */
static linli_status
open_own_collections(struct ll_instance *instance, struct ll_err *err)
{
    static const char *const names[] = {"~idem", "~pid", "~meter", "~code",
        "~cursor", "~work", "~errand", "~await", "~result"};
    for (size_t i = 0; i < LL_COUNT(names); i++) {
        struct ll_coll *coll =
            ll_space_coll(instance->space, ll_cstr(names[i]));
        if (coll == NULL)
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "storage");
        if (i == 0) {
            coll->subject = (linli_str)LINLI_STR("resident");
            coll->fleeting = true;
            if (!ll_known_open(instance->space, coll))
                return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "storage");
        }
        if (i == 1) /* who is erased has none any more, nor in a copy */
            coll->subject = (linli_str)LINLI_STR("pid");
        if (i == 1 && ll_coll_index(coll, LINLI_STR("by_pid"),
                          LINLI_STR("{\"fields\":[\"pid\"],"
                                    "\"unique\":true}")) == NULL)
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "storage");
    }
    linli_status status = ll_messages_open(instance, err);
    if (status == LINLI_OK)
        status = ll_work_open(instance, err);
    return status == LINLI_OK ? ll_errands_open(instance, err) : status;
}

linli_status
ll_collections_open(struct ll_instance *instance,
    const struct ll_manifest *manifest, struct ll_err *err)
{
    linli_status status = open_collections(instance, manifest, err);
    if (status == LINLI_OK)
        status = open_own_collections(instance, err);
    /* A version that takes no money any more may have taken some before. */
    if (status == LINLI_OK &&
        (manifest->payments ||
            ll_space_find(instance->space, LINLI_STR("~payment")) != NULL))
        status = ll_payments_open(instance, err);
    return status;
}

static bool
declared(const struct ll_manifest *manifest, const struct ll_ix *ix)
{
    const struct ll_collection_decl *decl =
        ll_manifest_collection(manifest, ix->coll->name);
    return decl != NULL && ll_manifest_index(decl, ix->name) != NULL;
}

static void
retire(struct ll_coll *coll, const struct ll_manifest *manifest, bool drop)
{
    struct ll_ix *next;
    for (struct ll_ix *ix = coll->indexes; ix != NULL; ix = next) {
        next = ix->next;
        ix->retired = !declared(manifest, ix);
        /* Without memory it stays until the next time. */
        if (drop && ix->retired && !ll_coll_drop_index(ix))
            return;
    }
}

void
ll_collections_retire(struct ll_instance *instance)
{
    uint32_t serving = instance->pool == NULL ? 0 : 1;
    if (instance->package == NULL || instance->loading != NULL ||
        instance->host->draining)
        return;
    for (struct ll_coll *c = instance->space->colls; c != NULL; c = c->next)
        if (!c->system)
            retire(c, instance->package->manifest,
                instance->pool_count == serving);
}
