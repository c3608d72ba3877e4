/* tests/unit/test_file.c: the steps of world/file.h that others' files take:
 * made, looked at, named, copied, and nothing replaced. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "t.h"
#include "world/file.h"

struct folder {
    char path[64];
    int fd;
};

static void
folder_init(struct folder *f)
{
    snprintf(f->path, sizeof f->path, "/tmp/test_file_XXXXXX");
    T_OK(mkdtemp(f->path) != NULL);
    f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    T_OK(f->fd >= 0);
}

static void
folder_fini(struct folder *f, const char *const *names)
{
    for (; *names != NULL; names++)
        ll_file_remove(f->fd, *names);
    close(f->fd);
    T_INT(rmdir(f->path), 0); /* nothing else was left */
}

T_CASE(a_file_is_made_once)
{
    struct folder f;
    struct ll_err err;
    struct stat st;
    mode_t mask = umask(077);
    folder_init(&f);
    T_INT(ll_file_make(f.fd, "a", 0640, &err), LINLI_OK);
    T_INT(fstatat(f.fd, "a", &st, 0), 0);
    T_INT(st.st_mode & 07777, 0640);
    T_INT(st.st_size, 0);
    T_INT(ll_file_make(f.fd, "a", 0600, &err), LINLI_E_CONFLICT);
    T_STR(ll_cstr(err.where), "a");
    T_INT(symlinkat("nowhere", f.fd, "link"), 0);
    T_INT(ll_file_make(f.fd, "link", 0600, &err), LINLI_E_CONFLICT);
    T_INT(ll_file_make(f.fd, "no/a", 0600, &err), LINLI_E_NOT_FOUND);
    T_OK(ll_file_there(f.fd, "a"));
    T_OK(ll_file_there(f.fd, "link")); /* itself, wherever it leads */
    T_OK(!ll_file_there(f.fd, "b"));
    umask(mask);
    folder_fini(&f, (const char *const[]){"a", "link", NULL});
}

T_CASE(a_head_is_what_there_is)
{
    struct folder f;
    struct ll_err err;
    unsigned char head[LL_FILE_HEAD_BYTES];
    int64_t size = -1;
    char bytes[300];
    folder_init(&f);
    memset(bytes, 'x', sizeof bytes);
    T_INT(
        ll_file_write(f.fd, "a", (linli_str){bytes, sizeof bytes}, 0600, &err),
        LINLI_OK);
    T_INT(ll_file_head(f.fd, "a", head, &size, &err), LINLI_OK);
    T_INT(size, 300);
    T_OK(memcmp(head, bytes, sizeof head) == 0);
    T_INT(ll_file_write(f.fd, "a", LINLI_STR("ab"), 0600, &err), LINLI_OK);
    T_INT(ll_file_head(f.fd, "a", head, &size, &err), LINLI_OK);
    T_INT(size, 2);
    T_OK(head[0] == 'a' && head[1] == 'b' && head[2] == 0);
    T_INT(ll_file_head(f.fd, "b", head, &size, &err), LINLI_E_NOT_FOUND);
    T_INT(size, 0);
    T_INT(ll_file_head(f.fd, ".", head, &size, &err), LINLI_E_INVALID);
    T_INT(symlinkat("a", f.fd, "link"), 0);
    T_INT(ll_file_head(f.fd, "link", head, &size, &err), LINLI_E_INVALID);
    T_INT(mkfifoat(f.fd, "pipe", 0600), 0);
    T_INT(ll_file_head(f.fd, "pipe", head, &size, &err), LINLI_E_INVALID);
    folder_fini(&f, (const char *const[]){"a", "link", "pipe", NULL});
}

T_CASE(a_name_that_is_taken_stays)
{
    struct folder f;
    struct ll_err err;
    int64_t size;
    unsigned char head[LL_FILE_HEAD_BYTES];
    folder_init(&f);
    T_INT(ll_file_write(f.fd, "a", LINLI_STR("aa"), 0600, &err), LINLI_OK);
    T_INT(ll_file_write(f.fd, "b", LINLI_STR("b"), 0600, &err), LINLI_OK);
    T_INT(ll_file_rename(f.fd, "a", "b", &err), LINLI_E_CONFLICT);
    T_INT(ll_file_head(f.fd, "b", head, &size, &err), LINLI_OK);
    T_INT(size, 1);
    T_INT(ll_file_rename(f.fd, "a", "c", &err), LINLI_OK);
    T_OK(!ll_file_there(f.fd, "a"));
    T_INT(ll_file_head(f.fd, "c", head, &size, &err), LINLI_OK);
    T_INT(size, 2);
    T_INT(ll_file_rename(f.fd, "a", "d", &err), LINLI_E_NOT_FOUND);
    T_INT(ll_file_sync(f.fd, "c", &err), LINLI_OK);
    T_INT(ll_file_sync(f.fd, "d", &err), LINLI_E_NOT_FOUND);
    folder_fini(&f, (const char *const[]){"b", "c", NULL});
}

T_CASE(a_copy_is_the_same_bytes)
{
    struct folder f;
    struct ll_err err;
    struct ll_mem mem;
    struct ll_buf bytes, copy;
    char path[128];
    folder_init(&f);
    ll_mem_init(&mem, 0);
    ll_buf_init(&bytes, &mem, 1u << 20);
    ll_buf_init(&copy, &mem, 1u << 20);
    for (int i = 0; i < 40000; i++)
        ll_buf_printf(&bytes, "%d ", i);
    T_INT(ll_file_write(f.fd, "a", ll_buf_view(&bytes), 0644, &err), LINLI_OK);
    snprintf(path, sizeof path, "%s/a", f.path);
    T_INT(ll_file_copy(path, f.fd, "b", 0600, &err), LINLI_OK);
    T_INT(ll_file_read(f.fd, "b", 1u << 20, &copy, &err), LINLI_OK);
    T_OK(ll_str_eq(ll_buf_view(&bytes), ll_buf_view(&copy)));
    /* Never over another one; from where a link leads; from files only. */
    T_INT(ll_file_copy(path, f.fd, "b", 0600, &err), LINLI_E_CONFLICT);
    T_INT(symlinkat("a", f.fd, "link"), 0);
    snprintf(path, sizeof path, "%s/link", f.path);
    T_INT(ll_file_copy(path, f.fd, "c", 0600, &err), LINLI_OK);
    T_INT(ll_file_copy(f.path, f.fd, "d", 0600, &err), LINLI_E_INVALID);
    snprintf(path, sizeof path, "%s/nothing", f.path);
    T_INT(ll_file_copy(path, f.fd, "d", 0600, &err), LINLI_E_NOT_FOUND);
    T_OK(!ll_file_there(f.fd, "d"));
    ll_buf_fini(&bytes);
    ll_buf_fini(&copy);
    folder_fini(&f, (const char *const[]){"a", "b", "c", "link", NULL});
}

/* As ll_file_write does, without waiting for the disk. */
T_CASE(what_is_put_is_whole)
{
    struct folder f;
    struct ll_err err;
    struct ll_mem mem;
    struct ll_buf bytes;
    struct stat st;
    folder_init(&f);
    ll_mem_init(&mem, 0);
    ll_buf_init(&bytes, &mem, 65536);
    T_INT(ll_file_put(f.fd, "a", LINLI_STR("one"), 0600, &err), LINLI_OK);
    T_INT(ll_file_put(f.fd, "a", LINLI_STR("two"), 0640, &err), LINLI_OK);
    T_INT(ll_file_read(f.fd, "a", 64, &bytes, &err), LINLI_OK);
    T_STR(ll_buf_view(&bytes), "two");
    T_INT(fstatat(f.fd, "a", &st, 0), 0);
    T_INT(st.st_mode & 0777, 0640);
    T_OK(!ll_file_there(f.fd, "a.new"));
    T_INT(ll_file_put(f.fd, "none/a", LINLI_STR("x"), 0600, &err),
        LINLI_E_NOT_FOUND);
    T_INT(ll_folder_make(f.fd, "sub", &err), LINLI_OK);
    T_INT(ll_folder_make(f.fd, "sub", &err), LINLI_OK);
    T_INT(fstatat(f.fd, "sub", &st, 0), 0);
    T_OK(S_ISDIR(st.st_mode));
    T_INT(st.st_mode & 0777, 0700);
    T_INT(ll_folder_make(f.fd, "none/sub", &err), LINLI_E_NOT_FOUND);
    T_INT(unlinkat(f.fd, "sub", AT_REMOVEDIR), 0);
    ll_buf_fini(&bytes);
    folder_fini(&f, (const char *const[]){"a", NULL});
}

T_MAIN(T_RUN(what_is_put_is_whole) T_RUN(a_file_is_made_once)
        T_RUN(a_head_is_what_there_is) T_RUN(a_name_that_is_taken_stays)
            T_RUN(a_copy_is_the_same_bytes))
