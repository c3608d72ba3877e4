/* host/relay.c: telephone numbers that stand for a resident. [loop]
 *
 * One for each plugin and resident, kept: two plugins cannot put their
 * records together by it, and the operator's call centre, which alone can say
 * whose it is, connects for as long as the resident lets the plugin call.
 */
#include "host/reading.h"

#include <stdio.h>

#include "base/text.h"
#include "data/put.h"
#include "host/directory.h"

#define TRIES_MAX 16 /* of numbers that another has */

static bool
fail(struct ll_reading *r, linli_status status, const char *code)
{
    r->status = ll_fail(&r->err, status, code, "a relay");
    return true;
}

/* By pid, in the plugin's space. */
static struct ll_coll *
own_coll(struct ll_reading *r)
{
    struct ll_coll *coll =
        ll_space_coll(r->call->instance->space, LINLI_STR("~relay"));
    if (coll != NULL)
        coll->subject = (linli_str)LINLI_STR("subject");
    return coll;
}

static bool
read_number(struct ll_reading *r)
{
    struct ll_json *json = &r->call->host->docs.json;
    const struct ll_content *content = r->doc->content;
    if (content == NULL ||
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    linli_str number = ll_jv_str(ll_jv_get(ll_json_root(json), "number"));
    if (number.len == 0 || number.len >= sizeof r->number)
        return false;
    memcpy(r->number, number.ptr, number.len);
    r->number[number.len] = '\0';
    return true;
}

/* The prefix and random digits. */
static void
draw(struct ll_reading *r)
{
    struct ll_host *host = r->call->host;
    linli_str prefix = host->config.relay_prefix;
    ll_check(prefix.len + LL_RELAY_DIGITS < sizeof r->number);
    memcpy(r->number, prefix.ptr, prefix.len);
    uint64_t random = ll_world_random_u64(host->world);
    for (size_t i = 0; i < LL_RELAY_DIGITS; i++, random /= 10)
        r->number[prefix.len + i] = (char)('0' + random % 10);
    r->number[prefix.len + LL_RELAY_DIGITS] = '\0';
}

static bool
put(struct ll_reading *r, struct ll_doc *doc, bool of_community)
{
    struct ll_call *call = r->call;
    struct ll_buf *text = &call->scratch;
    struct ll_jw w = ll_jw(text);
    char subject[LL_PID_BYTES];
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, doc->id);
    if (of_community) {
        ll_directory_subject(call->host, call->community->id, LL_DIR_RESIDENT,
            r->resident, subject);
        ll_jw_key(&w, "plugin");
        ll_jw_str(&w, call->instance->id);
        ll_jw_key(&w, "resident");
        ll_jw_str(&w, r->resident);
    } else {
        (void)snprintf(subject, sizeof subject, "%.*s", LL_FMT(r->pid));
        ll_jw_key(&w, "number");
        ll_jw_cstr(&w, r->number);
    }
    ll_jw_key(&w, "subject");
    ll_jw_cstr(&w, subject);
    ll_jw_close(&w, '}');
    uint64_t number =
        ll_docs_put_now(&call->host->docs, doc, text, call->now_ms);
    if (number > call->tried_number)
        call->tried_number = number;
    return number != 0;
}

/* Looks for a number that nobody has, and takes it. */
static bool
make(struct ll_reading *r, struct ll_wait *wait)
{
    struct ll_coll *coll = ll_directory(r->call->community, LL_DIR_RELAY);
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        if (r->other == NULL) {
            draw(r);
            r->other =
                coll == NULL ? NULL : ll_docs_get(coll, ll_cstr(r->number));
        }
        if (r->other == NULL)
            return fail(r, LINLI_E_NOMEM, "runtime/memory");
        if (!ll_doc_ready(r->other, wait))
            return false;
        if (r->other->state == LL_DOC_LOST)
            return fail(r, LINLI_E_IO, "store/failed");
        /* Another call has made it meanwhile. */
        if (read_number(r))
            return true;
        if (r->other->content == NULL) {
            (void)snprintf(
                r->number, sizeof r->number, "%.*s", LL_FMT(r->other->id));
            return put(r, r->other, true) && put(r, r->doc, false)
                       ? true
                       : fail(r, LINLI_E_NOMEM, "runtime/memory");
        }
        ll_doc_unref(&r->other);
    }
    return fail(r, LINLI_E_LIMIT, "runtime/busy");
}

bool
ll_relay_go(struct ll_reading *r, struct ll_wait *wait)
{
    struct ll_coll *coll = own_coll(r);
    if (r->doc == NULL && coll != NULL)
        r->doc = ll_docs_get(coll, r->pid);
    if (r->doc == NULL)
        return fail(r, LINLI_E_NOMEM, "runtime/memory");
    if (!ll_doc_ready(r->doc, wait))
        return false;
    if (r->doc->state == LL_DOC_LOST)
        return fail(r, LINLI_E_IO, "store/failed");
    if (!read_number(r) && !make(r, wait))
        return false;
    ll_doc_unref(&r->doc);
    ll_doc_unref(&r->other);
    return true;
}
