/* tests/unit/test_secret.c: secrets, sealed and open. */
#include "data/put.h"
#include "host/secret.h"

#include "host_call.h"
#include "t.h"

static struct host_call h;
static struct ll_mem text_mem;

static void
open_host(void)
{
    memset(&h, 0, sizeof h);
    ll_mem_init(&text_mem, 0);
    host_call_open(
        &h, LINLI_STR("{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,"
                      "\"runtime\":\"lua\",\"main\":\"main.lua\","
                      "\"secrets\":[\"map_key\",\"other\"]}"));
    h.community.host = &h.host;
}

static void
close_host(void)
{
    host_call_settle(&h);
    ll_secrets_close(&h.instance);
    host_call_close(&h);
    T_INT(text_mem.used_bytes, 0);
}

static void
ready(void)
{
    struct ll_wait wait = {.ready = NULL};
    while (!ll_secrets_ready(&h.instance, &wait)) {
        ll_wait_cancel(&wait);
        ll_world_turn(h.host.world, true);
    }
}

/* As the operator's path does; NULL deletes. */
static void
set(const char *name, const char *value)
{
    struct ll_coll *coll =
        ll_space_coll(h.instance.space, LINLI_STR(LL_SECRET_COLL));
    struct ll_doc *doc = ll_docs_get(coll, ll_cstr(name));
    struct ll_buf text;
    struct ll_wait wait = {.ready = NULL};
    ll_buf_init(&text, &text_mem, 16384);
    while (!ll_doc_ready(doc, &wait)) {
        ll_wait_cancel(&wait);
        ll_world_turn(h.host.world, true);
    }
    if (value != NULL)
        T_INT(ll_secret_write(
                  &h.instance, ll_cstr(name), ll_cstr(value), &text, &h.err),
            LINLI_OK);
    T_OK(ll_docs_put_now(&h.host.docs, doc, value == NULL ? NULL : &text, 1) !=
         0);
    ll_doc_unref(&doc);
    ll_buf_fini(&text);
}

static void
check_open(const char *name, const char *want)
{
    struct ll_opened opened;
    linli_status status =
        ll_secret_open(&h.instance, ll_cstr(name), &opened, &h.err);
    if (status == LINLI_OK)
        T_STR(ll_opened_view(&opened), want);
    else
        T_STR(ll_cstr(h.err.code), want);
    ll_opened_wipe(&opened);
}

T_CASE(set_replaced_deleted)
{
    open_host();
    check_open("nowhere", "secret/undeclared");
    check_open("map_key", "runtime/busy"); /* it is being read */
    ready();
    check_open("map_key", "secret/unset");
    T_OK(strstr(h.err.msg,
             "linli secret set probe map_key --community garden") != NULL);
    set("map_key", "one");
    check_open("map_key", "one");
    set("map_key", "两");
    check_open("map_key", "两");
    check_open("other", "secret/unset");
    set("map_key", NULL);
    check_open("map_key", "secret/unset");
    close_host();
}

T_CASE(what_is_kept_is_sealed)
{
    struct ll_buf one, two;
    struct ll_opened opened;
    open_host();
    ll_buf_init(&one, &text_mem, 16384);
    ll_buf_init(&two, &text_mem, 16384);
    struct ll_vault_name name = {
        "secret", LINLI_STR("garden"), LINLI_STR("probe"), LINLI_STR("a")};
    T_INT(ll_vault_close(&h.host, &name, LINLI_STR("value"), &one, &h.err), 0);
    T_INT(ll_vault_close(&h.host, &name, LINLI_STR("value"), &two, &h.err), 0);
    T_OK(!ll_str_eq(ll_buf_view(&one), ll_buf_view(&two)));
    T_INT(ll_vault_open(&h.host, &name, ll_buf_view(&one), &opened, &h.err), 0);
    T_STR(ll_opened_view(&opened), "value");
    /* For no other name, plugin, community or kind; and not if a bit of it
     * has changed. */
    const struct ll_vault_name others[] = {
        {"secret", LINLI_STR("garden"), LINLI_STR("probe"), LINLI_STR("b")},
        {"secret", LINLI_STR("garden"), LINLI_STR("probe2"), LINLI_STR("a")},
        {"secret", LINLI_STR("garde"), LINLI_STR("probe"), LINLI_STR("a")},
        {"webhook", LINLI_STR("garden"), LINLI_STR("probe"), LINLI_STR("a")}};
    for (size_t i = 0; i < LL_COUNT(others); i++) {
        T_INT(ll_vault_open(
                  &h.host, &others[i], ll_buf_view(&one), &opened, &h.err),
            LINLI_E_IO);
        T_INT(opened.len, 0);
    }
    for (size_t i = 0; i < one.len; i++) {
        char was = one.ptr[i];
        one.ptr[i] = was == 'A' ? 'B' : 'A';
        T_INT(ll_vault_open(&h.host, &name, ll_buf_view(&one), &opened, &h.err),
            LINLI_E_IO);
        one.ptr[i] = was;
    }
    T_INT(ll_vault_open(&h.host, &name, LINLI_STR(""), &opened, &h.err),
        LINLI_E_IO);
    ll_buf_fini(&one);
    ll_buf_fini(&two);
    close_host();
}

T_CASE(references_are_replaced)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"plain {{x}} {secret:map_key}", "plain {{x}} {secret:map_key}"},
        {"{{secret:map_key}}", "K"},
        {"Bearer {{secret:map_key}}.", "Bearer K."},
        {"{{secret:map_key}}{{secret:other}}:{{secret:map_key}}",
            "K{{secret:map_key}}:K"}, /* a value is not looked at again */
        {"a {{secret:map_key", "!secret/reference"},
        {"a {{secret:}}", "!secret/reference"},
        {"a {{secret:map key}}", "!secret/reference"},
        {"a {{secret:nowhere}}", "!secret/undeclared"},
        {"{{secret:map_key}} {{secret:nowhere}}", "!secret/undeclared"},
    };
    struct ll_buf out;
    open_host();
    ready();
    set("map_key", "K");
    set("other", "{{secret:map_key}}");
    ll_buf_init(&out, &text_mem, 65536);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        linli_str text = ll_cstr(rows[i].text);
        bool good = rows[i].want[0] != '!';
        ll_buf_clear(&out);
        ll_buf_cstr(&out, "X: ");
        linli_status status = ll_secret_expand(&h.instance, text, &out, &h.err);
        T_INT(status == LINLI_OK, good);
        T_INT(ll_secret_check(&h.instance, text, NULL) == LINLI_OK, good);
        if (good)
            T_STR(((linli_str){out.ptr + 3, out.len - 3}), rows[i].want);
        else
            T_STR(ll_cstr(h.err.code), rows[i].want + 1);
        T_OK(good || out.len == 3);
    }
    T_OK(ll_secret_named(LINLI_STR("a{{secret:b}}")));
    T_OK(!ll_secret_named(LINLI_STR("a{{secret b}}")));
    set("other", NULL);
    T_INT(ll_secret_expand(
              &h.instance, LINLI_STR("{{secret:other}}"), &out, &h.err),
        LINLI_E_NOT_FOUND);
    ll_buf_fini(&out);
    close_host();
}

T_CASE(names_and_values)
{
    static const char *const names[] = {"a", "map_key", "a1_"};
    static const char *const bad[] = {
        "", "A", "1a", "_a", "a-b", "a b", "a.b", "\xe4\xb8\xad"};
    char name[50];
    static char value[LL_SECRET_BYTES_MAX + 1];
    for (size_t i = 0; i < LL_COUNT(names); i++)
        T_OK(ll_secret_name_valid(ll_cstr(names[i])));
    for (size_t i = 0; i < LL_COUNT(bad); i++)
        T_OK(!ll_secret_name_valid(ll_cstr(bad[i])));
    memset(name, 'a', sizeof name);
    T_OK(ll_secret_name_valid((linli_str){name, 48}));
    T_OK(!ll_secret_name_valid((linli_str){name, 49}));
    memset(value, 'v', sizeof value);
    T_INT(ll_secret_value_check((linli_str){value, sizeof value - 1}, NULL), 0);
    T_INT(ll_secret_value_check((linli_str){value, sizeof value}, NULL),
        LINLI_E_INVALID);
    T_INT(ll_secret_value_check((linli_str){value, 0}, NULL), LINLI_E_INVALID);
    value[7] = '\r';
    T_INT(ll_secret_value_check((linli_str){value, 9}, NULL), LINLI_E_INVALID);
}

T_CASE(a_longest_value_is_sent_whole)
{
    static char value[LL_SECRET_BYTES_MAX + 1];
    struct ll_buf out;
    open_host();
    ready();
    memset(value, 'v', sizeof value - 1);
    set("map_key", value);
    ll_buf_init(&out, &text_mem, 65536);
    T_INT(ll_secret_expand(
              &h.instance, LINLI_STR("<{{secret:map_key}}>"), &out, &h.err),
        LINLI_OK);
    T_INT(out.len, LL_SECRET_BYTES_MAX + 2);
    ll_wipe(&out);
    T_INT(out.len, 0);
    size_t left = 0;
    for (size_t i = 0; i < out.cap; i++)
        left += out.ptr[i] == 'v';
    T_INT(left, 0);
    ll_buf_fini(&out);
    close_host();
}

T_CASE(fingerprints_are_keyed)
{
    char a[LL_FINGERPRINT_BYTES], b[LL_FINGERPRINT_BYTES];
    open_host();
    ll_vault_fingerprint(&h.host, LINLI_STR("garden"), LINLI_STR("v"), a);
    ll_vault_fingerprint(&h.host, LINLI_STR("garden"), LINLI_STR("v"), b);
    T_STR(ll_cstr(a), b);
    T_INT(strlen(a), 8);
    ll_vault_fingerprint(&h.host, LINLI_STR("yard"), LINLI_STR("v"), b);
    T_OK(strcmp(a, b) != 0);
    ll_vault_fingerprint(&h.host, LINLI_STR("garden"), LINLI_STR("w"), b);
    T_OK(strcmp(a, b) != 0);
    close_host();
}

/* RFC 4231, test case 2: the key "Jefe". */
T_CASE(signing)
{
    struct ll_buf args;
    open_host();
    ready();
    set("map_key", "Jefe");
    for (int algorithm = 0; algorithm < 3; algorithm++) {
        ll_buf_init(&args, &text_mem, 4096);
        ll_put_list(&args, 1);
        ll_put_map(&args, algorithm == 0 ? 2 : 3);
        ll_put_bytes(&args, LINLI_STR("secret"));
        ll_put_bytes(&args, LINLI_STR("map_key"));
        ll_put_bytes(&args, LINLI_STR("text"));
        ll_put_bytes(&args, LINLI_STR("what do ya want for nothing?"));
        if (algorithm > 0) {
            ll_put_bytes(&args, LINLI_STR("algorithm"));
            ll_put_bytes(&args, algorithm == 1 ? LINLI_STR("hmac-sha256")
                                               : LINLI_STR("hmac-md5"));
        }
        linli_status status = host_call(&h, 23, ll_buf_view(&args));
        T_INT(status, algorithm == 2 ? LINLI_E_INVALID : LINLI_OK);
        if (status == LINLI_OK)
            T_STR(ll_rd_bytes(&h.value), "5bdcc146bf60754e6a042426089575c7"
                                         "5a003f089d2739839dec58b964ec3843");
        ll_buf_fini(&args);
    }
    close_host();
}

/* Whatever fails, it is told so; then the same can be asked again. */
T_CASE(each_allocation_may_fail)
{
    struct ll_buf args, out;
    uint64_t n = 0;
    bool failed = true;
    open_host();
    ready();
    set("map_key", "K");
    host_call_settle(&h);
    ll_secrets_close(&h.instance);
    ll_buf_init(&args, &text_mem, 4096);
    ll_put_list(&args, 1);
    ll_put_map(&args, 2);
    ll_put_bytes(&args, LINLI_STR("secret"));
    ll_put_bytes(&args, LINLI_STR("map_key"));
    ll_put_bytes(&args, LINLI_STR("text"));
    ll_put_bytes(&args, LINLI_STR("t"));
    while (failed && n < 1000) {
        h.host.mem.fail_in = ++n;
        linli_status status = host_call(&h, 23, ll_buf_view(&args));
        failed = h.host.mem.fail_in == 0;
        h.host.mem.fail_in = 0;
        T_OK(status == LINLI_OK || failed);
        ll_secrets_close(&h.instance);
    }
    T_OK(n > 1 && n < 1000);
    ll_secrets_open(&h.instance);
    ready();
    ll_buf_init(&out, &h.host.mem, 65536);
    h.host.mem.fail_in = 1;
    T_INT(ll_secret_expand(
              &h.instance, LINLI_STR("{{secret:map_key}}"), &out, &h.err),
        LINLI_E_NOMEM);
    T_INT(out.len, 0);
    h.host.mem.fail_in = 0;
    ll_buf_fini(&out);
    ll_buf_fini(&args);
    close_host();
}

T_MAIN(T_RUN(set_replaced_deleted) T_RUN(what_is_kept_is_sealed)
        T_RUN(references_are_replaced) T_RUN(names_and_values)
            T_RUN(a_longest_value_is_sent_whole) T_RUN(fingerprints_are_keyed)
                T_RUN(signing) T_RUN(each_allocation_may_fail))
