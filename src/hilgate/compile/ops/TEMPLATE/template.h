/* TEMPLATE: y[i] = x[count - 1 - i].
 *
 * x      int8 [count]
 * y      int8 [count]; must not overlap x
 * error  none */
#ifndef HILGATE_TEMPLATE_H
#define HILGATE_TEMPLATE_H

#include "arithmetic.h"

HILGATE_INLINE void template_s8(const int8_t *x, int8_t *y, uint32_t count);

#endif
