/* VTOR moves the vectors, here to RAM. */
#include "harness.h"

static void moved(void) {
    say("moved\n");
}

void provoke(void) {
    for (uint32_t i = 0; i < 32u; i++) {
        WORD(0x20003000u + 4u * i) = WORD(0x08000000u + 4u * i);
    }
    WORD(VTOR) = 0x20003000u;
    WORD(0x20003000u + 4u * 11u) = (uint32_t)moved;
    __asm volatile("dsb\n isb\n svc #1");
    say("back\n");
}
