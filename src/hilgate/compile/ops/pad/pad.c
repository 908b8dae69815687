#include "pad.h"

#include "bytes.h"

HILGATE_INLINE int8_t *pad_fill(int8_t *y, const uint32_t count, const int8_t value) {
    for (uint32_t i = 0; i < count; i++) *y++ = value;
    return y;
}

HILGATE_INLINE void pad_s8(const int8_t *x, const hilgate_i32 *fill, int8_t *y, const uint32_t size_0,
                           const uint32_t size_1, const uint32_t size_2, const uint32_t size_3, const uint32_t before_0,
                           const uint32_t before_1, const uint32_t before_2, const uint32_t before_3,
                           const uint32_t after_0, const uint32_t after_1, const uint32_t after_2,
                           const uint32_t after_3) {
    const int8_t value = (int8_t)fill[0];
    const uint32_t row = before_3 + size_3 + after_3;
    const uint32_t plane = row * (before_2 + size_2 + after_2), cube = plane * (before_1 + size_1 + after_1);
    y = pad_fill(y, before_0 * cube, value);
    for (uint32_t a = 0; a < size_0; a++) {
        y = pad_fill(y, before_1 * plane, value);
        for (uint32_t b = 0; b < size_1; b++) {
            y = pad_fill(y, before_2 * row, value);
            const uint32_t whole = before_3 + after_3 == 0u ? size_2 : 1u; /* rows that follow each other in y too */
            for (uint32_t c = 0; c < size_2; c += whole, x += whole * size_3) {
                y = pad_fill(y, before_3, value);
                bytes_copy(y, x, whole * size_3);
                y = pad_fill(y + whole * size_3, after_3, value);
            }
            y = pad_fill(y, after_2 * row, value);
        }
        y = pad_fill(y, after_1 * plane, value);
    }
    (void)pad_fill(y, after_0 * cube, value);
}
