/* tests/unit/test_seed.c: seeds: whole or not at all, and only once. */
#include "base/text.h"
#include "host/directory.h"
#include "host/host.h"
#include "host/seed.h"
#include "host_fixture.h"

/* What linli/host.h hides. */
struct linli_host {
    struct ll_host *host;
    bool due;
};

struct seeded {
    int times;
    linli_status status;
    struct ll_err err;
    uint32_t documents, plugins;
};

static void
on_seeded(void *user, linli_status status, const struct ll_err *err,
    uint32_t documents, uint32_t plugins)
{
    struct seeded *seeded = user;
    seeded->times++;
    seeded->status = status;
    seeded->documents = documents;
    seeded->plugins = plugins;
    if (err != NULL)
        seeded->err = *err;
}

/* A seed to its end; a refusal counts as one. */
static struct seeded
seed(linli_host *host, const char *json)
{
    struct seeded seeded = {.times = 0};
    linli_status status =
        ll_seed(host->host, cstr(json), on_seeded, &seeded, &seeded.err);
    if (status != LINLI_OK) {
        T_INT(seeded.times, 0);
        seeded.status = status;
        return seeded;
    }
    T_INT(seeded.times, 0); /* never before it returns */
    turn_until(host, &seeded.times);
    return seeded;
}

static linli_host *
host_at(const char *folder)
{
    static char path[PATH_MAX];
    linli_host_options options = host_options("");
    linli_error error = {.size = sizeof error};
    linli_host *host = NULL;
    snprintf(path, sizeof path, "%s/%s", fixture_dir, folder);
    options.data_dir = cstr(path);
    if (linli_host_new(&options, &host, &error) != LINLI_OK)
        t_fail(error.code, __LINE__, error.message);
    return host;
}

struct reading {
    struct ll_wait wait;
    int ready;
};

static void
on_ready(struct ll_wait *wait)
{
    LL_CONTAINER(wait, struct reading, wait)->ready = 1;
}

/* The body of a document of the directory; "" if there is none. */
static const char *
body(linli_host *host, const char *community, const char *coll, const char *id)
{
    static char text[2048];
    struct reading reading = {.wait = {.ready = on_ready}};
    struct ll_coll *at = ll_directory_find(host->host, cstr(community), coll);
    text[0] = '\0';
    if (at == NULL)
        return text;
    struct ll_doc *doc = ll_docs_get(at, cstr(id));
    if (!ll_doc_ready(doc, &reading.wait))
        turn_until(host, &reading.ready);
    if (doc->content != NULL)
        snprintf(text, sizeof text, "%.*s", LL_FMT(doc->content->body));
    ll_doc_unref(&doc);
    return text;
}

#define KEY "00112233445566778899aabbccddeeff"
static const char whole[] =
    "{\"communities\":[{\"id\":\"garden\",\"name\":\"花园\","
    "\"zone\":\"Asia/Tokyo\",\"grids\":[\"g1\"]}],"
    "\"households\":[{\"id\":\"h1\",\"community\":\"garden\","
    "\"unit\":\"3-1201\",\"area_m2\":89.5,\"plates\":[\"京A12345\"]}],"
    "\"residents\":[{\"id\":\"wang\",\"community\":\"garden\","
    "\"household\":\"h1\",\"name\":\"王阿姨\",\"elder\":true,"
    "\"fields\":{\"phone\":\"13800000000\"}},"
    "{\"id\":\"li\",\"community\":\"garden\"}],"
    "\"staff\":[{\"id\":\"s1\",\"community\":\"garden\",\"role\":\"guard\","
    "\"on_duty\":true}],"
    "\"guardians\":[{\"ward\":\"wang\",\"guardian\":\"li\",\"priority\":1}],"
    "\"devices\":[{\"id\":\"gate1\",\"community\":\"garden\","
    "\"plugin\":\"parking\",\"kind\":\"gate\",\"key_hex\":\"" KEY "\","
    "\"bound_to\":\"north\"}],"
    "\"spaces\":[{\"id\":\"A-1\",\"community\":\"garden\",\"owner\":\"h1\"}]}";

T_CASE(a_seed_is_stored_and_the_same_one_writes_nothing)
{
    linli_host *host = host_at("stored");
    struct seeded first = seed(host, whole);
    T_INT(first.status, LINLI_OK);
    T_INT(first.documents, 8);
    T_INT(first.plugins, 0);
    T_OK(strstr(body(host, "garden", LL_DIR_RESIDENT, "wang"),
             "\"household\":\"h1\"") != NULL);
    T_OK(strstr(body(host, "garden", LL_DIR_DEVICE, "gate1"),
             "\"key_hex\":\"" KEY "\"") != NULL);
    T_OK(strstr(body(host, "garden", LL_DIR_GUARDIAN, "wang/li"),
             "\"priority\":1") != NULL);
    T_INT(seed(host, whole).documents, 0);
    linli_host_free(&host);
    host = host_at("stored");
    T_OK(ll_host_community(host->host, COMMUNITY) != NULL);
    T_STR(ll_host_community(host->host, COMMUNITY)->zone_name, "Asia/Tokyo");
    T_INT(seed(host, whole).documents, 0);
    T_INT(seed(host, "{\"households\":[{\"id\":\"h1\",\"community\":\"garden\","
                     "\"unit\":\"3-1202\"}]}")
              .documents,
        1);
    linli_host_free(&host);
}

/* What is said of people, and keys, are not to be read off the disk. */
T_CASE(a_seed_is_sealed_in_the_file)
{
    static const char *const secrets[] = {
        KEY, "13800000000", "A12345", "3-1201"};
    static char bytes[1 << 20];
    linli_host *host = host_at("sealed");
    T_INT(seed(host, whole).documents, 8);
    linli_host_free(&host);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/sealed/linli.db", fixture_dir);
    FILE *file = fopen(path, "rbe");
    size_t n = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
    T_OK(n > 0 && fclose(file) == 0);
    T_OK(memmem(bytes, n, "garden", 6) != NULL);
    for (size_t i = 0; i < LL_COUNT(secrets); i++)
        T_OK(memmem(bytes, n, secrets[i], strlen(secrets[i])) == NULL);
}

T_CASE(what_breaks_a_rule_changes_nothing)
{
#define IN(rest) "{\"communities\":[{\"id\":\"garden\"}]," rest "}"
    static const struct {
        const char *json, *code, *where;
    } rows[] = {
        {"{", "request/json", "line 1 column 2"},
        {"[]", "seed/invalid", "/"},
        {"{\"cars\":[]}", "seed/invalid", "/cars"},
        {IN("\"staff\":[{\"id\":\"s\"}]"), "seed/invalid", "/staff/0"},
        {IN("\"staff\":[{\"id\":\"s\",\"community\":\"garden\",\"x\":1}]"),
            "seed/invalid", "/staff/0/x"},
        {IN("\"staff\":[{\"id\":\"s\",\"community\":\"palace\"}]"),
            "seed/invalid", "/staff/0/community"},
        {IN("\"staff\":[{\"id\":\"s\",\"community\":\"garden\"},"
            "{\"id\":\"s\",\"community\":\"garden\"}]"),
            "seed/invalid", "/staff/1"},
        {IN("\"residents\":[{\"id\":\"r\",\"community\":\"garden\","
            "\"household\":\"h\"}]"),
            "seed/invalid", "/residents/0/household"},
        {IN("\"guardians\":[{\"ward\":\"a\",\"guardian\":\"b\"}]"),
            "seed/invalid", "/guardians/0/ward"},
        {IN("\"residents\":[{\"id\":\"a\",\"community\":\"garden\"}],"
            "\"guardians\":[{\"ward\":\"a\",\"guardian\":\"b\"}]"),
            "seed/invalid", "/guardians/0/guardian"},
        {IN("\"spaces\":[{\"id\":\"A\",\"community\":\"garden\","
            "\"owner\":\"x\"}]"),
            "seed/invalid", "/spaces/0/owner"},
        {IN("\"devices\":[{\"id\":\"d\",\"community\":\"garden\","
            "\"plugin\":\"parking\",\"key_hex\":\"0011\"}]"),
            "seed/invalid", "/devices/0/key_hex"},
        {IN("\"plugins\":[{\"path\":\"/x\",\"community\":\"palace\"}]"),
            "seed/invalid", "/plugins/0/community"},
        {"{\"communities\":[{\"id\":\"garden\",\"zone\":\"Mars/Base\"}]}",
            "seed/invalid", "/communities/0/zone"},
    };
    linli_host *host = host_at("refused");
    uint64_t before = ll_store_last(host->host->store);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct seeded seeded = seed(host, rows[i].json);
        T_OK(seeded.status != LINLI_OK);
        T_STR(cstr(seeded.err.code), rows[i].code);
        T_STR(cstr(seeded.err.where), rows[i].where);
        T_OK(ll_host_community(host->host, COMMUNITY) == NULL);
        T_INT(ll_store_last(host->host->store), before);
    }
    linli_host_free(&host);
}

T_CASE(a_zone_stays)
{
    linli_host *host = host_at("zone");
    T_INT(seed(host, whole).documents, 8);
    struct seeded other = seed(host,
        "{\"communities\":[{\"id\":\"garden\",\"zone\":\"Asia/Shanghai\"}]}");
    T_STR(cstr(other.err.code), "seed/invalid");
    T_STR(cstr(other.err.where), "/communities/0/zone");
    /* Without a word of it the present one is meant. */
    T_INT(seed(host, "{\"communities\":[{\"id\":\"garden\","
                     "\"name\":\"花园\",\"grids\":[\"g1\"]}]}")
              .documents,
        0);
    linli_host_free(&host);
}

T_CASE(references_reach_what_is_stored)
{
    linli_host *host = host_at("stored-refs");
    T_INT(seed(host, whole).documents, 8);
    T_INT(
        seed(host, "{\"residents\":[{\"id\":\"zhang\",\"community\":\"garden\","
                   "\"household\":\"h1\"}],\"guardians\":[{\"ward\":\"zhang\","
                   "\"guardian\":\"li\"}],\"spaces\":[{\"id\":\"A-2\","
                   "\"community\":\"garden\",\"owner\":\"wang\"}]}")
            .documents,
        3);
    linli_host_free(&host);
}

T_CASE(plugins_are_enabled_in_order_and_a_failure_names_which)
{
    char json[4 * PATH_MAX];
    linli_host *host = host_at("plugins");
    write_plugin("one", "1.0.0", LUA_ANSWERING("1"));
    snprintf(json, sizeof json,
        "{\"communities\":[{\"id\":\"garden\"}],\"plugins\":["
        "{\"path\":\"%s/one\",\"community\":\"garden\"},"
        "{\"path\":\"%s/none\",\"community\":\"garden\"}]}",
        fixture_dir, fixture_dir);
    struct seeded seeded = seed(host, json);
    T_STR(cstr(seeded.err.code), "package/missing-file");
    T_OK(strncmp(seeded.err.where, "/plugins/1: ", 12) == 0);
    T_INT(seeded.documents, 1);
    T_INT(seeded.plugins, 1);
    struct answer answer;
    T_INT(call(host, "/v1/c/garden/probe/run", &answer), 200);
    linli_host_free(&host);
}

/* Whole or not at all, whichever allocation it is. */
T_CASE(each_allocation_of_a_seed_may_fail)
{
    uint64_t n = 1;
    for (bool more = true; more; n++) {
        linli_host *host = host_new("");
        struct ll_mem *mem = &host->host->mem;
        mem->fail_in = n;
        struct seeded seeded = seed(host, whole);
        more = mem->fail_in == 0;
        mem->fail_in = 0;
        T_INT(seeded.documents, seeded.status == LINLI_OK ? 8 : 0);
        T_INT(seeded.err.code[0] != '\0', seeded.status != LINLI_OK);
        T_INT(seed(host, whole).documents, 8 - seeded.documents);
        linli_host_free(&host);
    }
    printf("# %d allocations\n", (int)n - 2);
    T_OK(n > 50);
}

T_CASE(a_host_that_goes_ends_a_seed)
{
    struct seeded seeded = {.times = 0};
    linli_host *host = host_at("goes");
    T_INT(ll_seed(host->host, cstr(whole), on_seeded, &seeded, &seeded.err),
        LINLI_OK);
    linli_host_free(&host);
    T_INT(seeded.times, 1);
}

int
main(void)
{
    fixture_open();
    T_RUN(a_seed_is_stored_and_the_same_one_writes_nothing)
    T_RUN(a_seed_is_sealed_in_the_file)
    T_RUN(what_breaks_a_rule_changes_nothing)
    T_RUN(a_zone_stays)
    T_RUN(references_reach_what_is_stored)
    T_RUN(plugins_are_enabled_in_order_and_a_failure_names_which)
    T_RUN(each_allocation_of_a_seed_may_fail)
    T_RUN(a_host_that_goes_ends_a_seed)
    fixture_close();
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
