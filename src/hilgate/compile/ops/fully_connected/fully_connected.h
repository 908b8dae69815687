/* fully_connected: y[r][c] = clamp(requantize(bias[c] + sum over k of x[r][k] * weights[c][k])), see arithmetic.h.
 *
 * x         int8 [rows][inputs]
 * weights   int8 [outputs][inputs rounded up to 4], symmetric, the padding is zero
 * channels  per output: bias (the zero point of x is folded in), multiplier, and of rounding `away` a shift
 * output    zero point, shift of rounding `single`, clamp
 * y         int8 [rows][outputs]; must not overlap x
 * range     the compiler has proved that no partial sum leaves int32
 * error     none against the exact sum; requantization at most one step */
#ifndef HILGATE_FULLY_CONNECTED_H
#define HILGATE_FULLY_CONNECTED_H

#include "arithmetic.h"

HILGATE_INLINE void fully_connected_s8(const int8_t *x, const int8_t *weights, const hilgate_i32 *channels,
                                       const hilgate_output *output, int8_t *y, uint32_t rows, uint32_t inputs,
                                       uint32_t outputs, int rounding);

#endif
