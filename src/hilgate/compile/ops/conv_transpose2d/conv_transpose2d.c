#include "conv_transpose2d.h"

/* The input index whose window has `position` at kernel position k, or -1. */
HILGATE_INLINE int32_t conv_transpose2d_source(int32_t position, int32_t k, const int32_t stride,
                                               const int32_t dilation, const int32_t size) {
    const int32_t distance = position - k * dilation;
    return distance >= 0 && distance % stride == 0 && distance / stride < size ? distance / stride : -1;
}

HILGATE_INLINE void conv_transpose2d_s8(const int8_t *x, const int8_t *weights, const hilgate_i32 *channels,
                                        const hilgate_output *output, const hilgate_i32 *offset, int8_t *y,
                                        const int32_t input_h, const int32_t input_w, const int32_t input_c,
                                        const int32_t output_h, const int32_t output_w, const int32_t output_c,
                                        const int32_t kernel_h, const int32_t kernel_w, const int32_t stride_h,
                                        const int32_t stride_w, const int32_t dilation_h, const int32_t dilation_w,
                                        const int32_t pad_top, const int32_t pad_left, const int rounding) {
    const int32_t fields = rounding == HILGATE_SINGLE ? 2 : 3;
    for (int32_t oh = 0; oh < output_h; oh++) {
        for (int32_t ow = 0; ow < output_w; ow++) {
            const int8_t *w = weights;
            const hilgate_i32 *channel = channels;
            for (int32_t o = 0; o < output_c; o++, channel += fields) {
                int32_t sum = channel[0];
                for (int32_t kh = 0; kh < kernel_h; kh++) {
                    const int32_t ih = conv_transpose2d_source(oh + pad_top, kh, stride_h, dilation_h, input_h);
                    for (int32_t kw = 0; kw < kernel_w; kw++, w += input_c) {
                        const int32_t iw = conv_transpose2d_source(ow + pad_left, kw, stride_w, dilation_w, input_w);
                        if (ih < 0 || iw < 0) continue;
                        const int8_t *pixel = x + (ih * input_w + iw) * input_c;
                        for (int32_t c = 0; c < input_c; c++) sum += (pixel[c] + offset[0]) * w[c];
                    }
                }
                const int32_t shift = rounding == HILGATE_SINGLE ? output->shift : channel[2];
                const int32_t value = hilgate_requantize(sum, channel[1], shift, output->zero_point, rounding);
                *y++ = (int8_t)hilgate_clamp(value, output->lowest, output->highest);
            }
        }
    }
}
