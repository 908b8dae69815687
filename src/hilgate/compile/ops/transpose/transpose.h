/* transpose: y in its own order, taken from x with one step per axis; axes of size 1 lead.
 *
 * x, y    int8; y must not overlap x
 * size_i  sizes of y, outermost first
 * step_i  how far the next element along that axis of y lies in x
 * error   none */
#ifndef HILGATE_TRANSPOSE_H
#define HILGATE_TRANSPOSE_H

#include "arithmetic.h"

HILGATE_INLINE void transpose_s8(const int8_t *x, int8_t *y, uint32_t size_0, uint32_t size_1, uint32_t size_2,
                                 uint32_t size_3, uint32_t size_4, uint32_t size_5, uint32_t step_0, uint32_t step_1,
                                 uint32_t step_2, uint32_t step_3, uint32_t step_4, uint32_t step_5);

#endif
