/* host/jwt.h: who calls: bearer tokens (RFC 6750, 7515, 7519, 8725). [loop]
 *
 * A compact JWS is verified with a key ring, never with anything the token
 * itself brings. spec/auth.md is the contract. No message here repeats any
 * part of a token.
 */
#ifndef LL_HOST_JWT_H
#define LL_HOST_JWT_H

#include "host/jwks.h"
#include "plugin/manifest.h"

/* A verified caller. Counted, one thread; never changes. Strings live as
 * long as it does and are NUL-terminated past their length. */
struct ll_identity {
    enum ll_caller_kind kind; /* resident, staff, operator or app */
    bool elder;               /* claim `elder` */
    bool development;         /* vouched for by a development key */
    linli_str id;             /* claim `sub`: the issuer's own id */
    linli_str community;
    linli_str household; /* empty if the token names none */
    linli_str roles;     /* a JSON array of strings, "[]" if none */
    linli_str amr;       /* the same: how the person logged in (RFC 8176) */
    int64_t from_ms;     /* valid for from_ms <= now < expires_ms; */
    int64_t expires_ms;  /* both bounds have the leeway in them */
    /* private */
    struct ll_mem *mem;
    size_t bytes;
    uint32_t refs;
};

/* Takes the token out of the value of an Authorization header; ptr NULL
 * means that there is no such header. "auth/missing": none, or another
 * scheme than Bearer. "auth/invalid": not the form of a bearer token. The
 * token is borrowed from `header`. */
linli_status ll_bearer_token(
    linli_str header, linli_str *token, struct ll_err *err) LL_USE_RESULT;

/* Verifies `token` at `now_ms` (wall clock). On LINLI_OK *out is a new
 * identity with one reference. Failures: LINLI_E_DENIED with "auth/invalid"
 * or "auth/expired"; LINLI_E_NOMEM with "runtime/memory". Whether the
 * community is the path's is the caller's question. */
linli_status ll_jwt_verify(struct ll_mem *mem, const struct ll_jwks *jwks,
    linli_str token, int64_t now_ms, struct ll_identity **out,
    struct ll_err *err) LL_USE_RESULT;

/* Whether the signature of a compact JWS is this key's, by the key's own
 * algorithm. Looks at neither header nor payload. */
bool ll_jws_holds(const struct ll_jwk *key, linli_str token);

static inline bool
ll_identity_live(const struct ll_identity *identity, int64_t now_ms)
{
    return now_ms >= identity->from_ms && now_ms < identity->expires_ms;
}

/* Who a device is once its signature held; one reference, never expires.
 * NULL without memory. */
struct ll_identity *ll_identity_device(
    struct ll_mem *mem, linli_str id, linli_str community);

struct ll_identity *ll_identity_ref(struct ll_identity *identity);
/* Clears the pointer; frees with the last reference. NULL inside is fine. */
void ll_identity_unref(struct ll_identity **identity);

#endif
