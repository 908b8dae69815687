#include "slice.h"

#include "bytes.h"

HILGATE_INLINE void slice_s8(const int8_t *x, int8_t *y, const int32_t first, const int32_t size_0,
                             const int32_t size_1, const int32_t size_2, const int32_t size_3, const int32_t step_0,
                             const int32_t step_1, const int32_t step_2, const int32_t step_3) {
#if defined(__GNUC__)
    if (step_3 < 0) __asm__("" : "+r"(y)); /* else GCC 12 takes such a copy for dead (ivopts, modref) and drops it */
#endif
    for (int32_t a = 0; a < size_0; a++)
        for (int32_t b = 0; b < size_1; b++)
            for (int32_t c = 0; c < size_2; c++) {
                const int32_t row = first + a * step_0 + b * step_1 + c * step_2;
                if (step_3 == 1) {
                    bytes_copy(y, x + row, (uint32_t)size_3);
                    y += size_3;
                } else {
                    for (int32_t d = 0; d < size_3; d++) *y++ = x[row + d * step_3];
                }
            }
}
