/* tests/unit/host_fixture.h: hosts, plugins on disk and calls, for tests of
 * linli/host.h. A fixture lives in a temporary folder; the worker is the one
 * of this build. */
#ifndef HOST_FIXTURE_H
#define HOST_FIXTURE_H

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linli/host.h>

#include "t.h"

#define COMMUNITY LINLI_STR("garden")
#define CODE_BYTES 48
#define BODY_BYTES 512

static char fixture_dir[64], fixture_worker[PATH_MAX];

static inline linli_str
cstr(const char *s)
{
    return (linli_str){s, strlen(s)};
}

/* The folder, and BUILD/linli-worker beside BUILD/unit/this. */
static inline void
fixture_open(void)
{
    char self[PATH_MAX - 32];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 2; up++)
        if (strrchr(self, '/') != NULL)
            *strrchr(self, '/') = '\0';
    snprintf(fixture_worker, sizeof fixture_worker, "%s/linli-worker", self);
    snprintf(fixture_dir, sizeof fixture_dir, "/tmp/linli-host-XXXXXX");
    if (mkdtemp(fixture_dir) == NULL)
        t_fail(__FILE__, __LINE__, "mkdtemp");
}

static inline void
remove_below(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        char below[PATH_MAX];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (snprintf(below, sizeof below, "%s/%s", path, e->d_name) < PATH_MAX)
            remove_below(below);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)remove(path);
}

static inline void
fixture_close(void)
{
    remove_below(fixture_dir);
}

static inline void
write_file(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/%s", fixture_dir, folder, name);
    FILE *file = fopen(path, "we");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        t_fail(path, __LINE__, "cannot be written");
}

/* A Lua plugin "probe" in the folder `name` of the fixture: routes
 * POST /run (residents, safe) and POST /wait (the same, 5 s). */
static inline void
write_plugin(const char *name, const char *version, const char *lua)
{
    char path[PATH_MAX], manifest[1024];
    snprintf(path, sizeof path, "%s/%s", fixture_dir, name);
    (void)mkdir(path, 0700);
    snprintf(manifest, sizeof manifest,
        "{\"id\":\"probe\",\"version\":\"%s\",\"abi\":1,\"runtime\":\"lua\","
        "\"main\":\"main.lua\",\"limits\":{\"wall_ms\":5000},\"routes\":["
        "{\"method\":\"POST\",\"path\":\"/run\",\"caller\":[\"resident\"],"
        "\"safe\":true},{\"method\":\"POST\",\"path\":\"/wait\","
        "\"caller\":[\"resident\"],\"safe\":true}]}",
        version);
    write_file(name, "plugin.json", manifest);
    write_file(name, "main.lua", lua);
}

/* Answers {"v":NUMBER}; /wait does so after 3 s. */
#define LUA_ANSWERING(number)                                   \
    "local p = require('linli').plugin()\n"                     \
    "p:post('/run', function() return 200, {v=" number "} end)" \
    "p:post('/wait', function(call) call.host.probe_wait(3000)" \
    " return 200, {v=" number "} end) return p"

/* -- hosts -- */

static inline void
log_nowhere(void *user, linli_str line)
{
    (void)user;
    (void)line;
}

static inline linli_host_options
host_options(const char *config)
{
    return (linli_host_options){.size = sizeof(linli_host_options),
        .development = 1,
        .config_json = cstr(config),
        .config_name = LINLI_STR("test.json"),
        .worker_path = cstr(fixture_worker),
        .log = log_nowhere};
}

static inline linli_host *
host_new(const char *config)
{
    linli_host_options options = host_options(config);
    linli_error error = {.size = sizeof error};
    linli_host *host = NULL;
    if (linli_host_new(&options, &host, &error) != LINLI_OK)
        t_fail(error.code, __LINE__, error.message);
    return host;
}

/* -- what becomes of an enable -- */

struct enabled {
    int times;
    linli_status status;
    char code[CODE_BYTES];
};

static inline void
on_enabled(void *user, linli_status status, const linli_error *error)
{
    struct enabled *enabled = user;
    enabled->times++;
    enabled->status = status;
    snprintf(enabled->code, sizeof enabled->code, "%s",
        error == NULL ? "" : error->code);
}

/* Begins to load a folder of the fixture; a refusal counts as its end. */
static inline void
enable_begin(linli_host *host, const char *folder, struct enabled *enabled)
{
    char path[PATH_MAX];
    linli_error error = {.size = sizeof error};
    snprintf(path, sizeof path, "%s/%s", fixture_dir, folder);
    linli_plugin_options options = {
        .size = sizeof options, .dir = cstr(path), .community = COMMUNITY};
    *enabled = (struct enabled){.times = 0};
    linli_status status =
        linli_host_enable(host, &options, on_enabled, enabled, &error);
    if (status != LINLI_OK)
        on_enabled(enabled, status, &error);
}

static inline linli_status
enable(linli_host *host, const char *folder, struct enabled *enabled)
{
    enable_begin(host, folder, enabled);
    while (enabled->times == 0)
        linli_host_turn(host, 1);
    return enabled->status;
}

/* -- calls -- */

struct answer {
    int times;
    uint32_t status;
    char body[BODY_BYTES];
};

static inline void
on_answer(void *user, const linli_response *response)
{
    struct answer *answer = user;
    answer->times++;
    answer->status = response->status;
    snprintf(answer->body, sizeof answer->body, "%.*s", (int)response->body.len,
        response->body.ptr);
}

static inline linli_status
token_for(linli_host *host, const char *resident, char *out, size_t size)
{
    linli_error error = {.size = sizeof error};
    linli_token_options options = {.size = sizeof options,
        .ttl_s = 600,
        .kind = LINLI_STR("resident"),
        .id = cstr(resident),
        .community = COMMUNITY};
    return linli_host_token(host, &options, out, size, &error);
}

/* Begins POST `path` as the resident "wang"; what linli_host_call says. */
static inline linli_status
call_begin(linli_host *host, const char *path, struct answer *answer)
{
    char token[2048] = "";
    linli_error error = {.size = sizeof error};
    *answer = (struct answer){.times = 0};
    linli_status status = token_for(host, "wang", token, sizeof token);
    linli_request request = {.size = sizeof request,
        .method = LINLI_STR("POST"),
        .path = cstr(path),
        .token = cstr(token)};
    if (status != LINLI_OK)
        return status;
    return linli_host_call(host, &request, on_answer, answer, &error);
}

/* The same, to its answer's status. */
static inline uint32_t
call(linli_host *host, const char *path, struct answer *answer)
{
    if (call_begin(host, path, answer) != LINLI_OK)
        return 0;
    while (answer->times == 0)
        linli_host_turn(host, 1);
    return answer->status;
}

/* Turns until `*times` is not 0. */
static inline void
turn_until(linli_host *host, const int *times)
{
    while (*times == 0)
        linli_host_turn(host, 1);
}

/* Entries of a folder of /proc/self, this look left out. */
static inline int
count_entries(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}

#endif
