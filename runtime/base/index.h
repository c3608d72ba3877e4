/* base/index.h: what an index says of a document. [any]
 *
 * An index is declared in a plugin's manifest under its collection:
 *   {"fields": ["a", "b"], "unique": true, "sparse": true,
 *    "interval": {"from": "f", "to": "t", "longest_ms": 86400000}}
 * The key of a document is the tuple of its fields, followed for an interval
 * index by `from` and `to`. Shared by the host, which keeps entries, and the
 * store, which rebuilds them.
 */
#ifndef LL_BASE_INDEX_H
#define LL_BASE_INDEX_H

#include "base/limits.h"
#include "base/tuple.h"

struct ll_index_spec {
    linli_str fields[LL_INDEX_FIELDS_MAX]; /* borrowed from the declaration */
    uint32_t field_count;
    bool unique, sparse;
    bool interval;
    linli_str from, to; /* members of an interval index */
    int64_t longest_ms; /* no interval is longer */
};

/* Reads a declaration that the manifest's schema has passed. */
void ll_index_spec_read(struct ll_jv declared, struct ll_index_spec *spec);

/* Appends the document's key. *there is false, and nothing appended, if the
 * document has no entry, which is found before any value is judged: a sparse
 * index and a field that is absent or null, or an interval index and no `from`
 * and `to`. An absent field is null. On failure nothing is appended:
 * LINLI_E_INVALID with the code "db/key" and the field's name in the message:
 * a value that no index holds, ends of an interval that are not both integers,
 * `to` not after `from`, an interval longer than longest_ms; LINLI_E_NOMEM if
 * the buffer has failed. */
linli_status ll_index_key(const struct ll_index_spec *spec,
    struct ll_jv document, struct ll_buf *key, bool *there,
    struct ll_err *err) LL_USE_RESULT;

#endif
