/* tests/unit/test_lua_engine.c: loading, calls, replies, problems. */
#include "lua_fake.h"

T_CASE(a_handler_replies)
{
    struct fake *f = fake_handler("return 200, {sum = call.body.a + "
                                  "call.body.b, now = call.now}");
    fake_call(f, "{\"a\":1,\"b\":41}");
    T_INT(f->status, 200);
    T_STR(ll_cstr(f->body), "{\"now\":1772413200000,\"sum\":42}");
    T_INT(f->mine.running, 0);
    fake_free(f);
}

T_MAIN(T_RUN(a_handler_replies))
