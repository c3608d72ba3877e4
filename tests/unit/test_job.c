/* tests/unit/test_job.c: what a document of a queue says, and what may be done
 * to it: host/job.h. */
#include "host/job.h"

#include "base/text.h"
#include "t.h"

#define NOW INT64_C(1000)

struct reading {
    struct ll_mem mem;
    struct ll_json json;
    struct ll_job job;
};

static void
reading_init(struct reading *r, const char *text, bool errand, bool in_hand)
{
    ll_mem_init(&r->mem, 0);
    ll_json_init(&r->json, &r->mem);
    T_INT(ll_json_parse(&r->json, ll_cstr(text), LL_JSON_DEPTH_MAX, NULL),
        LINLI_OK);
    ll_job_read(&r->job, ll_json_root(&r->json), errand, in_hand);
}

static void
reading_fini(struct reading *r)
{
    ll_json_fini(&r->json);
    T_INT(r->mem.used_bytes, 0);
}

T_CASE(members_of_each_kind)
{
    struct reading r;
    reading_init(&r,
        "{\"id\":\"k\",\"kind\":\"timer\",\"due\":7,\"seq\":1,\"at\":5,"
        "\"run\":\"nag\",\"with\":null,\"subject\":\"s\",\"attempts\":2,"
        "\"code\":\"plugin/error\"}",
        false, false);
    T_STR(r.job.id, "k");
    T_STR(r.job.kind, "timer");
    T_STR(r.job.run, "nag");
    T_STR(r.job.code, "plugin/error");
    T_STR(r.job.subject, "s");
    T_INT(r.job.at_ms, 5);
    T_INT(r.job.due_ms, 7);
    T_INT(r.job.attempts, 2);
    T_INT(r.job.state, LL_JOB_WAITING);
    reading_fini(&r);
    reading_init(&r, "{\"id\":\"e\",\"kind\":\"fetch\",\"at\":5,\"dead_at\":9}",
        true, false);
    T_STR(r.job.kind, "errand");
    T_STR(r.job.run, "fetch");
    T_INT(r.job.dead_ms, 9);
    T_INT(r.job.state, LL_JOB_DEAD);
    T_INT(r.job.subject.len, 0);
    reading_fini(&r);
    reading_init(&r,
        "{\"id\":\"d\",\"kind\":\"device\",\"due\":1,\"path\":\"/beat\"}",
        false, true);
    T_STR(r.job.run, "/beat");
    T_INT(r.job.state, LL_JOB_RUNNING);
    reading_fini(&r);
}

/* A document, whether it is in hand, and what retry and drop are told. */
static const struct {
    const char *text;
    bool in_hand;
    const char *retry, *drop;
} verdicts[] = {
    /* dead, also before it was noted when */
    {"{\"attempts\":10,\"code\":\"a/b\",\"dead_at\":1}", false, "", ""},
    {"{\"attempts\":10}", false, "", ""},
    {"{}", false, "", ""},
    /* waits for another try */
    {"{\"due\":2000,\"attempts\":1}", false, "", ""},
    {"{\"due\":2000,\"attempts\":0,\"code\":\"runtime/busy\"}", false, "", ""},
    /* waits for its time */
    {"{\"due\":1001}", false, "job/not-failed", "job/not-failed"},
    {"{\"due\":1000}", false, "", "job/not-failed"},
    {"{\"due\":1000,\"attempts\":0}", false, "", "job/not-failed"},
    /* somebody is at it */
    {"{\"due\":1000,\"attempts\":3}", true, "job/running", "job/running"},
};

T_CASE(what_may_be_done)
{
    for (size_t i = 0; i < LL_COUNT(verdicts); i++) {
        struct reading r;
        reading_init(&r, verdicts[i].text, false, verdicts[i].in_hand);
        const char *retry = ll_job_refuse_retry(&r.job, NOW);
        const char *drop = ll_job_refuse_drop(&r.job);
        T_STR(ll_cstr(retry == NULL ? "" : retry), verdicts[i].retry);
        T_STR(ll_cstr(drop == NULL ? "" : drop), verdicts[i].drop);
        reading_fini(&r);
    }
}

/* Whoever awaits what an errand comes to is answered by its death. */
T_CASE(what_is_awaited_is_dropped_when_it_is_dead)
{
    static const struct {
        const char *text, *drop;
    } errands[] = {
        {"{\"kind\":\"fetch\",\"due\":9,\"attempts\":2}", "job/not-failed"},
        {"{\"kind\":\"pay.create\",\"due\":9,\"attempts\":2}",
            "job/not-failed"},
        {"{\"kind\":\"fetch\",\"attempts\":9}", ""},
        {"{\"kind\":\"webhook\",\"due\":9,\"attempts\":2}", ""},
    };
    for (size_t i = 0; i < LL_COUNT(errands); i++) {
        struct reading r;
        reading_init(&r, errands[i].text, true, false);
        const char *drop = ll_job_refuse_drop(&r.job);
        T_STR(ll_cstr(drop == NULL ? "" : drop), errands[i].drop);
        reading_fini(&r);
    }
}

T_CASE(words)
{
    enum ll_job_state state = LL_JOB_DEAD;
    for (int i = 0; i < LL_JOB_STATES; i++) {
        T_OK(ll_job_state_read(
            ll_cstr(ll_job_state_name((enum ll_job_state)i)), &state));
        T_INT(state, i);
    }
    T_OK(!ll_job_state_read(LINLI_STR("done"), &state));
    T_OK(!ll_job_state_read(LINLI_STR(""), &state));
    T_OK(ll_job_kind_known(LINLI_STR("timer")));
    T_OK(ll_job_kind_known(LINLI_STR("errand")));
    T_OK(!ll_job_kind_known(LINLI_STR("fetch")));
}

T_MAIN(T_RUN(members_of_each_kind) T_RUN(what_may_be_done)
        T_RUN(what_is_awaited_is_dropped_when_it_is_dead) T_RUN(words))
