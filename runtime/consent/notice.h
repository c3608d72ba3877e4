/* consent/notice.h: the text that a resident reads before they decide. [any]
 *
 * Made from what a plugin declares, the dictionary and who runs the place, in
 * Chinese and in English: who asks, for which field, what for, why, for how
 * long, what happens without it, who gets it. Its SHA-256 is the
 * `text_version` that an act cites, so that nobody agrees to words they were
 * not shown (spec/consent.md, section 3).
 */
#ifndef LL_CONSENT_NOTICE_H
#define LL_CONSENT_NOTICE_H

#include "base/json.h"
#include "domain/consent_state.h"

#define LL_NOTICE_BYTES_MAX ((size_t)256 << 10)

struct ll_notice_item {
    uint8_t field, purpose;
    enum ll_basis basis;
    bool required, once;
    uint32_t days; /* of a grant */
    linli_str why_zh, why_en, without_zh, without_en;
};

struct ll_notice {
    const struct ll_dictionary *dictionary;
    linli_str operator_name; /* empty: the community's operator */
    linli_str plugin_zh, plugin_en;
    bool provides;            /* it is a controller of its own */
    linli_str recipient_json; /* {name, address, contact}, or empty */
};

/* The sentences of one item, as one text. */
void ll_notice_text(const struct ll_notice *notice,
    const struct ll_notice_item *item, bool zh, struct ll_buf *out);
/* The same as an object of a list: the item, and both texts. */
void ll_notice_put(const struct ll_notice *notice,
    const struct ll_notice_item *item, struct ll_jw *w);
/* The days of a grant that says nothing. */
uint32_t ll_notice_days(
    const struct ll_notice *notice, const struct ll_notice_item *item);

#endif
