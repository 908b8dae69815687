#include "fully_connected.h"

#include "dsp.h"

/* One dot product of any length; also the tail of the wide loop. */
HILGATE_INLINE int32_t fully_connected_dot(const int8_t *x, const int8_t *w, uint32_t first, const uint32_t inputs,
                                           int32_t sum) {
    for (uint32_t k = first; k < inputs; k++) sum += x[k] * w[k];
    return sum;
}

#if HILGATE_DSP
/* Four rows of weights share the widening of x: per 4 columns 5 loads, 10 SXTB16, 8 SMLAD for 16 MACs. */
HILGATE_INLINE void fully_connected_dot4(const int8_t *x, const int8_t *w, const uint32_t inputs, const uint32_t stride,
                                         int32_t sum[4]) {
    const uint32_t wide = inputs & ~3u;
    const int8_t *end = x + wide;
    const int8_t *w0 = w, *w1 = w + stride, *w2 = w1 + stride, *w3 = w2 + stride;
    const int8_t *x0 = x;
    int32_t s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];
    while (x0 != end) {
        const uint32_t word = dsp_load4(x0);
        const uint32_t even = dsp_even(word), odd = dsp_odd(word);
        uint32_t v = dsp_load4(w0);
        s0 = dsp_mac2(dsp_odd(v), odd, dsp_mac2(dsp_even(v), even, s0));
        v = dsp_load4(w1);
        s1 = dsp_mac2(dsp_odd(v), odd, dsp_mac2(dsp_even(v), even, s1));
        v = dsp_load4(w2);
        s2 = dsp_mac2(dsp_odd(v), odd, dsp_mac2(dsp_even(v), even, s2));
        v = dsp_load4(w3);
        s3 = dsp_mac2(dsp_odd(v), odd, dsp_mac2(dsp_even(v), even, s3));
        x0 += 4, w0 += 4, w1 += 4, w2 += 4, w3 += 4;
    }
    sum[0] = fully_connected_dot(x, w, wide, inputs, s0);
    sum[1] = fully_connected_dot(x, w + stride, wide, inputs, s1);
    sum[2] = fully_connected_dot(x, w + 2u * stride, wide, inputs, s2);
    sum[3] = fully_connected_dot(x, w + 3u * stride, wide, inputs, s3);
}
#endif

HILGATE_INLINE int8_t fully_connected_finish(int32_t sum, const hilgate_i32 *channel, const hilgate_output *output,
                                             const int rounding) {
    const int32_t shift = rounding == HILGATE_SINGLE ? output->shift : channel[2];
    const int32_t value = hilgate_requantize(sum, channel[1], shift, output->zero_point, rounding);
    return (int8_t)hilgate_clamp(value, output->lowest, output->highest);
}

HILGATE_INLINE void fully_connected_s8(const int8_t *x, const int8_t *weights, const hilgate_i32 *channels,
                                       const hilgate_output *output, int8_t *y, const uint32_t rows,
                                       const uint32_t inputs, const uint32_t outputs, const int rounding) {
    const uint32_t stride = (inputs + 3u) & ~3u;
    const uint32_t fields = rounding == HILGATE_SINGLE ? 2u : 3u;
    for (uint32_t r = 0; r < rows; r++, x += inputs, y += outputs) {
        uint32_t c = 0;
#if HILGATE_DSP
        for (; c + 4u <= outputs; c += 4u) {
            const hilgate_i32 *channel = channels + c * fields;
            int32_t sum[4] = {channel[0], channel[fields], channel[2u * fields], channel[3u * fields]};
            fully_connected_dot4(x, weights + c * stride, inputs, stride, sum);
            for (uint32_t i = 0; i < 4u; i++)
                y[c + i] = fully_connected_finish(sum[i], channel + i * fields, output, rounding);
        }
#endif
        for (; c < outputs; c++) {
            const hilgate_i32 *channel = channels + c * fields;
            const int32_t sum = fully_connected_dot(x, weights + c * stride, 0, inputs, channel[0]);
            y[c] = fully_connected_finish(sum, channel, output, rounding);
        }
    }
}
