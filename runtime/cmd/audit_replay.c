/* cmd/audit_replay.c: leaves into grants, and releases against them. */
#include "cmd/audit_replay.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "domain/consent_state.h"
#include "domain/leaf.h"

#define DAY_MS INT64_C(86400000)
#define TABLE_BYTES_MAX ((size_t)1 << 28)
#define DUTY_ID_BYTES 64

/* A basis that an operator approved for a plugin here. */
struct basis {
    uint32_t party;
    uint8_t purpose;
    enum ll_basis basis;
    uint64_t fields;
    int64_t until_ms; /* 0: nothing stands any more */
};

struct duty {
    char id[DUTY_ID_BYTES];
    int64_t due_ms;
    bool done;
};

struct fold {
    struct ll_mem *mem;
    struct ll_dictionary dictionary;
    struct ll_consent *consent;
    struct ll_buf bases, duties; /* of structs */
    struct ll_json json, data;
    struct ll_replayed *out;
    uint64_t seq;
    int64_t last_ms;
    /* of the leaf at hand */
    uint64_t fields;
    int purpose;
    struct ll_err *err;
};

static linli_status
bad(struct fold *f, const char *words)
{
    linli_status status =
        ll_fail(f->err, LINLI_E_INVALID, "audit/replay", "%s", words);
    ll_err_where(f->err, "seq %llu", (unsigned long long)f->seq);
    return status;
}

static bool
unhex(linli_str text, unsigned char out[LL_TAG_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (text.len != 2 * LL_TAG_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = memchr(digits, text.ptr[i], 16);
        if (at == NULL)
            return false;
        unsigned char half = (unsigned char)(at - digits);
        out[i / 2] =
            (unsigned char)(i % 2 == 0 ? half << 4 : out[i / 2] | half);
    }
    return true;
}

/* -- who and what -- */

/* Whoever a leaf is about is there from then on, by their tag. */
static linli_status
subject_of(struct fold *f, const struct ll_leaf *leaf, uint32_t *out)
{
    struct ll_person person = {.birth_day = LL_DAY_UNKNOWN};
    *out = LL_NOBODY;
    if (!unhex(leaf->subject, person.tag))
        return bad(f, "it does not say about whom");
    *out = ll_consent_subject(f->consent, leaf->community, leaf->subject);
    return *out != LL_NOBODY
               ? LINLI_OK
               : ll_consent_put_person(f->consent, leaf->community,
                     leaf->subject, &person, out, f->err);
}

static linli_status
party_of(struct fold *f, const struct ll_leaf *leaf, uint32_t *out)
{
    struct ll_terms none = {.active = true, .version = 1, .since = 1};
    if (leaf->plugin.len == 0)
        return bad(f, "it does not say which plugin");
    *out = ll_consent_party(f->consent, leaf->community, leaf->plugin);
    return *out != LL_NO_PARTY
               ? LINLI_OK
               : ll_consent_put_party(f->consent, leaf->community, leaf->plugin,
                     &none, out, f->err);
}

/* Fields and purpose by their numbers; those that the registry of this
 * auditor does not know cannot be judged. */
static linli_status
read_items(struct fold *f, const struct ll_leaf *leaf)
{
    f->fields = 0;
    f->purpose = ll_dictionary_purpose(&f->dictionary, leaf->purpose);
    if (leaf->purpose.len > 0 && f->purpose < 0)
        return bad(f, "its purpose is none of the registry's");
    if (leaf->fields_json.len == 0)
        return LINLI_OK;
    if (ll_json_parse(&f->data, leaf->fields_json, 2, NULL) != LINLI_OK)
        return bad(f, "its fields are no list");
    LL_JSON_EACH (item, ll_json_root(&f->data)) {
        int field = ll_dictionary_field(&f->dictionary, ll_jv_str(item));
        if (field < 0)
            return bad(f, "one of its fields is none of the registry's");
        f->fields |= UINT64_C(1) << field;
    }
    return LINLI_OK;
}

static struct ll_jv
data_of(struct fold *f, const struct ll_leaf *leaf)
{
    if (leaf->data_json.len == 0 ||
        ll_json_parse(&f->data, leaf->data_json, 8, NULL) != LINLI_OK)
        return (struct ll_jv){NULL, 0};
    return ll_json_root(&f->data);
}

/* -- acts -- */

static linli_status
fold_terms(struct fold *f, const struct ll_leaf *leaf)
{
    uint32_t party;
    int64_t since = 1;
    (void)ll_jv_int(ll_jv_get(data_of(f, leaf), "since"), &since);
    struct ll_terms terms = {.active = true,
        .version = (uint32_t)leaf->version,
        .since = (uint32_t)since};
    if (leaf->plugin.len == 0)
        return bad(f, "it does not say which plugin");
    return ll_consent_put_party(
        f->consent, leaf->community, leaf->plugin, &terms, &party, f->err);
}

static linli_status
fold_basis(struct fold *f, const struct ll_leaf *leaf)
{
    struct basis b = {.fields = f->fields};
    linli_status status = party_of(f, leaf, &b.party);
    if (status != LINLI_OK)
        return status;
    if (f->purpose < 0 || !ll_basis_read(leaf->basis, &b.basis))
        return bad(f, "it does not say which basis for which purpose");
    b.purpose = (uint8_t)f->purpose;
    b.until_ms = ll_str_is(leaf->result, "approved")
                     ? (leaf->until_ms == 0 ? INT64_MAX : leaf->until_ms)
                     : 0;
    struct basis *all = (struct basis *)(void *)f->bases.ptr;
    for (size_t i = 0; i < f->bases.len / sizeof b; i++)
        if (all[i].party == b.party && all[i].purpose == b.purpose &&
            all[i].basis == b.basis) {
            all[i] = b;
            return LINLI_OK;
        }
    ll_buf_add(&f->bases, &b, sizeof b);
    return f->bases.failed
               ? ll_fail(f->err, LINLI_E_NOMEM, "runtime/memory", "the bases")
               : LINLI_OK;
}

static int
level_of(linli_str word)
{
    for (int i = LL_LEVEL_GENERAL; i <= LL_LEVEL_WRITTEN; i++)
        if (ll_str_is(word, ll_act_level_name((enum ll_act_level)i)))
            return i;
    return -1;
}

static linli_status
fold_give(struct fold *f, const struct ll_leaf *leaf)
{
    struct ll_grant g = {.fields = f->fields, .guardian = LL_NOBODY};
    int level = level_of(leaf->level);
    int64_t idle = 0;
    uint32_t number;
    linli_status status = subject_of(f, leaf, &g.subject);
    if (status == LINLI_OK)
        status = party_of(f, leaf, &g.party);
    if (status != LINLI_OK)
        return status;
    if (!unhex(leaf->grant, g.id) || f->purpose < 0 || f->fields == 0 ||
        level < 0)
        return bad(f, "it gives nothing that can be told");
    if (leaf->until_ms == 0)
        return bad(f, "a grant that never ends");
    if (ll_dictionary_class(&f->dictionary, f->fields) >= LL_C3 &&
        (level < LL_LEVEL_SEPARATE || __builtin_popcountll(f->fields) != 1))
        return bad(
            f, "sensitive data was given in no separate act of one item");
    if (ll_consent_find_grant(f->consent, g.id) != LL_NO_GRANT)
        return bad(f, "the grant was given before");
    (void)ll_jv_int(ll_jv_get(data_of(f, leaf), "idle_days"), &idle);
    g.purpose = (uint8_t)f->purpose;
    g.level = (uint8_t)level;
    g.version = (uint32_t)leaf->version;
    g.uses = leaf->uses > 0 ? (int32_t)leaf->uses : -1;
    g.idle_days = (uint8_t)idle;
    g.from_ms = g.used_ms = g.given_ms = leaf->at_ms;
    g.until_ms = leaf->until_ms;
    f->out->grants++;
    return ll_consent_put_grant(f->consent, &g, &number, f->err);
}

static linli_status
fold_withdraw(struct fold *f, const struct ll_leaf *leaf)
{
    unsigned char id[LL_TAG_BYTES];
    uint32_t number = unhex(leaf->grant, id)
                          ? ll_consent_find_grant(f->consent, id)
                          : LL_NO_GRANT;
    if (number == LL_NO_GRANT)
        return bad(f, "it withdraws what was never given");
    ll_consent_end_grant(f->consent, number, LL_GRANT_REVOKED);
    f->out->withdrawals++;
    return LINLI_OK;
}

/* All that was given by whoever was erased has ended. */
static linli_status
fold_shred(struct fold *f, const struct ll_leaf *leaf)
{
    uint32_t at = LL_NO_GRANT;
    uint32_t subject =
        leaf->subject.len == 0
            ? LL_NOBODY
            : ll_consent_subject(f->consent, leaf->community, leaf->subject);
    if (subject == LL_NOBODY)
        return LINLI_OK;
    while ((at = ll_consent_next_grant(f->consent, subject, at)) != LL_NO_GRANT)
        if (ll_consent_grant(f->consent, at)->status == LL_GRANT_LIVE)
            ll_consent_end_grant(f->consent, at, LL_GRANT_REVOKED);
    return LINLI_OK;
}

static linli_status
fold_duty(struct fold *f, const struct ll_leaf *leaf)
{
    struct duty duty = {.due_ms = leaf->until_ms};
    linli_str id = ll_jv_str(ll_jv_get(data_of(f, leaf), "id"));
    if (id.len == 0 || id.len >= sizeof duty.id)
        return bad(f, "a duty without a name");
    memcpy(duty.id, id.ptr, id.len);
    struct duty *all = (struct duty *)(void *)f->duties.ptr;
    bool done = ll_str_is(leaf->result, "done");
    for (size_t i = 0; i < f->duties.len / sizeof duty; i++)
        if (strcmp(all[i].id, duty.id) == 0) {
            all[i].done = all[i].done || done;
            return LINLI_OK;
        }
    duty.done = done;
    ll_buf_add(&f->duties, &duty, sizeof duty);
    return f->duties.failed
               ? ll_fail(f->err, LINLI_E_NOMEM, "runtime/memory", "the duties")
               : LINLI_OK;
}

/* -- releases -- */

static const char *
judge_grant(struct fold *f, const struct ll_leaf *leaf,
    const struct ll_grant *g, uint32_t subject, uint32_t party)
{
    if (g->subject != subject || g->party != party || g->purpose != f->purpose)
        return "its grant is of another resident, plugin or purpose";
    if ((f->fields & ~g->fields) != 0)
        return "its grant does not cover all of its fields";
    if (g->status != LL_GRANT_LIVE)
        return "its grant had ended";
    if (leaf->at_ms >= g->until_ms || leaf->at_ms < g->from_ms)
        return "its grant was not of that time";
    if (g->idle_days > 0 && leaf->at_ms >= g->used_ms + g->idle_days * DAY_MS)
        return "its grant had expired unused";
    if (g->uses == 0)
        return "its grant was used up";
    if (g->version < ll_consent_terms(f->consent, party)->since)
        return "its grant was given under terms that had changed";
    return NULL;
}

static bool
approved(struct fold *f, const struct ll_leaf *leaf, uint32_t party,
    enum ll_basis basis)
{
    const struct basis *all = (const struct basis *)(void *)f->bases.ptr;
    for (size_t i = 0; i < f->bases.len / sizeof *all; i++)
        if (all[i].party == party && all[i].purpose == f->purpose &&
            all[i].basis == basis && (f->fields & ~all[i].fields) == 0 &&
            leaf->at_ms < all[i].until_ms)
            return true;
    return false;
}

static linli_status
fold_access(struct fold *f, const struct ll_leaf *leaf)
{
    uint32_t subject, party;
    enum ll_basis basis;
    unsigned char id[LL_TAG_BYTES];
    linli_status status = subject_of(f, leaf, &subject);
    if (status == LINLI_OK)
        status = party_of(f, leaf, &party);
    if (status != LINLI_OK || !ll_str_is(leaf->result, "allow"))
        return status;
    f->out->accesses++;
    if (f->purpose < 0 || f->fields == 0 || !ll_basis_read(leaf->basis, &basis))
        return bad(f, "a release that does not say of what, or why");
    if (basis != LL_BASIS_CONSENT && basis != LL_BASIS_SEPARATE)
        return approved(f, leaf, party, basis)
                   ? LINLI_OK
                   : bad(f, "a release on a basis that was not approved then");
    uint32_t number = unhex(leaf->grant, id)
                          ? ll_consent_find_grant(f->consent, id)
                          : LL_NO_GRANT;
    if (number == LL_NO_GRANT)
        return bad(f, "a release under no grant");
    const char *why = judge_grant(
        f, leaf, ll_consent_grant(f->consent, number), subject, party);
    if (why != NULL)
        return bad(f, why);
    ll_consent_use_grant(f->consent, number, leaf->at_ms);
    return LINLI_OK;
}

/* -- all of it -- */

static linli_status
fold_leaf(struct fold *f, linli_str line)
{
    struct ll_leaf leaf;
    if (ll_leaf_read(&f->json, line, &leaf, NULL) != LINLI_OK)
        return bad(f, "it is no leaf");
    linli_status status = read_items(f, &leaf);
    if (status != LINLI_OK)
        return status;
    f->last_ms = leaf.at_ms > f->last_ms ? leaf.at_ms : f->last_ms;
    switch (leaf.type) {
    case LL_LEAF_TERMS:
        return fold_terms(f, &leaf);
    case LL_LEAF_BASIS:
        return fold_basis(f, &leaf);
    case LL_LEAF_GIVE:
        return fold_give(f, &leaf);
    case LL_LEAF_WITHDRAW:
        return fold_withdraw(f, &leaf);
    case LL_LEAF_SHRED:
        return fold_shred(f, &leaf);
    case LL_LEAF_DUTY:
        return fold_duty(f, &leaf);
    case LL_LEAF_ACCESS:
        return fold_access(f, &leaf);
    default:
        return LINLI_OK;
    }
}

static linli_status
fold_all(struct fold *f, struct ll_source *source)
{
    bool there = true;
    linli_str line;
    linli_status status = ll_source_seek(source, 0, f->err);
    while (status == LINLI_OK && there) {
        status = ll_source_next(source, &there, &f->seq, &line, f->err);
        if (status != LINLI_OK || !there)
            break;
        f->out->leaves++;
        status = fold_leaf(f, line);
    }
    const struct duty *all = (const struct duty *)(void *)f->duties.ptr;
    for (size_t i = 0; i < f->duties.len / sizeof *all; i++) {
        f->out->duties_open += !all[i].done;
        f->out->duties_overdue +=
            !all[i].done && all[i].due_ms != 0 && all[i].due_ms < f->last_ms;
    }
    return status;
}

linli_status
ll_audit_replay(
    struct ll_source *source, struct ll_replayed *out, struct ll_err *err)
{
    struct fold f = {.mem = source->mem, .out = out, .err = err};
    *out = (struct ll_replayed){0};
    linli_status status = ll_dictionary_init(&f.dictionary, f.mem, err);
    if (status != LINLI_OK)
        return status;
    ll_buf_init(&f.bases, f.mem, TABLE_BYTES_MAX);
    ll_buf_init(&f.duties, f.mem, TABLE_BYTES_MAX);
    ll_json_init(&f.json, f.mem);
    ll_json_init(&f.data, f.mem);
    status = ll_consent_new(f.mem, &f.dictionary, &f.consent, err);
    if (status == LINLI_OK)
        status = fold_all(&f, source);
    ll_consent_free(&f.consent);
    ll_json_fini(&f.data);
    ll_json_fini(&f.json);
    ll_buf_fini(&f.duties);
    ll_buf_fini(&f.bases);
    ll_dictionary_fini(&f.dictionary);
    return status;
}
