/* worker/lua_random.c: math.random, the call's own. [worker]
 *
 * Same interface as Lua's; the numbers come from xoshiro256** (Blackman and
 * Vigna, 2018), seeded by the host for each call, so that a call replays.
 */
#include "worker/lua_lib.h"

static inline uint64_t
rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static uint64_t
draw(uint64_t s[4])
{
    uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* splitmix64, as the authors of xoshiro ask for. */
void
ll_lua_seed(struct ll_lua_run *run, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        run->random[i] = z ^ z >> 31;
    }
}

/* In [0, most], without bias. */
static uint64_t
draw_up_to(uint64_t s[4], uint64_t most)
{
    uint64_t mask = most, drawn;
    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    do
        drawn = draw(s) & mask;
    while (drawn > most);
    return drawn;
}

static int
math_random(lua_State *L)
{
    struct ll_lua_run *run = ll_lua_run(L);
    lua_Integer low = 1, high = 0;
    if (run->in == NULL)
        return luaL_error(L, "math.random belongs to a call: there is none "
                             "while the plugin loads");
    switch (lua_gettop(L)) {
    case 0:
        lua_pushnumber(L, (lua_Number)(draw(run->random) >> 11) * 0x1p-53);
        return 1;
    case 1:
        high = luaL_checkinteger(L, 1);
        if (high == 0) {
            lua_pushinteger(L, (lua_Integer)draw(run->random));
            return 1;
        }
        break;
    case 2:
        low = luaL_checkinteger(L, 1);
        high = luaL_checkinteger(L, 2);
        break;
    default:
        return luaL_error(L, "wrong number of arguments");
    }
    luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
    uint64_t drawn = draw_up_to(run->random, (uint64_t)high - (uint64_t)low);
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + drawn));
    return 1;
}

void
ll_lua_open_random(lua_State *L)
{
    lua_pushcfunction(L, math_random);
    lua_setfield(L, -2, "random");
}
