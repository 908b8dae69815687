/* The frame is aligned to eight bytes, and xPSR bit 9 remembers it. */
#include "harness.h"

static void nothing(void) {}

NAKED static void odd(void) {
    __asm volatile("push {r4, r5, lr}\n svc #1\n pop {r4, r5, pc}");
}

NAKED static void even(void) {
    __asm volatile("push {r4, lr}\n svc #1\n pop {r4, pc}");
}

void provoke(void) {
    expect_system(11, nothing);
    even();
    odd();
    say("back\n");
}
