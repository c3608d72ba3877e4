/* consent/values.c: values in ~field, read one at a time. [loop] */
#include "consent/values.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"

#define ID_BYTES_MAX (LL_PID_BYTES + 64)
#define BODY_BYTES_MAX (2 * LL_FIELD_VALUE_BYTES_MAX + 1024)

struct ll_coll *
ll_values_coll(struct ll_docs *docs, linli_str community)
{
    struct ll_space *space = ll_docs_space(docs, community, LINLI_STR("~"));
    struct ll_coll *coll =
        space == NULL ? NULL : ll_space_coll(space, LINLI_STR("~field"));
    if (coll != NULL) {
        coll->subject = (linli_str)LINLI_STR("subject");
        coll->fleeting = true;
    }
    return coll;
}

void
ll_values_subject(struct ll_store *store, const struct ll_owner *owner,
    enum ll_class class, char out[LL_PID_BYTES])
{
    char kind[32];
    int n = snprintf(
        kind, sizeof kind, "%s.field.%s", owner->coll, ll_class_name(class));
    ll_check(n > 0 && (size_t)n < sizeof kind);
    ll_subject(store, owner->community, kind, owner->id, out);
}

/* -- reading -- */

linli_status
ll_held_begin(struct ll_held *held, struct ll_docs *docs,
    const struct ll_owner *owner, const struct ll_field_def *field,
    struct ll_err *err)
{
    char id[ID_BYTES_MAX];
    *held = (struct ll_held){.docs = docs, .field = field};
    held->of_household = strcmp(owner->coll, LL_OF_HOUSEHOLD) == 0;
    ll_check(held->of_household == field->household);
    ll_values_subject(docs->store, owner, field->class, held->subject);
    int n =
        snprintf(id, sizeof id, "%s.%.*s", held->subject, LL_FMT(field->id));
    ll_check(n > 0 && (size_t)n < sizeof id);
    ll_buf_init(&held->text, docs->mem, BODY_BYTES_MAX);
    struct ll_coll *coll = ll_values_coll(docs, owner->community);
    held->doc =
        coll == NULL ? NULL : ll_docs_get(coll, (linli_str){id, (size_t)n});
    return held->doc != NULL
               ? LINLI_OK
               : ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a value");
}

static enum ll_held_state
read_it(struct ll_held *held)
{
    struct ll_json *json = &held->docs->json;
    const struct ll_content *content = held->doc->content;
    if (ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return LL_HELD_LOST;
    struct ll_jv root = ll_json_root(json), value = ll_jv_get(root, "value");
    struct ll_jw w = ll_jw(&held->text);
    ll_wipe(&held->text);
    (void)ll_jv_int(ll_jv_get(root, "at"), &held->at_ms);
    if (ll_jv_there(value))
        ll_jw_value(&w, value);
    ll_wipe_bytes(json->own.ptr, json->own.len);
    if (held->text.failed || held->text.len == 0)
        return LL_HELD_LOST;
    held->value = ll_buf_view(&held->text);
    return LL_HELD_THERE;
}

static void
on_gone(struct ll_query *query)
{
    struct ll_held *held = query->user;
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    held->asking = false;
    held->asked = query->status == LINLI_OK;
    held->state = held->asked ? LL_HELD_ASKED : LL_HELD_LOST;
    if (held->asked && query->row_count > 0) {
        (void)ll_rd_list(&rows);
        held->gone = ll_rd_int(&rows) != 0;
    }
    ll_query_fini(query);
    ll_wait_tell(&held->waits);
}

/* There is no document: whether there can be none. */
static void
ask_gone(struct ll_held *held)
{
    struct ll_query *query = &held->query;
    ll_query_init(query, held->docs->mem, LL_ST_subject_gone);
    ll_put_int(&query->params, held->doc->coll->space->id);
    ll_put_bytes(&query->params, ll_cstr(held->subject));
    query->rows_max = 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_gone;
    query->user = held;
    held->asking = true;
    ll_store_query(held->docs->store, query);
}

bool
ll_held_ready(struct ll_held *held, struct ll_wait *wait)
{
    ll_check(held->doc != NULL);
    if (held->state == LL_HELD_LOST)
        return true;
    held->value = (linli_str){NULL, 0};
    if (!ll_doc_ready(held->doc, wait))
        return false;
    if (held->doc->state == LL_DOC_LOST) {
        held->state = LL_HELD_LOST;
    } else if (held->doc->content != NULL) {
        held->state = read_it(held);
    } else if (held->asked) {
        held->state = held->gone ? LL_HELD_SHREDDED : LL_HELD_ABSENT;
    } else {
        if (!held->asking)
            ask_gone(held);
        ll_wait_add(&held->waits, wait);
        return false;
    }
    return true;
}

void
ll_held_end(struct ll_held *held)
{
    if (held->doc == NULL)
        return;
    if (held->asking) {
        ll_store_cancel(held->docs->store, &held->query);
        ll_query_fini(&held->query);
    }
    held->asking = false;
    held->value = (linli_str){NULL, 0};
    ll_wipe(&held->text);
    ll_buf_fini(&held->text);
    ll_doc_unref(&held->doc);
}
