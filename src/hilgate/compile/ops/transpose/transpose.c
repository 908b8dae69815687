#include "transpose.h"

#include "bytes.h"

/* n bytes that lie `step` apart. */
HILGATE_INLINE int8_t *transpose_row(int8_t *y, const int8_t *from, uint32_t n, const uint32_t step) {
    if (step == 1u) {
        bytes_copy(y, from, n);
        return y + n;
    }
    for (; n >= 4u; n -= 4u, from += 4u * step, y += 4) { /* four loads side by side cost one cycle each */
        const int8_t a = from[0], b = from[step], c = from[2u * step], d = from[3u * step];
        y[0] = a, y[1] = b, y[2] = c, y[3] = d;
    }
    for (; n > 0u; n--, from += step) *y++ = *from;
    return y;
}

HILGATE_INLINE void transpose_s8(const int8_t *x, int8_t *y, const uint32_t size_0, const uint32_t size_1,
                                 const uint32_t size_2, const uint32_t size_3, const uint32_t size_4,
                                 const uint32_t size_5, const uint32_t step_0, const uint32_t step_1,
                                 const uint32_t step_2, const uint32_t step_3, const uint32_t step_4,
                                 const uint32_t step_5) {
    for (uint32_t a = 0; a < size_0; a++)
        for (uint32_t b = 0; b < size_1; b++)
            for (uint32_t c = 0; c < size_2; c++)
                for (uint32_t d = 0; d < size_3; d++)
                    for (uint32_t e = 0; e < size_4; e++) {
                        const int8_t *from = x + a * step_0 + b * step_1 + c * step_2 + d * step_3 + e * step_4;
                        y = transpose_row(y, from, size_5, step_5);
                    }
}
