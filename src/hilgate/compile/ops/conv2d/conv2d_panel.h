/* conv2d_panel: convolution by panels (panel.h) over strips of int16 activations (strip.h).
 *
 * Ways to build a strip; kernel.py chooses one and packs the weights in its order:
 *
 *  - columns: one output row's input columns, [column][ky][channel], each column an even count of values: neighbouring
 *    outputs share columns, and an output's receptive field is one run of kernel_w columns. Dilation_w 1, groups 1.
 *
 *  - narrow: the same for one to three channels.
 *
 *  - rgb: columns for 3 rows x 3 channels, ordered for strip_rgb.
 *
 *  - pixels: kernel 1x1, stride 1, no padding: the image is one row of pixels.
 *
 *  - patches: anything else: each output's receptive field on its own, [pixel][kx][ky][channel of its group].
 *
 * x        int8 [in_h][in_w][in_pixel]
 * stream   packed weights, of every group
 * output   zero point and clamp
 * fill     the input's zero point, which padding counts as
 * y        int8 [out_h][out_w][out_pixel]; may overlap x when it starts early enough (Conv2D.overlap_lag)
 * strip    int16 working memory, 4-aligned
 * error    none: equal to conv2d_s8 to the bit */
#ifndef HILGATE_CONV2D_PANEL_H
#define HILGATE_CONV2D_PANEL_H

#include "panel.h"

typedef struct {
    uint16_t in_h, in_w, out_h, out_w;
    uint16_t in_pixel, out_pixel; /* bytes from one pixel to the next */
    uint16_t channels;            /* that one run takes: input channels / groups */
    uint16_t column;              /* values of a column, or of one kx of a patch */
    uint16_t pixels;              /* PANEL_PIXELS of the instance, <= out_w */
    uint16_t pixel_bytes;         /* PANEL_PIXEL_BYTES of the instance */
    uint8_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    uint8_t pad_top, pad_left;
    uint16_t groups, group_outputs; /* groups, and output channels of each */
    panel_fn run;
    panel_shape panel; /* zero is filled in from the weights blob */
} conv2d_shape;

HILGATE_SHARED void conv2d_columns_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                      const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s);
HILGATE_SHARED void conv2d_narrow_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                     const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s);
HILGATE_SHARED void conv2d_rgb_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                  const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s);
HILGATE_SHARED void conv2d_pixels_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                     const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s);
HILGATE_SHARED void conv2d_patches_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                      const hilgate_i32 *fill, int8_t *y, int16_t *strip, const conv2d_shape *s);

#endif
