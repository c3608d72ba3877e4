/* hello.c: a native plugin with two routes and a checked body. */
#include <linli/plugin.h>
#include <string.h>

static const linli_core *core; /* the functions of the host */

/* What stands between the quotes of the one member: the schema has seen to
 * it that the body is {"name": "..."}, so its second string is the name. It
 * stays escaped, as the answer needs it. */
static linli_str
name_in(linli_str body)
{
    const char *p = body.ptr, *from = p;
    for (int quotes = 0; quotes < 4; p++) {
        if (*p == '\\')
            p++;
        else if (*p == '"' && ++quotes == 3)
            from = p + 1;
    }
    return (linli_str){from, (size_t)(p - 1 - from)};
}

static void
append(char *text, size_t *n, linli_str s)
{
    memcpy(text + *n, s.ptr, s.len);
    *n += s.len;
}

static linli_status
greet(const linli_call *call)
{
    char text[512]; /* 32 characters, each \uXXXX\uXXXX at most: 384 bytes */
    size_t n = 0;
    append(text, &n, LINLI_STR("{\"message\":\"你好, "));
    append(text, &n, name_in(call->body));
    append(text, &n, LINLI_STR("\"}"));
    return core->reply(call->ctx, 200, (linli_str){text, n});
}

static linli_status
create(const linli_create *create, void **self)
{
    core = create->core;
    *self = NULL; /* nothing to remember between calls */
    return LINLI_OK;
}

static linli_status
call(void *self, const linli_call *call)
{
    (void)self;
    if (call->kind != LINLI_CALL_REQUEST)
        return LINLI_E_UNSUPPORTED;
    if (call->route == 1)
        return greet(call);
    return core->reply(
        call->ctx, 200, LINLI_STR("{\"message\":\"你好, 邻里\"}"));
}

LINLI_EXPORT const linli_plugin *
linli_plugin_v1(void)
{
    static const linli_plugin plugin = {
        .size = sizeof(plugin),
        .level = LINLI_ABI_LEVEL,
        .draft = LINLI_ABI_DRAFT,
        .id = LINLI_STR_INIT("hello-c"),
        .version = LINLI_STR_INIT("1.0.0"),
        .create = create,
        .call = call,
    };
    return &plugin;
}
