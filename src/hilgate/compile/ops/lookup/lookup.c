#include "lookup.h"

HILGATE_SHARED void lookup_s8(const int8_t *x, const int8_t *table, int8_t *y, uint32_t count) {
    const int8_t *middle = table + 128;
    HILGATE_WRITES;
    for (; count >= 4u; count -= 4u, x += 4, y += 4) { /* four loads side by side cost one cycle each */
        const int32_t a = x[0], b = x[1], c = x[2], d = x[3];
        const int8_t at = middle[a], bt = middle[b], ct = middle[c], dt = middle[d];
        y[0] = at, y[1] = bt, y[2] = ct, y[3] = dt;
    }
    for (; count > 0u; count--) *y++ = middle[*x++];
}
