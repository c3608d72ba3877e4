/* tests/unit/test_known.c: an answer's id is found again as long as there is
 * an answer, over restarts too, and lies in the order of time. */
#include "data/known.h"

#include "dice.h"
#include "docs_fixture.h"
#include "store_shim.h"

#define HASHES 3000

struct place {
    struct engine e;
    struct ll_coll *coll;
    struct waited told;
    char id[LL_KNOWN_ID_DIGITS + 1];
};

static void
open_known(struct place *p)
{
    p->coll = ll_space_coll(p->e.space, LINLI_STR("~idem"));
    T_OK(ll_known_open(p->e.space, p->coll));
    T_OK(ll_known_open(p->e.space, p->coll));
    p->told = (struct waited){.wait = {.ready = waited_ready}};
}

static void
begin(struct place *p)
{
    engine_init(&p->e, false);
    open_known(p);
    engine_settle(&p->e);
}

static void
again(struct place *p)
{
    engine_settle(&p->e);
    engine_shut(&p->e);
    engine_open(&p->e);
    open_known(p);
}

static const char *
hash_of(unsigned n, char out[33])
{
    snprintf(out, 33, "%08x%08x%016x", n * 2654435761u, n, n);
    return out;
}

/* At NOW_MS + at; the id is then in p->id. */
static enum ll_known_state
find_at(struct place *p, unsigned n, int64_t at)
{
    char hash[33];
    return ll_known_find(
        p->e.space, hash_of(n, hash), NOW_MS + at, p->id, &p->told.wait);
}

static bool
is_at(const struct place *p, unsigned n, int64_t at)
{
    char hash[33], want[LL_KNOWN_ID_DIGITS + 1];
    snprintf(want, sizeof want, "%012llx%s", (unsigned long long)(NOW_MS + at),
        hash_of(n, hash));
    return strcmp(p->id, want) == 0;
}

static void
write_answer(struct place *p, const char *text)
{
    struct ll_doc *doc = engine_doc_of(&p->e, p->coll, ll_cstr(p->id));
    (void)engine_write(&p->e, doc, text);
    ll_doc_unref(&doc);
}

T_CASE(is_new_once)
{
    struct place p;
    begin(&p);
    T_INT(find_at(&p, 1, 0), LL_KNOWN_NEW);
    T_OK(is_at(&p, 1, 0));
    T_INT(find_at(&p, 1, 500), LL_KNOWN_MAYBE);
    T_OK(is_at(&p, 1, 0));
    T_INT(find_at(&p, 2, 500), LL_KNOWN_NEW);
    T_OK(is_at(&p, 2, 500));
    /* Nothing came of it; what is not its id takes nothing away. */
    ll_known_drop(p.e.space, ll_cstr(p.id));
    T_INT(find_at(&p, 2, 600), LL_KNOWN_NEW);
    p.id[0] = '1';
    ll_known_drop(p.e.space, ll_cstr(p.id));
    ll_known_drop(p.e.space, ll_cstr("x"));
    T_INT(find_at(&p, 2, 700), LL_KNOWN_MAYBE);
    T_OK(is_at(&p, 2, 600));
    engine_fini(&p.e);
}

T_CASE(is_found_after_a_restart)
{
    struct place p;
    begin(&p);
    /* More than one page of rows. */
    for (unsigned n = 0; n < 5000; n++) {
        T_INT(find_at(&p, n, n), LL_KNOWN_NEW);
        write_answer(&p, "{\"status\":200}");
    }
    again(&p);
    T_INT(find_at(&p, 7, 9000), LL_KNOWN_LATER);
    fixture_wait(&p.e.f, &p.told.told);
    for (unsigned n = 0; n < 5000; n++) {
        T_INT(find_at(&p, n, 9000), LL_KNOWN_MAYBE);
        T_OK(is_at(&p, n, n));
    }
    T_INT(find_at(&p, 5000, 9000), LL_KNOWN_NEW);
    engine_fini(&p.e);
}

T_CASE(goes_with_its_document)
{
    struct place p;
    begin(&p);
    T_INT(find_at(&p, 1, 0), LL_KNOWN_NEW);
    write_answer(&p, "{\"status\":200}");
    T_INT(find_at(&p, 1, 5), LL_KNOWN_MAYBE);
    write_answer(&p, NULL);
    T_INT(find_at(&p, 1, 10), LL_KNOWN_NEW);
    T_OK(is_at(&p, 1, 10));
    again(&p);
    engine_settle(&p.e);
    T_INT(find_at(&p, 1, 20), LL_KNOWN_NEW);
    engine_fini(&p.e);
}

/* Against a list, with hashes that crowd the same slots. */
T_CASE(agrees_with_a_list)
{
    struct place p;
    static int64_t at[HASHES]; /* 0: not known */
    uint64_t dice = 1;
    begin(&p);
    memset(at, 0, sizeof at);
    for (int64_t now = 1; now <= 60000; now++) {
        unsigned n = (unsigned)dice_below(&dice, HASHES);
        bool known = at[n] != 0;
        T_INT(find_at(&p, n, now), known ? LL_KNOWN_MAYBE : LL_KNOWN_NEW);
        T_OK(is_at(&p, n, known ? at[n] : now));
        at[n] = known ? at[n] : now;
        if (dice_below(&dice, 5) < 2) {
            ll_known_drop(p.e.space, ll_cstr(p.id));
            at[n] = 0;
        }
    }
    engine_fini(&p.e);
}

T_CASE(more_than_are_kept)
{
    struct place p;
    begin(&p);
    T_INT(find_at(&p, 0, 1), LL_KNOWN_NEW);
    write_answer(&p, "{\"status\":200}");
    for (unsigned n = 1; n < LL_KNOWN_KEYS_MAX; n++)
        if (find_at(&p, n, 0) != LL_KNOWN_NEW)
            T_OK(false);
    T_INT(find_at(&p, LL_KNOWN_KEYS_MAX, 7), LL_KNOWN_MAYBE);
    T_INT(strncmp(p.id, "ffffffffffff", 12), 0);
    write_answer(&p, "{\"status\":201}");
    /* As long as there may be such, each that is not known may be one. */
    T_INT(find_at(&p, 5, 0), LL_KNOWN_MAYBE);
    ll_known_drop(p.e.space, ll_cstr(p.id));
    T_INT(find_at(&p, 5, 8), LL_KNOWN_MAYBE);
    T_INT(strncmp(p.id, "ffffffffffff", 12), 0);
    T_INT(find_at(&p, 0, 8), LL_KNOWN_MAYBE);
    T_OK(is_at(&p, 0, 1));
    again(&p);
    engine_settle(&p.e);
    T_INT(find_at(&p, LL_KNOWN_KEYS_MAX, 9), LL_KNOWN_MAYBE);
    T_INT(strncmp(p.id, "ffffffffffff", 12), 0);
    T_INT(find_at(&p, 0, 9), LL_KNOWN_MAYBE);
    T_OK(is_at(&p, 0, 1));
    T_INT(find_at(&p, 5, 9), LL_KNOWN_NEW);
    engine_fini(&p.e);
}

/* What could not be read is not taken for nothing. */
T_CASE(is_asked_again_after_a_failure)
{
    struct place p;
    begin(&p);
    for (unsigned n = 0; n < 100; n++) {
        T_INT(find_at(&p, n, n), LL_KNOWN_NEW);
        write_answer(&p, "{\"status\":200}");
    }
    engine_settle(&p.e);
    engine_shut(&p.e);
    engine_open(&p.e);
    engine_settle(&p.e);
    shim_arm(SHIM_READ, 1, SQLITE_IOERR, true);
    open_known(&p);
    T_INT(find_at(&p, 7, 900), LL_KNOWN_LATER);
    fixture_wait(&p.e.f, &p.told.told);
    T_OK(atomic_load(&shim.failed) > 0);
    T_INT(find_at(&p, 7, 900), LL_KNOWN_LOST);
    engine_settle(&p.e);
    T_INT(find_at(&p, 7, 900), LL_KNOWN_LOST);
    engine_settle(&p.e);
    shim_disarm();
    T_INT(find_at(&p, 7, 900), LL_KNOWN_LOST);
    engine_settle(&p.e);
    T_INT(find_at(&p, 7, 900), LL_KNOWN_MAYBE);
    T_OK(is_at(&p, 7, 7));
    engine_fini(&p.e);
}

/* Who waits at the end waits for nothing any more. */
T_CASE(ends_while_it_reads)
{
    struct place p;
    begin(&p);
    T_INT(find_at(&p, 1, 0), LL_KNOWN_NEW);
    write_answer(&p, "{\"status\":200}");
    again(&p);
    T_INT(find_at(&p, 1, 0), LL_KNOWN_LATER);
    ll_docs_stop(&p.e.docs);
    T_INT(find_at(&p, 1, 0), LL_KNOWN_LOST);
    engine_fini(&p.e);
    T_OK(!p.told.told);
    T_OK(p.told.wait.head == NULL);
}

int
main(void)
{
    shim_install();
    T_RUN(is_new_once)
    T_RUN(is_found_after_a_restart)
    T_RUN(goes_with_its_document)
    T_RUN(agrees_with_a_list)
    T_RUN(more_than_are_kept)
    T_RUN(is_asked_again_after_a_failure)
    T_RUN(ends_while_it_reads)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
