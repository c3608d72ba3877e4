/* data/wait.c: a queue of those who wait. [loop] */
#include "data/wait.h"

void
ll_wait_add(struct ll_wait **head, struct ll_wait *wait)
{
    ll_check(wait->head == NULL);
    struct ll_wait **at = head;
    while (*at != NULL)
        at = &(*at)->next;
    wait->next = NULL;
    wait->head = head;
    *at = wait;
}

void
ll_wait_cancel(struct ll_wait *wait)
{
    if (wait->head == NULL)
        return;
    struct ll_wait **at = wait->head;
    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
    wait->head = NULL;
}

void
ll_wait_tell(struct ll_wait **head)
{
    /* Who waits again from inside is told the next time. */
    struct ll_wait *list = *head;
    *head = NULL;
    for (struct ll_wait *w = list; w != NULL; w = w->next)
        w->head = &list;
    while (list != NULL) {
        struct ll_wait *wait = list;
        list = wait->next;
        wait->head = NULL;
        wait->ready(wait);
    }
}

void
ll_wait_tell_first(struct ll_wait **head)
{
    struct ll_wait *wait = *head;
    if (wait == NULL)
        return;
    *head = wait->next;
    wait->head = NULL;
    wait->ready(wait);
}
