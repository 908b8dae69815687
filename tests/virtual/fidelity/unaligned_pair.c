/* LDRD and STRD need a multiple of four, whatever CCR says. */
#include "harness.h"

NAKED static void pair(uint32_t address) {
    __asm volatile("ldrd r2, r3, [r0]\n strd r2, r3, [r0, #8]\n bx lr");
}

void provoke(void) {
    resume_after(4);
    pair(0x20002002u);
    pair(0x20002001u);
    pair(0x20002000u);
    say("aligned\n");
}
