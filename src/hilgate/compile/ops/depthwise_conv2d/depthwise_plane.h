/* depthwise_plane: depthwise convolution, two channels' planes as int16 at a time; dilated kernels see the planes of
 * every dilation-th row and column, one phase after the other.
 *
 * x        int8 [in_h][in_w][channels / multiplier]; padding counts as the zero point (fill[0])
 * stream   per channel int32 {bias << 5 | n, multiplier}; then per channel int8 weights [rows][taps]
 * output   zero point and clamp
 * y        int8 [out_h][out_w][channels]; may be x when both have equal shapes and band is out_h
 * planes   int16 working memory, 4-aligned: two planes of plane_rows * pitch bytes and 16 bytes that reads may touch;
 *          of depthwise_general_s8 also the words of one channel, 4 + rows * (taps - 1)
 * range    |bias| < 2^26 and |accumulator << left| < 2^31, where left is 1 for PANEL_DOUBLE, N-n+1 for PANEL_POSITIVE,
 * else 0 (plane.py) error    none: equal to depthwise_conv2d_s8 to the bit; results as panel.h says */
#ifndef HILGATE_DEPTHWISE_PLANE_H
#define HILGATE_DEPTHWISE_PLANE_H

#include "panel.h"

#define DEPTHWISE_TAPS_MAX 15
#define DEPTHWISE_WORDS_FEW 14 /* rows * (taps - 1) of depthwise_plane_s8, whose channel lies on the stack */

/* The outputs of one channel that one call of a core computes. */
typedef struct {
    int32_t rows;
    int32_t row_bytes;  /* of the plane that one row of outputs steps over: outputs * stride * 2 */
    int32_t plane_skip; /* bytes from there to the next row's start: vertical stride * pitch - row_bytes */
    int32_t out_skip;   /* bytes from the end of a row of outputs to the next */
    int32_t out_pixel;  /* bytes from one output to the next */
} depthwise_block;

/* channel: bias; per kernel row the int16 pairs (w0 w1), (w1 w2), ..., taps - 1 of them; multiplier; rounding; n. Bias
 * and weights are shifted left, so that the accumulator needs no shift. rounding: zero (SINGLE), 2 * zero + 1 << n >> 1
 * (DOUBLE), c (POSITIVE). */
typedef void (*depthwise_fn)(const int16_t *plane, const int32_t *channel, int8_t *out, const depthwise_block *block);

/* Heights and rows are those of the planes, which may lie turned: then they are the image's widths and columns. */
typedef struct {
    int32_t in_row, in_pixel, out_row, out_pixel; /* bytes from one row or pixel of a plane to the next, in x and y */
    uint16_t in_h, in_w, out_h, out_w, channels;  /* channels: of the output, `multiplier` for each of the input */
    uint8_t stride_h, stride_w, pad_top, pad_left;
    uint8_t multiplier, dilation_h, dilation_w; /* strides are 1 where a dilation is not */
    uint8_t rows, taps;                         /* kernel height and width */
    uint8_t outputs, edge_outputs; /* DEPTHWISE_OUTPUTS of run, <= out_w, and of edge, >= out_w % outputs */
    uint8_t rounding, top;         /* PANEL_SINGLE, PANEL_DOUBLE or PANEL_POSITIVE with its N */
    uint16_t pitch;                /* bytes from one row of a plane to the next */
    uint16_t band;                 /* rows of outputs that fit the planes */
    depthwise_fn run, edge;        /* the instances that compute rows and end them */
} depthwise_shape;

/* Every parameter but the first four is a constant. */
HILGATE_INLINE void depthwise_portable(const int16_t *plane, const int32_t *channel, int8_t *out,
                                       const depthwise_block *block, const int32_t outputs, const int32_t stride,
                                       const int32_t rows, const int32_t taps, const int32_t pitch, const int rounding,
                                       const int top) {
    const int32_t words = taps - 1, *scale = channel + 1 + words * rows;
    const int32_t steps = block->row_bytes / (2 * outputs * stride);
    for (int32_t y = 0; y < block->rows; y++) {
        for (int32_t x = 0; x < steps * outputs; x++, plane += stride, out += block->out_pixel) {
            int32_t sum = channel[0];
            for (int32_t k = 0; k < rows; k++) {
                const int16_t *p = plane + k * (pitch / 2);
                const int32_t *pairs = channel + 1 + k * words;
                for (int32_t t = 0; t < words; t++) sum += (int16_t)((uint32_t)pairs[t] & 0xffffu) * p[t];
                sum += (int16_t)((uint32_t)pairs[words - 1] >> 16) * p[words];
            }
            int32_t value;
            if (rounding == PANEL_SINGLE) {
                value = hilgate_requantize_single(sum, scale[0], 0, scale[1]);
            } else if (rounding == PANEL_DOUBLE) {
                const int32_t zero = ((scale[1] >> (scale[2] - 1)) - 1) / 2;
                value = hilgate_requantize_double(sum >> 1, scale[0], -scale[2], zero);
            } else {
                value = hilgate_requantize_double(sum >> (top - scale[2] + 1), scale[0], -scale[2], -128);
            }
            *out = (int8_t)hilgate_clamp(value, -128, 127);
        }
        plane += block->plane_skip / 2;
        out += block->out_skip;
    }
}

HILGATE_SHARED void depthwise_plane_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                       const hilgate_i32 *fill, int8_t *y, int16_t *planes, const depthwise_shape *s);

/* Also kernels of up to DEPTHWISE_TAPS_MAX taps, dilation, and several output channels for each input channel. */
HILGATE_SHARED void depthwise_general_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                         const hilgate_i32 *fill, int8_t *y, int16_t *planes, const depthwise_shape *s);

#endif
