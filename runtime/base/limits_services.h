/* base/limits_services.h: the bounds of what the host does towards the
 * outside.
 *
 * Part of limits.h.
 */
#ifndef LL_BASE_LIMITS_SERVICES_H
#define LL_BASE_LIMITS_SERVICES_H

/* -- egress: spec/egress.md -- */
#define LL_EGRESS_HOSTS_MAX 32          /* that one manifest declares */
#define LL_EGRESS_URL_BYTES_MAX 4096    /* written out, escapes and all */
#define LL_EGRESS_HEADERS_MAX 32        /* that a plugin sets */
#define LL_EGRESS_HEADER_BYTES_MAX 8192 /* names and values of these */
#define LL_EGRESS_BODY_BYTES_MAX 262144 /* of a request */
#define LL_EGRESS_ANSWER_BYTES_DEFAULT 65536
#define LL_EGRESS_ANSWER_BYTES_MAX 262144       /* two of it fit a frame */
#define LL_EGRESS_ANSWER_HEADER_BYTES_MAX 16384 /* interim ones included */
#define LL_EGRESS_ANSWER_HEADERS_MAX 64
#define LL_EGRESS_MS_DEFAULT 10000 /* redirects and waiting included */
#define LL_EGRESS_MS_MIN 1000
#define LL_EGRESS_MS_MAX 60000
#define LL_EGRESS_CONNECT_MS 5000    /* to resolve, connect and shake hands */
#define LL_EGRESS_REDIRECTS_MAX 5    /* each judged as the first was */
#define LL_EGRESS_TRIES_MAX 3        /* while nothing could be sent */
#define LL_EGRESS_TRY_MS 200         /* between two of these */
#define LL_EGRESS_IN_FLIGHT_MAX 8    /* of a plugin in a community */
#define LL_EGRESS_WAITING_MAX 64     /* for one of these; then refused */
#define LL_EGRESS_PER_MINUTE_MAX 600 /* of a plugin in a community */
#define LL_EGRESS_BURST_MAX 120      /* of these at once */
#define LL_EGRESS_IDLE_CONNECTIONS 4 /* kept open for the next request */
#define LL_EGRESS_IDLE_MS 60000      /* then they are closed */
#define LL_EGRESS_ALLOWED_MAX 64     /* private addresses of a configuration */

/* -- payments: spec/payments.md -- */
#define LL_PAY_FEN_MAX 10000000000 /* of one payment: 100,000,000 yuan */
#define LL_PAY_TRANSACTIONS_MAX 32 /* of one payment; more are not taken */
#define LL_PAY_REFUNDS_MAX 64      /* of one, half of them asked for */
#define LL_PAY_TITLE_BYTES_MAX 127 /* what providers take */
#define LL_PAY_REASON_BYTES_MAX 80 /* of a refund: the same */
#define LL_PAY_CHANNEL_BYTES_MAX 32
#define LL_PAY_TRANSACTION_BYTES_MAX 64 /* a provider's id */
#define LL_PAY_WITH_BYTES_MAX 16384
#define LL_PAY_PARAMS_BYTES_MAX 8192  /* what a provider answers */
#define LL_PAY_WINDOW_MS 900000       /* unless `pay_by` says otherwise */
#define LL_PAY_NOTICE_BYTES_MAX 65536 /* of a callback */
#define LL_PAY_SKEW_S_MAX 300         /* of a notice's signature, either way */

/* -- pages: spec/consent.md, section 3 -- */
#define LL_PAGES_POLICY_BYTES_MAX 1536 /* eight origins of 128 bytes in it */

#endif
