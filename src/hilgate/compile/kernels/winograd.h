/* winograd: 3x3 convolution, stride 1, by F(2x2, 3x3): 16 products instead of 36 for 4 outputs, exact in integers.
 *
 *   y = A' [ (G g G') * (B' d B) ] A     per tile of 4x4 inputs d, 3x3 weights g and 2x2 outputs y, summed over
 * channels B' gives d0-d2, d1+d2, d2-d1, d1-d3. G is scaled by 2 but for its outer rows: g0, g0+g1+g2, g0-g1+g2, g2; A'
 * then gives 2 m0 + m1 + m2 and m1 - m2 - 2 m3, so that 4 y comes out, whole, without a fraction on the way.
 *
 * stream per channel pair (A, B), 4-aligned: int32 4 * biasA, 4 * biasB; per pair of k (run order) nine words, one per
 * tap, of bytes A[k] B[k] A[k+1] B[k+1]; per channel int32 {multiplier, c, n}, n as the rounding wants it: PANEL_SINGLE
 * zero point and 0;   PANEL_DOUBLE (2 * zero + 1 << n >> 1) and n; PANEL_POSITIVE c of panel.h and N - n - 1. An odd
 * last pair has multiplier B = 0. range  C <= 68: |products| < 68 * 512 * 1152, sixteen of them fit int32;
 * |accumulator| < 2^29 as for panels error  none: equal to conv2d_s8 to the bit */
#ifndef HILGATE_WINOGRAD_H
#define HILGATE_WINOGRAD_H

#include "panel.h"

/* m: one channel's 16 positions, 8 words apart. Returns 4 * accumulator of the outputs (0,0) (0,1) (1,0) (1,1). */
HILGATE_INLINE void winograd_outputs(const hilgate_i32 *m, const int32_t bias4, int32_t y[4]) {
#if HILGATE_DSP
#define WINOGRAD_COLUMN(j, a, b)                                                                                       \
    "ldr %[p], [%[m], #32*" j "]\nldr %[q], [%[m], #32*(4+" j ")]\nldr %[r], [%[m], #32*(8+" j ")]\n"                  \
    "ldr %[s], [%[m], #32*(12+" j ")]\nadd " a ", %[q], %[r]\nadd " a ", " a ", %[p], lsl #1\n"                        \
    "sub " b ", %[q], %[r]\nsub " b ", " b ", %[s], lsl #1\n"
    int32_t a0, a1, a2, a3, b0, b1, b2, b3, p, q, r, s;
    __asm__ volatile(
        WINOGRAD_COLUMN("0", "%[a0]", "%[b0]") WINOGRAD_COLUMN("1", "%[a1]", "%[b1]")
            WINOGRAD_COLUMN("2", "%[a2]", "%[b2]") WINOGRAD_COLUMN(
                "3", "%[a3]",
                "%[b3]") "sub %[p], %[a1], %[a2]\nadd %[a1], %[a1], %[a2]\nadd %[a0], %[a1], %[a0], lsl #1\n"
                         "sub %[a1], %[p], %[a3], lsl #1\nsub %[p], %[b1], %[b2]\nadd %[b1], %[b1], %[b2]\n"
                         "add %[b0], %[b1], %[b0], lsl #1\nsub %[b1], %[p], %[b3], lsl #1\n"
        : [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), [a3] "=&r"(a3), [b0] "=&r"(b0), [b1] "=&r"(b1),
          [b2] "=&r"(b2), [b3] "=&r"(b3), [p] "=&r"(p), [q] "=&r"(q), [r] "=&r"(r), [s] "=&r"(s)
        : [m] "r"(m)
        : "memory");
#undef WINOGRAD_COLUMN
    y[0] = a0 + bias4, y[1] = a1 + bias4, y[2] = b0 + bias4, y[3] = b1 + bias4;
#else
    int32_t a[4], b[4];
    for (uint32_t j = 0; j < 4u; j++, m += 8) {
        a[j] = 2 * m[0] + m[32] + m[64];
        b[j] = m[32] - m[64] - 2 * m[96];
    }
    y[0] = 2 * a[0] + a[1] + a[2] + bias4, y[1] = a[1] - a[2] - 2 * a[3] + bias4;
    y[2] = 2 * b[0] + b[1] + b[2] + bias4, y[3] = b[1] - b[2] - 2 * b[3] + bias4;
#endif
}

/* int8 of 4 * accumulator; scale: {multiplier, c, n} of the stream; rounding and top are constants. */
HILGATE_INLINE int8_t winograd_finish(int32_t y4, const int32_t scale[3], const int rounding, const int top) {
#if HILGATE_DSP
    int32_t x;
    if (rounding == PANEL_POSITIVE) {
        __asm__("smmla %0, %1, %2, %3" : "=r"(x) : "r"(y4 << scale[2]), "r"(scale[0]), "r"(scale[1]));
        x >>= top;
    } else if (rounding == PANEL_DOUBLE) {
        __asm__("smmlar %0, %1, %2, %3" : "=r"(x) : "r"(y4 >> 1), "r"(scale[0]), "r"(scale[1] + (y4 >> 31)));
        x >>= scale[2];
    } else {
        __asm__("smmlar %0, %1, %2, %3" : "=r"(x) : "r"(y4 >> 2), "r"(scale[0]), "r"(scale[1]));
    }
    __asm__("ssat %0, #8, %1" : "=r"(x) : "r"(x));
    return (int8_t)x;
#else
    const int32_t sum = y4 / 4;
    int32_t x;
    if (rounding == PANEL_SINGLE) {
        x = hilgate_requantize_single(sum, scale[0], 0, scale[1]);
    } else if (rounding == PANEL_DOUBLE) {
        x = hilgate_requantize_double(sum, scale[0], -scale[2], ((scale[1] >> (scale[2] - 1)) - 1) / 2);
    } else {
        x = hilgate_requantize_double(sum, scale[0], scale[2] + 1 - top, -128);
    }
    return (int8_t)hilgate_clamp(x, -128, 127);
#endif
}

/* One channel of one row of tiles: tile number `first` and after, m the channel's products. right, below: whether the
 * last tile's right and every tile's lower outputs exist. One that does not is written where another follows. */
HILGATE_INLINE void winograd_row(const hilgate_i32 *m, uint32_t first, uint32_t tiles, const hilgate_i32 *scale,
                                 int32_t bias4, int8_t *y, uint32_t pixel, uint32_t row, uint32_t right, uint32_t below,
                                 const int rounding, const int top) {
    const int32_t constants[3] = {scale[0], scale[1], scale[2]};
    const uint32_t end = first + tiles, down = below ? row : 0u;
    for (uint32_t i = first; i < end; i++, y += 2u * pixel) {
        int32_t out[4];
        const uint32_t next = i + 1u < end || right ? pixel : 0u;
        winograd_outputs(m + i / 4u * 128u + i % 4u * 2u, bias4, out);
        y[down + next] = winograd_finish(out[3], constants, rounding, top);
        y[down] = winograd_finish(out[2], constants, rounding, top);
        y[next] = winograd_finish(out[1], constants, rounding, top);
        y[0] = winograd_finish(out[0], constants, rounding, top);
    }
}

/* The portable steps: see winograd_dsp.h for what they do. */
HILGATE_INLINE void winograd_input(const int16_t *from, int16_t *v, uint32_t row_bytes, const uint32_t channels) {
    for (uint32_t c = 0; c < channels; c++) {
        int32_t h[4][4];
        for (uint32_t i = 0; i < 4u; i++) {
            const int16_t *d = from + i * (row_bytes / 2u) + c;
            const int32_t d0 = d[0], d1 = d[channels], d2 = d[2u * channels], d3 = d[3u * channels];
            h[i][0] = d0 - d2, h[i][1] = d1 + d2, h[i][2] = d2 - d1, h[i][3] = d1 - d3;
        }
        for (uint32_t j = 0; j < 4u; j++) {
            int16_t *to = v + j * 4u * channels + c;
            to[0] = (int16_t)(h[0][j] - h[2][j]);
            to[16u * channels] = (int16_t)(h[1][j] + h[2][j]);
            to[32u * channels] = (int16_t)(h[2][j] - h[1][j]);
            to[48u * channels] = (int16_t)(h[1][j] - h[3][j]);
        }
    }
}

HILGATE_INLINE void winograd_weights(const uint8_t *w, int16_t *u, const uint32_t channels) {
    for (uint32_t k = 0; k < channels / 2u; k++, w += 36, u += 4) {
        for (uint32_t b = 0; b < 4u; b++) { /* byte b of a word: channel b % 2, k + b / 2 */
            int32_t t[4][3];
            for (uint32_t j = 0; j < 3u; j++) {
                const int32_t g0 = panel_low(w[4u * j + b]), g1 = panel_low(w[4u * j + b + 12u]);
                const int32_t g2 = panel_low(w[4u * j + b + 24u]);
                t[0][j] = g0, t[1][j] = g0 + g1 + g2, t[2][j] = g0 - g1 + g2, t[3][j] = g2;
            }
            for (uint32_t i = 0; i < 4u; i++) {
                int16_t *to = u + i * 8u * channels + b % 2u * 2u + b / 2u;
                to[0] = (int16_t)t[i][0];
                to[2u * channels] = (int16_t)(t[i][0] + t[i][1] + t[i][2]);
                to[4u * channels] = (int16_t)(t[i][0] - t[i][1] + t[i][2]);
                to[6u * channels] = (int16_t)t[i][2];
            }
        }
    }
}

HILGATE_INLINE void winograd_products(const int16_t *u, const int16_t *v, hilgate_i32 *m, uint32_t groups,
                                      const uint32_t channels) {
    for (uint32_t i = 0; i < groups * 64u; i++, v += channels) { /* group, position, tile */
        const int16_t *w = u + i / 4u % 16u * 2u * channels;
        int32_t a = 0, b = 0;
        for (uint32_t k = 0; k < channels; k += 2u, w += 4) {
            a += w[0] * v[k] + w[1] * v[k + 1u];
            b += w[2] * v[k] + w[3] * v[k + 1u];
        }
        *m++ = a, *m++ = b;
    }
}

typedef struct {
    uint16_t in_h, in_w, out_h, out_w, channels, outputs;
    uint8_t pad_top, pad_left;
    uint16_t tiles_w;   /* tiles in a row */
    uint16_t tile_rows; /* rows of tiles transformed together */
    uint16_t groups;    /* of four tiles that they fill */
    uint32_t pair_bytes;
    void (*input)(const int16_t *from, int16_t *v, uint32_t row_bytes);
    void (*weights)(const uint8_t *w, int16_t *u);
    void (*products)(const int16_t *u, const int16_t *v, hilgate_i32 *m, uint32_t groups);
    void (*row)(const hilgate_i32 *m, uint32_t first, uint32_t tiles, const hilgate_i32 *scale, int32_t bias4,
                int8_t *y, uint32_t pixel, uint32_t row, uint32_t right, uint32_t below);
} winograd_shape;

#endif
