/* server/subscription.c: a subscription, written for people. [loop] */
#include <stdio.h>

#include "base/instant.h"
#include "base/text.h"
#include "billing/rating.h"
#include "server/deal.h"

static const char *const intervals[] = {"month", "quarter", "year"};
static const char *const anchors[] = {"calendar", "anniversary"};

bool
ll_sub_is_readers(
    const struct ll_sub_party *party, const struct ll_sub_reader *reader)
{
    linli_str who = party->kind == LL_PARTY_RESIDENT    ? reader->resident
                    : party->kind == LL_PARTY_HOUSEHOLD ? reader->household
                                                        : LINLI_STR("");
    return who.len > 0 && ll_str_eq(party->who, who);
}

static void
write_instant(struct ll_jw *w, const char *name, int64_t ms)
{
    char text[LL_RFC3339_BYTES];
    ll_jw_key(w, name);
    if (ms > LL_INSTANT_MS_MAX) {
        ll_jw_null(w);
        return;
    }
    ll_rfc3339(ms, text);
    ll_jw_cstr(w, text);
}

static void
write_day(struct ll_jw *w, const char *name, int32_t day)
{
    char text[16];
    ll_day_text(day, text);
    ll_jw_key(w, name);
    ll_jw_cstr(w, text);
}

/* Others than the reader by their kind alone. Who was erased has no id. */
static void
write_parties(struct ll_jw *w, const char *name,
    const struct ll_sub_party *parties, uint32_t count,
    const struct ll_sub_reader *reader)
{
    bool pay = strcmp(name, "payers") == 0;
    ll_jw_key(w, name);
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < count; i++) {
        const struct ll_sub_party *p = &parties[i];
        bool own = reader != NULL && ll_sub_is_readers(p, reader);
        ll_jw_open(w, '{');
        ll_jw_key(w, "kind");
        ll_jw_cstr(w, ll_party_kind_name(p->kind));
        if (reader != NULL) {
            ll_jw_key(w, "you");
            ll_jw_bool(w, own);
        } else if (p->kind == LL_PARTY_RESIDENT ||
                   p->kind == LL_PARTY_HOUSEHOLD) {
            ll_jw_key(w, "id");
            if (p->who.len > 0)
                ll_jw_str(w, p->who);
            else
                ll_jw_null(w);
        }
        if (pay) {
            ll_jw_key(w, "bp");
            ll_jw_int(w, p->bp);
        }
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

static void
write_version(struct ll_jw *w, const struct ll_billing *billing, uint32_t id)
{
    char text[LL_PLAN_TEXT_BYTES];
    const struct ll_plan_version *version = ll_plan_by_id(billing, id);
    ll_check(version != NULL);
    ll_plan_text(version, text);
    ll_jw_key(w, "plan");
    ll_jw_cstr(w, text);
}

static void
write_life(
    struct ll_jw *w, const struct ll_billing *billing, const struct ll_sub *sub)
{
    ll_jw_key(w, "versions");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < sub->version_count; i++) {
        ll_jw_open(w, '{');
        write_version(w, billing, sub->versions[i].version);
        write_instant(w, "from", sub->versions[i].from_ms);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
    ll_jw_key(w, "pauses");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < sub->pause_count; i++) {
        ll_jw_open(w, '{');
        write_instant(w, "from", sub->pauses[i].from_ms);
        write_instant(w, "to", sub->pauses[i].to_ms);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

static void
write_fen(struct ll_jw *w, const char *name, int64_t fen)
{
    ll_jw_key(w, name);
    if (fen == LL_CAP_NONE || fen == LL_CAP_LIFT)
        ll_jw_null(w);
    else
        ll_jw_int(w, fen);
}

/* What a period may cost, and what was asked of those who pay. */
static void
write_cap(struct ll_jw *w, const struct ll_sub *sub)
{
    write_fen(w, "cap_fen", sub->cap_fen);
    ll_jw_key(w, "cap_asked");
    if (sub->cap_asked_fen == LL_CAP_NONE) {
        ll_jw_null(w);
        return;
    }
    ll_jw_open(w, '{');
    write_fen(w, "fen", sub->cap_asked_fen);
    ll_jw_close(w, '}');
}

/* The plan that is in force, or was last, or will be first. */
static uint32_t
version_of(const struct ll_sub *sub, int64_t now_ms)
{
    uint32_t i = sub->version_count;
    while (i > 1 && sub->versions[i - 1].from_ms > now_ms)
        i--;
    return sub->versions[i - 1].version;
}

void
ll_sub_write(struct ll_jw *w, const struct ll_billing *billing,
    const struct ll_sub *sub, int64_t now_ms,
    const struct ll_sub_reader *reader)
{
    char text[LL_SUB_TEXT_BYTES], seats[32];
    struct ll_period period = ll_sub_period_at(sub, now_ms);
    const struct ll_plan_version *version =
        ll_plan_by_id(billing, version_of(sub, now_ms));
    ll_sub_text(sub->id, text);
    (void)ll_usage_text(sub->seats_micro, seats);
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_cstr(w, text);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, sub->plugin);
    write_version(w, billing, version->id);
    ll_jw_key(w, "title");
    ll_jw_open(w, '{');
    ll_jw_key(w, "zh-CN");
    ll_jw_str(w, version->title_zh);
    ll_jw_key(w, "en");
    ll_jw_str(w, version->title_en);
    ll_jw_close(w, '}');
    ll_jw_key(w, "state");
    ll_jw_cstr(w, ll_sub_state_name(ll_sub_state_at(sub, now_ms)));
    write_instant(w, "start", sub->start_ms);
    write_instant(w, "end", sub->end_ms);
    ll_jw_key(w, "interval");
    ll_jw_cstr(w, intervals[sub->rhythm.interval]);
    ll_jw_key(w, "anchor");
    ll_jw_cstr(w, anchors[sub->rhythm.anchor]);
    ll_jw_key(w, "zone");
    ll_jw_str(w, sub->zone);
    ll_jw_key(w, "period");
    ll_jw_open(w, '{');
    write_day(w, "from", period.from);
    write_day(w, "to", period.to);
    ll_jw_close(w, '}');
    write_day(w, "paid_from", sub->rhythm.start + sub->trial_days);
    /* All of a life that has ended: to its end. */
    write_day(w, "billed_to",
        sub->billed_to == LL_BILLED_ALL
            ? ll_local_day_end(sub->local, sub->end_ms)
            : sub->billed_to);
    ll_jw_key(w, "seats");
    ll_jw_cstr(w, seats);
    write_cap(w, sub);
    write_parties(w, "payers", sub->payers, sub->payer_count, reader);
    write_parties(
        w, "beneficiaries", sub->beneficiaries, sub->beneficiary_count, reader);
    write_life(w, billing, sub);
}

linli_status
ll_sub_read_cap(struct ll_jv root, int64_t *fen, struct ll_err *err)
{
    struct ll_jv v = ll_jv_get(root, "fen");
    *fen = LL_CAP_NONE;
    if (ll_jv_is(v, LL_JSON_NULL) ||
        (ll_jv_int(v, fen) && *fen >= 0 && *fen != LL_CAP_LIFT))
        return LINLI_OK;
    (void)ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`fen` is what a period may cost, or null: there is no cap");
    ll_err_where(err, "/fen");
    return LINLI_E_INVALID;
}
