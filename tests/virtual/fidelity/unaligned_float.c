/* VLDR, VSTR, VLDM and VSTM need a multiple of four. */
#include "harness.h"

NAKED static void floats(uint32_t address) {
    __asm volatile("vldr s0, [r0, #4]\n vstr s0, [r0]\n vldm r0, {s0-s3}\n vstm r0, {s0-s3}\n bx lr");
}

void provoke(void) {
    enable_fpu();
    resume_after(4);
    floats(0x20002001u);
    floats(0x20002000u);
    say("aligned\n");
}
