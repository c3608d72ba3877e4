/* tests/fuzz/fuzz_lua.c: documents through Lua and the wire and back.
 *
 * A handler returns its body, what came back when it sent the body to the
 * host as a value, and what came back when it stored it as a document: all
 * are the same as was sent.
 */
#include "../unit/lua_host.h"

/* Escapes grow six times, and the document comes back three times. */
#define DOCUMENT_BYTES_MAX (FAKE_TEXT / 32)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake *
the_fake(void)
{
    static struct fake *f;
    if (f == NULL)
        f = host_handler(
            "return 200, {call.body, call.host.probe_echo({call.body})[1], "
            "call.db.booking:put{d = call.body}.d}");
    return f;
}

/* [name, document] is answered with [true, document]. */
static void
answer_put(struct fake *f)
{
    struct ll_rd rd = ll_rd((linli_str){f->host_args, f->host_args_bytes});
    struct ll_buf value;
    if (ll_rd_list(&rd) != 2 || !ll_str_is(ll_rd_bytes(&rd), "booking"))
        abort();
    ll_buf_init(&value, &f->worker.mem, LL_FRAME_BYTES_MAX);
    ll_put_list(&value, 2);
    ll_put_bool(&value, true);
    ll_put_bytes(&value, ll_rd_bytes(&rd));
    fake_answer_to(f, f->host_call, LINLI_OK, ll_buf_view(&value));
    ll_buf_fini(&value);
}

/* The handler adds a level, and a host call takes fewer parts than a body:
 * that may be refused, nothing else. */
static void
check_refusal(const struct fake *f)
{
    if (strcmp(f->code, "plugin/error") != 0 ||
        (strstr(f->log, "nested deeper") == NULL &&
            strstr(f->log, "more values") == NULL))
        abort();
}

static void
check_answer(const struct fake *f, const struct ll_json *sent)
{
    struct ll_mem mem;
    struct ll_json got;
    struct ll_err err;
    ll_mem_init(&mem, 0);
    ll_json_init(&got, &mem);
    if (ll_json_parse(&got, ll_cstr(f->body), LL_JSON_DEPTH_MAX, &err) !=
        LINLI_OK)
        abort();
    uint32_t count = 0;
    LL_JSON_EACH (copy, ll_json_root(&got)) {
        if (!ll_jv_equal(copy, ll_json_root(sent)))
            abort();
        count++;
    }
    if (count != 3)
        abort();
    ll_json_fini(&got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake *f = the_fake();
    struct ll_mem mem;
    struct ll_json sent;
    struct ll_err err;
    char text[DOCUMENT_BYTES_MAX + 1];
    if (size > DOCUMENT_BYTES_MAX)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    ll_mem_init(&mem, 0);
    ll_json_init(&sent, &mem);
    if (memchr(text, '\0', size) == NULL &&
        ll_json_parse(&sent, ll_cstr(text), LL_BODY_DEPTH_MAX, &err) ==
            LINLI_OK) {
        int before = f->ended;
        fake_call(f, text);
        if (f->worker.run_count > 0)
            fake_answer_to(f, f->host_call, LINLI_OK, fake_echo(f));
        if (f->worker.run_count > 0)
            answer_put(f);
        if (f->ended != before + 1 || t_failed_checks > 0)
            abort();
        if (f->status == 200)
            check_answer(f, &sent);
        else
            check_refusal(f);
    }
    ll_json_fini(&sent);
    return 0;
}
