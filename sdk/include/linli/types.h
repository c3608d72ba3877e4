/* linli/types.h: the words every Linli interface shares.
 *
 * Included by linli/plugin.h (plugin authors) and linli/host.h (embedders).
 * Nothing here depends on a build option, and nothing here may change
 * layout: see spec/abi.md. Compiles alone as C11, C17 and C++11.
 */
#ifndef LINLI_TYPES_H
#define LINLI_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A run of bytes: not NUL-terminated, and borrowed unless the function that
 * takes or returns it says otherwise. ptr may be NULL only if len is 0. */
typedef struct linli_str {
    const char *ptr;
    size_t len;
} linli_str;

/* A string literal as a linli_str; `s` must be a literal. */
#ifdef __cplusplus
#define LINLI_STR(s) (linli_str{(s), sizeof(s) - 1})
#else
#define LINLI_STR(s) ((linli_str){(s), sizeof(s) - 1})
#endif

/* The outcome of a call: 0, or a negative code. The set is open: a code you
 * do not know means failure, and `linli_status_name` may not know it. */
typedef int32_t linli_status;

#define LINLI_OK 0
#define LINLI_E_UNSUPPORTED (-1) /* not known here, or not built in */
#define LINLI_E_INVALID (-2)     /* an argument or input breaks a rule */
#define LINLI_E_DENIED (-3)      /* a capability or permission is missing */
#define LINLI_E_CONSENT (-4)     /* the resident has not consented */
#define LINLI_E_QUOTA (-5)       /* a plan's or plugin's quota is used up */
#define LINLI_E_DEADLINE (-6)    /* the time allowed has passed */
#define LINLI_E_CANCELLED (-7)   /* the caller or the host gave up */
#define LINLI_E_AGAIN (-8)       /* cannot now; the same call may pass later */
#define LINLI_E_CONFLICT (-9)    /* the state does not allow it */
#define LINLI_E_INTERNAL (-10)   /* a bug, in Linli or in the plugin */
#define LINLI_E_NOMEM (-11)      /* memory, or a memory limit, is used up */
#define LINLI_E_NOT_FOUND (-12)  /* no such thing, or not for you */
#define LINLI_E_IO (-13)         /* the operating system refused */
#define LINLI_E_LIMIT (-14)      /* a named bound was reached */
#define LINLI_E_PROTOCOL (-15)   /* the peer broke the protocol */
#define LINLI_E_CLOSED (-16)     /* the peer, or the host, has gone */

#ifdef __cplusplus
}
#endif
#endif
