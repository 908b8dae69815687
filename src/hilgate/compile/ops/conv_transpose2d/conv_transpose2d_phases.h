/* conv_transpose2d_phases: transposed convolution as one convolution by panels for each phase of the stride.
 *
 * x        int8 [height][width][channels]
 * stream   packed weights, of every phase; see panel.h
 * output   zero point and clamp
 * fill     the input's zero point, which padding counts as
 * y        int8, `bytes` of them; must not overlap x
 * strip    int16 working memory, 4-aligned
 * error    none: equal to conv_transpose2d_s8 to the bit */
#ifndef HILGATE_CONV_TRANSPOSE2D_PHASES_H
#define HILGATE_CONV_TRANSPOSE2D_PHASES_H

#include "conv2d_panel.h"

/* Outputs that lie a stride apart. Distances in bytes. */
typedef struct {
    uint32_t first;     /* of the input that the convolution sees */
    uint32_t in_row;    /* from one of its rows to the next */
    uint32_t out_first; /* of its first output */
    uint32_t out_row;   /* from one of its rows of outputs to the next */
    uint32_t stream;    /* of its packed weights */
    conv2d_shape conv;
} conv_transpose2d_phase;

HILGATE_SHARED void conv_transpose2d_phases_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                               const hilgate_i32 *fill, int8_t *y, int16_t *strip,
                                               const conv_transpose2d_phase *phases, uint32_t count, uint32_t bytes);

#endif
