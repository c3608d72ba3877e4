/* store/seal.h: what is about a subject lies sealed in the file. [any: one
 * sealer belongs to one thread]
 *
 * spec/store.md. Every (space, subject) has a key of its own, drawn when it
 * is first needed and kept in subject_key, wrapped under the key of the key
 * file. A blob says itself what it is:
 *
 *   0x00 plain                                       about nobody
 *   0x01 key id (8, big-endian) nonce (12) text tag (16)
 *
 * AES-256-GCM; nonces are random; what precedes the text is authenticated
 * with it. A key that was taken away (wrapped is null) makes everything under
 * it unreadable for good, and what is sealed for its subject later too; so
 * does one that is kept until a day without being read by anybody.
 */
#ifndef LL_STORE_SEAL_H
#define LL_STORE_SEAL_H

#include "store/db.h"

#define LL_SEAL_KEY_BYTES 32
#define LL_SEAL_HEAD_BYTES 21 /* kind, key id, nonce */
#define LL_SEAL_TAG_BYTES 16

struct ll_sealer {
    struct ll_mem *mem;
    struct ll_seal_key *keys; /* LL_STORE_KEYS_MAX, by hash; lost at will */
    void *cipher, *context;   /* of OpenSSL */
    unsigned char root[LL_SEAL_KEY_BYTES];
    unsigned char random[256]; /* drawn ahead */
    size_t random_left;
    int64_t last_id;    /* of subject_key; writers only */
    struct ll_buf text; /* what was unsealed last */
};

/* Whom something is about, in a space. */
struct ll_subject {
    int64_t space;
    linli_str pid; /* empty: nobody */
};

/* `root` is what the key file holds. */
linli_status ll_sealer_init(struct ll_sealer *sealer, struct ll_mem *mem,
    const unsigned char root[LL_SEAL_KEY_BYTES],
    struct ll_err *err) LL_USE_RESULT;
void ll_sealer_fini(struct ll_sealer *sealer);
/* Forgets the keys it has seen. */
void ll_sealer_forget(struct ll_sealer *sealer);

/* Appends `plain` sealed for a subject. On the writer, in a transaction: it
 * may add a key. If the subject's was taken away, nobody will read it. */
linli_status ll_seal(struct ll_sealer *sealer, struct ll_db *db,
    const struct ll_subject *subject, linli_str plain, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;

/* What a blob holds, borrowed until the next call or until the blob goes;
 * *there is false if its key was taken away. "store/corrupt" if it is not
 * what was sealed. */
linli_status ll_unseal(struct ll_sealer *sealer, struct ll_db *db,
    linli_str blob, linli_str *plain, bool *there,
    struct ll_err *err) LL_USE_RESULT;

/* A database proves that a key file is its own by a key of nobody's, which
 * it gets when it is made. "store/key" if it is another one's. */
linli_status ll_seal_mark(struct ll_sealer *sealer, struct ll_db *db,
    struct ll_err *err) LL_USE_RESULT;
linli_status ll_seal_check_mark(struct ll_sealer *sealer, struct ll_db *db,
    struct ll_err *err) LL_USE_RESULT;

#endif
