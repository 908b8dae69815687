/* Says hello, then answers each byte with the next one. */
#include "harness.h"

void provoke(void) {
    WORD(0x4001100Cu) = 0x200Cu;
    say("hello\n");
    for (;;) {
        if ((WORD(0x40011000u) & 0x20u) != 0u) {
            WORD(0x40011004u) = WORD(0x40011004u) + 1u;
        }
    }
}
