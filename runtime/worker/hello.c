/* worker/hello.c: the handshake, and what the worker is told. [worker]
 *
 * HELLO from the host carries versions, limits and the configuration over
 * the control socket; the rings and the package come as inherited memfds.
 * Everything is copied into private memory before the sandbox closes.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "worker/worker.h"

/* The host sends HELLO at once; a silent peer is no host. */
#define HELLO_MS 5000

bool
ll_worker_tell(enum ll_frame_type type, linli_str payload)
{
    unsigned char header[LL_FRAME_HEADER_BYTES];
    struct ll_frame frame = {.type = (uint8_t)type};
    ll_frame_header(header, &frame, payload.len);
    if (write(LL_FD_CONTROL, header, sizeof header) != (ssize_t)sizeof header)
        return false;
    while (payload.len > 0) {
        ssize_t n = write(LL_FD_CONTROL, payload.ptr, payload.len);
        if (n <= 0)
            return false;
        payload.ptr += n;
        payload.len -= (size_t)n;
    }
    return true;
}

static linli_status
broken(struct ll_err *err, const char *what)
{
    return ll_fail(err, LINLI_E_PROTOCOL, "sandbox/protocol",
        "handshake: %s (errno %d)", what, errno);
}

/* One frame from the control socket; its payload lives in the reader. */
static linli_status
read_control(
    struct ll_frame_reader *reader, struct ll_frame *frame, struct ll_err *err)
{
    char part[4096];
    linli_status status;
    while ((status = ll_frame_next(reader, frame)) == LINLI_E_AGAIN) {
        struct pollfd fd = {.fd = LL_FD_CONTROL, .events = POLLIN};
        if (poll(&fd, 1, HELLO_MS) <= 0)
            return broken(err, "the host says nothing");
        ssize_t n = read(LL_FD_CONTROL, part, sizeof part);
        if (n <= 0)
            return broken(err, "the host has gone");
        if (ll_frame_feed(reader, part, (size_t)n) != LINLI_OK)
            return broken(err, "no memory for the host's words");
    }
    if (status != LINLI_OK || frame->type != LL_FRAME_HELLO)
        return broken(err, "the host sent no HELLO");
    return LINLI_OK;
}

static linli_str
keep(struct ll_worker *worker, linli_str s)
{
    return ll_arena_str(&worker->arena, s);
}

/* pairs of from_ms, offset_s */
static void
read_zone(struct ll_worker *worker, struct ll_rd *rd)
{
    uint32_t n = ll_rd_list(rd) / 2;
    if (rd->bad || n > LL_VALUE_NODES_MAX) {
        rd->bad = true;
        return;
    }
    struct ll_zone_change *changes =
        ll_arena_alloc(&worker->arena, (n + 1) * sizeof *changes);
    for (uint32_t i = 0; changes != NULL && i < n; i++) {
        changes[i].from_ms = ll_rd_int(rd);
        changes[i].offset_s = ll_rd_int_in(rd, -86400, 86400);
    }
    worker->config.zone_changes = changes;
    worker->config.zone_change_count = n;
}

static linli_status
read_hello(
    struct ll_worker *worker, const struct ll_frame *frame, struct ll_err *err)
{
    struct ll_worker_config *config = &worker->config;
    struct ll_rd rd = ll_rd(frame->payload);
    if (ll_rd_list(&rd) != 16)
        return broken(err, "a HELLO of another shape");
    int64_t wire_min = ll_rd_int(&rd), wire_max = ll_rd_int(&rd);
    int64_t abi_min = ll_rd_int(&rd), abi_max = ll_rd_int(&rd);
    config->plugin_id = keep(worker, ll_rd_bytes(&rd));
    config->version = keep(worker, ll_rd_bytes(&rd));
    config->community = keep(worker, ll_rd_bytes(&rd));
    config->zone = keep(worker, ll_rd_bytes(&rd));
    read_zone(worker, &rd);
    config->memory_bytes =
        ll_rd_int_in(&rd, LL_MEMORY_BYTES_MIN, LL_MEMORY_BYTES_MAX);
    config->burst_ms = ll_rd_int_in(&rd, 1, LL_BURST_MS_MAX);
    config->filter_errno = ll_rd_bool(&rd);
    config->import_check = ll_rd_bool(&rd);
    config->drafts = ll_rd_bool(&rd);
    config->private_root = ll_rd_bool(&rd);
    config->config_json = keep(worker, ll_rd_bytes(&rd));
    if (!ll_rd_end(&rd))
        return broken(err, "a HELLO of another shape");
    if (worker->arena.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "HELLO");
    if (wire_min > LL_WIRE_VERSION || wire_max < LL_WIRE_VERSION)
        return ll_fail(err, LINLI_E_UNSUPPORTED, "sandbox/protocol",
            "the host speaks wire %d to %d, this worker %d", (int)wire_min,
            (int)wire_max, LL_WIRE_VERSION);
    if (abi_min > 1 || abi_max < 1)
        return ll_fail(err, LINLI_E_UNSUPPORTED, "manifest/abi",
            "the host offers ABI %d to %d, this worker 1", (int)abi_min,
            (int)abi_max);
    return LINLI_OK;
}

static linli_status
map_rings(struct ll_worker *worker, struct ll_err *err)
{
    void *host = mmap(
        NULL, LL_RING_AREA_BYTES, PROT_READ, MAP_SHARED, LL_FD_HOST_AREA, 0);
    void *mine = mmap(NULL, LL_RING_AREA_BYTES, PROT_READ | PROT_WRITE,
        MAP_SHARED, LL_FD_OWN_AREA, 0);
    if (host == MAP_FAILED || mine == MAP_FAILED)
        return broken(err, "the rings cannot be mapped");
    ll_ring_init(&worker->ring, mine, host);
    return LINLI_OK;
}

/* Copies the package image into private memory and lists its files. */
static linli_status
read_package(struct ll_worker *worker, struct ll_err *err)
{
    struct stat st;
    if (fstat(LL_FD_PACKAGE, &st) != 0 || st.st_size <= 0 ||
        st.st_size > LL_PACKAGE_BYTES_MAX)
        return broken(err, "no package");
    size_t size = (size_t)st.st_size;
    char *image = ll_alloc(&worker->mem, size);
    if (image == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the package");
    for (size_t have = 0; have < size;) {
        ssize_t n =
            pread(LL_FD_PACKAGE, image + have, size - have, (off_t)have);
        if (n <= 0)
            return broken(err, "the package cannot be read");
        have += (size_t)n;
    }
    struct ll_rd rd = ll_rd((linli_str){image, size});
    uint32_t n = ll_rd_map(&rd);
    if (rd.bad || n == 0 || n > LL_PACKAGE_FILES_MAX)
        return broken(err, "the package is malformed");
    worker->files = ll_arena_alloc(&worker->arena, n * sizeof *worker->files);
    if (worker->files == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the package");
    for (worker->file_count = 0; worker->file_count < n;) {
        struct ll_worker_file *file = &worker->files[worker->file_count++];
        file->path = ll_rd_bytes(&rd);
        file->bytes = ll_rd_bytes(&rd);
        worker->config.native |=
            file->path.len > 3 &&
            memcmp(file->path.ptr + file->path.len - 3, ".so", 3) == 0;
    }
    return ll_rd_end(&rd) ? LINLI_OK : broken(err, "the package is malformed");
}

/* Names of the parameters in "/tariffs/:lot/simulate". */
static void
name_params(struct ll_worker_route *route)
{
    linli_str rest = route->path, part;
    while (ll_str_split(&rest, '/', &part)) {
        if (part.len < 2 || part.ptr[0] != ':' ||
            route->param_count == LL_PATH_PARAMS_MAX)
            continue;
        route->param_names[route->param_count++] =
            (linli_str){part.ptr + 1, part.len - 1};
    }
}

linli_status
ll_worker_manifest(struct ll_worker *worker, struct ll_err *err)
{
    const struct ll_worker_file *file =
        ll_worker_file(worker, LINLI_STR("plugin.json"));
    if (file == NULL)
        return broken(err, "the package has no plugin.json");
    linli_status status =
        ll_json_parse(&worker->manifest, file->bytes, LL_JSON_DEPTH_MAX, err);
    if (status != LINLI_OK)
        return status;
    struct ll_jv root = ll_json_root(&worker->manifest);
    struct ll_jv routes = ll_jv_get(root, "routes");
    uint32_t n = ll_jv_count(routes);
    worker->engine = ll_str_is(ll_jv_str(ll_jv_get(root, "runtime")), "lua")
                         ? &ll_lua_engine
                         : &ll_native_engine;
    worker->routes =
        ll_arena_alloc(&worker->arena, (n + 1) * sizeof *worker->routes);
    if (worker->routes == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the routes");
    LL_JSON_EACH (item, routes) {
        struct ll_worker_route *route = &worker->routes[worker->route_count++];
        route->method = ll_jv_str(ll_jv_get(item, "method"));
        route->path = ll_jv_str(ll_jv_get(item, "path"));
        route->feed = ll_jv_there(ll_jv_get(item, "feed"));
        name_params(route);
    }
    return LINLI_OK;
}

linli_status
ll_worker_hello(struct ll_worker *worker, struct ll_err *err)
{
    struct ll_frame frame;
    linli_status status = read_control(&worker->reader, &frame, err);
    if (status == LINLI_OK)
        status = read_hello(worker, &frame, err);
    if (status == LINLI_OK)
        status = map_rings(worker, err);
    if (status == LINLI_OK)
        status = read_package(worker, err);
    return status;
}

static linli_status
check_config(struct ll_worker *worker, struct ll_err *err)
{
    struct ll_jv schema_at =
        ll_jv_get(ll_json_root(&worker->manifest), "config_schema");
    struct ll_schema *schema = NULL;
    struct ll_schema_report report = {0};
    struct ll_json config;
    struct ll_schema_options options = {.patterns = true};
    if (!ll_jv_there(schema_at))
        return LINLI_OK;
    ll_json_init(&config, &worker->mem);
    linli_status status = ll_json_parse(
        &config, worker->config.config_json, LL_JSON_DEPTH_MAX, err);
    if (status != LINLI_OK)
        goto out;
    status = ll_schema_compile(&worker->mem, schema_at, options, &schema, err);
    if (status != LINLI_OK) {
        ll_err_where(err, "plugin.json: /config_schema");
        goto out;
    }
    if (ll_schema_check(schema, ll_json_root(&config), &report) != LINLI_OK) {
        status = ll_fail(err, LINLI_E_INVALID, "plugin/config", "%s (%s)",
            report.errors[0].message, report.errors[0].rule);
        ll_err_where(err, "config: %s",
            report.errors[0].at[0] == '\0' ? "/" : report.errors[0].at);
    }
out:
    ll_schema_free(&schema);
    ll_json_fini(&config);
    return status;
}

linli_status
ll_worker_schemas(struct ll_worker *worker, struct ll_err *err)
{
    linli_status status = check_config(worker, err);
    struct ll_schema_options options = {.patterns = true};
    struct ll_jv routes = ll_jv_get(ll_json_root(&worker->manifest), "routes");
    uint32_t i = 0;
    LL_JSON_EACH (item, routes) {
        struct ll_worker_route *route = &worker->routes[i++];
        struct ll_jv schema = ll_jv_get(item, "request");
        if (status != LINLI_OK || !ll_jv_there(schema))
            continue;
        status = ll_schema_compile(
            &worker->mem, schema, options, &route->request_schema, err);
        if (status != LINLI_OK)
            ll_err_where(err, "plugin.json: /routes/%u/request", i - 1);
    }
    return status;
}
