/* The specialised steps of winograd.h: assembly where the core has DSP instructions and an FPU, else C.
 *
 * An X-header: the includer defines the constants below, three functions result, the header undefines them again.
 *   WINOGRAD_C   input channels, a number, multiple of 4, <= 68: the functions' names end in it
 *
 * winograd_input_C     one tile: int16 [4 rows, row_bytes apart][4][C] to its place in V, int16 [groups][16][4][C]
 * winograd_weights_C   the nine taps of one channel pair to U, int16 [16][C / 2][channel][2]
 * winograd_products_C  M, int32 [groups][16][4][channel], of U and V: 16 cycles for 16 products, as in panel_dsp.h
 */
#include "winograd.h"

#define HG_CAT2(a, b) a##b
#define HG_CAT(a, b) HG_CAT2(a, b)

/* Assembly keeps one step a line, which clang-format would not. */
/* clang-format off */
#if HILGATE_PANEL_DSP
/* x0-x2 x1+x2 x2-x1 x1-x3 of four columns, stored as one row of positions. */
#define HG_ACROSS(x0, x1, x2, x3, a, b, c, d)                                                                          \
    "ssub16 " a ", " x0 ", " x2 "\nsadd16 " b ", " x1 ", " x2 "\nssub16 " c ", " x2 ", " x1 "\nssub16 " d ", " x1      \
    ", " x3 "\n"                                                                                                       \
    "str " a ", [r1]\nstr " b ", [r1, #%c[p]]\nstr " c ", [r1, #%c[p]*2]\nstr " d ", [r1, #%c[p]*3]\n"
#define HG_ROW(a, b, c, d, from)                                                                                       \
    "ldr " a ", [" from "]\nldr " b ", [" from ", #%c[c2]]\nldr " c ", [" from ", #%c[c2]*2]\nldr " d ", [" from       \
    ", #%c[c2]*3]\n"

HILGATE_NAKED void HG_CAT(winograd_input_, WINOGRAD_C)(const int16_t *from HILGATE_UNUSED, int16_t *v HILGATE_UNUSED,
                                                       uint32_t row_bytes HILGATE_UNUSED) {
    __asm__ volatile(
        ".syntax unified\n"
        "push {r4-r11, lr}\n"
        "vmov s0, r2\n"
        "add r4, r0, #%c[c2]\n"
        "vmov s1, r4\n"
        "1:\n"
        "add r3, r0, r2, lsl #1\n"
        HG_ROW("r4", "r5", "r6", "r7", "r0")
        HG_ROW("r8", "r9", "r10", "r11", "r3")
        "ssub16 r4, r4, r8\nssub16 r5, r5, r9\nssub16 r6, r6, r10\nssub16 r7, r7, r11\n"
        HG_ACROSS("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")
        "addw r1, r1, #%c[p]*4\n"
        "add r12, r0, r2\n"
        HG_ROW("r4", "r5", "r6", "r7", "r12")
        HG_ROW("r8", "r9", "r10", "r11", "r3")
        "sadd16 r2, r4, r8\nsadd16 r3, r5, r9\nsadd16 r12, r6, r10\nsadd16 lr, r7, r11\n"
        "ssub16 r8, r8, r4\nssub16 r9, r9, r5\nssub16 r10, r10, r6\nssub16 r11, r11, r7\n"
        HG_ACROSS("r2", "r3", "r12", "lr", "r4", "r5", "r6", "r7")
        "addw r1, r1, #%c[p]*4\n"
        HG_ACROSS("r8", "r9", "r10", "r11", "r4", "r5", "r6", "r7")
        "addw r1, r1, #%c[p]*4\n"
        "vmov r2, s0\n"
        "add r3, r0, r2\n"
        "add r12, r3, r2, lsl #1\n"
        HG_ROW("r4", "r5", "r6", "r7", "r3")
        HG_ROW("r8", "r9", "r10", "r11", "r12")
        "ssub16 r4, r4, r8\nssub16 r5, r5, r9\nssub16 r6, r6, r10\nssub16 r7, r7, r11\n"
        HG_ACROSS("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")
        "movw r3, #%c[p]*12-4\n"
        "sub r1, r1, r3\n"
        "add r0, r0, #4\n"
        "vmov r3, s1\n"
        "cmp r0, r3\n"
        "bne 1b\n"
        "pop {r4-r11, pc}\n"
        : : [c2] "i"(2 * WINOGRAD_C), [p] "i"(8 * WINOGRAD_C));
}
#define HG_TAPS(a, b, c, at, rot)                                                                                      \
    "ldr " a ", [r0, #" at "]\nldr " b ", [r0, #" at "+4]\nldr " c ", [r0, #" at "+8]\n"                               \
    "sxtb16 " a ", " a rot "\nsxtb16 " b ", " b rot "\nsxtb16 " c ", " c rot "\n"
#define HG_SPREAD(a, b, c, row, at)                                                                                    \
    "sadd16 r2, " a ", " c "\nsadd16 r3, r2, " b "\nssub16 r2, r2, " b "\n"                                            \
    "str " a ", [r1, #%c[q]*4*" row "+" at "]\nstr r3, [r1, #%c[q]*(4*" row "+1)+" at "]\nstr r2, [r1, #%c[q]*(4*" row \
    "+2)+" at "]\nstr " c ", [r1, #%c[q]*(4*" row "+3)+" at "]\n"
#define HG_CHANNEL(at, rot)                                                                                            \
    HG_TAPS("r4", "r5", "r6", "0", rot)                                                                                \
    HG_SPREAD("r4", "r5", "r6", "0", at) HG_TAPS(                                                                      \
        "r7", "r8", "r9", "24",                                                                                        \
        rot) "sadd16 r4, r4, r7\nsadd16 r5, r5, r8\nsadd16 r6, r6, r9\n" HG_SPREAD("r7", "r8", "r9", "3", at)          \
        HG_TAPS("r7", "r8", "r9", "12", rot) "sadd16 r10, r4, r7\nsadd16 r11, r5, r8\nsadd16 r12, r6, r9\n"            \
                                             "ssub16 r4, r4, r7\nssub16 r5, r5, r8\nssub16 r6, r6, r9\n" HG_SPREAD(    \
                                                 "r10", "r11", "r12", "1", at) HG_SPREAD("r4", "r5", "r6", "2", at)
HILGATE_NAKED void HG_CAT(winograd_weights_, WINOGRAD_C)(const uint8_t *w HILGATE_UNUSED, int16_t *u HILGATE_UNUSED) {
    __asm__ volatile(
        ".syntax unified\n"
        "push {r4-r11, lr}\n"
        "add lr, r1, #%c[q]\n"
        "1:\n"
        HG_CHANNEL("0", "")
        HG_CHANNEL("4", ", ror #8")
        "add r0, r0, #36\n"
        "add r1, r1, #8\n"
        "cmp r1, lr\n"
        "bne 1b\n"
        "pop {r4-r11, pc}\n"
        : : [q] "i"(4 * WINOGRAD_C));
}
#if WINOGRAD_C <= 32
#define HG_A(r, t) "ldr " r ", [r1, #%c[c2]*" t "+4*hg_i]\n"
#define HG_A2(r, t) HG_A(r, t)
#define HG_A0 "ldr r4, [r1, #4*hg_i]\n"
#else
#define HG_A(r, t) "ldr " r ", [r1, #%c[c2]*" t "]\n"
#define HG_A2(r, t) "ldr " r ", [r1, #%c[c2]*" t "-4]\n"
#define HG_A0 "ldr r4, [r1], #4\n"
#endif
#define HG_S(op, x, a, b) op(a, "r2", x) op(b, "r3", x)
#define HG_MUL(a, w, x) "smuad " a ", " w ", " x "\n"
#define HG_ACC(a, w, x) "smlad " a ", " w ", " x ", " a "\n"
#define HG_STEP(op)                                                                                                    \
    "ldr r2, [r0], #4\nldr r3, [r0], #4\n" HG_A("r12", "1") HG_A0 HG_S(op, "r4", "r5", "r9")                           \
        HG_S(op, "r12", "r6", "r10") HG_A2("r4", "2") HG_A2("r12", "3") HG_S(op, "r4", "r7", "r11")                    \
            HG_S(op, "r12", "r8", "lr") ".set hg_i, hg_i+1\n"
HILGATE_NAKED void HG_CAT(winograd_products_, WINOGRAD_C)(const int16_t *u HILGATE_UNUSED,
                                                          const int16_t *v HILGATE_UNUSED,
                                                          hilgate_i32 *m HILGATE_UNUSED,
                                                          uint32_t groups HILGATE_UNUSED) {
    __asm__ volatile(
        ".syntax unified\n"
        "push {r4-r11, lr}\n"
        "vmov s0, r2\n"
        "vmov s1, r0\n"
        "vmov s5, r3\n"
        "movw r4, #%c[c2]*32\n"
        "add r4, r4, r0\n"
        "vmov s2, r4\n"
        /* end of U */
        "1:\n"
        "vmov r0, s1\n"
        "2:\n"
        ".set hg_i, 0\n"
#if WINOGRAD_C <= 32
        HG_STEP(HG_MUL)
        ".rept %c[c2]/4-1\n"
        HG_STEP(HG_ACC)
        ".endr\n"
        "add r1, r1, #%c[c2]*4\n"
#else
        "mov r5, #0\nmov r6, #0\nmov r7, #0\nmov r8, #0\nmov r9, #0\nmov r10, #0\nmov r11, #0\nmov lr, #0\n"
        "add r4, r1, #%c[c2]\nvmov s4, r4\n"
        "3:\n"
        ".rept %c[unroll]\n"
        HG_STEP(HG_ACC)
        ".endr\n"
        "vmov r4, s4\n"
        "cmp r1, r4\n"
        "bne 3b\n"
        "add r1, r1, #%c[c2]*3\n"
#endif
        "vmov r2, s0\n"
        "str r5, [r2], #4\nstr r9, [r2], #4\nstr r6, [r2], #4\nstr r10, [r2], #4\n"
        "str r7, [r2], #4\nstr r11, [r2], #4\nstr r8, [r2], #4\nstr lr, [r2], #4\n"
        "vmov s0, r2\n"
        "vmov r3, s2\n"
        "cmp r0, r3\n"
        "bne 2b\n"
        "vmov r3, s5\n"
        "subs r3, r3, #1\n"
        "vmov s5, r3\n"
        "bne 1b\n"
        "pop {r4-r11, pc}\n"
        : : [c2] "i"(2 * WINOGRAD_C),
            [unroll] "i"(WINOGRAD_C % 32 ? WINOGRAD_C % 16 ? WINOGRAD_C % 8 ? 2 : 4 : 8 : 16));
}
#undef HG_A
#undef HG_A0
#undef HG_A2
#undef HG_ACC
#undef HG_ACROSS
#undef HG_CHANNEL
#undef HG_MUL
#undef HG_ROW
#undef HG_S
#undef HG_SPREAD
#undef HG_STEP
#undef HG_TAPS
/* clang-format on */
#else
HILGATE_SHARED void HG_CAT(winograd_input_, WINOGRAD_C)(const int16_t *from, int16_t *v, uint32_t row_bytes) {
    winograd_input(from, v, row_bytes, WINOGRAD_C);
}

HILGATE_SHARED void HG_CAT(winograd_weights_, WINOGRAD_C)(const uint8_t *w, int16_t *u) {
    winograd_weights(w, u, WINOGRAD_C);
}

HILGATE_SHARED void HG_CAT(winograd_products_, WINOGRAD_C)(const int16_t *u, const int16_t *v, hilgate_i32 *m,
                                                           uint32_t groups) {
    winograd_products(u, v, m, groups, WINOGRAD_C);
}
#endif

#undef HG_CAT
#undef HG_CAT2
#undef WINOGRAD_C
