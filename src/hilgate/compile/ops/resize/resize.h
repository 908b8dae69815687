/* resize: every pixel of x becomes factor_h x factor_w pixels of y.
 *
 * x      int8 [height][width][channel_count]
 * y      int8 [height * factor_h][width * factor_w][channel_count]; must not overlap x
 * error  none */
#ifndef HILGATE_RESIZE_H
#define HILGATE_RESIZE_H

#include "arithmetic.h"

HILGATE_INLINE void resize_s8(const int8_t *x, int8_t *y, uint32_t height, uint32_t width, uint32_t channel_count,
                              uint32_t factor_h, uint32_t factor_w);

#endif
