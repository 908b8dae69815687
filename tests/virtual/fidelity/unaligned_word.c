/* Single words and half-words may lie anywhere. */
#include "harness.h"

void provoke(void) {
    volatile uint32_t *word = (volatile uint32_t *)0x20002001u;
    WORD(0x20002000u) = 0x44332211u;
    WORD(0x20002004u) = 0x88776655u;
    uint32_t value;
    __asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(word));
    say_hex("word", value);
    __asm volatile("ldrh %0, [%1]" : "=r"(value) : "r"(word));
    say_hex("half", value);
    __asm volatile("str %0, [%1]" ::"r"(0xAABBCCDDu), "r"(word));
    say_hex("first", WORD(0x20002000u));
    say_hex("second", WORD(0x20002004u));
    say("\n");
}
