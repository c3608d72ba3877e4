/* worker/objects.c: the one place that maps a stranger's code. [worker]
 *
 * First all objects are gathered and judged, then they are mapped, each
 * after what it needs, so that the dynamic loader finds every name already
 * loaded and opens no file by itself. A bundled object is found by its
 * SONAME, which must be its file name.
 */
#include "worker/objects.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>

#include "base/text.h"
#include "worker/elf.h"

struct object {
    const struct ll_worker_file *file;
    struct ll_elf elf;
    bool mapped;
};

/* The objects to map, the one that was asked for first. */
struct objects {
    struct ll_worker *worker;
    ll_object_locate *locate;
    uint32_t count;
    struct object list[LL_OBJECTS_MAX];
};

static linli_str
file_name(linli_str path)
{
    for (size_t i = path.len; i > 0; i--) {
        if (path.ptr[i - 1] == '/')
            return (linli_str){path.ptr + i, path.len - i};
    }
    return path;
}

/* The package's object of that file name: NULL if there is none, or if
 * there are two, between which nothing here may choose. */
static const struct ll_worker_file *
find_bundled(const struct ll_worker *worker, linli_str name)
{
    const struct ll_worker_file *found = NULL;
    for (uint32_t i = 0; i < worker->file_count; i++) {
        if (!ll_str_eq(file_name(worker->files[i].path), name))
            continue;
        if (found != NULL)
            return NULL;
        found = &worker->files[i];
    }
    return found;
}

static struct object *
find_object(struct objects *all, linli_str name)
{
    for (uint32_t i = 0; i < all->count; i++) {
        if (ll_str_eq(file_name(all->list[i].file->path), name))
            return &all->list[i];
    }
    return NULL;
}

/* Reads and judges one object by itself and adds it to the list. */
static linli_status
add_object(
    struct objects *all, const struct ll_worker_file *file, struct ll_err *err)
{
    if (all->count == LL_OBJECTS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "plugin/load",
            "the plugin needs more than %d objects", LL_OBJECTS_MAX);
    struct object *object = &all->list[all->count];
    *object = (struct object){.file = file};
    linli_status s = ll_elf_read(file->bytes, &object->elf, err);
    if (s == LINLI_OK)
        s = ll_elf_check(
            &object->elf, ll_elf_glibc(ll_cstr(gnu_get_libc_version())), err);
    if (s == LINLI_OK)
        all->count++;
    else
        ll_err_where(err, "%.*s", LL_FMT(file->path));
    return s;
}

/* Adds a library that `object` needs, unless the system has it. */
static linli_status
add_needed(struct objects *all, const struct object *object, linli_str needed,
    struct ll_err *err)
{
    if (ll_elf_is_system(needed) || find_object(all, needed) != NULL)
        return LINLI_OK;
    const struct ll_worker_file *file = find_bundled(all->worker, needed);
    linli_status s;
    if (file == NULL) {
        s = ll_fail(err, LINLI_E_DENIED, "plugin/load",
            "it needs %.*s, which is not in the package", LL_FMT(needed));
        ll_err_fix(err,
            "Link it statically (libgcc: -static-libgcc), or put it into the "
            "package once; of the system there are libc.so.6 and libm.so.6");
        ll_err_where(err, "%.*s", LL_FMT(object->file->path));
        return s;
    }
    s = add_object(all, file, err);
    if (s != LINLI_OK)
        return s;
    if (!ll_str_eq(all->list[all->count - 1].elf.soname, needed)) {
        s = ll_fail(err, LINLI_E_INVALID, "plugin/load",
            "its SONAME is not its file name, %.*s", LL_FMT(needed));
        ll_err_fix(err, "Link it with -Wl,-soname,%.*s", LL_FMT(needed));
        ll_err_where(err, "%.*s", LL_FMT(file->path));
    }
    return s;
}

static bool
bundled_defines(const struct objects *all, linli_str symbol)
{
    for (uint32_t i = 0; i < all->count; i++) {
        if (ll_elf_defines(&all->list[i].elf, symbol))
            return true;
    }
    return false;
}

static linli_status
check_imports(
    const struct objects *all, const struct object *object, struct ll_err *err)
{
    for (uint32_t i = 0; i < ll_elf_relocation_count(&object->elf); i++) {
        linli_str name = ll_elf_import(&object->elf, i);
        if (name.len == 0 || ll_elf_import_allowed(name) ||
            bundled_defines(all, name))
            continue;
        linli_status s = ll_fail(err, LINLI_E_DENIED, "plugin/load",
            "it imports %.*s, which a plugin may not", LL_FMT(name));
        const char *advice = ll_elf_import_advice(name);
        ll_err_fix(err, "%s",
            advice != NULL ? advice
                           : "Import only what runtime/worker/"
                             "elf_imports.def lists, or bundle what you need");
        ll_err_where(err, "%.*s", LL_FMT(object->file->path));
        return s;
    }
    return LINLI_OK;
}

/* True if all it needs is mapped. */
static bool
is_ready(struct objects *all, const struct object *object)
{
    for (uint32_t i = 0; i < object->elf.needed_count; i++) {
        struct object *other = find_object(all, object->elf.needed[i]);
        if (other != NULL && !other->mapped)
            return false;
    }
    return true;
}

static linli_status
map_object(struct objects *all, struct object *object, void **handle,
    struct ll_err *err)
{
    linli_str path = object->file->path;
    const char *place = all->locate(all->worker, path);
    linli_status s;
    if (place == NULL) {
        s = ll_fail(err, LINLI_E_INTERNAL, "plugin/load",
            "the sandbox has no place for it");
        goto out;
    }
    *handle = dlopen(place, RTLD_NOW | RTLD_LOCAL);
    if (*handle != NULL) {
        object->mapped = true;
        return LINLI_OK;
    }
    const char *why = dlerror();
    why = why == NULL ? "no reason given" : why;
    /* Where the sandbox keeps it is nobody's business. */
    size_t n = strlen(place);
    if (strncmp(why, place, n) == 0 && strncmp(why + n, ": ", 2) == 0)
        why += n + 2;
    s = ll_fail(
        err, LINLI_E_INVALID, "plugin/load", "it cannot be mapped: %s", why);
out:
    ll_err_where(err, "%.*s", LL_FMT(path));
    return s;
}

/* Maps whatever is ready until nothing is left; the first object is last,
 * unless nothing leads to it, and its handle is the one that counts. */
static linli_status
map_all(struct objects *all, void **handle, struct ll_err *err)
{
    uint32_t left = all->count;
    bool moved = true;
    while (left > 0 && moved) {
        moved = false;
        for (uint32_t i = all->count; i > 0; i--) {
            struct object *object = &all->list[i - 1];
            if (object->mapped || !is_ready(all, object))
                continue;
            linli_status s = map_object(all, object, handle, err);
            if (s != LINLI_OK)
                return s;
            moved = true;
            left--;
        }
    }
    if (left == 0)
        return LINLI_OK;
    linli_status s = ll_fail(
        err, LINLI_E_INVALID, "plugin/load", "bundled objects need each other");
    ll_err_fix(err, "Link them into one object");
    ll_err_where(err, "%.*s", LL_FMT(all->list[0].file->path));
    return s;
}

static linli_status
open_all(struct objects *all, const struct ll_worker_file *file, void **handle,
    struct ll_err *err)
{
    linli_status s = add_object(all, file, err);
    for (uint32_t i = 0; s == LINLI_OK && i < all->count; i++) {
        struct object *object = &all->list[i];
        for (uint32_t k = 0; s == LINLI_OK && k < object->elf.needed_count; k++)
            s = add_needed(all, object, object->elf.needed[k], err);
    }
    if (all->worker->config.import_check) {
        for (uint32_t i = 0; s == LINLI_OK && i < all->count; i++)
            s = check_imports(all, &all->list[i], err);
    }
    if (s == LINLI_OK)
        s = map_all(all, handle, err);
    return s;
}

linli_status
ll_objects_open(struct ll_worker *worker, linli_str path,
    ll_object_locate *locate, void **handle, struct ll_err *err)
{
    *handle = NULL;
    const struct ll_worker_file *file = ll_worker_file(worker, path);
    if (file == NULL) {
        linli_status s = ll_fail(err, LINLI_E_NOT_FOUND, "package/missing-file",
            "plugin.json names it, and the package has it not");
        ll_err_where(err, "%.*s", LL_FMT(path));
        return s;
    }
    struct objects *all = ll_alloc(&worker->mem, sizeof(*all));
    if (all == NULL)
        return ll_fail(
            err, LINLI_E_NOMEM, "runtime/memory", "reading shared objects");
    all->worker = worker;
    all->locate = locate;
    linli_status s = open_all(all, file, handle, err);
    if (s != LINLI_OK)
        *handle = NULL;
    ll_release(&worker->mem, all, sizeof(*all));
    return s;
}
