/* tests/unit/test_views.c: what an operator is told of usage and alerts: the
 * answers of server/usage.c and server/alerts.c over a real store. */
#include <stdarg.h>

#include "server/face.h"
#include "server/view.h"
#include "store_fixture.h"

#define SLOT INT64_C(900000)
#define DAY INT64_C(1772409600000) /* 2026-03-02T00:00:00Z */

struct bench {
    struct fixture f;
    struct ll_host *host;
    struct ll_face face;
    struct change change;
};

static void
bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    fixture_init(&b->f, true);
    T_INT(fixture_open(&b->f), LINLI_OK);
    b->host = calloc(1, sizeof *b->host);
    ll_mem_init(&b->host->mem, 0);
    b->host->world = b->f.world;
    b->host->store = b->f.store;
    T_INT(ll_docs_open(
              &b->host->docs, &b->host->mem, b->f.world, b->f.store, &b->f.err),
        LINLI_OK);
    T_INT(ll_billing_open(&b->host->billing, &b->host->mem, &b->host->docs,
              b->f.world, &b->f.err),
        LINLI_OK);
    b->face.host = b->host;
    ll_buf_init(&b->face.out, &b->host->mem, LL_HTTP_RESPONSE_BYTES_MAX);
    change_init(&b->change, &b->f);
}

static void
bench_fini(struct bench *b)
{
    ll_buf_fini(&b->face.out);
    ll_commit_fini(&b->change.commit);
    ll_docs_stop(&b->host->docs);
    ll_store_close(&b->f.store);
    ll_billing_close(&b->host->billing);
    ll_docs_close(&b->host->docs);
    T_INT(b->host->mem.used_bytes, 0);
    free(b->host);
    fixture_fini(&b->f);
}

/* -- asking -- */

struct ask {
    struct ll_request request;
    struct ll_mem mem;
    struct ll_buf body;
    struct ll_json json;
    int status, answers;
};

static void
on_answer(struct ll_request *request, const struct ll_response *response)
{
    struct ask *ask = LL_CONTAINER(request, struct ask, request);
    ask->answers++;
    ask->status = response->status;
    ll_buf_clear(&ask->body);
    ll_buf_str(&ask->body, response->body);
}

/* Begins GET PATH?QUERY of community "c"; false if it is nobody's. */
static bool
begin(struct bench *b, struct ask *ask, const char *rest, const char *query)
{
    memset(ask, 0, sizeof *ask);
    ll_mem_init(&ask->mem, 0);
    ll_buf_init(&ask->body, &ask->mem, LL_HTTP_RESPONSE_BYTES_MAX);
    ll_json_init(&ask->json, &ask->mem);
    ask->request = (struct ll_request){.method = LINLI_STR("GET"),
        .path = LINLI_STR("/v1/c/c/admin/x"),
        .query = ll_cstr(query),
        .respond = on_answer};
    return ll_view_handle(
        &b->face, &ask->request, LINLI_STR("c"), ll_cstr(rest));
}

static struct ll_jv
get(struct bench *b, struct ask *ask, const char *rest, const char *query)
{
    T_OK(begin(b, ask, rest, query));
    while (ask->answers == 0)
        ll_world_turn(b->f.world, true);
    T_INT(ask->answers, 1);
    T_OK(b->face.views == NULL);
    bool read = ll_json_parse(&ask->json, ll_buf_view(&ask->body),
                    LL_JSON_DEPTH_MAX, NULL) == LINLI_OK;
    T_OK(read);
    return ll_json_root(&ask->json);
}

static void
ask_fini(struct ask *ask)
{
    ll_json_fini(&ask->json);
    ll_buf_fini(&ask->body);
    T_INT(ask->mem.used_bytes, 0);
}

/* The status and code of a refusal; 200 and "" of an answer. */
static void
refused(struct bench *b, const char *rest, const char *query, int status,
    const char *code)
{
    struct ask ask;
    struct ll_jv root = get(b, &ask, rest, query);
    T_INT(ask.status, status);
    T_STR(ll_jv_str(ll_jv_get(root, "code")), code);
    ask_fini(&ask);
}

static int64_t
int_of(struct ll_jv v, const char *name)
{
    int64_t i = -1;
    T_OK(ll_jv_int(ll_jv_get(v, name), &i));
    return i;
}

static linli_str
str_of(struct ll_jv v, const char *name)
{
    return ll_jv_str(ll_jv_get(v, name));
}

static struct ll_jv
item(struct ll_jv root, const char *list, uint32_t index)
{
    struct ll_jv at = ll_jv_first(ll_jv_get(root, list));
    T_OK(index < ll_jv_count(ll_jv_get(root, list)));
    for (uint32_t i = 0; i < index; i++)
        at = ll_jv_after(at);
    return at;
}

/* -- what is there -- */

static void
put_space(
    struct bench *b, int64_t id, const char *community, const char *plugin)
{
    struct ll_buf *ops = &b->change.commit.ops;
    ll_commit_op(&b->change.commit, LL_ST_space_put);
    ll_put_int(ops, id);
    put_cstr(ops, community);
    put_cstr(ops, plugin);
}

static void
put_series(struct bench *b, int64_t id, int64_t space, const char *meter)
{
    struct ll_buf *ops = &b->change.commit.ops;
    ll_commit_op(&b->change.commit, LL_ST_series_put);
    ll_put_int(ops, id);
    ll_put_int(ops, space);
    put_cstr(ops, meter);
    ll_put_int(ops, 0);
    ll_put_int(ops, 0);
}

static void
add(struct bench *b, uint32_t series, int64_t at_ms, int64_t quantity)
{
    struct ll_usage usage = {.call_high = 0xab,
        .call_low = 0xcd,
        .at_ms = at_ms,
        .quantity = quantity,
        .series = series,
        .cpu_us = 12};
    ll_commit_usage(&b->change.commit, &usage);
}

static void
make(struct bench *b)
{
    T_OK(change_make(&b->change, &b->f));
}

/* Two plugins of c with three meters, and one of another community. */
static void
fill(struct bench *b)
{
    put_space(b, 1, "c", "parking");
    put_space(b, 2, "c", "shop");
    put_space(b, 3, "other", "parking");
    put_series(b, 1, 1, "parking.session");
    put_series(b, 2, 1, "parking.gmv_fen");
    put_series(b, 3, 2, "shop.order");
    put_series(b, 4, 3, "parking.session");
    for (int i = 0; i < 4; i++) {
        add(b, 1, DAY + i * SLOT + 5, LL_USAGE_UNIT);
        add(b, 2, DAY + i * SLOT + 5, 1500000);
        add(b, 4, DAY + i * SLOT + 5, 77);
        add(b, 1, DAY + i * SLOT + 6, LL_USAGE_UNIT);
        make(b);
    }
    add(b, 3, DAY, -500000);
    make(b);
}

T_CASE(lists_buckets_and_totals)
{
    struct bench b;
    struct ask ask;
    bench_init(&b);
    struct ll_jv root = get(&b, &ask, "/usage", "");
    T_STR(ll_buf_view(&ask.body),
        "{\"items\":[],\"totals\":[],\"next_cursor\":null}");
    ask_fini(&ask);
    fill(&b);
    root = get(&b, &ask, "/usage", "");
    T_INT(ask.status, 200);
    T_INT(ll_jv_count(ll_jv_get(root, "items")), 9);
    struct ll_jv first = item(root, "items", 0);
    T_STR(str_of(first, "slot"), "2026-03-02T00:00:00.000Z");
    T_STR(str_of(first, "plugin"), "parking");
    T_STR(str_of(first, "meter"), "parking.session");
    T_STR(str_of(first, "quantity"), "2");
    T_INT(int_of(first, "count"), 2);
    T_INT(int_of(first, "first_lsn"), 1);
    T_INT(int_of(first, "last_lsn"), 4);
    T_OK(ll_jv_is(ll_jv_get(root, "next_cursor"), LL_JSON_NULL));
    T_INT(ll_jv_count(ll_jv_get(root, "totals")), 3);
    T_STR(str_of(item(root, "totals", 0), "quantity"), "8");
    T_INT(int_of(item(root, "totals", 0), "count"), 8);
    T_STR(str_of(item(root, "totals", 1), "quantity"), "6");
    T_STR(str_of(item(root, "totals", 2), "meter"), "shop.order");
    T_STR(str_of(item(root, "totals", 2), "quantity"), "-0.5");
    ask_fini(&ask);
    bench_fini(&b);
}

static const struct {
    const char *query;
    uint32_t items, totals;
} filters[] = {
    {"plugin=shop", 1, 1},
    {"plugin=nobody", 0, 0},
    {"plugin=", 0, 0},
    {"meter=parking.session", 4, 1},
    {"meter=parking%2Esession&plugin=parking", 4, 1},
    {"meter=parking.session&plugin=shop", 0, 0},
    {"from=1772409600000", 9, 3},
    {"from=1772409600001", 6, 2},
    {"from=2026-03-02T08:15:00%2B08:00&to=2026-03-02T08:45:00+08:00", 4, 2},
    {"to=1772409600000", 0, 0},
    {"limit=2", 2, 3},
    {"limit=9", 9, 3},
    {"", 9, 3},
    {"&limit=1&", 1, 3},
};

T_CASE(filters_usage)
{
    struct bench b;
    bench_init(&b);
    fill(&b);
    for (size_t i = 0; i < LL_COUNT(filters); i++) {
        struct ask ask;
        struct ll_jv root = get(&b, &ask, "/usage", filters[i].query);
        T_INT(ask.status, 200);
        T_INT(ll_jv_count(ll_jv_get(root, "items")), filters[i].items);
        T_INT(ll_jv_count(ll_jv_get(root, "totals")), filters[i].totals);
        ask_fini(&ask);
    }
    bench_fini(&b);
}

/* Each bucket once, whatever the size of the page; totals on the first. */
T_CASE(pages_usage)
{
    struct bench b;
    bench_init(&b);
    fill(&b);
    for (int limit = 1; limit <= 10; limit++) {
        char query[64], cursor[24] = "";
        int64_t last = 0;
        uint32_t items = 0, pages = 0;
        do {
            struct ask ask;
            snprintf(query, sizeof query, "limit=%d%s%s", limit,
                cursor[0] == '\0' ? "" : "&cursor=", cursor);
            struct ll_jv root = get(&b, &ask, "/usage", query);
            T_INT(ll_jv_there(ll_jv_get(root, "totals")), pages == 0);
            LL_JSON_EACH (bucket, ll_jv_get(root, "items")) {
                T_OK(int_of(bucket, "bucket") > last);
                last = int_of(bucket, "bucket");
                items++;
            }
            linli_str next = str_of(root, "next_cursor");
            snprintf(cursor, sizeof cursor, "%.*s", LL_FMT(next));
            ask_fini(&ask);
            pages++;
        } while (cursor[0] != '\0' && pages < 20);
        T_INT(items, 9);
        T_INT(pages, (9 + limit - 1) / limit);
    }
    bench_fini(&b);
}

/* More buckets than one page of the store has. */
T_CASE(walks_many_pages)
{
    struct bench b;
    struct ask ask;
    bench_init(&b);
    put_space(&b, 1, "c", "parking");
    put_series(&b, 1, 1, "parking.session");
    for (int i = 0; i < 3500; i++)
        add(&b, 1, DAY + i * SLOT, LL_USAGE_UNIT / 2);
    make(&b);
    struct ll_jv root = get(&b, &ask, "/usage", "limit=1000");
    T_INT(ll_jv_count(ll_jv_get(root, "items")), 1000);
    T_STR(str_of(item(root, "totals", 0), "quantity"), "1750");
    T_INT(int_of(item(root, "totals", 0), "count"), 3500);
    ask_fini(&ask);
    bench_fini(&b);
}

T_CASE(refuses_a_sum_that_leaves_64_bits)
{
    struct bench b;
    bench_init(&b);
    put_space(&b, 1, "c", "parking");
    put_series(&b, 1, 1, "parking.session");
    for (int i = 0; i < 4; i++)
        add(&b, 1, DAY + i * SLOT, INT64_C(3000000000000000000));
    make(&b);
    refused(&b, "/usage", "", 422, "request/invalid");
    refused(&b, "/usage", "to=2026-03-02T00:30:00Z", 200, "");
    bench_fini(&b);
}

/* -- records -- */

T_CASE(shows_the_records_behind_a_bucket)
{
    struct bench b;
    struct ask ask;
    bench_init(&b);
    fill(&b);
    struct ll_jv root = get(&b, &ask, "/usage/1/records", "");
    T_INT(ask.status, 200);
    T_STR(ll_buf_view(&ask.body),
        "{\"items\":["
        "{\"lsn\":1,\"call_id\":\"00000000000000ab00000000000000cd\","
        "\"at\":\"2026-03-02T00:00:00.005Z\",\"plugin\":\"parking\","
        "\"meter\":\"parking.session\",\"quantity\":\"1\",\"cpu_us\":12},"
        "{\"lsn\":4,\"call_id\":\"00000000000000ab00000000000000cd\","
        "\"at\":\"2026-03-02T00:00:00.006Z\",\"plugin\":\"parking\","
        "\"meter\":\"parking.session\",\"quantity\":\"1\",\"cpu_us\":12}],"
        "\"next_cursor\":null}");
    ask_fini(&ask);
    root = get(&b, &ask, "/usage/1/records", "limit=1");
    T_INT(ll_jv_count(ll_jv_get(root, "items")), 1);
    T_STR(str_of(root, "next_cursor"), "1");
    ask_fini(&ask);
    root = get(&b, &ask, "/usage/1/records", "limit=1&cursor=1");
    T_INT(int_of(item(root, "items", 0), "lsn"), 4);
    T_OK(ll_jv_is(ll_jv_get(root, "next_cursor"), LL_JSON_NULL));
    ask_fini(&ask);
    root = get(&b, &ask, "/usage/1/records", "cursor=4");
    T_INT(ll_jv_count(ll_jv_get(root, "items")), 0);
    ask_fini(&ask);
    bench_fini(&b);
}

/* Whatever the records of a bucket are, they are what it says. */
T_CASE(records_sum_up_to_their_bucket)
{
    struct bench b;
    struct ask ask, records;
    bench_init(&b);
    fill(&b);
    add(&b, 1, DAY, 250000); /* late, into the first */
    struct ll_usage custom = {
        .at_ms = DAY, .series = 1, .event_hash = 0xfeed, .quantity = 1};
    ll_commit_usage(&b.change.commit, &custom);
    make(&b);
    struct ll_jv root = get(&b, &ask, "/usage", "");
    LL_JSON_EACH (bucket, ll_jv_get(root, "items")) {
        char path[64], text[32];
        int64_t sum = 0, quantity = 0, count = 0;
        snprintf(path, sizeof path, "/usage/%d/records",
            (int)int_of(bucket, "bucket"));
        struct ll_jv all = get(&b, &records, path, "");
        LL_JSON_EACH (record, ll_jv_get(all, "items")) {
            T_OK(ll_usage_read(str_of(record, "quantity"), &quantity));
            sum += quantity;
            count++;
        }
        T_INT(count, int_of(bucket, "count"));
        (void)ll_usage_text(sum, text);
        T_STR(str_of(bucket, "quantity"), text);
        ask_fini(&records);
    }
    ask_fini(&ask);
    root = get(&b, &ask, "/usage/1/records", "");
    T_STR(str_of(item(root, "items", 3), "event_hash"), "000000000000feed");
    ask_fini(&ask);
    bench_fini(&b);
}

/* -- alerts -- */

static void
put_alert(struct bench *b, int64_t id, const char *kind, const char *subject)
{
    struct ll_buf *ops = &b->change.commit.ops;
    ll_commit_op(&b->change.commit, LL_ST_alert_put);
    ll_put_int(ops, id);
    put_cstr(ops, id % 10 == 9 ? "other" : "c");
    put_cstr(ops, kind);
    put_cstr(ops, "parking");
    ll_put_int(ops, DAY + id);
    if (subject[0] == '\0')
        ll_put_nil(ops);
    else
        put_cstr(ops, subject);
    put_cstr(ops, "00112233445566778899aabbccddeeff");
    put_cstr(ops, id % 2 == 0 ? "open" : "closed");
    ll_put_sealed(ops, 1, ll_cstr(subject), LINLI_STR("{\"n\":1}"));
}

T_CASE(lists_alerts_newest_first)
{
    struct bench b;
    struct ask ask;
    bench_init(&b);
    put_space(&b, 1, "c", "parking");
    for (int id = 1; id <= 9; id++)
        put_alert(&b, id, id < 5 ? "parking.anomaly" : "parking.fire",
            id == 8 ? "0123456789abcdef0123456789abcdef" : "");
    make(&b);
    struct ll_jv root = get(&b, &ask, "/alerts", "limit=1");
    T_STR(ll_buf_view(&ask.body),
        "{\"items\":[{\"id\":8,\"kind\":\"parking.fire\","
        "\"plugin\":\"parking\",\"at\":\"2026-03-02T00:00:00.008Z\","
        "\"subject\":\"0123456789abcdef0123456789abcdef\","
        "\"trace_id\":\"00112233445566778899aabbccddeeff\","
        "\"state\":\"open\",\"data\":{\"n\":1},\"closed_at\":null,"
        "\"closed_by\":null,\"reason\":null}],\"next_cursor\":\"8\"}");
    ask_fini(&ask);
    root = get(&b, &ask, "/alerts", "cursor=8&limit=7");
    T_INT(ll_jv_count(ll_jv_get(root, "items")), 7);
    T_OK(ll_jv_is(ll_jv_get(item(root, "items", 0), "subject"), LL_JSON_NULL));
    T_OK(ll_jv_is(ll_jv_get(root, "next_cursor"), LL_JSON_NULL));
    ask_fini(&ask);
    root = get(&b, &ask, "/alerts", "kind=parking.anomaly&state=open");
    T_INT(ll_jv_count(ll_jv_get(root, "items")), 2);
    ask_fini(&ask);
    /* Who has been forgotten: the alert is there, what it said is not. */
    ll_commit_op(&b.change.commit, LL_ST_subject_shred);
    ll_put_int(&b.change.commit.ops, 1);
    put_cstr(&b.change.commit.ops, "0123456789abcdef0123456789abcdef");
    make(&b);
    root = get(&b, &ask, "/alerts", "limit=1");
    T_INT(int_of(item(root, "items", 0), "id"), 8);
    T_OK(ll_jv_is(ll_jv_get(item(root, "items", 0), "data"), LL_JSON_NULL));
    ask_fini(&ask);
    bench_fini(&b);
}

/* -- reconcile -- */

T_CASE(reconciles_one_at_a_time)
{
    struct bench b;
    struct ask one, two;
    bench_init(&b);
    fill(&b);
    T_OK(begin(&b, &one, "/reconcile", ""));
    T_OK(begin(&b, &two, "/reconcile", ""));
    T_INT(two.answers, 1);
    T_INT(two.status, 503);
    while (one.answers == 0)
        ll_world_turn(b.f.world, true);
    T_STR(ll_buf_view(&one.body),
        "{\"ok\":true,\"segments\":5,\"records\":17,\"buckets\":13,"
        "\"bills\":0,\"invoices\":0,\"rated_again\":0,\"settlements\":0,"
        "\"unbilled\":0,\"stranded\":[],\"breaks\":[]}");
    ask_fini(&one);
    ask_fini(&two);
    refused(&b, "/reconcile", "", 200, "");
    bench_fini(&b);
}

/* -- refusals -- */

static const struct {
    const char *rest, *query;
    int status;
    const char *code;
} bad[] = {
    {"/usage", "plugins=a", 422, "request/invalid"},
    {"/usage", "plugin", 422, "request/invalid"},
    {"/usage", "plugin=a&plugin=a", 422, "request/invalid"},
    {"/usage", "plugin=%zz", 422, "request/invalid"},
    {"/usage", "plugin=%ff", 422, "request/invalid"},
    {"/usage", "from=monday", 422, "request/invalid"},
    {"/usage", "to=", 422, "request/invalid"},
    {"/usage", "limit=0", 422, "request/invalid"},
    {"/usage", "limit=1001", 422, "request/invalid"},
    {"/usage", "limit=", 422, "request/invalid"},
    {"/usage", "cursor=0", 400, "request/cursor"},
    {"/usage", "cursor=x", 400, "request/cursor"},
    {"/usage", "cursor=", 400, "request/cursor"},
    {"/usage", "cursor=99999999999999999999", 400, "request/cursor"},
    {"/usage/99/records", "", 404, "request/not-found"},
    {"/usage/3/records", "", 404, "request/not-found"}, /* of another */
    {"/usage/1/records", "plugin=a", 422, "request/invalid"},
    {"/usage/1/records", "cursor=x", 400, "request/cursor"},
    {"/alerts", "plugin=a", 422, "request/invalid"},
    {"/alerts", "cursor=-1", 400, "request/cursor"},
};

T_CASE(refuses_what_it_does_not_know)
{
    struct bench b;
    struct ask ask;
    bench_init(&b);
    fill(&b);
    for (size_t i = 0; i < LL_COUNT(bad); i++)
        refused(&b, bad[i].rest, bad[i].query, bad[i].status, bad[i].code);
    for (const char *const *rest =
             (const char *const[]){"/usages", "/usage/", "/usage/1",
                 "/usage/x/records", "/usage/1/records/", "/alert", NULL};
         *rest != NULL; rest++) {
        T_OK(!begin(&b, &ask, *rest, ""));
        T_INT(ask.answers, 0);
    }
    b.host->draining = true;
    refused(&b, "/usage", "", 503, "runtime/draining");
    b.host->draining = false;
    bench_fini(&b);
}

T_CASE(a_face_that_goes_answers_what_is_open)
{
    static const char *const paths[] = {
        "/usage", "/usage/1/records", "/alerts", "/reconcile"};
    struct bench b;
    struct ask asks[LL_COUNT(paths)];
    bench_init(&b);
    fill(&b);
    for (int turns = 0; turns < 3; turns++) {
        for (size_t i = 0; i < LL_COUNT(paths); i++)
            T_OK(begin(&b, &asks[i], paths[i], ""));
        for (int i = 0; i < turns; i++)
            ll_world_turn(b.f.world, false);
        ll_view_end_all(&b.face);
        T_OK(b.face.views == NULL);
        for (size_t i = 0; i < LL_COUNT(paths); i++) {
            T_INT(asks[i].answers, 1);
            T_OK(asks[i].status == 200 || asks[i].status == 503);
            ask_fini(&asks[i]);
        }
    }
    bench_fini(&b);
}

T_CASE(each_allocation_may_fail)
{
    static const char *const paths[] = {
        "/usage", "/usage/1/records", "/alerts", "/reconcile"};
    struct bench b;
    bench_init(&b);
    fill(&b);
    put_alert(&b, 2, "parking.fire", "");
    make(&b);
    for (size_t i = 0; i < LL_COUNT(paths); i++) {
        int failures = 0;
        bool more = true;
        for (uint64_t n = 1; more && n < 200; n++) {
            struct ask ask;
            b.host->mem.fail_in = n;
            (void)get(&b, &ask, paths[i], "");
            more = ask.status != 200 || b.host->mem.fail_in == 0;
            T_OK(ask.status == 200 || ask.status == 503 || ask.status == 500);
            failures += more;
            ask_fini(&ask);
        }
        b.host->mem.fail_in = 0;
        printf("# %s: %d allocations failed\n", paths[i], failures);
        T_OK(failures > 2 && failures < 199);
    }
    bench_fini(&b);
}

T_MAIN(T_RUN(lists_buckets_and_totals) T_RUN(filters_usage) T_RUN(pages_usage)
        T_RUN(walks_many_pages) T_RUN(refuses_a_sum_that_leaves_64_bits)
            T_RUN(shows_the_records_behind_a_bucket) T_RUN(
                records_sum_up_to_their_bucket) T_RUN(lists_alerts_newest_first)
                T_RUN(reconciles_one_at_a_time)
                    T_RUN(refuses_what_it_does_not_know)
                        T_RUN(a_face_that_goes_answers_what_is_open)
                            T_RUN(each_allocation_may_fail))
