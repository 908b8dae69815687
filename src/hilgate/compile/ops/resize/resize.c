#include "resize.h"

HILGATE_INLINE void resize_s8(const int8_t *x, int8_t *y, const uint32_t height, const uint32_t width,
                              const uint32_t channel_count, const uint32_t factor_h, const uint32_t factor_w) {
    for (uint32_t h = 0; h < height; h++, x += width * channel_count)
        for (uint32_t fh = 0; fh < factor_h; fh++)
            for (uint32_t w = 0; w < width; w++)
                for (uint32_t fw = 0; fw < factor_w; fw++)
                    for (uint32_t c = 0; c < channel_count; c++) *y++ = x[w * channel_count + c];
}
