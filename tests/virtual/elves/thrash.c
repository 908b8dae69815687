/* A loop longer than the instruction cache that reads flash all over: every line is missed, in the same way each time.
 */
#include "harness.h"

#define STEP "adds r0, #1\n adds.w r0, r0, r1\n ldr r2, [r3], #12\n eors r0, r2\n"

NAKED static uint32_t pass(uint32_t seed, uint32_t step, uint32_t scratch, uint32_t address) {
    __asm volatile(".rept 150\n" STEP ".endr\n cmp r0, #0\n it eq\n addeq r0, #1\n bx lr\n");
}

void provoke(void) {
    uint32_t value = 1;
    for (uint32_t setting = 0; setting < 16u; setting++) {
        WORD(0x40023C00u) = (setting & 8u ? 5u : 2u) | (setting & 7u) << 8; /* wait states; prefetch, both caches */
        for (uint32_t turn = 0; turn < 3u; turn++) {
            value = pass(value, 3u, 0u, 0x08000000u);
        }
        WORD(0x40023C00u) = 0;
        WORD(0x40023C00u) = 3u << 11; /* empty both caches */
        WORD(0x40023C00u) = 0;
    }
    say_hex("value", value);
    say("\n");
}
