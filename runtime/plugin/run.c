/* plugin/run.c: lists of runs, and the words for their ends. [loop]
 *
 * Singly linked: what is asked most is the first. Ending a run calls the
 * host back, which may submit and cancel others; so nobody walks a list
 * across such a call.
 */
#include "plugin/run.h"

const char *
ll_run_end_name(enum ll_run_end end)
{
    static const char *const names[] = {
#define X(name, word) word,
        LL_RUN_ENDS(X)
#undef X
    };
    return names[end];
}

void
ll_runs_push(struct ll_run_list *list, struct ll_run *run)
{
    run->next = NULL;
    if (list->tail == NULL)
        list->head = run;
    else
        list->tail->next = run;
    list->tail = run;
    list->count++;
}

void
ll_runs_push_front(struct ll_run_list *list, struct ll_run *run)
{
    run->next = list->head;
    list->head = run;
    if (list->tail == NULL)
        list->tail = run;
    list->count++;
}

bool
ll_runs_remove(struct ll_run_list *list, struct ll_run *run)
{
    struct ll_run **at = &list->head, *before = NULL;
    for (; *at != NULL && *at != run; at = &(*at)->next)
        before = *at;
    if (*at == NULL)
        return false;
    *at = run->next;
    if (list->tail == run)
        list->tail = before;
    run->next = NULL;
    list->count--;
    return true;
}

struct ll_run *
ll_runs_pop(struct ll_run_list *list)
{
    struct ll_run *run = list->head;
    if (run != NULL)
        (void)ll_runs_remove(list, run);
    return run;
}
