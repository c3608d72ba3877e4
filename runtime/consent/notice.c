/* consent/notice.c: the words of an ask. [any] */
#include "consent/notice.h"

#include "base/limits_consent.h"
#include "base/text.h"

#define SENTENCE_BYTES_MAX 8192

uint32_t
ll_notice_days(
    const struct ll_notice *notice, const struct ll_notice_item *item)
{
    uint32_t days =
        item->days != 0
            ? item->days
            : notice->dictionary->fields[item->field].retention_days;
    return days == 0 || days > LL_GRANT_DAYS_MAX ? LL_GRANT_DAYS_MAX : days;
}

static bool
by_consent(const struct ll_notice_item *item)
{
    return item->basis == LL_BASIS_CONSENT || item->basis == LL_BASIS_SEPARATE;
}

static void
put_zh(const struct ll_notice *n, const struct ll_notice_item *item,
    struct ll_buf *out)
{
    const struct ll_field_def *field = &n->dictionary->fields[item->field];
    const struct ll_purpose_def *purpose =
        &n->dictionary->purposes[item->purpose];
    ll_buf_printf(out, "“%.*s”为了“%.*s”使用您的%.*s%s。", LL_FMT(n->plugin_zh),
        LL_FMT(purpose->text_zh), LL_FMT(field->name_zh),
        field->class == LL_C3 ? "（敏感个人信息）" : "");
    if (item->why_zh.len > 0)
        ll_buf_printf(out, "原因：%.*s。", LL_FMT(item->why_zh));
    if (item->without_zh.len > 0)
        ll_buf_printf(out, "不同意时：%.*s。", LL_FMT(item->without_zh));
    if (!by_consent(item))
        ll_buf_cstr(out, "这不需要您的同意，由运营者批准，您可以查看记录。");
    else if (item->once)
        ll_buf_cstr(out, "只使用一次，使用前可随时撤回。");
    else
        ll_buf_printf(out, "同意的有效期为%u天，可随时撤回。",
            (unsigned)ll_notice_days(n, item));
}

static void
put_en(const struct ll_notice *n, const struct ll_notice_item *item,
    struct ll_buf *out)
{
    const struct ll_field_def *field = &n->dictionary->fields[item->field];
    const struct ll_purpose_def *purpose =
        &n->dictionary->purposes[item->purpose];
    ll_buf_printf(out, "%.*s uses your %.*s%s for: %.*s.", LL_FMT(n->plugin_en),
        LL_FMT(field->name_en), field->class == LL_C3 ? " (sensitive)" : "",
        LL_FMT(purpose->text_en));
    if (item->why_en.len > 0)
        ll_buf_printf(out, " Why: %.*s.", LL_FMT(item->why_en));
    if (item->without_en.len > 0)
        ll_buf_printf(out, " Without it: %.*s.", LL_FMT(item->without_en));
    if (!by_consent(item))
        ll_buf_cstr(out, " This needs no consent: the operator has approved "
                         "it, and you can see each use.");
    else if (item->once)
        ll_buf_cstr(out, " Once only; you can withdraw until then.");
    else
        ll_buf_printf(out, " For %u days; you can withdraw at any time.",
            (unsigned)ll_notice_days(n, item));
}

static void
put_who(const struct ll_notice *n, bool zh, struct ll_buf *out)
{
    if (n->operator_name.len > 0)
        ll_buf_printf(out, zh ? "由%.*s负责。" : " Responsible: %.*s.",
            LL_FMT(n->operator_name));
    else
        ll_buf_cstr(out, zh ? "由本社区的运营者负责。"
                            : " Responsible: the operator of this community.");
    if (n->provides)
        ll_buf_cstr(out, zh ? "您的信息将提供给另一方，由其自行负责。"
                            : " It is given to another party, who answers for "
                              "it.");
}

void
ll_notice_text(const struct ll_notice *notice,
    const struct ll_notice_item *item, bool zh, struct ll_buf *out)
{
    (zh ? put_zh : put_en)(notice, item, out);
    put_who(notice, zh, out);
}

static void
put_text(const struct ll_notice *notice, const struct ll_notice_item *item,
    bool zh, struct ll_jw *w)
{
    struct ll_buf text;
    ll_buf_init(&text, w->buf->mem, SENTENCE_BYTES_MAX);
    ll_notice_text(notice, item, zh, &text);
    ll_jw_key(w, zh ? "zh-CN" : "en");
    ll_jw_str(w, ll_buf_view(&text));
    if (text.failed)
        w->buf->failed = true;
    ll_buf_fini(&text);
}

void
ll_notice_put(const struct ll_notice *notice, const struct ll_notice_item *item,
    struct ll_jw *w)
{
    ll_jw_open(w, '{');
    ll_jw_key(w, "field");
    ll_jw_str(w, notice->dictionary->fields[item->field].id);
    ll_jw_key(w, "purpose");
    ll_jw_str(w, notice->dictionary->purposes[item->purpose].id);
    ll_jw_key(w, "basis");
    ll_jw_cstr(w, ll_basis_name(item->basis));
    ll_jw_key(w, "required");
    ll_jw_bool(w, item->required);
    put_text(notice, item, true, w);
    put_text(notice, item, false, w);
    if (notice->recipient_json.len > 0) {
        ll_jw_key(w, "recipient");
        ll_jw_raw(w, notice->recipient_json);
    }
    ll_jw_close(w, '}');
}
