/* server/person.h: the fields of one resident: all of them read, or one of
 * them written. [loop]
 *
 * Embedded as the first member by whoever was asked, a resident's own path or
 * an operator's. It finds the resident's document, then the household's
 * values with their own, and answers.
 */
#ifndef LL_SERVER_PERSON_H
#define LL_SERVER_PERSON_H

#include "consent/values.h"
#include "server/people.h"

struct ll_personal {
    struct ll_view view;
    struct ll_community *community;
    uint32_t subject;
    char resident[LL_DOC_ID_BYTES_MAX + 1];
    char household[LL_DOC_ID_BYTES_MAX + 1]; /* of the token; or empty */
    char actor[LL_DOC_ID_BYTES_MAX + 32];    /* who writes, as in a leaf */
    const struct ll_field_def *field;        /* written; NULL: all are read */
    struct ll_buf json; /* of a value that is written; empty: it goes */
    bool values;        /* told, up to the ceiling; else only what there is */
    bool must_exist;    /* in the directory: 404 */
    enum ll_class ceiling;
    /* private */
    struct ll_wait wait;
    struct ll_doc *doc;
    struct ll_held *helds;
    uint32_t count, next;
    struct ll_txn txn;
    bool looked, committing, gone;
};

/* For whoever fills the rest in; NULL: answered with "runtime/memory". */
struct ll_personal *ll_personal_new(struct ll_face *face,
    struct ll_request *request, struct ll_community *community);
/* Goes until it has answered, and frees itself. */
void ll_personal_go(struct ll_personal *personal);

/* The body {"value": ...} of a field into personal->json; null: it goes.
 * "request/...", "field/...". */
linli_status ll_personal_take(
    struct ll_personal *personal, struct ll_err *err) LL_USE_RESULT;
/* The same of a body that may have other members. */
linli_status ll_personal_take_of(struct ll_personal *personal,
    const char *const *names, struct ll_err *err) LL_USE_RESULT;
/* A field that holds values, by its id: "field/unknown", "field/derived". */
const struct ll_field_def *ll_personal_field(
    struct ll_host *host, linli_str id, struct ll_err *err);

/* Only an operator changes it, for whom it has been shown to be so. */
bool ll_field_is_confirmed(const struct ll_field_def *field);

#endif
