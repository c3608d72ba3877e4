/* cmd/linli_device.c: `linli call --as device:ID`: what a device signs. */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"

#define KEY_BYTES_MIN 16
#define KEY_BYTES_MAX 64 /* what HMAC-SHA256 takes as it is */
#define NONCE_BYTES 16

/* The key as bytes, from "HEX" or "@FILE" with it; spec/devices.md. */
static linli_status
read_key(struct ll_cli *cli, unsigned char key[KEY_BYTES_MAX], size_t *n,
    struct ll_err *err)
{
    const char *given = cli->args->value[LL_OPT_DEVICE_KEY];
    if (given == NULL)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--as device:ID needs --device-key HEX");
    linli_str text = ll_cstr(given);
    linli_status status = LINLI_OK;
    if (given[0] == '@')
        status = ll_cli_read(cli, given + 1, LL_CLI_FILE_BYTES_MAX, &text, err);
    while (text.len > 0 && strchr("\r\n", text.ptr[text.len - 1]) != NULL)
        text.len--;
    if (status != LINLI_OK)
        return status;
    *n = text.len / 2;
    bool good = text.len % 2 == 0 && *n >= KEY_BYTES_MIN && *n <= KEY_BYTES_MAX;
    for (size_t i = 0; good && i < *n; i++) {
        char pair[3] = {text.ptr[2 * i], text.ptr[2 * i + 1], '\0'};
        unsigned byte = 0;
        good = strspn(pair, "0123456789abcdefABCDEF") == 2 &&
               sscanf(pair, "%2x", &byte) == 1;
        key[i] = (unsigned char)byte;
    }
    return good ? LINLI_OK
                : ll_fail(err, LINLI_E_INVALID, "usage",
                      "--device-key is %d to %d bytes, each as two hex digits",
                      KEY_BYTES_MIN, KEY_BYTES_MAX);
}

/* An id that can stand in the header. */
static bool
is_id(const char *id)
{
    size_t n = strlen(id);
    if (n < 1 || n > LL_TOKEN_NAME_BYTES_MAX)
        return false;
    for (const char *p = id; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~' || *p == ',')
            return false;
    return true;
}

/* METHOD \n PATH?QUERY \n ts \n nonce \n hex(SHA-256(body)). */
static void
put_message(struct ll_buf *out, const struct ll_signed *what, int64_t ts,
    const char *nonce)
{
    unsigned char digest[LL_SHA256_BYTES];
    char hex[2 * LL_SHA256_BYTES + 1];
    ll_sha256(
        what->body.ptr == NULL ? "" : what->body.ptr, what->body.len, digest);
    ll_hex(digest, sizeof digest, hex);
    /* A fragment is not sent, and an empty query is none of our making. */
    ll_buf_printf(out, "%s\n%.*s\n%lld\n%s\n%s", what->method,
        (int)strcspn(what->target, "#"), what->target, (long long)ts, nonce,
        hex);
}

linli_status
ll_cli_sign(struct ll_cli *cli, const struct ll_signed *what,
    const char **header, struct ll_err *err)
{
    unsigned char key[KEY_BYTES_MAX], random[NONCE_BYTES];
    unsigned char digest[LL_SHA256_BYTES];
    char nonce[2 * NONCE_BYTES + 1], sig[2 * LL_SHA256_BYTES + 1];
    size_t key_bytes = 0;
    int64_t ms = 0;
    struct ll_buf message;
    *header = NULL;
    if (!is_id(what->device))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "a device's id is 1 to %d visible ASCII characters but ','",
            LL_TOKEN_NAME_BYTES_MAX);
    linli_status status = read_key(cli, key, &key_bytes, err);
    if (status == LINLI_OK)
        status = ll_cli_now(cli, &ms, err);
    if (status != LINLI_OK)
        return status;
    ll_world_random(cli->world, random, sizeof random);
    ll_hex(random, sizeof random, nonce);
    ll_buf_init(&message, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    put_message(&message, what, ms / 1000, nonce);
    ll_hmac_sha256((linli_str){(const char *)key, key_bytes},
        ll_buf_view(&message), digest);
    ll_hex(digest, sizeof digest, sig);
    if (!message.failed)
        *header = ll_cli_text(cli,
            "Linli-Signature: device=%s,ts=%lld,nonce=%s,sig=%s", what->device,
            (long long)(ms / 1000), nonce, sig);
    ll_buf_fini(&message);
    return *header != NULL
               ? LINLI_OK
               : ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no signature");
}
