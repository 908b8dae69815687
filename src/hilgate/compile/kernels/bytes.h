/* bytes: int8 values four at a time, for operators that move, compare, sum or scale them one by one.
 *
 * Addresses need no alignment: LDR and STR take any. Without DSP instructions everything goes byte by byte. */
#ifndef HILGATE_BYTES_H
#define HILGATE_BYTES_H

#include "arithmetic.h"
#include "dsp.h"

#if HILGATE_DSP
HILGATE_INLINE void bytes_store4(int8_t *to, uint32_t word) {
    __builtin_memcpy(to, &word, sizeof word);
}

/* The larger of each pair of bytes: SSUB8 leaves in GE where a >= b. */
HILGATE_INLINE uint32_t bytes_max(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\nsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b));
    return result;
}

HILGATE_INLINE uint32_t bytes_min(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\nsel %0, %2, %1" : "=&r"(result) : "r"(a), "r"(b));
    return result;
}

/* Adds bytes 0 and 2 to the halfwords of even, 1 and 3 to those of odd. */
HILGATE_INLINE void bytes_sum(uint32_t *even, uint32_t *odd, uint32_t word) {
    __asm__("sxtab16 %0, %0, %1" : "+r"(*even) : "r"(word));
    __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(*odd) : "r"(word));
}

/* hilgate_requantize_double where |value| < 2^30 and shift < 0 (panel.h has the proof); half is
 * (2 * zero_point + 1) * 2^(-shift) / 2. */
HILGATE_INLINE int32_t bytes_requantize_double(int32_t value, int32_t multiplier, int32_t shift, int32_t half) {
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(value * 2), "r"(multiplier), "r"(half + (value >> 31)));
    return result >> -shift;
}
#endif

HILGATE_SHARED void bytes_copy(int8_t *to, const int8_t *from, uint32_t n) {
    HILGATE_WRITES;
#if HILGATE_DSP
    for (; n >= 16u; n -= 16u, to += 16, from += 16) { /* four loads side by side cost one cycle each */
        const uint32_t a = dsp_load4(from), b = dsp_load4(from + 4), c = dsp_load4(from + 8), d = dsp_load4(from + 12);
        bytes_store4(to, a), bytes_store4(to + 4, b), bytes_store4(to + 8, c), bytes_store4(to + 12, d);
    }
    for (; n >= 4u; n -= 4u, to += 4, from += 4) bytes_store4(to, dsp_load4(from));
#endif
    for (; n > 0u; n--) *to++ = *from++;
}

/* Clamps that are narrower than int8, in place. */
HILGATE_SHARED void bytes_clamp(int8_t *y, uint32_t n, const hilgate_output *output) {
    HILGATE_WRITES;
    const int32_t lowest = output->lowest, highest = output->highest;
    if (lowest == -128 && highest == 127) return;
#if HILGATE_DSP
    const uint32_t low = ((uint32_t)lowest & 0xffu) * 0x01010101u, high = ((uint32_t)highest & 0xffu) * 0x01010101u;
    for (; n >= 8u; n -= 8u, y += 8) {
        const uint32_t a = dsp_load4(y), b = dsp_load4(y + 4);
        bytes_store4(y, bytes_min(bytes_max(a, low), high));
        bytes_store4(y + 4, bytes_min(bytes_max(b, low), high));
    }
#endif
    for (; n > 0u; n--, y++) *y = (int8_t)hilgate_clamp(*y, lowest, highest);
}

#endif
