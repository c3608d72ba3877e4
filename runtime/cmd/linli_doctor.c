/* cmd/linli_doctor.c: `linli doctor`: can this machine run linlid?
 *
 * The sandbox is tried by the same code that linlid starts with, so the two
 * cannot disagree.
 */
#include "cmd/linli_cli.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "world/spawn.h"

#define TRIAL_UID 64000 /* when root: the trial children's, as linlid's are */

enum verdict { GOOD, NOTE, BAD };

struct finding {
    enum verdict verdict;
    const char *what; /* "sandbox" */
    char text[256];
    const char *fix; /* of BAD and NOTE; may be NULL */
};

#define FINDINGS_MAX 8

struct doctor {
    struct ll_cli *cli;
    struct finding found[FINDINGS_MAX];
    unsigned count;
};

static void
note(struct doctor *d, enum verdict verdict, const char *what, const char *text,
    const char *fix)
{
    ll_check(d->count < FINDINGS_MAX);
    struct finding *f = &d->found[d->count++];
    *f = (struct finding){.verdict = verdict, .what = what, .fix = fix};
    (void)snprintf(f->text, sizeof f->text, "%s", text);
}

static void
look_at_kernel(struct doctor *d)
{
    struct utsname name;
    char text[256] = "unknown";
    if (uname(&name) == 0)
        (void)snprintf(text, sizeof text, "%.80s %.80s %.60s", name.sysname,
            name.release, name.machine);
    note(d, GOOD, "kernel", text, NULL);
}

static void
look_at_sandbox(struct doctor *d)
{
    char path[LL_CLI_PATH_BYTES_MAX];
    struct ll_spawner *spawner;
    struct ll_err err = {0};
    if (!ll_cli_worker(path)) {
        note(d, BAD, "worker", "linli-worker is not beside linli",
            "build it with make, or install Linli as a whole");
        return;
    }
    note(d, GOOD, "worker", path, NULL);
    struct ll_spawner_options options = {
        .worker_path = path, .uid_first = TRIAL_UID, .uid_count = 1};
    if (ll_spawner_new(&d->cli->mem, d->cli->world, &options, &spawner, &err) !=
        LINLI_OK) {
        note(d, BAD, "sandbox", err.msg, NULL);
        return;
    }
    const struct ll_sandbox_caps *caps = ll_spawner_caps(spawner);
    note(d, caps->enough ? GOOD : BAD, "sandbox", caps->text,
        caps->enough ? NULL
                     : "linlid runs plugins only with seccomp, no_new_privs "
                       "and Landlock or a private root: use a newer kernel, "
                       "or allow user namespaces");
    ll_spawner_free(&spawner);
}

static void
look_at_data(struct doctor *d)
{
    const char *dir = d->cli->data;
    struct stat st;
    char text[256];
    if (stat(dir, &st) != 0) {
        (void)snprintf(text, sizeof text, "%.200s: %.40s", dir,
            errno == ENOENT ? "linlid will make it" : strerror(errno));
        note(d, errno == ENOENT ? GOOD : BAD, "data", text, NULL);
        return;
    }
    bool usable = S_ISDIR(st.st_mode) && access(dir, R_OK | W_OK | X_OK) == 0;
    (void)snprintf(text, sizeof text, "%.200s%s", dir,
        usable ? "" : " is not a folder that we may write");
    note(d, usable ? GOOD : BAD, "data", text,
        usable ? NULL : "correct its permissions, or choose another --data");
}

static void
look_at_key(struct doctor *d)
{
    linli_str token;
    struct ll_err err = {0};
    char text[256];
    linli_status status =
        ll_cli_mint(d->cli, LL_CLI_OPERATOR, LINLI_STR("demo"), &token, &err);
    if (status == LINLI_OK)
        note(d, GOOD, "dev.key", "can sign tokens", NULL);
    (void)snprintf(text, sizeof text, "%.150s: %.80s", err.where, err.msg);
    if (status != LINLI_OK)
        note(d, NOTE, "dev.key", text,
            "linlid --mode=development makes one; in production use "
            "--token-file");
}

static void
look_at_daemon(struct doctor *d)
{
    struct ll_err err = {0};
    if (ll_cli_find(d->cli, &err) == LINLI_OK)
        note(d, GOOD, "linlid", d->cli->base_url, NULL);
    else
        note(d, NOTE, "linlid", err.msg, "start linlid");
    d->cli->exit_code = LL_EXIT_USAGE;
}

static linli_status
print_json(struct doctor *d, struct ll_err *err)
{
    static const char *const verdicts[] = {"ok", "note", "bad"};
    struct ll_buf out;
    ll_buf_init(&out, &d->cli->mem, LL_CLI_FILE_BYTES_MAX);
    struct ll_jw w = ll_jw(&out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    for (unsigned i = 0; i < d->count; i++) {
        ll_jw_open(&w, '{');
        ll_jw_key(&w, "what");
        ll_jw_cstr(&w, d->found[i].what);
        ll_jw_key(&w, "verdict");
        ll_jw_cstr(&w, verdicts[d->found[i].verdict]);
        ll_jw_key(&w, "text");
        ll_jw_cstr(&w, d->found[i].text);
        if (d->found[i].fix != NULL) {
            ll_jw_key(&w, "fix");
            ll_jw_cstr(&w, d->found[i].fix);
        }
        ll_jw_close(&w, '}');
    }
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    return ll_cli_print_json(&out, err);
}

static void
print_text(const struct doctor *d)
{
    static const char *const marks[] = {"ok", "--", "BAD"};
    for (unsigned i = 0; i < d->count; i++) {
        const struct finding *f = &d->found[i];
        (void)printf("%-4s %-8s ", marks[f->verdict], f->what);
        ll_cli_print(ll_cstr(f->text));
        (void)printf("\n");
        if (f->fix != NULL)
            (void)printf("     %-8s fix: %s\n", "", f->fix);
    }
}

linli_status
ll_cli_doctor(struct ll_cli *cli, struct ll_err *err)
{
    struct doctor d = {.cli = cli};
    linli_status status = LINLI_OK;
    bool bad = false;
    look_at_kernel(&d);
    look_at_sandbox(&d);
    look_at_data(&d);
    look_at_key(&d);
    look_at_daemon(&d);
    if (cli->json)
        status = print_json(&d, err);
    else
        print_text(&d);
    for (unsigned i = 0; i < d.count; i++)
        bad = bad || d.found[i].verdict == BAD;
    if (status == LINLI_OK && bad)
        status = ll_fail(err, LINLI_E_UNSUPPORTED, "cli/doctor",
            "the lines marked BAD say what and how");
    return status;
}
