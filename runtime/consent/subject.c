/* consent/subject.c: names that only the key file leads to. [loop] */
#include "consent/subject.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"

#define PURPOSE_BYTES 512

void
ll_subject(struct ll_store *store, linli_str community, const char *kind,
    linli_str id, char out[LL_PID_BYTES])
{
    char purpose[PURPOSE_BYTES];
    unsigned char bytes[LL_PID_BYTES / 2];
    struct ll_whose whose = {.community = community, .plugin = LINLI_STR("~")};
    /* Who was erased and comes back is somebody new: the first name whose key
     * was not taken. */
    for (uint32_t times = 0;; times++) {
        ll_check(times < LL_SUBJECT_TIMES_MAX);
        /* No part but the last can hold a ':'. */
        int n = snprintf(purpose, sizeof purpose, "directory:%.*s:%s:%.*s",
            LL_FMT(community), kind, LL_FMT(id));
        if (times > 0)
            n = snprintf(purpose, sizeof purpose, "directory.%u:%.*s:%s:%.*s",
                times, LL_FMT(community), kind, LL_FMT(id));
        ll_check(n > 0 && (size_t)n < sizeof purpose);
        ll_store_secret(store, purpose, bytes, sizeof bytes);
        ll_hex(bytes, sizeof bytes, out);
        whose.subject = ll_cstr(out);
        if (!ll_store_taken(store, &whose))
            return;
    }
}
