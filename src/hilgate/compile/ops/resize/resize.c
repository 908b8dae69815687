#include "resize.h"

#include "bytes.h"

HILGATE_INLINE void resize_s8(const int8_t *x, int8_t *y, const uint32_t height, const uint32_t width,
                              const uint32_t channel_count, const uint32_t factor_h, const uint32_t factor_w) {
    const uint32_t row_bytes = width * factor_w * channel_count;
    for (uint32_t h = 0; h < height; h++) {
        const int8_t *row = y;
        for (uint32_t w = 0; w < width; w++, x += channel_count)
            for (uint32_t f = 0; f < factor_w; f++, y += channel_count) bytes_copy(y, x, channel_count);
        for (uint32_t f = 1; f < factor_h; f++, y += row_bytes) bytes_copy(y, row, row_bytes);
    }
}
