/* conv2d_winograd: 3x3 convolution with stride 1 by winograd.h, a few rows of tiles at a time.
 *
 * x        int8 [in_h][in_w][channels], channels a multiple of 4
 * stream   see winograd.h
 * output   clamp
 * fill     the input's zero point, which padding counts as
 * y        int8 [out_h][out_w][outputs]; may overlap x when it starts early enough (Conv2D.overlap_lag)
 * scratch  int16 working memory, 4-aligned: V, then the band of widened rows, whose place U and M take afterwards
 * error    none: equal to conv2d_s8 to the bit */
#ifndef HILGATE_CONV2D_WINOGRAD_H
#define HILGATE_CONV2D_WINOGRAD_H

#include "winograd.h"

HILGATE_SHARED void conv2d_winograd_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                       const hilgate_i32 *fill, int8_t *y, int16_t *scratch, const winograd_shape *s);

#endif
