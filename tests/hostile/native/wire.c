/* tests/hostile/native/wire.c: a plugin that speaks for its worker: frames,
 * indices and the words by which the host judges who is at fault, as the
 * worker never would write them.
 */
#include "frames.h"

static void
rest(void)
{
    static const struct {
        long s, ns;
    } moment = {0, 20000000};
    (void)RAW2(SYS_nanosleep, &moment, 0);
}

/* The host reads the lie while this call is open, and ends the worker. */
static long
told(void)
{
    send();
    rest();
    return NO_ANSWER;
}

static _Noreturn void
spin(void)
{
    for (;;)
        __asm__ volatile("" ::: "memory");
}

/* -- frames -- */

static long
garbage(const linli_call *call)
{
    uint64_t state = call->seed | 1;
    frame_bytes = 0;
    for (int i = 0; i < 512; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        put_le(state >> 32, 4);
    }
    frame[0] = 'X'; /* or it might begin like a frame */
    return told();
}

/* One byte of a good header changed. */
static long
header(size_t at, unsigned char byte)
{
    begin(LL_FRAME_LOG);
    put_list(2);
    put_int(1);
    PUT("a line");
    end();
    frame[at] = byte;
    return told();
}

static long
magic(const linli_call *call)
{
    (void)call;
    return header(0, 0);
}

static long
version(const linli_call *call)
{
    (void)call;
    return header(2, 9);
}

static long
reserved(const linli_call *call)
{
    (void)call;
    return header(10, 1);
}

static long
oversized(const linli_call *call)
{
    (void)call;
    return header(15, 0x80);
}

static long
type_unknown(const linli_call *call)
{
    (void)call;
    return header(3, 200);
}

static long
type_of_host(const linli_call *call)
{
    (void)call;
    return header(3, LL_FRAME_CALL);
}

static long
type_ready(const linli_call *call)
{
    (void)call;
    return header(3, LL_FRAME_READY);
}

static long
call_of_nobody(const linli_call *call)
{
    (void)call;
    return header(5, 0x77);
}

static long
run_of_nobody(const linli_call *call)
{
    (void)call;
    return header(8, 0x77);
}

/* The longest payload there is, promised and never sent. */
static long
promised(const linli_call *call)
{
    (void)call;
    begin(LL_FRAME_LOG);
    end();
    frame[14] = 0x10;
    send();
    return 0;
}

static long
promised_then_exit(const linli_call *call)
{
    (void)promised(call);
    return RAW1(SYS_exit_group, 0);
}

static void
reply_tagged(int64_t status, const char *body, size_t n, const char *etag)
{
    begin(LL_FRAME_REPLY);
    put_list(4);
    put_int(status);
    put_int(0);
    put_text(body, n);
    put_text(etag, strlen(etag));
    end();
}

static void
reply(int64_t status, const char *body, size_t n)
{
    reply_tagged(status, body, n, "");
}

static long
reply_status(const linli_call *call)
{
    (void)call;
    reply(101, "{}", 2);
    return told();
}

static long
reply_shape(const linli_call *call)
{
    (void)call;
    begin(LL_FRAME_REPLY);
    put_list(4);
    put_int(200);
    put_int(-1);
    PUT("{}");
    PUT("");
    end();
    return told();
}

static long
reply_leftover(const linli_call *call)
{
    (void)call;
    reply(200, "{}", 2);
    put_int(1);
    end();
    return told();
}

static long
reply_lie(const linli_call *call)
{
    (void)call;
    begin(LL_FRAME_REPLY);
    put_list(4);
    put_int(200);
    put_int(0);
    put_tag(LL_VALUE_BYTES);
    put_le(0xffffffff, 4);
    end();
    return told();
}

/* Tags that would end the header they stand in. */
static long
reply_etag_line(const linli_call *call)
{
    (void)call;
    reply_tagged(200, "{}", 2, "7\"\r\nset-cookie: a=b\r\nx: \"");
    return told();
}

static long
reply_etag_long(const linli_call *call)
{
    static char tag[LL_ETAG_BYTES_MAX + 2];
    (void)call;
    memset(tag, '7', sizeof tag - 1);
    reply_tagged(200, "{}", 2, tag);
    return told();
}

static long
log_level(const linli_call *call)
{
    (void)call;
    begin(LL_FRAME_LOG);
    put_list(2);
    put_int(4);
    PUT("line");
    end();
    return told();
}

static long
log_long(const linli_call *call)
{
    static char line[LL_LOG_LINE_BYTES_MAX + 1];
    (void)call;
    begin(LL_FRAME_LOG);
    put_list(2);
    put_int(1);
    put_text(line, sizeof line);
    end();
    return told();
}

static void
hostcall(int64_t op)
{
    begin(LL_FRAME_HOSTCALL);
    put_list(2);
    put_int(op);
}

static long
hostcall_zero(const linli_call *call)
{
    (void)call;
    hostcall(0);
    put_list(0);
    end();
    return told();
}

static long
hostcall_twice(const linli_call *call)
{
    (void)call;
    hostcall(2);
    put_list(1);
    put_int(10000);
    end();
    send();
    return told();
}

static long
hostcall_deep(const linli_call *call)
{
    (void)call;
    hostcall(1);
    for (int i = 0; i < 200000; i++)
        put_list(1);
    put_tag(LL_VALUE_NIL);
    end();
    return told();
}

static long
hostcall_wide(const linli_call *call)
{
    (void)call;
    hostcall(1);
    put_list(1);
    put_list(500000);
    for (int i = 0; i < 500000; i++)
        put_tag(LL_VALUE_NIL);
    end();
    return told();
}

static long
ended(const linli_call *call)
{
    (void)call;
    begin(LL_FRAME_ENDED);
    end();
    return told();
}

/* -- frames that are well formed, and lie -- */

/* Answered twice: by the forged frame, and by the worker. */
static long
reply_twice(const linli_call *call)
{
    (void)call;
    reply(200, "{\"result\":-1}", 13);
    send();
    rest();
    return 0;
}

/* A body where HTTP has none. */
static long
reply_204(const linli_call *call)
{
    (void)call;
    static const char body[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmile";
    reply(204, body, sizeof body - 1);
    send();
    rest();
    return 0;
}

static long
reply_bytes(const linli_call *call)
{
    (void)call;
    reply(200, "\xff\0\r\n\r\n{", 7);
    send();
    rest();
    return 0;
}

static void
failed(const char *code, const char *detail, const char *errors)
{
    begin(LL_FRAME_FAILED);
    put_list(5);
    put_text(code, strlen(code));
    put_int(INT64_MAX);
    put_text(detail, strlen(detail));
    PUT("\xff\xfe\033[31m\r\nnot a line");
    put_text(errors, strlen(errors));
    end();
    send();
    rest();
}

static long
failed_code(const linli_call *call)
{
    (void)call;
    failed("\xff\"}\r\n", "\xff\"}", "[");
    return 0;
}

static long
failed_runtime(const linli_call *call)
{
    (void)call;
    failed("sandbox/breaker-open", "detail", "");
    return 0;
}

static long
failed_declared(const linli_call *call)
{
    (void)call;
    failed("hostile-c/declared", "\xff\xc0\"\\\033\r\n", "[[[[[[[[[[[[[[[[");
    return 0;
}

static long
failed_errors(const linli_call *call)
{
    (void)call;
    failed("request/invalid", "",
        "[1,{\"at\":[],\"rule\":{},\"message\":null},{\"at\":\"/\xff\"}]");
    return 0;
}

static long
log_bytes(const linli_call *call)
{
    (void)call;
    begin(LL_FRAME_LOG);
    put_list(2);
    put_int(3);
    PUT("\xff\"}\033[31m\r\n{\"level\":\"info\"}");
    end();
    send();
    return -1;
}

/* As many frames as there is room for, each as small as can be. */
static long
log_storm(const linli_call *call)
{
    (void)call;
    for (;;) {
        begin(LL_FRAME_LOG);
        put_list(2);
        put_int(3);
        PUT("");
        end();
        send();
    }
    return 0;
}

static long
wake_storm(const linli_call *call)
{
    (void)call;
    for (;;)
        wake();
    return 0;
}

/* -- the control socket -- */

static long
control(const void *bytes, size_t n)
{
    (void)RAW3(SYS_write, LL_FD_CONTROL, bytes, n);
    rest();
    return NO_ANSWER;
}

static long
control_garbage(const linli_call *call)
{
    (void)call;
    return control("anything at all, just not a frame", 33);
}

static long
control_ready(const linli_call *call)
{
    (void)call;
    begin_for(LL_FRAME_READY, 0, 0);
    end();
    return control(frame, frame_bytes);
}

static long
control_refused(const linli_call *call)
{
    (void)call;
    begin_for(LL_FRAME_REFUSED, 0, 0);
    put_list(5);
    put_int(-1);
    PUT("plugin/load");
    PUT("here");
    PUT("what");
    PUT("fix");
    end();
    return control(frame, frame_bytes);
}

/* -- indices and words -- */

static long
written(uint32_t by)
{
    struct ll_ring *own = ring();
    atomic_store(&own->mine->written, own->written + by);
    wake();
    rest();
    return NO_ANSWER;
}

static long
written_far(const linli_call *call)
{
    (void)call;
    return written(LL_RING_BYTES + 1);
}

static long
written_wrapped(const linli_call *call)
{
    (void)call;
    return written(0x80000000u);
}

static long
written_back(const linli_call *call)
{
    (void)call;
    return written((uint32_t)-16);
}

/* Zeros that nobody wrote: the magic is wrong. */
static long
written_more(const linli_call *call)
{
    (void)call;
    memset(ring()->mine->data, 0, LL_RING_BYTES);
    return written(64);
}

/* Told when the host writes next: its answer to a host call. */
static long
read_far(const linli_call *call)
{
    struct ll_ring *own = ring();
    hostcall(2);
    put_list(1);
    put_int(1);
    end();
    atomic_store(&own->mine->read, own->read + 0x40000000u);
    (void)call;
    return told();
}

static long
read_never(const linli_call *call)
{
    (void)call;
    atomic_store(&ring()->mine->read, ring()->read - LL_RING_BYTES / 2);
    return 0;
}

static long
running_nobody(const linli_call *call)
{
    (void)call;
    atomic_store(&ring()->mine->running, 0);
    spin();
    return 0;
}

static long
running_another(const linli_call *call)
{
    (void)call;
    atomic_store(&ring()->mine->running, 0x7777777);
    spin();
    return 0;
}

static long
turns_forged(const linli_call *call)
{
    (void)call;
    for (struct ll_ring *own = ring();;)
        atomic_fetch_add(&own->mine->turns, 1);
    return 0;
}

static long
asleep_forged(const linli_call *call)
{
    (void)call;
    for (struct ll_ring *own = ring();;)
        atomic_store(&own->mine->asleep, 1);
    return 0;
}

/* Answered, and never back in the loop: another call's time is taken. */
static long
burns_after_reply(const linli_call *call)
{
    (void)call;
    reply(200, "{\"result\":-1}", 13);
    send();
    spin();
    return 0;
}

static long
burns_unseen(const linli_call *call)
{
    (void)call;
    reply(200, "{\"result\":-1}", 13);
    send();
    atomic_store(&ring()->mine->running, 0);
    for (struct ll_ring *own = ring();;)
        atomic_fetch_add(&own->mine->turns, 1);
    return 0;
}

const struct named wire_attacks[] = {
    {"garbage", garbage},
    {"magic", magic},
    {"version", version},
    {"reserved", reserved},
    {"oversized", oversized},
    {"type-unknown", type_unknown},
    {"type-of-host", type_of_host},
    {"type-ready", type_ready},
    {"call-of-nobody", call_of_nobody},
    {"run-of-nobody", run_of_nobody},
    {"promised", promised},
    {"promised-then-exit", promised_then_exit},
    {"reply-status", reply_status},
    {"reply-shape", reply_shape},
    {"reply-leftover", reply_leftover},
    {"reply-lie", reply_lie},
    {"reply-etag-line", reply_etag_line},
    {"reply-etag-long", reply_etag_long},
    {"log-level", log_level},
    {"log-long", log_long},
    {"hostcall-zero", hostcall_zero},
    {"hostcall-twice", hostcall_twice},
    {"hostcall-deep", hostcall_deep},
    {"hostcall-wide", hostcall_wide},
    {"ended", ended},
    {"reply-twice", reply_twice},
    {"reply-204", reply_204},
    {"reply-bytes", reply_bytes},
    {"failed-code", failed_code},
    {"failed-runtime", failed_runtime},
    {"failed-declared", failed_declared},
    {"failed-errors", failed_errors},
    {"log-bytes", log_bytes},
    {"log-storm", log_storm},
    {"wake-storm", wake_storm},
    {"control-garbage", control_garbage},
    {"control-ready", control_ready},
    {"control-refused", control_refused},
    {"written-far", written_far},
    {"written-wrapped", written_wrapped},
    {"written-back", written_back},
    {"written-more", written_more},
    {"read-far", read_far},
    {"read-never", read_never},
    {"running-nobody", running_nobody},
    {"running-another", running_another},
    {"turns-forged", turns_forged},
    {"asleep-forged", asleep_forged},
    {"burns-after-reply", burns_after_reply},
    {"burns-unseen", burns_unseen},
    {NULL, NULL},
};
