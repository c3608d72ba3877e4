/* host/who.c: what a plugin is told of the resident who calls. [loop]
 *
 * A plugin knows residents and households by pids: random rows of its own
 * space (~pid), so that two plugins cannot put their records together and a
 * deleted row unlinks for good (spec/pipeline.md, 2.1). With
 * "directory": ["household"] it is told the pid of the caller's household too.
 * What a household or a resident has said of themselves is never told here,
 * but only where a decision lets it out (host/reading.h).
 */
#include <stdio.h>

#include "base/text.h"
#include "data/put.h"
#include "host/call.h"
#include "host/directory.h"
#include "host/pid.h"

#define PID_BYTES 16

/* Steps of looking up, in order. */
enum { WHO_PID, WHO_RESIDENT, WHO_HOUSEHOLD_PID, WHO_OVER };

static bool
fail(struct ll_call *call, bool *refused, const char *code)
{
    *refused = true;
    (void)ll_call_refuse(call, code, NULL);
    return false;
}

/* The document into call->asked; false: it is waited for, or refused. */
static bool
ask(struct ll_call *call, struct ll_coll *coll, linli_str id, bool *refused)
{
    if (call->asked == NULL && coll != NULL)
        call->asked = ll_docs_get(coll, id);
    if (call->asked == NULL)
        return fail(call, refused, "runtime/memory");
    if (!ll_doc_ready(call->asked, &call->hold))
        return false;
    if (call->asked->state == LL_DOC_LOST)
        return fail(call, refused, "store/failed");
    return true;
}

/* The pid in call->asked, made if there is none. */
static bool
take_pid(struct ll_call *call, char pid[2 * PID_BYTES + 1], bool *refused)
{
    struct ll_host *host = call->host;
    bool good = ll_pid_take(&host->docs, host->world, call->asked, call->now_ms,
                    pid) == LINLI_OK;
    ll_doc_unref(&call->asked);
    return good ? true : fail(call, refused, "runtime/memory");
}

/* "r:" or "h:" and the runtime's id. */
static linli_str
pid_key(struct ll_call *call, const char *kind, linli_str id)
{
    struct ll_buf *text = &call->scratch;
    ll_buf_clear(text);
    ll_buf_cstr(text, kind);
    ll_buf_str(text, id);
    return ll_buf_view(text);
}

static struct ll_coll *
pids(struct ll_call *call)
{
    return ll_space_coll(call->instance->space, LINLI_STR("~pid"));
}

static bool
step_pid(struct ll_call *call, bool *refused)
{
    linli_str key = pid_key(call, "r:", call->identity->id);
    if (!ask(call, pids(call), key, refused) ||
        !take_pid(call, call->pid, refused))
        return false;
    call->who_step =
        call->package->manifest->directory_household ? WHO_RESIDENT : WHO_OVER;
    return true;
}

/* The household that the directory says, copied; if it says nothing, the
 * token's. */
static linli_str
household_of(struct ll_call *call)
{
    const struct ll_content *content = call->asked->content;
    struct ll_json *json = &call->host->docs.json;
    linli_str said = {NULL, 0};
    if (content != NULL &&
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
        said = ll_directory_household(ll_json_root(json), call->now_ms);
    if (said.ptr == NULL)
        return call->identity->household;
    return said.len == 0 ? said : ll_arena_str(&call->arena, said);
}

bool
ll_who_household(struct ll_call *call, bool *refused)
{
    struct ll_coll *coll = ll_directory(call->community, "~resident");
    if (call->household_known)
        return true;
    if (!ask(call, coll, call->identity->id, refused))
        return false;
    call->household = household_of(call);
    call->household_known = true;
    ll_doc_unref(&call->asked);
    return true;
}

static bool
step_resident(struct ll_call *call, bool *refused)
{
    if (!ll_who_household(call, refused))
        return false;
    call->who_step = call->household.len == 0 ? WHO_OVER : WHO_HOUSEHOLD_PID;
    return true;
}

static bool
step_household_pid(struct ll_call *call, bool *refused)
{
    char pid[2 * PID_BYTES + 1];
    linli_str key = pid_key(call, "h:", call->household);
    if (!ask(call, pids(call), key, refused) || !take_pid(call, pid, refused))
        return false;
    struct ll_buf *text = &call->scratch;
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "household");
    ll_jw_cstr(&w, pid);
    ll_jw_close(&w, '}');
    call->resident_json = ll_arena_str(&call->arena, ll_buf_view(text));
    call->who_step = WHO_OVER;
    return call->arena.failed ? fail(call, refused, "runtime/memory") : true;
}

bool
ll_who_ready(struct ll_call *call, bool *refused)
{
    static bool (*const steps[])(struct ll_call * call, bool *refused) = {
        [WHO_PID] = step_pid,
        [WHO_RESIDENT] = step_resident,
        [WHO_HOUSEHOLD_PID] = step_household_pid,
    };
    if (call->identity == NULL || call->identity->kind != LL_CALLER_RESIDENT)
        return true;
    while (call->who_step != WHO_OVER)
        if (!steps[call->who_step](call, refused))
            return false;
    return true;
}
