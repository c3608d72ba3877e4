/* billing/subs_act.c: what is done to a subscription. [loop] */
#include "base/hash.h"
#include "base/text.h"
#include "billing/invoices.h"
#include "billing/subs_int.h"

/* What a deed makes of one: first as a copy, so that all that can fail has
 * failed before memory changes. */
struct change {
    struct ll_sub *sub;
    struct ll_sub next; /* its block is the change's until it is made */
    struct ll_subscription life;
    struct ll_sub_line line;
    bool nothing; /* it is so already */
};

/* -- what it comes to -- */

static linli_status
refuse(enum ll_sub_no no, const struct ll_sub *sub, struct ll_err *err)
{
    switch (no) {
    case LL_SUB_OK:
        return LINLI_OK;
    case LL_SUB_OVER:
        return ll_fail(err, LINLI_E_CONFLICT, "plan/over",
            "sub_%u has ended, or will have by then", sub->id);
    case LL_SUB_FULL:
        return ll_fail(err, LINLI_E_LIMIT, "plan/full",
            "sub_%u has changed as often as it can", sub->id);
    case LL_SUB_EARLIER: /* no instant before the last act is used, and */
    case LL_SUB_PAUSED:  /* what is paused already is nothing to do */
        break;
    }
    ll_check(no == LL_SUB_OK);
    return LINLI_E_INTERNAL;
}

static linli_status
check_plan(const struct ll_sub *sub, const struct ll_plan_version *plan,
    struct ll_err *err)
{
    if (!ll_str_eq(plan->plugin, sub->plugin) ||
        !ll_str_eq(plan->community, sub->community))
        return ll_fail(err, LINLI_E_CONFLICT, "plan/plugin",
            "`%.*s` sells `%.*s`, sub_%u is of `%.*s`", LL_FMT(plan->name),
            LL_FMT(plan->plugin), sub->id, LL_FMT(sub->plugin));
    if (plan->plan.interval != sub->rhythm.interval)
        return ll_fail(err, LINLI_E_CONFLICT, "plan/interval",
            "`%.*s` is of another interval than sub_%u", LL_FMT(plan->name),
            sub->id);
    return plan->closed ? ll_fail(err, LINLI_E_CONFLICT, "plan/closed",
                              "`%.*s` is not sold any more", LL_FMT(plan->name))
                        : LINLI_OK;
}

/* Back to the version in force: what waits is forgotten, and no tier begins
 * anew. */
static enum ll_sub_no
stay(struct change *c, int64_t at_ms)
{
    struct ll_subscription *life = &c->life;
    uint32_t count = life->version_count;
    while (count > 1 && life->versions[count - 1].from_ms > at_ms)
        count--;
    c->nothing = count == life->version_count;
    if (at_ms >= life->end_ms)
        return LL_SUB_OVER;
    life->version_count = count;
    life->acted_ms = at_ms;
    return LL_SUB_OK;
}

static uint32_t
version_at(const struct ll_subscription *life, int64_t at_ms)
{
    uint32_t i = life->version_count;
    while (i > 1 && life->versions[i - 1].from_ms > at_ms)
        i--;
    return life->versions[i - 1].version;
}

static linli_status
move(struct change *c, const struct ll_sub_deed *deed, int64_t at_ms,
    struct ll_err *err)
{
    struct ll_subscription *life = &c->life;
    uint32_t id = deed->plan->id;
    enum ll_sub_no no;
    linli_status status = check_plan(c->sub, deed->plan, err);
    if (status != LINLI_OK)
        return status;
    c->line.plan = deed->plan;
    c->line.from_ms = at_ms;
    if (version_at(life, at_ms) == id)
        return refuse(stay(c, at_ms), c->sub, err);
    if (deed->what == LL_SUB_DO_UPGRADE)
        return refuse(ll_sub_upgrade(life, id, at_ms), c->sub, err);
    struct ll_sub_version last = life->versions[life->version_count - 1];
    no = ll_sub_downgrade(life, c->sub->local, id, at_ms);
    if (no != LL_SUB_OK)
        return refuse(no, c->sub, err);
    const struct ll_sub_version *now = &life->versions[life->version_count - 1];
    c->nothing = now->version == last.version && now->from_ms == last.from_ms;
    c->line.from_ms = now->from_ms;
    return LINLI_OK;
}

static bool
is_paused(const struct ll_subscription *life)
{
    return life->pause_count > 0 &&
           life->pauses[life->pause_count - 1].to_ms == LL_NO_END;
}

static linli_status
halt(struct change *c, enum ll_sub_do what, int64_t at_ms, struct ll_err *err)
{
    bool pauses = what == LL_SUB_DO_PAUSE;
    if (at_ms < c->life.end_ms && is_paused(&c->life) == pauses) {
        c->nothing = true;
        return LINLI_OK;
    }
    return refuse(
        pauses ? ll_sub_pause(&c->life, at_ms) : ll_sub_resume(&c->life, at_ms),
        c->sub, err);
}

static linli_status
cancel(struct change *c, enum ll_sub_do what, int64_t at_ms, struct ll_err *err)
{
    enum ll_sub_no no =
        what == LL_SUB_DO_CANCEL
            ? ll_sub_cancel(&c->life, at_ms)
            : ll_sub_cancel_at_end(&c->life, c->sub->local, at_ms);
    c->nothing = no == LL_SUB_OK && c->life.end_ms == c->sub->end_ms &&
                 c->life.version_count == c->sub->version_count;
    c->line.from_ms = c->life.end_ms;
    return refuse(no, c->sub, err);
}

/* LL_CAP_NONE is more than any. */
static bool
is_more(int64_t fen, int64_t than)
{
    return than != LL_CAP_NONE && (fen == LL_CAP_NONE || fen > than);
}

static linli_status
cap(struct change *c, const struct ll_sub_deed *deed, int64_t at_ms,
    struct ll_err *err)
{
    struct ll_sub *next = &c->next;
    if (at_ms >= c->life.end_ms)
        return refuse(LL_SUB_OVER, c->sub, err);
    if (deed->fen < LL_CAP_NONE || deed->fen == LL_CAP_LIFT)
        return ll_fail(
            err, LINLI_E_INVALID, "request/invalid", "a cap is 0 or more");
    bool waits =
        deed->what == LL_SUB_DO_ASK_CAP && is_more(deed->fen, next->cap_fen);
    if (waits)
        next->cap_asked_fen =
            deed->fen == LL_CAP_NONE ? LL_CAP_LIFT : deed->fen;
    else
        next->cap_asked_fen = LL_CAP_NONE;
    if (!waits)
        next->cap_fen = deed->fen;
    c->line.fen = &deed->fen;
    c->nothing = next->cap_fen == c->sub->cap_fen &&
                 next->cap_asked_fen == c->sub->cap_asked_fen;
    return LINLI_OK;
}

static const char *const words[] = {[LL_SUB_DO_UPGRADE] = "upgrade",
    [LL_SUB_DO_DOWNGRADE] = "downgrade",
    [LL_SUB_DO_PAUSE] = "pause",
    [LL_SUB_DO_RESUME] = "resume",
    [LL_SUB_DO_CANCEL] = "cancel",
    [LL_SUB_DO_CANCEL_AT_END] = "cancel-at-end",
    [LL_SUB_DO_SUSPEND] = "suspend",
    [LL_SUB_DO_UNSUSPEND] = "unsuspend",
    [LL_SUB_DO_CAP] = "cap",
    [LL_SUB_DO_ASK_CAP] = "ask-cap",
    [LL_SUB_DO_BILLED] = "billed"};

static linli_status
decide(struct change *c, const struct ll_sub_deed *deed, int64_t now_ms,
    struct ll_err *err)
{
    int64_t at_ms = now_ms > c->sub->acted_ms ? now_ms : c->sub->acted_ms;
    c->line.what = words[deed->what];
    switch (deed->what) {
    case LL_SUB_DO_UPGRADE:
    case LL_SUB_DO_DOWNGRADE:
        return move(c, deed, at_ms, err);
    case LL_SUB_DO_PAUSE:
    case LL_SUB_DO_RESUME:
        return halt(c, deed->what, at_ms, err);
    case LL_SUB_DO_CANCEL:
    case LL_SUB_DO_CANCEL_AT_END:
        return cancel(c, deed->what, at_ms, err);
    case LL_SUB_DO_SUSPEND:
    case LL_SUB_DO_UNSUSPEND:
        c->next.suspended = deed->what == LL_SUB_DO_SUSPEND;
        c->nothing = c->next.suspended == c->sub->suspended;
        return LINLI_OK;
    case LL_SUB_DO_CAP:
    case LL_SUB_DO_ASK_CAP:
        return cap(c, deed, at_ms, err);
    case LL_SUB_DO_BILLED:
        break;
    }
    c->nothing = deed->day <= c->sub->billed_to;
    c->next.billed_to = deed->day;
    return LINLI_OK;
}

/* -- making it -- */

static void
begin(struct change *c, struct ll_sub *sub)
{
    *c = (struct change){.sub = sub, .next = *sub};
    c->next.block = NULL;
    ll_sub_life(sub, &c->life);
}

/* A copy of what it will be, and its operations. */
static linli_status
fill(struct ll_bill_act *act, struct change *c, struct ll_err *err)
{
    struct ll_sub like = c->next;
    linli_status status =
        ll_sub_pack(act->billing, &like, &c->life, &c->next, err);
    if (status != LINLI_OK)
        return status;
    ll_sub_put_row(act->billing, &c->next, act->commit);
    /* That invoices cover it, they say themselves. */
    if (strcmp(c->line.what, words[LL_SUB_DO_BILLED]) != 0)
        ll_sub_put_line(act, c->sub, &c->line);
    return LINLI_OK;
}

static void
give_up(struct ll_billing *billing, struct change *c)
{
    if (c->next.block != NULL)
        ll_release(billing->mem, c->next.block, c->next.bytes);
    c->next.block = NULL;
}

static void
apply(struct ll_billing *billing, struct change *c)
{
    struct ll_sub *sub = c->sub;
    struct ll_market *market = ll_market(billing, sub->community, sub->plugin);
    ll_check(market != NULL);
    market->stale = market->stale || c->next.end_ms < sub->end_ms;
    ll_wipe_bytes(sub->block, sub->bytes); /* it may name somebody */
    ll_release(billing->mem, sub->block, sub->bytes);
    *sub = c->next;
    ll_invoices_touch(billing, sub);
}

static bool
is_move(enum ll_sub_do what)
{
    return what == LL_SUB_DO_UPGRADE || what == LL_SUB_DO_DOWNGRADE;
}

/* Into an act that has begun; *nothing: there was nothing to put. */
static linli_status
put(struct ll_bill_act *act, struct ll_sub *sub, const struct ll_sub_deed *deed,
    bool *nothing, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    struct change *c = ll_alloc(billing->mem, sizeof *c);
    *nothing = false;
    if (c == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an act");
    begin(c, sub);
    linli_status status =
        is_move(deed->what) && ll_inv_restricts(billing, sub->id)
            ? ll_fail(err, LINLI_E_CONFLICT, "plan/restricted",
                  "an invoice of sub_%u is overdue", sub->id)
            : decide(c, deed, act->now_ms, err);
    *nothing = status == LINLI_OK && c->nothing;
    if (status == LINLI_OK && !c->nothing)
        status = fill(act, c, err);
    if (status == LINLI_OK && act->commit->ops.failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
    if (status == LINLI_OK && !c->nothing)
        apply(billing, c);
    else
        give_up(billing, c);
    ll_release(billing->mem, c, sizeof *c);
    return status;
}

linli_status
ll_sub_put(struct ll_bill_act *act, struct ll_sub *sub,
    const struct ll_sub_deed *deed, struct ll_err *err)
{
    bool nothing;
    return put(act, sub, deed, &nothing, err);
}

linli_status
ll_sub_act(struct ll_bill_act *act, struct ll_sub *sub,
    const struct ll_sub_deed *deed, bool *again, struct ll_err *err)
{
    *again = false;
    linli_status status = ll_bill_begin(act, err);
    if (status != LINLI_OK)
        return status;
    status = put(act, sub, deed, again, err);
    if (status != LINLI_OK || *again)
        ll_bill_drop(act);
    else
        (void)ll_bill_send(act);
    return status;
}

/* -- somebody was erased -- */

struct forgetting {
    linli_str community, resident;
    struct ll_bill_act *act;
    struct change *changes;
    uint32_t count, room;
    struct ll_sub_party lists[2][LL_SUB_PARTIES_MAX]; /* of the last of them */
};

static bool
is_theirs(const struct ll_sub_party *party, linli_str resident)
{
    return party->kind == LL_PARTY_RESIDENT && resident.len > 0 &&
           ll_str_eq(party->who, resident);
}

/* Nobody by now: who was erased, in this act or, with their key, before a
 * restart that came in between. */
static bool
is_gone(const struct ll_sub_party *party)
{
    return party->kind == LL_PARTY_RESIDENT && party->who.len == 0;
}

static uint32_t
count_gone(const struct ll_sub_party *parties, uint32_t count)
{
    uint32_t gone = 0;
    for (uint32_t i = 0; i < count; i++)
        gone += is_gone(&parties[i]) ? 1 : 0;
    return gone;
}

/* The list without the name; whether it was in it. */
static bool
blank(struct forgetting *f, const struct ll_sub *sub, int role)
{
    struct ll_buf *ops = &f->act->commit->ops;
    const struct ll_sub_party *from =
        role == 0 ? sub->payers : sub->beneficiaries;
    uint32_t count = role == 0 ? sub->payer_count : sub->beneficiary_count;
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        f->lists[role][i] = from[i];
        if (!is_theirs(&from[i], f->resident))
            continue;
        found = true;
        f->lists[role][i].who = (linli_str)LINLI_STR("");
        ll_commit_op(f->act->commit, LL_ST_sub_party_forget);
        ll_put_int(ops, sub->id);
        ll_put_int(ops, role);
        ll_put_int(ops, i);
    }
    return found;
}

static bool
concerns(const struct forgetting *f, const struct ll_sub *sub)
{
    for (uint32_t i = 0; i < sub->payer_count; i++)
        if (is_theirs(&sub->payers[i], f->resident) || is_gone(&sub->payers[i]))
            return true;
    for (uint32_t i = 0; i < sub->beneficiary_count; i++)
        if (is_theirs(&sub->beneficiaries[i], f->resident) ||
            is_gone(&sub->beneficiaries[i]))
            return true;
    return false;
}

/* How a subscription goes on without those who are gone. */
static void
end_if_alone(struct change *c, int64_t now_ms)
{
    int64_t at_ms = now_ms > c->sub->acted_ms ? now_ms : c->sub->acted_ms;
    uint32_t payers = count_gone(c->next.payers, c->next.payer_count);
    uint32_t users =
        count_gone(c->next.beneficiaries, c->next.beneficiary_count);
    c->line.what = "forget";
    if (at_ms >= c->life.end_ms)
        return;
    if (payers == c->next.payer_count || users == c->next.beneficiary_count)
        (void)ll_sub_cancel(&c->life, at_ms);
    else if (payers > 0 && c->life.end_ms == LL_NO_END)
        (void)ll_sub_cancel_at_end(&c->life, c->sub->local, at_ms);
    c->line.from_ms = c->life.end_ms == LL_NO_END ? 0 : c->life.end_ms;
}

static struct change *
make_room(struct forgetting *f)
{
    struct ll_mem *mem = f->act->billing->mem;
    uint32_t room = f->room == 0 ? 8 : 2 * f->room;
    if (f->count < f->room)
        return &f->changes[f->count];
    struct change *more = ll_realloc(
        mem, f->changes, f->room * sizeof *more, room * sizeof *more);
    if (more == NULL)
        return NULL;
    f->changes = more;
    f->room = room;
    return &f->changes[f->count];
}

static linli_status
forget_in(struct forgetting *f, struct ll_sub *sub, struct ll_err *err)
{
    struct change *c = make_room(f);
    if (c == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an act");
    begin(c, sub);
    bool pays = blank(f, sub, 0), uses = blank(f, sub, 1);
    c->next.payers = f->lists[0];
    c->next.beneficiaries = f->lists[1];
    end_if_alone(c, f->act->now_ms);
    if (!pays && !uses && c->life.end_ms == sub->end_ms)
        return LINLI_OK;
    linli_status status = fill(f->act, c, err);
    f->count += status == LINLI_OK ? 1 : 0;
    return status;
}

linli_status
ll_subs_forget(struct ll_bill_act *act, linli_str community, linli_str resident,
    bool *again, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    const struct ll_subs *subs = billing->subs;
    struct forgetting f = {
        .community = community, .resident = resident, .act = act};
    *again = false;
    linli_status status = ll_bill_begin(act, err);
    if (status != LINLI_OK)
        return status;
    for (uint32_t i = 0; i < subs->count && status == LINLI_OK; i++)
        if ((community.len == 0 ||
                ll_str_eq(subs->at[i]->community, community)) &&
            concerns(&f, subs->at[i]))
            status = forget_in(&f, subs->at[i], err);
    *again = status == LINLI_OK && f.count == 0;
    if (status != LINLI_OK || *again)
        ll_bill_drop(act);
    else
        status = ll_bill_room(act, err);
    for (uint32_t i = 0; i < f.count; i++)
        if (status == LINLI_OK)
            apply(billing, &f.changes[i]);
        else
            give_up(billing, &f.changes[i]);
    ll_release(billing->mem, f.changes, f.room * sizeof *f.changes);
    if (status == LINLI_OK && !*again)
        (void)ll_bill_send(act);
    return status;
}

linli_status
ll_subs_forget_gone(struct ll_billing *billing, struct ll_err *err)
{
    struct ll_bill_act act = {.billing = billing,
        .by = LINLI_STR("system"),
        .now_ms = ll_world_wall(billing->world).ms};
    bool again;
    return ll_subs_forget(
        &act, (linli_str){NULL, 0}, (linli_str){NULL, 0}, &again, err);
}

/* -- a plugin leaves -- */

static linli_status
close_plans(const struct ll_bill_act *of, linli_str community, linli_str plugin,
    struct ll_err *err)
{
    const struct ll_billing *billing = of->billing;
    const struct ll_plan_version *v = NULL;
    linli_status status = LINLI_OK;
    bool again;
    while (status == LINLI_OK &&
           (v = ll_plan_next(billing, v == NULL ? 0 : v->id)) != NULL) {
        struct ll_bill_act act = *of;
        if (!v->closed && ll_str_eq(v->plugin, plugin) &&
            ll_str_eq(v->community, community))
            status = ll_plan_close(&act, community, v->name, &again, err);
    }
    return status;
}

linli_status
ll_subs_leave(const struct ll_bill_act *of, linli_str community,
    linli_str plugin, uint32_t max, uint32_t *ended, struct ll_err *err)
{
    static const struct ll_sub_deed cancel = {.what = LL_SUB_DO_CANCEL};
    linli_status status = LINLI_OK;
    *ended = 0;
    for (struct ll_sub *sub = ll_sub_next(of->billing, 0);
         sub != NULL && status == LINLI_OK && *ended < max;
         sub = ll_sub_next(of->billing, sub->id)) {
        struct ll_bill_act act = *of;
        bool again;
        if (sub->end_ms <= of->now_ms || !ll_str_eq(sub->plugin, plugin) ||
            !ll_str_eq(sub->community, community))
            continue;
        status = ll_sub_act(&act, sub, &cancel, &again, err);
        *ended += status == LINLI_OK && !again ? 1 : 0;
    }
    return status == LINLI_OK && *ended == 0
               ? close_plans(of, community, plugin, err)
               : status;
}
