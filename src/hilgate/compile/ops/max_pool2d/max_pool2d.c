#include "max_pool2d.h"

#include "bytes.h"
#include "pool.h"

/* The largest of rows x columns pixels, `down` and `right` bytes from one to the next. */
HILGATE_INLINE int8_t max_pool2d_one(const int8_t *x, int32_t rows, int32_t columns, int32_t down, int32_t right) {
    int32_t largest = -128;
    for (; rows > 0; rows--, x += down)
        for (int32_t i = 0; i < columns; i++) largest = x[i * right] > largest ? x[i * right] : largest;
    return (int8_t)largest;
}

#if HILGATE_DSP
/* The same for four channels. */
HILGATE_INLINE uint32_t max_pool2d_four(const int8_t *x, int32_t rows, int32_t columns, int32_t down, int32_t right) {
    uint32_t largest = 0x80808080u;
    for (; rows > 0; rows--, x += down) {
        const int8_t *from = x;
        int32_t i = columns;
        for (; i >= 2; i -= 2, from += 2 * right)
            largest = bytes_max(bytes_max(largest, dsp_load4(from)), dsp_load4(from + right));
        if (i > 0) largest = bytes_max(largest, dsp_load4(from));
    }
    return largest;
}
#endif

HILGATE_INLINE void max_pool2d_s8(const int8_t *x, const hilgate_output *output, int8_t *y, const int32_t input_h,
                                  const int32_t input_w, const int32_t channel_count, const int32_t output_h,
                                  const int32_t output_w, const int32_t kernel_h, const int32_t kernel_w,
                                  const int32_t stride_h, const int32_t stride_w, const int32_t dilation_h,
                                  const int32_t dilation_w, const int32_t pad_top, const int32_t pad_left) {
    const int32_t right = dilation_w * channel_count, down = dilation_h * input_w * channel_count;
    int8_t *to = y;
    for (int32_t oh = 0; oh < output_h; oh++) {
        const pool_span h = pool_inside(oh * stride_h - pad_top, dilation_h, kernel_h, input_h);
        for (int32_t ow = 0; ow < output_w; ow++) {
            const pool_span w = pool_inside(ow * stride_w - pad_left, dilation_w, kernel_w, input_w);
            const int8_t *from = x + (h.first * input_w + w.first) * channel_count;
            int32_t c = 0;
#if HILGATE_DSP
            for (; channel_count >= 4 && c < channel_count; c += 4) { /* the last four again where some are left over */
                const int32_t at = c + 4 <= channel_count ? c : channel_count - 4;
                bytes_store4(to + at, max_pool2d_four(from + at, h.count, w.count, down, right));
            }
#endif
            for (; c < channel_count; c++) to[c] = max_pool2d_one(from + c, h.count, w.count, down, right);
            to += channel_count;
        }
    }
    bytes_clamp(y, (uint32_t)(to - y), output);
}
