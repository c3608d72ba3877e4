/* world/world_uv.h: what the files of this folder share about libuv. */
#ifndef LL_WORLD_WORLD_UV_H
#define LL_WORLD_WORLD_UV_H

#include <uv.h>

#include "world/world.h"

/* One loop reads one connection at a time: they share one buffer. */
#define LL_WORLD_READ_BYTES 65536

struct ll_world {
    uv_loop_t loop;
    uv_check_t check; /* starts a turn: the clocks are read here */
    struct ll_mem *mem;
    struct ll_hook *hooks;
    struct ll_mono mono;
    struct ll_wall wall;
    bool wall_is_set; /* virtual: stands still */
    uint64_t seed[4];
    char read[LL_WORLD_READ_BYTES];
};

#endif
