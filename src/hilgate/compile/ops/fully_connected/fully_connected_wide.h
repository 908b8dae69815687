/* fully_connected_wide: fully connected layers, eight outputs at a time on int16 activations.
 *
 * x        int8 [rows][inputs]
 * stream   per group of eight outputs, four pairs (A, B), 4-aligned, little-endian, three parts:
 *            4 x {int24 biasA, int24 biasB}
 *            per pair of k 4 x {halfwords 256*B[2k]+A[2k], 256*B[2k+1]+A[2k+1]}
 *            when per channel 8 x {int32 multiplier, int32 s}
 *          k runs as strip.h orders it; outputs are filled up to eight with zeros
 * scale    int32 {multiplier, s} of a layer that has one for all outputs
 * output   zero point and clamp
 * y        int8 [rows][outputs]; must not overlap x
 * wide     int16 [inputs, even], working memory, 4-aligned
 * range    |accumulator| < 2^23, 1 <= s <= 22, proved by wide.py
 * result   HILGATE_SINGLE as panel.h says. HILGATE_AWAY: acc m / 2^(32 + s) rounded once, half away from zero:
 *          (acc m + ((zero << s) + 2^(s-1) << 32) - (acc < 0)) >> 32 + s, which is one SMLAL onto constants
 * error    none: equal to fully_connected_s8 to the bit */
#ifndef HILGATE_FULLY_CONNECTED_WIDE_H
#define HILGATE_FULLY_CONNECTED_WIDE_H

#include "panel.h"

/* What one call of a core needs to know. */
typedef struct {
    uint32_t stream_bytes;
    uint32_t k_bytes;      /* of one group's words */
    uint32_t entry_bytes;  /* where the unrolled loop is entered: (-pairs of k mod unroll) * WIDE_STEP_BYTES */
    int32_t multiplier, s; /* where one is for all outputs */
    int32_t rounding;      /* SINGLE: zero; AWAY: 2 * zero + 1, where s is for all outputs << s >> 1 */
} wide_shape;

typedef void (*wide_fn)(const uint8_t *w, const int16_t *a, int8_t *out, const wide_shape *shape);

#define WIDE_STEP_BYTES 68u

HILGATE_INLINE void wide_portable(const uint8_t *w, const int16_t *a, int8_t *out, const wide_shape *shape,
                                  const int rounding, const int per_tensor) {
    const uint8_t *const end = w + shape->stream_bytes;
    for (; w != end; w += 24u + shape->k_bytes + (per_tensor ? 0u : 64u), out += 8) {
        const hilgate_i32 *scales = (const hilgate_i32 *)(const void *)(w + 24u + shape->k_bytes);
        for (uint32_t o = 0; o < 8u; o++) {
            const uint8_t *bias = w + 3u * o;
            int32_t sum = (int32_t)(bias[0] | (uint32_t)bias[1] << 8) + panel_low(bias[2]) * 65536;
            const uint8_t *word = w + 24u + (o & ~1u) * 2u;
            for (uint32_t k = 0; k < shape->k_bytes / 8u; k += 2u, word += 16u) {
                for (uint32_t i = 0; i < 2u; i++) {
                    const int32_t wa = panel_low(word[2u * i]), high = panel_low(word[2u * i + 1u]);
                    sum += (o & 1u ? (wa < 0 ? high + 1 : high) : wa) * a[k + i];
                }
            }
            const int32_t multiplier = per_tensor ? shape->multiplier : scales[2u * o];
            const int32_t right = per_tensor ? shape->s : scales[2u * o + 1u];
            const int32_t zero = rounding == HILGATE_SINGLE ? shape->rounding
                                 : per_tensor               ? ((shape->rounding >> (right - 1)) - 1) / 2
                                                            : (shape->rounding - 1) / 2;
            const int32_t shift = rounding == HILGATE_SINGLE ? 0 : -1 - right;
            out[o] = (int8_t)hilgate_clamp(hilgate_requantize(sum, multiplier, shift, zero, rounding), -128, 127);
        }
    }
}

HILGATE_SHARED void fully_connected_wide_s8(const int8_t *x, const uint8_t *stream, const hilgate_i32 *scale,
                                            const hilgate_output *output, int8_t *y, int16_t *wide, uint32_t rows,
                                            uint32_t inputs, uint32_t outputs, uint32_t entry_bytes, int rounding,
                                            int per_tensor, wide_fn run);

#endif
