/* tests/unit/enter_object.c: a shared object whose constructor attacks.
 *
 * It runs while the object is mapped, under the stage-1 filter: what it could
 * open is counted, and read by test_enter.c.
 */
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>

int enter_object_opened = -1; /* -1: the constructor did not run */

__attribute__((constructor)) static void
attack(void)
{
    static const char *const paths[] = {"/etc/passwd", "/proc/self/mem",
        "/proc/self/environ", "/dev/null", "/proc/1/root", "/tmp"};
    enter_object_opened = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        enter_object_opened += open(paths[i], O_RDONLY) >= 0;
    enter_object_opened += open("/tmp/linli-enter", O_WRONLY | O_CREAT, 6) >= 0;
    enter_object_opened += open("/so/0.so", O_RDWR) >= 0;
}

int enter_object_answer(int n);

int
enter_object_answer(int n)
{
    return n * 2 + 1;
}
