/* LDM and STM need a multiple of four. */
#include "harness.h"

NAKED static void multiple(uint32_t address) {
    __asm volatile("push {r4, r5}\n mov r4, r0\n"
                   ".inst.w 0xE894000E\n" /* ldm.w r4, {r1, r2, r3} */
                   ".inst.w 0xE884000E\n" /* stm.w r4, {r1, r2, r3} */
                   "pop {r4, r5}\n bx lr");
}

void provoke(void) {
    resume_after(4);
    multiple(0x20002002u);
    multiple(0x20002000u);
    say("aligned\n");
}
