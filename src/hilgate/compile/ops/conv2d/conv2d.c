#include "conv2d.h"

/* Portable: one output at a time, straight from the definition. Where a faster kernel exists the compiler picks that.
 */
HILGATE_INLINE void conv2d_s8(const int8_t *x, const int8_t *weights, const hilgate_i32 *channels,
                              const hilgate_output *output, const hilgate_i32 *fill, int8_t *y, const int32_t input_h,
                              const int32_t input_w, const int32_t input_c, const int32_t output_h,
                              const int32_t output_w, const int32_t output_c, const int32_t kernel_h,
                              const int32_t kernel_w, const int32_t stride_h, const int32_t stride_w,
                              const int32_t dilation_h, const int32_t dilation_w, const int32_t pad_top,
                              const int32_t pad_left, const int32_t groups, const int rounding) {
    const int32_t depth = input_c / groups, per_group = output_c / groups;
    const int32_t fields = rounding == HILGATE_DOUBLE ? 3 : 2;
    const int32_t outside = fill[0];
    for (int32_t oh = 0; oh < output_h; oh++) {
        for (int32_t ow = 0; ow < output_w; ow++) {
            const int8_t *w = weights;
            const hilgate_i32 *channel = channels;
            for (int32_t o = 0; o < output_c; o++, channel += fields) {
                const int8_t *group = x + o / per_group * depth;
                int32_t sum = channel[0];
                for (int32_t kh = 0; kh < kernel_h; kh++) {
                    const int32_t ih = oh * stride_h - pad_top + kh * dilation_h;
                    for (int32_t kw = 0; kw < kernel_w; kw++, w += depth) {
                        const int32_t iw = ow * stride_w - pad_left + kw * dilation_w;
                        if (ih >= 0 && ih < input_h && iw >= 0 && iw < input_w) {
                            const int8_t *pixel = group + (ih * input_w + iw) * input_c;
                            for (int32_t c = 0; c < depth; c++) sum += pixel[c] * w[c];
                        } else {
                            for (int32_t c = 0; c < depth; c++) sum += outside * w[c];
                        }
                    }
                }
                const int32_t shift = rounding == HILGATE_DOUBLE ? channel[2] : output->shift;
                const int32_t value = hilgate_requantize(sum, channel[1], shift, output->zero_point, rounding);
                *y++ = (int8_t)hilgate_clamp(value, output->lowest, output->highest);
            }
        }
    }
}
