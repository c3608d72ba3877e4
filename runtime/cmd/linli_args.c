/* cmd/linli_args.c: the verbs and options of `linli`, and their reading. */
#include "cmd/linli_args.h"

#include <stdio.h>

#include "base/text.h"

#define WORD_BYTES_MAX 31 /* of a word that gets a "did you mean" */
#define NEAR_EDITS_MAX 2

struct option {
    const char *name;  /* "--as" */
    const char *brief; /* "-d", or NULL */
    bool takes_value;
    struct ll_opt_text text;
};

static const struct option options[LL_OPT_COUNT] = {
    [LL_OPT_DATA] = {"--data", NULL, true,
        {"--data DIR", "linlid's data directory [./linli-data]",
            "linlid 的数据目录 [./linli-data]", true}},
    [LL_OPT_URL] = {"--url", NULL, true,
        {"--url URL", "talk to this address instead of what DIR names",
            "直接使用该地址, 不从数据目录查找", true}},
    [LL_OPT_JSON] = {"--json", NULL, false,
        {"--json", "write JSON for scripts", "输出 JSON, 供脚本使用", true}},
    [LL_OPT_LANG] = {"--lang", NULL, true,
        {"--lang zh|en", "one language instead of both", "只用一种语言", true}},
    [LL_OPT_HELP] = {"--help", "-h", false,
        {"-h, --help", "explain the verb", "显示命令说明", true}},
    [LL_OPT_TOKEN_FILE] = {"--token-file", NULL, true,
        {"--token-file FILE", "use the bearer token in FILE (- is stdin)",
            "使用文件中的令牌 (- 为标准输入)", false}},
    [LL_OPT_AS] = {"--as", NULL, true,
        {"--as ROLE:ID",
            "resident, staff, operator or app, and the id; a call: device too",
            "身份: resident、staff、operator 或 app, 加编号; call 还可用 "
            "device",
            false}},
    [LL_OPT_COMMUNITY] = {"--community", NULL, true,
        {"--community C", "the community [demo]", "社区编号 [demo]", false}},
    [LL_OPT_TTL] = {"--ttl", NULL, true,
        {"--ttl S", "seconds the token is good for [1800]",
            "令牌有效秒数 [1800]", false}},
    [LL_OPT_CLAIMS] = {"--claims", NULL, true,
        {"--claims JSON", "an object of claims; they win over the usual ones",
            "附加声明 (JSON 对象), 覆盖默认声明", false}},
    [LL_OPT_BODY] = {"--body", "-d", true,
        {"-d JSON|@FILE|@-", "the body; @- reads it from stdin",
            "请求体; @- 从标准输入读取", false}},
    [LL_OPT_KEY] = {"--key", NULL, true,
        {"--key K",
            "a call: Idempotency-Key, made up where needed; restore: the key "
            "file; audit: the log's public key",
            "call: 幂等键, 需要时自动生成; restore: 密钥文件; audit: 日志公钥",
            false}},
    [LL_OPT_HEADER] = {"--header", "-H", true,
        {"-H 'NAME: VALUE'", "a further header; may be repeated",
            "附加请求头, 可重复", false}},
    [LL_OPT_INCLUDE] = {"--include", "-i", false,
        {"-i, --include", "print status and headers too",
            "同时输出状态行与响应头", false}},
    [LL_OPT_CONFIG] = {"--config", NULL, true,
        {"--config FILE", "the plugin's configuration, a JSON object",
            "插件配置文件 (JSON 对象)", false}},
    [LL_OPT_DEVICE_KEY] = {"--device-key", NULL, true,
        {"--device-key HEX", "the device's key, or @FILE that holds it",
            "设备密钥 (十六进制), 或 @文件", false}},
    [LL_OPT_EXACT] = {"--exact", NULL, false,
        {"--exact", "refuse any package but the recorded one",
            "插件包与记录时不同则拒绝", false}},
    [LL_OPT_FILE] = {"--file", NULL, true,
        {"--file FILE", "read the value from FILE instead of stdin",
            "从文件而非标准输入读取", false}},
    [LL_OPT_FROM] = {"--from", NULL, true,
        {"--from TS", "from this time on: RFC 3339, or ms since 1970",
            "起始时间 (含): RFC 3339 或 1970 年以来毫秒数", false}},
    [LL_OPT_IF_MATCH] = {"--if-match", NULL, true,
        {"--if-match TAG", "only if the thing still has this ETag; * is any",
            "仅当 ETag 仍为该值时执行; * 为任意", false}},
    [LL_OPT_KIND] = {"--kind", NULL, true,
        {"--kind K", "alerts or jobs of this kind alone", "仅此类告警或任务",
            false}},
    [LL_OPT_PARTIAL] = {"--partial", NULL, false,
        {"--partial", "take the good rows and leave the bad ones out",
            "仅导入无误的行", false}},
    [LL_OPT_PLUGIN] = {"--plugin", NULL, true,
        {"--plugin P", "of this plugin alone; replay: the plugin's folder",
            "仅此插件; replay: 插件目录", false}},
    [LL_OPT_REASON] = {"--reason", NULL, true,
        {"--reason R", "why, for those who look later", "原因, 供日后查看",
            false}},
    [LL_OPT_STATE] = {"--state", NULL, true,
        {"--state S",
            "alerts: open or closed; jobs: dead [it], waiting, running or all; "
            "subscriptions: trial, active, paused, ended, ...",
            "告警: open 或 closed; 任务: dead (默认)、waiting、running 或 all; "
            "订阅: trial、active、paused、ended 等",
            false}},
    [LL_OPT_TO] = {"--to", NULL, true,
        {"--to TS", "before this time", "截止时间 (不含)", false}},
    [LL_OPT_TYPES] = {"--types", NULL, true,
        {"--types LIST",
            "events by their types, such as parking.*,shop.paid [*]",
            "事件类型, 如 parking.*,shop.paid [*]", false}},
    [LL_OPT_AMOUNT] = {"--amount", NULL, true,
        {"--amount FEN", "another sum than the right one",
            "与应付不同的金额 (分)", false}},
    [LL_OPT_BAD_SIGNATURE] = {"--bad-signature", NULL, false,
        {"--bad-signature", "sign it wrongly", "故意签错", false}},
    [LL_OPT_TIMES] = {"--times", NULL, true,
        {"--times N", "send the same N times [1]", "重复发送次数 [1]", false}},
    [LL_OPT_TRANSACTION] = {"--transaction", NULL, true,
        {"--transaction T", "the provider's id of the transaction",
            "支付方的交易编号", false}},
    [LL_OPT_CHECKPOINT] = {"--checkpoint", NULL, true,
        {"--checkpoint FILE", "a checkpoint that somebody has kept",
            "他人保存的检查点", false}},
    [LL_OPT_AFTER] = {"--after", NULL, true,
        {"--after LSN", "records behind this one [0]", "从该流水号之后开始 [0]",
            false}},
    [LL_OPT_FORMAT] = {"--format", NULL, true,
        {"--format F",
            "of usage cloudevents [it], cloudevents-batch, csv, openmeter or "
            "lago; of an invoice csv or html",
            "用量格式: cloudevents (默认)、cloudevents-batch、csv、openmeter "
            "或 lago; 账单格式: csv 或 html",
            false}},
    [LL_OPT_SECRET] = {"--secret", NULL, true,
        {"--secret HEADER", "a header whose value stdin or --file FILE holds",
            "从标准输入或文件读取其值的请求头", false}},
    [LL_OPT_OUT] = {"--out", NULL, true,
        {"--out FILE", "write to FILE, or go on where FILE.cursor says",
            "写入文件, 或从 FILE.cursor 处继续", false}},
    [LL_OPT_PAYERS] = {"--payers", NULL, true,
        {"--payers LIST",
            "who pays: resident:r1=6000,household:h1=4000, or resident:r1",
            "付费方及基点: resident:r1=6000,household:h1=4000", false}},
    [LL_OPT_USERS] = {"--users", NULL, true,
        {"--users LIST", "who uses it [who pays]: resident:r1,household:h1",
            "使用方 [付费方]: resident:r1,household:h1", false}},
    [LL_OPT_START] = {"--start", NULL, true,
        {"--start TS", "when it starts [now]", "开始时间 [现在]", false}},
    [LL_OPT_SEATS] = {"--seats", NULL, true,
        {"--seats N", "how many of a charge per seat [1]", "席位数 [1]",
            false}},
    [LL_OPT_CAP] = {"--cap", NULL, true,
        {"--cap FEN", "what a period may cost [no cap]",
            "每期费用上限 (分) [不限]", false}},
    [LL_OPT_NOW] = {"--now", NULL, false,
        {"--now", "at once, not with the period", "立即, 而非周期末", false}},
};

#define OPT(o) (UINT64_C(1) << LL_OPT_##o)

static const struct ll_verb verbs[] = {
    {LL_VERB_ALERTS, "alerts", "[--community C] [--kind K] [--state S]", 0, 0,
        OPT(COMMUNITY) | OPT(KIND) | OPT(STATE) | OPT(TOKEN_FILE),
        "list what plugins have raised, newest first",
        "列出插件发出的告警, 最新在前"},
    {LL_VERB_ALERTS_CLOSE, "alerts close", "ID --reason R [--community C]", 1,
        1, OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "close an alert that has been seen to", "关闭已处理的告警"},
    {LL_VERB_AUDIT_EXPORT, "audit export", "FILE [--data DIR]", 1, 1, OPT(KEY),
        "write the signed part of the log of consent, one leaf a line",
        "导出同意日志的已签名部分, 每行一条"},
    {LL_VERB_AUDIT_KEY, "audit key", "[--data DIR]", 0, 0, 0,
        "print the public key that the log is signed with", "输出日志签名公钥"},
    {LL_VERB_AUDIT_PROVE, "audit prove",
        "SEQ [FILE | --data DIR] [--checkpoint FILE] [--key K]", 1, 2,
        OPT(KEY) | OPT(CHECKPOINT),
        "prove that a leaf is in the log, to be checked by anyone",
        "证明某条记录在日志中, 任何人均可核验"},
    {LL_VERB_AUDIT_REPLAY, "audit replay",
        "[FILE | --data DIR] [--checkpoint FILE] [--key K]", 0, 1,
        OPT(KEY) | OPT(CHECKPOINT),
        "fold the log again: every release had a live grant or basis",
        "重新推演日志: 每次数据提供均有有效授权或依据"},
    {LL_VERB_AUDIT_VERIFY, "audit verify",
        "[FILE | --data DIR] [--checkpoint FILE] [--key K]", 0, 1,
        OPT(KEY) | OPT(CHECKPOINT),
        "recompute an export, a backup or DIR, and say what is wrong first",
        "重新计算导出文件、备份或数据目录, 指出首个错误"},
    {LL_VERB_AUDIT_RECEIPT, "audit verify-receipt", "FILE --key K", 1, 1,
        OPT(KEY), "check a resident's receipt against the log that was signed",
        "依据已签名的日志核验居民回执"},
    {LL_VERB_BACKUP, "backup", "FILE", 1, 1, OPT(TOKEN_FILE),
        "copy the database of a running linlid into a new file",
        "将运行中的数据库备份到新文件"},
    {LL_VERB_CALL, "call", "METHOD PATH [--as ROLE:ID] [-d JSON|@FILE|@-]", 2,
        2,
        OPT(AS) | OPT(COMMUNITY) | OPT(BODY) | OPT(KEY) | OPT(HEADER) |
            OPT(INCLUDE) | OPT(TOKEN_FILE) | OPT(TTL) | OPT(CLAIMS) |
            OPT(DEVICE_KEY) | OPT(IF_MATCH),
        "send one request and print the answer", "发送一个请求并输出应答"},
    {LL_VERB_CLOCK_ADVANCE, "clock advance", "DUR", 1, 1, OPT(TOKEN_FILE),
        "go ahead by 90s, 15m, 2h, 1d or 250ms, doing what falls due",
        "时钟前进 (90s、15m、2h、1d、250ms), 并执行到期事项"},
    {LL_VERB_CLOCK_GET, "clock get", "", 0, 0, OPT(TOKEN_FILE),
        "print the time of a linlid with --clock=virtual",
        "输出虚拟时钟的时间"},
    {LL_VERB_CLOCK_SET, "clock set", "TS", 1, 1, OPT(TOKEN_FILE),
        "jump to a later time: RFC 3339, or ms since 1970",
        "将时钟跳到更晚的时间: RFC 3339 或毫秒数"},
    {LL_VERB_DOCTOR, "doctor", "", 0, 0, 0,
        "say whether this machine can run linlid", "检查本机能否运行 linlid"},
    {LL_VERB_EXPLAIN, "explain", "[CODE]", 0, 1, 0,
        "say what a problem code means; without CODE, list all",
        "解释问题代码; 不带代码则全部列出"},
    {LL_VERB_HELP, "help", "[VERB]", 0, 2, 0, "explain a verb", "显示命令说明"},
    {LL_VERB_INVOICE_CREDIT, "invoice credit",
        "ID [LINE...] --reason R [--community C]", 1, LL_CLI_WORDS_MAX - 2,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "take lines of a final invoice back, or all that is left",
        "对已定稿账单的明细开具红字, 未指明则为全部余额"},
    {LL_VERB_INVOICE_FINALIZE, "invoice finalize",
        "ID [--reason R] [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "make a draft final, now", "立即将账单草稿定稿"},
    {LL_VERB_INVOICE_LIST, "invoice list",
        "[SUBSCRIPTION] [--state S] [--community C]", 0, 1,
        OPT(COMMUNITY) | OPT(STATE) | OPT(TOKEN_FILE),
        "list invoices and what is due of them", "列出账单及应付金额"},
    {LL_VERB_INVOICE_PREVIEW, "invoice preview",
        "SUBSCRIPTION [--format F] [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(FORMAT) | OPT(TOKEN_FILE),
        "print what the running period comes to so far",
        "输出当前账期到目前为止的费用"},
    {LL_VERB_INVOICE_SHOW, "invoice show", "ID [--format F] [--community C]", 1,
        1, OPT(COMMUNITY) | OPT(FORMAT) | OPT(TOKEN_FILE),
        "print an invoice: a table, --json, csv or html",
        "输出账单: 表格、--json、csv 或 html"},
    {LL_VERB_INVOICE_WRITE_OFF, "invoice write-off",
        "ID --reason R [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "give up what is still due of an invoice", "核销账单的未付金额"},
    {LL_VERB_JOBS, "jobs", "[--community C] [--state S] [--plugin P]", 0, 0,
        OPT(COMMUNITY) | OPT(STATE) | OPT(PLUGIN) | OPT(KIND) | OPT(TOKEN_FILE),
        "list what plugins did not manage to do, or have to do",
        "列出插件未能完成或待办的任务"},
    {LL_VERB_JOBS_DROP, "jobs drop", "PLUGIN ID --reason R [--community C]", 2,
        2, OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "give up a job that has failed", "放弃失败的任务"},
    {LL_VERB_JOBS_RETRY, "jobs retry", "PLUGIN ID [--community C]", 2, 2,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "have a job that has failed done again, now", "立即重试失败的任务"},
    {LL_VERB_JOBS_SHOW, "jobs show", "PLUGIN ID [--community C]", 2, 2,
        OPT(COMMUNITY) | OPT(TOKEN_FILE), "print a job with what it was given",
        "输出任务及其内容"},
    {LL_VERB_PLAN_CLOSE, "plan close", "NAME --reason R [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "sell a plan no more; who has it keeps it",
        "停售套餐, 已订阅者不受影响"},
    {LL_VERB_PLAN_LIST, "plan list", "[--plugin P] [--community C]", 0, 0,
        OPT(COMMUNITY) | OPT(PLUGIN) | OPT(TOKEN_FILE),
        "list every version of every plan", "列出全部套餐版本"},
    {LL_VERB_PLAN_PREVIEW, "plan preview",
        "FILE|NAME[@VERSION] [SUB] --from DAY --to DAY [--seats N] "
        "[--community C]",
        1, 2,
        OPT(COMMUNITY) | OPT(FROM) | OPT(TO) | OPT(SEATS) | OPT(TOKEN_FILE),
        "what past usage would have cost under a plan",
        "按某套餐试算过往用量的费用"},
    {LL_VERB_PLAN_PUBLISH, "plan publish", "FILE [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "publish a plan, or the next version of one", "发布套餐或其新版本"},
    {LL_VERB_PLAN_SHOW, "plan show", "NAME[@VERSION] [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(TOKEN_FILE), "print a plan as it was published",
        "输出已发布的套餐"},
    {LL_VERB_PLUGIN_DISABLE, "plugin disable", "ID [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(TOKEN_FILE), "switch a plugin off", "停用插件"},
    {LL_VERB_PLUGIN_ENABLE, "plugin enable",
        "DIR [--community C] [--config FILE]", 1, 1,
        OPT(COMMUNITY) | OPT(CONFIG) | OPT(TOKEN_FILE),
        "load a plugin folder and switch it on", "加载插件目录并启用"},
    {LL_VERB_PLUGIN_LIST, "plugin list", "[--community C]", 0, 0,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "list plugins, their workers and last errors",
        "列出插件及其进程与最近错误"},
    {LL_VERB_PLUGIN_UNINSTALL, "plugin uninstall",
        "ID --reason R [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "take a plugin out of a community, with all that it kept",
        "从社区卸载插件并清除其全部数据"},
    {LL_VERB_RATE, "rate", "FILE", 1, 1, 0,
        "compute what a plan's cases come to; no linlid is needed",
        "试算套餐用例, 无需运行 linlid"},
    {LL_VERB_RECONCILE, "reconcile", "[--community C]", 0, 0,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "prove that usage, invoices, money and shares agree",
        "核对用量、账单、款项与分成是否相符"},
    {LL_VERB_REPLAY, "replay", "TRACE|FOLDER... [--plugin DIR] [--exact]", 1,
        LL_CLI_WORDS_MAX - 2, OPT(PLUGIN) | OPT(EXACT),
        "run recorded calls again and show what differs",
        "重放已记录的调用并显示差异"},
    {LL_VERB_RESIDENTS_IMPORT, "residents import",
        "FILE [--community C] [--partial]", 1, 1,
        OPT(COMMUNITY) | OPT(PARTIAL) | OPT(TOKEN_FILE),
        "take residents from a CSV file in UTF-8; - is stdin",
        "从 UTF-8 编码的 CSV 文件导入居民; - 为标准输入"},
    {LL_VERB_RESTORE, "restore", "FILE --data DIR [--key FILE]", 1, 1, OPT(KEY),
        "put a backup into a data directory that has no database",
        "将备份恢复到尚无数据库的数据目录"},
    {LL_VERB_SECRET_DELETE, "secret delete", "PLUGIN NAME [--community C]", 2,
        2, OPT(COMMUNITY) | OPT(TOKEN_FILE), "forget a plugin's secret",
        "删除插件的密钥"},
    {LL_VERB_SECRET_LIST, "secret list", "PLUGIN [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "list a plugin's secrets, and which are set",
        "列出插件的密钥及其是否已设置"},
    {LL_VERB_SECRET_SET, "secret set",
        "PLUGIN NAME [--community C] [--file FILE]", 2, 2,
        OPT(COMMUNITY) | OPT(FILE) | OPT(TOKEN_FILE),
        "set a plugin's secret to what stdin or FILE holds",
        "以标准输入或文件内容设置插件的密钥"},
    {LL_VERB_SEED, "seed", "FILE", 1, 1, OPT(TOKEN_FILE),
        "load data to begin with; - is stdin; development only",
        "载入初始数据; - 为标准输入; 仅限开发模式"},
    {LL_VERB_SETTLE, "settle", "2026-03 [PLUGIN...] [--community C]", 1,
        LL_CLI_WORDS_MAX - 2, OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "close a month for the vendors of plugins", "关闭服务商某月的结算"},
    {LL_VERB_SINK_ADD, "sink add",
        "NAME URL [--format F] [--after LSN] [--secret HEADER [--file FILE]]",
        2, 2,
        OPT(COMMUNITY) | OPT(FORMAT) | OPT(AFTER) | OPT(SECRET) | OPT(FILE) |
            OPT(TOKEN_FILE),
        "have usage records sent to URL, as they come",
        "将用量记录持续发送到指定地址"},
    {LL_VERB_SINK_DELETE, "sink delete", "NAME [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "send no more; prints how far it has come", "停止发送, 并输出进度"},
    {LL_VERB_SINK_LIST, "sink list", "[--community C]", 0, 0,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "list where usage is sent, and how far", "列出用量接收方及其进度"},
    {LL_VERB_SINK_RESUME, "sink resume",
        "NAME [--secret HEADER [--file FILE]] [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(SECRET) | OPT(FILE) | OPT(TOKEN_FILE),
        "send again what was refused, after it was seen to",
        "问题处理后, 继续发送被拒绝的记录"},
    {LL_VERB_SUBSCRIBE_CANCEL, "subscribe cancel",
        "SUB [--now] --reason R [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(NOW) | OPT(REASON) | OPT(TOKEN_FILE),
        "end a subscription with its period, or now", "周期末或立即取消订阅"},
    {LL_VERB_SUBSCRIBE_CAP, "subscribe cap",
        "SUB FEN|none --reason R [--community C]", 2, 2,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "say what a period may cost; more, once a payer approves",
        "设定每期费用上限; 调高须付费方批准"},
    {LL_VERB_SUBSCRIBE_DOWNGRADE, "subscribe downgrade",
        "SUB PLAN --reason R [--community C]", 2, 2,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "move to another plan when the period ends", "周期末更换套餐"},
    {LL_VERB_SUBSCRIBE_LIST, "subscribe list",
        "[--plugin P] [--state S] [--community C]", 0, 0,
        OPT(COMMUNITY) | OPT(PLUGIN) | OPT(STATE) | OPT(TOKEN_FILE),
        "list subscriptions", "列出订阅"},
    {LL_VERB_SUBSCRIBE_PAUSE, "subscribe pause",
        "SUB --reason R [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE), "pause a subscription",
        "暂停订阅"},
    {LL_VERB_SUBSCRIBE_RESUME, "subscribe resume",
        "SUB --reason R [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE), "go on after a pause",
        "恢复订阅"},
    {LL_VERB_SUBSCRIBE_SHOW, "subscribe show", "SUB [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "print a subscription and what was done to it", "输出订阅及其经历"},
    {LL_VERB_SUBSCRIBE_START, "subscribe start",
        "PLAN --payers LIST [--users LIST] [--key K]", 1, 1,
        OPT(COMMUNITY) | OPT(PAYERS) | OPT(USERS) | OPT(START) | OPT(SEATS) |
            OPT(CAP) | OPT(KEY) | OPT(REASON) | OPT(TOKEN_FILE),
        "subscribe somebody to a plan", "开通订阅"},
    {LL_VERB_SUBSCRIBE_UPGRADE, "subscribe upgrade",
        "SUB PLAN --reason R [--community C]", 2, 2,
        OPT(COMMUNITY) | OPT(REASON) | OPT(TOKEN_FILE),
        "move to another plan now", "立即更换套餐"},
    {LL_VERB_TOKEN, "token", "--as ROLE:ID [--community C] [--ttl S]", 0, 0,
        OPT(AS) | OPT(COMMUNITY) | OPT(TTL) | OPT(CLAIMS),
        "print a bearer token signed with the development key",
        "用开发密钥签发并输出令牌"},
    {LL_VERB_TRIGGER, "trigger",
        "payment.paid PAYMENT | refund.done REFUND [--transaction T] "
        "[--amount FEN] [--times N] [--bad-signature]",
        2, 2,
        OPT(TRANSACTION) | OPT(AMOUNT) | OPT(TIMES) | OPT(BAD_SIGNATURE) |
            OPT(TOKEN_FILE),
        "send a notice of the payment simulator; development only",
        "发送支付模拟器的通知; 仅限开发模式"},
    {LL_VERB_USAGE, "usage",
        "[--community C] [--plugin P] [--from TS] [--to TS]", 0, 0,
        OPT(COMMUNITY) | OPT(PLUGIN) | OPT(FROM) | OPT(TO) | OPT(TOKEN_FILE),
        "print what was counted; --json: each quarter of an hour",
        "输出用量合计; --json 含每刻钟明细"},
    {LL_VERB_USAGE_EXPORT, "usage export",
        "[--format F] [--after LSN] [--out FILE] [--community C]", 0, 0,
        OPT(COMMUNITY) | OPT(FORMAT) | OPT(AFTER) | OPT(OUT) | OPT(TOKEN_FILE),
        "write usage records as other systems read them",
        "按其他系统的格式导出用量记录"},
    {LL_VERB_VERSION, "version", "", 0, 0, 0,
        "print the versions of linli and its libraries", "输出版本信息"},
    {LL_VERB_WEBHOOK_ADD, "webhook add",
        "ID URL [--types LIST] [--community C]", 2, 2,
        OPT(COMMUNITY) | OPT(TYPES) | OPT(TOKEN_FILE),
        "have events told to URL; prints the key that signs, once",
        "将事件通知到指定地址; 签名密钥仅显示一次"},
    {LL_VERB_WEBHOOK_DELETE, "webhook delete", "ID [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(TOKEN_FILE), "have no more events told to it",
        "删除该通知地址"},
    {LL_VERB_WEBHOOK_LIST, "webhook list", "[--community C]", 0, 0,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "list who is told of events, and how far", "列出事件通知地址及其进度"},
    {LL_VERB_WEBHOOK_ROTATE, "webhook rotate", "ID [--community C]", 1, 1,
        OPT(COMMUNITY) | OPT(TOKEN_FILE),
        "print another key; the one before signs too for a day",
        "更换签名密钥; 旧密钥一天内仍同时签名"},
};
_Static_assert(LL_COUNT(verbs) == LL_VERB_COUNT, "a verb is missing");

/* What is being read: words are collected first, the verb is found last. */
struct reader {
    int argc;
    char *const *argv;
    int at;
    struct ll_args *args;
    struct ll_err *err;
};

const struct ll_verb *
ll_verb_at(size_t index)
{
    return index < LL_COUNT(verbs) ? &verbs[index] : NULL;
}

struct ll_opt_text
ll_opt_text(enum ll_opt opt)
{
    ll_check(opt < LL_OPT_COUNT);
    return options[opt].text;
}

unsigned
ll_edit_distance(linli_str a, linli_str b)
{
    unsigned row[WORD_BYTES_MAX + 1];
    if (a.len > WORD_BYTES_MAX || b.len > WORD_BYTES_MAX)
        return WORD_BYTES_MAX + 1;
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned change = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            unsigned shorter = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = change < shorter + 1 ? change : shorter + 1;
        }
    }
    return row[b.len];
}

static linli_status
unknown_option(struct reader *r, linli_str name)
{
    unsigned nearest = NEAR_EDITS_MAX + 1;
    const char *meant = NULL;
    for (size_t i = 0; i < LL_OPT_COUNT; i++) {
        unsigned edits = ll_edit_distance(name, ll_cstr(options[i].name));
        if (edits < nearest) {
            nearest = edits;
            meant = options[i].name;
        }
    }
    linli_status status = ll_fail(
        r->err, LINLI_E_INVALID, "usage", "unknown option %.*s", LL_FMT(name));
    if (meant != NULL)
        ll_err_fix(r->err, "did you mean %s? See linli help", meant);
    return status;
}

/* The option that an argument names, or NULL. "-dX" is "-d X". */
static const struct option *
option_named(linli_str argument, linli_str *value)
{
    linli_str name = argument;
    *value = (linli_str){NULL, 0};
    if (ll_str_starts(argument, "--")) {
        linli_str rest = argument;
        (void)ll_str_split(&rest, '=', &name);
        *value = rest;
    } else if (argument.len > 2) {
        name.len = 2;
        *value = (linli_str){argument.ptr + 2, argument.len - 2};
    }
    for (size_t i = 0; i < LL_OPT_COUNT; i++)
        if (ll_str_is(name, options[i].name) ||
            (options[i].brief != NULL && ll_str_is(name, options[i].brief)))
            return &options[i];
    return NULL;
}

static linli_status
keep_value(struct reader *r, enum ll_opt opt, const char *value)
{
    struct ll_args *args = r->args;
    if (opt == LL_OPT_HEADER) {
        if (args->header_count == LL_CLI_HEADERS_MAX)
            return ll_fail(r->err, LINLI_E_LIMIT, "usage",
                "more than %d headers", LL_CLI_HEADERS_MAX);
        args->headers[args->header_count++] = value;
    } else if (args->value[opt] != NULL) {
        return ll_fail(r->err, LINLI_E_INVALID, "usage", "%s is given twice",
            options[opt].name);
    }
    args->value[opt] = value;
    return LINLI_OK;
}

static linli_status
read_option(struct reader *r)
{
    linli_str argument = ll_cstr(r->argv[r->at]), value;
    const struct option *option = option_named(argument, &value);
    if (option == NULL) {
        linli_str rest = argument, name = argument;
        (void)ll_str_split(&rest, '=', &name);
        return unknown_option(r, name);
    }
    enum ll_opt opt = (enum ll_opt)(option - options);
    if (!option->takes_value) {
        if (value.ptr != NULL)
            return ll_fail(r->err, LINLI_E_INVALID, "usage",
                "%s takes no value", option->name);
        return keep_value(r, opt, "");
    }
    if (value.ptr != NULL)
        return keep_value(r, opt, value.ptr); /* the tail of an argument */
    if (r->at + 1 == r->argc)
        return ll_fail(
            r->err, LINLI_E_INVALID, "usage", "%s needs a value", option->name);
    r->at++;
    return keep_value(r, opt, r->argv[r->at]);
}

static linli_status
read_all(struct reader *r)
{
    bool only_words = false;
    for (r->at = 1; r->at < r->argc; r->at++) {
        const char *argument = r->argv[r->at];
        linli_status status = LINLI_OK;
        if (!only_words && strcmp(argument, "--") == 0) {
            only_words = true;
        } else if (!only_words && argument[0] == '-' && argument[1] != '\0') {
            status = read_option(r);
        } else if (r->args->word_count < LL_CLI_WORDS_MAX) {
            r->args->words[r->args->word_count++] = argument;
        } else {
            status = ll_fail(r->err, LINLI_E_LIMIT, "usage",
                "more than %d words", LL_CLI_WORDS_MAX);
        }
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

/* Whether the words begin with the verb's name; *used is how many it has. */
static bool
names_verb(
    const struct ll_args *args, const struct ll_verb *verb, uint32_t *used)
{
    linli_str rest = ll_cstr(verb->name), part;
    *used = 0;
    while (ll_str_split(&rest, ' ', &part)) {
        if (*used == args->word_count || !ll_str_is(part, args->words[*used]))
            return false;
        (*used)++;
    }
    return true;
}

/* The first of a verb's two words; empty if it has one. */
static linli_str
group_of(const struct ll_verb *verb)
{
    linli_str rest = ll_cstr(verb->name), first;
    (void)ll_str_split(&rest, ' ', &first);
    return rest.ptr == NULL ? (linli_str){NULL, 0} : first;
}

/* The group that a word names, or nearly; *edits tells how nearly. */
static linli_str
nearest_group(const char *word, unsigned *edits)
{
    linli_str nearest = {NULL, 0};
    *edits = NEAR_EDITS_MAX + 1;
    for (size_t i = 0; i < LL_COUNT(verbs); i++) {
        linli_str group = group_of(&verbs[i]);
        unsigned far = ll_edit_distance(ll_cstr(word), group);
        if (group.len > 0 && far < *edits) {
            *edits = far;
            nearest = group;
        }
    }
    return nearest;
}

/* "say plugin disable, plugin enable, plugin list" */
static void
fix_group(struct ll_err *err, linli_str group)
{
    char text[128] = "";
    size_t n = 0;
    for (size_t i = 0; i < LL_COUNT(verbs) && n < sizeof text; i++)
        if (ll_str_eq(group_of(&verbs[i]), group))
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
                n > 0 ? ", " : "", verbs[i].name);
    ll_err_fix(err, "say one of %s", text);
}

static bool
begins_others(const struct ll_verb *verb)
{
    for (size_t i = 0; i < LL_COUNT(verbs); i++)
        if (ll_str_is(group_of(&verbs[i]), verb->name))
            return true;
    return false;
}

static linli_status
unknown_verb(struct reader *r)
{
    char said[2 * WORD_BYTES_MAX + 2];
    unsigned nearest = NEAR_EDITS_MAX + 1, from_group = 0;
    const char *meant = NULL;
    const char *first = r->args->words[0];
    linli_str group = nearest_group(first, &from_group);
    bool two = from_group == 0 && r->args->word_count > 1;
    (void)snprintf(said, sizeof said, "%s%s%s", first, two ? " " : "",
        two ? r->args->words[1] : "");
    for (size_t i = 0; i < LL_COUNT(verbs); i++) {
        unsigned edits =
            ll_edit_distance(ll_cstr(said), ll_cstr(verbs[i].name));
        if (edits < nearest) {
            nearest = edits;
            meant = verbs[i].name;
        }
    }
    linli_status status =
        ll_fail(r->err, LINLI_E_INVALID, "usage", "unknown verb: %s", said);
    if (meant != NULL)
        ll_err_fix(r->err, "did you mean linli %s? See linli help", meant);
    else if (group.len > 0)
        fix_group(r->err, group);
    return status;
}

/* The longest name counts: "jobs retry" is none of "jobs". */
static linli_status
find_verb(struct reader *r)
{
    struct ll_args *args = r->args;
    uint32_t used = 0, words = 0;
    if (args->word_count == 0)
        return LINLI_OK;
    for (size_t i = 0; i < LL_COUNT(verbs); i++)
        if (names_verb(args, &verbs[i], &words) && words > used) {
            args->verb = &verbs[i];
            used = words;
        }
    /* A verb without words that begins others: the next word is none of
     * theirs. */
    bool more = args->verb != NULL && args->verb->words_max == 0 &&
                args->word_count > used && begins_others(args->verb);
    if (args->verb == NULL || more) {
        args->verb = NULL;
        return unknown_verb(r);
    }
    args->word_count -= used;
    memmove(args->words, args->words + used,
        args->word_count * sizeof args->words[0]);
    return LINLI_OK;
}

static linli_status
check_verb(struct reader *r)
{
    const struct ll_args *args = r->args;
    const struct ll_verb *verb = args->verb;
    if (verb == NULL || args->value[LL_OPT_HELP] != NULL)
        return LINLI_OK;
    for (size_t i = 0; i < LL_OPT_COUNT; i++)
        if (args->value[i] != NULL && !options[i].text.global &&
            (verb->options & UINT64_C(1) << i) == 0)
            return ll_fail(r->err, LINLI_E_INVALID, "usage",
                "%s is no option of linli %s", options[i].name, verb->name);
    if (args->word_count >= verb->words_min &&
        args->word_count <= verb->words_max)
        return LINLI_OK;
    linli_status status =
        ll_fail(r->err, LINLI_E_INVALID, "usage", "linli %s: %s", verb->name,
            args->word_count < verb->words_min ? "a word is missing"
                                               : "too many words");
    ll_err_fix(r->err, "linli %s %s", verb->name, verb->usage);
    return status;
}

linli_status
ll_args_parse(
    int argc, char *const *argv, struct ll_args *args, struct ll_err *err)
{
    struct reader r = {.argc = argc, .argv = argv, .args = args, .err = err};
    memset(args, 0, sizeof *args);
    linli_status status = read_all(&r);
    if (status == LINLI_OK)
        status = find_verb(&r);
    if (status == LINLI_OK)
        status = check_verb(&r);
    return status;
}
