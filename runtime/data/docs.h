/* data/docs.h: spaces, their collections, and the documents in memory. [loop]
 *
 * A space is the namespace of one plugin in one community; the runtime's own
 * things live in collections whose names begin with '~'. A `struct ll_doc`
 * is the newest state of one document: that of the file, or what a commit
 * has written that is not durable yet. Every write passes through here, so a
 * document that is in memory is never stale. Documents stay while somebody
 * holds or reads them, and while a query under way may be older than they
 * are; the others are a bounded cache (spec/db.md, section 6).
 *
 * It keeps for those above, without a look at it, who has a document in hand
 * (`owner`) and the last numbers of events and alerts.
 */
#ifndef LL_DATA_DOCS_H
#define LL_DATA_DOCS_H

#include "base/index.h"
#include "data/wait.h"
#include "store/store.h"

/* Of the store's values: the last event there was when old ones went. */
#define LL_EVENT_SEQ_NAME "event_seq"

struct ll_docs;
struct ll_txn;
struct ll_coll;

/* A part of an index that a transaction has read: [low, high), or up to and
 * with `high` if `closed`; high.ptr NULL: to the end. */
struct ll_range {
    struct ll_range *next, *prev; /* of the index */
    struct ll_range *next_own;    /* of the transaction */
    struct ll_range **head;       /* the index's list */
    const struct ll_coll *coll;
    struct ll_txn *txn;
    linli_str low, high;
    bool closed;
};

struct ll_ix {
    struct ll_ix *next;
    struct ll_coll *coll;
    int64_t id;
    uint64_t number;      /* of the commit that builds it; 0: it is built */
    bool gone;            /* dropped, or another has taken its name */
    bool retired;         /* refuses nothing: of a version that drains */
    linli_str name, text; /* text: its declaration, compact JSON */
    struct ll_json json;  /* of text: the spec borrows from it */
    struct ll_index_spec spec;
    struct ll_range *ranges;
};

struct ll_space {
    struct ll_space *next;
    struct ll_docs *docs;
    int64_t id;
    linli_str community, plugin;
    int64_t rows, bytes; /* of the plugin's own documents */
    struct ll_coll *colls;
    struct ll_known *known;    /* keys of answers, data/known.h; or NULL */
    struct ll_counter *meters; /* what is metered here, data/series.h */
};

struct ll_coll {
    struct ll_coll *next;
    struct ll_space *space;
    int64_t id;
    linli_str name;
    bool system;              /* Linli's own: not counted */
    bool fleeting;            /* nobody asks twice: not worth a cache */
    linli_str subject;        /* member with a pid; empty: about nobody */
    linli_str retention_from; /* member; empty: from the last write */
    int64_t retention_ms;     /* 0: kept */
    int64_t doc_bytes;
    int64_t statutory_ms;    /* kept so long after an erasure, */
    linli_str statutory_law; /* by this law; 0: not at all */
    struct ll_ix *indexes;
    uint32_t index_count;
    uint32_t epoch;             /* of its indexes: it counts their changes */
    struct ll_range *id_ranges; /* reads in the order of ids */
    struct ll_doc *recent, *recent_last; /* by number, ascending */
    /* Told of each document that a commit has written here; NULL: nobody. */
    void (*written)(struct ll_coll *coll, const struct ll_doc *doc);
    void *user;
};

/* One key of a document. */
struct ll_doc_key {
    struct ll_ix *ix;
    linli_str bytes;
};

/* What a document says, in one block. */
struct ll_content {
    size_t block_bytes; /* of this allocation */
    linli_str body;     /* JSON */
    linli_str subject;  /* a pid, or empty */
    int64_t due_ms;     /* 0: never */
    uint32_t epoch;     /* the collection's, of these keys */
    uint32_t key_count;
    struct ll_doc_key keys[];
};

/* A transaction that has read a document. */
struct ll_reader {
    struct ll_reader *next, *prev; /* of the document */
    struct ll_reader *next_own;    /* of the transaction */
    struct ll_doc *doc;
    struct ll_txn *txn;
};

enum ll_doc_state { LL_DOC_LOADING, LL_DOC_KNOWN, LL_DOC_LOST };

struct ll_doc {
    struct ll_doc *chain; /* of the table */
    struct ll_coll *coll;
    linli_str id; /* in the same block */
    uint64_t hash;
    enum ll_doc_state state;
    struct ll_content *content; /* NULL: there is no such document */
    uint64_t version;           /* number of the commit that wrote it */
    uint64_t number;            /* the same if it happened here; else 0 */
    uint32_t refs;
    struct ll_reader *readers;
    struct ll_wait *waits; /* while its query is under way */
    void *owner; /* whoever above has it in hand; looked at by nobody here */
    struct ll_crowd crowd; /* of those who change it; the same */
    struct ll_query *query;
    struct ll_doc *idle_next, *idle_prev;     /* the cache, oldest first */
    struct ll_doc *recent_next, *recent_prev; /* the collection's */
    struct ll_doc *new_next, *new_prev;       /* all of them, by number */
    bool idle, in_recent;
};

struct ll_docs {
    struct ll_mem *mem;
    struct ll_store *store;
    unsigned char hash_key[16];
    unsigned char cursor_key[16];
    struct ll_arena arena; /* spaces, collections, indexes: as long */
    struct ll_space *spaces;
    struct ll_txn *txns;   /* all of them */
    struct ll_wait *built; /* who waits for an index */
    int64_t last_space, last_coll, last_index, last_series;
    struct ll_series **series, **numbers; /* data/series.h */
    struct ll_doc **table;
    uint32_t table_cap, doc_count, spare_count;
    uint32_t series_cap, series_count, numbers_cap, last_meter;
    struct ll_doc *idle_first, *idle_last;
    struct ll_doc *new_first, *new_last; /* written above the floor */
    size_t idle_bytes;
    struct ll_json json;     /* scratch: a document being looked at */
    struct ll_buf key_bytes; /* scratch: its keys */
    struct ll_commit *spare; /* used again */
    uint64_t last_event_seq, last_alert_id; /* given so far, by host/ */
};

/* Reads what spaces, collections and indexes there are; blocks. */
linli_status ll_docs_open(struct ll_docs *docs, struct ll_mem *mem,
    struct ll_world *world, struct ll_store *store,
    struct ll_err *err) LL_USE_RESULT;
/* Takes back what it has asked the store, before that closes. */
void ll_docs_stop(struct ll_docs *docs);
/* After the store: no transaction may be open. */
void ll_docs_close(struct ll_docs *docs);

/* For what is made now: that there was no memory once is forgotten. */
struct ll_arena *ll_docs_arena(struct ll_docs *docs);

/* -- spaces -- */

/* Finds a space or makes it. NULL without memory. */
struct ll_space *ll_docs_space(
    struct ll_docs *docs, linli_str community, linli_str plugin);
/* The same for a collection of it; `name` begins with '~' for Linli's own. */
struct ll_coll *ll_space_coll(struct ll_space *space, linli_str name);
struct ll_coll *ll_space_find(const struct ll_space *space, linli_str name);
struct ll_coll *ll_docs_coll_by_id(const struct ll_docs *docs, int64_t id);
/* What a law keeps of it after an erasure, lastingly. False without memory. */
bool ll_coll_keep(
    struct ll_coll *coll, int64_t statutory_ms, linli_str law) LL_USE_RESULT;
/* Declares an index (compact JSON as in a manifest). One that is there with
 * another declaration is made anew from the documents. It can be scanned at
 * once: that waits until it is built. Transactions that have read or written
 * in the collection are doomed. NULL without memory, and nothing has changed.
 */
struct ll_ix *ll_coll_index(
    struct ll_coll *coll, linli_str name, linli_str text);
struct ll_ix *ll_coll_find_index(const struct ll_coll *coll, linli_str name);
/* It goes with its entries; transactions are doomed as above. False without
 * memory, and nothing has changed. */
bool ll_coll_drop_index(struct ll_ix *ix) LL_USE_RESULT;

/* -- documents -- */

/* A reference, perhaps to one that is loading; NULL without memory. */
struct ll_doc *ll_docs_get(struct ll_coll *coll, linli_str id);
/* The same for an id that, as the caller knows, the store does not have. */
struct ll_doc *ll_docs_make(struct ll_coll *coll, linli_str id);
void ll_doc_unref(struct ll_doc **doc);
/* True if the state is known now (or lost: the store has failed); otherwise
 * `wait` is told when. */
bool ll_doc_ready(struct ll_doc *doc, struct ll_wait *wait);

/* Makes a content from JSON that has been read into `json` (whose text is
 * `body`): judges the subject, computes due and keys. `now_ms` for the
 * retention. Code "db/document" or "db/key". */
linli_status ll_content_new(struct ll_coll *coll, struct ll_jv document,
    linli_str body, int64_t now_ms, struct ll_content **out,
    struct ll_err *err) LL_USE_RESULT;
/* The same for a collection without indexes, unread; NULL without memory. */
struct ll_content *ll_content_plain(
    struct ll_coll *coll, linli_str body, linli_str subject, int64_t due_ms);
void ll_content_free(struct ll_mem *mem, struct ll_content **content);
/* The key in this index; ptr NULL: it has no entry. */
linli_str ll_content_key(
    const struct ll_content *content, const struct ll_ix *ix);
/* A row of an answer: the document in memory if there is one, else the row's,
 * which nothing above the answer's snapshot has written. It is known, and
 * returned with a reference; NULL without memory. `row` stands at version, due,
 * subject, body and is read past them. */
struct ll_doc *ll_doc_from_row(
    struct ll_coll *coll, linli_str id, struct ll_rd *row);

/* For txn.c: the commit `number` writes `take_content` (NULL: deletes). */
void ll_doc_write(
    struct ll_doc *doc, uint64_t number, struct ll_content *take_content);

/* Forgets what no query under way can miss and nobody uses, and tells who
 * waits for an index. Called when commits became durable. */
void ll_docs_trim(struct ll_docs *docs);
/* True if the index can be asked; else `wait` is told when to ask again. */
bool ll_ix_built(struct ll_ix *ix, struct ll_wait *wait);

/* For docs.c: an index has changed, so the keys of what is in memory are made
 * anew, all or, without memory, none: false; and, at the end, all go. */
bool ll_docs_reindexed(struct ll_coll *coll);
void ll_docs_drop_docs(struct ll_docs *docs);

/* A commit to fill, and back. NULL without memory. */
struct ll_commit *ll_docs_commit_new(struct ll_docs *docs);
void ll_docs_commit_free(struct ll_docs *docs, struct ll_commit *commit);
/* Makes it one that nobody waits for: it is freed when it is done. */
void ll_docs_commit_unwatched(struct ll_docs *docs, struct ll_commit *commit);
/* The same, and sends it; 0, and it is freed, if it lacks memory. */
uint64_t ll_docs_commit_send(struct ll_docs *docs, struct ll_commit *commit);

/* 32 lower-case hexadecimal digits. */
bool ll_pid_valid(linli_str s);
#endif
