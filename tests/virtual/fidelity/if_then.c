/* A fault inside an IT block: its state is stacked, and the block goes on. */
#include "harness.h"

NAKED static uint32_t block(uint32_t value) {
    __asm volatile("cmp r0, #1\n itte eq\n addeq r0, #4\n ldrdeq r2, r3, [r1]\n movne r0, #9\n bx lr");
}

void provoke(void) {
    uint32_t result;
    __asm volatile("mov r0, #1\n ldr r1, =0x20002002\n bl block\n mov %0, r0"
                   : "=r"(result)::"r0", "r1", "r2", "r3", "lr", "cc");
    say_hex("result", result);
    say("\n");
    (void)block;
}
