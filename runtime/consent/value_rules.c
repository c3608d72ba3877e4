/* consent/value_rules.c: what a value may look like. [any] pure
 *
 * The dictionary says which type of JSON a field has; what is known of its
 * format beyond that stands here, one row a field. A field without a row is
 * judged by its type alone.
 */
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "consent/values.h"
#include "domain/age.h"

#define CONTACTS_MAX 8

/* -- dates -- */

bool
ll_date_read(linli_str text, int32_t *day)
{
    int32_t read;
    if (!ll_day_read(text, &read) || ll_date_of(read).year < 1900)
        return false;
    *day = read;
    return true;
}

void
ll_date_text(int32_t day, char out[LL_DATE_BYTES])
{
    struct ll_date date = ll_date_of(day);
    int n = snprintf(out, LL_DATE_BYTES, "%04d-%02u-%02u",
        (int)date.year % 10000, date.month % 100, date.day % 100);
    ll_check(n == LL_DATE_BYTES - 1);
}

/* -- texts -- */

/* 1 to `max` characters, none of which controls a terminal. */
static bool
is_text(struct ll_jv value, size_t max)
{
    linli_str s = ll_jv_str(value);
    if (!ll_jv_is(value, LL_JSON_STRING) || s.len == 0 ||
        ll_utf8_count(s) > max)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_name(struct ll_jv value)
{
    return is_text(value, 64);
}

static bool
is_line(struct ll_jv value)
{
    return is_text(value, 256);
}

/* Several lines are fine here. */
static bool
is_notes(struct ll_jv value)
{
    linli_str s = ll_jv_str(value);
    return ll_jv_is(value, LL_JSON_STRING) && s.len > 0 &&
           memchr(s.ptr, '\0', s.len) == NULL;
}

static bool
is_phone(struct ll_jv value)
{
    linli_str s = ll_jv_str(value);
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        bool between =
            i > 0 && i + 1 < s.len && s.ptr[i] == '-' && is_digit(s.ptr[i - 1]);
        if (is_digit(s.ptr[i]))
            digits++;
        else if (!between && !(i == 0 && s.ptr[i] == '+'))
            return false;
    }
    return digits >= 3 && digits <= 15 && s.len <= 20;
}

static bool
is_account(struct ll_jv value)
{
    linli_str s = ll_jv_str(value);
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i]))
            return false;
    return s.len >= 8 && s.len <= 32;
}

static bool
is_language(struct ll_jv value)
{
    return ll_str_is(ll_jv_str(value), "zh-CN") ||
           ll_str_is(ll_jv_str(value), "en");
}

/* GB 11643-1999: 17 digits, of which 8 are a date, and a check character by
 * ISO 7064 MOD 11-2. */
static bool
is_id_card(struct ll_jv value)
{
    static const int weights[] = {
        7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    linli_str s = ll_jv_str(value);
    int sum = 0;
    int32_t day;
    if (s.len != 18)
        return false;
    for (size_t i = 0; i < 17; i++) {
        if (!is_digit(s.ptr[i]))
            return false;
        sum += (s.ptr[i] - '0') * weights[i];
    }
    char date[LL_DATE_BYTES];
    (void)snprintf(
        date, sizeof date, "%.4s-%.2s-%.2s", s.ptr + 6, s.ptr + 10, s.ptr + 12);
    return ll_date_read(ll_cstr(date), &day) &&
           s.ptr[17] == "10X98765432"[sum % 11];
}

static bool
is_date(struct ll_jv value)
{
    int32_t day;
    return ll_date_read(ll_jv_str(value), &day);
}

static bool
is_code(struct ll_jv value)
{
    linli_str s = ll_jv_str(value);
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return s.len >= 1 && s.len <= 32;
}

/* Characters of other scripts (沪), capital letters, digits, '-' and the dot
 * that some write after the second. */
static bool
is_plate(linli_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (!(c >= 0x80 || is_digit(s.ptr[i]) || (c >= 'A' && c <= 'Z') ||
                c == '-'))
            return false;
    }
    return s.len >= 2 && s.len <= 16 && ll_utf8_valid(s);
}

/* All of a household's. */
static bool
is_plates(struct ll_jv value)
{
    if (!ll_jv_is(value, LL_JSON_ARRAY) ||
        ll_jv_count(value) > LL_FIELD_LIST_MAX)
        return false;
    LL_JSON_EACH (item, value) {
        if (!ll_jv_is(item, LL_JSON_STRING) || !is_plate(ll_jv_str(item)))
            return false;
        LL_JSON_EACH (other, value)
            if (other.at < item.at &&
                ll_str_eq(ll_jv_str(other), ll_jv_str(item)))
                return false;
    }
    return true;
}

/* -- numbers -- */

static bool
is_int_in(struct ll_jv value, int64_t min, int64_t max)
{
    int64_t i;
    return ll_jv_int(value, &i) && i >= min && i <= max;
}

static bool
is_number_in(struct ll_jv value, double min, double max)
{
    if (!ll_jv_is(value, LL_JSON_INT) && !ll_jv_is(value, LL_JSON_DOUBLE))
        return false;
    double d = ll_jv_number(value);
    return d >= min && d <= max;
}

static bool
is_heart_rate(struct ll_jv value)
{
    return is_int_in(value, 20, 300);
}

static bool
is_spo2(struct ll_jv value)
{
    return is_number_in(value, 30, 100);
}

static bool
is_body_temp(struct ll_jv value)
{
    return is_number_in(value, 25, 45);
}

static bool
is_steps(struct ll_jv value)
{
    return is_int_in(value, 0, 200000);
}

/* -- objects -- */

/* Whether an object has no members but these; `names` end with NULL. */
static bool
only(struct ll_jv value, const char *const *names)
{
    if (!ll_jv_is(value, LL_JSON_OBJECT))
        return false;
    LL_JSON_MEMBERS (name, member, value) {
        size_t i = 0;
        LL_UNUSED(member);
        while (names[i] != NULL && !ll_str_is(ll_jv_str(name), names[i]))
            i++;
        if (names[i] == NULL)
            return false;
    }
    return true;
}

static bool
is_blood_pressure(struct ll_jv value)
{
    static const char *const names[] = {"systolic", "diastolic", NULL};
    return only(value, names) &&
           is_int_in(ll_jv_get(value, "systolic"), 30, 300) &&
           is_int_in(ll_jv_get(value, "diastolic"), 10, 250);
}

static bool
is_location(struct ll_jv value)
{
    static const char *const names[] = {"lat", "lon", "accuracy_m", NULL};
    struct ll_jv accuracy = ll_jv_get(value, "accuracy_m");
    return only(value, names) &&
           is_number_in(ll_jv_get(value, "lat"), -90, 90) &&
           is_number_in(ll_jv_get(value, "lon"), -180, 180) &&
           (!ll_jv_there(accuracy) || is_number_in(accuracy, 0, 100000));
}

static bool
is_contacts(struct ll_jv value)
{
    static const char *const names[] = {"name", "phone", "relation", NULL};
    if (!ll_jv_is(value, LL_JSON_ARRAY) || ll_jv_count(value) == 0 ||
        ll_jv_count(value) > CONTACTS_MAX)
        return false;
    LL_JSON_EACH (item, value) {
        struct ll_jv relation = ll_jv_get(item, "relation");
        if (!only(item, names) || !is_name(ll_jv_get(item, "name")) ||
            !is_phone(ll_jv_get(item, "phone")) ||
            (ll_jv_there(relation) && !is_name(relation)))
            return false;
    }
    return true;
}

/* -- the table -- */

static const struct rule {
    const char *field;
    bool (*holds)(struct ll_jv value);
    struct ll_value_words words;
} rules[] = {
    {"display_name", is_name, {"1 to 64 characters", "1 至 64 个字符"}},
    {"family_name", is_name, {"1 to 64 characters", "1 至 64 个字符"}},
    {"real_name", is_name, {"1 to 64 characters", "1 至 64 个字符"}},
    {"gender", is_name, {"1 to 64 characters", "1 至 64 个字符"}},
    {"language", is_language, {"\"zh-CN\" or \"en\"", "\"zh-CN\" 或 \"en\""}},
    {"phone", is_phone,
        {"a phone number of 3 to 15 digits, such as 13800001111, "
         "021-12345678 or +8613800001111",
            "3 至 15 位电话号码, 如 13800001111、021-12345678 或 "
            "+8613800001111"}},
    {"id_card", is_id_card,
        {"the 18 characters of a resident identity card, check character "
         "included",
            "18 位居民身份证号码, 含校验码"}},
    {"birth_date", is_date,
        {"a date such as 1990-05-17", "日期, 如 1990-05-17"}},
    {"address", is_line,
        {"1 to 256 characters on one line", "1 至 256 个字符, 单行"}},
    {"door_code", is_code,
        {"1 to 32 letters, digits or signs", "1 至 32 个字母、数字或符号"}},
    {"plate", is_plates,
        {"a list of up to 64 different plates such as 沪A12345",
            "至多 64 个互不相同的车牌 (如 沪A12345) 的列表"}},
    {"heart_rate", is_heart_rate,
        {"an integer from 20 to 300 (beats a minute)",
            "20 至 300 的整数 (次/分钟)"}},
    {"spo2", is_spo2,
        {"a number from 30 to 100 (percent)", "30 至 100 的数 (百分比)"}},
    {"blood_pressure", is_blood_pressure,
        {"{\"systolic\": 30 to 300, \"diastolic\": 10 to 250} (mmHg)",
            "{\"systolic\": 30 至 300, \"diastolic\": 10 至 250} (毫米汞柱)"}},
    {"body_temp", is_body_temp,
        {"a number from 25 to 45 (degrees Celsius)", "25 至 45 的数 (摄氏度)"}},
    {"steps", is_steps, {"an integer from 0 to 200000", "0 至 200000 的整数"}},
    {"location", is_location,
        {"{\"lat\": -90 to 90, \"lon\": -180 to 180, \"accuracy_m\"?}",
            "{\"lat\": -90 至 90, \"lon\": -180 至 180, \"accuracy_m\"?}"}},
    {"bank_account", is_account,
        {"the 8 to 32 digits of an account", "8 至 32 位账号数字"}},
    {"care_notes", is_notes, {"a text", "文本"}},
    {"emergency_contacts", is_contacts,
        {"a list of 1 to 8 {\"name\", \"phone\", \"relation\"?}",
            "1 至 8 个 {\"name\", \"phone\", \"relation\"?} 的列表"}},
};

static const struct {
    const char *type;
    uint32_t kinds; /* 1 << enum ll_json_type */
    struct ll_value_words words;
} types[] = {
    {"string", 1u << LL_JSON_STRING, {"a text", "文本"}},
    {"integer", 1u << LL_JSON_INT, {"an integer", "整数"}},
    {"number", 1u << LL_JSON_INT | 1u << LL_JSON_DOUBLE, {"a number", "数"}},
    {"boolean", 1u << LL_JSON_TRUE | 1u << LL_JSON_FALSE,
        {"true or false", "true 或 false"}},
    {"object", 1u << LL_JSON_OBJECT, {"an object", "对象"}},
    {"array", 1u << LL_JSON_ARRAY, {"a list", "列表"}},
};

static const struct rule *
rule_of(const struct ll_field_def *field)
{
    for (size_t i = 0; i < LL_COUNT(rules); i++)
        if (ll_str_is(field->id, rules[i].field))
            return &rules[i];
    return NULL;
}

static size_t
type_of(const struct ll_field_def *field)
{
    size_t i = 0;
    while (i < LL_COUNT(types) && !ll_str_is(field->type, types[i].type))
        i++;
    ll_check(i < LL_COUNT(types)); /* the registry is ours */
    return i;
}

struct ll_value_words
ll_value_words(const struct ll_field_def *field)
{
    const struct rule *rule = rule_of(field);
    return rule != NULL ? rule->words : types[type_of(field)].words;
}

linli_status
ll_value_check(
    const struct ll_field_def *field, struct ll_jv value, struct ll_err *err)
{
    const struct rule *rule = rule_of(field);
    if (field->view != LL_VIEW_NONE || (field->brokered && rule == NULL)) {
        (void)ll_fail(err, LINLI_E_INVALID, "field/derived",
            "`%.*s` is made by the host and has no value of its own",
            LL_FMT(field->id));
        return LINLI_E_INVALID;
    }
    if (ll_jv_there(value) &&
        (types[type_of(field)].kinds & 1u << ll_jv_node(value)->type) != 0 &&
        (rule == NULL || rule->holds(value)))
        return LINLI_OK;
    struct ll_value_words words = ll_value_words(field);
    (void)ll_fail(err, LINLI_E_INVALID, "field/invalid", "`%.*s` is to be %s",
        LL_FMT(field->id), words.en);
    ll_err_fix(err, "%.*s 应为%s", LL_FMT(field->id), words.zh);
    return LINLI_E_INVALID;
}

linli_status
ll_value_take(const struct ll_field_def *field, struct ll_jv value,
    struct ll_buf *out, struct ll_err *err)
{
    ll_wipe(out);
    linli_status status = ll_value_check(field, value, err);
    if (status != LINLI_OK)
        return status;
    struct ll_jw w = ll_jw(out);
    ll_jw_value(&w, value);
    if (out->failed && out->max_bytes > LL_FIELD_VALUE_BYTES_MAX)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a value");
    if (!out->failed && out->len <= LL_FIELD_VALUE_BYTES_MAX)
        return LINLI_OK;
    (void)ll_fail(err, LINLI_E_INVALID, "field/invalid",
        "`%.*s` has more than %d bytes as JSON", LL_FMT(field->id),
        LL_FIELD_VALUE_BYTES_MAX);
    ll_err_fix(err, "%.*s 的 JSON 不得超过 %d 字节", LL_FMT(field->id),
        LL_FIELD_VALUE_BYTES_MAX);
    return LINLI_E_INVALID;
}
