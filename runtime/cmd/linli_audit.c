/* cmd/linli_audit.c: `linli audit` and `linli-audit`: the log, offline.
 *
 * Opens files itself and asks no linlid; a database may be in use meanwhile.
 */
#include "cmd/linli_audit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cmd/audit_replay.h"
#include "cmd/audit_verify.h"
#include "cmd/audit_write.h"
#include "store/head.h"
#include "world/file.h"

#define PROOF_BYTES_MAX 65536
/* A linlid that runs signs what is new within a second. */
#define LOOKS_MAX 6
#define LOOK_MS 400

/* -- what the verbs share -- */

static linli_status
begin(struct ll_cli *cli, struct ll_audit *audit, const char *file,
    struct ll_err *err)
{
    struct ll_audit_options options = {.mem = &cli->mem,
        .path = file != NULL ? file : cli->data,
        .data_dir = file == NULL,
        .checkpoint = cli->args->value[LL_OPT_CHECKPOINT],
        .key = cli->args->value[LL_OPT_KEY]};
    return ll_audit_begin(audit, &options, err);
}

/* What was found is no fault of the command line. */
static linli_status
finding(struct ll_cli *cli, linli_status status, const struct ll_err *err)
{
    if (status != LINLI_OK && ll_str_starts(ll_cstr(err->code), "audit/"))
        cli->exit_code = LL_EXIT_REFUSED;
    return status;
}

static const char *
word(const struct ll_cli *cli, uint32_t i)
{
    return i < cli->args->word_count ? cli->args->words[i] : NULL;
}

static linli_status
print(struct ll_buf *take_text, struct ll_err *err)
{
    bool failed = take_text->failed;
    if (!failed)
        (void)fwrite(take_text->ptr, 1, take_text->len, stdout);
    ll_buf_fini(take_text);
    return failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the answer")
                  : LINLI_OK;
}

/* -- key -- */

/* The name that the log has begun with; false if it has not begun. */
static bool
begun(struct ll_cli *cli, struct ll_vkey *named)
{
    struct ll_source source;
    bool there = false, ok = false;
    uint64_t seq;
    linli_str leaf;
    if (ll_source_open(&source, &cli->mem, cli->data, true, NULL) == LINLI_OK &&
        ll_source_seek(&source, 0, NULL) == LINLI_OK &&
        ll_source_next(&source, &there, &seq, &leaf, NULL) == LINLI_OK && there)
        ok = ll_origin_leaf_read(&cli->mem, leaf, named);
    ll_source_close(&source);
    return ok;
}

linli_status
ll_cli_audit_key(struct ll_cli *cli, struct ll_err *err)
{
    char path[LL_AUDIT_PATH_BYTES], origin[LL_HEAD_ORIGIN_BYTES];
    unsigned char seed[LL_ED25519_BYTES];
    struct ll_buf bytes, text;
    struct ll_vkey named, key;
    (void)snprintf(path, sizeof path, "%s/" LL_STORE_KEY_FILE, cli->data);
    ll_buf_init(&bytes, &cli->mem, 4096);
    ll_buf_init(&text, &cli->mem, PROOF_BYTES_MAX);
    linli_status status =
        ll_file_read(LL_AT_CWD, path, LL_SEAL_KEY_BYTES, &bytes, err);
    if (status == LINLI_OK && bytes.len != LL_SEAL_KEY_BYTES) {
        status = ll_fail(err, LINLI_E_INVALID, "store/key",
            "the key file does not hold 32 bytes");
        ll_err_where(err, "%s", path);
    }
    if (status == LINLI_OK) {
        bool has_begun = begun(cli, &named);
        const unsigned char *root = (const unsigned char *)bytes.ptr;
        ll_head_origin(root, origin);
        ll_head_seed(root, seed);
        ll_vkey_of(seed, ll_cstr(has_begun ? named.origin : origin), &key);
        ll_vkey_put(&text, &key);
        if (!has_begun)
            ll_cli_both(stderr, cli,
                "the log has not begun; with log.origin in the configuration "
                "its name will be that",
                "日志尚未开始; 若配置了 log.origin, 名称将以其为准");
        memset(seed, 0, sizeof seed);
        memset(bytes.ptr, 0, bytes.len);
    }
    ll_buf_fini(&bytes);
    if (status != LINLI_OK) {
        ll_buf_fini(&text);
        return status;
    }
    if (cli->json) {
        struct ll_buf json;
        ll_buf_init(&json, &cli->mem, PROOF_BYTES_MAX);
        struct ll_jw w = ll_jw(&json);
        ll_jw_open(&w, '{');
        ll_jw_key(&w, "key");
        ll_jw_str(&w, ll_buf_view(&text));
        ll_jw_close(&w, '}');
        ll_buf_fini(&text);
        text = json;
    }
    ll_buf_char(&text, '\n');
    return print(&text, err);
}

/* -- verify -- */

static void
put_summary(struct ll_jw *w, const struct ll_audit *a)
{
    char root[2 * LL_SHA256_BYTES + 1];
    struct ll_buf key;
    ll_buf_init(&key, a->mem, LL_VKEY_BYTES_MAX);
    ll_hex(a->root.bytes, sizeof a->root.bytes, root);
    ll_jw_key(w, "leaves");
    ll_jw_int(w, (int64_t)a->leaves);
    ll_jw_key(w, "root");
    ll_jw_cstr(w, root);
    ll_jw_key(w, "signed");
    ll_jw_int(w, a->last == NULL ? 0 : (int64_t)a->last->note.size);
    ll_jw_key(w, "witnesses");
    ll_jw_int(w, a->witness_count);
    ll_jw_key(w, "key");
    if (a->has_key) {
        ll_vkey_put(&key, &a->key);
        ll_jw_str(w, ll_buf_view(&key));
    } else {
        ll_jw_null(w);
    }
    ll_jw_key(w, "key_given");
    ll_jw_bool(w, a->key_given);
    ll_buf_fini(&key);
}

static linli_status
say_verified(struct ll_cli *cli, const struct ll_audit *a, struct ll_err *err)
{
    struct ll_buf text, key;
    char root[2 * LL_SHA256_BYTES + 1];
    ll_buf_init(&text, &cli->mem, PROOF_BYTES_MAX);
    if (cli->json) {
        struct ll_jw w = ll_jw(&text);
        ll_jw_open(&w, '{');
        ll_jw_key(&w, "ok");
        ll_jw_bool(&w, true);
        put_summary(&w, a);
        ll_jw_close(&w, '}');
        ll_buf_char(&text, '\n');
        return print(&text, err);
    }
    ll_buf_init(&key, &cli->mem, LL_VKEY_BYTES_MAX);
    if (a->has_key)
        ll_vkey_put(&key, &a->key);
    ll_hex(a->root.bytes, sizeof a->root.bytes, root);
    ll_buf_printf(&text, "ok: %llu leaves, root %s\n",
        (unsigned long long)a->leaves, root);
    ll_buf_printf(&text, "signed: the first %llu, by %.*s%s\n",
        a->last == NULL ? 0ull : (unsigned long long)a->last->note.size,
        LL_FMT(ll_buf_view(&key)),
        a->key_given ? "" : " (the log's own word: compare it, or use --key)");
    ll_buf_fini(&key);
    return print(&text, err);
}

linli_status
ll_cli_audit_verify(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_audit audit;
    linli_status status = begin(cli, &audit, word(cli, 0), err);
    if (status == LINLI_OK)
        status = ll_audit_verify(&audit, err);
    if (status == LINLI_OK)
        status = say_verified(cli, &audit, err);
    ll_audit_end(&audit);
    return finding(cli, status, err);
}

/* -- export -- */

static uint64_t
signed_size(const struct ll_audit *a)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < a->witness_count; i++)
        if (a->witnesses[i].note.size > size)
            size = a->witnesses[i].note.size;
    return size;
}

/* Begins again until what was there at the first look has been signed, which
 * a linlid that runs does soon; one that does not run will not. */
static linli_status
begin_signed(struct ll_cli *cli, struct ll_audit *audit, struct ll_err *err)
{
    const struct timespec rest = {LOOK_MS / 1000, LOOK_MS % 1000 * 1000000L};
    int64_t want = -1;
    linli_status status = LINLI_OK;
    for (int look = 0;; look++) {
        struct ll_audit_head head;
        status = begin(cli, audit, NULL, err);
        if (status == LINLI_OK)
            status = ll_audit_head(&audit->source.db, &head, err);
        if (status != LINLI_OK)
            return status;
        if (want < 0)
            want = head.there ? head.size : 0;
        if ((int64_t)signed_size(audit) >= want || look == LOOKS_MAX)
            return LINLI_OK;
        ll_audit_end(audit);
        (void)nanosleep(&rest, NULL);
    }
}

static linli_status
say_exported(struct ll_cli *cli, const struct ll_audit *a, const char *file,
    struct ll_err *err)
{
    struct ll_buf text;
    uint64_t size = signed_size(a);
    ll_buf_init(&text, &cli->mem, PROOF_BYTES_MAX);
    if (cli->json) {
        struct ll_jw w = ll_jw(&text);
        ll_jw_open(&w, '{');
        ll_jw_key(&w, "exported");
        ll_jw_int(&w, (int64_t)size);
        put_summary(&w, a);
        ll_jw_close(&w, '}');
        ll_buf_char(&text, '\n');
    } else {
        ll_buf_printf(&text,
            "%llu leaves into %s, their hashes into %s.tiles, the checkpoint "
            "into %s.checkpoint\n",
            (unsigned long long)size, file, file, file);
        if (a->leaves > size)
            (void)fprintf(stderr,
                "%llu later leaves are not signed yet, and are left out: start "
                "linlid, which signs them\n",
                (unsigned long long)(a->leaves - size));
    }
    return print(&text, err);
}

linli_status
ll_cli_audit_export(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_audit audit;
    linli_status status = begin_signed(cli, &audit, err);
    if (status == LINLI_OK)
        status = ll_audit_verify(&audit, err);
    if (status == LINLI_OK && audit.last == NULL)
        status = ll_fail(err, LINLI_E_NOT_FOUND, "log/none",
            "the log has not begun: nothing was said or released yet");
    if (status == LINLI_OK)
        status = ll_audit_write(&audit, word(cli, 0), err);
    if (status == LINLI_OK)
        status = say_exported(cli, &audit, word(cli, 0), err);
    ll_audit_end(&audit);
    return finding(cli, status, err);
}

/* -- prove -- */

linli_status
ll_cli_audit_prove(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_audit audit;
    struct ll_buf text;
    int64_t seq;
    if (!ll_str_int(ll_cstr(word(cli, 0)), 0, INT64_MAX, &seq))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "'%s' is no number of a leaf", word(cli, 0));
    ll_buf_init(&text, &cli->mem, PROOF_BYTES_MAX);
    linli_status status = begin(cli, &audit, word(cli, 1), err);
    if (status == LINLI_OK)
        status = ll_audit_verify(&audit, err);
    if (status == LINLI_OK)
        status = ll_audit_prove(&audit, (uint64_t)seq, cli->json, &text, err);
    ll_audit_end(&audit);
    if (status == LINLI_OK)
        return print(&text, err);
    ll_buf_fini(&text);
    return finding(cli, status, err);
}

/* -- replay -- */

static linli_status
say_replayed(
    struct ll_cli *cli, const struct ll_replayed *r, struct ll_err *err)
{
    struct ll_buf text;
    ll_buf_init(&text, &cli->mem, PROOF_BYTES_MAX);
    if (cli->json)
        ll_buf_printf(&text,
            "{\"ok\":true,\"leaves\":%llu,\"accesses\":%llu,\"grants\":%llu,"
            "\"withdrawals\":%llu,\"duties_open\":%llu,"
            "\"duties_overdue\":%llu}\n",
            (unsigned long long)r->leaves, (unsigned long long)r->accesses,
            (unsigned long long)r->grants, (unsigned long long)r->withdrawals,
            (unsigned long long)r->duties_open,
            (unsigned long long)r->duties_overdue);
    else
        ll_buf_printf(&text,
            "ok: %llu leaves; each of %llu releases had a live grant or an "
            "approved basis\n%llu grants, %llu withdrawals; duties open %llu, "
            "overdue %llu\n",
            (unsigned long long)r->leaves, (unsigned long long)r->accesses,
            (unsigned long long)r->grants, (unsigned long long)r->withdrawals,
            (unsigned long long)r->duties_open,
            (unsigned long long)r->duties_overdue);
    return print(&text, err);
}

/* What is folded is what was signed: a changed leaf is told first. */
linli_status
ll_cli_audit_replay(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_audit audit;
    struct ll_replayed replayed;
    linli_status status = begin(cli, &audit, word(cli, 0), err);
    if (status == LINLI_OK)
        status = ll_audit_verify(&audit, err);
    if (status == LINLI_OK)
        status = ll_audit_replay(&audit.source, &replayed, err);
    if (status == LINLI_OK)
        status = say_replayed(cli, &replayed, err);
    ll_audit_end(&audit);
    return finding(cli, status, err);
}
