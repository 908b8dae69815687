/* slice: y = x from `first` on, size_i elements along axis i, step_i bytes apart.
 *
 * x, y     int8; y must not overlap x
 * step_i   may be negative
 * error    none */
#ifndef HILGATE_SLICE_H
#define HILGATE_SLICE_H

#include "arithmetic.h"

HILGATE_INLINE void slice_s8(const int8_t *x, int8_t *y, int32_t first, int32_t size_0, int32_t size_1, int32_t size_2,
                             int32_t size_3, int32_t step_0, int32_t step_1, int32_t step_2, int32_t step_3);

#endif
