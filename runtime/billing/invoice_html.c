/* billing/invoice_html.c: an invoice as a page that prints on A4. [any] */
#include "billing/invoice_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "domain/pricing_calendar.h"
#include "domain/usage.h"

static const char style[] =
    "@page{size:A4;margin:16mm 15mm}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;padding:24px 20px;max-width:820px;color:#1b1b1b;"
    "background:#fff;font:18px/1.55 system-ui,-apple-system,\"PingFang SC\","
    "\"HarmonyOS Sans SC\",\"Microsoft YaHei\",\"Noto Sans CJK SC\","
    "\"WenQuanYi Micro Hei\",sans-serif;overflow-wrap:anywhere}"
    "h1{font-size:30px;line-height:1.25;margin:0}"
    "h2{font-size:21px;margin:30px 0 8px;break-after:avoid}"
    "p{margin:6px 0}"
    ".head{display:flex;flex-wrap:wrap;gap:8px 24px;align-items:baseline;"
    "justify-content:space-between;border-bottom:3px solid #1b1b1b;"
    "padding-bottom:12px}"
    ".state{font-size:18px;font-weight:600;border:2px solid currentColor;"
    "border-radius:6px;padding:1px 12px}"
    ".overdue{color:#a3120a}.paid{color:#17602c}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;"
    "margin:14px 0}"
    "dt{color:#4a4a4a}dd{margin:0}"
    ".due{display:flex;justify-content:space-between;align-items:baseline;"
    "gap:16px;background:#f1f3f6;border-radius:8px;padding:12px 16px;"
    "margin:16px 0;font-size:20px;-webkit-print-color-adjust:exact;"
    "print-color-adjust:exact}"
    ".due b{font-size:30px;white-space:nowrap}"
    "table{border-collapse:collapse;width:100%}"
    "caption{text-align:left;font-weight:600;padding:8px 0 4px}"
    "th,td{text-align:left;vertical-align:top;padding:7px 10px 7px 0;"
    "border-bottom:1px solid #c9ccd1}"
    "th{font-weight:600;border-bottom:2px solid #6b6f76}"
    "tr{break-inside:avoid}"
    ".d{white-space:nowrap}th{overflow-wrap:normal}"
    ".n{text-align:right;white-space:nowrap;padding-right:0;padding-left:12px;"
    "font-variant-numeric:tabular-nums}th.n{white-space:normal}"
    "small{display:block;color:#4a4a4a;font-size:15px}"
    "tfoot td{font-weight:600}tfoot .sum td{border-top:2px solid #1b1b1b;"
    "font-size:21px}"
    ".cliff{border-left:5px solid #b26a00;padding:4px 0 4px 12px}"
    ".foot{margin-top:26px;color:#4a4a4a;font-size:15px}"
    ".hash{font-family:monospace;font-size:13px}"
    "@media(max-width:560px){body{padding:16px 14px}.opt{display:none}"
    "dl{grid-template-columns:1fr}dd{margin-bottom:6px}}"
    "@media print{body{padding:0;max-width:none;font-size:12pt}"
    "h1{font-size:20pt}h2{font-size:14pt;margin-top:18pt}small{font-size:10pt}"
    ".opt{display:table-cell}.foot{font-size:10pt}.hash{font-size:8pt}"
    ".due{font-size:13pt}.due b{font-size:19pt}}";

/* Where the page is written, and in which language. */
struct page {
    struct ll_buf *out;
    const struct ll_invoice_show *show;
    bool zh;
};

static const char *
w(const struct page *page, const char *zh, const char *en)
{
    return page->zh ? zh : en;
}

static void
put(const struct page *page, const char *markup)
{
    ll_buf_cstr(page->out, markup);
}

/* Text of others: escaped. */
static void
put_text(const struct page *page, linli_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '&')
            put(page, "&amp;");
        else if (c == '<')
            put(page, "&lt;");
        else if (c == '>')
            put(page, "&gt;");
        else if (c == '"')
            put(page, "&quot;");
        else
            ll_buf_char(page->out, c);
    }
}

static linli_str
text_of(struct ll_jv object, const char *name)
{
    return ll_jv_str(ll_jv_get(object, name));
}

static int64_t
int_of(struct ll_jv object, const char *name)
{
    int64_t n = 0;
    (void)ll_jv_int(ll_jv_get(object, name), &n);
    return n;
}

static int64_t
micro_of(struct ll_jv object, const char *name)
{
    int64_t micro = 0;
    (void)ll_usage_read(text_of(object, name), &micro);
    return micro;
}

static bool
has(struct ll_jv object, const char *name)
{
    return ll_jv_there(ll_jv_get(object, name));
}

static void
put_yuan(const struct page *page, int64_t fen)
{
    char text[LL_YUAN_BYTES];
    ll_yuan(fen, text);
    /* A minus sign, not a hyphen, before the currency's. */
    ll_buf_printf(
        page->out, "%s¥%s", fen < 0 ? "−" : "", fen < 0 ? text + 1 : text);
}

static void
put_price(const struct page *page, int64_t micro)
{
    char text[LL_YUAN_BYTES];
    ll_yuan_price(micro, text);
    ll_buf_printf(page->out, "¥%s", text);
}

/* Basis points as percent. */
static void
put_rate(const struct page *page, int64_t bp)
{
    ll_buf_printf(page->out, "%" PRId64, bp / 100);
    if (bp % 100 != 0)
        ll_buf_printf(page->out, bp % 10 == 0 ? ".%" PRId64 : ".%02" PRId64,
            bp % 10 == 0 ? bp % 100 / 10 : bp % 100);
    ll_buf_char(page->out, '%');
}

static int64_t
due_of(const struct page *page)
{
    int64_t due = int_of(page->show->body, "total_fen") - page->show->paid_fen -
                  page->show->credited_fen;
    return due > 0 && strcmp(page->show->state, "written-off") != 0 ? due : 0;
}

/* -- words -- */

struct word {
    const char *of, *zh, *en;
};

static const char *
find_word(
    const struct page *page, const struct word *words, size_t n, linli_str of)
{
    for (size_t i = 0; i < n; i++)
        if (ll_str_is(of, words[i].of))
            return w(page, words[i].zh, words[i].en);
    return "";
}

static const struct word states[] = {
    {"preview", "预览", "Preview"},
    {"draft", "草稿", "Draft"},
    {"final", "待付款", "To be paid"},
    {"paid", "已付清", "Paid"},
    {"overdue", "已逾期", "Overdue"},
    {"written-off", "已核销", "Written off"},
    {"empty", "无费用", "Nothing to pay"},
};

static const struct word kinds[] = {
    {"flat", "固定费用", "fixed fee"},
    {"unit", "按量计价", "per unit"},
    {"graduated", "分段累进", "tiered, each unit at its tier's price"},
    {"volume", "总量定价", "by volume, all units at one price"},
    {"package", "按包计价", "per package"},
    {"percentage", "按金额比例", "percentage of amounts"},
    {"graduated_percentage", "分段比例", "tiered percentage"},
    {"commit", "承诺量", "committed quantity"},
};

static const struct word parts[] = {
    {"usage", "用量", "use"},
    {"unit", "用量", "use"},
    {"flat", "档位费", "tier fee"},
    {"pct", "比例费", "percentage"},
    {"fixed", "每笔费用", "fee per event"},
    {"fee", "固定费用", "fee"},
    {"commit", "承诺量", "commitment"},
    {"overage", "超出承诺", "over the commitment"},
    {"trueup", "未用足补足", "commitment not used"},
    {"discount", "优惠", "discount"},
    {"max", "封顶减免", "reduction to the maximum"},
    {"min", "保底补足", "addition to the minimum"},
    {"credit", "退回未用天数", "days not used, given back"},
    {"charge", "补收天数", "days at the new price"},
    {"invoice", "账单优惠", "discount on the invoice"},
};

#define WORD(page, table, of) find_word(page, table, LL_COUNT(table), of)

/* -- head -- */

static void
put_row(const struct page *page, const char *name)
{
    ll_buf_printf(page->out, "<dt>%s</dt><dd>", name);
}

/* Its first and its last day. */
static void
put_span(const struct page *page, struct ll_jv period)
{
    char last[16];
    int32_t to = 0;
    (void)ll_day_read(text_of(period, "to"), &to);
    ll_day_text(to - 1, last);
    put(page, "<span class=\"d\">");
    put_text(page, text_of(period, "from"));
    ll_buf_printf(page->out, "</span> %s <span class=\"d\">%s</span>",
        w(page, "至", "to"), last);
}

static void
put_head(const struct page *page)
{
    struct ll_jv body = page->show->body;
    linli_str state = ll_cstr(page->show->state);
    bool due = has(body, "due");
    put(page, "<div class=\"head\"><h1>");
    put(page, w(page, "账单", "Invoice"));
    if (has(body, "number")) {
        put(page, " ");
        put_text(page, text_of(body, "number"));
    }
    ll_buf_printf(page->out, "</h1><span class=\"state %s\">%s</span></div>",
        page->show->state, WORD(page, states, state));
    put(page, "<dl>");
    put_row(page, w(page, "套餐", "Plan"));
    put_text(
        page, text_of(ll_jv_get(body, "title"), page->zh ? "zh-CN" : "en"));
    put(page, " <span>(");
    put_text(page, text_of(body, "plan"));
    put(page, ")</span></dd>");
    put_row(page, w(page, "社区", "Community"));
    put_text(page, text_of(body, "community"));
    put(page, "</dd>");
    put_row(page, w(page, "订阅", "Subscription"));
    put_text(page, text_of(body, "subscription"));
    put(page, "</dd>");
    if (has(body, "period")) {
        put_row(page, w(page, "用量账期", "Use of"));
        put_span(page, ll_jv_get(body, "period"));
        put(page, "</dd>");
    }
    if (has(body, "advance")) {
        put_row(page, w(page, "预收账期", "In advance for"));
        put_span(page, ll_jv_get(body, "advance"));
        put(page, "</dd>");
    }
    if (due) {
        put_row(page, w(page, "付款截止", "To be paid by"));
        put_text(page, text_of(body, "due"));
        put(page, "</dd>");
    }
    put(page, "</dl><div class=\"due\"><span>");
    put(page, due ? w(page, "应付金额", "Amount due")
                  : w(page, "目前合计", "Total so far"));
    put(page, "</span><b id=\"due\">");
    put_yuan(page, due ? due_of(page) : int_of(body, "total_fen"));
    put(page, "</b></div>");
}

/* -- lines -- */

static void
put_days(const struct page *page, struct ll_jv line)
{
    if (int_of(line, "days") == int_of(line, "days_of"))
        return;
    ll_buf_printf(page->out,
        w(page, ", %" PRId64 "/%" PRId64 " 天",
            ", %" PRId64 " of %" PRId64 " days"),
        int_of(line, "days"), int_of(line, "days_of"));
}

/* What the plan of a line or price calls its charge or discount; its id, if it
 * does not say. */
static void
put_said(const struct page *page, struct ll_jv of, linli_str id)
{
    struct ll_jv plan =
        ll_jv_get(has(of, "plan") ? of : page->show->body, "plan");
    struct ll_jv said =
        ll_jv_get_str(ll_jv_get_str(page->show->words, ll_jv_str(plan)), id);
    linli_str text = text_of(said, page->zh ? "zh-CN" : "en");
    put_text(page, text.len > 0 ? text : id);
}

static void
put_name(const struct page *page, struct ll_jv line)
{
    put(page, "<td>");
    put_said(page, line, text_of(line, "of"));
    put(page, w(page, " · ", ": "));
    put(page, WORD(page, parts, text_of(line, "part")));
    if (int_of(line, "tier") > 0)
        ll_buf_printf(page->out,
            w(page, ", 第 %" PRId64 " 档", ", tier %" PRId64),
            int_of(line, "tier"));
    put(page, "<small>");
    put_span(page, ll_jv_get(line, "period"));
    put_days(page, line);
    if (has(line, "adjusts"))
        put(page, w(page, ", 此前账期的迟到用量",
                      ", came late for an earlier period"));
    if (ll_jv_true(ll_jv_get(line, "advance")))
        put(page, w(page, ", 预收", ", in advance"));
    put(page, "</small></td>");
}

static void
put_line(const struct page *page, struct ll_jv line)
{
    put(page, "<tr>");
    put_name(page, line);
    put(page, "<td class=\"n\">");
    if (has(line, "amount_of_fen"))
        put_yuan(page, micro_of(line, "amount_of_fen") / LL_MICRO);
    else
        put_text(page, text_of(line, "quantity"));
    put(page, "</td><td class=\"n opt\">");
    if (has(line, "rate_bp"))
        put_rate(page, int_of(line, "rate_bp"));
    else if (has(line, "unit_fen"))
        put_price(page, micro_of(line, "unit_fen"));
    put(page, "</td><td class=\"n\">");
    put_yuan(page, int_of(line, "amount_fen"));
    put(page, "</td></tr>");
}

static void
put_foot(
    const struct page *page, const char *name, const char *class, int64_t fen)
{
    ll_buf_printf(page->out,
        "<tr class=\"%s\"><td colspan=\"2\">%s</td><td class=\"opt\"></td>"
        "<td class=\"n\">",
        class, name);
    put_yuan(page, fen);
    put(page, "</td></tr>");
}

static void
put_lines(const struct page *page)
{
    struct ll_jv body = page->show->body;
    ll_buf_printf(page->out,
        "<h2>%s</h2><table><thead><tr><th>%s</th><th class=\"n\">%s</th>"
        "<th class=\"n opt\">%s</th><th class=\"n\">%s</th></tr></thead>"
        "<tbody>",
        w(page, "明细", "Lines"), w(page, "项目", "For"),
        w(page, "数量", "Quantity"), w(page, "单价", "Price"),
        w(page, "金额", "Amount"));
    LL_JSON_EACH (line, ll_jv_get(body, "lines"))
        put_line(page, line);
    put(page, "</tbody><tfoot>");
    if (!ll_str_is(text_of(body, "tax_mode"), "none")) {
        put_foot(
            page, w(page, "不含税金额", "Net"), "net", int_of(body, "net_fen"));
        put_foot(page,
            ll_str_is(text_of(body, "tax_mode"), "inclusive")
                ? w(page, "税额 (已含)", "Tax (included)")
                : w(page, "税额", "Tax"),
            "tax", int_of(body, "tax_fen"));
    }
    put_foot(page, w(page, "合计", "Total"), "sum", int_of(body, "total_fen"));
    if (page->show->credited_fen != 0)
        put_foot(page, w(page, "红字冲减", "Credit notes"), "credited",
            -page->show->credited_fen);
    if (page->show->paid_fen != 0)
        put_foot(
            page, w(page, "已付", "Paid"), "paid-sum", -page->show->paid_fen);
    put(page, "</tfoot></table>");
}

/* -- the price list -- */

/* What a quantity at a tier's bound costs by a tier's price: fen, rounded;
 * false if it does not fit. */
static bool
cost_at(struct ll_jv bound, struct ll_jv tier, int64_t *fen)
{
    ll_wide product = (ll_wide)micro_of(bound, "up_to");
    return ll_wide_times(&product, micro_of(tier, "unit_fen")) &&
           ll_wide_divide(product, (ll_wide)LL_MICRO * LL_MICRO,
               LL_ROUND_HALF_AWAY, fen) &&
           ll_fen_add(fen, int_of(tier, "flat_fen"));
}

/* Of a volume price: one unit more makes all of them cheaper or dearer. */
static void
put_cliffs(const struct page *page, struct ll_jv tiers)
{
    struct ll_jv before = {NULL, 0};
    LL_JSON_EACH (tier, tiers) {
        int64_t at = 0, over = 0;
        if (ll_jv_there(before) && cost_at(before, before, &at) &&
            cost_at(before, tier, &over) && at != over) {
            put(page, "<p class=\"cliff\">");
            put(page, w(page, "到 ", "Up to "));
            put_text(page, text_of(before, "up_to"));
            put(page, w(page, " 为止共 ", " all of it is "));
            put_yuan(page, at);
            put(page, w(page, ", 一旦超过, 全部用量改按下一档计价, 变为约 ",
                          "; anything over it puts all of it at the next "
                          "tier's price: about "));
            put_yuan(page, over);
            put(page, w(page, "。", "."));
            put(page, "</p>");
        }
        before = tier;
    }
}

static void
put_tiers(const struct page *page, struct ll_jv tiers)
{
    int n = 0;
    ll_buf_printf(page->out,
        "<table><thead><tr><th>%s</th><th class=\"n\">%s</th>"
        "<th class=\"n\">%s</th><th class=\"n\">%s</th></tr></thead><tbody>",
        w(page, "档", "Tier"), w(page, "至 (含)", "Up to and with"),
        w(page, "单价", "Price"), w(page, "档位费", "Tier fee"));
    LL_JSON_EACH (tier, tiers) {
        ll_buf_printf(page->out, "<tr><td>%d</td><td class=\"n\">", ++n);
        if (has(tier, "up_to_fen"))
            put_yuan(page, int_of(tier, "up_to_fen"));
        else if (text_of(tier, "up_to").len > 0)
            put_text(page, text_of(tier, "up_to"));
        else
            put(page, w(page, "不限", "no bound"));
        put(page, "</td><td class=\"n\">");
        if (has(tier, "rate_bp"))
            put_rate(page, int_of(tier, "rate_bp"));
        else
            put_price(page, micro_of(tier, "unit_fen"));
        put(page, "</td><td class=\"n\">");
        put_yuan(page, int_of(tier, "flat_fen"));
        put(page, "</td></tr>");
    }
    put(page, "</tbody></table>");
}

static void
put_prices(const struct page *page)
{
    bool any = false;
    LL_JSON_EACH (price, ll_jv_get(page->show->body, "prices")) {
        struct ll_jv tiers = ll_jv_get(price, "tiers");
        if (ll_jv_count(tiers) == 0)
            continue;
        if (!any)
            ll_buf_printf(
                page->out, "<h2>%s</h2>", w(page, "价目表", "Price list"));
        any = true;
        put(page, "<p><b>");
        put_said(page, price, text_of(price, "charge"));
        ll_buf_printf(
            page->out, "</b> (%s", WORD(page, kinds, text_of(price, "kind")));
        if (has(price, "included")) {
            put(page, w(page, ", 内含 ", ", included: "));
            put_text(page, text_of(price, "included"));
        }
        put(page, ")</p>");
        put_tiers(page, tiers);
        if (ll_str_is(text_of(price, "kind"), "volume"))
            put_cliffs(page, tiers);
    }
}

/* -- the rest -- */

static void
put_payers(const struct page *page)
{
    static const struct word who[] = {{"resident", "居民", "resident"},
        {"household", "住户", "household"}, {"community", "社区", "community"},
        {"operator", "运营方", "operator"}};
    struct ll_jv payers = ll_jv_get(page->show->body, "payers");
    if (ll_jv_count(payers) < 2)
        return;
    ll_buf_printf(
        page->out, "<h2>%s</h2><table><tbody>", w(page, "分摊", "Who pays"));
    LL_JSON_EACH (payer, payers) {
        ll_buf_printf(page->out, "<tr><td>%s</td><td class=\"n\">",
            WORD(page, who, text_of(payer, "kind")));
        put_rate(page, int_of(payer, "bp"));
        put(page, "</td><td class=\"n\">");
        put_yuan(page, int_of(payer, "fen"));
        put(page, "</td></tr>");
    }
    put(page, "</tbody></table>");
}

static void
put_end(const struct page *page)
{
    struct ll_jv body = page->show->body;
    put(page, "<div class=\"foot\"><p>");
    ll_buf_printf(page->out,
        w(page, "含截至第 %" PRId64 " 条记录的用量。时区 ",
            "Use up to record %" PRId64 " is in it. Days are those of "),
        int_of(body, "watermark"));
    put_text(page, text_of(body, "zone"));
    put(page, w(page, "。本页是服务账单, 不是发票。",
                  ". This page is a bill and not a fapiao."));
    if (page->show->hash.len > 0) {
        put(page, "</p><p class=\"hash\">SHA-256 ");
        put_text(page, page->show->hash);
    }
    put(page, "</p></div>");
}

void
ll_invoice_html(const struct ll_invoice_show *show, struct ll_buf *out)
{
    struct page page = {out, show, show->zh};
    ll_buf_printf(out,
        "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>%s ",
        show->zh ? "zh-CN" : "en", show->zh ? "账单" : "Invoice");
    put_text(&page, has(show->body, "number")
                        ? text_of(show->body, "number")
                        : text_of(show->body, "subscription"));
    ll_buf_printf(out, "</title><style>%s</style></head><body>", style);
    put_head(&page);
    put_lines(&page);
    put_payers(&page);
    put_prices(&page);
    put_end(&page);
    put(&page, "</body></html>");
}
