/* host/seed.c: a seed becomes one commit, then plugins, then consents. [loop]
 *
 * What it refers to is looked up, then what it would write; in the turn in
 * which all of that is known it is compared and committed, so that nobody
 * sees a part. Whoever asks again with the same seed writes nothing.
 */
#include "host/seed.h"

#include "base/json_patch.h"
#include "base/text.h"
#include "host/directory.h"
#include "host/seed_consents.h"
#include "host/seed_people.h"
#include "data/txn.h"

enum phase { REFERENCES, DOCUMENTS, VALUES, COMMITTING, PLUGINS };

struct seed {
    struct ll_host *host;
    struct ll_seed_text text;
    enum phase phase;
    uint32_t next; /* of the documents of the phase: not known to be ready */
    struct ll_wait wait;
    struct ll_timer *begin;
    struct ll_txn txn;
    struct ll_buf body, merged;
    struct ll_json json; /* of the body */
    struct ll_jv plugin; /* being loaded */
    uint32_t documents, plugins;
    struct ll_act consents; /* of the last of them */
    struct ll_seeding how;
};

static void
seed_free(struct seed *seed)
{
    struct ll_host *host = seed->host;
    ll_timer_free(&seed->begin);
    ll_txn_fini(&seed->txn);
    ll_seed_text_fini(&seed->text);
    ll_buf_fini(&seed->body);
    ll_buf_fini(&seed->merged);
    ll_json_fini(&seed->json);
    ll_release(&host->mem, seed, sizeof *seed);
}

static void
finish(struct seed *seed, linli_status status, const struct ll_err *err)
{
    struct ll_host *host = seed->host;
    seed->how.done(seed->how.user, status, status == LINLI_OK ? NULL : err,
        seed->documents, seed->plugins);
    seed_free(seed);
    host->batch_count--;
    ll_host_check_stopped(host);
}

static linli_status
no_room(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a seed");
}

/* -- consents, when those who ask for them serve -- */

static void
on_consents(struct ll_act *act, bool durable, uint64_t leaf)
{
    struct seed *seed = LL_CONTAINER(act, struct seed, consents);
    struct ll_err err;
    linli_status status = LINLI_OK;
    LL_UNUSED(leaf);
    if (!durable)
        status = ll_fail(
            &err, LINLI_E_IO, "store/failed", "the seed cannot be kept");
    finish(seed, status, &err);
}

static void
give_consents(struct seed *seed)
{
    struct ll_err err;
    bool begun;
    seed->consents.done = on_consents;
    linli_status status = ll_seed_consents_put(
        seed->host, &seed->text, &seed->how, &seed->consents, &begun, &err);
    if (!begun)
        finish(seed, status, &err);
}

/* -- plugins, one after the other -- */

static void enable_next(struct seed *seed);

static void
plugin_failed(struct seed *seed, linli_status status, const struct ll_err *err)
{
    struct ll_err own = *err;
    ll_err_where(
        &own, "/plugins/%u%s", seed->plugins, own.where[0] == '\0' ? "" : ": ");
    finish(seed, status, &own);
}

static void
on_enabled(void *user, const struct ll_instance *instance, linli_status status,
    const struct ll_err *err)
{
    struct seed *seed = user;
    LL_UNUSED(instance);
    if (status != LINLI_OK) {
        plugin_failed(seed, status, err);
        return;
    }
    seed->plugins++;
    seed->plugin = ll_jv_after(seed->plugin);
    enable_next(seed);
}

static void
enable_next(struct seed *seed)
{
    struct ll_jv plugin = seed->plugin;
    struct ll_jv config = ll_jv_get(plugin, "config");
    struct ll_err err;
    if (!ll_jv_within(
            plugin, ll_jv_get(ll_json_root(&seed->text.json), "plugins"))) {
        give_consents(seed);
        return;
    }
    ll_buf_clear(&seed->body);
    struct ll_jw w = ll_jw(&seed->body);
    if (ll_jv_there(config))
        ll_jw_value(&w, config);
    linli_plugin_options options = {.size = sizeof options,
        .dir = ll_jv_str(ll_jv_get(plugin, "path")),
        .community = ll_jv_str(ll_jv_get(plugin, "community")),
        .config_json = ll_buf_view(&seed->body)};
    linli_status status =
        seed->body.failed
            ? no_room(&err)
            : ll_host_enable(seed->host, &options, on_enabled, seed, &err);
    if (status != LINLI_OK)
        plugin_failed(seed, status, &err);
}

static void
enable_all(struct seed *seed)
{
    seed->phase = PLUGINS;
    seed->plugin =
        ll_jv_first(ll_jv_get(ll_json_root(&seed->text.json), "plugins"));
    enable_next(seed);
}

/* -- documents, all at once -- */

static void
on_committed(struct ll_commit *commit, bool durable)
{
    struct seed *seed = commit->user;
    struct ll_host *host = seed->host;
    struct ll_err err;
    ll_docs_commit_free(&host->docs, commit);
    if (!durable) {
        linli_status status = ll_fail(
            &err, LINLI_E_IO, "store/failed", "the seed cannot be kept");
        finish(seed, status, &err);
        return;
    }
    enable_all(seed);
}

/* What an item's document is to say, into seed->json, whose text is
 * seed->body. */
static linli_status
make_body(struct seed *seed, struct ll_seed_item *item, struct ll_err *err)
{
    struct ll_json *there = &seed->host->docs.json;
    ll_seed_body(seed->host, item, &seed->body);
    if (seed->how.merge && item->doc->content != NULL && !seed->body.failed &&
        ll_json_parse(&seed->json, ll_buf_view(&seed->body), LL_JSON_DEPTH_MAX,
            NULL) == LINLI_OK &&
        ll_json_parse(there, item->doc->content->body, LL_JSON_DEPTH_MAX,
            NULL) == LINLI_OK) {
        struct ll_jw w = ll_jw(&seed->merged);
        ll_buf_clear(&seed->merged);
        ll_json_merge(&w, ll_json_root(there), ll_json_root(&seed->json));
        ll_buf_clear(&seed->body);
        ll_buf_str(&seed->body, ll_buf_view(&seed->merged));
        seed->body.failed |= seed->merged.failed;
    }
    if (seed->body.failed)
        return ll_seed_fail(&seed->text, item->value, err,
            "it has more than %u bytes", LL_DOC_BYTES_MAX);
    return ll_json_parse(
        &seed->json, ll_buf_view(&seed->body), LL_JSON_DEPTH_MAX, err);
}

/* Writes an item's document, unless it is as it should be. */
static linli_status
write_item(struct seed *seed, struct ll_seed_item *item, struct ll_err *err)
{
    struct ll_host *host = seed->host;
    struct ll_doc *doc = item->doc;
    struct ll_content *content = NULL;
    linli_status status = make_body(seed, item, err);
    if (status == LINLI_OK && doc->content != NULL &&
        ll_json_parse(&host->docs.json, doc->content->body, LL_JSON_DEPTH_MAX,
            NULL) == LINLI_OK &&
        ll_jv_equal(ll_json_root(&host->docs.json), ll_json_root(&seed->json)))
        return LINLI_OK;
    if (status == LINLI_OK)
        status = ll_content_new(doc->coll, ll_json_root(&seed->json),
            ll_buf_view(&seed->body), ll_world_wall(host->world).ms, &content,
            err);
    if (status == LINLI_OK)
        status = ll_txn_write(&seed->txn, doc, content, err);
    item->written |= status == LINLI_OK;
    return status;
}

/* How many items were not so before, in any part. */
static uint32_t
count_written(const struct seed *seed)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < seed->text.count; i++)
        count += seed->text.items[i].written;
    return count;
}

/* Everything that can fail comes first: then people and guardians, in commits
 * of the arbiter's, and the seed's own after them, which tells when all of it
 * is durable. */
static linli_status
fill(struct seed *seed, struct ll_commit *commit, struct ll_err *err)
{
    struct ll_host *host = seed->host;
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; status == LINLI_OK && i < seed->text.count; i++)
        status = write_item(seed, &seed->text.items[i], err);
    if (status == LINLI_OK)
        status = ll_seed_people_write(
            host, &seed->text, &seed->how, &seed->txn, commit, err);
    if (status == LINLI_OK)
        status = ll_seed_people_put(host, &seed->text, &seed->how, err);
    return status;
}

static linli_status
write_all(struct seed *seed, struct ll_err *err)
{
    struct ll_docs *docs = &seed->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return no_room(err);
    commit->done = on_committed;
    commit->user = seed;
    linli_status status = fill(seed, commit, err);
    seed->documents = count_written(seed);
    if (status == LINLI_OK && seed->documents > 0) {
        if (ll_txn_commit(&seed->txn, commit) != 0)
            return LINLI_OK;
        status = no_room(err);
    }
    ll_docs_commit_free(docs, commit);
    return status;
}

static void
commit_all(struct seed *seed)
{
    struct ll_err err;
    seed->phase = COMMITTING;
    linli_status status = write_all(seed, &err);
    if (status != LINLI_OK) {
        seed->documents = 0;
        finish(seed, status, &err);
    } else if (seed->documents == 0) {
        enable_all(seed);
    }
}

/* -- asking -- */

/* Nothing stands in the way: communities and collections are made, and the
 * documents asked for. */
static linli_status
open_items(struct seed *seed, struct ll_err *err)
{
    struct ll_host *host = seed->host;
    for (uint32_t i = 0; i < seed->text.count; i++) {
        struct ll_seed_item *item = &seed->text.items[i];
        struct ll_community *community =
            ll_host_community(host, item->community);
        bool of_host = ll_str_is(item->community, LL_DIR_HOST);
        struct ll_jv zone = ll_jv_get(item->value, "zone");
        linli_status status = LINLI_OK;
        if (of_host && ll_host_community(host, item->id) == NULL)
            status = ll_host_add_community(host, item->id,
                ll_jv_there(zone) ? ll_jv_str(zone)
                                  : LINLI_STR(LL_ZONE_DEFAULT),
                err);
        if (status != LINLI_OK)
            return status;
        struct ll_coll *coll = of_host ? ll_directory_host(host, item->coll)
                                       : ll_directory(community, item->coll);
        item->doc = coll == NULL ? NULL : ll_docs_get(coll, item->id);
        if (item->doc == NULL)
            return no_room(err);
    }
    return ll_seed_people_ask(host, &seed->text, err);
}

static linli_status
ask_refs(struct seed *seed, struct ll_err *err)
{
    for (uint32_t i = 0; i < seed->text.ref_count; i++) {
        struct ll_seed_ref *ref = &seed->text.refs[i];
        for (size_t k = 0; k < 2 && ref->colls[k] != NULL; k++) {
            struct ll_coll *coll =
                ll_directory_find(seed->host, ref->community, ref->colls[k]);
            if (coll == NULL)
                continue;
            ref->docs[k] = ll_docs_get(coll, ref->id);
            if (ref->docs[k] == NULL)
                return no_room(err);
        }
    }
    return LINLI_OK;
}

static void
tell_missing(const struct seed *seed, const struct ll_seed_ref *ref)
{
    char pointer[128];
    if (seed->how.missing == NULL)
        return;
    ll_jv_pointer(
        ll_json_root(&seed->text.json), ref->at, pointer, sizeof pointer);
    seed->how.missing(seed->how.user, ll_cstr(pointer));
}

static linli_status
check_refs(struct seed *seed, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; i < seed->text.ref_count; i++) {
        const struct ll_seed_ref *ref = &seed->text.refs[i];
        bool there = false;
        for (size_t k = 0; k < 2; k++)
            there |= ref->docs[k] != NULL && ref->docs[k]->content != NULL;
        if (there)
            continue;
        tell_missing(seed, ref);
        if (status == LINLI_OK)
            status = ll_seed_fail(&seed->text, ref->at, err,
                "%.*s is not there, neither in the seed nor in %.*s",
                LL_FMT(ref->id), LL_FMT(ref->community));
    }
    return status;
}

/* -- the steps -- */

/* The phase's next document; false: there is none. It may be NULL. */
static bool
next_doc(const struct seed *seed, struct ll_doc **doc)
{
    const struct ll_seed_text *text = &seed->text;
    if (seed->phase == REFERENCES) {
        if (seed->next == 2 * text->ref_count)
            return false;
        *doc = text->refs[seed->next / 2].docs[seed->next % 2];
        return true;
    }
    if (seed->next == text->count)
        return false;
    *doc = text->items[seed->next].doc;
    return true;
}

/* True when all documents of the phase are known; false: it waits, or has
 * ended. */
static bool
all_ready(struct seed *seed)
{
    struct ll_err err;
    for (struct ll_doc *doc; next_doc(seed, &doc); seed->next++) {
        if (doc == NULL)
            continue;
        if (!ll_doc_ready(doc, &seed->wait))
            return false;
        if (doc->state == LL_DOC_LOST) {
            linli_status status =
                ll_fail(&err, LINLI_E_IO, "store/failed", "a document is lost");
            finish(seed, status, &err);
            return false;
        }
    }
    seed->next = 0;
    return true;
}

static void
step(struct seed *seed)
{
    struct ll_err err;
    if (seed->phase == REFERENCES) {
        if (!all_ready(seed))
            return;
        linli_status status = check_refs(seed, &err);
        if (status == LINLI_OK)
            status = open_items(seed, &err);
        if (status != LINLI_OK) {
            finish(seed, status, &err);
            return;
        }
        seed->phase = DOCUMENTS;
    }
    if (seed->phase == DOCUMENTS) {
        if (!all_ready(seed))
            return;
        seed->phase = VALUES;
        seed->next = 0;
    }
    if (ll_seed_people_ready(&seed->text, &seed->next, &seed->wait))
        commit_all(seed);
}

static void
on_ready(struct ll_wait *wait)
{
    step(LL_CONTAINER(wait, struct seed, wait));
}

static void
on_begin(void *user)
{
    step(user);
}

linli_status
ll_seed_as(
    struct ll_host *host, const struct ll_seeding *how, struct ll_err *err)
{
    struct seed *seed = ll_alloc(&host->mem, sizeof *seed);
    if (seed == NULL)
        return no_room(err);
    seed->host = host;
    seed->how = *how;
    seed->wait.ready = on_ready;
    ll_txn_init(&seed->txn, &host->docs);
    ll_buf_init(&seed->body, &host->mem, LL_DOC_BYTES_MAX);
    ll_buf_init(&seed->merged, &host->mem, LL_DOC_BYTES_MAX);
    ll_json_init(&seed->json, &host->mem);
    linli_status status = ll_seed_read(host, how->json, &seed->text, err);
    if (status == LINLI_OK) {
        seed->begin = ll_timer_new(host->world, on_begin, seed);
        status = seed->begin == NULL ? no_room(err) : ask_refs(seed, err);
    }
    if (status != LINLI_OK) {
        seed_free(seed);
        return status;
    }
    host->batch_count++;
    ll_timer_set(seed->begin, 0, 0);
    return LINLI_OK;
}

linli_status
ll_seed(struct ll_host *host, linli_str json,
    void (*done)(void *user, linli_status status, const struct ll_err *err,
        uint32_t documents, uint32_t plugins),
    void *user, struct ll_err *err)
{
    struct ll_seeding how = {.json = json,
        .actor = LINLI_STR("system"),
        .channel = LINLI_STR("seed"),
        .done = done,
        .user = user};
    return ll_seed_as(host, &how, err);
}
