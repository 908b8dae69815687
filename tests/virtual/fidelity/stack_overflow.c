/* A push below RAM: BusFault, and no room to stack it. */
#include "harness.h"

NAKED static void overflow(void) {
    __asm volatile("ldr r0, =0x20000008\n mov sp, r0\n push {r0-r7, lr}\n bx lr");
}

void provoke(void) {
    overflow();
}
