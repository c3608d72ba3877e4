/* plugin/package.h: a plugin's files, read once into memory. [loop]
 *
 * A package is a folder: plugin.json, Lua sources, shared objects. It is
 * read whole, its content hashed, and handed to workers as one sealed memfd,
 * so that what runs is what was checked, whatever happens to the folder.
 */
#ifndef LL_PLUGIN_PACKAGE_H
#define LL_PLUGIN_PACKAGE_H

#include "base/hash.h"
#include "plugin/manifest.h"

struct ll_package {
    struct ll_mem *mem;
    struct ll_manifest *manifest;
    int image_fd; /* sealed memfd: a value map of path to bytes */
    char hash[2 * LL_SHA256_BYTES + 1]; /* of the image, hex */
    char *dir;                          /* where it was read from */
    unsigned refs;
};

/* Reads the folder `dir`. Symbolic links, devices and hidden files are left
 * out; *.lua, *.so, *.json and *.txt are taken, within the bounds of
 * base/limits.h. Failures: "package/...", "manifest/..." with `where`. */
linli_status ll_package_open(struct ll_mem *mem, const char *dir,
    struct ll_package **out, struct ll_err *err) LL_USE_RESULT;
struct ll_package *ll_package_ref(struct ll_package *package);
void ll_package_unref(struct ll_package **package);

#endif
