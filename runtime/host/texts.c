/* host/texts.c: the message about other words. [loop] */
#include "host/texts.h"

#include <stdio.h>

#include "base/text.h"
#include "consent/texts.h"
#include "host/tell.h"

#define FIELDS_BYTES_MAX 600 /* of their names, in a message */

/* "A、B" or "A, B"; what finds no room is in the centre. */
static void
name_fields(const struct ll_dictionary *dictionary, uint64_t fields, bool zh,
    char out[FIELDS_BYTES_MAX])
{
    const char *between = zh ? "、" : ", ";
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < dictionary->field_count; i++) {
        const struct ll_field_def *f = &dictionary->fields[i];
        linli_str name = zh ? f->name_zh : f->name_en;
        if ((fields >> i & 1) == 0 ||
            used + name.len + sizeof "、..." > FIELDS_BYTES_MAX)
            continue;
        used += (size_t)snprintf(out + used, FIELDS_BYTES_MAX - used, "%s%.*s",
            used == 0 ? "" : between, LL_FMT(name));
    }
}

static bool
tell(struct ll_community *community, const struct ll_text_news *news)
{
    const struct ll_arbiter *arbiter = &community->host->arbiter;
    char zh[LL_NOTIFY_TEXT_BYTES_MAX + 1], en[LL_NOTIFY_TEXT_BYTES_MAX + 1];
    char fields_zh[FIELDS_BYTES_MAX], fields_en[FIELDS_BYTES_MAX];
    linli_str plugin = ll_consent_plugin(arbiter->consent, news->party);
    const struct ll_instance *instance =
        ll_community_instance(community, plugin);
    const struct ll_manifest *m = instance == NULL || instance->package == NULL
                                      ? NULL
                                      : instance->package->manifest;
    linli_str name_zh = m == NULL ? plugin : m->name_zh;
    linli_str name_en = m == NULL ? plugin : m->name_en;
    name_fields(&arbiter->dictionary, news->fields, true, fields_zh);
    name_fields(&arbiter->dictionary, news->fields, false, fields_en);
    (void)snprintf(zh, sizeof zh,
        "「%.*s」修改了对您同意使用的信息的说明: %s. 您的同意仍然有效, "
        "无需操作. 新的说明请在隐私中心查看, 也可在那里撤回同意.",
        LL_FMT(name_zh), fields_zh);
    (void)snprintf(en, sizeof en,
        "%.*s says in other words what it uses of yours, and why: %s. Your "
        "consent holds and nothing is needed. The privacy centre has the new "
        "words, and there you can take it back.",
        LL_FMT(name_en), fields_en);
    struct ll_telling telling = {
        .resident = ll_consent_resident(arbiter->consent, news->subject),
        .zh = ll_cstr(zh),
        .en = ll_cstr(en)};
    return ll_tell(community, &telling);
}

bool
ll_texts_tell(struct ll_host *host)
{
    struct ll_arbiter *arbiter = &host->arbiter;
    struct ll_text_news news;
    uint32_t looks = LL_CONSENT_TIDY_GRANTS;
    for (int i = 0;
         i < LL_CONSENT_TEXT_TELLS && ll_text_next(arbiter, &looks, &news);
         i++) {
        struct ll_community *community = ll_host_community(
            host, ll_consent_community(arbiter->consent, news.subject));
        struct ll_log_line line = {.level = LL_ERROR,
            .code = "runtime/memory",
            .plugin = ll_consent_plugin(arbiter->consent, news.party),
            .msg = LINLI_STR("a resident is not told of other words")};
        /* Whoever is not noted is told again after a start. */
        if (community != NULL &&
            (!tell(community, &news) ||
                !ll_text_note(arbiter, news.subject, news.party, false)))
            ll_log_write(&host->log, &line);
    }
    return ll_text_more(arbiter);
}
