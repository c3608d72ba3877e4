/* domain/checkpoint.h: the head of a log, signed. [any]
 *
 * C2SP tlog-checkpoint in a C2SP signed note, by Ed25519 of libcrypto:
 *
 *     ORIGIN
 *     SIZE
 *     base64 of the root
 *
 *     — ORIGIN base64(4 bytes of key id || signature)
 *
 * More lines before the empty one and signatures of others after it are
 * taken as they are: witnesses add theirs. A public key is written as a C2SP
 * vkey, "ORIGIN+hex id+base64(0x01 || key)". spec/log.md, section 3.
 */
#ifndef LL_DOMAIN_CHECKPOINT_H
#define LL_DOMAIN_CHECKPOINT_H

#include "base/buf.h"
#include "domain/merkle.h"

#define LL_ORIGIN_BYTES_MAX 200
#define LL_NOTE_BYTES_MAX 16384 /* of a checkpoint and its signatures */
#define LL_NOTE_SIGNATURES_MAX 32
#define LL_VKEY_BYTES_MAX (LL_ORIGIN_BYTES_MAX + 64)
#define LL_ED25519_BYTES 32 /* of a seed, and of a public key */
#define LL_ED25519_SIGNATURE_BYTES 64

/* 1 to LL_ORIGIN_BYTES_MAX printable bytes of ASCII without space and '+'. */
bool ll_origin_valid(linli_str origin);

/* -- keys -- */

struct ll_vkey {
    char origin[LL_ORIGIN_BYTES_MAX + 1];
    unsigned char id[4]; /* of SHA-256(origin || 0x0a || 0x01 || key) */
    unsigned char key[LL_ED25519_BYTES];
};

/* The public key of a seed; `origin` is valid. */
void ll_vkey_of(const unsigned char seed[LL_ED25519_BYTES], linli_str origin,
    struct ll_vkey *out);
/* As text, and back; false if it is none, or its id is another key's. */
void ll_vkey_put(struct ll_buf *out, const struct ll_vkey *key);
bool ll_vkey_read(linli_str text, struct ll_vkey *out) LL_USE_RESULT;
bool ll_vkey_eq(const struct ll_vkey *a, const struct ll_vkey *b);

/* Signs a text that is no checkpoint: its first line says what it is. */
void ll_ed25519_sign(const unsigned char seed[LL_ED25519_BYTES], linli_str text,
    unsigned char out[LL_ED25519_SIGNATURE_BYTES]);

/* -- checkpoints -- */

struct ll_checkpoint {
    linli_str origin; /* within the note */
    uint64_t size;
    struct ll_hash root;
    linli_str signed_text; /* the lines before the empty one */
    linli_str signatures;  /* those after it */
};

/* Appends a note of `size` leaves under `root`, signed with the key of the
 * seed, whose public part `key` is. */
void ll_checkpoint_put(struct ll_buf *out, const struct ll_vkey *key,
    const unsigned char seed[LL_ED25519_BYTES], uint64_t size,
    const struct ll_hash *root);

/* Reads a note; nothing is verified. "log/checkpoint". */
linli_status ll_checkpoint_read(linli_str note, struct ll_checkpoint *out,
    struct ll_err *err) LL_USE_RESULT;
/* Whether `key` has signed it, for its own origin. */
bool ll_checkpoint_signed(
    const struct ll_checkpoint *checkpoint, const struct ll_vkey *key);

#endif
