/* server/log.c: checkpoint, tiles and proofs. [loop]
 *
 * GET /v1/log/checkpoint                    a C2SP note
 * GET /v1/log/tile/{level}/{n}[.p/{w}]      C2SP tiles: hashes, 32 bytes each
 * GET /v1/log/proof?seq=&size=              that a leaf is in the tree
 * GET /v1/log/consistency?from=&to=         that one tree begins another
 */
#include "server/log.h"

#include "base/text.h"
#include "domain/checkpoint.h"
#include "server/prover.h"

struct proving {
    struct ll_view view;
    bool growth;      /* else of a leaf */
    int64_t from, to; /* of a leaf: seq and size */
    struct ll_prover prover;
};

/* -- the last checkpoint -- */

/* Appends it; false when it was answered with a problem. */
static bool
take_note(struct ll_face *face, struct ll_request *request, struct ll_buf *out)
{
    ll_store_checkpoint(face->host->store, out);
    if (out->len > 0 && !out->failed)
        return true;
    ll_face_problem(face, request,
        out->failed ? "runtime/memory" : "log/sealed", LINLI_STR(""));
    return false;
}

static void
answer_checkpoint(struct ll_face *face, struct ll_request *request)
{
    ll_buf_clear(&face->out);
    if (take_note(face, request, &face->out))
        ll_face_answer(face, request, 200, "text/plain; charset=utf-8");
}

/* How many leaves it has witnessed: proofs are of no more. */
static bool
signed_size(struct ll_face *face, struct ll_request *request, int64_t *size)
{
    struct ll_checkpoint note;
    ll_buf_clear(&face->out);
    if (!take_note(face, request, &face->out))
        return false;
    linli_status status =
        ll_checkpoint_read(ll_buf_view(&face->out), &note, NULL);
    ll_check(status == LINLI_OK);
    *size = (int64_t)note.size;
    return true;
}

/* -- proofs -- */

static void
end_proving(struct ll_view *view)
{
    struct proving *p = LL_CONTAINER(view, struct proving, view);
    ll_release(&view->face->host->mem, p, sizeof *p);
}

static void
write_proof(struct proving *p, const struct ll_proof *proof)
{
    struct ll_jw *w = &p->view.w;
    char hex[2 * LL_SHA256_BYTES + 1];
    ll_jw_open(w, '{');
    ll_jw_key(w, p->growth ? "from" : "seq");
    ll_jw_int(w, p->from);
    ll_jw_key(w, p->growth ? "to" : "size");
    ll_jw_int(w, p->to);
    ll_jw_key(w, "hashes");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < proof->count; i++) {
        ll_hex(proof->hashes[i].bytes, LL_SHA256_BYTES, hex);
        ll_jw_cstr(w, hex);
    }
    ll_jw_close(w, ']');
    ll_jw_close(w, '}');
}

static void
prove(struct proving *p)
{
    struct ll_proof proof;
    uint64_t from = (uint64_t)p->from, to = (uint64_t)p->to;
    switch (p->growth ? ll_prover_grown(&p->prover, from, to, &proof)
                      : ll_prover_leaf(&p->prover, from, to, &proof)) {
    case LL_PROOF_MADE:
        write_proof(p, &proof);
        ll_view_answer(&p->view);
        break;
    case LL_PROOF_ASKS:
        ll_prover_ask(&p->prover, &p->view);
        break;
    case LL_PROOF_TORN:
        ll_view_torn(&p->view);
    }
}

static void
step_proving(struct ll_view *view)
{
    struct proving *p = LL_CONTAINER(view, struct proving, view);
    if (ll_prover_take(&p->prover, &view->query))
        prove(p);
    else
        ll_view_torn(view); /* what was signed is not all there */
}

static linli_status
read_number(const struct ll_params *params, const char *name, int64_t max,
    int64_t *out, struct ll_err *err)
{
    linli_str text = ll_param(params, name);
    if (text.ptr == NULL && *out >= 0)
        return LINLI_OK;
    if (text.ptr != NULL && ll_str_int(text, 0, max, out))
        return LINLI_OK;
    linli_status status = ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`%s` must be 0 to %lld: the last checkpoint has no more", name,
        (long long)max);
    ll_err_where(err, "%s", name);
    return status;
}

static linli_status
read_proof(struct proving *p, int64_t size, struct ll_err *err)
{
    static const char *const leaf[] = {"seq", "size", NULL};
    static const char *const growth[] = {"from", "to", NULL};
    const char *const *names = p->growth ? growth : leaf;
    struct ll_params params;
    linli_status status =
        ll_params_read(&params, names, p->view.request->query, err);
    p->from = -1;
    p->to = size;
    if (status == LINLI_OK)
        status = read_number(&params, names[1], size, &p->to, err);
    if (status == LINLI_OK)
        status = read_number(
            &params, names[0], p->growth ? p->to : p->to - 1, &p->from, err);
    return status;
}

static void
begin_proving(struct ll_face *face, struct ll_request *request, bool growth)
{
    int64_t size = 0;
    struct ll_err err;
    if (!signed_size(face, request, &size))
        return;
    struct proving *p = ll_alloc(&face->host->mem, sizeof *p);
    if (p == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    p->view.step = step_proving;
    p->view.end = end_proving;
    p->growth = growth;
    ll_view_begin(&p->view, face, request);
    if (read_proof(p, size, &err) == LINLI_OK)
        prove(p);
    else
        ll_view_refuse(&p->view, &err);
}

/* -- tiles -- */

struct serving {
    struct ll_view view;
    int64_t level, n, width; /* width: hashes, 1 to 256 */
};

static void
end_serving(struct ll_view *view)
{
    struct serving *s = LL_CONTAINER(view, struct serving, view);
    ll_release(&view->face->host->mem, s, sizeof *s);
}

static void
step_serving(struct ll_view *view)
{
    struct serving *s = LL_CONTAINER(view, struct serving, view);
    struct ll_hash hashes[LL_TILE_HASHES];
    struct ll_err err;
    if (ll_tile_take(&view->query, hashes) < s->width) {
        (void)ll_fail(&err, LINLI_E_NOT_FOUND, "request/not-found",
            "the tile does not have so many hashes");
        ll_view_refuse(view, &err);
        return;
    }
    ll_buf_add(&view->out, hashes, (size_t)s->width * sizeof(struct ll_hash));
    view->content_type = "application/octet-stream";
    ll_view_answer(view);
}

/* "x001/x234/067" is 1234067; without groups any number of digits. */
static bool
read_n(linli_str text, int64_t *out)
{
    int64_t part = 0;
    linli_str rest = text, group;
    *out = 0;
    while (ll_str_split(&rest, '/', &group)) {
        bool more = rest.ptr != NULL;
        bool grouped = more || *out > 0 || group.ptr != text.ptr;
        if (more && (group.len != 4 || group.ptr[0] != 'x'))
            return false;
        if (more)
            group = (linli_str){group.ptr + 1, 3};
        if ((grouped && group.len != 3) || group.len > 15 ||
            !ll_str_int(group, 0, INT64_C(999999999999999), &part) ||
            *out > INT64_C(1) << 48)
            return false;
        *out = *out * 1000 + part;
    }
    return true;
}

/* "0/067", "0/067.p/12" */
static bool
read_tile(struct serving *s, linli_str rest)
{
    linli_str level;
    s->width = LL_TILE_HASHES;
    if (!ll_str_split(&rest, '/', &level) || rest.ptr == NULL ||
        !ll_str_int(level, 0, LL_TILE_LEVELS - 1, &s->level))
        return false;
    const char *partial = memmem(rest.ptr, rest.len, ".p/", 3);
    if (partial != NULL) {
        size_t at = (size_t)(partial - rest.ptr);
        linli_str width = {partial + 3, rest.len - at - 3};
        if (!ll_str_int(width, 1, LL_TILE_HASHES - 1, &s->width))
            return false;
        rest.len = at;
    }
    return read_n(rest, &s->n);
}

static void
begin_serving(struct ll_face *face, struct ll_request *request, linli_str rest)
{
    struct serving read, *s;
    if (!read_tile(&read, rest)) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    s = ll_alloc(&face->host->mem, sizeof *s);
    if (s == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    s->level = read.level;
    s->n = read.n;
    s->width = read.width;
    s->view.step = step_serving;
    s->view.end = end_serving;
    ll_view_begin(&s->view, face, request);
    struct ll_query *query = ll_view_query(&s->view, LL_ST_log_tile_get);
    ll_put_int(&query->params, s->level);
    ll_put_int(&query->params, s->n);
    query->rows_max = 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(&s->view);
}

void
ll_log_handle(struct ll_face *face, struct ll_request *request, linli_str rest)
{
    if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (ll_str_is(rest, "checkpoint"))
        answer_checkpoint(face, request);
    else if (ll_str_is(rest, "proof"))
        begin_proving(face, request, false);
    else if (ll_str_is(rest, "consistency"))
        begin_proving(face, request, true);
    else if (ll_str_starts(rest, "tile/"))
        begin_serving(face, request, (linli_str){rest.ptr + 5, rest.len - 5});
    else
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
}
