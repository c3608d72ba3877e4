/* cmd/linli-worker.c: the sandboxed process; started by the runtime alone. */
#include <unistd.h>

#include "worker/worker.h"

int
main(void)
{
    /* Not exit(): a hostile plugin may have left handlers behind. */
    _exit(ll_worker_main());
}
