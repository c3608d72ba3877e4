/* server/signed.h: what somebody keeps and may show to others. [loop]
 *
 * An object with a last member `signature`, made by the key of the log
 * (Ed25519, RFC 8032) over a line that says what it is, a newline, and the
 * object's bytes without that member:
 *
 *     linli.copy.v1
 *     {"community":"demo",...}
 *
 * No checkpoint begins so. spec/consent.md, section 7.
 */
#ifndef LL_SERVER_SIGNED_H
#define LL_SERVER_SIGNED_H

#include "server/view.h"

/* `out` ends with an object that begins at `from` and has a member: it gets
 * its signature, as `what`, "linli.copy.v1". "log/sealed": by a host whose log
 * is not the one that was here nothing is signed. */
linli_status ll_signed_close(struct ll_host *host, const char *what,
    struct ll_buf *out, size_t from, struct ll_err *err) LL_USE_RESULT;

/* Writes JSON that is about one person, without others: who acted is named by
 * what they are ("staff", "guardian"), a pid that is not one of `own`
 * (ended by NULL) is "redacted". */
void ll_redacted_put(
    struct ll_jw *w, struct ll_jv value, const char *const *own);

#endif
