/* consent/arbiter.h: residents' data: who has said what, and kept where.
 * [loop]
 *
 * Holds the state of domain/consent.h for every community of a host and keeps
 * it true to the store: an act is one commit with its documents and its leaf
 * of the log, and takes effect in memory in the turn in which it is
 * sequenced; whoever asks is answered when it is durable. What was released
 * under a grant dooms the calls that hold it when the grant ends, so that no
 * answer leaves with a value after the withdrawal has returned.
 *
 * Collections, in a community's own space: ~person, ~grant, ~basis, ~refusal,
 * ~objection, ~guardian, ~terms; values are in ~field (consent/vault.h).
 */
#ifndef LL_CONSENT_ARBITER_H
#define LL_CONSENT_ARBITER_H

#include "consent/subject.h"
#include "data/put.h"
#include "domain/consent_state.h"
#include "domain/leaf.h"

struct ll_ledger;
struct ll_zone;

/* A plugin, and a resident whom it may know. */
struct ll_party_of {
    linli_str community, plugin, resident;
};

struct ll_arbiter {
    struct ll_mem *mem;
    struct ll_docs *docs;
    struct ll_world *world;
    struct ll_dictionary dictionary;
    struct ll_consent *consent;
    /* Something of a subject has ended (LL_NOBODY: of all): calls that hold
     * what was released of them to the party (LL_NO_PARTY: to any) begin
     * again. In the turn in which it is sequenced. May be NULL. */
    void (*risen)(void *user, uint32_t subject, uint32_t party);
    /* Whether a plugin is told when a grant to it ends: the commit that ends
     * it leaves a document of ~revoked. `pid`: by which it knows the resident
     * now, if that is in memory; else empty. NULL: none is told. */
    bool (*tells)(
        void *user, const struct ll_party_of *who, char pid[LL_PID_BYTES]);
    void *user;
    bool sealed; /* the log is behind its witnessed head: everything denies */
    struct ll_ledger *ledger; /* consent/arbiter_int.h */
};

/* Loads what the store knows; blocks, before anything is committed. Nothing is
 * active until it is declared again. */
linli_status ll_arbiter_open(struct ll_arbiter *arbiter, struct ll_mem *mem,
    struct ll_docs *docs, struct ll_world *world,
    struct ll_err *err) LL_USE_RESULT;
/* After the store has closed and before the documents go: whoever still waits
 * is told. */
void ll_arbiter_close(struct ll_arbiter *arbiter);
/* What became durable has left by now: whoever acted is told. To be called
 * after every answer that the store's `durable` lets go. */
void ll_arbiter_durable(struct ll_arbiter *arbiter);

/* Days since 1970-01-01 of an instant in a community's zone. */
int32_t ll_arbiter_today(const struct ll_zone *zone, int64_t now_ms);

/* -- acts -- */

/* Who acts, and for whom. */
struct ll_actor_of {
    linli_str community;
    uint32_t subject;     /* about whom */
    uint32_t actor;       /* a subject: themself, or a guardian; LL_NOBODY: */
    linli_str actor_name; /* "staff:ID", "operator:ID"; 代办 with a proof */
    linli_str proof;   /* what shows it: an id of a code, a paper; or empty */
    linli_str channel; /* "app", "sheet", "counter", "seed" */
    linli_str notice;  /* hex SHA-256 of the text they read; or empty */
    linli_str key;     /* an Idempotency-Key: what it gave is found again */
    int64_t now_ms;
    int32_t today; /* in the community's zone */
};

/* Ends once: on the loop, later; number 0: it will never be durable. `leaf` is
 * its number in the log. */
struct ll_act {
    void (*done)(struct ll_act *act, bool durable, uint64_t leaf);
    void *user;
};

struct ll_giving {
    uint32_t party;
    uint8_t purpose;
    uint64_t fields; /* C3: exactly one, level SEPARATE */
    enum ll_act_level level;
    uint8_t idle_days; /* 0: none */
    int64_t until_ms;  /* 0: the dictionary's retention; at most 365 d */
    int32_t uses;      /* 1: once; -1: no limit */
};

/* Codes: "consent/act" (bundled, endless, undeclared, too low: the message
 * says which and `fix` has the lines), "consent/forbidden" (this actor may not
 * decide for them), "consent/text-changed", "runtime/memory". On success
 * *grant is live from this turn on. */
linli_status ll_arbiter_give(struct ll_arbiter *arbiter,
    const struct ll_actor_of *who, const struct ll_giving *giving,
    struct ll_act *act, uint32_t *grant, struct ll_err *err) LL_USE_RESULT;
/* A no to these fields: it is not asked for again for a while. */
struct ll_refusing {
    uint32_t party;
    uint8_t purpose;
    uint64_t fields;
};
linli_status ll_arbiter_refuse(struct ll_arbiter *arbiter,
    const struct ll_actor_of *who, const struct ll_refusing *refusing,
    struct ll_act *act, struct ll_err *err) LL_USE_RESULT;
/* All that is live of a grant ends; `act` is told after every call that was
 * sequenced before has answered. Again is no error: nothing is written. */
linli_status ll_arbiter_withdraw(struct ll_arbiter *arbiter,
    const struct ll_actor_of *who, uint32_t grant, struct ll_act *act,
    struct ll_err *err) LL_USE_RESULT;
/* The same of all grants to a plugin that leaves, looked at from number *at on,
 * which is moved; at most `count` end at once, *ended is how many did: none,
 * and there are no more. Bases that are no consent are off with the plugin. */
struct ll_ending {
    linli_str community, plugin, by; /* "operator:ID" */
    int64_t now_ms;
};
linli_status ll_arbiter_end_party(struct ll_arbiter *arbiter,
    const struct ll_ending *ending, uint32_t count, uint32_t *at,
    uint32_t *ended, struct ll_err *err) LL_USE_RESULT;
/* As ll_consent_object. */
struct ll_objecting {
    uint32_t party; /* LL_NO_PARTY: to all */
    enum ll_objection objection;
    bool on; /* false: taken back */
};
linli_status ll_arbiter_object(struct ll_arbiter *arbiter,
    const struct ll_actor_of *who, const struct ll_objecting *objecting,
    struct ll_act *act, struct ll_err *err) LL_USE_RESULT;

/* What a plugin declares in a community from now on, by `approver`
 * ("operator:ID", "config"), who thereby approves the bases that are no
 * consent. Compares with what it declared before: NARROW and TEXT keep grants,
 * WIDEN counts a new version. */
enum ll_terms_change {
    LL_TERMS_SAME,
    LL_TERMS_TEXT,
    LL_TERMS_NARROW,
    LL_TERMS_WIDEN
};
struct ll_declaring {
    linli_str community, plugin, approver;
    struct ll_terms terms; /* version and since are the arbiter's */
    linli_str notice;      /* hex SHA-256 of its words about data; or empty */
    linli_str recipient;   /* hex SHA-256 of who it provides to; or empty */
    int64_t now_ms;
};
/* What declaring it would be; *holds: grants of earlier versions would hold. */
enum ll_terms_change ll_arbiter_compare(struct ll_arbiter *arbiter,
    const struct ll_declaring *declaring, bool *holds);
linli_status ll_arbiter_declare(struct ll_arbiter *arbiter,
    const struct ll_declaring *declaring, struct ll_act *act, uint32_t *party,
    enum ll_terms_change *change, struct ll_err *err) LL_USE_RESULT;

/* It serves here no more, until it declares again; the log hears of both. */
void ll_arbiter_suspend(struct ll_arbiter *arbiter, uint32_t party);
/* An operator ends a basis that is no consent, by its number below. */
linli_status ll_arbiter_end_basis(struct ll_arbiter *arbiter,
    const struct ll_actor_of *who, uint32_t basis, struct ll_act *act,
    struct ll_err *err) LL_USE_RESULT;

/* The subject of a resident; one who is known by a token only is met now,
 * with a tag of their own. "runtime/memory". */
linli_status ll_arbiter_meet(struct ll_arbiter *arbiter, linli_str community,
    linli_str resident, int64_t now_ms, uint32_t *subject,
    struct ll_err *err) LL_USE_RESULT;
/* A person as they are from now on; the leaf is made by it. A tag of zeros: it
 * draws one, or keeps what there is. SHREDDED takes all they ever said. */
linli_status ll_arbiter_put_person(struct ll_arbiter *arbiter,
    const struct ll_actor_of *who, linli_str resident,
    const struct ll_person *person, struct ll_act *act,
    struct ll_err *err) LL_USE_RESULT;
linli_status ll_arbiter_put_guardian(struct ll_arbiter *arbiter,
    const struct ll_actor_of *who, const struct ll_guardianship *guardianship,
    struct ll_act *act, struct ll_err *err) LL_USE_RESULT;

/* -- releases -- */

/* One access leaf, in a commit of its own that is sent now, and one use of
 * the grant it rests on, in the same commit. Returns its number, up to which
 * nothing of the call may leave; 0 without memory. With `act` it is told when
 * that is durable: C3, minors, one-time wait for it before they push. */
struct ll_access {
    linli_str community;
    uint32_t subject, party, grant; /* LL_NO_GRANT: a basis */
    uint8_t purpose;
    uint64_t fields;
    enum ll_basis basis;
    linli_str actor; /* as in a leaf */
    linli_str call;  /* 32 hexadecimal digits */
    int64_t now_ms;
};
uint64_t ll_arbiter_access(struct ll_arbiter *arbiter,
    const struct ll_access *access, struct ll_act *act);
/* What was released reached nobody after all: a leaf of type abort. */
uint64_t ll_arbiter_abort(
    struct ll_arbiter *arbiter, const struct ll_access *access);
/* Says of grants that are over by time that they are; looks at `count` of
 * them and goes on where it stopped. */
void ll_arbiter_tidy(
    struct ll_arbiter *arbiter, int64_t now_ms, uint32_t count);

/* -- what is told -- */

/* What is known of a grant that no decision needs. */
struct ll_grant_more {
    uint64_t leaf, end_leaf; /* numbers in the log, from 1; 0: not yet */
    int64_t ended_ms;        /* withdrawn or replaced then */
    uint32_t reads;          /* releases so far */
    linli_str notice;        /* hex SHA-256 of what they read, or empty */
    linli_str channel;
    linli_str staff; /* who acted for them, or empty */
};
struct ll_grant_more ll_arbiter_grant_more(
    const struct ll_arbiter *arbiter, uint32_t grant);
/* An approved basis, by number from 0; NULL: there are no more. */
struct ll_basis_more {
    struct ll_basis_record record;
    linli_str community, approver;
    uint64_t leaf; /* as above */
};
const struct ll_basis_more *ll_arbiter_basis(
    const struct ll_arbiter *arbiter, uint32_t number);
/* Its id, the same as long as there is a log: of what it is for whom. */
void ll_basis_id(const struct ll_arbiter *arbiter,
    const struct ll_basis_more *basis, char out[2 * LL_TAG_BYTES + 1]);
/* Hex SHA-256 of the words under which a party serves, or empty. */
linli_str ll_arbiter_notice(const struct ll_arbiter *arbiter, uint32_t party);

#endif
