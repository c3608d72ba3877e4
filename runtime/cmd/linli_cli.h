/* cmd/linli_cli.h: what the verbs of `linli` share.
 *
 * One process, one verb, one thread. Texts made on the way live in the
 * arena until the process ends. A verb returns LINLI_OK, or a failure that
 * linli.c reports; `cli->exit_code` says how the process then ends.
 */
#ifndef LL_CMD_LINLI_CLI_H
#define LL_CMD_LINLI_CLI_H

#include <stdio.h>

#include "base/json.h"
#include "base/report.h"
#include "cmd/linli_args.h"
#include "cmd/linli_verbs.h"
#include "world/world.h"

#define LL_CLI_DATA_DEFAULT "./linli-data"
#define LL_CLI_COMMUNITY_DEFAULT "demo"
#define LL_CLI_STATE_FILE "linlid.json" /* written by linlid; mode 0600 */

/* Exit statuses, spec/cli.md. */
enum ll_exit {
    LL_EXIT_OK = 0,
    LL_EXIT_REFUSED = 1,   /* linlid or a plugin answered 400 or more */
    LL_EXIT_USAGE = 2,     /* the command line, a file, this machine */
    LL_EXIT_NO_DAEMON = 3, /* nobody answers */
};

struct ll_cli {
    const struct ll_args *args;
    struct ll_mem mem;
    struct ll_arena arena;
    struct ll_world *world; /* clock and random bytes */
    const char *data;       /* the data directory */
    const char *community;
    const char *base_url;    /* once ll_cli_find has found linlid */
    const char *admin_token; /* of it; NULL: it was found by its address */
    bool virtual_clock;      /* it has a clock of its own */
    const char *asked;       /* the last request, "GET http://…"; or NULL */
    enum ll_lang lang;
    bool json;
    enum ll_exit exit_code; /* of a failure; LL_EXIT_USAGE at first */
    char title[128];        /* of a problem that our table does not have */
};

/* -- linli_cli.c: files, texts -- */

/* A NUL-terminated text in the arena; NULL without memory. */
char *ll_cli_text(struct ll_cli *cli, const char *fmt, ...) LL_PRINTF(2, 3);

/* Reads a file, or stdin if `path` is "-", into the arena. More than
 * `bytes_max` is refused. Code "cli/file", `where` the path. */
linli_status ll_cli_read(struct ll_cli *cli, const char *path, size_t bytes_max,
    linli_str *out, struct ll_err *err) LL_USE_RESULT;

/* Reads the last `bytes` of a file, or all of it, into the arena. */
linli_status ll_cli_read_end(struct ll_cli *cli, const char *path, size_t bytes,
    linli_str *out) LL_USE_RESULT;

/* Where linli-worker lies: beside linli, or where `make install` puts it. */
#define LL_CLI_PATH_BYTES_MAX 4096
bool ll_cli_worker(char path[LL_CLI_PATH_BYTES_MAX]) LL_USE_RESULT;

/* Prints a line in the language that was asked for, or in both. */
void ll_cli_both(
    FILE *out, const struct ll_cli *cli, const char *en, const char *zh);

/* -- linli_token.c -- */

/* A bearer token for "ROLE:ID" of a community: from --token-file if given,
 * else signed with DIR/dev.key, and valid by linlid's clock. In the arena. */
linli_status ll_cli_mint(struct ll_cli *cli, const char *as,
    linli_str community, linli_str *token, struct ll_err *err) LL_USE_RESULT;
/* The token in --token-file, which is given. In the arena. */
linli_status ll_cli_token_file(
    struct ll_cli *cli, linli_str *token, struct ll_err *err) LL_USE_RESULT;

/* The operator that the admin verbs act as. */
#define LL_CLI_OPERATOR "operator:linli"

/* -- linli_http.c -- */

struct ll_ask {
    const char *method;
    const char *url;            /* absolute, or a path on linlid */
    linli_str token;            /* empty: no Authorization */
    linli_str body;             /* ptr NULL: none */
    const char *const *headers; /* "Name: value", NUL-terminated */
    uint32_t header_count;
    int64_t wait_ms;
};

struct ll_answer {
    int status;
    struct ll_buf headers; /* status line and fields as they came */
    struct ll_buf body;
    char content_type[128]; /* without parameters, lower case */
};

/* Finds linlid: --url, or DIR/linlid.json and a healthy answer of the
 * process it names. Failure: "cli/no-daemon", exit code 3. */
linli_status ll_cli_find(struct ll_cli *cli, struct ll_err *err) LL_USE_RESULT;

/* The time that linlid goes by, in ms since 1970: with --clock=virtual it is
 * asked, otherwise it is this machine's. Without --url or a DIR/linlid.json
 * there is nobody to differ from. */
linli_status ll_cli_now(
    struct ll_cli *cli, int64_t *ms, struct ll_err *err) LL_USE_RESULT;

/* Sends one request and waits. Any status is LINLI_OK; no answer is
 * "cli/no-daemon". Free the answer in any case. */
linli_status ll_cli_ask(struct ll_cli *cli, const struct ll_ask *ask,
    struct ll_answer *answer, struct ll_err *err) LL_USE_RESULT;
void ll_answer_free(struct ll_answer *answer);

/* LINLI_OK for a status below 400. Otherwise fills `err` from the answer's
 * problem+json, code included, and sets exit code 1. */
linli_status ll_cli_judge(struct ll_cli *cli, const struct ll_answer *answer,
    struct ll_err *err) LL_USE_RESULT;

/* -- linli_admin.c: linlid's own paths -- */

/* A segment of a path, or a value of a query: only unreserved characters
 * stay as they are. NULL without memory. */
char *ll_cli_segment(struct ll_cli *cli, const char *text);

/* What an admin path answers. */
struct ll_admin_answer {
    struct ll_answer answer;
    struct ll_json json; /* texts stay with `answer` */
};
void ll_admin_answer_init(struct ll_cli *cli, struct ll_admin_answer *answer);
void ll_admin_answer_free(struct ll_admin_answer *answer);

/* One request to /v1/c/COMMUNITY/admin + `below` (NULL: it was too long) as
 * the operator, or to a path of the host's own with the admin token. The
 * answer is judged and read; a token that was made stays in ask->token for
 * the next. */
linli_status ll_cli_ask_admin(struct ll_cli *cli, struct ll_ask *ask,
    const char *below, struct ll_admin_answer *answer,
    struct ll_err *err) LL_USE_RESULT;
linli_status ll_cli_ask_host(struct ll_cli *cli, struct ll_ask *ask,
    const char *path, struct ll_admin_answer *answer,
    struct ll_err *err) LL_USE_RESULT;

/* The member `reason` of --reason, which has to be given. */
linli_status ll_cli_put_reason(
    struct ll_cli *cli, struct ll_jw *w, struct ll_err *err) LL_USE_RESULT;

/* With --json prints the answer as it came. */
bool ll_cli_printed(
    const struct ll_cli *cli, const struct ll_admin_answer *answer);

/* -- linli_list.c -- */

/* A list that is read to its end. With --json the pages become one. */
struct ll_listing {
    struct ll_cli *cli;
    const char *below; /* "/usage?limit=1000", to which a cursor is added */
    /* A page, of which there is at least one; unless --json. */
    void (*page)(const struct ll_cli *cli, struct ll_jv page, bool first);
    bool one_page;     /* the first has all that `page` shows */
    struct ll_buf out; /* --json: the pages so far */
    struct ll_jw w;
};

/* Appends "&name=VALUE" of an option that is given. */
void ll_cli_add_param(struct ll_buf *query, struct ll_cli *cli,
    const char *name, enum ll_opt opt);
/* Asks for `query`, "/usage?limit=1000&...", and prints what there is. */
linli_status ll_cli_print_query(struct ll_cli *cli, struct ll_listing *list,
    const struct ll_buf *query, struct ll_err *err) LL_USE_RESULT;
/* A member with a text, in a column of a table. */
void ll_cli_print_column(struct ll_jv item, const char *name, int width);

/* -- linli_secret.c -- */

/* What stdin or --file holds, without its line end, in the arena; not empty.
 * What is typed is not shown. */
linli_status ll_cli_secret_value(
    struct ll_cli *cli, linli_str *value, struct ll_err *err) LL_USE_RESULT;

/* -- linli_device.c -- */

/* A call as linli_call.c puts it together: what a device signs of it. */
struct ll_signed {
    const char *device; /* its id */
    const char *method;
    const char *target; /* "/v1/...?..." as it is sent */
    linli_str body;
};
/* "Linli-Signature: ..." by --device-key, in the arena. */
linli_status ll_cli_sign(struct ll_cli *cli, const struct ll_signed *what,
    const char **header, struct ll_err *err) LL_USE_RESULT;

/* Prints text that others wrote, as ll_put_safe makes it; cut at
 * LL_CLI_PRINT_BYTES_MAX. */
#define LL_CLI_PRINT_BYTES_MAX 8192
void ll_cli_print(linli_str text);

/* Prints the JSON in `take_json` as one line and frees the buffer. */
linli_status ll_cli_print_json(
    struct ll_buf *take_json, struct ll_err *err) LL_USE_RESULT;

#endif
