/* consent/guardians.c: what a guardianship may be. [any] pure */
#include "consent/guardians.h"

#include "base/text.h"
#include "domain/age.h"

#define AGE_OF_MAJORITY 18 /* 民法典 17, 18 */

/* -- words -- */

static const char *const status_words[] = {[LL_GUARDIAN_PENDING] = "pending",
    [LL_GUARDIAN_ACTIVE] = "active",
    [LL_GUARDIAN_SUSPENDED] = "suspended",
    [LL_GUARDIAN_ENDED] = "ended",
    [LL_GUARDIAN_ACCEPTED] = "accepted"};
static const char *const capacity_words[] = {[LL_CAPACITY_FULL] = "full",
    [LL_CAPACITY_LIMITED] = "limited",
    [LL_CAPACITY_NONE] = "none"};
static const char *const power_words[] = {
    "consent", "view", "correct", "erase"};

static int
word_of(linli_str word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ll_str_is(word, words[i]))
            return (int)i;
    return -1;
}

const char *
ll_guardian_status_name(enum ll_guardian_status status)
{
    return status_words[status];
}

bool
ll_guardian_status_read(linli_str word, enum ll_guardian_status *out)
{
    int i = word_of(word, status_words, LL_COUNT(status_words));
    *out = i < 0 ? LL_GUARDIAN_PENDING : (enum ll_guardian_status)i;
    return i >= 0;
}

const char *
ll_capacity_name(enum ll_capacity capacity)
{
    return capacity_words[capacity];
}

bool
ll_capacity_read(linli_str word, enum ll_capacity *out)
{
    int i = word_of(word, capacity_words, LL_COUNT(capacity_words));
    *out = i < 0 ? LL_CAPACITY_FULL : (enum ll_capacity)i;
    return i >= 0;
}

uint32_t
ll_powers_read(struct ll_jv words)
{
    uint32_t powers = 0;
    LL_JSON_EACH (word, words) {
        int i = word_of(ll_jv_str(word), power_words, LL_COUNT(power_words));
        if (i < 0)
            return 0;
        powers |= 1u << i;
    }
    return powers;
}

void
ll_powers_write(struct ll_jw *w, uint32_t powers)
{
    ll_jw_open(w, '[');
    for (size_t i = 0; i < LL_COUNT(power_words); i++)
        if ((powers & 1u << i) != 0)
            ll_jw_cstr(w, power_words[i]);
    ll_jw_close(w, ']');
}

/* -- which one -- */

bool
ll_guardian_find(const struct ll_consent *consent,
    const struct ll_guardianship *like, struct ll_guardianship *out)
{
    const struct ll_guardianship *g;
    uint32_t at = 0;
    while ((g = ll_consent_next_guard(consent, like->ward, &at)) != NULL)
        if (g->guardian == like->guardian && g->kind == like->kind) {
            *out = *g;
            return true;
        }
    return false;
}

bool
ll_guardianship_same(
    const struct ll_guardianship *a, const struct ll_guardianship *b)
{
    return a->ward == b->ward && a->guardian == b->guardian &&
           a->kind == b->kind && a->powers == b->powers &&
           a->ceiling == b->ceiling && a->from_ms == b->from_ms &&
           a->until_ms == b->until_ms && a->status == b->status;
}

bool
ll_guardian_is_verified(enum ll_guardian_kind kind)
{
    return kind != LL_GUARDIAN_DELEGATE;
}

/* -- rules -- */

static bool
is_minor(const struct ll_person *person, int32_t today)
{
    return ll_age_under(person->birth_day, today, AGE_OF_MAJORITY);
}

static bool
is_capable(const struct ll_person *person, int32_t today)
{
    return person->state == LL_SUBJECT_ACTIVE &&
           person->capacity == LL_CAPACITY_FULL && !is_minor(person, today);
}

/* What is wrong with it, in English and Chinese; NULL: nothing. */
static const char *const *
fault_of(const struct ll_consent *consent, const struct ll_guardianship *g,
    int32_t today)
{
    static const char *const nobody[] = {
        "ward and guardian are two residents of the community",
        "被监护人与监护人须为本社区两位不同的居民"};
    static const char *const times[] = {"it begins before it ends, has powers "
                                        "and a class ceiling",
        "起始时间须早于结束时间, 并须有权限与数据等级上限"};
    static const char *const able[] = {
        "a guardian is 18 or older and of full capacity (民法典 27, 28)",
        "监护人须年满 18 周岁且具有完全民事行为能力 (民法典 27, 28)"};
    static const char *const parent[] = {
        "a parent guards somebody under 18 (民法典 27); for others use "
        "statutory or court",
        "父母监护仅适用于未满 18 周岁者 (民法典 27), 其他情形请用 statutory 或 "
        "court"};
    static const char *const lost[] = {
        "somebody of age has such a guardian once their capacity is recorded "
        "as limited or none (民法典 28, 31)",
        "成年人须先登记为限制或无民事行为能力, 才有此类监护人 (民法典 28, 31)"};
    static const char *const own[] = {
        "only somebody of age and of full capacity agrees on one or delegates "
        "(民法典 33, 161)",
        "意定监护与委托仅可由完全民事行为能力的成年人设立 (民法典 33, 161)"};
    const struct ll_person *ward = ll_consent_person(consent, g->ward);
    const struct ll_person *guardian = ll_consent_person(consent, g->guardian);
    if (ward == NULL || guardian == NULL || g->ward == g->guardian)
        return nobody;
    if (g->from_ms >= g->until_ms || g->powers == 0 || g->ceiling < LL_C1 ||
        g->ceiling > LL_C3)
        return times;
    if (!is_capable(guardian, today))
        return able;
    switch (g->kind) {
    case LL_GUARDIAN_PARENT:
        return is_minor(ward, today) ? NULL : parent;
    case LL_GUARDIAN_STATUTORY:
    case LL_GUARDIAN_COURT:
        return is_capable(ward, today) ? lost : NULL;
    default:
        return is_capable(ward, today) ? NULL : own;
    }
}

linli_status
ll_guardianship_check(const struct ll_consent *consent,
    const struct ll_guardianship *g, int32_t today, struct ll_err *err)
{
    const char *const *fault = fault_of(consent, g, today);
    if (fault == NULL)
        return LINLI_OK;
    (void)ll_fail(err, LINLI_E_INVALID, "people/guardian", "%s", fault[0]);
    ll_err_fix(err, "%s", fault[1]);
    return LINLI_E_INVALID;
}
