#include "quantize.h"

HILGATE_INLINE void quantize_f32_s8(const hilgate_f32 *x, const hilgate_edge *edge, int8_t *y, const uint32_t count) {
    const float scale = edge->scale;
    const int32_t zero_point = edge->zero_point;
    for (uint32_t i = 0; i < count; i++) {
        float q = x[i] / scale;
        q = q > 512.0f ? 512.0f : q < -512.0f ? -512.0f : q;
        int32_t step = 0;
        if (q == q) {
            /* 1.5 * 2^23: adding it leaves no fraction bits, so the addition itself rounds half to even */
            float shifted = q + 12582912.0f;
            step = (int32_t)(shifted - 12582912.0f);
        }
        y[i] = (int8_t)hilgate_clamp(step + zero_point, -128, 127);
    }
}
