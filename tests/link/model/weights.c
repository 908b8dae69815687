#include "model.h"

const uint8_t model_weights[MODEL_WEIGHTS_BYTES] __attribute__((section(".weights"), aligned(16))) = {
    'H', 'G', 'W', '1', 1, 0, 64,       0, 'l', 'i', 'n', 'k', ' ', 't', 'e', 's', 't', ' ', 'm', 'o', 'd', 'e',
    'l', 0,   16,  0,   0, 0, [64] = 3, 1, 4,   1,   5,   9,   2,   6,   5,   3,   5,   8,   9,   7,   9,   3};
