#include "mul.h"

#include "bytes.h"

/* One product as int8. quick: a constant; rounding `double` by right shifts of 1 to 22 takes one multiplication, and
 * half is what it adds. */
HILGATE_INLINE int8_t mul_one(int32_t a, int32_t b, const int32_t *factors, int32_t zero_point, int32_t half,
                              const int quick, const int rounding) {
    const int32_t product = (a + factors[0]) * (b + factors[1]);
#if HILGATE_DSP
    if (quick) return (int8_t)hilgate_saturate(bytes_requantize_double(product, factors[2], factors[3], half));
#endif
    (void)quick, (void)half;
    return (int8_t)hilgate_saturate(hilgate_requantize(product, factors[2], factors[3], zero_point, rounding));
}

HILGATE_INLINE void mul_rows(const int8_t *a, const int8_t *b, const int32_t *factors, int32_t zero, int8_t *y,
                             const uint32_t count, const uint32_t period, const int quick, const int rounding) {
    const int32_t half = quick ? (2 * zero + 1) * (1 << -factors[3]) >> 1 : 0;
    for (uint32_t start = 0; start < count; start += period, a += period, y += period) {
        uint32_t i = 0;
        for (; i + 4u <= period; i += 4u) { /* four loads side by side cost one cycle each */
            const int32_t a0 = a[i], a1 = a[i + 1u], a2 = a[i + 2u], a3 = a[i + 3u];
            const int32_t b0 = b[i], b1 = b[i + 1u], b2 = b[i + 2u], b3 = b[i + 3u];
            y[i] = mul_one(a0, b0, factors, zero, half, quick, rounding);
            y[i + 1u] = mul_one(a1, b1, factors, zero, half, quick, rounding);
            y[i + 2u] = mul_one(a2, b2, factors, zero, half, quick, rounding);
            y[i + 3u] = mul_one(a3, b3, factors, zero, half, quick, rounding);
        }
        for (; i < period; i++) y[i] = mul_one(a[i], b[i], factors, zero, half, quick, rounding);
    }
}

HILGATE_INLINE void mul_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors, const hilgate_output *output,
                           int8_t *y, const uint32_t count, const uint32_t period, const int rounding) {
    const int32_t shift = rounding == HILGATE_SINGLE ? output->shift : factors[3];
    const int32_t f[4] = {factors[0], factors[1], factors[2], shift};
    if (HILGATE_DSP && rounding == HILGATE_DOUBLE && shift < 0 && shift > -23) {
        mul_rows(a, b, f, output->zero_point, y, count, period, 1, rounding);
    } else {
        mul_rows(a, b, f, output->zero_point, y, count, period, 0, rounding);
    }
    bytes_clamp(y, count, output);
}
