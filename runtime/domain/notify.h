/* domain/notify.h: messages to residents: what they say, and by which way.
 * [any] pure
 *
 * spec/notify.md. A template is a text with places, "{date}", that values are
 * put into. A message has channels in the order of preference; after each try
 * one decision says what comes next.
 */
#ifndef LL_DOMAIN_NOTIFY_H
#define LL_DOMAIN_NOTIFY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/* X(NAME, word) */
#define LL_WAYS(X)  \
    X(PUSH, "push") \
    X(SMS, "sms")   \
    X(VOICE, "voice")

enum ll_way {
#define X(name, word) LL_WAY_##name,
    LL_WAYS(X)
#undef X
        LL_WAY_COUNT
};
/* "push", "sms", "voice". */
const char *ll_way_name(enum ll_way channel);
/* False, and *out kept, for any other word. */
bool ll_way_read(linli_str word, enum ll_way *out);

/* -- what it says -- */

struct ll_template {
    linli_str text;                              /* borrowed */
    linli_str names[LL_NOTIFY_PLACEHOLDERS_MAX]; /* in it, each once */
    uint32_t name_count;
};

/* Reads a template: "{name}" is a place, "{{" and "}}" are braces. `text` is
 * borrowed. LINLI_E_INVALID, code "manifest/invalid", for a brace alone, a
 * name that is none ([a-z][a-z0-9_]*, at most LL_NOTIFY_NAME_BYTES_MAX), a
 * control character but a new line, a text that is empty or not UTF-8;
 * LINLI_E_LIMIT for too many names or too long a text. */
linli_status ll_template_read(
    linli_str text, struct ll_template *out, struct ll_err *err) LL_USE_RESULT;
/* Whether a name is one of its places. */
bool ll_template_has(const struct ll_template *t, linli_str name);

struct ll_notify_value {
    linli_str name, text;
};
/* A value as it may stand in a message: UTF-8 without control characters, at
 * most LL_NOTIFY_VALUE_BYTES_MAX bytes. */
bool ll_notify_value_valid(linli_str text);
/* Appends the text with the values, which are there for all its places.
 * LINLI_E_LIMIT, "notify/too-long", if it has more than
 * LL_NOTIFY_TEXT_BYTES_MAX bytes; LINLI_E_NOMEM if `out` has failed. */
linli_status ll_template_render(const struct ll_template *t,
    const struct ll_notify_value *values, uint32_t value_count,
    struct ll_buf *out, struct ll_err *err) LL_USE_RESULT;

/* -- by which way -- */

/* What a provider said of one try. */
enum ll_notify_outcome {
    LL_NOTIFY_ACCEPTED,    /* it has taken the message */
    LL_NOTIFY_FAILED,      /* not now */
    LL_NOTIFY_UNREACHABLE, /* not this resident, whenever */
};

/* Where a message stands. */
struct ll_notify_progress {
    uint32_t channel_count; /* 1..LL_WAY_COUNT */
    uint32_t at;            /* of its channels; channel_count: all failed */
    uint32_t tries;         /* of this channel, that failed */
};

enum ll_notify_next {
    LL_NOTIFY_DONE,  /* it is accepted */
    LL_NOTIFY_WAIT,  /* the same channel, after *wait_ms */
    LL_NOTIFY_OTHER, /* the next channel, at once */
    LL_NOTIFY_LOST,  /* no channel is left */
};

/* Takes the outcome of a try and says what comes next. A channel that others
 * follow is tried LL_NOTIFY_TRIES_MAX times, the last LL_NOTIFY_TRIES_LAST_MAX
 * times, with pauses from LL_NOTIFY_PAUSE_MS_FIRST on, doubled. */
enum ll_notify_next ll_notify_decide(struct ll_notify_progress *progress,
    enum ll_notify_outcome outcome, int64_t *wait_ms);

#endif
