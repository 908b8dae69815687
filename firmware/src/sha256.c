#include "sha256.h"

#include <string.h>

/* FIPS 180-4, 4.2.2: fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
};

static uint32_t rotate(uint32_t value, unsigned bits) {
    return (value >> bits) | (value << (32u - bits));
}

static uint32_t big_endian(const uint8_t *bytes) {
    return ((uint32_t)bytes[0] << 24) | ((uint32_t)bytes[1] << 16) | ((uint32_t)bytes[2] << 8) | bytes[3];
}

/** One word of the message schedule from a ring of the last sixteen (FIPS 180-4, 6.2.2 step 1). */
static uint32_t schedule_word(uint32_t words[16], unsigned t) {
    const uint32_t w15 = words[(t + 1u) & 15u], w2 = words[(t + 14u) & 15u];
    const uint32_t s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >> 3);
    const uint32_t s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >> 10);
    words[t & 15u] += s0 + words[(t + 9u) & 15u] + s1;
    return words[t & 15u];
}

/* Eight variables, not an array: they stay in registers, three times as fast on a Cortex-M4. */
static void sha256_block(uint32_t state[8], const uint8_t *bytes) {
    uint32_t words[16];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned i = 0; i < 16; i++) words[i] = big_endian(bytes + 4u * i);
    for (unsigned t = 0; t < 64; t++) {
        const uint32_t word = t < 16 ? words[t] : schedule_word(words, t);
        const uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + round_constants[t] + word;
        const uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    const uint32_t sums[8] = {a, b, c, d, e, f, g, h};
    for (unsigned i = 0; i < 8; i++) state[i] += sums[i];
}

void sha256_start(sha256_context *context) {
    /* FIPS 180-4, 5.3.3. */
    static const uint32_t initial[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                        0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
    memcpy(context->state, initial, sizeof initial);
    context->count = 0;
}

void sha256_update(sha256_context *context, const uint8_t *bytes, uint32_t count) {
    while (count > 0) {
        const uint32_t used = (uint32_t)(context->count & 63u);
        const uint32_t take = count < 64u - used ? count : 64u - used;
        memcpy(context->block + used, bytes, take);
        context->count += take;
        bytes += take;
        count -= take;
        if (used + take == 64u) sha256_block(context->state, context->block);
    }
}

void sha256_finish(sha256_context *context, uint8_t digest[SHA256_BYTES]) {
    static const uint8_t padding[64] = {0x80u};
    const uint64_t bits = context->count * 8u;
    const uint32_t used = (uint32_t)(context->count & 63u);
    uint8_t length[8];
    for (unsigned i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56u - 8u * i));
    sha256_update(context, padding, used < 56u ? 56u - used : 120u - used);
    sha256_update(context, length, sizeof length);
    for (unsigned i = 0; i < SHA256_BYTES; i++) {
        digest[i] = (uint8_t)(context->state[i / 4u] >> (24u - 8u * (i & 3u)));
    }
}
