/* base/report.c: failures as text in two languages, and as JSON. */
#include "base/report.h"

#include "base/json.h"
#include "base/problem.h"
#include "base/text.h"

/* What is said about a code: the table's row, or what the report brings. */
struct words {
    const char *title_en, *title_zh, *fix_en, *fix_zh;
};

static const char *
or_empty(const char *s)
{
    return s == NULL ? "" : s;
}

static struct words
words_of(const struct ll_report *report)
{
    const struct ll_problem *row =
        ll_problem_find(ll_cstr(or_empty(report->code)));
    struct words words = {or_empty(report->title), "", "", ""};
    if (row != NULL)
        words = (struct words){
            row->title_en, row->title_zh, row->fix_en, row->fix_zh};
    /* linlid repeats the table's fix in the language of its caller: that
     * says nothing new. One of this failure alone says more. */
    const char *fix = or_empty(report->fix);
    if (fix[0] != '\0' && strcmp(fix, words.fix_en) != 0 &&
        strcmp(fix, words.fix_zh) != 0) {
        words.fix_en = report->fix;
        words.fix_zh = "";
    }
    return words;
}

void
ll_put_safe(struct ll_buf *out, linli_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        unsigned char next =
            i + 1 < text.len ? (unsigned char)text.ptr[i + 1] : 0;
        /* U+0080 to U+009F are C2 80 to C2 9F: terminals obey them too. */
        bool c1 = c == 0xc2 && next >= 0x80 && next < 0xa0;
        ll_buf_char(out, c1 || c < 0x20 || c == 0x7f ? '?' : (char)c);
        i += c1;
    }
}

/* "PREFIX TEXT", if there is a text. */
static void
line(struct ll_buf *out, const char *prefix, const char *text)
{
    if (or_empty(text)[0] == '\0')
        return;
    ll_buf_cstr(out, prefix);
    ll_put_safe(out, ll_cstr(text));
    ll_buf_char(out, '\n');
}

void
ll_report_text(
    struct ll_buf *out, const struct ll_report *report, enum ll_lang lang)
{
    struct words words = words_of(report);
    const char *code = or_empty(report->code);
    const char *first = lang == LL_LANG_ZH ? words.title_zh : words.title_en;
    const char *second = lang == LL_LANG_BOTH ? words.title_zh : "";
    if (first[0] == '\0')
        first = words.title_en;
    ll_buf_cstr(out, "error[");
    ll_put_safe(out, ll_cstr(code));
    ll_buf_cstr(out, "]: ");
    line(out, "", first[0] == '\0' ? "it failed" : first);
    if (second[0] != '\0')
        ll_buf_printf(out, "%*s%s\n", (int)(strlen("error[]: ") + strlen(code)),
            "", second);
    line(out, "  --> ", report->where);
    line(out, "   = ", report->msg);
    if (lang != LL_LANG_ZH || words.fix_zh[0] == '\0')
        line(out, "   = fix: ", words.fix_en);
    if (lang != LL_LANG_EN)
        line(out, "   = 修正: ", words.fix_zh);
    /* "usage" has nothing more to explain. */
    if (strchr(code, '/') != NULL && ll_problem_find(ll_cstr(code)) != NULL)
        line(out, "   = help: linli explain ", code);
}

static void
member(struct ll_jw *w, const char *name, const char *text)
{
    if (or_empty(text)[0] == '\0')
        return;
    ll_jw_key(w, name);
    ll_jw_cstr(w, text);
}

void
ll_report_json(struct ll_buf *out, const struct ll_report *report)
{
    struct words words = words_of(report);
    struct ll_jw w = ll_jw(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "error");
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "code");
    ll_jw_cstr(&w, or_empty(report->code));
    member(&w, "title", words.title_en);
    member(&w, "title_zh", words.title_zh);
    member(&w, "where", report->where);
    member(&w, "detail", report->msg);
    member(&w, "fix", words.fix_en);
    member(&w, "fix_zh", words.fix_zh);
    ll_jw_close(&w, '}');
    ll_jw_close(&w, '}');
    ll_buf_char(out, '\n');
}
