#include "add.h"

#include "dsp.h"

/* Saturate to int8, and to the activation's range where there is one. */
HILGATE_INLINE int8_t add_clamp(int32_t value, const hilgate_output *output, const int clamped) {
    const int32_t byte = hilgate_saturate(value);
    return (int8_t)(clamped ? hilgate_clamp(byte, output->lowest, output->highest) : byte);
}

HILGATE_INLINE int32_t add_sum(int32_t a, int32_t b, int32_t factor_a, int32_t factor_b, int64_t offset,
                               const int shift, const int wide) {
    if (wide) return (int32_t)((offset + (int64_t)a * factor_a + (int64_t)b * factor_b) >> shift);
    return ((int32_t)offset + a * factor_a + b * factor_b) >> shift;
}

HILGATE_INLINE void add_linear_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors,
                                  const hilgate_output *output, int8_t *y, const uint32_t count, const uint32_t period,
                                  const int shift, const int wide, const int clamped) {
    const int32_t fa = factors[0], fb = factors[1];
    const int64_t offset = wide ? (int64_t)(((uint64_t)(uint32_t)factors[3] << 32) | (uint32_t)factors[2]) : factors[2];
    for (uint32_t start = 0; start < count; start += period, a += period, y += period) {
        uint32_t i = 0;
        for (; i + 4u <= period; i += 4u) { /* four loads side by side cost one cycle each */
            const int32_t a0 = a[i], a1 = a[i + 1u], a2 = a[i + 2u], a3 = a[i + 3u];
            const int32_t b0 = b[i], b1 = b[i + 1u], b2 = b[i + 2u], b3 = b[i + 3u];
            y[i] = add_clamp(add_sum(a0, b0, fa, fb, offset, shift, wide), output, clamped);
            y[i + 1u] = add_clamp(add_sum(a1, b1, fa, fb, offset, shift, wide), output, clamped);
            y[i + 2u] = add_clamp(add_sum(a2, b2, fa, fb, offset, shift, wide), output, clamped);
            y[i + 3u] = add_clamp(add_sum(a3, b3, fa, fb, offset, shift, wide), output, clamped);
        }
        for (; i < period; i++) y[i] = add_clamp(add_sum(a[i], b[i], fa, fb, offset, shift, wide), output, clamped);
    }
}

HILGATE_INLINE void add_constant_s8(const int8_t *a, const hilgate_i32 *constant, const hilgate_i32 *factors,
                                    const hilgate_output *output, int8_t *y, const uint32_t count,
                                    const uint32_t period, const int shift, const int clamped) {
    const int32_t factor = factors[0];
    for (uint32_t start = 0; start < count; start += period, a += period, y += period) {
        for (uint32_t i = 0; i < period; i++) y[i] = add_clamp((a[i] * factor + constant[i]) >> shift, output, clamped);
    }
}

HILGATE_INLINE void add_double_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *f, const hilgate_output *output,
                                  int8_t *y, const uint32_t count, const uint32_t period, const int subtract) {
    for (uint32_t start = 0; start < count; start += period, a += period, y += period) {
        for (uint32_t i = 0; i < period; i++) {
            const int32_t scaled_a = hilgate_requantize_double((a[i] + f[0]) * (1 << 20), f[1], f[2], 0);
            const int32_t scaled_b = hilgate_requantize_double((b[i] + f[3]) * (1 << 20), f[4], f[5], 0);
            const int32_t sum = subtract ? scaled_a - scaled_b : scaled_a + scaled_b;
            const int32_t value = hilgate_requantize_double(sum, f[6], f[7], output->zero_point);
            y[i] = (int8_t)hilgate_clamp(value, output->lowest, output->highest);
        }
    }
}

#if HILGATE_DSP
/* Two elements: a in steps of 2^-20 of the common scale plus the table's entry of b, requantized. 7 cycles of loads,
 * then 5 or 6 per element. sign: what makes ties of negative sums round away from zero. */
#define ADD_FINISH(sum, other, sign)                                                                                   \
    "add " sum ", " sum ", " other ", lsl #20\n" sign(sum) "asr " sum ", " sum ", %[n]\nssat " sum ", #8, " sum        \
                                                           "\nstrb " sum ", [%[y]], #1\n"
#define ADD_SIGNED(sum) "add %[t], %[c], " sum ", asr #31\nsmmlar " sum ", " sum ", %[m], %[t]\n"
#define ADD_POSITIVE(sum) "smmlar " sum ", " sum ", %[m], %[c]\n"
#define ADD_TWO(sign)                                                                                                  \
    __asm__ volatile(                                                                                                  \
        "ldrsb %[p], [%[b]], #1\nldrsb %[q], [%[b]], #1\nldrsb %[u], [%[a]], #1\nldrsb %[v], [%[a]], #1\n"             \
        "ldr %[p], [%[table], %[p], lsl #2]\nldr %[q], [%[table], %[q], lsl #2]\n" ADD_FINISH("%[p]", "%[u]", sign)    \
            ADD_FINISH("%[q]", "%[v]", sign)                                                                           \
        : [a] "+r"(a), [b] "+r"(b), [y] "+r"(y), [p] "=&r"(p), [q] "=&r"(q), [u] "=&r"(u), [v] "=&r"(v), [t] "=&r"(t)  \
        : [table] "r"(table), [m] "r"(m), [n] "r"(n), [c] "r"(c)                                                       \
        : "memory")

/* The wide loops; returns how many elements they did. */
HILGATE_INLINE uint32_t add_table_dsp(const int8_t *a, const int8_t *b, const hilgate_i32 *table, int8_t *y,
                                      uint32_t count, int32_t m, int32_t n, int32_t zero) {
    const int8_t *const end = a + (count & ~3u);
    const int32_t c = (zero * 2 + 1) * (1 << n) >> 1;
    int32_t p, q, u, v, t;
    if (n < 1 || n > 22) return 0;
    if (zero == -128) {
        while (a != end) {
            ADD_TWO(ADD_POSITIVE);
            ADD_TWO(ADD_POSITIVE);
        }
    } else {
        while (a != end) {
            ADD_TWO(ADD_SIGNED);
            ADD_TWO(ADD_SIGNED);
        }
    }
    return count & ~3u;
}
#endif

HILGATE_INLINE void add_table_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors,
                                 const hilgate_output *output, int8_t *y, hilgate_i32 *table, const uint32_t count) {
    const hilgate_i32 *f = factors;
    if (f[1] != 1 << 30 || f[2] != 0) { /* then b's scale is the larger one: swap */
        const int8_t *other = a;
        a = b, b = other, f += 3;
    }
    const hilgate_i32 *g = f == factors ? factors + 3 : factors;
    for (int32_t i = -128; i < 128; i++) {
        const int32_t scaled = hilgate_requantize_double((i + g[0]) * (1 << 20), g[1], g[2], 0);
        table[i + 128] = (scaled + f[0] * (1 << 19)) * 2;
    }
    uint32_t i = 0;
#if HILGATE_DSP
    i = add_table_dsp(a, b, table + 128, y, count, factors[6], -factors[7], output->zero_point);
#endif
    for (; i < count; i++) {
        const int32_t sum = table[b[i] + 128] / 2 + a[i] * (1 << 19);
        y[i] = (int8_t)hilgate_clamp(hilgate_requantize_double(sum, factors[6], factors[7], output->zero_point), -128,
                                     127);
    }
    if (output->lowest == -128 && output->highest == 127) return;
    for (i = 0; i < count; i++) y[i] = (int8_t)hilgate_clamp(y[i], output->lowest, output->highest);
}
