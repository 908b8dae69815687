/* The image's own hash: SHA-256 over its bytes with the hash slot zeroed, then over what makes a second core sleep. The
 * build room fills the slot. */
#include "port.h"
#include "sha256.h"
#include "startup.h"

#include <string.h>

/** Placed after the vector table by the linker script, which also fills magic and length. */
typedef struct image_header {
    uint32_t magic; /* "HGI1" */
    uint32_t length_bytes;
    uint8_t hash[SHA256_BYTES];
} image_header;

extern const image_header image_header_start;

void port_image_get(port_image *image) {
    static const uint8_t zeros[SHA256_BYTES];
    const uint8_t *slot = image_header_start.hash, *after = slot + SHA256_BYTES;
    sha256_context context;
    sha256_start(&context);
    sha256_update(&context, image_start, (uint32_t)(slot - image_start));
    sha256_update(&context, zeros, sizeof zeros);
    sha256_update(&context, after, (uint32_t)(image_end - after));
    sha256_update(&context, second_core_start, (uint32_t)(second_core_end - second_core_start));
    sha256_finish(&context, image->hash);
    image->ok = memcmp(image->hash, slot, SHA256_BYTES) == 0;
}
