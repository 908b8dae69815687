/* One specialised core of depthwise_plane.h: assembly where the core has DSP instructions and an FPU, else C.
 *
 * An X-header: the includer defines the constants below, one instance results, the header undefines them again.
 *   DEPTHWISE_NAME      name of the function
 *   DEPTHWISE_OUTPUTS   2, 4 or 6 neighbouring outputs at a time
 *   DEPTHWISE_STRIDE    1 or 2, horizontally
 *   DEPTHWISE_ROWS      kernel height
 *   DEPTHWISE_TAPS      kernel width, odd, 3..DEPTHWISE_TAPS_MAX; 6 outputs of stride 2 only where it is 3
 *   DEPTHWISE_PITCH     bytes from one row of the plane to the next, multiple of 4; the last word read of the last row
 *                       lies within 4095
 *   DEPTHWISE_OUT_PIXEL bytes from one output to the next, OUTPUTS of them <= 4095; 0: taken from the argument
 *   DEPTHWISE_ROUNDING  PANEL_SINGLE, PANEL_DOUBLE or PANEL_POSITIVE; DEPTHWISE_SHIFT: N of PANEL_POSITIVE, else 0
 *
 * Two outputs take two multiplications of each row each: SMLAD by (w0 w1) and SMLABT by w2, or SMLATB by w0 and SMLAD
 * by (w1 w2), as the word boundary falls. Six outputs of a 3x3 kernel: 21 loads in 3 groups, 36 multiplications.
 * Wider kernels go word by word: at word k an even output takes (w2k w2k+1), an odd one (w2k-1 w2k), so one more word
 * of the plane and two of weights serve all outputs. Six outputs of a 5x5 kernel: 30 cycles for the 30 MACs of a row.
 * Registers: r0 plane, r1 channel, r2 r3 weights, r4-r9 accumulators, r10 r11 r12 lr plane words; then r2 multiplier,
 * r3 rounding, r10 shift, r12 out, lr distance of two outputs. s0 out, s1 end of row, s2 rows, s3-s7 the block's
 * numbers.
 */
#include "depthwise_plane.h"

/* Assembly keeps one step a line, which clang-format would not. */
/* clang-format off */
#if HILGATE_PANEL_DSP

#define HG_WORD(r, y, j) "ldr " r ", [r1, #4+4*(%c[taps]-1)*(" y ")+4*(" j ")]\n"
#define HG_W(y) HG_WORD("r2", y, "0") HG_WORD("r3", y, "1")
#define HG_P(r, i, y) "ldr " r ", [r0, #4*(" i ")+%c[pitch]*(" y ")]\n"
/* Output o from words p (its first two taps, or only the upper half of p) and q; b: what it adds to. */
#define HG_EVEN(o, p, q, b) "smlad " o ", " p ", r2, " b "\nsmlabt " o ", " q ", r3, " o "\n"
#define HG_ODD(o, p, q, b) "smlatb " o ", " p ", r2, " b "\nsmlad " o ", " q ", r3, " o "\n"

#if DEPTHWISE_OUTPUTS == 6
#define HG_LAST "r9"
#define HG_EACH(F) F("r4", "0") F("r5", "1") F("r6", "2") F("r7", "3") F("r8", "4") F("r9", "5")
#elif DEPTHWISE_OUTPUTS == 4
#define HG_LAST "r7"
#define HG_EACH(F) F("r4", "0") F("r5", "1") F("r6", "2") F("r7", "3")
#else
#define HG_LAST "r5"
#define HG_EACH(F) F("r4", "0") F("r5", "1")
#endif
#if DEPTHWISE_TAPS > 3
/* Word k: HG_BOTH even and odd outputs (or HG_PAIR, even ones only) from the words in registers; r2 (w2k w2k+1), r3
 * (w2k-1 w2k). The last word has no (w2k w2k+1): its w2k is the upper half of r3. */
#define HG_MID(x, p) "smlad " x ", " p ", r2, " x "\n"
#define HG_END(x, p) "smlabt " x ", " p ", r3, " x "\n"
#define HG_PAST(x, p) "smlad " x ", " p ", r3, " x "\n"
#define HG_START(x, p, B) "smlad " x ", " p ", r2, " B(x) "\n"
#define HG_START_ODD(x, p, B) "smlatb " x ", " p ", r2, " B(x) "\n"
#if DEPTHWISE_STRIDE == 1 && DEPTHWISE_OUTPUTS == 6
#define HG_AHEAD "2" /* words that the step before has read already */
#define HG_OPEN(y, B)                                                                                                  \
    HG_WORD("r2", y, "0") HG_P("r10", "0", y) HG_P("r11", "1", y) HG_P("r12", "2", y)                                  \
    HG_START("r4", "r10", B) HG_START_ODD("r5", "r10", B) HG_START("r6", "r11", B) HG_START_ODD("r7", "r11", B)        \
    HG_START("r8", "r12", B) HG_START_ODD("r9", "r12", B)
#define HG_TAKE(EVEN, a, b, c, d)                                                                                      \
    EVEN("r4", a) HG_PAST("r5", a) EVEN("r6", b) HG_PAST("r7", b) EVEN("r8", c) HG_PAST("r9", c)
#define HG_NEW(a, b, c, d) c
#define HG_RING(F, y)                                                                                                  \
    F("1", y, "r11", "r12", "r10", "") F("2", y, "r12", "r10", "r11", "") F("3", y, "r10", "r11", "r12", "")           \
    F("4", y, "r11", "r12", "r10", "") F("5", y, "r12", "r10", "r11", "") F("6", y, "r10", "r11", "r12", "")           \
    F("7", y, "r11", "r12", "r10", "")
#elif DEPTHWISE_STRIDE == 1 && DEPTHWISE_OUTPUTS == 4
#define HG_AHEAD "1"
#define HG_OPEN(y, B)                                                                                                  \
    HG_WORD("r2", y, "0") HG_P("r10", "0", y) HG_P("r11", "1", y)                                                      \
    HG_START("r4", "r10", B) HG_START_ODD("r5", "r10", B) HG_START("r6", "r11", B) HG_START_ODD("r7", "r11", B)
#define HG_TAKE(EVEN, a, b, c, d) EVEN("r4", a) HG_PAST("r5", a) EVEN("r6", b) HG_PAST("r7", b)
#define HG_NEW(a, b, c, d) b
#define HG_RING(F, y)                                                                                                  \
    F("1", y, "r11", "r10", "", "") F("2", y, "r10", "r11", "", "") F("3", y, "r11", "r10", "", "")                    \
    F("4", y, "r10", "r11", "", "") F("5", y, "r11", "r10", "", "") F("6", y, "r10", "r11", "", "")                    \
    F("7", y, "r11", "r10", "", "")
#elif DEPTHWISE_STRIDE == 1
#define HG_AHEAD "0"
#define HG_OPEN(y, B)                                                                                                  \
    HG_WORD("r2", y, "0") HG_P("r10", "0", y) HG_START("r4", "r10", B) HG_START_ODD("r5", "r10", B)
#define HG_TAKE(EVEN, a, b, c, d) EVEN("r4", a) HG_PAST("r5", a)
#define HG_NEW(a, b, c, d) a
#define HG_RING(F, y)                                                                                                  \
    F("1", y, "r10", "", "", "") F("2", y, "r10", "", "", "") F("3", y, "r10", "", "", "")                             \
    F("4", y, "r10", "", "", "") F("5", y, "r10", "", "", "") F("6", y, "r10", "", "", "")                             \
    F("7", y, "r10", "", "", "")
#elif DEPTHWISE_OUTPUTS == 4
#define HG_AHEAD "3"
#define HG_OPEN(y, B)                                                                                                  \
    HG_WORD("r2", y, "0") HG_P("r8", "0", y) HG_P("r9", "1", y) HG_P("r10", "2", y) HG_P("r11", "3", y)                \
    HG_START("r4", "r8", B) HG_START("r5", "r9", B) HG_START("r6", "r10", B) HG_START("r7", "r11", B)
#define HG_TAKE(EVEN, a, b, c, d) EVEN("r4", a) EVEN("r5", b) EVEN("r6", c) EVEN("r7", d)
#define HG_NEW(a, b, c, d) d
#define HG_RING(F, y)                                                                                                  \
    F("1", y, "r9", "r10", "r11", "r8") F("2", y, "r10", "r11", "r8", "r9") F("3", y, "r11", "r8", "r9", "r10")        \
    F("4", y, "r8", "r9", "r10", "r11") F("5", y, "r9", "r10", "r11", "r8") F("6", y, "r10", "r11", "r8", "r9")        \
    F("7", y, "r11", "r8", "r9", "r10")
#else
#define HG_AHEAD "1"
#define HG_OPEN(y, B)                                                                                                  \
    HG_WORD("r2", y, "0") HG_P("r10", "0", y) HG_P("r11", "1", y) HG_START("r4", "r10", B) HG_START("r5", "r11", B)
#define HG_TAKE(EVEN, a, b, c, d) EVEN("r4", a) EVEN("r5", b)
#define HG_NEW(a, b, c, d) b
#define HG_RING(F, y)                                                                                                  \
    F("1", y, "r11", "r10", "", "") F("2", y, "r10", "r11", "", "") F("3", y, "r11", "r10", "", "")                    \
    F("4", y, "r10", "r11", "", "") F("5", y, "r11", "r10", "", "") F("6", y, "r10", "r11", "", "")                    \
    F("7", y, "r11", "r10", "", "")
#endif
#if DEPTHWISE_STRIDE == 1
#define HG_ODD_WEIGHTS(y, k) HG_WORD("r3", y, "2*" k "-1")
#else
#define HG_ODD_WEIGHTS(y, k) ""
#endif
#define HG_WORD_K(k, y, a, b, c, d)                                                                                    \
    ".if 2*" k "+1 < %c[taps]\n" HG_ODD_WEIGHTS(y, k) HG_WORD("r2", y, "2*" k)                                         \
    HG_P(HG_NEW(a, b, c, d), k "+" HG_AHEAD, y) HG_TAKE(HG_MID, a, b, c, d)                                            \
    ".elseif 2*" k "+1 == %c[taps]\n" HG_WORD("r3", y, "2*" k "-1")                                                    \
    HG_P(HG_NEW(a, b, c, d), k "+" HG_AHEAD, y) HG_TAKE(HG_END, a, b, c, d) ".endif\n"
#define HG_ROW(y, B) HG_OPEN(y, B) HG_RING(HG_WORD_K, y)
#elif DEPTHWISE_OUTPUTS == 6
#if DEPTHWISE_STRIDE == 1
#define HG_ROW(y, B)                                                                                                   \
    HG_W(y)                                                                                                            \
    HG_P("r10", "0", y)                                                                                                \
    HG_P("r11", "1", y)                                                                                                \
    HG_P("r12", "2", y)                                                                                                \
    HG_P("lr", "3", y)                                                                                                 \
    HG_EVEN("r4", "r10", "r11", B("r4"))                                                                               \
    HG_ODD("r5", "r10", "r11", B("r5")) HG_EVEN("r6", "r11", "r12", B("r6")) HG_ODD("r7", "r11", "r12", B("r7"))       \
        HG_EVEN("r8", "r12", "lr", B("r8")) HG_ODD("r9", "r12", "lr", B("r9"))
#else
#define HG_ROW(y, B)                                                                                                   \
    HG_W(y)                                                                                                            \
    HG_P("r10", "0", y)                                                                                                \
    HG_P("r11", "1", y)                                                                                                \
    HG_P("r12", "2", y)                                                                                                \
    HG_P("lr", "3", y)                                                                                                 \
    HG_EVEN("r4", "r10", "r11", B("r4"))                                                                               \
    HG_EVEN("r5", "r11", "r12", B("r5")) HG_EVEN("r6", "r12", "lr", B("r6")) HG_P("r10", "4", y) HG_P("r11", "5", y)   \
        HG_P("r12", "6", y) HG_EVEN("r7", "lr", "r10", B("r7")) HG_EVEN("r8", "r10", "r11", B("r8"))                   \
            HG_EVEN("r9", "r11", "r12", B("r9"))
#endif
#elif DEPTHWISE_OUTPUTS == 4
#if DEPTHWISE_STRIDE == 1
#define HG_ROW(y, B)                                                                                                   \
    HG_W(y)                                                                                                            \
    HG_P("r10", "0", y)                                                                                                \
    HG_P("r11", "1", y)                                                                                                \
    HG_P("r12", "2", y)                                                                                                \
    HG_EVEN("r4", "r10", "r11", B("r4"))                                                                               \
    HG_ODD("r5", "r10", "r11", B("r5")) HG_EVEN("r6", "r11", "r12", B("r6")) HG_ODD("r7", "r11", "r12", B("r7"))
#else
#define HG_ROW(y, B)                                                                                                   \
    HG_W(y)                                                                                                            \
    HG_P("r10", "0", y)                                                                                                \
    HG_P("r11", "1", y)                                                                                                \
    HG_P("r12", "2", y)                                                                                                \
    HG_P("r8", "3", y)                                                                                                 \
    HG_P("r9", "4", y)                                                                                                 \
    HG_EVEN("r4", "r10", "r11", B("r4")) HG_EVEN("r5", "r11", "r12", B("r5")) HG_EVEN("r6", "r12", "r8", B("r6"))      \
        HG_EVEN("r7", "r8", "r9", B("r7"))
#endif
#else
#if DEPTHWISE_STRIDE == 1
#define HG_ROW(y, B)                                                                                                   \
    HG_W(y)                                                                                                            \
    HG_P("r10", "0", y) HG_P("r11", "1", y) HG_EVEN("r4", "r10", "r11", B("r4")) HG_ODD("r5", "r10", "r11", B("r5"))
#else
#define HG_ROW(y, B)                                                                                                   \
    HG_W(y)                                                                                                            \
    HG_P("r10", "0", y)                                                                                                \
    HG_P("r11", "1", y) HG_P("r12", "2", y) HG_EVEN("r4", "r10", "r11", B("r4")) HG_EVEN("r5", "r11", "r12", B("r5"))
#endif
#endif
#define HG_FROM_BIAS(x) HG_LAST
#define HG_FROM_SELF(x) x

#if DEPTHWISE_ROUNDING == PANEL_DOUBLE
#define HG_SCALE(x, output) "add r11, r3, " x ", asr #31\nsmmlar " x ", " x ", r2, r11\n"
#define HG_CLAMP(x) "asr " x ", " x ", r10\nssat " x ", #8, " x "\n"
#elif DEPTHWISE_ROUNDING == PANEL_POSITIVE
#define HG_SCALE(x, output) "smmla " x ", " x ", r2, r3\n"
#define HG_CLAMP(x) "ssat " x ", #8, " x ", asr #%c[shift]\n"
#else
#define HG_SCALE(x, output) "smmlar " x ", " x ", r2, r3\n"
#define HG_CLAMP(x) "ssat " x ", #8, " x "\n"
#endif
#if DEPTHWISE_OUT_PIXEL
#define HG_STORE(x, output) HG_CLAMP(x) "strb " x ", [r12, #" output "*%c[op]]\n"
#define HG_NEXT "addw r12, r12, #%c[outputs]*%c[op]\n"
#else
#define HG_STORE(x, output) HG_CLAMP(x) "strb " x ", [r12]\nadd r12, r12, lr\n"
#define HG_NEXT ""
#endif

HILGATE_NAKED void DEPTHWISE_NAME(const int16_t *plane HILGATE_UNUSED, const int32_t *channel HILGATE_UNUSED,
                                  int8_t *out HILGATE_UNUSED, const depthwise_block *block HILGATE_UNUSED) {
    __asm__ volatile(
        ".syntax unified\n"
        "push {r4-r11, lr}\n"
        "vmov s0, r2\n"
        "vldm r3, {s3-s7}\n"
        "vmov r4, s3\n"
        "vmov s2, r4\n"
        "1:\n"
        "vmov r4, s4\n"
        "add r4, r4, r0\n"
        "vmov s1, r4\n"
        "2:\n"
        "ldr " HG_LAST ", [r1]\n"
        HG_ROW("0", HG_FROM_BIAS)
        ".set hg_y, 1\n"
        ".rept %c[rows]-1\n"
        HG_ROW("hg_y", HG_FROM_SELF)
        ".set hg_y, hg_y+1\n"
        ".endr\n"
        "ldr r2, [r1, #4+4*%c[words]]\n"
        "ldr r3, [r1, #8+4*%c[words]]\n"
        ".if %c[with_n]\n"
        "ldr r10, [r1, #12+4*%c[words]]\n"
        ".endif\n"
        "vmov r12, s0\n"
        "vmov lr, s7\n"
        HG_EACH(HG_SCALE)
        HG_EACH(HG_STORE)
        HG_NEXT
        "vmov s0, r12\n"
        "vmov r2, s1\n"
        "add r0, r0, #2*%c[step]\n"
        "cmp r0, r2\n"
        "bne 2b\n"
        "vmov r2, s2\n"
        "vmov r3, s5\n"
        "vmov r4, s6\n"
        "add r0, r0, r3\n"
        "add r12, r12, r4\n"
        "vmov s0, r12\n"
        "subs r2, r2, #1\n"
        "vmov s2, r2\n"
        "bne 1b\n"
        "pop {r4-r11, pc}\n"
        : : [pitch] "i"(DEPTHWISE_PITCH), [rows] "i"(DEPTHWISE_ROWS),
            [taps] "i"(DEPTHWISE_TAPS), [words] "i"(DEPTHWISE_ROWS * (DEPTHWISE_TAPS - 1)),
            [step] "i"(DEPTHWISE_OUTPUTS * DEPTHWISE_STRIDE), [shift] "i"(DEPTHWISE_SHIFT),
            [op] "i"(DEPTHWISE_OUT_PIXEL), [outputs] "i"(DEPTHWISE_OUTPUTS),
            [with_n] "i"(DEPTHWISE_ROUNDING == PANEL_DOUBLE));
}
#undef HG_W
#undef HG_WORD
#undef HG_P
#undef HG_EVEN
#undef HG_ODD
#undef HG_LAST
#undef HG_EACH
#undef HG_ROW
#undef HG_FROM_BIAS
#undef HG_FROM_SELF
#undef HG_SCALE
#undef HG_STORE
#undef HG_NEXT
#undef HG_CLAMP
#if DEPTHWISE_TAPS > 3
#undef HG_MID
#undef HG_END
#undef HG_PAST
#undef HG_START
#undef HG_START_ODD
#undef HG_AHEAD
#undef HG_OPEN
#undef HG_TAKE
#undef HG_NEW
#undef HG_RING
#undef HG_ODD_WEIGHTS
#undef HG_WORD_K
#endif
/* clang-format on */
#else
HILGATE_SHARED void DEPTHWISE_NAME(const int16_t *plane, const int32_t *channel, int8_t *out,
                                   const depthwise_block *block) {
    depthwise_portable(plane, channel, out, block, DEPTHWISE_OUTPUTS, DEPTHWISE_STRIDE, DEPTHWISE_ROWS, DEPTHWISE_TAPS,
                       DEPTHWISE_PITCH, DEPTHWISE_ROUNDING, DEPTHWISE_SHIFT);
}
#endif

#undef DEPTHWISE_NAME
#undef DEPTHWISE_OUTPUTS
#undef DEPTHWISE_STRIDE
#undef DEPTHWISE_ROWS
#undef DEPTHWISE_TAPS
#undef DEPTHWISE_PITCH
#undef DEPTHWISE_ROUNDING
#undef DEPTHWISE_SHIFT
#undef DEPTHWISE_OUT_PIXEL
