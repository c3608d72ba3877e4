/* cmd/linli_trigger.c: `linli trigger`: notices of the payment simulator, as
 * its provider would send them (spec/payments.md, section 6). */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"

#define SECRET_FILE "sim.secret"
#define TIMES_MAX 1000
#define BODY_BYTES_MAX ((size_t)64 << 10)

/* What is sent. */
struct notice {
    const char *type, *id;
    bool refund;
    linli_str transaction;
    int64_t amount_fen, times;
    linli_str secret;
    struct ll_buf body;
};

static linli_status
read_amount(const struct ll_args *args, struct notice *n, struct ll_err *err)
{
    const char *amount = args->value[LL_OPT_AMOUNT];
    const char *times = args->value[LL_OPT_TIMES];
    n->times = 1;
    if (amount != NULL &&
        !ll_str_int(ll_cstr(amount), 1, (int64_t)1000000000000, &n->amount_fen))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--amount is a whole number of fen, from 1");
    if (times != NULL && !ll_str_int(ll_cstr(times), 1, TIMES_MAX, &n->times))
        return ll_fail(
            err, LINLI_E_INVALID, "usage", "--times is 1 to %d", TIMES_MAX);
    return LINLI_OK;
}

static linli_status
read_words(const struct ll_args *args, struct notice *n, struct ll_err *err)
{
    n->type = args->words[0];
    n->id = args->words[1];
    n->refund = strcmp(n->type, "refund.done") == 0;
    if (n->refund || strcmp(n->type, "payment.paid") == 0)
        return LINLI_OK;
    linli_status status = ll_fail(err, LINLI_E_INVALID, "usage",
        "`%.64s` is nothing that can be triggered", n->type);
    ll_err_fix(err, "there are payment.paid and refund.done");
    return status;
}

static linli_status
read_secret(struct ll_cli *cli, struct notice *n, struct ll_err *err)
{
    char *path = ll_cli_text(cli, "%s/" SECRET_FILE, cli->data);
    if (path == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a path");
    linli_status status =
        ll_cli_read(cli, path, LL_CLI_FILE_BYTES_MAX, &n->secret, err);
    while (n->secret.len > 0 &&
           (unsigned char)n->secret.ptr[n->secret.len - 1] <= ' ')
        n->secret.len--;
    if (status != LINLI_OK)
        ll_err_fix(err,
            "linlid in development mode makes it: name its folder with --data");
    return status;
}

/* What the simulator was asked for: the sum that is right. */
static linli_status
look_up(struct ll_cli *cli, struct notice *n, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    struct ll_admin_answer answer;
    char *id = ll_cli_segment(cli, n->id);
    char *path =
        id == NULL ? NULL : ll_cli_text(cli, "/v1/dev/sim/order?id=%s", id);
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_host(cli, &ask, path, &answer, err);
    if (status == LINLI_OK) {
        struct ll_jv root = ll_json_root(&answer.json);
        (void)ll_jv_int(ll_jv_get(root, "amount_fen"), &n->amount_fen);
        if (n->refund && n->transaction.len == 0)
            n->transaction = ll_arena_str(
                &cli->arena, ll_jv_str(ll_jv_get(root, "transaction_id")));
    } else if (answer.answer.status == 404) {
        /* The answer to a notice that names nothing is worth seeing too. */
        (void)fprintf(stderr,
            "linli: linlid knows no %s of this id; the notice says 1 fen\n",
            n->refund ? "refund" : "payment");
        n->amount_fen = 1;
        cli->exit_code = LL_EXIT_USAGE;
        status = LINLI_OK;
    }
    ll_admin_answer_free(&answer);
    return status;
}

/* One sum of one payment is one transaction, however often it is told. */
static linli_status
name_transaction(struct ll_cli *cli, struct notice *n, struct ll_err *err)
{
    const char *given = cli->args->value[LL_OPT_TRANSACTION];
    bool other = cli->args->value[LL_OPT_AMOUNT] != NULL;
    if (given != NULL)
        n->transaction = ll_cstr(given);
    else if (!n->refund && other)
        n->transaction = ll_cstr(
            ll_cli_text(cli, "sim-%s-%lld", n->id, (long long)n->amount_fen));
    else if (!n->refund)
        n->transaction = ll_cstr(ll_cli_text(cli, "sim-%s", n->id));
    return n->refund || n->transaction.len > 0
               ? LINLI_OK
               : ll_fail(
                     err, LINLI_E_INVALID, "usage", "--transaction is empty");
}

static void
write_body(struct ll_cli *cli, struct notice *n, int64_t now_ms)
{
    char at[LL_RFC3339_BYTES];
    struct ll_jw w = ll_jw(&n->body);
    ll_rfc3339(now_ms, at);
    ll_buf_init(&n->body, &cli->mem, BODY_BYTES_MAX);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "type");
    ll_jw_cstr(&w, n->type);
    ll_jw_key(&w, n->refund ? "refund_id" : "payment_id");
    ll_jw_cstr(&w, n->id);
    if (n->transaction.len > 0) {
        ll_jw_key(&w, "transaction_id");
        ll_jw_str(&w, n->transaction);
    }
    ll_jw_key(&w, "amount_fen");
    ll_jw_int(&w, n->amount_fen);
    ll_jw_key(&w, "at");
    ll_jw_cstr(&w, at);
    ll_jw_close(&w, '}');
}

/* "Linli-Sim-Signature: ..." in the arena; NULL without memory. */
static const char *
sign(struct ll_cli *cli, const struct notice *n, int64_t now_ms)
{
    struct ll_buf text;
    unsigned char mac[LL_SHA256_BYTES];
    char hex[2 * LL_SHA256_BYTES + 1];
    ll_buf_init(&text, &cli->mem, BODY_BYTES_MAX + 32);
    ll_buf_printf(&text, "%lld.", (long long)(now_ms / 1000));
    ll_buf_str(&text, ll_buf_view(&n->body));
    ll_hmac_sha256(n->secret, ll_buf_view(&text), mac);
    ll_hex(mac, sizeof mac, hex);
    if (cli->args->value[LL_OPT_BAD_SIGNATURE] != NULL)
        hex[0] = hex[0] == '0' ? '1' : '0';
    bool failed = text.failed || n->body.failed;
    ll_buf_fini(&text);
    return failed ? NULL
                  : ll_cli_text(cli, "Linli-Sim-Signature: t=%lld,v1=%s",
                        (long long)(now_ms / 1000), hex);
}

static void
print_answer(struct ll_cli *cli, const struct ll_answer *answer, bool first)
{
    const struct ll_buf *body = &answer->body;
    if (cli->json) {
        (void)printf("%s{\"status\":%d,\"body\":%.*s}", first ? "[" : ",",
            answer->status, (int)body->len, body->ptr);
        return;
    }
    (void)printf("%d ", answer->status);
    ll_cli_print(ll_buf_view(body));
    (void)printf("\n");
}

static linli_status
send(struct ll_cli *cli, const struct notice *n, const char *signature,
    struct ll_err *err)
{
    const char *const headers[] = {"Content-Type: application/json", signature};
    struct ll_ask ask = {.method = "POST",
        .url = "/v1/callbacks/payment/sim",
        .body = ll_buf_view(&n->body),
        .headers = headers,
        .header_count = LL_COUNT(headers),
        .wait_ms = LL_CLI_ANSWER_MS};
    linli_status status = LINLI_OK;
    int worst = 0;
    for (int64_t i = 0; i < n->times && status == LINLI_OK; i++) {
        struct ll_answer answer = {0};
        status = ll_cli_ask(cli, &ask, &answer, err);
        if (status == LINLI_OK)
            print_answer(cli, &answer, i == 0);
        worst = answer.status > worst ? answer.status : worst;
        ll_answer_free(&answer);
    }
    if (cli->json)
        (void)printf("]\n");
    if (status != LINLI_OK || worst < 400)
        return status;
    cli->exit_code = LL_EXIT_REFUSED;
    return ll_fail(
        err, LINLI_E_DENIED, "cli/refused", "the notice was not taken");
}

linli_status
ll_cli_trigger(struct ll_cli *cli, struct ll_err *err)
{
    struct notice n = {.amount_fen = 0};
    int64_t now_ms = 0;
    linli_status status = read_words(cli->args, &n, err);
    if (status == LINLI_OK)
        status = read_amount(cli->args, &n, err);
    if (status == LINLI_OK)
        status = ll_cli_find(cli, err);
    if (status == LINLI_OK)
        status = read_secret(cli, &n, err);
    if (status == LINLI_OK && n.amount_fen == 0)
        status = look_up(cli, &n, err);
    if (status == LINLI_OK)
        status = name_transaction(cli, &n, err);
    if (status == LINLI_OK)
        status = ll_cli_now(cli, &now_ms, err);
    if (status != LINLI_OK)
        return status;
    write_body(cli, &n, now_ms);
    const char *signature = sign(cli, &n, now_ms);
    status = signature == NULL
                 ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a notice")
                 : send(cli, &n, signature, err);
    ll_buf_fini(&n.body);
    return status;
}
