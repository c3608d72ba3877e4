/* domain/notify.c: templates, channels, retries. [any] pure */
#include "domain/notify.h"

#include "base/text.h"

static const char *const channel_names[] = {
#define X(name, word) word,
    LL_WAYS(X)
#undef X
};

const char *
ll_way_name(enum ll_way channel)
{
    ll_check(channel < LL_WAY_COUNT);
    return channel_names[channel];
}

bool
ll_way_read(linli_str word, enum ll_way *out)
{
    for (uint32_t i = 0; i < LL_WAY_COUNT; i++)
        if (ll_str_is(word, channel_names[i])) {
            *out = (enum ll_way)i;
            return true;
        }
    return false;
}

/* -- what it says -- */

static bool
is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool
is_name(linli_str s)
{
    if (s.len == 0 || s.len > LL_NOTIFY_NAME_BYTES_MAX || s.ptr[0] < 'a' ||
        s.ptr[0] > 'z')
        return false;
    for (size_t i = 1; i < s.len; i++) {
        char c = s.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return true;
}

/* A piece of a template: text as it is, or the name of a place. */
struct piece {
    linli_str text;
    bool is_place;
};

/* Takes the next piece off *rest; false at its end. A brace that stands alone
 * is a place without a name. */
static bool
next_piece(linli_str *rest, struct piece *piece)
{
    const char *p = rest->ptr;
    size_t n = 0;
    if (rest->len == 0)
        return false;
    *piece = (struct piece){{NULL, 0}, false};
    if (p[0] != '{' && p[0] != '}') {
        while (n < rest->len && p[n] != '{' && p[n] != '}')
            n++;
        piece->text = (linli_str){p, n};
    } else if (rest->len > 1 && p[1] == p[0]) {
        n = 2;
        piece->text = (linli_str){p, 1};
    } else {
        const char *end = p[0] == '{' ? memchr(p, '}', rest->len) : NULL;
        n = end == NULL ? rest->len : (size_t)(end - p) + 1;
        piece->is_place = true;
        if (end != NULL)
            piece->text = (linli_str){p + 1, n - 2};
    }
    *rest = (linli_str){p + n, rest->len - n};
    return true;
}

bool
ll_template_has(const struct ll_template *t, linli_str name)
{
    for (uint32_t i = 0; i < t->name_count; i++)
        if (ll_str_eq(t->names[i], name))
            return true;
    return false;
}

static linli_status
add_name(struct ll_template *t, linli_str name, struct ll_err *err)
{
    if (!is_name(name))
        return ll_fail(err, LINLI_E_INVALID, "manifest/invalid",
            "\"{%.*s}\" is no place: a name begins with a letter and has "
            "letters, digits and _, at most %d; a brace is written twice",
            name.len > 48 ? 48 : LL_FMT(name), LL_NOTIFY_NAME_BYTES_MAX);
    if (ll_template_has(t, name))
        return LINLI_OK;
    if (t->name_count == LL_NOTIFY_PLACEHOLDERS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "manifest/invalid",
            "more than %d places", LL_NOTIFY_PLACEHOLDERS_MAX);
    t->names[t->name_count++] = name;
    return LINLI_OK;
}

linli_status
ll_template_read(linli_str text, struct ll_template *out, struct ll_err *err)
{
    struct ll_template t = {.text = text};
    struct piece piece;
    linli_str rest = text;
    linli_status status = LINLI_OK;
    *out = (struct ll_template){.text = {NULL, 0}};
    if (text.len > LL_NOTIFY_TEMPLATE_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "manifest/invalid",
            "a text of %zu bytes, more than %d", text.len,
            LL_NOTIFY_TEMPLATE_BYTES_MAX);
    bool good = text.len > 0 && ll_utf8_valid(text);
    for (size_t i = 0; good && i < text.len; i++)
        good = !is_control(text.ptr[i]) || text.ptr[i] == '\n';
    if (!good)
        return ll_fail(err, LINLI_E_INVALID, "manifest/invalid",
            "a text is not empty and has no control character but \\n");
    while (status == LINLI_OK && next_piece(&rest, &piece))
        if (piece.is_place)
            status = add_name(&t, piece.text, err);
    if (status == LINLI_OK)
        *out = t;
    return status;
}

bool
ll_notify_value_valid(linli_str text)
{
    if (text.len > LL_NOTIFY_VALUE_BYTES_MAX || !ll_utf8_valid(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (is_control(text.ptr[i]))
            return false;
    return true;
}

linli_status
ll_template_render(const struct ll_template *t,
    const struct ll_notify_value *values, uint32_t value_count,
    struct ll_buf *out, struct ll_err *err)
{
    size_t before = out->len;
    linli_str rest = t->text;
    struct piece piece;
    while (next_piece(&rest, &piece)) {
        linli_str text = piece.text;
        uint32_t i = 0;
        if (piece.is_place) {
            while (i < value_count && !ll_str_eq(values[i].name, piece.text))
                i++;
            ll_check(i < value_count);
            text = values[i].text;
        }
        ll_buf_str(out, text);
    }
    if (out->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a message");
    if (out->len - before > LL_NOTIFY_TEXT_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "notify/too-long",
            "a message of %zu bytes, more than %d", out->len - before,
            LL_NOTIFY_TEXT_BYTES_MAX);
    return LINLI_OK;
}

/* -- by which way -- */

static int64_t
pause_ms(uint32_t tries)
{
    int64_t ms = LL_NOTIFY_PAUSE_MS_FIRST;
    for (uint32_t i = 1; i < tries; i++)
        ms *= 2;
    return ms;
}

enum ll_notify_next
ll_notify_decide(struct ll_notify_progress *p, enum ll_notify_outcome outcome,
    int64_t *wait_ms)
{
    ll_check(p->at < p->channel_count);
    *wait_ms = 0;
    if (outcome == LL_NOTIFY_ACCEPTED)
        return LL_NOTIFY_DONE;
    bool last = p->at + 1 == p->channel_count;
    uint32_t most = last ? LL_NOTIFY_TRIES_LAST_MAX : LL_NOTIFY_TRIES_MAX;
    p->tries++;
    if (outcome == LL_NOTIFY_FAILED && p->tries < most) {
        *wait_ms = pause_ms(p->tries);
        return LL_NOTIFY_WAIT;
    }
    p->at++;
    p->tries = 0;
    return last ? LL_NOTIFY_LOST : LL_NOTIFY_OTHER;
}
