/* cmd/audit_receipt.c: does this receipt show what it says? Offline, of the
 * file and the log's public key alone. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/linli_audit.h"
#include "domain/checkpoint.h"
#include "domain/leaf.h"
#include "world/file.h"

#define RECEIPT_BYTES_MAX ((size_t)1 << 20)
#define TIME_BYTES 64

struct receipt {
    struct ll_jv root, log;
    struct ll_checkpoint note;
    struct ll_leaf leaf;
    struct ll_hash hash;
    int64_t seq;
    struct ll_err *err;
};

static linli_status
bad(struct receipt *r, const char *code, const char *what)
{
    linli_status status = ll_fail(r->err, LINLI_E_INVALID, code, "%s", what);
    ll_err_where(r->err, "seq %lld", (long long)r->seq);
    return status;
}

static linli_str
text_of(struct ll_jv object, const char *name)
{
    return ll_jv_str(ll_jv_get(object, name));
}

static bool
hash_of(linli_str hex, struct ll_hash *out)
{
    static const char digits[] = "0123456789abcdef";
    if (hex.len != 2 * sizeof out->bytes)
        return false;
    for (size_t i = 0; i < hex.len; i++) {
        const char *at = memchr(digits, hex.ptr[i], 16);
        if (at == NULL)
            return false;
        unsigned half = (unsigned)(at - digits);
        out->bytes[i / 2] =
            (unsigned char)(i % 2 == 0 ? half << 4 : out->bytes[i / 2] | half);
    }
    return true;
}

/* -- the log's part -- */

static linli_status
check_signed(struct receipt *r, const struct ll_vkey *key)
{
    linli_str text = text_of(r->log, "checkpoint");
    int64_t size = -1;
    if (text.len == 0)
        return bad(r, "audit/unproved",
            "the receipt was written before its leaf was signed: fetch it "
            "again");
    if (ll_checkpoint_read(text, &r->note, NULL) != LINLI_OK ||
        !ll_checkpoint_signed(&r->note, key))
        return bad(r, "audit/checkpoint",
            "the checkpoint is not signed by this key for this log");
    (void)ll_jv_int(ll_jv_get(r->log, "size"), &size);
    return size >= 0 && (uint64_t)size == r->note.size
               ? LINLI_OK
               : bad(r, "audit/checkpoint", "it has another size than it says");
}

static linli_status
check_proof(struct receipt *r)
{
    struct ll_proof proof = {.count = 0};
    struct ll_hash said;
    LL_JSON_EACH (item, ll_jv_get(r->log, "proof"))
        if (proof.count == LL_MERKLE_PROOF_MAX ||
            !hash_of(ll_jv_str(item), &proof.hashes[proof.count++]))
            return bad(r, "audit/leaf", "the proof is no list of hashes");
    linli_str line = text_of(r->log, "leaf");
    ll_merkle_leaf(line, &r->hash);
    if (!hash_of(text_of(r->log, "leaf_hash"), &said) ||
        !ll_hash_eq(&said, &r->hash))
        return bad(r, "audit/leaf", "the leaf has another hash");
    if (r->seq < 0 || (uint64_t)r->seq >= r->note.size ||
        !ll_merkle_proves(
            &proof, &r->hash, (uint64_t)r->seq, r->note.size, &r->note.root))
        return bad(r, "audit/leaf",
            "the proof does not show the leaf in the log that was signed");
    return LINLI_OK;
}

/* -- what it says itself -- */

static bool
same_fields(struct ll_jv types, struct ll_jv fields)
{
    uint32_t count = 0, found = 0, listed = 0;
    LL_JSON_EACH (type, types) {
        count++;
        LL_JSON_EACH (field, fields)
            found += ll_str_eq(text_of(type, "id"), ll_jv_str(field));
    }
    LL_JSON_EACH (one, fields)
        listed += ll_jv_there(one);
    return count == found && count == listed;
}

static bool
same_time(struct ll_jv said, int64_t ms)
{
    char text[TIME_BYTES];
    ll_rfc3339(ms, text);
    return ll_str_is(ll_jv_str(said), text);
}

/* The member that differs; NULL: none. */
static const char *
differs(struct receipt *r, struct ll_jv fields)
{
    const struct ll_leaf *leaf = &r->leaf;
    const struct {
        const char *name;
        linli_str said;
    } texts[] = {{"id", leaf->grant}, {"record_id", leaf->grant},
        {"receipt_id", leaf->grant}, {"pii_principal_tag", leaf->subject},
        {"plugin", leaf->plugin}, {"purpose", leaf->purpose},
        {"level", leaf->level}, {"privacy_notice_sha256", leaf->notice}};
    int64_t version = -1, seq = -1;
    struct ll_jv event = {NULL, 0};
    for (size_t i = 0; i < LL_COUNT(texts); i++)
        if (!ll_str_eq(text_of(r->root, texts[i].name), texts[i].said))
            return texts[i].name;
    LL_JSON_EACH (one, ll_jv_get(r->root, "events"))
        if (!ll_jv_there(event))
            event = one; /* the giving is the first */
    (void)ll_jv_int(ll_jv_get(r->root, "terms_version"), &version);
    (void)ll_jv_int(ll_jv_get(r->root, "seq"), &seq);
    if (version != leaf->version)
        return "terms_version";
    if (seq != r->seq)
        return "seq";
    if (!same_fields(ll_jv_get(r->root, "pii_types"), fields))
        return "pii_types";
    if (!same_time(ll_jv_get(r->root, "retention_until"), leaf->until_ms))
        return "retention_until";
    if (!same_time(ll_jv_get(event, "valid_until"), leaf->until_ms))
        return "events.valid_until";
    return same_time(ll_jv_get(event, "event_time"), leaf->at_ms)
               ? NULL
               : "events.event_time";
}

static linli_status
check_said(struct receipt *r, struct ll_mem *mem)
{
    struct ll_json json, fields;
    char words[TIME_BYTES + TIME_BYTES];
    linli_status status = LINLI_OK;
    ll_json_init(&json, mem);
    ll_json_init(&fields, mem);
    if (ll_leaf_read(&json, text_of(r->log, "leaf"), &r->leaf, NULL) !=
            LINLI_OK ||
        r->leaf.type != LL_LEAF_GIVE ||
        ll_json_parse(&fields, r->leaf.fields_json, 2, NULL) != LINLI_OK) {
        status = bad(r, "audit/leaf", "its leaf gives nothing");
    } else {
        const char *name = differs(r, ll_json_root(&fields));
        if (name != NULL) {
            (void)snprintf(words, sizeof words,
                "the leaf does not say what the receipt says: %s", name);
            status = bad(r, "audit/receipt", words);
        }
    }
    ll_json_fini(&fields);
    ll_json_fini(&json);
    return status;
}

/* -- all of it -- */

static linli_status
check(struct receipt *r, struct ll_mem *mem, const struct ll_vkey *key)
{
    r->log = ll_jv_get(r->root, "log");
    r->seq = -1;
    (void)ll_jv_int(ll_jv_get(r->log, "seq"), &r->seq);
    linli_status status = check_signed(r, key);
    if (status == LINLI_OK)
        status = check_proof(r);
    return status == LINLI_OK ? check_said(r, mem) : status;
}

linli_status
ll_cli_audit_receipt(struct ll_cli *cli, struct ll_err *err)
{
    const char *path = cli->args->words[0];
    const char *given = cli->args->value[LL_OPT_KEY];
    struct receipt r = {.err = err};
    struct ll_vkey key;
    struct ll_json json;
    struct ll_buf text;
    if (given == NULL || !ll_vkey_read(ll_cstr(given), &key))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--key takes a line as `linli audit key` prints it: a receipt "
            "cannot say who may sign it");
    ll_buf_init(&text, &cli->mem, RECEIPT_BYTES_MAX);
    ll_json_init(&json, &cli->mem);
    linli_status status =
        ll_file_read(LL_AT_CWD, path, RECEIPT_BYTES_MAX, &text, err);
    if (status == LINLI_OK)
        status = ll_json_parse(&json, ll_buf_view(&text), 16, err);
    if (status == LINLI_OK) {
        r.root = ll_json_root(&json);
        status = check(&r, &cli->mem, &key);
        if (status != LINLI_OK)
            cli->exit_code = LL_EXIT_REFUSED;
    }
    if (status == LINLI_OK)
        (void)printf(cli->json ? "{\"ok\":true,\"seq\":%lld,\"size\":%llu}\n"
                               : "ok: leaf %lld of a log of %llu says what "
                                 "the receipt says\n",
            (long long)r.seq, (unsigned long long)r.note.size);
    ll_json_fini(&json);
    ll_buf_fini(&text);
    return status;
}
