/* host/rights_household.c: what a household loses with its last member. [loop]
 *
 * Values of a household are of all its members, so they stay as long as one of
 * them does. When what is said of the resident has gone, the directory is read
 * through; if nobody else is of their household, its values are targets as the
 * resident's own are: their documents go now, and their keys in the same
 * commit. It is looked at anew after a restart, so that of two members whose
 * erasures meet the second finds nobody.
 */
#include "base/instant.h"
#include "base/limits.h"
#include "base/text.h"
#include "consent/values.h"
#include "host/rights_int.h"

linli_str
ll_erase_household_of(struct ll_jv resident, int64_t now_ms)
{
    int64_t to_ms = INT64_MAX;
    (void)ll_instant_read(
        ll_jv_str(ll_jv_get(resident, "household_to")), &to_ms);
    return now_ms < to_ms ? ll_jv_str(ll_jv_get(resident, "household"))
                          : (linli_str)LINLI_STR("");
}

static bool
add_values(struct ll_erasing *e)
{
    struct ll_owner owner = {.community = e->community->id,
        .coll = LL_OF_HOUSEHOLD,
        .id = e->household};
    for (enum ll_class class = LL_C1; class <= LL_C3; class ++) {
        struct ll_erase_target *target =
            ll_erase_add(e, e->rights->queue->coll->space);
        if (target == NULL)
            return false;
        ll_values_subject(e->host->store, &owner, class, target->subject);
    }
    return true;
}

/* Whether one of those found is of the household, other than who is erased.
 * False in *good: one could not be read. */
static bool
finds_another(struct ll_erasing *e, bool *good)
{
    struct ll_json *json = &e->host->docs.json;
    for (uint32_t i = 0; i < e->scan.count; i++) {
        const struct ll_scan_item *item = &e->scan.items[i];
        if (ll_str_eq(item->id, e->resident))
            continue;
        *good = ll_json_parse(json, item->content->body, LL_JSON_DEPTH_MAX,
                    NULL) == LINLI_OK;
        if (!*good)
            return false;
        if (ll_str_eq(ll_erase_household_of(ll_json_root(json), e->now_ms),
                e->household))
            return true;
    }
    return false;
}

static void
on_residents(struct ll_scan *scan)
{
    struct ll_erasing *e = scan->user;
    bool good = scan->status == LINLI_OK, over = scan->exhausted;
    bool another = good && finds_another(e, &good);
    ll_buf_clear(&e->after_id);
    if (good && scan->count > 0)
        ll_buf_str(&e->after_id, scan->items[scan->count - 1].id);
    good = good && !e->after_id.failed && (over || scan->count > 0);
    ll_erase_scanned(e);
    if (good && (another || over)) {
        ll_buf_clear(&e->after_id);
        e->looked = true;
        good = another || add_values(e);
        e->step = ll_erase_go_on;
    }
    if (good)
        ll_erase_go(e);
    else
        ll_erase_end(e, true);
}

bool
ll_erase_alone(struct ll_erasing *e)
{
    struct ll_scan *scan = &e->scan;
    struct ll_coll *coll = ll_directory(e->community, LL_DIR_RESIDENT);
    if (coll == NULL) {
        ll_erase_end(e, true);
        return false;
    }
    ll_txn_init(&e->txn, &e->host->docs);
    ll_scan_init(scan, &e->txn);
    scan->coll = coll;
    scan->limit = LL_ERASE_ROWS;
    scan->bytes_max = LL_LIST_BYTES_MAX;
    if (e->after_id.len > 0)
        scan->after_key = scan->after_id = ll_buf_view(&e->after_id);
    scan->done = on_residents;
    scan->user = e;
    e->scanning = true;
    ll_scan_start(scan);
    return false;
}

void
ll_erase_scanned(struct ll_erasing *e)
{
    if (!e->scanning)
        return;
    e->scanning = false;
    ll_scan_fini(&e->scan);
    ll_txn_fini(&e->txn);
}
