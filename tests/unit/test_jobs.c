/* tests/unit/test_jobs.c: the pages of jobs over queues whose plugins do not
 * serve: the order of spaces and collections, the runtime's own errands, and
 * a face that goes meanwhile. */
#include "base/text.h"
#include "data/put.h"
#include "host/host.h"
#include "host/queue.h"
#include "host_fixture.h"
#include "server/act.h"

/* What linli/host.h hides. */
struct linli_host {
    struct ll_host *host;
};

struct bench {
    linli_host *outer;
    struct ll_host *host;
    struct ll_face face;
};

static void
bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    b->outer = host_new("");
    b->host = b->outer->host;
    b->face.host = b->host;
    ll_buf_init(&b->face.out, &b->host->mem, LL_HTTP_RESPONSE_BYTES_MAX);
}

static void
bench_fini(struct bench *b)
{
    T_OK(b->face.views == NULL);
    ll_buf_fini(&b->face.out);
    linli_host_free(&b->outer);
}

/* A document of a queue, as its owner would write it. */
static void
put(struct bench *b, const char *plugin, const char *coll_name, const char *id,
    const char *rest)
{
    struct ll_space *space =
        ll_docs_space(&b->host->docs, LINLI_STR("c"), ll_cstr(plugin));
    struct ll_coll *coll = ll_space_coll(space, ll_cstr(coll_name));
    struct ll_buf text;
    T_OK(ll_queue_index(coll) != NULL);
    struct ll_doc *doc = ll_docs_make(coll, ll_cstr(id));
    ll_buf_init(&text, &b->host->mem, 4096);
    ll_buf_printf(&text, "{\"id\":\"%s\",%s}", id, rest);
    T_OK(ll_docs_put_now(&b->host->docs, doc, &text, 1) != 0);
    ll_buf_fini(&text);
    ll_doc_unref(&doc);
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
on_asked(struct ll_request *request, const struct ll_response *response)
{
    struct ask *ask = LL_CONTAINER(request, struct ask, request);
    ask->answers++;
    ask->status = response->status;
    ll_buf_clear(&ask->body);
    ll_buf_str(&ask->body, response->body);
}

static void
begin(struct bench *b, struct ask *ask, const char *rest, const char *query)
{
    memset(ask, 0, sizeof *ask);
    ll_mem_init(&ask->mem, 0);
    ll_buf_init(&ask->body, &ask->mem, LL_HTTP_RESPONSE_BYTES_MAX);
    ll_json_init(&ask->json, &ask->mem);
    ask->request = (struct ll_request){.method = LINLI_STR("GET"),
        .path = LINLI_STR("/v1/c/c/admin/jobs"),
        .query = ll_cstr(query),
        .respond = on_asked};
    T_OK(
        ll_jobs_handle(&b->face, &ask->request, LINLI_STR("c"), ll_cstr(rest)));
}

static struct ll_jv
get(struct bench *b, struct ask *ask, const char *rest, const char *query)
{
    begin(b, ask, rest, query);
    while (ask->answers == 0)
        ll_world_turn(b->host->world, true);
    T_INT(ask->answers, 1);
    T_INT(ll_json_parse(
              &ask->json, ll_buf_view(&ask->body), LL_JSON_DEPTH_MAX, NULL),
        LINLI_OK);
    return ll_json_root(&ask->json);
}

static void
ask_fini(struct ask *ask)
{
    ll_json_fini(&ask->json);
    ll_buf_fini(&ask->body);
    T_INT(ask->mem.used_bytes, 0);
}

/* "plugin/id" of all items, page after page of `limit`. */
static void
walk(struct bench *b, const char *query, int limit, char out[1024])
{
    char cursor[512] = "", line[768];
    size_t n = 0;
    out[0] = '\0';
    for (int page = 0; page < 64; page++) {
        struct ask ask;
        snprintf(line, sizeof line, "limit=%d%s%s", limit, query, cursor);
        struct ll_jv root = get(b, &ask, "/jobs", line);
        T_INT(ask.status, 200);
        T_OK(ll_jv_count(ll_jv_get(root, "items")) <= (uint32_t)limit);
        LL_JSON_EACH (item, ll_jv_get(root, "items")) {
            linli_str plugin = ll_jv_str(ll_jv_get(item, "plugin"));
            linli_str id = ll_jv_str(ll_jv_get(item, "id"));
            n += (size_t)snprintf(
                out + n, 1024 - n, "%.*s/%.*s ", LL_FMT(plugin), LL_FMT(id));
        }
        linli_str next = ll_jv_str(ll_jv_get(root, "next_cursor"));
        snprintf(cursor, sizeof cursor, "&cursor=%.*s", LL_FMT(next));
        bool last = next.len == 0;
        ask_fini(&ask);
        if (last)
            return;
    }
    t_fail(query, __LINE__, "the list has no end");
}

/* Two plugins and the community itself, made in another order than that of
 * their names; one has errands alone. */
static void
fill(struct bench *b)
{
    put(b, "post", "~work", "t1",
        "\"kind\":\"timer\",\"run\":\"r\",\"at\":5,\"due\":7,\"seq\":1");
    put(b, "post", "~work", "t2",
        "\"kind\":\"timer\",\"run\":\"r\",\"at\":5,\"due\":6,\"seq\":2");
    put(b, "post", "~work", "t3",
        "\"kind\":\"timer\",\"run\":\"r\",\"at\":5,\"seq\":4,\"attempts\":10");
    put(b, "post", "~errand", "e1",
        "\"kind\":\"fetch\",\"at\":5,\"due\":9,\"seq\":3,\"with\":{\"u\":1}");
    put(b, "alms", "~errand", "e2",
        "\"kind\":\"fetch\",\"at\":5,\"dead_at\":8,\"seq\":5,\"attempts\":3,"
        "\"code\":\"egress/refused\"");
    put(b, "~", "~errand", "e3",
        "\"kind\":\"webhook\",\"at\":5,\"due\":9,\"seq\":6");
}

T_CASE(walks_all_queues)
{
    struct bench b;
    char all[1024], paged[1024];
    bench_init(&b);
    walk(&b, "", 7, all);
    T_STR(ll_cstr(all), "");
    fill(&b);
    walk(&b, "", 100, all);
    T_STR(ll_cstr(all), "post/t3 post/t2 post/t1 post/e1 alms/e2 -/e3 ");
    for (int limit = 1; limit <= 7; limit++) {
        walk(&b, "", limit, paged);
        T_STR(ll_cstr(paged), all);
    }
    walk(&b, "&state=dead", 1, all);
    T_STR(ll_cstr(all), "post/t3 alms/e2 ");
    walk(&b, "&state=waiting&kind=errand", 1, all);
    T_STR(ll_cstr(all), "post/e1 -/e3 ");
    walk(&b, "&plugin=-", 1, all);
    T_STR(ll_cstr(all), "-/e3 ");
    walk(&b, "&state=running", 1, all);
    T_STR(ll_cstr(all), "");
    bench_fini(&b);
}

T_CASE(shows_one)
{
    struct bench b;
    struct ask ask;
    bench_init(&b);
    fill(&b);
    (void)get(&b, &ask, "/jobs/post/e1", "");
    T_STR(ll_buf_view(&ask.body),
        "{\"id\":\"e1\",\"plugin\":\"post\",\"kind\":\"errand\","
        "\"run\":\"fetch\",\"state\":\"waiting\","
        "\"at\":\"1970-01-01T00:00:00.005Z\","
        "\"due\":\"1970-01-01T00:00:00.009Z\",\"dead_at\":null,"
        "\"attempts\":0,\"code\":null,\"subject\":null,\"with\":{\"u\":1}}");
    ask_fini(&ask);
    struct ll_jv root = get(&b, &ask, "/jobs/-/e3", "");
    T_STR(ll_jv_str(ll_jv_get(root, "run")), "webhook");
    ask_fini(&ask);
    (void)get(&b, &ask, "/jobs/alms/e1", "");
    T_INT(ask.status, 404);
    ask_fini(&ask);
    /* The space's own name is none of a path's. */
    (void)get(&b, &ask, "/jobs/~/e3", "");
    T_INT(ask.status, 404);
    ask_fini(&ask);
    bench_fini(&b);
}

/* More than one look: a filter that finds little ends a page early. */
T_CASE(a_page_looks_at_so_many)
{
    struct bench b;
    struct ask ask;
    char id[16], found[1024];
    bench_init(&b);
    for (int i = 0; i < LL_JOBS_LOOKED_MAX + 50; i++) {
        snprintf(id, sizeof id, "t%04d", i);
        put(&b, "post", "~work", id,
            i == LL_JOBS_LOOKED_MAX + 20
                ? "\"kind\":\"job\",\"at\":5,\"due\":7,\"seq\":1"
                : "\"kind\":\"timer\",\"at\":5,\"due\":7,\"seq\":1");
    }
    struct ll_jv root = get(&b, &ask, "/jobs", "kind=job");
    T_INT(ll_jv_count(ll_jv_get(root, "items")), 0);
    T_OK(ll_jv_is(ll_jv_get(root, "next_cursor"), LL_JSON_STRING));
    ask_fini(&ask);
    walk(&b, "&kind=job", 5, found);
    T_STR(ll_cstr(found), "post/t1020 ");
    bench_fini(&b);
}

/* Who asked is told, and nothing of the scan is left. */
T_CASE(a_face_that_goes)
{
    struct bench b;
    struct ask list, show;
    bench_init(&b);
    fill(&b);
    begin(&b, &list, "/jobs", "");
    begin(&b, &show, "/jobs/post/t1", "");
    ll_view_end_all(&b.face);
    T_INT(list.answers, 1);
    T_INT(list.status, 503);
    T_INT(show.answers, 1);
    ask_fini(&list);
    ask_fini(&show);
    bench_fini(&b);
}

int
main(void)
{
    fixture_open();
    T_RUN(walks_all_queues)
    T_RUN(shows_one)
    T_RUN(a_page_looks_at_so_many)
    T_RUN(a_face_that_goes)
    fixture_close();
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
