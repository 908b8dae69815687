/* Code in RAM may be rewritten; the new code runs. */
#include "harness.h"

void provoke(void) {
    volatile uint16_t *code = (volatile uint16_t *)0x20005000u;
    for (uint16_t i = 1; i < 4u; i++) {
        code[0] = (uint16_t)(0x2000u | i); /* movs r0, #i */
        code[1] = 0x4770u;                 /* bx lr */
        __asm volatile("dsb\n isb");
        say_hex("value", ((uint32_t(*)(void))0x20005001u)());
    }
    say("\n");
}
