/* The four functions of the C library that GCC may call. Our own, so that an image depends on one compiler and on no
 * libc, and so that the stack of every function in it is known. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IS_WORD(pointer) (((uintptr_t)(pointer)&3u) == 0)
typedef uint32_t __attribute__((may_alias)) word; /* whatever lies there */

/* Without this GCC recognises the loops below and calls the very functions that they implement. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (IS_WORD(out) && IS_WORD(in)) {
        for (; count >= 16; count -= 16, out += 16, in += 16) {
            const word *words = (const word *)(const void *)in;
            const uint32_t a = words[0], b = words[1], c = words[2], d = words[3];
            word *target = (word *)(void *)out;
            target[0] = a;
            target[1] = b;
            target[2] = c;
            target[3] = d;
        }
    }
    for (; count > 0; count--) *out++ = *in++;
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (out <= in || out >= in + count) return memcpy(to, from, count);
    for (; count > 0; count--) out[count - 1] = in[count - 1];
    return to;
}

void *memset(void *to, int value, size_t count) {
    uint8_t *out = to;
    const uint32_t four = (uint8_t)value * 0x01010101u;
    for (; count > 0 && !IS_WORD(out); count--) *out++ = (uint8_t)value;
    for (; count >= 4; count -= 4, out += 4) *(word *)(void *)out = four;
    for (; count > 0; count--) *out++ = (uint8_t)value;
    return to;
}

int memcmp(const void *left, const void *right, size_t count) {
    const uint8_t *a = left, *b = right;
    for (; count > 0; count--, a++, b++) {
        if (*a != *b) return *a - *b;
    }
    return 0;
}
