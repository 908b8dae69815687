/* pad: y = x with fill[0] around it, up to four dimensions.
 *
 * x          int8 [size_0][size_1][size_2][size_3]
 * before_i   elements added before the first along axis i, after_i: after the last
 * y          int8; must not overlap x
 * error      none */
#ifndef HILGATE_PAD_H
#define HILGATE_PAD_H

#include "arithmetic.h"

HILGATE_INLINE void pad_s8(const int8_t *x, const hilgate_i32 *fill, int8_t *y, uint32_t size_0, uint32_t size_1,
                           uint32_t size_2, uint32_t size_3, uint32_t before_0, uint32_t before_1, uint32_t before_2,
                           uint32_t before_3, uint32_t after_0, uint32_t after_1, uint32_t after_2, uint32_t after_3);

#endif
