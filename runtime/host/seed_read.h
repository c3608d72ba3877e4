/* host/seed_read.h: what a seed says, judged as far as that needs no store.
 * [loop] */
#ifndef LL_HOST_SEED_READ_H
#define LL_HOST_SEED_READ_H

#include "consent/values.h"
#include "host/host.h"

/* A document that is to be. */
struct ll_seed_item {
    linli_str community; /* "~": the host's own */
    const char *coll;    /* "~resident" */
    linli_str id;
    linli_str about;    /* whose key it is sealed with: itself, or a ward */
    struct ll_jv value; /* as it stands in the seed */
    struct ll_doc *doc; /* a reference, once it is asked for */
    unsigned char tag[LL_TAG_BYTES]; /* of a resident */
    bool written;                    /* something of it was not so before */
};

/* A value of a field that is to be. */
struct ll_seed_value {
    struct ll_seed_item *item;
    const struct ll_field_def *field;
    struct ll_jv value;
    struct ll_held held; /* once it is asked for */
};

/* Something that must be there, which the seed does not bring itself: in one
 * collection or, if there are two, in either. */
struct ll_seed_ref {
    struct ll_jv at; /* the member that names it */
    linli_str community, id;
    const char *colls[2]; /* the second may be NULL */
    struct ll_doc *docs[2];
};

struct ll_seed_text {
    struct ll_mem *mem;
    struct ll_arena arena;
    struct ll_json json; /* its text is the caller's */
    struct ll_seed_item *items;
    struct ll_seed_item **sorted;    /* by collection, community, id */
    struct ll_seed_item **residents; /* by id alone */
    struct ll_seed_ref *refs;
    struct ll_seed_value *values;
    uint32_t count, resident_count, ref_count, value_count;
};

/* Reads and judges. Codes "request/json", "seed/invalid", "runtime/memory";
 * nothing is kept then. */
linli_status ll_seed_read(struct ll_host *host, linli_str json,
    struct ll_seed_text *out, struct ll_err *err) LL_USE_RESULT;
/* Lets go of the documents too. */
void ll_seed_text_fini(struct ll_seed_text *text);

/* "seed/invalid" at the place of `at`. */
linli_status ll_seed_fail(const struct ll_seed_text *text, struct ll_jv at,
    struct ll_err *err, const char *fmt, ...) LL_PRINTF(4, 5);

/* The document of an item as it is stored, into `out`. Its community is there
 * by now. */
void ll_seed_body(
    struct ll_host *host, const struct ll_seed_item *item, struct ll_buf *out);

/* Whether a member of it is kept elsewhere than in its document.
 * host/seed_people.c */
bool ll_seed_is_elsewhere(const struct ll_seed_item *item, linli_str name);

#endif
