#include "concat.h"

#include "bytes.h"

/* Copies and returns where the next input goes. */
HILGATE_INLINE int8_t *concat_part(int8_t *y, const int8_t *x, const uint32_t row, const uint32_t width) {
    if (width > 0u) bytes_copy(y, x + row * width, width);
    return y + width;
}

HILGATE_INLINE void concat_s8(const int8_t *x0, const int8_t *x1, const int8_t *x2, const int8_t *x3, const int8_t *x4,
                              const int8_t *x5, const int8_t *x6, const int8_t *x7, int8_t *y, const uint32_t outer,
                              const uint32_t width_0, const uint32_t width_1, const uint32_t width_2,
                              const uint32_t width_3, const uint32_t width_4, const uint32_t width_5,
                              const uint32_t width_6, const uint32_t width_7) {
    for (uint32_t row = 0; row < outer; row++) {
        y = concat_part(y, x0, row, width_0);
        y = concat_part(y, x1, row, width_1);
        y = concat_part(y, x2, row, width_2);
        y = concat_part(y, x3, row, width_3);
        y = concat_part(y, x4, row, width_4);
        y = concat_part(y, x5, row, width_5);
        y = concat_part(y, x6, row, width_6);
        y = concat_part(y, x7, row, width_7);
    }
}
