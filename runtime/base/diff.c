/* base/diff.c: a unified diff by the longest common subsequence. [any]
 *
 * The common head and tail are cut off first; what is left is mostly a few
 * lines, for which the plain quadratic table is the simplest right thing.
 */
#include "base/diff.h"

#include "base/limits.h"
#include "base/text.h"

#define CONTEXT_LINES 3
#define INDENT_SPACES 2

struct lines {
    linli_str *at;
    size_t count;
};

/* An edit: a line that both have, that one had, that the other has. */
struct edit {
    char mark; /* ' ', '-', '+' */
    linli_str line;
};

struct diff {
    struct ll_mem *mem;
    struct lines before, after;
    size_t head, tail; /* common lines at both ends */
    struct edit *edits;
    size_t count, room;
};

static size_t
count_lines(linli_str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n' || i + 1 == text.len;
    return n;
}

/* A line has no line feed; the last one may lack it. */
static bool
split(struct ll_mem *mem, linli_str text, struct lines *out)
{
    size_t room = count_lines(text), from = 0;
    out->at = ll_alloc(mem, room * sizeof *out->at + 1);
    if (out->at == NULL)
        return false;
    out->count = room;
    for (size_t n = 0; n < room; n++) {
        const char *end = memchr(text.ptr + from, '\n', text.len - from);
        size_t len =
            end == NULL ? text.len - from : (size_t)(end - (text.ptr + from));
        out->at[n] = (linli_str){text.ptr + from, len};
        from += len + 1;
    }
    return true;
}

static void
release(struct ll_mem *mem, struct lines *lines)
{
    if (lines->at != NULL)
        ll_release(mem, lines->at, lines->count * sizeof *lines->at + 1);
}

static void
trim(struct diff *diff)
{
    size_t least = diff->before.count < diff->after.count ? diff->before.count
                                                          : diff->after.count;
    while (diff->head < least &&
           ll_str_eq(diff->before.at[diff->head], diff->after.at[diff->head]))
        diff->head++;
    while (diff->tail < least - diff->head &&
           ll_str_eq(diff->before.at[diff->before.count - 1 - diff->tail],
               diff->after.at[diff->after.count - 1 - diff->tail]))
        diff->tail++;
}

static void
add(struct diff *diff, char mark, linli_str line)
{
    ll_check(diff->count < diff->room);
    diff->edits[diff->count++] = (struct edit){mark, line};
}

static void
add_all(struct diff *diff, char mark, const linli_str *lines, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(diff, mark, lines[i]);
}

/* The middle: table[i][j] is how long the longest common subsequence is of
 * the lines from i on and from j on. */
static bool
middle(struct diff *diff)
{
    const linli_str *a = diff->before.at + diff->head;
    const linli_str *b = diff->after.at + diff->head;
    size_t n = diff->before.count - diff->head - diff->tail;
    size_t m = diff->after.count - diff->head - diff->tail;
    size_t width = m + 1, cells = (n + 1) * width;
    if (n == 0 || m == 0 || cells > LL_DIFF_CELLS_MAX) {
        add_all(diff, '-', a, n);
        add_all(diff, '+', b, m);
        return true;
    }
    uint32_t *table = ll_alloc(diff->mem, cells * sizeof *table);
    if (table == NULL)
        return false;
    for (size_t i = n; i-- > 0;)
        for (size_t j = m; j-- > 0;) {
            uint32_t down = table[(i + 1) * width + j];
            uint32_t right = table[i * width + j + 1];
            table[i * width + j] = ll_str_eq(a[i], b[j])
                                       ? table[(i + 1) * width + j + 1] + 1
                                   : down >= right ? down
                                                   : right;
        }
    size_t i = 0, j = 0;
    while (i < n && j < m) {
        if (ll_str_eq(a[i], b[j])) {
            add(diff, ' ', a[i++]);
            j++;
        } else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) {
            add(diff, '-', a[i++]);
        } else {
            add(diff, '+', b[j++]);
        }
    }
    add_all(diff, '-', a + i, n - i);
    add_all(diff, '+', b + j, m - j);
    ll_release(diff->mem, table, cells * sizeof *table);
    return true;
}

/* The edit after the last one that belongs to the hunk which has `from`. */
static size_t
hunk_end(const struct diff *diff, size_t from)
{
    size_t end = from, same = 0;
    for (size_t i = from; i < diff->count && same <= 2 * CONTEXT_LINES; i++) {
        same = diff->edits[i].mark == ' ' ? same + 1 : 0;
        if (same == 0)
            end = i + 1;
    }
    end += CONTEXT_LINES;
    return end < diff->count ? end : diff->count;
}

static void
put_hunk(struct ll_buf *out, const struct diff *diff, size_t from, size_t end)
{
    size_t line[2] = {1, 1}, count[2] = {0, 0};
    for (size_t i = 0; i < end; i++) {
        size_t *n = i < from ? line : count;
        n[0] += diff->edits[i].mark != '+';
        n[1] += diff->edits[i].mark != '-';
    }
    /* A side without lines is named by the line before it, as diff does. */
    ll_buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", line[0] - (count[0] == 0),
        count[0], line[1] - (count[1] == 0), count[1]);
    for (size_t i = from; i < end; i++) {
        ll_buf_char(out, diff->edits[i].mark);
        ll_buf_str(out, diff->edits[i].line);
        ll_buf_char(out, '\n');
    }
}

static void
put(struct ll_buf *out, const struct diff *diff)
{
    for (size_t i = 0; i < diff->count;) {
        if (diff->edits[i].mark == ' ') {
            i++;
            continue;
        }
        size_t from = i > CONTEXT_LINES ? i - CONTEXT_LINES : 0;
        size_t end = hunk_end(diff, i);
        put_hunk(out, diff, from, end);
        i = end;
    }
}

bool
ll_diff_put(struct ll_buf *out, linli_str before, linli_str after)
{
    struct diff diff = {.mem = out->mem};
    bool ok = split(diff.mem, before, &diff.before) &&
              split(diff.mem, after, &diff.after);
    diff.room = diff.before.count + diff.after.count;
    if (ok)
        diff.edits = ll_alloc(diff.mem, diff.room * sizeof *diff.edits + 1);
    ok = diff.edits != NULL;
    if (ok) {
        trim(&diff);
        add_all(&diff, ' ', diff.before.at, diff.head);
        ok = middle(&diff);
    }
    if (ok) {
        add_all(&diff, ' ', diff.before.at + diff.before.count - diff.tail,
            diff.tail);
        put(out, &diff);
    }
    if (diff.edits != NULL)
        ll_release(diff.mem, diff.edits, diff.room * sizeof *diff.edits + 1);
    release(diff.mem, &diff.before);
    release(diff.mem, &diff.after);
    return ok && !out->failed;
}

/* -- JSON of many lines -- */

static void
new_line(struct ll_buf *out, size_t depth)
{
    ll_buf_char(out, '\n');
    for (size_t i = 0; i < INDENT_SPACES * depth; i++)
        ll_buf_char(out, ' ');
}

/* Along the tape, which is in the order of the text; ends[] is where the
 * open containers end. */
void
ll_json_pretty(struct ll_buf *out, struct ll_jv value)
{
    uint32_t ends[LL_JSON_DEPTH_MAX + 1];
    bool objects[LL_JSON_DEPTH_MAX + 1];
    size_t depth = 0;
    bool first = true, after_key = false;
    uint32_t end = ll_jv_node(value)->next;
    for (uint32_t at = value.at; at < end;) {
        struct ll_jv v = {value.json, at};
        const struct ll_json_node *node = ll_jv_node(v);
        bool container =
            node->type == LL_JSON_ARRAY || node->type == LL_JSON_OBJECT;
        if (depth > 0 && !after_key) {
            if (!first)
                ll_buf_char(out, ',');
            new_line(out, depth);
        }
        first = false;
        bool key = depth > 0 && objects[depth - 1] && !after_key;
        after_key = key;
        if (container && node->size > 0) {
            ll_check(depth < LL_COUNT(ends));
            ll_buf_char(out, node->type == LL_JSON_OBJECT ? '{' : '[');
            objects[depth] = node->type == LL_JSON_OBJECT;
            ends[depth++] = node->next;
            first = true;
            at++;
        } else {
            struct ll_jw w = ll_jw(out);
            ll_jw_value(&w, v);
            if (key)
                ll_buf_cstr(out, ": ");
            at = node->next;
        }
        while (depth > 0 && at == ends[depth - 1]) {
            depth--;
            new_line(out, depth);
            ll_buf_char(out, objects[depth] ? '}' : ']');
        }
    }
}
