/* host/request.c: looking into a request. [any] */
#include "host/request.h"

#include "base/text.h"

linli_str
ll_request_field(const struct ll_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->field_count; i++)
        if (ll_str_is(request->fields[i].name, name))
            return request->fields[i].value;
    return (linli_str){NULL, 0};
}

bool
ll_request_is_json(const struct ll_request *request)
{
    linli_str rest = ll_request_field(request, "content-type"), type;
    if (!ll_str_split(&rest, ';', &type))
        return false;
    while (type.len > 0 && type.ptr[type.len - 1] == ' ')
        type.len--;
    return ll_str_eq_nocase(type, "application/json");
}
