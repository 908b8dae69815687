/* avg_pool2d: y[h][w][c] = clamp(mean of x over the window); see op.py for both roundings.
 *
 * x              int8 [input_h][input_w][channel_count]
 * factors        rounding `single`: zero point of x, then the multipliers of smallest, smallest + 1, ... pixels
 * output         zero point, shift, clamp
 * y              int8 [output_h][output_w][channel_count]; must not overlap x
 * smallest       the fewest pixels that any output averages
 * count_padding  1: the divisor is the whole window, 0: its pixels inside the input
 * mean           1: TFLite's MEAN: factors are the zero point of x, multiplier, shift
 * range          the sum of a window of up to 2^23 pixels fits 32 bits
 * error          at most one step from the real-number result */
#ifndef HILGATE_AVG_POOL2D_H
#define HILGATE_AVG_POOL2D_H

#include "arithmetic.h"

HILGATE_INLINE void avg_pool2d_s8(const int8_t *x, const hilgate_i32 *factors, const hilgate_output *output, int8_t *y,
                                  int32_t input_h, int32_t input_w, int32_t channel_count, int32_t output_h,
                                  int32_t output_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h,
                                  int32_t stride_w, int32_t dilation_h, int32_t dilation_w, int32_t pad_top,
                                  int32_t pad_left, int32_t smallest, int count_padding, int mean, int rounding);

#endif
