/* A thread on PSP: the frame goes there, the handler runs on MSP. */
#include "harness.h"

static void where(void) {
    uint32_t main, process, control;
    __asm volatile("mrs %0, psp\n mrs %1, control" : "=r"(process), "=r"(control));
    __asm volatile("mrs %0, msp" : "=r"(main));
    say_hex("process", process);
    say_hex("control", control);
    say(main > 0x2000F000u ? " main\n" : " lost\n");
}

void provoke(void) {
    expect_system(11, where);
    __asm volatile("msr psp, %0\n mrs r0, control\n orr r0, r0, #2\n msr control, r0\n isb\n"
                   "svc #1\n"
                   "mov r1, sp\n mrs r0, control\n bic r0, r0, #2\n msr control, r0\n isb" ::"r"(0x20004004u)
                   : "r0", "r1", "cc");
    say("back\n");
}
