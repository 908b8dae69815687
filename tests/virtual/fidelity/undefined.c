/* The permanently undefined instruction. */
#include "harness.h"

void provoke(void) {
    resume_after(2);
    __asm volatile("udf #7");
    resume_after(4);
    __asm volatile(".inst.w 0xF7F0A000"); /* the wide one */
    say("passed\n");
}
