/* tests/plugins/slow_sync.c: to be preloaded: a disk that takes its time, so
 * that much is on its way to it when linlid is killed. */
#include <dlfcn.h>
#include <unistd.h>

#define SYNC_US 8000

int
fsync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    usleep(SYNC_US);
    return real(fd);
}

int
fdatasync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    usleep(SYNC_US);
    return real(fd);
}
