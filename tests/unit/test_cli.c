/* tests/unit/test_cli.c: the command line of `linli`, and how a failure is
 * told. */
#include "t.h"

#include <stdlib.h>

#include "base/text.h"
#include "cmd/linli_args.h"
#include "base/report.h"

#define ARGV_MAX 48

/* A line of words, split at spaces; an argument may hold '_' for a space. */
static linli_status
parse(const char *line, struct ll_args *args, struct ll_err *err)
{
    static char text[4096];
    static char *argv[ARGV_MAX];
    int argc = 0;
    linli_str rest, part;
    (void)snprintf(text, sizeof text, "%s", line);
    rest = ll_cstr(text);
    argv[argc++] = text; /* the program's name is not looked at */
    while (rest.len > 0 && ll_str_split(&rest, ' ', &part)) {
        text[part.ptr + part.len - text] = '\0';
        argv[argc++] = text + (part.ptr - text);
        if (argc == ARGV_MAX)
            abort();
    }
    memset(err, 0, sizeof *err);
    return ll_args_parse(argc, argv, args, err);
}

static const struct {
    const char *line;
    enum ll_verb_id verb;
    uint32_t words;
    enum ll_opt opt;
    const char *value; /* of opt; NULL: not given */
} good[] = {
    {"call GET /healthz", LL_VERB_CALL, 2, LL_OPT_AS, NULL},
    {"call POST /x --as resident:r1 -d {}", LL_VERB_CALL, 2, LL_OPT_AS,
        "resident:r1"},
    {"--data=d call GET /x", LL_VERB_CALL, 2, LL_OPT_DATA, "d"},
    {"--data d call GET /x", LL_VERB_CALL, 2, LL_OPT_DATA, "d"},
    {"call --data d GET /x", LL_VERB_CALL, 2, LL_OPT_DATA, "d"},
    {"call GET /x --data=", LL_VERB_CALL, 2, LL_OPT_DATA, ""},
    {"call GET /x --data=a=b", LL_VERB_CALL, 2, LL_OPT_DATA, "a=b"},
    {"call POST /x -d{\"a\":1}", LL_VERB_CALL, 2, LL_OPT_BODY, "{\"a\":1}"},
    {"call POST /x -d @-", LL_VERB_CALL, 2, LL_OPT_BODY, "@-"},
    {"call POST /x -d -1", LL_VERB_CALL, 2, LL_OPT_BODY, "-1"},
    {"call POST /x --body=1", LL_VERB_CALL, 2, LL_OPT_BODY, "1"},
    {"call GET /x -i", LL_VERB_CALL, 2, LL_OPT_INCLUDE, ""},
    {"call GET /x -- -y", LL_VERB_COUNT, 0, LL_OPT_AS, NULL},
    {"call -- GET -y", LL_VERB_CALL, 2, LL_OPT_AS, NULL},
    {"plugin enable dir --config f", LL_VERB_PLUGIN_ENABLE, 1, LL_OPT_CONFIG,
        "f"},
    {"--json plugin list", LL_VERB_PLUGIN_LIST, 0, LL_OPT_JSON, ""},
    {"plugin --json list", LL_VERB_PLUGIN_LIST, 0, LL_OPT_JSON, ""},
    {"plugin disable -", LL_VERB_PLUGIN_DISABLE, 1, LL_OPT_JSON, NULL},
    {"token --as staff:s --ttl 5", LL_VERB_TOKEN, 0, LL_OPT_TTL, "5"},
    {"explain", LL_VERB_EXPLAIN, 0, LL_OPT_JSON, NULL},
    {"explain auth/expired", LL_VERB_EXPLAIN, 1, LL_OPT_JSON, NULL},
    {"help plugin list", LL_VERB_HELP, 2, LL_OPT_JSON, NULL},
    {"call -h", LL_VERB_CALL, 0, LL_OPT_HELP, ""},
    {"call PUT /x --if-match 7", LL_VERB_CALL, 2, LL_OPT_IF_MATCH, "7"},
    {"call GET /x --as device:d --device-key=00ff", LL_VERB_CALL, 2,
        LL_OPT_DEVICE_KEY, "00ff"},
    {"clock get", LL_VERB_CLOCK_GET, 0, LL_OPT_JSON, NULL},
    {"clock set 0 --json", LL_VERB_CLOCK_SET, 1, LL_OPT_JSON, ""},
    {"clock advance 1d", LL_VERB_CLOCK_ADVANCE, 1, LL_OPT_JSON, NULL},
    {"seed -", LL_VERB_SEED, 1, LL_OPT_JSON, NULL},
    {"usage --from 1 --to 2", LL_VERB_USAGE, 0, LL_OPT_FROM, "1"},
    {"reconcile", LL_VERB_RECONCILE, 0, LL_OPT_COMMUNITY, NULL},
    {"backup f", LL_VERB_BACKUP, 1, LL_OPT_JSON, NULL},
    {"restore f --data d --key k", LL_VERB_RESTORE, 1, LL_OPT_KEY, "k"},
    {"alerts --kind=k", LL_VERB_ALERTS, 0, LL_OPT_KIND, "k"},
    {"alerts close 7 --reason r", LL_VERB_ALERTS_CLOSE, 1, LL_OPT_REASON, "r"},
    {"jobs", LL_VERB_JOBS, 0, LL_OPT_STATE, NULL},
    {"jobs --state all", LL_VERB_JOBS, 0, LL_OPT_STATE, "all"},
    {"jobs retry p i", LL_VERB_JOBS_RETRY, 2, LL_OPT_JSON, NULL},
    {"jobs --reason=r drop - i", LL_VERB_JOBS_DROP, 2, LL_OPT_REASON, "r"},
    {"jobs show p retry", LL_VERB_JOBS_SHOW, 2, LL_OPT_JSON, NULL},
};

T_CASE(reads_every_form)
{
    for (size_t i = 0; i < LL_COUNT(good); i++) {
        struct ll_args args;
        struct ll_err err;
        if (good[i].verb == LL_VERB_COUNT) {
            /* What follows "--" is a word, here one too many. */
            T_INT(parse(good[i].line, &args, &err), LINLI_E_INVALID);
            continue;
        }
        T_INT(parse(good[i].line, &args, &err), LINLI_OK);
        T_STR(ll_cstr(err.msg), "");
        T_OK(args.verb != NULL && args.verb->id == good[i].verb);
        T_INT(args.word_count, good[i].words);
        const char *value = args.value[good[i].opt];
        T_OK((value == NULL) == (good[i].value == NULL));
        if (value != NULL && good[i].value != NULL)
            T_STR(ll_cstr(value), good[i].value);
    }
}

static const struct {
    const char *line, *msg, *fix;
} bad[] = {
    {"tokn --as resident:r", "unknown verb: tokn", "linli token"},
    {"plugins list", "unknown verb: plugins", "plugin enable, plugin"},
    {"plugn list", "unknown verb: plugn", "plugin enable, plugin"},
    {"plugin lst", "unknown verb: plugin lst", "linli plugin list"},
    {"plugin", "unknown verb: plugin", "plugin disable, plugin enable"},
    {"clok get", "unknown verb: clok", "clock advance, clock get, clock set"},
    {"clock", "unknown verb: clock", "say one of clock advance"},
    {"clock gte", "unknown verb: clock gte", "linli clock get"},
    {"clock frobnicate", "unknown verb: clock frobnicate", "clock advance"},
    {"usge", "unknown verb: usge", "linli usage"},
    {"jobs retyr p i", "unknown verb: jobs retyr", "linli jobs retry"},
    {"jobs parking", "unknown verb: jobs parking", "say one of jobs"},
    {"jobs retry p", "a word is missing", "linli jobs retry PLUGIN ID"},
    {"jobs drop p i j", "too many words", "--reason R"},
    {"alerts clos 1", "unknown verb: alerts clos", "linli alerts close"},
    {"jobs retry p i --reason r", "--reason is no option", NULL},
    {"clock get now", "too many words", NULL},
    {"clock set", "a word is missing", "linli clock set TS"},
    {"seed", "a word is missing", "linli seed FILE"},
    {"restore f --token-file t", "--token-file is no option", NULL},
    {"usage --form 1", "unknown option --form", "did you mean --from"},
    {"reconcile --from 1", "--from is no option of linli reconcile", NULL},
    {"alerts --plugin p", "--plugin is no option of linli alerts", NULL},
    {"token --as a:b --device-key 00", "--device-key is no option", NULL},
    {"frobnicate", "unknown verb: frobnicate", NULL},
    {"token --sa resident:r", "unknown option --sa", "did you mean --as"},
    {"token --ass=resident:r", "unknown option --ass", "did you mean --as"},
    {"token -x", "unknown option -x", NULL},
    {"token --frobnicate", "unknown option --frobnicate", NULL},
    {"token --as", "--as needs a value", NULL},
    {"token --as a:b --as a:b", "--as is given twice", NULL},
    {"call GET /x -d 1 --body=2", "--body is given twice", NULL},
    {"call GET /x -i -i", "--include is given twice", NULL},
    {"token --json=1", "--json takes no value", NULL},
    {"call GET /x -i1", "--include takes no value", NULL},
    {"token --as a:b --config f", "--config is no option of linli token", NULL},
    {"plugin list -d 1", "--body is no option of linli plugin list", NULL},
    {"version --as a:b", "--as is no option of linli version", NULL},
    {"call GET", "a word is missing", "linli call METHOD PATH"},
    {"call GET /x /y", "too many words", "linli call METHOD PATH"},
    {"plugin enable", "a word is missing", "linli plugin enable DIR"},
    {"explain a b", "too many words", NULL},
    {"call 1 2 3 4 5 6 7 8 9", "more than 8 words", NULL},
};

T_CASE(refuses_with_what_was_meant)
{
    for (size_t i = 0; i < LL_COUNT(bad); i++) {
        struct ll_args args;
        struct ll_err err;
        linli_status status = parse(bad[i].line, &args, &err);
        bool as_said =
            status != LINLI_OK && strcmp(err.code, "usage") == 0 &&
            strstr(err.msg, bad[i].msg) != NULL &&
            (bad[i].fix == NULL ? strstr(err.fix, "did you mean") == NULL
                                : strstr(err.fix, bad[i].fix) != NULL);
        T_OK(as_said);
        if (!as_said)
            printf("#   %s: %d | %s | %s\n", bad[i].line, status, err.msg,
                err.fix);
    }
}

T_CASE(keeps_headers_in_order_up_to_a_bound)
{
    struct ll_args args;
    struct ll_err err;
    char line[1024] = "call GET /x";
    T_INT(
        parse("call GET /x -H a:1 --header=b:2 -Hc:3", &args, &err), LINLI_OK);
    T_INT(args.header_count, 3);
    T_STR(ll_cstr(args.headers[0]), "a:1");
    T_STR(ll_cstr(args.headers[1]), "b:2");
    T_STR(ll_cstr(args.headers[2]), "c:3");
    for (int i = 0; i < LL_CLI_HEADERS_MAX; i++)
        (void)snprintf(line + strlen(line), sizeof line - strlen(line), " -Ha");
    T_INT(parse(line, &args, &err), LINLI_OK);
    T_INT(args.header_count, LL_CLI_HEADERS_MAX);
    (void)snprintf(line + strlen(line), sizeof line - strlen(line), " -Ha");
    T_INT(parse(line, &args, &err), LINLI_E_LIMIT);
}

T_CASE(knows_global_options_of_a_line_that_fails)
{
    struct ll_args args;
    struct ll_err err;
    T_INT(parse("--json --lang zh frobnicate", &args, &err), LINLI_E_INVALID);
    T_OK(args.value[LL_OPT_JSON] != NULL);
    T_STR(ll_cstr(args.value[LL_OPT_LANG]), "zh");
    T_INT(parse("", &args, &err), LINLI_OK);
    T_OK(args.verb == NULL);
}

static const struct {
    const char *a, *b;
    unsigned edits;
} distances[] = {
    {"", "", 0},
    {"", "abc", 3},
    {"abc", "", 3},
    {"token", "token", 0},
    {"token", "tokn", 1},
    {"token", "tokken", 1},
    {"token", "toxen", 1},
    {"kitten", "sitting", 3},
    {"--sa", "--as", 2},
    {"abc", "xyz", 3},
    {"1234567890123456789012345678901", "1234567890123456789012345678901", 0},
    {"12345678901234567890123456789012", "1", 32},
};

T_CASE(counts_edits)
{
    for (size_t i = 0; i < LL_COUNT(distances); i++)
        T_INT(
            ll_edit_distance(ll_cstr(distances[i].a), ll_cstr(distances[i].b)),
            distances[i].edits);
}

/* Every verb has its texts, and every bit of its options a form. */
T_CASE(has_a_complete_table)
{
    const struct ll_verb *verb;
    size_t count = 0;
    for (; (verb = ll_verb_at(count)) != NULL; count++) {
        T_INT(verb->id, count);
        T_OK(verb->about_en[0] != '\0' && verb->about_zh[0] != '\0');
        T_OK(verb->words_min <= verb->words_max);
        T_OK(verb->words_max + 2 <= LL_CLI_WORDS_MAX);
        T_OK(verb->options < UINT64_C(1) << LL_OPT_COUNT);
    }
    T_INT(count, LL_VERB_COUNT);
    for (unsigned i = 0; i < LL_OPT_COUNT; i++) {
        struct ll_opt_text text = ll_opt_text((enum ll_opt)i);
        T_OK(text.form != NULL && text.en != NULL && text.zh != NULL);
    }
}

/* What a report prints, into a static buffer. */
static linli_str
printed(const struct ll_report *report, enum ll_lang lang, bool json)
{
    static char text[8192];
    struct ll_mem mem;
    struct ll_buf out;
    ll_mem_init(&mem, 0);
    ll_buf_init(&out, &mem, sizeof text);
    if (json)
        ll_report_json(&out, report);
    else
        ll_report_text(&out, report, lang);
    size_t n = out.len;
    memcpy(text, out.ptr, n);
    ll_buf_fini(&out);
    return (linli_str){text, n};
}

T_CASE(tells_a_failure_in_the_languages_asked_for)
{
    struct ll_report report = {
        .code = "data/locked", .where = "/data", .msg = "process 7 holds it"};
    T_STR(printed(&report, LL_LANG_BOTH, false),
        "error[data/locked]: The data directory is in use\n"
        "                    数据目录正被占用\n"
        "  --> /data\n"
        "   = process 7 holds it\n"
        "   = fix: Stop the other linlid, or choose another --data\n"
        "   = 修正: 请停止另一个 linlid, 或更换 --data\n"
        "   = help: linli explain data/locked\n");
    T_STR(printed(&report, LL_LANG_EN, false),
        "error[data/locked]: The data directory is in use\n"
        "  --> /data\n"
        "   = process 7 holds it\n"
        "   = fix: Stop the other linlid, or choose another --data\n"
        "   = help: linli explain data/locked\n");
    T_STR(printed(&report, LL_LANG_ZH, false),
        "error[data/locked]: 数据目录正被占用\n"
        "  --> /data\n"
        "   = process 7 holds it\n"
        "   = 修正: 请停止另一个 linlid, 或更换 --data\n"
        "   = help: linli explain data/locked\n");
    /* The table's own fix, said again by linlid, changes nothing. */
    report.fix = "请停止另一个 linlid, 或更换 --data";
    T_STR(printed(&report, LL_LANG_EN, false),
        "error[data/locked]: The data directory is in use\n"
        "  --> /data\n"
        "   = process 7 holds it\n"
        "   = fix: Stop the other linlid, or choose another --data\n"
        "   = help: linli explain data/locked\n");
    report.fix = "kill 7";
    T_STR(printed(&report, LL_LANG_ZH, false),
        "error[data/locked]: 数据目录正被占用\n"
        "  --> /data\n"
        "   = process 7 holds it\n"
        "   = fix: kill 7\n"
        "   = help: linli explain data/locked\n");
    T_STR(printed(&report, LL_LANG_BOTH, true),
        "{\"error\":{\"code\":\"data/locked\","
        "\"title\":\"The data directory is in use\","
        "\"title_zh\":\"数据目录正被占用\",\"where\":\"/data\","
        "\"detail\":\"process 7 holds it\",\"fix\":\"kill 7\"}}\n");
}

T_CASE(tells_what_the_table_does_not_know)
{
    struct ll_report report = {
        .code = "parking/slot-taken", .title = "That slot is taken"};
    T_STR(printed(&report, LL_LANG_ZH, false),
        "error[parking/slot-taken]: That slot is taken\n");
    report = (struct ll_report){.code = "x/y"};
    T_STR(printed(&report, LL_LANG_BOTH, false), "error[x/y]: it failed\n");
    T_STR(printed(&report, LL_LANG_BOTH, true),
        "{\"error\":{\"code\":\"x/y\"}}\n");
}

/* A plugin's text must not drive the reader's terminal. */
T_CASE(prints_no_control_characters)
{
    struct ll_report report = {.code = "x/y",
        .title = "a\033[2Jb\x07\xc2\x9b"
                 "31mc\x7f 王\r\n"};
    T_STR(printed(&report, LL_LANG_BOTH, false),
        "error[x/y]: a?[2Jb??31mc? 王??\n");
}

int
main(void)
{
    T_RUN(reads_every_form)
    T_RUN(refuses_with_what_was_meant)
    T_RUN(keeps_headers_in_order_up_to_a_bound)
    T_RUN(knows_global_options_of_a_line_that_fails)
    T_RUN(counts_edits)
    T_RUN(has_a_complete_table)
    T_RUN(tells_a_failure_in_the_languages_asked_for)
    T_RUN(tells_what_the_table_does_not_know)
    T_RUN(prints_no_control_characters)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
