/* cmd/audit_fold.h: what leaves say there is: people, plugins, bases.
 *
 * Half of cmd/audit_replay.c: leaves of types that release nothing make the
 * state that those which do are judged by. A leaf carries no birthday, only
 * on which side of 8, 14 and 18 somebody is from then on.
 */
#ifndef LL_CMD_AUDIT_FOLD_H
#define LL_CMD_AUDIT_FOLD_H

#include "cmd/audit_replay.h"
#include "domain/consent_state.h"
#include "domain/leaf.h"

struct ll_fold {
    struct ll_mem *mem;
    struct ll_dictionary dictionary;
    struct ll_consent *consent;
    struct ll_buf duties; /* of structs */
    struct ll_json json, data;
    struct ll_replayed *out;
    uint64_t seq;
    int64_t last_ms;
    /* of the leaf at hand */
    uint64_t fields;
    int purpose;
    struct ll_err *err;
};

/* "audit/replay" at the leaf at hand. */
linli_status ll_fold_bad(struct ll_fold *f, const char *words);
bool ll_fold_unhex(linli_str text, unsigned char out[LL_TAG_BYTES]);
/* The leaf's `data`, until the next call; nothing where there is none. */
struct ll_jv ll_fold_data(struct ll_fold *f, const struct ll_leaf *leaf);
/* The day that a leaf is of, as near as a log without zones tells. */
int32_t ll_fold_day(const struct ll_leaf *leaf);

/* Whoever a leaf is about is there from then on, by their tag. */
linli_status ll_fold_subject(struct ll_fold *f, const struct ll_leaf *leaf,
    linli_str tag, uint32_t *out) LL_USE_RESULT;
/* The plugin of the leaf: with terms of nothing if it has declared none. */
linli_status ll_fold_party(
    struct ll_fold *f, const struct ll_leaf *leaf, uint32_t *out) LL_USE_RESULT;

/* Leaves of these types. */
linli_status ll_fold_terms(
    struct ll_fold *f, const struct ll_leaf *leaf) LL_USE_RESULT;
linli_status ll_fold_basis(
    struct ll_fold *f, const struct ll_leaf *leaf) LL_USE_RESULT;
linli_status ll_fold_person(
    struct ll_fold *f, const struct ll_leaf *leaf) LL_USE_RESULT;
linli_status ll_fold_guardian(
    struct ll_fold *f, const struct ll_leaf *leaf) LL_USE_RESULT;
linli_status ll_fold_object(
    struct ll_fold *f, const struct ll_leaf *leaf) LL_USE_RESULT;

/* Whose word it is: the resident's, or a guardian's. Staff write down
 * another's. LL_NOBODY: of nobody who is known. */
uint32_t ll_fold_speaker(
    struct ll_fold *f, const struct ll_leaf *leaf, uint32_t subject);
/* Whether who has said it might: the resident themself, staff for whoever
 * could, or a guardian with the power. `no`: everybody may take back their
 * own. NULL, or why not. */
const char *ll_fold_may(struct ll_fold *f, const struct ll_leaf *leaf,
    uint32_t subject, uint64_t fields, bool no);

#endif
