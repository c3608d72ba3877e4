/* store/store.h: what is kept, and how it gets there. [loop]
 *
 * The port: commits go in, in the order of their numbers, and become durable
 * in that order; queries come back with the number of the commit that their
 * snapshot ends with. One thread writes, one transaction a batch, and what
 * has queued while it flushed is the next batch (group commit, no linger);
 * a few threads read. Statements are named in store/statements.def, so that
 * nobody else knows SQL.
 *
 * Everything here is called on the loop thread, and calls back there. A
 * commit that cannot be made durable ends the store for good: `failed` is
 * called once, no commit is durable any more, and the host must end.
 */
#ifndef LL_STORE_STORE_H
#define LL_STORE_STORE_H

#include "base/err.h"
#include "domain/checkpoint.h"
#include "domain/usage.h"
#include "wire/value.h"
#include "world/world.h"

struct ll_store;

/* Names of statements: LL_ST_doc_put ... */
enum ll_statement {
#define S(name, params, columns, sql) LL_ST_##name,
#include "store/statements.def"
#undef S
    LL_ST_COUNT
};

struct ll_store_options {
    struct ll_mem *mem; /* the host's account; threads have their own */
    struct ll_world *world;
    int dir_fd;      /* of the data directory, open as long as the store; -1: in
                        memory, nothing is kept */
    const char *dir; /* its path, for messages and for SQLite; NULL with -1 */
    uint32_t readers;     /* threads that read, 1..LL_STORE_READERS_MAX */
    linli_str log_origin; /* whose log; empty: a name made from the key */
    /* ll_store_durable has risen, and the `done` of each commit up to it has
     * been called. On the loop, once for all that came together; may be
     * NULL. */
    void (*durable)(void *user);
    /* A batch could not be made durable. Once, on the loop, after the last
     * commit that is durable was told and before the first that is not. */
    void (*failed)(void *user, const struct ll_err *err);
    /* The file could not be read for a query. As often as that happens. */
    void (*unread)(void *user, const struct ll_err *err);
    /* linli.head could not be written; it is tried again. May be NULL. */
    void (*unwitnessed)(void *user, const struct ll_err *err);
    void *user;
};

/* Opens or makes linli.db, linli.key and linli.gone in the directory, migrates
 * it, takes away what linli.gone names, and starts the threads. Codes:
 * "store/foreign" (another program's file), "store/newer" (of a later Linli),
 * "store/corrupt", "store/key" (the key file is missing or another one),
 * "store/gone" (linli.gone is), "store/io", "config/invalid" (the log has
 * another origin). On failure nothing is left running and nothing was changed.
 */
linli_status ll_store_open(const struct ll_store_options *options,
    struct ll_store **out, struct ll_err *err) LL_USE_RESULT;

/* Writes what was committed, waits for the threads, tells every commit, query
 * and backup under way what became of it (a query not begun: LINLI_E_CLOSED),
 * closes. No callback comes after. Not from inside one. */
void ll_store_close(struct ll_store **store);

/* -- commits -- */

/* What one call changes. The owner makes it, adds operations, hands it over
 * and gets it back when it is durable. */
struct ll_commit {
    struct ll_commit *next; /* the store's */
    uint64_t number;        /* given by ll_store_commit */
    struct ll_buf ops;
    /* Nobody waits for it: it may wait for others, LL_STORE_LINGER_MS. */
    bool patient;
    /* Where its leaves stand in the log, one after the other; set when it is
     * durable. What `leaf_first` says without one is nothing. */
    uint64_t leaf_first, leaf_count;
    /* It is durable, [loop], in the order of the numbers; or, with a failed
     * store or one that is closed, it will never be: durable false. The
     * commit is the owner's again. */
    void (*done)(struct ll_commit *commit, bool durable);
    void *user;
};

/* Without operations. Whether they all found room is commit->ops.failed, to
 * be looked at before it is handed over. Fini frees them. */
void ll_commit_init(struct ll_commit *commit, struct ll_mem *mem);
void ll_commit_fini(struct ll_commit *commit);

/* Begins an operation: the statement, then exactly its parameters with
 * ll_put_nil, ll_put_int, ll_put_bytes or ll_put_sealed, in order. */
void ll_commit_op(struct ll_commit *commit, enum ll_statement statement);
/* A parameter 's' (sealed): `bytes` about `subject` (a pid; empty: about
 * nobody, kept as it is) of a space. */
void ll_put_sealed(
    struct ll_buf *ops, int64_t space, linli_str subject, linli_str bytes);
/* Usage of the call: packed into the batch's segment and folded into its
 * buckets. */
void ll_commit_usage(struct ll_commit *commit, const struct ll_usage *usage);
/* A line of domain/leaf.h for the log of consent: commits in their order give
 * leaves in theirs. Of 1 to LL_LEAF_BYTES_MAX bytes; else ops.failed. */
void ll_commit_leaf(struct ll_commit *commit, linli_str leaf);
/* The space holds so many rows and bytes more (or fewer). */
void ll_commit_size(
    struct ll_commit *commit, int64_t space, int64_t rows, int64_t bytes);
/* Rebuilds an index from the documents of its collection. `spec` is the
 * index's JSON as the manifest has it (base/index.h). */
void ll_commit_reindex(struct ll_commit *commit, int64_t collection,
    int64_t index, linli_str spec);

/* Whose key is meant: of a subject in a space, with the space's names. */
struct ll_whose {
    int64_t space;
    linli_str community, plugin, subject;
};
/* Takes the key of a subject away, in this commit: what was sealed with it
 * reads as nothing from then on, what is sealed for the subject later does
 * too, and copies made before yield nothing when they are restored. */
void ll_store_shred(struct ll_store *store, struct ll_commit *commit,
    const struct ll_whose *whose);
/* The same, but the key stays in the file until `until_ms`, for what the law
 * keeps: nobody reads by it. `kept`: the collections whose documents about the
 * subject the commit lays aside (statement doc_freeze), by commas. */
void ll_store_freeze(struct ll_store *store, struct ll_commit *commit,
    const struct ll_whose *whose, int64_t until_ms, linli_str kept);
/* Whether that was done, or will be by a commit that was made: at once. A name
 * that was taken is never given a key again; who comes back is another. */
bool ll_store_taken(const struct ll_store *store, const struct ll_whose *whose);

/* Takes the commit and gives it the next number, which is returned. */
uint64_t ll_store_commit(struct ll_store *store, struct ll_commit *commit);

/* So much waits to be written that no new work should be taken on: 503. What
 * is under way may still be committed. */
bool ll_store_busy(const struct ll_store *store);

/* The last number that is durable; the last that was given. */
uint64_t ll_store_durable(const struct ll_store *store);
uint64_t ll_store_last(const struct ll_store *store);

/* -- queries -- */

/* Made and kept by the owner until `done`, which comes exactly once, on the
 * loop, never before ll_store_query has returned. */
struct ll_query {
    struct ll_query *next; /* the store's, both */
    struct ll_job *job;
    enum ll_statement statement;
    struct ll_buf params; /* exactly the statement's, as for commits */
    uint32_t rows_max;    /* reading ends there; */
    size_t bytes_max;     /* or when the rows have so many bytes */
    /* the answer */
    linli_status status;
    struct ll_err err;
    struct ll_buf rows; /* one ll_put_list a row, its columns inside */
    uint32_t row_count;
    bool more;          /* it ended at one of the two bounds */
    uint64_t snapshot;  /* every commit up to this number is in it */
    uint64_t issued_at; /* ll_store_durable when it was issued */
    void (*done)(struct ll_query *query);
    void *user;
};

/* Without parameters, and with the bounds as far as they go. */
void ll_query_init(
    struct ll_query *query, struct ll_mem *mem, enum ll_statement statement);
void ll_query_fini(struct ll_query *query);
void ll_store_query(struct ll_store *store, struct ll_query *query);
/* The same at once, on the calling thread, for starting up: before anything
 * is committed. `done` is not called; returns query->status. */
linli_status ll_store_ask(
    struct ll_store *store, struct ll_query *query) LL_USE_RESULT;
/* Drops one that is not done: its `done` is not called, and it may be freed
 * at once. */
void ll_store_cancel(struct ll_store *store, struct ll_query *query);
/* The least issued_at of all queries under way; UINT64_MAX without one. What
 * a commit with a number up to this wrote is in every answer to come. */
uint64_t ll_store_floor(const struct ll_store *store);

/* `n` bytes that only this database's key file leads to, the same each time:
 * for signatures that outlive the process. `n` at most LL_SHA256_BYTES. */
void ll_store_secret(
    const struct ll_store *store, const char *purpose, void *out, size_t n);

/* -- the log: spec/log.md -- */

/* The last signed checkpoint, appended; nothing if it is sealed. */
void ll_store_checkpoint(struct ll_store *store, struct ll_buf *out);
/* Signs a text with the log's key, whose public part `key` is; its first line
 * says what it is. False if the log is sealed. */
bool ll_store_sign_text(const struct ll_store *store, linli_str text,
    struct ll_vkey *key,
    unsigned char signature[LL_ED25519_SIGNATURE_BYTES]) LL_USE_RESULT;
/* Somebody waits for what is durable to be signed: soon. */
void ll_store_sign(struct ll_store *store);
/* Why nothing may rest on the log (it is not the one of linli.head), or NULL:
 * the same from the start to the end. */
const char *ll_store_log_sealed(const struct ll_store *store);
/* The log's name, the same all that time: by which others know this database.
 */
const char *ll_store_log_origin(const struct ll_store *store);

/* -- backup -- */

/* Writes a copy of the database as of now to `path`, which must not exist;
 * done on a thread, `done` on the loop. The key file is not in it. */
linli_status ll_store_backup(struct ll_store *store, const char *path,
    void (*done)(void *user, linli_status status, uint64_t number,
        int64_t bytes, const struct ll_err *err),
    void *user, struct ll_err *err) LL_USE_RESULT;

/* Verifies a copy (integrity, schema, usage chain against buckets, key), takes
 * away what linli.gone beside the key file names, and puts it into `dir` as
 * linli.db beside the two, new there. Any thread; for `linli restore`. */
linli_status ll_store_restore(const char *file, const char *key_file,
    const char *dir, uint64_t *number, struct ll_err *err) LL_USE_RESULT;

#endif
