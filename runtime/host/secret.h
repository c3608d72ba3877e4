/* host/secret.h: what an operator gives a plugin to use and not to see:
 * spec/secrets.md. [loop]
 *
 * One document of the plugin's own space (~secret) each, whose id is the
 * name; the value in it is sealed (host/vault.h). A plugin names a secret in
 * a fetch, as {{secret:NAME}} within the value of a header, or has something
 * signed with it.
 */
#ifndef LL_HOST_SECRET_H
#define LL_HOST_SECRET_H

#include "host/vault.h"

#define LL_SECRET_COLL "~secret"

/* What an instance has of its secrets in memory: sealed, as documents. */
struct ll_secrets;

/* Asks for those that the version that serves declares: called when it begins
 * to serve, so that they are there when they are wanted. */
void ll_secrets_open(struct ll_instance *instance);
/* True if all that it declares are there to be used (or the store has failed,
 * which using them tells); else `wait` is told when to ask again. */
bool ll_secrets_ready(struct ll_instance *instance, struct ll_wait *wait);
/* For an instance that goes. */
void ll_secrets_close(struct ll_instance *instance);

/* The value of a secret that the plugin declares; wipe it after use.
 * LINLI_E_DENIED "secret/undeclared"; LINLI_E_NOT_FOUND "secret/unset", whose
 * message names the command; LINLI_E_AGAIN "runtime/busy" if it is not ready
 * yet (ll_secrets_ready tells when); LINLI_E_IO "store/failed", "store/unread".
 */
linli_status ll_secret_open(struct ll_instance *instance, linli_str name,
    struct ll_opened *out, struct ll_err *err) LL_USE_RESULT;

/* Whether `text` names a secret, as {{secret:NAME}}. */
bool ll_secret_named(linli_str text);
/* Checks that each secret which `text` names is declared and well written:
 * "secret/undeclared", "secret/reference". For what is asked now and sent
 * later. */
linli_status ll_secret_check(const struct ll_instance *instance, linli_str text,
    struct ll_err *err) LL_USE_RESULT;
/* Appends `text` with each {{secret:NAME}} replaced by its value. On failure
 * (those of ll_secret_open and ll_secret_check, "runtime/memory") `out` is as
 * long as it was. `out` holds secrets: ll_wipe it before it goes; it is made
 * large enough at once, so that growing leaves no copy behind. No value has a
 * control character, so it can stand in a header. */
linli_status ll_secret_expand(struct ll_instance *instance, linli_str text,
    struct ll_buf *out, struct ll_err *err) LL_USE_RESULT;

/* -- for the operator's paths -- */

/* Lower-case letters, digits and '_', 1 to 48 of them, the first a letter. */
bool ll_secret_name_valid(linli_str name);
/* "request/invalid" unless it is 1 to LL_SECRET_BYTES_MAX bytes of UTF-8
 * without control characters. */
linli_status ll_secret_value_check(
    linli_str value, struct ll_err *err) LL_USE_RESULT;
/* Appends the document that keeps `value`. */
linli_status ll_secret_write(struct ll_instance *instance, linli_str name,
    linli_str value, struct ll_buf *out, struct ll_err *err) LL_USE_RESULT;

#endif
