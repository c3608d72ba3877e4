/* server/receipt.c: a receipt, with what shows it to anyone. [loop]
 *
 * GET /v1/c/{c}/me/consents/{id}/receipt, and the answer of whoever gives.
 *
 * The row of the pid, the leaf and the tiles come from the store, one after
 * the other. The checkpoint is the last that was signed; where it does not yet
 * have the leaf, it is waited for. A log that is sealed signs nothing: then
 * the receipt has the leaf and no proof.
 */
#include "server/consents.h"

#include "base/text.h"
#include "domain/checkpoint.h"

#define RECIPIENT_BYTES_MAX 16384
#define PATH_BYTES_MAX 512
#define LOOK_MS 5

static bool
is_required(const struct ll_manifest *m, const struct ll_dictionary *d,
    const struct ll_grant *grant)
{
    for (uint32_t i = 0; m != NULL && i < d->field_count; i++) {
        int at = (grant->fields >> i & 1) == 0
                     ? -1
                     : ll_manifest_datum(
                           m, d->fields[i].id, d->purposes[grant->purpose].id);
        if (at >= 0 && m->scopes[at].required)
            return true;
    }
    return false;
}

static void
put(struct ll_receipting *r, const struct ll_proof *proof)
{
    struct ll_face *face = r->view->face;
    struct ll_host *host = face->host;
    const struct ll_grant *grant =
        ll_consent_grant(host->arbiter.consent, r->grant);
    linli_str plugin = ll_consent_plugin(host->arbiter.consent, grant->party);
    const struct ll_manifest *m = ll_party_manifest(r->community, plugin);
    struct ll_buf recipient, path;
    char id[2 * LL_TAG_BYTES + 1];
    ll_buf_init(&recipient, &host->mem, RECIPIENT_BYTES_MAX);
    ll_buf_init(&path, &host->mem, PATH_BYTES_MAX);
    ll_hex(grant->id, sizeof grant->id, id);
    ll_buf_printf(
        &path, "/v1/c/%.*s/me/consents/%s", LL_FMT(r->community->id), id);
    struct ll_receipt receipt = {.arbiter = &host->arbiter,
        .grant = r->grant,
        .notice = {.plugin_zh = plugin, .plugin_en = plugin},
        .required = is_required(m, &host->arbiter.dictionary, grant),
        .pid = ll_cstr(r->pid),
        .log = {.leaf = ll_buf_view(&r->leaf), .proof = proof},
        .path = ll_buf_view(&path),
        .now_ms = ll_world_wall(host->world).ms};
    if (proof != NULL) {
        receipt.log.size = r->size;
        receipt.log.checkpoint = ll_buf_view(&r->note);
    }
    if (m != NULL)
        receipt.notice = ll_terms_notice(host, m, &recipient);
    struct ll_jw into = ll_jw(r->into);
    struct ll_jw *w = r->into == NULL ? &r->view->w : &into;
    ll_receipt_put(&receipt, w);
    if (path.failed || recipient.failed || r->leaf.failed || r->note.failed)
        w->buf->failed = true;
    ll_buf_fini(&recipient);
    ll_buf_fini(&path);
}

static void
answer(struct ll_receipting *r, const struct ll_proof *proof)
{
    put(r, proof);
    if (r->done != NULL)
        r->done(r);
    else
        ll_view_answer(r->view);
}

static void
refuse(struct ll_receipting *r, const char *code)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_NOMEM, code, "a receipt");
    ll_view_refuse(r->view, &err);
}

/* The number of the act in the log, from 1; 0: it is not yet durable. */
static uint64_t
number_of(const struct ll_receipting *r)
{
    return ll_arbiter_grant_more(&r->view->face->host->arbiter, r->grant).leaf;
}

/* Nothing is left of whom it is about, since it began. */
static bool
is_gone(struct ll_receipting *r)
{
    const struct ll_grant *grant =
        ll_consent_grant(r->view->face->host->arbiter.consent, r->grant);
    if (grant != NULL && memcmp(grant->id, r->id, sizeof r->id) == 0)
        return false;
    refuse(r, "request/not-found");
    return true;
}

/* Whether the last checkpoint has it; it is read. */
static bool
is_signed(struct ll_receipting *r)
{
    struct ll_checkpoint note;
    ll_buf_clear(&r->note);
    ll_store_checkpoint(r->view->face->host->store, &r->note);
    if (r->note.failed ||
        ll_checkpoint_read(ll_buf_view(&r->note), &note, NULL) != LINLI_OK)
        return false;
    r->size = note.size;
    return note.size >= number_of(r);
}

static void
prove(struct ll_receipting *r)
{
    struct ll_proof proof;
    switch (ll_prover_leaf(r->prover, number_of(r) - 1, r->size, &proof)) {
    case LL_PROOF_MADE:
        answer(r, &proof);
        break;
    case LL_PROOF_ASKS:
        ll_prover_ask(r->prover, r->view);
        break;
    case LL_PROOF_TORN:
        ll_view_torn(r->view);
    }
}

static void
begin_proof(struct ll_receipting *r)
{
    r->prover = ll_alloc(&r->view->face->host->mem, sizeof *r->prover);
    if (r->prover == NULL)
        refuse(r, "runtime/memory");
    else
        prove(r);
}

static void
ask_leaf(struct ll_receipting *r)
{
    struct ll_query *query = ll_view_query(r->view, LL_ST_log_leaf_get);
    ll_put_int(&query->params, (int64_t)number_of(r) - 1);
    query->rows_max = 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(r->view);
}

/* Goes on when the act is durable and signed. */
static void
look(void *user)
{
    struct ll_receipting *r = user;
    struct ll_host *host = r->view->face->host;
    if (is_gone(r))
        return;
    bool known = number_of(r) != 0;
    bool sealed = ll_store_log_sealed(host->store) != NULL;
    bool late = ll_world_mono(host->world).ns / 1000000 - r->since_ms >
                LL_RECEIPT_WAIT_MS;
    if (known && (sealed || late || is_signed(r))) {
        ll_timer_free(&r->timer);
        ask_leaf(r);
    } else if (late) {
        refuse(r, "store/failed");
    } else {
        ll_store_sign(host->store);
        ll_timer_set(r->timer, LOOK_MS, 0);
    }
}

static void
wait_for_log(struct ll_receipting *r)
{
    struct ll_host *host = r->view->face->host;
    r->since_ms = ll_world_mono(host->world).ns / 1000000;
    r->timer = ll_timer_new(host->world, look, r);
    if (r->timer == NULL)
        refuse(r, "runtime/memory");
    else
        look(r);
}

static void
take_row(struct ll_receipting *r)
{
    struct ll_host *host = r->view->face->host;
    linli_status status = LINLI_OK;
    if (r->row != NULL && r->row->state == LL_DOC_KNOWN && r->meet)
        status = ll_pid_take(&host->docs, host->world, r->row,
            ll_world_wall(host->world).ms, r->pid);
    else if (r->row != NULL && r->row->state == LL_DOC_KNOWN)
        (void)ll_pid_read(&host->docs, r->row, r->pid);
    ll_doc_unref(&r->row);
    if (status == LINLI_OK)
        wait_for_log(r);
    else
        refuse(r, "runtime/memory");
}

static void
on_row(struct ll_wait *wait)
{
    take_row(LL_CONTAINER(wait, struct ll_receipting, wait));
}

void
ll_receipting_begin(struct ll_receipting *r, struct ll_view *view,
    struct ll_community *community, uint32_t grant, bool meet)
{
    struct ll_mem *mem = &view->face->host->mem;
    const struct ll_consent *consent = view->face->host->arbiter.consent;
    const struct ll_grant *g = ll_consent_grant(consent, grant);
    const struct ll_instance *instance =
        ll_community_instance(community, ll_consent_plugin(consent, g->party));
    *r = (struct ll_receipting){.view = view,
        .community = community,
        .grant = grant,
        .meet = meet,
        .into = r->into,
        .done = r->done};
    r->wait.ready = on_row;
    memcpy(r->id, g->id, sizeof r->id);
    ll_buf_init(&r->leaf, mem, LL_LEAF_BYTES_MAX);
    ll_buf_init(&r->note, mem, LL_NOTE_BYTES_MAX);
    if (instance != NULL && instance->space != NULL)
        r->row = ll_pid_row(
            instance->space, ll_consent_resident(consent, g->subject));
    if (r->row == NULL || ll_doc_ready(r->row, &r->wait))
        take_row(r);
}

/* The leaf comes first, then tiles. */
void
ll_receipting_step(struct ll_receipting *r)
{
    struct ll_query *query = &r->view->query;
    if (is_gone(r))
        return;
    if (r->prover != NULL) {
        if (ll_prover_take(r->prover, query))
            prove(r);
        else
            ll_view_torn(r->view);
        return;
    }
    struct ll_rd rd = ll_rd(ll_buf_view(&query->rows));
    if (query->row_count != 1 || ll_rd_list(&rd) != 1) {
        ll_view_torn(r->view);
        return;
    }
    ll_buf_str(&r->leaf, ll_rd_bytes(&rd));
    if (r->size >= number_of(r) && r->note.len > 0)
        begin_proof(r);
    else
        answer(r, NULL);
}

void
ll_receipting_end(struct ll_receipting *r)
{
    if (r->view == NULL)
        return;
    struct ll_mem *mem = &r->view->face->host->mem;
    ll_wait_cancel(&r->wait);
    ll_doc_unref(&r->row);
    if (r->timer != NULL)
        ll_timer_free(&r->timer);
    ll_buf_fini(&r->leaf);
    ll_buf_fini(&r->note);
    if (r->prover != NULL)
        ll_release(mem, r->prover, sizeof *r->prover);
    r->view = NULL;
}

/* -- by itself -- */

struct showing {
    struct ll_view view;
    struct ll_receipting receipt;
};

static void
on_step(struct ll_view *view)
{
    ll_receipting_step(&LL_CONTAINER(view, struct showing, view)->receipt);
}

static void
on_end(struct ll_view *view)
{
    struct showing *s = LL_CONTAINER(view, struct showing, view);
    struct ll_mem *mem = &view->face->host->mem;
    ll_receipting_end(&s->receipt);
    ll_release(mem, s, sizeof *s);
}

void
ll_receipt_show(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, uint32_t grant)
{
    struct showing *s = ll_alloc(&face->host->mem, sizeof *s);
    if (s == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    s->view.step = on_step;
    s->view.end = on_end;
    ll_view_begin(&s->view, face, request);
    ll_receipting_begin(&s->receipt, &s->view, community, grant, false);
}
