/* plugin/manifest_data.c: what a plugin keeps, counts and tells. [any]
 *
 * Collections and their indexes, meters, timers, events, alerts, secrets: from
 * the manifest's tape into arrays, and found again by name. A plugin has at
 * most some dozens of each, so a look-up is one pass.
 */
#include "base/text.h"
#include "plugin/manifest_int.h"

/* Ten names of 64 characters, escaped, and the words between them. */
#define INDEX_TEXT_BYTES_MAX 8192

#define MS_PER_DAY ((int64_t)86400000)

/* An integer, `otherwise` if it is not there. The manifest's schema has the
 * bounds of base/limits.h in its own words. */
static int64_t
read_int(struct ll_jv v, int64_t otherwise, int64_t min, int64_t max)
{
    int64_t i = otherwise;
    if (!ll_manifest_int(v, &i))
        return otherwise;
    ll_check(i >= min);
    ll_check(i <= max);
    return i;
}

/* An event, meter or alert of this plugin starts with its id and a dot. */
static linli_status
check_own(struct ll_manifest *m, struct ll_jv at, linli_str name,
    const char *what, struct ll_err *err)
{
    if (name.len > m->id.len && name.ptr[m->id.len] == '.' &&
        memcmp(name.ptr, m->id.ptr, m->id.len) == 0)
        return LINLI_OK;
    const char *dot = memchr(name.ptr, '.', name.len);
    linli_status status = ll_manifest_refuse(m, at, err,
        "%s starts with the plugin's id: \"%.*s. ...\"", what, LL_FMT(m->id));
    ll_err_fix(err, "Write \"%.*s%.*s\"", LL_FMT(m->id),
        dot == NULL ? 0 : (int)(name.ptr + name.len - dot),
        dot == NULL ? "" : dot);
    return status;
}

/* -- collections -- */

/* One index is always the same bytes, however it was written: the store
 * compares them to see whether it must build the index again. */
static void
write_index(struct ll_buf *buf, const struct ll_index_spec *spec)
{
    struct ll_jw w = ll_jw(buf);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "fields");
    ll_jw_open(&w, '[');
    for (uint32_t i = 0; i < spec->field_count; i++)
        ll_jw_str(&w, spec->fields[i]);
    ll_jw_close(&w, ']');
    if (spec->unique) {
        ll_jw_key(&w, "unique");
        ll_jw_bool(&w, true);
    }
    if (spec->sparse) {
        ll_jw_key(&w, "sparse");
        ll_jw_bool(&w, true);
    }
    if (spec->interval) {
        ll_jw_key(&w, "interval");
        ll_jw_open(&w, '{');
        ll_jw_key(&w, "from");
        ll_jw_str(&w, spec->from);
        ll_jw_key(&w, "to");
        ll_jw_str(&w, spec->to);
        ll_jw_key(&w, "longest_ms");
        ll_jw_int(&w, spec->longest_ms);
        ll_jw_close(&w, '}');
    }
    ll_jw_close(&w, '}');
}

static linli_status
check_index(struct ll_manifest *m, struct ll_jv declared,
    const struct ll_index_spec *spec, struct ll_err *err)
{
    struct ll_jv interval = ll_jv_get(declared, "interval");
    linli_status status = LINLI_OK;
    if (!spec->interval)
        return LINLI_OK;
    if (ll_str_eq(spec->from, spec->to)) {
        status = ll_manifest_refuse(m, ll_jv_get(interval, "to"), err,
            "\"%.*s\" is both ends of the interval", LL_FMT(spec->to));
        ll_err_fix(err, "Name the member that holds the end");
    } else if (spec->unique) {
        status = ll_manifest_refuse(m, ll_jv_get(declared, "unique"), err,
            "an interval index cannot be unique: intervals that overlap "
            "differ, and would pass");
        ll_err_fix(err, "Ask `overlaps` before you write, in the same call: "
                        "two such calls never both commit");
    }
    return status;
}

static linli_status
read_index(struct ll_manifest *m, struct ll_jv declared,
    struct ll_index_decl *index, struct ll_err *err)
{
    struct ll_buf buf;
    struct ll_jv interval = ll_jv_get(declared, "interval");
    ll_index_spec_read(declared, &index->spec);
    index->spec.longest_ms =
        read_int(ll_jv_get(interval, "longest_ms"), 0, 1, LL_INTERVAL_MS_MAX);
    linli_status status = check_index(m, declared, &index->spec, err);
    if (status != LINLI_OK)
        return status;
    ll_buf_init(&buf, m->arena.mem, INDEX_TEXT_BYTES_MAX);
    write_index(&buf, &index->spec);
    if (!buf.failed)
        index->text = ll_arena_str(&m->arena, ll_buf_view(&buf));
    ll_buf_fini(&buf);
    return index->text.ptr == NULL ? ll_manifest_no_memory(err) : LINLI_OK;
}

static linli_status
read_indexes(
    struct ll_manifest *m, struct ll_collection_decl *c, struct ll_err *err)
{
    struct ll_jv indexes = ll_jv_get(c->declared, "indexes");
    uint32_t count = ll_jv_count(indexes);
    ll_check(count <= LL_INDEXES_MAX);
    if (count == 0)
        return LINLI_OK;
    c->indexes = ll_arena_alloc(&m->arena, count * sizeof *c->indexes);
    if (c->indexes == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_MEMBERS (key, value, indexes) {
        struct ll_index_decl *index = &c->indexes[c->index_count++];
        index->name = ll_jv_str(key);
        linli_status status = read_index(m, value, index, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

static linli_status
read_collections(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv collections = ll_jv_get(ll_json_root(&m->json), "collections");
    uint32_t count = ll_jv_count(collections);
    ll_check(count <= LL_COLLECTIONS_MAX);
    if (count == 0)
        return LINLI_OK;
    m->collections = ll_arena_alloc(&m->arena, count * sizeof *m->collections);
    if (m->collections == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_MEMBERS (key, value, collections) {
        struct ll_collection_decl *c = &m->collections[m->collection_count++];
        struct ll_jv retention = ll_jv_get(value, "retention");
        c->name = ll_jv_str(key);
        c->declared = value;
        c->subject = ll_jv_str(ll_jv_get(value, "subject"));
        c->retention_ms = read_int(ll_jv_get(retention, "days"), 0, 1,
                              LL_RETENTION_DAYS_MAX) *
                          MS_PER_DAY;
        c->retention_from = ll_jv_str(ll_jv_get(retention, "from"));
        c->doc_bytes = read_int(ll_jv_get(value, "doc_bytes"),
            LL_DOC_BYTES_DEFAULT, LL_DOC_BYTES_MIN, LL_DOC_BYTES_MAX);
        struct ll_jv statutory = ll_jv_get(value, "statutory");
        c->statutory_law = ll_jv_str(ll_jv_get(statutory, "law"));
        c->statutory_ms = read_int(ll_jv_get(statutory, "days"), 0, 1,
                              LL_STATUTORY_DAYS_MAX) *
                          MS_PER_DAY;
        linli_status status = read_indexes(m, c, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

/* -- meters -- */

static enum ll_aggregate
read_aggregate(struct ll_jv declared)
{
    static const char *const words[] = {
#define X(name, word) word,
        LL_AGGREGATES(X)
#undef X
    };
    linli_str said = ll_jv_str(ll_jv_get(declared, "aggregate"));
    for (size_t i = 0; i < LL_COUNT(words); i++)
        if (ll_str_is(said, words[i]))
            return (enum ll_aggregate)i;
    return LL_AGGREGATE_SUM;
}

static linli_status
read_meter(struct ll_manifest *m, struct ll_jv key, struct ll_jv declared,
    struct ll_meter_decl *meter, struct ll_err *err)
{
    struct ll_jv max = ll_jv_get(declared, "max_per_call");
    struct ll_jv title = ll_jv_get(declared, "title");
    meter->name = ll_jv_str(key);
    meter->title_zh = ll_jv_str(ll_jv_get(title, "zh-CN"));
    meter->title_en = ll_jv_str(ll_jv_get(title, "en"));
    meter->sum = ll_str_is(ll_jv_str(ll_jv_get(declared, "kind")), "sum");
    meter->aggregate = read_aggregate(declared);
    meter->unit = ll_jv_str(ll_jv_get(declared, "unit"));
    meter->max_per_call =
        read_int(max, LL_METER_CALL_DEFAULT, 1, LL_METER_CALL_MAX);
    linli_status status = check_own(m, declared, meter->name, "a meter", err);
    if (status == LINLI_OK && meter->sum && !ll_jv_there(max)) {
        status = ll_manifest_refuse(
            m, declared, err, "a meter that sums needs max_per_call");
        ll_err_fix(err, "Add max_per_call: the most that one call may add, "
                        "in units");
    }
    if (status == LINLI_OK && meter->sum &&
        meter->aggregate == LL_AGGREGATE_UNIQUE) {
        status = ll_manifest_refuse(
            m, declared, err, "a meter of different things counts them");
        ll_err_fix(err, "Say \"kind\": \"count\"");
    }
    return status;
}

static linli_status
read_meters(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv meters = ll_jv_get(ll_json_root(&m->json), "meters");
    uint32_t count = ll_jv_count(meters);
    ll_check(count <= LL_METERS_MAX);
    if (count == 0)
        return LINLI_OK;
    m->meters = ll_arena_alloc(&m->arena, count * sizeof *m->meters);
    if (m->meters == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_MEMBERS (key, value, meters) {
        linli_status status =
            read_meter(m, key, value, &m->meters[m->meter_count++], err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

/* -- lists of names -- */

struct names {
    linli_str **names;
    uint32_t *count;
    uint32_t max;
    const char *own; /* what must be under the plugin's id, or NULL */
};

static linli_status
read_names(struct ll_manifest *m, struct ll_jv list, struct names to,
    struct ll_err *err)
{
    uint32_t count = ll_jv_count(list);
    ll_check(count <= to.max);
    if (count == 0)
        return LINLI_OK;
    *to.names = ll_arena_alloc(&m->arena, count * sizeof **to.names);
    if (*to.names == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_EACH (item, list) {
        linli_str name = ll_jv_str(item);
        (*to.names)[(*to.count)++] = name;
        linli_status status =
            to.own == NULL ? LINLI_OK : check_own(m, item, name, to.own, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

linli_status
ll_manifest_fill_data(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&m->json);
    struct ll_jv events = ll_jv_get(root, "events");
    const struct {
        struct ll_jv list;
        struct names to;
    } lists[] = {
        {ll_jv_get(root, "timers"),
            {&m->timers, &m->timer_count, LL_TIMERS_MAX, NULL}},
        {ll_jv_get(root, "jobs"), {&m->jobs, &m->job_count, LL_JOBS_MAX, NULL}},
        {ll_jv_get(root, "compliance"),
            {&m->compliance, &m->compliance_count, LL_COMPLIANCE_MAX, NULL}},
        {ll_jv_get(root, "answers"),
            {&m->answers, &m->answer_count, LL_ANSWERS_MAX, NULL}},
        {ll_jv_get(events, "publishes"),
            {&m->publishes, &m->publish_count, LL_EVENTS_MAX,
                "an event that it publishes"}},
        {ll_jv_get(events, "handles"),
            {&m->handles, &m->handle_count, LL_EVENTS_MAX, NULL}},
        {ll_jv_get(root, "alerts"),
            {&m->alerts, &m->alert_count, LL_ALERTS_MAX, "an alert"}},
        {ll_jv_get(root, "secrets"),
            {&m->secrets, &m->secret_count, LL_SECRETS_MAX, NULL}},
    };
    linli_status status = read_collections(m, err);
    if (status == LINLI_OK)
        status = read_meters(m, err);
    for (size_t i = 0; i < LL_COUNT(lists) && status == LINLI_OK; i++)
        status = read_names(m, lists[i].list, lists[i].to, err);
    LL_JSON_EACH (item, ll_jv_get(root, "directory"))
        m->directory_household |= ll_str_is(ll_jv_str(item), "household");
    m->payments = ll_jv_true(ll_jv_get(root, "payments"));
    return status;
}

/* -- by name -- */

const struct ll_collection_decl *
ll_manifest_collection(const struct ll_manifest *manifest, linli_str name)
{
    for (uint32_t i = 0; i < manifest->collection_count; i++)
        if (ll_str_eq(manifest->collections[i].name, name))
            return &manifest->collections[i];
    return NULL;
}

const struct ll_index_decl *
ll_manifest_index(const struct ll_collection_decl *collection, linli_str name)
{
    for (uint32_t i = 0; i < collection->index_count; i++)
        if (ll_str_eq(collection->indexes[i].name, name))
            return &collection->indexes[i];
    return NULL;
}

const struct ll_meter_decl *
ll_manifest_meter(const struct ll_manifest *manifest, linli_str name)
{
    for (uint32_t i = 0; i < manifest->meter_count; i++)
        if (ll_str_eq(manifest->meters[i].name, name))
            return &manifest->meters[i];
    return NULL;
}

static int
find(const linli_str *names, uint32_t count, linli_str name)
{
    for (uint32_t i = 0; i < count; i++)
        if (ll_str_eq(names[i], name))
            return (int)i;
    return -1;
}

int
ll_manifest_timer(const struct ll_manifest *manifest, linli_str name)
{
    return find(manifest->timers, manifest->timer_count, name);
}

int
ll_manifest_job(const struct ll_manifest *manifest, linli_str name)
{
    return find(manifest->jobs, manifest->job_count, name);
}

bool
ll_manifest_complies(const struct ll_manifest *manifest, linli_str name)
{
    return find(manifest->compliance, manifest->compliance_count, name) >= 0;
}

int
ll_manifest_answer(const struct ll_manifest *manifest, linli_str name)
{
    return find(manifest->answers, manifest->answer_count, name);
}

bool
ll_manifest_publishes(const struct ll_manifest *manifest, linli_str type)
{
    return find(manifest->publishes, manifest->publish_count, type) >= 0;
}

int
ll_manifest_handles(const struct ll_manifest *manifest, linli_str type)
{
    return find(manifest->handles, manifest->handle_count, type);
}

bool
ll_manifest_alert(const struct ll_manifest *manifest, linli_str kind)
{
    return find(manifest->alerts, manifest->alert_count, kind) >= 0;
}

bool
ll_manifest_secret(const struct ll_manifest *manifest, linli_str name)
{
    return find(manifest->secrets, manifest->secret_count, name) >= 0;
}
