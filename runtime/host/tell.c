/* host/tell.c: the host's own messages, from a document to whoever takes it.
 * [loop] */
#include "host/tell.h"

#include <stdio.h>

#include "base/text.h"
#include "data/put.h"
#include "host/alert.h"
#include "host/clock.h"
#include "host/directory.h"
#include "host/notify.h"
#include "host/queue.h"

#define ID_BYTES 16

struct ll_tells {
    struct ll_community *community;
    struct ll_queue *queue;
    struct tell *first; /* under way */
};

struct tell {
    struct tell *next, **at;
    struct ll_tells *tells;
    struct ll_doc *doc;      /* the message; NULL: a code, kept nowhere */
    struct ll_doc *resident; /* for their language */
    struct ll_wait wait;
    struct ll_json json;
    struct ll_buf body; /* the message, as JSON, that `json` reads */
    struct ll_post post;
    char post_id[2 * ID_BYTES + 1];
    struct ll_notify_progress progress;
    const struct ll_provider *provider; /* that has it; or NULL */
};

static struct ll_host *
host_of(const struct tell *tell)
{
    return tell->tells->community->host;
}

static linli_str
text_of(const struct tell *tell, const char *name)
{
    return ll_jv_str(ll_jv_get(ll_json_root(&tell->json), name));
}

/* Lets go of all that it holds. */
static void
drop(struct tell *tell)
{
    struct ll_host *host = host_of(tell);
    *tell->at = tell->next;
    if (tell->next != NULL)
        tell->next->at = tell->at;
    ll_wait_cancel(&tell->wait);
    ll_doc_unref(&tell->resident);
    if (tell->doc != NULL)
        tell->doc->owner = NULL;
    ll_doc_unref(&tell->doc);
    ll_wipe(&tell->json.own);
    ll_json_fini(&tell->json);
    ll_wipe(&tell->body);
    ll_buf_fini(&tell->body);
    ll_release(&host->mem, tell, sizeof *tell);
}

/* `again`: its document is there still; `later`: not at once. */
static void
end(struct tell *tell, bool again, bool later)
{
    struct ll_tells *tells = tell->tells;
    bool kept = tell->doc != NULL;
    drop(tell);
    if (kept)
        ll_queue_ended(tells->queue, again, later);
    ll_host_clock_step(tells->community->host);
}

/* -- how it ends -- */

/* Nobody is to hear of it any more. */
static void
end_for_good(struct tell *tell)
{
    struct ll_host *host = host_of(tell);
    bool gone = tell->doc == NULL || tell->doc->content == NULL ||
                ll_docs_put_now(&host->docs, tell->doc, NULL,
                    ll_world_wall(host->world).ms) != 0;
    end(tell, !gone, !gone);
}

static void
end_lost(struct tell *tell, const char *code)
{
    struct ll_host *host = host_of(tell);
    struct ll_community *community = tell->tells->community;
    char data[128];
    struct ll_alert alert = {
        .space = ll_docs_space(&host->docs, community->id, LINLI_STR("~")),
        .kind = LINLI_STR("linli.unreachable"),
        .at_ms = ll_world_wall(host->world).ms};
    struct ll_log_line line = {.level = LL_ERROR,
        .code = code,
        .plugin = LINLI_STR("~"),
        .community = community->id,
        .msg = LINLI_STR("a message of the host's own reaches nobody")};
    (void)snprintf(data, sizeof data, "{\"code\":\"%s\",\"id\":\"%s\"}", code,
        tell->post_id);
    alert.data = ll_cstr(data);
    ll_log_write(&host->log, &line);
    if (alert.space != NULL)
        ll_host_alert(host, &alert);
    end_for_good(tell);
}

/* The message as it is from now on, due after a while. */
static void
put_off(struct tell *tell, int64_t wait_ms)
{
    struct ll_host *host = host_of(tell);
    int64_t now_ms = ll_world_wall(host->world).ms;
    struct ll_buf next;
    ll_buf_init(&next, &host->mem, LL_DOC_BYTES_MAX);
    struct ll_jw w = ll_jw(&next);
    ll_jw_open(&w, '{');
    LL_JSON_MEMBERS (name, value, ll_json_root(&tell->json)) {
        linli_str is = ll_jv_str(name);
        if (ll_str_is(is, "due") || ll_str_is(is, "at") ||
            ll_str_is(is, "tries"))
            continue;
        ll_jw_key_str(&w, is);
        ll_jw_value(&w, value);
    }
    ll_jw_key(&w, "due");
    ll_jw_int(&w, now_ms + wait_ms);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, tell->progress.at);
    ll_jw_key(&w, "tries");
    ll_jw_int(&w, tell->progress.tries);
    ll_jw_close(&w, '}');
    bool kept = !next.failed &&
                ll_docs_put_now(&host->docs, tell->doc, &next, now_ms) != 0;
    ll_buf_fini(&next);
    end(tell, true, !kept);
}

/* -- tries -- */

static void try_way(struct tell *tell);

static void
take_outcome(
    struct tell *tell, enum ll_notify_outcome outcome, const char *code)
{
    int64_t wait_ms = 0;
    if (tell->doc != NULL && tell->doc->content == NULL) {
        end_for_good(tell); /* of somebody who was forgotten */
        return;
    }
    if (tell->doc == NULL) { /* whoever waits for a code asks for another */
        if (outcome == LL_NOTIFY_ACCEPTED)
            end_for_good(tell);
        else
            end_lost(tell, code);
        return;
    }
    switch (ll_notify_decide(&tell->progress, outcome, &wait_ms)) {
    case LL_NOTIFY_DONE:
        end_for_good(tell);
        return;
    case LL_NOTIFY_LOST:
        end_lost(tell, code);
        return;
    case LL_NOTIFY_WAIT:
        put_off(tell, wait_ms);
        return;
    case LL_NOTIFY_OTHER:
        try_way(tell); /* at most as deep as there are ways */
        return;
    }
}

static void
on_sent(struct ll_post *post, enum ll_notify_outcome outcome)
{
    struct tell *tell = post->user;
    tell->provider = NULL;
    take_outcome(tell, outcome,
        outcome == LL_NOTIFY_FAILED ? "notify/failed" : "notify/unreachable");
}

static void
try_way(struct tell *tell)
{
    struct ll_host *host = host_of(tell);
    tell->post.way =
        tell->doc == NULL ? LL_WAY_SMS : (enum ll_way)tell->progress.at;
    tell->post.attempt = tell->progress.tries + 1;
    tell->provider = ll_provider_of(host, tell->post.way);
    if (tell->provider == NULL)
        take_outcome(tell, LL_NOTIFY_UNREACHABLE, "notify/no-provider");
    else
        tell->provider->send(host, &tell->post);
}

/* -- before the first -- */

static bool
reads_english(const struct tell *tell)
{
    struct ll_json *json = &host_of(tell)->docs.json;
    const struct ll_content *content = tell->resident->content;
    return content != NULL &&
           ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) ==
               LINLI_OK &&
           ll_str_is(ll_jv_str(ll_jv_get(ll_json_root(json), "locale")), "en");
}

static void
look(struct tell *tell)
{
    if (!ll_doc_ready(tell->resident, &tell->wait))
        return;
    if (tell->resident->state == LL_DOC_LOST) {
        end(tell, true, true);
        return;
    }
    bool english = reads_english(tell);
    ll_doc_unref(&tell->resident);
    tell->post.locale = english ? LL_LOCALE_EN : LL_LOCALE_ZH;
    tell->post.text = text_of(tell, english ? "en" : "zh");
    tell->post.to = text_of(tell, "resident");
    tell->post.community = tell->tells->community->id;
    tell->post.id = ll_cstr(tell->post_id);
    tell->post.sent = on_sent;
    tell->post.user = tell;
    try_way(tell);
}

static void
on_resident(struct ll_wait *wait)
{
    look(LL_CONTAINER(wait, struct tell, wait));
}

/* Reads the message in `body`; false: it cannot be brought now. */
static bool
begin(struct tell *tell)
{
    struct ll_tells *tells = tell->tells;
    int64_t at = 0, tries = 0;
    struct ll_coll *coll = ll_directory(tells->community, LL_DIR_RESIDENT);
    if (coll == NULL || tell->body.failed ||
        ll_json_parse(&tell->json, ll_buf_view(&tell->body), LL_JSON_DEPTH_MAX,
            NULL) != LINLI_OK)
        return false;
    struct ll_jv root = ll_json_root(&tell->json);
    (void)ll_jv_int(ll_jv_get(root, "at"), &at);
    (void)ll_jv_int(ll_jv_get(root, "tries"), &tries);
    if (at < 0 || at >= LL_WAY_COUNT)
        at = 0;
    tell->progress = (struct ll_notify_progress){.channel_count = LL_WAY_COUNT,
        .at = (uint32_t)at,
        .tries = (uint32_t)tries};
    (void)snprintf(tell->post_id, sizeof tell->post_id, "%.*s",
        LL_FMT(text_of(tell, "id")));
    tell->resident = ll_docs_get(coll, text_of(tell, "resident"));
    return tell->resident != NULL;
}

static struct tell *
tell_new(struct ll_tells *tells)
{
    struct ll_host *host = tells->community->host;
    struct tell *tell = ll_alloc(&host->mem, sizeof *tell);
    if (tell == NULL)
        return NULL;
    tell->tells = tells;
    tell->wait.ready = on_resident;
    ll_json_init(&tell->json, &host->mem);
    ll_buf_init(&tell->body, &host->mem, LL_DOC_BYTES_MAX);
    tell->next = tells->first;
    tell->at = &tells->first;
    if (tell->next != NULL)
        tell->next->at = &tell->next;
    tells->first = tell;
    return tell;
}

static bool
start(struct ll_queue *queue, struct ll_doc *doc)
{
    struct tell *tell = tell_new(queue->user);
    if (tell == NULL) {
        ll_doc_unref(&doc);
        return false;
    }
    queue->open++;
    tell->doc = doc;
    doc->owner = tell;
    ll_buf_str(&tell->body, doc->content->body);
    if (begin(tell))
        look(tell);
    else
        end(tell, true, true);
    return true;
}

static bool
serves(const struct ll_queue *queue)
{
    LL_UNUSED(queue);
    return true;
}

/* -- telling -- */

static void
write_telling(struct ll_community *community, const struct ll_telling *telling,
    bool kept, linli_str id, struct ll_buf *out)
{
    struct ll_host *host = community->host;
    char subject[LL_PID_BYTES];
    struct ll_jw w = ll_jw(out);
    ll_directory_subject(
        host, community->id, LL_DIR_RESIDENT, telling->resident, subject);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, id);
    ll_jw_key(&w, "subject");
    ll_jw_cstr(&w, subject);
    ll_jw_key(&w, "resident");
    ll_jw_str(&w, telling->resident);
    ll_jw_key(&w, "zh");
    ll_jw_str(&w, telling->zh);
    ll_jw_key(&w, "en");
    ll_jw_str(&w, telling->en);
    if (kept)
        ll_queue_write_due(host, &w, ll_world_wall(host->world).ms);
    ll_jw_close(&w, '}');
}

static void
name_it(struct ll_host *host, char id[2 * ID_BYTES + 1])
{
    unsigned char bytes[ID_BYTES];
    ll_world_random(host->world, bytes, sizeof bytes);
    ll_hex(bytes, sizeof bytes, id);
}

bool
ll_tell(struct ll_community *community, const struct ll_telling *telling)
{
    struct ll_host *host = community->host;
    char id[2 * ID_BYTES + 1];
    struct ll_buf text;
    struct ll_err err;
    if (ll_tells_open(community, true, &err) != LINLI_OK)
        return false;
    name_it(host, id);
    ll_buf_init(&text, &host->mem, LL_DOC_BYTES_MAX);
    write_telling(community, telling, true, ll_cstr(id), &text);
    struct ll_doc *doc =
        ll_docs_make(community->tells->queue->coll, ll_cstr(id));
    bool kept = doc != NULL && !text.failed &&
                ll_docs_put_now(&host->docs, doc, &text,
                    ll_world_wall(host->world).ms) != 0;
    ll_doc_unref(&doc);
    ll_buf_fini(&text);
    return kept;
}

bool
ll_tell_code(struct ll_community *community, const struct ll_telling *telling)
{
    struct ll_host *host = community->host;
    char id[2 * ID_BYTES + 1];
    struct ll_err err;
    if (ll_provider_of(host, LL_WAY_SMS) == NULL ||
        ll_tells_open(community, true, &err) != LINLI_OK)
        return false;
    struct tell *tell = tell_new(community->tells);
    if (tell == NULL)
        return false;
    name_it(host, id);
    write_telling(community, telling, false, ll_cstr(id), &tell->body);
    if (!begin(tell)) {
        drop(tell);
        return false;
    }
    look(tell);
    return true;
}

/* -- beginning and end -- */

linli_status
ll_tells_open(struct ll_community *community, bool make, struct ll_err *err)
{
    struct ll_host *host = community->host;
    if (community->tells != NULL ||
        (!make && ll_directory_find(host, community->id, LL_TELL_COLL) == NULL))
        return LINLI_OK;
    struct ll_tells *tells = ll_alloc(&host->mem, sizeof *tells);
    struct ll_coll *coll = ll_directory(community, LL_TELL_COLL);
    if (tells == NULL || coll == NULL ||
        ll_queue_open(host, coll, &tells->queue, err) != LINLI_OK) {
        if (tells != NULL)
            ll_release(&host->mem, tells, sizeof *tells);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "messages");
    }
    tells->community = community;
    tells->queue->serves = serves;
    tells->queue->start = start;
    tells->queue->user = tells;
    tells->queue->goes_out = true;
    tells->queue->open_max = LL_TELLS_OPEN_MAX;
    community->tells = tells;
    ll_queue_again(tells->queue);
    return LINLI_OK;
}

void
ll_tells_cancel(struct ll_community *community)
{
    struct ll_tells *tells = community->tells;
    while (tells != NULL && tells->first != NULL) {
        struct tell *tell = tells->first;
        if (tell->provider != NULL)
            tell->provider->cancel(community->host, &tell->post);
        if (tell->doc != NULL)
            tells->queue->open--;
        drop(tell);
    }
}

void
ll_tells_close(struct ll_community *community)
{
    struct ll_tells *tells = community->tells;
    if (tells == NULL)
        return;
    ll_tells_cancel(community);
    community->tells = NULL;
    ll_queue_close(&tells->queue);
    ll_release(&community->host->mem, tells, sizeof *tells);
}
