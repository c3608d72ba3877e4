/* consent/values.h: the values of the dictionary's fields. [loop]
 *
 * One document of ~field of the community's space for each (owner, field),
 * sealed with the owner's key of the field's class (consent/subject.h) and
 * named after that subject, so that the file says neither whose it is nor
 * what. No cache keeps it: whoever reads asks the store and lets go.
 *
 * A value that is not there is ABSENT or, if the owner's key of that class
 * was taken away, SHREDDED: then nothing is ever written for them again. (The
 * store would refuse to seal it; here it is refused before it is committed.)
 */
#ifndef LL_CONSENT_VALUES_H
#define LL_CONSENT_VALUES_H

#include "consent/subject.h"
#include "data/put.h"
#include "domain/dictionary.h"
#include "domain/leaf.h"

#define LL_OF_RESIDENT LL_SUBJECT_RESIDENT
#define LL_OF_HOUSEHOLD "~household"

/* Whose a value is: a resident or household of a community's directory. */
struct ll_owner {
    linli_str community;
    const char *coll; /* LL_OF_RESIDENT or LL_OF_HOUSEHOLD */
    linli_str id;     /* at most LL_DOC_ID_BYTES_MAX */
};

/* The subject of what is kept of their values of a class, the same each
 * time. */
void ll_values_subject(struct ll_store *store, const struct ll_owner *owner,
    enum ll_class class, char out[LL_PID_BYTES]);

/* The values of a community; NULL without memory. */
struct ll_coll *ll_values_coll(struct ll_docs *docs, linli_str community);

/* -- what a value may be -- */

/* What one of a field looks like, for people: "an integer, 20 to 300". */
struct ll_value_words {
    const char *en, *zh;
};
struct ll_value_words ll_value_words(const struct ll_field_def *field);

/* Judges a value by its field's type and format. Code "field/invalid": the
 * message says what is wanted, `fix` the same in Chinese; neither repeats
 * the value. A field that holds none of its own (a view, a relay):
 * "field/derived". */
linli_status ll_value_check(const struct ll_field_def *field,
    struct ll_jv value, struct ll_err *err) LL_USE_RESULT;
/* The same, and then its text as it is kept: compact, at most
 * LL_FIELD_VALUE_BYTES_MAX bytes, in `out`, which is cleared. */
linli_status ll_value_take(const struct ll_field_def *field, struct ll_jv value,
    struct ll_buf *out, struct ll_err *err) LL_USE_RESULT;
/* "2019-02-29" is none: days since 1970-01-01, years 1900 to 9999. */
bool ll_date_read(linli_str text, int32_t *day);
/* "1990-05-17", NUL-terminated, of a day of these years. */
#define LL_DATE_BYTES 11
void ll_date_text(int32_t day, char out[LL_DATE_BYTES]);

/* -- reading one -- */

enum ll_held_state {
    LL_HELD_ASKED,    /* not known yet */
    LL_HELD_THERE,    /* `value` is it */
    LL_HELD_ABSENT,   /* nobody has said it */
    LL_HELD_SHREDDED, /* it is gone for good */
    LL_HELD_LOST      /* the store could not be read: "store/failed" */
};

/* A value being read, embedded in whoever reads; does not move. */
struct ll_held {
    struct ll_docs *docs;
    const struct ll_field_def *field;
    bool of_household;
    char subject[LL_PID_BYTES];
    struct ll_doc *doc; /* a reference; NULL: not begun, or ended */
    enum ll_held_state state;
    linli_str value; /* THERE: compact JSON, until ready is asked again or it
                        ends */
    int64_t at_ms;   /* THERE: when it was written */
    struct ll_buf text;
    struct ll_wait *waits;
    struct ll_query query; /* is a key gone? */
    bool asking, asked, gone;
};

/* `field` is one of the dictionary that holds a value of its own, and `owner`
 * a household exactly if the field is one of households. "runtime/memory":
 * nothing is held. */
linli_status ll_held_begin(struct ll_held *held, struct ll_docs *docs,
    const struct ll_owner *owner, const struct ll_field_def *field,
    struct ll_err *err) LL_USE_RESULT;
/* True: the state is that of this turn. Asked again in a later turn it looks
 * again. False: `wait` is told when to ask. */
bool ll_held_ready(struct ll_held *held, struct ll_wait *wait);
/* Wipes what was read and lets go. Also for one that is zero or ended. The
 * caller takes back its own `wait` first. */
void ll_held_end(struct ll_held *held);

/* -- changing one -- */

struct ll_value_change {
    linli_str json;  /* compact JSON that was judged; empty: it goes */
    linli_str actor; /* as in a leaf */
    linli_str tag;   /* of the resident, 32 digits; empty: not theirs alone */
    struct ll_world *world; /* for a salt */
    int64_t now_ms;
};

/* Adds it to a transaction and, as a `correct` leaf with the value's salted
 * digest, to the commit that the transaction will go into. `held` is ready in
 * this turn. What is as it should be already is not written: *changed false.
 * "field/shredded" for one that is; "store/failed"; "runtime/memory". */
linli_status ll_value_put(struct ll_held *held,
    const struct ll_value_change *change, struct ll_txn *txn,
    struct ll_commit *commit, bool *changed, struct ll_err *err) LL_USE_RESULT;

#endif
