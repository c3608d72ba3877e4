/* server/people.h: residents over HTTP: who they are, what is kept of them, who
 * acts for them. [loop]
 *
 * spec/consent.md, section 5. Residents ask below .../me/, operators below
 * .../admin/, staff below .../staff/.
 */
#ifndef LL_SERVER_PEOPLE_H
#define LL_SERVER_PEOPLE_H

#include "server/desk.h"

struct ll_identity;

/* Who was admitted, and for whom they ask: the caller's own subject, or that
 * of the ward that ?for= names. */
struct ll_asker {
    struct ll_identity *identity; /* a reference */
    struct ll_community *community;
    uint32_t self, subject;
    linli_str resident; /* the subject's, stays as long as the arbiter's */
    int64_t now_ms;
    int32_t today;
    bool strangers; /* in: who was never met, or was erased, is not met now:
                       their subject is LL_NOBODY */
};

/* Admits a resident, and finds whom they ask for; `names` as for
 * ll_params_read, "for" among them. False: the request has been answered. */
bool ll_asker_begin(struct ll_asker *asker, struct ll_face *face,
    struct ll_request *request, linli_str community, struct ll_params *params);
/* The same with other parameters of the query; asker->strangers is set. */
bool ll_asker_begin_with(struct ll_asker *asker, struct ll_face *face,
    struct ll_request *request, const char *const *names,
    struct ll_params *params);
void ll_asker_end(struct ll_asker *asker);
/* Whether they may do it with fields of a class. */
bool ll_asker_may(const struct ll_asker *asker, struct ll_host *host,
    uint32_t power, enum ll_class class);

/* .../me/profile, fields, wards, guardians; false if `rest`, which begins
 * with "me/", is none of these. server/people_me.c */
bool ll_people_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);
/* .../admin/residents, households, guardians; false for any other `rest`.
 * server/people_admin.c */
bool ll_people_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

/* .../admin/residents/import. server/import.c */
void ll_import_begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str operator_id);

#endif
