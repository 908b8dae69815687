/* softmax: y = saturate(zero_point + round(e[i] * factor / (256 * sum of e))), e[i] = table[max(x) - x[i]].
 *
 * x       int8 [rows][classes], at most 1023 classes; y may be x
 * table   uint32 [256]: exp(-i * scale of x) * 2^22
 * output  256 / scale of y, zero point of y
 * y       int8 [rows][classes]
 * error   within one step of the real-number result: table and factor are rounded once, the quotient once
 *
 * softmax_float_s8 is TFLite's: float32 table exp(-i * scale of x), sum, reciprocal and product, each rounded by IEEE
 * 754; needs no FPU (the compiler's own soft float does) and no libm. */
#ifndef HILGATE_SOFTMAX_H
#define HILGATE_SOFTMAX_H

#include "arithmetic.h"

HILGATE_INLINE void softmax_s8(const int8_t *x, const hilgate_u32 *table, const hilgate_i32 *output, int8_t *y,
                               uint32_t rows, uint32_t classes);

HILGATE_INLINE void softmax_float_s8(const int8_t *x, const hilgate_f32 *table, const hilgate_edge *output, int8_t *y,
                                     uint32_t rows, uint32_t classes);

#endif
