/* tests/unit/test_lua_order.c: the order of tables, sort, random numbers:
 * what makes a call replay to the same bytes. */
#include "lua_fake.h"

#define KEYS                                          \
    "local function keys(t) local r = linli.array() " \
    "for k in pairs(t) do r[#r + 1] = k end return r end "

static const struct fake_case walks[] = {
    {KEYS "return 200, keys{}", "[]"},
    {KEYS "return 200, keys{1, 2, 3}", "[1,2,3]"},
    {KEYS "return 200, keys{b = 1, a = 1, [3] = 1, [-1] = 1, B = 1, aa = 1}",
        "[-1,3,\"B\",\"a\",\"aa\",\"b\"]"},
    {KEYS "return 200, keys{[false] = 1, [true] = 1, x = 1, [1.5] = 1, "
          "[2] = 1, [1] = 1}",
        "[1,1.5,2,\"x\",false,true]"},
    {KEYS "local k = keys{[2^63] = 1, [-2^63 * 2] = 1, "
          "[math.maxinteger] = 1, [math.mininteger] = 1} "
          "return 200, {k[1] < k[2], k[3] == math.maxinteger, k[4] > k[3]}",
        "[true,true,true]"},
    {KEYS "local t = {} for i = 60, 1, -1 do t['k' .. i] = i end "
          "local k = keys(t) for i = 2, #k do assert(k[i - 1] < k[i]) end "
          "return 200, #k",
        "60"},
    {KEYS "return 200, keys{[print] = 1}",
        "!plugin/error a key that is a function has no order"},
    {"local s = 0 local t = {1, 2, 3, 4} "
     "for k, v in pairs(t) do s = s + v t[k] = nil end return 200, s",
        "10"},
    {"local n, t = 0, {a = 1, b = 2, c = 3} "
     "for k in pairs(t) do n = n + 1 t.b = nil t.c = nil end return 200, n",
        "1"},
    {"local t = {a = 1} for k, v in pairs(t) do t[k] = v + 1 end "
     "return 200, t",
        "{\"a\":2}"},
    {"local m = {__pairs = function(t) return function(_, k) "
     "if not k then return 1, 'one' end end, t, nil end} "
     "local r = {} for k, v in pairs(setmetatable({}, m)) do r[k] = v end "
     "return 200, r",
        "[\"one\"]"},
    {"for k in pairs(nil) do end", "!plugin/error bad argument"},
    {"return 200, {next{}, next({b = 1, a = 2}), (next({1, 2}, 1))}",
        "!plugin/error with a gap"},
    {"local k, v = next{b = 1, a = 2} return 200, {k, v}", "[\"a\",2]"},
    {"local t, r, k = {3, x = 1, a = 1}, linli.array() "
     "repeat k = next(t, k) r[#r + 1] = k until k == nil return 200, r",
        "[1,\"a\",\"x\"]"},
    {"return 200, {next{} == nil, next({a = 1}, 'a') == nil}", "[true,true]"},
    /* frozen tables are walked like others */
    {KEYS "return 200, #keys(math) == 26", "true"},
    {"local n = 0 for k in pairs(_G) do n = n + 1 end "
     "return 200, {n, next(string), rawlen(_G), rawget(_G, 'x') == nil, "
     "rawget(math, 'pi') == math.pi}",
        "[26,\"byte\",0,true,true]"},
};

T_CASE(tables_are_walked_in_order)
{
    FAKE_CASES(walks, NULL);
}

static const struct fake_case sorts[] = {
    {"local t = {3, 1, 2} table.sort(t) return 200, t", "[1,2,3]"},
    {"local t = {'b', 'a', 'C'} table.sort(t) return 200, t",
        "[\"C\",\"a\",\"b\"]"},
    {"local t = {} table.sort(t) return 200, t", "{}"},
    {"local t = {1, 2, 3, 4, 5} table.sort(t, function(a, b) return a > b end)"
     " return 200, t",
        "[5,4,3,2,1]"},
    /* stable, beyond the size at which Lua's own asks the clock */
    {"local t = {} for i = 1, 500 do t[i] = {k = i % 7, i = i} end "
     "table.sort(t, function(a, b) return a.k < b.k end) "
     "for i = 2, 500 do local a, b = t[i - 1], t[i] "
     "assert(a.k < b.k or a.k == b.k and a.i < b.i) end return 200, 'stable'",
        "\"stable\""},
    {"local t = {} for i = 1, 1000 do t[i] = i * 7919 % 1009 end table.sort(t)"
     " for i = 2, 1000 do assert(t[i - 1] <= t[i]) end return 200, #t",
        "1000"},
    {"table.sort({1, 'x'})", "!plugin/error attempt to compare"},
    {"table.sort({1, 2, nil, 4})", "!plugin/error attempt to compare"},
    {"table.sort({1, 2}, 5)", "!plugin/error bad argument #2 to 'sort'"},
    /* an order that is none ends, too */
    {"local t = {} for i = 1, 300 do t[i] = i end "
     "table.sort(t, function() return true end) return 200, #t",
        "300"},
    {"local t = {} for i = 1, 100 do t[i] = i end local n = 0 "
     "table.sort(t, function(a, b) n = n + 1 t[n % 100 + 1] = n "
     "return a < b end) return 200, #t",
        "100"},
    {"table.sort(math)", "!plugin/error"},
    {"local t = setmetatable({}, {__len = function() return 1 << 40 end}) "
     "table.sort(t)",
        "!plugin/error too many items to sort"},
};

T_CASE(sort_is_stable_and_ends)
{
    FAKE_CASES(sorts, NULL);
}

static const struct fake_case randoms[] = {
    {"for i = 1, 1000 do local r = math.random() assert(r >= 0 and r < 1) "
     "r = math.random(6) assert(r >= 1 and r <= 6) "
     "r = math.random(-3, 3) assert(r >= -3 and r <= 3) end "
     "return 200, math.type(math.random(0))",
        "\"integer\""},
    {"return 200, {math.random(5, 5), math.random(math.mininteger, "
     "math.maxinteger) ~= math.random(math.mininteger, math.maxinteger)}",
        "[5,true]"},
    {"local seen = {} for i = 1, 200 do seen[math.random(4)] = true end "
     "return 200, seen",
        "[true,true,true,true]"},
    {"math.random(0, -1)", "!plugin/error interval is empty"},
    {"math.random(-1)", "!plugin/error interval is empty"},
    {"math.random(1, 2, 3)", "!plugin/error wrong number of arguments"},
    {"return 200, math.randomseed == nil", "true"},
};

T_CASE(random_numbers_belong_to_the_call)
{
    FAKE_CASES(randoms, NULL);
    struct fake *f = fake_handler(
        "return 200, {math.random(1000000), math.random(1000000)}");
    char first[64];
    struct ll_call_in in = fake_in(f);
    fake_begin(f, &in, NULL);
    fake_copy(first, sizeof first, ll_cstr(f->body));
    in.call = ++f->next_call;
    fake_begin(f, &in, NULL);
    T_STR(ll_cstr(f->body), first); /* the same seed */
    in.call = ++f->next_call;
    in.seed = 43;
    fake_begin(f, &in, NULL);
    T_OK(strcmp(f->body, first) != 0);
    fake_free(f);
}

T_CASE(two_states_give_the_same_bytes)
{
    /* Hash seeds and addresses differ between states. */
    static const char code[] =
        "local t, out = {}, {} "
        "for w in ('the quick brown fox jumps over the lazy dog and on "
        "and on'):gmatch('%a+') do t[w] = (t[w] or 0) + 1 end "
        "for k, v in pairs(t) do out[#out + 1] = k .. v end "
        "local r = {} for i = 1, 200 do r[i] = math.random(50) end "
        "table.sort(r, function(a, b) return a // 7 < b // 7 end) "
        "return 200, {out = out, r = r, text = tostring(t) .. tostring(print)}";
    struct fake *f = fake_handler(code), *g = fake_handler(code);
    fake_call(f, NULL);
    fake_call(g, NULL);
    T_INT(f->status, 200);
    T_OK(strlen(f->body) > 600);
    T_STR(ll_cstr(f->body), g->body);
    fake_free(f);
    fake_free(g);
}

T_MAIN(T_RUN(tables_are_walked_in_order) T_RUN(sort_is_stable_and_ends) T_RUN(
    random_numbers_belong_to_the_call) T_RUN(two_states_give_the_same_bytes))
