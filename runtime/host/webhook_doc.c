/* host/webhook_doc.c: an endpoint's document, its key, its signatures. [loop]
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "data/put.h"
#include "domain/url.h"
#include "host/directory.h"
#include "host/webhook.h"

#define ID_BYTES_MAX 48
#define WORD_BYTES_MAX 64 /* of an event's type, behind the dot */
#define PLUGIN_BYTES_MAX 32
#define URL_ARENA_BYTES_MAX ((size_t)16 << 10)
#define PREFIX "whsec_"

_Static_assert(LL_WEBHOOK_SECRET_BYTES ==
                   sizeof PREFIX + (LL_WEBHOOK_KEY_BYTES + 2) / 3 * 4,
    "the key as its operator is shown it");
_Static_assert(LL_WEBHOOK_SIGNATURE_BYTES == 4 + (LL_SHA256_BYTES + 2) / 3 * 4,
    "a signature");

static linli_str
str_of(struct ll_jv root, const char *name)
{
    return ll_jv_str(ll_jv_get(root, name));
}

bool
ll_webhook_read(struct ll_jv root, struct ll_webhook *out)
{
    *out = (struct ll_webhook){.id = str_of(root, "id"),
        .url = str_of(root, "url"),
        .types = ll_jv_get(root, "types"),
        .why = str_of(root, "disabled"),
        .made = str_of(root, "made"),
        .key = str_of(root, "key"),
        .old_key = str_of(root, "old_key")};
    out->disabled = out->why.len > 0;
    (void)ll_jv_int(ll_jv_get(root, "created_at"), &out->created_ms);
    (void)ll_jv_int(ll_jv_get(root, "rotated_at"), &out->rotated_ms);
    (void)ll_jv_int(ll_jv_get(root, "old_until"), &out->old_until_ms);
    (void)ll_jv_int(ll_jv_get(root, "pending"), &out->pending);
    return ll_jv_int(ll_jv_get(root, "seq"), &out->seq) && out->id.len > 0;
}

static void
put_text(struct ll_jw *w, const char *name, linli_str text)
{
    if (text.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

static void
put_int(struct ll_jw *w, const char *name, int64_t value)
{
    ll_jw_key(w, name);
    ll_jw_int(w, value);
}

void
ll_webhook_write(struct ll_community *community,
    const struct ll_webhook *webhook, struct ll_buf *out)
{
    char subject[LL_PID_BYTES];
    struct ll_jw w = ll_jw(out);
    ll_directory_subject(
        community->host, community->id, LL_WEBHOOK_COLL, webhook->id, subject);
    ll_jw_open(&w, '{');
    put_text(&w, "id", webhook->id);
    put_text(&w, "subject", ll_cstr(subject)); /* a URL may hold a password */
    put_text(&w, "url", webhook->url);
    ll_jw_key(&w, "types");
    ll_jw_value(&w, webhook->types);
    put_text(&w, "disabled", webhook->why);
    put_text(&w, "made", webhook->made);
    put_text(&w, "key", webhook->key);
    put_text(&w, "old_key", webhook->old_key);
    put_int(&w, "old_until", webhook->old_until_ms);
    put_int(&w, "created_at", webhook->created_ms);
    put_int(&w, "rotated_at", webhook->rotated_ms);
    put_int(&w, "seq", webhook->seq);
    put_int(&w, "pending", webhook->pending);
    ll_jw_close(&w, '}');
}

linli_status
ll_webhook_less(struct ll_community *community, struct ll_doc *endpoint,
    linli_str made, struct ll_txn *txn, struct ll_err *err)
{
    struct ll_host *host = community->host;
    struct ll_webhook webhook;
    struct ll_json json;
    struct ll_buf text;
    linli_status status = LINLI_OK;
    if (endpoint->state == LL_DOC_LOST)
        return ll_fail(err, LINLI_E_IO, "store/failed", "a webhook");
    ll_json_init(&json, &host->mem);
    ll_buf_init(&text, &host->mem, LL_DOC_BYTES_MAX);
    if (endpoint->content != NULL)
        status = ll_json_parse(
            &json, endpoint->content->body, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK && endpoint->content != NULL &&
        ll_webhook_read(ll_json_root(&json), &webhook) &&
        ll_str_eq(webhook.made, made)) {
        webhook.pending -= webhook.pending > 0;
        ll_webhook_write(community, &webhook, &text);
        status = ll_txn_put(
            txn, endpoint, &text, ll_world_wall(host->world).ms, err);
    }
    ll_buf_fini(&text);
    ll_json_fini(&json);
    return status;
}

/* -- ids and types -- */

/* A small letter, then these: small letters, digits and `also`. */
static bool
is_name(linli_str s, size_t bytes_max, const char *also)
{
    bool good =
        s.len >= 1 && s.len <= bytes_max && s.ptr[0] >= 'a' && s.ptr[0] <= 'z';
    for (size_t i = 1; good && i < s.len; i++)
        good = (s.ptr[i] >= 'a' && s.ptr[i] <= 'z') ||
               (s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
               (s.ptr[i] != '\0' && strchr(also, s.ptr[i]) != NULL);
    return good;
}

bool
ll_webhook_id_valid(linli_str id)
{
    return is_name(id, ID_BYTES_MAX, "-_");
}

static bool
type_valid(linli_str type)
{
    linli_str rest = type, plugin;
    if (ll_str_is(type, "*"))
        return true;
    (void)ll_str_split(&rest, '.', &plugin);
    return is_name(plugin, PLUGIN_BYTES_MAX, "-") && rest.ptr != NULL &&
           (ll_str_is(rest, "*") || is_name(rest, WORD_BYTES_MAX, "_"));
}

linli_status
ll_webhook_types_check(struct ll_jv types, struct ll_err *err)
{
    uint32_t count = ll_jv_count(types);
    bool good = ll_jv_is(types, LL_JSON_ARRAY) && count >= 1 &&
                count <= LL_WEBHOOK_TYPES_MAX;
    LL_JSON_EACH (type, types)
        good = good && type_valid(ll_jv_str(type));
    return good ? LINLI_OK
                : ll_fail(err, LINLI_E_INVALID, "request/invalid",
                      "`types` is a list of 1 to %d: \"parking.*\", "
                      "\"parking.session_closed\" or \"*\"",
                      LL_WEBHOOK_TYPES_MAX);
}

/* "parking.*" and "parking.opened", not "parking-2.opened". */
static bool
matches(linli_str pattern, linli_str type)
{
    if (pattern.len == 0 || pattern.ptr[pattern.len - 1] != '*')
        return ll_str_eq(pattern, type);
    size_t n = pattern.len - 1;
    return type.len > n && memcmp(pattern.ptr, type.ptr, n) == 0;
}

bool
ll_webhook_wants(const struct ll_webhook *webhook, linli_str type)
{
    LL_JSON_EACH (pattern, webhook->types)
        if (matches(ll_jv_str(pattern), type))
            return true;
    return false;
}

linli_status
ll_webhook_url_check(struct ll_host *host, linli_str url, struct ll_err *err)
{
    struct ll_arena arena;
    struct ll_url read;
    const char *why = "it is too long";
    ll_arena_init(&arena, &host->mem, URL_ARENA_BYTES_MAX);
    bool good = url.len <= LL_WEBHOOK_URL_BYTES_MAX &&
                ll_url_read(url, &arena, &read, &why);
    ll_arena_fini(&arena);
    return good ? LINLI_OK
                : ll_fail(err, LINLI_E_INVALID, "request/invalid",
                      "`url` is an absolute http or https URL: %s", why);
}

/* -- keys and signatures -- */

static struct ll_vault_name
name_of(const struct ll_community *community, const struct ll_webhook *webhook)
{
    return (struct ll_vault_name){.kind = "webhook",
        .community = community->id,
        .owner = webhook->made,
        .name = webhook->id};
}

linli_status
ll_webhook_key_new(struct ll_community *community,
    const struct ll_webhook *webhook, struct ll_buf *sealed,
    char shown[LL_WEBHOOK_SECRET_BYTES], struct ll_err *err)
{
    struct ll_host *host = community->host;
    struct ll_vault_name name = name_of(community, webhook);
    unsigned char key[LL_WEBHOOK_KEY_BYTES];
    ll_world_random(host->world, key, sizeof key);
    linli_status status = ll_vault_close(
        host, &name, (linli_str){(const char *)key, sizeof key}, sealed, err);
    memcpy(shown, PREFIX, sizeof PREFIX);
    (void)EVP_EncodeBlock(
        (unsigned char *)shown + sizeof PREFIX - 1, key, sizeof key);
    ll_wipe_bytes(key, sizeof key);
    return status;
}

void
ll_webhook_signature(
    linli_str key, linli_str message, char out[LL_WEBHOOK_SIGNATURE_BYTES])
{
    unsigned char hash[LL_SHA256_BYTES];
    ll_hmac_sha256(key, message, hash);
    memcpy(out, "v1,", 4);
    (void)EVP_EncodeBlock((unsigned char *)out + 3, hash, sizeof hash);
}

static linli_status
sign_with(struct ll_community *community, const struct ll_webhook *webhook,
    linli_str sealed, linli_str message, struct ll_buf *out, struct ll_err *err)
{
    struct ll_vault_name name = name_of(community, webhook);
    struct ll_opened opened;
    char signature[LL_WEBHOOK_SIGNATURE_BYTES];
    linli_status status =
        ll_vault_open(community->host, &name, sealed, &opened, err);
    if (status != LINLI_OK)
        return status;
    ll_webhook_signature(ll_opened_view(&opened), message, signature);
    ll_opened_wipe(&opened);
    if (out->len > 0)
        ll_buf_char(out, ' ');
    ll_buf_cstr(out, signature);
    return LINLI_OK;
}

linli_status
ll_webhook_sign(struct ll_community *community,
    const struct ll_webhook *webhook, linli_str message, struct ll_buf *out,
    struct ll_err *err)
{
    int64_t now_ms = ll_world_wall(community->host->world).ms;
    linli_status status =
        sign_with(community, webhook, webhook->key, message, out, err);
    if (status == LINLI_OK && webhook->old_key.len > 0 &&
        now_ms < webhook->old_until_ms)
        status =
            sign_with(community, webhook, webhook->old_key, message, out, err);
    if (status == LINLI_OK && out->failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a webhook");
    return status;
}
