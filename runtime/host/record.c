/* host/record.c: hearing the frames of runs, and the folder of traces.
 * [loop] */
#include "host/record.h"

#include <stdio.h>

#include "base/text.h"
#include "world/file.h"

#define NAME_BYTES_MAX 64
#define NUMBER_DIGITS 8
#define NUMBER_MAX 999999999999
#define SUFFIX ".jsonl"
/* Of the folder: traces, and what else lies there. */
#define ENTRIES_MAX (2 * LL_RECORD_FILES_MAX)
#define LIST_BYTES_MAX ((size_t)16 << 20)
#define PATH_BYTES_MAX 4096
#define HEADER_BYTES 5 /* of a frame that is kept */

struct trace_file {
    char name[NAME_BYTES_MAX];
    int64_t bytes;
};

/* The traces there are, the oldest first, in a ring. */
struct ll_recorder {
    int dir_fd;
    uint64_t number; /* of the newest */
    int64_t bytes;   /* of all */
    uint32_t first, count;
    struct trace_file files[LL_RECORD_FILES_MAX];
};

/* -- the folder -- */

static void
remove_oldest(struct ll_recorder *recorder)
{
    struct trace_file *oldest = &recorder->files[recorder->first];
    ll_file_remove(recorder->dir_fd, oldest->name);
    recorder->bytes -= oldest->bytes;
    recorder->first = (recorder->first + 1) % LL_RECORD_FILES_MAX;
    recorder->count--;
}

/* Makes room for one more, of so many bytes, and notes it. */
static void
note(struct ll_recorder *recorder, const char *name, int64_t bytes)
{
    while (recorder->count > 0 &&
           (recorder->count == LL_RECORD_FILES_MAX ||
               recorder->bytes + bytes > LL_RECORD_FOLDER_BYTES_MAX))
        remove_oldest(recorder);
    uint32_t at = (recorder->first + recorder->count) % LL_RECORD_FILES_MAX;
    struct trace_file *file = &recorder->files[at];
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    file->bytes = bytes;
    recorder->bytes += bytes;
    recorder->count++;
}

/* The number that a trace's name begins with; false if it is no trace. */
static bool
number_of(linli_str name, int64_t *number)
{
    linli_str rest = name, digits;
    size_t n = sizeof SUFFIX - 1;
    return name.len < NAME_BYTES_MAX && name.len > n &&
           ll_str_is((linli_str){name.ptr + name.len - n, n}, SUFFIX) &&
           ll_str_split(&rest, '-', &digits) && rest.ptr != NULL &&
           digits.len >= NUMBER_DIGITS &&
           ll_str_int(digits, 0, NUMBER_MAX, number);
}

static linli_status
unusable(struct ll_err *err, linli_str dir)
{
    linli_status status = err->status;
    (void)snprintf(err->code, sizeof err->code, "record/unusable");
    (void)snprintf(err->where, sizeof err->where, "%.*s", LL_FMT(dir));
    return status;
}

/* What earlier daemons left. Names are in bytewise order, so in that of
 * their numbers. */
static linli_status
find_traces(
    struct ll_host *host, struct ll_recorder *recorder, struct ll_err *err)
{
    struct ll_arena arena;
    struct ll_file_list list;
    unsigned char head[LL_FILE_HEAD_BYTES];
    ll_arena_init(&arena, &host->mem, LIST_BYTES_MAX);
    linli_status status =
        ll_folder_list(recorder->dir_fd, ENTRIES_MAX, &arena, &list, err);
    for (uint32_t i = 0; status == LINLI_OK && i < list.count; i++) {
        int64_t number, bytes;
        const char *name = list.entries[i].name.ptr;
        if (list.entries[i].kind != LL_FILE_REGULAR ||
            !number_of(list.entries[i].name, &number) ||
            ll_file_head(recorder->dir_fd, name, head, &bytes, NULL) !=
                LINLI_OK)
            continue;
        note(recorder, name, bytes);
        recorder->number = (uint64_t)number;
    }
    ll_arena_fini(&arena);
    return status;
}

static linli_status
open_folder(struct ll_recorder *recorder, const char *path, struct ll_err *err)
{
    linli_status status = ll_folder_make(LL_AT_CWD, path, err);
    if (status == LINLI_OK)
        status = ll_folder_open(LL_AT_CWD, path, true, &recorder->dir_fd, err);
    /* Better now than at the first call. */
    if (status == LINLI_OK)
        status = ll_file_put(
            recorder->dir_fd, ".writable", LINLI_STR(""), 0600, err);
    if (status == LINLI_OK)
        ll_file_remove(recorder->dir_fd, ".writable");
    return status;
}

linli_status
ll_recorder_open(struct ll_host *host, linli_str dir, struct ll_err *err)
{
    char path[PATH_BYTES_MAX];
    if (!host->config.development)
        return ll_fail(err, LINLI_E_DENIED, "config/development-only",
            "traces hold all that plugins are told of residents");
    int len = snprintf(path, sizeof path, "%.*s", LL_FMT(dir));
    if (len < 0 || (size_t)len >= sizeof path) {
        (void)ll_fail(err, LINLI_E_LIMIT, "record/unusable",
            "a path of %zu bytes, more than %zu", dir.len, sizeof path - 1);
        return unusable(err, dir);
    }
    struct ll_recorder *recorder = ll_alloc(&host->mem, sizeof *recorder);
    if (recorder == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a recorder");
    recorder->dir_fd = -1;
    host->recorder = recorder;
    linli_status status = open_folder(recorder, path, err);
    if (status == LINLI_OK)
        status = find_traces(host, recorder, err);
    if (status == LINLI_OK)
        return LINLI_OK;
    ll_recorder_free(host);
    return unusable(err, dir);
}

void
ll_recorder_free(struct ll_host *host)
{
    struct ll_recorder *recorder = host->recorder;
    host->recorder = NULL;
    if (recorder == NULL)
        return;
    ll_file_close(&recorder->dir_fd);
    ll_release(&host->mem, recorder, sizeof *recorder);
}

/* -- forgetting -- */

static bool
holds(linli_str bytes, const linli_str *texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (texts[i].len > 0 &&
            memmem(bytes.ptr, bytes.len, texts[i].ptr, texts[i].len) != NULL)
            return true;
    return false;
}

/* One that cannot be read goes too: what it holds is not known. */
void
ll_recorder_forget(struct ll_host *host, const linli_str *texts, uint32_t count)
{
    struct ll_recorder *recorder = host->recorder;
    struct ll_buf bytes;
    if (recorder == NULL)
        return;
    ll_buf_init(&bytes, &host->mem, LL_TRACE_BYTES_MAX + 2);
    for (uint32_t i = 0; i < recorder->count; i++) {
        struct trace_file *file =
            &recorder->files[(recorder->first + i) % LL_RECORD_FILES_MAX];
        if (file->name[0] == '\0')
            continue;
        ll_buf_clear(&bytes);
        linli_status status = ll_file_read(
            recorder->dir_fd, file->name, LL_TRACE_BYTES_MAX, &bytes, NULL);
        if (status == LINLI_OK && !holds(ll_buf_view(&bytes), texts, count))
            continue;
        ll_file_remove(recorder->dir_fd, file->name);
        recorder->bytes -= file->bytes;
        file->bytes = 0;
        file->name[0] = '\0';
    }
    ll_buf_fini(&bytes);
}

/* -- one run -- */

/* A run begins anew with each CALL: after a kill that was another's fault it
 * is given to the next worker. */
static void
on_frame(struct ll_run_tap *tap, const struct ll_frame *frame)
{
    struct ll_recording *recording =
        LL_CONTAINER(tap, struct ll_recording, tap);
    struct ll_buf *frames = &recording->frames;
    uint32_t bytes = (uint32_t)frame->payload.len;
    if (frame->type == LL_FRAME_CALL) {
        ll_buf_clear(frames);
        recording->truncated = false;
        recording->end = "cancelled"; /* unless it comes to another */
    }
    if (frame->type == LL_FRAME_REPLY)
        recording->end = "reply";
    else if (frame->type == LL_FRAME_FAILED)
        recording->end = "failed";
    size_t before = frames->len;
    if (recording->truncated)
        return;
    ll_buf_char(frames, (char)frame->type);
    ll_buf_add(frames, &bytes, sizeof bytes);
    ll_buf_str(frames, frame->payload);
    if (!frames->failed)
        return;
    frames->len = before;
    recording->truncated = true;
}

void
ll_record_run(struct ll_call *call)
{
    struct ll_host *host = call->host;
    if (call->recording == NULL) {
        call->recording = ll_alloc(&host->mem, sizeof *call->recording);
        if (call->recording == NULL) {
            ll_call_log(call, LL_ERROR, "record/unusable",
                LINLI_STR("no memory for a recording"));
            return;
        }
        call->recording->tap.frame = on_frame;
        ll_buf_init(&call->recording->frames, &host->mem, LL_RECORD_BYTES_MAX);
    }
    ll_buf_clear(&call->recording->frames);
    call->run.tap = &call->recording->tap;
}

void
ll_record_ended(struct ll_call *call, enum ll_run_end end)
{
    call->recording->end = ll_run_end_name(end);
}

void
ll_record_forget(struct ll_call *call)
{
    ll_buf_clear(&call->recording->frames);
}

static void
write_trace(struct ll_call *call)
{
    struct ll_host *host = call->host;
    struct ll_recorder *recorder = host->recorder;
    struct ll_buf text;
    struct ll_err err;
    char name[NAME_BYTES_MAX];
    ll_buf_init(&text, &host->mem, LL_TRACE_BYTES_MAX);
    ll_record_text(call, &text);
    (void)snprintf(name, sizeof name, "%0*llu-%s" SUFFIX, NUMBER_DIGITS,
        (unsigned long long)++recorder->number, call->trace.trace_id);
    linli_status status = LINLI_OK;
    if (text.failed)
        status = ll_fail(&err, LINLI_E_LIMIT, "record/unusable",
            "a trace of more than %u bytes", LL_TRACE_BYTES_MAX);
    else
        status =
            ll_file_put(recorder->dir_fd, name, ll_buf_view(&text), 0600, &err);
    if (status == LINLI_OK)
        note(recorder, name, (int64_t)text.len);
    else
        ll_call_log(call, LL_ERROR, "record/unusable", ll_cstr(err.msg));
    ll_buf_fini(&text);
}

void
ll_record_end(struct ll_call *call)
{
    struct ll_recording *recording = call->recording;
    if (recording == NULL)
        return;
    if (recording->frames.len > HEADER_BYTES)
        write_trace(call);
    call->recording = NULL;
    ll_buf_fini(&recording->frames);
    ll_release(&call->host->mem, recording, sizeof *recording);
}
