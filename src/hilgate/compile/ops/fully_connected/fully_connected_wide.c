#include "fully_connected_wide.h"

#include "strip.h"

HILGATE_SHARED void fully_connected_wide_s8(const int8_t *x, const uint8_t *stream, const hilgate_i32 *scale,
                                            const hilgate_output *output, int8_t *y, int16_t *wide, uint32_t rows,
                                            uint32_t inputs, uint32_t outputs, uint32_t entry_bytes, int rounding,
                                            int per_tensor, wide_fn run) {
    const uint32_t k_bytes = (inputs + 1u) / 2u * 16u;
    const uint32_t group = 24u + k_bytes + (per_tensor ? 0u : 64u), whole = outputs / 8u, rest = outputs % 8u;
    wide_shape shape = {whole * group, k_bytes, entry_bytes, scale[0], scale[1], output->zero_point};
    if (rounding != HILGATE_SINGLE) {
        shape.rounding = 2 * output->zero_point + 1;
        if (per_tensor) shape.rounding = shape.rounding * (1 << scale[1]) >> 1;
    }
    for (; rows > 0u; rows--, x += inputs, y += outputs) {
        int16_t *end = strip_widen(wide, x, inputs);
        if (inputs & 1u) *end = 0;
        if (whole > 0u) run(stream, wide, y, &shape);
        if (rest > 0u) {
            int8_t last[8];
            wide_shape one = shape;
            one.stream_bytes = group;
            run(stream + shape.stream_bytes, wide, last, &one);
            for (uint32_t i = 0; i < rest; i++) y[outputs - rest + i] = last[i];
        }
        if (output->lowest == -128 && output->highest == 127) continue;
        for (uint32_t i = 0; i < outputs; i++) y[i] = (int8_t)hilgate_clamp(y[i], output->lowest, output->highest);
    }
}
