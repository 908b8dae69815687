/* AIRCR.SYSRESETREQ starts again from the vector and keeps RAM. */
#include "harness.h"

void provoke(void) {
    if (survivor == 0x5EED5EEDu) {
        survivor = 0;
        say("again\n");
        return;
    }
    survivor = 0x5EED5EEDu;
    say("first\n");
    drain();
    __asm volatile("cpsid i\n dsb");
    WORD(AIRCR) = 0x05FA0004u;
    for (;;) {
    }
}
