/* billing/invoice_csv.c: an invoice as CSV; sums of money as text. [any] */
#include "billing/invoice_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

/* -- sums -- */

/* Digits in threes. */
static size_t
put_grouped(uint64_t n, char *out)
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t len = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            out[len++] = ',';
        out[len++] = digits[i];
    }
    return len;
}

static uint64_t
magnitude(int64_t n)
{
    return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}

void
ll_yuan(int64_t fen, char out[LL_YUAN_BYTES])
{
    uint64_t n = magnitude(fen);
    size_t len = 0;
    if (fen < 0)
        out[len++] = '-';
    len += put_grouped(n / 100, out + len);
    (void)snprintf(
        out + len, LL_YUAN_BYTES - len, ".%02u", (unsigned)(n % 100));
}

#define PRICE_UNIT 100000000u /* 10^-6 fen of a yuan */

void
ll_yuan_price(int64_t micro, char out[LL_YUAN_BYTES])
{
    uint64_t n = magnitude(micro);
    size_t len = 0;
    if (micro < 0)
        out[len++] = '-';
    len += put_grouped(n / PRICE_UNIT, out + len);
    len += (size_t)snprintf(
        out + len, LL_YUAN_BYTES - len, ".%08u", (unsigned)(n % PRICE_UNIT));
    /* Two decimals stay: it is a price. */
    while (out[len - 1] == '0' && out[len - 3] != '.')
        len--;
    out[len] = '\0';
}

/* -- CSV -- */

/* A cell; one that a spreadsheet would compute is text. */
static void
put_cell(struct ll_buf *out, linli_str text, bool first)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++)
        quoted = quoted || text.ptr[i] == ',' || text.ptr[i] == '"' ||
                 text.ptr[i] == '\n' || text.ptr[i] == '\r';
    if (!first)
        ll_buf_char(out, ',');
    if (quoted)
        ll_buf_char(out, '"');
    if (text.len > 0 &&
        (text.ptr[0] == '=' || text.ptr[0] == '+' || text.ptr[0] == '@'))
        ll_buf_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            ll_buf_char(out, '"');
        ll_buf_char(out, text.ptr[i]);
    }
    if (quoted)
        ll_buf_char(out, '"');
}

/* A member as it stands: text, or an integer; nothing if it is not there. */
static void
put_member(struct ll_buf *out, struct ll_jv object, const char *name)
{
    struct ll_jv v = ll_jv_get(object, name);
    char digits[24];
    int64_t n = 0;
    if (!ll_jv_int(v, &n)) {
        put_cell(out, ll_jv_str(v), false);
        return;
    }
    (void)snprintf(digits, sizeof digits, "%" PRId64, n);
    put_cell(out, ll_cstr(digits), false);
}

static int64_t
fen_of(struct ll_jv object, const char *name)
{
    int64_t fen = 0;
    (void)ll_jv_int(ll_jv_get(object, name), &fen);
    return fen;
}

static void
put_fen(struct ll_buf *out, int64_t fen)
{
    ll_buf_printf(out, ",%" PRId64, fen);
}

static void
put_line(struct ll_buf *out, struct ll_jv line)
{
    static const char *const names[] = {
        "key", "of", "part", "meter", "plan", NULL};
    static const char *const rest[] = {"adjusts", "days", "days_of", "quantity",
        "amount_of_fen", "unit_fen", "rate_bp", "amount_fen", "net_fen",
        "tax_fen", NULL};
    struct ll_jv period = ll_jv_get(line, "period");
    put_cell(out, LINLI_STR("line"), true);
    for (const char *const *name = names; *name != NULL; name++)
        put_member(out, line, *name);
    put_member(out, period, "from");
    put_member(out, period, "to");
    for (const char *const *name = rest; *name != NULL; name++)
        put_member(out, line, *name);
    put_fen(out, fen_of(line, "net_fen") + fen_of(line, "tax_fen"));
    ll_buf_cstr(out, "\r\n");
}

/* `type` and key, with what comes between them and the sums empty. */
static void
put_sums(struct ll_buf *out, const char *type, linli_str key, struct ll_jv from,
    const char *amount)
{
    put_cell(out, ll_cstr(type), true);
    put_cell(out, key, false);
    ll_buf_cstr(out, ",,,,,,,,,,,,,");
    put_member(out, from, amount);
    put_member(out, from, "net_fen");
    put_member(out, from, "tax_fen");
    put_fen(out, fen_of(from, "net_fen") + fen_of(from, "tax_fen"));
    ll_buf_cstr(out, "\r\n");
}

void
ll_invoice_csv(const struct ll_invoice_show *show, struct ll_buf *out)
{
    struct ll_jv body = show->body;
    ll_buf_cstr(out,
        "type,key,of,part,meter,plan,period_from,period_to,adjusts,days,"
        "days_of,quantity,amount_of_fen,unit_fen,rate_bp,amount_fen,net_fen,"
        "tax_fen,total_fen\r\n");
    LL_JSON_EACH (line, ll_jv_get(body, "lines"))
        put_line(out, line);
    LL_JSON_EACH (item, ll_jv_get(body, "items"))
        put_sums(out, "charge", ll_jv_str(ll_jv_get(item, "charge")), item,
            "subtotal_fen");
    put_sums(out, "total", ll_jv_str(ll_jv_get(body, "number")), body,
        "subtotal_fen");
}
