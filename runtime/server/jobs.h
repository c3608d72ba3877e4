/* server/jobs.h: what the two pages of jobs share. [loop] */
#ifndef LL_SERVER_JOBS_H
#define LL_SERVER_JOBS_H

#include "host/job.h"
#include "server/act.h"

/* The collections that jobs are kept in; the second has errands. */
extern const char *const ll_job_colls[2];

/* What the space of a plugin is called in a path and an answer: its id, "-"
 * for the community's own; and back. */
linli_str ll_job_plugin(const struct ll_space *space);
struct ll_space *ll_job_space(
    const struct ll_host *host, linli_str community, linli_str plugin);

/* The members of a job, after '{'. */
void ll_job_write(struct ll_view *view, const struct ll_space *space,
    const struct ll_job *job);

/* Which of them, and what becomes of it. */
enum ll_job_verb { LL_JOB_SHOW, LL_JOB_RETRY, LL_JOB_DROP };
struct ll_job_wanted {
    enum ll_job_verb verb;
    linli_str plugin;
    char id[LL_DOC_ID_BYTES_MAX + 1];
    size_t id_len;
};
/* server/job.c */
void ll_job_begin(struct ll_face *face, struct ll_request *request,
    linli_str community, const struct ll_job_wanted *wanted);

#endif
