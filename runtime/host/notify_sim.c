/* host/notify_sim.c: a provider for tests. [loop]
 *
 * ~sim_message: one document for each try, "sms:ID:2", and one for what was
 * accepted, "sms:ID", which is how a repetition is known. ~sim_notify: how a
 * way ends, "sms" for all and "sms:RESIDENT" for one; the later one holds.
 */
#include "host/notify_sim.h"

#include <stdio.h>

#include "base/text.h"
#include "base/tuple.h"
#include "data/put.h"
#include "host/directory.h"

#define MESSAGES "~sim_message"
#define RULES "~sim_notify"
#define ID_BYTES_MAX 512
#define BODY_BYTES_MAX 65536

/* How an outcome is written, and what is taken for it too. */
static const struct {
    const char *word, *alias;
} outcomes[] = {
    [LL_NOTIFY_ACCEPTED] = {"ok", "accepted"},
    [LL_NOTIFY_FAILED] = {"fail", "failed"},
    [LL_NOTIFY_UNREACHABLE] = {"unreachable", "unreachable"},
};

bool
ll_sim_outcome_read(linli_str word, enum ll_notify_outcome *out)
{
    for (uint32_t i = 0; i < LL_COUNT(outcomes); i++)
        if (ll_str_is(word, outcomes[i].word) ||
            ll_str_is(word, outcomes[i].alias)) {
            *out = (enum ll_notify_outcome)i;
            return true;
        }
    return false;
}

/* NULL without memory. */
static struct ll_coll *
messages(struct ll_host *host)
{
    struct ll_coll *coll = ll_directory_host(host, MESSAGES);
    if (coll == NULL ||
        ll_coll_index(coll, LINLI_STR("by_seq"),
            LINLI_STR("{\"fields\":[\"seq\"]}")) == NULL ||
        ll_coll_index(coll, LINLI_STR("by_to"),
            LINLI_STR("{\"fields\":[\"to\",\"seq\"]}")) == NULL)
        return NULL;
    coll->retention_ms = LL_SIM_KEPT_MS;
    return coll;
}

/* A document whose id has so many parts; NULL without memory. */
static struct ll_doc *
doc_of(struct ll_coll *coll, enum ll_way way, linli_str of, uint32_t attempt)
{
    char id[ID_BYTES_MAX];
    if (coll == NULL)
        return NULL;
    int n = snprintf(id, sizeof id, "%s%s%.*s", ll_way_name(way),
        of.len == 0 ? "" : ":", LL_FMT(of));
    ll_check(n > 0 && (size_t)n < sizeof id);
    if (attempt > 0)
        n += snprintf(id + n, sizeof id - (size_t)n, ":%u", attempt);
    ll_check((size_t)n < sizeof id);
    return ll_docs_get(coll, (linli_str){id, (size_t)n});
}

/* -- a message -- */

enum { TAKEN, TRY, RULE_ALL, RULE_ONE, DOCS };

struct sending {
    struct ll_host *host;
    struct ll_post *post;
    struct ll_doc *docs[DOCS];
    uint32_t ready;
    struct ll_wait wait;
};

static void
sending_free(struct sending *s)
{
    struct ll_host *host = s->host;
    ll_wait_cancel(&s->wait);
    for (size_t i = 0; i < DOCS; i++)
        ll_doc_unref(&s->docs[i]);
    ll_release(&host->mem, s, sizeof *s);
}

static void
end(struct sending *s, enum ll_notify_outcome outcome)
{
    struct ll_post *post = s->post;
    post->state = NULL;
    sending_free(s);
    post->sent(post, outcome);
}

/* What a rule says, and how late it was made; 0: there is none. */
static int64_t
read_rule(struct sending *s, const struct ll_doc *doc,
    enum ll_notify_outcome *outcome)
{
    struct ll_json *json = &s->host->docs.json;
    int64_t seq = 0;
    if (doc->content == NULL || ll_json_parse(json, doc->content->body,
                                    LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return 0;
    struct ll_jv root = ll_json_root(json);
    (void)ll_jv_int(ll_jv_get(root, "seq"), &seq);
    return ll_sim_outcome_read(ll_jv_str(ll_jv_get(root, "status")), outcome)
               ? seq
               : 0;
}

static enum ll_notify_outcome
outcome_of(struct sending *s)
{
    enum ll_notify_outcome all = LL_NOTIFY_ACCEPTED, one = LL_NOTIFY_ACCEPTED;
    int64_t all_seq = read_rule(s, s->docs[RULE_ALL], &all);
    int64_t one_seq = read_rule(s, s->docs[RULE_ONE], &one);
    return one_seq > all_seq ? one : all;
}

static void
write_try(struct ll_jw *w, struct sending *s, linli_str id, bool accepted)
{
    const struct ll_post *post = s->post;
    char subject[LL_PID_BYTES];
    ll_directory_subject(
        s->host, post->community, LL_DIR_RESIDENT, post->to, subject);
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_str(w, id);
    ll_jw_key(w, "subject");
    ll_jw_cstr(w, subject);
    ll_jw_key(w, "seq");
    ll_jw_int(w, (int64_t)++s->host->work_seq);
    ll_jw_key(w, "at");
    ll_jw_int(w, ll_world_wall(s->host->world).ms);
    ll_jw_key(w, "channel");
    ll_jw_cstr(w, ll_way_name(post->way));
    ll_jw_key(w, "community");
    ll_jw_str(w, post->community);
    ll_jw_key(w, "to");
    ll_jw_str(w, post->to);
    ll_jw_key(w, "text");
    ll_jw_str(w, post->text);
    ll_jw_key(w, "attempt");
    ll_jw_int(w, post->attempt);
    ll_jw_key(w, "accepted");
    ll_jw_bool(w, accepted);
    ll_jw_close(w, '}');
}

/* False without memory. */
static bool
keep_try(struct sending *s, struct ll_doc *doc, bool accepted)
{
    struct ll_buf text;
    ll_buf_init(&text, &s->host->mem, BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    write_try(&w, s, doc->id, accepted);
    bool good = !text.failed && ll_docs_put_now(&s->host->docs, doc, &text,
                                    ll_world_wall(s->host->world).ms) != 0;
    ll_buf_fini(&text);
    return good;
}

/* All is known: one turn, one commit. */
static void
decide(struct sending *s)
{
    enum ll_notify_outcome outcome = LL_NOTIFY_ACCEPTED;
    if (s->docs[TAKEN]->content == NULL) {
        outcome = outcome_of(s);
        bool accepted = outcome == LL_NOTIFY_ACCEPTED;
        struct ll_doc *doc = s->docs[accepted ? TAKEN : TRY];
        /* A try that failed, and whose end was lost with the process, is not
         * shown again. */
        if (doc->content == NULL && !keep_try(s, doc, accepted))
            outcome = LL_NOTIFY_FAILED;
    }
    end(s, outcome);
}

static void
look(struct sending *s)
{
    for (; s->ready < DOCS; s->ready++) {
        struct ll_doc *doc = s->docs[s->ready];
        if (!ll_doc_ready(doc, &s->wait))
            return;
        if (doc->state == LL_DOC_LOST) {
            end(s, LL_NOTIFY_FAILED);
            return;
        }
    }
    decide(s);
}

static void
on_doc(struct ll_wait *wait)
{
    look(LL_CONTAINER(wait, struct sending, wait));
}

static void
sim_send(struct ll_host *host, struct ll_post *post)
{
    static const linli_str all = {NULL, 0};
    struct ll_coll *sent = messages(host);
    struct ll_coll *rules = ll_directory_host(host, RULES);
    struct sending *s = ll_alloc(&host->mem, sizeof *s);
    if (s == NULL) {
        post->sent(post, LL_NOTIFY_FAILED);
        return;
    }
    *s = (struct sending){.host = host,
        .post = post,
        .docs = {doc_of(sent, post->way, post->id, 0),
            doc_of(sent, post->way, post->id, post->attempt),
            doc_of(rules, post->way, all, 0),
            doc_of(rules, post->way, post->to, 0)},
        .wait = {.ready = on_doc}};
    post->state = s;
    bool good = true;
    for (size_t i = 0; i < DOCS; i++)
        good = good && s->docs[i] != NULL;
    if (good)
        look(s);
    else
        end(s, LL_NOTIFY_FAILED);
}

static void
sim_cancel(struct ll_host *host, struct ll_post *post)
{
    struct sending *s = post->state;
    LL_UNUSED(host);
    post->state = NULL;
    if (s != NULL)
        sending_free(s);
}

const struct ll_provider ll_notify_sim = {"sim", sim_send, sim_cancel};

/* -- what tests ask -- */

struct ll_sim_ask {
    struct ll_host *host;
    ll_sim_done done; /* NULL: nobody waits */
    void *user;
    /* of a list */
    struct ll_jw *w;
    struct ll_txn txn;
    struct ll_scan scan;
    bool scanning;
    /* of a rule */
    struct ll_doc *doc;
    struct ll_wait wait;
    enum ll_notify_outcome outcome;
};

void
ll_sim_forget(struct ll_sim_ask *ask)
{
    ask->done = NULL;
}

static struct ll_sim_ask *
ask_new(struct ll_host *host, ll_sim_done done, void *user)
{
    struct ll_sim_ask *ask = ll_alloc(&host->mem, sizeof *ask);
    if (ask == NULL)
        return NULL;
    *ask = (struct ll_sim_ask){.host = host, .done = done, .user = user};
    ll_txn_init(&ask->txn, &host->docs);
    host->batch_count++;
    return ask;
}

static void
ask_free(struct ll_sim_ask *ask)
{
    struct ll_host *host = ask->host;
    if (ask->scanning)
        ll_scan_fini(&ask->scan);
    ll_doc_unref(&ask->doc);
    ll_txn_fini(&ask->txn);
    ll_release(&host->mem, ask, sizeof *ask);
    host->batch_count--;
    ll_host_check_stopped(host);
}

static void
ask_end(struct ll_sim_ask *ask, linli_status status, const struct ll_err *err)
{
    if (ask->done != NULL)
        ask->done(ask, ask->user, status, status == LINLI_OK ? NULL : err);
    ask_free(ask);
}

static void
write_item(struct ll_jw *w, struct ll_jv root)
{
    static const char *const members[] = {
        "channel", "to", "text", "attempt", "accepted"};
    char at[LL_RFC3339_BYTES];
    int64_t at_ms = 0;
    (void)ll_jv_int(ll_jv_get(root, "at"), &at_ms);
    ll_rfc3339(at_ms, at);
    ll_jw_open(w, '{');
    ll_jw_key(w, "at");
    ll_jw_cstr(w, at);
    for (size_t i = 0; i < LL_COUNT(members); i++) {
        ll_jw_key(w, members[i]);
        ll_jw_value(w, ll_jv_get(root, members[i]));
    }
    ll_jw_close(w, '}');
}

static void
on_listed(struct ll_scan *scan)
{
    struct ll_sim_ask *ask = scan->user;
    struct ll_json *json = &ask->host->docs.json;
    struct ll_err err = scan->err;
    /* The last ones were looked for, and stand there the last one first. */
    if (scan->status == LINLI_OK && ask->done != NULL) {
        ll_jw_open(ask->w, '[');
        for (uint32_t i = scan->count; i-- > 0;)
            if (ll_json_parse(json, scan->items[i].content->body,
                    LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
                write_item(ask->w, ll_json_root(json));
        ll_jw_close(ask->w, ']');
    }
    ask_end(ask, scan->status, &err);
}

struct ll_sim_ask *
ll_sim_messages(struct ll_host *host, linli_str to, struct ll_jw *w,
    ll_sim_done done, void *user)
{
    struct ll_coll *coll = messages(host);
    struct ll_sim_ask *ask = coll == NULL ? NULL : ask_new(host, done, user);
    struct ll_buf key;
    if (ask == NULL)
        return NULL;
    ask->w = w;
    ll_scan_init(&ask->scan, &ask->txn);
    ask->scanning = true;
    ask->scan.coll = coll;
    ask->scan.ix = ll_coll_find_index(
        coll, to.len == 0 ? LINLI_STR("by_seq") : LINLI_STR("by_to"));
    ask->scan.descending = true;
    ask->scan.limit = LL_SIM_LIST_MAX;
    ask->scan.bytes_max = LL_HTTP_BODY_BYTES_MAX;
    ask->scan.done = on_listed;
    ask->scan.user = ask;
    ll_buf_init(&key, &host->mem, ID_BYTES_MAX);
    bool good = true;
    if (to.len > 0) {
        ll_tuple_str(&key, to);
        ask->scan.low = ll_arena_str(&ask->txn.arena, ll_buf_view(&key));
        good = ll_tuple_next(&key);
        ask->scan.high = ll_arena_str(&ask->txn.arena, ll_buf_view(&key));
    }
    ll_buf_fini(&key);
    if (!good || ask->txn.arena.failed) {
        ask_free(ask);
        return NULL;
    }
    ll_scan_start(&ask->scan);
    return ask;
}

/* -- rules -- */

static void
on_kept(struct ll_commit *commit, bool durable)
{
    struct ll_sim_ask *ask = commit->user;
    struct ll_err err;
    ll_docs_commit_free(&ask->host->docs, commit);
    linli_status status =
        durable ? LINLI_OK
                : ll_fail(&err, LINLI_E_IO, "store/failed", "a rule is lost");
    ask_end(ask, status, &err);
}

/* False without memory, and nothing comes. */
static bool
keep_rule(struct ll_sim_ask *ask)
{
    struct ll_host *host = ask->host;
    struct ll_docs *docs = &host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_buf text;
    if (commit == NULL)
        return false;
    ll_buf_init(&text, &host->mem, BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, ask->doc->id);
    ll_jw_key(&w, "seq");
    ll_jw_int(&w, (int64_t)++host->work_seq);
    ll_jw_key(&w, "status");
    ll_jw_cstr(&w, outcomes[ask->outcome].word);
    ll_jw_close(&w, '}');
    commit->done = on_kept;
    commit->user = ask;
    bool good = !text.failed && ll_docs_put_in(docs, ask->doc, &text,
                                    ll_world_wall(host->world).ms, commit) != 0;
    ll_buf_fini(&text);
    if (!good)
        ll_docs_commit_free(docs, commit);
    return good;
}

/* False if it failed now. */
static bool
go_on_rule(struct ll_sim_ask *ask)
{
    if (!ll_doc_ready(ask->doc, &ask->wait))
        return true;
    return ask->doc->state != LL_DOC_LOST && keep_rule(ask);
}

static void
on_rule(struct ll_wait *wait)
{
    struct ll_sim_ask *ask = LL_CONTAINER(wait, struct ll_sim_ask, wait);
    struct ll_err err;
    if (!go_on_rule(ask))
        ask_end(ask, ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a rule"),
            &err);
}

struct ll_sim_ask *
ll_sim_set(struct ll_host *host, const struct ll_sim_rule *rule,
    ll_sim_done done, void *user)
{
    struct ll_doc *doc =
        doc_of(ll_directory_host(host, RULES), rule->way, rule->to, 0);
    struct ll_sim_ask *ask = doc == NULL ? NULL : ask_new(host, done, user);
    if (ask == NULL) {
        ll_doc_unref(&doc);
        return NULL;
    }
    ask->doc = doc;
    ask->wait = (struct ll_wait){.ready = on_rule};
    ask->outcome = rule->outcome;
    if (go_on_rule(ask))
        return ask;
    ask_free(ask);
    return NULL;
}
