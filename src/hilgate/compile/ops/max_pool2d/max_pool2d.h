/* max_pool2d: y[h][w][c] = clamp(max of x over the window); what lies outside the input never wins.
 *
 * x       int8 [input_h][input_w][channel_count]
 * output  clamp (zero point and shift unused)
 * y       int8 [output_h][output_w][channel_count]; must not overlap x
 * error   none */
#ifndef HILGATE_MAX_POOL2D_H
#define HILGATE_MAX_POOL2D_H

#include "arithmetic.h"

HILGATE_INLINE void max_pool2d_s8(const int8_t *x, const hilgate_output *output, int8_t *y, int32_t input_h,
                                  int32_t input_w, int32_t channel_count, int32_t output_h, int32_t output_w,
                                  int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w,
                                  int32_t dilation_h, int32_t dilation_w, int32_t pad_top, int32_t pad_left);

#endif
