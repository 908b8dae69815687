#include "mul.h"

HILGATE_INLINE void mul_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors, const hilgate_output *output,
                           int8_t *y, const uint32_t count, const uint32_t period, const int rounding) {
    const int32_t shift = rounding == HILGATE_SINGLE ? output->shift : factors[3];
    for (uint32_t start = 0; start < count; start += period, a += period, y += period) {
        for (uint32_t i = 0; i < period; i++) {
            const int32_t product = (a[i] + factors[0]) * (b[i] + factors[1]);
            const int32_t value = hilgate_requantize(product, factors[2], shift, output->zero_point, rounding);
            y[i] = (int8_t)hilgate_clamp(value, output->lowest, output->highest);
        }
    }
}
