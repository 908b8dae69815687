/* pool: which positions of a pooling window lie inside the image. */
#ifndef HILGATE_POOL_H
#define HILGATE_POOL_H

#include "arithmetic.h"

/* Along one axis: the first position inside, and how many follow at the window's dilation. */
typedef struct {
    int32_t first, count;
} pool_span;

HILGATE_INLINE pool_span pool_inside(int32_t start, const int32_t dilation, const int32_t kernel, const int32_t size) {
    const int32_t before = start < 0 ? (dilation - 1 - start) / dilation : 0;
    const int32_t first = start + before * dilation;
    const int32_t fitting = first < size ? (size - first + dilation - 1) / dilation : 0;
    const int32_t rest = kernel > before ? kernel - before : 0;
    const pool_span found = {first, rest < fitting ? rest : fitting};
    return found;
}

#endif
