/* dequantize: y = (x - zero_point) * scale in float32, as ONNX DequantizeLinear.
 *
 * x      int8, any shape of `count` elements
 * edge   scale and zero point
 * y      float32, same order
 * error  none: one float32 multiplication of exact operands */
#ifndef HILGATE_DEQUANTIZE_H
#define HILGATE_DEQUANTIZE_H

#include "arithmetic.h"

HILGATE_INLINE void dequantize_s8_f32(const int8_t *x, const hilgate_edge *edge, hilgate_f32 *y, uint32_t count);

#endif
