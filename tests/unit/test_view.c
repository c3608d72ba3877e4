/* tests/unit/test_view.c: what a view says, and what it does not. */
#include "t.h"

#include "base/text.h"
#include "domain/age.h"
#include "domain/view.h"

static struct ll_mem mem;

/* The view of a value, or "none". */
static const char *
view_of(enum ll_view_kind view, const char *value, const char *today)
{
    static char text[256];
    struct ll_json json;
    struct ll_buf out;
    int32_t day = 0;
    T_OK(ll_day_read(ll_cstr(today), &day));
    ll_json_init(&json, &mem);
    ll_buf_init(&out, &mem, 4096);
    T_OK(ll_json_parse(&json, ll_cstr(value), 8, NULL) == LINLI_OK);
    bool there = ll_view_of(view, ll_json_root(&json), day, &out);
    T_OK(!out.failed);
    T_OK(there || out.len == 0);
    snprintf(text, sizeof text, "%.*s", there ? (int)out.len : 4,
        there ? out.ptr : "none");
    ll_buf_fini(&out);
    ll_json_fini(&json);
    return text;
}

struct row {
    enum ll_view_kind view;
    const char *value, *today, *want;
};

static const struct row rows[] = {
    {LL_VIEW_AGE_BAND, "\"1953-06-01\"", "2026-03-01", "\"70-79\""},
    {LL_VIEW_AGE_BAND, "\"2012-06-01\"", "2026-12-31", "\"0-13\""},
    {LL_VIEW_AGE_BAND, "\"2012-06-01\"", "2027-01-01", "\"14-17\""},
    {LL_VIEW_AGE_BAND, "\"2012-01-01\"", "2026-01-01", "\"14-17\""},
    {LL_VIEW_AGE_BAND, "\"2026-05-01\"", "2026-05-01", "\"0-13\""},
    {LL_VIEW_AGE_BAND, "\"1900-05-01\"", "2026-05-01", "\"80+\""},
    {LL_VIEW_AGE_BAND, "\"2026-05-02\"", "2026-05-01", "none"},
    {LL_VIEW_AGE_BAND, "\"1953\"", "2026-05-01", "none"},
    {LL_VIEW_AGE_BAND, "1953", "2026-05-01", "none"},
    {LL_VIEW_IS_60_PLUS, "\"1966-03-02\"", "2026-12-31", "false"},
    {LL_VIEW_IS_60_PLUS, "\"1966-03-02\"", "2027-01-01", "true"},
    {LL_VIEW_IS_60_PLUS, "\"1966-01-01\"", "2026-01-01", "true"},
    {LL_VIEW_IS_60_PLUS, "null", "2026-01-01", "none"},
    {LL_VIEW_BUILDING_ONLY, "\"幸福小区3号楼2单元501\"", "2026-01-01",
        "\"幸福小区3号楼\""},
    {LL_VIEW_BUILDING_ONLY, "\"12栋1203\"", "2026-01-01", "\"12栋\""},
    {LL_VIEW_BUILDING_ONLY, "\"A座6楼601\"", "2026-01-01", "\"A座\""},
    {LL_VIEW_BUILDING_ONLY, "\"3-2-501\"", "2026-01-01", "\"3\""},
    {LL_VIEW_BUILDING_ONLY, "\"阳光大厦12楼1203\"", "2026-01-01", "none"},
    {LL_VIEW_BUILDING_ONLY, "\"501\"", "2026-01-01", "none"},
    {LL_VIEW_BUILDING_ONLY, "\"-501\"", "2026-01-01", "none"},
    {LL_VIEW_BUILDING_ONLY, "\"\"", "2026-01-01", "none"},
    {LL_VIEW_BUILDING_ONLY, "{\"building\":\"3\",\"unit\":\"2\"}", "2026-01-01",
        "\"3\""},
    {LL_VIEW_BUILDING_ONLY, "{\"unit\":\"2\"}", "2026-01-01", "none"},
    {LL_VIEW_MASKED_PHONE, "\"13812341234\"", "2026-01-01", "\"138****1234\""},
    {LL_VIEW_MASKED_PHONE, "\"+86 138-5678-1234\"", "2026-01-01",
        "\"138****1234\""},
    {LL_VIEW_MASKED_PHONE, "\"02112345678\"", "2026-01-01", "none"},
    {LL_VIEW_MASKED_PHONE, "\"1381234123\"", "2026-01-01", "none"},
    {LL_VIEW_MASKED_PHONE, "\"138123412345\"", "2026-01-01", "none"},
    {LL_VIEW_MASKED_PHONE, "\"1381234123x\"", "2026-01-01", "none"},
    {LL_VIEW_MASKED_PHONE, "13812341234", "2026-01-01", "none"},
    {LL_VIEW_MASKED_PLATE, "\"沪A12345\"", "2026-01-01", "\"沪A***45\""},
    {LL_VIEW_MASKED_PLATE, "\"沪AD12345\"", "2026-01-01", "\"沪A***45\""},
    {LL_VIEW_MASKED_PLATE, "\"粤Z1234港\"", "2026-01-01", "\"粤Z***4港\""},
    {LL_VIEW_MASKED_PLATE, "\"A1234\"", "2026-01-01", "none"},
    {LL_VIEW_MASKED_PLATE, "\"沪A123456789\"", "2026-01-01", "none"},
    {LL_VIEW_NONE, "\"x\"", "2026-01-01", "none"},
};

T_CASE(a_view_says_what_the_table_says)
{
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const char *got = view_of(row->view, row->value, row->today);
        if (strcmp(got, row->want) != 0)
            printf("# row %zu: %s\n", i, row->value);
        T_STR(ll_cstr(got), row->want);
    }
}

/* Whoever asks each day for a century learns of no day but 1 January. */
T_CASE(ages_change_on_new_years_day_only)
{
    static const enum ll_view_kind kinds[] = {
        LL_VIEW_AGE_BAND, LL_VIEW_IS_60_PLUS};
    int32_t birth = 0;
    uint32_t changes = 0;
    T_OK(ll_day_read(LINLI_STR("1952-02-29"), &birth));
    for (size_t k = 0; k < LL_COUNT(kinds); k++) {
        char before[64] = "";
        for (int32_t day = birth; day < birth + 36600; day++) {
            struct ll_date date = ll_date_of(day);
            char today[32];
            snprintf(today, sizeof today, "%04d-%02u-%02u", (int)date.year,
                (unsigned)date.month, (unsigned)date.day);
            const char *got = view_of(kinds[k], "\"1952-02-29\"", today);
            if (before[0] != 0 && strcmp(got, before) != 0) {
                T_OK(date.month == 1 && date.day == 1);
                changes++;
            }
            snprintf(before, sizeof before, "%s", got);
        }
    }
    T_INT(changes, 6 + 1);
}

int
main(void)
{
    ll_mem_init(&mem, 0);
    T_RUN(a_view_says_what_the_table_says)
    T_RUN(ages_change_on_new_years_day_only)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0 || mem.used_bytes != 0;
}
