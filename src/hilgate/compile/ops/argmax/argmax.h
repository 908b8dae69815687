/* argmax: y[r] = index of the largest x[r][0 .. classes-1], plus zero_point.
 *
 * x           int8 [rows][classes], at most 256 classes
 * y           int8 [rows]; must not overlap x
 * last        1: among equal values the last index wins, 0: the first
 * zero_point  0, or -128 when there are more than 128 classes
 * error       none */
#ifndef HILGATE_ARGMAX_H
#define HILGATE_ARGMAX_H

#include "arithmetic.h"

HILGATE_INLINE void argmax_s8(const int8_t *x, int8_t *y, uint32_t rows, uint32_t classes, int last,
                              int32_t zero_point);

#endif
