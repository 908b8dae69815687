#include "conv_transpose2d_phases.h"

HILGATE_SHARED void conv_transpose2d_phases_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                               const hilgate_i32 *fill, int8_t *y, int16_t *strip,
                                               const conv_transpose2d_phase *phases, uint32_t count, uint32_t bytes) {
    for (const conv_transpose2d_phase *p = phases; p != phases + count; p++) {
        const conv2d_shape *s = &p->conv;
        const panel_shape panel = conv2d_panel_shape(s, output);
        int8_t *to = y + p->out_first;
        for (int32_t oh = 0; oh < s->out_h; oh++, to += p->out_row) {
            for (int32_t kh = 0; kh < s->kernel_h; kh++) {
                const int32_t ih = oh - s->pad_top + kh;
                const int inside = ih >= 0 && ih < s->in_h;
                const int8_t *row = inside ? x + p->first + (uint32_t)ih * p->in_row : (const int8_t *)0;
                conv2d_strip_row(s, strip + kh * s->channels, row, fill[0], 0);
            }
            conv2d_row(s, stream + p->stream, strip, to, &panel);
        }
    }
    bytes_clamp(y, bytes, output);
}
