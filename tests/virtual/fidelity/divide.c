/* Division by zero gives 0, or a UsageFault when CCR.DIV_0_TRP is set. */
#include "harness.h"

NAKED static uint32_t divide(uint32_t a, uint32_t b) {
    __asm volatile("udiv r0, r0, r1\n sdiv r0, r0, r1\n bx lr");
}

void provoke(void) {
    say_hex("zero", divide(7, 0));
    say("\n");
    WORD(CCR) |= 1u << 4;
    resume_after(4);
    (void)divide(7, 0);
    say_hex("six", divide(36, 6));
    say("\n");
}
