#include "softmax.h"

HILGATE_INLINE void softmax_s8(const int8_t *x, const hilgate_u32 *table, const hilgate_i32 *output, int8_t *y,
                               const uint32_t rows, const uint32_t classes) {
    const uint64_t factor = (uint32_t)output[0];
    for (uint32_t r = 0; r < rows; r++, x += classes, y += classes) {
        int32_t largest = x[0];
        for (uint32_t c = 1; c < classes; c++) largest = x[c] > largest ? x[c] : largest;
        uint32_t sum = 0;
        for (uint32_t c = 0; c < classes; c++) sum += table[largest - x[c]];
        const uint64_t total = (uint64_t)sum << 8;
        for (uint32_t c = 0; c < classes; c++) {
            const uint64_t steps = (table[largest - x[c]] * factor + (total >> 1)) / total;
            const int64_t value = (int64_t)steps + output[1];
            y[c] = (int8_t)(value > 127 ? 127 : value);
        }
    }
}

HILGATE_INLINE void softmax_float_s8(const int8_t *x, const hilgate_f32 *table, const hilgate_edge *output, int8_t *y,
                                     const uint32_t rows, const uint32_t classes) {
    for (uint32_t r = 0; r < rows; r++, x += classes, y += classes) {
        int32_t largest = x[0];
        for (uint32_t c = 1; c < classes; c++) largest = x[c] > largest ? x[c] : largest;
        float sum = 0.0f;
        for (uint32_t c = 0; c < classes; c++) sum += table[largest - x[c]];
        const float inverse = 1.0f / (sum * output->scale);
        for (uint32_t c = 0; c < classes; c++) {
            /* volatile: product and rounding must not become one fused multiply-add */
            volatile float product = table[largest - x[c]] * inverse;
            const float probability = product;
            int32_t steps = (int32_t)probability;
            if (probability - (float)steps >= 0.5f) steps++;
            y[c] = (int8_t)hilgate_clamp(steps + output->zero_point, -128, 127);
        }
    }
}
