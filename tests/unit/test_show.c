/* tests/unit/test_show.c: values of frames as JSON. */
#include "wire/show.h"

#include <math.h>

#include "base/text.h"
#include "t.h"
#include "wire/value.h"

static struct ll_mem mem;
static struct ll_buf value, text;
static struct ll_json json;
static struct ll_jw writer;

static struct ll_show
begin(void)
{
    ll_buf_clear(&text);
    writer = ll_jw(&text);
    return (struct ll_show){.to = &writer, .json = &json};
}

static void
open_all(void)
{
    ll_mem_init(&mem, 0);
    ll_buf_init(&value, &mem, 65536);
    ll_buf_init(&text, &mem, 65536);
    ll_json_init(&json, &mem);
}

static void
close_all(void)
{
    ll_buf_fini(&value);
    ll_buf_fini(&text);
    ll_json_fini(&json);
    T_INT(mem.used_bytes, 0);
}

/* A list of one of each. */
static void
put_each(void)
{
    ll_put_list(&value, 10);
    ll_put_nil(&value);
    ll_put_bool(&value, true);
    ll_put_bool(&value, false);
    ll_put_int(&value, INT64_MIN);
    ll_put_double(&value, 0.5);
    ll_put_double(&value, -HUGE_VAL);
    ll_put_bytes(&value, LINLI_STR("a\"b"));
    ll_put_bytes(&value, LINLI_STR("\xff\x00z"));
    ll_put_bytes(&value, LINLI_STR("{\"b\": 1, \"a\": []}"));
    ll_put_map(&value, 2);
    ll_put_bytes(&value, LINLI_STR("k"));
    ll_put_list(&value, 0);
    ll_put_bytes(&value, LINLI_STR("m"));
    ll_put_map(&value, 0);
}

T_CASE(shows_each_kind)
{
    open_all();
    put_each();
    struct ll_show show = begin();
    T_OK(ll_show_value(&show, ll_buf_view(&value)));
    T_STR(ll_buf_view(&text),
        "[null,true,false,-9223372036854775808,0.5,\"-inf\",\"a\\\"b\","
        "{\"base64url\":\"_wB6\"},{\"b\":1,\"a\":[]},{\"k\":[],\"m\":{}}]");
    show = begin();
    show.plain = true;
    T_OK(ll_show_value(&show, ll_buf_view(&value)));
    T_OK(strstr(text.ptr, "\"{\\\"b\\\": 1, \\\"a\\\": []}\"") != NULL);
    close_all();
}

/* Lists in each other to the bound that the reader of values has. */
T_CASE(goes_as_deep_as_values_do)
{
    open_all();
    for (int i = 0; i < LL_VALUE_DEPTH_MAX; i++)
        ll_put_list(&value, 1);
    ll_put_list(&value, 0);
    struct ll_show show = begin();
    T_OK(ll_show_value(&show, ll_buf_view(&value)));
    T_INT(text.len, 2 * (LL_VALUE_DEPTH_MAX + 1));
    ll_buf_clear(&value);
    for (int i = 0; i <= LL_VALUE_DEPTH_MAX; i++)
        ll_put_list(&value, 1);
    ll_put_list(&value, 0);
    show = begin();
    T_OK(!ll_show_value(&show, ll_buf_view(&value)));
    close_all();
}

T_CASE(writes_nothing_for_what_is_no_value)
{
    open_all();
    put_each();
    for (size_t n = 0; n < value.len; n++) {
        struct ll_show show = begin();
        T_OK(!ll_show_value(&show, (linli_str){value.ptr, n}));
        T_OK(!ll_show_fields(&show, (linli_str){value.ptr, n}, NULL, 0));
        T_INT(text.len, 0);
    }
    ll_put_nil(&value); /* one too many */
    struct ll_show show = begin();
    T_OK(!ll_show_value(&show, ll_buf_view(&value)));
    T_INT(text.len, 0);
    close_all();
}

T_CASE(names_fields)
{
    static const char *const names[] = {"one", "", "three"};
    open_all();
    ll_put_list(&value, 5);
    for (int i = 1; i <= 5; i++)
        ll_put_int(&value, i);
    struct ll_show show = begin();
    T_OK(ll_show_fields(&show, ll_buf_view(&value), names, LL_COUNT(names)));
    T_STR(ll_buf_view(&text), "{\"one\":1,\"three\":3,\"more\":[4,5]}");
    show = begin();
    T_OK(ll_show_fields(&show, ll_buf_view(&value), names, 1));
    T_STR(ll_buf_view(&text), "{\"one\":1,\"more\":[2,3,4,5]}");
    ll_buf_clear(&value);
    ll_put_int(&value, 1); /* no list */
    show = begin();
    T_OK(!ll_show_fields(&show, ll_buf_view(&value), names, 1));
    T_STR(ll_cstr(ll_hostcall_name(3)), "db_get");
    T_STR(ll_cstr(ll_hostcall_name(0)), "unknown");
    T_STR(ll_cstr(ll_hostcall_name(UINT32_MAX)), "unknown");
    close_all();
}

T_MAIN(T_RUN(shows_each_kind) T_RUN(goes_as_deep_as_values_do)
        T_RUN(writes_nothing_for_what_is_no_value) T_RUN(names_fields))
