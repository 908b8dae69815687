/* SHA-256 (FIPS 180-4). */
#ifndef SHA256_H
#define SHA256_H

#include <stdint.h>

#define SHA256_BYTES 32u

typedef struct sha256_context {
    uint32_t state[8];
    uint64_t count; /* bytes so far */
    uint8_t block[64];
} sha256_context;

void sha256_start(sha256_context *context);
void sha256_update(sha256_context *context, const uint8_t *bytes, uint32_t count);
void sha256_finish(sha256_context *context, uint8_t digest[SHA256_BYTES]);

#endif
