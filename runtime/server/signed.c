/* server/signed.c: signing what is handed over, and leaving others out. */
#include "server/signed.h"

#include "base/text.h"

linli_status
ll_signed_close(struct ll_host *host, const char *what, struct ll_buf *out,
    size_t from, struct ll_err *err)
{
    unsigned char signature[LL_ED25519_SIGNATURE_BYTES];
    char hex[2 * sizeof signature + 1];
    struct ll_vkey key;
    struct ll_buf text;
    ll_buf_init(&text, &host->mem, 2 * LL_HTTP_RESPONSE_BYTES_MAX);
    ll_buf_printf(&text, "%s\n", what);
    ll_buf_str(&text, (linli_str){out->ptr + from, out->len - from});
    bool failed = out->failed || text.failed;
    bool good = !failed && ll_store_sign_text(host->store, ll_buf_view(&text),
                               &key, signature);
    ll_buf_fini(&text);
    if (failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "to sign it");
    if (!good)
        return ll_fail(err, LINLI_E_CLOSED, "log/sealed",
            "the log is not the one that was here: nothing is signed");
    ll_hex(signature, sizeof signature, hex);
    ll_check(out->ptr[out->len - 1] == '}');
    out->len--;
    ll_buf_printf(
        out, ",\"signature\":{\"alg\":\"Ed25519\",\"of\":\"%s\"", what);
    ll_buf_cstr(out, ",\"key\":\"");
    ll_vkey_put(out, &key);
    ll_buf_printf(out, "\",\"value\":\"%s\"}}", hex);
    return LINLI_OK;
}

/* -- others -- */

static bool
is_own(linli_str text, const char *const *own)
{
    for (; *own != NULL; own++)
        if (ll_str_is(text, *own))
            return true;
    return false;
}

static void
put_text(struct ll_jw *w, linli_str text, const char *const *own)
{
    static const char *const roles[] = {"staff", "operator", "guardian", NULL};
    linli_str rest = text, word;
    if (memchr(text.ptr == NULL ? "" : text.ptr, ':', text.len) != NULL &&
        ll_str_split(&rest, ':', &word) && is_own(word, roles))
        ll_jw_str(w, word);
    else if (ll_pid_valid(text) && !is_own(text, own))
        ll_jw_cstr(w, "redacted");
    else
        ll_jw_str(w, text);
}

static void
put_value(struct ll_jw *w, struct ll_jv value, const char *const *own)
{
    if (ll_jv_is(value, LL_JSON_OBJECT)) {
        ll_redacted_put(w, value, own);
    } else if (ll_jv_is(value, LL_JSON_ARRAY)) {
        ll_jw_open(w, '[');
        LL_JSON_EACH (item, value)
            put_value(w, item, own);
        ll_jw_close(w, ']');
    } else if (ll_jv_is(value, LL_JSON_STRING)) {
        put_text(w, ll_jv_str(value), own);
    } else {
        ll_jw_value(w, value);
    }
}

void
ll_redacted_put(struct ll_jw *w, struct ll_jv value, const char *const *own)
{
    /* A name of somebody, whatever it looks like; and what names nobody. */
    static const char *const others[] = {
        "guardian", "staff", "approver", "witness", NULL};
    static const char *const names[] = {"id", "tag", "salt", "subject", NULL};
    if (!ll_jv_is(value, LL_JSON_OBJECT)) {
        put_value(w, value, own);
        return;
    }
    ll_jw_open(w, '{');
    LL_JSON_MEMBERS (key, member, value) {
        linli_str name = ll_jv_str(key);
        ll_jw_key_str(w, name);
        if (ll_jv_is(member, LL_JSON_STRING) && is_own(name, others))
            ll_jw_cstr(w, "redacted");
        else if (is_own(name, names))
            ll_jw_value(w, member);
        else
            put_value(w, member, own);
    }
    ll_jw_close(w, '}');
}
