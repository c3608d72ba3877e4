/* world/file.h: files and folders, and sealed memory. [any]
 *
 * Blocking calls, for starting up and loading plugins, never for a request.
 * A name is looked up below an open folder, `at`, or below the working
 * directory with LL_AT_CWD; nothing here follows a symbolic link in the last
 * place of a name. Failures have the code "cli/file" and `where` the name;
 * callers that know better say so. Status: LINLI_E_NOT_FOUND, no such thing;
 * LINLI_E_INVALID, not the kind of thing asked for; LINLI_E_LIMIT, a bound
 * given by the caller; LINLI_E_IO, the system refused.
 */
#ifndef LL_WORLD_FILE_H
#define LL_WORLD_FILE_H

#include "base/buf.h"
#include "base/err.h"

#define LL_AT_CWD (-100) /* AT_FDCWD */

/* Appends the whole of a regular file of at most `bytes_max` to `out`. */
linli_status ll_file_read(int at, const char *name, size_t bytes_max,
    struct ll_buf *out, struct ll_err *err) LL_USE_RESULT;

/* Makes the file hold `bytes`, all or as before, whatever fails or crashes:
 * written aside as "NAME.new", synced, renamed, folder synced. `mode` such
 * as 0600 whatever the umask. One writer per name at a time. */
linli_status ll_file_write(int at, const char *name, linli_str bytes,
    unsigned mode, struct ll_err *err) LL_USE_RESULT;

/* The same, but for a machine that stops: nothing is synced. For what people
 * look at, and whoever waits must not wait for the disk. */
linli_status ll_file_put(int at, const char *name, linli_str bytes,
    unsigned mode, struct ll_err *err) LL_USE_RESULT;

/* Adds `bytes` at the end of a regular file that is there; they last when it
 * returns. On failure some of them may be there. */
linli_status ll_file_append(int at, const char *name, linli_str bytes,
    struct ll_err *err) LL_USE_RESULT;
/* Makes a regular file that has at least `bytes` end there; that lasts.
 * LINLI_E_INVALID if it is shorter. */
linli_status ll_file_cut(
    int at, const char *name, int64_t bytes, struct ll_err *err) LL_USE_RESULT;

#define LL_FILE_HEAD_BYTES 100
/* The first bytes of a regular file, as many as `out` is long and the file
 * has; *size is how many that is in all. */
linli_status ll_file_head(int at, const char *name,
    unsigned char out[LL_FILE_HEAD_BYTES], int64_t *size,
    struct ll_err *err) LL_USE_RESULT;

/* Makes an empty file; LINLI_E_CONFLICT if there is anything of the name. */
linli_status ll_file_make(
    int at, const char *name, unsigned mode, struct ll_err *err) LL_USE_RESULT;
/* What was written to it, by whomever, lasts. */
linli_status ll_file_sync(
    int at, const char *name, struct ll_err *err) LL_USE_RESULT;
/* Gives a file a name that is free, or else LINLI_E_CONFLICT, in the same
 * folder; that lasts. On failure it has its old name. */
linli_status ll_file_rename(
    int at, const char *from, const char *to, struct ll_err *err) LL_USE_RESULT;
/* Whether there is anything of the name. */
bool ll_file_there(int at, const char *name);
/* Not there is as good. */
void ll_file_remove(int at, const char *name);
/* `name` from the root on, whatever is there; false if that is too long or
 * the working folder is gone. */
bool ll_path_absolute(const char *name, char *out, size_t size) LL_USE_RESULT;
/* The bytes of a regular file, whose name an operator gave, into a new one
 * below `at`, synced. */
linli_status ll_file_copy(const char *from, int at, const char *to,
    unsigned mode, struct ll_err *err) LL_USE_RESULT;

/* Makes a folder (mode 0700, those above it not) unless it is there. */
linli_status ll_folder_make(
    int at, const char *name, struct ll_err *err) LL_USE_RESULT;
/* Opens a folder; the caller closes *fd with ll_file_close. `follow`: the
 * last place may be a symbolic link, for names an operator gave. */
linli_status ll_folder_open(int at, const char *name, bool follow, int *fd,
    struct ll_err *err) LL_USE_RESULT;
void ll_file_close(int *fd); /* -1 is nothing */

enum ll_file_kind { LL_FILE_REGULAR, LL_FILE_FOLDER, LL_FILE_OTHER };

struct ll_file_entry {
    linli_str name; /* NUL-terminated, without a folder */
    enum ll_file_kind kind;
};

struct ll_file_list {
    struct ll_file_entry *entries; /* bytewise by name */
    uint32_t count;
};

/* What lies in an open folder, "." and ".." left out; more than entries_max
 * is LINLI_E_LIMIT. Memory comes from `arena`. */
linli_status ll_folder_list(int fd, uint32_t entries_max,
    struct ll_arena *arena, struct ll_file_list *out,
    struct ll_err *err) LL_USE_RESULT;

/* A descriptor, to be closed with ll_file_close, of memory that holds
 * `bytes` and can never be changed, grown, cut or unsealed by anybody. */
linli_status ll_memory_sealed(const char *name, linli_str bytes, int *fd,
    struct ll_err *err) LL_USE_RESULT;

#endif
