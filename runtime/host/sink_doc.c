/* host/sink_doc.c: a sink's document, and its header. [loop] */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/directory.h"
#include "host/sink.h"
#include "host/webhook.h"

#define HEADER_BYTES_MAX 64

static linli_str
str_of(struct ll_jv root, const char *name)
{
    return ll_jv_str(ll_jv_get(root, name));
}

bool
ll_sink_read(struct ll_jv root, struct ll_sink *out)
{
    int64_t after = 0;
    *out = (struct ll_sink){.id = str_of(root, "id"),
        .url = str_of(root, "url"),
        .made = str_of(root, "made"),
        .header = str_of(root, "header"),
        .value = str_of(root, "value"),
        .parked = str_of(root, "parked")};
    (void)ll_jv_int(ll_jv_get(root, "created_at"), &out->created_ms);
    (void)ll_jv_int(ll_jv_get(root, "parked_at"), &out->parked_ms);
    bool good = ll_jv_int(ll_jv_get(root, "after"), &after) && after >= 0;
    out->after = (uint64_t)after;
    return good && out->id.len > 0 &&
           ll_usage_format_read(str_of(root, "format"), &out->format);
}

static void
put_text(struct ll_jw *w, const char *name, linli_str text)
{
    if (text.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

static void
put_int(struct ll_jw *w, const char *name, int64_t value)
{
    ll_jw_key(w, name);
    ll_jw_int(w, value);
}

void
ll_sink_write(struct ll_community *community, const struct ll_sink *sink,
    struct ll_buf *out)
{
    char subject[LL_PID_BYTES];
    struct ll_jw w = ll_jw(out);
    ll_directory_subject(
        community->host, community->id, LL_SINK_COLL, sink->id, subject);
    ll_jw_open(&w, '{');
    put_text(&w, "id", sink->id);
    put_text(&w, "subject", ll_cstr(subject)); /* a URL may hold a password */
    put_text(&w, "url", sink->url);
    put_text(&w, "format", ll_cstr(ll_usage_doc_word(sink->format)));
    put_text(&w, "made", sink->made);
    put_text(&w, "header", sink->header);
    put_text(&w, "value", sink->value);
    put_text(&w, "parked", sink->parked);
    put_int(&w, "created_at", sink->created_ms);
    put_int(&w, "parked_at", sink->parked_ms);
    put_int(&w, "after", (int64_t)sink->after);
    ll_jw_close(&w, '}');
}

bool
ll_sink_id_valid(linli_str id)
{
    return ll_webhook_id_valid(id); /* the same names */
}

void
ll_sink_ref(linli_str id, char ref[LL_SINK_REF_BYTES])
{
    ll_check(id.len <= LL_DOC_ID_BYTES_MAX);
    (void)snprintf(ref, LL_SINK_REF_BYTES, "sink/%.*s", LL_FMT(id));
}

/* -- the header -- */

linli_status
ll_sink_header_check(linli_str name, struct ll_err *err)
{
    static const char *const own[] = {"connection", "content-encoding",
        "content-length", "content-type", "expect", "host", "te", "trailer",
        "transfer-encoding", "upgrade", "user-agent", NULL};
    bool good = name.len >= 1 && name.len <= HEADER_BYTES_MAX;
    for (size_t i = 0; good && i < name.len; i++) {
        char c = name.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    for (const char *const *word = own; good && *word != NULL; word++)
        good = !ll_str_is(name, *word);
    return good ? LINLI_OK
                : ll_fail(err, LINLI_E_INVALID, "request/invalid",
                      "`header.name` is a header in small letters, such as "
                      "authorization, and none that a request has of its own");
}

static struct ll_vault_name
name_of(const struct ll_community *community, const struct ll_sink *sink)
{
    return (struct ll_vault_name){.kind = "sink",
        .community = community->id,
        .owner = sink->made,
        .name = sink->id};
}

linli_status
ll_sink_seal(struct ll_community *community, const struct ll_sink *sink,
    linli_str value, struct ll_buf *out, struct ll_err *err)
{
    struct ll_vault_name name = name_of(community, sink);
    return ll_vault_close(community->host, &name, value, out, err);
}

linli_status
ll_sink_unseal(struct ll_community *community, const struct ll_sink *sink,
    struct ll_opened *out, struct ll_err *err)
{
    struct ll_vault_name name = name_of(community, sink);
    return ll_vault_open(community->host, &name, sink->value, out, err);
}
