/* wire/show.h: values and payloads of frames as JSON, for people. [any]
 *
 * What a trace shows beside the bytes, and what a difference is told with
 * (spec/replay.md). One way only: no frame is ever made from this text.
 */
#ifndef LL_WIRE_SHOW_H
#define LL_WIRE_SHOW_H

#include "base/json.h"

struct ll_show {
    struct ll_jw *to;
    struct ll_json *json; /* room of the caller's */
    bool plain;           /* JSON inside bytes is left as it stands there */
};

/* One encoded value: nil, booleans, numbers, lists and maps as JSON has
 * them; bytes that are UTF-8 as a string, others as {"base64url"}; unless
 * `plain`, bytes that are the text of a JSON array or object as that. False,
 * and nothing written, if `value` is not exactly one value. */
bool ll_show_value(struct ll_show *show, linli_str value);

/* The list of a payload as an object: its items under `names` in order, what
 * is beyond them in a list "more". An item named "" is left out. False as
 * above. */
bool ll_show_fields(struct ll_show *show, linli_str payload,
    const char *const *names, size_t name_count);

/* A CALL payload by the names of spec/wire.md, section 6. */
bool ll_show_call(struct ll_show *show, linli_str payload);

/* The name of a host call of wire/hostcall.def; "unknown". */
const char *ll_hostcall_name(uint32_t number);

#endif
