/* One specialised core of fully_connected_wide.h: assembly where the core has DSP instructions and an FPU, else C.
 *
 * An X-header: the includer defines the constants below, one instance results, the header undefines them again.
 *   WIDE_NAME        name of the function
 *   WIDE_UNROLL      pairs of k per loop pass; 15 is the most that a 1 KB instruction cache holds
 *   WIDE_ROUNDING    HILGATE_SINGLE or HILGATE_AWAY
 *   WIDE_PER_TENSOR  1: one multiplier and n, from the argument; 0: one each per output, after each group's words
 *
 * Per k pair 5 loads, 4 SXTB16, 8 SMLAD for 16 MACs: 19 cycles.
 * Registers: r0 stream, r1 activations, r2 activation pair, r3-r5 words; sums of A r6 r8 r10 r12, of A + 256 B r7 r9
 * r11 lr. s0 activations, s1 out, s3 end of words, s4 end of stream, s5 entry, s6 bytes of a group's words, s7
 * rounding, s8 the shape, s9 stream while r0 is taken.
 */
#include "fully_connected_wide.h"

/* Assembly keeps one step a line, which clang-format would not. */
/* clang-format off */
#if HILGATE_PANEL_DSP

/* Two int24: the sums of A and of A + 256 B start from them. */
#define HG_BIAS(a, b, i)                                                                                               \
    "ldr " a ", [r0, #" i "]\nldr " b ", [r0, #" i "+2]\nsbfx " a ", " a ", #0, #24\nasr " b ", " b ", #8\nadd " b     \
    ", " a ", " b ", lsl #8\n"
#define HG_USE(w, a, b) "smlad " b ", " w ", r2, " b "\nsxtb16 " w ", " w "\nsmlad " a ", " w ", r2, " a "\n"
#define HG_STEP                                                                                                        \
    "ldr r2, [r1], #4\nldr r3, [r0], #4\nldr r4, [r0], #4\nldr r5, [r0], #4\n" HG_USE("r3", "r6", "r7")                \
        HG_USE("r4", "r8", "r9") HG_USE("r5", "r10", "r11") "ldr r3, [r0], #4\n" HG_USE("r3", "r12", "lr")
/* r2 multiplier, r3 shift s, r5 zero point and half of 2^s; AWAY: 64 bits r4 (low), HG_HIGH. */
#if WIDE_PER_TENSOR
#define HG_LOAD ""
#define HG_HIGH "r0"
#elif WIDE_ROUNDING == HILGATE_AWAY
#define HG_LOAD "ldr r2, [r0], #4\nldr r3, [r0], #4\nvmov r5, s7\nlsl r5, r5, r3\nasr r5, r5, #1\n"
#define HG_HIGH "r5"
#else
#define HG_LOAD "ldr r2, [r0], #8\n"
#endif
#if WIDE_ROUNDING == HILGATE_AWAY
#define HG_FINISH(x)                                                                                                   \
    "asr r4, " x ", #31\nadd " HG_HIGH ", r5, " x ", asr #31\nsmlal r4, " HG_HIGH ", " x ", r2\nasr " x ", " HG_HIGH   \
    ", r3\nssat " x ", #8, " x "\n"
#else
#define HG_FINISH(x) "smmlar " x ", " x ", r2, r5\nssat " x ", #8, " x "\n"
#endif
#define HG_A(x) HG_LOAD HG_FINISH(x)
#define HG_B(x) HG_LOAD "asr " x ", " x ", #8\n" HG_FINISH(x)
#define HG_PAIR(a, b, i)                                                                                               \
    "sub " b ", " b ", " a "\n" HG_A(a) "strb " a ", [r1, #" i "]\n" HG_B(b) "strb " b ", [r1, #" i "+1]\n"

HILGATE_NAKED void WIDE_NAME(const uint8_t *w HILGATE_UNUSED, const int16_t *a HILGATE_UNUSED,
                             int8_t *out HILGATE_UNUSED, const wide_shape *shape HILGATE_UNUSED) {
    __asm__ volatile(
        ".syntax unified\n"
        "push {r4-r11, lr}\n"
        "vmov s0, r1\n"
        "vmov s1, r2\n"
        "vmov s8, r3\n"
        "ldr r4, [r3]\n"
        "ldr r5, [r3, #4]\n"
        "ldr r6, [r3, #8]\n"
        "add r4, r4, r0\n"
        "vmov s4, r4\n"
        "vmov s6, r5\n"
        "adr r4, 2f\n"
        "add r4, r4, r6\n"
        "add r4, r4, #1\n"
        "vmov s5, r4\n"
        "1:\n"
        HG_BIAS("r6", "r7", "0")
        HG_BIAS("r8", "r9", "6")
        HG_BIAS("r10", "r11", "12")
        HG_BIAS("r12", "lr", "18")
        "add r0, r0, #24\n"
        "vmov r2, s6\n"
        "vmov r3, s5\n"
        "add r2, r2, r0\n"
        "vmov s3, r2\n"
        "bx r3\n"
        ".p2align 2\n"
        "2:\n"
        ".rept %c[unroll]\n"
        HG_STEP
        ".endr\n"
        "vmov r3, s3\n"
        "cmp r0, r3\n"
        "bne 2b\n"
        "vmov r4, s8\n"
        "ldr r2, [r4, #12]\nldr r3, [r4, #16]\nldr r5, [r4, #20]\n"
        "vmov s7, r5\n"
        "vmov r1, s1\n"
        "vmov s9, r0\n"
        HG_PAIR("r6", "r7", "0")
        HG_PAIR("r8", "r9", "2")
        HG_PAIR("r10", "r11", "4")
        HG_PAIR("r12", "lr", "6")
        ".if %c[per_tensor]\n"
        "vmov r0, s9\n"
        ".endif\n"
        "add r1, r1, #8\n"
        "vmov s1, r1\n"
        "vmov r1, s0\n"
        "vmov r3, s4\n"
        "cmp r0, r3\n"
        "bne 1b\n"
        "pop {r4-r11, pc}\n"
        : : [unroll] "i"(WIDE_UNROLL), [per_tensor] "i"(WIDE_PER_TENSOR));
}
#undef HG_BIAS
#undef HG_USE
#undef HG_STEP
#undef HG_LOAD
#undef HG_HIGH
#undef HG_FINISH
#undef HG_A
#undef HG_B
#undef HG_PAIR
/* clang-format on */
#else
HILGATE_SHARED void WIDE_NAME(const uint8_t *w, const int16_t *a, int8_t *out, const wide_shape *shape) {
    wide_portable(w, a, out, shape, WIDE_ROUNDING, WIDE_PER_TENSOR);
}
#endif

#undef WIDE_NAME
#undef WIDE_UNROLL
#undef WIDE_ROUNDING
#undef WIDE_PER_TENSOR
