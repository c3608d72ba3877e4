/* tests/unit/test_notify.c: texts with places, and which channel is next. */
#include "domain/notify.h"

#include "base/text.h"
#include "t.h"

T_CASE(ways_by_name)
{
    enum ll_way channel = LL_WAY_VOICE;
    T_OK(ll_way_read(LINLI_STR("push"), &channel));
    T_INT(channel, LL_WAY_PUSH);
    T_OK(ll_way_read(LINLI_STR("sms"), &channel));
    T_OK(!ll_way_read(LINLI_STR("SMS"), &channel));
    T_OK(!ll_way_read(LINLI_STR(""), &channel));
    T_INT(channel, LL_WAY_SMS);
    for (uint32_t i = 0; i < LL_WAY_COUNT; i++) {
        T_OK(ll_way_read(ll_cstr(ll_way_name((enum ll_way)i)), &channel));
        T_INT(channel, i);
    }
}

/* -- texts -- */

static const struct ll_notify_value values[] = {
    {LINLI_STR("a"), LINLI_STR("1")}, {LINLI_STR("plate"), LINLI_STR("粤B{a}")},
    {LINLI_STR("empty"), LINLI_STR("")}};

/* The text with the values; "!" if the template is refused. */
static void
check_text(const char *text, const char *want)
{
    struct ll_template t;
    struct ll_mem mem;
    struct ll_buf out;
    struct ll_err err = {0};
    ll_mem_init(&mem, 0);
    ll_buf_init(&out, &mem, 65536);
    ll_buf_cstr(&out, "> ");
    linli_status status = ll_template_read(ll_cstr(text), &t, &err);
    if (status == LINLI_OK) {
        T_INT(ll_template_render(&t, values, LL_COUNT(values), &out, &err),
            LINLI_OK);
        T_OK(ll_str_starts(ll_buf_view(&out), "> "));
        ll_buf_drop(&out, 2);
        T_STR(ll_buf_view(&out), want);
    } else {
        T_STR(ll_cstr("!"), want);
        T_STR(ll_cstr(err.code), "manifest/invalid");
        T_OK(err.msg[0] != '\0' && t.text.ptr == NULL && t.name_count == 0);
    }
    ll_buf_fini(&out);
    T_INT(mem.used_bytes, 0);
}

T_CASE(texts_with_places)
{
    static const char *const rows[][2] = {{"plain", "plain"},
        {"您的车{plate}, {a}", "您的车粤B{a}, 1"}, {"{a}{a}", "11"},
        {"[{empty}]", "[]"}, {"{{a}}", "{a}"}, {"{{{a}}}", "{1}"},
        {"}}{{", "}{"}, {"two\nlines", "two\nlines"}, {"", "!"}, {"{", "!"},
        {"}", "!"}, {"a } b", "!"}, {"{a", "!"}, {"{}", "!"}, {"{A}", "!"},
        {"{1a}", "!"}, {"{_a}", "!"}, {"{a b}", "!"}, {"{{a}", "!"},
        {"{a}}", "!"}, {"{车}", "!"}, {"tab\there", "!"}, {"del\x7f", "!"},
        {"\xff", "!"}, {"{a23456789012345678901234567890123}", "!"}};
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        check_text(rows[i][0], rows[i][1]);
}

T_CASE(texts_with_many_places)
{
    char text[2048];
    struct ll_template t;
    size_t n = 0;
    for (int i = 0; i < LL_NOTIFY_PLACEHOLDERS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "{p%d}{p0}", i);
    T_INT(ll_template_read((linli_str){text, n}, &t, NULL), LINLI_OK);
    T_INT(t.name_count, LL_NOTIFY_PLACEHOLDERS_MAX);
    T_OK(ll_template_has(&t, LINLI_STR("p15")));
    T_OK(!ll_template_has(&t, LINLI_STR("p16")));
    n += (size_t)snprintf(text + n, sizeof text - n, "{p16}");
    T_INT(ll_template_read((linli_str){text, n}, &t, NULL), LINLI_E_LIMIT);
    memset(text, 'a', sizeof text);
    linli_str whole = {text, LL_NOTIFY_TEMPLATE_BYTES_MAX};
    T_INT(ll_template_read(whole, &t, NULL), LINLI_OK);
    whole.len++;
    T_INT(ll_template_read(whole, &t, NULL), LINLI_E_LIMIT);
}

T_CASE(values_of_bounded_length)
{
    char text[LL_NOTIFY_VALUE_BYTES_MAX + 1];
    memset(text, 'a', sizeof text);
    T_OK(ll_notify_value_valid((linli_str){text, sizeof text - 1}));
    T_OK(!ll_notify_value_valid((linli_str){text, sizeof text}));
    T_OK(ll_notify_value_valid(LINLI_STR("")));
    T_OK(ll_notify_value_valid(LINLI_STR("粤B12345 {a}")));
    T_OK(!ll_notify_value_valid(LINLI_STR("two\nlines")));
    T_OK(!ll_notify_value_valid(LINLI_STR("\x7f")));
    T_OK(!ll_notify_value_valid(LINLI_STR("\xc3")));
    T_OK(!ll_notify_value_valid((linli_str){"a\0b", 3}));
}

/* What was appended before does not count. */
T_CASE(texts_of_bounded_length)
{
    char value[LL_NOTIFY_VALUE_BYTES_MAX];
    const struct ll_notify_value one = {LINLI_STR("a"), {value, sizeof value}};
    struct ll_template t;
    struct ll_mem mem;
    struct ll_buf out;
    struct ll_err err = {0};
    ll_mem_init(&mem, 0);
    ll_buf_init(&out, &mem, 65536);
    memset(value, 'x', sizeof value);
    ll_buf_cstr(&out, "before");
    T_INT(ll_template_read(LINLI_STR("{a}{a}{a}{a}{a}{a}{a}{a}"), &t, NULL),
        LINLI_OK);
    T_INT(ll_template_render(&t, &one, 1, &out, &err), LINLI_OK);
    T_INT(out.len, 6 + LL_NOTIFY_TEXT_BYTES_MAX);
    T_INT(ll_template_read(LINLI_STR("{a}{a}{a}{a}{a}{a}{a}{a}."), &t, NULL),
        LINLI_OK);
    T_INT(ll_template_render(&t, &one, 1, &out, &err), LINLI_E_LIMIT);
    T_STR(ll_cstr(err.code), "notify/too-long");
    ll_buf_fini(&out);
    ll_buf_init(&out, &mem, 8);
    T_INT(ll_template_render(&t, &one, 1, &out, &err), LINLI_E_NOMEM);
    ll_buf_fini(&out);
    T_INT(mem.used_bytes, 0);
}

/* -- channels -- */

/* Each letter of `outcomes` is one try (a f u), and of `want` what comes of it
 * (d w o l). */
static void
check_tries(uint32_t channels, const char *outcomes, const char *want)
{
    struct ll_notify_progress p = {.channel_count = channels};
    char said[64] = "";
    for (size_t i = 0; outcomes[i] != '\0'; i++) {
        int64_t wait_ms = -1;
        uint32_t tries = p.tries;
        enum ll_notify_outcome outcome = outcomes[i] == 'a' ? LL_NOTIFY_ACCEPTED
                                         : outcomes[i] == 'f'
                                             ? LL_NOTIFY_FAILED
                                             : LL_NOTIFY_UNREACHABLE;
        enum ll_notify_next next = ll_notify_decide(&p, outcome, &wait_ms);
        said[i] = "dwol"[next];
        T_INT(wait_ms, next == LL_NOTIFY_WAIT
                           ? LL_NOTIFY_PAUSE_MS_FIRST * (1 << tries)
                           : 0);
        T_INT(p.at == channels, next == LL_NOTIFY_LOST);
    }
    T_STR(ll_cstr(said), want);
}

T_CASE(which_channel_is_next)
{
    check_tries(1, "a", "d");
    check_tries(1, "u", "l");
    check_tries(1, "fa", "wd");
    check_tries(1, "ffffffff", "wwwwwwwl");
    check_tries(1, "ffu", "wwl");
    check_tries(2, "a", "d");
    check_tries(2, "ua", "od");
    check_tries(2, "ffa", "wwd");
    check_tries(2, "fffa", "wwod");
    check_tries(2, "fffffffffff", "wwowwwwwwwl");
    check_tries(3, "uuu", "ool");
    check_tries(3, "fufffa", "wowwod");
}

T_MAIN(T_RUN(ways_by_name) T_RUN(texts_with_places)
        T_RUN(texts_with_many_places) T_RUN(values_of_bounded_length)
            T_RUN(texts_of_bounded_length) T_RUN(which_channel_is_next))
