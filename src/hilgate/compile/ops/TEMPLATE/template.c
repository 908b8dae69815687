#include "template.h"

HILGATE_INLINE void template_s8(const int8_t *x, int8_t *y, const uint32_t count) {
    for (uint32_t i = 0; i < count; i++) y[i] = x[count - 1u - i];
}
