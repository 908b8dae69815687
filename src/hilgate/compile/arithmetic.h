/* Requantization of int32 accumulators to int8; src/hilgate/compile/arithmetic.py defines the same in NumPy.
 * Generated folders carry this file unchanged. C11, no library, no allocation. */
#ifndef HILGATE_ARITHMETIC_H
#define HILGATE_ARITHMETIC_H

#include <stdint.h>

/* GCC 12 lets loops write through a difference of pointers, takes such a write for one that nobody can see, and then
 * drops the call of a function that writes nothing else. What it is told not to know of a function it cannot use. */
#if defined(__has_attribute)
#if __has_attribute(noipa)
#define HILGATE_CALLED __attribute__((noipa))
#endif
#endif

#if defined(__GNUC__)
#if !defined(HILGATE_CALLED)
#define HILGATE_CALLED __attribute__((noinline))
#endif
#define HILGATE_INLINE static inline __attribute__((always_inline))
#define HILGATE_NOINLINE static HILGATE_CALLED
/* A kernel that several layers share stays one function. Where DSP instructions are, all but HILGATE_WRITES hold
 * assembly, and calls are cheaper when GCC knows their registers. */
#if defined(__ARM_FEATURE_DSP)
#define HILGATE_SHARED static __attribute__((noinline, unused))
#else
#define HILGATE_SHARED static HILGATE_CALLED __attribute__((unused))
#endif
/* In a shared function that is plain C on every core: it writes memory. */
#define HILGATE_WRITES __asm__ volatile("" ::: "memory")
/* The weights blob is an array of bytes that kernels read as words: tell the compiler that these may alias. */
typedef int32_t __attribute__((may_alias)) hilgate_i32;
typedef uint32_t __attribute__((may_alias)) hilgate_u32;
typedef int16_t __attribute__((may_alias)) hilgate_i16;
typedef float __attribute__((may_alias)) hilgate_f32;
#else
#define HILGATE_INLINE static inline
#define HILGATE_NOINLINE static
#define HILGATE_SHARED static
#define HILGATE_WRITES ((void)0)
typedef int32_t hilgate_i32;
typedef uint32_t hilgate_u32;
typedef int16_t hilgate_i16;
typedef float hilgate_f32;
#endif

/* How a layer's results become int8; a 16-byte record in the weights blob. lowest and highest lie within int8. */
typedef struct {
    hilgate_i32 zero_point;
    hilgate_i32 shift; /* of rounding `single`: accumulators are multiplied by 2^shift first, 0..15 */
    hilgate_i32 lowest;
    hilgate_i32 highest;
} hilgate_output;

/* Scale and zero point where float32 meets int8; a 16-byte record in the weights blob. */
typedef struct {
    hilgate_f32 scale;
    hilgate_i32 zero_point;
    hilgate_i32 reserved[2];
} hilgate_edge;

HILGATE_INLINE int32_t hilgate_clamp(int32_t value, int32_t lowest, int32_t highest) {
    return value < lowest ? lowest : value > highest ? highest : value;
}

/* The clamp to int8 itself: one SSAT. */
HILGATE_INLINE int32_t hilgate_saturate(int32_t value) {
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
#else
    return hilgate_clamp(value, -128, 127);
#endif
}

/* zero_point + floor(value * 2^shift * multiplier / 2^32 + 1/2); |value * 2^shift| < 2^31 */
HILGATE_INLINE int32_t hilgate_requantize_single(int32_t value, int32_t multiplier, int32_t shift, int32_t zero_point) {
    int32_t shifted = value * ((int32_t)1 << shift);
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(shifted), "r"(multiplier), "r"(zero_point));
    return result;
#else
    return zero_point + (int32_t)(((int64_t)shifted * multiplier + INT64_C(0x80000000)) >> 32);
#endif
}

/* gemmlowp: value * multiplier / 2^31, rounded half up, then / 2^-shift, rounded half away from zero; shift > 0 shifts
 * left first.
 * multiplier is in [2^30, 2^31), so the saturating case of -2^31 * -2^31 cannot happen. */
HILGATE_INLINE int32_t hilgate_requantize_double(int32_t value, int32_t multiplier, int32_t shift, int32_t zero_point) {
    int32_t left = shift > 0 ? shift : 0;
    int32_t right = shift > 0 ? 0 : -shift;
    /* SaturatingRoundingDoublingHighMul's truncated division of a nudged product is floor(product / 2^31 + 1/2) */
    int32_t high = (int32_t)(((int64_t)(value * ((int32_t)1 << left)) * multiplier + INT64_C(0x40000000)) >> 31);
    int32_t mask = (int32_t)(((uint32_t)1 << right) - 1u);
    int32_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);
    return zero_point + (high >> right) + ((high & mask) > threshold ? 1 : 0);
}

/* value * multiplier / 2^(31 - shift), rounded once, half away from zero. */
HILGATE_INLINE int32_t hilgate_requantize_away(int32_t value, int32_t multiplier, int32_t shift, int32_t zero_point) {
    const int64_t product = (int64_t)value * multiplier;
    const int32_t total = 31 - shift;
    const int64_t half = (int64_t)1 << (total - 1);
    return zero_point + (int32_t)((product + half - (value < 0 ? 1 : 0)) >> total);
}

#define HILGATE_SINGLE 0
#define HILGATE_DOUBLE 1
#define HILGATE_AWAY 2

/* `rounding` is a constant at every call, so one branch remains. */
HILGATE_INLINE int32_t hilgate_requantize(int32_t value, int32_t multiplier, int32_t shift, int32_t zero_point,
                                          const int rounding) {
    if (rounding == HILGATE_DOUBLE) return hilgate_requantize_double(value, multiplier, shift, zero_point);
    if (rounding == HILGATE_AWAY) return hilgate_requantize_away(value, multiplier, shift, zero_point);
    return hilgate_requantize_single(value, multiplier, shift, zero_point);
}

#endif
