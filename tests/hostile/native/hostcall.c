/* tests/hostile/native/hostcall.c: host calls as no binding makes them, from
 * the table of all: arguments of every wrong shape, as large and as deep as
 * frames are, as many as there may be, and what belongs to others.
 *
 * An attack hears what it is answered itself, in the worker's place, and
 * returns how many of its calls were done; test_hostcalls.py says how many
 * may be.
 */
#include <stdlib.h>

#include "frames.h"

#define FIRST 3 /* the probes before it are drafts */
#define NAME_BYTES 500000
#define DEEP 13 /* the frame, its arguments and a query are three more */

static const struct {
    const char *name, *args;
} calls[] = {
#define H(number, name, interface, draft, writes, args, answer) \
    [number] = {#name, args},
#include "wire/hostcall.def"
#undef H
};
#define CALLS ((int)(sizeof calls / sizeof *calls))

/* The next number that the table has. */
static int
next_call(int op)
{
    op++;
    while (op < CALLS && calls[op].name == NULL)
        op++;
    return op;
}

/* -- asking and hearing -- */

static unsigned char heard[LL_FRAME_HEADER_BYTES + LL_FRAME_BYTES_MAX];
static size_t heard_bytes;

static void
take(unsigned char *out, size_t n)
{
    struct ll_ring *own = ring();
    for (size_t at = 0; at < n;) {
        uint32_t there = atomic_load(&own->theirs->written) - own->read;
        bool some = there > 0;
        for (; there > 0 && at < n; there--, at++)
            out[at] = own->theirs->data[own->read++ % LL_RING_BYTES];
        atomic_store(&own->mine->read, own->read);
        if (some && at < n) /* there is room for the rest */
            wake();
        if (!some)
            (void)RAW0(SYS_sched_yield);
    }
}

static uint64_t
le(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

/* The status of the next answer: it is [status, value]. */
static int64_t
hear(void)
{
    take(heard, LL_FRAME_HEADER_BYTES);
    heard_bytes = le(heard + 12, 4);
    take(heard + LL_FRAME_HEADER_BYTES, heard_bytes);
    if (heard[3] != LL_FRAME_ANSWER || heard_bytes < 14)
        __builtin_trap();
    return (int64_t)le(heard + LL_FRAME_HEADER_BYTES + 6, 8);
}

static void
ask(int op)
{
    begin(LL_FRAME_HOSTCALL);
    put_list(2);
    put_int(op);
}

/* 1 if it was done. */
static long
done(void)
{
    end();
    send();
    return hear() == LINLI_OK;
}

/* -- values -- */

static void
put_map(uint32_t count)
{
    put_tag(LL_VALUE_MAP);
    put_le(count, 4);
}

static void
put_str(const char *text)
{
    put_text(text, strlen(text));
}

/* A text of one letter. */
static void
put_long(size_t n)
{
    put_tag(LL_VALUE_BYTES);
    put_le(n, 4);
    memset(frame + frame_bytes, 'a', n);
    frame_bytes += n;
}

/* {"id":"x","p":"aaa…"}, of so many bytes */
static void
put_large(size_t n)
{
    put_long(n);
    memcpy(frame + frame_bytes - n, "{\"id\":\"x\",\"p\":\"", 15);
    memcpy(frame + frame_bytes - 2, "\"}", 2);
}

enum { SHAPES = 9, MAP_EMPTY = 7 };

/* One value of each kind there is. */
static void
put_shape(int shape)
{
    switch (shape) {
    case 0:
        put_tag(LL_VALUE_NIL);
        return;
    case 1:
        put_tag(LL_VALUE_TRUE);
        return;
    case 2:
        put_int(7);
        return;
    case 3:
        put_tag(LL_VALUE_DOUBLE);
        put_le(0x7ff8000000000000u, 8); /* no number at all */
        return;
    case 4:
        PUT("a");
        return;
    case 5:
        put_list(0);
        return;
    case 6:
        put_list(1);
        put_int(7);
        return;
    case MAP_EMPTY:
        put_map(0);
        return;
    default:
        put_map(1);
        PUT("nosuch");
        put_int(7);
    }
}

/* Whether a value of this shape may stand for the letter: an option, or a
 * query, may be empty. */
static bool
fits(int op, char letter, int shape)
{
    if (letter == 'i')
        return shape == 2;
    if (letter != 'v')
        return shape == 4;
    bool options = op >= 13 && op != 23;
    bool query = op >= 8 && op <= 10;
    return (options && shape == 0) ||
           ((options || query) && (shape == 5 || shape == MAP_EMPTY));
}

static void
put_timer(int64_t at)
{
    put_map(2);
    PUT("at");
    put_int(at);
    PUT("run");
    PUT("later");
}

static void
put_query(int op)
{
    put_map(op == 10 ? 4 : 1);
    PUT("index");
    put_str(op == 10 ? "span" : "by_a");
    if (op != 10)
        return;
    PUT("eq");
    put_list(1);
    put_int(1);
    PUT("from");
    put_int(1);
    PUT("to");
    put_int(2);
}

/* A good argument: the at-th of a call, for the n-th time. */
static void
put_good(int op, int at, int n)
{
    static const char *const names[] = {
        "box", "hostile-c.told", "hostile-c.n", "door", "hostile-c.odd", "key"};
    char text[64];
    char letter = calls[op].args[at];
    int name = op <= 10 ? 0 : op == 12 ? 5 : op <= 16 ? op - 12 : 3;
    memcpy(text, "{\"id\":\"0000\",\"a\":1}", 20);
    text[7] = (char)('0' + n / 1000 % 10);
    text[8] = (char)('0' + n / 100 % 10);
    text[9] = (char)('0' + n / 10 % 10);
    text[10] = (char)('0' + n % 10);
    if (letter == 'i')
        put_int(1);
    else if (letter == 'v' && op == 11)
        put_timer(1700000000000 + n);
    else if (letter == 'v' && op <= 10)
        put_query(op);
    else if (letter == 'v')
        put_map(0);
    else if (at == 0)
        put_str(names[name]);
    else if (letter == 'j')
        put_str(text);
    else
        put_text(text + 7, 4); /* an id, a code */
}

/* -- attacks: none of these is done -- */

static long
shapes(const linli_call *call)
{
    long count = 0;
    (void)call;
    for (int op = FIRST; op < CALLS; op = next_call(op)) {
        int arity = (int)strlen(calls[op].args);
        for (int at = 0; at < arity; at++)
            for (int shape = 0; shape < SHAPES; shape++) {
                if (fits(op, calls[op].args[at], shape))
                    continue;
                ask(op);
                put_list((uint32_t)arity);
                for (int i = 0; i < arity; i++)
                    if (i == at)
                        put_shape(shape);
                    else
                        put_good(op, i, 0);
                count += done();
            }
    }
    return count;
}

/* One too few, one too many, none, and no list. */
static long
counts(const linli_call *call)
{
    long count = 0;
    (void)call;
    for (int op = FIRST; op < CALLS; op = next_call(op)) {
        int arity = (int)strlen(calls[op].args);
        for (int n = 0; n <= arity + 1; n++) {
            if (n == arity)
                continue;
            ask(op);
            put_list((uint32_t)n);
            for (int i = 0; i < n; i++)
                if (i < arity)
                    put_good(op, i, 0);
                else
                    put_shape(0);
            count += done();
        }
        for (int shape = 0; shape < SHAPES; shape++) {
            ask(op);
            put_shape(shape);
            count += shape == 6 && arity == 1 ? 0 * done() : done();
        }
    }
    for (int op = CALLS; op < 0x10000; op += 61) {
        ask(op);
        put_list(0);
        count += done();
    }
    return count;
}

/* Names that nothing has, in the place of each text. */
static long
names(const linli_call *call)
{
    long count = 0;
    (void)call;
    for (int op = FIRST; op < CALLS; op = next_call(op)) {
        int arity = (int)strlen(calls[op].args);
        for (int at = 0; at < arity; at++) {
            if (calls[op].args[at] == 'i')
                continue;
            /* An id that none can have is answered: it is not there. */
            bool answered = op == 6 ? at > 0 : at == 1 && (op == 3 || op == 7);
            ask(op);
            put_list((uint32_t)arity);
            for (int i = 0; i < arity; i++) {
                if (i != at) {
                    put_good(op, i, 0);
                } else if (calls[op].args[i] == 'v') {
                    put_map(1);
                    put_long(NAME_BYTES);
                    put_int(1);
                } else {
                    put_long(NAME_BYTES);
                }
            }
            count += answered ? 0 * done() : done();
        }
    }
    return count;
}

/* As the value of each member that a map may have. */
static long
members(const linli_call *call)
{
    static const struct {
        int op;
        const char *name;
    } rows[] = {{8, "index"}, {8, "cursor"}, {8, "eq"}, {8, "from"}, {8, "to"},
        {9, "index"}, {9, "eq"}, {10, "index"}, {10, "eq"}, {11, "run"},
        {11, "with"}, {11, "key"}, {11, "subject"}, {13, "subject"},
        {14, "event_id"}, {14, "reverses"}, {16, "subject"}, {22, "to"},
        {22, "template"}, {22, "with"}, {22, "key"}, {22, "locale"}};
    long count = 0;
    (void)call;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int op = rows[i].op, arity = (int)strlen(calls[op].args);
        ask(op);
        put_list((uint32_t)arity);
        for (int at = 0; at < arity; at++)
            if (calls[op].args[at] != 'v')
                put_good(op, at, 0);
        put_map(op == 11 ? 3 : 1);
        if (op == 11) {
            PUT("at");
            put_int(1);
            PUT("run");
            PUT("later");
        }
        put_str(rows[i].name);
        put_long(NAME_BYTES);
        count += done();
    }
    return count;
}

/* Lists in lists, as many as a frame's value may have, and more. */
static long
deep(const linli_call *call)
{
    static const char *const keys[] = {"eq", "from", "to"};
    long count = 0;
    (void)call;
    for (int op = 8; op <= 10; op++)
        for (size_t k = 0; k < 3; k++) {
            ask(op);
            put_list(2);
            PUT("box");
            put_map(2);
            PUT("index");
            PUT("by_a");
            put_str(keys[k]);
            for (int i = 0; i < DEEP; i++)
                put_list(1);
            put_int(1);
            count += done();
        }
    /* Text that is deep is another thing: the frame does not see it. */
    for (int op = FIRST; op < CALLS; op = next_call(op)) {
        int arity = (int)strlen(calls[op].args);
        /* Changes of what is not there are not looked at. */
        if (strchr(calls[op].args, 'j') == NULL || op == 6)
            continue;
        ask(op);
        put_list((uint32_t)arity);
        for (int i = 0; i < arity; i++)
            if (calls[op].args[i] == 'j') {
                put_long(NAME_BYTES);
                memset(frame + frame_bytes - NAME_BYTES, '[', NAME_BYTES);
            } else {
                put_good(op, i, 0);
            }
        count += done();
    }
    return count;
}

/* Documents, changes and data that fill a frame. */
static long
large(const linli_call *call)
{
    static const size_t sizes[] = {65537, 262145, 524288, 1048000, 1048400};
    long count = 0;
    (void)call;
    for (int op = FIRST; op < CALLS; op = next_call(op)) {
        int arity = (int)strlen(calls[op].args);
        if (strchr(calls[op].args, 'j') == NULL || op == 6)
            continue;
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            ask(op);
            put_list((uint32_t)arity);
            for (int i = 0; i < arity; i++)
                if (calls[op].args[i] == 'j')
                    put_large(sizes[s]);
                else
                    put_good(op, i, 0);
            count += done();
        }
    }
    return count;
}

/* Changes that are none, of a document that is there. */
static long
patches(const linli_call *call)
{
    static const size_t sizes[] = {2, 65537, 262145, 1048000};
    long count = 0;
    (void)call;
    ask(5);
    put_list(2);
    PUT("box");
    put_good(5, 1, 0);
    if (done() != 1)
        return -1;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int kind = 0; kind < 3; kind++) {
            size_t n = sizes[s];
            ask(6);
            put_list(3);
            PUT("box");
            PUT("0000");
            put_long(n);
            unsigned char *text = frame + frame_bytes - n;
            if (kind == 1)
                memset(text, '[', n);
            if (kind == 2 && n > 32) { /* JSON, and too large */
                memcpy(text, "{\"id\":\"0000\",\"p\":\"", 18);
                memcpy(text + n - 2, "\"}", 2);
            }
            count += done();
        }
    return count;
}

/* Before all time, and in the year 100 000 000. */
static long
times(const linli_call *call)
{
    static const int64_t at[] = {INT64_MIN, -1, 32503680000001,
        3155695200000000000, INT64_MAX - 1, INT64_MAX};
    long count = 0;
    (void)call;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        ask(11);
        put_list(1);
        put_timer(at[i]);
        count += done();
        ask(14);
        put_list(3);
        PUT("hostile-c.n");
        put_int(1);
        put_map(1);
        PUT("at");
        put_int(at[i]);
        count += done();
        ask(14);
        put_list(3);
        PUT("hostile-c.n");
        put_int(at[i]);
        put_map(0);
        count += done();
    }
    return count;
}

/* -- cursors -- */

static void
ask_page(const char *collection, const char *index, const char *cursor)
{
    ask(8);
    put_list(2);
    put_str(collection);
    put_map(3);
    PUT("limit");
    put_int(1);
    PUT("index");
    put_str(index);
    PUT("cursor");
    put_str(cursor);
}

/* The cursor at the end of what was heard, [[documents], cursor]; it has no
 * byte that could be the head of one. */
static bool
find_cursor(char out[512])
{
    const unsigned char *last = heard + LL_FRAME_HEADER_BYTES + heard_bytes;
    for (size_t n = 1; n < 500; n++)
        if (last[-(long)n - 5] == LL_VALUE_BYTES && le(last - n - 4, 4) == n) {
            memcpy(out, last - n, n);
            out[n] = '\0';
            return true;
        }
    return false;
}

/* A page's own cursor is taken, once for each page; in any other list, and
 * with any byte of it changed, it is not. */
static long
cursors(const linli_call *call)
{
    static const char *const lists[][2] = {
        {"box", ""}, {"box", "by_a"}, {"lid", ""}, {"lid", "by_a"}};
    char cursor[512];
    long count = 0;
    (void)call;
    for (int op = 0; op < 6; op++) {
        ask(5);
        put_list(2);
        put_str(op < 3 ? "box" : "lid");
        put_good(5, 1, op);
        if (done() != 1)
            return -1;
    }
    for (size_t i = 0; i < 4; i++) {
        ask_page(lists[i][0], lists[i][1], "");
        if (done() != 1 || !find_cursor(cursor))
            return -2;
        for (size_t k = 0; k < 4; k++) {
            ask_page(lists[k][0], lists[k][1], cursor);
            count += done();
        }
        for (char *c = cursor; *c != '\0'; c++) {
            *c ^= 1;
            ask_page(lists[i][0], lists[i][1], cursor);
            count += done();
            *c ^= 1;
        }
    }
    return count;
}

/* -- codes -- */

static long
try(const char *name, size_t n, const char *given)
{
    ask(15);
    put_list(3);
    put_text(name, n);
    put_text(given, 3);
    PUT("1\0"
        "2");
    if (done() != 1)
        return -100;
    /* [0, "ok"], [0, "wrong"], [0, "locked"] */
    return heard[LL_FRAME_HEADER_BYTES + 14 + 5];
}

/* Names and codes with NULs in them are names and codes: each has its own
 * count, and no more than what stands before the NUL is not enough. */
static long
codes(const linli_call *call)
{
    static const char names[] = "d\0a\0\0";
    (void)call;
    for (size_t n = 1; n < sizeof names; n++) {
        if (try(names, n,
                "1\0"
                "2") != 'o' ||
            try(names, n,
                "1\0"
                "3") != 'w' ||
            try(names, n, "1\0\0") != 'w' ||
            try(names, n,
                "2\0"
                "2") != 'w' ||
            try(names, n, "\0\0\0") != 'w' || try(names, n, "1\0\1") != 'w' ||
            try(names, n,
                "\0"
                "12") != 'l')
            return (long)n;
    }
    return 0;
}

/* -- too many -- */

/* As many as a call may make, and some more; how many were done. */
static long
many(int op)
{
    long count = 0;
    for (int n = 0; n < LL_HOST_CALLS_MAX + 5; n++) {
        int arity = (int)strlen(calls[op].args);
        ask(op);
        put_list((uint32_t)arity);
        for (int i = 0; i < arity; i++)
            put_good(op, i, n);
        count += done();
    }
    return count;
}

#define MANY(op)                                  \
    static long many_##op(const linli_call *call) \
    {                                             \
        (void)call;                               \
        return many(op);                          \
    }
MANY(3)
MANY(4)
MANY(5)
MANY(6)
MANY(7)
MANY(8)
MANY(9)
MANY(10)
MANY(11)
MANY(12)
MANY(13)
MANY(14)
MANY(15)
MANY(16)

const struct named hostcall_attacks[] = {
    {"ask-shapes", shapes},
    {"ask-counts", counts},
    {"ask-names", names},
    {"ask-members", members},
    {"ask-deep", deep},
    {"ask-large", large},
    {"ask-patches", patches},
    {"ask-times", times},
    {"ask-cursors", cursors},
    {"ask-codes", codes},
    {"many-3", many_3},
    {"many-4", many_4},
    {"many-5", many_5},
    {"many-6", many_6},
    {"many-7", many_7},
    {"many-8", many_8},
    {"many-9", many_9},
    {"many-10", many_10},
    {"many-11", many_11},
    {"many-12", many_12},
    {"many-13", many_13},
    {"many-14", many_14},
    {"many-15", many_15},
    {"many-16", many_16},
    {NULL, NULL},
};
