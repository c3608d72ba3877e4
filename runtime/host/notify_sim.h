/* host/notify_sim.h: a provider for tests: it brings nothing anywhere. [loop]
 *
 * What it was asked for lies in the host's own space, as do the wishes that
 * it shall fail: both survive the process. It is a good provider: what it has
 * accepted under an id it does not accept again. Development mode only.
 */
#ifndef LL_HOST_NOTIFY_SIM_H
#define LL_HOST_NOTIFY_SIM_H

#include "host/notify.h"

extern const struct ll_provider ll_notify_sim;

/* Something asked of the simulator; ends with one `done`, later. `err` is
 * borrowed, NULL with LINLI_OK. */
struct ll_sim_ask;
typedef void (*ll_sim_done)(struct ll_sim_ask *ask, void *user,
    linli_status status, const struct ll_err *err);

/* What was sent, to a resident or, `to` empty, to all, into `w`: an array of
 * the last LL_SIM_LIST_MAX tries, oldest first. `w` must live until `done`.
 * NULL, and no `done`, without memory. */
struct ll_sim_ask *ll_sim_messages(struct ll_host *host, linli_str to,
    struct ll_jw *w, ll_sim_done done, void *user);
/* From now on a way ends so, for a resident or, `to` empty, for all, also
 * those of whom something else was said before; `done` when that is durable.
 * NULL, and no `done`, without memory. */
struct ll_sim_rule {
    enum ll_way way;
    linli_str to;
    enum ll_notify_outcome outcome;
};
struct ll_sim_ask *ll_sim_set(struct ll_host *host,
    const struct ll_sim_rule *rule, ll_sim_done done, void *user);
/* Nobody waits for it any more: there is no `done`. */
void ll_sim_forget(struct ll_sim_ask *ask);

/* "ok" or "accepted", "fail" or "failed", "unreachable". */
bool ll_sim_outcome_read(linli_str word, enum ll_notify_outcome *out);

#endif
