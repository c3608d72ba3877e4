/* host/code_try.c: call:try_code: codes of doors and pick-ups. [loop]
 *
 * Five wrong tries lock a name for ten minutes. The count is committed at
 * once, apart from the call, and stays whatever becomes of it: a plugin that
 * rolls back, or fails, gives nobody a try more. A call that begins again
 * asks the same and is answered the same, without a second count.
 */
#include "base/text.h"
#include "data/put.h"
#include "host/call.h"

/* What the call has tried: lives as long as it does. */
struct ll_try {
    struct ll_try *next;
    linli_str name, given, expected;
    const char *word;
};

static const char *
tried_before(const struct ll_call *call, linli_str name, linli_str given,
    linli_str expected)
{
    for (const struct ll_try *t = call->tries; t != NULL; t = t->next)
        if (ll_str_eq(t->name, name) && ll_str_eq(t->given, given) &&
            ll_str_eq(t->expected, expected))
            return t->word;
    return NULL;
}

static void
answer(struct ll_call *call, struct ll_op *op, const char *word)
{
    ll_buf_clear(&op->text);
    ll_put_bytes(&op->text, ll_cstr(word));
    ll_op_answer_text(call);
}

/* The count of wrong tries, and until when it is locked. */
static void
read_state(struct ll_call *call, const struct ll_content *content,
    int64_t *wrong, int64_t *until_ms)
{
    struct ll_json *json = &call->host->docs.json;
    *wrong = *until_ms = 0;
    if (content == NULL ||
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return;
    (void)ll_jv_int(ll_jv_get(ll_json_root(json), "wrong"), wrong);
    (void)ll_jv_int(ll_jv_get(ll_json_root(json), "until"), until_ms);
    if (*until_ms != 0 && *until_ms <= call->now_ms)
        *wrong = *until_ms = 0;
}

static bool
write_state(
    struct ll_call *call, struct ll_op *op, int64_t wrong, int64_t until_ms)
{
    struct ll_jw w = ll_jw(&op->text);
    ll_buf_clear(&op->text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, op->doc->id);
    ll_jw_key(&w, "wrong");
    ll_jw_int(&w, wrong);
    ll_jw_key(&w, "until");
    ll_jw_int(&w, until_ms);
    ll_jw_close(&w, '}');
    uint64_t number =
        ll_docs_put_now(&call->host->docs, op->doc, &op->text, call->now_ms);
    /* The caller must not hear of a try that may yet be lost. */
    if (number > call->tried_number)
        call->tried_number = number;
    return number != 0;
}

static bool
step_try(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err;
    int64_t wrong, until_ms;
    if (!ll_op_wait_doc(call, op))
        return false;
    struct ll_rd args = ll_rd(ll_buf_view(&op->args));
    (void)ll_rd_list(&args);
    linli_str name = ll_rd_bytes(&args);
    linli_str given = ll_rd_bytes(&args);
    linli_str expected = ll_rd_bytes(&args);
    struct ll_try *try = ll_arena_alloc(&call->arena, sizeof *try);
    bool good = try != NULL && op->doc->state == LL_DOC_KNOWN;
    const char *word = "locked";
    read_state(call, good ? op->doc->content : NULL, &wrong, &until_ms);
    if (good && until_ms == 0) {
        bool right = expected.len > 0 && ll_secret_is(given, expected);
        word = right ? "ok" : "wrong";
        if (!right)
            good = write_state(call, op, wrong + 1,
                wrong + 1 >= LL_CODE_WRONG_MAX ? call->now_ms + LL_CODE_LOCK_MS
                                               : 0);
        else if (wrong > 0)
            good = write_state(call, op, 0, 0);
    }
    if (!good) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a try");
        ll_op_refuse(call, &err);
        return true;
    }
    *try = (struct ll_try){.next = call->tries,
        .name = ll_arena_str(&call->arena, name),
        .given = ll_arena_str(&call->arena, given),
        .expected = ll_arena_str(&call->arena, expected),
        .word = word};
    call->tries = try;
    answer(call, op, word);
    return true;
}

bool
ll_serve_code_try(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    linli_str name = ll_rd_bytes(args);
    linli_str given = ll_rd_bytes(args);
    linli_str expected = ll_rd_bytes(args);
    struct ll_err err;
    if (!ll_rd_end(args) || name.len == 0 ||
        name.len > LL_CODE_NAME_BYTES_MAX || given.len > LL_CODE_BYTES_MAX ||
        expected.len > LL_CODE_BYTES_MAX || !ll_utf8_valid(name)) {
        (void)ll_fail(&err, LINLI_E_INVALID, "db/query",
            "a name of 1 to %d bytes and codes of at most %d",
            LL_CODE_NAME_BYTES_MAX, LL_CODE_BYTES_MAX);
        ll_op_refuse(call, &err);
        return false;
    }
    const char *before = tried_before(call, name, given, expected);
    if (before != NULL) {
        answer(call, op, before);
        return false;
    }
    op->id = name;
    op->coll = ll_space_coll(call->instance->space, LINLI_STR("~code"));
    op->step = step_try;
    return true;
}
