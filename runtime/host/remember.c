/* host/remember.c: what a host knows again after a restart. [loop] */
#include "host/remember.h"

#include "base/text.h"
#include "host/directory.h"

#define ROWS 256

/* -- reading, at the start -- */

/* Hands each document of a collection of the host's own on. */
static linli_status
each_document(struct ll_host *host, const char *name,
    linli_status (*take)(
        struct ll_host *host, struct ll_jv document, struct ll_err *err),
    struct ll_err *err)
{
    struct ll_coll *coll =
        ll_directory_find(host, LINLI_STR(LL_DIR_HOST), name);
    char after[LL_DOC_ID_BYTES_MAX] = "";
    size_t after_len = 0;
    linli_status status = LINLI_OK;
    bool more = coll != NULL;
    while (status == LINLI_OK && more) {
        struct ll_query query;
        ll_query_init(&query, &host->mem, LL_ST_doc_up);
        ll_put_int(&query.params, coll->id);
        ll_put_bytes(&query.params, (linli_str){after, after_len});
        ll_put_int(&query.params, ROWS + 1);
        query.rows_max = ROWS;
        query.bytes_max = LL_QUERY_BYTES_MAX;
        status = ll_store_ask(host->store, &query);
        if (status != LINLI_OK)
            *err = query.err;
        struct ll_rd row = ll_rd(ll_buf_view(&query.rows));
        for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++) {
            bool there;
            (void)ll_rd_list(&row);
            linli_str id = ll_rd_bytes(&row);
            after_len = id.len < sizeof after ? id.len : sizeof after;
            memcpy(after, id.ptr, after_len);
            for (int column = 0; column < 3; column++)
                (void)ll_rd_value(&row); /* version, due, subject */
            linli_str body = ll_rd_bytes_or_nil(&row, &there);
            struct ll_json *json = &host->docs.json;
            if (there &&
                ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
                status = take(host, ll_json_root(json), err);
        }
        more = query.more;
        ll_query_fini(&query);
    }
    return status;
}

static linli_status
take_community(struct ll_host *host, struct ll_jv document, struct ll_err *err)
{
    linli_str id = ll_jv_str(ll_jv_get(document, "id"));
    linli_str zone = ll_jv_str(ll_jv_get(document, "zone"));
    const struct ll_community *there = ll_host_community(host, id);
    if (there == NULL)
        return ll_host_add_community(host, id, zone, err);
    if (!ll_str_eq(there->zone_name, zone)) {
        struct ll_log_line line = {.level = LL_WARN,
            .code = "config/zone",
            .community = id,
            .msg = LINLI_STR("the configuration gives this community another "
                             "zone than its seed did; the configuration's is "
                             "used")};
        ll_log_write(&host->log, &line);
    }
    return LINLI_OK;
}

linli_status
ll_remember_open(struct ll_host *host, struct ll_err *err)
{
    return each_document(host, LL_DIR_COMMUNITY, take_community, err);
}
