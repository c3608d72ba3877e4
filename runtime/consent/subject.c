/* consent/subject.c: names that only the key file leads to. [loop] */
#include "consent/subject.h"

#include <stdio.h>

#include "base/text.h"

#define PURPOSE_BYTES 512

void
ll_subject(struct ll_store *store, linli_str community, const char *kind,
    linli_str id, char out[LL_PID_BYTES])
{
    char purpose[PURPOSE_BYTES];
    unsigned char bytes[LL_PID_BYTES / 2];
    /* No part but the last can hold a ':'. */
    int n = snprintf(purpose, sizeof purpose, "directory:%.*s:%s:%.*s",
        LL_FMT(community), kind, LL_FMT(id));
    ll_check(n > 0 && (size_t)n < sizeof purpose);
    ll_store_secret(store, purpose, bytes, sizeof bytes);
    ll_hex(bytes, sizeof bytes, out);
}
