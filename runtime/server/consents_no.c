/* server/consents_no.c: what a resident has objected to. [loop]
 *
 * GET /v1/c/{c}/me/objections
 */
#include "server/consents.h"

#include "base/text.h"

/* One object for each bit; `plugin` empty: it is to all. */
static void
put_bits(struct ll_jw *w, uint32_t bits, linli_str plugin)
{
    for (unsigned kind = 0; kind <= LL_OBJECTION_MARKETING; kind++) {
        if ((bits >> kind & 1) == 0)
            continue;
        ll_jw_open(w, '{');
        ll_jw_key(w, "objection");
        ll_jw_cstr(w, ll_objection_name((enum ll_objection)kind));
        ll_jw_key(w, "plugin");
        if (plugin.len == 0)
            ll_jw_null(w);
        else
            ll_jw_str(w, plugin);
        ll_jw_close(w, '}');
    }
}

void
ll_objections_list(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    static const char *const names[] = {"for", NULL};
    const struct ll_consent *consent = face->host->arbiter.consent;
    struct ll_params params;
    struct ll_standing standing;
    struct ll_err err;
    if (ll_params_read(&params, names, request->query, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    if (!ll_standing_read(
            face, request, community, ll_param(&params, "for"), &standing))
        return;
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    put_bits(&w,
        ll_consent_objections(consent, standing.who.subject, LL_NO_PARTY),
        LINLI_STR(""));
    for (const struct ll_instance *i = community->instances; i != NULL;
         i = i->next) {
        uint32_t party = ll_consent_party(consent, community->id, i->id);
        if (party != LL_NO_PARTY)
            put_bits(&w,
                ll_consent_objections(consent, standing.who.subject, party),
                i->id);
    }
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}
