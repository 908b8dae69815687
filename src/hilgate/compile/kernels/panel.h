/* panel: groups of 1 to 4 outputs x all channel pairs of a layer with weights, on int16 activations.
 *
 * w, the packed weights (4-aligned, little-endian), per channel pair (A, B):
 *   int32 biasA, int32 biasB (shared: biasA + 256 * biasB), k_bytes / 4 words, then what the rounding needs
 *   word k: shared: halfwords 256*B[2k]+A[2k], 256*B[2k+1]+A[2k+1];   else bytes A[2k], B[2k], A[2k+1], B[2k+1]
 *   PANEL_SINGLE    int32 mA, mB
 *   PANEL_DOUBLE    int32 mA, mB, u8 nA, nB, 0, 0
 *   PANEL_POSITIVE  int32 mA, cA, mB, cB, u8 lA, rB, 0, 0; l = N-n+1; rB = 8 - lB when shared, else lB
 *   A layer with an odd count of channels has mB = 0 in its last pair: there is no channel B.
 * a    int16 [outputs][k_bytes / 2], `pixel_bytes` from one output's run to the next, 4-aligned
 * out  int8, out_pixel bytes from one output to the next, out_channel bytes from one channel to the next
 *
 * Range: |accumulator| < 2^29, shared also |accumulator B| < 2^23: proved by panel.py, which else takes another kernel.
 * Results, exactly (arithmetic.py defines them):
 *   PANEL_SINGLE    clamp(zero + ((acc m + 2^31) >> 32), -128, 127): one SMMLAR.
 *   PANEL_DOUBLE    clamp(zero + RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(acc, m), n), -128, 127), 1 <= n
 * <= 22. SRDHM = (2 acc m + 2^31) >> 32 = SMMULR(2 acc, m). RDBPOT rounds half away from zero: (x - (x < 0) + 2^(n-1))
 * >> n; x < 0 exactly where acc < 0 (but m = 2^30, acc = -1: x = 0, and both roundings give 0). So t = (acc >> 31) +
 * (zero << n) + 2^(n-1); SSAT(SMMLAR(2 acc, m, t) >> n). PANEL_POSITIVE  the same where the zero point is -128:
 * negative sums clamp however they round, so with y = acc m / 2^31 the result is zero + floor((floor(y + 1/2) +
 * 2^(n-1)) / 2^n) = zero + floor((y + 1/2 + 2^(n-1)) / 2^n), one floor of a linear function. With one N > n for all
 * channels that is SSAT #8 (SMMLA(acc << (N-n+1), m, c) >> N), where c = (zero << N) + 2^(N-1) + 2^(N-n-1): the last
 * shift is a constant that SSAT does for free. */
#ifndef HILGATE_PANEL_H
#define HILGATE_PANEL_H

#include "arithmetic.h"
#include "dsp.h"

#define PANEL_SINGLE 0
#define PANEL_DOUBLE 1
#define PANEL_POSITIVE 2

/* The panel's assembly keeps pointers in FPU registers. */
#if HILGATE_DSP && defined(__ARM_FP)
#define HILGATE_PANEL_DSP 1
#else
#define HILGATE_PANEL_DSP 0
#endif

#if defined(__GNUC__)
#define HILGATE_NAKED static __attribute__((naked, noinline))
#define HILGATE_UNUSED __attribute__((unused))
#else
#define HILGATE_UNUSED
#endif

/* What one call of a panel needs to know. */
typedef struct {
    int32_t zero;          /* the output's zero point */
    uint32_t stream_bytes; /* the packed weights of all channel pairs */
    uint32_t k_bytes;      /* of one pair's words */
    uint32_t out_pixel;    /* bytes from one output to the next */
    uint32_t entry_bytes; /* where the unrolled loop is entered, see PANEL_ENTRY; 0 where PANEL_K_PAIRS is a constant */
    uint32_t groups;      /* of PANEL_PIXELS outputs, one after the other */
} panel_shape;

typedef void (*panel_fn)(const uint8_t *w, const int16_t *a, int8_t *out, const panel_shape *shape);

/* `pairs` of k in a loop unrolled `unroll` times: bytes of the steps that the first pass jumps over. */
#define PANEL_STEP_BYTES(pixels, shared) (12u * (pixels) + ((shared) ? 8u : 12u))
#define PANEL_ENTRY(pairs, unroll, pixels, shared)                                                                     \
    (((unroll)-1u - ((pairs) + (unroll)-1u) % (unroll)) * PANEL_STEP_BYTES(pixels, shared))

HILGATE_INLINE int32_t panel_low(uint32_t halfword) {
    return (int32_t)((halfword & 0xffu) ^ 0x80u) - 0x80;
}

/* What the trailer of a channel pair says about one channel. */
HILGATE_INLINE int8_t panel_finish(int32_t sum, const uint8_t *trailer, const uint32_t channel, int32_t zero,
                                   const int rounding, const int top, const int shared) {
    const hilgate_i32 *m = (const hilgate_i32 *)(const void *)trailer;
    int32_t value;
    if (rounding == PANEL_SINGLE) {
        value = hilgate_requantize_single(sum, m[channel], 0, zero);
    } else if (rounding == PANEL_DOUBLE) {
        value = hilgate_requantize_double(sum, m[channel], -(int32_t)trailer[8u + channel], zero);
    } else {
        const int32_t stored = trailer[16u + channel];
        const int32_t left = shared && channel ? 8 - stored : stored;
        value = hilgate_requantize_double(sum, m[2u * channel], left - top - 1, zero);
    }
    return (int8_t)hilgate_clamp(value, -128, 127);
}

/* The portable panel; every parameter but the first four is a constant. */
HILGATE_INLINE void panel_portable(const uint8_t *w, const int16_t *a, int8_t *out, const panel_shape *shape,
                                   const uint32_t pixels, const uint32_t pixel_bytes, const uint32_t out_channel,
                                   const int rounding, const int top, const int shared) {
    const uint32_t trailer = rounding == PANEL_SINGLE ? 8u : rounding == PANEL_DOUBLE ? 12u : 20u;
    const uint32_t pairs = shape->stream_bytes / (8u + shape->k_bytes + trailer);
    for (uint32_t g = 0; g < shape->groups; g++, a += pixels * pixel_bytes / 2u, out += pixels * shape->out_pixel) {
        const uint8_t *stream = w;
        for (uint32_t pair = 0; pair < pairs; pair++, stream += 8u + shape->k_bytes + trailer) {
            const hilgate_i32 *bias = (const hilgate_i32 *)(const void *)stream;
            const uint8_t *end = stream + 8u + shape->k_bytes;
            const int32_t bias_b = shared ? (int32_t)((uint32_t)bias[1] - (uint32_t)bias[0]) >> 8 : bias[1];
            for (uint32_t p = 0; p < pixels; p++) {
                const int16_t *x = a + p * pixel_bytes / 2u;
                int32_t sum_a = bias[0], sum_b = bias_b;
                for (const uint8_t *k = stream + 8; k != end; k += 2, x++) {
                    const int32_t wa = panel_low(k[0]), high = panel_low(k[1]);
                    sum_a += wa * *x;
                    sum_b += (shared && wa < 0 ? high + 1 : high) * *x;
                }
                int8_t *to = out + p * shape->out_pixel + 2u * pair * out_channel;
                to[0] = panel_finish(sum_a, end, 0, shape->zero, rounding, top, shared);
                if (((const hilgate_i32 *)(const void *)end)[rounding == PANEL_POSITIVE ? 2 : 1] != 0)
                    to[out_channel] = panel_finish(sum_b, end, 1, shape->zero, rounding, top, shared);
            }
        }
    }
}

#endif
