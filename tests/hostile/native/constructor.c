/* tests/hostile/native/constructor.c: attacks from an ELF constructor, which
 * runs while the object is mapped and before the last filter.
 *
 * What it could do is told by POST /done: how many of its attempts went well.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "hostile.h"
#include "worker/worker.h"

static long done;

static void __attribute__((unused)) constructor_files(void)
{
    static const char *const paths[] = {"/etc/passwd", "/proc/self/mem",
        "/proc/self/environ", "/proc/1/root", "/dev/null", "/tmp",
        "/so/../etc/passwd", "/proc/self/fd/3"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        done += RAW3(SYS_openat, AT_FDCWD, paths[i], O_RDONLY) >= 0;
    done += RAW4(SYS_openat, AT_FDCWD, "/so/0.so", O_RDWR, 0) >= 0;
    done += RAW4(SYS_openat, AT_FDCWD, "/tmp/linli-hostile", O_WRONLY | O_CREAT,
                0600) >= 0;
}

static void __attribute__((unused)) constructor_sockets(void)
{
    done += RAW3(SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0;
    done += RAW3(SYS_socket, AF_INET, SOCK_STREAM, 262) >= 0;
    done += RAW3(SYS_socket, AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static void __attribute__((unused)) constructor_fork(void)
{
    done += RAW1(SYS_clone, SIGCHLD) >= 0;
    done += RAW2(SYS_prctl, 1, 0) >= 0;
    done += RAW2(SYS_kill, 0, SIGTERM) >= 0;
}

static void __attribute__((unused)) constructor_loop(void)
{
    for (;;)
        __asm__ volatile("" ::: "memory");
}

static void __attribute__((unused)) constructor_garbage(void)
{
    done += RAW3(SYS_write, LL_FD_CONTROL, "no frame, whatever else", 23) < 0;
}

/* Says READY in the worker's name. */
static void __attribute__((unused)) constructor_ready(void)
{
    static const unsigned char frame[LL_FRAME_HEADER_BYTES] = {
        0x4c, 0x4c, LL_WIRE_VERSION, LL_FRAME_READY};
    done += RAW3(SYS_write, LL_FD_CONTROL, frame, sizeof frame) < 0;
}

static void __attribute__((unused)) constructor_exit(void)
{
    (void)RAW1(SYS_exit_group, 0);
}

__attribute__((constructor)) static void
attack(void)
{
    CONSTRUCTOR();
}

static const linli_core *host;

static linli_status
call(void *self, const linli_call *call)
{
    char text[64];
    (void)self;
    int n = snprintf(text, sizeof text, "{\"done\":%ld}", done);
    return host->reply(call->ctx, 200, (linli_str){text, (size_t)n});
}

static linli_status
create(const linli_create *create, void **self)
{
    *self = NULL;
    host = create->core;
    return LINLI_OK;
}

LINLI_EXPORT const linli_plugin *
linli_plugin_v1(void)
{
    static const linli_plugin plugin = {
        .size = sizeof(plugin),
        .level = LINLI_ABI_LEVEL,
        .draft = LINLI_ABI_DRAFT,
        .id = LINLI_STR_INIT("constructor"),
        .version = LINLI_STR_INIT("1.0.0"),
        .create = create,
        .call = call,
    };
    return &plugin;
}
