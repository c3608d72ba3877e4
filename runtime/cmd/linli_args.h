/* cmd/linli_args.h: the command line of `linli`, as a table.
 *
 * Options may stand before or after the verb, as "--name value" or
 * "--name=value". What is unknown, given twice, or not of this verb is an
 * error, never ignored.
 */
#ifndef LL_CMD_LINLI_ARGS_H
#define LL_CMD_LINLI_ARGS_H

#include "base/err.h"
#include "base/limits.h"

enum ll_opt {
    LL_OPT_DATA,
    LL_OPT_URL,
    LL_OPT_JSON,
    LL_OPT_LANG,
    LL_OPT_HELP,
    LL_OPT_TOKEN_FILE,
    LL_OPT_AS,
    LL_OPT_COMMUNITY,
    LL_OPT_TTL,
    LL_OPT_CLAIMS,
    LL_OPT_BODY,
    LL_OPT_KEY,
    LL_OPT_HEADER,
    LL_OPT_INCLUDE,
    LL_OPT_CONFIG,
    LL_OPT_DEVICE_KEY,
    LL_OPT_EXACT,
    LL_OPT_FILE,
    LL_OPT_FROM,
    LL_OPT_IF_MATCH,
    LL_OPT_KIND,
    LL_OPT_PARTIAL,
    LL_OPT_PLUGIN,
    LL_OPT_REASON,
    LL_OPT_STATE,
    LL_OPT_TO,
    LL_OPT_TYPES,
    LL_OPT_AMOUNT,
    LL_OPT_BAD_SIGNATURE,
    LL_OPT_TIMES,
    LL_OPT_TRANSACTION,
    LL_OPT_CHECKPOINT,
    LL_OPT_AFTER,
    LL_OPT_FORMAT,
    LL_OPT_OUT,
    LL_OPT_SECRET,
    LL_OPT_PAYERS,
    LL_OPT_USERS,
    LL_OPT_START,
    LL_OPT_SEATS,
    LL_OPT_CAP,
    LL_OPT_NOW,
    LL_OPT_COUNT
};

struct ll_opt_text {
    const char *form; /* "--ttl S" */
    const char *en, *zh;
    bool global; /* of every verb */
};

enum ll_verb_id {
    LL_VERB_ALERTS,
    LL_VERB_ALERTS_CLOSE,
    LL_VERB_AUDIT_EXPORT,
    LL_VERB_AUDIT_KEY,
    LL_VERB_AUDIT_PROVE,
    LL_VERB_AUDIT_REPLAY,
    LL_VERB_AUDIT_VERIFY,
    LL_VERB_AUDIT_RECEIPT,
    LL_VERB_BACKUP,
    LL_VERB_CALL,
    LL_VERB_CLOCK_ADVANCE,
    LL_VERB_CLOCK_GET,
    LL_VERB_CLOCK_SET,
    LL_VERB_DOCTOR,
    LL_VERB_EXPLAIN,
    LL_VERB_HELP,
    LL_VERB_INVOICE_CREDIT,
    LL_VERB_INVOICE_FINALIZE,
    LL_VERB_INVOICE_LIST,
    LL_VERB_INVOICE_PREVIEW,
    LL_VERB_INVOICE_SHOW,
    LL_VERB_INVOICE_WRITE_OFF,
    LL_VERB_JOBS,
    LL_VERB_JOBS_DROP,
    LL_VERB_JOBS_RETRY,
    LL_VERB_JOBS_SHOW,
    LL_VERB_PLAN_CLOSE,
    LL_VERB_PLAN_LIST,
    LL_VERB_PLAN_PREVIEW,
    LL_VERB_PLAN_PUBLISH,
    LL_VERB_PLAN_SHOW,
    LL_VERB_PLUGIN_DISABLE,
    LL_VERB_PLUGIN_ENABLE,
    LL_VERB_PLUGIN_LIST,
    LL_VERB_PLUGIN_UNINSTALL,
    LL_VERB_RATE,
    LL_VERB_RECONCILE,
    LL_VERB_REPLAY,
    LL_VERB_RESIDENTS_IMPORT,
    LL_VERB_RESTORE,
    LL_VERB_SECRET_DELETE,
    LL_VERB_SECRET_LIST,
    LL_VERB_SECRET_SET,
    LL_VERB_SEED,
    LL_VERB_SETTLE,
    LL_VERB_SINK_ADD,
    LL_VERB_SINK_DELETE,
    LL_VERB_SINK_LIST,
    LL_VERB_SINK_RESUME,
    LL_VERB_SUBSCRIBE_CANCEL,
    LL_VERB_SUBSCRIBE_CAP,
    LL_VERB_SUBSCRIBE_DOWNGRADE,
    LL_VERB_SUBSCRIBE_LIST,
    LL_VERB_SUBSCRIBE_PAUSE,
    LL_VERB_SUBSCRIBE_RESUME,
    LL_VERB_SUBSCRIBE_SHOW,
    LL_VERB_SUBSCRIBE_START,
    LL_VERB_SUBSCRIBE_UPGRADE,
    LL_VERB_TOKEN,
    LL_VERB_TRIGGER,
    LL_VERB_USAGE,
    LL_VERB_USAGE_EXPORT,
    LL_VERB_VERSION,
    LL_VERB_WEBHOOK_ADD,
    LL_VERB_WEBHOOK_DELETE,
    LL_VERB_WEBHOOK_LIST,
    LL_VERB_WEBHOOK_ROTATE,
    LL_VERB_COUNT
};

struct ll_verb {
    enum ll_verb_id id;
    const char *name;              /* "plugin enable": one or two words */
    const char *usage;             /* the words and main options after it */
    uint32_t words_min, words_max; /* after the name */
    uint64_t options;              /* bit per ll_opt, besides the global */
    const char *about_en, *about_zh;
};

struct ll_args {
    const struct ll_verb *verb;      /* NULL: only options were given */
    const char *value[LL_OPT_COUNT]; /* NULL: not given; "" for a flag */
    const char *headers[LL_CLI_HEADERS_MAX];
    uint32_t header_count;
    const char *words[LL_CLI_WORDS_MAX]; /* after the verb */
    uint32_t word_count;
};

/* Reads argv, which stays the caller's and is pointed into. On failure the
 * code is "usage" and `fix` may say what was probably meant; the global
 * options seen before it are in *args all the same. */
linli_status ll_args_parse(int argc, char *const *argv, struct ll_args *args,
    struct ll_err *err) LL_USE_RESULT;

/* The table, in the order of `linli help`; NULL past the end. */
const struct ll_verb *ll_verb_at(size_t index);

/* What help says about an option. */
struct ll_opt_text ll_opt_text(enum ll_opt opt);

/* Edits that make one word of the other; words over 31 bytes are far. */
unsigned ll_edit_distance(linli_str a, linli_str b);

#endif
