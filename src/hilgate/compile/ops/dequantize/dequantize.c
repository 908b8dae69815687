#include "dequantize.h"

HILGATE_INLINE void dequantize_s8_f32(const int8_t *x, const hilgate_edge *edge, hilgate_f32 *y, const uint32_t count) {
    const float scale = edge->scale;
    const int32_t zero_point = edge->zero_point;
    for (uint32_t i = 0; i < count; i++) y[i] = (float)(x[i] - zero_point) * scale;
}
