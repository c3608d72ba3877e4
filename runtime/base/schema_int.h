/* base/schema_int.h: a compiled schema, between the files schema_*.c. [any]
 *
 * Each subschema is one node; groups of keywords hang off it and are NULL
 * where the schema has none of the group, so that judging a value touches
 * only what can apply to its type. All of it lives in the schema's arena but
 * the patterns, which PCRE2 allocates through the same account.
 */
#ifndef LL_BASE_SCHEMA_INT_H
#define LL_BASE_SCHEMA_INT_H

#include "base/limits.h"
#include "base/near.h"
#include "base/schema.h"
#include "base/text.h"

/* Bits of ll_schema_node.types: 1 << enum ll_json_type, and one more for
 * a double that is an integer by value ("type": "integer" takes 1.0). */
#define LL_SCHEMA_INTEGRAL (1u << 8)

struct ll_schema_node;

struct ll_schema_list {
    const struct ll_schema_node **items;
    uint32_t count;
};

struct ll_schema_regex {
    struct ll_schema_regex *next; /* of the schema's, for the free */
    linli_str text;               /* as the schema has it */
    void *code;                   /* pcre2_code *; NULL if not compiled */
    void *match;                  /* pcre2_match_data * */
};

struct ll_schema_number {
    struct ll_jv minimum, maximum, over, under, multiple_of;
};

struct ll_schema_string {
    uint64_t length_min, length_max; /* code points */
    struct ll_schema_regex *pattern;
    const struct ll_schema_format *format;
};

struct ll_schema_array {
    uint64_t items_min, items_max, contains_min, contains_max;
    const struct ll_schema_node *items, *contains;
    struct ll_schema_list prefix;
    bool unique;
};

/* What the schema says about one member name. */
struct ll_schema_member {
    linli_str name;
    const struct ll_schema_node *schema;   /* of `properties` */
    const struct ll_schema_node *followed; /* of `dependentSchemas` */
    struct ll_jv follows;                  /* of `dependentRequired` */
    bool required;
};

struct ll_schema_pattern {
    struct ll_schema_regex *regex;
    const struct ll_schema_node *schema;
};

struct ll_schema_object {
    uint64_t members_min, members_max;
    struct ll_jv properties, required, dependent, followed, patterns_in;
    struct ll_schema_member *members; /* by length, then bytes */
    uint32_t member_count;
    uint32_t required_count;
    struct ll_schema_pattern *patterns;
    uint32_t pattern_count;
    const struct ll_schema_node *additional, *names;
    bool dependents; /* some member has follows or followed */
};

/* Schemas that judge the same value. */
struct ll_schema_logic {
    struct ll_schema_list all, any, one;
    const struct ll_schema_node * not, *when, *then, *otherwise;
    const struct ll_schema_node *ref;
};

struct ll_schema_node {
    struct ll_jv self;
    uint32_t types; /* 0: any */
    bool never;     /* the schema `false` */
    struct ll_jv values, constant;
    struct ll_schema_number *number;
    struct ll_schema_string *string;
    struct ll_schema_array *array;
    struct ll_schema_object *object;
    struct ll_schema_logic *logic;
    /* Used while compiling only. */
    uint32_t index;
    struct ll_schema_resource *resource;
    linli_str ref_text;
};

struct ll_schema {
    struct ll_mem *mem;
    struct ll_arena arena;
    const struct ll_schema_node *root;
    struct ll_schema_regex *regexes;
    void *pcre_memory;     /* pcre2_general_context * */
    void *pcre_limits;     /* pcre2_match_context * */
    bool patterns_skipped; /* it has patterns that were not compiled */
};

/* -- schema.c: compiling -- */

/* One `$id`, or the root without one. */
struct ll_schema_resource {
    struct ll_schema_resource *next;
    linli_str uri;
    struct ll_schema_node *root;
};

struct ll_schema_anchor {
    struct ll_schema_anchor *next;
    struct ll_schema_resource *resource;
    linli_str name;
    struct ll_schema_node *node;
};

struct ll_schema_compiler {
    struct ll_schema *schema;
    struct ll_schema_options options;
    struct ll_jv root;
    struct ll_schema_node **nodes; /* in the order they were met */
    uint32_t node_count;
    uint32_t node_cap;
    struct ll_schema_node **at; /* by tape index - root.at */
    struct ll_schema_resource *resources;
    struct ll_schema_resource *resource; /* of the schema being read */
    struct ll_schema_anchor *anchors;
    uint32_t id_count; /* of $id and $anchor */
    struct ll_err *err;
};

/* Refuses the schema: `at` is the value to blame. */
linli_status ll_schema_refuse(struct ll_schema_compiler *c, struct ll_jv at,
    const char *fmt, ...) LL_PRINTF(3, 4);
linli_status ll_schema_no_memory(struct ll_schema_compiler *c);

/* -- schema_object.c -- */

/* Makes the member table from the keywords the node has. */
linli_status ll_schema_members(struct ll_schema_compiler *c,
    struct ll_schema_object *object) LL_USE_RESULT;
/* The row of a name, or NULL. */
const struct ll_schema_member *ll_schema_member(
    const struct ll_schema_object *object, linli_str name);
/* The schema compiled for a subschema's place in the tape. */
struct ll_schema_node *ll_schema_at(
    const struct ll_schema_compiler *c, struct ll_jv v);

/* -- schema_ref.c -- */

linli_status ll_schema_enter_id(struct ll_schema_compiler *c,
    struct ll_schema_node *node, struct ll_jv id) LL_USE_RESULT;
linli_status ll_schema_add_anchor(struct ll_schema_compiler *c,
    struct ll_schema_node *node, struct ll_jv name) LL_USE_RESULT;
/* Connects every $ref; refuses remote ones and loops. */
linli_status ll_schema_link(struct ll_schema_compiler *c) LL_USE_RESULT;

/* -- schema_uri.c -- */

/* RFC 3986 section 5.2, without fragments; appends to `out`. */
void ll_uri_resolve(struct ll_buf *out, linli_str base, linli_str ref);
/* True for a URI (or a reference, if `relative`) by RFC 3986. */
bool ll_uri_valid(linli_str s, bool relative);

/* -- schema_regex.c -- */

linli_status ll_schema_regex_new(struct ll_schema_compiler *c,
    struct ll_jv pattern, struct ll_schema_regex **out) LL_USE_RESULT;
/* 1: found; 0: not; negative: LINLI_E_LIMIT, a bound of the matcher was
 * reached, or LINLI_E_NOMEM. */
int ll_schema_regex_find(const struct ll_schema *schema,
    const struct ll_schema_regex *regex, linli_str s);
void ll_schema_regexes_free(struct ll_schema *schema);

/* -- schema_number.c: exact, whatever the two representations -- */

int ll_number_cmp(struct ll_jv a, struct ll_jv b);
bool ll_number_integral(struct ll_jv v);
/* `of` is greater than 0. A double counts as the decimal it is written as
 * when written shortest: 19.99 is a multiple of 0.01. */
bool ll_number_multiple(struct ll_jv v, struct ll_jv of);

/* -- schema_format.c -- */

struct ll_schema_format {
    const char *name;
    bool (*valid)(linli_str s);
};
const struct ll_schema_format *ll_schema_format(linli_str name);
/* "date", "date-time", ...; NULL past the end. */
const char *ll_schema_format_name(size_t index);

/* -- schema_text.c: words for people -- */

/* "a string", "an integer" ... */
const char *ll_schema_type_text(struct ll_jv v);
/* "an integer or null", of type bits. */
void ll_schema_types_text(struct ll_buf *out, uint32_t types);

#endif
