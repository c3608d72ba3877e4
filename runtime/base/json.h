/* base/json.h: strict JSON, read into a flat tape and written in order. [any]
 *
 * One reader for every JSON byte that enters Linli, in the host and in the
 * worker, so that no two parsers can disagree about a document. RFC 8259
 * with the choices of spec/http.md made: UTF-8 only, no byte order mark, no
 * duplicate members, depth bounded, integers exact in 64 bits (a larger
 * integer is refused, never rounded), no number beyond a double's range.
 *
 * A document is an array of 16-byte nodes in the order of the text. A
 * container's `next` is the index after its last descendant; an object's
 * children alternate key, value. Strings point into the text, or into the
 * tape's own bytes when they held escapes, so the text must outlive it.
 */
#ifndef LL_BASE_JSON_H
#define LL_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"

enum ll_json_type {
    LL_JSON_NULL,
    LL_JSON_FALSE,
    LL_JSON_TRUE,
    LL_JSON_INT,
    LL_JSON_DOUBLE,
    LL_JSON_STRING,
    LL_JSON_ARRAY,
    LL_JSON_OBJECT,
};

struct ll_json_node {
    uint32_t type : 4;
    uint32_t unescaped : 1; /* the string is in the tape's own bytes */
    uint32_t size : 27;     /* string: bytes; array, object: children */
    uint32_t next;          /* index one past this value's subtree */
    union {
        int64_t i;
        double d;
        uint64_t at; /* string: offset into its bytes */
    } u;
};

struct ll_json {
    struct ll_json_node *nodes;
    uint32_t count;
    uint32_t cap;
    linli_str text;    /* borrowed */
    struct ll_buf own; /* strings whose escapes were resolved */
    struct ll_mem *mem;
};

#define LL_JSON_DEPTH_MAX 64
#define LL_JSON_TEXT_BYTES_MAX ((size_t)64 << 20)

/* Makes an empty tape that can be parsed into many times. */
void ll_json_init(struct ll_json *json, struct ll_mem *mem);
void ll_json_fini(struct ll_json *json);

/* Reads one value and nothing after it but white space. depth_max is
 * 1..LL_JSON_DEPTH_MAX. On failure the code is "request/json" and the
 * message names line, column and what was wrong. `text` is borrowed until
 * the next parse or fini. */
linli_status ll_json_parse(struct ll_json *json, linli_str text,
    unsigned depth_max, struct ll_err *err) LL_USE_RESULT;

/* A value inside a tape; cheap to copy, valid as long as the tape. A value
 * that is not there has json NULL, and every getter accepts it. */
struct ll_jv {
    const struct ll_json *json;
    uint32_t at;
};

static inline struct ll_jv
ll_json_root(const struct ll_json *json)
{
    return (struct ll_jv){json, 0};
}

static inline bool
ll_jv_there(struct ll_jv v)
{
    return v.json != NULL;
}

static inline const struct ll_json_node *
ll_jv_node(struct ll_jv v)
{
    return &v.json->nodes[v.at];
}

static inline bool
ll_jv_is(struct ll_jv v, enum ll_json_type type)
{
    return v.json != NULL && ll_jv_node(v)->type == type;
}

/* The string's bytes, borrowed; empty if it is not a string. */
linli_str ll_jv_str(struct ll_jv v);

/* False, and *out kept, if it is not an integer. A double never counts. */
bool ll_jv_int(struct ll_jv v, int64_t *out);

/* An integer or double as a double; 0 if it is neither. */
double ll_jv_number(struct ll_jv v);
static inline bool
ll_jv_true(struct ll_jv v)
{
    return ll_jv_is(v, LL_JSON_TRUE);
}

/* Members of an object, items of an array; 0 for anything else. */
static inline uint32_t
ll_jv_count(struct ll_jv v)
{
    return ll_jv_is(v, LL_JSON_ARRAY) || ll_jv_is(v, LL_JSON_OBJECT)
               ? ll_jv_node(v)->size
               : 0;
}

/* A member by exact name; not there if absent or v is no object. */
struct ll_jv ll_jv_get(struct ll_jv v, const char *name);
struct ll_jv ll_jv_get_str(struct ll_jv v, linli_str name);

/* Walks children:
 *   LL_JSON_EACH(item, array) { ... }
 *   LL_JSON_MEMBERS(key, value, object) { ... }
 */
struct ll_jv ll_jv_first(struct ll_jv v);
static inline struct ll_jv
ll_jv_after(struct ll_jv v)
{
    return (struct ll_jv){v.json, ll_jv_node(v)->next};
}
static inline bool
ll_jv_within(struct ll_jv child, struct ll_jv parent)
{
    return child.json != NULL && child.at < ll_jv_node(parent)->next;
}
#define LL_JSON_EACH(item, array)                                           \
    for (struct ll_jv item = ll_jv_first(array); ll_jv_within(item, array); \
         item = ll_jv_after(item))
#define LL_JSON_MEMBERS(key, value, object)                              \
    for (struct ll_jv                                                    \
             key = ll_jv_first(object),                                  \
             value = ll_jv_within(key, object) ? ll_jv_after(key) : key; \
         ll_jv_within(key, object); key = ll_jv_after(value),            \
             value = ll_jv_within(key, object) ? ll_jv_after(key) : key)

/* Equality as JSON Schema means it (draft 2020-12, core section 4.2.2):
 * numbers by value, objects without order. */
bool ll_jv_equal(struct ll_jv a, struct ll_jv b);

/* The same, counting *work down by one for each value and name it looks at;
 * false with *work 0 when that was not enough. */
bool ll_jv_equal_within(struct ll_jv a, struct ll_jv b, uint64_t *work);

/* The JSON pointer (RFC 6901) of `v` below `root`, NUL-terminated, cut with
 * "..." where `size` (at least 8) is too small. A member's name has the
 * pointer of its value. `v` must be root or stand within it. */
void ll_jv_pointer(struct ll_jv root, struct ll_jv v, char *out, size_t size);

/* Writer: commas and quoting by itself, order as given. */
struct ll_jw {
    struct ll_buf *buf;
    bool comma; /* the next value at this level needs one before it */
};

static inline struct ll_jw
ll_jw(struct ll_buf *buf)
{
    return (struct ll_jw){buf, false};
}

void ll_jw_open(struct ll_jw *w, char bracket);  /* '{' or '[' */
void ll_jw_close(struct ll_jw *w, char bracket); /* '}' or ']' */
void ll_jw_key(struct ll_jw *w, const char *name);
void ll_jw_key_str(struct ll_jw *w, linli_str name);
void ll_jw_str(struct ll_jw *w, linli_str s); /* bad UTF-8 becomes U+FFFD */
void ll_jw_cstr(struct ll_jw *w, const char *s);
void ll_jw_int(struct ll_jw *w, int64_t i);
/* Shortest text that reads back the same; d must be finite. */
void ll_jw_double(struct ll_jw *w, double d);
void ll_jw_bool(struct ll_jw *w, bool b);
void ll_jw_null(struct ll_jw *w);
/* A value of a tape, members in its order, no space. */
void ll_jw_value(struct ll_jw *w, struct ll_jv v);
/* Bytes that are JSON already. */
void ll_jw_raw(struct ll_jw *w, linli_str json);

/* Text of a double: shortest that reads back; returns its length, < 32. */
size_t ll_double_text(double d, char out[32]);
/* How many bytes from the start stand in JSON text as they are: ASCII but
 * controls, quote and backslash; counted in whole eights, at or before the
 * first that does not. */
size_t ll_json_plain_run(const char *p, size_t n);
/* The text between quotes, escaped; shared with the Lua encoder. */
void ll_json_escape(struct ll_buf *buf, linli_str s);

#endif
