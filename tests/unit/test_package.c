/* tests/unit/test_package.c: packages, and the files they are read from. */
#include "t.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/package.h"
#include "wire/value.h"
#include "world/file.h"

#define MANIFEST                                                     \
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":" \
    "\"lua\",\"main\":\"main.lua\""

static char root[256];

/* -- a folder to work in -- */

static void
put(const char *name, const char *text, size_t len)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "wb");
    T_OK(file != NULL);
    if (file == NULL)
        return;
    T_INT(fwrite(text, 1, len, file), len);
    (void)fclose(file);
}

static void
put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void
folder(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    T_INT(mkdir(path, 0755), 0);
}

static void
link_to(const char *target, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    T_INT(symlink(target, path), 0);
}

static void
start(void)
{
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(root, sizeof root, "%s/linli-package-XXXXXX",
        tmp == NULL ? "/tmp" : tmp);
    T_OK(mkdtemp(root) != NULL);
}

static void
finish(void)
{
    char command[300];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", root);
    T_INT(system(command), 0);
}

static linli_status
open_package(struct ll_mem *mem, struct ll_package **p, struct ll_err *err)
{
    ll_mem_init(mem, 0);
    memset(err, 0, sizeof *err);
    return ll_package_open(mem, root, p, err);
}

/* -- what goes in -- */

/* The paths of the image, joined by ' ', and the bytes under `path`. */
static void
list_image(int fd, char *out, size_t size, const char *path, char *bytes)
{
    static char image[65536];
    ssize_t n = pread(fd, image, sizeof image, 0);
    struct ll_rd rd = ll_rd((linli_str){image, n < 0 ? 0 : (size_t)n});
    uint32_t count = ll_rd_map(&rd);
    out[0] = bytes[0] = '\0';
    while (count-- > 0 && !rd.bad) {
        linli_str name = ll_rd_bytes(&rd), value = ll_rd_bytes(&rd);
        (void)snprintf(
            out + strlen(out), size - strlen(out), "%.*s ", LL_FMT(name));
        if (ll_str_is(name, path))
            (void)snprintf(bytes, 64, "%.*s", LL_FMT(value));
    }
    T_OK(ll_rd_end(&rd));
}

T_CASE(takes_what_belongs_in_order)
{
    struct ll_mem mem;
    struct ll_package *p;
    struct ll_err err;
    char names[1024], bytes[64];
    start();
    put_text("plugin.json", MANIFEST "}");
    put_text("main.lua", "return 1");
    put_text("z.txt", "");
    put_text("b.lua", "b");
    folder("b");
    put_text("b/c.lua", "bc");
    folder("b/.git");
    put_text("b/.git/x.lua", "hidden");
    put_text(".hidden.lua", "hidden");
    put_text("notes.md", "left out");
    put_text("lua", "no extension");
    link_to("/etc/passwd", "etc.txt");
    link_to("/etc", "etc");
    link_to("main.lua", "twin.lua");
    T_INT(open_package(&mem, &p, &err), LINLI_OK);
    if (p != NULL) {
        list_image(p->image_fd, names, sizeof names, "b/c.lua", bytes);
        T_STR(ll_cstr(names), "b.lua b/c.lua main.lua plugin.json z.txt ");
        T_STR(ll_cstr(bytes), "bc");
        T_STR(p->manifest->id, "probe");
        T_STR(ll_cstr(p->dir), root);
        T_INT(strlen(p->hash), 2 * LL_SHA256_BYTES);
    }
    ll_package_unref(&p);
    T_INT(mem.used_bytes, 0);
    finish();
}

T_CASE(hashes_names_and_contents)
{
    static const struct {
        const char *name, *text;
    } steps[] = {{"a.lua", "x"}, {"b.lua", "x"}, {"a.lua", "y"}};
    char before[LL_COUNT(steps) + 1][2 * LL_SHA256_BYTES + 1] = {{0}};
    struct ll_mem mem;
    struct ll_package *p;
    struct ll_err err;
    start();
    put_text("plugin.json", MANIFEST "}");
    put_text("main.lua", "return 1");
    for (size_t i = 0; i <= LL_COUNT(steps); i++) {
        T_INT(open_package(&mem, &p, &err), LINLI_OK);
        if (p == NULL)
            break;
        memcpy(before[i], p->hash, sizeof p->hash);
        for (size_t k = 0; k < i; k++)
            T_OK(strcmp(before[k], before[i]) != 0);
        ll_package_unref(&p);
        if (i < LL_COUNT(steps))
            put_text(steps[i].name, steps[i].text);
    }
    /* The same files again, made in another order: the same hash. */
    char first[sizeof root];
    memcpy(first, root, sizeof first);
    start();
    put_text("b.lua", "x");
    put_text("main.lua", "return 1");
    put_text("a.lua", "y");
    put_text("plugin.json", MANIFEST "}");
    T_INT(open_package(&mem, &p, &err), LINLI_OK);
    if (p != NULL)
        T_STR(ll_cstr(p->hash), before[LL_COUNT(steps)]);
    ll_package_unref(&p);
    finish();
    memcpy(root, first, sizeof first);
    finish();
}

T_CASE(seals_the_image)
{
    struct ll_mem mem;
    struct ll_package *p;
    struct ll_err err;
    start();
    put_text("plugin.json", MANIFEST "}");
    put_text("main.lua", "return 1");
    T_INT(open_package(&mem, &p, &err), LINLI_OK);
    if (p != NULL) {
        struct stat st;
        T_INT(fstat(p->image_fd, &st), 0);
        T_INT(write(p->image_fd, "x", 1), -1);
        T_INT(ftruncate(p->image_fd, 0), -1);
        T_INT(ftruncate(p->image_fd, st.st_size + 1), -1);
        T_OK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, p->image_fd, 0) ==
             MAP_FAILED);
        T_INT(fcntl(p->image_fd, F_GET_SEALS) &
                  (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL),
            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
        T_OK((fcntl(p->image_fd, F_GETFD) & FD_CLOEXEC) != 0);
        struct ll_package *second = ll_package_ref(p);
        int fd = p->image_fd;
        ll_package_unref(&p);
        T_OK(fcntl(fd, F_GETFD) >= 0);
        ll_package_unref(&second);
        T_INT(fcntl(fd, F_GETFD), -1);
    }
    T_INT(mem.used_bytes, 0);
    finish();
}

/* -- what is refused -- */

static void
refused(const char *code, const char *where, const char *says)
{
    struct ll_mem mem;
    struct ll_package *p;
    struct ll_err err;
    T_OK(open_package(&mem, &p, &err) < 0);
    T_OK(p == NULL);
    T_STR(ll_cstr(err.code), code);
    T_OK(strstr(err.where, where) != NULL);
    T_OK(strstr(err.msg, says) != NULL);
    if (strstr(err.where, where) == NULL || strstr(err.msg, says) == NULL)
        printf("# %s: %s\n", err.where, err.msg);
    T_INT(mem.used_bytes, 0);
}

T_CASE(refuses_what_is_missing)
{
    start();
    refused("package/missing-file", root, "plugin.json");
    put_text("plugin.json", MANIFEST "}");
    refused("package/missing-file", "plugin.json: /main", "\"main.lua\"");
    folder("main.lua");
    refused("package/missing-file", "plugin.json: /main", "\"main.lua\"");
    finish();
    start();
    put_text("real.lua", "return 1");
    link_to("real.lua", "main.lua");
    put_text("plugin.json", MANIFEST "}");
    refused("package/missing-file", "plugin.json: /main", "regular file");
    finish();
    start();
    put_text("main.lua", "return 1");
    put_text("plugin.json",
        MANIFEST ",\"native\":{\"library\":\"lib/x.so\",\"functions\":{\"f\":"
                 "{\"returns\":\"i32\",\"args\":[]}}}}");
    refused("package/missing-file", "/native/library", "\"lib/x.so\"");
    put_text("plugin.json", MANIFEST ",");
    refused("manifest/invalid", "plugin.json: line 1", "name in quotes");
    finish();
    refused("package/missing-file", root, "no such folder");
    start();
    put_text("file", "");
    (void)snprintf(root + strlen(root), sizeof root - strlen(root), "/file");
    refused("package/missing-file", root, "no such folder");
    root[strlen(root) - 5] = '\0';
    finish();
}

T_CASE(refuses_what_cannot_be_read)
{
    struct ll_mem mem;
    struct ll_package *p;
    struct ll_err err;
    struct rlimit was, few;
    char path[512];
    start();
    put_text("plugin.json", MANIFEST "}");
    put_text("main.lua", "return 1");
    /* No descriptor left: a failure that root meets too. */
    int next = dup(0);
    T_INT(close(next), 0);
    T_INT(getrlimit(RLIMIT_NOFILE, &was), 0);
    few = was;
    few.rlim_cur = (rlim_t)next;
    T_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
    refused("package/unreadable", root, "Too many open files");
    few.rlim_cur = (rlim_t)next + 1;
    T_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
    refused("package/unreadable", "", "Too many open files");
    T_INT(setrlimit(RLIMIT_NOFILE, &was), 0);
    /* A pipe that nobody writes to is left out, and is no trap. */
    (void)snprintf(path, sizeof path, "%s/pipe.lua", root);
    T_INT(mkfifo(path, 0600), 0);
    T_INT(open_package(&mem, &p, &err), LINLI_OK);
    ll_package_unref(&p);
    finish();
}

T_CASE(bounds_a_package)
{
    static char text[LL_PACKAGE_SOURCE_BYTES_MAX + 1];
    struct ll_mem mem;
    struct ll_package *p;
    struct ll_err err;
    char name[300];
    memset(text, ' ', sizeof text);
    start();
    put_text("plugin.json", MANIFEST "}");
    put("main.lua", text, LL_PACKAGE_SOURCE_BYTES_MAX);
    T_INT(open_package(&mem, &p, &err), LINLI_OK);
    ll_package_unref(&p);
    put("main.lua", text, sizeof text);
    refused("package/too-large", "main.lua", "more bytes than 1048576");
    put_text("main.lua", "");
    for (int i = 2; i < LL_PACKAGE_FILES_MAX; i++) {
        (void)snprintf(name, sizeof name, "f%03d.txt", i);
        put_text(name, "x");
    }
    T_INT(open_package(&mem, &p, &err), LINLI_OK);
    ll_package_unref(&p);
    put_text("f999.txt", "x");
    refused("package/too-large", "", "more files than 256");
    finish();
    start();
    name[0] = '\0';
    for (int i = 0; i <= LL_PACKAGE_DEPTH_MAX; i++) {
        (void)snprintf(name + strlen(name), sizeof name - strlen(name), "%sd",
            i == 0 ? "" : "/");
        folder(name);
    }
    refused("package/too-large", "d/d/d/d/d/d/d/d/d/", "deeper than 8");
    finish();
    start();
    for (int i = 1; i <= LL_PACKAGE_FOLDERS_MAX; i++) {
        (void)snprintf(name, sizeof name, "d%02d", i);
        folder(name);
    }
    refused("package/too-large", "d64/", "more folders than 64");
    finish();
    start();
    folder("many");
    for (int i = 0; i <= LL_PACKAGE_ENTRIES_MAX; i++) {
        (void)snprintf(name, sizeof name, "many/%d.md", i);
        put_text(name, "");
    }
    refused("package/too-large", "many/", "more files than 1024");
    finish();
    start();
    memset(name, 'n', 197);
    (void)snprintf(name + 197, sizeof name - 197, ".lua");
    put_text(name, "");
    refused("package/too-large", "", "longer than 200");
    finish();
}

T_CASE(bounds_all_the_bytes)
{
    static char text[1 << 16];
    start();
    char path[512];
    (void)snprintf(path, sizeof path, "%s/big.so", root);
    put("big.so", text, sizeof text);
    /* Sparse: it costs no disk. */
    T_INT(truncate(path, LL_PACKAGE_BYTES_MAX + 1), 0);
    refused("package/too-large", "big.so", "more bytes than 67108864");
    T_INT(truncate(path, LL_PACKAGE_BYTES_MAX - 4), 0);
    put_text("main.lua", "four+");
    put_text("plugin.json", MANIFEST "}");
    refused("package/too-large", "main.lua", "more bytes than 67108864");
    finish();
}

T_CASE(survives_every_failed_allocation)
{
    struct ll_mem mem;
    struct ll_package *p;
    struct ll_err err;
    linli_status status = LINLI_E_NOMEM;
    uint64_t n = 0;
    start();
    put_text("plugin.json", MANIFEST "}");
    put_text("main.lua", "return 1");
    while (status != LINLI_OK && n < 10000) {
        ll_mem_init(&mem, 0);
        mem.fail_in = ++n;
        status = ll_package_open(&mem, root, &p, &err);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        ll_package_unref(&p);
        T_INT(mem.used_bytes, 0);
    }
    T_OK(n > 20 && n < 10000);
    finish();
}

/* -- files on their own -- */

static linli_status
read_back(struct ll_buf *buf, const char *name, size_t max, struct ll_err *err)
{
    char path[512];
    ll_buf_clear(buf);
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    return ll_file_read(LL_AT_CWD, path, max, buf, err);
}

T_CASE(writes_all_or_nothing)
{
    struct ll_mem mem;
    struct ll_buf buf;
    struct ll_err err;
    struct stat st;
    char path[512];
    start();
    ll_mem_init(&mem, 0);
    ll_buf_init(&buf, &mem, 1 << 20);
    (void)snprintf(path, sizeof path, "%s/file", root);
    put_text("file.new", "left by a crash");
    T_INT(ll_file_write(LL_AT_CWD, path, LINLI_STR("one"), 0640, &err), 0);
    T_INT(read_back(&buf, "file", 3, &err), LINLI_OK);
    T_STR(ll_buf_view(&buf), "one");
    T_INT(stat(path, &st), 0);
    T_INT(st.st_mode & 07777, 0640);
    T_INT(read_back(&buf, "file", 2, &err), LINLI_E_LIMIT);
    T_INT(read_back(&buf, "file.new", 9, &err), LINLI_E_NOT_FOUND);
    T_INT(ll_file_write(LL_AT_CWD, path, LINLI_STR(""), 0600, &err), 0);
    T_INT(read_back(&buf, "file", 0, &err), LINLI_OK);
    T_INT(buf.len, 0);
    folder("taken");
    (void)snprintf(path, sizeof path, "%s/taken", root);
    T_INT(
        ll_file_write(LL_AT_CWD, path, LINLI_STR("x"), 0600, &err), LINLI_E_IO);
    T_INT(read_back(&buf, "taken.new", 9, &err), LINLI_E_NOT_FOUND);
    T_INT(read_back(&buf, "taken", 9, &err), LINLI_E_INVALID);
    link_to("file", "link");
    T_INT(read_back(&buf, "link", 9, &err), LINLI_E_INVALID);
    (void)snprintf(path, sizeof path, "%s/pipe", root);
    T_INT(mkfifo(path, 0600), 0);
    T_INT(read_back(&buf, "pipe", 9, &err), LINLI_E_INVALID);
    (void)snprintf(path, sizeof path, "%s/no/file", root);
    T_INT(ll_file_write(LL_AT_CWD, path, LINLI_STR("x"), 0600, &err),
        LINLI_E_NOT_FOUND);
    ll_buf_fini(&buf);
    T_INT(mem.used_bytes, 0);
    finish();
}

T_CASE(makes_and_lists_folders)
{
    struct ll_mem mem;
    struct ll_arena arena;
    struct ll_file_list list;
    struct ll_err err;
    char path[512];
    int fd = -1;
    start();
    ll_mem_init(&mem, 0);
    ll_arena_init(&arena, &mem, 1 << 20);
    static const char *const folders[] = {"a", "a/b", "a/b/c"};
    for (size_t i = 0; i < LL_COUNT(folders); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", root, folders[i]);
        T_INT(mkdir(path, 0700), 0);
    }
    put_text("a/b/z", "");
    put_text("a/b/a", "");
    link_to("a", "a/b/l");
    (void)snprintf(path, sizeof path, "%s/a/b", root);
    T_INT(ll_folder_open(LL_AT_CWD, path, false, &fd, &err), LINLI_OK);
    T_INT(ll_folder_list(fd, 3, &arena, &list, &err), LINLI_E_LIMIT);
    T_INT(ll_folder_list(fd, 4, &arena, &list, &err), LINLI_OK);
    T_INT(list.count, 4);
    if (list.count == 4) {
        T_STR(list.entries[0].name, "a");
        T_INT(list.entries[0].kind, LL_FILE_REGULAR);
        T_STR(list.entries[1].name, "c");
        T_INT(list.entries[1].kind, LL_FILE_FOLDER);
        T_STR(list.entries[2].name, "l");
        T_INT(list.entries[2].kind, LL_FILE_OTHER);
        T_STR(list.entries[3].name, "z");
    }
    ll_file_close(&fd);
    T_INT(fd, -1);
    (void)snprintf(path, sizeof path, "%s/a/b/z", root);
    T_INT(ll_folder_open(LL_AT_CWD, path, true, &fd, &err), LINLI_E_INVALID);
    (void)snprintf(path, sizeof path, "%s/a/b/l", root);
    T_INT(ll_folder_open(LL_AT_CWD, path, false, &fd, &err), LINLI_E_INVALID);
    ll_arena_fini(&arena);
    T_INT(mem.used_bytes, 0);
    finish();
}

T_MAIN(T_RUN(takes_what_belongs_in_order) T_RUN(hashes_names_and_contents)
        T_RUN(seals_the_image) T_RUN(refuses_what_is_missing)
            T_RUN(refuses_what_cannot_be_read) T_RUN(bounds_a_package) T_RUN(
                bounds_all_the_bytes) T_RUN(survives_every_failed_allocation)
                T_RUN(writes_all_or_nothing) T_RUN(makes_and_lists_folders))
