#include "conv2d_winograd.h"

#include "bytes.h"
#include "strip.h"

/* Input rows `first` and after, widened and padded, that `rows` rows of tiles need. */
HILGATE_INLINE void winograd_band(const winograd_shape *s, const int8_t *x, int16_t *band, int32_t first, uint32_t rows,
                                  int32_t zero) {
    const uint32_t width = 2u * s->tiles_w + 2u, left = s->pad_left, channels = s->channels;
    const uint32_t inside = s->in_w < width - left ? s->in_w : width - left;
    for (uint32_t r = 0; r < 2u * rows + 2u; r++, band += width * channels) {
        const int32_t ih = first + (int32_t)r;
        if (ih < 0 || ih >= s->in_h) {
            strip_fill(band, zero, width * channels);
            continue;
        }
        const uint32_t count = inside * channels;
        strip_fill(band, zero, left * channels);
        strip_widen_runs(band + left * channels, x + (uint32_t)ih * s->in_w * channels, count, 1u, count);
        strip_fill(band + (left + inside) * channels, zero, (width - left - inside) * channels);
    }
}

/* One channel of `rows` rows of tiles. */
HILGATE_INLINE void winograd_channel(const winograd_shape *s, const hilgate_i32 *m, const hilgate_i32 *scale,
                                     int32_t bias4, int8_t *y, uint32_t oh, uint32_t rows) {
    const uint32_t row = (uint32_t)s->out_w * s->outputs;
    for (uint32_t r = 0; r < rows; r++, oh += 2u) {
        s->row(m, r * s->tiles_w, s->tiles_w, scale, bias4, y + oh * row, s->outputs, row, (s->out_w & 1u) == 0u,
               oh + 1u < s->out_h);
    }
}

HILGATE_SHARED void conv2d_winograd_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                       const hilgate_i32 *fill, int8_t *y, int16_t *scratch, const winograd_shape *s) {
    const uint32_t width = 2u * s->tiles_w + 2u, channels = s->channels, bytes = (uint32_t)s->out_w * s->outputs;
    int16_t *band = scratch + 64u * s->groups * channels, *u = band;
    hilgate_i32 *m = (hilgate_i32 *)(void *)(u + 32u * channels);
    for (uint32_t oh = 0; oh < s->out_h; oh += 2u * s->tile_rows) {
        const uint32_t left = (s->out_h - oh + 1u) / 2u, rows = left < s->tile_rows ? left : s->tile_rows;
        const uint32_t groups = (rows * s->tiles_w + 3u) / 4u;
        winograd_band(s, x, band, (int32_t)oh - s->pad_top, rows, fill[0]);
        for (uint32_t i = 0; i < rows * s->tiles_w; i++) {
            const int16_t *from = band + (i / s->tiles_w * 2u * width + i % s->tiles_w * 2u) * channels;
            s->input(from, scratch + (i / 4u * 64u + i % 4u) * channels, width * channels * 2u);
        }
        const uint8_t *pair = stream;
        for (uint32_t c = 0; c < s->outputs; c += 2u, pair += s->pair_bytes) {
            const hilgate_i32 *bias = (const hilgate_i32 *)(const void *)pair;
            const hilgate_i32 *scale = (const hilgate_i32 *)(const void *)(pair + s->pair_bytes) - 6;
            s->weights(pair + 8, u);
            s->products(u, scratch, m, groups);
            winograd_channel(s, m, scale, bias[0], y + c, oh, rows);
            if (scale[3] != 0) winograd_channel(s, m + 1, scale + 3, bias[1], y + c + 1, oh, rows);
        }
    }
    bytes_clamp(y, s->out_h * bytes, output);
}
