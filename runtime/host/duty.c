/* host/duty.c: duties made, overdue and done. [loop] */
#include "host/duty.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "domain/leaf.h"
#include "host/alert.h"
#include "host/clock.h"
#include "host/directory.h"

#define PURPOSE_BYTES 512
#define DATA_BYTES_MAX 1024
#define REF_BYTES (5 + LL_DUTY_ID_BYTES)

static linli_str
text_of(struct ll_jv root, const char *name)
{
    return ll_jv_str(ll_jv_get(root, name));
}

static void
put_text(struct ll_jw *w, const char *name, linli_str text)
{
    if (text.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

/* -- in the log -- */

/* What is told of a duty in a leaf. */
struct said {
    linli_str id, kind, why, plugin, tag, actor;
    const char *result;
    int64_t until_ms, now_ms;
};

static void
put_leaf(struct ll_community *community, const struct said *said,
    struct ll_commit *commit)
{
    struct ll_buf line, data;
    ll_buf_init(&line, &community->host->mem, LL_LEAF_BYTES_MAX);
    ll_buf_init(&data, &community->host->mem, DATA_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    put_text(&w, "id", said->id);
    put_text(&w, "kind", said->kind);
    put_text(&w, "why", said->why);
    ll_jw_close(&w, '}');
    struct ll_leaf leaf = {.type = LL_LEAF_DUTY,
        .at_ms = said->now_ms,
        .community = community->id,
        .actor = said->actor,
        .subject = said->tag,
        .plugin = said->plugin,
        .until_ms = said->until_ms,
        .result = ll_cstr(said->result),
        .data_json = ll_buf_view(&data)};
    ll_leaf_put(&line, &leaf);
    if (data.failed || line.failed)
        commit->ops.failed = true;
    else
        ll_commit_leaf(commit, ll_buf_view(&line));
    ll_buf_fini(&line);
    ll_buf_fini(&data);
}

static struct said
said_of(struct ll_jv root, const char *result, linli_str actor, int64_t now_ms)
{
    struct said said = {.id = text_of(root, "id"),
        .kind = text_of(root, "kind"),
        .why = text_of(root, "why"),
        .plugin = text_of(root, "plugin"),
        .tag = text_of(root, "tag"),
        .actor = actor,
        .result = result,
        .now_ms = now_ms};
    (void)ll_jv_int(ll_jv_get(root, "until"), &said.until_ms);
    return said;
}

/* -- making one -- */

/* The same of the same: what is made again after a crash is one. */
static void
make_id(struct ll_community *community, const struct ll_duty *duty,
    char id[LL_DUTY_ID_BYTES])
{
    char purpose[PURPOSE_BYTES];
    unsigned char bytes[LL_DUTY_ID_DIGITS / 2];
    int n = snprintf(purpose, sizeof purpose, "duty:%.*s:%s:%s:%.*s:%.*s",
        LL_FMT(community->id), duty->kind, duty->why, LL_FMT(duty->plugin),
        LL_FMT(duty->ref));
    ll_check(n > 0 && (size_t)n < sizeof purpose);
    ll_store_secret(community->host->store, purpose, bytes, sizeof bytes);
    ll_hex(bytes, sizeof bytes, id);
}

static void
write_duty(struct ll_host *host, const struct ll_duty *duty, linli_str id,
    struct ll_buf *text)
{
    struct ll_jw w = ll_jw(text);
    ll_jw_open(&w, '{');
    put_text(&w, "id", id);
    put_text(&w, "kind", ll_cstr(duty->kind));
    put_text(&w, "why", ll_cstr(duty->why));
    put_text(&w, "ref", duty->ref);
    put_text(&w, "plugin", duty->plugin);
    put_text(&w, "tag", duty->tag);
    put_text(&w, "state", LINLI_STR("open"));
    ll_jw_key(&w, "at");
    ll_jw_int(&w, duty->now_ms);
    ll_jw_key(&w, "until");
    ll_jw_int(&w, duty->until_ms);
    ll_queue_write_due(host, &w, duty->until_ms);
    ll_jw_close(&w, '}');
}

linli_status
ll_duty_put(struct ll_community *community, const struct ll_duty *duty,
    struct ll_txn *txn, struct ll_commit *commit)
{
    struct ll_host *host = community->host;
    char id[LL_DUTY_ID_BYTES];
    struct ll_buf text;
    linli_status status = ll_duties_open(community, true, NULL);
    if (status != LINLI_OK)
        return status;
    make_id(community, duty, id);
    struct ll_doc *doc = ll_docs_make(community->duties->coll, ll_cstr(id));
    if (doc == NULL || doc->state != LL_DOC_KNOWN) {
        ll_doc_unref(&doc);
        return LINLI_E_NOMEM; /* somebody reads it; it is made next time */
    }
    ll_buf_init(&text, &host->mem, LL_DOC_BYTES_MAX);
    if (doc->content == NULL) {
        write_duty(host, duty, ll_cstr(id), &text);
        struct said said = {.id = ll_cstr(id),
            .kind = ll_cstr(duty->kind),
            .why = ll_cstr(duty->why),
            .plugin = duty->plugin,
            .tag = duty->tag,
            .actor = LINLI_STR("system"),
            .result = "made",
            .until_ms = duty->until_ms,
            .now_ms = duty->now_ms};
        put_leaf(community, &said, commit);
        status = ll_txn_put(txn, doc, &text, duty->now_ms, NULL);
    }
    ll_buf_fini(&text);
    ll_doc_unref(&doc);
    return status;
}

/* -- suspending: a plugin that was to delete something of a resident and says
 * nothing is told nothing of them -- */

static bool
is_suspended_by(struct ll_jv root)
{
    return ll_str_is(text_of(root, "kind"), "DELETE") &&
           text_of(root, "tag").len > 0 && text_of(root, "plugin").len > 0;
}

/* Of what ll_hex has written. */
static bool
read_tag(linli_str hex, unsigned char tag[LL_TAG_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (hex.len != 2 * LL_TAG_BYTES)
        return false;
    for (size_t i = 0; i < hex.len; i++) {
        const char *at = memchr(digits, hex.ptr[i], 16);
        if (at == NULL)
            return false;
        unsigned high = i % 2 == 0 ? 0 : tag[i / 2];
        tag[i / 2] = (unsigned char)(high << 4 | (unsigned)(at - digits));
    }
    return true;
}

static uint32_t
subject_of(const struct ll_community *community, linli_str tag)
{
    unsigned char bytes[LL_TAG_BYTES];
    return read_tag(tag, bytes) ? ll_consent_subject_by_tag(
                                      community->host->arbiter.consent, bytes)
                                : LL_NOBODY;
}

static void
suspend(
    struct ll_community *community, struct ll_jv root, bool on, int64_t now_ms)
{
    struct ll_arbiter *arbiter = &community->host->arbiter;
    struct ll_err err;
    struct ll_actor_of who = {.community = community->id,
        .subject = subject_of(community, text_of(root, "tag")),
        .actor = LL_NOBODY,
        .actor_name = LINLI_STR("system"),
        .channel = LINLI_STR("duty"),
        .now_ms = now_ms,
        .today = ll_arbiter_today(&community->zone, now_ms)};
    struct ll_objecting objecting = {
        .party = ll_consent_party(
            arbiter->consent, community->id, text_of(root, "plugin")),
        .objection = LL_OBJECTION_BLOCK,
        .on = on};
    if (who.subject == LL_NOBODY || objecting.party == LL_NO_PARTY)
        return; /* erased meanwhile; there is nothing to be told */
    if (ll_arbiter_object(arbiter, &who, &objecting, NULL, &err) == LINLI_OK)
        return;
    struct ll_log_line line = {.level = LL_ERROR,
        .code = err.code,
        .community = community->id,
        .plugin = text_of(root, "plugin"),
        .msg = ll_cstr(err.msg)};
    ll_log_write(&community->host->log, &line);
}

/* Whether the resident had said so themself before. */
static bool
is_blocked(const struct ll_community *community, struct ll_jv root)
{
    const struct ll_consent *consent = community->host->arbiter.consent;
    uint32_t subject = subject_of(community, text_of(root, "tag"));
    uint32_t party =
        ll_consent_party(consent, community->id, text_of(root, "plugin"));
    return subject != LL_NOBODY && party != LL_NO_PARTY &&
           (ll_consent_objections(consent, subject, party) >>
                   LL_OBJECTION_BLOCK &
               1) != 0;
}

/* -- overdue -- */

static void
put_alert(struct ll_community *community, struct ll_jv root, int64_t now_ms,
    struct ll_commit *commit)
{
    struct ll_host *host = community->host;
    char ref[REF_BYTES];
    struct ll_buf data;
    (void)snprintf(ref, sizeof ref, "duty/%.*s", LL_FMT(text_of(root, "id")));
    ll_buf_init(&data, &host->mem, DATA_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    put_text(&w, "duty", text_of(root, "id"));
    put_text(&w, "kind", text_of(root, "kind"));
    put_text(&w, "plugin", text_of(root, "plugin"));
    put_text(&w, "why", text_of(root, "why"));
    ll_jw_close(&w, '}');
    struct ll_alert alert = {.space = community->duties->coll->space,
        .kind = LINLI_STR("linli.duty_overdue"),
        .ref = ll_cstr(ref),
        .data = ll_buf_view(&data),
        .at_ms = now_ms};
    ll_alert_put(host, &alert, commit);
    if (data.failed)
        commit->ops.failed = true;
    ll_buf_fini(&data);
}

static void
write_as(struct ll_jw *w, struct ll_jv root, const char *state)
{
    ll_jw_open(w, '{');
    LL_JSON_MEMBERS (name, value, root) {
        linli_str is = ll_jv_str(name);
        if (ll_str_is(is, "due") || ll_str_is(is, "seq") ||
            ll_str_is(is, "state"))
            continue;
        ll_jw_key_str(w, is);
        ll_jw_value(w, value);
    }
    ll_jw_key(w, "state");
    ll_jw_cstr(w, state);
}

/* False without memory. */
static bool
make_overdue(struct ll_community *community, struct ll_doc *doc,
    struct ll_jv root, int64_t now_ms)
{
    struct ll_host *host = community->host;
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    struct ll_buf text;
    if (commit == NULL)
        return false;
    bool stops = is_suspended_by(root) && !is_blocked(community, root);
    struct said said = said_of(root, "overdue", LINLI_STR("system"), now_ms);
    ll_buf_init(&text, &host->mem, LL_DOC_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    write_as(&w, root, "overdue");
    ll_jw_key(&w, "overdue_at");
    ll_jw_int(&w, now_ms);
    if (stops) {
        ll_jw_key(&w, "suspends");
        ll_jw_bool(&w, true);
    }
    ll_jw_close(&w, '}');
    put_leaf(community, &said, commit);
    put_alert(community, root, now_ms, commit);
    ll_docs_commit_unwatched(&host->docs, commit);
    bool good = ll_docs_put_in(&host->docs, doc, &text, now_ms, commit) != 0;
    if (!good)
        ll_docs_commit_free(&host->docs, commit);
    else if (stops)
        suspend(community, root, true, now_ms);
    ll_buf_fini(&text);
    return good;
}

static bool
start(struct ll_queue *queue, struct ll_doc *doc)
{
    struct ll_community *community = queue->user;
    struct ll_json json;
    ll_json_init(&json, &queue->host->mem);
    queue->open++;
    bool good = ll_json_parse(&json, doc->content->body, LL_JSON_DEPTH_MAX,
                    NULL) == LINLI_OK &&
                make_overdue(community, doc, ll_json_root(&json),
                    ll_world_wall(queue->host->world).ms);
    ll_json_fini(&json);
    ll_doc_unref(&doc);
    ll_queue_ended(queue, !good, !good);
    return true;
}

/* -- done -- */

void
ll_duty_done_text(
    struct ll_jv root, const struct ll_duty_done *done, struct ll_buf *text)
{
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    write_as(&w, root, "done");
    ll_jw_key(&w, "done_at");
    ll_jw_int(&w, done->now_ms);
    put_text(&w, "done_by", done->by);
    put_text(&w, "evidence", done->reason);
    ll_jw_close(&w, '}');
}

void
ll_duty_done_put(struct ll_community *community, struct ll_jv root,
    const struct ll_duty_done *done, struct ll_commit *commit)
{
    char ref[REF_BYTES];
    struct said said = said_of(root, "done", done->by, done->now_ms);
    struct ll_closing closing = {
        .by = done->by, .reason = done->reason, .at_ms = done->now_ms};
    (void)snprintf(ref, sizeof ref, "duty/%.*s", LL_FMT(text_of(root, "id")));
    put_leaf(community, &said, commit);
    ll_alert_settle(
        community->duties->coll->space, ll_cstr(ref), &closing, commit);
    if (ll_jv_true(ll_jv_get(root, "suspends")))
        suspend(community, root, false, done->now_ms);
}

/* -- opening -- */

static bool
serves(const struct ll_queue *queue)
{
    LL_UNUSED(queue);
    return true;
}

linli_status
ll_duties_open(struct ll_community *community, bool make, struct ll_err *err)
{
    struct ll_host *host = community->host;
    if (community->duties != NULL ||
        (!make && ll_directory_find(host, community->id, LL_DUTIES) == NULL))
        return LINLI_OK;
    struct ll_coll *coll = ll_directory(community, LL_DUTIES);
    linli_status status = ll_queue_open(host, coll, &community->duties, err);
    if (status != LINLI_OK)
        return status;
    community->duties->serves = serves;
    community->duties->start = start;
    community->duties->user = community;
    community->duties->open_max = 1;
    ll_queue_again(community->duties);
    return LINLI_OK;
}

void
ll_duties_close(struct ll_community *community)
{
    ll_queue_close(&community->duties);
}
