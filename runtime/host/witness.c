/* host/witness.c: alerts about a log that is sealed. [loop] */
#include "host/witness.h"

#include "base/problem.h"
#include "base/text.h"
#include "host/alert.h"

#define DATA_BYTES_MAX 4096

static void
alert(struct ll_community *community, const char *why)
{
    struct ll_host *host = community->host;
    const struct ll_problem *problem = ll_problem_find(LINLI_STR("log/sealed"));
    struct ll_space *space =
        ll_docs_space(&host->docs, community->id, LINLI_STR("~"));
    struct ll_buf data;
    ll_buf_init(&data, &host->mem, DATA_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "code");
    ll_jw_cstr(&w, "log/sealed");
    ll_jw_key(&w, "message");
    ll_jw_cstr(&w, why);
    ll_jw_key(&w, "fix");
    ll_jw_cstr(&w, problem->fix_en);
    ll_jw_key(&w, "fix_zh");
    ll_jw_cstr(&w, problem->fix_zh);
    ll_jw_close(&w, '}');
    struct ll_alert said = {.space = space,
        .kind = LINLI_STR("linli.log_sealed"),
        .ref = LINLI_STR(LL_ALERT_LOG),
        .subject = LINLI_STR(""),
        .trace_id = LINLI_STR(""),
        .data = ll_buf_view(&data),
        .at_ms = ll_world_wall(host->world).ms};
    if (space != NULL && !data.failed)
        ll_host_alert(host, &said);
    ll_buf_fini(&data);
}

void
ll_witness_tell(struct ll_host *host)
{
    const char *why = ll_store_log_sealed(host->store);
    host->witnessed = true;
    if (why == NULL)
        return;
    struct ll_log_line line = {
        .level = LL_ERROR, .code = "log/sealed", .msg = ll_cstr(why)};
    ll_log_write(&host->log, &line);
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        alert(c, why);
}

void
ll_witness_added(struct ll_community *community)
{
    const char *why = ll_store_log_sealed(community->host->store);
    if (why != NULL && community->host->witnessed)
        alert(community, why);
}
