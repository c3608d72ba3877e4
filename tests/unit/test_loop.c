/* tests/unit/test_loop.c: the worker's loop, from a CALL to a REPLY.
 *
 * A child serves frames with an engine that answers what it was told; the
 * test plays the host over real rings.
 */
#include "t.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "worker/worker.h"

#define EXIT_PROTOCOL 70

/* -- the worker -- */

static void
tell(struct ll_jw *w, const char *name, linli_str value)
{
    ll_jw_key(w, name);
    ll_jw_str(w, value);
}

/* Answers with what it was told. */
static void
engine_call(
    struct ll_worker *worker, const struct ll_call_in *in, struct ll_jv body)
{
    struct ll_buf json;
    ll_buf_init(&json, &worker->mem, 65536);
    struct ll_jw w = ll_jw(&json);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "kind");
    ll_jw_int(&w, in->kind);
    ll_jw_key(&w, "nodes");
    ll_jw_int(&w, ll_jv_there(body) ? (int64_t)ll_jv_count(body) : -1);
    ll_jw_key(&w, "due");
    ll_jw_int(&w, in->due_ms);
    ll_jw_key(&w, "late");
    ll_jw_bool(&w, in->late);
    tell(&w, "name", in->name);
    tell(&w, "input", in->input);
    tell(&w, "caller", in->caller_kind);
    if (in->has_if_match)
        tell(&w, "if_match", in->if_match);
    tell(&w, "bound_to", in->bound_to);
    tell(&w, "device_kind", in->device_kind);
    tell(&w, "resident", in->resident);
    tell(&w, "fields", in->fields);
    ll_jw_close(&w, '}');
    struct ll_worker_answer answer = {
        .status = 200, .body_json = ll_buf_view(&json), .etag = LINLI_STR("7")};
    ll_worker_reply(worker, in->call, in->run, &answer, 5);
    ll_buf_fini(&json);
}

static bool
engine_idle(const struct ll_worker *worker)
{
    LL_UNUSED(worker);
    return true;
}

static const struct ll_engine engine = {
    .call = engine_call, .idle = engine_idle};

struct areas {
    struct ll_ring_area worker, host;
};

LL_NORETURN static void
serve(struct areas *areas, int control, int wake_me, int wake_host)
{
    static struct ll_worker worker;
    static struct ll_worker_route routes[1];
    (void)dup2(control, 20);
    (void)dup2(wake_me, 21);
    (void)dup2(wake_host, 22);
    (void)dup2(20, LL_FD_CONTROL);
    (void)dup2(21, LL_FD_WAKE_ME);
    (void)dup2(22, LL_FD_WAKE_HOST);
    ll_mem_init(&worker.mem, (size_t)64 << 20);
    ll_json_init(&worker.body, &worker.mem);
    ll_buf_init(&worker.out, &worker.mem, 8 * (size_t)LL_FRAME_BYTES_MAX);
    ll_buf_init(&worker.call_bytes, &worker.mem, LL_FRAME_BYTES_MAX);
    ll_frame_reader_init(&worker.reader, &worker.mem);
    ll_ring_init(&worker.ring, &areas->worker, &areas->host);
    worker.engine = &engine;
    worker.routes = routes;
    worker.route_count = 1;
    routes[0].param_count = 1;
    _exit(ll_worker_serve(&worker));
}

/* -- the host -- */

static struct ll_mem mem;
static struct ll_buf out;

struct call {
    int64_t kind, route;
    uint32_t items; /* 0: as many as there are */
    int params;
    const char *body, *name, *input, *if_match;
    int64_t due;
    bool late;
    const char *bound_to, *device_kind, *resident, *fields;
};

static void
put_or_nil(const char *text)
{
    if (text == NULL)
        ll_put_nil(&out);
    else
        ll_put_bytes(&out, ll_cstr(text));
}

static void
put_text(const char *text)
{
    ll_put_bytes(&out, ll_cstr(text == NULL ? "" : text));
}

static void
write_call(const struct call *c)
{
    size_t mark = ll_frame_begin(&out, LL_FRAME_CALL, 1, 1);
    ll_put_list(&out, c->items == 0 ? 25 : c->items);
    ll_put_int(&out, c->kind);
    ll_put_int(&out, c->route);
    for (int i = 0; i < 5; i++)
        ll_put_int(&out, 1000);
    ll_put_list(&out, (uint32_t)c->params);
    for (int i = 0; i < c->params; i++)
        put_text("p");
    put_text("/path");
    put_text("");
    put_text(c->kind == 0 ? "device" : "system");
    put_text("");
    put_text("[]");
    put_text("en");
    put_text("0123456789abcdef0123456789abcdef");
    put_or_nil(c->body);
    put_text(c->name);
    put_or_nil(c->input);
    ll_put_int(&out, c->due);
    ll_put_bool(&out, c->late);
    put_or_nil(c->if_match);
    put_text(c->bound_to);
    put_text(c->device_kind);
    put_text(c->resident);
    put_text(c->fields);
    ll_frame_end(&out, mark);
}

static bool
has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid;
}

struct worker {
    pid_t pid;
    int wake_me, wake_host;
    struct ll_ring ring; /* the host's side */
};

/* Writes the frame, then waits for the answer, or for the child's end. */
static bool
exchange(struct worker *w, linli_str *payload)
{
    struct ll_ring *ring = &w->ring;
    static struct ll_frame_reader reader;
    static const uint64_t one = 1;
    struct ll_frame frame;
    char part[LL_RING_PART_BYTES];
    size_t n = 0;
    ll_frame_reader_init(&reader, &mem);
    T_INT(ll_ring_write(ring, out.ptr, out.len, &n), LINLI_OK);
    T_INT(n, out.len);
    T_OK(write(w->wake_me, &one, sizeof one) == sizeof one);
    for (int i = 0; i < 500; i++) {
        struct pollfd fd = {.fd = w->wake_host, .events = POLLIN};
        uint64_t count;
        (void)poll(&fd, 1, 20);
        if (fd.revents & POLLIN)
            T_OK(read(w->wake_host, &count, sizeof count) == sizeof count);
        T_INT(ll_ring_read(ring, part, sizeof part, &n), LINLI_OK);
        T_INT(ll_frame_feed(&reader, part, n), LINLI_OK);
        if (ll_frame_next(&reader, &frame) == LINLI_OK) {
            static char copy[4096];
            memcpy(copy, frame.payload.ptr, frame.payload.len);
            *payload = (linli_str){copy, frame.payload.len};
            ll_frame_reader_fini(&reader);
            return frame.type == LL_FRAME_REPLY;
        }
        (void)ll_ring_sleep(ring, LL_RING_DATA);
        if (has_ended(w->pid))
            break;
    }
    ll_frame_reader_fini(&reader);
    return false;
}

/* Runs a worker for one call. `want`: the reply's body, or NULL for none; its
 * exit status is 0 when the host has gone. */
static void
play(const struct call *c, const char *want, int want_exit)
{
    struct areas *areas = mmap(NULL, sizeof *areas, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int control[2], status = 0;
    linli_str payload = {NULL, 0};
    struct worker w;
    T_OK(areas != MAP_FAILED);
    T_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
    w.wake_me = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w.wake_host = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ll_ring_init(&w.ring, &areas->host, &areas->worker);
    (void)ll_ring_sleep(&w.ring, LL_RING_DATA);
    w.pid = fork();
    if (w.pid == 0)
        serve(areas, control[1], w.wake_me, w.wake_host);
    (void)close(control[1]);
    ll_buf_clear(&out);
    write_call(c);
    bool replied = exchange(&w, &payload);
    (void)close(control[0]);
    T_INT(waitpid(w.pid, &status, 0), w.pid);
    T_OK(WIFEXITED(status));
    T_INT(WEXITSTATUS(status), want_exit);
    T_INT(replied, want != NULL);
    if (replied && want != NULL) {
        struct ll_rd rd = ll_rd(payload);
        T_INT(ll_rd_list(&rd), 4);
        T_INT(ll_rd_int(&rd), 200);
        T_INT(ll_rd_int(&rd), 5);
        T_STR(ll_rd_bytes(&rd), want);
        T_STR(ll_rd_bytes(&rd), "7");
        T_OK(ll_rd_end(&rd));
    }
    (void)close(w.wake_me);
    (void)close(w.wake_host);
    (void)munmap(areas, sizeof *areas);
}

static const struct {
    struct call call;
    const char *want;
} good[] = {
    {{.params = 1, .body = "[1,2]"},
        "{\"kind\":0,\"nodes\":2,\"due\":0,\"late\":false,\"name\":\"\","
        "\"input\":\"\",\"caller\":\"device\",\"bound_to\":\"\","
        "\"device_kind\":\"\",\"resident\":\"\",\"fields\":\"\"}"},
    {{.params = 1,
         .late = true,
         .if_match = "7",
         .bound_to = "g1",
         .device_kind = "gate",
         .resident = "{}",
         .fields = "[]"},
        "{\"kind\":0,\"nodes\":-1,\"due\":0,\"late\":true,\"name\":\"\","
        "\"input\":\"\",\"caller\":\"device\",\"if_match\":\"7\","
        "\"bound_to\":\"g1\",\"device_kind\":\"gate\",\"resident\":\"{}\","
        "\"fields\":\"[]\"}"},
    {{.kind = 1, .name = "expire", .input = "{\"a\":1}", .due = 77},
        "{\"kind\":1,\"nodes\":1,\"due\":77,\"late\":false,\"name\":"
        "\"expire\",\"input\":\"{\\\"a\\\":1}\",\"caller\":\"system\","
        "\"bound_to\":\"\",\"device_kind\":\"\",\"resident\":\"\",\"fields\":"
        "\"\"}"},
    {{.kind = 1, .name = "expire"},
        "{\"kind\":1,\"nodes\":-1,\"due\":0,\"late\":false,\"name\":"
        "\"expire\",\"input\":\"\",\"caller\":\"system\",\"bound_to\":\"\","
        "\"device_kind\":\"\",\"resident\":\"\",\"fields\":\"\"}"},
    {{.kind = 2, .name = "shop.paid", .input = "[1,2,3]"},
        "{\"kind\":2,\"nodes\":3,\"due\":0,\"late\":false,\"name\":"
        "\"shop.paid\",\"input\":\"[1,2,3]\",\"caller\":\"system\","
        "\"bound_to\":\"\",\"device_kind\":\"\",\"resident\":\"\",\"fields\":"
        "\"\"}"},
    {{.kind = 4, .name = "priced", .input = "[1,{}]"},
        "{\"kind\":4,\"nodes\":2,\"due\":0,\"late\":false,\"name\":"
        "\"priced\",\"input\":\"[1,{}]\",\"caller\":\"system\","
        "\"bound_to\":\"\",\"device_kind\":\"\",\"resident\":\"\",\"fields\":"
        "\"\"}"},
};

T_CASE(every_kind_of_call_arrives)
{
    for (size_t i = 0; i < LL_COUNT(good); i++)
        play(&good[i].call, good[i].want, 0);
}

static const struct call bad[] = {
    {.items = 16, .params = 1},
    {.items = 24, .params = 1},
    {.items = 26, .params = 1},
    {.kind = 6},
    {.kind = -1},
    {.params = 1, .route = 1},
    {.params = 1, .route = -1},
    {.params = 0},
    {.params = 1, .input = "{}"},
    {.kind = 1, .params = 1},
    {.kind = 2, .body = "{}"},
    {.kind = 1, .input = "{"},
};

T_CASE(a_call_of_another_shape_ends_the_worker)
{
    for (size_t i = 0; i < LL_COUNT(bad); i++)
        play(&bad[i], NULL, EXIT_PROTOCOL);
}

T_CASE(memory_is_given_back)
{
    ll_buf_fini(&out);
    T_INT(mem.used_bytes, 0);
}

static void
begin(void)
{
    ll_mem_init(&mem, 0);
    ll_buf_init(&out, &mem, LL_FRAME_BYTES_MAX);
}

T_MAIN(begin(); T_RUN(every_kind_of_call_arrives) T_RUN(
    a_call_of_another_shape_ends_the_worker) T_RUN(memory_is_given_back))
