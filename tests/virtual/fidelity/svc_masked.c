/* SVC while PRIMASK is set cannot be taken: HardFault. */
#include "harness.h"

void provoke(void) {
    resume_after(2);
    __asm volatile("cpsid i\n svc #5\n nop\n nop\n cpsie i");
    say("passed\n");
}
