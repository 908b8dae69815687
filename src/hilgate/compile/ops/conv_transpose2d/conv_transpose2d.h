/* conv_transpose2d: y[h][w][o] = clamp(requantize(bias[o] + sum of (x - zero point) * weights[o] over the input pixels
 * and kernel positions that meet at h, w)): h + pad_top = ih * stride_h + kh * dilation_h.
 *
 * x         int8 [input_h][input_w][input_c]
 * weights   int8 [output_c][kernel_h][kernel_w][input_c], symmetric
 * channels  per output channel: bias, multiplier, and of rounding `double` a shift
 * output    zero point, shift of rounding `single`, clamp
 * offset    minus the zero point of x: how many kernel positions meet differs from pixel to pixel, so no bias holds it
 * y         int8 [output_h][output_w][output_c]; must not overlap x
 * range     the compiler has proved that no partial sum leaves int32
 * error     none against the exact sum; requantization at most one step */
#ifndef HILGATE_CONV_TRANSPOSE2D_H
#define HILGATE_CONV_TRANSPOSE2D_H

#include "arithmetic.h"

HILGATE_INLINE void conv_transpose2d_s8(const int8_t *x, const int8_t *weights, const hilgate_i32 *channels,
                                        const hilgate_output *output, const hilgate_i32 *offset, int8_t *y,
                                        int32_t input_h, int32_t input_w, int32_t input_c, int32_t output_h,
                                        int32_t output_w, int32_t output_c, int32_t kernel_h, int32_t kernel_w,
                                        int32_t stride_h, int32_t stride_w, int32_t dilation_h, int32_t dilation_w,
                                        int32_t pad_top, int32_t pad_left, int rounding);

#endif
