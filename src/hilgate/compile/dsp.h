/* The Armv7E-M DSP instructions that kernels use, as functions. HILGATE_DSP says whether this core has them. */
#ifndef HILGATE_DSP_H
#define HILGATE_DSP_H

#include "arithmetic.h"

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SIMD32) && defined(__ARM_FEATURE_UNALIGNED)
#define HILGATE_DSP 1

/* Four int8 as a word from any address: LDR allows it, LDRD and LDM do not, and memcpy keeps GCC from joining loads. */
HILGATE_INLINE uint32_t dsp_load4(const int8_t *from) {
    uint32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
}

/* Bytes 0 and 2 as two int16. */
HILGATE_INLINE uint32_t dsp_even(uint32_t word) {
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
}

/* Bytes 1 and 3 as two int16; the rotation is free inside SXTB16, which GCC 12 does not know. */
HILGATE_INLINE uint32_t dsp_odd(uint32_t word) {
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}

/* sum + a.low * b.low + a.high * b.high */
HILGATE_INLINE int32_t dsp_mac2(uint32_t a, uint32_t b, int32_t sum) {
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}
#else
#define HILGATE_DSP 0
#endif

#endif
