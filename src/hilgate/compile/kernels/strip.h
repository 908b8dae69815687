/* strip: int8 activations widened to int16, in the order that panels read.
 *
 * Channels of one run are stored as SXTB16 gives them: each group of four bytes b0..b3 as b0 b2 b1 b3, the one to three
 * that are left in order. Weights are packed in the same order (panel.py, `run_order`). Padding is the zero point. */
#ifndef HILGATE_STRIP_H
#define HILGATE_STRIP_H

#include "panel.h"

/* `runs` runs of n > 0 bytes that follow each other, each to its own place: `pitch` values from one to the next.
 * Sixteen bytes take 21 cycles on DSP cores, as consecutive loads are pipelined. */
HILGATE_SHARED void strip_widen_runs(int16_t *to, const int8_t *from, uint32_t n, uint32_t runs, uint32_t pitch) {
#if HILGATE_DSP
#define STRIP_WORD(a) "sxtb16 %[e], " a "\nsxtb16 " a ", " a ", ror #8\nstr %[e], [%[to]], #4\nstr " a ", [%[to]], #4\n"
#define STRIP_SIXTEEN                                                                                                  \
    "ldr %[a], [%[from]], #4\nldr %[b], [%[from]], #4\nldr %[c], [%[from]], #4\nldr %[d], [%[from]], #4\n" STRIP_WORD( \
        "%[a]") STRIP_WORD("%[b]") STRIP_WORD("%[c]") STRIP_WORD("%[d]")
    uint32_t a, b, c, d, e, count;
    const uint32_t skip = 2u * (pitch - n);
    if (runs == 0u) return;
    __asm__ volatile(
        "1:\nlsrs %[count], %[n], #5\nbcc 2f\n" STRIP_SIXTEEN "2:\nbeq 4f\n3:\n" STRIP_SIXTEEN STRIP_SIXTEEN
        "subs %[count], %[count], #1\nbne 3b\n"
        "4:\nands %[count], %[n], #15\nbeq 8f\nlsrs %[count], %[count], #2\nbeq 6f\n"
        "5:\nldr %[a], [%[from]], #4\n" STRIP_WORD(
            "%[a]") "subs %[count], %[count], #1\nbne 5b\n"
                    "6:\nands %[count], %[n], #3\nbeq 8f\n"
                    "7:\nldrsb %[a], [%[from]], #1\nstrh %[a], [%[to]], #2\nsubs %[count], %[count], #1\nbne 7b\n"
                    "8:\nadd %[to], %[to], %[skip]\nsubs %[runs], %[runs], #1\nbne 1b\n"
        : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e), [count] "=&r"(count), [to] "+&r"(to),
          [from] "+&r"(from), [runs] "+&r"(runs)
        : [n] "r"(n), [skip] "r"(skip)
        : "memory", "cc");
#undef STRIP_WORD
#undef STRIP_SIXTEEN
#else
    for (; runs > 0u; runs--, to += pitch - n) {
        uint32_t left = n;
        for (; left >= 4u; left -= 4u, from += 4, to += 4)
            to[0] = from[0], to[1] = from[2], to[2] = from[1], to[3] = from[3];
        for (; left > 0u; left--) *to++ = *from++;
    }
#endif
}

/* The same for runs of one, two or three bytes. */
HILGATE_INLINE void strip_widen_narrow(int16_t *to, const int8_t *from, uint32_t n, uint32_t runs, uint32_t pitch) {
    if (n == 1u) {
        for (; runs >= 4u; runs -= 4u, from += 4, to += 4u * pitch) { /* four loads side by side cost one cycle each */
            const int16_t a = from[0], b = from[1], c = from[2], d = from[3];
            to[0] = a, to[pitch] = b, to[2u * pitch] = c, to[3u * pitch] = d;
        }
    } else if (n == 2u) {
        for (; runs >= 2u; runs -= 2u, from += 4, to += 2u * pitch) {
            const int16_t a = from[0], b = from[1], c = from[2], d = from[3];
            to[0] = a, to[1] = b, to[pitch] = c, to[pitch + 1u] = d;
        }
    } else {
        for (; runs >= 2u; runs -= 2u, from += 6, to += 2u * pitch) {
            const int16_t a = from[0], b = from[1], c = from[2], d = from[3], e = from[4], f = from[5];
            to[0] = a, to[1] = b, to[2] = c, to[pitch] = d, to[pitch + 1u] = e, to[pitch + 2u] = f;
        }
    }
    for (; runs > 0u; runs--, from += n, to += pitch)
        for (uint32_t i = 0; i < n; i++) to[i] = from[i];
}

/* One run of n bytes; returns the place after it. */
HILGATE_INLINE int16_t *strip_widen(int16_t *to, const int8_t *from, uint32_t n) {
    strip_widen_runs(to, from, n, 1u, n);
    return to + n;
}

HILGATE_INLINE void strip_fill(int16_t *to, int32_t value, uint32_t n) {
    for (; n > 0u; n--) *to++ = (int16_t)value;
}

/* n columns of three rows of three channels, stored as the pairs (r0c0 r0c2) (r1c0 r1c2) (r2c0 r2c2) (r0c1 r1c1) (r2c1
 * ?). DSP cores read the byte after the last pixel: leave that pixel out where the image ends. 16 cycles a column. */
HILGATE_INLINE int16_t *strip_rgb(int16_t *to, const int8_t *r0, const int8_t *r1, const int8_t *r2, uint32_t n) {
#if HILGATE_DSP
#define STRIP_COLUMN                                                                                                   \
    "ldr %[a], [%[r0]], #3\nldr %[b], [%[r1]], #3\nldr %[c], [%[r2]], #3\n"                                            \
    "sxtb16 %[d], %[a]\nstr %[d], [%[to]], #4\nsxtb16 %[d], %[b]\nstr %[d], [%[to]], #4\n"                             \
    "sxtb16 %[d], %[c]\nstr %[d], [%[to]], #4\nsxtb16 %[a], %[a], ror #8\nsxtb16 %[b], %[b], ror #8\n"                 \
    "pkhbt %[a], %[a], %[b], lsl #16\nstr %[a], [%[to]], #4\nsxtb16 %[c], %[c], ror #8\nstr %[c], [%[to]], #4\n"
    uint32_t a, b, c, d;
    __asm__ volatile("lsrs %[n], %[n], #1\nbcc 1f\n" STRIP_COLUMN "1:\ncmp %[n], #0\nbeq 3f\n"
                     "2:\n" STRIP_COLUMN STRIP_COLUMN "subs %[n], %[n], #1\nbne 2b\n3:\n"
                     : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [to] "+&r"(to), [r0] "+&r"(r0),
                       [r1] "+&r"(r1), [r2] "+&r"(r2), [n] "+&r"(n)
                     :
                     : "memory", "cc");
#undef STRIP_COLUMN
#else
    for (; n > 0u; n--, to += 10, r0 += 3, r1 += 3, r2 += 3) {
        to[0] = r0[0], to[1] = r0[2];
        to[2] = r1[0], to[3] = r1[2];
        to[4] = r2[0], to[5] = r2[2];
        to[6] = r0[1], to[7] = r1[1];
        to[8] = r2[1], to[9] = 0;
    }
#endif
    return to;
}

#endif
