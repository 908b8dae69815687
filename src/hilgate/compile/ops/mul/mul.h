/* mul: y[i] = clamp(requantize((a[i] - zero point) * (b[i % period] - zero point))), see arithmetic.h.
 *
 * a, b     int8 [count], int8 [period]; period divides count; y may be a, and b when period is count
 * factors  minus the zero points of a and b, multiplier, shift (of rounding `double`)
 * output   zero point, shift of rounding `single`, clamp
 * error    at most one step from the real-number result */
#ifndef HILGATE_MUL_H
#define HILGATE_MUL_H

#include "arithmetic.h"

HILGATE_INLINE void mul_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors, const hilgate_output *output,
                           int8_t *y, uint32_t count, uint32_t period, int rounding);

#endif
