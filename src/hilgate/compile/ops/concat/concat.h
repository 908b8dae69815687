/* concat: y = the inputs side by side: `outer` times width_0 bytes of x0, width_1 of x1, ...
 *
 * x0..x7   int8 [outer][width_i]; a width of 0: not there
 * y        int8 [outer][sum of widths]; must not overlap an input
 * error    none */
#ifndef HILGATE_CONCAT_H
#define HILGATE_CONCAT_H

#include "arithmetic.h"

HILGATE_INLINE void concat_s8(const int8_t *x0, const int8_t *x1, const int8_t *x2, const int8_t *x3, const int8_t *x4,
                              const int8_t *x5, const int8_t *x6, const int8_t *x7, int8_t *y, uint32_t outer,
                              uint32_t width_0, uint32_t width_1, uint32_t width_2, uint32_t width_3, uint32_t width_4,
                              uint32_t width_5, uint32_t width_6, uint32_t width_7);

#endif
