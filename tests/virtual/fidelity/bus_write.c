/* Writing where nothing is. QEMU and the virtual board say precise; silicon may say imprecise. */
#include "harness.h"

NAKED static void write(uint32_t address) {
    __asm volatile("str.w r1, [r0, #4]\n bx lr");
}

void provoke(void) {
    resume_after(4);
    write(CODE_UNMAPPED);
    say("passed\n");
}
