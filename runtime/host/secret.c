/* host/secret.c: a plugin's secrets, from their documents to where they are
 * used. [loop] */
#include "host/secret.h"

#include <string.h>

#include "base/text.h"

#define MARK "{{secret:"
#define MARK_END "}}"
#define NAME_BYTES_MAX 48

struct ll_secrets {
    struct ll_doc *docs[LL_SECRETS_MAX]; /* references */
    uint32_t count;
};

/* -- in memory -- */

static const struct ll_manifest *
manifest_of(const struct ll_instance *instance)
{
    return instance->package == NULL ? NULL : instance->package->manifest;
}

static bool
declared(const struct ll_instance *instance, linli_str name)
{
    const struct ll_manifest *manifest = manifest_of(instance);
    return manifest != NULL && ll_manifest_secret(manifest, name);
}

static struct ll_doc **
find(struct ll_secrets *secrets, linli_str name)
{
    for (uint32_t i = 0; secrets != NULL && i < secrets->count; i++)
        if (ll_str_eq(secrets->docs[i]->id, name))
            return &secrets->docs[i];
    return NULL;
}

static void
drop(struct ll_secrets *secrets, struct ll_doc **at)
{
    ll_doc_unref(at);
    *at = secrets->docs[--secrets->count];
}

/* What another version declared, and this one does not. */
static void
drop_others(struct ll_instance *instance)
{
    struct ll_secrets *secrets = instance->secrets;
    for (uint32_t i = secrets->count; i > 0; i--)
        if (!declared(instance, secrets->docs[i - 1]->id))
            drop(secrets, &secrets->docs[i - 1]);
}

/* Asks for the document of a name, unless it is in hand. Without memory it is
 * asked for when it is used. */
static void
hold(struct ll_instance *instance, linli_str name)
{
    struct ll_secrets *secrets = instance->secrets;
    struct ll_coll *coll =
        ll_space_coll(instance->space, LINLI_STR(LL_SECRET_COLL));
    if (coll == NULL || find(secrets, name) != NULL)
        return;
    ll_check(secrets->count < LL_SECRETS_MAX);
    struct ll_doc *doc = ll_docs_get(coll, name);
    if (doc != NULL)
        secrets->docs[secrets->count++] = doc;
}

void
ll_secrets_open(struct ll_instance *instance)
{
    const struct ll_manifest *manifest = manifest_of(instance);
    struct ll_host *host = instance->host;
    if (manifest == NULL || manifest->secret_count == 0)
        return;
    if (instance->secrets == NULL)
        instance->secrets = ll_alloc(&host->mem, sizeof *instance->secrets);
    if (instance->secrets == NULL)
        return;
    drop_others(instance);
    for (uint32_t i = 0; i < manifest->secret_count; i++)
        hold(instance, manifest->secrets[i]);
}

bool
ll_secrets_ready(struct ll_instance *instance, struct ll_wait *wait)
{
    ll_secrets_open(instance);
    struct ll_secrets *secrets = instance->secrets;
    for (uint32_t i = 0; secrets != NULL && i < secrets->count; i++)
        if (!ll_doc_ready(secrets->docs[i], wait))
            return false;
    return true;
}

void
ll_secrets_close(struct ll_instance *instance)
{
    struct ll_secrets *secrets = instance->secrets;
    if (secrets == NULL)
        return;
    while (secrets->count > 0)
        drop(secrets, &secrets->docs[secrets->count - 1]);
    ll_release(&instance->host->mem, secrets, sizeof *secrets);
    instance->secrets = NULL;
}

/* -- opening one -- */

static linli_status
fail_undeclared(
    const struct ll_instance *instance, linli_str name, struct ll_err *err)
{
    return ll_fail(err, LINLI_E_DENIED, "secret/undeclared",
        "plugin.json of %.*s does not declare the secret \"%.*s\"",
        LL_FMT(instance->id), name.len > 64 ? 64 : LL_FMT(name));
}

static linli_status
fail_unset(
    const struct ll_instance *instance, linli_str name, struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOT_FOUND, "secret/unset",
        "%.*s is not set: linli secret set %.*s %.*s --community %.*s <FILE",
        LL_FMT(name), LL_FMT(instance->id), LL_FMT(name),
        LL_FMT(instance->community->id));
}

static struct ll_vault_name
name_of(const struct ll_instance *instance, linli_str name)
{
    return (struct ll_vault_name){.kind = "secret",
        .community = instance->community->id,
        .owner = instance->id,
        .name = name};
}

linli_status
ll_secret_open(struct ll_instance *instance, linli_str name,
    struct ll_opened *out, struct ll_err *err)
{
    struct ll_json *json = &instance->host->docs.json;
    struct ll_vault_name whose = name_of(instance, name);
    out->len = 0;
    if (!declared(instance, name))
        return fail_undeclared(instance, name, err);
    ll_secrets_open(instance);
    struct ll_doc **at = find(instance->secrets, name);
    if (at == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a secret");
    struct ll_doc *doc = *at;
    if (doc->state == LL_DOC_LOADING)
        return ll_fail(
            err, LINLI_E_AGAIN, "runtime/busy", "the secret is being read");
    if (doc->state == LL_DOC_LOST) {
        drop(instance->secrets, at); /* it is asked for again */
        return ll_fail(
            err, LINLI_E_IO, "store/failed", "the secret cannot be read");
    }
    if (doc->content == NULL)
        return fail_unset(instance, name, err);
    linli_status status =
        ll_json_parse(json, doc->content->body, LL_JSON_DEPTH_MAX, err);
    if (status != LINLI_OK)
        return status;
    linli_str sealed = ll_jv_str(ll_jv_get(ll_json_root(json), "sealed"));
    return ll_vault_open(instance->host, &whose, sealed, out, err);
}

/* -- {{secret:NAME}} -- */

/* The place of `word` in `text`; text.len if it is not there. */
static size_t
place_of(linli_str text, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.len; i++)
        if (memcmp(text.ptr + i, word, n) == 0)
            return i;
    return text.len;
}

static linli_str
skip(linli_str text, size_t n)
{
    return (linli_str){text.ptr + n, text.len - n};
}

/* Splits off what precedes the next reference, and its name; ptr NULL: there
 * is none. "secret/reference" if it does not end, or names nothing. */
static linli_status
next(linli_str *rest, linli_str *plain, linli_str *name, struct ll_err *err)
{
    size_t at = place_of(*rest, MARK);
    *plain = (linli_str){rest->ptr, at};
    *name = (linli_str){NULL, 0};
    linli_str after = skip(*rest, at);
    *rest = after;
    if (after.len == 0)
        return LINLI_OK;
    after = skip(after, strlen(MARK));
    size_t end = place_of(after, MARK_END);
    *name = (linli_str){after.ptr, end};
    if (end == after.len || !ll_secret_name_valid(*name))
        return ll_fail(err, LINLI_E_INVALID, "secret/reference",
            "a secret is written {{secret:NAME}}");
    *rest = skip(after, end + strlen(MARK_END));
    return LINLI_OK;
}

bool
ll_secret_named(linli_str text)
{
    return place_of(text, MARK) < text.len;
}

linli_status
ll_secret_check(
    const struct ll_instance *instance, linli_str text, struct ll_err *err)
{
    linli_str rest = text, plain, name;
    linli_status status = LINLI_OK;
    while (status == LINLI_OK && rest.len > 0) {
        status = next(&rest, &plain, &name, err);
        if (status == LINLI_OK && name.ptr != NULL && !declared(instance, name))
            status = fail_undeclared(instance, name, err);
    }
    return status;
}

linli_status
ll_secret_expand(struct ll_instance *instance, linli_str text,
    struct ll_buf *out, struct ll_err *err)
{
    struct ll_opened opened;
    linli_str rest = text, plain, name;
    size_t began = out->len, named = 0;
    linli_status status = LINLI_OK;
    while (status == LINLI_OK && rest.len > 0) {
        status = next(&rest, &plain, &name, err);
        named += name.ptr != NULL;
    }
    if (status != LINLI_OK)
        return status;
    (void)ll_buf_room(out, text.len + named * LL_SECRET_BYTES_MAX);
    rest = text;
    while (status == LINLI_OK && rest.len > 0) {
        status = next(&rest, &plain, &name, err);
        ll_buf_str(out, plain);
        if (status != LINLI_OK || name.ptr == NULL)
            continue;
        status = ll_secret_open(instance, name, &opened, err);
        if (status == LINLI_OK)
            ll_buf_str(out, ll_opened_view(&opened));
        ll_opened_wipe(&opened);
    }
    if (status == LINLI_OK && out->failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a header");
    if (status != LINLI_OK)
        out->len = began;
    return status;
}

/* -- for the operator's paths -- */

bool
ll_secret_name_valid(linli_str name)
{
    if (name.len < 1 || name.len > NAME_BYTES_MAX || name.ptr[0] < 'a' ||
        name.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

linli_status
ll_secret_value_check(linli_str value, struct ll_err *err)
{
    bool good = value.len >= 1 && value.len <= LL_SECRET_BYTES_MAX;
    for (size_t i = 0; good && i < value.len; i++)
        good = (unsigned char)value.ptr[i] >= ' ' && value.ptr[i] != 0x7f;
    return good ? LINLI_OK
                : ll_fail(err, LINLI_E_INVALID, "request/invalid",
                      "a value is text of 1 to %d bytes without control "
                      "characters",
                      LL_SECRET_BYTES_MAX);
}

linli_status
ll_secret_write(struct ll_instance *instance, linli_str name, linli_str value,
    struct ll_buf *out, struct ll_err *err)
{
    struct ll_host *host = instance->host;
    struct ll_vault_name whose = name_of(instance, name);
    char print[LL_FINGERPRINT_BYTES];
    struct ll_jw w = ll_jw(out);
    ll_vault_fingerprint(host, instance->community->id, value, print);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, name);
    ll_jw_key(&w, "set_at");
    ll_jw_int(&w, ll_world_wall(host->world).ms);
    ll_jw_key(&w, "fingerprint");
    ll_jw_cstr(&w, print);
    ll_jw_key(&w, "sealed");
    ll_buf_char(out, '"');
    linli_status status = ll_vault_close(host, &whose, value, out, err);
    ll_buf_char(out, '"');
    w.comma = true;
    ll_jw_close(&w, '}');
    return status;
}
