#include "conv2d_panel.h"

#include "bytes.h"
#include "strip.h"

HILGATE_INLINE panel_shape conv2d_panel_shape(const conv2d_shape *s, const hilgate_output *output) {
    panel_shape panel = s->panel;
    panel.zero = output->zero_point;
    return panel;
}

/* One row of outputs from its strip: whole groups, then the last outputs again so that every call has full width. */
HILGATE_INLINE void conv2d_row(const conv2d_shape *s, const uint8_t *stream, const int16_t *strip, int8_t *y,
                               const panel_shape *panel) {
    s->run(stream, strip, y, panel);
    if (s->out_w % s->pixels != 0) {
        const uint32_t x = (uint32_t)s->out_w - s->pixels;
        panel_shape last = *panel;
        last.groups = 1;
        s->run(stream, strip + x * (s->pixel_bytes / 2u), y + x * s->out_pixel, &last);
    }
}

/* One input row, or padding where `row` is null, into its place in every column. narrow: a constant, whether there are
 * fewer than four channels. */
HILGATE_INLINE void conv2d_strip_row(const conv2d_shape *s, int16_t *to, const int8_t *row, int32_t zero,
                                     const int narrow) {
    const uint32_t columns = (s->out_w - 1u) * s->stride_w + s->kernel_w, column = s->column, channels = s->channels;
    const uint32_t left = row ? (uint32_t)s->pad_left : columns;
    const uint32_t end = left + s->in_w < columns ? left + s->in_w : columns;
    uint32_t c = 0;
    for (; c < left; c++, to += column) strip_fill(to, zero, channels);
    if (narrow) {
        strip_widen_narrow(to, row, channels, end - c, column);
    } else {
        strip_widen_runs(to, row, channels, end - c, column);
    }
    to += (end - c) * column;
    for (c = end; c < columns; c++, to += column) strip_fill(to, zero, channels);
}

HILGATE_INLINE void conv2d_columns(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                   const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s,
                                   const int narrow) {
    const panel_shape panel = conv2d_panel_shape(s, output);
    const uint32_t row_bytes = (uint32_t)s->out_w * s->out_pixel;
    for (int32_t oh = 0; oh < s->out_h; oh++, y += row_bytes) {
        for (int32_t kh = 0; kh < s->kernel_h; kh++) {
            const int32_t ih = oh * s->stride_h - s->pad_top + kh * s->dilation_h;
            const int8_t *row = ih < 0 || ih >= s->in_h ? (const int8_t *)0 : x + ih * s->in_w * s->in_pixel;
            conv2d_strip_row(s, strip + kh * s->channels, row, fill[0], narrow);
        }
        conv2d_row(s, stream, strip, y, &panel);
        bytes_clamp(y, row_bytes, output);
    }
}

HILGATE_SHARED void conv2d_columns_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                      const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s) {
    conv2d_columns(x, stream, output, fill, y, strip, s, 0);
}

HILGATE_SHARED void conv2d_narrow_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                     const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s) {
    conv2d_columns(x, stream, output, fill, y, strip, s, 1);
}

HILGATE_SHARED void conv2d_rgb_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                  const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s) {
    const panel_shape panel = conv2d_panel_shape(s, output);
    const uint32_t row_bytes = (uint32_t)s->out_w * s->out_pixel;
    const uint32_t columns = (s->out_w - 1u) * s->stride_w + s->kernel_w;
    const uint32_t room = columns - (uint32_t)s->pad_left;
    const uint32_t inside = room < s->in_w ? room : s->in_w;
    const uint32_t last = (inside - 1u) * 3u;
    int8_t *padding = (int8_t *)(strip + columns * 10u); /* a row of padding, after the strip */
    for (uint32_t i = 0; i < s->in_w * 3u; i++) padding[i] = (int8_t)fill[0];
    strip_fill(strip, fill[0], columns * 10u);
    for (int32_t oh = 0; oh < s->out_h; oh++, y += row_bytes) {
        const int8_t *row[3];
        for (int32_t kh = 0; kh < 3; kh++) {
            const int32_t ih = oh * s->stride_h - s->pad_top + kh * s->dilation_h;
            row[kh] = ih < 0 || ih >= s->in_h ? padding : x + ih * s->in_w * 3;
        }
        int16_t *to = strip_rgb(strip + s->pad_left * 10, row[0], row[1], row[2], inside - 1u);
        for (uint32_t kh = 0; kh < 3u; kh++) { /* the last pixel byte by byte: nothing is read after the image */
            to[2u * kh] = row[kh][last];
            to[2u * kh + 1u] = row[kh][last + 2u];
            to[6u + kh] = row[kh][last + 1u];
        }
        conv2d_row(s, stream, strip, y, &panel);
        bytes_clamp(y, row_bytes, output);
    }
}

HILGATE_SHARED void conv2d_pixels_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                     const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s) {
    (void)fill;
    const panel_shape panel = conv2d_panel_shape(s, output);
    const uint32_t step = panel.groups * s->pixels, pitch = s->pixel_bytes / 2u, channels = s->channels;
    uint32_t at = 0;
    while (at < s->out_w) {
        const uint32_t first = at + step <= s->out_w ? at : s->out_w - step;
        const int8_t *from = x + first * s->in_pixel;
        if (channels % 4u == 0u && pitch == channels) { /* then groups of four go on from pixel to pixel */
            strip_widen_runs(strip, from, step * pitch, 1u, step * pitch);
        } else {
            strip_widen_runs(strip, from, channels, step, pitch);
        }
        s->run(stream, strip, y + first * s->out_pixel, &panel);
        at += step;
    }
    bytes_clamp(y, (uint32_t)s->out_w * s->out_pixel, output);
}

/* The receptive field of output (oh, ow) in one run; `x` is the first channel of the group. */
HILGATE_INLINE void conv2d_patch(const conv2d_shape *s, int16_t *to, const int8_t *x, int32_t oh, int32_t ow,
                                 int32_t zero) {
    for (int32_t kw = 0; kw < s->kernel_w; kw++, to += s->column) {
        const int32_t iw = ow * s->stride_w - s->pad_left + kw * s->dilation_w;
        for (int32_t kh = 0; kh < s->kernel_h; kh++) {
            const int32_t ih = oh * s->stride_h - s->pad_top + kh * s->dilation_h;
            int16_t *run = to + kh * s->channels;
            if (ih < 0 || ih >= s->in_h || iw < 0 || iw >= s->in_w) {
                strip_fill(run, zero, s->channels);
            } else {
                (void)strip_widen(run, x + (ih * s->in_w + iw) * s->in_pixel, s->channels);
            }
        }
    }
}

HILGATE_SHARED void conv2d_patches_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                      const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s) {
    const panel_shape panel = conv2d_panel_shape(s, output);
    const int32_t step = (int32_t)(panel.groups * s->pixels);
    for (int32_t oh = 0; oh < s->out_h; oh++, y += (uint32_t)s->out_w * s->out_pixel) {
        for (int32_t at = 0; at < s->out_w; at += step) {
            const int32_t first = at + step <= s->out_w ? at : s->out_w - step;
            for (uint32_t group = 0; group < s->groups; group++) {
                for (int32_t i = 0; i < step; i++)
                    conv2d_patch(s, strip + i * (s->pixel_bytes / 2), x + group * s->channels, oh, first + i, fill[0]);
                s->run(stream + group * panel.stream_bytes, strip, y + first * s->out_pixel + group * s->group_outputs,
                       &panel);
            }
        }
        bytes_clamp(y, (uint32_t)s->out_w * s->out_pixel, output);
    }
}
