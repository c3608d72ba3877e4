/* server/assist_proof.c: codes and forms that show a resident's will. [loop]
 *
 * A code is bound to who asked for it, for whom, and for which act; it is
 * known here by a keyed hash of all of these. Wrong tries are counted for
 * (staff, resident), also over codes, so that a new code gives no new tries.
 */
#include "server/assist.h"

#include <stdio.h>

#include "base/text.h"
#include "host/directory.h"

#define DAY_MS 86400000
#define HASH_BYTES 16
#define HASH_TEXT LL_PROOF_WORD_BYTES
#define CODES 1000000u

/* A keyed hash of texts, which nobody without the key file can guess. */
static bool
keyed(const struct ll_proving *p, const char *what, const linli_str *parts,
    size_t count, char out[HASH_TEXT])
{
    unsigned char secret[LL_SHA256_BYTES], hash[LL_SHA256_BYTES];
    struct ll_host *host = p->community->host;
    struct ll_buf text;
    ll_store_secret(host->store, "assist:proof", secret, sizeof secret);
    ll_buf_init(&text, &host->mem, 2 * LL_HTTP_BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '[');
    ll_jw_cstr(&w, what);
    ll_jw_str(&w, p->community->id);
    for (size_t i = 0; i < count; i++)
        ll_jw_str(&w, parts[i]);
    ll_jw_close(&w, ']');
    bool good = !text.failed;
    ll_hmac_sha256((linli_str){(const char *)secret, sizeof secret},
        ll_buf_view(&text), hash);
    ll_hex(hash, HASH_BYTES, out);
    ll_wipe_bytes(secret, sizeof secret);
    ll_wipe(&text);
    ll_buf_fini(&text);
    return good;
}

static bool
hash_code(const struct ll_proving *p, linli_str code, char out[HASH_TEXT])
{
    linli_str parts[] = {p->staff, p->resident, p->act, code};
    return keyed(p, "code", parts, LL_COUNT(parts), out);
}

/* Of the whole act, as it is asked again under its key. */
static bool
hash_spent(const struct ll_proving *p, char out[HASH_TEXT])
{
    linli_str parts[] = {p->staff, p->resident, p->act, p->said, p->key};
    return keyed(p, "spent", parts, LL_COUNT(parts), out);
}

bool
ll_proof_word(const struct ll_proving *p, char out[LL_PROOF_WORD_BYTES])
{
    return hash_spent(p, out);
}

static bool
name_of(const struct ll_proving *p, char out[HASH_TEXT])
{
    linli_str who[] = {p->staff, p->resident};
    return p->kind == LL_PROOF_CODE ? keyed(p, "codes of", who, 2, out)
                                    : keyed(p, "form", &p->said, 1, out);
}

struct ll_doc *
ll_proof_doc(const struct ll_proving *p)
{
    char id[HASH_TEXT];
    bool code = p->kind == LL_PROOF_CODE;
    struct ll_space *space = ll_docs_space(
        &p->community->host->docs, p->community->id, LINLI_STR("~"));
    struct ll_coll *coll =
        space == NULL ? NULL
                      : ll_space_coll(space, code ? LINLI_STR(LL_ASSIST_CODES)
                                                  : LINLI_STR(LL_ASSIST_FORMS));
    if (coll == NULL || !name_of(p, id))
        return NULL;
    if (code)
        coll->retention_ms = DAY_MS;
    return ll_docs_get(coll, ll_cstr(id));
}

/* -- codes -- */

struct state {
    char hash[HASH_TEXT], spent[HASH_TEXT]; /* or empty */
    int64_t until_ms, sent_ms, wrong, locked_ms;
};

static void
read_hash(struct ll_jv root, const char *name, char out[HASH_TEXT])
{
    linli_str text = ll_jv_str(ll_jv_get(root, name));
    (void)snprintf(out, HASH_TEXT, "%.*s", LL_FMT(text));
}

/* LINLI_E_INTERNAL: it is there and cannot be read. */
static linli_status
read_state(const struct ll_proving *p, const struct ll_doc *doc,
    struct state *state, struct ll_err *err)
{
    struct ll_json *json = &p->community->host->docs.json;
    *state = (struct state){.wrong = 0};
    if (doc->content == NULL)
        return LINLI_OK;
    linli_status status =
        ll_json_parse(json, doc->content->body, LL_JSON_DEPTH_MAX, err);
    if (status != LINLI_OK)
        return status;
    struct ll_jv root = ll_json_root(json);
    read_hash(root, "hash", state->hash);
    read_hash(root, "spent", state->spent);
    (void)ll_jv_int(ll_jv_get(root, "until"), &state->until_ms);
    (void)ll_jv_int(ll_jv_get(root, "sent"), &state->sent_ms);
    (void)ll_jv_int(ll_jv_get(root, "wrong"), &state->wrong);
    (void)ll_jv_int(ll_jv_get(root, "locked"), &state->locked_ms);
    if (state->locked_ms != 0 && state->locked_ms <= p->now_ms)
        state->locked_ms = state->wrong = 0;
    return LINLI_OK;
}

static void
write_state(
    const struct ll_doc *doc, const struct state *state, struct ll_buf *out)
{
    struct ll_jw w = ll_jw(out);
    ll_buf_clear(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, doc->id);
    ll_jw_key(&w, "hash");
    ll_jw_cstr(&w, state->hash);
    ll_jw_key(&w, "spent");
    ll_jw_cstr(&w, state->spent);
    ll_jw_key(&w, "until");
    ll_jw_int(&w, state->until_ms);
    ll_jw_key(&w, "sent");
    ll_jw_int(&w, state->sent_ms);
    ll_jw_key(&w, "wrong");
    ll_jw_int(&w, state->wrong);
    ll_jw_key(&w, "locked");
    ll_jw_int(&w, state->locked_ms);
    ll_jw_close(&w, '}');
}

static linli_status
no_room(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a proof");
}

static linli_status
locked(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_LIMIT, "people/locked",
        "%d wrong codes for this resident", LL_CODE_WRONG_MAX);
}

linli_status
ll_proof_make(const struct ll_proving *p, const struct ll_doc *doc,
    char code[LL_ASSIST_CODE_DIGITS + 1], struct ll_buf *out,
    struct ll_err *err)
{
    struct state state;
    uint64_t drawn;
    linli_status status = read_state(p, doc, &state, err);
    if (status != LINLI_OK)
        return status;
    if (state.locked_ms != 0)
        return locked(err);
    if (state.sent_ms != 0 && p->now_ms >= state.sent_ms &&
        p->now_ms - state.sent_ms < LL_ASSIST_CODE_AGAIN_MS)
        return ll_fail(err, LINLI_E_LIMIT, "people/code-sent",
            "another code at most every %d s", LL_ASSIST_CODE_AGAIN_MS / 1000);
    drawn = ll_world_random_u64(p->community->host->world);
    (void)snprintf(
        code, LL_ASSIST_CODE_DIGITS + 1, "%06u", (unsigned)(drawn % CODES));
    state.sent_ms = p->now_ms;
    state.until_ms = p->now_ms + LL_ASSIST_CODE_MS;
    state.spent[0] = '\0';
    if (!hash_code(p, ll_cstr(code), state.hash))
        return no_room(err);
    write_state(doc, &state, out);
    return out->failed ? no_room(err) : LINLI_OK;
}

static linli_status
judge_code(const struct ll_proving *p, const struct ll_doc *doc,
    struct ll_buf *out, struct ll_err *err)
{
    struct state state;
    char given[HASH_TEXT], spent[HASH_TEXT];
    linli_status status = read_state(p, doc, &state, err);
    if (status != LINLI_OK)
        return status;
    if (state.locked_ms != 0)
        return locked(err);
    if (!hash_code(p, p->said, given) || !hash_spent(p, spent))
        return no_room(err);
    bool again = p->key.len > 0 && state.spent[0] != '\0' &&
                 ll_secret_is(ll_cstr(spent), ll_cstr(state.spent));
    bool right = state.hash[0] != '\0' && p->now_ms < state.until_ms &&
                 ll_secret_is(ll_cstr(given), ll_cstr(state.hash));
    if (again || right) {
        state.hash[0] = '\0';
        state.wrong = 0;
        (void)snprintf(state.spent, sizeof state.spent, "%s", spent);
    } else if (++state.wrong >= LL_CODE_WRONG_MAX) {
        state.locked_ms = p->now_ms + LL_CODE_LOCK_MS;
        state.hash[0] = '\0';
    }
    write_state(doc, &state, out);
    if (out->failed)
        return no_room(err);
    return again || right ? LINLI_OK
                          : ll_fail(err, LINLI_E_DENIED, "people/proof",
                                "no such code holds for this act");
}

/* -- forms -- */

static linli_status
judge_form(const struct ll_proving *p, const struct ll_doc *doc,
    struct ll_buf *out, struct ll_err *err)
{
    struct ll_json *json = &p->community->host->docs.json;
    char spent[HASH_TEXT];
    if (!hash_spent(p, spent))
        return no_room(err);
    if (doc->content != NULL) {
        linli_status status =
            ll_json_parse(json, doc->content->body, LL_JSON_DEPTH_MAX, err);
        if (status != LINLI_OK)
            return status;
        linli_str was = ll_jv_str(ll_jv_get(ll_json_root(json), "spent"));
        if (p->key.len == 0 || !ll_secret_is(ll_cstr(spent), was))
            return ll_fail(err, LINLI_E_CONFLICT, "people/form",
                "the form of this number showed another act");
    }
    struct ll_jw w = ll_jw(out);
    ll_buf_clear(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, doc->id);
    ll_jw_key(&w, "spent");
    ll_jw_cstr(&w, spent);
    ll_jw_key(&w, "staff");
    ll_jw_str(&w, p->staff);
    ll_jw_key(&w, "witness");
    ll_jw_str(&w, p->witness);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, p->now_ms);
    ll_jw_close(&w, '}');
    return out->failed ? no_room(err) : LINLI_OK;
}

linli_status
ll_proof_judge(const struct ll_proving *p, const struct ll_doc *doc,
    struct ll_buf *out, struct ll_err *err)
{
    ll_buf_clear(out);
    return p->kind == LL_PROOF_CODE ? judge_code(p, doc, out, err)
                                    : judge_form(p, doc, out, err);
}
