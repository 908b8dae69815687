/* quantize: y = saturate(round_half_even(x / scale) + zero_point), float32 division, as ONNX QuantizeLinear.
 *
 * x      float32, any shape of `count` elements; not a number gives the zero point
 * edge   scale and zero point
 * y      int8, same order
 * error  none: the result is the standard's to the bit, given IEEE 754 float32 */
#ifndef HILGATE_QUANTIZE_H
#define HILGATE_QUANTIZE_H

#include "arithmetic.h"

HILGATE_INLINE void quantize_f32_s8(const hilgate_f32 *x, const hilgate_edge *edge, int8_t *y, uint32_t count);

#endif
