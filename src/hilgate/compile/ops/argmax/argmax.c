#include "argmax.h"

HILGATE_INLINE void argmax_s8(const int8_t *x, int8_t *y, const uint32_t rows, const uint32_t classes, const int last,
                              const int32_t zero_point) {
    for (uint32_t r = 0; r < rows; r++, x += classes) {
        uint32_t best = 0;
        for (uint32_t c = 1; c < classes; c++) {
            if (x[c] > x[best] || (last && x[c] == x[best])) best = c;
        }
        y[r] = (int8_t)((int32_t)best + zero_point);
    }
}
