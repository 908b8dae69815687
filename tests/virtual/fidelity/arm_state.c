/* A jump without the Thumb bit: UsageFault INVSTATE. */
#include "harness.h"

NAKED static void jump(uint32_t address) {
    __asm volatile("bx r0");
}

void provoke(void) {
    jump(0x08000100u);
}
