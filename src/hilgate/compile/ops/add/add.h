/* add: y[i] = clamp(a[i] + b[i % period]) in real numbers, or a - b; see op.py for both roundings.
 *
 * a, b     int8 [count], int8 [period]; period divides count; y may be a, and b when period is count
 * factors  rounding `single`: Ma, Mb (negative to subtract), offset; y = (a * Ma + b * Mb + offset) >> output->shift
 *          rounding `double`: per input minus zero point, multiplier, shift; then the output's multiplier and shift
 * output   zero point, shift, clamp
 * constant of add_constant_s8: int32 [period], the whole second operand and the zero points in steps of 2^-shift
 * table    of add_table_s8 (rounding `double`, neither subtracts nor repeats): int32 [256], working memory. The operand
 * of the larger scale is a * 2^19 exactly; the other's 256 possible terms are computed once, so that an element costs
 *          one look-up and one requantization (10 cycles on Cortex-M4 instead of 130 from the definition)
 * range    the compiler has proved that nothing leaves int32
 * error    at most one step from the real-number result */
#ifndef HILGATE_ADD_H
#define HILGATE_ADD_H

#include "arithmetic.h"

HILGATE_INLINE void add_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors, const hilgate_output *output,
                           int8_t *y, uint32_t count, uint32_t period, int rounding, int subtract);

HILGATE_INLINE void add_table_s8(const int8_t *a, const int8_t *b, const hilgate_i32 *factors,
                                 const hilgate_output *output, int8_t *y, hilgate_i32 *table, uint32_t count);

HILGATE_INLINE void add_constant_s8(const int8_t *a, const hilgate_i32 *constant, const hilgate_i32 *factors,
                                    const hilgate_output *output, int8_t *y, uint32_t count, uint32_t period);

#endif
