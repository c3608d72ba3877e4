/* worker/objects.h: shared objects of the package, checked and mapped.
 * [worker]
 *
 * Native plugins and typed libraries come in through this one door: each
 * object that is to be mapped is first parsed and judged (elf.h), with every
 * bundled object it needs, and nothing is mapped before all have passed.
 * Mapping runs constructors, so it happens under the stage-1 filter.
 */
#ifndef LL_WORKER_OBJECTS_H
#define LL_WORKER_OBJECTS_H

#include "worker/worker.h"

/* Where an object of the package can be mapped from; NULL: nowhere. */
typedef const char *ll_object_locate(
    const struct ll_worker *worker, linli_str path);

/* Maps the package's file `path` and, before it, the bundled objects it
 * needs. *handle is for dlsym and lives as long as the process. Codes:
 * "package/missing-file", "plugin/load"; `where` names the object. */
linli_status ll_objects_open(struct ll_worker *worker, linli_str path,
    ll_object_locate *locate, void **handle, struct ll_err *err) LL_USE_RESULT;

#endif
