/* host/pid.c: from a pid back to the resident. [loop] */
#include "host/pid.h"

#include "base/text.h"
#include "base/tuple.h"
#include "data/put.h"

#define KEY_BYTES_MAX 512

linli_status
ll_pid_scan_index(struct ll_scan *scan, struct ll_txn *txn,
    struct ll_coll *coll, struct ll_ix *ix, linli_str pid, struct ll_err *err)
{
    struct ll_arena *arena = &txn->arena;
    struct ll_buf key;
    ll_scan_init(scan, txn);
    scan->coll = coll;
    scan->ix = ix;
    scan->limit = 1;
    scan->bytes_max = LL_LIST_BYTES_MAX;
    ll_buf_init(&key, txn->docs->mem, KEY_BYTES_MAX);
    ll_tuple_str(&key, pid);
    scan->low = ll_arena_str(arena, ll_buf_view(&key));
    bool good = ll_tuple_next(&key);
    scan->high = ll_arena_str(arena, ll_buf_view(&key));
    ll_buf_fini(&key);
    if (good && scan->low.ptr != NULL && scan->high.ptr != NULL)
        return LINLI_OK;
    ll_scan_fini(scan);
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a pid");
}

linli_status
ll_pid_scan(struct ll_scan *scan, struct ll_txn *txn, struct ll_space *space,
    linli_str pid, struct ll_err *err)
{
    struct ll_coll *coll = ll_space_find(space, LINLI_STR("~pid"));
    ll_check(coll != NULL);
    struct ll_ix *ix = ll_coll_find_index(coll, LINLI_STR("by_pid"));
    ll_check(ix != NULL);
    return ll_pid_scan_index(scan, txn, coll, ix, pid, err);
}

linli_str
ll_pid_resident(const struct ll_scan *scan)
{
    static const linli_str nobody = {NULL, 0};
    if (scan->count == 0 || !ll_str_starts(scan->items[0].id, "r:"))
        return nobody;
    linli_str id = scan->items[0].id;
    return (linli_str){id.ptr + 2, id.len - 2};
}

struct ll_doc *
ll_pid_row(struct ll_space *space, linli_str resident)
{
    struct ll_coll *coll = ll_space_find(space, LINLI_STR("~pid"));
    struct ll_buf key;
    ll_buf_init(&key, space->docs->mem, LL_DOC_ID_BYTES_MAX);
    ll_buf_cstr(&key, "r:");
    ll_buf_str(&key, resident);
    struct ll_doc *row = coll == NULL || key.failed
                             ? NULL
                             : ll_docs_get(coll, ll_buf_view(&key));
    ll_buf_fini(&key);
    return row;
}

/* Its generation; 0: nobody has met them. */
static int64_t
read_row(struct ll_docs *docs, const struct ll_doc *row, linli_str *pid)
{
    int64_t generation = 0;
    *pid = (linli_str){NULL, 0};
    if (row->content == NULL || ll_json_parse(&docs->json, row->content->body,
                                    LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return 0;
    struct ll_jv root = ll_json_root(&docs->json);
    *pid = ll_jv_str(ll_jv_get(root, "pid"));
    return ll_jv_int(ll_jv_get(root, "generation"), &generation) ? generation
                                                                 : 0;
}

bool
ll_pid_read(
    struct ll_docs *docs, const struct ll_doc *row, char pid[LL_PID_BYTES])
{
    linli_str text;
    (void)read_row(docs, row, &text);
    if (!ll_pid_valid(text))
        return false;
    memcpy(pid, text.ptr, LL_PID_BYTES - 1);
    pid[LL_PID_BYTES - 1] = '\0';
    return true;
}

linli_status
ll_pid_take(struct ll_docs *docs, struct ll_world *world, struct ll_doc *row,
    int64_t now_ms, char pid[LL_PID_BYTES])
{
    unsigned char random[LL_PID_BYTES / 2];
    struct ll_buf text;
    linli_str gone;
    if (ll_pid_read(docs, row, pid))
        return LINLI_OK;
    int64_t generation = read_row(docs, row, &gone) + 1;
    ll_world_random(world, random, sizeof random);
    ll_hex(random, sizeof random, pid);
    ll_buf_init(&text, docs->mem, LL_DOC_BYTES_MIN + LL_DOC_ID_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, row->id);
    ll_jw_key(&w, "pid");
    ll_jw_cstr(&w, pid);
    ll_jw_key(&w, "generation");
    ll_jw_int(&w, generation);
    ll_jw_close(&w, '}');
    bool made = ll_docs_put_now(docs, row, &text, now_ms) != 0;
    ll_buf_fini(&text);
    return made ? LINLI_OK : LINLI_E_NOMEM;
}

void
ll_pid_give_up(struct ll_docs *docs, struct ll_doc *row, int64_t now_ms)
{
    int64_t generation = 0;
    struct ll_buf text;
    if (row->content == NULL ||
        ll_json_parse(&docs->json, row->content->body, LL_JSON_DEPTH_MAX,
            NULL) != LINLI_OK ||
        ll_jv_str(ll_jv_get(ll_json_root(&docs->json), "pid")).len == 0 ||
        !ll_jv_int(
            ll_jv_get(ll_json_root(&docs->json), "generation"), &generation))
        return;
    ll_buf_init(&text, docs->mem, LL_DOC_BYTES_MIN + LL_DOC_ID_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, row->id);
    ll_jw_key(&w, "generation");
    ll_jw_int(&w, generation);
    ll_jw_close(&w, '}');
    (void)ll_docs_put_now(docs, row, &text, now_ms);
    ll_buf_fini(&text);
}
