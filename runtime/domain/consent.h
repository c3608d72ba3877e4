/* domain/consent.h: may this plugin have this field of this resident now?
 * [any: one owner, no locks; the host's is the loop]
 *
 * The decision over the state of domain/consent_state.h. Pure: no I/O, no
 * clock; time and today's date are arguments, so that the host, the auditor
 * who folds a log and the tests decide alike. Default deny. Verdicts are kept
 * nowhere: every read is decided anew. spec/consent.md.
 */
#ifndef LL_DOMAIN_CONSENT_H
#define LL_DOMAIN_CONSENT_H

#include "base/buf.h"
#include "domain/dictionary.h"

#define LL_NOBODY UINT32_MAX
#define LL_GONE (UINT32_MAX - 1) /* a guardian who was shredded since */
#define LL_NO_PARTY UINT32_MAX
#define LL_NO_GRANT UINT32_MAX

/* Why, in the order in which it is looked at: the first that fails names the
 * verdict (spec/consent.md, section 2).
 * X(name, word, code for plugins) */
#define LL_REASONS(X)                                                       \
    X(ALLOW, allow, "")                                                     \
    X(LEASE_LOST, lease_lost, "consent/denied")                             \
    X(LOG_UNAVAILABLE, log_unavailable, "consent/denied")                   \
    X(PLUGIN_INACTIVE, plugin_inactive, "consent/denied")                   \
    X(UNKNOWN_SUBJECT, unknown_subject, "consent/denied")                   \
    X(SUBJECT_FROZEN, subject_frozen, "consent/denied")                     \
    X(SUBJECT_DECEASED, subject_deceased, "consent/denied")                 \
    X(NOT_IN_MANIFEST_FIELD, not_in_manifest_field, "consent/not-declared") \
    X(NOT_IN_MANIFEST_PURPOSE, not_in_manifest_purpose,                     \
        "consent/purpose-mismatch")                                         \
    X(NOT_IN_MANIFEST_ACTION, not_in_manifest_action, "consent/denied")     \
    X(PIA_MISSING, pia_missing, "consent/denied")                           \
    X(CLASS_CEILING, class_ceiling, "consent/denied")                       \
    X(REGION, region, "consent/denied")                                     \
    X(OBJECTION, objection, "consent/denied")                               \
    X(GUARDIAN_REQUIRED, guardian_required, "consent/denied")               \
    X(GUARDIAN_SUSPENDED, guardian_suspended, "consent/denied")             \
    X(SELF_RECONFIRM, self_reconfirm, "consent/denied")                     \
    X(NO_GRANT, no_grant, "consent/required")                               \
    X(REVOKED, revoked, "consent/withdrawn")                                \
    X(NOT_YET, not_yet, "consent/denied")                                   \
    X(EXPIRED, expired, "consent/expired")                                  \
    X(POLICY_CHANGED, policy_changed, "consent/required")                   \
    X(LEVEL_TOO_LOW, level_too_low, "consent/required")                     \
    X(FIELD_NOT_GRANTED, field_not_granted, "consent/required")             \
    X(CONDITION, condition, "consent/denied")                               \
    X(CO_SUBJECT, co_subject, "consent/denied")                             \
    X(USES_EXHAUSTED, uses_exhausted, "consent/expired")                    \
    X(VOLUME_CAP, volume_cap, "consent/denied")                             \
    X(COHORT_TOO_SMALL, cohort_too_small, "consent/denied")                 \
    X(INCIDENT_NOT_OPEN, incident_not_open, "consent/denied")               \
    X(REVOKED_IN_FLIGHT, revoked_in_flight, "consent/withdrawn")
enum ll_reason {
#define X(name, word, code) LL_REASON_##name,
    LL_REASONS(X)
#undef X
};
const char *ll_reason_name(enum ll_reason reason);
const char *ll_reason_code(enum ll_reason reason);

#define LL_BASES(X)               \
    X(CONSENT, consent)           \
    X(SEPARATE, separate_consent) \
    X(CONTRACT, contract) X(STATUTORY, statutory) X(EMERGENCY, emergency)
enum ll_basis {
#define X(name, word) LL_BASIS_##name,
    LL_BASES(X)
#undef X
};
/* The word of a basis, and back; false: it is none. */
const char *ll_basis_name(enum ll_basis basis);
bool ll_basis_read(linli_str word, enum ll_basis *out);

/* What an act was: each includes the ones before. */
enum ll_act_level { LL_LEVEL_GENERAL, LL_LEVEL_SEPARATE, LL_LEVEL_WRITTEN };
const char *ll_act_level_name(enum ll_act_level level);

enum ll_remedy {
    LL_REMEDY_NONE,
    LL_REMEDY_ASK,
    LL_REMEDY_RECONFIRM,
    LL_REMEDY_GUARDIAN,
    LL_REMEDY_WAIT
};
/* "none", "ask", "reconfirm", "guardian", "wait". */
const char *ll_remedy_name(enum ll_remedy remedy);

enum ll_action {
    LL_ACTION_READ,
    LL_ACTION_DERIVE,
    LL_ACTION_LIST,
    LL_ACTION_WRITE,
    LL_ACTION_DELETE,
    LL_ACTION_EXPORT
};

struct ll_consent;

/* -- the decision -- */

struct ll_ask {
    uint32_t subject, party;
    uint8_t purpose, field;
    uint8_t action; /* enum ll_action */
    bool auto_decision;
    bool own;      /* the subject's own business: they call, or the
                      timer, job, event or answer is about them, or a
                      document ties them: contract asks for it */
    bool unlogged; /* the log cannot take a leaf: LOG_UNAVAILABLE */
    int64_t now_ms;
    int32_t today; /* days since 1970-01-01 in the community's zone */
};

struct ll_verdict {
    enum ll_reason reason; /* ALLOW: it may */
    enum ll_basis basis;   /* of an ALLOW */
    enum ll_remedy remedy;
    uint32_t grant;        /* of an ALLOW under consent; of a denial the one
                              that came nearest; LL_NO_GRANT */
    uint32_t epoch;        /* of the subject when it was decided */
    int64_t wait_until_ms; /* LL_REMEDY_WAIT: until then */
};

struct ll_verdict ll_consent_decide(
    const struct ll_consent *consent, const struct ll_ask *ask);
/* The same of many subjects, at one state: verdicts[i] is of subjects[i]. */
void ll_consent_decide_all(const struct ll_consent *consent,
    const struct ll_ask *ask, const uint32_t *subjects, uint32_t count,
    struct ll_verdict *verdicts);
/* What a plugin is told: the code, or for a field that is deny_opaque one
 * answer for {no data, never asked, refused, never granted}. */
const char *ll_verdict_code(const struct ll_consent *consent,
    const struct ll_ask *ask, const struct ll_verdict *verdict);

/* Whether a plugin is not to know why: then it reads these. */
bool ll_verdict_hidden(const struct ll_consent *consent,
    const struct ll_ask *ask, const struct ll_verdict *verdict);
#define LL_NO_DATA_CODE "consent/denied"
#define LL_NO_DATA_REASON "no_data"

enum ll_audience { LL_FOR_PLUGIN, LL_FOR_RESIDENT, LL_FOR_AUDITOR };
/* Appends a JSON object: for a plugin {code, reason}; for a resident
 * {sentence, remedy, plugin, field, purpose} in `zh` or English; for an
 * auditor the steps in order with what each saw, up to the one that failed. */
void ll_consent_explain(const struct ll_consent *consent,
    const struct ll_ask *ask, enum ll_audience audience, bool zh,
    struct ll_buf *out);

#endif
