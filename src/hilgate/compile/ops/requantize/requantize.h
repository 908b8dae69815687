/* requantize: y = clamp(requantize(x - zero_point of x)), int8 to int8; see arithmetic.h.
 *
 * x        int8, any shape of `count` elements; y may be x
 * channel  minus the zero point of x, multiplier, shift (shift: only of rounding `double`)
 * output   zero point, shift of rounding `single`, clamp
 * error    at most one step from the real-number result */
#ifndef HILGATE_REQUANTIZE_H
#define HILGATE_REQUANTIZE_H

#include "arithmetic.h"

HILGATE_INLINE void requantize_s8(const int8_t *x, const hilgate_i32 *channel, const hilgate_output *output, int8_t *y,
                                  uint32_t count, int rounding);

#endif
