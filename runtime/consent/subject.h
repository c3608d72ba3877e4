/* consent/subject.h: under which name what is kept of someone is sealed. [loop]
 *
 * The documents of a community hold names, homes, keys of devices and what
 * residents have said, so they are sealed (spec/store.md): each has a member
 * `subject` that the store's key file leads to and nothing else does. It is
 * one for each resident, household, device, so that taking that key away
 * takes exactly what was said of one.
 */
#ifndef LL_CONSENT_SUBJECT_H
#define LL_CONSENT_SUBJECT_H

#include "data/docs.h"

#define LL_SUBJECT_RESIDENT "~resident"

/* 32 hexadecimal digits and a NUL. */
#define LL_PID_BYTES 33

/* The subject of what is kept of `id`, the same each time until its key is
 * taken away, and another from then on. `kind` is a collection of the
 * directory, or one with a purpose after a dot. */
void ll_subject(struct ll_store *store, linli_str community, const char *kind,
    linli_str id, char out[LL_PID_BYTES]);

#endif
