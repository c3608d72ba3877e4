/* host/directory.h: who and what a community has: residents, households,
 * staff, devices, spaces. [loop]
 *
 * Documents of the community's own space, whose plugin is "~": written by
 * seeds and operators, read by the runtime. No plugin reaches them.
 */
#ifndef LL_HOST_DIRECTORY_H
#define LL_HOST_DIRECTORY_H

#include "host/host.h"

/* A collection of it, made by its first use; NULL without memory. */
struct ll_coll *ll_directory(struct ll_community *community, const char *name);

/* Writes a document of the runtime's own that is ready (`body` empty: deletes
 * it) in a commit of its own; whoever has read it begins again. Returns its
 * number, 0 without memory. */
uint64_t ll_docs_put_now(
    struct ll_docs *docs, struct ll_doc *doc, linli_str body, int64_t now_ms);

#endif
