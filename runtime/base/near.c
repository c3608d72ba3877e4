/* base/near.c: what a mistyped name was meant to be. */
#include "base/near.h"

/* Longer names are not compared: nobody mistypes one into another. */
#define NEAR_BYTES_MAX 40

/* Edits between two names, a swap of neighbours counted as one (optimal
 * string alignment). */
static unsigned
edits(linli_str a, linli_str b)
{
    unsigned rows[3][NEAR_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3];
        const unsigned *up2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned best = up[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            best = up[j] + 1 < best ? up[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
                a.ptr[i - 2] == b.ptr[j - 1] && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a.len % 3][b.len];
}

void
ll_near_try(struct ll_near *near, linli_str candidate)
{
    size_t longer = near->s.len > candidate.len ? near->s.len : candidate.len;
    size_t shorter = near->s.len + candidate.len - longer;
    if (shorter == 0 || longer > NEAR_BYTES_MAX || longer - shorter > 3)
        return;
    unsigned distance = edits(near->s, candidate);
    /* A third of a name may be wrong, or it is another name. */
    if (distance > 3 || distance * 3 > longer)
        return;
    if (near->best.ptr == NULL || distance < near->distance) {
        near->best = candidate;
        near->distance = distance;
    }
}
