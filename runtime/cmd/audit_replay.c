/* cmd/audit_replay.c: leaves into grants, and releases against them. */
#include "cmd/audit_fold.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define DAY_MS INT64_C(86400000)
#define TABLE_BYTES_MAX ((size_t)1 << 28)
#define DUTY_ID_BYTES 64
#define WORDS_BYTES 160

struct duty {
    char id[DUTY_ID_BYTES];
    int64_t due_ms;
    bool done;
};

/* Fields and purpose by their numbers; those that the registry of this
 * auditor does not know cannot be judged. */
static linli_status
read_items(struct ll_fold *f, const struct ll_leaf *leaf)
{
    f->fields = 0;
    f->purpose = ll_dictionary_purpose(&f->dictionary, leaf->purpose);
    if (leaf->purpose.len > 0 && f->purpose < 0)
        return ll_fold_bad(f, "its purpose is none of the registry's");
    if (leaf->fields_json.len == 0)
        return LINLI_OK;
    if (ll_json_parse(&f->data, leaf->fields_json, 2, NULL) != LINLI_OK)
        return ll_fold_bad(f, "its fields are no list");
    LL_JSON_EACH (item, ll_json_root(&f->data)) {
        int field = ll_dictionary_field(&f->dictionary, ll_jv_str(item));
        if (field < 0)
            return ll_fold_bad(
                f, "one of its fields is none of the registry's");
        f->fields |= UINT64_C(1) << field;
    }
    return LINLI_OK;
}

/* -- acts -- */

static int
level_of(linli_str word)
{
    for (int i = LL_LEVEL_GENERAL; i <= LL_LEVEL_WRITTEN; i++)
        if (ll_str_is(word, ll_act_level_name((enum ll_act_level)i)))
            return i;
    return -1;
}

static linli_status
bad_act(struct ll_fold *f, const char *what, const char *why)
{
    char words[WORDS_BYTES];
    (void)snprintf(words, sizeof words, "%s: %s", what, why);
    return ll_fold_bad(f, words);
}

static linli_status
fold_give(struct ll_fold *f, const struct ll_leaf *leaf)
{
    struct ll_grant g = {.fields = f->fields, .guardian = LL_NOBODY};
    int level = level_of(leaf->level);
    int64_t idle = 0;
    uint32_t number;
    linli_status status = ll_fold_subject(f, leaf, leaf->subject, &g.subject);
    if (status == LINLI_OK)
        status = ll_fold_party(f, leaf, &g.party);
    if (status != LINLI_OK)
        return status;
    if (!ll_fold_unhex(leaf->grant, g.id) || f->purpose < 0 || f->fields == 0 ||
        level < 0)
        return ll_fold_bad(f, "it gives nothing that can be told");
    if (leaf->until_ms == 0)
        return ll_fold_bad(f, "a grant that never ends");
    if (ll_dictionary_class(&f->dictionary, f->fields) >= LL_C3 &&
        (level < LL_LEVEL_SEPARATE || __builtin_popcountll(f->fields) != 1))
        return ll_fold_bad(
            f, "sensitive data was given in no separate act of one item");
    if (ll_consent_find_grant(f->consent, g.id) != LL_NO_GRANT)
        return ll_fold_bad(f, "the grant was given before");
    const char *why = ll_fold_may(f, leaf, g.subject, f->fields, false);
    if (why != NULL)
        return bad_act(f, "it was given by somebody who might not", why);
    uint32_t speaker = ll_fold_speaker(f, leaf, g.subject);
    g.guardian = speaker == g.subject ? LL_NOBODY : speaker;
    (void)ll_jv_int(ll_jv_get(ll_fold_data(f, leaf), "idle_days"), &idle);
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
fold_withdraw(struct ll_fold *f, const struct ll_leaf *leaf)
{
    unsigned char id[LL_TAG_BYTES];
    uint32_t number = ll_fold_unhex(leaf->grant, id)
                          ? ll_consent_find_grant(f->consent, id)
                          : LL_NO_GRANT;
    if (number == LL_NO_GRANT)
        return ll_fold_bad(f, "it withdraws what was never given");
    const struct ll_grant *grant = ll_consent_grant(f->consent, number);
    if (ll_consent_subject(f->consent, leaf->community, leaf->subject) !=
        grant->subject)
        return ll_fold_bad(f, "it withdraws what another resident gave");
    const char *why = ll_fold_may(f, leaf, grant->subject, grant->fields, true);
    if (why != NULL)
        return bad_act(f, "it was withdrawn by somebody who might not", why);
    ll_consent_end_grant(f->consent, number, LL_GRANT_REVOKED);
    f->out->withdrawals++;
    return LINLI_OK;
}

/* All that was given by whoever was erased has ended. */
static linli_status
fold_shred(struct ll_fold *f, const struct ll_leaf *leaf)
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
fold_duty(struct ll_fold *f, const struct ll_leaf *leaf)
{
    struct duty duty = {.due_ms = leaf->until_ms};
    linli_str id = ll_jv_str(ll_jv_get(ll_fold_data(f, leaf), "id"));
    if (id.len == 0 || id.len >= sizeof duty.id)
        return ll_fold_bad(f, "a duty without a name");
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
judge_grant(struct ll_fold *f, const struct ll_leaf *leaf,
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

/* The decision as it was to be made then. It knows no days of grace, which are
 * the host's to set: who has come of age meanwhile is not judged by them. */
static linli_status
judge(struct ll_fold *f, const struct ll_leaf *leaf, uint32_t subject,
    uint32_t party, enum ll_basis basis)
{
    struct ll_ask ask = {.subject = subject,
        .party = party,
        .purpose = (uint8_t)f->purpose,
        .action = LL_ACTION_READ,
        .own = true,
        .now_ms = leaf->at_ms,
        .today = ll_fold_day(leaf)};
    for (; ask.field < LL_FIELDS_MAX; ask.field++) {
        if ((f->fields >> ask.field & 1) == 0)
            continue;
        struct ll_verdict verdict = ll_consent_decide(f->consent, &ask);
        bool none = verdict.reason >= LL_REASON_NO_GRANT &&
                    verdict.basis != LL_BASIS_CONSENT &&
                    verdict.basis != LL_BASIS_SEPARATE;
        if (none)
            return ll_fold_bad(
                f, "a release on a basis that was not approved then");
        if (verdict.reason == LL_REASON_SELF_RECONFIRM)
            continue;
        if (verdict.reason != LL_REASON_ALLOW)
            return bad_act(f, "a release that was to be denied then",
                ll_reason_name(verdict.reason));
        if (verdict.basis != basis)
            return ll_fold_bad(
                f, "a release on another basis than was declared then");
    }
    return LINLI_OK;
}

static linli_status
fold_access(struct ll_fold *f, const struct ll_leaf *leaf)
{
    uint32_t subject, party;
    enum ll_basis basis;
    unsigned char id[LL_TAG_BYTES];
    linli_status status = ll_fold_subject(f, leaf, leaf->subject, &subject);
    if (status == LINLI_OK)
        status = ll_fold_party(f, leaf, &party);
    if (status != LINLI_OK || !ll_str_is(leaf->result, "allow"))
        return status;
    f->out->accesses++;
    if (f->purpose < 0 || f->fields == 0 || !ll_basis_read(leaf->basis, &basis))
        return ll_fold_bad(f, "a release that does not say of what, or why");
    if (basis != LL_BASIS_CONSENT && basis != LL_BASIS_SEPARATE)
        return judge(f, leaf, subject, party, basis);
    uint32_t number = ll_fold_unhex(leaf->grant, id)
                          ? ll_consent_find_grant(f->consent, id)
                          : LL_NO_GRANT;
    if (number == LL_NO_GRANT)
        return ll_fold_bad(f, "a release under no grant");
    const char *why = judge_grant(
        f, leaf, ll_consent_grant(f->consent, number), subject, party);
    status = why != NULL ? ll_fold_bad(f, why)
                         : judge(f, leaf, subject, party, basis);
    if (status == LINLI_OK)
        ll_consent_use_grant(f->consent, number, leaf->at_ms);
    return status;
}

/* -- all of it -- */

static linli_status
fold_leaf(struct ll_fold *f, linli_str line)
{
    struct ll_leaf leaf;
    if (ll_leaf_read(&f->json, line, &leaf, NULL) != LINLI_OK)
        return ll_fold_bad(f, "it is no leaf");
    linli_status status = read_items(f, &leaf);
    if (status != LINLI_OK)
        return status;
    f->last_ms = leaf.at_ms > f->last_ms ? leaf.at_ms : f->last_ms;
    switch (leaf.type) {
    case LL_LEAF_TERMS:
        return ll_fold_terms(f, &leaf);
    case LL_LEAF_BASIS:
        return ll_fold_basis(f, &leaf);
    case LL_LEAF_PERSON:
        return ll_fold_person(f, &leaf);
    case LL_LEAF_GUARDIAN:
        return ll_fold_guardian(f, &leaf);
    case LL_LEAF_OBJECT:
        return ll_fold_object(f, &leaf);
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
fold_all(struct ll_fold *f, struct ll_source *source)
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
    struct ll_fold f = {.mem = source->mem, .out = out, .err = err};
    *out = (struct ll_replayed){0};
    linli_status status = ll_dictionary_init(&f.dictionary, f.mem, err);
    if (status != LINLI_OK)
        return status;
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
    ll_dictionary_fini(&f.dictionary);
    return status;
}
