/* billing/subs_load.c: subscriptions as rows, and back. [loop]
 *
 * The body of a row is its life, and names nobody; who pays and who uses it
 * lie in rows of their own, sealed about them. A row that cannot be read is
 * not passed over: a subscription that is lost would be use for nothing.
 */
#include <stdio.h>

#include "base/text.h"
#include "billing/subs_int.h"
#include "domain/pricing_number.h"

#define ROWS 1024 /* of one question at the start */
#define BODY_BYTES_MAX 65536
#define SUBJECT_HOUSEHOLD "~household"

static const char *const intervals[] = {"month", "quarter", "year"};
static const char *const anchors[] = {"calendar", "anniversary"};

/* -- a block -- */

struct room {
    char *at;
    size_t left;
};

static void *
take(struct room *room, size_t bytes)
{
    size_t whole = (bytes + 15) & ~(size_t)15;
    ll_check(whole <= room->left);
    void *at = room->at;
    room->at += whole;
    room->left -= whole;
    return at;
}

static linli_str
take_str(struct room *room, linli_str s)
{
    char *at = take(room, s.len + 1);
    if (s.len > 0)
        memcpy(at, s.ptr, s.len);
    return (linli_str){at, s.len};
}

static struct ll_sub_party *
take_parties(struct room *room, const struct ll_sub_party *from, uint32_t count)
{
    struct ll_sub_party *to = take(room, count * sizeof *to);
    for (uint32_t i = 0; i < count; i++) {
        to[i] = from[i];
        to[i].who = take_str(room, from[i].who);
    }
    return to;
}

static size_t
parties_bytes(const struct ll_sub_party *parties, uint32_t count)
{
    size_t bytes = count * sizeof *parties + 16;
    for (uint32_t i = 0; i < count; i++)
        bytes += parties[i].who.len + 17;
    return bytes;
}

linli_status
ll_sub_pack(struct ll_billing *billing, const struct ll_sub *from,
    const struct ll_subscription *life, struct ll_sub *out, struct ll_err *err)
{
    size_t versions = life->version_count * sizeof *out->versions;
    size_t pauses = life->pause_count * sizeof *out->pauses;
    size_t bytes = versions + pauses + from->key.len + from->zone.len + 64 +
                   parties_bytes(from->payers, from->payer_count) +
                   parties_bytes(from->beneficiaries, from->beneficiary_count);
    struct room room = {ll_alloc(billing->mem, bytes), bytes};
    *out = *from;
    out->block = room.at;
    out->bytes = bytes;
    if (room.at == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a subscription");
    out->rhythm = life->rhythm;
    out->start_ms = life->start_ms;
    out->end_ms = life->end_ms;
    out->acted_ms = life->acted_ms;
    out->trial_days = life->trial_days;
    out->version_count = life->version_count;
    out->pause_count = life->pause_count;
    out->versions = take(&room, versions);
    out->pauses = take(&room, pauses);
    if (versions > 0)
        memcpy(out->versions, life->versions, versions);
    if (pauses > 0)
        memcpy(out->pauses, life->pauses, pauses);
    out->payers = take_parties(&room, from->payers, from->payer_count);
    out->beneficiaries =
        take_parties(&room, from->beneficiaries, from->beneficiary_count);
    out->key = take_str(&room, from->key);
    out->zone = take_str(&room, from->zone);
    return LINLI_OK;
}

/* -- writing -- */

/* INT64_MAX, which no instant is, stands as null. */
static void
write_end(struct ll_jw *w, int64_t ms)
{
    if (ms == LL_NO_END)
        ll_jw_null(w);
    else
        ll_jw_int(w, ms);
}

static void
write_pairs(struct ll_jw *w, const struct ll_sub *sub)
{
    ll_jw_key(w, "versions");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < sub->version_count; i++) {
        ll_jw_open(w, '[');
        ll_jw_int(w, sub->versions[i].version);
        ll_jw_int(w, sub->versions[i].from_ms);
        ll_jw_close(w, ']');
    }
    ll_jw_close(w, ']');
    ll_jw_key(w, "pauses");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < sub->pause_count; i++) {
        ll_jw_open(w, '[');
        ll_jw_int(w, sub->pauses[i].from_ms);
        write_end(w, sub->pauses[i].to_ms);
        ll_jw_close(w, ']');
    }
    ll_jw_close(w, ']');
}

static void
write_int(struct ll_jw *w, const char *name, int64_t value)
{
    ll_jw_key(w, name);
    ll_jw_int(w, value);
}

static void
write_body(struct ll_buf *text, const struct ll_sub *sub)
{
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "interval");
    ll_jw_cstr(&w, intervals[sub->rhythm.interval]);
    ll_jw_key(&w, "anchor");
    ll_jw_cstr(&w, anchors[sub->rhythm.anchor]);
    write_int(&w, "day", sub->rhythm.start);
    write_int(&w, "start", sub->start_ms);
    ll_jw_key(&w, "end");
    write_end(&w, sub->end_ms);
    write_int(&w, "acted", sub->acted_ms);
    write_int(&w, "trial_days", sub->trial_days);
    write_pairs(&w, sub);
    ll_jw_key(&w, "zone");
    ll_jw_str(&w, sub->zone);
    write_int(&w, "seats", sub->seats_micro);
    write_int(&w, "cap", sub->cap_fen);
    write_int(&w, "cap_asked", sub->cap_asked_fen);
    ll_jw_key(&w, "suspended");
    ll_jw_bool(&w, sub->suspended);
    write_int(&w, "billed_to", sub->billed_to);
    ll_jw_key(&w, "offer");
    ll_jw_cstr(&w, sub->offer);
    ll_jw_close(&w, '}');
}

void
ll_sub_put_row(struct ll_billing *billing, const struct ll_sub *sub,
    struct ll_commit *commit)
{
    struct ll_buf *text = &billing->subs->text;
    write_body(text, sub);
    ll_commit_op(commit, LL_ST_sub_put);
    ll_put_int(&commit->ops, sub->id);
    ll_put_bytes(&commit->ops, sub->community);
    ll_put_bytes(&commit->ops, sub->plugin);
    ll_put_bytes(&commit->ops, sub->key);
    ll_put_bytes(&commit->ops, ll_buf_view(text));
    commit->ops.failed = commit->ops.failed || text->failed;
}

void
ll_sub_party_subject(const struct ll_billing *billing, linli_str community,
    const struct ll_sub_party *party, char out[LL_PID_BYTES])
{
    out[0] = '\0';
    if (party->who.len > 0)
        ll_subject(billing->store, community,
            party->kind == LL_PARTY_RESIDENT ? LL_SUBJECT_RESIDENT
                                             : SUBJECT_HOUSEHOLD,
            party->who, out);
}

void
ll_sub_put_parties(struct ll_billing *billing, const struct ll_sub *sub,
    struct ll_commit *commit)
{
    struct ll_buf *ops = &commit->ops;
    char subject[LL_PID_BYTES];
    struct ll_space *space =
        ll_docs_space(billing->docs, sub->community, LINLI_STR("~"));
    if (space == NULL) {
        ops->failed = true;
        return;
    }
    for (uint32_t i = 0; i < sub->payer_count + sub->beneficiary_count; i++) {
        bool pays = i < sub->payer_count;
        uint32_t n = pays ? i : i - sub->payer_count;
        const struct ll_sub_party *party =
            pays ? &sub->payers[n] : &sub->beneficiaries[n];
        ll_commit_op(commit, LL_ST_sub_party_put);
        ll_put_int(ops, sub->id);
        ll_put_int(ops, pays ? 0 : 1);
        ll_put_int(ops, n);
        ll_put_int(ops, party->kind);
        ll_put_int(ops, party->bp);
        ll_sub_party_subject(billing, sub->community, party, subject);
        ll_put_sealed(ops, space->id, ll_cstr(subject), party->who);
    }
}

void
ll_sub_put_line(struct ll_bill_act *act, const struct ll_sub *sub,
    const struct ll_sub_line *line)
{
    struct ll_buf *ops = &act->commit->ops;
    struct ll_buf *text = &act->billing->subs->text;
    struct ll_jw w = ll_jw(text);
    char plan[LL_PLAN_TEXT_BYTES];
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    if (line->plan != NULL) {
        ll_plan_text(line->plan, plan);
        ll_jw_key(&w, "plan");
        ll_jw_cstr(&w, plan);
    }
    if (line->from_ms != 0)
        write_int(&w, "from", line->from_ms);
    if (line->fen != NULL) {
        ll_jw_key(&w, "fen");
        if (*line->fen == LL_CAP_NONE)
            ll_jw_null(&w);
        else
            ll_jw_int(&w, *line->fen);
    }
    if (act->reason.len > 0) {
        ll_jw_key(&w, "reason");
        ll_jw_str(&w, act->reason);
    }
    ll_jw_close(&w, '}');
    ll_commit_op(act->commit, LL_ST_sub_deed_put);
    ll_put_int(ops, sub->id);
    ll_put_int(ops, act->now_ms);
    ll_put_bytes(ops, ll_str_starts(act->by, "resident:")
                          ? (linli_str)LINLI_STR("resident")
                          : act->by);
    ll_put_bytes(ops, ll_cstr(line->what));
    ll_put_bytes(ops, ll_buf_view(text));
    ops->failed = ops->failed || text->failed;
}

/* -- reading -- */

static int64_t
number(struct ll_jv v, bool *good)
{
    int64_t n = 0;
    *good = ll_jv_int(v, &n) && *good;
    return n;
}

static int64_t
member(struct ll_jv root, const char *name, bool *good)
{
    return number(ll_jv_get(root, name), good);
}

static int64_t
end_of(struct ll_jv v, bool *good)
{
    return ll_jv_is(v, LL_JSON_NULL) ? LL_NO_END : number(v, good);
}

static unsigned
word(struct ll_jv v, const char *const *words, unsigned count, bool *good)
{
    for (unsigned i = 0; i < count; i++)
        if (ll_str_is(ll_jv_str(v), words[i]))
            return i;
    *good = false;
    return 0;
}

static void
read_lists(const struct ll_billing *billing, struct ll_jv root,
    struct ll_subscription *life, bool *good)
{
    LL_JSON_EACH (pair, ll_jv_get(root, "versions")) {
        struct ll_jv id = ll_jv_first(pair);
        if (ll_jv_count(pair) != 2 ||
            life->version_count == LL_SUB_VERSIONS_MAX) {
            *good = false;
            return;
        }
        struct ll_sub_version version = {
            (uint32_t)number(id, good), number(ll_jv_after(id), good)};
        *good = *good && ll_plan_by_id(billing, version.version) != NULL;
        life->versions[life->version_count++] = version;
    }
    LL_JSON_EACH (pair, ll_jv_get(root, "pauses")) {
        struct ll_jv from = ll_jv_first(pair);
        if (ll_jv_count(pair) != 2 || life->pause_count == LL_SUB_PAUSES_MAX) {
            *good = false;
            return;
        }
        life->pauses[life->pause_count++] = (struct ll_sub_pause){
            number(from, good), end_of(ll_jv_after(from), good)};
    }
    *good = *good && life->version_count > 0;
}

static bool
read_body(const struct ll_billing *billing, struct ll_jv root,
    struct ll_sub *sub, struct ll_subscription *life)
{
    bool good = true;
    linli_str offer = ll_jv_str(ll_jv_get(root, "offer"));
    life->rhythm.interval = (enum ll_interval)word(
        ll_jv_get(root, "interval"), intervals, LL_COUNT(intervals), &good);
    life->rhythm.anchor = (enum ll_anchor)word(
        ll_jv_get(root, "anchor"), anchors, LL_COUNT(anchors), &good);
    life->rhythm.start = (int32_t)member(root, "day", &good);
    life->start_ms = member(root, "start", &good);
    life->end_ms = end_of(ll_jv_get(root, "end"), &good);
    life->acted_ms = member(root, "acted", &good);
    life->trial_days = (int32_t)member(root, "trial_days", &good);
    read_lists(billing, root, life, &good);
    sub->zone = ll_jv_str(ll_jv_get(root, "zone"));
    sub->seats_micro = member(root, "seats", &good);
    sub->cap_fen = member(root, "cap", &good);
    sub->cap_asked_fen = member(root, "cap_asked", &good);
    sub->suspended = ll_jv_true(ll_jv_get(root, "suspended"));
    sub->billed_to = (int32_t)member(root, "billed_to", &good);
    good = good && offer.len < sizeof sub->offer;
    if (good)
        (void)snprintf(sub->offer, sizeof sub->offer, "%.*s", LL_FMT(offer));
    return good;
}

/* The rows of all parties, page by page, in the order of subscriptions. */
struct party_rows {
    struct ll_query query;
    struct ll_rd rows;
    uint32_t left;
    bool asked;
    int64_t sub, role, n; /* the last that was read */
};

static linli_status
next_page(struct ll_billing *billing, struct party_rows *p, struct ll_err *err)
{
    if (p->asked)
        ll_query_fini(&p->query);
    ll_query_init(&p->query, billing->mem, LL_ST_sub_parties);
    ll_put_int(&p->query.params, p->sub);
    ll_put_int(&p->query.params, p->role);
    ll_put_int(&p->query.params, p->n);
    p->query.rows_max = ROWS;
    p->query.bytes_max = LL_QUERY_BYTES_MAX;
    p->asked = true;
    linli_status status = ll_store_ask(billing->store, &p->query);
    if (status != LINLI_OK) {
        *err = p->query.err;
        return status;
    }
    p->rows = ll_rd(ll_buf_view(&p->query.rows));
    p->left = p->query.row_count;
    return LINLI_OK;
}

/* Those of one subscription; strings into `arena`. */
static linli_status
read_parties(struct ll_billing *billing, struct party_rows *p,
    struct ll_arena *arena, struct ll_sub *sub, struct ll_err *err)
{
    struct ll_sub_party *lists[2];
    uint32_t *const counts[2] = {&sub->payer_count, &sub->beneficiary_count};
    for (int role = 0; role < 2; role++)
        lists[role] =
            ll_arena_alloc(arena, LL_SUB_PARTIES_MAX * sizeof *lists[role]);
    sub->payers = lists[0];
    sub->beneficiaries = lists[1];
    for (;;) {
        linli_status status = LINLI_OK;
        if (p->left == 0 && (!p->asked || p->query.more))
            status = next_page(billing, p, err);
        if (status != LINLI_OK)
            return status;
        struct ll_rd row = p->rows;
        (void)ll_rd_list(&row);
        if (p->left == 0 || ll_rd_int(&row) != sub->id)
            break;
        bool there;
        p->sub = sub->id;
        p->role = ll_rd_int_in(&row, 0, 1);
        p->n = ll_rd_int_in(&row, 0, LL_SUB_PARTIES_MAX - 1);
        struct ll_sub_party party = {.kind = (enum ll_party_kind)ll_rd_int_in(
                                         &row, 0, LL_PARTY_OPERATOR)};
        party.bp = (int32_t)ll_rd_int_in(&row, 0, LL_BP);
        party.who = ll_rd_bytes_or_nil(&row, &there);
        party.who = ll_arena_str(arena, party.who);
        uint32_t *count = counts[p->role];
        if (row.bad || arena->failed || p->n != *count)
            return ll_fail(err, arena->failed ? LINLI_E_NOMEM : LINLI_E_INVALID,
                arena->failed ? "runtime/memory" : "store/corrupt",
                "who pays for sub_%u", sub->id);
        lists[p->role][p->n] = party;
        (*count)++;
        p->rows = row;
        p->left--;
    }
    return LINLI_OK;
}

struct loading {
    struct ll_json json;
    struct ll_arena arena;
    struct party_rows parties;
    struct ll_subscription life;
};

static linli_status
take_sub(struct ll_billing *billing, struct loading *loading,
    struct ll_sub *read, struct ll_err *err)
{
    struct ll_market *market =
        ll_market(billing, read->community, read->plugin);
    linli_status status =
        market == NULL
            ? ll_fail(err, LINLI_E_INVALID, "store/corrupt",
                  "nobody sells what sub_%u is of", read->id)
            : ll_billing_zone(billing, read->zone, &read->local, err);
    if (status == LINLI_OK)
        status = read_parties(
            billing, &loading->parties, &loading->arena, read, err);
    if (status != LINLI_OK)
        return status;
    read->community = market->community;
    read->plugin = market->plugin;
    struct ll_sub *sub = ll_alloc(billing->mem, sizeof *sub);
    if (sub == NULL ||
        !ll_subs_room(billing, read->payer_count + read->beneficiary_count))
        status =
            ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the subscriptions");
    else
        status = ll_sub_pack(billing, read, &loading->life, sub, err);
    if (status == LINLI_OK)
        ll_subs_add(billing, sub);
    else
        ll_release(billing->mem, sub, sizeof *sub);
    return status;
}

static linli_status
take_row(struct ll_billing *billing, struct loading *loading, struct ll_rd *row,
    struct ll_err *err)
{
    struct ll_sub read = {.id = 0};
    (void)ll_rd_list(row);
    read.id = (uint32_t)ll_rd_int_in(row, 0, UINT32_MAX);
    read.community = ll_rd_bytes(row);
    read.plugin = ll_rd_bytes(row);
    read.key = ll_rd_bytes(row);
    linli_str body = ll_rd_bytes(row);
    loading->life = (struct ll_subscription){0};
    if (row->bad || read.id != LL_SUB_FIRST + billing->subs->count ||
        ll_json_parse(&loading->json, body, LL_JSON_DEPTH_MAX, NULL) !=
            LINLI_OK ||
        !read_body(
            billing, ll_json_root(&loading->json), &read, &loading->life))
        return ll_fail(
            err, LINLI_E_INVALID, "store/corrupt", "sub_%u", read.id);
    return take_sub(billing, loading, &read, err);
}

static linli_status
take_page(struct ll_billing *billing, struct loading *loading, bool *more,
    struct ll_err *err)
{
    struct ll_query query;
    ll_query_init(&query, billing->mem, LL_ST_subs);
    ll_put_int(&query.params, LL_SUB_FIRST + (int64_t)billing->subs->count - 1);
    query.rows_max = ROWS;
    query.bytes_max = LL_QUERY_BYTES_MAX;
    linli_status status = ll_store_ask(billing->store, &query);
    if (status != LINLI_OK)
        *err = query.err;
    struct ll_rd rows = ll_rd(ll_buf_view(&query.rows));
    for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++) {
        ll_arena_reset(&loading->arena);
        status = take_row(billing, loading, &rows, err);
    }
    *more = query.more;
    ll_query_fini(&query);
    return status;
}

linli_status
ll_subs_open(struct ll_billing *billing, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    bool more = true;
    struct loading *loading = ll_alloc(billing->mem, sizeof *loading);
    billing->subs = ll_alloc(billing->mem, sizeof *billing->subs);
    if (billing->subs == NULL || loading == NULL) {
        ll_release(billing->mem, loading, sizeof *loading);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "subscriptions");
    }
    ll_buf_init(&billing->subs->text, billing->mem, BODY_BYTES_MAX);
    ll_world_random(billing->world, billing->subs->hash_key,
        sizeof billing->subs->hash_key);
    ll_json_init(&loading->json, billing->mem);
    ll_arena_init(&loading->arena, billing->mem, LL_QUERY_BYTES_MAX);
    while (status == LINLI_OK && more)
        status = take_page(billing, loading, &more, err);
    if (loading->parties.asked)
        ll_query_fini(&loading->parties.query);
    ll_arena_fini(&loading->arena);
    ll_json_fini(&loading->json);
    ll_release(billing->mem, loading, sizeof *loading);
    return status;
}

void
ll_subs_close(struct ll_billing *billing)
{
    struct ll_subs *subs = billing->subs;
    if (subs == NULL)
        return;
    for (uint32_t i = 0; i < subs->count; i++) {
        ll_release(billing->mem, subs->at[i]->block, subs->at[i]->bytes);
        ll_release(billing->mem, subs->at[i], sizeof **subs->at);
    }
    ll_release(billing->mem, subs->at, subs->cap * sizeof *subs->at);
    ll_release(
        billing->mem, subs->places, subs->place_cap * sizeof *subs->places);
    ll_buf_fini(&subs->text);
    ll_release(billing->mem, subs, sizeof *subs);
    billing->subs = NULL;
}
