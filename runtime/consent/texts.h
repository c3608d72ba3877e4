/* consent/texts.h: other words about what was agreed to. [loop]
 *
 * Grants hold when words alone have changed (LL_TERMS_TEXT), and who gave them
 * is told: each grant's document says up to which change its resident was
 * told, and has read, so that a start goes on where a stop was.
 */
#ifndef LL_CONSENT_TEXTS_H
#define LL_CONSENT_TEXTS_H

#include "consent/arbiter.h"

/* Whether its list is to point to words that its resident has not read. */
bool ll_text_unread(
    const struct ll_arbiter *arbiter, uint32_t grant, int64_t now_ms);

/* Somebody who is to be told, and of which fields of a party. */
struct ll_text_news {
    uint32_t subject, party;
    uint64_t fields;
};
/* The next of them, looking at no more than *looks grants, which it takes
 * off. False: none was among those. */
bool ll_text_next(
    struct ll_arbiter *arbiter, uint32_t *looks, struct ll_text_news *out);
/* Whether there are grants that were not looked at since words changed. */
bool ll_text_more(const struct ll_arbiter *arbiter);

/* They are told, and with `read` have read it, from now on; nothing is written
 * that is so already. False without memory. */
bool ll_text_note(struct ll_arbiter *arbiter, uint32_t subject, uint32_t party,
    bool read) LL_USE_RESULT;

#endif
