/* A fault whose handler is not enabled becomes a HardFault. */
#include "harness.h"

void provoke(void) {
    WORD(SHCSR) = 0;
    resume_after(2);
    __asm volatile("udf #1");
    say("passed\n");
}
