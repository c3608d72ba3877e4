/* server/face.h: the HTTP face of a host. [loop]
 *
 * Paths outside any plugin are answered here: /healthz, /readyz, /metrics,
 * /openapi.json, the pages, and /v1/c/{community}/events, .../me/calls/... and
 * .../admin/...; the rest goes through the host's pipeline.
 */
#ifndef LL_SERVER_FACE_H
#define LL_SERVER_FACE_H

#include "host/host.h"
#include "server/http.h"

struct ll_calling_back;
struct ll_asking;
struct ll_dev;
struct ll_listening;
struct ll_pages;
struct ll_view;

struct ll_face {
    struct ll_host *host;
    struct ll_http *http;
    struct ll_buf out;      /* bodies of this face's own answers */
    struct ll_pages *pages; /* server/pages.c */
    struct ll_view *views;  /* answers that wait for the store */
    struct ll_dev *dev;     /* what host-wide paths have begun; or NULL */
    struct ll_listening *listening;       /* requests that wait for events */
    struct ll_asking *asking;             /* what became of a call */
    struct ll_calling_back *calling_back; /* notices of providers */
    int64_t refused_ns; /* when the log had one that was refused; 0: never */
};

/* Listens and hooks itself into the host, which frees it. */
linli_status ll_face_open(
    struct ll_host *host, linli_str address, struct ll_err *err) LL_USE_RESULT;

/* Answers with the JSON (or text) in face->out. */
void ll_face_answer(struct ll_face *face, struct ll_request *request,
    int status, const char *content_type);
/* Answers with a problem of the table; `detail` may be empty. */
void ll_face_problem(struct ll_face *face, struct ll_request *request,
    const char *code, linli_str detail);
/* What a route says of a denial, said without it. */
struct ll_denial {
    linli_str reason;
    linli_str consent_url; /* empty: nothing there would help */
    linli_str fields_json; /* a JSON array of their ids */
};
void ll_face_denied(struct ll_face *face, struct ll_request *request,
    const char *code, const struct ll_denial *denial);
/* 405; `allow` names the methods that the path has. */
void ll_face_method(
    struct ll_face *face, struct ll_request *request, const char *allow);
/* A problem from a failure, with its place and its own fix in the detail. */
void ll_face_error(
    struct ll_face *face, struct ll_request *request, const struct ll_err *err);

/* Who may ask for something of a community. */
struct ll_admission {
    uint32_t kinds;    /* bit per enum ll_caller_kind */
    bool served;       /* and the host serves the community; else 404 */
    const char *words; /* for others: who may */
};
/* True for such a caller of this very community; others have been refused. */
bool ll_face_admit(struct ll_face *face, struct ll_request *request,
    linli_str community, const struct ll_admission *who);

/* /v1/c/{community}/admin/REST; `rest` starts with '/'. server/admin.c */
void ll_admin_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);

/* /v1/c/{community}/events. server/events.c */
void ll_events_handle(
    struct ll_face *face, struct ll_request *request, linli_str community);
/* For a face that goes: who still listens gets "runtime/draining". */
void ll_events_end(struct ll_face *face);

/* /v1/callbacks/REST: no token, the provider's signature. server/callbacks.c
 */
void ll_callbacks_handle(
    struct ll_face *face, struct ll_request *request, linli_str rest);
/* For a face that goes: what is not durable yet is not taken. */
void ll_callbacks_end(struct ll_face *face);

/* /v1/c/{community}/me/calls/REST. server/calls.c */
void ll_calls_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);
/* For a face that goes: who still waits gets "runtime/draining". */
void ll_calls_end(struct ll_face *face);

/* /v1/dev/... and /v1/host/..., for who has the admin token. server/dev.c */
void ll_dev_handle(struct ll_face *face, struct ll_request *request);
/* Its paths of the simulator of messages. server/sim.c */
void ll_sim_messages_handle(struct ll_face *face, struct ll_request *request);
void ll_sim_notify_handle(struct ll_face *face, struct ll_request *request);
/* Its paths of the payment simulator. server/dev_pay.c */
void ll_dev_pay_settings(struct ll_face *face, struct ll_request *request);
void ll_dev_pay_order(struct ll_face *face, struct ll_request *request);
/* For a face that goes: answers what is under way with "runtime/draining". */
void ll_dev_end(struct ll_face *face);

#endif
