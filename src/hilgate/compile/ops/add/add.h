/* add: y[i] = clamp(a[i] + b[i % period]) in real numbers, or a - b; see op.py for both roundings.
 *
 * a, b     int8 [count], int8 [period]; period divides count; y may be a, and b when period is count
 * output   zero point and clamp; clamped = 0: the clamp is int8's own
 * range    the compiler has proved that nothing leaves 32 bits (`wide`: 64 bits)
 * error    at most one step from the real-number result
 *
 * add_linear_s8:   y = (a * factors[0] + b * factors[1] + offset) >> shift, the offset in factors[2] and factors[3].
 * add_constant_s8: y = (a * factors[0] + constant[i % period]) >> shift.
 * add_double_s8:   TFLite's; factors are per input minus zero point, multiplier, shift; then the output's two.
 * add_table_s8:    the same for whole tensors. The operand of the larger scale is a * 2^19 exactly; the other's 256
 * terms are computed first, in `table`. 10 cycles per element on Cortex-M4, 130 from the definition. */
#ifndef HILGATE_ADD_H
#define HILGATE_ADD_H

#include "arithmetic.h"

HILGATE_INLINE void add_linear_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors,
                                  const hilgate_output *output, int8_t *y, uint32_t count, uint32_t period, int shift,
                                  int wide, int clamped);

HILGATE_INLINE void add_constant_s8(const int8_t *a, const hilgate_i32 *constant, const hilgate_i32 *factors,
                                    const hilgate_output *output, int8_t *y, uint32_t count, uint32_t period, int shift,
                                    int clamped);

HILGATE_INLINE void add_double_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors,
                                  const hilgate_output *output, int8_t *y, uint32_t count, uint32_t period,
                                  int subtract);

HILGATE_INLINE void add_table_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors,
                                 const hilgate_output *output, int8_t *y, hilgate_i32 *table, uint32_t count);

#endif
