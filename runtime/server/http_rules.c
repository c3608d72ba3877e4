/* server/http_rules.c: the rules of http_rules.h over plain bytes. */
#include "server/http_rules.h"

#include "base/text.h"

static bool
is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* Walks to the CR that ends the line, or to what may not stand in one. */
static size_t
walk_line(const unsigned char *p, size_t n)
{
    size_t i = ll_printable_run(p, n);
    while (i < n && !is_control(p[i]))
        i++;
    return i;
}

size_t
ll_http_gate_walk(struct ll_http_gate *gate, const char *bytes, size_t n,
    bool *blank, const char **why)
{
    const unsigned char *p = (const unsigned char *)bytes;
    *blank = false;
    *why = NULL;
    for (size_t i = 0; i < n; i++) {
        switch (gate->state) {
        case LL_GATE_START:
            if (p[i] == ' ' || p[i] == '\t') {
                *why = gate->lines > 0 ? "a header is folded"
                                       : "the request line starts with space";
                return i;
            }
            if (p[i] == '\r') {
                gate->state = LL_GATE_BLANK_CR;
                break;
            }
            gate->state = LL_GATE_LINE;
            /* fall through */
        case LL_GATE_LINE:
            i += walk_line(p + i, n - i);
            if (i == n)
                return n;
            if (p[i] != '\r') {
                *why = p[i] == '\n' ? "a line ends without CR"
                                    : "a control character in a line";
                return i;
            }
            gate->state = LL_GATE_CR;
            break;
        case LL_GATE_CR:
        case LL_GATE_BLANK_CR:
            if (p[i] != '\n') {
                *why = "CR without LF";
                return i;
            }
            *blank = gate->state == LL_GATE_BLANK_CR;
            gate->lines += !*blank;
            gate->state = LL_GATE_START;
            if (*blank)
                return i + 1;
            break;
        }
    }
    return n;
}

static const linli_str singletons[] = {
#define X(name, text) {text, sizeof(text) - 1},
    LL_HTTP_SINGLETONS(X)
#undef X
};

enum ll_http_singleton
ll_http_singleton(linli_str name)
{
    for (unsigned i = 0; i < LL_HTTP_SINGLETON_COUNT; i++)
        if (ll_str_eq(name, singletons[i]))
            return (enum ll_http_singleton)i;
    return LL_HTTP_SINGLETON_COUNT;
}

/* The lower-case letter, the character itself, or 0: no token character. */
static const char token[256] = {['!'] = '!',
    ['#'] = '#',
    ['$'] = '$',
    ['%'] = '%',
    ['&'] = '&',
    ['\''] = '\'',
    ['*'] = '*',
    ['+'] = '+',
    ['-'] = '-',
    ['.'] = '.',
    ['^'] = '^',
    ['_'] = '_',
    ['`'] = '`',
    ['|'] = '|',
    ['~'] = '~',
    ['0'] = '0',
    ['1'] = '1',
    ['2'] = '2',
    ['3'] = '3',
    ['4'] = '4',
    ['5'] = '5',
    ['6'] = '6',
    ['7'] = '7',
    ['8'] = '8',
    ['9'] = '9',
    ['A'] = 'a',
    ['B'] = 'b',
    ['C'] = 'c',
    ['D'] = 'd',
    ['E'] = 'e',
    ['F'] = 'f',
    ['G'] = 'g',
    ['H'] = 'h',
    ['I'] = 'i',
    ['J'] = 'j',
    ['K'] = 'k',
    ['L'] = 'l',
    ['M'] = 'm',
    ['N'] = 'n',
    ['O'] = 'o',
    ['P'] = 'p',
    ['Q'] = 'q',
    ['R'] = 'r',
    ['S'] = 's',
    ['T'] = 't',
    ['U'] = 'u',
    ['V'] = 'v',
    ['W'] = 'w',
    ['X'] = 'x',
    ['Y'] = 'y',
    ['Z'] = 'z',
    ['a'] = 'a',
    ['b'] = 'b',
    ['c'] = 'c',
    ['d'] = 'd',
    ['e'] = 'e',
    ['f'] = 'f',
    ['g'] = 'g',
    ['h'] = 'h',
    ['i'] = 'i',
    ['j'] = 'j',
    ['k'] = 'k',
    ['l'] = 'l',
    ['m'] = 'm',
    ['n'] = 'n',
    ['o'] = 'o',
    ['p'] = 'p',
    ['q'] = 'q',
    ['r'] = 'r',
    ['s'] = 's',
    ['t'] = 't',
    ['u'] = 'u',
    ['v'] = 'v',
    ['w'] = 'w',
    ['x'] = 'x',
    ['y'] = 'y',
    ['z'] = 'z'};

bool
ll_http_name_lower(char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = token[(unsigned char)name[i]];
        if (c == 0)
            return false;
        name[i] = c;
    }
    return n > 0;
}

linli_str
ll_http_trim(linli_str value)
{
    while (value.len > 0 && (value.ptr[0] == ' ' || value.ptr[0] == '\t'))
        value = (linli_str){value.ptr + 1, value.len - 1};
    while (value.len > 0 && (value.ptr[value.len - 1] == ' ' ||
                                value.ptr[value.len - 1] == '\t'))
        value.len--;
    return value;
}

bool
ll_http_value_ok(linli_str value)
{
    bool ascii = true;
    for (size_t i = ll_printable_run(value.ptr, value.len); i < value.len;
         i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (is_control(c))
            return false;
        ascii &= c < 0x80;
    }
    return ascii || ll_utf8_valid(value);
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Letters, digits and what names of machines are made of. Percent signs,
 * commas and the like are legal in RFC 3986 and used by attackers only. */
static bool
is_host_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '.' || c == '-' || c == '_';
}

bool
ll_http_host_ok(linli_str host)
{
    size_t i = 0;
    if (host.len > 0 && host.ptr[0] == '[') {
        for (i = 1;
             i < host.len &&
             (is_hex(host.ptr[i]) || host.ptr[i] == ':' || host.ptr[i] == '.');)
            i++;
        if (i < 3 || i == host.len || host.ptr[i++] != ']')
            return false;
    } else {
        while (i < host.len && is_host_char(host.ptr[i]))
            i++;
        if (i == 0)
            return false;
    }
    if (i == host.len)
        return true;
    int64_t port = 0;
    linli_str digits = {host.ptr + i + 1, host.len - i - 1};
    return host.ptr[i] == ':' && ll_str_int(digits, 0, 65535, &port) &&
           digits.ptr[0] != '-';
}

static bool
same_authority(linli_str a, linli_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        char x = a.ptr[i], y = b.ptr[i];
        if (x >= 'A' && x <= 'Z')
            x = (char)(x + 32);
        if (y >= 'A' && y <= 'Z')
            y = (char)(y + 32);
        if (x != y)
            return false;
    }
    return true;
}

/* Takes "http://authority" off the front. */
static bool
strip_absolute(linli_str *raw, linli_str host)
{
    size_t scheme = 0;
    if (raw->len >= 7 && ll_str_eq_nocase((linli_str){raw->ptr, 7}, "http://"))
        scheme = 7;
    else if (raw->len >= 8 &&
             ll_str_eq_nocase((linli_str){raw->ptr, 8}, "https://"))
        scheme = 8;
    if (scheme == 0)
        return false;
    size_t end = scheme;
    while (end < raw->len && raw->ptr[end] != '/' && raw->ptr[end] != '?')
        end++;
    linli_str authority = {raw->ptr + scheme, end - scheme};
    if (!same_authority(authority, host))
        return false;
    *raw = (linli_str){raw->ptr + end, raw->len - end};
    return true;
}

bool
ll_http_target_split(
    linli_str raw, linli_str host, struct ll_http_target *out, const char **why)
{
    *out = (struct ll_http_target){{NULL, 0}, {NULL, 0}};
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] <= ' ' || raw.ptr[i] > '~') {
            *why = "the target holds a byte that is not visible ASCII";
            return false;
        }
        if (raw.ptr[i] == '#') {
            *why = "the target holds a fragment";
            return false;
        }
    }
    if (raw.len == 0 || (raw.ptr[0] != '/' && !strip_absolute(&raw, host))) {
        *why = "the target is neither a path nor a URL of this Host";
        return false;
    }
    const char *mark = raw.len > 0 ? memchr(raw.ptr, '?', raw.len) : NULL;
    out->path = raw;
    if (mark != NULL) {
        out->path.len = (size_t)(mark - raw.ptr);
        out->query = (linli_str){mark + 1, raw.len - out->path.len - 1};
    }
    /* "http://a.example" asks for "/" (RFC 9110, 4.2.3). */
    if (out->path.len == 0)
        out->path = LINLI_STR("/");
    return true;
}
