#include "add.h"

HILGATE_INLINE int32_t add_double(int32_t a, int32_t b, const hilgate_i32 *f, int32_t zero_point, const int subtract) {
    const int32_t scaled_a = hilgate_requantize_double((a + f[0]) * (1 << 20), f[1], f[2], 0);
    const int32_t scaled_b = hilgate_requantize_double((b + f[3]) * (1 << 20), f[4], f[5], 0);
    return hilgate_requantize_double(subtract ? scaled_a - scaled_b : scaled_a + scaled_b, f[6], f[7], zero_point);
}

HILGATE_INLINE void add_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors, const hilgate_output *output,
                           int8_t *y, const uint32_t count, const uint32_t period, const int rounding,
                           const int subtract) {
    const int32_t shift = output->shift, lowest = output->lowest, highest = output->highest;
    for (uint32_t start = 0; start < count; start += period, a += period, y += period) {
        for (uint32_t i = 0; i < period; i++) {
            const int32_t sum = rounding == HILGATE_DOUBLE
                                    ? add_double(a[i], b[i], factors, output->zero_point, subtract)
                                    : (a[i] * factors[0] + b[i] * factors[1] + factors[2]) >> shift;
            y[i] = (int8_t)hilgate_clamp(sum, lowest, highest);
        }
    }
}

HILGATE_INLINE void add_constant_s8(const int8_t *a, const hilgate_i32 *constant, const hilgate_i32 *factors,
                                    const hilgate_output *output, int8_t *y, const uint32_t count,
                                    const uint32_t period) {
    const int32_t shift = output->shift, lowest = output->lowest, highest = output->highest;
    const int32_t factor = factors[0];
    for (uint32_t start = 0; start < count; start += period, a += period, y += period) {
        for (uint32_t i = 0; i < period; i++)
            y[i] = (int8_t)hilgate_clamp((a[i] * factor + constant[i]) >> shift, lowest, highest);
    }
}
