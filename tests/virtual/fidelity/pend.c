/* PendSV and interrupts: pending, masks, priorities, preemption, tail chaining. */
#include "harness.h"

static void nothing(void) {}

static void pend_more(void) {
    WORD(NVIC_ISPR0) = 1u << 3; /* less urgent: runs afterwards */
    WORD(NVIC_ISPR0) = 1u << 4; /* more urgent: runs now */
    __asm volatile("dsb\n isb");
    say("more\n");
}

void provoke(void) {
    expect_system(14, nothing);
    expect_interrupt(2, pend_more);
    expect_interrupt(3, nothing);
    expect_interrupt(4, nothing);
    NVIC_IPR(2) = 0x80;
    NVIC_IPR(3) = 0xC0;
    NVIC_IPR(4) = 0x40;
    WORD(SHPR3) = 0xF0u << 16; /* PendSV last */
    WORD(ICSR) = 1u << 28;
    __asm volatile("dsb\n isb");
    say("pended\n");
    __asm volatile("cpsid i");
    WORD(NVIC_ISPR0) = 1u << 2;
    WORD(ICSR) = 1u << 28;
    __asm volatile("dsb\n isb");
    say("masked\n");
    __asm volatile("cpsie i\n isb");
    say("unmasked\n");
    __asm volatile("msr basepri, %0" ::"r"(0x80u));
    WORD(NVIC_ISPR0) = 3u << 2;
    __asm volatile("dsb\n isb");
    say("based\n");
    __asm volatile("msr basepri, %0\n isb" ::"r"(0u));
    say("done\n");
}
