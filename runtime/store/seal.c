/* store/seal.c: AES-256-GCM by OpenSSL, and the keys it is used with. */
#include "store/seal.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/hash.h"
#include "base/limits.h"

#define KIND_PLAIN 0x00
#define KIND_SEALED 0x01
#define NONCE_BYTES 12
#define WRAPPED_BYTES (NONCE_BYTES + LL_SEAL_KEY_BYTES + LL_SEAL_TAG_BYTES)
/* Longer subjects are sealed too, only their keys are not kept. */
#define SUBJECT_BYTES_MAX 64

_Static_assert(
    LL_SEAL_HEAD_BYTES == 1 + 8 + NONCE_BYTES, "the head of a sealed blob");
_Static_assert((LL_STORE_KEYS_MAX & (LL_STORE_KEYS_MAX - 1)) == 0,
    "keys are found by the low bits of a hash");

/* A place of the table. Found by the subject in a sealer that seals, by the
 * id in one that opens; a key may well stand in both places. */
struct ll_seal_key {
    int64_t id; /* 0: an empty place */
    int64_t space;
    uint32_t subject_len;
    bool gone; /* taken away, or kept for nobody to read */
    char subject[SUBJECT_BYTES_MAX];
    unsigned char key[LL_SEAL_KEY_BYTES];
};

static linli_status
fail_memory(struct ll_err *err)
{
    return ll_fail(
        err, LINLI_E_NOMEM, "runtime/memory", "no memory for sealing");
}

linli_status
ll_sealer_init(struct ll_sealer *sealer, struct ll_mem *mem,
    const unsigned char root[LL_SEAL_KEY_BYTES], struct ll_err *err)
{
    *sealer = (struct ll_sealer){.mem = mem};
    memcpy(sealer->root, root, sizeof sealer->root);
    ll_buf_init(&sealer->text, mem, LL_STORE_BLOB_BYTES_MAX);
    sealer->keys = ll_alloc(mem, LL_STORE_KEYS_MAX * sizeof *sealer->keys);
    sealer->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    sealer->context = EVP_CIPHER_CTX_new();
    if (sealer->keys != NULL && sealer->cipher != NULL &&
        sealer->context != NULL &&
        EVP_EncryptInit_ex2(
            sealer->context, sealer->cipher, NULL, NULL, NULL) == 1)
        return LINLI_OK;
    ll_sealer_fini(sealer);
    return fail_memory(err);
}

void
ll_sealer_forget(struct ll_sealer *sealer)
{
    if (sealer->keys != NULL)
        OPENSSL_cleanse(sealer->keys, LL_STORE_KEYS_MAX * sizeof *sealer->keys);
}

void
ll_sealer_fini(struct ll_sealer *sealer)
{
    if (sealer->mem == NULL)
        return;
    ll_sealer_forget(sealer);
    ll_release(
        sealer->mem, sealer->keys, LL_STORE_KEYS_MAX * sizeof *sealer->keys);
    EVP_CIPHER_CTX_free(sealer->context);
    EVP_CIPHER_free(sealer->cipher);
    ll_buf_fini(&sealer->text);
    OPENSSL_cleanse(sealer, sizeof *sealer);
}

/* Random bytes, a nonce at a time: one call to the generator for many. */
static linli_status
draw(struct ll_sealer *sealer, unsigned char *out, size_t n, struct ll_err *err)
{
    ll_check(n <= sizeof sealer->random);
    if (sealer->random_left < n) {
        if (RAND_priv_bytes(sealer->random, (int)sizeof sealer->random) != 1)
            return ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
                "libcrypto has no random numbers");
        sealer->random_left = sizeof sealer->random;
    }
    sealer->random_left -= n;
    memcpy(out, sealer->random + sealer->random_left, n);
    OPENSSL_cleanse(sealer->random + sealer->random_left, n);
    return LINLI_OK;
}

/* -- the cipher -- */

struct message {
    const unsigned char *key, *nonce;
    linli_str head; /* authenticated only */
    linli_str in;
    unsigned char *out; /* as long as `in` */
};

static bool
cipher_text(EVP_CIPHER_CTX *context, const struct message *m)
{
    int n = 0;
    if (m->in.len > INT_MAX || m->head.len > INT_MAX)
        return false;
    if (EVP_CipherUpdate(context, NULL, &n, (const unsigned char *)m->head.ptr,
            (int)m->head.len) != 1)
        return false;
    /* An empty text has no step of its own. */
    return m->in.len == 0 ||
           EVP_CipherUpdate(context, m->out, &n,
               (const unsigned char *)m->in.ptr, (int)m->in.len) == 1;
}

static linli_status
encrypt(struct ll_sealer *sealer, const struct message *m,
    unsigned char tag[LL_SEAL_TAG_BYTES], struct ll_err *err)
{
    unsigned char none[16];
    int n = 0;
    if (EVP_CipherInit_ex2(sealer->context, NULL, m->key, m->nonce, 1, NULL) ==
            1 &&
        cipher_text(sealer->context, m) &&
        EVP_CipherFinal_ex(sealer->context, none, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(sealer->context, EVP_CTRL_AEAD_GET_TAG,
            LL_SEAL_TAG_BYTES, tag) == 1)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
        "libcrypto does not encrypt");
}

/* False: not what was encrypted with this key. */
static bool
decrypt(struct ll_sealer *sealer, const struct message *m,
    const unsigned char tag[LL_SEAL_TAG_BYTES])
{
    unsigned char none[16], expected[LL_SEAL_TAG_BYTES];
    int n = 0;
    memcpy(expected, tag, sizeof expected);
    return EVP_CipherInit_ex2(
               sealer->context, NULL, m->key, m->nonce, 0, NULL) == 1 &&
           cipher_text(sealer->context, m) &&
           EVP_CIPHER_CTX_ctrl(sealer->context, EVP_CTRL_AEAD_SET_TAG,
               LL_SEAL_TAG_BYTES, expected) == 1 &&
           EVP_CipherFinal_ex(sealer->context, none, &n) == 1;
}

/* -- keys -- */

static void
put_u64(unsigned char out[8], int64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
}

/* Whose key it is, as bytes that the wrapping authenticates. */
static linli_status
owner_bytes(const struct ll_seal_key *key, linli_str subject,
    struct ll_buf *out, struct ll_err *err)
{
    unsigned char numbers[16];
    put_u64(numbers, key->id);
    put_u64(numbers + 8, key->space);
    ll_buf_clear(out);
    ll_buf_add(out, numbers, sizeof numbers);
    ll_buf_str(out, subject);
    return out->failed ? fail_memory(err) : LINLI_OK;
}

static linli_status
wrap(struct ll_sealer *sealer, const struct ll_seal_key *key, linli_str subject,
    unsigned char out[WRAPPED_BYTES], struct ll_err *err)
{
    linli_status status = owner_bytes(key, subject, &sealer->text, err);
    if (status == LINLI_OK)
        status = draw(sealer, out, NONCE_BYTES, err);
    if (status != LINLI_OK)
        return status;
    struct message m = {.key = sealer->root,
        .nonce = out,
        .head = ll_buf_view(&sealer->text),
        .in = {(const char *)key->key, sizeof key->key},
        .out = out + NONCE_BYTES};
    return encrypt(sealer, &m, out + NONCE_BYTES + sizeof key->key, err);
}

/* Fills key->key. */
static linli_status
unwrap(struct ll_sealer *sealer, struct ll_seal_key *key, linli_str subject,
    linli_str wrapped, struct ll_err *err)
{
    const unsigned char *p = (const unsigned char *)wrapped.ptr;
    linli_status status = owner_bytes(key, subject, &sealer->text, err);
    if (status != LINLI_OK)
        return status;
    struct message m = {.key = sealer->root,
        .nonce = p,
        .head = ll_buf_view(&sealer->text),
        .in = {wrapped.ptr + NONCE_BYTES, sizeof key->key},
        .out = key->key};
    if (wrapped.len == WRAPPED_BYTES &&
        decrypt(sealer, &m, p + NONCE_BYTES + sizeof key->key))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_DENIED, "store/key",
        "linli.key does not open the key %lld", (long long)key->id);
}

/* Where the key of a subject is kept, if it is. */
static struct ll_seal_key *
place_of_subject(struct ll_sealer *sealer, int64_t space, linli_str subject)
{
    uint64_t hash = ll_fnv(subject) ^ (uint64_t)space * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
    return &sealer->keys[hash & (LL_STORE_KEYS_MAX - 1)];
}

static bool
is_of(const struct ll_seal_key *key, int64_t space, linli_str subject)
{
    return key->id != 0 && key->space == space &&
           key->subject_len == subject.len &&
           memcmp(key->subject, subject.ptr, subject.len) == 0;
}

/* Draws a key for a subject that has none, and keeps it in the database. */
static linli_status
make_key(struct ll_sealer *sealer, struct ll_db *db, linli_str subject,
    struct ll_seal_key *key, struct ll_err *err)
{
    unsigned char wrapped[WRAPPED_BYTES];
    key->id = ++sealer->last_id;
    linli_status status = draw(sealer, key->key, sizeof key->key, err);
    if (status == LINLI_OK)
        status = wrap(sealer, key, subject, wrapped, err);
    if (status != LINLI_OK)
        return status;
    sqlite3_stmt *insert = ll_db_statement(db, LL_SI_subject_new, err);
    if (insert == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(insert, 1, key->id);
    (void)sqlite3_bind_int64(insert, 2, key->space);
    (void)sqlite3_bind_text64(
        insert, 3, subject.ptr, subject.len, SQLITE_STATIC, SQLITE_UTF8);
    (void)sqlite3_bind_blob64(
        insert, 4, wrapped, sizeof wrapped, SQLITE_STATIC);
    return ll_db_run(db, insert, err);
}

/* The row of a subject; key->id stays 0 without one. */
static linli_status
find_key(struct ll_sealer *sealer, struct ll_db *db, linli_str subject,
    struct ll_seal_key *key, struct ll_err *err)
{
    bool row;
    /* The mark is looked at before a database is brought up to date. */
    bool mark = subject.len == 0;
    sqlite3_stmt *find =
        ll_db_statement(db, mark ? LL_SI_mark_find : LL_SI_subject_find, err);
    if (find == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(find, 1, key->space);
    (void)sqlite3_bind_text64(
        find, 2, subject.ptr, subject.len, SQLITE_STATIC, SQLITE_UTF8);
    linli_status status = ll_db_step(db, find, &row, err);
    if (!row)
        return status;
    key->id = sqlite3_column_int64(find, 0);
    linli_str wrapped = ll_db_bytes(find, 1);
    key->gone =
        wrapped.ptr == NULL || sqlite3_column_type(find, 2) != SQLITE_NULL;
    if (!key->gone)
        status = unwrap(sealer, key, subject, wrapped, err);
    (void)sqlite3_reset(find);
    return status;
}

/* The key of a subject, made if there is none. */
static linli_status
key_of_subject(struct ll_sealer *sealer, struct ll_db *db, linli_str subject,
    struct ll_seal_key *key, struct ll_err *err)
{
    struct ll_seal_key *kept = place_of_subject(sealer, key->space, subject);
    if (is_of(kept, key->space, subject)) {
        *key = *kept;
        return LINLI_OK;
    }
    linli_status status = find_key(sealer, db, subject, key, err);
    if (status == LINLI_OK && key->id == 0)
        status = make_key(sealer, db, subject, key, err);
    if (status != LINLI_OK || subject.len > SUBJECT_BYTES_MAX)
        return status;
    key->subject_len = (uint32_t)subject.len;
    memcpy(key->subject, subject.ptr, subject.len);
    *kept = *key;
    return LINLI_OK;
}

static linli_status
key_of_id(struct ll_sealer *sealer, struct ll_db *db, int64_t id,
    struct ll_seal_key *key, struct ll_err *err)
{
    struct ll_seal_key *kept =
        &sealer->keys[(uint64_t)id & (LL_STORE_KEYS_MAX - 1)];
    if (kept->id == id && id != 0) {
        *key = *kept;
        return LINLI_OK;
    }
    bool row;
    sqlite3_stmt *get = ll_db_statement(db, LL_SI_subject_get, err);
    if (get == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(get, 1, id);
    linli_status status = ll_db_step(db, get, &row, err);
    if (status != LINLI_OK)
        return status;
    if (!row)
        return ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "the key %lld is not there", (long long)id);
    key->id = id;
    key->space = sqlite3_column_int64(get, 0);
    linli_str subject = ll_db_bytes(get, 1), wrapped = ll_db_bytes(get, 2);
    key->gone =
        wrapped.ptr == NULL || sqlite3_column_type(get, 3) != SQLITE_NULL;
    if (!key->gone)
        status = unwrap(sealer, key, subject, wrapped, err);
    (void)sqlite3_reset(get);
    if (status == LINLI_OK)
        *kept = *key;
    return status;
}

/* -- sealing and opening -- */

linli_status
ll_seal(struct ll_sealer *sealer, struct ll_db *db,
    const struct ll_subject *subject, linli_str plain, struct ll_buf *out,
    struct ll_err *err)
{
    if (subject->pid.len == 0) {
        ll_buf_char(out, KIND_PLAIN);
        ll_buf_str(out, plain);
        return out->failed ? fail_memory(err) : LINLI_OK;
    }
    struct ll_seal_key key = {.space = subject->space};
    linli_status status = key_of_subject(sealer, db, subject->pid, &key, err);
    /* What comes after the key has gone, an answer that was under way, is
     * sealed all the same, with a key that nobody keeps. */
    if (status == LINLI_OK && key.gone)
        status = draw(sealer, key.key, sizeof key.key, err);
    if (status != LINLI_OK)
        goto out;
    size_t size = LL_SEAL_HEAD_BYTES + plain.len + LL_SEAL_TAG_BYTES;
    if (!ll_buf_room(out, size)) {
        status = fail_memory(err);
        goto out;
    }
    unsigned char *head = (unsigned char *)out->ptr + out->len;
    head[0] = KIND_SEALED;
    put_u64(head + 1, key.id);
    status = draw(sealer, head + 9, NONCE_BYTES, err);
    if (status != LINLI_OK)
        goto out;
    struct message m = {.key = key.key,
        .nonce = head + 9,
        .head = {(const char *)head, LL_SEAL_HEAD_BYTES},
        .in = plain,
        .out = head + LL_SEAL_HEAD_BYTES};
    status = encrypt(sealer, &m, m.out + plain.len, err);
    if (status == LINLI_OK)
        out->len += size;
out:
    OPENSSL_cleanse(&key, sizeof key);
    return status;
}

static linli_status
fail_blob(struct ll_err *err, int64_t id)
{
    return ll_fail(err, LINLI_E_INVALID, "store/corrupt",
        "a value under key %lld is not what was sealed", (long long)id);
}

/* `blob` is KIND_SEALED and long enough. */
static linli_status
open_sealed(struct ll_sealer *sealer, linli_str blob,
    const struct ll_seal_key *key, linli_str *plain, struct ll_err *err)
{
    const unsigned char *head = (const unsigned char *)blob.ptr;
    size_t len = blob.len - LL_SEAL_HEAD_BYTES - LL_SEAL_TAG_BYTES;
    ll_buf_clear(&sealer->text);
    if (!ll_buf_room(&sealer->text, len + 1))
        return fail_memory(err);
    struct message m = {.key = key->key,
        .nonce = head + 9,
        .head = {blob.ptr, LL_SEAL_HEAD_BYTES},
        .in = {blob.ptr + LL_SEAL_HEAD_BYTES, len},
        .out = (unsigned char *)sealer->text.ptr};
    if (!decrypt(sealer, &m, head + LL_SEAL_HEAD_BYTES + len))
        return fail_blob(err, key->id);
    *plain = (linli_str){sealer->text.ptr, len};
    return LINLI_OK;
}

linli_status
ll_unseal(struct ll_sealer *sealer, struct ll_db *db, linli_str blob,
    linli_str *plain, bool *there, struct ll_err *err)
{
    const unsigned char *p = (const unsigned char *)blob.ptr;
    *plain = (linli_str){NULL, 0};
    *there = false;
    if (blob.len >= 1 && p[0] == KIND_PLAIN) {
        *there = true;
        *plain = (linli_str){blob.ptr + 1, blob.len - 1};
        return LINLI_OK;
    }
    if (blob.len < LL_SEAL_HEAD_BYTES + LL_SEAL_TAG_BYTES ||
        p[0] != KIND_SEALED)
        return fail_blob(err, 0);
    int64_t id = 0;
    for (int i = 1; i <= 8; i++)
        id = (int64_t)((uint64_t)id << 8 | p[i]);
    struct ll_seal_key key = {0};
    linli_status status = key_of_id(sealer, db, id, &key, err);
    if (status == LINLI_OK && !key.gone) {
        status = open_sealed(sealer, blob, &key, plain, err);
        *there = status == LINLI_OK;
    }
    OPENSSL_cleanse(&key, sizeof key);
    return status;
}

/* -- the mark -- */

linli_status
ll_seal_mark(struct ll_sealer *sealer, struct ll_db *db, struct ll_err *err)
{
    struct ll_seal_key key = {0};
    linli_status status = make_key(sealer, db, LINLI_STR(""), &key, err);
    OPENSSL_cleanse(&key, sizeof key);
    return status;
}

linli_status
ll_seal_check_mark(
    struct ll_sealer *sealer, struct ll_db *db, struct ll_err *err)
{
    struct ll_seal_key key = {0};
    linli_status status = find_key(sealer, db, LINLI_STR(""), &key, err);
    if (status == LINLI_OK && (key.id == 0 || key.gone))
        status = ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "the mark of the key file is not there");
    OPENSSL_cleanse(&key, sizeof key);
    return status;
}
