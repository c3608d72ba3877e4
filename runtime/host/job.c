/* host/job.c: reading a document of a queue. [any] */
#include "host/job.h"

#include "base/text.h"

static const char *const states[] = {[LL_JOB_DEAD] = "dead",
    [LL_JOB_WAITING] = "waiting",
    [LL_JOB_RUNNING] = "running"};

const char *
ll_job_state_name(enum ll_job_state state)
{
    ll_check((unsigned)state < LL_COUNT(states));
    return states[state];
}

bool
ll_job_state_read(linli_str word, enum ll_job_state *out)
{
    for (unsigned i = 0; i < LL_COUNT(states); i++)
        if (ll_str_is(word, states[i])) {
            *out = (enum ll_job_state)i;
            return true;
        }
    return false;
}

bool
ll_job_kind_known(linli_str kind)
{
    static const char *const kinds[] = {
        "timer", "device", "job", "answer", "payment", "errand"};
    for (size_t i = 0; i < LL_COUNT(kinds); i++)
        if (ll_str_is(kind, kinds[i]))
            return true;
    return false;
}

static linli_str
text_of(struct ll_jv document, const char *name)
{
    return ll_jv_str(ll_jv_get(document, name));
}

void
ll_job_read(
    struct ll_job *job, struct ll_jv document, bool errand, bool in_hand)
{
    *job = (struct ll_job){.state = LL_JOB_DEAD,
        .id = text_of(document, "id"),
        .kind = text_of(document, "kind"),
        .run = text_of(document, "run"),
        .code = text_of(document, "code"),
        .subject = text_of(document, "subject")};
    (void)ll_jv_int(ll_jv_get(document, "at"), &job->at_ms);
    (void)ll_jv_int(ll_jv_get(document, "dead_at"), &job->dead_ms);
    (void)ll_jv_int(ll_jv_get(document, "attempts"), &job->attempts);
    if (ll_jv_int(ll_jv_get(document, "due"), &job->due_ms))
        job->state = in_hand ? LL_JOB_RUNNING : LL_JOB_WAITING;
    if (errand) {
        job->run = job->kind;
        job->kind = LINLI_STR("errand");
    } else if (job->run.len == 0) {
        job->run = text_of(document, "path"); /* of a device's event */
    }
}

static bool
has_failed(const struct ll_job *job)
{
    return job->state == LL_JOB_DEAD || job->attempts > 0 || job->code.len > 0;
}

const char *
ll_job_refuse_retry(const struct ll_job *job, int64_t now_ms)
{
    if (job->state == LL_JOB_RUNNING)
        return "job/running";
    /* Its time has come: it is as it was after a retry. */
    if (has_failed(job) || job->due_ms <= now_ms)
        return NULL;
    return "job/not-failed";
}

/* A call may await what it comes to: its death is an answer, its loss none. */
static bool
may_be_awaited(const struct ll_job *job)
{
    return ll_str_is(job->kind, "errand") &&
           (ll_str_is(job->run, "fetch") || ll_str_is(job->run, "pay.create"));
}

const char *
ll_job_refuse_drop(const struct ll_job *job)
{
    if (job->state == LL_JOB_RUNNING)
        return "job/running";
    if (job->state != LL_JOB_DEAD && may_be_awaited(job))
        return "job/not-failed";
    return has_failed(job) ? NULL : "job/not-failed";
}
