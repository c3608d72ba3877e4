/* server/pages.c: drawing the sheet, the centre and the bills. [loop]
 *
 * server/pages/page.html is the one page, with {{names}} in it: of what is
 * filled in here, or of words.json, in the reader's language. Everything that
 * is filled in is escaped, but for what this file itself made of tags.
 */
#include "server/pages.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "host/locale.h"
#include "pages_files.h"
#include "plugin/manifest_consent.h"

#define PAGE_BYTES_MAX ((size_t)LL_HTTP_RESPONSE_BYTES_MAX)

/* Sizes of the text in px, that style.css knows. */
static const int sizes[] = {18, 20, 22, 24, 27, 30, 34, 40};
#define SIZE_PLAIN 0 /* of `sizes` */
#define SIZE_ELDER 2

struct ll_pages {
    struct ll_mem *mem;
    struct ll_json words;
    char etags[LL_COUNT(pages_files)][2 * LL_SHA256_BYTES + 1];
};

/* Of whom a page is asked, and how they read. */
struct page {
    struct ll_face *face;
    struct ll_request *request;
    const struct ll_community *community; /* NULL: not served here */
    const struct ll_manifest *plugin;     /* of a sheet; NULL: none */
    const char *view; /* "sheet", "centre", "bills", "missing" */
    enum ll_locale locale;
    size_t size; /* of `sizes` */
    bool elder;
    linli_str back; /* an address of an app that is allowed; or empty */
    char room[LL_HTTP_TARGET_BYTES_MAX]; /* of `back` */
};

linli_status
ll_pages_open(struct ll_mem *mem, struct ll_pages **out, struct ll_err *err)
{
    *out = NULL;
    struct ll_pages *pages = ll_alloc(mem, sizeof *pages);
    if (pages == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the pages");
    pages->mem = mem;
    ll_json_init(&pages->words, mem);
    for (size_t i = 0; i < LL_COUNT(pages_files); i++) {
        unsigned char digest[LL_SHA256_BYTES];
        ll_sha256(pages_files[i].bytes, pages_files[i].size, digest);
        ll_hex(digest, sizeof digest, pages->etags[i]);
    }
    linli_status status = ll_json_parse(&pages->words,
        (linli_str){(const char *)pages_words_json, sizeof pages_words_json},
        LL_JSON_DEPTH_MAX, err);
    if (status != LINLI_OK) {
        ll_check(status == LINLI_E_NOMEM); /* they are compiled in */
        ll_pages_free(&pages);
    }
    *out = pages;
    return status;
}

void
ll_pages_free(struct ll_pages **pages)
{
    if (*pages == NULL)
        return;
    ll_json_fini(&(*pages)->words);
    ll_release((*pages)->mem, *pages, sizeof **pages);
    *pages = NULL;
}

/* -- text that becomes markup -- */

static void
put_escaped(struct ll_buf *out, linli_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '&')
            ll_buf_cstr(out, "&amp;");
        else if (c == '<')
            ll_buf_cstr(out, "&lt;");
        else if (c == '>')
            ll_buf_cstr(out, "&gt;");
        else if (c == '"')
            ll_buf_cstr(out, "&quot;");
        else if (c == '\'')
            ll_buf_cstr(out, "&#39;");
        else
            ll_buf_char(out, c);
    }
}

/* JSON within <script>: no tag begins in it. */
static void
put_json(struct ll_buf *out, struct ll_jv value)
{
    struct ll_jw w = ll_jw(out);
    size_t begin = out->len;
    ll_jw_value(&w, value);
    for (size_t i = begin; i < out->len && !out->failed; i++) {
        if (out->ptr[i] != '<' || !ll_buf_room(out, 5))
            continue;
        memmove(out->ptr + i + 6, out->ptr + i + 1, out->len - i - 1);
        memcpy(out->ptr + i, "\\u003c", 6);
        out->len += 5;
    }
}

static struct ll_jv
words_of(const struct page *page)
{
    return ll_jv_get(
        ll_json_root(&page->face->pages->words), ll_locale_tag(page->locale));
}

static linli_str
word(const struct page *page, const char *name)
{
    return ll_jv_str(ll_jv_get(words_of(page), name));
}

static linli_str
plugin_name(const struct page *page)
{
    return page->locale == LL_LOCALE_ZH ? page->plugin->name_zh
                                        : page->plugin->name_en;
}

/* "{plugin}" in a text becomes the plugin's name. */
static void
put_named(struct ll_buf *out, const struct page *page, linli_str text)
{
    static const char place[] = "{plugin}";
    for (size_t i = 0; i < text.len; i++) {
        linli_str rest = {text.ptr + i, text.len - i};
        if (!ll_str_starts(rest, place)) {
            put_escaped(out, (linli_str){rest.ptr, 1});
            continue;
        }
        put_escaped(out, plugin_name(page));
        i += sizeof place - 2;
    }
}

static void
put_title(struct ll_buf *out, const struct page *page)
{
    if (ll_str_is(ll_cstr(page->view), "sheet"))
        put_named(out, page, word(page, "sheet_title"));
    else if (ll_str_is(ll_cstr(page->view), "centre"))
        put_escaped(out, word(page, "centre_title"));
    else if (ll_str_is(ll_cstr(page->view), "bills"))
        put_escaped(out, word(page, "bills_title"));
    else
        put_escaped(out, word(page, "missing_title"));
}

/* A text under its heading of words.json; nothing where nothing is said. */
static void
put_said(struct ll_buf *out, const struct page *page, const char *heading,
    linli_str text)
{
    if (text.len == 0)
        return;
    ll_buf_cstr(out, "<dt>");
    put_escaped(out, word(page, heading));
    ll_buf_cstr(out, "</dt><dd>");
    put_escaped(out, text);
    ll_buf_cstr(out, "</dd>");
}

/* One use of resident data, as the plugin declares it. */
static void
put_use(struct ll_buf *out, const struct page *page, uint32_t at)
{
    const struct ll_dictionary *dictionary =
        &page->face->host->arbiter.dictionary;
    const struct ll_datum *datum = &page->plugin->data[at];
    const struct ll_scope *scope = &page->plugin->scopes[at];
    const struct ll_field_def *field = &dictionary->fields[scope->field];
    const struct ll_purpose_def *purpose =
        &dictionary->purposes[scope->purpose];
    bool zh = page->locale == LL_LOCALE_ZH;
    ll_buf_cstr(out, "<section class=\"card\"><h2>");
    put_escaped(out, zh ? field->name_zh : field->name_en);
    ll_buf_cstr(out, "</h2><dl>");
    put_said(
        out, page, "read_for_plain", zh ? purpose->text_zh : purpose->text_en);
    put_said(out, page, "why", zh ? datum->why_zh : datum->why_en);
    put_said(out, page, "if_not", zh ? datum->without_zh : datum->without_en);
    ll_buf_cstr(out, "</dl></section>");
}

/* What stands there without a script: what this is, and what to do. */
static void
put_main(struct ll_buf *out, const struct page *page)
{
    ll_buf_cstr(out, "<h1>");
    put_title(out, page);
    ll_buf_cstr(out, "</h1>");
    if (page->plugin == NULL && ll_str_is(ll_cstr(page->view), "missing")) {
        ll_buf_cstr(out, "<p>");
        put_escaped(out, word(page, "missing_text"));
        ll_buf_cstr(out, "</p>");
        return;
    }
    ll_buf_cstr(out, "<p>");
    bool bills = ll_str_is(ll_cstr(page->view), "bills");
    put_escaped(out, word(page, bills                  ? "bills_intro"
                                : page->plugin == NULL ? "centre_intro"
                                                       : "sheet_intro"));
    ll_buf_cstr(out, "</p>");
    for (uint32_t i = 0; page->plugin != NULL && i < page->plugin->datum_count;
         i++)
        put_use(out, page, i);
}

/* Who helps by voice; nothing if nobody does. */
static void
put_help(struct ll_buf *out, const struct page *page)
{
    linli_str phone = page->face->host->config.consent.help_phone;
    if (phone.len == 0)
        return;
    ll_buf_cstr(out, "<p><a class=\"help\" href=\"tel:");
    for (size_t i = 0; i < phone.len; i++)
        if (phone.ptr[i] != ' ')
            ll_buf_char(out, phone.ptr[i]);
    ll_buf_cstr(out, "\">");
    put_escaped(out, word(page, "help"));
    ll_buf_cstr(out, "<span class=\"phone\">");
    put_escaped(out, phone);
    ll_buf_cstr(out, "</span></a></p>");
}

/* A member of <body>; the script reads them. */
static void
put_data(struct ll_buf *out, const char *name, linli_str value)
{
    ll_buf_printf(out, " data-%s=\"", name);
    put_escaped(out, value);
    ll_buf_char(out, '"');
}

static void
put_body(struct ll_buf *out, const struct page *page)
{
    struct ll_jv origins = page->face->host->config.consent.app_origins;
    put_data(out, "view", ll_cstr(page->view));
    if (page->community != NULL) {
        put_data(out, "community", page->community->id);
        put_data(out, "zone", page->community->zone_name);
    }
    if (page->plugin != NULL)
        put_data(out, "plugin", page->plugin->id);
    if (page->back.len > 0)
        put_data(out, "back", page->back);
    ll_buf_cstr(out, " data-origins=\"");
    LL_JSON_EACH (origin, origins) {
        put_escaped(out, ll_jv_str(origin));
        ll_buf_char(out, ' ');
    }
    ll_buf_char(out, '"');
}

/* The link of a text one step larger or smaller, for who has no script. */
static void
put_resize(struct ll_buf *out, const struct page *page, int step)
{
    size_t last = LL_COUNT(sizes) - 1;
    size_t to = page->size;
    if (step > 0 && to < last)
        to++;
    if (step < 0 && to > 0)
        to--;
    ll_buf_printf(out, "?size=%d&amp;lang=%s%s", sizes[to],
        ll_locale_tag(page->locale), page->elder ? "&amp;elder=1" : "");
}

static void
put_number(struct ll_buf *out, int number)
{
    ll_buf_printf(out, "%d", number);
}

/* {{name}} */
static void
put_slot(struct ll_buf *out, const struct page *page, linli_str name)
{
    if (ll_str_is(name, "lang"))
        ll_buf_cstr(out, ll_locale_tag(page->locale));
    else if (ll_str_is(name, "size"))
        put_number(out, sizes[page->size]);
    else if (ll_str_is(name, "elder"))
        put_number(out, page->elder);
    else if (ll_str_is(name, "title"))
        put_title(out, page);
    else if (ll_str_is(name, "body"))
        put_body(out, page);
    else if (ll_str_is(name, "main"))
        put_main(out, page);
    else if (ll_str_is(name, "help_link"))
        put_help(out, page);
    else if (ll_str_is(name, "smaller_href"))
        put_resize(out, page, -1);
    else if (ll_str_is(name, "larger_href"))
        put_resize(out, page, 1);
    else if (ll_str_is(name, "words"))
        put_json(out, words_of(page));
    else {
        struct ll_jv text = ll_jv_get_str(words_of(page), name);
        ll_check(ll_jv_is(text, LL_JSON_STRING)); /* page.html is ours */
        put_escaped(out, ll_jv_str(text));
    }
}

static void
put_page(struct ll_buf *out, const struct page *page)
{
    const char *at = (const char *)pages_page_html;
    const char *end = at + sizeof pages_page_html;
    while (at < end) {
        if (end - at < 4 || at[0] != '{' || at[1] != '{') {
            ll_buf_char(out, *at++);
            continue;
        }
        linli_str name = {at + 2, 0};
        while (name.ptr + name.len < end && name.ptr[name.len] != '}')
            name.len++;
        put_slot(out, page, name);
        at = name.ptr + name.len + 2;
    }
}

/* -- what is asked for -- */

/* A value of the query, decoded into `room`; the first of that name. What is
 * not known is not looked at: an app may add its own. */
static linli_str
query_value(linli_str query, const char *name, char *room)
{
    linli_str rest = query, part;
    while (ll_str_split(&rest, '&', &part)) {
        linli_str value = part, key;
        size_t len = 0;
        if (!ll_str_split(&value, '=', &key) || !ll_str_is(key, name))
            continue;
        if (value.ptr != NULL && value.len <= LL_HTTP_TARGET_BYTES_MAX &&
            ll_percent_decode(value, room, &len))
            return (linli_str){room, len};
        break;
    }
    return (linli_str){NULL, 0};
}

/* The smallest size that is no smaller than was asked for. */
static size_t
pick_size(linli_str text, bool elder)
{
    int64_t asked;
    if (!ll_str_int(text, 1, 1000, &asked))
        return elder ? SIZE_ELDER : SIZE_PLAIN;
    size_t i = 0;
    while (i < LL_COUNT(sizes) - 1 && sizes[i] < asked)
        i++;
    return i;
}

/* An address that a resident may be sent back to: of this origin, or of an app
 * that the operator named. Who makes up a link cannot make up another. */
static linli_str
pick_back(const struct page *page, linli_str back)
{
    /* Browsers leave tabs and line ends out of an address: "/\t/" is "//". */
    for (size_t i = 0; i < back.len; i++)
        if ((unsigned char)back.ptr[i] <= ' ' || back.ptr[i] == 0x7f)
            return LINLI_STR("");
    if (back.len > 0 && back.ptr[0] == '/' &&
        (back.len == 1 || (back.ptr[1] != '/' && back.ptr[1] != '\\')))
        return back;
    LL_JSON_EACH (item, page->face->host->config.consent.app_origins) {
        linli_str origin = ll_jv_str(item);
        linli_str rest = {back.ptr + origin.len, back.len - origin.len};
        if (back.len < origin.len ||
            memcmp(back.ptr, origin.ptr, origin.len) != 0)
            continue;
        if (rest.len == 0 || rest.ptr[0] == '/' || rest.ptr[0] == '?')
            return back;
    }
    return LINLI_STR("");
}

static void
read_query(struct page *page)
{
    const struct ll_request *request = page->request;
    char room[LL_HTTP_TARGET_BYTES_MAX];
    linli_str lang = query_value(request->query, "lang", room);
    if (lang.len == 0)
        lang = ll_request_field(request, "accept-language");
    page->locale = lang.len == 0 ? LL_LOCALE_ZH : ll_locale_pick(lang);
    page->elder = ll_str_is(query_value(request->query, "elder", room), "1");
    page->size =
        pick_size(query_value(request->query, "size", room), page->elder);
    page->back =
        pick_back(page, query_value(request->query, "return", page->room));
}

static const struct ll_manifest *
find_plugin(const struct ll_community *community, linli_str id)
{
    const struct ll_instance *instance =
        community == NULL ? NULL : ll_community_instance(community, id);
    return instance != NULL && instance->state == LL_INSTANCE_ENABLED
               ? instance->package->manifest
               : NULL;
}

static const linli_str html = {"text/html; charset=utf-8", 24};

/* Nothing but what comes from here, in no frame but of an app that the
 * operator named, and no address of ours told to anybody. */
static void
add_headers(const struct ll_face *face, struct ll_response *response,
    char *policy, size_t size)
{
    linli_str ancestors = face->host->config.consent.frame_ancestors;
    (void)snprintf(policy, size,
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors %.*s",
        LL_FMT(ancestors));
    const struct ll_field fields[] = {
        {LINLI_STR("content-security-policy"), ll_cstr(policy)},
        {LINLI_STR("x-content-type-options"), LINLI_STR("nosniff")},
        {LINLI_STR("referrer-policy"), LINLI_STR("no-referrer")},
    };
    for (size_t i = 0; i < LL_COUNT(fields); i++)
        response->headers[response->header_count++] = fields[i];
}

static void
answer_page(struct page *page)
{
    struct ll_face *face = page->face;
    char policy[LL_PAGES_POLICY_BYTES_MAX];
    ll_buf_clear(&face->out);
    put_page(&face->out, page);
    if (face->out.failed) {
        ll_face_problem(face, page->request, "runtime/memory", LINLI_STR(""));
        return;
    }
    struct ll_response response = {
        .status = ll_str_is(ll_cstr(page->view), "missing") ? 404 : 200,
        .content_type = html,
        .body = ll_buf_view(&face->out),
        .headers = {{LINLI_STR("cache-control"), LINLI_STR("no-store")},
            {LINLI_STR("content-language"),
                ll_cstr(ll_locale_tag(page->locale))}},
        .header_count = 2};
    add_headers(face, &response, policy, sizeof policy);
    page->request->respond(page->request, &response);
}

/* `plugin` empty: `view`, which is of nobody's data by itself. */
static void
handle_page(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str plugin, const char *view)
{
    struct page page = {.face = face, .request = request};
    page.community = ll_host_community(face->host, community);
    page.plugin = find_plugin(page.community, plugin);
    page.view = page.community == NULL ? "missing"
                : plugin.len == 0      ? view
                : page.plugin != NULL  ? "sheet"
                                       : "missing";
    read_query(&page);
    answer_page(&page);
}

static void
handle_file(struct ll_face *face, struct ll_request *request, linli_str name)
{
    char policy[LL_PAGES_POLICY_BYTES_MAX];
    char etag[2 * LL_SHA256_BYTES + 3];
    size_t i = 0;
    while (i < LL_COUNT(pages_files) && !ll_str_is(name, pages_files[i].name))
        i++;
    if (i == LL_COUNT(pages_files) || pages_files[i].type == NULL) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    (void)snprintf(etag, sizeof etag, "\"%s\"", face->pages->etags[i]);
    struct ll_response response = {.status = 200,
        .content_type = ll_cstr(pages_files[i].type),
        .body = {(const char *)pages_files[i].bytes, pages_files[i].size},
        .headers = {{LINLI_STR("cache-control"), LINLI_STR("no-cache")},
            {LINLI_STR("etag"), ll_cstr(etag)}},
        .header_count = 2};
    if (ll_str_is(ll_request_field(request, "if-none-match"), etag)) {
        response.status = 304;
        response.content_type = response.body = LINLI_STR("");
    }
    add_headers(face, &response, policy, sizeof policy);
    request->respond(request, &response);
}

bool
ll_pages_handle(struct ll_face *face, struct ll_request *request)
{
    linli_str path = request->path, community;
    bool file = ll_str_starts(path, "/v1/pages/");
    linli_str rest = {path.ptr + (file ? 10 : 6), 0};
    const char *view = NULL;
    bool sheet = false;
    if (!file && !ll_str_starts(path, "/v1/c/"))
        return false;
    rest.len = path.len - (size_t)(rest.ptr - path.ptr);
    if (!file) {
        if (!ll_str_split(&rest, '/', &community) || rest.ptr == NULL)
            return false;
        view = ll_str_is(rest, "centre")  ? "centre"
               : ll_str_is(rest, "bills") ? "bills"
                                          : NULL;
        sheet = ll_str_starts(rest, "consent/") && rest.len > 8;
        if (view == NULL && !sheet)
            return false;
    }
    if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else if (file)
        handle_file(face, request, rest);
    else
        handle_page(face, request, community,
            sheet ? (linli_str){rest.ptr + 8, rest.len - 8} : LINLI_STR(""),
            view);
    return true;
}
