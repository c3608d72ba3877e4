/* cmd/linli_cli.c: files and texts for the verbs of `linli`. */
#include "cmd/linli_cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 8192

char *
ll_cli_text(struct ll_cli *cli, const char *fmt, ...)
{
    char text[TEXT_BYTES_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        return NULL;
    char *copy = ll_arena_alloc(&cli->arena, (size_t)n + 1);
    if (copy != NULL)
        memcpy(copy, text, (size_t)n + 1);
    return copy;
}

void
ll_cli_both(FILE *out, const struct ll_cli *cli, const char *en, const char *zh)
{
    if (cli->lang == LL_LANG_EN)
        (void)fprintf(out, "%s\n", en);
    else if (cli->lang == LL_LANG_ZH)
        (void)fprintf(out, "%s\n", zh);
    else
        (void)fprintf(out, "%s · %s\n", en, zh);
}

static linli_status
file_failed(struct ll_err *err, const char *path, const char *why)
{
    linli_status status = ll_fail(err, LINLI_E_IO, "cli/file", "%s", why);
    ll_err_where(err, "%s", strcmp(path, "-") == 0 ? "stdin" : path);
    return status;
}

static linli_status
read_fd(int fd, const char *path, struct ll_buf *buf, struct ll_err *err)
{
    for (;;) {
        if (!ll_buf_room(buf, 1))
            return file_failed(err, path, "it is too large");
        ssize_t n = read(fd, buf->ptr + buf->len, buf->cap - buf->len);
        if (n == 0)
            return LINLI_OK;
        if (n > 0)
            buf->len += (size_t)n;
        else if (errno != EINTR)
            return file_failed(err, path, strerror(errno));
    }
}

linli_status
ll_cli_read(struct ll_cli *cli, const char *path, size_t bytes_max,
    linli_str *out, struct ll_err *err)
{
    struct ll_buf buf;
    linli_status status;
    bool from_stdin = strcmp(path, "-") == 0;
    *out = (linli_str){NULL, 0};
    int fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, path, strerror(errno));
    ll_buf_init(&buf, &cli->mem, bytes_max + 1);
    status = read_fd(fd, path, &buf, err);
    if (status == LINLI_OK && buf.len > bytes_max)
        status = file_failed(err, path, "it is too large");
    if (status == LINLI_OK) {
        *out = ll_arena_str(&cli->arena, ll_buf_view(&buf));
        if (out->ptr == NULL)
            status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
                "no memory for %zu bytes", buf.len);
    }
    ll_buf_fini(&buf);
    if (!from_stdin)
        (void)close(fd);
    return status;
}

linli_status
ll_cli_read_end(
    struct ll_cli *cli, const char *path, size_t bytes, linli_str *out)
{
    struct ll_buf buf;
    struct stat info;
    linli_status status = LINLI_E_IO;
    *out = (linli_str){NULL, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return LINLI_E_IO;
    ll_buf_init(&buf, &cli->mem, 2 * bytes); /* it may grow meanwhile */
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
        (info.st_size <= (off_t)bytes ||
            lseek(fd, -(off_t)bytes, SEEK_END) >= 0))
        status = read_fd(fd, path, &buf, NULL);
    if (status == LINLI_OK)
        *out = ll_arena_str(&cli->arena, ll_buf_view(&buf));
    ll_buf_fini(&buf);
    (void)close(fd);
    return out->ptr == NULL ? LINLI_E_IO : status;
}

bool
ll_cli_worker(char path[LL_CLI_PATH_BYTES_MAX])
{
    static const char *const places[] = {
        "linli-worker", "../libexec/linli/linli-worker"};
    char self[LL_CLI_PATH_BYTES_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return false;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    for (size_t i = 0; i < LL_COUNT(places); i++) {
        int len =
            snprintf(path, LL_CLI_PATH_BYTES_MAX, "%s/%s", self, places[i]);
        if (len < LL_CLI_PATH_BYTES_MAX && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

void
ll_cli_print(linli_str text)
{
    struct ll_mem mem;
    struct ll_buf safe;
    ll_mem_init(&mem, 0);
    ll_buf_init(&safe, &mem, LL_CLI_PRINT_BYTES_MAX);
    ll_put_safe(&safe, text);
    if (safe.len > 0)
        (void)fwrite(safe.ptr, 1, safe.len, stdout);
    ll_buf_fini(&safe);
}

linli_status
ll_cli_print_json(struct ll_buf *take_json, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    if (take_json->failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "more than %zu bytes to print", take_json->max_bytes);
    else
        (void)printf("%.*s\n", (int)take_json->len, take_json->ptr);
    ll_buf_fini(take_json);
    return status;
}
