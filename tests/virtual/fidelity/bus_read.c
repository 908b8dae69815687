/* Reading where nothing is: BusFault, precise, with its address. */
#include "harness.h"

NAKED static void read(uint32_t address) {
    __asm volatile("ldr.w r1, [r0, #4]\n ldrb.w r1, [r0, #1]\n bx lr");
}

void provoke(void) {
    resume_after(4);
    read(CODE_UNMAPPED);
    read(0xC0000000u);
    say("passed\n");
}
