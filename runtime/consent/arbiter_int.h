/* consent/arbiter_int.h: how an act is put together. [loop]
 *
 * A deed is one commit in the making: documents, leaves, and who is told. It
 * is filled first; when all of it has found room, memory changes and the
 * commit goes, which cannot fail any more. So memory and store never part.
 */
#ifndef LL_CONSENT_ARBITER_INT_H
#define LL_CONSENT_ARBITER_INT_H

#include "base/json.h"
#include "base/limits_consent.h"
#include "consent/arbiter.h"
#include "consent/subject.h"

#define LL_CONSENT_PERSON "~person"
#define LL_CONSENT_GUARDIANSHIP "~guardianship"
#define LL_CONSENT_TERMS "~terms"
#define LL_CONSENT_BASIS "~basis"
#define LL_CONSENT_GRANT "~grant"
#define LL_CONSENT_REFUSAL "~refusal"
#define LL_CONSENT_OBJECTION "~objection"
#define LL_CONSENT_PROOF "~proof"
#define LL_CONSENT_REVOKED "~revoked" /* host/revoked.h */

#define LL_HEX_BYTES (2 * LL_TAG_BYTES + 1)

/* A text that many grants share, kept once. */
struct ll_word {
    struct ll_word *next;
    linli_str text;
};
#define LL_WORD_BUCKETS 256

struct ll_party_more {
    linli_str community;
    const struct ll_word *notice, *recipient;
    bool off; /* the log says that it was switched off */
};

struct ll_own_more {
    uint64_t leaf, end_leaf;
    int64_t ended_ms;
    uint32_t reads;
    const struct ll_word *notice, *channel, *staff;
};

struct ll_ledger {
    struct ll_arena arena; /* words, bases: as long as the host */
    struct ll_word *words[LL_WORD_BUCKETS];
    struct ll_word none; /* the empty one */
    struct ll_party_more *parties;
    uint32_t party_cap;
    struct ll_own_more *grants;
    uint32_t grant_cap;
    struct ll_basis_more **bases;
    uint32_t basis_cap, basis_count;
    struct ll_told *first, *last; /* durable, to be told */
    uint32_t tidy_at;
    struct ll_json json; /* scratch, of loading */
};

/* Who is told of a commit, and what is noted with it. */
struct ll_told {
    struct ll_told *next;
    struct ll_arbiter *arbiter;
    struct ll_act *act; /* may be NULL */
    uint64_t leaf;
    uint32_t given, ended; /* grants whose number in the log it is */
    bool at_once;          /* not after the answers */
};

struct ll_deed {
    struct ll_arbiter *arbiter;
    linli_str community;
    int64_t now_ms;
    struct ll_space *space;
    struct ll_commit *commit;
    struct ll_told *told;
    struct ll_txn txn;
    struct ll_buf body, line;
    uint32_t writes;
    linli_status status;
};

/* -- a deed -- */

/* Begins one. What fails is kept until ll_deed_ready. */
void ll_deed_begin(struct ll_deed *deed, struct ll_arbiter *arbiter,
    linli_str community, int64_t now_ms);
/* Opens the next document, an object, with its id. */
struct ll_jw ll_deed_body(struct ll_deed *deed, linli_str id);
/* Closes it and writes it; `resident` whom it is about, or empty. */
void ll_deed_put(struct ll_deed *deed, struct ll_jw *w, const char *coll,
    linli_str id, linli_str resident);
/* What its plugin is to be told of a grant that ends, if it is told at all;
 * `reason`: "withdrawn", "expired". */
void ll_deed_put_revoked(
    struct ll_deed *deed, const struct ll_grant *grant, const char *reason);
void ll_deed_drop(struct ll_deed *deed, const char *coll, linli_str id);
void ll_deed_leaf(struct ll_deed *deed, const struct ll_leaf *leaf);
/* Whether all of it has found room; if not, the deed has ended. */
linli_status ll_deed_ready(
    struct ll_deed *deed, struct ll_err *err) LL_USE_RESULT;
/* Sends it, and returns its number. */
uint64_t ll_deed_commit(struct ll_deed *deed, struct ll_act *act);
/* Ends it without. */
void ll_deed_end(struct ll_deed *deed);
/* Tells `act` when all that was sequenced until now has left: for what needs
 * no writing. */
linli_status ll_deed_barrier(struct ll_arbiter *arbiter, struct ll_act *act,
    uint64_t leaf, struct ll_err *err) LL_USE_RESULT;

/* -- words and what hangs on numbers -- */

/* NULL without memory. */
const struct ll_word *ll_ledger_word(struct ll_ledger *ledger, linli_str text);
/* Room for the side notes of a number; false without memory. */
bool ll_ledger_party(struct ll_arbiter *arbiter, uint32_t party);
bool ll_ledger_grant(struct ll_arbiter *arbiter, uint32_t grant);
/* The note of a basis, made if there is none; NULL without memory. */
struct ll_basis_more *ll_ledger_basis(
    struct ll_arbiter *arbiter, const struct ll_basis_record *record);

/* -- documents -- */

void ll_deed_put_grant(struct ll_deed *deed, const struct ll_grant *grant,
    const struct ll_own_more *more);
void ll_deed_put_person(
    struct ll_deed *deed, linli_str resident, const struct ll_person *person);
void ll_deed_put_basis(struct ll_deed *deed, const struct ll_basis_more *basis);
/* Members of a document of ~revoked: whose grant it was, and for what. */
void ll_revoked_write(const struct ll_arbiter *arbiter, struct ll_jw *w,
    const struct ll_grant *grant, const char *reason);
/* Ids of what is about one (subject, party, ...): 32 digits. */
void ll_refusal_id(const struct ll_arbiter *arbiter, uint32_t subject,
    uint32_t party, unsigned item, char out[LL_HEX_BYTES]);
/* An array of ids of a set of fields. */
void ll_fields_put(
    const struct ll_dictionary *dictionary, struct ll_jw *w, uint64_t fields);
uint64_t ll_fields_read(
    const struct ll_dictionary *dictionary, struct ll_jv array);
const char *ll_capacity_word(enum ll_capacity capacity);
const char *ll_state_word(enum ll_subject_state state);

/* Everything that the store has. */
linli_status ll_arbiter_load(
    struct ll_arbiter *arbiter, struct ll_err *err) LL_USE_RESULT;

/* -- leaves -- */

/* One of an act: type, when, where, who, about whom. Strings lie in `text`,
 * which must stay until it is written. */
struct ll_leaf_text {
    char actor[LL_HEX_BYTES], subject[LL_HEX_BYTES], grant[LL_HEX_BYTES];
    char digest[2 * 32 + 1];
    struct ll_buf fields, data;
};
void ll_leaf_text_init(struct ll_leaf_text *text, struct ll_mem *mem);
void ll_leaf_text_fini(struct ll_leaf_text *text);
struct ll_leaf ll_leaf_of(struct ll_arbiter *arbiter,
    const struct ll_actor_of *who, enum ll_leaf_type type,
    struct ll_leaf_text *text);
linli_str ll_leaf_fields(
    struct ll_arbiter *arbiter, uint64_t fields, struct ll_leaf_text *text);

/* Calls risen, if there is somebody. */
static inline void
ll_arbiter_rise(struct ll_arbiter *arbiter, uint32_t subject, uint32_t party)
{
    if (arbiter->risen != NULL)
        arbiter->risen(arbiter->user, subject, party);
}

#endif
