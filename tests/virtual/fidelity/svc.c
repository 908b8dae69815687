/* SVC: entry, the frame's PC after it, and return with registers kept. */
#include "harness.h"

static void nothing(void) {}

void provoke(void) {
    uint32_t kept = 0;
    expect_system(11, nothing);
    __asm volatile("mov r0, #0x11\n mov r12, r0\n svc #5\n add %0, r0, r12" : "=r"(kept)::"r0", "r12", "cc");
    say_hex("kept", kept);
    say("\n");
}
