/* depthwise_conv2d: y[h][w][c * multiplier + m] = clamp(requantize(bias + sum over kernel of x[..][c] * weights)).
 *
 * x         int8 [input_h][input_w][input_c]; pixels of the padding count as the zero point of x (fill[0])
 * weights   int8 [kernel_h][kernel_w][input_c * multiplier], symmetric
 * channels  per output channel: bias (the zero point of x is folded in), multiplier, and of rounding `double` a shift
 * output    zero point, shift of rounding `single`, clamp
 * y         int8 [output_h][output_w][input_c * multiplier]; must not overlap x
 * range     the compiler has proved that no partial sum leaves int32
 * error     none against the exact sum; requantization at most one step */
#ifndef HILGATE_DEPTHWISE_CONV2D_H
#define HILGATE_DEPTHWISE_CONV2D_H

#include "arithmetic.h"

HILGATE_INLINE void depthwise_conv2d_s8(const int8_t *x, const int8_t *weights, const hilgate_i32 *channels,
                                        const hilgate_output *output, const hilgate_i32 *fill, int8_t *y,
                                        int32_t input_h, int32_t input_w, int32_t input_c, int32_t output_h,
                                        int32_t output_w, int32_t multiplier, int32_t kernel_h, int32_t kernel_w,
                                        int32_t stride_h, int32_t stride_w, int32_t dilation_h, int32_t dilation_w,
                                        int32_t pad_top, int32_t pad_left, int rounding);

#endif
