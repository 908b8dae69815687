/* strip: int8 activations widened to int16, in the order that panels read.
 *
 * Channels of one run are stored as SXTB16 gives them: each group of four bytes b0..b3 as b0 b2 b1 b3, the one to three
 * that are left in order. Weights are packed in the same order (panel.py, `run_order`). Padding is the zero point. */
#ifndef HILGATE_STRIP_H
#define HILGATE_STRIP_H

#include "arithmetic.h"
#include "dsp.h"

/* Four bytes; returns the next place. `to` is 4-aligned on DSP cores or takes the slower unaligned stores. */
HILGATE_INLINE int16_t *strip_widen4(int16_t *to, const int8_t *from) {
#if HILGATE_DSP
    uint32_t a, b;
    __asm__ volatile("ldr %[a], [%[from]]\nsxtb16 %[b], %[a]\nsxtb16 %[a], %[a], ror #8\n"
                     "str %[b], [%[to]], #4\nstr %[a], [%[to]], #4\n"
                     : [a] "=&r"(a), [b] "=&r"(b), [to] "+&r"(to)
                     : [from] "r"(from)
                     : "memory");
    return to;
#else
    to[0] = from[0];
    to[1] = from[2];
    to[2] = from[1];
    to[3] = from[3];
    return to + 4;
#endif
}

#if HILGATE_DSP
/* Sixteen bytes: 21 cycles, as consecutive loads are pipelined. */
HILGATE_INLINE int16_t *strip_widen16(int16_t *to, const int8_t *from) {
    uint32_t a, b, c, d, e;
    __asm__ volatile("ldr %[a], [%[from]]\nldr %[b], [%[from], #4]\nldr %[c], [%[from], #8]\nldr %[d], [%[from], #12]\n"
                     "sxtb16 %[e], %[a]\nsxtb16 %[a], %[a], ror #8\nstr %[e], [%[to]], #4\nstr %[a], [%[to]], #4\n"
                     "sxtb16 %[e], %[b]\nsxtb16 %[b], %[b], ror #8\nstr %[e], [%[to]], #4\nstr %[b], [%[to]], #4\n"
                     "sxtb16 %[e], %[c]\nsxtb16 %[c], %[c], ror #8\nstr %[e], [%[to]], #4\nstr %[c], [%[to]], #4\n"
                     "sxtb16 %[e], %[d]\nsxtb16 %[d], %[d], ror #8\nstr %[e], [%[to]], #4\nstr %[d], [%[to]], #4\n"
                     : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e), [to] "+&r"(to)
                     : [from] "r"(from)
                     : "memory");
    return to;
}
#endif

/* One run of n bytes; returns the place after it. */
HILGATE_INLINE int16_t *strip_widen(int16_t *to, const int8_t *from, uint32_t n) {
#if HILGATE_DSP
    for (; n >= 16u; n -= 16u, from += 16) to = strip_widen16(to, from);
#endif
    for (; n >= 4u; n -= 4u, from += 4) to = strip_widen4(to, from);
    for (; n > 0u; n--) *to++ = *from++;
    return to;
}

HILGATE_INLINE void strip_fill(int16_t *to, int32_t value, uint32_t n) {
    for (; n > 0u; n--) *to++ = (int16_t)value;
}

/* n columns of three rows of three channels, stored as the pairs (r0c0 r0c2) (r1c0 r1c2) (r2c0 r2c2) (r0c1 r1c1) (r2c1
 * ?). DSP cores read the byte after the last pixel: leave that pixel out where the image ends. */
HILGATE_INLINE int16_t *strip_rgb(int16_t *to, const int8_t *r0, const int8_t *r1, const int8_t *r2, uint32_t n) {
    for (; n > 0u; n--) {
#if HILGATE_DSP
        uint32_t a, b, c, d;
        __asm__ volatile("ldr %[a], [%[r0]], #3\nldr %[b], [%[r1]], #3\nldr %[c], [%[r2]], #3\n"
                         "sxtb16 %[d], %[a]\nstr %[d], [%[to]], #4\n"
                         "sxtb16 %[d], %[b]\nstr %[d], [%[to]], #4\n"
                         "sxtb16 %[d], %[c]\nstr %[d], [%[to]], #4\n"
                         "sxtb16 %[a], %[a], ror #8\nsxtb16 %[b], %[b], ror #8\npkhbt %[a], %[a], %[b], lsl #16\n"
                         "str %[a], [%[to]], #4\nsxtb16 %[c], %[c], ror #8\nstr %[c], [%[to]], #4\n"
                         : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [to] "+&r"(to), [r0] "+&r"(r0),
                           [r1] "+&r"(r1), [r2] "+&r"(r2)
                         :
                         : "memory");
#else
        to[0] = r0[0], to[1] = r0[2];
        to[2] = r1[0], to[3] = r1[2];
        to[4] = r2[0], to[5] = r2[2];
        to[6] = r0[1], to[7] = r1[1];
        to[8] = r2[1], to[9] = 0;
        to += 10, r0 += 3, r1 += 3, r2 += 3;
#endif
    }
    return to;
}

#endif
