/* What inference does: dot products of int8 weights in flash with activations in RAM, four outputs at a time. */
#include "harness.h"

#define INPUTS 256u
#define OUTPUTS 64u
const int8_t weights[OUTPUTS * INPUTS] __attribute__((aligned(16))) = {1, -2, 3, -4, 5, -6, 7, -8};
volatile int32_t seen;
static int16_t activations[INPUTS];
static int32_t sums[OUTPUTS];

static inline int32_t dual(int32_t a, int32_t b, int32_t c) {
    __asm volatile("smlad %0, %1, %2, %0" : "+r"(c) : "r"(a), "r"(b));
    return c;
}

static inline uint32_t widen(uint32_t packed) {
    uint32_t wide;
    __asm("sxtb16 %0, %1" : "=r"(wide) : "r"(packed));
    return wide;
}

static void layer(void) {
    for (uint32_t output = 0; output < OUTPUTS; output++) {
        const uint32_t *row = (const uint32_t *)(weights + output * INPUTS);
        const uint32_t *input = (const uint32_t *)activations;
        int32_t sum = 0;
        for (uint32_t i = 0; i < INPUTS / 4u; i++) {
            const uint32_t packed = row[i];
            sum = dual((int32_t)widen(packed), (int32_t)input[2u * i], sum);
            sum = dual((int32_t)widen(packed >> 8), (int32_t)input[2u * i + 1u], sum);
        }
        sums[output] = sum;
        seen = sum;
    }
}

void provoke(void) {
    WORD(0x40023C00u) = 5u | 7u << 8; /* five wait states, prefetch, both caches: what 180 MHz needs */
    for (uint32_t i = 0; i < INPUTS; i++) {
        activations[i] = (int16_t)i;
    }
    for (;;) {
        layer();
    }
}
