/* store/gone.h: linli.gone: whose keys were taken away, outside the database.
 * [any; a set belongs to one thread]
 *
 * A copy of the database from before an erasure still has the keys that the
 * erasure took. So what was taken is written down beside the key file too,
 * synced before the commit that takes it, and goes with the key file wherever
 * that goes: a restore takes those keys away again before the copy gets its
 * name. spec/store.md, section 7.
 *
 * Text, only ever appended to. The first line tells the key file it belongs
 * to; then one line for each key that was taken:
 *
 *   linli.gone 1 MARK
 *   - NAME                    taken away
 *   ~ NAME UNTIL KEPT         kept until then (ms since 1970), read by nobody;
 *                             KEPT: the collections that are kept, by commas
 *
 * A name is SHA-256 of whose key it was, cut to 16 bytes, in hexadecimal
 * digits: who has the file alone learns how many there were, and no more.
 */
#ifndef LL_STORE_GONE_H
#define LL_STORE_GONE_H

#include "store/db.h"
#include "store/seal.h"

#define LL_GONE_FILE "linli.gone"
#define LL_GONE_NAME_BYTES 16
#define LL_GONE_COUNT "gone" /* of meta: the lines that a database knows */

/* Names, by hash; all zero is empty. */
struct ll_gone_set {
    struct ll_mem *mem;
    unsigned char (*names)[LL_GONE_NAME_BYTES];
    uint32_t cap, count; /* cap: a power of two, or 0 */
};
void ll_gone_set_init(struct ll_gone_set *set, struct ll_mem *mem);
void ll_gone_set_fini(struct ll_gone_set *set);
/* False without memory. */
bool ll_gone_set_add(struct ll_gone_set *set,
    const unsigned char name[LL_GONE_NAME_BYTES]) LL_USE_RESULT;
bool ll_gone_set_has(const struct ll_gone_set *set,
    const unsigned char name[LL_GONE_NAME_BYTES]);

/* The name of the key of a subject in a space. */
void ll_gone_name(
    const struct ll_whose *whose, unsigned char out[LL_GONE_NAME_BYTES]);
/* Appends the line of a key; `until_ms` 0: taken away. */
void ll_gone_line(struct ll_buf *out,
    const unsigned char name[LL_GONE_NAME_BYTES], int64_t until_ms,
    linli_str kept);

/* Makes the file for a key. "store/io". */
linli_status ll_gone_make(int at, const unsigned char key[LL_SEAL_KEY_BYTES],
    struct ll_err *err) LL_USE_RESULT;
/* One as it was read; `text` is the caller's, made and ended by them. */
struct ll_gone_file {
    struct ll_buf text;
    linli_str lines; /* whole ones, after the first; in `text` */
    uint32_t count;
};
/* Reads one, below `at`; a last line that a crash has cut is left out.
 * "store/gone": it is not there, is no such file, or another key's. One without
 * a byte is one without a line. */
linli_status ll_gone_read(int at, const char *name,
    const unsigned char key[LL_SEAL_KEY_BYTES], struct ll_gone_file *file,
    struct ll_err *err) LL_USE_RESULT;
/* The names of all lines, into a set. "runtime/memory". */
linli_status ll_gone_names(
    linli_str lines, struct ll_gone_set *set, struct ll_err *err) LL_USE_RESULT;
/* Adds whole lines; returns when they last. */
linli_status ll_gone_append(
    int at, linli_str lines, struct ll_err *err) LL_USE_RESULT;
/* Writes it anew, whole: when its end was cut. */
linli_status ll_gone_write(int at, const unsigned char key[LL_SEAL_KEY_BYTES],
    linli_str lines, struct ll_err *err) LL_USE_RESULT;

/* Takes from a database what the lines name, unless it knows of all of them:
 * keys, and the documents about their subjects with what stands of them in
 * indexes; what is to be kept is laid aside. In one transaction, which also
 * counts. "store/gone" if it knows of more lines than there are. */
linli_status ll_gone_apply(struct ll_db *db, linli_str lines, uint32_t count,
    bool *changed, struct ll_err *err) LL_USE_RESULT;

#endif
