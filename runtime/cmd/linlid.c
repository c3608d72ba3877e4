/* cmd/linlid.c: the daemon: options, signals and one host. Uses linli/host.h
 * alone, which proves that the library is embeddable. */
#include <linli/host.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_BYTES_MAX ((size_t)4 << 20)
#define TEXT_BYTES_MAX 65536
#define OPERATOR_TTL_S 86400
/* Whoever moves the clock by months wants the token to last; spec/auth.md. */
#define VIRTUAL_TTL_S 31622400

struct options {
    const char *mode, *data, *listen, *plugins, *config, *demo, *worker, *clock;
    const char *record;
    /* what mode, demo and clock say */
    bool development, with_demo, virtual_clock;
};

static linli_host *signalled_host; /* for the signal handler alone */

static const char usage_text[] =
    "usage: linlid [--mode=development|production] [--data=DIR]\n"
    "              [--listen=ADDRESS:PORT] [--plugins=DIR]\n"
    "              [--config=FILE] [--demo=on|off] [--clock=real|virtual]\n"
    "              [--worker=FILE] [--record=DIR]\n"
    "\n"
    "  --mode     development: unsigned plugins, tokens signed with a key\n"
    "             in the data directory; loopback only  [production]\n"
    "  --data     where the daemon keeps its things    [./linli-data]\n"
    "  --listen   port 0 lets the system choose        [127.0.0.1:7080]\n"
    "  --plugins  folders of plugins for the demo community\n"
    "  --config   linli.conf.json, see spec/config.schema.json\n"
    "  --demo     on: a community \"demo\" with those plugins  [off]\n"
    "  --clock    virtual: stands still but for `linli clock`; development\n"
    "             mode only  [real]\n"
    "  --record   write a trace of each call that a plugin runs for, to be\n"
    "             run again with `linli replay`; development mode only\n"
    "  --worker   linli-worker  [beside linlid, else the installed one]\n"
    "\n"
    "Prints one JSON line on stdout when ready. SIGTERM drains.\n";

static void
print_error(const linli_error *error)
{
    char text[4096];
    (void)linli_error_text(error, text, sizeof text);
    (void)fputs(text, stderr);
}

static linli_str
str(const char *s)
{
    return (linli_str){s, s == NULL ? 0 : strlen(s)};
}

/* A failure of the command line itself; without a fix the table's is told. */
static int
fail(const char *code, const char *where, const char *message, const char *fix)
{
    linli_error error = {.size = sizeof error};
    (void)snprintf(error.code, sizeof error.code, "%s", code);
    (void)snprintf(error.where, sizeof error.where, "%s", where);
    (void)snprintf(error.message, sizeof error.message, "%s", message);
    (void)snprintf(error.fix, sizeof error.fix, "%s", fix);
    print_error(&error);
    return 2;
}

/* "--name=VALUE" or "--name VALUE" as in argv[*i]; NULL if it is another. */
static const char *
value_of(char **argv, int *i, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    if (argv[*i][n] == '\0' && argv[*i + 1] != NULL)
        return argv[++*i];
    return NULL;
}

static int
parse_options(char **argv, struct options *options)
{
    const struct {
        const char *name;
        const char **into;
    } known[] = {
        {"--mode", &options->mode},
        {"--data", &options->data},
        {"--listen", &options->listen},
        {"--plugins", &options->plugins},
        {"--config", &options->config},
        {"--demo", &options->demo},
        {"--worker", &options->worker},
        {"--clock", &options->clock},
        {"--record", &options->record},
    };
    for (int i = 1; argv[i] != NULL; i++) {
        const char *word = argv[i], *value = NULL;
        size_t t = 0;
        while (t < sizeof known / sizeof *known &&
               (value = value_of(argv, &i, known[t].name)) == NULL)
            t++;
        if (value == NULL)
            return fail("usage", word,
                "not an option of linlid, or it has no value", "");
        if (*value == '\0')
            return fail("usage", word, "its value is empty", "");
        if (*known[t].into != NULL)
            return fail("usage", word, "given twice: which one was meant?", "");
        *known[t].into = value;
    }
    return 0;
}

/* One of two words, the first if none is given. */
static int
choose(const char *given, const char *name, const char *const words[2],
    bool *second)
{
    char message[64];
    *second = given != NULL && strcmp(given, words[1]) == 0;
    if (given == NULL || *second || strcmp(given, words[0]) == 0)
        return 0;
    (void)snprintf(
        message, sizeof message, "%s or %s is possible", words[0], words[1]);
    return fail("usage", name, message, "");
}

/* What was not given, and what the words mean. */
static int
complete_options(struct options *options)
{
    static const char *const modes[] = {"production", "development"};
    static const char *const demos[] = {"off", "on"};
    static const char *const clocks[] = {"real", "virtual"};
    if (options->data == NULL)
        options->data = "./linli-data";
    if (options->listen == NULL)
        options->listen = "127.0.0.1:7080";
    int bad = choose(options->mode, "--mode", modes, &options->development);
    if (bad == 0)
        bad = choose(options->demo, "--demo", demos, &options->with_demo);
    return bad != 0 ? bad
                    : choose(options->clock, "--clock", clocks,
                          &options->virtual_clock);
}

/* The rules between options. */
static int
check_options(const struct options *options)
{
    bool loopback = strncmp(options->listen, "127.", 4) == 0 ||
                    strncmp(options->listen, "[::1]", 5) == 0;
    if (options->development && !loopback)
        return fail("config/development-only", options->listen,
            "development mode believes its own tokens, so it listens on "
            "loopback alone",
            "Listen on 127.0.0.1 or [::1], or start with --mode=production");
    if (options->with_demo && !options->development)
        return fail("config/development-only", "--demo=on",
            "the demo community needs --mode=development", "");
    if (options->virtual_clock && !options->development)
        return fail("config/development-only", "--clock=virtual",
            "a clock that anybody may set needs --mode=development", "");
    if (options->record != NULL && !options->development)
        return fail("config/development-only", "--record",
            "traces hold all that plugins are told of residents, so they need "
            "--mode=development",
            "");
    if (!options->with_demo && options->plugins != NULL)
        (void)fprintf(stderr,
            "linlid: --plugins is for the demo community; without --demo=on "
            "use `linli plugin enable`\n");
    if (options->with_demo && options->plugins == NULL)
        return fail(
            "usage", "--demo=on", "--plugins=DIR must say which plugins", "");
    return 0;
}

/* The whole file into `bytes`; false with errno. */
static bool
read_file(const char *path, char *bytes, size_t *n)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return false;
    *n = fread(bytes, 1, CONFIG_BYTES_MAX + 1, file);
    bool whole = !ferror(file) && *n <= CONFIG_BYTES_MAX;
    if (!ferror(file) && !whole)
        errno = EFBIG;
    (void)fclose(file);
    return whole;
}

/* linli-worker beside this program, where a build folder has it, or where it
 * lies from there once installed, wherever the whole has been moved to. */
static const char *
find_worker(const struct options *options, char *path, size_t size)
{
    if (options->worker != NULL)
        return options->worker;
    ssize_t n = readlink("/proc/self/exe", path, size - 1);
    char *slash = NULL;
    if (n > 0) {
        path[n] = '\0';
        slash = strrchr(path, '/');
    }
    static const char *const names[] = {
        "linli-worker", "../libexec/linli/linli-worker"};
    for (size_t i = 0; slash != NULL && i < sizeof names / sizeof *names; i++) {
        size_t left = size - (size_t)(slash + 1 - path);
        int len = snprintf(slash + 1, left, "%s", names[i]);
        if (len > 0 && (size_t)len < left && access(path, X_OK) == 0)
            return path;
    }
    return ""; /* the library knows the installed one */
}

/* -- starting -- */

struct starting {
    bool over;
    linli_status status;
};

static void
on_started(void *user, linli_status status, const linli_error *error)
{
    struct starting *starting = user;
    starting->over = true;
    starting->status = status;
    if (status != LINLI_OK)
        print_error(error);
}

/* Enables what the configuration and the demo name, and waits for it. */
static linli_status
start_plugins(linli_host *host, const struct options *options)
{
    linli_error error = {.size = sizeof error};
    struct starting starting = {.over = false};
    linli_status status =
        linli_host_enable_configured(host, on_started, &starting, &error);
    while (status == LINLI_OK && !starting.over)
        linli_host_turn(host, 1);
    if (status == LINLI_OK && starting.status != LINLI_OK)
        return starting.status;
    if (status == LINLI_OK && options->with_demo) {
        starting.over = false;
        status = linli_host_demo(
            host, str(options->plugins), on_started, &starting, &error);
        while (status == LINLI_OK && !starting.over)
            linli_host_turn(host, 1);
        if (status == LINLI_OK && starting.status != LINLI_OK)
            return starting.status;
    }
    if (status != LINLI_OK)
        print_error(&error);
    return status;
}

static void
put_json_string(char *out, size_t size, const char *s)
{
    size_t n = 0;
    for (; *s != '\0' && n + 8 < size; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\' || c < 0x20)
            n += (size_t)snprintf(out + n, size - n, "\\u%04x", c);
        else
            out[n++] = (char)c;
    }
    out[n] = '\0';
}

/* The ready line, for DATA/linlid.json, or for stdout, which in production
 * may end in a journal that many read: secrets are not for it. */
static void
ready_line(linli_host *host, const struct options *options, bool for_file,
    char *out, size_t size)
{
    char token[4096] = "", data[4096], sandbox[512], quoted[4104] = "null";
    char admin[64] = "null";
    linli_token_options want = {.size = sizeof want,
        .ttl_s = options->virtual_clock ? VIRTUAL_TTL_S : OPERATOR_TTL_S,
        .kind = LINLI_STR("operator"),
        .id = LINLI_STR("demo"),
        .community = LINLI_STR("demo")};
    if (options->development &&
        linli_host_token(host, &want, token, sizeof token, NULL) == LINLI_OK)
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", token);
    if (options->development || for_file)
        (void)snprintf(
            admin, sizeof admin, "\"%s\"", linli_host_admin_token(host));
    put_json_string(data, sizeof data, options->data);
    put_json_string(sandbox, sizeof sandbox, linli_host_sandbox(host));
    (void)snprintf(out, size,
        "{\"ready\":true,\"url\":\"%s\",\"pid\":%ld,\"data\":\"%s\","
        "\"clock\":\"%s\",\"operator_token\":%s,\"admin_token\":%s,"
        "\"sandbox\":\"%s\"}\n",
        linli_host_url(host), (long)getpid(), data,
        options->virtual_clock ? "virtual" : "real", quoted, admin, sandbox);
}

/* Whole or not at all, mode 0600: others wait for it to appear. */
static bool
write_beside(const char *data, const char *name, const char *text)
{
    char path[4200], temp[4204];
    (void)snprintf(path, sizeof path, "%s/%s", data, name);
    (void)snprintf(temp, sizeof temp, "%s.new", path);
    (void)umask(077);
    FILE *file = fopen(temp, "we");
    if (file == NULL)
        return false;
    bool written = fputs(text, file) >= 0;
    written = fclose(file) == 0 && written;
    written = written && rename(temp, path) == 0;
    if (!written) {
        int why = errno;
        (void)unlink(temp);
        errno = why;
    }
    return written;
}

static void
remove_beside(const char *data, const char *name)
{
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/%s", data, name);
    (void)unlink(path);
}

static void
on_signal(int number)
{
    (void)number;
    linli_host_wake(signalled_host);
}

static void
on_signals_to_stop(void (*handler)(int number))
{
    struct sigaction action = {.sa_handler = handler};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

static void
catch_signals(linli_host *host)
{
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    signalled_host = host;
    on_signals_to_stop(on_signal);
    /* Whoever reads our ready line may have gone: that is an error we tell. */
    (void)sigaction(SIGPIPE, &ignored, NULL);
}

/* Says where the daemon is, to who started it and to `linli`. */
static int
announce(linli_host *host, const struct options *options)
{
    char line[16384], pid[32];
    static char text[TEXT_BYTES_MAX];
    ready_line(host, options, true, line, sizeof line);
    (void)snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (!write_beside(options->data, "linlid.pid", pid) ||
        !write_beside(options->data, "linlid.json", line))
        return fail("data/unusable", options->data, strerror(errno), "");
    ready_line(host, options, false, line, sizeof line);
    if (fputs(line, stdout) < 0 || fflush(stdout) != 0)
        return fail("usage", "stdout", "the ready line cannot be written", "");
    if (options->with_demo) {
        (void)linli_host_demo_text(host, text, sizeof text);
        (void)fprintf(stderr, "%s\n", text);
    }
    return 0;
}

static int
serve(linli_host *host, const struct options *options)
{
    linli_error failure = {.size = sizeof failure};
    int bad = 1;
    if (start_plugins(host, options) == LINLI_OK) {
        bad = announce(host, options);
        if (bad == 0)
            linli_host_run(host);
        remove_beside(options->data, "linlid.pid");
        remove_beside(options->data, "linlid.json");
    }
    if (linli_host_failure(host, &failure) == LINLI_OK)
        return bad;
    print_error(&failure);
    return 1;
}

static int
run(const struct options *options)
{
    char worker[4096];
    static char config[CONFIG_BYTES_MAX + 1];
    size_t config_bytes = 0;
    linli_host *host = NULL;
    linli_error error = {.size = sizeof error};
    if (options->config != NULL &&
        !read_file(options->config, config, &config_bytes))
        return fail("cli/file", options->config, strerror(errno), "");
    linli_host_options want = {
        .size = sizeof want,
        .development = options->development,
        .data_dir = str(options->data),
        .config_json = {config, config_bytes},
        .config_name =
            str(options->config == NULL ? "linli.conf.json" : options->config),
        .worker_path = str(find_worker(options, worker, sizeof worker)),
        .virtual_clock = options->virtual_clock,
        .record_dir = str(options->record),
    };
    linli_status status = linli_host_new(&want, &host, &error);
    if (status == LINLI_OK) {
        (void)fprintf(stderr, "linlid %s · %s · sandbox: %s\n", linli_version(),
            options->development ? "development" : "production",
            linli_host_sandbox(host));
        if (linli_host_unsafe(host)[0] != '\0')
            (void)fprintf(stderr,
                "linlid: development-only settings in force: %s\n",
                linli_host_unsafe(host));
        if (options->record != NULL)
            (void)fprintf(
                stderr, "linlid: calls are recorded in %s\n", options->record);
        status = linli_host_listen(host, str(options->listen), &error);
    }
    if (status != LINLI_OK) {
        print_error(&error);
        linli_host_free(&host);
        return 1;
    }
    catch_signals(host);
    int exit_status = serve(host, options);
    /* It is going already, and must not be woken while it does. */
    on_signals_to_stop(SIG_IGN);
    linli_host_free(&host);
    return exit_status;
}

int
main(int argc, char **argv)
{
    struct options options = {.mode = NULL};
    if (argc == 2 &&
        (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return fputs(usage_text, stdout) < 0;
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("linlid %s\n", linli_version()) < 0;
    int bad = parse_options(argv, &options);
    if (bad == 0)
        bad = complete_options(&options);
    if (bad == 0)
        bad = check_options(&options);
    return bad != 0 ? bad : run(&options);
}
