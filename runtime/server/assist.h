/* server/assist.h: staff who act for a resident (代办), with a proof. [loop]
 *
 * spec/consent.md, section 5. What is asked for is the body of the resident's
 * own path; a proof is good for one such act and is spent with it.
 */
#ifndef LL_SERVER_ASSIST_H
#define LL_SERVER_ASSIST_H

#include "base/hash.h"
#include "consent/subject.h"
#include "server/consents.h"

#define LL_ASSIST_CODES "~assist_code"
#define LL_ASSIST_FORMS "~assist_form"
#define LL_ASSIST_CODE_DIGITS 6

enum ll_proof_kind { LL_PROOF_CODE, LL_PROOF_PAPER };

/* .../staff/assist, staff/assist/code; false for any other `rest`. */
bool ll_assist_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);

/* -- proofs: server/assist_proof.c -- */

#define LL_PROOF_WORD_BYTES 33

/* What a proof is asked of: all strings are borrowed. */
struct ll_proving {
    struct ll_community *community;
    linli_str staff, resident;
    linli_str act;     /* of which it is: a text that says all of it */
    linli_str key;     /* the Idempotency-Key, or empty */
    linli_str said;    /* the code, or the number of the form */
    linli_str witness; /* of a form: another member of staff */
    enum ll_proof_kind kind;
    int64_t now_ms;
};

/* What stands for a proof and its act, and tells neither. False without
 * memory. */
bool ll_proof_word(
    const struct ll_proving *proving, char out[LL_PROOF_WORD_BYTES]);
/* The document that a proof lies in: of codes one for (staff, resident), of
 * forms one for the number. NULL without memory. */
struct ll_doc *ll_proof_doc(const struct ll_proving *proving);
/* Makes a code, and the document that knows it by a keyed hash alone:
 * "people/locked", "people/code-sent". `doc` is ready. */
linli_status ll_proof_make(const struct ll_proving *proving,
    const struct ll_doc *doc, char code[LL_ASSIST_CODE_DIGITS + 1],
    struct ll_buf *out, struct ll_err *err) LL_USE_RESULT;
/* Judges what is said: with OK, `out` is the document as it is when the proof
 * is spent. "people/locked", "people/form"; "people/proof", and `out`, unless
 * it is empty, must be kept before that is told. The same act again under its
 * key is OK. */
linli_status ll_proof_judge(const struct ll_proving *proving,
    const struct ll_doc *doc, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;

#endif
