/* host/vault.h: values that nobody may read again: secrets of plugins, keys of
 * webhooks. [loop]
 *
 * A value is sealed before it becomes part of a document (AES-256-GCM, a
 * random nonce, a key of its own drawn from the store's key file), so that
 * documents, caches, commits, the file and its copies hold nothing that could
 * be found in them. It is open only in a `struct ll_opened`, for as long as
 * something is signed or sent, and wiped then.
 */
#ifndef LL_HOST_VAULT_H
#define LL_HOST_VAULT_H

#include "base/hash.h"
#include "host/host.h"

/* First eight hexadecimal digits of a keyed hash, and a NUL. */
#define LL_FINGERPRINT_BYTES 9

/* Whose a value is: what was sealed for one opens for no other. */
struct ll_vault_name {
    const char *kind; /* "secret", "webhook" */
    linli_str community, owner, name;
};

struct ll_opened {
    size_t len;
    unsigned char bytes[LL_SECRET_BYTES_MAX];
};

/* Appends `plain`, of at most LL_SECRET_BYTES_MAX bytes, as base64url.
 * "runtime/memory". */
linli_status ll_vault_close(struct ll_host *host,
    const struct ll_vault_name *name, linli_str plain, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;
/* The value; wipe it. "store/unread" if it is not what was sealed under this
 * name, and nothing is in `out`. */
linli_status ll_vault_open(struct ll_host *host,
    const struct ll_vault_name *name, linli_str sealed, struct ll_opened *out,
    struct ll_err *err) LL_USE_RESULT;
void ll_opened_wipe(struct ll_opened *opened);

static inline linli_str
ll_opened_view(const struct ll_opened *opened)
{
    return (linli_str){(const char *)opened->bytes, opened->len};
}

/* By which an operator knows a value again, and nobody finds it. */
void ll_vault_fingerprint(struct ll_host *host, linli_str community,
    linli_str plain, char out[LL_FINGERPRINT_BYTES]);

#endif
