/* cmd/audit_verify.h: is this log the one that was signed?
 *
 * Hashes every leaf, compares it with the hash that is kept of it, grows the
 * tree over both, and looks at each witness, a signed checkpoint, when the
 * trees have its size: so what differs is known, and which of the two is
 * wrong. What is found first is told: code and seq. spec/log.md, section 5.
 */
#ifndef LL_CMD_AUDIT_VERIFY_H
#define LL_CMD_AUDIT_VERIFY_H

#include "cmd/audit_source.h"
#include "domain/checkpoint.h"

#define LL_WITNESSES_MAX 4

struct ll_witness {
    char label[LL_AUDIT_PATH_BYTES]; /* "linli.head", "log_head", a file */
    struct ll_buf text;
    struct ll_checkpoint note;
    /* the roots of as many leaves, of the leaves and of the hashes kept */
    struct ll_hash by_leaves, by_hashes;
    bool leaves_reach, hashes_reach;
};

struct ll_audit {
    struct ll_mem *mem;
    struct ll_source source;
    struct ll_witness witnesses[LL_WITNESSES_MAX];
    uint32_t witness_count;
    struct ll_vkey key; /* given, of linli.key, or of the first leaf */
    bool has_key;
    bool key_given; /* else the log's own word is all there is for it */
    /* the answer */
    uint64_t leaves;
    struct ll_hash root;
    const struct ll_witness *last; /* the one that has seen most */
};

/* Opens an export, a copy or, with `data_dir`, a data directory, and gathers
 * what witnesses it has: what lies beside it is read before it, so that it
 * cannot be ahead. `key` may be NULL. */
struct ll_audit_options {
    struct ll_mem *mem;
    const char *path;
    bool data_dir;
    const char *checkpoint; /* a further one; NULL: none */
    const char *key;        /* a vkey; NULL: none */
};
linli_status ll_audit_begin(struct ll_audit *audit,
    const struct ll_audit_options *options, struct ll_err *err) LL_USE_RESULT;
void ll_audit_end(struct ll_audit *audit);

/* The whole of it. Codes: "audit/leaf", "audit/missing", "audit/order",
 * "audit/rewritten", "audit/tile", "audit/head", "audit/checkpoint",
 * "audit/rollback"; `where` says "seq N" where there is one. */
linli_status ll_audit_verify(
    struct ll_audit *audit, struct ll_err *err) LL_USE_RESULT;

#endif
