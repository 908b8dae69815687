/* An exception while FPU state is live: the long frame, and every register comes back. */
#include "harness.h"

static void clobber(void) {
    __asm volatile("vmov.f32 s0, #2.0\n vmov.f32 s15, #3.0" ::: "s0", "s15");
}

NAKED static uint32_t live(void) {
    __asm volatile("push {r4, lr}\n vmov.f32 s0, #1.0\n vmov.f32 s15, #1.0\n svc #1\n"
                   "vmov r0, s0\n vmov r1, s15\n eor r0, r0, r1\n mrs r1, control\n orr r0, r0, r1\n pop {r4, pc}");
}

void provoke(void) {
    enable_fpu();
    expect_system(11, clobber);
    say_hex("live", live());
    say("\n");
}
