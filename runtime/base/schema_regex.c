/* base/schema_regex.c: patterns, ECMA-262 by PCRE2. [any]
 *
 * A pattern is read as ECMA-262 with its `u` flag means it. What PCRE2
 * reads otherwise is rewritten (\s, \v, \p{Letter}, a '[' inside a class) or
 * refused (escapes and groups that ECMA-262 does not have), so that a pattern
 * never means one thing in the host app and another here. No JIT: the
 * interpreter obeys limits and needs no writable code pages.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/schema_int.h"

/* ECMA-262 WhiteSpace and LineTerminator, to stand inside a class. */
#define SPACES                                                  \
    "\\x09-\\x0d\\x20\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029" \
    "\\u202f\\u205f\\u3000\\ufeff"

/* PCRE2 gives no size back when it frees. */
struct block {
    size_t bytes;
    size_t pad;
};

static void *
pcre_alloc(size_t bytes, void *mem)
{
    struct block *block = ll_alloc(mem, sizeof *block + bytes);
    if (block == NULL)
        return NULL;
    block->bytes = bytes;
    return block + 1;
}

static void
pcre_free(void *ptr, void *mem)
{
    if (ptr == NULL)
        return;
    struct block *block = (struct block *)ptr - 1;
    ll_release(mem, block, sizeof *block + block->bytes);
}

struct rewriter {
    linli_str in;
    size_t i;
    struct ll_buf *out;
    bool in_class;
    int repeated; /* 1: just after a quantifier; 2: after a lazy one */
    const char *why;
};

/* ECMA-262's long names of general categories; PCRE2 knows the short ones. */
static const struct {
    const char *name, *brief;
} categories[] = {
    {"Cased_Letter", "L&"},
    {"Close_Punctuation", "Pe"},
    {"Connector_Punctuation", "Pc"},
    {"Control", "Cc"},
    {"Currency_Symbol", "Sc"},
    {"Dash_Punctuation", "Pd"},
    {"Decimal_Number", "Nd"},
    {"Enclosing_Mark", "Me"},
    {"Final_Punctuation", "Pf"},
    {"Format", "Cf"},
    {"Initial_Punctuation", "Pi"},
    {"Letter", "L"},
    {"Letter_Number", "Nl"},
    {"Line_Separator", "Zl"},
    {"Lowercase_Letter", "Ll"},
    {"Mark", "M"},
    {"Math_Symbol", "Sm"},
    {"Modifier_Letter", "Lm"},
    {"Modifier_Symbol", "Sk"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Open_Punctuation", "Ps"},
    {"Other", "C"},
    {"Other_Letter", "Lo"},
    {"Other_Number", "No"},
    {"Other_Punctuation", "Po"},
    {"Other_Symbol", "So"},
    {"Paragraph_Separator", "Zp"},
    {"Private_Use", "Co"},
    {"Punctuation", "P"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Spacing_Mark", "Mc"},
    {"Surrogate", "Cs"},
    {"Symbol", "S"},
    {"Titlecase_Letter", "Lt"},
    {"Unassigned", "Cn"},
    {"Uppercase_Letter", "Lu"},
    {"digit", "Nd"},
    {"punct", "P"},
};

/* "\\p{Letter}": what stands between the braces, shortened. */
static void
rewrite_property(struct rewriter *r)
{
    linli_str name = {r->in.ptr + r->i + 1, r->in.len - r->i - 1};
    const char *end = name.len == 0 || name.ptr[0] != '{'
                          ? NULL
                          : memchr(name.ptr, '}', name.len);
    if (end == NULL) {
        r->why = "\\p needs a property in braces, as in \\p{L}";
        return;
    }
    name = (linli_str){name.ptr + 1, (size_t)(end - name.ptr - 1)};
    ll_buf_char(r->out, '\\');
    ll_buf_char(r->out, r->in.ptr[r->i]);
    ll_buf_char(r->out, '{');
    r->i += name.len + 2;
    for (size_t i = 0; i < LL_COUNT(categories); i++)
        if (ll_str_is(name, categories[i].name))
            name = ll_cstr(categories[i].brief);
    ll_buf_str(r->out, name);
    ll_buf_char(r->out, '}');
}

static void
rewrite_escape(struct rewriter *r)
{
    r->repeated = 0;
    if (++r->i == r->in.len) {
        r->why = "it ends in a backslash";
        return;
    }
    char c = r->in.ptr[r->i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == 'p' || c == 'P') {
        rewrite_property(r);
    } else if (c == 's') {
        ll_buf_cstr(r->out, r->in_class ? SPACES : "[" SPACES "]");
    } else if (c == 'S' && !r->in_class) {
        ll_buf_cstr(r->out, "[^" SPACES "]");
    } else if (c == 'S') {
        r->why = "\\S inside [] is not supported: use [^\\s] or list them";
    } else if (c == 'v') {
        ll_buf_cstr(r->out, "\\x0b");
    } else if (letter && strchr("bBcdDfknrtuwWx", c) == NULL) {
        r->why = "it has an escape that ECMA-262 does not know";
    } else {
        ll_buf_char(r->out, '\\');
        ll_buf_char(r->out, c);
    }
}

static bool
group_known(linli_str after)
{
    static const char *const heads[] = {"?:", "?=", "?!", "?<"};
    if (after.len == 0 || (after.ptr[0] != '?' && after.ptr[0] != '*'))
        return true;
    for (size_t i = 0; i < LL_COUNT(heads); i++)
        if (ll_str_starts(after, heads[i]))
            return true;
    return false;
}

/* A character outside classes and escapes. */
static void
rewrite_plain(struct rewriter *r, char c)
{
    linli_str after = {r->in.ptr + r->i + 1, r->in.len - r->i - 1};
    int was = r->repeated;
    r->repeated = 0;
    if (c == '(' && !group_known(after))
        r->why = "it has a group that ECMA-262 does not know";
    if (c == '*' || c == '+' || c == '{' || c == '?') {
        bool lazy = c == '?' && was == 1;
        if (was != 0 && !lazy)
            r->why = "it repeats what is repeated already";
        r->repeated = c == '{' ? 0 : lazy ? 2 : 1;
    }
    if (c == '}')
        r->repeated = 1;
    r->in_class = c == '[';
    ll_buf_char(r->out, c);
}

static void
rewrite(struct rewriter *r)
{
    for (; r->i < r->in.len && r->why == NULL; r->i++) {
        char c = r->in.ptr[r->i];
        if (c == '\\') {
            rewrite_escape(r);
        } else if (r->in_class) {
            /* "[[:alpha:]]" means nothing special in ECMA-262. */
            if (c == '[')
                ll_buf_char(r->out, '\\');
            ll_buf_char(r->out, c);
            r->in_class = c != ']';
        } else {
            rewrite_plain(r, c);
        }
    }
}

/* The contexts all patterns of one schema share. */
static bool
contexts_make(struct ll_schema *schema)
{
    if (schema->pcre_limits != NULL)
        return true;
    pcre2_general_context *memory =
        pcre2_general_context_create(pcre_alloc, pcre_free, schema->mem);
    schema->pcre_memory = memory;
    if (memory == NULL)
        return false;
    pcre2_match_context *limits = pcre2_match_context_create(memory);
    if (limits == NULL)
        return false;
    (void)pcre2_set_match_limit(limits, LL_SCHEMA_MATCH_STEPS_MAX);
    (void)pcre2_set_depth_limit(limits, LL_SCHEMA_MATCH_DEPTH_MAX);
    (void)pcre2_set_heap_limit(limits, LL_SCHEMA_MATCH_KIB_MAX);
    schema->pcre_limits = limits;
    return true;
}

/* *code stays NULL and *error says why: 0 is no memory. */
static void
compile(struct ll_schema *schema, linli_str text, pcre2_code **code, int *error)
{
    const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX |
                             PCRE2_ALLOW_EMPTY_CLASS |
                             PCRE2_MATCH_UNSET_BACKREF |
                             PCRE2_NEVER_BACKSLASH_C;
    size_t offset = 0;
    *code = NULL;
    *error = 0;
    pcre2_compile_context *context =
        pcre2_compile_context_create(schema->pcre_memory);
    if (context == NULL)
        return;
    (void)pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    (void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    *code = pcre2_compile((PCRE2_SPTR)(text.len == 0 ? "" : text.ptr), text.len,
        options, error, &offset, context);
    if (*code == NULL && *error == PCRE2_ERROR_HEAP_FAILED)
        *error = 0;
    pcre2_compile_context_free(context);
}

static linli_status
regex_fill(struct ll_schema_compiler *c, struct ll_jv at,
    struct ll_schema_regex *regex, linli_str text)
{
    struct ll_schema *schema = c->schema;
    pcre2_code *code = NULL;
    int error = 0;
    if (!contexts_make(schema))
        return ll_schema_no_memory(c);
    compile(schema, text, &code, &error);
    if (code == NULL && error == 0)
        return ll_schema_no_memory(c);
    if (code == NULL) {
        PCRE2_UCHAR why[120] = "unknown";
        (void)pcre2_get_error_message(error, why, sizeof why);
        return ll_schema_refuse(
            c, at, "this pattern does not compile: %s", (const char *)why);
    }
    regex->code = code;
    regex->match = pcre2_match_data_create(1, schema->pcre_memory);
    return regex->match == NULL ? ll_schema_no_memory(c) : LINLI_OK;
}

linli_status
ll_schema_regex_new(struct ll_schema_compiler *c, struct ll_jv pattern,
    struct ll_schema_regex **out)
{
    struct ll_schema *schema = c->schema;
    linli_str text = ll_jv_str(pattern);
    *out = NULL;
    if (!ll_jv_is(pattern, LL_JSON_STRING))
        return ll_schema_refuse(c, pattern, "%s, where a pattern must stand",
            ll_schema_type_text(pattern));
    if (text.len > LL_SCHEMA_PATTERN_BYTES_MAX)
        return ll_schema_refuse(c, pattern,
            "a pattern of %zu bytes, at most %d", text.len,
            LL_SCHEMA_PATTERN_BYTES_MAX);
    struct ll_schema_regex *regex =
        ll_arena_alloc(&schema->arena, sizeof *regex);
    if (regex == NULL)
        return ll_schema_no_memory(c);
    *out = regex;
    regex->text = text;
    regex->next = schema->regexes;
    schema->regexes = regex;
    if (!c->options.patterns) {
        schema->patterns_skipped = true;
        return LINLI_OK;
    }
    struct ll_buf buf;
    ll_buf_init(&buf, schema->mem, LL_SCHEMA_PATTERN_BYTES_MAX * 64);
    struct rewriter r = {.in = text, .out = &buf};
    rewrite(&r);
    linli_status status;
    if (r.why != NULL)
        status =
            ll_schema_refuse(c, pattern, "this pattern is refused: %s", r.why);
    else if (buf.failed)
        status = ll_schema_no_memory(c);
    else
        status = regex_fill(c, pattern, regex, ll_buf_view(&buf));
    ll_buf_fini(&buf);
    return status;
}

int
ll_schema_regex_find(const struct ll_schema *schema,
    const struct ll_schema_regex *regex, linli_str s)
{
    /* The JSON reader has checked that strings are UTF-8. */
    int found = pcre2_match(regex->code, (PCRE2_SPTR)(s.len == 0 ? "" : s.ptr),
        s.len, 0, PCRE2_NO_UTF_CHECK, regex->match, schema->pcre_limits);
    switch (found) {
    case PCRE2_ERROR_NOMATCH:
        return 0;
    case PCRE2_ERROR_NOMEMORY:
        return LINLI_E_NOMEM;
    default:
        /* 0 means that the one pair of offsets we keep was not enough. */
        return found >= 0 ? 1 : LINLI_E_LIMIT;
    }
}

void
ll_schema_regexes_free(struct ll_schema *schema)
{
    for (struct ll_schema_regex *r = schema->regexes; r != NULL; r = r->next) {
        pcre2_match_data_free(r->match);
        pcre2_code_free(r->code);
    }
    schema->regexes = NULL;
    pcre2_match_context_free(schema->pcre_limits);
    pcre2_general_context_free(schema->pcre_memory);
    schema->pcre_limits = schema->pcre_memory = NULL;
}
