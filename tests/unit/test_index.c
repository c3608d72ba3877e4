/* tests/unit/test_index.c: what an index says of a document. */
#include "t.h"

#include "base/index.h"
#include "base/text.h"

#define KEY_BYTES_MAX 65536

static struct ll_mem mem;

static const char plain[] = "{\"fields\": [\"state\", \"pay_by\"]}";
static const char sparse[] =
    "{\"fields\": [\"plate\", \"lot\"], \"unique\": true, \"sparse\": true}";
static const char interval[] =
    "{\"fields\": [\"space\"], \"interval\": {\"from\": \"from\", \"to\": "
    "\"to\", \"longest_ms\": 100}}";
static const char sparse_interval[] =
    "{\"fields\": [\"space\"], \"sparse\": true, \"interval\": "
    "{\"from\": \"from\", \"to\": \"to\", \"longest_ms\": "
    "9223372036854775807}}";

/* `key`: the tuple as JSON, NULL: no entry; or the failure's message holds
 * `says`. */
static const struct {
    const char *spec, *document, *key, *says;
} rows[] = {
    {plain, "{\"state\":\"held\",\"pay_by\":5}", "\"held\",5", NULL},
    {plain, "{\"pay_by\":5,\"x\":1.5,\"state\":\"held\"}", "\"held\",5", NULL},
    {plain, "{\"state\":true}", "true,null", NULL},
    {plain, "{\"state\":null,\"pay_by\":false}", "null,false", NULL},
    {plain, "{}", "null,null", NULL},
    {plain, "{\"State\":1}", "null,null", NULL},
    {plain, "[\"state\"]", "null,null", NULL},
    {plain, "{\"state\":\"\",\"pay_by\":\"a\\u0000b\"}", "\"\",\"a\\u0000b\"",
        NULL},
    {plain, "{\"state\":1.0}", NULL, "\"state\" is not written as an integer"},
    {plain, "{\"pay_by\":1e2}", NULL, "\"pay_by\" is not written"},
    {plain, "{\"state\":1,\"pay_by\":[]}", NULL, "\"pay_by\" is a list"},
    {plain, "{\"state\":{},\"pay_by\":1}", NULL, "\"state\" is an object"},
    {sparse, "{\"plate\":\"A1\",\"lot\":\"b\"}", "\"A1\",\"b\"", NULL},
    {sparse, "{\"plate\":\"A1\"}", NULL, NULL},
    {sparse, "{\"plate\":\"A1\",\"lot\":null}", NULL, NULL},
    {sparse, "{\"lot\":\"b\"}", NULL, NULL},
    {sparse, "{\"plate\":false,\"lot\":\"\"}", "false,\"\"", NULL},
    /* No entry, so no value is judged. */
    {sparse, "{\"plate\":1.5}", NULL, NULL},
    {sparse, "{\"plate\":1.5,\"lot\":1}", NULL, "\"plate\""},
    {interval, "{\"space\":\"p\",\"from\":0,\"to\":100}", "\"p\",0,100", NULL},
    {interval, "{\"space\":\"p\",\"from\":-1,\"to\":0}", "\"p\",-1,0", NULL},
    {interval, "{\"from\":1,\"to\":2}", "null,1,2", NULL},
    {interval, "{\"space\":\"p\"}", NULL, NULL},
    {interval, "{\"space\":\"p\",\"from\":null,\"to\":null}", NULL, NULL},
    {interval, "{\"space\":[],\"from\":null}", NULL, NULL},
    {interval, "{\"space\":\"p\",\"from\":1}", NULL, "\"to\": both ends"},
    {interval, "{\"space\":\"p\",\"to\":1}", NULL, "\"from\": both ends"},
    {interval, "{\"from\":1,\"to\":null}", NULL, "\"to\": both ends"},
    {interval, "{\"from\":\"1\",\"to\":2}", NULL, "\"from\": both ends"},
    {interval, "{\"from\":1,\"to\":2.0}", NULL, "\"to\": both ends"},
    {interval, "{\"from\":true,\"to\":2}", NULL, "\"from\": both ends"},
    {interval, "{\"from\":2,\"to\":2}", NULL, "\"to\": an interval must end"},
    {interval, "{\"from\":3,\"to\":2}", NULL, "\"to\": an interval must end"},
    {interval, "{\"from\":0,\"to\":101}", NULL, "longer than longest_ms, 100"},
    {interval, "{\"from\":-9223372036854775808,\"to\":9223372036854775807}",
        NULL, "longer than longest_ms"},
    {sparse_interval, "{\"from\":0,\"to\":1}", NULL, NULL},
    {sparse_interval, "{\"space\":1,\"from\":0,\"to\":9223372036854775807}",
        "1,0,9223372036854775807", NULL},
    {sparse_interval, "{\"space\":1,\"from\":-1,\"to\":9223372036854775807}",
        NULL, "longer than longest_ms"},
};

/* Both texts in their tapes, as borrowed things need them. */
struct bed {
    struct ll_json declared, document;
    struct ll_index_spec spec;
    struct ll_buf key;
};

static void
bed_init(struct bed *bed, const char *spec, const char *document)
{
    struct ll_err err;
    ll_json_init(&bed->declared, &mem);
    ll_json_init(&bed->document, &mem);
    ll_buf_init(&bed->key, &mem, KEY_BYTES_MAX);
    T_INT(ll_json_parse(&bed->declared, ll_cstr(spec), 8, &err), LINLI_OK);
    T_INT(ll_json_parse(&bed->document, ll_cstr(document), 8, &err), LINLI_OK);
    ll_index_spec_read(ll_json_root(&bed->declared), &bed->spec);
}

static void
bed_fini(struct bed *bed)
{
    ll_json_fini(&bed->declared);
    ll_json_fini(&bed->document);
    ll_buf_fini(&bed->key);
    T_INT(mem.used_bytes, 0);
}

static linli_status
make_key(struct bed *bed, bool *there, struct ll_err *err)
{
    return ll_index_key(
        &bed->spec, ll_json_root(&bed->document), &bed->key, there, err);
}

static void
check_key(linli_str key, const char *want)
{
    struct ll_buf out;
    ll_buf_init(&out, &mem, KEY_BYTES_MAX);
    struct ll_jw w = ll_jw(&out);
    while (key.len > 0 && ll_tuple_read(&key, &w))
        continue;
    T_INT(key.len, 0);
    T_STR(ll_buf_view(&out), want);
    ll_buf_fini(&out);
}

T_CASE(specs)
{
    struct bed bed;
    bed_init(&bed, sparse, "0");
    T_INT(bed.spec.field_count, 2);
    T_STR(bed.spec.fields[0], "plate");
    T_STR(bed.spec.fields[1], "lot");
    T_OK(bed.spec.unique && bed.spec.sparse && !bed.spec.interval);
    bed_fini(&bed);
    bed_init(&bed, interval, "0");
    T_INT(bed.spec.field_count, 1);
    T_OK(!bed.spec.unique && !bed.spec.sparse && bed.spec.interval);
    T_STR(bed.spec.from, "from");
    T_STR(bed.spec.to, "to");
    T_INT(bed.spec.longest_ms, 100);
    bed_fini(&bed);
    /* The schema refuses a ninth field; a file that has one harms nobody. */
    bed_init(&bed,
        "{\"fields\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]}",
        "0");
    T_INT(bed.spec.field_count, LL_INDEX_FIELDS_MAX);
    T_STR(bed.spec.fields[7], "h");
    bed_fini(&bed);
}

T_CASE(keys)
{
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct bed bed;
        struct ll_err err = {0};
        bool there = true;
        bed_init(&bed, rows[i].spec, rows[i].document);
        /* What the buffer holds already stays, whatever becomes of this. */
        ll_tuple_bool(&bed.key, true);
        linli_status status = make_key(&bed, &there, &err);
        T_INT(status, rows[i].says == NULL ? LINLI_OK : LINLI_E_INVALID);
        T_INT(there, rows[i].key != NULL);
        if (rows[i].says != NULL) {
            T_STR(ll_cstr(err.code), "db/key");
            T_OK(strstr(err.msg, rows[i].says) != NULL);
        }
        T_STR(((linli_str){bed.key.ptr, 1}), "\x03");
        check_key((linli_str){bed.key.ptr + 1, bed.key.len - 1},
            rows[i].key == NULL ? "" : rows[i].key);
        if (t_failed_checks > 0)
            printf("#   row %zu: %s\n", i, rows[i].document);
        bed_fini(&bed);
    }
}

T_CASE(a_text_as_long_as_it_may_be)
{
    char document[LL_KEY_STR_BYTES_MAX + 20];
    for (int more = 0; more <= 1; more++) {
        struct bed bed;
        struct ll_err err = {0};
        bool there = false;
        int n = snprintf(document, sizeof document, "{\"state\":\"%0*d\"}",
            LL_KEY_STR_BYTES_MAX + more, 0);
        T_OK(n > 0 && (size_t)n < sizeof document);
        bed_init(&bed, plain, document);
        T_INT(make_key(&bed, &there, &err),
            more == 0 ? LINLI_OK : LINLI_E_INVALID);
        T_INT(there, more == 0);
        T_OK(more == 0 || strstr(err.msg, "a longer text") != NULL);
        T_OK(more == 0 || strstr(err.msg, "000") == NULL); /* no data */
        bed_fini(&bed);
    }
}

T_CASE(no_memory)
{
    struct bed bed;
    struct ll_err err = {0};
    bool there = true;
    bed_init(&bed, interval, "{\"space\":\"p\",\"from\":0,\"to\":100}");
    mem.fail_in = 1;
    T_INT(make_key(&bed, &there, &err), LINLI_E_NOMEM);
    T_OK(!there);
    T_INT(bed.key.len, 0);
    T_STR(ll_cstr(err.code), "runtime/memory");
    mem.fail_in = 0;
    ll_buf_clear(&bed.key);
    T_INT(make_key(&bed, &there, &err), LINLI_OK);
    T_OK(there);
    bed_fini(&bed);
    /* A buffer whose maximum comes in the middle of a key. */
    bed_init(&bed, interval, "{\"space\":\"p\",\"from\":0,\"to\":100}");
    bed.key.max_bytes = 5;
    T_INT(make_key(&bed, &there, NULL), LINLI_E_NOMEM);
    T_INT(bed.key.len, 0);
    bed_fini(&bed);
}

T_MAIN(T_RUN(specs) T_RUN(keys) T_RUN(a_text_as_long_as_it_may_be)
        T_RUN(no_memory))
