/* server/form.h: what an operator sends about money. [loop]
 *
 * A body of JSON, read member by member: the first that is not what it has to
 * be fails, with what it has to be.
 */
#ifndef LL_SERVER_FORM_H
#define LL_SERVER_FORM_H

#include "server/view.h"

struct ll_form {
    struct ll_json json;
    struct ll_jv root;
    linli_status status; /* LINLI_OK so far */
    struct ll_err *err;
};
/* Reads a body that has no members but `names` (then NULL). */
void ll_form_begin(struct ll_form *form, const struct ll_view *view,
    const char *const *names, struct ll_err *err);
void ll_form_end(struct ll_form *form);

/* An integer in [min, max]; absent: `otherwise`, which out of the range means
 * that it has to be there. */
int64_t ll_form_int(struct ll_form *form, const char *name, int64_t min,
    int64_t max, int64_t otherwise);
/* An instant; absent: `otherwise`. */
int64_t ll_form_instant(
    struct ll_form *form, const char *name, int64_t otherwise);
/* 1 to `bytes` - 1 bytes of UTF-8 without control characters, NUL-terminated
 * into `out`; absent: `otherwise`, or NULL: it has to be there. */
struct ll_form_text {
    const char *name;
    char *out;
    size_t bytes;
    const char *otherwise;
};
void ll_form_text(struct ll_form *form, const struct ll_form_text *text);
/* The number in "pay_7" with its prefix, 1 or more. */
int64_t ll_form_id(struct ll_form *form, const char *name, const char *prefix);

/* The same of a text: false if it is not one. */
bool ll_id_read(linli_str text, const char *prefix, int64_t *out);

#endif
