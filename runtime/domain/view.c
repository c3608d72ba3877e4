/* domain/view.c: ages without birthdays, homes without doors. */
#include "domain/view.h"

#include "base/text.h"
#include "domain/age.h"

#define PHONE_DIGITS 11 /* of a mobile number of the mainland */
#define PHONE_HEAD 3
#define PHONE_TAIL 4
#define PLATE_ENDS 2 /* characters that stay at either end */
#define PLATE_CHARACTERS_MIN 6
#define PLATE_CHARACTERS_MAX 10

/* -- ages -- */

/* How old they were on 1 January of this year; -1: not born by today. */
static int32_t
age_of_year(linli_str birth, int32_t today)
{
    int32_t day;
    if (!ll_day_read(birth, &day) || day > today)
        return -1;
    struct ll_date is = ll_date_of(today), born = ll_date_of(day);
    int32_t age = is.year - born.year;
    if (born.month > 1 || born.day > 1)
        age--;
    return age < 0 ? 0 : age;
}

static bool
age_band(linli_str birth, int32_t today, struct ll_jw *w)
{
    static const struct {
        int32_t from;
        const char *name;
    } bands[] = {{80, "80+"}, {70, "70-79"}, {60, "60-69"}, {35, "35-59"},
        {18, "18-34"}, {14, "14-17"}, {0, "0-13"}};
    int32_t age = age_of_year(birth, today);
    for (size_t i = 0; i < LL_COUNT(bands); i++)
        if (age >= bands[i].from) {
            ll_jw_cstr(w, bands[i].name);
            return true;
        }
    return false;
}

static bool
is_60_plus(linli_str birth, int32_t today, struct ll_jw *w)
{
    int32_t age = age_of_year(birth, today);
    if (age >= 0)
        ll_jw_bool(w, age >= 60);
    return age >= 0;
}

/* -- homes -- */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "3-2-501": what is before the first dash. */
static linli_str
before_dash(linli_str s)
{
    size_t dash = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '-' && dash == 0)
            dash = i;
        else if (s.ptr[i] != '-' && !is_digit(s.ptr[i]))
            return (linli_str){NULL, 0};
    }
    return (linli_str){s.ptr, dash};
}

/* Where `word` ends in `s`; 0: it is not there. */
static size_t
end_of(linli_str s, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= s.len; i++)
        if (memcmp(s.ptr + i, word, n) == 0)
            return i + n;
    return 0;
}

/* Up to the first word that ends a building's name. A floor (楼) is none. */
static linli_str
to_building(linli_str s)
{
    static const char *const words[] = {"号楼", "栋", "幢", "座"};
    size_t end = 0;
    for (size_t i = 0; i < LL_COUNT(words); i++) {
        size_t at = end_of(s, words[i]);
        if (at > 0 && (end == 0 || at < end))
            end = at;
    }
    return (linli_str){s.ptr, end};
}

static bool
building_only(struct ll_jv value, struct ll_jw *w)
{
    linli_str s = ll_jv_str(value), building;
    if (ll_jv_is(value, LL_JSON_OBJECT))
        building = ll_jv_str(ll_jv_get(value, "building"));
    else
        building = before_dash(s);
    if (building.len == 0)
        building = to_building(s);
    if (building.len > 0)
        ll_jw_str(w, building);
    return building.len > 0;
}

/* -- numbers -- */

/* Digits alone of "+86 138-1234-1234", without the country. */
static size_t
digits_of(linli_str s, char out[PHONE_DIGITS])
{
    size_t n = 0;
    if (ll_str_starts(s, "+86"))
        s = (linli_str){s.ptr + 3, s.len - 3};
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == ' ' || s.ptr[i] == '-')
            continue;
        if (!is_digit(s.ptr[i]) || n == PHONE_DIGITS)
            return 0;
        out[n++] = s.ptr[i];
    }
    return n;
}

static bool
masked_phone(linli_str phone, struct ll_jw *w)
{
    char digits[PHONE_DIGITS], masked[PHONE_DIGITS];
    if (digits_of(phone, digits) != PHONE_DIGITS || digits[0] != '1')
        return false; /* of another length, more would show than is hidden */
    memset(masked, '*', sizeof masked);
    memcpy(masked, digits, PHONE_HEAD);
    memcpy(masked + PHONE_DIGITS - PHONE_TAIL,
        digits + PHONE_DIGITS - PHONE_TAIL, PHONE_TAIL);
    ll_jw_str(w, (linli_str){masked, sizeof masked});
    return true;
}

/* Bytes of the first `count` characters. */
static size_t
first(linli_str s, size_t count)
{
    size_t i = 0;
    while (i < s.len && count > 0) {
        i++;
        while (i < s.len && ((unsigned char)s.ptr[i] & 0xc0) == 0x80)
            i++;
        count--;
    }
    return i;
}

/* Always three stars: how long it is says of which kind it is. */
static bool
masked_plate(linli_str plate, struct ll_jw *w)
{
    size_t count = ll_utf8_count(plate);
    char masked[4 * 2 * PLATE_ENDS + 3];
    if (count < PLATE_CHARACTERS_MIN || count > PLATE_CHARACTERS_MAX)
        return false;
    size_t head = first(plate, PLATE_ENDS);
    size_t tail = plate.len - first(plate, count - PLATE_ENDS);
    memcpy(masked, plate.ptr, head);
    memcpy(masked + head, "***", 3);
    memcpy(masked + head + 3, plate.ptr + plate.len - tail, tail);
    ll_jw_str(w, (linli_str){masked, head + 3 + tail});
    return true;
}

/* A household has several: each is lessened, or there is no view. */
static bool
masked_plates(struct ll_jv value, struct ll_jw *w)
{
    if (!ll_jv_is(value, LL_JSON_ARRAY))
        return masked_plate(ll_jv_str(value), w);
    size_t before = w->buf->len;
    ll_jw_open(w, '[');
    LL_JSON_EACH (item, value) {
        if (!masked_plate(ll_jv_str(item), w)) {
            w->buf->len = before;
            return false;
        }
    }
    ll_jw_close(w, ']');
    return true;
}

bool
ll_view_of(enum ll_view_kind view, struct ll_jv value, int32_t today,
    struct ll_buf *out)
{
    struct ll_jw w = ll_jw(out);
    linli_str s = ll_jv_str(value);
    switch (view) {
    case LL_VIEW_AGE_BAND:
        return age_band(s, today, &w);
    case LL_VIEW_IS_60_PLUS:
        return is_60_plus(s, today, &w);
    case LL_VIEW_BUILDING_ONLY:
        return building_only(value, &w);
    case LL_VIEW_MASKED_PHONE:
        return masked_phone(s, &w);
    case LL_VIEW_MASKED_PLATE:
        return masked_plates(value, &w);
    case LL_VIEW_NONE:
        break;
    }
    return false;
}
