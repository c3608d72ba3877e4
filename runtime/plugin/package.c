/* plugin/package.c: a plugin's folder, read once and sealed. [loop]
 *
 * The folder is walked through open descriptors, never through symbolic
 * links, so that nothing outside it can be drawn in. Files go into the image
 * in the order of their paths: the same files make the same hash everywhere.
 */
#include "plugin/package.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "wire/value.h"
#include "world/file.h"

/* Names while the folders are read: 255 bytes is the longest there is, 64
 * more for what goes with it. More than the other bounds let in. */
#define NAMES_BYTES_MAX \
    ((size_t)LL_PACKAGE_FOLDERS_MAX * LL_PACKAGE_ENTRIES_MAX * 320)

struct reader {
    struct ll_mem *mem;
    uint32_t folders;
    struct ll_arena arena; /* names */
    struct ll_buf bytes;   /* of all files, one after the other */
    struct file {
        linli_str path;
        size_t from, len; /* in bytes */
    } files[LL_PACKAGE_FILES_MAX];
    uint32_t count;
    struct ll_err *err;
};

static linli_status
no_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
        "no memory for a plugin's package");
}

static linli_status
too_large(struct reader *r, linli_str path, const char *what, size_t most)
{
    linli_status status = ll_fail(
        r->err, LINLI_E_LIMIT, "package/too-large", "%s %zu", what, most);
    ll_err_where(r->err, "%.*s", LL_FMT(path));
    return status;
}

/* Says of a failure of the system's that it is the package's. */
static linli_status
unreadable(struct reader *r, linli_status status, linli_str path)
{
    if (status == LINLI_E_NOMEM || r->err == NULL)
        return status;
    struct ll_err cause = *r->err;
    (void)ll_fail(r->err, status, "package/unreadable", "%s", cause.msg);
    ll_err_where(r->err, "%.*s", LL_FMT(path));
    return status;
}

static bool
ends_with(linli_str s, const char *tail)
{
    size_t n = strlen(tail);
    return s.len > n && memcmp(s.ptr + s.len - n, tail, n) == 0;
}

static bool
belongs(linli_str path)
{
    return ends_with(path, ".lua") || ends_with(path, ".so") ||
           ends_with(path, ".json") || ends_with(path, ".txt");
}

/* -- reading the folder -- */

static linli_status
add_file(struct reader *r, int folder, const char *name, linli_str path)
{
    size_t left = LL_PACKAGE_BYTES_MAX - r->bytes.len;
    size_t most = ends_with(path, ".so") ? LL_PACKAGE_BYTES_MAX
                                         : LL_PACKAGE_SOURCE_BYTES_MAX;
    if (ll_str_is(path, "plugin.json"))
        most = LL_MANIFEST_BYTES_MAX;
    if (r->count == LL_PACKAGE_FILES_MAX)
        return too_large(
            r, path, "the package has more files than", LL_PACKAGE_FILES_MAX);
    struct file *file = &r->files[r->count];
    *file = (struct file){.path = path, .from = r->bytes.len};
    linli_status status = ll_file_read(
        folder, name, left < most ? left : most, &r->bytes, r->err);
    if (status == LINLI_E_LIMIT && left < most)
        return too_large(r, path, "the package's files have more bytes than",
            LL_PACKAGE_BYTES_MAX);
    if (status == LINLI_E_LIMIT)
        return too_large(r, path, "the file has more bytes than", most);
    if (status != LINLI_OK)
        return unreadable(r, status, path);
    file->len = r->bytes.len - file->from;
    r->count++;
    return LINLI_OK;
}

static linli_status read_folder(
    struct reader *r, int folder, linli_str prefix, unsigned depth);

static linli_status
add_entry(struct reader *r, int folder, const struct ll_file_entry *entry,
    linli_str prefix, unsigned depth)
{
    char text[LL_PACKAGE_PATH_BYTES_MAX + 2];
    int below = -1;
    bool is_folder = entry->kind == LL_FILE_FOLDER;
    if (entry->name.ptr[0] == '.' || entry->kind == LL_FILE_OTHER ||
        (!is_folder && !belongs(entry->name)))
        return LINLI_OK;
    int n = snprintf(text, sizeof text, "%.*s%s%s", LL_FMT(prefix),
        entry->name.ptr, is_folder ? "/" : "");
    if (n < 0 || (size_t)n > LL_PACKAGE_PATH_BYTES_MAX)
        return too_large(r, prefix, "a path in this folder is longer than",
            LL_PACKAGE_PATH_BYTES_MAX);
    linli_str path = ll_arena_str(&r->arena, (linli_str){text, (size_t)n});
    if (path.ptr == NULL)
        return no_memory(r->err);
    if (!is_folder)
        return add_file(r, folder, entry->name.ptr, path);
    if (depth == LL_PACKAGE_DEPTH_MAX)
        return too_large(
            r, path, "folders stand deeper than", LL_PACKAGE_DEPTH_MAX);
    linli_status status =
        ll_folder_open(folder, entry->name.ptr, false, &below, r->err);
    status = status == LINLI_OK ? read_folder(r, below, path, depth + 1)
                                : unreadable(r, status, path);
    ll_file_close(&below);
    return status;
}

/* Recursion ends at LL_PACKAGE_DEPTH_MAX. */
static linli_status
read_folder(struct reader *r, int folder, linli_str prefix, unsigned depth)
{
    struct ll_file_list list;
    if (r->folders++ == LL_PACKAGE_FOLDERS_MAX)
        return too_large(r, prefix, "the package has more folders than",
            LL_PACKAGE_FOLDERS_MAX);
    linli_status status = ll_folder_list(
        folder, LL_PACKAGE_ENTRIES_MAX, &r->arena, &list, r->err);
    if (status == LINLI_E_LIMIT)
        return too_large(r, prefix, "a folder holds more files than",
            LL_PACKAGE_ENTRIES_MAX);
    if (status != LINLI_OK)
        return unreadable(r, status, prefix);
    for (uint32_t i = 0; status == LINLI_OK && i < list.count; i++)
        status = add_entry(r, folder, &list.entries[i], prefix, depth);
    return status;
}

static linli_status
read_all(struct reader *r, const char *dir)
{
    int folder = -1;
    linli_status status = ll_folder_open(LL_AT_CWD, dir, true, &folder, r->err);
    if (status == LINLI_E_NOT_FOUND || status == LINLI_E_INVALID) {
        (void)ll_fail(
            r->err, status, "package/missing-file", "there is no such folder");
        ll_err_where(r->err, "%s", dir);
        ll_err_fix(r->err, "Name the folder that holds plugin.json");
    } else if (status != LINLI_OK) {
        status = unreadable(r, status, ll_cstr(dir));
    } else {
        status = read_folder(r, folder, LINLI_STR(""), 0);
    }
    ll_file_close(&folder);
    return status;
}

/* -- what must be there -- */

static const struct file *
file_find(const struct reader *r, linli_str path)
{
    for (uint32_t i = 0; i < r->count; i++)
        if (ll_str_eq(r->files[i].path, path))
            return &r->files[i];
    return NULL;
}

static linli_status
require_file(const struct reader *r, linli_str path, const char *member)
{
    if (file_find(r, path) != NULL)
        return LINLI_OK;
    linli_status status =
        ll_fail(r->err, LINLI_E_NOT_FOUND, "package/missing-file",
            "the package has no regular file \"%.*s\"", LL_FMT(path));
    ll_err_where(r->err, "plugin.json: %s", member);
    ll_err_fix(
        r->err, "Add %.*s to the package, or correct the name", LL_FMT(path));
    return status;
}

static linli_status
read_manifest(struct reader *r, struct ll_package *package)
{
    const struct file *file = file_find(r, LINLI_STR("plugin.json"));
    if (file == NULL) {
        linli_status status = ll_fail(r->err, LINLI_E_NOT_FOUND,
            "package/missing-file", "the folder has no plugin.json");
        ll_err_where(r->err, "%s", package->dir);
        ll_err_fix(r->err, "Name the folder that holds plugin.json");
        return status;
    }
    linli_status status = ll_manifest_read(r->mem,
        (linli_str){r->bytes.ptr + file->from, file->len}, &package->manifest,
        r->err);
    if (status != LINLI_OK)
        return status;
    const struct ll_manifest *m = package->manifest;
    status = require_file(r, m->main, "/main");
    if (status == LINLI_OK && ll_jv_there(m->native))
        status = require_file(
            r, ll_jv_str(ll_jv_get(m->native, "library")), "/native/library");
    return status;
}

/* -- the image -- */

static int
file_cmp(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    return ll_str_cmp(x->path, y->path);
}

static linli_status
make_image(struct reader *r, struct ll_package *package)
{
    /* Tags and lengths; the paths are as long as they are. */
    size_t most =
        r->bytes.len + (size_t)r->count * (LL_PACKAGE_PATH_BYTES_MAX + 16) + 16;
    unsigned char hash[LL_SHA256_BYTES];
    struct ll_buf image;
    linli_status status = LINLI_OK;
    ll_buf_init(&image, r->mem, most);
    /* Folder by folder is not the order of paths: "a/b" is after "a.lua". */
    qsort(r->files, r->count, sizeof r->files[0], file_cmp);
    ll_put_map(&image, r->count);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct file *file = &r->files[i];
        ll_put_bytes(&image, file->path);
        ll_put_bytes(&image, (linli_str){r->bytes.ptr + file->from, file->len});
    }
    if (image.failed) {
        status = no_memory(r->err);
    } else if (image.len > LL_PACKAGE_BYTES_MAX) {
        status = too_large(r, ll_cstr(package->dir),
            "the package's files have more bytes than", LL_PACKAGE_BYTES_MAX);
    } else {
        ll_sha256(image.ptr, image.len, hash);
        ll_hex(hash, sizeof hash, package->hash);
        status = ll_memory_sealed(
            "linli-package", ll_buf_view(&image), &package->image_fd, r->err);
    }
    ll_buf_fini(&image);
    return status;
}

static linli_status
fill(struct reader *r, struct ll_package *package, const char *dir)
{
    size_t bytes = strlen(dir) + 1;
    package->dir = ll_alloc(r->mem, bytes);
    if (package->dir == NULL)
        return no_memory(r->err);
    memcpy(package->dir, dir, bytes);
    linli_status status = read_all(r, dir);
    if (status == LINLI_OK)
        status = read_manifest(r, package);
    if (status == LINLI_OK)
        status = make_image(r, package);
    return status;
}

linli_status
ll_package_open(struct ll_mem *mem, const char *dir, struct ll_package **out,
    struct ll_err *err)
{
    *out = NULL;
    struct ll_package *package = ll_alloc(mem, sizeof *package);
    struct reader *r = ll_alloc(mem, sizeof *r);
    linli_status status = LINLI_E_NOMEM;
    if (package != NULL)
        *package = (struct ll_package){.mem = mem, .image_fd = -1, .refs = 1};
    if (package == NULL || r == NULL) {
        status = no_memory(err);
        goto out;
    }
    r->mem = mem;
    r->err = err;
    ll_arena_init(&r->arena, mem, NAMES_BYTES_MAX);
    ll_buf_init(&r->bytes, mem, LL_PACKAGE_BYTES_MAX + 1);
    status = fill(r, package, dir);
    ll_buf_fini(&r->bytes);
    ll_arena_fini(&r->arena);
out:
    ll_release(mem, r, sizeof *r);
    if (status != LINLI_OK)
        ll_package_unref(&package);
    *out = package;
    return status;
}

struct ll_package *
ll_package_ref(struct ll_package *package)
{
    ll_check(package->refs > 0);
    package->refs++;
    return package;
}

void
ll_package_unref(struct ll_package **package)
{
    struct ll_package *p = *package;
    *package = NULL;
    if (p == NULL)
        return;
    ll_check(p->refs > 0);
    if (--p->refs > 0)
        return;
    ll_manifest_free(&p->manifest);
    ll_file_close(&p->image_fd);
    if (p->dir != NULL)
        ll_release(p->mem, p->dir, strlen(p->dir) + 1);
    ll_release(p->mem, p, sizeof *p);
}
