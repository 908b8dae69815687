/* WFI ends by a pending interrupt even while PRIMASK is set. */
#include "harness.h"

static void tick(void) {
    WORD(SYST_CSR) = 0;
    say("tick\n");
}

void provoke(void) {
    expect_system(15, tick);
    WORD(SYST_RVR) = 1000000; /* longer than the report takes to print */
    WORD(SYST_CVR) = 0;
    __asm volatile("cpsid i");
    WORD(SYST_CSR) = 7;
    __asm volatile("wfi");
    say("awake\n");
    __asm volatile("cpsie i\n isb");
    say("done\n");
}
