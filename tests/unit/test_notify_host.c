/* tests/unit/test_notify_host.c: a message from call:notify to a provider: at
 * the edges, without memory, and asked for twice. */
#include <stdlib.h>

#include "data/put.h"
#include "host/notify_sim.h"
#include "host_call.h"
#include "t.h"

enum {
#define H(number, name, interface, draft, writes, args, answer) \
    OP_##name = number,
#include "wire/hostcall.def"
#undef H
};

#define PID "0123456789abcdef0123456789abcdef"
#define HOME "fedcba9876543210fedcba9876543210"

static const char manifest[] =
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
    "\"main\":\"main.lua\",\"routes\":[],\"notifications\":{"
    "\"due\":{\"channels\":[\"sms\",\"push\"],\"text\":{"
    "\"zh-CN\":\"{plate} 欠 {fen}\",\"en\":\"{plate} owes {fen}\"}}}}";

static struct host_call h;
static struct ll_mem text_mem;

/* A document as it stands in a collection, now. */
static void
put(const char *coll, const char *id, const char *body)
{
    struct ll_buf text;
    struct ll_doc *doc = ll_docs_make(
        ll_space_coll(h.instance.space, ll_cstr(coll)), ll_cstr(id));
    ll_buf_init(&text, &text_mem, 1024);
    ll_buf_cstr(&text, body);
    T_OK(ll_docs_put_now(&h.host.docs, doc, &text, 1) != 0);
    ll_buf_fini(&text);
    ll_doc_unref(&doc);
}

static bool
serves_nobody(const struct ll_queue *queue)
{
    LL_UNUSED(queue);
    return false;
}

static void
open_host(void)
{
    struct ll_err err;
    memset(&h, 0, sizeof h);
    ll_mem_init(&text_mem, 0);
    host_call_open(&h, LINLI_STR(manifest));
    h.community.host = &h.host;
    T_OK(ll_coll_index(ll_space_coll(h.instance.space, LINLI_STR("~pid")),
             LINLI_STR("by_pid"),
             LINLI_STR("{\"fields\":[\"pid\"],\"unique\":true}")) != NULL);
    T_INT(ll_messages_open(&h.instance, &err), LINLI_OK);
    T_INT(ll_errands_open(&h.instance, &err), LINLI_OK);
    h.instance.errands->serves = serves_nobody;
    put("~pid", "r:r1", "{\"id\":\"r:r1\",\"pid\":\"" PID "\"}");
    put("~pid", "h:h1", "{\"id\":\"h:h1\",\"pid\":\"" HOME "\"}");
    host_call_settle(&h);
}

static void
close_host(void)
{
    host_call_settle(&h);
    host_call_forget(&h);
    ll_queue_close(&h.instance.errands);
    ll_timer_free(&h.host.work_timer);
    host_call_close(&h);
    T_INT(text_mem.used_bytes, 0);
}

/* -- call:notify -- */

/* Pairs of a name and a value, up to NULL. */
static void
put_args(struct ll_buf *out, const char *const *pairs)
{
    uint32_t count = 0;
    while (pairs[2 * count] != NULL)
        count++;
    ll_put_list(out, 1);
    ll_put_map(out, count);
    for (uint32_t i = 0; i < 2 * count; i++)
        ll_put_bytes(out, ll_cstr(pairs[i]));
}

/* The id of the message, or the code of the refusal. */
static const char *
notify(const char *const *pairs)
{
    static char said[128];
    struct ll_buf args;
    ll_buf_init(&args, &text_mem, 65536);
    put_args(&args, pairs);
    linli_status status = host_call(&h, OP_notify_send, ll_buf_view(&args));
    ll_buf_fini(&args);
    if (status != LINLI_OK)
        T_INT(ll_rd_list(&h.value), 2);
    linli_str word = ll_rd_bytes(&h.value);
    (void)snprintf(said, sizeof said, "%.*s", LL_FMT(word));
    return said;
}

/* How many documents the call has written to a collection. */
static uint32_t
written(const char *coll)
{
    uint32_t count = 0;
    for (struct ll_write *w = h.call.txn.writes; w != NULL; w = w->next)
        count += ll_str_is(w->doc->coll->name, coll) && w->content != NULL;
    return count;
}

#define GOOD \
    "to", PID, "template", "due", "with", "{\"plate\":\"A1\",\"fen\":5}"

static const char *const good[] = {GOOD, NULL};
static const char *const keyed[] = {GOOD, "key", "k", NULL};

T_CASE(a_message_and_its_errand)
{
    open_host();
    T_INT(strlen(notify(good)), 32);
    T_INT(written("~message"), 1);
    T_INT(written("~errand"), 1);
    const struct ll_content *content = h.call.txn.writes->content;
    T_STR(content->subject, PID);
    T_INT(ll_json_parse(&h.host.docs.json, content->body, 16, NULL), LINLI_OK);
    struct ll_jv root = ll_json_root(&h.host.docs.json);
    T_STR(ll_jv_str(ll_jv_get(root, "text")), "A1 欠 5");
    T_STR(ll_jv_str(ll_jv_get(root, "locale")), "zh-CN");
    T_STR(ll_jv_str(ll_jv_get(root, "state")), "queued");
    T_STR(h.call.txn.writes->next->content->subject, PID);
    host_call_forget(&h);
    close_host();
}

T_CASE(a_key_in_one_call_and_in_two)
{
    char first[128];
    open_host();
    (void)snprintf(first, sizeof first, "%s", notify(keyed));
    T_INT(strlen(first), 40);
    T_STR(ll_cstr(notify(keyed)), first);
    T_INT(written("~message"), 1);
    T_OK(host_call_commit(&h) != 0);
    T_STR(ll_cstr(notify(keyed)), first);
    T_OK(h.call.txn.writes == NULL);
    close_host();
}

T_CASE(refusals)
{
    static const struct {
        const char *pairs[11], *code;
    } rows[] = {
        {{"to", HOME, "template", "due", "with", "{\"plate\":\"A1\",\"fen\":5}",
             NULL},
            "notify/unknown-resident"},
        {{"to", "00000000000000000000000000000000", "template", "due", "with",
             "{\"plate\":\"A1\",\"fen\":5}", NULL},
            "notify/unknown-resident"},
        {{"to", PID, "template", "due", "with", "{\"plate\":\"A1\"}", NULL},
            "notify/with"},
        {{"to", PID, "template", "due", "with", "{", NULL}, "notify/with"},
        {{"to", PID, "template", "due", "with", "7", NULL}, "notify/with"},
        {{"to", PID, "template", "due", NULL}, "notify/with"},
        {{"to", PID, NULL}, "db/undeclared"},
        {{"template", "due", NULL}, "db/document"},
        {{GOOD, "locale", "fr", NULL}, "db/query"},
        {{GOOD, "key", "\xff", NULL}, "db/query"},
        {{GOOD, "keys", "k", NULL}, "db/query"},
    };
    open_host();
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        T_STR(ll_cstr(notify(rows[i].pairs)), rows[i].code);
        T_OK(h.call.txn.writes == NULL);
    }
    T_INT(host_call(&h, OP_notify_send, LINLI_STR("")), LINLI_E_INVALID);
    close_host();
}

/* Whatever fails, it is told so, and either all of it was written or none of
 * it commits; then the same can be asked again. */
T_CASE(each_allocation_may_fail)
{
    struct ll_buf args;
    uint64_t n = 0;
    open_host();
    ll_buf_init(&args, &text_mem, 65536);
    put_args(&args, keyed);
    for (bool good_one = false; !good_one && n < 1000;) {
        h.host.mem.fail_in = ++n;
        linli_status status = host_call(&h, OP_notify_send, ll_buf_view(&args));
        good_one = h.host.mem.fail_in != 0;
        h.host.mem.fail_in = 0;
        T_OK(status == LINLI_OK || !good_one);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        if (status == LINLI_OK) {
            T_INT(written("~message"), 1);
            T_INT(written("~errand"), 1);
        }
        h.call.unserved = LINLI_OK;
        host_call_forget(&h);
    }
    T_OK(n > 5 && n < 1000);
    ll_buf_fini(&args);
    T_INT(strlen(notify(keyed)), 40);
    close_host();
}

/* -- the simulator -- */

static uint32_t told;
static enum ll_notify_outcome outcome;

static void
on_sent(struct ll_post *post, enum ll_notify_outcome said)
{
    LL_UNUSED(post);
    told++;
    outcome = said;
}

static const char *
send_as(const char *id, enum ll_way way, uint32_t attempt)
{
    static const char *const words[] = {"ok", "fail", "unreachable"};
    struct ll_post post = {.id = ll_cstr(id),
        .way = way,
        .community = LINLI_STR("garden"),
        .to = LINLI_STR("r1"),
        .text = LINLI_STR("hello"),
        .attempt = attempt,
        .sent = on_sent};
    told = 0;
    ll_notify_sim.send(&h.host, &post);
    while (told == 0)
        ll_world_turn(h.host.world, true);
    T_INT(told, 1);
    return words[outcome];
}

static linli_status ended;

static void
on_ended(struct ll_sim_ask *ask, void *user, linli_status status,
    const struct ll_err *err)
{
    LL_UNUSED(ask);
    LL_UNUSED(user);
    LL_UNUSED(err);
    told++;
    ended = status;
}

static void
rule(enum ll_way way, const char *to, const char *status)
{
    struct ll_sim_rule wanted = {.way = way, .to = ll_cstr(to)};
    T_OK(ll_sim_outcome_read(ll_cstr(status), &wanted.outcome));
    told = 0;
    T_OK(ll_sim_set(&h.host, &wanted, on_ended, NULL) != NULL);
    while (told == 0)
        ll_world_turn(h.host.world, true);
    T_INT(ended, LINLI_OK);
}

/* How many tries are shown, and of them accepted, as "tries/accepted". */
static const char *
shown(const char *to)
{
    static char said[32];
    int tries = 0, accepted = 0;
    struct ll_buf out;
    struct ll_json json;
    ll_buf_init(&out, &text_mem, 65536);
    ll_json_init(&json, &text_mem);
    struct ll_jw w = ll_jw(&out);
    told = 0;
    T_OK(ll_sim_messages(&h.host, ll_cstr(to), &w, on_ended, NULL) != NULL);
    while (told == 0)
        ll_world_turn(h.host.world, true);
    T_INT(ended, LINLI_OK);
    T_INT(ll_json_parse(&json, ll_buf_view(&out), 16, NULL), LINLI_OK);
    LL_JSON_EACH (item, ll_json_root(&json)) {
        tries++;
        accepted += ll_jv_true(ll_jv_get(item, "accepted"));
    }
    (void)snprintf(said, sizeof said, "%d/%d", tries, accepted);
    ll_json_fini(&json);
    ll_buf_fini(&out);
    return said;
}

#define T_SENT(id, way, attempt, want) \
    T_STR(ll_cstr(send_as(id, LL_WAY_##way, attempt)), want)
#define T_SHOWN(to, want) T_STR(ll_cstr(shown(to)), want)

/* As after a crash that lost what it had answered. */
T_CASE(asked_for_twice)
{
    open_host();
    T_SHOWN("", "0/0");
    T_SENT("m1", SMS, 1, "ok");
    T_SENT("m1", SMS, 1, "ok");
    T_SENT("m1", SMS, 2, "ok");
    T_SHOWN("", "1/1");
    rule(LL_WAY_SMS, "", "fail");
    T_SENT("m1", SMS, 2, "ok"); /* it was taken, whatever comes now */
    T_SENT("m2", SMS, 1, "fail");
    T_SENT("m2", SMS, 1, "fail");
    T_SHOWN("", "2/1");
    T_SENT("m2", SMS, 2, "fail");
    rule(LL_WAY_SMS, "", "ok");
    T_SENT("m2", SMS, 2, "ok"); /* the same try, and it ends well now */
    T_SENT("m2", SMS, 3, "ok");
    T_SENT("m1", PUSH, 1, "ok"); /* another provider does not know it */
    T_SHOWN("", "5/3");
    T_SHOWN("r1", "5/3");
    T_SHOWN("r", "0/0");
    close_host();
}

T_CASE(the_later_rule_holds)
{
    open_host();
    rule(LL_WAY_SMS, "r1", "unreachable");
    T_SENT("m1", SMS, 1, "unreachable");
    T_SENT("m1", VOICE, 1, "ok");
    rule(LL_WAY_SMS, "", "fail");
    T_SENT("m2", SMS, 1, "fail");
    rule(LL_WAY_SMS, "", "accepted");
    T_SENT("m2", SMS, 2, "ok");
    rule(LL_WAY_SMS, "", "failed");
    T_SENT("m4", SMS, 1, "fail");
    rule(LL_WAY_SMS, "r1", "ok");
    rule(LL_WAY_SMS, "r2", "unreachable");
    T_SENT("m3", SMS, 1, "ok");
    close_host();
}

/* Nobody is told of what was forgotten. */
T_CASE(forgotten_asks)
{
    struct ll_buf out;
    struct ll_sim_rule wanted = {.way = LL_WAY_SMS};
    open_host();
    ll_buf_init(&out, &text_mem, 65536);
    struct ll_jw w = ll_jw(&out);
    struct ll_sim_ask *list =
        ll_sim_messages(&h.host, LINLI_STR(""), &w, on_ended, NULL);
    struct ll_sim_ask *set = ll_sim_set(&h.host, &wanted, on_ended, NULL);
    T_OK(list != NULL && set != NULL);
    ll_sim_forget(list);
    ll_sim_forget(set);
    told = 0;
    while (h.host.batch_count > 0)
        ll_world_turn(h.host.world, true);
    T_INT(told, 0);
    T_INT(out.len, 0);
    ll_buf_fini(&out);
    close_host();
}

T_MAIN(T_RUN(a_message_and_its_errand) T_RUN(a_key_in_one_call_and_in_two)
        T_RUN(refusals) T_RUN(each_allocation_may_fail) T_RUN(asked_for_twice)
            T_RUN(the_later_rule_holds) T_RUN(forgotten_asks))
