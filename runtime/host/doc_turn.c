/* host/doc_turn.c: calls that would only doom each other go one by one. [loop]
 *
 * Calls run side by side as if nobody else did, and one that read what
 * another has changed meanwhile runs again. Where many change one document,
 * a counter say, nearly all they do is thrown away. So once a write has
 * doomed somebody, whoever reads that document waits until the call before
 * it has committed; until nobody waits any more, then all is as before.
 *
 * It decides only when a call reads. That it saw one state is still judged
 * at its end, so whoever breaks the order is no less right: a call that has
 * a turn elsewhere does not wait (two could wait for each other), nor one
 * under the commit lock, nor one that only looks (GET). A turn that somebody
 * waits for lasts for one burst limit.
 */
#include "base/text.h"
#include "host/call.h"

#define NS_PER_MS 1000000

static int64_t
burst_ms(const struct ll_call *call)
{
    return call->package->manifest->limits.burst_ms;
}

/* -- turns that last too long -- */

static void arm(struct ll_call *call);

/* A call that others have waited for too long. Each that they still wait for
 * keeps the timer running. */
static struct ll_call *
late_one(struct ll_instance *instance)
{
    int64_t now_ns = ll_world_mono(instance->host->world).ns;
    for (struct ll_doc_turn *t = instance->turns.first; t != NULL;
         t = t->next) {
        struct ll_call *call = LL_CONTAINER(t, struct ll_call, turn);
        if (t->doc->crowd.waits == NULL)
            continue;
        if (now_ns - t->began_ns >= burst_ms(call) * NS_PER_MS)
            return call;
        arm(call);
    }
    return NULL;
}

static void
on_late(void *user)
{
    struct ll_instance *instance = user;
    struct ll_call *late;
    instance->turns.armed = false;
    while ((late = late_one(instance)) != NULL)
        ll_doc_turn_give(late);
}

/* Without memory for the timer the turn lasts as long as the call. */
static void
arm(struct ll_call *call)
{
    struct ll_doc_turns *turns = &call->instance->turns;
    if (turns->timer == NULL)
        turns->timer = ll_timer_new(call->host->world, on_late, call->instance);
    if (turns->timer == NULL || turns->armed)
        return;
    turns->armed = true;
    ll_timer_set(turns->timer, burst_ms(call), 0);
}

/* -- turns -- */

static void
hold(struct ll_call *call, struct ll_doc *doc)
{
    struct ll_doc_turns *turns = &call->instance->turns;
    call->turn = (struct ll_doc_turn){.doc = doc,
        .next = turns->first,
        .began_ns = ll_world_mono(call->host->world).ns};
    if (turns->first != NULL)
        turns->first->prev = &call->turn;
    turns->first = &call->turn;
    doc->crowd.whose = &call->turn;
    doc->refs++;
}

static bool
only_looks(const struct ll_call *call)
{
    return call->task == NULL && ll_str_is(call->request->method, "GET");
}

bool
ll_doc_turn_take(struct ll_call *call, struct ll_doc *doc, struct ll_wait *wait)
{
    if (LL_LIKELY(!doc->crowd.contended) || call->turn.doc != NULL ||
        call->locking || only_looks(call))
        return true;
    if (doc->crowd.whose == NULL) {
        hold(call, doc);
        return true;
    }
    arm(call);
    ll_wait_add(&doc->crowd.waits, wait);
    return false;
}

void
ll_doc_turn_give(struct ll_call *call)
{
    struct ll_doc_turn *turn = &call->turn;
    struct ll_doc *doc = turn->doc;
    if (doc == NULL)
        return;
    if (turn->next != NULL)
        turn->next->prev = turn->prev;
    if (turn->prev != NULL)
        turn->prev->next = turn->next;
    else
        call->instance->turns.first = turn->next;
    *turn = (struct ll_doc_turn){NULL};
    doc->crowd.whose = NULL;
    doc->crowd.contended = doc->crowd.waits != NULL;
    /* Who is told may have been doomed elsewhere, and read nothing. */
    while (doc->crowd.whose == NULL && doc->crowd.waits != NULL)
        ll_wait_tell_first(&doc->crowd.waits);
    ll_doc_unref(&doc);
}

void
ll_doc_turns_close(struct ll_instance *instance)
{
    ll_check(instance->turns.first == NULL);
    ll_timer_free(&instance->turns.timer);
}
