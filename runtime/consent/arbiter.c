/* consent/arbiter.c: one act, one commit; and who is told when. [loop] */
#include "consent/arbiter_int.h"

#include "base/hash.h"
#include "base/text.h"
#include "world/zone.h"

#define LEDGER_BYTES_MAX ((size_t)256 << 20)
#define DAY_MS ((int64_t)86400000)
/* What a document takes in a commit beside its text. */
#define WRITE_BYTES 1024
#define FIRST_CAP 64

static linli_status
no_room(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an act");
}

/* -- birth and end -- */

linli_status
ll_arbiter_open(struct ll_arbiter *arbiter, struct ll_mem *mem,
    struct ll_docs *docs, struct ll_world *world, struct ll_err *err)
{
    *arbiter = (struct ll_arbiter){.mem = mem, .docs = docs, .world = world};
    arbiter->ledger = ll_alloc(mem, sizeof *arbiter->ledger);
    if (arbiter->ledger == NULL)
        return no_room(err);
    ll_arena_init(&arbiter->ledger->arena, mem, LEDGER_BYTES_MAX);
    ll_json_init(&arbiter->ledger->json, mem);
    linli_status status = ll_dictionary_init(&arbiter->dictionary, mem, err);
    if (status == LINLI_OK)
        status =
            ll_consent_new(mem, &arbiter->dictionary, &arbiter->consent, err);
    return status == LINLI_OK ? ll_arbiter_load(arbiter, err) : status;
}

static void
tell(struct ll_told *told, bool durable)
{
    struct ll_arbiter *arbiter = told->arbiter;
    struct ll_act *act = told->act;
    uint64_t leaf = told->leaf;
    ll_release(arbiter->mem, told, sizeof *told);
    if (act != NULL)
        act->done(act, durable, leaf);
}

static bool
take_told(struct ll_ledger *ledger, struct ll_told **out)
{
    *out = ledger->first;
    if (*out == NULL)
        return false;
    ledger->first = (*out)->next;
    if (ledger->first == NULL)
        ledger->last = NULL;
    return true;
}

/* Where an act stands in the log is known when it is durable: it is written
 * into the grant for receipts after a restart. Nobody waits for it. */
static void
keep_leaf(struct ll_arbiter *arbiter, uint32_t number)
{
    struct ll_deed deed;
    const struct ll_grant *grant =
        number == LL_NO_GRANT ? NULL
                              : ll_consent_grant(arbiter->consent, number);
    linli_str community =
        grant == NULL ? (linli_str){NULL, 0}
                      : ll_consent_community(arbiter->consent, grant->subject);
    if (community.len == 0)
        return;
    ll_deed_begin(&deed, arbiter, community, ll_world_wall(arbiter->world).ms);
    ll_deed_put_grant(&deed, grant, &arbiter->ledger->grants[number]);
    if (ll_deed_ready(&deed, NULL) != LINLI_OK)
        return; /* with the next write */
    deed.commit->patient = true;
    (void)ll_deed_commit(&deed, NULL);
}

void
ll_arbiter_durable(struct ll_arbiter *arbiter)
{
    struct ll_told *told;
    while (arbiter->ledger != NULL && take_told(arbiter->ledger, &told)) {
        uint32_t given = told->given, ended = told->ended;
        tell(told, true);
        keep_leaf(arbiter, given);
        keep_leaf(arbiter, ended);
    }
}

void
ll_arbiter_close(struct ll_arbiter *arbiter)
{
    struct ll_ledger *ledger = arbiter->ledger;
    struct ll_told *told;
    if (ledger == NULL)
        return;
    while (take_told(ledger, &told))
        tell(told, true);
    ll_consent_free(&arbiter->consent);
    ll_dictionary_fini(&arbiter->dictionary);
    ll_release(arbiter->mem, ledger->parties,
        ledger->party_cap * sizeof *ledger->parties);
    ll_release(arbiter->mem, ledger->grants,
        ledger->grant_cap * sizeof *ledger->grants);
    ll_release(
        arbiter->mem, ledger->bases, ledger->basis_cap * sizeof *ledger->bases);
    ll_json_fini(&ledger->json);
    ll_arena_fini(&ledger->arena);
    ll_release(arbiter->mem, ledger, sizeof *ledger);
    arbiter->ledger = NULL;
}

int32_t
ll_arbiter_today(const struct ll_zone *zone, int64_t now_ms)
{
    int64_t offset_s = 0;
    for (uint32_t i = 0; i < zone->count; i++)
        if (i == 0 || zone->changes[2 * i] <= now_ms)
            offset_s = zone->changes[2 * i + 1];
    int64_t local = now_ms + offset_s * 1000;
    int64_t day = local / DAY_MS - (local % DAY_MS < 0 ? 1 : 0);
    return (int32_t)day;
}

/* -- words and notes -- */

const struct ll_word *
ll_ledger_word(struct ll_ledger *ledger, linli_str text)
{
    if (text.len == 0)
        return &ledger->none;
    struct ll_word **bucket = &ledger->words[ll_fnv(text) % LL_WORD_BUCKETS];
    for (struct ll_word *w = *bucket; w != NULL; w = w->next)
        if (ll_str_eq(w->text, text))
            return w;
    ledger->arena.failed = false;
    struct ll_word *word = ll_arena_alloc(&ledger->arena, sizeof *word);
    if (word == NULL)
        return NULL;
    word->text = ll_arena_str(&ledger->arena, text);
    if (word->text.ptr == NULL)
        return NULL;
    word->next = *bucket;
    *bucket = word;
    return word;
}

/* Makes `*array` long enough for `number`; new ones are zero. */
static bool
lengthen(struct ll_mem *mem, void **array, uint32_t *cap, uint32_t number,
    size_t each)
{
    uint32_t want = *cap == 0 ? FIRST_CAP : *cap;
    while (want <= number && want < UINT32_MAX / 2)
        want *= 2;
    if (*cap > number)
        return true;
    char *longer = want <= number ? NULL : ll_alloc(mem, want * each);
    if (longer == NULL)
        return false;
    if (*cap > 0)
        memcpy(longer, *array, *cap * each);
    memset(longer + *cap * each, 0, (want - *cap) * each);
    ll_release(mem, *array, *cap * each);
    *array = longer;
    *cap = want;
    return true;
}

bool
ll_ledger_party(struct ll_arbiter *arbiter, uint32_t party)
{
    struct ll_ledger *ledger = arbiter->ledger;
    void *array = ledger->parties;
    bool good = lengthen(arbiter->mem, &array, &ledger->party_cap, party,
        sizeof *ledger->parties);
    ledger->parties = array;
    return good;
}

bool
ll_ledger_grant(struct ll_arbiter *arbiter, uint32_t grant)
{
    struct ll_ledger *ledger = arbiter->ledger;
    void *array = ledger->grants;
    bool good = lengthen(arbiter->mem, &array, &ledger->grant_cap, grant,
        sizeof *ledger->grants);
    ledger->grants = array;
    return good;
}

struct ll_basis_more *
ll_ledger_basis(
    struct ll_arbiter *arbiter, const struct ll_basis_record *record)
{
    struct ll_ledger *ledger = arbiter->ledger;
    for (uint32_t i = 0; i < ledger->basis_count; i++) {
        const struct ll_basis_record *r = &ledger->bases[i]->record;
        if (r->party == record->party && r->purpose == record->purpose &&
            r->basis == record->basis)
            return ledger->bases[i];
    }
    void *array = ledger->bases;
    bool good = lengthen(arbiter->mem, &array, &ledger->basis_cap,
        ledger->basis_count, sizeof *ledger->bases);
    ledger->bases = array;
    ledger->arena.failed = false;
    struct ll_basis_more *more =
        good ? ll_arena_alloc(&ledger->arena, sizeof *more) : NULL;
    if (more != NULL) {
        *more = (struct ll_basis_more){.record = *record};
        ledger->bases[ledger->basis_count++] = more;
    }
    return more;
}

struct ll_grant_more
ll_arbiter_grant_more(const struct ll_arbiter *arbiter, uint32_t grant)
{
    const struct ll_ledger *ledger = arbiter->ledger;
    if (grant >= ledger->grant_cap || ledger->grants[grant].notice == NULL)
        return (struct ll_grant_more){.leaf = 0};
    const struct ll_own_more *own = &ledger->grants[grant];
    return (struct ll_grant_more){.leaf = own->leaf,
        .end_leaf = own->end_leaf,
        .ended_ms = own->ended_ms,
        .reads = own->reads,
        .notice = own->notice->text,
        .channel = own->channel->text,
        .staff = own->staff->text};
}

const struct ll_basis_more *
ll_arbiter_basis(const struct ll_arbiter *arbiter, uint32_t number)
{
    return number < arbiter->ledger->basis_count
               ? arbiter->ledger->bases[number]
               : NULL;
}

linli_str
ll_arbiter_notice(const struct ll_arbiter *arbiter, uint32_t party)
{
    const struct ll_ledger *ledger = arbiter->ledger;
    return party < ledger->party_cap && ledger->parties[party].notice != NULL
               ? ledger->parties[party].notice->text
               : (linli_str){NULL, 0};
}

/* -- a deed -- */

static struct ll_coll *
coll_of(struct ll_deed *deed, const char *name)
{
    struct ll_coll *coll = ll_space_coll(deed->space, ll_cstr(name));
    if (coll != NULL)
        coll->subject = (linli_str)LINLI_STR("subject");
    return coll;
}

void
ll_deed_begin(struct ll_deed *deed, struct ll_arbiter *arbiter,
    linli_str community, int64_t now_ms)
{
    *deed = (struct ll_deed){
        .arbiter = arbiter, .community = community, .now_ms = now_ms};
    ll_buf_init(&deed->body, arbiter->mem, LL_DOC_BYTES_MAX);
    ll_buf_init(&deed->line, arbiter->mem, LL_LEAF_BYTES_MAX);
    ll_txn_init(&deed->txn, arbiter->docs);
    deed->space =
        ll_docs_space(arbiter->docs, community, (linli_str)LINLI_STR("~"));
    deed->commit = ll_docs_commit_new(arbiter->docs);
    deed->told = ll_alloc(arbiter->mem, sizeof *deed->told);
    if (deed->space == NULL || deed->commit == NULL || deed->told == NULL)
        deed->status = LINLI_E_NOMEM;
    else
        *deed->told = (struct ll_told){
            .arbiter = arbiter, .given = LL_NO_GRANT, .ended = LL_NO_GRANT};
}

struct ll_jw
ll_deed_body(struct ll_deed *deed, linli_str id)
{
    ll_buf_clear(&deed->body);
    struct ll_jw w = ll_jw(&deed->body);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, id);
    return w;
}

/* The document, whose state is known or does not matter: nobody but the
 * arbiter writes it, and it is in no index. */
static struct ll_doc *
take_doc(struct ll_deed *deed, const char *coll_name, linli_str id)
{
    struct ll_coll *coll =
        deed->status == LINLI_OK ? coll_of(deed, coll_name) : NULL;
    struct ll_doc *doc = coll == NULL ? NULL : ll_docs_make(coll, id);
    if (doc != NULL && doc->state != LL_DOC_KNOWN)
        ll_doc_unref(&doc); /* somebody reads it; it is written next time */
    if (doc == NULL)
        deed->status = LINLI_E_NOMEM;
    return doc;
}

/* The last members of a document about somebody. */
static void
close_body(struct ll_deed *deed, struct ll_jw *w, linli_str resident,
    char subject[LL_PID_BYTES])
{
    subject[0] = '\0';
    if (resident.len > 0) {
        ll_subject(deed->arbiter->docs->store, deed->community,
            LL_SUBJECT_RESIDENT, resident, subject);
        ll_jw_key(w, "subject");
        ll_jw_cstr(w, subject);
    }
    ll_jw_close(w, '}');
}

void
ll_deed_put(struct ll_deed *deed, struct ll_jw *w, const char *coll,
    linli_str id, linli_str resident)
{
    struct ll_doc *doc = take_doc(deed, coll, id);
    char subject[LL_PID_BYTES];
    if (doc == NULL)
        return;
    close_body(deed, w, resident, subject);
    struct ll_plain plain = {.subject = ll_cstr(subject)};
    if (ll_txn_put_plain(&deed->txn, doc, &deed->body, &plain, NULL) !=
        LINLI_OK)
        deed->status = LINLI_E_NOMEM;
    deed->writes++;
    ll_doc_unref(&doc);
}

/* Unlike the others this one is in an index: a queue's. */
void
ll_deed_put_revoked(
    struct ll_deed *deed, const struct ll_grant *grant, const char *reason)
{
    const struct ll_arbiter *arbiter = deed->arbiter;
    struct ll_party_of who = {.community = deed->community,
        .plugin = ll_consent_plugin(arbiter->consent, grant->party),
        .resident = ll_consent_resident(arbiter->consent, grant->subject)};
    char id[LL_HEX_BYTES], subject[LL_PID_BYTES], pid[LL_PID_BYTES] = "";
    if (arbiter->tells == NULL || !arbiter->tells(arbiter->user, &who, pid))
        return;
    ll_hex(grant->id, sizeof grant->id, id);
    struct ll_doc *doc = take_doc(deed, LL_CONSENT_REVOKED, ll_cstr(id));
    if (doc == NULL)
        return;
    struct ll_jw w = ll_deed_body(deed, ll_cstr(id));
    ll_revoked_write(arbiter, &w, grant, reason);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, deed->now_ms);
    if (pid[0] != '\0') {
        ll_jw_key(&w, "pid");
        ll_jw_cstr(&w, pid);
    }
    ll_jw_key(&w, "due");
    ll_jw_int(&w, deed->now_ms);
    ll_jw_key(&w, "seq");
    ll_jw_int(&w, 0);
    close_body(deed, &w, who.resident, subject);
    if (ll_txn_put(&deed->txn, doc, &deed->body, deed->now_ms, NULL) !=
        LINLI_OK)
        deed->status = LINLI_E_NOMEM;
    deed->writes++;
    ll_doc_unref(&doc);
}

void
ll_deed_drop(struct ll_deed *deed, const char *coll, linli_str id)
{
    struct ll_doc *doc = take_doc(deed, coll, id);
    if (doc == NULL)
        return;
    if (doc->content != NULL || ll_txn_own(&deed->txn, doc) != NULL) {
        if (ll_txn_write(&deed->txn, doc, NULL, NULL) != LINLI_OK)
            deed->status = LINLI_E_NOMEM;
        deed->writes++;
    } else { /* it may be in the store all the same */
        ll_commit_op(deed->commit, LL_ST_doc_del);
        ll_put_int(&deed->commit->ops, doc->coll->id);
        ll_put_bytes(&deed->commit->ops, id);
    }
    ll_doc_unref(&doc);
}

void
ll_deed_leaf(struct ll_deed *deed, const struct ll_leaf *leaf)
{
    if (deed->status != LINLI_OK)
        return;
    ll_buf_clear(&deed->line);
    ll_leaf_put(&deed->line, leaf);
    if (deed->line.failed)
        deed->status = LINLI_E_NOMEM;
    else
        ll_commit_leaf(deed->commit, ll_buf_view(&deed->line));
}

void
ll_deed_end(struct ll_deed *deed)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    ll_txn_fini(&deed->txn);
    ll_buf_fini(&deed->body);
    ll_buf_fini(&deed->line);
    if (deed->commit != NULL)
        ll_docs_commit_free(arbiter->docs, deed->commit);
    if (deed->told != NULL)
        ll_release(arbiter->mem, deed->told, sizeof *deed->told);
    deed->commit = NULL;
    deed->told = NULL;
}

linli_status
ll_deed_ready(struct ll_deed *deed, struct ll_err *err)
{
    bool good = deed->status == LINLI_OK && !deed->commit->ops.failed &&
                ll_buf_room(&deed->commit->ops,
                    deed->txn.write_bytes + deed->writes * WRITE_BYTES);
    if (good)
        return LINLI_OK;
    ll_deed_end(deed);
    return no_room(err);
}

/* Numbers in the log are counted from 1 here, so that 0 says nothing. */
static void
note(struct ll_told *told)
{
    struct ll_ledger *ledger = told->arbiter->ledger;
    if (told->given != LL_NO_GRANT)
        ledger->grants[told->given].leaf = told->leaf;
    if (told->ended != LL_NO_GRANT)
        ledger->grants[told->ended].end_leaf = told->leaf;
}

static void
on_done(struct ll_commit *commit, bool durable)
{
    struct ll_told *told = commit->user;
    struct ll_arbiter *arbiter = told->arbiter;
    struct ll_ledger *ledger = arbiter->ledger;
    if (durable && commit->leaf_count > 0) {
        told->leaf = commit->leaf_first + 1;
        note(told);
    }
    ll_docs_commit_free(arbiter->docs, commit);
    bool noted = told->given != LL_NO_GRANT || told->ended != LL_NO_GRANT;
    if (!durable || told->at_once || (told->act == NULL && !noted)) {
        tell(told, durable);
        return;
    }
    told->next = NULL;
    if (ledger->last == NULL)
        ledger->first = told;
    else
        ledger->last->next = told;
    ledger->last = told;
}

uint64_t
ll_deed_commit(struct ll_deed *deed, struct ll_act *act)
{
    deed->told->act = act;
    deed->commit->done = on_done;
    deed->commit->user = deed->told;
    uint64_t number = ll_txn_commit(&deed->txn, deed->commit);
    ll_check(number != 0); /* ll_deed_ready has made room */
    deed->commit = NULL;
    deed->told = NULL;
    ll_deed_end(deed);
    return number;
}

linli_status
ll_deed_barrier(struct ll_arbiter *arbiter, struct ll_act *act, uint64_t leaf,
    struct ll_err *err)
{
    struct ll_told *told = ll_alloc(arbiter->mem, sizeof *told);
    struct ll_commit *commit = ll_docs_commit_new(arbiter->docs);
    if (told == NULL || commit == NULL) {
        if (commit != NULL)
            ll_docs_commit_free(arbiter->docs, commit);
        ll_release(arbiter->mem, told, told == NULL ? 0 : sizeof *told);
        return no_room(err);
    }
    *told = (struct ll_told){.arbiter = arbiter,
        .act = act,
        .leaf = leaf,
        .given = LL_NO_GRANT,
        .ended = LL_NO_GRANT};
    commit->done = on_done;
    commit->user = told;
    (void)ll_store_commit(arbiter->docs->store, commit);
    return LINLI_OK;
}
