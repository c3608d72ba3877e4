/* domain/dictionary.h: what resident data there is, and what it may be asked
 * for. [any: made once, read only]
 *
 * spec/data-dictionary.json, closed and compiled in. A plugin names fields and
 * purposes by id only; everything else here is the host's. A view is a field
 * of its own whose value is computed from another's and says less.
 */
#ifndef LL_DOMAIN_DICTIONARY_H
#define LL_DOMAIN_DICTIONARY_H

#include "base/err.h"
#include "base/mem.h"

#define LL_FIELDS_MAX 64   /* a set of fields is 64 bits */
#define LL_PURPOSES_MAX 32 /* a set of purposes is 32 */

/* PIPL art. 28 and spec/consent.md, section 1. A set takes its highest. */
enum ll_class { LL_C1 = 1, LL_C2 = 2, LL_C3 = 3 };

#define LL_FIELD_KINDS(X) \
    X(NONE, none)         \
    X(BIO, bio)           \
    X(RELIGION, religion) \
    X(IDENTITY, identity) \
    X(HEALTH, health) X(FINANCE, finance) X(TRACK, track) X(MINOR, minor)
enum ll_field_kind {
#define X(name, word) LL_KIND_##name,
    LL_FIELD_KINDS(X)
#undef X
};

#define LL_PURPOSE_CATEGORIES(X) \
    X(CORE, core)                \
    X(OPTIONAL, optional)        \
    X(MARKETING, marketing)      \
    X(PROFILING, profiling) X(SAFETY, safety) X(EMERGENCY, emergency)
enum ll_purpose_category {
#define X(name, word) LL_PURPOSE_##name,
    LL_PURPOSE_CATEGORIES(X)
#undef X
};

/* How a view is made of its source: domain/view.h. */
#define LL_VIEWS(X)                 \
    X(NONE, none)                   \
    X(AGE_BAND, age_band)           \
    X(IS_60_PLUS, is_60_plus)       \
    X(BUILDING_ONLY, building_only) \
    X(MASKED_PHONE, masked_phone) X(MASKED_PLATE, masked_plate)
enum ll_view_kind {
#define X(name, word) LL_VIEW_##name,
    LL_VIEWS(X)
#undef X
};

struct ll_field_def {
    linli_str id; /* "phone_relay" */
    linli_str name_zh, name_en;
    linli_str type; /* "string", "integer", "number", "boolean", "object",
                       "array": what its value is in JSON */
    enum ll_class class;
    enum ll_field_kind kind;
    bool household;          /* else the resident's own */
    bool direct_identifier;  /* raw, it needs the operator's review */
    bool brokered;           /* the host makes it up for each plugin: a relay */
    bool deny_opaque;        /* a plugin cannot tell why it got nothing */
    uint32_t retention_days; /* of a grant that says nothing, 1..365 */
    uint32_t statutory_days; /* kept so long after erasure; 0: not at all */
    linli_str statutory_law; /* the article that asks for it; or empty */
    enum ll_view_kind view;
    uint8_t source; /* of a view: the field it is made of; its own
                       number otherwise */
};

struct ll_purpose_def {
    linli_str id;               /* "delivery" */
    linli_str text_zh, text_en; /* what residents read */
    enum ll_purpose_category category;
};

struct ll_dictionary {
    struct ll_arena arena; /* owns everything below */
    uint32_t version;
    uint32_t field_count, purpose_count;
    struct ll_field_def fields[LL_FIELDS_MAX]; /* by number */
    struct ll_purpose_def purposes[LL_PURPOSES_MAX];
};

/* Reads the compiled-in registry. `out` must stay where it is.
 * "runtime/memory"; a bad registry is a bug and aborts. */
linli_status ll_dictionary_init(struct ll_dictionary *out, struct ll_mem *mem,
    struct ll_err *err) LL_USE_RESULT;
void ll_dictionary_fini(struct ll_dictionary *dictionary);

/* The number of a field or purpose by its id, or -1. */
int ll_dictionary_field(const struct ll_dictionary *dictionary, linli_str id);
int ll_dictionary_purpose(const struct ll_dictionary *dictionary, linli_str id);
/* The highest class in a set of fields; LL_C1 for none. */
enum ll_class ll_dictionary_class(
    const struct ll_dictionary *dictionary, uint64_t fields);
/* "C1" ... and the words of the enums above. */
const char *ll_class_name(enum ll_class class);
const char *ll_field_kind_name(enum ll_field_kind kind);
const char *ll_purpose_category_name(enum ll_purpose_category category);

#endif
