#include "requantize.h"

HILGATE_INLINE void requantize_s8(const int8_t *x, const hilgate_i32 *channel, const hilgate_output *output, int8_t *y,
                                  const uint32_t count, const int rounding) {
    const int32_t offset = channel[0];
    const int32_t multiplier = channel[1];
    const int32_t shift = rounding == HILGATE_DOUBLE ? channel[2] : output->shift;
    const int32_t zero_point = output->zero_point, lowest = output->lowest, highest = output->highest;
    for (uint32_t i = 0; i < count; i++) {
        int32_t value = hilgate_requantize(x[i] + offset, multiplier, shift, zero_point, rounding);
        y[i] = (int8_t)hilgate_clamp(value, lowest, highest);
    }
}
