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
