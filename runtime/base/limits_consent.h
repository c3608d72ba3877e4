/* base/limits_consent.h: the bounds of what is kept of residents and of who
 * may have it.
 *
 * Part of limits.h.
 */
#ifndef LL_BASE_LIMITS_CONSENT_H
#define LL_BASE_LIMITS_CONSENT_H

/* -- decisions: spec/consent.md, section 2 -- */
#define LL_CONSENT_COOLDOWN_MS 2592000000 /* after a refusal: 30 days */
#define LL_CONSENT_GRANTS_MAX 67108864    /* that one host holds */

/* -- acts: spec/consent.md, section 3 -- */
#define LL_CONSENT_DAY_MS 86400000L
#define LL_CONSENT_SCOPES_MAX 256    /* of one plugin: field and purpose */
#define LL_CONSENT_TIDY_GRANTS 20000 /* looked at in one sweep */
#define LL_CONSENT_TEXT_TELLS 64     /* told of other words in one turn */
#define LL_CONSENT_TEXT_DAYS 30      /* that a list points to other words */

/* -- people and their values: spec/consent.md, section 5 -- */
#define LL_FIELD_VALUE_BYTES_MAX 4096 /* of one value, as JSON */
#define LL_FIELD_VALUE_DEPTH_MAX 8
#define LL_IMPORT_ERRORS_MAX 1000     /* that one answer lists */
#define LL_RECONFIRM_DAYS_DEFAULT 30  /* configured */
#define LL_GUARDIANS_MAX 16           /* of one resident, not ended */
#define LL_RESIDENT_BYTES_MAX 128     /* of an id of one */
#define LL_PROOF_BYTES_MAX 128        /* of words that show something */
#define LL_FIELD_LIST_MAX 64          /* items of a value that is a list */
#define LL_ASSIST_CODE_MS 600000      /* a code of staff's holds so long */
#define LL_ASSIST_CODE_AGAIN_MS 60000 /* another is sent no sooner */
#define LL_ASSIST_FORM_BYTES_MAX 64   /* of the number of a paper form */
#define LL_TELLS_OPEN_MAX 16          /* messages of the host, of a community */
#define LL_SUBJECT_TIMES_MAX 100000   /* one may be erased and come back */

/* -- what a plugin declares and is given: section 4 -- */
#define LL_DATA_USES_MAX 64    /* uses of fields that a manifest declares */
#define LL_ROUTE_FIELDS_MAX 16 /* that travel with a route's call */
#define LL_RELEASES_MAX 256    /* values that one call is given */
#define LL_RELAY_DIGITS 8      /* of a relay's number, after the prefix */
#define LL_RELAY_PREFIX_BYTES_MAX 16
#define LL_RELAY_BYTES_MAX 32 /* the whole number, with a NUL */
#define LL_GRANT_DAYS_MAX 365 /* of any grant */

/* -- rights: section 7 -- */
#define LL_COMPLIANCE_MAX 4         /* calls of the host that one handles */
#define LL_STATUTORY_DAYS_MAX 10950 /* kept after an erasure: 30 years */
#define LL_REVOKED_DAYS 7           /* to act on a consent that has ended */
#define LL_DUTY_DAYS 15             /* for what a plugin has not done itself */
#define LL_UNINSTALL_DAYS_DEFAULT 3 /* one that leaves has to say it heard */
#define LL_REDACT_DAYS_DEFAULT 15   /* a plugin has to forget a resident */
#define LL_EXPORT_CALL_MS 86400000  /* a plugin has to give what it keeps */
#define LL_PAYMENT_KEPT_DAYS 1095   /* e-commerce law, art. 31 */
#define LL_ERASE_ROWS 128           /* documents of one step */
#define LL_ERASE_TARGETS_MAX 1024   /* subjects of one resident */
#define LL_REQUEST_RECHECK_MS 60000 /* first; doubled, at most an hour */
#define LL_REQUESTS_OPEN_MAX 1      /* of a community, under way at once */
#define LL_EXPORT_KEPT_MS 604800000 /* 7 days in which a copy is fetched */
#define LL_EXPORT_ROWS 100          /* documents of one page of it */
#define LL_REQUEST_ID_DIGITS 32     /* random: who has it may ask for it */

/* -- the log: spec/log.md -- */
#define LL_LOG_HEAD_MS 1000     /* the head is signed no more often */
#define LL_LOG_HURRY_MS 20      /* nor than this where somebody waits for it */
#define LL_RECEIPT_WAIT_MS 3000 /* for its act to be durable and signed */
#define LL_LOG_LOOKED_MAX 20000 /* leaves, for one page of an operator's */

#endif
