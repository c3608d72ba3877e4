/* tests/unit/test_usage_export.c: records as others read them, by
 * spec/vectors/usage_export.json. */
#include "t.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "domain/usage_export.h"

#define OUT_BYTES_MAX (1u << 20)
#define RECORDS_MAX 16

static struct ll_mem mem;
static struct ll_json vectors;
static struct ll_usage_line records[RECORDS_MAX];
static uint32_t record_count;
static struct ll_buf source;

static linli_str
text_of(struct ll_jv object, const char *name)
{
    return ll_jv_str(ll_jv_get(object, name));
}

static uint64_t
hex_of(linli_str digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

static void
read_record(struct ll_jv from)
{
    struct ll_usage_line *r = &records[record_count++];
    linli_str call = text_of(from, "call");
    int64_t lsn = 0, subscription = 0, version = 0;
    T_INT(call.len, 32);
    r->usage.call_high = hex_of((linli_str){call.ptr, 16});
    r->usage.call_low = hex_of((linli_str){call.ptr + 16, 16});
    T_OK(ll_jv_int(ll_jv_get(from, "at"), &r->usage.at_ms));
    T_OK(ll_usage_read(text_of(from, "qty"), &r->usage.quantity));
    T_OK(ll_jv_int(ll_jv_get(from, "lsn"), &lsn));
    T_OK(ll_jv_int(ll_jv_get(from, "subscription"), &subscription));
    (void)ll_jv_int(ll_jv_get(from, "plan_version"), &version);
    r->lsn = (uint64_t)lsn;
    r->subscription = (uint32_t)subscription;
    r->plan_version = (uint32_t)version;
    r->plugin = text_of(from, "plugin");
    r->meter = text_of(from, "meter");
    r->plan = text_of(from, "plan");
}

T_CASE(reads_the_vectors)
{
    char path[4096];
    static char text[OUT_BYTES_MAX];
    const char *src = getenv("LINLI_SRC");
    (void)snprintf(path, sizeof path, "%s/spec/vectors/usage_export.json",
        src == NULL ? "." : src);
    FILE *file = fopen(path, "rb");
    T_OK(file != NULL);
    if (file == NULL)
        return;
    size_t n = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    ll_json_init(&vectors, &mem);
    ll_buf_init(&source, &mem, OUT_BYTES_MAX);
    T_INT(ll_json_parse(&vectors, (linli_str){text, n}, 16, NULL), LINLI_OK);
    LL_JSON_EACH (record, ll_jv_get(ll_json_root(&vectors), "records"))
        read_record(record);
    T_INT(record_count, 4);
}

static void
compare(linli_str got, linli_str want)
{
    T_OK(ll_str_eq(got, want));
    if (!ll_str_eq(got, want))
        printf("#   got  %.*s\n#   want %.*s\n", LL_FMT(got), LL_FMT(want));
}

T_CASE(the_source_is_a_urn)
{
    struct ll_jv root = ll_json_root(&vectors);
    ll_usage_doc_source(
        &source, text_of(root, "origin"), text_of(root, "community"));
    compare(ll_buf_view(&source), text_of(root, "source"));
}

static void
write_all(enum ll_usage_format format, uint32_t count, struct ll_buf *out)
{
    struct ll_usage_doc e = {
        .out = out, .format = format, .source = ll_buf_view(&source)};
    ll_buf_clear(out);
    ll_usage_doc_begin(&e);
    for (uint32_t i = 0; i < count; i++)
        ll_usage_doc_add(&e, &records[i]);
    ll_usage_doc_end(&e);
    T_INT(e.count, count);
    T_OK(!out->failed);
}

/* Byte for byte, in every format, with records and without. */
T_CASE(documents_are_those_of_the_vectors)
{
    struct ll_jv root = ll_json_root(&vectors);
    struct ll_buf out;
    uint32_t seen = 0;
    ll_buf_init(&out, &mem, OUT_BYTES_MAX);
    LL_JSON_MEMBERS (name, want, ll_jv_get(root, "documents")) {
        enum ll_usage_format format;
        T_OK(ll_usage_format_read(ll_jv_str(name), &format));
        T_STR(ll_jv_str(name), ll_usage_doc_word(format));
        write_all(format, record_count, &out);
        compare(ll_buf_view(&out), ll_jv_str(want));
        write_all(format, 0, &out);
        compare(ll_buf_view(&out), ll_jv_str(ll_jv_get(ll_jv_get(root, "empty"),
                                       ll_usage_doc_word(format))));
        seen |= 1u << format;
    }
    T_INT(seen, (1u << (LL_EXPORT_LAGO + 1)) - 1);
    ll_buf_fini(&out);
}

/* A call has several records: neither the call nor the number says which. */
T_CASE(ids_tell_records_apart)
{
    char a[LL_EXPORT_ID_BYTES], b[LL_EXPORT_ID_BYTES], c[LL_EXPORT_ID_BYTES];
    struct ll_usage other = records[0].usage;
    other.call_low++; /* the same number, after a restore of an older copy */
    ll_usage_doc_id(&records[0].usage, records[0].lsn, a);
    ll_usage_doc_id(&records[1].usage, records[1].lsn, b);
    ll_usage_doc_id(&other, records[0].lsn, c);
    T_STR(ll_cstr(a), "01020304050607081112131415161718-1");
    T_OK(strcmp(a, b) != 0);
    T_OK(strcmp(a, c) != 0);
    other.call_high = UINT64_MAX;
    ll_usage_doc_id(&other, UINT64_MAX, a);
    T_INT(strlen(a), LL_EXPORT_ID_BYTES - 1);
}

T_CASE(what_a_request_may_have)
{
    enum ll_usage_format format;
    T_OK(!ll_usage_format_read(LINLI_STR("xml"), &format));
    T_OK(!ll_usage_format_read(LINLI_STR(""), &format));
    T_INT(ll_usage_doc_most(LL_EXPORT_LAGO), 100);
    T_STR(ll_cstr(ll_usage_doc_media(LL_EXPORT_OPENMETER)),
        "application/cloudevents-batch+json");
}

int
main(void)
{
    ll_mem_init(&mem, 0);
    T_RUN(reads_the_vectors)
    T_RUN(the_source_is_a_urn)
    T_RUN(documents_are_those_of_the_vectors)
    T_RUN(ids_tell_records_apart)
    T_RUN(what_a_request_may_have)
    ll_buf_fini(&source);
    ll_json_fini(&vectors);
    T_OK(mem.used_bytes == 0);
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0 || t_failed_checks > 0;
}
