/* tests/hostile/native/plugin.c: a native plugin whose author means harm.
 *
 * POST /run/NAME runs the attack of that name; tests/hostile/test_native.py
 * says how each must end. POST /innocent is somebody else's call, POST /all
 * tries every system call of the sandbox's list. POST /keep/NAME may write,
 * and POST /drop/NAME fails at its end, so that nothing of it stays.
 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "hostile.h"

const linli_core *core;
const linli_probe_0 *probe;

static linli_status
answer_with(
    const linli_call *call, int32_t status, const char *format, long value)
{
    char text[64];
    int n = snprintf(text, sizeof text, format, value);
    return core->reply(call->ctx, status, (linli_str){text, (size_t)n});
}

static linli_status
answer(const linli_call *call, const char *format, long value)
{
    return answer_with(call, 200, format, value);
}

/* The number after "name": in the body, which has no nested objects. */
static long
number_in(linli_str body, const char *name)
{
    char text[256], *at;
    size_t n = body.len < sizeof text - 1 ? body.len : sizeof text - 1;
    memcpy(text, body.ptr, n);
    text[n] = '\0';
    at = strstr(text, name);
    return at == NULL ? 0 : strtol(at + strlen(name) + 2, NULL, 10);
}

static linli_status
innocent(const linli_call *call)
{
    linli_status status = probe->wait(call->ctx, number_in(call->body, "ms"));
    if (status != LINLI_OK)
        return status;
    return answer(call, "{\"n\":%ld}", number_in(call->body, "n"));
}

static const struct named *
find(linli_str name)
{
    const struct named *const lists[] = {
        system_attacks, fault_attacks, wire_attacks, hostcall_attacks};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct named *at = lists[i]; at->name != NULL; at++)
            if (strlen(at->name) == name.len &&
                memcmp(at->name, name.ptr, name.len) == 0)
                return at;
    return NULL;
}

static linli_status
call(void *self, const linli_call *call)
{
    static char names[32768];
    (void)self;
    if (call->route == 1)
        return innocent(call);
    if (call->route == 2) {
        all_attacks(names, sizeof names);
        return core->reply(call->ctx, 200, (linli_str){names, strlen(names)});
    }
    const struct named *attack = find(call->params[0].value);
    if (attack == NULL)
        return LINLI_E_NOT_FOUND;
    long result = attack->run(call);
    if (call->route == 4)
        return answer_with(call, 500, "{\"result\":%ld}", result);
    return result == NO_ANSWER ? LINLI_OK
                               : answer(call, "{\"result\":%ld}", result);
}

static linli_status
create(const linli_create *create, void **self)
{
    *self = NULL;
    core = create->core;
    probe = core->query(create->ctx, LINLI_STR(LINLI_PROBE_0));
    return probe == NULL ? LINLI_E_UNSUPPORTED : LINLI_OK;
}

LINLI_EXPORT const linli_plugin *
linli_plugin_v1(void)
{
    static const linli_str required[] = {LINLI_STR_INIT(LINLI_PROBE_0)};
    static const linli_plugin plugin = {
        .size = sizeof(plugin),
        .level = LINLI_ABI_LEVEL,
        .draft = LINLI_ABI_DRAFT,
        .id = LINLI_STR_INIT("hostile-c"),
        .version = LINLI_STR_INIT("1.0.0"),
        .required = required,
        .required_count = 1,
        .create = create,
        .call = call,
    };
    return &plugin;
}
