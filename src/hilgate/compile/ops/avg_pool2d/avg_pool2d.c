#include "avg_pool2d.h"

HILGATE_INLINE void avg_pool2d_s8(const int8_t *x, const hilgate_i32 *factors, const hilgate_output *output, int8_t *y,
                                  const int32_t input_h, const int32_t input_w, const int32_t channel_count,
                                  const int32_t output_h, const int32_t output_w, const int32_t kernel_h,
                                  const int32_t kernel_w, const int32_t stride_h, const int32_t stride_w,
                                  const int32_t dilation_h, const int32_t dilation_w, const int32_t pad_top,
                                  const int32_t pad_left, const int32_t smallest, const int count_padding,
                                  const int mean, const int rounding) {
    for (int32_t oh = 0; oh < output_h; oh++) {
        for (int32_t ow = 0; ow < output_w; ow++) {
            for (int32_t c = 0; c < channel_count; c++) {
                int32_t sum = 0, inside = 0;
                for (int32_t kh = 0; kh < kernel_h; kh++) {
                    const int32_t ih = oh * stride_h - pad_top + kh * dilation_h;
                    if (ih < 0 || ih >= input_h) continue;
                    for (int32_t kw = 0; kw < kernel_w; kw++) {
                        const int32_t iw = ow * stride_w - pad_left + kw * dilation_w;
                        if (iw < 0 || iw >= input_w) continue;
                        sum += x[(ih * input_w + iw) * channel_count + c];
                        inside++;
                    }
                }
                const int32_t count = count_padding ? kernel_h * kernel_w : inside;
                int32_t value;
                if (mean && rounding == HILGATE_DOUBLE) {
                    value =
                        hilgate_requantize_double(sum - count * factors[0], factors[1], factors[2], output->zero_point);
                } else if (rounding == HILGATE_DOUBLE) {
                    value = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
                } else {
                    const int32_t multiplier = factors[1 + count - smallest];
                    value = hilgate_requantize_single(sum - inside * factors[0], multiplier, output->shift,
                                                      output->zero_point);
                }
                *y++ = (int8_t)hilgate_clamp(value, output->lowest, output->highest);
            }
        }
    }
}
