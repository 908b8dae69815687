/* Loads inside an IT block, from flash and of a register, and a branch right after it: what is called begins outside.
 */
#include "harness.h"

static const char yes[] = "yes\n", no[] = "no\n";
static const char *const texts[] = {yes, no};
static const uint32_t registers[] = {VTOR, AIRCR};

NAKED static void choose(uint32_t value, const char *const *text) {
    __asm volatile("cmp r0, #3\n ite hi\n ldrhi r0, [r1]\n ldrls r0, [r1, #4]\n b say");
}

NAKED static void show(uint32_t value, uint32_t address) {
    __asm volatile("cmp r0, #3\n itee hi\n ldrhi r1, [r1]\n movls r1, #1\n movls r0, r0\n ldr r0, =name\n b say_hex\n"
                   ".ltorg\n name: .asciz \"\\n value\"\n .align 1");
}

void provoke(void) {
    for (uint32_t value = 2; value < 6; value++) {
        choose(value, texts);
    }
    show(5, registers[0]);
    show(1, registers[0]);
    say("\n");
}
