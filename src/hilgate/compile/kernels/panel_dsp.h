/* One specialised panel kernel (see panel.h): assembly where the core has DSP instructions and an FPU, else C.
 *
 * An X-header: the includer defines the constants below, one instance results, the header undefines them again.
 *   PANEL_NAME            name of the function
 *   PANEL_PIXELS          1..4, outputs computed together
 *   PANEL_PIXEL_BYTES     distance of two outputs' receptive fields in the activation strip, multiple of 4,
 *                         (PANEL_PIXELS - 1) * PANEL_PIXEL_BYTES <= 4095
 *   PANEL_K_PAIRS         products per output / 2; 0: taken from the argument, so that layers can share the instance
 *   PANEL_UNROLL          pairs per loop pass; 18 (4 pixels) is the most that a 1 KB instruction cache holds
 *   PANEL_OUT_PIXEL       distance of two outputs in bytes; 0: taken from the argument
 *   PANEL_ODD             1: a pair whose multiplier B is 0 has no channel B
 *   PANEL_OUT_CHANNEL     distance of two channels in bytes
 *   PANEL_ROUNDING        PANEL_SINGLE, PANEL_DOUBLE or PANEL_POSITIVE; PANEL_SHIFT: N of PANEL_POSITIVE, else 0
 *   PANEL_SHARED          1: weights are halfwords 256 * wB + wA: SMLAD of a whole word sums A + 256 B, so only the A
 *                         pair needs an SXTB16; the sum of B is their difference
 *
 * Cycles (zero wait states) per pair of k: 16 for 4 pixels, 12 for 3, 9 for 2, 6 for 1; one more if not shared.
 * Registers: r0 weights, r1 activations, r2 word of w, r12 its A pair, r3 r4 activations, r5-r8 accumulators B, r9-r11
 * lr accumulators A; s0 activations, s1 out, s2 zero (DOUBLE: 2 * zero + 1), s3 end of this pair's words, s4 end of the
 * stream, s5 start in the unrolled loop, s6 bytes of one pair's words, s7 distance of two outputs, s8 start of the
 * stream, s9 groups to go, s10 out of this group.
 */
#include "panel.h"

/* Assembly keeps one step a line, which clang-format would not. */
/* clang-format off */
#if HILGATE_PANEL_DSP
#if PANEL_SHARED
#define HG_SPLIT "sxtb16 r12, r2\n"
#define HG_TAKE_B(b, a) "sub " b ", " b ", " a "\n"
#else
#define HG_SPLIT "sxtb16 r12, r2\nsxtb16 r2, r2, ror #8\n"
#define HG_TAKE_B(b, a) ""
#endif
#if PANEL_K_PAIRS /* steps may be short where nobody jumps into the loop */
#define HG_WIDE ""
#else
#define HG_WIDE ".w"
#endif
#define HG_MAC2(b, a, x, b0, a0) "smlad " a ", r12, " x ", " a0 "\nsmlad " b ", r2, " x ", " b0 "\n"
#define HG_MAC(b, a, x) HG_MAC2(b, a, x, b, a)

/* Loads of activations: where the whole of K is unrolled at places counted by hg_i, so that r1 stays; else r1 moves on.
 */
#if PANEL_K_PAIRS && PANEL_K_PAIRS <= PANEL_UNROLL
#define HG_FLAT 1
#define HG_X0(r) "ldr " r ", [r1, #4*hg_i]\n"
#define HG_BEFORE(r, pixel) "ldr " r ", [r1, #%c[p]*" pixel "+4*hg_i]\n"
#define HG_AFTER(r, pixel) HG_BEFORE(r, pixel)
#define HG_DONE ".set hg_i, hg_i+1\n"
#else
#define HG_FLAT 0
#define HG_X0(r) "ldr " r ", [r1], #4\n"
#define HG_BEFORE(r, pixel) "ldr" HG_WIDE " " r ", [r1, #%c[p]*" pixel "]\n"
#define HG_AFTER(r, pixel) "ldr" HG_WIDE " " r ", [r1, #%c[p]*" pixel "-4]\n"
#define HG_DONE ""
#endif
#if HG_FLAT && PANEL_ROUNDING != PANEL_DOUBLE
#define HG_OUT "r12"
#define HG_BACK ""
#else
#define HG_OUT "r1"
#define HG_BACK "vmov r1, s0\n"
#endif

/* One pair of k for all pixels: HG_STEP accumulates, HG_FIRST starts from the biases in the last pixel's accumulators.
 */
#define HG_W "ldr r2, [r0], #4\n"
#if PANEL_PIXELS == 4
#define HG_LAST_B "r8"
#define HG_LAST_A "lr"
#define HG_COPY "mov r5, r8\nmov r6, r8\nmov r7, r8\nmov r9, lr\nmov r10, lr\nmov r11, lr\n"
#define HG_LOAD0 HG_W HG_BEFORE("r4", "1") HG_X0("r3")
#define HG_LOAD1 HG_AFTER("r3", "2") HG_AFTER("r4", "3")
#define HG_STEP                                                                                                        \
    HG_LOAD0 HG_SPLIT HG_MAC("r5", "r9", "r3") HG_MAC("r6", "r10", "r4") HG_LOAD1 HG_MAC("r7", "r11", "r3")            \
        HG_MAC("r8", "lr", "r4") HG_DONE
#define HG_FIRST                                                                                                       \
    HG_LOAD0 HG_SPLIT HG_MAC2("r5", "r9", "r3", "r8", "lr") HG_MAC2("r6", "r10", "r4", "r8", "lr")                     \
        HG_LOAD1 HG_MAC2("r7", "r11", "r3", "r8", "lr") HG_MAC("r8", "lr", "r4") HG_DONE
#define HG_EACH(F) F("r5", "r9", "0") F("r6", "r10", "1") F("r7", "r11", "2") F("r8", "lr", "3")
#elif PANEL_PIXELS == 3
#define HG_LAST_B "r7"
#define HG_LAST_A "r11"
#define HG_COPY "mov r5, r7\nmov r6, r7\nmov r9, r11\nmov r10, r11\n"
#define HG_LOAD0 HG_W HG_BEFORE("r4", "1") HG_BEFORE("r8", "2") HG_X0("r3")
#define HG_STEP HG_LOAD0 HG_SPLIT HG_MAC("r5", "r9", "r3") HG_MAC("r6", "r10", "r4") HG_MAC("r7", "r11", "r8") HG_DONE
#define HG_FIRST                                                                                                       \
    HG_LOAD0 HG_SPLIT HG_MAC2("r5", "r9", "r3", "r7", "r11") HG_MAC2("r6", "r10", "r4", "r7", "r11")                   \
        HG_MAC("r7", "r11", "r8") HG_DONE
#define HG_EACH(F) F("r5", "r9", "0") F("r6", "r10", "1") F("r7", "r11", "2")
#elif PANEL_PIXELS == 2
#define HG_LAST_B "r6"
#define HG_LAST_A "r10"
#define HG_COPY "mov r5, r6\nmov r9, r10\n"
#define HG_LOAD0 HG_W HG_BEFORE("r4", "1") HG_X0("r3")
#define HG_STEP HG_LOAD0 HG_SPLIT HG_MAC("r5", "r9", "r3") HG_MAC("r6", "r10", "r4") HG_DONE
#define HG_FIRST HG_LOAD0 HG_SPLIT HG_MAC2("r5", "r9", "r3", "r6", "r10") HG_MAC("r6", "r10", "r4") HG_DONE
#define HG_EACH(F) F("r5", "r9", "0") F("r6", "r10", "1")
#else
#define HG_LAST_B "r5"
#define HG_LAST_A "r9"
#define HG_COPY ""
#define HG_LOAD0 HG_W HG_X0("r3")
#define HG_STEP HG_LOAD0 HG_SPLIT HG_MAC("r5", "r9", "r3") HG_DONE
#define HG_FIRST HG_STEP
#define HG_EACH(F) F("r5", "r9", "0")
#endif

/* Requantize and store; r2 multiplier, then distance of pixels; r3 shift, r4 rounding and zero point, r1 out. */
#if PANEL_ROUNDING == PANEL_DOUBLE
#define HG_LOAD_B "ldrb r3, [r0, #9]\nldr r2, [r0, #4]\nvmov r4, s2\nlsl r4, r4, r3\nasr r4, r4, #1\n"
#define HG_LOAD_A "ldrb r3, [r0, #8]\nldr r2, [r0], #12\nvmov r4, s2\nlsl r4, r4, r3\nasr r4, r4, #1\n"
#if PANEL_SHARED
#define HG_SCALE_B(b, a, pixel)                                                                                        \
    HG_TAKE_B(b, a) "add r12, r4, " b ", asr #31\nasr " b ", " b ", #7\nsmmlar " b ", " b ", r2, r12\n"
#else
#define HG_SCALE_B(b, a, pixel) HG_SCALE_A(a, b, pixel)
#endif
#define HG_SCALE_A(b, a, pixel) "add r12, r4, " a ", asr #31\nlsl " a ", " a ", #1\nsmmlar " a ", " a ", r2, r12\n"
#define HG_CLAMP(x) "asr " x ", " x ", r3\nssat " x ", #8, " x "\n"
#elif PANEL_ROUNDING == PANEL_POSITIVE
#define HG_LOAD_B "ldrb r3, [r0, #17]\nldr r4, [r0, #12]\nldr r2, [r0, #8]\n"
#define HG_LOAD_A "ldrb r3, [r0, #16]\nldr r4, [r0, #4]\nldr r2, [r0], #20\n"
#if PANEL_SHARED
#define HG_SCALE_B(b, a, pixel) HG_TAKE_B(b, a) "asr " b ", " b ", r3\nsmmla " b ", " b ", r2, r4\n"
#else
#define HG_SCALE_B(b, a, pixel) HG_SCALE_A(a, b, pixel)
#endif
#define HG_SCALE_A(b, a, pixel) "lsl " a ", " a ", r3\nsmmla " a ", " a ", r2, r4\n"
#define HG_CLAMP(x) "ssat " x ", #8, " x ", asr #%c[shift]\n"
#else
#define HG_LOAD_B "ldr r2, [r0, #4]\nvmov r4, s2\n"
#define HG_LOAD_A "ldr r2, [r0], #8\n"
#if PANEL_SHARED
#define HG_SCALE_B(b, a, pixel) HG_TAKE_B(b, a) "asr " b ", " b ", #8\nsmmlar " b ", " b ", r2, r4\n"
#else
#define HG_SCALE_B(b, a, pixel) HG_SCALE_A(a, b, pixel)
#endif
#define HG_SCALE_A(b, a, pixel) "smmlar " a ", " a ", r2, r4\n"
#define HG_CLAMP(x) "ssat " x ", #8, " x "\n"
#endif
#if PANEL_OUT_PIXEL
#define HG_PITCH ""
#define HG_NEXT ""
#define HG_REWIND ""
#define HG_AT(pixel, channel) "[" HG_OUT ", #" pixel "*%c[op]+" channel "]\n"
#else
#define HG_PITCH "vmov r2, s7\n"
#define HG_NEXT "add " HG_OUT ", " HG_OUT ", r2\n"
#define HG_REWIND "vmov " HG_OUT ", s1\n"
#define HG_AT(pixel, channel) "[" HG_OUT ", #" channel "]\n"
#endif
#define HG_STORE(x, pixel, channel) HG_CLAMP(x) "strb " x ", " HG_AT(pixel, channel) HG_NEXT
#define HG_STORE_B(b, a, pixel) HG_STORE(b, pixel, "%c[oc]")
#define HG_STORE_A(b, a, pixel) HG_STORE(a, pixel, "0")

HILGATE_NAKED void PANEL_NAME(const uint8_t *w HILGATE_UNUSED, const int16_t *a HILGATE_UNUSED,
                              int8_t *out HILGATE_UNUSED, const panel_shape *shape HILGATE_UNUSED) {
    __asm__ volatile(
        ".syntax unified\n"
        "push {r4-r11, lr}\nldr r4, [r3]\nldr r5, [r3, #4]\nldr r6, [r3, #8]\nldr r7, [r3, #12]\n"
        "ldr r8, [r3, #16]\nldr r9, [r3, #20]\nadd r5, r5, r0\nvmov s0, r1\nvmov s1, r2\n"
        ".if %c[rounding] == 1\n"
        "add r4, r4, r4\nadd r4, r4, #1\n"
        ".endif\n"
        "vmov s2, r4\nvmov s4, r5\nvmov s6, r6\nvmov s7, r7\nadr r4, 2f\nadd r4, r4, r8\nadd r4, r4, #1\n"
        "vmov s5, r4\nvmov s8, r0\nvmov s9, r9\n"
        "0:\n"
        "vmov s10, r2\n"
        "1:\n"
        "ldr " HG_LAST_A ", [r0], #4\n"
        "ldr " HG_LAST_B ", [r0], #4\n"
        ".if %c[k] == 0\n"
        HG_COPY
        "vmov r4, s6\n"
        "vmov r12, s5\n"
        "add r4, r4, r0\n"
        "vmov s3, r4\n"
        "bx r12\n"
        ".p2align 2\n"
        "2:\n"
        ".rept %c[unroll]\n"
        HG_STEP
        ".endr\n"
        "vmov r3, s3\n"
        "cmp r0, r3\n"
        "bne 2b\n"
        ".elseif %c[k] > %c[unroll]\n"
        HG_COPY
        "movw r4, #(%c[k]/%c[unroll])*%c[unroll]*4\n"
        "add r4, r4, r0\n"
        "vmov s3, r4\n"
        ".p2align 2\n"
        "2:\n"
        ".rept %c[unroll]\n"
        HG_STEP
        ".endr\n"
        "vmov r3, s3\n"
        "cmp r0, r3\n"
        "bne 2b\n"
        ".rept %c[k] %% %c[unroll]\n"
        HG_STEP
        ".endr\n"
        ".else\n"
        ".p2align 2\n"
        "2:\n"
        ".set hg_i, 0\n"
        HG_FIRST
        ".rept %c[k]-1\n"
        HG_STEP
        ".endr\n"
        ".endif\n"
        "vmov " HG_OUT ", s1\n"
        HG_LOAD_B
        ".if %c[odd]\n"
        "cmp r2, #0\n"
        "beq 3f\n"
        ".endif\n"
        HG_EACH(HG_SCALE_B)
        HG_PITCH
        HG_EACH(HG_STORE_B)
        HG_REWIND
        "3:\n"
        HG_LOAD_A
        HG_EACH(HG_SCALE_A)
        HG_PITCH
        HG_EACH(HG_STORE_A)
        HG_REWIND
        "add " HG_OUT ", " HG_OUT
        ", #%c[oc]*2\n"
        "vmov s1, " HG_OUT "\n"
        HG_BACK
        "vmov r3, s4\n"
        "cmp r0, r3\n"
        "bne 1b\n"
        "vmov r3, s9\nvmov r2, s10\nvmov r4, s7\nvmov r0, s8\nmovw r5, #%c[p]*%c[np]\nadd r1, r1, r5\n"
        "vmov s0, r1\n"
        ".rept %c[np]\n"
        "add r2, r2, r4\n"
        ".endr\n"
        "vmov s1, r2\nsubs r3, r3, #1\nvmov s9, r3\nbne 0b\n"
        "pop {r4-r11, pc}\n"
        : : [p] "i"(PANEL_PIXEL_BYTES), [np] "i"(PANEL_PIXELS), [k] "i"(PANEL_K_PAIRS), [unroll] "i"(PANEL_UNROLL),
            [op] "i"(PANEL_OUT_PIXEL), [oc] "i"(PANEL_OUT_CHANNEL), [odd] "i"(PANEL_ODD), [shift] "i"(PANEL_SHIFT),
            [rounding] "i"(PANEL_ROUNDING));
}
#undef HG_AFTER
#undef HG_AT
#undef HG_BACK
#undef HG_BEFORE
#undef HG_CLAMP
#undef HG_COPY
#undef HG_DONE
#undef HG_EACH
#undef HG_FIRST
#undef HG_FLAT
#undef HG_LAST_A
#undef HG_LAST_B
#undef HG_LOAD0
#undef HG_LOAD1
#undef HG_LOAD_A
#undef HG_LOAD_B
#undef HG_MAC
#undef HG_MAC2
#undef HG_NEXT
#undef HG_OUT
#undef HG_PITCH
#undef HG_REWIND
#undef HG_SCALE_A
#undef HG_SCALE_B
#undef HG_SPLIT
#undef HG_STEP
#undef HG_STORE
#undef HG_STORE_A
#undef HG_STORE_B
#undef HG_TAKE_B
#undef HG_W
#undef HG_WIDE
#undef HG_X0
/* clang-format on */
#else
HILGATE_SHARED void PANEL_NAME(const uint8_t *w, const int16_t *a, int8_t *out, const panel_shape *shape) {
    panel_portable(w, a, out, shape, PANEL_PIXELS, PANEL_PIXEL_BYTES, PANEL_OUT_CHANNEL, PANEL_ROUNDING, PANEL_SHIFT,
                   PANEL_SHARED);
}
#endif

#undef PANEL_NAME
#undef PANEL_PIXELS
#undef PANEL_PIXEL_BYTES
#undef PANEL_K_PAIRS
#undef PANEL_UNROLL
#undef PANEL_OUT_PIXEL
#undef PANEL_OUT_CHANNEL
#undef PANEL_ODD
#undef PANEL_ROUNDING
#undef PANEL_SHIFT
#undef PANEL_SHARED
