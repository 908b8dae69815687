/* lookup: y[i] = table[x[i] + 128].
 *
 * x, y   int8 [count]; y may be x
 * table  int8 [256], for -128 .. 127
 * error  half a step: the compiler rounds the real function's value once */
#ifndef HILGATE_LOOKUP_H
#define HILGATE_LOOKUP_H

#include "arithmetic.h"

HILGATE_SHARED void lookup_s8(const int8_t *x, const int8_t *table, int8_t *y, uint32_t count);

#endif
