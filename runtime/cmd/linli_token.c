/* cmd/linli_token.c: `linli token`, and tokens for the other verbs.
 *
 * Signs with the development key that linlid left in its data directory: who
 * can read that file may be anybody in that daemon, which is what it is for.
 */
#include "cmd/linli_cli.h"

#include "base/text.h"
#include "host/dev_key.h"

#define TTL_S_DEFAULT 1800
#define TTL_S_MAX (LL_TOKEN_DEV_MS_MAX / 1000)

/* "ROLE:ID" into its two halves. */
static linli_status
read_as(const char *as, struct ll_dev_claims *claims, struct ll_err *err)
{
    static const char *const roles[] = {"resident", "staff", "operator", "app"};
    linli_str rest = ll_cstr(as);
    (void)ll_str_split(&rest, ':', &claims->kind);
    claims->id = rest;
    bool known = false;
    for (size_t i = 0; i < LL_COUNT(roles); i++)
        known = known || ll_str_is(claims->kind, roles[i]);
    if (!known)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--as takes resident:ID, staff:ID, operator:ID or app:ID%s",
            ll_str_is(claims->kind, "device")
                ? "; a device has no token, but signs: linli call"
                : "");
    if (rest.len == 0 || rest.len > LL_TOKEN_NAME_BYTES_MAX)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "the id in --as has 1 to %d bytes", LL_TOKEN_NAME_BYTES_MAX);
    return LINLI_OK;
}

static linli_status
read_ttl(const struct ll_cli *cli, int64_t fallback_s, int64_t *ttl_s,
    struct ll_err *err)
{
    const char *given = cli->args->value[LL_OPT_TTL];
    *ttl_s = fallback_s;
    if (given != NULL && !ll_str_int(ll_cstr(given), 1, TTL_S_MAX, ttl_s))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--ttl takes 1 to %lld seconds", (long long)TTL_S_MAX);
    return LINLI_OK;
}

static linli_status
read_key(struct ll_cli *cli, struct ll_dev_key **key, struct ll_err *err)
{
    linli_str pem;
    char *path = ll_cli_text(cli, "%s/%s", cli->data, LL_DEV_KEY_FILE);
    *key = NULL;
    if (path == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "--data is too long");
    linli_status status =
        ll_cli_read(cli, path, LL_CLI_FILE_BYTES_MAX, &pem, err);
    if (status == LINLI_E_IO)
        /* The cause is the same; the remedy is the key's. */
        (void)snprintf(err->code, sizeof err->code, "auth/dev-key");
    if (status == LINLI_OK)
        status = ll_dev_key_read(&cli->mem, pem, key, err);
    if (status == LINLI_E_INVALID)
        ll_err_where(err, "%s", path);
    return status;
}

static linli_status
write_token(struct ll_cli *cli, const struct ll_dev_claims *said,
    linli_str *token, struct ll_err *err)
{
    struct ll_dev_key *key = NULL;
    struct ll_buf claims, out;
    ll_buf_init(&claims, &cli->mem, LL_TOKEN_BYTES_MAX);
    ll_buf_init(&out, &cli->mem, LL_TOKEN_BYTES_MAX);
    linli_status status = ll_dev_claims_write(&cli->mem, said, &claims, err);
    if (status == LINLI_E_INVALID) {
        (void)snprintf(err->code, sizeof err->code, "usage");
        ll_err_where(err, "--claims: ");
    }
    if (status == LINLI_OK)
        status = read_key(cli, &key, err);
    if (status == LINLI_OK)
        status = ll_jwt_sign(key, ll_buf_view(&claims), &out, err);
    if (status == LINLI_OK) {
        *token = ll_arena_str(&cli->arena, ll_buf_view(&out));
        if (token->ptr == NULL)
            status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no token");
    }
    ll_dev_key_free(&key);
    ll_buf_fini(&out);
    ll_buf_fini(&claims);
    return status;
}

static linli_status
make_token(struct ll_cli *cli, const char *as, linli_str community,
    int64_t fallback_s, linli_str *token, struct ll_err *err)
{
    struct ll_dev_claims said = {.community = community};
    const char *extra = cli->args->value[LL_OPT_CLAIMS];
    if (extra != NULL)
        said.extra = ll_cstr(extra);
    linli_status status = read_as(as, &said, err);
    if (status == LINLI_OK)
        status = read_ttl(cli, fallback_s, &said.ttl_s, err);
    if (status == LINLI_OK)
        status = ll_cli_now(cli, &said.now_ms, err);
    if (status == LINLI_OK)
        status = write_token(cli, &said, token, err);
    return status;
}

linli_status
ll_cli_mint(struct ll_cli *cli, const char *as, linli_str community,
    linli_str *token, struct ll_err *err)
{
    *token = (linli_str){NULL, 0};
    return cli->args->value[LL_OPT_TOKEN_FILE] != NULL
               ? ll_cli_token_file(cli, token, err)
               : make_token(cli, as, community, LL_CLI_TOKEN_S, token, err);
}

linli_status
ll_cli_token_file(struct ll_cli *cli, linli_str *token, struct ll_err *err)
{
    const char *file = cli->args->value[LL_OPT_TOKEN_FILE];
    linli_status status =
        ll_cli_read(cli, file, LL_TOKEN_BYTES_MAX + 2, token, err);
    while (token->len > 0 && (token->ptr[token->len - 1] == '\n' ||
                                 token->ptr[token->len - 1] == '\r'))
        token->len--;
    for (size_t i = 0; i < token->len && status == LINLI_OK; i++)
        if (token->ptr[i] <= ' ' || token->ptr[i] > '~') {
            status = ll_fail(err, LINLI_E_INVALID, "usage",
                "a token is one line of visible ASCII characters");
            ll_err_where(err, "%s", file);
        }
    return status;
}

linli_status
ll_cli_token(struct ll_cli *cli, struct ll_err *err)
{
    const char *as = cli->args->value[LL_OPT_AS];
    linli_str token;
    if (as == NULL)
        return ll_fail(
            err, LINLI_E_INVALID, "usage", "linli token needs --as ROLE:ID");
    linli_status status = make_token(
        cli, as, ll_cstr(cli->community), TTL_S_DEFAULT, &token, err);
    if (status != LINLI_OK)
        return status;
    /* Neither form needs escapes: a token is base64url and dots. */
    (void)printf(
        cli->json ? "{\"token\":\"%.*s\"}\n" : "%.*s\n", LL_FMT(token));
    return LINLI_OK;
}
