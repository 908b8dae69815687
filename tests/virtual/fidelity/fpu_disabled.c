/* The FPU before CPACR allows it: UsageFault NOCP; afterwards it works. */
#include "harness.h"

NAKED static uint32_t add(void) {
    __asm volatile("vmov.f32 s0, #1.0\n vadd.f32 s0, s0, s0\n vmov r0, s0\n bx lr");
}

void provoke(void) {
    resume_after(4);
    (void)add();
    enable_fpu();
    say_hex("two", add());
    WORD(CPACR) = 0;
    __asm volatile("dsb\n isb");
    (void)add();
    say("\n");
}
