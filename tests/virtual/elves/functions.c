/* Plain functions for the bare core; harness.c brings the start-up code that nobody calls here. */
#include "harness.h"

uint32_t sum_bytes(const uint8_t *bytes, uint32_t count) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += bytes[i];
    return sum;
}

int64_t six(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f) {
    return (int64_t)a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * (int64_t)f;
}

NAKED uint32_t dual(uint32_t a, uint32_t b) {
    __asm volatile("smuad r0, r0, r1\n bx lr");
}

float half(float x) {
    return x * 0.5f;
}

uint32_t crash(void) {
    return *(volatile uint32_t *)0x10000000u;
}

NAKED uint32_t unaligned(uint32_t address) {
    __asm volatile("ldrd r0, r1, [r0]\n bx lr");
}

NAKED uint32_t for_ever(void) {
    __asm volatile("b for_ever");
}

void provoke(void) {}
