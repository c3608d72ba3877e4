/* cmd/linli_trace.c: reading a trace; nothing in it is believed unseen. */
#include "cmd/linli_trace.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "wire/value.h"
#include "world/file.h"

/* Everything of a trace in its own shape is smaller than its text. */
#define ARENA_BYTES_MAX ((size_t)2 * LL_TRACE_BYTES_MAX)
/* A frame of a trace is one of a run: CALL, host calls with their answers,
 * log lines, the word. The log is bounded by the bytes of them all. */
#define FRAMES_MAX (LL_RECORD_BYTES_MAX / 8)

struct reading {
    struct ll_trace_file *trace;
    struct ll_json json; /* of the line at hand */
    const char *path;
    uint32_t line;
    size_t frames_room;
    bool truncated, ended, closed;
    struct ll_err *err;
};

static linli_status
wrong(struct reading *r, const char *code, const char *what)
{
    linli_status status =
        ll_fail(r->err, LINLI_E_INVALID, code, "line %u: %s", r->line, what);
    ll_err_where(r->err, "%s", r->path);
    return status;
}

static linli_status
no_trace(struct reading *r, const char *what)
{
    return wrong(r, "replay/trace", what);
}

/* -- the head -- */

static bool
is_hash(linli_str s)
{
    bool hex = s.len == 2 * LL_SHA256_BYTES;
    for (size_t i = 0; hex && i < s.len; i++)
        hex = (s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
              (s.ptr[i] >= 'a' && s.ptr[i] <= 'f');
    return hex;
}

static linli_str
keep(struct reading *r, struct ll_jv object, const char *name)
{
    return ll_arena_str(&r->trace->arena, ll_jv_str(ll_jv_get(object, name)));
}

static linli_status
read_zone(struct reading *r, struct ll_jv changes)
{
    struct ll_trace_file *trace = r->trace;
    uint32_t count = ll_jv_count(changes), n = 0;
    if (!ll_jv_is(changes, LL_JSON_ARRAY) || count % 2 != 0 ||
        count > LL_VALUE_NODES_MAX)
        return no_trace(r, "zone_changes are no pairs");
    trace->zone_changes =
        ll_arena_alloc(&trace->arena, count * sizeof *trace->zone_changes + 1);
    if (trace->zone_changes == NULL)
        return no_trace(r, "it is too large");
    LL_JSON_EACH (item, changes)
        if (!ll_jv_int(item, &trace->zone_changes[n++]))
            return no_trace(r, "zone_changes are no pairs of integers");
    trace->zone_change_count = count / 2;
    return LINLI_OK;
}

/* A limit that a manifest could set. */
static bool
read_limit(struct ll_jv worker, const char *name, int64_t max, int64_t *out)
{
    return ll_jv_int(ll_jv_get(worker, name), out) && *out >= 1 && *out <= max;
}

static linli_status
read_worker(struct reading *r, struct ll_jv worker)
{
    struct ll_trace_file *trace = r->trace;
    struct ll_call_limits *limits = &trace->limits;
    if (!read_limit(worker, "memory_bytes", LL_MEMORY_BYTES_MAX,
            &limits->memory_bytes) ||
        !read_limit(worker, "burst_ms", LL_BURST_MS_MAX, &limits->burst_ms) ||
        !read_limit(worker, "wall_ms", LL_WALL_MS_MAX, &limits->wall_ms))
        return no_trace(r, "a limit is missing or out of range");
    trace->community = keep(r, worker, "community");
    trace->zone = keep(r, worker, "zone");
    trace->config = keep(r, worker, "config");
    if (trace->config.len > LL_PLUGIN_CONFIG_BYTES_MAX)
        return no_trace(r, "the configuration is too long");
    trace->drafts = ll_jv_true(ll_jv_get(worker, "drafts"));
    trace->filter_errno = ll_jv_true(ll_jv_get(worker, "filter_errno"));
    trace->no_import_check = !ll_jv_true(ll_jv_get(worker, "import_check"));
    return read_zone(r, ll_jv_get(worker, "zone_changes"));
}

static linli_status
read_head(struct reading *r, struct ll_jv head)
{
    struct ll_trace_file *trace = r->trace;
    struct ll_jv plugin = ll_jv_get(head, "plugin");
    int64_t format, wire;
    if (!ll_jv_int(ll_jv_get(head, "trace"), &format) ||
        !ll_jv_int(ll_jv_get(head, "wire"), &wire))
        return no_trace(r, "it does not begin as traces do");
    if (format != LL_RECORD_FORMAT || wire != LL_WIRE_VERSION) {
        linli_status status = ll_fail(r->err, LINLI_E_UNSUPPORTED,
            "replay/format",
            "format %lld, wire %lld, by linli %.*s; this linli reads format "
            "%d, wire %d",
            (long long)format, (long long)wire,
            LL_FMT(ll_jv_str(ll_jv_get(head, "linli"))), LL_RECORD_FORMAT,
            LL_WIRE_VERSION);
        ll_err_where(r->err, "%s", r->path);
        return status;
    }
    trace->plugin_id = keep(r, plugin, "id");
    trace->version = keep(r, plugin, "version");
    trace->hash = keep(r, plugin, "hash");
    trace->dir = keep(r, plugin, "dir");
    trace->native =
        ll_str_is(ll_jv_str(ll_jv_get(plugin, "runtime")), "native");
    if (trace->plugin_id.len == 0 || !is_hash(trace->hash) ||
        memchr(trace->dir.ptr, '\0', trace->dir.len) != NULL)
        return no_trace(r, "it does not say which plugin");
    return read_worker(r, ll_jv_get(head, "worker"));
}

/* -- frames -- */

static bool
is_word(unsigned type)
{
    return type == LL_FRAME_REPLY || type == LL_FRAME_FAILED;
}

/* What may follow what: CALL first and once, an ANSWER after its HOSTCALL,
 * nothing after the word. */
static bool
in_place(const struct ll_trace_file *trace, int64_t type)
{
    size_t n = trace->frame_count;
    unsigned before = n > 0 ? trace->frames[n - 1].type : 0;
    bool waiting = before == LL_FRAME_HOSTCALL;
    if (n == 0)
        return type == LL_FRAME_CALL;
    if (is_word(before))
        return false;
    if (type == LL_FRAME_ANSWER)
        return waiting;
    return !waiting && (type == LL_FRAME_HOSTCALL || type == LL_FRAME_LOG ||
                           is_word((unsigned)type));
}

/* The shape that the replay relies on: of the host's own words. */
static bool
well_formed(unsigned type, linli_str payload)
{
    struct ll_rd rd = ll_rd(payload);
    if (type != LL_FRAME_ANSWER)
        return true;
    bool pair = ll_rd_list(&rd) == 2;
    (void)ll_rd_int_in(&rd, INT32_MIN, 0);
    (void)ll_rd_value(&rd);
    return pair && ll_rd_end(&rd);
}

static bool
more_room(struct reading *r)
{
    struct ll_trace_file *trace = r->trace;
    if (trace->frame_count < r->frames_room)
        return true;
    size_t room = r->frames_room == 0 ? 64 : 2 * r->frames_room;
    if (room > FRAMES_MAX)
        return false;
    struct ll_frame *frames =
        ll_arena_alloc(&trace->arena, room * sizeof *frames);
    if (frames == NULL)
        return false;
    if (trace->frame_count > 0)
        memcpy(frames, trace->frames, trace->frame_count * sizeof *frames);
    trace->frames = frames;
    r->frames_room = room;
    return true;
}

static linli_status
read_frame(struct reading *r, struct ll_jv line)
{
    struct ll_trace_file *trace = r->trace;
    linli_str text = ll_jv_str(ll_jv_get(line, "frame"));
    int64_t type = 0;
    if (!ll_jv_int(ll_jv_get(line, "type"), &type) || !in_place(trace, type))
        return no_trace(r, "a frame out of place");
    if (!more_room(r))
        return no_trace(r, "more frames than a run can have");
    size_t room = text.len / 4 * 3 + 3, len = 0;
    unsigned char *bytes = ll_arena_alloc(&trace->arena, room);
    if (bytes == NULL || !ll_base64url_decode(text, bytes, room, &len) ||
        len > LL_FRAME_BYTES_MAX ||
        !well_formed((unsigned)type, (linli_str){(char *)bytes, len}))
        return no_trace(r, "no frame's bytes");
    trace->frames[trace->frame_count++] = (struct ll_frame){
        .type = (uint8_t)type, .payload = {(char *)bytes, len}};
    return LINLI_OK;
}

/* -- the whole -- */

static linli_status
read_line(struct reading *r, linli_str text)
{
    struct ll_err inner;
    r->line++;
    if (r->closed)
        return no_trace(r, "something after its end");
    if (ll_json_parse(&r->json, text, LL_JSON_DEPTH_MAX, &inner) != LINLI_OK)
        return no_trace(r, inner.msg);
    struct ll_jv line = ll_json_root(&r->json);
    if (!ll_jv_is(line, LL_JSON_OBJECT))
        return no_trace(r, "no JSON object");
    if (r->line == 1)
        return read_head(r, line);
    r->closed = ll_jv_there(ll_jv_get(line, "sha256"));
    if (r->closed && !r->ended)
        return no_trace(r, "its end is missing");
    if (r->closed)
        return LINLI_OK;
    if (r->ended)
        return no_trace(r, "something after its end");
    if (!ll_jv_there(ll_jv_get(line, "end")))
        return read_frame(r, line);
    r->ended = true;
    r->truncated = ll_jv_true(ll_jv_get(line, "truncated"));
    r->trace->end = keep(r, line, "end");
    return LINLI_OK;
}

/* The last line is the hash of those before it. */
static linli_status
check_hash(struct reading *r, linli_str before, linli_str last)
{
    unsigned char hash[LL_SHA256_BYTES];
    char line[2 * LL_SHA256_BYTES + 1];
    ll_sha256(before.ptr, before.len, hash);
    ll_hex(hash, sizeof hash, line);
    if (ll_json_parse(&r->json, last, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK &&
        ll_str_is(ll_jv_str(ll_jv_get(ll_json_root(&r->json), "sha256")), line))
        return LINLI_OK;
    linli_status status = ll_fail(r->err, LINLI_E_INVALID, "replay/trace",
        "its checksum is wrong or missing: it was cut or changed");
    ll_err_where(r->err, "%s", r->path);
    return status;
}

/* Where the last line begins. */
static size_t
last_line(linli_str text)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] == '\n')
        at--;
    while (at > 0 && text.ptr[at - 1] != '\n')
        at--;
    return at;
}

/* It says of a word what the frames say. */
static bool
ends_well(const struct ll_trace_file *trace)
{
    unsigned last = trace->frames[trace->frame_count - 1].type;
    if (ll_str_is(trace->end, "reply"))
        return last == LL_FRAME_REPLY;
    if (ll_str_is(trace->end, "failed"))
        return last == LL_FRAME_FAILED;
    return !is_word(last);
}

static linli_status
read_text(struct reading *r, linli_str text)
{
    linli_status status = LINLI_OK;
    size_t tail = last_line(text);
    for (size_t from = 0; status == LINLI_OK && from < text.len;) {
        const char *end = memchr(text.ptr + from, '\n', text.len - from);
        size_t len =
            end == NULL ? text.len - from : (size_t)(end - (text.ptr + from));
        status = read_line(r, (linli_str){text.ptr + from, len});
        /* That it is foreign or of another format is said first. */
        if (status == LINLI_OK && r->line == 1)
            status = check_hash(r, (linli_str){text.ptr, tail},
                (linli_str){text.ptr + tail, text.len - tail});
        from += len + 1;
    }
    if (status != LINLI_OK)
        return status;
    if (!r->closed)
        return no_trace(r, "it ends too early");
    if (r->truncated) {
        status = ll_fail(r->err, LINLI_E_LIMIT, "replay/truncated",
            "its frames have more than %u bytes", LL_RECORD_BYTES_MAX);
        ll_err_where(r->err, "%s", r->path);
        return status;
    }
    if (r->trace->frame_count == 0 || !ends_well(r->trace))
        return no_trace(r, "its frames do not end as it says");
    return LINLI_OK;
}

linli_status
ll_trace_read(struct ll_mem *mem, const char *path, struct ll_trace_file *out,
    struct ll_err *err)
{
    struct ll_buf text;
    struct reading r = {.trace = out, .path = path, .err = err};
    *out = (struct ll_trace_file){.native = false};
    ll_arena_init(&out->arena, mem, ARENA_BYTES_MAX);
    ll_buf_init(&text, mem, LL_TRACE_BYTES_MAX + 1);
    ll_json_init(&r.json, mem);
    linli_status status =
        ll_file_read(LL_AT_CWD, path, LL_TRACE_BYTES_MAX, &text, err);
    if (status == LINLI_OK)
        status = read_text(&r, ll_buf_view(&text));
    if (status == LINLI_OK && out->arena.failed)
        status = no_trace(&r, "it is too large");
    ll_json_fini(&r.json);
    ll_buf_fini(&text);
    return status;
}

void
ll_trace_free(struct ll_trace_file *trace)
{
    ll_arena_fini(&trace->arena);
}
