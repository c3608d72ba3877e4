/* domain/usage_export.c: CloudEvents, CSV, OpenMeter, Lago. [any] pure */
#include "domain/usage_export.h"

#include <stdio.h>

#include "base/json.h"
#include "base/text.h"

#define SECOND_MS 1000
#define SUBJECT_BYTES 16 /* "sub_" and a number */
#define METER_BYTES_MAX                                  \
    128 /* a plugin's id, '.', a word: its manifest says \
         */

/* -- formats -- */

static const struct {
    const char *word, *media;
    uint32_t most;
} formats[] = {
#define X(name, word, media, most) {word, media, most},
    LL_EXPORT_FORMATS(X)
#undef X
};

const char *
ll_usage_doc_word(enum ll_usage_format format)
{
    return formats[format].word;
}

const char *
ll_usage_doc_media(enum ll_usage_format format)
{
    return formats[format].media;
}

uint32_t
ll_usage_doc_most(enum ll_usage_format format)
{
    return formats[format].most;
}

bool
ll_usage_format_read(linli_str word, enum ll_usage_format *out)
{
    *out = LL_EXPORT_CLOUDEVENTS;
    for (uint32_t i = 0; i < LL_COUNT(formats); i++)
        if (ll_str_is(word, formats[i].word)) {
            *out = (enum ll_usage_format)i;
            return true;
        }
    return false;
}

/* -- who and which -- */

/* Unreserved (RFC 3986), and '/': what needs no escape in a URN. */
static bool
is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~' || c == '/';
}

static void
put_encoded(struct ll_buf *out, linli_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_plain(s.ptr[i]))
            ll_buf_char(out, s.ptr[i]);
        else
            ll_buf_printf(out, "%%%02X", (unsigned char)s.ptr[i]);
}

void
ll_usage_doc_source(struct ll_buf *out, linli_str origin, linli_str community)
{
    ll_buf_cstr(out, "urn:linli:");
    put_encoded(out, origin);
    ll_buf_char(out, ':');
    put_encoded(out, community);
}

void
ll_usage_doc_id(
    const struct ll_usage *usage, uint64_t lsn, char out[LL_EXPORT_ID_BYTES])
{
    (void)snprintf(out, LL_EXPORT_ID_BYTES, "%016llx%016llx-%llu",
        (unsigned long long)usage->call_high,
        (unsigned long long)usage->call_low, (unsigned long long)lsn);
}

static void
put_subject(uint32_t subscription, char out[SUBJECT_BYTES])
{
    (void)snprintf(out, SUBJECT_BYTES, "sub_%u", subscription);
}

/* -- JSON -- */

static void
put_text(struct ll_jw *w, const char *name, linli_str text)
{
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

static void
put_cstr(struct ll_jw *w, const char *name, const char *text)
{
    put_text(w, name, ll_cstr(text));
}

/* What a record says beyond who, which, what and when. */
static void
put_data(struct ll_jw *w, const struct ll_usage_line *record)
{
    char quantity[32];
    (void)ll_usage_text(record->usage.quantity, quantity);
    put_cstr(w, "qty", quantity);
    put_text(w, "plugin", record->plugin);
    if (record->plan.len > 0) {
        put_text(w, "plan", record->plan);
        ll_jw_key(w, "plan_version");
        ll_jw_int(w, record->plan_version);
    }
    ll_jw_key(w, "lsn");
    ll_jw_int(w, (int64_t)record->lsn);
}

static void
put_event(const struct ll_usage_doc *e, const struct ll_usage_line *record)
{
    char id[LL_EXPORT_ID_BYTES], subject[SUBJECT_BYTES];
    char time[LL_RFC3339_BYTES];
    struct ll_jw w = ll_jw(e->out);
    ll_usage_doc_id(&record->usage, record->lsn, id);
    put_subject(record->subscription, subject);
    ll_rfc3339(record->usage.at_ms, time);
    ll_jw_open(&w, '{');
    put_cstr(&w, "specversion", "1.0");
    put_cstr(&w, "id", id);
    put_text(&w, "source", e->source);
    put_text(&w, "type", record->meter);
    put_cstr(&w, "subject", subject);
    put_cstr(&w, "time", time);
    put_cstr(&w, "datacontenttype", "application/json");
    ll_jw_key(&w, "data");
    ll_jw_open(&w, '{');
    put_data(&w, record);
    ll_jw_close(&w, '}');
    ll_jw_close(&w, '}');
}

/* -- Lago -- */

/* A meter has one dot, behind a plugin's id, which has no '_': so the first
 * '_' of a code is where the dot was. */
static void
put_code(struct ll_jw *w, linli_str meter)
{
    char code[METER_BYTES_MAX];
    ll_check(meter.len <= sizeof code);
    for (size_t i = 0; i < meter.len; i++)
        code[i] = meter.ptr[i] == '.' ? '_' : meter.ptr[i];
    put_text(w, "code", (linli_str){code, meter.len});
}

static void
put_lago(const struct ll_usage_doc *e, const struct ll_usage_line *record)
{
    char id[LL_EXPORT_ID_BYTES], subject[SUBJECT_BYTES], time[32];
    int64_t at_ms = record->usage.at_ms;
    int64_t second = at_ms / SECOND_MS, rest = at_ms % SECOND_MS;
    struct ll_jw w = ll_jw(e->out);
    if (rest < 0) { /* before 1970 */
        second--;
        rest += SECOND_MS;
    }
    ll_usage_doc_id(&record->usage, record->lsn, id);
    put_subject(record->subscription, subject);
    (void)snprintf(
        time, sizeof time, "%lld.%03d", (long long)second, (int)rest);
    ll_jw_open(&w, '{');
    put_cstr(&w, "transaction_id", id);
    put_cstr(&w, "external_subscription_id", subject);
    put_code(&w, record->meter);
    put_cstr(&w, "timestamp", time);
    ll_jw_key(&w, "properties");
    ll_jw_open(&w, '{');
    put_data(&w, record);
    put_text(&w, "source", e->source);
    ll_jw_close(&w, '}');
    ll_jw_close(&w, '}');
}

/* -- CSV -- */

/* No cell holds a comma, a quote or a line end: they are numbers, instants,
 * URNs and names of plugins, meters and plans. Should a name ever, it is
 * quoted (RFC 4180). */
static void
put_cell(struct ll_buf *out, linli_str cell)
{
    bool quoted = false;
    for (size_t i = 0; i < cell.len; i++)
        quoted = quoted || cell.ptr[i] == '"' || cell.ptr[i] == ',' ||
                 cell.ptr[i] == '\n' || cell.ptr[i] == '\r';
    if (quoted)
        ll_buf_char(out, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.ptr[i] == '"')
            ll_buf_char(out, '"');
        ll_buf_char(out, cell.ptr[i]);
    }
    if (quoted)
        ll_buf_char(out, '"');
}

static void
put_row(const struct ll_usage_doc *e, const struct ll_usage_line *record)
{
    char id[LL_EXPORT_ID_BYTES], subject[SUBJECT_BYTES], quantity[32];
    char time[LL_RFC3339_BYTES], version[16] = "";
    ll_usage_doc_id(&record->usage, record->lsn, id);
    put_subject(record->subscription, subject);
    (void)ll_usage_text(record->usage.quantity, quantity);
    ll_rfc3339(record->usage.at_ms, time);
    if (record->plan.len > 0)
        (void)snprintf(version, sizeof version, "%u", record->plan_version);
    ll_buf_printf(e->out, "%s,%llu,", id, (unsigned long long)record->lsn);
    put_cell(e->out, e->source);
    ll_buf_char(e->out, ',');
    put_cell(e->out, record->plugin);
    ll_buf_char(e->out, ',');
    put_cell(e->out, record->meter);
    ll_buf_printf(e->out, ",%s,", subject);
    put_cell(e->out, record->plan);
    ll_buf_printf(e->out, ",%s,%s,%s\n", version, time, quantity);
}

/* -- a document -- */

void
ll_usage_doc_begin(struct ll_usage_doc *e)
{
    e->count = 0;
    switch (e->format) {
    case LL_EXPORT_CLOUDEVENTS:
        break;
    case LL_EXPORT_CSV:
        ll_buf_cstr(e->out, "id,lsn,source,plugin,meter,subscription,plan,"
                            "plan_version,time,qty\n");
        break;
    case LL_EXPORT_BATCH:
    case LL_EXPORT_OPENMETER:
        ll_buf_char(e->out, '[');
        break;
    case LL_EXPORT_LAGO:
        ll_buf_cstr(e->out, "{\"events\":[");
        break;
    }
}

void
ll_usage_doc_add(struct ll_usage_doc *e, const struct ll_usage_line *record)
{
    bool first = e->count == 0;
    e->count++;
    switch (e->format) {
    case LL_EXPORT_CLOUDEVENTS:
        put_event(e, record);
        ll_buf_char(e->out, '\n');
        break;
    case LL_EXPORT_CSV:
        put_row(e, record);
        break;
    case LL_EXPORT_BATCH:
    case LL_EXPORT_OPENMETER:
        ll_buf_cstr(e->out, first ? "" : ",");
        put_event(e, record);
        break;
    case LL_EXPORT_LAGO:
        ll_buf_cstr(e->out, first ? "" : ",");
        put_lago(e, record);
        break;
    }
}

void
ll_usage_doc_end(struct ll_usage_doc *e)
{
    switch (e->format) {
    case LL_EXPORT_CLOUDEVENTS:
    case LL_EXPORT_CSV:
        break;
    case LL_EXPORT_BATCH:
    case LL_EXPORT_OPENMETER:
        ll_buf_char(e->out, ']');
        break;
    case LL_EXPORT_LAGO:
        ll_buf_cstr(e->out, "]}");
        break;
    }
}
