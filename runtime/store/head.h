/* store/head.h: the head of the log, signed, and the file that witnesses it.
 * [loop, unless a function says otherwise]
 *
 * What has become durable is signed by a thread of its own, at once and then
 * at most every LL_LOG_HEAD_MS, or LL_LOG_HURRY_MS if somebody waits for it,
 * and written to linli.head beside the
 * database, whole or not at all. The file is never ahead of the database; so
 * a database that is behind it, or of which it is no beginning, is not the
 * one that was here: then the head is sealed, signs nothing and leaves the
 * file as it is. The key is made from linli.key, by which alone it can be had.
 * spec/log.md, section 4.
 */
#ifndef LL_STORE_HEAD_H
#define LL_STORE_HEAD_H

#include "domain/checkpoint.h"
#include "store/log.h"
#include "store/place.h"

#define LL_STORE_HEAD_FILE "linli.head"

struct ll_head;

/* `at`: the data directory; -1: no file. `origin` empty: one is made from the
 * key. `now_ms` is the time of the first leaf. Codes: "config/invalid". */
struct ll_head_options {
    struct ll_mem *mem; /* of the loop */
    const struct ll_place *place;
    struct ll_wakeup *wakeup; /* sent when ll_head_failed has something */
    int at;
    linli_str origin;
    int64_t now_ms;
};
linli_status ll_head_new(const struct ll_head_options *options,
    struct ll_head **out, struct ll_err *err) LL_USE_RESULT;
/* After ll_head_stop. */
void ll_head_free(struct ll_head **head);

/* Compares the log with its first leaf and with linli.head, gives the tree of
 * a log that has not begun its first leaf, and signs what is there. Before
 * any thread. "store/corrupt", "config/invalid" (the log began under another
 * origin), "store/io". A log that is not the one of linli.head is no failure
 * but sealed. */
linli_status ll_head_judge(struct ll_head *head, struct ll_logtree *tree,
    struct ll_err *err) LL_USE_RESULT;
/* Why it is sealed, or NULL. [any] */
const char *ll_head_sealed(const struct ll_head *head);

/* The name of the log, from the start to the end. [any] */
const char *ll_head_name(const struct ll_head *head);

/* So much is durable. [writer] */
void ll_head_grown(
    struct ll_head *head, uint64_t size, const struct ll_hash *root);
/* Somebody waits for what is durable to be signed. [any] */
void ll_head_hurry(struct ll_head *head);
/* Signs and writes what is not yet; the thread ends. */
void ll_head_stop(struct ll_head *head);

/* Appends the last note; nothing if it is sealed. [any] */
void ll_head_note(struct ll_head *head, struct ll_buf *out);
/* The same into `out`, emptied first, if it is another than that of `count`,
 * which is counted up: whether it is. [any] */
bool ll_head_newer(struct ll_head *head, uint64_t *count, struct ll_buf *out);
/* Signs a text of which the first line says what it is, with the log's key;
 * false if the log is sealed: then nothing may rest on it. [any] */
bool ll_head_sign(const struct ll_head *head, linli_str text,
    struct ll_vkey *key,
    unsigned char signature[LL_ED25519_SIGNATURE_BYTES]) LL_USE_RESULT;
/* Whether linli.head could not be written since the last time one asked; it
 * is tried again. */
bool ll_head_failed(struct ll_head *head, struct ll_err *err);

/* The seed of the log's key, from the bytes of linli.key. [any] */
void ll_head_seed(const unsigned char key[LL_SEAL_KEY_BYTES],
    unsigned char seed[LL_ED25519_BYTES]);
/* The origin of a log that was given none. [any] */
#define LL_HEAD_ORIGIN_BYTES 32
void ll_head_origin(const unsigned char key[LL_SEAL_KEY_BYTES],
    char origin[LL_HEAD_ORIGIN_BYTES]);

/* The key that a log's first leaf names; false if it is none. [any] */
bool ll_origin_leaf_read(
    struct ll_mem *mem, linli_str leaf, struct ll_vkey *out) LL_USE_RESULT;

#endif
