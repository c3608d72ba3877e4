/* host/own_schema.h: judging a file by a schema of our own. [any] */
#ifndef LL_HOST_OWN_SCHEMA_H
#define LL_HOST_OWN_SCHEMA_H

#include "base/json.h"

/* Judges `root` by the text of a schema that is compiled into the library.
 * A broken rule is LINLI_E_INVALID with `code` and its JSON pointer. */
linli_status ll_own_schema_check(struct ll_mem *mem, linli_str schema,
    struct ll_jv root, const char *code, struct ll_err *err) LL_USE_RESULT;

#endif
