/* host/rights_int.h: an erasure under way. [loop]
 *
 * Steps over targets: the subjects under which something of a resident is
 * kept, in the community's own space and in those of plugins. Each step is a
 * commit; what a crash leaves is found again by the same way of looking.
 */
#ifndef LL_HOST_RIGHTS_INT_H
#define LL_HOST_RIGHTS_INT_H

#include "data/scan.h"
#include "host/directory.h"
#include "host/rights.h"

/* One subject. */
struct ll_erase_target {
    struct ll_space *space;
    struct ll_instance *instance; /* of a plugin that is there, or NULL */
    char subject[LL_PID_BYTES];
    struct ll_doc *pid; /* the row that tells it, a reference; or NULL */
    int64_t documents;  /* that went */
    int64_t until_ms;   /* of what the law keeps; 0: nothing */
    struct ll_buf kept; /* its collections, by commas */
    bool told, missed;  /* the plugin was asked to forget; and did not */
};

struct ll_erasing {
    struct ll_rights *rights;
    struct ll_host *host;
    struct ll_community *community;
    struct ll_doc *doc; /* the request, a reference */
    struct ll_arena arena;
    linli_str id, kind, state, resident, by, tag;
    linli_str household; /* theirs when they were last found; or empty */
    int64_t at_ms, deadline_ms, recheck_ms, now_ms;
    bool (*step)(struct ll_erasing *e); /* true: the next at once */
    struct ll_erase_target *targets;
    uint32_t target_count, target_cap, at;
    struct ll_space *space; /* looked at next */
    struct ll_doc *asked;   /* a reference, while it is waited for */
    struct ll_wait wait;
    struct ll_query query;
    bool querying;
    struct ll_txn txn; /* of the scan */
    struct ll_scan scan;
    bool scanning;
    bool looked; /* whether the household has other members */
    struct ll_doc *docs[LL_ERASE_ROWS]; /* of this step; references */
    uint32_t count, ready;
    bool again, after; /* something went in this pass; the keys have gone */
    int64_t after_coll;
    struct ll_buf after_id, text;
    struct ll_commit *commit; /* waited for */
    uint64_t leaf;
};

/* Whether a copy is made; else somebody is erased. */
bool ll_erase_copies(const struct ll_erasing *e);

/* rights_find.c: the targets. When they are there, `then` is the step. */
bool ll_erase_find(struct ll_erasing *e);
/* The next target, empty; NULL without memory, or with too many. */
struct ll_erase_target *ll_erase_add(
    struct ll_erasing *e, struct ll_space *space);

/* rights_household.c: the values of a household, with its last member. */

/* The household that a resident's document names and that they have not left;
 * or empty. Who is yet to come is of it. */
linli_str ll_erase_household_of(struct ll_jv resident, int64_t now_ms);
/* If nobody else is of e->household its values become targets. Then e->looked
 * is set and the step is ll_erase_go_on. */
bool ll_erase_alone(struct ll_erasing *e);
/* The scan, if there is one, has ended or is ended. */
void ll_erase_scanned(struct ll_erasing *e);

/* rights_call.c: telling plugins, and whether they have done it. */
bool ll_erase_tell(struct ll_erasing *e);
bool ll_erase_told(struct ll_erasing *e);

/* rights_pages.c: documents go, then keys, then what came in between. */
bool ll_erase_pages(struct ll_erasing *e);
/* The documents of the targets from e->at on, and what follows. */
bool ll_erase_go_on(struct ll_erasing *e);
bool ll_erase_cleaned(struct ll_erasing *e);
/* How long a collection is kept after an erasure, and by which law; 0: not at
 * all. */
int64_t ll_rights_kept_ms(const struct ll_coll *coll, linli_str *law);

/* rights_erase.c */

/* Runs steps until one waits. */
void ll_erase_go(struct ll_erasing *e);
/* A document into e->asked, ready; false: it is waited for (the step is run
 * again), or the run has ended. `coll` NULL counts as no memory. */
bool ll_erase_ask(struct ll_erasing *e, struct ll_coll *coll, linli_str id);
/* Ends the run: its document is looked at again, now or, `later`, in a
 * while. */
void ll_erase_end(struct ll_erasing *e, bool later);
/* The request as it is to be, into e->text: its members but `state`, `due`,
 * `seq` and those of `without`, and then the state; open for more. */
struct ll_jw ll_erase_text(
    struct ll_erasing *e, const char *state, const char *const *without);
/* Writes e->text, closed, with what else is in the transaction, in the commit.
 * `watched`: e->step is run when that is durable. False: no memory, and the run
 * has ended. */
bool ll_erase_commit(struct ll_erasing *e, struct ll_txn *txn,
    struct ll_commit *commit, bool watched);

#endif
