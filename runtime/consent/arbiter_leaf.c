/* consent/arbiter_leaf.c: what an act says in the log. [loop]
 *
 * Nobody is named but staff: residents are their tags, and what shows that an
 * act was one is there as its digest only.
 */
#include "consent/arbiter_int.h"

#include "base/hash.h"
#include "base/text.h"

void
ll_leaf_text_init(struct ll_leaf_text *text, struct ll_mem *mem)
{
    *text = (struct ll_leaf_text){.actor = ""};
    ll_buf_init(&text->fields, mem, LL_LEAF_BYTES_MAX);
    ll_buf_init(&text->data, mem, LL_LEAF_BYTES_MAX);
}

void
ll_leaf_text_fini(struct ll_leaf_text *text)
{
    ll_buf_fini(&text->fields);
    ll_buf_fini(&text->data);
}

static linli_str
tag_of(
    const struct ll_arbiter *arbiter, uint32_t subject, char out[LL_HEX_BYTES])
{
    const struct ll_person *person =
        ll_consent_person(arbiter->consent, subject);
    if (person == NULL)
        return (linli_str){NULL, 0};
    ll_hex(person->tag, sizeof person->tag, out);
    return ll_cstr(out);
}

struct ll_leaf
ll_leaf_of(struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    enum ll_leaf_type type, struct ll_leaf_text *text)
{
    struct ll_leaf leaf = {.type = type,
        .at_ms = who->now_ms,
        .community = who->community,
        .notice = who->notice,
        .subject = tag_of(arbiter, who->subject, text->subject)};
    leaf.actor = who->actor_name.len > 0
                     ? who->actor_name
                     : tag_of(arbiter, who->actor, text->actor);
    if (who->proof.len > 0) {
        unsigned char hash[LL_SHA256_BYTES];
        ll_sha256(who->proof.ptr, who->proof.len, hash);
        ll_hex(hash, sizeof hash, text->digest);
        leaf.digest = ll_cstr(text->digest);
    }
    return leaf;
}

/* -- sets of fields, in the order of their ids -- */

/* The field of the set with the least id above `after`; -1: none. */
static int
next_field(
    const struct ll_dictionary *dictionary, uint64_t fields, linli_str after)
{
    int best = -1;
    for (uint32_t i = 0; i < dictionary->field_count; i++) {
        linli_str id = dictionary->fields[i].id;
        bool in = (fields >> i & 1) != 0 &&
                  (after.ptr == NULL || ll_str_cmp(id, after) > 0);
        if (in && (best < 0 || ll_str_cmp(id, dictionary->fields[best].id) < 0))
            best = (int)i;
    }
    return best;
}

void
ll_fields_put(
    const struct ll_dictionary *dictionary, struct ll_jw *w, uint64_t fields)
{
    linli_str after = {NULL, 0};
    ll_jw_open(w, '[');
    for (int f; (f = next_field(dictionary, fields, after)) >= 0;) {
        after = dictionary->fields[f].id;
        ll_jw_str(w, after);
    }
    ll_jw_close(w, ']');
}

uint64_t
ll_fields_read(const struct ll_dictionary *dictionary, struct ll_jv array)
{
    uint64_t fields = 0;
    LL_JSON_EACH (item, array) {
        int field = ll_dictionary_field(dictionary, ll_jv_str(item));
        if (field >= 0)
            fields |= (uint64_t)1 << field;
    }
    return fields;
}

linli_str
ll_leaf_fields(
    struct ll_arbiter *arbiter, uint64_t fields, struct ll_leaf_text *text)
{
    struct ll_jw w = ll_jw(&text->fields);
    ll_buf_clear(&text->fields);
    ll_fields_put(&arbiter->dictionary, &w, fields);
    return ll_buf_view(&text->fields);
}
