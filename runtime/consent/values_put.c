/* consent/values_put.c: values in ~field, written. [loop]
 *
 * A document says {"id", "subject", "salt", "at", "by", "value"}. The salt is
 * drawn anew with each value and sealed with it: who has the log's digest and
 * guesses a phone number cannot find out whether it was that one.
 */
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "consent/values.h"

#define SALT_BYTES 16
#define BODY_BYTES_MAX (LL_FIELD_VALUE_BYTES_MAX + 1024)

/* What stands in the log: that it was changed, by whom, and what shows later
 * that a value is the one. */
static void
put_leaf(const struct ll_held *held, const struct ll_value_change *change,
    linli_str digest, struct ll_commit *commit)
{
    char fields[80];
    struct ll_buf line;
    const linli_str community = held->doc->coll->space->community;
    (void)snprintf(
        fields, sizeof fields, "[\"%.*s\"]", LL_FMT(held->field->id));
    struct ll_leaf leaf = {.type = LL_LEAF_CORRECT,
        .at_ms = change->now_ms,
        .community = community,
        .actor = change->actor,
        .subject = change->tag,
        .fields_json = ll_cstr(fields),
        .result = digest.len > 0 ? LINLI_STR("set") : LINLI_STR("removed"),
        .digest = digest};
    if (held->of_household)
        leaf.data_json = (linli_str)LINLI_STR("{\"of\":\"household\"}");
    ll_buf_init(&line, held->docs->mem, LL_LEAF_BYTES_MAX);
    ll_leaf_put(&line, &leaf);
    commit->ops.failed |= line.failed;
    if (!line.failed)
        ll_commit_leaf(commit, ll_buf_view(&line));
    ll_buf_fini(&line);
}

static void
write_document(const struct ll_held *held, const struct ll_value_change *change,
    const char *salt, struct ll_buf *text)
{
    struct ll_jw w = ll_jw(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, held->doc->id);
    ll_jw_key(&w, "subject");
    ll_jw_cstr(&w, held->subject);
    ll_jw_key(&w, "salt");
    ll_jw_cstr(&w, salt);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, change->now_ms);
    ll_jw_key(&w, "by");
    ll_jw_str(&w, change->actor);
    ll_jw_key(&w, "value");
    ll_jw_raw(&w, change->json);
    ll_jw_close(&w, '}');
}

/* 32 digits drawn for one value, and the digest of both. */
static void
digest_of(struct ll_world *world, linli_str json, char salt[2 * SALT_BYTES + 1],
    char digest[2 * LL_SHA256_BYTES + 1])
{
    unsigned char random[SALT_BYTES], hash[LL_SHA256_BYTES];
    ll_world_random(world, random, sizeof random);
    ll_hex(random, sizeof random, salt);
    ll_sha256_two(ll_cstr(salt), json, hash);
    ll_hex(hash, sizeof hash, digest);
}

static linli_status
set_it(struct ll_held *held, const struct ll_value_change *change,
    struct ll_txn *txn, struct ll_commit *commit, struct ll_err *err)
{
    char salt[2 * SALT_BYTES + 1], digest[2 * LL_SHA256_BYTES + 1];
    struct ll_buf text;
    digest_of(change->world, change->json, salt, digest);
    ll_buf_init(&text, held->docs->mem, BODY_BYTES_MAX);
    write_document(held, change, salt, &text);
    linli_status status =
        ll_txn_put(txn, held->doc, &text, change->now_ms, err);
    ll_wipe(&text);
    ll_buf_fini(&text);
    if (status == LINLI_OK)
        put_leaf(held, change, ll_cstr(digest), commit);
    return status;
}

linli_status
ll_value_put(struct ll_held *held, const struct ll_value_change *change,
    struct ll_txn *txn, struct ll_commit *commit, bool *changed,
    struct ll_err *err)
{
    linli_status status;
    bool there = held->state == LL_HELD_THERE;
    ll_check(held->state != LL_HELD_ASKED);
    *changed = false;
    if (held->state == LL_HELD_LOST)
        return ll_fail(
            err, LINLI_E_IO, "store/failed", "a value cannot be read");
    if (held->state == LL_HELD_SHREDDED)
        return ll_fail(err, LINLI_E_DENIED, "field/shredded",
            "what was kept of them in this class was erased for good");
    if (there ? ll_str_eq(held->value, change->json) : change->json.len == 0)
        return LINLI_OK;
    if (change->json.len > 0) {
        status = set_it(held, change, txn, commit, err);
    } else {
        status = ll_txn_write(txn, held->doc, NULL, err);
        if (status == LINLI_OK)
            put_leaf(held, change, (linli_str){NULL, 0}, commit);
    }
    *changed = status == LINLI_OK;
    return status;
}
