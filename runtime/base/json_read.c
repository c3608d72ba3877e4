/* base/json_read.c: the strict reader, one pass, no recursion. */
#include "base/json.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

/* Where a number's digits are copied for strtod; longer ones are refused. */
#define NUMBER_BYTES_MAX 320
/* Objects up to this size have their members compared pair by pair. */
#define PAIRWISE_MEMBERS_MAX 16

struct reader {
    struct ll_json *json;
    const char *p;
    const char *end;
    struct ll_err *err;
    uint32_t open[LL_JSON_DEPTH_MAX]; /* nodes of the open containers */
    unsigned depth;
    unsigned depth_max;
};

enum { PLAIN = 0, SPECIAL = 1, HIGH = 2 };

/* What a byte inside a string asks for: nothing, a look, a UTF-8 check. */
static inline int
string_class(unsigned char c)
{
    return c >= 0x80 ? HIGH : c < 0x20 || c == '"' || c == '\\';
}

size_t
ll_json_plain_run(const char *p, size_t n)
{
    size_t i = 0;
    for (uint64_t word; n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        uint64_t quote = word ^ LL_EACH_BYTE('"');
        uint64_t slash = word ^ LL_EACH_BYTE('\\');
        if (((word & LL_EACH_BYTE(0x80)) | LL_BYTES_BELOW(word, 0x20) |
                LL_BYTES_BELOW(quote, 1) | LL_BYTES_BELOW(slash, 1)) != 0)
            break;
    }
    return i;
}

static linli_status
fail_at(struct reader *r, const char *at, const char *what)
{
    int line = 1, column = 1;
    for (const char *p = r->json->text.ptr; p < at; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    linli_status status =
        ll_fail(r->err, LINLI_E_INVALID, "request/json", "%s", what);
    ll_err_where(r->err, "line %d column %d", line, column);
    return status;
}

static linli_status
fail_memory(struct reader *r)
{
    return ll_fail(r->err, LINLI_E_NOMEM, "runtime/memory",
        "no memory for a JSON document of %zu bytes", r->json->text.len);
}

static struct ll_json_node *
node_new(struct reader *r, enum ll_json_type type)
{
    struct ll_json *json = r->json;
    if (LL_UNLIKELY(json->count == json->cap)) {
        uint32_t cap = json->cap == 0 ? 64 : json->cap * 2;
        struct ll_json_node *moved = ll_realloc(json->mem, json->nodes,
            json->cap * sizeof *moved, cap * sizeof *moved);
        if (moved == NULL)
            return NULL;
        json->nodes = moved;
        json->cap = cap;
    }
    struct ll_json_node *node = &json->nodes[json->count++];
    node->type = (uint32_t)type & 15u;
    node->unescaped = 0;
    node->size = 0;
    node->next = json->count;
    node->u.i = 0;
    return node;
}

static inline void
skip_space(struct reader *r)
{
    while (r->p < r->end &&
           (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
        r->p++;
}

static bool
read_hex4(struct reader *r, uint32_t *out)
{
    uint32_t value = 0;
    if (r->end - r->p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = r->p[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return false;
        value = value << 4 | digit;
    }
    r->p += 4;
    *out = value;
    return true;
}

/* After "\u": one scalar value, from one escape or a surrogate pair. */
static linli_status
read_unicode(struct reader *r)
{
    uint32_t cp = 0, low = 0;
    const char *at = r->p - 2;
    if (!read_hex4(r, &cp))
        return fail_at(r, at, "\\u needs four hexadecimal digits");
    if (cp >= 0xd800 && cp < 0xdc00) {
        if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
            return fail_at(r, at, "a high surrogate without its low one");
        r->p += 2;
        if (!read_hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
            return fail_at(r, at, "a high surrogate without its low one");
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
    } else if (cp >= 0xdc00 && cp <= 0xdfff) {
        return fail_at(r, at, "a low surrogate without its high one");
    }
    char utf8[4];
    ll_buf_add(&r->json->own, utf8, ll_utf8_put(utf8, cp));
    return LINLI_OK;
}

static linli_status
read_escape(struct reader *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->p + 1 >= r->end)
        return fail_at(r, r->p, "the string has no end");
    char c = r->p[1];
    r->p += 2;
    if (c == 'u')
        return read_unicode(r);
    const char *hit = c == '\0' ? NULL : strchr(from, c);
    if (hit == NULL)
        return fail_at(r, r->p - 2, "an escape JSON does not know");
    ll_buf_char(&r->json->own, to[hit - from]);
    return LINLI_OK;
}

/* The rest of a string that holds escapes; `from` is its first byte. */
static linli_status
read_escaped(struct reader *r, const char *from, struct ll_json_node *node)
{
    struct ll_buf *own = &r->json->own;
    size_t start = own->len;
    linli_status status = LINLI_OK;
    ll_buf_add(own, from, (size_t)(r->p - from));
    while (status == LINLI_OK && r->p < r->end && *r->p != '"') {
        if (*r->p == '\\') {
            status = read_escape(r);
            continue;
        }
        if ((unsigned char)*r->p < 0x20)
            return fail_at(r, r->p, "a control character in a string");
        from = r->p;
        while (r->p < r->end && string_class((unsigned char)*r->p) != SPECIAL)
            r->p++;
        ll_buf_add(own, from, (size_t)(r->p - from));
    }
    if (status != LINLI_OK)
        return status;
    if (own->failed)
        return fail_memory(r);
    node->unescaped = 1;
    node->u.at = start;
    node->size = (uint32_t)(own->len - start) & 0x7ffffffu;
    return LINLI_OK;
}

static linli_status
read_string(struct reader *r)
{
    const char *from = ++r->p;
    int seen = PLAIN;
    struct ll_json_node *node = node_new(r, LL_JSON_STRING);
    if (node == NULL)
        return fail_memory(r);
    for (r->p += ll_json_plain_run(r->p, (size_t)(r->end - r->p));
         r->p < r->end; r->p++) {
        int class = string_class((unsigned char)*r->p);
        if (class == SPECIAL)
            break;
        seen |= class;
    }
    const char *text_end = r->p;
    if (r->p < r->end && *r->p == '\\') {
        linli_status status = read_escaped(r, from, node);
        if (status != LINLI_OK)
            return status;
        text_end = r->p;
        seen |= HIGH;
    } else {
        node->u.at = (uint64_t)(from - r->json->text.ptr);
        node->size = (uint32_t)(r->p - from) & 0x7ffffffu;
    }
    if (r->p == r->end)
        return fail_at(r, from - 1, "the string has no end");
    if (*r->p != '"')
        return fail_at(r, r->p, "a control character in a string");
    if (seen & HIGH &&
        !ll_utf8_valid((linli_str){from, (size_t)(text_end - from)}))
        return fail_at(r, from, "a string that is not UTF-8");
    r->p++;
    return LINLI_OK;
}

static inline bool
digit_at(const struct reader *r)
{
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

static linli_status
read_double(struct reader *r, const char *from)
{
    char digits[NUMBER_BYTES_MAX + 1];
    size_t n = (size_t)(r->p - from);
    if (n > NUMBER_BYTES_MAX)
        return fail_at(r, from, "a number with too many digits");
    memcpy(digits, from, n);
    digits[n] = '\0';
    /* glibc keeps "C" as a constant: no allocation, nothing to free. The
     * embedder's locale must not decide what a decimal point is. */
    double d = strtod_l(digits, NULL, newlocale(LC_ALL_MASK, "C", NULL));
    if (d > 1.7976931348623157e308 || d < -1.7976931348623157e308)
        return fail_at(r, from, "a number out of range");
    struct ll_json_node *node = node_new(r, LL_JSON_DOUBLE);
    if (node == NULL)
        return fail_memory(r);
    node->u.d = d;
    return LINLI_OK;
}

/* Skips ".5" and "e-3"; *is_int stays true if there was neither. */
static linli_status
skip_fraction(struct reader *r, bool *is_int)
{
    if (r->p < r->end && *r->p == '.') {
        *is_int = false;
        r->p++;
        if (!digit_at(r))
            return fail_at(r, r->p, "a number needs digits after its point");
        while (digit_at(r))
            r->p++;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        *is_int = false;
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        if (!digit_at(r))
            return fail_at(r, r->p, "a number needs digits in its exponent");
        while (digit_at(r))
            r->p++;
    }
    return LINLI_OK;
}

static linli_status
read_number(struct reader *r)
{
    const char *from = r->p;
    bool negative = *r->p == '-', is_int = true, over = false;
    int64_t value = 0;
    r->p += negative;
    if (!digit_at(r))
        return fail_at(r, from, "a number needs digits");
    bool zero = *r->p == '0';
    const char *first = r->p;
    for (; digit_at(r); r->p++)
        over |= __builtin_mul_overflow(value, 10, &value) ||
                __builtin_sub_overflow(value, *r->p - '0', &value);
    if (zero && r->p - first > 1)
        return fail_at(r, from, "a number with a leading zero");
    linli_status status = skip_fraction(r, &is_int);
    if (status != LINLI_OK)
        return status;
    if (!is_int)
        return read_double(r, from);
    if (!negative)
        over |= __builtin_sub_overflow((int64_t)0, value, &value);
    if (over)
        return fail_at(r, from, "an integer that does not fit 64 bits");
    struct ll_json_node *node = node_new(r, LL_JSON_INT);
    if (node == NULL)
        return fail_memory(r);
    node->u.i = value;
    return LINLI_OK;
}

static linli_status
read_word(struct reader *r, const char *word, enum ll_json_type type)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return fail_at(r, r->p, "a word JSON does not know");
    r->p += n;
    return node_new(r, type) == NULL ? fail_memory(r) : LINLI_OK;
}

static int
by_key(const void *a, const void *b, void *json)
{
    struct ll_jv x = {json, *(const uint32_t *)a};
    struct ll_jv y = {json, *(const uint32_t *)b};
    return ll_str_cmp(ll_jv_str(x), ll_jv_str(y));
}

/* Finds two equal names among many by sorting; *twice is their node. */
static linli_status
sort_members(struct reader *r, struct ll_jv object, struct ll_jv *twice)
{
    uint32_t n = ll_jv_count(object), i = 0;
    uint32_t *keys = ll_alloc(r->json->mem, n * sizeof *keys);
    if (keys == NULL)
        return fail_memory(r);
    LL_JSON_MEMBERS (key, value, object) {
        keys[i++] = key.at;
    }
    qsort_r(keys, n, sizeof *keys, by_key, r->json);
    for (i = 1; i < n; i++)
        if (by_key(&keys[i - 1], &keys[i], r->json) == 0)
            *twice = (struct ll_jv){r->json, keys[i]};
    ll_release(r->json->mem, keys, n * sizeof *keys);
    return LINLI_OK;
}

/* The same for the few members that most objects have. */
static void
compare_members(struct ll_jv object, struct ll_jv *twice)
{
    linli_str seen[PAIRWISE_MEMBERS_MAX];
    uint32_t n = 0;
    LL_JSON_MEMBERS (key, value, object) {
        seen[n] = ll_jv_str(key);
        for (uint32_t i = 0; i < n; i++)
            if (ll_str_eq(seen[i], seen[n]))
                *twice = key;
        n++;
    }
}

static linli_status
check_members(struct reader *r, struct ll_jv object)
{
    struct ll_jv twice = {NULL, 0};
    if (ll_jv_count(object) > PAIRWISE_MEMBERS_MAX) {
        linli_status status = sort_members(r, object, &twice);
        if (status != LINLI_OK)
            return status;
    } else {
        compare_members(object, &twice);
    }
    if (!ll_jv_there(twice))
        return LINLI_OK;
    char what[96];
    linli_str name = ll_jv_str(twice);
    if (name.len > 40)
        name.len = 40;
    (void)snprintf(
        what, sizeof what, "the member \"%.*s\" stands twice", LL_FMT(name));
    return fail_at(r, r->p, what);
}

static linli_status
open_container(struct reader *r, enum ll_json_type type)
{
    if (r->depth == r->depth_max)
        return fail_at(r, r->p, "nested too deep");
    if (node_new(r, type) == NULL)
        return fail_memory(r);
    r->open[r->depth++] = r->json->count - 1;
    r->p++;
    return LINLI_OK;
}

static linli_status
close_container(struct reader *r)
{
    uint32_t at = r->open[--r->depth];
    struct ll_json_node *node = &r->json->nodes[at];
    node->next = r->json->count;
    r->p++;
    if (node->type == LL_JSON_ARRAY || node->size < 2)
        return LINLI_OK;
    return check_members(r, (struct ll_jv){r->json, at});
}

/* One value that is no container, or the opening of one. */
static linli_status
read_value(struct reader *r)
{
    if (r->p == r->end)
        return fail_at(r, r->p, "the document ends too early");
    switch (*r->p) {
    case '{':
        return open_container(r, LL_JSON_OBJECT);
    case '[':
        return open_container(r, LL_JSON_ARRAY);
    case '"':
        return read_string(r);
    case 't':
        return read_word(r, "true", LL_JSON_TRUE);
    case 'f':
        return read_word(r, "false", LL_JSON_FALSE);
    case 'n':
        return read_word(r, "null", LL_JSON_NULL);
    default:
        if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'))
            return read_number(r);
        return fail_at(r, r->p,
            r->end - r->p >= 3 && memcmp(r->p, "\xef\xbb\xbf", 3) == 0
                ? "a byte order mark: save it as UTF-8 without one"
                : "not the start of a JSON value");
    }
}

/* A member's name and its colon. */
static linli_status
read_key(struct reader *r)
{
    if (r->p == r->end || *r->p != '"')
        return fail_at(r, r->p, "a member needs a name in quotes");
    linli_status status = read_string(r);
    if (status != LINLI_OK)
        return status;
    skip_space(r);
    if (r->p == r->end || *r->p != ':')
        return fail_at(r, r->p, "a member's name needs a colon after it");
    r->p++;
    return LINLI_OK;
}

/* Inside the innermost container: the next child, or its end. */
static linli_status
read_child(struct reader *r)
{
    struct ll_json_node *node = &r->json->nodes[r->open[r->depth - 1]];
    bool object = node->type == LL_JSON_OBJECT;
    char closing = object ? '}' : ']';
    skip_space(r);
    if (r->p < r->end && *r->p == closing)
        return close_container(r);
    if (node->size > 0) {
        if (r->p == r->end || *r->p != ',')
            return fail_at(r, r->p,
                object ? "a comma or '}' is missing here"
                       : "a comma or ']' is missing here");
        r->p++;
        skip_space(r);
    }
    if (node->size == 0x7ffffff)
        return fail_at(r, r->p, "too many values in one container");
    node->size++;
    if (object) {
        linli_status status = read_key(r);
        if (status != LINLI_OK)
            return status;
        skip_space(r);
    }
    return read_value(r);
}

linli_status
ll_json_parse(struct ll_json *json, linli_str text, unsigned depth_max,
    struct ll_err *err)
{
    struct reader r = {
        .json = json, .p = text.ptr, .err = err, .depth_max = depth_max};
    ll_check(depth_max >= 1);
    ll_check(depth_max <= LL_JSON_DEPTH_MAX);
    json->count = 0;
    json->text = text;
    ll_buf_clear(&json->own);
    if (text.len == 0)
        return ll_fail(err, LINLI_E_INVALID, "request/json", "no JSON at all");
    if (text.len > LL_JSON_TEXT_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "request/json",
            "%zu bytes of JSON, more than %zu", text.len,
            LL_JSON_TEXT_BYTES_MAX);
    r.end = text.ptr + text.len;
    skip_space(&r);
    linli_status status = read_value(&r);
    while (status == LINLI_OK && r.depth > 0)
        status = read_child(&r);
    if (status != LINLI_OK)
        return status;
    skip_space(&r);
    if (r.p != r.end)
        return fail_at(&r, r.p, "something stands after the JSON value");
    return LINLI_OK;
}

void
ll_json_init(struct ll_json *json, struct ll_mem *mem)
{
    *json = (struct ll_json){.mem = mem};
    ll_buf_init(&json->own, mem, LL_JSON_TEXT_BYTES_MAX);
}

void
ll_json_fini(struct ll_json *json)
{
    ll_release(json->mem, json->nodes, json->cap * sizeof *json->nodes);
    ll_buf_fini(&json->own);
    *json = (struct ll_json){.mem = json->mem};
}
