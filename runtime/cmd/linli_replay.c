/* cmd/linli_replay.c: `linli replay`: recorded calls run again.
 *
 * Needs no linlid: traces hold all that a worker is told (spec/replay.md).
 */
#include "cmd/linli_replay.h"

#include "base/diff.h"
#include "base/text.h"
#include "cmd/linli_cli.h"
#include "world/file.h"

/* linlid's default: whoever is root gives workers such a uid. */
#define WORKER_UID 60100
#define FOLDER_ENTRIES_MAX (2 * LL_RECORD_FILES_MAX)
#define OUT_BYTES_MAX ((size_t)256 << 20)
#define SUFFIX ".jsonl"

struct session {
    struct ll_cli *cli;
    struct ll_replayer by;
    struct ll_package *package; /* as last opened, from `package_dir` */
    char *package_dir;
    struct ll_buf json; /* with --json: what is printed at the end */
    struct ll_jw w;
    uint32_t count, differ, failed;
    bool many;             /* each one that could not be run is told */
    char first_where[192]; /* of the first that differs */
    char first_what[160];
    struct ll_err first_failure; /* of the first trace that could not be run */
};

/* -- the package -- */

/* Opened once for all traces that name the same folder. */
static linli_status
open_package(struct session *s, const char *dir, struct ll_err *err)
{
    if (s->package != NULL && strcmp(s->package_dir, dir) == 0)
        return LINLI_OK;
    ll_package_unref(&s->package);
    s->package_dir = ll_cli_text(s->cli, "%s", dir);
    if (s->package_dir == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a path");
    return ll_package_open(&s->cli->mem, dir, &s->package, err);
}

static linli_status
find_package(
    struct session *s, const struct ll_trace_file *trace, struct ll_err *err)
{
    const char *given = s->cli->args->value[LL_OPT_PLUGIN];
    const char *dir = given != NULL ? given : trace->dir.ptr;
    struct ll_err inner = {0};
    linli_status status = open_package(s, dir, &inner);
    if (status != LINLI_OK) {
        status = ll_fail(
            err, status, "replay/package", "%s: %s", inner.code, inner.msg);
        ll_err_where(err, "%s", inner.where[0] != '\0' ? inner.where : dir);
        return status;
    }
    const struct ll_manifest *manifest = s->package->manifest;
    if (!ll_str_eq(manifest->id, trace->plugin_id)) {
        status = ll_fail(err, LINLI_E_CONFLICT, "replay/package",
            "it holds %.*s; the trace is of %.*s", LL_FMT(manifest->id),
            LL_FMT(trace->plugin_id));
        ll_err_where(err, "%s", dir);
        return status;
    }
    if (s->cli->args->value[LL_OPT_EXACT] == NULL ||
        ll_str_is(trace->hash, s->package->hash))
        return LINLI_OK;
    status = ll_fail(err, LINLI_E_CONFLICT, "replay/changed",
        "its hash is %.16s..., the recorded one %.16s...", s->package->hash,
        trace->hash.ptr);
    ll_err_where(err, "%s", dir);
    return status;
}

/* -- telling -- */

static bool
differs(const struct ll_replay *replay)
{
    return replay->call.what[0] != '\0' || replay->log.what[0] != '\0';
}

static linli_status
put_diff(struct ll_buf *out, const struct ll_difference *d, struct ll_err *err)
{
    if (ll_diff_put(out, ll_buf_view(&d->before), ll_buf_view(&d->now)))
        return LINLI_OK;
    return ll_fail(
        err, LINLI_E_NOMEM, "runtime/memory", "the diff is too large");
}

/* Text that a plugin wrote, line by line without control characters. */
static void
print_lines(linli_str text)
{
    linli_str line;
    while (ll_str_split(&text, '\n', &line)) {
        for (size_t at = 0; at < line.len; at += LL_CLI_PRINT_BYTES_MAX / 2) {
            size_t left = line.len - at;
            size_t n = left < LL_CLI_PRINT_BYTES_MAX / 2
                           ? left
                           : LL_CLI_PRINT_BYTES_MAX / 2;
            ll_cli_print((linli_str){line.ptr + at, n});
        }
        if (text.ptr != NULL)
            (void)putchar('\n');
    }
}

static linli_status
print_difference(
    struct session *s, const struct ll_difference *d, struct ll_err *err)
{
    struct ll_buf diff;
    if (d->what[0] == '\0')
        return LINLI_OK;
    ll_buf_init(&diff, &s->cli->mem, OUT_BYTES_MAX);
    linli_status status = put_diff(&diff, d, err);
    if (status == LINLI_OK) {
        (void)printf("--- recorded: %s\n+++ replayed: %s\n", d->what, d->what);
        print_lines(ll_buf_view(&diff));
    }
    ll_buf_fini(&diff);
    return status;
}

static linli_status
put_difference(
    struct session *s, const struct ll_difference *d, struct ll_err *err)
{
    struct ll_buf diff;
    if (d->what[0] == '\0')
        return LINLI_OK;
    ll_buf_init(&diff, &s->cli->mem, OUT_BYTES_MAX);
    linli_status status = put_diff(&diff, d, err);
    ll_jw_open(&s->w, '{');
    ll_jw_key(&s->w, "what");
    ll_jw_cstr(&s->w, d->what);
    ll_jw_key(&s->w, "diff");
    ll_jw_str(&s->w, ll_buf_view(&diff));
    ll_jw_close(&s->w, '}');
    ll_buf_fini(&diff);
    return status;
}

static void
put_head(struct session *s, const char *path)
{
    ll_jw_open(&s->w, '{');
    ll_jw_key(&s->w, "trace");
    ll_jw_cstr(&s->w, path);
}

static linli_status
tell_json(struct session *s, const char *path, const struct ll_replay *replay,
    struct ll_err *err)
{
    const struct ll_trace_file *trace = replay->trace;
    struct ll_jw *w = &s->w;
    put_head(s, path);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, trace->plugin_id);
    ll_jw_key(w, "version");
    ll_jw_str(w, trace->version);
    ll_jw_key(w, "native");
    ll_jw_bool(w, trace->native);
    ll_jw_key(w, "exact");
    ll_jw_bool(w, ll_str_is(trace->hash, replay->package->hash));
    ll_jw_key(w, "same");
    ll_jw_bool(w, !differs(replay));
    ll_jw_key(w, "end");
    ll_jw_str(w, trace->end);
    ll_jw_key(w, "cut");
    ll_jw_bool(w, replay->cut);
    ll_jw_key(w, "host_calls");
    ll_jw_int(w, replay->host_calls);
    ll_jw_key(w, "log_lines");
    ll_jw_int(w, replay->log_lines);
    ll_jw_key(w, "differences");
    ll_jw_open(w, '[');
    linli_status status = put_difference(s, &replay->call, err);
    if (status == LINLI_OK)
        status = put_difference(s, &replay->log, err);
    ll_jw_close(w, ']');
    ll_jw_close(w, '}');
    return status;
}

static linli_status
tell_text(struct session *s, const char *path, const struct ll_replay *replay,
    struct ll_err *err)
{
    const struct ll_trace_file *trace = replay->trace;
    if (!ll_str_is(trace->hash, replay->package->hash))
        (void)fprintf(stderr,
            "linli: %s: the package is not the recorded one (%.12s..., not "
            "%.12s...)\n",
            path, replay->package->hash, trace->hash.ptr);
    (void)printf("%s %s: ", differs(replay) ? "differs" : "same", path);
    ll_cli_print(trace->plugin_id);
    (void)printf(" ");
    ll_cli_print(trace->version);
    (void)printf(", host calls: %u, log lines: %u, end: ", replay->host_calls,
        replay->log_lines);
    ll_cli_print(trace->end);
    (void)printf("%s\n", replay->cut ? " (compared as far as it went)" : "");
    linli_status status = print_difference(s, &replay->call, err);
    if (status == LINLI_OK)
        status = print_difference(s, &replay->log, err);
    return status;
}

/* A trace that could not be run: the others are, and it is said at the end. */
static void
note_failure(struct session *s, const char *path, const struct ll_err *err)
{
    if (s->failed++ == 0)
        s->first_failure = *err;
    if (s->cli->json) {
        put_head(s, path);
        ll_jw_key(&s->w, "error");
        ll_jw_open(&s->w, '{');
        ll_jw_key(&s->w, "code");
        ll_jw_cstr(&s->w, err->code);
        ll_jw_key(&s->w, "detail");
        ll_jw_cstr(&s->w, err->msg);
        ll_jw_close(&s->w, '}');
        ll_jw_close(&s->w, '}');
        return;
    }
    if (!s->many)
        return;
    (void)printf("cannot %s: %s: ", path, err->code);
    ll_cli_print(ll_cstr(err->msg));
    (void)printf("\n");
}

static void
note_difference(
    struct session *s, const char *path, const struct ll_replay *replay)
{
    const char *what =
        replay->call.what[0] != '\0' ? replay->call.what : replay->log.what;
    (void)snprintf(s->first_where, sizeof s->first_where, "%s", path);
    (void)snprintf(s->first_what, sizeof s->first_what, "%s%s", what,
        replay->trace->native ? " (native code may see more than its call)"
                              : "");
}

/* -- traces -- */

static linli_status
run_trace(struct session *s, const char *path,
    const struct ll_trace_file *trace, struct ll_err *err)
{
    struct ll_replay replay;
    linli_status status =
        ll_replay_run(&replay, &s->by, trace, s->package, err);
    if (status != LINLI_OK) {
        note_failure(s, path, err);
        status = LINLI_OK;
    } else {
        if (differs(&replay) && s->differ++ == 0)
            note_difference(s, path, &replay);
        status = s->cli->json ? tell_json(s, path, &replay, err)
                              : tell_text(s, path, &replay, err);
    }
    ll_replay_free(&replay);
    return status;
}

/* LINLI_OK also if the trace could not be run, which is noted. */
static linli_status
replay_one(struct session *s, const char *path, struct ll_err *err)
{
    struct ll_trace_file trace;
    s->count++;
    linli_status status = ll_trace_read(&s->cli->mem, path, &trace, err);
    if (status == LINLI_OK)
        status = find_package(s, &trace, err);
    if (status == LINLI_OK) {
        status = run_trace(s, path, &trace, err);
    } else {
        note_failure(s, path, err);
        status = LINLI_OK;
    }
    ll_trace_free(&trace);
    return status;
}

static bool
is_trace(const struct ll_file_entry *entry)
{
    size_t n = sizeof SUFFIX - 1;
    linli_str name = entry->name;
    return entry->kind == LL_FILE_REGULAR && name.len > n &&
           ll_str_is((linli_str){name.ptr + name.len - n, n}, SUFFIX);
}

static linli_status
replay_folder(struct session *s, const char *dir, int fd, struct ll_err *err)
{
    struct ll_file_list list;
    uint32_t before = s->count;
    s->many = true;
    linli_status status =
        ll_folder_list(fd, FOLDER_ENTRIES_MAX, &s->cli->arena, &list, err);
    for (uint32_t i = 0; status == LINLI_OK && i < list.count; i++) {
        if (!is_trace(&list.entries[i]))
            continue;
        char *path =
            ll_cli_text(s->cli, "%s/%s", dir, list.entries[i].name.ptr);
        status = path == NULL ? ll_fail(err, LINLI_E_LIMIT, "cli/file",
                                    "the path is too long")
                              : replay_one(s, path, err);
    }
    if (status == LINLI_OK && s->count == before) {
        status = ll_fail(err, LINLI_E_NOT_FOUND, "replay/trace",
            "no file *" SUFFIX " lies there");
        ll_err_where(err, "%s", dir);
    }
    return status;
}

static linli_status
replay_word(struct session *s, const char *word, struct ll_err *err)
{
    int fd = -1;
    if (ll_folder_open(LL_AT_CWD, word, true, &fd, NULL) != LINLI_OK)
        return replay_one(s, word, err);
    linli_status status = replay_folder(s, word, fd, err);
    ll_file_close(&fd);
    return status;
}

static linli_status
open_spawner(struct session *s, struct ll_err *err)
{
    char worker[LL_CLI_PATH_BYTES_MAX];
    if (!ll_cli_worker(worker)) {
        linli_status status = ll_fail(err, LINLI_E_NOT_FOUND, "cli/file",
            "linli-worker is not beside linli");
        ll_err_fix(err, "build it with make, or install Linli as a whole");
        return status;
    }
    struct ll_spawner_options options = {
        .worker_path = worker, .uid_first = WORKER_UID, .uid_count = 1};
    linli_status status =
        ll_spawner_new(s->by.mem, s->by.world, &options, &s->by.spawner, err);
    if (status != LINLI_OK)
        return status;
    const struct ll_sandbox_caps *caps = ll_spawner_caps(s->by.spawner);
    if (caps->enough)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_DENIED, "sandbox/too-weak",
        "this machine offers: %s", caps->text);
}

/* All of them were told; the exit status and the last words are for the
 * whole. */
static linli_status
conclude(struct session *s, struct ll_err *err)
{
    if (s->differ > 0) {
        s->cli->exit_code = LL_EXIT_REFUSED;
        linli_status status = ll_fail(err, LINLI_E_CONFLICT, "replay/differs",
            "%u of %u differ, %u could not be run; first here: %s", s->differ,
            s->count, s->failed, s->first_what);
        ll_err_where(err, "%s", s->first_where);
        return status;
    }
    if (s->failed == 0)
        return LINLI_OK;
    *err = s->first_failure;
    return err->status;
}

static linli_status
replay_all(struct session *s, struct ll_err *err)
{
    const struct ll_args *args = s->cli->args;
    linli_status status = open_spawner(s, err);
    s->many = args->word_count > 1;
    for (uint32_t i = 0; status == LINLI_OK && i < args->word_count; i++)
        status = replay_word(s, args->words[i], err);
    ll_package_unref(&s->package);
    if (s->by.spawner != NULL)
        ll_spawner_free(&s->by.spawner);
    return status;
}

linli_status
ll_cli_replay(struct ll_cli *cli, struct ll_err *err)
{
    struct session s = {
        .cli = cli, .by = {.mem = &cli->mem, .world = cli->world}};
    ll_buf_init(&s.json, &cli->mem, OUT_BYTES_MAX);
    s.w = ll_jw(&s.json);
    if (cli->json) {
        ll_jw_open(&s.w, '{');
        ll_jw_key(&s.w, "items");
        ll_jw_open(&s.w, '[');
    }
    linli_status status = replay_all(&s, err);
    if (!cli->json || status != LINLI_OK) {
        ll_buf_fini(&s.json);
    } else {
        ll_jw_close(&s.w, ']');
        ll_jw_close(&s.w, '}');
        status = ll_cli_print_json(&s.json, err);
    }
    return status == LINLI_OK ? conclude(&s, err) : status;
}
