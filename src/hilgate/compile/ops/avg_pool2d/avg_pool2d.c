#include "avg_pool2d.h"

#include "bytes.h"
#include "pool.h"

/* The sum of rows x columns pixels, `down` and `right` bytes from one to the next. */
HILGATE_INLINE int32_t avg_pool2d_one(const int8_t *x, int32_t rows, int32_t columns, int32_t down, int32_t right) {
    int32_t sum = 0;
    for (; rows > 0; rows--, x += down)
        for (int32_t i = 0; i < columns; i++) sum += x[i * right];
    return sum;
}

#if HILGATE_DSP
/* The sums of channels 0 and 2 are in even, of 1 and 3 in odd. */
HILGATE_INLINE void avg_pool2d_widen(int32_t *sums, uint32_t even, uint32_t odd) {
    sums[0] += (int16_t)(even & 0xffffu);
    sums[1] += (int16_t)(odd & 0xffffu);
    sums[2] += (int16_t)(even >> 16);
    sums[3] += (int16_t)(odd >> 16);
}

/* Adds n pixels of four channels. */
HILGATE_INLINE void avg_pool2d_row(uint32_t *even, uint32_t *odd, const int8_t *from, int32_t n, int32_t right) {
    for (; n >= 4; n -= 4, from += 4 * right) { /* four loads side by side cost one cycle each */
        const uint32_t a = dsp_load4(from), b = dsp_load4(from + right);
        const uint32_t c = dsp_load4(from + 2 * right), d = dsp_load4(from + 3 * right);
        bytes_sum(even, odd, a), bytes_sum(even, odd, b);
        bytes_sum(even, odd, c), bytes_sum(even, odd, d);
    }
    for (; n > 0; n--, from += right) bytes_sum(even, odd, dsp_load4(from));
}

/* The same for four channels. A halfword holds the sum of 255 pixels; many: a constant, whether there may be more. */
HILGATE_INLINE void avg_pool2d_four(int32_t *sums, const int8_t *x, int32_t rows, int32_t columns, int32_t down,
                                    int32_t right, const int many) {
    uint32_t even = 0, odd = 0;
    int32_t room = 255;
    for (int32_t i = 0; i < 4; i++) sums[i] = 0;
    for (; rows > 0; rows--, x += down) {
        const int8_t *from = x;
        for (int32_t left = columns; left > 0;) {
            const int32_t run = many && left > room ? room : left;
            avg_pool2d_row(&even, &odd, from, run, right);
            left -= run, room -= run, from += run * right;
            if (!many || room > 0) continue;
            avg_pool2d_widen(sums, even, odd);
            even = 0, odd = 0, room = 255;
        }
    }
    avg_pool2d_widen(sums, even, odd);
}
#endif

/* How the sums of one window become means: `add` takes the zero point of its pixels away. */
typedef struct {
    int32_t add, count, multiplier, shift, zero_point;
} avg_pool2d_scale;

HILGATE_INLINE avg_pool2d_scale avg_pool2d_window(int32_t inside, int32_t count, const hilgate_i32 *factors,
                                                  const hilgate_output *output, const int32_t smallest, const int mean,
                                                  const int rounding) {
    avg_pool2d_scale scale = {0, count, 0, 0, output->zero_point};
    if (mean && rounding == HILGATE_DOUBLE) {
        scale.add = -count * factors[0], scale.multiplier = factors[1], scale.shift = factors[2];
    } else if (rounding != HILGATE_DOUBLE) {
        scale.add = -inside * factors[0], scale.multiplier = factors[1 + count - smallest];
        scale.shift = output->shift;
    }
    return scale;
}

HILGATE_INLINE int8_t avg_pool2d_mean(int32_t sum, const avg_pool2d_scale *s, const int mean, const int rounding) {
    int32_t value;
    if (mean && rounding == HILGATE_DOUBLE) {
        value = hilgate_requantize_double(sum + s->add, s->multiplier, s->shift, s->zero_point);
    } else if (rounding == HILGATE_DOUBLE) {
        value = (sum > 0 ? sum + s->count / 2 : sum - s->count / 2) / s->count;
    } else {
        value = hilgate_requantize_single(sum + s->add, s->multiplier, s->shift, s->zero_point);
    }
    return (int8_t)hilgate_saturate(value);
}

HILGATE_INLINE void avg_pool2d_s8(const int8_t *x, const hilgate_i32 *factors, const hilgate_output *output, int8_t *y,
                                  const int32_t input_h, const int32_t input_w, const int32_t channel_count,
                                  const int32_t output_h, const int32_t output_w, const int32_t kernel_h,
                                  const int32_t kernel_w, const int32_t stride_h, const int32_t stride_w,
                                  const int32_t dilation_h, const int32_t dilation_w, const int32_t pad_top,
                                  const int32_t pad_left, const int32_t smallest, const int count_padding,
                                  const int mean, const int rounding) {
    const int32_t right = dilation_w * channel_count, down = dilation_h * input_w * channel_count;
    int8_t *to = y;
    for (int32_t oh = 0; oh < output_h; oh++) {
        const pool_span h = pool_inside(oh * stride_h - pad_top, dilation_h, kernel_h, input_h);
        for (int32_t ow = 0; ow < output_w; ow++) {
            const pool_span w = pool_inside(ow * stride_w - pad_left, dilation_w, kernel_w, input_w);
            const int32_t inside = h.count * w.count, count = count_padding ? kernel_h * kernel_w : inside;
            const avg_pool2d_scale scale = avg_pool2d_window(inside, count, factors, output, smallest, mean, rounding);
            const int8_t *from = x + (h.first * input_w + w.first) * channel_count;
            int32_t c = 0;
#if HILGATE_DSP
            for (; channel_count >= 4 && c < channel_count; c += 4) { /* the last four again where some are left over */
                const int32_t at = c + 4 <= channel_count ? c : channel_count - 4;
                int32_t sums[4];
                avg_pool2d_four(sums, from + at, h.count, w.count, down, right, kernel_h * kernel_w > 255);
                for (int32_t i = 0; i < 4; i++) to[at + i] = avg_pool2d_mean(sums[i], &scale, mean, rounding);
            }
#endif
            for (; c < channel_count; c++) {
                const int32_t sum = avg_pool2d_one(from + c, h.count, w.count, down, right);
                to[c] = avg_pool2d_mean(sum, &scale, mean, rounding);
            }
            to += channel_count;
        }
    }
    bytes_clamp(y, (uint32_t)(to - y), output);
}
