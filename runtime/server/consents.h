/* server/consents.h: acts of residents over HTTP. [loop]
 *
 * spec/consent.md, section 3. A resident acts with their own token; `?for=`
 * names a ward, for whom a guardian acts. Whoever may not see somebody is told
 * what is told of nobody.
 */
#ifndef LL_SERVER_CONSENTS_H
#define LL_SERVER_CONSENTS_H

#include "consent/receipt.h"
#include "host/pid.h"
#include "host/terms.h"
#include "server/prover.h"
#include "server/view.h"

#define LL_ACT_WARD_BYTES 256

/* Who asks, and about whom. */
struct ll_standing {
    struct ll_community *community;
    struct ll_actor_of who; /* strings are of the request or the community */
    bool elder;             /* their token says so */
    bool ward;              /* a guardian must decide for them today */
};

/* Reads it of a request whose query has been read as far as `ward`. Whoever
 * may not is answered, and false returned. A resident who was never met is
 * met, if `meet`; otherwise who.subject may be LL_NOBODY. */
bool ll_standing_read(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str ward, struct ll_standing *out);

/* The plugin of a party, if it is installed; or NULL. */
const struct ll_manifest *ll_party_manifest(
    const struct ll_community *community, linli_str plugin);

/* A receipt as it is put together, for a view that holds its request: the pid,
 * the leaf, the last checkpoint and the proof. server/receipt.c */
struct ll_receipting {
    struct ll_view *view; /* NULL: it has not begun */
    struct ll_community *community;
    uint32_t grant;
    unsigned char id[LL_TAG_BYTES]; /* of the grant */
    bool meet;                      /* the plugin knows them from now on */
    struct ll_doc *row;
    struct ll_wait wait;
    char pid[LL_PID_BYTES]; /* empty: the plugin does not know them */
    struct ll_timer *timer; /* it waits, since: */
    int64_t since_ms;
    struct ll_buf leaf, note;
    uint64_t size; /* of the note */
    struct ll_prover *prover;
    /* For whoever makes more than one: where it goes, and who is told. NULL:
     * it is what the view answers. */
    struct ll_buf *into;
    void (*done)(struct ll_receipting *r);
};
/* Answers the view in the end, with view->status; or, if `into` and `done` are
 * set (they are kept by the call), writes it there. Its step and its end are to
 * call the two below. */
void ll_receipting_begin(struct ll_receipting *r, struct ll_view *view,
    struct ll_community *community, uint32_t grant, bool meet);
void ll_receipting_step(struct ll_receipting *r);
void ll_receipting_end(struct ll_receipting *r);
/* GET .../me/consents/{id}/receipt. */
void ll_receipt_show(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, uint32_t grant);

/* .../me/consents..., asks, objections, explain; false for any other `rest`,
 * which begins with "me/". */
bool ll_consents_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);
/* .../admin/consents, bases, plugins/{id}/data-diff; the same of what is
 * below admin. server/consents_admin.c */
bool ll_consents_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

/* -- parts of it -- */

/* GET .../me/asks. server/consents_ask.c */
void ll_asks_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community);
/* GET .../me/explain. */
void ll_explain_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community);
/* Acts. server/consents_act.c */
void ll_give_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community);
void ll_refuse_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community);
void ll_withdraw_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str id);
void ll_object_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community);
/* What staff may say of an act: the members of every path, and their own. */
#define LL_ASSIST_NAMES                                                 \
    "resident", "act", "proof", "plugin", "field", "fields", "purpose", \
        "text_version", "expires_at", "once", "grant", "continuity",    \
        "objection", "on", "kind", "note", "value"
/* Of staff, and of what shows the resident's will; with a NUL. */
#define LL_BY_BYTES (LL_DOC_ID_BYTES_MAX + 16)
#define LL_SHOWN_BYTES 512
/* The act "give", "refuse", "withdraw" or "object" of a body of these, by
 * staff who stand for the resident. False: it was refused. */
bool ll_consents_assist(struct ll_face *face, struct ll_request *request,
    const struct ll_standing *standing, struct ll_jv root);
/* GET .../me/objections: what stands. server/consents_no.c */
void ll_objections_list(struct ll_face *face, struct ll_request *request,
    struct ll_community *community);
/* The grant of an id, if it is theirs; LL_NO_GRANT. */
uint32_t ll_standing_grant(const struct ll_face *face,
    const struct ll_standing *standing, linli_str id);

#endif
