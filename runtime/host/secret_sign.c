/* host/secret_sign.c: call:sign: a text signed with a secret. [loop]
 *
 * It changes nothing and reads no document of the plugin, so a safe route may
 * ask for it. A secret is not part of what a call has read: a run sees the
 * value of the moment.
 */
#include "base/hash.h"
#include "base/text.h"
#include "host/call.h"
#include "host/secret.h"

#define ALGORITHM "hmac-sha256"

static linli_status
sign(struct ll_call *call, struct ll_op *op, struct ll_err *err)
{
    struct ll_opened opened;
    unsigned char hash[LL_SHA256_BYTES];
    char hex[2 * LL_SHA256_BYTES + 1];
    linli_status status = ll_secret_open(call->instance, op->id, &opened, err);
    if (status != LINLI_OK)
        return status;
    ll_hmac_sha256(ll_opened_view(&opened), op->extra, hash);
    ll_opened_wipe(&opened);
    ll_hex(hash, sizeof hash, hex);
    ll_buf_clear(&op->text);
    ll_put_bytes(&op->text, ll_cstr(hex));
    return LINLI_OK;
}

static bool
step_sign(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err;
    if (!ll_secrets_ready(call->instance, &op->wait))
        return false;
    if (sign(call, op, &err) == LINLI_OK)
        ll_op_answer_text(call);
    else
        ll_op_refuse(call, &err);
    return true;
}

static linli_status
take(struct ll_op *op, struct ll_rd *args, struct ll_err *err)
{
    linli_str algorithm = LINLI_STR(ALGORITHM);
    op->id = op->extra = (linli_str){NULL, 0};
    uint32_t count = ll_op_options(args);
    for (uint32_t i = 0; i < count && !args->bad; i++) {
        linli_str name = ll_rd_bytes(args);
        linli_str value = ll_rd_bytes(args);
        if (ll_str_is(name, "secret"))
            op->id = value;
        else if (ll_str_is(name, "text"))
            op->extra = value;
        else if (ll_str_is(name, "algorithm"))
            algorithm = value;
        else
            args->bad = true;
    }
    if (!ll_rd_end(args) || op->id.ptr == NULL || op->extra.ptr == NULL)
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "the name of a secret and a text are expected");
    if (!ll_str_is(algorithm, ALGORITHM))
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "there is one algorithm, \"" ALGORITHM "\"");
    if (op->extra.len > LL_SIGN_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "db/limit",
            "a text of %zu bytes, more than %d", op->extra.len,
            LL_SIGN_BYTES_MAX);
    return LINLI_OK;
}

bool
ll_serve_secret_sign(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct ll_err err;
    if (take(op, args, &err) != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    op->step = step_sign;
    return true;
}
