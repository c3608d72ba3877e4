/* domain/leaf.h: one entry of the log of consent. [any]
 *
 * A leaf is one line of canonical JSON: members in the order of the struct,
 * those that say nothing left out, no space, integers, ASCII escapes as
 * base/json writes them. Its bytes are what is hashed, kept in log_leaf and
 * exported; anyone reads it with any tool. It names nobody: a resident is the
 * tag drawn for them, whose row is erased with them. spec/consent.md,
 * section 6.
 */
#ifndef LL_DOMAIN_LEAF_H
#define LL_DOMAIN_LEAF_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

#define LL_LEAF_VERSION 1 /* `v`, the first member */
/* A plugin's terms, with every field it declares, are the longest. */
#define LL_LEAF_BYTES_MAX 32768

/* X(name, word): what happened */
#define LL_LEAF_TYPES(X)                                                    \
    X(ORIGIN, origin)     /* the first: whose log, its public key */        \
    X(TERMS, terms)       /* a plugin's declared data, here, from now on */ \
    X(BASIS, basis)       /* an operator approves one, or ends it */        \
    X(PERSON, person)     /* a resident's state or capacity */              \
    X(GUARDIAN, guardian) /* a guardianship, its status */                  \
    X(GIVE, give)                                                           \
    X(REFUSE, refuse)                                                       \
    X(WITHDRAW, withdraw)                                                   \
    X(OBJECT, object)   /* and taking it back */                            \
    X(ACCESS, access)   /* a release */                                     \
    X(ABORT, abort)     /* what an access promised reached nobody */        \
    X(CORRECT, correct) /* a value was changed; its digest, salted */       \
    X(REQUEST, request) /* export, erasure: asked, done, refused */         \
    X(SHRED, shred)     /* a subject's keys are gone */                     \
    X(DUTY, duty)       /* made, done, overdue */
enum ll_leaf_type {
#define X(name, word) LL_LEAF_##name,
    LL_LEAF_TYPES(X)
#undef X
};
const char *ll_leaf_type_name(enum ll_leaf_type type);

/* Strings are ids and hexadecimal digits; empty: not there. Numbers: 0 is not
 * there, but `v`, `at`. What else a type says is in `data`. */
struct ll_leaf {
    enum ll_leaf_type type;
    int64_t at_ms; /* the host's clock */
    linli_str community;
    linli_str actor;   /* a resident's tag, or "staff:ID", "operator:ID",
                          "device:ID", "system" */
    linli_str subject; /* a tag, 32 hexadecimal digits */
    linli_str plugin;
    linli_str purpose;     /* an id of the dictionary */
    linli_str fields_json; /* a sorted array of ids of the dictionary */
    linli_str basis;       /* "consent", ... */
    linli_str level;       /* "general", "separate", "written" */
    linli_str grant;       /* its id, 32 hexadecimal digits */
    int64_t version;       /* of the plugin's terms */
    int64_t until_ms;      /* exclusive */
    int64_t uses;          /* of a give: how often; absent: no limit */
    linli_str result;      /* "allow", "done", "refused", ... */
    linli_str call;        /* id of the call, 32 hexadecimal digits */
    linli_str notice;      /* SHA-256 of the text that was shown, hex */
    linli_str digest;      /* SHA-256 of what is too long or too private */
    linli_str data_json;   /* an object, canonical; or empty */
};

/* Appends the line, without a newline. out->failed without memory. */
void ll_leaf_put(struct ll_buf *out, const struct ll_leaf *leaf);
/* Reads one; strings point into `json`, whose text is the line. Refuses what
 * ll_leaf_put would not have written byte for byte: "log/leaf". */
linli_status ll_leaf_read(struct ll_json *json, linli_str line,
    struct ll_leaf *out, struct ll_err *err) LL_USE_RESULT;

#endif
