/* server/access_log.c: who has read what of a resident. [loop]
 *
 * GET .../me/access-log?plugin=&limit=&cursor=&for=   newest first
 *
 * Leaves of the log about them: releases to plugins, corrections, and what
 * staff and operators have done in their name. What the answer says is what
 * the log holds, with its number there.
 */
#include <stdio.h>

#include "base/text.h"
#include "domain/leaf.h"
#include "server/people.h"
#include "server/rights.h"

#define LEAVES_MAX 400 /* looked at for one page */

static const char *const names[] = {"plugin", "limit", "cursor", "for", NULL};

struct reads {
    struct ll_view view;
    struct ll_community *community;
    int64_t limit, before;
    char plugin[LL_DOC_ID_BYTES_MAX + 1]; /* of the query; empty: any */
};

static void
end(struct ll_view *view)
{
    struct reads *reads = LL_CONTAINER(view, struct reads, view);
    ll_release(&view->face->host->mem, reads, sizeof *reads);
}

static void
write_words(struct ll_jw *w, const char *name, linli_str zh, linli_str en)
{
    ll_jw_key(w, name);
    ll_jw_open(w, '{');
    ll_jw_key(w, "zh-CN");
    ll_jw_str(w, zh);
    ll_jw_key(w, "en");
    ll_jw_str(w, en);
    ll_jw_close(w, '}');
}

static void
write_fields(struct ll_view *view, linli_str fields_json)
{
    struct ll_jw *w = &view->w;
    struct ll_host *host = view->face->host;
    const struct ll_dictionary *dictionary = &host->arbiter.dictionary;
    struct ll_json json;
    ll_json_init(&json, &host->mem);
    ll_jw_key(w, "fields");
    ll_jw_open(w, '[');
    if (fields_json.len > 0 &&
        ll_json_parse(&json, fields_json, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
        LL_JSON_EACH (item, ll_json_root(&json)) {
            int at = ll_dictionary_field(dictionary, ll_jv_str(item));
            ll_jw_open(w, '{');
            ll_view_text(view, "id", ll_jv_str(item));
            if (at >= 0)
                write_words(w, "name", dictionary->fields[at].name_zh,
                    dictionary->fields[at].name_en);
            ll_jw_close(w, '}');
        }
    ll_jw_close(w, ']');
    ll_json_fini(&json);
}

static void
write_plugin(struct ll_view *view, const struct ll_community *community,
    linli_str plugin)
{
    const struct ll_instance *instance =
        ll_community_instance(community, plugin);
    ll_view_text(view, "plugin", plugin);
    if (instance != NULL && instance->package != NULL)
        write_words(&view->w, "plugin_name",
            instance->package->manifest->name_zh,
            instance->package->manifest->name_en);
    else
        write_words(&view->w, "plugin_name", plugin, plugin);
}

/* A resident's tag is nothing to people; staff are named, by what they are
 * alone in what others may see. */
static void
write_actor(struct ll_view *view, linli_str actor, bool named)
{
    linli_str rest = actor, role;
    if (memchr(actor.ptr == NULL ? "" : actor.ptr, ':', actor.len) == NULL)
        return;
    (void)ll_str_split(&rest, ':', &role);
    ll_view_text(view, "actor", named ? actor : role);
}

void
ll_access_put(struct ll_view *view, const struct ll_community *community,
    const struct ll_leaf *leaf, int64_t seq, bool named)
{
    const struct ll_dictionary *dictionary =
        &view->face->host->arbiter.dictionary;
    int purpose = ll_dictionary_purpose(dictionary, leaf->purpose);
    ll_view_instant(view, "at", leaf->at_ms);
    ll_view_text(view, "what", ll_cstr(ll_leaf_type_name(leaf->type)));
    if (leaf->plugin.len > 0)
        write_plugin(view, community, leaf->plugin);
    write_fields(view, leaf->fields_json);
    if (leaf->purpose.len > 0)
        ll_view_text(view, "purpose", leaf->purpose);
    if (purpose >= 0)
        write_words(&view->w, "purpose_text",
            dictionary->purposes[purpose].text_zh,
            dictionary->purposes[purpose].text_en);
    if (leaf->basis.len > 0)
        ll_view_text(view, "basis", leaf->basis);
    write_actor(view, leaf->actor, named);
    ll_jw_key(&view->w, "seq");
    ll_jw_int(&view->w, seq);
}

/* Releases and corrections, and whatever helpers have done. */
bool
ll_access_is(const struct ll_leaf *leaf)
{
    bool helped = ll_str_starts(leaf->actor, "staff:") ||
                  ll_str_starts(leaf->actor, "operator:");
    return leaf->type == LL_LEAF_ACCESS || leaf->type == LL_LEAF_CORRECT ||
           helped;
}

static bool
is_shown(const struct reads *reads, const struct ll_leaf *leaf)
{
    return ll_access_is(leaf) &&
           (reads->plugin[0] == '\0' || ll_str_is(leaf->plugin, reads->plugin));
}

static void
step(struct ll_view *view)
{
    struct reads *reads = LL_CONTAINER(view, struct reads, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct ll_json json;
    struct ll_leaf leaf;
    int64_t shown = 0, last = 0;
    uint32_t i = 0, rows = view->query.row_count;
    ll_json_init(&json, &view->face->host->mem);
    for (; i < rows && shown < reads->limit; i++) {
        (void)ll_rd_list(&rd);
        last = ll_rd_int(&rd);
        if (ll_leaf_read(&json, ll_rd_bytes(&rd), &leaf, NULL) != LINLI_OK ||
            !is_shown(reads, &leaf))
            continue;
        ll_jw_open(&view->w, '{');
        ll_access_put(view, reads->community, &leaf, last, true);
        ll_jw_close(&view->w, '}');
        shown++;
    }
    ll_json_fini(&json);
    bool more = i < rows || rows == LEAVES_MAX;
    ll_jw_close(&view->w, ']');
    ll_jw_key(&view->w, "next");
    if (more) {
        char cursor[24];
        (void)snprintf(cursor, sizeof cursor, "%lld", (long long)last);
        ll_jw_cstr(&view->w, cursor);
    } else {
        ll_jw_null(&view->w);
    }
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
begin(struct reads *reads, const struct ll_person *person)
{
    struct ll_view *view = &reads->view;
    char tag[2 * LL_TAG_BYTES + 1];
    ll_hex(person->tag, sizeof person->tag, tag);
    struct ll_query *query = ll_view_query(view, LL_ST_leaf_about);
    ll_put_bytes(&query->params, ll_cstr(tag));
    ll_put_int(&query->params, reads->before);
    ll_put_int(&query->params, LEAVES_MAX);
    query->rows_max = LEAVES_MAX;
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "items");
    ll_jw_open(&view->w, '[');
    ll_view_ask(view);
}

static void
admitted(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker, const struct ll_params *params)
{
    struct ll_err err;
    const struct ll_person *person =
        ll_consent_person(face->host->arbiter.consent, asker->subject);
    struct reads *reads = ll_alloc(&face->host->mem, sizeof *reads);
    if (reads == NULL || person == NULL) {
        if (reads != NULL)
            ll_release(&face->host->mem, reads, sizeof *reads);
        ll_face_problem(face, request,
            reads == NULL ? "runtime/memory" : "request/not-found",
            LINLI_STR(""));
        return;
    }
    reads->view.step = step;
    reads->view.end = end;
    reads->community = asker->community;
    (void)snprintf(reads->plugin, sizeof reads->plugin, "%.*s",
        LL_FMT(ll_param(params, "plugin")));
    reads->before = INT64_MAX;
    ll_view_begin(&reads->view, face, request);
    if (ll_view_page(params, &reads->limit, &reads->before, &err) == LINLI_OK)
        begin(reads, person);
    else
        ll_view_refuse(&reads->view, &err);
}

bool
ll_access_log_handle(
    struct ll_face *face, struct ll_request *request, linli_str rest)
{
    struct ll_params params;
    struct ll_asker asker = {.strangers = false};
    if (!ll_str_is(rest, "me/access-log"))
        return false;
    if (!ll_str_is(request->method, "GET")) {
        ll_face_method(face, request, "GET");
        return true;
    }
    if (!ll_asker_begin_with(&asker, face, request, names, &params))
        return true;
    if (asker.self == asker.subject ||
        ll_asker_may(&asker, face->host, LL_POWER_VIEW, LL_C1))
        admitted(face, request, &asker, &params);
    else
        ll_face_problem(face, request, "consent/forbidden", LINLI_STR(""));
    ll_asker_end(&asker);
    return true;
}
