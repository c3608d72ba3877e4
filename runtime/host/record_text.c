/* host/record_text.c: a trace as lines of JSON, spec/replay.md. [loop]
 *
 * Each frame stands there twice: as JSON for people, and as its bytes, which
 * are what is replayed.
 */
#include <string.h>

#include "base/text.h"
#include "config.h"
#include "host/record.h"
#include "wire/show.h"
#include "world/file.h"

#define PATH_BYTES_MAX 4096

struct text {
    const struct ll_call *call;
    struct ll_buf *out;
    struct ll_jw w;
    struct ll_json json; /* of documents inside frames */
    uint32_t hostcalls;
};

static void
line_begin(struct text *text)
{
    text->w = ll_jw(text->out);
    ll_jw_open(&text->w, '{');
}

static void
line_end(struct text *text)
{
    ll_jw_close(&text->w, '}');
    ll_buf_char(text->out, '\n');
}

static void
put_str(struct text *text, const char *name, linli_str value)
{
    ll_jw_key(&text->w, name);
    ll_jw_str(&text->w, value);
}

static void
put_int(struct text *text, const char *name, int64_t value)
{
    ll_jw_key(&text->w, name);
    ll_jw_int(&text->w, value);
}

static void
put_bool(struct text *text, const char *name, bool value)
{
    ll_jw_key(&text->w, name);
    ll_jw_bool(&text->w, value);
}

/* -- what the worker was told -- */

static void
put_plugin(struct text *text)
{
    const struct ll_package *package = text->call->pool->package;
    const struct ll_manifest *manifest = package->manifest;
    char dir[PATH_BYTES_MAX];
    bool native = manifest->runtime == LL_RUNTIME_NATIVE;
    ll_jw_key(&text->w, "plugin");
    ll_jw_open(&text->w, '{');
    put_str(text, "id", manifest->id);
    put_str(text, "version", manifest->version);
    put_str(text, "runtime", native ? LINLI_STR("native") : LINLI_STR("lua"));
    put_str(text, "hash", ll_cstr(package->hash));
    put_str(text, "dir",
        ll_cstr(ll_path_absolute(package->dir, dir, sizeof dir)
                    ? dir
                    : package->dir));
    ll_jw_close(&text->w, '}');
}

static void
put_worker(struct text *text)
{
    const struct ll_call *call = text->call;
    const struct ll_pool_options *options = &call->pool->options;
    const struct ll_config *config = &call->host->config;
    ll_jw_key(&text->w, "worker");
    ll_jw_open(&text->w, '{');
    put_str(text, "community", options->community);
    put_str(text, "zone", options->zone);
    ll_jw_key(&text->w, "zone_changes");
    ll_jw_open(&text->w, '[');
    for (uint32_t i = 0; i < 2 * options->zone_change_count; i++)
        ll_jw_int(&text->w, options->zone_changes[i]);
    ll_jw_close(&text->w, ']');
    put_int(text, "memory_bytes", options->limits.memory_bytes);
    put_int(text, "burst_ms", options->limits.burst_ms);
    put_int(text, "wall_ms", ll_call_limits(call)->wall_ms);
    put_bool(text, "drafts", config->drafts);
    put_bool(text, "filter_errno", config->filter_errno);
    put_bool(text, "import_check", !config->no_import_check);
    put_str(text, "config", options->config_json);
    ll_jw_close(&text->w, '}');
}

static void
put_head(struct text *text)
{
    char at[LL_RFC3339_BYTES];
    ll_rfc3339(text->call->now_ms, at);
    line_begin(text);
    put_int(text, "trace", LL_RECORD_FORMAT);
    put_str(text, "linli", LINLI_STR(LL_VERSION));
    put_int(text, "wire", LL_WIRE_VERSION);
    put_str(text, "at", ll_cstr(at));
    put_str(text, "trace_id", ll_cstr(text->call->trace.trace_id));
    put_plugin(text);
    put_worker(text);
    line_end(text);
}

/* -- frames -- */

static void
put_hostcall(struct text *text, struct ll_show *show, linli_str payload)
{
    struct ll_rd rd = ll_rd(payload);
    (void)ll_rd_list(&rd);
    uint32_t op = (uint32_t)ll_rd_int_in(&rd, 0, UINT16_MAX);
    linli_str args = ll_rd_value(&rd);
    put_int(text, "n", ++text->hostcalls);
    put_str(text, "hostcall", ll_cstr(ll_hostcall_name(op)));
    ll_jw_key(&text->w, "args");
    if (rd.bad || !ll_show_value(show, args))
        ll_jw_null(&text->w);
}

static void
put_answer(struct text *text, struct ll_show *show, linli_str payload)
{
    struct ll_rd rd = ll_rd(payload);
    (void)ll_rd_list(&rd);
    linli_status status = (linli_status)ll_rd_int_in(&rd, INT32_MIN, 0);
    linli_str value = ll_rd_value(&rd);
    put_int(text, "n", text->hostcalls);
    put_str(text, "answer", ll_cstr(ll_status_name(status)));
    ll_jw_key(&text->w, "value");
    if (rd.bad || !ll_show_value(show, value))
        ll_jw_null(&text->w);
}

static void
put_fields(struct text *text, struct ll_show *show, linli_str payload,
    const char *const names[5])
{
    size_t count = 0;
    while (count < 5 && names[count] != NULL)
        count++;
    if (!ll_show_fields(show, payload, names, count))
        ll_jw_null(&text->w);
}

/* How long it ran is no part of what is replayed. */
static void
put_word(struct text *text, struct ll_show *show, const struct ll_frame *frame)
{
    static const char *const log[5] = {"level", "line"};
    static const char *const reply[5] = {"status", "", "body", "etag"};
    static const char *const failed[5] = {
        "code", "", "detail", "log", "errors"};
    bool is_log = frame->type == LL_FRAME_LOG;
    bool is_reply = frame->type == LL_FRAME_REPLY;
    ll_jw_key(&text->w, is_log ? "log" : is_reply ? "reply" : "failed");
    put_fields(text, show, frame->payload,
        is_log     ? log
        : is_reply ? reply
                   : failed);
}

static void
put_call(struct text *text, struct ll_show *show, linli_str payload)
{
    ll_jw_key(&text->w, "call");
    if (!ll_show_call(show, payload))
        ll_jw_null(&text->w);
    put_int(text, "run", text->call->run.number);
    put_int(text, "conflicts", text->call->conflicts);
}

static void
put_frame(struct text *text, const struct ll_frame *frame)
{
    struct ll_show show = {.to = &text->w, .json = &text->json};
    line_begin(text);
    if (frame->type == LL_FRAME_CALL)
        put_call(text, &show, frame->payload);
    else if (frame->type == LL_FRAME_HOSTCALL)
        put_hostcall(text, &show, frame->payload);
    else if (frame->type == LL_FRAME_ANSWER)
        put_answer(text, &show, frame->payload);
    else
        put_word(text, &show, frame);
    put_int(text, "type", frame->type);
    ll_jw_key(&text->w, "frame");
    ll_jw_raw(&text->w, LINLI_STR("\""));
    ll_base64url_put(text->out, frame->payload.ptr, frame->payload.len);
    ll_buf_char(text->out, '"');
    line_end(text);
}

static void
put_frames(struct text *text)
{
    const struct ll_buf *frames = &text->call->recording->frames;
    for (size_t at = 0; at < frames->len;) {
        struct ll_frame frame = {.type = (uint8_t)frames->ptr[at]};
        uint32_t bytes;
        memcpy(&bytes, frames->ptr + at + 1, sizeof bytes);
        at += 1 + sizeof bytes;
        frame.payload = (linli_str){frames->ptr + at, bytes};
        put_frame(text, &frame);
        at += bytes;
    }
}

/* -- the end -- */

static void
put_end(struct text *text)
{
    const struct ll_call *call = text->call;
    unsigned char hash[LL_SHA256_BYTES];
    char hex[2 * LL_SHA256_BYTES + 1];
    line_begin(text);
    put_str(text, "end", ll_cstr(call->recording->end));
    put_bool(text, "truncated", call->recording->truncated);
    put_int(text, "status", call->response.status);
    put_str(text, "code", call->problem);
    put_int(text, "commit", (int64_t)call->number);
    line_end(text);
    ll_sha256(text->out->ptr, text->out->len, hash);
    ll_hex(hash, sizeof hash, hex);
    line_begin(text);
    put_str(text, "sha256", ll_cstr(hex));
    line_end(text);
}

void
ll_record_text(const struct ll_call *call, struct ll_buf *out)
{
    struct text text = {.call = call, .out = out};
    ll_json_init(&text.json, &call->host->mem);
    put_head(&text);
    put_frames(&text);
    if (!out->failed)
        put_end(&text);
    ll_json_fini(&text.json);
}
