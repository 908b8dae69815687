/* CRC-32 of IEEE 802.3: reflected polynomial 0xEDB88320, the same value as zlib.crc32. */
#ifndef CRC32_H
#define CRC32_H

#include <stdint.h>

#define CRC32_START 0u

/** Continue `crc` (CRC32_START at first) over `count` bytes; the result is finished and can be continued. */
uint32_t crc32_update(uint32_t crc, const uint8_t *bytes, uint32_t count);

#endif
